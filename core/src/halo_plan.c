/* From the topology to box copies.
 *
 * Along one axis the halo and the cells of a block fall into pieces: runs of points whose sources
 * lie in one block and follow each other forwards, backwards or not at all.  The pieces of the axes
 * are independent of each other, except that crossing a pole shifts axis 0 by half a circle, so
 * the copies are all products of one piece an axis (the block's own cells excepted). */
#include "halo_plan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Larger copies are cut into parts that threads can share. */
enum { PART = 1 << 13 };

typedef struct {
  int lo, n;    /* points of the destination block, in its index */
  int from;     /* coordinate of the source block along the axis */
  int src, dir; /* source of the first point, in that block's index; step to the next */
  double sign, offset;
  bool opposite, own; /* own: the block's own cells as they are */
} piece;

typedef struct {
  piece *item;
  int n, room;
} pieces;

enum { NEAR, OPPOSITE, SIDES };

typedef struct {
  const pel__layout *l;
  const pel__halo_field *fields;
  int nfields;
  pieces *along[3];    /* [(field*SIDES + side)*nb[a] + coord] */
  bool *mine[3];       /* [nb[a]]: this rank has a block with this coordinate */
  int *peer_of;        /* [nranks]: number of a rank among the peers, or -1 */
  pel__halo_plan *out; /* peers in order of appearance until the end */
} builder;

static void *grow(void *items, int n, int *room, size_t size) {
  if (n < *room) return items;
  const int more = *room ? 2 * *room : 8;
  void *p = realloc(items, (size_t)more * size);
  if (p) *room = more;
  return p;
}

/* ---- pieces along an axis ---- */

static int64_t start_of(const pel__layout *l, int a, int c) {
  return l->grid.axis[a].n * c / l->nb[a];
}
static int coord_of(const pel__layout *l, int a, int64_t i) { /* of the block that holds point i */
  return (int)(((i + 1) * l->nb[a] - 1) / l->grid.axis[a].n);
}

static bool joins(const piece *p, const piece *q) {
  const int step = q->src - p->src;
  return p->from == q->from && p->sign == q->sign && p->offset == q->offset &&
         p->opposite == q->opposite && !p->own && !q->own &&
         (p->n == 1 ? abs(step) <= 1 : step == p->n * p->dir);
}

static bool append(pieces *list, piece q) {
  piece *last = list->n ? &list->item[list->n - 1] : NULL;
  if (last && joins(last, &q)) {
    if (last->n == 1) last->dir = q.src - last->src;
    ++last->n;
    return true;
  }
  piece *p = grow(list->item, list->n, &list->room, sizeof *p);
  if (!p) return false;
  list->item = p;
  p[list->n++] = q;
  return true;
}

/* Pieces of the block with coordinate c; side OPPOSITE: seen from beyond the pole. */
static bool cut_axis(const builder *b, const pel__halo_field *f, int a, int side, int c,
                     pieces *list) {
  const pel__layout *l = b->l;
  if (a >= l->grid.dims) return append(list, (piece){.n = 1, .dir = 1, .sign = 1, .own = true});
  const int64_t first = start_of(l, a, c);
  const int n = (int)(start_of(l, a, c + 1) - first);
  for (int i = -f->width; i < n + f->width; ++i) {
    if (side == NEAR && i == 0) {
      if (!append(list, (piece){.n = n, .from = c, .dir = 1, .sign = 1, .own = true})) return false;
      i = n - 1;
      continue;
    }
    const pel__axis_source s = pel__source_on_axis(&l->grid, f, a, first + i);
    const int64_t at = side == OPPOSITE ? pel__opposite(&l->grid, s.index) : s.index;
    const int from = coord_of(l, a, at);
    const piece p = {.lo = i,
                     .n = 1,
                     .from = from,
                     .src = (int)(at - start_of(l, a, from)),
                     .dir = 1,
                     .sign = s.sign,
                     .offset = s.offset,
                     .opposite = s.opposite};
    if (!append(list, p)) return false;
  }
  return true;
}

