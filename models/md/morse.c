/* Morse's potential (Morse 1929, doi:10.1103/PhysRev.34.57). */
#include "morse_pairs.h"
#include "pairs.h"

#include <math.h>

void pel__shift_coefficients(pel__lj_kind kind, double rc, double u, double slope, double *c) {
  c[1] = kind == PEL__LJ_FORCE_SHIFTED ? slope : 0;
  c[0] = kind == PEL__LJ_CUT ? 0 : u - rc * c[1];
}

void pel__morse_coefficients(pel__lj_kind kind, double depth, double a, double r0, double rc,
                             double *c) {
  const double y = pel__exp(-a * (rc - r0));
  pel__shift_coefficients(kind, rc, depth * y * (y - 2), -2 * a * depth * y * (y - 1), c);
  c[2] = depth, c[3] = 2 * a * depth, c[4] = a, c[5] = r0;
}

/* ---- the model ---- */

static const pel_param params[] = {
    PEL__MD_PARAMS,
    PEL__MD_NUMBER(0, "depth", "1", "depth D of the potential of each type, or one for all"),
    PEL__MD_NUMBER(1, "stiffness", "6", "a, an inverse length, of each type, or one for all"),
    PEL__MD_NUMBER(2, "distance", "1.1",
                   "r0, where the potential is deepest, of each type, or one for all"),
    PEL__MD_PAIRS("'1-2 1.5 5 1.2': depth, stiffness, distance"),
    PEL__MD_SHIFT,
    PEL__MD_CUTOFF("2.5", ""),
    PEL__MD_COMMON};

static const pel__md_number numbers[] = {
    {"depth", PEL__MD_POSITIVE}, {"stiffness", PEL__MD_POSITIVE}, {"distance", PEL__MD_POSITIVE}};

static void setup(pel_sim *s, void *state) {
  pel__md_pairwise *c = state;
  pel__md_pairs_setup(s, c, PEL_N(numbers), numbers, NULL);
}

static double coefficients(const void *state, int ti, int tj, double *c) {
  const pel__md_pairwise *m = state;
  const pel__md_pair *p = &m->of[ti][tj];
  pel__morse_coefficients((pel__lj_kind)m->md.shift, p->x[0], p->x[1], p->x[2], p->cutoff, c);
  return p->cutoff;
}

static pel__md_usual scale(const pel__md_pair *p, double spacing) {
  (void)spacing;
  return (pel__md_usual){p->x[0], p->x[0] * p->x[1], p->x[0] / p->x[2]};
}

PEL__MD_KERNELS(pel__morse)
PEL__MD_PAIRWISE;

const pel_model pel_model_morse = {
    PEL_MODEL("morse", pel__md_pairwise, "Molecular dynamics of particles with Morse's potential",
              "Morse (1929)"),
    PEL_TABLE(params), PEL__MD_DIAGNOSTICS, .particles = &particles, .setup = setup};
