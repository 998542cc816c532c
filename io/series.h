/* For io: output files that grow record by record.
 *
 * A record is one chunk a dataset (more where a chunk would exceed 1 GiB), allocated early and
 * never filled by HDF5: rank 0 extends the datasets in memory and hands out the chunks' addresses,
 * all ranks write their parts, and only then the changed metadata goes to disk.  Bounds of V18 keep
 * the file free of "open for writing" marks, so that it stays readable and appendable after a kill.
 *
 * series.c makes files grow; what they look like is the affair of a format. */
#ifndef PEL_SERIES_H
#define PEL_SERIES_H

#include "overlay.h"
#include "pelsim/sink.h"

/* Numbers that each record has besides its arrays; the box only where there are particles. */
typedef enum { PEL__TIME, PEL__STEP, PEL__HASH, PEL__EDGES } pel__column;

/* A dataset that grows along its first axis.  All ranks fill the npieces chunks of a record, of
 * `piece` elements of `bytes` each in the order of the global index; 0: it holds one of the
 * columns, which rank 0 writes. */
typedef struct {
  char name[100];            /* in the file */
  hid_t type;                /* as stored, one of HDF5's own */
  int rank;                  /* of a record; 0: one number */
  hsize_t n[3];              /* of a record, slowest axis first */
  hsize_t records, chunk[3]; /* in a chunk */
  int npieces;
  int64_t piece;
  int bytes;
} pel__growing;

enum { PEL__STILL = 3 }; /* datasets that all ranks write and that belong to no record */

typedef struct {
  /* What grows, columns first: malloced, *n of them; NULL with *e. */
  pel__growing *(*growing)(const pel_snapshot *s, bool single, int *n, pel_error *e);
  /* A file without records in o, rank 0.  still[PEL__STILL]: where what belongs to no record lies.
   */
  int (*describe)(pel__overlay *o, const pel_snapshot *s, bool single, const pel__growing *g,
                  const char *path, int64_t *still, pel_error *e);
  /* This rank's part of what belongs to no record: 0 or an errno; NULL: there is none. */
  int (*fill)(int fd, const pel_snapshot *s, const int64_t *still);
  /* Growing dataset i, for the sentence that the file has no ... */
  void (*name)(const pel_snapshot *s, int i, bool single, char *text, size_t size);
  /* Whether the file has something that this run would not write, "a variable u": records would
   * lack it. */
  bool (*stranger)(hid_t file, const pel_snapshot *s, char *text, size_t size);
  /* Fingerprint share of this rank's part of a record, as the file holds it. */
  uint64_t (*share)(const pel_snapshot *s, bool single);
  /* All arrays of a record; at: of the pieces of g[0], g[1] ...  0 or this rank's errno; whoever
   * fails takes part in what is collective. */
  int (*write)(int fd, const pel_snapshot *s, bool single, const pel__growing *g, int n,
               const int64_t *at);
} pel__format;

extern const pel__format pel__format_fields, pel__format_trajectory;

/* The functions of pel_io. */
pel_series *pel__series_open(const pel_snapshot *s, const char *path, bool append, bool single,
                             pel_error *e);
int pel__series_check(const pel_snapshot *s, const char *path, bool single, pel_error *e);
int pel__series_append(pel_series *f, const pel_snapshot *s, pel_error *e);
int pel__series_close(pel_series *f, pel_error *e);

#endif
