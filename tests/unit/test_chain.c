/* Chains of stages against the same formulas evaluated cell by cell: whatever is fused, widened,
 * cut into tiles and passes, every cell must have the same bits. */
#include "small_run.h"

#include <math.h>
#include <stdatomic.h>

typedef struct {
  pel_box box;
  double *a, *da, *b, *c, *d, *e, sum;
} state;

static const pel_param params[] = {PEL_BOX_PARAMS(state, box)};
static const pel_field fields[] = {
    PEL_FIELD(state, a, .rate = PEL_RATE(state, da), .prognostic = true, .unit = "1"),
    PEL_FIELD(state, b, .unit = "1"), PEL_FIELD(state, c, .unit = "1"),
    PEL_FIELD(state, d, .unit = "1"), PEL_FIELD(state, e, .prognostic = true, .unit = "1")};

static void grid(pel_grid *g, const void *s) { pel_box_grid(g, &((const state *)s)->box); }

/* ---- the formulas, on a tile ---- */

static double start(int64_t i, int64_t j, int64_t k) {
  return 1. / (double)(1 + (i * 7 + j * 13 + k * 29) % 101);
}
static void begin(const pel_tile *t, const void *s) {
  PEL_EACH(t, i, j, k, p)
  ((const state *)s)->a[p] = ((const state *)s)->e[p] =
      start(t->first[0] + i, t->first[1] + j, t->first[2] + k);
}
static void smooth(const pel_tile *t, const void *state_) {
  const state *s = state_;
  PEL_EACH(t, i, j, k, p)
  s->b[p] = s->a[p] + .125 * ((s->a[p - 1] + s->a[p + 1]) + (s->a[p - t->sy] + s->a[p + t->sz]));
}
static void steep(const pel_tile *t, const void *state_) {
  const state *s = state_;
  PEL_EACH(t, i, j, k, p)
  s->c[p] = (s->b[p + 1] - s->b[p - t->sz]) * s->a[p - 2] + s->b[p + t->sy] * s->a[p + 2 * t->sz];
}
static void mix_into_b(const pel_tile *t, const void *state_) { /* over what `steep` reads */
  const state *s = state_;
  PEL_EACH(t, i, j, k, p) s->b[p] = s->b[p] * .5 + s->a[p];
}
static void mix_into_d(const pel_tile *t, const void *state_) {
  const state *s = state_;
  PEL_EACH(t, i, j, k, p) s->d[p] = s->b[p] * .5 + s->a[p];
}
static void rate(const pel_tile *t, const state *s, const double *mixed) {
  PEL_EACH(t, i, j, k, p)
  s->da[p] = (s->c[p - 1] + s->c[p + t->sz]) * (mixed[p + t->sy] - mixed[p - t->sz]);
}
static void rate_b(const pel_tile *t, const void *s) { rate(t, s, ((const state *)s)->b); }
static void rate_d(const pel_tile *t, const void *s) { rate(t, s, ((const state *)s)->d); }

/* e is changed in place, after its neighbours went into da by way of b. */
static void half_of_e(const pel_tile *t, const void *state_) {
  const state *s = state_;
  PEL_EACH(t, i, j, k, p) s->b[p] = s->e[p] * .5 + s->a[p];
}
static void rate_of_b(const pel_tile *t, const void *state_) {
  const state *s = state_;
  PEL_EACH(t, i, j, k, p) s->da[p] = s->b[p - 1] * s->b[p + t->sy] - s->b[p - t->sz];
}
static void change_e(const pel_tile *t, const void *state_) {
  const state *s = state_;
  PEL_EACH(t, i, j, k, p) s->e[p] = s->e[p] * .25 + s->b[p];
}
/* b is in memory, for its sum is taken, changed in place, and read at neighbours by way of d. */
static void all_of_b(const pel_tile *t, const void *state_) {
  const state *s = state_;
  PEL_EACH(t, i, j, k, p) t->out[p] = s->b[p];
}
static void double_of_b(const pel_tile *t, const void *state_) {
  const state *s = state_;
  PEL_EACH(t, i, j, k, p) s->d[p] = 2 * s->b[p];
}
static void rate_of_d(const pel_tile *t, const void *state_) {
  const state *s = state_;
  PEL_EACH(t, i, j, k, p) s->da[p] = s->d[p - 1] * s->d[p + t->sy] - s->d[p - t->sz];
}

