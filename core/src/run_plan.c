/* One evaluation of a plan: exchange what is stale, run the tiles that need no message while the
 * messages fly, then the others. */
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "pelsim/memory.h"
#include "plan.h"

/* ---- halos ---- */

static pel__exchange *create_exchange(pel_sim *s, pel__op *op, const unsigned char *stale) {
  op->exchanges = pel_realloc(op->exchanges, (size_t)(op->nexchanges + 1) * sizeof *op->exchanges);
  pel__exchange *x = &op->exchanges[op->nexchanges++];
  x->stale = memcpy(pel_malloc((size_t)s->nvars), stale, (size_t)s->nvars);
  pel__halo_field *f = pel_calloc((size_t)s->nvars, sizeof *f);
  int n = 0;
  for (int i = 0; i < s->nvars; ++i) {
    const pel_field *def = s->vars[i].field;
    if (!stale[i]) continue;
    f[n] = (pel__halo_field){def->place, def->vector, {0}, def->wall_value, op->need[i]};
    for (int a = 0; a < 3; ++a) {
      const pel_rule axis = s->grid.axis[a].wall ? s->grid.axis[a].wall : PEL_EVEN;
      f[n].wall[a] = def->wall[a] ? def->wall[a] : axis;
    }
    ++n;
  }
  x->halo = pel__halo_create(s->layout, s->comm, s->ntags++, f, n);
  if (!x->halo) pel_out_of_memory(0);
  free(f);
  return x;
}

/* The exchange of the arrays whose halo is out of date for this operation; NULL if none is. */
static pel__exchange *find_exchange(pel_sim *s, pel__op *op) {
  unsigned char stale[s->nvars];
  bool any = false;
  for (int v = 0; v < s->nvars; ++v) {
    stale[v] = op->need[v] > s->vars[v].valid[s->vars[v].slot];
    any = any || stale[v];
  }
  if (!any) return NULL;
  for (int x = 0; x < op->nexchanges; ++x)
    if (memcmp(op->exchanges[x].stale, stale, (size_t)s->nvars) == 0) return &op->exchanges[x];
  return create_exchange(s, op, stale);
}

static double **exchange_data(const pel_sim *s, const pel__exchange *x) {
  const int nl = s->layout->nlocal;
  double **data = pel_malloc((size_t)(s->nvars * nl) * sizeof *data);
  int n = 0;
  for (const pel__var *v = s->vars; v < s->vars + s->nvars; ++v)
    if (x->stale[v - s->vars])
      for (int b = 0; b < nl; ++b) data[n++] = v->data[v->slot * nl + b];
  return data;
}

/* ---- tiles ---- */

typedef struct {
  pel_sim *s;
  pel__op *op;
  const pel__run *run;
  pel__halo *flying; /* to be nudged by the main thread */
  bool finite;
} job;

static pel_tile tile_of(const pel_sim *s, const pel__box *x, const pel__run *r) {
  const pel__block *b = &s->layout->block[s->layout->first + x->block];
  pel_tile t = {.sy = b->sy, .sz = b->sz, .time = r->time, .dt = r->dt, .sim = (pel_sim *)s};
  for (int a = 0; a < 3; ++a) {
    t.lo[a] = x->lo[a], t.hi[a] = x->hi[a];
    t.first[a] = b->first[a], t.n[a] = s->grid.axis[a].n;
    t.origin[a] = s->grid.axis[a].origin, t.d[a] = s->grid.axis[a].spacing;
  }
  return t;
}

static ptrdiff_t lowest(const pel_tile *t) {
  return t->lo[2] * t->sz + t->lo[1] * t->sy + t->lo[0];
}

/* Scratch array i of a thread, as if it were addressed like the block: same alignment of rows. */
static double *scratch(const pel__op *op, int thread, int i, ptrdiff_t low) {
  return op->work[thread] + (size_t)i * op->span + ((low % 8) + 8) % 8 - low;
}

static void set_pointer(void *state, size_t offset, double *to) {
  memcpy((char *)state + offset, &to, sizeof to);
}

