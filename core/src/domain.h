/* The box that particles live in, and the lattice on which their positions lie.
 *
 * delta is the power of two with 2^49 < (longest edge)/delta <= 2^50.  Edges and positions are
 * multiples of it, so that wrapping, adding a period and the difference of two positions within a
 * period of the box are exact. */
#ifndef PEL_DOMAIN_H
#define PEL_DOMAIN_H

#include <stdbool.h>
#include "pelsim/error.h"

typedef struct {
  int dims;
  bool periodic[3];
  bool walled[3];    /* ends at walls: neither for an axis that does not exist */
  double edge[3][3]; /* edge vectors, row by row; only the diagonal is set in a right-angled box */
  double length[3];  /* extent along each axis: the diagonal of edge */
  double delta;
  double magic; /* 1.5 * 2^52 * delta */
} pel__domain;

/* A right-angled box from the origin; lengths are rounded to the lattice.  dims 2: length[2] must
 * be positive and has no effect, positions along axis 2 are 0.  Fails on lengths that are not
 * positive.
 */
int pel__domain_init(pel__domain *d, int dims, const double length[3], const bool periodic[3],
                     pel_error *e);

double pel__domain_volume(const pel__domain *d); /* area in two dimensions */

/* The translation by n[a] periods along each axis: exact. */
void pel__domain_shift(const pel__domain *d, const int n[3], double shift[3]);

/* How many periods a position is beyond the box along axis a, if not more than one. */
static inline int pel__domain_beyond(const pel__domain *d, int a, double x) {
  return !d->periodic[a] ? 0 : x >= d->length[a] ? 1 : x < 0 ? -1 : 0;
}

/* The multiple of q nearest to x, half to even, for |x| < 2^51 q; magic = 1.5 * 2^52 * q. */
static inline double pel__snap(double x, double magic) { return (x + magic) - magic; }
double pel__magic(double quantum);

#endif
