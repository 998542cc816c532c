/* What a model may ask of the layer (model.h), and memory that lives as long as the simulation. */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pelsim/memory.h"
#include "sim.h"

void *pel__keep(pel__allocation **list, void *memory, void (*release)(void *)) {
  pel__allocation *a = pel_malloc(sizeof *a);
  *a = (pel__allocation){*list, release, memory};
  *list = a;
  return memory;
}

void pel__release(pel__allocation **list) {
  while (*list) {
    pel__allocation *a = *list;
    *list = a->next;
    a->release(a->memory);
    free(a);
  }
}

void *pel__sim_keep(pel_sim *s, void *memory, void (*release)(void *)) {
  return pel__keep(&s->allocations, memory, release);
}

void *pel_alloc(pel_sim *s, size_t bytes) {
  return pel__sim_keep(s, pel_calloc(1, bytes ? bytes : 1), free);
}

void pel_reject(pel_sim *s, const char *section, const char *key, const char *fmt, ...) {
  char text[1000];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  pel__config_reject(s->config, section ? section : s->model->name, key, "%s", text);
}

bool pel_given(const pel_sim *s, const char *section, const char *key) {
  return pel__config_given(s->config, section ? section : s->model->name, key);
}

bool pel_resuming(const pel_sim *s) { return s->resuming; }

/* The first thread to fail writes the message. */
static void fail(pel_sim *s, int code, const char *fmt, va_list ap) {
  int none = 0;
  if (!atomic_compare_exchange_strong(&s->failed, &none, -1)) return;
  vsnprintf(s->failure, sizeof s->failure, fmt, ap);
  atomic_store(&s->failed, code);
}

void pel_fail(pel_sim *s, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  fail(s, PEL_INVALID, fmt, ap);
  va_end(ap);
}

void pel__fail(pel_sim *s, int code, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  fail(s, code, fmt, ap);
  va_end(ap);
}

/* ---- maps ---- */

static void free_map(void *p) {
  pel_map *m = p;
  free(m->lat), free(m->lon), free(m->value), free(m);
}

static pel_map *share_map(pel_sim *s, pel_map *m) {
  int n[2] = {m ? m->nlat : 0, m ? m->nlon : 0};
  MPI_Bcast(n, 2, MPI_INT, 0, s->comm);
  const size_t points = (size_t)n[0] * (size_t)n[1];
  if (!m) {
    m = pel_calloc(1, sizeof *m);
    *m = (pel_map){n[0], n[1], pel_malloc((size_t)n[0] * sizeof(double)),
                   pel_malloc((size_t)n[1] * sizeof(double)), pel_malloc(points * sizeof(double))};
  }
  MPI_Bcast(m->lat, n[0], MPI_DOUBLE, 0, s->comm);
  MPI_Bcast(m->lon, n[1], MPI_DOUBLE, 0, s->comm);
  MPI_Bcast(m->value, (int)points, MPI_DOUBLE, 0, s->comm);
  return m;
}

const pel_map *pel_map_read(pel_sim *s, const char *section, const char *key, const char *file,
                            const char *variable, const char *time, const char *level,
                            const char *unit) {
  pel_error e = {0};
  pel_map *m = NULL;
  char path[PATH_MAX];
  pel__locate(file, s->config_path, path);
  if (s->rank == 0) m = s->host->io->map_read(path, variable, time, level, unit, &e);
  MPI_Bcast(&e, sizeof e, MPI_BYTE, 0, s->comm);
  if (e.code) {
    s->unreadable = s->unreadable || e.code == PEL_IO;
    pel_reject(s, section, key, "%s", e.text);
    return NULL;
  }
  return pel__sim_keep(s, share_map(s, m), free_map);
}
