/* Every pair potential against its formula in long double; forces are the slopes of the energies;
 * shifts vanish at the cut-off; what a potential cannot describe is refused; the same bits whatever
 * the skin, the threads, the number of types and the processor; mixed precision beside double. */
#include "md_case.h"

#include "md/potentials.h"
#include "md/table.h"

/* ---- the potentials ---- */

static const double cut_off = 2.5;

static long double lj(long double r) {
  const long double i6 = powl(r, -6);
  return 4 * i6 * (i6 - 1);
}
static long double morse(long double r) {
  const long double y = expl(-6 * (r - 1.125L));
  return 1.5L * y * (y - 2);
}
static long double buckingham(long double r) { return 1e5L * expl(-r / 0.125L) - 2 * powl(r, -6); }
static long double yukawa(long double r) { return 10 * expl(-2 * r) / r; }
static long double soft(long double r) {
  return 20 * (1 + cosl(3.14159265358979323846264338327950288L * r / cut_off));
}

typedef struct {
  const char *name;
  const pel_pair_kernels *kernels, *mixed;
  long double (*energy)(long double r);
  double least;     /* distance from which on it is tried */
  double tolerance; /* relative to 1: tables interpolate */
  int squared;
  double too_near;
  uint64_t print, mixed_print; /* of a run, on any processor, with any vector width */
} potential;

static const potential potentials[] = {
    {"lj", &pel__lj, &pel__lj_mixed, lj, 0.8, 1e-12, 0, 0.3, UINT64_C(0x61fadcb4be7d8749),
     UINT64_C(0x7df1600de57b0c4d)},
    {"morse", &pel__morse, &pel__morse_mixed, morse, 0.7, 1e-12, 0, 0.1,
     UINT64_C(0x095b11f950ae0182), UINT64_C(0x293a544ba9b3ef63)},
    {"buckingham", &pel__buckingham, &pel__buckingham_mixed, buckingham, 0.7, 1e-12, 0, 0,
     UINT64_C(0x829f87b6ed466851), UINT64_C(0x923fb5866e1338f0)},
    {"yukawa", &pel__yukawa, &pel__yukawa_mixed, yukawa, 0.3, 1e-12, 0, 1e-4,
     UINT64_C(0x1ef68b63317d0eaf), UINT64_C(0xd1a8de7744988feb)},
    {"soft", &pel__soft, &pel__soft_mixed, soft, 2e-3, 1e-12, 0, 0, UINT64_C(0xfe568d9b5e8e9d54),
     UINT64_C(0x53ed4a057b9fb550)},
    {"table", &pel__table_kernels, &pel__table_kernels_mixed, lj, 0.8, 2e-6, 0, 0.699,
     UINT64_C(0x72dd7f55f484f081), UINT64_C(0x7fd8af9f739170aa)},
    {"table in r^2", &pel__table_kernels, &pel__table_kernels_mixed, lj, 0.8, 2e-6, 1, 0.699,
     UINT64_C(0xa32bc65113c52ade), UINT64_C(0x70fa6ab722f4a1e5)}};

static struct {
  const potential *p;
  pel__lj_kind kind;
  bool mixed;
  pel__table table;
  double *data;
} present;

static double slope(double r) {
  const long double h = 1e-6L;
  return (double)((present.p->energy(r + h) - present.p->energy(r - h)) / (2 * h));
}

/* Lennard-Jones with a shifted force has kernels of its own. */
static const pel_pair_kernels *kernels(void) {
  const bool smooth = present.p->kernels == &pel__lj && present.kind == PEL__LJ_FORCE_SHIFTED;
  if (present.mixed) return smooth ? &pel__lj_smooth_mixed : present.p->mixed;
  return smooth ? &pel__lj_smooth : present.p->kernels;
}

static double coefficients(const void *ctx, int ti, int tj, double *c) {
  const double rc = cut_off;
  (void)ctx, (void)ti, (void)tj;
  if (present.p->kernels == &pel__lj)
    pel__lj_coefficients(present.kind, 1, 1, rc, c);
  else if (present.p->kernels == &pel__morse)
    pel__morse_coefficients(present.kind, 1.5, 6, 1.125, rc, c);
  else if (present.p->kernels == &pel__buckingham)
    pel__buckingham_coefficients(present.kind, 1e5, 0.125, 2, rc, c);
  else if (present.p->kernels == &pel__yukawa)
    pel__yukawa_coefficients(present.kind, 10, 2, rc, c);
  else if (present.p->kernels == &pel__soft)
    pel__soft_coefficients(20, rc, c);
  else
    pel__table_coefficients(present.kind, &present.table, present.data, 8, rc, c);
  return rc;
}

