/* y[out] = y0 + sum_j a[j]*(y[j] - y0) + b*dt*rate: the last, point-wise stage of a substage. */
#include <immintrin.h>

#include "plan.h"

enum { LANES = 8 }; /* doubles of a cache line */

/* The terms that a substage has, in order; the same for every cell. */
typedef struct {
  int n;
  double a[PEL__SLOTS], b;
  const double *y[PEL__SLOTS];
} terms;

static inline double combine(const terms *c, int n, double y0, double rate, ptrdiff_t p) {
  double sum = c->b * rate;
  for (int j = 0; j < n; ++j) sum += c->a[j] * (c->y[j][p] - y0);
  return y0 + sum;
}

/* n is a constant after inlining: one loop a count of terms, each vectorised.  The result goes to
 * `to`, which is out itself or a line that is then streamed past the caches. */
static inline __attribute__((always_inline)) double row(const terms *restrict c, const int n,
                                                        const double *y0, const double *rate,
                                                        double *out, ptrdiff_t p0, ptrdiff_t p1) {
  double watch = 0; /* x - x is 0, or NaN if x is not finite */
#pragma omp simd reduction(+ : watch)
  for (ptrdiff_t p = p0; p < p1; ++p) {
    const double x = combine(c, n, y0[p], rate[p], p);
    watch += x - x;
    out[p] = x;
  }
  return watch;
}

static double row_any(const terms *c, const double *y0, const double *rate, double *out,
                      ptrdiff_t p0, ptrdiff_t p1) {
  switch (c->n) {
    case 0:
      return row(c, 0, y0, rate, out, p0, p1);
    case 1:
      return row(c, 1, y0, rate, out, p0, p1);
    case 2:
      return row(c, 2, y0, rate, out, p0, p1);
    default:
      return row(c, 3, y0, rate, out, p0, p1);
  }
}

/* Streams whole cache lines of a row; the ends go the ordinary way. */
static void stream_line(double *to, const double *from) {
#if defined __AVX512F__
  _mm512_stream_pd(to, _mm512_load_pd(from));
#elif defined __AVX__
  for (int i = 0; i < LANES; i += 4) _mm256_stream_pd(to + i, _mm256_load_pd(from + i));
#else
  for (int i = 0; i < LANES; i += 2) _mm_stream_pd(to + i, _mm_load_pd(from + i));
#endif
}

/* The prefetchers of processors stop at the end of a page, so that a stencil meets main memory at
 * full latency on every row: fetch what the thread's next tile will read, while this one is stored.
 */
static void fetch(const double *next, ptrdiff_t n) {
  for (ptrdiff_t q = 0; next && q < n; q += LANES) __builtin_prefetch(next + q, 0, 2);
}

static double row_streamed(const terms *c, const double *y0, const double *rate, double *out,
                           const double *next, ptrdiff_t p0, ptrdiff_t p1) {
  enum { PIECE = 8 * LANES };
  double buffer[PIECE] __attribute__((aligned(64)));
  double watch = 0;
  ptrdiff_t p = p0;
  const ptrdiff_t aligned = p0 + (LANES - (ptrdiff_t)(((uintptr_t)(out + p0) / 8) % LANES)) % LANES;
  if (aligned > p0 && aligned <= p1) watch += row_any(c, y0, rate, out, p0, p = aligned);
  for (; p + LANES <= p1;) {
    const ptrdiff_t n = (p1 - p < PIECE ? p1 - p : PIECE) / LANES * LANES;
    fetch(next ? next + p : NULL, n);
    watch += row_any(c, y0, rate, buffer - p, p, p + n);
    for (ptrdiff_t q = 0; q < n; q += LANES) stream_line(out + p + q, buffer + q);
    p += n;
  }
  if (p < p1) watch += row_any(c, y0, rate, out, p, p1);
  return watch;
}

bool pel__advance(const pel_tile *t, const pel__substage *sub, double *const y[PEL__SLOTS],
                  const double *rate, double dt, bool stream, ptrdiff_t next) {
  const double *ahead = next ? y[sub->in] + next : NULL;
  terms c = {.b = sub->b * dt};
  for (int j = 1; j < PEL__SLOTS; ++j)
    if (sub->a[j] != 0) c.a[c.n] = sub->a[j], c.y[c.n++] = y[j];
  double watch = 0;
  PEL_ROWS(t, j, k, p0, p1) {
    watch += stream ? row_streamed(&c, y[0], rate, y[sub->out], ahead, p0, p1)
                    : row_any(&c, y[0], rate, y[sub->out], p0, p1);
  }
  return watch == 0;
}
