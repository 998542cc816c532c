/* For the author of a pair potential: makes the kernels of a pair formula (see particles.h).
 *
 *   PEL_INLINE pel_pair lj(pel_real r2, const pel_real *c) { ... }
 *   #define PEL_FORMULA lj
 *   #define PEL_COEFFICIENTS 5
 *   #include "pelsim/pair_kernel.h"  // defines static const pel_pair_kernels lj_kernels
 *
 * PEL_KERNELS may name them otherwise, and then they are not static.
 *
 * In a file that defines PEL_MIXED before it includes anything, the same lines make the kernels of
 * mixed precision: pairs are evaluated in single precision, eight at a time, and summed exactly as
 * ever.  PEL_KERNELS then gets "_mixed" at its end.  So put the formula with these lines into a
 * header, lj_pairs.h, include it where the model is, and in a file of two lines:
 *
 *   #define PEL_MIXED
 *   #include "lj_pairs.h"
 *
 * With PEL_COSTLY defined the formula is evaluated, where the processor can pack vectors, only for
 * pairs within the cut-off: two to three times fewer.  The bits are the same.
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
 * once.  One cluster is a vector of doubles, two are one of floats: no gathers.  f_i stays in
 * registers, f_j is updated in memory, both as integers.  The formula of the next vector is under
 * way while the forces of the present one are added, and distances of the one after it. */

#ifndef PEL_PAIR_KERNEL_H
#define PEL_PAIR_KERNEL_H
#include "pelsim/particles.h"

#define PEL__PASTE_(a, b) a##b
#define PEL__PASTE(a, b) PEL__PASTE_(a, b)

typedef struct {
  pel_real x, y, z;
} pel__vector;

/* The clusters of a vector. */
#ifdef PEL_MIXED
typedef struct {
  int a, b;
} pel__js;
#else
typedef int pel__js;
#endif

/* The vectors of cluster j in an array of n vectors a cluster. */
#define PEL__AT(array, type, n, j) \
  ((type *)(void *)((char *)(uintptr_t)(array) + pel__offset((ptrdiff_t)((n) * sizeof(type)), j)))

/* A number that GCC leaves alone: added to what comes after it, it would be computed three times.
 */
PEL_INLINE ptrdiff_t pel__offset(ptrdiff_t bytes, int j) {
  ptrdiff_t offset = bytes * j;
  __asm__("" : "+r"(offset));
  return offset;
}

/* One row against one vector. */
typedef struct {
  pel__vector d;
  pel_real r2;
} pel__near;

#ifdef PEL_MIXED
#include "pelsim/pair_mixed.h"
#else
#include "pelsim/pair_double.h"
#endif

typedef struct {
  pel_real force, energy; /* largest magnitudes */
  pel_bits4 sum;          /* of energy */
  uint64_t vectors;       /* of doubles, in sum */
} pel__watch;

PEL_INLINE pel_real pel__largest(pel_real a, pel_real most) {
#ifdef __AVX512DQ__
  return (pel_real)PEL__INTEL(range)((PEL__INTEL_TYPE)a, (PEL__INTEL_TYPE)most, 0xb);
#else
  return pel_larger(pel_abs(a), most);
#endif
}

/* The force of j on i is force*d; sums are of what goes to j. */
PEL_INLINE void pel__push(const pel_pair_task *t, const pel__near *p, pel_real force, pel__js j,
                          pel__sums *i) {
  const pel__sum x = pel__rounded(t, force, p->d.x), y = pel__rounded(t, force, p->d.y),
                 z = pel__rounded(t, force, p->d.z);
  i->x += x, i->y += y, i->z += z;
  pel__add(t, j, 3, (const pel__sum[]){x, y, z});
}