/* A table of its own formula, for those that take one. */
static void choose(const potential *p, pel__lj_kind kind) {
  enum { N = 2001 };
  present.p = p, present.kind = kind, present.mixed = false;
  if (p->kernels != &pel__table_kernels) return;
  const double low = 0.7, high = 2.6;
  present.table = (pel__table){
      N, p->squared, low, high, malloc(N * sizeof(double)), malloc(N * sizeof(double))};
  for (int i = 0; i < N; ++i) {
    const double t = i / (N - 1.), r = p->squared ? sqrt(low * low + t * (high * high - low * low))
                                                  : low + t * (high - low);
    present.table.u[i] = (double)p->energy(r), present.table.f[i] = -slope(r);
  }
  present.data = calloc(8 + pel__table_size(&present.table), sizeof(double));
  pel__table_records(&present.table, present.data, 8);
}

static void unchoose(void) {
  free(present.data);
  pel__table_free(&present.table);
  present.data = NULL;
}

static void install(md *s, int ntypes) {
  pel_error e = {0};
  pel__potential_destroy(&s->u);
  pel__potential_create(&s->u, kernels(), ntypes, coefficients, NULL,
                        present.mixed ? 0x1p12 : 0x1p15, 0x1p11, &e);
  if (present.data)
    pel__potential_set_data(&s->u, present.data, 8 + pel__table_size(&present.table), &e);
  s->list.paired = present.mixed;
  fail_on(&e);
}

/* ---- two particles ---- */

typedef struct {
  double energy, force; /* -du/dr */
} pull;

/* The sums, or why there are none. */
static int sum_pairs(md *s, pel_error *e) {
  if (!pel__pairs_run(&s->p, &s->list, &s->u, &s->work, &s->sums, e)) return PEL_OK;
  *e = (pel_error){0};
  return pel__pairs_explain(&s->p, &s->list, &s->u, &s->work, e);
}

static int try_pair(double r, pull *found, pel_error *e) {
  const pel__domain d = cube(20);
  const double u[3] = {2. / 7, 3. / 7, 6. / 7};
  const double x[6] = {5, 5, 5, 5 + r * u[0], 5 + r * u[1], 5 + r * u[2]};
  md s;
  md_create(&s, &d, 2, x, NULL, NULL, &lj_unit, 0.3, 1);
  install(&s, 1);
  pel__pair_list_build(&s.list, &s.p, false, e);
  sum_pairs(&s, e);
  int *at = md_places(&s);
  *found = (pull){s.sums.energy, 0};
  for (int a = 0; a < 3; ++a) found->force += s.p.f[a][at[1]] * u[a];
  free(at);
  md_destroy(&s);
  return e->code;
}

static pull pair_at(double r) {
  pull p;
  pel_error e = {0};
  try_pair(r, &p, &e);
  fail_on(&e);
  return p;
}

static void near(const char *what, double r, double got, double want, double tolerance) {
  if (!(fabs(got - want) <= tolerance * fmax(1, fabs(want)) + 3e-11))
    fail_msg("%s, %s at %g: got %.17g, want %.17g", present.p->name, what, r, got, want);
}

static void check_potential(const potential *p, pel__lj_kind kind) {
  choose(p, kind);
  const double end = (double)p->energy(cut_off), end_slope = slope(cut_off);
  const bool shift = kind != PEL__LJ_CUT, bend = kind == PEL__LJ_FORCE_SHIFTED;
  for (double r = p->least; r < cut_off; r += 0.0371) {
    const double h = 3e-4 * fmax(r, 0.3);
    const pull here = pair_at(r);
    double u = (double)p->energy(r), du = slope(r);
    if (shift) u -= end + (bend ? (r - cut_off) * end_slope : 0);
    if (bend) du -= end_slope;
    near("energy", r, here.energy, u, p->tolerance);
    near("force", r, here.force, -du, 1e3 * p->tolerance);
    if (r + 2 * h >= cut_off) continue;
    const double narrow = pair_at(r + h).energy - pair_at(r - h).energy,
                 wide = pair_at(r + 2 * h).energy - pair_at(r - 2 * h).energy;
    near("slope", r, here.force, -(8 * narrow - wide) / (12 * h), 1e-6);
  }
  const pull last = pair_at(nextafter(cut_off, 0) - 1e-9), beyond = pair_at(cut_off + 1e-9);
  if (shift) near("energy", cut_off, last.energy, 0, 1e-7);
  if (bend) near("force", cut_off, last.force, 0, 1e-5);
  assert_true(beyond.energy == 0 && beyond.force == 0);
  unchoose();
}

