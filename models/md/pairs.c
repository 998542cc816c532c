#include "pairs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  pel_sim *sim;
  int ntypes, n;
  const pel__md_number *numbers;
  double cutoff;
  pel__md_pair (*of)[PEL_TYPES];
} job;

/* ---- like pairs and mixing ---- */

static void read_like(const job *k, const pel__md_pairwise *c, int number) {
  const pel__md_number *what = &k->numbers[number];
  double x[PEL_TYPES] = {0};
  pel__md_by_type(k->sim, &c->md, NULL, what->key, c->text[number], what->bound, x);
  for (int t = 0; t < k->ntypes; ++t) k->of[t][t].x[number] = x[t];
}

static void mix_pairs(const job *k, const void *state, pel__md_mix *mix) {
  for (int i = 0; i < k->ntypes; ++i)
    for (int j = 0; j < k->ntypes; ++j) {
      pel__md_pair *p = &k->of[i][j];
      p->cutoff = k->cutoff, p->known = i == j || mix;
      if (i != j && mix) mix(state, k->of[i][i].x, k->of[j][j].x, p->x);
    }
}

/* ---- given pairs ---- */

static bool read_pair(const job *k, const char *text) {
  int i, j, end = 0;
  if (sscanf(text, "%d -%d%n", &i, &j, &end) != 2 || !end) return false;
  if (i < 1 || j < 1 || i > k->ntypes || j > k->ntypes) return false;
  pel__md_pair p = {.cutoff = k->cutoff, .known = true};
  const char *at = text + end;
  for (int m = 0; m <= k->n; ++m) {
    char *stop;
    const double x = strtod(at, &stop);
    if (stop == at && m == k->n) break;
    if (stop == at || !isfinite(x)) return false;
    if (!pel__md_within(m < k->n ? k->numbers[m].bound : PEL__MD_POSITIVE, x)) return false;
    *(m < k->n ? &p.x[m] : &p.cutoff) = x;
    at = stop;
  }
  if (at[strspn(at, " \t")]) return false;
  pel__md_pair *to = &k->of[i - 1][j - 1];
  if (to->given) pel_reject(k->sim, NULL, "pairs", "types %d and %d are here twice", i, j);
  p.given = true;
  *to = k->of[j - 1][i - 1] = p;
  return true;
}

static void read_pairs(const job *k, const char *pairs) {
  char text[PEL_TEXT_MAX], names[200];
  int used = 0;
  for (int m = 0; m < k->n; ++m)
    used += snprintf(names + used, sizeof names - (size_t)used, "%s%s", m ? ", " : "",
                     k->numbers[m].key);
  snprintf(text, sizeof text, "%s", pairs);
  for (char *at = text, *next; at; at = next) {
    next = strchr(at, ',');
    if (next) *next++ = 0;
    if (!read_pair(k, at))
      pel_reject(k->sim, NULL, "pairs",
                 "'%s' is not a pair of the %d type%s with %s and perhaps a cut-off, each in its "
                 "range; types are given as 1-2",
                 at, k->ntypes, k->ntypes > 1 ? "s" : "", names);
  }
}

void pel__md_pairs_setup(pel_sim *s, pel__md_pairwise *c, int n, const pel__md_number *numbers,
                         pel__md_mix *mix) {
  pel__md_setup(s, &c->md);
  const job k = {s, c->md.crystal.ntypes, n, numbers, c->md.cutoff, c->of};
  for (int m = 0; m < n; ++m) read_like(&k, c, m);
  mix_pairs(&k, c, mix);
  if (!pel__md_knows_types(&c->md)) return;
  if (*c->pairs) read_pairs(&k, c->pairs);
  for (int i = 0; i < k.ntypes; ++i)
    for (int j = 0; j < i; ++j)
      if (!c->of[i][j].known)
        pel_reject(s, NULL, "pairs",
                   "no rule mixes %s; give the numbers of types %d and %d, as in '%d-%d ...'",
                   numbers[0].key, j + 1, i + 1, j + 1, i + 1);
}

/* ---- hooks ---- */

void pel__md_ranges(const pel__md_pairwise *c, pel__md_scale *scale, double *largest_force,
                    double *largest_energy) {
  const double spacing = pel__md_neighbours(&c->md);
  *largest_force = *largest_energy = 0;
  for (int i = 0; i < c->md.crystal.ntypes; ++i)
    for (int j = 0; j < c->md.crystal.ntypes; ++j) {
      const pel__md_usual u = scale(&c->of[i][j], spacing);
      const double force = pel__md_range(&c->md, 0x1p15 * u.force, 0x1p12 * u.mixed_force);
      *largest_force = fmax(*largest_force, force);
      *largest_energy = fmax(*largest_energy, 0x1p11 * u.energy);
    }
}
