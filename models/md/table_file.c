#include "table_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scan.h"

enum { MOST_POINTS = 1000000 };

typedef enum { LISTED, EVEN, SQUARED } spacing;

typedef struct {
  int n;
  spacing kind;
  double low, high;
} heading;

/* ---- sections ---- */

static bool is_blank(const char *line) {
  line += strspn(line, " ");
  return !*line || *line == '#';
}

/* LAMMPS' own files say so in their first comment. */
static bool check_units(pel__scan *s, const char *units) {
  pel__scan ahead = *s;
  char line[400], unit[16];
  for (int at = 1; pel__scan_line(&ahead, line, sizeof line) && is_blank(line); at = ahead.line) {
    const char *tag = strstr(line, "UNITS:");
    if (tag && sscanf(tag + 6, " %15[A-Za-z]", unit) == 1 && strcmp(unit, units) != 0)
      return pel__scan_fail(s, at, "the table is in units '%s', the run in '%s'", unit, units);
  }
  return true;
}

/* The next line that says something; its first word, and the rest as a scan. */
static bool next_line(pel__scan *s, char *line, size_t size) {
  do
    if (!pel__scan_line(s, line, size)) return false;
  while (is_blank(line));
  return true;
}

/* N and what follows, in any order. */
static bool parse_heading(pel__scan *s, heading *h) {
  char line[400];
  const int at = (next_line(s, line, sizeof line) ? s->line - 1 : s->line);
  pel__scan words;
  pel__word w;
  double x = 0;
  *h = (heading){0};
  pel__scan_init(&words, s->file, line, strlen(line));
  while (*(w = pel__scan_word(&words)).text && w.text[0] != '#') {
    if (strcmp(w.text, "N") == 0) {
      if (!pel__word_real(pel__scan_word(&words).text, &x) || x != floor(x) || !(x >= 4) ||
          x > MOST_POINTS)
        return pel__scan_fail(s, at, "N, the number of points, must be from 4 to %d", MOST_POINTS);
      h->n = (int)x;
    } else if (strcmp(w.text, "R") == 0 || strcmp(w.text, "RSQ") == 0) {
      h->kind = w.text[1] ? SQUARED : EVEN;
      if (!pel__word_real(pel__scan_word(&words).text, &h->low) ||
          !pel__word_real(pel__scan_word(&words).text, &h->high) || !(h->low > 0) ||
          !(h->high > h->low))
        return pel__scan_fail(s, at, "%s takes two distances, 0 < low < high", w.text);
    } else if (strcmp(w.text, "FPRIME") == 0) { /* slopes of the force: not needed here */
      pel__scan_word(&words), pel__scan_word(&words);
    } else {
      return pel__scan_fail(s, at,
                            "'%s' is not understood; N, R, RSQ and FPRIME are (BITMAP is not "
                            "supported)",
                            w.text);
    }
  }
  return h->n > 0 || pel__scan_fail(s, at, "a section begins with its name and a line 'N points'");
}

static bool skip_points(pel__scan *s, int n) {
  char line[400];
  for (int i = 0; i < n; ++i)
    if (!next_line(s, line, sizeof line))
      return pel__scan_fail(s, s->line, "the file ends after %d of %d points: it is truncated", i,
                            n);
  return true;
}

/* Goes to the section and reads its heading. */
static bool find_section(pel__scan *s, const char *keyword, heading *h) {
  char line[400], seen[200] = "";
  size_t used = 0;
  while (next_line(s, line, sizeof line)) {
    pel__scan words;
    pel__scan_init(&words, s->file, line, strlen(line));
    const pel__word name = pel__scan_word(&words);
    if (!parse_heading(s, h)) return false;
    if (!*keyword || strcmp(name.text, keyword) == 0) return true;
    if (used < sizeof seen - 90)
      used += (size_t)snprintf(seen + used, sizeof seen - used, " %s", name.text);
    if (!skip_points(s, h->n)) return false;
  }
  if (!*seen) return pel__scan_fail(s, s->line, "there is no table in the file");
  return pel__scan_fail(s, s->line, "there is no section '%s'; there are:%s", keyword, seen);
}

/* ---- points ---- */

typedef struct {
  double *r, *u, *f;
} points;

static double distance(const heading *h, int i) {
  const double t = (double)i / (h->n - 1), lo = h->low, hi = h->high;
  return h->kind == SQUARED ? sqrt(lo * lo + t * (hi * hi - lo * lo)) : lo + t * (hi - lo);
}

static bool read_points(pel__scan *s, const heading *h, points *p) {
  for (int i = 0; i < h->n; ++i) {
    double x[4];
    const pel__word w = pel__scan_peek(s);
    if (w.text[0] == '#') { /* comments may stand between points */
      char line[400];
      pel__scan_line(s, line, sizeof line);
      if (w.line == s->line || *w.text) --i;
      continue;
    }
    if (!pel__scan_reals(s, "a point (number, r, energy, force)", 4, x)) return false;
    if (x[0] != i + 1) return pel__scan_fail(s, w.line, "point %d is numbered %g", i + 1, x[0]);
    p->r[i] = h->kind == LISTED ? x[1] : distance(h, i);
    p->u[i] = x[2], p->f[i] = x[3];
    if (!(p->r[i] > (i ? p->r[i - 1] : 0)))
      return pel__scan_fail(s, w.line, "r is %g; distances must be positive and rise", p->r[i]);
    if (fabs(x[1] - p->r[i]) > 1e-3 * p->r[i])
      return pel__scan_fail(s, w.line, "r is %g, but by the heading point %d is at %g", x[1], i + 1,
                            p->r[i]);
  }
  return true;
}

