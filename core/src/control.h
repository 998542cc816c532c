/* What tells a run from outside what to do: signals, the clock, the batch system's limit, and files
 * that someone makes in its directory. */
#ifndef PEL_CONTROL_H
#define PEL_CONTROL_H

#include "journal.h"
#include "sim.h"

/* All of it as rank 0 sees it. */
typedef struct {
  double start, last;   /* MPI_Wtime of the beginning, of the step before */
  double limit;         /* seconds that the run may last; INFINITY: no limit */
  double longest;       /* seconds of a step */
  double saved, looked; /* when a checkpoint was written, files were looked for */
  bool tells[3];        /* of each file, that it cannot be removed */
  bool asked[3];        /* by each file, which is there until that is done */
} pel__control;

typedef struct {
  bool stop, late, save, output; /* by a file; by the clock; and what else to do now */
} pel__orders;

/* limit: [run] walltime, of which so many seconds are spent, or of the batch system that the
 * environment tells of, whichever ends first.  Files that were made before this run are not meant
 * for it, unless it goes on with one that was restarted. */
void pel__control_begin(pel__control *c, const pel_sim *s, double spent, bool restarted,
                        pel__journal *j);

/* To be asked once a step by rank 0; cost: seconds of the last checkpoint, 0: none yet. */
pel__orders pel__control_ask(pel__control *c, const pel_sim *s, double cost);

/* What files asked for has been done, or, saved false, no checkpoint could be written: they are
 * removed now, so that who waits for that finds it done.  Rank 0. */
void pel__control_done(pel__control *c, const pel_sim *s, bool saved, pel__journal *j);

/* Seconds between two checkpoints that lose the least when each costs so many and the run fails
 * every `mtbf` on average: Young (1974), doi:10.1145/361147.361115, with Daly's first correction
 * (2006), doi:10.1016/j.future.2004.11.016, eq. 37. */
double pel__checkpoint_interval(double cost, double mtbf);

#endif
