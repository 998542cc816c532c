/* What becomes of the values that a measuring plan leaves in out[]: summed exactly, searched for
 * extremes, compared with a field, stored. */
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "pelsim/memory.h"
#include "plan.h"

/* ---- sums ---- */

pel__sum_visitor pel__sum_begin(const pel_sim *s, int where) {
  pel__sum_visitor v = {pel_malloc((size_t)s->threads * sizeof(pel_sum)), s->threads, where};
  for (int t = 0; t < s->threads; ++t) pel_sum_init(&v.sum[t]);
  return v;
}

void pel__sum_visit(void *visitor, int thread, const pel_tile *t, int block, const double *out) {
  const pel__sum_visitor *v = visitor;
  const int64_t row = v->where == PEL_FIRST_ROW ? 0 : t->n[1] - 1;
  (void)block;
  PEL_ROWS(t, j, k, p0, p1) {
    if (v->where == PEL_EVERYWHERE || t->first[1] + j == row)
      pel_sum_add(&v->sum[thread], out + p0, p1 - p0);
  }
}

void pel__sum_end(pel__sum_visitor *v, pel_sum *total) {
  pel_sum_init(total);
  for (int t = 0; t < v->threads; ++t) pel_sum_merge(total, &v->sum[t]);
  free(v->sum);
}

double pel__plan_sum(pel_sim *s, pel__plan *p) {
  pel_sum total;
  pel__sum_visitor v = pel__sum_begin(s, PEL_EVERYWHERE);
  pel__plan_run(s, p, &(pel__run){s->time, s->dt, NULL, pel__sum_visit, &v});
  pel__sum_end(&v, &total);
  pel_sum_allreduce(&total, 1, s->comm);
  return pel_sum_round(&total);
}

/* ---- extremes ---- */

typedef struct {
  double *lo, *hi; /* [threads] */
} extremes;

static void extremes_of_row(extremes *x, int thread, const double *v, ptrdiff_t n) {
  double lo = x->lo[thread], hi = x->hi[thread];
#pragma omp simd reduction(min : lo) reduction(max : hi)
  for (ptrdiff_t p = 0; p < n; ++p) {
    lo = v[p] < lo ? v[p] : lo;
    hi = v[p] > hi ? v[p] : hi;
  }
  x->lo[thread] = lo, x->hi[thread] = hi;
}

static void visit_extremes(void *ctx, int thread, const pel_tile *t, int block, const double *out) {
  (void)block;
  PEL_ROWS(t, j, k, p0, p1) extremes_of_row(ctx, thread, out + p0, p1 - p0);
}

static void extremes_init(const pel_sim *s, extremes *x) {
  x->lo = pel_malloc(2 * (size_t)s->threads * sizeof *x->lo);
  x->hi = x->lo + s->threads;
  for (int t = 0; t < s->threads; ++t) x->lo[t] = INFINITY, x->hi[t] = -INFINITY;
}

static void extremes_end(const pel_sim *s, extremes *x, double *lo, double *hi) {
  double v[2] = {-INFINITY, -INFINITY};
  for (int t = 0; t < s->threads; ++t) v[0] = fmax(v[0], -x->lo[t]), v[1] = fmax(v[1], x->hi[t]);
  MPI_Allreduce(MPI_IN_PLACE, v, 2, MPI_DOUBLE, MPI_MAX, s->comm);
  free(x->lo);
  *lo = -v[0], *hi = v[1];
}

void pel__plan_extremes(pel_sim *s, pel__plan *p, double *lo, double *hi) {
  extremes x;
  extremes_init(s, &x);
  const pel__run r = {s->time, s->dt, NULL, visit_extremes, &x};
  pel__plan_run(s, p, &r);
  extremes_end(s, &x, lo, hi);
}

void pel__field_extremes(pel_sim *s, const pel__var *v, double *lo, double *hi) {
  const pel__layout *l = s->layout;
  extremes x;
  extremes_init(s, &x);
  for (int b = 0; b < l->nlocal; ++b) {
    const pel__block *k = &l->block[l->first + b];
    const double *d = v->data[v->slot * l->nlocal + b];
#pragma omp parallel for num_threads(s->threads) schedule(static)
    for (int j = 0; j < k->n[1]; ++j)
      for (int z = 0; z < k->n[2]; ++z)
        extremes_of_row(&x, omp_get_thread_num(), d + z * k->sz + j * k->sy, k->n[0]);
  }
  extremes_end(s, &x, lo, hi);
}

/* ---- storing ---- */

typedef struct {
  pel_sim *s;
  double **to;
} storing;

