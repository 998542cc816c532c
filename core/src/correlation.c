#include "correlation.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pelsim/memory.h"
#include "sum.h"

static const char *const kind_name[PEL__MOTIONS] = {"position", "velocity"};

static double *doubles(int64_t n) {
  double *x = pel_calloc((size_t)n + 1, sizeof *x);
  return x;
}

void pel__correlation_create(pel__correlation *c, const pel_sim *s) {
  const pel__dynamics *d = s->dynamics;
  *c = (pel__correlation){.wanted = {s->set.analysis.msd, s->set.analysis.vacf},
                          .ntypes = d->box.ntypes,
                          .every = s->set.analysis.every,
                          .origins = s->set.analysis.origins,
                          .window = s->set.analysis.window,
                          .n = pel__slab_of(d->box.n, s->rank, s->nranks).n};
  c->kinds = c->wanted[PEL__MSD] + c->wanted[PEL__VACF];
  c->lags = c->window / c->every + 1;
  c->slots = (int)(c->window / c->origins) + 1;
  for (int k = 0; k < PEL__MOTIONS; ++k)
    for (int a = 0; a < 3; ++a) c->now[k][a] = doubles(c->n);
  c->type = doubles(c->n);
  c->origin = pel_calloc((size_t)(c->slots * c->kinds * 3), sizeof *c->origin);
  for (int i = 0; i < c->slots * c->kinds * 3; ++i) c->origin[i] = doubles(c->n);
}

void pel__correlation_lend(pel__correlation *c, double *memory) {
  c->began = memory;
  c->curve = memory + c->slots;
}

void pel__correlation_destroy(pel__correlation *c) {
  for (int k = 0; k < PEL__MOTIONS; ++k)
    for (int a = 0; a < 3; ++a) free(c->now[k][a]);
  for (int i = 0; i < c->slots * c->kinds * 3; ++i) free(c->origin[i]);
  free(c->type), free(c->origin);
}

/* ---- a sample ---- */

/* Where a particle is does not depend on when lists were built: see particle_state.c. */
static void fill(const pel__particles *p, const void *ctx, int64_t i, double *value) {
  (void)ctx;
  for (int a = 0; a < 3; ++a) {
    const double length = p->domain.length[a];
    const int out = pel__domain_beyond(&p->domain, a, p->x[a][i]);
    value[a] = (p->x[a][i] - out * length) + (p->image[a][i] + out) * length;
    value[3 + a] = p->v[a][i];
  }
  value[6] = p->type[i];
}

enum { PART = 64 };

/* The exact sum over particles of each type of what a kind makes of an origin and the present. */
static void add_products(const pel__correlation *c, pel__motion_kind kind, double *const *origin,
                         pel_sum *sum) {
  double *const *now = c->now[kind];
  double part[c->ntypes][PART];
  int filled[c->ntypes];
  memset(filled, 0, sizeof filled);
  for (int64_t i = 0; i < c->n; ++i) {
    const int t = (int)c->type[i];
    double x[3];
    for (int a = 0; a < 3; ++a)
      x[a] = kind == PEL__MSD ? (now[a][i] - origin[a][i]) * (now[a][i] - origin[a][i])
                              : now[a][i] * origin[a][i];
    part[t][filled[t]++] = (x[0] + x[1]) + x[2];
    if (filled[t] < PART) continue;
    pel_sum_add(&sum[t], part[t], PART);
    filled[t] = 0;
  }
  for (int t = 0; t < c->ntypes; ++t) pel_sum_add(&sum[t], part[t], filled[t]);
}

static double *const *origin_of(const pel__correlation *c, int slot, int number) {
  return c->origin + (slot * c->kinds + number) * 3;
}

/* Which kind is the number-th that is wanted. */
static pel__motion_kind kind_of(const pel__correlation *c, int number) {
  return number == 1 || !c->wanted[PEL__MSD] ? PEL__VACF : PEL__MSD;
}

