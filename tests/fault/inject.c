/* Failures on purpose: the n-th call that could fail, fails.
 *
 * pelsim_faults is pelsim linked with --wrap=NAME for every name of calls.h (wrap.cmake): what
 * pelsim itself calls goes through here, what libraries call among themselves does not.
 *
 *   PELSIM_FAULT=KIND:N[+][@RANK]   the N-th call of that kind fails ("+": and all later ones);
 * with
 *                                   @RANK on that rank of those that mpirun started, without it in
 *                                   the process that was started by hand: the only one, or the
 *                                   starter of mpirun.  KIND "any" counts all but "short".
 *   PELSIM_FAULT=trace              nothing fails, but the log gets a line for each call.
 *   PELSIM_FAULT_LOG=FILE           each process adds a line for a call that was made to fail and
 * at its end one with the number of calls of each kind.  A line of a call names it, and where in
 * the program it was, innermost first: addr2line -e pelsim.
 *
 * A call that fails does nothing, or half of what was asked (short), and returns what it would
 * return; one that gives something back (close, free of MPI objects) does so and then says that it
 * failed, as the real ones do.  MPI is really called, with something invalid, so that its own error
 * handler runs. */
#include <dirent.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <ftw.h>
#include <mpi.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

typedef int visitor(const char *, const struct stat *, int, struct FTW *); /* of nftw */

enum kind { OPEN, READ, WRITE, SYNC, NAME, SYSTEM, MEMORY, MPI, SHORT, ANY, NKINDS };
static const char *const kinds[NKINDS] = {"open",   "read",   "write", "sync",  "name",
                                          "system", "memory", "mpi",   "short", "any"};

static struct {
  enum kind kind;
  long n; /* 0: nothing is to fail */
  bool lasting, trace;
  const char *log;
  char who[16];
} plan;

static atomic_long count[NKINDS];

/* ---- the real calls ---- */

int __real_open(const char *path, int how, ...);
ssize_t __real_write(int fd, const void *from, size_t size);
int __real_close(int fd);
extern char __executable_start, etext; /* of the linker */

static void note(const char *text, int length) {
  const int fd =
      plan.log ? __real_open(plan.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;
  if (fd < 0) return;
  if (__real_write(fd, text, (size_t)length) != length) _exit(99);
  __real_close(fd);
}

static void __attribute__((destructor)) report(void) {
  char text[400];
  int n = snprintf(text, sizeof text, "%s", plan.who);
  for (int k = 0; k < NKINDS; ++k)
    n += snprintf(text + n, sizeof text - (size_t)n, " %s=%ld", kinds[k], atomic_load(&count[k]));
  text[n++] = '\n';
  note(text, n);
}

static void __attribute__((constructor)) read_plan(void) {
  const char *rank = getenv("OMPI_COMM_WORLD_RANK"), *text = getenv("PELSIM_FAULT");
  snprintf(plan.who, sizeof plan.who, "%.15s", rank ? rank : "-");
  plan.log = getenv("PELSIM_FAULT_LOG");
  if (!text || !*text) return;
  plan.trace = strcmp(text, "trace") == 0;
  if (plan.trace) return;
  char kind[16] = "", who[16] = "-", plus[2] = "";
  long n = 0;
  if (sscanf(text, "%15[a-z]:%ld%1[+]@%15s", kind, &n, plus, who) < 3)
    sscanf(text, "%15[a-z]:%ld@%15s", kind, &n, who);
  enum kind k = 0;
  while (k < NKINDS && strcmp(kinds[k], kind)) ++k;
  if (k == NKINDS || n < 1) {
    fprintf(stderr, "pelsim: PELSIM_FAULT=%s: want KIND:N[+][@RANK], KIND one of", text);
    for (k = 0; k < NKINDS; ++k) fprintf(stderr, " %s", kinds[k]);
    fprintf(stderr, "\n");
    _exit(2);
  }
  plan.kind = k, plan.lasting = *plus;
  plan.n = strcmp(who, plan.who) ? 0 : n;
}

static void tell_call(enum kind kind, long n, const char *name) {
  enum { DEEP = 12 };
  void *frame[DEEP];
  char text[400];
  const int frames = backtrace(frame, DEEP);
  int length = snprintf(text, sizeof text, "%s %s %s:%ld %s", plan.trace ? "call" : "failed",
                        plan.who, kinds[kind], n, name);
  for (int i = 2; i < frames; ++i) { /* 0: this function, 1: the call's stand-in */
    const char *at = frame[i];
    if (at > &__executable_start && at < &etext)
      length += snprintf(text + length, sizeof text - (size_t)length, " 0x%lx",
                         (unsigned long)(at - &__executable_start) - 1);
  }
  text[length++] = '\n';
  note(text, length);
}

/* Whether this call is the one. */
static __attribute__((always_inline)) inline bool due(enum kind kind, const char *name) {
  const long n = atomic_fetch_add(&count[kind], 1) + 1,
             all = kind == SHORT ? 0 : atomic_fetch_add(&count[ANY], 1) + 1;
  const long mine = plan.kind == kind ? n : plan.kind == ANY ? all : 0;
  if (plan.trace) tell_call(kind, n, name);
  if (!plan.n || (plan.lasting ? mine < plan.n : mine != plan.n)) return false;
  if (mine == plan.n) tell_call(plan.kind, mine, name);
  return true;
}

#define DUE(kind, name) due(kind, #name)

/* ---- calls that follow a pattern ---- */

/* CALL(kind, errno, type, value of failure, name, parameters, arguments) */
#define CALL(kind, error, type, failed, name, parameters, arguments) \
  type __real_##name parameters;                                     \
  type __wrap_##name parameters;                                     \
  type __wrap_##name parameters {                                    \
    if (!DUE(kind, name)) return __real_##name arguments;            \
    errno = error;                                                   \
    return failed;                                                   \
  }
