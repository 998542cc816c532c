/* Halo exchange: pack, send, copy what is local; receive, unpack.
 *
 * Ranks on one node hand over messages in shared memory: the sender packs into its part of a
 * window, a message of no bytes says that it is there, the receiver unpacks from the same memory,
 * so that a halo cell is copied twice and never by MPI.  Each message has two buffers, used in
 * turn.  A rank packs one for the second time only after it has had the other's signal of the
 * exchange in between, which the other gave after it had unpacked: no acknowledgement is needed.
 * Other ranks get the packed buffer by MPI.  PELSIM_HALO=messages in the environment makes all do
 * so, should the node's shared memory be too small or broken. */
#include "halo.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "halo_plan.h"

enum { LINE = 64, TURNS = 2 }; /* bytes of a cache line; buffers a shared message */

typedef struct {
  double *send[TURNS];
  const double *recv[TURNS];
  bool shared;
  int node_rank;         /* of the peer in the node's communicator, or MPI_UNDEFINED */
  MPI_Aint mine, theirs; /* where the shared message lies in this rank's window and the peer's */
} wire;

struct pel__halo {
  pel__halo_plan plan;
  wire *wire;       /* [npeers] */
  MPI_Request *req; /* [2*npeers]: receives, then sends */
  int turn;
  MPI_Comm node; /* ranks with shared memory, if any are peers of each other */
  MPI_Win window;
  double *buffer; /* of the messages that go by MPI */
};

static size_t padded(size_t doubles) { /* bytes */
  return (doubles * sizeof(double) + LINE - 1) / LINE * LINE;
}

/* ---- shared memory ---- */

/* Which peers share memory with this rank, and where their messages go; bytes that needs. */
static size_t find_on_node(pel__halo *h, MPI_Comm comm) {
  size_t bytes = 0;
  MPI_Group all, node;
  MPI_Comm_group(comm, &all);
  MPI_Comm_group(h->node, &node);
  for (int i = 0; i < h->plan.npeers; ++i) {
    wire *w = &h->wire[i];
    MPI_Group_translate_ranks(all, 1, &h->plan.peer[i].rank, node, &w->node_rank);
    w->mine = (MPI_Aint)bytes;
    if (w->node_rank != MPI_UNDEFINED) bytes += TURNS * padded(h->plan.peer[i].nsend);
  }
  MPI_Group_free(&all);
  MPI_Group_free(&node);
  return bytes;
}

/* Errors of a window end the job as those of messages do. */
static void must(const pel__halo *h, int code) {
  if (code != MPI_SUCCESS) MPI_Comm_call_errhandler(h->node, code);
}

/* Allocates the window, all ranks of the node or none.  Collective on the node. */
static bool open_window(pel__halo *h, size_t bytes, char **mine) {
  MPI_Info info;
  MPI_Errhandler own;
  MPI_Info_create(&info);
  MPI_Info_set(info, "alloc_shared_noncontig", "true");
  MPI_Comm_get_errhandler(h->node, &own);
  MPI_Comm_set_errhandler(h->node, MPI_ERRORS_RETURN); /* for the allocation, and no other call */
  int good =
      MPI_Win_allocate_shared((MPI_Aint)bytes, 1, info, h->node, mine, &h->window) == MPI_SUCCESS;
  MPI_Comm_set_errhandler(h->node, own);
  MPI_Errhandler_free(&own);
  MPI_Info_free(&info);
  MPI_Allreduce(MPI_IN_PLACE, &good, 1, MPI_INT, MPI_MIN, h->node);
  if (good)
    MPI_Win_set_errhandler(h->window, MPI_ERRORS_RETURN);
  else
    h->window = MPI_WIN_NULL;
  return good;
}

