/* Pair sums: NIST's Lennard-Jones configurations, the lattice of the LAMMPS benchmark, long double
 * sums over all pairs in boxes of every kind, and the same bits whatever the order, the skin, the
 * lists and the threads. */
#include "md_case.h"

static void close_to(const char *what, double got, double want, double relative) {
  const double off = fabs(got - want) / fmax(fabs(want), 1e-300);
  if (!(want == 0 ? got == 0 : off <= relative))
    fail_msg("%s: got %.17g, want %.17g; relative difference %.2g, allowed %.2g", what, got, want,
             off, relative);
}

/* ---- NIST ---- */

static int read_nist(int number, double *length, double **x) {
  char path[400];
  int n;
  double edge[3];
  snprintf(path, sizeof path, "%s/nist/lj_%d.txt", PELSIM_TEST_DATA, number);
  FILE *f = fopen(path, "r");
  assert_non_null(f);
  assert_int_equal(fscanf(f, "%lf %lf %lf %d", &edge[0], &edge[1], &edge[2], &n), 4);
  *length = edge[0];
  *x = malloc(3 * (size_t)n * sizeof **x);
  for (int i = 0; i < n; ++i) {
    double *r = *x + 3 * i;
    assert_int_equal(fscanf(f, "%*d %lf %lf %lf", &r[0], &r[1], &r[2]), 3);
    for (int a = 0; a < 3; ++a) r[a] += edge[a] / 2;
  }
  fclose(f);
  return n;
}

/* https://www.nist.gov/mml/csd/chemical-informatics-group/lennard-jones-fluid-reference-calculations
 * gives five digits; these were computed in long double from the same coordinates. */
static const struct {
  int number, kind;
  double rc, energy, virial, tail;
  int pairs;
} nist[] = {{1, PEL__LJ_CUT, 3, -4351.54019454387, -568.665465318175, -198.488883744157, 35677},
            {1, PEL__LJ_CUT, 4, -4467.49572494797, -1263.88337187214, -83.7689864033372, 85488},
            {1, PEL__LJ_FORCE_SHIFTED, 3, -3870.92488578402, 317.538346012446, 0, 35677},
            {2, PEL__LJ_CUT, 3, -690.004045172867, -568.457340737900, -24.2296000664254, 5038},
            {2, PEL__LJ_CUT, 4, -704.603319726964, -655.987560706642, -10.2257063480636, 11215},
            {2, PEL__LJ_FORCE_SHIFTED, 3, -620.119860998321, -445.331049619799, 0, 5038},
            {3, PEL__LJ_CUT, 3, -1146.66742083367, -1164.94965071320, -49.6222209360392, 9263},
            {3, PEL__LJ_CUT, 4, -1175.38056722541, -1337.10261730099, -20.9422466008343, 21683},
            {3, PEL__LJ_FORCE_SHIFTED, 3, -1020.96570748215, -935.777201175522, 0, 9263}};
static const double nist_pressure_tail[3] = {-0.396796167412, -0.0946035784272, -0.0991990418529};

static void nist_configurations(void **state) {
  (void)state;
  for (size_t k = 0; k < sizeof nist / sizeof *nist; ++k) {
    double length, *x;
    const int n = read_nist(nist[k].number, &length, &x);
    const pel__domain d = cube(length);
    const lj_parameters q = {(pel__lj_kind)nist[k].kind, {1}, {1}, nist[k].rc, false};
    md s;
    md_create(&s, &d, n, x, NULL, NULL, &q, 0.3, 1 + (int)k % 2);
    md_forces(&s, true);
    char what[80];
    snprintf(what, sizeof what, "configuration %d, rc %g, kind %d", nist[k].number, nist[k].rc,
             nist[k].kind);
    close_to(what, s.sums.energy, nist[k].energy, 1e-10);
    close_to(what, s.sums.virial[0] + s.sums.virial[1] + s.sums.virial[2], nist[k].virial, 1e-10);
    assert_true(pel__pair_list_count(&s.list, &s.p, nist[k].rc) == nist[k].pairs);
    const double rho = n / pel__domain_volume(&d);
    if (nist[k].kind == PEL__LJ_CUT)
      close_to(what, n * rho * pel__lj_tail_energy(1, 1, nist[k].rc), nist[k].tail, 1e-12);
    if (nist[k].rc == 3)
      close_to(what, rho * rho * pel__lj_tail_virial(1, 1, 3) / 3,
               nist_pressure_tail[nist[k].number - 1], 1e-11);
    md_destroy(&s);
    free(x);
  }
}

