/* The HDF5 side of a checkpoint, made in memory by rank 0. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "checkpoint_parts.h"
#include "h5.h"
#include "shared_file.h"

#ifndef PELSIM_VERSION
#define PELSIM_VERSION "unknown"
#endif

const char *const pel__place_name[5] = {"centre", "face_x", "face_y", "face_z", "corner_xy"};
const char *const pel__end_name[3] = {"periodic", "wall", "pole"};

static const char no_hash[] = "----------------";

static const char *or_empty(const char *text) { return text ? text : ""; }

static void describe_run(const pel__job *w, bool *ok) {
  const pel_snapshot *s = w->s;
  char now[32];
  const time_t t = time(NULL);
  struct tm tm;
  strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
  pel__h5_put_integer(w->file, "format", PEL__CHECKPOINT_FORMAT, ok);
  pel__h5_put_text(w->file, "model", s->model, ok);
  pel__h5_put_text(w->file, "title", or_empty(s->title), ok);
  pel__h5_put_integer(w->file, "step", s->step, ok);
  pel__h5_put_real(w->file, "time", s->time, ok);
  pel__h5_put_text(w->file, "fingerprint", no_hash, ok);
  pel__h5_put_text(w->file, "created", now, ok);
  pel__h5_put_text(w->file, "source", "pelsim " PELSIM_VERSION, ok);
}

static void describe_grid(hid_t group, const pel_grid *g, bool *ok) {
  pel__h5_put_integer(group, "dims", g->dims, ok);
  for (int a = 0; a < 3; ++a) {
    const pel_axis *x = &g->axis[a];
    const hid_t axis =
        pel__h5_group(group, (char[]){'a', 'x', 'i', 's', '_', (char)('0' + a), 0}, ok);
    pel__h5_put_text(axis, "name", or_empty(x->name), ok);
    pel__h5_put_text(axis, "unit", or_empty(x->unit), ok);
    pel__h5_put_text(axis, "standard_name", or_empty(x->standard_name), ok);
    pel__h5_put_integer(axis, "cells", x->n, ok);
    pel__h5_put_text(axis, "end", pel__end_name[x->end], ok);
    pel__h5_put_real(axis, "origin", x->origin, ok);
    pel__h5_put_real(axis, "spacing", x->spacing, ok);
    if (axis >= 0) H5Gclose(axis);
  }
}

static void describe_array(pel__job *w, int a, bool *ok) {
  const pel_array *x = &w->s->arrays[a];
  const pel_grid *g = w->s->grid;
  hsize_t n[3];
  for (int d = 0; d < g->dims; ++d) n[d] = (hsize_t)g->axis[g->dims - 1 - d].n;
  const hid_t d = pel__h5_reserve(w->file, x->name, H5T_IEEE_F64LE, g->dims, n, ok);
  pel__h5_put_text(d, "unit", or_empty(x->unit), ok);
  pel__h5_put_text(d, "long_name", or_empty(x->doc), ok);
  if (x->standard_name) pel__h5_put_text(d, "standard_name", x->standard_name, ok);
  pel__h5_put_text(d, "place", pel__place_name[x->place], ok);
  pel__h5_put_text(d, "fingerprint", no_hash, ok);
  if (!*ok) return;
  const haddr_t at = H5Dget_offset(d);
  *ok = at != HADDR_UNDEF;
  w->at[a] = (int64_t)at;
  H5Dclose(d);
}

/* Small, and part of what the header's hash of the rest covers. */
static void describe_numbers(hid_t group, const pel_snapshot *s, bool *ok) {
  const hid_t numbers = pel__h5_group(group, "numbers", ok);
  for (int i = 0; i < s->nnumbers; ++i) {
    const hsize_t n = (hsize_t)s->numbers[i].n;
    pel__h5_put_doubles(numbers, s->numbers[i].name, 1, &n, s->numbers[i].value, ok);
  }
  if (numbers >= 0) H5Gclose(numbers);
}

static void describe_scalars(hid_t group, const char *name, const pel_snapshot *s, bool state,
                             bool *ok) {
  const hid_t g = pel__h5_group(group, name, ok);
  for (int i = 0; i < s->nscalars; ++i)
    if (s->scalars[i].state == state)
      pel__h5_put_real(g, s->scalars[i].name, s->scalars[i].value, ok);
  if (g >= 0) H5Gclose(g);
}

static void describe_state(pel__job *w, hid_t group, bool *ok) {
  const pel_snapshot *s = w->s;
  describe_scalars(group, "state", s, true, ok);
  describe_scalars(group, "scalars", s, false, ok);
  if (s->nnumbers) describe_numbers(group, s, ok);
  const hid_t blocks = pel__h5_group(group, "blocks", ok), row = pel__box_type(true);
  for (int a = 0; a < s->narrays && *ok; ++a) {
    const hsize_t n = (hsize_t)pel__tables_rows(w, a);
    const hid_t d = pel__h5_reserve(blocks, s->arrays[a].name, row, 1, &n, ok);
    if (d >= 0) H5Dclose(d);
    describe_array(w, a, ok);
  }
  if (row >= 0) H5Tclose(row);
  if (blocks >= 0) H5Gclose(blocks);
}

