/* Global numbers of the shallow-water model and the limits of its time step. */
#include "state.h"

#define ROWS_OUT(EXPR) \
  PEL_ROWS(t, j, k, p0, p1) for (ptrdiff_t p = p0; p < p1; ++p) t->out[p] = (EXPR)

void pel__swe_area(const pel_tile *t, const void *state) {
  const struct swe *s = state;
  ROWS_OUT(s->area[j]);
}

void pel__swe_area_v(const pel_tile *t, const void *state) {
  const struct swe *s = state;
  ROWS_OUT(s->area_q[j]);
}

static void mass(const pel_tile *t, const void *state) {
  const struct swe *s = state;
  const double *restrict h = s->h;
  ROWS_OUT(s->area[j] * h[p]);
}

/* What the energy and Arakawa-Lamb forms conserve; the sum over cells of h K is that over faces
 * of (mean h) (wind)^2/2. */
static void energy(const pel_tile *t, const void *state) {
  const struct swe *s = state;
  const double *restrict u = s->u, *restrict v = s->v, *restrict h = s->h, *restrict hs = s->hs;
  const ptrdiff_t sy = t->sy;
  PEL_ROWS(t, j, k, p0, p1) {
    const double ku = s->kinetic_u[j], ks = s->kinetic_s[j], kn = s->kinetic_n[j];
    for (ptrdiff_t p = p0; p < p1; ++p) {
      const double kinetic = ku * (u[p] * u[p] + u[p + 1] * u[p + 1]) +
                             (ks * (v[p] * v[p]) + kn * (v[p + sy] * v[p + sy]));
      t->out[p] = s->area[j] * h[p] * (kinetic + s->gravity * (.5 * h[p] + hs[p]));
    }
  }
}

/* Potential vorticity at corner p of row j.  On the south pole the value next to it stands in: the
 * true one needs the whole circle, and the caps are 1e-4 of the sphere at 2.5 degrees. */
static inline double vorticity(const struct swe *s, const pel_tile *t, ptrdiff_t p, ptrdiff_t j,
                               int64_t column, double *depth) {
  const ptrdiff_t sy = t->sy;
  if (swe_row(t, j) == 0) {
    p += sy;
    ++j;
  }
  const double f = s->f_lat[j] + s->f_lon[j] * s->cos_lon[column - t->first[0]];
  *depth = swe_depth(s, s->h, p, sy, j);
  return (f + swe_zeta(s, s->u, s->v, p, sy, j)) / *depth;
}

static void potential_enstrophy(const pel_tile *t, const void *state) {
  const struct swe *s = state;
  PEL_ROWS(t, j, k, p0, p1) {
    const bool last = swe_row(t, j) == s->nlat - 1; /* takes the north cap too */
    const double area = s->area_q[j] + (last ? s->area_q[j + 1] : 0);
    for (ptrdiff_t p = p0; p < p1; ++p) {
      double depth;
      const double q = vorticity(s, t, p, j, swe_column(t, p, p0), &depth);
      t->out[p] = .5 * area * depth * q * q;
    }
  }
}

static void pv(const pel_tile *t, const void *state) {
  const struct swe *s = state;
  double depth;
  ROWS_OUT(vorticity(s, t, p, j, swe_column(t, p, p0), &depth));
}

static void speed(const pel_tile *t, const void *state) {
  const struct swe *s = state;
  const ptrdiff_t sy = t->sy;
  ROWS_OUT(swe_speed(s, j, p, sy));
}

static void tracer_mass(const pel_tile *t, const void *state) {
  const struct swe *s = state;
  const double *restrict c = s->tracer;
  ROWS_OUT(s->area[j] * c[p]);
}

/* ---- limits ---- */

/* Shortest waves of the C-grid, 2 c sqrt(1/dx^2 + 1/dy^2), carried by the wind; dx is that of the
 * filter's latitude in the filtered rows.  Measured: with RK4 case 5 at 2.5 degrees is stable for
 * 15 days with 763 s, which this gives for cfl = 1, and not with 800 s. */
