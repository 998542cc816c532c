/* diagnostics.csv: one row an interval, written whole or not at all, no step twice. */
#define _GNU_SOURCE /* asprintf */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "journal_parts.h"

static const char file_name[] = "diagnostics.csv";

static char *header(int n, const char *const *names) {
  char *text = NULL;
  size_t size;
  FILE *f = open_memstream(&text, &size);
  if (!f) return NULL;
  fputs("step,time,dt", f);
  for (int i = 0; i < n; ++i) fprintf(f, ",%s", names[i]);
  fputc('\n', f);
  const bool good = !ferror(f);
  if (fclose(f) == 0 && good) return text;
  free(text);
  return NULL;
}

/* Finds where the rows up to `step` end.  False if the file starts with another header.  A row that
 * is not whole (the machine went down while it was written) ends the good part too. */
static bool scan(FILE *f, const char *head, int64_t step, pel__csv *c) {
  char *line = NULL;
  size_t room = 0;
  ssize_t n = getline(&line, &room, f);
  const bool same = n > 0 && strcmp(line, head) == 0;
  if (same) c->size = n;
  while (same && (n = getline(&line, &room, f)) > 0) {
    char *end;
    const int64_t at = strtoll(line, &end, 10);
    int commas = 0;
    for (const char *p = line; *p; ++p) commas += *p == ',';
    if (end == line || *end != ',' || line[n - 1] != '\n' || strlen(line) != (size_t)n ||
        commas != c->n + 2 || at > step || at <= c->last)
      break;
    c->size += n;
    c->last = at;
  }
  free(line);
  return same;
}

static int put(pel__csv *c, const char *text, size_t n) {
  for (size_t done = 0; done < n;) {
    const ssize_t m = pwrite(c->fd, text + done, n - done, c->size + (off_t)done);
    if (m < 0 && errno == EINTR) continue;
    if (m < 0) {
      const int code = errno;
      const int ignored = ftruncate(c->fd, c->size); /* no half row is ever left behind */
      (void)ignored;
      return code;
    }
    done += (size_t)m;
  }
  c->size += (off_t)n;
  return 0;
}

/* Looks at what an earlier invocation left; a file with other columns is kept under another name.
 */
static int look_back(pel__csv *c, const char *path, const char *dir, const char *head, int64_t step,
                     char aside[64]) {
  FILE *f = fopen(path, "re");
  if (!f) return errno == ENOENT ? 0 : errno;
  errno = 0;
  const bool same = scan(f, head, step, c);
  const int err = ferror(f) ? (errno ? errno : EIO) : 0; /* rows that cannot be read are not cut */
  fclose(f);
  if (same || err) return err;
  snprintf(aside, 64, "diagnostics.before_step_%" PRId64 ".csv", step);
  char *other = pel__path(dir, aside);
  const int code = !other ? ENOMEM : rename(path, other) ? errno : 0;
  free(other);
  return code;
}

int pel__csv_open(pel__csv *c, const char *dir, int n, const char *const *names, bool resume,
                  int64_t step, char aside[64], pel_error *e) {
  char *path = pel__path(dir, file_name), *head = header(n, names);
  *c = (pel__csv){.fd = -1, .n = n, .last = INT64_MIN};
  aside[0] = 0;
  int code = path && head ? 0 : ENOMEM;
  if (!code && resume) code = look_back(c, path, dir, head, step, aside);
  if (!code && (c->fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666)) < 0) code = errno;
  if (!code && ftruncate(c->fd, c->size)) code = errno;
  if (!code && !c->size) code = put(c, head, strlen(head));
  free(head);
  c->path = path;
  if (!code) return PEL_OK;
  pel__csv_close(c);
  return pel_error_set(e, PEL_IO, "%s/%s cannot be written: %s", dir, file_name, strerror(code));
}

/* Rows written to a file that someone has removed or replaced are lost. */
static int still_there(const pel__csv *c) {
  struct stat named, open;
  if (stat(c->path, &named) || fstat(c->fd, &open)) return errno;
  return named.st_ino == open.st_ino && named.st_dev == open.st_dev ? 0 : ENOENT;
}

int pel__csv_row(pel__csv *c, int64_t step, double time, double dt, const double *x) {
  if (step <= c->last) return 0;
  if (c->fd < 0) return ++c->lost, 0; /* that it could not be opened was told */
  const size_t room = 32 * ((size_t)c->n + 3);
  char *text = malloc(room);
  if (!text) return ++c->lost, ENOMEM;
  size_t n = (size_t)snprintf(text, room, "%" PRId64 ",%.12g,%.12g", step, time, dt);
  for (int i = 0; i < c->n; ++i) n += (size_t)snprintf(text + n, room - n, ",%.17g", x[i]);
  text[n++] = '\n';
  int code = still_there(c);
  if (!code) code = put(c, text, n);
  free(text);
  if (code)
    ++c->lost;
  else
    c->last = step;
  return code;
}

int pel__csv_sync(pel__csv *c) {
  if (c->fd < 0) return 0;
  int code = still_there(c);
  if (!code && fsync(c->fd) && errno != EINVAL) code = errno;
  if (code && !c->lost) c->lost = 1;
  return code;
}

void pel__csv_close(pel__csv *c) {
  if (c->fd >= 0) close(c->fd);
  free(c->path);
  c->path = NULL;
  c->fd = -1;
}
