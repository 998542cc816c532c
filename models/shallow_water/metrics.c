/* Metric terms of the latitude-longitude C-grid as tables along latitude, so that kernels multiply
 * and never divide.  Areas are exact: A = a^2 dlon (sin north - sin south).
 *
 * Arakawa & Lamb (1981), Monthly Weather Review 109, 18-36; the kinetic energy is theirs too.
 * Beyond the poles every table repeats its last row, which keeps what is computed there finite;
 * nothing computed there is used with a weight other than zero. */
#include "state.h"

static int64_t clamp(int64_t x, int64_t lo, int64_t hi) { return x < lo ? lo : x > hi ? hi : x; }

/* Sine and cosine of latitude at half row r; the cosine is exactly zero at the poles. */
static double sine(const struct swe *s, int64_t r) {
  r = clamp(r, 0, 2 * s->nlat);
  return r == 0 ? -1 : r == 2 * s->nlat ? 1 : sin(swe_latitude(s, r));
}
static double cosine(const struct swe *s, int64_t r) {
  r = clamp(r, 0, 2 * s->nlat);
  return r == 0 || r == 2 * s->nlat ? 0 : cos(swe_latitude(s, r));
}
static int64_t centre(const struct swe *s, int64_t j) { return 2 * clamp(j, 0, s->nlat - 1) + 1; }
static int64_t face(const struct swe *s, int64_t j) { return 2 * clamp(j, 0, s->nlat); }
static bool polar(const struct swe *s, int64_t j) { return j <= 0 || j >= s->nlat; }

static double width(const struct swe *s, int64_t r) { return s->radius * cosine(s, r) * s->dlon; }
/* Area between half rows; the difference of sines as a product keeps its digits near the poles. */
static double box(const struct swe *s, int64_t south, int64_t north) {
  south = clamp(south, 0, 2 * s->nlat);
  north = clamp(north, 0, 2 * s->nlat);
  const double half = (double)(north - south) * (PEL_PI / (double)(4 * s->nlat));
  const double middle = (double)(north + south - 2 * s->nlat) * (PEL_PI / (double)(4 * s->nlat));
  return s->radius * s->radius * s->dlon * (2 * sin(half) * cos(middle));
}
static double area_of(const struct swe *s, int64_t j) {
  const int64_t r = centre(s, j);
  return box(s, r - 1, r + 1);
}
static double corner_area_of(const struct swe *s, int64_t j) {
  const int64_t r = face(s, j); /* at a pole: the cap's share of one longitude */
  return box(s, r - 1, r + 1);
}

/* One table: its value at index j of the axis. */
#define TABLE(NAME, EXPR)                            \
  static double NAME(const void *state, int64_t j) { \
    const struct swe *s = state;                     \
    return EXPR;                                     \
  }

/* clang-format off */
TABLE(area,        area_of(s, j))
TABLE(inv_area,    1 / area_of(s, j))
TABLE(area_q,      corner_area_of(s, j))
TABLE(dx_v,        width(s, face(s, j)))
TABLE(inv_dx_u,    1 / width(s, centre(s, j)))
TABLE(inv_dx_v,    polar(s, j) ? 0 : 1 / width(s, face(s, j)))
TABLE(inv_dy_v,    polar(s, j) ? 0 : 1 / s->dy)
TABLE(zeta_v,      polar(s, j) ? 0 : s->dy / corner_area_of(s, j))
TABLE(zeta_n,      polar(s, j) ? 0 : width(s, centre(s, j)) / corner_area_of(s, j))
TABLE(zeta_s,      polar(s, j) ? 0 : width(s, centre(s, j - 1)) / corner_area_of(s, j))
TABLE(depth_n,     area_of(s, j) / (2 * (area_of(s, j) + area_of(s, j - 1))))
TABLE(depth_s,     area_of(s, j - 1) / (2 * (area_of(s, j) + area_of(s, j - 1))))
TABLE(kinetic_u,   width(s, centre(s, j)) * s->dy / (4 * area_of(s, j)))
TABLE(kinetic_n,   width(s, face(s, j + 1)) * s->dy / (4 * area_of(s, j)))
TABLE(kinetic_s,   width(s, face(s, j)) * s->dy / (4 * area_of(s, j)))
TABLE(f_lat,       2 * s->rotation * cos(swe_radians(s->alpha)) * sine(s, face(s, j)))
TABLE(f_lon,       -2 * s->rotation * sin(swe_radians(s->alpha)) * cosine(s, face(s, j)))
TABLE(cos_lon,     cos(swe_longitude(s, 2 * j, 1)))
TABLE(filter_wave, j == 0 ? 1e300 : pow(sin(PEL_PI * (double)j / (double)s->nlon), -s->filter_power))
/* clang-format on */

