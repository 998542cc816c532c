/* What a host can run, from the tables: lists of models and parameters, and configurations to start
 * from. */
#include <dlfcn.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include "config_private.h"
#include "pelsim/embed.h"
#include "pelsim/memory.h"
#include "plugin.h"
#include "settings.h"
#include "suggest.h"
#include "units.h"

/* Tables to describe, and how many: a model's, or the layer's, or both. */
typedef struct {
  pel__binding b[PEL__NSETTINGS + 1];
  int n;
} tables;

static tables layer_tables(void) {
  tables t = {.n = PEL__NSETTINGS};
  pel__settings_bindings(NULL, t.b);
  return t;
}

static tables model_tables(const pel_model *m) {
  tables t = {.n = 1};
  t.b[0] = (pel__binding){m->name, m->params, m->nparams, NULL};
  return t;
}

/* In the order in which a reader meets them: what, then how. */
static tables all_tables(const pel_model *m) {
  const tables layer = layer_tables();
  tables t = {.n = PEL__NSETTINGS + 1};
  t.b[0] = layer.b[0];
  t.b[1] = model_tables(m).b[0];
  memcpy(&t.b[2], &layer.b[1], (PEL__NSETTINGS - 1) * sizeof *t.b);
  return t;
}

/* A flat list of the tables' parameters. */
typedef struct {
  const char *section;
  const pel_param *p;
} row;

static row *flatten(const tables *t, int *n) {
  *n = 0;
  for (int i = 0; i < t->n; ++i) *n += t->b[i].nparams;
  row *rows = pel_calloc((size_t)*n + 1, sizeof *rows);
  for (int i = 0, at = 0; i < t->n; ++i)
    for (int j = 0; j < t->b[i].nparams; ++j, ++at) {
      rows[at].p = &t->b[i].params[j];
      rows[at].section = rows[at].p->section ? rows[at].p->section : t->b[i].section;
    }
  return rows;
}

/* Is row i the first of its section? */
static bool heads(const row *rows, int i) {
  for (int j = 0; j < i; ++j)
    if (strcmp(rows[j].section, rows[i].section) == 0) return false;
  return true;
}

static const char *type_name(const pel_param *p) {
  static const char *const names[] = {[PEL_REAL] = "number",
                                      [PEL_INT] = "integer",
                                      [PEL_BOOL] = "yes/no",
                                      [PEL_CHOICE] = "choice",
                                      [PEL_TEXT] = "text"};
  return p->choices ? "choice" : names[p->type];
}

/* "1 to 1000000", "euler, rk3", "more than 0 s or 'auto'": what may be given, units included. */
static void allowed(const pel_param *p, char text[800]) {
  char range[700] = "";
  if (p->choices || p->type == PEL_BOOL)
    pel__expected_show(p, range, sizeof range);
  else
    pel__range_show(p, range, sizeof range);
  const char *shown = strncmp(range, "one of: ", 8) == 0 ? range + 8 : range;
  if (!*shown) { /* no limits: "a number in K", "text" */
    pel_param bare = *p;
    bare.word = NULL;
    pel__expected_show(&bare, range, sizeof range);
    shown = range;
  }
  if (p->word)
    snprintf(text, 800, "%s or '%s'", shown, p->word);
  else
    snprintf(text, 800, "%s", shown);
}

static const char *doc(const pel_param *p) { return p->doc ? p->doc : ""; }

/* The value of a text as it would have to be typed. */
static void text_show(const pel_param *p, const char *text, char shown[PEL__SHOWN]) {
  pel__value v;
  char why[PEL__WHY];
  if (pel__value_parse(p, text, &v, why))
    pel__value_show(p, &v, shown);
  else
    snprintf(shown, PEL__SHOWN, "%s", text);
}

/* The default as it would be typed; "" if it must be given. */
static void default_show(const pel_param *p, char text[PEL__SHOWN]) {
  *text = '\0';
  if (p->def && p->type == PEL_TEXT)
    text_show(p, p->def, text);
  else if (p->def)
    snprintf(text, PEL__SHOWN, "%s", p->def); /* "30 min" rather than 1800 */
}

/* A built-in model by its name, or a plug-in's by its file. */
typedef struct {
  const pel_model *model; /* NULL: not found, and told */
  const char *file;       /* of the plug-in; NULL: built in */
  void *handle;
} chosen;

