/* pelsim run -n R [--retries N]: start the ranks, watch them, and start them again from the newest
 * checkpoint when they break off or hang, as long as that gets the run on. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include "hosts.h"
#include "launch.h"
#include "pelsim/memory.h"

enum {
  MOST_OPTIONS = 48,
  FRUITLESS = 3,  /* attempts in a row without a newer checkpoint: it would go on like that */
  PAUSE_MS = 200, /* before a restart, */
  LONGER = 10,    /* so many times as long with each that follows without progress */
};

typedef struct {
  const cli_arguments *a;
  const pel_prospect *p; /* NULL: what is run has no directory */
  int ranks;             /* that were asked for */
  cli_hosts hosts;
  int started; /* ranks of this attempt: fewer if hosts are lost */
  cli_scratch scratch;
  int signals, interrupts;
  int64_t until; /* --steps as the step to stop at; 0: not given or not known */
  int64_t best;  /* step of the newest checkpoint so far; -1: none */
  int restarts, fruitless;
  bool begun, saved;     /* an attempt took the directory over; and left a checkpoint there */
  char account[5][1500]; /* of the newest failures, in turn */
} supervisor;

/* ---- the command line and the environment of mpirun ---- */

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

/* Whose death the ranks do not outlive for long: whoever finds their directory locked may wait. The
 * last word tells it from others with the same process id and name, in containers. */
static void tell_starter(const char *scratch) {
  char host[256] = "?", text[400];
  gethostname(host, sizeof host - 1);
  snprintf(text, sizeof text, "%ld %s %s@%lld", (long)getpid(), host, scratch + strlen(scratch) - 6,
           (long long)time(NULL));
  setenv("PELSIM_STARTER", text, 1);
}

static void tell_attempt(const supervisor *v) {
  char text[40];
  if (!v->restarts || !v->until) return;
  snprintf(text, sizeof text, "%" PRId64, v->until);
  setenv(CLI_UNTIL, text, 1);
}

/* Where Open MPI keeps its files: with those of this job, and away with them.  Other hosts have no
 * such directory. */
static void keep_together(const char *scratch) {
  if (cli_managed()) return;
  setenv("OMPI_MCA_orte_tmpdir_base", scratch, 0);
  setenv("OMPI_MCA_btl_vader_backing_directory", scratch, 0);
}

/* An attempt after the first goes on from what the one before has left.  If that never took the
 * directory over, or if others' checkpoints are newer than the one that was to be resumed from, it
 * is repeated as it was. */
static bool goes_on(const supervisor *v) {
  const bool from_file = v->a->resume && *v->a->resume;
  return v->begun && (v->saved || !from_file || v->best < 0);
}

static const char **command_line(const supervisor *v) {
  static const char *const passed[] = {CLI_STATUS,       CLI_SINCE,        CLI_UNTIL,
                                       "PELSIM_COLUMNS", "PELSIM_STARTER", CLI_GIVEN};
  const cli_arguments *a = v->a;
  const bool again = goes_on(v);
  const char **argv = pel_calloc((size_t)(MOST_OPTIONS + a->nworker), sizeof *argv);
  int n = 0;
  argv[n++] = find_mpirun();
  n = cli_place(v->started, (int)a->threads, argv, n);
  for (int i = 0; i < PEL_N(passed); ++i) {
    if (!getenv(passed[i])) continue;
    argv[n++] = "-x";
    argv[n++] = passed[i];
  }
  argv[n++] = cli_self();
  argv[n++] = a->worker[0];
  if (again) argv[n++] = "--auto-resume";
  for (int i = 1; i < a->nworker; ++i)
    if (!again || !a->once[i]) argv[n++] = a->worker[i];
  return argv;
}

/* ---- failures ---- */

/* Where this process cannot say why, a rank has. */
static const char *reason_of(const cli_outcome *o) {
  return *o->why ? o->why : *o->said ? o->said : "the job broke off";
}

static void note(supervisor *v, const cli_outcome *o, const pel_observation *then,
                 const pel_observation *now) {
  const char *why = reason_of(o);
  const bool mine = now->stamp != then->stamp;
  char *line = v->account[v->restarts % PEL_N(v->account)];
  if (mine) /* the heartbeat may be a second old */
    snprintf(line, sizeof v->account[0], "steps %" PRId64 " to %" PRId64 ": %s", now->first_step,
             now->step > now->checkpoint ? now->step : now->checkpoint, why);
  else
    snprintf(line, sizeof v->account[0], "before the first step: %s", why);
  if (mine && !v->begun) v->best = now->first_step > 0 ? now->first_step : -1;
  v->begun = v->begun || mine;
  v->saved = v->saved || now->saved != then->saved;
  v->fruitless = now->checkpoint > v->best ? 0 : v->fruitless + 1;
  if (now->checkpoint > v->best) v->best = now->checkpoint;
  if (!v->until && mine && v->a->steps > 0) v->until = now->first_step + v->a->steps;
}

