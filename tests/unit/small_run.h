/* For unit tests that run a small model of their own. */
#ifndef PEL_TEST_SMALL_RUN_H
#define PEL_TEST_SMALL_RUN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
// clang-format off
#include <cmocka.h>
// clang-format on
#include "pelsim/embed.h"

/* Runs m with the configuration `text` in a directory of its own, removed afterwards; returns the
 * exit code and what rank 0 wrote to stderr.  Collective. */
static inline int small_run(const pel_model *m, const char *text, int threads, char *said,
                            size_t size) {
  const pel_model *const models[] = {m};
  const pel_io io = {0};
  const pel_host host = {models, 1, &io, "test"};
  char dir[] = "/tmp/pelsim_small_XXXXXX", config[60], log[60], out[60], command[80];
  int rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  if (rank == 0) assert_non_null(mkdtemp(dir));
  MPI_Bcast(dir, sizeof dir, MPI_CHAR, 0, MPI_COMM_WORLD);
  snprintf(config, sizeof config, "%s/small.ini", dir);
  snprintf(log, sizeof log, "%s/stderr%d", dir, rank);
  snprintf(out, sizeof out, "%s/out", dir);
  if (rank == 0) {
    FILE *f = fopen(config, "w");
    fputs(text, f);
    fclose(f);
  }
  MPI_Barrier(MPI_COMM_WORLD);
  fflush(stderr);
  const int keep = dup(STDERR_FILENO);
  FILE *to = fopen(log, "w");
  dup2(fileno(to), STDERR_FILENO);
  const int code = pel_run(
      MPI_COMM_WORLD, &host,
      &(pel_request){
          .config = config, .dir = out, .threads = threads, .progress = PEL_PROGRESS_NEVER});
  fflush(stderr);
  dup2(keep, STDERR_FILENO);
  close(keep);
  fclose(to);
  FILE *from = fopen(log, "r");
  said[fread(said, 1, size - 1, from)] = 0;
  fclose(from);
  MPI_Bcast(said, (int)size, MPI_CHAR, 0, MPI_COMM_WORLD);
  MPI_Barrier(MPI_COMM_WORLD);
  snprintf(command, sizeof command, "rm -rf %s", dir);
  if (rank == 0) assert_int_equal(system(command), 0);
  return code;
}

#endif
