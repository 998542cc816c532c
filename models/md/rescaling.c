/* Thermostats that scale all velocities at the end of a step, by a factor a of the kinetic energy
 * K.
 *
 * Bussi, Donadio & Parrinello 2007, J. Chem. Phys. 126, 014101, doi:10.1063/1.2408420, equation A7:
 * with c = exp(-dt/tau), K0 = f kT/2, f degrees of freedom, R_i normally distributed,
 *
 *   a^2 = c + (1 - c) K0/(f K) sum_1^f R_i^2 + 2 R_1 sqrt(c (1 - c) K0/(f K)),
 *
 * a with the sign of R_1 + sqrt(c f K/((1 - c) K0)).  The f - 1 further squares are twice a number
 * with the gamma distribution of shape (f - 1)/2.
 *
 * Berendsen et al. 1984, J. Chem. Phys. 81, 3684, doi:10.1063/1.448118, equation 11:
 *
 *   a^2 = 1 + (K0/K - 1) dt/tau,
 *
 * which has no ensemble: for equilibration. */
#include <math.h>

#include "md.h"

bool pel__md_is_bussi(const void *state, int64_t step) {
  (void)step;
  return ((const pel__md *)state)->ensemble.thermostat == PEL__MD_BUSSI;
}
bool pel__md_is_berendsen(const void *state, int64_t step) {
  (void)step;
  return ((const pel__md *)state)->ensemble.thermostat == PEL__MD_BERENDSEN;
}

/* Marsaglia & Tsang 2000, doi:10.1145/358407.358414: exact, by rejection; each trial has random
 * numbers of its own.  Below shape 1 as in their section 6: shape + 1 times u^(1/shape). */
double pel__md_gamma(double shape, int64_t seed, int64_t step) {
  const double d = fmax(shape, 1) - 1. / 3 + (shape < 1 ? shape : 0), c = 1 / sqrt(9 * d);
  if (shape <= 0) return 0;
  for (int64_t trial = 0;; ++trial) {
    double z[4], u[4];
    pel_random_normal(seed, trial, step, PEL__MD_GAMMA, z);
    pel_random_uniform(seed, trial, step, PEL__MD_GAMMA_TEST, u);
    const double w = 1 + c * z[0], v = w * w * w;
    if (v <= 0 || log(u[0]) >= z[0] * z[0] / 2 + d - d * v + d * log(v)) continue;
    return d * v * (shape < 1 ? pow(u[1], 1 / shape) : 1);
  }
}

/* Scales and books what that adds. */
static void scale(const pel_routine *r, pel__md *md, double kinetic, double factor) {
  pel_scale_velocities(r, factor);
  md->ensemble.heat += (factor * factor - 1) * kinetic;
}

void pel__md_bussi(const pel_routine *r, void *state) {
  pel__md *md = state;
  const pel_totals *t = pel_routine_totals(r, false);
  const double f = pel__md_degrees(t, state), kinetic = t->kinetic,
               c = exp(-r->dt / md->ensemble.tau);
  const double each = (1 - c) * pel__md_target(state, r->step + 1) / 2; /* (1 - c) K0/f */
  double z[4];
  if (!(kinetic > 0) || f < 1) return;
  pel_random_normal(md->seed, 0, r->step, PEL__MD_NORMAL, z);
  const double squares = z[0] * z[0] + 2 * pel__md_gamma((f - 1) / 2, md->seed, r->step);
  const double a2 = c + each / kinetic * squares + 2 * z[0] * sqrt(c * each / kinetic);
  const double a = sqrt(fmax(a2, 0));
  scale(r, md, kinetic, z[0] + sqrt(c * kinetic / each) < 0 ? -a : a);
}

void pel__md_berendsen(const pel_routine *r, void *state) {
  pel__md *md = state;
  const pel_totals *t = pel_routine_totals(r, false);
  const double wanted = pel__md_degrees(t, state) * pel__md_target(state, r->step + 1) / 2;
  const double kinetic = t->kinetic;
  if (!(kinetic > 0)) return;
  scale(r, md, kinetic,
        sqrt(fmax(1 + (wanted / kinetic - 1) * fmin(r->dt / md->ensemble.tau, 1), 0)));
}
