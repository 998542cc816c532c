/* Vector-invariant shallow-water equations on the C-grid:
 *   du/dt =  q V - d(g(h+hs) + K)/dx      q = (f + zeta)/h        potential vorticity
 *   dv/dt = -q U - d(g(h+hs) + K)/dy      U = u h, V = v h        mass fluxes
 *   dh/dt = -div(U, V)                    K = (u^2 + v^2)/2
 * in three discrete forms of (q V, -q U):
 *   energy         conserves energy: Sadourny (1975), J. Atmos. Sci. 32, 680-689
 *   enstrophy      conserves potential enstrophy: the same paper
 *   arakawa_lamb   conserves both: Arakawa & Lamb (1981), Mon. Wea. Rev. 109, 18-36
 * There are no metric terms in this form; fluxes are integrals over faces [m3/s].
 *
 * Two stages: the first makes q, g(h+hs)+K, U and V of a tile and the ring around it, the second
 * the rates.  At a pole V is zero, so the energy form never uses q there; the others take it from
 * the circulation and mean depth around the pole, whose sums are in the state. */
#include "state.h"

void pel__swe_copy_u(const pel_tile *t, const void *state) {
  const double *restrict u = ((const struct swe *)state)->u;
  PEL_ROWS(t, j, k, p0, p1) for (ptrdiff_t p = p0; p < p1; ++p) t->out[p] = u[p];
}

void pel__swe_copy_h(const pel_tile *t, const void *state) {
  const double *restrict h = ((const struct swe *)state)->h;
  PEL_ROWS(t, j, k, p0, p1) for (ptrdiff_t p = p0; p < p1; ++p) t->out[p] = h[p];
}

void pel__swe_fluxes(const pel_tile *t, const void *state) {
  const struct swe *s = state;
  const double *restrict u = s->u, *restrict v = s->v, *restrict h = s->h, *restrict hs = s->hs;
  const double *restrict cos_lon = s->cos_lon;
  double *restrict q = s->q, *restrict bernoulli = s->bernoulli;
  double *restrict flux_u = s->flux_u, *restrict flux_v = s->flux_v;
  const ptrdiff_t sy = t->sy;
  const double g = s->gravity, half_dy = .5 * s->dy;
  const bool sums = s->momentum != SWE_ENERGY;
  PEL_ROWS(t, j, k, p0, p1) {
    const int64_t row = swe_row(t, j);
    const double half_dx = .5 * s->dx_v[j], f_lon = s->f_lon[j];
    const double zv = s->zeta_v[j], zn = s->zeta_n[j], zs = s->zeta_s[j];
    const double ku = s->kinetic_u[j], ks = s->kinetic_s[j], kn = s->kinetic_n[j];
    double f = s->f_lat[j], dn = s->depth_n[j], ds = s->depth_s[j], depth = 0;
    if (sums && (row == 0 || row == s->nlat)) { /* the tables give zeta = 0 here */
      f += row == 0 ? -s->pole_zeta * s->south_u : s->pole_zeta * s->north_u;
      depth = (row == 0 ? s->south_h : s->north_h) * s->inv_nlon;
      dn = ds = 0;
    }
    const ptrdiff_t i0 = t->lo[0] - p0;
#pragma omp simd
    for (ptrdiff_t p = p0; p < p1; ++p) {
      const double hn = h[p] + h[p - 1], hsouth = h[p - sy] + h[p - sy - 1];
      const double zeta = zv * (v[p] - v[p - 1]) - (zn * u[p] - zs * u[p - sy]);
      q[p] = ((f + f_lon * cos_lon[p + i0]) + zeta) / (depth + (dn * hn + ds * hsouth));
      bernoulli[p] = g * (h[p] + hs[p]) + (ku * (u[p] * u[p] + u[p + 1] * u[p + 1]) +
                                           (ks * (v[p] * v[p]) + kn * (v[p + sy] * v[p + sy])));
      flux_u[p] = half_dy * (u[p] * hn);
      flux_v[p] = half_dx * (v[p] * (h[p] + h[p - sy]));
    }
  }
}

