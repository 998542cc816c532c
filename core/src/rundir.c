/* The run directory: made, locked against a second job, refused when it holds an earlier run,
 * cleaned when the user says so. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "journal.h"
#include "journal_parts.h"

#define ELSEWHERE "choose another with --dir or [output] dir"

struct pel__rundir {
  int lock;
  char owner[PEL__OWNER];
};

/* What pelsim itself writes into a run directory; --overwrite removes these names only, so that a
 * job script or notes beside them survive. */
static const char *const owned[] = {"run.log",         "run.json",      "heartbeat.json",
                                    "diagnostics.csv", "fields.nc",     "fields.xdmf",
                                    "trajectory.h5md", "observables.h5"};

static bool starts(const char *s, const char *prefix) {
  return strncmp(s, prefix, strlen(prefix)) == 0;
}

static bool ends(const char *s, const char *suffix) {
  const size_t n = strlen(s), m = strlen(suffix);
  return n >= m && strcmp(s + n - m, suffix) == 0;
}

static bool is_directory(const char *path) {
  struct stat s;
  return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

/* What cannot be asked for counts as there: nothing is begun over it. */
static bool exists(const char *dir, const char *name) {
  char *path = pel__path(dir, name);
  struct stat s;
  const bool there = !path || lstat(path, &s) == 0 || (errno != ENOENT && errno != ENOTDIR);
  free(path);
  return there;
}

/* ---- what the directory holds ---- */

static bool is_temporary(const char *name) {
  static const char *const suffix[] = {"tmp", "reserve"};
  char temporary[64];
  for (int i = 0; i < PEL_N(owned) * PEL_N(suffix); ++i) {
    snprintf(temporary, sizeof temporary, ".%s.%s", owned[i / PEL_N(suffix)],
             suffix[i % PEL_N(suffix)]);
    if (strcmp(name, temporary) == 0) return true;
  }
  return strcmp(name, "fields.nc.tmp") == 0 || strcmp(name, "trajectory.h5md.tmp") == 0;
}

static bool is_owned(const char *name) {
  for (int i = 0; i < PEL_N(owned); ++i)
    if (strcmp(name, owned[i]) == 0) return true;
  return is_temporary(name) || (starts(name, "diagnostics.before_step_") && ends(name, ".csv"));
}

static bool is_checkpoint(const char *name) { return starts(name, "step_") && ends(name, ".h5"); }

/* Of checkpoints/: good ones, damaged ones set aside (.bad) and half-written ones. */
static bool is_of_checkpoints(const char *name) {
  return starts(name, "step_") || starts(name, ".step_");
}

/* Calls visit(dir, name) for the entries that `wanted` accepts until one returns non-zero. */
static int visit_entries(const char *dir, bool (*wanted)(const char *),
                         int (*visit)(const char *, const char *)) {
  DIR *d = opendir(dir);
  if (!d) return errno == ENOENT ? 0 : errno;
  int code = 0;
  struct dirent *entry = NULL;
  while (!code && (errno = 0, entry = readdir(d)))
    if (wanted(entry->d_name)) code = visit(dir, entry->d_name);
  if (!code && !entry) code = errno;
  closedir(d);
  return code;
}

static int remove_entry(const char *dir, const char *name) {
  char *path = pel__path(dir, name);
  const int code = !path ? ENOMEM : unlink(path) && errno != ENOENT ? errno : 0;
  free(path);
  return code;
}

int64_t pel__rundir_newest(const char *dir) {
  char *sub = pel__path(dir, "checkpoints");
  DIR *d = sub ? opendir(sub) : NULL;
  long long step = -1, s;
  for (const struct dirent *entry; d && (entry = readdir(d));)
    if (is_checkpoint(entry->d_name) && sscanf(entry->d_name, "step_%lld", &s) == 1 && s > step)
      step = s;
  if (d) closedir(d);
  free(sub);
  return step;
}

static int found(const char *dir, const char *name) {
  (void)dir, (void)name;
  return -1;
}

/* 1: yes, 0: no; else it cannot be told, with a sentence: an unreadable directory is not empty. */
static int has_checkpoint(const char *dir, pel_error *e) {
  char *sub = pel__path(dir, "checkpoints");
  const int code = sub ? visit_entries(sub, is_checkpoint, found) : ENOMEM;
  free(sub);
  if (code > 0 && code != ENOTDIR)
    pel_error_set(e, PEL_IO, "cannot look for checkpoints in %s/checkpoints: %s", dir,
                  strerror(code));
  return code < 0;
}

static bool is_damaged(const char *name) { return starts(name, "step_") && ends(name, ".bad"); }

bool pel__rundir_damaged(const char *dir) {
  char *sub = pel__path(dir, "checkpoints");
  const bool yes = sub && visit_entries(sub, is_damaged, found) < 0;
  free(sub);
  return yes;
}

static bool is_used(const char *dir, pel_error *e) {
  for (int i = 0; i < PEL_N(owned); ++i)
    if (exists(dir, owned[i])) return true;
  return has_checkpoint(dir, e);
}

static bool is_owned_by_attempt(const char *name) {
  return is_owned(name) && strcmp(name, "run.log") && strcmp(name, "run.json");
}

static int clean(const char *dir, bool (*what)(const char *), pel_error *e) {
  char *sub = pel__path(dir, "checkpoints");
  int code = sub ? visit_entries(sub, is_of_checkpoints, remove_entry) : ENOMEM;
  if (!code) code = visit_entries(dir, what, remove_entry);
  free(sub);
  if (!code) return PEL_OK;
  return pel_error_set(e, PEL_IO, "%s: the earlier run could not be removed: %s", dir,
                       strerror(code));
}

/* ---- the command that continues a run ---- */

void pel_shell_word(char *out, size_t size, const char *word) {
  const char *safe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,:/@%";
  size_t n = 0;
  if (*word && !word[strspn(word, safe)]) {
    snprintf(out, size, "%s", word);
    return;
  }
  out[n++] = '\'';
  for (const char *p = word; *p && n + 6 < size; ++p) {
    if (*p == '\'')
      n += (size_t)snprintf(out + n, size - n, "'\\''"); /* out of the quotes and in again */
    else
      out[n++] = *p;
  }
  snprintf(out + n, size - n, "'");
}

/* Appends `word` as a shell would have to read it. */
static void append_word(char *out, size_t size, const char *word) {
  const size_t n = strlen(out);
  if (n + 2 > size) return;
  strcpy(out + n, " ");
  pel_shell_word(out + n + 1, size - n - 1, word);
}

void pel__standard_directory(char *dir, size_t size, const char *config) {
  const char *slash = strrchr(config, '/'), *name = slash ? slash + 1 : config;
  const char *dot = strrchr(name, '.');
  const int stem = dot && dot > name ? (int)(dot - name) : (int)strlen(name);
  snprintf(dir, size, "out/%.*s", stem, name);
}

/* True if `pelsim run config` without --dir would use `dir`. */
static bool implied(const char *config, const char *configured, const char *dir) {
  char standard[4200];
  if (configured && *configured && strcmp(configured, "auto")) return strcmp(configured, dir) == 0;
  pel__standard_directory(standard, sizeof standard, config);
  return strcmp(standard, dir) == 0;
}

/* The -s options that the run was started with: without them it would not be the same run. */
static void append_overrides(char *out, size_t size, const json_t *settings) {
  const char *section, *key;
  json_t *keys, *k, *all = (json_t *)settings;
  json_object_foreach(all, section, keys) {
    json_object_foreach(keys, key, k) {
      const char *origin = json_string_value(json_object_get(k, "origin"));
      const json_t *value = json_object_get(k, "given");
      if (!origin || strcmp(origin, "command line") != 0 || !json_is_string(value)) continue;
      char word[600];
      snprintf(word, sizeof word, "%s.%s=%s", section, key, json_string_value(value));
      append_word(out, size, "-s");
      append_word(out, size, word);
    }
  }
}

void pel__resume_command(char *out, size_t size, const json_t *run, const char *dir,
                         const char *from) {
  const json_t *settings = json_object_get(run, "config"),
               *output = json_object_get(settings, "output");
  const char *config = pel__json_string(run, "config_path", NULL),
             *given = pel__json_string(run, "given", "");
  const char *configured =
      json_string_value(json_object_get(json_object_get(output, "dir"), "value"));
  const char *command = getenv("PELSIM_COMMAND"); /* as the user typed it */
  snprintf(out, size, "%s run", command && *command ? command : "pelsim");
  append_word(out, size, config ? config : "CONFIG");
  char resume[5000];
  snprintf(resume, sizeof resume, "--resume%s%s", from ? "=" : "", from ? from : "");
  append_word(out, size, from && !*from ? "--overwrite" : resume);
  if (config && !implied(config, configured, dir)) {
    snprintf(out + strlen(out), size - strlen(out), " --dir");
    append_word(out, size, dir);
  }
  append_overrides(out, size, settings);
  snprintf(out + strlen(out), size - strlen(out), "%s%s", *given ? " " : "", given);
}

json_t *pel__json_load(const char *dir, const char *name) {
  char *path = pel__path(dir, name);
  json_t *object = path ? json_load_file(path, JSON_REJECT_DUPLICATES, NULL) : NULL;
  free(path);
  if (json_is_object(object)) return object;
  json_decref(object);
  return NULL;
}

json_t *pel__run_json_load(const char *dir) { return pel__json_load(dir, "run.json"); }

static int refuse_used(const char *dir, pel_error *e) {
  json_t *run = pel__run_json_load(dir);
  const char *state = json_string_value(json_object_get(run, "state"));
  char command[600], about[80] = "";
  pel__resume_command(command, sizeof command, run, dir, NULL);
  if (state && strcmp(state, "running") == 0)
    snprintf(about, sizeof about, " (interrupted)");
  else if (state)
    snprintf(about, sizeof about, " (%.20s at step %lld)", state,
             (long long)json_integer_value(json_object_get(run, "step")));
  json_decref(run);
  const bool resumable = has_checkpoint(dir, e);
  if (e->code) return e->code;
  if (resumable && strlen(command) + 1 == sizeof command) /* cut off, it would be another run */
    snprintf(command, sizeof command, "pelsim run --resume ..., as it was started");
  if (resumable)
    return pel_error_set(e, PEL_USAGE,
                         "%s holds an earlier run%s: continue it with `%s`, or add --overwrite to "
                         "delete it and start anew",
                         dir, about, command);
  return pel_error_set(e, PEL_USAGE,
                       "%s holds an earlier run%s: add --overwrite to delete it and start anew "
                       "(--resume has nothing to continue from: it left no checkpoint)",
                       dir, about);
}

int pel__rundir_resumable(const char *dir, pel_error *e) {
  if (has_checkpoint(dir, e) || e->code) return e->code;
  if (!is_directory(dir))
    return pel_error_set(e, PEL_USAGE,
                         "nothing to resume: there is no run directory %s; start without --resume, "
                         "or name it with --dir",
                         dir);
  return pel_error_set(e, PEL_USAGE, "nothing to resume: %s/checkpoints holds no step_*.h5; %s",
                       dir,
                       is_used(dir, e) ? "start anew with --overwrite" : "start without --resume");
}

/* ---- making and locking it ---- */

static int make_one(const char *path, const char *dir, pel_error *e) {
  const int code = mkdir(path, 0777) ? errno : 0;
  /* A read-only parent says EROFS or EACCES even where the directory exists. */
  if (!code || is_directory(path)) return PEL_OK;
  const bool itself = strcmp(path, dir) == 0; /* else a parent, which must be named */
  if (code == EEXIST || code == ENOTDIR)
    return pel_error_set(e, PEL_IO,
                         "cannot make the run directory %s: %s is not a directory; " ELSEWHERE, dir,
                         itself ? "it" : path);
  return pel_error_set(e, PEL_IO, "cannot make the run directory %s: %s%s%s; " ELSEWHERE, dir,
                       itself ? "" : path, itself ? "" : ": ", strerror(code));
}

/* However it is written: "//", "/tmp/..", a link to it. */
static bool is_root(const char *dir) {
  struct stat s, root;
  return !stat(dir, &s) && !stat("/", &root) && s.st_dev == root.st_dev && s.st_ino == root.st_ino;
}

static int make_directories(const char *dir, pel_error *e) {
  if (!*dir) return pel_error_set(e, PEL_USAGE, "the run directory has no name; " ELSEWHERE);
  if (is_root(dir))
    return pel_error_set(e, PEL_USAGE,
                         "%s is the root of the file system, no place for a run; " ELSEWHERE, dir);
  char *path = strdup(dir);
  if (!path) return pel_error_set(e, PEL_IO, "%s: %s", dir, strerror(ENOMEM));
  int code = PEL_OK;
  for (char *slash = strchr(path + 1, '/'); slash && !code; slash = strchr(slash + 1, '/')) {
    *slash = 0;
    code = make_one(path, dir, e);
    *slash = '/';
  }
  if (!code) code = make_one(path, dir, e);
  free(path);
  return code;
}

/* Who we are, for the sentence another job gets; in a second line, the process that started the
 * ranks, if one did. */
static void describe_self(char *text, size_t size) {
  static const char *const variables[] = {"SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "JOB_ID"};
  char host[256] = "?", when[32];
  gethostname(host, sizeof host - 1);
  pel__iso_time(when, time(NULL));
  snprintf(text, size, "host %s, pid %ld", host, (long)getpid());
  for (int i = 0; i < PEL_N(variables); ++i) {
    const char *job = getenv(variables[i]);
    if (!job || !*job) continue;
    snprintf(text + strlen(text), size - strlen(text), ", job %.60s", job);
    break;
  }
  const char *starter = getenv("PELSIM_STARTER"); /* process id and host */
  snprintf(text + strlen(text), size - strlen(text), ", since %s\n%s%.300s", when,
           starter ? "starter " : "", starter ? starter : "");
}

/* Ended, though perhaps not yet buried by its parent. */
static bool has_ended(pid_t pid) {
  char path[40], text[400] = "";
  if (kill(pid, 0)) return errno == ESRCH;
  snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
  FILE *f = fopen(path, "re");
  if (!f) return false;
  text[fread(text, 1, sizeof text - 1, f)] = 0;
  fclose(f);
  const char *name_end = strrchr(text, ')');
  return name_end && (name_end[1] && (name_end[2] == 'Z' || name_end[2] == 'X'));
}

/* What the lock file says of the process that started its owner; "": nothing. */
static void read_starter(int fd, char starter[300], char owner[PEL__OWNER]) {
  const ssize_t n = pread(fd, owner, PEL__OWNER - 1, 0);
  owner[n > 0 ? n : 0] = 0;
  const char *line = strstr(owner, "\nstarter ");
  snprintf(starter, 300, "%s", line ? line + strlen("\nstarter ") : "");
}

/* Whether the ranks that hold the lock have lost the process that started them on this host: they
 * then end by themselves within seconds, after a last checkpoint. */
static bool is_orphaned(int fd) {
  char owner[PEL__OWNER], starter[300], host[256] = "?", theirs[256] = "";
  long pid = 0;
  read_starter(fd, starter, owner);
  gethostname(host, sizeof host - 1);
  return sscanf(starter, "%ld %255s", &pid, theirs) == 2 && pid > 1 && strcmp(host, theirs) == 0 &&
         has_ended((pid_t)pid);
}

/* Whether the directory belonged last to an earlier attempt of the process that started this one.
 * Its ranks may live on, on a host that was cut off, and are to make way.  *elsewhere: its first
 * rank was on another host. */
static bool is_predecessors(int fd, bool *elsewhere) {
  char starter[300], owner[PEL__OWNER], host[256] = "?", begin[270];
  const char *mine = getenv("PELSIM_STARTER");
  read_starter(fd, starter, owner);
  gethostname(host, sizeof host - 1);
  snprintf(begin, sizeof begin, "host %s,", host);
  *elsewhere = !starts(owner, begin);
  return mine && *mine && strncmp(mine, starter, sizeof starter - 1) == 0;
}

/* Takes the lock of ranks that are ending when they let go of it; false: they do not. */
static bool outlive(int fd, const char *dir, int patience_s) {
  enum { LOOK_MS = 50 };
  fprintf(stderr,
          "pelsim: %s: the ranks of a run that was killed are still ending; waiting for them\n",
          dir);
  for (int waited = 0; waited < 1000 * patience_s; waited += LOOK_MS) {
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) return true;
    usleep(LOOK_MS * 1000);
  }
  return false;
}

int pel__rundir_closed(const char *dir) {
  static const struct {
    const char *name;
    int how;
  } looked[] = {{".", R_OK | X_OK}, {"checkpoints", R_OK | X_OK}, {".lock", R_OK}};
  int code = 0;
  for (int i = 0; i < PEL_N(looked) && !code; ++i) {
    char *path = pel__path(dir, looked[i].name);
    if (path && access(path, looked[i].how) && errno != ENOENT) code = errno;
    free(path);
  }
  return code;
}

bool pel__rundir_held(const char *dir) {
  char *path = pel__path(dir, ".lock");
  const int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  free(path);
  const bool held = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;
  if (fd >= 0) close(fd);
  return held;
}

/* Whoever only looks whether the lock is held (pel__rundir_held) has it for a moment. */
static int lock_patiently(int fd) {
  enum { TRIES = 6, PAUSE_US = 20000 };
  int code = -1;
  for (int i = 0; i < TRIES && code; ++i) {
    if (i) usleep(PAUSE_US);
    code = flock(fd, LOCK_EX | LOCK_NB);
    if (code && errno != EWOULDBLOCK) break;
  }
  return code;
}

static int refuse_locked(int fd, const char *dir, pel_error *e) {
  char who[300];
  const ssize_t n = pread(fd, who, sizeof who - 1, 0);
  who[n > 0 ? n : 0] = 0;
  who[strcspn(who, "\r\n")] = 0;
  for (char *c = who; *c; ++c)
    if (*c < ' ' || *c > '~') *c = '?';
  return pel_error_set(e, PEL_USAGE,
                       "%s is in use by another run (%s): wait for it, stop it, or choose another "
                       "directory with --dir",
                       dir, *who ? who : "which has not yet said who it is");
}

/* Names this run as the owner, in one piece: guards (guard.c) read it at any time.  0 or an errno.
 */
static int write_owner(int fd, const char *self) {
  const ssize_t n = (ssize_t)strlen(self), done = pwrite(fd, self, (size_t)n, 0);
  if (done != n) return done < 0 ? errno : ENOSPC;
  return ftruncate(fd, n) ? errno : 0;
}

/* The lock, from whoever is about to let go of it.  0 or an errno. */
static int obtain(int fd, const char *dir, const char *self) {
  enum { ORPHANS_S = 20, SERVER_S = 120, GUARD_S = 3 }; /* SERVER: forgets a client that died */
  bool elsewhere;
  const bool heir = is_predecessors(fd, &elsewhere);
  const int why = lock_patiently(fd) ? errno : 0;
  if (heir) {
    const int code = write_owner(fd, self); /* whoever is left there reads it and ends */
    if (code) return code;
    /* On some file systems a lock does not hold on other hosts. */
    if (why != EWOULDBLOCK && elsewhere) sleep(GUARD_S);
  }
  if (why != EWOULDBLOCK) return why;
  const bool ending = heir || is_orphaned(fd);
  return ending && outlive(fd, dir, heir ? SERVER_S : ORPHANS_S) ? 0 : why;
}

/* Returns the descriptor that holds the lock, or -1. */
static int take_lock(const char *dir, char self[PEL__OWNER], pel_error *e) {
  char *path = pel__path(dir, ".lock");
  const int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666) : -1;
  free(path);
  describe_self(self, PEL__OWNER);
  if (fd < 0) {
    pel_error_set(e, PEL_IO, "cannot write in the run directory %s: %s; " ELSEWHERE, dir,
                  strerror(errno));
    return -1;
  }
  const int why = obtain(fd, dir, self);
  if (why == EWOULDBLOCK) {
    refuse_locked(fd, dir, e);
    close(fd);
    return -1;
  }
  /* File systems without locks (some cluster ones): run, but say what is missing. */
  if (why && why != ENOSPC)
    fprintf(stderr, "%s: this file system has no locks (%s): do not start a second run here\n", dir,
            strerror(why));
  const int code = write_owner(fd, self);
  if (!code) return fd;
  pel_error_set(e, PEL_IO, "cannot write in the run directory %s: %s; " ELSEWHERE, dir,
                strerror(code));
  close(fd);
  return -1;
}

