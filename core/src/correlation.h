/* What becomes of particles after so much time: mean square displacement and autocorrelation of the
 * velocity, from several origins of time at once.
 *
 * Positions and velocities at the origins are held in order of id, each rank having its slab: they
 * do not move with the particles. */
#ifndef PEL_CORRELATION_H
#define PEL_CORRELATION_H

#include "dynamics.h"

typedef enum { PEL__MSD, PEL__VACF, PEL__MOTIONS } pel__motion_kind;

typedef struct {
  bool wanted[PEL__MOTIONS];
  int kinds, ntypes;
  int64_t every, origins, window;      /* [steps] */
  int64_t lags;                        /* from 0 to the window */
  int slots;                           /* origins that are followed at once */
  int64_t n;                           /* particles of this rank's slab */
  double *now[PEL__MOTIONS][3], *type; /* [n] */
  double **origin;                     /* [slots*kinds*3][n]: at each origin what is wanted */
  double *began; /* [slots]: step of the origin + 1, 0: none; borrowed memory */
  double *curve; /* [slots][curves][lags]: borrowed */
} pel__correlation;

/* Curves follow each other by kind, then by type. */
static inline int64_t pel__correlation_curves(const pel__correlation *c) {
  return (int64_t)c->kinds * c->ntypes;
}
static inline int64_t pel__correlation_size(const pel__correlation *c) { /* of a finished origin */
  return pel__correlation_curves(c) * c->lags;
}
static inline int64_t pel__correlation_memory(const pel__correlation *c) { /* doubles it needs */
  return c->slots * (1 + pel__correlation_size(c));
}

/* Sizes first, memory afterwards. */
void pel__correlation_create(pel__correlation *c, const pel_sim *s);
void pel__correlation_lend(pel__correlation *c, double *memory);
void pel__correlation_destroy(pel__correlation *c);

/* The present state against all origins.  Returns the slot of an origin that has been followed to
 * its end, or -1; its curves hold until the next sample.  n: particles of each type.  Collective.
 */
int pel__correlation_sample(pel__correlation *c, pel_sim *s, const int64_t *n, int64_t since);

/* The arrays that checkpoints need, into x if it is not NULL; patch[0] is this rank's slab and must
 * stay where it is.  Returns how many. */
int pel__correlation_arrays(pel__correlation *c, const pel_sim *s, pel_array *x, pel_patch *patch,
                            char (*name)[40]);

/* Diffusion, by type, from curves that begin at `curve`: half the slope a dimension of the square
 * displacement over the later half of the window (Einstein); the integral a dimension of the
 * autocorrelation (Green & Kubo).  Lags are `step` apart. */
void pel__diffusion(pel__motion_kind kind, const double *curve, int64_t lags, double step, int dims,
                    double *d);

#endif
