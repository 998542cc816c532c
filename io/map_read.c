/* One latitude-longitude map from a netCDF file, put in order. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "map.h"
#include "map_parts.h"

enum { LARGEST = 1 << 27 }; /* points: 1 GiB */

/* A map as the file has it. */
typedef struct {
  pel__source s;
  pel__map_variable v;
  pel__packing p;
  size_t nlat, nlon;
  double *lat, *lon, *raw; /* raw[j*nlon + i] */
} draft;

static void forget(draft *d) {
  free(d->lat);
  free(d->lon);
  free(d->raw);
  if (d->s.nc >= 0) nc_close(d->s.nc);
}

/* ---- values ---- */

static int read_slab(draft *d, size_t record, size_t level, pel_error *e) {
  const pel__map_variable *v = &d->v;
  const int y = v->of[PEL__LAT], x = v->of[PEL__LON];
  size_t start[NC_MAX_VAR_DIMS] = {0}, count[NC_MAX_VAR_DIMS];
  for (int i = 0; i < v->ndims; ++i) count[i] = i == y || i == x ? v->axis[i].n : 1;
  if (v->of[PEL__WHEN] >= 0) start[v->of[PEL__WHEN]] = record;
  if (v->of[PEL__LEVEL] >= 0) start[v->of[PEL__LEVEL]] = level;
  const size_t n = d->nlat * d->nlon;
  d->raw = malloc((n + 1) * sizeof *d->raw);
  const int err = d->raw ? nc_get_vara_double(d->s.nc, v->id, start, count, d->raw) : NC_ENOMEM;
  if (err)
    return pel_error_set(e, PEL_IO, "%s: variable %s cannot be read: %s", d->s.file, v->name,
                         nc_strerror(err));
  if (pel__packing_find(&d->s, v->id, &d->p, e)) return e->code;
  for (size_t i = 0; i < n; ++i) d->raw[i] = pel__packing_sign(&d->p, d->raw[i]);
  if (y < x) return PEL_OK;
  double *turned = malloc((n + 1) * sizeof *turned); /* longitudes vary slowest in the file */
  if (!turned) return pel_error_set(e, PEL_INTERNAL, "out of memory for %s", d->s.file);
  for (size_t j = 0; j < d->nlat; ++j)
    for (size_t i = 0; i < d->nlon; ++i) turned[j * d->nlon + i] = d->raw[i * d->nlat + j];
  free(d->raw);
  d->raw = turned;
  return PEL_OK;
}

static int reject_gaps(const draft *d, pel_error *e) {
  pel__gaps g;
  size_t missing = 0, first = 0;
  if (pel__gaps_find(&d->s, d->v.id, &d->p, &g, e)) return e->code;
  for (size_t i = 0; i < d->nlat * d->nlon; ++i)
    if (pel__is_gap(&g, d->raw[i]) && !missing++) first = i;
  if (!missing) return PEL_OK;
  return pel_error_set(e, PEL_IO,
                       "%s: %zu of the %zu values of %s are missing, the first at latitude %g, "
                       "longitude %g: fill them first, for example with 'cdo fillmiss2'",
                       d->s.file, missing, d->nlat * d->nlon, d->v.name, d->lat[first / d->nlon],
                       d->lon[first % d->nlon]);
}

/* ERA and others give geopotential where height is meant: z = Phi/g0. */
static bool is_geopotential(const draft *d) {
  char *name = pel__source_text(&d->s, d->v.id, "standard_name");
  const bool yes = name && (!strcmp(name, "geopotential") || !strcmp(name, "surface_geopotential"));
  free(name);
  return yes;
}

