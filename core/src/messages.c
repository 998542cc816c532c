#include "messages.h"
#include "pelsim/memory.h"

#include <stdlib.h>

enum { TAG_COUNT = 1, TAG_RECORDS = 2 };

static void exchange_counts(const pel__peers *p, const int *count, int *got) {
  if (!p->rank) {
    MPI_Alltoall(count, 1, MPI_INT, got, 1, MPI_INT, p->comm);
    return;
  }
  MPI_Request r[2 * p->n + 1];
  for (int i = 0; i < p->n; ++i)
    MPI_Irecv(&got[i], 1, MPI_INT, p->rank[i], TAG_COUNT, p->comm, &r[i]);
  for (int i = 0; i < p->n; ++i)
    MPI_Isend(&count[i], 1, MPI_INT, p->rank[i], TAG_COUNT, p->comm, &r[p->n + i]);
  MPI_Waitall(2 * p->n, r, MPI_STATUSES_IGNORE);
}

static void exchange_records(const pel__peers *p, MPI_Datatype record, size_t bytes,
                             const int *count, const char *send, const int *got, char *to) {
  MPI_Request r[2 * p->n + 1];
  int n = 0;
  for (int i = 0; i < p->n; to += bytes * (size_t)got[i++])
    if (got[i]) MPI_Irecv(to, got[i], record, p->rank[i], TAG_RECORDS, p->comm, &r[n++]);
  for (int i = 0; i < p->n; send += bytes * (size_t)count[i++])
    if (count[i]) MPI_Isend(send, count[i], record, p->rank[i], TAG_RECORDS, p->comm, &r[n++]);
  MPI_Waitall(n, r, MPI_STATUSES_IGNORE);
}

static void starts(const int *count, int n, int *start) {
  for (int i = 0, sum = 0; i < n; sum += count[i++]) start[i] = sum;
}

void pel__swap_known(const pel__peers *p, size_t bytes, const int *count, const void *send,
                     const int *coming, void *received) {
  MPI_Datatype record;
  MPI_Type_contiguous((int)bytes, MPI_BYTE, &record);
  MPI_Type_commit(&record);
  if (p->rank) {
    exchange_records(p, record, bytes, count, send, coming, received);
  } else {
    int from[p->n], to[p->n];
    starts(count, p->n, from), starts(coming, p->n, to);
    MPI_Alltoallv(send, count, from, record, received, coming, to, record, p->comm);
  }
  MPI_Type_free(&record);
}

void *pel__swap(const pel__peers *p, size_t bytes, const int *count, const void *send, int *got) {
  size_t total = 0;
  exchange_counts(p, count, got);
  for (int i = 0; i < p->n; ++i) total += (size_t)got[i];
  char *received = pel_malloc(total * bytes + 1);
  pel__swap_known(p, bytes, count, send, got, received);
  return received;
}

/* In limbs of 32, 32 and 64 bits, whose sums over ranks do not overflow. */
void pel__sum_int128(MPI_Comm comm, __int128 *x, int n) {
  int64_t limb[3 * n];
  for (int i = 0; i < n; ++i) {
    limb[3 * i] = (int64_t)(x[i] & UINT32_MAX);
    limb[3 * i + 1] = (int64_t)(x[i] >> 32 & UINT32_MAX);
    limb[3 * i + 2] = (int64_t)(x[i] >> 64);
  }
  MPI_Allreduce(MPI_IN_PLACE, limb, 3 * n, MPI_INT64_T, MPI_SUM, comm);
  for (int i = 0; i < n; ++i)
    x[i] = (__int128)limb[3 * i + 2] * ((__int128)1 << 64) +
           (__int128)limb[3 * i + 1] * ((__int128)1 << 32) + limb[3 * i];
}

int pel__agree_error(MPI_Comm comm, pel_error *e) {
  int rank, n, mine, first;
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &n);
  mine = e->code ? rank : n;
  MPI_Allreduce(&mine, &first, 1, MPI_INT, MPI_MIN, comm);
  if (first < n) MPI_Bcast(e, sizeof *e, MPI_BYTE, first, comm);
  return e->code;
}

bool pel__comes_first(const pel__key *a, const pel__key *b) {
  if (a->value != b->value) return a->value < b->value;
  if (a->id[0] != b->id[0]) return a->id[0] < b->id[0];
  return a->id[1] < b->id[1];
}

int pel__agree_first(MPI_Comm comm, pel__key key, pel_error *e) {
  typedef struct {
    pel__key key;
    int64_t failed;
  } told;
  int n, first = -1;
  MPI_Comm_size(comm, &n);
  told *all = pel_malloc((size_t)n * sizeof *all), mine = {key, e->code != PEL_OK};
  MPI_Allgather(&mine, sizeof mine, MPI_BYTE, all, sizeof mine, MPI_BYTE, comm);
  for (int r = 0; r < n; ++r)
    if (all[r].failed && (first < 0 || pel__comes_first(&all[r].key, &all[first].key))) first = r;
  free(all);
  if (first >= 0) MPI_Bcast(e, sizeof *e, MPI_BYTE, first, comm);
  return e->code;
}
