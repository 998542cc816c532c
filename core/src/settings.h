/* The layer's own sections: [run] [time] [parallel] [output] [checkpoint] [diagnostics]
 * [analysis]. */
#ifndef PEL_SETTINGS_H
#define PEL_SETTINGS_H

#include "config.h"

typedef struct {
  struct {
    char model[PEL_TEXT_MAX], plugin[PEL_TEXT_MAX], title[PEL_TEXT_MAX];
    double walltime;   /* [s], 0: the batch system's; stop with a checkpoint before it is used up */
    double hang_limit; /* [s], 0: none */
  } run;
  struct {
    double end, dt, cfl, dt_max; /* [s]; dt 0: adaptive ("auto") */
    int64_t steps, dt_interval; /* steps 0: until end; dt_interval: steps between estimates of dt */
    int scheme;                 /* choice: model's default | euler | ssprk3 | rk3 | rk4 */
    char start[PEL_TEXT_MAX];   /* date of time 0, "2000-01-01 00:00:00" */
    char calendar[PEL_TEXT_MAX];
  } time;
  struct {
    int64_t ranks, threads, blocks; /* 0: automatic; blocks: a rank */
    char block_grid[PEL_TEXT_MAX];  /* "4x2": blocks along each axis; empty: automatic */
    char tile[PEL_TEXT_MAX];        /* "256x8x4"; empty: sized to cache */
    bool overlap;
    int64_t balance_every; /* steps; 0: never */
    double balance_threshold;
  } parallel;
  struct {
    char dir[PEL_TEXT_MAX], fields[PEL_TEXT_MAX];
    double interval; /* [s] of model time; 0: none */
    int64_t every;   /* steps; 0: none */
    int precision;   /* double | single */
  } output;
  struct {
    double interval;            /* [s] of model time; 0: none */
    double wall_interval, mtbf; /* [s] of wall-clock time; 0: by mtbf */
    int64_t every, keep;
    bool at_end;
  } checkpoint;
  struct {
    double interval;
    int64_t every;
    bool nan_watch, invariants;
  } diagnostics;
  struct { /* of particles */
    int64_t from;
    bool averages, rdf, msd, vacf;
    int64_t rdf_every, rdf_bins;
    double rdf_range;               /* 0: the cut-off */
    int64_t every, origins, window; /* [steps] */
  } analysis;
} pel__settings;

/* Tables for pel__config_bind, pointing into *s. */
enum { PEL__NSETTINGS = 7 };
void pel__settings_bindings(pel__settings *s, pel__binding b[PEL__NSETTINGS]);

/* The built-in model that [run] model names.  NULL after a rejection: not given, or unknown (with
 * did-you-mean and the list).  For a run without [run] plugin; before bind. */
const pel_model *pel__settings_model(pel__config *c, const pel_model *const *models, int n);

/* After bind: rejects what no single key shows.  A run ends at [time] end or after [time] steps,
 * exactly one of them; start is a date of the calendar (rewritten as "YYYY-MM-DD hh:mm:ss");
 * block_grid and tile are shapes; blocks and block_grid exclude each other; dt <= dt_max. */
void pel__settings_check(pel__config *c, pel__settings *s);

/* "4x2" to n = {4, 2, 0}; returns the number of axes, 0 for "", -1 if it is no shape. */
int pel__shape(const char *text, int64_t n[3]);

/* Is `text` ("2000-01-31", "2000-01-31 06:00[:00]", with T and Z too) a date of the CF calendar?
 * Writes it canonically ("YYYY-MM-DD hh:mm:ss") to `date`, or the reason to `why`. */
bool pel__date(const char *text, const char *calendar, char date[80], char why[120]);

#endif
