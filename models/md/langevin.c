/* Langevin dynamics by the splitting BAOAB: half a kick, half a drift, friction and noise, half a
 * drift, half a kick (Leimkuhler & Matthews 2013, J. Chem. Phys. 138, 174102,
 * doi:10.1063/1.4802990, section II).  Friction and noise are exact, their equation 7:
 *
 *   v <- exp(-g dt) v + sqrt((1 - exp(-2 g dt)) kT/m) R,   g = 1/thermostat_time,
 *
 * R normally distributed by particle and step.  Momentum is not kept. */
#include <math.h>

#include "md.h"

bool pel__md_is_langevin(const void *state, int64_t step) {
  (void)step;
  return ((const pel__md *)state)->ensemble.thermostat == PEL__MD_LANGEVIN;
}
bool pel__md_is_not_langevin(const void *state, int64_t step) {
  return !pel__md_is_langevin(state, step);
}

void pel__md_langevin(const pel_span *s, const void *state) {
  const pel__md *md = state;
  const int dims = md->crystal.lattice->dims;
  const double kept = exp(-s->dt / md->ensemble.tau),
               kt = -expm1(-2 * s->dt / md->ensemble.tau) * pel__md_target(state, s->step + 1);
  double noise[PEL_TYPES];
  for (int t = 0; t < md->crystal.ntypes; ++t) noise[t] = sqrt(kt / s->mass[t]);
  for (int64_t i = s->first; i < s->last; i += PEL_LANES) {
    pel_double4 z[4], of;
    pel_random_normals(md->seed, &s->id[i], s->step, PEL__MD_NOISE, z);
    for (int l = 0; l < PEL_LANES; ++l) of[l] = noise[s->type[i + l]];
    for (int a = 0; a < dims; ++a) {
      pel_double4 *v = (pel_double4 *)(s->v[a] + i);
      *v = kept * *v + of * z[a];
    }
  }
}

void pel__md_heat_before(const pel_routine *r, void *state) {
  ((pel__md *)state)->ensemble.heat -= pel_routine_totals(r, false)->kinetic;
}
void pel__md_heat_after(const pel_routine *r, void *state) {
  ((pel__md *)state)->ensemble.heat += pel_routine_totals(r, false)->kinetic;
}
