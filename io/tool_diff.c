/* First difference of two checkpoints, number by number and field by field. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "posix_io.h"
#include "shared_file.h"
#include "tools.h"

void pel__compare(pel__differences *d, const double *a, const double *b, int64_t n, int64_t index,
                  double tol) {
  if (tol < 0) {
    for (int64_t i = 0; i < n; ++i) {
      const double x = fmax(isfinite(a[i]) ? fabs(a[i]) : 0, isfinite(b[i]) ? fabs(b[i]) : 0);
      if (x > d->scale) d->scale = x;
    }
    if (memcmp(a, b, (size_t)n * sizeof *a)) d->bits = true;
    return;
  }
  for (int64_t i = 0; i < n; ++i) {
    if (!memcmp(&a[i], &b[i], sizeof *a) || (isnan(a[i]) && isnan(b[i]))) continue;
    const double by = fabs(a[i] - b[i]);
    if (tol > 0 && by <= tol * d->scale) continue;
    if (!d->count++) d->first = index + i, d->a = a[i], d->b = b[i];
    if (!(by <= d->largest)) d->largest = by;
  }
}

typedef struct {
  const pel__checkpoint *a, *b;
  double *x, *y; /* [PEL__PIECE] */
} pair;

/* One pass over a field; sums its fingerprints, so that damage is not taken for difference. */
static int pass(const pair *p, const pel__region *r, const pel__region *q, double tol,
                pel__differences *d, pel_error *e) {
  const uint64_t key = pel_fingerprint_key(r->name);
  uint64_t left = 0, right = 0;
  const int64_t cells = pel__cells(&p->a->grid);
  for (int64_t i = 0, n; i < cells; i += n) {
    n = cells - i < PEL__PIECE ? cells - i : PEL__PIECE;
    int err = pel__region_read(p->a, r, i, p->x, n);
    if (!err) err = pel__region_read(p->b, q, i, p->y, n);
    if (err) return pel__io_error(e, "read field", r->name, err, 0);
    left += pel_fingerprint_row(key, i, p->x, n);
    right += pel_fingerprint_row(key, i, p->y, n);
    pel__compare(d, p->x, p->y, n, i, tol);
  }
  if (left == r->fingerprint && right == q->fingerprint) return PEL_OK;
  return pel_error_set(e, PEL_IO, "field %s of %s is damaged: run 'pelsim verify' on it", r->name,
                       left != r->fingerprint ? "the first file" : "the second file");
}

static int diff_field(FILE *out, const pair *p, const pel__region *r, const pel__region *q,
                      double tol, bool *differs, pel_error *e) {
  pel__differences d = {0};
  if (pass(p, r, q, -1, &d, e)) return e->code;
  if (!d.bits || pass(p, r, q, tol, &d, e) || !d.count) return e->code;
  const pel_axis *x = p->a->grid.axis;
  const int64_t at[3] = {d.first % x[0].n, d.first / x[0].n % x[1].n, d.first / x[0].n / x[1].n};
  fprintf(out,
          "%s: %" PRId64 " of %" PRId64
          " values differ, by at most %.3g (%.3g of the largest); "
          "first at",
          r->name, d.count, pel__cells(&p->a->grid), d.largest,
          d.scale > 0 ? d.largest / d.scale : 0);
  for (int a = 0; a < p->a->grid.dims; ++a)
    fprintf(out, "%s %s %" PRId64, a ? "," : "", x[a].name, at[a]);
  fprintf(out, ": %.17g, %.17g\n", d.a, d.b);
  *differs = true;
  return PEL_OK;
}

/* Value of a number of the state; false: there is none of that name. */
static bool find_number(const pel_snapshot *s, const char *name, double *value) {
  for (int i = 0; i < s->nscalars; ++i) {
    if (!s->scalars[i].state || strcmp(s->scalars[i].name, name)) continue;
    *value = s->scalars[i].value;
    return true;
  }
  return false;
}