PEL_INLINE void pel__push_shares(const pel_pair_task *t, pel_shares s, pel__js j, pel__sums *i) {
  const pel_real one = pel_all(1);
  i->x += pel__rounded(t, s.i, one);
  pel__add(t, j, 1, (const pel__sum[]){pel__rounded(t, s.j, one)});
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
#define PEL__MOVE(t, near, result, i, j) pel__move_shares(t, result, i, j)
#else
#define PEL__RESULT pel_real
#define PEL__SUMS false
#define PEL__PUSH(t, near, result, j, sums) pel__push(t, near, result, j, sums)
#define PEL__MOVE(t, near, result, i, j) pel__move(t, near, result, i, j)
#endif

/* Coefficients of type ti with types tj, and the square of the cut-off. */
PEL_INLINE pel_real PEL__OWN(_look)(const pel_pair_task *t, bool many, int ti, pel_whole tj,
                                    pel_real c[PEL_COEFFICIENTS + 1]) {
  const pel_lane *table =
      (const pel_lane *)t->table + (ptrdiff_t)ti * (PEL_COEFFICIENTS + 1) * t->ntypes;
  for (int k = 0; k < PEL_COEFFICIENTS; ++k)
    c[k] = many ? pel_lookup(table + (k + 1) * t->ntypes, tj) : pel_all(table[k + 1]);
  return many ? pel_lookup(table, tj) : pel_all(table[0]);
}

/* What a formula with ends gets of particle i. */
PEL_INLINE void PEL__OWN(_ends)(const pel_pair_task *t, ptrdiff_t i, pel_pair_ends *own) {
  own->data = t->data;
  for (int a = 0; a < PEL__NENDS; ++a) own->i[a] = pel_all(((const pel_lane *)t->attribute[a])[i]);
  (void)i;
}

/* F/r, or the shares, where they count, 0 elsewhere.  own: a particle i and its attributes; those
 * of j are filled in here. */
PEL_INLINE PEL__RESULT PEL__OWN(_formula)(const pel_pair_task *t, bool energy, bool many, int ti,
                                          const pel_pair_ends *own, pel_real r2, pel__js j,
                                          const pel_real *c1, pel_real cut2, pel__watch *w) {
  pel_real cmany[PEL_COEFFICIENTS + 1];
  if (many) cut2 = PEL__OWN(_look)(t, true, ti, pel__types(t, j), cmany);
#ifdef PEL_ENDS
  pel_pair_ends ends = *own;
  for (int k = 0; k < PEL__NENDS; ++k) ends.j[k] = pel__attribute(t, k, j);
#else
  (void)own;
#endif
#ifdef PEL_SHARES
  (void)energy;
  pel_shares h = PEL__CALL(r2, many ? cmany : c1, &ends);
  h.i = pel_within(r2, cut2, h.i), h.j = pel_within(r2, cut2, h.j);
  w->force = pel__largest(h.i, pel__largest(h.j, w->force));
  return h;
#else
  const pel_pair h = PEL__CALL(r2, many ? cmany : c1, &ends);
  const pel_real force = pel_within(r2, cut2, h.force);
  w->force = pel__largest(force, w->force);
  if (energy) {
    const pel_real u = pel_within(r2, cut2, h.energy);
    w->sum += pel__energies(t, u);
    w->energy = pel__largest(u, w->energy);
    w->vectors += PEL_VECTOR / PEL_LANES;
  }
  return force;
#endif
}

#if defined PEL_COSTLY && defined __AVX512VL__ && !defined PEL_MIXED

PEL_INLINE void PEL__OWN(_pack)(const pel_pair_task *t, bool many, int ti, pel_real r2, int j,
                                pel_real cut2, pel__pack *b) {
  const ptrdiff_t at = (ptrdiff_t)j * PEL_LANES;
  if (many)
    cut2 = pel_lookup((const double *)t->table + (ptrdiff_t)ti * (PEL_COEFFICIENTS + 1) * t->ntypes,
                      *(const pel_int4 *)(t->type + at));
  const __mmask8 in = _mm256_cmp_pd_mask((__m256d)r2, (__m256d)cut2, _CMP_LT_OQ);
  pel__pack_real(b->r2 + b->count, in, r2);
  for (int a = 0; a < PEL__NENDS; ++a)
    pel__pack_real(b->attribute[a] + b->count, in, pel__attribute(t, a, j));
  if (many)
    _mm_storeu_si128((__m128i *)(b->type + b->count),
                     _mm_maskz_compress_epi32(in, *(const __m128i *)(t->type + at)));
  b->cluster[b->n] = j;
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
    const PEL__RESULT f = PEL__OWN(_formula)(
        &packed, energy, many, ti, own, *(const pel_real *)(b->r2 + k), k / PEL_LANES, c1, cut2, w);
#ifdef PEL_SHARES
    *(pel_real *)(b->force + k) = f.i, *(pel_real *)(b->other + k) = f.j;
#else
    *(pel_real *)(b->force + k) = f;
#endif
  }
}