static void formulas(void **state) {
  (void)state;
  for (size_t k = 0; k < sizeof potentials / sizeof *potentials; ++k) {
    const potential *p = &potentials[k];
    check_potential(p, PEL__LJ_CUT);
    if (p->energy == soft) continue; /* it ends smoothly by itself */
    check_potential(p, PEL__LJ_SHIFTED);
    check_potential(p, PEL__LJ_FORCE_SHIFTED);
  }
}

/* ---- what is refused ---- */

static void refused(void **state) {
  (void)state;
  for (size_t k = 0; k < sizeof potentials / sizeof *potentials; ++k) {
    const potential *p = &potentials[k];
    pel_error e = {0};
    pull found;
    const double barrier = pel__buckingham_barrier(1e5, 0.125, 2);
    choose(p, PEL__LJ_CUT);
    if (p->energy == soft) { /* particles in one place feel no force, and that is right */
      assert_int_equal(try_pair(0, &found, &e), PEL_OK);
      assert_true(fabs(found.energy - 40) < 1e-9 && found.force == 0);
    } else {
      const double near_by = p->energy == buckingham ? 0.999 * barrier : p->too_near;
      assert_int_equal(try_pair(near_by, &found, &e), PEL_INVALID);
      assert_non_null(strstr(e.text, "of a pair exceeds"));
      assert_non_null(strstr(e.text, "particles 1 and 2"));
    }
    unchoose();
  }
  const double top = pel__buckingham_barrier(1e5, 0.125, 2);
  assert_true(top > 0.05 && top < 0.5);
  assert_true(buckingham(top) > buckingham(top * 1.001) &&
              buckingham(top) > buckingham(top * .999));
  assert_true(pel__buckingham_barrier(1e5, 0.125, 0) == 0);
  assert_true(isinf(pel__buckingham_barrier(1, 0.125, 1e5)));
}

/* ---- the same bits ---- */

static uint64_t run(double skin, int threads, int types, double *builds) {
  double length, *x;
  const int n = fcc(4, 0.8442, &length, &x);
  double *v = velocities(n, 1.44, 7);
  int *type = calloc((size_t)n, sizeof *type);
  const pel__domain d = cube(length);
  md s;
  for (int i = 0; i < n; ++i) type[i] = i % 2;
  md_create(&s, &d, n, x, v, types > 1 ? type : NULL, &lj_unit, skin, threads);
  install(&s, types);
  md_steps(&s, 150);
  const uint64_t print = md_fingerprint(&s);
  *builds = s.list.builds;
  md_destroy(&s);
  free(x), free(v), free(type);
  return print;
}

static void same_bits_of(const potential *p, bool mixed, uint64_t want) {
  static const struct {
    double skin;
    int threads, types;
  } as[] = {{0.3, 1, 1}, {0.05, 1, 1}, {0.7, 1, 1}, {0.2, 3, 1}, {0.3, 1, 2}, {0.1, 2, 2}};
  double builds, most = 0, least = INFINITY;
  choose(p, PEL__LJ_CUT);
  present.mixed = mixed;
  for (size_t i = 0; i < sizeof as / sizeof *as; ++i) {
    const uint64_t got = run(as[i].skin, as[i].threads, as[i].types, &builds);
    most = fmax(most, builds), least = fmin(least, builds);
    if (got != want)
      fail_msg("%s%s, skin %g, threads %d, types %d: fingerprint %016lx, want %016lx", p->name,
               mixed ? ", mixed" : "", as[i].skin, as[i].threads, as[i].types, (unsigned long)got,
               (unsigned long)want);
  }
  assert_true(most > 3 * least); /* rebuilding often and seldom was tried */
  unchoose();
}

static void same_bits(void **state) {
  (void)state;
  for (size_t k = 0; k < sizeof potentials / sizeof *potentials; ++k) {
    same_bits_of(&potentials[k], false, potentials[k].print);
    same_bits_of(&potentials[k], true, potentials[k].mixed_print);
  }
}

