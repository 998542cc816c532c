/* Sums over pairs: forces on particles, energy, virial; exact, independent of order and threads. */
#ifndef PEL_PAIRS_H
#define PEL_PAIRS_H

#include "pair_list.h"

/* A pair potential with its table of coefficients. */
typedef struct {
  const pel_pair_kernels *kernels;
  double *table; /* as in pel_pair_task */
  int ntypes;
  double cutoff;                        /* the largest */
  double force_quantum, energy_quantum; /* powers of two; of what is summed, if not forces */
  /* Of a pass of a many-body potential: */
  const double *data;                 /* tables */
  double **read[PEL_PAIR_ATTRIBUTES]; /* attributes */
  bool later;                         /* copies have their positions from an earlier pass */
} pel__potential;

/* ncoefficients and ntypes from the kernels; coefficient(ctx, ti, tj, c) gives the cut-off and
 * fills c.  largest_force, largest_energy: the most that a pair, or a particle, may have. */
typedef double pel__coefficients(const void *ctx, int ti, int tj, double *c);
int pel__potential_create(pel__potential *u, const pel_pair_kernels *k, int ntypes,
                          pel__coefficients *coefficients, const void *ctx, double largest_force,
                          double largest_energy, pel_error *e);
void pel__potential_destroy(pel__potential *u);

typedef struct {
  double energy;
  double virial[6]; /* sum over pairs of d_a f_b: xx, yy, zz, xy, xz, yz */
} pel__pair_sums;

/* Memory that evaluations share. */
typedef struct {
  int64_t **f; /* [3*threads]: sums of each thread; unused with one */
  int room;    /* clusters */
  int64_t *bias[PEL__KINDS];
  int bias_room;
  int64_t bias_of; /* what a vector adds, when it was filled */
  double bias_build;
} pel__pair_work;

void pel__pair_work_destroy(pel__pair_work *w, int threads);

/* Positions of copies and the attributes that are read, then p->f for all particles.  sums, of the
 * pairs of all ranks, may be NULL: forces only.  Fails, perhaps on one rank only, when a force or
 * energy exceeds its range, naming the closest pair.  Collective. */
int pel__pairs_run(pel__particles *p, pel__pair_list *l, const pel__potential *u, pel__pair_work *w,
                   pel__pair_sums *sums, pel_error *e);

/* The same for a pass that sums an attribute, into to[place] of all particles. */
int pel__pairs_sum(pel__particles *p, pel__pair_list *l, const pel__potential *u, pel__pair_work *w,
                   double *to, pel_error *e);

#endif
