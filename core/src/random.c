#include <Random123/philox.h>
#include "pelsim/particles.h"
#include "pelsim/vector_math.h"

/* In (0, 1), 53 bits. */
static double uniform(uint64_t bits) { return ((double)(bits >> 11) + .5) * 0x1p-53; }

static philox4x64_ctr_t draw(int64_t seed, int64_t id, int64_t step, int64_t purpose) {
  const philox4x64_key_t key = {{(uint64_t)seed, 0}};
  const philox4x64_ctr_t at = {{(uint64_t)id, (uint64_t)purpose, (uint64_t)step, 0}};
  return philox4x64(at, key);
}

void pel_random_uniform(int64_t seed, int64_t id, int64_t step, int64_t purpose, double u[4]) {
  const philox4x64_ctr_t bits = draw(seed, id, step, purpose);
  for (int i = 0; i < 4; ++i) u[i] = uniform(bits.v[i]);
}

/* Box & Muller (1958), doi:10.1214/aoms/1177706645. */
static void box_muller(pel_double4 u[4]) {
  for (int i = 0; i < 4; i += 2) {
    const pel_double4 r = pel_sqrt(-2 * pel_log(u[i])), angle = 2 * u[i + 1];
    pel_double4 sine, cosine;
    pel_sin_cos_pi(angle, &sine, &cosine);
    u[i] = r * cosine, u[i + 1] = r * sine;
  }
}

void pel_random_normals(int64_t seed, const int64_t *id, int64_t step, int64_t purpose,
                        pel_double4 z[4]) {
  for (int l = 0; l < PEL_LANES; ++l) {
    const philox4x64_ctr_t bits = draw(seed, id[l], step, purpose);
    for (int i = 0; i < 4; ++i) z[i][l] = uniform(bits.v[i]);
  }
  box_muller(z);
}

void pel_random_normal(int64_t seed, int64_t id, int64_t step, int64_t purpose, double z[4]) {
  const philox4x64_ctr_t bits = draw(seed, id, step, purpose);
  pel_double4 all[4];
  for (int i = 0; i < 4; ++i) all[i] = pel_all(uniform(bits.v[i]));
  box_muller(all);
  for (int i = 0; i < 4; ++i) z[i] = all[i][0];
}
