/* The layer's own keys: one table a section, then what only several keys together show. */
#include "settings.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "suggest.h"

/* clang-format off */
#define AT(part, m) .key = #m, .type = PEL_TYPE_OF(((pel__settings *)0)->part.m), \
                    .offset = offsetof(pel__settings, part.m)
/* clang-format on */

static const pel_param run[] = {
    {AT(run, model), .def = "", .doc = "what to simulate; 'pelsim models' lists what there is"},
    {AT(run, plugin), .def = "",
     .doc = "shared library that brings its own model, './libburgers.so'; empty: none"},
    {AT(run, title), .def = "", .doc = "one line about this run, written into every file"},
    {AT(run, walltime), .def = "auto", .word = "auto", .min = 1, .max = 1e30, .unit = "s",
     .doc = "wall-clock limit; the run stops with a checkpoint before it is used up; auto: that of "
            "the batch system (Slurm, PBS), if there is one, which also holds if it comes first"},
    {AT(run, hang_limit), .def = "60 s", .word = "none", .min = 0.5, .max = 1e30, .unit = "s",
     .doc = "wall-clock time without a step after which 'pelsim run -n' asks the ranks where they "
            "are, and after as much again, if none has done anything, ends the job"},
};

static const pel_param time_[] = {
    {AT(time, end), .def = "none", .word = "none", .min = 1e-30, .max = 1e30, .unit = "s",
     .doc = "model time at which the run ends, '6 days'; give this or steps"},
    {AT(time, steps), .def = "none", .word = "none", .min = 1, .max = 1e15, .unit = "1",
     .doc = "time steps after which the run ends; give this or end"},
    {AT(time, dt), .def = "auto", .word = "auto", .min = 1e-30, .max = 1e30, .unit = "s",
     .doc = "length of a step; auto: as long as cfl and dt_max allow"},
    {AT(time, cfl), .def = "0.9", .min = 1e-3, .max = 1, .unit = "1",
     .doc = "share of the stability limit that an automatic step uses"},
    {AT(time, dt_max), .def = "none", .word = "none", .min = 1e-30, .max = 1e30, .unit = "s",
     .doc = "longest step allowed"},
    {AT(time, dt_interval), .def = "10", .min = 1, .max = 1e9, .unit = "1",
     .doc = "steps between two estimates of an automatic step"},
    {AT(time, scheme), .def = "default", .choices = "default|euler|ssprk3|rk3|rk4",
     .doc = "time scheme; default: the one that the model prefers"},
    {AT(time, start), .def = "2000-01-01 00:00:00", .doc = "date of model time 0"},
    {AT(time, calendar), .def = "proleptic_gregorian",
     .choices = "standard|gregorian|proleptic_gregorian|julian|noleap|365_day|all_leap|366_day|"
                "360_day",
     .doc = "calendar of the dates, as in the CF conventions"},
};

static const pel_param parallel[] = {
    {AT(parallel, ranks), .def = "auto", .word = "auto", .min = 1, .max = 1e7, .unit = "1",
     .doc = "MPI ranks that 'pelsim run' starts; auto: one, or as many as mpirun started"},
    {AT(parallel, threads), .def = "auto", .word = "auto", .min = 1, .max = 4096, .unit = "1",
     .doc = "threads a rank; auto: the cores, shared among the ranks of the node"},
    {AT(parallel, blocks), .def = "auto", .word = "auto", .min = 1, .max = 1e6, .unit = "1",
     .doc = "blocks a rank; more of them let work move between ranks"},
    {AT(parallel, block_grid), .def = "auto", .word = "auto",
     .doc = "blocks along each axis of the grid, '4x2'"},
    {AT(parallel, tile), .def = "auto", .word = "auto",
     .doc = "cells a thread works on at a time, '256x8x4'; auto: sized to the cache"},
    {AT(parallel, overlap), .def = "yes", .doc = "compute while halos travel"},
    {AT(parallel, balance_every), .def = "100", .word = "never", .min = 1, .max = 1e15, .unit = "1",
     .doc =
         "steps between looks at whether blocks should go to other ranks; needs more blocks than "
         "ranks"},
    {AT(parallel, balance_threshold), .def = "1.1", .min = 1, .max = 1e6, .unit = "1",
     .doc =
         "blocks move if the slowest rank computes so many times as long as the mean, and if that "
         "pays; 1: whenever costs have changed, whatever it gains"},
};