/* Velocities turned round, it all goes back to the start. */
static void forth_and_back(void **state) {
  (void)state;
  double length, *x;
  const int n = fcc(4, 0.8442, &length, &x);
  double *v = velocities(n, 1.44, 3);
  const pel__domain d = cube(length);
  for (size_t k = 0; k < 2 * sizeof potentials / sizeof *potentials; ++k) {
    md s;
    choose(&potentials[k / 2], PEL__LJ_CUT);
    present.mixed = k % 2;
    md_create(&s, &d, n, x, v, NULL, &lj_unit, 0.15, 2);
    install(&s, 1);
    md_forces(&s, false);
    const uint64_t start = md_fingerprint(&s);
    for (int way = 0; way < 2; ++way) {
      md_steps(&s, 200);
      if (way == 0) assert_int_not_equal(md_fingerprint(&s), start);
      for (int64_t i = 0; i < (int64_t)s.p.nclusters * PEL_LANES; ++i)
        for (int a = 0; a < 3; ++a) s.p.v[a][i] = 0 - s.p.v[a][i];
    }
    if (md_fingerprint(&s) != start)
      fail_msg("%s, %s precision: not where it began", present.p->name,
               present.mixed ? "mixed" : "double");
    assert_true(s.list.builds > 10);
    md_destroy(&s);
    unchoose();
  }
  free(x), free(v);
}

/* ---- mixed precision ---- */

typedef struct {
  int n;
  double energy, virial[6], *f, sum[3];
} answer;

/* Of a liquid after a while, in a box that need not be full: many clusters then have empty places.
 */
static answer answer_of(bool mixed, pel__lj_kind kind, int n, const double *x, double length,
                        bool walls) {
  pel_error e = {0};
  pel__domain d;
  md s;
  answer r = {.n = n, .f = calloc(3 * (size_t)n, sizeof *r.f)};
  pel__domain_init(&d, 3, (double[]){length, length, length}, (bool[]){!walls, true, !walls}, &e);
  present.kind = kind, present.mixed = mixed;
  md_create(&s, &d, n, x, NULL, NULL, &lj_unit, 0.2, 1 + n % 2);
  install(&s, 1);
  md_forces(&s, true);
  int *at = md_places(&s);
  r.energy = s.sums.energy;
  memcpy(r.virial, s.sums.virial, sizeof r.virial);
  for (int i = 0; i < 3 * n; ++i) r.sum[i % 3] += r.f[i] = s.p.f[i % 3][at[i / 3]];
  free(at);
  md_destroy(&s);
  return r;
}

static void compare(const answer *a, const answer *b) {
  double off = 0, size = 0, energy = fabs(a->energy - b->energy) / a->n, virial = 0, scale = 0;
  for (int i = 0; i < 3 * a->n; ++i) {
    off += pow(a->f[i] - b->f[i], 2) / (3 * a->n);
    size += pow(a->f[i], 2) / (3 * a->n);
  }
  for (int k = 0; k < 6; ++k) {
    virial = fmax(virial, fabs(a->virial[k] - b->virial[k]) / a->n);
    scale = fmax(scale, fabs(a->virial[k]) / a->n);
  }
  /* 2^-16 is the quantum of forces; tables of floats and float distances are what else there is. */
  if (!(sqrt(off) < 5e-5 + 4e-6 * sqrt(size)))
    fail_msg("%s, %d particles: forces are %.2e off, of %.2e", present.p->name, a->n, sqrt(off),
             sqrt(size));
  if (!(energy < 1e-6 * (1 + fabs(a->energy) / a->n)))
    fail_msg("%s, %d particles: energy %.9g, want %.9g", present.p->name, a->n, b->energy,
             a->energy);
  if (!(virial < 1e-5 * (1 + scale)))
    fail_msg("%s, %d particles: virial %.2e off", present.p->name, a->n, virial);
  for (int k = 0; k < 3; ++k) assert_true(b->sum[k] == 0); /* multiples of the quantum: exact */
}

static void mixed(void **state) {
  (void)state;
  enum { N = 256 };
  double length, *x;
  const int n = fcc(4, 0.6, &length, &x);
  uint64_t seed = 5;
  for (int i = 0; i < 3 * n; ++i) x[i] += 0.15 * (uniform(&seed) - 0.5) + 0.3;
  for (int i = 0; i < 3 * n; ++i) x[i] = x[i] >= length ? x[i] - length : x[i];
  for (size_t k = 0; k < sizeof potentials / sizeof *potentials; ++k)
    for (int kind = PEL__LJ_CUT; kind <= PEL__LJ_FORCE_SHIFTED; ++kind) {
      static const int some[] = {N, 200, 31, 5, 2, 1};
      choose(&potentials[k], (pel__lj_kind)kind);
      for (size_t m = 0; m < sizeof some / sizeof *some; ++m) {
        const bool walls = m % 2;
        answer a = answer_of(false, (pel__lj_kind)kind, some[m], x, length, walls),
               b = answer_of(true, (pel__lj_kind)kind, some[m], x, length, walls);
        compare(&a, &b);
        free(a.f), free(b.f);
      }
      unchoose();
    }
  free(x);
}

