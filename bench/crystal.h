/* For the kernels of particles: where they start. */
#ifndef PEL_BENCH_CRYSTAL_H
#define PEL_BENCH_CRYSTAL_H

#include <math.h>
#include <stdlib.h>

#include "motion.h"

/* side^3 cells of an fcc lattice of this edge; velocities of mean square 3 v2 without momentum. */
static inline void fill_fcc(pel__particles *p, int side, double edge, double v2) {
  static const double basis[4][3] = {{0, 0, 0}, {.5, .5, 0}, {.5, 0, .5}, {0, .5, .5}};
  double mean[3] = {0}, sum = 0;
  for (int64_t i = 0; i < p->n; ++i) {
    const int64_t c = i / 4;
    const int64_t at[3] = {c % side, c / side % side, c / side / side};
    for (int k = 0; k < 3; ++k) {
      p->x[k][i] = pel__snap(((double)at[k] + basis[i % 4][k]) * edge, p->domain.magic);
      p->v[k][i] = drand48() - 0.5;
      mean[k] += p->v[k][i] / (double)p->n;
    }
    p->id[i] = i + 1;
  }
  for (int64_t i = 0; i < 3 * p->n; ++i) sum += pow(p->v[i % 3][i / 3] - mean[i % 3], 2);
  const double factor = sqrt(3 * (double)p->n * v2 / sum);
  for (int64_t i = 0; i < 3 * p->n; ++i)
    p->v[i % 3][i / 3] = (p->v[i % 3][i / 3] - mean[i % 3]) * factor;
}

#endif
