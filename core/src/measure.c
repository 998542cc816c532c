/* Limits of the time step, diagnostics, errors against exact solutions. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dynamics.h"
#include "pelsim/memory.h"
#include "plan.h"

typedef enum { FIELD_MIN, FIELD_MAX, MODEL, EXACT_L1, EXACT_L2, EXACT_LINF } kind;

/* One column of diagnostics.csv. */
typedef struct {
  kind kind;
  char name[80];
  const char *unit;
  int var;                    /* of the field, for FIELD and EXACT */
  const pel_diagnostic *diag; /* MODEL */
  int plan;                   /* MODEL and EXACT */
} column;

struct pel__measures {
  pel_stage *stage; /* one a plan: its last, measuring stage */
  pel__plan **plan;
  int nplans;
  int *limit;  /* [nlimits]: plan, or -1 */
  int *exact;  /* [nexact]: plan, or -1 */
  int *weight; /* [nplans]: plan of the weights of an exact solution, or -1 */
  column *column;
  int ncolumns;
};

/* ---- plans ---- */

pel__plan *pel__plan_for(pel_sim *s, const pel_stage *last, pel_error *e) {
  const pel_model *m = s->model;
  bool needed[m->nprogram + 1], any = false;
  const pel_stage *list[m->nprogram + 1];
  int n = 0;
  memset(needed, 0, sizeof needed);
  for (int i = m->nprogram - 1; i >= 0;
       --i) { /* is anything it writes, and is not state, read later? */
    const pel_stage *st = &m->program[i];
    for (int w = 0; w < st->nwrites && (!st->when || st->when(s->state)); ++w) {
      const pel__var *v = pel__var_at(s, st->writes[w]);
      if (!v || v->field->prognostic) continue;
      for (int r = 0; r < last->nreads; ++r) needed[i] |= last->reads[r].field == v->offset;
      for (int j = i + 1; j < m->nprogram; ++j)
        for (int r = 0; needed[j] && r < m->program[j].nreads; ++r)
          needed[i] |= m->program[j].reads[r].field == v->offset;
    }
    any = any || needed[i];
  }
  for (int i = 0; i < m->nprogram; ++i) {
    const bool on = !m->program[i].when || m->program[i].when(s->state);
    if (on && (needed[i] || (any && m->program[i].kind == PEL_REDUCE))) list[n++] = &m->program[i];
  }
  list[n++] = last;
  return pel__plan_create(s, list, n, false, true, e);
}

static int add_plan(pel_sim *s, const char *name, pel_kernel *k, const pel_access *reads,
                    int nreads, pel_error *e) {
  pel__measures *m = s->measures;
  pel_stage *st = &m->stage[m->nplans];
  *st = (pel_stage){.name = name, .kernel = k, .reads = reads, .nreads = nreads};
  m->plan[m->nplans] = pel__plan_for(s, st, e);
  m->weight[m->nplans] = -1;
  return m->nplans++;
}

static column *add_column(pel__measures *m, kind k, const char *name, const char *suffix,
                          const char *unit) {
  column *c = &m->column[m->ncolumns++];
  *c = (column){.kind = k, .unit = unit};
  snprintf(c->name, sizeof c->name, "%s%s", name, suffix);
  return c;
}

static void add_exact(pel_sim *s, const pel_exact *x, pel_error *e) {
  static const char *const suffix[] = {"_l1", "_l2", "_linf"};
  pel__measures *m = s->measures;
  const pel__var *v = pel__var_at(s, x->field);
  int *plan = &m->exact[x - s->model->exact];
  *plan = -1;
  if (!v || (x->when && !x->when(s->state))) return;
  const int p = *plan = add_plan(s, "exact", x->kernel, NULL, 0, e);
  if (x->weight) m->weight[p] = add_plan(s, "weight", x->weight, NULL, 0, e);
  for (int i = 0; i < 3; ++i) {
    column *c = add_column(m, EXACT_L1 + (kind)i, v->field->name, suffix[i], "1");
    c->var = (int)(v - s->vars), c->plan = p;
  }
}

int pel__measures_create(pel_sim *s, pel_error *e) {
  const pel_model *m = s->model;
  const size_t plans = (size_t)(m->nlimits + m->ndiagnostics + 2 * m->nexact + 1);
  pel__measures *x = s->measures = pel_calloc(1, sizeof *x);
  x->stage = pel_calloc(plans, sizeof *x->stage);
  x->plan = pel_calloc(plans, sizeof *x->plan);
  x->weight = pel_calloc(plans, sizeof *x->weight);
  x->exact = pel_calloc((size_t)m->nexact + 1, sizeof *x->exact);
  x->limit = pel_calloc((size_t)m->nlimits + 1, sizeof *x->limit);
  x->column =
      pel_calloc((size_t)(2 * s->nvars + m->ndiagnostics + 3 * m->nexact + 1), sizeof(column));
  for (int i = 0; i < m->nlimits; ++i) {
    const pel_limit *l = &m->limits[i];
    const bool on = !l->when || l->when(s->state);
    x->limit[i] = on ? add_plan(s, l->name, l->kernel, l->reads, l->nreads, e) : -1;
  }
  for (int v = 0; v < s->nvars; ++v) {
    const pel_field *f = s->vars[v].field;
    if (s->vars[v].rate || !f->prognostic || f->fixed) continue;
    add_column(x, FIELD_MIN, f->name, "_min", f->unit)->var = v;
    add_column(x, FIELD_MAX, f->name, "_max", f->unit)->var = v;
  }
  for (int i = 0; i < m->ndiagnostics; ++i) {
    const pel_diagnostic *d = &m->diagnostics[i];
    if (d->when && !d->when(s->state)) continue;
    column *c = add_column(x, MODEL, d->name, "", d->units ? d->units(s->state) : d->unit);
    c->diag = d;
    if (!d->total) c->plan = add_plan(s, d->name, d->kernel, d->reads, d->nreads, e);
  }
  for (int i = 0; i < m->nexact; ++i) add_exact(s, &m->exact[i], e);
  return e->code;
}