/* A pair that does not fit 32 bits is summed in 64; what does not fit those, either, stops the run.
 */
static void mixed_cores(void **state) {
  (void)state;
  pull found;
  choose(&potentials[0], PEL__LJ_CUT);
  present.mixed = true;
  for (double r = 0.6; r < 2.4; r += 0.03) { /* 2^31 quanta at r = 0.65 */
    pel_error e = {0};
    assert_int_equal(try_pair(r, &found, &e), PEL_OK);
    near("force", r, found.force, -slope(r), 2e-5); /* half a quantum along each axis */
  }
  for (double r = 0.24; r >= 0; r -= 0.06) {
    pel_error e = {0};
    assert_int_equal(try_pair(r, &found, &e), PEL_INVALID);
    assert_non_null(strstr(e.text, "of a pair exceeds"));
    assert_non_null(strstr(e.text, "particles 1 and 2"));
  }
  unchoose();
}

/* Particles nearly in one place: what they add up to is more than 32 bits hold, and in a larger
 * pile more than a sum may be. */
static int pile_up(bool mixed, int n, int threads, double *f, pel_error *e) {
  const pel__domain d = cube(6);
  double *x = calloc(3 * (size_t)n, sizeof *x), sum[3] = {0};
  uint64_t seed = 11;
  md s;
  for (int i = 0; i < n; ++i) /* at an edge: some of the sums are those of images */
    for (int a = 0; a < 3; ++a) {
      const double at = (i % 3 && a == 0 ? 0.9 : 0) + 0.1 * uniform(&seed) - 0.05;
      x[3 * i + a] = at < 0 ? at + 6 : at;
    }
  present.mixed = mixed;
  md_create(&s, &d, n, x, NULL, NULL, &lj_unit, 0.2, threads);
  install(&s, 1);
  pel__pair_list_build(&s.list, &s.p, false, e);
  sum_pairs(&s, e);
  int *at = md_places(&s);
  for (int i = 0; i < 3 * n; ++i) sum[i % 3] += f[i] = s.p.f[i % 3][at[i / 3]];
  for (int a = 0; a < 3 && !e->code; ++a) assert_true(sum[a] == 0);
  free(at), free(x);
  md_destroy(&s);
  return e->code;
}

static void piles(void **state) {
  (void)state;
  enum { N = 2400 };
  static double of_double[3 * N], of_mixed[3 * N], of_three[3 * N], unused[12 * N];
  pel_error e = {0};
  double largest = 0;
  for (size_t k = 0; k < sizeof potentials / sizeof *potentials; ++k)
    if (potentials[k].energy == soft) choose(&potentials[k], PEL__LJ_CUT);
  pile_up(false, N, 1, of_double, &e);
  pile_up(true, N, 1, of_mixed, &e);
  pile_up(true, N, 3, of_three, &e);
  fail_on(&e);
  for (int i = 0; i < 3 * N; ++i) {
    largest = fmax(largest, fabs(of_double[i]));
    /* sqrt(N/12) quanta of 2^-16 are 2e-4; coefficients are off by 2^-25 each */
    if (!(fabs(of_mixed[i] - of_double[i]) < 1e-3 + 0x1p-23 * fabs(of_double[i])))
      fail_msg("component %d: %.9g, want %.9g", i, of_mixed[i], of_double[i]);
    assert_true(of_mixed[i] == of_three[i]);
  }
  assert_true(largest > 0x1p15); /* with a quantum of 2^-16 more than 2^31 */
  assert_int_equal(pile_up(false, 4 * N, 2, unused, &e), PEL_INVALID);
  assert_non_null(strstr(e.text, "of all pairs of particle "));
  unchoose();
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(formulas),  cmocka_unit_test(refused),
                                     cmocka_unit_test(same_bits), cmocka_unit_test(forth_and_back),
                                     cmocka_unit_test(mixed),     cmocka_unit_test(mixed_cores),
                                     cmocka_unit_test(piles)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
