/* A rank that was cut off must not go on writing once another attempt has the run directory.
 *
 * A host whose cable is out may still see the file system, and if all ranks are on it they get on
 * as if nothing had happened; others wait for messages for a quarter of an hour.  The supervisor
 * meanwhile starts the ranks anew.  Locks alone do not settle it: some file systems have none
 * between hosts.  So the lock file says whose the directory is, and each rank looks, every second
 * or so: when it names somebody else, the rank ends at once. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "journal.h"
#include "journal_parts.h"

struct pel__guard {
  pthread_t thread;
  char *path, owner[PEL__OWNER];
  time_t pause; /* [s] */
  sem_t stop;
  int rank;
};

/* Whether the file could be read and names another owner.  Each look opens it anew: network file
 * systems then ask the server. */
static bool is_taken(const pel__guard *g) {
  char text[PEL__OWNER];
  const int fd = open(g->path, O_RDONLY | O_CLOEXEC);
  const ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  if (n <= 0) return false;
  text[n] = 0;
  return strcmp(text, g->owner) != 0;
}

/* False: the guard is no longer wanted. */
static bool wait_for_next_look(pel__guard *g) {
  struct timespec next;
  int code;
  clock_gettime(CLOCK_REALTIME, &next);
  next.tv_sec += g->pause;
  do code = sem_timedwait(&g->stop, &next);
  while (code && errno == EINTR);
  return code != 0;
}

static void *stand(void *guard) {
  pel__guard *g = guard;
  while (wait_for_next_look(g)) {
    if (!is_taken(g)) continue;
    dprintf(STDERR_FILENO,
            "pelsim: rank %d was cut off and a later attempt has taken over its run directory: "
            "it ends\n",
            g->rank);
    _exit(PEL_INTERNAL);
  }
  return NULL;
}

/* Signals are for the thread that computes. */
static int start(pel__guard *g) {
  sigset_t all, before;
  sem_init(&g->stop, 0, 0);
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const int code = pthread_create(&g->thread, NULL, stand, g);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return code;
}

pel__guard *pel__guard_begin(MPI_Comm comm, const char *dir, const char *owner) {
  enum { LOOKS_A_SECOND = 100 }; /* of all ranks: a file system of thousands must not suffer */
  pel__guard *g = calloc(1, sizeof *g);
  char text[PEL__OWNER] = "";
  int size, rank;
  MPI_Comm_size(comm, &size);
  MPI_Comm_rank(comm, &rank);
  if (rank == 0 && owner && getenv("PELSIM_STARTER")) snprintf(text, sizeof text, "%s", owner);
  MPI_Bcast(text, sizeof text, MPI_CHAR, 0, comm);
  if (g) {
    *g = (pel__guard){.path = pel__path(dir, ".lock"),
                      .pause = 1 + (rank ? size / LOOKS_A_SECOND : 0),
                      .rank = rank};
    memcpy(g->owner, text, sizeof text);
    if (*text && g->path && start(g) == 0) return g;
    free(g->path);
  }
  free(g);
  return NULL; /* nobody restarts this run, or there is no thread to be had */
}

void pel__guard_end(pel__guard *g) {
  if (!g) return;
  sem_post(&g->stop);
  pthread_join(g->thread, NULL);
  sem_destroy(&g->stop);
  free(g->path);
  free(g);
}
