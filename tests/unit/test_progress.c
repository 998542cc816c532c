/* Numbers in words, how far a run is, the progress line and the log lines. */
#include "scratch.h"

#include <math.h>

#include "journal_case.h"

static void numbers_read_well(void **state) {
  (void)state;
  static const struct {
    void (*words)(char[PEL__SHORT], double);
    double x;
    const char *want;
  } cases[] = {{pel__human_time, 0, "0 s"},
               {pel__human_time, 0.0025, "2.50 ms"},
               {pel__human_time, 90, "90.0 s"},
               {pel__human_time, 600, "10.0 min"},
               {pel__human_time, 86400, "24.0 h"},
               {pel__human_time, 3.25 * 86400, "3.25 d"},
               {pel__human_time, 15 * 86400, "15.0 d"},
               {pel__human_time, 9.999 * 86400, "10.0 d"},
               {pel__human_time, 365.25 * 86400 * 250, "250 y"},
               {pel__human_time, -7200, "-2.00 h"},
               {pel__human_time, 1e300, "1e+300 s"},
               {pel__human_time, NAN, "nan s"},
               {pel__human_wait, 0.2, "0s"},
               {pel__human_wait, 59.7, "1m00s"},
               {pel__human_wait, 754, "12m34s"},
               {pel__human_wait, 7380, "2h03m"},
               {pel__human_wait, 100000, "1d03h"},
               {pel__human_wait, NAN, "?"},
               {pel__human_wait, INFINITY, "?"},
               {pel__human_count, 325, "325 "},
               {pel__human_count, 999.7, "1.00 k"},
               {pel__human_count, 12.44e6, "12.4 M"},
               {pel__human_count, 3.2e9, "3.20 G"}};
  for (int i = 0; i < PEL_N(cases); ++i) {
    char got[PEL__SHORT];
    cases[i].words(got, cases[i].x);
    must_equal(got, cases[i].want);
  }
}

/* A run of 100 steps, 0.5 s each, seen at step 40. */
static pel__meter meter_at_40(const pel__run_facts *f) {
  pel__meter m;
  pel__meter_start(&m, f, 1000);
  for (int s = 1; s <= 40; ++s) pel__meter_update(&m, s, s * 86400., 1000 + .5 * s);
  return m;
}

static void must_be_near(double got, double want) {
  if (!(fabs(got - want) <= 1e-9 * fabs(want))) fail_msg("got %.17g, want %.17g", got, want);
}

static void the_meter_measures(void **state) {
  (void)state;
  pel__run_facts f = facts;
  pel__meter m = meter_at_40(&f);
  must_be_near(pel__meter_fraction(&m), .4);
  must_be_near(pel__meter_eta(&m), 30);
  must_be_near(pel__meter_cells_per_s(&m), 2e6);
  must_be_near(pel__sypd(365.25 * 86400 * 3, 86400 * 2), 1.5);
  f.first_step = 30,
  f.start_time = 30 * 86400.; /* resumed: it is 40 % of the whole run all the same */
  m = meter_at_40(&f);
  must_be_near(pel__meter_fraction(&m), .4);
  f = facts;
  f.end_time = 50 * 86400.; /* comes before the last step */
  m = meter_at_40(&f);
  must_be_near(pel__meter_fraction(&m), .8);
  must_be_near(pel__meter_eta(&m), 5);
  f.last_step = -1;
  f.end_time = INFINITY; /* an end that nobody knows */
  m = meter_at_40(&f);
  assert_true(isnan(pel__meter_fraction(&m)) && isnan(pel__meter_eta(&m)));
  pel__meter_start(&m, &facts, 5); /* nothing measured yet */
  assert_true(isnan(pel__meter_eta(&m)));
}

/* Memory is touched for the first time and files are opened in the first steps. */
static void a_slow_start_is_soon_forgiven(void **state) {
  (void)state;
  pel__meter m;
  pel__meter_start(&m, &facts, 0);
  pel__meter_update(&m, 1, 86400, 1);
  for (int s = 2; s <= 41; ++s) pel__meter_update(&m, s, s * 86400., 1 + .05 * (s - 1));
  must_be_near(m.steps_per_s, 41 / 3.); /* the mean of all */
}

static void the_rate_follows_a_change(void **state) {
  (void)state;
  pel__meter m = meter_at_40(&facts);
  for (int s = 41; s <= 90; ++s) pel__meter_update(&m, s, s * 86400., 1020 + 2. * (s - 40));
  if (!(m.steps_per_s > .499 && m.steps_per_s < .51))
    fail_msg("got %g steps/s after 100 s at 0.5, want 0.5", m.steps_per_s);
}

static void the_line_fits_every_width(void **state) {
  (void)state;
  char line[300];
  const pel__meter m = meter_at_40(&facts);
  pel__meter_line(&m, line, sizeof line, 100);
  must_equal(line,
             " 40 % [============>                 ]  step 40/100  40.0 d  2.00 Mcell/s  473 SYPD  "
             "ETA 30s");
  pel__meter_line(&m, line, sizeof line, 79);
  must_contain(line, "2.00 Mcell/s");
  pel__meter_line(&m, line, sizeof line, 50);
  must_contain(line, "step 40/100");
  must_contain(line, "ETA 30s");
  for (int width = 1; width <= 250; ++width) {
    pel__meter_line(&m, line, sizeof line, width);
    if ((int)strlen(line) > width) fail_msg("got %zu columns, want <= %d", strlen(line), width);
  }
  char small[20];
  pel__meter_line(&m, small, sizeof small, 80);
  assert_true(strlen(small) < sizeof small);
}

static void log_lines_come_now_and_then(void **state) {
  (void)state;
  pel__run_facts f = facts;
  pel__meter m;
  char got[400] = "";
  f.last_step = 1000;
  f.end_time = 0;
  pel__meter_start(&m, &f, 0);
  for (int s = 1; s <= 1000; ++s) { /* 2 s a step: minutes show up between the milestones */
    pel__meter_update(&m, s, s, 2. * s);
    if (pel__meter_log_due(&m, 2. * s) && (s <= 20 || s % 100 == 0))
      sprintf(got + strlen(got), "%d ", s);
  }
  must_equal(got, "10 20 100 200 300 400 500 600 700 800 900 ");
  pel__meter_start(&m, &f, 0);
  int lines = 0;
  for (int s = 1; s <= 1000; ++s) { /* a run of a tenth of a second says nothing */
    pel__meter_update(&m, s, s, 1e-4 * s);
    lines += pel__meter_log_due(&m, 1e-4 * s);
  }
  assert_int_equal(lines, 0);
  f.last_step = -1; /* no end known: each minute */
  pel__meter_start(&m, &f, 0);
  for (int s = 1; s <= 601; ++s) lines += pel__meter_log_due(&m, s);
  assert_int_equal(lines, 10);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(numbers_read_well),
                                     cmocka_unit_test(the_meter_measures),
                                     cmocka_unit_test(a_slow_start_is_soon_forgiven),
                                     cmocka_unit_test(the_rate_follows_a_change),
                                     cmocka_unit_test(the_line_fits_every_width),
                                     cmocka_unit_test(log_lines_come_now_and_then)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
