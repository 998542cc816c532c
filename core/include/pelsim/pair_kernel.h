/* For the author of a pair potential: makes the kernels of a pair formula (see particles.h).
 *
 *   PEL_INLINE pel_pair lj(pel_real r2, const pel_real *c) { ... }
 *   #define PEL_FORMULA lj
 *   #define PEL_COEFFICIENTS 5
 *   #include "pelsim/pair_kernel.h"  // defines static const pel_pair_kernels lj_kernels
 *
 * With PEL_COSTLY defined the formula is evaluated, where the processor can pack vectors, only for
 * pairs within the cut-off: two to three times fewer.  The bits are the same.
 * PEL_KERNELS may name them otherwise, and then they are not static.
 *
 * The formula of a pass of a many-body potential gets a third argument:
 *
 *   PEL_INLINE pel_pair pull(pel_real r2, const pel_real *c, const pel_pair_ends *e) { ... }
 *   #define PEL_ENDS 1  // of each particle: e->i[0], e->j[0]; 0: the tables e->data only
 *
 * and with PEL_SHARES defined, too, it gives pel_shares, which are summed up.
 *
 * How a kernel works (tests and bench/ hold it to this).  The list gives each particle i, a "row",
 * the clusters of PEL_LANES particles j of which some may be within reach; each pair is in the list
 * once.  A cluster is one vector: no gathers.  f_i stays in registers, f_j is updated in memory,
 * both as integers: with M = 1.5*2^52*q, the bits of fma(f, d, M) are those of M plus the integer
 * nearest to f*d/q, so that one integer addition accumulates the exactly rounded component and the
 * third law holds to the last bit.  What the many M add up to is known from the list: the sums of j
 * start from it, and rows take off t->bias.  The formula of the next cluster is under way while the
 * forces of the present one are added. */

#ifndef PEL_PAIR_KERNEL_H
#define PEL_PAIR_KERNEL_H
#include "pelsim/particles.h"

#define PEL__PASTE_(a, b) a##b
#define PEL__PASTE(a, b) PEL__PASTE_(a, b)

typedef struct {
  pel_double4 x, y, z;
} pel__vector;

typedef struct {
  pel_bits4 x, y, z;
} pel__sums;

/* One row against one cluster. */
typedef struct {
  pel__vector d;
  pel_double4 r2;
} pel__near;

typedef struct {
  pel_double4 force, energy; /* largest magnitudes */
  pel_bits4 sum;             /* of energy */
  uint64_t vectors;          /* in sum, where pairs are packed */
} pel__watch;

PEL_INLINE pel__near pel__distance(const pel_pair_task *t, const pel__vector *i, ptrdiff_t j) {
  pel__near p = {.d = {i->x - *(const pel_double4 *)(t->x[0] + j),
                       i->y - *(const pel_double4 *)(t->x[1] + j),
                       i->z - *(const pel_double4 *)(t->x[2] + j)}};
  p.r2 = pel_fma(p.d.x, p.d.x, pel_fma(p.d.y, p.d.y, p.d.z * p.d.z));
  return p;
}

PEL_INLINE void pel__push(const pel_pair_task *t, const pel__near *p, pel_double4 force,
                          ptrdiff_t j, pel__sums *i) {
  const pel_double4 m = pel_all(t->magic);
  const pel_bits4 x = (pel_bits4)pel_fma(force, p->d.x, m),
                  y = (pel_bits4)pel_fma(force, p->d.y, m),
                  z = (pel_bits4)pel_fma(force, p->d.z, m);
  i->x += x, i->y += y, i->z += z;
  *(pel_bits4 *)(t->f[0] + j) -= x;
  *(pel_bits4 *)(t->f[1] + j) -= y;
  *(pel_bits4 *)(t->f[2] + j) -= z;
}

