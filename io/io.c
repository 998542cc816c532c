#include "pelsim_io.h"

#include "checkpoint.h"
#include "map.h"
#include "observables.h"
#include "particle_file.h"
#include "series.h"

const pel_io pel_io_hdf5 = {.checkpoint_write = pel__checkpoint_write,
                            .checkpoint_read = pel__checkpoint_read,
                            .series_check = pel__series_check,
                            .series_open = pel__series_open,
                            .series_append = pel__series_append,
                            .series_close = pel__series_close,
                            .observables_write = pel__observables_write,
                            .map_read = pel__map_read,
                            .particles_read = pel__particles_read};
