/* A patch is walked as runs: stretches of one row that are contiguous in the file.  Runs that
 * follow each other in the file too (a patch of whole rows or planes) are moved by one call. */
#define _GNU_SOURCE
#include "shared_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include "posix_io.h"

enum {
  STAGE = 1 << 17,   /* elements of a staging buffer: fits a second-level cache */
  ROWS = 1024,       /* IOV_MAX of Linux */
  BEHIND = 64 << 20, /* bytes after which the disk is set to work */
};

int pel__agree(MPI_Comm comm, pel_error *e) {
  int rank, size, first;
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &size);
  const int mine = e->code ? rank : size;
  MPI_Allreduce(&mine, &first, 1, MPI_INT, MPI_MIN, comm);
  if (first < size) MPI_Bcast(e, (int)sizeof *e, MPI_BYTE, first, comm);
  return e->code;
}

/* ---- runs ---- */

typedef struct {
  const pel_array *a;
  const pel__extent *x;
  int64_t limit; /* longest run wanted */
  int patch, j, k, i;
} walk;

typedef struct {
  int patch, n;
  double *data;
  int64_t index, at; /* global index, place in the file */
} run;

static bool next(walk *w, run *r) {
  for (; w->patch < w->a->npatches; ++w->patch, w->j = w->k = w->i = 0) {
    const pel_patch *p = &w->a->patches[w->patch];
    for (; w->k < p->n[2]; ++w->k, w->j = 0) {
      for (; w->j < p->n[1]; ++w->j, w->i = 0) {
        if (w->i >= p->n[0]) continue;
        const pel__extent *x = w->x;
        const int64_t index =
            ((p->first[2] + w->k) * x->n[1] + p->first[1] + w->j) * x->n[0] + p->first[0] + w->i;
        const int64_t piece = index / x->piece, within = index % x->piece;
        int64_t n = p->n[0] - w->i;
        if (n > x->piece - within) n = x->piece - within;
        if (n > w->limit) n = w->limit;
        *r = (run){w->patch, (int)n, p->data + w->k * p->sz + w->j * p->sy + w->i, index,
                   x->at[piece] + within * (x->single ? 4 : 8)};
        w->i += (int)n;
        return true;
      }
    }
  }
  return false;
}

/* ---- writing ---- */

typedef struct {
  int fd, nv, err;
  bool single;
  int64_t at, bytes;         /* of the rows gathered so far */
  int64_t behind, behind_at; /* written, but the disk not yet told */
  struct iovec v[ROWS];
  float *stage; /* single: the rows gathered so far, converted */
} batch;

static void flush(batch *b) {
  if (b->single && b->bytes) b->v[0] = (struct iovec){b->stage, (size_t)b->bytes}, b->nv = 1;
  if (b->nv && !b->err) b->err = pel__pwritev(b->fd, b->v, b->nv, b->at);
  if (b->behind && b->at != b->behind_at + b->behind) b->behind = 0;
  if (!b->behind) b->behind_at = b->at;
  b->behind += b->bytes;
  if (b->behind >= BEHIND) { /* only a hint: what fails here fails again in fsync */
    (void)sync_file_range(b->fd, b->behind_at, b->behind, SYNC_FILE_RANGE_WRITE);
    b->behind = 0;
  }
  b->nv = 0;
  b->bytes = 0;
}

static void gather(batch *b, const run *r) {
  const int64_t bytes = (int64_t)r->n * (b->single ? 4 : 8);
  if (r->at != b->at + b->bytes || b->nv == ROWS || b->bytes + bytes > 8 * (int64_t)STAGE) flush(b);
  if (!b->bytes) b->at = r->at;
  if (b->single) {
    float *to = b->stage + b->bytes / 4;
    for (int i = 0; i < r->n; ++i) to[i] = (float)r->data[i];
  } else {
    b->v[b->nv++] = (struct iovec){r->data, (size_t)bytes};
  }
  b->bytes += bytes;
}

int pel__array_write(int fd, const pel_array *a, const pel__extent *x) {
  batch *b = calloc(1, sizeof *b);
  if (!b) return ENOMEM;
  b->fd = fd;
  b->single = x->single;
  b->stage = x->single ? malloc(8 * (size_t)STAGE) : NULL;
  if (x->single && !b->stage) b->err = ENOMEM;
  walk w = {.a = a, .x = x, .limit = STAGE};
  for (run r; !b->err && next(&w, &r);) gather(b, &r);
  if (!b->err) flush(b);
  const int err = b->err;
  free(b->stage);
  free(b);
  return err;
}

/* ---- reading ---- */

/* Runs near each other in the file, read by one call together with what lies between them: a gap
 * of some kilobytes costs less than another call. */
