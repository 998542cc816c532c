/* The list of box copies behind a halo exchange, and the topology it is made from. */
#ifndef PEL_HALO_PLAN_H
#define PEL_HALO_PLAN_H

#include "halo.h"

/* The source of point i, inside or beyond the grid, along one axis: value = sign*source + offset.
 * opposite: across a pole an odd number of times, so half a circle further round axis 0. */
typedef struct {
  int64_t index;
  double sign, offset;
  bool opposite;
} pel__axis_source;

pel__axis_source pel__source_on_axis(const pel_grid *g, const pel__halo_field *f, int axis,
                                     int64_t i);
int64_t pel__opposite(const pel_grid *g, int64_t i); /* index along axis 0 half a circle on */

/* dst = sign*src + offset for n[0] x n[1] x n[2] elements.  A side is a field of a block (the
 * number of its pointer in data[]) or the message buffer of a peer (its number is not used). */
typedef struct {
  ptrdiff_t src, dst;   /* first element */
  ptrdiff_t sx, sy, sz; /* steps in the source; sx is 1, -1 or 0 */
  ptrdiff_t dy, dz;     /* steps in the destination, where rows are contiguous */
  int n[3];
  int from, to; /* data[from] -> data[to] */
  double sign, offset;
} pel__copy;

typedef struct {
  pel__copy *item;
  int n, room;
  size_t volume; /* elements of all items */
} pel__copies;

/* Runs all copies of a list, by several threads when that pays.  source or target replaces
 * data[from] or data[to] when not NULL.  The destinations of a list never overlap. */
void pel__copies_run(const pel__copies *c, double *const *data, const double *source,
                     double *target);

/* A rank that sends to this one or receives from it. */
typedef struct {
  int rank;
  pel__copies pack, unpack;
  size_t nsend, nrecv; /* doubles a message */
} pel__peer;

typedef struct {
  pel__copies local;
  pel__peer *peer; /* ascending rank */
  int npeers;
} pel__halo_plan;

/* Both ranks of a pair list the elements of their message in the same order, without
 * communication.  false: out of memory.  Local. */
bool pel__halo_plan_init(pel__halo_plan *p, const pel__layout *l, const pel__halo_field *f,
                         int nfields);
void pel__halo_plan_fini(pel__halo_plan *p);

#endif
