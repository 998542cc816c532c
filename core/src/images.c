/* Images: clusters of this rank that stand outside the box for a periodic neighbour, in columns
 * that continue those of the box. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "particles.h"

/* A column beyond or within the box, and what stands in it. */
typedef struct {
  int source;    /* column of this rank that it repeats; -1: none */
  int period[2]; /* across */
} column;

/* Where column c of the box, or beyond it, is among this rank's; -1: nowhere. */
static int source_along(const pel__particles *p, int a, int c, int *period) {
  const int n = p->ncolumns[a];
  *period = c < 0 ? -1 : c >= n;
  if (*period && !p->domain.periodic[p->across[a]]) return -1;
  const int own = c - *period * n - p->own.first[a];
  return own >= 0 && own < p->own.n[a] ? own : -1;
}

static column column_at(const pel__particles *p, int k) {
  column c;
  const pel__columns *b = &p->beside;
  const int i = source_along(p, 0, b->first[0] + k / b->n[1], &c.period[0]),
            j = source_along(p, 1, b->first[1] + k % b->n[1], &c.period[1]);
  c.source = i < 0 || j < 0 ? -1 : i * p->own.n[1] + j;
  return c;
}

/* Of two opposite images only one is there. */
static bool stands(const column *c, int along) {
  if (c->period[0]) return c->period[0] > 0;
  if (c->period[1]) return c->period[1] > 0;
  return along > 0;
}

/* Images of one column in ascending order along it: their number, and if `to` the images. */
static int fill_column(const pel__particles *p, const column *c, double reach, pel__image *to,
                       double *low, double *high) {
  const double length = p->domain.length[p->along];
  const double bottom = p->regions ? p->regions->low[p->along] * length - reach : -reach,
               top = (p->regions ? p->regions->high[p->along] : 1) * length + reach;
  const int most = p->domain.periodic[p->along];
  int n = 0;
  for (int along = -most; along <= most && c->source >= 0; ++along) {
    if (!stands(c, along)) continue;
    int periods[3];
    periods[p->across[0]] = c->period[0], periods[p->across[1]] = c->period[1];
    periods[p->along] = along;
    for (int k = p->own.start[c->source]; k < p->own.start[c->source + 1]; ++k) {
      const double lo = p->low[k] + along * length, hi = p->high[k] + along * length;
      if (hi < bottom || lo > top) continue;
      if (to) {
        to[n].source = k;
        pel__domain_shift(&p->domain, periods, to[n].shift);
        low[n] = lo, high[n] = hi;
      }
      ++n;
    }
  }
  return n;
}

static void index_sources(pel__particles *p) {
  memset(p->image_at, 0, ((size_t)p->nclusters + 1) * sizeof *p->image_at);
  for (int g = 0; g < p->nimages; ++g) ++p->image_at[p->images[g].source + 1];
  for (int c = 0; c < p->nclusters; ++c) p->image_at[c + 1] += p->image_at[c];
  for (int g = 0; g < p->nimages; ++g) p->image_of[p->image_at[p->images[g].source]++] = g;
  memmove(p->image_at + 1, p->image_at, (size_t)p->nclusters * sizeof *p->image_at);
  p->image_at[0] = 0;
}

static void copy_ids(pel__particles *p) {
#pragma omp parallel for num_threads(p->threads) schedule(static)
  for (int g = 0; g < p->nimages; ++g) {
    const ptrdiff_t to = (ptrdiff_t)(p->nclusters + g) * PEL_LANES,
                    from = (ptrdiff_t)p->images[g].source * PEL_LANES;
    *(pel_int4 *)(p->type + to) = *(const pel_int4 *)(p->type + from);
    *(pel_long4 *)(p->id + to) = *(const pel_long4 *)(p->id + from);
  }
}

void pel__images_create(pel__particles *p, double reach) {
  pel__columns *b = &p->beside;
  for (int a = 0; a < 2; ++a) {
    const bool periodic = p->domain.periodic[p->across[a]];
    const int far = periodic ? (int)fmin(ceil(reach / p->width[a]), p->ncolumns[a]) : 0;
    b->first[a] = p->own.first[a] - far;
    b->n[a] = p->own.n[a] + 2 * far;
  }
  pel__columns_reserve(b);
  const int columns = b->n[0] * b->n[1];
  int *start = b->start;
#pragma omp parallel for num_threads(p->threads) schedule(static)
  for (int k = 0; k < columns; ++k) {
    const column c = column_at(p, k);
    start[k + 1] = fill_column(p, &c, reach, NULL, NULL, NULL);
  }
  start[0] = p->nclusters;
  for (int k = 0; k < columns; ++k) start[k + 1] += start[k];
  pel__particles_reserve(p, start[columns] + 1);
  p->nimages = start[columns] - p->nclusters;
#pragma omp parallel for num_threads(p->threads) schedule(static)
  for (int k = 0; k < columns; ++k) {
    const column c = column_at(p, k);
    fill_column(p, &c, reach, p->images + (start[k] - p->nclusters), p->low + start[k],
                p->high + start[k]);
  }
  index_sources(p);
  copy_ids(p);
}

void pel__images_refresh(pel__particles *p, const pel__copies *c) {
#pragma omp parallel for num_threads(p->threads) schedule(static)
  for (int g = 0; g < p->nimages; ++g) {
    const ptrdiff_t to = (ptrdiff_t)(p->nclusters + g) * PEL_LANES,
                    from = (ptrdiff_t)p->images[g].source * PEL_LANES;
    for (const pel__copied *w = c->what; w < c->what + c->n; ++w) {
      double *x = *w->at;
      const double shift = w->axis < 0 ? 0 : p->images[g].shift[w->axis];
      *(pel_double4 *)(x + to) = *(const pel_double4 *)(x + from) + pel_all(shift);
    }
  }
}
