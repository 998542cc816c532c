/* Opening a checkpoint: the header, the hash of everything that is no array, then HDF5, which thus
 * only ever parses bytes that are as we wrote them. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "checkpoint.h"
#include "h5.h"
#include "pelsim/memory.h"
#include "posix_io.h"
#include "shared_file.h"

/* Index of text among names, -1 if it is none. */
static int choice(const char *text, const char *const *names, int n) {
  for (int i = 0; i < n && text; ++i)
    if (!strcmp(text, names[i])) return i;
  return -1;
}

static bool read_axis(hid_t group, int a, pel_axis *x) {
  const char name[] = {'a', 'x', 'i', 's', '_', (char)('0' + a), 0};
  const hid_t g = H5Gopen2(group, name, H5P_DEFAULT);
  if (g < 0) return false;
  char *end = pel__h5_get_text(g, "end");
  const int which = choice(end, pel__end_name, 3);
  x->name = pel__h5_get_text(g, "name");
  x->unit = pel__h5_get_text(g, "unit");
  x->standard_name = pel__h5_get_text(g, "standard_name");
  const bool ok = pel__h5_get_integer(g, "cells", &x->n) && x->n > 0 && which >= 0 && x->name &&
                  x->unit && x->standard_name && pel__h5_get_real(g, "origin", &x->origin) &&
                  pel__h5_get_real(g, "spacing", &x->spacing);
  x->end = which >= 0 ? (pel_end)which : PEL_WALL;
  free(end);
  H5Gclose(g);
  return ok;
}

static bool read_grid(hid_t group, pel_grid *g) {
  int64_t dims;
  if (!pel__h5_get_integer(group, "dims", &dims) || dims < 1 || dims > 3) return false;
  g->dims = (int)dims;
  for (int a = 0; a < 3; ++a)
    if (!read_axis(group, a, &g->axis[a])) return false;
  const int64_t limit = INT64_MAX / 64;
  return g->axis[0].n < limit / g->axis[1].n && pel__cells(g) / g->axis[0].n < limit / g->axis[2].n;
}

static herr_t take_scalar(hid_t at, const char *name, const H5A_info_t *info, void *data) {
  (void)info;
  pel_snapshot *s = data;
  pel_scalar *more = pel_realloc(s->scalars, (size_t)(s->nscalars + 1) * sizeof *more);
  s->scalars = more;
  more[s->nscalars] = (pel_scalar){pel_strdup(name), 0, false};
  return pel__h5_get_real(at, name, &more[s->nscalars++].value) ? 0 : -1;
}

static bool read_scalars(hid_t group, const char *name, bool state, pel_snapshot *s) {
  const hid_t g = H5Gopen2(group, name, H5P_DEFAULT);
  const int first = s->nscalars;
  hsize_t from = 0;
  const bool ok = g >= 0 && H5Aiterate2(g, H5_INDEX_NAME, H5_ITER_INC, &from, take_scalar, s) >= 0;
  for (int i = first; i < s->nscalars; ++i) s->scalars[i].state = state;
  if (g >= 0) H5Gclose(g);
  return ok;
}

static herr_t take_numbers(hid_t group, const char *name, const H5L_info_t *info, void *data) {
  (void)info;
  pel_snapshot *s = data;
  pel_numbers *more = pel_realloc(s->numbers, (size_t)(s->nnumbers + 1) * sizeof *more);
  s->numbers = more;
  pel_numbers *to = &more[s->nnumbers++];
  *to = (pel_numbers){.name = pel_strdup(name)};
  to->value = pel__h5_get_doubles(group, name, &to->n);
  return to->value ? 0 : -1;
}

static bool read_numbers(hid_t group, pel_snapshot *s) {
  if (H5Lexists(group, "numbers", H5P_DEFAULT) <= 0) return true;
  const hid_t g = H5Gopen2(group, "numbers", H5P_DEFAULT);
  const bool ok = g >= 0 && H5Literate(g, H5_INDEX_NAME, H5_ITER_INC, NULL, take_numbers, s) >= 0;
  if (g >= 0) H5Gclose(g);
  return ok;
}

