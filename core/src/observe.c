/* A run from outside: what its directory tells whoever watches it, how a run that broke off ended,
 * and whether to resume it is worthwhile. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "journal_parts.h"

/* Of a file that is always replaced, never changed. */
static uint64_t stamp(const char *dir, const char *name) {
  struct stat s;
  char *path = pel__path(dir, name);
  const bool there = path && stat(path, &s) == 0;
  free(path);
  if (!there) return 0;
  return (uint64_t)s.st_ino * 0x9e3779b97f4a7c15u ^
         ((uint64_t)s.st_mtim.tv_sec * 1000000000u + (uint64_t)s.st_mtim.tv_nsec);
}

static int64_t integer_of(const json_t *object, const char *key) {
  return (int64_t)json_integer_value(json_object_get(object, key));
}

uint64_t pel_heartbeats(const char *dir) { return stamp(dir, "heartbeat.json"); }

pel_observation pel_observe(const char *dir) {
  pel_observation o = {.checkpoint = pel__rundir_newest(dir), .stamp = stamp(dir, "run.json")};
  char newest[64];
  snprintf(newest, sizeof newest, "checkpoints/step_%09" PRId64 ".h5", o.checkpoint);
  if (o.checkpoint >= 0) o.saved = stamp(dir, newest);
  json_t *run = pel__run_json_load(dir), *beat = pel__json_load(dir, "heartbeat.json");
  snprintf(o.state, sizeof o.state, "%s", pel__json_string(run, "state", ""));
  snprintf(o.cause, sizeof o.cause, "%s",
           pel__json_string(json_object_get(run, "exit"), "cause", ""));
  const json_t *code = json_object_get(json_object_get(run, "exit"), "code");
  o.code = json_is_integer(code) ? (int)json_integer_value(code) : -1;
  o.complete = pel__run_json_complete(run);
  o.first_step = integer_of(run, "first_step");
  o.step = integer_of(beat, "step");
  json_decref(run);
  json_decref(beat);
  return o;
}

/* ---- how it ended ---- */

static void rewrite(const char *dir, const char *name, json_t *document, int digits) {
  char *text = json_dumps(document, JSON_INDENT(2) | JSON_REAL_PRECISION(digits));
  /* In the space that the run took for it; if that fails the next look says "killed" all the same.
   */
  if (text) (void)pel__replace_reserved(dir, name, text, true);
  free(text);
}

/* How far it got: what the last heartbeat said, or the newest checkpoint, which may be later. */
static void note_progress(json_t *run, const json_t *beat, const char *dir) {
  const int64_t saved = pel__rundir_newest(dir);
  for (const char *const *key = (const char *const[]){"step", "time", NULL}; *key; ++key) {
    json_t *value = json_object_get(beat, *key);
    if (value) json_object_set(run, *key, value);
  }
  if (saved > integer_of(run, "step")) json_object_set_new(run, "step", json_integer(saved));
}

json_t *pel__run_json_earlier(const char *dir) {
  json_t *run = pel__run_json_load(dir);
  if (strcmp(pel__json_string(run, "state", ""), "running")) return run;
  json_t *beat = pel__json_load(dir, "heartbeat.json");
  note_progress(run, beat, dir);
  json_object_set_new(run, "state", json_string("killed"));
  json_decref(beat);
  return run;
}

void pel_note_end(const char *dir, int code, const char *why) {
  char now[PEL__SHORT];
  json_t *run = pel__run_json_load(dir), *beat = pel__json_load(dir, "heartbeat.json");
  const char *state = pel__json_string(run, "state", "");
  /* Ranks that hung may have come to a stop in the end: that was not why. */
  const bool stopped =
      strcmp(state, "stopped") == 0 &&
      strcmp(pel__json_string(json_object_get(run, "exit"), "cause", ""), "signal") == 0;
  if (strcmp(state, "running") == 0 || stopped) {
    pel__iso_time(now, time(NULL));
    json_object_set_new(run, "state", json_string("killed"));
    json_object_set_new(run, "ended", json_string(now));
    json_object_set_new(run, "exit",
                        json_pack("{s:i, s:o}", "code", code, "reason", pel__json_text(why)));
    note_progress(run, beat, dir);
    rewrite(dir, "run.json", run, 17);
    if (beat) {
      json_object_set_new(beat, "state", json_string("killed"));
      rewrite(dir, "heartbeat.json", beat, 15);
    }
  }
  json_decref(run);
  json_decref(beat);
}

