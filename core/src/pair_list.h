/* Lists of pairs: for each particle, a row, the clusters that hold a particle within reach, each
 * pair from one of its ends.  Valid until a particle has moved half the skin; grown as needed. */
#ifndef PEL_PAIR_LIST_H
#define PEL_PAIR_LIST_H

#include "packed.h"

/* For each particle of some clusters, a row, the clusters j near it. */
typedef struct {
  int *row;   /* [clusters*PEL_LANES + 1]: first entry of each */
  int *entry; /* clusters */
  size_t nentries, room, row_room;
} pel__rows;

/* Pairs with what this rank has, in its own clusters and their images, can be evaluated while
 * guests are on their way; pairs with guests are evaluated by both ranks. */
enum { PEL__WITH_OWN, PEL__WITH_GUESTS, PEL__KINDS };

/* What one thread works on: rows of clusters [first, last). */
typedef struct {
  int first, last;
  pel__rows rows[PEL__KINDS];
  int *hits; /* [clusters]: vectors that add to each cluster, within what is touched */
  int hits_room;
  int owned_end;            /* clusters [first, owned_end) are touched */
  int copy_first, copy_end; /* and these of the copies */
  int64_t summands;         /* if paired: the most added to a place */
  int *large;               /* [last - first + 1]: for kernels, if paired */
  int large_room;
} pel__share;

typedef struct {
  double cutoff, skin; /* reach = cutoff + skin */
  pel__share *share;   /* [threads] */
  int nshares;
  double *split; /* [threads + 1]: where shares begin, as fractions of the clusters */
  /* Positions in single precision, [clusters*PEL_LANES], and how far they may be off: enough to
   * tell what is near. */
  float *place[3];
  int place_room;
  double blur;
  pel__packed packed; /* positions for kernels, as of the last evaluation */
  bool fresh;         /* copies have the present positions, for the evaluation that follows */
  int64_t summands;   /* if paired: the most that is added to any place */
  bool paired;        /* vectors hold two clusters: rows are filled up with an empty one */
  int64_t entries;
  double builds;
} pel__pair_list;

int pel__pair_list_create(pel__pair_list *l, const pel__particles *p, double cutoff, double skin,
                          pel_error *e);
/* For a box that may have changed: a margin as near to `skin` as it allows.  Fails, and changes
 * nothing, if it is too short for the cut-off. */
int pel__pair_list_fit(pel__pair_list *l, const pel__domain *d, double skin, pel_error *e);
void pel__pair_list_destroy(pel__pair_list *l);

/* Sends particles where they belong (far: from anywhere), sorts them, finds copies, and makes the
 * list.  Fails on all ranks if it fails on one.  Collective. */
int pel__pair_list_build(pel__pair_list *l, pel__particles *p, bool far, pel_error *e);

/* Pairs within `r` of each other that this rank has, those with guests counted as half. */
double pel__pair_list_count(const pel__pair_list *l, const pel__particles *p, double r);

/* The closest pair that this rank has, of several the first by their ids. */
typedef struct {
  double r;      /* INFINITY: there is none */
  int64_t id[2]; /* ascending */
  pel__point at; /* of the first */
} pel__closest;
pel__closest pel__pair_list_closest(const pel__pair_list *l, const pel__particles *p);

#endif
