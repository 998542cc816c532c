/* An empty CF-1.10 file in netCDF-4 layout.
 *
 * All datasets that grow are created before anything else, and their attributes added later: their
 * headers then lie side by side in the first page of the file, where one write adds a record to
 * all of them, and a process killed at that moment leaves the record or does not.  (Some twelve
 * variables fit.)  netCDF shows variables in the order of creation. */
#include <hdf5.h>
#include <hdf5_hl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "fields.h"
#include "h5.h"
#include "shared_file.h"

#ifndef PELSIM_VERSION
#define PELSIM_VERSION "unknown"
#endif

/* One file being described. */
typedef struct {
  const pel_snapshot *s;
  const pel__growing *g;
  hid_t file;
  bool single, ok;
  pel__dimension dim[PEL__MAX_DIMENSIONS];
  int ndims;
  int next_id; /* _Netcdf4Dimid */
  hid_t column[PEL__FIELDS_COLUMNS], *var;
} desk;

static hid_t properties(void) {
  const hid_t p = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_attr_creation_order(p, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
  return p;
}

static hid_t dataset(desk *d, const char *name, hid_t type, int rank, const hsize_t *n,
                     const hsize_t *max, hid_t p) {
  if (!d->ok) return -1;
  const hid_t s = H5Screate_simple(rank, n, max);
  const hid_t x = pel__h5_create_within(d->file, type, s, p, PEL__PAGE);
  H5Sclose(s);
  if (x < 0 || H5Olink(x, d->file, name, H5P_DEFAULT, H5P_DEFAULT) < 0) d->ok = false;
  return x;
}

static void text(desk *d, hid_t x, const char *name, const char *value) {
  if (value && *value) pel__h5_put_text(x, name, value, &d->ok);
}

/* Declares x a dimension; label NULL: it has coordinates. */
static void make_scale(desk *d, hid_t x, const char *label) {
  if (d->ok) d->ok = H5DSset_scale(x, label) >= 0;
  pel__h5_put_id(x, "_Netcdf4Dimid", d->next_id++, &d->ok);
}

/* ---- [time] of the configuration ---- */

/* value of [section] key, malloced, or a copy of def. */
static char *setting(const char *config, const char *section, const char *key, const char *def) {
  json_t *root = config ? json_loads(config, 0, NULL) : NULL;
  const json_t *x = json_object_get(json_object_get(root, section), key);
  const char *value = json_string_value(json_is_object(x) ? json_object_get(x, "value") : x);
  char *copy = strdup(value && *value ? value : def);
  json_decref(root);
  return copy;
}

static void describe_time(desk *d) {
  char units[160];
  char *start = setting(d->s->config, "time", "start", "2000-01-01 00:00:00");
  char *calendar = setting(d->s->config, "time", "calendar", "proleptic_gregorian");
  snprintf(units, sizeof units, "seconds since %.100s", start ? start : "");
  text(d, d->column[PEL__TIME], "standard_name", "time");
  text(d, d->column[PEL__TIME], "long_name", "model time");
  text(d, d->column[PEL__TIME], "units", units);
  text(d, d->column[PEL__TIME], "calendar", calendar);
  text(d, d->column[PEL__TIME], "axis", "T");
  free(start);
  free(calendar);
}

/* One number a record. */
static void create_columns(desk *d) {
  for (int c = 0; c < PEL__FIELDS_COLUMNS; ++c) {
    const hid_t p = properties();
    H5Pset_chunk(p, 1, &d->g[c].records);
    d->column[c] =
        dataset(d, d->g[c].name, d->g[c].type, 1, (hsize_t[]){0}, (hsize_t[]){H5S_UNLIMITED}, p);
    H5Pclose(p);
  }
}

static void describe_columns(desk *d) {
  static const char *const doc[] = {NULL, "number of the time step",
                                    "hash of all values of the record, as pelsim verify checks it"};
  make_scale(d, d->column[PEL__TIME], "time");
  describe_time(d);
  for (int c = 0; c < PEL__FIELDS_COLUMNS; ++c) {
    if (c == PEL__TIME) continue;
    text(d, d->column[c], "long_name", doc[c]);
    if (d->ok) d->ok = H5DSattach_scale(d->column[c], d->column[PEL__TIME], 0) >= 0;
  }
}

/* ---- coordinates ---- */

static pel__dimension *dimension(desk *d, int axis, bool face) {
  for (int i = 0; i < d->ndims; ++i)
    if (d->dim[i].axis == axis && d->dim[i].face == face) return &d->dim[i];
  pel__dimension *x = &d->dim[d->ndims++];
  *x = (pel__dimension){.axis = axis, .face = face, .scale = -1};
  const char *name = d->s->grid->axis[axis].name;
  snprintf(x->name, sizeof x->name, "%.60s%s",
           name && *name ? name : (const char *[]){"x", "y", "z"}[axis],
           face ? (const char *[]){"_u", "_v", "_w"}[axis] : "");
  return x;
}

static bool on_face(pel_place place, int axis) {
  return (axis == 0 && (place == PEL_FACE_X || place == PEL_CORNER_XY)) ||
         (axis == 1 && (place == PEL_FACE_Y || place == PEL_CORNER_XY)) ||
         (axis == 2 && place == PEL_FACE_Z);
}

static void write_all(desk *d, hid_t x, const double *value) {
  if (d->ok) d->ok = H5Dwrite(x, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, value) >= 0;
}

static void describe_coordinate(desk *d, pel__dimension *x) {
  const pel_axis *a = &d->s->grid->axis[x->axis];
  const hsize_t n = (hsize_t)a->n;
  char doc[200], bounds[100];
  double *value = malloc((size_t)n * sizeof *value);
  const hid_t p = properties();
  x->scale = dataset(d, x->name, H5T_IEEE_F64LE, 1, &n, NULL, p);
  H5Pclose(p);
  make_scale(d, x->scale, x->name);
  snprintf(doc, sizeof doc, "%s of %s", a->standard_name ? a->standard_name : x->name,
           x->face ? "the lower faces of cells" : "the centres of cells");
  text(d, x->scale, "standard_name", a->standard_name);
  text(d, x->scale, "long_name", doc);
  text(d, x->scale, "units", a->unit);
  text(d, x->scale, "axis", (const char *[]){"X", "Y", "Z"}[x->axis]);
  const char *name = a->standard_name ? a->standard_name : "";
  if (!strcmp(name, "height") || !strcmp(name, "altitude")) text(d, x->scale, "positive", "up");
  if (!strcmp(name, "depth")) text(d, x->scale, "positive", "down");
  snprintf(bounds, sizeof bounds, "%s_bnds", x->name);
  if (!x->face) text(d, x->scale, "bounds", bounds);
  if (!value) d->ok = false;
  for (hsize_t i = 0; i < n && d->ok; ++i)
    value[i] = a->origin + ((double)i + (x->face ? 0 : 0.5)) * a->spacing;
  write_all(d, x->scale, value);
  free(value);
}

/* Lower and upper face of each cell. */
static void describe_bounds(desk *d, const pel__dimension *x, hid_t nv) {
  const pel_axis *a = &d->s->grid->axis[x->axis];
  char name[100];
  snprintf(name, sizeof name, "%s_bnds", x->name);
  double *value = malloc(2 * (size_t)a->n * sizeof *value);
  const hid_t p = properties();
  const hid_t b = dataset(d, name, H5T_IEEE_F64LE, 2, (hsize_t[]){(hsize_t)a->n, 2}, NULL, p);
  H5Pclose(p);
  if (!value) d->ok = false;
  for (int64_t i = 0; i < 2 * a->n && d->ok; ++i)
    value[i] = a->origin + (double)((i + 1) / 2) * a->spacing;
  write_all(d, b, value);
  if (d->ok) d->ok = H5DSattach_scale(b, x->scale, 0) >= 0 && H5DSattach_scale(b, nv, 1) >= 0;
  if (b >= 0) H5Dclose(b);
  free(value);
}

static void describe_coordinates(desk *d) {
  const pel_snapshot *s = d->s;
  for (int axis = 0; axis < s->grid->dims; ++axis) {
    describe_coordinate(d, dimension(d, axis, false));
    bool face = false;
    for (int a = 0; a < s->narrays; ++a) face = face || on_face(s->arrays[a].place, axis);
    if (face) describe_coordinate(d, dimension(d, axis, true));
  }
  const hid_t p = properties();
  const hid_t nv = dataset(d, "nv", H5T_IEEE_F32BE, 1, (hsize_t[]){2}, NULL, p);
  H5Pclose(p);
  char label[80]; /* the words by which netCDF knows a dimension without coordinates */
  snprintf(label, sizeof label, "This is a netCDF dimension but not a netCDF variable.%10d", 2);
  make_scale(d, nv, label);
  for (int i = 0; i < d->ndims; ++i)
    if (!d->dim[i].face) describe_bounds(d, &d->dim[i], nv);
  if (nv >= 0) H5Dclose(nv);
}

/* ---- variables ---- */

static const double missing = 9.9692099683868690e+36; /* netCDF's default */

static hid_t record_properties(const pel__growing *g) {
  hsize_t chunk[4] = {g->records};
  memcpy(chunk + 1, g->chunk, sizeof g->chunk);
  const hid_t p = properties();
  H5Pset_chunk(p, 1 + g->rank, chunk);
  H5Pset_fill_value(p, H5T_NATIVE_DOUBLE, &missing);
  H5Pset_fill_time(p, H5D_FILL_TIME_NEVER);
  H5Pset_alloc_time(p, H5D_ALLOC_TIME_EARLY);
  return p;
}

static void create_variables(desk *d) {
  for (int a = 0; a < d->s->narrays; ++a) {
    const pel__growing *g = &d->g[PEL__FIELDS_COLUMNS + a];
    hsize_t n[4] = {0}, max[4] = {H5S_UNLIMITED};
    for (int i = 0; i < g->rank; ++i) n[1 + i] = max[1 + i] = g->n[i];
    const hid_t p = record_properties(g);
    d->var[a] = dataset(d, g->name, g->type, 1 + g->rank, n, max, p);
    H5Pclose(p);
  }
}

static hid_t stored_type(const desk *d) { return d->single ? H5T_IEEE_F32LE : H5T_IEEE_F64LE; }

static void describe_variable(desk *d, const pel_array *x, hid_t v) {
  const pel_grid *g = d->s->grid;
  if (d->ok) d->ok = H5DSattach_scale(v, d->column[PEL__TIME], 0) >= 0;
  for (int i = 0; i < g->dims && d->ok; ++i) {
    const int axis = g->dims - 1 - i;
    const hid_t scale = dimension(d, axis, on_face(x->place, axis))->scale;
    d->ok = H5DSattach_scale(v, scale, (unsigned)(1 + i)) >= 0;
  }
  pel__h5_put_fill(v, "_FillValue", stored_type(d), missing, &d->ok);
  text(d, v, "standard_name", x->standard_name);
  text(d, v, "long_name", x->doc && *x->doc ? x->doc : x->name);
  text(d, v, "units", x->unit && *x->unit ? x->unit : "1");
  text(d, v, "cell_methods", "time: point");
}

static void describe_file(desk *d) {
  char now[32], history[120];
  const time_t t = time(NULL);
  struct tm tm;
  strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
  snprintf(history, sizeof history, "%s: created by pelsim " PELSIM_VERSION, now);
  text(d, d->file, "Conventions", "CF-1.10");
  text(d, d->file, "title", d->s->title && *d->s->title ? d->s->title : d->s->model);
  text(d, d->file, "source", "pelsim " PELSIM_VERSION);
  text(d, d->file, "history", history);
  text(d, d->file, "pelsim_model", d->s->model);
  text(d, d->file, "pelsim_config", d->s->config);
}

/* A name used twice would otherwise be HDF5's anonymous failure. */
static int reject_clashes(const desk *d, const char *path, pel_error *e) {
  for (int a = 0; a < d->s->narrays; ++a) {
    const char *name = d->s->arrays[a].name;
    bool clash = !strcmp(name, "nv");
    for (int c = 0; c < PEL__FIELDS_COLUMNS; ++c) clash = clash || !strcmp(name, d->g[c].name);
    for (int i = 0; i < d->s->grid->dims; ++i)
      clash = clash || (d->s->grid->axis[i].name && !strcmp(name, d->s->grid->axis[i].name));
    for (int b = 0; b < a; ++b) clash = clash || !strcmp(name, d->s->arrays[b].name);
    if (clash)
      return pel_error_set(e, PEL_INTERNAL,
                           "%s cannot hold a field named %s: the name is taken by a coordinate or "
                           "another field",
                           path, name);
  }
  return PEL_OK;
}

static void describe_all(desk *d) {
  create_columns(d);
  create_variables(d);
  describe_file(d);
  describe_columns(d);
  describe_coordinates(d);
  for (int a = 0; a < d->s->narrays; ++a) describe_variable(d, &d->s->arrays[a], d->var[a]);
}

static void close_all(desk *d) {
  for (int i = 0; i < d->ndims; ++i)
    if (d->dim[i].scale >= 0) H5Dclose(d->dim[i].scale);
  for (int c = 0; c < PEL__FIELDS_COLUMNS; ++c)
    if (d->column[c] >= 0) H5Dclose(d->column[c]);
  for (int a = 0; a < d->s->narrays; ++a)
    if (d->var[a] >= 0) H5Dclose(d->var[a]);
  if (d->file >= 0 && H5Fclose(d->file) < 0) d->ok = false;
}

int pel__fields_describe(pel__overlay *o, const pel_snapshot *s, bool single, const pel__growing *g,
                         const char *path, int64_t *still, pel_error *e) {
  desk d = {.s = s, .g = g, .single = single, .column = {-1, -1, -1}};
  (void)still;
  if (reject_clashes(&d, path, e)) return e->code;
  d.var = malloc(((size_t)s->narrays + 1) * sizeof *d.var);
  if (!d.var) return pel_error_set(e, PEL_INTERNAL, "out of memory for %s", path);
  for (int a = 0; a < s->narrays; ++a) d.var[a] = -1;
  const hid_t fcpl = H5Pcreate(H5P_FILE_CREATE);
  H5Pset_link_creation_order(fcpl, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
  H5Pset_attr_creation_order(fcpl, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
  d.file = pel__overlay_h5create(o, fcpl, H5F_LIBVER_V18, H5F_LIBVER_V18);
  H5Pclose(fcpl);
  d.ok = d.file >= 0;
  if (d.ok) describe_all(&d);
  close_all(&d);
  free(d.var);
  if (d.ok) return PEL_OK;
  return pel_error_set(e, PEL_INTERNAL, "HDF5 could not describe %s (out of memory?)", path);
}
