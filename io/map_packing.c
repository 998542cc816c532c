/* What the numbers stored for a variable mean (CF-1.10, 2.5.1 and 8.1, and the NetCDF User Guide,
 * "Attribute Conventions"): unsigned integers in signed types, packed values. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "map_parts.h"

/* An integer type and the one of the same size and other sign. */
static const struct {
  nc_type type;
  int bits;
  bool is_signed;
} integers[] = {{NC_BYTE, 8, true},   {NC_SHORT, 16, true},  {NC_INT, 32, true},
                {NC_INT64, 64, true}, {NC_UBYTE, 8, false},  {NC_USHORT, 16, false},
                {NC_UINT, 32, false}, {NC_UINT64, 64, false}};

int pel__attribute_wrong(const pel__source *s, int var, const char *attribute, const char *expected,
                         pel_error *e) {
  char name[NC_MAX_NAME + 1] = "", is[100];
  size_t n = 0;
  nc_type type;
  nc_inq_varname(s->nc, var, name);
  nc_inq_att(s->nc, var, attribute, &type, &n);
  char *text = pel__source_text(s, var, attribute);
  double *number = pel__source_numbers(s, var, attribute, &n);
  if (text)
    snprintf(is, sizeof is, "the text '%.60s'", text);
  else if (number && n == 1)
    snprintf(is, sizeof is, "%g", *number);
  else
    snprintf(is, sizeof is, "%zu numbers", n);
  free(text);
  free(number);
  return pel_error_set(e, PEL_IO, "%s: variable %s has %s = %s; expected %s", s->file, name,
                       attribute, is, expected);
}

/* netCDF-3 has no unsigned types: the attribute _Unsigned stands in for them. */
static int find_sign(const pel__source *s, int var, pel__packing *p, pel_error *e) {
  nc_type type = NC_NAT;
  nc_inq_vartype(s->nc, var, &type);
  if (nc_inq_attid(s->nc, var, "_Unsigned", NULL)) return PEL_OK;
  char *text = pel__source_text(s, var, "_Unsigned");
  const bool yes = text && !strcasecmp(text, "true"), no = text && !strcasecmp(text, "false");
  free(text);
  for (int i = 0; i < PEL_N(integers); ++i) {
    if (integers[i].type != type) continue;
    if (!yes && !no) return pel__attribute_wrong(s, var, "_Unsigned", "'true' or 'false'", e);
    if (yes != integers[i].is_signed) continue;
    if (type == NC_UINT64) /* doubles hold no small number less 2^64 */
      return pel__attribute_wrong(s, var, "_Unsigned", "int64 as the type of negative numbers", e);
    p->period = ldexp(1, integers[i].bits);
    p->low = yes ? 0 : -p->period / 2;
  }
  return PEL_OK;
}

/* One finite number, or the default where there is no such attribute. */
static int find_number(const pel__source *s, int var, const char *attribute, double *x,
                       pel_error *e) {
  size_t n;
  if (nc_inq_attid(s->nc, var, attribute, NULL)) return PEL_OK;
  double *number = pel__source_numbers(s, var, attribute, &n);
  const bool scales = !strcmp(attribute, "scale_factor");
  const bool good = number && n == 1 && isfinite(*number) && !(scales && *number == 0);
  if (good) *x = *number;
  free(number);
  if (good) return PEL_OK;
  return pel__attribute_wrong(s, var, attribute,
                              scales ? "one finite number that is not 0" : "one finite number", e);
}

int pel__packing_find(const pel__source *s, int var, pel__packing *p, pel_error *e) {
  *p = (pel__packing){.scale = 1};
  if (!find_sign(s, var, p, e) && !find_number(s, var, "scale_factor", &p->scale, e))
    find_number(s, var, "add_offset", &p->offset, e);
  return e->code;
}

double pel__packing_sign(const pel__packing *p, double x) {
  return x < p->low ? x + p->period : p->period > 0 && x >= p->low + p->period ? x - p->period : x;
}
