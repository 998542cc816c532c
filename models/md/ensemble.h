/* Ensembles: what keeps temperature and pressure.  Each thermostat and barostat is a file with its
 * equations; md.c puts their stages into the step. */
#ifndef PEL_MD_ENSEMBLE_H
#define PEL_MD_ENSEMBLE_H

#include "pelsim/particles.h"

enum { PEL__MD_CHAIN = 3 }; /* thermostats in a Nose-Hoover chain */

typedef enum {
  PEL__MD_FREE,
  PEL__MD_LANGEVIN,
  PEL__MD_BUSSI,
  PEL__MD_NOSE_HOOVER,
  PEL__MD_BERENDSEN
} pel__md_thermostat;
typedef enum { PEL__MD_RIGID, PEL__MD_C_RESCALE, PEL__MD_BERENDSEN_BAROSTAT } pel__md_barostat;

typedef struct {
  /* Parameters, [ensemble]. */
  int thermostat, barostat;
  double temperature, end_temperature;                    /* 0: auto */
  int64_t ramp_steps;                                     /* 0: none */
  double thermostat_time, barostat_time, compressibility; /* 0: auto */
  double pressure;
  int64_t barostat_every, remove_momentum; /* 0: never */

  /* Set up: in the model's units of time, energy and volume. */
  double kt[2], tau, tau_box, p, beta;

  /* Numbers. */
  double kt_now; /* of the chain, as pel__md_target gave it last */
  double heat;   /* energy that thermostat and barostat have added */
  double position[PEL__MD_CHAIN], velocity[PEL__MD_CHAIN]; /* of the chain */
} pel__md_ensemble;

/* clang-format off */
#define PEL__MD_ENSEMBLE_AT_(m) .key = #m, .type = PEL_TYPE_OF(((pel__md_ensemble *)0)->m), \
  .offset = offsetof(pel__md, ensemble) + offsetof(pel__md_ensemble, m), .section = "ensemble"
#define PEL__MD_ENSEMBLE_(m, DEF, MIN, MAX, ...) \
  { PEL__MD_ENSEMBLE_AT_(m), .def = DEF, .min = MIN, .max = MAX, .unit = "1", .doc = __VA_ARGS__ }
#define PEL__MD_ENSEMBLE_PARAMS                                                                 \
  { PEL__MD_ENSEMBLE_AT_(thermostat), .def = "none",                                            \
    .choices = "none|langevin|bussi|nose_hoover|berendsen", .doc = "what keeps the temperature"}, \
  PEL__MD_ENSEMBLE_(temperature, "auto", 1e-12, 1e6,                                                \
                    "that the thermostat keeps; auto: that of the start", .word = "auto"),      \
  PEL__MD_ENSEMBLE_(end_temperature, "auto", 1e-12, 1e6,                                        \
                    "to which it changes linearly; auto: it stays", .word = "auto"),            \
  PEL__MD_ENSEMBLE_(ramp_steps, "none", 1, 1e15, "steps in which it changes", .word = "none"),  \
  PEL__MD_ENSEMBLE_(thermostat_time, "auto", 1e-9, 1e9,                                         \
                    "relaxation time of the thermostat; auto: 100 usual steps", .word = "auto"), \
  { PEL__MD_ENSEMBLE_AT_(barostat), .def = "none", .choices = "none|c_rescale|berendsen",       \
    .doc = "what keeps the pressure, the same along all axes"},                                 \
  PEL__MD_ENSEMBLE_(pressure, "0", -1e9, 1e9, "that the barostat keeps"),                       \
  PEL__MD_ENSEMBLE_(barostat_time, "auto", 1e-9, 1e9,                                           \
                    "relaxation time of the barostat; auto: 1000 usual steps", .word = "auto"), \
  PEL__MD_ENSEMBLE_(compressibility, "auto", 1e-15, 1e6,                                        \
                    "estimate of the isothermal compressibility, which only changes how fast the " \
                    "box follows; auto: 0.1, 1e-6/bar or 4.6e-5/atm by units", .word = "auto"), \
  PEL__MD_ENSEMBLE_(barostat_every, "10", 1, 1e6, "steps between two changes of the box"),      \
  PEL__MD_ENSEMBLE_(remove_momentum, "none", 1, 1e15,                                           \
                    "steps after which the momentum is taken out", .word = "none")
/* clang-format on */

/* What random numbers are for. */
enum {
  PEL__MD_START,
  PEL__MD_NOISE,
  PEL__MD_NORMAL,
  PEL__MD_GAMMA,
  PEL__MD_GAMMA_TEST,
  PEL__MD_CELL
};

/* A gamma-distributed number of this shape >= 0 and scale 1, a pure function of seed and step. */
double pel__md_gamma(double shape, int64_t seed, int64_t step);

/* k*temperature that is kept after so many steps. */
double pel__md_target(const void *state, int64_t step);
/* Degrees of freedom that the temperature counts: without the momentum, if the thermostat keeps it.
 */
double pel__md_degrees(const pel_totals *t, const void *state);

/* ---- thermostats ---- */

typedef bool pel__md_when(const void *state, int64_t step);
typedef void pel__md_routine(const pel_routine *r, void *state);

pel__md_when pel__md_is_langevin, pel__md_is_not_langevin, pel__md_is_bussi, pel__md_is_nose_hoover,
    pel__md_is_berendsen, pel__md_box_is_due, pel__md_momentum_is_due;

void pel__md_langevin(const pel_span *s, const void *state);
pel__md_routine pel__md_heat_before, pel__md_heat_after;
pel__md_routine pel__md_bussi, pel__md_nose_hoover, pel__md_berendsen;
double pel__md_chain_energy(const pel_totals *t, const void *state);

/* ---- barostats ---- */

pel__md_routine pel__md_change_box, pel__md_momentum;

#endif
