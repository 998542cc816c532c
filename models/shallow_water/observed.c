/* Initial state from observations: height, winds and topography from maps.
 *
 * Winds that are not given follow from the height Z of the free surface,
 *   (u, v) = g f^3/(f^4 + e^4) (-dZ/dy, dZ/dx),   e = 2 Omega sin(balance_latitude):
 * geostrophic poleward of that latitude (to 1 % at three times the sine), and nothing at the
 * equator, where gradients of height balance no wind.  A height that is not given follows from the
 * winds (balance.c). */
#include "state.h"

/* Geopotential heights are defined with this gravity, whatever the model's. */
static const double standard_gravity = 9.80665;

/* ---- checks ---- */

static void refuse(pel_sim *sim, const char *key, const char *where) {
  if (pel_given(sim, NULL, key))
    pel_reject(sim, NULL, key, "has no effect here; it is for %s", where);
}

void pel__swe_observed_setup(pel_sim *sim, struct swe *s) {
  static const char *const maps[] = {"height_file", "height_variable", "geopotential",
                                     "wind_file",   "u_variable",      "v_variable",
                                     "map_time",    "map_level",       "balance_latitude"};
  static const char *const surface[] = {"topography_variable", "topography_scale",
                                        "topography_floor", "topography_smoothing"};
  if (s->initial != SWE_OBSERVED)
    for (int i = 0; i < PEL_N(maps); ++i) refuse(sim, maps[i], "initial = observed");
  if (s->initial != SWE_OBSERVED && s->initial != SWE_LAKE)
    refuse(sim, "topography_file", "initial = observed or lake_at_rest");
  if (!s->topography_file[0])
    for (int i = 0; i < PEL_N(surface); ++i) refuse(sim, surface[i], "a topography_file");
  if (s->initial != SWE_OBSERVED) return;
  if (!s->height_file[0] && !s->wind_file[0])
    pel_reject(sim, NULL, "height_file",
               "initial = observed needs height_file, wind_file, or both");
  else if (!s->height_file[0] && s->mean_height == 0)
    pel_reject(sim, NULL, "mean_height",
               "must be given with winds alone: they determine the height up to a constant");
}

/* ---- maps ---- */

/* One pass of (a + 2 b + c)/4 in place along n values with this stride. */
static void smooth(double *z, int n, ptrdiff_t stride, bool periodic) {
  const double last = z[(n - 1) * stride], first = z[0];
  double before = periodic ? last : first;
  for (int i = 0; i < n; ++i) {
    const double here = z[i * stride];
    const double after = i + 1 < n ? z[(i + 1) * stride] : periodic ? first : here;
    z[i * stride] = .25 * ((before + after) + 2 * here);
    before = here;
  }
}

/* The map becomes what the model stands on: sea floors are raised to topography_floor, and what
 * the grid cannot carry is smoothed away. */
static void prepare_topography(const struct swe *s, const pel_map *m) {
  for (ptrdiff_t i = 0; i < (ptrdiff_t)m->nlat * m->nlon; ++i)
    m->value[i] = s->topography_scale * fmax(m->value[i], s->topography_floor);
  for (int64_t pass = 0; pass < s->topography_smoothing; ++pass) {
    for (int j = 0; j < m->nlat; ++j) smooth(m->value + (ptrdiff_t)j * m->nlon, m->nlon, 1, true);
    for (int i = 0; i < m->nlon; ++i) smooth(m->value + i, m->nlat, m->nlon, false);
  }
}

double pel__swe_topography(const struct swe *s, double lon, double lat) {
  const double z = pel_map_at(s->topography_map, lat * (180 / PEL_PI), lon * (180 / PEL_PI));
  return fmax(z, s->topography_scale * s->topography_floor); /* cubics overshoot */
}

/* Mean over the sphere of what pel__swe_observed_height puts on the grid, before the offset. */
static double mean_of_map(const struct swe *s) {
  double sum = 0, weights = 0;
  for (int64_t j = 0; j < s->nlat; ++j) {
    const double lat = swe_latitude(s, 2 * j + 1), w = cos(lat);
    double row = 0;
    for (int64_t i = 0; i < s->nlon; ++i)
      row += pel_map_at(s->height_map, lat * (180 / PEL_PI),
                        swe_longitude(s, 2 * i + 1, 1) * (180 / PEL_PI));
    sum += w * row;
    weights += w * (double)s->nlon;
  }
  return sum / weights;
}

/* Without a mean height the map must be a surface above sea level. */
static void check_surface(pel_sim *sim, const struct swe *s) {
  const pel_map *m = s->height_map;
  double least = m->value[0], most = least;
  for (ptrdiff_t i = 1; i < (ptrdiff_t)m->nlat * m->nlon; ++i) {
    least = fmin(least, m->value[i]);
    most = fmax(most, m->value[i]);
  }
  if (s->mean_height > 0 || most > 0) return;
  static const char *const advice =
      "expected the height of a free surface: choose another "
      "height_variable, or give mean_height";
  if (least == 0)
    pel_reject(sim, NULL, "height_file", "the height in %s is 0 m everywhere; %s", s->height_file,
               advice);
  else
    pel_reject(sim, NULL, "height_file",
               "the height in %s is nowhere above 0 m (%.6g to %.6g m); %s", s->height_file, least,
               most, advice);
}

