/* Pair potentials of this folder, a file each.  Coefficients of one pair of types and a cut-off rc:
 * `shift` continues u to zero at rc as Lennard-Jones' is (lj.h). */
#ifndef PEL_MD_POTENTIALS_H
#define PEL_MD_POTENTIALS_H

#include "lj.h"
#include "pelsim/vector_math.h"

/* c[0], c[1] of every formula below: u(rc), or with a shifted force u(rc) - rc u'(rc); u'(rc).
 * The energy is u(r) - c[0] - c[1] r, the force -u'(r) + c[1]. */
enum { PEL__SHIFT_COEFFICIENTS = 2 };
void pel__shift_coefficients(pel__lj_kind kind, double rc, double u, double slope, double *c);

/* The same in coefficients as in kernels, whatever the libm. */
static inline double pel__exp(double x) { return pel_exp(pel_all(x))[0]; }

/* ---- morse.c: u = depth (e^(-2a(r-r0)) - 2 e^(-a(r-r0)))   (Morse 1929) ---- */
enum { PEL__MORSE_COEFFICIENTS = PEL__SHIFT_COEFFICIENTS + 4 };
extern const pel_pair_kernels pel__morse, pel__morse_mixed;
void pel__morse_coefficients(pel__lj_kind kind, double depth, double a, double r0, double rc,
                             double *c);

/* ---- buckingham.c: u = A e^(-r/rho) - C/r^6   (Buckingham 1938) ---- */
enum { PEL__BUCKINGHAM_COEFFICIENTS = PEL__SHIFT_COEFFICIENTS + 5 };
extern const pel_pair_kernels pel__buckingham, pel__buckingham_mixed;
void pel__buckingham_coefficients(pel__lj_kind kind, double a, double rho, double c6, double rc,
                                  double *c);
/* Where u has its maximum, below which particles fall into each other, and its minimum; 0 if there
 * are none, infinite if attraction wins everywhere. */
double pel__buckingham_barrier(double a, double rho, double c6);
double pel__buckingham_minimum(double a, double rho, double c6);

/* ---- yukawa.c: u = A e^(-kappa r)/r   (Yukawa 1935; Debye & Hueckel 1923) ---- */
enum { PEL__YUKAWA_COEFFICIENTS = PEL__SHIFT_COEFFICIENTS + 2 };
extern const pel_pair_kernels pel__yukawa, pel__yukawa_mixed;
void pel__yukawa_coefficients(pel__lj_kind kind, double a, double kappa, double rc, double *c);

/* ---- soft.c: u = A (1 + cos(pi r/rc)), zero with its slope at rc: pushes overlaps apart ---- */
enum { PEL__SOFT_COEFFICIENTS = 2 };
extern const pel_pair_kernels pel__soft, pel__soft_mixed;
void pel__soft_coefficients(double a, double rc, double *c);

#endif
