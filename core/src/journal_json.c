/* run.json, the summary of a run and of the invocations before it, and heartbeat.json. */
#include <inttypes.h>
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "journal_parts.h"
#include "pelsim/memory.h"

/* JSON has neither NaN nor infinity; what is not known is null. */
static json_t *real(double x) { return isfinite(x) ? json_real(x) : json_null(); }
const char *pel__json_string(const json_t *object, const char *key, const char *otherwise) {
  const char *s = json_string_value(json_object_get(object, key));
  return s ? s : otherwise;
}

json_t *pel__json_text(const char *s) {
  if (!s) return json_null();
  json_t *t = json_string(s);
  if (t) return t;
  char *plain = pel_strdup(s); /* not UTF-8 */
  for (char *p = plain; *p; ++p)
    if (*p & 0x80) *p = '?';
  t = json_string(plain);
  free(plain);
  return t ? t : json_null();
}

static void put(json_t *o, const char *key, json_t *value) { json_object_set_new(o, key, value); }
static void put_time(json_t *o, const char *key, time_t t) {
  char iso[PEL__SHORT];
  pel__iso_time(iso, t);
  put(o, key, pel__json_text(iso));
}

const char *pel__state_name(int exit_code) {
  return exit_code == PEL_OK ? "done" : exit_code == PEL_STOPPED ? "stopped" : "failed";
}

static json_t *versions(const pel__run_facts *f) {
  char mpi[MPI_MAX_LIBRARY_VERSION_STRING];
  int length = 0;
  json_t *v = json_object();
  MPI_Get_library_version(mpi, &length);
  mpi[strcspn(mpi, ",\n")] = 0;
  put(v, "pelsim", pel__json_text(f->version));
  put(v, "mpi", pel__json_text(mpi));
  put(v, "compiler", pel__json_text(__VERSION__));
  put(v, "jansson", pel__json_text(JANSSON_VERSION));
  return v;
}

static json_t *host(void) {
  struct utsname u;
  json_t *h = json_object();
  if (uname(&u)) return h;
  put(h, "name", pel__json_text(u.nodename));
  put(h, "system", pel__json_text(u.sysname));
  put(h, "release", pel__json_text(u.release));
  put(h, "machine", pel__json_text(u.machine));
  return h;
}

static json_t *layout(const pel__run_facts *f) {
  json_t *l = json_object();
  put(l, "ranks", json_integer(f->ranks));
  put(l, "threads", json_integer(f->threads));
  put(l, "nodes", json_integer(f->nodes));
  put(l, "blocks", json_integer(f->blocks));
  put(l, f->particles ? "atoms" : "cells", json_integer(f->cells));
  return l;
}

/* What is kept of an earlier invocation. */
static json_t *history(const json_t *earlier) {
  static const char *const kept[] = {"state",      "started",  "ended", "resumed_from",
                                     "first_step", "step",     "time",  "layout",
                                     "host",       "versions", "exit",  "fingerprint"};
  json_t *before = json_object_get(earlier, "history");
  json_t *list = json_is_array(before) ? json_copy(before) : json_array();
  if (!earlier) return list;
  json_t *entry = json_object();
  for (int i = 0; i < PEL_N(kept); ++i) {
    json_t *value = json_object_get(earlier, kept[i]);
    if (value) json_object_set(entry, kept[i], value);
  }
  json_array_append_new(list, entry);
  return list;
}

json_t *pel__run_json(const pel__run_facts *f, time_t started, const json_t *earlier) {
  char place[4096];
  json_t *run = json_object();
  json_t *config = f->config_json ? json_loads(f->config_json, 0, NULL) : NULL;
  put(run, "model", pel__json_text(f->model));
  put(run, "title", pel__json_text(f->title));
  put(run, "state", pel__json_text("running"));
  put_time(run, "started", started);
  put(run, "ended", json_null());
  put(run, "pid", json_integer(getpid()));
  put(run, "config_path", pel__json_text(f->config_path));
  put(run, "given", pel__json_text(getenv("PELSIM_GIVEN")));
  put(run, "started_in", pel__json_text(getcwd(place, sizeof place)));
  put(run, "resumed_from", pel__json_text(f->resumed_from));
  put(run, "first_step", json_integer(f->first_step));
  put(run, "last_step", f->last_step >= 0 ? json_integer(f->last_step) : json_null());
  put(run, "start_time", real(f->start_time));
  put(run, "end_time", f->end_time > 0 ? real(f->end_time) : json_null());
  put(run, "step", json_integer(f->first_step));
  put(run, "time", real(f->start_time));
  put(run, "layout", layout(f));
  put(run, "host", host());
  put(run, "versions", versions(f));
  put(run, "config", config ? config : pel__json_text(f->config_json));
  put(run, "history", history(earlier));
  return run;
}

