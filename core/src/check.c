/* pelsim check: what can be known before a run. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "dynamics.h"
#include "events.h"
#include "particle_output.h"
#include "start.h"

typedef struct {
  double memory, output, checkpoint; /* bytes: a rank, a record, a file */
  double records;                    /* output records; NAN: by steps */
  double step, *limit;               /* [s] */
  char advice[500];                  /* on ranks, threads and cores; "": all is well */
  const char *from;                  /* where a resumed run begins; NULL: at step 0 */
  char complete[5000];               /* why it does not; "": it does */
} estimate;

/* While blocks move, the old fields and the new ones are there. */
static double bytes_of(const pel_sim *s, const pel__block *b) {
  const bool twice = pel__balance_possible(s->layout, s->set.parallel.balance_every);
  double n = 0;
  for (const pel__var *v = s->vars; v < s->vars + s->nvars; ++v)
    if (v->stored) n += (double)b->size * pel__state_slots(s, v);
  return (twice ? 2 : 1) * n * sizeof(double);
}

static double bytes_here(const pel_sim *s) {
  double n = 0;
  if (s->dynamics) return pel__dynamics_bytes(s);
  for (int b = 0; b < s->layout->nlocal; ++b)
    n += bytes_of(s, &s->layout->block[s->layout->first + b]);
  return n;
}

/* Of the state that the run would begin with. */
static estimate look(pel_sim *s) {
  estimate x = {.limit = pel_alloc(s, (size_t)(s->model->nlimits + 1) * sizeof(double))};
  const double cells =
      (double)s->grid.axis[0].n * (double)s->grid.axis[1].n * (double)s->grid.axis[2].n;
  const double mine = bytes_here(s);
  int arrays = 0, state = 0;
  MPI_Allreduce(&mine, &x.memory, 1, MPI_DOUBLE, MPI_MAX, s->comm);
  x.step = s->scheme ? pel__measure_limits(s, x.limit) : INFINITY;
  if (!s->dynamics) pel__outputs_compute(s, &arrays);
  free(pel__state_arrays(s, &state));
  x.output = s->dynamics ? pel__trajectory_bytes(s)
                         : cells * arrays * (s->set.output.precision == 1 ? 4 : 8);
  x.checkpoint = cells * state * 8;
  x.records = s->set.output.interval > 0 && s->set.time.end > 0
                  ? floor(s->set.time.end / s->set.output.interval) + 1
              : s->set.output.every > 0 && s->set.time.steps > 0
                  ? (double)(s->set.time.steps / s->set.output.every + 1)
              : s->set.output.interval > 0 || s->set.output.every > 0 ? NAN
                                                                      : 0;
  if (!pel__machine_advice(&s->machine, s->threads, x.advice, sizeof x.advice)) *x.advice = 0;
  return x;
}

static void print_bytes(const char *what, double bytes) {
  static const char *const unit[] = {"B", "kB", "MB", "GB", "TB", "PB"};
  int u = 0;
  for (; bytes >= 1000 && u < 5; ++u) bytes /= 1000;
  printf("%-22s %.3g %s\n", what, bytes, unit[u]);
}

static double step_of(const pel_sim *s, const estimate *x) {
  return s->set.time.dt > 0 ? s->set.time.dt : pel__auto_dt(s, x->step);
}

static void print_grid(const pel_sim *s) {
  printf("%-22s", "grid");
  for (int a = 0; a < s->grid.dims; ++a)
    printf("%s%ld %s", a ? " x " : " ", (long)s->grid.axis[a].n, s->grid.axis[a].name);
}

static void print_particles(const pel_sim *s) {
  const pel__dynamics *d = s->dynamics;
  printf("%-22s %ld of %d type%s\n%-22s ", "particles", (long)d->box.n, d->box.ntypes,
         d->box.ntypes > 1 ? "s" : "", "box");
  for (int a = 0; a < d->box.dims; ++a)
    printf("%s%.6g%s", a ? " x " : "", d->p.domain.length[a],
           d->p.domain.walled[a] ? " (walls)" : "");
  printf(", %.6g particles a unit of %s\n%-22s %g, and a margin of %.3g for lists",
         (double)d->box.n / pel__domain_volume(&d->p.domain), d->box.dims == 2 ? "area" : "volume",
         "cut-off", d->cutoff, d->list.skin);
}

/* Model time in the model's unit. */
static const char *time_of(const pel_sim *s, double seconds, char text[48]) {
  const char *unit = s->dynamics ? pel__dynamics_time_name(s) : "s";
  snprintf(text, 48, "%.10g %s", seconds / (s->dynamics ? s->dynamics->time_unit : 1), unit);
  return text;
}

