/* Buckingham's potential (Buckingham 1938, doi:10.1098/rspa.1938.0173), also called exp-6.
 *
 * Where r is small -C/r^6 wins and particles would fall into each other.  Within the radius of the
 * barrier before that, force and energy are numbers that no range has, so that the run stops and
 * names the pair: it is beyond what the potential describes. */
#include "buckingham_pairs.h"
#include "pairs.h"

#include <math.h>

/* u' = 0 where r^7 e^(-r/rho) = 6 C rho/A.  The left side has its maximum at 7 rho: below lies the
 * barrier, beyond the minimum of u. */
static double extremum(double a, double rho, double c6, bool minimum) {
  if (!(c6 > 0) || !(a > 0)) return 0;
  const double level = log(6 * c6 * rho / a);
  double below = minimum ? 1e3 * rho : 0, above = 7 * rho; /* of the level, the left side is */
  if (7 * log(above) - 7 <= level) return INFINITY;        /* attraction wins everywhere */
  for (int n = 0; n < 200; ++n) {
    const double r = (below + above) / 2;
    *(7 * log(r) - r / rho < level ? &below : &above) = r;
  }
  return above;
}

double pel__buckingham_barrier(double a, double rho, double c6) {
  return extremum(a, rho, c6, false);
}
double pel__buckingham_minimum(double a, double rho, double c6) {
  return extremum(a, rho, c6, true);
}

void pel__buckingham_coefficients(pel__lj_kind kind, double a, double rho, double c6, double rc,
                                  double *c) {
  const double push = a * pel__exp(-rc / rho), pull = c6 / (rc * rc * rc * rc * rc * rc);
  const double barrier = pel__buckingham_barrier(a, rho, c6);
  pel__shift_coefficients(kind, rc, push - pull, 6 * pull / rc - push / rho, c);
  c[2] = a, c[3] = 1 / rho, c[4] = c6, c[5] = barrier * barrier;
}

/* ---- the model ---- */

static const pel_param params[] = {
    PEL__MD_PARAMS,
    PEL__MD_NUMBER(
        0, "strength", "162755",
        "A, an energy, of each type, or one for all; of two types the root of the product"),
    PEL__MD_NUMBER(
        1, "rho", "0.09354",
        "decay length of the repulsion, of each type, or one for all; of two types the mean"),
    PEL__MD_NUMBER(2, "dispersion", "4",
                   "C, an energy times length^6, of each type, or one for all; of two types the "
                   "root of the product"),
    PEL__MD_PAIRS("'1-2 9e4 0.12 2': strength, rho, dispersion"),
    PEL__MD_SHIFT,
    PEL__MD_CUTOFF("2.5", ""),
    PEL__MD_COMMON};

static const pel__md_number numbers[] = {{"strength", PEL__MD_POSITIVE},
                                         {"rho", PEL__MD_POSITIVE},
                                         {"dispersion", PEL__MD_NOT_NEGATIVE}};

static void mix(const void *state, const double *a, const double *b, double *x) {
  (void)state;
  x[0] = sqrt(a[0] * b[0]), x[1] = (a[1] + b[1]) / 2, x[2] = sqrt(a[2] * b[2]);
}

static void setup(pel_sim *s, void *state) {
  pel__md_pairwise *c = state;
  pel__md_pairs_setup(s, c, PEL_N(numbers), numbers, mix);
  for (int i = 0; i < c->md.crystal.ntypes; ++i)
    for (int j = 0; j <= i; ++j) {
      const pel__md_pair *p = &c->of[i][j];
      if (isinf(pel__buckingham_barrier(p->x[0], p->x[1], p->x[2])))
        pel_reject(s, NULL, "dispersion",
                   "attraction wins at every distance for types %d and %d: with rho = %g, "
                   "dispersion must be less than %g times strength",
                   j + 1, i + 1, p->x[1], pow(7 / 2.718281828459045, 7) * pow(p->x[1], 6) / 6);
    }
}

static double coefficients(const void *state, int ti, int tj, double *c) {
  const pel__md_pairwise *m = state;
  const pel__md_pair *p = &m->of[ti][tj];
  pel__buckingham_coefficients((pel__lj_kind)m->md.shift, p->x[0], p->x[1], p->x[2], p->cutoff, c);
  return p->cutoff;
}

static pel__md_usual scale(const pel__md_pair *p, double spacing) {
  const double a = p->x[0], rho = p->x[1], c6 = p->x[2], r = pel__buckingham_minimum(a, rho, c6);
  const bool bound = r > 0 && isfinite(r);
  const double energy = bound ? fabs(a * pel__exp(-r / rho) - c6 / pow(r, 6)) : a / 0x1p11,
               force = energy / (bound ? r : rho),
               near = fabs(a / rho * pel__exp(-spacing / rho) - 6 * c6 / pow(spacing, 7));
  return (pel__md_usual){energy, force, fmax(force, near / 8)};
}

PEL__MD_KERNELS(pel__buckingham)
PEL__MD_PAIRWISE;

const pel_model pel_model_buckingham = {
    PEL_MODEL("buckingham", pel__md_pairwise,
              "Molecular dynamics of particles with Buckingham's exp-6 potential",
              "Buckingham (1938)"),
    PEL_TABLE(params), PEL__MD_DIAGNOSTICS, .particles = &particles, .setup = setup};
