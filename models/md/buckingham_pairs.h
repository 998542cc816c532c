/* Kernels of buckingham.c: its formula. */
#ifndef PEL_MD_BUCKINGHAM_PAIRS_H
#define PEL_MD_BUCKINGHAM_PAIRS_H

#include "potentials.h"

PEL_INLINE pel_pair buckingham(pel_real r2, const pel_real *c) {
  const pel_real r = pel_sqrt(r2), i2 = 1 / r2, i6 = i2 * i2 * i2;
  const pel_real push = c[2] * pel_exp(-c[3] * r), pull = c[4] * i6;
  const pel_real lost = pel_all(INFINITY);
  const pel_mask within = (pel_mask)(r2 < c[5]);
  return (pel_pair){
      .force = pel_choose(within, lost, pel_fma(c[3], push, c[1]) / r - 6 * i2 * pull),
      .energy = pel_choose(within, lost, (push - pull) - pel_fma(c[1], r, c[0]))};
}
#define PEL_FORMULA buckingham
#define PEL_COEFFICIENTS PEL__BUCKINGHAM_COEFFICIENTS
#define PEL_KERNELS pel__buckingham
#include "pelsim/pair_kernel.h"

#endif