static void print_text(const pel_sim *s, const estimate *x) {
  char text[48];
  const pel__layout *l = s->layout;
  printf("%-22s %s: %s\n", "model", s->model->name, s->model->doc);
  if (s->dynamics)
    print_particles(s);
  else
    print_grid(s);
  printf("\n%-22s %d rank%s x %d thread%s; %d block%s (%d x %d x %d)\n", "layout", s->nranks,
         s->nranks > 1 ? "s" : "", s->threads, s->threads > 1 ? "s" : "", l->nblocks,
         l->nblocks > 1 ? "s" : "", l->nb[0], l->nb[1], l->nb[2]);
  print_bytes("memory a rank", x->memory);
  if (x->records != 0) print_bytes("an output record", x->output);
  if (x->records > 0) print_bytes("all output", x->output * x->records);
  print_bytes("a checkpoint", x->checkpoint);
  if (x->from)
    printf("%-22s step %ld, %s, from %s\n", "begins at", (long)s->step, time_of(s, s->time, text),
           x->from);
  if (s->scheme) printf("%-22s %s (%s)\n", "time scheme", s->scheme->name, s->scheme->cite);
  for (int i = 0; s->scheme && i < s->model->nlimits; ++i)
    if (isfinite(x->limit[i]))
      printf("%-22s %.6g s (%s)\n", i ? "" : "time-step limits", x->limit[i],
             s->model->limits[i].name);
  if (s->set.time.dt > 0)
    printf("%-22s %s%s\n", "time step", time_of(s, s->set.time.dt, text),
           s->set.time.dt > x->step ? ": exceeds the limit, expect it to become unstable" : "");
  else
    printf("%-22s %.6g s at %s (cfl %g%s)\n", "time step", step_of(s, x),
           x->from ? "that step" : "the start", s->set.time.cfl,
           step_of(s, x) < s->set.time.cfl * x->step ? ", shortened to dt_max" : "");
  if (*x->advice) printf("%-22s %s\n", "advice", x->advice);
  if (*x->complete) printf("%-22s nothing: %s\n", "left to do", x->complete);
}

static void print_json(const pel_sim *s, const estimate *x) {
  json_t *grid = json_array(), *limits = json_object();
  for (int a = 0; a < s->grid.dims; ++a)
    json_array_append_new(grid, json_integer(s->grid.axis[a].n));
  for (int i = 0; s->scheme && i < s->model->nlimits; ++i)
    if (isfinite(x->limit[i]))
      json_object_set_new(limits, s->model->limits[i].name, json_real(x->limit[i]));
  json_t *j = json_pack(
      "{s:s, s:o, s:i, s:i, s:i, s:f, s:f, s:f, s:s, s:o, s:f}", "model", s->model->name, "grid",
      grid, "ranks", s->nranks, "threads", s->threads, "blocks", s->layout->nblocks,
      "memory_a_rank", x->memory, "output_record", x->output, "checkpoint", x->checkpoint, "scheme",
      s->scheme ? s->scheme->name : "its own", "limits", limits, "dt", step_of(s, x));
  if (x->records >= 0) json_object_set_new(j, "output_records", json_real(x->records));
  if (*x->advice) json_object_set_new(j, "advice", json_string(x->advice));
  if (x->from)
    json_object_set_new(
        j, "resume",
        json_pack("{s:s, s:I, s:f, s:b}", "from", x->from, "step", (json_int_t)s->step, "time",
                  s->time, "complete", *x->complete != 0));
  json_dumpf(j, stdout, JSON_INDENT(2));
  printf("\n");
  json_decref(j);
}

/* The state that a run would begin with, without making or moving a file. */
static int begin(pel__records *r, const pel_request *q, pel_error *e) {
  if (r->s->rank == 0 && q->resume && !*q->resume) pel__rundir_resumable(r->s->dir, e);
  if (!pel__agree_error(r->s->comm, e) && pel__continues(r->s, q)) pel__record_appendable(r, e);
  if (!e->code) pel__start(r, q, true, e);
  return e->code;
}

int pel_check(MPI_Comm comm, const pel_host *host, const pel_request *q, bool json) {
  int code;
  pel_error e = {0};
  pel_sim *s = pel__sim_create(comm, host, q, &code);
  if (!s) return code;
  pel__run_directory(&s->set, q, s->dir, sizeof s->dir);
  pel__records r = pel__records_of(s);
  if (!begin(&r, q, &e)) {
    estimate x = look(s);
    if (q->resume) {
      x.from = r.checkpoint;
      pel__complete(&r, pel__continues(s, q), x.complete, sizeof x.complete);
    }
    if (s->scheme) pel__check_dt(s, x.step, &e);
    if (s->rank == 0 && !e.code) json ? print_json(s, &x) : print_text(s, &x);
  }
  if (s->rank == 0 && e.code) fprintf(stderr, "pelsim: %s\n", e.text);
  pel__sim_destroy(s);
  return e.code;
}

/* Of the rank that has the most. */
static double most_bytes(const pel_sim *s) {
  const pel__layout *l = s->layout;
  double most = 0, n = 0;
  for (int b = 0; b < l->nblocks; ++b) { /* a rank's blocks are neighbours in the list */
    n = b > 0 && l->block[b].rank == l->block[b - 1].rank ? n : 0;
    n += bytes_of(s, &l->block[b]);
    most = fmax(most, n);
  }
  return most;
}

int pel_estimate(const pel_host *host, const pel_request *q, int ranks, double *bytes) {
  int code;
  pel_error e = {0};
  pel_sim *s = pel__sim_outline(host, q, ranks, &code);
  if (!s) return code;
  if (s->dynamics)
    pel__dynamics_outline(s, ranks, bytes, &e);
  else
    *bytes = most_bytes(s);
  if (e.code) fprintf(stderr, "pelsim: %s: %s\n", q->config, e.text);
  pel__sim_destroy(s);
  return e.code;
}
