/* The run directory: what is refused and in which words, what --overwrite removes and what it
 * leaves, the lock, and files that are replaced whole or not at all. */
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "journal_parts.h"

static void write_text(const char *path, const char *text) {
  FILE *f = fopen(path, "w");
  assert_non_null(f);
  fputs(text, f);
  fclose(f);
}

static bool there(const char *path) { return access(path, F_OK) == 0; }

static void check_sentence(const pel_error *e, int code, const char *want) {
  if (e->code != code || strcmp(e->text, want))
    fail_msg("got %d '%s',\n want %d '%s'", e->code, e->text, code, want);
}

static void check_contains(const pel_error *e, int code, const char *want) {
  if (e->code != code || !strstr(e->text, want))
    fail_msg("got %d '%s',\n want %d and '%s'", e->code, e->text, code, want);
}

static pel__rundir_use use_of(bool resume, bool overwrite) {
  return resume ? PEL__CONTINUE : overwrite ? PEL__OVERWRITE : PEL__NEW;
}

static pel__rundir *must_open(const char *dir, bool resume, bool overwrite) {
  pel_error e = {0};
  pel__rundir *d = pel__rundir_open(dir, use_of(resume, overwrite), &e);
  if (!d) fail_msg("got '%s', want an open directory %s", e.text, dir);
  return d;
}

static void must_refuse(const char *dir, bool resume, bool overwrite, pel_error *e) {
  *e = (pel_error){0};
  pel__rundir *d = pel__rundir_open(dir, use_of(resume, overwrite), e);
  if (d) fail_msg("got an open directory %s, want a refusal", dir);
}

/* ---- tests ---- */

static void makes_the_directory_and_its_parents(void **state) {
  (void)state;
  char pid[40];
  pel__rundir *d = must_open("out/deep/er", false, false);
  assert_true(there("out/deep/er/checkpoints"));
  const char *text = read_text("out/deep/er/.lock");
  snprintf(pid, sizeof pid, "pid %ld", (long)getpid());
  assert_non_null(strstr(text, pid));
  pel__rundir_close(d);
  pel__rundir_close(must_open("out/deep/er", false, false)); /* nothing was written: still fresh */
  pel__rundir_close(must_open("trailing/", false, false));
  pel__rundir_close(NULL);
}

static void refuses_a_second_run_and_names_the_first(void **state) {
  (void)state;
  pel_error e;
  char want[100];
  setenv("SLURM_JOB_ID", "4711", 1);
  pel__rundir *d = must_open("a", false, false);
  unsetenv("SLURM_JOB_ID");
  snprintf(want, sizeof want, ", pid %ld, job 4711, since 20", (long)getpid());
  must_refuse("a", false, false, &e);
  check_contains(&e, PEL_USAGE, "a is in use by another run (host ");
  check_contains(&e, PEL_USAGE, want);
  must_refuse("a", false, true, &e); /* --overwrite does not break a lock */
  check_contains(&e, PEL_USAGE, "in use");
  pel__rundir_close(d);
  pel__rundir_close(must_open("a", false, false));
}

/* Holds the lock of "a" for a while, started by `starter` (NULL: by nobody); waits until it does.
 */
static pid_t hold(const char *starter, int milliseconds) {
  int ready[2];
  char c;
  assert_int_equal(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    pel_error error = {0};
    if (starter) setenv("PELSIM_STARTER", starter, 1);
    if (!pel__rundir_open("a", PEL__NEW, &error) || write(ready[1], "x", 1) != 1) _exit(1);
    usleep((useconds_t)milliseconds * 1000);
    _exit(0);
  }
  close(ready[1]);
  assert_int_equal(read(ready[0], &c, 1), 1);
  close(ready[0]);
  return child;
}

static void a_dead_holder_frees_the_lock(void **state) {
  (void)state;
  int status;
  pel_error e;
  const pid_t child = hold(NULL, 60000);
  must_refuse("a", false, false, &e);
  check_contains(&e, PEL_USAGE, "in use");
  kill(child, SIGKILL);
  waitpid(child, &status, 0);
  pel__rundir_close(must_open("a", false, false));
}

