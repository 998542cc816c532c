/* The journal of a run: what it says on the terminal and in run.log, and when.  A file that cannot
 * be written is reported once; the run goes on, and later writes are tried again in silence. */
#define _GNU_SOURCE /* vasprintf */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "journal_parts.h"
#include "pelsim/memory.h"

enum { LOG, HEARTBEAT, RUN, CSV, NFILES };
static const char *const names[NFILES] = {"run.log", "heartbeat.json", "run.json",
                                          "diagnostics.csv"};

struct pel__journal {
  pel__run_facts f; /* strings owned */
  pel__meter meter;
  pel__csv csv;
  json_t *run;
  int log;           /* run.log; -1: not open */
  bool told[NFILES]; /* trouble with this file has been reported */
  bool terminal;     /* draw the progress line */
  bool talk;         /* log lines on stdout */
  bool drawn;        /* the line is on the screen now */
  double next, next_line, next_beat;
};

static double monotonic(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double epoch(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- the terminal ---- */

/* Columns of the terminal, 0 if there is none.  Open MPI gives every rank a pseudo-terminal; only
 * its width, passed on from the terminal of mpirun if there is one, tells whether somebody looks.
 */
static int terminal_columns(void) {
  const char *given = getenv("PELSIM_COLUMNS"), *kind = getenv("TERM");
  struct winsize w = {0};
  if (given && *given) return atoi(given);
  if (!isatty(STDOUT_FILENO) || (kind && strcmp(kind, "dumb") == 0)) return 0;
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) ? 0 : w.ws_col;
}

static void erase(pel__journal *j) {
  if (j->drawn) fputs("\r\033[K", stdout);
  j->drawn = false;
}

static void draw(pel__journal *j) {
  char line[512];
  int columns = terminal_columns();
  if (columns <= 0) columns = 80;
  /* One column stays free: some terminals wrap when the last one is written. */
  pel__meter_line(&j->meter, line, sizeof line, columns > 10 ? columns - 1 : columns);
  printf("\r%s\033[K", line);
  fflush(stdout);
  j->drawn = true;
}

/* ---- what is said ---- */

static int log_text(pel__journal *j, const char *text) {
  char when[PEL__SHORT], *line = NULL;
  if (j->log < 0) return 0;
  pel__iso_time(when, time(NULL));
  const int n = asprintf(&line, "%s  %s\n", when, text);
  if (n < 0) return ENOMEM;
  const int code = pel__write_all(j->log, line, (size_t)n);
  free(line);
  return code;
}

static void print(pel__journal *j, const char *text) {
  const bool redraw = j->drawn;
  erase(j);
  printf("%s\n", text);
  if (redraw) draw(j);
  fflush(stdout);
}

/* Tells once that a file of the journal failed. */
static void trouble(pel__journal *j, int file, int code) {
  char text[300];
  if (!code || j->told[file]) return;
  j->told[file] = true;
  snprintf(text, sizeof text, "%s cannot be written: %s; the run goes on without it", names[file],
           strerror(code));
  print(j, text);
  if (file != LOG) log_text(j, text);
}

static void say(pel__journal *j, bool aloud, const char *text) {
  if (aloud) print(j, text);
  trouble(j, LOG, log_text(j, text));
}

void pel__journal_say(pel__journal *j, const char *fmt, ...) {
  va_list args;
  char *text = NULL;
  if (!j) return;
  va_start(args, fmt);
  const int n = vasprintf(&text, fmt, args);
  va_end(args);
  if (n < 0) return;
  say(j, true, text);
  free(text);
}

/* ---- files ---- */

typedef int replace(const char *dir, const char *name, const char *text, bool durable);

static void write_json(pel__journal *j, int file, json_t *document, int digits, replace *write) {
  char *text = json_dumps(document, JSON_INDENT(2) | JSON_REAL_PRECISION(digits));
  const bool durable = file == RUN; /* an fsync with each heartbeat would stall the ranks */
  trouble(j, file, text ? write(j->f.dir, names[file], text, durable) : ENOMEM);
  free(text);
}

static void beat(pel__journal *j, const char *state, replace *write) {
  json_t *h = pel__heartbeat_json(&j->meter, state, epoch());
  write_json(j, HEARTBEAT, h, 15, write);
  json_decref(h);
}

/* How the run ended must be known even if the disk is full by then: room for the outcome, with
 * reason, paths and phases, is taken now.  On a disk that is full already there is none to take. */
static void reserve_end(pel__journal *j) {
  char *text = json_dumps(j->run, JSON_INDENT(2));
  const size_t outcome = 48 << 10, heartbeat = 4 << 10;
  pel__reserve_file(j->f.dir, names[RUN], (text ? strlen(text) : 0) + outcome);
  pel__reserve_file(j->f.dir, names[HEARTBEAT], heartbeat);
  free(text);
}

static bool goes_on(const pel__run_facts *f) { return f->resumed_from || f->again; }

static void open_log(pel__journal *j) {
  const int how = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (goes_on(&j->f) ? 0 : O_TRUNC);
  char *path = pel__path(j->f.dir, names[LOG]);
  j->log = path ? open(path, how, 0666) : -1;
  if (j->log < 0) trouble(j, LOG, errno);
  free(path);
}

static const char *copy(const char *s) { return s ? pel_strdup(s) : NULL; }

static void copy_strings(pel__run_facts *f) {
  const char **const strings[] = {&f->dir,   &f->config_path, &f->config_json, &f->model,
                                  &f->title, &f->version,     &f->resumed_from};
  for (int i = 0; i < PEL_N(strings); ++i) *strings[i] = copy(*strings[i]);
}

static void free_strings(pel__run_facts *f) {
  const char *const strings[] = {f->dir,   f->config_path, f->config_json, f->model,
                                 f->title, f->version,     f->resumed_from};
  for (int i = 0; i < PEL_N(strings); ++i) free((void *)strings[i]);
}

pel__journal *pel__journal_open(const pel__run_facts *f) {
  pel__journal *j = pel_calloc(1, sizeof *j);
  const double now = monotonic();
  j->f = *f;
  copy_strings(&j->f);
  j->csv.fd = -1;
  j->terminal = f->progress == PEL_PROGRESS_ALWAYS ||
                (f->progress == PEL_PROGRESS_AUTO && terminal_columns() > 0);
  j->talk = !j->terminal && f->progress != PEL_PROGRESS_NEVER;
  pel__meter_start(&j->meter, f, now);
  j->next_beat = now + 1;
  open_log(j);

  json_t *earlier = goes_on(f) ? pel__run_json_earlier(f->dir) : NULL;
  j->run = pel__run_json(&j->f, time(NULL), earlier);
  json_decref(earlier);
  char line[600];
  snprintf(line, sizeof line, "pelsim %s: %s, %d ranks x %d threads on %d node%s, pid %ld%s%s",
           f->version ? f->version : "?", f->model ? f->model : "?", f->ranks, f->threads, f->nodes,
           f->nodes == 1 ? "" : "s", (long)getpid(), f->resumed_from ? ", resumed from " : "",
           f->resumed_from ? f->resumed_from : "");
  say(j, false, line);
  write_json(j, RUN, j->run, 17, pel__replace_file);
  beat(j, "running", pel__replace_file);
  reserve_end(j);
  return j;
}

/* ---- the run goes on ---- */

void pel__journal_step(pel__journal *j, int64_t step, double time, double dt) {
  (void)dt;
  if (!j) return;
  const double now = monotonic();
  if (now < j->next) {
    j->meter.step = step;
    j->meter.time = time;
    return;
  }
  j->next = now + .05;
  pel__meter_update(&j->meter, step, time, now);
  if (j->terminal && now >= j->next_line) {
    draw(j);
    j->next_line = now + .2;
  }
  if (pel__meter_log_due(&j->meter, now)) {
    char line[300];
    pel__meter_log_line(&j->meter, line, sizeof line);
    say(j, j->talk, line);
  }
  if (now >= j->next_beat) {
    beat(j, "running", pel__replace_file);
    j->next_beat = now + 1;
  }
}

int pel__journal_columns(pel__journal *j, int n, const char *const *columns,
                         const char *const *units, bool resume, int64_t step, pel_error *e) {
  char aside[64];
  if (!j) return PEL_OK;
  const int code = pel__csv_open(&j->csv, j->f.dir, n, columns, resume, step, aside, e);
  if (*aside) pel__journal_say(j, "diagnostics.csv had other columns: it is kept as %s", aside);
  /* A row of units would spoil the file for most readers, so they stand in run.json. */
  json_t *list = json_array();
  for (int i = 0; i < n; ++i)
    json_array_append_new(
        list, json_pack("{s:s?, s:s?}", "name", columns[i], "unit", units ? units[i] : NULL));
  json_object_set_new(j->run, "diagnostics", list);
  json_object_set_new(j->run, "time_unit", json_string(j->f.time_name ? j->f.time_name : "s"));
  write_json(j, RUN, j->run, 17, pel__replace_file);
  return code;
}

void pel__journal_row(pel__journal *j, int64_t step, double time, double dt, const double *x) {
  if (!j) return;
  const double unit = j->f.time_unit > 0 ? j->f.time_unit : 1;
  trouble(j, CSV, pel__csv_row(&j->csv, step, time / unit, dt / unit, x));
}

void pel__journal_sync(pel__journal *j) {
  if (j) trouble(j, CSV, pel__csv_sync(&j->csv));
}

int64_t pel__journal_lost(const pel__journal *j) { return j ? j->csv.lost : 0; }

/* ---- the end ---- */

/* Prints a text of several lines and logs each of them. */
static void say_lines(pel__journal *j, char *text) {
  for (char *next; text && *text; text = next) {
    next = strchr(text, '\n');
    if (next) *next++ = 0;
    say(j, true, text);
  }
}

static void say_table(pel__journal *j, const pel__run_result *r) {
  char *text = NULL;
  size_t size;
  FILE *f = open_memstream(&text, &size);
  if (!f) return;
  pel__report(f, &j->f, r);
  fclose(f);
  say_lines(j, text);
  free(text);
}

/* Whether the same run, resumed, could get further: not one whose numbers went wrong, for they
 * would again, nor one that failed before its first step. */
static bool can_go_on(const pel__journal *j, const pel__run_result *r) {
  if (r->resume_from) return *r->resume_from;
  return r->exit_code == PEL_STOPPED ||
         (r->exit_code != PEL_INVALID && (r->steps_done > 0 || !j->f.resumed_from));
}

/* How the run ended and what can be done next. */
static void say_outcome(pel__journal *j, const pel__run_result *r) {
  char at[PEL__SHORT], command[20000];
  pel__model_time(at, r->time, j->f.time_name);
  if (j->csv.lost)
    pel__journal_say(j, "diagnostics.csv lacks %" PRId64 " rows that could not be written",
                     j->csv.lost);
  if (r->exit_code == PEL_OK && r->cause) { /* as far as --steps went */
    char last[40] = "";
    if (j->f.last_step >= 0) snprintf(last, sizeof last, " of %" PRId64, j->f.last_step);
    pel__journal_say(j, "stopped at step %" PRId64 "%s (%s), as --steps says", r->step, last, at);
    pel__resume_command(command, sizeof command, j->run, j->f.dir, NULL);
    if (r->checkpoint) pel__journal_say(j, "continue with: %s", command);
  }
  if (r->exit_code == PEL_OK) {
    if (r->open_next && access(r->open_next, R_OK) == 0)
      pel__journal_say(j, "open next     %s", r->open_next);
    return;
  }
  if (r->checkpoint) {
    pel__journal_say(j, "newest checkpoint: %s", r->checkpoint);
  }
  if (r->checkpoint && can_go_on(j, r)) {
    pel__resume_command(command, sizeof command, j->run, j->f.dir, r->resume_from);
    pel__journal_say(j, "continue with: %s", command);
  }
  char *why = NULL;
  if (asprintf(&why, "%s at step %" PRId64 " (%s): %s", pel__state_name(r->exit_code), r->step, at,
               r->why ? r->why : "no reason was given") < 0)
    return;
  if (r->exit_code == PEL_STOPPED) {
    say(j, true, why);
  } else {
    fflush(stdout);
    fprintf(stderr, "pelsim: %s\n", why);
    say(j, false, why);
  }
  free(why);
}

void pel__journal_close(pel__journal *j, const pel__run_result *r) {
  if (!j) return;
  pel__meter_update(&j->meter, r->step, r->time, monotonic());
  if (j->drawn) {
    erase(j);
    fflush(stdout);
  }
  pel__run_json_finish(j->run, &j->f, r, time(NULL));
  write_json(j, RUN, j->run, 17, pel__replace_reserved);
  beat(j, pel__state_name(r->exit_code), pel__replace_reserved);
  say_table(j, r);
  say_outcome(j, r);
  if (r->exit_code == PEL_OK) {
    char line[40];
    snprintf(line, sizeof line, "fingerprint: %016" PRIx64, r->fingerprint);
    say(j, true, line);
  }
  fflush(stdout);
  pel__csv_close(&j->csv);
  if (j->log >= 0) close(j->log);
  json_decref(j->run);
  free_strings(&j->f);
  free(j);
}
