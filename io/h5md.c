#define _GNU_SOURCE
#include "h5md.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include "h5.h"
#include "posix_io.h"

enum { LONGEST = 1 << 16 }; /* of texts */

/* ---- texts ---- */

static char *variable_text(hid_t a, hid_t t) {
  char *text = NULL, *copy = NULL;
  const hid_t memory = H5Tcopy(t);
  if (H5Aread(a, memory, &text) >= 0 && text) copy = strndup(text, LONGEST);
  H5free_memory(text);
  H5Tclose(memory);
  return copy;
}

char *pel__h5md_text(hid_t object, const char *name) {
  if (object < 0 || H5Aexists(object, name) <= 0) return NULL;
  const hid_t a = H5Aopen(object, name, H5P_DEFAULT), t = a < 0 ? -1 : H5Aget_type(a),
              s = a < 0 ? -1 : H5Aget_space(a);
  char *text = NULL;
  if (t >= 0 && H5Tget_class(t) == H5T_STRING && H5Sget_simple_extent_npoints(s) == 1)
    text = H5Tis_variable_str(t) > 0 ? variable_text(a, t) : pel__h5_get_text(object, name);
  if (s >= 0) H5Sclose(s);
  if (t >= 0) H5Tclose(t);
  if (a >= 0) H5Aclose(a);
  return text;
}

bool pel__h5md_number(hid_t object, const char *name, double *x) {
  if (H5Aexists(object, name) <= 0) return false;
  const hid_t a = H5Aopen(object, name, H5P_DEFAULT), t = a < 0 ? -1 : H5Aget_type(a),
              s = a < 0 ? -1 : H5Aget_space(a);
  const bool ok = pel__h5md_is_number(t) && H5Tget_class(t) != H5T_ENUM &&
                  H5Sget_simple_extent_npoints(s) == 1 && H5Aread(a, H5T_NATIVE_DOUBLE, x) >= 0;
  if (s >= 0) H5Sclose(s);
  if (t >= 0) H5Tclose(t);
  if (a >= 0) H5Aclose(a);
  return ok;
}

/* ---- the file ---- */

static bool is_group(hid_t at, const char *name) {
  H5O_info_t info;
  return H5Lexists(at, name, H5P_DEFAULT) > 0 && H5Oexists_by_name(at, name, H5P_DEFAULT) > 0 &&
         H5Oget_info_by_name(at, name, &info, H5P_DEFAULT) >= 0 && info.type == H5O_TYPE_GROUP;
}

static bool is_dataset(hid_t at, const char *name) {
  H5O_info_t info;
  return H5Lexists(at, name, H5P_DEFAULT) > 0 && H5Oexists_by_name(at, name, H5P_DEFAULT) > 0 &&
         H5Oget_info_by_name(at, name, &info, H5P_DEFAULT) >= 0 && info.type == H5O_TYPE_DATASET;
}

static void open_file(pel__h5md *f, const char *path) {
  f->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  f->o = f->fd < 0 ? NULL : pel__overlay_create(f->fd);
  f->file = f->o ? pel__overlay_h5open(f->o, false) : -1;
}

void pel__h5md_close(pel__h5md *f) {
  if (f->group >= 0) H5Gclose(f->group);
  if (f->file >= 0) H5Fclose(f->file);
  pel__overlay_destroy(f->o);
  (void)pel__close(f->fd);
  *f = (pel__h5md){.fd = -1, .file = -1, .group = -1};
}

bool pel__is_h5md(const char *path) {
  pel__h5md f = {.fd = -1, .file = -1, .group = -1};
  open_file(&f, path);
  const bool yes = f.file >= 0 && is_group(f.file, "h5md");
  pel__h5md_close(&f);
  return yes;
}

typedef struct {
  int n;
  char name[80], list[300];
} groups;

static herr_t count(hid_t at, const char *name, const H5L_info_t *link, void *to) {
  groups *g = to;
  (void)link;
  if (!is_group(at, name)) return 0;
  const size_t used = strlen(g->list);
  snprintf(g->list + used, sizeof g->list - used, "%s%.60s", g->n ? ", " : "", name);
  snprintf(g->name, sizeof g->name, "%.79s", name);
  return ++g->n > 100;
}

