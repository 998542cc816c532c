/* Particles into clusters: columns about as wide as a cluster is high, sorted along the last axis
 * and cut into runs of PEL_LANES. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "particles.h"
#include "pelsim/memory.h"

typedef pel__sort_key key;

static int cell(double x, double width, int n) {
  const int c = (int)(x / width);
  return c < n ? c : n - 1;
}

/* About PEL_LANES particles in a cube of the columns' width, if all are evenly spread. */
static void shape(pel__particles *p) {
  const pel__domain *d = &p->domain;
  const pel__regions *r = p->regions;
  const double volume = pel__domain_volume(d);
  const double width = pow(volume * PEL_LANES / fmax((double)p->total, 1), 1. / d->dims);
  for (int a = 0; a < 2; ++a) {
    const int axis = p->across[a];
    const double n = axis < d->dims ? fmin(floor(d->length[axis] / width), 30000) : 1;
    p->ncolumns[a] = n < 1 ? 1 : (int)n;
    p->width[a] = d->length[axis] / p->ncolumns[a];
    const double low = r ? floor(r->low[axis] * p->ncolumns[a]) - 1 : 0, /* rounding: one more */
        high = r ? ceil(r->high[axis] * p->ncolumns[a]) + 1 : p->ncolumns[a];
    p->own.first[a] = (int)fmax(low, 0);
    p->own.n[a] = (int)fmin(high, p->ncolumns[a]) - p->own.first[a];
  }
}

static int column_of(const pel__particles *p, int64_t i) {
  int c[2];
  for (int a = 0; a < 2; ++a)
    c[a] = cell(p->x[p->across[a]][i], p->width[a], p->ncolumns[a]) - p->own.first[a];
  return c[0] * p->own.n[1] + c[1];
}

/* Nearly sorted already but for the first time: insertion is then linear. */
static int by_z(const void *a, const void *b) {
  const double x = ((const key *)a)->along, y = ((const key *)b)->along;
  return (x > y) - (x < y);
}
static void order(key *k, int n) {
  int moves = 0;
  for (int i = 1; i < n; ++i) {
    const key now = k[i];
    int j = i;
    for (; j > 0 && k[j - 1].along > now.along; --j) k[j] = k[j - 1];
    k[j] = now;
    moves += i - j;
    if (moves > 16 * n) {
      qsort(k, (size_t)n, sizeof *k, by_z);
      return;
    }
  }
}

/* Columns of all particles, counted by thread so that all threads can fill them.  Fails on the
 * first that is nowhere in the box. */
static void find_columns(pel__particles *p, int columns, pel_error *e) {
  const int64_t places = (int64_t)p->nclusters * PEL_LANES;
  const int nt = p->threads;
  int64_t first_lost[nt];
  memset(p->sort.count, 0, (size_t)columns * (size_t)nt * sizeof *p->sort.count);
#pragma omp parallel for num_threads(nt) schedule(static, 1)
  for (int t = 0; t < nt; ++t) {
    int *mine = p->sort.count + (size_t)t * (size_t)columns, *of = p->sort.column;
    first_lost[t] = -1;
    for (int64_t i = places * t / nt; i < places * (t + 1) / nt; ++i) {
      of[i] = -1;
      if (pel__is_empty(p, i)) continue;
      if (!pel__particle_wrap(p, i)) {
        if (first_lost[t] < 0) first_lost[t] = i;
        continue;
      }
      ++mine[of[i] = column_of(p, i)];
    }
  }
  for (int t = 0; t < nt; ++t)
    if (first_lost[t] >= 0) pel__particle_lost(p, first_lost[t], e);
}