/* Rates, read at neighbours and changed before a filter has them, which leaves them as they are. */
static void look_around(const pel_tile *t, const void *state_) {
  const state *s = state_;
  PEL_EACH(t, i, j, k, p) s->d[p] = s->da[p - 1] + s->da[p + t->sy];
}
static void change_rate(const pel_tile *t, const void *state_) {
  const state *s = state_;
  PEL_EACH(t, i, j, k, p) s->da[p] = s->da[p] * .5 + s->d[p - t->sz];
}
static void leave(const pel_line *l, const void *s) { (void)l, (void)s; }
static bool third_row(const void *s, pel_place place, int64_t j, int64_t k) {
  return (void)s, (void)place, (j + k) % 3 == 0;
}

/* ---- the formulas, in one cell of the periodic grid ---- */

typedef struct {
  int64_t n[3];
  int dims;
} box;

/* Neighbours along an axis that does not exist are the cell itself. */
static double at(const box *g, double (*f)(const box *, int64_t, int64_t, int64_t), int64_t i,
                 int64_t j, int64_t k, int di, int dj, int dk) {
  if (g->dims < 2) dj = 0;
  if (g->dims < 3) dk = 0;
  return f(g, (i + di + g->n[0]) % g->n[0], (j + dj + g->n[1]) % g->n[1],
           (k + dk + g->n[2]) % g->n[2]);
}
static double a0(const box *g, int64_t i, int64_t j, int64_t k) { return (void)g, start(i, j, k); }
static double b0(const box *g, int64_t i, int64_t j, int64_t k) {
  return a0(g, i, j, k) + .125 * ((at(g, a0, i, j, k, -1, 0, 0) + at(g, a0, i, j, k, 1, 0, 0)) +
                                  (at(g, a0, i, j, k, 0, -1, 0) + at(g, a0, i, j, k, 0, 0, 1)));
}
static double c0(const box *g, int64_t i, int64_t j, int64_t k) {
  return (at(g, b0, i, j, k, 1, 0, 0) - at(g, b0, i, j, k, 0, 0, -1)) *
             at(g, a0, i, j, k, -2, 0, 0) +
         at(g, b0, i, j, k, 0, 1, 0) * at(g, a0, i, j, k, 0, 0, 2);
}
static double mixed0(const box *g, int64_t i, int64_t j, int64_t k) {
  return b0(g, i, j, k) * .5 + a0(g, i, j, k);
}
static double half0(const box *g, int64_t i, int64_t j, int64_t k) {
  return a0(g, i, j, k) * .5 + a0(g, i, j, k);
}
static double double0(const box *g, int64_t i, int64_t j, int64_t k) {
  return 2 * mixed0(g, i, j, k);
}
typedef double cell(const box *, int64_t, int64_t, int64_t);

static double rate_by(const box *g, int64_t i, int64_t j, int64_t k, cell *f) {
  return at(g, f, i, j, k, -1, 0, 0) * at(g, f, i, j, k, 0, 1, 0) - at(g, f, i, j, k, 0, 0, -1);
}
static double rate_by_c(const box *g, int64_t i, int64_t j, int64_t k) {
  return (at(g, c0, i, j, k, -1, 0, 0) + at(g, c0, i, j, k, 0, 0, 1)) *
         (at(g, mixed0, i, j, k, 0, 1, 0) - at(g, mixed0, i, j, k, 0, 0, -1));
}
static double rate_by_half(const box *g, int64_t i, int64_t j, int64_t k) {
  return rate_by(g, i, j, k, half0);
}
static double rate_by_double(const box *g, int64_t i, int64_t j, int64_t k) {
  return rate_by(g, i, j, k, double0);
}
static double around(const box *g, int64_t i, int64_t j, int64_t k) {
  return at(g, rate_by_half, i, j, k, -1, 0, 0) + at(g, rate_by_half, i, j, k, 0, 1, 0);
}
static double changed_rate(const box *g, int64_t i, int64_t j, int64_t k) {
  return rate_by_half(g, i, j, k) * .5 + at(g, around, i, j, k, 0, 0, -1);
}

