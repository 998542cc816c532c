/* For the author of a pair formula: vectors of 32 bytes, the same source for AVX-512, AVX2 and
 * anything else, and the same bits: every lane is computed by IEEE operations that round correctly
 * (+ - * / sqrt fma), never by approximations.
 *
 * A pel_real is four doubles, or, in a file that defines PEL_MIXED before it includes anything,
 * eight floats: the same formula then is one of the precision `mixed` (see pair_kernel.h).
 *
 * Vectors take the operators of C (GCC's vector extension); a scalar operand stands for a vector of
 * it.  Comparisons give vectors of integers, all bits set where true, pel_mask: pel_keep and
 * pel_choose use them. */
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
typedef uint32_t pel_sum4 __attribute__((vector_size(16), may_alias)); /* sums may wrap */
typedef float pel_float8 __attribute__((vector_size(32), may_alias));
typedef int32_t pel_int8 __attribute__((vector_size(32), may_alias));
typedef uint32_t pel_bits8 __attribute__((vector_size(32), may_alias)); /* sums may wrap */

/* What a formula is made of; pel_whole: an integer a lane. */
#ifdef PEL_MIXED
typedef float pel_lane;
typedef pel_float8 pel_real;
typedef pel_int8 pel_mask, pel_whole;
#define PEL__INTEL(operation) _mm256_##operation##_ps
#define PEL__INTEL_MASK _mm256_cmp_ps_mask
#define PEL__INTEL_TYPE __m256
#define PEL__LIBM(name) name##f
#define PEL__SIGN INT32_MIN
enum { PEL_VECTOR = 8 };
PEL_INLINE pel_real pel_all(float x) { return (pel_real){x, x, x, x, x, x, x, x}; }
#else
typedef double pel_lane;
typedef pel_double4 pel_real;
typedef pel_long4 pel_mask;
typedef pel_int4 pel_whole;
#define PEL__INTEL(operation) _mm256_##operation##_pd
#define PEL__INTEL_MASK _mm256_cmp_pd_mask
#define PEL__INTEL_TYPE __m256d
#define PEL__LIBM(name) name
#define PEL__SIGN INT64_MIN
enum { PEL_VECTOR = 4 };
PEL_INLINE pel_real pel_all(double x) { return (pel_real){x, x, x, x}; }
#endif

/* a*b + c, rounded once. */
PEL_INLINE pel_real pel_fma(pel_real a, pel_real b, pel_real c) {
#if defined __AVX2__ && defined __FMA__
  return (pel_real)PEL__INTEL(fmadd)((PEL__INTEL_TYPE)a, (PEL__INTEL_TYPE)b, (PEL__INTEL_TYPE)c);
#else
  for (int i = 0; i < PEL_VECTOR; ++i) c[i] = PEL__LIBM(fma)(a[i], b[i], c[i]);
  return c;
#endif
}

PEL_INLINE pel_real pel_sqrt(pel_real a) {
#ifdef __AVX2__
  return (pel_real)PEL__INTEL(sqrt)((PEL__INTEL_TYPE)a);
#else
  for (int i = 0; i < PEL_VECTOR; ++i) a[i] = PEL__LIBM(sqrt)(a[i]);
  return a;
#endif
}

PEL_INLINE pel_real pel_abs(pel_real a) { return (pel_real)((pel_mask)a & ~PEL__SIGN); }

/* x where the mask is set, else +0 whatever x is. */
PEL_INLINE pel_real pel_keep(pel_mask mask, pel_real x) { return (pel_real)((pel_mask)x & mask); }
/* a where the mask is set, else b. */
PEL_INLINE pel_real pel_choose(pel_mask mask, pel_real a, pel_real b) {
  return (pel_real)(((pel_mask)a & mask) | ((pel_mask)b & ~mask));
}
/* a where r2 < limit, else +0. */
PEL_INLINE pel_real pel_within(pel_real r2, pel_real limit, pel_real a) {
#ifdef __AVX512VL__
  return (pel_real)PEL__INTEL(maskz_mov)(
      PEL__INTEL_MASK((PEL__INTEL_TYPE)r2, (PEL__INTEL_TYPE)limit, _CMP_LT_OQ), (PEL__INTEL_TYPE)a);
#else
  return pel_keep((pel_mask)(r2 < limit), a);
#endif
}
/* The larger; b where either is NaN. */
PEL_INLINE pel_real pel_larger(pel_real a, pel_real b) {
#ifdef __AVX2__
  return (pel_real)PEL__INTEL(max)((PEL__INTEL_TYPE)a, (PEL__INTEL_TYPE)b);
#else
  return pel_choose((pel_mask)(a > b), a, b);
#endif
}
/* The smaller; b where either is NaN. */
PEL_INLINE pel_real pel_smaller(pel_real a, pel_real b) {
#ifdef __AVX2__
  return (pel_real)PEL__INTEL(min)((PEL__INTEL_TYPE)a, (PEL__INTEL_TYPE)b);
#else
  return pel_choose((pel_mask)(a < b), a, b);
#endif
}

/* Towards 0; |x| < 2^31. */
PEL_INLINE pel_whole pel_to_int(pel_real x) { return __builtin_convertvector(x, pel_whole); }
PEL_INLINE pel_real pel_to_real(pel_whole n) { return __builtin_convertvector(n, pel_real); }

/* table[index[lane]] */
PEL_INLINE pel_real pel_lookup(const pel_lane *table, pel_whole index) {
  pel_real x;
  for (int i = 0; i < PEL_VECTOR; ++i) x[i] = table[index[i]];
  return x;
}

