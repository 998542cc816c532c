/* What is measured of particles: counts of pairs against all pairs one by one, on however many
 * ranks, within and beyond the reach of the model's list; shells of a lattice; errors from batches;
 * diffusion from curves that are known. */
#include "md_case.h"

#include "analysis_parts.h"
#include "pelsim/embed.h"

enum { N = 500, BINS = 37 };
#define BOX 8.5

typedef struct {
  bool crystal;
  int types;
} start;

static void box(pel_particle_box *b, const void *state) {
  const start *q = state;
  *b = (pel_particle_box){
      .dims = 3, .length = {BOX, BOX, BOX}, .n = N, .ntypes = q->types, .mass = {1, 2}};
}
static void seed(const void *state, int64_t id, pel_seed *s) {
  static const double basis[4][3] = {{0, 0, 0}, {.5, .5, 0}, {.5, 0, .5}, {0, .5, .5}};
  const start *q = state;
  const int64_t cell = (id - 1) / 4, at[3] = {cell % 5, cell / 5 % 5, cell / 25};
  double u[4];
  pel_random_uniform(11, id, 0, 1, u);
  for (int a = 0; a < 3; ++a)
    s->x[a] = q->crystal ? ((double)at[a] + basis[(id - 1) % 4][a]) * BOX / 5 : u[a] * BOX;
  s->type = (int)(id % 3 == 0 && q->types > 1);
}
static double skin(const void *state) {
  (void)state;
  return .3;
}
static const pel_pair_kernels *kernels(const void *state) {
  (void)state;
  return &pel__lj;
}
static double coefficients(const void *state, int ti, int tj, double *c) {
  (void)state, (void)ti, (void)tj;
  pel__lj_coefficients(PEL__LJ_CUT, 0, 1, 2, c); /* an ideal gas that has lists */
  return 2;
}
static void ranges(const void *state, double *force, double *energy) {
  (void)state;
  *force = 0x1p15, *energy = 0x1p11;
}
static const pel_pair_stage pairs = {
    .kernels = kernels, .coefficients = coefficients, .ranges = ranges};
static const pel_particle_stage forces[] = {{"pairs", PEL_PAIRS, .pairs = &pairs}},
                                program[] = {{"drift", PEL_DRIFT, .part = 1}};
static const pel_particle_model particles = {PEL_TABLE(forces), PEL_TABLE(program), .box = box,
                                             .seed = seed, .skin = skin};
static const pel_model model = {.name = "test", .particles = &particles};

static void create(pel_sim *s, start *q, int threads) {
  pel_error e = {0};
  *s = (pel_sim){.model = &model,
                 .state = q,
                 .threads = threads,
                 .comm = MPI_COMM_WORLD,
                 .set.time.dt = .005,
                 .set.parallel = {.blocks = 1, .block_grid = ""}};
  MPI_Comm_rank(s->comm, &s->rank);
  MPI_Comm_size(s->comm, &s->nranks);
  pel__dynamics_create(s, &e);
  fail_on(&e);
  pel__dynamics_start(s, &e);
  fail_on(&e);
}

/* All pairs of the start, one by one, in the order of the types. */
static void count_all_pairs(const start *q, double range, int64_t *count) {
  static double x[N][3];
  static int type[N];
  memset(count, 0, 3 * BINS * sizeof *count);
  const pel__domain d = cube(BOX);
  for (int i = 0; i < N; ++i) {
    pel_seed s = {0};
    seed(q, i + 1, &s);
    type[i] = s.type;
    for (int a = 0; a < 3; ++a) x[i][a] = pel__snap(s.x[a], d.magic);
  }
  for (int i = 0; i < N; ++i)
    for (int j = 0; j < N; ++j) {
      double r[3];
      for (int a = 0; a < 3; ++a) {
        r[a] = fabs(x[i][a] - x[j][a]);
        r[a] = r[a] > d.length[a] / 2 ? d.length[a] - r[a] : r[a];
      }
      const double r2 = fma(r[0], r[0], fma(r[1], r[1], r[2] * r[2]));
      if (i == j || !(r2 < range * range)) continue;
      const int bin = (int)(sqrt(r2) * (BINS / range)), pair = type[i] + type[j];
      ++count[(q->types > 1 ? pair : 0) * BINS + (bin < BINS ? bin : BINS - 1)];
    }
}