/* Asks each peer on the node where its message lies, and takes the address. */
static void find_buffers(pel__halo *h, MPI_Comm comm, int tag, char *mine) {
  const int n = h->plan.npeers;
  for (int i = 0; i < n; ++i) {
    wire *w = &h->wire[i];
    const int with = w->node_rank != MPI_UNDEFINED ? h->plan.peer[i].rank : MPI_PROC_NULL;
    MPI_Irecv(&w->theirs, 1, MPI_AINT, with, tag, comm, &h->req[i]);
    MPI_Isend(&w->mine, 1, MPI_AINT, with, tag, comm, &h->req[n + i]);
  }
  MPI_Waitall(2 * n, h->req, MPI_STATUSES_IGNORE);
  for (int i = 0; i < n; ++i) {
    wire *w = &h->wire[i];
    if (w->node_rank == MPI_UNDEFINED) continue;
    const pel__peer *p = &h->plan.peer[i];
    MPI_Aint length;
    int unit;
    char *other;
    must(h, MPI_Win_shared_query(h->window, w->node_rank, &length, &unit, &other));
    w->shared = true;
    for (int t = 0; t < TURNS; ++t) {
      w->send[t] = (double *)(mine + w->mine + t * (MPI_Aint)padded(p->nsend));
      w->recv[t] = (double *)(other + w->theirs + t * (MPI_Aint)padded(p->nrecv));
    }
  }
}

/* Gives the peers on this node shared buffers, if all of the node's ranks may have them.
 * Collective on comm. */
static void share(pel__halo *h, MPI_Comm comm, int tag) {
  const char *choice = getenv("PELSIM_HALO");
  MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &h->node);
  const size_t bytes = find_on_node(h, comm);
  int agree[2] = {!(choice && strcmp(choice, "messages") == 0), bytes == 0}; /* allowed, useless */
  MPI_Allreduce(MPI_IN_PLACE, agree, 2, MPI_INT, MPI_MIN, h->node);
  char *mine;
  if (!agree[0] || agree[1] || !open_window(h, bytes ? bytes : LINE, &mine)) return;
  find_buffers(h, comm, tag, mine);
  must(h, MPI_Win_lock_all(MPI_MODE_NOCHECK, h->window));
}

/* What was written to shared memory before is seen by who learns of it by a message after. */
static void fence(pel__halo *h) {
  if (h->window == MPI_WIN_NULL) return;
  atomic_thread_fence(memory_order_seq_cst);
  must(h, MPI_Win_sync(h->window));
}

/* ---- create and destroy ---- */

static bool make_buffers(pel__halo *h) {
  size_t bytes = 0;
  for (int i = 0; i < h->plan.npeers; ++i)
    if (!h->wire[i].shared) bytes += padded(h->plan.peer[i].nsend) + padded(h->plan.peer[i].nrecv);
  h->buffer = bytes ? aligned_alloc(LINE, bytes) : NULL;
  if (bytes && !h->buffer) return false;
  char *next = (char *)h->buffer;
  for (int i = 0; i < h->plan.npeers; ++i) {
    if (h->wire[i].shared) continue;
    for (int t = 0; t < TURNS; ++t) {
      h->wire[i].send[t] = (double *)next;
      h->wire[i].recv[t] = (double *)(next + padded(h->plan.peer[i].nsend));
    }
    next += padded(h->plan.peer[i].nsend) + padded(h->plan.peer[i].nrecv);
  }
  return true;
}

static void make_requests(pel__halo *h, MPI_Comm comm, int tag) {
  const int n = h->plan.npeers;
  for (int i = 0; i < n; ++i) {
    const pel__peer *p = &h->plan.peer[i];
    const wire *w = &h->wire[i];
    const int nrecv = w->shared ? 0 : (int)p->nrecv, nsend = w->shared ? 0 : (int)p->nsend;
    if (w->shared || nrecv > 0)
      MPI_Recv_init((double *)w->recv[0], nrecv, MPI_DOUBLE, p->rank, tag, comm, &h->req[i]);
    if (w->shared || nsend > 0)
      MPI_Send_init(w->send[0], nsend, MPI_DOUBLE, p->rank, tag, comm, &h->req[n + i]);
  }
}