static bool shape_fits(hid_t d, const pel_grid *g) {
  hsize_t n[H5S_MAX_RANK];
  const hid_t s = H5Dget_space(d), t = H5Dget_type(d);
  bool ok = s >= 0 && H5Sget_simple_extent_ndims(s) == g->dims &&
            H5Sget_simple_extent_dims(s, n, NULL) == g->dims && H5Tequal(t, H5T_IEEE_F64LE) > 0;
  for (int a = 0; a < g->dims && ok; ++a) ok = n[a] == (hsize_t)g->axis[g->dims - 1 - a].n;
  if (s >= 0) H5Sclose(s);
  if (t >= 0) H5Tclose(t);
  return ok;
}

static bool read_array(hid_t file, const pel__region *r, const pel_grid *g, pel_array *x) {
  const hid_t d = H5Dopen2(file, r->name, H5P_DEFAULT);
  if (d < 0) return false;
  char *place = pel__h5_get_text(d, "place");
  const int which = choice(place, pel__place_name, 5);
  *x = (pel_array){.name = pel_strdup(r->name),
                   .unit = pel__h5_get_text(d, "unit"),
                   .standard_name = pel__h5_get_text(d, "standard_name"),
                   .doc = pel__h5_get_text(d, "long_name"),
                   .place = which < 0 ? PEL_CENTRE : (pel_place)which};
  const bool ok = which >= 0 && x->unit && x->doc && shape_fits(d, g) &&
                  H5Dget_offset(d) == (haddr_t)r->at && r->bytes == 8 * pel__cells(g);
  free(place);
  H5Dclose(d);
  return ok;
}

static bool read_all(hid_t file, pel__checkpoint *c) {
  pel_snapshot *s = &c->s;
  const hid_t group = H5Gopen2(file, "pelsim", H5P_DEFAULT);
  if (group < 0) return false;
  c->model = pel__h5_get_text(file, "model");
  c->title = pel__h5_get_text(file, "title");
  c->created = pel__h5_get_text(file, "created");
  c->source = pel__h5_get_text(file, "source");
  c->config = pel__h5_get_document(group, "config");
  bool ok = c->model && c->title && c->created && c->source && c->config &&
            pel__h5_get_integer(file, "step", &s->step) && s->step >= 0 &&
            pel__h5_get_real(file, "time", &s->time) && read_grid(group, &c->grid) &&
            read_scalars(group, "state", true, s) && read_scalars(group, "scalars", false, s) &&
            read_numbers(group, s);
  s->arrays = pel_calloc((size_t)c->header.narrays + 1, sizeof *s->arrays);
  for (int a = 0; a < c->header.narrays && ok; ++a) {
    s->narrays = a + 1;
    ok = read_array(file, &c->header.array[a], &c->grid, &s->arrays[a]);
  }
  H5Gclose(group);
  s->comm = MPI_COMM_NULL;
  s->grid = &c->grid;
  s->model = c->model;
  s->title = c->title;
  s->config = c->config;
  s->fingerprint = c->header.fingerprint;
  return ok && s->arrays;
}

static pel__verdict open_body(const char *path, pel__checkpoint *c, pel_error *e) {
  pel__overlay *o = pel__overlay_create(c->fd);
  if (!o) {
    pel__io_error(e, "read checkpoint", path, errno, 0);
    return PEL__FILE_REFUSED;
  }
  uint64_t rest = 0;
  int err = pel__header_rest(&c->header, o, &rest);
  bool good = false;
  if (err) {
    pel__io_error(e, "read checkpoint", path, err, 0);
  } else if (rest != c->header.rest) {
    pel_error_set(e, PEL_IO, "checkpoint %s is damaged: its description does not match its hash",
                  path);
  } else {
    const hid_t file = pel__overlay_h5open(o, false);
    good = file >= 0 && read_all(file, c);
    if (file >= 0) H5Fclose(file);
    err = pel__overlay_error(o);
    if (!good && err)
      pel__io_error(e, "read checkpoint", path, err, 0);
    else if (!good)
      pel_error_set(e, PEL_IO, "checkpoint %s is damaged: its HDF5 description cannot be read",
                    path);
  }
  pel__overlay_destroy(o);
  return good ? PEL__FILE_GOOD : pel__verdict_of(err);
}

