/* For the author of a pair formula: vectors of 32 bytes, the same source for AVX-512, AVX2 and
 * anything else, and the same bits: every lane is computed by IEEE operations that round correctly
 * (+ - * / sqrt fma), never by approximations.
 *
 * Vectors take the operators of C (GCC's vector extension); a scalar operand stands for a vector of
 * it.  Comparisons give vectors of integers, all bits set where true: pel_keep and pel_choose use
 * them. */
#ifndef PELSIM_SIMD_H
#define PELSIM_SIMD_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#ifdef __SSE__
#include <immintrin.h>
#endif

/* Without AVX, GCC tells that vectors would be passed otherwise with it; all functions are inlined.
 */
#pragma GCC diagnostic ignored "-Wpsabi"

#define PEL_INLINE static inline __attribute__((always_inline))

enum { PEL_LANES = 4 }; /* doubles in a vector: particles in a cluster */

typedef double pel_double4 __attribute__((vector_size(32), may_alias));
typedef int64_t pel_long4 __attribute__((vector_size(32), may_alias));
typedef uint64_t pel_bits4 __attribute__((vector_size(32), may_alias)); /* sums may wrap */
typedef int32_t pel_int4 __attribute__((vector_size(16), may_alias));

PEL_INLINE pel_double4 pel_all(double x) { return (pel_double4){x, x, x, x}; }

/* a*b + c, rounded once. */
PEL_INLINE pel_double4 pel_fma(pel_double4 a, pel_double4 b, pel_double4 c) {
#if defined __AVX2__ && defined __FMA__
  return (pel_double4)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
#else
  for (int i = 0; i < PEL_LANES; ++i) c[i] = fma(a[i], b[i], c[i]);
  return c;
#endif
}

PEL_INLINE pel_double4 pel_sqrt(pel_double4 a) {
#ifdef __AVX2__
  return (pel_double4)_mm256_sqrt_pd((__m256d)a);
#else
  for (int i = 0; i < PEL_LANES; ++i) a[i] = sqrt(a[i]);
  return a;
#endif
}

PEL_INLINE pel_double4 pel_abs(pel_double4 a) {
  return (pel_double4)((pel_long4)a & INT64_C(0x7fffffffffffffff));
}

/* x where the mask is set, else +0 whatever x is. */
PEL_INLINE pel_double4 pel_keep(pel_long4 mask, pel_double4 x) {
  return (pel_double4)((pel_long4)x & mask);
}
/* a where the mask is set, else b. */
PEL_INLINE pel_double4 pel_choose(pel_long4 mask, pel_double4 a, pel_double4 b) {
  return (pel_double4)(((pel_long4)a & mask) | ((pel_long4)b & ~mask));
}
/* a where r2 < limit, else +0. */
PEL_INLINE pel_double4 pel_within(pel_double4 r2, pel_double4 limit, pel_double4 a) {
#ifdef __AVX512VL__
  return (pel_double4)_mm256_maskz_mov_pd(
      _mm256_cmp_pd_mask((__m256d)r2, (__m256d)limit, _CMP_LT_OQ), (__m256d)a);
#else
  return pel_keep((pel_long4)(r2 < limit), a);
#endif
}
/* The larger; b where either is NaN. */
PEL_INLINE pel_double4 pel_larger(pel_double4 a, pel_double4 b) {
#ifdef __AVX2__
  return (pel_double4)_mm256_max_pd((__m256d)a, (__m256d)b);
#else
  return pel_choose((pel_long4)(a > b), a, b);
#endif
}

/* The smaller; b where either is NaN. */
PEL_INLINE pel_double4 pel_smaller(pel_double4 a, pel_double4 b) {
#ifdef __AVX2__
  return (pel_double4)_mm256_min_pd((__m256d)a, (__m256d)b);
#else
  return pel_choose((pel_long4)(a < b), a, b);
#endif
}

/* Towards 0; |x| < 2^31. */
PEL_INLINE pel_int4 pel_to_int(pel_double4 x) { return __builtin_convertvector(x, pel_int4); }
PEL_INLINE pel_double4 pel_to_real(pel_int4 n) { return __builtin_convertvector(n, pel_double4); }

/* table[index[lane]] */
PEL_INLINE pel_double4 pel_lookup(const double *table, pel_int4 index) {
  return (pel_double4){table[index[0]], table[index[1]], table[index[2]], table[index[3]]};
}

/* Shuffles of two vectors: of each pair of lanes the first or the second, of each half the same. */
#ifdef __clang__
#define PEL__FIRSTS(a, b) __builtin_shufflevector(a, b, 0, 4, 2, 6)
#define PEL__SECONDS(a, b) __builtin_shufflevector(a, b, 1, 5, 3, 7)
#define PEL__LOW(a, b) __builtin_shufflevector(a, b, 0, 1, 4, 5)
#define PEL__HIGH(a, b) __builtin_shufflevector(a, b, 2, 3, 6, 7)
#else
#define PEL__FIRSTS(a, b) __builtin_shuffle(a, b, (pel_long4){0, 4, 2, 6})
#define PEL__SECONDS(a, b) __builtin_shuffle(a, b, (pel_long4){1, 5, 3, 7})
#define PEL__LOW(a, b) __builtin_shuffle(a, b, (pel_long4){0, 1, 4, 5})
#define PEL__HIGH(a, b) __builtin_shuffle(a, b, (pel_long4){2, 3, 6, 7})
#endif

/* record[k] = table[index[lane] + k]: four loads and a transposition, several times faster than
 * four gathers. */
PEL_INLINE void pel_lookup4(const double *table, pel_int4 index, pel_double4 record[4]) {
  typedef double loose __attribute__((vector_size(32), aligned(8), may_alias));
  const pel_double4 a = *(const loose *)(table + index[0]), b = *(const loose *)(table + index[1]),
                    c = *(const loose *)(table + index[2]), d = *(const loose *)(table + index[3]);
  const pel_double4 ab0 = PEL__FIRSTS(a, b), ab1 = PEL__SECONDS(a, b), cd0 = PEL__FIRSTS(c, d),
                    cd1 = PEL__SECONDS(c, d);
  record[0] = PEL__LOW(ab0, cd0), record[1] = PEL__LOW(ab1, cd1);
  record[2] = PEL__HIGH(ab0, cd0), record[3] = PEL__HIGH(ab1, cd1);
}

/* Lane r of the result is the sum of the lanes of row r. */
PEL_INLINE pel_bits4 pel_row_sums(pel_bits4 a, pel_bits4 b, pel_bits4 c, pel_bits4 d) {
  const pel_bits4 ab = PEL__FIRSTS(a, b) + PEL__SECONDS(a, b),
                  cd = PEL__FIRSTS(c, d) + PEL__SECONDS(c, d);
  return PEL__LOW(ab, cd) + PEL__HIGH(ab, cd);
}

#endif