/* ENDS: what is given back is gone even if the call fails. */
#define ENDS(kind, error, type, failed, name, parameters, arguments) \
  type __real_##name parameters;                                     \
  type __wrap_##name parameters;                                     \
  type __wrap_##name parameters {                                    \
    const type done = __real_##name arguments;                       \
    if (!DUE(kind, name)) return done;                               \
    errno = error;                                                   \
    return failed;                                                   \
  }
/* PART: may also do a half of its work. */
#define PART(kind, error, name, parameters, arguments, half)  \
  ssize_t __real_##name parameters;                           \
  ssize_t __wrap_##name parameters;                           \
  ssize_t __wrap_##name parameters {                          \
    if (n > 1 && DUE(SHORT, name)) return __real_##name half; \
    if (!DUE(kind, name)) return __real_##name arguments;     \
    errno = error;                                            \
    return -1;                                                \
  }
/* MESSAGE: MPI with arguments of which one is invalid. */
#define MESSAGE(name, parameters, arguments, invalid) \
  int __real_##name parameters;                       \
  int __wrap_##name parameters;                       \
  int __wrap_##name parameters {                      \
    if (DUE(MPI, name)) return __real_##name invalid; \
    return __real_##name arguments;                   \
  }
/* OTHER: written below. */
#define OTHER(name)

#include "calls.h"

/* ---- those that do not ---- */

int __wrap_open(const char *path, int how, ...);
int __wrap_open(const char *path, int how, ...) {
  va_list a;
  va_start(a, how);
  const int mode = how & O_CREAT ? va_arg(a, int) : 0;
  va_end(a);
  if (!DUE(OPEN, open)) return __real_open(path, how, mode);
  errno = how & O_CREAT ? ENOSPC : EIO;
  return -1;
}

/* A text stream that fails: glibc's marks it; ours must too, since callers ask ferror(). */
static void spoil(FILE *f) { f->_flags |= _IO_ERR_SEEN; }

size_t __real_fread(void *to, size_t size, size_t n, FILE *f);
size_t __wrap_fread(void *to, size_t size, size_t n, FILE *f);
size_t __wrap_fread(void *to, size_t size, size_t n, FILE *f) {
  if (!DUE(READ, fread)) return __real_fread(to, size, n, f);
  spoil(f);
  errno = EIO;
  return 0;
}