static int prepare(const char *dir, pel__rundir_use use, pel_error *e) {
  if (use == PEL__CONTINUE && pel__rundir_resumable(dir, e)) return e->code;
  if (use == PEL__NEW && is_used(dir, e)) return refuse_used(dir, e);
  if (use == PEL__AGAIN && pel__rundir_damaged(dir))
    return pel_error_set(e, PEL_IO,
                         "%s/checkpoints holds nothing but damaged checkpoints (*.bad): look into "
                         "them, or begin anew with --overwrite",
                         dir);
  if (use == PEL__AGAIN && has_checkpoint(dir, e))
    return pel_error_set(e, PEL_IO,
                         "%s/checkpoints can be read only now and then; nothing was begun", dir);
  if (e->code) return e->code;
  if (use == PEL__OVERWRITE && clean(dir, is_owned, e)) return e->code;
  if (use == PEL__AGAIN && clean(dir, is_owned_by_attempt, e)) return e->code;
  char *sub = pel__path(dir, "checkpoints");
  const int failed = !sub ? ENOMEM : mkdir(sub, 0777) ? errno : 0;
  int code = PEL_OK;
  if (failed && !(sub && is_directory(sub)))
    code = pel_error_set(e, PEL_IO, "cannot make %s/checkpoints: %s; " ELSEWHERE, dir,
                         strerror(failed));
  else if (access(dir, W_OK | X_OK) || access(sub, W_OK | X_OK))
    code = pel_error_set(e, PEL_IO, "cannot write in the run directory %s: %s; " ELSEWHERE, dir,
                         strerror(errno));
  free(sub);
  return code;
}

pel__rundir *pel__rundir_open(const char *dir, pel__rundir_use use, pel_error *e) {
  if (use == PEL__CONTINUE && !is_directory(dir) && pel__rundir_resumable(dir, e)) return NULL;
  if (make_directories(dir, e)) return NULL;
  pel__rundir *d = calloc(1, sizeof *d);
  if (!d) pel_error_set(e, PEL_IO, "%s: %s", dir, strerror(ENOMEM));
  if (d) d->lock = take_lock(dir, d->owner, e);
  if (d && d->lock >= 0 && !prepare(dir, use, e)) return d;
  if (d && d->lock >= 0) close(d->lock);
  free(d);
  return NULL;
}

const char *pel__rundir_owner(const pel__rundir *d) { return d ? d->owner : NULL; }

void pel__rundir_close(pel__rundir *d) {
  if (!d) return;
  /* The file stays: removing it would let a third job lock a name that a second has open.  So does
   * its text, for ranks that were cut off (guard.c) and come back later. */
  close(d->lock);
  free(d);
}