static json_t *averages(const pel__run_result *r) {
  json_t *all = json_object();
  for (int i = 0; i < r->naverages; ++i) {
    const pel__average *a = &r->averages[i];
    json_t *one = json_object();
    put(one, "value", real(a->value));
    put(one, "error", real(a->error));
    put(one, "unit", pel__json_text(a->unit));
    put(one, "samples", json_integer(a->samples));
    put(all, a->name, one);
  }
  return all;
}

static json_t *timing(const pel__run_facts *f, const pel__run_result *r) {
  const bool timed = r->seconds > 0;
  json_t *t = json_object();
  put(t, "seconds", real(r->seconds));
  put(t, "steps", json_integer(r->steps_done));
  put(t, f->particles ? "atom_steps_per_s" : "cell_steps_per_s",
      timed ? real((double)f->cells * (double)r->steps_done / r->seconds) : json_null());
  if (f->spherical)
    put(t, "simulated_years_per_day",
        timed ? real(pel__sypd(r->time - f->start_time, r->seconds)) : json_null());
  put(t, "bytes", real(r->bytes));
  put(t, "bandwidth", r->bandwidth > 0 ? real(r->bandwidth) : json_null());
  put(t, "bandwidth_fraction",
      timed && r->bandwidth > 0 ? real(r->bytes / r->seconds / r->bandwidth) : json_null());
  put(t, "imbalance", real(pel__imbalance(r)));
  if (r->balance) {
    json_t *b = json_object();
    put(b, "moves", json_integer(r->balance->done.moves));
    put(b, "blocks_moved", json_integer(r->balance->done.blocks));
    put(b, "seconds", real(r->balance->done.seconds));
    put(t, "balance", b);
  }
  put(t, "other_programs", r->others >= 0 ? real(r->others) : json_null());
  return t;
}

static json_t *phases(const pel__run_result *r) {
  json_t *list = json_array();
  for (int i = 0; i < r->nphases; ++i) {
    json_t *p = json_object();
    put(p, "name", pel__json_text(r->phases[i].name));
    put(p, "min", real(r->phases[i].min));
    put(p, "mean", real(r->phases[i].mean));
    put(p, "max", real(r->phases[i].max));
    json_array_append_new(list, p);
  }
  return list;
}

void pel__run_json_finish(json_t *run, const pel__run_facts *f, const pel__run_result *r,
                          time_t ended) {
  char hex[17], advice[400];
  json_t *outcome = json_object();
  snprintf(hex, sizeof hex, "%016" PRIx64, r->fingerprint);
  pel__advice(advice, sizeof advice, f, r);
  put(outcome, "code", json_integer(r->exit_code));
  put(outcome, "reason", pel__json_text(r->why));
  if (r->cause) put(outcome, "cause", pel__json_text(r->cause));
  put(run, "state", pel__json_text(pel__state_name(r->exit_code)));
  put_time(run, "ended", ended);
  put(run, "step", json_integer(r->step));
  put(run, "time", real(r->time));
  put(run, "exit", outcome);
  put(run, "fingerprint", pel__json_text(hex));
  put(run, "checkpoint", pel__json_text(r->checkpoint));
  put(run, "timing", timing(f, r));
  put(run, "phases", phases(r));
  if (r->naverages) put(run, "averages", averages(r));
  put(run, "advice", pel__json_text(advice));
}

json_t *pel__heartbeat_json(const pel__meter *m, const char *state, double epoch) {
  char name[256] = "?";
  json_t *h = json_object();
  gethostname(name, sizeof name - 1);
  put(h, "state", pel__json_text(state));
  put(h, "step", json_integer(m->step));
  put(h, "time", real(m->time));
  put(h, "fraction", real(pel__meter_fraction(m)));
  put(h, "rate", m->steps_per_s > 0 ? real(pel__meter_cells_per_s(m)) : json_null());
  put(h, "steps_per_s", m->steps_per_s > 0 ? real(m->steps_per_s) : json_null());
  put(h, "eta_s", real(pel__meter_eta(m)));
  put(h, "pid", json_integer(getpid()));
  put(h, "host", pel__json_text(name));
  put_time(h, "updated", (time_t)epoch);
  put(h, "updated_epoch", real(epoch));
  return h;
}
