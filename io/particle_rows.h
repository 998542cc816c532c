/* For io: arrays of particles side by side, as files hold vectors: x, y, z of one, x, y, z of the
 * next. */
#ifndef PEL_PARTICLE_ROWS_H
#define PEL_PARTICLE_ROWS_H

#include <hdf5.h>
#include "pelsim/sink.h"

typedef enum { PEL__F64, PEL__F32, PEL__I32 } pel__stored;

typedef struct {
  const pel_array *a; /* [components] */
  int components;
  pel__stored as;
  double scale; /* of what is stored, 1 as a rule */
} pel__rows;

int pel__stored_bytes(pel__stored as);
hid_t pel__stored_type(pel__stored as); /* in files; not to be closed */

/* This rank's rows: 0 or an errno.  Piece p, of `piece` particles, begins at byte at[p]. */
int pel__rows_write(int fd, const pel__rows *r, int64_t piece, const int64_t *at);
/* Fingerprint share of this rank's rows as they are stored: the sum over the components. */
uint64_t pel__rows_share(const pel__rows *r);

/* PEL_INTERNAL unless every array has the patches of the first, rows of the one axis there is. */
int pel__rows_check(const pel_snapshot *s, pel_error *e);

#endif
