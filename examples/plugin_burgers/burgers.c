/* Viscous Burgers equation in 1, 2 or 3 dimensions,
 *
 *     du/dt + sum_a d(u^2/2)/dx_a = nu laplacian(u),
 *
 * in a periodic box, by centred fluxes that conserve the mean and, without viscosity, the energy
 * u^2/2 as well (Tadmor 1984, J. Math. Anal. Appl. 103):
 *
 *     f(i-1/2) = (u(i-1)^2 + u(i-1) u(i) + u(i)^2) / 6.
 *
 * Exact solution (Cole-Hopf; Wood 2006, doi:10.1002/cnm.850): with the wave vector q of the box,
 * K = |q|^2 and S = sum_a q_a,
 *
 *     u = mean + (K/S) v(q.x - S mean t, K t),
 *     v(xi, tau) = 2 nu exp(-nu tau) sin(xi) / (a + exp(-nu tau) cos(xi)),   a > 1. */
#include <math.h>
#include "pelsim/model.h"

struct burgers {
  pel_box box; /* parameters */
  double nu, mean, steepness;
  double *u, *du; /* the field and its rate */
};

static const pel_param params[] = {
    PEL_BOX_PARAMS(struct burgers, box),
    PEL_PARAM(struct burgers, nu, "0.02", 1e-12, 1e6, "m2 s-1", "kinematic viscosity"),
    PEL_PARAM(struct burgers, mean, "0.5", -1e3, 1e3, "m s-1", "mean velocity"),
    PEL_PARAM(struct burgers, steepness, "1.2", 1.0001, 1e6, "1",
              "constant a of the initial wave; the nearer to 1, the steeper")};

static const pel_field fields[] = {
    PEL_FIELD(struct burgers, u, .rate = PEL_RATE(struct burgers, du), .prognostic = true,
              .unit = "m s-1", .doc = "velocity")};

static void setup(pel_sim *s, void *state) {
  const struct burgers *c = state;
  if (c->box.boundary != PEL_BOX_PERIODIC)
    pel_reject(s, "grid", "boundary", "burgers needs a periodic box");
}

static void grid(pel_grid *g, const void *state) {
  pel_box_grid(g, &((const struct burgers *)state)->box);
}

/* Minus the divergence of the flux along one axis, times the cell size, from the cell before (b),
 * the cell itself and the cell after (a): the terms in u*u cancel. */
static inline double convergence(double b, double u, double a) {
  return ((b * b - a * a) + u * (b - a)) / 6;
}

static void motion(const pel_tile *t, const void *state) {
  const struct burgers *c = state;
  const double *restrict u = c->u, *d = t->d;
  const double cx = 1 / d[0], ax = c->nu / (d[0] * d[0]);
  const double cy = 1 / d[1], ay = c->nu / (d[1] * d[1]);
  const double cz = 1 / d[2], az = c->nu / (d[2] * d[2]);
  double *restrict du = c->du;
  const ptrdiff_t sy = t->sy, sz = t->sz; /* 0 along an axis that does not exist */
  PEL_ROWS(t, j, k, p0, p1) {
#pragma omp simd
    for (ptrdiff_t p = p0; p < p1; ++p)
      du[p] =
          (cx * convergence(u[p - 1], u[p], u[p + 1]) + ax * ((u[p - 1] + u[p + 1]) - 2 * u[p])) +
          (cy * convergence(u[p - sy], u[p], u[p + sy]) +
           ay * ((u[p - sy] + u[p + sy]) - 2 * u[p])) +
          (cz * convergence(u[p - sz], u[p], u[p + sz]) +
           az * ((u[p - sz] + u[p + sz]) - 2 * u[p]));
  }
}

static void advection_rate(const pel_tile *t, const void *state) {
  const struct burgers *c = state;
  double r = 0;
  for (int a = 0; a < 3; ++a) r += t->n[a] > 1 ? 1 / t->d[a] : 0;
  PEL_ROWS(t, j, k, p0, p1) for (ptrdiff_t p = p0; p < p1; ++p) t->out[p] = r * fabs(c->u[p]);
}

