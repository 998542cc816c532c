/* Particles from files: read on rank 0, and each rank gets those that it will be asked for. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "dynamics.h"
#include "pelsim/memory.h"

/* Whole arrays of rank 0, in place of which each rank keeps its slab. */
typedef struct {
  void **at;
  MPI_Datatype type;
  size_t bytes;
} column;

static int list(pel_particle_file *p, column *c) {
  int n = 0;
  for (int a = 0; a < 3; ++a) {
    c[n++] = (column){(void **)&p->x[a], MPI_DOUBLE, 8};
    c[n++] = (column){(void **)&p->v[a], MPI_DOUBLE, 8};
    c[n++] = (column){(void **)&p->image[a], MPI_INT32_T, 4};
  }
  c[n++] = (column){(void **)&p->type, MPI_INT32_T, 4};
  return n;
}

static void forget(pel_particle_file *p) {
  column c[10];
  const int n = list(p, c);
  for (int i = 0; i < n; ++i) {
    free(*c[i].at);
    *c[i].at = NULL;
  }
}

static void release(void *p) {
  forget(p);
  free(p);
}

/* The slab of a column; collective. */
static void scatter(pel_sim *s, const column *c, const pel_particle_file *p) {
  char *mine = pel_malloc((size_t)p->held * c->bytes + 1);
  if (s->rank > 0) {
    MPI_Recv(mine, (int)p->held, c->type, 0, 0, s->comm, MPI_STATUS_IGNORE);
  } else {
    char *all = *c->at;
    for (int r = 1; r < s->nranks; ++r) {
      const pel__slab slab = pel__slab_of(p->n, r, s->nranks);
      MPI_Send(all + (size_t)slab.first * c->bytes, (int)slab.n, c->type, r, 0, s->comm);
    }
    memcpy(mine, all, (size_t)p->held * c->bytes);
    free(all);
  }
  *c->at = mine;
}

static const pel_particle_file *share(pel_sim *s, pel_particle_file *p) {
  column c[10];
  pel_particle_file *mine = pel_calloc(1, sizeof *mine);
  *mine = *p;
  MPI_Bcast(mine, sizeof *mine, MPI_BYTE, 0, s->comm);
  const int n = list(mine, c);
  for (int i = 0; i < n && s->rank > 0; ++i) *c[i].at = NULL;
  const pel__slab slab = pel__slab_of(mine->n, s->rank, s->nranks);
  mine->first = slab.first;
  mine->held = s->resuming ? 0 : slab.n;
  if (s->resuming)
    forget(mine);
  else
    for (int i = 0; i < n; ++i) scatter(s, &c[i], mine);
  return pel__sim_keep(s, mine, release);
}

const pel_particle_file *pel_particles_read(pel_sim *s, const char *section, const char *key,
                                            const char *file, const char *format, const char *frame,
                                            const bool wall[3]) {
  pel_error e = {0};
  pel_particle_file p = {.n = 0};
  char path[PATH_MAX];
  pel__locate(file, s->config_path, path);
  if (s->rank == 0) s->host->io->particles_read(path, format, frame, wall, &p, &e);
  if (!e.code && p.n > (int64_t)s->nranks * (INT32_MAX / 4))
    pel_error_set(&e, PEL_USAGE, "%s has %lld particles; a rank may have %d: use more ranks", path,
                  (long long)p.n, INT32_MAX / 4);
  MPI_Bcast(&e, sizeof e, MPI_BYTE, 0, s->comm);
  if (!e.code) return share(s, &p);
  forget(&p);
  s->unreadable = s->unreadable || e.code == PEL_IO;
  pel_reject(s, section, key, "%s", e.text);
  return NULL;
}
