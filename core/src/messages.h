/* What ranks tell each other: records of which only the sender knows how many, exact sums, errors.
 */
#ifndef PEL_MESSAGES_H
#define PEL_MESSAGES_H

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "pelsim/error.h"

/* With whom: rank NULL means every rank of the communicator, this one among them. */
typedef struct {
  MPI_Comm comm;
  int n;
  const int *rank; /* [n] */
} pel__peers;

/* Sends count[i] records of `bytes` each to the i-th peer, as they follow each other in `send`.
 * Returns what has come, in order of peers, to be freed, and how many from each in got[n].
 * Collective among peers, who must all be each other's. */
void *pel__swap(const pel__peers *p, size_t bytes, const int *count, const void *send, int *got);

/* The same where it is known how many come from each, coming[n], and where they go. */
void pel__swap_known(const pel__peers *p, size_t bytes, const int *count, const void *send,
                     const int *coming, void *received);

/* Replaces each of n integers by its sum over the ranks.  Collective. */
void pel__sum_int128(MPI_Comm comm, __int128 *x, int n);

/* Everyone learns of failure on any rank: returns the code of the lowest rank that failed, and on
 * all ranks its text.  Collective. */
int pel__agree_error(MPI_Comm comm, pel_error *e);

/* The same where the error is that of the rank whose key comes first, by value and then ids: what
 * is told then does not depend on the layout. */
typedef struct {
  double value;
  int64_t id[2];
} pel__key;
bool pel__comes_first(const pel__key *a, const pel__key *b);
int pel__agree_first(MPI_Comm comm, pel__key key, pel_error *e);

#endif
