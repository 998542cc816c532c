/* Heat conduction du/dt = kappa laplacian(u) in 1, 2 or 3 dimensions, second-order centred
 * differences (LeVeque 2007, Finite Difference Methods, chapter 9).  The tutorial model. */
#include <math.h>
#include "pelsim/model.h"

typedef struct {
  pel_box box;             /* parameters */
  double kappa, amplitude; /* parameters */
  double *u, *du;          /* the field and its rate */
} heat;
static const pel_param params[] = {
    PEL_BOX_PARAMS(heat, box),
    PEL_PARAM(heat, kappa, "1", 1e-12, 1e6, "m2 s-1", "thermal diffusivity"),
    PEL_PARAM(heat, amplitude, "1", -1e6, 1e6, "K", "height of the initial wave")};
static const pel_field fields[] = {PEL_FIELD(heat, u, .rate = PEL_RATE(heat, du),
                                             .prognostic = true, .unit = "K",
                                             .standard_name = "temperature", .doc = "temperature")};

static void grid(pel_grid *g, const void *state) { pel_box_grid(g, &((const heat *)state)->box); }
static void laplacian(const pel_tile *t, const void *state) {
  const heat *c = state;
  const double *restrict u = c->u, *d = t->d, ax = c->kappa / (d[0] * d[0]),
                         ay = c->kappa / (d[1] * d[1]), az = c->kappa / (d[2] * d[2]);
  const ptrdiff_t sy = t->sy, sz = t->sz; /* 0 along an axis that does not exist */
  double *restrict du = c->du;
  PEL_ROWS(t, j, k, p0, p1) {
#pragma omp simd
    for (ptrdiff_t p = p0; p < p1; ++p)
      du[p] = ax * ((u[p - 1] + u[p + 1]) - 2 * u[p]) + ay * ((u[p - sy] + u[p + sy]) - 2 * u[p]) +
              az * ((u[p - sz] + u[p + sz]) - 2 * u[p]);
  }
}
static void rate(const pel_tile *t, const void *state) { /* of the shortest wave on the grid */
  double r = 0;
  for (int a = 0; a < 3; ++a) r += t->n[a] > 1 ? 4 / (t->d[a] * t->d[a]) : 0;
  PEL_EACH(t, i, j, k, p) t->out[p] = ((const heat *)state)->kappa * r;
}
static void wave(const pel_tile *t, const void *state) { /* the longest that the boundary allows */
  const heat *c = state;
  PEL_EACH(t, i, j, k, p) {
    const double at[3] = {i + .5, j + .5, k + .5};
    t->out[p] = c->amplitude;
    for (int a = 0; a < 3; ++a) {
      const double q = (c->box.boundary ? 1 : 2) * PEL_PI / (double)(t->n[a] * t->d[a]);
      const double x = q * pel_coordinate(t, a, at[a]), decay = exp(-c->kappa * q * q * t->time);
      if (t->n[a] > 1) t->out[p] *= decay * (c->box.boundary == PEL_BOX_FIXED ? sin(x) : cos(x));
    }
  }
}
static const pel_stage program[] = {{"laplacian", .kernel = laplacian,
                                     PEL_READS(PEL_AT(heat, u, 1)), PEL_WRITES(PEL_OF(heat, du))}};
static const pel_limit limits[] = {{.name = "diffusion", .spectrum = PEL_DECAYS, .kernel = rate}};
static const pel_exact exact[] = {{.field = PEL_OF(heat, u), .kernel = wave}};

const pel_model pel_model_heat = {
    PEL_MODEL("heat", heat, "Heat conduction in 1, 2 or 3 dimensions", "LeVeque (2007)"),
    PEL_TABLES5(params, fields, program, limits, exact), .scheme = "euler", .grid = grid};