static bool diff_numbers(FILE *out, const pel_snapshot *a, const pel_snapshot *b, double tol) {
  int differ = 0;
  double x;
  for (int i = 0; i < a->nscalars; ++i) {
    const pel_scalar *k = &a->scalars[i];
    if (!k->state) continue;
    if (!find_number(b, k->name, &x)) {
      differ += fprintf(out, "%s: only in the first file\n", k->name) > 0;
      continue;
    }
    pel__differences d = {.scale = fmax(fabs(k->value), fabs(x))};
    pel__compare(&d, &k->value, &x, 1, 0, tol);
    if (d.count) differ += fprintf(out, "%s: %.17g, %.17g\n", k->name, k->value, x) > 0;
  }
  for (int i = 0; i < b->nscalars; ++i)
    if (b->scalars[i].state && !find_number(a, b->scalars[i].name, &x))
      differ += fprintf(out, "%s: only in the second file\n", b->scalars[i].name) > 0;
  return differ > 0;
}

static bool same_shape(const pel__checkpoint *a, const pel__checkpoint *b) {
  bool same = a->grid.dims == b->grid.dims;
  for (int i = 0; i < 3; ++i) same = same && a->grid.axis[i].n == b->grid.axis[i].n;
  return same;
}

static int diff_open(FILE *out, const pair *p, double tol, pel_error *e) {
  const pel__checkpoint *a = p->a, *b = p->b;
  bool differs = false;
  if (strcmp(a->model, b->model)) differs = fprintf(out, "model: %s, %s\n", a->model, b->model) > 0;
  if (a->s.step != b->s.step)
    differs = fprintf(out, "step: %" PRId64 ", %" PRId64 "\n", a->s.step, b->s.step) > 0;
  if (fabs(a->s.time - b->s.time) > tol * fabs(a->s.time))
    differs = fprintf(out, "time: %.17g s, %.17g s\n", a->s.time, b->s.time) > 0;
  if (!same_shape(a, b)) {
    fprintf(out,
            "grid: %" PRId64 " x %" PRId64 " x %" PRId64 ", %" PRId64 " x %" PRId64 " x %" PRId64
            " cells\n",
            a->grid.axis[0].n, a->grid.axis[1].n, a->grid.axis[2].n, b->grid.axis[0].n,
            b->grid.axis[1].n, b->grid.axis[2].n);
    return PEL_DIFFERS;
  }
  if (diff_numbers(out, &a->s, &b->s, tol)) differs = true;
  for (int i = 0; i < a->header.narrays && !e->code; ++i) {
    const pel__region *r = &a->header.array[i], *q = pel__checkpoint_region(b, r->name);
    if (!q)
      differs = fprintf(out, "%s: only in the first file\n", r->name) > 0;
    else
      diff_field(out, p, r, q, tol, &differs, e);
  }
  for (int i = 0; i < b->header.narrays; ++i)
    if (!pel__checkpoint_region(a, b->header.array[i].name))
      differs = fprintf(out, "%s: only in the second file\n", b->header.array[i].name) > 0;
  return e->code ? e->code : differs ? PEL_DIFFERS : PEL_OK;
}

int pel__diff_checkpoints(FILE *out, const char *a, const char *b, double tol) {
  pel_error e = {0};
  pel__checkpoint first, second;
  if (pel__checkpoint_open(a, &first, &e) != PEL__FILE_GOOD) return pel__tell(out, &e);
  if (pel__checkpoint_open(b, &second, &e) != PEL__FILE_GOOD) {
    pel__checkpoint_close(&first);
    return pel__tell(out, &e);
  }
  const pair p = {&first, &second, malloc(PEL__PIECE * sizeof(double)),
                  malloc(PEL__PIECE * sizeof(double))};
  int code = p.x && p.y ? diff_open(out, &p, tol, &e) : PEL_INTERNAL;
  free(p.x);
  free(p.y);
  pel__checkpoint_close(&first);
  pel__checkpoint_close(&second);
  pel__tell(out, &e);
  return code;
}
