/* pelsim info: what files contain.  --json: one object, or an array of them for several files. */
#include "command.h"
#include "pelsim_io.h"

static int told; /* files so far */

static int info(FILE *out, const cli_arguments *a, const char *path) {
  const bool list = a->json && a->noperands > 1;
  if (list) fputs(told++ ? "," : "[", stdout);
  const int code = pel_io_info(out, path, a->json);
  if (list && code) fputs("null", stdout); /* stderr has the sentence */
  return code;
}

int cli_info(const cli_arguments *a) {
  const int code = cli_tool(a, info, a->noperands);
  if (told) puts("]");
  return code;
}
