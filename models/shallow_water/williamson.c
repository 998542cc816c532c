/* Initial states from Williamson, Drake, Hack, Jakob & Swarztrauber (1992), J. Comput. Phys. 102,
 * 211-224: cases 1 (cosine bell), 2 (steady zonal flow), 5 (isolated mountain), 6 (Rossby-Haurwitz
 * wave), and a lake at rest over the mountain of case 5.  Case 2 and the lake are steady and case 1
 * has an exact solution too.
 *
 * Places are given in half cells, c along longitude and r along latitude: even = face, odd =
 * centre. */
#include "state.h"

static const double day = 86400;

static double cosine(const struct swe *s, int64_t r) {
  return r <= 0 || r >= 2 * s->nlat ? 0 : cos(swe_latitude(s, r));
}
static double sine(const struct swe *s, int64_t r) { return sin(swe_latitude(s, r)); }

/* Speed of the solid rotation at its equator, cases 1, 2 and 5. */
static double u0(const struct swe *s) {
  return s->initial == SWE_W5 ? 20 : 2 * PEL_PI * s->radius / (12 * day);
}

/* Sine of the latitude of the rotated sphere: (90): -cos lon cos lat sin a + sin lat cos a. */
static double rotated_sine(const struct swe *s, int64_t c, int64_t r) {
  const double a = swe_radians(s->alpha);
  return sine(s, r) * cos(a) - cos(swe_longitude(s, c, 1)) * cosine(s, r) * sin(a);
}

static double solid_u(const struct swe *s, int64_t c, int64_t r) {
  const double a = swe_radians(s->alpha);
  return u0(s) * (cosine(s, r) * cos(a) + sine(s, r) * cos(swe_longitude(s, c, 1)) * sin(a));
}
static double solid_v(const struct swe *s, int64_t c) {
  return -u0(s) * sin(swe_longitude(s, c, 1)) * sin(swe_radians(s->alpha));
}

/* Case 1: winds from differences of the stream function, so that they are exactly nondivergent on
 * the grid and a constant tracer stays constant. */
static double stream(const struct swe *s, int64_t c, int64_t r) {
  return -s->radius * u0(s) * rotated_sine(s, c, r);
}
static double stream_u(const struct swe *s, int64_t c, int64_t r) {
  return -(stream(s, c, r + 1) - stream(s, c, r - 1)) / s->dy;
}
static double stream_v(const struct swe *s, int64_t c, int64_t r) {
  return (stream(s, c + 1, r) - stream(s, c - 1, r)) / (s->radius * cosine(s, r) * s->dlon);
}

/* Case 6, wave number 4 (equations 141-147). */
static const double rh_omega = 7.848e-6, rh_k = 7.848e-6, rh_h0 = 8000;
enum { RH = 4 };

static double wave_u(const struct swe *s, int64_t c, int64_t r) {
  const double co = cosine(s, r), si = sine(s, r), a = s->radius;
  return a * rh_omega * co +
         a * rh_k * pow(co, RH - 1) * (RH * si * si - co * co) * cos(swe_longitude(s, c, RH));
}
static double wave_v(const struct swe *s, int64_t c, int64_t r) {
  return -s->radius * rh_k * RH * pow(cosine(s, r), RH - 1) * sine(s, r) *
         sin(swe_longitude(s, c, RH));
}
static double wave_h(const struct swe *s, int64_t c, int64_t r) {
  const double co2 = cosine(s, r) * cosine(s, r), w = rh_omega, k = rh_k, om = s->rotation;
  const double cr = pow(co2, RH / 2), r1 = RH + 1;
  const double A = w / 2 * (2 * om + w) * co2 +
                   k * k / 4 * cr * cr * (r1 * co2 + (2 * RH * RH - RH - 2)) -
                   k * k / 2 * RH * RH * cr * cr / co2;
  const double B =
      2 * (om + w) * k / (r1 * (RH + 2)) * cr * ((RH * RH + 2 * RH + 2) - r1 * r1 * co2);
  const double C = k * k / 4 * cr * cr * (r1 * co2 - (RH + 2));
  return rh_h0 + s->radius * s->radius / s->gravity *
                     (A + B * cos(swe_longitude(s, c, RH)) + C * cos(swe_longitude(s, c, 2 * RH)));
}

/* Cone of case 5 at (90 W, 30 N). */
static double mountain(double lon, double lat) {
  const double R = PEL_PI / 9, x = lon - 1.5 * PEL_PI, y = lat - PEL_PI / 6;
  const double r = sqrt(fmin(R * R, x * x + y * y));
  return 2000 * (1 - r / R);
}

