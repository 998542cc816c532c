/* Guests: clusters that stand outside the box for a periodic neighbour, in columns that continue
 * those of the box. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "particles.h"

/* One column beyond or within the box, and what stands in it. */
typedef struct {
  int source;    /* column of the box that it repeats; -1: none */
  int period[2]; /* across */
} column;

static int wrapped(int c, int n, bool periodic, int *period) {
  *period = c < 0 ? -1 : c >= n;
  return *period == 0 || periodic ? c - *period * n : -1;
}

static column column_at(const pel__particles *p, int a, int b) {
  column c;
  const int i = wrapped(a, p->ncolumns[0], p->domain.periodic[p->across[0]], &c.period[0]);
  const int j = wrapped(b, p->ncolumns[1], p->domain.periodic[p->across[1]], &c.period[1]);
  c.source = i < 0 || j < 0 ? -1 : i * p->ncolumns[1] + j;
  return c;
}

/* Of two opposite images only one is a guest. */
static bool stands(const column *c, int along) {
  if (c->period[0]) return c->period[0] > 0;
  if (c->period[1]) return c->period[1] > 0;
  return along > 0;
}

/* Guests of one column in ascending order along it: their number, and if `to` the guests. */
static int fill_column(const pel__particles *p, const column *c, double reach, pel__guest *to,
                       double *low, double *high) {
  const double length = p->domain.length[p->along];
  const int most = p->domain.periodic[p->along];
  int n = 0;
  for (int along = -most; along <= most && c->source >= 0; ++along) {
    if (!stands(c, along)) continue;
    int periods[3];
    periods[p->across[0]] = c->period[0], periods[p->across[1]] = c->period[1];
    periods[p->along] = along;
    for (int k = p->column[c->source]; k < p->column[c->source + 1]; ++k) {
      const double lo = p->low[k] + along * length, hi = p->high[k] + along * length;
      if (hi < -reach || lo > length + reach) continue;
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
  memset(p->guest_at, 0, ((size_t)p->nclusters + 1) * sizeof *p->guest_at);
  for (int g = 0; g < p->nguests; ++g) ++p->guest_at[p->guest[g].source + 1];
  for (int c = 0; c < p->nclusters; ++c) p->guest_at[c + 1] += p->guest_at[c];
  for (int g = 0; g < p->nguests; ++g) p->guest_of[p->guest_at[p->guest[g].source]++] = g;
  memmove(p->guest_at + 1, p->guest_at, (size_t)p->nclusters * sizeof *p->guest_at);
  p->guest_at[0] = 0;
}

int pel__guests_create(pel__particles *p, double reach, pel_error *e) {
  int rows[2];
  for (int a = 0; a < 2; ++a) {
    const bool periodic = p->domain.periodic[p->across[a]];
    p->beyond[a] = periodic ? (int)fmin(ceil(reach / p->width[a]), p->ncolumns[a]) : 0;
    rows[a] = p->ncolumns[a] + 2 * p->beyond[a];
  }
  const int columns = rows[0] * rows[1];
  if (columns > p->guest_column_room) {
    p->guest_column = realloc(p->guest_column, ((size_t)columns + 1) * sizeof *p->guest_column);
    p->guest_column_room = columns;
  }
  int *start = p->guest_column;
#pragma omp parallel for num_threads(p->threads) schedule(static)
  for (int k = 0; k < columns; ++k) {
    const column c = column_at(p, k / rows[1] - p->beyond[0], k % rows[1] - p->beyond[1]);
    start[k + 1] = fill_column(p, &c, reach, NULL, NULL, NULL);
  }
  start[0] = p->nclusters;
  for (int k = 0; k < columns; ++k) start[k + 1] += start[k];
  if (pel__particles_reserve(p, start[columns] + 1, e)) return e->code;
  p->nguests = start[columns] - p->nclusters;
#pragma omp parallel for num_threads(p->threads) schedule(static)
  for (int k = 0; k < columns; ++k) {
    const column c = column_at(p, k / rows[1] - p->beyond[0], k % rows[1] - p->beyond[1]);
    fill_column(p, &c, reach, p->guest + (start[k] - p->nclusters), p->low + start[k],
                p->high + start[k]);
  }
  index_sources(p);
#pragma omp parallel for num_threads(p->threads) schedule(static)
  for (int g = 0; g < p->nguests; ++g)
    *(pel_int4 *)(p->type + (ptrdiff_t)(p->nclusters + g) * PEL_LANES) =
        *(const pel_int4 *)(p->type + (ptrdiff_t)p->guest[g].source * PEL_LANES);
  pel__guests_refresh(p);
  return PEL_OK;
}

void pel__guests_refresh(pel__particles *p) {
#pragma omp parallel for num_threads(p->threads) schedule(static)
  for (int g = 0; g < p->nguests; ++g) {
    const ptrdiff_t to = (ptrdiff_t)(p->nclusters + g) * PEL_LANES,
                    from = (ptrdiff_t)p->guest[g].source * PEL_LANES;
    for (int a = 0; a < 3; ++a)
      *(pel_double4 *)(p->x[a] + to) =
          *(const pel_double4 *)(p->x[a] + from) + pel_all(p->guest[g].shift[a]);
  }
}
