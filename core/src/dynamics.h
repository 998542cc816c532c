/* A particle model at work: its particles, the list of their pairs, the stages of a step. */
#ifndef PEL_DYNAMICS_H
#define PEL_DYNAMICS_H

#include "pairs.h"
#include "sim.h"

struct pel__dynamics {
  pel__regions regions;
  pel__particles p;
  pel__pair_list list;
  pel__potential potential;
  pel__pair_work work;
  pel_particle_box box;
  double velocity_quantum;
  /* What is up to date: the list of pairs, p.f, totals. */
  bool listed, forced, measured;
  bool scattered; /* particles are on ranks by their ids, not by their places */
  pel_totals totals;
};

/* The box and its particles, not yet anywhere; before, what this model cannot do is rejected. */
void pel__dynamics_check(pel_sim *s);
int pel__dynamics_create(pel_sim *s, pel_error *e);
void pel__dynamics_destroy(pel__dynamics *d);

int pel__dynamics_start(pel_sim *s, pel_error *e); /* the state at step 0 */
void pel__dynamics_force(pel_sim *s);              /* p.f becomes that of the present positions */
void pel__dynamics_step(pel_sim *s, double dt);
const pel_totals *pel__dynamics_totals(pel_sim *s);
double pel__dynamics_bytes(const pel_sim *s); /* memory of this rank */

/* ---- particle_state.c ---- */

/* The ids of which a rank holds the state when it is in order of id: [first, first + n). */
typedef struct {
  int64_t first, n;
} pel__slab;
pel__slab pel__slab_of(int64_t total, int rank, int nranks);

/* Values of particles in order of id: fill gives those of the particle at a place, to[v] receives
 * the v-th of this rank's slab.  Collective. */
typedef void pel__values(const pel__particles *p, int64_t place, double *value);
void pel__by_id(const pel__particles *p, pel__values *fill, int nvalues, double *const *to);

/* The state in order of id, each rank having its slab, in one block to be freed with the arrays.
 * Collective. */
pel_array *pel__dynamics_arrays(const pel_sim *s, int *n);
/* Takes over what arrays from there now hold. */
void pel__dynamics_adopt(pel_sim *s, const pel_array *arrays);

#endif
