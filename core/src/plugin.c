#include "plugin.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "config.h"

/* dlopen searches the system's directories for names without a slash; ours always has one. */
static void *load(const char *found) {
  char file[PATH_MAX + 2];
  snprintf(file, sizeof file, "%s%s", strchr(found, '/') ? "" : "./", found);
  return dlopen(file, RTLD_NOW | RTLD_LOCAL);
}

/* False if the file ends before its own table of segments says: dlopen would map what is not there
 * and the program die of a bus error.  What is no ELF file at all, dlopen refuses itself. */
static bool is_whole(const char *file) {
  ElfW(Ehdr) h;
  ElfW(Phdr) p;
  struct stat st;
  bool whole = true;
  const int fd = open(file, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &st) != 0 || pread(fd, &h, sizeof h, 0) != sizeof h ||
      memcmp(h.e_ident, ELFMAG, SELFMAG) != 0)
    h.e_phnum = 0;
  for (unsigned i = 0; whole && i < h.e_phnum; ++i)
    whole = pread(fd, &p, sizeof p, (off_t)(h.e_phoff + i * sizeof p)) == sizeof p &&
            (off_t)(p.p_offset + p.p_filesz) <= st.st_size;
  if (fd >= 0) close(fd);
  return whole;
}

/* Why it could not be loaded, without the file's name, which dlerror puts before the reason. */
static const char *reason(const char *found) {
  const char *text = dlerror(), *name = text ? strstr(text, found) : NULL;
  const size_t n = strlen(found);
  return !text ? "no reason given" : name && !strncmp(name + n, ": ", 2) ? name + n + 2 : text;
}

const pel_model *pel__plugin_load(const char *path, const char *config_path, void **handle,
                                  pel_error *e) {
  char file[PATH_MAX];
  pel__locate(path, config_path, file);
  if (access(file, R_OK) != 0) {
    pel_error_set(e, PEL_USAGE, "plug-in '%s': cannot be read; build it, or correct the path",
                  path);
    return NULL;
  }
  if (!is_whole(file)) {
    pel_error_set(e, PEL_USAGE, "plug-in '%s': the file is truncated; build it again", path);
    return NULL;
  }
  *handle = load(file);
  if (!*handle) {
    pel_error_set(e, PEL_USAGE, "plug-in '%s': cannot be loaded (%s)", path, reason(file));
    return NULL;
  }
  const pel_plugin_info *p = dlsym(*handle, "pel_plugin");
  if (!p)
    pel_error_set(e, PEL_USAGE,
                  "plug-in '%s': exports no symbol 'pel_plugin'; add PEL_PLUGIN(your_model) to it",
                  path);
  else if (p->abi != PEL_ABI)
    pel_error_set(
        e, PEL_USAGE,
        "plug-in '%s': built for plug-in interface %d, this pelsim has %d; build it again "
        "with this pelsim's headers",
        path, p->abi, PEL_ABI);
  else if (!p->model || !p->model->name ||
           (!p->model->particles && (!p->model->grid || !p->model->nfields)))
    pel_error_set(e, PEL_USAGE, "plug-in '%s': its model lacks a name, a grid hook or fields",
                  path);
  if (!e->code) return p->model;
  dlclose(*handle);
  *handle = NULL;
  return NULL;
}
