/* For everyone who calls pelsim: how a failure is told. */
#ifndef PELSIM_ERROR_H
#define PELSIM_ERROR_H

/* Exit codes of the pelsim command; also the codes of pel_error. */
enum {
  PEL_OK = 0,
  PEL_DIFFERS = 1,   /* pelsim diff: the files differ */
  PEL_USAGE = 2,     /* command line or configuration */
  PEL_INVALID = 3,   /* the simulation became invalid: NaN, time-step limit, lost invariant */
  PEL_IO = 4,        /* a file could not be read, written or verified */
  PEL_INTERNAL = 70, /* a bug in pelsim; no memory; MPI failed */
  PEL_STOPPED = 75   /* stopped early with a good checkpoint: resume */
};

/* One failure: a code from above (PEL_OK: none) and one sentence that says what, where, what was
 * expected and what to do.  The first failure wins. */
typedef struct {
  int code;
  char text[1000];
} pel_error;

/* Sets *e if it is still PEL_OK; returns code, so that `return pel_error_set(...)` reads well. */
int pel_error_set(pel_error *e, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
