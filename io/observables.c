#define _GNU_SOURCE
#include "observables.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "h5.h"
#include "overlay.h"
#include "posix_io.h"
#include "trajectory.h"

typedef struct {
  const pel_snapshot *s;
  hid_t file;
  uint64_t fingerprint;
  bool ok;
} desk;

static void done(hid_t x) {
  if (x >= 0) H5Oclose(x);
}

/* A dataset of doubles, open. */
static hid_t put(desk *d, hid_t group, const char *path, const char *name, int rank,
                 const hsize_t *n, const double *x) {
  char key[400];
  int64_t count = 1;
  for (int i = 0; i < rank; ++i) count *= (int64_t)n[i];
  snprintf(key, sizeof key, "%.300s/%.80s", path, name);
  d->fingerprint += pel_fingerprint_row(pel_fingerprint_key(key), 0, x, count);
  pel__h5_put_doubles(group, name, rank, n, x, &d->ok);
  return d->ok ? H5Dopen2(group, name, H5P_DEFAULT) : -1;
}

static void describe(desk *d, hid_t x, const char *unit, const char *doc) {
  double scale;
  unit = pel__h5md_unit(unit, &scale);
  if (unit) pel__h5_put_word(x, "unit", unit, &d->ok);
  pel__h5_put_word(x, "description", doc, &d->ok);
}

static void put_step(desk *d, hid_t group, const pel_observable *x, hsize_t records) {
  const char *unit = d->s->particles ? d->s->particles->time_unit : NULL;
  const double now = d->s->particles ? d->s->particles->time : d->s->time;
  const hid_t t = put(d, group, x->name, "time", 1, &records, x->step ? x->time : &now);
  if (unit && t >= 0) pel__h5_put_word(t, "unit", unit, &d->ok);
  done(t);
  if (!d->ok) return;
  const hid_t s = H5Screate_simple(1, &records, NULL);
  const hid_t y =
      H5Dcreate2(group, "step", H5T_STD_I64LE, s, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  d->ok = y >= 0 && H5Dwrite(y, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                             x->step ? x->step : &d->s->step) >= 0;
  done(y);
  H5Sclose(s);
}

static void put_observable(desk *d, hid_t group, const pel_observable *x) {
  const hsize_t n[3] = {x->step ? (hsize_t)x->records : 1, (hsize_t)x->n[0], (hsize_t)x->n[1]};
  const hid_t value = put(d, group, x->name, "value", 1 + x->rank, n, x->value);
  describe(d, value, x->unit, x->doc);
  if (x->rows) pel__h5_put_word(value, "rows", x->rows, &d->ok);
  if (x->error) {
    pel__h5_put_integer(value, "samples", x->samples, &d->ok);
    pel__h5_put_integer(value, "batches", x->batches, &d->ok);
    const hid_t error = put(d, group, x->name, "error", 1 + x->rank, n, x->error);
    describe(d, error, x->unit, "standard error, from the scatter of means of batches");
    done(error);
  }
  put_step(d, group, x, n[0]);
  if (x->axis) {
    const hid_t axis = put(d, group, x->name, x->axis, 1, &n[x->rank], x->at);
    describe(d, axis, x->axis_unit, x->axis_doc);
    done(axis);
  }
  done(value);
}

/* The group of an observable: folders in its name are made as they come. */
static hid_t group_of(desk *d, hid_t top, const char *name) {
  const hid_t links = H5Pcreate(H5P_LINK_CREATE);
  H5Pset_create_intermediate_group(links, 1);
  const hid_t g = d->ok ? H5Gcreate2(top, name, links, H5P_DEFAULT, H5P_DEFAULT) : -1;
  if (g < 0) d->ok = false;
  H5Pclose(links);
  return g;
}

static void put_parameters(desk *d) {
  char hash[17];
  const hid_t parameters = pel__h5_group(d->file, "parameters", &d->ok),
              own = pel__h5_group(parameters, "pelsim", &d->ok);
  pel__h5_put_text(own, "model", d->s->model, &d->ok);
  pel__h5_put_text(own, "title", d->s->title ? d->s->title : "", &d->ok);
  snprintf(hash, sizeof hash, "%016" PRIx64, d->fingerprint);
  pel__h5_put_text(own, "fingerprint", hash, &d->ok);
  pel__h5_put_document(own, "config", d->s->config ? d->s->config : "", &d->ok);
  done(own), done(parameters);
}

static bool make(pel__overlay *o, const pel_snapshot *s, const pel_observable *x, int n) {
  desk d = {.s = s, .file = pel__overlay_h5create(o, H5P_DEFAULT, H5F_LIBVER_V18, H5F_LIBVER_V18)};
  if (d.file < 0) return false;
  d.ok = true;
  pel__h5md_describe(d.file, s->particles && s->particles->length_unit, &d.ok);
  const hid_t top = pel__h5_group(d.file, "observables", &d.ok);
  for (int i = 0; i < n; ++i) {
    const hid_t group = group_of(&d, top, x[i].name);
    put_observable(&d, group, &x[i]);
    done(group);
  }
  done(top);
  put_parameters(&d);
  if (H5Fclose(d.file) < 0) d.ok = false;
  return d.ok;
}

/* The image of the file beside the old one, then in its place. */
static int replace(pel__overlay *o, const char *path) {
  char temporary[PATH_MAX];
  const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
  if (snprintf(temporary, sizeof temporary, "%.*s.%s.tmp", (int)(name - path), path, name) >=
      (int)sizeof temporary)
    return ENAMETOOLONG;
  pel__ignore_sigxfsz();
  const int fd = open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return errno;
  int err = pel__overlay_commit(o, fd, 0, PEL__GROWS);
  if (!err && fsync(fd)) err = errno;
  const int err2 = pel__close(fd);
  if (!err) err = err2;
  if (!err && rename(temporary, path)) err = errno;
  if (err)
    unlink(temporary);
  else
    err = pel__sync_directory_of(path);
  return err;
}

int pel__observables_write(const pel_snapshot *s, const pel_observable *x, int n, const char *path,
                           pel_error *e) {
  pel__overlay *o = pel__overlay_create(-1);
  if (!o || !make(o, s, x, n)) {
    pel_error_set(e, PEL_INTERNAL, "HDF5 could not describe %s (out of memory?)", path);
  } else {
    const int64_t size = pel__overlay_size(o);
    const int err = replace(o, path);
    if (err) pel__io_error(e, "write", path, err, size);
  }
  pel__overlay_destroy(o);
  return e->code;
}
