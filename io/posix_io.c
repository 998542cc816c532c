#define _GNU_SOURCE
#include "posix_io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "pelsim/sink.h"

enum { PIECE = 1 << 24 }; /* so that a slow disk gives a sign of life now and then */

static int read_some(int fd, char *to, size_t size, int64_t at, size_t *got) {
  *got = 0;
  while (*got < size) {
    const size_t want = size - *got < PIECE ? size - *got : PIECE;
    const ssize_t r = pread(fd, to + *got, want, at + (int64_t)*got);
    if (r < 0 && errno == EINTR) continue;
    if (r < 0) return errno;
    if (r == 0) break;
    *got += (size_t)r;
    pel_alive();
  }
  return 0;
}

int pel__pread(int fd, void *to, size_t size, int64_t at) {
  size_t got;
  const int err = read_some(fd, to, size, at, &got);
  return err ? err : got < size ? ENODATA : 0;
}

int pel__pread_zeros(int fd, void *to, size_t size, int64_t at) {
  size_t got;
  const int err = read_some(fd, to, size, at, &got);
  memset((char *)to + got, 0, size - got);
  return err;
}

int pel__pwrite(int fd, const void *from, size_t size, int64_t at) {
  for (size_t done = 0; done < size;) {
    const size_t want = size - done < PIECE ? size - done : PIECE;
    const ssize_t w = pwrite(fd, (const char *)from + done, want, at + (int64_t)done);
    if (w < 0 && errno == EINTR) continue;
    if (w < 0) return errno;
    if (w == 0) return EIO;
    done += (size_t)w;
    pel_alive();
  }
  return 0;
}

int pel__pwritev(int fd, struct iovec *v, int n, int64_t at) {
  while (n > 0) {
    ssize_t w = pwritev(fd, v, n, at);
    if (w < 0 && errno == EINTR) continue;
    if (w < 0) return errno;
    if (w == 0) return EIO;
    pel_alive();
    at += w;
    while (n > 0 && (size_t)w >= v->iov_len) {
      w -= (ssize_t)v->iov_len;
      ++v, --n;
    }
    if (n > 0) {
      v->iov_base = (char *)v->iov_base + w;
      v->iov_len -= (size_t)w;
    }
  }
  return 0;
}

int pel__reserve(int fd, int64_t old, int64_t size) {
  int r;
  if (size > old) {
    do r = fallocate(fd, 0, old, size - old);
    while (r && errno == EINTR);
    if (r && errno != EOPNOTSUPP && errno != ENOSYS) return errno;
  }
  return ftruncate(fd, size) ? errno : 0;
}

bool pel__is_damage(int err) {
  static const int own[] = {0, EIO, ENODATA, EACCES, EPERM, EISDIR, ELOOP, ENOENT, ENXIO, EINVAL};
  for (int i = 0; i < PEL_N(own); ++i)
    if (err == own[i]) return true;
  return false;
}

int pel__close(int fd) { return fd >= 0 && close(fd) && errno != EINTR ? errno : 0; }

/* Directory part of path, "." if there is none. */
static void directory_of(const char *path, char dir[PATH_MAX]) {
  const char *slash = strrchr(path, '/');
  const int n = slash ? (int)(slash - path) : 0;
  snprintf(dir, PATH_MAX, "%.*s", slash ? (n ? n : 1) : 1, slash ? path : ".");
}

int pel__sync_directory_of(const char *path) {
  char dir[PATH_MAX];
  directory_of(path, dir);
  const int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return errno;
  const int err = fsync(fd) && errno != EINVAL ? errno : 0; /* EINVAL: nothing to sync here */
  const int err2 = pel__close(fd);
  return err ? err : err2;
}

void pel__ignore_sigxfsz(void) {
  struct sigaction now;
  if (sigaction(SIGXFSZ, NULL, &now) == 0 && now.sa_handler == SIG_DFL) signal(SIGXFSZ, SIG_IGN);
}

int pel__io_error(pel_error *e, const char *what, const char *path, int err, int64_t wanted) {
  char dir[PATH_MAX];
  struct statvfs v;
  directory_of(path, dir);
  if (err == ENOSPC && wanted > 0 && statvfs(dir, &v) == 0)
    return pel_error_set(e, PEL_IO, "cannot %s %s: the disk is full (%.6g MB needed, %.6g MB free)",
                         what, path, (double)wanted * 1e-6,
                         (double)v.f_bavail * (double)v.f_frsize * 1e-6);
  if (err == ENODATA)
    return pel_error_set(e, PEL_IO, "cannot %s %s: the file is cut short", what, path);
  return pel_error_set(e, PEL_IO, "cannot %s %s: %s", what, path,
                       err == EFBIG    ? "larger than the limit for files (see ulimit -f)"
                       : err == EDQUOT ? "the disk quota is used up"
                       : err == ENOSPC ? "the disk is full"
                                       : strerror(err));
}