PEL_INLINE void pel__push_shares(const pel_pair_task *t, pel_shares s, ptrdiff_t j, pel__sums *i) {
  const pel_double4 m = pel_all(t->magic);
  i->x += (pel_bits4)(s.i + m);
  *(pel_bits4 *)(t->f[0] + j) += (pel_bits4)(s.j + m);
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

PEL_INLINE void pel__pack_real(double *to, __mmask8 in, pel_double4 x) {
  _mm256_storeu_pd(to, _mm256_maskz_compress_pd(in, (__m256d)x));
}
PEL_INLINE pel_double4 pel__unpack(const double *from, __mmask8 in) {
  return (pel_double4)_mm256_maskz_expand_pd(in, _mm256_loadu_pd(from));
}
#endif

/* The sums of the four rows of a cluster, to its particles. */
PEL_INLINE void pel__settle(int64_t *f, const int64_t *bias, pel_bits4 a, pel_bits4 b, pel_bits4 c,
                            pel_bits4 d) {
  *(pel_bits4 *)f += pel_row_sums(a, b, c, d) - *(const pel_bits4 *)bias;
}
#endif

#define PEL__OWN(name) PEL__PASTE(PEL_FORMULA, name)
#ifdef PEL_ENDS
#define PEL__CALL(r2, c, ends) PEL_FORMULA(r2, c, ends)
#define PEL__NENDS PEL_ENDS
#else
#define PEL__CALL(r2, c, ends) PEL_FORMULA(r2, c)
#define PEL__NENDS 0
#endif
#ifdef PEL_SHARES
#define PEL__RESULT pel_shares
#define PEL__SUMS true
#define PEL__PUSH(t, near, result, j, sums) pel__push_shares(t, result, j, sums)
#else
#define PEL__RESULT pel_real
#define PEL__SUMS false
#define PEL__PUSH(t, near, result, j, sums) pel__push(t, near, result, j, sums)
#endif

/* Coefficients of type ti with the types of the cluster at j, and the square of the cut-off. */
PEL_INLINE pel_real PEL__OWN(_look)(const pel_pair_task *t, bool many, int ti, ptrdiff_t j,
                                    pel_real c[PEL_COEFFICIENTS + 1]) {
  const double *table = t->table + (ptrdiff_t)ti * (PEL_COEFFICIENTS + 1) * t->ntypes;
  const pel_int4 tj = many ? *(const pel_int4 *)(t->type + j) : (pel_int4){0};
  for (int k = 0; k < PEL_COEFFICIENTS; ++k)
    c[k] = many ? pel_lookup(table + (k + 1) * t->ntypes, tj) : pel_all(table[k + 1]);
  return many ? pel_lookup(table, tj) : pel_all(table[0]);
}

/* F/r, or the shares, where they count, 0 elsewhere.  own: a particle i and its attributes. */
PEL_INLINE PEL__RESULT PEL__OWN(_formula)(const pel_pair_task *t, bool energy, bool many, int ti,
                                          const pel_pair_ends *own, pel_real r2, ptrdiff_t j,
                                          const pel_real *c1, pel_real cut2, pel__watch *w) {
  pel_real cmany[PEL_COEFFICIENTS + 1];
  if (many) cut2 = PEL__OWN(_look)(t, true, ti, j, cmany);
#ifdef PEL_ENDS
  pel_pair_ends ends = *own;
  for (int k = 0; k < PEL__NENDS; ++k) ends.j[k] = *(const pel_real *)(t->attribute[k] + j);
#else
  (void)own;
#endif
#ifdef PEL_SHARES
  (void)energy;
  pel_shares h = PEL__CALL(r2, many ? cmany : c1, &ends);
  h.i = pel_within(r2, cut2, h.i), h.j = pel_within(r2, cut2, h.j);
  w->force = pel_larger(pel_abs(h.i), pel_larger(pel_abs(h.j), w->force));
  return h;
#else
  const pel_pair h = PEL__CALL(r2, many ? cmany : c1, &ends);
  const pel_real force = pel_within(r2, cut2, h.force);
  w->force = pel_larger(pel_abs(force), w->force);
  if (energy) {
    const pel_real u = pel_within(r2, cut2, h.energy);
    w->sum += (pel_bits4)(u + pel_all(t->magic_energy));
    w->energy = pel_larger(pel_abs(u), w->energy);
  }
  return force;
#endif
}

#if defined PEL_COSTLY && defined __AVX512VL__
#define PEL__PACKS true

PEL_INLINE void PEL__OWN(_pack)(const pel_pair_task *t, bool many, int ti, pel_real r2, ptrdiff_t j,
                                pel_real cut2, pel__pack *b) {
  if (many)
    cut2 = pel_lookup(t->table + (ptrdiff_t)ti * (PEL_COEFFICIENTS + 1) * t->ntypes,
                      *(const pel_int4 *)(t->type + j));
  const __mmask8 in = _mm256_cmp_pd_mask((__m256d)r2, (__m256d)cut2, _CMP_LT_OQ);
  pel__pack_real(b->r2 + b->count, in, r2);
  for (int a = 0; a < PEL__NENDS; ++a)
    pel__pack_real(b->attribute[a] + b->count, in, *(const pel_real *)(t->attribute[a] + j));
  if (many)
    _mm_storeu_si128((__m128i *)(b->type + b->count),
                     _mm_maskz_compress_epi32(in, *(const __m128i *)(t->type + j)));
  b->cluster[b->n] = (int)(j / PEL_LANES);
  b->in[b->n++] = in;
  b->count += __builtin_popcount(in);
}

/* The formula for all that is packed; what fills the last vector lies beyond every cut-off. */
PEL_INLINE void PEL__OWN(_evaluate)(const pel_pair_task *t, bool energy, bool many, int ti,
                                    const pel_pair_ends *own, pel__pack *b, const pel_real *c1,
                                    pel_real cut2, pel__watch *w) {
  pel_pair_task packed = *t;
  packed.type = b->type;
  for (int a = 0; a < PEL__NENDS; ++a) packed.attribute[a] = b->attribute[a];
  _mm256_storeu_pd(b->r2 + b->count, _mm256_set1_pd(t->far2));
  if (many) _mm_storeu_si128((__m128i *)(b->type + b->count), _mm_setzero_si128());
  for (int k = 0; k < b->count; k += PEL_LANES) {
    const PEL__RESULT f = PEL__OWN(_formula)(&packed, energy, many, ti, own,
                                             *(const pel_real *)(b->r2 + k), k, c1, cut2, w);
#ifdef PEL_SHARES
    *(pel_real *)(b->force + k) = f.i, *(pel_real *)(b->other + k) = f.j;
#else
    *(pel_real *)(b->force + k) = f;
#endif
    ++w->vectors;
  }
}

/* A row in parts: pairs within the cut-off are packed, evaluated, and put back into their lanes. */
PEL_INLINE pel__sums PEL__OWN(_row)(const pel_pair_task *t, bool energy, bool many, int self,
                                    ptrdiff_t home, const int *entry, const int *end,
                                    const pel_real *c1, pel_real cut2, pel__watch *w) {
  const ptrdiff_t i = home + self;
  const pel__vector xi = {pel_all(t->x[0][i]), pel_all(t->x[1][i]), pel_all(t->x[2][i])};
  const int ti = many ? t->type[i] : 0;
  const pel_long4 beyond = {-(self < 0), -(self < 1), -(self < 2), -(self < 3)};
  pel__sums sums = {{0}, {0}, {0}};
  pel_pair_ends own;
  pel__pack b;
  own.data = t->data;
  for (int a = 0; a < PEL__NENDS; ++a) own.i[a] = pel_all(t->attribute[a][i]);
  for (bool first = t->within; first || entry < end; first = false) {
    b.n = b.count = 0;
    if (first) { /* of its own cluster the particles beyond it */
      const pel_real r2 = pel__distance(t, &xi, home).r2;
      PEL__OWN(_pack)(t, many, ti, pel_choose(beyond, r2, pel_all(t->far2)), home, cut2, &b);
    }
    for (; b.n < PEL__PART && entry < end; ++entry) {
      const ptrdiff_t j = PEL_LANES * (ptrdiff_t)*entry;
      PEL__OWN(_pack)(t, many, ti, pel__distance(t, &xi, j).r2, j, cut2, &b);
    }
    PEL__OWN(_evaluate)(t, energy, many, ti, &own, &b, c1, cut2, w);
    for (int m = 0, k = 0; m < b.n; k += __builtin_popcount(b.in[m]), ++m) {
      const ptrdiff_t j = PEL_LANES * (ptrdiff_t)b.cluster[m];
#ifdef PEL_SHARES
      const pel_shares f = {pel__unpack(b.force + k, b.in[m]), pel__unpack(b.other + k, b.in[m])};
      pel__push_shares(t, f, j, &sums);
#else
      const pel__near near = pel__distance(t, &xi, j);
      pel__push(t, &near, pel__unpack(b.force + k, b.in[m]), j, &sums);
#endif
    }
  }
  return sums;
}
#else
#define PEL__PACKS false

/* A row in three overlapping stages: distance, formula, sums. */
PEL_INLINE pel__sums PEL__OWN(_row)(const pel_pair_task *t, bool energy, bool many, int self,
                                    ptrdiff_t home, const int *entry, const int *end,
                                    const pel_real *c1, pel_real cut2, pel__watch *w) {
  const ptrdiff_t i = home + self;
  const pel__vector xi = {pel_all(t->x[0][i]), pel_all(t->x[1][i]), pel_all(t->x[2][i])};
  const int ti = many ? t->type[i] : 0;
  const pel_long4 beyond = {-(self < 0), -(self < 1), -(self < 2), -(self < 3)};
  pel__sums sums = {{0}, {0}, {0}};
  pel_pair_ends own;
#ifdef PEL_ENDS
  own.data = t->data;
  for (int a = 0; a < PEL__NENDS; ++a) own.i[a] = pel_all(t->attribute[a][i]);
#endif
  ptrdiff_t j = home, k;
  if (!t->within) {
    if (entry == end) return sums;
    j = PEL_LANES * (ptrdiff_t)*entry++;
  }
  pel__near a = pel__distance(t, &xi, j), b; /* of its own cluster the particles beyond it */
  if (t->within) a.r2 = pel_choose(beyond, a.r2, pel_all(t->far2));
  PEL__RESULT f = PEL__OWN(_formula)(t, energy, many, ti, &own, a.r2, j, c1, cut2, w), g;
  if (entry < end) {
    k = PEL_LANES * (ptrdiff_t)*entry;
    b = pel__distance(t, &xi, k);
    while (++entry < end) {
      const ptrdiff_t next = PEL_LANES * (ptrdiff_t)*entry;
      const pel__near c = pel__distance(t, &xi, next);
      g = PEL__OWN(_formula)(t, energy, many, ti, &own, b.r2, k, c1, cut2, w);
      PEL__PUSH(t, &a, f, j, &sums);
      a = b, f = g, j = k;
      b = c, k = next;
    }
    g = PEL__OWN(_formula)(t, energy, many, ti, &own, b.r2, k, c1, cut2, w);
    PEL__PUSH(t, &a, f, j, &sums);
    a = b, f = g, j = k;
  }
  PEL__PUSH(t, &a, f, j, &sums);
  return sums;
}
#endif

PEL_INLINE void PEL__OWN(_run)(pel_pair_task *task, bool energy, bool many) {
  const pel_pair_task copy = *task, *t = &copy; /* so that stores cannot change it */
  pel_real c1[PEL_COEFFICIENTS + 1];
  pel_real cut2 = PEL__OWN(_look)(t, false, 0, 0, c1);
  pel__watch w = {{0}, {0}, {0}, 0};
  __int128 total = 0;
  for (int c = t->first; c < t->last; ++c) {
    const ptrdiff_t home = PEL_LANES * (ptrdiff_t)c;
    const int *row = t->row + (home - PEL_LANES * (ptrdiff_t)t->first), *e = t->entry;
    pel__sums s[PEL_LANES];
    w.sum = (pel_bits4){0}, w.vectors = 0;
#pragma GCC unroll 4
    for (int r = 0; r < PEL_LANES; ++r)
      s[r] = PEL__OWN(_row)(t, energy, many, r, home, e + row[r], e + row[r + 1], c1, cut2, &w);
    pel__settle(t->f[0] + home, t->bias + home, s[0].x, s[1].x, s[2].x, s[3].x);
#ifndef PEL_SHARES
    pel__settle(t->f[1] + home, t->bias + home, s[0].y, s[1].y, s[2].y, s[3].y);
    pel__settle(t->f[2] + home, t->bias + home, s[0].z, s[1].z, s[2].z, s[3].z);
#endif
    if (energy) {
      int64_t mbits;
      __builtin_memcpy(&mbits, &t->magic_energy, sizeof mbits);
      const uint64_t vectors =
          PEL__PACKS ? w.vectors
                     : (uint64_t)(row[PEL_LANES] - row[0] + (t->within ? PEL_LANES : 0));
      const uint64_t sum = (uint64_t)w.sum[0] + (uint64_t)w.sum[1] + (uint64_t)w.sum[2] +
                           (uint64_t)w.sum[3] - vectors * PEL_LANES * (uint64_t)mbits;
      total += (int64_t)sum;
    }
  }
  for (int l = 0; l < PEL_LANES; ++l) {
    task->largest_force = fmax(task->largest_force, w.force[l]);
    task->largest_energy = fmax(task->largest_energy, w.energy[l]);
  }
  task->energy = total;
}

/* clang-format off */
static void PEL__OWN(_force)(pel_pair_task *t) { PEL__OWN(_run)(t, false, false); }
static void PEL__OWN(_energy)(pel_pair_task *t) { PEL__OWN(_run)(t, true, false); }
static void PEL__OWN(_force_many)(pel_pair_task *t) { PEL__OWN(_run)(t, false, true); }
static void PEL__OWN(_energy_many)(pel_pair_task *t) { PEL__OWN(_run)(t, true, true); }

#ifndef PEL_KERNELS
#define PEL_KERNELS PEL__OWN(_kernels)
static
#endif
const pel_pair_kernels PEL_KERNELS = {
    PEL_COEFFICIENTS,
    {{PEL__OWN(_force), PEL__OWN(_energy)}, {PEL__OWN(_force_many), PEL__OWN(_energy_many)}},
    PEL__NENDS, PEL__SUMS};
/* clang-format on */

#undef PEL__OWN
#undef PEL__CALL
#undef PEL__NENDS
#undef PEL__RESULT
#undef PEL__PACKS
#undef PEL_COSTLY
#undef PEL__SUMS
#undef PEL__PUSH
#undef PEL_ENDS
#undef PEL_KERNELS
#undef PEL_SHARES
#undef PEL_FORMULA
#undef PEL_COEFFICIENTS