static int choose_group(pel__h5md *f, pel_error *e) {
  groups g = {0};
  hid_t particles = -1;
  if (is_group(f->file, "particles")) particles = H5Gopen2(f->file, "particles", H5P_DEFAULT);
  if (particles >= 0) {
    H5Literate(particles, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, count, &g);
    if (is_group(particles, "trajectory")) {
      g.n = 1;
      snprintf(g.name, sizeof g.name, "trajectory");
    }
    if (g.n == 1) f->group = H5Gopen2(particles, g.name, H5P_DEFAULT);
    H5Gclose(particles);
  }
  if (g.n > 1)
    return pel_error_set(e, PEL_IO,
                         "%s has several groups of particles (%.200s) and none called "
                         "'trajectory': which one is meant cannot be known",
                         f->path, g.list);
  if (f->group < 0)
    return pel_error_set(e, PEL_IO, "%s has no particles (no group in /particles)", f->path);
  snprintf(f->name, sizeof f->name, "%s", g.name);
  return PEL_OK;
}

int pel__h5md_open(const char *path, pel__h5md *f, pel_error *e) {
  pel__h5md_element x;
  *f = (pel__h5md){.fd = -1, .file = -1, .group = -1};
  snprintf(f->path, sizeof f->path, "%s", path);
  open_file(f, path);
  if (f->fd < 0)
    pel__io_error(e, "read", path, errno, 0);
  else if (f->file < 0)
    pel_error_set(e, PEL_IO, "%s is no HDF5 file, or damaged", path);
  else if (!is_group(f->file, "h5md"))
    pel_error_set(e, PEL_IO, "%s is an HDF5 file but not H5MD: it has no group /h5md", path);
  else if (!choose_group(f, e)) {
    if (pel__h5md_find(f, "position", &x, e)) {
      f->n = x.n;
      f->frames = x.frames;
      pel__h5md_done(&x);
    } else if (!e->code) {
      pel_error_set(e, PEL_IO, "%s has no positions in /particles/%s", path, f->name);
    }
  }
  if (e->code) pel__h5md_close(f);
  return e->code;
}

/* ---- elements ---- */

void pel__h5md_done(pel__h5md_element *x) {
  if (x->object >= 0 && x->object != x->value) H5Gclose(x->object);
  if (x->value >= 0) H5Dclose(x->value);
  x->value = x->object = -1;
}

/* Numbers as every program writes them: HDF5 aborts on some that a damaged file may describe. */
bool pel__h5md_is_number(hid_t object_type) {
  const H5T_class_t class = object_type < 0 ? H5T_NO_CLASS : H5Tget_class(object_type);
  const hid_t reals[] = {H5T_IEEE_F32LE, H5T_IEEE_F64LE, H5T_IEEE_F32BE, H5T_IEEE_F64BE};
  bool good = false;
  for (int i = 0; i < 4 && class == H5T_FLOAT; ++i)
    good = good || H5Tequal(object_type, reals[i]) > 0;
  if (class != H5T_INTEGER && class != H5T_ENUM) return good;
  const hid_t is = class == H5T_ENUM ? H5Tget_super(object_type) : H5Tcopy(object_type);
  const size_t bytes = H5Tget_size(is);
  good = H5Tget_class(is) == H5T_INTEGER && bytes <= 8 && (bytes & (bytes - 1)) == 0 &&
         H5Tget_precision(is) == 8 * bytes && H5Tget_offset(is) == 0 &&
         H5Tget_size(object_type) == bytes;
  H5Tclose(is);
  return good;
}

/* Shape and type of x->value: [frame][n][components], the last only of vectors. */
static bool understand(pel__h5md_element *x, bool fixed) {
  hsize_t n[H5S_MAX_RANK] = {0};
  const hid_t s = H5Dget_space(x->value), t = H5Dget_type(x->value);
  const int rank = s < 0 ? -1 : H5Sget_simple_extent_dims(s, n, NULL), first = fixed ? 0 : 1;
  const H5T_class_t class = t < 0 ? H5T_NO_CLASS : H5Tget_class(t);
  bool ok = rank >= first + 1 && rank <= first + 2 && pel__h5md_is_number(t);
  if (ok) {
    x->frames = fixed ? 0 : (int64_t)n[0];
    x->n = (int64_t)n[first];
    x->components = rank == first + 2 ? (int)(n[first + 1] < 99 ? n[first + 1] : 99) : 1;
    x->whole = class != H5T_FLOAT;
    ok = n[first] < (hsize_t)1 << 40 && x->components >= 1 && x->components <= 9;
  }
  if (t >= 0) H5Tclose(t);
  if (s >= 0) H5Sclose(s);
  return ok;
}

