/* The main loop: agree, diagnose, write, checkpoint, step. */
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis.h"
#include "control.h"
#include "dynamics.h"
#include "events.h"
#include "plan.h"
#include "start.h"

static volatile sig_atomic_t stop_signal;

void pel_request_stop(int sig) { stop_signal = sig; }

/* A wrong configuration is left to the run that follows, which reports all of it. */
int pel_peek(const pel_host *host, const pel_request *r, pel_prospect *p) {
  pel__settings set = {0};
  pel__binding b[PEL__NSETTINGS];
  pel_error e = {0};
  char *text;
  size_t length;
  if (pel__config_load(r->config, host->models, host->nmodels, &text, &length, &e)) {
    fprintf(stderr, "pelsim: %s\n", e.text);
    return e.code;
  }
  pel__config *c = pel__config_parse(r->config, text, length, r->overrides, r->noverrides);
  free(text);
  pel__settings_bindings(&set, b);
  pel__config_bind(c, b, PEL__NSETTINGS);
  p->ranks = (int)set.parallel.ranks;
  p->threads = (int)set.parallel.threads;
  p->hang_limit = set.run.hang_limit;
  pel__run_directory(&set, r, p->dir, sizeof p->dir);
  pel__config_destroy(c);
  return PEL_OK;
}

/* ---- the step's agreement ---- */

typedef enum { GO_ON, STOP_SIGNAL, STOP_FILE, STOP_WALLTIME } stop;

typedef struct {
  bool failed, nonfinite, save, output;
  stop stop;
} agreement;

/* The one reduction of a step: failure anywhere, signals, and what rank 0 is told by the clock and
 * by files. */
static agreement agree(pel__records *r, pel__control *c) {
  pel_sim *s = r->s;
  const double t0 = MPI_Wtime();
  pel__now_in(PEL__T_AGREE);
  pel__orders o = {false};
  if (s->rank == 0) o = pel__control_ask(c, s, r->checkpoint_cost);
  int x[5] = {atomic_load(&s->failed) != 0, s->nonfinite && s->set.diagnostics.nan_watch, o.save,
              o.output,
              o.late        ? STOP_WALLTIME
              : o.stop      ? STOP_FILE
              : stop_signal ? STOP_SIGNAL
                            : GO_ON};
  MPI_Allreduce(MPI_IN_PLACE, x, 5, MPI_INT, MPI_MAX, s->comm);
  s->seconds[PEL__T_AGREE] += MPI_Wtime() - t0;
  return (agreement){x[0], x[1], x[2], x[3], (stop)x[4]};
}

static void explain_failure(pel_sim *s, const agreement *a, pel_error *e) {
  if (a->failed) {
    pel_error mine = {0};
    if (s->dynamics && pel__dynamics_explain_forces(s, e)) return;
    if (atomic_load(&s->failed)) pel_error_set(&mine, atomic_load(&s->failed), "%s", s->failure);
    pel__agree_error(s->comm, &mine);
    pel_error_set(e, mine.code, "%s", mine.text);
  } else if (a->nonfinite) {
    if (s->dynamics)
      pel__dynamics_explain_nonfinite(s, e);
    else
      pel__find_nonfinite(s, e);
  }
}

/* ---- start ---- */

static void tell_limits(pel__records *r, pel_error *e) {
  pel_sim *s = r->s;
  const pel_model *m = s->model;
  double step[m->nlimits + 1];
  char when[40] = "at the start";
  const double least = pel__measure_limits(s, step);
  if (s->step > 0) snprintf(when, sizeof when, "at step %ld", (long)s->step);
  for (int i = 0; i < m->nlimits; ++i)
    if (isfinite(step[i]))
      pel__journal_say(r->journal, "time-step limit %s, %s: %.6g s", when, m->limits[i].name,
                       step[i]);
  if (!pel__check_dt(s, least, e) && s->set.time.dt > least)
    pel__journal_say(r->journal,
                     "warning: [time] dt = %g s exceeds the limit of %.6g s; expect the simulation "
                     "to become unstable",
                     s->set.time.dt, least);
}

