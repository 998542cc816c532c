/* pelsim info: what files contain. */
#include "command.h"
#include "pelsim_io.h"

static int info(FILE *out, const cli_arguments *a, const char *path) {
  return pel_io_info(out, path, a->json);
}

int cli_info(const cli_arguments *a) { return cli_tool(a, info, a->noperands); }