bool pel__h5md_find(const pel__h5md *f, const char *name, pel__h5md_element *x, pel_error *e) {
  *x = (pel__h5md_element){.value = -1, .object = -1};
  snprintf(x->name, sizeof x->name, "%.79s", name);
  const bool fixed = is_dataset(f->group, name);
  if (!fixed && !is_group(f->group, name)) return false;
  if (fixed) {
    x->value = x->object = H5Dopen2(f->group, name, H5P_DEFAULT);
  } else {
    x->object = H5Gopen2(f->group, name, H5P_DEFAULT);
    if (x->object >= 0 && is_dataset(x->object, "value"))
      x->value = H5Dopen2(x->object, "value", H5P_DEFAULT);
  }
  if (x->value >= 0 && understand(x, fixed)) return true;
  pel_error_set(e, PEL_IO, "%s: element %.79s is not as H5MD has it (numbers, [frame][particle])",
                f->path, name);
  pel__h5md_done(x);
  return false;
}

int pel__h5md_read(const pel__h5md *f, const pel__h5md_element *x, int64_t frame, double *to,
                   pel_error *e) {
  hsize_t at[3] = {0}, n[3];
  const hid_t all = H5Dget_space(x->value), t = H5Dget_type(x->value);
  const int rank = H5Sget_simple_extent_dims(all, n, NULL);
  /* HDF5 turns no enumeration into numbers: taken as the integers that it is made of */
  const hid_t is = H5Tget_class(t) == H5T_ENUM ? H5Tget_super(t) : H5Tcopy(t);
  const size_t count = (size_t)(x->n * x->components);
  if (x->frames) at[0] = (hsize_t)frame, n[0] = 1;
  const hid_t part = H5Screate_simple(rank, n, NULL);
  bool ok = H5Sselect_hyperslab(all, H5S_SELECT_SET, at, NULL, n, NULL) >= 0;
  if (ok && count)
    ok = H5Dread(x->value, t, part, all, H5P_DEFAULT, to) >= 0 &&
         H5Tconvert(is, H5T_NATIVE_DOUBLE, count, to, NULL, H5P_DEFAULT) >= 0;
  H5Sclose(part), H5Sclose(all), H5Tclose(is), H5Tclose(t);
  return ok ? PEL_OK
            : pel_error_set(e, PEL_IO, "%s: %s of frame %lld cannot be read", f->path, x->name,
                            (long long)frame);
}

/* A column of the element's frames as numbers of this type, malloced; NULL: there is none.  One
 * number stands for regular frames: its multiples from the attribute "offset" on. */
static void *numbers(const pel__h5md_element *x, const char *name, hid_t type, bool *regular) {
  *regular = false;
  if (x->frames == 0 || !is_dataset(x->object, name)) return NULL;
  const hid_t d = H5Dopen2(x->object, name, H5P_DEFAULT), s = d < 0 ? -1 : H5Dget_space(d);
  hsize_t n = 0;
  const hid_t is = d < 0 ? -1 : H5Dget_type(d);
  const int rank = s < 0 || !pel__h5md_is_number(is) ? -1 : H5Sget_simple_extent_ndims(s);
  void *to = NULL;
  *regular = rank == 0;
  if (rank == 1) H5Sget_simple_extent_dims(s, &n, NULL);
  if (rank == 0 || (rank == 1 && (int64_t)n == x->frames)) {
    to = calloc((size_t)x->frames + 1, 8);
    if (to && H5Dread(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, to) < 0) {
      free(to);
      to = NULL;
    }
  }
  if (is >= 0) H5Tclose(is);
  if (s >= 0) H5Sclose(s);
  if (d >= 0) H5Dclose(d);
  return to;
}

static double offset_of(const pel__h5md_element *x, const char *name) {
  double offset = 0;
  const hid_t d = H5Dopen2(x->object, name, H5P_DEFAULT);
  if (d >= 0 && !pel__h5md_number(d, "offset", &offset)) offset = 0;
  if (d >= 0) H5Dclose(d);
  return offset;
}

int64_t *pel__h5md_steps(const pel__h5md_element *x) {
  bool regular;
  int64_t *step = numbers(x, "step", H5T_NATIVE_INT64, &regular);
  if (!step || !regular) return step;
  const double by = (double)step[0], from = offset_of(x, "step");
  for (int64_t i = 0; i < x->frames; ++i) {
    const double at = from + by * (double)i;
    step[i] = at > -9e18 && at < 9e18 ? (int64_t)at : 0;
  }
  return step;
}

double *pel__h5md_times(const pel__h5md_element *x) {
  bool regular;
  double *time = numbers(x, "time", H5T_NATIVE_DOUBLE, &regular);
  if (!time || !regular) return time;
  const double by = time[0], from = offset_of(x, "time");
  for (int64_t i = 0; i < x->frames; ++i) time[i] = from + by * (double)i;
  return time;
}
