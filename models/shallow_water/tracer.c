/* Transport of a passive tracer by a wind that does not change (Williamson case 1): flux form,
 * fifth order, upwind-biased (Wicker & Skamarock 2002, Mon. Wea. Rev. 130, 2088-2097, eq. 4c).
 * Linear and conservative: mass is exact, small over- and undershoots remain.  Each face is
 * computed by its two cells with the same operations, so what leaves one enters the other. */
#include "state.h"

/* The flow is part of the case, not of the solution. */
void pel__swe_frozen(const pel_tile *t, const void *state) {
  const struct swe *s = state;
  PEL_ROWS(t, j, k, p0, p1) for (ptrdiff_t p = p0; p < p1; ++p) s->du[p] = s->dv[p] = s->dh[p] = 0;
}

/* wind times the tracer at the face between c[-d] and c[0]: sixth-order mean less the fifth
 * difference that turns it upwind. */
static inline double face(const double *c, ptrdiff_t d, double wind) {
  const double mean = 37 * (c[0] + c[-d]) - 8 * (c[d] + c[-2 * d]) + (c[2 * d] + c[-3 * d]);
  const double jump = 10 * (c[0] - c[-d]) - 5 * (c[d] - c[-2 * d]) + (c[2 * d] - c[-3 * d]);
  return (wind * mean - fabs(wind) * jump) * (1. / 60);
}

void pel__swe_transport(const pel_tile *t, const void *state) {
  const struct swe *s = state;
  const double *restrict u = s->u, *restrict v = s->v, *restrict c = s->tracer, dy = s->dy;
  double *restrict dc = s->dtracer;
  const ptrdiff_t sy = t->sy;
  PEL_ROWS(t, j, k, p0, p1) {
    const double dxs = s->dx_v[j], dxn = s->dx_v[j + 1], ra = s->inv_area[j];
#pragma omp simd
    for (ptrdiff_t p = p0; p < p1; ++p) {
      const double west = face(c + p, 1, dy * u[p]), east = face(c + p + 1, 1, dy * u[p + 1]);
      const double south = face(c + p, sy, dxs * v[p]);
      const double north = face(c + p + sy, sy, dxn * v[p + sy]);
      dc[p] = -ra * ((east - west) + (north - south));
    }
  }
}
