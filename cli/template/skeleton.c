/* @NAME@: a passive tracer, carried by a constant wind and spread by diffusion,
 *
 *     du/dt = -c . grad(u) + kappa laplacian(u),
 *
 * centred differences of second order in 1, 2 or 3 dimensions (LeVeque 2007, Finite Difference
 * Methods, chapter 10).  Replace the equation by yours: the tables say what exists, the kernels
 * what happens in a box of cells, and the layer does the rest. */
#include <math.h>
#include "pelsim/model.h"

struct state {
  pel_box box; /* parameters */
  double wind_x, wind_y, wind_z, kappa, amplitude;
  double *u, *du; /* the field and its rate */
};

static const pel_param params[] = {
    PEL_BOX_PARAMS(struct state, box),
    PEL_PARAM(struct state, wind_x, "1", -1e3, 1e3, "m s-1", "wind along x"),
    PEL_PARAM(struct state, wind_y, "0.5", -1e3, 1e3, "m s-1", "wind along y"),
    PEL_PARAM(struct state, wind_z, "0.25", -1e3, 1e3, "m s-1", "wind along z"),
    PEL_PARAM(struct state, kappa, "0.01", 0, 1e6, "m2 s-1", "diffusivity"),
    PEL_PARAM(struct state, amplitude, "1", -1e6, 1e6, "kg m-3", "height of the initial wave")};

static const pel_field fields[] = {PEL_FIELD(struct state, u, .rate = PEL_RATE(struct state, du),
                                             .prognostic = true, .unit = "kg m-3",
                                             .doc = "concentration of the tracer")};

static void setup(pel_sim *s, void *state) {
  const struct state *c = state;
  if (c->box.boundary != PEL_BOX_PERIODIC)
    pel_reject(s, "grid", "boundary", "@NAME@ needs a periodic box");
}

static void grid(pel_grid *g, const void *state) {
  pel_box_grid(g, &((const struct state *)state)->box);
}

/* The rate of change.  It may be called for any box of cells, in any order, on any thread. */
static void transport(const pel_tile *t, const void *state) {
  const struct state *c = state;
  const double *restrict u = c->u, *d = t->d;
  const double cx = c->wind_x / (2 * d[0]), ax = c->kappa / (d[0] * d[0]);
  const double cy = c->wind_y / (2 * d[1]), ay = c->kappa / (d[1] * d[1]);
  const double cz = c->wind_z / (2 * d[2]), az = c->kappa / (d[2] * d[2]);
  double *restrict du = c->du;
  const ptrdiff_t sy = t->sy, sz = t->sz; /* 0 along an axis that does not exist */
  PEL_ROWS(t, j, k, p0, p1) {
#pragma omp simd
    for (ptrdiff_t p = p0; p < p1; ++p)
      du[p] = (ax * ((u[p + 1] + u[p - 1]) - 2 * u[p]) - cx * (u[p + 1] - u[p - 1])) +
              (ay * ((u[p + sy] + u[p - sy]) - 2 * u[p]) - cy * (u[p + sy] - u[p - sy])) +
              (az * ((u[p + sz] + u[p - sz]) - 2 * u[p]) - cz * (u[p + sz] - u[p - sz]));
  }
}

/* Largest rates of the discrete equation, which limit the time step. */
static void wind_rate(const pel_tile *t, const void *state) {
  const struct state *c = state;
  const double wind[3] = {c->wind_x, c->wind_y, c->wind_z};
  double r = 0;
  for (int a = 0; a < 3; ++a) r += t->n[a] > 1 ? fabs(wind[a]) / t->d[a] : 0;
  PEL_ROWS(t, j, k, p0, p1) for (ptrdiff_t p = p0; p < p1; ++p) t->out[p] = r;
}

static void diffusion_rate(const pel_tile *t, const void *state) {
  const struct state *c = state;
  double r = 0;
  for (int a = 0; a < 3; ++a) r += t->n[a] > 1 ? 4 * c->kappa / (t->d[a] * t->d[a]) : 0;
  PEL_ROWS(t, j, k, p0, p1) for (ptrdiff_t p = p0; p < p1; ++p) t->out[p] = r;
}

/* The longest wave of the box, moved by the wind and damped: the exact solution at t->time. */
static double wave(const pel_tile *t, const struct state *c, const ptrdiff_t at[3]) {
  const double wind[3] = {c->wind_x, c->wind_y, c->wind_z};
  double phase = 0, decay = 0;
  for (int a = 0; a < 3; ++a) {
    if (t->n[a] < 2) continue;
    const double q = 2 * PEL_PI / ((double)t->n[a] * t->d[a]);
    phase += q * (pel_coordinate(t, a, (double)at[a] + .5) - wind[a] * t->time);
    decay += c->kappa * q * q;
  }
  return c->amplitude * (1 + exp(-decay * t->time) * cos(phase));
}

static void exact_u(const pel_tile *t, const void *state) {
  PEL_ROWS(t, j, k, p0, p1) {
    for (ptrdiff_t p = p0; p < p1; ++p)
      t->out[p] = wave(t, state, (const ptrdiff_t[]){t->lo[0] + p - p0, j, k});
  }
}

static void concentration(const pel_tile *t, const void *state) {
  const double *restrict u = ((const struct state *)state)->u;
  PEL_ROWS(t, j, k, p0, p1) for (ptrdiff_t p = p0; p < p1; ++p) t->out[p] = u[p];
}

static const pel_stage program[] = {{.name = "transport",
                                     .kernel = transport,
                                     PEL_READS(PEL_AT(struct state, u, 1)),
                                     PEL_WRITES(PEL_OF(struct state, du))}};
static const pel_limit limits[] = {{.name = "wind",
                                    .spectrum = PEL_OSCILLATES,
                                    .kernel = wind_rate,
                                    .doc = "shortest wave that the wind carries"},
                                   {.name = "diffusion",
                                    .spectrum = PEL_DECAYS,
                                    .kernel = diffusion_rate,
                                    .doc = "shortest wave of the grid"}};
static const pel_diagnostic diagnostics[] = {{.name = "mean_u",
                                              .reduction = PEL_MEAN,
                                              .kernel = concentration,
                                              PEL_READS(PEL_AT(struct state, u, 0)),
                                              .conserved = true,
                                              .tolerance = 1e-12,
                                              .unit = "kg m-3",
                                              .doc = "mean concentration"}};
static const pel_exact exact[] = {{.field = PEL_OF(struct state, u), .kernel = exact_u}};

static const pel_model model = {
    PEL_MODEL("@NAME@", struct state, "A tracer carried by a constant wind and spread by diffusion",
              "LeVeque (2007)"),
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