/* Shuffles of two vectors: of each pair of lanes the first or the second, of each half the same. */
#ifdef __clang__
#define PEL__FIRSTS(a, b) __builtin_shufflevector(a, b, 0, 4, 2, 6)
#define PEL__SECONDS(a, b) __builtin_shufflevector(a, b, 1, 5, 3, 7)
#define PEL__LOW(a, b) __builtin_shufflevector(a, b, 0, 1, 4, 5)
#define PEL__HIGH(a, b) __builtin_shufflevector(a, b, 2, 3, 6, 7)
#define PEL__FIRST_WORDS(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define PEL__SECOND_WORDS(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#define PEL__LOW_WORDS(a, b) __builtin_shufflevector(a, b, 0, 1, 4, 5)
#define PEL__HIGH_WORDS(a, b) __builtin_shufflevector(a, b, 2, 3, 6, 7)
#define PEL__LOW_FLOATS(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13)
#define PEL__HIGH_FLOATS(a, b) __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15)
#else
#define PEL__FIRSTS(a, b) __builtin_shuffle(a, b, (pel_long4){0, 4, 2, 6})
#define PEL__SECONDS(a, b) __builtin_shuffle(a, b, (pel_long4){1, 5, 3, 7})
#define PEL__LOW(a, b) __builtin_shuffle(a, b, (pel_long4){0, 1, 4, 5})
#define PEL__HIGH(a, b) __builtin_shuffle(a, b, (pel_long4){2, 3, 6, 7})
#define PEL__FIRST_WORDS(a, b) __builtin_shuffle(a, b, (pel_int4){0, 4, 1, 5})
#define PEL__SECOND_WORDS(a, b) __builtin_shuffle(a, b, (pel_int4){2, 6, 3, 7})
#define PEL__LOW_WORDS(a, b) __builtin_shuffle(a, b, (pel_int4){0, 1, 4, 5})
#define PEL__HIGH_WORDS(a, b) __builtin_shuffle(a, b, (pel_int4){2, 3, 6, 7})
#define PEL__LOW_FLOATS(a, b) __builtin_shuffle(a, b, (pel_int8){0, 8, 1, 9, 4, 12, 5, 13})
#define PEL__HIGH_FLOATS(a, b) __builtin_shuffle(a, b, (pel_int8){2, 10, 3, 11, 6, 14, 7, 15})
#endif

/* record[k] = table[index[lane] + k]: loads of whole records and a transposition, several times
 * faster than four gathers. */
#ifdef PEL_MIXED
PEL_INLINE void pel_lookup4(const float *table, pel_whole index, pel_real record[4]) {
  typedef float loose __attribute__((vector_size(16), aligned(4), may_alias));
  pel_real row[4]; /* of lanes l and l + 4 */
  for (int l = 0; l < 4; ++l) {
    const loose a = *(const loose *)(table + index[l]), b = *(const loose *)(table + index[l + 4]);
    row[l] = (pel_real){a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3]};
  }
  const pel_double4 p = (pel_double4)PEL__LOW_FLOATS(row[0], row[1]), /* 0a 1a 0b 1b ... */
      q = (pel_double4)PEL__LOW_FLOATS(row[2], row[3]),
                    u = (pel_double4)PEL__HIGH_FLOATS(row[0], row[1]),
                    v = (pel_double4)PEL__HIGH_FLOATS(row[2], row[3]);
  record[0] = (pel_real)PEL__FIRSTS(p, q), record[1] = (pel_real)PEL__SECONDS(p, q);
  record[2] = (pel_real)PEL__FIRSTS(u, v), record[3] = (pel_real)PEL__SECONDS(u, v);
}
#else
PEL_INLINE void pel_lookup4(const double *table, pel_int4 index, pel_double4 record[4]) {
  typedef double loose __attribute__((vector_size(32), aligned(8), may_alias));
  const pel_double4 a = *(const loose *)(table + index[0]), b = *(const loose *)(table + index[1]),
                    c = *(const loose *)(table + index[2]), d = *(const loose *)(table + index[3]);
  const pel_double4 ab0 = PEL__FIRSTS(a, b), ab1 = PEL__SECONDS(a, b), cd0 = PEL__FIRSTS(c, d),
                    cd1 = PEL__SECONDS(c, d);
  record[0] = PEL__LOW(ab0, cd0), record[1] = PEL__LOW(ab1, cd1);
  record[2] = PEL__HIGH(ab0, cd0), record[3] = PEL__HIGH(ab1, cd1);
}
#endif

/* Lane r of the result is the sum of the lanes of row r. */
PEL_INLINE pel_bits4 pel_row_sums(pel_bits4 a, pel_bits4 b, pel_bits4 c, pel_bits4 d) {
  const pel_bits4 ab = PEL__FIRSTS(a, b) + PEL__SECONDS(a, b),
                  cd = PEL__FIRSTS(c, d) + PEL__SECONDS(c, d);
  return PEL__LOW(ab, cd) + PEL__HIGH(ab, cd);
}

PEL_INLINE pel_sum4 pel_row_sums4(pel_sum4 a, pel_sum4 b, pel_sum4 c, pel_sum4 d) {
  const pel_sum4 ab = PEL__FIRST_WORDS(a, b) + PEL__SECOND_WORDS(a, b),
                 cd = PEL__FIRST_WORDS(c, d) + PEL__SECOND_WORDS(c, d);
  return PEL__LOW_WORDS(ab, cd) + PEL__HIGH_WORDS(ab, cd);
}

#endif