#ifdef PELSIM_CHECKS
/* Whatever a stage may not read is signalling NaN: scratch not yet written, fields that it does not
 * declare; the NaN watch then catches what came of it. */
static void poison_scratch(const pel__op *op, int thread) {
  const size_t n = (size_t)(op->nscratch + 1) * op->span;
  for (size_t i = 0; i < n; ++i) op->work[thread][i] = __builtin_nans("");
}

static bool declares(const pel_stage *st, size_t offset) {
  for (int i = 0; i < st->nreads; ++i)
    if (st->reads[i].field == offset) return true;
  for (int i = 0; i < st->nwrites; ++i)
    if (st->writes[i] == offset) return true;
  return false;
}

static void hide_undeclared(const pel_sim *s, const pel_stage *st, int block, void *state) {
  for (const pel__var *v = s->vars; v < s->vars + s->nvars; ++v)
    if (!declares(st, v->offset)) set_pointer(state, v->offset, s->local.forbidden[block]);
}

static void poison_halo(pel_sim *s, pel__var *v, int slot) {
  for (int n = 0; n < s->layout->nlocal; ++n) {
    const pel__block *b = &s->layout->block[s->layout->first + n];
    double *x = v->data[slot * s->layout->nlocal + n];
    for (int k = -b->halo[2]; k < b->n[2] + b->halo[2]; ++k)
      for (int j = -b->halo[1]; j < b->n[1] + b->halo[1]; ++j)
        for (int i = -b->halo[0]; i < b->n[0] + b->halo[0]; ++i)
          if (k < 0 || k >= b->n[2] || j < 0 || j >= b->n[1] || i < 0 || i >= b->n[0])
            x[k * b->sz + j * b->sy + i] = __builtin_nans("");
  }
}
#endif

/* The cells of v changed: its halo no longer repeats them. */
static void invalidate(pel_sim *s, pel__var *v, int slot) {
  v->valid[slot] = 0;
#ifdef PELSIM_CHECKS
  if (v->stored) poison_halo(s, v, slot);
#endif
  (void)s;
}

/* What to fetch while a tile is advanced: the leading plane (3-D) or rows of the tile that follows
 * on it, if one does, and the leading plane of the next pass. */
static pel__fetch leading(const job *j, const pel__box *x, const pel_tile *t) {
  const pel__op *op = j->op;
  const pel__box *next = x + 1;
  const int outer = j->s->grid.dims - 1;
  const ptrdiff_t stride[3] = {1, t->sy, t->sz};
  if (next >= op->box + op->nboxes || next->block != x->block || next->lo[outer] != x->hi[outer])
    return (pel__fetch){0, 0};
  pel__fetch f = {(next->lo[outer] - x->lo[outer] + op->reach) * stride[outer], 0};
  if (op->axis != outer) f.near = op->pass * stride[op->axis] + op->reach * stride[outer];
  return f;
}

static bool advance_part(const job *j, const pel__box *x, const pel_tile *t, const void *state,
                         pel__fetch fetch) {
  pel_sim *s = j->s;
  bool finite = true;
  for (const pel__var *v = s->vars; v < s->vars + s->nvars; ++v) {
    double *y[PEL__SLOTS], *rate;
    if (v->rate || !v->field->rate) continue;
    for (int i = 0; i < v->nslots; ++i) y[i] = v->data[i * s->layout->nlocal + x->block];
    memcpy(&rate, (const char *)state + v->field->rate - 1, sizeof rate);
    finite = pel__advance(t, j->run->sub, y, rate, j->run->dt, s->large, fetch) && finite;
  }
  return finite;
}

/* The part of a tile that a stage widened by w works on in the pass [a, b): what the passes before
 * have not computed, up to what the stages after it read around their part. */
static void set_part(pel_tile *t, const pel__box *x, int dims, int w, int axis, int a, int b) {
  for (int i = 0; i < dims; ++i) t->lo[i] = x->lo[i] - w, t->hi[i] = x->hi[i] + w;
  if (a > x->lo[axis]) t->lo[axis] = a + w;
  t->hi[axis] = b + w;
}

