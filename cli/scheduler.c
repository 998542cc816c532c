/* The batch systems: what they are told in a script, and how it is handed to them. */
#include <errno.h>
#include <math.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "submit.h"

long cli_megabytes(int64_t bytes) { return (long)((bytes + (1 << 20) - 1) >> 20); }

/* Between quotation marks: sbatch takes a backslash before one for that mark, and % for a pattern.
 */
static void print_slurm_path(FILE *out, const char *path) {
  for (const char *p = path; *p; ++p) {
    if (*p == '"') fputc('\\', out);
    if (*p == '%') fputc('%', out);
    fputc(*p, out);
  }
}

static void slurm_directives(const cli_job *j, FILE *out) {
  const int h = j->limit / 3600, m = j->limit / 60 % 60, s = j->limit % 60;
  fprintf(out,
          "#SBATCH --job-name=%s\n"
          "#SBATCH --nodes=%d\n"
          "#SBATCH --ntasks=%d\n"
          "#SBATCH --ntasks-per-node=%d\n"
          "#SBATCH --cpus-per-task=%d\n"
          "#SBATCH --mem=%ldM\n"
          "#SBATCH --time=%02d:%02d:%02d\n"
          "#SBATCH --signal=B:USR1@%d\n"
          "#SBATCH --requeue\n"
          "#SBATCH --open-mode=append\n"
          "#SBATCH --output=\"",
          j->name, j->nodes, j->ranks, j->per_node, j->threads, cli_megabytes(j->memory), h, m, s,
          j->lead);
  print_slurm_path(out, j->dir);
  fprintf(out, "/job-%s.out\"\n", j->sweep ? "%A_%a" : "%j");
  if (!j->sweep) return;
  fprintf(out, "#SBATCH --array=0-%d", j->nmembers - 1);
  if (j->a->parallel) fprintf(out, "%%%d", (int)j->a->parallel);
  fputc('\n', out);
}

static int slurm_command(const cli_job *j, int k, const char *before, const char **argv,
                         char room[3][400]) {
  int n = 0;
  argv[n++] = "sbatch";
  argv[n++] = "--parsable";
  snprintf(room[0], 400, "--export=ALL,PELSIM_LINK=%d", k);
  if (j->chain > 1) argv[n++] = room[0];
  snprintf(room[1], 400, "--dependency=afterany:%.300s", before ? before : "");
  if (before) argv[n++] = room[1];
  argv[n++] = j->script;
  return n;
}

static void pbs_directives(const cli_job *j, FILE *out) {
  const int h = j->limit / 3600, m = j->limit / 60 % 60, s = j->limit % 60;
  fprintf(out,
          "#PBS -N %s\n"
          "#PBS -l select=%d:ncpus=%d:mpiprocs=%d:ompthreads=%d:mem=%ldmb\n"
          "#PBS -l walltime=%02d:%02d:%02d\n"
          "#PBS -j oe\n"
          "#PBS -r y\n",
          j->name, j->nodes, j->per_node * j->threads, j->per_node, j->threads,
          cli_megabytes(j->memory), h, m, s);
}

/* The array is asked for here, not in the script: a member queues itself again as a job of its own.
 */
static int pbs_command(const cli_job *j, int k, const char *before, const char **argv,
                       char room[3][400]) {
  int n = 0;
  argv[n++] = "qsub";
  snprintf(room[0], 400, "0-%d", j->nmembers - 1);
  if (j->a->parallel) snprintf(room[0] + strlen(room[0]), 40, "%%%d", (int)j->a->parallel);
  if (j->sweep) argv[n++] = "-J", argv[n++] = room[0];
  snprintf(room[1], 400, "PELSIM_LINK=%d", k);
  if (j->chain > 1) argv[n++] = "-v", argv[n++] = room[1];
  snprintf(room[2], 400, "depend=afterany:%.300s", before ? before : "");
  if (before) argv[n++] = "-W", argv[n++] = room[2];
  argv[n++] = j->script;
  return n;
}

static const cli_scheduler schedulers[] = {
    {"slurm", "sbatch", "scancel", "slurm.sh", "#SBATCH", slurm_directives, slurm_command},
    {"pbs", "qsub", "qdel", "pbs.sh", "#PBS", pbs_directives, pbs_command},
};

