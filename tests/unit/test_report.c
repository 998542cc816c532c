/* The final table, column by column, and the advice that each set of measurements must give. */

#include "scratch.h"

#include <inttypes.h>

#include "journal_case.h"

static void the_table_is_aligned(void **state) {
  (void)state;
  char *text;
  size_t size;
  FILE *f = open_memstream(&text, &size);
  pel__report(f, &facts, &result);
  fclose(f);
  must_equal(text,
             "\n"
             "phase                min [s]      mean [s]       max [s]       share\n"
             "compute               79.000        80.000        81.600      80.0 %\n"
             "halo                   5.000         6.000         7.000       6.0 %\n"
             "output                 2.000         2.500         3.000       2.5 %\n"
             "agreement              0.500         0.500         0.500       0.5 %\n"
             "checkpoint             0.100         0.250         0.250       0.2 %\n"
             "diagnostics            0.100         0.100         0.100       0.1 %\n"
             "control                             10.650                    10.7 %\n"
             "all                                100.000                   100.0 %\n"
             "steps         100 (100 d of model time) in 100 s\n"
             "rate          1 Mcell-steps/s, 236.6 simulated years a day\n"
             "imbalance     2.0 % (slowest rank over the mean, computing)\n"
             "memory        18 GB/s, 75 % of the 24 GB/s that a plain copy reaches here\n"
             "advice        none: computing runs at 94 % of the memory bandwidth; only more\n"
             "              memory channels or nodes would be faster\n");
  free(text);
}

/* The measurements of a case, in this order: seconds of the loop; seconds that computing takes,
 * mean and slowest rank; another phase and its seconds; GB/s while computing (a copy reaches 24);
 * ranks, threads, nodes; cells; blocks. */
static const struct {
  const char *measured, *want;
} cases[] = {
    {"0.2  .1 .1  halo 0  0  1 1 1  100  1", "none: the run was too short to judge"},
    {"100  60 60  output 40  0  2 1 1  1000000  2",
     "output takes 40 %: raise [output] interval or every, or write fewer [output] fields"},
    {"100  60 60  checkpoint 35  0  2 1 1  1000000  2",
     "checkpoints take 35 %: write them less often, for example [checkpoint] wall_interval = 10 "
     "min"},
    {"100  60 60  diagnostics 35  0  2 1 1  1000000  2",
     "diagnostics take 35 %: raise [diagnostics] interval or every"},
    {"100  60 90  agreement 35  0  4 1 1  1000000  4",
     "the slowest rank computes 50 % longer than the mean: give each rank more blocks to even it "
     "out, [parallel] blocks = 4"},
    {"100  60 90  agreement 35  0  4 1 1  1000000  16",
     "the slowest rank computes 50 % longer than the mean: see whether other programs use its "
     "cores"},
    {"100  60 60  halo 38  0  8 1 1  1000000  8",
     "communication takes 38 %: use fewer ranks and more threads, for example -n 4 -t 2"},
    {"100  60 60  agreement 38  0  8 1 1  80000  8",
     "communication takes 38 %: with 10000 cells a rank there is little to share; fewer ranks "
     "would do"},
    {"100  60 60  halo 38  0  4 8 4  1000000  4",
     "communication takes 38 %: this grid does not need 4 nodes"},
    {"100  90 90  halo 5  20  2 8 2  1000000  2",
     "none: computing runs at 83 % of the memory bandwidth; only more nodes would be faster"},
    {"100  90 90  halo 5  60  2 1 1  1000000  2",
     "none: the state fits into the caches, this is faster than memory"},
    {"100  90 90  halo 5  1  2 2 1  10000  2",
     "2500 cells a core is little work: fewer cores would be about as fast"},
    {"100  90 90  halo 5  1  1 1 1  10000  1",
     "90 % of the time is arithmetic: more cores would make it faster"},
    {"100  50 50  halo 5  1  1 1 1  10000  1", "none: no phase stands out"}};

static void must_fit_80_columns(const pel__run_facts *f, const pel__run_result *r) {
  char *text, *rest;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  pel__report(out, f, r);
  fclose(out);
  rest = text;
  for (char *line; (line = strsep(&rest, "\n"));)
    if (strlen(line) > 80) fail_msg("got %zu columns, want <= 80: '%s'", strlen(line), line);
  free(text);
}

static void advice_follows_what_was_measured(void **state) {
  (void)state;
  for (int i = 0; i < PEL_N(cases); ++i) {
    char other[20], got[400];
    pel__run_facts f = {.spherical = true};
    pel__run_result r = {.bandwidth = 2.4e10, .steps_done = 1000, .time = 8640000};
    pel__phase two[] = {{"compute", 0, 0, 0}, {other, 0, 0, 0}};
    const int n =
        sscanf(cases[i].measured, "%lf %lf %lf %19s %lf %lf %d %d %d %" SCNd64 " %" SCNd64,
               &r.seconds, &two[0].mean, &two[0].max, other, &two[1].mean, &r.bytes, &f.ranks,
               &f.threads, &f.nodes, &f.cells, &f.blocks);
    assert_int_equal(n, 11);
    r.bytes *= 1e9 * two[0].mean;
    r.phases = two;
    r.nphases = PEL_N(two);
    pel__advice(got, sizeof got, &f, &r);
    must_equal(got, cases[i].want);
    must_fit_80_columns(&f, &r);
  }
}

static void other_programs_come_before_advice(void **state) {
  (void)state;
  static const struct {
    double others;
    const char *line, *advice;
  } busy[] = {
      {-1, NULL, "output takes 40 %"},
      {.004, NULL, "output takes 40 %"},
      {.06, "\ncores         6 % of their time went to other programs\n", "output takes 40 %"},
      {.34, "\ncores         34 % of their time went to other programs\n",
       "other programs took 34 % of the cores, so no phase can be judged: wait until the "
       "machine is idle, or leave them a core (fewer ranks or threads)"}};
  for (int i = 0; i < PEL_N(busy); ++i) {
    const pel__phase two[] = {{"compute", 60, 60, 60}, {"output", 40, 40, 40}};
    const pel__run_facts f = {.ranks = 2, .threads = 1, .nodes = 1, .cells = 1000000};
    const pel__run_result r = {
        .seconds = 100, .steps_done = 1, .phases = two, .nphases = 2, .others = busy[i].others};
    char *text, advice[400];
    size_t size;
    FILE *out = open_memstream(&text, &size);
    pel__report(out, &f, &r);
    fclose(out);
    if (busy[i].line)
      must_contain(text, busy[i].line);
    else
      assert_null(strstr(text, "other programs"));
    pel__advice(advice, sizeof advice, &f, &r);
    must_contain(advice, busy[i].advice);
    must_fit_80_columns(&f, &r);
    free(text);
  }
}

static void a_long_sentence_is_broken_between_words(void **state) {
  (void)state;
  for (int64_t cells = 10; cells < 1000000000000;
       cells *= 10) { /* the sentence grows by a letter */
    const pel__phase two[] = {{"compute", 60, 60, 60}, {"halo", 38, 38, 38}};
    const pel__run_facts f = {.ranks = 200000000, .threads = 1, .nodes = 1, .cells = cells};
    const pel__run_result r = {.seconds = 100, .steps_done = 1, .phases = two, .nphases = 2};
    must_fit_80_columns(&f, &r);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(the_table_is_aligned),
                                     cmocka_unit_test(advice_follows_what_was_measured),
                                     cmocka_unit_test(other_programs_come_before_advice),
                                     cmocka_unit_test(a_long_sentence_is_broken_between_words)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
