/* Lennard-Jones 12-6, for models of this folder.
 *
 *   u(r) = 4 eps ((s/r)^12 - (s/r)^6)  within rc, and its continuations to zero at rc:
 *   shifted        u(r) - u(rc)
 *   force-shifted  u(r) - u(rc) - (r - rc) u'(rc)      (Allen & Tildesley 2017, section 5.2.3) */
#ifndef PEL_MD_LJ_H
#define PEL_MD_LJ_H

#include "pelsim/particles.h"

enum { PEL__LJ_COEFFICIENTS = 5, PEL__LJ_SMOOTH_COEFFICIENTS = 7 };

typedef enum { PEL__LJ_CUT, PEL__LJ_SHIFTED, PEL__LJ_FORCE_SHIFTED } pel__lj_kind;

/* Coefficients of one pair of types. */
void pel__lj_coefficients(pel__lj_kind kind, double eps, double sigma, double rc, double *c);

extern const pel_pair_kernels pel__lj, pel__lj_mixed, pel__lj_smooth,
    pel__lj_smooth_mixed; /* cut or shifted; force-shifted */

/* Tail corrections of n1*n2 pairs of types per volume, as if g(r) = 1 beyond rc: to the energy, and
 * to the virial sum of r f over pairs. */
double pel__lj_tail_energy(double eps, double sigma, double rc);
double pel__lj_tail_virial(double eps, double sigma, double rc);

#endif
