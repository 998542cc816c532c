/* Models from shared libraries. */
#ifndef PEL_PLUGIN_H
#define PEL_PLUGIN_H

#include "pelsim/error.h"
#include "pelsim/model.h"

/* Loads `path` (relative to the working directory, else to the directory of the configuration) and
 * returns its model; *handle is for dlclose.  Errors: not there, not a library, no pel_plugin,
 * other ABI, incomplete model.  Local. */
const pel_model *pel__plugin_load(const char *path, const char *config_path, void **handle,
                                  pel_error *e);

#endif