pel__halo *pel__halo_create(const pel__layout *l, MPI_Comm comm, int tag, const pel__halo_field *f,
                            int nfields) {
  pel__halo *h = calloc(1, sizeof *h);
  if (!h) return NULL;
  h->node = MPI_COMM_NULL;
  h->window = MPI_WIN_NULL;
  int good = pel__halo_plan_init(&h->plan, l, f, nfields);
  const size_t n = (size_t)h->plan.npeers;
  h->wire = calloc(n + 1, sizeof *h->wire);
  h->req = malloc((2 * n + 1) * sizeof *h->req);
  good = good && h->wire && h->req;
  for (size_t i = 0; h->req && i < 2 * n; ++i) h->req[i] = MPI_REQUEST_NULL;
  if (l->nranks > 1) {
    MPI_Allreduce(MPI_IN_PLACE, &good, 1, MPI_INT, MPI_MIN, comm);
    if (good) share(h, comm, tag);
    good = good && make_buffers(h);
    MPI_Allreduce(MPI_IN_PLACE, &good, 1, MPI_INT, MPI_MIN, comm);
  }
  if (!good) {
    pel__halo_destroy(h);
    return NULL;
  }
  make_requests(h, comm, tag);
  return h;
}

void pel__halo_destroy(pel__halo *h) {
  if (!h) return;
  for (int i = 0; h->req && i < 2 * h->plan.npeers; ++i)
    if (h->req[i] != MPI_REQUEST_NULL) MPI_Request_free(&h->req[i]);
  if (h->window != MPI_WIN_NULL) {
    must(h, MPI_Win_unlock_all(h->window));
    must(h, MPI_Win_free(&h->window));
  }
  if (h->node != MPI_COMM_NULL) MPI_Comm_free(&h->node);
  free(h->buffer);
  free(h->wire);
  free(h->req);
  pel__halo_plan_fini(&h->plan);
  free(h);
}

/* ---- exchange ---- */

void pel__halo_begin(pel__halo *h, double *const *data) {
  const int n = h->plan.npeers;
  h->turn = (h->turn + 1) % TURNS;
  for (int i = 0; i < n; ++i)
    if (h->req[i] != MPI_REQUEST_NULL) MPI_Start(&h->req[i]);
  for (int i = 0; i < n; ++i) {
    if (h->req[n + i] == MPI_REQUEST_NULL) continue;
    pel__copies_run(&h->plan.peer[i].pack, data, NULL, h->wire[i].send[h->turn]);
    fence(h);
    MPI_Start(&h->req[n + i]);
  }
  pel__copies_run(&h->plan.local, data, NULL, NULL);
}

void pel__halo_test(pel__halo *h) {
  for (int i = 0; i < 2 * h->plan.npeers; ++i) {
    int done = 1; /* a look at one that is not done moves all of them on */
    if (h->req[i] != MPI_REQUEST_NULL) MPI_Request_get_status(h->req[i], &done, MPI_STATUS_IGNORE);
    if (!done) return;
  }
}

void pel__halo_end(pel__halo *h, double *const *data) {
  const int n = h->plan.npeers;
  for (;;) {
    int i;
    MPI_Waitany(n, h->req, &i, MPI_STATUS_IGNORE);
    if (i == MPI_UNDEFINED) break;
    fence(h);
    pel__copies_run(&h->plan.peer[i].unpack, data, h->wire[i].recv[h->turn], NULL);
  }
  MPI_Waitall(n, h->req + n, MPI_STATUSES_IGNORE);
}

size_t pel__halo_bytes(const pel__halo *h) {
  size_t doubles = 0;
  for (int i = 0; i < h->plan.npeers; ++i) doubles += h->plan.peer[i].nsend;
  return doubles * sizeof(double);
}

bool pel__halo_remote(const pel__halo *h) { return h->plan.npeers > 0; }
