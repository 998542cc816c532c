/* Kernels of morse.c: its formula. */
#ifndef PEL_MD_MORSE_PAIRS_H
#define PEL_MD_MORSE_PAIRS_H

#include "potentials.h"

/* With y = e^(-a(r-r0)): u = depth y (y - 2), u' = -2 a depth y (y - 1). */
PEL_INLINE pel_pair morse(pel_real r2, const pel_real *c) {
  const pel_real r = pel_sqrt(r2), y = pel_exp(c[4] * (c[5] - r));
  return (pel_pair){.force = pel_fma(c[3] * y, y - 1, c[1]) / r,
                    .energy = pel_fma(c[2] * y, y - 2, -c[0]) - c[1] * r};
}
#define PEL_FORMULA morse
#define PEL_COEFFICIENTS PEL__MORSE_COEFFICIENTS
#define PEL_KERNELS pel__morse
#include "pelsim/pair_kernel.h"

#endif