/* A row in parts: pairs within the cut-off are packed, evaluated, and put back into their lanes. */
PEL_INLINE pel__sums PEL__OWN(_row)(const pel_pair_task *t, bool energy, bool many, int self,
                                    int home, const int *entry, const int *end, const pel_real *c1,
                                    pel_real cut2, pel__watch *w) {
  const ptrdiff_t i = (ptrdiff_t)home * PEL_LANES + self;
  const pel__place xi = pel__place_of(t, home, self);
  const int ti = many ? t->type[i] : 0;
  pel__sums sums = {{0}, {0}, {0}};
  pel_pair_ends own;
  PEL__OWN(_ends)(t, i, &own);
  pel__pack b;
  for (bool first = t->within; first || entry < end; first = false) {
    b.n = b.count = 0;
    if (first) {
      const pel__near own_cluster = pel__beyond(t, pel__distance(t, &xi, home), self);
      PEL__OWN(_pack)(t, many, ti, own_cluster.r2, home, cut2, &b);
    }
    for (; b.n < PEL__PART && entry < end; ++entry)
      PEL__OWN(_pack)(t, many, ti, pel__distance(t, &xi, *entry).r2, *entry, cut2, &b);
    PEL__OWN(_evaluate)(t, energy, many, ti, &own, &b, c1, cut2, w);
    for (int m = 0, k = 0; m < b.n; k += __builtin_popcount(b.in[m]), ++m) {
#ifdef PEL_SHARES
      const pel_shares f = {pel__unpack(b.force + k, b.in[m]), pel__unpack(b.other + k, b.in[m])};
      pel__push_shares(t, f, b.cluster[m], &sums);
#else
      const pel__near near = pel__distance(t, &xi, b.cluster[m]);
      pel__push(t, &near, pel__unpack(b.force + k, b.in[m]), b.cluster[m], &sums);
#endif
    }
  }
  return sums;
}
#else

