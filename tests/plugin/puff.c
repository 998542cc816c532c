/* A particle model outside the tree, and what may be wrong with one: -DFAULT=NUMBER and so on */
#include <math.h>
#include "pelsim/particles.h"

typedef struct {
  double *heat, *velocity[3];
  double work;
} puff;

/* u = exp-like bump (1 - r^2/rc^2)^3 */
PEL_INLINE pel_pair bump(pel_real r2, const pel_real *c) {
  const pel_real q = 1 - r2 * c[0];
  return (pel_pair){.force = 6 * c[0] * q * q, .energy = q * q * q};
}
#define PEL_FORMULA bump
#define PEL_COEFFICIENTS 1
#include "pelsim/pair_kernel.h"

#define NOTHING 0
#define NUMBER 1
#define TWICE 2
#define ATTRIBUTE 3
#define KERNEL 4
#define TYPES 5
#define MASS 6
#define SKIN 7
#define CUTOFF 8
#define VELOCITY 9
#define HEAT 10
static const double reach = FAULT == CUTOFF ? NAN : 1.5;

static const pel_pair_kernels *kernels(const void *state) {
  (void)state;
  return &bump_kernels;
}
static double coefficients(const void *state, int ti, int tj, double *c) {
  (void)state, (void)ti, (void)tj;
  c[0] = 1 / (reach * reach);
  return reach;
}
static void ranges(const void *state, double *force, double *energy) {
  (void)state;
  *force = 0x1p12, *energy = 0x1p6;
}
static void warm(const pel_span *s, const void *state) {
  const puff *c = state;
  for (int64_t i = s->first; i < s->last; ++i)
    c->heat[i] += FAULT == HEAT && s->id[i] == 77 && s->step == 2 ? NAN : s->dt;
}
static void box(pel_particle_box *b, const void *state) {
  (void)state;
  b->dims = 3, b->n = 216, b->ntypes = FAULT == TYPES ? 40 : 1;
  b->mass[0] = FAULT == MASS ? 0 : 1;
  for (int a = 0; a < 3; ++a) b->length[a] = 6;
}
static void seed(const void *state, int64_t id, pel_seed *s) {
  const int64_t i = id - 1, at[3] = {i % 6, i / 6 % 6, i / 36};
  (void)state;
  for (int a = 0; a < 3; ++a) {
    s->x[a] = (double)at[a] + 0.5;
    s->v[a] = FAULT == VELOCITY && id == 77 ? NAN : sin((double)(3 * id + a));
  }
}
static double skin(const void *state) {
  (void)state;
  return FAULT == SKIN ? -1 : 0.2;
}
static double step(const void *state) {
  (void)state;
  return 0.01;
}
static double energy(const pel_totals *t, const void *state) {
  (void)state;
  return t->kinetic + t->potential;
}

static const pel_attribute attributes[] = {
#if FAULT == ATTRIBUTE
    PEL_ATTRIBUTE(puff, velocity, .role = PEL_CARRIED, .unit = "1", .doc = "taken"),
#endif
    PEL_ATTRIBUTE(puff, heat, .role = PEL_CARRIED, .unit = "1", .doc = "time passed")};
static const pel_number numbers[] = {
#if FAULT == NUMBER
    {.name = "clock", .offset = offsetof(puff, work), .unit = "1", .doc = "taken"},
#elif FAULT == TWICE
    {.name = "heat", .offset = offsetof(puff, work), .unit = "1", .doc = "taken"},
#endif
    PEL_NUMBER(puff, work, .unit = "1", .doc = "work")};
static const pel_pair_stage pairs = {
    .kernels = kernels, .coefficients = coefficients, .ranges = ranges};
static const pel_particle_stage forces[] = {{"pairs", PEL_PAIRS, .pairs = &pairs}};
static const pel_particle_stage program[] = {
    {"kick", PEL_KICK, .part = 0.5},
    {"drift", PEL_DRIFT, .part = 1},
    {"forces", PEL_FORCES},
    {"kick", PEL_KICK, .part = 0.5},
    {"warm", PEL_PARTICLES, .kernel = FAULT == KERNEL ? 0 : warm}};
static const pel_particle_model particles = {
    PEL_TABLE(attributes), PEL_TABLE(numbers), PEL_TABLE(forces), PEL_TABLE(program), .box = box,
    .seed = seed,          .skin = skin,       .time_step = step};
static const pel_diagnostic diagnostics[] = {
    {.name = "energy", .total = energy, .unit = "1", .doc = "kinetic and potential"}};
static const pel_model model = {PEL_MODEL("puff", puff, "Particles that push", "none"),
                                .particles = &particles, PEL_TABLE(diagnostics)};
PEL_PLUGIN(model);