static void counts(void **state) {
  (void)state;
  static const double range[] = {0, 1.3, 4.2};
  for (int k = 0; k < 12; ++k) {
    start q = {.crystal = k % 2, .types = 1 + k / 2 % 2};
    pel_sim s;
    pel__rdf r;
    pel_error e = {0};
    int64_t want[3 * BINS];
    create(&s, &q, 1 + k % 3);
    if (pel__rdf_create(&r, &s, BINS, range[k / 4], &e)) {
      /* too thin for so many ranks */
      assert_true(s.nranks > 8);
    }
    double x[3 * BINS + 1];
    for (int again = 0; again < 2; ++again) {
      pel__rdf_sample(&r, &s, x, &e);
      fail_on(&e);
      count_all_pairs(&q, r.range, want);
      for (int i = 0; i < r.npairs * BINS; ++i)
        if (x[i] != (double)want[i])
          fail_msg("case %d, range %g, bin %d: got %g pairs, want %ld", k, r.range, i, x[i],
                   (long)want[i]);
      assert_true(x[r.npairs * BINS] == 1 / pel__domain_volume(&s.dynamics->p.domain));
    }
    pel__rdf_destroy(&r);
    pel__dynamics_destroy(s.dynamics);
  }
}

/* A gas without forces: g = 1 within 5 standard deviations of each bin's count. */
static void ideal_gas(void **state) {
  (void)state;
  start q = {.types = 2};
  pel_sim s;
  pel__rdf r;
  pel_error e = {0};
  double x[3 * BINS + 1], g[3 * BINS];
  create(&s, &q, 2);
  pel__rdf_create(&r, &s, BINS, 4.2, &e);
  pel__rdf_sample(&r, &s, x, &e);
  fail_on(&e);
  const pel__rdf_shape shape = {&r, 3, (int64_t[]){N - N / 3, N / 3}};
  pel__rdf_estimate(&shape, x, g);
  int seen = 0;
  for (int i = 0; i < 3 * BINS; ++i) {
    if (x[i] < 20) continue; /* each pair is there twice */
    ++seen;
    if (fabs(g[i] - 1) > 5 / sqrt(x[i] / 2)) fail_msg("bin %d: g is %g, want 1", i, g[i]);
  }
  assert_true(seen > 90);
  pel__rdf_destroy(&r);
  pel__dynamics_destroy(s.dynamics);
}

/* The first shells of fcc have 12, 6, 24, 12 neighbours. */
static void shells(void **state) {
  (void)state;
  static const int want[] = {12, 6, 24, 12};
  start q = {.crystal = true, .types = 1};
  pel_sim s;
  pel__rdf r;
  pel_error e = {0};
  double x[BINS + 1];
  create(&s, &q, 1);
  pel__rdf_create(&r, &s, BINS, 2.5, &e);
  pel__rdf_sample(&r, &s, x, &e);
  fail_on(&e);
  for (int k = 0; k < 4; ++k) {
    const double at = BOX / 5 * sqrt((k + 1) / 2.) * BINS / 2.5;
    if (x[(int)at] != want[k] * N)
      fail_msg("shell %d: got %g neighbours, want %d", k + 1, x[(int)at] / N, want[k]);
  }
  pel__rdf_destroy(&r);
  pel__dynamics_destroy(s.dynamics);
}

/* ---- errors ---- */

static void square(const void *ctx, const double *mean, double *to) {
  (void)ctx;
  to[0] = mean[0], to[1] = mean[0] * mean[0];
}

/* An autoregressive series of correlation c has the error sqrt((1+c)/(1-c)/n) in units of its
 * deviation: a naive estimate would be a fifth of it here. */
static void errors(void **state) {
  (void)state;
  enum { SAMPLES = 100000 };
  const double c = .92, want = sqrt((1 + c) / (1 - c) / SAMPLES);
  double memory[3 + PEL__BATCHES] = {0}, value[2], error[2], x = 0, sum = 0, z[4];
  assert_int_equal(pel__batches_size(1), PEL_N(memory));
  pel__batches b = pel__batches_in(memory, 1);
  pel__batches_estimate(&b, square, NULL, 2, value, error);
  assert_true(isnan(value[0]) && isnan(error[0]));
  for (int64_t i = 0; i < SAMPLES; ++i) {
    pel_random_normal(3, i, 0, 1, z);
    x = c * x + sqrt(1 - c * c) * z[0];
    const double y = 3 + x;
    pel__batches_add(&b, &y);
    sum += y;
    pel__batches_estimate(&b, square, NULL, 2, value, error);
    if (i == 2) assert_true(isnan(error[0]) && fabs(value[0] - sum / 3) < 1e-14);
    if (i % 997 && i < SAMPLES - 1) continue;
    assert_int_equal(pel__batches_samples(&b), i + 1);
    if (fabs(value[0] - sum / (double)(i + 1)) > 1e-11)
      fail_msg("mean of %ld: got %.17g, want %.17g", (long)i + 1, value[0], sum / (double)(i + 1));
  }
  if (fabs(error[0] / want - 1) > .5) fail_msg("error: got %g, want about %g", error[0], want);
  if (fabs(error[1] / (2 * value[0] * error[0]) - 1) > .01)
    fail_msg("error of the square: got %g, want %g", error[1], 2 * value[0] * error[0]);
}

