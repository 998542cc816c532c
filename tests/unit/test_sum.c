/* Exact sums: against a 2304-bit integer that adds one bit field at a time, whose rounding is
 * checked by the definition of nearest-even, for random, cancelling, subnormal, huge and special
 * addends, in any order, in parts, and over any number of ranks. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sum.h"

static int rank, nranks;

static uint64_t seed = 1;
static uint64_t random_bits(void) {
  seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  uint64_t z = seed ^ seed >> 33;
  z *= UINT64_C(0xff51afd7ed558ccd);
  return z ^ z >> 33;
}
static double random_double(int lowest, int highest) { /* of exponents in this range */
  const int span = highest - lowest + 1;
  const double x = ldexp(1 + (double)(random_bits() >> 12) * 0x1p-52,
                         lowest + (int)(random_bits() % (uint64_t)span));
  return random_bits() & 1 ? x : -x;
}

/* ---- the reference: a two's complement integer in units of 2^-1074 ---- */

enum { WORDS = 72 };
typedef struct {
  uint32_t w[WORDS];
} wide;

static void wide_add_bit(wide *v, int bit) {
  uint64_t carry = UINT64_C(1) << bit % 32;
  for (int i = bit / 32; i < WORDS && carry; ++i) {
    carry += v->w[i];
    v->w[i] = (uint32_t)carry;
    carry >>= 32;
  }
}
static void wide_negate(wide *v) {
  for (int i = 0; i < WORDS; ++i) v->w[i] = ~v->w[i];
  wide_add_bit(v, 0);
}
static int wide_sign(const wide *v) {
  if (v->w[WORDS - 1] >> 31) return -1;
  for (int i = 0; i < WORDS; ++i)
    if (v->w[i]) return 1;
  return 0;
}
static void wide_add(wide *v, double x) {
  int exponent;
  const double fraction = frexp(fabs(x), &exponent);
  uint64_t m = (uint64_t)ldexp(fraction, 53); /* x = m * 2^(exponent - 53) */
  int place = exponent - 53 + 1074;
  for (; place < 0; ++place) m >>= 1; /* subnormal: the bits that go are zero */
  if (x < 0) wide_negate(v);
  for (int b = 0; b < 53; ++b)
    if (m >> b & 1) wide_add_bit(v, place + b);
  if (x < 0) wide_negate(v);
}

/* Twice the distance of *v above the middle between two neighbours; infinity stands for 2^1024. */
static int side_of_middle(const wide *v, double a, double b) {
  wide d = *v;
  const double ends[2] = {a, b};
  for (int i = 0; i < WORDS; ++i) d.w[i] = v->w[i] << 1 | (i ? v->w[i - 1] >> 31 : 0);
  for (int e = 0; e < 2; ++e) {
    if (isinf(ends[e])) {
      if (ends[e] > 0) wide_negate(&d);
      wide_add_bit(&d, 1024 + 1074);
      if (ends[e] > 0) wide_negate(&d);
    } else {
      wide_add(&d, -ends[e]);
    }
  }
  return wide_sign(&d);
}

/* Whether x is the exact *v rounded to nearest, ties to even. */
static bool is_rounded(const wide *v, double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  const bool even = !(bits & 1);
  const int low = isinf(x) && x < 0 ? 1 : side_of_middle(v, nextafter(x, -INFINITY), x);
  const int high = isinf(x) && x > 0 ? -1 : side_of_middle(v, x, nextafter(x, INFINITY));
  return (low > 0 || (low == 0 && even)) && (high < 0 || (high == 0 && even));
}

static double exact(const double *x, int64_t n) {
  pel_sum s;
  pel_sum_init(&s);
  pel_sum_add(&s, x, n);
  return pel_sum_round(&s);
}

static void shuffle(double *x, int64_t n) {
  for (int64_t i = n - 1; i > 0; --i) {
    const int64_t j = (int64_t)(random_bits() % (uint64_t)(i + 1));
    const double t = x[i];
    x[i] = x[j];
    x[j] = t;
  }
}

static void check_against_reference(const double *x, int64_t n, const char *what) {
  wide v = {{0}};
  for (int64_t i = 0; i < n; ++i) wide_add(&v, x[i]);
  const double got = exact(x, n);
  if (!is_rounded(&v, got))
    fail_msg("%s: got %.17g, want the nearest double (plain sum of %lld from %.17g)", what, got,
             (long long)n, x[0]);
}

/* ---- tests ---- */

#define SUM(...) \
  exact((const double[]){__VA_ARGS__}, sizeof((const double[]){__VA_ARGS__}) / sizeof(double))
