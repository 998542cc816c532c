/* A disk that is slow, full, failing or lying, for one rank or for all: to be preloaded.
 *
 * BAD_DISK holds rules apart by ';', each of words NAME=VALUE apart by spaces:
 *
 *   path   only files whose path holds this text (needed)
 *   call   only these: open (for writing), pwrite (and pwritev, write), fallocate, ftruncate,
 *          fsync, rename, unlink, mkdir; several apart by ','; without it all
 *   rank   only this rank of the job
 *   from   from this call on that fits, counted from 1 on each rank
 *   only   only at this call
 *   when   only while this file exists
 *   mark   a file that is made when it happens
 *   does   sleep:SECONDS | error:ERRNO | limit:BYTES (of a file, from now on) |
 *          flip (a bit of what is written) | drop (says that it has written) |
 *          kill (this process, half the bytes written) */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static _Thread_local int error; /* of the call that fails */

typedef enum { NOTHING, SLEEP, ERROR, LIMIT, FLIP, DROP, KILL } act;

typedef struct {
  char path[256], call[100], when[PATH_MAX], mark[PATH_MAX];
  long rank, from, only;
  act does;
  double value;
  atomic_long met;
} rule;
static rule rules[4];
static int nrules;

static void read_word(rule *r, char *name, const char *value) {
  static const char *const acts[] = {"", "sleep", "error", "limit", "flip", "drop", "kill"};
  const struct {
    const char *name;
    char *text;
    size_t size;
    long *number;
  } to[] = {{"path", r->path, sizeof r->path, NULL},
            {"call", r->call, sizeof r->call, NULL},
            {"when", r->when, sizeof r->when, NULL},
            {"mark", r->mark, sizeof r->mark, NULL},
            {"rank", NULL, 0, &r->rank},
            {"from", NULL, 0, &r->from},
            {"only", NULL, 0, &r->only}};
  for (size_t i = 0; i < sizeof to / sizeof *to; ++i) {
    if (strcmp(name, to[i].name)) continue;
    if (to[i].number)
      *to[i].number = atol(value);
    else
      snprintf(to[i].text, to[i].size, "%s", value);
    return;
  }
  const char *colon = strchr(value, ':');
  for (int i = 1; i <= KILL && !strcmp(name, "does"); ++i)
    if (!strncmp(value, acts[i], strlen(acts[i]))) r->does = (act)i;
  r->value = colon ? atof(colon + 1) : 0;
  if (r->does == NOTHING) abort(); /* a word that nobody knows */
}

static void learn(void) __attribute__((constructor));

static void learn(void) {
  static char text[4 * PATH_MAX];
  const char *given = getenv("BAD_DISK"), *rank = getenv("OMPI_COMM_WORLD_RANK");
  char *next_rule, *next_word;
  snprintf(text, sizeof text, "%s", given ? given : "");
  for (char *one = strtok_r(text, ";", &next_rule); one && nrules < 4;
       one = strtok_r(NULL, ";", &next_rule)) {
    rule *r = &rules[nrules];
    r->rank = -1;
    for (char *w = strtok_r(one, " ", &next_word); w; w = strtok_r(NULL, " ", &next_word)) {
      char *value = strchr(w, '=');
      if (!value) abort();
      *value = 0;
      read_word(r, w, value + 1);
    }
    if (r->rank < 0 || r->rank == atol(rank ? rank : "0")) ++nrules;
  }
}

static bool applies(rule *r, const char *call, const char *path) {
  struct stat st;
  if (!strstr(path, r->path) || (*r->call && !strstr(r->call, call))) return false;
  if (*r->when && stat(r->when, &st)) return false;
  const long n = atomic_fetch_add(&r->met, 1) + 1;
  return r->only ? n == r->only : n >= r->from;
}

/* What happens to this call; sleeps and limits are done here. */
static act strike(const char *call, const char *path) {
  act all = NOTHING;
  for (rule *r = rules; r < rules + nrules; ++r) {
    if (!applies(r, call, path)) continue;
    if (*r->mark) {
      const int fd = (int)syscall(SYS_open, r->mark, O_WRONLY | O_CREAT, 0644);
      if (fd >= 0) syscall(SYS_close, fd);
    }
    if (r->does == SLEEP) {
      const time_t whole = (time_t)r->value;
      struct timespec t = {whole, (long)((r->value - (double)whole) * 1e9)};
      while (nanosleep(&t, &t)) {
      }
    } else if (r->does == LIMIT) {
      setrlimit(RLIMIT_FSIZE, &(struct rlimit){(rlim_t)r->value, (rlim_t)r->value});
    } else {
      all = r->does;
      error = (int)r->value;
    }
  }
  return all;
}

static act strike_fd(const char *call, int fd) {
  char link[40], path[PATH_MAX] = "";
  if (!nrules) return NOTHING;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  if (readlink(link, path, sizeof path - 1) < 0) return NOTHING;
  return strike(call, path);
}

/* True: the call fails. */
static bool failed(act a) {
  if (a == KILL) kill(getpid(), SIGKILL);
  if (a != ERROR) return false;
  errno = error;
  return true;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t pwritev(int fd, const struct iovec *v, int n, off_t at) {
  const act a = strike_fd("pwrite", fd);
  ssize_t size = 0, done = 0;
  if (a == NOTHING) return REAL(pwritev)(fd, v, n, at);
  if (a == ERROR) return failed(a), -1;
  for (int i = 0; i < n; ++i) size += (ssize_t)v[i].iov_len;
  char *all = malloc((size_t)size + 1);
  for (int i = 0; i < n; done += (ssize_t)v[i++].iov_len)
    memcpy(all + done, v[i].iov_base, v[i].iov_len);
  if (a == FLIP) all[size / 2] ^= 4;
  if (a == KILL) size /= 2;
  if (a != DROP) done = syscall(SYS_pwrite64, fd, all, (size_t)size, at);
  free(all);
  failed(a);
  return done;
}

ssize_t pwrite(int fd, const void *from, size_t n, off_t at) {
  const struct iovec v = {(void *)from, n};
  return pwritev(fd, &v, 1, at);
}

ssize_t write(int fd, const void *from, size_t n) {
  const act a = strike_fd("pwrite", fd);
  return failed(a) ? -1 : syscall(SYS_write, fd, from, n);
}

int fallocate(int fd, int mode, off_t at, off_t n) {
  return failed(strike_fd("fallocate", fd)) ? -1 : REAL(fallocate)(fd, mode, at, n);
}

int ftruncate(int fd, off_t n) {
  return failed(strike_fd("ftruncate", fd)) ? -1 : REAL(ftruncate)(fd, n);
}

int fsync(int fd) { return failed(strike_fd("fsync", fd)) ? -1 : REAL(fsync)(fd); }

int rename(const char *from, const char *to) {
  return failed(strike("rename", to)) ? -1 : REAL(rename)(from, to);
}

int unlink(const char *path) { return failed(strike("unlink", path)) ? -1 : REAL(unlink)(path); }

int mkdir(const char *path, mode_t mode) {
  return failed(strike("mkdir", path)) ? -1 : REAL(mkdir)(path, mode);
}

int open(const char *path, int how, ...) {
  va_list args;
  va_start(args, how);
  const mode_t mode = how & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
  va_end(args);
  if ((how & O_ACCMODE) != O_RDONLY && failed(strike("open", path))) return -1;
  return (int)syscall(SYS_openat, AT_FDCWD, path, how, mode);
}
