/* Exact sums of doubles: the only way to reduce floating point.
 *
 * A pel_sum holds the exact sum of everything added, as a fixed-point number wide enough for any
 * double (a small superaccumulator: Neal 2015, arXiv:1505.05571), so neither order nor grouping
 * matters; it is rounded once, to nearest even, when asked for.  Inf and NaN are counted apart and
 * come out as IEEE addition would give them; a sum of nothing or of zeros is +0. */
#ifndef PEL_SUM_H
#define PEL_SUM_H

#include <mpi.h>
#include <stddef.h>
#include <stdint.h>

enum { PEL__SUM_CHUNKS = 68 }; /* chunk c has weight 2^(32*c - 1074) */

typedef struct {
  int64_t chunk[PEL__SUM_CHUNKS];
  int64_t positive_inf, negative_inf, nan;
  int64_t spare; /* additions left before carries must be propagated */
} pel_sum;

void pel_sum_init(pel_sum *s);
void pel_sum_add(pel_sum *s, const double *x, int64_t n);
void pel_sum_merge(pel_sum *s, const pel_sum *other);
double pel_sum_round(const pel_sum *s);
/* Replaces each of the n sums by the sum over the ranks: one integer all-reduce.  Collective. */
void pel_sum_allreduce(pel_sum *s, int n, MPI_Comm comm);

#endif
