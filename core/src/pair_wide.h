/* In mixed precision, what pairs add beyond the 32 bits of a sum: noted by threads, then summed in
 * 64 bits. */
#ifndef PEL_PAIR_WIDE_H
#define PEL_PAIR_WIDE_H

#include "particles.h"

typedef struct {
  int64_t place, quanta[3];
} pel__wide_add;

/* Of one thread: pel_pair_task.wide. */
typedef struct {
  pel__wide_add *add;
  size_t n, room;
} pel__wide_notes;

typedef struct {
  pel__wide_notes *notes; /* [threads] */
  int64_t *sum;           /* [cluster][3][PEL_LANES]: 0 but where marked */
  uint8_t *marked;        /* [cluster] */
  int room;               /* clusters */
  bool any;
} pel__wide;

/* Nothing noted; room is made for that many clusters only when something is. */
void pel__wide_start(pel__wide *w, int threads);
/* Adds up what all threads have noted.  By one thread. */
void pel__wide_collect(pel__wide *w, int threads, int clusters);
/* Forgets it. */
void pel__wide_finish(pel__wide *w, int threads);
void pel__wide_destroy(pel__wide *w, int threads);

#endif
