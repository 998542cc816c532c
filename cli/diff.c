/* pelsim diff: where two files differ first. */
#include "command.h"
#include "pelsim_io.h"

static int diff(FILE *out, const cli_arguments *a, const char *path) {
  return pel_io_diff(out, path, a->operand[1], a->tolerance);
}

int cli_diff(const cli_arguments *a) { return cli_tool(a, diff, 1); }
