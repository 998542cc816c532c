/* Metals for the tests: potential files made of formulas or read, crystals, two passes. */
#ifndef PEL_EAM_CASE_H
#define PEL_EAM_CASE_H

#include "md_case.h"

#include "md/eam.h"

typedef struct {
  pel__particles p;
  pel__pair_list list;
  pel__pair_work density_work, force_work;
  pel__potential density, force;
  pel__eam eam;
  void *memory[8];
  int blocks;
  double *rho, *slope;
  double energy, virial[6];
} metal;

/* ---- potentials ---- */

static inline void *metal_memory(void *ctx, size_t bytes) {
  metal *s = ctx;
  return s->memory[s->blocks++] = calloc(1, bytes);
}

static inline char *slurp(const char *path, size_t *size) {
  FILE *f = fopen(path, "r");
  if (!f) return NULL;
  char *text = malloc(1 << 24);
  text[ *size = fread(text, 1, (1 << 24) - 1, f)] = 0;
  fclose(f);
  return text;
}

static inline bool parse_file(pel__eam_file *f, const char *path) {
  char error[700] = "";
  size_t size;
  char *text = slurp(path, &size);
  if (!text) return false;
  if (!pel__eam_file_parse(f, PEL__EAM_AUTO, path, text, size, error, sizeof error))
    fail_msg("%s", error);
  free(text);
  return true;
}

/* ---- crystals ---- */

static inline double metal_density(const void *ctx, int ti, int tj, double *c) {
  return pel__eam_density_coefficients(ctx, ti, tj, c);
}
static inline double metal_force(const void *ctx, int ti, int tj, double *c) {
  return pel__eam_force_coefficients(ctx, ti, tj, c);
}

static bool metal_mixed; /* the precision of what is created next */

/* Particles at x[3*i + a] of types[i]; type t is element (or file) which[t]. */
static inline void metal_create(metal *s, const pel__domain *d, int n, const double *x,
                                const double *v, const int *types, int ntypes,
                                const pel__eam_file *files, const int *which, double skin,
                                int threads) {
  pel_error e = {0};
  char error[300];
  memset(s, 0, sizeof *s);
  if (!pel__eam_create(&s->eam, files, ntypes, which, metal_memory, s, error, sizeof error))
    fail_msg("%s", error);
  pel__particles_create(&s->p, d, n, threads, &e);
  const double quantum = pel__velocity_quantum(s->eam.cutoff, 0.002);
  for (int i = 0; i < n; ++i) {
    for (int a = 0; a < 3; ++a) {
      s->p.x[a][i] = pel__snap(x[3 * i + a], d->magic);
      s->p.v[a][i] = v ? pel__snap(v[3 * i + a], pel__magic(quantum)) : 0;
    }
    s->p.id[i] = i + 1;
    s->p.type[i] = types ? types[i] : 0;
  }
  const bool m = metal_mixed;
  pel__potential_create(&s->density, m ? &pel__eam_density_mixed : &pel__eam_density, ntypes,
                        metal_density, &s->eam, s->eam.largest_density * (m ? 0x1p-8 : 1), 1, &e);
  pel__potential_create(&s->force, m ? &pel__eam_force_mixed : &pel__eam_force, ntypes, metal_force,
                        &s->eam, s->eam.largest_force * (m ? 0x1p-6 : 1), s->eam.largest_energy,
                        &e);
  pel__potential_set_data(&s->density, s->eam.density, s->eam.ndensity, &e);
  pel__potential_set_data(&s->force, s->eam.force, s->eam.nforce, &e);
  s->force.read[0] = &s->slope, s->force.later = true;
  pel__pair_list_create(&s->list, &s->p, s->eam.cutoff, skin, &e);
  s->list.paired = m;
  fail_on(&e);
}

static inline void metal_destroy(metal *s) {
  pel__pair_work_destroy(&s->density_work, s->list.nshares);
  pel__pair_work_destroy(&s->force_work, s->list.nshares);
  pel__pair_list_destroy(&s->list);
  pel__potential_destroy(&s->density), pel__potential_destroy(&s->force);
  pel__particles_destroy(&s->p);
  for (int i = 0; i < s->blocks; ++i) free(s->memory[i]);
  free(s->rho), free(s->slope);
}

static inline void metal_list(metal *s) {
  pel_error e = {0};
  pel__pair_list_build(&s->list, &s->p, false, &e);
  fail_on(&e);
  free(s->rho), free(s->slope);
  const size_t bytes = ((size_t)s->p.room * PEL_LANES * 8 + 63) / 64 * 64;
  s->rho = aligned_alloc(64, bytes), s->slope = aligned_alloc(64, bytes);
}

/* Forces, energy and virial; the first failure, if e. */
static inline void metal_forces(metal *s, pel_error *e) {
  pel_error mine = {0};
  pel__pair_sums sums;
  if (s->list.builds == 0) metal_list(s);
  pel__pairs_sum(&s->p, &s->list, &s->density, &s->density_work, s->rho, &mine);
  s->energy = 0;
  for (int i = 0; i < s->p.nclusters * PEL_LANES; ++i) {
    const double u = pel__eam_embed(&s->eam, s->p.type[i], s->rho[i], &s->slope[i]);
    if (!pel__is_empty(&s->p, i)) s->energy += u;
  }
  pel__pairs_run(&s->p, &s->list, &s->force, &s->force_work, &sums, &mine);
  s->energy += sums.energy;
  memcpy(s->virial, sums.virial, sizeof s->virial);
  if (mine.code) {
    mine = (pel_error){0};
    if (!pel__pairs_explain(&s->p, &s->list, &s->density, &s->density_work, &mine))
      pel__pairs_explain(&s->p, &s->list, &s->force, &s->force_work, &mine);
  }
  if (e)
    *e = mine;
  else
    fail_on(&mine);
}

static inline void metal_steps(metal *s, int steps, double dt, const double *mass) {
  double half[PEL_TYPES];
  const double quantum = pel__velocity_quantum(s->eam.cutoff, dt);
  for (int t = 0; t < s->eam.ntypes; ++t) half[t] = dt / 2 / mass[t];
  metal_forces(s, NULL);
  for (int n = 0; n < steps; ++n) {
    pel__kick(&s->p, half, quantum);
    if (!(pel__drift(&s->p, dt, false) <= s->list.skin * s->list.skin / 4)) metal_list(s);
    metal_forces(s, NULL);
    pel__kick(&s->p, half, quantum);
  }
}

/* A crystal of cells[] cells of `sites` places in a right-angled cell of these edges. */
static inline int crystal(const int cells[3], int sites, const double site[][3],
                          const double edge[3], double *length, double **x) {
  const int n = sites * cells[0] * cells[1] * cells[2];
  double *to = *x = malloc(3 * (size_t)n * sizeof *to);
  for (int c = 0; c < n / sites; ++c)
    for (int b = 0; b < sites; ++b) {
      *to++ = (c % cells[0] + site[b][0]) * edge[0];
      *to++ = (c / cells[0] % cells[1] + site[b][1]) * edge[1];
      *to++ = (c / cells[0] / cells[1] + site[b][2]) * edge[2];
    }
  for (int a = 0; a < 3; ++a) length[a] = cells[a] * edge[a];
  return n;
}

static inline pel__domain box_of(const double length[3]) {
  pel__domain d;
  pel_error e = {0};
  pel__domain_init(&d, 3, length, (bool[]){true, true, true}, &e);
  fail_on(&e);
  return d;
}

#endif
