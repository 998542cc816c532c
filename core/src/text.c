/* Files of text that models read (model.h). */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pelsim/memory.h"
#include "sim.h"

enum { LARGEST = 1 << 28 }; /* bytes */

void pel_unreadable(pel_sim *s, const char *section, const char *key, const char *fmt, ...) {
  char text[1000];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  s->unreadable = true;
  pel_reject(s, section, key, "%s", text);
}

/* All of a file in memory, or NULL with a sentence. */
static char *slurp(const char *path, int *size, pel_error *e) {
  char *text = NULL;
  size_t n = 0, room = 0;
  FILE *f = fopen(path, "r");
  errno = f ? 0 : errno;
  while (f && !ferror(f) && !feof(f) && n <= LARGEST) {
    if (room - n < 2) text = realloc(text, room = 2 * room + 65536);
    if (!text) break;
    n += fread(text + n, 1, room - n - 1, f);
  }
  const bool good = f && text && !ferror(f) && n <= LARGEST;
  if (!good)
    pel_error_set(e, PEL_IO, "%s cannot be read (%s)", path,
                  n > LARGEST ? "it is too large" : strerror(errno ? errno : EIO));
  if (f) fclose(f);
  if (!good) return free(text), NULL;
  text[n] = 0;
  *size = (int)n;
  return text;
}

const char *pel_text_read(pel_sim *s, const char *section, const char *key, const char *file,
                          size_t *size) {
  pel_error e = {0};
  char path[PATH_MAX], *text = NULL;
  int n = 0;
  if (!*file) {
    pel_reject(s, section, key, "must name a file");
    return NULL;
  }
  pel__locate(file, s->config_path, path);
  if (s->rank == 0) text = slurp(path, &n, &e);
  MPI_Bcast(&e, sizeof e, MPI_BYTE, 0, s->comm);
  if (e.code) {
    pel_unreadable(s, section, key, "%s", e.text);
    return NULL;
  }
  MPI_Bcast(&n, 1, MPI_INT, 0, s->comm);
  if (!text) text = pel_malloc((size_t)n + 1);
  MPI_Bcast(text, n + 1, MPI_BYTE, 0, s->comm);
  *size = (size_t)n;
  return pel__sim_keep(s, text, free);
}
