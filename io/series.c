/* Files that grow record by record, whatever their format. */
#define _GNU_SOURCE
#include "series.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "posix_io.h"
#include "shared_file.h"

struct pel_series {
  const pel__format *format;
  pel__growing *growing;
  int ngrowing;
  MPI_Comm comm;
  int rank, fd;
  bool single;
  char path[PATH_MAX];
  int64_t *at; /* where the chunks of the record being written lie, array after array */
  int nat;
  /* rank 0 */
  pel__overlay *o;
  hid_t file;
  hid_t *set;            /* [ngrowing] */
  int64_t records, size; /* in the file */
};

/* As the file counts it. */
static double time_of(const pel_snapshot *s) { return s->particles ? s->particles->time : s->time; }

/* ---- the HDF5 side, on rank 0 ---- */

/* Forgets what was not committed. */
static void detach(pel_series *f) {
  for (int i = 0; i < f->ngrowing && f->set; ++i) {
    if (f->set[i] >= 0) H5Dclose(f->set[i]);
    f->set[i] = -1;
  }
  if (f->file >= 0) H5Fclose(f->file);
  f->file = -1;
  pel__overlay_destroy(f->o);
  f->o = NULL;
}

/* Records of a dataset whose record has this shape, -1 if it has another. */
static int64_t records_of(hid_t d, int rank, const hsize_t *shape) {
  hsize_t n[H5S_MAX_RANK];
  const hid_t s = H5Dget_space(d);
  bool ok = s >= 0 && H5Sget_simple_extent_ndims(s) == rank &&
            H5Sget_simple_extent_dims(s, n, NULL) == rank;
  for (int i = 1; i < rank && ok; ++i) ok = n[i] == shape[i];
  if (s >= 0) H5Sclose(s);
  return ok ? (int64_t)n[0] : -1;
}

/* Opens what grows, if it has the records and chunks that we write; its records, or -1. */
static int64_t open_growing(pel_series *f, int i) {
  const pel__growing *g = &f->growing[i];
  hsize_t shape[4] = {0}, want[4] = {g->records}, chunk[4] = {0};
  memcpy(shape + 1, g->n, sizeof g->n);
  memcpy(want + 1, g->chunk, sizeof g->chunk);
  f->set[i] = H5Dopen2(f->file, g->name, H5P_DEFAULT);
  if (f->set[i] < 0) return -1;
  const hid_t p = H5Dget_create_plist(f->set[i]), t = H5Dget_type(f->set[i]);
  const bool ok = H5Pget_layout(p) == H5D_CHUNKED && H5Pget_chunk(p, 4, chunk) == 1 + g->rank &&
                  H5Pget_nfilters(p) == 0 && !memcmp(chunk, want, sizeof chunk) &&
                  H5Tequal(t, g->type) > 0;
  H5Pclose(p);
  H5Tclose(t);
  return ok ? records_of(f->set[i], 1 + g->rank, shape) : -1;
}

/* Opens the file beneath f->fd; f->records becomes what all its datasets have. */
static int attach(pel_series *f, const pel_snapshot *s, pel_error *e) {
  char what[200];
  f->o = pel__overlay_create(f->fd);
  if (!f->o) return pel__io_error(e, "open", f->path, errno, 0);
  f->file = pel__overlay_h5open(f->o, true);
  const int err = pel__overlay_error(f->o);
  if (err && err != ENODATA) return pel__io_error(e, "open", f->path, err, 0);
  if (f->file < 0)
    return pel_error_set(e, PEL_IO,
                         "%s cannot be continued: it is no HDF5 file or damaged; move "
                         "it away",
                         f->path);
  f->size = pel__overlay_size(f->o);
  f->records = INT64_MAX;
  for (int i = 0; i < f->ngrowing; ++i) {
    const int64_t n = open_growing(f, i);
    f->format->name(s, i, f->single, what, sizeof what);
    if (n < 0)
      return pel_error_set(
          e, PEL_IO, "%s cannot be continued: it has no %s; move it away%s", f->path, what,
          f->growing[i].npieces ? " or resume with the options it was written with" : "");
    if (n < f->records) f->records = n;
  }
  if (f->format->stranger(f->file, s, what, sizeof what))
    return pel_error_set(e, PEL_IO,
                         "%s cannot be continued: it has %s, which this run does not "
                         "write; move it away or resume with the options it was written with",
                         f->path, what);
  return PEL_OK;
}

