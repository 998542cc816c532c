/* From the keys of [ensemble] to what thermostats and barostats need. */
#include <math.h>
#include <stddef.h>

#include "md.h"

double pel__md_target(const void *state, int64_t step) {
  const pel__md_ensemble *e = &((const pel__md *)state)->ensemble;
  if (e->ramp_steps == 0) return e->kt[0];
  const double part = fmin((double)step / (double)e->ramp_steps, 1);
  return e->kt[0] + part * (e->kt[1] - e->kt[0]);
}

double pel__md_degrees(const pel_totals *t, const void *state) {
  const pel__md_ensemble *e = &((const pel__md *)state)->ensemble;
  const bool kept = e->thermostat != PEL__MD_LANGEVIN || e->remove_momentum == 1;
  return kept ? pel_degrees(t) : (double)t->dims * (double)t->n;
}

/* Keys that would have no effect. */
static void reject_idle(pel_sim *s, const pel__md_ensemble *e) {
  const bool warm = e->thermostat != PEL__MD_FREE, box = e->barostat != PEL__MD_RIGID;
  const struct {
    const char *key, *missing;
    bool works;
  } keys[] = {{"temperature", "thermostat", warm || box},
              {"end_temperature", "thermostat", warm},
              {"ramp_steps", "thermostat", warm},
              {"thermostat_time", "thermostat", warm},
              {"pressure", "barostat", box},
              {"barostat_time", "barostat", box},
              {"compressibility", "barostat", box},
              {"barostat_every", "barostat", box}};
  for (int i = 0; i < PEL_N(keys); ++i)
    if (!keys[i].works && pel_given(s, "ensemble", keys[i].key))
      pel_reject(s, "ensemble", keys[i].key,
                 "this has no effect without a %s; give one, or leave it "
                 "out",
                 keys[i].missing);
}

void pel__md_ensemble_setup(pel_sim *s, pel__md *md) {
  pel__md_ensemble *e = &md->ensemble;
  const pel__md_units *u = md->unit;
  const double first = e->temperature > 0 ? e->temperature : md->temperature;
  reject_idle(s, e);
  if ((e->ramp_steps > 0) != (e->end_temperature > 0))
    pel_reject(s, "ensemble", e->ramp_steps > 0 ? "ramp_steps" : "end_temperature",
               "a ramp needs both end_temperature and ramp_steps");
  if (e->barostat == PEL__MD_C_RESCALE && e->thermostat == PEL__MD_FREE)
    pel_reject(s, "ensemble", "barostat",
               "c_rescale needs a thermostat, at best thermostat = bussi");
  if (e->thermostat != PEL__MD_FREE && !(first > 0))
    pel_reject(s, "ensemble", "temperature",
               "a thermostat needs a temperature above 0; give it, as [start] temperature is 0");
  const bool at_rest = md->from ? !md->from->has_velocities && !md->draws : md->temperature == 0;
  if (e->thermostat != PEL__MD_FREE && e->thermostat != PEL__MD_LANGEVIN && at_rest &&
      !pel_resuming(s))
    pel_reject(s, "ensemble", "thermostat",
               "this one scales velocities, and the start has none; give [start] temperature, or "
               "take langevin");
  e->kt[0] = e->kt_now = first * u->k;
  e->kt[1] = e->end_temperature * u->k;
  e->tau = e->thermostat_time > 0 ? e->thermostat_time : 100 * u->dt;
  e->tau_box = e->barostat_time > 0 ? e->barostat_time : 1000 * u->dt;
  e->p = e->pressure / u->pressure;
  e->beta = (e->compressibility > 0 ? e->compressibility : u->compressibility) * u->pressure;
}
