/* mpirun's stderr: the ranks' words pass, mpirun's notices in dashed frames are kept aside. */
#include <stdio.h>
#include <string.h>
#include "command.h"

/* The frame that Open MPI draws around a notice. */
static const char frame[] =
    "--------------------------------------------------------------------------";

static const char ours[] = "pelsim: "; /* how a sentence of a rank begins */

static void end_line(cli_filter *f, FILE *out) {
  const size_t n = f->nline;
  f->nline = 0;
  f->line[n] = 0;
  if (!strncmp(f->line, ours, sizeof ours - 1))
    snprintf(f->said, sizeof f->said, "%.500s", f->line + sizeof ours - 1);
  if (f->passing) {
    fputc('\n', out);
    f->passing = false;
    return;
  }
  if (f->hear && f->hear(f->listener, f->line)) return;
  if (!strcmp(f->line, frame)) {
    f->in_notice = !f->in_notice;
    return;
  }
  const bool aside = f->in_notice || strstr(f->line, ": Forwarding signal ") ||
                     strstr(f->line, "] Read -1, expected ") ||
                     strstr(f->line, "help message help-") || strstr(f->line, "ORTE_ERROR_LOG") ||
                     strstr(f->line, "orte_base_help_aggregate");
  if (!aside) {
    fprintf(out, "%s\n", f->line);
  } else if (n && f->nnotice + n + 2 < sizeof f->notice) {
    memcpy(f->notice + f->nnotice, f->line, n);
    f->nnotice += n;
    f->notice[f->nnotice++] = '\n';
    f->notice[f->nnotice] = 0;
  }
}

/* Could the beginning of a line become something to be kept aside? */
static bool may_be_notice(const cli_filter *f) {
  const size_t n = sizeof PEL_WHEREABOUTS - 1, common = f->nline < n ? f->nline : n;
  return f->in_notice || f->line[0] == '[' || !memcmp(f->line, PEL_WHEREABOUTS, common) ||
         !memcmp(f->line, "mpi", f->nline < 3 ? f->nline : 3) ||
         (f->nline < sizeof frame && !memcmp(f->line, frame, f->nline));
}

void cli_filter_feed(cli_filter *f, const char *text, size_t n, FILE *out) {
  for (size_t i = 0; i < n; ++i) {
    if (text[i] == '\n') {
      end_line(f, out);
    } else if (f->passing) {
      fputc(text[i], out);
      if (f->nline + 1 < sizeof f->line) f->line[f->nline++] = text[i];
    } else {
      f->line[f->nline++] = text[i];
      if (!may_be_notice(f) || f->nline + 1 == sizeof f->line) {
        fwrite(f->line, 1, f->nline, out);
        f->passing = true;
      }
    }
  }
  fflush(out);
}

void cli_filter_end(cli_filter *f, FILE *out) {
  if (f->nline && !f->passing) end_line(f, out);
  fflush(out);
}