/* A row in three overlapping stages: distance, formula, sums. */
PEL_INLINE pel__sums PEL__OWN(_row)(const pel_pair_task *t, bool energy, bool many, int self,
                                    int home, const int *entry, const int *end, const pel_real *c1,
                                    pel_real cut2, pel__watch *w) {
  const ptrdiff_t i = (ptrdiff_t)home * PEL_LANES + self;
  const pel__place xi = pel__place_of(t, home, self);
  const int ti = many ? t->type[i] : 0;
  pel__sums sums = {{0}, {0}, {0}};
  pel_pair_ends own;
  PEL__OWN(_ends)(t, i, &own);
  if (!t->within && entry == end) return sums;
  pel__js j = t->within ? pel__with_own(home, &entry) : pel__next(&entry), k;
  pel__near a = pel__distance(t, &xi, j), b;
  if (t->within) a = pel__beyond(t, a, self);
  PEL__RESULT f = PEL__OWN(_formula)(t, energy, many, ti, &own, a.r2, j, c1, cut2, w), g;
  if (entry < end) {
    k = pel__next(&entry);
    b = pel__distance(t, &xi, k);
    while (entry < end) {
      const pel__js next = pel__next(&entry);
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

#ifdef PEL_MIXED
/* What exceeds of the rows of a cluster, whose sums are settled, goes to wider sums.  Returns the
 * largest forces. */
static __attribute__((noinline, cold)) pel_real PEL__OWN(_widen)(const pel_pair_task *t, bool many,
                                                                 int home) {
  const int *row = t->row + (ptrdiff_t)(home - t->first) * PEL_LANES;
  pel_real c1[PEL_COEFFICIENTS + 1];
  const pel_real cut2 = PEL__OWN(_look)(t, false, 0, (pel_whole){0}, c1);
  pel__watch w = {0};
  for (int self = 0; self < PEL_LANES; ++self) {
    const int *entry = t->entry + row[self], *end = t->entry + row[self + 1];
    const ptrdiff_t i = (ptrdiff_t)home * PEL_LANES + self;
    const pel__place xi = pel__place_of(t, home, self);
    const int ti = many ? t->type[i] : 0;
    pel_pair_ends own;
    PEL__OWN(_ends)(t, i, &own);
    for (bool first = t->within; first || entry < end; first = false) {
      const pel__js j = first ? pel__with_own(home, &entry) : pel__next(&entry);
      pel__near a = pel__distance(t, &xi, j);
      if (first) a = pel__beyond(t, a, self);
      const PEL__RESULT f = PEL__OWN(_formula)(t, false, many, ti, &own, a.r2, j, c1, cut2, &w);
      PEL__MOVE(t, &a, f, i, j);
    }
  }
  return w.force;
}
#endif

PEL_INLINE void PEL__OWN(_run)(pel_pair_task *task, bool energy, bool many) {
  const pel_pair_task copy = *task, *t = &copy; /* so that stores cannot change it: kept local */
  pel_real c1[PEL_COEFFICIENTS + 1];
  const pel_real cut2 = PEL__OWN(_look)(t, false, 0, (pel_whole){0}, c1);
  pel__watch w = {{0}, {0}, {0}, 0};
  __int128 total = 0;
#ifdef PEL_MIXED
  int nlarge = 0;
#endif
  for (int c = t->first; c < t->last; ++c) {
    const int *row = t->row + (ptrdiff_t)(c - t->first) * PEL_LANES, *e = t->entry;
    pel__sums s[PEL_LANES];
    w.sum = (pel_bits4){0}, w.vectors = 0;
#pragma GCC unroll 4
    for (int r = 0; r < PEL_LANES; ++r)
      s[r] = PEL__OWN(_row)(t, energy, many, r, c, e + row[r], e + row[r + 1], c1, cut2, &w);
#ifdef PEL_SHARES
    pel__settle(t, c, row, true, 1, 0, s[0].x, s[1].x, s[2].x, s[3].x);
#else
    pel__settle(t, c, row, false, 3, 0, s[0].x, s[1].x, s[2].x, s[3].x);
    pel__settle(t, c, row, false, 3, 1, s[0].y, s[1].y, s[2].y, s[3].y);
    pel__settle(t, c, row, false, 3, 2, s[0].z, s[1].z, s[2].z, s[3].z);
#endif
#ifdef PEL_MIXED
    t->large[nlarge] = c; /* a call here would cost the loops their registers */
    nlarge += pel__exceeds(w.force, (float)t->narrow);
    w.force = pel_all(0);
#endif
    if (energy) {
      int64_t mbits;
      __builtin_memcpy(&mbits, &t->magic_energy, sizeof mbits);
      total += (int64_t)((uint64_t)w.sum[0] + (uint64_t)w.sum[1] + (uint64_t)w.sum[2] +
                         (uint64_t)w.sum[3] - w.vectors * PEL_LANES * (uint64_t)mbits);
    }
  }
#ifdef PEL_MIXED
  for (int k = 0; k < nlarge; ++k)
    w.force = pel__largest(PEL__OWN(_widen)(task, many, t->large[k]), w.force);
#endif
  for (int l = 0; l < PEL_VECTOR; ++l) {
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
const pel_pair_kernels PEL_PRECISE(PEL_KERNELS) = {
    PEL_COEFFICIENTS,
    {{PEL__OWN(_force), PEL__OWN(_energy)}, {PEL__OWN(_force_many), PEL__OWN(_energy_many)}},
    PEL__NENDS, PEL__SUMS, PEL__IS_MIXED};
/* clang-format on */

#undef PEL__OWN
#undef PEL__CALL
#undef PEL__NENDS
#undef PEL__RESULT
#undef PEL_COSTLY
#undef PEL__SUMS
#undef PEL__PUSH
#undef PEL__MOVE
#undef PEL_ENDS
#undef PEL_KERNELS
#undef PEL_SHARES
#undef PEL_FORMULA
#undef PEL_COEFFICIENTS
