/* Kernels of yukawa.c: its formula. */
#ifndef PEL_MD_YUKAWA_PAIRS_H
#define PEL_MD_YUKAWA_PAIRS_H

#include "potentials.h"

/* -u' = A e^(-kappa r) (kappa + 1/r)/r */
PEL_INLINE pel_pair yukawa(pel_real r2, const pel_real *c) {
  const pel_real r = pel_sqrt(r2), i = 1 / r, u = c[2] * pel_exp(-c[3] * r) * i;
  return (pel_pair){.force = pel_fma(u, c[3] + i, c[1]) * i, .energy = u - pel_fma(c[1], r, c[0])};
}
#define PEL_FORMULA yukawa
#define PEL_COEFFICIENTS PEL__YUKAWA_COEFFICIENTS
#define PEL_KERNELS pel__yukawa
#include "pelsim/pair_kernel.h"

#endif
