/* A whole journal seen from outside: what a terminal or a pipe shows, run.json with its history,
 * the heartbeat, and what happens when nothing can be written. */
#include "scratch.h"

#include <fcntl.h>
#include <math.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "journal_case.h"

static const char *const columns[] = {"mass", "energy"};

/* ---- a whole journal, in a child whose output is caught ---- */

static int count(const char *text, const char *what) {
  int n = 0;
  for (const char *c = text; (c = strstr(c, what)); ++c) ++n;
  return n;
}

typedef void scenario(void);

/* Runs `play` with stdout (and stderr) on a pipe, or on a terminal of that many columns. */
static char *output_of(scenario *play, int columns_of_terminal) {
  static char text[200000];
  int ends[2], status;
  size_t n = 0;
  ssize_t m;
  struct winsize w = {.ws_row = 24, .ws_col = (unsigned short)columns_of_terminal};
  if (columns_of_terminal)
    assert_int_equal(openpty(&ends[0], &ends[1], NULL, NULL, &w), 0);
  else
    assert_int_equal(pipe(ends), 0);
  fflush(NULL);
  const pid_t child = fork();
  if (child == 0) {
    setenv("TERM", "xterm", 1);
    dup2(ends[1], 1);
    dup2(ends[1], 2);
    close(ends[0]);
    play();
    fflush(NULL);
    _exit(0);
  }
  close(ends[1]);
  while (n + 1 < sizeof text && (m = read(ends[0], text + n, sizeof text - 1 - n)) > 0)
    n += (size_t)m;
  text[n] = 0;
  close(ends[0]);
  waitpid(child, &status, 0);
  if (status) fail_msg("got status %d of the child, want 0; it said '%s'", status, text);
  return text;
}

static void steps(pel__journal *j, int from, int to, int milliseconds) {
  for (int s = from; s <= to; ++s) {
    usleep((useconds_t)milliseconds * 1000);
    pel__journal_step(j, s, s * 86400., 86400);
  }
}

static void play_plain(void) {
  pel__run_facts f = facts;
  f.progress = PEL_PROGRESS_AUTO;
  pel__journal *j = pel__journal_open(&f);
  pel__journal_say(j, "a sentence with %d", 42);
  fclose(fopen("run/fields.nc", "w"));
  steps(j, 1, 100, 15);
  pel__journal_close(j, &result);
}

static const char *last_line(char *text) {
  const size_t n = strlen(text);
  if (n && text[n - 1] == '\n') text[n - 1] = 0;
  char *last = strrchr(text, '\n');
  return last ? last + 1 : text;
}

static void without_a_terminal_there_are_lines(void **state) {
  (void)state;
  char *text = output_of(play_plain, 0);
  must_contain(text, "a sentence with 42\n");
  must_contain(text, " %  step ");
  must_contain(text, "open next     run/fields.nc\n");
  assert_null(strchr(text, '\r'));
  assert_null(strchr(text, '\033'));
  must_equal(last_line(text), "fingerprint: 000000abcdef0123");
  char *log = read_text("run/run.log");
  must_contain(log, "Z  a sentence with 42\n");
  must_contain(log, "Z  pelsim 1.2.3: shallow_water, 4 ranks x 2 threads on 1 node, pid ");
  must_contain(log, "compute");
  must_contain(log, "fingerprint: 000000abcdef0123");
}

static void play_terminal(void) {
  pel__run_facts f = facts;
  f.progress = PEL_PROGRESS_AUTO;
  pel__journal *j = pel__journal_open(&f);
  steps(j, 1, 50, 15);
  pel__journal_say(j, "NOTE in the middle");
  steps(j, 51, 100, 15);
  pel__journal_close(j, &result);
}

/* What a terminal shows in the end, and whether a line was ever too long for it. */
static void screen(const char *text, int width, char *out) {
  char line[1000] = "";
  int column = 0;
  out[0] = 0;
  for (const char *c = text; *c; ++c) {
    if (*c == '\r') {
      column = 0;
    } else if (strncmp(c, "\033[K", 3) == 0) {
      line[column] = 0;
      c += 2;
    } else if (*c == '\n') {
      strcat(strcat(out, line), "\n");
      line[column = 0] = 0;
    } else {
      const int length = (int)strlen(line);
      line[column++] = *c;
      if (column > length) line[column] = 0;
      if (column > width - 1) fail_msg("got column %d, want < %d: '%s'", column, width, line);
    }
  }
  strcat(out, line);
}

