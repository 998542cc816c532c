/* Viscosity of second and fourth order on the wind, diffusion of the free surface:
 *   d(u,v)/dt += nu2 L(u,v) - nu4 L(L(u,v))     L = grad(divergence) - k x grad(vorticity)
 *   dh/dt     += kappa div(grad(h + hs))
 * The C-grid form of L keeps a nondivergent wind nondivergent.  The diffusion acts on the surface,
 * not the depth, so that a lake at rest stays at rest over topography, and conserves mass.
 *
 * Between the two L of the fourth-order term the layer filters the polar rows; without that the
 * meridians that converge would make the term as stiff as (dx at the pole)^-4. */
#include "state.h"

void pel__swe_copy_lu(const pel_tile *t, const void *state) {
  const double *restrict lu = ((const struct swe *)state)->lu;
  PEL_ROWS(t, j, k, p0, p1) for (ptrdiff_t p = p0; p < p1; ++p) t->out[p] = lu[p];
}

/* Divergence at centres and vorticity at corners of a wind; south and north: its sums at poles. */
static void strain(const pel_tile *t, const struct swe *s, const double *restrict u,
                   const double *restrict v, double *restrict delta, double *restrict zeta,
                   double south, double north) {
  const ptrdiff_t sy = t->sy;
  const double dy = s->dy;
  PEL_ROWS(t, j, k, p0, p1) {
    const int64_t row = swe_row(t, j);
    const double ra = s->inv_area[j], dxs = s->dx_v[j], dxn = s->dx_v[j + 1];
    const double zv = s->zeta_v[j], zn = s->zeta_n[j], zs = s->zeta_s[j]; /* 0 at the poles */
    const double pole = row == 0         ? -s->pole_zeta * south
                        : row == s->nlat ? s->pole_zeta * north
                                         : 0;
#pragma omp simd
    for (ptrdiff_t p = p0; p < p1; ++p) {
      delta[p] = ra * (dy * (u[p + 1] - u[p]) + (dxn * v[p + sy] - dxs * v[p]));
      zeta[p] = pole + (zv * (v[p] - v[p - 1]) - (zn * u[p] - zs * u[p - sy]));
    }
  }
}

void pel__swe_strain(const pel_tile *t, const void *state) {
  const struct swe *s = state;
  strain(t, s, s->u, s->v, s->delta, s->zeta, s->south_u, s->north_u);
}

void pel__swe_strain_l(const pel_tile *t, const void *state) {
  const struct swe *s = state;
  strain(t, s, s->lu, s->lv, s->delta_l, s->zeta_l, s->south_lu, s->north_lu);
}

void pel__swe_laplacian(const pel_tile *t, const void *state) {
  const struct swe *s = state;
  const double *restrict delta = s->delta, *restrict zeta = s->zeta;
  double *restrict lu = s->lu, *restrict lv = s->lv;
  const ptrdiff_t sy = t->sy;
  const double ry = 1 / s->dy;
  PEL_ROWS(t, j, k, p0, p1) {
    const double rx = s->inv_dx_u[j], rxv = s->inv_dx_v[j], ryv = s->inv_dy_v[j];
#pragma omp simd
    for (ptrdiff_t p = p0; p < p1; ++p) {
      lu[p] = rx * (delta[p] - delta[p - 1]) - ry * (zeta[p + sy] - zeta[p]);
      lv[p] = ryv * (delta[p] - delta[p - sy]) + rxv * (zeta[p + 1] - zeta[p]);
    }
  }
}

void pel__swe_viscosity(const pel_tile *t, const void *state) {
  const struct swe *s = state;
  const double *restrict lu = s->lu, *restrict lv = s->lv, nu = s->viscosity;
  double *restrict du = s->du, *restrict dv = s->dv;
  PEL_ROWS(t, j, k, p0, p1) {
#pragma omp simd
    for (ptrdiff_t p = p0; p < p1; ++p) {
      du[p] += nu * lu[p];
      dv[p] += nu * lv[p];
    }
  }
}

void pel__swe_hyperviscosity(const pel_tile *t, const void *state) {
  const struct swe *s = state;
  const double *restrict delta = s->delta_l, *restrict zeta = s->zeta_l, nu = s->hyperviscosity;
  double *restrict du = s->du, *restrict dv = s->dv;
  const ptrdiff_t sy = t->sy;
  const double ry = 1 / s->dy;
  PEL_ROWS(t, j, k, p0, p1) {
    const double rx = s->inv_dx_u[j], rxv = s->inv_dx_v[j], ryv = s->inv_dy_v[j];
#pragma omp simd
    for (ptrdiff_t p = p0; p < p1; ++p) {
      du[p] -= nu * (rx * (delta[p] - delta[p - 1]) - ry * (zeta[p + sy] - zeta[p]));
      dv[p] -= nu * (ryv * (delta[p] - delta[p - sy]) + rxv * (zeta[p + 1] - zeta[p]));
    }
  }
}

void pel__swe_diffusion(const pel_tile *t, const void *state) {
  const struct swe *s = state;
  const double *restrict h = s->h, *restrict hs = s->hs;
  double *restrict dh = s->dh;
  const ptrdiff_t sy = t->sy;
  PEL_ROWS(t, j, k, p0, p1) {
    const double x = s->diffusivity * s->inv_area[j] * s->dy * s->inv_dx_u[j];
    const double ys = s->diffusivity * s->inv_area[j] * s->dx_v[j] / s->dy;
    const double yn = s->diffusivity * s->inv_area[j] * s->dx_v[j + 1] / s->dy;
#pragma omp simd
    for (ptrdiff_t p = p0; p < p1; ++p) {
      const double c = h[p] + hs[p];
      const double w = h[p - 1] + hs[p - 1] - c, e = h[p + 1] + hs[p + 1] - c;
      const double so = h[p - sy] + hs[p - sy] - c, no = h[p + sy] + hs[p + sy] - c;
      dh[p] += x * (w + e) + (ys * so + yn * no);
    }
  }
}
