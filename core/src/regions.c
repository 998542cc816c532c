#include "regions.h"
#include "pelsim/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FINE = 16 }; /* cells in the thickness of the reach: how finely blocks can be made equal */

/* ---- cutting ---- */

static int64_t slabs(const pel__domain *d, int a, double reach) {
  const double n = a < d->dims ? floor(d->length[a] / reach) : 1;
  return n < 1 ? 1 : n > 1e6 ? 1000000 : (int64_t)n;
}

static pel_grid grid_of(const pel__domain *d, double reach, int parts) {
  static const char *const name[3] = {"x", "y", "z"};
  pel_grid g = {.dims = d->dims, .axis = {{.n = 1}, {.n = 1}, {.n = 1}}};
  for (int a = 0; a < d->dims; ++a)
    g.axis[a] = (pel_axis){.name = name[a],
                           .n = slabs(d, a, reach) * parts,
                           .end = d->periodic[a] ? PEL_PERIODIC : PEL_WALL};
  return g;
}

static int too_many(const pel__domain *d, double reach, int nranks, pel_error *e) {
  double most = 1;
  char what[100];
  int n = 0;
  for (int a = 0; a < d->dims; ++a) {
    most *= (double)slabs(d, a, reach);
    n += snprintf(what + n, sizeof what - (size_t)n, "%s%ld", a ? " x " : "",
                  (long)slabs(d, a, reach));
  }
  if (nranks <= most) return PEL_OK;
  return pel_error_set(e, PEL_USAGE,
                       "%d ranks cannot share the box: cut-off and skin reach %g, and so it can be "
                       "cut into at most %s parts; use at most %.0f rank%s and more threads, or a "
                       "larger box",
                       nranks, reach, what, most, most > 1 ? "s" : "");
}

/* How many blocks along each axis is decided in slabs of the reach, where to cut in fine cells. */
static pel__layout *cut(const pel__domain *d, double reach, int rank, int nranks, const int nb[3],
                        int blocks_per_rank, pel_error *e) {
  const pel_grid coarse = grid_of(d, reach, 1), fine = grid_of(d, reach, FINE);
  const int halo[3] = {1, d->dims > 1, d->dims > 2};
  if (too_many(d, reach, nranks, e)) return NULL;
  pel__layout *l = pel__layout_create(&coarse, rank, nranks, nb, blocks_per_rank, halo, e);
  if (!l) return NULL;
  const int chosen[3] = {l->nb[0], l->nb[1], l->nb[2]};
  pel__layout_destroy(l);
  return pel__layout_create(&fine, rank, nranks, chosen, 1, (int[3]){0}, e);
}

int pel__regions_possible(const pel__domain *d, double reach, int nranks, const int nb[3],
                          int blocks_per_rank, pel_error *e) {
  pel__layout *l = cut(d, reach, 0, nranks, nb, blocks_per_rank, e);
  if (l) pel__layout_destroy(l);
  return e->code;
}

static void find_bounds(pel__regions *r) {
  for (int a = 0; a < 3; ++a) r->low[a] = 1, r->high[a] = 0;
  for (int b = 0; b < r->layout->nlocal; ++b) {
    const pel__block *k = &r->layout->block[r->layout->first + b];
    for (int a = 0; a < 3; ++a) {
      r->low[a] = fmin(r->low[a], (double)k->first[a] / (double)r->cells[a]);
      r->high[a] = fmax(r->high[a], (double)(k->first[a] + k->n[a]) / (double)r->cells[a]);
    }
  }
}

/* ---- neighbours ---- */

static int by_place(const void *a, const void *b) {
  const pel__near *x = a, *y = b;
  if (x->peer != y->peer) return x->peer < y->peer ? -1 : 1;
  const int c = memcmp(x->period, y->period, sizeof x->period);
  return c ? c : (x->block > y->block) - (x->block < y->block);
}

/* The block `step` away from block k, if there is one and it is another rank's. */
static bool look(const pel__regions *r, const pel__domain *d, const pel__block *k,
                 const int step[3], pel__near *n) {
  int c[3];
  *n = (pel__near){0};
  for (int a = 0; a < 3; ++a) {
    const int nb = r->layout->nb[a];
    const int beyond = k->coord[a] + step[a] < 0 ? -1 : k->coord[a] + step[a] >= nb;
    if (beyond && !d->periodic[a]) return false;
    c[a] = k->coord[a] + step[a] - beyond * nb;
    n->period[a] = -beyond;
  }
  n->block = r->layout->at[(c[2] * r->layout->nb[1] + c[1]) * r->layout->nb[0] + c[0]];
  const pel__block *other = &r->layout->block[n->block];
  n->peer = other->rank; /* find_near makes it a number among the peers */
  for (int a = 0; a < 3; ++a) {
    n->low[a] = (double)other->first[a] / (double)r->cells[a] - n->period[a];
    n->high[a] = (double)(other->first[a] + other->n[a]) / (double)r->cells[a] - n->period[a];
  }
  return other->rank != r->rank;
}

