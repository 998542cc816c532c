/* One record and one level of a variable. */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "calendar.h"
#include "map_parts.h"

/* ---- time ---- */

/* The dates of all records. */
typedef struct {
  double *value;
  size_t n;
  char *units, *calendar;
} dates;

static void date_text(const dates *c, size_t i, char text[64]) {
  pel__moment d;
  if (pel__date_decode(c->units, c->calendar, c->value[i], &d))
    snprintf(text, 64, "%04" PRId64 "-%02d-%02dT%02d:%02d:%02d", d.year, d.month, d.day, d.hour,
             d.minute, d.second);
  else
    snprintf(text, 64, "%.17g", c->value[i]);
}

static int64_t part(const pel__moment *d, int i) {
  const int64_t parts[] = {d->year, d->month, d->day, d->hour, d->minute, d->second};
  return parts[i];
}

/* Is d before (-1), after (1) or what was asked for (0), as far as the `given` parts go? */
static int compare(const pel__moment *d, const pel__moment *want, int given) {
  for (int i = 0; i < given; ++i)
    if (part(d, i) != part(want, i)) return part(d, i) < part(want, i) ? -1 : 1;
  return 0;
}

static int by_date(const pel__source *s, const dates *c, const char *time, const char *name,
                   size_t *record, pel_error *e) {
  pel__moment want, d;
  const int given = pel__date_parse(time, &want);
  char first[64], last[64];
  date_text(c, 0, first);
  date_text(c, c->n - 1, last);
  if (given < 2)
    return pel_error_set(e, PEL_USAGE,
                         "time '%.60s' is not \"first\", \"last\", a record number (0 to %zu) or a "
                         "date such as 2001-02-03T06:00 (%s has %s to %s)",
                         time, c->n - 1, s->file, first, last);
  size_t found = 0, before = SIZE_MAX, after = SIZE_MAX;
  for (size_t i = 0; i < c->n; ++i) {
    if (!pel__date_decode(c->units, c->calendar, c->value[i], &d))
      return pel_error_set(e, PEL_USAGE,
                           "%s: dates of %s in units '%.60s', calendar '%.30s' are not understood; "
                           "choose the record by its number (0 to %zu)",
                           s->file, name, c->units ? c->units : "", c->calendar ? c->calendar : "",
                           c->n - 1);
    const int order = compare(&d, &want, given);
    if (order == 0 && !found++) *record = i;
    if (order < 0) before = i;
    if (order > 0 && i < after) after = i;
  }
  if (found == 1) return PEL_OK;
  if (found == 0) {
    char left[64], around[160] = "";
    if (before < c->n && after < c->n) { /* it lies between two records */
      date_text(c, before, left);
      snprintf(around, sizeof around, ", with %s followed by ", left);
      date_text(c, after, around + strlen(around));
    }
    return pel_error_set(e, PEL_USAGE,
                         "%s has no record of %s; its %zu records are from %s to %s%s", s->file,
                         time, c->n, first, last, around);
  }
  date_text(c, *record, first);
  return pel_error_set(e, PEL_USAGE, "%s has %zu records of %s; name one, for example %s", s->file,
                       found, time, first);
}

static bool is_number(const char *text) {
  size_t n = strspn(text, "0123456789");
  return n && !text[n];
}

static int choose_record(const pel__source *s, const pel__map_axis *a, const char *time,
                         size_t *record, pel_error *e) {
  if (!strcmp(time, "first")) return *record = 0, PEL_OK;
  if (!strcmp(time, "last")) return *record = a->n - 1, PEL_OK;
  if (is_number(time)) {
    *record = strlen(time) < 12 ? (size_t)strtoll(time, NULL, 10) : SIZE_MAX;
    if (*record < a->n) return PEL_OK;
    return pel_error_set(e, PEL_USAGE, "%s has no record number %.20s; it has 0 to %zu", s->file,
                         time, a->n - 1);
  }
  dates c = {pel__map_coordinates(s, a, e), a->n, NULL, NULL};
  if (!c.value) return e->code;
  c.units = pel__source_text(s, a->var, "units");
  c.calendar = pel__source_text(s, a->var, "calendar");
  by_date(s, &c, time, a->name, record, e);
  free(c.value);
  free(c.units);
  free(c.calendar);
  return e->code;
}

int pel__map_time(const pel__source *s, const pel__map_variable *v, const char *time,
                  size_t *record, pel_error *e) {
  const pel__map_axis *a = v->of[PEL__WHEN] < 0 ? NULL : &v->axis[v->of[PEL__WHEN]];
  const bool any = !time || !*time;
  *record = 0;
  if (a && a->n == 0) return pel_error_set(e, PEL_IO, "%s has no records", s->file);
  if (a && !any) return choose_record(s, a, time, record, e);
  if (a && a->n > 1)
    return pel_error_set(e, PEL_USAGE,
                         "%s has %zu records: choose a time (\"first\", \"last\", 0 to %zu, or a "
                         "date)",
                         s->file, a->n, a->n - 1);
  if (a || any || !strcmp(time, "first") || !strcmp(time, "last") || !strcmp(time, "0"))
    return PEL_OK;
  return pel_error_set(e, PEL_USAGE, "%s: variable %s has no time, '%.60s' cannot be chosen",
                       s->file, v->name, time);
}