static void open_journal(pel__records *r, const pel_request *q, bool resumed) {
  pel_sim *s = r->s;
  const int count = pel__measure_count(s);
  const char *name[count + 1], *unit[count + 1];
  char advice[500];
  pel_error e = {0};
  pel__measure_names(s, name, unit);
  const bool wrong = pel__machine_advice(&s->machine, s->threads, advice, sizeof advice);
  if (s->rank == 0) {
    r->journal = pel__journal_open(
        &(pel__run_facts){.dir = s->dir,
                          .config_path = q->config,
                          .config_json = s->config_json,
                          .model = s->model->name,
                          .title = s->set.run.title,
                          .version = s->host->version,
                          .resumed_from = q->resume ? r->checkpoint : NULL,
                          .ranks = s->nranks,
                          .threads = s->threads,
                          .nodes = s->machine.nodes,
                          .blocks = s->layout->nblocks,
                          .cells = s->grid.axis[0].n * s->grid.axis[1].n * s->grid.axis[2].n,
                          .first_step = s->step,
                          .last_step = s->set.time.end > 0 ? -1 : s->set.time.steps,
                          .start_time = s->time,
                          .end_time = s->set.time.end,
                          .spherical = s->grid.axis[1].end == PEL_POLE,
                          .particles = s->dynamics != NULL,
                          .again = q->auto_resume,
                          .time_name = s->dynamics ? pel__dynamics_time_name(s) : NULL,
                          .time_unit = s->dynamics ? s->dynamics->time_unit : 1,
                          .progress = q->progress});
    if (wrong) pel__journal_say(r->journal, "%s", advice);
    if (pel__journal_columns(r->journal, count, name, unit, resumed, s->step, &e))
      pel__journal_say(r->journal, "%s", e.text);
  }
}

/* ---- the loop ---- */

static int advance_clock(pel_sim *s, pel_error *e) {
  double lands;
  const double dt = pel__next_dt(s, &lands), time = isnan(lands) ? s->time + dt : lands;
  if (!isfinite(dt) || !(time > s->time))
    return pel_error_set(
        e, PEL_INVALID, "the next time step would be %g s long%s; %s", dt,
        isfinite(dt) ? ", too short to get on" : "",
        s->set.time.dt > 0 ? "[time] dt and the intervals must be longer"
                           : "what the model says of its limits ([time] dt = auto) makes no sense");
  s->dt = dt;
  s->row_follows = pel__row_due(s, s->step + 1, time);
  pel__step(s, s->dt);
  s->time = time;
  ++s->step;
  return PEL_OK;
}

/* Diagnostics, output and checkpoint that are due at this step.  On resume they were done before.
 */
static void record(pel__records *r, bool resumed, bool asked, pel_error *e) {
  const pel__settings *c = &r->s->set;
  if (resumed) {
    if (pel__writes_output(r->s)) pel__record_output(r, true, e);
    return;
  }
  if (pel__row_due(r->s, r->s->step, r->s->time)) pel__record_diagnostics(r, e);
  if (pel__due(r->s, c->diagnostics.every, c->diagnostics.interval))
    pel__analysis_row(r->s, r->values);
  if (!e->code) pel__analysis_sample(r->s, e);
  if (!e->code && asked && !pel__writes_output(r->s))
    pel__journal_say(r->journal,
                     "there is no output: neither [output] every nor interval is given");
  if (!e->code && pel__writes_output(r->s) &&
      (asked || pel__due(r->s, c->output.every, c->output.interval)))
    pel__record_output(r, false, e);
}

static int stopped(pel__records *r, stop why, pel_error *e) {
  static const struct {
    const char *cause, *how;
  } causes[] = {[STOP_SIGNAL] = {"signal", "on request"},
                [STOP_FILE] = {"file", "on request, by the file STOP"},
                [STOP_WALLTIME] = {"walltime", "before the wall-clock limit"}};
  if (!pel__record_checkpoint(r))
    return pel_error_set(e, PEL_IO, "stopped early, but the checkpoint could not be written");
  r->cause = causes[why].cause;
  return pel_error_set(e, PEL_STOPPED, "stopped %s", causes[why].how);
}

static void tell_news(pel__records *r) {
  pel_sim *s = r->s;
  char *const news[] = {s->news, s->balance ? s->balance->news : s->news};
  for (int i = 0; i < PEL_N(news); ++i) {
    if (*news[i]) pel__journal_say(r->journal, "%s", news[i]);
    *news[i] = 0;
  }
}

