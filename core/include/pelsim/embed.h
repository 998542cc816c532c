/* For whoever embeds pelsim in a program (the pelsim command is one): run, check, describe. */
#ifndef PELSIM_EMBED_H
#define PELSIM_EMBED_H

#include <mpi.h>
#include <stdio.h>
#include "pelsim/error.h"
#include "pelsim/model.h"
#include "pelsim/sink.h"

/* What can be run and where files go.  Borrowed for the life of the program. */
typedef struct {
  const pel_model *const *models;
  int nmodels;
  const pel_io *io;
  const char *version; /* "0.1.0+gabcdef" */
} pel_host;

typedef enum { PEL_PROGRESS_AUTO, PEL_PROGRESS_ALWAYS, PEL_PROGRESS_NEVER } pel_progress;

/* A request, as the command line gives it. */
typedef struct {
  const char *config;           /* path of the INI file */
  const char *const *overrides; /* "section.key=value" */
  int noverrides;
  const char *dir;    /* run directory; NULL: [output] dir, or out/<config name> */
  const char *resume; /* NULL: no; "": newest good checkpoint of the directory; else a file */
  bool overwrite;     /* delete what an earlier run left in the directory */
  int64_t steps;      /* > 0: stop (exit 0) after this many steps in this invocation */
  int threads;        /* > 0: OpenMP threads a rank; 0: [parallel] threads or cores/ranks */
  pel_progress progress;
} pel_request;

/* Runs a simulation to its end.  Messages go to stdout/stderr of rank 0; returns an exit code of
 * pelsim/error.h, the same on every rank.  MPI must have been initialised with at least
 * MPI_THREAD_FUNNELED; several simulations may run at once on disjoint communicators.  Collective.
 */
int pel_run(MPI_Comm comm, const pel_host *host, const pel_request *r);

/* Validates a configuration and prints grid, layout, memory, output volume and time-step limits; of
 * a run to be resumed, also where it would begin.  Writes no file.  Collective. */
int pel_check(MPI_Comm comm, const pel_host *host, const pel_request *r, bool json);

/* Reads only [run] and tells how `pelsim run` should start: ranks asked for ([parallel] ranks, 0 if
 * not given) and the run directory.  Local, without MPI; messages to stderr. */
int pel_peek(const pel_host *host, const pel_request *r, int *ranks, char dir[4096]);

/* Descriptions, on `out`.  model: a built-in one, or the file of a plug-in (a path with '/' or that
 * ends in .so); NULL: the layer's own sections and every model.  Local. */
int pel_print_models(FILE *out, const pel_host *host, bool json);
typedef enum { PEL_AS_TEXT, PEL_AS_JSON, PEL_AS_MARKDOWN } pel_format;
int pel_print_params(FILE *out, const pel_host *host, const char *model, pel_format f);
int pel_print_template(FILE *out, const pel_host *host, const char *model); /* a commented INI */

/* Did you mean: the name in list nearest to word if it is near enough to be meant, else NULL. */
const char *pel_suggest(const char *word, const char *const *list, int n);

/* Asks a running simulation of this process to checkpoint and stop with PEL_STOPPED at the end of
 * its step.  Async-signal-safe. */
void pel_request_stop(int signal);

#endif
