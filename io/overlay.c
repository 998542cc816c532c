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
  pel__content content;
} patch;

struct pel__overlay {
  int fd;
  int64_t base; /* bytes of the file beneath */
  int64_t size; /* of the image */
  patch *log;
  int n, room;
  int err; /* the first of a read or write of HDF5 */
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

int pel__overlay_error(const pel__overlay *o) { return o->err; }

int pel__overlay_note(pel__overlay *o, int err) {
  if (!o->err) o->err = err;
  return err;
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

int pel__overlay_write(pel__overlay *o, int64_t at, int64_t size, const void *from,
                       pel__content content) {
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
  o->log[o->n++] = (patch){at, size, bytes, content};
  if (at + size > o->size) o->size = at + size;
  return 0;
}

/* ---- putting it on disk ---- */

enum {
  HEADERS_AT_ONCE = 1 << 16, /* a write of some pages is not torn by a signal but between pages */
  NEW = 0,
  EARLY_HEADERS = 1,
  PLAIN = 2,
  TREES = 3, /* and the next 256: levels downwards */
  HEADERS = 300
};

/* A stretch of the file to write, and when. */
typedef struct {
  int64_t at, size;
  int turn;
  unsigned char *after, *before;
} piece;

static int by_turn(const void *a, const void *b) {
  const piece *x = a, *y = b;
  if (x->turn != y->turn) return x->turn < y->turn ? -1 : 1;
  return (x->at > y->at) - (x->at < y->at);
}

/* A node of HDF5's index of chunks (a version 1 B-tree; HDF5 File Format Specification 2.0,
 * III.A.1): "TREE", type, level, 2 bytes of count, 16 of siblings, then key, child, key, child ...
 * key. */
enum { NODE_HEAD = 24, NODE_CHILDREN = 64 /* HDF5's default, which we leave alone */ };

static int level_of(const unsigned char *node, int64_t size) {
  return size >= NODE_HEAD && !memcmp(node, "TREE", 4) ? node[5] : -1;
}

static bool refers(const unsigned char *node, int64_t size, int64_t child) {
  const int64_t key = (size - NODE_HEAD - 8 * NODE_CHILDREN) / (NODE_CHILDREN + 1);
  if (level_of(node, size) < 1 || key < 8) return false;
  const int n = node[6] | node[7] << 8;
  for (int i = 0; i < n && i < NODE_CHILDREN; ++i) {
    int64_t is;
    memcpy(&is, node + NODE_HEAD + key + i * (key + 8), sizeof is);
    if (is == child) return true;
  }
  return false;
}

/* Is this node new in its tree: does a parent refer to it that did not before?  Its place may be
 * one that HDF5 held in reserve or that a node of cut off records had, so the place tells nothing.
 */
static bool is_new_node(const pel__overlay *o, int fd, const patch *p) {
  bool found = false;
  for (int i = 0; i < o->n && !found; ++i) {
    const patch *q = &o->log[i];
    if (q->content != PEL__INDEX || !refers(q->bytes, q->size, p->at)) continue;
    unsigned char *before = malloc((size_t)q->size);
    found = before && !pel__pread_zeros(fd, before, (size_t)q->size, q->at) &&
            !refers(before, q->size, p->at);
    free(before);
  }
  return found;
}

static int turn_of(const pel__overlay *o, int fd, const patch *p, int64_t old, pel__change change) {
  if (p->at >= old) return NEW;
  if (p->content == PEL__HEADER) return change == PEL__GROWS ? HEADERS : EARLY_HEADERS;
  if (p->content != PEL__INDEX) return PLAIN;
  return is_new_node(o, fd, p) ? NEW : TREES + 255 - level_of(p->bytes, p->size);
}

/* Pieces that touch become one; headers near each other too if what lies between them is known.
 * Returns how many are left. */
static int join(piece *x, int n, bool known) {
  int m = 0;
  for (int i = 0; i < n; ++i) {
    piece *last = m ? &x[m - 1] : NULL;
    const int64_t end = x[i].at + x[i].size;
    const bool header = x[i].turn == HEADERS || x[i].turn == EARLY_HEADERS;
    if (last && last->turn == x[i].turn &&
        (x[i].at <= last->at + last->size ||
         (known && header && end - last->at <= HEADERS_AT_ONCE))) {
      if (end > last->at + last->size) last->size = end - last->at;
    } else {
      x[m++] = x[i];
    }
  }
  return m;
}

/* The log as pieces in the order of writing, malloced; *n of them. */
static piece *arrange(const pel__overlay *o, int fd, int64_t old, pel__change change, int *n) {
  piece *x = calloc((size_t)o->n + 1, sizeof *x);
  *n = 0;
  for (int i = 0; i < o->n && x; ++i) {
    const patch *p = &o->log[i];
    const int64_t end = p->at + p->size < o->size ? p->at + p->size : o->size;
    bool again = false; /* written once more later: one piece is enough */
    for (int j = i + 1; j < o->n && !again; ++j)
      again = o->log[j].at == p->at && o->log[j].size == p->size;
    if (end > p->at && !again)
      x[(*n)++] = (piece){.at = p->at, .size = end - p->at, .turn = turn_of(o, fd, p, old, change)};
  }
  if (!x) return NULL;
  qsort(x, (size_t)*n, sizeof *x, by_turn);
  *n = join(x, *n, fd == o->fd);
  return x;
}

/* What the piece will hold, and what the file holds there now. */
static int load(const pel__overlay *o, int fd, piece *x) {
  x->after = malloc((size_t)x->size);
  x->before = malloc((size_t)x->size);
  if (!x->after || !x->before) return ENOMEM;
  const int err = pel__overlay_read(o, x->at, x->size, x->after);
  return err ? err : pel__pread_zeros(fd, x->before, (size_t)x->size, x->at);
}

int pel__overlay_commit(pel__overlay *o, int fd, int64_t old, pel__change change) {
  int n, tried = 0, err = 0;
  struct stat st; /* asked now: nothing may fail once the changes are on disk */
  if (o->err) return o->err;
  if (fstat(fd, &st)) return errno;
  piece *x = arrange(o, fd, old, change, &n);
  if (!x) return ENOMEM;
  for (int i = 0; i < n && !err; ++i) err = load(o, fd, &x[i]);
  for (; tried < n && !err; ++tried)
    err = pel__pwrite(fd, x[tried].after, (size_t)x[tried].size, x[tried].at);
  for (int i = tried - 1; i >= 0 && err; --i) /* the first error counts */
    (void)pel__pwrite(fd, x[i].before, (size_t)x[i].size, x[i].at);
  int64_t end = st.st_size;
  for (int i = 0; i < n; ++i) {
    if (x[i].at + x[i].size > end) end = x[i].at + x[i].size;
    free(x[i].after);
    free(x[i].before);
  }
  free(x);
  if (err || fd != o->fd) return err;
  forget(o);
  o->base = end;
  return 0;
}
