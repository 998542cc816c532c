/* Height in nonlinear balance with winds, for analyses that give winds alone: the divergence of the
 * momentum equation without its tendency,
 *   laplacian(g Z + K) = div(X, Y),  (X, Y) = (f + zeta) (v, -u),  K = (u^2 + v^2)/2
 * (Charney 1955, Tellus 7, 22-26), with second-order differences on the model's grid: a Fourier
 * series along longitude and one tridiagonal system along latitude a wave number.  Waves that the
 * maps cannot hold are left out.  Every rank does the same work, once, at the start. */
#include <stdlib.h>
#include "state.h"

typedef struct {
  int64_t nlon, nlat;
  double *u, *v, *rhs; /* [nlat][nlon] */
  double *cos_c;       /* [nlat] cosine of latitude at centres */
  double *cos_f;       /* [nlat + 1] at faces, 0 at the poles */
} work;

static void fill(work *w, const struct swe *s) {
  for (int64_t j = 0; j <= w->nlat; ++j)
    w->cos_f[j] = j == 0 || j == w->nlat ? 0 : cos(swe_latitude(s, 2 * j));
  for (int64_t j = 0; j < w->nlat; ++j) {
    const double lat = swe_latitude(s, 2 * j + 1);
    w->cos_c[j] = cos(lat);
    for (int64_t i = 0; i < w->nlon; ++i) {
      const double lon = swe_longitude(s, 2 * i + 1, 1) * (180 / PEL_PI);
      w->u[j * w->nlon + i] = pel_map_at(s->u_map, lat * (180 / PEL_PI), lon);
      w->v[j * w->nlon + i] = pel_map_at(s->v_map, lat * (180 / PEL_PI), lon);
    }
  }
}

/* Mean of x over the face below row j; at the poles its weight is 0. */
static double below(const work *w, const double *x, int64_t j, int64_t i) {
  return j == 0 || j == w->nlat ? 0 : .5 * (x[j * w->nlon + i] + x[(j - 1) * w->nlon + i]);
}

static double absolute_vorticity(const work *w, const struct swe *s, int64_t j, int64_t i) {
  const int64_t n = w->nlon, e = (i + 1) % n, b = (i + n - 1) % n;
  const double dvdx = (w->v[j * n + e] - w->v[j * n + b]) / (2 * s->dlon);
  const double dudy =
      (w->cos_f[j + 1] * below(w, w->u, j + 1, i) - w->cos_f[j] * below(w, w->u, j, i)) / s->dlat;
  return 2 * s->rotation * sin(swe_latitude(s, 2 * j + 1)) +
         (dvdx - dudy) / (s->radius * w->cos_c[j]);
}

/* a^2 div(X, Y); u and v become -Y and X. */
static void right_hand_side(work *w, const struct swe *s) {
  const int64_t n = w->nlon;
  for (int64_t j = 0; j < w->nlat; ++j)
    for (int64_t i = 0; i < n; ++i) w->rhs[j * n + i] = absolute_vorticity(w, s, j, i);
  for (int64_t p = 0; p < n * w->nlat; ++p) {
    w->u[p] *= w->rhs[p];
    w->v[p] *= w->rhs[p];
  }
  for (int64_t j = 0; j < w->nlat; ++j)
    for (int64_t i = 0; i < n; ++i) {
      const double x = w->v[j * n + (i + 1) % n] - w->v[j * n + (i + n - 1) % n];
      const double y =
          w->cos_f[j + 1] * below(w, w->u, j + 1, i) - w->cos_f[j] * below(w, w->u, j, i);
      w->rhs[j * n + i] = s->radius / w->cos_c[j] * (x / (2 * s->dlon) - y / s->dlat);
    }
}

/* Solves wave m for one part (cosine or sine) of the right-hand side, x[nlat], in place. */
static void solve(const work *w, const struct swe *s, int64_t m, double *x, double *c) {
  const double ry = 1 / (s->dlat * s->dlat), sm = sin(.5 * (double)m * s->dlon);
  for (int64_t j = 0; j < w->nlat; ++j) { /* Thomas's algorithm */
    const double lower = ry * w->cos_f[j], upper = ry * w->cos_f[j + 1];
    const double zonal = 4 * sm * sm / (s->dlon * s->dlon * w->cos_c[j]);
    const bool pinned = m == 0 && j == 0; /* the mean is free: the first row is set to 0 */
    const double diagonal = pinned ? 1 : -(lower + upper + zonal);
    const double pivot = diagonal - (j ? lower * c[j - 1] : 0);
    c[j] = pinned ? 0 : upper / pivot;
    x[j] = pinned ? 0 : (w->cos_c[j] * x[j] - (j ? lower * x[j - 1] : 0)) / pivot;
  }
  for (int64_t j = w->nlat - 2; j >= 0; --j) x[j] -= c[j] * x[j + 1];
}

/* rhs becomes the solution, wave by wave. */
static void invert(pel_sim *sim, work *w, const struct swe *s, double *z) {
  const int64_t n = w->nlon, held = s->u_map->nlon / 2, last = held < n / 2 ? held : n / 2;
  double *a = pel_alloc(sim, (size_t)w->nlat * 3 * sizeof *a), *b = a + w->nlat, *c = b + w->nlat;
  double *co = pel_alloc(sim, (size_t)n * 2 * sizeof *co), *si = co + n;
  for (int64_t m = 0; m <= last; ++m) {
    const double norm = (m == 0 || 2 * m == n ? 1. : 2.) / (double)n;
    for (int64_t i = 0; i < n; ++i) {
      co[i] = cos(swe_longitude(s, 2 * i, m));
      si[i] = sin(swe_longitude(s, 2 * i, m));
    }
    for (int64_t j = 0; j < w->nlat; ++j) {
      a[j] = b[j] = 0;
      for (int64_t i = 0; i < n; ++i) {
        a[j] += norm * w->rhs[j * n + i] * co[i];
        b[j] += norm * w->rhs[j * n + i] * si[i];
      }
    }
    solve(w, s, m, a, c);
    solve(w, s, m, b, c);
    for (int64_t j = 0; j < w->nlat; ++j)
      for (int64_t i = 0; i < n; ++i) z[j * n + i] += a[j] * co[i] + b[j] * si[i];
  }
}

double *pel__swe_balance(pel_sim *sim, const struct swe *s) {
  const size_t cells = (size_t)(s->nlon * s->nlat);
  double *z = pel_alloc(sim, cells * sizeof *z);
  double *memory = pel_alloc(sim, (3 * cells + 2 * (size_t)s->nlat + 1) * sizeof *memory);
  work w = {s->nlon,
            s->nlat,
            memory,
            memory + cells,
            memory + 2 * cells,
            memory + 3 * cells,
            memory + 3 * cells + s->nlat};
  fill(&w, s);
  for (size_t p = 0; p < cells; ++p) z[p] = -.5 * (w.u[p] * w.u[p] + w.v[p] * w.v[p]);
  right_hand_side(&w, s);
  invert(sim, &w, s, z);
  double sum = 0, weights = 0;
  for (int64_t j = 0; j < s->nlat; ++j)
    for (int64_t i = 0; i < s->nlon; ++i) {
      sum += w.cos_c[j] * z[j * s->nlon + i];
      weights += w.cos_c[j];
    }
  for (size_t p = 0; p < cells; ++p) z[p] = s->mean_height + (z[p] - sum / weights) / s->gravity;
  return z;
}