static void begin_origin(pel__correlation *c, int slot, int64_t step) {
  c->began[slot] = (double)step + 1;
  for (int m = 0; m < c->kinds; ++m)
    for (int a = 0; a < 3; ++a)
      memcpy(origin_of(c, slot, m)[a], c->now[kind_of(c, m)][a], (size_t)c->n * sizeof(double));
}

int pel__correlation_sample(pel__correlation *c, pel_sim *s, const int64_t *n, int64_t since) {
  double *to[7];
  const int items = c->slots * c->kinds;
  int done = -1;
  pel_sum *sum = pel_malloc((size_t)(items * c->ntypes) * sizeof *sum);
  for (int v = 0; v < 6; ++v) to[v] = c->now[v / 3][v % 3];
  to[6] = c->type;
  pel__by_id(&s->dynamics->p, fill, NULL, 7, to);
  if ((s->step - since) % c->origins == 0)
    begin_origin(c, (int)((s->step - since) / c->origins % c->slots), s->step);
#pragma omp parallel for num_threads(s->threads) schedule(dynamic, 1)
  for (int i = 0; i < items; ++i) {
    for (int t = 0; t < c->ntypes; ++t) pel_sum_init(&sum[i * c->ntypes + t]);
    if (c->began[i / c->kinds] > 0)
      add_products(c, kind_of(c, i % c->kinds), origin_of(c, i / c->kinds, i % c->kinds),
                   &sum[i * c->ntypes]);
  }
  pel_sum_allreduce(sum, items * c->ntypes, s->comm);
  for (int slot = 0; slot < c->slots; ++slot) {
    const int64_t lag = (s->step + 1 - (int64_t)c->began[slot]) / c->every;
    if (c->began[slot] <= 0) continue;
    for (int64_t k = 0; k < pel__correlation_curves(c); ++k)
      c->curve[(slot * pel__correlation_curves(c) + k) * c->lags + lag] =
          pel_sum_round(&sum[slot * pel__correlation_curves(c) + k]) / (double)n[k % c->ntypes];
    if (lag < c->lags - 1) continue;
    c->began[slot] = 0;
    done = slot;
  }
  free(sum);
  return done;
}

int pel__correlation_arrays(pel__correlation *c, const pel_sim *s, pel_array *x, pel_patch *patch,
                            char (*name)[40]) {
  const pel__slab slab = pel__slab_of(s->dynamics->box.n, s->rank, s->nranks);
  const int n = c->slots * c->kinds * 3;
  for (int i = 0; i < n && x; ++i) {
    const int number = i / 3 % c->kinds;
    snprintf(name[i], sizeof name[i], PEL_ASIDE "%d_%s_%c", i / 3 / c->kinds,
             kind_name[kind_of(c, number)], "xyz"[i % 3]);
    patch[i] =
        (pel_patch){.first = {slab.first, 0, 0}, .n = {(int)slab.n, 1, 1}, .data = c->origin[i]};
    x[i] = (pel_array){.name = name[i],
                       .unit = "1",
                       .doc = "at an origin of time",
                       .patches = &patch[i],
                       .npatches = slab.n > 0};
  }
  return n;
}

/* ---- diffusion ---- */

static double slope(const double *y, int64_t from, int64_t to) { /* of y against its index */
  const double n = (double)(to - from), middle = ((double)from + (double)to - 1) / 2;
  double mean = 0, product = 0, square = 0;
  for (int64_t i = from; i < to; ++i) mean += y[i] / n;
  for (int64_t i = from; i < to; ++i) {
    product += ((double)i - middle) * (y[i] - mean);
    square += ((double)i - middle) * ((double)i - middle);
  }
  return product / square;
}

void pel__diffusion(pel__motion_kind kind, const double *curve, int64_t lags, double step, int dims,
                    double *d) {
  if (kind == PEL__MSD) {
    *d = slope(curve, lags / 2, lags) / step / (2 * dims);
    return;
  }
  double sum = (curve[0] + curve[lags - 1]) / 2; /* trapezoids */
  for (int64_t i = 1; i < lags - 1; ++i) sum += curve[i];
  *d = sum * step / dims;
}
