#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include "map_parts.h"
#include "posix_io.h"

/* What a file is that is not netCDF, and what to do about it. */
static const struct {
  const char *start, *is;
} strangers[] = {{"<!", "a web page (HTML): download the file itself"},
                 {"<h", "a web page (HTML): download the file itself"},
                 {"<H", "a web page (HTML): download the file itself"},
                 {"<?xml", "XML"},
                 {"\x1f\x8b", "compressed: run gunzip on it first"},
                 {"BZh", "compressed: run bunzip2 on it first"},
                 {"PK\x03\x04", "a zip archive: unpack it first"},
                 {"GRIB", "GRIB: convert it with 'cdo -f nc4 copy' or 'grib_to_netcdf'"},
                 {"\x0e\x03\x13\x01", "HDF4: convert it with 'h4toh5' or 'ncl_convert2nc'"},
                 {"\x89PNG", "a picture"},
                 {"pelsim checkpoint", "a checkpoint of pelsim"}};

static bool is_hdf5(int fd) {
  static const char magic[8] = "\x89HDF\r\n\x1a\n";
  char found[8];
  for (int64_t at = 0; at < 1 << 20; at = at ? 2 * at : 512) {
    if (pel__pread(fd, found, 8, at)) return false;
    if (!memcmp(found, magic, 8)) return true;
  }
  return false;
}

static int look(int fd, const char *file, pel_error *e) {
  struct stat st;
  char start[32] = {0};
  if (fstat(fd, &st)) return pel__io_error(e, "read", file, errno, 0);
  if (S_ISDIR(st.st_mode))
    return pel_error_set(e, PEL_IO, "%s is a directory, not a netCDF file", file);
  if (!S_ISREG(st.st_mode)) return pel_error_set(e, PEL_IO, "%s is not a file", file);
  if (st.st_size == 0) return pel_error_set(e, PEL_IO, "%s is empty", file);
  const int err = pel__pread_zeros(fd, start, sizeof start, 0);
  if (err) return pel__io_error(e, "read", file, err, 0);
  if (!memcmp(start, "CDF", 3)) {
    const int64_t want = pel__classic_size(fd);
    if (want < 0)
      return pel_error_set(e, PEL_IO, "%s begins like a netCDF file but its header is damaged",
                           file);
    if (want > st.st_size)
      return pel_error_set(e, PEL_IO,
                           "%s is cut short: it has %lld bytes, its header speaks of %lld: "
                           "download it again",
                           file, (long long)st.st_size, (long long)want);
    return PEL_OK;
  }
  for (int i = 0; i < PEL_N(strangers); ++i)
    if (!memcmp(start, strangers[i].start, strlen(strangers[i].start)))
      return pel_error_set(e, PEL_IO, "%s is not a netCDF file but %s", file, strangers[i].is);
  if (!is_hdf5(fd)) return pel_error_set(e, PEL_IO, "%s is not a netCDF file", file);
  return PEL_OK;
}

int pel__source_open(const char *file, pel__source *s, pel_error *e) {
  const int fd = open(file ? file : "", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  *s = (pel__source){-1, file};
  if (!file || !*file) return pel_error_set(e, PEL_USAGE, "no file is named");
  if (fd < 0) return pel__io_error(e, "read", file, errno, 0);
  look(fd, file, e);
  (void)pel__close(fd);
  if (e->code) return e->code;
  const int err = nc_open(file, NC_NOWRITE, &s->nc);
  if (err)
    return pel_error_set(e, PEL_IO, "%s cannot be read as netCDF: %s", file,
                         err == NC_EHDFERR ? "it is cut short or damaged" : nc_strerror(err));
  return PEL_OK;
}

char *pel__source_text(const pel__source *s, int var, const char *name) {
  size_t n;
  nc_type type;
  if (nc_inq_att(s->nc, var, name, &type, &n) || n > 1 << 24) return NULL;
  char *text = NULL;
  if (type == NC_CHAR) {
    text = calloc(1, n + 1);
    if (text && nc_get_att_text(s->nc, var, name, text)) text[0] = 0;
  } else if (type == NC_STRING && n == 1) {
    char *found = NULL;
    if (!nc_get_att_string(s->nc, var, name, &found) && found) text = strdup(found);
    if (found) nc_free_string(1, &found);
  }
  for (size_t i = text ? strlen(text) : 0; i > 0 && strchr(" \n\t", text[i - 1]);) text[--i] = 0;
  return text;
}

double *pel__source_numbers(const pel__source *s, int var, const char *name, size_t *n) {
  nc_type type;
  *n = 0;
  if (nc_inq_att(s->nc, var, name, &type, n) || type == NC_CHAR || type == NC_STRING || !*n ||
      *n > 1 << 20)
    return NULL;
  double *x = malloc(*n * sizeof *x);
  if (x && nc_get_att_double(s->nc, var, name, x)) {
    free(x);
    return NULL;
  }
  return x;
}