/* Lets the state of a thread point to scratch for cells from `low` on; returns where out goes. */
static double *place_scratch(const job *j, const pel__box *x, ptrdiff_t low, int thread) {
  const pel__op *op = j->op;
  for (int i = 0; i < op->nscratch; ++i) {
    const pel__var *v = &j->s->vars[op->scratch[i]];
    if (!v->stored || x->clear)
      set_pointer(op->copy[thread], v->offset, scratch(op, thread, i, low));
  }
  return scratch(op, thread, op->nscratch, low);
}

static void run_stage(const job *j, const pel__box *x, int i, const pel_tile *t, int thread) {
  pel__op *op = j->op;
  void *state = op->copy[thread];
#ifdef PELSIM_CHECKS
  const size_t size = j->s->model->state_size;
  state = memcpy(op->copy[thread] + (size + 63) / 64 * 64, state, size);
  hide_undeclared(j->s, op->stage[i], x->block, state);
#endif
  (void)x;
  op->stage[i]->kernel(t, state);
}

/* The chain runs in passes along one axis, few rows at a time: what a stage leaves, the next finds
 * in the nearest cache, and loads and streamed stores of main memory alternate.  Passes that leave
 * nothing to each other use the same scratch. */
static bool run_tile(const job *j, const pel__box *x, int thread) {
  const pel_sim *s = j->s;
  const pel__op *op = j->op;
  const int axis = op->axis, end = x->hi[axis], dims = s->grid.dims;
  const bool advance = op->end == PEL__ADVANCE && (!op->deferred || x->clear);
  void *state = memcpy(op->copy[thread], s->local.block[x->block], s->model->state_size);
  pel_tile t = tile_of(s, x, j->run);
  const pel__fetch fetch = advance ? leading(j, x, &t) : (pel__fetch){0, 0};
  bool finite = true;
#ifdef PELSIM_CHECKS
  poison_scratch(op, thread);
#endif
  for (int a = x->lo[axis], b; a < end; a = b) {
    b = end - a < 2 * op->pass ? end : a + op->pass;
    if (a == x->lo[axis] || op->rim == 0) {
      set_part(&t, x, dims, op->rim, axis, a, b);
      t.out = place_scratch(j, x, lowest(&t), thread);
    }
    for (int i = 0; i < op->nstages; ++i) {
      set_part(&t, x, dims, op->widen[i], axis, a, b);
      run_stage(j, x, i, &t, thread);
    }
    set_part(&t, x, dims, 0, axis, a, b);
    if (op->end == PEL__MEASURE) j->run->visit(j->run->ctx, thread, &t, x->block, t.out);
    if (advance) finite = advance_part(j, x, &t, state, fetch) && finite;
  }
  return finite;
}

static void run_tiles(job *j, int first, int last) {
  bool finite = true;
#pragma omp parallel num_threads(j->s->threads) reduction(&& : finite)
  {
    const int thread = omp_get_thread_num();
#pragma omp for schedule(static) nowait
    for (int x = first; x < last; ++x) {
      const double t0 = j->s->balance ? omp_get_wtime() : 0;
      finite = run_tile(j, &j->op->box[x], thread) && finite;
      if (j->s->balance)
        pel__balance_book(j->s->balance, thread, j->s->layout->first + j->op->box[x].block,
                          omp_get_wtime() - t0);
      if (thread == 0) pel_alive();
      if (thread == 0 && j->flying) pel__halo_test(j->flying);
    }
    __asm__ volatile("" ::: "memory");
    __builtin_ia32_sfence(); /* streamed stores become visible before the barrier */
  }
  j->finite = j->finite && finite;
}

