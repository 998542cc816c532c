/* One running simulation, as the files of core see it. */
#ifndef PEL_SIM_H
#define PEL_SIM_H

#include <stdatomic.h>
#include "balance.h"
#include "config.h"
#include "halo.h"
#include "journal.h"
#include "layout.h"
#include "machine.h"
#include "messages.h"
#include "pelsim/embed.h"
#include "scheme.h"
#include "settings.h"
#include "whereabouts.h"

/* An array of the model: a field, or the rate of one. */
typedef struct {
  const pel_field *field;
  bool rate;
  size_t offset;         /* of the state's double * member */
  bool stored;           /* in memory, not only in a tile's scratch */
  int nslots, slot;      /* time levels; the one that kernels see */
  double **data;         /* [slot*nlocal + b]: cell (0,0,0) in this rank's b-th block */
  int valid[PEL__SLOTS]; /* width to which the halo of each slot is up to date */
} pel__var;

typedef struct pel__plan pel__plan;
typedef struct pel__dynamics pel__dynamics;
typedef struct pel__measures pel__measures;
typedef struct pel__outputs pel__outputs;
typedef struct pel__trajectory pel__trajectory;
typedef struct pel__analysis pel__analysis;

/* Something allocated for the life of the simulation. */
typedef struct pel__allocation {
  struct pel__allocation *next;
  void (*release)(void *);
  void *memory;
} pel__allocation;

/* What this rank has because of the blocks that it owns: made anew when they change. */
typedef struct {
  pel__allocation *allocations;
  void **block;       /* [nlocal]: copies of the state with the stored pointers of each block */
  void *lines;        /* a copy for spectral kernels */
  double **forbidden; /* [nlocal]: blocks of signalling NaN, in builds with checks */
  double **tables;    /* [(nlocal + 1)*nprofiles]: each block's profiles, then the global ones */
} pel__local;

struct pel_sim {
  MPI_Comm comm; /* a duplicate, owned */
  int rank, nranks, threads;
  const pel_host *host;
  const pel_model *model;
  void *plugin;
  pel__config *config;
  const char *config_path; /* of the request */
  bool resuming;           /* the state comes from a checkpoint */
  bool unreadable;         /* a rejection was for a file, not for a value */
  pel__settings set;
  pel__machine machine;
  pel__allocation *allocations;

  void *state; /* parameters, constants, profiles of no block */
  pel__local local;
  pel__balance *balance; /* NULL: blocks stay where they are */
  char news[200];        /* of how the box was cut, "": told already */
  pel_grid grid;         /* of a particle model: one axis of ids, as files know it */
  pel__layout *layout;   /* of a particle model: of its box, owned by dynamics */
  pel__var *vars;
  int nvars;
  const pel__scheme *scheme; /* NULL: the program advances the state itself */
  pel__plan *init, *program;
  pel__measures *measures;
  pel__outputs *outputs;
  pel__dynamics *dynamics; /* of a particle model; NULL: of a grid */
  pel__trajectory *trajectory;
  pel__analysis *analysis; /* NULL: there is none */
  char *config_json;
  char dir[4096];
  int ntags;        /* message tags given to halo plans and spectral stages */
  bool large;       /* the fields exceed the caches: store past them */
  bool nonfinite;   /* NaN or Inf written in this step, by the NaN watch */
  bool row_follows; /* diagnostics are due at the end of the step being taken */

  int64_t step;
  double time, dt;
  double dt_limit; /* from the last estimate, before events shorten it */
  double seconds[PEL__NPHASES];

  atomic_int failed; /* 0, or PEL_INVALID / PEL_INTERNAL since the last agreement */
  char failure[1000];
};

/* ---- building: sim.c, state.c ---- */

/* Reads the configuration, finds the model, lays out grid and memory.  Prints every error of the
 * configuration on rank 0.  NULL with *code set on failure, the same on every rank.  Collective. */
pel_sim *pel__sim_create(MPI_Comm comm, const pel_host *host, const pel_request *r, int *code);
/* What the first of that many ranks would be, without the memory of the fields, for whoever only
 * wants to know how much that is.  Local. */
pel_sim *pel__sim_outline(const pel_host *host, const pel_request *r, int ranks, int *code);
void pel__sim_destroy(pel_sim *s);

