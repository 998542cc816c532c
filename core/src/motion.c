#include "motion.h"

#include <math.h>
#include <stdlib.h>

#include "sum.h"

double pel__velocity_quantum(double span, double dt) {
  int exponent;
  (void)frexp(span / dt, &exponent);
  return ldexp(1, exponent - 50);
}

void pel__kick(pel__particles *p, const double *c, double quantum) {
  const double magic = pel__magic(quantum);
  const int64_t places = (int64_t)p->nclusters * PEL_LANES;
  for (int a = 0; a < 3; ++a) {
    double *restrict v = p->v[a];
    const double *restrict f = p->f[a];
    const int32_t *restrict type = p->type;
#pragma omp parallel for simd num_threads(p->threads) schedule(static)
    for (int64_t i = 0; i < places; ++i) v[i] += (c[type[i]] * f[i] + magic) - magic;
  }
}

double pel__drift(pel__particles *p, double dt) {
  const double magic = p->domain.magic;
  const int64_t places = (int64_t)p->nclusters * PEL_LANES;
  const pel_double4 d4 = pel_all(dt), m4 = pel_all(magic);
  double largest = 0;
#pragma omp parallel for num_threads(p->threads) schedule(static) reduction(max : largest)
  for (int64_t part = 0; part < p->threads; ++part) {
    pel_double4 most = {0, 0, 0, 0}, watch = {0, 0, 0, 0};
    for (int64_t i = places / PEL_LANES * part / p->threads * PEL_LANES;
         i < places / PEL_LANES * (part + 1) / p->threads * PEL_LANES; i += PEL_LANES) {
      pel_double4 r2 = {0, 0, 0, 0};
      for (int a = 0; a < 3; ++a) {
        pel_double4 *x = (pel_double4 *)(p->x[a] + i);
        *x += (d4 * *(const pel_double4 *)(p->v[a] + i) + m4) - m4;
        const pel_double4 d = *x - *(const pel_double4 *)(p->at[a] + i);
        r2 += d * d;
      }
      most = pel_larger(r2, most);
      watch += r2 - r2; /* NaN where r2 is not finite */
    }
    for (int l = 0; l < PEL_LANES; ++l) largest = fmax(largest, watch[l] == 0 ? most[l] : INFINITY);
  }
  if (p->regions && p->regions->nranks > 1)
    MPI_Allreduce(MPI_IN_PLACE, &largest, 1, MPI_DOUBLE, MPI_MAX, p->regions->comm);
  return largest;
}

double pel__kinetic2(const pel__particles *p, const double *m) {
  enum { PART = 64 };
  const int nt = p->threads;
  const int64_t places = (int64_t)p->nclusters * PEL_LANES;
  pel_sum sum[nt];
#pragma omp parallel for num_threads(nt) schedule(static, 1)
  for (int t = 0; t < nt; ++t) {
    double part[PART];
    pel_sum_init(&sum[t]);
    const int64_t end = places * (t + 1) / nt;
    for (int64_t from = places * t / nt; from < end; from += PART) {
      const int n = end - from < PART ? (int)(end - from) : PART;
      for (int i = 0; i < n; ++i) {
        const double x = p->v[0][from + i], y = p->v[1][from + i], z = p->v[2][from + i];
        part[i] = m[p->type[from + i]] * ((x * x + y * y) + z * z);
      }
      pel_sum_add(&sum[t], part, n);
    }
  }
  for (int t = 1; t < nt; ++t) pel_sum_merge(&sum[0], &sum[t]);
  if (p->regions && p->regions->nranks > 1) pel_sum_allreduce(&sum[0], 1, p->regions->comm);
  return pel_sum_round(&sum[0]);
}
