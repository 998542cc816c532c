/* One time step: the program once a substage, the fields advanced by the scheme. */
#include <math.h>
#include <stdlib.h>

#include "dynamics.h"
#include "plan.h"

static void use_slot(pel_sim *s, int slot) {
  for (pel__var *v = s->vars; v < s->vars + s->nvars; ++v)
    if (!v->rate && v->field->rate) v->slot = slot;
  pel__state_refresh(s);
}

/* A scheme that ends in another slot than it began in: exchange the two. */
static void swap_slots(pel_sim *s, int a, int b) {
  const int n = s->layout->nlocal;
  for (pel__var *v = s->vars; v < s->vars + s->nvars; ++v) {
    if (v->rate || !v->field->rate) continue;
    for (int i = 0; i < n; ++i) {
      double *t = v->data[a * n + i];
      v->data[a * n + i] = v->data[b * n + i];
      v->data[b * n + i] = t;
    }
    const int valid = v->valid[a];
    v->valid[a] = v->valid[b], v->valid[b] = valid;
  }
}

int pel__initialise(pel_sim *s, pel_error *e) {
  const pel_model *m = s->model;
  if (s->dynamics) return pel__dynamics_start(s, e);
  pel__plan_run(s, s->init, &(pel__run){.time = 0, .dt = 0});
  bool any = false;
  if (m->ninit) return PEL_OK;
  for (int i = 0; i < m->nexact; ++i) { /* no stages: the exact solution at time 0 */
    const pel__var *v = pel__var_at(s, m->exact[i].field);
    if (v) any = pel__exact_store(s, i, v->data + v->slot * s->layout->nlocal) || any;
  }
  if (any) return PEL_OK;
  return pel_error_set(e, PEL_INTERNAL, "model %s has neither init stages nor an exact solution",
                       m->name);
}

void pel__step(pel_sim *s, double dt) {
  s->nonfinite = false;
  if (s->dynamics) {
    pel__dynamics_step(s, dt);
    return;
  }
  if (!s->scheme) {
    pel__plan_run(s, s->program, &(pel__run){.time = s->time, .dt = dt});
    return;
  }
  for (int i = 0; i < s->scheme->nsub; ++i) {
    const pel__substage *sub = &s->scheme->sub[i];
    use_slot(s, sub->in);
    pel__plan_run(s, s->program, &(pel__run){.time = s->time + sub->c * dt, .dt = dt, .sub = sub});
  }
  const int last = s->scheme->sub[s->scheme->nsub - 1].out;
  if (last != 0) swap_slots(s, 0, last);
  use_slot(s, 0);
}

typedef struct {
  int64_t index; /* global; -1 none */
  int var;
  double value;
} found;

static found first_nonfinite(const pel_sim *s) {
  found f = {INT64_MAX, 0, 0};
  const pel__layout *l = s->layout;
  for (int v = 0; v < s->nvars; ++v) {
    const pel__var *x = &s->vars[v];
    for (int b = 0; !x->rate && x->field->prognostic && b < l->nlocal; ++b) {
      const pel__block *k = &l->block[l->first + b];
      const double *d = x->data[x->slot * l->nlocal + b];
      for (int z = 0; z < k->n[2]; ++z)
        for (int y = 0; y < k->n[1]; ++y)
          for (int i = 0; i < k->n[0]; ++i) {
            const double value = d[z * k->sz + y * k->sy + i];
            const int64_t index =
                ((k->first[2] + z) * s->grid.axis[1].n + k->first[1] + y) * s->grid.axis[0].n +
                k->first[0] + i;
            if (!isfinite(value) && index < f.index) f = (found){index, v, value};
          }
    }
  }
  return f;
}

void pel__find_nonfinite(pel_sim *s, pel_error *e) {
  const found f = first_nonfinite(s);
  int64_t first;
  pel_error mine = {0};
  MPI_Allreduce(&f.index, &first, 1, MPI_INT64_T, MPI_MIN, s->comm);
  if (first == INT64_MAX) return;
  if (first == f.index) {
    const pel_axis *a = s->grid.axis;
    const int64_t i[3] = {first % a[0].n, first / a[0].n % a[1].n, first / a[0].n / a[1].n};
    char at[200];
    int n = 0;
    for (int d = 0; d < s->grid.dims; ++d)
      n += snprintf(at + n, sizeof at - (size_t)n, "%s%s = %g %s", d ? ", " : "", a[d].name,
                    a[d].origin + ((double)i[d] + .5) * a[d].spacing, a[d].unit);
    pel_error_set(
        &mine, PEL_INVALID,
        "'%s' is %g in cell (%ld,%ld,%ld) at %s (rank %d; dt was %g s); reduce [time] cfl "
        "or dt, or add viscosity",
        s->vars[f.var].field->name, f.value, (long)i[0], (long)i[1], (long)i[2], at, s->rank,
        s->dt);
  }
  pel__agree_error(s->comm, &mine);
#ifdef PELSIM_CHECKS
  pel_error_set(e, mine.code,
                "%s; this build has checks: or else a stage reads what it does not "
                "declare",
                mine.text);
#else
  pel_error_set(e, mine.code, "%s", mine.text);
#endif
}
