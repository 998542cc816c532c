/* The hosts that a run was given: which of them answer, and how many ranks they take.
 *
 * They are asked through the agent with which Open MPI starts its daemons (ssh), all at the same
 * time.  The question also ends what an earlier attempt has left there: ranks of a host that was
 * cut off wait for the others and do not know that those are gone. */
#include "hosts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define HOSTFILE "OMPI_MCA_orte_default_hostfile"

enum { AT_A_TIME = 64, MOST_WORDS = 32, MOST_SLOTS = 1000000 };

/* ---- the list ---- */

static cli_host_state *find(const cli_hosts *h, const char *name) {
  for (int i = 0; i < h->n; ++i)
    if (!strcmp(h->host[i].name, name)) return &h->host[i];
  return NULL;
}

/* Slots of a host that is there already are added to it, as Open MPI does. */
static void add(cli_hosts *h, const char *name, long slots) {
  cli_host_state *known = find(h, name);
  if (known) {
    known->slots += (int)slots;
    return;
  }
  h->host = pel_realloc(h->host, (size_t)(h->n + 1) * sizeof *h->host);
  known = &h->host[h->n++];
  *known = (cli_host_state){.slots = (int)slots, .alive = true};
  snprintf(known->name, sizeof known->name, "%s", name);
}

/* A name begins neither an option of ssh nor a word of a shell. */
static bool is_name(const char *s) {
  const size_t n = strlen(s);
  return n > 0 && n < sizeof((cli_host_state *)0)->name && s[0] != '-' &&
         s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]@%")] ==
             0;
}

static bool is_slots(const char *s, long *slots) {
  char *end;
  *slots = strtol(s, &end, 10);
  return end != s && !*end && *slots >= 1 && *slots <= MOST_SLOTS;
}

/* "a:4,b,c:2" */
static int read_list(cli_hosts *h, const char *list) {
  char *text = pel_strdup(list), *rest = text;
  int code = PEL_OK;
  for (char *item; !code && (item = strsep(&rest, ","));) {
    char *colon = strrchr(item, ':');
    long slots = 1;
    if (colon) *colon++ = 0;
    if (!is_name(item) || (colon && !is_slots(colon, &slots)))
      code = cli_complain(PEL_USAGE,
                          "--hosts=%s: '%s%s%s' is no host; write name or name:slots, separated by "
                          "commas, or name a file with a host a line",
                          list, item, colon ? ":" : "", colon ? colon : "");
    else
      add(h, item, slots);
  }
  free(text);
  return code;
}

/* A line of a hostfile of Open MPI: "name slots=4".  False: something else stands there. */
static bool read_line(char *line, long without, char **name, long *slots) {
  static const char blank[] = " \t\r\n";
  line[strcspn(line, "#")] = 0;
  *name = strtok(line, blank);
  *slots = without;
  for (char *word; *name && (word = strtok(NULL, blank));)
    if (strncmp(word, "slots=", 6) || !is_slots(word + 6, slots)) return false;
  return !*name || (is_name(*name) && *slots);
}

static int read_file(cli_hosts *h, const char *path) {
  FILE *f = fopen(path, "re");
  char *line = NULL;
  size_t size = 0;
  int code =
      f ? PEL_OK
        : cli_complain(PEL_IO, "cannot read the list of hosts %s: %s", path, strerror(errno));
  for (int number = 1; !code && getline(&line, &size, f) > 0; ++number) {
    char *name;
    long slots;
    if (!read_line(line, 1, &name, &slots))
      code =
          cli_complain(PEL_USAGE, "%s:%d: a line must be 'name' or 'name slots=N'", path, number);
    else if (name)
      add(h, name, slots);
  }
  free(line);
  if (f) fclose(f);
  if (!code && !h->n) code = cli_complain(PEL_USAGE, "%s names no host", path);
  return code;
}

/* That of Open MPI may hold more than is known here, and a line without slots then means as many as
 * the host has cores: such a file is left to mpirun. */
