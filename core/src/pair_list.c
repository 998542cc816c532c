#include "pair_list.h"
#include "pelsim/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Four clusters at once: the list need not be the same everywhere, only complete. */
enum { WIDE = 4 * PEL_LANES };
typedef float wide __attribute__((vector_size(4 * WIDE), aligned(4), may_alias));
typedef int32_t four __attribute__((vector_size(16), aligned(4), may_alias));

/* A column that may hold neighbours of the clusters of another: how far along it these may be, and
 * the first that the search has come to.  No cluster that ends before `wake` has any. */
typedef struct {
  double along, wake;
  int first, last;
} run;

typedef struct {
  const pel__particles *p;
  const pel__pair_list *list;
  pel__share *share;
  double reach;
  float limit; /* squared, of what may be within reach */
  run *runs;
  int nruns, run_room;
  int *found[PEL_LANES]; /* clusters in reach of each particle of a cluster */
  int nfound[PEL_LANES], room;
} search;

/* ---- which columns ---- */

static void add_run(search *s, double along, int first, int last) {
  if (first >= last) return;
  if (s->nruns == s->run_room) {
    s->run_room = s->run_room ? 2 * s->run_room : 64;
    s->runs = pel_realloc(s->runs, (size_t)s->run_room * sizeof *s->runs);
  }
  s->runs[s->nruns++] = (run){along, s->p->low[first] - along, first, last};
}

static double gap(int d, double width) { return d == 0 ? 0 : (abs(d) - 1) * width; }

/* Runs of the columns of `in` within reach of column (ca, cb) of the box; ahead: only itself and
 * those beyond it. */
static void find_runs(search *s, const pel__columns *in, bool ahead, int ca, int cb) {
  const pel__particles *p = s->p;
  const int k0 = (int)fmin(ceil(s->reach / p->width[0]), 2 * p->ncolumns[0]),
            k1 = (int)fmin(ceil(s->reach / p->width[1]), 2 * p->ncolumns[1]);
  for (int a = ca - k0; a <= ca + k0; ++a)
    for (int b = cb - k1; b <= cb + k1; ++b) {
      const int i = a - in->first[0], j = b - in->first[1];
      if (i < 0 || i >= in->n[0] || j < 0 || j >= in->n[1]) continue;
      if (ahead && (a < ca || (a == ca && b < cb))) continue;
      const double x = gap(a - ca, p->width[0]), y = gap(b - cb, p->width[1]);
      const double left = s->reach * s->reach - x * x - y * y;
      const int *start = &in->start[i * in->n[1] + j];
      if (left >= 0) add_run(s, sqrt(left) * (1 + 1e-14), start[0], start[1]);
    }
}

/* ---- which clusters ---- */

/* x*x + y */
static inline wide square(wide x, wide y) {
#ifdef __AVX512F__
  return (wide)_mm512_fmadd_ps((__m512)x, (__m512)x, (__m512)y);
#else
  return x * x + y;
#endif
}

/* Bit l: lane l is within the limit. */
static inline unsigned within(wide r2, float limit) {
#if defined __AVX512F__
  return _mm512_cmp_ps_mask((__m512)r2, _mm512_set1_ps(limit), _CMP_LE_OQ);
#elif defined __SSE__
  typedef float quarter __attribute__((vector_size(16)));
  quarter q[4];
  unsigned bits = 0;
  memcpy(q, &r2, sizeof q);
  for (int i = 0; i < 4; ++i)
    bits |= (unsigned)_mm_movemask_ps(_mm_cmple_ps((__m128)q[i], _mm_set1_ps(limit))) << (4 * i);
  return bits;
#else
  unsigned bits = 0;
  for (int l = 0; l < WIDE; ++l) bits |= (unsigned)(r2[l] <= limit) << l;
  return bits;
#endif
}