int pel__describe(pel__job *w, pel_error *e) {
  const pel_snapshot *s = w->s;
  w->o = pel__overlay_create(-1);
  const hid_t fcpl = H5Pcreate(H5P_FILE_CREATE);
  if (w->o && H5Pset_userblock(fcpl, (hsize_t)pel__header_room(s)) >= 0)
    w->file = pel__overlay_h5create(w->o, fcpl, H5F_LIBVER_V110, H5F_LIBVER_V110);
  H5Pclose(fcpl);
  bool ok = w->file >= 0;
  if (ok) describe_run(w, &ok);
  const hid_t group = pel__h5_group(w->file, "pelsim", &ok);
  pel__h5_put_document(group, "config", or_empty(s->config), &ok);
  if (ok) describe_grid(group, s->grid, &ok);
  if (ok) describe_state(w, group, &ok);
  if (group >= 0) H5Gclose(group);
  if (ok) ok = H5Fflush(w->file, H5F_SCOPE_GLOBAL) >= 0;
  w->size = w->o ? pel__overlay_size(w->o) : 0;
  if (ok) return PEL_OK;
  return pel_error_set(e, PEL_INTERNAL,
                       "HDF5 could not describe checkpoint %s: two arrays or scalars of one name, "
                       "or out of memory",
                       w->path);
}

/* ---- completion ---- */

static void set_hash(hid_t object, uint64_t hash, bool *ok) {
  char text[17];
  snprintf(text, sizeof text, "%016" PRIx64, hash);
  pel__h5_set_text(object, "fingerprint", text, ok);
}

/* Table and fingerprint of array a; returns the fingerprint. */
static uint64_t complete_array(const pel__job *w, int a, bool *ok) {
  char name[300];
  uint64_t sum = 0;
  pel__box *row = pel__tables_of(w, a);
  snprintf(name, sizeof name, "pelsim/blocks/%s", w->s->arrays[a].name);
  const hid_t t = pel__box_type(false), table = H5Dopen2(w->file, name, H5P_DEFAULT),
              d = H5Dopen2(w->file, w->s->arrays[a].name, H5P_DEFAULT);
  if (!row || t < 0 || table < 0 || d < 0) *ok = false;
  for (int i = 0; *ok && i < pel__tables_rows(w, a); ++i) sum += row[i].fingerprint;
  if (*ok) *ok = H5Dwrite(table, t, H5S_ALL, H5S_ALL, H5P_DEFAULT, row) >= 0;
  set_hash(d, sum, ok);
  if (d >= 0) H5Dclose(d);
  if (table >= 0) H5Dclose(table);
  if (t >= 0) H5Tclose(t);
  free(row);
  return sum;
}

static int by_place(const void *a, const void *b) {
  const int64_t x = ((const pel__region *)a)->at, y = ((const pel__region *)b)->at;
  return (x > y) - (x < y);
}

static int add_header(pel__job *w, const uint64_t *sum, pel_error *e) {
  const pel_snapshot *s = w->s;
  pel__region *r = calloc((size_t)s->narrays + 1, sizeof *r);
  pel__header h = {.block = pel__header_room(s),
                   .size = w->size,
                   .array = r,
                   .narrays = s->narrays,
                   .fingerprint = s->fingerprint};
  for (int a = 0; a < s->narrays && r; ++a)
    r[a] = (pel__region){(char *)s->arrays[a].name, w->at[a], 8 * pel__cells(s->grid), sum[a]};
  char *text = NULL;
  if (r) {
    qsort(r, (size_t)s->narrays, sizeof *r, by_place);
    if (!pel__header_rest(&h, w->o, &h.rest)) text = pel__header_text(&h);
  }
  const bool ok = text && !pel__overlay_write(w->o, 0, h.block, text, PEL__OTHER);
  free(text);
  free(r);
  return ok ? PEL_OK : pel_error_set(e, PEL_INTERNAL, "out of memory for checkpoint %s", w->path);
}

int pel__describe_end(pel__job *w, pel_error *e) {
  const pel_snapshot *s = w->s;
  uint64_t *sum = calloc((size_t)s->narrays + 1, sizeof *sum);
  uint64_t total = pel_fingerprint_scalars(s->scalars, s->nscalars);
  bool ok = sum != NULL;
  for (int a = 0; a < s->narrays && ok; ++a) {
    sum[a] = complete_array(w, a, &ok);
    if (!pel__is_aside(s->arrays[a].name)) total += sum[a];
  }
  set_hash(w->file, total, &ok);
  if (H5Fclose(w->file) < 0) ok = false;
  w->file = -1;
  if (!ok)
    pel_error_set(e, PEL_INTERNAL, "HDF5 could not complete checkpoint %s", w->path);
  else if (total != s->fingerprint)
    pel_error_set(e, PEL_IO,
                  "checkpoint %s is not kept: what was read back has fingerprint %016" PRIx64
                  ", the state %016" PRIx64 " (failing disk or memory?)",
                  w->path, total, s->fingerprint);
  else if (pel__overlay_size(w->o) > w->size)
    pel_error_set(e, PEL_INTERNAL, "checkpoint %s grew while it was completed", w->path);
  else
    add_header(w, sum, e);
  free(sum);
  return e->code;
}