static bool set_records(pel_series *f, int64_t records) {
  bool ok = true;
  for (int i = 0; i < f->ngrowing && ok; ++i) {
    const hid_t s = H5Dget_space(f->set[i]);
    hsize_t n[H5S_MAX_RANK];
    ok = s >= 0 && H5Sget_simple_extent_dims(s, n, NULL) > 0;
    if (s >= 0) H5Sclose(s);
    if (ok && n[0] != (hsize_t)records) {
      n[0] = (hsize_t)records;
      ok = H5Dset_extent(f->set[i], n) >= 0;
    }
  }
  return ok;
}

/* Leading records not later than `time`; -1: they cannot be read. */
static int64_t records_until(const pel_series *f, double time) {
  hsize_t n = 0;
  const hid_t s = H5Dget_space(f->set[PEL__TIME]);
  double *t = s >= 0 && H5Sget_simple_extent_dims(s, &n, NULL) == 1
                  ? malloc(((size_t)n + 1) * sizeof *t)
                  : NULL;
  int64_t keep = -1;
  if (t && (n == 0 ||
            H5Dread(f->set[PEL__TIME], H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, t) >= 0))
    for (keep = 0; keep < f->records && t[keep] <= time;) ++keep;
  free(t);
  if (s >= 0) H5Sclose(s);
  return keep;
}

/* Puts the changes on disk. */
static int commit(pel_series *f, pel__change change) {
  if (H5Fflush(f->file, H5F_SCOPE_GLOBAL) < 0) return ENOMEM;
  const int64_t size = pel__overlay_size(f->o);
  const int err = pel__overlay_commit(f->o, f->fd, f->size, change);
  if (!err) f->size = size;
  return err;
}

static void cut_after(pel_series *f, double time, pel_error *e) {
  const int64_t keep = records_until(f, time);
  int err = keep < 0 ? EIO : 0;
  if (!err && !set_records(f, keep)) err = ENOMEM;
  if (!err) err = commit(f, PEL__SHRINKS);
  f->records = keep;
  if (err) pel__io_error(e, "continue", f->path, err, 0);
}

/* ---- opening ---- */

static void temporary_of(const pel_series *f, char name[PATH_MAX + 8]) {
  snprintf(name, PATH_MAX + 8, "%s.tmp", f->path);
}

/* A complete file without records under a temporary name (rank 0). */
static void describe(pel_series *f, const pel_snapshot *s, pel_error *e) {
  char temporary[PATH_MAX + 8];
  temporary_of(f, temporary);
  pel__overlay *o = pel__overlay_create(-1);
  if (!o) {
    pel_error_set(e, PEL_INTERNAL, "out of memory for %s", f->path);
  } else if (!f->format->describe(o, s, f->single, f->growing, f->path, f->at, e)) {
    const int fd = open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    int err = fd < 0 ? errno : pel__reserve(fd, 0, pel__overlay_size(o));
    if (!err) err = pel__overlay_commit(o, fd, 0, PEL__GROWS);
    const int err2 = pel__close(fd);
    if (!err) err = err2;
    if (err) pel__io_error(e, "create", f->path, err, pel__overlay_size(o));
  }
  pel__overlay_destroy(o);
}

static int publish(const pel_series *f, const char *temporary) {
  if (fsync(f->fd) || rename(temporary, f->path)) return errno;
  return pel__sync_directory_of(f->path);
}

/* The file appears under its name when all ranks have written what belongs to no record.
 * Collective. */
static void create(pel_series *f, const pel_snapshot *s, pel_error *e) {
  char temporary[PATH_MAX + 8];
  temporary_of(f, temporary);
  if (!f->rank) describe(f, s, e);
  if (!pel__agree(f->comm, e)) {
    f->fd = open(temporary, O_RDWR | O_CLOEXEC);
    int err = f->fd < 0 ? errno : 0;
    if (f->format->fill) {
      MPI_Bcast(f->at, f->nat, MPI_INT64_T, 0, f->comm);
      if (!err) err = f->format->fill(f->fd, s, f->at);
    }
    if (err) pel__io_error(e, "create", f->path, err, 0);
  }
  if (!pel__agree(f->comm, e) && !f->rank) {
    const int err = publish(f, temporary);
    if (err) pel__io_error(e, "create", f->path, err, 0);
  }
  if (pel__agree(f->comm, e) && !f->rank) unlink(temporary);
}

static void destroy(pel_series *f) {
  if (!f) return;
  detach(f);
  (void)pel__close(f->fd);
  free(f->growing);
  free(f->set);
  free(f->at);
  free(f);
}

