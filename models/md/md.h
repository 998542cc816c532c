/* What the models of this folder share: units, the start, the step, what is measured.
 *
 * A model is a potential: its state begins with a pel__md, its tables take over those of this file
 * by PEL__MD_PARAMS, PEL__MD_COMMON, PEL__MD_DIAGNOSTICS and PEL__MD_DYNAMICS, and its setup calls
 * pel__md_setup.
 *
 *   typedef struct { pel__md md; double depth, stiffness, distance; } morse;
 *
 * Numbers in a configuration are in the system of units that [start] units names, as in LAMMPS, and
 * are written without unit; inside, masses are such that m v^2 is an energy (see units.h). */
#ifndef PEL_MD_MD_H
#define PEL_MD_MD_H

#include "ensemble.h"
#include "lattice.h"
#include "pelsim/particles.h"
#include "units.h"

enum { PEL__MD_AUTO, PEL__MD_TWO, PEL__MD_THREE }; /* dimensions */

typedef struct {
  /* Parameters, [start]. */
  int units, lattice, walls, format, dimensions;
  int precision; /* parameter of the potential's section */
  int64_t nx, ny, nz, seed;
  double density, spacing, temperature; /* density, spacing: 0 is auto */
  char composition[PEL_TEXT_MAX], mass[PEL_TEXT_MAX], room[PEL_TEXT_MAX];
  char file[PEL_TEXT_MAX], frame[PEL_TEXT_MAX];

  pel__md_ensemble ensemble; /* [ensemble] */

  /* Parameters in the section of the potential: of all, PEL__MD_COMMON, and of those that name
   * them, PEL__MD_CUTOFF and PEL__MD_SHIFT. */
  double skin, cutoff; /* 0: auto */
  int shift;           /* a pel__lj_kind */

  /* Set by pel__md_setup. */
  const pel__md_units *unit;
  pel__md_crystal crystal;       /* places, types; from a file: numbers of particles only */
  double length[3];              /* of the box */
  const pel_particle_file *from; /* NULL: from a lattice */
  bool draws;                    /* velocities, though the file may have some */
  double m[PEL_TYPES]; /* masses by type; a potential that knows them sets them, in the unit of
                          its file, before pel__md_setup: [start] mass then need not be given */

  /* Set by the potential after pel__md_setup: what lies beyond the cut-off adds tail_energy/V to
   * the energy and tail_virial/V to the virial, V the volume.  See pel__md_tail. */
  double tail_energy, tail_virial;
} pel__md;

/* ---- parameters: PEL__MD_PARAMS first in a model's params[], PEL__MD_COMMON last ---- */

/* clang-format off */
#define PEL__MD_START_(m, DEF, MIN, MAX, ...) \
  PEL_PARAM(pel__md, m, DEF, MIN, MAX, "1", __VA_ARGS__, .section = "start")
#define PEL__MD_PARAMS                                                                        \
  PEL_OPTION(pel__md, units, "lj", PEL__MD_UNITS,                                             \
             "units of all numbers: reduced, or those of the LAMMPS style of this name",      \
             .section = "start"),                                                             \
  PEL_OPTION(pel__md, lattice, "fcc", PEL__MD_LATTICES,                                       \
             "on which particles start; square and hex are two-dimensional",                  \
             .section = "start"),                                                             \
  PEL__MD_START_(nx, "20", 1, 2000, "cells of the lattice along x"),                          \
  PEL__MD_START_(ny, "20", 1, 2000, "cells of the lattice along y"),                          \
  PEL__MD_START_(nz, "20", 1, 2000, "cells of the lattice along z"),                          \
  PEL__MD_START_(density, "auto", 1e-9, 1e3, "particles a volume; auto: from spacing, or "    \
                 "0.8442 in reduced units", .word = "auto"),                                  \
  PEL__MD_START_(spacing, "auto", 1e-3, 1e6, "edge of the lattice's cell (of hcp and hex: "   \
                 "between neighbours); auto: from density", .word = "auto"),                  \
  PEL_OPTION(pel__md, walls, "none", "none|x|y|z|xy|xz|yz|xyz",                               \
             "axes whose ends reflect; the others are periodic", .section = "start"),         \
  PEL_OPTION(pel__md, composition, "1",  NULL,                                                \
             "parts of each type of particle, as in '4, 1'", .section = "start"),             \
  PEL_OPTION(pel__md, mass, "1", NULL, "mass of each type, or one for all",                   \
             .section = "start"),                                                             \
  PEL_OPTION(pel__md, room, "1", NULL, "box along x, y and z in units of the crystal, which " \
             "stands in its middle: '1, 1, 3' is a slab", .section = "start"),                \
  PEL_OPTION(pel__md, file, "none", NULL,                                                     \
             "particles to start with instead of a lattice", .word = "none",                  \
             .section = "start"),                                                             \
  PEL_OPTION(pel__md, format, "auto", "auto|lammps|xyz|nist|h5md",                            \
             "of file: LAMMPS data, extended XYZ, NIST text, H5MD; auto: looks into it",      \
             .section = "start"),                                                             \
  PEL_OPTION(pel__md, dimensions, "auto", "auto|2|3",                                         \
             "of what is in file; in two z is ignored; auto: three, unless all z are the same, "  \
             "which then must be said", .section = "start"),                                  \
  PEL_OPTION(pel__md, frame, "last", NULL, "of file: first, last or a number from 0",         \
             .section = "start"),                                                             \
  PEL__MD_START_(temperature, "1.44", 0, 1e6, "temperature at the start"),                    \
  PEL__MD_START_(seed, "1", 0, 1e15, "of the random numbers"),                                \
  PEL__MD_ENSEMBLE_PARAMS