/* After the filter, waves in row r with 2 sin(pi k/n)/dx above 2/(dx_equator cos lat_c) are slowed
 * to it: their largest frequency is that of the filter's latitude. */
static double inv_dx_filtered(const struct swe *s, int64_t r) {
  const double c = cosine(s, r), c0 = swe_filter_cosine(s);
  return 1 / (s->radius * s->dlon * (c > c0 ? c : c0));
}
TABLE(inv_dx_wave, inv_dx_filtered(s, centre(s, j)))

/* Largest eigenvalue of the filtered Laplacian/4: with m = sin(pi k/n)/cos lat the filtered zonal
 * part is m^2 (cos lat/(cos lat_c sin))^power, largest at the shortest wave or where filtering
 * begins.  Near the poles the staggering adds up to 11 % (eigenvalues computed for powers 0.5 to
 * 8). */
static double stiffness(const struct swe *s, int64_t r) {
  const double dx = s->radius * s->dlon, c = cosine(s, r);
  const double c0 = swe_filter_cosine(s);
  if (c >= c0) return 1 / (dx * dx * c * c);
  const double shortest = pow(c / c0, s->filter_power) / (c * c), onset = 1 / (c0 * c0);
  return (shortest > onset ? shortest : onset) / (dx * dx);
}
static double laplacian(const struct swe *s, int64_t j) {
  const int64_t r = centre(s, j); /* u here and v at both faces */
  double m = stiffness(s, r);
  for (int64_t f = r - 1; f <= r + 1; f += 2)
    if (f > 0 && f < 2 * s->nlat) m = fmax(m, stiffness(s, f));
  return 1.12 * (m + 1 / (s->dy * s->dy));
}
TABLE(laplace, laplacian(s, j))

#define LAT(m, text) \
  { offsetof(struct swe, m), 1, m, text }
const pel_profile pel__swe_profiles[] = {
    LAT(area, "area of a cell [m2]"),
    LAT(inv_area, "its reciprocal"),
    LAT(area_q, "area around a corner [m2]"),
    LAT(dx_v, "width of a south face [m], 0 at the poles"),
    LAT(inv_dx_u, "reciprocal width between west faces"),
    LAT(inv_dx_v, "reciprocal width of a south face, 0 at the poles"),
    LAT(inv_dy_v, "reciprocal distance of centres across a south face, 0 at the poles"),
    LAT(zeta_v, "weight of v in the vorticity, 0 at the poles"),
    LAT(zeta_n, "weight of u north of a corner, 0 at the poles"),
    LAT(zeta_s, "weight of u south of a corner, 0 at the poles"),
    LAT(depth_n, "weight of h north of a corner"),
    LAT(depth_s, "weight of h south of a corner"),
    LAT(kinetic_u, "weight of u^2 in the kinetic energy"),
    LAT(kinetic_n, "weight of v^2 at the north face"),
    LAT(kinetic_s, "weight of v^2 at the south face"),
    LAT(f_lat, "Coriolis parameter at a corner"),
    LAT(f_lon, "its amplitude along longitude when the pole is rotated"),
    {offsetof(struct swe, cos_lon), 0, cos_lon, "cosine of the longitude of a corner"},
    {offsetof(struct swe, filter_wave), PEL_WAVE, filter_wave, "sin(pi k/n)^-power"},
    LAT(inv_dx_wave, "reciprocal width as the filtered waves see it"),
    LAT(laplace, "largest eigenvalue of the filtered Laplacian, divided by 4"),
};

void pel__swe_metrics_setup(struct swe *s) {
  s->dlon = 2 * PEL_PI / (double)s->nlon;
  s->dlat = PEL_PI / (double)s->nlat;
  s->dy = s->radius * s->dlat;
  s->inv_nlon = 1 / (double)s->nlon;
  s->pole_zeta = width(s, 1) / ((double)s->nlon * corner_area_of(s, 0));
}
