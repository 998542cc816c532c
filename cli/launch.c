/* pelsim run -n R: start mpirun and stay as its parent.
 *
 * mpirun answers SIGTERM and SIGINT by killing the ranks, so it must not see those of the terminal:
 * it runs in a session of its own and gets SIGUSR1, which it passes to every rank, when the user
 * asks to stop.  Its exit code says nothing of a stop with a checkpoint; the first rank reports
 * through the status file.  Nothing outlives this process: mpirun gets SIGTERM when it dies, and
 * ranks that lose mpirun become its children and are killed. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include "command.h"

enum {
  POLL_MS = 50,        /* while something must be waited for that sends no signal */
  START_MS = 30000,    /* ranks that have not reported by then get signals all the same */
  SURRENDER_MS = 5000, /* mpirun's time to end the ranks after SIGTERM */
  MOST_OPTIONS = 40
};

typedef struct {
  pid_t mpirun;
  char status[32];   /* path of the status file */
  int signals, text; /* descriptors: of signals; mpirun's stderr */
  int interrupts;
  bool stop, passed_on, surrendered;
  int waited_ms; /* since the start while a stop could not be passed on, or since SIGTERM */
  cli_filter filter;
} launch;

/* mpirun of the library that pelsim was built with, else the first in PATH.  PELSIM_MPIRUN in the
 * environment overrules both. */
static const char *find_mpirun(void) {
  const char *given = getenv("PELSIM_MPIRUN");
  if (given && *given) return given;
  return access(PELSIM_MPIRUN, X_OK) == 0 ? PELSIM_MPIRUN : "mpirun";
}

/* The ranks write into pipes and pseudo-terminals, so only this process knows the terminal. */
static void tell_columns(void) {
  struct winsize w = {0};
  char text[16] = "0";
  const char *kind = getenv("TERM");
  if (isatty(STDOUT_FILENO) && !(kind && !strcmp(kind, "dumb")) &&
      ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0)
    snprintf(text, sizeof text, "%d", w.ws_col ? w.ws_col : 80);
  setenv("PELSIM_COLUMNS", text, 0);
}

/* Whose death the ranks do not outlive for long: whoever finds their directory locked may wait. */
static void tell_starter(void) {
  char host[256] = "?", text[300];
  gethostname(host, sizeof host - 1);
  snprintf(text, sizeof text, "%ld %s", (long)getpid(), host);
  setenv("PELSIM_STARTER", text, 1);
}

/* In the child: becomes mpirun. */
static void become_mpirun(const char *const *argv, int text, const sigset_t *mask, pid_t parent) {
  setsid(); /* Ctrl-C and a closed terminal are the parent's business */
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(CLI_INTERRUPTED);
  const int null = open("/dev/null", O_RDONLY);
  if (null >= 0) dup2(null, STDIN_FILENO);
  dup2(text, STDERR_FILENO);
  sigprocmask(SIG_SETMASK, mask, NULL);
  execvp(argv[0], (char *const *)argv);
  const int why = errno;
  dprintf(STDERR_FILENO, "pelsim: cannot start '%s': %s; install Open MPI's mpirun\n", argv[0],
          strerror(why));
  _exit(127);
}

/* Status file, pipe, signals, mpirun.  0 or an exit code after a sentence. */
static int start(launch *l, const char *const *argv) {
  int pipes[2];
  sigset_t caught, before;
  sigemptyset(&caught);
  static const int list[] = {SIGINT, SIGTERM, SIGUSR1, SIGHUP, SIGCHLD};
  for (int i = 0; i < PEL_N(list); ++i) sigaddset(&caught, list[i]);
  sigprocmask(SIG_BLOCK, &caught, &before);
  l->signals = signalfd(-1, &caught, SFD_CLOEXEC);
  if (l->signals < 0 || pipe2(pipes, O_CLOEXEC))
    return cli_complain(PEL_INTERNAL, "cannot start mpirun: %s", strerror(errno));
  l->text = pipes[0];
  fcntl(l->text, F_SETFL, O_NONBLOCK);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  const pid_t self = getpid();
  fflush(NULL);
  l->mpirun = fork();
  if (l->mpirun < 0) return cli_complain(PEL_INTERNAL, "cannot start mpirun: %s", strerror(errno));
  if (l->mpirun == 0) become_mpirun(argv, pipes[1], &before, self);
  close(pipes[1]);
  return 0;
}

static void drain(launch *l) {
  char text[4096];
  for (ssize_t n; (n = read(l->text, text, sizeof text)) > 0;)
    cli_filter_feed(&l->filter, text, (size_t)n, stderr);
}

static void on_signal(launch *l, int signal) {
  if (signal == SIGCHLD) return;
  l->stop = true;
  if (signal != SIGINT) return;
  if (++l->interrupts == 1) cli_say_stopping();
  if (l->interrupts > 1 && !l->surrendered) {
    kill(l->mpirun, SIGTERM);
    l->surrendered = true;
    l->waited_ms = 0;
  }
}

/* Passes the wish to stop on, but not before every rank is ready for it: the default action of
 * SIGUSR1 would kill mpirun or a rank that is still starting. */
static void pass_on(launch *l) {
  l->waited_ms += POLL_MS;
  if (l->surrendered) {
    if (l->waited_ms > SURRENDER_MS) kill(l->mpirun, SIGKILL);
  } else if (l->stop && !l->passed_on &&
             (cli_status_read(l->status) != CLI_STARTING || l->waited_ms > START_MS)) {
    kill(l->mpirun, SIGUSR1);
    l->passed_on = true;
  }
}