static void on_a_terminal_one_line_is_redrawn(void **state) {
  (void)state;
  static char shown[200000];
  struct timespec a, b;
  clock_gettime(CLOCK_MONOTONIC, &a);
  char *text = output_of(play_terminal, 90);
  clock_gettime(CLOCK_MONOTONIC, &b);
  const double most = 5 * ((double)(b.tv_sec - a.tv_sec) + 1e-9 * (double)(b.tv_nsec - a.tv_nsec));
  const int drawn = count(text, "ETA ");
  if (drawn < 2 || drawn > most + 3) /* once more after the sentence, once at the start */
    fail_msg("got the line drawn %d times, want 2 to %g", drawn, most + 3);
  screen(text, 90, shown);
  if (strstr(shown, "ETA ")) fail_msg("got '%s', want no progress line left over", shown);
  if (strncmp(shown, "NOTE in the middle\n", 19))
    fail_msg("got '%.60s', want the sentence on a line of its own", shown);
  must_equal(last_line(shown), "fingerprint: 000000abcdef0123");
  screen(output_of(play_terminal, 81), 81, shown); /* the table too fits 80 columns */
  assert_null(strchr(read_text("run/run.log"), '\r'));
}

static void play_forced(void) {
  setenv("PELSIM_COLUMNS", "60", 1);
  play_terminal();
}

static void whoever_starts_mpirun_passes_the_width(void **state) {
  (void)state;
  must_contain(output_of(play_forced, 0), "\r");
}

/* ---- run.json and heartbeat.json ---- */

static json_t *load(const char *path) {
  json_error_t e;
  json_t *o = json_load_file(path, 0, &e);
  if (!o) fail_msg("%s: got '%s', want JSON", path, e.text);
  return o;
}

static const json_t *at(const json_t *o, const char *path) {
  char copy[100], *rest = copy;
  strcpy(copy, path);
  for (char *key; o && (key = strsep(&rest, "."));)
    o = json_is_array(o) ? json_array_get(o, (size_t)atoi(key)) : json_object_get(o, key);
  return o;
}

static void must_be(const json_t *o, const char *path, const char *want) {
  const json_t *value = at(o, path);
  char *got = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT) : strdup("nothing");
  if (strcmp(got, want)) fail_msg("%s: got %s, want %s", path, got, want);
  free(got);
}

static void play_killed(void) { /* the first invocation is lost without a word */
  pel__journal *j = pel__journal_open(&facts);
  const char *const units[] = {"kg", NULL};
  pel_error e = {0};
  pel__journal_columns(j, 2, columns, units, false, 0, &e);
  steps(j, 1, 12, 100);
}

static void play_resumed(void) {
  pel__run_facts f = facts;
  f.first_step = 10;
  f.start_time = 864000;
  f.resumed_from = "run/checkpoints/step_000000010.h5";
  pel__journal *j = pel__journal_open(&f);
  pel__run_result r = result;
  r.exit_code = PEL_STOPPED;
  r.why = "walltime is used up";
  r.step = 60;
  r.steps_done = 50;
  pel__journal_close(j, &r);
}

static void play_finished(void) {
  pel__run_facts f = facts;
  f.first_step = 60;
  f.resumed_from = "run/checkpoints/step_000000060.h5";
  pel__journal_close(pel__journal_open(&f), &result);
}

