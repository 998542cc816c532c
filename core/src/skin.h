/* The skin of the lists of pairs, found by measurement: a wide one is built seldom and evaluates
 * many pairs in vain.  It changes no bit of the result. */
#ifndef PEL_SKIN_H
#define PEL_SKIN_H

#include <mpi.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
  bool on; /* still searching */
  double skin, least, most;
  double factor;     /* by which the next one differs */
  double best, cost; /* the best so far, and seconds a step with it; 0: none yet */
  double spent;      /* when the present one began to be measured */
  int64_t step;
  int builds;
} pel__skin;

/* Begins with a skin that suits a liquid, no more than `most`. */
void pel__skin_begin(pel__skin *k, double cutoff, double most);

/* To be asked before a list is built; spent: seconds of all steps so far, as rank 0 measured them.
 * Collective while k->on. */
void pel__skin_next(pel__skin *k, MPI_Comm comm, int64_t step, double spent);

#endif
