/* Explicit time schemes as tables.
 *
 * Substage s evaluates the rate k of state y[in] and writes
 *     y[out] = y0 + sum_j a[j]*(y[j] - y0) + b*dt*k ,
 * increments on y0, so that rounding does not drift: a conserved sum stays conserved. */
#ifndef PEL_SCHEME_H
#define PEL_SCHEME_H

enum { PEL__SLOTS = 4, PEL__SUBSTAGES = 4 }; /* slot 0 holds y0 */

typedef struct {
  int in, out;          /* slots */
  double a[PEL__SLOTS]; /* a[0] unused */
  double b, c;          /* c: time of y[in] is t + c*dt */
} pel__substage;

typedef struct {
  const char *name, *cite;
  int nslots, nsub;
  double imaginary, real; /* extent of the stability region along both axes */
  pel__substage sub[PEL__SUBSTAGES];
} pel__scheme;

/* NULL if there is none of that name. */
const pel__scheme *pel__scheme_find(const char *name);

#endif