/* Bell of case 1: its centre moves along the rotated equator from (90 W, 0). */
static double bell(const struct swe *s, int64_t c, int64_t r, double time) {
  const double a = swe_radians(s->alpha), turn = u0(s) / s->radius * time;
  const double lon = swe_longitude(s, c, 1), R = 1. / 3;
  const double x = cosine(s, r) * cos(lon) - sin(turn) * cos(a);
  const double y = cosine(s, r) * sin(lon) + cos(turn);
  const double z = sine(s, r) - sin(turn) * sin(a);
  const double distance = 2 * asin(fmin(1, .5 * sqrt(x * x + y * y + z * z)));
  return distance < R ? 500 * (1 + cos(PEL_PI * distance / R)) : 0;
}

/* ---- the states ---- */

static double initial_u(const struct swe *s, int64_t c, int64_t r) {
  switch (s->initial) {
    case SWE_W1:
      return stream_u(s, c, r);
    case SWE_W2:
    case SWE_W5:
      return solid_u(s, c, r);
    case SWE_W6:
      return wave_u(s, c, r);
    case SWE_GALEWSKY:
      return pel__swe_galewsky_u(swe_latitude(s, r));
    default:
      return 0;
  }
}

static double initial_v(const struct swe *s, int64_t c, int64_t r) {
  if (r <= 0 || r >= 2 * s->nlat) return 0;
  switch (s->initial) {
    case SWE_W1:
      return stream_v(s, c, r);
    case SWE_W2:
      return solid_v(s, c);
    case SWE_W6:
      return wave_v(s, c, r);
    default:
      return 0;
  }
}

static double initial_hs(const struct swe *s, int64_t c, int64_t r) {
  const double lon = swe_longitude(s, c, 1), lat = swe_latitude(s, r);
  if (s->topography_map) return pel__swe_topography(s, lon, lat);
  return s->initial == SWE_W5 || s->initial == SWE_LAKE ? mountain(lon, lat) : 0;
}

/* Free surface of a solid rotation (95). */
static double solid_surface(const struct swe *s, double h0, int64_t c, int64_t r) {
  const double z = rotated_sine(s, c, r), u = u0(s);
  return h0 - (s->radius * s->rotation * u + u * u / 2) * (z * z) / s->gravity;
}

static double initial_h(const struct swe *s, int64_t c, int64_t r) {
  switch (s->initial) {
    case SWE_W2:
      return solid_surface(s, 2.94e4 / s->gravity, c, r);
    case SWE_W5:
      return solid_surface(s, 5960, c, r) - initial_hs(s, c, r);
    case SWE_W6:
      return wave_h(s, c, r);
    case SWE_GALEWSKY:
      return pel__swe_galewsky_h(s, r / 2, swe_longitude(s, c, 1), swe_latitude(s, r));
    case SWE_LAKE:
      return s->mean_height - initial_hs(s, c, r);
    default:
      return 1; /* case 1: the depth is not used */
  }
}

void pel__swe_initial(const pel_tile *t, const void *state) {
  const struct swe *s = state;
  PEL_ROWS(t, j, k, p0, p1) {
    const int64_t r = 2 * swe_row(t, j) + 1;
    for (ptrdiff_t p = p0; p < p1; ++p) {
      const int64_t c = 2 * swe_column(t, p, p0) + 1;
      s->u[p] = initial_u(s, c - 1, r);
      s->v[p] = initial_v(s, c, r - 1);
      s->h[p] = initial_h(s, c, r);
      s->hs[p] = initial_hs(s, c, r);
    }
  }
}

void pel__swe_initial_tracer(const pel_tile *t, const void *state) {
  const struct swe *s = state;
  PEL_ROWS(t, j, k, p0, p1)
  for (ptrdiff_t p = p0; p < p1; ++p)
    s->tracer[p] = bell(s, 2 * swe_column(t, p, p0) + 1, 2 * swe_row(t, j) + 1, 0);
}

#define EXACT(NAME, EXPR)                                                        \
  void NAME(const pel_tile *t, const void *state) {                              \
    const struct swe *s = state;                                                 \
    PEL_ROWS(t, j, k, p0, p1) for (ptrdiff_t p = p0; p < p1; ++p) {              \
      const int64_t c = 2 * swe_column(t, p, p0) + 1, r = 2 * swe_row(t, j) + 1; \
      t->out[p] = EXPR;                                                          \
    }                                                                            \
  }
EXACT(pel__swe_exact_u, initial_u(s, c - 1, r))
EXACT(pel__swe_exact_v, initial_v(s, c, r - 1))
EXACT(pel__swe_exact_h, initial_h(s, c, r))
EXACT(pel__swe_exact_tracer, bell(s, c, r, t->time))
