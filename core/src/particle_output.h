/* Records of a particle model: which quantities, and their arrays in order of id. */
#ifndef PEL_PARTICLE_OUTPUT_H
#define PEL_PARTICLE_OUTPUT_H

#include "sim.h"

/* Resolves [output] fields of a particle model. */
void pel__trajectory_check(pel_sim *s);
/* The arrays of one record; now: with present values, else without any patches.  Valid until the
 * release.  Collective. */
pel_array *pel__trajectory_arrays(pel_sim *s, bool now, int *n);
/* What they do not say; valid until the next call. */
const pel_particle_frame *pel__trajectory_frame(pel_sim *s);
void pel__trajectory_release(pel_sim *s);       /* memory */
double pel__trajectory_bytes(const pel_sim *s); /* of a record */

#endif
