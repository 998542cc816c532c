/* H5MD files of any writer: what is in them, and in ours whether it is what was written. */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "h5.h"
#include "h5md.h"
#include "tools.h"
#include "trajectory.h"

/* Names of the elements of the group, in order, malloced; of a file that is not ours too. */
typedef struct {
  char (*name)[80];
  int n;
} names;

static herr_t add_name(hid_t group, const char *name, const H5L_info_t *link, void *to) {
  names *x = to;
  (void)group, (void)link;
  if (!strcmp(name, "box") || strlen(name) > 79) return 0;
  char(*more)[80] = realloc(x->name, (size_t)(x->n + 1) * sizeof *more);
  if (!more) return -1;
  x->name = more;
  snprintf(x->name[x->n++], sizeof *x->name, "%s", name);
  return 0;
}

static names names_of(const pel__h5md *f) {
  names x = {NULL, 0};
  H5Literate(f->group, H5_INDEX_NAME, H5_ITER_INC, NULL, add_name, &x);
  return x;
}

/* Our own group of parameters; < 0: the file is not ours. */
static hid_t parameters(const pel__h5md *f) {
  return H5Lexists(f->file, "parameters", H5P_DEFAULT) > 0 &&
                 H5Lexists(f->file, PEL__PARAMETERS, H5P_DEFAULT) > 0
             ? H5Gopen2(f->file, PEL__PARAMETERS, H5P_DEFAULT)
             : -1;
}

/* ---- info ---- */

static void set_text(json_t *to, const char *key, char *text) {
  if (text && *text) json_object_set_new(to, key, json_string(text));
  free(text);
}

static json_t *element_json(const pel__h5md_element *x) {
  json_t *one = json_object();
  json_object_set_new(one, "name", json_string(x->name));
  json_object_set_new(one, "components", json_integer(x->components));
  json_object_set_new(one, "frames", x->frames ? json_integer(x->frames) : json_string("fixed"));
  set_text(one, "unit", pel__h5md_text(x->value, "unit"));
  return one;
}

static void add_frames(json_t *root, const pel__h5md *f, const pel__h5md_element *x) {
  int64_t *step = pel__h5md_steps(x);
  double *time = pel__h5md_times(x);
  const hid_t d = time ? H5Dopen2(x->object, "time", H5P_DEFAULT) : -1;
  json_object_set_new(root, "frames", json_integer(f->frames));
  if (step && f->frames)
    json_object_set_new(root, "steps",
                        json_pack("[I,I]", (json_int_t)step[0], (json_int_t)step[f->frames - 1]));
  if (time && f->frames)
    json_object_set_new(root, "times", json_pack("[f,f]", time[0], time[f->frames - 1]));
  set_text(root, "time_unit", pel__h5md_text(d, "unit"));
  if (d >= 0) H5Dclose(d);
  free(step);
  free(time);
}

static void add_box(json_t *root, const pel__h5md *f) {
  pel_error ignored = {0};
  pel__h5md_box b;
  if ((f->frames == 0) || pel__h5md_read_box(f, f->frames - 1, &b, &ignored)) return;
  json_t *edges = json_array(), *boundary = json_array();
  for (int a = 0; a < b.dimension; ++a) {
    json_array_append_new(edges, json_real(b.edge[4 * a]));
    json_array_append_new(boundary, json_string(b.periodic[a] ? "periodic" : "none"));
  }
  if (b.known) json_object_set(root, "box", edges);
  json_object_set_new(root, "boundary", boundary);
  json_decref(edges);
}

static json_t *trajectory_json(const pel__h5md *f) {
  pel_error ignored = {0};
  json_t *root = json_object(), *list = json_array();
  names all = names_of(f);
  json_object_set_new(root, "kind", json_string("trajectory"));
  json_object_set_new(root, "file", json_string(f->path));
  const hid_t own = parameters(f);
  set_text(root, "model", own < 0 ? NULL : pel__h5md_text(own, "model"));
  set_text(root, "title", own < 0 ? NULL : pel__h5md_text(own, "title"));
  const hid_t creator = H5Gopen2(f->file, "h5md/creator", H5P_DEFAULT);
  set_text(root, "creator", pel__h5md_text(creator, "name"));
  set_text(root, "version", pel__h5md_text(creator, "version"));
  if (creator >= 0) H5Gclose(creator);
  json_object_set_new(root, "group", json_string(f->name));
  json_object_set_new(root, "particles", json_integer(f->n));
  for (int i = 0; i < all.n; ++i) {
    pel__h5md_element x;
    if (!pel__h5md_find(f, all.name[i], &x, &ignored)) continue;
    if (!strcmp(x.name, "position")) add_frames(root, f, &x);
    json_array_append_new(list, element_json(&x));
    pel__h5md_done(&x);
  }
  free(all.name);
  add_box(root, f);
  json_object_set_new(root, "elements", list);
  char *text = own < 0 ? NULL : pel__h5_get_document(own, "config");
  json_t *config = text ? json_loads(text, 0, NULL) : NULL;
  if (config) json_object_set_new(root, "config", config);
  free(text);
  if (own >= 0) H5Gclose(own);
  return root;
}

