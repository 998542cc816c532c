/* pelsim status: how a run is, from what its directory tells. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "journal_parts.h"

typedef struct {
  const char *dir;
  json_t *run, *beat;
  bool held;             /* a process has the directory */
  double age;            /* [s] since the last heartbeat; NAN: there was none */
  int64_t checkpoint;    /* step of the newest; -1: none */
  double checkpoint_age; /* [s] */
  double eta;            /* [s]; NAN: not known */
  double due;            /* [s] until its supervisor starts it again; NAN: none does */
  long supervisor;
  char command[20000]; /* that resumes */
} status;

enum { SILENCE = 60 }; /* [s] without heartbeat that are worth a word; a step may take long */

/* "?" for what is not there. */
static const char *count_of(const json_t *object, const char *key, char text[PEL__SHORT]) {
  const json_t *x = json_object_get(object, key);
  if (!json_is_integer(x)) return "?";
  snprintf(text, PEL__SHORT, "%" PRId64, (int64_t)json_integer_value(x));
  return text;
}

static double number_of(const json_t *object, const char *key) {
  const json_t *x = json_object_get(object, key);
  return json_is_number(x) ? json_number_value(x) : NAN;
}

static double age_of(const char *path, double now) {
  struct stat s;
  return stat(path, &s) ? NAN : now - (double)s.st_mtim.tv_sec - 1e-9 * (double)s.st_mtim.tv_nsec;
}

static void name_checkpoint(const status *x, char *path, size_t size) {
  snprintf(path, size, "%s/checkpoints/step_%09" PRId64 ".h5", x->dir, x->checkpoint);
}

/* "running", and if so whether somebody really works on it. */
static bool is_running(const status *x) {
  return strcmp(pel__json_string(x->run, "state", ""), "running") == 0;
}

static const char *state_of(const status *x) {
  return is_running(x) && !x->held ? "killed" : pel__json_string(x->run, "state", "?");
}

