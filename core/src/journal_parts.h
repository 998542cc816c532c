/* The parts of the journal, shared by its files (rundir.c, journal*.c, progress.c, report.c). */
#ifndef PEL_JOURNAL_PARTS_H
#define PEL_JOURNAL_PARTS_H

#include <jansson.h>
#include <sys/types.h>
#include <time.h>
#include "journal.h"

/* ---- replace.c: small files replaced whole or not at all; each returns 0 or an errno ---- */

char *pel__path(const char *dir, const char *name); /* "dir/name", malloced; NULL: no memory */

int pel__write_all(int fd, const char *text, size_t n);

/* Temporary + rename; durable: fsync of file and directory too. */
int pel__replace_file(const char *dir, const char *name, const char *text, bool durable);

/* Takes the space for a later text of at most `bytes` in advance, in dir/.name.reserve.  Then
 * pel__replace_reserved reaches the disk even when it is full (unless the file system writes every
 * change to a new place, as btrfs and ZFS do); it uses the reserve up. */
int pel__reserve_file(const char *dir, const char *name, size_t bytes);
int pel__replace_reserved(const char *dir, const char *name, const char *text, bool durable);

/* ---- rundir.c: the directory, commands ---- */

/* A file of the directory, run.json of an earlier run; NULL: none that can be understood. */
json_t *pel__json_load(const char *dir, const char *name);
json_t *pel__run_json_load(const char *dir);

/* The command that continues the run of that run.json (NULL: nothing is known of it) with the
 * options that it was started with: from the checkpoint `from`; NULL: the newest; "": anew, over
 * what is there. */
void pel__resume_command(char *out, size_t size, const json_t *run, const char *dir,
                         const char *from);
/* Whether damaged checkpoints were set aside. */
bool pel__rundir_damaged(const char *dir);

/* ---- observe.c ---- */

/* Whether the run got to its end, not only as far as --steps went. */
bool pel__run_json_complete(const json_t *run);
/* run.json of an invocation before; if it was killed it says so, and how far it got. */
json_t *pel__run_json_earlier(const char *dir);
/* Seconds until its supervisor, process *pid of this host, starts it again; NAN: none does. */
double pel__restart_due(const json_t *run, long *pid);

/* ---- progress.c: numbers for people, and how far a run is ---- */

enum { PEL__SHORT = 32 }; /* bytes of a number in words */

void pel__iso_time(char out[PEL__SHORT], time_t t);   /* "2025-03-01T12:00:00Z" */
void pel__human_time(char out[PEL__SHORT], double s); /* "3.25 d" */
/* Model time [s] of a run whose unit has that name: "3.25 d", or "12.5 tau" if it is reduced. */
void pel__model_time(char out[PEL__SHORT], double s, const char *unit);
void pel__human_wait(char out[PEL__SHORT], double s);  /* "2h03m" */
void pel__human_count(char out[PEL__SHORT], double x); /* "12.4 M" (decimal) */

/* How far a run is and how fast it goes.  All clocks are seconds of one monotonic clock. */
typedef struct {
  int64_t first_step, last_step, cells;
  double start_time, end_time;
  bool spherical, particles;
  const char *time_name;
  int64_t step;
  double time;
  double begun, mark; /* when the run began; when the rates were last measured */
  int64_t mark_step;
  double mark_time;
  double steps_per_s, time_per_s; /* of late; 0: not known yet */
  double logged;                  /* when a log line was last written */
  int logged_percent;
} pel__meter;

void pel__meter_start(pel__meter *m, const pel__run_facts *f, double now);
void pel__meter_update(pel__meter *m, int64_t step, double time, double now);
double pel__meter_fraction(const pel__meter *m); /* of the whole run, 0..1; NAN: no end known */
double pel__meter_eta(const pel__meter *m);      /* [s]; NAN: not known */
double pel__meter_cells_per_s(const pel__meter *m);
double pel__sypd(double model_seconds, double wall_seconds); /* simulated years a day */

/* The progress line: at most width characters, padded by nothing, without line end. */
void pel__meter_line(const pel__meter *m, char *out, size_t size, int width);
/* The same for a log, without bar. */
void pel__meter_log_line(const pel__meter *m, char *out, size_t size);
/* True when a log line is due (1, 2, 5, 10, 20 ... 90 per cent, or a minute); notes that it was. */
bool pel__meter_log_due(pel__meter *m, double now);

/* ---- journal_csv.c: diagnostics.csv ---- */

typedef struct {
  int fd; /* -1: not open */
  char *path;
  int n;
  off_t size;   /* of all complete rows */
  int64_t last; /* step of the last row; a step is never written twice */
  int64_t lost; /* rows that could not be written */
} pel__csv;

/* aside: receives the name under which a file with other columns was set aside, or "". */
int pel__csv_open(pel__csv *c, const char *dir, int n, const char *const *names, bool resume,
                  int64_t step, char aside[64], pel_error *e);
int pel__csv_row(pel__csv *c, int64_t step, double time, double dt, const double *x); /* errno */
int pel__csv_sync(pel__csv *c); /* an errno; then a row counts as lost */
void pel__csv_close(pel__csv *c);

/* ---- report.c: the final table ---- */

/* Writes the table and the line of advice to out; f and r as given to the journal. */
void pel__report(FILE *out, const pel__run_facts *f, const pel__run_result *r);
/* Slowest rank over the mean, less one, of the phase "compute"; 0 if there is none. */
double pel__imbalance(const pel__run_result *r);
/* One sentence chosen from what was measured. */
void pel__advice(char *out, size_t size, const pel__run_facts *f, const pel__run_result *r);

/* ---- journal_json.c: run.json and heartbeat.json ---- */

/* The document of run.json as known at the start, with the history of the directory. */
json_t *pel__run_json(const pel__run_facts *f, time_t started, const json_t *earlier);
void pel__run_json_finish(json_t *run, const pel__run_facts *f, const pel__run_result *r,
                          time_t ended);
json_t *pel__heartbeat_json(const pel__meter *m, const char *state, double epoch);
/* The text under that key; otherwise: if there is none. */
const char *pel__json_string(const json_t *object, const char *key, const char *otherwise);
json_t *pel__json_text(const char *s);      /* NULL: null; '?' for what is not UTF-8 */
const char *pel__state_name(int exit_code); /* "done", "stopped", "failed" */

#endif
