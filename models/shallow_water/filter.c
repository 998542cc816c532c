/* Polar filter: in rows poleward of filter_latitude the rate of wave number k is multiplied by
 *   min(1, (cos lat / cos filter_latitude)^s / sin(pi k/nlon)^s),     s = filter_power,
 * so that gravity waves nowhere have a higher frequency than at filter_latitude although meridians
 * converge.  s = 1: Arakawa & Lamb (1977), Methods in Computational Physics 17, 173-265; s = 2 as
 * in the zonal filter of MITgcm.  It acts on the whole rate, which slows waves but damps nothing,
 * and leaves k = 0 alone, so mass is exact. */
#include "state.h"

void pel__swe_filter_setup(pel_sim *sim, struct swe *s) {
  const size_t bytes = (size_t)s->nlat * sizeof(double);
  s->filter_c = pel_alloc(sim, bytes);
  s->filter_v = pel_alloc(sim, bytes);
  const double c0 = swe_filter_cosine(s);
  for (int64_t j = 0; j < s->nlat; ++j) {
    const double c = cos(swe_latitude(s, 2 * j + 1)), v = j ? cos(swe_latitude(s, 2 * j)) : 0;
    s->filter_c[j] = c < c0 ? pow(c / c0, s->filter_power) : 1;
    s->filter_v[j] = v < c0 ? pow(v / c0, s->filter_power) : 1;
  }
}

static double row_factor(const struct swe *s, pel_place place, int64_t j) {
  return (place == PEL_FACE_Y ? s->filter_v : s->filter_c)[j];
}

/* The row of v on the pole is zero before and after. */
bool pel__swe_filtered(const void *state, pel_place place, int64_t j, int64_t k) {
  (void)k;
  return row_factor(state, place, j) < 1 && !(place == PEL_FACE_Y && j == 0);
}

void pel__swe_filter(const pel_line *l, const void *state) {
  const struct swe *s = state;
  const double row = row_factor(s, l->place, l->j), *wave = s->filter_wave;
  for (int k = 1; k <= l->n / 2; ++k) {
    const double x = row * wave[k], f = x < 1 ? x : 1;
    l->c[k][0] *= f;
    l->c[k][1] *= f;
  }
}
