/* For the author of a model: everything a model needs, and the only core header it includes.
 *
 * A model is one `const pel_model`: tables that declare parameters, fields and diagnostics, and
 * small serial kernels that update one box of cells.  It owns no field memory, no loop over ranks
 * or threads, no file and no message.  From the tables the layer derives input checking, units,
 * documentation, halo exchange, threading, output, checkpoints, restart and the conformance tests,
 * and the bits of the result do not depend on how it was run.
 *
 * The state of a model is a plain struct that the tables describe by member.  The layer keeps one
 * copy of it for each block and thread with the field pointers set; kernels read it, never write.
 *
 * Indices: kernels address cell (i,j,k) of a block as p = k*sz + j*sy + i, where (0,0,0) is the
 * block's first owned cell and negative indices reach the halo.  Every field of a block shares
 * these strides.  An axis that the grid does not have has stride 0, so that a neighbour along it
 * is the cell itself and a difference across it is exactly zero.
 *
 * Staggering: a face field has one point a cell, on the cell's LOWER face (MITgcm's convention):
 * PEL_FACE_X at i-1/2, PEL_FACE_Y at j-1/2, PEL_CORNER_XY at (i-1/2, j-1/2).  On a walled or polar
 * axis the last face (index N) is not a point of the field; the boundary rule supplies it. */
#ifndef PELSIM_MODEL_H
#define PELSIM_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Raised whenever a struct below changes; a plug-in built against another value is refused. */
#define PEL_ABI 3

/* Marks what plug-ins may call: the command exports these functions and nothing else. */
#define PEL_API __attribute__((visibility("default")))

#define PEL_PI 3.14159265358979323846
#define PEL_N(table) ((int)(sizeof(table) / sizeof *(table)))
#define PEL_TEXT_MAX 256 /* bytes of a PEL_TEXT member, terminator included */

typedef struct pel_sim pel_sim; /* opaque: one running simulation */

/* ---- parameters ---- */

typedef enum { PEL_REAL, PEL_INT, PEL_BOOL, PEL_CHOICE, PEL_TEXT } pel_type;

/* One key of the configuration.  The default is text and takes the same path as user input. */
typedef struct {
  const char *key;
  pel_type type;
  size_t offset;       /* of the member: double, int64_t, bool, int (index of the choice), char[] */
  const char *def;     /* NULL: the user must give it */
  double min, max;     /* inclusive, both 0: no limit; PEL_REAL (in .unit) and PEL_INT only */
  const char *unit;    /* UDUNITS-2 name in which the member is stored; "1" if dimensionless */
  const char *choices; /* PEL_CHOICE: "a|b|c"; PEL_TEXT: the only texts allowed, if any */
  const char *doc;     /* one sentence without a full stop */
  const char *section; /* NULL: the section named after the model */
  const char *word;    /* a word ("auto") that may stand for the value of a PEL_REAL, PEL_INT or
                          PEL_TEXT; it stores 0 or "", which min and max need not allow */
} pel_param;

/* clang-format off */
#define PEL_TYPE_OF(m) _Generic((m), double: PEL_REAL, int64_t: PEL_INT, bool: PEL_BOOL, \
                                int: PEL_CHOICE, char *: PEL_TEXT)
/* The key is the member's name and the type is the member's type, so neither can drift. */
#define PEL_PARAM(T, m, DEF, MIN, MAX, UNIT, DOC, ...)                                      \
  { .key = #m, .type = PEL_TYPE_OF(((T *)0)->m), .offset = offsetof(T, m), .def = DEF,      \
    .min = MIN, .max = MAX, .unit = UNIT, .doc = DOC, __VA_ARGS__ }
#define PEL_OPTION(T, m, DEF, CHOICES, DOC, ...)                                            \
  { .key = #m, .type = PEL_TYPE_OF(((T *)0)->m), .offset = offsetof(T, m), .def = DEF,      \
    .choices = CHOICES, .doc = DOC, __VA_ARGS__ }   /* int (choice), bool or text */
/* clang-format on */

/* ---- the grid ---- */

/* What lies beyond the ends of an axis.  PEL_POLE: the axis is latitude and axis 0 longitude; the
 * neighbour across the pole lies half a circle away, so axis 0 must be periodic and even. */
typedef enum { PEL_PERIODIC, PEL_WALL, PEL_POLE } pel_end;

