/* For io: one file that all ranks of a communicator write and read, and what they agree on. */
#ifndef PEL_SHARED_FILE_H
#define PEL_SHARED_FILE_H

#include <stdbool.h>
#include "pelsim/sink.h"

/* The first failing rank's error becomes everyone's; the common code is returned.  Collective. */
int pel__agree(MPI_Comm comm, pel_error *e);

/* Where a global array lies in a file: in pieces of `piece` elements, of which piece p begins at
 * byte at[p]; elements in the order of their global index. */
typedef struct {
  int64_t n[3]; /* of the grid */
  int64_t piece;
  const int64_t *at;
  bool single; /* 32-bit elements */
} pel__extent;

/* This rank's patches of *a: 0 or an errno.  Local. */
int pel__array_write(int fd, const pel_array *a, const pel__extent *x);
/* The same when rows are cut between ranks or patches, by way of ranks that hold whole rows; fd
 * must be open everywhere.  The errno is this rank's.  Collective. */
int pel__array_write_rows(MPI_Comm comm, int fd, const pel_array *a, const pel__extent *x);
bool pel__rows_are_cut(const pel_snapshot *s); /* collective */
/* Reads them; `share` [npatches] receives the fingerprint share of each patch as read. */
int pel__array_read(int fd, const pel_array *a, const pel__extent *x, uint64_t *share);
/* The same without storing: what the file holds where the patches lie. */
int pel__array_check(int fd, const pel_array *a, const pel__extent *x, uint64_t *share);
/* Share of this rank's patches as a file with such elements holds them. */
uint64_t pel__array_share(const pel_array *a, const pel__extent *x);

/* PEL_INTERNAL unless the patches of every rank together tile the grid.  Collective. */
int pel__arrays_complete(const pel_snapshot *s, pel_error *e);

static inline int64_t pel__cells(const pel_grid *g) {
  return g->axis[0].n * g->axis[1].n * g->axis[2].n;
}

#endif
