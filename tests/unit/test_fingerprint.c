/* Fingerprints: independent of how an array is cut into patches, changed by any single bit, by
 * exchanging elements, by place and by name; and the same as the published formula for ever, since
 * files keep them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pelsim/sink.h"

enum { NX = 23, NY = 9, NZ = 5, CELLS = NX * NY * NZ };

#define FROZEN UINT64_C(0x9c4fd25e026a8831)

static double value[CELLS];
static const pel_grid grid = {.dims = 3, .axis = {{.n = NX}, {.n = NY}, {.n = NZ}}};

static void fill(void) {
  for (int i = 0; i < CELLS; ++i) value[i] = (i * 7919 % 1009) / 3.0 - 100;
}

static pel_patch patch(int x0, int x1, int y0, int y1, int z0, int z1) {
  return (pel_patch){.first = {x0, y0, z0},
                     .n = {x1 - x0, y1 - y0, z1 - z0},
                     .sy = NX,
                     .sz = NX * NY,
                     .data = value + (z0 * NY + y0) * NX + x0};
}

static uint64_t of(const pel_patch *p, int n, const char *name) {
  const pel_array a = {.name = name, .patches = p, .npatches = n};
  return pel_fingerprint_array(&a, &grid);
}
static uint64_t whole(void) {
  const pel_patch p = patch(0, NX, 0, NY, 0, NZ);
  return of(&p, 1, "u");
}

static void does_not_depend_on_patches(void **unused) {
  (void)unused;
  fill();
  const uint64_t want = pel_fingerprint_row(pel_fingerprint_key("u"), 0, value, CELLS);
  assert_true(whole() == want);
  for (int x = 1; x < NX; x += 3)
    for (int y = 1; y < NY; y += 2)
      for (int z = 1; z < NZ; ++z) {
        pel_patch p[8];
        for (int i = 0; i < 8; ++i)
          p[7 - i] = patch(i & 1 ? x : 0, i & 1 ? NX : x, i & 2 ? y : 0, i & 2 ? NY : y,
                           i & 4 ? z : 0, i & 4 ? NZ : z);
        const uint64_t got = of(p, 8, "u");
        if (got != want)
          fail_msg("cut at %d %d %d: got %016llx, want %016llx", x, y, z, (unsigned long long)got,
                   (unsigned long long)want);
        uint64_t parts = 0; /* as if each patch were another rank's */
        for (int i = 0; i < 8; ++i) parts += of(&p[i], 1, "u");
        assert_true(parts == want);
      }
}

static void rows_add_up(void **unused) {
  (void)unused;
  fill();
  const uint64_t key = pel_fingerprint_key("u");
  const uint64_t want = pel_fingerprint_row(key, 1000, value, 100);
  for (int cut = 0; cut <= 100; ++cut)
    assert_true(pel_fingerprint_row(key, 1000, value, cut) +
                    pel_fingerprint_row(key, 1000 + cut, value + cut, 100 - cut) ==
                want);
}

static void every_bit_counts(void **unused) {
  (void)unused;
  fill();
  const uint64_t before = whole();
  long flipped = 0;
  for (int cell = 0; cell < CELLS; cell += 97)
    for (int bit = 0; bit < 64; ++bit) {
      uint64_t u;
      const double saved = value[cell];
      memcpy(&u, &saved, sizeof u);
      u ^= UINT64_C(1) << bit;
      memcpy(&value[cell], &u, sizeof u);
      const uint64_t after = whole();
      assert_true(after != before);
      const uint64_t key = pel_fingerprint_key("u");
      flipped += __builtin_popcountll(pel_fingerprint_row(key, cell, &value[cell], 1) ^
                                      pel_fingerprint_row(key, cell, &saved, 1));
      value[cell] = saved;
    }
  const int trials = (CELLS + 96) / 97 * 64;
  const double mean = (double)flipped / trials; /* half of 64, give or take */
  if (mean < 31 || mean > 33) fail_msg("bits that change with one: got %.2f, want 32 +- 1", mean);
}