/* How a field continues beyond a wall.  Even/odd mirror about the wall face; PEL_FIXED makes the
 * value AT the wall face equal to .wall_value to second order; PEL_COPY repeats the last cell;
 * PEL_AXIS_RULE, the default, is what the grid's axis says. */
typedef enum { PEL_AXIS_RULE, PEL_EVEN, PEL_ODD, PEL_FIXED, PEL_COPY } pel_rule;

typedef struct {
  int64_t n;                        /* cells; 1 for an axis that does not exist */
  pel_end end;                      /* both ends */
  pel_rule wall;                    /* PEL_WALL: rule of fields that name none; default PEL_EVEN */
  const char *name;                 /* "x", "lon": name of the dimension in files */
  const char *unit, *standard_name; /* CF; standard_name may be NULL */
  double origin, spacing;           /* lower face of cell i is at origin + i*spacing, in .unit */
} pel_axis;

typedef struct {
  int dims; /* 1, 2 or 3: axes 0 .. dims-1 exist */
  pel_axis axis[3];
} pel_grid;

/* A Cartesian box of 1, 2 or 3 dimensions, as [grid] keys: make it a member of the state, put
 * PEL_BOX_PARAMS into the parameters and let .grid call pel_box_grid. */
typedef struct {
  int64_t nx, ny, nz;
  double lx, ly, lz; /* [m] */
  int boundary;      /* enum below */
} pel_box;

enum { PEL_BOX_PERIODIC, PEL_BOX_EVEN, PEL_BOX_FIXED };

