/* Blocks: how a grid is cut, in what order, and who owns what. */
#ifndef PEL_LAYOUT_H
#define PEL_LAYOUT_H

#include <mpi.h>
#include "pelsim/error.h"
#include "pelsim/model.h"

/* A box of cells, the unit of ownership. */
typedef struct {
  int coord[3];     /* place in the array of blocks */
  int64_t first[3]; /* global index of its cell (0,0,0) */
  int n[3];         /* cells; block b of nb along an axis of N cells is [N*b/nb, N*(b+1)/nb) */
  int rank;         /* owner */
  int halo[3];      /* halo cells on each side; 0 on an axis that does not exist */
  ptrdiff_t sy, sz; /* strides in doubles; 0 on an axis that does not exist */
  size_t size;   /* doubles to allocate for one field, halo and padding included, multiple of 8 */
  size_t origin; /* offset of cell (0,0,0) in it, multiple of 8: 64-byte aligned rows */
} pel__block;

/* The whole grid's blocks, along a space-filling curve (curve.h; consecutive blocks are
 * neighbours), the same on every rank.  A rank owns a run of the curve of equal weight. */
typedef struct {
  pel_grid grid;
  int nb[3];         /* array of blocks */
  pel__block *block; /* [nblocks], in curve order */
  int nblocks;
  int *at; /* block number at coord: at[(cz*nb[1] + cy)*nb[0] + cx] */
  int rank, nranks;
  int first, nlocal; /* this rank owns block[first .. first+nlocal) */
} pel__layout;

/* nb[a] > 0 asks for that many blocks along axis a; the others are chosen so that there are about
 * blocks_per_rank (>= 1) blocks a rank, never fewer than ranks, shaped to move the fewest halo
 * bytes, preferring not to cut axis 0.  Every rank gets at least one block or the call fails with a
 * sentence that names the largest legal rank count.  A block may be thinner than the halo.  Every
 * rank calls with the same arguments; no communication. */
pel__layout *pel__layout_create(const pel_grid *g, int rank, int nranks, const int nb[3],
                                int blocks_per_rank, const int halo[3], pel_error *e);
void pel__layout_destroy(pel__layout *l);

/* Runs of the curve, none empty, the heaviest as light as can be: weight[nblocks] (>= 0), owner
 * [nblocks] receives ranks. */
void pel__layout_share(const pel__layout *l, const int64_t *weight, int *owner);
/* Blocks are from now on those of the ranks owner[nblocks]: runs of the curve, as above. */
void pel__layout_assign(pel__layout *l, const int *owner);

#endif
