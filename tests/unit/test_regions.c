/* Particles on several ranks: each is where its place belongs, its pairs with guests are all there,
 * and forces, energy, virial and motion have the bits of one process that has all of them. */
#include "md_case.h"

#include "messages.h"

typedef struct {
  const char *name;
  int dims;
  double length[3];
  bool periodic[3];
  int side;      /* particles along each axis */
  double filled; /* the part of the box along each axis that they begin in */
  int types, blocks;
  bool mixed;
} box_case;

static const box_case cases[] = {
    {"cube", 3, {17, 17, 17}, {true, true, true}, 14, 1, 1, 1, false},
    {"cube, many blocks", 3, {17, 16, 15}, {true, true, true}, 14, 1, 2, 4, false},
    {"two slabs an axis", 3, {5, 5.1, 30}, {true, true, true}, 5, 1, 1, 1, false},
    {"walls", 3, {20, 14, 9}, {false, true, false}, 9, 1, 2, 2, false},
    {"corner", 3, {24, 24, 24}, {true, true, true}, 7, 0.3, 1, 1, false},
    {"corner, many blocks", 3, {24, 24, 24}, {true, false, true}, 7, 0.3, 1, 6, false},
    {"flat", 2, {40, 31, 1}, {true, true, true}, 25, 1, 2, 1, false},
    {"flat, walls", 2, {40, 31, 1}, {false, true, true}, 25, 1, 1, 3, false},
    {"cube, mixed precision", 3, {17.3, 16.1, 15.7}, {true, true, true}, 14, 1, 2, 4, true},
    {"walls, mixed precision", 3, {20.1, 14.3, 9.1}, {false, true, false}, 9, 1, 1, 2, true},
    {"corner, mixed precision", 3, {24.3, 24.1, 24.7}, {true, false, true}, 7, 0.3, 1, 6, true},
    {"flat, mixed precision", 2, {40.3, 31.7, 1}, {true, true, true}, 25, 1, 2, 1, true}};

static const lj_parameters potential = {PEL__LJ_CUT, {1, 0.5}, {0.8, 0.6}, 2, false};
enum { MOST = 3000, STEPS = 120 };

typedef struct {
  int n, type[MOST];
  double x[3 * MOST], v[3 * MOST];
} start;

static void fill(const box_case *c, start *s) {
  uint64_t seed = (uint64_t)c->side;
  const int n = c->dims == 3 ? c->side * c->side * c->side : c->side * c->side;
  for (s->n = 0; s->n < n; ++s->n) {
    const int i = s->n, at[3] = {i % c->side, i / c->side % c->side, i / c->side / c->side};
    for (int a = 0; a < 3; ++a) {
      const double jitter = 0.4 + 0.2 * uniform(&seed), speed = 4 * (uniform(&seed) - 0.5);
      s->x[3 * i + a] = a < c->dims ? c->filled * c->length[a] * (at[a] + jitter) / c->side : 0;
      s->v[3 * i + a] = a < c->dims && c->periodic[a] ? speed : 0; /* none leaves through a wall */
    }
    s->type[i] = c->types > 1 && uniform(&seed) < 0.4;
  }
}

/* The part of the start that a rank begins with. */
static void create(md *s, const pel__domain *d, const box_case *c, const start *b, int first,
                   int end, const pel__regions *r, int threads) {
  pel_error e = {0};
  lj_parameters q = potential;
  q.mixed = c->mixed;
  md_create(s, d, end - first, b->x + 3 * first, b->v + 3 * first, b->type + first, &q, 0.4,
            threads);
  for (int i = 0; i < end - first; ++i) s->p.id[i] = first + i + 1;
  s->p.total = b->n;
  s->p.regions = r;
  pel__pair_list_build(&s->list, &s->p, true, &e);
  fail_on(&e);
}

static void at_home(const md *s, const char *name) {
  const pel__particles *p = &s->p;
  for (int64_t i = 0; i < (int64_t)p->nclusters * PEL_LANES; ++i) {
    const double x[3] = {p->x[0][i], p->x[1][i], p->x[2][i]};
    if (!pel__is_empty(p, i) && pel__regions_owner(p->regions, &p->domain, x) != p->regions->rank)
      fail_msg("%s: particle %ld at (%g, %g, %g) is on rank %d", name, (long)p->id[i], x[0], x[1],
               x[2], p->regions->rank);
  }
}

