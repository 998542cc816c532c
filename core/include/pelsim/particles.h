/* For the author of a particle model: attributes, pair formulas, and what the layer does with them.
 *
 * Particles are a structure of arrays.  Each has a permanent 64-bit id; where it lies in memory
 * changes: the layer sorts particles by place, so that PEL_LANES neighbours in space make a
 * "cluster" that is one vector.  Clusters may hold empty places, whose positions lie far outside
 * the box: whatever a kernel computes there has no effect.
 *
 * Bits.  Positions and box lengths are multiples of a power of two, about 2^-50 of the box
 * (the position lattice): wrapping, shifting by a period and differences are exact, so a pair has
 * the same separation on whichever rank, image or order it is computed.  What is summed over pairs
 * is rounded, pair by pair, to a multiple of a quantum and added as integers: neither the order of
 * pairs, lists, clusters, threads nor ranks matters, and f_ij = -f_ji exactly.  A pair beyond the
 * cut-off contributes exactly nothing, so that rebuilding a list changes no bit.  Ranges are
 * checked: a force or energy too large for its quantum stops the run with the pair named. */
#ifndef PELSIM_PARTICLES_H
#define PELSIM_PARTICLES_H

#include <stdbool.h>
#include <stddef.h>
#include "pelsim/model.h"
#include "pelsim/simd.h"

/* ---- pair formulas ----
 *
 * A pair potential is one function of the squared distance and of coefficients of the pair of
 * types:
 *
 *   // u = 4 eps ((s/r)^12 - (s/r)^6)
 *   PEL_INLINE pel_pair lj(pel_real r2, const pel_real *c) {
 *     const pel_real i2 = 1 / r2, i6 = i2 * i2 * i2;
 *     return (pel_pair){.force = i2 * i6 * (c[0] * i6 - c[1]), .energy = i6 * (c[2] * i6 - c[3])};
 *   }
 *
 * It is evaluated for several pairs at once, also for pairs beyond the cut-off and for empty places
 * (r2 up to 1e30), whose results are thrown away; r2 is never 0 there.  Only + - * /, pel_fma,
 * pel_sqrt and the functions of simd.h: no libm, no branches.  A pel_real is a vector of doubles
 * or, where the formula is made for the precision `mixed`, of floats (see pair_kernel.h). */

typedef struct {
  pel_real force;  /* -(du/dr)/r: the force on i is force*(x_i - x_j) */
  pel_real energy; /* u; not computed where it is not asked for */
} pel_pair;

/* Many-body potentials take several passes over the pairs, with other work between them: one sums
 * an attribute (a density), another makes forces of what was made of it.  Their formulas get a
 * third argument, `const pel_pair_ends *`, and that of a sum gives pel_shares (see pair_kernel.h).
 */
enum { PEL_PAIR_ATTRIBUTES = 4 };

typedef struct {
  const pel_lane *data;                                    /* tables of the pass */
  pel_real i[PEL_PAIR_ATTRIBUTES], j[PEL_PAIR_ATTRIBUTES]; /* attributes of both particles */
} pel_pair_ends;

typedef struct {
  pel_real i, j; /* what j adds to the attribute of i, and i to that of j */
} pel_shares;

/* What a kernel made by pair_kernel.h works on: one thread's share of the list.  Its scalars are
 * double; in mixed precision float, its positions and sums then int32_t. */
typedef struct {
  const void *x;       /* positions, [cluster][3][PEL_LANES] */
  void *f;             /* sums in quanta, [cluster][3 or 1][PEL_LANES]: minus
                          the forces, or an attribute */
  const int32_t *type; /* [particle]; read with many types only */
  const void *table;   /* [ti][0: square of the cut-off, k+1: coefficient k][tj] */
  const void *data;    /* tables of the formula */
  const void *attribute[PEL_PAIR_ATTRIBUTES]; /* [particle] */
  int ntypes;
  int first, last;  /* clusters whose rows these are */
  bool within;      /* rows begin with their own cluster, of which they take what follows */
  const int *row;   /* [rows + 1]: the entries of each row */
  const int *entry; /* clusters j; in mixed precision two make a vector, with the own one */
  double magic, magic_energy;
  double grain2; /* mixed: square of the unit of x */
  double scale;  /* mixed: quanta a unit of what is summed, times that of x */
  double narrow; /* mixed: the largest |force|/r, or share, with which no sum can overflow */
  void *wide;    /* mixed: takes what exceeds it, see pel__pair_wide */
  int *large;    /* mixed: [last - first + 1]: clusters with such pairs */
  double far2;   /* beyond every cut-off */
  double largest_force, largest_energy; /* out: of |force| and |energy| */
  __int128 energy;                      /* out: in units of the energy quantum */
} pel_pair_task;

