/* Sums over pairs: forces on particles, energy, virial; exact, independent of order and threads. */
#ifndef PEL_PAIRS_H
#define PEL_PAIRS_H

#include "pair_list.h"
#include "pair_wide.h"

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

/* Exponents of two: the quanta of an energy, and of a force, or what else is summed, that a pair
 * may have, and a particle. */
enum { PEL__PAIR_BITS = 50, PEL__SUM_BITS = 51 };

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

/* What has been out of its range. */
typedef enum {
  PEL__ALL_FIT,
  PEL__SUM_EXCEEDS, /* that of a particle */
  PEL__ENERGY_EXCEEDS,
  PEL__FORCE_EXCEEDS /* of a pair: |F|/r times the cut-off, or its share of what is summed */
} pel__excess;

/* Memory that evaluations share, and what this rank's last one found. */
typedef struct {
  void **f;                              /* [threads]: sums of each, as in pel_pair_task */
  float *attribute[PEL_PAIR_ATTRIBUTES]; /* in mixed precision */
  int room, attribute_room;              /* clusters */
  pel__wide wide;                        /* in mixed precision */
  pel__excess excess;
  int64_t overflown; /* the first id whose sum exceeds; INT64_MAX: none */
} pel__pair_work;

void pel__pair_work_destroy(pel__pair_work *w, int threads);

/* Positions of copies and the attributes that are read, then p->f for all particles.  sums, of the
 * pairs of all ranks, may be NULL: forces only.  Fails, perhaps on one rank only: without memory,
 * or when something exceeds its range, for pel__pairs_explain to tell.  Collective. */
int pel__pairs_run(pel__particles *p, pel__pair_list *l, const pel__potential *u, pel__pair_work *w,
                   pel__pair_sums *sums, pel_error *e);

/* The same for a pass that sums an attribute, into to[place] of all particles. */
int pel__pairs_sum(pel__particles *p, pel__pair_list *l, const pel__potential *u, pel__pair_work *w,
                   double *to, pel_error *e);

/* What exceeded its range on any rank in the last evaluation, the same on every layout: the closest
 * pair, or the first particle.  Returns the code.  Collective. */
int pel__pairs_explain(const pel__particles *p, const pel__pair_list *l, const pel__potential *u,
                       const pel__pair_work *w, pel_error *e);

#endif
