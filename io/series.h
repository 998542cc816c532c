/* For io: the growing CF/netCDF-4 file of grid output.
 *
 * netCDF-4 is HDF5 with conventions: creation order tracked, one dimension scale a dimension,
 * attached to every axis (https://docs.unidata.ucar.edu/netcdf-c, "netCDF-4 Format").  Bounds of
 * V18 keep the file free of "open for writing" marks, so that it stays readable and appendable
 * after a kill.
 *
 * A record is one chunk a variable (more where a chunk would exceed 1 GiB), allocated early and
 * never filled by HDF5: rank 0 extends the datasets in memory and hands out the chunks' addresses,
 * all ranks write their parts, and only then the changed metadata goes to disk. */
#ifndef PEL_SERIES_H
#define PEL_SERIES_H

#include "overlay.h"
#include "pelsim/sink.h"

/* Dimensions of a record: each axis at centres, and at lower faces where an array needs them. */
typedef struct {
  char name[80];
  int axis;
  bool face;
  hid_t scale;
} pel__dimension;

enum { PEL__MAX_DIMENSIONS = 6 };

/* How one record of a variable is cut into chunks: piece p holds elements [p*piece, ...) in the
 * order of the global index. */
typedef struct {
  int64_t chunk[3]; /* cells along each axis */
  int64_t piece;    /* elements a chunk */
  int npieces;
} pel__chunking;

int pel__chunking_of(const pel_grid *g, bool single, pel__chunking *c, pel_error *e);

/* Numbers that each record has besides its fields. */
typedef enum { PEL__TIME, PEL__STEP, PEL__HASH, PEL__NCOLUMNS } pel__column;
extern const char *const pel__column_name[PEL__NCOLUMNS];

/* Describes a file without records in o.  Rank 0. */
int pel__series_describe(pel__overlay *o, const pel_snapshot *s, bool single,
                         const pel__chunking *c, const char *path, pel_error *e);

/* The functions of pel_io. */
pel_series *pel__series_open(const pel_snapshot *s, const char *path, bool append, bool single,
                             pel_error *e);
int pel__series_check(const pel_snapshot *s, const char *path, bool single, pel_error *e);
int pel__series_append(pel_series *f, const pel_snapshot *s, pel_error *e);
int pel__series_close(pel_series *f, pel_error *e);

#endif
