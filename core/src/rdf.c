#include "rdf.h"
#include "pelsim/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- counting ---- */

/* One thread's share of a list, binned. */
typedef struct {
  const pel__particles *p;
  const pel__rdf *r;
  double range2, scale; /* bins a length */
  int64_t *count;
} counter;

static int pair_of(int ntypes, int a, int b) {
  const int lo = a < b ? a : b, hi = a < b ? b : a;
  return lo * ntypes - lo * (lo - 1) / 2 + hi - lo;
}

static inline void put(const counter *c, int64_t i, int64_t j, double r2, int64_t weight) {
  const int pair = c->r->ntypes == 1 ? 0 : pair_of(c->r->ntypes, c->p->type[i], c->p->type[j]);
  const int bin = (int)(sqrt(r2) * c->scale);
  /* r < range may round to the end of the last bin */
  c->count[pair * c->r->bins + (bin < c->r->bins ? bin : c->r->bins - 1)] += weight;
}

/* Place i against the places of a cluster from the `first`-th on.  Differences are exact, so that
 * r2 has the same bits from either end of the pair. */
static void count_cluster(const counter *c, int64_t i, int cluster, int first, int64_t weight) {
  const pel__particles *p = c->p;
  const int64_t at = (int64_t)cluster * PEL_LANES;
  const double x = p->x[0][i], y = p->x[1][i], z = p->x[2][i];
  double r2[PEL_LANES];
  for (int l = 0; l < PEL_LANES; ++l) {
    const double dx = x - p->x[0][at + l], dy = y - p->x[1][at + l], dz = z - p->x[2][at + l];
    r2[l] = fma(dx, dx, fma(dy, dy, dz * dz));
  }
  for (int l = first; l < PEL_LANES; ++l)
    if (r2[l] < c->range2) put(c, i, at + l, r2[l], weight);
}

/* A pair that this rank alone has counts twice, once from each end; one with a guest is counted by
 * its owner too. */
static void count_share(const counter *c, const pel__share *h) {
  for (int64_t i = (int64_t)h->first * PEL_LANES; i < (int64_t)h->last * PEL_LANES; ++i) {
    if (pel__is_empty(c->p, i)) continue;
    count_cluster(c, i, (int)(i / PEL_LANES), (int)(i % PEL_LANES) + 1, 2);
    for (int k = 0; k < PEL__KINDS; ++k) {
      const pel__rows *rows = &h->rows[k];
      const int *row = rows->row + (i - (int64_t)h->first * PEL_LANES);
      for (int j = row[0]; j < row[1]; ++j)
        count_cluster(c, i, rows->entry[j], 0, k == PEL__WITH_GUESTS ? 1 : 2);
    }
  }
}

static void count_all(pel__rdf *r, const pel__particles *p, const pel__pair_list *l) {
  const int64_t n = pel__rdf_size(r) - 1;
  memset(r->count, 0, (size_t)(n * p->threads) * sizeof *r->count);
#pragma omp parallel for num_threads(l->nshares) schedule(static, 1)
  for (int t = 0; t < l->nshares; ++t)
    count_share(&(counter){.p = p,
                           .r = r,
                           .range2 = r->range * r->range,
                           .scale = r->bins / r->range,
                           .count = r->count + t * n},
                &l->share[t]);
  for (int t = 1; t < l->nshares; ++t)
    for (int64_t k = 0; k < n; ++k) r->count[k] += r->count[t * n + k];
}

/* ---- beyond the reach of the model's list ---- */

static int far_create(pel__rdf *r, pel_sim *s, pel_error *e) {
  const pel__dynamics *d = s->dynamics;
  int nb[3];
  const int blocks = pel__blocks_asked(s, nb);
  pel_error why = {0};
  pel__far_pairs *f = r->far = pel_calloc(1, sizeof *f);
  if (pel__particles_create(&f->p, &d->p.domain, d->p.n, s->threads, e) ||
      pel__pair_list_create(&f->list, &f->p, r->range, 0, e))
    return e->code;
  f->p.total = d->p.total;
  f->p.regions = &f->regions;
  if (pel__regions_create(&f->regions, s->comm, &d->p.domain, r->range, nb, blocks, &why))
    return pel_error_set(e, why.code, "[analysis] rdf_range: %s", why.text);
  return PEL_OK;
}

