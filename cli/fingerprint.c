/* pelsim fingerprint: one number that says whether two states are the same. */
#include "command.h"
#include "pelsim_io.h"

static int fingerprint(FILE *out, const cli_arguments *a, const char *path) {
  (void)a;
  return pel_io_fingerprint(out, path);
}

int cli_fingerprint(const cli_arguments *a) { return cli_tool(a, fingerprint, 1); }