static void viscous_rate(const pel_tile *t, const void *state) {
  const struct burgers *c = state;
  double r = 0;
  for (int a = 0; a < 3; ++a) r += t->n[a] > 1 ? 4 * c->nu / (t->d[a] * t->d[a]) : 0;
  PEL_ROWS(t, j, k, p0, p1) for (ptrdiff_t p = p0; p < p1; ++p) t->out[p] = r;
}

/* The exact solution in the cell `at` of the block, at t->time. */
static double wave(const pel_tile *t, const struct burgers *c, const ptrdiff_t at[3]) {
  double xi = 0, K = 0, S = 0;
  for (int a = 0; a < 3; ++a) {
    if (t->n[a] < 2) continue;
    const double q = 2 * PEL_PI / ((double)t->n[a] * t->d[a]);
    xi += q * (pel_coordinate(t, a, (double)at[a] + .5) - c->mean * t->time);
    K += q * q;
    S += q;
  }
  const double decay = exp(-c->nu * K * t->time);
  return c->mean + K / S * 2 * c->nu * decay * sin(xi) / (c->steepness + decay * cos(xi));
}

static void exact_u(const pel_tile *t, const void *state) {
  PEL_ROWS(t, j, k, p0, p1) {
    for (ptrdiff_t p = p0; p < p1; ++p)
      t->out[p] = wave(t, state, (const ptrdiff_t[]){t->lo[0] + p - p0, j, k});
  }
}

static void velocity(const pel_tile *t, const void *state) {
  const double *restrict u = ((const struct burgers *)state)->u;
  PEL_ROWS(t, j, k, p0, p1) for (ptrdiff_t p = p0; p < p1; ++p) t->out[p] = u[p];
}

static void energy(const pel_tile *t, const void *state) {
  const double *restrict u = ((const struct burgers *)state)->u;
  PEL_ROWS(t, j, k, p0, p1) for (ptrdiff_t p = p0; p < p1; ++p) t->out[p] = u[p] * u[p] / 2;
}

static const pel_stage program[] = {{.name = "motion",
                                     .kernel = motion,
                                     PEL_READS(PEL_AT(struct burgers, u, 1)),
                                     PEL_WRITES(PEL_OF(struct burgers, du))}};
static const pel_limit limits[] = {{.name = "advection",
                                    .spectrum = PEL_OSCILLATES,
                                    .kernel = advection_rate,
                                    PEL_READS(PEL_AT(struct burgers, u, 0)),
                                    .doc = "shortest wave that the velocity carries"},
                                   {.name = "viscosity",
                                    .spectrum = PEL_DECAYS,
                                    .kernel = viscous_rate,
                                    .doc = "shortest wave of the grid"}};
static const pel_diagnostic diagnostics[] = {{.name = "mean_u",
                                              .reduction = PEL_MEAN,
                                              .kernel = velocity,
                                              PEL_READS(PEL_AT(struct burgers, u, 0)),
                                              .unit = "m s-1",
                                              .doc = "mean velocity, conserved"},
                                             {.name = "energy",
                                              .reduction = PEL_MEAN,
                                              .kernel = energy,
                                              PEL_READS(PEL_AT(struct burgers, u, 0)),
                                              .unit = "m2 s-2",
                                              .doc = "mean kinetic energy"}};
static const pel_exact exact[] = {{.field = PEL_OF(struct burgers, u), .kernel = exact_u}};

static const pel_model model = {
    PEL_MODEL("burgers", struct burgers, "Viscous Burgers equation in a periodic box",
              "Wood (2006), doi:10.1002/cnm.850"),
    PEL_TABLE(params),
    PEL_TABLE(fields),
    PEL_TABLE(program),
    PEL_TABLE(limits),
    PEL_TABLE(diagnostics),
    PEL_TABLE(exact),
    .scheme = "rk4",
    .setup = setup,
    .grid = grid};

PEL_PLUGIN(model);