int pel__measures_halo(const pel_sim *s) {
  int w = 0;
  for (int i = 0; i < s->measures->nplans; ++i) {
    const int h = pel__plan_halo(s, s->measures->plan[i]);
    w = h > w ? h : w;
  }
  return w;
}

void pel__measures_bind(pel_sim *s) {
  for (int i = 0; i < s->measures->nplans; ++i) pel__plan_bind(s, s->measures->plan[i]);
}

void pel__measures_unbind(pel_sim *s) {
  for (int i = 0; i < s->measures->nplans; ++i) pel__plan_unbind(s->measures->plan[i]);
}

void pel__measures_destroy(pel__measures *m) {
  if (!m) return;
  for (int i = 0; i < m->nplans; ++i) pel__plan_destroy(m->plan[i]);
  free(m->stage), free(m->plan), free(m->weight), free(m->limit), free(m->exact), free(m->column),
      free(m);
}

bool pel__exact_store(pel_sim *s, int i, double **to) {
  const int plan = s->measures->exact[i];
  if (plan >= 0) pel__plan_store(s, s->measures->plan[plan], to);
  return plan >= 0;
}

/* ---- what is asked for ---- */

double pel__measure_limits(pel_sim *s, double *steps) {
  const pel_model *m = s->model;
  double least = INFINITY;
  for (int i = 0; i < m->nlimits; ++i) {
    double lo, rate, bound, step = INFINITY;
    if (s->measures->limit[i] >= 0) {
      pel__plan_extremes(s, s->measures->plan[s->measures->limit[i]], &lo, &rate);
      bound = m->limits[i].spectrum == PEL_OSCILLATES ? s->scheme->imaginary : s->scheme->real;
      if (rate > 0) step = bound / rate;
    }
    if (steps) steps[i] = step;
    least = fmin(least, step);
  }
  return least;
}

int pel__measure_count(const pel_sim *s) { return s->measures->ncolumns; }

void pel__measure_names(const pel_sim *s, const char **names, const char **units) {
  for (int i = 0; i < s->measures->ncolumns; ++i) {
    names[i] = s->measures->column[i].name;
    units[i] = s->measures->column[i].unit;
  }
}

static double model_diagnostic(pel_sim *s, const column *c) {
  if (c->diag->total) return c->diag->total(pel__dynamics_totals(s), s->state);
  pel__plan *p = s->measures->plan[c->plan];
  const double cells = (double)(s->grid.axis[0].n * s->grid.axis[1].n * s->grid.axis[2].n);
  double lo, hi;
  switch (c->diag->reduction) {
    case PEL_SUM:
      return pel__plan_sum(s, p);
    case PEL_MEAN:
      return pel__plan_sum(s, p) / cells;
    default:
      pel__plan_extremes(s, p, &lo, &hi);
      return c->diag->reduction == PEL_MIN ? lo : hi;
  }
}

void pel__measure_diagnostics(pel_sim *s, double *values) {
  const pel__measures *m = s->measures;
  for (int i = 0; i < m->ncolumns;) {
    const column *c = &m->column[i];
    if (c->kind == FIELD_MIN) {
      pel__field_extremes(s, &s->vars[c->var], &values[i], &values[i + 1]);
      i += 2;
    } else if (c->kind == MODEL) {
      values[i++] = model_diagnostic(s, c);
    } else {
      const int w = m->weight[c->plan];
      pel__plan_compare(s, m->plan[c->plan], w < 0 ? NULL : m->plan[w], &s->vars[c->var],
                        &values[i]);
      i += 3;
    }
  }
}

bool pel__measure_idle(const pel_sim *s, int i) {
  const pel_diagnostic *d = s->measures->column[i].diag;
  return d && d->conserved && d->watched && !d->watched(s->state);
}

void pel__measure_watch(const pel_sim *s, const double *values, const double *reference,
                        pel_error *e) {
  const pel__measures *m = s->measures;
  for (int i = 0; i < m->ncolumns; ++i) {
    const pel_diagnostic *d = m->column[i].diag;
    if (!d || !d->conserved || pel__measure_idle(s, i)) continue;
    const double drift = fabs(values[i] - reference[i]), scale = fmax(fabs(reference[i]), d->scale);
    if (drift <= d->tolerance * scale) continue;
    pel_error_set(e, PEL_INVALID,
                  "conserved quantity '%s' drifted: it is %.17g, was %.17g at the start (relative "
                  "change %.2g, allowed %.2g); %s, or set "
                  "[diagnostics] invariants = no",
                  d->name, values[i], reference[i], drift / scale, d->tolerance,
                  s->dynamics ? "reduce [time] dt"
                  : s->step > 10
                      ? "reduce [time] cfl"
                      : "so early that a kernel may read further than its stage declares "
                        "(a build with PELSIM_CHECKS finds it), or [time] cfl is too large");
  }
}
