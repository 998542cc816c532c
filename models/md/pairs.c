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

static void read_like(const job *k, int number, const char *text) {
  const pel__md_number *what = &k->numbers[number];
  double to[PEL_TYPES];
  const int n = pel__md_list(k->sim, NULL, what->key, text, to, PEL_TYPES);
  for (int t = 1; t < k->ntypes && n == 1; ++t) to[t] = to[0];
  if (n > 1 && n != k->ntypes)
    pel_reject(k->sim, NULL, what->key,
               "'%s' has %d numbers, but there are %d types; give one a type, or one for all", text,
               n, k->ntypes);
  for (int t = 0; t < k->ntypes && n > 0 && (n == 1 || n == k->ntypes); ++t) {
    k->of[t][t].x[number] = to[t];
    if (to[t] > what->least) continue;
    pel_reject(k->sim, NULL, what->key, "%g must be greater than %g", to[t], what->least);
    return;
  }
}

static void mix(const job *k) {
  for (int i = 0; i < k->ntypes; ++i)
    for (int j = 0; j < k->ntypes; ++j) {
      pel__md_pair *p = &k->of[i][j];
      p->cutoff = k->cutoff, p->known = true;
      for (int m = 0; m < k->n && i != j; ++m) {
        const double a = k->of[i][i].x[m], b = k->of[j][j].x[m];
        p->known = p->known && k->numbers[m].rule != PEL__MD_NOT_MIXED;
        p->x[m] = k->numbers[m].rule == PEL__MD_ARITHMETIC ? (a + b) / 2 : sqrt(a * b);
      }
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
    if (stop == at || !isfinite(x) || !(x > (m < k->n ? k->numbers[m].least : 0))) return false;
    *(m < k->n ? &p.x[m] : &p.cutoff) = x;
    at = stop;
  }
  if (at[strspn(at, " \t")]) return false;
  k->of[i - 1][j - 1] = k->of[j - 1][i - 1] = p;
  return true;
}

static void read_pairs(const job *k, const char *pairs) {
  char text[PEL_TEXT_MAX], names[200];
  int used = 0;
  for (int m = 0; m < k->n; ++m)
    used += snprintf(names + used, sizeof names - (size_t)used, "%s, ", k->numbers[m].key);
  snprintf(text, sizeof text, "%s", pairs);
  for (char *at = text, *next; at; at = next) {
    next = strchr(at, ',');
    if (next) *next++ = 0;
    if (!read_pair(k, at))
      pel_reject(k->sim, NULL, "pairs",
                 "'%s' is not a pair of types from 1 to %d with its numbers (types, as 1-2; "
                 "%sand perhaps the cut-off), or one of them is out of range",
                 at, k->ntypes, names);
  }
}

void pel__md_pairs_setup(pel_sim *s, pel__md_pairwise *c, int n, const pel__md_number *numbers) {
  pel__md_setup(s, &c->md);
  const job k = {s, c->md.crystal.ntypes, n, numbers, c->md.cutoff, c->of};
  for (int m = 0; m < n; ++m) read_like(&k, m, c->text[m]);
  mix(&k);
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
  *largest_force = *largest_energy = 0;
  for (int i = 0; i < c->md.crystal.ntypes; ++i)
    for (int j = 0; j < c->md.crystal.ntypes; ++j) {
      double energy, length;
      scale(&c->of[i][j], &energy, &length);
      *largest_force = fmax(*largest_force, 0x1p15 * energy / length);
      *largest_energy = fmax(*largest_energy, 0x1p11 * energy);
    }
}