/* Whether starting again may help: a job that broke off, an internal fault, ranks that were told to
 * stop although nobody told this process. */
static bool is_failure(const cli_outcome *o, const pel_observation *now, int restarts) {
  if (o->asked) return false;
  if (o->code < 0 || o->code == PEL_INTERNAL) return true;
  if (o->code == PEL_STOPPED) return strcmp(now->cause, "signal") == 0;
  return o->unstarted ||                                        /* a node that hiccups, or */
         (o->code == PEL_USAGE && restarts > 0 && !o->started); /* a host that was there is gone */
}

static void describe_stop(cli_outcome *o) {
  if (o->code == PEL_STOPPED && !*o->why)
    snprintf(o->why, sizeof o->why,
             "the ranks were told to stop by a signal that was not sent to this process");
}

static void tell_account(const supervisor *v, const char *reason) {
  const int n = v->restarts + 1, kept = n < PEL_N(v->account) ? n : PEL_N(v->account);
  cli_complain(0, "gave up after %d attempts: %s; what happened%s:", n, reason,
               kept < n ? ", of late" : "");
  for (int i = n - kept; i < n; ++i)
    fprintf(stderr, "  attempt %d, %s\n", i + 1, v->account[i % PEL_N(v->account)]);
  if (v->best >= 0)
    fprintf(stderr,
            "  the newest checkpoint is that of step %" PRId64 "; --resume goes on from it\n",
            v->best);
}

/* The milliseconds that a restart waits; < 0: the run is given up, or was not to be restarted. */
static int pause_before(const supervisor *v) {
  char reason[120];
  if (v->restarts < v->a->retries && v->fruitless < FRUITLESS) {
    int ms = PAUSE_MS;
    for (int i = 0; i < v->fruitless; ++i) ms *= LONGER;
    return ms;
  }
  if (!v->a->retries) return -1;
  if (v->fruitless >= FRUITLESS && v->restarts < v->a->retries)
    snprintf(reason, sizeof reason, "the last %d left no checkpoint newer than before",
             v->fruitless);
  else
    snprintf(reason, sizeof reason, "that is the limit of --retries=%d", (int)v->a->retries);
  tell_account(v, reason);
  return -1;
}

static void tell_restart(const supervisor *v, int ms) {
  char from[40] = "from where it began";
  if (goes_on(v) && v->best >= 0) snprintf(from, sizeof from, "from step %" PRId64, v->best);
  cli_complain(0, "%s; restart %d of at most %d in %.3g s, %s",
               v->account[(v->restarts - 1) % PEL_N(v->account)], v->restarts, (int)v->a->retries,
               1e-3 * ms, from);
}

/* False: the user asked to stop meanwhile. */
static bool rest(const supervisor *v, int ms) {
  struct pollfd p = {.fd = v->signals, .events = POLLIN};
  const double end = cli_now() + 1e-3 * ms;
  for (double left = 1e-3 * ms; left > 0; left = end - cli_now())
    if (poll(&p, 1, (int)(1000 * left) + 1) > 0 && cli_signals_stop(v->signals)) return false;
  return true;
}

/* Says how a job ended that no rank has told of; an exit code. */
static int tell_end(const cli_outcome *o, const char *advice) {
  if (*o->why)
    cli_complain(0, "%s%s%s%s", o->why, advice, *o->notice ? "; mpirun says:\n" : "", o->notice);
  return o->code < 0 ? PEL_INTERNAL : o->code;
}

static const char *advice_on(const pel_observation *now) {
  return now->checkpoint >= 0 ? "; 'pelsim run' with --resume continues from the newest checkpoint"
                              : "; there is no checkpoint yet: start again with --overwrite";
}

/* ---- the loop ---- */

/* Whom this attempt can have.  In the first, all must be there; later the run goes on with those
 * that are left: the bits are the same on any number of ranks. */
static int find_hosts(supervisor *v, cli_outcome *o) {
  char lost[900];
  *o = (cli_outcome){.notice = "", .said = ""};
  v->started = v->ranks;
  if (!v->hosts.n) return PEL_OK;
  cli_hosts_ask(&v->hosts);
  cli_hosts_name_lost(&v->hosts, lost, sizeof lost);
  const int slots = cli_hosts_slots(&v->hosts);
  if (*lost && (!v->restarts || !slots)) {
    o->code = PEL_USAGE;
    snprintf(o->why, sizeof o->why, "%s of the list of hosts cannot be reached: %s",
             slots ? "a host" : "no host", lost);
    return PEL_OK;
  }
  if (!v->restarts && v->ranks > slots)
    return cli_complain(PEL_USAGE, "%d ranks are too many for these hosts: they have %d slot%s",
                        v->ranks, slots, slots == 1 ? "" : "s");
  if (v->ranks > slots) v->started = slots;
  if (*lost)
    cli_complain(0, "going on without %s: %d rank%s on the hosts that are left", lost, v->started,
                 v->started == 1 ? "" : "s");
  return cli_hosts_use(&v->hosts, v->scratch.path);
}