size_t __real_fwrite(const void *from, size_t size, size_t n, FILE *f);
size_t __wrap_fwrite(const void *from, size_t size, size_t n, FILE *f);
size_t __wrap_fwrite(const void *from, size_t size, size_t n, FILE *f) {
  if (f == stderr || f == stdout || !DUE(WRITE, fwrite)) return __real_fwrite(from, size, n, f);
  spoil(f);
  errno = ENOSPC;
  return 0;
}

ssize_t __real___getdelim(char **line, size_t *room, int end, FILE *f);
ssize_t __wrap___getdelim(char **line, size_t *room, int end, FILE *f);
ssize_t __wrap___getdelim(char **line, size_t *room, int end, FILE *f) {
  if (!DUE(READ, getline)) return __real___getdelim(line, room, end, f);
  spoil(f);
  errno = EIO;
  return -1;
}

ssize_t __real_getline(char **line, size_t *room, FILE *f);
ssize_t __wrap_getline(char **line, size_t *room, FILE *f);
ssize_t __wrap_getline(char **line, size_t *room, FILE *f) {
  if (!DUE(READ, getline)) return __real_getline(line, room, f);
  spoil(f);
  errno = EIO;
  return -1;
}

char *__real_fgets(char *to, int n, FILE *f);
char *__wrap_fgets(char *to, int n, FILE *f);
char *__wrap_fgets(char *to, int n, FILE *f) {
  if (!DUE(READ, fgets)) return __real_fgets(to, n, f);
  spoil(f);
  errno = EIO;
  return NULL;
}

int __real_fflush(FILE *f);
int __wrap_fflush(FILE *f);
int __wrap_fflush(FILE *f) {
  if (!f || f == stdout || f == stderr || !DUE(WRITE, fflush)) return __real_fflush(f);
  spoil(f);
  errno = ENOSPC;
  return EOF;
}

int __real_vasprintf(char **to, const char *fmt, va_list a);
int __wrap_vasprintf(char **to, const char *fmt, va_list a);
int __wrap_vasprintf(char **to, const char *fmt, va_list a) {
  if (!DUE(MEMORY, vasprintf)) return __real_vasprintf(to, fmt, a);
  errno = ENOMEM;
  return -1; /* and *to is undefined: it stays what it was */
}

int __wrap_asprintf(char **to, const char *fmt, ...);
int __wrap_asprintf(char **to, const char *fmt, ...) {
  if (DUE(MEMORY, asprintf)) {
    errno = ENOMEM;
    return -1;
  }
  va_list a;
  va_start(a, fmt);
  const int n = __real_vasprintf(to, fmt, a);
  va_end(a);
  return n;
}

ssize_t __real_pwritev(int fd, const struct iovec *v, int n, off_t at);
ssize_t __wrap_pwritev(int fd, const struct iovec *v, int n, off_t at);
ssize_t __wrap_pwritev(int fd, const struct iovec *v, int n, off_t at) {
  if (v->iov_len > 1 && DUE(SHORT, pwritev)) {
    const struct iovec half = {v->iov_base, v->iov_len / 2};
    return __real_pwritev(fd, &half, 1, at);
  }
  if (!DUE(WRITE, pwritev)) return __real_pwritev(fd, v, n, at);
  errno = ENOSPC;
  return -1;
}

/* Neither can be called wrongly: they fail without having done anything. */
int __real_MPI_Init_thread(int *argc, char ***argv, int want, int *got);
int __wrap_MPI_Init_thread(int *argc, char ***argv, int want, int *got);
int __wrap_MPI_Init_thread(int *argc, char ***argv, int want, int *got) {
  return DUE(MPI, MPI_Init_thread) ? MPI_ERR_OTHER : __real_MPI_Init_thread(argc, argv, want, got);
}

int __real_MPI_Finalize(void);
int __wrap_MPI_Finalize(void);
int __wrap_MPI_Finalize(void) {
  return DUE(MPI, MPI_Finalize) ? MPI_ERR_OTHER : __real_MPI_Finalize();
}
