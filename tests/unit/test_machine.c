/* The machine under a run: what is found is what the system says, the advice fits the layout, and
 * the measured bandwidth is a bandwidth.  Runs on any number of ranks. */
#define _GNU_SOURCE
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "machine.h"

static void must_lie(const char *what, double got, double least, double most) {
  if (!(got >= least && got <= most)) fail_msg("%s: got %g, want %g to %g", what, got, least, most);
}

static void it_finds_what_the_system_says(void **state) {
  (void)state;
  pel__machine m;
  cpu_set_t mask;
  int ranks;
  pel__machine_look(MPI_COMM_WORLD, &m);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  sched_getaffinity(0, sizeof mask, &mask);
  must_lie("cores", m.cores, 1, CPU_COUNT(&mask));
  must_lie("cores of the node", m.node_cores, m.cores, (double)sysconf(_SC_NPROCESSORS_ONLN));
  must_lie("ranks of the node", m.node_ranks, 1, ranks);
  must_lie("rank of the node", m.node_rank, 0, m.node_ranks - 1);
  must_lie("nodes", m.nodes, 1, ranks);
  must_lie("sharers", m.sharers, 1, m.node_ranks);
  must_lie("domains", m.domains, 1, m.cores);
  must_lie("memory", (double)m.memory, 1e8,
           (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE));
  if (m.l2) must_lie("L2", (double)m.l2, 32 << 10, 256 << 20);
  if (m.l3) must_lie("share of L3", (double)m.l3, 128 << 10, 1024. * (1 << 20));
  assert_int_equal(m.shares_cores, m.sharers > 1);
  if (m.node_ranks == 1) assert_false(m.shares_cores);
}

/* A rank that may use one processor only has one core, whatever the node has; ranks on processors
 * of their own share nothing, ranks on the same one share it. */