/* Ranks whose starter was killed let go of the lock by themselves; others may take days. */
static void waits_for_ranks_without_a_starter(void **state) {
  (void)state;
  char host[256] = "", dead[300], alive[300], elsewhere[300];
  pel_error e;
  int status;
  const pid_t starter = fork();
  siginfo_t ended;
  if (starter == 0) _exit(0);
  waitid(P_PID, (id_t)starter, &ended, WEXITED | WNOWAIT); /* dead, but not yet waited for */
  gethostname(host, sizeof host - 1);
  snprintf(dead, sizeof dead, "%ld %s", (long)starter, host);
  snprintf(alive, sizeof alive, "%ld %s", (long)getpid(), host);
  snprintf(elsewhere, sizeof elsewhere, "%ld not.%s", (long)starter, host);
  const char *const cases[] = {dead, alive, elsewhere};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    const pid_t child = hold(cases[i], i ? 5000 : 400);
    if (i == 0) {
      pel__rundir_close(must_open("a", false, false));
      waitpid(starter, &status, 0); /* from now on there is no such process */
    } else {
      must_refuse("a", false, false, &e);
      check_contains(&e, PEL_USAGE, "in use by another run (host ");
      assert_null(strstr(e.text, "starter"));
      kill(child, SIGKILL);
    }
    waitpid(child, &status, 0);
  }
  const pid_t child = hold(dead, 400);
  pel__rundir_close(must_open("a", false, false));
  waitpid(child, &status, 0);
}

/* Ranks of an earlier attempt that got cut off, and do not know it, make way for the next. */
static void an_earlier_attempt_makes_way(void **state) {
  (void)state;
  int ready[2], status;
  char c;
  pel_error e;
  assert_int_equal(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    pel_error error = {0};
    setenv("PELSIM_STARTER", "17 far.away x1", 1);
    MPI_Init(NULL, NULL);
    pel__rundir *d = pel__rundir_open("a", PEL__NEW, &error);
    if (!d || !pel__guard_begin(MPI_COMM_SELF, "a", pel__rundir_owner(d))) _exit(1);
    if (write(ready[1], "x", 1) != 1) _exit(1);
    for (;;) pause();
  }
  close(ready[1]);
  assert_int_equal(read(ready[0], &c, 1), 1);
  close(ready[0]);
  setenv("PELSIM_STARTER", "17 far.away x2", 1); /* same process id and host, another container */
  must_refuse("a", false, false, &e);
  check_contains(&e, PEL_USAGE, "in use by another run (host ");
  usleep(1500000); /* the guard has looked, and minds no refusal */
  assert_int_equal(waitpid(child, &status, WNOHANG), 0);
  setenv("PELSIM_STARTER", "17 far.away x1", 1);
  pel__rundir *d = must_open("a", false, false);
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) == PEL_INTERNAL);
  pel__rundir_close(d);
  unsetenv("PELSIM_STARTER");
}

