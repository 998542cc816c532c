/* Tiles: a chain's blocks cut into boxes whose working set fits the cache of a core. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pelsim/memory.h"
#include "plan.h"

static int min(int a, int b) { return a < b ? a : b; }
static int max(int a, int b) { return a > b ? a : b; }

static int even_share(int n, int pieces) { return (n + pieces - 1) / pieces; }

/* Shape for a block: whole rows unless they are very long, for memory streams best without gaps,
 * then as many rows as fit half the L2 cache, whole planes last.  A widened chain gets thick tiles,
 * for its rims are computed twice. */
static void shape(const pel_sim *s, const pel__op *op, const pel__block *b, int tile[3]) {
  const int rim = op->rim;
  int arrays = op->nscratch + 1;
  for (int v = 0; v < s->nvars; ++v) arrays += s->vars[v].stored && op->need[v] >= 0;
  const int budget = max(1024, (int)(s->machine.l2 / 2 / sizeof(double)) / max(arrays, 1));
  const int dims = s->grid.dims;
  if (dims == 1) {
    tile[0] = max(64, budget - 2 * rim), tile[1] = tile[2] = 1;
  } else {
    const int thick = dims == 3 ? (rim ? 8 + 2 * rim : 1 + 2 * rim) : 1;
    const int pieces = max(1, (b->n[0] + 2047) / 2048);
    tile[0] = (even_share(b->n[0], pieces) + 7) / 8 * 8;
    tile[1] = max(rim ? 8 * rim : 4, budget / thick / (tile[0] + 2 * rim) - 2 * rim);
    tile[2] = dims == 3 ? thick - 2 * rim : 1;
    const int64_t per_thread = (int64_t)b->n[1] * b->n[2] / (4 * s->threads);
    if (per_thread < tile[1]) tile[1] = max(1, (int)per_thread);
    /* As many tiles along y as threads can share evenly. */
    const int rows = max(1, (b->n[1] + tile[1] - 1) / tile[1]);
    tile[1] = even_share(b->n[1], (rows + s->threads - 1) / s->threads * s->threads);
  }
  int given[3];
  const int n = sscanf(s->set.parallel.tile, "%dx%dx%d", &given[0], &given[1], &given[2]);
  for (int a = 0; a < n; ++a) tile[a] = given[a];
  for (int a = 0; a < 3; ++a) {
    tile[a] = max(1, min(tile[a], b->n[a]));
    /* Equal tiles: threads share them by number, so that a thin last one is somebody's short day.
     */
    if (a >= n && a > 0) tile[a] = even_share(b->n[a], (b->n[a] + tile[a] - 1) / tile[a]);
  }
}

/* Whether a spectral stage after the chain acts on any array in row (j, k) of the grid. */
static bool filtered(const pel_sim *s, const pel__plan *p, const pel__op *op, int64_t j,
                     int64_t k) {
  for (const pel__op *o = op + 1; o < p->op + p->nops; ++o)
    for (int i = 0; o->spectral && i < o->spectral->nwrites; ++i) {
      const pel__var *v = pel__var_at(s, o->spectral->writes[i]);
      if (v && (!o->spectral->line || o->spectral->line(s->local.lines, v->field->place, j, k)))
        return true;
    }
  return false;
}

/* Rows of a block along axis 1 that the filter touches in any plane. */
static bool *rows_filtered(const pel_sim *s, const pel__plan *p, const pel__op *op,
                           const pel__block *b) {
  bool *row = pel_calloc((size_t)b->n[1], sizeof *row);
  for (int j = 0; op->deferred && j < b->n[1]; ++j)
    for (int k = 0; k < b->n[2] && !row[j]; ++k)
      row[j] = filtered(s, p, op, b->first[1] + j, b->first[2] + k);
  return row;
}

static bool is_interior(const pel_sim *s, const pel__block *b, const pel__box *x, int need) {
  for (int a = 0; a < s->grid.dims; ++a)
    if (x->lo[a] - need < 0 || x->hi[a] + need > b->n[a]) return false;
  return true;
}

static void push(pel__op *op, int *room, const pel__box *x) {
  if (op->nboxes == *room) {
    *room = *room ? 2 * *room : 64;
    op->box = pel_realloc(op->box, (size_t)*room * sizeof *op->box);
  }
  op->box[op->nboxes++] = *x;
}

/* Rows of a block that a chain works on: all, or one edge for a reduction along it. */
static void rows_of(const pel_sim *s, const pel__op *op, const pel__block *b, int *j0, int *j1) {
  const pel_stage *last = op->nstages ? op->stage[op->nstages - 1] : NULL;
  *j0 = 0, *j1 = b->n[1];
  if (!last || last->kind != PEL_REDUCE || last->where == PEL_EVERYWHERE) return;
  const int64_t row = last->where == PEL_FIRST_ROW ? 0 : s->grid.axis[1].n - 1;
  *j0 = (int)(row - b->first[1]);
  *j1 = *j0 >= 0 && *j0 < b->n[1] ? *j0 + 1 : *j0;
}