/* Until mpirun ends; its wait status. */
static int attend(launch *l) {
  struct pollfd p[] = {{.fd = l->signals, .events = POLLIN}, {.fd = l->text, .events = POLLIN}};
  int status = 0;
  while (waitpid(l->mpirun, &status, WNOHANG) == 0) {
    const bool pending = l->surrendered || (l->stop && !l->passed_on);
    poll(p, 2, pending ? POLL_MS : -1);
    if (p[1].revents & POLLIN) drain(l);
    if (p[1].revents & (POLLHUP | POLLERR)) p[1].fd = -1;
    struct signalfd_siginfo s;
    if (p[0].revents & POLLIN && read(l->signals, &s, sizeof s) == (ssize_t)sizeof s)
      on_signal(l, (int)s.ssi_signo);
    if (pending) pass_on(l);
  }
  drain(l);
  cli_filter_end(&l->filter, stderr);
  return status;
}

static pid_t parent_of(const char *pid) {
  char path[300], text[512] = "";
  snprintf(path, sizeof path, "/proc/%s/stat", pid);
  FILE *f = fopen(path, "r");
  if (!f) return 0;
  const size_t n = fread(text, 1, sizeof text - 1, f);
  fclose(f);
  text[n] = 0;
  int parent = 0;
  const char *p = strrchr(text, ')'); /* the name before may hold anything */
  return p && sscanf(p, ") %*c %d", &parent) == 1 ? parent : 0;
}

/* What is left of a broken job: ranks that mpirun did not end before it ended itself, which this
 * process has inherited. */
static void kill_leftovers(void) {
  const pid_t self = getpid();
  for (int round = 0; round < 100; ++round) {
    while (waitpid(-1, NULL, WNOHANG) > 0) {
    }
    DIR *d = opendir("/proc");
    if (!d) return;
    int found = 0;
    for (const struct dirent *e; (e = readdir(d));)
      if (e->d_name[0] >= '1' && e->d_name[0] <= '9' && parent_of(e->d_name) == self) {
        kill((pid_t)atoi(e->d_name), SIGKILL);
        ++found;
      }
    closedir(d);
    if (!found) return;
    usleep(20000);
  }
}

/* Why there is no exit code from the first rank, as one sentence. */
static int explain(const launch *l, int status, int how, bool resumable) {
  const char *advice =
      resumable ? "; 'pelsim run' with --resume continues from the newest checkpoint" : "";
  const char *notice = l->filter.notice, *p;
  int rank, signal = 0, code = WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
  if (l->surrendered) return cli_complain(CLI_INTERRUPTED, "stopped at once%s", advice);
  if ((p = strstr(notice, "noticed that process rank ")) &&
      sscanf(p, "noticed that process rank %d", &rank) == 1 &&
      (p = strstr(p, "exited on signal ")) && sscanf(p, "exited on signal %d", &signal) == 1)
    return cli_complain(PEL_INTERNAL, "rank %d was killed by signal %d (%s)%s%s", rank, signal,
                        strsignal(signal), signal == SIGKILL ? ", perhaps for want of memory" : "",
                        advice);
  if (status == CLI_UNKNOWN)
    return cli_complain(PEL_INTERNAL,
                        "cannot read the ranks' report '%s': run.log and run.json "
                        "say how the run ended",
                        l->status);
  if (code == PEL_OK || strstr(notice, "processes exited with non-zero status")) return code;
  /* The rank has said why; mpirun does not always get its notice together. */
  if (code == PEL_INTERNAL || strstr(notice, "MPI_ABORT was invoked")) return PEL_INTERNAL;
  if (WIFSIGNALED(how))
    return cli_complain(PEL_INTERNAL, "mpirun was killed by signal %d (%s)%s", WTERMSIG(how),
                        strsignal(WTERMSIG(how)), advice);
  if (status == CLI_STARTING) {
    /* Ranks that cannot see the status file, on other hosts, exit with their code. */
    if (code == 127) return PEL_USAGE; /* the sentence came from become_mpirun */
    return cli_complain(PEL_USAGE, "mpirun could not start the ranks (exit code %d)%s%s", code,
                        *notice ? "; it says:\n" : "", notice);
  }
  return cli_complain(PEL_INTERNAL, "the job broke off (mpirun's exit code %d)%s%s%s", code, advice,
                      *notice ? "; mpirun says:\n" : "", notice);
}

int cli_launch(const cli_arguments *a, int ranks, bool stoppable) {
  static launch l;
  const char **argv = calloc((size_t)(MOST_OPTIONS + a->nworker), sizeof *argv);
  if (!argv || !cli_self()) return cli_complain(PEL_INTERNAL, "cannot find this program's file");
  snprintf(l.status, sizeof l.status, "/tmp/pelsim_status_XXXXXX");
  const int fd = mkstemp(l.status);
  if (fd < 0)
    return cli_complain(PEL_IO, "cannot make a file in /tmp for the ranks' report: %s",
                        strerror(errno));
  close(fd);
  setenv(CLI_STATUS, l.status, 1);
  cli_status_write(CLI_STARTING); /* takes the space: a later report cannot meet a full disk */
  tell_columns();
  tell_starter();

  int n = 0;
  argv[n++] = find_mpirun();
  n = cli_place(ranks, (int)a->threads, argv, n);
  static const char *const passed[] = {CLI_STATUS, "PELSIM_COLUMNS", "PELSIM_STARTER"};
  for (int i = 0; i < PEL_N(passed); ++i) {
    argv[n++] = "-x";
    argv[n++] = passed[i];
  }
  argv[n++] = cli_self();
  for (int i = 0; i < a->nworker; ++i) argv[n++] = a->worker[i];

  int code = start(&l, argv);
  if (!code) {
    const int how = attend(&l);
    kill_leftovers();
    code = cli_status_read(l.status);
    if (code < 0) code = explain(&l, code, how, stoppable);
  }
  unlink(l.status);
  free(argv);
  return code;
}
