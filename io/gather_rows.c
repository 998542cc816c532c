/* Writing an array whose rows are cut: the pieces of each row are first brought together on one
 * rank, which then writes long stretches.  (Two-phase I/O: Thakur, Gropp & Lusk 1999,
 * doi:10.1109/FMPC.1999.750599.)  A kilobyte a system call is ten times slower.
 *
 * Rank r assembles the rows [R*r/P, R*(r+1)/P) of all R, a window of some megabytes a round. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "posix_io.h"
#include "shared_file.h"

enum { WINDOW = 4 << 20 }; /* bytes a rank assembles in a round */

/* Part of one row, as it travels: this, then n doubles. */
typedef struct {
  int64_t index, n;
} label;

typedef struct {
  const pel_array *a;
  const pel__extent *x;
  MPI_Comm comm;
  int rank, nranks;
  int64_t rows, batch;                  /* of the array; of a window */
  int *to_n, *to_at, *from_n, *from_at; /* bytes, by rank */
  char *out, *in;
  size_t out_room, in_room;
  double *window;
} desk;

static int64_t first_row(const desk *d, int rank) { return d->rows * rank / d->nranks; }

/* Rows that `rank` assembles in this round. */
static void window_of(const desk *d, int rank, int64_t round, int64_t *lo, int64_t *hi) {
  const int64_t end = first_row(d, rank + 1);
  *lo = first_row(d, rank) + round * d->batch;
  *hi = *lo + d->batch < end ? *lo + d->batch : end;
}

/* Copies this rank's parts of the rows [lo, hi) to `to`, or only counts their bytes if it is NULL.
 */
static size_t pack(const desk *d, int64_t lo, int64_t hi, char *to) {
  const int64_t ny = d->x->n[1];
  size_t bytes = 0;
  for (int p = 0; p < d->a->npatches && lo < hi; ++p) {
    const pel_patch *q = &d->a->patches[p];
    for (int k = 0; k < q->n[2]; ++k) {
      const int64_t plane = (q->first[2] + k) * ny + q->first[1];
      const int64_t j0 = lo > plane ? lo - plane : 0;
      const int64_t j1 = hi - plane < q->n[1] ? hi - plane : q->n[1];
      for (int64_t j = j0; j < j1; ++j) {
        const label l = {(plane + j) * d->x->n[0] + q->first[0], q->n[0]};
        const size_t size = (size_t)l.n * sizeof(double);
        if (to) {
          memcpy(to + bytes, &l, sizeof l);
          memcpy(to + bytes + sizeof l, q->data + k * q->sz + j * q->sy, size);
        }
        bytes += sizeof l + size;
      }
    }
  }
  return bytes;
}

static int grow(char **buffer, size_t *room, size_t want) {
  if (want <= *room) return 0;
  char *more = realloc(*buffer, want);
  if (!more) return ENOMEM;
  *buffer = more;
  *room = want;
  return 0;
}

/* Everyone's parts to whoever assembles them.  An errno is this rank's: all must then agree. */
static int exchange(desk *d, int64_t round) {
  size_t out = 0, in = 0;
  int64_t lo, hi;
  for (int r = 0; r < d->nranks; ++r) {
    window_of(d, r, round, &lo, &hi);
    d->to_at[r] = (int)out;
    d->to_n[r] = (int)pack(d, lo, hi, NULL);
    out += (size_t)d->to_n[r];
  }
  MPI_Alltoall(d->to_n, 1, MPI_INT, d->from_n, 1, MPI_INT, d->comm);
  for (int r = 0; r < d->nranks; in += (size_t)d->from_n[r++]) d->from_at[r] = (int)in;
  int err = out > INT32_MAX || in > INT32_MAX ? EOVERFLOW : 0;
  if (!err) err = grow(&d->out, &d->out_room, out + 1);
  if (!err) err = grow(&d->in, &d->in_room, in + 1);
  int worst;
  MPI_Allreduce(&err, &worst, 1, MPI_INT, MPI_MAX, d->comm);
  if (worst) return worst;
  for (int r = 0; r < d->nranks; ++r) {
    window_of(d, r, round, &lo, &hi);
    pack(d, lo, hi, d->out + d->to_at[r]);
  }
  MPI_Alltoallv(d->out, d->to_n, d->to_at, MPI_BYTE, d->in, d->from_n, d->from_at, MPI_BYTE,
                d->comm);
  return 0;
}

