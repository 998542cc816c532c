/* For the author of a particle model: attributes, pair formulas, and what the layer does with them.
 *
 * Particles are a structure of arrays.  Each has a permanent 64-bit id; where it lies in memory
 * changes: the layer sorts particles by place, so that PEL_LANES neighbours in space make a
 * "cluster" that is one vector.  Clusters may hold empty places, whose positions lie far outside
 * the box: whatever a kernel computes there has no effect.
 *
 * Bits.  Positions and box lengths are multiples of a power of two, about 2^-50 of the box
 * (the position lattice): wrapping, shifting by a period and differences are exact, so a pair has
 * the same separation on whichever rank, image or order it is computed.  What is summed over pairs
 * is rounded, pair by pair, to a multiple of a quantum and added as integers: neither the order of
 * pairs, lists, clusters, threads nor ranks matters, and f_ij = -f_ji exactly.  A pair beyond the
 * cut-off contributes exactly nothing, so that rebuilding a list changes no bit.  Ranges are
 * checked: a force or energy too large for its quantum stops the run with the pair named. */
#ifndef PELSIM_PARTICLES_H
#define PELSIM_PARTICLES_H

#include <stdbool.h>
#include <stddef.h>
#include "pelsim/model.h"
#include "pelsim/simd.h"

/* ---- pair formulas ----
 *
 * A pair potential is one function of the squared distance and of coefficients of the pair of
 * types:
 *
 *   // u = 4 eps ((s/r)^12 - (s/r)^6)
 *   PEL_INLINE pel_pair lj(pel_real r2, const pel_real *c) {
 *     const pel_real i2 = 1 / r2, i6 = i2 * i2 * i2;
 *     return (pel_pair){.force = i2 * i6 * (c[0] * i6 - c[1]), .energy = i6 * (c[2] * i6 - c[3])};
 *   }
 *
 * It is evaluated for several pairs at once, also for pairs beyond the cut-off and for empty places
 * (r2 up to 1e30), whose results are thrown away; r2 is never 0 there.  Only + - * /, pel_fma,
 * pel_sqrt and the functions of simd.h: no libm, no branches. */

typedef pel_double4 pel_real;

typedef struct {
  pel_real force;  /* -(du/dr)/r: the force on i is force*(x_i - x_j) */
  pel_real energy; /* u; not computed where it is not asked for */
} pel_pair;

/* What a kernel made by pair_kernel.h works on: one thread's share of the list. */
typedef struct {
  const double *x[3];
  int64_t *f[3];       /* sums in units of the force quantum */
  const int32_t *type; /* [particle]; read with many types only */
  const double *table; /* [ti][0: square of the cut-off, k+1: coefficient k][tj] */
  int ntypes;
  int first, last;     /* clusters whose rows these are */
  bool within;         /* rows begin with their own cluster, of which they take what follows */
  const int *row;      /* [rows + 1]: the entries of each row */
  const int *entry;    /* clusters j */
  const int64_t *bias; /* [particle]: what the bits of magic add up to in its row */
  double magic, magic_energy;
  double far2;                          /* beyond every cut-off */
  double largest_force, largest_energy; /* out: of |force| and |energy| */
  __int128 energy;                      /* out: in units of the energy quantum */
} pel_pair_task;

typedef void pel_pair_kernel(pel_pair_task *t);

typedef struct {
  int ncoefficients;
  pel_pair_kernel *run[2][2]; /* [many types][with energy] */
} pel_pair_kernels;

/* ---- particle models ----
 *
 * A pel_model with .particles has no fields, grid or program of its own: the tables below say what
 * its particles are and how a step moves them.  Its diagnostics are functions of pel_totals. */

/* A right-angled box from the origin, periodic, and what is in it. */
typedef struct {
  double length[3];
  int64_t n;   /* particles, with ids 1 .. n */
  double mass; /* of each */
} pel_particle_box;

/* The pair potential.  Forces and energies are exact sums as long as no pair's exceeds
 * largest_force and largest_energy (2^50 quanta); one that does stops the run. */
typedef struct {
  const pel_pair_kernels *(*kernels)(const void *state);
  double (*coefficients)(const void *state, double *c); /* returns the cut-off, fills c */
  double largest_force, largest_energy;
} pel_pair_potential;

/* One stage of a step.  Velocities and positions stay on their lattices: what a stage adds to them
 * is a function of the particle alone, rounded once. */
typedef enum {
  PEL_KICK,  /* v += part*dt*force/mass */
  PEL_DRIFT, /* x += part*dt*v */
  PEL_PAIRS  /* forces of the present positions */
} pel_motion_kind;

typedef struct {
  pel_motion_kind kind;
  double part; /* of the time step */
} pel_motion;

/* Exact sums over all particles, rounded once. */
struct pel_totals {
  int64_t n;
  double volume;
  double kinetic, potential; /* energies */
  double virial[6];          /* sum over pairs of d_a f_b: xx, yy, zz, xy, xz, yz */
};

struct pel_particle_model {
  void (*box)(pel_particle_box *b, const void *state);
  /* Position and velocity of a particle at step 0, pure functions of its id.  The layer then takes
   * the drift out of the velocities and scales them: sum(m v^2) = 3 (n - 1) temperature. */
  void (*seed)(const void *state, int64_t id, double x[3], double v[3]);
  double (*temperature)(const void *state); /* in units of energy */
  double (*skin)(const void *state);        /* margin of the lists of pairs; changes no bit */
  pel_pair_potential pairs;
  const pel_motion *program;
  int nprogram;
  double dt; /* what [time] dt = auto stands for */
};

#endif
