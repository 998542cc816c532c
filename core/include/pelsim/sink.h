/* For the author of a sink: how the layer hands state to files and takes it back.
 *
 * core knows no file format; io implements the one `pel_io` below.  All functions marked collective
 * are called by every rank of the communicator with the same arguments and return the same code on
 * every rank: a rank that fails tells the others, nobody waits for it. */
#ifndef PELSIM_SINK_H
#define PELSIM_SINK_H

#include <mpi.h>
#include "pelsim/error.h"
#include "pelsim/model.h"
#include "pelsim/particles.h"

/* One box of a global array held by this rank: element (i,j,k) of the box, which is the global
 * element first + (i,j,k), is data[k*sz + j*sy + i].  Borrowed. */
typedef struct {
  int64_t first[3];
  int n[3];
  ptrdiff_t sy, sz;
  double *data;
} pel_patch;

/* A global array of doubles of the grid's shape, each element on exactly one rank. */
typedef struct {
  const char *name, *unit, *standard_name, *doc; /* standard_name may be NULL */
  pel_place place;
  const pel_patch *patches;
  int npatches;
} pel_array;

/* One more piece of work is done: to be called between pieces of long work (some MB of a file), so
 * that the watchdog knows a slow run from one that hangs.  Main thread; costs an addition. */
void pel_alive(void);

/* A number that a run needs to go on: of the state (the box of particles), and so part of its
 * fingerprint, or of the layer (length of the step, reference of an invariant ...). */
typedef struct {
  const char *name; /* a legal HDF5 attribute name */
  double value;
  bool state;
} pel_scalar;

/* Arrays and numbers of names that begin so are the memory of what is measured on the way: no part
 * of the state's fingerprint, and a checkpoint may have others than a run that resumes from it. */
#define PEL_ASIDE "analysis_"

/* Many numbers that are the same on every rank. */
typedef struct {
  const char *name;
  int64_t n;
  double *value;
  bool found; /* out, when reading: they were in the file, as many as these */
} pel_numbers;

/* What the arrays of particles do not say.  The grid of their snapshot has one axis: index i is the
 * particle with id i + 1.  Arrays NAME_x, NAME_y, NAME_z that follow each other are one vector;
 * "type" counts from 1 and is there unless all are of type 1; "image" and "type" are whole numbers.
 * Every array of a rank has the same patches.  Borrowed. */
typedef struct {
  double time;
  double length[3]; /* of the box, which begins at the origin */
  bool periodic[3];
  int ntypes;
  const double *mass;         /* [ntypes] in mass_unit */
  const char *const *species; /* [ntypes] names of the types; NULL or "": just numbered */
  const char *length_unit, *time_unit, *mass_unit; /* NULL: reduced units */
} pel_particle_frame;

/* The state at one step, or the fields of one output record. */
typedef struct {
  MPI_Comm comm;
  const pel_grid *grid;
  const pel_particle_frame *particles; /* NULL: of fields */
  const char *model, *title;
  const char *config; /* effective configuration, JSON, origins included; same on every rank */
  int64_t step;
  double time; /* [s] */
  pel_array *arrays;
  int narrays;
  pel_scalar *scalars;
  int nscalars;
  pel_numbers *numbers;
  int nnumbers;
  uint64_t fingerprint; /* of all arrays but those aside, and of numbers of the state; see below */
} pel_snapshot;

/* A result of a run, with the error of each of its values. */
typedef struct {
  const char *name; /* with a folder perhaps: "averages/temperature" */
  const char *unit, *doc;
  int rank; /* 0: one number; 1, 2: n numbers, or rows of them */
  int64_t n[2];
  const double *value, *error; /* NAN: not known; error NULL: there is none */
  const char *rows;            /* rank > 0: what the first axis stands for, as in "1-1, 1-2, 2-2" */
  const char *axis, *axis_unit, *axis_doc; /* the last axis; NULL: it is the first */
  const double *at;                        /* [n[rank-1]]: where the values along it are */
  int64_t samples;
  int batches;         /* of samples, from whose scatter errors follow */
  const int64_t *step; /* [records] and when, of a series; NULL: one record at the present step */
  const double *time;
  int64_t records;
} pel_observable;

