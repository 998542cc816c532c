/* First difference of two netCDF files, variable by variable, record by record. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "tools.h"

/* A numeric variable as both files have it. */
typedef struct {
  char name[NC_MAX_NAME + 1];
  int id[2], ndims;
  size_t n[NC_MAX_VAR_DIMS]; /* lengths in the first file */
  char dim[8][NC_MAX_NAME + 1];
  size_t slab; /* elements of one slab: all dimensions but the first */
} both;

typedef struct {
  FILE *out;
  const pel__source *s[2];
  double tol;
  bool differs;
} job;

static bool numeric(nc_type t) { return t >= NC_BYTE && t <= NC_UINT64 && t != NC_CHAR; }

/* Finds the variable in the second file; false, with a line, if it cannot be compared. */
static bool match(job *j, int id, both *v) {
  nc_type type, other;
  int dim[2][NC_MAX_VAR_DIMS], ndims;
  *v = (both){.id = {id, -1}};
  if (nc_inq_var(j->s[0]->nc, id, v->name, &type, &v->ndims, dim[0], NULL) || !numeric(type))
    return false;
  if (!strcmp(v->name, "fingerprint")) return false; /* follows from the fields */
  if (nc_inq_varid(j->s[1]->nc, v->name, &v->id[1]) ||
      nc_inq_var(j->s[1]->nc, v->id[1], NULL, &other, &ndims, dim[1], NULL)) {
    j->differs = fprintf(j->out, "%s: only in the first file\n", v->name) > 0;
    return false;
  }
  bool same = ndims == v->ndims && numeric(other);
  v->slab = 1;
  for (int i = 0; i < v->ndims && same; ++i) {
    size_t n;
    nc_inq_dim(j->s[0]->nc, dim[0][i], i < 8 ? v->dim[i] : NULL, &v->n[i]);
    nc_inq_dimlen(j->s[1]->nc, dim[1][i], &n);
    same = n == v->n[i];
    if (i) v->slab *= v->n[i];
  }
  if (!same) j->differs = fprintf(j->out, "%s: of different shape\n", v->name) > 0;
  return same && v->slab < SIZE_MAX / 16;
}

static int read_slab(const job *j, const both *v, int which, size_t slab, double *to) {
  size_t start[NC_MAX_VAR_DIMS] = {slab}, count[NC_MAX_VAR_DIMS] = {1};
  for (int i = 1; i < v->ndims; ++i) count[i] = v->n[i];
  return nc_get_vara_double(j->s[which]->nc, v->id[which], start, count, to);
}

static void report(job *j, const both *v, const pel__differences *d, size_t slabs) {
  int64_t at[NC_MAX_VAR_DIMS], rest = d->first;
  for (int i = v->ndims - 1; i >= 0; --i) {
    at[i] = rest % (int64_t)v->n[i];
    rest /= (int64_t)v->n[i];
  }
  fprintf(j->out,
          "%s: %" PRId64 " of %zu values differ, by at most %.3g (%.3g of the largest); first at",
          v->name, d->count, v->slab * slabs, d->largest, d->scale > 0 ? d->largest / d->scale : 0);
  for (int i = 0; i < v->ndims && i < 8; ++i)
    fprintf(j->out, "%s %s %" PRId64, i ? "," : "", v->dim[i], at[i]);
  fprintf(j->out, ": %.17g, %.17g\n", d->a, d->b);
  j->differs = true;
}

static void diff_variable(job *j, const both *v, pel_error *e) {
  const size_t slabs = v->ndims ? v->n[0] : 1;
  pel__differences d = {0};
  double *x = malloc((v->slab + 1) * sizeof *x), *y = malloc((v->slab + 1) * sizeof *y);
  if (!x || !y) pel_error_set(e, PEL_INTERNAL, "out of memory for variable %s", v->name);
  for (int pass = 0; pass < 2 && !e->code && (pass == 0 || d.bits); ++pass) {
    for (size_t r = 0; r < slabs && !e->code; ++r) {
      if (read_slab(j, v, 0, r, x) || read_slab(j, v, 1, r, y))
        pel_error_set(e, PEL_IO, "variable %s cannot be read", v->name);
      else
        pel__compare(&d, x, y, (int64_t)v->slab, (int64_t)(r * v->slab), pass ? j->tol : -1);
    }
  }
  if (d.count && !e->code) report(j, v, &d, slabs);
  free(x);
  free(y);
}

int pel__diff_netcdf(FILE *out, const char *a, const char *b, double tol) {
  pel_error e = {0};
  pel__source first, second;
  if (pel__source_open(a, &first, &e)) return pel__tell(out, &e);
  if (pel__source_open(b, &second, &e)) {
    nc_close(first.nc);
    return pel__tell(out, &e);
  }
  job j = {.out = out, .s = {&first, &second}, .tol = tol};
  int nvars = 0, id;
  nc_inq_nvars(first.nc, &nvars);
  for (int v = 0; v < nvars && !e.code; ++v) {
    both x;
    if (match(&j, v, &x)) diff_variable(&j, &x, &e);
  }
  nc_inq_nvars(second.nc, &nvars);
  for (int v = 0; v < nvars && !e.code; ++v) {
    char name[NC_MAX_NAME + 1];
    if (!nc_inq_varname(second.nc, v, name) && nc_inq_varid(first.nc, name, &id))
      j.differs = fprintf(out, "%s: only in the second file\n", name) > 0;
  }
  nc_close(first.nc);
  nc_close(second.nc);
  pel__tell(out, &e);
  return e.code ? e.code : j.differs ? PEL_DIFFERS : PEL_OK;
}
