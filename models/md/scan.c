#include "scan.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void pel__scan_init(pel__scan *s, const char *file, const char *text, size_t size) {
  *s = (pel__scan){.file = file, .at = text, .end = text + size, .line = 1};
}

bool pel__scan_fail(pel__scan *s, int line, const char *fmt, ...) {
  va_list ap;
  if (*s->error) return false;
  const int n = snprintf(s->error, sizeof s->error, "%.300s:%d: ", s->file, line);
  va_start(ap, fmt);
  vsnprintf(s->error + n, sizeof s->error - (size_t)n, fmt, ap);
  va_end(ap);
  return false;
}

static bool blank(char c) { return isspace((unsigned char)c) || c == 0; }

bool pel__scan_line(pel__scan *s, char *text, size_t size) {
  if (s->at == s->end) return false;
  const char *stop = memchr(s->at, '\n', (size_t)(s->end - s->at));
  if (!stop) stop = s->end;
  size_t n = (size_t)(stop - s->at), kept = n < size ? n : size - 1;
  memcpy(text, s->at, kept);
  while (kept && blank(text[kept - 1])) --kept;
  text[kept] = 0;
  for (size_t i = 0; i < kept; ++i)
    if (!isprint((unsigned char)text[i])) text[i] = ' ';
  s->at = stop < s->end ? stop + 1 : stop;
  s->line += stop < s->end;
  return true;
}

static pel__word next(pel__scan *s, bool here) {
  pel__word w = {.text = ""};
  while (s->at < s->end && blank(*s->at)) {
    if (*s->at == '\n') {
      if (here) break;
      ++s->line;
    }
    ++s->at;
  }
  w.line = s->line;
  for (size_t n = 0; s->at < s->end && !blank(*s->at); ++s->at)
    if (n < sizeof w.text - 1) w.text[n++] = isprint((unsigned char)*s->at) ? *s->at : '?';
  return w;
}

pel__word pel__scan_word(pel__scan *s) { return next(s, false); }
pel__word pel__scan_here(pel__scan *s) { return next(s, true); }
pel__word pel__scan_peek(const pel__scan *s) {
  pel__scan copy = *s;
  return next(&copy, false);
}

bool pel__word_real(const char *word, double *x) {
  char text[80], *end;
  snprintf(text, sizeof text, "%s", word);
  for (char *c = text; *c; ++c)
    if (*c == 'D' || *c == 'd') *c = 'e';
  *x = strtod(text, &end);
  return *text && !*end && isfinite(*x);
}

bool pel__scan_real(pel__scan *s, const char *what, double *x) {
  if (*s->error) return false;
  const pel__word w = pel__scan_word(s);
  if (!*w.text)
    return pel__scan_fail(s, w.line, "the file ends where %s is expected: it is truncated", what);
  if (!pel__word_real(w.text, x))
    return pel__scan_fail(s, w.line, "'%s' is not a number; %s is expected here", w.text, what);
  return true;
}

bool pel__scan_int(pel__scan *s, const char *what, int least, int most, int *n) {
  double x = 0;
  const int line = pel__scan_peek(s).line;
  if (!pel__scan_real(s, what, &x)) return false;
  if (!(x >= least && x <= most) || x != floor(x))
    return pel__scan_fail(s, line, "%s is %g; a whole number from %d to %d is expected", what, x,
                          least, most);
  *n = (int)x;
  return true;
}

bool pel__scan_reals(pel__scan *s, const char *what, int n, double *x) {
  for (int i = 0; i < n; ++i) {
    if (*s->error) return false;
    const pel__word w = pel__scan_word(s);
    if (!*w.text)
      return pel__scan_fail(s, w.line,
                            "the file ends after %d of the %d numbers of %s: it is "
                            "truncated, or the counts in its head are wrong",
                            i, n, what);
    if (!pel__word_real(w.text, &x[i]))
      return pel__scan_fail(s, w.line, "'%s' is not a number; this is number %d of the %d of %s",
                            w.text, i + 1, n, what);
  }
  return true;
}
