/* What stops particles, told alike on every layout. */
#include <math.h>
#include <stdio.h>

#include "dynamics.h"

int pel__dynamics_explain_forces(const pel_sim *s, pel_error *e) {
  const pel__dynamics *d = s->dynamics;
  for (const pel__force_stage *f = d->forces; f < d->forces + d->nforces; ++f)
    if (f->stage->kind == PEL_PAIRS && d->listed &&
        pel__pairs_explain(&d->p, &d->list, &f->potential, &f->work, e))
      return e->code;
  return PEL_OK;
}

/* Negative, so that the fastest comes first; NaN as the fastest of all. */
static pel__key speed_of(const pel__particles *p, int64_t i) {
  const double v2 = p->v[0][i] * p->v[0][i] + p->v[1][i] * p->v[1][i] + p->v[2][i] * p->v[2][i];
  return (pel__key){isfinite(v2) ? -v2 : -INFINITY, {p->id[i], 0}};
}

/* Of the closest pair, which as a rule is the reason. */
static int tell_closest(const pel__dynamics *d, pel_error *e) {
  const pel__closest c = pel__pair_list_closest(&d->list, &d->p);
  if (c.r < INFINITY)
    pel_error_set(e, PEL_INVALID, "; the closest pair, particles %ld and %ld, is %g apart",
                  (long)c.id[0], (long)c.id[1], c.r);
  return pel__agree_first(d->p.regions->comm, (pel__key){c.r, {c.id[0], c.id[1]}}, e);
}

int pel__dynamics_explain_leap(const pel__dynamics *d, pel_error *e) {
  const pel__particles *p = &d->p;
  int64_t fastest = -1;
  pel__key most = {0};
  pel_error leap = {0}, closest = {0};
  for (int64_t i = 0; i < (int64_t)p->nclusters * PEL_LANES; ++i) {
    const pel__key key = speed_of(p, i);
    if (pel__is_empty(p, i) || (fastest >= 0 && !pel__comes_first(&key, &most))) continue;
    fastest = i, most = key;
  }
  const pel__point at = pel__inside(p, fastest >= 0 ? fastest : 0);
  if (fastest >= 0)
    pel_error_set(&leap, PEL_INVALID,
                  "particle %ld moves further than the cut-off in one step: position (%g, %g, %g), "
                  "velocity (%g, %g, %g)",
                  (long)p->id[fastest], at.x, at.y, at.z, p->v[0][fastest], p->v[1][fastest],
                  p->v[2][fastest]);
  pel__agree_first(p->regions->comm, most, &leap);
  tell_closest(d, &closest);
  return pel_error_set(e, PEL_INVALID,
                       "%s%s; reduce [time] dt, or look for overlapping particles in the start",
                       leap.text, closest.text);
}