static void run_json_tells_the_history(void **state) {
  (void)state;
  output_of(play_killed, 0);
  json_t *run = load("run/run.json"), *beat = load("run/heartbeat.json");
  must_be(run, "state", "\"running\"");
  must_be(run, "ended", "null");
  must_be(run, "diagnostics.0.unit", "\"kg\"");
  must_be(run, "diagnostics.1", "{\"name\":\"energy\",\"unit\":null}");
  must_be(beat, "state", "\"running\"");
  assert_true(json_integer_value(at(beat, "step")) >= 1);
  assert_true(json_number_value(at(beat, "eta_s")) > 5);
  assert_true(fabs(json_number_value(at(beat, "updated_epoch")) - (double)time(NULL)) < 60);
  assert_int_equal(strlen(json_string_value(at(beat, "updated"))), 20);
  json_decref(run);
  json_decref(beat);

  const char *said = output_of(play_resumed, 0);
  must_contain(said, "continue with: pelsim run jet.ini --resume --dir run\n");
  must_contain(said, "stopped at step 60 (100 d): walltime is used up\n");
  assert_null(strstr(said, "fingerprint"));
  said = output_of(play_finished, 0);
  run = load("run/run.json");
  beat = load("run/heartbeat.json");
  must_be(run, "state", "\"done\"");
  must_be(run, "exit", "{\"code\":0,\"reason\":null}");
  must_be(run, "fingerprint", "\"000000abcdef0123\"");
  must_be(run, "config.time.dt.value", "30.5");
  must_be(run, "versions.pelsim", "\"1.2.3\"");
  must_be(run, "layout", "{\"ranks\":4,\"threads\":2,\"nodes\":1,\"blocks\":4,\"cells\":1000000}");
  must_be(run, "phases.1", "{\"name\":\"halo\",\"min\":5.0,\"mean\":6.0,\"max\":7.0}");
  must_be(run, "timing.bandwidth_fraction", "0.75");
  must_be(run, "timing.cell_steps_per_s", "1000000.0");
  assert_int_equal(json_array_size(at(run, "history")), 2);
  must_be(run, "history.0.state", "\"killed\"");
  must_be(run, "history.1.state", "\"stopped\"");
  must_be(run, "history.1.exit", "{\"code\":75,\"reason\":\"walltime is used up\"}");
  must_be(run, "history.1.first_step", "10");
  must_be(beat, "state", "\"done\"");
  assert_int_equal(count(read_text("run/run.log"), "pelsim 1.2.3: shallow_water"), 3);
  json_decref(run);
  json_decref(beat);
}

static void play_failed(void) {
  pel__journal *j = pel__journal_open(&facts);
  pel__run_result r = result;
  r.exit_code = PEL_INVALID;
  r.why = "h is NaN at cell (3,4)";
  r.step = 7;
  r.time = NAN;
  r.bytes = INFINITY;
  r.checkpoint = NULL;
  pel__journal_close(j, &r);
}

static void a_failure_is_the_last_thing_said(void **state) {
  (void)state;
  must_equal(last_line(output_of(play_failed, 0)),
             "pelsim: failed at step 7 (nan s): h is NaN at cell (3,4)");
  json_t *run = load("run/run.json");
  must_be(run, "exit", "{\"code\":3,\"reason\":\"h is NaN at cell (3,4)\"}");
  must_be(run, "time", "null");
  json_decref(run);
}

/* ---- nothing can be written ---- */

static void play_vanishing(void) {
  pel__journal *j = pel__journal_open(&facts);
  steps(j, 1, 2, 10);
  if (nftw("run", remove_one, 16, FTW_DEPTH | FTW_PHYS)) _exit(1);
  steps(j, 3, 25, 100);
  pel__journal_close(j, &result);
}

static void a_vanishing_directory_is_told_once(void **state) {
  (void)state;
  char *text = output_of(play_vanishing, 0);
  assert_int_equal(count(text,
                         "heartbeat.json cannot be written: No such file or directory; the "
                         "run goes on without it\n"),
                   1);
  assert_int_equal(count(text, "run.json cannot be written"), 1);
  assert_null(strstr(text, "open next")); /* it is not there either */
  must_equal(last_line(text), "fingerprint: 000000abcdef0123");
}

static void play_full(void) {
  const struct rlimit none = {0, RLIM_INFINITY};
  const double x[] = {1, 2};
  pel_error e = {0};
  signal(SIGXFSZ, SIG_IGN);
  pel__journal *j = pel__journal_open(&facts);
  if (pel__journal_columns(j, 2, columns, NULL, false, 0, &e)) _exit(1);
  setrlimit(RLIMIT_FSIZE, &none);
  for (int s = 1; s <= 5; ++s) {
    pel__journal_say(j, "step %d", s);
    pel__journal_row(j, s, s, 1, x);
  }
  pel__journal_close(j, &result);
}

static void a_full_disk_is_told_once_a_file(void **state) {
  (void)state;
  char *text = output_of(play_full, 0);
  static const char *const files[] = {"run.log", "run.json", "heartbeat.json", "diagnostics.csv"};
  for (int i = 0; i < PEL_N(files); ++i) {
    char want[100];
    snprintf(want, sizeof want, "%s cannot be written: File too large", files[i]);
    if (count(text, want) != 1) fail_msg("got '%s',\n want '%s' once", text, want);
  }
  must_contain(text, "diagnostics.csv lacks 5 rows");
  json_t *run = load("run/run.json"); /* the one written at the start is still whole */
  must_be(run, "state", "\"running\"");
  json_decref(run);
}

