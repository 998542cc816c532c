#include "record.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "analysis.h"
#include "dynamics.h"
#include "particle_output.h"
#include "pelsim/memory.h"

static pel_snapshot snapshot(pel_sim *s) {
  return (pel_snapshot){.comm = s->comm,
                        .grid = &s->grid,
                        .model = s->model->name,
                        .title = s->set.run.title,
                        .config = s->config_json,
                        .step = s->step,
                        .time = s->time};
}

enum { DT_LIMIT, DT, LOST_RECORDS, LOST_ROWS, LOST_AFTER, REFERENCES };

/* Rows of diagnostics.csv that are missing (rank 0). */
static int64_t rows_lost(const pel__records *r) {
  return r->lost_rows + pel__journal_lost(r->journal);
}

/* Numbers that are state: the step's length, the references of invariants; of particles, the box
 * and what the model has.  And what is missing of the results so far. */
static pel_scalar *scalars(const pel__records *r, int *n) {
  const pel_sim *s = r->s;
  const int count = pel__measure_count(s);
  const char *name[count + 1], *unit[count + 1];
  pel__measure_names(s, name, unit);
  const int more = pel__state_scalars(s, NULL);
  pel_scalar *x = pel_calloc((size_t)(count + more) + REFERENCES, sizeof *x);
  x[DT_LIMIT] = (pel_scalar){"dt_limit", s->dt_limit, false};
  x[DT] = (pel_scalar){"dt", s->dt, false};
  x[LOST_RECORDS] = (pel_scalar){"lost_records", (double)r->lost_records, false};
  x[LOST_ROWS] = (pel_scalar){"lost_rows", (double)rows_lost(r), false};
  x[LOST_AFTER] = (pel_scalar){"lost_after", (double)r->lost_after, false};
  *n = REFERENCES;
  for (int i = 0; i < count; ++i) {
    char *label = pel_malloc(128);
    snprintf(label, 128, "reference_%s", name[i]);
    x[(*n)++] = (pel_scalar){label, pel__measure_idle(s, i) ? NAN : r->reference[i], false};
  }
  *n += pel__state_scalars(s, x + *n);
  return x;
}

static void scalars_free(pel_scalar *x, int n) {
  for (int i = REFERENCES; i < n; ++i) free((char *)x[i].name);
  free(x);
}

static uint64_t inode_of(const char *path) { /* 0: it is not there */
  struct stat st;
  return stat(path, &st) ? 0 : (uint64_t)st.st_ino;
}

/* Something was lost that goes to this file.  From the newest checkpoint now it could be had again,
 * unless the file has gone, and earlier results with it.  (If the whole directory has, it may be
 * put back.) */
static void note_loss(pel__records *r, bool first, const char *path) {
  if (first) r->lost_after = r->saved_step;
  if (!inode_of(path) && inode_of(r->s->dir)) r->lost_after = -1;
}

static void note_lost_row(pel__records *r, int64_t lost_before) {
  char path[5000];
  const int64_t rows = rows_lost(r);
  snprintf(path, sizeof path, "%.4000s/diagnostics.csv", r->s->dir);
  if (r->lost_records + rows > lost_before) note_loss(r, !lost_before, path);
}

/* Time since t0 goes to one phase; what plans booked meanwhile is taken back. */
static void book(pel_sim *s, pel__phase_id phase, double t0, const double *before) {
  memcpy(s->seconds, before, sizeof s->seconds);
  s->seconds[phase] += MPI_Wtime() - t0;
}

void pel__record_diagnostics(pel__records *r, pel_error *e) {
  pel_sim *s = r->s;
  double before[PEL__NPHASES];
  const double t0 = MPI_Wtime();
  memcpy(before, s->seconds, sizeof before);
  pel__now_in(PEL__T_MEASURE);
  pel__measure_diagnostics(s, r->values);
  for (int i = 0; i < pel__measure_count(s); ++i)
    if (s->step == 0 || isnan(r->reference[i])) r->reference[i] = r->values[i];
  const int64_t lost = r->lost_records + rows_lost(r);
  pel__journal_row(r->journal, s->step, s->time, s->dt, r->values);
  note_lost_row(r, lost);
  if (s->set.diagnostics.invariants) pel__measure_watch(s, r->values, r->reference, e);
  book(s, PEL__T_MEASURE, t0, before);
}

/* A run that was killed before its first record, or resumed elsewhere, has no file yet.  A file
 * that cannot be asked for is left to the opening, which tells why: begun anew it would be lost. */
static bool file_exists(const pel_sim *s, const char *path) {
  int yes = s->rank == 0 && (inode_of(path) != 0 || errno != ENOENT);
  MPI_Bcast(&yes, 1, MPI_INT, 0, s->comm);
  return yes;
}

/* Writing to a file that someone has removed succeeds: look whether it is still the one we opened.
 */
