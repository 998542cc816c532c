#include "eam_file.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scan.h"

enum { MOST_POINTS = 1000000 };

static const char symbols[][3] = {
    "H",  "He", "Li", "Be", "B",  "C",  "N",  "O",  "F",  "Ne", "Na", "Mg", "Al", "Si", "P",  "S",
    "Cl", "Ar", "K",  "Ca", "Sc", "Ti", "V",  "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Ga", "Ge",
    "As", "Se", "Br", "Kr", "Rb", "Sr", "Y",  "Zr", "Nb", "Mo", "Tc", "Ru", "Rh", "Pd", "Ag", "Cd",
    "In", "Sn", "Sb", "Te", "I",  "Xe", "Cs", "Ba", "La", "Ce", "Pr", "Nd", "Pm", "Sm", "Eu", "Gd",
    "Tb", "Dy", "Ho", "Er", "Tm", "Yb", "Lu", "Hf", "Ta", "W",  "Re", "Os", "Ir", "Pt", "Au", "Hg",
    "Tl", "Pb", "Bi", "Po", "At", "Rn", "Fr", "Ra", "Ac", "Th", "Pa", "U",  "Np", "Pu", "Am", "Cm"};

const char *pel__element_symbol(int number) {
  const int n = (int)(sizeof symbols / sizeof *symbols);
  return number >= 1 && number <= n ? symbols[number - 1] : "";
}

static bool same_word(const char *a, const char *b) {
  while (*a && tolower((unsigned char)*a) == tolower((unsigned char)*b)) ++a, ++b;
  return *a == *b;
}

int pel__eam_file_find(const pel__eam_file *f, const char *name) {
  for (int i = 0; i < f->n; ++i)
    if (same_word(f->element[i].name, name)) return i;
  return -1;
}

/* ---- which format ---- */

/* How many of the words of a line are numbers, up to the first that is none. */
static int numbers_in(const char *line) {
  pel__scan s;
  double x;
  int n = 0;
  pel__scan_init(&s, "", line, strlen(line));
  while (pel__word_real(pel__scan_word(&s).text, &x)) ++n;
  return n;
}

/* The third line of funcfl holds the five numbers that the fifth of the others does. */
static pel__eam_format guess(const char *name, pel__scan s) {
  char line[400];
  for (int n = 0; n < 2; ++n) pel__scan_line(&s, line, sizeof line);
  if (pel__scan_line(&s, line, sizeof line) && numbers_in(line) == 5) return PEL__EAM_FUNCFL;
  const size_t length = strlen(name);
  return length >= 2 && same_word(name + length - 2, "fs") ? PEL__EAM_FS : PEL__EAM_SETFL;
}

/* LAMMPS' own files say so in the first line. */
static bool check_units(pel__scan *s, const char *first) {
  const char *tag = strstr(first, "UNITS:");
  char unit[16] = "metal";
  if (tag) sscanf(tag + 6, " %15[A-Za-z]", unit);
  return same_word(unit, "metal") ||
         pel__scan_fail(s, 1, "the potential is in units '%s'; 'metal' (eV, Angstrom) is expected",
                        unit);
}

/* ---- parts ---- */

static bool positive(pel__scan *s, const char *what, double *x) {
  const int line = pel__scan_peek(s).line;
  return pel__scan_real(s, what, x) &&
         (*x > 0 || pel__scan_fail(s, line, "%s is %g; it must be positive", what, *x));
}

/* nrho drho nr dr cutoff */
static bool grids(pel__scan *s, pel__eam_file *f) {
  const int line = pel__scan_peek(s).line;
  if (!pel__scan_int(s, "the number of densities, nrho,", 5, MOST_POINTS, &f->nrho) ||
      !positive(s, "the step of the density, drho,", &f->drho) ||
      !pel__scan_int(s, "the number of distances, nr,", 5, MOST_POINTS, &f->nr) ||
      !positive(s, "the step of the distance, dr,", &f->dr) ||
      !positive(s, "the cut-off", &f->cutoff))
    return false;
  const double reach = f->dr * f->nr * (1 + 1e-6);
  return f->cutoff <= reach ||
         pel__scan_fail(s, line, "the cut-off is %g, but the %d distances %g apart end at %g",
                        f->cutoff, f->nr, f->dr, f->dr * (f->nr - 1));
}

static bool numbers_go_on(pel__scan *s, int line, const pel__eam_element *e) {
  return pel__scan_fail(s, line,
                        "numbers go on where the head of element %s is expected: the counts in the "
                        "head of the file are wrong, or the format is another one",
                        e->name);
}

/* number mass lattice structure, on a line */
static bool element(pel__scan *s, pel__eam_element *e, bool named) {
  int number = 0;
  double x = 0;
  const pel__word first = pel__scan_peek(s);
  if (named && pel__word_real(first.text, &x) && fabs(x) < 1e9 && x != (int)x)
    return numbers_go_on(s, first.line, e);
  if (!pel__scan_int(s, "the atomic number", 0, 1000, &number) ||
      !positive(s, "the mass of the element", &e->mass) ||
      !pel__scan_real(s, "the lattice constant", &e->lattice))
    return false;
  const pel__word w = pel__scan_here(s);
  if (pel__word_real(w.text, &x)) return numbers_go_on(s, w.line, e);
  snprintf(e->structure, sizeof e->structure, "%.15s", w.text);
  if (named) return true;
  snprintf(e->name, sizeof e->name, "%s", pel__element_symbol(number));
  return *e->name || pel__scan_fail(s, w.line, "there is no element of atomic number %d", number);
}

