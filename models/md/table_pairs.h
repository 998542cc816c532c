/* Kernels of table.c: its formula. */
#ifndef PEL_MD_TABLE_PAIRS_H
#define PEL_MD_TABLE_PAIRS_H

#include "table.h"

/* c[2]: first record, c[3]: 1/step, c[4]: last interval, c[5]: where the table begins, in r or, if
 * steps are equal in r^2 (c[6] = 1), in that. */
PEL_INLINE pel_pair table(pel_real r2, const pel_real *c, const pel_pair_ends *e) {
  const pel_real r = pel_sqrt(r2), lost = pel_all(INFINITY), inverse = 1 / r;
  const pel_mask squared = (pel_mask)(c[6] > 0);
  const pel_real s = pel_choose(squared, r2, r), into = pel_larger(s - c[5], pel_all(0));
  const pel_spline_place at = pel_spline_find(into, c[3], c[4]);
  const pel_mask before = (pel_mask)(s < c[5]);
  pel_real a[4], slope;
  pel_lookup4(e->data, 4 * at.interval + pel_to_int(c[2]), a);
  const pel_real u = pel_spline(a, at.part, &slope);
  const pel_real pull = slope * c[3] * pel_choose(squared, pel_all(2), inverse);
  return (pel_pair){.force = pel_choose(before, lost, pel_fma(c[1], inverse, -pull)),
                    .energy = pel_choose(before, lost, u - pel_fma(c[1], r, c[0]))};
}
#define PEL_FORMULA table
#define PEL_COEFFICIENTS PEL__TABLE_COEFFICIENTS
#define PEL_ENDS 0
#define PEL_KERNELS pel__table_kernels
#include "pelsim/pair_kernel.h"

#endif
