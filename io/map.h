/* For io: latitude-longitude maps from CF netCDF files. */
#ifndef PEL_IO_MAP_H
#define PEL_IO_MAP_H

#include "pelsim/sink.h"

pel_map *pel__map_read(const char *file, const char *variable, const char *time, const char *level,
                       const char *unit, pel_error *e);

#endif