static pel_series *allocate(const pel_snapshot *s, const char *path, bool single, pel_error *e) {
  pel_series *f = calloc(1, sizeof *f);
  if (!f) {
    pel_error_set(e, PEL_INTERNAL, "out of memory for %s", path);
    return NULL;
  }
  *f = (pel_series){.format = s->particles ? &pel__format_trajectory : &pel__format_fields,
                    .comm = s->comm,
                    .fd = -1,
                    .single = single,
                    .file = -1};
  MPI_Comm_rank(s->comm, &f->rank);
  if (strlen(path) > PATH_MAX - 16)
    pel_error_set(e, PEL_IO, "cannot create %.60s...: the name is too long", path);
  snprintf(f->path, sizeof f->path, "%s", path);
  f->growing = f->format->growing(s, single, &f->ngrowing, e);
  if (!f->growing) return f;
  f->nat = PEL__STILL;
  for (int i = 0; i < f->ngrowing; ++i) f->nat += f->growing[i].npieces;
  f->at = calloc((size_t)f->nat, sizeof *f->at);
  f->set = malloc((size_t)f->ngrowing * sizeof *f->set);
  for (int i = 0; i < f->ngrowing && f->set; ++i) f->set[i] = -1;
  if (!f->at || !f->set) pel_error_set(e, PEL_INTERNAL, "out of memory for %s", path);
  return f;
}

/* Collective. */
static void open_existing(pel_series *f, pel_error *e) {
  f->fd = open(f->path, O_RDWR | O_CLOEXEC);
  if (f->fd < 0) pel__io_error(e, "open", f->path, errno, 0);
  pel__agree(f->comm, e);
}

pel_series *pel__series_open(const pel_snapshot *s, const char *path, bool append, bool single,
                             pel_error *e) {
  pel_error mine = {0};
  pel__ignore_sigxfsz();
  pel_series *f = allocate(s, path, single, &mine);
  if (!pel__agree(s->comm, &mine) && !pel__arrays_complete(s, &mine)) {
    int new = !append || (access(path, F_OK) && errno == ENOENT);
    MPI_Bcast(&new, 1, MPI_INT, 0, s->comm);
    if (new)
      create(f, s, &mine);
    else
      open_existing(f, &mine);
    if (!mine.code && !f->rank && !attach(f, s, &mine) && !new) cut_after(f, time_of(s), &mine);
    pel__agree(s->comm, &mine);
  }
  if (!mine.code) return f;
  destroy(f);
  pel_error_set(e, mine.code, "%s", mine.text);
  return NULL;
}

int pel__series_check(const pel_snapshot *s, const char *path, bool single, pel_error *e) {
  pel_error mine = {0};
  pel_series *f = allocate(s, path, single, &mine);
  if (!pel__agree(s->comm, &mine) && !f->rank && (!access(path, F_OK) || errno != ENOENT)) {
    f->fd = open(path, O_RDWR | O_CLOEXEC);
    if (f->fd < 0)
      pel__io_error(&mine, "open", path, errno, 0);
    else if (!attach(f, s, &mine) && records_until(f, 0) < 0)
      pel__io_error(&mine, "continue", path, EIO, 0);
  }
  pel__agree(s->comm, &mine);
  destroy(f);
  return mine.code ? pel_error_set(e, mine.code, "%s", mine.text) : PEL_OK;
}

/* ---- one record ---- */

static bool put_number(pel_series *f, int i, hid_t type, const void *x) {
  const pel__growing *g = &f->growing[i];
  hsize_t at[4] = {(hsize_t)f->records}, n[4] = {1};
  memcpy(n + 1, g->n, sizeof g->n);
  const hid_t all = H5Dget_space(f->set[i]), one = H5Screate_simple(1 + g->rank, n, NULL);
  const bool ok = H5Sselect_hyperslab(all, H5S_SELECT_SET, at, NULL, n, NULL) >= 0 &&
                  H5Dwrite(f->set[i], type, one, all, H5P_DEFAULT, x) >= 0;
  H5Sclose(one);
  H5Sclose(all);
  return ok;
}

static bool put_numbers(pel_series *f, const pel_snapshot *s, uint64_t hash) {
  double edges[9] = {0};
  for (int a = 0; a < 3 && s->particles; ++a) edges[4 * a] = s->particles->length[a];
  const double time = time_of(s);
  const struct {
    hid_t type;
    const void *value;
  } number[] = {[PEL__TIME] = {H5T_NATIVE_DOUBLE, &time},
                [PEL__STEP] = {H5T_NATIVE_INT64, &s->step},
                [PEL__HASH] = {H5T_NATIVE_UINT64, &hash},
                [PEL__EDGES] = {H5T_NATIVE_DOUBLE, edges}};
  bool ok = true;
  for (int i = 0; i < f->ngrowing && !f->growing[i].npieces && ok; ++i)
    ok = put_number(f, i, number[i].type, number[i].value);
  return ok;
}