/* How each kind of used directory is refused, word for word. */
static void says_how_to_resume_and_overwrite(void **state) {
  (void)state;
  static const struct {
    const char *dir, *json, *want;
    bool checkpoint;
  } cases[] = {
      {"out/jet",
       "{\"config_path\": \"configs/jet.ini\", \"state\": \"stopped\", \"step\": 120, \"config\": "
       "{\"output\": {\"dir\": {\"value\": \"auto\"}}}}",
       "out/jet holds an earlier run (stopped at step 120): continue it with `pelsim run "
       "configs/jet.ini --resume`, or add --overwrite to delete it and start anew",
       true},
      {"elsewhere", "{\"config_path\": \"my jet.ini\", \"state\": \"running\"}",
       "elsewhere holds an earlier run (interrupted): continue it with `pelsim run 'my jet.ini' "
       "--resume --dir elsewhere`, or add --overwrite to delete it and start anew",
       true},
      {"named",
       "{\"config_path\": \"jet.ini\", \"state\": \"done\", \"step\": 7, \"config\": {\"output\": "
       "{\"dir\": {\"value\": \"named\"}}}}",
       "named holds an earlier run (done at step 7): continue it with `pelsim run jet.ini "
       "--resume`, or add --overwrite to delete it and start anew",
       true},
      {"garbage", "\x01{{{",
       "garbage holds an earlier run: continue it with `pelsim run CONFIG --resume`, or add "
       "--overwrite to delete it and start anew",
       true},
      {"none", "{\"state\": \"failed\", \"step\": 0}",
       "none holds an earlier run (failed at step 0): add --overwrite to delete it and start anew "
       "(--resume has nothing to continue from: it left no checkpoint)",
       false}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    char path[200];
    pel_error e;
    pel__rundir_close(must_open(cases[i].dir, false, false));
    snprintf(path, sizeof path, "%s/run.json", cases[i].dir);
    write_text(path, cases[i].json);
    snprintf(path, sizeof path, "%s/checkpoints/step_000000100.h5", cases[i].dir);
    if (cases[i].checkpoint) write_text(path, "x");
    must_refuse(cases[i].dir, false, false, &e);
    check_sentence(&e, PEL_USAGE, cases[i].want);
    if (cases[i].checkpoint) pel__rundir_close(must_open(cases[i].dir, true, false));
  }
}

static void each_file_of_a_run_counts_as_used(void **state) {
  (void)state;
  static const char *const files[] = {"run.log",        "run.json",
                                      "heartbeat.json", "diagnostics.csv",
                                      "fields.nc",      "checkpoints/step_000000001.h5"};
  for (size_t i = 0; i < sizeof files / sizeof *files; ++i) {
    char dir[20], path[100];
    pel_error e;
    snprintf(dir, sizeof dir, "d%zu", i);
    snprintf(path, sizeof path, "%s/%s", dir, files[i]);
    pel__rundir_close(must_open(dir, false, false));
    write_text(path, "x");
    must_refuse(dir, false, false, &e);
    check_contains(&e, PEL_USAGE, "holds an earlier run");
  }
}

static void overwrite_removes_what_pelsim_wrote_and_nothing_else(void **state) {
  (void)state;
  static const char *const ours[] = {"a/run.log",
                                     "a/run.json",
                                     "a/heartbeat.json",
                                     "a/diagnostics.csv",
                                     "a/diagnostics.before_step_10.csv",
                                     "a/fields.nc",
                                     "a/fields.xdmf",
                                     "a/.run.json.tmp",
                                     "a/.run.json.reserve",
                                     "a/checkpoints/step_000000001.h5",
                                     "a/checkpoints/step_000000002.h5.bad"};
  static const char *const theirs[] = {"a/run.sh", "a/notes.txt", "a/fields.png",
                                       "a/diagnostics.py", "a/checkpoints/README"};
  pel__rundir_close(must_open("a", false, false));
  for (size_t i = 0; i < sizeof ours / sizeof *ours; ++i) write_text(ours[i], "x");
  for (size_t i = 0; i < sizeof theirs / sizeof *theirs; ++i) write_text(theirs[i], "x");
  pel__rundir_close(must_open("a", false, true));
  for (size_t i = 0; i < sizeof ours / sizeof *ours; ++i)
    if (there(ours[i])) fail_msg("got %s still there, want it removed", ours[i]);
  for (size_t i = 0; i < sizeof theirs / sizeof *theirs; ++i)
    if (!there(theirs[i])) fail_msg("got %s removed, want it left", theirs[i]);
}

static void overwrite_that_fails_is_told(void **state) {
  (void)state;
  pel_error e;
  pel__rundir_close(must_open("a", false, false));
  assert_int_equal(mkdir("a/fields.nc", 0777), 0);
  must_refuse("a", false, true, &e);
  check_sentence(&e, PEL_IO, "a: the earlier run could not be removed: Is a directory");
}

