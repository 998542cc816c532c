/* Which variable, and what its dimensions are (CF-1.10, chapters 4 and 5). */
#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "map_parts.h"

/* ---- the role of a dimension ---- */

static const struct {
  const char *standard_name, *axis;
  const char *units[6], *names[5]; /* names only count when nothing else tells */
} marks[] = {
    [PEL__LAT] = {"latitude",
                  NULL,
                  {"degrees_north", "degree_north", "degree_N", "degrees_N", "degreeN", "degreesN"},
                  {"lat", "latitude", "nav_lat", "y", "rlat"}},
    [PEL__LON] = {"longitude",
                  NULL,
                  {"degrees_east", "degree_east", "degree_E", "degrees_E", "degreeE", "degreesE"},
                  {"lon", "longitude", "nav_lon", "x", "rlon"}},
    [PEL__WHEN] = {"time", "T", {NULL}, {"time", "t", "date", "valid_time", "month"}},
};

static bool among(const char *text, const char *const *list, int n) {
  for (int i = 0; i < n; ++i)
    if (list[i] && !strcasecmp(text, list[i])) return true;
  return false;
}

/* Degrees are latitudes or longitudes only by another sign than their unit. */
static pel__role role_of(const pel__source *s, const pel__map_axis *a) {
  pel__role found = PEL__NROLES;
  char *units = NULL, *standard = NULL, *axis = NULL;
  if (a->var >= 0) {
    units = pel__source_text(s, a->var, "units");
    standard = pel__source_text(s, a->var, "standard_name");
    axis = pel__source_text(s, a->var, "axis");
  }
  for (int r = 0; r < PEL__LEVEL && found == PEL__NROLES; ++r)
    if ((units && among(units, marks[r].units, 6)) ||
        (standard && !strcmp(standard, marks[r].standard_name)) ||
        (axis && marks[r].axis && !strcmp(axis, marks[r].axis)))
      found = (pel__role)r;
  if (found == PEL__NROLES && units && strcasestr(units, " since ")) found = PEL__WHEN;
  const bool degrees = !units || !strncasecmp(units, "degree", 6);
  for (int r = 0; r < PEL__LEVEL && found == PEL__NROLES; ++r)
    if (among(a->name, marks[r].names, r == PEL__WHEN || degrees ? 5 : 0)) found = (pel__role)r;
  free(units);
  free(standard);
  free(axis);
  return found == PEL__NROLES ? PEL__LEVEL : found;
}

/* The 1-D variable that holds the coordinates of dimension `dim`: named like it, or listed in the
 * attribute `coordinates` of var. */
static int coordinate_of(const pel__source *s, int var, int dim, const char *name) {
  int id, n, d[NC_MAX_VAR_DIMS], found = -1;
  if (!nc_inq_varid(s->nc, name, &id) && !nc_inq_varndims(s->nc, id, &n) && n == 1 &&
      !nc_inq_vardimid(s->nc, id, d) && d[0] == dim)
    return id;
  char *list = pel__source_text(s, var, "coordinates"), *save;
  for (char *w = list ? strtok_r(list, " ", &save) : NULL; w; w = strtok_r(NULL, " ", &save))
    if (!nc_inq_varid(s->nc, w, &id) && !nc_inq_varndims(s->nc, id, &n) && n == 1 &&
        !nc_inq_vardimid(s->nc, id, d) && d[0] == dim)
      found = id;
  free(list);
  return found;
}

/* Describes variable `id`; true if it is a map: one latitude, one longitude, at most one time and
 * one level that is longer than 1. */
static bool describe(const pel__source *s, int id, pel__map_variable *v) {
  int dims[NC_MAX_VAR_DIMS];
  *v = (pel__map_variable){.id = id, .of = {-1, -1, -1, -1}};
  if (nc_inq_varname(s->nc, id, v->name) || nc_inq_varndims(s->nc, id, &v->ndims) ||
      v->ndims > PEL_N(v->axis) || nc_inq_vardimid(s->nc, id, dims))
    return false;
  bool single = true;
  for (int i = 0; i < v->ndims; ++i) {
    pel__map_axis *a = &v->axis[i];
    if (nc_inq_dim(s->nc, dims[i], a->name, &a->n)) return false;
    a->var = coordinate_of(s, id, dims[i], a->name);
    a->role = role_of(s, a);
    int *of = &v->of[a->role];
    const bool idle = *of >= 0 && v->axis[*of].n == 1; /* replaced by one that matters */
    if (*of >= 0 && a->n > 1 && !idle) single = false;
    if (*of < 0 || idle) *of = i;
  }
  return single && v->of[PEL__LAT] >= 0 && v->of[PEL__LON] >= 0;
}

