#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "h5md.h"
#include "observables.h"
#include "pelsim_io.h"
#include "posix_io.h"
#include "tools.h"

/* Newest checkpoint of a directory; false: it has none. */
static bool newest(const char *dir, char *file) {
  int64_t *step;
  const int n = pel__checkpoint_list(dir, &step);
  if (n > 0) pel__checkpoint_name(file, PATH_MAX, dir, step[0]);
  if (n >= 0) free(step);
  return n > 0;
}

pel__file_kind pel__resolve(const char *path, char *file, pel_error *e) {
  struct stat st;
  char inside[PATH_MAX], start[18];
  if (!path || !*path || strlen(path) > PATH_MAX - 64) {
    pel_error_set(e, PEL_USAGE, "'%.60s' is not the name of a file", path ? path : "");
    return PEL__NO_FILE;
  }
  if (stat(path, &st)) {
    pel__io_error(e, "read", path, errno, 0);
    return PEL__NO_FILE;
  }
  snprintf(file, PATH_MAX, "%s", path);
  snprintf(inside, sizeof inside, "%.4000s/checkpoints", path);
  if (S_ISDIR(st.st_mode) && !newest(path, file) && !newest(inside, file)) {
    pel_error_set(e, PEL_IO, "%s is a directory without checkpoints", path);
    return PEL__NO_FILE;
  }
  const int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  const int err = fd < 0 ? errno : pel__pread_zeros(fd, start, sizeof start, 0);
  (void)pel__close(fd);
  if (err) {
    pel__io_error(e, "read", file, err, 0);
    return PEL__NO_FILE;
  }
  if (!strncmp(start, "pelsim checkpoint ", 18)) return PEL__A_CHECKPOINT;
  return pel__is_observables(file) ? PEL__OBSERVABLES
         : pel__is_h5md(file)      ? PEL__A_TRAJECTORY
                                   : PEL__A_NETCDF;
}

int pel__tell(FILE *out, const pel_error *e) {
  if (e->code) fprintf(out, "%s\n", e->text);
  return e->code;
}

int pel__region_read(const pel__checkpoint *c, const pel__region *r, int64_t index, double *to,
                     int64_t n) {
  return pel__pread(c->fd, to, (size_t)n * sizeof *to, r->at + index * (int64_t)sizeof *to);
}

static const struct {
  const char *is, *pair;
  int (*info)(FILE *out, const char *file, bool json);
  int (*verify)(FILE *out, const char *file);
  int (*diff)(FILE *out, const char *a, const char *b, double tol);
} kinds[] = {
    [PEL__A_CHECKPOINT] = {"a checkpoint", "two checkpoints", pel__info_checkpoint,
                           pel__verify_checkpoint, pel__diff_checkpoints},
    [PEL__A_NETCDF] = {"a netCDF file", "two netCDF files", pel__info_netcdf, pel__verify_netcdf,
                       pel__diff_netcdf},
    [PEL__A_TRAJECTORY] = {"a trajectory", "two trajectories", pel__info_trajectory,
                           pel__verify_trajectory, pel__diff_trajectories},
    [PEL__OBSERVABLES] = {"a file of observables", "two files of observables",
                          pel__info_observables, pel__verify_observables, pel__diff_observables}};

int pel_io_info(FILE *out, const char *path, bool json) {
  char file[PATH_MAX];
  pel_error e = {0};
  const pel__file_kind k = pel__resolve(path, file, &e);
  if (e.code) return pel__tell(out, &e);
  return kinds[k].info(out, file, json);
}

static int verify_file(FILE *out, const char *path) {
  char file[PATH_MAX];
  pel_error e = {0};
  const pel__file_kind k = pel__resolve(path, file, &e);
  if (e.code) return pel__tell(out, &e);
  return kinds[k].verify(out, file);
}

/* Every checkpoint of the directory, oldest first; returns how many there are. */
static int verify_checkpoints(FILE *out, const char *dir, int *worst) {
  int64_t *step;
  const int n = pel__checkpoint_list(dir, &step);
  for (int i = n - 1; i >= 0; --i) {
    char file[PATH_MAX];
    pel__checkpoint_name(file, sizeof file, dir, step[i]);
    const int code = verify_file(out, file);
    if (code > *worst) *worst = code;
  }
  if (n >= 0) free(step);
  return n > 0 ? n : 0;
}

/* Of a run directory, or of its folder of checkpoints: everything in it that has checksums. */
static int verify_directory(FILE *out, const char *dir) {
  char inside[PATH_MAX];
  int worst = PEL_OK;
  pel_error e = {0};
  int found = verify_checkpoints(out, dir, &worst);
  snprintf(inside, sizeof inside, "%.4000s/checkpoints", dir);
  found += verify_checkpoints(out, inside, &worst);
  static const char *const output[] = {"fields.nc", "trajectory.h5md", "observables.h5"};
  for (size_t i = 0; i < sizeof output / sizeof *output; ++i) {
    snprintf(inside, sizeof inside, "%.4000s/%s", dir, output[i]);
    if (access(inside, F_OK)) continue;
    const int code = verify_file(out, inside);
    if (code > worst) worst = code;
    ++found;
  }
  if (!found)
    pel_error_set(&e, PEL_IO,
                  "%s is a directory without checkpoints, fields.nc, trajectory.h5md and "
                  "observables.h5",
                  dir);
  return found ? worst : pel__tell(out, &e);
}

int pel_io_verify(FILE *out, const char *path) {
  struct stat st;
  return *path && stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? verify_directory(out, path)
                                                              : verify_file(out, path);
}

int pel_io_diff(FILE *out, const char *a, const char *b, double tol) {
  char first[PATH_MAX], second[PATH_MAX];
  pel_error e = {0};
  const pel__file_kind ka = pel__resolve(a, first, &e);
  const pel__file_kind kb = e.code ? PEL__NO_FILE : pel__resolve(b, second, &e);
  if (!(tol >= 0)) pel_error_set(&e, PEL_USAGE, "the tolerance must be a number not below 0");
  if (!e.code && ka != kb)
    pel_error_set(&e, PEL_IO, "%s is %s, %s is %s: they cannot be compared; give %s, or %s", first,
                  kinds[ka].is, second, kinds[kb].is, kinds[ka].pair, kinds[kb].pair);
  if (e.code) return pel__tell(out, &e);
  return kinds[ka].diff(out, first, second, tol);
}

int pel_io_fingerprint(FILE *out, const char *path) {
  char file[PATH_MAX], *report = NULL;
  size_t size;
  pel_error e = {0};
  const pel__file_kind k = pel__resolve(path, file, &e);
  if (!e.code && k != PEL__A_CHECKPOINT)
    pel_error_set(&e, PEL_IO, "%s is not a checkpoint: only checkpoints have a fingerprint", file);
  if (e.code) return pel__tell(out, &e);
  FILE *memory = open_memstream(&report, &size);
  int code = memory ? pel__verify_checkpoint(memory, file) : PEL_INTERNAL;
  if (memory) fclose(memory);
  pel__checkpoint c;
  if (code)
    fputs(report ? report : "out of memory\n", out);
  else if (pel__checkpoint_open(file, &c, &e) == PEL__FILE_GOOD) {
    fprintf(out, "%016" PRIx64 "\n", c.header.fingerprint);
    pel__checkpoint_close(&c);
  } else {
    code = pel__tell(out, &e);
  }
  free(report);
  return code;
}