static void a_narrow_mask_is_one_core(void **state) {
  (void)state;
  pel__machine m;
  cpu_set_t old, all_of_them, one;
  pel__machine_look(MPI_COMM_WORLD, &m);
  const int rank = m.node_rank, ranks = m.node_ranks;
  sched_getaffinity(0, sizeof old, &old);
  memset(&all_of_them, -1, sizeof all_of_them); /* mpirun may have pinned this rank already */
  assert_int_equal(sched_setaffinity(0, sizeof all_of_them, &all_of_them), 0);
  sched_getaffinity(0, sizeof all_of_them, &all_of_them);
  for (int spread = 0; spread < 2; ++spread) {
    CPU_ZERO(&one);
    for (int i = 0, seen = 0; i < CPU_SETSIZE;
         ++i) /* the first, or the one numbered like the rank */
      if (CPU_ISSET(i, &all_of_them) && seen++ == (spread ? rank : 0)) CPU_SET(i, &one);
    const int enough = CPU_COUNT(&one) == 1;
    int all = enough;
    MPI_Allreduce(&enough, &all, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
    if (!all) continue; /* more ranks than processors */
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    pel__machine_look(MPI_COMM_WORLD, &m);
    must_lie("cores", m.cores, 1, 1);
    must_lie("domains", m.domains, 1, 1);
    must_lie("threads", pel__machine_threads(&m), 1, 1);
    if (m.nodes == 1) must_lie("sharers", m.sharers, spread ? 1 : ranks, spread ? 1 : ranks);
  }
  sched_setaffinity(0, sizeof old, &old);
}

static void threads_are_cores_over_sharers(void **state) {
  (void)state;
  static const struct {
    int cores, sharers, want;
  } cases[] = {{8, 1, 8}, {8, 2, 4}, {8, 3, 2}, {8, 16, 1}, {1, 1, 1}, {1, 4, 1}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    const pel__machine m = {.cores = cases[i].cores, .sharers = cases[i].sharers};
    const int got = pel__machine_threads(&m);
    if (got != cases[i].want) fail_msg("case %zu: got %d, want %d", i, got, cases[i].want);
  }
}

static void advice_fits_the_layout(void **state) {
  (void)state;
  static const struct {
    int cores, node_cores, node_ranks, sharers, domains, threads;
    const char *want; /* NULL: all is well */
  } cases[] = {
      {8, 8, 1, 1, 1, 8, NULL},
      {8, 8, 2, 2, 1, 4, NULL}, /* unpinned, but all memory is equally near */
      {4, 8, 2, 1, 1, 4, NULL}, /* pinned */
      {8, 8, 2, 2, 1, 8,
       "2 x 8 threads share 8 cores and wait for each other: use -t 4, or fewer ranks"},
      {2, 2, 4, 4, 1, 1,
       "4 ranks share 2 cores and wait for each other: start at most 2 ranks a node, with -t 1"},
      {1, 64, 2, 1, 1, 8,
       "8 threads a rank are pinned to 1 core although the node has 64: start with `mpirun "
       "--map-by slot:PE=8 --bind-to core`"},
      {64, 64, 8, 8, 4, 8,
       "8 ranks are free to wander over 64 cores, away from their memory: start with `mpirun "
       "--map-by slot:PE=8 --bind-to core`"},
      {64, 64, 1, 1, 4, 64,
       "64 threads are free to wander over 64 cores, away from their memory: start with "
       "`OMP_PROC_BIND=close OMP_PLACES=cores`"},
      {64, 64, 1, 1, 4, 1, NULL}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    const pel__machine m = {.cores = cases[i].cores,
                            .node_cores = cases[i].node_cores,
                            .node_ranks = cases[i].node_ranks,
                            .sharers = cases[i].sharers,
                            .shares_cores = cases[i].sharers > 1,
                            .domains = cases[i].domains};
    char got[300] = "";
    const bool said = pel__machine_advice(&m, cases[i].threads, got, sizeof got);
    const char *want = cases[i].want ? cases[i].want : "";
    if (said != (cases[i].want != NULL) || strcmp(got, want))
      fail_msg("case %zu: got '%s',\n want '%s'", i, got, want);
  }
}

static void bandwidth_is_measured(void **state) {
  (void)state;
  pel__machine m;
  pel__machine_look(MPI_COMM_WORLD, &m);
  const double begun = MPI_Wtime();
  const double got = pel__machine_bandwidth(MPI_COMM_WORLD, &m, pel__machine_threads(&m));
  const double seconds = MPI_Wtime() - begun;
  must_lie("bandwidth [B/s]", got, 1e8, 1e13);
  must_lie("seconds to measure it", seconds, .05, 20);
  double least = got, most = got;
  MPI_Allreduce(MPI_IN_PLACE, &least, 1, MPI_DOUBLE, MPI_MIN, MPI_COMM_WORLD);
  MPI_Allreduce(MPI_IN_PLACE, &most, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
  assert_true(least == most); /* every rank knows the same */
  print_message("%.3g GB/s measured in %.3f s\n", 1e-9 * got, seconds);
}

static void spin(double seconds) {
  struct timespec a, b;
  clock_gettime(CLOCK_MONOTONIC, &a);
  do clock_gettime(CLOCK_MONOTONIC, &b);
  while ((double)(b.tv_sec - a.tv_sec) + 1e-9 * (double)(b.tv_nsec - a.tv_nsec) < seconds);
}

/* Four programs on one core: each has to wait for three quarters of the time; asleep, for none. */
static void a_shared_core_is_noticed(void **state) {
  (void)state;
  cpu_set_t before, one;
  int status;
  assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
  CPU_ZERO(&one);
  for (int cpu = 0; cpu < CPU_SETSIZE && !CPU_COUNT(&one); ++cpu)
    if (CPU_ISSET(cpu, &before)) CPU_SET(cpu, &one);
  assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
  const double begun = pel__machine_waited();
  pid_t other[3];
  for (int i = 0; i < 3; ++i)
    if ((other[i] = fork()) == 0) {
      spin(10);
      _exit(0);
    }
  spin(.6);
  const double shared = pel__machine_waited();
  usleep(300000);
  const double slept = pel__machine_waited();
  for (int i = 0; i < 3; ++i) {
    kill(other[i], SIGKILL);
    waitpid(other[i], &status, 0);
  }
  sched_setaffinity(0, sizeof before, &before);
  if (begun < 0) skip(); /* this kernel does not tell */
  must_lie("seconds of 0.6 waited for the core", shared - begun, .3, .6);
  must_lie("seconds of 0.3 asleep waited for the core", slept - shared, 0, .1);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(it_finds_what_the_system_says),  cmocka_unit_test(a_narrow_mask_is_one_core),
      cmocka_unit_test(threads_are_cores_over_sharers), cmocka_unit_test(advice_fits_the_layout),
      cmocka_unit_test(bandwidth_is_measured),          cmocka_unit_test(a_shared_core_is_noticed)};
  unsetenv("OMP_PROC_BIND"); /* the advice depends on it */
  MPI_Init(&argc, &argv);
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  MPI_Finalize();
  return failed;
}