/* ---- which variable ---- */

static bool is_bounds(const char *name) {
  const size_t n = strlen(name);
  return (n > 5 && !strcmp(name + n - 5, "_bnds")) || (n > 7 && !strcmp(name + n - 7, "_bounds"));
}

/* "HGT (Geopotential Height), TOPO": the maps of the file; their number. */
static int list_maps(const pel__source *s, char *text, size_t size, int *last) {
  int nvars = 0, found = 0;
  size_t n = 0;
  *text = 0;
  nc_inq_nvars(s->nc, &nvars);
  for (int id = 0; id < nvars; ++id) {
    pel__map_variable v;
    if (!describe(s, id, &v) || is_bounds(v.name)) continue;
    char *doc = pel__source_text(s, id, "long_name");
    if (n < size)
      n += (size_t)snprintf(text + n, size - n, "%s%s%s%.40s%s", found ? ", " : "", v.name,
                            doc && *doc ? " (" : "", doc ? doc : "", doc && *doc ? ")" : "");
    free(doc);
    ++found;
    *last = id;
  }
  return found;
}

/* Letters to change, add or leave out to get from a to b, case ignored; at most 99. */
static int distance(const char *a, const char *b) {
  int row[64];
  const int n = (int)strlen(b);
  if (n > 62) return 99;
  for (int j = 0; j <= n; ++j) row[j] = j;
  for (int i = 0; a[i]; ++i) {
    int corner = row[0];
    row[0] = i + 1;
    for (int j = 1; j <= n; ++j) {
      const int change = corner + (strncasecmp(a + i, b + j - 1, 1) != 0);
      corner = row[j];
      row[j] = change < row[j] + 1 ? change : row[j] + 1;
      if (row[j - 1] + 1 < row[j]) row[j] = row[j - 1] + 1;
    }
  }
  return row[n];
}

static int unknown(const pel__source *s, const char *name, pel_error *e) {
  char maps[600], best[NC_MAX_NAME + 1] = "", hint[NC_MAX_NAME + 40] = "";
  int nvars = 0, last, least = 99;
  nc_inq_nvars(s->nc, &nvars);
  for (int id = 0; id < nvars; ++id) {
    char is[NC_MAX_NAME + 1];
    if (nc_inq_varname(s->nc, id, is)) continue;
    const int d = distance(name, is);
    if (d < least) least = d, strcpy(best, is);
  }
  if (least <= 1 + (int)strlen(name) / 3) snprintf(hint, sizeof hint, "; did you mean '%s'", best);
  const int n = list_maps(s, maps, sizeof maps, &last);
  return pel_error_set(e, PEL_USAGE, "%s has no variable '%.80s'%s%s its maps are: %s", s->file,
                       name, hint, *hint ? "?" : ";", n ? maps : "none");
}

static int by_name(const pel__source *s, const char *name) {
  int id, nvars = 0;
  if (!nc_inq_varid(s->nc, name, &id)) return id;
  nc_inq_nvars(s->nc, &nvars);
  for (id = 0; id < nvars; ++id) {
    char *standard = pel__source_text(s, id, "standard_name");
    const bool is = standard && !strcmp(standard, name);
    free(standard);
    if (is) return id;
  }
  return -1;
}

/* A dimension of v that is named like a latitude or longitude but whose unit says otherwise, such
 * as radians; NULL: none. */
static const pel__map_axis *misfit(const pel__map_variable *v, pel__role *meant) {
  for (int i = 0; i < v->ndims && i < PEL_N(v->axis); ++i)
    for (int r = PEL__LAT; r <= PEL__LON; ++r)
      if (v->of[r] < 0 && v->axis[i].var >= 0 && v->axis[i].role == PEL__LEVEL &&
          among(v->axis[i].name, marks[r].names, 5)) {
        *meant = (pel__role)r;
        return &v->axis[i];
      }
  return NULL;
}

/* False if v has no misfit. */
static bool refuse_misfit(const pel__source *s, const pel__map_variable *v, pel_error *e) {
  pel__role meant;
  const pel__map_axis *a = misfit(v, &meant);
  if (!a) return false;
  char *units = pel__source_text(s, a->var, "units");
  double scale, offset;
  bool known;
  const bool angle = units && pel__units_convert(units, "degree", &scale, &offset, &known);
  pel_error_set(
      e, PEL_USAGE, "%s: variable %s is no map: the units of %s are '%.60s'; expected %s: %s",
      s->file, v->name, a->name, units ? units : "", marks[meant].units[0],
      angle ? "convert the coordinates to degrees first"
            : "put it on latitudes and longitudes first, for example with 'cdo remapbil'");
  free(units);
  return true;
}

