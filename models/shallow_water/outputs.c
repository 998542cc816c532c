/* Fields of the shallow-water model that are computed only when they are written. */
#include "state.h"

static void surface_height(const pel_tile *t, const void *state) {
  const struct swe *s = state;
  PEL_ROWS(t, j, k, p0, p1) for (ptrdiff_t p = p0; p < p1; ++p) t->out[p] = s->h[p] + s->hs[p];
}

/* Relative vorticity at corner p of row j.  At the south pole: the mean over the corners one row
 * away on this and on the opposite meridian; beyond the pole lies the row itself, seen with the
 * wind reversed. */
static double relative(const struct swe *s, const pel_tile *t, ptrdiff_t p, ptrdiff_t j) {
  const double *u = s->u, *v = s->v;
  const ptrdiff_t sy = t->sy;
  if (swe_row(t, j) > 0) return swe_zeta(s, u, v, p, sy, j);
  const double here = swe_zeta(s, u, v, p + sy, sy, j + 1);
  const double opposite = s->zeta_n[j + 1] * u[p - 2 * sy] - s->zeta_s[j + 1] * u[p - sy] -
                          s->zeta_v[j + 1] * (v[p - sy] - v[p - sy - 1]);
  return .5 * (here + opposite);
}

static void vorticity(const pel_tile *t, const void *state) {
  PEL_ROWS(t, j, k, p0, p1)
  for (ptrdiff_t p = p0; p < p1; ++p) t->out[p] = relative(state, t, p, j);
}

static void potential_vorticity(const pel_tile *t, const void *state) {
  const struct swe *s = state;
  PEL_ROWS(t, j, k, p0, p1)
  for (ptrdiff_t p = p0; p < p1; ++p) {
    const double f = s->f_lat[j] + s->f_lon[j] * s->cos_lon[t->lo[0] + (p - p0)];
    t->out[p] = (f + relative(s, t, p, j)) / swe_depth(s, s->h, p, t->sy, j);
  }
}

static void divergence(const pel_tile *t, const void *state) {
  const struct swe *s = state;
  const double *u = s->u, *v = s->v;
  const ptrdiff_t sy = t->sy;
  PEL_ROWS(t, j, k, p0, p1)
  for (ptrdiff_t p = p0; p < p1; ++p)
    t->out[p] = s->inv_area[j] *
                (s->dy * (u[p + 1] - u[p]) + (s->dx_v[j + 1] * v[p + sy] - s->dx_v[j] * v[p]));
}

static void wind_speed(const pel_tile *t, const void *state) {
  const struct swe *s = state;
  PEL_ROWS(t, j, k, p0, p1)
  for (ptrdiff_t p = p0; p < p1; ++p) t->out[p] = swe_speed(s, j, p, t->sy);
}

static bool dynamic(const void *state) { return !swe_passive(state); }

#define AT(m, r) PEL_AT(struct swe, m, r)

const pel_output pel__swe_outputs[] = {
    {"surface_height", PEL_CENTRE, surface_height, PEL_READS(AT(h, 0), AT(hs, 0)), .standard = true,
     .unit = "m", .doc = "height of the free surface, h + hs", .when = dynamic},
    {"vorticity", PEL_CORNER_XY, vorticity, PEL_READS(AT(u, 2), AT(v, 2)), .standard = true,
     .unit = "s-1", .standard_name = "atmosphere_relative_vorticity", .doc = "relative vorticity"},
    {"potential_vorticity", PEL_CORNER_XY, potential_vorticity,
     PEL_READS(AT(u, 2), AT(v, 2), AT(h, 1)), .unit = "m-1 s-1",
     .doc = "absolute vorticity over depth", .when = dynamic},
    {"divergence", PEL_CENTRE, divergence, PEL_READS(AT(u, 1), AT(v, 1)), .unit = "s-1",
     .standard_name = "divergence_of_wind", .doc = "horizontal divergence"},
    {"wind_speed", PEL_CENTRE, wind_speed, PEL_READS(AT(u, 1), AT(v, 1)), .unit = "m s-1",
     .standard_name = "wind_speed", .doc = "speed of the wind at a cell centre"},
};
