/* For pair_kernel.h: vectors of floats, two clusters each.
 *
 * Positions are integers, so that differences are exact wherever the box is, and then floats.  What
 * is added is rounded to 32-bit integers, whose sums may wrap on the way.  Energies are rounded as
 * doubles. */
#ifndef PEL_PAIR_MIXED_H
#define PEL_PAIR_MIXED_H

#define PEL_PRECISE(kernels) PEL__PASTE(kernels, _mixed)
#define PEL__IS_MIXED true

typedef pel_bits8 pel__sum;
typedef struct {
  pel_bits8 x, y, z;
} pel__place; /* of a particle i */

PEL_INLINE pel_sum4 *pel__four(const void *of, ptrdiff_t at) {
  return (pel_sum4 *)((const int32_t *)of + at * PEL_LANES);
}

PEL_INLINE pel_bits8 pel__two(pel_sum4 a, pel_sum4 b) {
#ifdef __AVX2__
  return (pel_bits8)_mm256_inserti128_si256(_mm256_castsi128_si256((__m128i)a), (__m128i)b, 1);
#else
  return (pel_bits8){a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3]};
#endif
}
PEL_INLINE pel_sum4 pel__half(pel_bits8 x, int which) {
#ifdef __AVX2__
  return (pel_sum4)(which ? _mm256_extracti128_si256((__m256i)x, 1)
                          : _mm256_castsi256_si128((__m256i)x));
#else
  return which ? (pel_sum4){x[4], x[5], x[6], x[7]} : (pel_sum4){x[0], x[1], x[2], x[3]};
#endif
}

PEL_INLINE pel__place pel__place_of(const pel_pair_task *t, int home, int self) {
  const uint32_t *x = (const uint32_t *)t->x + (ptrdiff_t)home * (3 * PEL_LANES) + self;
  const pel_bits8 none = {0};
  return (pel__place){none + x[0], none + x[PEL_LANES], none + x[2 * PEL_LANES]};
}

PEL_INLINE pel__js pel__next(const int **entry) {
  const int *e = *entry;
  *entry += 2;
  return (pel__js){e[0], e[1]};
}
PEL_INLINE pel__js pel__with_own(int home, const int **entry) {
  return (pel__js){home, *(*entry)++};
}

/* d in units of x, r2 not. */
PEL_INLINE pel__near pel__distance(const pel_pair_task *t, const pel__place *i, pel__js j) {
  const pel_sum4 *a = PEL__AT(t->x, const pel_sum4, 3, j.a),
                 *b = PEL__AT(t->x, const pel_sum4, 3, j.b);
  pel__near p = {.d = {pel_to_real((pel_int8)(i->x - pel__two(a[0], b[0]))),
                       pel_to_real((pel_int8)(i->y - pel__two(a[1], b[1]))),
                       pel_to_real((pel_int8)(i->z - pel__two(a[2], b[2])))}};
  p.r2 = pel_all((float)t->grain2) * pel_fma(p.d.x, p.d.x, pel_fma(p.d.y, p.d.y, p.d.z * p.d.z));
  return p;
}

/* Of the own cluster, the first, only the particles beyond `self`. */
PEL_INLINE pel__near pel__beyond(const pel_pair_task *t, pel__near p, int self) {
  const pel_mask beyond = {-(self < 0), -(self < 1), -(self < 2), -(self < 3), -1, -1, -1, -1};
  p.r2 = pel_choose(beyond, p.r2, pel_all((float)t->far2));
  return p;
}

PEL_INLINE pel_whole pel__types(const pel_pair_task *t, pel__js j) {
  return (pel_whole)pel__two(*pel__four(t->type, j.a), *pel__four(t->type, j.b));
}
PEL_INLINE pel_real pel__attribute(const pel_pair_task *t, int k, pel__js j) {
  return (pel_real)pel__two(*pel__four(t->attribute[k], j.a), *pel__four(t->attribute[k], j.b));
}

/* To the nearest integer, half to even; |x| < 2^31. */
PEL_INLINE pel_bits8 pel__nearest(pel_real x) {
#ifdef __AVX2__
  return (pel_bits8)_mm256_cvtps_epi32((__m256)x);
#elif defined __SSE2__
  const __m128 a = (__m128)pel__half((pel_bits8)x, 0), b = (__m128)pel__half((pel_bits8)x, 1);
  return pel__two((pel_sum4)_mm_cvtps_epi32(a), (pel_sum4)_mm_cvtps_epi32(b));
#else
  for (int l = 0; l < PEL_VECTOR; ++l) x[l] = nearbyintf(x[l]);
  return (pel_bits8)pel_to_int(x);
#endif
}

/* a*b in quanta. */
PEL_INLINE pel__sum pel__rounded(const pel_pair_task *t, pel_real a, pel_real b) {
  return pel__nearest((a * pel_all((float)t->scale)) * b);
}

PEL_INLINE pel_bits4 pel__energies(const pel_pair_task *t, pel_real u) {
  typedef float half __attribute__((vector_size(16), may_alias));
  const half a = (half)pel__half((pel_bits8)u, 0), b = (half)pel__half((pel_bits8)u, 1);
  return (pel_bits4)(__builtin_convertvector(a, pel_double4) + t->magic_energy) +
         (pel_bits4)(__builtin_convertvector(b, pel_double4) + t->magic_energy);
}

/* To n sums of each particle of j. */
PEL_INLINE void pel__add(const pel_pair_task *t, pel__js j, int n, const pel__sum *x) {
  pel_sum4 *a = PEL__AT(t->f, pel_sum4, n, j.a), *b = PEL__AT(t->f, pel_sum4, n, j.b);
  for (int c = 0; c < n; ++c) a[c] += pel__half(x[c], 0);
  for (int c = 0; c < n; ++c) b[c] += pel__half(x[c], 1);
}

PEL_INLINE pel_sum4 pel__folded(pel_bits8 x) { return pel__half(x, 0) + pel__half(x, 1); }

/* The sums of the four rows of a cluster to its particles: of forces the opposite of what went to
 * the other ends. */
PEL_INLINE void pel__settle(const pel_pair_task *t, int home, const int *row, bool same, int n,
                            int c, pel__sum r0, pel__sum r1, pel__sum r2, pel__sum r3) {
  const pel_sum4 sum =
      pel_row_sums4(pel__folded(r0), pel__folded(r1), pel__folded(r2), pel__folded(r3));
  pel_sum4 *f = PEL__AT(t->f, pel_sum4, n, home) + c;
  (void)row;
  *f = same ? *f + sum : *f - sum;
}

#endif
