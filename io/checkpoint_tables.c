#include <stdlib.h>
#include <string.h>
#include "checkpoint_parts.h"
#include "shared_file.h"

void pel__tables_fini(pel__tables *t) {
  free(t->count);
  free(t->rank_n);
  free(t->rank_at);
  free(t->box);
  free(t->share);
  *t = (pel__tables){0};
}

static int own_count(const pel_snapshot *s) {
  int n = 0;
  for (int a = 0; a < s->narrays; ++a) n += s->arrays[a].npatches;
  return n;
}

static pel__box *own_boxes(const pel_snapshot *s) {
  pel__box *b = calloc((size_t)own_count(s) + 1, sizeof *b), *to = b;
  for (int a = 0; a < s->narrays && b; ++a) {
    for (int p = 0; p < s->arrays[a].npatches; ++p, ++to) {
      const pel_patch *q = &s->arrays[a].patches[p];
      for (int d = 0; d < 3; ++d) to->first[d] = q->first[d], to->cells[d] = q->n[d];
    }
  }
  return b;
}

/* How many boxes come from where; rank 0 makes room for them. */
static void gather_counts(pel__job *w, const int *mine, pel_error *e) {
  pel__tables *t = &w->tables;
  const int n = own_count(w->s);
  MPI_Gather(mine, w->s->narrays, MPI_INT, t->count, w->s->narrays, MPI_INT, 0, w->s->comm);
  MPI_Gather(&n, 1, MPI_INT, t->rank_n, 1, MPI_INT, 0, w->s->comm);
  for (int r = 0; r < w->nranks && !w->rank; t->n += t->rank_n[r++]) t->rank_at[r] = t->n;
  t->box = malloc(((size_t)t->n + 1) * sizeof *t->box);
  t->share = malloc(((size_t)t->n + 1) * sizeof *t->share);
  if (!t->box || !t->share)
    pel_error_set(e, PEL_INTERNAL, "out of memory for the block tables of %s", w->path);
}

int pel__tables_gather(pel__job *w, pel_error *e) {
  pel__tables *t = &w->tables;
  const size_t narrays = (size_t)w->s->narrays, nranks = (size_t)w->nranks;
  int *mine = calloc(narrays + 1, sizeof *mine);
  for (size_t a = 0; a < narrays && mine; ++a) mine[a] = w->s->arrays[a].npatches;
  pel__box *own = own_boxes(w->s);
  *t = (pel__tables){.count = calloc(nranks * narrays + 1, sizeof(int)),
                     .rank_n = calloc(nranks + 1, sizeof(int)),
                     .rank_at = calloc(nranks + 1, sizeof(int))};
  if (!mine || !own || !t->count || !t->rank_n || !t->rank_at)
    pel_error_set(e, PEL_INTERNAL, "out of memory for the block tables of %s", w->path);
  if (!pel__agree(w->s->comm, e)) gather_counts(w, mine, e);
  if (!pel__agree(w->s->comm, e)) {
    MPI_Datatype box;
    MPI_Type_contiguous((int)sizeof *own, MPI_BYTE, &box);
    MPI_Type_commit(&box);
    MPI_Gatherv(own, own_count(w->s), box, t->box, t->rank_n, t->rank_at, box, 0, w->s->comm);
    MPI_Type_free(&box);
  }
  free(own);
  free(mine);
  return e->code;
}

void pel__tables_gather_shares(pel__job *w) {
  pel__tables *t = &w->tables;
  MPI_Gatherv(w->share, own_count(w->s), MPI_UINT64_T, t->share, t->rank_n, t->rank_at,
              MPI_UINT64_T, 0, w->s->comm);
  for (int i = 0; i < t->n; ++i) t->box[i].fingerprint = t->share[i];
}

int pel__tables_rows(const pel__job *w, int a) {
  int n = 0;
  for (int r = 0; r < w->nranks; ++r) n += w->tables.count[r * w->s->narrays + a];
  return n;
}

pel__box *pel__tables_of(const pel__job *w, int a) {
  const pel__tables *t = &w->tables;
  pel__box *row = malloc(((size_t)t->n + 1) * sizeof *row);
  int n = 0;
  for (int r = 0; r < w->nranks && row; ++r) {
    const int *count = t->count + (ptrdiff_t)r * w->s->narrays;
    int at = t->rank_at[r];
    for (int b = 0; b < a; ++b) at += count[b];
    memcpy(row + n, t->box + at, (size_t)count[a] * sizeof *row);
    n += count[a];
  }
  return row;
}