static pieces *pieces_of(const builder *b, int f, int a, int side, int c) {
  return &b->along[a][(f * SIDES + side) * b->l->nb[a] + c];
}

static bool cut_axes(builder *b) {
  for (int a = 0; a < 3; ++a) {
    b->along[a] = calloc((size_t)(b->nfields * SIDES * b->l->nb[a]), sizeof *b->along[a]);
    b->mine[a] = calloc((size_t)b->l->nb[a], sizeof *b->mine[a]);
    if (!b->along[a] || !b->mine[a]) return false;
    for (int i = 0; i < b->l->nlocal; ++i) b->mine[a][b->l->block[b->l->first + i].coord[a]] = true;
    const bool poles = a == 0 && b->l->grid.dims > 1 && b->l->grid.axis[1].end == PEL_POLE;
    for (int f = 0; f < b->nfields; ++f)
      for (int side = 0; side < (poles ? SIDES : 1); ++side)
        for (int c = 0; c < b->l->nb[a]; ++c)
          if (!cut_axis(b, &b->fields[f], a, side, c, pieces_of(b, f, a, side, c))) return false;
  }
  return true;
}

/* ---- copies ---- */

/* Adds a copy, cut into parts along its outermost long axis. */
static bool add_copy(pel__copies *list, pel__copy c) {
  const size_t volume = (size_t)c.n[0] * (size_t)c.n[1] * (size_t)c.n[2];
  const int a = c.n[2] > 1 ? 2 : 1;
  if (volume > PART && c.n[a] > 1) {
    pel__copy rest = c;
    c.n[a] /= 2;
    rest.n[a] -= c.n[a];
    rest.src += c.n[a] * (a == 2 ? c.sz : c.sy);
    rest.dst += c.n[a] * (a == 2 ? c.dz : c.dy);
    return add_copy(list, c) && add_copy(list, rest);
  }
  pel__copy *p = grow(list->item, list->n, &list->room, sizeof *p);
  if (!p) return false;
  list->item = p;
  p[list->n++] = c;
  list->volume += volume;
  return true;
}

static pel__peer *peer(builder *b, int rank) {
  pel__halo_plan *p = b->out;
  if (b->peer_of[rank] < 0) {
    pel__peer *more = realloc(p->peer, (size_t)(p->npeers + 1) * sizeof *more);
    if (!more) return NULL;
    p->peer = more;
    b->peer_of[rank] = p->npeers;
    p->peer[p->npeers++] = (pel__peer){.rank = rank};
  }
  return &p->peer[b->peer_of[rank]];
}

/* Adds the copy of one box to the list it belongs to. */
static bool add_box(builder *b, int field, const pel__block *to, const piece *q[3]) {
  const pel__layout *l = b->l;
  const int nb0 = l->nb[0], nb1 = l->nb[1];
  const int source = l->at[(q[2]->from * nb1 + q[1]->from) * nb0 + q[0]->from];
  const pel__block *from = &l->block[source];
  if (from->rank != l->rank && to->rank != l->rank) return true;
  pel__copy c = {.src = q[2]->src * from->sz + q[1]->src * from->sy + q[0]->src,
                 .dst = q[2]->lo * to->sz + q[1]->lo * to->sy + q[0]->lo,
                 .sx = q[0]->dir,
                 .sy = q[1]->dir * from->sy,
                 .sz = q[2]->dir * from->sz,
                 .dy = to->sy,
                 .dz = to->sz,
                 .n = {q[0]->n, q[1]->n, q[2]->n},
                 .from = field * l->nlocal + source - l->first,
                 .to = field * l->nlocal + (int)(to - l->block) - l->first,
                 .sign = 1};
  for (int a = 0; a < 3; ++a) { /* where walls meet, the rule of the lower axis comes first */
    c.sign *= q[a]->sign;
    c.offset = q[a]->sign * c.offset + q[a]->offset;
  }
  if (from->rank == to->rank) return add_copy(&b->out->local, c);
  pel__peer *p = peer(b, from->rank == l->rank ? to->rank : from->rank);
  if (!p) return false;
  const size_t volume = (size_t)c.n[0] * (size_t)c.n[1] * (size_t)c.n[2];
  if (from->rank == l->rank) { /* the sender turns, the receiver only has to place */
    c.dst = (ptrdiff_t)p->nsend;
    c.dy = c.n[0];
    c.dz = (ptrdiff_t)c.n[0] * c.n[1];
    p->nsend += volume;
    return add_copy(&p->pack, c);
  }
  c.src = (ptrdiff_t)p->nrecv;
  c.sx = 1;
  c.sy = c.n[0];
  c.sz = (ptrdiff_t)c.n[0] * c.n[1];
  c.sign = 1;
  c.offset = 0;
  p->nrecv += volume;
  return add_copy(&p->unpack, c);
}