static void waves(const pel_tile *t, const void *state) {
  const struct swe *s = state;
  const double *restrict u = s->u, *restrict v = s->v, *restrict h = s->h;
  const double iy = 1 / s->dy;
  PEL_ROWS(t, j, k, p0, p1) {
    const double ix = s->inv_dx_wave[j], wave = 4 * s->gravity * (ix * ix + iy * iy);
    for (ptrdiff_t p = p0; p < p1; ++p) {
      if (h[p] <= 0)
        pel_fail(t->sim,
                 "the fluid layer vanished: h = %.3g m at latitude %.2f, longitude %.2f; "
                 "use more depth, lower topography, or a shorter time step",
                 h[p], -90 + 180. * ((double)swe_row(t, j) + .5) / (double)s->nlat,
                 360. * ((double)swe_column(t, p, p0) + .5) / (double)s->nlon);
      t->out[p] = sqrt(wave * fmax(h[p], 0)) + (fabs(u[p]) * ix + fabs(v[p]) * iy);
    }
  }
}

/* Fifth-order upwind along one axis is stable to wind dt/dx = 1.73 with RK4 (2.83/1.73 = 1.64);
 * across a pole, where the filter meets a wind that varies along the row, 0.9 of that (measured).
 */
static void transport(const pel_tile *t, const void *state) {
  const struct swe *s = state;
  const double *restrict u = s->u, *restrict v = s->v;
  const double iy = 1 / s->dy;
  ROWS_OUT(1.85 * (fabs(u[p]) * s->inv_dx_wave[j] + fabs(v[p]) * iy));
}

static void decay(const pel_tile *t, const void *state) {
  const struct swe *s = state;
  const double nu = fmax(s->viscosity, s->diffusivity);
  PEL_ROWS(t, j, k, p0, p1) {
    const double lambda = 4 * s->laplace[j];
    for (ptrdiff_t p = p0; p < p1; ++p) t->out[p] = lambda * (nu + s->hyperviscosity * lambda);
  }
}

static bool passive(const void *state) { return swe_passive(state); }
static bool dynamic(const void *state) { return !swe_passive(state); }
static bool viscous(const void *state) {
  const struct swe *s = state;
  return dynamic(s) && (s->viscosity > 0 || s->hyperviscosity > 0 || s->diffusivity > 0);
}

/* ---- tables ---- */

#define AT(m, r) PEL_AT(struct swe, m, r)

const pel_diagnostic pel__swe_diagnostics[] = {
    {"mass", PEL_SUM, mass, PEL_READS(AT(h, 0)), .conserved = true, .tolerance = 1e-12,
     .unit = "m3", .doc = "volume of the fluid", .when = dynamic},
    {"energy", PEL_SUM, energy, PEL_READS(AT(u, 1), AT(v, 1), AT(h, 0), AT(hs, 0)),
     .unit = "m5 s-2", .doc = "kinetic and potential energy over density", .when = dynamic},
    {"potential_enstrophy", PEL_SUM, potential_enstrophy, PEL_READS(AT(u, 1), AT(v, 1), AT(h, 1)),
     .unit = "m s-2", .doc = "half of the depth-weighted square of potential vorticity",
     .when = dynamic},
    {"max_speed", PEL_MAX, speed, PEL_READS(AT(u, 1), AT(v, 1)), .unit = "m s-1",
     .doc = "largest wind speed at a cell centre"},
    {"min_pv", PEL_MIN, pv, PEL_READS(AT(u, 1), AT(v, 1), AT(h, 1)), .unit = "m-1 s-1",
     .doc = "smallest potential vorticity", .when = dynamic},
    {"max_pv", PEL_MAX, pv, PEL_READS(AT(u, 1), AT(v, 1), AT(h, 1)), .unit = "m-1 s-1",
     .doc = "largest potential vorticity, constant in an inviscid flow", .when = dynamic},
    {"tracer_mass", PEL_SUM, tracer_mass, PEL_READS(AT(tracer, 0)), .conserved = true,
     .tolerance = 1e-12, .unit = "m3", .doc = "integral of the tracer", .when = passive},
};

const pel_limit pel__swe_limits[] = {
    {"gravity waves and advection", PEL_OSCILLATES, waves, PEL_READS(AT(u, 0), AT(v, 0), AT(h, 0)),
     .doc = "fastest wave of the grid after the polar filter, carried by the wind",
     .when = dynamic},
    {"tracer advection", PEL_OSCILLATES, transport, PEL_READS(AT(u, 0), AT(v, 0)),
     .doc = "upwind-biased transport", .when = passive},
    {"viscosity", PEL_DECAYS, decay, .doc = "shortest wave of the grid after the polar filter",
     .when = viscous},
};
