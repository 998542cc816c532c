/* For pair_kernel.h: vectors of doubles, one cluster each.
 *
 * With M = 1.5*2^52*q, the bits of fma(f, d, M) are those of M plus the integer nearest to f*d/q,
 * so that one integer addition accumulates the exactly rounded component and the third law holds to
 * the last bit.  What the many M add up to is known from the list: sums of j start from minus that,
 * and rows take it off. */
#ifndef PEL_PAIR_DOUBLE_H
#define PEL_PAIR_DOUBLE_H

#define PEL_PRECISE(kernels) kernels
#define PEL__IS_MIXED false

typedef pel_bits4 pel__sum;
typedef struct {
  pel__sum x, y, z;
} pel__sums;
typedef pel__vector pel__place; /* of a particle i */

PEL_INLINE pel__place pel__place_of(const pel_pair_task *t, int home, int self) {
  const pel_double4 *x = PEL__AT(t->x, const pel_double4, 3, home);
  return (pel__place){pel_all(x[0][self]), pel_all(x[1][self]), pel_all(x[2][self])};
}

PEL_INLINE pel__js pel__next(const int **entry) { return *(*entry)++; }
PEL_INLINE pel__js pel__with_own(int home, const int **entry) {
  (void)entry;
  return home;
}

PEL_INLINE pel__near pel__distance(const pel_pair_task *t, const pel__place *i, pel__js j) {
  const pel_double4 *x = PEL__AT(t->x, const pel_double4, 3, j);
  pel__near p = {.d = {i->x - x[0], i->y - x[1], i->z - x[2]}};
  p.r2 = pel_fma(p.d.x, p.d.x, pel_fma(p.d.y, p.d.y, p.d.z * p.d.z));
  return p;
}

/* Of the own cluster only the particles beyond `self`. */
PEL_INLINE pel__near pel__beyond(const pel_pair_task *t, pel__near p, int self) {
  const pel_mask beyond = {-(self < 0), -(self < 1), -(self < 2), -(self < 3)};
  p.r2 = pel_choose(beyond, p.r2, pel_all(t->far2));
  return p;
}

PEL_INLINE pel_whole pel__types(const pel_pair_task *t, pel__js j) {
  return *(const pel_int4 *)(t->type + (ptrdiff_t)j * PEL_LANES);
}
PEL_INLINE pel_real pel__attribute(const pel_pair_task *t, int k, pel__js j) {
  return *(const pel_double4 *)((const double *)t->attribute[k] + (ptrdiff_t)j * PEL_LANES);
}

/* a*b in quanta, and the bits of magic. */
PEL_INLINE pel__sum pel__rounded(const pel_pair_task *t, pel_real a, pel_real b) {
  return (pel__sum)pel_fma(a, b, pel_all(t->magic));
}
PEL_INLINE pel_bits4 pel__energies(const pel_pair_task *t, pel_real u) {
  return (pel_bits4)(u + pel_all(t->magic_energy));
}

/* To n sums of each particle of j. */
PEL_INLINE void pel__add(const pel_pair_task *t, pel__js j, int n, const pel__sum *x) {
  pel_bits4 *f = PEL__AT(t->f, pel_bits4, n, j);
  for (int c = 0; c < n; ++c) f[c] += x[c];
}

/* The sums of the four rows of a cluster, without magic, to its particles: of forces the opposite
 * of what went to the other ends. */
PEL_INLINE void pel__settle(const pel_pair_task *t, int home, const int *row, bool same, int n,
                            int c, pel__sum r0, pel__sum r1, pel__sum r2, pel__sum r3) {
  typedef int32_t loose __attribute__((vector_size(16), aligned(4), may_alias));
  uint64_t magic;
  __builtin_memcpy(&magic, &t->magic, sizeof magic);
  const pel_int4 vectors = *(const loose *)(row + 1) - *(const loose *)row + (int)t->within;
  const pel_bits4 sum = pel_row_sums(r0, r1, r2, r3) -
                        __builtin_convertvector(vectors, pel_bits4) * (PEL_LANES * magic);
  pel_bits4 *f = PEL__AT(t->f, pel_bits4, n, home) + c;
  *f = same ? *f + sum : *f - sum;
}

#ifdef __AVX512VL__
/* Of part of a row, the pairs within the cut-off, and what the formula gives for them. */
enum { PEL__PART = 64, PEL__PACKED = (PEL__PART + 1) * PEL_LANES };

typedef struct {
  _Alignas(64) double r2[PEL__PACKED], attribute[PEL_PAIR_ATTRIBUTES][PEL__PACKED];
  double force[PEL__PACKED], other[PEL__PACKED];
  int32_t type[PEL__PACKED];
  int cluster[PEL__PART], n; /* all of the part */
  uint8_t in[PEL__PART];     /* their lanes within */
  int count;                 /* packed */
} pel__pack;

PEL_INLINE void pel__pack_real(double *to, __mmask8 in, pel_real x) {
  _mm256_storeu_pd(to, _mm256_maskz_compress_pd(in, (__m256d)x));
}
PEL_INLINE pel_real pel__unpack(const double *from, __mmask8 in) {
  return (pel_real)_mm256_maskz_expand_pd(in, _mm256_loadu_pd(from));
}
#endif

#endif
