/* Whole runs of small models made to go wrong: what the layer says, and that every rank agrees. */
#include "small_run.h"

#include <math.h>
#include <string.h>

typedef struct {
  pel_box box;
  double *x, *dx;
} state;

static const pel_param params[] = {PEL_BOX_PARAMS(state, box)};
static const pel_field fields[] = {
    PEL_FIELD(state, x, .rate = PEL_RATE(state, dx), .prognostic = true, .unit = "1")};

static void grid(pel_grid *g, const void *s) { pel_box_grid(g, &((const state *)s)->box); }

static void ramp(const pel_tile *t, const void *s) {
  PEL_EACH(t, i, j, k, p)((const state *)s)->x[p] = 1 + (double)(t->first[0] + i);
}
static void still(const pel_tile *t, const void *s) {
  PEL_EACH(t, i, j, k, p)((const state *)s)->dx[p] = 0;
}
static void grows(const pel_tile *t, const void *s) {
  PEL_EACH(t, i, j, k, p)((const state *)s)->dx[p] = ((const state *)s)->x[p];
}
static void divides(const pel_tile *t, const void *s) { /* 1/0 in global cell 7 */
  PEL_EACH(t, i, j, k, p)((const state *)s)->dx[p] = 1 / (((const state *)s)->x[p] - 8);
}
static void gives_up(const pel_tile *t, const void *s) {
  PEL_EACH(t, i, j, k, p) {
    ((const state *)s)->dx[p] = 0;
    if (t->first[0] + i == 11) pel_fail(t->sim, "cell eleven gave up");
  }
}
static void peeks(const pel_tile *t,
                  const void *s) { /* reads a neighbour that it does not declare */
  PEL_EACH(t, i, j, k, p)((const state *)s)->dx[p] = ((const state *)s)->x[p + 1];
}
static void looks_back(const pel_tile *t, const void *s) { /* the same, in the row before */
  PEL_EACH(t, i, j, k, p)((const state *)s)->dx[p] = ((const state *)s)->x[p - t->sy];
}
static void itself(const pel_tile *t, const void *s) {
  PEL_EACH(t, i, j, k, p) t->out[p] = ((const state *)s)->x[p];
}

static void fast(const pel_tile *t, const void *s) { /* all steps vanish at time 0.02 */
  (void)s;
  PEL_EACH(t, i, j, k, p) t->out[p] = t->time < 0.02 ? 100 : 1 / (t->time - t->time);
}
static void slow(const pel_tile *t, const void *s) { /* nothing limits steps from time 0.02 on */
  (void)s;
  PEL_EACH(t, i, j, k, p) t->out[p] = t->time < 0.02 ? 100 : 0;
}

static const pel_stage init[] = {{"ramp", .kernel = ramp, PEL_WRITES(PEL_OF(state, x))}};
static const pel_diagnostic diagnostics[] = {{.name = "total",
                                              .reduction = PEL_SUM,
                                              .kernel = itself,
                                              PEL_READS(PEL_AT(state, x, 0)),
                                              .conserved = true,
                                              .tolerance = 1e-12}};

#define PROGRAM(NAME)                         \
  static const pel_stage NAME##_program[] = { \
      {#NAME, .kernel = NAME, PEL_READS(PEL_AT(state, x, 0)), PEL_WRITES(PEL_OF(state, dx))}}
PROGRAM(still);
PROGRAM(grows);
PROGRAM(divides);
PROGRAM(gives_up);
PROGRAM(peeks);
PROGRAM(looks_back);

/* Runs a model of one program for 5 steps, of dt = 0.01 unless it has a limit, on 16 x 2 cells;
 * returns the exit code and what rank 0 wrote to stderr. */
static int run(const pel_stage *program, pel_kernel *limit, char *said, size_t size) {
  char text[300];
  const pel_limit limits[] = {{.name = "speed", .spectrum = PEL_DECAYS, .kernel = limit}};
  snprintf(text, sizeof text,
           "[run]\nmodel = small\n[grid]\nnx = 16\nny = 2\n[time]\n%s\nsteps = 5\n"
           "[diagnostics]\nevery = 1\n[checkpoint]\nat_end = no\n",
           limit ? "dt_interval = 1" : "dt = 0.01");
  const pel_model m = {PEL_MODEL("small", state, "a test", "none"),
                       PEL_TABLES4(params, fields, init, diagnostics),
                       .program = program,
                       .nprogram = 1,
                       .limits = limits,
                       .nlimits = limit ? 1 : 0,
                       .scheme = "euler",
                       .grid = grid};
  return small_run(&m, text, 2, said, size);
}

static void expect_of(const pel_stage *program, pel_kernel *limit, int code, const char *sentence) {
  char said[4000];
  const int got = run(program, limit, said, sizeof said);
  if (got != code || !strstr(said, sentence))
    print_error("got exit code %d and \"%s\", want %d and \"%s\"\n", got, said, code, sentence);
  assert_int_equal(got, code);
  assert_non_null(strstr(said, sentence));
}

static void expect(const pel_stage *program, int code, const char *sentence) {
  expect_of(program, NULL, code, sentence);
}

static void a_good_run_ends_with_0(void **s) {
  (void)s;
  expect(still_program, PEL_OK, "");
}
static void a_lost_invariant_stops_the_run(void **s) {
  (void)s;
  expect(grows_program, PEL_INVALID, "conserved quantity 'total' drifted");
}
static void an_infinity_is_found_and_located(void **s) {
  (void)s;
  expect(divides_program, PEL_INVALID, "'x' is inf in cell (7,0,0)");
}
static void a_failing_kernel_stops_all_ranks(void **s) {
  (void)s;
  expect(gives_up_program, PEL_INVALID, "cell eleven gave up");
}
static void an_undeclared_read_is_caught_by_checks(void **s) {
  (void)s;
#ifdef PELSIM_CHECKS
  expect(peeks_program, PEL_INVALID, "a stage reads what it does not declare");
  expect(looks_back_program, PEL_INVALID, "a stage reads what it does not declare");
#else
  (void)peeks_program, (void)looks_back_program;
  skip();
#endif
}

static void a_step_of_no_length_or_without_end_stops_the_run(void **s) {
  (void)s;
  expect_of(still_program, fast, PEL_INVALID, "the next time step would be 0 s long, too short");
  expect_of(still_program, slow, PEL_INVALID, "the next time step would be inf s long; what the");
}

int main(int argc, char **argv) {
  int level;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &level);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_good_run_ends_with_0),
      cmocka_unit_test(a_lost_invariant_stops_the_run),
      cmocka_unit_test(an_infinity_is_found_and_located),
      cmocka_unit_test(a_failing_kernel_stops_all_ranks),
      cmocka_unit_test(a_step_of_no_length_or_without_end_stops_the_run),
      cmocka_unit_test(an_undeclared_read_is_caught_by_checks),
  };
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  MPI_Finalize();
  return failed;
}
