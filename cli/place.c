/* Where ranks run: cores of this machine, options and environment for Open MPI and OpenMP. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "command.h"

static int siblings_first(int cpu) {
  char path[96];
  snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
  FILE *f = fopen(path, "r");
  int first = cpu;
  if (f) {
    if (fscanf(f, "%d", &first) != 1) first = cpu;
    fclose(f);
  }
  return first;
}

/* Physical cores that this process may use; *restricted: they are not all of the machine's. */
static int count_cores(bool *restricted) {
  static cpu_set_t all[64], first[64]; /* 65536 processors */
  const size_t size = sizeof all;
  *restricted = false;
  if (sched_getaffinity(0, size, all)) return 1;
  long cpus = 0;
  for (int cpu = 0; cpu < (int)(8 * size); ++cpu)
    if (CPU_ISSET_S((size_t)cpu, size, all)) {
      CPU_SET_S((size_t)siblings_first(cpu), size, first);
      ++cpus;
    }
  char online[256] = "";
  long total = 0;
  FILE *f = fopen("/sys/devices/system/cpu/online", "r"); /* "0-3,8-11" */
  if (f) {
    if (!fgets(online, sizeof online, f)) *online = 0;
    fclose(f);
  }
  for (char *p = strtok(online, ","); p; p = strtok(NULL, ",")) {
    int a, b;
    const int n = sscanf(p, "%d-%d", &a, &b);
    if (n > 0) total += n == 2 ? b - a + 1 : 1;
  }
  *restricted = total > cpus;
  const int cores = CPU_COUNT_S(size, first);
  return cores > 0 ? cores : 1;
}

/* A batch system or a list of hosts decides how many ranks go where. */
bool cli_managed(void) {
  static const char *const signs[] = {"SLURM_JOB_ID", "PBS_NODEFILE", "LSB_JOBID", "PE_HOSTFILE",
                                      "OMPI_MCA_orte_default_hostfile"};
  for (int i = 0; i < PEL_N(signs); ++i)
    if (getenv(signs[i])) return true;
  return false;
}

/* Sets a variable that the user has not set; remote ranks get it through -x. */
static int pass(const char *name, const char *value, const char **argv, int n) {
  if (getenv(name)) return n;
  setenv(name, value, 1);
  argv[n++] = "-x";
  argv[n++] = name;
  return n;
}

int cli_place_most(void) {
  enum { A_CORE = 64 }; /* more would not be a test of anything; starting them hangs the machine */
  bool restricted;
  return cli_managed() ? INT32_MAX : A_CORE * count_cores(&restricted);
}

/* A thread that waits for others spins for milliseconds by default and so keeps a busy machine's
 * processor from the very thread it waits for: 10 times slower, measured.  This many turns last
 * about as long as falling asleep and waking up. */
static const char spins[] = "1000";

static bool waits_too_long(void) { return !getenv("GOMP_SPINCOUNT") && !getenv("OMP_WAIT_POLICY"); }

/* A host that vanishes is noticed after 45 s, not after eight minutes; less than 40 s are borne.
 * Only the connections of mpirun can do so: those between ranks have no such setting, and send what
 * was lost again for a quarter of an hour.  Less than the minute of [run] hang_limit, for the
 * question that then goes out holds keep-alive up. */
static const struct {
  const char *name, *value;
} keepalive[] = {{"OMPI_MCA_oob_tcp_keepalive_time", "5"},
                 {"OMPI_MCA_oob_tcp_keepalive_intvl", "5"},
                 {"OMPI_MCA_oob_tcp_keepalive_probes", "8"}};

double cli_place_notices_within(void) {
  double x[PEL_N(keepalive)];
  for (int i = 0; i < PEL_N(keepalive); ++i) {
    const char *set = getenv(keepalive[i].name);
    x[i] = atof(set ? set : keepalive[i].value);
  }
  return x[0] + x[1] * x[2];
}

int cli_place(int ranks, int threads, const char **argv, int n) {
  static char count[24], slots[32], t[24];
  snprintf(count, sizeof count, "%d", ranks);
  argv[n++] = "-n";
  argv[n++] = count;
  bool restricted = false, bind = false;
  if (cli_managed()) {
    if (threads) {
      snprintf(slots, sizeof slots, "slot:PE=%d", threads);
      argv[n++] = "--map-by";
      argv[n++] = slots;
      bind = true;
    }
  } else {
    const int cores = count_cores(&restricted), per_rank = threads ? threads : cores / ranks;
    bind = per_rank > 0 && (long)per_rank * ranks <= cores && !restricted;
    if (bind) {
      snprintf(slots, sizeof slots, "slot:PE=%d", per_rank);
      argv[n++] = "--map-by";
      argv[n++] = slots;
    } else {
      argv[n++] = "--oversubscribe";
      argv[n++] = "--bind-to";
      argv[n++] = "none";
    }
    if ((long)(threads ? threads : 1) * ranks > cores) /* the run will say that it is slow; */
      n = pass("OMP_WAIT_POLICY", "passive", argv, n); /* threads that spin would block others */
    /* One machine: shared memory, without looking for networks (0.2 s). */
    setenv("OMPI_MCA_pml", "ob1", 0);
    setenv("OMPI_MCA_btl", "self,vader,tcp", 0);
  }
  if (threads) {
    snprintf(t, sizeof t, "%d", threads);
    n = pass("OMP_NUM_THREADS", t, argv, n);
  }
  if (bind) n = pass("OMP_PROC_BIND", "true", argv, n);
  if (waits_too_long()) n = pass("GOMP_SPINCOUNT", spins, argv, n);
  for (int i = 0; i < PEL_N(keepalive); ++i) setenv(keepalive[i].name, keepalive[i].value, 0);
  setenv("OMPI_MCA_btl_base_warn_component_unused", "0", 0);
  /* Open MPI warns root against mpirun; in a container everybody is root. */
  setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 0);
  setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 0);
  return n;
}

const char *cli_self(void) {
  static char path[4096];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
  return length > 0 ? path : NULL;
}

void cli_place_isolated(void) {
  if (getenv("PMIX_RANK")) return;
  setenv("OMPI_MCA_ess_singleton_isolated", "1", 0); /* no helper process */
  /* Nor a directory in /tmp: all such processes share one, and those that end take it away from
   * those that start, whose MPI_Init then fails. */
  setenv("OMPI_MCA_orte_create_session_dirs", "0", 0);
  setenv("OMPI_MCA_pml", "ob1", 0);  /* nobody to talk to: MPI_Init in 0.02 s, */
  setenv("OMPI_MCA_btl", "self", 0); /* not 0.3 s */
  setenv("OMPI_MCA_btl_base_warn_component_unused", "0", 0);
}

void cli_place_single(const cli_arguments *a) {
  cli_place_isolated();
  if (a->threads == 1 || !waits_too_long() || !cli_self()) return;
  setenv("GOMP_SPINCOUNT", spins, 1);
  fflush(NULL);
  execv(cli_self(), a->argv); /* if that fails, we go on as we are */
}
