/* When things happen: the length of the next step and what is due after it.
 *
 * Everything that steers bits (dt, output by model time) follows from the state, the configuration
 * and the step number alone, so a resumed run takes the same steps. */
#ifndef PEL_EVENTS_H
#define PEL_EVENTS_H

#include "sim.h"

/* PEL_USAGE if the step is to be chosen (dt = auto) but nothing limits it.  A fixed step a little
 * beyond the limit is the user's affair; one far beyond it is a mistake: PEL_INVALID. */
int pel__check_dt(const pel_sim *s, double limit, pel_error *e);

/* The step that dt = auto takes under this limit, events aside. */
double pel__auto_dt(const pel_sim *s, double limit);

/* Estimates dt_limit when it is due ([time] dt_interval) and returns the next step's length: dt, or
 * pel__auto_dt of the limit, shortened to land on the next output, diagnostic, checkpoint or the
 * end. *lands: the time to which the clock is set after the step, or NAN.  Collective. */
double pel__next_dt(pel_sim *s, double *lands);

/* Whether something every `every` steps or `interval` of model time is due at the present step. */
bool pel__due(const pel_sim *s, int64_t every, double interval);

/* Whether the simulation has reached its end. */
bool pel__finished(const pel_sim *s);

/* Whether diagnostics are due when the clock shows this, be it because that is the end. */
bool pel__row_due(const pel_sim *s, int64_t step, double time);

#endif