static int attempt(supervisor *v, cli_outcome *o) {
  cli_watch watch;
  const int wrong = find_hosts(v, o);
  if (wrong || *o->why) return wrong;
  tell_attempt(v);
  cli_status_write(CLI_STARTING); /* takes the space: a later report cannot meet a full disk */
  const char **argv = command_line(v);
  cli_watch_begin(&watch, v->p ? v->p->dir : NULL, v->p ? v->p->hang_limit : 0, v->started);
  cli_attempt(argv, v->scratch.status, v->signals, &watch, &v->interrupts, o);
  cli_watch_end(&watch);
  free(argv);
  return PEL_OK;
}

static int supervise(supervisor *v) {
  for (;;) {
    static cli_outcome o;
    const pel_observation then =
        v->p ? pel_observe(v->p->dir) : (pel_observation){.checkpoint = -1};
    if (!v->restarts) v->best = then.checkpoint;
    const int wrong = attempt(v, &o);
    if (wrong) return wrong;
    if (!v->p) return tell_end(&o, "");
    const pel_observation now = pel_observe(v->p->dir);
    const bool mine = now.stamp != then.stamp;
    if (mine && o.code == CLI_UNKNOWN && now.code >= 0) { /* the report is lost, run.json is not */
      o.code = now.code;
      *o.why = 0;
    }
    if (mine && (o.code < 0 || (o.hung && *o.why)))
      pel_note_end(v->p->dir, PEL_INTERNAL, reason_of(&o));
    if (!is_failure(&o, &now, v->restarts))
      return tell_end(&o, o.code < 0 || o.at_once ? advice_on(&now) : "");
    if (v->a->retries) describe_stop(&o);
    note(v, &o, &then, &now);
    const int ms = pause_before(v);
    if (ms < 0)
      return v->a->retries ? PEL_INTERNAL : tell_end(&o, o.unstarted ? "" : advice_on(&now));
    ++v->restarts;
    tell_restart(v, ms);
    if (ms > PAUSE_MS) pel_note_restart(v->p->dir, 1e-3 * ms);
    if (!rest(v, ms))
      return cli_complain(v->best >= 0 ? PEL_STOPPED : CLI_INTERRUPTED,
                          "stopped on request while waiting for a restart");
  }
}

/* Ranks of a host talk through files in memory, and are killed if these may not be so large. */
static int check_file_limit(void) {
  const double needed = 4.3e6;
  struct rlimit limit;
  if (getrlimit(RLIMIT_FSIZE, &limit) || limit.rlim_cur == RLIM_INFINITY ||
      (double)limit.rlim_cur >= needed)
    return PEL_OK;
  return cli_complain(
      PEL_USAGE,
      "ranks talk through files of 4.2 MB in /dev/shm, but the limit on the size of "
      "files (ulimit -f) is %.3g MB: raise it, or use threads alone (-n 1)",
      1e-6 * (double)limit.rlim_cur);
}

int cli_launch(const cli_arguments *a, int ranks, const pel_prospect *p) {
  static supervisor v;
  v = (supervisor){.a = a, .p = p, .ranks = ranks, .best = -1};
  if (!cli_self()) return cli_complain(PEL_INTERNAL, "cannot find this program's file");
  int code = ranks > 1 || a->hosts ? check_file_limit() : PEL_OK;
  if (!code) code = cli_hosts_read(a->hosts, &v.hosts);
  if (ranks < 1) v.ranks = a->hosts ? cli_hosts_slots(&v.hosts) : 1;
  if (!code) code = cli_scratch_make(&v.scratch);
  if (code) return code;
  setenv(CLI_STATUS, v.scratch.status, 1);
  if (!v.hosts.n)
    keep_together(v.scratch.path); /* elsewhere its name may be swept as that of a dead job */
  tell_columns();
  tell_starter(v.scratch.path);
  v.signals = cli_signals_open();
  if (!code && v.signals < 0)
    code = cli_complain(PEL_INTERNAL, "cannot start mpirun: %s", strerror(errno));
  if (!code) code = supervise(&v);
  cli_scratch_end(&v.scratch);
  free(v.hosts.host);
  return code;
}
