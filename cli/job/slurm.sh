
# ---- Slurm ----
id=${SLURM_ARRAY_JOB_ID:+${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID}
id=${id:-${SLURM_JOB_ID:?this is a script for sbatch}}
member=${SLURM_ARRAY_TASK_ID:-0}
restarts=${SLURM_RESTART_COUNT:-0}
resubmit=(sbatch ${SLURM_ARRAY_JOB_ID:+"--array=$member"} "$script")

# Whether the scheduler's SIGTERM came for the time limit, not because somebody cancelled the job or
# needs its hosts: then it is for them, or for Slurm, to start it again.
ended_by_limit() {
  [[ $(scontrol show job -o "$id" 2>/dev/null) == *' Reason=TimeLimit '* ]]
}

# Queues this job again; returns only if that is refused, and error says why.
again() {
  say "asks for another turn: restart $((restarts + 1))"
  error=$(scontrol requeue "$id" 2>&1) || return
  trap - TERM USR1
  sleep 120 # Slurm ends this turn before
  exit 75
}