/* ---- level ---- */

/* The number in text, converted to the file's unit if it names another one. */
static int parse_level(const pel__source *s, const char *text, const char *units, double *x,
                       pel_error *e) {
  char *end;
  *x = strtod(text, &end);
  if (end == text || !isfinite(*x))
    return pel_error_set(e, PEL_USAGE, "level '%.60s' is not a number", text);
  end += strspn(end, " ");
  double scale, offset;
  bool known;
  if (!*end || (units && !strcmp(end, units))) return PEL_OK;
  if (units && pel__units_convert(end, units, &scale, &offset, &known)) {
    *x = *x * scale + offset;
    return PEL_OK;
  }
  return pel_error_set(e, PEL_USAGE, "level '%.60s': %s has its levels in %s", text, s->file,
                       units ? units : "no unit");
}

static bool near(double a, double b) { return fabs(a - b) <= 1e-5 * fmax(fabs(a), fabs(b)); }

static void list_levels(const double *x, size_t n, char *text, size_t size) {
  size_t used = 0;
  for (size_t i = 0; i < n && used < size; ++i) {
    if (n > 40 && i == 20) { /* the two ends of a long list */
      used += (size_t)snprintf(text + used, size - used, ", ...");
      i = n - 20;
    }
    if (used < size)
      used += (size_t)snprintf(text + used, size - used, "%s%.10g", i ? ", " : "", x[i]);
  }
}

static int choose_level(const pel__source *s, const pel__map_axis *a, const char *level,
                        size_t *index, pel_error *e) {
  char list[500];
  double *x = pel__map_coordinates(s, a, e), want = 0;
  if (!x) return e->code;
  char *units = pel__source_text(s, a->var, "units");
  size_t best = 0;
  list_levels(x, a->n, list, sizeof list);
  if (!level || !*level) {
    if (a->n > 1)
      pel_error_set(e, PEL_USAGE, "%s has %zu levels (%s): choose one of %s %s", s->file, a->n,
                    a->name, list, units ? units : "");
  } else if (!parse_level(s, level, units, &want, e)) {
    for (size_t i = 0; i < a->n; ++i)
      if (fabs(x[i] - want) < fabs(x[best] - want)) best = i;
    if (!near(x[best], want))
      pel_error_set(e, PEL_USAGE, "%s has no level %s; it has %s %s (%s)", s->file, level, list,
                    units ? units : "", a->name);
  }
  *index = best;
  free(units);
  free(x);
  return e->code;
}

/* A variable on a single level may still say which: by an attribute, or a scalar coordinate. */
static bool says_level(const pel__source *s, const pel__map_variable *v, double *is) {
  static const char *const names[] = {"level", "lev", "plev", "isobaric", "height", "depth"};
  for (int i = 0; i < PEL_N(names); ++i) {
    size_t n;
    double *x = pel__source_numbers(s, v->id, names[i], &n);
    int id, ndims;
    bool found = x && n == 1;
    if (found) *is = x[0];
    free(x);
    if (!found && !nc_inq_varid(s->nc, names[i], &id) && !nc_inq_varndims(s->nc, id, &ndims) &&
        ndims == 0)
      found = !nc_get_var_double(s->nc, id, is);
    if (found) return true;
  }
  return false;
}

int pel__map_level(const pel__source *s, const pel__map_variable *v, const char *level,
                   size_t *index, pel_error *e) {
  *index = 0;
  const int of = v->of[PEL__LEVEL];
  if (of >= 0 && v->axis[of].n == 0)
    return pel_error_set(e, PEL_IO, "%s: variable %s is empty: %s has length 0", s->file, v->name,
                         v->axis[of].name);
  if (of >= 0 && (v->axis[of].var >= 0 || v->axis[of].n > 1))
    return choose_level(s, &v->axis[of], level, index, e);
  if (!level || !*level) return PEL_OK;
  double want, is;
  if (parse_level(s, level, NULL, &want, e)) return e->code;
  if (!says_level(s, v, &is))
    return pel_error_set(e, PEL_USAGE, "%s: variable %s has no levels; leave the level empty",
                         s->file, v->name);
  if (!near(is, want))
    return pel_error_set(e, PEL_USAGE, "%s: variable %s is on level %.10g only, not %s", s->file,
                         v->name, is, level);
  return PEL_OK;
}