typedef void pel_pair_kernel(pel_pair_task *t);

/* For pair_mixed.h: adds to n sums of a particle, in quanta, with 64 bits; to task->wide. */
PEL_API void pel__pair_wide(void *wide, int64_t place, int n, const double *quanta);

typedef struct {
  int ncoefficients;
  pel_pair_kernel *run[2][2]; /* [many types][with energy] */
  int nattributes;            /* read */
  bool sums;                  /* an attribute, not forces */
  bool mixed;                 /* in mixed precision */
} pel_pair_kernels;

/* ---- particle models ----
 *
 * A pel_model with .particles has no fields, grid or program of its own: the tables below say what
 * its particles are and how a step moves them.  Its diagnostics are functions of pel_totals.
 *
 * Units are the model's own: lengths, times, energies; masses in energy*time^2/length^2, so that
 * m v^2/2 is an energy and f/m an acceleration. */

enum { PEL_TYPES = 32 }; /* the most types of particles */

typedef enum { PEL_PERIODIC_END, PEL_WALL_END } pel_box_end;

/* A right-angled box from the origin, and what is in it.  dims 2: positions and velocities along z
 * are 0.  PEL_WALL_END reflects: a particle beyond one is put to its mirror image and its velocity
 * along that axis turned round, both exactly, so that a step can be undone. */
typedef struct {
  int dims;                    /* 3 or 2 */
  double length[3];            /* along axes 0 .. dims-1 */
  pel_box_end ends[3];         /* of each axis */
  int64_t n;                   /* particles, with ids 1 .. n */
  int ntypes;                  /* 1 .. PEL_TYPES */
  double mass[PEL_TYPES];      /* by type */
  char species[PEL_TYPES][16]; /* names of types, for files; "": they are just numbered */
} pel_particle_box;

/* What files call the model's units, as UDUNITS does ("angstrom", "angstrom/ps"); masses in files
 * are those of the box divided by mass_scale. */
typedef struct {
  const char *length, *time, *velocity, *force, *mass;
  double mass_scale; /* of energy*time^2/length^2 */
} pel_particle_units;

/* How a particle begins. */
typedef struct {
  double x[3], v[3]; /* a position beyond a periodic end is wrapped */
  int type;          /* 0 .. ntypes-1 */
  int image[3];      /* periods moved so far */
} pel_seed;

/* One or three further doubles a particle: the member is double *m or double *m[3], indexed by
 * place.  The layer allocates it, zeroed, and sets the member whenever it moves.  PEL_CARRIED
 * belongs to the particle: it moves along and is saved.  PEL_DERIVED holds from the stage that sets
 * it to the next evaluation of forces. */
typedef struct {
  const char *name;
  size_t offset;  /* of the member in the state */
  int components; /* 1 or 3 */
  enum { PEL_CARRIED, PEL_DERIVED } role;
  const char *unit, *doc;
} pel_attribute;

/* clang-format off */
#define PEL_ATTRIBUTE(T, m, ...) { .name = #m, .offset = offsetof(T, m), \
    .components = (int)(sizeof(((T *)0)->m) / sizeof(double *)), __VA_ARGS__ }
#define PEL_NUMBER(T, m, ...) { .name = #m, .offset = offsetof(T, m), __VA_ARGS__ }
/* clang-format on */

/* A double of the state that changes in the course of a run, as a thermostat's variable does: saved
 * and restored by name.  Set it in setup; change it in routines only. */
typedef struct {
  const char *name;
  size_t offset; /* of the member in the state */
  const char *unit, *doc;
  bool (*when)(const void *state); /* NULL: always; asked after setup */
} pel_number;