static int loop(pel__records *r, const pel_request *q, bool resumed, pel_error *e) {
  pel_sim *s = r->s;
  const int64_t first = s->step;
  pel__control control;
  pel__control_begin(&control, s, q->spent, q->auto_resume, r->journal);
  for (bool fresh = resumed;; fresh = false) {
    const agreement a = agree(r, &control);
    explain_failure(s, &a, e);
    const bool last = pel__finished(s) || (q->steps > 0 && s->step - first >= q->steps) ||
                      (q->until > 0 && s->step >= q->until);
    if (!e->code) record(r, fresh, a.output, e);
    if (e->code) return e->code;
    const pel__settings *c = &s->set;
    if (last || a.stop != GO_ON) pel__record_output_end(r); /* a checkpoint says what is lost */
    if (a.save || (last && c->checkpoint.at_end) ||
        (!fresh && s->step > 0 && pel__due(s, c->checkpoint.every, c->checkpoint.interval))) {
      pel__record_checkpoint(r);
      control.saved = MPI_Wtime();
    }
    if (!last && a.stop != GO_ON) stopped(r, a.stop, e);
    pel__control_done(&control, s, r->saved_step == s->step, r->journal);
    if (last && !pel__finished(s)) r->cause = "steps";
    if (last) return pel__record_account(r, e);
    if (e->code) return e->code;
    pel__now_step(s->step + 1);
    if (advance_clock(s, e)) return e->code;
    if (!s->dynamics) pel__balance_grid(s);
    tell_news(r);
    pel__journal_step(r->journal, s->step, s->time, s->dt);
  }
}

/* ---- the end ---- */

static void gather_phases(pel_sim *s, pel__phase *p) {
  double lo[PEL__NPHASES], hi[PEL__NPHASES], sum[PEL__NPHASES];
  MPI_Reduce(s->seconds, lo, PEL__NPHASES, MPI_DOUBLE, MPI_MIN, 0, s->comm);
  MPI_Reduce(s->seconds, hi, PEL__NPHASES, MPI_DOUBLE, MPI_MAX, 0, s->comm);
  MPI_Reduce(s->seconds, sum, PEL__NPHASES, MPI_DOUBLE, MPI_SUM, 0, s->comm);
  for (int i = 0; i < PEL__NPHASES; ++i)
    p[i] = (pel__phase){pel__phase_name(i), lo[i], s->rank == 0 ? sum[i] / s->nranks : 0, hi[i]};
}

/* The share of this run's cores that others had while it wanted them.  waited: of this rank at the
 * beginning.  A run that crowds its own cores cannot tell. */
static double share_of_others(const pel_sim *s, double waited, double seconds) {
  const double now = pel__machine_waited();
  const bool known =
      waited >= 0 && now >= waited && seconds > 0 && !pel__machine_crowded(&s->machine, s->threads);
  double x[2] = {known ? 0 : 1, known ? (now - waited) / (s->threads * seconds) : 0};
  MPI_Allreduce(MPI_IN_PLACE, x, 2, MPI_DOUBLE, MPI_SUM, s->comm);
  return x[0] > 0 ? -1 : fmin(x[1] / s->nranks, 1);
}

static void finish(pel__records *r, int code, const pel_error *e, int64_t first, double seconds,
                   double waited) {
  pel_sim *s = r->s;
  pel__phase phases[PEL__NPHASES];
  char next[5000];
  int naverages;
  pel__now_in(PEL__T_END);
  MPI_Bcast(&seconds, 1, MPI_DOUBLE, 0, s->comm);
  const double others = share_of_others(s, waited, seconds);
  const bool probe = seconds > 1; /* a short run would pay more for the probe than it learns */
  pel__record_output_end(r);
  gather_phases(s, phases);
  if (s->analysis)
    snprintf(next, sizeof next, "%s/observables.h5", s->dir);
  else if (pel__writes_output(s))
    pel__output_path(s, next);
  else
    snprintf(next, sizeof next, "%s/diagnostics.csv", s->dir);
  pel__record_observables(r);
  pel__average *averages = pel__analysis_averages(s, &naverages);
  const pel__run_result x = {
      .exit_code = code,
      .why = e->code ? e->text : NULL,
      .cause = r->cause,
      .step = s->step,
      .steps_done = s->step - first,
      .time = s->time,
      .seconds = seconds,
      .bytes = pel__program_bytes(s) * (double)(s->step - first),
      .bandwidth = probe ? pel__machine_bandwidth(s->comm, &s->machine, s->threads) : 0,
      .others = others,
      .balance = s->balance,
      .fingerprint = pel__state_fingerprint(s),
      .phases = phases,
      .nphases = PEL__NPHASES,
      .checkpoint = *r->checkpoint ? r->checkpoint : NULL,
      .resume_from = r->start_anew || *r->resume_from ? r->resume_from : NULL,
      .averages = averages,
      .naverages = naverages,
      .open_next = next};
  if (s->rank == 0) pel__journal_close(r->journal, &x);
  free(averages);
  r->journal = NULL;
}

