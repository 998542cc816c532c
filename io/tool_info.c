/* What is in a file, as text for people or JSON for programs. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include "calendar.h"
#include "shared_file.h"
#include "tools.h"

static void set_text(json_t *to, const char *key, const char *text) {
  if (text && *text) json_object_set_new(to, key, json_string(text));
}

static void set_hash(json_t *to, uint64_t hash) {
  char text[17];
  snprintf(text, sizeof text, "%016" PRIx64, hash);
  set_text(to, "fingerprint", text);
}

static int print_json(FILE *out, json_t *root) {
  const int err = json_dumpf(root, out, JSON_INDENT(2));
  fputc('\n', out);
  json_decref(root);
  return err ? PEL_IO : PEL_OK;
}

/* ---- checkpoints ---- */

static json_t *axes_json(const pel_grid *g) {
  json_t *axes = json_array();
  for (int a = 0; a < g->dims; ++a) {
    const pel_axis *x = &g->axis[a];
    json_t *one = json_object();
    set_text(one, "name", x->name);
    json_object_set_new(one, "cells", json_integer(x->n));
    set_text(one, "end", pel__end_name[x->end]);
    json_object_set_new(one, "origin", json_real(x->origin));
    json_object_set_new(one, "spacing", json_real(x->spacing));
    set_text(one, "unit", x->unit);
    json_array_append_new(axes, one);
  }
  return axes;
}

static json_t *fields_json(const pel__checkpoint *c) {
  json_t *fields = json_array();
  for (int a = 0; a < c->s.narrays; ++a) {
    const pel_array *x = &c->s.arrays[a];
    json_t *one = json_object();
    set_text(one, "name", x->name);
    set_text(one, "unit", x->unit);
    set_text(one, "standard_name", x->standard_name);
    set_text(one, "long_name", x->doc);
    set_text(one, "place", pel__place_name[x->place]);
    set_hash(one, c->header.array[a].fingerprint);
    json_array_append_new(fields, one);
  }
  return fields;
}

static int checkpoint_json(FILE *out, const char *file, const pel__checkpoint *c) {
  json_t *root = json_object(), *scalars = json_object();
  set_text(root, "kind", "checkpoint");
  set_text(root, "file", file);
  set_text(root, "model", c->model);
  set_text(root, "title", c->title);
  json_object_set_new(root, "step", json_integer(c->s.step));
  json_object_set_new(root, "time", json_real(c->s.time));
  json_object_set_new(root, "grid", axes_json(&c->grid));
  json_object_set_new(root, "fields", fields_json(c));
  for (int i = 0; i < c->s.nscalars; ++i)
    json_object_set_new(scalars, c->s.scalars[i].name, json_real(c->s.scalars[i].value));
  json_object_set_new(root, "scalars", scalars);
  json_t *config = json_loads(c->config, 0, NULL);
  if (config) json_object_set_new(root, "config", config);
  set_text(root, "created", c->created);
  set_text(root, "source", c->source);
  json_object_set_new(root, "bytes", json_integer(c->header.size));
  set_hash(root, c->header.fingerprint);
  return print_json(out, root);
}

static int checkpoint_text(FILE *out, const char *file, const pel__checkpoint *c) {
  fprintf(out, "%s: checkpoint of model %s\n", file, c->model);
  if (*c->title) fprintf(out, "title        %s\n", c->title);
  fprintf(out, "step         %" PRId64 "\ntime         %.10g s\ngrid        ", c->s.step,
          c->s.time);
  for (int a = 0; a < c->grid.dims; ++a)
    fprintf(out, "%s %s %" PRId64, a ? " x" : "", c->grid.axis[a].name, c->grid.axis[a].n);
  fprintf(out, "\n");
  for (int a = 0; a < c->s.narrays; ++a) {
    const pel_array *x = &c->s.arrays[a];
    fprintf(out, "%s %-12s [%s] %s\n", a ? "            " : "fields      ", x->name, x->unit,
            x->doc);
  }
  for (int i = 0; i < c->s.nscalars; ++i)
    fprintf(out, "%s %-12s %.17g\n", i ? "            " : "numbers     ", c->s.scalars[i].name,
            c->s.scalars[i].value);
  fprintf(out, "written      %s by %s, %.6g MB\nfingerprint  %016" PRIx64 "\n", c->created,
          c->source, (double)c->header.size * 1e-6, c->header.fingerprint);
  return PEL_OK;
}

int pel__info_checkpoint(FILE *out, const char *file, bool json) {
  pel_error e = {0};
  pel__checkpoint c;
  if (pel__checkpoint_open(file, &c, &e) != PEL__FILE_GOOD) return pel__tell(out, &e);
  const int code = json ? checkpoint_json(out, file, &c) : checkpoint_text(out, file, &c);
  pel__checkpoint_close(&c);
  return code;
}

/* ---- netCDF ---- */