static const char *get(const json_t *x, const char *key) {
  const char *text = json_string_value(json_object_get(x, key));
  return text ? text : "";
}

static double real(const json_t *x, const char *key, size_t i) {
  return json_number_value(json_array_get(json_object_get(x, key), i));
}

static void trajectory_text(FILE *out, const json_t *root) {
  const char *model = get(root, "model"), *unit = get(root, "time_unit");
  const json_t *box = json_object_get(root, "box");
  fprintf(out, "%s: H5MD trajectory%s%s\n", get(root, "file"), *model ? " of model " : "", model);
  if (*get(root, "title")) fprintf(out, "title        %s\n", get(root, "title"));
  if (*get(root, "creator"))
    fprintf(out, "creator      %s %s\n", get(root, "creator"), get(root, "version"));
  fprintf(out, "particles    %" JSON_INTEGER_FORMAT "\nframes       %" JSON_INTEGER_FORMAT,
          json_integer_value(json_object_get(root, "particles")),
          json_integer_value(json_object_get(root, "frames")));
  if (json_object_get(root, "steps"))
    fprintf(out, ", steps %.0f to %.0f", real(root, "steps", 0), real(root, "steps", 1));
  if (json_object_get(root, "times"))
    fprintf(out, ", times %.10g to %.10g%s%s", real(root, "times", 0), real(root, "times", 1),
            *unit ? " " : "", unit);
  fputc('\n', out);
  for (size_t a = 0; a < json_array_size(box); ++a)
    fprintf(out, "%s %.10g %s%s", a ? "," : "box         ", real(root, "box", a),
            json_string_value(json_array_get(json_object_get(root, "boundary"), a)),
            a + 1 == json_array_size(box) ? " (last frame)\n" : "");
  size_t i;
  json_t *x;
  json_array_foreach(json_object_get(root, "elements"), i, x) {
    const int components = (int)json_integer_value(json_object_get(x, "components"));
    fprintf(out, "%s %-12s", i ? "            " : "elements    ", get(x, "name"));
    if (components > 1) fprintf(out, " %d components", components);
    if (*get(x, "unit")) fprintf(out, " [%s]", get(x, "unit"));
    fprintf(out, "%s\n", *get(x, "frames") ? " fixed" : "");
  }
}

int pel__info_trajectory(FILE *out, const char *file, bool json) {
  pel_error e = {0};
  pel__h5md f;
  if (pel__h5md_open(file, &f, &e)) return pel__tell(out, &e);
  json_t *root = trajectory_json(&f);
  pel__h5md_close(&f);
  if (json) {
    json_dumpf(root, out, JSON_INDENT(2));
    fputc('\n', out);
  } else {
    trajectory_text(out, root);
  }
  json_decref(root);
  return PEL_OK;
}

/* ---- verify ---- */

/* Fingerprint of an element's values as its arrays had it when they were written. */
static uint64_t share_of(const pel__h5md_element *x, const char *name, const double *value) {
  enum { ROW = 512 };
  double row[ROW];
  uint64_t sum = 0;
  for (int c = 0; c < x->components; ++c) {
    char array[100];
    const char axis[] = {x->components > 1 ? '_' : 0, "xyz"[c], 0};
    snprintf(array, sizeof array, "%s%s", name, axis);
    const uint64_t key = pel_fingerprint_key(array);
    for (int64_t i = 0, n; i < x->n; i += n) {
      n = x->n - i < ROW ? x->n - i : ROW;
      for (int64_t k = 0; k < n; ++k) row[k] = value[(i + k) * x->components + c];
      sum += pel_fingerprint_row(key, i, row, n);
    }
  }
  return sum;
}

/* Particles of a species have one mass. */
static bool one_mass_each(const pel__h5md *f, const double *species, double *mass, pel_error *e) {
  pel__h5md_element x;
  enum { MOST = 256 };
  double known[MOST] = {0};
  if (!pel__h5md_find(f, "mass", &x, e)) return false;
  bool good = x.n == f->n && x.components == 1 && !pel__h5md_read(f, &x, 0, mass, e);
  pel__h5md_done(&x);
  for (int64_t i = 0; i < f->n && good; ++i) {
    double *is = &known[(int)fmin(species[i], MOST - 1)];
    if (*is == 0) *is = mass[i];
    good = mass[i] > 0 && mass[i] == *is;
  }
  return good;
}

/* What belongs to no frame: ids in order, types within their range.  *share: of the types, where
 * there are several. */
