/* For pair_kernel.h: vectors of floats, two clusters each.
 *
 * Positions are integers, so that differences are exact wherever the box is, and then floats.  What
 * is added is rounded to 32-bit integers; what is so large that their sums might overflow, a few
 * pairs in a thousand, to 64-bit ones.  Energies are rounded as doubles. */
#ifndef PEL_PAIR_MIXED_H
#define PEL_PAIR_MIXED_H

#define PEL_PRECISE(kernels) PEL__PASTE(kernels, _mixed)
#define PEL__IS_MIXED true

typedef pel_bits8 pel__sum;
typedef struct {
  pel__sum x, y, z;
} pel__sums;
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

/* Whether a lane, not negative, is beyond what sums can take. */
PEL_INLINE bool pel__exceeds(pel_real x, float limit) {
  const pel_real most = pel_all(limit);
#ifdef __AVX512VL__
  return _mm256_cmp_ps_mask((__m256)x, (__m256)most, _CMP_NLE_UQ) != 0;
#elif defined __AVX2__
  return _mm256_movemask_ps(_mm256_cmp_ps((__m256)x, (__m256)most, _CMP_NLE_UQ)) != 0;
#else
  bool any = false;
  for (int l = 0; l < PEL_VECTOR; ++l) any |= !(x[l] <= most[l]);
  return any;
#endif
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

/* ---- what exceeds ----
 *
 * It is taken out of all sums again, and added to 64-bit ones, rounded like the rest.  What did not
 * fit 32 bits was added as some other number, which is the same here. */

/* x was added to the c-th of n sums of i. */
PEL_INLINE void pel__take_out(const pel_pair_task *t, ptrdiff_t i, int n, int c, pel__sum x,
                              bool same) {
  uint32_t *f = (uint32_t *)t->f + ((i / PEL_LANES) * n + c) * PEL_LANES + i % PEL_LANES;
  for (int l = 0; l < PEL_VECTOR; ++l) *f += same ? -x[l] : x[l];
}

PEL_INLINE ptrdiff_t pel__place_in(pel__js j, int l) {
  return (ptrdiff_t)(l < PEL_LANES ? j.a : j.b) * PEL_LANES + l % PEL_LANES;
}

/* x where it exceeds, else 0. */
PEL_INLINE pel_real pel__large(const pel_pair_task *t, pel_real x) {
  return pel_choose(pel_abs(x) <= pel_all((float)t->narrow), pel_all(0), x);
}

PEL_INLINE void pel__move(const pel_pair_task *t, const pel__near *p, pel_real force, ptrdiff_t i,
                          pel__js j) {
  const pel_real large = pel__large(t, force), scaled = large * pel_all((float)t->scale),
                 d[3] = {p->d.x, p->d.y, p->d.z};
  pel__sum x[3];
  for (int c = 0; c < 3; ++c) {
    x[c] = pel__rounded(t, large, d[c]);
    pel__take_out(t, i, 3, c, x[c], false);
    x[c] = -x[c];
  }
  pel__add(t, j, 3, x);
  for (int l = 0; l < PEL_VECTOR; ++l) {
    if (large[l] == 0) continue;
    double to_i[3], to_j[3];
    for (int c = 0; c < 3; ++c) to_j[c] = scaled[l] * d[c][l], to_i[c] = -to_j[c];
    pel__pair_wide(t->wide, i, 3, to_i);
    pel__pair_wide(t->wide, pel__place_in(j, l), 3, to_j);
  }
}

PEL_INLINE void pel__move_shares(const pel_pair_task *t, pel_shares s, ptrdiff_t i, pel__js j) {
  const pel_real large_i = pel__large(t, s.i), large_j = pel__large(t, s.j), one = pel_all(1);
  pel__take_out(t, i, 1, 0, pel__rounded(t, large_i, one), true);
  pel__add(t, j, 1, (const pel__sum[]){-pel__rounded(t, large_j, one)});
  for (int l = 0; l < PEL_VECTOR; ++l) {
    const double to_i = large_i[l] * (float)t->scale, to_j = large_j[l] * (float)t->scale;
    if (to_i != 0) pel__pair_wide(t->wide, i, 1, &to_i);
    if (to_j != 0) pel__pair_wide(t->wide, pel__place_in(j, l), 1, &to_j);
  }
}

#endif
