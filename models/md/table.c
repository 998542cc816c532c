#include "table_pairs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "md.h"

static double place(const pel__table *t, double r) {
  return t->squared ? (r * r - t->low * t->low) / pel__table_step(t)
                    : (r - t->low) / pel__table_step(t);
}

/* Slopes in steps of r, or of s = r^2: du/ds = u'/(2 r). */
void pel__table_records(const pel__table *t, double *data, size_t first) {
  const double step = pel__table_step(t);
  double *a = data + first;
  for (int i = 0; i < t->n; ++i) {
    const double r = t->squared ? sqrt(t->low * t->low + i * step) : 1;
    a[4 * i] = t->u[i];
    a[4 * i + 1] = -t->f[i] * (t->squared ? step / (2 * r) : step);
    a[4 * i + 2] = a[4 * i + 3] = 0;
  }
  for (int i = 0; i + 1 < t->n; ++i, a += 4) {
    const double rise = a[4] - a[0];
    a[2] = 3 * rise - 2 * a[1] - a[5];
    a[3] = a[1] + a[5] - 2 * rise;
  }
}

void pel__table_coefficients(pel__lj_kind kind, const pel__table *t, const double *data,
                             size_t first, double rc, double *c) {
  const double step = pel__table_step(t), x = fmin(place(t, rc), t->n - 1);
  const int i = (int)fmin(fmax(x, 0), t->n - 2);
  const double *a = data + first + 4 * (ptrdiff_t)i, p = x - i;
  const double u = ((a[3] * p + a[2]) * p + a[1]) * p + a[0],
               slope = ((3 * a[3] * p + 2 * a[2]) * p + a[1]) / step;
  pel__shift_coefficients(kind, rc, u, t->squared ? 2 * rc * slope : slope, c);
  c[2] = (double)first, c[3] = 1 / step, c[4] = t->n - 1;
  c[5] = t->squared ? t->low * t->low : t->low;
  c[6] = t->squared;
}

/* ---- the model ---- */

enum { MOST = PEL_TYPES * (PEL_TYPES + 1) / 2 };

typedef struct {
  pel__md md;
  char file[PEL_TEXT_MAX], sections[PEL_TEXT_MAX]; /* parameters */
  int number[PEL_TYPES][PEL_TYPES];                /* of the table of a pair of types */
  pel__table table[MOST];                          /* without u and f, which are in data */
  size_t first[MOST];
  double *data;
  size_t ndata;
} tabulated;

static const pel_param params[] = {
    PEL__MD_PARAMS,
    PEL_OPTION(tabulated, file, NULL, NULL, "file of tables, in the format of LAMMPS"),
    PEL_OPTION(
        tabulated, sections, "auto", NULL,
        "names of the tables of types 1-1, 1-2, 2-2, 1-3 ..., separated by blanks; auto: the "
        "first in the file, for all",
        .word = "auto"),
    PEL__MD_CUTOFF("auto", "; auto: where each table ends", .word = "auto"),
    PEL__MD_SHIFT,
    PEL__MD_COMMON};

/* One table of the file, to the end of the data. */
static bool read_table(pel_sim *s, tabulated *c, int n, const char *name, const char *text,
                       size_t size) {
  char error[700];
  pel__table *t = &c->table[n];
  const size_t first = n ? c->first[n - 1] + pel__table_size(&c->table[n - 1]) : 0;
  if (!pel__table_parse(t, name, c->md.unit->name, c->file, text, size, error, sizeof error)) {
    pel_unreadable(s, NULL, "file", "%s", error);
    return false;
  }
  double *grown = pel_alloc(s, (first + pel__table_size(t)) * sizeof *grown);
  if (n) memcpy(grown, c->data, first * sizeof *grown);
  c->data = grown, c->first[n] = first, c->ndata = first + pel__table_size(t);
  pel__table_records(t, c->data, first);
  pel__table_free(t);
  if (c->md.cutoff > t->high)
    pel_reject(s, NULL, "cutoff", "%g lies beyond the end of the table, %g", c->md.cutoff, t->high);
  return true;
}

static void setup(pel_sim *s, void *state) {
  tabulated *c = state;
  size_t size = 0;
  int n = 0;
  char names[PEL_TEXT_MAX];
  pel__md_setup(s, &c->md);
  const int ntypes = c->md.crystal.ntypes;
  const char *text = pel_text_read(s, NULL, "file", c->file, &size);
  if (!text) return;
  snprintf(names, sizeof names, "%s", c->sections);
  for (char *name = strtok(names, " ,\t"); name && n < MOST; name = strtok(NULL, " ,\t"), ++n)
    if (!read_table(s, c, n, name, text, size)) return;
  if (n == 0 && !read_table(s, c, n++, "", text, size)) return;
  if (n > 1 && n != ntypes * (ntypes + 1) / 2)
    pel_reject(s, NULL, "sections", "%d tables are named, but %d type%s have %d pairs", n, ntypes,
               ntypes > 1 ? "s" : "", ntypes * (ntypes + 1) / 2);
  for (int j = 0, k = 0; j < ntypes; ++j)
    for (int i = 0; i <= j; ++i, ++k) c->number[i][j] = c->number[j][i] = n > 1 ? k : 0;
}

static const pel_pair_kernels *kernels(const void *state) {
  return PEL__MD_PRECISE(&((const tabulated *)state)->md, pel__table_kernels);
}

static const double *data(const void *state, size_t *n) {
  const tabulated *c = state;
  *n = c->ndata;
  return c->data;
}

static double coefficients(const void *state, int ti, int tj, double *c) {
  const tabulated *p = state;
  const int n = p->number[ti][tj];
  const double rc = p->md.cutoff > 0 ? p->md.cutoff : p->table[n].high;
  pel__table_coefficients((pel__lj_kind)p->md.shift, &p->table[n], p->data, p->first[n], rc, c);
  return rc;
}

/* Typical are energy and force where the table attracts most, or halfway if it does not: what may
 * be a thousand times larger near its beginning must not cost precision. */
static void ranges(const void *state, double *largest_force, double *largest_energy) {
  const tabulated *p = state;
  *largest_force = *largest_energy = 0x1p-30;
  for (int n = 0; n < MOST && p->table[n].n; ++n) {
    const double *a = p->data + p->first[n], step = pel__table_step(&p->table[n]);
    const int points = p->table[n].n, half = 4 * (points / 2);
    const double high = p->table[n].high, run = p->table[n].squared ? 2 * high : 1;
    double energy = fabs(a[half]), force = fabs(a[half + 1]);
    for (int i = 0; i < points; ++i) {
      energy = fmax(energy, -a[4 * i]), force = fmax(force, a[4 * i + 1]);
    }
    *largest_energy = fmax(*largest_energy, 0x1p16 * energy);
    *largest_force =
        fmax(*largest_force, pel__md_range(&p->md, 0x1p20, 0x1p9) * force / step * run);
  }
}

static const pel_pair_stage pairs = {
    .kernels = kernels, .coefficients = coefficients, .ranges = ranges, .data = data};
static const pel_particle_stage forces[] = {{"pairs", PEL_PAIRS, .pairs = &pairs}};
static const pel_particle_model particles = {PEL__MD_DYNAMICS, PEL_TABLE(forces)};

const pel_model pel_model_table = {
    PEL_MODEL("table", tabulated, "Molecular dynamics of particles with a tabulated potential",
              "Thompson et al. (2022)"),
    PEL_TABLE(params), PEL__MD_DIAGNOSTICS, .particles = &particles, .setup = setup};