/* The numbers of the bits that are set, first; and 1 in the place of each. */
static const four front[16] = {{0, 1, 2, 3}, {0, 1, 2, 3}, {1, 1, 2, 3}, {0, 1, 2, 3},
                               {2, 1, 2, 3}, {0, 2, 2, 3}, {1, 2, 2, 3}, {0, 1, 2, 3},
                               {3, 1, 2, 3}, {0, 3, 2, 3}, {1, 3, 2, 3}, {0, 1, 3, 3},
                               {2, 3, 2, 3}, {0, 2, 3, 3}, {1, 2, 3, 3}, {0, 1, 2, 3}};
static const four one[16] = {{0, 0, 0, 0}, {1, 0, 0, 0}, {0, 1, 0, 0}, {1, 1, 0, 0},
                             {0, 0, 1, 0}, {1, 0, 1, 0}, {0, 1, 1, 0}, {1, 1, 1, 0},
                             {0, 0, 0, 1}, {1, 0, 0, 1}, {0, 1, 0, 1}, {1, 1, 0, 1},
                             {0, 0, 1, 1}, {1, 0, 1, 1}, {0, 1, 1, 1}, {1, 1, 1, 1}};

static void reserve_found(search *s, int more) {
  int most = 0;
  for (int r = 0; r < PEL_LANES; ++r) most = s->nfound[r] > most ? s->nfound[r] : most;
  if (most + more + 4 <= s->room) return; /* four are written */
  s->room = 2 * (most + more) + 256;
  for (int r = 0; r < PEL_LANES; ++r)
    s->found[r] = pel_realloc(s->found[r], (size_t)s->room * sizeof **s->found);
}

/* The particles of a cluster. */
typedef struct {
  wide x[PEL_LANES], y[PEL_LANES], z[PEL_LANES];
} home;

/* Which of clusters j .. j+3 are near which particle r: bit k of the r-th 16 bits. */
static inline uint64_t near_four(const search *s, const home *h, int j) {
  const ptrdiff_t at = (ptrdiff_t)j * PEL_LANES;
  const wide x = *(const wide *)(s->list->place[0] + at),
             y = *(const wide *)(s->list->place[1] + at),
             z = *(const wide *)(s->list->place[2] + at);
  uint64_t m = 0;
#pragma GCC unroll 4
  for (int r = 0; r < PEL_LANES; ++r) {
    const wide dx = h->x[r] - x, dy = h->y[r] - y, dz = h->z[r] - z;
    m |= (uint64_t)within(square(dx, square(dy, dz * dz)), s->limit) << (16 * r);
  }
  m = (m | m >> 1 | m >> 2 | m >> 3) & UINT64_C(0x1111111111111111); /* any of its particles */
  return (m | m >> 3 | m >> 6 | m >> 9) & UINT64_C(0x000f000f000f000f);
}

/* Entries of the rows of cluster c. */
static void find(search *s, int c) {
  const pel__particles *p = s->p;
  const double *low_of = p->low, *high_of = p->high, from = low_of[c], to = high_of[c];
  int n[PEL_LANES] = {0}, *hits = s->share->hits;
  home h;
  for (int r = 0; r < PEL_LANES; ++r) {
    const ptrdiff_t i = (ptrdiff_t)c * PEL_LANES + r;
    const wide zero = {0};
    h.x[r] = zero + s->list->place[0][i], h.y[r] = zero + s->list->place[1][i];
    h.z[r] = zero + s->list->place[2][i];
  }
  memset(s->nfound, 0, sizeof s->nfound);
  for (run *u = s->runs; u < s->runs + s->nruns; ++u) {
    if (to < u->wake) continue;
    while (u->first < u->last && (high_of[u->first] < from - u->along || u->first <= c)) ++u->first;
    const double top = to + u->along;
    for (int j = u->first; j < u->last && low_of[j] <= top; j += 4) {
      const int left = u->last - j;
      uint64_t m = near_four(s, &h, j);
      if (left < 4) m &= UINT64_C(0x0001000100010001) * ((1u << left) - 1);
      if (n[0] + 8 > s->room || n[1] + 8 > s->room || n[2] + 8 > s->room || n[3] + 8 > s->room) {
        memcpy(s->nfound, n, sizeof n);
        reserve_found(s, 8);
      }
      four sum = *(four *)(hits + j);
#pragma GCC unroll 4
      for (int r = 0; r < PEL_LANES; ++r) {
        const unsigned k = m >> (16 * r) & 15;
        *(four *)(s->found[r] + n[r]) = j + front[k];
        n[r] += __builtin_popcount(k);
        sum += one[k];
      }
      *(four *)(hits + j) = sum;
    }
  }
  memcpy(s->nfound, n, sizeof n);
}

