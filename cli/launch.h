/* One attempt at running ranks under mpirun: who starts it, who watches it, who clears up. */
#ifndef CLI_LAUNCH_H
#define CLI_LAUNCH_H

#include <sys/types.h>
#include "command.h"

/* ---- watch.c: does the run get on? ---- */

/* What a rank says of itself when asked by SIGUSR2. */
typedef struct {
  bool heard;
  long long step, done; /* done: pieces of work */
  char where[40];
} cli_answer;

typedef struct {
  const char *dir; /* the run directory; NULL: nothing is watched */
  double limit;    /* [s] without a heartbeat until the ranks are asked; 0: never */
  int ranks;
  uint64_t heartbeats;
  double quiet;                /* [s] since the last sign of life, or since they were asked */
  bool asking, compared;       /* answers are awaited; there are earlier ones to compare with */
  bool overheard;              /* somebody else wants to hear the answers */
  bool seen;                   /* there was a heartbeat: the ranks had started */
  bool unstarted;              /* they had not for too long */
  int patience;                /* times that nothing had moved but a disk was being waited for */
  cli_answer *answer, *before; /* [ranks] */
} cli_watch;

typedef enum { CLI_GETS_ON, CLI_ASK, CLI_HANGS } cli_verdict;

void cli_watch_begin(cli_watch *w, const char *dir, double limit, int ranks);
void cli_watch_end(cli_watch *w);
/* To be called every now and then; seconds: since the last call.  ready: the ranks listen to
 * signals.  CLI_ASK: they are to be sent SIGUSR2 now. */
cli_verdict cli_watch_look(cli_watch *w, double seconds, bool ready);
/* A line that a rank has written: true if it is an answer. */
bool cli_watch_hear(void *watch, const char *line);
/* After CLI_HANGS: where each rank is, on stderr, and one sentence that says so in short. */
void cli_watch_report(const cli_watch *w, char *why, size_t size);

/* ---- processes.c: what this process has started, and what is left of it ---- */

/* The letter that /proc gives the state of this machine's process that is that rank of ours ('T':
 * stopped); 0: it is not here. */
char cli_rank_state(int rank, pid_t *pid);
/* Lets a process go on that somebody has stopped; others are left alone. */
void cli_wake(pid_t pid);
/* Kills what is left of a broken job: ranks that mpirun did not end before it ended itself, which
 * this process has inherited. */
void cli_kill_leftovers(void);
/* A directory for the files of one job, those of Open MPI too, in memory if possible. */
typedef struct {
  char path[64], status[96]; /* status: of the status file */
  int lock;                  /* on that file: the job's starter lives */
} cli_scratch;
/* Those of jobs whose starter was killed are removed.  0, or an exit code after a sentence. */
int cli_scratch_make(cli_scratch *s);
void cli_scratch_end(cli_scratch *s);

/* ---- launch.c: one attempt ---- */

typedef struct {
  int code;       /* exit code of the ranks; < 0: they could not say */
  bool started;   /* they were once ready to run */
  bool asked;     /* the user asked for a stop */
  bool unstarted; /* mpirun failed before */
  bool hung;
  bool at_once;       /* twice */
  char why[1200];     /* one sentence, if no rank has said it; "": one has */
  const char *said;   /* the newest sentence of a rank; "" */
  const char *notice; /* what mpirun said, for those whom the sentence does not help; "" */
} cli_outcome;

/* Blocks the signals that ask for a stop and returns a descriptor that tells of them; < 0: errno is
 * set. */
int cli_signals_open(void);
bool cli_signals_stop(int signals); /* whether one has come */
/* Runs argv (mpirun ...) to its end.  status: path of the status file; signals: of
 * cli_signals_open.  *interrupts counts SIGINT from one attempt to the next. */
void cli_attempt(const char *const *argv, const char *status, int signals, cli_watch *w,
                 int *interrupts, cli_outcome *o);

#endif