static void visit_store(void *ctx, int thread, const pel_tile *t, int block, const double *out) {
  const storing *c = ctx;
  (void)thread;
  PEL_ROWS(t, j, k, p0, p1)
  memcpy(c->to[block] + p0, out + p0, (size_t)(p1 - p0) * sizeof *out);
}

void pel__plan_store(pel_sim *s, pel__plan *p, double **to) {
  storing c = {s, to};
  pel__plan_run(s, p, &(pel__run){s->time, s->dt, NULL, visit_store, &c});
}

double **pel__block_arrays(pel_sim *s) {
  const pel__layout *l = s->layout;
  double **a = pel_calloc((size_t)l->nlocal, sizeof *a);
  for (int b = 0; b < l->nlocal; ++b) {
    const pel__block *k = &l->block[l->first + b];
    a[b] = (double *)pel_aligned_alloc(64, k->size * sizeof(double)) + k->origin;
  }
  return a;
}

void pel__block_arrays_free(const pel_sim *s, double **a) {
  for (int b = 0; a && b < s->layout->nlocal; ++b)
    free(a[b] - s->layout->block[s->layout->first + b].origin);
  free(a);
}

/* ---- comparing with an exact solution ---- */

enum { ERR1, REF1, ERR2, REF2, NSUMS };

typedef struct {
  const pel_sim *s;
  const pel__var *v;
  double **weight; /* [nlocal], or NULL */
  pel_sum *sum;    /* [threads*NSUMS] */
  double *max;     /* [threads*2]: error, reference */
} comparison;

static void visit_compare(void *ctx, int thread, const pel_tile *t, int block, const double *out) {
  enum { PIECE = 256 };
  const comparison *c = ctx;
  const double *x = c->v->data[c->v->slot * c->s->layout->nlocal + block];
  const double *w = c->weight ? c->weight[block] : NULL;
  double add[NSUMS][PIECE], worst = c->max[2 * thread], largest = c->max[2 * thread + 1];
  PEL_ROWS(t, j, k, p0, p1) for (ptrdiff_t q = p0; q < p1; q += PIECE) {
    const ptrdiff_t n = p1 - q < PIECE ? p1 - q : PIECE;
    for (ptrdiff_t i = 0; i < n; ++i) {
      const double err = fabs(x[q + i] - out[q + i]), ref = fabs(out[q + i]), a = w ? w[q + i] : 1;
      add[ERR1][i] = a * err, add[REF1][i] = a * ref;
      add[ERR2][i] = a * (err * err), add[REF2][i] = a * (ref * ref);
      worst = fmax(worst, err), largest = fmax(largest, ref);
    }
    for (int i = 0; i < NSUMS; ++i) pel_sum_add(&c->sum[thread * NSUMS + i], add[i], n);
  }
  c->max[2 * thread] = worst, c->max[2 * thread + 1] = largest;
}

void pel__plan_compare(pel_sim *s, pel__plan *exact, pel__plan *weight, const pel__var *v,
                       double norm[3]) {
  const int n = s->threads;
  comparison c = {s, v, NULL, pel_calloc((size_t)(n * NSUMS), sizeof(pel_sum)),
                  pel_calloc((size_t)(2 * n), sizeof(double))};
  if (weight) {
    c.weight = pel__block_arrays(s);
    pel__plan_store(s, weight, c.weight);
  }
  for (int i = 0; i < n * NSUMS; ++i) pel_sum_init(&c.sum[i]);
  pel__plan_run(s, exact, &(pel__run){s->time, s->dt, NULL, visit_compare, &c});
  for (int t = 1; t < n; ++t) {
    for (int i = 0; i < NSUMS; ++i) pel_sum_merge(&c.sum[i], &c.sum[t * NSUMS + i]);
    for (int i = 0; i < 2; ++i) c.max[i] = fmax(c.max[i], c.max[2 * t + i]);
  }
  pel_sum_allreduce(c.sum, NSUMS, s->comm);
  MPI_Allreduce(MPI_IN_PLACE, c.max, 2, MPI_DOUBLE, MPI_MAX, s->comm);
  double x[NSUMS];
  for (int i = 0; i < NSUMS; ++i) x[i] = pel_sum_round(&c.sum[i]);
  const bool zero = c.max[1] == 0; /* no reference to normalise by: absolute errors */
  norm[0] = zero ? x[ERR1] : x[ERR1] / x[REF1];
  norm[1] = sqrt(zero ? x[ERR2] : x[ERR2] / x[REF2]);
  norm[2] = zero ? c.max[0] : c.max[0] / c.max[1];
  pel__block_arrays_free(s, c.weight);
  free(c.sum), free(c.max);
}
