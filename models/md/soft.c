/* The soft cosine potential of LAMMPS' pair style soft: particles may pass through each other, so
 * that a start with overlaps can be relaxed. */
#include <math.h>

#include "pairs.h"
#include "soft_pairs.h"

void pel__soft_coefficients(double a, double rc, double *c) { c[0] = a, c[1] = 1 / rc; }

/* ---- the model ---- */

static const pel_param params[] = {
    PEL__MD_PARAMS,
    PEL__MD_NUMBER(
        0, "strength", "10",
        "A, half the energy of two particles in one place, of each type, or one for all"),
    PEL__MD_PAIRS("'1-2 20': strength"), PEL__MD_CUTOFF("1.1225", ""), PEL__MD_COMMON};

static const pel__md_number numbers[] = {{"strength", PEL__MD_POSITIVE}};

static void mix(const void *state, const double *a, const double *b, double *x) {
  (void)state;
  x[0] = sqrt(a[0] * b[0]);
}

static void setup(pel_sim *s, void *state) {
  pel__md_pairwise *c = state;
  pel__md_pairs_setup(s, c, PEL_N(numbers), numbers, mix);
}

static double coefficients(const void *state, int ti, int tj, double *c) {
  const pel__md_pairwise *m = state;
  const pel__md_pair *p = &m->of[ti][tj];
  pel__soft_coefficients(p->x[0], p->cutoff, c);
  return p->cutoff;
}

/* A thousand particles may be in one place. */
static pel__md_usual scale(const pel__md_pair *p, double spacing) {
  const double force = p->x[0] / p->cutoff / 0x1p4;
  (void)spacing;
  return (pel__md_usual){p->x[0], force, force};
}

PEL__MD_KERNELS(pel__soft)
PEL__MD_PAIRWISE;

const pel_model pel_model_soft = {
    PEL_MODEL("soft", pel__md_pairwise, "Molecular dynamics of soft particles, which may overlap",
              "Thompson et al. (2022)"),
    PEL_TABLE(params), PEL__MD_DIAGNOSTICS, .particles = &particles, .setup = setup};