/* ---- the lattice of the LAMMPS benchmark at step 0 ---- */

static void lattice(void **state) {
  (void)state;
  static const struct {
    int side;
    double energy, pressure; /* of all but the motion, with T = 1.44 for 3(N - 1) degrees */
  } want[] = {{8, -6.77336805325, -5.02026284821}, {20, -6.7733680532342, -5.0197072590856}};
  for (int k = 0; k < 2; ++k) {
    double length, *x;
    const int n = fcc(want[k].side, 0.8442, &length, &x);
    const pel__domain d = cube(length);
    md s;
    md_create(&s, &d, n, x, NULL, NULL, &lj_unit, 0.3, 2);
    md_forces(&s, true);
    close_to("energy a particle", s.sums.energy / n, want[k].energy, 1e-11);
    const double virial = s.sums.virial[0] + s.sums.virial[1] + s.sums.virial[2];
    close_to("pressure", (1.44 * (n - 1) + virial / 3) / pel__domain_volume(&d), want[k].pressure,
             1e-10);
    md_destroy(&s);
    free(x);
  }
}

/* ---- all pairs, long double, in boxes of every kind ---- */

typedef struct {
  long double energy, virial[6];
} reference_sums;

static reference_sums reference(const md *s, const lj_parameters *q, const int *at,
                                long double *f) {
  const pel__particles *p = &s->p;
  reference_sums r = {0};
  for (int i = 0; i < p->n; ++i)
    for (int j = 0; j < p->n; ++j) {
      long double d[3], r2 = 0;
      for (int a = 0; a < 3; ++a) {
        d[a] = (long double)p->x[a][at[i]] - p->x[a][at[j]];
        if (p->domain.periodic[a]) d[a] -= p->domain.length[a] * roundl(d[a] / p->domain.length[a]);
        r2 += d[a] * d[a];
      }
      if (i == j || r2 >= (long double)q->rc * q->rc) continue;
      const int ti = p->type[at[i]], tj = p->type[at[j]];
      const long double eps = sqrt(q->eps[ti] * q->eps[tj]),
                        s2 = powl((q->sigma[ti] + q->sigma[tj]) / 2, 2);
      const long double i6 = powl(s2 / r2, 3), factor = 24 * eps * i6 * (2 * i6 - 1) / r2;
      r.energy += 2 * eps * i6 * (i6 - 1);
      for (int a = 0; a < 3; ++a) f[3 * i + a] += factor * d[a];
      static const int u[6] = {0, 1, 2, 0, 0, 1}, v[6] = {0, 1, 2, 1, 2, 2};
      for (int k = 0; k < 6; ++k) r.virial[k] += factor * d[u[k]] * d[v[k]] / 2;
    }
  return r;
}

static void check_box(int dims, const double length[3], const bool periodic[3], int side, int types,
                      double skin, int threads) {
  pel__domain d;
  pel_error e = {0};
  uint64_t seed = (uint64_t)(dims + side);
  int n = 0, type[1000];
  double x[3000];
  const lj_parameters q = {PEL__LJ_CUT, {1, 0.5}, {0.8, 0.6}, 2, false};
  pel__domain_init(&d, dims, length, periodic, &e);
  fail_on(&e);
  for (int c = 0; c < (dims == 3 ? side * side * side : side * side); ++c, ++n) {
    const int at[3] = {c % side, c / side % side, c / side / side};
    for (int a = 0; a < 3; ++a)
      x[3 * n + a] = a < dims ? length[a] * (at[a] + 0.4 + 0.2 * uniform(&seed)) / side : 0;
    type[n] = uniform(&seed) < 0.4;
  }
  md s;
  md_create(&s, &d, n, x, NULL, types > 1 ? type : NULL, &q, skin, threads);
  md_forces(&s, true);
  int *at = md_places(&s);
  long double *f = calloc(3 * (size_t)n, sizeof *f);
  const reference_sums want = reference(&s, &q, at, f);
  close_to("energy", s.sums.energy, (double)want.energy, 1e-10);
  double sum[3] = {0}, size = 0;
  for (int k = 0; k < 6; ++k) size = fmax(size, fabs((double)want.virial[k]));
  for (int k = 0; k < 6; ++k)
    if (!(fabs(s.sums.virial[k] - (double)want.virial[k]) <= 1e-9 * size))
      fail_msg("virial %d: got %.17g, want %.17g", k, s.sums.virial[k], (double)want.virial[k]);
  for (int i = 0; i < n; ++i)
    for (int a = 0; a < 3; ++a) {
      const double got = s.p.f[a][at[i]], w = (double)f[3 * i + a];
      sum[a] += got; /* exact: multiples of one quantum */
      if (!(fabs(got - w) <= 1e-9 + 1e-12 * fabs(w)))
        fail_msg("force %d on particle %d: got %.17g, want %.17g", a, i, got, w);
    }
  for (int a = 0; a < 3; ++a) assert_true(sum[a] == 0);
  free(f), free(at);
  md_destroy(&s);
}

