/* A model for tests of jobs: heat in a ring that takes as long as it is told to, and can go wrong.
 */
#include <math.h>
#include <signal.h>
#include <time.h>
#include "pelsim/model.h"

typedef struct {
  pel_box box;
  double pace, growth, fatal;
  double *u, *du;
} paced;

static const pel_param params[] = {
    PEL_BOX_PARAMS(paced, box),
    PEL_PARAM(paced, pace, "0", 0, 1000, "s", "wall-clock time that a block sleeps in each step"),
    PEL_PARAM(paced, growth, "0", 0, 1e308, "s-1", "rate at which the temperature grows"),
    PEL_PARAM(paced, fatal, "0", 0, 1e9, "s",
              "model time at which ranks kill themselves; 0: never")};
static const pel_field fields[] = {PEL_FIELD(
    paced, u, .rate = PEL_RATE(paced, du), .prognostic = true, .unit = "K", .doc = "temperature")};

static void grid(pel_grid *g, const void *state) { pel_box_grid(g, &((const paced *)state)->box); }

static void conduct(const pel_tile *t, const void *state) {
  const paced *c = state;
  struct timespec left = {(time_t)c->pace, (long)(1e9 * fmod(c->pace, 1))};
  while (nanosleep(&left, &left)) { /* a signal came */
  }
  if (c->fatal > 0 && t->time >= c->fatal) raise(SIGKILL);
  PEL_EACH(t, i, j, k, p)
  c->du[p] =
      c->growth * c->u[p] + ((c->u[p - 1] + c->u[p + 1]) - 2 * c->u[p]) / (t->d[0] * t->d[0]);
}

static void wave(const pel_tile *t, const void *state) {
  const paced *c = state;
  PEL_EACH(t, i, j, k, p) {
    const double x = pel_coordinate(t, 0, i + .5);
    c->u[p] = cos(20 * x * x);
  }
}

static const pel_stage init[] = {{"wave", .kernel = wave, PEL_WRITES(PEL_OF(paced, u))}};
static const pel_stage program[] = {
    {"conduct", .kernel = conduct, PEL_READS(PEL_AT(paced, u, 1)), PEL_WRITES(PEL_OF(paced, du))}};

static const pel_model model = {
    PEL_MODEL("paced", paced, "Heat in a ring, paced", "LeVeque (2007)"),
    PEL_TABLE(params),
    PEL_TABLE(fields),
    PEL_TABLE(init),
    PEL_TABLE(program),
    .scheme = "euler",
    .grid = grid};
PEL_PLUGIN(model);
