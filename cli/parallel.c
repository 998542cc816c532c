/* One task on all ranks: decide who starts them, bring MPI up and down, turn signals into a stop.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "command.h"

/* ---- signals ---- */

void cli_say_stopping(void) {
  static const char text[] =
      "\npelsim: stopping after this step with a checkpoint; Ctrl-C again stops at once\n";
  const ssize_t n = write(STDERR_FILENO, text, sizeof text - 1);
  (void)n; /* nothing to be done in a signal handler */
}

static bool supervised; /* by a process that started mpirun */

static void on_question(int signal) {
  (void)signal;
  const int was = errno;
  pel_tell_whereabouts(STDERR_FILENO);
  errno = was;
}

static void on_signal(int signal) {
  static volatile sig_atomic_t interrupts;
  if (signal == SIGINT) {
    interrupts = interrupts + 1;
    if (interrupts > 1) _exit(CLI_INTERRUPTED);
    if (!supervised) cli_say_stopping();
  }
  pel_request_stop(signal);
}

/* Before MPI_Init, so that a signal that comes with the start of the other ranks is not lost. */
static void catch_signals(void) {
  static const int stops[] = {SIGINT, SIGTERM, SIGUSR1, SIGHUP};
  struct sigaction a = {.sa_handler = on_signal, .sa_flags = SA_RESTART}, old;
  for (int i = 0; i < PEL_N(stops); ++i) {
    sigaction(stops[i], NULL, &old);
    if (stops[i] == SIGHUP && old.sa_handler == SIG_IGN) continue; /* nohup */
    sigaction(stops[i], &a, NULL);
  }
  sigaction(SIGUSR2, &(struct sigaction){.sa_handler = on_question, .sa_flags = SA_RESTART}, NULL);
  /* A reader of the terminal output who leaves (`| head`) must not end a simulation. */
  signal(SIGPIPE, SIG_IGN);
}

/* ---- MPI ---- */

static int world_rank, world_size = 1;

/* Ends all ranks.  Asks nothing of MPI that could fail again. */
static void end_job(const char *text) {
  fprintf(stderr, "pelsim: rank %d: %s; all ranks stop, checkpoints written before are good\n",
          world_rank, text);
  fflush(NULL);
  if (world_size > 1) MPI_Abort(MPI_COMM_WORLD, PEL_INTERNAL);
  _exit(PEL_INTERNAL); /* nobody to tell; MPI_Abort would print a notice */
}

static void on_mpi_error(MPI_Comm *comm, int *code, ...) {
  char why[MPI_MAX_ERROR_STRING] = "", text[MPI_MAX_ERROR_STRING + 20];
  int length = 0;
  (void)comm;
  MPI_Error_string(*code, why, &length);
  snprintf(text, sizeof text, "MPI failed: %s", why);
  end_job(text);
}

static void handle_mpi_errors(void) {
  MPI_Errhandler h;
  MPI_Comm_create_errhandler(on_mpi_error, &h);
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, h); /* duplicates inherit it */
  MPI_Comm_set_errhandler(MPI_COMM_SELF, h);
  MPI_Errhandler_free(&h);
  MPI_Comm_rank(MPI_COMM_WORLD, &world_rank);
  MPI_Comm_size(MPI_COMM_WORLD, &world_size);
  pel_memory_end(end_job);
}

/* What the launcher says and what MPI sees must agree, or each process would run the whole
 * simulation alone, all in one directory. */
static int check_world(const cli_world *w, const char *command) {
  int size;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  if (!w->launcher || size == w->size) return PEL_OK;
  return cli_complain(PEL_USAGE,
                      "%s: %s started %d processes, but MPI sees %d rank%s; under Slurm use 'srun "
                      "--mpi=pmix', else the mpirun of the MPI library that pelsim was built with",
                      command, w->launcher, w->size, size, size == 1 ? "" : "s");
}