static void find_near(pel__regions *r, const pel__domain *d) {
  int n = 0;
  r->near = pel_calloc((size_t)r->layout->nlocal * 27, sizeof *r->near);
  for (int b = 0; b < r->layout->nlocal; ++b)
    for (int k = 0; k < 27; ++k) {
      const int step[3] = {k % 3 - 1, k / 3 % 3 - 1, k / 9 - 1};
      n += look(r, d, &r->layout->block[r->layout->first + b], step, &r->near[n]);
    }
  qsort(r->near, (size_t)n, sizeof *r->near, by_place);
  r->peer = pel_calloc((size_t)n + 1, sizeof *r->peer);
  for (int i = 0; i < n; ++i) {
    if (r->nnear && by_place(&r->near[i], &r->near[r->nnear - 1]) == 0) continue;
    r->near[r->nnear++] = r->near[i];
  }
  for (int i = 0; i < r->nnear; ++i) {
    const int rank = r->near[i].peer;
    if (!r->npeers || r->peer[r->npeers - 1] != rank) r->peer[r->npeers++] = rank;
  }
  for (int i = 0, p = 0; i < r->nnear; ++i) {
    while (r->peer[p] != r->near[i].peer) ++p;
    r->near[i].peer = p;
  }
}

int pel__regions_create(pel__regions *r, MPI_Comm comm, const pel__domain *d, double reach,
                        const int nb[3], int blocks_per_rank, pel_error *e) {
  *r = (pel__regions){.comm = comm};
  MPI_Comm_rank(comm, &r->rank);
  MPI_Comm_size(comm, &r->nranks);
  r->layout = cut(d, reach, r->rank, r->nranks, nb, blocks_per_rank, e);
  if (!r->layout) return e->code;
  for (int a = 0; a < 3; ++a) {
    const int64_t n = r->cells[a] = r->layout->grid.axis[a].n;
    r->block_along[a] = pel_malloc((size_t)n * sizeof(int));
    for (int64_t b = 0; b < r->layout->nb[a]; ++b)
      for (int64_t c = n * b / r->layout->nb[a]; c < n * (b + 1) / r->layout->nb[a]; ++c)
        r->block_along[a][c] = (int)b;
  }
  find_bounds(r);
  find_near(r, d);
  return PEL_OK;
}

void pel__regions_assign(pel__regions *r, const pel__domain *d, const int *owner) {
  pel__layout_assign(r->layout, owner);
  free(r->peer), free(r->near);
  r->npeers = r->nnear = 0;
  find_bounds(r);
  find_near(r, d);
}

void pel__regions_destroy(pel__regions *r) {
  if (r->layout) pel__layout_destroy(r->layout);
  for (int a = 0; a < 3; ++a) free(r->block_along[a]);
  free(r->peer), free(r->near);
  memset(r, 0, sizeof *r);
}

/* ---- questions ---- */

int pel__regions_block(const pel__regions *r, const pel__domain *d, const double x[3]) {
  int c[3];
  for (int a = 0; a < 3; ++a) {
    const double at = a < d->dims ? x[a] / d->length[a] * (double)r->cells[a] : 0;
    const int64_t cell = (int64_t)fmin(fmax(at, 0), (double)(r->cells[a] - 1));
    c[a] = r->block_along[a][cell];
  }
  const int *nb = r->layout->nb;
  return r->layout->at[(c[2] * nb[1] + c[1]) * nb[0] + c[0]];
}

int pel__regions_owner(const pel__regions *r, const pel__domain *d, const double x[3]) {
  return r->layout->block[pel__regions_block(r, d, x)].rank;
}

static double thickness(const pel__regions *r, const pel__domain *d, int a) {
  return d->length[a] * floor((double)r->cells[a] / r->layout->nb[a]) / (double)r->cells[a];
}

double pel__regions_thinnest(const pel__regions *r, const pel__domain *d) {
  double least = INFINITY;
  for (int a = 0; a < d->dims; ++a)
    if (r->layout->nb[a] > 1) least = fmin(least, thickness(r, d, a));
  return least;
}

int pel__regions_check(const pel__regions *r, const pel__domain *d, double reach, pel_error *e) {
  const int *nb = r->layout->nb;
  for (int a = 0; a < d->dims; ++a)
    if (nb[a] > 1 && thickness(r, d, a) < reach)
      return pel_error_set(e, PEL_USAGE,
                           "the box has shrunk to %g along %c, where %d blocks share it: each is "
                           "thinner than cut-off and skin, %g; resume on fewer ranks",
                           d->length[a], "xyz"[a], nb[a], reach);
  return PEL_OK;
}