/* A disk of its own, full when the run ends; prints what the files then hold. */
static void play_really_full(void) {
  static char junk[4096];
  if ((unshare(CLONE_NEWNS) && unshare(CLONE_NEWUSER | CLONE_NEWNS)) ||
      mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
      mount("none", "run", "tmpfs", 0, "size=512k")) {
    puts("cannot mount");
    return;
  }
  pel__journal *j = pel__journal_open(&facts);
  const int fd = open("run/junk", O_WRONLY | O_CREAT, 0666);
  while (write(fd, junk, sizeof junk) > 0) continue;
  if (pel__replace_file("run", "run.json", "{}", true) == 0) puts("the disk is not full");
  pel__run_result r = result;
  char why[900], path[2000];
  memset(why, 1, sizeof why - 1);
  memset(path, 1, sizeof path - 1);
  why[sizeof why - 1] = path[sizeof path - 1] = 0;
  r.exit_code = PEL_IO;
  r.why = why; /* as long as a sentence can be, and six letters a byte */
  r.checkpoint = path;
  pel__journal_close(j, &r);
  printf("\n<%s>", read_text("run/run.json"));
  printf("<%s>", read_text("run/heartbeat.json"));
}

static void the_end_is_known_on_a_full_disk(void **state) {
  (void)state;
  char *text = output_of(play_really_full, 0), *rest = text;
  if (strcmp(text, "cannot mount\n") == 0) skip();
  if (strstr(text, "cannot be written") || strstr(text, "not full"))
    fail_msg("got '%s', want nothing that could not be written", text);
  json_t *document[2];
  for (int i = 0; i < 2; ++i) {
    rest = strchr(rest, '<') + 1;
    document[i] = json_loads(rest, JSON_DISABLE_EOF_CHECK, NULL);
    if (!document[i]) fail_msg("got '%s', want JSON", rest);
    rest = strchr(rest, '>');
  }
  must_be(document[0], "state", "\"failed\"");
  must_be(document[0], "exit.code", "4");
  assert_int_equal(strlen(json_string_value(at(document[0], "checkpoint"))), 1999);
  must_be(document[1], "state", "\"failed\"");
  json_decref(document[0]);
  json_decref(document[1]);
}

static void play_nowhere(void) {
  pel__run_facts f = facts;
  f.dir = "missing";
  f.config_json = "not JSON";
  f.title = "\xff\xfe";
  f.model = NULL;
  pel__journal *j = pel__journal_open(&f);
  steps(j, 1, 3, 100);
  pel__journal_close(j, &result);
  pel__journal_say(NULL, "nothing");
  pel__journal_step(NULL, 1, 1, 1);
  pel__journal_row(NULL, 1, 1, 1, NULL);
  pel__journal_close(NULL, &result);
}

static void without_a_directory_the_run_goes_on(void **state) {
  (void)state;
  must_equal(last_line(output_of(play_nowhere, 0)), "fingerprint: 000000abcdef0123");
}

static void a_step_costs_a_clock_reading(void **state) {
  (void)state;
  pel__journal *j = pel__journal_open(&facts);
  struct timespec a, b;
  enum { N = 200000 };
  clock_gettime(CLOCK_MONOTONIC, &a);
  for (int s = 0; s < N; ++s) pel__journal_step(j, 1, 1, 1);
  clock_gettime(CLOCK_MONOTONIC, &b);
  const double each = ((double)(b.tv_sec - a.tv_sec) + 1e-9 * (double)(b.tv_nsec - a.tv_nsec)) / N;
  if (each > 5e-6) fail_msg("got %g s a step, want <= 5e-6", each);
  const int out = dup(1), null = open("/dev/null", O_WRONLY);
  fflush(stdout);
  dup2(null, 1);
  pel__journal_close(j, &result);
  dup2(out, 1);
  close(out);
  close(null);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(without_a_terminal_there_are_lines),     TEST(on_a_terminal_one_line_is_redrawn),
      TEST(whoever_starts_mpirun_passes_the_width), TEST(run_json_tells_the_history),
      TEST(a_failure_is_the_last_thing_said),       TEST(a_vanishing_directory_is_told_once),
      TEST(a_full_disk_is_told_once_a_file),        TEST(the_end_is_known_on_a_full_disk),
      TEST(without_a_directory_the_run_goes_on),    TEST(a_step_costs_a_clock_reading)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
