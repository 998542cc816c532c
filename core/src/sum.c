/* Exact sums: a small superaccumulator (Neal 2015, arXiv:1505.05571).
 *
 * A finite double is m * 2^(p - 1074) with an integer |m| < 2^53 and 0 <= p < 2046.  Shifted by
 * p mod 32, m is split into 32 low bits for chunk p/32 and at most 52 high bits for the next one;
 * two integer additions and no rounding.  An addition therefore changes a chunk by less than 2^53,
 * and MOST of them fit into 63 bits before the carries must be moved up. */
#include "sum.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { CHUNKS = PEL__SUM_CHUNKS, MOST = 1000, WORDS = sizeof(pel_sum) / sizeof(int64_t) };
_Static_assert(WORDS == CHUNKS + 4, "pel_sum is reduced as one array of int64_t");

#define LOW32 INT64_C(0xffffffff)

void pel_sum_init(pel_sum *s) {
  memset(s, 0, sizeof *s);
  s->spare = MOST;
}

/* Afterwards 0 <= chunk < 2^32 but for the last, which has the sign of the whole. */
static void carry(pel_sum *s) {
  for (int c = 0; c < CHUNKS - 1; ++c) {
    s->chunk[c + 1] += s->chunk[c] >> 32; /* rounds down, so the remainder is not negative */
    s->chunk[c] &= LOW32;
  }
  s->spare = MOST;
}

static void add_special(pel_sum *s, double x) {
  if (isnan(x))
    ++s->nan;
  else if (x > 0)
    ++s->positive_inf;
  else
    ++s->negative_inf;
}

enum { TILE = 64 };

/* A tile of at most TILE additions: the splitting vectorises, the additions to chunks cannot. */
static void add_tile(pel_sum *s, const double *x, int n) {
  int64_t low[TILE], high[TILE], place[TILE];
  uint64_t special = 0;
  for (int i = 0; i < n; ++i) {
    uint64_t u;
    memcpy(&u, &x[i], sizeof u);
    const uint64_t e = u >> 52 & 0x7ff, normal = e != 0;
    const uint64_t p = e - normal, shift = p & 31;
    const uint64_t sign = -(u >> 63); /* 0 or -1: (m ^ sign) - sign is m or -m */
    const int64_t m = (int64_t)((((u & UINT64_C(0xfffffffffffff)) | normal << 52) ^ sign) - sign);
    special |= e == 0x7ff;
    place[i] = (int64_t)(p >> 5);
    low[i] = (int64_t)((uint64_t)m << shift) & LOW32;
    high[i] = m >> (32 - shift); /* rounds down: what it leaves is low, never negative */
  }
  for (int i = 0; i < n; ++i) {
    if (special && !isfinite(x[i])) {
      add_special(s, x[i]);
      continue;
    }
    int64_t *chunk = s->chunk + place[i];
    chunk[0] += low[i];
    __asm__ volatile("" ::
                         : "memory"); /* two scalar additions: one vector of two would wait for
                                         the store of the last, which it straddles */
    chunk[1] += high[i];
  }
}

void pel_sum_add(pel_sum *s, const double *x, int64_t n) {
  while (n > 0) {
    const int now = n < TILE ? (int)n : TILE;
    if (s->spare < now) carry(s);
    s->spare -= now;
    add_tile(s, x, now);
    x += now;
    n -= now;
  }
}

void pel_sum_merge(pel_sum *s, const pel_sum *other) {
  pel_sum o = *other;
  carry(&o);
  if (s->spare <= 0) carry(s);
  --s->spare;
  for (int c = 0; c < CHUNKS; ++c) s->chunk[c] += o.chunk[c];
  s->positive_inf += o.positive_inf;
  s->negative_inf += o.negative_inf;
  s->nan += o.nan;
}

/* The number with the binary digits of d[0 .. CHUNKS), each below 2^32, in units of 2^-1074. */
static double round_digits(const int64_t *d) {
  int top = CHUNKS - 1;
  while (top > 0 && d[top] == 0) --top;
  const int length = 64 - __builtin_clzll((uint64_t)d[top] | 1); /* bits of the leading digit */
  const int last = 32 * top + length - 53; /* place of the last bit that a double keeps */
  if (last <= 0) return ldexp((double)(d[1] << 32 | d[0]), -1074); /* all of it fits */
  uint64_t m = 0;
  bool beyond = false; /* anything below the bit after the last */
  for (int c = 0; c <= top; ++c) {
    const int at = 32 * c - (last - 1); /* m counts bits from the one after the last */
    const uint64_t v = (uint64_t)d[c];
    if (at >= 0) {
      m |= v << at;
    } else if (at > -32) {
      m |= v >> -at;
      beyond = beyond || v << (64 + at) != 0;
    } else {
      beyond = beyond || v != 0;
    }
  }
  const bool half = m & 1;
  m >>= 1;
  if (half && (beyond || (m & 1))) ++m;
  return ldexp((double)m, last - 1074); /* exact, or infinite */
}

double pel_sum_round(const pel_sum *sum) {
  if (sum->nan > 0 || (sum->positive_inf > 0 && sum->negative_inf > 0)) return NAN;
  if (sum->positive_inf > 0) return INFINITY;
  if (sum->negative_inf > 0) return -INFINITY;
  pel_sum s = *sum;
  carry(&s);
  const bool negative = s.chunk[CHUNKS - 1] < 0;
  if (negative) {
    for (int c = 0; c < CHUNKS; ++c) s.chunk[c] = -s.chunk[c];
    carry(&s);
  }
  const double x = round_digits(s.chunk);
  return negative ? -x : x;
}

void pel_sum_allreduce(pel_sum *s, int n, MPI_Comm comm) {
  for (int i = 0; i < n; ++i) { /* digits of 32 bits: 2^31 ranks may add theirs */
    carry(&s[i]);
    s[i].spare = 0;
  }
  MPI_Allreduce(MPI_IN_PLACE, s, n * WORDS, MPI_INT64_T, MPI_SUM, comm);
  for (int i = 0; i < n; ++i) carry(&s[i]);
}
