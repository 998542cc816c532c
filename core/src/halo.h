/* Halo exchange: for a set of fields, every halo cell to a given width from the cell that the
 * grid's topology says it repeats, corners included, in one message a neighbour rank. */
#ifndef PEL_HALO_H
#define PEL_HALO_H

#include "layout.h"

/* Where the halo of one field comes from. */
typedef struct {
  pel_place place;
  bool vector;
  pel_rule wall[3];
  double wall_value;
  int width; /* cells on each side, <= the blocks' halo, along every existing axis */
} pel__halo_field;

/* A plan is a list of box copies dst = sign*src + offset, each with an index direction per axis:
 * periodic wrap, mirror at walls, across a pole (row mirrored, half a circle round, sign of
 * vectors), built once from the global topology.  Copies within a rank never touch MPI. */
typedef struct pel__halo pel__halo;

/* Persistent requests on comm with this tag; buffers are owned by the plan.  Ranks of one node hand
 * messages over in shared memory; PELSIM_HALO=messages in the environment sends those by MPI too.
 * NULL on all ranks when one is out of memory.  Both collective. */
pel__halo *pel__halo_create(const pel__layout *l, MPI_Comm comm, int tag, const pel__halo_field *f,
                            int nfields);
void pel__halo_destroy(pel__halo *h);

/* data[f*nlocal + b]: cell (0,0,0) of field f in this rank's b-th block.  The owned cells must not
 * change between begin and end, the halo cells must not be read before end.  begin packs, starts
 * the messages and does the copies within the rank; test lets messages progress (cheap, main thread
 * only); end waits and unpacks.  Call outside parallel regions, begin and end open their own.
 * Collective among neighbours. */
void pel__halo_begin(pel__halo *h, double *const *data);
void pel__halo_test(pel__halo *h);
void pel__halo_end(pel__halo *h, double *const *data);

/* Bytes this rank sends an exchange, and whether it has any neighbour rank at all. */
size_t pel__halo_bytes(const pel__halo *h);
bool pel__halo_remote(const pel__halo *h);

/* The value that the topology gives to one cell, for tests and debug checks: global index of the
 * source in src, and dst = *sign * value(src) + *offset, where a sign of 0 means that the source
 * does not matter.  topology.c lists the rules; where walls meet, that of the lower axis is applied
 * first. */
void pel__halo_source(const pel_grid *g, const pel__halo_field *f, const int64_t dst[3],
                      int64_t src[3], double *sign, double *offset);

#endif
