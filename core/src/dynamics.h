/* A particle model at work: its particles, the list of their pairs, the stages of a step.
 *
 * As yet on one rank, whose threads share the work. */
#ifndef PEL_DYNAMICS_H
#define PEL_DYNAMICS_H

#include "pairs.h"
#include "sim.h"

struct pel__dynamics {
  pel__particles p;
  pel__pair_list list;
  pel__potential potential;
  pel__pair_work work;
  pel_particle_box box;
  double velocity_quantum;
  /* What is up to date: the list of pairs, p.f, totals. */
  bool listed, forced, measured;
  pel_totals totals;
};

/* The box and its particles, not yet anywhere; before, what this model cannot do is rejected. */
void pel__dynamics_check(pel_sim *s);
int pel__dynamics_create(pel_sim *s, pel_error *e);
void pel__dynamics_destroy(pel__dynamics *d);

int pel__dynamics_start(pel_sim *s, pel_error *e); /* the state at step 0 */
void pel__dynamics_force(pel_sim *s); /* p.f becomes that of the present positions */
void pel__dynamics_step(pel_sim *s, double dt);
const pel_totals *pel__dynamics_totals(pel_sim *s);
double pel__dynamics_bytes(const pel_sim *s); /* memory of this rank */

/* ---- particle_state.c ---- */

/* The state in order of id, in one block to be freed with the arrays. */
pel_array *pel__dynamics_arrays(const pel_sim *s, int *n);
/* Takes over what arrays from there now hold. */
void pel__dynamics_adopt(pel_sim *s, const pel_array *arrays);

#endif