/* Places of the chunks of g in the record just added. */
static bool find_chunks(pel_series *f, int i, int64_t *to) {
  const pel__growing *g = &f->growing[i];
  hsize_t at[4] = {(hsize_t)f->records}, size;
  for (int p = 0; p < g->npieces; ++p) {
    int64_t rest = p * g->piece;
    haddr_t place;
    unsigned filters;
    for (int d = g->rank; d > 0; rest /= (int64_t)g->n[--d]) at[d] = (hsize_t)rest % g->n[d - 1];
    if (H5Dget_chunk_info_by_coord(f->set[i], at, &filters, &place, &size) < 0 ||
        place == HADDR_UNDEF || size != (hsize_t)(g->piece * g->bytes))
      return false;
    to[p] = (int64_t)place;
  }
  return true;
}

/* Rank 0: the record exists in memory, and every byte it needs is reserved on disk. */
static void extend(pel_series *f, const pel_snapshot *s, uint64_t hash, pel_error *e) {
  if (f->file < 0) {
    pel_error_set(e, PEL_IO, "%s takes no more records: it could not be read again after an error",
                  f->path);
    return;
  }
  bool ok = set_records(f, f->records + 1) && put_numbers(f, s, hash);
  int64_t *at = f->at;
  for (int i = 0; i < f->ngrowing && ok; at += f->growing[i++].npieces) ok = find_chunks(f, i, at);
  if (ok) ok = H5Fflush(f->file, H5F_SCOPE_GLOBAL) >= 0;
  if (!ok) {
    pel_error_set(e, PEL_INTERNAL, "HDF5 could not add a record to %s", f->path);
    return;
  }
  const int64_t size = pel__overlay_size(f->o);
  const int err = pel__reserve(f->fd, f->size, size > f->size ? size : f->size);
  if (err) pel__io_error(e, "add a record to", f->path, err, size - f->size);
}

/* Rank 0: back to what is on disk. */
static void roll_back(pel_series *f, const pel_snapshot *s) {
  pel_error ignored = {0};
  const int64_t size = f->size, records = f->records;
  if (f->file < 0) return;
  detach(f);
  if (ftruncate(f->fd, size) == 0 && attach(f, s, &ignored) == PEL_OK && f->records == records)
    return;
  detach(f);
}

static uint64_t hash_of(const pel_series *f, const pel_snapshot *s) {
  uint64_t mine = f->format->share(s, f->single), all = 0;
  MPI_Allreduce(&mine, &all, 1, MPI_UINT64_T, MPI_SUM, f->comm);
  return all;
}

int pel__series_append(pel_series *f, const pel_snapshot *s, pel_error *e) {
  pel_error mine = {0};
  const uint64_t hash = hash_of(f, s);
  if (!f->rank) extend(f, s, hash, &mine);
  if (!pel__agree(f->comm, &mine)) {
    MPI_Bcast(f->at, f->nat, MPI_INT64_T, 0, f->comm);
    const int err = f->format->write(f->fd, s, f->single, f->growing, f->ngrowing, f->at);
    if (err) pel__io_error(&mine, "add a record to", f->path, err, 0);
  }
  if (!pel__agree(f->comm, &mine) && !f->rank) {
    const int err = commit(f, PEL__GROWS);
    if (err) pel__io_error(&mine, "add a record to", f->path, err, 0);
  }
  if (pel__agree(f->comm, &mine)) {
    if (!f->rank) roll_back(f, s);
    MPI_Barrier(f->comm); /* nobody goes on before the file is as it was */
    return pel_error_set(e, mine.code, "%s", mine.text);
  }
  ++f->records;
  return PEL_OK;
}

int pel__series_close(pel_series *f, pel_error *e) {
  if (!f) return PEL_OK;
  pel_error mine = {0};
  const MPI_Comm comm = f->comm;
  detach(f); /* every record is on disk already: nothing to write */
  if (fsync(f->fd)) pel__io_error(&mine, "complete", f->path, errno, 0);
  const int err = pel__close(f->fd);
  if (err) pel__io_error(&mine, "complete", f->path, err, 0);
  f->fd = -1;
  destroy(f);
  pel__agree(comm, &mine);
  return mine.code ? pel_error_set(e, mine.code, "%s", mine.text) : PEL_OK;
}
