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
  MPI_Comm comm;
  int rank, fd, narrays;
  bool single;
  char path[PATH_MAX];
  int64_t n[3];
  pel__chunking c;
  int64_t *at; /* [narrays*npieces] where the chunks of the record being written lie */
  /* rank 0 */
  pel__overlay *o;
  hid_t file, column[PEL__NCOLUMNS];
  hid_t *var;
  int64_t records, size; /* in the file */
};

/* ---- the HDF5 side, on rank 0 ---- */

/* Forgets what was not committed. */
static void detach(pel_series *f) {
  for (int c = 0; c < PEL__NCOLUMNS; ++c)
    if (f->column[c] >= 0) H5Dclose(f->column[c]);
  for (int a = 0; a < f->narrays && f->var; ++a)
    if (f->var[a] >= 0) H5Dclose(f->var[a]);
  if (f->file >= 0) H5Fclose(f->file);
  for (int c = 0; c < PEL__NCOLUMNS; ++c) f->column[c] = -1;
  for (int a = 0; a < f->narrays && f->var; ++a) f->var[a] = -1;
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

/* The variable of an array, with records and chunks as we write them; *records of it. */
static bool open_variable(pel_series *f, const pel_snapshot *s, int a, int64_t *records) {
  const int rank = 1 + s->grid->dims;
  hsize_t shape[4] = {0}, want[4] = {1}, chunk[4] = {0};
  for (int i = 1; i < rank; ++i) {
    shape[i] = (hsize_t)s->grid->axis[rank - 1 - i].n;
    want[i] = (hsize_t)f->c.chunk[rank - 1 - i];
  }
  f->var[a] = H5Dopen2(f->file, s->arrays[a].name, H5P_DEFAULT);
  if (f->var[a] < 0) return false;
  const hid_t p = H5Dget_create_plist(f->var[a]), t = H5Dget_type(f->var[a]);
  const bool ok = H5Pget_layout(p) == H5D_CHUNKED && H5Pget_chunk(p, 4, chunk) == rank &&
                  H5Pget_nfilters(p) == 0 && !memcmp(chunk, want, sizeof chunk) &&
                  H5Tequal(t, f->single ? H5T_IEEE_F32LE : H5T_IEEE_F64LE) > 0;
  H5Pclose(p);
  H5Tclose(t);
  const int64_t n = ok ? records_of(f->var[a], rank, shape) : -1;
  if (n >= 0 && n < *records) *records = n;
  return n >= 0;
}

/* A field of the file that this run would not write: records would lack it. */
typedef struct {
  const pel_snapshot *s;
  char name[80]; /* "": none */
} stranger;

static herr_t look_for_stranger(hid_t file, const char *name, const H5L_info_t *link, void *to) {
  stranger *x = to;
  hsize_t n[H5S_MAX_RANK], most[H5S_MAX_RANK];
  (void)link;
  for (int a = 0; a < x->s->narrays; ++a)
    if (!strcmp(name, x->s->arrays[a].name)) return 0;
  const hid_t d = H5Dopen2(file, name, H5P_DEFAULT), space = d < 0 ? -1 : H5Dget_space(d);
  if (space >= 0 && H5Sget_simple_extent_dims(space, n, most) > 1 && most[0] == H5S_UNLIMITED)
    snprintf(x->name, sizeof x->name, "%s", name);
  if (space >= 0) H5Sclose(space);
  if (d >= 0) H5Dclose(d);
  return *x->name != 0;
}

/* Opens the file beneath f->fd; f->records becomes what all its datasets have. */
static int attach(pel_series *f, const pel_snapshot *s, pel_error *e) {
  f->o = pel__overlay_create(f->fd);
  f->file = f->o ? pel__overlay_h5open(f->o, true) : -1;
  if (f->file < 0)
    return pel_error_set(e, PEL_IO,
                         "%s cannot be continued: it is no HDF5 file or damaged; move "
                         "it away",
                         f->path);
  f->size = pel__overlay_size(f->o);
  f->records = INT64_MAX;
  for (int c = 0; c < PEL__NCOLUMNS; ++c) {
    f->column[c] = H5Dopen2(f->file, pel__column_name[c], H5P_DEFAULT);
    const int64_t n = f->column[c] < 0 ? -1 : records_of(f->column[c], 1, NULL);
    if (n < 0)
      return pel_error_set(e, PEL_IO,
                           "%s cannot be continued: it has no variable %s(time) as "
                           "pelsim writes it; move it away",
                           f->path, pel__column_name[c]);
    if (n < f->records) f->records = n;
  }
  for (int a = 0; a < s->narrays; ++a)
    if (!open_variable(f, s, a, &f->records))
      return pel_error_set(e, PEL_IO,
                           "%s cannot be continued: it has no variable %s of this grid in %s "
                           "precision; move it away or resume with the options it was written with",
                           f->path, s->arrays[a].name, f->single ? "single" : "double");
  stranger x = {.s = s};
  H5Literate(f->file, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, look_for_stranger, &x);
  if (*x.name)
    return pel_error_set(e, PEL_IO,
                         "%s cannot be continued: it has a variable %s, which this run does not "
                         "write; move it away or resume with the options it was written with",
                         f->path, x.name);
  return PEL_OK;
}

static bool set_records(pel_series *f, int64_t records) {
  bool ok = true;
  for (int i = 0; i < PEL__NCOLUMNS + f->narrays && ok; ++i) {
    const hid_t d = i < PEL__NCOLUMNS ? f->column[i] : f->var[i - PEL__NCOLUMNS];
    const hid_t s = H5Dget_space(d);
    hsize_t n[H5S_MAX_RANK];
    ok = s >= 0 && H5Sget_simple_extent_dims(s, n, NULL) > 0;
    if (s >= 0) H5Sclose(s);
    if (ok && n[0] != (hsize_t)records) {
      n[0] = (hsize_t)records;
      ok = H5Dset_extent(d, n) >= 0;
    }
  }
  return ok;
}

/* Leading records not later than `time`; -1: they cannot be read. */
static int64_t records_until(const pel_series *f, double time) {
  hsize_t n = 0;
  const hid_t s = H5Dget_space(f->column[PEL__TIME]);
  double *t = s >= 0 && H5Sget_simple_extent_dims(s, &n, NULL) == 1
                  ? malloc(((size_t)n + 1) * sizeof *t)
                  : NULL;
  int64_t keep = -1;
  if (t && (n == 0 || H5Dread(f->column[PEL__TIME], H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL,
                              H5P_DEFAULT, t) >= 0))
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

/* A complete file without records appears under its name at once (rank 0). */
static void create(pel_series *f, const pel_snapshot *s, pel_error *e) {
  char temporary[PATH_MAX + 8];
  snprintf(temporary, sizeof temporary, "%s.tmp", f->path);
  pel__overlay *o = pel__overlay_create(-1);
  if (!o) {
    pel_error_set(e, PEL_INTERNAL, "out of memory for %s", f->path);
  } else if (!pel__series_describe(o, s, f->single, &f->c, f->path, e)) {
    const int fd = open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    int err = fd < 0 ? errno : pel__reserve(fd, 0, pel__overlay_size(o));
    if (!err) err = pel__overlay_commit(o, fd, 0, PEL__GROWS);
    if (!err && fsync(fd)) err = errno;
    const int err2 = pel__close(fd);
    if (!err) err = err2;
    if (!err && rename(temporary, f->path)) err = errno;
    if (!err) err = pel__sync_directory_of(f->path);
    if (err) {
      if (fd >= 0) unlink(temporary);
      pel__io_error(e, "create", f->path, err, pel__overlay_size(o));
    }
  }
  pel__overlay_destroy(o);
}

static void destroy(pel_series *f) {
  if (!f) return;
  detach(f);
  (void)pel__close(f->fd);
  free(f->var);
  free(f->at);
  free(f);
}

static pel_series *allocate(const pel_snapshot *s, const char *path, bool single, pel_error *e) {
  pel_series *f = calloc(1, sizeof *f);
  if (!f) {
    pel_error_set(e, PEL_INTERNAL, "out of memory for %s", path);
    return NULL;
  }
  *f = (pel_series){.comm = s->comm,
                    .fd = -1,
                    .narrays = s->narrays,
                    .single = single,
                    .file = -1,
                    .column = {-1, -1, -1}};
  MPI_Comm_rank(s->comm, &f->rank);
  for (int a = 0; a < 3; ++a) f->n[a] = s->grid->axis[a].n;
  if (strlen(path) > PATH_MAX - 16)
    pel_error_set(e, PEL_IO, "cannot create %.60s...: the name is too long", path);
  snprintf(f->path, sizeof f->path, "%s", path);
  if (!pel__chunking_of(s->grid, single, &f->c, e)) {
    f->at = calloc((size_t)f->narrays * (size_t)f->c.npieces + 1, sizeof *f->at);
    f->var = malloc(((size_t)f->narrays + 1) * sizeof *f->var);
    for (int a = 0; a < f->narrays && f->var; ++a) f->var[a] = -1;
    if (!f->at || !f->var) pel_error_set(e, PEL_INTERNAL, "out of memory for %s", path);
  }
  return f;
}

pel_series *pel__series_open(const pel_snapshot *s, const char *path, bool append, bool single,
                             pel_error *e) {
  pel_error mine = {0};
  pel__ignore_sigxfsz();
  pel_series *f = allocate(s, path, single, &mine);
  if (!pel__agree(s->comm, &mine) && !pel__arrays_complete(s, &mine)) {
    const bool new = !append || access(path, F_OK);
    if (!f->rank && new) create(f, s, &mine);
    if (!pel__agree(s->comm, &mine)) {
      f->fd = open(path, O_RDWR | O_CLOEXEC);
      if (f->fd < 0) pel__io_error(&mine, "open", path, errno, 0);
    }
    if (!pel__agree(s->comm, &mine) && !f->rank && !attach(f, s, &mine) && !new)
      cut_after(f, s->time, &mine);
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
  if (!pel__agree(s->comm, &mine) && !f->rank && !access(path, F_OK)) {
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

static bool put_number(hid_t d, int64_t record, hid_t type, const void *x) {
  const hid_t s = H5Dget_space(d), one = H5Screate(H5S_SCALAR);
  const hsize_t at = (hsize_t)record, n = 1;
  const bool ok = H5Sselect_hyperslab(s, H5S_SELECT_SET, &at, NULL, &n, NULL) >= 0 &&
                  H5Dwrite(d, type, one, s, H5P_DEFAULT, x) >= 0;
  H5Sclose(one);
  H5Sclose(s);
  return ok;
}

/* Places of the chunks of variable a in the record just added. */
static bool find_chunks(pel_series *f, int a, int dims) {
  for (int p = 0; p < f->c.npieces; ++p) {
    const int64_t index = p * f->c.piece;
    const int64_t cell[3] = {index % f->n[0], index / f->n[0] % f->n[1], index / f->n[0] / f->n[1]};
    hsize_t at[4] = {(hsize_t)f->records}, size;
    haddr_t place;
    unsigned filters;
    for (int i = 0; i < dims; ++i) at[1 + i] = (hsize_t)cell[dims - 1 - i];
    if (H5Dget_chunk_info_by_coord(f->var[a], at, &filters, &place, &size) < 0 ||
        place == HADDR_UNDEF || size != (hsize_t)f->c.piece * (f->single ? 4 : 8))
      return false;
    f->at[a * f->c.npieces + p] = (int64_t)place;
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
  bool ok = set_records(f, f->records + 1) &&
            put_number(f->column[PEL__TIME], f->records, H5T_NATIVE_DOUBLE, &s->time) &&
            put_number(f->column[PEL__STEP], f->records, H5T_NATIVE_INT64, &s->step) &&
            put_number(f->column[PEL__HASH], f->records, H5T_NATIVE_UINT64, &hash);
  for (int a = 0; a < f->narrays && ok; ++a) ok = find_chunks(f, a, s->grid->dims);
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

/* Collective. */
static void write_record(const pel_series *f, const pel_snapshot *s, pel_error *e) {
  const bool cut = pel__rows_are_cut(s);
  int err = 0;
  for (int a = 0; a < f->narrays; ++a) {
    const pel__extent x = {
        {f->n[0], f->n[1], f->n[2]}, f->c.piece, f->at + a * f->c.npieces, f->single};
    const int err2 = cut    ? pel__array_write_rows(f->comm, f->fd, &s->arrays[a], &x)
                     : !err ? pel__array_write(f->fd, &s->arrays[a], &x)
                            : 0;
    if (!err) err = err2;
  }
  if (err) pel__io_error(e, "add a record to", f->path, err, 0);
}

static uint64_t hash_of(const pel_series *f, const pel_snapshot *s) {
  uint64_t mine = 0, all = 0;
  for (int a = 0; a < f->narrays; ++a) {
    const pel__extent x = {
        {f->n[0], f->n[1], f->n[2]}, pel__cells(s->grid), &(int64_t){0}, f->single};
    mine += pel__array_share(&s->arrays[a], &x);
  }
  MPI_Allreduce(&mine, &all, 1, MPI_UINT64_T, MPI_SUM, f->comm);
  return all;
}

int pel__series_append(pel_series *f, const pel_snapshot *s, pel_error *e) {
  pel_error mine = {0};
  if (s->narrays != f->narrays)
    return pel_error_set(e, PEL_INTERNAL, "a record of %d arrays for %s, which has %d", s->narrays,
                         f->path, f->narrays);
  const uint64_t hash = hash_of(f, s);
  if (!f->rank) extend(f, s, hash, &mine);
  if (!pel__agree(f->comm, &mine)) {
    MPI_Bcast(f->at, f->narrays * f->c.npieces, MPI_INT64_T, 0, f->comm);
    write_record(f, s, &mine);
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
