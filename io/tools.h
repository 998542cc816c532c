/* For the tools that look at files: what a path means, and the kinds of files. */
#ifndef PEL_TOOLS_H
#define PEL_TOOLS_H

#include <limits.h>
#include "checkpoint.h"
#include "map_parts.h"

typedef enum {
  PEL__NO_FILE,
  PEL__A_CHECKPOINT,
  PEL__A_NETCDF,
  PEL__A_TRAJECTORY,
  PEL__OBSERVABLES
} pel__file_kind;

/* The file meant by path (of a directory: its newest checkpoint) into file[PATH_MAX], and its kind
 * by what it begins with. */
pel__file_kind pel__resolve(const char *path, char *file, pel_error *e);

/* Prints the sentence, if there is one; returns the code. */
int pel__tell(FILE *out, const pel_error *e);

/* Reads `n` elements of array r from element `index` on.  0 or an errno. */
int pel__region_read(const pel__checkpoint *c, const pel__region *r, int64_t index, double *to,
                     int64_t n);
enum { PEL__PIECE = 1 << 17 }; /* elements of a buffer */

int pel__info_checkpoint(FILE *out, const char *file, bool json);
int pel__info_netcdf(FILE *out, const char *file, bool json);
int pel__info_trajectory(FILE *out, const char *file, bool json);
int pel__info_observables(FILE *out, const char *file, bool json);
int pel__verify_checkpoint(FILE *out, const char *file);
int pel__verify_netcdf(FILE *out, const char *file);
int pel__verify_trajectory(FILE *out, const char *file);
int pel__verify_observables(FILE *out, const char *file);
int pel__diff_checkpoints(FILE *out, const char *a, const char *b, double tol);
int pel__diff_netcdf(FILE *out, const char *a, const char *b, double tol);
int pel__diff_trajectories(FILE *out, const char *a, const char *b, double tol);
int pel__diff_observables(FILE *out, const char *a, const char *b, double tol);

/* Fold of the differences of one variable. */
typedef struct {
  int64_t count, first; /* elements that differ; index of the first */
  double a, b;          /* its values */
  double largest;       /* |a-b| */
  double scale;         /* largest finite magnitude in either */
  bool bits;            /* any two bits differ at all */
} pel__differences;

/* Elements [index, index+n).  tol < 0: only scale and bits, for a first pass; else counts the
 * elements with |a-b| > tol*scale, or with other bits if tol is 0.  NaN differs from any number and
 * from no NaN. */
void pel__compare(pel__differences *d, const double *a, const double *b, int64_t n, int64_t index,
                  double tol);

#endif