void pel__swe_observed_load(pel_sim *sim, struct swe *s) {
  if (s->initial == SWE_OBSERVED && pel_resuming(sim)) return; /* init is all that maps are for */
  if (s->topography_file[0]) {
    s->topography_map = pel_map_read(sim, NULL, "topography_file", s->topography_file,
                                     s->topography_variable, "first", "", "m");
    if (s->topography_map) prepare_topography(s, s->topography_map);
  }
  if (s->initial != SWE_OBSERVED) return;
  if (s->height_file[0]) {
    s->height_map = pel_map_read(sim, NULL, "height_file", s->height_file, s->height_variable,
                                 s->map_time, s->map_level, s->geopotential ? "m2 s-2" : "m");
    if (!s->height_map) return;
    if (s->geopotential)
      for (ptrdiff_t i = 0; i < (ptrdiff_t)s->height_map->nlat * s->height_map->nlon; ++i)
        s->height_map->value[i] /= standard_gravity;
    check_surface(sim, s);
    if (s->mean_height > 0) s->height_offset = s->mean_height - mean_of_map(s);
  }
  if (!s->wind_file[0]) return;
  s->u_map = pel_map_read(sim, NULL, "u_variable", s->wind_file, s->u_variable, s->map_time,
                          s->map_level, "m s-1");
  s->v_map = pel_map_read(sim, NULL, "v_variable", s->wind_file, s->v_variable, s->map_time,
                          s->map_level, "m s-1");
  if (s->u_map && s->v_map && !s->height_map) s->balance_h = pel__swe_balance(sim, s);
}

/* ---- initial state ---- */

void pel__swe_observed_height(const pel_tile *t, const void *state) {
  const struct swe *s = state;
  PEL_ROWS(t, j, k, p0, p1) {
    const int64_t row = swe_row(t, j);
    const double lat = swe_latitude(s, 2 * row + 1);
    for (ptrdiff_t p = p0; p < p1; ++p) {
      const int64_t column = swe_column(t, p, p0);
      const double lon = swe_longitude(s, 2 * column + 1, 1);
      const double z = s->balance_h
                           ? s->balance_h[row * s->nlon + column]
                           : s->height_offset + pel_map_at(s->height_map, lat * (180 / PEL_PI),
                                                           lon * (180 / PEL_PI));
      s->hs[p] = s->topography_map ? pel__swe_topography(s, lon, lat) : 0;
      s->h[p] = z - s->hs[p];
      if (s->h[p] <= 0)
        pel_fail(t->sim,
                 "the topography (%.6g m) rises above the free surface (%.6g m) at latitude %.2f, "
                 "longitude %.2f; lower topography_scale, smooth it, or raise mean_height",
                 s->hs[p], z, lat * (180 / PEL_PI), lon * (180 / PEL_PI));
    }
  }
}

void pel__swe_observed_winds(const pel_tile *t, const void *state) {
  const struct swe *s = state;
  PEL_ROWS(t, j, k, p0, p1) {
    const int64_t r = 2 * swe_row(t, j);
    const double lat = swe_latitude(s, r) * (180 / PEL_PI);
    const double lat_u = swe_latitude(s, r + 1) * (180 / PEL_PI);
    for (ptrdiff_t p = p0; p < p1; ++p) {
      const int64_t c = 2 * swe_column(t, p, p0);
      s->u[p] = pel_map_at(s->u_map, lat_u, swe_longitude(s, c, 1) * (180 / PEL_PI));
      const double lon_v = swe_longitude(s, c + 1, 1) * (180 / PEL_PI);
      s->v[p] = r == 0 ? 0 : pel_map_at(s->v_map, lat, lon_v);
    }
  }
}

/* g f^3/(f^4 + e^4) at half row r. */
static double balance_factor(const struct swe *s, int64_t r) {
  const double f = 2 * s->rotation * sin(swe_latitude(s, r));
  const double e = 2 * s->rotation * sin(swe_radians(s->balance_latitude));
  return s->gravity * (f * f * f) / (f * f * f * f + e * e * e * e);
}

/* Gradients at a face: means of the four nearest along it. */
void pel__swe_balanced_winds(const pel_tile *t, const void *state) {
  const struct swe *s = state;
  const double *h = s->h, *hs = s->hs;
  const ptrdiff_t sy = t->sy;
#define Z(p) (h[p] + hs[p])
  PEL_ROWS(t, j, k, p0, p1) {
    const int64_t r = 2 * swe_row(t, j);
    const double fu = balance_factor(s, r + 1) / (4 * s->dy);
    const double fv = .25 * balance_factor(s, r) * s->inv_dx_v[j]; /* 0 on the pole */
    for (ptrdiff_t p = p0; p < p1; ++p) {
      s->u[p] = -fu * ((Z(p + sy) - Z(p - sy)) + (Z(p - 1 + sy) - Z(p - 1 - sy)));
      s->v[p] = fv * ((Z(p + 1) - Z(p - 1)) + (Z(p - sy + 1) - Z(p - sy - 1)));
    }
  }
#undef Z
}