static bool is_file(const char *name) {
  const size_t n = strlen(name);
  return strchr(name, '/') || (n > 3 && strcmp(name + n - 3, ".so") == 0);
}

static chosen load(const char *file) {
  pel_error e = {0};
  chosen c = {.file = file};
  c.model = pel__plugin_load(file, "", &c.handle, &e);
  if (!c.model) fprintf(stderr, "pelsim: %s\n", e.text);
  return c;
}

static void let_go(const chosen *c) {
  if (c->handle) dlclose(c->handle);
}

static chosen find(const pel_host *host, const char *name) {
  const char *best = NULL;
  if (is_file(name)) return load(name);
  for (int i = 0; i < host->nmodels; ++i) {
    if (strcmp(host->models[i]->name, name) == 0) return (chosen){.model = host->models[i]};
    pel__suggest(name, host->models[i]->name, &best);
  }
  fprintf(stderr, "pelsim: '%s' is not a model; ", name);
  if (best) {
    fprintf(stderr, "did you mean '%s'?\n", best);
  } else {
    fprintf(stderr, "expected one of:");
    for (int i = 0; i < host->nmodels; ++i)
      fprintf(stderr, "%s %s", i ? "," : "", host->models[i]->name);
    fprintf(stderr, "\n");
  }
  return (chosen){0};
}

static int finish(FILE *out) {
  if (fflush(out) == 0 && !ferror(out)) return PEL_OK;
  fprintf(stderr, "pelsim: the description could not be written\n");
  return PEL_IO;
}

static int dump(FILE *out, json_t *root) {
  json_dumpf(root, out, JSON_INDENT(2));
  json_decref(root);
  fputc('\n', out);
  return finish(out);
}

/* ---- models */

static json_t *text_or_null(const char *s) { return s ? json_string(s) : json_null(); }

static json_t *named(const char *name, const char *unit, const char *text) {
  json_t *o = json_object();
  json_object_set_new(o, "name", json_string(name));
  json_object_set_new(o, "unit", text_or_null(unit));
  json_object_set_new(o, "doc", text_or_null(text));
  return o;
}

static json_t *model_json(const pel_model *m) {
  json_t *o = json_object(), *fields = json_array(), *diagnostics = json_array(),
         *outputs = json_array();
  json_object_set_new(o, "name", json_string(m->name));
  json_object_set_new(o, "doc", text_or_null(m->doc));
  json_object_set_new(o, "cite", text_or_null(m->cite));
  json_object_set_new(o, "scheme", text_or_null(m->scheme));
  for (int i = 0; i < m->nfields; ++i) {
    const pel_field *f = &m->fields[i];
    json_t *field = named(f->name, f->unit, f->doc);
    json_object_set_new(field, "standard_name", text_or_null(f->standard_name));
    json_object_set_new(field, "prognostic", json_boolean(f->prognostic));
    json_array_append_new(fields, field);
  }
  for (int i = 0; i < m->ndiagnostics; ++i)
    json_array_append_new(
        diagnostics, named(m->diagnostics[i].name, m->diagnostics[i].unit, m->diagnostics[i].doc));
  for (int i = 0; i < m->noutputs; ++i)
    json_array_append_new(outputs,
                          named(m->outputs[i].name, m->outputs[i].unit, m->outputs[i].doc));
  json_object_set_new(o, "fields", fields);
  json_object_set_new(o, "outputs", outputs);
  json_object_set_new(o, "diagnostics", diagnostics);
  return o;
}

int pel_print_models(FILE *out, const pel_host *host, bool json) {
  if (json) {
    json_t *all = json_array();
    for (int i = 0; i < host->nmodels; ++i) json_array_append_new(all, model_json(host->models[i]));
    return dump(out, all);
  }
  int width = 0;
  for (int i = 0; i < host->nmodels; ++i) {
    const int n = (int)strlen(host->models[i]->name);
    if (n > width) width = n;
  }
  for (int i = 0; i < host->nmodels; ++i) {
    const pel_model *m = host->models[i];
    fprintf(out, "%-*s  %s\n", width, m->name, m->doc ? m->doc : "");
    if (m->cite) fprintf(out, "%-*s  %s\n", width, "", m->cite);
  }
  return finish(out);
}