static void boxes(void **state) {
  (void)state;
  for (int types = 1; types <= 2; ++types)
    for (int threads = 1; threads <= 3; ++threads)
      for (int open = 0; open < 8; ++open) {
        const bool periodic[3] = {!(open & 1), !(open & 2), !(open & 4)};
        check_box(3, (double[]){9, 7.5, 8.2}, periodic, 8, types, 0.3, threads);
        check_box(3, (double[]){4, 4.1, 12}, periodic, 5, types, 0.5, threads);
        check_box(3, (double[]){30, 4.5, 5}, periodic, 3, types, 1, threads);
        if (open < 4) check_box(2, (double[]){15, 17, 1}, periodic, 14, types, 0.2, threads);
      }
}

/* ---- one, two particles, none near ---- */

static void few(void **state) {
  (void)state;
  const pel__domain d = cube(20);
  const double x[] = {1, 1, 1, 19.5, 1, 1, 10, 10, 10};
  for (int n = 0; n <= 3; ++n) {
    md s;
    md_create(&s, &d, n, x, NULL, NULL, &lj_unit, 0.3, 2);
    md_forces(&s, true);
    const double i6 = pow(1.5, -6), energy = 4 * i6 * (i6 - 1);
    assert_true(fabs(s.sums.energy - (n >= 2 ? energy : 0)) < 1e-11);
    int *at = md_places(&s);
    for (int i = 0; i < n; ++i) {
      const double f = i < 2 && n >= 2 ? 24 * i6 * (2 * i6 - 1) / 1.5 : 0;
      assert_true(fabs(s.p.f[0][at[i]] - (i == 1 ? -f : f)) < 1e-10);
    }
    free(at);
    md_destroy(&s);
  }
}

/* ---- the same bits ---- */

enum { SIDE = 6, STEPS = 300 };
#define EVERYWHERE UINT64_C(0x10d185a454fe0c36) /* on any processor, with any vector width */

static uint64_t run(int order, double skin, int threads, int types, double *builds) {
  double length, *x, *y;
  const int n = fcc(SIDE, 0.8442, &length, &x);
  double *v = velocities(n, 1.44, 7), *w = malloc(3 * (size_t)n * sizeof *w);
  int *type = calloc((size_t)n, sizeof *type);
  const pel__domain d = cube(length);
  uint64_t seed = (uint64_t)order;
  md s;
  y = malloc(3 * (size_t)n * sizeof *y);
  int *place = malloc((size_t)n * sizeof *place);
  for (int i = 0; i < n; ++i) place[i] = i;
  for (int i = n - 1; order && i > 0; --i) { /* shuffled */
    const int j = (int)(uniform(&seed) * (i + 1)), t = place[i];
    place[i] = place[j], place[j] = t;
  }
  for (int i = 0; i < n; ++i)
    for (int a = 0; a < 3; ++a)
      y[3 * place[i] + a] = x[3 * i + a], w[3 * place[i] + a] = v[3 * i + a];
  md_create(&s, &d, n, y, w, types > 1 ? type : NULL, &lj_unit, skin, threads);
  for (int i = 0; i < n; ++i) s.p.id[place[i]] = i + 1;
  md_steps(&s, STEPS);
  const uint64_t print = md_fingerprint(&s);
  *builds = s.list.builds;
  md_destroy(&s);
  free(x), free(y), free(v), free(w), free(type), free(place);
  return print;
}