static const pel_param output[] = {
    {AT(output, dir), .def = "auto", .word = "auto",
     .doc = "directory of the run; auto: out/<name of the configuration>"},
    {AT(output, fields), .def = "standard", .word = "standard",
     .doc = "fields to write, 'u, v, vorticity', or of particles 'position, image, velocity, "
            "force'; standard: the model's choice"},
    {AT(output, interval), .def = "none", .word = "none", .min = 1e-30, .max = 1e30, .unit = "s",
     .doc = "model time between two records of the fields"},
    {AT(output, every), .def = "none", .word = "none", .min = 1, .max = 1e15, .unit = "1",
     .doc = "steps between two records of the fields"},
    {AT(output, precision), .def = "double", .choices = "double|single",
     .doc = "precision of the fields in the file"},
};

static const pel_param checkpoint[] = {
    {AT(checkpoint, interval), .def = "none", .word = "none", .min = 1e-30, .max = 1e30,
     .unit = "s", .doc = "model time between two checkpoints"},
    {AT(checkpoint, wall_interval), .def = "auto", .word = "auto", .min = 1, .max = 1e30,
     .unit = "s",
     .doc = "wall-clock time between two checkpoints; auto: what loses the least, given what one "
            "takes and how often runs fail (Daly 2006)"},
    {AT(checkpoint, mtbf), .def = "24 h", .min = 1, .max = 1e30, .unit = "s",
     .doc = "mean wall-clock time until a run of this size fails, for wall_interval = auto"},
    {AT(checkpoint, every), .def = "none", .word = "none", .min = 1, .max = 1e15, .unit = "1",
     .doc = "steps between two checkpoints"},
    {AT(checkpoint, keep), .def = "2", .min = 1, .max = 1e6, .unit = "1",
     .doc = "newest checkpoints that are kept, older ones are removed"},
    {AT(checkpoint, at_end), .def = "yes", .doc = "write a checkpoint at the end of the run"},
};

static const pel_param diagnostics[] = {
    {AT(diagnostics, interval), .def = "none", .word = "none", .min = 1e-30, .max = 1e30,
     .unit = "s", .doc = "model time between two rows of diagnostics.csv"},
    {AT(diagnostics, every), .def = "10", .word = "none", .min = 1, .max = 1e15, .unit = "1",
     .doc = "steps between two rows of diagnostics.csv"},
    {AT(diagnostics, nan_watch), .def = "yes", .doc = "stop when a field is not finite"},
    {AT(diagnostics, invariants), .def = "yes",
     .doc = "stop when a conserved quantity of the model drifts beyond its tolerance"},
};

static const pel_param analysis[] = {
    {AT(analysis, from), .def = "0", .min = 0, .max = 1e15, .unit = "1",
     .doc = "step from which on particles are analysed; before, they come to equilibrium"},
    {AT(analysis, averages), .def = "no",
     .doc = "means of the columns of diagnostics.csv, with errors, and these columns"},
    {AT(analysis, rdf), .def = "no", .doc = "radial distribution of each pair of types"},
    {AT(analysis, rdf_every), .def = "50", .min = 1, .max = 1e15, .unit = "1",
     .doc = "steps between two samples of the radial distribution"},
    {AT(analysis, rdf_bins), .def = "200", .min = 1, .max = 1e4, .unit = "1",
     .doc = "intervals of distance into which it is divided"},
    {AT(analysis, rdf_range), .def = "auto", .word = "auto", .min = 1e-6, .max = 1e6, .unit = "1",
     .doc = "largest distance, at most half the box; auto: the cut-off"},
    {AT(analysis, msd), .def = "no",
     .doc = "mean square displacement of each type, and the diffusion that follows"},
    {AT(analysis, vacf), .def = "no",
     .doc = "autocorrelation of the velocity of each type, and the diffusion that follows"},
    {AT(analysis, every), .def = "5", .min = 1, .max = 1e15, .unit = "1",
     .doc = "steps between two samples of msd and vacf"},
    {AT(analysis, origins), .def = "100", .min = 1, .max = 1e15, .unit = "1",
     .doc = "steps between two origins of time, from which msd and vacf are counted"},
    {AT(analysis, window), .def = "1000", .min = 1, .max = 1e15, .unit = "1",
     .doc = "steps for which each origin is followed"},
};