/* Some places of one thread, first <= i < last.  Empty places have id -1 and may be computed like
 * others: what is written there has no effect.  Attributes are members of the state. */
typedef struct {
  int64_t first, last;
  const double *x[3]; /* may lie a little beyond a periodic end */
  double *v[3];
  const double *f[3];
  const int64_t *id;
  const int32_t *type;
  const double *mass; /* by type */
  double dt, time;    /* of the step; at its start; in the model's unit */
  int64_t step;       /* steps done before */
  double *out;        /* in `forces`: [i] takes an energy of the particle; NULL: not asked for */
  pel_sim *sim;       /* for pel_fail */
} pel_span;

/* A sum over pairs.  Forces and energies are exact sums of integers; the quantum is the largest
 * over 2^50, of forces in mixed precision over 2^28.  A pair of 2^50 quanta, or a particle of 2^51,
 * stops the run.  All functions are asked once, after setup. */
typedef struct {
  const pel_pair_kernels *(*kernels)(const void *state);
  /* Of types ti and tj, the same for tj and ti: fills c, returns the cut-off. */
  double (*coefficients)(const void *state, int ti, int tj, double *c);
  void (*ranges)(const void *state, double *largest_force, double *largest_energy);
  /* Of a pass of a many-body potential, else 0: the tables of its formula, the attributes that it
   * reads (offsets of their members, in the order of pel_pair_ends), and the one that it sums; then
   * the largest force is the largest that a pair may add. */
  const double *(*data)(const void *state, size_t *n); /* n numbers, aligned to 64 bytes */
  size_t reads[PEL_PAIR_ATTRIBUTES];
  size_t sums;
} pel_pair_stage;

/* Exact sums over all particles, rounded once. */
struct pel_totals {
  int64_t n;
  int dims, walls;  /* axes of the box, and how many of them end at walls */
  double length[3]; /* of the box; 0 for an axis that does not exist */
  double volume;    /* area in two dimensions */
  double kinetic;   /* energy */
  double potential; /* energy of pairs and of what `forces` puts into out */
  double virial[6]; /* sum over pairs of d_a f_b: xx, yy, zz, xy, xz, yz */
};

/* Degrees of freedom when momentum is kept: dims*n less one for each periodic axis. */
static inline double pel_degrees(const pel_totals *t) {
  return (double)t->dims * (double)t->n - (t->dims - t->walls);
}

/* For a routine: it runs once on every rank, with the same numbers, so that all take the same
 * turns. */
typedef struct {
  pel_sim *sim;    /* for pel_fail */
  double dt, time; /* of the step; at its start; in the model's unit */
  int64_t step;    /* steps done before */
} pel_routine;

/* Of the present state, until a routine changes it; potential and virial only with `pairs`: forces
 * are then evaluated unless PEL_MEASURE has done it. */
PEL_API const pel_totals *pel_routine_totals(const pel_routine *r, bool pairs);
/* Sum of m v; the return value is the sum of m. */
PEL_API double pel_routine_momentum(const pel_routine *r, double p[3]);
/* pel_random_normal for PEL_LANES particles at once, several times as fast: z[k][l] is number k of
 * particle id[l]. */
PEL_API void pel_random_normals(int64_t seed, const int64_t *id, int64_t step, int64_t purpose,
                                pel_double4 z[4]);

/* v = factor*v, and v -= u: rounded to the lattice of velocities. */
PEL_API void pel_scale_velocities(const pel_routine *r, double factor);
PEL_API void pel_shift_velocities(const pel_routine *r, const double u[3]);
/* Box and positions times mu along each axis, rounded to the lattice of the new box.  The run stops
 * (pel_fail) if the box would become too short for the cut-off, or has no size. */
PEL_API void pel_scale_box(const pel_routine *r, const double mu[3]);

/* One stage of a step.  Velocities and positions stay on their lattices: what a stage adds to them
 * is a function of the particle alone, rounded once. */
