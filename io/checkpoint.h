/* For io: checkpoint files.
 *
 * step_NNNNNNNNN.h5 is an HDF5 file (libver V110: checksummed metadata) with one contiguous dataset
 * per prognostic array in global order (z, y, x), so that any layout can read it:
 *
 *   /                  attributes format, model, title, step, time, fingerprint, created, source
 *   /NAME              float64, attributes unit, long_name, standard_name, place, fingerprint
 *   /pelsim/config     effective configuration, JSON
 *   /pelsim/axis_A     attributes name, unit, standard_name, cells, end, origin, spacing
 *   /pelsim/state      one attribute a number of the state
 *   /pelsim/scalars    one attribute a number of the layer
 *   /pelsim/numbers/NAME float64 [n], of what the layer measures on the way, if there is any
 *   /pelsim/blocks/NAME  table {first[3], cells[3], fingerprint}: share of each box
 *
 * HDF5 checks its metadata but no raw data, so the file begins with a block of text before the HDF5
 * superblock (HDF5's "user block") that makes every byte of the file verifiable, and readable
 * without HDF5: where the arrays lie, their fingerprints, and a hash of all other bytes. */
#ifndef PEL_CHECKPOINT_H
#define PEL_CHECKPOINT_H

#include <stdio.h>
#include <string.h>
#include "overlay.h"
#include "pelsim/sink.h"

enum { PEL__CHECKPOINT_FORMAT = 2 };

/* Whether an array or numbers of this name are no part of the state. */
static inline bool pel__is_aside(const char *name) {
  return strncmp(name, PEL_ASIDE, sizeof PEL_ASIDE - 1) == 0;
}

/* Where one array lies, and what it must hash to. */
typedef struct {
  char *name;
  int64_t at, bytes;
  uint64_t fingerprint;
} pel__region;

/* The block of text. */
typedef struct {
  int64_t block;              /* its own size */
  int64_t size;               /* of the file */
  uint64_t fingerprint, rest; /* of the state; hash of all bytes in neither block nor arrays */
  int narrays;
  pel__region *array; /* in ascending order of place */
} pel__header;

void pel__header_fini(pel__header *h);
int64_t pel__header_room(const pel_snapshot *s); /* what .block must be */
char *pel__header_text(const pel__header *h);    /* .block bytes, malloced */
/* Hash of the bytes outside block and arrays, in an image of h->size bytes.  0 or an errno. */
int pel__header_rest(const pel__header *h, const pel__overlay *o, uint64_t *hash);

/* Why a file is no use: damaged ones are set aside, others are the user's business. */
typedef enum { PEL__FILE_GOOD, PEL__FILE_DAMAGED, PEL__FILE_REFUSED } pel__verdict;
/* Of a file that cannot be read: whether that lies in it or in the circumstances. */
pel__verdict pel__verdict_of(int err);

/* Reads and checks the block; e says what is wrong. */
pel__verdict pel__header_read(int fd, const char *path, pel__header *h, pel_error *e);

/* An open checkpoint: everything but the arrays, verified and in memory. */
typedef struct {
  int fd;
  pel__header header;
  char *model, *title, *created, *source, *config;
  pel_snapshot s; /* grid, step, time, scalars, numbers, arrays without patches, fingerprint */
  pel_grid grid;
} pel__checkpoint;

/* Local.  On anything but PEL__FILE_GOOD nothing is left to close. */
pel__verdict pel__checkpoint_open(const char *path, pel__checkpoint *c, pel_error *e);
void pel__checkpoint_close(pel__checkpoint *c);

/* Where array number `a` of the open file lies. */
const pel__region *pel__checkpoint_region(const pel__checkpoint *c, const char *name);

/* Table of blocks of an array: malloced, *n rows.  NULL: it cannot be read. */
typedef struct {
  int64_t first[3], cells[3];
  uint64_t fingerprint;
} pel__box;
pel__box *pel__checkpoint_boxes(const pel__checkpoint *c, const char *name, int *n);

/* Compound type of a row of that table in memory and in the file.  < 0 on failure. */
hid_t pel__box_type(bool in_file);

/* ---- the directory of checkpoints ---- */

/* Steps of the checkpoints in dir, newest first; malloced.  Count, or -1 with errno. */
int pel__checkpoint_list(const char *dir, int64_t **step);
void pel__checkpoint_name(char *path, size_t size, const char *dir, int64_t step);
/* After step has been written: removes later ones (of a continuation that was given up by resuming
 * before them) and all but the newest `keep` whole ones. */
void pel__checkpoint_rotate(const char *dir, int64_t step, int keep, int64_t also);
/* Removes temporary files of writers that no longer live (nobody holds their lock). */
void pel__checkpoint_sweep(const char *dir);

/* The functions of pel_io. */
int pel__checkpoint_write(const pel_snapshot *s, const char *dir, int keep, int64_t also,
                          pel_error *e);
int pel__checkpoint_read(pel_snapshot *s, const char *path, pel_say *say, void *ctx, char *used,
                         pel_error *e);

extern const char *const pel__place_name[5]; /* of pel_place */
extern const char *const pel__end_name[3];   /* of pel_end */

#endif