static bool still_is_good(const pel__h5md *f, double *value, uint64_t *share, pel_error *e) {
  pel__h5md_element x;
  bool good = pel__h5md_find(f, "id", &x, e);
  if (good) {
    good = x.n == f->n && x.components == 1 && !pel__h5md_read(f, &x, 0, value, e);
    for (int64_t i = 0; i < f->n && good; ++i) good = value[i] == (double)(i + 1);
    pel__h5md_done(&x);
  }
  if (!good || !pel__h5md_find(f, "species", &x, e)) return false;
  const hid_t t = H5Dget_type(x.value);
  const int types = H5Tget_class(t) == H5T_ENUM ? H5Tget_nmembers(t) : 0;
  H5Tclose(t);
  good = x.n == f->n && x.components == 1 && !pel__h5md_read(f, &x, 0, value, e);
  for (int64_t i = 0; i < f->n && good; ++i) good = value[i] >= 1 && value[i] <= types;
  *share = good && types > 1 ? share_of(&x, "type", value) : 0;
  pel__h5md_done(&x);
  return good && one_mass_each(f, value, value + f->n, e);
}

static bool frame_is_good(const pel__h5md *f, pel__h5md_element *x, int n, int64_t frame,
                          double time, int64_t step, uint64_t want, uint64_t still, double *value) {
  pel_error e = {0};
  pel__h5md_box b;
  uint64_t sum = still;
  if (pel__h5md_read_box(f, frame, &b, &e)) return false;
  sum += pel__frame_share(b.edge, time, step);
  for (int i = 0; i < n && !e.code; ++i)
    if (!pel__h5md_read(f, &x[i], frame, value, &e)) sum += share_of(&x[i], x[i].name, value);
  return !e.code && sum == want;
}

/* Frames that are bad, each told; *e: the file cannot be judged. */
static int verify_frames(FILE *out, const pel__h5md *f, pel__h5md_element *x, int n,
                         const uint64_t *hash, pel_error *e) {
  int bad = 0;
  uint64_t still = 0;
  double *value = malloc((size_t)f->n * 9 * sizeof *value + 1), *time = NULL;
  int64_t *step = NULL;
  for (int i = 0; i < n; ++i)
    if (!strcmp(x[i].name, "position"))
      time = pel__h5md_times(&x[i]), step = pel__h5md_steps(&x[i]);
  if (!value || !time || !step) {
    pel_error_set(e, PEL_IO, "%s: the steps and times of frames cannot be read", f->path);
  } else {
    if (!still_is_good(f, value, &still, e))
      bad += fprintf(out, "%s: ids, species or masses are damaged\n", f->path) > 0;
    for (int64_t r = 0; r < f->frames; ++r)
      if (!frame_is_good(f, x, n, r, time[r], step[r], hash[r], still, value))
        bad += fprintf(out, "%s: frame %" PRId64 " is damaged\n", f->path, r) > 0;
  }
  free(value);
  free(time), free(step);
  return bad;
}

static uint64_t *hashes(const pel__h5md *f) {
  hsize_t n = 0;
  const hid_t own = parameters(f);
  const hid_t d = own >= 0 && H5Lexists(own, "fingerprint", H5P_DEFAULT) > 0
                      ? H5Dopen2(own, "fingerprint", H5P_DEFAULT)
                      : -1;
  const hid_t s = d < 0 ? -1 : H5Dget_space(d);
  uint64_t *to = NULL;
  if (s >= 0 && H5Sget_simple_extent_ndims(s) == 1 && H5Sget_simple_extent_dims(s, &n, NULL) == 1 &&
      (int64_t)n == f->frames)
    to = calloc((size_t)n + 1, sizeof *to);
  if (to && H5Dread(d, H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, to) < 0) {
    free(to);
    to = NULL;
  }
  if (s >= 0) H5Sclose(s);
  if (d >= 0) H5Dclose(d);
  if (own >= 0) H5Gclose(own);
  return to;
}

/* Opens the elements that have frames; -1 with *e if one cannot be used. */
static int open_frames(const pel__h5md *f, const names *all, pel__h5md_element *x, pel_error *e) {
  int n = 0;
  for (int i = 0; i < all->n && !e->code; ++i) {
    if (!pel__h5md_find(f, all->name[i], &x[n], e)) continue;
    if (x[n].frames == f->frames && x[n].n == f->n)
      ++n;
    else
      pel__h5md_done(&x[n]);
  }
  return n;
}

int pel__verify_trajectory(FILE *out, const char *file) {
  pel_error e = {0};
  pel__h5md f;
  int bad = 0, n = 0;
  if (pel__h5md_open(file, &f, &e)) return pel__tell(out, &e);
  names all = names_of(&f);
  pel__h5md_element *x = calloc((size_t)all.n + 1, sizeof *x);
  uint64_t *hash = hashes(&f);
  if (!hash)
    pel_error_set(&e, PEL_IO, "%s has no checksums: it was not written by pelsim", file);
  else if (x && f.frames)
    n = open_frames(&f, &all, x, &e);
  if (!e.code && n) bad = verify_frames(out, &f, x, n, hash, &e);
  if (!bad && !e.code)
    fprintf(out, "%s: good, %" PRId64 " frames of %" PRId64 " particles\n", file, f.frames, f.n);
  for (int i = 0; i < n; ++i) pel__h5md_done(&x[i]);
  free(x);
  free(hash);
  free(all.name);
  pel__h5md_close(&f);
  pel__tell(out, &e);
  return bad || e.code ? PEL_IO : PEL_OK;
}