/* ---- parameters */

static json_t *param_json(const row *r, const char *model) {
  const pel_param *p = r->p;
  json_t *o = json_object();
  json_object_set_new(o, "model", text_or_null(model));
  json_object_set_new(o, "section", json_string(r->section));
  json_object_set_new(o, "key", json_string(p->key));
  json_object_set_new(o, "type", json_string(type_name(p)));
  json_object_set_new(o, "required", json_boolean(!p->def));
  json_object_set_new(o, "default", text_or_null(p->def));
  if ((p->type == PEL_REAL || p->type == PEL_INT) && (p->min != 0 || p->max != 0)) {
    json_object_set_new(o, "min", json_real(p->min)); /* null beyond all doubles */
    json_object_set_new(o, "max", json_real(p->max));
  }
  if (!pel__unit_is_plain(p->unit)) json_object_set_new(o, "unit", json_string(p->unit));
  if (p->word) json_object_set_new(o, "word", json_string(p->word));
  if (p->choices) {
    json_t *list = json_array();
    char word[PEL__QUOTE];
    for (int i = 0; pel__choice(p->choices, i, word, sizeof word); ++i)
      json_array_append_new(list, json_string(word));
    json_object_set_new(o, "choices", list);
  }
  json_object_set_new(o, "doc", json_string(doc(p)));
  return o;
}

static void params_json(json_t *all, const tables *t, const char *model) {
  int n;
  row *rows = flatten(t, &n);
  for (int i = 0; i < n; ++i) json_array_append_new(all, param_json(&rows[i], model));
  free(rows);
}

/* The columns of one line of a table. */
enum { KEY, TYPE, DEFAULT, ALLOWED, DOC, COLUMNS };
typedef struct {
  char cell[COLUMNS][800];
} cells;

static void fill(cells *c, const pel_param *p) {
  snprintf(c->cell[KEY], 800, "%s", p->key);
  snprintf(c->cell[TYPE], 800, "%s", type_name(p));
  if (p->def)
    default_show(p, c->cell[DEFAULT]);
  else
    snprintf(c->cell[DEFAULT], 800, "required");
  allowed(p, c->cell[ALLOWED]);
  snprintf(c->cell[DOC], 800, "%s", doc(p));
}

static void params_text(FILE *out, const tables *t) {
  int n, width[COLUMNS] = {0};
  row *rows = flatten(t, &n);
  cells c;
  for (int i = 0; i < n; ++i) {
    fill(&c, rows[i].p);
    for (int k = 0; k < COLUMNS; ++k) {
      const int length = (int)strlen(c.cell[k]);
      if (length > width[k]) width[k] = length;
    }
  }
  if (width[ALLOWED] > 32) width[ALLOWED] = 32; /* one long list must not push all texts away */
  for (int i = 0; i < n; ++i) {
    if (!heads(rows, i)) continue;
    fprintf(out, "\n[%s]\n", rows[i].section);
    for (int j = i; j < n; ++j) {
      if (strcmp(rows[j].section, rows[i].section) != 0) continue;
      fill(&c, rows[j].p);
      fprintf(out, "  %-*s  %-*s  %-*s  %-*s", width[KEY], c.cell[KEY], width[TYPE], c.cell[TYPE],
              width[DEFAULT], c.cell[DEFAULT], width[ALLOWED], c.cell[ALLOWED]);
      if ((int)strlen(c.cell[ALLOWED]) > width[ALLOWED])
        fprintf(out, "\n  %*s", width[KEY] + width[TYPE] + width[DEFAULT] + width[ALLOWED] + 6, "");
      fprintf(out, "  %s\n", c.cell[DOC]);
    }
  }
  free(rows);
}

static void cell_markdown(FILE *out, const char *text, bool code) {
  fputs(code && *text ? "| `" : "| ", out);
  for (; *text; ++text) {
    if (*text == '|') fputc('\\', out);
    fputc(*text, out);
    if (text[1] == '\0') fputs(code ? "` " : " ", out);
  }
}