/* What follows the points is no point. */
static bool check_end(pel__scan *s, int n) {
  pel__scan ahead = *s;
  char line[400];
  double x[4];
  int at;
  do {
    at = ahead.line;
    if (!pel__scan_line(&ahead, line, sizeof line)) return true;
  } while (is_blank(line));
  return sscanf(line, "%lf %lf %lf %lf", &x[0], &x[1], &x[2], &x[3]) != 4 ||
         pel__scan_fail(s, at, "a point behind the last of the %d that N tells of", n);
}

/* Sums of changes of u against the work of f: wrong signs and units, not coarse steps. */
static bool check_force(pel__scan *s, int line, const points *p, int n) {
  double off = 0, all = 0;
  for (int i = 0; i + 1 < n; ++i) {
    const double du = p->u[i + 1] - p->u[i],
                 work = (p->f[i] + p->f[i + 1]) / 2 * (p->r[i + 1] - p->r[i]);
    off += fabs(du + work), all += fabs(du) + fabs(work);
  }
  return off <= 0.25 * all ||
         pel__scan_fail(s, line,
                        "the forces are not those of the energies: the fourth column must be "
                        "-du/dr, in the units of the others");
}

/* ---- even steps ---- */

/* Cubic between points k and k + 1, value and -slope. */
static void hermite(const points *p, int k, double r, double *u, double *f) {
  const double h = p->r[k + 1] - p->r[k], x = (r - p->r[k]) / h, y = 1 - x;
  const double s0 = -h * p->f[k], s1 = -h * p->f[k + 1], step = p->u[k + 1] - p->u[k];
  *u = y * p->u[k] + x * p->u[k + 1] + x * y * (y * (s0 - step) - x * (s1 - step));
  *f = -(step + (1 - 2 * x) * (y * (s0 - step) - x * (s1 - step)) -
         x * y * ((s0 - step) + (s1 - step))) /
       h;
}

static bool even_out(pel__scan *s, int line, pel__table *t, const points *p, int n) {
  double least = INFINITY;
  for (int i = 0; i + 1 < n; ++i) least = fmin(least, p->r[i + 1] - p->r[i]);
  const double steps = ceil((p->r[n - 1] - p->r[0]) / least - 1e-6);
  if (!(steps < MOST_POINTS))
    return pel__scan_fail(s, line, "two distances are only %g apart, too close", least);
  t->n = (int)steps + 1;
  t->u = malloc((size_t)t->n * sizeof(double)), t->f = malloc((size_t)t->n * sizeof(double));
  if (!t->u || !t->f) return pel__scan_fail(s, line, "out of memory");
  for (int i = 0, k = 0; i < t->n; ++i) {
    const double r = t->low + i * (t->high - t->low) / steps;
    while (k < n - 2 && r > p->r[k + 1]) ++k;
    hermite(p, k, r, &t->u[i], &t->f[i]);
  }
  return true;
}

static bool parse(pel__scan *s, const char *keyword, const char *units, pel__table *t) {
  heading h;
  if (!check_units(s, units) || !find_section(s, keyword, &h)) return false;
  const int line = s->line;
  if ((size_t)h.n * 8 > (size_t)(s->end - s->at) + 1)
    return pel__scan_fail(s, line,
                          "%d points are announced, but only %zu bytes follow: the file "
                          "is truncated, or N is wrong",
                          h.n, (size_t)(s->end - s->at));
  double *r = malloc(3 * (size_t)h.n * sizeof *r);
  if (!r) return pel__scan_fail(s, line, "out of memory");
  points p = {r, r + h.n, r + 2 * (ptrdiff_t)h.n};
  bool good = read_points(s, &h, &p) && check_end(s, h.n) && check_force(s, line, &p, h.n);
  if (good) {
    *t = (pel__table){.n = h.n, .squared = h.kind == SQUARED, .low = p.r[0], .high = p.r[h.n - 1]};
    if (h.kind == LISTED) {
      good = even_out(s, line, t, &p, h.n);
    } else {
      const size_t bytes = (size_t)h.n * sizeof(double);
      t->u = malloc(bytes), t->f = malloc(bytes);
      good = (t->u && t->f) || pel__scan_fail(s, line, "out of memory");
      if (good) memcpy(t->u, p.u, bytes), memcpy(t->f, p.f, bytes);
    }
  }
  free(r);
  return good;
}

bool pel__table_parse(pel__table *t, const char *keyword, const char *units, const char *file,
                      const char *text, size_t size, char *error, size_t error_size) {
  pel__scan s;
  memset(t, 0, sizeof *t);
  pel__scan_init(&s, file, text, size);
  if (parse(&s, keyword, units, t)) return true;
  snprintf(error, error_size, "%s", s.error);
  pel__table_free(t);
  return false;
}

void pel__table_free(pel__table *t) {
  free(t->u), free(t->f);
  t->u = t->f = NULL;
}
