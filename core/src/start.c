#include "start.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "events.h"
#include "journal_parts.h"

void pel__run_directory(const pel__settings *set, const pel_request *q, char *dir, size_t size) {
  if (q->dir)
    snprintf(dir, size, "%s", q->dir);
  else if (*set->output.dir)
    snprintf(dir, size, "%s", set->output.dir);
  else
    pel__standard_directory(dir, size, q->config);
}

/* Whether the file lies in the directory's checkpoints. */
static bool inside(const char *file, const char *run) {
  char own[5000], path[PATH_MAX], dir[PATH_MAX];
  snprintf(own, sizeof own, "%s/checkpoints", run);
  if (!realpath(own, dir) || !realpath(file, path)) return false;
  const size_t n = strlen(dir);
  return strncmp(path, dir, n) == 0 && (path[n] == '/' || !path[n]);
}

bool pel__continues(const pel_sim *s, const pel_request *q) {
  if (!q->resume || !*q->resume) return q->resume != NULL;
  int yes = s->rank == 0 && inside(q->resume, s->dir);
  MPI_Bcast(&yes, 1, MPI_INT, 0, s->comm);
  return yes;
}

pel__records pel__records_of(pel_sim *s) {
  const size_t n = (size_t)pel__measure_count(s) + 1;
  return (pel__records){.s = s,
                        .saved_step = -1,
                        .lost_after = -1,
                        .observed_step = -1,
                        .reference = pel_alloc(s, n * sizeof(double)),
                        .values = pel_alloc(s, n * sizeof(double))};
}

/* "" stands for the newest good checkpoint of the directory. */
int pel__start(pel__records *r, const pel_request *q, bool look_only, pel_error *e) {
  char newest[5000];
  if (!q->resume) return pel__initialise(r->s, e);
  snprintf(newest, sizeof newest, "%s/checkpoints", r->s->dir);
  pel__record_restore(r, *q->resume ? q->resume : newest, look_only, e);
  if (!pel__continues(r->s, q)) pel__record_forget_losses(r);
  return e->code;
}

static bool ended(const char *dir) {
  json_t *run = pel__run_json_load(dir);
  const bool yes = pel__run_json_complete(run);
  json_decref(run);
  return yes;
}

/* Says so of a run without checkpoints, as it did at its end. */
static void tell_ended(const char *dir) {
  json_t *run = pel__run_json_load(dir);
  const char *fingerprint = json_string_value(json_object_get(run, "fingerprint"));
  printf(
      "%s is complete; it left no checkpoint to go on from: --overwrite begins anew\n"
      "fingerprint: %s\n",
      dir, fingerprint ? fingerprint : "?");
  json_decref(run);
}

int pel__settle(MPI_Comm comm, const pel_host *host, pel_request *q, bool *done) {
  int rank, x[3] = {PEL_OK, false, false};
  pel_prospect p;
  *done = false;
  if (!q->auto_resume) return PEL_OK;
  MPI_Comm_rank(comm, &rank);
  if (rank == 0) {
    x[0] = pel_peek(host, q, &p);
    x[1] = x[0] == PEL_OK && pel__rundir_newest(p.dir) >= 0;
    x[2] = x[0] == PEL_OK && !x[1] && ended(p.dir);
    if (x[2]) tell_ended(p.dir);
  }
  MPI_Bcast(x, 3, MPI_INT, 0, comm);
  if (x[1]) q->resume = "";
  *done = x[2];
  return x[0];
}

bool pel__complete(const pel__records *r, bool continued, char *sentence, size_t size) {
  const pel_sim *s = r->s;
  char limit[200], longer[100], whose[4200];
  int yes = pel__finished(s) && (!continued || (s->rank == 0 && ended(s->dir)));
  MPI_Bcast(&yes, 1, MPI_INT, 0, s->comm);
  if (!yes) return false;
  if (s->set.time.end > 0) {
    snprintf(limit, sizeof limit, "[time] end = %.10g s", s->set.time.end);
    snprintf(longer, sizeof longer, "a later end, as in -s time.end=%.10g", 2 * s->set.time.end);
  } else {
    snprintf(limit, sizeof limit, "[time] steps = %ld", (long)s->set.time.steps);
    snprintf(longer, sizeof longer, "more steps, as in -s time.steps=%ld",
             2 * (long)s->set.time.steps);
  }
  snprintf(whose, sizeof whose, "%.4000s", continued ? s->dir : r->checkpoint);
  snprintf(sentence, size,
           "%s is complete: step %ld, at %.6g s, has reached %s; to go on, resume with %s", whose,
           (long)s->step, s->time, limit, longer);
  return true;
}