typedef struct {
  run r[ROWS];
  int n, width; /* bytes of an element */
  int64_t at, bytes;
  double wide[STAGE]; /* single: the elements of a run as doubles */
  char buffer[8 * STAGE];
} reader;

static int fetch(reader *q, int fd, uint64_t key, bool store, uint64_t *share) {
  const int err = q->n ? pel__pread(fd, q->buffer, (size_t)q->bytes, q->at) : 0;
  for (int i = 0; i < q->n && !err; ++i) {
    const run *r = &q->r[i];
    const void *from = q->buffer + (r->at - q->at);
    if (q->width == 4) {
      for (int p = 0; p < r->n; ++p) {
        float x;
        memcpy(&x, (const char *)from + 4 * p, sizeof x);
        q->wide[p] = (double)x;
      }
      from = q->wide;
    }
    share[r->patch] += pel_fingerprint_row(key, r->index, from, r->n);
    if (store) memcpy(r->data, from, (size_t)r->n * sizeof(double));
  }
  q->n = 0;
  return err;
}

/* Does run r belong to what is being collected? */
static bool fits(const reader *q, const run *r) {
  const int64_t bytes = (int64_t)r->n * q->width, gap = r->at - (q->at + q->bytes);
  const int64_t near = 4 * bytes < 32768 ? 4 * bytes : 32768;
  return q->n && q->n < ROWS && gap >= 0 && gap <= near &&
         q->bytes + gap + bytes <= (int64_t)sizeof q->buffer;
}

static int read_runs(int fd, const pel_array *a, const pel__extent *x, bool store,
                     uint64_t *share) {
  reader *q = malloc(sizeof *q);
  if (!q) return ENOMEM;
  q->n = 0;
  q->width = x->single ? 4 : 8;
  for (int p = 0; p < a->npatches; ++p) share[p] = 0;
  const uint64_t key = pel_fingerprint_key(a->name);
  walk w = {.a = a, .x = x, .limit = STAGE};
  int err = 0;
  for (run r; !err && next(&w, &r);) {
    if (!fits(q, &r)) {
      err = fetch(q, fd, key, store, share);
      q->at = r.at;
    }
    q->r[q->n++] = r;
    q->bytes = r.at + (int64_t)r.n * q->width - q->at;
  }
  if (!err) err = fetch(q, fd, key, store, share);
  free(q);
  return err;
}

int pel__array_read(int fd, const pel_array *a, const pel__extent *x, uint64_t *share) {
  return read_runs(fd, a, x, true, share);
}

int pel__array_check(int fd, const pel_array *a, const pel__extent *x, uint64_t *share) {
  return read_runs(fd, a, x, false, share);
}

uint64_t pel__array_share(const pel_array *a, const pel__extent *x) {
  const uint64_t key = pel_fingerprint_key(a->name);
  uint64_t sum = 0;
  double rounded[512];
  walk w = {.a = a, .x = x, .limit = x->single ? 512 : STAGE};
  for (run r; next(&w, &r);) {
    for (int i = 0; x->single && i < r.n; ++i) rounded[i] = (double)(float)r.data[i];
    sum += pel_fingerprint_row(key, r.index, x->single ? rounded : r.data, r.n);
  }
  return sum;
}

/* ---- checks ---- */

int pel__arrays_complete(const pel_snapshot *s, pel_error *e) {
  int64_t *cells = calloc((size_t)s->narrays + 1, sizeof *cells);
  if (!cells) pel_error_set(e, PEL_INTERNAL, "out of memory");
  for (int a = 0; cells && a < s->narrays; ++a) {
    for (int p = 0; p < s->arrays[a].npatches; ++p) {
      const pel_patch *q = &s->arrays[a].patches[p];
      cells[a] += (int64_t)q->n[0] * q->n[1] * q->n[2];
      for (int d = 0; d < 3; ++d)
        if (q->n[d] < 0 || q->first[d] < 0 || q->first[d] + q->n[d] > s->grid->axis[d].n)
          pel_error_set(e, PEL_INTERNAL, "patch %d of %s lies outside the grid", p,
                        s->arrays[a].name);
    }
  }
  if (pel__agree(s->comm, e)) {
    free(cells);
    return e->code;
  }
  MPI_Allreduce(MPI_IN_PLACE, cells, s->narrays, MPI_INT64_T, MPI_SUM, s->comm);
  for (int a = 0; a < s->narrays; ++a)
    if (cells[a] != pel__cells(s->grid))
      pel_error_set(e, PEL_INTERNAL, "the patches of %s hold %lld cells, the grid has %lld",
                    s->arrays[a].name, (long long)cells[a], (long long)pel__cells(s->grid));
  free(cells);
  return e->code;
}
