/* State to files and back: checkpoints, output records. */
#ifndef PEL_RECORD_H
#define PEL_RECORD_H

#include "sim.h"

/* What a run has open and remembers. */
typedef struct {
  pel_sim *s;
  pel__journal *journal; /* rank 0 */
  pel_series *series;
  double *reference;      /* diagnostics at step 0 */
  double *values;         /* diagnostics now */
  char checkpoint[4096];  /* newest good one; empty: none */
  int64_t saved_step;     /* of it; -1 */
  double checkpoint_cost; /* seconds the last one took */
  const char *cause;      /* of a stop, as in pel__run_result; NULL: none */
  int64_t lost_records;   /* output records that could not be written, in earlier invocations too */
  int64_t lost_rows;      /* of diagnostics.csv, in earlier invocations */
  int64_t lost_after;     /* step of the newest checkpoint before the first of them; -1: none */
  bool told_output;       /* that a record was lost in this invocation */
  char resume_from[5000]; /* checkpoint that leads to all results, if it is not the newest */
  bool start_anew;        /* none does */
  int lost_checkpoints;   /* checkpoints in a row that could not be written */
  int lost_observables;   /* attempts in a row to write observables.h5 */
  int64_t observed_step;  /* of what observables.h5 holds; -1 */
  uint64_t series_inode;  /* of the output file when it was opened; rank 0 */
} pel__records;

/* Diagnostics to the CSV file; the first ones become the reference of invariants.  *e: a lost
 * invariant.  Collective. */
void pel__record_diagnostics(pel__records *r, pel_error *e);
/* Whether [output] asks for records at all. */
bool pel__writes_output(const pel_sim *s);
/* fields.nc, or trajectory.h5md of particles. */
void pel__output_path(const pel_sim *s, char path[5000]);
/* One record of it, opened at the first; a record that cannot be written is reported and left out.
 * *e: the file could not be opened.  Collective. */
void pel__record_output(pel__records *r, bool append, pel_error *e);
/* The output is complete as far as it goes: synced and closed; trouble is reported and counts as a
 * record.  Collective. */
void pel__record_output_end(pel__records *r);
/* Whether a run that goes on in its directory can append to the output there; touches nothing.
 * Collective. */
int pel__record_appendable(const pel__records *r, pel_error *e);
/* A checkpoint; false if it could not be written (reported, older ones stay).  Collective. */
bool pel__record_checkpoint(pel__records *r);
/* observables.h5, if anything is analysed; one that cannot be written is reported.  Collective. */
void pel__record_observables(pel__records *r);
/* A run that lost results does not end well: PEL_IO with what is missing and how to have it, else
 * PEL_OK.  Collective. */
int pel__record_account(pel__records *r, pel_error *e);
/* What was lost was another directory's. */
void pel__record_forget_losses(pel__records *r);
/* Restores state, step, time from a file or the newest good one of a directory.  look_only:
 * damaged ones are passed over in silence, else named and set aside.  Collective. */
int pel__record_restore(pel__records *r, const char *path, bool look_only, pel_error *e);

#endif
