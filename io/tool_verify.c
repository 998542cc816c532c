/* Is a file what was written?  A damaged field is narrowed down to the boxes that are wrong. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "posix_io.h"
#include "shared_file.h"
#include "tools.h"

/* ---- checkpoints ---- */

/* Fingerprint of elements [index, index+n) as the file holds them. */
static int add_stretch(const pel__checkpoint *c, const pel__region *r, uint64_t key, int64_t index,
                       int64_t n, double *buffer, uint64_t *sum) {
  int err = 0;
  for (int64_t m; n > 0 && !err; index += m, n -= m) {
    m = n < PEL__PIECE ? n : PEL__PIECE;
    err = pel__region_read(c, r, index, buffer, m);
    if (!err) *sum += pel_fingerprint_row(key, index, buffer, m);
  }
  return err;
}

static bool inside(const pel__checkpoint *c, const pel__box *b) {
  const pel_axis *x = c->grid.axis;
  for (int d = 0; d < 3; ++d)
    if (b->cells[d] < 1 || b->cells[d] > x[d].n || b->first[d] < 0 ||
        b->first[d] > x[d].n - b->cells[d])
      return false;
  return true;
}

static int add_box(const pel__checkpoint *c, const pel__region *r, uint64_t key, const pel__box *b,
                   double *buffer, uint64_t *sum) {
  const pel_axis *x = c->grid.axis;
  int err = 0;
  for (int64_t k = b->first[2]; k < b->first[2] + b->cells[2]; ++k)
    for (int64_t j = b->first[1]; j < b->first[1] + b->cells[1] && !err; ++j)
      err =
          add_stretch(c, r, key, (k * x[1].n + j) * x[0].n + b->first[0], b->cells[0], buffer, sum);
  return err;
}

static void name_boxes(FILE *out, const char *file, const pel__checkpoint *c, const pel__region *r,
                       double *buffer) {
  int n, told = 0;
  pel__box *box = pel__checkpoint_boxes(c, r->name, &n);
  const uint64_t key = pel_fingerprint_key(r->name);
  for (int i = 0; i < n && box && told < 10; ++i) {
    uint64_t sum = 0;
    if (!inside(c, &box[i]) ||
        (!add_box(c, r, key, &box[i], buffer, &sum) && sum == box[i].fingerprint))
      continue;
    fprintf(out, "%s: field %s is damaged in block %d of %d, cells", file, r->name, i, n);
    for (int d = 0; d < c->grid.dims; ++d)
      fprintf(out, "%s %s %" PRId64 "..%" PRId64, d ? "," : "", c->grid.axis[d].name,
              box[i].first[d], box[i].first[d] + box[i].cells[d] - 1);
    fputc('\n', out);
    ++told;
  }
  if (!told) fprintf(out, "%s: field %s is damaged\n", file, r->name);
  free(box);
}

int pel__verify_checkpoint(FILE *out, const char *file) {
  pel_error e = {0};
  pel__checkpoint c;
  if (pel__checkpoint_open(file, &c, &e) != PEL__FILE_GOOD) return pel__tell(out, &e);
  double *buffer = malloc(PEL__PIECE * sizeof *buffer);
  uint64_t total = pel_fingerprint_scalars(c.s.scalars, c.s.nscalars);
  int bad = !buffer;
  for (int a = 0; a < c.header.narrays && buffer; ++a) {
    const pel__region *r = &c.header.array[a];
    uint64_t sum = 0;
    const int err =
        add_stretch(&c, r, pel_fingerprint_key(r->name), 0, pel__cells(&c.grid), buffer, &sum);
    if (!pel__is_aside(r->name)) total += sum;
    if (err) pel__io_error(&e, "read", file, err, 0);
    if (err || sum != r->fingerprint) {
      ++bad;
      name_boxes(out, file, &c, r, buffer);
    }
  }
  if (!bad && total != c.header.fingerprint)
    bad = fprintf(out, "%s: the fingerprint does not fit its state\n", file);
  if (!bad)
    fprintf(out,
            "%s: good, step %" PRId64 ", time %.10g s, %d fields, fingerprint %016" PRIx64 "\n",
            file, c.s.step, c.s.time, c.s.narrays, total);
  free(buffer);
  pel__checkpoint_close(&c);
  pel__tell(out, &e);
  return bad ? PEL_IO : PEL_OK;
}

