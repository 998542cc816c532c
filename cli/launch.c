/* mpirun as a child: one attempt at running the ranks.
 *
 * mpirun answers SIGTERM and SIGINT by killing the ranks, so it must not see those of the terminal:
 * it runs in a session of its own and gets SIGUSR1, which it passes to every rank, when the user
 * asks to stop.  Its exit code says nothing of a stop with a checkpoint; the first rank reports
 * through the status file.  Nothing outlives this process: mpirun gets SIGTERM when it dies, and
 * ranks that lose mpirun become its children and are killed. */
#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
  POLL_MS = 50,        /* while something must be waited for that sends no signal */
  WATCH_MS = 500,      /* between two looks at the heartbeat, at most */
  START_MS = 30000,    /* ranks that have not reported by then get signals all the same */
  SURRENDER_MS = 5000, /* mpirun's time to end the ranks after SIGTERM */
  LEAVE_MS = 20000,    /* and to end itself after them */
};

typedef struct {
  pid_t mpirun;
  const char *status;
  int signals, text; /* descriptors: of signals; mpirun's stderr */
  int *interrupts;
  bool stop, passed_on, at_once, hung;
  int idle_ms;   /* since the first rank has ended */
  int waited_ms; /* since the start while a stop could not be passed on, or since SIGTERM */
  cli_watch *watch;
  cli_filter filter;
} launch;

int cli_signals_open(void) {
  static const int list[] = {SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGHUP, SIGCHLD};
  sigset_t caught;
  sigemptyset(&caught);
  for (int i = 0; i < PEL_N(list); ++i) {
    struct sigaction now;
    const bool ignored = !sigaction(list[i], NULL, &now) && now.sa_handler == SIG_IGN;
    if (list[i] != SIGHUP || !ignored) sigaddset(&caught, list[i]); /* nohup */
  }
  sigprocmask(SIG_BLOCK, &caught, NULL);
  signal(SIGPIPE, SIG_IGN); /* whoever reads what is said may leave */
  return signalfd(-1, &caught, SFD_CLOEXEC | SFD_NONBLOCK);
}

bool cli_signals_stop(int signals) {
  struct signalfd_siginfo s;
  bool stop = false;
  while (read(signals, &s, sizeof s) == (ssize_t)sizeof s)
    stop = stop || (s.ssi_signo != SIGCHLD && s.ssi_signo != SIGUSR2);
  return stop;
}

/* In the child: becomes mpirun. */
static void become_mpirun(const char *const *argv, int text, pid_t parent) {
  sigset_t none;
  setsid(); /* Ctrl-C and a closed terminal are the parent's business */
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(CLI_INTERRUPTED);
  const int null = open("/dev/null", O_RDONLY);
  if (null >= 0) dup2(null, STDIN_FILENO);
  dup2(text, STDERR_FILENO);
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  signal(SIGPIPE, SIG_DFL);
  execvp(argv[0], (char *const *)argv);
  const int why = errno;
  dprintf(STDERR_FILENO, "pelsim: cannot start '%s': %s; install Open MPI's mpirun\n", argv[0],
          strerror(why));
  _exit(127);
}

/* The pipe, mpirun.  0 or an errno. */
static int start(launch *l, const char *const *argv) {
  int pipes[2];
  if (pipe2(pipes, O_CLOEXEC)) return errno;
  l->text = pipes[0];
  fcntl(l->text, F_SETFL, O_NONBLOCK);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  const pid_t self = getpid();
  fflush(NULL);
  l->mpirun = fork();
  const int why = errno;
  if (l->mpirun == 0) become_mpirun(argv, pipes[1], self);
  close(pipes[1]);
  if (l->mpirun > 0) return 0;
  close(pipes[0]);
  return why;
}

static void drain(launch *l) {
  char text[4096];
  for (ssize_t n; (n = read(l->text, text, sizeof text)) > 0;)
    cli_filter_feed(&l->filter, text, (size_t)n, stderr);
}

/* mpirun is to end the ranks and itself, now. */
static void end_job(launch *l) {
  kill(l->mpirun, SIGTERM);
  l->waited_ms = 0;
}

