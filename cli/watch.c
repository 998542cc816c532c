/* The watchdog: a run without heartbeat is asked where its ranks are, twice; if none has done
 * anything in between, it hangs. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "launch.h"
#include "pelsim/memory.h"

static const double answers_within = 3; /* [s] */
static const double start_within = 60;  /* [s] at least, until the ranks listen */
enum { DISK_PATIENCE = 10 };            /* a sync may take long without a sign of life */

void cli_watch_begin(cli_watch *w, const char *dir, double limit, int ranks) {
  *w = (cli_watch){.dir = dir, .limit = limit, .ranks = ranks};
  w->answer = pel_calloc((size_t)ranks, sizeof *w->answer);
  w->before = pel_calloc((size_t)ranks, sizeof *w->before);
  if (dir) w->heartbeats = pel_heartbeats(dir);
}

void cli_watch_end(cli_watch *w) {
  free(w->answer);
  free(w->before);
}

bool cli_watch_hear(void *watch, const char *line) {
  cli_watch *w = watch;
  cli_answer a = {.heard = true};
  int rank;
  if (sscanf(line, PEL_WHEREABOUTS "%d: step %lld, %39[^,], %lld", &rank, &a.step, a.where,
             &a.done) != 4)
    return false;
  if (w->asking && rank >= 0 && rank < w->ranks) w->answer[rank] = a;
  return !w->overheard && (w->asking || w->compared); /* it may come too late */
}

static bool all_heard(const cli_watch *w) {
  int n = 0;
  for (int r = 0; r < w->ranks; ++r) n += w->answer[r].heard;
  return n == w->ranks;
}

static bool any_moved(const cli_watch *w) {
  for (int r = 0; r < w->ranks; ++r) {
    const cli_answer *now = &w->answer[r], *then = &w->before[r];
    if (now->heard && (!then->heard || now->done != then->done)) return true;
  }
  return false;
}

static bool any_at_disk(const cli_watch *w) {
  for (int r = 0; r < w->ranks; ++r)
    if (w->answer[r].heard && strstr(w->answer[r].where, "disk")) return true;
  return false;
}

/* The answers are in, or will not come. */
static cli_verdict judge(cli_watch *w) {
  const bool moved = !w->compared || any_moved(w),
             waits = all_heard(w) && any_at_disk(w) && w->patience < DISK_PATIENCE;
  w->asking = false;
  if (!moved && !waits) return CLI_HANGS;
  w->patience = moved ? 0 : w->patience + 1;
  w->compared = true;
  w->quiet = 0;
  memcpy(w->before, w->answer, (size_t)w->ranks * sizeof *w->answer);
  return CLI_GETS_ON;
}

cli_verdict cli_watch_look(cli_watch *w, double seconds, bool ready) {
  if (!w->dir || !(w->limit > 0)) return CLI_GETS_ON;
  const uint64_t heartbeats = pel_heartbeats(w->dir);
  w->quiet += seconds;
  if (heartbeats != w->heartbeats) {
    w->heartbeats = heartbeats;
    w->seen = true;
    w->quiet = 0;
    w->asking = w->compared = false;
    w->patience = 0;
    return CLI_GETS_ON;
  }
  if (w->asking)
    return all_heard(w) || w->quiet > fmin(answers_within, w->limit) ? judge(w) : CLI_GETS_ON;
  if (!ready) {
    w->unstarted = w->quiet > fmax(start_within, w->limit);
    return w->unstarted ? CLI_HANGS : CLI_GETS_ON;
  }
  if (w->quiet < w->limit) return CLI_GETS_ON;
  memset(w->answer, 0, (size_t)w->ranks * sizeof *w->answer);
  w->asking = true;
  w->quiet = 0;
  return CLI_ASK;
}

/* ---- the report ---- */

static void say_silent(int rank, char *text, size_t size) {
  pid_t pid;
  const char state = cli_rank_state(rank, &pid);
  if (state == 'T' || state == 't')
    snprintf(text, size, "does not answer: its process %d is stopped", (int)pid);
  else if (state == 'D')
    snprintf(text, size, "does not answer: its process %d waits for a device or a file system",
             (int)pid);
  else if (state)
    snprintf(text, size, "does not answer (process %d)", (int)pid);
  else
    snprintf(text, size, "does not answer, and is not on this machine");
}

static void say_where(const cli_watch *w, int rank, char *text, size_t size) {
  const cli_answer *a = &w->answer[rank];
  if (a->heard)
    snprintf(text, size, "is at step %lld, %s", a->step, a->where);
  else
    say_silent(rank, text, size);
}

void cli_watch_report(const cli_watch *w, char *why, size_t size) {
  char text[160], next[160], silent[200] = "";
  if (w->unstarted) {
    snprintf(why, size, "the ranks have not started within %g s, the job was ended",
             fmax(start_within, w->limit));
    return;
  }
  fprintf(stderr, "pelsim: no step for %g s and no sign of work; where the ranks are:\n",
          2 * w->limit);
  for (int r = 0, last; r < w->ranks; r = last + 1) {
    say_where(w, r, text, sizeof text);
    for (last = r; last + 1 < w->ranks; ++last) {
      say_where(w, last + 1, next, sizeof next);
      if (strcmp(text, next)) break;
    }
    if (last > r)
      fprintf(stderr, "  ranks %d to %d: each %s\n", r, last, text);
    else
      fprintf(stderr, "  rank %d %s\n", r, text);
    if (!w->answer[r].heard && !*silent) snprintf(silent, sizeof silent, "rank %d %s", r, text);
  }
  if (!*silent) {
    say_where(w, 0, text, sizeof text);
    snprintf(silent, sizeof silent, "rank 0 %s", text);
  }
  snprintf(why, size, "no progress for %g s, the job was ended: %s", 2 * w->limit, silent);
}
