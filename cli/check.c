/* pelsim check: everything that can be known of a simulation before it runs. */
#include "command.h"

static int check(MPI_Comm comm, const pel_request *r, const cli_arguments *a) {
  return pel_check(comm, cli_host(), r, a->json);
}

int cli_check(const cli_arguments *a) { return cli_parallel(a, check, false); }