pel__verdict pel__checkpoint_open(const char *path, pel__checkpoint *c, pel_error *e) {
  *c = (pel__checkpoint){.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (c->fd < 0) {
    const int err = errno;
    pel__io_error(e, "read checkpoint", path, err, 0);
    return pel__verdict_of(err);
  }
  pel__verdict v = pel__header_read(c->fd, path, &c->header, e);
  if (v == PEL__FILE_GOOD) v = open_body(path, c, e);
  if (v != PEL__FILE_GOOD) pel__checkpoint_close(c);
  return v;
}

void pel__checkpoint_close(pel__checkpoint *c) {
  (void)pel__close(c->fd);
  pel__header_fini(&c->header);
  char *const own[] = {c->model, c->title, c->created, c->source, c->config};
  for (int i = 0; i < PEL_N(own); ++i) free(own[i]);
  for (int a = 0; a < 3; ++a) {
    free((char *)c->grid.axis[a].name);
    free((char *)c->grid.axis[a].unit);
    free((char *)c->grid.axis[a].standard_name);
  }
  for (int i = 0; i < c->s.nscalars; ++i) free((char *)c->s.scalars[i].name);
  for (int i = 0; i < c->s.nnumbers; ++i) {
    free((char *)c->s.numbers[i].name);
    free(c->s.numbers[i].value);
  }
  for (int a = 0; a < c->s.narrays; ++a) {
    free((char *)c->s.arrays[a].name);
    free((char *)c->s.arrays[a].unit);
    free((char *)c->s.arrays[a].standard_name);
    free((char *)c->s.arrays[a].doc);
  }
  free(c->s.scalars);
  free(c->s.numbers);
  free(c->s.arrays);
  *c = (pel__checkpoint){.fd = -1};
}

const pel__region *pel__checkpoint_region(const pel__checkpoint *c, const char *name) {
  for (int a = 0; a < c->header.narrays; ++a)
    if (!strcmp(c->header.array[a].name, name)) return &c->header.array[a];
  return NULL;
}

hid_t pel__box_type(bool in_file) {
  const hid_t word = in_file ? H5T_STD_I64LE : H5T_NATIVE_INT64;
  const hid_t hash = in_file ? H5T_STD_U64LE : H5T_NATIVE_UINT64;
  const hid_t t = H5Tcreate(H5T_COMPOUND, sizeof(pel__box));
  const hid_t three = H5Tarray_create2(word, 1, (hsize_t[]){3});
  const bool ok = t >= 0 && H5Tinsert(t, "first", offsetof(pel__box, first), three) >= 0 &&
                  H5Tinsert(t, "cells", offsetof(pel__box, cells), three) >= 0 &&
                  H5Tinsert(t, "fingerprint", offsetof(pel__box, fingerprint), hash) >= 0;
  H5Tclose(three);
  if (ok) return t;
  H5Tclose(t);
  return -1;
}

pel__box *pel__checkpoint_boxes(const pel__checkpoint *c, const char *name, int *n) {
  char path[300];
  pel__box *row = NULL;
  snprintf(path, sizeof path, "pelsim/blocks/%s", name);
  pel__overlay *o = pel__overlay_create(c->fd);
  const hid_t file = o ? pel__overlay_h5open(o, false) : -1;
  const hid_t d = file < 0 ? -1 : H5Dopen2(file, path, H5P_DEFAULT), t = pel__box_type(false);
  const hid_t s = d < 0 ? -1 : H5Dget_space(d);
  hsize_t rows = 0;
  if (s >= 0 && H5Sget_simple_extent_ndims(s) == 1 &&
      H5Sget_simple_extent_dims(s, &rows, NULL) == 1 && rows < (hsize_t)INT32_MAX / 64)
    row = calloc((size_t)rows + 1, sizeof *row);
  if (row && H5Dread(d, t, H5S_ALL, H5S_ALL, H5P_DEFAULT, row) < 0) {
    free(row);
    row = NULL;
  }
  *n = (int)rows;
  if (s >= 0) H5Sclose(s);
  if (t >= 0) H5Tclose(t);
  if (d >= 0) H5Dclose(d);
  if (file >= 0) H5Fclose(file);
  pel__overlay_destroy(o);
  return row;
}
