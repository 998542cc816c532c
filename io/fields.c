/* Grid output as a format of files that grow. */
#include "fields.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "shared_file.h"

enum {
  RECORDS = 512,        /* records in a chunk of a column */
  CHUNK_LIMIT = 1 << 30 /* HDF5's own limit is 4 GiB */
};

int pel__chunking_of(const pel_grid *g, bool single, pel__chunking *c, pel_error *e) {
  const int64_t limit = CHUNK_LIMIT / (single ? 4 : 8);
  *c = (pel__chunking){{1, 1, 1}, 1, 1};
  for (int a = 0; a < g->dims; ++a) {
    int64_t n = limit / c->piece < g->axis[a].n ? limit / c->piece : g->axis[a].n;
    /* below the slowest axis pieces must be equal, or their order is not that of the index */
    while (a < g->dims - 1 && g->axis[a].n % n) --n;
    c->chunk[a] = n;
    c->piece *= n;
    if (n < g->axis[a].n) break;
  }
  const int64_t pieces = (pel__cells(g) + c->piece - 1) / c->piece;
  if (pieces > 1 << 20)
    return pel_error_set(e, PEL_IO, "a record of %" PRId64 " cells is too large for one file",
                         pel__cells(g));
  c->npieces = (int)pieces;
  return PEL_OK;
}

static pel__growing *growing(const pel_snapshot *s, bool single, int *n, pel_error *e) {
  const pel_grid *g = s->grid;
  pel__chunking c;
  *n = PEL__FIELDS_COLUMNS + s->narrays;
  if (pel__chunking_of(g, single, &c, e)) return NULL;
  pel__growing *x = malloc((size_t)*n * sizeof *x);
  if (!x) {
    pel_error_set(e, PEL_INTERNAL, "out of memory");
    return NULL;
  }
  x[PEL__TIME] = (pel__growing){.name = "time", .type = H5T_IEEE_F64LE, .records = RECORDS};
  x[PEL__STEP] = (pel__growing){.name = "step", .type = H5T_STD_I64LE, .records = RECORDS};
  x[PEL__HASH] = (pel__growing){.name = "fingerprint", .type = H5T_STD_U64LE, .records = RECORDS};
  pel__growing variable = {.type = single ? H5T_IEEE_F32LE : H5T_IEEE_F64LE,
                           .rank = g->dims,
                           .records = 1,
                           .npieces = c.npieces,
                           .piece = c.piece,
                           .bytes = single ? 4 : 8};
  for (int i = 0; i < g->dims; ++i) {
    variable.n[i] = (hsize_t)g->axis[g->dims - 1 - i].n;
    variable.chunk[i] = (hsize_t)c.chunk[g->dims - 1 - i];
  }
  for (int a = 0; a < s->narrays; ++a) {
    pel__growing *v = &x[PEL__FIELDS_COLUMNS + a];
    *v = variable;
    snprintf(v->name, sizeof v->name, "%s", s->arrays[a].name);
  }
  return x;
}

static void name(const pel_snapshot *s, int i, bool single, char *text, size_t size) {
  static const char *const column[] = {"time", "step", "fingerprint"};
  if (i < PEL__FIELDS_COLUMNS)
    snprintf(text, size, "variable %s(time) as pelsim writes it", column[i]);
  else
    snprintf(text, size, "variable %.80s of this grid in %s precision",
             s->arrays[i - PEL__FIELDS_COLUMNS].name, single ? "single" : "double");
}

typedef struct {
  const pel_snapshot *s;
  char *text;
  size_t size;
} search;

static herr_t look_for_stranger(hid_t file, const char *name, const H5L_info_t *link, void *to) {
  search *x = to;
  hsize_t n[H5S_MAX_RANK], most[H5S_MAX_RANK];
  (void)link;
  for (int a = 0; a < x->s->narrays; ++a)
    if (!strcmp(name, x->s->arrays[a].name)) return 0;
  const hid_t d = H5Dopen2(file, name, H5P_DEFAULT), space = d < 0 ? -1 : H5Dget_space(d);
  const bool found =
      space >= 0 && H5Sget_simple_extent_dims(space, n, most) > 1 && most[0] == H5S_UNLIMITED;
  if (found) snprintf(x->text, x->size, "a variable %.80s", name);
  if (space >= 0) H5Sclose(space);
  if (d >= 0) H5Dclose(d);
  return found;
}

static bool stranger(hid_t file, const pel_snapshot *s, char *text, size_t size) {
  search x = {s, text, size};
  return H5Literate(file, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, look_for_stranger, &x) > 0;
}

static pel__extent extent_of(const pel_snapshot *s, bool single, int64_t piece, const int64_t *at) {
  const pel_axis *x = s->grid->axis;
  return (pel__extent){{x[0].n, x[1].n, x[2].n}, piece, at, single};
}

static uint64_t share(const pel_snapshot *s, bool single) {
  uint64_t sum = 0;
  const pel__extent x = extent_of(s, single, pel__cells(s->grid), &(int64_t){0});
  for (int a = 0; a < s->narrays; ++a) sum += pel__array_share(&s->arrays[a], &x);
  return sum;
}

/* Collective where rows are cut. */
static int write(int fd, const pel_snapshot *s, bool single, const pel__growing *g, int n,
                 const int64_t *at) {
  const bool cut = pel__rows_are_cut(s);
  int err = 0;
  for (int i = PEL__FIELDS_COLUMNS; i < n; at += g[i++].npieces) {
    const pel__extent x = extent_of(s, single, g[i].piece, at);
    const pel_array *a = &s->arrays[i - PEL__FIELDS_COLUMNS];
    const int err2 = cut    ? pel__array_write_rows(s->comm, fd, a, &x)
                     : !err ? pel__array_write(fd, a, &x)
                            : 0;
    if (!err) err = err2;
  }
  return err;
}

const pel__format pel__format_fields = {.growing = growing,
                                        .describe = pel__fields_describe,
                                        .name = name,
                                        .stranger = stranger,
                                        .share = share,
                                        .write = write};
