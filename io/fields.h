/* For io: grid output as CF/netCDF-4.
 *
 * netCDF-4 is HDF5 with conventions: creation order tracked, one dimension scale a dimension,
 * attached to every axis (https://docs.unidata.ucar.edu/netcdf-c, "netCDF-4 Format"). */
#ifndef PEL_FIELDS_H
#define PEL_FIELDS_H

#include "series.h"

/* Dimensions of a record: each axis at centres, and at lower faces where an array needs them. */
typedef struct {
  char name[80];
  int axis;
  bool face;
  hid_t scale;
} pel__dimension;

enum { PEL__MAX_DIMENSIONS = 6, PEL__FIELDS_COLUMNS = PEL__HASH + 1 };

/* How one record of a variable is cut into chunks: piece p holds elements [p*piece, ...) in the
 * order of the global index. */
typedef struct {
  int64_t chunk[3]; /* cells along each axis */
  int64_t piece;    /* elements a chunk */
  int npieces;
} pel__chunking;

int pel__chunking_of(const pel_grid *g, bool single, pel__chunking *c, pel_error *e);

/* pel__format.describe */
int pel__fields_describe(pel__overlay *o, const pel_snapshot *s, bool single, const pel__growing *g,
                         const char *path, int64_t *still, pel_error *e);

#endif