static double epoch(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The clock of a run starts with the command, not when MPI has got going. */
static void tell_since(void) {
  char text[40];
  snprintf(text, sizeof text, "%.3f", epoch());
  setenv(CLI_SINCE, text, 0);
}

pel_request cli_request(const cli_arguments *a) {
  const char *until = getenv(CLI_UNTIL), *since = getenv(CLI_SINCE);
  const double spent = since ? epoch() - strtod(since, NULL) : 0;
  return (pel_request){.config = a->operand[0],
                       .overrides = a->set.word,
                       .noverrides = a->set.n,
                       .dir = a->dir,
                       .resume = a->resume,
                       .overwrite = a->overwrite,
                       .auto_resume = a->auto_resume,
                       .steps = a->steps,
                       .until = until ? strtoll(until, NULL, 10) : 0,
                       .spent = spent > 0 ? spent : 0,
                       .threads = (int)a->threads,
                       .progress = a->progress};
}

/* This process as a rank.  Who started mpirun reads the exit code from the status file; to mpirun
 * an exit code other than 0 is a failed rank, and it kills the rest. */
static int work(const cli_arguments *a, const cli_world *w, cli_task *task, bool stoppable) {
  const char *status = getenv(CLI_STATUS);
  int level, rank;
  supervised = status && access(status, W_OK) == 0;
  if (stoppable) catch_signals();
  if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level) != MPI_SUCCESS) {
    fprintf(stderr, "pelsim: rank %d: MPI cannot start\n", w->rank);
    return PEL_INTERNAL;
  }
  handle_mpi_errors();
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  if (rank == 0) cli_status_write(CLI_READY);
  int code = check_world(w, a->worker[0]);
  if (code == PEL_OK && level < MPI_THREAD_FUNNELED)
    code = cli_complain(PEL_INTERNAL, "this MPI library has no thread support (funneled)");
  if (code == PEL_OK) {
    const pel_request r = cli_request(a);
    code = task(MPI_COMM_WORLD, &r, a);
  }
  fflush(NULL);
  /* Where the report fails, the exit code must tell: mpirun passes it on. */
  const bool reported = rank > 0 || cli_status_write(code);
  if (MPI_Finalize() != MPI_SUCCESS) {
    fprintf(stderr, "pelsim: rank %d: MPI cannot end, after the command has\n", w->rank);
    return PEL_INTERNAL;
  }
  return supervised && reported ? PEL_OK : code;
}

static void append(char *text, size_t size, const char *option, const char *value) {
  const size_t n = strlen(text), room = size - n;
  if (!value || room < strlen(option) + 4 * strlen(value) + 16) return;
  const int used = snprintf(text + n, room, "%s%s", n ? " " : "", option);
  pel_shell_word(text + n + used, room - (size_t)used, value);
}

static void tell_given(const cli_arguments *a) {
  char text[4000] = "", number[3][24];
  const int64_t count[3] = {a->ranks, a->threads, a->retries};
  for (int i = 0; i < 3; ++i) snprintf(number[i], sizeof *number, "%" PRId64, count[i]);
  append(text, sizeof text, "-n ", a->ranks ? number[0] : NULL);
  append(text, sizeof text, "-t ", a->threads ? number[1] : NULL);
  append(text, sizeof text, "--retries=", a->retries ? number[2] : NULL);
  append(text, sizeof text, "--hosts=", a->hosts);
  setenv(CLI_GIVEN, text, 1);
}

int cli_parallel(const cli_arguments *a, cli_task *task, bool stoppable) {
  static pel_prospect prospect;
  const cli_world w = cli_world_look();
  tell_since();
  if (w.launcher) {
    if (a->ranks && a->ranks != w.size)
      return cli_complain(
          PEL_USAGE, "%s: -n %d contradicts %s, which started %d rank%s; leave -n out under %s",
          a->worker[0], (int)a->ranks, w.launcher, w.size, w.size == 1 ? "" : "s", w.launcher);
    if (a->retries)
      return cli_complain(PEL_USAGE,
                          "%s: --retries needs pelsim to start the ranks itself: 'pelsim %s ... -n "
                          "%d --retries=%d', without %s",
                          a->worker[0], a->worker[0], w.size, (int)a->retries, w.launcher);
    if (a->hosts)
      return cli_complain(
          PEL_USAGE, "%s: --hosts needs pelsim to start the ranks itself; under %s leave it out",
          a->worker[0], w.launcher);
    return work(a, &w, task, stoppable);
  }
  tell_given(a);
  const pel_request r = cli_request(a);
  const int wrong = pel_peek(cli_host(), &r, &prospect);
  if (wrong) return wrong;
  const int ranks = a->ranks ? (int)a->ranks : prospect.ranks;
  if (!a->hosts && ranks > cli_place_most())
    return cli_complain(PEL_USAGE,
                        "%d ranks are too many for this machine: it can start %d at most, and runs "
                        "best with as many as it has cores",
                        ranks, cli_place_most());
  if (ranks > 1 || a->retries || a->hosts)
    return cli_launch(a, ranks, stoppable ? &prospect : NULL);
  cli_place_single(a);
  return work(a, &w, task, stoppable);
}

int cli_alone(const cli_arguments *a, cli_task *task) {
  const cli_world w = cli_world_look();
  if (w.launcher)
    return cli_complain(PEL_USAGE, "%s: it is a command of its own; run it without %s",
                        a->worker[0], w.launcher);
  char **const whole = environ;
  int n = 0;
  while (whole[n]) ++n;
  char **before = pel_malloc((size_t)(n + 1) * sizeof *before);
  memcpy(before, whole, (size_t)(n + 1) * sizeof *before);
  cli_place_isolated();
  const int code = work(a, &w, task, false);
  environ = before; /* never freed: it is the environment now */
  return code;
}
