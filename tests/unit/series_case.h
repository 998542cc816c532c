/* For the tests of files that grow record by record: opening, closing, verifying; a writer that
 * ends before any one of its writes; a disk that is full. */
#ifndef PEL_SERIES_CASE_H
#define PEL_SERIES_CASE_H

#include "../io/fixture.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static const pel_io *const io = &pel_io_hdf5;

/* The library's pwrite comes here, so that a child can end before any page of its calls, as one
 * that is killed does. */
static long pwrites_left = -1;
ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at) {
  enum { PAGE = 4096 };
  if (pwrites_left < 0) return syscall(SYS_pwrite64, fd, bytes, n, at);
  for (size_t done = 0; done < n;) {
    const size_t to_end = (size_t)(PAGE - (at + (off_t)done) % PAGE),
                 want = n - done < to_end ? n - done : to_end;
    if (pwrites_left-- == 0) _exit(3);
    if (syscall(SYS_pwrite64, fd, (const char *)bytes + done, want, at + (off_t)done) < 0)
      return -1;
    done += want;
  }
  return (ssize_t)n;
}

static inline pel_series *open_or_fail(const pel_snapshot *s, const char *path, bool append,
                                       bool single) {
  pel_error e = {0};
  pel_series *x = io->series_open(s, path, append, single, &e);
  CHECK(x, "got '%s', want an open file", e.text);
  return x;
}

static inline void close_or_fail(pel_series *x) {
  pel_error e = {0};
  CHECK(io->series_close(x, &e) == PEL_OK, "got '%s', want success", e.text);
}

/* What verify says, which must end with this code. */
static inline char *verified(const char *path, int want) {
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  const int got = pel_io_verify(out, path);
  fclose(out);
  CHECK(got == want, "got code %d, want %d; it said '%s'", got, want, text);
  return text;
}

static inline off_t size_of(const char *path) {
  struct stat st;
  MPI_Barrier(MPI_COMM_WORLD);
  CHECK(!stat(path, &st), "%s: %s", path, strerror(errno));
  MPI_Barrier(MPI_COMM_WORLD);
  return st.st_size;
}

/* The file cannot grow by more than this: it must stay as it is. */
static inline void append_on_full_disk(pel_series *x, const pel_snapshot *s, const char *path,
                                       int more) {
  const off_t size = size_of(path);
  struct rlimit was;
  pel_error e = {0};
  getrlimit(RLIMIT_FSIZE, &was);
  const struct rlimit small = {(rlim_t)(size + more), was.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  const int code = io->series_append(x, s, &e);
  setrlimit(RLIMIT_FSIZE, &was);
  CHECK_EQUAL(code, PEL_IO);
  CHECK_SAYS(e, "cannot add a record to");
  CHECK_EQUAL(size_of(path), size);
}

#endif