#define CHECK_SUM(want, ...)                                                   \
  do {                                                                         \
    const double got_ = SUM(__VA_ARGS__), want_ = (want);                      \
    if (!(got_ == want_ || (isnan(got_) && isnan(want_))))                     \
      fail_msg("sum of " #__VA_ARGS__ ": got %.17g, want %.17g", got_, want_); \
  } while (0)

static void known_sums(void **unused) {
  (void)unused;
  const double tiny = 0x1p-1074;
  CHECK_SUM(1, 1e308, 1, -1e308);
  CHECK_SUM(1, 1, 1e308, -1e308);
  CHECK_SUM(0, 1e308, -1e308);
  CHECK_SUM(DBL_MAX, DBL_MAX, DBL_MAX, -DBL_MAX); /* overflows on the way only */
  CHECK_SUM(INFINITY, DBL_MAX, DBL_MAX);
  CHECK_SUM(-INFINITY, -DBL_MAX, -DBL_MAX);
  CHECK_SUM(INFINITY, DBL_MAX, 0x1p970);       /* half a unit above the largest: to even */
  CHECK_SUM(DBL_MAX, DBL_MAX, 0x1p970, -tiny); /* a hair less */
  CHECK_SUM(-INFINITY, -DBL_MAX, -0x1p970);
  CHECK_SUM(1, 1, 0x1p-53); /* ties to even */
  CHECK_SUM(1 + 0x1p-51, 1 + 0x1p-52, 0x1p-53);
  CHECK_SUM(1 + 0x1p-52, 1, 0x1p-53, tiny); /* no longer a tie, 1021 bits below */
  CHECK_SUM(1, 1, 0x1p-53, -tiny);
  CHECK_SUM(-1 - 0x1p-52, -1, -0x1p-53, -tiny);
  CHECK_SUM(2, 2 - 0x1p-52, 0x1p-53); /* the carry reaches the next power of two */
  CHECK_SUM(tiny, tiny);
  CHECK_SUM(-tiny, tiny, -tiny, -tiny);
  CHECK_SUM(DBL_MIN, DBL_MIN - tiny, tiny); /* from subnormal to normal */
  CHECK_SUM(DBL_MIN - tiny, DBL_MIN, -tiny);
  CHECK_SUM(0, 0.0, -0.0);
  CHECK_SUM(0.6, 0.1, 0.2, 0.3); /* the plain sum is 0.6000000000000001 */
  CHECK_SUM(NAN, 1, NAN);
  CHECK_SUM(INFINITY, -DBL_MAX, INFINITY, 1);
  CHECK_SUM(-INFINITY, DBL_MAX, -INFINITY);
  CHECK_SUM(NAN, INFINITY, 1, -INFINITY);
  pel_sum none;
  pel_sum_init(&none);
  assert_true(pel_sum_round(&none) == 0 && !signbit(pel_sum_round(&none)));
  assert_true(!signbit(SUM(1, -1)));
}

static void random_sums_are_rounded_once(void **unused) {
  (void)unused;
  enum { MOST = 200 };
  double x[2 * MOST + 1];
  for (int trial = 0; trial < 3000; ++trial) {
    const int64_t n = 1 + (int64_t)(random_bits() % MOST);
    const int centre = (int)(random_bits() % 2090) - 1071, width = (int)(random_bits() % 120);
    const int lo = centre - width < -1074 ? -1074 : centre - width;
    const int hi = centre + width > 1023 ? 1023 : centre + width;
    for (int64_t i = 0; i < n; ++i) x[i] = random_double(lo, hi);
    check_against_reference(x, n, "random");
    for (int64_t i = 0; i < n; ++i) x[n + i] = -x[i]; /* what is left is far below the addends */
    x[2 * n] = random_double(-1074, centre < 900 ? centre : 900);
    shuffle(x, 2 * n + 1);
    const double got = exact(x, 2 * n + 1);
    wide v = {{0}};
    for (int64_t i = 0; i <= 2 * n; ++i) wide_add(&v, x[i]);
    if (!is_rounded(&v, got)) fail_msg("cancellation: got %.17g, which is not nearest", got);
    check_against_reference(x, 2 * n, "one short of cancellation");
  }
}

/* Ties and near ties are rare among random sums: make them. */
static void halfway_cases_go_to_even(void **unused) {
  (void)unused;
  for (int trial = 0; trial < 20000; ++trial) {
    const double a = random_double(-1000, 1000), up = nextafter(a, INFINITY);
    const double half = (up - a) / 2;
    const double x[3] = {a, half, (double)(trial % 3 - 1) * 0x1p-1074};
    check_against_reference(x, 3, "halfway");
  }
}

static void a_million_in_any_order_and_grouping(void **unused) {
  (void)unused;
  const int64_t n = 1000000;
  double *x = malloc((size_t)n * sizeof *x);
  for (int64_t i = 0; i < n; ++i) x[i] = random_double(-300, 300);
  const double first = exact(x, n);
  shuffle(x, n);
  const double second = exact(x, n);
  pel_sum total, one, part[7];
  pel_sum_init(&total);
  pel_sum_init(&one);
  for (int p = 0; p < 7; ++p) pel_sum_init(&part[p]);
  for (int64_t i = 0; i < n;) {
    const int64_t run = 1 + (int64_t)(random_bits() % 300), end = i + run < n ? i + run : n;
    pel_sum_add(&part[random_bits() % 7], x + i, end - i);
    i = end;
  }
  for (int p = 0; p < 7; ++p) pel_sum_merge(&total, &part[p]);
  for (int64_t i = 0; i < n; ++i) pel_sum_add(&one, x + i, 1);
  const double third = pel_sum_round(&total), fourth = pel_sum_round(&one);
  if (first != second || first != third || first != fourth)
    fail_msg("got %.17g, %.17g, %.17g, %.17g, want one value", first, second, third, fourth);
  free(x);
}

/* The largest addends fill a chunk fastest: carries must come in time. */
static void carries_come_in_time(void **unused) {
  (void)unused;
  enum { N = 5000 };
  static double x[2 * N];
  for (int e = -1074; e <= 1000; e += 61)
    for (int sign = -1; sign <= 1; sign += 2) {
      const double big = nextafter(ldexp(1, e < -1000 ? -1000 : e), 0);
      for (int i = 0; i < N; ++i) x[i] = sign * big;
      const double got = exact(x, N), want = N * (sign * big); /* rounded once too */
      if (got != want) fail_msg("%d times %.17g: got %.17g, want %.17g", N, big, got, want);
      pel_sum s, t;
      pel_sum_init(&s);
      pel_sum_init(&t);
      pel_sum_add(&t, x, 1);
      for (int i = 0; i < N; ++i) pel_sum_merge(&s, &t);
      if (pel_sum_round(&s) != want)
        fail_msg("%d merges of %.17g: got %.17g, want %.17g", N, big, pel_sum_round(&s), want);
    }
}

static void ranks_agree_with_one(void **unused) {
  (void)unused;
  enum { N = 20000, SUMS = 5 };
  static double x[SUMS][N];
  pel_sum alone[SUMS], shared[SUMS];
  for (int s = 0; s < SUMS; ++s) {
    pel_sum_init(&alone[s]);
    pel_sum_init(&shared[s]);
    for (int i = 0; i < N; ++i) x[s][i] = random_double(-500, 500);
    if (s == 1) /* negative in all, positive here and there */
      for (int i = 0; i < N; ++i) x[s][i] = -fabs(x[s][i]) * (i % 3 ? 1 : -0x1p-30);
    if (s == 2) /* nothing is left */
      for (int i = 0; i < N; ++i) x[s][i] = i % 2 ? -x[s][i - 1] : x[s][i];
    if (s == 3) x[s][17] = INFINITY;
    if (s == 4) x[s][N - 1] = NAN;
    pel_sum_add(&alone[s], x[s], N);
    for (int i = 0; i < N; ++i)
      if (i % nranks == rank) pel_sum_add(&shared[s], &x[s][i], 1);
  }
  pel_sum_allreduce(shared, SUMS, MPI_COMM_WORLD);
  for (int s = 0; s < SUMS; ++s) {
    const double got = pel_sum_round(&shared[s]), want = pel_sum_round(&alone[s]);
    if (memcmp(&got, &want, sizeof got) && !(isnan(got) && isnan(want)))
      fail_msg("sum %d over %d ranks: got %.17g, want %.17g", s, nranks, got, want);
    pel_sum_add(&shared[s], x[s], N); /* a sum can go on after it was reduced */
    pel_sum_merge(&alone[s], &alone[s]);
    const double twice = pel_sum_round(&shared[s]), both = pel_sum_round(&alone[s]);
    if (twice != both && !isnan(both))
      fail_msg("sum %d, twice: got %.17g, want %.17g", s, twice, both);
  }
}

int main(int argc, char **argv) {
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &nranks);
  if (rank > 0 && !freopen("/dev/null", "w", stdout)) return 1; /* one list of results is enough */
  const struct CMUnitTest tests[] = {cmocka_unit_test(known_sums),
                                     cmocka_unit_test(random_sums_are_rounded_once),
                                     cmocka_unit_test(halfway_cases_go_to_even),
                                     cmocka_unit_test(a_million_in_any_order_and_grouping),
                                     cmocka_unit_test(carries_come_in_time),
                                     cmocka_unit_test(ranks_agree_with_one)};
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  MPI_Finalize();
  return failed;
}
