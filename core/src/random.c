#include <Random123/philox.h>
#include <math.h>

#include "pelsim/model.h"

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
void pel_random_normal(int64_t seed, int64_t id, int64_t step, int64_t purpose, double z[4]) {
  const philox4x64_ctr_t bits = draw(seed, id, step, purpose);
  for (int i = 0; i < 4; i += 2) {
    const double r = sqrt(-2 * log(uniform(bits.v[i]))),
                 angle = 2 * PEL_PI * uniform(bits.v[i + 1]);
    z[i] = r * cos(angle), z[i + 1] = r * sin(angle);
  }
}