/* before: clusters that a row has before these. */
static void append(search *s, pel__rows *h, int c, int before) {
  size_t need = h->nentries + PEL_LANES;
  int *row = h->row + (ptrdiff_t)(c - s->share->first) * PEL_LANES;
  for (int r = 0; r < PEL_LANES; ++r) need += (size_t)s->nfound[r];
  if (need > h->room) {
    h->room = need + need / 2 + 1024;
    h->entry = pel_realloc(h->entry, h->room * sizeof *h->entry);
  }
  for (int r = 0; r < PEL_LANES; ++r) {
    if (s->nfound[r]) /* else there may be no memory yet */
      memcpy(h->entry + h->nentries, s->found[r], (size_t)s->nfound[r] * sizeof *h->entry);
    h->nentries += (size_t)s->nfound[r];
    if (s->list->paired && (s->nfound[r] + before) % 2)
      h->entry[h->nentries++] = pel__nall(s->p); /* which is empty */
    row[r + 1] = (int)h->nentries;
  }
}

/* ---- a thread's share ---- */

static void prepare(pel__share *h, const pel__particles *p, double split0, double split1,
                    bool paired) {
  const int clusters = pel__nall(p) + 4; /* four are looked at together */
  h->first = (int)(split0 * p->nclusters), h->last = (int)(split1 * p->nclusters);
  const size_t rows = (size_t)(h->last - h->first) * PEL_LANES + 1;
  for (pel__rows *r = h->rows; r < h->rows + PEL__KINDS; ++r) {
    if (rows > r->row_room) {
      r->row_room = rows + rows / 4;
      r->row = pel_realloc(r->row, r->row_room * sizeof *r->row);
    }
    r->nentries = 0;
    r->row[0] = 0;
  }
  if (clusters > h->hits_room) {
    h->hits_room = clusters + clusters / 4;
    h->hits = pel_realloc(h->hits, (size_t)h->hits_room * sizeof *h->hits);
  }
  memset(h->hits, 0, (size_t)clusters * sizeof *h->hits);
  if (paired && h->last - h->first >= h->large_room) {
    h->large_room = (h->last - h->first) * 5 / 4 + 16;
    h->large = pel_realloc(h->large, (size_t)h->large_room * sizeof *h->large);
  }
}

static void find_touched(pel__share *h, const pel__particles *p) {
  const int end = pel__nall(p);
  h->owned_end = p->nclusters, h->copy_first = p->nclusters, h->copy_end = end;
  while (h->owned_end > h->last && !h->hits[h->owned_end - 1]) --h->owned_end;
  while (h->copy_first < end && !h->hits[h->copy_first]) ++h->copy_first;
  while (h->copy_end > h->copy_first && !h->hits[h->copy_end - 1]) --h->copy_end;
}

