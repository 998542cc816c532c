/* Halo exchange: after it, every halo cell of every field holds what the topology says, compared
 * with a second, literal implementation of the rules (`ghost`), and nothing else has changed; over
 * random grids of 1-3 dimensions, ends, wall rules, staggerings, widths, arrays of blocks, and both
 * ways to hand over a message.  Runs on any number of ranks: every rank makes the same cases. */
#include <math.h>
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "halo.h"

static int rank, nranks;

/* A small generator of its own: the same cases everywhere. */
static uint64_t seed = 1;
static int pick(int lo, int hi) { /* lo .. hi */
  seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return lo + (int)((seed >> 33) % (uint64_t)(hi - lo + 1));
}

enum { NFIELDS = 3, ROUNDS = 3 };

typedef struct {
  pel_grid grid;
  pel__halo_field field[NFIELDS];
  int nfields, nb[3], halo[3];
  int number;
} scene;

/* ---- the rules once more, literally ---- */

static bool on_face(pel_place p, int a) {
  return (p == PEL_FACE_X && a == 0) || (p == PEL_FACE_Y && a == 1) ||
         (p == PEL_FACE_Z && a == 2) || (p == PEL_CORNER_XY && a < 2);
}

static double owned(const pel_grid *g, int round, int field, const int64_t x[3]) {
  return 1 + (double)(((round * 3 + field) * 1000 + x[2]) * 1000 + x[1]) * 1000 + (double)x[0] +
         0 * (double)g->dims;
}

/* Value of a point anywhere: step back over the outermost axis that the point is beyond. */
static double ghost(const scene *s, int round, int field, int64_t i, int64_t j, int64_t k) {
  const pel_grid *g = &s->grid;
  const pel__halo_field *f = &s->field[field];
  int64_t x[3] = {i, j, k};
  int a = g->dims - 1;
  while (a >= 0 && x[a] >= 0 && x[a] < g->axis[a].n) --a;
  if (a < 0) return owned(g, round, field, x);
  const int64_t n = g->axis[a].n, old = x[a];
  const bool face = on_face(f->place, a), last = face && old == n;
  const int64_t image = old < 0 ? (face ? -old : -1 - old) : (face ? 2 * n - old : 2 * n - 1 - old);
  if (g->axis[a].end == PEL_PERIODIC) {
    x[a] = old < 0 ? old + n : old - n;
    return ghost(s, round, field, x[0], x[1], x[2]);
  }
  if (g->axis[a].end == PEL_POLE) {
    if (last && f->vector) return 0;
    x[a] = last ? n - 1 : image;
    if (!last) x[0] += g->axis[0].n / 2;
    const double v = ghost(s, round, field, x[0], x[1], x[2]);
    return f->vector ? -v : v;
  }
  pel_rule rule = f->wall[a] == PEL_AXIS_RULE ? g->axis[a].wall : f->wall[a];
  x[a] = last ? n - 1 : image;
  if (rule == PEL_COPY) x[a] = old < 0 ? 0 : n - 1;
  if (rule == PEL_ODD && last) return 0;
  if (rule == PEL_FIXED && last) return f->wall_value;
  const double v = ghost(s, round, field, x[0], x[1], x[2]);
  if (rule == PEL_ODD) return -v;
  if (rule == PEL_FIXED) return 2 * f->wall_value - v;
  return v;
}

/* ---- one case ---- */

typedef struct {
  pel__layout *l;
  double **store, **data; /* [nfields*nlocal]: allocation, cell (0,0,0) */
} state;

static void describe(const scene *s, const char *what) {
  const pel_grid *g = &s->grid;
  print_error("rank %d of %d, case %d: %s; %d-D", rank, nranks, s->number, what, g->dims);
  for (int a = 0; a < g->dims; ++a)
    print_error(" [%lld cells, end %d, rule %d, %d blocks]", (long long)g->axis[a].n,
                (int)g->axis[a].end, (int)g->axis[a].wall, s->nb[a]);
  for (int f = 0; f < s->nfields; ++f)
    print_error(" field %d: place %d vector %d walls %d %d %d width %d;", f, s->field[f].place,
                s->field[f].vector, s->field[f].wall[0], s->field[f].wall[1], s->field[f].wall[2],
                s->field[f].width);
  print_error("\n");
}

