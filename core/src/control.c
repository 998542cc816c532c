#define _GNU_SOURCE
#include "control.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "journal_parts.h"

/* ---- the batch system ---- */

/* The environment's name of a job, if it is one that a shell takes as a word. */
static const char *job(const char *variable) {
  const char *id = getenv(variable);
  for (const char *p = id; p && *p; ++p)
    if (!isalnum((unsigned char)*p) && !strchr("._-[]", *p)) return NULL;
  return id && *id ? id : NULL;
}

/* What a command says, its errors left out; "" if it fails. */
static void ask(const char *command, const char *id, char *text, size_t size) {
  char line[300];
  *text = 0;
  snprintf(line, sizeof line, command, id);
  FILE *f = popen(line, "re");
  if (!f) return;
  text[fread(text, 1, size - 1, f)] = 0;
  if (pclose(f)) *text = 0;
}

/* Slurm: when the job ends. */
static double slurm_left(void) {
  const char *end = getenv("SLURM_JOB_END_TIME"), *id = job("SLURM_JOB_ID");
  char text[100];
  struct tm when = {.tm_isdst = -1};
  if (end && strtod(end, NULL) > 0) return strtod(end, NULL) - (double)time(NULL);
  if (!id) return INFINITY;
  ask("squeue -h -j '%s' -o %%e 2>/dev/null", id, text, sizeof text);
  if (!strptime(text, "%Y-%m-%dT%H:%M:%S", &when)) return INFINITY;
  return difftime(mktime(&when), time(NULL));
}

/* hours:minutes:seconds behind `key = `; NAN: it is not there. */
static double clock_of(const char *text, const char *key) {
  const char *at = strstr(text, key);
  int h, m, s;
  if (!at || sscanf(at + strlen(key), " = %d:%d:%d", &h, &m, &s) != 3) return NAN;
  return 3600. * h + 60. * m + s;
}

/* PBS: what the job may use and has used. */
static double pbs_left(void) {
  const char *id = job("PBS_JOBID");
  char text[20000];
  if (!id) return INFINITY;
  ask("qstat -f '%s' 2>/dev/null", id, text, sizeof text);
  const double may = clock_of(text, "Resource_List.walltime"),
               has = clock_of(text, "resources_used.walltime");
  return isnan(may) ? INFINITY : may - (isnan(has) ? 0 : has);
}

/* INFINITY: there is none, or it does not say. */
static double batch_seconds_left(void) { return fmin(slurm_left(), pbs_left()); }

/* ---- the clock ---- */

double pel__checkpoint_interval(double cost, double mtbf) {
  if (cost >= 2 * mtbf) return mtbf;
  return sqrt(2 * cost * mtbf) * (1 + sqrt(cost / (2 * mtbf)) / 3 + cost / (2 * mtbf) / 9) - cost;
}

/* ---- files ---- */

enum { STOP, CHECKPOINT, OUTPUT, FILES };

static void name_file(const pel_sim *s, int which, char path[5000]) {
  static const char *const name[] = {"STOP", "CHECKPOINT", "OUTPUT"};
  snprintf(path, 5000, "%s/%s", s->dir, name[which]);
}

/* What was asked of an earlier run. */
static void forget_files(const pel_sim *s, pel__journal *j) {
  char path[5000];
  for (int which = 0; which < FILES; ++which) {
    name_file(s, which, path);
    if (!access(path, F_OK) && !unlink(path))
      pel__journal_say(j, "%s was there before this run: removed", path);
  }
}

static bool is_asked(pel__control *c, const pel_sim *s, int which) {
  char path[5000];
  name_file(s, which, path);
  c->asked[which] = !c->tells[which] && !access(path, F_OK);
  return c->asked[which];
}

void pel__control_done(pel__control *c, const pel_sim *s, bool saved, pel__journal *j) {
  char path[5000];
  for (int which = 0; which < FILES; ++which) {
    if (!c->asked[which]) continue;
    const bool done = saved || which == OUTPUT;
    name_file(s, which, path);
    c->asked[which] = false;
    c->tells[which] = unlink(path) && errno != ENOENT;
    if (c->tells[which])
      pel__journal_say(j, "%s is obeyed once, for it cannot be removed: %s", path, strerror(errno));
    else
      pel__journal_say(j, "%s: %s as asked at step %ld", path, done ? "done" : "could not be done",
                       (long)s->step);
  }
}

void pel__control_begin(pel__control *c, const pel_sim *s, double spent, bool restarted,
                        pel__journal *j) {
  const double now = MPI_Wtime(), own = s->set.run.walltime;
  *c = (pel__control){.start = now, .last = now, .saved = now, .looked = now, .limit = INFINITY};
  if (s->rank > 0) return;
  if (!restarted) forget_files(s, j);
  const double left = batch_seconds_left();
  if (own > 0) c->limit = own - spent;
  if (left >= c->limit) return;
  char text[PEL__SHORT];
  c->limit = left;
  pel__human_wait(text, fmax(left, 0));
  pel__journal_say(j, "the batch system ends this job in %s: the run stops before", text);
}

/* [s] of a checkpoint when none has been written yet: twice as many numbers a cell as most models
 * have, on a slow disk. */
static double guess(const pel_sim *s) {
  const double cells =
      (double)s->grid.axis[0].n * (double)s->grid.axis[1].n * (double)s->grid.axis[2].n;
  return 0.1 + cells * 16 * sizeof(double) / 100e6;
}

static const double ending = 2; /* [s] of the report, of MPI's end, and of a job script's */

pel__orders pel__control_ask(pel__control *c, const pel_sim *s, double cost) {
  static const double pause = 0.5; /* [s] between two looks at the directory */
  const double now = MPI_Wtime(), known = cost > 0 ? cost : guess(s),
               every = s->set.checkpoint.wall_interval > 0
                           ? s->set.checkpoint.wall_interval
                           : pel__checkpoint_interval(known, s->set.checkpoint.mtbf);
  pel__orders o = {.save = now - c->saved > every};
  c->longest = fmax(c->longest, now - c->last);
  c->last = now;
  o.late = now - c->start + 2 * (known + c->longest) + fmin(ending, c->limit / 4) > c->limit;
  if (now - c->looked < pause) return o;
  c->looked = now;
  o.stop = is_asked(c, s, STOP);
  o.save = is_asked(c, s, CHECKPOINT) || o.save;
  o.output = is_asked(c, s, OUTPUT);
  return o;
}
