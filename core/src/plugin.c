#include "plugin.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* dlopen searches the system's directories for names without a slash; ours always has one. */
static void locate(const char *path, const char *config_path, char *found) {
  const char *slash = strrchr(config_path, '/');
  if (*path == '/') {
    snprintf(found, PATH_MAX, "%s", path);
    return;
  }
  snprintf(found, PATH_MAX, "./%s", path);
  if (access(found, R_OK) == 0 || !slash) return;
  snprintf(found, PATH_MAX, "%.*s/%s", (int)(slash - config_path), config_path, path);
}

const pel_model *pel__plugin_load(const char *path, const char *config_path, void **handle,
                                  pel_error *e) {
  char file[PATH_MAX];
  locate(path, config_path, file);
  if (access(file, R_OK) != 0) {
    pel_error_set(e, PEL_USAGE, "plug-in '%s': cannot be read; build it, or correct the path",
                  path);
    return NULL;
  }
  *handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (!*handle) {
    pel_error_set(e, PEL_USAGE, "plug-in '%s': cannot be loaded (%s)", path, dlerror());
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
  else if (!p->model || !p->model->name || !p->model->grid || !p->model->nfields)
    pel_error_set(e, PEL_USAGE, "plug-in '%s': its model lacks a name, a grid hook or fields",
                  path);
  if (!e->code) return p->model;
  dlclose(*handle);
  *handle = NULL;
  return NULL;
}
