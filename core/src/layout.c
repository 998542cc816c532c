/* Blocks: the array of blocks is chosen or given, ordered along a Hilbert curve, and cut into one
 * run a rank so that the heaviest rank is as light as possible. */
#include "layout.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include "curve.h"
#include "pelsim/memory.h"

enum { LINE = 8, PAGE = 512 }; /* doubles in a cache line and in a page of 4096 bytes */

static int64_t min64(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t max64(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

static const char *axis_name(const pel_grid *g, int a) {
  return g->axis[a].name ? g->axis[a].name : (const char *[]){"x", "y", "z"}[a];
}

/* ---- checks ---- */

static int check_grid(const pel_grid *g, pel_error *e) {
  if (g->dims < 1 || g->dims > 3)
    return pel_error_set(e, PEL_USAGE, "the grid has %d dimensions: 1, 2 or 3 are possible",
                         g->dims);
  for (int a = 0; a < 3; ++a) {
    const int64_t n = g->axis[a].n;
    if (a < g->dims ? n < 1 : n > 1)
      return pel_error_set(e, PEL_USAGE, "axis %s of the %d-dimensional grid has %lld cells: %s",
                           axis_name(g, a), g->dims, (long long)n,
                           a < g->dims ? "at least 1 is needed" : "an absent axis has 1");
    if (a < g->dims && n > INT_MAX / 4)
      return pel_error_set(e, PEL_USAGE, "axis %s has %lld cells: at most %d are possible",
                           axis_name(g, a), (long long)n, INT_MAX / 4);
    if (a >= g->dims || g->axis[a].end != PEL_POLE) continue;
    if (a != 1)
      return pel_error_set(e, PEL_USAGE,
                           "axis %s has poles but only axis 1, the latitude, may have them",
                           axis_name(g, a));
    if (g->axis[0].end != PEL_PERIODIC || g->axis[0].n % 2)
      return pel_error_set(e, PEL_USAGE,
                           "axis %s has poles, so axis %s must be periodic with an even number of "
                           "cells (it has %lld)",
                           axis_name(g, 1), axis_name(g, 0), (long long)g->axis[0].n);
  }
  return PEL_OK;
}

static int check_request(const pel_grid *g, int nranks, const int nb[3], pel_error *e) {
  int64_t most = 1; /* blocks that are possible */
  for (int a = 0; a < 3; ++a) {
    const int64_t n = a < g->dims ? g->axis[a].n : 1;
    if (nb[a] < 0 || nb[a] > n)
      return pel_error_set(e, PEL_USAGE,
                           "%d blocks along axis %s, which has %lld cell%s: ask for 1 to %lld",
                           nb[a], axis_name(g, a), (long long)n, n == 1 ? "" : "s", (long long)n);
    most = min64(INT_MAX, most * (nb[a] > 0 ? nb[a] : n));
  }
  if (nranks <= most) return PEL_OK;
  const bool given = nb[0] > 0 && nb[1] > 0 && nb[2] > 0;
  char what[80]; /* "4 x 2" */
  int used = 0;
  for (int a = 0; a < g->dims; ++a)
    used += snprintf(what + used, sizeof what - (size_t)used, "%s%lld", a ? " x " : "",
                     given ? (long long)nb[a] : (long long)g->axis[a].n);
  const char *s = most == 1 ? "" : "s";
  return pel_error_set(e, PEL_USAGE,
                       "%d ranks cannot share %s%s %s%s: use at most %lld rank%s, or %s", nranks,
                       given ? "" : "a grid of ", what, given ? "block" : "cell", s,
                       (long long)most, s, given ? "more blocks" : "a finer grid");
}

/* ---- choosing the array of blocks ---- */

/* What a step costs the busiest rank, in cells: its own cells, and the halo cells it moves.  A halo
 * cell is packed, sent and unpacked; across axis 0 each one drags a cache line along and rows get
 * shorter; the last axis is the cheapest to cut because its faces are the most contiguous. */
static double cost(const pel_grid *g, int nranks, const int nb[3], const int halo[3]) {
  static const double weight[3] = {16, 4.1, 4};
  double blocks = 1, cells = 1, n[3], halo_cells = 0;
  for (int a = 0; a < 3; ++a) {
    n[a] = a < g->dims ? (double)ceil_div(g->axis[a].n, nb[a]) : 1;
    cells *= n[a];
    blocks *= nb[a];
  }
  for (int a = 0; a < 3; ++a)
    if (nb[a] > 1) halo_cells += weight[a] * 2 * (halo[a] > 0 ? halo[a] : 1) * cells / n[a];
  const double share = (double)ceil_div((int64_t)blocks, nranks);
  return share * (cells + halo_cells);
}

/* Fills the zeros of nb so that there are at least `want` blocks, as cheaply as possible. */
static void choose_blocks(const pel_grid *g, int nranks, int64_t want, const int halo[3],
                          int nb[3]) {
  int64_t lo[3], hi[3];
  for (int a = 0; a < 3; ++a) {
    const int64_t n = a < g->dims ? g->axis[a].n : 1;
    lo[a] = nb[a] > 0 ? nb[a] : 1;
    hi[a] = nb[a] > 0 ? nb[a] : min64(n, want);
  }
  double least = -1;
  for (int64_t x = lo[0]; x <= hi[0]; ++x)
    for (int64_t y = lo[1]; y <= hi[1]; ++y) {
      const int64_t z = max64(lo[2], ceil_div(want, x * y)); /* the fewest that suffice */
      if (z > hi[2]) continue;
      const int trial[3] = {(int)x, (int)y, (int)z};
      const double c = cost(g, nranks, trial, halo);
      if (least < 0 || c < least) {
        least = c;
        for (int a = 0; a < 3; ++a) nb[a] = trial[a];
      }
      if (x * y >= want) break; /* more would only be smaller */
    }
}

/* ---- ownership ---- */

/* Runs that a greedy packing with at most `cap` a run needs. */
static int runs_needed(const int64_t *w, int n, int64_t cap) {
  int runs = 1;
  int64_t load = 0;
  for (int i = 0; i < n; ++i) {
    if (load > 0 && load + w[i] > cap) {
      ++runs;
      load = 0;
    }
    load += w[i];
  }
  return runs;
}

/* Smallest possible weight of the heaviest of `nranks` runs. */
static int64_t least_cap(const int64_t *w, int n, int nranks) {
  int64_t lo = 0, hi = 0;
  for (int i = 0; i < n; ++i) {
    lo = max64(lo, w[i]);
    hi += w[i];
  }
  lo = max64(lo, ceil_div(hi, nranks));
  while (lo < hi) {
    const int64_t mid = lo + (hi - lo) / 2;
    if (runs_needed(w, n, mid) <= nranks)
      hi = mid;
    else
      lo = mid + 1;
  }
  return hi;
}

/* Within that each end is as near to the ideal end as can be.  from[r] is the first place where run
 * r may start so that the runs from r on, at most `cap` each, hold all that is left. */
void pel__layout_share(const pel__layout *l, const int64_t *w, int *owner) {
  const int n = l->nblocks, nranks = l->nranks;
  int *from = pel_malloc((size_t)(nranks + 1) * sizeof *from);
  const int64_t cap = least_cap(w, n, nranks);
  int64_t total = 0, load = 0;
  for (int i = n, r = nranks; r >= 0; --r) {
    from[r] = i;
    for (load = 0; r > 0 && i > r - 1 && load + w[i - 1] <= cap; --i) load += w[i - 1];
  }
  for (int i = 0; i < n; ++i) total += w[i];
  int64_t before = 0; /* weight before block i */
  for (int i = 0, r = 0; r < nranks; ++r) {
    const double ideal = (double)total * (r + 1) / nranks;
    const int last = n - (nranks - r - 1); /* leave one block for each rank to come */
    load = 0;
    do {
      load += w[i];
      before += w[i];
      owner[i++] = r;
    } while (i < last && load + w[i] <= cap &&
             (i < from[r + 1] || (double)before + 0.5 * (double)w[i] < ideal));
  }
  free(from);
}

void pel__layout_assign(pel__layout *l, const int *owner) {
  l->nlocal = 0;
  for (int i = 0; i < l->nblocks; ++i) {
    l->block[i].rank = owner[i];
    if (owner[i] == l->rank && l->nlocal++ == 0) l->first = i;
  }
}

/* ---- blocks ---- */

/* One page offset for every row would make rows of a stencil evict each other from cache. */
static ptrdiff_t off_page(ptrdiff_t pitch) { return pitch % PAGE == 0 ? pitch + LINE : pitch; }
static ptrdiff_t round_up(ptrdiff_t n) { return (n + LINE - 1) / LINE * LINE; }

static void shape_block(pel__block *b, const pel_grid *g, const int nb[3], const int halo[3]) {
  for (int a = 0; a < 3; ++a) {
    const bool exists = a < g->dims;
    const int64_t n = exists ? g->axis[a].n : 1;
    b->first[a] = n * b->coord[a] / nb[a];
    b->n[a] = (int)(n * (b->coord[a] + 1) / nb[a] - b->first[a]);
    b->halo[a] = exists ? halo[a] : 0;
  }
  /* The halo right of a row and the one left of the next share the cache line between them. */
  const ptrdiff_t left = round_up(b->halo[0]);
  const ptrdiff_t pitch = off_page(round_up(b->n[0] + 2 * b->halo[0]));
  const ptrdiff_t rows = pitch * (b->n[1] + 2 * b->halo[1]);
  const ptrdiff_t plane = g->dims > 2 ? off_page(rows) : rows;
  b->sy = g->dims > 1 ? pitch : 0;
  b->sz = g->dims > 2 ? plane : 0;
  b->size = (size_t)(left + plane * (b->n[2] + 2 * b->halo[2]));
  b->origin = (size_t)(left + b->halo[1] * b->sy + b->halo[2] * b->sz);
}

static bool fill_layout(pel__layout *l, const int halo[3]) {
  const int n = l->nblocks;
  int(*coord)[3] = malloc((size_t)n * sizeof *coord);
  int64_t *weight = malloc((size_t)n * sizeof *weight);
  int *owner = malloc((size_t)n * sizeof *owner);
  l->block = calloc((size_t)n, sizeof *l->block);
  l->at = malloc((size_t)n * sizeof *l->at);
  bool good = coord && weight && owner && l->block && l->at;
  if (good) {
    pel__curve(l->nb, coord);
    for (int i = 0; i < n; ++i) {
      pel__block *b = &l->block[i];
      for (int a = 0; a < 3; ++a) b->coord[a] = coord[i][a];
      shape_block(b, &l->grid, l->nb, halo);
      weight[i] = (int64_t)b->n[0] * b->n[1] * b->n[2];
      l->at[(b->coord[2] * l->nb[1] + b->coord[1]) * l->nb[0] + b->coord[0]] = i;
    }
    pel__layout_share(l, weight, owner);
    pel__layout_assign(l, owner);
  }
  free(coord);
  free(weight);
  free(owner);
  return good;
}

pel__layout *pel__layout_create(const pel_grid *g, int rank, int nranks, const int nb[3],
                                int blocks_per_rank, const int halo[3], pel_error *e) {
  if (check_grid(g, e) || check_request(g, nranks, nb, e)) return NULL;
  pel__layout *l = calloc(1, sizeof *l);
  if (!l) {
    pel_error_set(e, PEL_INTERNAL, "out of memory for the layout of the grid");
    return NULL;
  }
  l->grid = *g;
  l->rank = rank;
  l->nranks = nranks;
  int64_t most = 1;
  for (int a = 0; a < 3; ++a) {
    l->nb[a] = nb[a];
    most = min64(INT_MAX / 8, most * (nb[a] > 0 ? nb[a] : a < g->dims ? g->axis[a].n : 1));
  }
  choose_blocks(g, nranks, max64(nranks, min64(most, (int64_t)nranks * blocks_per_rank)), halo,
                l->nb);
  const int64_t nblocks = (int64_t)l->nb[0] * l->nb[1] * l->nb[2];
  l->nblocks = nblocks <= INT_MAX / 8 ? (int)nblocks : 0;
  if (l->nblocks < nranks || !fill_layout(l, halo)) {
    pel_error_set(e, PEL_USAGE, "out of memory for %d x %d x %d blocks: ask for fewer blocks",
                  l->nb[0], l->nb[1], l->nb[2]);
    pel__layout_destroy(l);
    return NULL;
  }
  return l;
}

void pel__layout_destroy(pel__layout *l) {
  if (!l) return;
  free(l->block);
  free(l->at);
  free(l);
}
