/* What stages of particle models may do, on however many ranks: steps among walls, in two
 * dimensions and of several masses are undone to the last bit; attributes go with their particles;
 * kernels, routines and scaled boxes do what they should. */
#include "md_case.h"

#include "dynamics.h"

enum { N = 400 };

typedef struct {
  int dims;
  bool wall[3];
  double skin, bath;
  bool marks;
  double *home[3], *depth; /* attributes */
} plain;

static const double mass[2] = {1, 2.5};

static void box(pel_particle_box *b, const void *state) {
  const plain *c = state;
  const double length = c->dims == 3 ? 8.5 : 24;
  *b = (pel_particle_box){.dims = c->dims, .n = N, .ntypes = 2, .mass = {mass[0], mass[1]}};
  for (int a = 0; a < c->dims; ++a) {
    b->length[a] = length + a / 4.;
    b->ends[a] = c->wall[a] ? PEL_WALL_END : PEL_PERIODIC_END;
  }
}
static void seed(const void *state, int64_t id, pel_seed *s) {
  const plain *c = state;
  const int64_t side = c->dims == 3 ? 8 : 20;
  const double width = (c->dims == 3 ? 8.5 : 24) / (double)side;
  const int64_t at[3] = {(id - 1) % side, (id - 1) / side % side, (id - 1) / side / side};
  double z[4];
  pel_random_normal(3, id, 0, 0, z);
  for (int a = 0; a < 3; ++a) s->x[a] = ((double)at[a] + .5) * width, s->v[a] = z[a];
  s->type = id % 3 == 0;
}
static double temperature(const void *state) { return (void)state, 2; }
static double skin(const void *state) { return ((const plain *)state)->skin; }
static const pel_pair_kernels *kernels(const void *state) { return (void)state, &pel__lj; }
static double coefficients(const void *state, int ti, int tj, double *c) {
  (void)state;
  pel__lj_coefficients(PEL__LJ_SHIFTED, ti + tj == 1 ? 1.5 : 1, 1 - 0.1 * (ti + tj), 2.2, c);
  return 2.2;
}
static void ranges(const void *state, double *force, double *energy) {
  (void)state;
  *force = 0x1p15, *energy = 0x1p11;
}
static bool marks(const void *state, int64_t step) {
  return ((const plain *)state)->marks && step == 0;
}

/* By id, so that one sees whose an attribute is. */
static void mark(const pel_span *s, const void *state) {
  const plain *c = state;
  for (int64_t i = s->first; i < s->last; ++i)
    for (int a = 0; a < 3; ++a) c->home[a][i] = (double)(10 * s->id[i] + a);
}
static void weigh(const pel_span *s, const void *state) {
  const plain *c = state;
  for (int64_t i = s->first; i < s->last; ++i) {
    c->depth[i] = (double)s->id[i] / 1024;
    if (s->out) s->out[i] = c->depth[i];
  }
}

static const pel_attribute attributes[] = {
    PEL_ATTRIBUTE(plain, home, .role = PEL_CARRIED, .unit = "1"),
    PEL_ATTRIBUTE(plain, depth, .role = PEL_DERIVED)};
static const pel_number numbers[] = {PEL_NUMBER(plain, bath)};
static const pel_pair_stage pairs = {
    .kernels = kernels, .coefficients = coefficients, .ranges = ranges};
static const pel_particle_stage forces[] = {{"pairs", PEL_PAIRS, .pairs = &pairs},
                                            {"depth", PEL_PARTICLES, .kernel = weigh,
                                             .when = marks}},
                                program[] = {{"mark", PEL_PARTICLES, .kernel = mark, .when = marks},
                                             {"kick", PEL_KICK, .part = .5},
                                             {"drift", PEL_DRIFT, .part = 1},
                                             {"forces", .kind = PEL_FORCES},
                                             {"kick", PEL_KICK, .part = .5}};
