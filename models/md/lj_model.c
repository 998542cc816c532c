/* Lennard-Jones particles of one or several types; see md.h for what they share with others. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lj.h"
#include "md.h"

typedef struct {
  double epsilon, sigma, cutoff;
} pair;

typedef struct {
  pel__md md;
  int mixing;                                                           /* parameter */
  bool tail;                                                            /* parameter */
  char epsilon[PEL_TEXT_MAX], sigma[PEL_TEXT_MAX], pairs[PEL_TEXT_MAX]; /* parameters */
  pair of[PEL_TYPES][PEL_TYPES];
} lj;

static const pel_param params[] = {
    PEL__MD_PARAMS,
    PEL_OPTION(lj, epsilon, "1", NULL, "depth of the potential of each type, or one for all"),
    PEL_OPTION(lj, sigma, "1", NULL, "diameter of each type, or one for all"),
    PEL_OPTION(lj, mixing, "arithmetic", "arithmetic|geometric|sixthpower",
               "how epsilon and sigma of two types make those of their pair"),
    PEL_OPTION(lj, pairs, "none", NULL,
               "pairs of types that are not mixed, as in '1-2 1.5 0.8 2, 2-2 0.5 0.88': epsilon, "
               "sigma and, if it differs, the cut-off",
               .word = "none"),
    PEL__MD_CUTOFF("2.5", ""),
    PEL__MD_SHIFT,
    PEL_OPTION(lj, tail, "no", NULL,
               "energy and pressure of what lies beyond the cut-off, as in a uniform fluid"),
    PEL__MD_COMMON};

/* ---- pairs of types ---- */

/* Lorentz & Berthelot; Good & Hope; Waldman & Hagler 1993, doi:10.1002/jcc.540140909. */
enum { ARITHMETIC, GEOMETRIC, SIXTH_POWER };

static pair mixed(int rule, double e1, double s1, double e2, double s2) {
  const double e = sqrt(e1 * e2), a = pow(s1, 3), b = pow(s2, 3);
  if (e1 == e2 && s1 == s2) return (pair){e1, s1, 0};
  switch (rule) {
    case ARITHMETIC:
      return (pair){e, (s1 + s2) / 2, 0};
    case GEOMETRIC:
      return (pair){e, sqrt(s1 * s2), 0};
    default:
      return (pair){2 * e * (a * b) / (a * a + b * b), pow((a * a + b * b) / 2, 1. / 6), 0};
  }
}

/* One of the list: "1-2 1.5 0.8" or "1-2 1.5 0.8 2". */
static bool read_pair(lj *c, const char *text) {
  int i, j, end = 0;
  double e, s, rc = c->md.cutoff;
  const int n = c->md.crystal.ntypes;
  if (sscanf(text, "%d -%d %lf %lf %n", &i, &j, &e, &s, &end) != 4 || !end) return false;
  if (text[end]) {
    const char *rest = text + end;
    end = 0;
    if (sscanf(rest, "%lf %n", &rc, &end) != 1 || !end || rest[end]) return false;
  }
  if (i < 1 || j < 1 || i > n || j > n || !(e >= 0 && s > 0 && rc > 0 && isfinite(e + s + rc)))
    return false;
  c->of[i - 1][j - 1] = c->of[j - 1][i - 1] = (pair){e, s, rc};
  return true;
}

static void read_pairs(pel_sim *s, lj *c) {
  char text[PEL_TEXT_MAX];
  if (!*c->pairs) return;
  snprintf(text, sizeof text, "%s", c->pairs);
  for (char *at = text, *next; at; at = next) {
    next = strchr(at, ',');
    if (next) *next++ = 0;
    if (!read_pair(c, at))
      pel_reject(
          s, NULL, "pairs",
          "'%s' is not a pair of the %d type%s with epsilon, sigma and perhaps a cut-off, as "
          "in '1-2 1.5 0.8 2'",
          at, c->md.crystal.ntypes, c->md.crystal.ntypes > 1 ? "s" : "");
  }
}

static void setup(pel_sim *s, void *state) {
  lj *c = state;
  double e[PEL_TYPES], d[PEL_TYPES];
  pel__md_setup(s, &c->md);
  pel__md_by_type(s, &c->md, "epsilon", c->epsilon, e);
  pel__md_by_type(s, &c->md, "sigma", c->sigma, d);
  const int n = c->md.crystal.ntypes;
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j) {
      c->of[i][j] = mixed(c->mixing, e[i], d[i], e[j], d[j]);
      c->of[i][j].cutoff = c->md.cutoff;
    }
  read_pairs(s, c);
  if (!c->tail) return;
  if (c->md.shift == PEL__LJ_FORCE_SHIFTED || c->md.crystal.lattice->dims == 2)
    pel_reject(s, NULL, "tail", "%s has no correction for what lies beyond the cut-off",
               c->md.shift == PEL__LJ_FORCE_SHIFTED ? "shift = force" : "a two-dimensional system");
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j) {
      const pair *p = &c->of[i][j];
      pel__md_tail(&c->md, i, j, pel__lj_tail_energy(p->epsilon, p->sigma, p->cutoff),
                   pel__lj_tail_virial(p->epsilon, p->sigma, p->cutoff));
    }
}

/* ---- hooks ---- */

static double coefficients(const void *state, int ti, int tj, double *c) {
  const lj *p = state;
  const pair *x = &p->of[ti][tj];
  pel__lj_coefficients((pel__lj_kind)p->md.shift, x->epsilon, x->sigma, x->cutoff, c);
  return x->cutoff;
}

static const pel_pair_kernels *kernels(const void *state) {
  return ((const lj *)state)->md.shift == PEL__LJ_FORCE_SHIFTED ? &pel__lj_smooth : &pel__lj;
}

static void ranges(const void *state, double *largest_force, double *largest_energy) {
  const lj *p = state;
  *largest_force = *largest_energy = 0;
  for (int i = 0; i < p->md.crystal.ntypes; ++i)
    for (int j = 0; j < p->md.crystal.ntypes; ++j) {
      const pair *x = &p->of[i][j];
      *largest_force = fmax(*largest_force, 0x1p15 * (x->epsilon / x->sigma));
      *largest_energy = fmax(*largest_energy, 0x1p11 * x->epsilon);
    }
}

/* ---- the model ---- */

static const pel_pair_stage pairs = {
    .kernels = kernels, .coefficients = coefficients, .ranges = ranges};
static const pel_particle_stage forces[] = {{"pairs", PEL_PAIRS, .pairs = &pairs}};
static const pel_particle_model particles = {PEL__MD_DYNAMICS, PEL_TABLE(forces)};

const pel_model pel_model_lj = {PEL_MODEL("lj", lj, "Molecular dynamics of Lennard-Jones particles",
                                          "Allen & Tildesley (2017)"),
                                PEL_TABLE(params), PEL__MD_DIAGNOSTICS, .particles = &particles,
                                .setup = setup};