static void same(const md *one, const md *part, const char *name, int step) {
  const pel__particles *p = &part->p, *q = &one->p;
  int *at = md_places(one);
  for (int64_t i = 0; i < (int64_t)p->nclusters * PEL_LANES; ++i) {
    if (pel__is_empty(p, i)) continue;
    const int j = at[p->id[i] - 1];
    for (int a = 0; a < 3; ++a) {
      const double length = p->domain.length[a],
                   here[3] = {p->x[a][i] + p->image[a][i] * length, p->v[a][i], p->f[a][i]},
                   there[3] = {q->x[a][j] + q->image[a][j] * length, q->v[a][j], q->f[a][j]};
      for (int k = 0; k < 3; ++k)
        if (here[k] != there[k] || p->type[i] != q->type[j])
          fail_msg("%s, step %d, particle %ld: %s along %c is %.17g, want %.17g", name, step,
                   (long)p->id[i], (const char *[]){"position", "velocity", "force"}[k], "xyz"[a],
                   here[k], there[k]);
    }
  }
  free(at);
  if (part->sums.energy != one->sums.energy)
    fail_msg("%s, step %d: energy %.17g, want %.17g", name, step, part->sums.energy,
             one->sums.energy);
  for (int k = 0; k < 6; ++k)
    if (part->sums.virial[k] != one->sums.virial[k])
      fail_msg("%s, step %d: virial %d is %.17g, want %.17g", name, step, k, part->sums.virial[k],
               one->sums.virial[k]);
}

static void run_case(const box_case *c, int rank, int nranks) {
  start *b = malloc(sizeof *b);
  pel__domain d;
  pel__regions r;
  pel_error e = {0};
  md one, part;
  fill(c, b);
  pel__domain_init(&d, c->dims, c->length, c->periodic, &e);
  fail_on(&e);
  if (pel__regions_create(&r, MPI_COMM_WORLD, &d, potential.rc + 0.4, (int[3]){0}, c->blocks, &e)) {
    if (!strstr(e.text, "use at most")) fail_msg("%s", e.text);
    assert_true(nranks > 4); /* none is so small */
    pel__regions_destroy(&r);
    free(b);
    return;
  }
  create(&one, &d, c, b, 0, b->n, NULL, 1);
  create(&part, &d, c, b, b->n * rank / nranks, b->n * (rank + 1) / nranks, &r, 1 + rank % 3);
  double pairs = pel__pair_list_count(&part.list, &part.p, potential.rc);
  MPI_Allreduce(MPI_IN_PLACE, &pairs, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
  const double want = pel__pair_list_count(&one.list, &one.p, potential.rc);
  if (pairs != want) fail_msg("%s: %.17g pairs, want %.17g", c->name, pairs, want);
  for (int step = 0; step < STEPS; step += 15) {
    at_home(&part, c->name);
    md_forces(&one, true), md_forces(&part, true);
    same(&one, &part, c->name, step);
    md_steps(&one, 15), md_steps(&part, 15);
    pel__pair_list_build(&part.list, &part.p, false, &e);
    fail_on(&e);
  }
  assert_true(one.list.builds > 3);
  md_destroy(&one), md_destroy(&part);
  pel__regions_destroy(&r);
  free(b);
}

static void boxes(void **state) {
  int rank, nranks;
  (void)state;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &nranks);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) run_case(&cases[i], rank, nranks);
}

/* One rank has a particle that is nowhere: all are told, none waits. */
static void lost(void **state) {
  int rank, nranks;
  (void)state;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &nranks);
  start *b = malloc(sizeof *b);
  const pel__domain d = cube(17);
  pel__regions r;
  pel_error e = {0};
  md s;
  fill(&cases[0], b);
  pel__regions_create(&r, MPI_COMM_WORLD, &d, potential.rc + 0.4, (int[3]){0}, 1, &e);
  create(&s, &d, &cases[0], b, b->n * rank / nranks, b->n * (rank + 1) / nranks, &r, 1);
  const int64_t culprit = rank == nranks - 1 ? s.p.id[0] : 0;
  if (culprit) s.p.x[1][0] = NAN;
  assert_int_equal(pel__pair_list_build(&s.list, &s.p, false, &e), PEL_INVALID);
  assert_non_null(strstr(e.text, "is nowhere: position"));
  md_destroy(&s);
  pel__regions_destroy(&r);
  free(b);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(boxes), cmocka_unit_test(lost)};
  MPI_Init(NULL, NULL);
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  MPI_Finalize();
  return failed;
}
