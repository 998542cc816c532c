/* pelsim submit: everything that can be wrong is found before anything is written or submitted. */
#include "submit.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static cli_job job;

/* ---- what the command line says ---- */

static int parse_limit(const char *text, int *seconds) {
  int h, m, s, n = 0;
  if (!text) return cli_complain(PEL_USAGE, "submit: --time is missing: --time=HH:MM:SS");
  if (strspn(text, "0123456789:") != strlen(text) ||
      sscanf(text, "%5d:%2d:%2d%n", &h, &m, &s, &n) != 3 || text[n] || m > 59 || s > 59)
    return cli_complain(PEL_USAGE,
                        "submit: --time is '%s', but must be hours:minutes:seconds, as in 12:00:00",
                        text);
  *seconds = 3600 * h + 60 * m + s;
  if (*seconds >= 60) return PEL_OK;
  return cli_complain(PEL_USAGE, "submit: --time is '%s', but must be a minute or more", text);
}

static int parse_memory(const char *text, int64_t *bytes) {
  static const char units[] = "kMGT";
  char *end;
  errno = 0;
  const double x = strtod(text, &end);
  const char *unit = *end ? strchr(units, *end) : NULL;
  const double value = x * (unit ? (double)(INT64_C(1024) << 10 * (unit - units)) : 1);
  if (end == text || errno || (unit ? end[1] : *end) || !(value >= 1 << 20 && value < 1e18))
    return cli_complain(
        PEL_USAGE,
        "submit: --memory is '%s', but must be a number of bytes, with k, M, G or T "
        "for more, from 1M",
        text);
  *bytes = (int64_t)value;
  return PEL_OK;
}

static int check_directive(const cli_list *l) {
  for (int i = 0; i < l->n; ++i)
    if (l->word[i][0] != '-' || strpbrk(l->word[i], "\n\r"))
      return cli_complain(PEL_USAGE,
                          "submit: --option is '%s', but must be an option of the scheduler, as in "
                          "--option=--partition=long",
                          l->word[i]);
  return PEL_OK;
}

static int read_options(cli_job *j) {
  const cli_arguments *a = j->a;
  if (!a->nodes) return cli_complain(PEL_USAGE, "submit: --nodes is missing: --nodes=N");
  if (parse_limit(a->limit, &j->limit) || check_directive(&a->directives)) return PEL_USAGE;
  if (a->memory && parse_memory(a->memory, &j->memory)) return PEL_USAGE;
  if (a->parallel && !a->sweep.n)
    return cli_complain(PEL_USAGE, "submit: --parallel is for members of a --sweep; there is none");
  j->nodes = (int)a->nodes;
  j->chain = a->chain ? (int)a->chain : 1;
  j->retries = a->retries ? (int)a->retries : 3;
  enum { SHORTEST = 15, LONGEST = 300 }; /* [s] for the last step and a checkpoint */
  const int tenth = j->limit / 10;
  j->lead = tenth < SHORTEST ? SHORTEST : tenth > LONGEST ? LONGEST : tenth;
  return PEL_OK;
}

/* ---- where everything is ---- */

static int make_absolute(const cli_job *j, const char *what, const char *path, char to[PATH_MAX]) {
  const char *shown = path;
  while (!strncmp(path, "./", 2)) path += 2;
  const int n = *path == '/' ? snprintf(to, PATH_MAX, "%s", path)
                             : snprintf(to, PATH_MAX, "%s/%s", j->here, path);
  for (size_t m = strlen(to); m > 1 && to[m - 1] == '/';) to[--m] = 0;
  if (n >= PATH_MAX - 100)
    return cli_complain(PEL_USAGE, "submit: the path of %s is too long", what);
  if (!strpbrk(to, "\\\n\r")) return PEL_OK;
  return cli_complain(PEL_USAGE,
                      "submit: %s '%s' has a backslash or an end of line in its path, which a job "
                      "script cannot name",
                      what, shown);
}

/* The configuration's name, as far as every scheduler takes it. */
static void name_job(cli_job *j) {
  const char *slash = strrchr(j->config, '/'), *p = slash ? slash + 1 : j->config;
  size_t n = 0;
  if (!isalpha((unsigned char)*p)) n += (size_t)snprintf(j->name, sizeof j->name, "pelsim_");
  for (; *p && *p != '.' && n + 1 < sizeof j->name; ++p)
    j->name[n++] = isalnum((unsigned char)*p) || *p == '-' ? *p : '_';
}

