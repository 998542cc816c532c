/* Kernels of lj.h: its formulas. */
#ifndef PEL_MD_LJ_PAIRS_H
#define PEL_MD_LJ_PAIRS_H

#include "lj.h"

PEL_INLINE pel_pair cut(pel_real r2, const pel_real *c) {
  const pel_real i2 = 1 / r2, i6 = i2 * i2 * i2;
  return (pel_pair){.force = (i2 * i6) * pel_fma(c[0], i6, -c[1]),
                    .energy = pel_fma(i6, pel_fma(c[2], i6, -c[3]), -c[4])};
}
#define PEL_FORMULA cut
#define PEL_COEFFICIENTS PEL__LJ_COEFFICIENTS
#define PEL_KERNELS pel__lj
#include "pelsim/pair_kernel.h"

/* c[5] = -u'(rc), so that force and energy are (F(r) - F(rc))/r and u - u(rc) + (r - rc) F(rc). */
PEL_INLINE pel_pair smooth(pel_real r2, const pel_real *c) {
  const pel_real i2 = 1 / r2, i6 = i2 * i2 * i2, r = pel_sqrt(r2);
  return (pel_pair){.force = (i2 * i6) * pel_fma(c[0], i6, -c[1]) - c[5] / r,
                    .energy = pel_fma(i6, pel_fma(c[2], i6, -c[3]), -c[4]) + c[5] * (r - c[6])};
}
#define PEL_FORMULA smooth
#define PEL_COEFFICIENTS PEL__LJ_SMOOTH_COEFFICIENTS
#define PEL_KERNELS pel__lj_smooth
#include "pelsim/pair_kernel.h"

#endif
