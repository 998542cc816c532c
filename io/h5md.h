/* For io: reading H5MD files, ours and those of other programs, which use the freedom that the
 * specification gives: elements fixed or with frames, edges as vector or matrix, steps listed or
 * regular. */
#ifndef PEL_H5MD_H
#define PEL_H5MD_H

#include <limits.h>
#include "overlay.h"
#include "pelsim/error.h"

typedef struct {
  char path[PATH_MAX], name[80]; /* of the file; of the group of particles */
  int fd;
  pel__overlay *o;
  hid_t file, group; /* < 0: there is none */
  int64_t n, frames; /* of its positions */
} pel__h5md;

/* An element of the group, all of its frames. */
typedef struct {
  char name[80];
  hid_t value, object; /* object: the group that has value, step and time, or the dataset itself */
  int64_t n, frames;   /* frames 0: it is fixed */
  int components;      /* values of a particle */
  bool whole;          /* integers */
} pel__h5md_element;

/* Whether this is an HDF5 file with an /h5md. */
bool pel__is_h5md(const char *path);

/* The group called "trajectory", or the only one.  Local; sentences are PEL_IO. */
int pel__h5md_open(const char *path, pel__h5md *f, pel_error *e);
void pel__h5md_close(pel__h5md *f);

/* False without a sentence: it has no such element; with one: it cannot be used. */
bool pel__h5md_find(const pel__h5md *f, const char *name, pel__h5md_element *x, pel_error *e);
void pel__h5md_done(pel__h5md_element *x);
/* Values of a frame, n*components of them. */
int pel__h5md_read(const pel__h5md *f, const pel__h5md_element *x, int64_t frame, double *to,
                   pel_error *e);
/* Step and time of each frame, malloced; NULL: it has none. */
int64_t *pel__h5md_steps(const pel__h5md_element *x);
double *pel__h5md_times(const pel__h5md_element *x);

typedef struct {
  int dimension;
  bool periodic[3], known; /* known: there are edges */
  double edge[9];          /* row after row */
} pel__h5md_box;
int pel__h5md_read_box(const pel__h5md *f, int64_t frame, pel__h5md_box *b, pel_error *e);

bool pel__h5md_is_number(hid_t type);                             /* one that can be read */
bool pel__h5md_number(hid_t object, const char *name, double *x); /* a numeric attribute */
/* A text attribute of any kind, malloced; NULL: there is none. */
char *pel__h5md_text(hid_t object, const char *name);

#endif