/* Rank's own window from what arrived, to the file. */
static int assemble(const desk *d, int64_t round, int fd) {
  int64_t lo, hi;
  window_of(d, d->rank, round, &lo, &hi);
  if (lo >= hi) return 0;
  const int64_t nx = d->x->n[0], first = lo * nx;
  const int last = d->nranks - 1;
  const char *end = d->in + d->from_at[last] + d->from_n[last];
  for (const char *p = d->in; p < end;) {
    label l;
    memcpy(&l, p, sizeof l);
    memcpy(d->window + (l.index - first), p + sizeof l, (size_t)l.n * sizeof(double));
    p += sizeof l + (size_t)l.n * sizeof(double);
  }
  /* the window as one long row */
  const pel_patch row = {
      .first = {first, 0, 0}, .n = {(int)((hi - lo) * nx), 1, 1}, .data = d->window};
  const pel_array one = {.name = d->a->name, .patches = &row, .npatches = 1};
  pel__extent flat = *d->x;
  flat.n[0] = d->rows * nx;
  flat.n[1] = flat.n[2] = 1;
  return pel__array_write(fd, &one, &flat);
}

bool pel__rows_are_cut(const pel_snapshot *s) {
  enum { SHORT = 8192 }; /* elements; longer stretches are fast as they are */
  int cut = 0;
  for (int a = 0; a < s->narrays; ++a)
    for (int p = 0; p < s->arrays[a].npatches; ++p)
      cut = cut || (s->arrays[a].patches[p].n[0] < s->grid->axis[0].n &&
                    s->arrays[a].patches[p].n[0] < SHORT);
  MPI_Allreduce(MPI_IN_PLACE, &cut, 1, MPI_INT, MPI_MAX, s->comm);
  return cut;
}

/* Rounds until the rank with most rows is done: the same number on every rank. */
static int64_t rounds_of(const desk *d) {
  const int64_t most = (d->rows + d->nranks - 1) / d->nranks;
  return (most + d->batch - 1) / d->batch;
}

int pel__array_write_rows(MPI_Comm comm, int fd, const pel_array *a, const pel__extent *x) {
  desk d = {.a = a, .x = x, .comm = comm, .rows = x->n[1] * x->n[2]};
  MPI_Comm_rank(comm, &d.rank);
  MPI_Comm_size(comm, &d.nranks);
  const int64_t bytes = x->n[0] * (int64_t)sizeof(double);
  d.batch = bytes < WINDOW ? WINDOW / bytes : 1;
  int *tables = calloc(4 * (size_t)d.nranks, sizeof *tables);
  d.window = malloc((size_t)(d.batch * bytes));
  int err = tables && d.window ? 0 : ENOMEM, worst, local = 0;
  MPI_Allreduce(&err, &worst, 1, MPI_INT, MPI_MAX, comm);
  if (tables) {
    d.to_n = tables, d.to_at = tables + d.nranks;
    d.from_n = tables + 2 * d.nranks, d.from_at = tables + 3 * d.nranks;
  }
  for (int64_t round = 0; round < rounds_of(&d) && !worst; ++round) {
    worst = exchange(&d, round);
    if (!worst && !local) local = assemble(&d, round, fd); /* who fails still takes part */
  }
  free(tables);
  free(d.window);
  free(d.out);
  free(d.in);
  return worst ? worst : local;
}