static cell *expected; /* da after the program */
static double tolerance;
static atomic_long cells, wrong;
static double dt;

static void compare(const pel_tile *t, const void *s) {
  const box g = {{t->n[0], t->n[1], t->n[2]}, t->n[2] > 1 ? 3 : t->n[1] > 1 ? 2 : 1};
  PEL_EACH(t, i, j, k, p) {
    const double x = ((const state *)s)->a[p];
    t->out[p] = x;
    if (t->time == 0) continue;
    ++cells;
    const int64_t at[] = {t->first[0] + i, t->first[1] + j, t->first[2] + k};
    const double want = a0(&g, at[0], at[1], at[2]) + dt * expected(&g, at[0], at[1], at[2]);
    wrong += !(fabs(x - want) <= tolerance);
  }
}

#define OF(m) PEL_OF(state, m)
#define AT(m, r) PEL_AT(state, m, r)
static const pel_stage init[] = {{"begin", .kernel = begin, PEL_WRITES(OF(a), OF(e))}};
static const pel_diagnostic diagnostics[] = {
    {.name = "total", .reduction = PEL_SUM, .kernel = compare, PEL_READS(AT(a, 0))}};
#define SMOOTH \
  { "smooth", .kernel = smooth, PEL_READS(AT(a, 1)), PEL_WRITES(OF(b)) }
#define STEEP \
  { "steep", .kernel = steep, PEL_READS(AT(a, 2), AT(b, 1)), PEL_WRITES(OF(c)) }
static const pel_stage separate[] = {
    SMOOTH,
    STEEP,
    {"mix", .kernel = mix_into_d, PEL_READS(AT(b, 0), AT(a, 0)), PEL_WRITES(OF(d))},
    {"rate", .kernel = rate_d, PEL_READS(AT(c, 1), AT(d, 1)), PEL_WRITES(OF(da))}};
static const pel_stage overwriting[] = {
    SMOOTH,
    STEEP,
    {"mix", .kernel = mix_into_b, PEL_READS(AT(b, 0), AT(a, 0)), PEL_WRITES(OF(b))},
    {"rate", .kernel = rate_b, PEL_READS(AT(c, 1), AT(b, 1)), PEL_WRITES(OF(da))}};

#define HALF \
  { "half", .kernel = half_of_e, PEL_READS(AT(e, 0), AT(a, 0)), PEL_WRITES(OF(b)) }
#define RATE_OF_B \
  { "rate", .kernel = rate_of_b, PEL_READS(AT(b, 1)), PEL_WRITES(OF(da)) }
static const pel_stage in_place[] = {
    HALF,
    RATE_OF_B,
    {"change", .kernel = change_e, PEL_READS(AT(e, 0), AT(b, 0)), PEL_WRITES(OF(e))}};
static const pel_stage filtered[] = {
    HALF,
    RATE_OF_B,
    {"look", .kernel = look_around, PEL_READS(AT(da, 1)), PEL_WRITES(OF(d))},
    {"change", .kernel = change_rate, PEL_READS(AT(da, 0), AT(d, 1)), PEL_WRITES(OF(da))},
    {"filter", .kind = PEL_SPECTRAL, .spectral = leave, .line = third_row, PEL_WRITES(OF(da))}};
static const pel_stage in_place_of_memory[] = {
    SMOOTH,
    {"sum", .kind = PEL_REDUCE, .kernel = all_of_b, PEL_READS(AT(b, 0)), .result = OF(sum)},
    {"mix", .kernel = mix_into_b, PEL_READS(AT(b, 0), AT(a, 0)), PEL_WRITES(OF(b))},
    {"double", .kernel = double_of_b, PEL_READS(AT(b, 0)), PEL_WRITES(OF(d))},
    {"rate", .kernel = rate_of_d, PEL_READS(AT(d, 1)), PEL_WRITES(OF(da))}};

