/* From a list of stages to operations: where chains end, what is stored, which halos are read. */
#include "plan.h"
#include "pelsim/memory.h"

#include <stdlib.h>
#include <string.h>

static int max(int a, int b) { return a > b ? a : b; }

static int index_of(const pel_sim *s, size_t offset) {
  const pel__var *v = pel__var_at(s, offset);
  return v ? (int)(v - s->vars) : -1;
}

static bool writes(const pel_sim *s, const pel_stage *st, int v) {
  for (int i = 0; i < st->nwrites; ++i)
    if (index_of(s, st->writes[i]) == v) return true;
  return false;
}

static int reads(const pel_sim *s, const pel_stage *st, int v) { /* radius, or -1 */
  int r = -1;
  for (int i = 0; i < st->nreads; ++i)
    if (index_of(s, st->reads[i].field) == v) r = max(r, st->reads[i].radius);
  return r;
}

/* A stage may not join a chain that wrote what it reads at a neighbour from memory, nor overwrite
 * in memory what other tiles of the chain still read at a neighbour. */
static bool breaks(const pel_sim *s, const pel__op *op, const pel_stage *next) {
  if (op->nstages == PEL__CHAIN_MAX) return true;
  for (int i = 0; i < op->nstages; ++i)
    for (int v = 0; v < s->nvars; ++v)
      if (s->vars[v].stored && ((writes(s, op->stage[i], v) && reads(s, next, v) > 0) ||
                                (reads(s, op->stage[i], v) > 0 && writes(s, next, v))))
        return true;
  return false;
}

static pel__op *append(pel__plan *p) {
  p->op = pel_realloc(p->op, (size_t)(p->nops + 1) * sizeof *p->op);
  memset(&p->op[p->nops], 0, sizeof *p->op);
  return &p->op[p->nops++];
}

static void split(pel_sim *s, pel__plan *p, const pel_stage *const *stages, int n, bool measure) {
  pel__op *chain = NULL;
  for (int i = 0; i < n; ++i) {
    const pel_stage *st = stages[i];
    const bool last = st->kind == PEL_REDUCE || (measure && i == n - 1);
    if (st->kind == PEL_SPECTRAL) {
      append(p)->spectral = st;
      chain = NULL;
      continue;
    }
    if (!chain || st->kind == PEL_REDUCE || breaks(s, chain, st)) chain = append(p);
    chain->stage[chain->nstages++] = st;
    if (last) chain->end = PEL__MEASURE, chain = NULL;
  }
}

static bool writes_any_rate(const pel_sim *s, const pel__op *op) {
  for (int v = 0; v < s->nvars; ++v)
    for (int i = 0; s->vars[v].rate && i < op->nstages; ++i)
      if (writes(s, op->stage[i], v)) return true;
  return false;
}

/* Where the fields advance: at the end of the chain that computes every rate if there is one
 * (on tiles that a later spectral stage touches, after it), else in an operation of its own.
 * Returns true if rates turned out to need memory. */
static bool place_advance(pel_sim *s, pel__plan *p) {
  int chain = p->nops - 1, writers = 0;
  while (chain >= 0 && p->op[chain].spectral) --chain;
  for (int o = 0; o < p->nops; ++o) writers += writes_any_rate(s, &p->op[o]);
  bool fused = chain >= 0 && writers == 1 && writes_any_rate(s, &p->op[chain]) &&
               p->op[chain].end == PEL__NOTHING;
  for (int o = chain + 1; fused && o < p->nops; ++o)
    for (int i = 0; i < p->op[o].spectral->nwrites; ++i) {
      const int v = index_of(s, p->op[o].spectral->writes[i]);
      fused = fused && (v < 0 || s->vars[v].rate);
    }
  if (fused) {
    p->op[chain].end = PEL__ADVANCE;
    p->op[chain].deferred = chain < p->nops - 1;
  }
  bool again = false;
  if (!fused || p->op[chain].deferred) {
    append(p)->end = PEL__ADVANCE;
    for (int v = 0; v < s->nvars; ++v)
      if (s->vars[v].rate && !s->vars[v].stored) s->vars[v].stored = again = true;
  }
  return again;
}

/* Whether a stage reads memory that its own chain writes. */
static bool reads_own(const pel_sim *s, const pel__op *op, const pel_stage *st) {
  for (int v = 0; v < s->nvars; ++v)
    for (int i = 0; s->vars[v].stored && reads(s, st, v) >= 0 && i < op->nstages; ++i)
      if (writes(s, op->stage[i], v)) return true;
  return false;
}

/* Backwards through a chain: how far beyond its tile each stage must be computed.  Returns true if
 * an array turned out to need memory, and the plan must be made again. */
static bool widen(pel_sim *s, pel__op *op) {
  int *wanted = pel_calloc((size_t)s->nvars, sizeof *wanted);
  bool again = false;
  for (int i = op->nstages - 1; i >= 0; --i) {
    const pel_stage *st = op->stage[i];
    int w = 0;
    for (int v = 0; v < s->nvars; ++v)
      if (writes(s, st, v)) w = max(w, wanted[v]);
    op->widen[i] = w, op->rim = max(op->rim, w);
    /* A widened stage would write memory of other tiles, or read there what these write sooner or
     * later: let what it computes be exchanged. */
    bool meddles = w > 0 && reads_own(s, op, st);
    for (int v = 0; v < s->nvars; ++v)
      meddles = meddles || (w > 0 && s->vars[v].stored && writes(s, st, v));
    for (int v = 0; v < s->nvars; ++v) {
      if (meddles && wanted[v] > 0 && writes(s, st, v) && !s->vars[v].stored)
        s->vars[v].stored = again = true;
      const int r = reads(s, st, v);
      if (r >= 0) wanted[v] = max(wanted[v], w + r);
    }
  }
  for (int v = 0; v < s->nvars; ++v) op->need[v] = s->vars[v].stored ? wanted[v] : 0;
  free(wanted);
  return again;
}

