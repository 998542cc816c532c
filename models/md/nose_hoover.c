/* Nose-Hoover chains of three thermostats (Martyna, Tuckerman, Tobias & Klein 1996, Mol. Phys. 87,
 * 1117, doi:10.1080/00268979600100761, section 4; Tuckerman 2006, section 4.11): half of the
 * chain's propagator before velocity Verlet and half after it, each by Yoshida's fourth order, so
 * that the whole is reversible.  With masses Q_1 = f kT tau^2 and Q_k = kT tau^2,
 *
 *   H' = K + U + sum Q_k v_k^2/2 + f kT x_1 + kT (x_2 + x_3)
 *
 * is conserved; where the temperature changes, what that does to H' is booked as heat. */
#include <math.h>

#include "md.h"

bool pel__md_is_nose_hoover(const void *state, int64_t step) {
  (void)step;
  return ((const pel__md *)state)->ensemble.thermostat == PEL__MD_NOSE_HOOVER;
}

/* Masses at the temperature of the start, which may change later: any do. */
static void masses(const pel__md *md, double degrees, double q[PEL__MD_CHAIN]) {
  const double tau2 = md->ensemble.tau * md->ensemble.tau;
  for (int k = 0; k < PEL__MD_CHAIN; ++k) q[k] = md->ensemble.kt[0] * tau2 * (k ? 1 : degrees);
}

double pel__md_chain_energy(const pel_totals *t, const void *state) {
  const pel__md *md = state;
  const pel__md_ensemble *e = &md->ensemble;
  const double f = pel__md_degrees(t, state);
  double q[PEL__MD_CHAIN], sum = 0;
  masses(md, f, q);
  for (int k = 0; k < PEL__MD_CHAIN; ++k)
    sum += q[k] * e->velocity[k] * e->velocity[k] / 2 + e->kt_now * (k ? 1 : f) * e->position[k];
  return sum;
}

/* Acceleration of thermostat k: of the kinetic energy below it from what it should be. */
static double pull(const double *q, const double *v, int k, double twice, double f, double kt) {
  const double below = k ? q[k - 1] * v[k - 1] * v[k - 1] - kt : twice - f * kt;
  return below / q[k];
}

/* A time h of the chain, outermost thermostat first and last; returns the factor of velocities. */
static double propagate(pel__md_ensemble *e, const double *q, double twice, double f, double kt,
                        double h) {
  enum { LAST = PEL__MD_CHAIN - 1 };
  double *v = e->velocity;
  v[LAST] += pull(q, v, LAST, twice, f, kt) * h / 2;
  for (int k = LAST - 1; k >= 0; --k) {
    const double drag = exp(-h / 4 * v[k + 1]);
    v[k] = (v[k] * drag + pull(q, v, k, twice, f, kt) * h / 2) * drag;
  }
  const double factor = exp(-h * v[0]);
  for (int k = 0; k <= LAST; ++k) e->position[k] += h * v[k];
  for (int k = 0; k < LAST; ++k) {
    const double drag = exp(-h / 4 * v[k + 1]);
    v[k] = (v[k] * drag + pull(q, v, k, twice * factor * factor, f, kt) * h / 2) * drag;
  }
  v[LAST] += pull(q, v, LAST, twice * factor * factor, f, kt) * h / 2;
  return factor;
}

void pel__md_nose_hoover(const pel_routine *r, void *state) {
  static const double weight[3] = {1.3512071919596578, -1.7024143839193155, 1.3512071919596578};
  pel__md *md = state;
  pel__md_ensemble *e = &md->ensemble;
  const pel_totals *t = pel_routine_totals(r, false);
  const double f = pel__md_degrees(t, state), kt = pel__md_target(state, r->step + 1);
  double q[PEL__MD_CHAIN], factor = 1;
  if (!(t->kinetic > 0) || f < 1) return;
  masses(md, f, q);
  e->heat += (kt - e->kt_now) * (f * e->position[0] + e->position[1] + e->position[2]);
  e->kt_now = kt;
  for (int w = 0; w < 3; ++w)
    factor *= propagate(e, q, 2 * t->kinetic * factor * factor, f, kt, weight[w] * r->dt / 2);
  pel_scale_velocities(r, factor);
}
