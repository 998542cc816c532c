/* Particles that have moved into another rank's blocks go there, with all that they carry. */
#include <stdlib.h>
#include <string.h>

#include "particles.h"
#include "pelsim/memory.h"

typedef struct {
  pel__particles *p;
  pel__peers to;
  int *whither; /* [places]: number of a peer, or -1: stays */
  int *count;   /* [to.n]: that leave for each */
} migration;

static int by_rank(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

/* The number of a rank among the peers; -1: none. */
static int number_of(const pel__peers *to, int rank) {
  if (!to->rank) return rank;
  const int *at = bsearch(&rank, to->rank, (size_t)to->n, sizeof rank, by_rank);
  return at ? (int)(at - to->rank) : -1;
}

/* Where the particle at a place belongs; those that are lost stay and are told of. */
static int find_way(const migration *m, int64_t i, pel_error *e) {
  pel__particles *p = m->p;
  if (pel__is_empty(p, i)) return -1;
  if (!pel__particle_wrap(p, i)) {
    pel__particle_lost(p, i, e);
    return -1;
  }
  const double x[3] = {p->x[0][i], p->x[1][i], p->x[2][i]};
  const int rank = pel__regions_owner(p->regions, &p->domain, x);
  if (rank == p->regions->rank) return -1;
  const int peer = number_of(&m->to, rank);
  if (peer < 0)
    pel_error_set(e, PEL_INVALID,
                  "particle %ld has moved past the neighbouring blocks, to (%g, %g, %g), velocity "
                  "(%g, %g, %g); reduce [time] dt",
                  (long)p->id[i], x[0], x[1], x[2], p->v[0][i], p->v[1][i], p->v[2][i]);
  return peer;
}

static void find_ways(migration *m, pel_error *e) {
  const int64_t places = (int64_t)m->p->nclusters * PEL_LANES;
  const int nt = m->p->threads;
  pel_error wrong[nt];
  memset(wrong, 0, sizeof wrong);
#pragma omp parallel for num_threads(nt) schedule(static, 1)
  for (int t = 0; t < nt; ++t)
    for (int64_t i = places * t / nt; i < places * (t + 1) / nt; ++i)
      m->whither[i] = find_way(m, i, &wrong[t]);
  for (int t = 0; t < nt; ++t)
    if (wrong[t].code && !e->code) *e = wrong[t];
  for (int64_t i = 0; i < places; ++i)
    if (m->whither[i] >= 0) ++m->count[m->whither[i]];
}

static size_t record_bytes(const pel__particles *p) {
  size_t bytes = 0;
  for (int c = 0; c < p->ncomponents; ++c)
    if (p->component[c].carried) bytes += (size_t)p->component[c].bytes;
  return bytes;
}

/* Between a place and a record. */
static void put(const pel__particles *p, int64_t place, char *record) {
  for (int c = 0; c < p->ncomponents; ++c) {
    const pel__component *k = &p->component[c];
    const size_t bytes = (size_t)k->bytes;
    if (!k->carried) continue;
    memcpy(record, (const char *)*k->at + (size_t)place * bytes, bytes);
    record += bytes;
  }
}
static void take(const pel__particles *p, int64_t place, const char *record) {
  for (int c = 0; c < p->ncomponents; ++c) {
    const pel__component *k = &p->component[c];
    const size_t bytes = (size_t)k->bytes;
    if (!k->carried) continue;
    memcpy((char *)*k->at + (size_t)place * bytes, record, bytes);
    record += bytes;
  }
}

/* The records of all that leave, by peer; their places become empty. */
static char *pack(migration *m, int64_t *gone) {
  pel__particles *p = m->p;
  const size_t bytes = record_bytes(p);
  int64_t *next = pel_malloc(((size_t)m->to.n + 1) * sizeof *next), sum = 0;
  for (int i = 0; i < m->to.n; sum += m->count[i++]) next[i] = sum;
  char *records = pel_malloc((size_t)sum * bytes + 1);
  for (int64_t i = 0; i < (int64_t)p->nclusters * PEL_LANES; ++i) {
    if (m->whither[i] < 0) continue;
    put(p, i, records + bytes * (size_t)next[m->whither[i]]++);
    p->id[i] = -1;
  }
  free(next);
  *gone = sum;
  return records;
}

static void append(pel__particles *p, const char *records, int64_t n) {
  const size_t bytes = record_bytes(p);
  const int64_t places = (int64_t)p->nclusters * PEL_LANES;
  const int clusters = (int)((places + n + PEL_LANES - 1) / PEL_LANES);
  pel__particles_reserve(p, clusters + 1);
  for (int64_t i = 0; i < n; ++i) take(p, places + i, records + bytes * (size_t)i);
  for (int64_t i = places + n; i < (int64_t)clusters * PEL_LANES; ++i) p->id[i] = -1;
  p->nclusters = clusters;
  p->n += n;
}

int pel__particles_migrate(pel__particles *p, bool far, pel_error *e) {
  const pel__regions *r = p->regions;
  if (!r || r->nranks == 1) return PEL_OK;
  migration m = {.p = p,
                 .to = far ? pel__regions_everyone(r) : pel__regions_peers(r),
                 .whither = p->sort.column};
  m.count = pel_calloc((size_t)m.to.n + 1, sizeof *m.count);
  int *got = pel_calloc((size_t)m.to.n + 1, sizeof *got);
  find_ways(&m, e);
  int64_t gone, come = 0;
  char *out = pack(&m, &gone);
  p->n -= gone;
  char *in = pel__swap(&m.to, record_bytes(p), m.count, out, got);
  for (int i = 0; i < m.to.n; ++i) come += got[i];
  append(p, in, come);
  free(out), free(in), free(m.count), free(got);
  return e->code;
}
