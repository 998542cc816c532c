/* Numbers of pairs of types from a configuration: a list for like pairs, mixing for unlike ones,
 * and pairs that are given. */
#ifndef PEL_MD_PAIRS_H
#define PEL_MD_PAIRS_H

#include "md.h"

enum { PEL__MD_NUMBERS = 3 };

typedef struct {
  const char *key;
  pel__md_bound bound; /* of like pairs and given ones */
} pel__md_number;

/* Numbers x of a pair from those of its two types. */
typedef void pel__md_mix(const void *state, const double *a, const double *b, double *x);

typedef struct {
  double x[PEL__MD_NUMBERS], cutoff;
  bool known, given; /* given: in `pairs` */
} pel__md_pair;

/* The state of a model with one pair potential of this kind, or the first part of it; its texts are
 * parameters. */
typedef struct {
  pel__md md;
  char text[PEL__MD_NUMBERS][PEL_TEXT_MAX], pairs[PEL_TEXT_MAX]; /* parameters */
  pel__md_pair of[PEL_TYPES][PEL_TYPES];
} pel__md_pairwise;

/* clang-format off */
#define PEL__MD_NUMBER(I, KEY, DEF, DOC) \
  {.key = KEY, .type = PEL_TEXT, .offset = offsetof(pel__md_pairwise, text[I]), .def = DEF, .doc = DOC}
#define PEL__MD_PAIRS(DOC) \
  PEL_OPTION(pel__md_pairwise, pairs, "none", NULL, \
             "pairs of types that are not mixed, as in " DOC " and perhaps a cut-off", .word = "none")
/* clang-format on */

/* pel__md_setup, then the n numbers from the texts, one a type or one for all, and `pairs`, a list
 * like "1-2 1.5 0.8 2, 2-2 0.5 0.88": types, the numbers, and if it differs the cut-off.  Without
 * mix unlike pairs must be given. */
void pel__md_pairs_setup(pel_sim *s, pel__md_pairwise *c, int n, const pel__md_number *numbers,
                         pel__md_mix *mix);

/* What is usual for a pair of types, in a system with this distance between neighbours: its energy,
 * of which a pair may have 2^11, and two forces.  In double precision a pair may have 2^15 of the
 * first; in mixed precision forces are rounded to 2^-16 of the second, and those beyond some 2^6 of
 * it take longer. */
typedef struct {
  double energy, force, mixed_force;
} pel__md_usual;
typedef pel__md_usual pel__md_scale(const pel__md_pair *p, double spacing);
/* The largest of all pairs of types. */
void pel__md_ranges(const pel__md_pairwise *c, pel__md_scale *scale, double *largest_force,
                    double *largest_energy);

/* clang-format off */
#define PEL__MD_KERNELS(KERNELS) \
  static const pel_pair_kernels *kernels(const void *state) { \
    return PEL__MD_PRECISE((const pel__md *)state, KERNELS); \
  }
/* Defines `particles` of a model whose file has `kernels`, `coefficients` and `scale`. */
#define PEL__MD_PAIRWISE \
  static void ranges(const void *state, double *largest_force, double *largest_energy) { \
    pel__md_ranges(state, scale, largest_force, largest_energy); \
  } \
  static const pel_pair_stage pairs = {.kernels = kernels, .coefficients = coefficients, .ranges = ranges}; \
  static const pel_particle_stage forces[] = {{"pairs", PEL_PAIRS, .pairs = &pairs}}; \
  static const pel_particle_model particles = {PEL__MD_DYNAMICS, PEL_TABLE(forces)}
/* clang-format on */

#endif