/* Numbers of the file, unpacked, to the unit wanted: x*scale + offset. */
static int find_factors(const draft *d, const char *unit, double *scale, double *offset,
                        pel_error *e) {
  bool known;
  double metres, none;
  char *is = pel__source_text(&d->s, d->v.id, "units");
  if (!is || !*is) {
    pel_error_set(e, PEL_USAGE,
                  "%s: variable %s has no attribute units; it is wanted in %s: add it, for example "
                  "with 'ncatted -a units,%s,c,c,\"%s\"'",
                  d->s.file, d->v.name, unit, d->v.name, unit);
  } else if (!pel__units_convert(is, unit, scale, offset, &known)) {
    if (known && is_geopotential(d) && pel__units_convert(is, "m2 s-2", scale, offset, &known) &&
        pel__units_convert("m", unit, &metres, &none, &known))
      *scale *= metres / 9.80665;
    else
      pel_error_set(e, PEL_USAGE, "%s: variable %s has units '%.60s', which %s %s", d->s.file,
                    d->v.name, is, known ? "do not convert to" : "are not known; it is wanted in",
                    unit);
  }
  free(is);
  return e->code;
}

static int convert(draft *d, const char *unit, pel_error *e) {
  double scale, offset;
  if (find_factors(d, unit, &scale, &offset, e)) return e->code;
  for (size_t i = 0; i < d->nlat * d->nlon && !e->code; ++i) {
    d->raw[i] = (d->raw[i] * d->p.scale + d->p.offset) * scale + offset;
    if (!isfinite(d->raw[i]))
      pel_error_set(e, PEL_IO, "%s: %s has a value that is no number at latitude %g, longitude %g",
                    d->s.file, d->v.name, d->lat[i / d->nlon], d->lon[i % d->nlon]);
  }
  return e->code;
}

/* ---- order ---- */

typedef struct {
  double x;
  size_t from;
} place;

static int by_x(const void *a, const void *b) {
  const double x = ((const place *)a)->x, y = ((const place *)b)->x;
  return (x > y) - (x < y);
}

/* Longitudes of [0, 360) in ascending order, each once. */
static size_t order_longitudes(const draft *d, place *p) {
  for (size_t i = 0; i < d->nlon; ++i) {
    const double x = fmod(d->lon[i], 360);
    p[i] = (place){x < 0 ? x + 360 : x, i};
  }
  qsort(p, d->nlon, sizeof *p, by_x);
  const double close = 1e-3 * 360 / (double)d->nlon;
  size_t n = 0;
  for (size_t i = 0; i < d->nlon; ++i)
    if (!n || p[i].x - p[n - 1].x > close) p[n++] = p[i];
  if (n > 1 && p[0].x + 360 - p[n - 1].x <= close) --n; /* 359.9999 and 0 are one */
  return n;
}

static int check_latitudes(const draft *d, const place *p, pel_error *e) {
  const size_t n = d->nlat;
  for (size_t j = 0; j < n; ++j)
    if (fabs(p[j].x) > 90.001 || (j && p[j].x <= p[j - 1].x))
      return pel_error_set(e, PEL_IO, "%s: latitude %g %s", d->s.file, p[j].x,
                           fabs(p[j].x) > 90 ? "is beyond a pole" : "occurs twice");
  const double south = p[0].x + 90, north = 90 - p[n - 1].x;
  if (south > 1.5 * (p[1].x - p[0].x) || north > 1.5 * (p[n - 1].x - p[n - 2].x))
    return pel_error_set(e, PEL_USAGE,
                         "%s covers only latitudes %g to %g: a map of the whole sphere is needed",
                         d->s.file, p[0].x, p[n - 1].x);
  return PEL_OK;
}

static int check_longitudes(const draft *d, const place *p, size_t n, pel_error *e) {
  double widest = 0;
  size_t at = 0;
  for (size_t i = 0; i < n; ++i) {
    const double gap = (i + 1 < n ? p[i + 1].x : p[0].x + 360) - p[i].x;
    if (gap > widest) widest = gap, at = i;
  }
  if (widest <= 2.01 * 360 / (double)n) return PEL_OK;
  return pel_error_set(
      e, PEL_USAGE, "%s has no longitudes between %g and %g: a map of the whole sphere is needed",
      d->s.file, p[at].x, at + 1 < n ? p[at + 1].x : p[0].x + 360);
}