static void check_still_there(const pel__records *r, const char *path, pel_error *e) {
  if (r->s->rank == 0 && inode_of(path) != r->series_inode)
    pel_error_set(e, PEL_IO, "%s was removed or replaced while the run was writing it", path);
  pel__agree_error(r->s->comm, e);
}

bool pel__writes_output(const pel_sim *s) {
  return s->set.output.interval > 0 || s->set.output.every > 0;
}

void pel__output_path(const pel_sim *s, char path[5000]) {
  snprintf(path, 5000, "%s/%s", s->dir, s->dynamics ? "trajectory.h5md" : "fields.nc");
}

/* A record, with its values if it is to be written now. */
static pel_snapshot output(pel_sim *s, bool now) {
  pel_snapshot x = snapshot(s);
  if (s->dynamics) {
    x.arrays = pel__trajectory_arrays(s, now, &x.narrays);
    x.particles = pel__trajectory_frame(s);
  } else {
    x.arrays = now ? pel__outputs_compute(s, &x.narrays) : pel__outputs_list(s, &x.narrays);
  }
  return x;
}

int pel__record_appendable(const pel__records *r, pel_error *e) {
  pel_sim *s = r->s;
  char path[5000];
  if (!pel__writes_output(s)) return PEL_OK;
  const pel_snapshot x = output(s, false);
  pel__output_path(s, path);
  return s->host->io->series_check(&x, path, s->set.output.precision == 1, e);
}

/* Said once. */
static void lose_record(pel__records *r, const char *sentence) {
  char path[5000];
  pel__output_path(r->s, path);
  if (!r->told_output) pel__journal_say(r->journal, "%s", sentence);
  r->told_output = true;
  note_loss(r, !r->lost_records && !rows_lost(r), path);
  ++r->lost_records;
}

void pel__record_output_end(pel__records *r) {
  pel_error e = {0};
  const int64_t lost = r->lost_records + rows_lost(r);
  pel__journal_sync(r->journal);
  note_lost_row(r, lost);
  if (r->series && r->s->host->io->series_close(r->series, &e)) lose_record(r, e.text);
  r->series = NULL;
}

void pel__record_output(pel__records *r, bool append, pel_error *e) {
  pel_sim *s = r->s;
  double before[PEL__NPHASES];
  const double t0 = MPI_Wtime();
  const bool reopened = append; /* what is due at this step was written before */
  char path[5000];
  pel_error trouble = {0};
  memcpy(before, s->seconds, sizeof before);
  const pel_snapshot x = output(s, true);
  pel__now_in(PEL__T_OUTPUT);
  pel__output_path(s, path);
  if (!r->series) {
    append = file_exists(s, path) && append;
    r->series = s->host->io->series_open(&x, path, append, s->set.output.precision == 1, e);
    r->series_inode = inode_of(path);
  }
  if (!e->code && !reopened && !s->host->io->series_append(r->series, &x, &trouble))
    check_still_there(r, path, &trouble);
  if (trouble.code) {
    char sentence[sizeof trouble.text + 100];
    snprintf(sentence, sizeof sentence, "output at step %ld left out: %s; the run goes on",
             (long)s->step, trouble.text);
    lose_record(r, sentence);
  }
  if (s->trajectory) pel__trajectory_release(s);
  book(s, PEL__T_OUTPUT, t0, before);
}

/* Arrays and numbers of the present state, to be freed with the return value, the state's arrays
 * alone, whose memory the others borrow. */
static pel_array *add_state(pel_sim *s, pel_snapshot *x) {
  int n;
  pel_array *state = pel__state_arrays(s, &n);
  x->arrays = pel__analysis_join(s, state, n, &x->narrays);
  x->numbers = pel__analysis_numbers(s, &x->nnumbers);
  return state;
}

void pel__record_observables(pel__records *r) {
  pel_error e = {0};
  if (r->observed_step == r->s->step) return;
  if (!pel__analysis_write(r->s, &e)) {
    r->lost_observables = 0;
    r->observed_step = r->s->step;
  } else if (r->lost_observables++ == 0) {
    pel__journal_say(r->journal, "%s; the run goes on", e.text);
  }
}

