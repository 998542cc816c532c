/* Which rank owns which part of the box of particles, and who is near.
 *
 * The box is a grid of fine cells, cut into blocks like any grid (layout.h).  A block is at least
 * as thick as the reach of the lists of pairs, so that all that is near it stands in the blocks
 * around it.  Everything is in fractions of the box: a box that is scaled stays cut as it is. */
#ifndef PEL_REGIONS_H
#define PEL_REGIONS_H

#include "domain.h"
#include "layout.h"
#include "messages.h"

/* A block of a peer beside one of this rank's. */
typedef struct {
  int peer;               /* number among the peers */
  int block;              /* of the layout */
  int period[3];          /* to be added to positions of this rank to be in that block's frame */
  double low[3], high[3]; /* where the block stands in this rank's frame, in fractions */
} pel__near;

typedef struct {
  MPI_Comm comm; /* borrowed */
  int rank, nranks;
  pel__layout *layout;
  int64_t cells[3];
  int *block_along[3];    /* [cells]: place in the array of blocks */
  double low[3], high[3]; /* what the blocks of this rank lie within, in fractions */
  int *peer;              /* [npeers]: other ranks with blocks beside this rank's */
  int npeers;
  pel__near *near; /* [nnear], by peer and period */
  int nnear;
} pel__regions;

/* Whether pel__regions_create could succeed with that many ranks.  Local. */
int pel__regions_possible(const pel__domain *d, double reach, int nranks, const int nb[3],
                          int blocks_per_rank, pel_error *e);

/* nb, blocks_per_rank: as for pel__layout_create.  A request for more ranks than there are slabs
 * of the thickness `reach` fails with a sentence that names the largest legal number.  Collective,
 * without communication. */
int pel__regions_create(pel__regions *r, MPI_Comm comm, const pel__domain *d, double reach,
                        const int nb[3], int blocks_per_rank, pel_error *e);
void pel__regions_destroy(pel__regions *r);

/* Blocks become those of the ranks owner[nblocks of the layout]; particles must then be sent where
 * they belong (far), and guests be found anew. */
void pel__regions_assign(pel__regions *r, const pel__domain *d, const int *owner);

/* The block of a position within the box, and its owner: the same answer on every rank. */
int pel__regions_block(const pel__regions *r, const pel__domain *d, const double x[3]);
int pel__regions_owner(const pel__regions *r, const pel__domain *d, const double x[3]);

/* The least length of a block along an axis that is cut; INFINITY if none is. */
double pel__regions_thinnest(const pel__regions *r, const pel__domain *d);

/* Fails if some block has become thinner than the reach. */
int pel__regions_check(const pel__regions *r, const pel__domain *d, double reach, pel_error *e);

static inline pel__peers pel__regions_peers(const pel__regions *r) {
  return (pel__peers){r->comm, r->npeers, r->peer};
}
static inline pel__peers pel__regions_everyone(const pel__regions *r) {
  return (pel__peers){r->comm, r->nranks, NULL};
}

#endif