void pel_note_restart(const char *dir, double seconds) {
  char host[256] = "?";
  json_t *run = pel__run_json_load(dir);
  if (!run) return;
  gethostname(host, sizeof host - 1);
  json_object_set_new(run, "restart",
                      json_pack("{s:f, s:I, s:o}", "due_epoch", (double)time(NULL) + seconds, "pid",
                                (json_int_t)getpid(), "host", pel__json_text(host)));
  rewrite(dir, "run.json", run, 17);
  json_decref(run);
}

double pel__restart_due(const json_t *run, long *pid) {
  const json_t *restart = json_object_get(run, "restart");
  char host[256] = "?";
  gethostname(host, sizeof host - 1);
  *pid = (long)integer_of(restart, "pid");
  if (*pid <= 0 || strcmp(pel__json_string(restart, "host", ""), host)) return NAN;
  if (kill((pid_t)*pid, 0) && errno == ESRCH) return NAN;
  return fmax(json_number_value(json_object_get(restart, "due_epoch")) - (double)time(NULL), 0);
}

bool pel__run_json_complete(const json_t *run) {
  return strcmp(pel__json_string(run, "state", ""), "done") == 0 &&
         strcmp(pel__json_string(json_object_get(run, "exit"), "cause", ""), "steps");
}

/* ---- is it worthwhile to go on? ---- */

enum {
  FRUITLESS = 3
}; /* that many invocations that began where the run still is, and it is stuck */

/* Invocations, from the newest back, that left no newer checkpoint than they began with. */
static int fruitless(const json_t *run, int64_t checkpoint) {
  const json_t *history = json_object_get(run, "history");
  const int64_t reached = checkpoint > 0 ? checkpoint : 0;
  int n = 0;
  if (integer_of(run, "first_step") != reached) return 0;
  for (size_t i = json_array_size(history); ++n, i-- > 0;)
    if (integer_of(json_array_get(history, i), "first_step") != reached) break;
  return n;
}

/* Why it is not; NULL: it is. */
static const char *reason_against(const char *dir, const json_t *run) {
  const json_t *outcome = json_object_get(run, "exit");
  const char *state = pel__json_string(run, "state", "");
  const int64_t code = integer_of(outcome, "code");
  long pid;
  if (pel__run_json_complete(run)) return "it is complete";
  if (strcmp(state, "running") == 0 && pel__rundir_held(dir)) return "it is running";
  if (!isnan(pel__restart_due(run, &pid))) return "its supervisor is about to start it again";
  if (strcmp(pel__json_string(outcome, "cause", ""), "file") == 0)
    return "somebody stopped it by the file STOP";
  if (strcmp(state, "failed") || code == PEL_INTERNAL) return NULL;
  return code == PEL_INVALID ? "its numbers went wrong, and would again"
         : code == PEL_IO    ? "a file could not be read or written, which has to be mended first"
                             : "what failed would fail again";
}

int pel_resumable(const char *dir, char *why, size_t size) {
  struct stat s;
  json_t *run = pel__run_json_load(dir);
  const int64_t checkpoint = pel__rundir_newest(dir);
  const int stuck = fruitless(run, checkpoint);
  const char *no = reason_against(dir, run);
  int code = PEL_DIFFERS, closed;
  if (stat(dir, &s) || !S_ISDIR(s.st_mode)) {
    code = PEL_IO;
    snprintf(why, size, "%s is no directory", dir);
  } else if ((closed = pel__rundir_closed(dir))) {
    code = PEL_IO;
    snprintf(why, size, "%s cannot be looked into: %s", dir, strerror(closed));
  } else if (!run && stamp(dir, "run.json")) {
    code = PEL_IO;
    snprintf(why, size, "%s/run.json is damaged: what it tells of the run cannot be read", dir);
  } else if (no) {
    snprintf(why, size, "%s: not to be resumed: %s", dir, no);
  } else if (stuck >= FRUITLESS) {
    snprintf(why, size,
             "%s: not to be resumed: the last %d attempts left no checkpoint beyond step %" PRId64,
             dir, stuck, checkpoint > 0 ? checkpoint : 0);
  } else {
    code = PEL_OK;
    if (checkpoint < 0)
      snprintf(why, size, "%s: to be begun anew: it left no checkpoint", dir);
    else
      snprintf(why, size, "%s: to be resumed from step %" PRId64, dir, checkpoint);
  }
  json_decref(run);
  return code;
}
