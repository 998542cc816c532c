/* Output records: which arrays, and those that are computed only to be written. */
#include <stdlib.h>
#include <string.h>

#include "pelsim/memory.h"
#include "plan.h"

/* One variable of a record: a field of the state, or an output of the model with its plan. */
typedef struct {
  const pel__var *var;
  const pel_output *output;
  pel_stage stage;
  pel__plan *plan;
  double **data;
} item;

struct pel__outputs {
  const pel_sim *s;
  item *item;
  int n;
  pel_array *arrays;
  pel_patch *patches;
};

static bool exists(const pel_sim *s, const pel_output *o) { return !o->when || o->when(s->state); }

static const pel__var *find_field(const pel_sim *s, const char *name) {
  for (int v = 0; v < s->nvars; ++v)
    if (!s->vars[v].rate && s->vars[v].field->prognostic &&
        strcmp(s->vars[v].field->name, name) == 0)
      return &s->vars[v];
  return NULL;
}

static const pel_output *find_output(const pel_sim *s, const char *name) {
  for (int i = 0; i < s->model->noutputs; ++i)
    if (exists(s, &s->model->outputs[i]) && strcmp(s->model->outputs[i].name, name) == 0)
      return &s->model->outputs[i];
  return NULL;
}

static bool add(pel__outputs *o, const pel__var *v, const pel_output *out) { /* false: is there */
  for (int i = 0; i < o->n; ++i)
    if (o->item[i].var == v && o->item[i].output == out) return false;
  o->item[o->n++] = (item){.var = v, .output = out};
  return true;
}

static void reject(pel_sim *s, const char *name) {
  char known[2000] = "";
  size_t n = 0;
  for (int v = 0; v < s->nvars && n < sizeof known - 100; ++v)
    if (!s->vars[v].rate && s->vars[v].field->prognostic)
      n += (size_t)snprintf(known + n, sizeof known - n, "%s%s", n ? ", " : "",
                            s->vars[v].field->name);
  for (int i = 0; i < s->model->noutputs && n < sizeof known - 100; ++i)
    if (exists(s, &s->model->outputs[i]))
      n += (size_t)snprintf(known + n, sizeof known - n, "%s%s", n ? ", " : "",
                            s->model->outputs[i].name);
  pel__config_reject(s->config, "output", "fields", "no field '%s' in this run; there are: %s",
                     name, known);
}

void pel__output_names(pel_sim *s, void (*take)(pel_sim *s, void *ctx, const char *name),
                       void *ctx) {
  char text[PEL_TEXT_MAX], *rest = text, *part;
  snprintf(text, sizeof text, "%s", s->set.output.fields);
  while ((part = strsep(&rest, ","))) {
    char *save, *w = strtok_r(part, " \t", &save);
    if (!w) {
      pel__config_reject(s->config, "output", "fields", "a name is missing beside a comma");
      return;
    }
    for (; w; w = strtok_r(NULL, " \t", &save)) take(s, ctx, w);
  }
}

static void add_named(pel_sim *s, void *outputs, const char *name) {
  const pel__var *v = find_field(s, name);
  const pel_output *out = find_output(s, name);
  if (!v && !out)
    reject(s, name);
  else if (!add(outputs, v, v ? NULL : out))
    pel__config_reject(s->config, "output", "fields", "'%s' is named twice", name);
}

int pel__outputs_create(pel_sim *s, pel_error *e) {
  pel__outputs *o = s->outputs = pel_calloc(1, sizeof *o);
  o->s = s;
  o->item = pel_calloc((size_t)(s->nvars + s->model->noutputs + 1), sizeof *o->item);
  if (*s->set.output.fields) {
    pel__output_names(s, add_named, o);
  } else {
    for (int v = 0; v < s->nvars; ++v)
      if (!s->vars[v].rate && s->vars[v].field->prognostic) add(o, &s->vars[v], NULL);
    for (int i = 0; i < s->model->noutputs; ++i)
      if (s->model->outputs[i].standard && exists(s, &s->model->outputs[i]))
        add(o, NULL, &s->model->outputs[i]);
  }
  for (item *x = o->item; x < o->item + o->n; ++x) {
    if (!x->output) continue;
    x->stage = (pel_stage){.name = x->output->name,
                           .kernel = x->output->kernel,
                           .reads = x->output->reads,
                           .nreads = x->output->nreads};
    x->plan = pel__plan_for(s, &x->stage, e);
  }
  return e->code;
}

int pel__outputs_halo(const pel_sim *s) {
  int w = 0;
  for (int i = 0; i < s->outputs->n; ++i) {
    const int h = pel__plan_halo(s, s->outputs->item[i].plan);
    w = h > w ? h : w;
  }
  return w;
}

void pel__outputs_bind(pel_sim *s) {
  for (item *x = s->outputs->item; x < s->outputs->item + s->outputs->n; ++x)
    if (x->plan) pel__plan_bind(s, x->plan);
}

static void unbind(const pel_sim *s, item *x) {
  if (x->plan) pel__plan_unbind(x->plan);
  pel__block_arrays_free(s, x->data);
  x->data = NULL;
}

void pel__outputs_unbind(pel_sim *s) {
  for (item *x = s->outputs->item; x < s->outputs->item + s->outputs->n; ++x) unbind(s, x);
}

void pel__outputs_destroy(pel__outputs *o) {
  if (!o) return;
  for (item *x = o->item; x < o->item + o->n; ++x) {
    unbind(o->s, x);
    pel__plan_destroy(x->plan);
  }
  free(o->item), free(o->arrays), free(o->patches), free(o);
}

static pel_array describe(const item *x, const pel_patch *p, int n) {
  const pel_field *f = x->var ? x->var->field : NULL;
  const pel_output *o = x->output;
  return f ? (pel_array){f->name, f->unit, f->standard_name, f->doc, f->place, p, n}
           : (pel_array){o->name, o->unit, o->standard_name, o->doc, o->place, p, n};
}

pel_array *pel__outputs_list(pel_sim *s, int *n) {
  pel__outputs *o = s->outputs;
  const pel__layout *l = s->layout;
  free(o->arrays), free(o->patches);
  o->arrays = pel_calloc((size_t)o->n + 1, sizeof *o->arrays);
  o->patches = pel_calloc((size_t)(o->n * l->nlocal) + 1, sizeof *o->patches);
  pel_patch *p = o->patches;
  for (item *x = o->item; x < o->item + o->n; ++x) {
    if (x->plan && !x->data) x->data = pel__block_arrays(s);
    o->arrays[x - o->item] = describe(x, p, l->nlocal);
    for (int b = 0; b < l->nlocal; ++b, ++p) {
      const pel__block *k = &l->block[l->first + b];
      p->sy = k->sy, p->sz = k->sz;
      p->data = x->plan ? x->data[b] : x->var->data[x->var->slot * l->nlocal + b];
      memcpy(p->first, k->first, sizeof p->first);
      memcpy(p->n, k->n, sizeof p->n);
    }
  }
  *n = o->n;
  return o->arrays;
}

pel_array *pel__outputs_compute(pel_sim *s, int *n) {
  pel__outputs *o = s->outputs;
  pel_array *arrays = pel__outputs_list(s, n);
  for (item *x = o->item; x < o->item + o->n; ++x)
    if (x->plan) pel__plan_store(s, x->plan, x->data);
  return arrays;
}