/* Keys of all particles by column. */
static void sort_keys(pel__particles *p, int columns, pel_error *e) {
  const int64_t places = (int64_t)p->nclusters * PEL_LANES;
  const int nt = p->threads;
  int sum = 0, *start = p->sort.start, *count = p->sort.count;
  find_columns(p, columns, e);
  for (int c = 0; c < columns; ++c) {
    start[c] = sum;
    for (int t = 0; t < nt; ++t) {
      int *x = &count[(size_t)t * (size_t)columns + (size_t)c], n = *x;
      *x = sum, sum += n;
    }
  }
  start[columns] = sum;
  if (!e->code && sum != p->n)
    pel_error_set(e, PEL_INTERNAL, "%d particles where %ld were before", sum, (long)p->n);
  if (e->code) return;
  const double *z = p->x[p->along];
#pragma omp parallel for num_threads(nt) schedule(static, 1)
  for (int t = 0; t < nt; ++t) {
    int *mine = count + (size_t)t * (size_t)columns;
    const int *of = p->sort.column;
    for (int64_t i = places * t / nt; i < places * (t + 1) / nt; ++i)
      if (of[i] >= 0) p->sort.key[mine[of[i]]++] = (key){z[i], (int)i};
  }
}

static void place(pel__particles *p, int columns) {
  const int *first = p->own.start;
#pragma omp parallel for num_threads(p->threads) schedule(static)
  for (int c = 0; c < columns; ++c) {
    const int n = p->sort.start[c + 1] - p->sort.start[c];
    key *k = p->sort.key + p->sort.start[c];
    int *to = p->sort.from + (ptrdiff_t)first[c] * PEL_LANES;
    order(k, n);
    for (int i = 0; i < (first[c + 1] - first[c]) * PEL_LANES; ++i) to[i] = i < n ? k[i].place : -1;
    for (int b = first[c], i = 0; b < first[c + 1]; ++b, i += PEL_LANES) {
      p->low[b] = k[i].along;
      p->high[b] = k[(i + PEL_LANES < n ? i + PEL_LANES : n) - 1].along;
    }
  }
}

static void move(pel__particles *p, const int *from, int64_t places) {
  for (int c = 0; c < p->ncomponents; ++c) {
    pel__component *k = &p->component[c];
    if (!k->carried) continue;
    void **spare = &p->spare[k->bytes == 8];
#pragma omp parallel for num_threads(p->threads) schedule(static)
    for (int64_t i = 0; i < places; ++i)
      if (k->bytes == 8)
        ((int64_t *)*spare)[i] = from[i] >= 0 ? ((const int64_t *)*k->at)[from[i]] : 0;
      else
        ((int32_t *)*spare)[i] = from[i] >= 0 ? ((const int32_t *)*k->at)[from[i]] : 0;
    void *old = *k->at;
    *k->at = *spare, *spare = old;
  }
#pragma omp parallel for num_threads(p->threads) schedule(static)
  for (int64_t i = 0; i < places; ++i) {
    if (from[i] < 0) {
      p->id[i] = -1;
      for (int a = 0; a < 3; ++a) p->x[a][i] = pel__nowhere(p, i);
    }
    for (int a = 0; a < 3; ++a) p->at[a][i] = p->x[a][i];
  }
}

static void reserve_columns(pel__particles *p, int columns) {
  pel__sort_memory *m = &p->sort;
  if (columns <= m->columns) return;
  const size_t n = (size_t)columns;
  m->start = pel_realloc(m->start, (n + 1) * sizeof *m->start);
  m->count = pel_realloc(m->count, n * (size_t)p->threads * sizeof *m->count);
  m->columns = columns;
}

int pel__particles_sort(pel__particles *p, pel_error *e) {
  shape(p);
  const int columns = p->own.n[0] * p->own.n[1];
  pel__columns_reserve(&p->own);
  int *first = p->own.start;
  reserve_columns(p, columns);
  sort_keys(p, columns, e);
  if (e->code) return e->code;
  int clusters = 0;
  for (int c = 0; c < columns; ++c) {
    first[c] = clusters;
    clusters += (p->sort.start[c + 1] - p->sort.start[c] + PEL_LANES - 1) / PEL_LANES;
  }
  first[columns] = clusters;
  pel__particles_reserve(p, clusters + 1);
  place(p, columns);
  move(p, p->sort.from, (int64_t)clusters * PEL_LANES);
  p->nclusters = clusters;
  p->nimages = p->guests.n = 0;
  return PEL_OK;
}
