/* pelsim export: particles as text for other programs. */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

/* A file appears under its name, or in place of what a link points to, when it is complete; devices
 * and pipes are written to. */
int cli_export(const cli_arguments *a) {
  char temporary[PATH_MAX + 8], target[PATH_MAX];
  struct stat there;
  if (!a->output) return export_to(stdout, a);
  const bool exists = stat(a->output, &there) == 0,
             file = exists ? S_ISREG(there.st_mode) : lstat(a->output, &there) != 0;
  if (!exists || !realpath(a->output, target)) snprintf(target, sizeof target, "%s", a->output);
  snprintf(temporary, sizeof temporary, file ? "%s.tmp" : "%s", target);
  FILE *out = fopen(temporary, "we");
  if (!out) return cli_complain(PEL_IO, "export: cannot create %s: %s", a->output, strerror(errno));
  int code = export_to(out, a);
  if (fclose(out) && !code)
    code = cli_complain(PEL_IO, "export: cannot write %s: %s", a->output, strerror(errno));
  if (!code && file && rename(temporary, target))
    code = cli_complain(PEL_IO, "export: cannot create %s: %s", a->output, strerror(errno));
  if (code && file) unlink(temporary);
  return code;
}
