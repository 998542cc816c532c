/* Barostats: box and positions are scaled by mu along all axes, every barostat_every steps, h
 * apart.
 *
 * C-rescale (Bernetti & Bussi 2020, J. Chem. Phys. 153, 114107, doi:10.1063/5.0020514): the
 * logarithm of the volume follows d ln V = -(b/tau)(P0 - P) dt + sqrt(2 kT b/(V tau)) dW, b the
 * compressibility, and momenta are scaled by 1/mu, which samples volumes of the isothermal-isobaric
 * ensemble.  Integrated for l = sqrt(V), whose noise does not depend on it (their section II C):
 *
 *   dl = -(b l/(2 tau)) (P0 - P - kT/(2 V)) dt + sqrt(kT b/(2 tau)) dW.
 *
 * Berendsen et al. 1984, J. Chem. Phys. 81, 3684, doi:10.1063/1.448118, equation 21:
 *
 *   mu^3 = 1 - (b/tau)(P0 - P) h,
 *
 * which has no ensemble: for equilibration. */
#include <math.h>

#include "md.h"

bool pel__md_box_is_due(const void *state, int64_t step) {
  const pel__md_ensemble *e = &((const pel__md *)state)->ensemble;
  return e->barostat != PEL__MD_RIGID && (step + 1) % e->barostat_every == 0;
}
bool pel__md_momentum_is_due(const void *state, int64_t step) {
  const pel__md_ensemble *e = &((const pel__md *)state)->ensemble;
  return e->remove_momentum > 0 && (step + 1) % e->remove_momentum == 0;
}

/* Volume over what it was. */
static double growth(const pel_routine *r, const pel__md *md, const pel_totals *t) {
  const pel__md_ensemble *e = &md->ensemble;
  const double h = r->dt * (double)e->barostat_every, lack = e->p - pel__md_pressure(t, md);
  const double rate = e->beta * h / e->tau_box, kt = pel__md_target(md, r->step + 1);
  double z[4];
  if (e->barostat == PEL__MD_BERENDSEN_BAROSTAT) return 1 - rate * lack;
  pel_random_normal(md->seed, 0, r->step, PEL__MD_CELL, z);
  const double l = 1 - rate / 2 * (lack - kt / (2 * t->volume)) +
                   sqrt(kt * rate / (2 * t->volume)) * z[0]; /* over sqrt(V) */
  return l * fabs(l);
}

/* Whether the new volume makes sense; before the layer looks whether the box is long enough. */
static bool sane(const pel_routine *r, const pel__md *md, const pel_totals *t, double grown) {
  const double most = 1000;
  double start = 1;
  for (int a = 0; a < t->dims; ++a) start *= md->length[a];
  if (!(fabs(grown - 1) <= 0.3))
    pel_fail(
        r->sim,
        "the barostat would change the volume by %.3g %% at once: the pressure is %g; make the "
        "box nearer to that pressure, or [ensemble] barostat_time longer",
        100 * (grown - 1), pel__md_pressure(t, md) * md->unit->pressure);
  else if (grown * t->volume > most * start)
    pel_fail(r->sim,
             "the box has grown to %g times its volume at the start: nothing holds the particles "
             "together at [ensemble] pressure = %g",
             grown * t->volume / start, md->ensemble.pressure);
  else
    return true;
  return false;
}

static double energy(const pel_totals *t, const pel__md *md) {
  return t->kinetic + (t->potential + md->tail_energy / t->volume);
}

void pel__md_change_box(const pel_routine *r, void *state) {
  pel__md *md = state;
  const pel_totals *t = pel_routine_totals(r, true);
  const double grown = growth(r, md, t), before = energy(t, md);
  if (!sane(r, md, t, grown)) return;
  const double mu = pow(grown, 1. / t->dims), each[3] = {mu, mu, mu};
  pel_scale_box(r, each);
  if (md->ensemble.barostat == PEL__MD_C_RESCALE) pel_scale_velocities(r, 1 / mu);
  md->ensemble.heat += energy(pel_routine_totals(r, true), md) - before;
}

/* The momentum along periodic axes, taken out. */
void pel__md_momentum(const pel_routine *r, void *state) {
  pel__md *md = state;
  double u[3];
  const double before = pel_routine_totals(r, false)->kinetic, mass = pel_routine_momentum(r, u);
  for (int a = 0; a < 3; ++a) u[a] = pel__md_has_wall(md, a) ? 0 : u[a] / mass;
  pel_shift_velocities(r, u);
  md->ensemble.heat += pel_routine_totals(r, false)->kinetic - before;
}