static void read_default(cli_hosts *h, const char *path) {
  FILE *f = fopen(path, "re");
  char *line = NULL, *name;
  size_t size = 0;
  long slots;
  bool good = f != NULL;
  while (good && getline(&line, &size, f) > 0) {
    good = read_line(line, 0, &name, &slots);
    if (good && name) add(h, name, slots);
  }
  free(line);
  if (f) fclose(f);
  if (!good) h->n = 0;
}

int cli_hosts_read(const char *given, cli_hosts *h) {
  const char *standard = getenv(HOSTFILE);
  *h = (cli_hosts){0};
  if (given)
    return strchr(given, '/') || access(given, F_OK) == 0 ? read_file(h, given)
                                                          : read_list(h, given);
  if (standard && *standard) read_default(h, standard);
  return PEL_OK;
}

int cli_hosts_slots(const cli_hosts *h) {
  long sum = 0;
  for (int i = 0; i < h->n; ++i) sum += h->host[i].alive ? h->host[i].slots : 0;
  return sum < MOST_SLOTS ? (int)sum : MOST_SLOTS;
}

int cli_hosts_use(const cli_hosts *h, const char *scratch) {
  char path[160];
  snprintf(path, sizeof path, "%s/hosts", scratch);
  FILE *f = fopen(path, "we");
  for (int i = 0; f && i < h->n; ++i)
    if (h->host[i].alive) fprintf(f, "%s slots=%d\n", h->host[i].name, h->host[i].slots);
  if (!f || fclose(f)) return cli_complain(PEL_IO, "cannot write %s: %s", path, strerror(errno));
  setenv(HOSTFILE, path, 1);
  return PEL_OK;
}

/* ---- do they answer? ---- */

/* [s] until a host is held for lost: as long as mpirun waits in a run, but no more than this. */
static double patience(void) {
  static const double most = 10;
  const double waits = cli_place_notices_within();
  return waits < most ? waits : most;
}

static bool is_here(const char *name) {
  char self[256] = "";
  gethostname(self, sizeof self - 1);
  const size_t n = strcspn(self, ".");
  return !strcmp(name, self) || !strcmp(name, "localhost") ||
         (!strncmp(name, self, n) && (!name[n] || (name[n] == '.' && !self[n])));
}

/* The words of the agent, ssh if nothing is set; of alternatives ("ssh : rsh") the first. */
static int agent(char *text, size_t size, const char *argv[]) {
  static const char *const variables[] = {"OMPI_MCA_plm_rsh_agent", "OMPI_MCA_orte_rsh_agent",
                                          "OMPI_MCA_pls_rsh_agent"};
  const char *given = NULL;
  int n = 0;
  for (int i = 0; i < PEL_N(variables) && !given; ++i) given = getenv(variables[i]);
  snprintf(text, size, "%s", given && *given ? given : "ssh");
  text[strcspn(text, ":")] = 0;
  for (char *word = strtok(text, " \t"); word && n < MOST_WORDS; word = strtok(NULL, " \t"))
    argv[n++] = word;
  const char *slash = n ? strrchr(argv[0], '/') : NULL;
  if (n && !strcmp(slash ? slash + 1 : argv[0], "ssh")) {
    argv[n++] = "-o";
    argv[n++] = "BatchMode=yes"; /* nobody is there to type a password */
  }
  return n;
}

typedef struct {
  pid_t pid;
  int out; /* what it says */
  char text[400];
  size_t n;
} question;

