/* What this process has started, and what is left of it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "launch.h"

double cli_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- /proc ---- */

/* Of a process: its state's letter and its parent.  0: it is gone. */
static char look(pid_t pid, pid_t *parent) {
  char path[64], text[512] = "", state = 0;
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  FILE *f = fopen(path, "r");
  if (!f) return 0;
  text[fread(text, 1, sizeof text - 1, f)] = 0;
  fclose(f);
  int p = 0;
  const char *name_end = strrchr(text, ')'); /* the name before may hold anything */
  if (!name_end || sscanf(name_end, ") %c %d", &state, &p) != 2) return 0;
  *parent = (pid_t)p;
  return state;
}

void cli_wake(pid_t pid) {
  pid_t parent;
  const char state = look(pid, &parent);
  if (state == 'T' || state == 't') kill(pid, SIGCONT);
}

/* Calls visit for every process until it returns true; false: they cannot be listed now. */
static bool each_process(bool (*visit)(pid_t pid, void *ctx), void *ctx) {
  bool done = false;
  DIR *d = opendir("/proc");
  if (!d) return false;
  for (const struct dirent *e; !done && (e = readdir(d));)
    if (e->d_name[0] >= '1' && e->d_name[0] <= '9') done = visit((pid_t)atoi(e->d_name), ctx);
  closedir(d);
  return true;
}

static bool kill_child(pid_t pid, void *found) {
  pid_t parent = 0;
  if (look(pid, &parent) && parent == getpid()) {
    kill(pid, SIGKILL);
    ++*(int *)found;
  }
  return false;
}

void cli_kill_leftovers(void) {
  enum { ROUNDS = 100, PAUSE_US = 20000 };
  for (int round = 0, found = 1; round < ROUNDS && found; ++round) {
    while (waitpid(-1, NULL, WNOHANG) > 0) {
    }
    found = 0;
    if (!each_process(kill_child, &found)) found = 1; /* try again */
    if (found) usleep(PAUSE_US);
  }
}

typedef struct {
  char rank[48], job[200]; /* as they stand in the environment of a process */
  pid_t pid;
} wanted;

static bool has(const char *environment, size_t size, const char *entry) {
  for (size_t i = 0; i < size; i += strlen(environment + i) + 1)
    if (strcmp(environment + i, entry) == 0) return true;
  return false;
}

static bool is_wanted(pid_t pid, void *ctx) {
  static char environment[1 << 18];
  wanted *w = ctx;
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const ssize_t n = read(fd, environment, sizeof environment - 1);
  close(fd);
  if (n <= 0) return false;
  environment[n] = 0;
  if (!has(environment, (size_t)n, w->rank) || !has(environment, (size_t)n, w->job)) return false;
  w->pid = pid;
  return true;
}

char cli_rank_state(int rank, pid_t *pid) {
  wanted w = {.pid = 0};
  pid_t parent;
  const char *status = getenv(CLI_STATUS);
  snprintf(w.rank, sizeof w.rank, "OMPI_COMM_WORLD_RANK=%d", rank);
  snprintf(w.job, sizeof w.job, CLI_STATUS "=%s", status ? status : "");
  each_process(is_wanted, &w);
  *pid = w.pid;
  return w.pid ? look(w.pid, &parent) : 0;
}

/* ---- files of a job ---- */

static const char *const places[] = {"/dev/shm", "/tmp"};
static const char prefix[] = "pelsim_job_", report[] = "status";

static int remove_one(const char *path, const struct stat *s, int kind, struct FTW *at) {
  (void)s, (void)kind, (void)at;
  (void)remove(path); /* what stays is swept by a later run */
  return 0;
}

static void remove_tree(const char *path) {
  (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* Whether its starter has let go of the lock on its file, or died before it made that. */
static bool is_left(const char *path) {
  enum { MAKING_S = 60 };
  char file[500];
  struct stat s;
  if (lstat(path, &s) || !S_ISDIR(s.st_mode) || s.st_uid != getuid()) return false;
  snprintf(file, sizeof file, "%s/%s", path, report);
  const int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return errno == ENOENT && time(NULL) > s.st_mtime + MAKING_S;
  const bool left = flock(fd, LOCK_EX | LOCK_NB) == 0;
  close(fd);
  return left;
}

/* A process id would not do: the starter may live in a container beside this one. */
static void sweep(const char *place) {
  DIR *d = opendir(place);
  for (const struct dirent *e; d && (e = readdir(d));) {
    char path[400];
    snprintf(path, sizeof path, "%s/%s", place, e->d_name);
    if (!strncmp(e->d_name, prefix, sizeof prefix - 1) && is_left(path)) remove_tree(path);
  }
  if (d) closedir(d);
}

int cli_scratch_make(cli_scratch *s) {
  bool made = false;
  for (int i = 0; i < PEL_N(places) && !made; ++i) {
    sweep(places[i]);
    snprintf(s->path, sizeof s->path, "%s/%s%d_XXXXXX", places[i], prefix, (int)getpid());
    made = mkdtemp(s->path) != NULL;
  }
  if (!made)
    return cli_complain(PEL_IO, "cannot make a directory in %s for the ranks' reports: %s",
                        places[1], strerror(errno));
  snprintf(s->status, sizeof s->status, "%s/%s", s->path, report);
  s->lock = open(s->status, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (s->lock >= 0) {
    (void)flock(s->lock, LOCK_EX | LOCK_NB);
    return PEL_OK;
  }
  const int why = errno;
  remove_tree(s->path);
  return cli_complain(PEL_IO, "cannot make %s: %s", s->status, strerror(why));
}

void cli_scratch_end(cli_scratch *s) {
  remove_tree(s->path);
  close(s->lock);
}