static void place_name_and_sign_count(void **unused) {
  (void)unused;
  fill();
  const uint64_t before = whole();
  for (int i = 1; i < CELLS; ++i) { /* exchange with the neighbour */
    if (value[i] == value[i - 1]) continue;
    const double t = value[i];
    value[i] = value[i - 1];
    value[i - 1] = t;
    assert_true(whole() != before);
    value[i - 1] = value[i];
    value[i] = t;
  }
  const pel_patch p = patch(0, NX, 0, NY, 0, NZ);
  assert_true(of(&p, 1, "v") != before);
  assert_true(of(&p, 1, "uu") != before);
  assert_true(pel_fingerprint_key("ab") != pel_fingerprint_key("ba"));
  const double zero[2] = {0.0, -0.0};
  assert_true(pel_fingerprint_row(1, 0, &zero[0], 1) != pel_fingerprint_row(1, 0, &zero[1], 1));
}

static void numbers_of_the_state_count(void **unused) {
  (void)unused;
  pel_scalar x[] = {{"box_x", 5.5, true}, {"dt", .1, false}, {"heat", -0.0, true}};
  const uint64_t before = pel_fingerprint_scalars(x, 3);
  assert_true(before == pel_fingerprint_row(pel_fingerprint_key("box_x"), 0, &x[0].value, 1) +
                            pel_fingerprint_row(pel_fingerprint_key("heat"), 0, &x[2].value, 1));
  x[1].value = .2; /* one of the layer */
  assert_true(pel_fingerprint_scalars(x, 3) == before);
  x[2].value = 0.0;
  assert_true(pel_fingerprint_scalars(x, 3) != before);
  x[2].value = -0.0, x[0].value = 5.500000000000001;
  assert_true(pel_fingerprint_scalars(x, 3) != before);
  assert_true(pel_fingerprint_scalars(x, 0) == 0);
}

static int ascending(const void *p, const void *q) {
  const uint64_t a = *(const uint64_t *)p, b = *(const uint64_t *)q;
  return (a > b) - (a < b);
}

/* Values and places that differ little must not meet: 2^18 hashes of 64 bits are all different. */
static void no_collisions_of_simple_values(void **unused) {
  (void)unused;
  enum { VALUES = 512, PLACES = 512 };
  uint64_t *h = malloc(sizeof *h * VALUES * PLACES);
  for (int v = 0; v < VALUES; ++v)
    for (int i = 0; i < PLACES; ++i) {
      const double x = v / 8.0;
      h[v * PLACES + i] = pel_fingerprint_row(pel_fingerprint_key("u"), i, &x, 1);
    }
  qsort(h, VALUES * PLACES, sizeof *h, ascending);
  int same = 0;
  for (int i = 1; i < VALUES * PLACES; ++i) same += h[i] == h[i - 1];
  if (same) fail_msg("equal hashes: got %d, want 0", same);
  free(h);
}

/* The formula once more, plainly, and one number computed elsewhere (Python integers). */
static void formula_is_frozen(void **unused) {
  (void)unused;
  fill();
  uint64_t key = UINT64_C(14695981039346656037), want = 0;
  for (const char *c = "height"; *c; ++c) key = (key ^ (unsigned char)*c) * UINT64_C(1099511628211);
  for (int i = -1; i < 50; ++i) {
    uint64_t z = key;
    if (i >= 0) {
      memcpy(&z, &value[i], sizeof z);
      z ^= key + (uint64_t)(i + 3) * UINT64_C(11400714819323198485);
    }
    z = (z ^ z >> 30) * UINT64_C(13787848793156543929);
    z = (z ^ z >> 27) * UINT64_C(10723151780598845931);
    z ^= z >> 31;
    if (i < 0)
      key = z;
    else
      want += z;
  }
  const uint64_t got = pel_fingerprint_row(pel_fingerprint_key("height"), 3, value, 50);
  if (got != want)
    fail_msg("got %016llx, want %016llx", (unsigned long long)got, (unsigned long long)want);
  const double x[3] = {1.0, -2.5, 0.1};
  const uint64_t frozen = pel_fingerprint_row(pel_fingerprint_key("temperature"), 7, x, 3);
  if (frozen != FROZEN)
    fail_msg("got %016llx, want %016llx", (unsigned long long)frozen, (unsigned long long)FROZEN);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(does_not_depend_on_patches),
                                     cmocka_unit_test(rows_add_up),
                                     cmocka_unit_test(every_bit_counts),
                                     cmocka_unit_test(place_name_and_sign_count),
                                     cmocka_unit_test(numbers_of_the_state_count),
                                     cmocka_unit_test(no_collisions_of_simple_values),
                                     cmocka_unit_test(formula_is_frozen)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
