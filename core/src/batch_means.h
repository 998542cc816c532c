/* Means of vectors, with errors from the scatter of the means of batches.
 *
 * Samples that follow each other are correlated, means of long batches of them are not: the error
 * of a mean is that of 16 to 31 of those (Flyvbjerg & Petersen 1989, doi:10.1063/1.457480).  When
 * there are 32 batches, pairs of them become one.  What a function of the mean is and how well it
 * is known follows in the same way.
 *
 * Sums are made in the order of the samples, so that a series that was saved and goes on has the
 * same bits. */
#ifndef PEL_BATCH_MEANS_H
#define PEL_BATCH_MEANS_H

#include <stddef.h>
#include <stdint.h>

enum { PEL__BATCHES = 32, PEL__FEWEST_BATCHES = 4 };

/* Lies in borrowed memory, which is all of its state: zeroed it is without samples. */
typedef struct {
  int64_t n;    /* numbers of a sample */
  double *head; /* batches that are full, samples of a full one, samples of the last one */
  double *sum;  /* [PEL__BATCHES][n] */
} pel__batches;

int64_t pel__batches_size(int64_t n); /* doubles of memory */
pel__batches pel__batches_in(double *memory, int64_t n);
void pel__batches_add(pel__batches *b, const double *x);
int64_t pel__batches_samples(const pel__batches *b);

/* to[m] from the mean of samples. */
typedef void pel__estimator(const void *ctx, const double *mean, double *to);

/* value[m] of all samples, and its standard error: NAN from fewer than PEL__FEWEST_BATCHES batches.
 * Without samples both are NAN.  Returns the number of full batches. */
int pel__batches_estimate(const pel__batches *b, pel__estimator *f, const void *ctx, int64_t m,
                          double *value, double *error);

#endif
