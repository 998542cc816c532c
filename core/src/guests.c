/* Guests: clusters of other ranks that stand near this rank's blocks.  Each rank finds which of its
 * own clusters are near whose blocks, and sends these clusters' positions whenever they are wanted;
 * forces on guests are their owner's affair, which evaluates the same pairs from the other side. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "particles.h"
#include "pelsim/memory.h"
#include "whereabouts.h"

enum { TAG = 3, AXES = 3 };

/* What is told of a cluster when it becomes a guest. */
typedef struct {
  int64_t id[PEL_LANES];
  double shift[AXES];
  double low, high; /* along the sort axis, where it stands as a guest */
  int32_t type[PEL_LANES];
  int32_t column[2];
} introduction;

static void *grown(void *old, size_t n, size_t bytes) {
  void *p = pel_realloc(old, n * bytes + 1);
  return p;
}

/* ---- who is near whom ---- */

static double between(double lo, double hi, double from, double to) {
  return fmax(fmax(from - hi, lo - to), 0);
}

/* Marks the clusters within reach of a block of a peer. */
static void mark(const pel__particles *p, const pel__near *b, double reach, char *near) {
  const pel__columns *c = &p->own;
  const double *length = p->domain.length;
  double low[3], high[3];
  int from[2], to[2];
  for (int a = 0; a < AXES; ++a) low[a] = b->low[a] * length[a], high[a] = b->high[a] * length[a];
  for (int a = 0; a < 2; ++a) {
    const int axis = p->across[a];
    const double w = p->width[a];
    from[a] = (int)fmax(floor((low[axis] - reach) / w) - 1 - c->first[a], 0);
    to[a] = (int)fmin(floor((high[axis] + reach) / w) + 2 - c->first[a], c->n[a]);
  }
  const double limit = reach * reach * (1 + 1e-12);
  for (int i = from[0]; i < to[0]; ++i)
    for (int j = from[1]; j < to[1]; ++j) {
      const int at[2] = {c->first[0] + i, c->first[1] + j};
      double r2 = 0;
      for (int a = 0; a < 2; ++a) {
        const int axis = p->across[a];
        const double x = at[a] * p->width[a],
                     d = between(x, x + p->width[a], low[axis], high[axis]);
        r2 += d * d;
      }
      if (r2 > limit) continue;
      const int *start = &c->start[i * c->n[1] + j];
      for (int k = start[0]; k < start[1]; ++k) {
        const double d = between(p->low[k], p->high[k], low[p->along], high[p->along]);
        if (r2 + d * d <= limit) near[k] = 1;
      }
    }
}

/* What goes to the peers: for each peer and period, the clusters near one of its blocks there. */
static void find_send(pel__particles *p, double reach) {
  const pel__regions *r = p->regions;
  pel__guests *g = &p->guests;
  char *near = pel_calloc((size_t)p->nclusters + 1, 1);
  memset(g->sent, 0, (size_t)r->npeers * sizeof *g->sent);
  g->nsend = 0;
  for (int i = 0, end; i < r->nnear; i = end) {
    const pel__near *b = &r->near[i];
    for (end = i; end < r->nnear && r->near[end].peer == b->peer &&
                  memcmp(r->near[end].period, b->period, sizeof b->period) == 0;
         ++end)
      mark(p, &r->near[end], reach, near);
    for (int k = 0; k < p->nclusters; ++k) {
      if (!near[k]) continue;
      near[k] = 0;
      if (g->nsend == g->send_room) {
        g->send_room = 2 * g->send_room + 64;
        g->send = grown(g->send, (size_t)g->send_room, sizeof *g->send);
      }
      pel__image *s = &g->send[g->nsend++];
      s->source = k;
      pel__domain_shift(&p->domain, b->period, s->shift);
      ++g->sent[b->peer];
    }
  }
  free(near);
}

/* ---- introductions ---- */