/* Date of the first or last record as text; false: there is none. */
static bool date_of(const pel__source *s, size_t record, char text[64]) {
  int v;
  double t;
  pel__moment d;
  if (nc_inq_varid(s->nc, "time", &v) || nc_get_var1_double(s->nc, v, &record, &t)) return false;
  char *units = pel__source_text(s, v, "units"), *calendar = pel__source_text(s, v, "calendar");
  if (pel__date_decode(units, calendar, t, &d))
    snprintf(text, 64, "%04" PRId64 "-%02d-%02d %02d:%02d:%02d", d.year, d.month, d.day, d.hour,
             d.minute, d.second);
  else
    snprintf(text, 64, "%.10g %.40s", t, units ? units : "");
  free(units);
  free(calendar);
  return true;
}

/* {"name", "dimensions": {name: length}, "unit", ...} of one variable. */
static json_t *variable_json(const pel__source *s, int v) {
  char name[NC_MAX_NAME + 1];
  int ndims, dim[NC_MAX_VAR_DIMS];
  json_t *one = json_object(), *dims = json_object();
  if (!nc_inq_var(s->nc, v, name, NULL, &ndims, dim, NULL)) {
    set_text(one, "name", name);
    for (int i = 0; i < ndims; ++i) {
      size_t n;
      nc_inq_dim(s->nc, dim[i], name, &n);
      json_object_set_new(dims, name, json_integer((json_int_t)n));
    }
  }
  json_object_set_new(one, "dimensions", dims);
  static const char *const key[] = {"unit", "standard_name", "long_name"};
  static const char *const attribute[] = {"units", "standard_name", "long_name"};
  for (int i = 0; i < PEL_N(key); ++i) {
    char *text = pel__source_text(s, v, attribute[i]);
    set_text(one, key[i], text);
    free(text);
  }
  return one;
}

static json_t *netcdf_json(const pel__source *s) {
  json_t *root = json_object(), *variables = json_array();
  int nvars = 0, dim;
  size_t records = 0;
  char first[64], last[64];
  set_text(root, "kind", "netcdf");
  set_text(root, "file", s->file);
  static const char *const key[] = {"model", "title", "source", "history", "conventions"};
  static const char *const attribute[] = {"pelsim_model", "title", "source", "history",
                                          "Conventions"};
  for (int i = 0; i < PEL_N(key); ++i) {
    char *text = pel__source_text(s, NC_GLOBAL, attribute[i]);
    set_text(root, key[i], text);
    free(text);
  }
  if (!nc_inq_dimid(s->nc, "time", &dim) && !nc_inq_dimlen(s->nc, dim, &records)) {
    json_object_set_new(root, "records", json_integer((json_int_t)records));
    if (records && date_of(s, 0, first) && date_of(s, records - 1, last)) {
      set_text(root, "first", first);
      set_text(root, "last", last);
    }
  }
  nc_inq_nvars(s->nc, &nvars);
  for (int v = 0; v < nvars; ++v) json_array_append_new(variables, variable_json(s, v));
  json_object_set_new(root, "variables", variables);
  char *config = pel__source_text(s, NC_GLOBAL, "pelsim_config");
  json_t *parsed = config ? json_loads(config, 0, NULL) : NULL;
  if (parsed) json_object_set_new(root, "config", parsed);
  free(config);
  return root;
}

static const char *get(const json_t *x, const char *key) {
  const char *text = json_string_value(json_object_get(x, key));
  return text ? text : "";
}

static void netcdf_text(FILE *out, const json_t *root) {
  const char *model = get(root, "model");
  fprintf(out, "%s: netCDF%s%s\n", get(root, "file"), *model ? ", output of model " : "", model);
  if (*get(root, "title")) fprintf(out, "title        %s\n", get(root, "title"));
  if (*get(root, "source")) fprintf(out, "source       %s\n", get(root, "source"));
  if (json_object_get(root, "records"))
    fprintf(out, "records      %d%s%s%s%s\n",
            (int)json_integer_value(json_object_get(root, "records")),
            *get(root, "first") ? ", " : "", get(root, "first"), *get(root, "last") ? " to " : "",
            get(root, "last"));
  size_t i;
  json_t *v, *n;
  const char *name;
  json_array_foreach(json_object_get(root, "variables"), i, v) {
    char shape[200] = "";
    size_t used = 0;
    json_object_foreach(json_object_get(v, "dimensions"), name, n) {
      if (used < sizeof shape)
        used += (size_t)snprintf(shape + used, sizeof shape - used, "%s%s %d", used ? ", " : "",
                                 name, (int)json_integer_value(n));
    }
    fprintf(out, "%s %s(%s) [%s] %s\n", i ? "            " : "variables   ", get(v, "name"), shape,
            get(v, "unit"), get(v, "long_name"));
  }
}

int pel__info_netcdf(FILE *out, const char *file, bool json) {
  pel_error e = {0};
  pel__source s;
  if (pel__source_open(file, &s, &e)) return pel__tell(out, &e);
  json_t *root = netcdf_json(&s);
  nc_close(s.nc);
  if (json) return print_json(out, root);
  netcdf_text(out, root);
  json_decref(root);
  return PEL_OK;
}