static const pel_particle_model particles = {
    PEL_TABLE(attributes),      PEL_TABLE(numbers), PEL_TABLE(forces),
    PEL_TABLE(program),         .box = box,         .seed = seed,
    .temperature = temperature, .skin = skin};
static const pel_model model = {.name = "test", .particles = &particles};

static void create(pel_sim *s, plain *c, int threads) {
  pel_error e = {0};
  *s = (pel_sim){.model = &model,
                 .state = c,
                 .threads = threads,
                 .comm = MPI_COMM_WORLD,
                 .set.time.dt = .004,
                 .set.parallel.block_grid = ""};
  MPI_Comm_rank(s->comm, &s->rank);
  MPI_Comm_size(s->comm, &s->nranks);
  pel__dynamics_create(s, &e);
  fail_on(&e);
  pel__dynamics_start(s, &e);
  fail_on(&e);
}

static void steps(pel_sim *s, int n) {
  for (int i = 0; i < n; ++i, ++s->step) pel__dynamics_step(s, .004);
  if (s->failed) fail_msg("%s", s->failure);
}

static const double still[3] = {0};

static void negate(pel_sim *s) {
  pel__change_velocities(&s->dynamics->p, -1, still, s->dynamics->velocity_quantum);
}

static void same(const pel_array *a, const pel_array *b, int n, int64_t each) {
  for (int i = 0; i < n; ++i)
    for (int64_t k = 0; k < each; ++k)
      if (memcmp(&a[i].patches->data[k], &b[i].patches->data[k], sizeof(double)) &&
          a[i].patches->data[k] != b[i].patches->data[k]) /* but for the sign of 0 */
        fail_msg("%s of row %ld: got %.17g, want %.17g", a[i].name, (long)k, b[i].patches->data[k],
                 a[i].patches->data[k]);
}

static void undone(void **state) {
  (void)state;
  static const plain cases[] = {{.dims = 3, .skin = .3},
                                {.dims = 3, .skin = .2, .wall = {true, false, true}},
                                {.dims = 3, .skin = .3, .wall = {true, true, true}},
                                {.dims = 2, .skin = .3},
                                {.dims = 2, .skin = .1, .wall = {false, true}}};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; ++k) {
    plain c = cases[k];
    pel_sim s;
    int n;
    create(&s, &c, 1 + (int)k % 3);
    const int64_t each = pel__slab_of(N, s.rank, s.nranks).n;
    negate(&s); /* so that both are of velocities turned round */
    pel_array *before = pel__dynamics_arrays(&s, &n);
    negate(&s);
    steps(&s, 300);
    double p[3];
    pel_routine_momentum(&(pel_routine){.sim = &s}, p);
    for (int a = 0; a < c.dims; ++a)
      if (c.wall[a] != (fabs(p[a]) > 1e-3))
        fail_msg("case %zu: momentum along %c is %g after 300 steps", k, "xyz"[a], p[a]);
    negate(&s);
    steps(&s, 300);
    assert_true(s.dynamics->list.builds > 4);
    pel_array *after = pel__dynamics_arrays(&s, &n);
    assert_int_equal(n, 13); /* x, v, images, types, home */
    same(before, after, n, each);
    for (int64_t i = 0; c.dims == 2 && i < each; ++i)
      assert_true(after[2].patches->data[i] == 0 && after[5].patches->data[i] == 0);
    free(before), free(after);
    pel__dynamics_destroy(s.dynamics);
  }
}

