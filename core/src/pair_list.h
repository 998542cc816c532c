/* Lists of pairs: for each particle, a row, the clusters that hold a particle within reach, each
 * pair from one of its ends.  Valid until a particle has moved half the skin; grown as needed. */
#ifndef PEL_PAIR_LIST_H
#define PEL_PAIR_LIST_H

#include "particles.h"

/* What one thread works on: rows of clusters [first, last). */
typedef struct {
  int first, last;
  int *row;   /* [(last - first)*PEL_LANES + 1]: first entry of each row */
  int *entry; /* clusters, owned or guests */
  size_t nentries, room, row_room;
  int *hits; /* [clusters]: vectors that add to each cluster, within what is touched */
  int hits_room;
  int owned_end;              /* clusters [first, owned_end) are touched */
  int guest_first, guest_end; /* and these of the guests, numbered as clusters */
} pel__share;

typedef struct {
  double cutoff, skin; /* reach = cutoff + skin */
  pel__share *share;   /* [threads] */
  int nshares;
  double *split; /* [threads + 1]: where shares begin, as fractions of the clusters */
  int64_t entries;
  double builds;
} pel__pair_list;

int pel__pair_list_create(pel__pair_list *l, const pel__particles *p, double cutoff, double skin,
                          pel_error *e);
void pel__pair_list_destroy(pel__pair_list *l);

/* Sorts the particles, makes the guests and the list. */
int pel__pair_list_build(pel__pair_list *l, pel__particles *p, pel_error *e);

/* Pairs within `r` of each other and vectors evaluated, for statistics. */
int64_t pel__pair_list_count(const pel__pair_list *l, const pel__particles *p, double r);

/* The closest pair: places and distance. */
void pel__pair_list_closest(const pel__pair_list *l, const pel__particles *p, int64_t *i,
                            int64_t *j, double *r);

#endif
