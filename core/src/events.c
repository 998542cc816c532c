#include "events.h"

#include <math.h>

static const double slack = 1e-9; /* of a step: no step is that short */

/* t/interval, whole if it is whole but for rounding.  Steps land on multiples, so nothing more has
 * to be forgiven: an interval may be as many steps as it likes. */
static double multiples(double t, double interval) {
  const double n = t / interval, whole = nearbyint(n);
  return fabs(n - whole) <= 1e-13 * whole ? whole : n;
}

/* The first multiple of interval after t. */
static double next_multiple(double t, double interval) {
  return interval > 0 ? (floor(multiples(t, interval)) + 1) * interval : INFINITY;
}

static double next_event(const pel_sim *s) {
  const pel__settings *c = &s->set;
  double t = c->time.end > 0 ? c->time.end : INFINITY;
  t = fmin(t, next_multiple(s->time, c->output.interval));
  t = fmin(t, next_multiple(s->time, c->diagnostics.interval));
  return fmin(t, next_multiple(s->time, c->checkpoint.interval));
}

int pel__check_dt(const pel_sim *s, double limit, pel_error *e) {
  const double dt = s->set.time.dt;
  if (dt > 2 * limit)
    return pel_error_set(
        e, PEL_INVALID,
        "[time] dt = %g s is far beyond the stable limit of %.6g s; set dt = auto, "
        "or at most the limit",
        dt, limit);
  if (dt > 0 || isfinite(pel__auto_dt(s, limit))) return PEL_OK;
  return pel_error_set(e, PEL_USAGE,
                       "[time] dt = auto, but nothing limits the time step of model %s on this "
                       "grid; set [time] dt or dt_max",
                       s->model->name);
}

double pel__auto_dt(const pel_sim *s, double limit) {
  const double dt = s->set.time.cfl * limit, most = s->set.time.dt_max;
  return most > 0 ? fmin(dt, most) : dt;
}

double pel__next_dt(pel_sim *s, double *lands) {
  double dt = s->set.time.dt;
  if (dt == 0) {
    if (s->dt_limit == 0 || s->step % s->set.time.dt_interval == 0)
      s->dt_limit = pel__measure_limits(s, NULL);
    dt = pel__auto_dt(s, s->dt_limit);
  }
  /* The last two steps before an event share what is left: no sliver of a step. */
  const double event = next_event(s), left = event - s->time, n = ceil(left / dt - slack);
  *lands = n <= 1 ? event : NAN;
  return n <= 1 ? left : n <= 2 ? left / 2 : dt;
}

static bool due(int64_t step, double time, int64_t every, double interval) {
  if (every > 0 && step % every == 0) return true;
  if (interval <= 0) return false;
  const double n = multiples(time, interval);
  return n == floor(n);
}

static bool finished(const pel_sim *s, int64_t step, double time) {
  if (s->set.time.end > 0) return time >= s->set.time.end * (1 - 1e-14);
  return step >= s->set.time.steps;
}

bool pel__due(const pel_sim *s, int64_t every, double interval) {
  return due(s->step, s->time, every, interval);
}

bool pel__finished(const pel_sim *s) { return finished(s, s->step, s->time); }

bool pel__row_due(const pel_sim *s, int64_t step, double time) {
  const int64_t every = s->set.diagnostics.every;
  const double interval = s->set.diagnostics.interval;
  return due(step, time, every, interval) ||
         ((every > 0 || interval > 0) && finished(s, step, time));
}