/* The directory and the state to begin with, in the order that leaves nothing behind when one of
 * them is refused: a checkpoint from elsewhere is read before anything is made, one of the
 * directory itself under its lock, once its output is known to be good.  *done: there is nothing
 * left to do. */
static int begin(pel__records *r, const pel_request *q, bool continued, pel__rundir **dir,
                 bool *done, pel_error *e) {
  pel_sim *s = r->s;
  char sentence[5000];
  const bool elsewhere = q->resume && !continued;
  if (elsewhere && pel__start(r, q, false, e)) return e->code;
  *done = elsewhere && pel__complete(r, false, sentence, sizeof sentence);
  if (!*done) {
    const pel__rundir_use use = continued        ? PEL__CONTINUE
                                : q->auto_resume ? PEL__AGAIN
                                : q->overwrite   ? PEL__OVERWRITE
                                                 : PEL__NEW;
    if (s->rank == 0) *dir = pel__rundir_open(s->dir, use, e);
    MPI_Bcast(e, sizeof *e, MPI_BYTE, 0, s->comm);
    if (!e->code && continued) pel__record_appendable(r, e);
    if (!e->code && !elsewhere) pel__start(r, q, false, e);
    *done = continued && !e->code && pel__complete(r, true, sentence, sizeof sentence);
  }
  if (*done) {
    const uint64_t fingerprint = pel__state_fingerprint(s);
    if (s->rank == 0) printf("%s\nfingerprint: %016" PRIx64 "\n", sentence, fingerprint);
  }
  return e->code;
}

static void simulate(pel__records *r, const pel_request *q, bool continued, pel_error *e) {
  pel_sim *s = r->s;
  char anew[400];
  open_journal(r, q, continued);
  if (q->resume && pel__analysis_anew(s, anew, sizeof anew))
    pel__journal_say(r->journal, "%s", anew);
  if (pel__analysis_in_vain(s, anew, sizeof anew)) pel__journal_say(r->journal, "%s", anew);
  MPI_Barrier(s->comm); /* rank 0 had files to open */
  memset(s->seconds, 0, sizeof s->seconds);
  const int64_t first = s->step;
  s->balance = pel__balance_create(s->layout, s->threads, s->set.parallel.balance_every,
                                   s->set.parallel.balance_threshold, s->step);
  const double t0 = MPI_Wtime(), waited = pel__machine_waited();
  if (s->scheme) tell_limits(r, e);
  if (s->dynamics)
    pel__dynamics_totals(s); /* so that overlaps are told before anything is written */
  const int code = e->code ? e->code : loop(r, q, continued, e);
  finish(r, code, e, first, MPI_Wtime() - t0, waited);
}

int pel_run(MPI_Comm comm, const pel_host *host, const pel_request *request) {
  int code, rank;
  MPI_Comm_rank(comm, &rank);
  pel__now_rank(rank);
  pel__now_in(PEL__T_START);
  bool done = false;
  pel_error e = {0};
  pel__rundir *dir = NULL;
  pel_request q = *request;
  if ((code = pel__settle(comm, host, &q, &done)) || done) return code;
  pel_sim *s = pel__sim_create(comm, host, &q, &code);
  if (!s) return code;
  pel__run_directory(&s->set, &q, s->dir, sizeof s->dir);
  pel__records r = pel__records_of(s);
  const bool continued = pel__continues(s, &q);
  if (begin(&r, &q, continued, &dir, &done, &e)) {
    if (s->rank == 0) fprintf(stderr, "pelsim: %s\n", e.text);
  } else if (!done) {
    pel__guard *guard = pel__guard_begin(s->comm, s->dir, pel__rundir_owner(dir));
    simulate(&r, &q, continued, &e);
    pel__guard_end(guard);
  }
  pel__rundir_close(dir);
  pel__sim_destroy(s);
  return e.code;
}