/* A number takes two bytes, so that what is too short for its counts is known before memory is
 * asked for. */
static bool allocate(pel__scan *s, pel__eam_file *f) {
  const size_t n = (size_t)f->n, nr = (size_t)f->nr;
  const size_t need = n * ((size_t)f->nrho + nr + (f->format == PEL__EAM_FS ? (n - 1) * nr : 0)) +
                      (f->format == PEL__EAM_FUNCFL ? nr : n * (n + 1) / 2 * nr);
  if (2 * need - 1 > (size_t)(s->end - s->at))
    return pel__scan_fail(s, s->line,
                          "%zu numbers are announced, but only %zu bytes follow: the file is "
                          "truncated, or the counts in its head are wrong",
                          need, (size_t)(s->end - s->at));
  const size_t pairs = f->format == PEL__EAM_FUNCFL ? 1 : n * n;
  f->embed = malloc(n * (size_t)f->nrho * sizeof(double));
  f->density = malloc(pairs * nr * sizeof(double));
  f->pair = malloc(pairs * nr * sizeof(double));
  return (f->embed && f->density && f->pair) || pel__scan_fail(s, 1, "out of memory");
}

static double *table(double *of, const pel__eam_file *f, int i, int j) {
  return of + ((ptrdiff_t)i * f->n + j) * f->nr;
}

static bool at_end(pel__scan *s) {
  const pel__word w = pel__scan_word(s);
  double x;
  return !pel__word_real(w.text, &x) ||
         pel__scan_fail(s, w.line,
                        "more numbers than the counts in the head of the file tell of; if this is "
                        "a Finnis-Sinclair file (eam/fs), say format = fs");
}

/* ---- formats ---- */

static bool funcfl(pel__scan *s, pel__eam_file *f) {
  char rest[400];
  f->n = 1;
  if (!element(s, &f->element[0], false)) return false;
  pel__scan_line(s, rest, sizeof rest);
  return grids(s, f) && allocate(s, f) &&
         pel__scan_reals(s, "the embedding energy", f->nrho, f->embed) &&
         pel__scan_reals(s, "Z(r)", f->nr, f->pair) &&
         pel__scan_reals(s, "the density", f->nr, f->density) && at_end(s);
}

static bool names(pel__scan *s, pel__eam_file *f) {
  if (!pel__scan_int(s, "the number of elements", 1, PEL__EAM_ELEMENTS, &f->n)) return false;
  for (int i = 0; i < f->n; ++i) {
    const pel__word w = pel__scan_here(s);
    if (!*w.text || strlen(w.text) >= PEL__EAM_NAME)
      return pel__scan_fail(s, w.line,
                            "%d elements are announced, but '%s' is not the name of "
                            "element %d",
                            f->n, w.text, i + 1);
    snprintf(f->element[i].name, sizeof f->element[i].name, "%.15s", w.text);
  }
  return true;
}

/* setfl and fs: of each element its embedding energy and its densities, then r*phi for i >= j. */
static bool several(pel__scan *s, pel__eam_file *f) {
  char rest[400], what[80];
  if (!names(s, f)) return false;
  pel__scan_line(s, rest, sizeof rest);
  if (!grids(s, f) || !allocate(s, f)) return false;
  for (int j = 0; j < f->n; ++j) {
    pel__eam_element *e = &f->element[j];
    if (!element(s, e, true)) return false;
    snprintf(what, sizeof what, "the embedding energy of %s", e->name);
    if (!pel__scan_reals(s, what, f->nrho, f->embed + (ptrdiff_t)j * f->nrho)) return false;
    snprintf(what, sizeof what, "the density of %s", e->name);
    for (int i = 0; i < f->n; ++i) { /* fs: of j at i; in LAMMPS' words, for pairs j-i */
      if (i == 0 || f->format == PEL__EAM_FS) {
        if (!pel__scan_reals(s, what, f->nr, table(f->density, f, i, j))) return false;
      } else {
        memcpy(table(f->density, f, i, j), table(f->density, f, 0, j),
               (size_t)f->nr * sizeof(double));
      }
    }
  }
  for (int i = 0; i < f->n; ++i)
    for (int j = 0; j <= i; ++j) {
      snprintf(what, sizeof what, "r*phi of %s and %s", f->element[i].name, f->element[j].name);
      if (!pel__scan_reals(s, what, f->nr, table(f->pair, f, i, j))) return false;
      memmove(table(f->pair, f, j, i), table(f->pair, f, i, j), (size_t)f->nr * sizeof(double));
    }
  return at_end(s);
}

bool pel__eam_file_parse(pel__eam_file *f, pel__eam_format format, const char *name,
                         const char *text, size_t size, char *error, size_t error_size) {
  pel__scan s;
  char line[400];
  bool good = true;
  memset(f, 0, sizeof *f);
  pel__scan_init(&s, name, text, size);
  f->format = format == PEL__EAM_AUTO ? guess(name, s) : format;
  for (int n = 0; good && n < (f->format == PEL__EAM_FUNCFL ? 1 : 3); ++n) {
    if (!pel__scan_line(&s, line, sizeof line))
      good = pel__scan_fail(&s, s.line, "the file ends in its head");
    else if (n == 0)
      good = check_units(&s, line);
  }
  good = good && (f->format == PEL__EAM_FUNCFL ? funcfl(&s, f) : several(&s, f));
  if (good) return true;
  snprintf(error, error_size, "%s", s.error);
  pel__eam_file_free(f);
  return false;
}

void pel__eam_file_free(pel__eam_file *f) {
  free(f->embed), free(f->density), free(f->pair);
  f->embed = f->density = f->pair = NULL;
}
