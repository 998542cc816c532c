/* Sums over pairs: forces on particles, energy, virial; exact, independent of order and threads. */
#ifndef PEL_PAIRS_H
#define PEL_PAIRS_H

#include "pair_list.h"

/* A pair potential with its table of coefficients. */
typedef struct {
  const pel_pair_kernels *kernels;
  void *table; /* as in pel_pair_task */
  int ntypes;
  double cutoff;                        /* the largest */
  double force_quantum, energy_quantum; /* powers of two; of what is summed, if not forces */
  /* Of a pass of a many-body potential: */
  const void *data; /* tables, as in pel_pair_task */
  void *own_data;
  double **read[PEL_PAIR_ATTRIBUTES]; /* attributes */
  bool later;                         /* positions are those of an earlier pass */
} pel__potential;

/* ncoefficients and ntypes from the kernels; coefficient(ctx, ti, tj, c) gives the cut-off and
 * fills c.  largest_force, largest_energy: the most that a pair, or a particle, may have. */
typedef double pel__coefficients(const void *ctx, int ti, int tj, double *c);
int pel__potential_create(pel__potential *u, const pel_pair_kernels *k, int ntypes,
                          pel__coefficients *coefficients, const void *ctx, double largest_force,
                          double largest_energy, pel_error *e);
/* Tables of n numbers, kept by the caller. */
int pel__potential_set_data(pel__potential *u, const double *data, size_t n, pel_error *e);
void pel__potential_destroy(pel__potential *u);

typedef struct {
  double energy;
  double virial[6]; /* sum over pairs of d_a f_b: xx, yy, zz, xy, xz, yz */
} pel__pair_sums;

/* Memory that evaluations share. */
typedef struct {
  void **f;                              /* [threads]: sums of each, as in pel_pair_task */
  float *attribute[PEL_PAIR_ATTRIBUTES]; /* in mixed precision */
  int room, attribute_room;              /* clusters */
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
