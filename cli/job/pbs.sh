
# ---- PBS ----
id=${PBS_JOBID:?this is a script for qsub}
member=${PELSIM_MEMBER:-${PBS_ARRAY_INDEX:-0}}
restarts=${PELSIM_RESTARTS:-0}
resubmit=(qsub -v "PELSIM_MEMBER=$member" "$script")
# For an mpirun that does not know PBS; another one finds the same hosts there.
export OMPI_MCA_orte_default_hostfile=${OMPI_MCA_orte_default_hostfile-${PBS_NODEFILE-}}

# SIGTERM comes for the limit and from qdel alike.  The run ends before the limit by itself, so it is
# taken for qdel.
ended_by_limit() { return 1; }

# A job cannot queue itself again: it submits the next one.
again() {
  local next
  next=$(cd "$job_dir" &&
    qsub -v "PELSIM_MEMBER=$member,PELSIM_RESTARTS=$((restarts + 1))" "$script" 2>&1) || {
    error=$next
    return
  }
  say "goes on in job $next: restart $((restarts + 1))"
  exit 0
}
exec >>"$job_dir/job-$id.out" 2>&1
