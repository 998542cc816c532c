/* What a run measures of its particles as it goes on: averages of the diagnostics, radial
 * distribution, mean square displacement, autocorrelation of velocities ([analysis]).
 *
 * Everything is counted or summed exactly, then added up in the order of the steps, and is part of
 * checkpoints: how a run was shared or interrupted changes no bit. */
#ifndef PEL_ANALYSIS_H
#define PEL_ANALYSIS_H

#include "pelsim/sink.h"
#include "sim.h"

/* Rejects what cannot be analysed. */
void pel__analysis_check(pel_sim *s);
/* s->analysis, if there is anything to do.  Collective. */
int pel__analysis_create(pel_sim *s, pel_error *e);
void pel__analysis_destroy(pel__analysis *x); /* NULL allowed */

/* The present step, if a sample is due; the run then stops on *e.  Collective. */
void pel__analysis_sample(pel_sim *s, pel_error *e);
/* A row of diagnostics that was due. */
void pel__analysis_row(pel_sim *s, const double *values);

/* The arrays of the state and, after them, those of the analysis, malloced. */
pel_array *pel__analysis_join(pel_sim *s, const pel_array *state, int n, int *count);
/* Its numbers, malloced.  Having been read, they are to be adopted. */
pel_numbers *pel__analysis_numbers(pel_sim *s, int *n);
void pel__analysis_adopt(pel_sim *s, const pel_numbers *x);
/* What of it a resumed run begins anew, in a sentence; false: nothing. */
bool pel__analysis_anew(const pel_sim *s, char *sentence, size_t size);
/* Whether the run ends before something can be measured, and a sentence on it. */
bool pel__analysis_in_vain(const pel_sim *s, char *sentence, size_t size);

/* ---- observables.c: results ---- */

/* Means and diffusion with errors, for people; malloced.  Collective. */
pel__average *pel__analysis_averages(pel_sim *s, int *n);
/* observables.h5 with everything.  Collective. */
int pel__analysis_write(pel_sim *s, pel_error *e);

#endif
