#include "units.h"

const pel__md_units pel__md_units_of[PEL__MD_NUNITS] = {
    [PEL__MD_LJ] = {"lj", 1, 1, 1, 1, 0.005, 0.1},
    [PEL__MD_METAL] = {"metal", 8.617343e-5, PEL__MD_METAL_MASS, 1.6021765e6, 1e-12, 0.001, 1e-6},
    [PEL__MD_REAL] = {"real", 0.0019872067, PEL__MD_REAL_MASS, 68568.415, 1e-15, 1, 4.6e-5}};
