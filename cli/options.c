/* Options: one table for all subcommands, from which parsing and help follow. */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "command.h"

typedef enum { FLAG, COUNT, REAL, TEXT, TEXT_IF_GIVEN, LIST, PROGRESS } kind;

typedef struct {
  const char *name;
  char letter; /* 0: none */
  kind kind;
  const char *value; /* what stands for the value in the help; NULL: takes none */
  size_t offset;     /* of the member of cli_arguments */
  int of;            /* the subcommands that take it */
  const char *doc;
} option;

#define MEMBER(m) offsetof(cli_arguments, m)

/* clang-format off */
static const option options[] = {
    {"ranks", 'n', COUNT, "RANKS", MEMBER(ranks), CLI_RUN | CLI_CHECK | CLI_SUBMIT,
     "this many ranks (default: [parallel] ranks, or 1; submit: one a node)"},
    {"threads", 't', COUNT, "THREADS", MEMBER(threads), CLI_RUN | CLI_CHECK | CLI_SUBMIT,
     "threads a rank (default: [parallel] threads, or the cores of the rank; submit: 1)"},
    {"set", 's', LIST, "SECTION.KEY=VALUE", MEMBER(set), CLI_RUN | CLI_CHECK | CLI_SUBMIT,
     "set a key in place of the file; may be repeated"},
    {"dir", 0, TEXT, "DIR", MEMBER(dir), CLI_RUN | CLI_CHECK | CLI_SUBMIT,
     "the run directory (default: [output] dir, or out/<name of CONFIG>)"},
    {"resume", 0, TEXT_IF_GIVEN, "FILE", MEMBER(resume), CLI_RUN | CLI_CHECK,
     "continue from the newest good checkpoint of the run directory, or from FILE"},
    {"overwrite", 0, FLAG, NULL, MEMBER(overwrite), CLI_RUN,
     "delete what an earlier run left in the run directory"},
    {"auto-resume", 0, FLAG, NULL, MEMBER(auto_resume), CLI_RUN,
     "continue if the run directory has checkpoints, else begin anew: for job scripts"},
    {"retries", 0, COUNT, "N", MEMBER(retries), CLI_RUN | CLI_SUBMIT,
     "when ranks die or hang, restart up to N times from the newest good checkpoint (submit: 3)"},
    {"hosts", 0, TEXT, "LIST|FILE", MEMBER(hosts), CLI_RUN,
     "start the ranks on these hosts: name:slots,..., or a file with 'name slots=N' a line"},
    {"nodes", 0, COUNT, "N", MEMBER(nodes), CLI_SUBMIT, "this many hosts"},
    {"time", 0, TEXT, "HH:MM:SS", MEMBER(limit), CLI_SUBMIT, "the time limit of each job"},
    {"memory", 0, TEXT, "BYTES", MEMBER(memory), CLI_SUBMIT,
     "of each node, with k, M, G or T (default: from the estimate of check)"},
    {"scheduler", 0, TEXT, "NAME", MEMBER(scheduler), CLI_SUBMIT,
     "slurm or pbs (default: the one whose sbatch or qsub is in PATH)"},
    {"option", 0, LIST, "DIRECTIVE", MEMBER(directives), CLI_SUBMIT,
     "for the scheduler as it stands: --option=--partition=long; may be repeated"},
    {"chain", 0, COUNT, "K", MEMBER(chain), CLI_SUBMIT,
     "K jobs, each going on where the one before ended, in place of requeueing"},
    {"sweep", 0, LIST, "SECTION.KEY=V1,V2,...", MEMBER(sweep), CLI_SUBMIT,
     "a job array with a member for each value; repeated: for each combination"},
    {"parallel", 0, COUNT, "K", MEMBER(parallel), CLI_SUBMIT,
     "of a sweep: at most K members at once"},
    {"dry-run", 0, FLAG, NULL, MEMBER(dry_run), CLI_SUBMIT,
     "print the script; write and submit nothing"},
    {"steps", 0, COUNT, "N", MEMBER(steps), CLI_RUN,
     "stop after N steps, although the simulation goes on"},
    {"progress", 0, PROGRESS, "WHEN", MEMBER(progress), CLI_RUN,
     "the progress line: auto (on a terminal), always or never"},
    {"tol", 0, REAL, "T", MEMBER(tolerance), CLI_DIFF,
     "values may differ by T times the largest of their variable (default: not in one bit)"},
    {"format", 0, TEXT, "NAME", MEMBER(format), CLI_EXPORT, "xyz (the default) or lammps-data"},
    {"frame", 0, TEXT, "N", MEMBER(frame), CLI_EXPORT,
     "of a trajectory: first, last (the default) or a number from 0"},
    {"output", 'o', TEXT, "FILE", MEMBER(output), CLI_EXPORT,
     "where to write (default: the standard output)"},
    {"json", 0, FLAG, NULL, MEMBER(json),
     CLI_CHECK | CLI_MODELS | CLI_PARAMS | CLI_INFO | CLI_STATUS_OF,
     "for programs: JSON"},
    {"markdown", 0, FLAG, NULL, MEMBER(markdown), CLI_PARAMS, "for documents: Markdown"},
    {"resumable", 0, FLAG, NULL, MEMBER(resumable), CLI_STATUS_OF,
     "only say whether to resume is worthwhile: exit code 0 if so, 1 if not"},
    {"help", 'h', FLAG, NULL, MEMBER(help), CLI_ALL, "show this help"},
};
/* clang-format on */