static void on_signal(launch *l, int signal) {
  if (signal == SIGCHLD) return;
  if (signal == SIGUSR2) { /* the ranks are to say where they are */
    l->watch->overheard = true;
    if (cli_status_read(l->status) != CLI_STARTING) kill(l->mpirun, SIGUSR2);
    return;
  }
  l->stop = true;
  if (signal != SIGINT) return;
  if (++*l->interrupts == 1) cli_say_stopping();
  if (*l->interrupts > 1 && !l->at_once) {
    l->at_once = true;
    end_job(l);
  }
}

static void take_signals(launch *l) {
  struct signalfd_siginfo s;
  while (read(l->signals, &s, sizeof s) == (ssize_t)sizeof s) on_signal(l, (int)s.ssi_signo);
}

/* Passes the wish to stop on, but not before every rank is ready for it: the default action of
 * SIGUSR1 would kill mpirun or a rank that is still starting. */
static void pass_on(launch *l, int ms) {
  l->waited_ms += ms;
  if (l->at_once || l->hung) {
    if (l->waited_ms > SURRENDER_MS) kill(l->mpirun, SIGKILL);
  } else if (l->stop && !l->passed_on &&
             (cli_status_read(l->status) != CLI_STARTING || l->waited_ms > START_MS)) {
    kill(l->mpirun, SIGUSR1);
    cli_wake(l->mpirun);
    l->passed_on = true;
  }
}

static void watch(launch *l, int ms, cli_outcome *o) {
  const int status = cli_status_read(l->status);
  if (l->hung || l->at_once) return;
  if (status >= 0) { /* the ranks have done all they had to do: mpirun has no more to wait for */
    l->idle_ms += ms;
    cli_wake(l->mpirun);
    l->hung = l->idle_ms > LEAVE_MS;
    if (l->hung) end_job(l);
    return;
  }
  switch (cli_watch_look(l->watch, 1e-3 * ms, status != CLI_STARTING)) {
    case CLI_GETS_ON:
      return;
    case CLI_ASK:
      kill(l->mpirun, SIGUSR2); /* which mpirun passes to every rank, */
      cli_wake(l->mpirun);      /* unless it has been stopped itself */
      return;
    case CLI_HANGS:
      cli_watch_report(l->watch, o->why, sizeof o->why);
      l->hung = true;
      end_job(l);
  }
}

/* Until mpirun ends; its wait status. */
static int attend(launch *l, cli_outcome *o) {
  struct pollfd p[] = {{.fd = l->signals, .events = POLLIN}, {.fd = l->text, .events = POLLIN}};
  const double look = 250 * l->watch->limit;
  const int watch_ms =
      look > 0 && look < WATCH_MS ? (look < POLL_MS ? POLL_MS : (int)look) : WATCH_MS;
  int status = 0, since_look = 0;
  double last = 1e3 * cli_now();
  while (waitpid(l->mpirun, &status, WNOHANG) == 0) {
    const bool pending = l->at_once || l->hung || (l->stop && !l->passed_on);
    poll(p, 2, pending || l->watch->asking ? POLL_MS : watch_ms);
    if (p[1].revents & POLLIN) drain(l);
    if (p[1].revents & (POLLHUP | POLLERR)) p[1].fd = -1;
    take_signals(l);
    /* Time in which this process was stopped too does not count. */
    const double now = 1e3 * cli_now();
    const int ms = now - last < 2 * WATCH_MS ? (int)(now - last) : WATCH_MS;
    last = now;
    since_look += ms;
    if (pending) pass_on(l, ms);
    if (since_look < (l->watch->asking ? POLL_MS : watch_ms)) continue;
    watch(l, since_look, o);
    since_look = 0;
  }
  drain(l);
  cli_filter_end(&l->filter, stderr);
  return status;
}

/* ---- how it ended ---- */

