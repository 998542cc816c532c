/* Blocks of a grid change hands between two steps.
 *
 * All that lasts from one step to the next is the fields' present values, as in a checkpoint;
 * halos, tiles, messages and the copies of the model's state are made anew for the new owner.  For
 * a moment the old fields and the new ones are both in memory. */
#include <stdlib.h>
#include <string.h>

#include "dynamics.h"
#include "pelsim/memory.h"
#include "plan.h"

enum { RECORD = 64 }; /* doubles that are counted as one: MPI counts in int */

/* Where the fields of this rank's blocks are. */
typedef struct {
  int first, nlocal;
  double ***data; /* [nvars][nlocal], present slot; NULL: does not last */
} place;

static bool lasts(const pel__var *v) { return v->stored && !v->rate; }

/* The arrays of slots go with the memory that they stand in, so they are copied. */
static place place_of(const pel_sim *s) {
  const int n = s->layout->nlocal;
  place p = {s->layout->first, n, pel_calloc((size_t)s->nvars + 1, sizeof *p.data)};
  for (int v = 0; v < s->nvars; ++v) {
    const pel__var *x = &s->vars[v];
    if (!lasts(x)) continue;
    p.data[v] = pel_malloc((size_t)n * sizeof **p.data);
    memcpy(p.data[v], x->data + x->slot * n, (size_t)n * sizeof **p.data);
  }
  return p;
}

static void forget(const pel_sim *s, place *p) {
  for (int v = 0; v < s->nvars; ++v) free(p->data[v]);
  free(p->data);
}

static size_t records_of(const pel_sim *s, const pel__block *b) {
  size_t n = 0;
  for (int v = 0; v < s->nvars; ++v)
    n += lasts(&s->vars[v]) ? (size_t)b->n[0] * (size_t)b->n[1] * (size_t)b->n[2] : 0;
  return (n + RECORD - 1) / RECORD;
}

/* A row of cells of the block with that number. */
static double *row_of(const pel_sim *s, const place *p, int number, int var, int j, int k) {
  const pel__block *b = &s->layout->block[number];
  return p->data[var][number - p->first] + k * b->sz + j * b->sy;
}

typedef enum { PACK, UNPACK } direction;

/* The fields of a block to or from a message; returns where the next block's begin. */
static double *carry(const pel_sim *s, const place *p, int number, double *message, direction way) {
  const pel__block *b = &s->layout->block[number];
  const size_t row = (size_t)b->n[0] * sizeof(double);
  double *at = message;
  for (int v = 0; v < s->nvars; ++v)
    for (int k = 0; p->data[v] && k < b->n[2]; ++k)
      for (int j = 0; j < b->n[1]; ++j, at += b->n[0]) {
        double *cells = row_of(s, p, number, v, j, k);
        if (way == PACK)
          memcpy(at, cells, row);
        else
          memcpy(cells, at, row);
      }
  return message + RECORD * records_of(s, b);
}

static void keep(const pel_sim *s, const place *old, const place *new, int number) {
  const pel__block *b = &s->layout->block[number];
  for (int v = 0; v < s->nvars; ++v)
    for (int k = 0; old->data[v] && k < b->n[2]; ++k)
      for (int j = 0; j < b->n[1]; ++j)
        memcpy(row_of(s, new, number, v, j, k), row_of(s, old, number, v, j, k),
               (size_t)b->n[0] * sizeof(double));
}

/* Blocks follow each other by rank, as they do along the curve, and in a message by number. */
typedef struct {
  int *count, *coming; /* [nranks]: records to and from each */
  double *out, *in;    /* one allocation; NULL: there is no memory for it */
} messages;

