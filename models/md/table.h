/* Tabulated pair potentials: cubic Hermite interpolation of the energies of a table with its forces
 * as slopes, so that the force is exactly that of the energy and both columns are met at every
 * distance of the table.  A pair nearer than the table begins stops the run. */
#ifndef PEL_MD_TABLE_H
#define PEL_MD_TABLE_H

#include "potentials.h"
#include "table_file.h"

enum { PEL__TABLE_COEFFICIENTS = PEL__SHIFT_COEFFICIENTS + 5 };
extern const pel_pair_kernels pel__table_kernels, pel__table_kernels_mixed;

/* Doubles that the records of a table take in the data of the pass, and these, from `first` on. */
static inline size_t pel__table_size(const pel__table *t) { return 4 * (size_t)t->n; }
void pel__table_records(const pel__table *t, double *data, size_t first);

/* Of a pair of types whose records are these. */
void pel__table_coefficients(pel__lj_kind kind, const pel__table *t, const double *data,
                             size_t first, double rc, double *c);

#endif
