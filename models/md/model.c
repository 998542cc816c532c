/* Lennard-Jones particles at constant energy (NVE), in reduced units: lengths in sigma, energies in
 * epsilon, masses in m, times in sigma*sqrt(m/epsilon), temperatures in epsilon/k.  Velocity Verlet
 * (Swope, Andersen, Berens & Wilson 1982, doi:10.1063/1.442716) from a face-centred cubic lattice
 * with normally distributed velocities. */
#include <math.h>

#include "lj.h"

typedef struct {
  int64_t nx, ny, nz, seed;                  /* parameters */
  double density, temperature, cutoff, skin; /* parameters */
  int shift;                                 /* parameter, a pel__lj_kind */
  double spacing;                            /* of the lattice */
} lj;

static const pel_param params[] = {
    PEL_PARAM(lj, nx, "20", 1, 2000, "1", "cells of the lattice along x, of 4 atoms each"),
    PEL_PARAM(lj, ny, "20", 1, 2000, "1", "cells of the lattice along y"),
    PEL_PARAM(lj, nz, "20", 1, 2000, "1", "cells of the lattice along z"),
    PEL_PARAM(lj, density, "0.8442", 1e-6, 2, "1", "atoms in a volume of sigma^3"),
    PEL_PARAM(lj, temperature, "1.44", 0, 100, "1", "temperature at the start, epsilon/k"),
    PEL_PARAM(lj, seed, "1", 0, 1e15, "1", "of the velocities at the start"),
    PEL_PARAM(lj, cutoff, "2.5", 0.5, 20, "1",
              "distance from which atoms do not feel each other, sigma"),
    PEL_OPTION(lj, shift, "none", "none|energy|force",
               "what is continued to zero at the cut-off: nothing, the energy, or the force too"),
    PEL_PARAM(lj, skin, "0.3", 0, 10, "1",
              "margin of the lists of neighbours, sigma; changes the speed, never the result")};

static void setup(pel_sim *s, void *state) {
  lj *c = state;
  (void)s;
  c->spacing = cbrt(4 / c->density);
}

/* ---- the start ---- */

static void box(pel_particle_box *b, const void *state) {
  const lj *c = state;
  const int64_t n[3] = {c->nx, c->ny, c->nz};
  for (int a = 0; a < 3; ++a) b->length[a] = (double)n[a] * c->spacing;
  b->n = 4 * n[0] * n[1] * n[2];
  b->mass = 1;
}

static void seed(const void *state, int64_t id, double x[3], double v[3]) {
  static const double basis[4][3] = {{0, 0, 0}, {.5, .5, 0}, {.5, 0, .5}, {0, .5, .5}};
  const lj *c = state;
  const int64_t cell = (id - 1) / 4,
                at[3] = {cell % c->nx, cell / c->nx % c->ny, cell / c->nx / c->ny};
  double z[4];
  pel_random_normal(c->seed, id, 0, z);
  for (int a = 0; a < 3; ++a) {
    x[a] = ((double)at[a] + basis[(id - 1) % 4][a]) * c->spacing;
    v[a] = z[a];
  }
}

static double temperature(const void *state) { return ((const lj *)state)->temperature; }

/* ---- pairs ---- */

static double coefficients(const void *state, double *c) {
  const lj *p = state;
  pel__lj_coefficients((pel__lj_kind)p->shift, 1, 1, p->cutoff, c);
  return p->cutoff;
}

static const pel_pair_kernels *kernels(const void *state) {
  return ((const lj *)state)->shift == PEL__LJ_FORCE_SHIFTED ? &pel__lj_smooth : &pel__lj;
}

static double skin(const void *state) { return ((const lj *)state)->skin; }

/* ---- what is measured ---- */

static double per_atom(double x, const pel_totals *t) { return x / (double)t->n; }

static double measured_temperature(const pel_totals *t, const void *state) {
  (void)state; /* the momentum is zero: three degrees of freedom less */
  return 2 * t->kinetic / (3 * (double)(t->n - 1));
}
static double potential(const pel_totals *t, const void *state) {
  (void)state;
  return per_atom(t->potential, t);
}
static double energy(const pel_totals *t, const void *state) {
  (void)state;
  return per_atom(t->potential + t->kinetic, t);
}
static double pressure(const pel_totals *t, const void *state) {
  (void)state;
  return (2 * t->kinetic + (t->virial[0] + t->virial[1] + t->virial[2])) / (3 * t->volume);
}

static const pel_diagnostic diagnostics[] = {
    {.name = "temperature", .total = measured_temperature, .unit = "1", .doc = "temperature"},
    {.name = "potential_energy",
     .total = potential,
     .unit = "1",
     .doc = "potential energy an atom"},
    {.name = "total_energy",
     .total = energy,
     .unit = "1",
     .doc = "total energy an atom",
     .conserved = true,
     .tolerance = 5e-3,
     .scale = 5}, /* as large as in a liquid: kinetic and potential energy may cancel */
    {.name = "pressure",
     .total = pressure,
     .unit = "1",
     .doc = "pressure of motion and pairs, without what lies beyond the cut-off"}};

/* ---- the model ---- */

static const pel_motion program[] = {
    {PEL_KICK, .5}, {PEL_DRIFT, 1}, {PEL_PAIRS, 1}, {PEL_KICK, .5}};

static const pel_particle_model particles = {PEL_TABLE(program),
                                             .box = box,
                                             .seed = seed,
                                             .temperature = temperature,
                                             .skin = skin,
                                             .pairs = {.kernels = kernels,
                                                       .coefficients = coefficients,
                                                       .largest_force = 0x1p15,
                                                       .largest_energy = 0x1p11},
                                             .dt = 0.005};

const pel_model pel_model_lj = {
    PEL_MODEL("lj", lj, "Molecular dynamics of Lennard-Jones particles at constant energy",
              "Allen & Tildesley (2017)"),
    PEL_TABLES2(params, diagnostics), .particles = &particles, .setup = setup};