/* z runs fastest, so that the planes a stencil reads again are still in cache. */
static void cut(const pel_sim *s, const pel__plan *p, pel__op *op, int block, int *room) {
  const pel__block *b = &s->layout->block[s->layout->first + block];
  int tile[3], first, last;
  shape(s, op, b, tile);
  rows_of(s, op, b, &first, &last);
  bool *row = rows_filtered(s, p, op, b);
  for (int i = 0; i < b->n[0]; i += tile[0])
    for (int j = first, j1; j < last; j = j1) {
      for (j1 = j + 1; j1 < min(j + tile[1], last) && row[j1] == row[j];) ++j1;
      for (int k = 0; k < b->n[2]; k += tile[2])
        push(op, room,
             &(pel__box){block,
                         {i, j, k},
                         {min(i + tile[0], b->n[0]), j1, min(k + tile[2], b->n[2])},
                         !row[j]});
    }
  free(row);
}

/* An advance that waits for spectral stages runs on the tiles that the chain left. */
static void copy_deferred(const pel__plan *p, pel__op *op, int *room) {
  for (const pel__op *o = p->op; o < op; ++o)
    for (int x = 0; o->deferred && x < o->nboxes; ++x)
      if (!o->box[x].clear) push(op, room, &o->box[x]);
}

static bool has_deferred(const pel__plan *p) {
  for (int o = 0; o < p->nops; ++o)
    if (p->op[o].deferred) return true;
  return false;
}

static size_t span_of(const pel_sim *s, const pel__op *op) {
  size_t span = 0;
  for (int i = 0; i < op->nboxes; ++i) {
    const pel__box *x = &op->box[i];
    const pel__block *b = &s->layout->block[s->layout->first + x->block];
    size_t n = 0;
    const ptrdiff_t stride[3] = {1, b->sy, b->sz};
    for (int a = 0; a < s->grid.dims; ++a)
      n += (size_t)((x->hi[a] - x->lo[a] + 2 * op->rim) * stride[a]);
    if (n > span) span = n;
  }
  return (span + 16 + 7) / 8 * 8; /* room to keep the alignment of rows */
}

/* A stage overwrites what an earlier one reads at a neighbour: each must finish its tile first. */
static bool overwrites(const pel__op *op) {
  for (int i = 0; i < op->nstages; ++i)
    for (int r = 0; r < op->stage[i]->nreads; ++r)
      for (int l = i + 1; l < op->nstages && op->stage[i]->reads[r].radius > 0; ++l)
        for (int w = 0; w < op->stage[l]->nwrites; ++w)
          if (op->stage[l]->writes[w] == op->stage[i]->reads[r].field) return true;
  return false;
}

/* Passes of about PASS cells: enough to hide the calls, few enough for the L1 cache.  With rims
 * along the slowest axis, so that nothing is computed twice within a tile. */
static void passes(const pel_sim *s, pel__op *op) {
  enum { PASS = 256 };
  int width = 1;
  op->axis = s->grid.dims == 3 && op->rim == 0 ? 1 : s->grid.dims - 1;
  for (int i = 0; i < op->nboxes; ++i) {
    const pel__box *x = &op->box[i];
    int cells = 1;
    for (int a = 0; a < s->grid.dims; ++a)
      if (a != op->axis) cells *= x->hi[a] - x->lo[a];
    width = max(width, cells);
  }
  op->pass = overwrites(op) ? INT_MAX / 2 : max(1, PASS / width);
}

static void interior_first(const pel_sim *s, pel__op *op) { /* order is locality */
  pel__box *sorted = pel_malloc((size_t)(op->nboxes + 1) * sizeof *sorted);
  int n = 0;
  for (int interior = 1; interior >= 0; --interior) {
    for (int i = 0; i < op->nboxes; ++i) {
      const pel__box *x = &op->box[i];
      if (is_interior(s, &s->layout->block[s->layout->first + x->block], x, op->reach) == interior)
        sorted[n++] = *x;
    }
    if (interior) op->ninterior = n;
  }
  free(op->box);
  op->box = sorted;
}

void pel__tiles_create(pel_sim *s, const pel__plan *p, pel__op *op) {
  int room = 0;
  if (op->nstages == 0 && has_deferred(p)) {
    copy_deferred(p, op, &room);
  } else {
    for (int b = 0; b < s->layout->nlocal; ++b) cut(s, p, op, b, &room);
  }
  for (int v = 0; v < s->nvars; ++v) op->reach = max(op->reach, op->need[v]);
  interior_first(s, op);
  op->span = span_of(s, op);
  passes(s, op);
}
