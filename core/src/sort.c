/* Particles into clusters: columns about as wide as a cluster is high, sorted along the last axis
 * and cut into runs of PEL_LANES. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "particles.h"

typedef struct {
  double z;
  int place;
} key;

static void lost(const pel__particles *p, int64_t i, pel_error *e) {
  const bool finite = isfinite(p->x[0][i]) && isfinite(p->x[1][i]) && isfinite(p->x[2][i]);
#pragma omp critical(pel_sort)
  pel_error_set(e, PEL_INVALID,
                "particle %ld %s: position (%g, %g, %g), velocity (%g, %g, %g); reduce the time "
                "step, or look for overlapping particles in the start",
                (long)p->id[i], finite ? "has left the box" : "is nowhere", p->x[0][i], p->x[1][i],
                p->x[2][i], p->v[0][i], p->v[1][i], p->v[2][i]);
}

/* One particle, at most a period away, back into [0, length): exact. */
static bool wrap(pel__particles *p, int64_t i) {
  for (int a = 0; a < 3; ++a) {
    const double length = p->domain.length[a];
    double *x = &p->x[a][i];
    if (p->domain.periodic[a]) {
      const int out = *x >= length ? 1 : *x < 0 ? -1 : 0;
      *x -= out * length;
      p->image[a][i] += out;
    }
    if (!(*x >= 0 && *x <= length) || (*x == length && p->domain.periodic[a])) return false;
  }
  return true;
}

static int cell(double x, double width, int n) {
  const int c = (int)(x / width);
  return c < n ? c : n - 1;
}

/* About PEL_LANES particles in a cube of the columns' width. */
static void shape(pel__particles *p) {
  const pel__domain *d = &p->domain;
  const double volume = d->dims == 3 ? pel__domain_volume(d) : d->length[0] * d->length[1];
  const double width = pow(volume * PEL_LANES / fmax((double)p->n, 1), 1. / d->dims);
  for (int a = 0; a < 2; ++a) {
    const double length = d->length[p->across[a]];
    const double n = p->across[a] < d->dims ? fmin(floor(length / width), 30000) : 1;
    p->ncolumns[a] = n < 1 ? 1 : (int)n;
    p->width[a] = length / p->ncolumns[a];
  }
}

static int column_of(const pel__particles *p, int64_t i) {
  return cell(p->x[p->across[0]][i], p->width[0], p->ncolumns[0]) * p->ncolumns[1] +
         cell(p->x[p->across[1]][i], p->width[1], p->ncolumns[1]);
}

/* Nearly sorted already but for the first time: insertion is then linear. */
static int by_z(const void *a, const void *b) {
  const double x = ((const key *)a)->z, y = ((const key *)b)->z;
  return (x > y) - (x < y);
}
static void order(key *k, int n) {
  int moves = 0;
  for (int i = 1; i < n; ++i) {
    const key now = k[i];
    int j = i;
    for (; j > 0 && k[j - 1].z > now.z; --j) k[j] = k[j - 1];
    k[j] = now;
    moves += i - j;
    if (moves > 16 * n) {
      qsort(k, (size_t)n, sizeof *k, by_z);
      return;
    }
  }
}

/* Keys of all particles by column, in *start the first of each.  Columns are counted by thread so
 * that all threads can fill them. */
static key *sort_keys(pel__particles *p, int columns, int **start, pel_error *e) {
  const int64_t places = (int64_t)p->nclusters * PEL_LANES;
  const int nt = p->threads;
  int *of = malloc((size_t)places * sizeof *of + 1);
  int *count = calloc((size_t)columns * (size_t)nt + 1, sizeof *count);
  key *k = malloc(((size_t)p->n + 1) * sizeof *k);
  *start = malloc(((size_t)columns + 1) * sizeof **start);
#pragma omp parallel for num_threads(nt) schedule(static, 1)
  for (int t = 0; t < nt; ++t) {
    int *mine = count + (size_t)t * (size_t)columns;
    for (int64_t i = places * t / nt; i < places * (t + 1) / nt; ++i) {
      of[i] = -1;
      if (pel__is_empty(p, i)) continue;
      if (!wrap(p, i)) {
        lost(p, i, e);
        continue;
      }
      ++mine[of[i] = column_of(p, i)];
    }
  }
  int sum = 0;
  for (int c = 0; c < columns; ++c) {
    (*start)[c] = sum;
    for (int t = 0; t < nt; ++t) {
      int *x = &count[(size_t)t * (size_t)columns + (size_t)c], n = *x;
      *x = sum, sum += n;
    }
  }
  (*start)[columns] = sum;
  if (!e->code && sum != p->n)
    pel_error_set(e, PEL_INTERNAL, "%d particles where %ld were before", sum, (long)p->n);
  const double *z = p->x[p->along];
#pragma omp parallel for num_threads(nt) schedule(static, 1)
  for (int t = 0; t < nt; ++t) {
    int *mine = count + (size_t)t * (size_t)columns;
    for (int64_t i = places * t / nt; i < places * (t + 1) / nt && !e->code; ++i)
      if (of[i] >= 0) k[mine[of[i]]++] = (key){z[i], (int)i};
  }
  free(of), free(count);
  return k;
}

/* from[place] is where the particle of each new place was, or -1. */
static void place(pel__particles *p, key *k, const int *start, int columns, int *from) {
  const int nt = p->threads;
#pragma omp parallel for num_threads(nt) schedule(static)
  for (int c = 0; c < columns; ++c) {
    const int n = start[c + 1] - start[c];
    int *to = from + (ptrdiff_t)p->column[c] * PEL_LANES;
    order(k + start[c], n);
    for (int i = 0; i < (p->column[c + 1] - p->column[c]) * PEL_LANES; ++i)
      to[i] = i < n ? k[start[c] + i].place : -1;
    for (int b = p->column[c], i = 0; b < p->column[c + 1]; ++b, i += PEL_LANES) {
      p->low[b] = k[start[c] + i].z;
      p->high[b] = k[start[c] + (i + PEL_LANES < n ? i + PEL_LANES : n) - 1].z;
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

int pel__particles_sort(pel__particles *p, pel_error *e) {
  int *start;
  shape(p);
  const int columns = p->ncolumns[0] * p->ncolumns[1];
  if (columns > p->column_room) {
    p->column = realloc(p->column, ((size_t)columns + 1) * sizeof *p->column);
    p->column_room = columns;
  }
  key *k = sort_keys(p, columns, &start, e);
  if (!e->code) {
    int clusters = 0;
    for (int c = 0; c < columns; ++c) {
      p->column[c] = clusters;
      clusters += (start[c + 1] - start[c] + PEL_LANES - 1) / PEL_LANES;
    }
    p->column[columns] = clusters;
    if (!pel__particles_reserve(p, clusters + 1, e)) {
      const int64_t places = (int64_t)clusters * PEL_LANES;
      int *from = malloc((size_t)places * sizeof *from + 1);
      place(p, k, start, columns, from);
      move(p, from, places);
      p->nclusters = clusters;
      p->nguests = 0;
      free(from);
    }
  }
  free(k), free(start);
  return e->code;
}