bool pel__record_checkpoint(pel__records *r) {
  pel_sim *s = r->s;
  const double t0 = MPI_Wtime();
  if (r->saved_step == s->step) return true;
  pel__now_in(PEL__T_CHECKPOINT);
  char dir[5000];
  snprintf(dir, sizeof dir, "%s/checkpoints", s->dir);
  pel_error e = {0};
  pel_snapshot x = snapshot(s);
  pel_array *state = add_state(s, &x);
  x.scalars = scalars(r, &x.nscalars);
  x.fingerprint = pel__state_fingerprint(s);
  s->host->io->checkpoint_write(&x, dir, (int)s->set.checkpoint.keep,
                                r->lost_records || rows_lost(r) ? r->lost_after : -1, &e);
  scalars_free(x.scalars, x.nscalars);
  free(x.arrays), free(x.numbers), free(state);
  pel__record_observables(r);
  if (e.code) {
    if (r->lost_checkpoints++ == 0)
      pel__journal_say(r->journal, "checkpoint at step %ld not written: %s; the run goes on",
                       (long)s->step, e.text);
  } else {
    r->lost_checkpoints = 0;
    snprintf(r->checkpoint, sizeof r->checkpoint, "%.4000s/step_%09ld.h5", dir, (long)s->step);
    r->saved_step = s->step;
  }
  r->checkpoint_cost = MPI_Wtime() - t0;
  s->seconds[PEL__T_CHECKPOINT] += r->checkpoint_cost;
  return !e.code;
}

/* How the lost results can be had; rank 0. */
static void find_way_back(pel__records *r, bool results) {
  char *from = r->resume_from;
  const bool kept = r->saved_step >= 0 && inode_of(r->checkpoint) != 0;
  r->start_anew = !kept || (results && r->lost_after < 0);
  if (!results || r->start_anew || r->lost_after == r->saved_step) return;
  snprintf(from, sizeof r->resume_from, "%.4000s/checkpoints/step_%09ld.h5", r->s->dir,
           (long)r->lost_after);
  r->start_anew = inode_of(from) == 0;
  if (r->start_anew) *from = 0;
}

int pel__record_account(pel__records *r, pel_error *e) {
  int64_t rows = rows_lost(r);
  pel__record_observables(r);
  MPI_Bcast(&rows, 1, MPI_INT64_T, 0, r->s->comm);
  const struct {
    int64_t n;
    const char *noun, *rest; /* noun NULL: it is not counted */
  } lost[] = {{r->lost_records, "output record", ""},
              {rows, "row", " of diagnostics.csv"},
              {r->lost_observables, NULL, "observables.h5"},
              {r->lost_checkpoints, NULL, "the last checkpoint"}};
  char list[200] = "";
  int kinds = 0, told = 0;
  for (int i = 0; i < PEL_N(lost); ++i) kinds += lost[i].n > 0;
  if (!kinds) return PEL_OK;
  for (int i = 0; i < PEL_N(lost); ++i) {
    if (!lost[i].n) continue;
    char item[80];
    if (lost[i].noun)
      snprintf(item, sizeof item, "%lld %s%s%s", (long long)lost[i].n, lost[i].noun,
               lost[i].n > 1 ? "s" : "", lost[i].rest);
    else
      snprintf(item, sizeof item, "%s", lost[i].rest);
    strcat(list, !told++ ? "" : told == kinds ? " and " : ", ");
    strcat(list, item);
  }
  find_way_back(r, r->lost_records || rows);
  return pel_error_set(
      e, PEL_IO,
      "%s could not be written; make room or repair the directory, then run again with %s%s", list,
      r->start_anew     ? "--overwrite"
      : *r->resume_from ? "--resume="
                        : "--resume or --overwrite",
      r->resume_from);
}

void pel__record_forget_losses(pel__records *r) {
  r->lost_records = r->lost_rows = 0;
  r->lost_after = -1;
}

static void say(void *ctx, const char *sentence) {
  (void)ctx;
  fprintf(stderr, "pelsim: %s\n", sentence);
}

int pel__record_restore(pel__records *r, const char *path, bool look_only, pel_error *e) {
  pel_sim *s = r->s;
  pel_snapshot x = snapshot(s);
  const int references = pel__measure_count(s);
  pel_array *state = add_state(s, &x);
  for (int i = 0; i < references; ++i) r->reference[i] = NAN; /* unless the file has it */
  x.scalars = scalars(r, &x.nscalars);
  s->host->io->checkpoint_read(&x, path, look_only ? NULL : say, NULL, r->checkpoint, e);
  if (!e->code && s->dynamics)
    pel__dynamics_restore(s, x.scalars + REFERENCES + references, r->checkpoint, e);
  if (!e->code) {
    s->step = r->saved_step = x.step;
    s->time = x.time;
    s->dt_limit = x.scalars[DT_LIMIT].value;
    s->dt = x.scalars[DT].value;
    r->lost_records = (int64_t)x.scalars[LOST_RECORDS].value;
    r->lost_rows = (int64_t)x.scalars[LOST_ROWS].value;
    r->lost_after = (int64_t)x.scalars[LOST_AFTER].value;
    for (int i = 0; i < references; ++i) r->reference[i] = x.scalars[REFERENCES + i].value;
    pel__state_adopt(s, state);
    pel__analysis_adopt(s, x.numbers);
  }
  scalars_free(x.scalars, x.nscalars);
  free(x.arrays), free(x.numbers), free(state);
  return e->code;
}
