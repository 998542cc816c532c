/* Yukawa's potential, or the screened Coulomb potential (Debye & Hueckel 1923; Hynninen & Dijkstra
 * 2003, doi:10.1103/PhysRevE.68.021407). */
#include "pairs.h"
#include "yukawa_pairs.h"

#include <math.h>

void pel__yukawa_coefficients(pel__lj_kind kind, double a, double kappa, double rc, double *c) {
  const double u = a * pel__exp(-kappa * rc) / rc;
  pel__shift_coefficients(kind, rc, u, -u * (kappa + 1 / rc), c);
  c[2] = a, c[3] = kappa;
}

/* ---- the model ---- */

static const pel_param params[] = {
    PEL__MD_PARAMS,
    PEL__MD_NUMBER(0, "strength", "10",
                   "A, an energy times a length, of each type, or one for all; of two types the "
                   "root of the product"),
    PEL__MD_NUMBER(1, "kappa", "2",
                   "inverse of the screening length, of each type, or one for all"),
    PEL__MD_PAIRS("'1-2 -4 2': strength, kappa"),
    PEL__MD_SHIFT,
    PEL__MD_CUTOFF("2.5", ""),
    PEL__MD_COMMON};

static const pel__md_number numbers[] = {{"strength", PEL__MD_ANY},
                                         {"kappa", PEL__MD_NOT_NEGATIVE}};

static void mix(const void *state, const double *a, const double *b, double *x) {
  (void)state;
  x[0] = sqrt(a[0] * b[0]), x[1] = (a[1] + b[1]) / 2;
}

static void setup(pel_sim *s, void *state) {
  pel__md_pairwise *c = state;
  pel__md_pairs_setup(s, c, PEL_N(numbers), numbers, mix);
}

static double coefficients(const void *state, int ti, int tj, double *c) {
  const pel__md_pairwise *m = state;
  const pel__md_pair *p = &m->of[ti][tj];
  pel__yukawa_coefficients((pel__lj_kind)m->md.shift, p->x[0], p->x[1], p->cutoff, c);
  return p->cutoff;
}

/* At the distance of neighbours it may be much weaker than where it is not screened. */
static pel__md_usual scale(const pel__md_pair *p, double spacing) {
  const double a = fmax(fabs(p->x[0]), 1e-30), kappa = p->x[1],
               near = kappa * p->cutoff > 1 ? 1 / kappa : p->cutoff, most = a / (near * near),
               usual = a * pel__exp(-kappa * spacing) * (kappa + 1 / spacing) / spacing;
  return (pel__md_usual){a / near, most, fmin(fmax(usual / 4, most / 0x1p10), most)};
}

PEL__MD_KERNELS(pel__yukawa)
PEL__MD_PAIRWISE;

const pel_model pel_model_yukawa = {
    PEL_MODEL("yukawa", pel__md_pairwise, "Molecular dynamics of particles with Yukawa's potential",
              "Yukawa (1935)"),
    PEL_TABLE(params), PEL__MD_DIAGNOSTICS, .particles = &particles, .setup = setup};