static introduction introduce(const pel__particles *p, const pel__image *s, int column) {
  introduction x;
  const ptrdiff_t at = (ptrdiff_t)s->source * PEL_LANES;
  memcpy(x.id, p->id + at, sizeof x.id);
  memcpy(x.type, p->type + at, sizeof x.type);
  memcpy(x.shift, s->shift, sizeof x.shift);
  x.low = p->low[s->source] + s->shift[p->along];
  x.high = p->high[s->source] + s->shift[p->along];
  const int own[2] = {column / p->own.n[1], column % p->own.n[1]};
  for (int a = 0; a < 2; ++a) {
    const double periods = s->shift[p->across[a]] / p->domain.length[p->across[a]];
    x.column[a] = p->own.first[a] + own[a] + (int)nearbyint(periods) * p->ncolumns[a];
  }
  return x;
}

/* Of all that is sent; they follow each other by cluster within a peer and period. */
static introduction *introduce_all(const pel__particles *p) {
  const pel__guests *g = &p->guests;
  introduction *x = grown(NULL, (size_t)g->nsend, sizeof *x);
  for (int i = 0, column = 0; i < g->nsend; ++i) {
    if (i > 0 && g->send[i].source < g->send[i - 1].source) column = 0;
    while (p->own.start[column + 1] <= g->send[i].source) ++column;
    x[i] = introduce(p, &g->send[i], column);
  }
  return x;
}

typedef struct {
  int column, number; /* of arrival */
  double low;
} guest_key;

static int by_column(const void *a, const void *b) {
  const guest_key *x = a, *y = b;
  if (x->column != y->column) return x->column < y->column ? -1 : 1;
  if (x->low != y->low) return x->low < y->low ? -1 : 1;
  return (x->number > y->number) - (x->number < y->number);
}

static void find_window(pel__columns *c, const introduction *x, int n) {
  for (int a = 0; a < 2; ++a) {
    int least = 0, most = -1;
    for (int i = 0; i < n; ++i) {
      if (i == 0 || x[i].column[a] < least) least = x[i].column[a];
      if (i == 0 || x[i].column[a] > most) most = x[i].column[a];
    }
    c->first[a] = least, c->n[a] = most - least + 1;
  }
  pel__columns_reserve(c);
}

/* Guests in order of column and place along it. */
static void seat(pel__particles *p, const introduction *x, int n) {
  pel__guests *g = &p->guests;
  const int first = p->nclusters + p->nimages;
  g->first = first, g->n = 0;
  find_window(&g->column, x, n);
  pel__particles_reserve(p, first + n + 1);
  g->n = n;
  if (n > g->room) {
    g->room = n + n / 4 + 64;
    g->place = grown(g->place, (size_t)g->room, sizeof *g->place);
    g->shift = grown(g->shift, (size_t)g->room, sizeof *g->shift);
  }
  guest_key *k = grown(NULL, (size_t)n, sizeof *k);
  for (int i = 0; i < n; ++i)
    k[i] = (guest_key){(x[i].column[0] - g->column.first[0]) * g->column.n[1] + x[i].column[1] -
                           g->column.first[1],
                       i, x[i].low};
  qsort(k, (size_t)n, sizeof *k, by_column);
  int *start = g->column.start, columns = n ? g->column.n[0] * g->column.n[1] : 0;
  for (int c = 0, i = 0; c <= columns && n; ++c) {
    while (i < n && k[i].column < c) ++i;
    start[c] = first + i;
  }
  for (int i = 0; i < n; ++i) {
    const introduction *y = &x[k[i].number];
    const ptrdiff_t at = (ptrdiff_t)(first + i) * PEL_LANES;
    g->place[k[i].number] = first + i;
    memcpy(g->shift[i], y->shift, sizeof y->shift);
    memcpy(p->id + at, y->id, sizeof y->id);
    memcpy(p->type + at, y->type, sizeof y->type);
    p->low[first + i] = y->low, p->high[first + i] = y->high;
  }
  free(k);
}

