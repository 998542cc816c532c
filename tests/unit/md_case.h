/* A small molecular-dynamics program for the tests: Lennard-Jones particles, velocity Verlet. */
#ifndef PEL_MD_CASE_H
#define PEL_MD_CASE_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "md/lj.h"
#include "motion.h"
#include "pairs.h"
#include "pelsim/sink.h"

typedef struct {
  pel__lj_kind kind;
  double eps[2], sigma[2], rc; /* by type, mixed by Lorentz and Berthelot */
  bool mixed;                  /* precision */
} lj_parameters;

typedef struct {
  pel__particles p;
  pel__pair_list list;
  pel__potential u;
  pel__pair_work work;
  pel__pair_sums sums;
  double dt, quantum, mass[2];
} md;

static inline double lj_of_types(const void *ctx, int i, int j, double *c) {
  const lj_parameters *q = ctx;
  pel__lj_coefficients(q->kind, sqrt(q->eps[i] * q->eps[j]), (q->sigma[i] + q->sigma[j]) / 2, q->rc,
                       c);
  return q->rc;
}

static const lj_parameters lj_unit = {PEL__LJ_CUT, {1, 1}, {1, 1}, 2.5, false};

static inline void fail_on(const pel_error *e) {
  if (e->code) fail_msg("%s", e->text);
}

/* x[3*i + a]; NULL velocities: 0.  types NULL: one type. */
static inline void md_create(md *s, const pel__domain *d, int n, const double *x, const double *v,
                             const int *types, const lj_parameters *q, double skin, int threads) {
  pel_error e = {0};
  memset(s, 0, sizeof *s);
  s->mass[0] = s->mass[1] = 1;
  s->dt = 0.005;
  pel__particles_create(&s->p, d, n, threads, &e);
  for (int i = 0; i < n; ++i) {
    for (int a = 0; a < 3; ++a) {
      s->p.x[a][i] = pel__snap(x[3 * i + a], d->magic);
      s->p.v[a][i] = v ? v[3 * i + a] : 0;
    }
    s->p.id[i] = i + 1;
    s->p.type[i] = types ? types[i] : 0;
  }
  const bool smooth = q->kind == PEL__LJ_FORCE_SHIFTED;
  const pel_pair_kernels *k = q->mixed ? (smooth ? &pel__lj_smooth_mixed : &pel__lj_mixed)
                              : smooth ? &pel__lj_smooth
                                       : &pel__lj;
  pel__potential_create(&s->u, k, types ? 2 : 1, lj_of_types, q, q->mixed ? 0x1p12 : 0x1p15, 0x1p11,
                        &e);
  pel__pair_list_create(&s->list, &s->p, q->rc, skin, &e);
  s->list.paired = q->mixed;
  s->quantum = pel__velocity_quantum(q->rc, s->dt);
  for (int64_t i = 0; i < (int64_t)s->p.nclusters * PEL_LANES; ++i)
    for (int a = 0; a < 3; ++a) s->p.v[a][i] = pel__snap(s->p.v[a][i], pel__magic(s->quantum));
  fail_on(&e);
}

static inline void md_destroy(md *s) {
  pel__pair_work_destroy(&s->work, s->list.nshares);
  pel__pair_list_destroy(&s->list);
  pel__potential_destroy(&s->u);
  pel__particles_destroy(&s->p);
}

static inline void md_forces(md *s, bool energy) {
  pel_error e = {0};
  if (s->list.builds == 0) pel__pair_list_build(&s->list, &s->p, false, &e);
  fail_on(&e);
  pel__pairs_run(&s->p, &s->list, &s->u, &s->work, energy ? &s->sums : NULL, &e);
  fail_on(&e);
}

static inline void md_steps(md *s, int steps) {
  pel_error e = {0};
  const double half[2] = {s->dt / 2 / s->mass[0], s->dt / 2 / s->mass[1]};
  md_forces(s, false);
  for (int n = 0; n < steps; ++n) {
    pel__kick(&s->p, half, s->quantum);
    if (!(pel__drift(&s->p, s->dt, false) <= s->list.skin * s->list.skin / 4))
      pel__pair_list_build(&s->list, &s->p, false, &e);
    fail_on(&e);
    md_forces(s, false);
    pel__kick(&s->p, half, s->quantum);
  }
}

/* Place of each id - 1. */
static inline int *md_places(const md *s) {
  int *at = calloc((size_t)s->p.n, sizeof *at);
  for (int i = 0; i < s->p.nclusters * PEL_LANES; ++i)
    if (!pel__is_empty(&s->p, i)) at[s->p.id[i] - 1] = i;
  return at;
}

/* Of positions without periods, velocities and forces, in order of id. */
static inline uint64_t md_fingerprint(const md *s) {
  int *at = md_places(s);
  uint64_t sum = 0;
  for (int i = 0; i < s->p.n; ++i)
    for (int a = 0; a < 3; ++a) {
      const double x[3] = {s->p.x[a][at[i]] + s->p.image[a][at[i]] * s->p.domain.length[a],
                           s->p.v[a][at[i]], s->p.f[a][at[i]]};
      for (int k = 0; k < 3; ++k) sum += pel_fingerprint_row((uint64_t)(3 * k + a), i, &x[k], 1);
    }
  free(at);
  return sum;
}

/* side^3 cells of fcc at density rho; coordinates in x[12*side^3]. */
static inline int fcc(int side, double rho, double *length, double **x) {
  static const double basis[4][3] = {{0, 0, 0}, {.5, .5, 0}, {.5, 0, .5}, {0, .5, .5}};
  const double a = rho == 0.8442 ? 0x1.adfa04187959cp+0 : cbrt(4 / rho); /* whatever the libm */
  const int n = 4 * side * side * side;
  *length = a * side;
  double *to = *x = malloc(3 * (size_t)n * sizeof *to);
  for (int c = 0; c < n / 4; ++c)
    for (int b = 0; b < 4; ++b) {
      *to++ = (c % side + basis[b][0]) * a;
      *to++ = (c / side % side + basis[b][1]) * a;
      *to++ = (c / side / side + basis[b][2]) * a;
    }
  return n;
}

static inline double uniform(uint64_t *seed) { /* [0, 1) */
  *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  uint64_t z = (*seed ^ *seed >> 33) * UINT64_C(0xff51afd7ed558ccd);
  return (double)((z ^ z >> 33) >> 11) * 0x1p-53;
}

/* Uniform velocities of temperature t without drift. */
static inline double *velocities(int n, double t, uint64_t seed) {
  double *v = malloc(3 * (size_t)n * sizeof *v), mean[3] = {0}, v2 = 0;
  for (int i = 0; i < 3 * n; ++i) mean[i % 3] += (v[i] = uniform(&seed) - 0.5) / n;
  for (int i = 0; i < 3 * n; ++i) v2 += (v[i] - mean[i % 3]) * (v[i] - mean[i % 3]);
  for (int i = 0; i < 3 * n; ++i) v[i] = (v[i] - mean[i % 3]) * sqrt(3 * n * t / v2);
  return v;
}

static inline pel__domain cube(double length) {
  pel__domain d;
  pel_error e = {0};
  pel__domain_init(&d, 3, (double[]){length, length, length}, (bool[]){true, true, true}, &e);
  fail_on(&e);
  return d;
}

#endif
