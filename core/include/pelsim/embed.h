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
  bool auto_resume;   /* go on from the directory's checkpoints if it has any, else begin anew,
                         over what an attempt before left there */
  int64_t steps;      /* > 0: stop (exit 0) after this many steps in this invocation */
  int64_t until;      /* > 0: stop (exit 0) at this step */
  double spent; /* [s] of wall-clock time that attempts before this one took of [run] walltime */
  int threads;  /* > 0: OpenMP threads a rank; 0: [parallel] threads or cores/ranks */
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

/* Validates a configuration for that many ranks as pel_check does, but without the initial state,
 * and estimates the memory that the rank with most of it needs for its state [B].  MPI must have
 * been initialised; errors go to stderr.  Local: the fields are not allocated. */
int pel_estimate(const pel_host *host, const pel_request *r, int ranks, double *bytes);

/* How `pelsim run` should start: what of the configuration must be known before. */
typedef struct {
  int ranks;         /* [parallel] ranks; 0: not given */
  int threads;       /* [parallel] threads, likewise */
  double hang_limit; /* [run] hang_limit [s]; 0: none */
  char dir[4096];    /* the run directory */
} pel_prospect;
/* Local, without MPI; messages to stderr. */
int pel_peek(const pel_host *host, const pel_request *r, pel_prospect *p);

/* ---- a run from outside: local, without MPI ---- */

/* What a run directory tells whoever watches the run. */
typedef struct {
  uint64_t stamp;     /* changes when a run begins there; 0: none has */
  char state[16];     /* "running", "done", "stopped", "failed", "killed"; "": no run */
  int code;           /* exit code of the newest invocation; -1: it has not ended */
  char cause[16];     /* of "stopped": "signal", "file" or "walltime"; of "done": "steps" */
  bool complete;      /* it got to its end, not only as far as --steps went */
  int64_t first_step; /* where the newest invocation began */
  int64_t step;       /* of its newest heartbeat */
  int64_t checkpoint; /* step of the newest file in checkpoints/; -1: none */
  uint64_t saved;     /* changes with that file */
} pel_observation;
pel_observation pel_observe(const char *dir);
/* Changes with each heartbeat of the run; 0: there was none.  Cheap: no file is read. */
uint64_t pel_heartbeats(const char *dir);

/* Notes in run.json of a run that broke off, or hung, how it ended, where no rank could. */
void pel_note_end(const char *dir, int code, const char *why);
/* That this process will start it again in so many seconds. */
void pel_note_restart(const char *dir, double seconds);

/* Prints how the run in dir is: alive or not, how far, when it will end, what went wrong, how it
 * was restarted.  PEL_OK, or PEL_IO after a sentence on stderr if dir holds no run. */
int pel_status(FILE *out, const char *dir, bool json);

/* Whether to resume the run is worthwhile, and why (not): it is not complete, nobody asked it to
 * stop, its numbers have not gone wrong, and it gets on between its failures; also if nothing has
 * run in dir yet.  PEL_OK: it is, PEL_DIFFERS: it is not, PEL_IO: that cannot be told. */
int pel_resumable(const char *dir, char *why, size_t size);

/* Descriptions, on `out`.  model: a built-in one, or the file of a plug-in (a path with '/' or that
 * ends in .so); NULL: the layer's own sections and every model.  Local. */
int pel_print_models(FILE *out, const pel_host *host, bool json);
typedef enum { PEL_AS_TEXT, PEL_AS_JSON, PEL_AS_MARKDOWN } pel_format;
int pel_print_params(FILE *out, const pel_host *host, const char *model, pel_format f);
int pel_print_template(FILE *out, const pel_host *host, const char *model); /* a commented INI */

/* Writes word as a shell has to read it, quoted if need be, to out; cut off where that is full, for
 * which 4*strlen(word) + 8 bytes are enough. */
void pel_shell_word(char *out, size_t size, const char *word);

/* Did you mean: the name in list nearest to word if it is near enough to be meant, else NULL. */
const char *pel_suggest(const char *word, const char *const *list, int n);

/* Asks a running simulation of this process to checkpoint and stop with PEL_STOPPED at the end of
 * its step.  Async-signal-safe. */
void pel_request_stop(int signal);

/* One line on fd that says where this rank is, and how many pieces of work it has done:
 * "pelsim: rank 3: step 120, exchanging halos, 4711 pieces of work done".  Phases that may wait for
 * a disk say "(disk)".  Async-signal-safe. */
void pel_tell_whereabouts(int fd);
#define PEL_WHEREABOUTS "pelsim: rank " /* how the line begins */

#endif