/* Rows of the clusters [from, to) of column k. */
static void build_column(search *s, int k, int from, int to) {
  const pel__particles *p = s->p;
  const int a = p->own.first[0] + k / p->own.n[1], b = p->own.first[1] + k % p->own.n[1];
  for (int kind = 0; kind < PEL__KINDS; ++kind) {
    s->nruns = 0;
    if (kind == PEL__WITH_OWN) {
      find_runs(s, &p->own, true, a, b);
      if (p->nimages) find_runs(s, &p->beside, false, a, b);
    } else if (p->guests.n) {
      find_runs(s, &p->guests.column, false, a, b);
    }
    for (int c = from; c < to; ++c) {
      find(s, c);
      append(s, &s->share->rows[kind], c, kind == PEL__WITH_OWN);
      if (kind == PEL__WITH_OWN) s->share->hits[c] += PEL_LANES; /* the pairs within the cluster */
    }
  }
}

/* The most that is added to one place: by rows of others, and by its own. */
static int64_t most_summands(const pel__share *h, const pel__particles *p) {
  int64_t most = 1;
  for (int c = 0; c < pel__nall(p); ++c) {
    int64_t longest = 0;
    for (int r = 0; r < PEL_LANES && c >= h->first && c < h->last; ++r) {
      int64_t n = 0;
      for (const pel__rows *k = h->rows; k < h->rows + PEL__KINDS; ++k) {
        const int *row = k->row + (ptrdiff_t)(c - h->first) * PEL_LANES + r;
        n += (int64_t)(row[1] - row[0]) * PEL_LANES;
      }
      longest = n > longest ? n : longest;
    }
    most = h->hits[c] + longest > most ? h->hits[c] + longest : most;
  }
  return most + PEL_LANES;
}

static void build_share(pel__pair_list *l, const pel__particles *p, pel__share *h) {
  const double reach = l->cutoff + l->skin, most = reach + l->blur;
  search s = {
      .p = p, .list = l, .share = h, .reach = reach, .limit = (float)(most * most * 1.00001)};
  reserve_found(&s, 1);
  for (int k = 0; k < p->own.n[0] * p->own.n[1]; ++k) {
    const int *start = &p->own.start[k];
    const int from = start[0] > h->first ? start[0] : h->first,
              to = start[1] < h->last ? start[1] : h->last;
    if (from < to) build_column(&s, k, from, to);
  }
  find_touched(h, p);
  h->summands = l->paired ? most_summands(h, p) : 0;
  free(s.runs);
  for (int r = 0; r < PEL_LANES; ++r) free(s.found[r]);
}

static size_t entries_of(const pel__share *h) {
  return h->rows[PEL__WITH_OWN].nentries + h->rows[PEL__WITH_GUESTS].nentries;
}

/* Shares of equal work next time, as if rows within a share were equally long. */
static void balance(pel__pair_list *l) {
  const int n = l->nshares;
  double old[n + 1], begin = 0;
  memcpy(old, l->split, sizeof old);
  for (int t = 1, s = 0; t < n; ++t) {
    const double want = (double)l->entries * t / n;
    while (s < n - 1 && begin + (double)entries_of(&l->share[s]) < want)
      begin += (double)entries_of(&l->share[s++]);
    const double part = (want - begin) / fmax((double)entries_of(&l->share[s]), 1);
    l->split[t] = old[s] + fmin(part, 1) * (old[s + 1] - old[s]);
  }
}

int pel__pair_list_fit(pel__pair_list *l, const pel__domain *d, double skin, pel_error *e) {
  for (int a = 0; a < d->dims; ++a) {
    if (d->periodic[a] && 2 * l->cutoff > d->length[a])
      return pel_error_set(e, PEL_USAGE,
                           "the cut-off %g is more than half the box, %g along axis %c; use a "
                           "larger box or a smaller cut-off",
                           l->cutoff, d->length[a], "xyz"[a]);
    if (d->periodic[a]) skin = fmin(skin, d->length[a] - l->cutoff);
  }
  l->skin = skin;
  return PEL_OK;
}

