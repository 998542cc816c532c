/* What particle models start from: crystals with their neighbours, types in exact parts; gamma
 * distributed numbers. */
#include "md_case.h"

#include "md/md.h"

static pel__md_crystal crystal(int lattice, int cells) {
  pel__md_crystal c = {.lattice = &pel__md_lattice_of[lattice], .seed = 7, .ntypes = 1};
  for (int a = 0; a < 3; ++a) c.cells[a] = a < c.lattice->dims ? cells : 1;
  c.n = c.lattice->nsites * c.cells[0] * c.cells[1] * c.cells[2];
  c.spacing = pel__md_spacing(c.lattice, 0.9);
  return c;
}

/* Shell of nearest neighbours of particle 1: how many, and at which distance. */
static int shell(const pel__md_crystal *c, int64_t of, double *r) {
  double x[3] = {0}, y[3] = {0}, nearest = INFINITY;
  int count = 0;
  pel__md_site(c, of, x);
  for (int pass = 0; pass < 2; ++pass)
    for (int64_t id = 1; id <= c->n; ++id) {
      double r2 = 0;
      pel__md_site(c, id, y);
      for (int a = 0; a < c->lattice->dims; ++a) {
        const double l = pel__md_length(c, a), d = y[a] - x[a] - l * nearbyint((y[a] - x[a]) / l);
        r2 += d * d;
      }
      if (id == of) continue;
      if (pass == 0) nearest = fmin(nearest, r2);
      count += pass == 1 && r2 < nearest * (1 + 1e-9);
    }
  *r = sqrt(nearest);
  return count;
}

static void lattices(void **state) {
  (void)state;
  static const struct {
    const char *name;
    int neighbours;
    double distance; /* in units of the spacing */
  } want[] = {{"sc", 6, 1},   {"bcc", 8, 0.8660254037844386},     {"fcc", 12, 0.7071067811865476},
              {"hcp", 12, 1}, {"diamond", 4, 0.4330127018922193}, {"square", 4, 1},
              {"hex", 6, 1}};
  for (int k = 0; k < 7; ++k) {
    const pel__md_crystal c = crystal(k, 4);
    double r, volume = 1;
    assert_string_equal(c.lattice->name, want[k].name);
    for (int64_t id = 1; id <= c.lattice->nsites; ++id) { /* from every site of the cell */
      const int n = shell(&c, id, &r);
      if (n != want[k].neighbours || fabs(r / c.spacing - want[k].distance) > 1e-12)
        fail_msg("%s, site %ld: got %d neighbours at %.17g, want %d at %.17g", want[k].name,
                 (long)id, n, r / c.spacing, want[k].neighbours, want[k].distance);
    }
    for (int a = 0; a < c.lattice->dims; ++a) volume *= pel__md_length(&c, a);
    if (fabs((double)c.n / volume - 0.9) > 1e-13)
      fail_msg("%s: density %.17g, want 0.9", want[k].name, (double)c.n / volume);
  }
}

static void types(void **state) {
  (void)state;
  pel__md_crystal c = crystal(2, 7);
  int64_t count[3] = {0}, unlike = 0;
  c.ntypes = 3;
  pel__md_share(&c, (double[]){4, 1, 2});
  for (int64_t id = 1; id <= c.n; ++id) {
    ++count[pel__md_type(&c, id)];
    unlike += id > 1 && pel__md_type(&c, id) != pel__md_type(&c, id - 1);
  }
  assert_int_equal(count[0], 784); /* of 1372 */
  assert_int_equal(count[1], 196);
  assert_int_equal(count[2], 392);
  const double mixed = (double)unlike / (double)(c.n - 1); /* 1 - sum of squares = 0.571 */
  if (fabs(mixed - 0.571) > 5 * sqrt(.571 * .429 / 1371)) fail_msg("unlike in a row: %g", mixed);
}

static void gamma_distributed(void **state) {
  (void)state;
  enum { DRAWS = 40000 };
  static const double shapes[] = {0.5, 1, 1.5, 7.3, 748.5};
  assert_true(pel__md_gamma(0, 1, 1) == 0);
  for (size_t k = 0; k < sizeof shapes / sizeof *shapes; ++k) {
    const double a = shapes[k];
    double m[4] = {0};
    for (int i = 0; i < DRAWS; ++i) {
      const double d = pel__md_gamma(a, 11 + (int64_t)k, i) - a;
      assert_true(d > -a);
      for (int p = 1; p < 4; ++p) m[p] += pow(d, p) / DRAWS;
    }
    /* Moments about the mean a: 0, a, 2 a; and the variances of their estimates. */
    const double want[4] = {0, 0, a, 2 * a}, sd[4] = {0, sqrt(a), sqrt(2 * a * a + 6 * a),
                                                      sqrt(15 * a * a * a + 300 * a * a + 500 * a)};
    for (int p = 1; p < 4; ++p)
      if (fabs(m[p] - want[p]) > 5 * sd[p] / sqrt(DRAWS))
        fail_msg("shape %g, moment %d: got %g, want %g +- %g", a, p, m[p], want[p],
                 sd[p] / sqrt(DRAWS));
  }
}

static void counters(void **state) {
  (void)state;
  double u[4], v[4], mean = 0;
  for (int64_t step = 0; step < 5000; ++step) {
    pel_random_uniform(1, 2, step, 3, u);
    pel_random_uniform(1, 2, step, 3, v);
    for (int i = 0; i < 4; ++i) {
      assert_true(u[i] == v[i] && u[i] > 0 && u[i] < 1);
      mean += u[i] / 20000;
    }
  }
  if (fabs(mean - .5) > 5 / sqrt(12 * 20000.)) fail_msg("mean %g", mean);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(lattices), cmocka_unit_test(types),
                                     cmocka_unit_test(gamma_distributed),
                                     cmocka_unit_test(counters)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
