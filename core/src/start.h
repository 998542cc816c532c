/* Where a run begins: at step 0, or in a checkpoint; and when there is nothing left to begin. */
#ifndef PEL_START_H
#define PEL_START_H

#include "record.h"

/* The run directory: of the request, of [output] dir, or out/<name of the configuration>. */
void pel__run_directory(const pel__settings *set, const pel_request *q, char *dir, size_t size);

/* Decides auto_resume: q->resume becomes "" if the directory has checkpoints.  PEL_OK, or a code
 * after a sentence on stderr.  *done: the run is complete, which has been said, though it left no
 * checkpoint; its results must stay.  Collective. */
int pel__settle(MPI_Comm comm, const pel_host *host, pel_request *q, bool *done);

/* Whether the run goes on in its own directory, rather than not at all or from a checkpoint
 * elsewhere.  Collective. */
bool pel__continues(const pel_sim *s, const pel_request *q);

/* Records of s with nothing open. */
pel__records pel__records_of(pel_sim *s);

/* The state at step 0, or the one that the request resumes.  look_only: leaves damaged checkpoints
 * where they are.  Collective. */
int pel__start(pel__records *r, const pel_request *q, bool look_only, pel_error *e);

/* After pel__start on resume: true, with a sentence, if the run had come to its end before.  One
 * that was killed after its last checkpoint had not: it still has to say how it ended.
 * Collective. */
bool pel__complete(const pel__records *r, bool continued, char *sentence, size_t size);

#endif