/* ---- fingerprints ----------------------------------------------------------------------------
 * The fingerprint of an array is the sum (mod 2^64) over its elements of
 * mix(key of its name, global index, bits); that of a snapshot the sum over its arrays, a number of
 * the state counting as one of a single element.  Sums commute, so neither depends on the layout.
 * Global index: (k*n[1] + j)*n[0] + i. */
uint64_t pel_fingerprint_key(const char *name);
/* Share of n consecutive elements from global index `index`. */
uint64_t pel_fingerprint_row(uint64_t key, int64_t index, const double *x, int64_t n);
/* Share of this rank's patches.  Local: the caller adds over ranks. */
uint64_t pel_fingerprint_array(const pel_array *a, const pel_grid *g);

/* Share of those of the n that are state.  Every rank has them: add it once. */
uint64_t pel_fingerprint_scalars(const pel_scalar *x, int n);

/* ---- what io implements ---- */

/* Called on rank 0 for what a user should know though nothing failed ("checkpoint X is damaged,
 * using Y"). */
typedef void pel_say(void *ctx, const char *sentence);

typedef struct pel_series pel_series; /* an open output file that grows record by record */

typedef struct pel_io {
  /* Writes dir/step_NNNNNNNNN.h5 (atomic: complete and verified, or absent), then removes all but
   * the newest `keep` good ones and that of step `also` (-1: none), and those of later steps, which
   * a resumed run has left behind.  A `dir` that has vanished is made again if its parent is there.
   * Failure leaves the older ones untouched and the run can go on. Collective. */
  int (*checkpoint_write)(const pel_snapshot *s, const char *dir, int keep, int64_t also,
                          pel_error *e);

  /* Fills the patches, scalars and numbers (those found by name), step and time of *s from `path`:
   * a checkpoint file, or a directory, of which the newest good one is taken; damaged ones are
   * named through `say` and renamed to *.bad (say NULL: passed over).  Every byte used is verified;
   * model, grid and array names must match those in *s.  `used` (PATH_MAX bytes) receives the
   * file's name. Collective. */
  int (*checkpoint_read)(pel_snapshot *s, const char *path, pel_say *say, void *ctx, char *used,
                         pel_error *e);

  /* Creates (append = false) or reopens the file for records shaped like *s: CF/netCDF-4, or H5MD
   * if s has particles.  On reopening, records with time > s->time are cut off.  single: store
   * 32-bit floats.  NULL on failure.  Collective. */
  pel_series *(*series_open)(const pel_snapshot *s, const char *path, bool append, bool single,
                             pel_error *e);
  /* Whether series_open would append to `path`; a file that is not there may be created.  Only
   * looks: the arrays' values do not matter.  Collective. */
  int (*series_check)(const pel_snapshot *s, const char *path, bool single, pel_error *e);
  /* Adds one record; on failure the file stays as it was before and later records may succeed.
   * Collective. */
  int (*series_append)(pel_series *f, const pel_snapshot *s, pel_error *e);
  int (*series_close)(pel_series *f, pel_error *e); /* collective */

  /* Writes the results at s->step to `path`, H5MD (atomic: the file is replaced, or stays as it
   * was).  Local, called on rank 0 only. */
  int (*observables_write)(const pel_snapshot *s, const pel_observable *x, int n, const char *path,
                           pel_error *e);

  /* pel_map_read of model.h without the sentence's place; local, called on rank 0 only.  The map
   * and its arrays are one malloc each, freed by the caller. */
  pel_map *(*map_read)(const char *file, const char *variable, const char *time, const char *level,
                       const char *unit, pel_error *e);

  /* pel_particles_read of particles.h without the sentence's place, all particles held; local,
   * called on rank 0 only.  Arrays are one malloc each, freed by the caller. */
  int (*particles_read)(const char *file, const char *format, const char *frame, const bool wall[3],
                        pel_particle_file *p, pel_error *e);
} pel_io;

#endif
