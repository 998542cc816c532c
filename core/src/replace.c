/* Small files replaced whole or not at all, and, with a reserve, even when the disk is full. */
#define _GNU_SOURCE /* asprintf */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "journal_parts.h"

char *pel__path(const char *dir, const char *name) {
  char *path = NULL;
  return asprintf(&path, "%s/%s", dir, name) < 0 ? NULL : path;
}

/* "dir/.name.suffix", malloced. */
static char *beside(const char *dir, const char *name, const char *suffix) {
  char *path = NULL;
  return asprintf(&path, "%s/.%s.%s", dir, name, suffix) < 0 ? NULL : path;
}

int pel__write_all(int fd, const char *text, size_t n) {
  while (n > 0) {
    const ssize_t m = write(fd, text, n);
    if (m < 0 && errno == EINTR) continue;
    if (m < 0) return errno;
    text += m;
    n -= (size_t)m;
  }
  return 0;
}

static int sync_directory(const char *dir) {
  const int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return errno;
  /* Some file systems cannot sync a directory (EINVAL); the rename is then as safe as it gets. */
  const int code = fsync(fd) && errno != EINVAL ? errno : 0;
  close(fd);
  return code;
}

/* The text goes over what `from` holds, in the space that it has, and `from` becomes `path`. */
static int fill_and_rename(const char *from, int how, const char *path, const char *text,
                           bool durable) {
  const size_t n = strlen(text);
  const int fd = open(from, O_WRONLY | O_CLOEXEC | how, 0666);
  if (fd < 0) return errno;
  int code = pel__write_all(fd, text, n);
  if (!code && ftruncate(fd, (off_t)n)) code = errno;
  if (!code && durable && fsync(fd)) code = errno;
  if (close(fd) && !code) code = errno;
  if (!code && rename(from, path)) code = errno;
  return code;
}

int pel__replace_file(const char *dir, const char *name, const char *text, bool durable) {
  char *path = pel__path(dir, name), *temporary = beside(dir, name, "tmp");
  int code = path && temporary ? fill_and_rename(temporary, O_CREAT | O_TRUNC, path, text, durable)
                               : ENOMEM;
  if (code && temporary) unlink(temporary);
  if (!code && durable) code = sync_directory(dir);
  free(path);
  free(temporary);
  return code;
}

int pel__reserve_file(const char *dir, const char *name, size_t bytes) {
  char *reserve = beside(dir, name, "reserve"), *blanks = malloc(bytes);
  const int fd =
      reserve && blanks ? open(reserve, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666) : -1;
  int code = fd < 0 ? errno : 0;
  /* Written, not only allocated: turning allocated blocks into data may need room for metadata. */
  if (blanks) memset(blanks, ' ', bytes);
  if (!code) code = pel__write_all(fd, blanks, bytes);
  if (fd >= 0 && close(fd) && !code) code = errno;
  if (code && fd >= 0) unlink(reserve);
  free(blanks);
  free(reserve);
  return code;
}

int pel__replace_reserved(const char *dir, const char *name, const char *text, bool durable) {
  char *path = pel__path(dir, name), *reserve = beside(dir, name, "reserve");
  int code = pel__replace_file(dir, name, text, durable);
  if (code && path && reserve && fill_and_rename(reserve, 0, path, text, durable) == 0)
    code = durable ? sync_directory(dir) : 0;
  if (reserve) unlink(reserve);
  free(path);
  free(reserve);
  return code;
}