static int find_places(cli_job *j) {
  const pel_request r = cli_request(j->a);
  static pel_prospect p;
  const int wrong = pel_peek(cli_host(), &r, &p);
  if (wrong) return wrong;
  if (!getcwd(j->here, sizeof j->here))
    return cli_complain(PEL_IO, "submit: the present directory: %s", strerror(errno));
  if (!cli_self()) return cli_complain(PEL_INTERNAL, "cannot find this program's file");
  if (make_absolute(j, "the configuration", j->a->operand[0], j->config) ||
      make_absolute(j, "the run directory", p.dir, j->dir))
    return PEL_USAGE;
  snprintf(j->script, sizeof j->script, "%s/job.sh", j->dir);
  name_job(j);
  j->ranks = j->a->ranks ? (int)j->a->ranks : p.ranks ? p.ranks : j->nodes;
  j->threads = j->a->threads ? (int)j->a->threads : p.threads ? p.threads : 1;
  j->per_node = (j->ranks + j->nodes - 1) / j->nodes;
  if (j->ranks >= j->nodes) return PEL_OK;
  return cli_complain(PEL_USAGE,
                      "submit: %d rank%s cannot use %d nodes; ask for fewer nodes or more "
                      "ranks (-n)",
                      j->ranks, j->ranks > 1 ? "s" : "", j->nodes);
}

/* ---- the configuration and its memory ---- */

/* Of each member of the sweep. */
static int estimate(MPI_Comm comm, const pel_request *q, const cli_arguments *a) {
  (void)comm;
  cli_job *j = &job;
  const int n = a->set.n + a->sweep.n;
  const char **set = pel_calloc((size_t)n + 1, sizeof *set);
  pel_request r = *q;
  int code = PEL_OK;
  r.overrides = set;
  r.noverrides = n;
  r.threads = j->threads;
  for (int i = 0; i < a->set.n && !code; ++i) set[i] = a->set.word[i];
  for (int i = 0; i < j->nmembers && !code; ++i) {
    double bytes;
    for (int k = 0; k < a->sweep.n; ++k) set[a->set.n + k] = j->member[i].set[k];
    code = pel_estimate(cli_host(), &r, j->ranks, &bytes);
    if (!code) j->state = fmax(j->state, bytes);
  }
  free(set);
  return code;
}

static int estimate_memory(cli_job *j) {
  const double margin = 1.5; /* buffers of messages and files, lists that grow */
  j->state = 0;
  const int wrong = cli_alone(j->a, estimate);
  if (wrong) return wrong;
  if (j->a->memory)
    j->state = NAN;
  else
    j->memory = (int64_t)(j->per_node * (margin * j->state + CLI_BASE_MEMORY));
  return PEL_OK;
}

/* ---- submitting ---- */

static void tell(const cli_job *j, const char ids[2][200]) {
  printf("script        %s\n", j->script);
  printf("asks for      %d node%s x %d rank%s x %d thread%s, %ld MB a node, %s\n", j->nodes,
         j->nodes > 1 ? "s" : "", j->per_node, j->per_node > 1 ? "s" : "", j->threads,
         j->threads > 1 ? "s" : "", cli_megabytes(j->memory), j->a->limit);
  printf("job           %s", ids[0]);
  if (j->chain > 1) printf(" to %s, each after the one before", ids[1]);
  if (j->sweep) printf(", %d members", j->nmembers);
  printf("\nfollow it     pelsim status ");
  cli_print_word(stdout, j->dir);
  printf("%s\nlog           %s/job-*.out\nstop it       touch ", j->sweep ? "/MEMBER" : "", j->dir);
  cli_print_word(stdout, j->dir);
  printf("%s/STOP, or %s %s\n", j->sweep ? "/MEMBER" : "", j->scheduler->cancel, ids[0]);
}

/* A job of a complete run would end at once, unless its end is to be a later one now. */
static void warn_of_complete(const cli_job *j) {
  if (!j->sweep && pel_observe(j->dir).complete)
    cli_complain(0,
                 "submit: %s holds a run that is complete; without a later end the job will have "
                 "nothing to do",
                 j->dir);
}

static int submit(const cli_job *j) {
  char ids[2][200] = {"", ""};
  int code = cli_script_write(j);
  for (int k = 1; k <= j->chain && !code; ++k) {
    code = cli_scheduler_submit(j, k, k > 1 ? ids[1] : NULL, ids[1], sizeof ids[1]);
    if (k == 1) memcpy(ids[0], ids[1], sizeof ids[0]);
    if (code && k > 1)
      cli_complain(0, "submit: of the chain, %d job%s been submitted, from %s on", k - 1,
                   k > 2 ? "s have" : " has", ids[0]);
  }
  if (!code) tell(j, ids);
  return code;
}

int cli_submit(const cli_arguments *a) {
  cli_job *j = &job;
  j->a = a;
  int code = read_options(j);
  if (!code) code = cli_scheduler_find(a->scheduler, !a->dry_run, &j->scheduler);
  if (!code) code = cli_sweep_make(j);
  if (!code) code = find_places(j);
  if (!code) code = estimate_memory(j);
  if (code) return code;
  warn_of_complete(j);
  if (!a->dry_run) return submit(j);
  cli_script_print(j, stdout);
  return PEL_OK;
}