/* The rates; `form` is a constant where this is inlined, so the loop has no branch.
 * In the third form a cell with corners NE, NW, SE, SW enters by the sums along its diagonals,
 * D = NE + SW and E = NW + SE: 24 alpha = 24 gamma' = 2D + E, 24 beta = 24 delta' = D + 2E. */
static inline __attribute__((always_inline)) void rates(const pel_tile *t, const struct swe *s,
                                                        int form) {
  const double *restrict q = s->q, *restrict b = s->bernoulli;
  const double *restrict fu = s->flux_u, *restrict fv = s->flux_v;
  double *restrict du = s->du, *restrict dv = s->dv, *restrict dh = s->dh;
  const ptrdiff_t sy = t->sy;
  PEL_ROWS(t, j, k, p0, p1) {
    const double rx = s->inv_dx_u[j], ry = s->inv_dy_v[j], ra = s->inv_area[j];
#pragma omp simd
    for (ptrdiff_t p = p0; p < p1; ++p) {
      double qv, qu;
      if (form == SWE_ENERGY) {
        qv = .25 * (q[p + sy] * (fv[p + sy] + fv[p + sy - 1]) + q[p] * (fv[p] + fv[p - 1]));
        qu = .25 * (q[p + 1] * (fu[p + 1] + fu[p + 1 - sy]) + q[p] * (fu[p] + fu[p - sy]));
      } else if (form == SWE_ENSTROPHY) {
        qv = .125 * ((q[p + sy] + q[p]) * ((fv[p + sy] + fv[p + sy - 1]) + (fv[p] + fv[p - 1])));
        qu = .125 * ((q[p + 1] + q[p]) * ((fu[p + 1] + fu[p + 1 - sy]) + (fu[p] + fu[p - sy])));
      } else {
        /* cells p, p-1 to its west and p-sy to its south; x, y: 24 epsilon of the paper */
        const double dp = q[p + sy + 1] + q[p], ep = q[p + sy] + q[p + 1];
        const double dw = q[p + sy] + q[p - 1], ew = q[p + sy - 1] + q[p];
        const double ds = q[p + 1] + q[p - sy], es = q[p] + q[p - sy + 1];
        const double xp = (q[p + sy + 1] + q[p + sy]) - (q[p] + q[p + 1]);
        const double xw = (q[p + sy] + q[p + sy - 1]) - (q[p - 1] + q[p]);
        const double yp = (q[p + sy] + q[p]) - (q[p + sy + 1] + q[p + 1]);
        const double ys = (q[p] + q[p - sy]) - (q[p + 1] + q[p - sy + 1]);
        qv = (1. / 24) * ((((2 * dp + ep) * fv[p + sy] + (dw + 2 * ew) * fv[p + sy - 1]) +
                           ((dp + 2 * ep) * fv[p] + (2 * dw + ew) * fv[p - 1])) +
                          (xw * fu[p - 1] - xp * fu[p + 1]));
        qu = (1. / 24) * ((((2 * dp + ep) * fu[p + 1] + (ds + 2 * es) * fu[p + 1 - sy]) +
                           ((dp + 2 * ep) * fu[p] + (2 * ds + es) * fu[p - sy])) +
                          (yp * fv[p + sy] - ys * fv[p - sy]));
      }
      du[p] = rx * (qv - (b[p] - b[p - 1]));
      dv[p] = -ry * (qu + (b[p] - b[p - sy]));
      dh[p] = -ra * ((fu[p + 1] - fu[p]) + (fv[p + sy] - fv[p]));
    }
  }
}

void pel__swe_energy(const pel_tile *t, const void *state) { rates(t, state, SWE_ENERGY); }
void pel__swe_enstrophy(const pel_tile *t, const void *state) { rates(t, state, SWE_ENSTROPHY); }
void pel__swe_arakawa_lamb(const pel_tile *t, const void *state) {
  rates(t, state, SWE_ARAKAWA_LAMB);
}
