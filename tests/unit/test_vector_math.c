/* exp, sin, cos and splines of vectors: errors against long double, what lies beyond the ranges,
 * and the same bits on any processor. */
#include "pelsim/vector_math.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { SAMPLES = 400000 };
#define PI 3.14159265358979323846264338327950288L

static double sample(uint64_t *seed) { /* [0, 1) */
  *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  uint64_t z = (*seed ^ *seed >> 33) * UINT64_C(0xff51afd7ed558ccd);
  return (double)((z ^ z >> 33) >> 11) * 0x1p-53;
}

static double ulps(double got, long double want) {
  const double w = fabs((double)want);
  return (double)(fabsl(got - want) / (nextafter(w, INFINITY) - w));
}

static uint64_t hash; /* of results: on any processor, with any vector width */

static void mix(double x) {
  uint64_t b;
  memcpy(&b, &x, sizeof b);
  hash = (hash ^ b) * UINT64_C(0x100000001b3);
}

static void require_hash(uint64_t want) {
  if (hash != want) fail_msg("hash %016lx, want %016lx", (unsigned long)hash, (unsigned long)want);
}

/* A function against long double, at the samples that `draw` makes of random numbers. */
static void compare(const char *name, uint64_t seed, double draw(uint64_t *seed, int n),
                    pel_double4 function(pel_double4), long double exact(long double)) {
  double worst = 0, at = 0;
  hash = 0;
  for (int n = 0; n < SAMPLES; ++n) {
    const double x = draw(&seed, n), got = function(pel_all(x))[n % 4], off = ulps(got, exact(x));
    mix(got);
    if (off > worst) worst = off, at = x;
  }
  if (!(worst < 1)) fail_msg("%s(%.17g): %.3f units in the last place off", name, at, worst);
}

static double draw_exponent(uint64_t *seed, int n) {
  return (n % 2 ? 1417 : 8) * (sample(seed) - (n % 2 ? 708. / 1417 : 0.5));
}

static void exponential(void **state) {
  (void)state;
  compare("exp", 1, draw_exponent, pel_exp, expl);
  assert_true(pel_exp(pel_all(0))[0] == 1);
  assert_true(pel_exp(pel_all(-1e300))[0] == pel_exp(pel_all(-708))[0]);
  assert_true(isfinite(pel_exp(pel_all(INFINITY))[0]) && isfinite(pel_exp(pel_all(NAN))[0]));
  require_hash(UINT64_C(0x7fde04e2c19f48e2));
}

static double draw_argument(uint64_t *seed, int n) {
  const double u = sample(seed);
  return n % 3 == 0   ? u + 0x1p-54
         : n % 3 == 1 ? 1 + (u - 0.5) * 0x1p-8
                      : ldexp(1 + u, n % 2000 - 1000);
}

static void logarithm(void **state) {
  (void)state;
  compare("log", 3, draw_argument, pel_log, logl);
  assert_true(pel_log(pel_all(1))[0] == 0 && pel_log(pel_all(2))[0] == 0x1.62e42fefa39efp-1);
  require_hash(UINT64_C(0x20c899b747db91b9));
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
    const double x = (n % 2 ? 2e3 : 2) * (sample(&seed) - 0.5);
    pel_double4 s, c;
    pel_sin_cos_pi(pel_all(x), &s, &c);
    mix(s[n % 4]), mix(c[n % 4]);
    const double off = fmax(ulps(s[n % 4], sin_pi(x)), ulps(c[n % 4], sin_pi(0.5L + x)));
    if (off > worst) worst = off, at = x;
  }
  if (!(worst < 2)) fail_msg("pi*%.17g: %.3f units in the last place off", at, worst);
  static const double exact[][3] = {{0, 0, 1}, {0.5, 1, 0}, {1, 0, -1}, {1.5, -1, 0}, {2, 0, 1}};
  for (int k = 0; k < 5; ++k) {
    pel_double4 s, c;
    pel_sin_cos_pi(pel_all(exact[k][0]), &s, &c);
    assert_true(s[3] == exact[k][1] && c[3] == exact[k][2]);
  }
  require_hash(UINT64_C(0x3c25c5ae80e06a11));
}

/* A cubic is met exactly but next to the ends, where slopes are of lower order. */
static void splines(void **state) {
  (void)state;
  enum { N = 20 };
  double value[N + 1], record[4 * (N + 1)];
  for (int i = 0; i <= N; ++i) {
    const double x = 0.25 * i;
    value[i] = ((0.5 * x - 2) * x + 1) * x + 3;
  }
  pel_spline_records(N, value, record, 4);
  for (double x = 0.5; x < 4.5; x += 0.0625) {
    pel_double4 a[4], slope;
    const pel_spline_place at = pel_spline_find(pel_all(x), pel_all(4), pel_all(N));
    pel_lookup4(record, 4 * at.interval, a);
    const double got = pel_spline(a, at.part, &slope)[2];
    assert_true(fabs(got - (((0.5 * x - 2) * x + 1) * x + 3)) < 1e-14);
    assert_true(fabs(4 * slope[1] - ((1.5 * x - 4) * x + 1)) < 1e-13);
  }
  static const double beyond[] = {5, 7, 1e15, INFINITY, NAN};
  for (int k = 0; k < 5; ++k) {
    pel_double4 a[4], slope;
    const pel_spline_place at = pel_spline_find(pel_all(beyond[k]), pel_all(4), pel_all(N));
    pel_lookup4(record, 4 * at.interval, a);
    assert_true(pel_spline(a, at.part, &slope)[0] == value[N] &&
                slope[0] == value[N] - value[N - 1]);
  }
  pel_double4 a[4];
  pel_lookup4(record, (pel_int4){0, 5, 2, 7}, a);
  for (int k = 0; k < 4; ++k)
    assert_true(a[k][0] == record[k] && a[k][1] == record[5 + k] && a[k][2] == record[2 + k] &&
                a[k][3] == record[7 + k]);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(exponential), cmocka_unit_test(logarithm),
                                     cmocka_unit_test(circle), cmocka_unit_test(splines)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
