/* A Hilbert curve through a box of any size. */
#ifndef PEL_CURVE_H
#define PEL_CURVE_H

/* Writes the coordinates of all n[0]*n[1]*n[2] cells in the order of the curve.  Consecutive cells
 * share a face if every n is even or 1 (for powers of two it is Hilbert's own curve); around odd
 * sizes a few steps are diagonal.  Deterministic. */
void pel__curve(const int n[3], int (*coord)[3]);

#endif
