/* For io: results of a run as H5MD, replaced as a whole; one record of each, or a series:
 *
 *   /h5md                             version, author, creator
 *   /observables/NAME/value           [record][rows][axis], attributes unit, description, samples,
 *                                     batches, rows
 *   /observables/NAME/error           of the same shape: standard errors, NaN if not known; not of
 * series /observables/NAME/step, time      [record] /observables/NAME/AXIS            [axis]: where
 * the values are, attributes unit, description /parameters/pelsim                model, title,
 * configuration, fingerprint
 *
 * The fingerprint is the sum of those of all datasets of doubles below /observables. */
#ifndef PEL_OBSERVABLES_H
#define PEL_OBSERVABLES_H

#include <stdbool.h>
#include "pelsim/sink.h"

/* The function of pel_io. */
int pel__observables_write(const pel_snapshot *s, const pel_observable *x, int n, const char *path,
                           pel_error *e);

/* Whether this is an H5MD file that has observables and no particles. */
bool pel__is_observables(const char *path);

#endif
