/* Files of observables: what is in them, whether it is as written, how two differ. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "h5.h"
#include "h5md.h"
#include "observables.h"
#include "posix_io.h"
#include "tools.h"

enum { DEEPEST = 4, NAME = 400 };

typedef struct {
  int fd;
  pel__overlay *o;
  hid_t file, top;
} source;

static void close_source(source *s) {
  if (s->top >= 0) H5Gclose(s->top);
  if (s->file >= 0) H5Fclose(s->file);
  pel__overlay_destroy(s->o);
  (void)pel__close(s->fd);
}

static bool has(hid_t at, const char *name) { return H5Lexists(at, name, H5P_DEFAULT) > 0; }

static bool open_source(source *s, const char *path) {
  *s = (source){.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), .file = -1, .top = -1};
  s->o = s->fd < 0 ? NULL : pel__overlay_create(s->fd);
  s->file = s->o ? pel__overlay_h5open(s->o, false) : -1;
  if (s->file >= 0 && has(s->file, "h5md") && has(s->file, "observables") &&
      !has(s->file, "particles"))
    s->top = H5Gopen2(s->file, "observables", H5P_DEFAULT);
  if (s->top >= 0) return true;
  close_source(s);
  return false;
}

bool pel__is_observables(const char *path) {
  source s;
  const bool yes = open_source(&s, path);
  if (yes) close_source(&s);
  return yes;
}

static int read_error(pel_error *e, const char *path) {
  return pel_error_set(e, PEL_IO, "%s is no file of observables, or damaged", path);
}

/* ---- all datasets, in order of name ---- */

/* path: "radial_distribution/value". */
typedef void visit(void *ctx, hid_t top, const char *path);

typedef struct {
  visit *tell;
  void *ctx;
  hid_t top;
  char path[NAME];
  int depth;
} walker;

static herr_t walk(hid_t at, const char *name, const H5L_info_t *link, void *to) {
  walker *w = to;
  const size_t n = strlen(w->path);
  H5O_info_t info;
  (void)link;
  if (n + strlen(name) + 2 > NAME || w->depth >= DEEPEST) return -1;
  if (H5Oget_info_by_name(at, name, &info, H5P_DEFAULT) < 0) return -1;
  snprintf(w->path + n, NAME - n, "%s%s", n ? "/" : "", name);
  herr_t code = 0;
  if (info.type == H5O_TYPE_DATASET) {
    w->tell(w->ctx, w->top, w->path);
  } else if (info.type == H5O_TYPE_GROUP) {
    const hid_t g = H5Gopen2(at, name, H5P_DEFAULT);
    ++w->depth;
    code = g < 0 ? -1 : H5Literate(g, H5_INDEX_NAME, H5_ITER_INC, NULL, walk, w);
    --w->depth;
    if (g >= 0) H5Gclose(g);
  }
  w->path[n] = 0;
  return code;
}

static bool each(const source *s, visit *tell, void *ctx) {
  walker w = {.tell = tell, .ctx = ctx, .top = s->top};
  return H5Literate(s->top, H5_INDEX_NAME, H5_ITER_INC, NULL, walk, &w) >= 0;
}

static bool ends(const char *path, const char *with) {
  const size_t n = strlen(path), m = strlen(with);
  return n >= m && !strcmp(path + n - m, with);
}

/* ---- info ---- */

static char *text_of(hid_t file, const char *name) {
  const hid_t g = H5Gopen2(file, "parameters/pelsim", H5P_DEFAULT);
  char *text = g < 0 ? NULL : pel__h5_get_text(g, name);
  if (g >= 0) H5Gclose(g);
  return text;
}

/* One value: {"name", "shape", "unit", "description", "samples", "value", "error"}; the last two of
 * single numbers only. */