int pel__pair_list_create(pel__pair_list *l, const pel__particles *p, double cutoff, double skin,
                          pel_error *e) {
  *l = (pel__pair_list){.cutoff = cutoff};
  if (pel__pair_list_fit(l, &p->domain, skin, e)) return e->code;
  l->nshares = p->threads;
  l->share = pel_calloc((size_t)l->nshares, sizeof *l->share);
  l->split = pel_calloc((size_t)l->nshares + 1, sizeof *l->split);
  for (int t = 0; t <= l->nshares; ++t) l->split[t] = (double)t / l->nshares;
  return PEL_OK;
}

void pel__pair_list_destroy(pel__pair_list *l) {
  for (int t = 0; t < l->nshares; ++t) {
    for (int k = 0; k < PEL__KINDS; ++k)
      free(l->share[t].rows[k].row), free(l->share[t].rows[k].entry);
    free(l->share[t].hits), free(l->share[t].large);
  }
  pel__packed_destroy(&l->packed);
  free(l->share), free(l->split), free(l->place[0]), free(l->place[1]), free(l->place[2]);
  memset(l, 0, sizeof *l);
}

/* Positions from the middle of what this rank has, rounded. */
static void find_places(pel__pair_list *l, const pel__particles *p) {
  const int64_t places = (int64_t)pel__nall(p) * PEL_LANES;
  double far = 0;
  if (pel__nall(p) + 4 > l->place_room) {
    l->place_room = (pel__nall(p) + pel__nall(p) / 4 + 64) / 4 * 4; /* whole cache lines */
    for (int a = 0; a < 3; ++a) {
      free(l->place[a]);
      l->place[a] = pel_aligned_alloc(64, (size_t)l->place_room * PEL_LANES * sizeof **l->place);
    }
  }
  for (int a = 0; a < 3; ++a) {
    const double low = p->regions ? p->regions->low[a] : 0,
                 high = p->regions ? p->regions->high[a] : 1,
                 middle = (low + high) / 2 * p->domain.length[a];
    far = fmax(far, (high - low) / 2 * p->domain.length[a]);
    float *to = l->place[a];
    const double *x = p->x[a];
#pragma omp parallel for num_threads(p->threads) schedule(static)
    for (int64_t i = 0; i < places; ++i) to[i] = (float)(x[i] - middle);
  }
  l->blur = 0x1p-22 * (far + l->cutoff + l->skin);
}

/* The empty cluster after all others. */
static void set_blank(pel__particles *p) {
  const int64_t first = (int64_t)pel__nall(p) * PEL_LANES;
  for (int64_t i = first; i < first + PEL_LANES; ++i) {
    p->id[i] = -1, p->type[i] = 0;
    for (int a = 0; a < 3; ++a) p->x[a][i] = pel__nowhere(p, i);
  }
}

/* All know of failure on any, and that no particle is lost. */
static int agree(const pel__particles *p, pel_error *e) {
  if (!p->regions || p->regions->nranks == 1) return e->code;
  int64_t x[2] = {e->code != 0, p->n};
  MPI_Allreduce(MPI_IN_PLACE, x, 2, MPI_INT64_T, MPI_SUM, p->regions->comm);
  if (x[0] == 0 && x[1] != p->total)
    pel_error_set(e, PEL_INTERNAL, "there are %ld particles where %ld should be", (long)x[1],
                  (long)p->total);
  return x[0] ? pel__agree_error(p->regions->comm, e) : e->code;
}

