#define _GNU_SOURCE
#include "text_file.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "posix_io.h"

int pel__text_open(pel__text *t, const char *file, pel_error *e) {
  struct stat st;
  *t = (pel__text){.file = file};
  if (stat(file, &st)) return pel__io_error(e, "read", file, errno, 0);
  if (S_ISDIR(st.st_mode)) return pel_error_set(e, PEL_IO, "%s is a directory, not a file", file);
  if (!S_ISREG(st.st_mode)) return pel_error_set(e, PEL_IO, "%s is not a file", file);
  if (st.st_size == 0) return pel_error_set(e, PEL_IO, "%s is empty", file);
  t->bytes = st.st_size;
  t->f = fopen(file, "re");
  return t->f ? PEL_OK : pel__io_error(e, "read", file, errno, 0);
}

void pel__text_close(pel__text *t) {
  if (t->f) fclose(t->f);
  free(t->line);
  *t = (pel__text){.file = t->file};
}

int pel__text_error(const pel__text *t, pel_error *e, const char *fmt, ...) {
  char text[600];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  return pel_error_set(e, PEL_IO, "%.3000s:%lld: %s", t->file,
                       (long long)(t->number ? t->number : 1), text);
}

/* Bytes of the UTF-8 character at p, 0 if there is none. */
static int character(const unsigned char *p, const unsigned char *end) {
  const int n = *p < 0x80 ? 1 : *p < 0xc2 ? 0 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : *p < 0xf5 ? 4 : 0;
  if (end - p < n) return 0;
  for (int i = 1; i < n; ++i)
    if ((p[i] & 0xc0) != 0x80) return 0;
  return n;
}

/* Why the line is no text; NULL: it is. */
static const char *flaw(const char *line, size_t n, int *byte) {
  const unsigned char *p = (const unsigned char *)line, *end = p + n;
  for (int step; p < end; p += step) {
    *byte = *p;
    if (*p < 0x20 && *p != '\t') return "this is no text";
    step = character(p, end);
    if (!step) return "this is not UTF-8";
  }
  return NULL;
}

bool pel__text_next(pel__text *t, pel_error *e) {
  if (t->again) {
    t->again = false;
    return true;
  }
  errno = 0;
  ssize_t n = getline(&t->line, &t->room, t->f);
  if (n < 0) {
    if (errno || ferror(t->f)) pel__io_error(e, "read", t->file, errno ? errno : EIO, 0);
    return false;
  }
  ++t->number;
  if (n > 0 && t->line[n - 1] == '\n') --n;
  if (n > 0 && t->line[n - 1] == '\r') --n; /* lines may end as on DOS */
  t->line[n] = 0;
  int byte = 0;
  const char *why = flaw(t->line, (size_t)n, &byte);
  if (why) pel__text_error(t, e, "%s (byte 0x%02x); is it the right file?", why, byte);
  return !why;
}

bool pel__text_words(pel__text *t, pel_error *e) {
  while (pel__text_next(t, e))
    if (t->line[strspn(t->line, " \t")]) return true;
  return false;
}

int pel__words(char *line, char **word, int most) {
  int n = 0;
  for (char *p = line; n < most;) {
    p += strspn(p, " \t");
    if (!*p) break;
    word[n++] = p;
    p += strcspn(p, " \t");
    if (*p) *p++ = 0;
  }
  return n;
}

bool pel__real(const char *word, double *x) {
  char *end;
  if (!*word || strpbrk(word, "xXnN")) return false; /* no hexadecimal, inf, nan */
  *x = strtod(word, &end);
  return !*end && isfinite(*x);
}

bool pel__integer(const char *word, int64_t *x) {
  char *end;
  if (!isdigit((unsigned char)*word) && !((*word == '-' || *word == '+') && word[1])) return false;
  errno = 0;
  *x = strtoll(word, &end, 10);
  return !*end && !errno;
}