static void list_value(void *ctx, hid_t top, const char *path) {
  char name[NAME], error[NAME + 8];
  int64_t n, samples = 0;
  if (!ends(path, "/value")) return;
  snprintf(name, sizeof name, "%.*s", (int)(strlen(path) - 6), path);
  snprintf(error, sizeof error, "%s/error", name);
  json_t *one = json_object(), *shape = json_array();
  const hid_t d = H5Dopen2(top, path, H5P_DEFAULT), space = d < 0 ? -1 : H5Dget_space(d);
  hsize_t extent[H5S_MAX_RANK];
  const int rank = space < 0 ? 0 : H5Sget_simple_extent_dims(space, extent, NULL);
  json_object_set_new(one, "name", json_string(name));
  const int64_t records = rank > 0 ? (int64_t)extent[0] : 1;
  json_object_set_new(one, "records", json_integer(records));
  for (int i = 1; i < rank; ++i) json_array_append_new(shape, json_integer((json_int_t)extent[i]));
  json_object_set_new(one, "shape", shape);
  static const char *const key[] = {"unit", "description", "rows"};
  for (int i = 0; i < PEL_N(key); ++i) {
    char *text = pel__h5md_text(d, key[i]);
    if (text) json_object_set_new(one, key[i], json_string(text));
    free(text);
  }
  if (d >= 0 && pel__h5_get_integer(d, "samples", &samples))
    json_object_set_new(one, "samples", json_integer(samples));
  double *x = pel__h5_get_doubles(top, path, &n),
         *y = has(top, error) ? pel__h5_get_doubles(top, error, &n) : NULL;
  if (rank == 1 && records == 1 && x && isfinite(*x))
    json_object_set_new(one, "value", json_real(*x));
  if (rank == 1 && records == 1 && y && isfinite(*y))
    json_object_set_new(one, "error", json_real(*y));
  free(x), free(y);
  if (space >= 0) H5Sclose(space);
  if (d >= 0) H5Dclose(d);
  json_array_append_new(ctx, one);
}

static void print_value(FILE *out, const json_t *x, bool first) {
  const char *unit = json_string_value(json_object_get(x, "unit")),
             *doc = json_string_value(json_object_get(x, "description"));
  const json_t *value = json_object_get(x, "value"), *error = json_object_get(x, "error");
  char shape[60] = "";
  size_t i;
  json_t *n;
  json_array_foreach(json_object_get(x, "shape"), i, n) {
    snprintf(shape + strlen(shape), sizeof shape - strlen(shape), "%s%" JSON_INTEGER_FORMAT,
             i ? " x " : "", json_integer_value(n));
  }
  fprintf(out, "%s %s", first ? "observables " : "            ",
          json_string_value(json_object_get(x, "name")));
  const json_int_t records = json_integer_value(json_object_get(x, "records"));
  if (*shape) fprintf(out, " (%s)", shape);
  if (records > 1) fprintf(out, ", %" JSON_INTEGER_FORMAT " records", records);
  if (value) fprintf(out, " %.10g", json_real_value(value));
  if (error) fprintf(out, " +- %.2g", json_real_value(error));
  fprintf(out, " [%s] %s\n", unit ? unit : "1", doc ? doc : "");
}

int pel__info_observables(FILE *out, const char *file, bool json) {
  source s;
  pel_error e = {0};
  if (!open_source(&s, file)) {
    read_error(&e, file);
    return pel__tell(out, &e);
  }
  json_t *root = json_object(), *list = json_array(), *x;
  size_t i;
  static const char *const key[] = {"model", "title", "fingerprint"};
  json_object_set_new(root, "kind", json_string("observables"));
  json_object_set_new(root, "file", json_string(file));
  for (int k = 0; k < PEL_N(key); ++k) {
    char *text = text_of(s.file, key[k]);
    if (text && *text) json_object_set_new(root, key[k], json_string(text));
    free(text);
  }
  if (!each(&s, list_value, list)) read_error(&e, file);
  json_object_set_new(root, "observables", list);
  close_source(&s);
  if (!e.code && json) {
    json_dumpf(root, out, JSON_INDENT(2));
    fputc('\n', out);
  } else if (!e.code) {
    const char *model = json_string_value(json_object_get(root, "model"));
    fprintf(out, "%s: observables%s%s\n", file, model ? " of model " : "", model ? model : "");
    json_array_foreach(list, i, x) print_value(out, x, i == 0);
  }
  json_decref(root);
  return pel__tell(out, &e);
}