/* ---- finding one ---- */

static bool in_path(const char *command) {
  char path[PATH_MAX];
  const char *from = getenv("PATH");
  for (const char *p = from ? from : "/usr/bin:/bin"; p;) {
    const int n = (int)strcspn(p, ":");
    snprintf(path, sizeof path, "%.*s%s%s", n, p, n ? "/" : "./", command);
    if (access(path, X_OK) == 0) return true;
    p = p[n] ? p + n + 1 : NULL;
  }
  return false;
}

static int find_named(const char *name, const cli_scheduler **found) {
  for (int i = 0; i < PEL_N(schedulers); ++i)
    if (!strcmp(name, schedulers[i].name)) *found = &schedulers[i];
  if (*found) return PEL_OK;
  return cli_complain(PEL_USAGE, "submit: --scheduler is '%s', but must be slurm or pbs", name);
}

int cli_scheduler_find(const char *name, bool must_run, const cli_scheduler **found) {
  *found = NULL;
  if (name && find_named(name, found)) return PEL_USAGE;
  for (int i = 0; i < PEL_N(schedulers) && !*found; ++i)
    if (in_path(schedulers[i].submit)) *found = &schedulers[i];
  if (!*found && !must_run) *found = &schedulers[0];
  if (!*found)
    return cli_complain(PEL_USAGE,
                        "submit: neither sbatch (Slurm) nor qsub (PBS) is in PATH; submit on a "
                        "machine that has one, or see the script with --dry-run");
  if (must_run && !in_path((*found)->submit))
    return cli_complain(PEL_USAGE,
                        "submit: %s is not in PATH; submit on a machine that has it, or see the "
                        "script with --dry-run",
                        (*found)->submit);
  return PEL_OK;
}

/* ---- submitting ---- */

/* The end of what was written there, without blank lines. */
static void read_end(int fd, char *text, size_t size) {
  const off_t length = lseek(fd, 0, SEEK_END), from = length - (off_t)size + 1;
  const ssize_t n = pread(fd, text, size - 1, from > 0 ? from : 0);
  size_t kept = n > 0 ? (size_t)n : 0;
  while (kept && strchr(" \n\r", text[kept - 1])) --kept;
  text[kept] = 0;
}

/* Runs argv in the job's directory; what it prints, and what it says beside (notes of a site). Its
 * wait status, or -1 with errno. */
static int ask(const cli_job *j, const char *const *argv, char *printed, char *said, size_t size) {
  const int out = memfd_create("printed", MFD_CLOEXEC), err = memfd_create("said", MFD_CLOEXEC);
  int status = -1, code = out < 0 || err < 0 ? errno : 0;
  posix_spawn_file_actions_t actions;
  pid_t pid;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, j->dir);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
  if (!code) code = posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  while (!code && waitpid(pid, &status, 0) < 0)
    if (errno != EINTR) code = errno;
  read_end(out, printed, size);
  read_end(err, said, size);
  if (out >= 0) close(out);
  if (err >= 0) close(err);
  errno = code;
  return code ? -1 : status;
}

int cli_scheduler_submit(const cli_job *j, int k, const char *before, char *id, size_t size) {
  const char *argv[12] = {NULL};
  char room[3][400], printed[2000], said[2000];
  j->scheduler->command(j, k, before, argv, room);
  const int status = ask(j, argv, printed, said, sizeof printed);
  if (status == -1)
    return cli_complain(PEL_USAGE, "submit: %s cannot be started: %s", argv[0], strerror(errno));
  for (char *p = said; *p; ++p)
    if (*p == '\n') *p = ';';
  if (status != 0)
    return cli_complain(PEL_USAGE, "submit: %s refused %s: %s", argv[0], j->script,
                        *said      ? said
                        : *printed ? printed
                                   : "it does not say why");
  if (*said) cli_complain(0, "submit: %s says: %s", argv[0], said);
  const char *last = strrchr(printed, '\n'); /* some sites let the command print greetings */
  snprintf(id, size, "%s", last ? last + 1 : printed);
  id[strcspn(id, ";")] = 0; /* Slurm may say "id;cluster" */
  return PEL_OK;
}
