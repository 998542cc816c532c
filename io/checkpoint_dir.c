/* Which checkpoints a directory holds, and which of them stay. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include "checkpoint.h"
#include "pelsim/memory.h"
#include "posix_io.h"

void pel__checkpoint_name(char *path, size_t size, const char *dir, int64_t step) {
  snprintf(path, size, "%s/step_%09" PRId64 ".h5", dir, step);
}

/* Step of "step_000000010.h5" + suffix, -1 for any other name. */
static int64_t step_of(const char *name, const char *suffix) {
  int64_t step = 0;
  const char *p = name + 5;
  if (strncmp(name, "step_", 5)) return -1;
  for (; *p >= '0' && *p <= '9' && p < name + 23; ++p) step = 10 * step + (*p - '0');
  const ptrdiff_t digits = p - name - 5;
  return digits >= 9 && !strncmp(p, ".h5", 3) && !strcmp(p + 3, suffix) ? step : -1;
}

static int descending(const void *a, const void *b) {
  const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x < y) - (x > y);
}

/* Steps of the files with this suffix, newest first; -1 with errno if they cannot all be told. */
static int list(const char *dir, const char *suffix, int64_t **step) {
  DIR *d = opendir(dir);
  if (!d) return -1;
  int n = 0, room = 0;
  *step = NULL;
  for (const struct dirent *f; errno = 0, (f = readdir(d));) {
    const int64_t s = step_of(f->d_name, suffix);
    if (s < 0) continue;
    if (n == room) *step = pel_realloc(*step, (size_t)(room = 2 * room + 16) * sizeof **step);
    (*step)[n++] = s;
  }
  const int err = errno;
  closedir(d);
  if (err) {
    free(*step);
    errno = err;
    return -1;
  }
  if (n) qsort(*step, (size_t)n, sizeof **step, descending);
  return n;
}

int pel__checkpoint_list(const char *dir, int64_t **step) { return list(dir, "", step); }

/* A look at the first block, enough to see truncation and what is no checkpoint at all. */
static bool looks_whole(const char *path) {
  pel__header h;
  pel_error e = {0};
  const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  const bool whole = fd >= 0 && pel__header_read(fd, path, &h, &e) == PEL__FILE_GOOD;
  if (whole) pel__header_fini(&h);
  (void)pel__close(fd);
  return whole;
}

void pel__checkpoint_rotate(const char *dir, int64_t step, int keep, int64_t also) {
  int64_t *found;
  const int n = pel__checkpoint_list(dir, &found);
  int kept = 0;
  for (int i = 0; i < n; ++i) {
    char path[PATH_MAX];
    pel__checkpoint_name(path, sizeof path, dir, found[i]);
    const bool spare = kept >= (keep > 1 ? keep : 1);
    if (found[i] > step || (spare && found[i] != also))
      (void)unlink(path); /* if it cannot go it stays; the next rotation tries again */
    else if (looks_whole(path))
      ++kept;
  }
  if (n >= 0) free(found);
}

void pel__checkpoint_sweep(const char *dir) {
  int64_t *found;
  const int n = list(dir, ".tmp", &found);
  for (int i = 0; i < n; ++i) {
    char path[PATH_MAX];
    pel__checkpoint_name(path, sizeof path - 4, dir, found[i]);
    strcat(path, ".tmp");
    const int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    if (fd >= 0 && (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)) (void)unlink(path);
    (void)pel__close(fd);
  }
  if (n >= 0) free(found);
}