/* ---- netCDF ---- */

/* Adds the fingerprint of record `record` of variable v, which has `time` first and n elements. */
static int add_record(const pel__source *s, int v, size_t record, size_t n, double *buffer,
                      uint64_t *sum) {
  char name[NC_MAX_NAME + 1];
  size_t start[NC_MAX_VAR_DIMS] = {record}, count[NC_MAX_VAR_DIMS] = {1};
  int ndims, dim[NC_MAX_VAR_DIMS];
  if (nc_inq_var(s->nc, v, name, NULL, &ndims, dim, NULL)) return PEL_IO;
  for (int i = 1; i < ndims; ++i) nc_inq_dimlen(s->nc, dim[i], &count[i]);
  if (nc_get_vara_double(s->nc, v, start, count, buffer)) return PEL_IO;
  *sum += pel_fingerprint_row(pel_fingerprint_key(name), 0, buffer, (int64_t)n);
  return PEL_OK;
}

/* Elements of a record of v; 0 if v is no field of an output file. */
static size_t record_size(const pel__source *s, int v, int time) {
  int ndims, dim[NC_MAX_VAR_DIMS];
  nc_type type;
  size_t n = 1, length;
  if (nc_inq_var(s->nc, v, NULL, &type, &ndims, dim, NULL) || ndims < 2 || dim[0] != time ||
      (type != NC_FLOAT && type != NC_DOUBLE))
    return 0;
  for (int i = 1; i < ndims; ++i) {
    if (nc_inq_dimlen(s->nc, dim[i], &length) || (length && n > SIZE_MAX / 16 / length)) return 0;
    n *= length;
  }
  return n;
}

/* Number of bad records, each told. */
static int verify_records(FILE *out, const pel__source *s, int hash, int time, size_t records) {
  int nvars = 0, bad = 0;
  size_t most = 0;
  nc_inq_nvars(s->nc, &nvars);
  for (int v = 0; v < nvars; ++v)
    if (record_size(s, v, time) > most) most = record_size(s, v, time);
  double *buffer = malloc((most + 1) * sizeof *buffer);
  for (size_t r = 0; r < records && buffer; ++r) {
    uint64_t sum = 0;
    unsigned long long want = 0;
    int failed = nc_get_var1_ulonglong(s->nc, hash, &r, &want) != 0;
    for (int v = 0; v < nvars && !failed; ++v) {
      const size_t n = record_size(s, v, time);
      if (n) failed = add_record(s, v, r, n, buffer, &sum) != 0;
    }
    if (failed || sum != want) {
      ++bad;
      fprintf(out, "%s: record %zu is damaged\n", s->file, r);
    }
  }
  free(buffer);
  return buffer ? bad : 1;
}

int pel__verify_netcdf(FILE *out, const char *file) {
  pel_error e = {0};
  pel__source s;
  int hash, time;
  size_t records = 0;
  if (pel__source_open(file, &s, &e)) return pel__tell(out, &e);
  char *model = pel__source_text(&s, NC_GLOBAL, "pelsim_model");
  int bad = 1;
  if (!model || nc_inq_varid(s.nc, "fingerprint", &hash) || nc_inq_dimid(s.nc, "time", &time) ||
      nc_inq_dimlen(s.nc, time, &records))
    fprintf(out, "%s has no checksums: it was not written by pelsim, or its beginning is damaged\n",
            file);
  else
    bad = verify_records(out, &s, hash, time, records);
  if (!bad) fprintf(out, "%s: good, %zu records of model %s\n", file, records, model);
  free(model);
  nc_close(s.nc);
  return bad ? PEL_IO : PEL_OK;
}