static void resume_needs_a_checkpoint(void **state) {
  (void)state;
  pel_error e;
  must_refuse("a", true, false, &e);
  check_sentence(&e, PEL_USAGE,
                 "nothing to resume: there is no run directory a; start without --resume, or name "
                 "it with --dir");
  assert_false(there("a"));
  pel__rundir_close(must_open("a", false, false));
  must_refuse("a", true, false, &e);
  check_sentence(&e, PEL_USAGE,
                 "nothing to resume: a/checkpoints holds no step_*.h5; start without --resume");
  write_text("a/run.json", "{}");
  write_text("a/checkpoints/step_000000005.h5.bad", "x");
  must_refuse("a", true, false, &e);
  check_sentence(
      &e, PEL_USAGE,
      "nothing to resume: a/checkpoints holds no step_*.h5; start anew with --overwrite");
}

static void impossible_places_are_one_sentence(void **state) {
  (void)state;
  pel_error e;
  write_text("file", "x");
  must_refuse("file", false, false, &e);
  check_sentence(&e, PEL_IO,
                 "cannot make the run directory file: it is not a directory; choose another with "
                 "--dir or [output] dir");
  must_refuse("file/below/it", false, false, &e);
  check_contains(&e, PEL_IO, "file/below/it: file is not a directory");
  must_refuse("", false, false, &e);
  check_contains(&e, PEL_USAGE, "has no name");
  must_refuse("/", false, false, &e);
  check_contains(&e, PEL_USAGE, "/ is the root of the file system");
  must_refuse("/tmp/..//", false, true, &e);
  check_contains(&e, PEL_USAGE, "is the root of the file system");
  must_refuse("/proc/pelsim", false, false, &e);
  check_contains(&e, PEL_IO, "cannot make the run directory /proc/pelsim: No such");
  pel__rundir_close(must_open("b", false, false));
  assert_int_equal(rmdir("b/checkpoints"), 0);
  write_text("b/checkpoints", "x");
  must_refuse("b", false, false, &e);
  check_contains(&e, PEL_IO, "cannot make b/checkpoints");
}

/* As root every permission is granted, so a child becomes someone else for good. */
static void a_directory_without_write_permission(void **state) {
  (void)state;
  int status;
  assert_int_equal(chmod(top, 0755), 0);
  pel__rundir_close(must_open("a", false, false));
  assert_int_equal(chmod("a", 0555), 0);
  assert_int_equal(chmod("a/.lock", 0666), 0); /* the lock can be taken, nothing else written */
  const pid_t child = fork();
  if (child == 0) {
    pel_error e = {0}, e2 = {0};
    if (geteuid() == 0 && setuid(65534)) _exit(1);
    if (pel__rundir_open("a", PEL__NEW, &e) ||
        strcmp(e.text,
               "cannot write in the run directory a: Permission denied; choose another "
               "with --dir or [output] dir"))
      _exit(2);
    if (chdir("a") || pel__rundir_open("new", PEL__NEW, &e2) || e2.code != PEL_IO ||
        !strstr(e2.text, "cannot make the run directory new: Permission denied"))
      _exit(3);
    _exit(0);
  }
  waitpid(child, &status, 0);
  if (status) fail_msg("got exit status %d of the child, want 0", WEXITSTATUS(status));
}

/* A limit on the size of files stands in for a full disk. */
static void a_full_disk_is_one_sentence(void **state) {
  (void)state;
  pel_error e;
  struct rlimit old, none = {0, 0};
  signal(SIGXFSZ, SIG_IGN);
  getrlimit(RLIMIT_FSIZE, &old);
  none.rlim_max = old.rlim_max;
  setrlimit(RLIMIT_FSIZE, &none);
  must_refuse("a", false, false, &e);
  const int code = pel__replace_file(".", "x.json", "text", true);
  setrlimit(RLIMIT_FSIZE, &old);
  check_contains(&e, PEL_IO, "cannot write in the run directory a: File too large");
  assert_int_equal(code, EFBIG);
  pel__rundir_close(must_open("a", false, false)); /* no lock was left behind */
}