static void params_markdown(FILE *out, const tables *t) {
  int n;
  row *rows = flatten(t, &n);
  cells c;
  for (int i = 0; i < n; ++i) {
    if (!heads(rows, i)) continue;
    fprintf(out,
            "\n### `[%s]`\n\n| key | type | default | allowed | meaning |\n"
            "|---|---|---|---|---|\n",
            rows[i].section);
    for (int j = i; j < n; ++j) {
      if (strcmp(rows[j].section, rows[i].section) != 0) continue;
      fill(&c, rows[j].p);
      for (int k = 0; k < COLUMNS; ++k)
        cell_markdown(out, c.cell[k], k == KEY || (k == DEFAULT && rows[j].p->def));
      fputs("|\n", out);
    }
  }
  free(rows);
}

static void params_of(FILE *out, const tables *t, const char *title, const char *text,
                      pel_format f) {
  fprintf(out, f == PEL_AS_MARKDOWN ? "\n## %s\n\n%s.\n" : "%s: %s\n", title, text);
  if (f == PEL_AS_MARKDOWN)
    params_markdown(out, t);
  else
    params_text(out, t);
}

static int print_params(FILE *out, const pel_host *host, const pel_model *only, pel_format f) {
  json_t *all = json_array();
  if (f == PEL_AS_MARKDOWN) fprintf(out, "# Parameters\n");
  if (!only) {
    const tables t = layer_tables();
    if (f == PEL_AS_JSON)
      params_json(all, &t, NULL);
    else
      params_of(out, &t, "Every run", "keys that every model understands", f);
  }
  for (int i = 0; i < (only ? 1 : host->nmodels); ++i) {
    const pel_model *m = only ? only : host->models[i];
    const tables t = model_tables(m);
    if (f == PEL_AS_JSON) {
      params_json(all, &t, m->name);
      continue;
    }
    if (f == PEL_AS_TEXT && !only) fputc('\n', out);
    params_of(out, &t, m->name, m->doc ? m->doc : "", f);
  }
  if (f == PEL_AS_JSON) return dump(out, all);
  json_decref(all);
  return finish(out);
}

int pel_print_params(FILE *out, const pel_host *host, const char *model, pel_format f) {
  const chosen c = model ? find(host, model) : (chosen){0};
  if (model && !c.model) return PEL_USAGE;
  const int code = print_params(out, host, c.model, f);
  let_go(&c);
  return code;
}

/* ---- the template */

static void template_key(FILE *out, const row *r, const chosen *c) {
  const pel_param *p = r->p;
  char value[PEL__SHOWN], line[2 * PEL__SHOWN], limits[800];
  default_show(p, value);
  bool given = !p->def;
  if (strcmp(r->section, "run") == 0 && strcmp(p->key, "model") == 0) {
    snprintf(value, sizeof value, "%s", c->model->name);
    given = true;
  } else if (c->file && strcmp(r->section, "run") == 0 && strcmp(p->key, "plugin") == 0) {
    text_show(p, c->file, value);
    given = true;
  } else if (strcmp(r->section, "time") == 0 && strcmp(p->key, "steps") == 0) {
    snprintf(value, sizeof value, "100"); /* so that the template runs as it is */
    given = true;
  }
  snprintf(line, sizeof line, "%s%s =%s%s", given ? "" : "#", p->key, *value ? " " : "", value);
  allowed(p, limits);
  if (strcmp(limits, "text") == 0) *limits = '\0';
  fprintf(out, "%-32s # %s%s%s%s\n", line, doc(p), *limits ? " [" : "", limits, *limits ? "]" : "");
}

int pel_print_template(FILE *out, const pel_host *host, const char *model) {
  const chosen c = find(host, model);
  const pel_model *m = c.model;
  if (!m) return PEL_USAGE;
  fprintf(
      out,
      "# %s: %s.\n"
      "# Lines that begin with # show the defaults; remove the # to change a value.  Numbers may\n"
      "# carry a unit (30 min, 6371.22 km); without one they are in the unit shown.\n",
      m->name, m->doc ? m->doc : "a model of pelsim");
  const tables t = all_tables(m);
  int n;
  row *rows = flatten(&t, &n);
  for (int i = 0; i < n; ++i) {
    if (!heads(rows, i)) continue;
    fprintf(out, "\n[%s]\n", rows[i].section);
    for (int j = i; j < n; ++j)
      if (strcmp(rows[j].section, rows[i].section) == 0) template_key(out, &rows[j], &c);
  }
  free(rows);
  let_go(&c);
  return finish(out);
}
