/* Writing a checkpoint: describe it in memory (rank 0), reserve every byte, write (all ranks), read
 * back, sync, put in the fingerprints of what was read back, read back the rest, sync, rename, sync
 * the directory.
 * Whatever fails before the rename leaves the older checkpoints as they were. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "checkpoint_parts.h"
#include "posix_io.h"
#include "shared_file.h"

/* The temporary file, locked while its writer lives, every byte reserved (rank 0). */
static void create_temporary(pel__job *w, const char *dir, pel_error *e) {
  static const int how = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC;
  pel__checkpoint_sweep(dir);
  w->fd = open(w->temporary, how, 0644);
  if (w->fd < 0 && errno == ENOENT && mkdir(dir, 0777) == 0) w->fd = open(w->temporary, how, 0644);
  if (w->fd < 0) {
    pel__io_error(e, "create checkpoint", w->temporary, errno, w->size);
    return;
  }
  w->created = true;
  (void)flock(w->fd, LOCK_EX | LOCK_NB); /* not every file system has locks */
  const int err = pel__reserve(w->fd, 0, w->size);
  if (err) pel__io_error(e, "write checkpoint", w->path, err, w->size);
}

static pel__extent extent_of(const pel__job *w, int a) {
  const pel_axis *x = w->s->grid->axis;
  return (pel__extent){{x[0].n, x[1].n, x[2].n}, pel__cells(w->s->grid), &w->at[a], false};
}

/* Collective. */
static void write_arrays(pel__job *w, pel_error *e) {
  const pel_snapshot *s = w->s;
  if (w->rank) w->fd = open(w->temporary, O_RDWR | O_CLOEXEC);
  int err = w->fd < 0 ? errno : 0;
  if (err) pel__io_error(e, "write checkpoint", w->path, err, w->size);
  if (pel__agree(s->comm, e)) return;
  const bool cut = pel__rows_are_cut(s);
  for (int a = 0; a < s->narrays; ++a) {
    const pel__extent x = extent_of(w, a);
    const int err2 = cut    ? pel__array_write_rows(s->comm, w->fd, &s->arrays[a], &x)
                     : !err ? pel__array_write(w->fd, &s->arrays[a], &x)
                            : 0;
    if (!err) err = err2;
  }
  if (err) pel__io_error(e, "write checkpoint", w->path, err, w->size);
}

/* Only when everyone has written: this way what a wrong offset overwrote is found as well. */
static void read_back(pel__job *w, pel_error *e) {
  int err = 0;
  uint64_t *share = w->share;
  for (int a = 0; a < w->s->narrays && !err; share += w->s->arrays[a++].npatches) {
    const pel__extent x = extent_of(w, a);
    err = pel__array_check(w->fd, &w->s->arrays[a], &x, share);
  }
  if (!err && fsync(w->fd)) err = errno;
  if (w->rank) { /* rank 0 still has the rest to write */
    const int err2 = pel__close(w->fd);
    if (!err) err = err2;
    w->fd = -1;
  }
  if (err) pel__io_error(e, "write checkpoint", w->path, err, w->size);
}

/* Rank 0: what is no array, as a reader will check it. */
static void read_back_rest(const pel__job *w, pel_error *e) {
  pel__header h;
  uint64_t rest = 0;
  pel_error why = {0};
  bool good = false;
  if (pel__header_read(w->fd, w->path, &h, &why) == PEL__FILE_GOOD) {
    pel__overlay *o = pel__overlay_create(w->fd);
    good = o && !pel__header_rest(&h, o, &rest) && rest == h.rest;
    pel__overlay_destroy(o);
    pel__header_fini(&h);
  }
  if (!good)
    pel_error_set(e, PEL_IO,
                  "checkpoint %s is not kept: its description was read back otherwise than written "
                  "(failing disk or memory?)",
                  w->path);
}

/* Rank 0: the rest of the file, then its name. */
static void commit(pel__job *w, const char *dir, int keep, int64_t also, pel_error *e) {
  if (pel__describe_end(w, e)) return;
  int err = pel__overlay_commit(w->o, w->fd, w->size, PEL__GROWS);
  if (!err) read_back_rest(w, e);
  if (e->code) return;
  if (!err && fsync(w->fd)) err = errno;
  const int err2 = pel__close(w->fd);
  w->fd = -1;
  if (!err) err = err2;
  if (!err && rename(w->temporary, w->path)) err = errno;
  if (!err) w->created = false;
  if (!err) err = pel__sync_directory_of(w->path);
  if (err)
    pel__io_error(e, "write checkpoint", w->path, err, w->size);
  else
    pel__checkpoint_rotate(dir, w->s->step, keep, also);
}

/* Allocates and names; the job is ready for collective work if every rank succeeds. */
static void begin(pel__job *w, const pel_snapshot *s, const char *dir, pel_error *e) {
  *w = (pel__job){.s = s, .fd = -1, .file = -1};
  MPI_Comm_rank(s->comm, &w->rank);
  MPI_Comm_size(s->comm, &w->nranks);
  pel__ignore_sigxfsz();
  size_t patches = 0;
  for (int a = 0; a < s->narrays; ++a) patches += (size_t)s->arrays[a].npatches;
  pel__checkpoint_name(w->path, sizeof w->path, dir, s->step);
  snprintf(w->temporary, sizeof w->temporary, "%s.tmp", w->path);
  w->at = calloc((size_t)s->narrays + 1, sizeof *w->at);
  w->share = calloc(patches + 1, sizeof *w->share);
  if (!w->at || !w->share)
    pel_error_set(e, PEL_INTERNAL, "out of memory for checkpoint %s", w->path);
  if (strlen(dir) > PATH_MAX - 64)
    pel_error_set(e, PEL_IO, "cannot write checkpoints to %.60s...: the name is too long", dir);
}

static void end(pel__job *w) {
  (void)pel__close(w->fd); /* on success it has been closed and checked */
  if (w->file >= 0) H5Fclose(w->file);
  pel__overlay_destroy(w->o);
  if (w->created) unlink(w->temporary);
  pel__tables_fini(&w->tables);
  free(w->at);
  free(w->share);
}

int pel__checkpoint_write(const pel_snapshot *s, const char *dir, int keep, int64_t also,
                          pel_error *e) {
  pel__job w;
  pel_error mine = {0};
  begin(&w, s, dir, &mine);
  if (!pel__agree(s->comm, &mine) && !pel__arrays_complete(s, &mine) &&
      !pel__tables_gather(&w, &mine)) {
    if (!w.rank && !pel__describe(&w, &mine)) create_temporary(&w, dir, &mine);
    if (!pel__agree(s->comm, &mine)) {
      MPI_Bcast(w.at, s->narrays, MPI_INT64_T, 0, s->comm);
      write_arrays(&w, &mine);
    }
    if (!pel__agree(s->comm, &mine)) read_back(&w, &mine);
    if (!pel__agree(s->comm, &mine)) {
      pel__tables_gather_shares(&w);
      if (!w.rank) commit(&w, dir, keep, also, &mine);
      pel__agree(s->comm, &mine);
    }
  }
  end(&w);
  if (mine.code) MPI_Barrier(s->comm); /* nobody goes on before the temporary file is gone */
  return mine.code ? pel_error_set(e, mine.code, "%s", mine.text) : PEL_OK;
}