/* Particles on the lattice's last places before walls, moved by a few quanta. */
static void undone_at_walls(void **state) {
  (void)state;
  enum { PLACES = 6, MOVES = 9, ALL = PLACES * MOVES };
  pel__domain d;
  pel_error e = {0};
  pel__particles p;
  double x0[ALL], v0[ALL];
  pel__domain_init(&d, 3, (double[]){5, 6, 7}, (bool[]){false, true, false}, &e);
  pel__particles_create(&p, &d, ALL, 1, &e);
  fail_on(&e);
  for (int i = 0; i < ALL; ++i) {
    const int k = i % PLACES, move = i / PLACES - MOVES / 2;
    x0[i] = k < 3 ? k * d.delta : d.length[0] - (k - 2) * d.delta;
    v0[i] = move * d.delta;
    p.id[i] = i + 1;
    p.x[0][i] = x0[i], p.v[0][i] = v0[i];
    for (int a = 1; a < 3; ++a) p.x[a][i] = 1, p.v[a][i] = 0;
  }
  pel__drift(&p, 1, false);
  for (int i = 0; i < ALL; ++i) {
    assert_true(p.x[0][i] >= 0 && p.x[0][i] < d.length[0]);
    p.v[0][i] = -p.v[0][i];
  }
  pel__drift(&p, 1, false);
  for (int i = 0; i < ALL; ++i)
    if (p.x[0][i] != x0[i] || p.v[0][i] != -v0[i])
      fail_msg("from %g by %g quanta: back at %g, velocity %g", x0[i] / d.delta, v0[i] / d.delta,
               p.x[0][i] / d.delta, p.v[0][i] / d.delta);
  pel__particles_destroy(&p);
}

static void attributes_stay(void **state) {
  (void)state;
  plain c = {.dims = 3, .skin = .2, .marks = true}, bare = {.dims = 3, .skin = .2};
  pel_sim s, t;
  int n;
  create(&s, &c, 2);
  create(&t, &bare, 1);
  steps(&s, 100);
  pel_array *a = pel__dynamics_arrays(&s, &n);
  const pel__slab slab = pel__slab_of(N, s.rank, s.nranks);
  assert_string_equal(a[9].name, "type");
  assert_string_equal(a[12].name, "home_z");
  for (int64_t i = 0; i < slab.n; ++i) {
    const int64_t id = slab.first + i + 1;
    assert_true(a[9].patches->data[i] == (id % 3 == 0) + 1);
    for (int k = 0; k < 3; ++k) assert_true(a[10 + k].patches->data[i] == (double)(10 * id + k));
  }
  pel__dynamics_adopt(&t, a); /* the same particles, without the kernel that adds energy */
  const double more = pel__dynamics_totals(&s)->potential - pel__dynamics_totals(&t)->potential;
  if (fabs(more - N * (N + 1) / 2048.) > 1e-10)
    fail_msg("energy of particles: got %.17g, want %.17g", more, N * (N + 1) / 2048.);
  free(a);
  pel__dynamics_destroy(s.dynamics);
  pel__dynamics_destroy(t.dynamics);
}

/* The box and the model's numbers are as much of the state as the particles. */
static void box_and_numbers_are_hashed(void **state) {
  (void)state;
  plain c = {.dims = 3, .skin = .3, .bath = .25};
  pel_sim s;
  create(&s, &c, 1);
  s.grid = (pel_grid){.dims = 1, .axis = {{.n = N}, {.n = 1}, {.n = 1}}};
  steps(&s, 5);
  const uint64_t before = pel__state_fingerprint(&s);
  double *const of[] = {&c.bath, &s.dynamics->p.domain.length[0], &s.dynamics->p.domain.length[2]};
  for (int i = 0; i < PEL_N(of); ++i) {
    const double was = *of[i];
    *of[i] = nextafter(was, INFINITY);
    assert_true(pel__state_fingerprint(&s) != before);
    *of[i] = was;
    assert_true(pel__state_fingerprint(&s) == before);
  }
  s.time = 3; /* a file has it, but as of fields it is not hashed */
  assert_true(pel__state_fingerprint(&s) == before);
  pel__dynamics_destroy(s.dynamics);
}

