/* The overlay is a log: a read takes the file's bytes and lays every write over them in order.  A
 * file's metadata is a few dozen writes between two commits, so nothing cleverer is needed. */
#include "overlay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "posix_io.h"

typedef struct {
  int64_t at, size;
  unsigned char *bytes;
} patch;

struct pel__overlay {
  int fd;
  int64_t base; /* bytes of the file beneath */
  int64_t size; /* of the image */
  patch *log;
  int n, room;
};

pel__overlay *pel__overlay_create(int fd) {
  pel__overlay *o = calloc(1, sizeof *o);
  struct stat st = {0};
  if (o && fd >= 0 && fstat(fd, &st)) {
    free(o);
    return NULL;
  }
  if (o) *o = (pel__overlay){.fd = fd, .base = st.st_size, .size = st.st_size};
  return o;
}

static void forget(pel__overlay *o) {
  for (int i = 0; i < o->n; ++i) free(o->log[i].bytes);
  o->n = 0;
}

void pel__overlay_destroy(pel__overlay *o) {
  if (!o) return;
  forget(o);
  free(o->log);
  free(o);
}

int64_t pel__overlay_size(const pel__overlay *o) { return o->size; }

void pel__overlay_resize(pel__overlay *o, int64_t size) { o->size = size; }

int pel__overlay_read(const pel__overlay *o, int64_t at, int64_t size, void *to) {
  const int64_t end = at + size, below = o->base < end ? o->base - at : size;
  if (below > 0) {
    const int err = pel__pread(o->fd, to, (size_t)below, at);
    if (err) return err;
  }
  if (below < size) memset((char *)to + (below > 0 ? below : 0), 0, size - (below > 0 ? below : 0));
  for (int i = 0; i < o->n; ++i) {
    const patch *p = &o->log[i];
    const int64_t lo = p->at > at ? p->at : at, hi = p->at + p->size < end ? p->at + p->size : end;
    if (lo < hi) memcpy((char *)to + (lo - at), p->bytes + (lo - p->at), (size_t)(hi - lo));
  }
  return 0;
}

int pel__overlay_write(pel__overlay *o, int64_t at, int64_t size, const void *from) {
  if (size <= 0) return 0;
  if (o->n == o->room) {
    const int room = o->room ? 2 * o->room : 64;
    patch *log = realloc(o->log, (size_t)room * sizeof *log);
    if (!log) return ENOMEM;
    o->log = log;
    o->room = room;
  }
  unsigned char *bytes = malloc((size_t)size);
  if (!bytes) return ENOMEM;
  memcpy(bytes, from, (size_t)size);
  o->log[o->n++] = (patch){at, size, bytes};
  if (at + size > o->size) o->size = at + size;
  return 0;
}

static int by_place(const void *a, const void *b) {
  const int64_t x = ((const pel__span *)a)->at, y = ((const pel__span *)b)->at;
  return (x > y) - (x < y);
}

int pel__overlay_spans(const pel__overlay *o, pel__span **span) {
  pel__span *s = malloc(((size_t)o->n + 1) * sizeof *s);
  if (!s) return -1;
  int n = 0, merged = 0;
  for (int i = 0; i < o->n; ++i) {
    const int64_t end = o->log[i].at + o->log[i].size; /* writes past a later cut do not count */
    const int64_t size = (end < o->size ? end : o->size) - o->log[i].at;
    if (size > 0) s[n++] = (pel__span){o->log[i].at, size};
  }
  qsort(s, (size_t)n, sizeof *s, by_place);
  for (int i = 0; i < n; ++i) {
    pel__span *last = merged ? &s[merged - 1] : NULL;
    if (last && s[i].at <= last->at + last->size) {
      const int64_t end = s[i].at + s[i].size;
      if (end > last->at + last->size) last->size = end - last->at;
    } else {
      s[merged++] = s[i];
    }
  }
  *span = s;
  return merged;
}

/* What the spans hold now: the image's bytes if o, else those of the file fd. */
static unsigned char **load(const pel__overlay *o, int fd, const pel__span *s, int n, int *err) {
  unsigned char **bytes = calloc((size_t)n + 1, sizeof *bytes);
  *err = bytes ? 0 : ENOMEM;
  for (int i = 0; i < n && !*err; ++i) {
    bytes[i] = malloc((size_t)s[i].size);
    if (!bytes[i])
      *err = ENOMEM;
    else if (o)
      *err = pel__overlay_read(o, s[i].at, s[i].size, bytes[i]);
    else
      *err = pel__pread_zeros(fd, bytes[i], (size_t)s[i].size, s[i].at);
  }
  return bytes;
}

static void unload(unsigned char **bytes, int n) {
  for (int i = 0; bytes && i < n; ++i) free(bytes[i]);
  free(bytes);
}

int pel__overlay_commit(pel__overlay *o, int fd, int64_t old) {
  pel__span *s = NULL;
  const int n = pel__overlay_spans(o, &s);
  if (n < 0) return ENOMEM;
  int err = 0, err2 = 0, tried = 0;
  unsigned char **after = load(o, -1, s, n, &err), **before = load(NULL, fd, s, n, &err2);
  if (!err) err = err2;
  int *order = malloc(((size_t)n + 1) * sizeof *order), m = 0;
  if (!order && !err) err = ENOMEM;
  if (!err) { /* nothing old may point at something new that is not there yet */
    for (int i = 0; i < n; ++i)
      if (s[i].at >= old) order[m++] = i;
    for (int i = 0; i < n; ++i)
      if (s[i].at < old) order[m++] = i;
  }
  for (; tried < m && !err; ++tried)
    err = pel__pwrite(fd, after[order[tried]], (size_t)s[order[tried]].size, s[order[tried]].at);
  for (int i = tried - 1; i >= 0 && err; --i) /* the first error counts */
    (void)pel__pwrite(fd, before[order[i]], (size_t)s[order[i]].size, s[order[i]].at);
  unload(after, n);
  unload(before, n);
  free(order);
  free(s);
  if (!err && fd == o->fd) {
    forget(o);
    struct stat st;
    if (fstat(fd, &st)) return errno;
    o->base = st.st_size;
  }
  return err;
}
