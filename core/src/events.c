#include "events.h"

#include <math.h>

static const double slack = 1e-9; /* of a step or an interval: what counts as the same time */

/* The first multiple of interval after t. */
static double next_multiple(double t, double interval) {
  return interval > 0 ? (floor(t / interval + slack) + 1) * interval : INFINITY;
}

static double next_event(const pel_sim *s) {
  const pel__settings *c = &s->set;
  double t = c->time.end > 0 ? c->time.end : INFINITY;
  t = fmin(t, next_multiple(s->time, c->output.interval));
  t = fmin(t, next_multiple(s->time, c->diagnostics.interval));
  return fmin(t, next_multiple(s->time, c->checkpoint.interval));
}

int pel__check_dt(const pel_sim *s, double limit, pel_error *e) {
  if (s->set.time.dt > 0 || s->set.time.dt_max > 0 || isfinite(limit)) return PEL_OK;
  return pel_error_set(e, PEL_USAGE,
                       "[time] dt = auto, but nothing limits the time step of model %s on this "
                       "grid; set [time] dt or dt_max",
                       s->model->name);
}

double pel__next_dt(pel_sim *s, double *lands) {
  double dt = s->set.time.dt;
  if (dt == 0) {
    if (s->dt_limit == 0 || s->step % s->set.time.dt_interval == 0)
      s->dt_limit = pel__measure_limits(s, NULL);
    dt = s->set.time.cfl * s->dt_limit;
    if (s->set.time.dt_max > 0) dt = fmin(dt, s->set.time.dt_max);
  }
  /* The last two steps before an event share what is left: no sliver of a step. */
  const double event = next_event(s), left = event - s->time, n = ceil(left / dt - slack);
  *lands = n <= 1 ? event : NAN;
  return n <= 1 ? left : n <= 2 ? left / 2 : dt;
}

bool pel__due(const pel_sim *s, int64_t every, double interval) {
  if (every > 0 && s->step % every == 0) return true;
  if (interval <= 0) return false;
  const double n = s->time / interval;
  return fabs(n - nearbyint(n)) < slack;
}

bool pel__finished(const pel_sim *s) {
  if (s->set.time.end > 0) return s->time >= s->set.time.end * (1 - 1e-14);
  return s->step >= s->set.time.steps;
}