int cli_complain(int code, const char *fmt, ...) {
  if (cli_world_look().rank == 0) {
    va_list ap;
    va_start(ap, fmt);
    fflush(stdout);
    fputs("pelsim: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
  }
  return code;
}

void cli_options_print(const cli_command *c, FILE *out) {
  fputs("options:\n", out);
  for (int i = 0; i < PEL_N(options); ++i) {
    const option *o = &options[i];
    if (!(o->of & c->bit)) continue;
    char left[80];
    const char *before = !o->value ? "" : o->kind == TEXT_IF_GIVEN ? "[=" : "=";
    snprintf(left, sizeof left, "%c%c%s--%s%s%s%s", o->letter ? '-' : ' ',
             o->letter ? o->letter : ' ', o->letter ? ", " : "  ", o->name, before,
             o->value ? o->value : "", o->kind == TEXT_IF_GIVEN ? "]" : "");
    fprintf(out, strlen(left) > 22 ? "  %s\n%28s%s\n" : "  %-22s%4s%s\n", left, "", o->doc);
  }
}

/* The option that `word` names: "--name", "--name=value" or "-x", "-xvalue".  *value: the attached
 * value or NULL. */
static const option *find(const cli_command *c, const char *word, const char **value) {
  *value = NULL;
  const char *names[PEL_N(options)];
  int n = 0;
  const size_t length = strcspn(word, "=");
  for (int i = 0; i < PEL_N(options); ++i) {
    const option *o = &options[i];
    if (!(o->of & c->bit)) continue;
    names[n++] = o->name;
    if (word[1] == '-') {
      if (strlen(o->name) != length - 2 || strncmp(word + 2, o->name, length - 2)) continue;
      if (word[length]) *value = word + length + 1;
      return o;
    }
    if (o->letter && word[1] == o->letter) {
      if (word[2]) *value = word + 2;
      return o;
    }
  }
  char name[64];
  snprintf(name, sizeof name, "%.*s", (int)length, word);
  const char *near = pel_suggest(name + strspn(name, "-"), names, n);
  if (near)
    cli_complain(PEL_USAGE, "%s: unknown option '%s'; did you mean '--%s'?", c->name, name, near);
  else
    cli_complain(PEL_USAGE, "%s: unknown option '%s'; 'pelsim help %s' lists the options", c->name,
                 name, c->name);
  return NULL;
}

static int store_count(const cli_command *c, const option *o, const char *value, int64_t *to) {
  static const struct {
    size_t offset;
    int64_t most;
  } counts[] = {{MEMBER(ranks), 1000000},          {MEMBER(threads), 4096},
                {MEMBER(steps), 1000000000000000}, {MEMBER(retries), 1000000},
                {MEMBER(nodes), 1000000},          {MEMBER(chain), 1000},
                {MEMBER(parallel), 1000000}};
  int64_t max = 0;
  for (int i = 0; i < PEL_N(counts); ++i)
    if (counts[i].offset == o->offset) max = counts[i].most;
  char *end;
  errno = 0;
  const long long x = strtoll(value, &end, 10);
  if (end == value || *end || errno || x < 1 || x > max)
    return cli_complain(PEL_USAGE, "%s: --%s is '%s', but must be a whole number from 1 to %lld",
                        c->name, o->name, value, (long long)max);
  *to = x;
  return 0;
}

static int store_real(const cli_command *c, const option *o, const char *value, double *to) {
  char *end;
  const double x = strtod(value, &end);
  if (end == value || *end || !isfinite(x) || x < 0)
    return cli_complain(PEL_USAGE, "%s: --%s is '%s', but must be a number that is not negative",
                        c->name, o->name, value);
  *to = x;
  return 0;
}

static int store_progress(const cli_command *c, const option *o, const char *value,
                          pel_progress *to) {
  static const char *const words[] = {"auto", "always", "never"};
  for (int i = 0; i < PEL_N(words); ++i)
    if (!strcmp(value, words[i])) {
      *to = (pel_progress)i;
      return 0;
    }
  return cli_complain(PEL_USAGE, "%s: --%s is '%s', but must be auto, always or never", c->name,
                      o->name, value);
}

static int store(const cli_command *c, const option *o, const char *value, cli_arguments *a) {
  void *member = (char *)a + o->offset;
  switch (o->kind) {
    case FLAG:
      *(bool *)member = true;
      return 0;
    case COUNT:
      return store_count(c, o, value, member);
    case REAL:
      return store_real(c, o, value, member);
    case PROGRESS:
      return store_progress(c, o, value, member);
    case LIST: {
      cli_list *l = member;
      l->word[l->n++] = value;
      return 0;
    }
    case TEXT:
      if (!*value) return cli_complain(PEL_USAGE, "%s: --%s is empty", c->name, o->name);
      *(const char **)member = value;
      return 0;
    case TEXT_IF_GIVEN:
      *(const char **)member = value ? value : "";
      return 0;
  }
  return PEL_INTERNAL;
}

/* For the process that starts mpirun, not for the ranks. */
static bool is_starters(const option *o) {
  return o->offset == MEMBER(ranks) || o->offset == MEMBER(retries) || o->offset == MEMBER(hosts);
}

/* Not for a restart, which goes on from what there is (--auto-resume), to the step that was meant.
 */
static bool is_first_attempts(const option *o, const char *value) {
  return o->offset == MEMBER(overwrite) || o->offset == MEMBER(auto_resume) ||
         o->offset == MEMBER(steps) || (o->offset == MEMBER(resume) && !value);
}

/* One option at argv[*i]; moves *i to its last word. */
static int take_option(const cli_command *c, int argc, char **argv, int *i, uint64_t *seen,
                       cli_arguments *a) {
  const char *value;
  const int first = *i;
  const option *o = find(c, argv[*i], &value);
  if (!o) return PEL_USAGE;
  if (value && o->kind == FLAG)
    return cli_complain(PEL_USAGE, "%s: --%s takes no value, but got '%s'", c->name, o->name,
                        value);
  if (!value && o->kind != FLAG && o->kind != TEXT_IF_GIVEN) {
    if (*i + 1 >= argc)
      return cli_complain(PEL_USAGE, "%s: --%s needs a value: --%s=%s", c->name, o->name, o->name,
                          o->value);
    value = argv[++*i];
  }
  const uint64_t bit = UINT64_C(1) << (o - options);
  if (*seen & bit && o->kind != LIST)
    return cli_complain(PEL_USAGE, "%s: --%s is given twice; give it once", c->name, o->name);
  *seen |= bit;
  for (int k = first; k <= *i && !is_starters(o); ++k) {
    a->once[a->nworker] = is_first_attempts(o, value);
    a->worker[a->nworker++] = argv[k];
  }
  return store(c, o, value, a);
}

static int check_operands(const cli_command *c, const cli_arguments *a) {
  if (a->noperands < c->min)
    return cli_complain(PEL_USAGE, "%s: %s is missing; usage: pelsim %s %s [options]", c->name,
                        c->operands, c->name, c->operands);
  if (c->max >= 0 && a->noperands > c->max)
    return cli_complain(PEL_USAGE, "%s: '%s' is one argument too many; usage: pelsim %s %s%s",
                        c->name, a->operand[c->max], c->name, c->operands,
                        *c->operands ? " [options]" : "[options]");
  for (int i = 0; i < a->noperands; ++i)
    if (!*a->operand[i])
      return cli_complain(PEL_USAGE, "%s: an argument is empty; usage: pelsim %s %s [options]",
                          c->name, c->name, c->operands);
  return 0;
}

static void make_list(cli_arguments *a, const option *o, int longest) {
  cli_list *l = (cli_list *)((char *)a + o->offset);
  l->word = pel_calloc((size_t)longest, sizeof *l->word);
}

int cli_options_parse(const cli_command *c, int argc, char **argv, cli_arguments *a) {
  /* One block a list, never freed: they live as long as the program. */
  char **operand = pel_calloc((size_t)argc, sizeof *operand);
  for (int i = 0; i < PEL_N(options); ++i)
    if (options[i].kind == LIST) make_list(a, &options[i], argc);
  a->worker = pel_calloc((size_t)argc + 2, sizeof *a->worker);
  a->once = pel_calloc((size_t)argc + 2, sizeof *a->once);
  a->operand = operand;
  a->argv = argv;
  a->worker[a->nworker++] = c->name;
  uint64_t seen = 0;
  bool options_end = false;
  for (int i = 2; i < argc; ++i) {
    if (!options_end && !strcmp(argv[i], "--")) {
      options_end = true;
    } else if (!options_end && argv[i][0] == '-' && argv[i][1]) {
      const int wrong = take_option(c, argc, argv, &i, &seen, a);
      if (wrong) return wrong;
    } else {
      operand[a->noperands++] = argv[i];
    }
  }
  if (a->help) return 0;
  a->worker[a->nworker++] = "--"; /* an operand may begin with a dash */
  for (int i = 0; i < a->noperands; ++i) a->worker[a->nworker++] = operand[i];
  if (a->overwrite && (a->resume || a->auto_resume))
    return cli_complain(PEL_USAGE,
                        "%s: --overwrite deletes the checkpoints that --%s needs; give one",
                        c->name, a->resume ? "resume" : "auto-resume");
  if (a->auto_resume && a->resume && !*a->resume)
    return cli_complain(PEL_USAGE, "%s: --resume is part of --auto-resume; give one", c->name);
  if (a->json && a->resumable)
    return cli_complain(PEL_USAGE, "%s: --json says whether it is resumable too; give one",
                        c->name);
  if (a->json && a->markdown)
    return cli_complain(PEL_USAGE, "%s: --json and --markdown exclude each other; give one",
                        c->name);
  return check_operands(c, a);
}
