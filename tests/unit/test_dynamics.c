/* What the layer makes of a particle model, on however many ranks: velocities at the start without
 * momentum, to the last bit; steps on other threads, other cuts of the box and from arrays in order
 * of id have the same bits. */
#include "md_case.h"

#include "dynamics.h"

enum { N = 500 };

static void box(pel_particle_box *b, const void *state) {
  (void)state;
  *b = (pel_particle_box){.dims = 3, .length = {8.5, 8.5, 8.5}, .n = N, .ntypes = 1, .mass = {2}};
}
static void seed(const void *state, int64_t id, pel_seed *s) {
  double z[4];
  (void)state;
  pel_random_normal(5, id, 0, 1, z);
  for (int a = 0; a < 3; ++a) {
    const int64_t at[3] = {(id - 1) % 8, (id - 1) / 8 % 8, (id - 1) / 64};
    s->x[a] = ((double)at[a] + .5) * 8.5 / 8;
    s->v[a] = 3 + z[a]; /* all move along */
  }
}
static double temperature(const void *state) { return *(const double *)state; }
static double skin(const void *state) { return *(const double *)state > 0 ? .3 : .1; }
static const pel_pair_kernels *kernels(const void *state) {
  (void)state;
  return &pel__lj;
}
static double coefficients(const void *state, int ti, int tj, double *c) {
  (void)state, (void)ti, (void)tj;
  pel__lj_coefficients(PEL__LJ_CUT, 1, 1, 2.5, c);
  return 2.5;
}
static void ranges(const void *state, double *force, double *energy) {
  (void)state;
  *force = 0x1p15, *energy = 0x1p11;
}
static const pel_pair_stage pairs = {
    .kernels = kernels, .coefficients = coefficients, .ranges = ranges};
static const pel_particle_stage forces[] = {{"pairs", PEL_PAIRS, .pairs = &pairs}},
                                program[] = {{"kick", PEL_KICK, .part = .5},
                                             {"drift", PEL_DRIFT, .part = 1},
                                             {"forces", .kind = PEL_FORCES},
                                             {"kick", PEL_KICK, .part = .5}};
static const pel_particle_model particles = {
    PEL_TABLE(forces), PEL_TABLE(program),         .box = box,
    .seed = seed,      .temperature = temperature, .skin = skin};
static const pel_model model = {.name = "test", .particles = &particles};

static void create(pel_sim *s, double *t, int threads, int blocks) {
  pel_error e = {0};
  *s = (pel_sim){.model = &model,
                 .state = t,
                 .threads = threads,
                 .comm = MPI_COMM_WORLD,
                 .set.time.dt = .005,
                 .set.parallel = {.blocks = blocks, .block_grid = ""}};
  MPI_Comm_rank(s->comm, &s->rank);
  MPI_Comm_size(s->comm, &s->nranks);
  pel__dynamics_create(s, &e);
  fail_on(&e);
  pel__dynamics_start(s, &e);
  fail_on(&e);
}

static void no_momentum(void **state) {
  (void)state;
  for (double t = 0; t < 9; t += 1.5) {
    pel_sim s;
    create(&s, &t, 2, 1);
    const pel__particles *p = &s.dynamics->p;
    for (int a = 0; a < 3; ++a) {
      __int128 sum = 0;
      for (int i = 0; i < p->n; ++i) {
        const double quanta = p->v[a][i] / s.dynamics->velocity_quantum;
        assert_true(quanta == nearbyint(quanta));
        sum += (int64_t)quanta;
      }
      pel__sum_int128(s.comm, &sum, 1);
      if (sum != 0) fail_msg("momentum along %c: got %g quanta, want 0", "xyz"[a], (double)sum);
    }
    const double got = 2 * pel__dynamics_totals(&s)->kinetic / (3 * (N - 1));
    if (fabs(got - t) > 1e-11) fail_msg("temperature: got %.17g, want %g", got, t);
    pel__dynamics_destroy(s.dynamics);
  }
}

static uint64_t fingerprint(const pel_sim *s) {
  int n;
  uint64_t sum = 0;
  const pel_grid g = {.dims = 1, .axis = {{.n = N}, {.n = 1}, {.n = 1}}};
  pel_array *a = pel__dynamics_arrays(s, &n);
  for (int i = 0; i < n; ++i) {
    for (int k = 0; i < 3 && k < pel__slab_of(N, s->rank, s->nranks).n;
         ++k) /* positions lie in the box whenever one looks */
      assert_true(a[i].patches->data[k] >= 0 && a[i].patches->data[k] < 8.5);
    sum += pel_fingerprint_array(&a[i], &g);
  }
  free(a);
  MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_UINT64_T, MPI_SUM, s->comm);
  return sum;
}

static void same_bits_from_arrays(void **state) {
  (void)state;
  double t = 2;
  pel_sim s, other;
  create(&s, &t, 1, 1);
  create(&other, &t, 3, 5);
  for (int step = 0; step < 60; ++step) {
    int n;
    pel__dynamics_step(&s, .005);
    pel__dynamics_step(&other, .005);
    if (fingerprint(&s) != fingerprint(&other)) fail_msg("step %d: other bits", step + 1);
    if (step % 7) continue;
    pel_array *a = pel__dynamics_arrays(&s, &n); /* as after a checkpoint */
    pel__dynamics_adopt(&other, a);
    free(a);
  }
  assert_true(s.dynamics->list.builds > 2);
  assert_true(other.dynamics->list.builds > s.dynamics->list.builds);
  assert_int_equal(s.failed, 0);
  pel__dynamics_destroy(s.dynamics);
  pel__dynamics_destroy(other.dynamics);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(no_momentum),
                                     cmocka_unit_test(same_bits_from_arrays)};
  MPI_Init(NULL, NULL);
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  MPI_Finalize();
  return failed;
}
