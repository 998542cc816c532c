/* pelsim verify: every checksum and every fingerprint of files. */
#include "command.h"
#include "pelsim_io.h"

static int verify(FILE *out, const cli_arguments *a, const char *path) {
  (void)a;
  return pel_io_verify(out, path);
}

int cli_verify(const cli_arguments *a) { return cli_tool(a, verify, a->noperands); }
