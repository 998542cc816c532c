/* Kernels of soft.c: its formula. */
#ifndef PEL_MD_SOFT_PAIRS_H
#define PEL_MD_SOFT_PAIRS_H

#include "potentials.h"

/* -u'/r = A (pi/rc) sin(pi r/rc)/r, whose limit at r = 0 the smallest r stands for. */
PEL_INLINE pel_pair soft(pel_real r2, const pel_real *c) {
  const pel_real r = pel_sqrt(pel_larger(r2, pel_all(1e-30))),
                 x = pel_smaller(r * c[1], pel_all(1));
  pel_real s, cosine;
  pel_sin_cos_pi(x, &s, &cosine);
  return (pel_pair){.force = c[0] * c[1] * pel_all(PEL_PI) * s / r,
                    .energy = pel_fma(c[0], cosine, c[0])};
}
#define PEL_FORMULA soft
#define PEL_COEFFICIENTS PEL__SOFT_COEFFICIENTS
#define PEL_KERNELS pel__soft
#include "pelsim/pair_kernel.h"

#endif
