/* A model with one fault of memory or threads, [planted] fault, in a kernel or a hook: what a tool
 * must find in a run of pelsim, or nothing, of which it must be silent.  Compiled without
 * optimisation, which would mend some of them. */
#include <stdlib.h>
#include "pelsim/model.h"

typedef struct {
  pel_box box;
  int fault;
  double *u, *du;
} planted;

enum { NOTHING, RACE, LEAK, OVERFLOW, UNINITIALISED, UNDEFINED };
#define FAULTS "nothing|race|leak|overflow|uninitialised|undefined"

static const pel_param params[] = {
    PEL_BOX_PARAMS(planted, box),
    PEL_OPTION(planted, fault, "nothing", FAULTS, "what is wrong with this model")};
static const pel_field fields[] = {
    PEL_FIELD(planted, u, .rate = PEL_RATE(planted, du), .prognostic = true, .unit = "1")};

static void grid(pel_grid *g, const void *state) {
  pel_box_grid(g, &((const planted *)state)->box);
}

static void *lost; /* what was here is a leak */

static void setup(pel_sim *s, void *state) {
  (void)s;
  if (((const planted *)state)->fault != LEAK) return;
  for (int i = 0; i < 2; ++i) lost = malloc(12345);
  free(lost);
}

static double shared; /* by all threads */
static int sign, most = 0x7fffffff;

static void spread(const pel_tile *t, const void *state) {
  const planted *c = state;
  const ptrdiff_t sy = t->sy, sz = t->sz;
  double rim = 0;
  if (c->fault == OVERFLOW || c->fault == UNINITIALISED) {
    char *few = malloc(100);
    if (c->fault == OVERFLOW) few[100] = 1;
    if (c->fault == UNINITIALISED && few[50] > 3) rim = 1e-3;
    free(few);
  }
  if (c->fault == UNDEFINED) sign = most + (int)t->n[0];
  PEL_EACH(t, i, j, k, p) {
    c->du[p] = rim + (c->u[p - 1] - 2 * c->u[p] + c->u[p + 1]) +
               (c->u[p - sy] - 2 * c->u[p] + c->u[p + sy]) +
               (c->u[p - sz] - 2 * c->u[p] + c->u[p + sz]);
    if (c->fault == RACE) shared += c->u[p];
  }
}
static void hill(const pel_tile *t, const void *state) {
  PEL_EACH(t, i, j, k, p)((const planted *)state)->u[p] = (double)((t->first[0] + i) % 5);
}
static void rate(const pel_tile *t, const void *state) {
  (void)state;
  PEL_EACH(t, i, j, k, p) t->out[p] = 12;
}

static const pel_stage init[] = {{"hill", .kernel = hill, PEL_WRITES(PEL_OF(planted, u))}};
static const pel_stage program[] = {{"spread", .kernel = spread, PEL_READS(PEL_AT(planted, u, 1)),
                                     PEL_WRITES(PEL_OF(planted, du))}};
static const pel_limit limits[] = {{.name = "spreading", .spectrum = PEL_DECAYS, .kernel = rate}};

static const pel_model model = {PEL_MODEL("planted", planted, "A model with one fault", ""),
                                PEL_TABLES5(params, fields, init, program, limits),
                                .scheme = "euler", .grid = grid, .setup = setup};
PEL_PLUGIN(model);
