/* How long a classic netCDF file must be, from its header: see "The NetCDF Classic Format
 * Specification", https://docs.unidata.ucar.edu/netcdf-c/current/file_format_specifications.html.
 */
#include <stdlib.h>
#include <string.h>
#include "map_parts.h"
#include "posix_io.h"

enum { HEADER_LIMIT = 64 << 20, LIST_LIMIT = 1 << 20 };

/* Big-endian words of a header; `bad` once something is wrong. */
typedef struct {
  unsigned char *bytes;
  int64_t size, at;
  int count, offset; /* bytes of a length, of a place in the file: 4 or 8 by format */
  bool bad;
} words;

static int64_t take(words *w, int bytes) {
  uint64_t x = 0;
  if (w->at + bytes > w->size) w->bad = true;
  for (int i = 0; i < bytes && !w->bad; ++i) x = x << 8 | w->bytes[w->at++];
  return w->bad || x > INT64_MAX ? 0 : (int64_t)x;
}

static void skip(words *w, int64_t bytes) { /* padded to 4 */
  if (bytes < 0 || bytes > w->size - w->at) w->bad = true;
  if (!w->bad) w->at += (bytes + 3) / 4 * 4;
}

static int64_t size_of(int64_t type) {
  static const int size[] = {0, 1, 1, 2, 4, 4, 8, 1, 2, 4, 8, 8};
  return type >= 1 && type <= 11 ? size[type] : 0;
}

/* Length of the list that begins here, whose tag must be `tag` unless it is empty. */
static int64_t list(words *w, int64_t tag) {
  const int64_t is = take(w, 4), n = take(w, w->count);
  if ((is != tag && (is || n)) || n > LIST_LIMIT) w->bad = true;
  return w->bad ? 0 : n;
}

static void skip_attributes(words *w) {
  for (int64_t n = list(w, 12); n > 0 && !w->bad; --n) {
    skip(w, take(w, w->count));
    const int64_t type = size_of(take(w, 4)), length = take(w, w->count);
    if (!type || length > HEADER_LIMIT) w->bad = true;
    skip(w, type * length);
  }
}

/* One variable: where its data must end, or for a record variable its first record. */
typedef struct {
  int64_t begin, bytes;
  bool record;
} extent;

static extent take_variable(words *w, const int64_t *dim, int64_t ndims) {
  extent x = {0};
  int64_t cells = 1;
  skip(w, take(w, w->count));
  for (int64_t i = 0, n = take(w, w->count); i < n && !w->bad; ++i) {
    const int64_t d = take(w, w->count);
    if (d >= ndims || n > NC_MAX_VAR_DIMS) {
      w->bad = true;
    } else if (dim[d] == 0 && i == 0) {
      x.record = true;
    } else {
      if (dim[d] && cells > INT64_MAX / 16 / dim[d]) w->bad = true;
      if (!w->bad) cells *= dim[d];
    }
  }
  skip_attributes(w);
  x.bytes = cells * size_of(take(w, 4));
  take(w, w->count); /* its size, which is wrong for large variables */
  x.begin = take(w, w->offset);
  return x;
}

static int64_t parse(words *w) {
  const int version = (int)take(w, 4) & 0xff;
  if (version != 1 && version != 2 && version != 5) return -1;
  w->count = version == 5 ? 8 : 4;
  w->offset = version == 1 ? 4 : 8;
  int64_t records = take(w, w->count), end = 0, stride = 0, first = INT64_MAX;
  if (records == (w->count == 4 ? UINT32_MAX : INT64_MAX)) records = 0; /* still being written */
  const int64_t ndims = list(w, 10);
  int64_t *dim = calloc((size_t)ndims + 1, sizeof *dim);
  for (int64_t i = 0; i < ndims && dim && !w->bad; ++i) {
    skip(w, take(w, w->count));
    dim[i] = take(w, w->count);
  }
  skip_attributes(w);
  int nrecord = 0;
  for (int64_t n = list(w, 11); n > 0 && dim && !w->bad; --n) {
    const extent x = take_variable(w, dim, ndims);
    if (!x.record && x.begin + x.bytes > end) end = x.begin + x.bytes;
    if (!x.record) continue;
    if (x.begin < first) first = x.begin;
    stride += (x.bytes + 3) / 4 * 4;
    if (++nrecord == 1 && n == 1) stride = x.bytes; /* a single one is not padded */
  }
  const bool good = dim && !w->bad;
  free(dim);
  if (!good || (stride && records > INT64_MAX / 2 / stride)) return -1;
  /* the last record's own padding may be missing */
  if (nrecord && records && first + records * stride - 3 > end) end = first + records * stride - 3;
  return end > w->at ? end : w->at;
}

int64_t pel__classic_size(int fd) {
  /* headers have no stated length: read more until the parse fits */
  for (int64_t size = 1 << 16; size <= HEADER_LIMIT; size *= 8) {
    words w = {.bytes = calloc(1, (size_t)size), .size = size, .count = 4, .offset = 4};
    int64_t end = -1;
    if (w.bytes && !pel__pread_zeros(fd, w.bytes, (size_t)size, 0)) end = parse(&w);
    free(w.bytes);
    if (end >= 0) return end;
  }
  return -1;
}