/* "rank 2 was killed by signal 9 (Killed)" of mpirun's notice. */
static bool explain_rank(const char *notice, char *why, size_t size) {
  int rank, signal;
  const char *p = strstr(notice, "noticed that process rank ");
  if (!p || sscanf(p, "noticed that process rank %d", &rank) != 1) return false;
  p = strstr(p, "exited on signal ");
  if (!p || sscanf(p, "exited on signal %d", &signal) != 1) return false;
  snprintf(why, size, "rank %d was killed by signal %d (%s)%s", rank, signal, strsignal(signal),
           signal == SIGKILL ? ", perhaps for want of memory" : "");
  return true;
}

/* "host b was lost" of mpirun's notice, which ends in "Remote daemon: [...] on node b". */
static void explain_host(const char *notice, char *why, size_t size) {
  static const char key[] = "on node ";
  const char *p = strstr(notice, "Remote daemon"), *name = p ? strstr(p, key) : NULL;
  const int n = name ? (int)strcspn(name + strlen(key), " \r\n") : 0;
  snprintf(why, size, "%s%.*s was lost: it does not answer any more", n ? "host " : "a host", n,
           n ? name + strlen(key) : "");
}

static bool is_ours(int code) {
  return code == PEL_USAGE || code == PEL_INVALID || code == PEL_IO || code == PEL_STOPPED;
}

/* Why there is no exit code from the first rank; how: of mpirun. */
static void explain(const launch *l, int how, cli_outcome *o) {
  const char *notice = l->filter.notice;
  char *why = o->why;
  const size_t size = sizeof o->why;
  const int code = WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
  if (l->hung) return; /* explained already */
  if (l->at_once) {
    o->code = CLI_INTERRUPTED;
    snprintf(why, size, "stopped at once");
  } else if (explain_rank(notice, why, size)) {
  } else if (o->code == CLI_UNKNOWN) {
    snprintf(why, size,
             "cannot read the ranks' report '%s': run.log and run.json say how the run ended",
             l->status);
  } else if (code == PEL_INTERNAL || strstr(notice, "MPI_ABORT was invoked")) {
    /* The rank has said why; mpirun does not always get its notice together. */
  } else if (code == PEL_OK && o->code == CLI_STARTING) {
    o->code = code; /* ranks on other hosts, which do not see the status file */
  } else if (is_ours(code) && strstr(notice, "processes exited with non-zero status")) {
    o->code = code; /* ranks that could not write into the status file, or not see it */
  } else if (WIFSIGNALED(how)) {
    snprintf(why, size, "mpirun was killed by signal %d (%s)", WTERMSIG(how),
             strsignal(WTERMSIG(how)));
  } else if (strstr(notice, "lost communication") || strstr(notice, "daemon has died")) {
    explain_host(notice, why, size);
  } else if (o->started) {
    o->notice = notice;
    snprintf(why, size, "the job broke off (mpirun's exit code %d)", code);
  } else if (code == 127) { /* the sentence came from become_mpirun */
    o->code = PEL_USAGE;
  } else {
    o->code = PEL_USAGE;
    o->unstarted = true;
    o->notice = notice;
    snprintf(why, size, "mpirun could not start the ranks (exit code %d)", code);
  }
}

void cli_attempt(const char *const *argv, const char *status, int signals, cli_watch *w,
                 int *interrupts, cli_outcome *o) {
  static launch l;
  l = (launch){.status = status, .signals = signals, .interrupts = interrupts, .watch = w};
  l.filter.hear = cli_watch_hear;
  l.filter.listener = w;
  *o = (cli_outcome){.notice = "", .said = ""};
  const int err = start(&l, argv);
  if (err) {
    o->code = PEL_INTERNAL;
    snprintf(o->why, sizeof o->why, "cannot start mpirun: %s", strerror(err));
    return;
  }
  const int how = attend(&l, o);
  close(l.text);
  cli_kill_leftovers();
  take_signals(&l); /* one that came with the end */
  o->said = l.filter.said;
  o->asked = l.stop;
  o->at_once = l.at_once;
  o->hung = l.hung;
  o->code = cli_status_read(status);
  o->started = o->code != CLI_STARTING || w->seen;
  if (o->code == PEL_OK && how && !l.hung) o->code = CLI_READY; /* a rank broke off after that */
  if (o->code < 0) explain(&l, how, o);
  if (o->code == PEL_OK) *o->why = 0; /* it got on after all, to a good end */
}