/* In the section of the potential.  PEL__MD_CUTOFF takes its default, the end of its sentence or "",
 * and further members. */
#define PEL__MD_COMMON                                                                        \
  PEL_OPTION(pel__md, precision, "double", "double|mixed",                                    \
             "of what a pair adds; mixed: single, summed exactly: changes the last digits"),  \
  PEL_PARAM(pel__md, skin, "auto", 1e-6, 100, "1",                                            \
            "margin of the lists of neighbours; auto: the fastest, found by measurement; "    \
            "changes the speed, never the result", .word = "auto")
#define PEL__MD_CUTOFF(DEF, ...)                                                              \
  PEL_PARAM(pel__md, cutoff, DEF, 1e-3, 1e3, "1",                                             \
            "distance from which particles do not feel each other" __VA_ARGS__)
#define PEL__MD_SHIFT                                                                         \
  PEL_OPTION(pel__md, shift, "none", "none|energy|force",                                     \
             "what is continued to zero at the cut-off: nothing, the energy, or the force too")
/* clang-format on */

/* Kernels of the precision that is asked for, of the two named K and K_mixed. */
#define PEL__MD_PRECISE(md, K) (pel__md_is_mixed(md) ? &K##_mixed : &(K))
static inline bool pel__md_is_mixed(const pel__md *md) { return md->precision == 1; }
/* The edge of the cube, or square, that each particle has to itself at the start. */
double pel__md_neighbours(const pel__md *md);

/* The largest force for pel_pair_stage.ranges: in double precision no pair may have more, in mixed
 * 2^-28 of it is the quantum. */
static inline double pel__md_range(const pel__md *md, double of_double, double of_mixed) {
  return pel__md_is_mixed(md) ? of_mixed : of_double;
}

/* ---- setup ---- */

/* After the potential has read what it knows of masses. */
void pel__md_setup(pel_sim *s, pel__md *md);

/* Numbers in a text, separated by commas: how many, at most n, or 0 after a rejection. */
int pel__md_list(pel_sim *s, const char *section, const char *key, const char *text, double *to,
                 int n);
typedef enum { PEL__MD_ANY, PEL__MD_NOT_NEGATIVE, PEL__MD_POSITIVE } pel__md_bound;
bool pel__md_within(pel__md_bound bound, double x);
/* The same, one a type or one for all types, each within the bound.  After pel__md_setup. */
void pel__md_by_type(pel_sim *s, const pel__md *md, const char *section, const char *key,
                     const char *text, pel__md_bound bound, double *to);
/* False if [start] file could not be read, which has been told. */
bool pel__md_knows_types(const pel__md *md);

/* Adds what n_i n_j pairs of types a volume have beyond the cut-off, as if g(r) = 1 there:
 * energy = 2 pi int u r^2 dr,  virial = -2 pi int u' r^3 dr  for each ordered pair of types. */
void pel__md_tail(pel__md *md, int ti, int tj, double energy, double virial);

/* ---- for the files of this folder ---- */

/* from_file.c: [start] file.  False after a rejection. */
bool pel__md_read(pel_sim *s, pel__md *md);
void pel__md_ensemble_setup(pel_sim *s, pel__md *md);
bool pel__md_has_wall(const pel__md *md, int axis);
double pel__md_pressure(const pel_totals *t, const pel__md *md); /* energy a volume */

/* ---- the rest of the tables ---- */

extern const pel_diagnostic pel__md_diagnostics[];
extern const pel_number pel__md_numbers[];
extern const pel_particle_stage pel__md_program[];
enum { PEL__MD_NDIAGNOSTICS = 6, PEL__MD_NNUMBERS = 8, PEL__MD_NPROGRAM = 16 };

#define PEL__MD_DIAGNOSTICS .diagnostics = pel__md_diagnostics, .ndiagnostics = PEL__MD_NDIAGNOSTICS
#define PEL__MD_DYNAMICS                                                                     \
  .numbers = pel__md_numbers, .nnumbers = PEL__MD_NNUMBERS, .program = pel__md_program,      \
  .nprogram = PEL__MD_NPROGRAM, .box = pel__md_box, .seed = pel__md_seed,                    \
  .temperature = pel__md_temperature, .time_step = pel__md_time_step,                        \
  .time_unit = pel__md_time_unit, .units = pel__md_file_units, .flexible = pel__md_flexible, \
  .skin = pel__md_skin

void pel__md_box(pel_particle_box *b, const void *state);
void pel__md_seed(const void *state, int64_t id, pel_seed *s);
double pel__md_temperature(const void *state);
double pel__md_time_step(const void *state);
double pel__md_time_unit(const void *state);
const pel_particle_units *pel__md_file_units(const void *state);
bool pel__md_flexible(const void *state);
double pel__md_skin(const void *state);

#endif