/* Positions, ids and types as they are now, wherever they were before. */
static void far_follow(pel__far_pairs *f, const pel__particles *p) {
  pel__particles *q = &f->p;
  const int64_t places = (int64_t)p->nclusters * PEL_LANES;
  int64_t n = 0;
  q->domain = p->domain;
  q->n = p->n;
  q->nclusters = (int)((p->n + PEL_LANES - 1) / PEL_LANES);
  pel__particles_reserve(q, q->nclusters + 1);
  for (int64_t i = 0; i < places; ++i) {
    if (pel__is_empty(p, i)) continue;
    for (int a = 0; a < 3; ++a) q->x[a][n] = p->x[a][i], q->v[a][n] = 0, q->image[a][n] = 0;
    q->id[n] = p->id[i];
    q->type[n++] = p->type[i];
  }
  for (; n < (int64_t)q->nclusters * PEL_LANES; ++n) q->id[n] = -1;
}

static int far_sample(pel__rdf *r, const pel__particles *p, pel_error *e) {
  pel__far_pairs *f = r->far;
  pel_error mine = {0};
  far_follow(f, p);
  if (pel__pair_list_build(&f->list, &f->p, true, &mine))
    return pel_error_set(e, mine.code, "[analysis] rdf_range: %s", mine.text);
  count_all(r, &f->p, &f->list);
  return PEL_OK;
}

/* ---- a sample ---- */

int pel__rdf_create(pel__rdf *r, pel_sim *s, int bins, double range, pel_error *e) {
  const pel__dynamics *d = s->dynamics;
  const int ntypes = d->box.ntypes;
  *r = (pel__rdf){.bins = bins,
                  .ntypes = ntypes,
                  .npairs = ntypes * (ntypes + 1) / 2,
                  .range = range > 0 ? range : d->cutoff};
  r->count = pel_calloc((size_t)((pel__rdf_size(r) - 1) * s->threads), sizeof *r->count);
  return r->range > d->cutoff ? far_create(r, s, e) : PEL_OK;
}

void pel__rdf_destroy(pel__rdf *r) {
  if (r->far) {
    pel__pair_list_destroy(&r->far->list);
    pel__particles_destroy(&r->far->p);
    pel__regions_destroy(&r->far->regions);
  }
  free(r->far), free(r->count);
}

int pel__rdf_sample(pel__rdf *r, pel_sim *s, double *x, pel_error *e) {
  pel__dynamics *d = s->dynamics;
  const int64_t n = pel__rdf_size(r) - 1;
  for (int a = 0; a < d->box.dims; ++a)
    if (2 * r->range > d->p.domain.length[a])
      return pel_error_set(e, PEL_INVALID,
                           "the box has become too short for [analysis] rdf_range: %g along axis "
                           "%c, less than twice %g; reduce rdf_range",
                           d->p.domain.length[a], "xyz"[a], r -> range);
  pel__dynamics_force(s); /* the list holds */
  if (r->far) {
    if (far_sample(r, &d->p, e)) return e->code;
  } else {
    pel__refresh(&d->p, pel__positions(&d->p));
    count_all(r, &d->p, &d->list);
  }
  MPI_Allreduce(MPI_IN_PLACE, r->count, (int)n, MPI_INT64_T, MPI_SUM, s->comm);
  for (int64_t k = 0; k < n; ++k) x[k] = (double)r->count[k];
  x[n] = 1 / pel__domain_volume(&d->p.domain);
  return PEL_OK;
}

void pel__rdf_estimate(const void *shape, const double *mean, double *g) {
  const pel__rdf_shape *q = shape;
  const pel__rdf *r = q->r;
  const double width = r->range / r->bins, density = mean[(int64_t)r->npairs * r->bins];
  for (int a = 0, pair = 0; a < r->ntypes; ++a)
    for (int b = a; b < r->ntypes; ++b, ++pair) {
      const double na = (double)q->n[a], nb = (double)q->n[b];
      const double pairs = a == b ? na * (na - 1) : 2 * na * nb; /* ordered */
      for (int k = 0; k < r->bins; ++k) {
        const double lo = k * width, hi = (k + 1) * width;
        const double shell = q->dims == 3 ? 4 * M_PI / 3 * (hi * hi * hi - lo * lo * lo)
                                          : M_PI * (hi * hi - lo * lo);
        g[pair * r->bins + k] = mean[pair * r->bins + k] / (pairs * shell * density);
      }
    }
}
