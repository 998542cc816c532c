#include "packed.h"

#include <math.h>
#include <string.h>

/* ---- doubles ---- */

static void fill_doubles(double *to, const pel__particles *p, int c) {
  for (int a = 0; a < 3; ++a)
    *(pel_double4 *)(to + a * PEL_LANES) =
        *(const pel_double4 *)(p->x[a] + (ptrdiff_t)c * PEL_LANES);
}

/* ---- integers ----
 *
 * A position is rounded within the box and periods are added as integers, so that all copies of a
 * particle are the same distance from all of another, whichever a rank has. */

static pel_sum4 whole(const pel__domain *d, int a, double grain, pel_double4 x) {
  const double length = d->length[a], magic = pel__magic(grain);
  pel_long4 periods = {0};
  for (int n = 0; n < 2 && d->periodic[a]; ++n) { /* an image of one that has left the box: two */
    const pel_long4 above = (pel_long4)(x >= length), below = (pel_long4)(x < 0);
    x -= (pel_double4)((pel_long4)(length + (pel_double4){0}) & above);
    x += (pel_double4)((pel_long4)(length + (pel_double4){0}) & below);
    periods += below - above; /* masks are -1 */
  }
  const uint64_t period = (uint64_t)llrint(length / grain);
  const pel_bits4 n = (pel_bits4)(x + magic) + (pel_bits4)periods * period;
  return __builtin_convertvector(n, pel_sum4);
}

/* What there is, 2^32 units, is at least eight times the box.  Empty places stand half of that away
 * along x, beyond the cut-off of all particles and their images; those of one cluster, and the
 * particles of the empty cluster, are far from each other along another axis. */
enum { TIMES = 8, LANE_APART = 1 << 30 };

static void fill_empty(pel_sum4 x[3], const pel_long4 *id) {
  for (int l = 1; l < PEL_LANES; ++l) {
    if ((*id)[l] >= 0) continue;
    for (int a = 0; a < 3; ++a) x[a][l] = x[a][0];
    x[0][l] += UINT32_C(1) << 31;
    x[1][l] += (uint32_t)l * LANE_APART;
  }
}

static void fill_integers(const pel__packed *k, const pel__particles *p, int c) {
  const ptrdiff_t at = (ptrdiff_t)c * PEL_LANES;
  const pel_long4 *id = (const pel_long4 *)(p->id + at);
  pel_sum4 x[3];
  for (int a = 0; a < 3; ++a)
    x[a] = whole(&p->domain, a, k->grain, *(const pel_double4 *)(p->x[a] + at));
  if ((*id)[PEL_LANES - 1] < 0) fill_empty(x, id); /* the last places are the empty ones */
  for (int a = 0; a < 3; ++a) *(pel_sum4 *)((uint32_t *)k->x + 3 * at + a * PEL_LANES) = x[a];
}

void pel__packed_fill(const pel__packed *k, const pel__particles *p, int first, int last) {
#pragma omp parallel for num_threads(p->threads) schedule(static)
  for (int c = first; c < last; ++c)
    if (k->grain > 0)
      fill_integers(k, p, c);
    else
      fill_doubles((double *)k->x + (ptrdiff_t)c * 3 * PEL_LANES, p, c);
}

void pel__packed_prepare(pel__packed *k, const pel__particles *p, double cutoff, bool mixed) {
  double longest = 2 * cutoff;
  if (p->room > k->room) {
    pel__array_destroy(k->x);
    k->x = pel__array_create((size_t)p->room * 3 * PEL_LANES * sizeof(double), 5);
    k->room = p->room;
  }
  k->grain = 0;
  if (!mixed) return;
  for (int a = 0; a < p->domain.dims; ++a) longest = fmax(longest, p->domain.length[a]);
  int exponent;
  (void)frexp(TIMES * longest, &exponent);
  k->grain = ldexp(1, exponent - 32);
  uint32_t *empty = (uint32_t *)k->x + (ptrdiff_t)pel__nall(p) * 3 * PEL_LANES;
  for (uint32_t l = 0; l < PEL_LANES; ++l) {
    empty[l] = 0;
    empty[PEL_LANES + l] = UINT32_C(1) << 31;
    empty[2 * PEL_LANES + l] = l * LANE_APART;
  }
}

void pel__packed_destroy(pel__packed *k) {
  pel__array_destroy(k->x);
  memset(k, 0, sizeof *k);
}

void pel__packed_round(const double *from, float *to, int first, int last, int threads) {
#pragma omp parallel for simd num_threads(threads) schedule(static)
  for (ptrdiff_t i = (ptrdiff_t)first * PEL_LANES; i < (ptrdiff_t)last * PEL_LANES; ++i)
    to[i] = (float)from[i];
}