/* clang-format off */
#define PEL_BOX_PARAM_(T, b, m, TYPE, ...) \
  { .key = #m, .type = TYPE, .offset = offsetof(T, b) + offsetof(pel_box, m), .section = "grid", __VA_ARGS__ }
#define PEL_BOX_N_(T, b, m, DEF) PEL_BOX_PARAM_(T, b, n##m, PEL_INT, .def = DEF, .min = 1, \
    .max = 1e6, .unit = "1", .doc = "cells along " #m)
#define PEL_BOX_L_(T, b, m) PEL_BOX_PARAM_(T, b, l##m, PEL_REAL, .def = "1", .min = 1e-9, \
    .max = 1e12, .unit = "m", .doc = "length along " #m)
#define PEL_BOX_PARAMS(T, b)                                                             \
  PEL_BOX_N_(T, b, x, "128"), PEL_BOX_N_(T, b, y, "1"), PEL_BOX_N_(T, b, z, "1"),        \
  PEL_BOX_L_(T, b, x), PEL_BOX_L_(T, b, y), PEL_BOX_L_(T, b, z),                         \
  PEL_BOX_PARAM_(T, b, boundary, PEL_CHOICE, .def = "periodic", .choices = "periodic|even|fixed", \
    .doc = "beyond the ends: wrap around, mirror image (no flux), or a fixed value")
/* clang-format on */

/* dims: the last axis with more than one cell; the axes are x, y, z in metres from 0. */
PEL_API void pel_box_grid(pel_grid *g, const pel_box *b);

/* ---- tiles and kernels ---- */

/* One box of cells to work on: lo <= (i,j,k) < hi in the block's indices. */
typedef struct {
  int lo[3], hi[3];
  ptrdiff_t sy, sz;
  int64_t first[3]; /* global index of the block's cell (0,0,0) */
  int64_t n[3];     /* cells of the whole grid */
  double origin[3]; /* of the axes, in their units */
  double d[3];      /* cell sizes, in the axes' units */
  double time, dt;  /* model time of the state that is read [s]; length of the step [s] */
  double *out;      /* diagnostics, limits, outputs, sums, exact: where the value of cell p goes */
  pel_sim *sim;     /* for pel_fail */
} pel_tile;

typedef void pel_kernel(const pel_tile *t, const void *state);

/* Coordinate of the lower face of cell i (block index) along axis a; the centre is at i + 0.5. */
static inline double pel_coordinate(const pel_tile *t, int a, double i) {
  return t->origin[a] + ((double)t->first[a] + i) * t->d[a];
}

/* Loops over the rows of a tile; the body sees j, k and the row's range of indices [p0, p1). */
#define PEL_ROWS(t, j, k, p0, p1)                                       \
  for (ptrdiff_t k = (t)->lo[2]; k < (t)->hi[2]; ++k)                   \
    for (ptrdiff_t j = (t)->lo[1]; j < (t)->hi[1]; ++j)                 \
      for (ptrdiff_t p0 = k * (t)->sz + j * (t)->sy + (t)->lo[0],       \
                     p1 = p0 + ((t)->hi[0] - (t)->lo[0]), pel_once = 1; \
           pel_once; pel_once = 0)

/* Loops over the cells of a tile, for what need not be fast: the body sees i, j, k and p. */
#define PEL_EACH(t, i, j, k, p)     \
  PEL_ROWS(t, j, k, pel_p0, pel_p1) \
  for (ptrdiff_t p = pel_p0, i = (t)->lo[0]; p < pel_p1; ++p, ++i)

/* ---- fields ---- */

typedef enum { PEL_CENTRE, PEL_FACE_X, PEL_FACE_Y, PEL_FACE_Z, PEL_CORNER_XY } pel_place;

/* A named array on the grid, one double a cell.  The layer allocates it and points the member
 * (double *) at cell (0,0,0).
 * - prognostic: part of the state; saved, restored, watched for NaN.  With .rate, the member that
 *   receives d(field)/dt, the chosen time scheme advances it; without, the program itself does.
 * - a prognostic field with .fixed is set by init and never changed (topography): saved, not
 * advanced.
 * - otherwise derived: recomputed each step, possibly only in cache, never saved. */
typedef struct {
  const char *name; /* in files; the key of [output] fields */
  size_t offset;    /* of the double * member */
  size_t rate;      /* 1 + offset of the double * member for the tendency; 0: none */
  pel_place place;
  bool prognostic, fixed;
  bool vector;       /* changes sign across a pole (a horizontal vector component) */
  pel_rule wall[3];  /* beyond the walls of each axis */
  double wall_value; /* for PEL_FIXED */
  const char *unit, *standard_name, *doc;
  bool (*when)(const void *state); /* NULL: always; false: the field does not exist in this run */
} pel_field;

/* clang-format off */
#define PEL_FIELD(T, m, ...) { .name = #m, .offset = offsetof(T, m), __VA_ARGS__ }
#define PEL_RATE(T, m) (offsetof(T, m) + 1)
/* clang-format on */

/* A table along one axis, a pure function of the global index (metric terms, Coriolis parameter):
 * the member (double *) is indexed by the block's own i, j or k, halo included.  The function is
 * also called for indices beyond the ends and must return something finite there.
 * PEL_WAVE: indexed by wave number 0 .. n[0]/2 along axis 0.  In spectral kernels the tables of
 * axes 1 and 2 are indexed by the line's GLOBAL j and k. */
enum { PEL_WAVE = 3 };

typedef struct {
  size_t offset; /* of the double * member */
  int axis;
  double (*value)(const void *state, int64_t index);
  const char *doc;
} pel_profile;

/* ---- the program: one time step ---- */

typedef struct {
  size_t field; /* offset of the field's (or its rate's) member */
  int radius;   /* furthest neighbour read along any axis, diagonals included */
} pel_access;

#define PEL_AT(T, m, r) \
  { offsetof(T, m), r }

typedef enum {
  PEL_CELLS,    /* .kernel on every tile */
  PEL_SPECTRAL, /* .spectral on every selected line along axis 0 of the fields it writes */
  PEL_REDUCE    /* .kernel puts a value a cell into t->out; their exact sum goes to .result */
} pel_kind;

/* A whole line along axis 0 in spectral space: c[0 .. n/2], the unnormalised real-to-complex
 * transform in FFTW's convention; the layer transforms back and divides by n. */
typedef struct {
  int64_t j, k;    /* global indices of the line */
  pel_place place; /* of the field */
  int n;           /* points of the line */
  double (*c)[2];  /* (re, im), to be changed in place */
} pel_line;

/* A stage never reads, at a neighbour, what it writes.  Where a halo is needed follows from
 * .reads and .writes alone: a cell kernel may also be run on a tile widened into the halo when a
 * later stage reads what it writes, so it must be valid wherever its inputs are. */
typedef struct {
  const char *name;
  pel_kind kind;
  pel_kernel *kernel;
  void (*spectral)(const pel_line *l, const void *state);
  bool (*line)(const void *state, pel_place place, int64_t j, int64_t k); /* NULL: every line */
  const pel_access *reads;
  int nreads;
  const size_t *writes; /* offsets of field members or rates; a spectral stage works in place */
  int nwrites;
  size_t result; /* PEL_REDUCE: offset of a double member */
  enum { PEL_EVERYWHERE, PEL_FIRST_ROW, PEL_LAST_ROW } where; /* PEL_REDUCE: rows of axis 1 */
  bool (*when)(const void *state); /* NULL: always; asked once, after setup */
} pel_stage;

/* clang-format off */
#define PEL_READS(...) .reads = (const pel_access[]){__VA_ARGS__}, \
                       .nreads = PEL_N(((const pel_access[]){__VA_ARGS__}))
#define PEL_WRITES(...) .writes = (const size_t[]){__VA_ARGS__}, \
                        .nwrites = PEL_N(((const size_t[]){__VA_ARGS__}))
#define PEL_OF(T, m) offsetof(T, m)
/* clang-format on */

/* ---- what is measured ---- */

typedef enum { PEL_SUM, PEL_MIN, PEL_MAX, PEL_MEAN } pel_reduction;

typedef struct pel_totals pel_totals; /* pelsim/particles.h */

/* A global number, one column of diagnostics.csv; its kernel puts a value a cell into t->out.
 * Sums are exact, then rounded once: independent of order and layout.  In a particle model it is a
 * function of exact sums over all particles, .total. */
typedef struct {
  const char *name;
  pel_reduction reduction;
  pel_kernel *kernel;
  const pel_access *reads;
  int nreads;
  bool conserved;   /* a watched invariant: |x(t)-x(0)| <= tolerance*|x(0)|, or the run stops */
  double tolerance; /* used when conserved */
  double scale;     /* |x(0)| counts as at least this much: for what may be near zero by chance */
  const char *unit, *doc;
  bool (*when)(const void *state);
  double (*total)(const pel_totals *t, const void *state);
  const char *(*units)(const void *state); /* instead of .unit where it depends on parameters */
  bool (*watched)(const void *state);      /* whether a conserved one is watched; NULL: yes */
} pel_diagnostic;

/* A limit of the time step: the kernel puts a rate [s-1] a cell into t->out.  PEL_OSCILLATES: the
 * largest frequency (imaginary eigenvalue); PEL_DECAYS: the largest decay rate (real eigenvalue).
 * dt <= cfl * (the scheme's stability bound) / max(rate). */
typedef enum { PEL_OSCILLATES, PEL_DECAYS } pel_spectrum;

typedef struct {
  const char *name; /* "gravity wave", "diffusion" */
  pel_spectrum spectrum;
  pel_kernel *kernel;
  const pel_access *reads;
  int nreads;
  const char *doc;
  bool (*when)(const void *state);
} pel_limit;

/* A field computed only when it is written; the kernel puts the value of each cell into t->out. */
typedef struct {
  const char *name;
  pel_place place;
  pel_kernel *kernel;
  const pel_access *reads;
  int nreads;
  bool standard; /* written unless [output] fields says otherwise */
  const char *unit, *standard_name, *doc;
  bool (*when)(const void *state);
} pel_output;

/* The exact value of a field at t->time, into t->out.  diagnostics.csv then has the normalised
 * errors NAME_l1, NAME_l2, NAME_linf (Williamson et al. 1992, eqs. 82-84), weighted by .weight. */
typedef struct {
  size_t field; /* offset of the field's member */
  pel_kernel *kernel;
  pel_kernel *weight; /* area or volume of the cell into t->out; NULL: all equal */
  bool (*when)(
      const void *state); /* NULL: always; false: no exact solution with these parameters */
} pel_exact;

/* ---- the model ---- */

typedef struct pel_particle_model pel_particle_model; /* pelsim/particles.h */

typedef struct {
  const char *name, *doc, *cite; /* doc: one sentence; cite: where the equations come from */
  size_t state_size;
  const pel_param *params;
  const pel_field *fields;
  const pel_profile *profiles;
  const pel_stage *init; /* cell stages that fill the prognostic fields at step 0; none: .exact */
  const pel_stage *program; /* evaluated once a substage of the time scheme */
  const pel_diagnostic *diagnostics;
  const pel_limit *limits;
  const pel_output *outputs;
  const pel_exact *exact;
  int nparams, nfields, nprofiles, ninit, nprogram, ndiagnostics, nlimits, noutputs, nexact;
  const char *scheme; /* default of [time] scheme: "euler", "ssprk3", "rk3", "rk4" */
  const pel_particle_model *particles; /* of particles instead of fields; then without .grid */

  /* Hooks, in the order in which they run, once on every rank; each may be NULL but .grid. */
  void (*setup)(pel_sim *s, void *state);       /* derive constants; reject bad combinations */
  void (*grid)(pel_grid *g, const void *state); /* describe the grid */
  void (*load)(pel_sim *s, void *state);        /* before init and again on restart: read maps */
} pel_model;

/* clang-format off */
#define PEL_TABLE(t) .t = t, .n##t = PEL_N(t) /* a table named like its member */
#define PEL_TABLES2(a, b) PEL_TABLE(a), PEL_TABLE(b)
#define PEL_TABLES3(a, ...) PEL_TABLE(a), PEL_TABLES2(__VA_ARGS__)
#define PEL_TABLES4(a, ...) PEL_TABLE(a), PEL_TABLES3(__VA_ARGS__)
#define PEL_TABLES5(a, ...) PEL_TABLE(a), PEL_TABLES4(__VA_ARGS__)
#define PEL_MODEL(NAME, T, DOC, CITE) .name = NAME, .doc = DOC, .cite = CITE, .state_size = sizeof(T)
/* clang-format on */

/* What a plug-in exports, under the name pel_plugin. */
typedef struct {
  int abi; /* PEL_ABI */
  const pel_model *model;
} pel_plugin_info;
#define PEL_PLUGIN(M) \
  __attribute__((visibility("default"))) const pel_plugin_info pel_plugin = {PEL_ABI, &(M)}

/* ---- what a model may ask of the layer ---- */

/* In setup and load: report a wrong parameter and carry on; every such sentence is shown with the
 * line of the key, and the run ends with exit code 2.  section NULL: the model's own. */
PEL_API void pel_reject(pel_sim *s, const char *section, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* In setup and load: true if the state will come from a checkpoint, so that maps which only init
 * looks at need not be read. */
PEL_API bool pel_resuming(const pel_sim *s);

/* In setup and load: true if the user gave this key (file or command line). */
PEL_API bool pel_given(const pel_sim *s, const char *section, const char *key);

/* Anywhere, kernels included: report that the simulation became invalid, and carry on.  All ranks
 * learn of it in the step's agreement and stop together with the first message and exit code 3. */
PEL_API void pel_fail(pel_sim *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Memory for the state beyond fields and profiles, zeroed, freed with the simulation.  In setup. */
PEL_API void *pel_alloc(pel_sim *s, size_t bytes);

/* Four random numbers, normally distributed or uniform in (0, 1): a pure function of the arguments
 * (Philox4x64: Salmon et al. 2011, doi:10.1145/2063384.2063405).  purpose: what they are for. */
PEL_API void pel_random_normal(int64_t seed, int64_t id, int64_t step, int64_t purpose,
                               double z[4]);
PEL_API void pel_random_uniform(int64_t seed, int64_t id, int64_t step, int64_t purpose,
                                double u[4]);

/* The bytes of a file, a 0 behind them; every rank holds all of them, read by one.  A relative file
 * is looked for from the working directory, then from the configuration's.  Collective; in setup
 * and load.  Returns NULL after a rejection.  Owned by the simulation. */
PEL_API const char *pel_text_read(pel_sim *s, const char *section, const char *key,
                                  const char *file, size_t *size);

/* pel_reject for what is wrong within a file: the run ends with exit code 4. */
PEL_API void pel_unreadable(pel_sim *s, const char *section, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* A latitude-longitude map read from a CF netCDF file, every rank holding all of it. */
typedef struct {
  int nlat, nlon;
  double *lat, *lon; /* [degrees], both ascending; lon spans less than 360 */
  double *value;     /* value[j*nlon + i], in the unit asked for */
} pel_map;

/* Reads variable (its name or standard_name; NULL or "": the only one with latitude and longitude)
 * at one time ("first", "last", an index, or an ISO date) and level (a value in the file's own
 * unit; "" when there is none), converts to `unit`, repairs the order of latitudes and longitudes.
 * A relative file is looked for from the working directory, then from the configuration's.
 * Missing values, packed data, unknown names: one sentence through pel_reject on section/key.
 * Collective; in load.  Returns NULL after a rejection.  Owned by the simulation. */
PEL_API const pel_map *pel_map_read(pel_sim *s, const char *section, const char *key,
                                    const char *file, const char *variable, const char *time,
                                    const char *level, const char *unit);

/* Value at a point [degrees], bicubic (Catmull-Rom), periodic in longitude, across the poles. */
PEL_API double pel_map_at(const pel_map *m, double lat, double lon);

#endif
