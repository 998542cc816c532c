/* Plans: what the layer makes of a list of stages.
 *
 * Consecutive cell stages form a chain.  A chain is run tile by tile: each stage on the tile
 * widened by what later stages read around it, derived fields that only the chain itself needs in a
 * thread's scratch memory, never exchanged and never sent to main memory.  A chain ends where a
 * stage reads, at a neighbour, something that must be in memory; there a halo exchange goes. */
#ifndef PEL_PLAN_H
#define PEL_PLAN_H

#include "sim.h"
#include "sum.h"

enum { PEL__CHAIN_MAX = 16 };

/* What happens to a tile when its chain has run. */
typedef enum { PEL__NOTHING, PEL__ADVANCE, PEL__MEASURE } pel__end;

typedef struct {
  int block; /* number among this rank's */
  int lo[3], hi[3];
  bool clear; /* no spectral stage touches what the chain writes here */
} pel__box;

typedef struct {
  unsigned char *stale; /* [nvars]: which arrays it exchanges */
  pel__halo *halo;
} pel__exchange;

typedef struct pel__spectral pel__spectral;

typedef struct pel__op {
  const pel_stage *spectral; /* or a chain: */
  const pel_stage *stage[PEL__CHAIN_MAX];
  int widen[PEL__CHAIN_MAX];
  int nstages, rim; /* rim: the widest of widen */
  pel__end end;
  int *need;    /* [nvars]: width of halo read from each stored array */
  int reach;    /* the widest of need */
  int *scratch; /* [nscratch]: arrays in scratch */
  int nscratch;
  bool deferred; /* ADVANCE waits for spectral stages on tiles that are not clear */
  pel__box *box; /* tiles; the first `ninterior` need no halo of another rank */
  int nboxes, ninterior;
  int axis, pass; /* a tile is worked on in passes of so many rows along the axis */
  size_t span;    /* doubles of scratch for one array */
  double **work;  /* [threads]: (nscratch + 1) * span doubles, the last for out */
  int nthreads;
  char **copy; /* [threads]: a state with the pointers of the tile at hand */
  pel__exchange *exchanges;
  int nexchanges;
  pel__spectral *lines;
} pel__op;

struct pel__plan {
  pel__op *op;
  int nops;
};

/* Splits stages (those whose .when holds) into operations and finds which arrays must be stored.
 * advance: end by advancing the fields with rates.  Marks vars[].stored. */
pel__plan *pel__plan_create(pel_sim *s, const pel_stage *const *stages, int n, bool advance,
                            bool measure, pel_error *e);
/* Widest halo that any operation reads. */
int pel__plan_halo(const pel_sim *s, const pel__plan *p);
/* Tiles, scratch and spectral transforms, once the layout exists. */
void pel__plan_bind(pel_sim *s, pel__plan *p);
void pel__plan_unbind(pel__plan *p);
void pel__plan_destroy(pel__plan *p);

/* tiles.c: the tiles of one chain. */
void pel__tiles_create(pel_sim *s, const pel__plan *p, pel__op *op);

/* What one tile's chain left in out[p] (p as in t), for a measuring plan. */
typedef void pel__visit(void *ctx, int thread, const pel_tile *t, int block, const double *out);

/* run.c: one evaluation of the plan. */
typedef struct {
  double time, dt;
  const pel__substage *sub; /* when advancing */
  pel__visit *visit;        /* when measuring */
  void *ctx;
} pel__run;
void pel__plan_run(pel_sim *s, pel__plan *p, const pel__run *r);

/* ---- reduce.c: what becomes of the out[] of a measuring plan.  Collective, same result on all. */

/* A visitor that sums out[] exactly over the rows selected by `where`. */
typedef struct {
  pel_sum *sum; /* [threads] */
  int threads, where;
} pel__sum_visitor;

pel__sum_visitor pel__sum_begin(const pel_sim *s, int where);
void pel__sum_visit(void *visitor, int thread, const pel_tile *t, int block, const double *out);
void pel__sum_end(pel__sum_visitor *v, pel_sum *total); /* this rank's share */

double pel__plan_sum(pel_sim *s, pel__plan *p);
void pel__plan_extremes(pel_sim *s, pel__plan *p, double *lo, double *hi);
void pel__field_extremes(pel_sim *s, const pel__var *v, double *lo, double *hi);
/* norm[3]: normalised l1, l2, linf of v against the exact plan; weight may be NULL. */
void pel__plan_compare(pel_sim *s, pel__plan *exact, pel__plan *weight, const pel__var *v,
                       double norm[3]);
/* Into arrays of this rank's blocks (pointers at cell (0,0,0), allocated like a field). */
void pel__plan_store(pel_sim *s, pel__plan *p, double **to);
double **pel__block_arrays(pel_sim *s);
void pel__block_arrays_free(const pel_sim *s, double **a);

/* spectral.c */
pel__spectral *pel__spectral_create(pel_sim *s, const pel_stage *stage);
void pel__spectral_run(pel_sim *s, pel__spectral *f);
void pel__spectral_destroy(pel__spectral *f);

/* From a cell to those that are worth fetching while it is advanced, 0: none.  far: what the
 * thread's next tile reads first, into the L2 cache; near: what the next pass does, from there to
 * the L1. */
typedef struct {
  ptrdiff_t far, near;
} pel__fetch;

/* advance.c: y[out] on one tile from rates; false if a value came out non-finite.  stream: past the
 * caches. */
bool pel__advance(const pel_tile *t, const pel__substage *sub, double *const y[PEL__SLOTS],
                  const double *rate, double dt, bool stream, pel__fetch fetch);

#endif