int pel__pair_list_build(pel__pair_list *l, pel__particles *p, bool far, pel_error *e) {
  const double reach = l->cutoff + l->skin;
  if (p->regions) pel__regions_check(p->regions, &p->domain, reach, e);
  pel__particles_migrate(p, far, e);
  if (!e->code && !pel__particles_sort(p, e)) pel__images_create(p, reach);
  pel__guests_create(p, reach, e);
  if (agree(p, e)) return e->code;
  pel__refresh(p, pel__positions(p));
  find_places(l, p);
  set_blank(p);
#pragma omp parallel for num_threads(l->nshares) schedule(static, 1)
  for (int t = 0; t < l->nshares; ++t) {
    prepare(&l->share[t], p, l->split[t], l->split[t + 1], l->paired);
    build_share(l, p, &l->share[t]);
  }
  l->entries = 0, l->summands = 1;
  for (const pel__share *h = l->share; h < l->share + l->nshares; ++h) {
    l->entries += (int64_t)entries_of(h);
    l->summands = h->summands > l->summands ? h->summands : l->summands;
  }
  balance(l);
  l->fresh = true;
  ++l->builds;
  return PEL_OK;
}

/* ---- questions ---- */

/* sides: how often the pair is evaluated. */
typedef void visit(void *ctx, int64_t i, int64_t j, double r2, int sides);

/* The pairs of place i with the clusters of a list. */
static void each_of(const pel__particles *p, int64_t i, const int *entry, const int *end, int sides,
                    visit *tell, void *ctx) {
  for (; entry < end; ++entry)
    for (int64_t j = (int64_t)*entry * PEL_LANES; j < ((int64_t)*entry + 1) * PEL_LANES; ++j) {
      const double dx = p->x[0][i] - p->x[0][j], dy = p->x[1][i] - p->x[1][j],
                   dz = p->x[2][i] - p->x[2][j];
      if (*entry != i / PEL_LANES || j > i)
        tell(ctx, i, j, fma(dx, dx, fma(dy, dy, dz * dz)), sides);
    }
}

static void each_pair(const pel__pair_list *l, const pel__particles *p, visit *tell, void *ctx) {
  for (const pel__share *h = l->share; h < l->share + l->nshares; ++h)
    for (int64_t i = (int64_t)h->first * PEL_LANES; i < (int64_t)h->last * PEL_LANES; ++i) {
      const int own = (int)(i / PEL_LANES);
      if (pel__is_empty(p, i)) continue;
      each_of(p, i, &own, &own + 1, 1, tell, ctx);
      for (int k = 0; k < PEL__KINDS; ++k) {
        const pel__rows *r = &h->rows[k];
        const int *row = r->row + (i - (int64_t)h->first * PEL_LANES);
        each_of(p, i, r->entry + row[0], r->entry + row[1], 1 + (k == PEL__WITH_GUESTS), tell, ctx);
      }
    }
}

typedef struct {
  double r2, count;
} counted;

static void count(void *ctx, int64_t i, int64_t j, double r2, int sides) {
  counted *a = ctx;
  (void)i, (void)j;
  if (r2 < a->r2) a->count += 1. / sides;
}

double pel__pair_list_count(const pel__pair_list *l, const pel__particles *p, double r) {
  counted a = {.r2 = r * r};
  each_pair(l, p, count, &a);
  return a.count;
}

typedef struct {
  const pel__particles *p;
  double r2;
  int64_t i, j; /* places, that with the lower id first */
} nearest;

static void look(void *ctx, int64_t i, int64_t j, double r2, int sides) {
  nearest *a = ctx;
  const int64_t *id = a->p->id;
  (void)sides;
  if (r2 > a->r2 || id[j] < 0) return;
  const int64_t first = id[i] < id[j] ? i : j, second = first == i ? j : i;
  if (r2 == a->r2 && a->i >= 0 &&
      (id[first] > id[a->i] || (id[first] == id[a->i] && id[second] >= id[a->j])))
    return;
  a->r2 = r2, a->i = first, a->j = second;
}

pel__closest pel__pair_list_closest(const pel__pair_list *l, const pel__particles *p) {
  nearest a = {p, INFINITY, -1, -1};
  each_pair(l, p, look, &a);
  if (a.i < 0) return (pel__closest){.r = INFINITY};
  return (pel__closest){.r = sqrt(a.r2), .id = {p->id[a.i], p->id[a.j]}, .at = pel__inside(p, a.i)};
}