/* One step of a program on a grid; returns how many cells were compared and how many were wrong. */
static void run(const pel_stage *program, int stages, const int n[3], const char *parallel,
                int threads, long count[2]) {
  const pel_model m = {PEL_MODEL("chain", state, "a test", "none"),
                       PEL_TABLES4(params, fields, init, diagnostics),
                       .program = program,
                       .nprogram = stages,
                       .scheme = "euler",
                       .grid = grid};
  char text[400], said[4000];
  snprintf(text, sizeof text,
           "[run]\nmodel = chain\n[grid]\nnx = %d\nny = %d\nnz = %d\n[time]\ndt = %.17g\n"
           "steps = 1\n[diagnostics]\nevery = 1\n[checkpoint]\nat_end = no\n[parallel]\n%s",
           n[0], n[1], n[2], dt, parallel);
  cells = wrong = 0;
  const int code = small_run(&m, text, threads, said, sizeof said);
  if (code) print_error("got exit code %d and \"%s\"\n", code, said);
  assert_int_equal(code, PEL_OK);
  count[0] = cells, count[1] = wrong;
  MPI_Allreduce(MPI_IN_PLACE, count, 2, MPI_LONG, MPI_SUM, MPI_COMM_WORLD);
}

static void on_every_cut(const pel_stage *program, int stages, cell *rate_of) {
  static const int grids[][3] = {{1531, 1, 1}, {61, 43, 1}, {17, 12, 14}};
  static const char *const cuts[] = {"", "tile = 5x3x2\n", "tile = 64x64x64\n",
                                     "blocks = 3\ntile = 8x2x9\n"};
  dt = .0625;
  expected = rate_of;
  for (size_t g = 0; g < 3; ++g)
    for (size_t c = 0; c < 4; ++c)
      for (int threads = 1; threads <= 2; ++threads) {
        const int *n = grids[g];
        long count[2];
        run(program, stages, n, cuts[c], threads, count);
        if (count[0] != (long)n[0] * n[1] * n[2] || count[1])
          fail_msg("%dx%dx%d, '%s', %d threads: got %ld cells, %ld wrong; want %d, 0", n[0], n[1],
                   n[2], cuts[c], threads, count[0], count[1], n[0] * n[1] * n[2]);
      }
}

static void a_chain_is_its_formulas(void **s) {
  (void)s;
  on_every_cut(separate, PEL_N(separate), rate_by_c);
}
static void a_chain_may_overwrite_what_it_read(void **s) {
  (void)s;
  on_every_cut(overwriting, PEL_N(overwriting), rate_by_c);
}

static void a_chain_may_change_in_place_what_it_read_by_way_of_others(void **s) {
  (void)s;
  on_every_cut(in_place, PEL_N(in_place), rate_by_half);
}
static void memory_read_by_way_of_others_is_changed_once(void **s) {
  (void)s;
  on_every_cut(in_place_of_memory, PEL_N(in_place_of_memory), rate_by_double);
}

static void rates_may_be_read_and_changed_before_a_filter(void **s) {
  (void)s;
  tolerance = 1e-14; /* of transforms there and back */
  on_every_cut(filtered, PEL_N(filtered), changed_rate);
  tolerance = 0;
}

int main(int argc, char **argv) {
  int level;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &level);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_chain_is_its_formulas),
      cmocka_unit_test(a_chain_may_overwrite_what_it_read),
      cmocka_unit_test(a_chain_may_change_in_place_what_it_read_by_way_of_others),
      cmocka_unit_test(memory_read_by_way_of_others_is_changed_once),
      cmocka_unit_test(rates_may_be_read_and_changed_before_a_filter),
  };
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  MPI_Finalize();
  return failed;
}