static pel_map *finish(const draft *d, const place *lat, const place *lon, size_t nlon,
                       pel_error *e) {
  pel_map *m = malloc(sizeof *m);
  if (m)
    *m = (pel_map){(int)d->nlat, (int)nlon, malloc(d->nlat * sizeof(double)),
                   malloc(nlon * sizeof(double)), malloc(d->nlat * nlon * sizeof(double))};
  if (!m || !m->lat || !m->lon || !m->value) {
    if (m) free(m->lat), free(m->lon), free(m->value);
    free(m);
    pel_error_set(e, PEL_INTERNAL, "out of memory for %s", d->s.file);
    return NULL;
  }
  for (size_t i = 0; i < nlon; ++i) m->lon[i] = lon[i].x;
  for (size_t j = 0; j < d->nlat; ++j) {
    m->lat[j] = fmax(-90, fmin(90, lat[j].x));
    for (size_t i = 0; i < nlon; ++i)
      m->value[j * nlon + i] = d->raw[lat[j].from * d->nlon + lon[i].from];
  }
  return m;
}

static pel_map *put_in_order(const draft *d, pel_error *e) {
  pel_map *m = NULL;
  place *lat = malloc((d->nlat + 1) * sizeof *lat), *lon = malloc((d->nlon + 1) * sizeof *lon);
  if (!lat || !lon) {
    pel_error_set(e, PEL_INTERNAL, "out of memory for %s", d->s.file);
  } else {
    for (size_t j = 0; j < d->nlat; ++j) lat[j] = (place){d->lat[j], j};
    qsort(lat, d->nlat, sizeof *lat, by_x);
    const size_t nlon = order_longitudes(d, lon);
    if (nlon < 4 || d->nlat < 4)
      pel_error_set(e, PEL_USAGE, "%s has %zu latitudes and %zu longitudes: at least 4 are needed",
                    d->s.file, d->nlat, nlon);
    else if (!check_latitudes(d, lat, e) && !check_longitudes(d, lon, nlon, e))
      m = finish(d, lat, lon, nlon, e);
  }
  free(lat);
  free(lon);
  return m;
}

static int read_draft(draft *d, const char *variable, const char *time, const char *level,
                      pel_error *e) {
  size_t record, index;
  if (pel__map_find(&d->s, variable, &d->v, e)) return e->code;
  const pel__map_axis *y = &d->v.axis[d->v.of[PEL__LAT]], *x = &d->v.axis[d->v.of[PEL__LON]];
  d->nlat = y->n;
  d->nlon = x->n;
  if (!y->n || !x->n)
    return pel_error_set(e, PEL_IO, "%s: variable %s is empty", d->s.file, d->v.name);
  if (x->n > LARGEST || y->n > LARGEST / x->n)
    return pel_error_set(e, PEL_USAGE,
                         "%s: variable %s has %zu x %zu points, at most %d are read: make it "
                         "coarser first, for example with 'cdo remapcon'",
                         d->s.file, d->v.name, y->n, x->n, LARGEST);
  if (pel__map_time(&d->s, &d->v, time, &record, e) ||
      pel__map_level(&d->s, &d->v, level, &index, e))
    return e->code;
  d->lat = pel__map_coordinates(&d->s, y, e);
  d->lon = d->lat ? pel__map_coordinates(&d->s, x, e) : NULL;
  return d->lon ? read_slab(d, record, index, e) : e->code;
}

pel_map *pel__map_read(const char *file, const char *variable, const char *time, const char *level,
                       const char *unit, pel_error *e) {
  draft d = {.s.nc = -1};
  pel_map *m = NULL;
  if (!pel__source_open(file, &d.s, e) && !read_draft(&d, variable, time, level, e) &&
      !reject_gaps(&d, e) && !convert(&d, unit, e))
    m = put_in_order(&d, e);
  forget(&d);
  return m;
}
