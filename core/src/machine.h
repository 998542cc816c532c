/* The machine under a run: cores, affinity, memory bandwidth (hwloc). */
#ifndef PEL_MACHINE_H
#define PEL_MACHINE_H

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct {
  int cores;         /* in this rank's affinity mask */
  int node_cores;    /* of the node, as far as this job may use them */
  int node_ranks;    /* ranks of comm on this node */
  int node_rank;     /* number of this one among them */
  int nodes;         /* nodes of comm */
  int sharers;       /* ranks of the node whose masks overlap with this one's, itself included */
  int domains;       /* NUMA nodes or last-level caches that the mask touches */
  bool shares_cores; /* sharers > 1: ranks are not pinned */
  size_t l2, l3;     /* bytes of cache: L2 of a core, L3 share of a core; 0: unknown */
  size_t memory;     /* bytes of the node */
} pel__machine;

/* Collective. */
void pel__machine_look(MPI_Comm comm, pel__machine *m);

/* Threads to use a rank: the cores of the mask, divided by the ranks that share them, at least 1.
 */
int pel__machine_threads(const pel__machine *m);

/* Whether the ranks and threads of this run alone are more than the cores they share. */
bool pel__machine_crowded(const pel__machine *m, int threads);

/* One sentence if ranks*threads exceed the cores or ranks are unpinned although that matters, with
 * the command that fixes it; false if all is well. */
bool pel__machine_advice(const pel__machine *m, int threads, char *sentence, size_t size);

/* Seconds for which threads of this process were ready to run and had no core, all threads
 * together, since they began; < 0 if this system does not tell.  Local. */
double pel__machine_waited(void);

/* Bandwidth of all ranks together [B/s]: a copy with streaming stores, `threads` threads a rank,
 * arrays beyond the caches, about 50 ms, counting one load and one store.  Collective. */
double pel__machine_bandwidth(MPI_Comm comm, const pel__machine *m, int threads);

#endif