/* ---- verify ---- */

typedef struct {
  uint64_t fingerprint;
  int n;
  bool bad;
} total;

static void add_dataset(void *ctx, hid_t top, const char *path) {
  total *t = ctx;
  int64_t n;
  if (ends(path, "/step")) return;
  double *x = pel__h5_get_doubles(top, path, &n);
  t->n += ends(path, "/value");
  t->bad = t->bad || !x;
  if (x) t->fingerprint += pel_fingerprint_row(pel_fingerprint_key(path), 0, x, n);
  free(x);
}

int pel__verify_observables(FILE *out, const char *file) {
  source s;
  char hash[17];
  total t = {0};
  pel_error e = {0};
  if (!open_source(&s, file)) {
    read_error(&e, file);
    return pel__tell(out, &e);
  }
  char *want = text_of(s.file, "fingerprint");
  if (!each(&s, add_dataset, &t)) t.bad = true;
  close_source(&s);
  snprintf(hash, sizeof hash, "%016" PRIx64, t.fingerprint);
  if (t.bad || !want || strcmp(want, hash))
    pel_error_set(&e, PEL_IO, "%s is damaged: its values have fingerprint %s, %s was written", file,
                  hash, want ? want : "none");
  else
    fprintf(out, "%s: good, %d observables, fingerprint %s\n", file, t.n, hash);
  free(want);
  return pel__tell(out, &e);
}

/* ---- diff ---- */

typedef struct {
  FILE *out;
  hid_t other;
  double tol;
  bool differs, first; /* first: the datasets are those of the first file */
} comparison;

static void compare(void *ctx, hid_t top, const char *path) {
  comparison *c = ctx;
  int64_t n, m = 0;
  if (!has(c->other, path)) { /* H5Lexists wants each part of a path to be there */
    fprintf(c->out, "%s: only in the %s file\n", path, c->first ? "first" : "second");
    c->differs = true;
    return;
  }
  if (!c->first) return;
  pel__differences d = {0};
  double *a = pel__h5_get_doubles(top, path, &n), *b = pel__h5_get_doubles(c->other, path, &m);
  if (!a || !b || n != m) {
    fprintf(c->out, "%s: %" PRId64 " values, %" PRId64 "\n", path, n, m);
    c->differs = true;
  } else {
    pel__compare(&d, a, b, n, 0, -1);
    pel__compare(&d, a, b, n, 0, c->tol);
    if (d.count) {
      fprintf(c->out,
              "%s: %" PRId64 " of %" PRId64 " values differ, by at most %.3g; first at %" PRId64
              ": %.17g, %.17g\n",
              path, d.count, n, d.largest, d.first, d.a, d.b);
      c->differs = true;
    }
  }
  free(a), free(b);
}

int pel__diff_observables(FILE *out, const char *a, const char *b, double tol) {
  source x, y;
  pel_error e = {0};
  if (!open_source(&x, a)) return pel__tell(out, (read_error(&e, a), &e));
  if (!open_source(&y, b)) {
    close_source(&x);
    return pel__tell(out, (read_error(&e, b), &e));
  }
  comparison c = {.out = out, .other = y.top, .tol = tol, .first = true};
  if (!each(&x, compare, &c)) read_error(&e, a);
  c.other = x.top, c.first = false;
  if (!e.code && !each(&y, compare, &c)) read_error(&e, b);
  close_source(&x), close_source(&y);
  return e.code ? pel__tell(out, &e) : c.differs ? PEL_DIFFERS : PEL_OK;
}
