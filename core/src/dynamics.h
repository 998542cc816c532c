/* A particle model at work: its particles, the list of their pairs, the stages of a step. */
#ifndef PEL_DYNAMICS_H
#define PEL_DYNAMICS_H

#include "pairs.h"
#include "sim.h"
#include "skin.h"

/* A stage that makes forces. */
typedef struct {
  const pel_particle_stage *stage;
  pel__potential potential; /* of PEL_PAIRS */
  pel__pair_work work;
} pel__force_stage;

struct pel__dynamics {
  pel__regions regions;
  pel__particles p;
  pel__pair_list list;
  pel__skin skin;
  pel__force_stage *forces;
  int nforces;
  double *held[3]; /* f of the passes before, if there are several; attributes of ours */
  double *energy;  /* what kernels put into out */
  pel_particle_box box;
  double cutoff, time_unit, velocity_quantum;
  /* What is up to date: the list of pairs, p.f, totals.kinetic, the other totals. */
  bool listed, forced, moving, summed;
  double spent;    /* seconds of steps */
  double computed; /* seconds of forces without messages, since the last look at the balance */
  bool scattered;  /* particles are on ranks by their ids, not by their places */
  pel_totals totals;
};

/* The box and its particles, not yet anywhere; before, what this model cannot do is rejected. */
void pel__dynamics_check(pel_sim *s);
int pel__dynamics_create(pel_sim *s, pel_error *e);
void pel__dynamics_destroy(pel__dynamics *d);

int pel__dynamics_start(pel_sim *s, pel_error *e); /* the state at step 0 */
double pel__dynamics_bytes(const pel_sim *s);      /* memory of this rank */
/* Of an outline: whether that many ranks can share the box, and the memory each would need. */
int pel__dynamics_outline(const pel_sim *s, int ranks, double *bytes, pel_error *e);
const char *pel__dynamics_time_name(const pel_sim *s); /* of its unit of time; "tau": reduced */
bool pel__dynamics_flexible(const pel_sim *s);         /* whether routines scale the box */
/* The box with other lengths. */
int pel__dynamics_domain(const pel__dynamics *d, const double length[3], pel__domain *to,
                         pel_error *e);
/* Sets the state's attributes to where they are now. */
void pel__dynamics_bind(pel_sim *s);

/* ---- stages.c ---- */

void pel__dynamics_step(pel_sim *s, double dt); /* [s] */
void pel__dynamics_force(pel_sim *s);           /* p.f becomes that of the present positions */
/* The only source of numbers over all particles. */
const pel_totals *pel__dynamics_totals(pel_sim *s);

/* ---- dynamics_balance.c ---- */

/* Before lists are built: gives blocks to other ranks if that is due and pays; the particles follow
 * when the lists are built.  Collective. */
bool pel__balance_particles(pel_sim *s);
/* The same if the box has shrunk until blocks are hardly thicker than the cut-off: fewer of them.
 * Every rank decides the same.  Local. */
bool pel__recut(pel_sim *s);

/* ---- particle_model.c ---- */

/* Rejects tables that lack something, and names that files have for something else.  Returns
 * whether hooks may be called. */
bool pel__dynamics_check_model(const pel_sim *s);
/* What hooks have given. */
int pel__dynamics_check_box(const pel_particle_box *b, const char *model, pel_error *e);
int pel__dynamics_check_reach(const pel__dynamics *d, double skin, const char *model, pel_error *e);

/* Whether attributes that last are finite on this rank; the first that is not.  The second is
 * collective. */
bool pel__dynamics_is_finite(const pel_sim *s);
int pel__dynamics_explain_nonfinite(const pel_sim *s, pel_error *e);

/* ---- dynamics_explain.c ---- */

/* Why the last evaluation of forces has failed on some rank, if it did.  Returns the code.
 * Collective. */
int pel__dynamics_explain_forces(const pel_sim *s, pel_error *e);
/* That in the step ahead a particle would move by more than the cut-off.  Collective. */
int pel__dynamics_explain_leap(const pel__dynamics *d, pel_error *e);

/* ---- particle_state.c ---- */

/* The ids of which a rank holds the state when it is in order of id: [first, first + n). */
typedef struct {
  int64_t first, n;
} pel__slab;
pel__slab pel__slab_of(int64_t total, int rank, int nranks);

/* Values of particles in order of id: fill gives those of the particle at a place, to[v] receives
 * the v-th of this rank's slab.  Collective. */
typedef void pel__values(const pel__particles *p, const void *ctx, int64_t place, double *value);
void pel__by_id(const pel__particles *p, pel__values *fill, const void *ctx, int nvalues,
                double *const *to);

/* The state in order of id, each rank having its slab, in one block to be freed with the arrays.
 * Collective. */
pel_array *pel__dynamics_arrays(const pel_sim *s, int *n);
/* Takes over what arrays from there now hold. */
void pel__dynamics_adopt(pel_sim *s, const pel_array *arrays);

/* Box and numbers of the model: fills x, whose names are to be freed, if it is not NULL; returns
 * how many there are. */
int pel__dynamics_scalars(const pel_sim *s, pel_scalar *x);
/* Takes them over, before the arrays.  Fails if the box is another that the model cannot have. */
int pel__dynamics_restore(pel_sim *s, const pel_scalar *x, const char *checkpoint, pel_error *e);

#endif
