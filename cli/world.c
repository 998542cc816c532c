/* Which launcher started this process, and how a rank reports to the process that started mpirun.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "command.h"

/* The variables in which launchers say who one is. */
static const struct {
  const char *launcher, *rank, *size;
} launchers[] = {
    {"mpirun", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"},
    {"srun", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS"},
    {"mpiexec", "PMIX_RANK", "PMIX_SIZE"},
    {"mpiexec", "PMI_RANK", "PMI_SIZE"},
};

static int number(const char *variable, int otherwise) {
  const char *text = getenv(variable);
  return text && *text ? atoi(text) : otherwise;
}

cli_world cli_world_look(void) {
  cli_world w = {NULL, 0, 1};
  for (int i = 0; i < PEL_N(launchers) && !w.launcher; ++i) {
    const int size = number(launchers[i].size, 0);
    if (!getenv(launchers[i].rank) || size < 1) continue;
    /* A shell that srun gave to a person is one task too, and may start mpirun. */
    if (!strcmp(launchers[i].launcher, "srun") && size == 1) continue;
    w = (cli_world){launchers[i].launcher, number(launchers[i].rank, 0), size};
  }
  return w;
}

/* ---- the status file: one short line, rewritten in place ---- */

enum { STATUS_BYTES = 8 };

bool cli_status_write(int status) {
  const char *path = getenv(CLI_STATUS);
  const int fd = path ? open(path, O_WRONLY | O_CLOEXEC) : -1;
  if (fd < 0) return false;
  char text[16];
  snprintf(text, sizeof text, "%*d", STATUS_BYTES, status);
  const bool written = pwrite(fd, text, STATUS_BYTES, 0) == STATUS_BYTES;
  close(fd);
  return written;
}

int cli_status_read(const char *path) {
  char text[STATUS_BYTES + 1] = "";
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return CLI_UNKNOWN;
  const ssize_t n = read(fd, text, STATUS_BYTES);
  close(fd);
  return n == STATUS_BYTES ? atoi(text) : CLI_UNKNOWN;
}
