/* y[out] = y0 + sum_j a[j]*(y[j] - y0) + b*dt*rate: the last, point-wise stage of a substage. */
#include <immintrin.h>

#include "plan.h"

/* A cache line.  Element by element the same operations as the scalar code: the same bits. */
enum { LANES = 8 };
typedef double line __attribute__((vector_size(LANES * sizeof(double))));

/* The terms that a substage has, in order; the same for every cell. */
typedef struct {
  int n;
  double a[PEL__SLOTS], b;
  const double *y[PEL__SLOTS], *y0, *rate;
  double *out;
  const double *far, *near; /* what to fetch into the L2 and the L1 cache, or NULL */
} terms;

static inline void store(double *to, line x, bool stream) {
  if (!stream) {
    *(line *)to = x;
    return;
  }
#if defined __AVX512F__
  _mm512_stream_pd(to, (__m512d)x);
#elif defined __AVX__
  for (int i = 0; i < LANES; i += 4)
    _mm256_stream_pd(to + i, (__m256d){x[i], x[i + 1], x[i + 2], x[i + 3]});
#else
  for (int i = 0; i < LANES; i += 2) _mm_stream_pd(to + i, (__m128d){x[i], x[i + 1]});
#endif
}

/* 0 as long as every x was finite, NaN ever after; one fused operation where there is one. */
static inline line watched(line watch, line x) {
#if defined __AVX512F__
  return (line)_mm512_fmadd_pd((__m512d)x, _mm512_setzero_pd(), (__m512d)watch);
#else
  return watch + x * (line){0};
#endif
}

/* Whole cache lines [p, end).  n and stream are constants after inlining.  The prefetchers of
 * processors stop at the end of a page, so that a stencil meets main memory at full latency on
 * every row: fetch what comes next while this is stored.  Returns what watched() makes of the
 * cells. */
static inline __attribute__((always_inline)) line lines(const terms *c, const int n,
                                                        const bool stream, ptrdiff_t p,
                                                        ptrdiff_t end) {
  const double *const y0 = c->y0, *const rate = c->rate;
  const double *const far = c->far, *const near = c->near;
  double *const out = c->out;
  line watch = {0};
  for (; p < end; p += LANES) {
    const line y = *(const line *)(y0 + p);
    line sum = c->b * *(const line *)(rate + p);
    for (int j = 0; j < n; ++j) sum += c->a[j] * (*(const line *)(c->y[j] + p) - y);
    const line x = y + sum;
    if (far) __builtin_prefetch(far + p, 0, 2);
    if (near) __builtin_prefetch(near + p, 0, 3);
    watch = watched(watch, x);
    store(out + p, x, stream);
  }
  return watch;
}

static line lines_any(const terms *c, bool stream, ptrdiff_t p, ptrdiff_t end) {
  switch (c->n + PEL__SLOTS * stream) {
    case 0:
      return lines(c, 0, false, p, end);
    case 1:
      return lines(c, 1, false, p, end);
    case 2:
      return lines(c, 2, false, p, end);
    case 3:
      return lines(c, 3, false, p, end);
    case PEL__SLOTS:
      return lines(c, 0, true, p, end);
    case PEL__SLOTS + 1:
      return lines(c, 1, true, p, end);
    case PEL__SLOTS + 2:
      return lines(c, 2, true, p, end);
    default:
      return lines(c, 3, true, p, end);
  }
}

/* The ends of a row that fill no cache line. */
static double cells(const terms *c, ptrdiff_t p, ptrdiff_t end) {
  double watch = 0;
  for (; p < end; ++p) {
    double sum = c->b * c->rate[p];
    for (int j = 0; j < c->n; ++j) sum += c->a[j] * (c->y[j][p] - c->y0[p]);
    const double x = c->y0[p] + sum;
    watch += x - x;
    c->out[p] = x;
  }
  return watch;
}

bool pel__advance(const pel_tile *t, const pel__substage *sub, double *const y[PEL__SLOTS],
                  const double *rate, double dt, bool stream, pel__fetch fetch) {
  terms c = {.b = sub->b * dt, .y0 = y[0], .rate = rate, .out = y[sub->out]};
  if (fetch.far) c.far = y[sub->in] + fetch.far;
  if (fetch.near) c.near = y[sub->in] + fetch.near;
  for (int j = 1; j < PEL__SLOTS; ++j)
    if (sub->a[j] != 0) c.a[c.n] = sub->a[j], c.y[c.n++] = y[j];
  double ends = 0;
  line watch = {0};
  PEL_ROWS(t, j, k, p0, p1) {
    /* Rows of blocks and of scratch share their alignment (layout.h): p decides for all. */
    const ptrdiff_t up = p0 + (LANES - ((p0 % LANES) + LANES) % LANES) % LANES;
    const ptrdiff_t first = up < p1 ? up : p1, last = first + (p1 - first) / LANES * LANES;
    ends += cells(&c, p0, first) + cells(&c, last, p1);
    watch += lines_any(&c, stream, first, last);
  }
  for (int i = 0; i < LANES; ++i) ends += watch[i];
  return ends == 0;
}
