/* diagnostics.csv: full precision, cut on resume, whole rows even on a full disk. */
#include "scratch.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

#include "journal_parts.h"

static const char *const columns[] = {"mass", "energy"};

static pel__csv csv_open(bool resume, int64_t step, int n, char aside[64]) {
  pel__csv c;
  pel_error e = {0};
  if (pel__csv_open(&c, "run", n, columns, resume, step, aside, &e)) fail_msg("got '%s'", e.text);
  return c;
}

static void csv_rows(pel__csv *c, int64_t from, int64_t to) {
  for (int64_t s = from; s <= to; ++s) {
    const double x[] = {1. / 3, (double)s};
    assert_int_equal(pel__csv_row(c, s, (double)s / 2, .5, x), 0);
  }
}

static void csv_keeps_full_precision_and_no_step_twice(void **state) {
  (void)state;
  char aside[64];
  pel__csv c = csv_open(false, 0, 2, aside);
  csv_rows(&c, 0, 1);
  csv_rows(&c, 1, 2);
  pel__csv_close(&c);
  must_equal(read_text("run/diagnostics.csv"),
             "step,time,dt,mass,energy\n0,0,0.5,0.33333333333333331,0\n"
             "1,0.5,0.5,0.33333333333333331,1\n2,1,0.5,0.33333333333333331,2\n");
}

static void csv_is_cut_on_resume(void **state) {
  (void)state;
  char aside[64], whole[4000];
  pel__csv c = csv_open(false, 0, 2, aside);
  csv_rows(&c, 0, 9);
  pel__csv_close(&c);
  strcpy(whole, read_text("run/diagnostics.csv"));
  c = csv_open(true, 4, 2, aside);
  assert_int_equal(c.last, 4);
  csv_rows(&c, 4, 9);
  pel__csv_close(&c);
  must_equal(read_text("run/diagnostics.csv"), whole);
  assert_int_equal(truncate("run/diagnostics.csv", (off_t)strlen(whole) - 7), 0); /* half a row */
  c = csv_open(true, 100, 2, aside);
  assert_int_equal(c.last, 8);
  csv_rows(&c, 9, 9);
  pel__csv_close(&c);
  must_equal(read_text("run/diagnostics.csv"), whole);
  /* the line end alone is missing: who knows whether the number is whole */
  assert_int_equal(truncate("run/diagnostics.csv", (off_t)strlen(whole) - 1), 0);
  c = csv_open(true, 100, 2, aside);
  assert_int_equal(c.last, 8);
  pel__csv_close(&c);
  assert_int_equal(unlink("run/diagnostics.csv"), 0);
  c = csv_open(true, 100, 2, aside);
  pel__csv_close(&c);
  must_equal(read_text("run/diagnostics.csv"), "step,time,dt,mass,energy\n");
}

static void csv_with_other_columns_is_set_aside(void **state) {
  (void)state;
  char aside[64];
  pel__csv c = csv_open(false, 0, 2, aside);
  csv_rows(&c, 0, 3);
  pel__csv_close(&c);
  c = csv_open(true, 3, 1, aside);
  pel__csv_close(&c);
  must_equal(aside, "diagnostics.before_step_3.csv");
  must_contain(read_text("run/diagnostics.before_step_3.csv"), "\n3,1.5,");
  must_equal(read_text("run/diagnostics.csv"), "step,time,dt,mass\n");
}

static void csv_survives_a_full_disk(void **state) {
  (void)state;
  char aside[64];
  const double x[] = {1, 2};
  struct rlimit old, little;
  signal(SIGXFSZ, SIG_IGN);
  pel__csv c = csv_open(false, 0, 2, aside);
  csv_rows(&c, 0, 0);
  getrlimit(RLIMIT_FSIZE, &old);
  little = (struct rlimit){(rlim_t)c.size + 5, old.rlim_max};
  setrlimit(RLIMIT_FSIZE, &little);
  const int code = pel__csv_row(&c, 1, 1, 1, x);
  struct stat s;
  stat("run/diagnostics.csv", &s);
  setrlimit(RLIMIT_FSIZE, &old);
  assert_int_equal(code, EFBIG);
  assert_int_equal(s.st_size, c.size); /* not half a row */
  csv_rows(&c, 2, 2);
  pel__csv_close(&c);
  assert_int_equal(c.lost, 1);
  must_contain(read_text("run/diagnostics.csv"), ",0\n2,1,0.5,");
  pel_error e = {0};
  assert_int_equal(pel__csv_open(&c, "missing", 2, columns, false, 0, aside, &e), PEL_IO);
  must_equal(e.text, "missing/diagnostics.csv cannot be written: No such file or directory");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(csv_keeps_full_precision_and_no_step_twice), TEST(csv_is_cut_on_resume),
      TEST(csv_with_other_columns_is_set_aside), TEST(csv_survives_a_full_disk)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
