/* Particles as the kernels of pairs read them: positions cluster by cluster, doubles or, in mixed
 * precision, integers; attributes in single precision. */
#ifndef PEL_PACKED_H
#define PEL_PACKED_H

#include "particles.h"

typedef struct {
  void *x;      /* [cluster][3][PEL_LANES], and an empty cluster after the last */
  int room;     /* clusters */
  double grain; /* mixed: the unit of x, a power of two; positions wrap after 2^32 of them */
} pel__packed;

/* Room for all clusters; mixed: whether positions are integers.  cutoff: the largest; farther apart
 * than that are then all that wrapping might bring together. */
void pel__packed_prepare(pel__packed *k, const pel__particles *p, double cutoff, bool mixed);
/* Positions of the clusters [first, last). */
void pel__packed_fill(const pel__packed *k, const pel__particles *p, int first, int last);
void pel__packed_destroy(pel__packed *k);

/* Attributes of the clusters [first, last). */
void pel__packed_round(const double *from, float *to, int first, int last, int threads);

#endif