static void mark_written(pel_sim *s, const pel__op *op, const pel__run *r) {
  for (pel__var *v = s->vars; v < s->vars + s->nvars; ++v) {
    for (int i = 0; i < op->nstages; ++i)
      for (int w = 0; w < op->stage[i]->nwrites; ++w)
        if (op->stage[i]->writes[w] == v->offset) invalidate(s, v, v->slot);
    if (op->end == PEL__ADVANCE && !v->rate && v->field->rate) invalidate(s, v, r->sub->out);
  }
}

static void run_chain(pel_sim *s, pel__op *op, const pel__run *r) {
  job j = {s, op, r, NULL, true};
  pel__exchange *x = find_exchange(s, op);
  double **data = NULL, t0 = MPI_Wtime(), t1 = t0;
  if (x) {
    data = exchange_data(s, x);
    pel__now_in(PEL__T_HALO);
    pel__halo_begin(x->halo, data);
    for (int v = 0; v < s->nvars; ++v)
      if (x->stale[v]) s->vars[v].valid[s->vars[v].slot] = op->need[v];
  }
  const bool wait = x && pel__halo_remote(x->halo);
  if (wait && s->set.parallel.overlap) {
    pel__now_in(PEL__T_COMPUTE);
    j.flying = x->halo;
    s->seconds[PEL__T_HALO] += (t1 = MPI_Wtime()) - t0;
    run_tiles(&j, 0, op->ninterior);
    s->seconds[PEL__T_COMPUTE] += (t0 = MPI_Wtime()) - t1;
    j.flying = NULL;
  }
  const int first = wait && s->set.parallel.overlap ? op->ninterior : 0;
  if (x) {
    pel__now_in(PEL__T_HALO);
    pel__halo_end(x->halo, data);
  }
  free(data);
  pel__now_in(PEL__T_COMPUTE);
  s->seconds[PEL__T_HALO] += (t1 = MPI_Wtime()) - t0;
  run_tiles(&j, first, op->nboxes);
  s->seconds[PEL__T_COMPUTE] += MPI_Wtime() - t1;
  mark_written(s, op, r);
  s->nonfinite = s->nonfinite || !j.finite;
}

/* ---- the plan ---- */

static bool is_reduction(const pel__op *op) {
  return op->nstages > 0 && op->stage[op->nstages - 1]->kind == PEL_REDUCE;
}

/* A run of reduce stages shares one all-reduce.  Returns the operation after them. */
static int run_reductions(pel_sim *s, pel__plan *p, const pel__run *r, int o) {
  int n = 0;
  while (o + n < p->nops && is_reduction(&p->op[o + n])) ++n;
  pel_sum *sums = pel_calloc((size_t)n, sizeof *sums);
  for (int i = 0; i < n; ++i) {
    pel__op *op = &p->op[o + i];
    pel__sum_visitor v = pel__sum_begin(s, op->stage[op->nstages - 1]->where);
    run_chain(s, op, &(pel__run){r->time, r->dt, NULL, pel__sum_visit, &v});
    pel__sum_end(&v, &sums[i]);
  }
  const double t0 = MPI_Wtime();
  pel__now_in(PEL__T_AGREE);
  pel_sum_allreduce(sums, n, s->comm);
  s->seconds[PEL__T_AGREE] += MPI_Wtime() - t0;
  for (int i = 0; i < n; ++i) {
    const pel__op *op = &p->op[o + i];
    const double x = pel_sum_round(&sums[i]);
    memcpy((char *)s->state + op->stage[op->nstages - 1]->result, &x, sizeof x);
  }
  free(sums);
  pel__state_refresh(s);
  return o + n;
}

void pel__plan_run(pel_sim *s, pel__plan *p, const pel__run *r) {
  for (int o = 0; o < p->nops;) {
    pel__op *op = &p->op[o];
    if (op->spectral) {
      const double t0 = MPI_Wtime();
      pel__now_in(PEL__T_FILTER);
      pel__spectral_run(s, op->lines);
      s->seconds[PEL__T_FILTER] += MPI_Wtime() - t0;
      ++o;
    } else if (is_reduction(op)) {
      o = run_reductions(s, p, r, o);
    } else {
      run_chain(s, op, r);
      ++o;
    }
  }
}
