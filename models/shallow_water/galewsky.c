/* Barotropically unstable mid-latitude jet: Galewsky, Scott & Polvani (2004), Tellus 56A, 429-440.
 *
 *   u(lat) = 80 m/s / e_n exp(1/((lat - lat0)(lat - lat1))) between lat0 = pi/7 and pi/2 - pi/7
 *   g h(lat) = g h0 - integral of a u (2 Omega sin + u tan/a)      global mean of h: 10 km
 *   h' = 120 m cos(lat) exp(-(lon/alpha)^2 - ((lat2 - lat)/beta)^2)
 *
 * The integral is a sum over latitudes of Gauss quadratures so fine that their error is below
 * rounding; it does not depend on the layout. */
#include "state.h"

static const double lat0 = PEL_PI / 7, lat1 = PEL_PI / 2 - PEL_PI / 7, peak = 80;

double pel__swe_galewsky_u(double lat) {
  if (lat <= lat0 || lat >= lat1) return 0;
  const double width = lat1 - lat0;
  return peak * exp(1 / ((lat - lat0) * (lat - lat1)) + 4 / (width * width));
}

/* d(g h)/d(lat) with the sign changed. */
static double slope(const struct swe *s, double lat) {
  const double u = pel__swe_galewsky_u(lat);
  return u > 0 ? u * (s->radius * 2 * s->rotation * sin(lat) + u * tan(lat)) : 0;
}
/* Its part in the global mean: integrating by parts, mean of I = 1/2 integral of I' (1 - sin). */
static double weighted(const struct swe *s, double lat) {
  return .5 * slope(s, lat) * (1 - sin(lat));
}

/* Gauss-Legendre with 5 points on each of 64 panels. */
static double integral(double (*f)(const struct swe *, double), const struct swe *s, double from,
                       double to) {
  static const double x[] = {0, .53846931010568309104, .90617984593866399280};
  static const double w[] = {.56888888888888888889, .47862867049936646804, .23692688505618908751};
  enum { PANELS = 64 };
  from = fmin(fmax(from, lat0), lat1);
  to = fmin(fmax(to, lat0), lat1);
  const double half = (to - from) / (2 * PANELS);
  double sum = 0;
  for (int i = 0; i < PANELS; ++i) {
    const double middle = from + (2 * i + 1) * half;
    sum += w[0] * f(s, middle);
    for (int n = 1; n < 3; ++n)
      sum += w[n] * (f(s, middle - half * x[n]) + f(s, middle + half * x[n]));
  }
  return sum * half;
}

void pel__swe_galewsky_setup(pel_sim *sim, struct swe *s) {
  if (s->initial != SWE_GALEWSKY) return;
  s->jet_h = pel_alloc(sim, (size_t)s->nlat * sizeof(double));
  const double h0 = s->mean_height + integral(weighted, s, lat0, lat1) / s->gravity;
  double from = -PEL_PI / 2, sum = 0;
  for (int64_t j = 0; j < s->nlat; ++j) {
    const double lat = swe_latitude(s, 2 * j + 1);
    sum += integral(slope, s, from, lat);
    s->jet_h[j] = h0 - sum / s->gravity;
    from = lat;
  }
}

double pel__swe_galewsky_h(const struct swe *s, int64_t row, double lon, double lat) {
  const double x = 3 * (lon > PEL_PI ? lon - 2 * PEL_PI : lon), y = 15 * (PEL_PI / 4 - lat);
  const double h = s->jet_h[row];
  return s->perturbation ? h + 120 * cos(lat) * (exp(-x * x) * exp(-y * y)) : h;
}
