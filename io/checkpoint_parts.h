/* For the files that write checkpoints: what one write is about. */
#ifndef PEL_CHECKPOINT_PARTS_H
#define PEL_CHECKPOINT_PARTS_H

#include <limits.h>
#include "checkpoint.h"

/* Boxes of all ranks.  Array `a` of rank r has count[r*narrays + a] of them; rank 0 knows them all,
 * ordered by rank, then by array. */
typedef struct {
  int *count, *rank_n, *rank_at; /* [nranks]: boxes of a rank, and the first of them */
  pel__box *box;
  uint64_t *share; /* of each box, as gathered */
  int n;
} pel__tables;

/* The HDF5 part lives on rank 0 only. */
typedef struct {
  const pel_snapshot *s;
  char path[PATH_MAX], temporary[PATH_MAX + 8];
  int rank, nranks;
  int fd;          /* of the temporary file */
  bool created;    /* rank 0: the temporary file is ours to remove */
  pel__overlay *o; /* rank 0: the file but for the arrays */
  hid_t file;      /* rank 0 */
  int64_t *at;     /* [narrays] places of the arrays */
  int64_t size;    /* of the file */
  uint64_t *share; /* of each patch of each array of this rank, read back from the file */
  pel__tables tables;
} pel__job;

/* Collective; on failure e is set on every rank. */
int pel__tables_gather(pel__job *w, pel_error *e);
void pel__tables_gather_shares(pel__job *w); /* collective */
void pel__tables_fini(pel__tables *t);
int pel__tables_rows(const pel__job *w, int a); /* boxes of array a; rank 0 */
/* The boxes of array a in order of rank, malloced; NULL: out of memory.  Rank 0. */
pel__box *pel__tables_of(const pel__job *w, int a);

/* Describes the whole file in w->o, with room for fingerprints not yet known.  Rank 0. */
int pel__describe(pel__job *w, pel_error *e);
/* Puts them in, closes the HDF5 file and adds the header.  Rank 0. */
int pel__describe_end(pel__job *w, pel_error *e);

#endif