/* Copies into one block; into another rank's block only those that may come from this rank. */
static bool add_block(builder *b, const pel__block *to, int field) {
  const bool local = to->rank == b->l->rank;
  const pieces *pz = pieces_of(b, field, 2, NEAR, to->coord[2]);
  const pieces *py = pieces_of(b, field, 1, NEAR, to->coord[1]);
  for (int k = 0; k < pz->n; ++k) {
    const piece *z = &pz->item[k];
    if (!local && !b->mine[2][z->from]) continue;
    for (int j = 0; j < py->n; ++j) {
      const piece *y = &py->item[j];
      if (!local && !b->mine[1][y->from]) continue;
      const pieces *px = pieces_of(b, field, 0, y->opposite ? OPPOSITE : NEAR, to->coord[0]);
      for (int i = 0; i < px->n; ++i) {
        const piece *x = &px->item[i];
        if ((x->own && y->own && z->own) || (!local && !b->mine[0][x->from])) continue;
        if (!add_box(b, field, to, (const piece *[3]){x, y, z})) return false;
      }
    }
  }
  return true;
}

static int by_rank(const void *p, const void *q) {
  return ((const pel__peer *)p)->rank - ((const pel__peer *)q)->rank;
}

/* In the order of memory: both ends of the same rows one after the other. */
static int by_destination(const void *p, const void *q) {
  const pel__copy *a = p, *b = q;
  return a->to != b->to ? a->to - b->to : (a->dst > b->dst) - (a->dst < b->dst);
}

bool pel__halo_plan_init(pel__halo_plan *p, const pel__layout *l, const pel__halo_field *f,
                         int nfields) {
  *p = (pel__halo_plan){0};
  builder b = {.l = l, .fields = f, .nfields = nfields, .out = p};
  for (int i = 0; i < nfields; ++i)
    for (int a = 0; a < l->grid.dims; ++a) assert(f[i].width <= l->block[0].halo[a]);
  b.peer_of = malloc((size_t)l->nranks * sizeof *b.peer_of);
  bool good = b.peer_of && cut_axes(&b);
  for (int r = 0; good && r < l->nranks; ++r) b.peer_of[r] = -1;
  for (int i = 0; good && i < l->nblocks; ++i)
    for (int field = 0; good && field < nfields; ++field) good = add_block(&b, &l->block[i], field);
  if (good && p->npeers) qsort(p->peer, (size_t)p->npeers, sizeof *p->peer, by_rank);
  if (good && p->local.n)
    qsort(p->local.item, (size_t)p->local.n, sizeof *p->local.item, by_destination);

  for (int a = 0; a < 3; ++a) {
    for (int i = 0; b.along[a] && i < nfields * SIDES * l->nb[a]; ++i) free(b.along[a][i].item);
    free(b.along[a]);
    free(b.mine[a]);
  }
  free(b.peer_of);
  if (!good) pel__halo_plan_fini(p);
  return good;
}

void pel__halo_plan_fini(pel__halo_plan *p) {
  for (int i = 0; i < p->npeers; ++i) {
    free(p->peer[i].pack.item);
    free(p->peer[i].unpack.item);
  }
  free(p->peer);
  free(p->local.item);
  *p = (pel__halo_plan){0};
}