typedef enum {
  PEL_KICK,      /* v += part*dt*f/m; forces of the present positions */
  PEL_DRIFT,     /* x += part*dt*v */
  PEL_FORCES,    /* the table `forces`, unless f is that of the present positions */
  PEL_MEASURE,   /* the same with energy and virial, for routines that want them next */
  PEL_PAIRS,     /* in `forces` only: .pairs */
  PEL_PARTICLES, /* .kernel on all places; in `program` it may change v, which is then rounded to
                    the lattice */
  PEL_ROUTINE    /* in `program` only: .routine */
} pel_particle_kind;

typedef struct {
  const char *name;
  pel_particle_kind kind;
  double part; /* of the time step */
  const pel_pair_stage *pairs;
  void (*kernel)(const pel_span *s, const void *state);
  void (*routine)(const pel_routine *r, void *state);
  /* Whether it runs; NULL: always.  In `program` asked at each step, with the steps done before; in
   * `forces` once, after setup. */
  bool (*when)(const void *state, int64_t step);
} pel_particle_stage;

struct pel_particle_model {
  const pel_attribute *attributes;
  const pel_number *numbers;
  const pel_particle_stage *forces;  /* f of the positions: PEL_PAIRS and PEL_PARTICLES in turn */
  const pel_particle_stage *program; /* a step */
  int nattributes, nnumbers, nforces, nprogram;

  void (*box)(pel_particle_box *b, const void *state); /* *b is zeroed before */
  /* A particle at step 0, a pure function of its id; *s is zeroed before. */
  void (*seed)(const void *state, int64_t id, pel_seed *s);
  /* Velocities at step 0 lose their drift and are scaled to sum(m v^2) = pel_degrees * this energy;
   * NULL or NAN: they stay as seeded. */
  double (*temperature)(const void *state);
  /* Margin of the lists of pairs; changes no bit.  0: the fastest, found by measurement. */
  double (*skin)(const void *state);
  double (*time_step)(const void *state); /* what [time] dt = auto stands for */
  /* The model's unit of time in seconds: what a number without a unit counts in [time].  NULL or 1:
   * times are reduced and have no unit. */
  double (*time_unit)(const void *state);
  const pel_particle_units *(*units)(const void *state); /* NULL, or returns it: reduced units */
  bool (*flexible)(const void *state); /* whether routines scale the box; NULL: never */
};

/* ---- particles from files ---- */

/* What a file says of its particles; the box is moved to the origin.  Each rank holds the particles
 * of its share of the ids, the ones that the layer asks .seed for. */
typedef struct {
  int64_t n;
  double length[3];
  bool periodic[3];            /* true where the file does not say */
  bool flat;                   /* all of several particles have the same z */
  int ntypes;                  /* 1 .. PEL_TYPES */
  double mass[PEL_TYPES];      /* by type, as in the file; 0: it does not say */
  int64_t count[PEL_TYPES];    /* particles of each type */
  char species[PEL_TYPES][16]; /* names of the types; "": they are just numbered */
  bool has_velocities, has_images;
  char length_unit[24], time_unit[24]; /* as the file has them; "": it does not say */
  double time;                         /* of the frame; 0 if the file does not say */
  int64_t first, held;                 /* arrays have the ids first + 1 .. first + held */
  double *x[3], *v[3];                 /* x within the box; v 0 if there are none */
  int32_t *type, *image[3];            /* type from 0 on; image 0 if there are none */
} pel_particle_file;

/* Reads particles: format "lammps" (data file), "xyz" (extended XYZ), "nist" (text of the NIST
 * reference configurations), "h5md", or "auto", which looks into the file.  frame: "first", "last",
 * or a number from 0, of a file that has several.  wall: axes on which particles must lie within
 * the box; on others they are wrapped into it, images counted (NULL: on all).  A relative file is
 * looked for from the working directory, then from the configuration's.  What is wrong with a file
 * is one sentence with its line, through pel_reject on section/key.  Collective; in setup.  Returns
 * NULL after a rejection.  Owned by the simulation.  When the state comes from a checkpoint
 * (pel_resuming) no particles are held. */
PEL_API const pel_particle_file *pel_particles_read(pel_sim *s, const char *section,
                                                    const char *key, const char *file,
                                                    const char *format, const char *frame,
                                                    const bool wall[3]);

#endif
