/* pelsim run: the simulation, on as many ranks and threads as asked for. */
#include "command.h"

static int run(MPI_Comm comm, const pel_request *r, const cli_arguments *a) {
  (void)a;
  return pel_run(comm, cli_host(), r);
}

int cli_run(const cli_arguments *a) { return cli_parallel(a, run, true); }
