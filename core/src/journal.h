/* The run directory and what a run tells of itself: run.log, run.json, heartbeat.json,
 * diagnostics.csv, the progress line and the final table.
 *
 * Everything here happens on rank 0 only (a NULL journal says nothing), is local, and never stops a
 * simulation: a file of the journal that cannot be written is reported once; later writes are tried
 * again in silence, and a row that could not be written leaves no trace of a half. */
#ifndef PEL_JOURNAL_H
#define PEL_JOURNAL_H

#include "balance.h"
#include "pelsim/embed.h"

/* ---- the run directory ---- */

/* Creates `dir` (parents too) and takes its lock (flock on dir/.lock, which names host, pid and
 * job).  Waits for ranks whose starter (PELSIM_STARTER="pid host" in their environment) was killed,
 * and has those of an earlier attempt of the same starter end, wherever they are.
 * Refuses, in one sentence: a directory another job holds (who); one that holds an earlier
 * run, when it is to be PEL__NEW (the sentence says how to resume and how to overwrite);
 * resume of a directory without checkpoints; a path that is not a directory, cannot be made or
 * written. PEL__OVERWRITE removes what pelsim wrote there (run.log, run.json, heartbeat.json,
 * diagnostics*.csv, fields.nc, fields.xdmf, trajectory.h5md, observables.h5, checkpoints/step_*)
 * and nothing else, so that a user's run.sh survives; PEL__AGAIN does so too but for run.log and
 * run.json, the history of the attempts before.  Makes dir/checkpoints. */
typedef enum { PEL__NEW, PEL__CONTINUE, PEL__OVERWRITE, PEL__AGAIN } pel__rundir_use;
typedef struct pel__rundir pel__rundir;
pel__rundir *pel__rundir_open(const char *dir, pel__rundir_use use, pel_error *e);
void pel__rundir_close(pel__rundir *d); /* releases the lock; NULL allowed */
/* What the lock file says while the directory is ours; lives as long as d.  NULL allowed. */
enum { PEL__OWNER = 800 }; /* its bytes at most */
const char *pel__rundir_owner(const pel__rundir *d);

/* Ends this rank as soon as dir/.lock names another owner than that of rank 0, if the run has a
 * starter that might start it anew (PELSIM_STARTER).  Collective.  NULL: there is no guard. */
typedef struct pel__guard pel__guard;
pel__guard *pel__guard_begin(MPI_Comm comm, const char *dir, const char *owner);
void pel__guard_end(pel__guard *g); /* local; NULL allowed */

/* out/<name of the configuration>: where a run goes that says nothing else. */
void pel__standard_directory(char *dir, size_t size, const char *config);

/* Step of the newest file in dir/checkpoints, good or not; -1: there is none. */
int64_t pel__rundir_newest(const char *dir);

/* 0, or the errno of why this user cannot look into the directory, its checkpoints or its lock. */
int pel__rundir_closed(const char *dir);

/* Whether a process holds the lock of `dir`.  Does not take it for longer than a moment. */
bool pel__rundir_held(const char *dir);

/* Whether `dir` has checkpoints to continue from; if not, says so in *e.  Touches nothing. */
int pel__rundir_resumable(const char *dir, pel_error *e);

/* ---- the journal ---- */

/* What a run is, known before step 0.  Strings are copied. */
typedef struct {
  const char *dir, *config_path, *config_json, *model, *title, *version, *resumed_from;
  int ranks, threads, nodes;
  int64_t cells, blocks, first_step, last_step; /* last_step -1: not known, see end_time */
  double start_time, end_time;                  /* [s] model time; end 0: not known */
  bool spherical;                               /* climate model: rate also as SYPD */
  bool particles;                               /* cells are particles */
  bool again;                                   /* not the first attempt: log and history go on */
  const char *time_name;                        /* unit of model time in diagnostics.csv; NULL: s */
  double time_unit;                             /* [s] of that unit; 0: 1 */
  pel_progress progress;
} pel__run_facts;

typedef struct pel__journal pel__journal;

/* Opens run.log (append if resumed_from or again), writes the first heartbeat and run.json with
 * state "running".  PEL_PROGRESS_AUTO draws the progress line if stdout is a terminal that knows
 * its width (the pseudo-terminal that Open MPI gives a rank has one just if mpirun's stdout has),
 * or if the environment says PELSIM_COLUMNS=<width> (0: no line). */
pel__journal *pel__journal_open(const pel__run_facts *f);

/* A sentence to the terminal (above the progress line if there is one) and to run.log. */
void pel__journal_say(pel__journal *j, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* After each step: throttled inside (progress <= 5/s on a terminal, else a log line at 1,2,5,10,...
 * per cent or each minute; heartbeat <= 1/s), so a call costs a clock reading. */
void pel__journal_step(pel__journal *j, int64_t step, double time, double dt);

/* diagnostics.csv: header once (step,time,dt,names...), then one row (%.17g,
 * time and dt %.12g, in units of time_unit).  On resume rows
 * beyond `step` are cut off, and a file with other columns is kept under another name.  A row whose
 * step is not beyond the last one is left out: no step is written twice.  Units go to run.json. */
int pel__journal_columns(pel__journal *j, int n, const char *const *names, const char *const *units,
                         bool resume, int64_t step, pel_error *e);
void pel__journal_row(pel__journal *j, int64_t step, double time, double dt, const double *x);
/* Puts the rows on the disk. */
void pel__journal_sync(pel__journal *j);
/* Rows that could not be written. */
int64_t pel__journal_lost(const pel__journal *j);

/* A mean over the run with its standard error. */
typedef struct {
  char name[96], unit[64];
  double value, error; /* NAN: not known */
  int64_t samples;
} pel__average;

/* Seconds spent by phase, per rank (gathered by the caller). */
typedef struct {
  const char
      *name; /* "compute", "halo", "filter", "diagnostics", "output", "checkpoint", "agreement" */
  double min, mean, max;
} pel__phase;

typedef struct {
  int exit_code;
  const char *why;          /* one sentence; NULL when done */
  const char *cause;        /* of PEL_STOPPED: "signal", "file", "walltime"; of PEL_OK: "steps" */
  int64_t step, steps_done; /* step reached; steps made in this invocation */
  double time, seconds;     /* model time; wall-clock of the loop */
  double bytes;             /* memory traffic the programs must have caused, all ranks */
  double bandwidth;         /* measured, of all ranks together [B/s]; 0: unknown */
  double others;            /* share of the cores' time that other programs took; < 0: unknown */
  const pel__balance *balance; /* NULL: blocks could not move */
  uint64_t fingerprint;
  const pel__phase *phases;
  int nphases;
  const pel__average *averages;
  int naverages;
  const char *checkpoint;  /* newest good one; NULL: none */
  const char *resume_from; /* an older one that leads to all results, "": none; NULL: the newest */
  const char *open_next;   /* path of the file to look at; NULL: none */
} pel__run_result;

/* The final table (phases min/mean/max, imbalance, rate, fraction of bandwidth, one line of
 * advice), run.json with the outcome, the last heartbeat; then for exit code 0 the line
 * "fingerprint: <16 hex digits>" as the last line on stdout, else the command that resumes and the
 * sentence `why` (on stderr unless PEL_STOPPED; the caller need not print it).  Frees j. */
void pel__journal_close(pel__journal *j, const pel__run_result *r);

#endif