/* Why variable v is no map. */
static int refuse(const pel__source *s, const pel__map_variable *v, pel_error *e) {
  char dims[400] = "";
  size_t n = 0;
  for (int i = 0; i < v->ndims && i < PEL_N(v->axis) && n < sizeof dims; ++i)
    n += (size_t)snprintf(dims + n, sizeof dims - n, "%s%s %zu", i ? ", " : "", v->axis[i].name,
                          v->axis[i].n);
  char *list = pel__source_text(s, v->id, "coordinates");
  const bool curved = list && (strcasestr(list, "lat") || strcasestr(list, "lon"));
  free(list);
  if (refuse_misfit(s, v, e)) return e->code;
  if (v->of[PEL__LAT] < 0 || v->of[PEL__LON] < 0)
    return pel_error_set(
        e, PEL_USAGE,
        "%s: variable %s is no map: its dimensions are (%s); expected latitudes and longitudes, "
        "each with a 1-D coordinate in degrees_north and degrees_east%s",
        s->file, v->name, dims,
        curved ? " (its grid is curvilinear: regrid it, for example with 'cdo remapbil')" : "");
  return pel_error_set(
      e, PEL_USAGE,
      "%s: variable %s(%s) has more dimensions than a time, a level, latitudes and "
      "longitudes: cut it down first, for example with 'ncks -d'",
      s->file, v->name, dims);
}

/* Why no variable is a map. */
static int refuse_all(const pel__source *s, pel_error *e) {
  int nvars = 0;
  nc_inq_nvars(s->nc, &nvars);
  for (int id = 0; id < nvars; ++id) {
    pel__map_variable v;
    if (!describe(s, id, &v) && v.ndims > 1 && refuse_misfit(s, &v, e)) return e->code;
  }
  return pel_error_set(e, PEL_USAGE, "%s has no variable on latitudes and longitudes", s->file);
}

int pel__map_find(const pel__source *s, const char *name, pel__map_variable *v, pel_error *e) {
  int id = -1;
  if (name && *name) {
    id = by_name(s, name);
    if (id < 0) return unknown(s, name, e);
  } else {
    char maps[600];
    const int n = list_maps(s, maps, sizeof maps, &id);
    if (n == 0) return refuse_all(s, e);
    if (n > 1)
      return pel_error_set(e, PEL_USAGE, "%s has %d maps, name one of them: %s", s->file, n, maps);
  }
  return describe(s, id, v) ? PEL_OK : refuse(s, v, e);
}

/* ---- coordinates ---- */

/* To what they mean, latitudes and longitudes in degrees. */
static int unpack_coordinates(const pel__source *s, const pel__map_axis *a, double *x,
                              pel_error *e) {
  pel__packing p;
  double scale = 1, offset;
  bool known;
  if (pel__packing_find(s, a->var, &p, e)) return e->code;
  char *units = a->role <= PEL__LON ? pel__source_text(s, a->var, "units") : NULL;
  if (units && strncasecmp(units, "degree", 6) &&
      !pel__units_convert(units, "degree", &scale, &offset, &known)) /* radians */
    scale = 1;
  free(units);
  for (size_t i = 0; i < a->n; ++i) {
    x[i] = (pel__packing_sign(&p, x[i]) * p.scale + p.offset) * scale;
    if (!isfinite(x[i]))
      return pel_error_set(e, PEL_IO, "%s: coordinate %zu of %s is not a number", s->file, i,
                           a->name);
  }
  return PEL_OK;
}

double *pel__map_coordinates(const pel__source *s, const pel__map_axis *a, pel_error *e) {
  if (a->var < 0) {
    pel_error_set(e, PEL_IO, "%s: dimension %s has no coordinate variable", s->file, a->name);
    return NULL;
  }
  double *x = malloc((a->n + 1) * sizeof *x);
  const int err = x ? nc_get_var_double(s->nc, a->var, x) : NC_ENOMEM;
  if (err)
    pel_error_set(e, PEL_IO, "%s: the coordinates %s cannot be read: %s", s->file, a->name,
                  nc_strerror(err));
  if (!e->code && !unpack_coordinates(s, a, x, e)) return x;
  free(x);
  return NULL;
}
