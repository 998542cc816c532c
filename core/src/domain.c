#include "domain.h"

#include <math.h>

double pel__magic(double quantum) { return 0x1.8p52 * quantum; }

int pel__domain_init(pel__domain *d, int dims, const double length[3], const bool periodic[3],
                     pel_error *e) {
  double longest = 0;
  int exponent;
  for (int a = 0; a < 3; ++a) {
    if (!(length[a] > 0 && isfinite(length[a])))
      return pel_error_set(e, PEL_USAGE, "the box has length %g along axis %c; it must be positive",
                           length[a], "xyz"[a]);
    longest = fmax(longest, length[a]);
  }
  *d = (pel__domain){.dims = dims};
  if (frexp(longest, &exponent) == 0.5) --exponent; /* longest <= 2^exponent */
  d->delta = ldexp(1, exponent - 50);
  d->magic = pel__magic(d->delta);
  for (int a = 0; a < 3; ++a) {
    d->periodic[a] = periodic[a] && a < dims;
    d->walled[a] = !periodic[a] && a < dims;
    d->edge[a][a] = d->length[a] = pel__snap(length[a], d->magic);
  }
  return PEL_OK;
}

double pel__domain_volume(const pel__domain *d) {
  const double area = d->length[0] * d->length[1];
  return d->dims == 3 ? area * d->length[2] : area;
}

void pel__domain_shift(const pel__domain *d, const int n[3], double shift[3]) {
  for (int a = 0; a < 3; ++a)
    shift[a] = (n[0] * d->edge[0][a] + n[1] * d->edge[1][a]) + n[2] * d->edge[2][a];
}
