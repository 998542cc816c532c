/* The job's script: directives, what the run is, and the files of cli/job. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "job_script.h" /* cli_template: the files of cli/job, embedded by CMake */
#include "submit.h"

void cli_print_word(FILE *out, const char *word) {
  const size_t size = 4 * strlen(word) + 8;
  char *quoted = pel_malloc(size);
  pel_shell_word(quoted, size, word);
  fputs(quoted, out);
  free(quoted);
}

static void print_assignment(FILE *out, const char *name, const char *value) {
  fprintf(out, "%s=", name);
  cli_print_word(out, value);
  fputc('\n', out);
}

static void print_part(FILE *out, const char *name) {
  for (int i = 0; i < cli_template_count; ++i)
    if (!strcmp(cli_template[i].name, name)) fputs((const char *)cli_template[i].text, out);
}

static void print_memory(const cli_job *j, FILE *out) {
  if (isnan(j->state))
    fprintf(out, "# Memory: as asked for.\n");
  else
    fprintf(
        out,
        "# Memory: %.0f bytes a rank for the state, half as much again for what is made of it,\n"
        "# and %d MB a rank for libraries and MPI.\n",
        j->state, CLI_BASE_MEMORY >> 20);
}

static void print_members(const cli_job *j, FILE *out) {
  fprintf(out, "case $member in\n");
  for (int i = 0; i < j->nmembers; ++i) {
    fprintf(out, "  %d) dir=$dir/%s set+=(", i, j->member[i].name);
    for (int k = 0; k < j->a->sweep.n; ++k) {
      fputs(k ? " -s " : "-s ", out);
      cli_print_word(out, j->member[i].set[k]);
    }
    fputs(") ;;\n", out);
  }
  fputs("esac\n", out);
}

void cli_script_print(const cli_job *j, FILE *out) {
  fprintf(out, "#!/bin/bash\n");
  j->scheduler->directives(j, out);
  for (int i = 0; i < j->a->directives.n; ++i)
    fprintf(out, "%s %s\n", j->scheduler->directive, j->a->directives.word[i]);
  fprintf(out, "#\n# Written by pelsim submit.  %d nodes, %d ranks of %d threads.\n", j->nodes,
          j->ranks, j->threads);
  print_memory(j, out);
  fprintf(out, "\nshopt -s nullglob\n");
  print_assignment(out, "pelsim", cli_self());
  print_assignment(out, "config", j->config);
  print_assignment(out, "here", j->here);
  print_assignment(out, "dir", j->dir);
  fprintf(out, "job_dir=$dir script=$dir/job.sh\nranks=%d threads=%d retries=%d links=%d\nset=(",
          j->ranks, j->threads, j->retries, j->chain);
  for (int i = 0; i < j->a->set.n; ++i) {
    fputs(i ? " -s " : "-s ", out);
    cli_print_word(out, j->a->set.word[i]);
  }
  fputs(")\n", out);
  print_part(out, j->scheduler->part);
  if (j->sweep) fprintf(out, "\n# ---- the members of the sweep ----\n");
  if (j->sweep) print_members(j, out);
  print_part(out, "job.sh");
}

/* ---- writing it ---- */

static int make_directories(const char *dir) {
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s", dir);
  for (char *p = path + 1;; ++p) {
    if (*p && *p != '/') continue;
    const char was = *p;
    *p = 0;
    struct stat s;
    if (mkdir(path, 0777) && (stat(path, &s) || !S_ISDIR(s.st_mode)))
      return cli_complain(PEL_IO, "submit: cannot make the run directory %s: %s: %s", dir, path,
                          strerror(errno));
    if (!was) return PEL_OK;
    *p = was;
  }
}

/* Under another name first: a job that waits has read its script, one that queues itself again has
 * not. */
int cli_script_write(const cli_job *j) {
  char path[PATH_MAX + 32];
  const int wrong = make_directories(j->dir);
  if (wrong) return wrong;
  snprintf(path, sizeof path, "%s.tmp", j->script);
  FILE *f = fopen(path, "w");
  if (f) cli_script_print(j, f);
  const bool good = f && !ferror(f);
  if ((f && fclose(f)) || !good || chmod(path, 0755) || rename(path, j->script)) {
    const int why = errno;
    unlink(path);
    return cli_complain(PEL_IO, "submit: cannot write %s: %s", j->script, strerror(why));
  }
  return PEL_OK;
}