static void become_agent(const char *host, int out) {
  /* Ranks of ours carry the path of our status file, which is like no other, in the environment. */
  static char command[600], words[600];
  const char *argv[MOST_WORDS + 6];
  const char *status = getenv(CLI_STATUS);
  sigset_t none;
  snprintf(command, sizeof command,
           "sh -c 'for e in /proc/[0-9]*/environ; do if grep -qsz \"^" CLI_STATUS
           "=%s\\$\" $e; then p=${e#/proc/}; kill -9 ${p%%/environ}; fi; done; exit 0'",
           status ? status : "-");
  int n = agent(words, sizeof words, argv);
  argv[n++] = host;
  argv[n++] = command;
  argv[n] = NULL;
  setsid();
  const int null = open("/dev/null", O_RDONLY);
  if (null >= 0) dup2(null, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(out, STDERR_FILENO);
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  execvp(argv[0], (char *const *)argv);
  dprintf(STDERR_FILENO, "cannot start '%s': %s\n", argv[0], strerror(errno));
  _exit(127);
}

static question pose(const char *host) {
  question q = {.pid = -1, .out = -1};
  int pipes[2];
  if (pipe2(pipes, O_CLOEXEC)) return q;
  fflush(NULL);
  q.pid = fork();
  if (q.pid == 0) become_agent(host, pipes[1]);
  close(pipes[1]);
  q.out = pipes[0];
  fcntl(q.out, F_SETFL, O_NONBLOCK);
  return q;
}

/* The end of what the agent says is kept. */
static void listen_to(question *q) {
  char text[sizeof q->text];
  for (ssize_t n; (n = read(q->out, text, sizeof text - 1)) > 0;) {
    memcpy(q->text, text, (size_t)n);
    q->n = (size_t)n;
  }
}

/* Whether the agent has ended; *good: with success. */
static bool has_ended(question *q, bool *good) {
  int status = 0;
  if (q->pid > 0 && waitpid(q->pid, &status, WNOHANG) == 0) return false;
  *good = q->pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  return true;
}

static void conclude(question *q, cli_host_state *host, bool ended, bool good) {
  if (!ended) {
    kill(-q->pid, SIGKILL);
    waitpid(q->pid, NULL, 0);
  }
  if (q->out >= 0) {
    listen_to(q);
    close(q->out);
  }
  host->alive = ended && good;
  if (host->alive) return;
  while (q->n && strchr("\r\n ", q->text[q->n - 1])) --q->n;
  q->text[q->n] = 0;
  const char *line = strrchr(q->text, '\n');
  if (!ended)
    snprintf(host->why, sizeof host->why, "no answer within %g s", patience());
  else
    snprintf(host->why, sizeof host->why, "%.*s", (int)sizeof host->why - 1,
             q->n ? line ? line + 1 : q->text : "the agent that starts processes there failed");
}

static void ask_some(cli_host_state *host, int n) {
  enum { LOOK_US = 20000 };
  question q[AT_A_TIME];
  bool ended[AT_A_TIME] = {false}, good[AT_A_TIME] = {false};
  int open = n;
  for (int i = 0; i < n; ++i) q[i] = pose(host[i].name);
  for (const double end = cli_now() + patience(); open && cli_now() < end; usleep(LOOK_US))
    for (int i = 0; i < n; ++i) {
      if (ended[i]) continue;
      if (q[i].out >= 0) listen_to(&q[i]);
      ended[i] = has_ended(&q[i], &good[i]);
      open -= ended[i];
    }
  for (int i = 0; i < n; ++i) conclude(&q[i], &host[i], ended[i], good[i]);
}

void cli_hosts_ask(cli_hosts *h) {
  cli_host_state some[AT_A_TIME];
  int at[AT_A_TIME], n = 0;
  for (int i = 0; i < h->n; ++i) {
    if (!is_here(h->host[i].name)) {
      at[n] = i;
      some[n++] = h->host[i];
    }
    if (n < AT_A_TIME && i + 1 < h->n) continue;
    ask_some(some, n);
    for (int k = 0; k < n; ++k) h->host[at[k]] = some[k];
    n = 0;
  }
}

void cli_hosts_name_lost(const cli_hosts *h, char *text, size_t size) {
  int lost = 0;
  *text = 0;
  for (int i = 0; i < h->n; ++i) {
    const cli_host_state *x = &h->host[i];
    const size_t n = strlen(text);
    if (x->alive) continue;
    if (++lost > 3) {
      snprintf(text + n, size - n, ", ...");
      return;
    }
    snprintf(text + n, size - n, "%s%s (%s)", lost > 1 ? ", " : "", x->name, x->why);
  }
}
