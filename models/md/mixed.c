/* The kernels of all potentials of this folder, in mixed precision. */
#define PEL_MIXED

#include "buckingham_pairs.h"
#include "eam_pairs.h"
#include "lj_pairs.h"
#include "morse_pairs.h"
#include "soft_pairs.h"
#include "table_pairs.h"
#include "yukawa_pairs.h"
