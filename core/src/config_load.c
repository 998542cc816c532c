/* Reading the text of a configuration, whatever the path turns out to be. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "config.h"
#include "suggest.h"

enum { LARGEST = 16 << 20 };

/* "; did you mean 'galewsky.ini'?" if the directory holds a similar name, else "". */
static void similar(const char *path, char *text, size_t size) {
  const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
  char folder[4096] = ".";
  if (slash) snprintf(folder, sizeof folder, "%.*s", (int)(slash - path) + 1, path);
  text[0] = '\0';
  DIR *d = *name ? opendir(folder) : NULL;
  if (!d) return;
  char best[256] = "";
  for (const struct dirent *f; (f = readdir(d));) {
    const char *chosen = *best ? best : NULL;
    pel__suggest(name, f->d_name, &chosen);
    if (chosen == f->d_name) snprintf(best, sizeof best, "%s", f->d_name);
  }
  closedir(d);
  if (*best) snprintf(text, size, "; did you mean '%s%s'?", slash ? folder : "", best);
}

/* Everything up to the end, but not more than `LARGEST` bytes: a pipe has no size. */
static int slurp(FILE *f, const char *path, char **text, size_t *length, pel_error *e) {
  size_t n = 0, room = 1 << 16, got;
  char *all = malloc(room + 1);
  while (all && n <= LARGEST && (got = fread(all + n, 1, room - n, f)) > 0) {
    n += got;
    if (n < room) continue;
    char *more = realloc(all, (room *= 2) + 1);
    if (!more) free(all);
    all = more;
  }
  if (!all) return pel_error_set(e, PEL_INTERNAL, "%s: out of memory", path);
  if (ferror(f) || n > LARGEST) {
    free(all);
    if (n > LARGEST)
      return pel_error_set(e, PEL_USAGE,
                           "%s: larger than 16 MiB, so it is not a configuration; expected an INI "
                           "file",
                           path);
    return pel_error_set(e, PEL_IO, "%s: cannot be read: %s", path, strerror(errno));
  }
  all[n] = '\0';
  *text = all;
  *length = n;
  return PEL_OK;
}

void pel__locate(const char *file, const char *config_path, char found[PATH_MAX]) {
  const char *slash = strrchr(config_path, '/');
  snprintf(found, PATH_MAX, "%s", file);
  if (*file == '/' || !slash || access(found, F_OK) == 0) return;
  snprintf(found, PATH_MAX, "%.*s/%s", (int)(slash - config_path), config_path, file);
  if (access(found, F_OK) != 0) snprintf(found, PATH_MAX, "%s", file);
}

int pel__config_load(const char *path, const pel_model *const *models, int nmodels, char **text,
                     size_t *length, pel_error *e) {
  *text = NULL;
  *length = 0;
  if (!*path) return pel_error_set(e, PEL_USAGE, "no configuration given; expected an INI file");
  struct stat s;
  if (stat(path, &s) == 0 && S_ISDIR(s.st_mode))
    return pel_error_set(e, PEL_IO, "%s: is a directory; expected an INI file", path);
  FILE *f = fopen(path, "rb");
  if (!f && errno == ENOENT) {
    char hint[4500];
    similar(path, hint, sizeof hint);
    for (int i = 0; i < nmodels; ++i)
      if (strcmp(path, models[i]->name) == 0)
        snprintf(hint, sizeof hint,
                 "; it is the name of a model: `pelsim init %s > %s.ini` makes a configuration",
                 path, path);
    return pel_error_set(e, PEL_IO, "%s: no such file%s", path, hint);
  }
  if (!f) return pel_error_set(e, PEL_IO, "%s: cannot be opened: %s", path, strerror(errno));
  const int code = slurp(f, path, text, length, e);
  fclose(f);
  return code;
}
