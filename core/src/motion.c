#include "motion.h"

#include <math.h>
#include <stdlib.h>

#include "sum.h"
#include "whereabouts.h"

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

/* A particle beyond a wall, to its mirror image.  The mirrors stand half a quantum outside the
 * first and last place of the lattice, so that no particle is on one and the map can be undone.
 * Empty places, far away, stay. */
static void reflect(const pel__particles *p, int a, int64_t from, int64_t to) {
  const double length = p->domain.length[a], low = -p->domain.delta, high = 2 * length + low;
  double *restrict x = p->x[a], *restrict v = p->v[a];
  for (int64_t i = from; i < to; ++i) {
    const bool above = x[i] >= length && x[i] < 2 * length, below = x[i] < 0 && x[i] >= -length;
    x[i] = above ? high - x[i] : below ? low - x[i] : x[i];
    v[i] = above || below ? -v[i] : v[i];
  }
}

double pel__drift(pel__particles *p, double dt, bool stay) {
  const double magic = p->domain.magic;
  const int64_t places = (int64_t)p->nclusters * PEL_LANES;
  const pel_double4 d4 = pel_all(dt), m4 = pel_all(magic);
  double largest = stay ? INFINITY : 0;
#pragma omp parallel for num_threads(p->threads) schedule(static) reduction(max : largest)
  for (int64_t part = 0; part < (stay ? 0 : p->threads); ++part) {
    pel_double4 most = {0, 0, 0, 0}, watch = {0, 0, 0, 0};
    for (int64_t i = places / PEL_LANES * part / p->threads * PEL_LANES;
         i < places / PEL_LANES * (part + 1) / p->threads * PEL_LANES; i += PEL_LANES) {
      pel_double4 r2 = {0, 0, 0, 0};
      for (int a = 0; a < 3; ++a) {
        pel_double4 *x = (pel_double4 *)(p->x[a] + i);
        *x += (d4 * *(const pel_double4 *)(p->v[a] + i) + m4) - m4;
        if (p->domain.walled[a]) reflect(p, a, i, i + PEL_LANES);
        const pel_double4 d = *x - *(const pel_double4 *)(p->at[a] + i);
        r2 += d * d;
      }
      most = pel_larger(r2, most);
      watch += r2 - r2; /* NaN where r2 is not finite */
    }
    for (int l = 0; l < PEL_LANES; ++l) largest = fmax(largest, watch[l] == 0 ? most[l] : INFINITY);
  }
  const double t0 = MPI_Wtime();
  const pel__phase_id before = pel__now_in(PEL__T_AGREE);
  if (p->regions && p->regions->nranks > 1)
    MPI_Allreduce(MPI_IN_PLACE, &largest, 1, MPI_DOUBLE, MPI_MAX, p->regions->comm);
  pel__now_in(before);
  p->waited += MPI_Wtime() - t0;
  return largest;
}

void pel__change_velocities(pel__particles *p, double factor, const double u[3], double quantum) {
  const double magic = pel__magic(quantum);
  const int64_t places = (int64_t)p->nclusters * PEL_LANES;
  for (int a = 0; a < 3; ++a) {
    double *restrict v = p->v[a];
    const int64_t *restrict id = p->id;
#pragma omp parallel for simd num_threads(p->threads) schedule(static)
    for (int64_t i = 0; i < places; ++i)
      v[i] = id[i] < 0 ? 0 : ((factor * v[i] - u[a]) + magic) - magic;
  }
}

void pel__rescale(pel__particles *p, const pel__domain *d) {
  const pel__domain old = p->domain;
  const int64_t places = (int64_t)p->nclusters * PEL_LANES;
  for (int a = 0; a < d->dims; ++a) {
    const double ratio = d->length[a] / old.length[a];
#pragma omp parallel for num_threads(p->threads) schedule(static)
    for (int64_t i = 0; i < places; ++i) {
      if (pel__is_empty(p, i)) continue;
      const int out = pel__domain_beyond(&old, a, p->x[a][i]);
      const double x = pel__snap(ratio * (p->x[a][i] - out * old.length[a]), d->magic);
      p->image[a][i] += out;
      p->x[a][i] = d->walled[a] && x >= d->length[a] ? d->length[a] - d->delta : x;
    }
  }
  p->domain = *d;
}

/* ---- sums ---- */

enum { PART = 64 };

typedef struct {
  const double *by_type, *by_place;
  int axis;
} summand;

/* Summands of n <= PART places from `from` on. */
typedef void fill(const pel__particles *p, const summand *s, int64_t from, int n, double *part);

static double sum_of(const pel__particles *p, fill *f, const summand *s) {
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
      f(p, s, from, n, part);
      pel_sum_add(&sum[t], part, n);
    }
  }
  for (int t = 1; t < nt; ++t) pel_sum_merge(&sum[0], &sum[t]);
  if (p->regions && p->regions->nranks > 1) pel_sum_allreduce(&sum[0], 1, p->regions->comm);
  return pel_sum_round(&sum[0]);
}

static void kinetic2(const pel__particles *p, const summand *s, int64_t from, int n, double *part) {
  for (int i = 0; i < n; ++i) {
    const double x = p->v[0][from + i], y = p->v[1][from + i], z = p->v[2][from + i];
    part[i] = s->by_type[p->type[from + i]] * ((x * x + y * y) + z * z);
  }
}
static void momentum(const pel__particles *p, const summand *s, int64_t from, int n, double *part) {
  for (int i = 0; i < n; ++i) part[i] = s->by_type[p->type[from + i]] * p->v[s->axis][from + i];
}
static void mass(const pel__particles *p, const summand *s, int64_t from, int n, double *part) {
  for (int i = 0; i < n; ++i)
    part[i] = pel__is_empty(p, from + i) ? 0 : s->by_type[p->type[from + i]];
}
static void place(const pel__particles *p, const summand *s, int64_t from, int n, double *part) {
  for (int i = 0; i < n; ++i) part[i] = pel__is_empty(p, from + i) ? 0 : s->by_place[from + i];
}

double pel__kinetic2(const pel__particles *p, const double *m) {
  return sum_of(p, kinetic2, &(summand){.by_type = m});
}
double pel__momentum(const pel__particles *p, const double *m, int axis) {
  return sum_of(p, momentum, &(summand){.by_type = m, .axis = axis});
}
double pel__mass(const pel__particles *p, const double *m) {
  return sum_of(p, mass, &(summand){.by_type = m});
}
double pel__sum_places(const pel__particles *p, const double *x) {
  return sum_of(p, place, &(summand){.by_place = x});
}
