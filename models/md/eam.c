#include "eam_pairs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- tables ---- */

/* Those of the files, of each type, on one grid. */
typedef struct {
  pel__eam *e;
  const pel__eam_file *files;
  const int *which;
  double dr;
} source;

/* Interpolation by a cubic through four points (Lagrange). */
static double cubic(const double *f, int n, double step, double x) {
  double p = x / step;
  int k = (int)fmin(p, n - 3);
  k = k < 1 ? 1 : k;
  p = fmin(p - k, 2);
  return -p * (p - 1) * (p - 2) / 6 * f[k - 1] + (p * p - 1) * (p - 2) / 2 * f[k] -
         p * (p + 1) * (p - 2) / 2 * f[k + 1] + p * (p * p - 1) / 6 * f[k + 2];
}

static bool is_funcfl(const source *s) { return s->files[0].format == PEL__EAM_FUNCFL; }

static double embed_at(const source *s, int t, int m) {
  const pel__eam_file *f = &s->files[is_funcfl(s) ? s->which[t] : 0];
  if (is_funcfl(s)) return cubic(f->embed, f->nrho, f->drho, m * s->e->drho);
  return f->embed[(ptrdiff_t)s->which[t] * f->nrho + m];
}

static double density_at(const source *s, int ti, int tj, int m) {
  const pel__eam_file *f = &s->files[is_funcfl(s) ? s->which[tj] : 0];
  if (is_funcfl(s)) return cubic(f->density, f->nr, f->dr, m * s->dr);
  return f->density[((ptrdiff_t)s->which[ti] * f->n + s->which[tj]) * f->nr + m];
}

static double pair_at(const source *s, int ti, int tj, int m) {
  const pel__eam_file *f = &s->files[is_funcfl(s) ? s->which[ti] : 0],
                      *g = &s->files[is_funcfl(s) ? s->which[tj] : 0];
  if (is_funcfl(s)) /* Hartree times Bohr's radius, as DYNAMO has them */
    return 27.2 * 0.529 *
           (cubic(f->pair, f->nr, f->dr, m * s->dr) * cubic(g->pair, g->nr, g->dr, m * s->dr));
  return f->pair[((ptrdiff_t)s->which[ti] * f->n + s->which[tj]) * f->nr + m];
}

/* Of funcfl files the coarsest steps and the longest ranges, less one step: LAMMPS' choice. */
static void choose_grids(source *s) {
  pel__eam *e = s->e;
  double most_r = 0, most_rho = 0;
  for (int t = 0; t < e->ntypes; ++t) {
    const pel__eam_file *f = &s->files[is_funcfl(s) ? s->which[t] : 0];
    s->dr = fmax(s->dr, f->dr), e->drho = fmax(e->drho, f->drho);
    e->cutoff = fmax(e->cutoff, f->cutoff);
    most_r = fmax(most_r, f->dr * (f->nr - 1)), most_rho = fmax(most_rho, f->drho * (f->nrho - 1));
    e->nr = f->nr, e->nrho = f->nrho;
  }
  if (!is_funcfl(s)) return;
  e->nr = (int)(most_r / s->dr + 0.5), e->nrho = (int)(most_rho / e->drho + 0.5);
}

/* Records of what value(ti, tj) gives. */
static void fill(const source *s, double (*value)(const source *, int, int, int), int ti, int tj,
                 double *line, double *to, int stride) {
  for (int m = 0; m < s->e->nr; ++m) line[m] = value(s, ti, tj, m);
  pel_spline_records(s->e->nr - 1, line, to, stride);
}

static void fill_pair(const source *s, int ti, int tj, double *line) {
  const pel__eam *e = s->e;
  const bool many = e->ntypes > 1;
  const ptrdiff_t first = ((ptrdiff_t)ti * e->ntypes + tj) * e->nr;
  const int nd = many ? DENSITY_MANY : DENSITY_ONE, nf = many ? FORCE_MANY : FORCE_ONE;
  double *d = e->density + HEAD + first * nd, *f = e->force + HEAD + first * nf;
  fill(s, density_at, ti, tj, line, d, nd);
  fill(s, density_at, ti, tj, line, f + ONE, nf);
  fill(s, pair_at, ti, tj, line, f, nf);
  if (!many) return;
  fill(s, density_at, tj, ti, line, d + ONE, nd);
  fill(s, density_at, tj, ti, line, f + 2 * ONE, nf);
}

