/* What this process has started, and what is left of it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "launch.h"

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
static const char prefix[] = "pelsim_";

static int remove_one(const char *path, const struct stat *s, int kind, struct FTW *at) {
  (void)s, (void)kind, (void)at;
  (void)remove(path); /* what stays is swept by a later run */
  return 0;
}

void cli_scratch_remove(const char *path) {
  (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* Of jobs whose starter is no more. */
static void sweep(const char *place) {
  DIR *d = opendir(place);
  for (const struct dirent *e; d && (e = readdir(d));) {
    char path[400];
    struct stat s;
    const int pid =
        strncmp(e->d_name, prefix, sizeof prefix - 1) ? 0 : atoi(e->d_name + sizeof prefix - 1);
    snprintf(path, sizeof path, "%s/%s", place, e->d_name);
    if (pid > 0 && kill(pid, 0) && errno == ESRCH && !lstat(path, &s) && S_ISDIR(s.st_mode) &&
        s.st_uid == getuid())
      cli_scratch_remove(path);
  }
  if (d) closedir(d);
}

int cli_scratch_make(char path[64]) {
  for (int i = 0; i < PEL_N(places); ++i) {
    sweep(places[i]);
    snprintf(path, 64, "%s/%s%d_XXXXXX", places[i], prefix, (int)getpid());
    if (mkdtemp(path)) return PEL_OK;
  }
  return cli_complain(PEL_IO, "cannot make a directory in %s for the ranks' reports: %s", places[1],
                      strerror(errno));
}