static state state_create(const scene *s) {
  pel_error e = {0};
  state t = {pel__layout_create(&s->grid, rank, nranks, s->nb, 1, s->halo, &e), NULL, NULL};
  if (!t.l) {
    describe(s, e.text);
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
  const int n = s->nfields * t.l->nlocal;
  t.store = malloc((size_t)n * sizeof *t.store);
  t.data = malloc((size_t)n * sizeof *t.data);
  for (int i = 0; i < n; ++i) {
    const pel__block *b = &t.l->block[t.l->first + i % t.l->nlocal];
    t.store[i] = malloc(b->size * sizeof(double));
    t.data[i] = t.store[i] + b->origin;
  }
  return t;
}

static void state_destroy(const scene *s, state *t) {
  for (int i = 0; i < s->nfields * t->l->nlocal; ++i) free(t->store[i]);
  free(t->store);
  free(t->data);
  pel__layout_destroy(t->l);
}

static void fill(const scene *s, state *t, int round) {
  for (int f = 0; f < s->nfields; ++f)
    for (int i = 0; i < t->l->nlocal; ++i) {
      const pel__block *b = &t->l->block[t->l->first + i];
      const int at = f * t->l->nlocal + i;
      for (size_t p = 0; p < b->size; ++p) t->store[at][p] = NAN;
      for (int z = 0; z < b->n[2]; ++z)
        for (int y = 0; y < b->n[1]; ++y)
          for (int x = 0; x < b->n[0]; ++x)
            t->data[at][z * b->sz + y * b->sy + x] =
                owned(&s->grid, round, f,
                      (const int64_t[]){b->first[0] + x, b->first[1] + y, b->first[2] + z});
    }
}

/* What pel__halo_source says of the same point. */
static double by_source(const scene *s, int round, int f, const int64_t x[3]) {
  int64_t from[3];
  double sign, offset;
  pel__halo_source(&s->grid, &s->field[f], x, from, &sign, &offset);
  for (int a = 0; a < 3; ++a)
    if (from[a] < 0 || from[a] >= (a < s->grid.dims ? s->grid.axis[a].n : 1)) return NAN;
  return sign * owned(&s->grid, round, f, from) + offset;
}

/* Number of wrong doubles in one field of one block; the first is told. */
static int64_t check_block(const scene *s, const state *t, int round, int f, int i) {
  const pel__block *b = &t->l->block[t->l->first + i];
  const int w = s->field[f].width, at = f * t->l->nlocal + i;
  const int h[3] = {w, s->grid.dims > 1 ? w : 0, s->grid.dims > 2 ? w : 0};
  int64_t wrong = 0;
  size_t valid = 0, numbers = 0;
  for (int z = -h[2]; z < b->n[2] + h[2]; ++z)
    for (int y = -h[1]; y < b->n[1] + h[1]; ++y)
      for (int x = -h[0]; x < b->n[0] + h[0]; ++x) {
        const int64_t p[3] = {b->first[0] + x, b->first[1] + y, b->first[2] + z};
        const double got = t->data[at][z * b->sz + y * b->sy + x];
        const double want = ghost(s, round, f, p[0], p[1], p[2]);
        const double source = by_source(s, round, f, p);
        ++valid;
        if (got == want && source == want) continue;
        if (wrong++ == 0) {
          describe(s, "wrong halo cell");
          print_error(
              "field %d round %d point (%lld, %lld, %lld): got %.17g, want %.17g, "
              "pel__halo_source says %.17g\n",
              f, round, (long long)p[0], (long long)p[1], (long long)p[2], got, want, source);
        }
      }
  for (size_t p = 0; p < b->size; ++p) numbers += !isnan(t->store[at][p]);
  if (numbers != valid && wrong++ == 0) {
    describe(s, "written beyond the halo");
    print_error("field %d: got %zu doubles that are numbers, want %zu\n", f, numbers, valid);
  }
  return wrong;
}

static int64_t check(const scene *s, const state *t, int round) {
  int64_t wrong = 0;
  for (int f = 0; f < s->nfields; ++f)
    for (int i = 0; i < t->l->nlocal; ++i) wrong += check_block(s, t, round, f, i);
  return wrong;
}

static int64_t agree(int64_t wrong) {
  MPI_Allreduce(MPI_IN_PLACE, &wrong, 1, MPI_INT64_T, MPI_SUM, MPI_COMM_WORLD);
  return wrong;
}

static int64_t run(const scene *s) {
  state t = state_create(s);
  pel__halo *h = pel__halo_create(t.l, MPI_COMM_WORLD, 7, s->field, s->nfields);
  int64_t wrong = h ? 0 : 1;
  for (int round = 0; h && round < ROUNDS; ++round) { /* no rank waits for another in between */
    fill(s, &t, round);
    pel__halo_begin(h, t.data);
    if (round == 1) pel__halo_test(h);
    pel__halo_end(h, t.data);
    wrong += check(s, &t, round);
  }
  pel__halo_destroy(h);
  state_destroy(s, &t);
  return agree(wrong);
}

/* ---- random cases ---- */

static pel__halo_field random_field(int width) {
  pel__halo_field f = {.place = (pel_place)pick(PEL_CENTRE, PEL_CORNER_XY),
                       .vector = pick(0, 1),
                       .wall_value = pick(0, 3) ? 0.25 * pick(-8, 8) : 0,
                       .width = width};
  for (int a = 0; a < 3; ++a) f.wall[a] = (pel_rule)pick(PEL_AXIS_RULE, PEL_COPY);
  return f;
}

/* false: not enough cells for the ranks, or too many blocks to be quick. */
static bool random_scene(scene *s, int number) {
  *s = (scene){.number = number, .nfields = pick(1, NFIELDS)};
  pel_grid *g = &s->grid;
  const bool poles = pick(0, 3) == 0;
  int blocks = 1;
  g->dims = poles ? pick(2, 3) : pick(1, 3);
  for (int a = 0; a < 3; ++a) {
    pel_axis *x = &g->axis[a];
    x->n = a < g->dims ? pick(0, 4) ? pick(2, g->dims == 1 ? 40 : 12) : pick(1, 4) : 1;
    x->end = (pel_end)pick(PEL_PERIODIC, PEL_WALL);
    x->wall = (pel_rule)pick(PEL_EVEN, PEL_COPY);
    if (poles && a == 0) *x = (pel_axis){.n = x->n + x->n % 2, .end = PEL_PERIODIC};
    if (poles && a == 1) x->end = PEL_POLE;
    s->nb[a] = pick(0, 2) ? pick(1, (int)(x->n < 5 ? x->n : 5)) : 1;
    if (pick(0, 7) == 0) s->nb[a] = (int)x->n; /* blocks of one cell */
    s->halo[a] = 3;
    blocks *= s->nb[a];
  }
  for (int f = 0; f < s->nfields; ++f) s->field[f] = random_field(pick(1, 3));
  return blocks >= nranks && blocks <= 300;
}

static void every_halo_cell_follows_the_topology(void **unused) {
  (void)unused;
  const int want = nranks > 2 ? 250 : 400;
  int64_t wrong = 0;
  for (int made = 0, number = 0; made < want && wrong == 0; ++number) {
    scene s;
    if (!random_scene(&s, number)) continue;
    ++made;
    if (made % 3 == 0)
      setenv("PELSIM_HALO", "messages", 1);
    else
      unsetenv("PELSIM_HALO");
    wrong += run(&s);
  }
  unsetenv("PELSIM_HALO");
  assert_int_equal(wrong, 0);
}

/* Every staggering and rule by itself, so that none depends on the luck of the draw. */
static void every_rule_and_staggering(void **unused) {
  (void)unused;
  int64_t wrong = 0;
  for (int place = PEL_CENTRE; place <= PEL_CORNER_XY; ++place)
    for (int rule = PEL_AXIS_RULE; rule <= PEL_COPY; ++rule)
      for (int end = PEL_PERIODIC; end <= PEL_POLE; ++end) {
        scene s = {.number = 100 * place + 10 * rule + end,
                   .nfields = 2,
                   .nb = {2, 3, 2},
                   .halo = {3, 3, 3}};
        s.grid.dims = 3;
        for (int a = 0; a < 3; ++a)
          s.grid.axis[a] = (pel_axis){.n = 6 + a,
                                      .end = end != PEL_POLE ? (pel_end)end
                                             : a == 1        ? PEL_POLE
                                             : a == 0        ? PEL_PERIODIC
                                                             : PEL_WALL,
                                      .wall = PEL_EVEN};
        for (int f = 0; f < 2; ++f) {
          s.field[f] = (pel__halo_field){
              .place = (pel_place)place, .vector = f, .width = 1 + f, .wall_value = 1.5};
          for (int a = 0; a < 3; ++a) s.field[f].wall[a] = (pel_rule)rule;
        }
        wrong += run(&s);
      }
  assert_int_equal(wrong, 0);
}

/* ---- what the random cases do not reach ---- */

static scene cube(int n, int dims, pel_end end) {
  scene s = {.nfields = 2, .nb = {1, 1, 1}, .halo = {2, 2, 2}};
  s.grid.dims = dims;
  for (int a = 0; a < 3; ++a)
    s.grid.axis[a] = (pel_axis){.n = a < dims ? n : 1, .end = end, .wall = PEL_EVEN};
  s.field[0] = (pel__halo_field){.width = 2, .wall = {PEL_ODD, PEL_EVEN, PEL_COPY}};
  s.field[1] = (pel__halo_field){.place = PEL_FACE_X, .width = 1, .vector = true};
  return s;
}

/* Copies large enough to be shared by threads. */
static void large_blocks_with_threads(void **unused) {
  (void)unused;
  int64_t wrong = 0;
  omp_set_num_threads(3);
  for (int end = PEL_PERIODIC; end <= PEL_WALL; ++end) {
    scene s = cube(80, 3, (pel_end)end);
    s.nb[2] = nranks;
    wrong += run(&s);
  }
  omp_set_num_threads(1);
  assert_int_equal(wrong, 0);
}

/* Two exchanges in flight at once, of the same fields into different arrays. */
static void two_exchanges_at_once(void **unused) {
  (void)unused;
  scene s = cube(16, 2, PEL_PERIODIC);
  s.nb[0] = 4;
  s.nb[1] = 4;
  state t[2] = {state_create(&s), state_create(&s)};
  pel__halo *h[2];
  int64_t wrong = 0;
  for (int i = 0; i < 2; ++i)
    h[i] = pel__halo_create(t[i].l, MPI_COMM_WORLD, 10 + i, s.field, s.nfields);
  for (int round = 0; round < 6; ++round) {
    for (int i = 0; i < 2; ++i) {
      fill(&s, &t[i], 2 * round + i);
      pel__halo_begin(h[i], t[i].data);
    }
    for (int i = 1; i >= 0; --i) pel__halo_end(h[i], t[i].data);
    for (int i = 0; i < 2; ++i) wrong += check(&s, &t[i], 2 * round + i);
  }
  for (int i = 0; i < 2; ++i) {
    pel__halo_destroy(h[i]);
    state_destroy(&s, &t[i]);
  }
  assert_int_equal(agree(wrong), 0);
}

/* An odd or fixed wall must not read the image of its last face: 0*NaN would spread. */
static void wall_values_do_not_depend_on_the_field(void **unused) {
  (void)unused;
  scene s = cube(8, 1, PEL_WALL);
  s.nfields = 1;
  s.nb[0] = nranks <= 8 ? nranks : 1;
  s.field[0] = (pel__halo_field){.place = PEL_FACE_X, .width = 1, .wall_value = 2.5};
  s.field[0].wall[0] = PEL_FIXED;
  state t = state_create(&s);
  pel__halo *h = pel__halo_create(t.l, MPI_COMM_WORLD, 3, s.field, 1);
  int64_t wrong = 0;
  for (int i = 0; i < t.l->nlocal; ++i) {
    const pel__block *b = &t.l->block[t.l->first + i];
    for (size_t p = 0; p < b->size; ++p) t.store[i][p] = NAN;
  }
  pel__halo_begin(h, t.data);
  pel__halo_end(h, t.data);
  for (int i = 0; i < t.l->nlocal; ++i) {
    const pel__block *b = &t.l->block[t.l->first + i];
    if (b->first[0] + b->n[0] == 8 && t.data[i][b->n[0]] != 2.5) {
      print_error("value at the wall: got %g, want 2.5\n", t.data[i][b->n[0]]);
      ++wrong;
    }
  }
  pel__halo_destroy(h);
  state_destroy(&s, &t);
  assert_int_equal(agree(wrong), 0);
}

/* Bytes are counted and absent neighbours recognised; thousands of blocks are set up at once. */
static void bytes_and_many_blocks(void **unused) {
  (void)unused;
  scene s = cube(64, 2, PEL_PERIODIC);
  s.nb[1] = nranks;
  state t = state_create(&s);
  pel__halo *h = pel__halo_create(t.l, MPI_COMM_WORLD, 4, s.field, s.nfields);
  const size_t row0 = 64 + 2 * 2, row1 = 64 + 2; /* two rows both ways of field 0, one of field 1 */
  const size_t want = nranks > 1 ? 2 * (2 * row0 + row1) * sizeof(double) : 0;
  const size_t got = pel__halo_bytes(h);
  if (got != want) print_error("bytes: got %zu, want %zu\n", got, want);
  const int64_t wrong = (got != want) + (pel__halo_remote(h) != (nranks > 1));
  pel__halo_destroy(h);
  state_destroy(&s, &t);
  assert_int_equal(agree(wrong), 0);

  s.nb[0] = s.nb[1] = 64; /* 4096 blocks of one cell */
  const double start = MPI_Wtime();
  assert_int_equal(run(&s), 0);
  const double seconds = MPI_Wtime() - start;
  if (seconds > 20) print_error("4096 blocks: got %.1f s, want <= 20 s\n", seconds);
  assert_true(seconds <= 20);
}

int main(int argc, char **argv) {
  int threads;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &threads);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &nranks);
  if (rank > 0 && !freopen("/dev/null", "w", stdout)) return 1; /* one list of results is enough */
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_rule_and_staggering),
                                     cmocka_unit_test(every_halo_cell_follows_the_topology),
                                     cmocka_unit_test(large_blocks_with_threads),
                                     cmocka_unit_test(two_exchanges_at_once),
                                     cmocka_unit_test(wall_values_do_not_depend_on_the_field),
                                     cmocka_unit_test(bytes_and_many_blocks)};
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  MPI_Finalize();
  return failed;
}