static status look(const char *dir) {
  status x = {.dir = dir, .run = pel__run_json_load(dir), .checkpoint_age = NAN, .eta = NAN};
  struct timespec t;
  char path[5000];
  clock_gettime(CLOCK_REALTIME, &t);
  const double now = (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
  x.beat = pel__json_load(dir, "heartbeat.json");
  x.held = pel__rundir_held(dir);
  x.age = now - number_of(x.beat, "updated_epoch");
  x.checkpoint = pel__rundir_newest(dir);
  name_checkpoint(&x, path, sizeof path);
  if (x.checkpoint >= 0) x.checkpoint_age = age_of(path, now);
  if (is_running(&x) && x.held) x.eta = fmax(number_of(x.beat, "eta_s") - x.age, 0);
  x.due = pel__restart_due(x.run, &x.supervisor);
  pel__resume_command(x.command, sizeof x.command, x.run, dir, x.checkpoint < 0 ? "" : NULL);
  return x;
}

/* ---- for people ---- */

static void print_progress(FILE *out, const status *x) {
  const json_t *from = x->beat ? x->beat : x->run;
  const double time = number_of(from, "time"), fraction = number_of(x->beat, "fraction");
  char text[PEL__SHORT];
  fprintf(out, "%-12s step %s", "progress", count_of(from, "step", text));
  if (json_is_integer(json_object_get(x->run, "last_step")))
    fprintf(out, " of %s", count_of(x->run, "last_step", text));
  pel__model_time(text, isnan(time) ? 0 : time, pel__json_string(x->run, "time_unit", "s"));
  fprintf(out, ", %s", text);
  if (is_running(x) && !isnan(fraction)) fprintf(out, ", %.0f %%", 100 * fraction);
  if (is_running(x) && x->held && number_of(x->beat, "rate") > 0) {
    pel__human_count(text, number_of(x->beat, "rate"));
    const json_t *layout = json_object_get(x->run, "layout");
    fprintf(out, ", %s%s/s", text, json_object_get(layout, "atoms") ? "atom" : "cell");
  }
  fputc('\n', out);
}

static void print_life(FILE *out, const status *x) {
  char text[PEL__SHORT] = "?", pid[PEL__SHORT];
  if (!isnan(x->age)) pel__human_wait(text, x->age);
  if (x->held)
    fprintf(out, "%-12s yes: host %s, pid %s, last heartbeat %s ago%s\n", "alive",
            pel__json_string(x->beat, "host", "?"), count_of(x->beat, "pid", pid), text,
            x->age > SILENCE ? ": it may hang" : "");
  else if (is_running(x))
    fprintf(out, "%-12s no: nobody holds the directory, last heartbeat %s ago\n", "alive", text);
  if (!isnan(x->due) && !x->held) {
    pel__human_wait(text, x->due);
    fprintf(out, "%-12s in %s, by process %ld\n", "restart", text, x->supervisor);
  }
  if (isnan(x->eta)) return;
  char when[64];
  const time_t end = time(NULL) + (time_t)x->eta;
  struct tm local;
  pel__human_wait(text, x->eta);
  strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S %Z", localtime_r(&end, &local));
  fprintf(out, "%-12s in about %s, at %s\n", "ends", text, when);
}

static void print_checkpoint(FILE *out, const status *x) {
  char age[PEL__SHORT] = "?", path[5000];
  if (x->checkpoint < 0) {
    fprintf(out, "%-12s none%s%s\n", "checkpoint", x->held ? " yet" : "",
            pel__rundir_damaged(x->dir) ? "; damaged ones are set aside as checkpoints/*.bad" : "");
    return;
  }
  name_checkpoint(x, path, sizeof path);
  if (!isnan(x->checkpoint_age)) pel__human_wait(age, x->checkpoint_age);
  fprintf(out, "%-12s %s, %s old\n", "checkpoint", path, age);
}

static void print_history(FILE *out, const status *x) {
  const json_t *history = json_object_get(x->run, "history"), *entry;
  size_t i;
  char first[PEL__SHORT], last[PEL__SHORT];
  json_array_foreach(history, i, entry) {
    const json_t *outcome = json_object_get(entry, "exit");
    fprintf(out, "%-12s %s: steps %s to %s, %s%s%s\n", i ? "" : "before",
            pel__json_string(entry, "started", "?"), count_of(entry, "first_step", first),
            count_of(entry, "step", last), pel__json_string(entry, "state", "?"),
            pel__json_string(outcome, "reason", NULL) ? ": " : "",
            pel__json_string(outcome, "reason", ""));
  }
}

/* The command that resumes, for the directory in which the run was started. */
static void print_command(FILE *out, const status *x) {
  char here[4096] = "", there[20000] = "";
  const char *place = pel__json_string(x->run, "started_in", NULL);
  if (place && getcwd(here, sizeof here) && strcmp(here, place)) {
    pel_shell_word(there, sizeof there, place);
    fprintf(out, "cd %s && ", there);
  }
  fprintf(out, "%s\n", x->command);
}

/* What a script leaves alone, a person may know better. */
static bool may_go_on_all_the_same(const status *x) {
  const json_t *outcome = json_object_get(x->run, "exit");
  return strcmp(pel__json_string(outcome, "cause", ""), "file") == 0 ||
         json_integer_value(json_object_get(outcome, "code")) == PEL_IO;
}

static void print_outlook(FILE *out, const status *x) {
  char why[5200];
  const bool yes = pel_resumable(x->dir, why, sizeof why) == PEL_OK;
  if (!json_is_string(json_object_get(x->run, "config_path")) || x->held || !isnan(x->due) ||
      pel__run_json_complete(x->run))
    return;
  fprintf(out, "%-12s ", "next");
  if (!yes) fprintf(out, "%s", why + strlen(x->dir) + 2);
  if (!yes && may_go_on_all_the_same(x)) fprintf(out, "; then, or all the same: ");
  if (yes || may_go_on_all_the_same(x))
    print_command(out, x);
  else
    fputc('\n', out);
}

static void print_text(FILE *out, const status *x) {
  const json_t *outcome = json_object_get(x->run, "exit");
  const char *reason = strcmp(pel__json_string(outcome, "cause", ""), "steps")
                           ? pel__json_string(outcome, "reason", NULL)
                           : "as far as --steps went";
  fprintf(out, "%-12s %s\n", "run", x->dir);
  fprintf(out, "%-12s %s%s%s\n", "model", pel__json_string(x->run, "model", "?"),
          *pel__json_string(x->run, "title", "") ? ": " : "",
          pel__json_string(x->run, "title", ""));
  fprintf(out, "%-12s %s%s%s\n", "state", state_of(x), reason ? ": " : "", reason ? reason : "");
  print_progress(out, x);
  print_life(out, x);
  print_checkpoint(out, x);
  print_history(out, x);
  print_outlook(out, x);
}

/* ---- for programs ---- */

static json_t *real(double x) { return isnan(x) ? json_null() : json_real(x); }

static void print_json(FILE *out, const status *x) {
  char why[5200], path[5000];
  const bool resumable = pel_resumable(x->dir, why, sizeof why) == PEL_OK;
  static const char *const of_run[] = {"model", "last_step", "exit", "history", "fingerprint"},
                           *const of_beat[] = {"step", "time", "fraction", "rate", "host", "pid"};
  json_t *j =
      json_pack("{s:o, s:s, s:b, s:b, s:o}", "dir", pel__json_text(x->dir), "state", state_of(x),
                "alive", (int)x->held, "resumable", (int)resumable, "advice", pel__json_text(why));
  for (int i = 0; i < PEL_N(of_run); ++i) {
    json_t *value = json_object_get(x->run, of_run[i]);
    json_object_set(j, of_run[i], value ? value : json_null());
  }
  for (int i = 0; i < PEL_N(of_beat); ++i) {
    json_t *value = json_object_get(x->beat, of_beat[i]);
    json_object_set(j, of_beat[i], value ? value : json_null());
  }
  name_checkpoint(x, path, sizeof path);
  json_object_set_new(j, "heartbeat_age_s", real(x->age));
  json_object_set_new(j, "eta_s", real(x->eta));
  json_object_set_new(j, "restart_s", real(x->due));
  json_object_set_new(j, "checkpoint", x->checkpoint < 0 ? json_null() : pel__json_text(path));
  json_object_set_new(j, "checkpoint_age_s", real(x->checkpoint_age));
  json_object_set_new(j, "resume_command", pel__json_text(x->command));
  json_dumpf(j, out, JSON_INDENT(2));
  fputc('\n', out);
  json_decref(j);
}

int pel_status(FILE *out, const char *dir, bool json) {
  status x = look(dir);
  const int closed = pel__rundir_closed(dir);
  int code = PEL_OK;
  if (closed) {
    code = PEL_IO;
    fprintf(stderr, "pelsim: %s cannot be looked into: %s\n", dir, strerror(closed));
  } else if (!x.run) {
    code = PEL_IO;
    fprintf(stderr,
            "pelsim: %s holds no run: there is no run.json that can be read; name the "
            "directory that 'pelsim run' wrote to\n",
            dir);
  } else if (json) {
    print_json(out, &x);
  } else {
    print_text(out, &x);
  }
  json_decref(x.run);
  json_decref(x.beat);
  return code;
}
