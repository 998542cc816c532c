/* Which of the numbers stored for a variable stand for nothing: _FillValue, missing_value, netCDF's
 * own fill, what valid_min, valid_max or valid_range exclude, and NaN (NetCDF User Guide,
 * "Attribute Conventions"). */
#include <math.h>
#include <stdlib.h>
#include "map_parts.h"

/* What netCDF writes where nothing was written; of bytes every value may be one that is meant. */
static const struct {
  nc_type type;
  double value;
} fills[] = {{NC_SHORT, NC_FILL_SHORT},
             {NC_USHORT, NC_FILL_USHORT},
             {NC_INT, NC_FILL_INT},
             {NC_UINT, NC_FILL_UINT},
             {NC_INT64, (double)NC_FILL_INT64},
             {NC_UINT64, (double)NC_FILL_UINT64},
             {NC_DOUBLE, NC_FILL_DOUBLE},
             {NC_FLOAT, NC_FILL_DOUBLE},
             {NC_FLOAT, (double)NC_FILL_FLOAT}};

static int find_values(const pel__source *s, int var, const char *name, const pel__packing *p,
                       pel__gaps *g, pel_error *e) {
  size_t n;
  if (nc_inq_attid(s->nc, var, name, NULL)) return PEL_OK;
  double *x = pel__source_numbers(s, var, name, &n);
  if (!x || g->n + (int)n > PEL_N(g->value))
    pel__attribute_wrong(s, var, name, "at most 50 numbers", e);
  for (size_t i = 0; i < n && !e->code; ++i) g->value[g->n++] = pel__packing_sign(p, x[i]);
  free(x);
  return e->code;
}

/* Bounds of the variable's own type have its sign too; those of a wider type say what they mean. */
static int find_bounds(const pel__source *s, int var, const char *name, const pel__packing *p,
                       int n, double *const to[2], pel_error *e) {
  size_t found;
  nc_type type = NC_NAT, own = NC_NAT;
  if (nc_inq_atttype(s->nc, var, name, &type)) return PEL_OK;
  nc_inq_vartype(s->nc, var, &own);
  double *x = pel__source_numbers(s, var, name, &found);
  bool good = x && found == (size_t)n;
  for (int i = 0; i < n && good; ++i) {
    good = !isnan(x[i]);
    *to[i] = type == own ? pel__packing_sign(p, x[i]) : own == NC_FLOAT ? (float)x[i] : x[i];
  }
  free(x);
  if (good) return PEL_OK;
  return pel__attribute_wrong(s, var, name, n == 2 ? "two numbers" : "one number", e);
}

int pel__gaps_find(const pel__source *s, int var, const pel__packing *p, pel__gaps *g,
                   pel_error *e) {
  *g = (pel__gaps){.low = -INFINITY, .high = INFINITY};
  nc_type type = NC_NAT;
  nc_inq_vartype(s->nc, var, &type);
  if (type == NC_FLOAT || type == NC_DOUBLE) g->tolerance = 1e-6;
  if (find_values(s, var, "_FillValue", p, g, e)) return e->code;
  /* with the other sign, netCDF's own fills lie amid the values: no sign of anything missing */
  const bool own = g->n > 0 || p->period > 0;
  for (int i = 0; i < PEL_N(fills) && !own; ++i)
    if (fills[i].type == type) g->value[g->n++] = fills[i].value;
  if (find_values(s, var, "missing_value", p, g, e) ||
      find_bounds(s, var, "valid_min", p, 1, (double *[2]){&g->low}, e) ||
      find_bounds(s, var, "valid_max", p, 1, (double *[2]){&g->high}, e))
    return e->code;
  return find_bounds(s, var, "valid_range", p, 2, (double *[2]){&g->low, &g->high}, e);
}

bool pel__is_gap(const pel__gaps *g, double x) {
  if (!(x >= g->low && x <= g->high)) return true;
  for (int i = 0; i < g->n; ++i)
    if (x == g->value[i] || fabs(x - g->value[i]) < g->tolerance * fabs(g->value[i])) return true;
  return false;
}