/* ---- motion ---- */

static void diffusion(void **state) {
  (void)state;
  enum { LAGS = 401 };
  const double d = .37, tau = .2, step = .01;
  double msd[LAGS], vacf[LAGS], got;
  for (int i = 0; i < LAGS; ++i) { /* Langevin: both are known */
    const double t = i * step;
    msd[i] = 6 * d * (t - tau * (1 - exp(-t / tau)));
    vacf[i] = 3 * d / tau * exp(-t / tau);
  }
  pel__diffusion(PEL__MSD, msd, LAGS, step, 3, &got);
  if (fabs(got / d - 1) > 1e-4) fail_msg("from the displacement: got %g, want %g", got, d);
  pel__diffusion(PEL__VACF, vacf, LAGS, step, 3, &got);
  if (fabs(got / d - 1) > 3e-4) fail_msg("from the velocity: got %g, want %g", got, d);
}

/* Particles without forces: exactly v^2 t^2 and v^2, whichever periods they have crossed. */
static void flight(void **state) {
  (void)state;
  start q = {.types = 2};
  pel_sim s;
  pel_error e = {0};
  create(&s, &q, 2);
  s.set.analysis.msd = s.set.analysis.vacf = true;
  s.set.analysis.every = 2, s.set.analysis.origins = 4, s.set.analysis.window = 16;
  pel__dynamics *d = s.dynamics;
  const int64_t n[] = {N - N / 3, N / 3};
  double v2[2] = {0};
  for (int64_t i = 0; i < d->p.n; ++i) {
    const double v = 10 + (double)d->p.id[i] / 8;
    d->p.v[0][i] = v, d->p.v[1][i] = -v, d->p.v[2][i] = v / 2;
    v2[d->p.type[i]] += 2.25 * v * v / (double)n[d->p.type[i]];
  }
  MPI_Allreduce(MPI_IN_PLACE, v2, 2, MPI_DOUBLE, MPI_SUM, s.comm);
  pel__correlation c;
  pel__correlation_create(&c, &s);
  assert_int_equal(c.lags, 9);
  assert_int_equal(c.slots, 5);
  double *memory = calloc((size_t)pel__correlation_memory(&c), sizeof *memory);
  pel__correlation_lend(&c, memory);
  int finished = 0;
  for (; s.step <= 40; ++s.step) {
    if (s.step % 2 == 0) {
      const int done = pel__correlation_sample(&c, &s, n, 0);
      finished += done >= 0;
      for (int k = 0; k < 9 && done >= 0; ++k)
        for (int t = 0; t < 2; ++t) {
          const double *curve = c.curve + done * pel__correlation_size(&c), time = .01 * k,
                       msd = curve[t * 9 + k], vacf = curve[(2 + t) * 9 + k];
          if (fabs(msd - v2[t] * time * time) > 1e-11 * v2[t])
            fail_msg("displacement at %g: got %.17g, want %.17g", time, msd, v2[t] * time * time);
          if (fabs(vacf / v2[t] - 1) > 1e-11)
            fail_msg("velocity at %g: got %.17g, want %.17g", time, vacf, v2[t]);
        }
    }
    d->listed = false; /* they move far */
    pel__dynamics_force(&s);
    pel__dynamics_step(&s, .005);
    assert_int_equal(s.failed, 0);
  }
  assert_int_equal(finished, 7); /* origins at 0, 4, ... 24 */
  free(memory);
  pel__correlation_destroy(&c);
  pel__dynamics_destroy(s.dynamics);
  fail_on(&e);
}

int main(int argc, char **argv) {
  MPI_Init(&argc, &argv);
  const struct CMUnitTest tests[] = {cmocka_unit_test(counts),    cmocka_unit_test(ideal_gas),
                                     cmocka_unit_test(shells),    cmocka_unit_test(errors),
                                     cmocka_unit_test(diffusion), cmocka_unit_test(flight)};
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  MPI_Finalize();
  return failed;
}