static void a_file_is_replaced_whole_or_not_at_all(void **state) {
  (void)state;
  assert_int_equal(pel__replace_file(".", "x.json", "first", true), 0);
  assert_int_equal(pel__replace_file(".", "x.json", "second", true), 0);
  must_equal(read_text("x.json"), "second");
  assert_int_equal(pel__replace_file("missing", "x.json", "third", true), ENOENT);
  struct rlimit old, little;
  signal(SIGXFSZ, SIG_IGN);
  getrlimit(RLIMIT_FSIZE, &old);
  little = (struct rlimit){4, old.rlim_max};
  setrlimit(RLIMIT_FSIZE, &little);
  const int code = pel__replace_file(".", "x.json", "longer than four", true);
  setrlimit(RLIMIT_FSIZE, &old);
  assert_int_equal(code, EFBIG);
  must_equal(read_text("x.json"), "second");
  assert_false(there(".x.json.tmp"));
}

/* Something in the way of the temporary stands in for a disk without room for it. */
static void a_reserve_is_the_last_resort(void **state) {
  (void)state;
  assert_int_equal(pel__replace_file(".", "x.json", "first", true), 0);
  assert_int_equal(pel__reserve_file(".", "x.json", 100), 0);
  assert_int_equal(pel__replace_file(".", "x.json", "second", true), 0);
  assert_int_equal(strlen(read_text(".x.json.reserve")), 100); /* not needed, so still there */
  assert_int_equal(mkdir(".x.json.tmp", 0777), 0);
  assert_int_equal(pel__replace_file(".", "x.json", "third", true), EISDIR);
  assert_int_equal(pel__replace_reserved(".", "x.json", "the last", true), 0);
  must_equal(read_text("x.json"), "the last");
  assert_false(there(".x.json.reserve"));
  assert_int_equal(pel__replace_reserved(".", "x.json", "too late", true), EISDIR);
  must_equal(read_text("x.json"), "the last");
  assert_int_equal(rmdir(".x.json.tmp"), 0);
  assert_int_equal(pel__reserve_file(".", "x.json", 100), 0);
  assert_int_equal(pel__replace_reserved(".", "x.json", "room enough", true), 0);
  must_equal(read_text("x.json"), "room enough");
  assert_false(there(".x.json.reserve"));
}

/* A reader that looks at any moment sees one of the texts, never a part. */
static void a_reader_never_sees_half_a_file(void **state) {
  (void)state;
  enum { SIZE = 20000, ROUNDS = 60 };
  static char text[SIZE + 1];
  memset(text, 'a', SIZE);
  assert_int_equal(pel__replace_file(".", "x", text, true), 0);
  const pid_t child = fork();
  if (child == 0) {
    for (int i = 0; i < ROUNDS; ++i) {
      memset(text, 'a' + i % 26, SIZE);
      if (pel__replace_file(".", "x", text, true)) _exit(1);
    }
    _exit(0);
  }
  int status = 0, looks = 0;
  while (waitpid(child, &status, WNOHANG) == 0 || looks == 0) {
    const char *seen = read_text("x");
    if (strlen(seen) != SIZE || strspn(seen, (char[]){seen[0], 0}) != SIZE)
      fail_msg("got a torn file of %zu bytes, want %d equal ones", strlen(seen), SIZE);
    ++looks;
  }
  assert_int_equal(status, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int main(void) {
  const struct CMUnitTest tests[] = {TEST(makes_the_directory_and_its_parents),
                                     TEST(refuses_a_second_run_and_names_the_first),
                                     TEST(a_dead_holder_frees_the_lock),
                                     TEST(waits_for_ranks_without_a_starter),
                                     TEST(an_earlier_attempt_makes_way),
                                     TEST(says_how_to_resume_and_overwrite),
                                     TEST(each_file_of_a_run_counts_as_used),
                                     TEST(overwrite_removes_what_pelsim_wrote_and_nothing_else),
                                     TEST(overwrite_that_fails_is_told),
                                     TEST(resume_needs_a_checkpoint),
                                     TEST(impossible_places_are_one_sentence),
                                     TEST(a_directory_without_write_permission),
                                     TEST(a_full_disk_is_one_sentence),
                                     TEST(a_file_is_replaced_whole_or_not_at_all),
                                     TEST(a_reserve_is_the_last_resort),
                                     TEST(a_reader_never_sees_half_a_file)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
