/* A run as a job of a batch system. */
#ifndef CLI_SUBMIT_H
#define CLI_SUBMIT_H

#include <limits.h>
#include "command.h"

enum {
  CLI_MEMBERS =
      1000, /* of a sweep, at most: Slurm's MaxArraySize is 1001 where nobody changed it */
  CLI_MEMBER_KEYS = 16,       /* --sweep options, at most */
  CLI_BASE_MEMORY = 200 << 20 /* [B] of a rank without a state: libraries, MPI, caches of files */
};

/* One combination of the values of a sweep. */
typedef struct {
  char name[100];             /* of its directory: "003_heat.kappa=0.1" */
  char *set[CLI_MEMBER_KEYS]; /* "section.key=value" */
} cli_member;

typedef struct cli_scheduler cli_scheduler;

typedef struct {
  const cli_arguments *a;
  const cli_scheduler *scheduler;
  char here[PATH_MAX], config[PATH_MAX],
      dir[PATH_MAX]; /* absolute; here: relative paths begin there */
  char script[PATH_MAX + 16];
  char name[16]; /* of the job */
  int nodes, ranks, per_node, threads, chain, retries;
  int limit, lead;    /* [s]; how long before the limit the job is warned */
  double state;       /* bytes that a rank needs for its state; NAN: nobody asked */
  int64_t memory;     /* bytes a node */
  cli_member *member; /* [nmembers] of a sweep; there is always one */
  int nmembers;
  bool sweep;
} cli_job;

/* What the batch systems differ in. */
struct cli_scheduler {
  const char *name, *submit, *cancel; /* "slurm", "sbatch", "scancel" */
  const char *part;                   /* of the script that is its own: a file of cli/job */
  const char *directive;              /* how lines for it begin: "#SBATCH" */
  void (*directives)(const cli_job *j, FILE *out);
  /* The command that submits link `k` of the chain, after the job `before` (NULL: after none), into
   * argv, whose texts live in `room`; its length. */
  int (*command)(const cli_job *j, int k, const char *before, const char **argv, char room[3][400]);
};
/* By name, or, if that is NULL, the one whose command is in PATH.  0, or an exit code after a
 * sentence. */
int cli_scheduler_find(const char *name, bool must_run, const cli_scheduler **found);
long cli_megabytes(int64_t bytes); /* as the scripts ask for them: rounded up */
/* Submits link k; id receives the job's name. */
int cli_scheduler_submit(const cli_job *j, int k, const char *before, char *id, size_t size);

/* ---- sweep.c ---- */

/* The product of a->sweep into j->member; 0, or PEL_USAGE after a sentence. */
int cli_sweep_make(cli_job *j);

/* ---- script.c ---- */

/* As one word of the shell, whatever is in it. */
void cli_print_word(FILE *out, const char *word);
void cli_script_print(const cli_job *j, FILE *out);
/* Into j->script, whose directory is made; 0, or an exit code after a sentence. */
int cli_script_write(const cli_job *j);

#endif
