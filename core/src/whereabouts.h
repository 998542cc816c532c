/* Where this process is, for whoever asks it by a signal (pel_tell_whereabouts) because the run
 * does not get on. */
#ifndef PEL_WHEREABOUTS_H
#define PEL_WHEREABOUTS_H

#include <stdint.h>

typedef enum {
  PEL__T_COMPUTE,
  PEL__T_HALO,
  PEL__T_LISTS,
  PEL__T_FILTER,
  PEL__T_BALANCE,
  PEL__T_MEASURE,
  PEL__T_OUTPUT,
  PEL__T_CHECKPOINT,
  PEL__T_AGREE,
  PEL__NPHASES, /* those that are timed */
  PEL__T_START = PEL__NPHASES,
  PEL__T_END
} pel__phase_id;

const char *pel__phase_name(pel__phase_id phase);

void pel__now_rank(int rank);
void pel__now_step(int64_t step);
/* Returns the phase before, for those who go back to it. */
pel__phase_id pel__now_in(pel__phase_id phase);

#endif