void pel__settings_bindings(pel__settings *s, pel__binding b[PEL__NSETTINGS]) {
  const pel__binding all[PEL__NSETTINGS] = {
      {"run", run, PEL_N(run), s},
      {"time", time_, PEL_N(time_), s},
      {"parallel", parallel, PEL_N(parallel), s},
      {"output", output, PEL_N(output), s},
      {"checkpoint", checkpoint, PEL_N(checkpoint), s},
      {"diagnostics", diagnostics, PEL_N(diagnostics), s},
      {"analysis", analysis, PEL_N(analysis), s},
  };
  memcpy(b, all, sizeof all);
}

/* ---- the model */

const pel_model *pel__settings_model(pel__config *c, const pel_model *const *models, int n) {
  const char *name = pel__config_get(c, "run", "model"), *best = NULL;
  char list[600] = "none";
  size_t at = 0;
  for (int i = 0; i < n; ++i) {
    if (name && strcmp(models[i]->name, name) == 0) return models[i];
    if (name) pel__suggest(name, models[i]->name, &best);
    if (at < sizeof list)
      at += (size_t)snprintf(list + at, sizeof list - at, "%s%s", i ? ", " : "", models[i]->name);
  }
  if (!name || !*name)
    pel__config_reject(c, "run", "model", "must be given (what to simulate); expected one of: %s",
                       list);
  else if (best)
    pel__config_reject(c, "run", "model",
                       "'%.64s' is not a model; did you mean '%s'? expected one of: %s", name, best,
                       list);
  else
    pel__config_reject(c, "run", "model", "'%.64s' is not a model; expected one of: %s", name,
                       list);
  return NULL;
}

/* ---- several keys together */

/* Given, and neither usable nor 'none': that has been told already. */
static bool wrong(const pel__config *c, const char *key, bool usable) {
  const char *text = pel__config_get(c, "time", key);
  return text && !usable && strcmp(text, "none") != 0;
}

static void check_end(pel__config *c, const pel__settings *s) {
  const bool end = s->time.end > 0, steps = s->time.steps > 0;
  if (end && steps)
    pel__config_reject(c, "time", "steps",
                       "given together with 'end'; keep one of them, or set one to 'none'");
  else if (!end && !steps && !wrong(c, "end", end) && !wrong(c, "steps", steps))
    pel__config_reject(c, "time", "end",
                       "nothing says when the run ends; give 'end' (a model time, such as "
                       "'6 days') or 'steps'");
}

static void check_shape(pel__config *c, const char *key, const char *text) {
  int64_t n[3];
  if (pel__shape(text, n) < 0)
    pel__config_reject(c, "parallel", key,
                       "'%.64s' is not a shape; expected one to three numbers joined by 'x', "
                       "such as '4x2', or 'auto'",
                       text);
}

void pel__settings_check(pel__config *c, pel__settings *s) {
  check_end(c, s);
  if (s->time.dt > 0 && s->time.dt_max > 0 && s->time.dt > s->time.dt_max)
    pel__config_reject(c, "time", "dt", "%g s is longer than 'dt_max', %g s; change one of them",
                       s->time.dt, s->time.dt_max);
  char date[80], why[120];
  if (pel__date(s->time.start, s->time.calendar, date, why))
    strcpy(s->time.start, date);
  else
    pel__config_reject(c, "time", "start", "%s", why);
  check_shape(c, "block_grid", s->parallel.block_grid);
  check_shape(c, "tile", s->parallel.tile);
  if (s->parallel.blocks > 0 && s->parallel.block_grid[0])
    pel__config_reject(c, "parallel", "blocks",
                       "given together with 'block_grid'; keep one of them");
}

int pel__shape(const char *text, int64_t n[3]) {
  n[0] = n[1] = n[2] = 0;
  if (!*text) return 0;
  for (int axis = 0; axis < 3; ++axis) {
    int64_t value = 0;
    int digits = 0;
    for (; *text >= '0' && *text <= '9'; ++text, ++digits)
      if (value < INT32_MAX) value = 10 * value + (*text - '0');
    if (digits == 0 || value == 0 || value > INT32_MAX) return -1;
    n[axis] = value;
    if (!*text) return axis + 1;
    if (*text++ != 'x') return -1;
  }
  return -1;
}