int pel__guests_create(pel__particles *p, double reach, pel_error *e) {
  const pel__regions *r = p->regions;
  pel__guests *g = &p->guests;
  g->first = p->nclusters + p->nimages, g->n = 0;
  if (!r || !r->npeers) return PEL_OK;
  if (!g->sent) {
    g->sent = grown(NULL, (size_t)r->npeers, sizeof *g->sent);
    g->got = grown(NULL, (size_t)r->npeers, sizeof *g->got);
    g->request = grown(NULL, 2 * (size_t)r->npeers, sizeof *g->request);
  }
  if (e->code) {
    memset(g->sent, 0, (size_t)r->npeers * sizeof *g->sent);
    g->nsend = 0;
  } else {
    find_send(p, reach);
  }
  const pel__peers peers = pel__regions_peers(r);
  introduction *mine = introduce_all(p);
  introduction *theirs = pel__swap(&peers, sizeof *mine, g->sent, mine, g->got);
  int n = 0;
  for (int i = 0; i < r->npeers; ++i) n += g->got[i];
  if (!e->code) seat(p, theirs, n);
  free(mine), free(theirs);
  return e->code;
}

void pel__guests_destroy(pel__guests *g) {
  free(g->column.start), free(g->shift), free(g->send), free(g->sent), free(g->got);
  free(g->place), free(g->out), free(g->in), free(g->request);
  memset(g, 0, sizeof *g);
}

/* ---- messages ---- */

static double *room_for(double **message, size_t *room, size_t n) {
  if (n > *room) {
    free(*message);
    *room = n + n / 4;
    *message = pel_aligned_alloc(64, (*room + 7) / 8 * 64);
  }
  return *message;
}

void pel__guests_start(pel__particles *p, const pel__copies *c) {
  const pel__regions *r = p->regions;
  pel__guests *g = &p->guests;
  if (!r || !r->npeers || !c->n) return;
  const double t0 = MPI_Wtime();
  const int each = c->n * PEL_LANES; /* doubles a cluster */
  int arriving = 0;
  for (int i = 0; i < r->npeers; ++i) arriving += g->got[i];
  double *out = room_for(&g->out, &g->out_room, (size_t)g->nsend * (size_t)each),
         *in = room_for(&g->in, &g->in_room, (size_t)arriving * (size_t)each);
  g->nrequests = 0;
  for (int i = 0; i < r->npeers; in += (ptrdiff_t)g->got[i++] * each)
    if (g->got[i])
      MPI_Irecv(in, g->got[i] * each, MPI_DOUBLE, r->peer[i], TAG, r->comm,
                &g->request[g->nrequests++]);
#pragma omp parallel for num_threads(p->threads) schedule(static)
  for (int i = 0; i < g->nsend; ++i) {
    const ptrdiff_t from = (ptrdiff_t)g->send[i].source * PEL_LANES;
    for (int k = 0; k < c->n; ++k) {
      const pel__copied *w = &c->what[k];
      const double shift = w->axis < 0 ? 0 : g->send[i].shift[w->axis];
      *(pel_double4 *)(out + (ptrdiff_t)i * each + k * PEL_LANES) =
          *(const pel_double4 *)(*w->at + from) + pel_all(shift);
    }
  }
  for (int i = 0; i < r->npeers; out += (ptrdiff_t)g->sent[i++] * each)
    if (g->sent[i])
      MPI_Isend(out, g->sent[i] * each, MPI_DOUBLE, r->peer[i], TAG, r->comm,
                &g->request[g->nrequests++]);
  g->seconds += MPI_Wtime() - t0;
}

void pel__guests_finish(pel__particles *p, const pel__copies *c) {
  pel__guests *g = &p->guests;
  if (!p->regions || !p->regions->npeers || !c->n) return;
  const double t0 = MPI_Wtime();
  const int each = c->n * PEL_LANES;
  const pel__phase_id before = pel__now_in(PEL__T_HALO);
  MPI_Waitall(g->nrequests, g->request, MPI_STATUSES_IGNORE);
#pragma omp parallel for num_threads(p->threads) schedule(static)
  for (int i = 0; i < g->n; ++i) {
    const ptrdiff_t to = (ptrdiff_t)g->place[i] * PEL_LANES;
    for (int k = 0; k < c->n; ++k)
      *(pel_double4 *)(*c->what[k].at + to) =
          *(const pel_double4 *)(g->in + (ptrdiff_t)i * each + k * PEL_LANES);
  }
  pel__now_in(before);
  g->seconds += MPI_Wtime() - t0;
}
