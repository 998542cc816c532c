/* exp, sin, cos and splines of vectors of floats: as test_vector_math.c has it for doubles. */
#define PEL_MIXED
#include "pelsim/vector_math.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { SAMPLES = 400000 };
#define PI 3.14159265358979323846264338327950288L

static float sample(uint64_t *seed) { /* [0, 1) */
  *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  uint64_t z = (*seed ^ *seed >> 33) * UINT64_C(0xff51afd7ed558ccd);
  return (float)((z ^ z >> 33) >> 40) * 0x1p-24f;
}

static double ulps(float got, long double want) {
  const float w = fabsf((float)want);
  return (double)(fabsl(got - want) / (nextafterf(w, INFINITY) - w));
}

static uint64_t hash; /* of results: on any processor, with any vector width */

static void mix(float x) {
  uint32_t b;
  memcpy(&b, &x, sizeof b);
  hash = (hash ^ b) * UINT64_C(0x100000001b3);
}

static void require_hash(uint64_t want) {
  if (hash != want) fail_msg("hash %016lx, want %016lx", (unsigned long)hash, (unsigned long)want);
}

static void exponential(void **state) {
  (void)state;
  uint64_t seed = 1;
  double worst = 0, at = 0;
  hash = 0;
  for (int n = 0; n < SAMPLES; ++n) {
    const float x = n % 2 ? 174 * (sample(&seed) - 0.5f) : 8 * (sample(&seed) - 0.5f);
    const float got = pel_exp(pel_all(x))[n % 8];
    const double off = ulps(got, expl(x));
    mix(got);
    if (off > worst) worst = off, at = x;
  }
  if (!(worst < 1)) fail_msg("exp(%.9g): %.3f units in the last place off", at, worst);
  assert_true(pel_exp(pel_all(0))[0] == 1);
  assert_true(pel_exp(pel_all(-1e30f))[0] == pel_exp(pel_all(-87))[0]);
  assert_true(isfinite(pel_exp(pel_all(INFINITY))[0]) && isfinite(pel_exp(pel_all(NAN))[0]));
  require_hash(UINT64_C(0x2bb0de3b869c1b66));
}

static long double sin_pi(long double x) {
  x -= 2 * roundl(x / 2); /* exact, as is what follows */
  return sinl(PI * (fabsl(x) > 0.5L ? copysignl(1, x) - x : x));
}

static void circle(void **state) {
  (void)state;
  uint64_t seed = 2;
  double worst = 0, at = 0;
  hash = 0;
  for (int n = 0; n < SAMPLES; ++n) {
    const float x = (n % 2 ? 200 : 2) * (sample(&seed) - 0.5f);
    pel_real s, c;
    pel_sin_cos_pi(pel_all(x), &s, &c);
    mix(s[n % 8]), mix(c[n % 8]);
    const double off = fmax(ulps(s[n % 8], sin_pi(x)), ulps(c[n % 8], sin_pi(0.5L + x)));
    if (off > worst) worst = off, at = x;
  }
  if (!(worst < 2)) fail_msg("pi*%.9g: %.3f units in the last place off", at, worst);
  static const float exact[][3] = {{0, 0, 1}, {0.5, 1, 0}, {1, 0, -1}, {1.5, -1, 0}, {2, 0, 1}};
  for (int k = 0; k < 5; ++k) {
    pel_real s, c;
    pel_sin_cos_pi(pel_all(exact[k][0]), &s, &c);
    assert_true(s[5] == exact[k][1] && c[5] == exact[k][2]);
  }
  require_hash(UINT64_C(0xb6e2ebe8d920db56));
}

/* Records of the lanes are their own; a cubic is met as closely as floats tell it. */
static void splines(void **state) {
  (void)state;
  enum { N = 20 };
  double value[N + 1], record[4 * (N + 1)];
  float narrow[4 * (N + 1)];
  for (int i = 0; i <= N; ++i) {
    const double x = 0.25 * i;
    value[i] = ((0.5 * x - 2) * x + 1) * x + 3;
  }
  pel_spline_records(N, value, record, 4);
  for (int i = 0; i < 4 * (N + 1); ++i) narrow[i] = (float)record[i];
  for (int n = 0; n < 32; ++n) {
    pel_real a[4], slope, x;
    for (int l = 0; l < PEL_VECTOR; ++l) x[l] = 0.5f + (float)((17 * n + 5 * l) % 64) * 0.0625f;
    const pel_spline_place at = pel_spline_find(x, pel_all(4), pel_all(N));
    pel_lookup4(narrow, 4 * at.interval, a);
    const pel_real got = pel_spline(a, at.part, &slope);
    for (int l = 0; l < PEL_VECTOR; ++l) {
      const double y = x[l];
      for (int k = 0; k < 4; ++k) assert_true(a[k][l] == narrow[4 * at.interval[l] + k]);
      assert_true(fabs(got[l] - (((0.5 * y - 2) * y + 1) * y + 3)) < 3e-6);
      assert_true(fabs(4 * slope[l] - ((1.5 * y - 4) * y + 1)) < 2e-5);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(exponential), cmocka_unit_test(circle),
                                     cmocka_unit_test(splines)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
