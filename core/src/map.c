/* Interpolation on latitude-longitude maps: cubic Hermite splines with the slopes of Catmull and
 * Rom (1974), which on uneven spacing are the slope of the parabola through three neighbours; first
 * along four rows, then across them.  Exact at the points of the map, continuous with its first
 * derivative, and exact for quadratics. */
#include <math.h>
#include "pelsim/model.h"

/* Cubic through (x[1],y[1]) and (x[2],y[2]) at t, x[1] <= t <= x[2]. */
static double cubic(const double x[4], const double y[4], double t) {
  const double a = x[1] - x[0], h = x[2] - x[1], b = x[3] - x[2];
  const double left = (y[1] - y[0]) / a, mid = (y[2] - y[1]) / h, right = (y[3] - y[2]) / b;
  const double s1 = (left * h + mid * a) / (a + h), s2 = (mid * b + right * h) / (h + b);
  const double u = (t - x[1]) / h, v = 1 - u;
  return (y[1] * (1 + 2 * u) + s1 * (h * u)) * (v * v) +
         (y[2] * (1 + 2 * v) - s2 * (h * v)) * (u * u);
}

/* Last i with x[i] <= t, -1 if t lies before x[0]. */
static int below(const double *x, int n, double t) {
  int lo = -1, hi = n;
  while (hi - lo > 1) {
    const int mid = lo + (hi - lo) / 2;
    if (x[mid] <= t)
      lo = mid;
    else
      hi = mid;
  }
  return lo;
}

/* Along row j, periodic. */
static double along(const pel_map *m, int j, double lon) {
  const int n = m->nlon;
  double t = fmod(lon - m->lon[0], 360);
  t = m->lon[0] + (t < 0 ? t + 360 : t);
  const int i = below(m->lon, n, t);
  double x[4], y[4];
  for (int k = 0; k < 4; ++k) {
    const int p = i + k - 1, q = p < 0 ? p + n : p >= n ? p - n : p;
    x[k] = m->lon[q] + (p < 0 ? -360 : p >= n ? 360 : 0);
    y[k] = m->value[(ptrdiff_t)j * n + q];
  }
  return cubic(x, y, t);
}

/* Row p of the meridian continued across the poles: its latitude along the circle, and its value.
 * A row on the pole itself is its own mirror image and counts once. */
static double across(const pel_map *m, int p, double lon, double *lat) {
  const int n = m->nlat, south = m->lat[0] <= -90, north = m->lat[n - 1] >= 90;
  if (p < 0) {
    const int j = -1 - p + south;
    *lat = -180 - m->lat[j];
    return along(m, j, lon + 180);
  }
  if (p >= n) {
    const int j = 2 * n - 1 - p - north;
    *lat = 180 - m->lat[j];
    return along(m, j, lon + 180);
  }
  *lat = m->lat[p];
  return along(m, p, lon);
}

double pel_map_at(const pel_map *m, double lat, double lon) {
  double x[4], y[4];
  const double t = lat > 90 ? 90 : lat < -90 ? -90 : lat;
  const int j = below(m->lat, m->nlat, t);
  for (int k = 0; k < 4; ++k) y[k] = across(m, j + k - 1, lon, &x[k]);
  return cubic(x, y, t);
}