/* As pel_fail, with another exit code than PEL_INVALID. */
void pel__fail(pel_sim *s, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Remembers memory to be released with the simulation, or with the list; returns it. */
void *pel__sim_keep(pel_sim *s, void *memory, void (*release)(void *));
void *pel__keep(pel__allocation **list, void *memory, void (*release)(void *));
void pel__release(pel__allocation **list);

/* Tiles and messages of the plans that steps and records need, once the fields exist. */
void pel__sim_bind(pel_sim *s);

/* [parallel] block_grid, 0 where it leaves the choice, and the number of blocks a rank. */
int pel__blocks_asked(const pel_sim *s, int nb[3]);

/* Memory of all fields, profiles and state copies, after the plans have said what they need. */
int pel__state_create(pel_sim *s, pel_error *e);
/* move.c: moves blocks of a grid if that is due and pays, between two steps.  Collective. */
void pel__balance_grid(pel_sim *s);
/* Time levels that a field has in memory. */
int pel__state_slots(const pel_sim *s, const pel__var *v);
/* Sets the field pointers of the block states to the slots in use and copies the scalars. */
void pel__state_refresh(pel_sim *s);
/* The array of a member offset; NULL if that field does not exist in this run. */
pel__var *pel__var_at(const pel_sim *s, size_t offset);
/* The state for the io layer, malloced with its patches; what has been read into it is taken over
 * by pel__state_adopt. */
pel_array *pel__state_arrays(pel_sim *s, int *n);
void pel__state_adopt(pel_sim *s, const pel_array *arrays);
/* Numbers of the state and what belongs to them, names malloced; x NULL: how many. */
int pel__state_scalars(const pel_sim *s, pel_scalar *x);
uint64_t pel__state_fingerprint(pel_sim *s); /* collective */

/* ---- stepping: step.c ---- */

/* The state at step 0: the model's init stages, or its exact solution.  Collective. */
int pel__initialise(pel_sim *s, pel_error *e);
void pel__step(pel_sim *s, double dt);

/* Bytes that a step must move between memory and caches, over all ranks: each array of a chain read
 * once and written once, without what a store first reads.  0 for particles. */
double pel__program_bytes(const pel_sim *s);

/* Reports in *e the first non-finite cell of the state.  Collective. */
void pel__find_nonfinite(pel_sim *s, pel_error *e);

/* ---- measuring: measure.c ---- */

/* Plans for limits, diagnostics and exact solutions; bind once the layout exists. */
int pel__measures_create(pel_sim *s, pel_error *e);
int pel__measures_halo(const pel_sim *s);
void pel__measures_bind(pel_sim *s);
void pel__measures_unbind(pel_sim *s);
void pel__measures_destroy(pel__measures *m);

/* The stages of the program that compute the derived arrays which `last` reads, then `last`. */
pel__plan *pel__plan_for(pel_sim *s, const pel_stage *last, pel_error *e);

/* Largest stable step [s] with cfl = 1; INFINITY without limits.  steps, NULL or one a limit of the
 * model, receives each limit's own (INFINITY where it does not apply).  Collective. */
double pel__measure_limits(pel_sim *s, double *steps);

/* The model's i-th exact solution at the present time into to[nlocal]; false if it does not apply.
 */
bool pel__exact_store(pel_sim *s, int i, double **to);

/* Diagnostics: minimum and maximum of each field, the model's own, errors against exact
 * solutions. */
int pel__measure_count(const pel_sim *s);
void pel__measure_names(const pel_sim *s, const char **names, const char **units);
void pel__measure_diagnostics(pel_sim *s, double *values); /* collective */
/* Whether column i is of an invariant that is not watched in this run: who goes on from it begins
 * with a reference of his own. */
bool pel__measure_idle(const pel_sim *s, int i);
/* Checks the conserved ones against reference[], their values at step 0. */
void pel__measure_watch(const pel_sim *s, const double *values, const double *reference,
                        pel_error *e);

/* ---- output records: output.c ---- */

/* Calls take for each name in [output] fields. */
void pel__output_names(pel_sim *s, void (*take)(pel_sim *s, void *ctx, const char *name),
                       void *ctx);
/* Resolves [output] fields: fields by name, outputs of the model with their plans. */
int pel__outputs_create(pel_sim *s, pel_error *e);
int pel__outputs_halo(const pel_sim *s);
void pel__outputs_bind(pel_sim *s);
void pel__outputs_unbind(pel_sim *s);
void pel__outputs_destroy(pel__outputs *o);
/* The arrays of one record with whatever values they have; valid until the next call. */
pel_array *pel__outputs_list(pel_sim *s, int *n);
/* The arrays of one record, computed now; valid until the next call.  Collective. */
pel_array *pel__outputs_compute(pel_sim *s, int *n);

#endif