static double *aligned(pel__allocate *allocate, void *ctx, size_t doubles) {
  char *p = allocate(ctx, doubles * sizeof(double) + 64);
  return p ? (double *)(void *)(p + (64 - (uintptr_t)p % 64) % 64) : NULL;
}

bool pel__eam_create(pel__eam *e, const pel__eam_file *files, int ntypes, const int *which,
                     pel__allocate *allocate, void *ctx, char *error, size_t error_size) {
  *e = (pel__eam){.ntypes = ntypes, .largest_force = 0x1p15, .largest_energy = 0x1p11};
  source s = {.e = e, .files = files, .which = which};
  choose_grids(&s);
  const int most = e->nr > e->nrho ? e->nr : e->nrho;
  const size_t records = (size_t)ntypes * (size_t)ntypes * (size_t)e->nr;
  if (records * FORCE_MANY > INT32_MAX) {
    snprintf(error, error_size, "%d types with tables of %d distances are too much", ntypes, e->nr);
    return false;
  }
  double *line = malloc((size_t)most * sizeof *line);
  e->ndensity = HEAD + records * (ntypes > 1 ? DENSITY_MANY : DENSITY_ONE);
  e->nforce = HEAD + records * (ntypes > 1 ? FORCE_MANY : FORCE_ONE);
  e->density = aligned(allocate, ctx, e->ndensity);
  e->force = aligned(allocate, ctx, e->nforce);
  e->embed = aligned(allocate, ctx, (size_t)ntypes * (size_t)e->nrho * ONE);
  if (!line || !e->density || !e->force || !e->embed) {
    snprintf(error, error_size, "out of memory for the tables");
    free(line);
    return false;
  }
  e->density[0] = e->force[0] = 1 / s.dr;
  e->density[1] = e->force[1] = e->nr - 1;
  for (int ti = 0; ti < ntypes; ++ti) {
    for (int tj = 0; tj < ntypes; ++tj) fill_pair(&s, ti, tj, line);
    for (int m = 0; m < e->nrho; ++m) line[m] = embed_at(&s, ti, m);
    pel_spline_records(e->nrho - 1, line, e->embed + (ptrdiff_t)ti * e->nrho * ONE, ONE);
  }
  free(line);
  /* What a pair may add: a thousand times the density that the table of F ends at. */
  e->largest_density = 0x1p10 * e->drho * e->nrho;
  return true;
}

/* ---- what a pass asks ---- */

double pel__eam_density_coefficients(const pel__eam *e, int ti, int tj, double *c) {
  c[0] = (double)((ptrdiff_t)ti * e->ntypes + tj) * e->nr * DENSITY_MANY; /* 0 with one type */
  return e->cutoff;
}

double pel__eam_force_coefficients(const pel__eam *e, int ti, int tj, double *c) {
  c[0] = (double)((ptrdiff_t)ti * e->ntypes + tj) * e->nr * FORCE_MANY;
  return e->cutoff;
}

double pel__eam_embed(const pel__eam *e, int type, double rho, double *slope) {
  const double x = rho / e->drho;
  const int m = x >= e->nrho - 1 ? e->nrho - 1 : x > 0 ? (int)x : 0;
  const double *a = e->embed + ((ptrdiff_t)type * e->nrho + m) * ONE;
  const double p = m == e->nrho - 1 ? 0 : x - m, u = a[3] * p + a[2];
  *slope = ((u + (a[3] * p + u)) * p + a[1]) / e->drho;
  const double f = (u * p + a[1]) * p + a[0];
  return m == e->nrho - 1 ? f + *slope * (rho - (e->nrho - 1) * e->drho) : f;
}
