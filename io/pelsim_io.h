/* For whoever embeds pelsim and wants its files: the sink that core writes to, and the tools that
 * look at files.  Text goes to `out`, also the sentence when a file cannot be read; the return
 * value is an exit code of pelsim/error.h.  All tools are local and need no MPI.
 *
 * Where a path may be a directory, the newest checkpoint in it, or in its checkpoints/, is meant,
 * unless it says otherwise. */
#ifndef PELSIM_IO_H
#define PELSIM_IO_H

#include <stdbool.h>
#include <stdio.h>
#include "pelsim/sink.h"

/* Checkpoints and grid output in HDF5, maps from netCDF.  Checkpoints of a step later than the one
 * being written belong to a continuation that was given up by resuming before them; they are
 * removed once the new one is complete. */
extern const pel_io pel_io_hdf5;

/* What is in a checkpoint or netCDF file. */
int pel_io_info(FILE *out, const char *path, bool json);

/* Every checksum and fingerprint: PEL_OK, or PEL_IO with one line for each damaged part.  Of a
 * directory, all checkpoints and the output file, each with a line of its own. */
int pel_io_verify(FILE *out, const char *path);

/* First difference (variable, index, values) and a line for each variable that differs.  Values
 * differ if |a-b| > tol * (largest magnitude of the variable in either file); with tol 0 if their
 * bits do.  PEL_OK: the same; PEL_DIFFERS; PEL_IO. */
int pel_io_diff(FILE *out, const char *a, const char *b, double tol);

/* Particles of a checkpoint, or of a frame ("first", "last", a number from 0; NULL: the last) of a
 * trajectory or another file of particles, to out: format "xyz" (extended XYZ) or "lammps-data".
 * Every number is written so that it reads back to the same bits.  The sentence, if any, goes to
 * `message`. */
int pel_io_export(FILE *out, FILE *message, const char *path, const char *format,
                  const char *frame);

/* Fingerprint of a checkpoint as 16 hex digits, after verifying it. */
int pel_io_fingerprint(FILE *out, const char *path);

#endif