static messages messages_for(const pel_sim *s, const int *was, const int *owner) {
  messages m = {.count = pel_calloc((size_t)s->nranks, sizeof *m.count),
                .coming = pel_calloc((size_t)s->nranks, sizeof *m.coming)};
  size_t out = 0, in = 0;
  for (int i = 0; i < s->layout->nblocks; ++i) {
    const size_t n = records_of(s, &s->layout->block[i]);
    if (was[i] == owner[i]) continue;
    if (was[i] == s->rank) m.count[owner[i]] += (int)n, out += n;
    if (owner[i] == s->rank) m.coming[was[i]] += (int)n, in += n;
  }
  m.out = calloc((out + in) * RECORD + 1, sizeof *m.out);
  m.in = m.out ? m.out + out * RECORD : NULL;
  return m;
}

static void transfer(const pel_sim *s, const place *old, const int *was, const int *owner,
                     messages *m) {
  const pel__peers everyone = {s->comm, s->nranks, NULL};
  place new = place_of(s);
  double *at = m->out;
  for (int i = old->first; i < old->first + old->nlocal; ++i)
    if (owner[i] != s->rank) at = carry(s, old, i, at, PACK);
  pel__swap_known(&everyone, RECORD * sizeof *at, m->count, m->out, m->coming, m->in);
  at = m->in;
  for (int i = new.first; i < new.first + new.nlocal; ++i) {
    if (was[i] == s->rank)
      keep(s, old, &new, i);
    else
      at = carry(s, &new, i, at, UNPACK);
  }
  forget(s, &new);
}

static void unbind(pel_sim *s) {
  pel__plan_unbind(s->init);
  pel__plan_unbind(s->program);
  pel__measures_unbind(s);
  pel__outputs_unbind(s);
  s->ntags = 0;
}

/* Blocks become those of the ranks owner[nblocks], with their fields.  False: there is no memory
 * for it, and all stays as it was.  Collective. */
static bool move_blocks(pel_sim *s, const int *owner) {
  pel__layout *l = s->layout;
  pel_error e = {0};
  int *was = pel_malloc((size_t)l->nblocks * sizeof *was);
  pel__var *vars = pel_malloc(((size_t)s->nvars + 1) * sizeof *vars);
  for (int i = 0; i < l->nblocks; ++i) was[i] = l->block[i].rank;
  memcpy(vars, s->vars, (size_t)s->nvars * sizeof *vars);
  place old = place_of(s);
  messages m = messages_for(s, was, owner);
  pel__local before = s->local;
  unbind(s);
  s->local = (pel__local){0};
  pel__layout_assign(l, owner);
  if (!m.out) pel_error_set(&e, PEL_USAGE, "out of memory for blocks that move");
  if (!e.code) pel__state_create(s, &e);
  const bool moved = pel__agree_error(s->comm, &e) == PEL_OK;
  if (moved) {
    transfer(s, &old, was, owner, &m);
    for (int v = 0; v < s->nvars; ++v) memset(s->vars[v].valid, 0, sizeof s->vars[v].valid);
  } else { /* no memory for both: all stays where it was */
    const pel__local new = s->local;
    s->local = before;
    before = new;
    memcpy(s->vars, vars, (size_t)s->nvars * sizeof *vars);
    pel__layout_assign(l, was);
  }
  pel__release(&before.allocations);
  free(m.out), free(m.count), free(m.coming);
  pel__sim_bind(s);
  forget(s, &old);
  free(was), free(vars);
  return moved;
}

void pel__balance_grid(pel_sim *s) {
  pel__balance *b = s->balance;
  const double t0 = MPI_Wtime();
  if (!pel__balance_due(b, s->step)) return;
  const pel__phase_id before = pel__now_in(PEL__T_BALANCE);
  int *owner = pel_malloc((size_t)s->layout->nblocks * sizeof *owner);
  if (pel__balance_look(b, s->comm, s->layout, s->step, owner)) {
    if (move_blocks(s, owner))
      pel__balance_moved(b, MPI_Wtime() - t0);
    else
      pel__balance_failed(b);
  }
  free(owner);
  s->seconds[PEL__T_BALANCE] += MPI_Wtime() - t0;
  pel__now_in(before);
}