/* Arrays read in another operation than the one that wrote them live in memory. */
static bool escapes(pel_sim *s, const pel__plan *p) {
  bool again = false;
  for (int v = 0; v < s->nvars; ++v) {
    int writer = -1;
    bool stored = s->vars[v].stored;
    for (int o = 0; o < p->nops; ++o) {
      const pel__op *op = &p->op[o];
      if (op->spectral && (writes(s, op->spectral, v) || reads(s, op->spectral, v) >= 0))
        stored = true;
      for (int i = 0; i < op->nstages; ++i) {
        if (reads(s, op->stage[i], v) >= 0 && writer != o) stored = true;
        if (writes(s, op->stage[i], v)) writer = o;
      }
    }
    again = again || stored != s->vars[v].stored;
    s->vars[v].stored = stored;
  }
  return again;
}

static void list_scratch(const pel_sim *s, pel__op *op) {
  op->scratch = pel_calloc((size_t)s->nvars, sizeof(int));
  for (int v = 0; v < s->nvars; ++v) {
    bool here = false;
    for (int i = 0; i < op->nstages; ++i) here = here || writes(s, op->stage[i], v);
    if (here && (!s->vars[v].stored || (s->vars[v].rate && op->end == PEL__ADVANCE)))
      op->scratch[op->nscratch++] = v;
  }
}

static int check(const pel_sim *s, const pel_stage *const *stages, int n, pel_error *e) {
  for (int i = 0; i < n; ++i) {
    const pel_stage *st = stages[i];
    if (st->kind == PEL_SPECTRAL ? !st->spectral : !st->kernel)
      return pel_error_set(e, PEL_INTERNAL, "model %s, stage '%s': no kernel", s->model->name,
                           st->name);
    for (int v = 0; v < s->nvars; ++v)
      if (writes(s, st, v) && reads(s, st, v) > 0)
        return pel_error_set(e, PEL_INTERNAL,
                             "model %s, stage '%s': writes what it reads at a neighbour ('%s'); "
                             "split it in two",
                             s->model->name, st->name, s->vars[v].field->name);
  }
  return PEL_OK;
}

static void clear(pel__plan *p) {
  for (int o = 0; o < p->nops; ++o) free(p->op[o].need);
  free(p->op);
  *p = (pel__plan){0};
}

pel__plan *pel__plan_create(pel_sim *s, const pel_stage *const *stages, int n, bool advance,
                            bool measure, pel_error *e) {
  if (check(s, stages, n, e)) return NULL;
  pel__plan *p = pel_calloc(1, sizeof *p);
  for (bool again = true; again;) { /* arrays only ever move to memory, so this ends */
    clear(p);
    split(s, p, stages, n, measure);
    again = advance && place_advance(s, p);
    again = escapes(s, p) || again;
    for (int o = 0; o < p->nops; ++o) {
      p->op[o].need = pel_calloc((size_t)s->nvars, sizeof(int));
      again = widen(s, &p->op[o]) || again;
    }
  }
  return p;
}

int pel__plan_halo(const pel_sim *s, const pel__plan *p) {
  int w = 0;
  for (int o = 0; p && o < p->nops; ++o)
    for (int v = 0; v < s->nvars; ++v) w = max(w, p->op[o].need[v]);
  return w;
}

void pel__plan_bind(pel_sim *s, pel__plan *p) {
  for (int o = 0; o < p->nops; ++o) {
    pel__op *op = &p->op[o];
    if (op->spectral) {
      op->lines = pel__spectral_create(s, op->spectral);
      continue;
    }
    list_scratch(s, op);
    pel__tiles_create(s, p, op);
    op->nthreads = s->threads;
    op->work = pel_calloc((size_t)s->threads, sizeof *op->work);
    op->copy = pel_calloc((size_t)s->threads, sizeof *op->copy);
    const size_t state = (s->model->state_size + 63) / 64 * 64;
    for (int t = 0; t < s->threads; ++t) {
      op->work[t] = pel_aligned_alloc(64, (size_t)(op->nscratch + 1) * op->span * sizeof(double));
      op->copy[t] = pel_aligned_alloc(64, 2 * state); /* the second for checks */
    }
  }
}

void pel__plan_unbind(pel__plan *p) {
  for (int o = 0; o < p->nops; ++o) {
    pel__op *op = &p->op[o];
    for (int x = 0; x < op->nexchanges; ++x)
      pel__halo_destroy(op->exchanges[x].halo), free(op->exchanges[x].stale);
    for (int t = 0; t < op->nthreads; ++t) free(op->work[t]), free(op->copy[t]);
    if (op->lines) pel__spectral_destroy(op->lines);
    free(op->exchanges), free(op->work), free(op->copy), free(op->scratch), free(op->box);
    op->exchanges = NULL, op->nexchanges = 0;
    op->work = NULL, op->copy = NULL, op->nthreads = 0;
    op->scratch = NULL, op->nscratch = 0;
    op->box = NULL, op->nboxes = op->ninterior = 0;
    op->lines = NULL;
  }
}

void pel__plan_destroy(pel__plan *p) {
  if (!p) return;
  pel__plan_unbind(p);
  clear(p);
  free(p);
}