static void same_bits(void **state) {
  (void)state;
  double builds, most = 0, least = INFINITY;
  const uint64_t want = run(0, 0.3, 1, 1, &builds);
  if (want != EVERYWHERE)
    fail_msg("fingerprint %016lx, want %016lx", (unsigned long)want, (unsigned long)EVERYWHERE);
  static const struct {
    int order;
    double skin;
    int threads, types;
  } as[] = {{1, 0.3, 1, 1}, {2, 0.3, 1, 1}, {0, 0.05, 1, 1}, {0, 0.9, 1, 1}, {0, 0.3, 2, 1},
            {0, 0.3, 3, 1}, {3, 0.6, 5, 1}, {0, 0.3, 1, 2},  {4, 0.2, 2, 2}};
  for (size_t k = 0; k < sizeof as / sizeof *as; ++k) {
    const uint64_t got = run(as[k].order, as[k].skin, as[k].threads, as[k].types, &builds);
    most = fmax(most, builds), least = fmin(least, builds);
    if (got != want)
      fail_msg("order %d, skin %g, threads %d, types %d: fingerprint %016lx, want %016lx",
               as[k].order, as[k].skin, as[k].threads, as[k].types, (unsigned long)got,
               (unsigned long)want);
  }
  assert_true(most > 5 * least); /* rebuilding often and seldom was tried */
}

static void forth_and_back(void **state) {
  (void)state;
  double length, *x;
  const int n = fcc(SIDE, 0.8442, &length, &x);
  double *v = velocities(n, 1.44, 3);
  const pel__domain d = cube(length);
  md s;
  md_create(&s, &d, n, x, v, NULL, &lj_unit, 0.3, 2);
  md_forces(&s, true);
  const uint64_t start = md_fingerprint(&s);
  const double energy = s.sums.energy + pel__kinetic2(&s.p, s.mass) / 2;
  for (int way = 0; way < 2; ++way) {
    md_steps(&s, 500);
    for (int64_t i = 0; i < (int64_t)s.p.nclusters * PEL_LANES; ++i)
      for (int a = 0; a < 3; ++a) s.p.v[a][i] = -s.p.v[a][i];
    md_forces(&s, true);
    const double now = s.sums.energy + pel__kinetic2(&s.p, s.mass) / 2;
    /* Leaving the lattice, pairs cross the cut-off in shells: LAMMPS shows the same -9e-3 each. */
    if (!(fabs(now - energy) < 1.5e-2 * n)) fail_msg("energy went from %g to %g", energy, now);
    if (way == 0) assert_int_not_equal(md_fingerprint(&s), start);
  }
  for (int64_t i = 0; i < (int64_t)s.p.nclusters * PEL_LANES; ++i)
    for (int a = 0; a < 3; ++a) s.p.v[a][i] += 0; /* -0 to +0: the start had none */
  assert_int_equal(md_fingerprint(&s), start);
  md_destroy(&s);
  free(x), free(v);
}

/* ---- what is refused ---- */

static void refused(void **state) {
  (void)state;
  const pel__domain d = cube(20);
  pel_error e = {0};
  md s;
  const double x[] = {1, 1, 1, 1.2, 1, 1, 10, 10, 10, 19, 3, 3};
  md_create(&s, &d, 4, x, NULL, NULL, &lj_unit, 0.3, 1);
  pel__pair_list_build(&s.list, &s.p, false, &e);
  fail_on(&e);
  assert_int_equal(pel__pairs_run(&s.p, &s.list, &s.u, &s.work, NULL, &e), PEL_INVALID);
  e = (pel_error){0};
  assert_int_equal(pel__pairs_explain(&s.p, &s.list, &s.u, &s.work, &e), PEL_INVALID);
  assert_non_null(strstr(e.text, "particles 1 and 2, are 0.2 apart"));
  e = (pel_error){0};
  s.p.x[1][0] = NAN;
  assert_int_equal(pel__pair_list_build(&s.list, &s.p, false, &e), PEL_INVALID);
  assert_non_null(strstr(e.text, "is nowhere"));
  md_destroy(&s);
  e = (pel_error){0};
  pel__particles p = {.domain = cube(4.9), .threads = 1};
  pel__pair_list l;
  assert_int_equal(pel__pair_list_create(&l, &p, 2.5, 0.3, &e), PEL_USAGE);
  assert_non_null(strstr(e.text, "more than half the box"));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(nist_configurations),
                                     cmocka_unit_test(lattice),
                                     cmocka_unit_test(boxes),
                                     cmocka_unit_test(few),
                                     cmocka_unit_test(same_bits),
                                     cmocka_unit_test(forth_and_back),
                                     cmocka_unit_test(refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
