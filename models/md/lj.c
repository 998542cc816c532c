#include "pelsim/model.h"

#include "lj_pairs.h"

void pel__lj_coefficients(pel__lj_kind kind, double eps, double sigma, double rc, double *c) {
  const double s2 = sigma * sigma, s6 = s2 * s2 * s2, s12 = s6 * s6;
  const double x2 = s2 / (rc * rc), x6 = x2 * x2 * x2;
  c[0] = 48 * eps * s12;
  c[1] = 24 * eps * s6;
  c[2] = 4 * eps * s12;
  c[3] = 4 * eps * s6;
  c[4] = kind == PEL__LJ_CUT ? 0 : 4 * eps * x6 * (x6 - 1);
  if (kind != PEL__LJ_FORCE_SHIFTED) return;
  c[5] = 24 * eps * x6 * (2 * x6 - 1) / rc;
  c[6] = rc;
}

double pel__lj_tail_energy(double eps, double sigma, double rc) {
  const double x = sigma / rc, x3 = x * x * x, s3 = sigma * sigma * sigma;
  return 8 * PEL_PI * eps * s3 * (x3 * x3 * x3 / 9 - x3 / 3);
}

double pel__lj_tail_virial(double eps, double sigma, double rc) {
  const double x = sigma / rc, x3 = x * x * x, s3 = sigma * sigma * sigma;
  return 48 * PEL_PI * eps * s3 * (2 * x3 * x3 * x3 / 9 - x3 / 3);
}