/* If diagnostics follow, the forces of the step bring what these need; no bit changes. */
static void forces_bring_sums(void **state) {
  (void)state;
  plain c = {.dims = 3, .skin = .3, .marks = true}, d = c;
  pel_sim s, t;
  int n;
  create(&s, &c, 1);
  create(&t, &d, 1);
  for (int k = 0; k < 40; ++k) {
    t.row_follows = k % 3 > 0;
    steps(&s, 1), steps(&t, 1);
    assert_false(s.dynamics->summed);
    assert_true(t.dynamics->summed == t.row_follows);
    if (!t.row_follows) continue;
    const pel_totals got = *pel__dynamics_totals(&t), want = *pel__dynamics_totals(&s);
    assert_true(got.potential == want.potential && got.kinetic == want.kinetic);
    assert_memory_equal(got.virial, want.virial, sizeof got.virial);
  }
  pel_array *a = pel__dynamics_arrays(&s, &n), *b = pel__dynamics_arrays(&t, &n);
  const int64_t each = pel__slab_of(N, s.rank, s.nranks).n;
  for (int i = 0; i < n; ++i)
    assert_memory_equal(a[i].patches->data, b[i].patches->data, (size_t)each * sizeof(double));
  free(a), free(b);
  pel__dynamics_destroy(s.dynamics);
  pel__dynamics_destroy(t.dynamics);
}

static void near(const char *what, double got, double want, double tolerance) {
  if (!(fabs(got - want) <= tolerance))
    fail_msg("%s: got %.17g, want %.17g within %g", what, got, want, tolerance);
}

static void routines(void **state) {
  (void)state;
  plain c = {.dims = 3, .skin = .3, .wall = {false, false, true}};
  pel_sim s;
  int n;
  create(&s, &c, 2);
  steps(&s, 20);
  const pel_routine r = {.sim = &s, .dt = .004};
  const double kinetic = pel_routine_totals(&r, false)->kinetic;
  double p[3], u[3] = {.5, -.25, 0};
  near("mass", pel_routine_momentum(&r, p), 267 * mass[0] + 133 * mass[1], 1e-9);
  pel_scale_velocities(&r, 1.5);
  near("kinetic energy of 1.5 v", pel_routine_totals(&r, false)->kinetic, 2.25 * kinetic, 1e-9);
  pel_shift_velocities(&r, u);
  near("momentum", (pel_routine_momentum(&r, p), p[0]), -.5 * (267 + 133 * 2.5), 1e-8);
  near("momentum", p[1], .25 * (267 + 133 * 2.5), 1e-8);

  pel_array *a = pel__dynamics_arrays(&s, &n), *b;
  const double mu[3] = {1.02, .98, 1.05};
  const int64_t each = pel__slab_of(N, s.rank, s.nranks).n;
  pel_scale_box(&r, mu);
  b = pel__dynamics_arrays(&s, &n);
  for (int k = 0; k < 3; ++k) {
    near("length", pel_routine_totals(&r, true)->length[k], (8.5 + k / 4.) * mu[k], 1e-13);
    for (int64_t i = 0; i < each; ++i) {
      near("position", b[k].patches->data[i], a[k].patches->data[i] * mu[k], 1e-13);
      near("image", b[6 + k].patches->data[i], a[6 + k].patches->data[i], 0);
    }
  }
  free(a), free(b);
  steps(&s, 20);
  assert_int_equal(s.failed, 0);
  pel_scale_box(&r, (double[]){.5, 1, 1});
  assert_int_equal(s.failed, PEL_INVALID);
  if (strncmp(s.failure, "the box has collapsed: 4.335 along axis x, less than twice the", 62))
    fail_msg("got '%s'", s.failure);
  pel__dynamics_destroy(s.dynamics);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(undone),
                                     cmocka_unit_test(undone_at_walls),
                                     cmocka_unit_test(attributes_stay),
                                     cmocka_unit_test(box_and_numbers_are_hashed),
                                     cmocka_unit_test(forces_bring_sums),
                                     cmocka_unit_test(routines)};
  MPI_Init(NULL, NULL);
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  MPI_Finalize();
  return failed;
}
