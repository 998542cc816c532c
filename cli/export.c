/* pelsim export: particles as text for other programs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "command.h"
#include "pelsim_io.h"

static int export_to(FILE *out, const cli_arguments *a) {
  char *text = NULL;
  size_t length;
  FILE *message = open_memstream(&text, &length);
  if (!message) return cli_complain(PEL_INTERNAL, "out of memory");
  const int code =
      pel_io_export(out, message, a->operand[0], a->format ? a->format : "xyz", a->frame);
  fclose(message);
  fputs(text, stderr);
  free(text);
  return code;
}

/* The file appears under its name when it is complete. */
int cli_export(const cli_arguments *a) {
  char temporary[4200];
  if (!a->output) return export_to(stdout, a);
  snprintf(temporary, sizeof temporary, "%.4000s.tmp", a->output);
  FILE *out = fopen(temporary, "we");
  if (!out) return cli_complain(PEL_IO, "export: cannot create %s: %s", a->output, strerror(errno));
  int code = export_to(out, a);
  if (fclose(out) && !code)
    code = cli_complain(PEL_IO, "export: cannot write %s: %s", a->output, strerror(errno));
  if (!code && rename(temporary, a->output))
    code = cli_complain(PEL_IO, "export: cannot create %s: %s", a->output, strerror(errno));
  if (code) unlink(temporary);
  return code;
}
