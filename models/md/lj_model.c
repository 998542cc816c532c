/* Lennard-Jones particles of one or several types; see md.h for what they share with others. */
#include <math.h>

#include "lj.h"
#include "pairs.h"

typedef struct {
  pel__md_pairwise p;
  int mixing; /* parameter */
  bool tail;  /* parameter */
} lj;

static const pel_param params[] = {
    PEL__MD_PARAMS,
    PEL__MD_NUMBER(0, "epsilon", "1", "depth of the potential of each type, or one for all"),
    PEL__MD_NUMBER(1, "sigma", "1", "diameter of each type, or one for all"),
    PEL_OPTION(lj, mixing, "arithmetic", "arithmetic|geometric|sixthpower",
               "how epsilon and sigma of two types make those of their pair"),
    PEL__MD_PAIRS("'1-2 1.5 0.8 2, 2-2 0.5 0.88': epsilon, sigma"),
    PEL__MD_CUTOFF("2.5", ""),
    PEL__MD_SHIFT,
    PEL_OPTION(lj, tail, "no", NULL,
               "energy and pressure of what lies beyond the cut-off, as in a uniform fluid"),
    PEL__MD_COMMON};

/* ---- pairs of types ---- */

static const pel__md_number numbers[] = {{"epsilon", PEL__MD_NOT_NEGATIVE},
                                         {"sigma", PEL__MD_POSITIVE}};

/* Lorentz & Berthelot; Good & Hope; Waldman & Hagler 1993, doi:10.1002/jcc.540140909. */
enum { ARITHMETIC, GEOMETRIC, SIXTH_POWER };

static void mix(const void *state, const double *a, const double *b, double *x) {
  const int rule = ((const lj *)state)->mixing;
  const double e = sqrt(a[0] * b[0]), s = pow(a[1], 3), t = pow(b[1], 3);
  x[0] = e;
  if (a[0] == b[0] && a[1] == b[1])
    x[0] = a[0], x[1] = a[1];
  else if (rule == ARITHMETIC)
    x[1] = (a[1] + b[1]) / 2;
  else if (rule == GEOMETRIC)
    x[1] = sqrt(a[1] * b[1]);
  else
    x[0] = 2 * e * (s * t) / (s * s + t * t), x[1] = pow((s * s + t * t) / 2, 1. / 6);
}

static void setup(pel_sim *s, void *state) {
  lj *c = state;
  pel__md *md = &c->p.md;
  pel__md_pairs_setup(s, &c->p, PEL_N(numbers), numbers, mix);
  if (!c->tail) return;
  if (md->shift == PEL__LJ_FORCE_SHIFTED || md->crystal.lattice->dims == 2)
    pel_reject(s, NULL, "tail", "%s has no correction for what lies beyond the cut-off",
               md->shift == PEL__LJ_FORCE_SHIFTED ? "shift = force" : "a two-dimensional system");
  for (int i = 0; i < md->crystal.ntypes; ++i)
    for (int j = 0; j < md->crystal.ntypes; ++j) {
      const pel__md_pair *p = &c->p.of[i][j];
      pel__md_tail(md, i, j, pel__lj_tail_energy(p->x[0], p->x[1], p->cutoff),
                   pel__lj_tail_virial(p->x[0], p->x[1], p->cutoff));
    }
}

static double coefficients(const void *state, int ti, int tj, double *c) {
  const pel__md_pairwise *m = state;
  const pel__md_pair *p = &m->of[ti][tj];
  pel__lj_coefficients((pel__lj_kind)m->md.shift, p->x[0], p->x[1], p->cutoff, c);
  return p->cutoff;
}

static pel__md_usual scale(const pel__md_pair *p, double spacing) {
  const double e = fmax(p->x[0], 1e-30), force = e / p->x[1];
  (void)spacing;
  return (pel__md_usual){e, force, force};
}

static const pel_pair_kernels *kernels(const void *state) {
  const pel__md *md = state;
  return md->shift == PEL__LJ_FORCE_SHIFTED ? PEL__MD_PRECISE(md, pel__lj_smooth)
                                            : PEL__MD_PRECISE(md, pel__lj);
}

/* ---- the model ---- */

PEL__MD_PAIRWISE;

const pel_model pel_model_lj = {PEL_MODEL("lj", lj, "Molecular dynamics of Lennard-Jones particles",
                                          "Allen & Tildesley (2017)"),
                                PEL_TABLE(params), PEL__MD_DIAGNOSTICS, .particles = &particles,
                                .setup = setup};
