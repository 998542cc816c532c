/* Load balance: blocks go to other ranks when the slowest rank holds the others up.
 *
 * Ranks time their blocks.  Every so many steps ([parallel] balance_every) they tell each other: if
 * the slowest takes longer than the mean by [parallel] balance_threshold, the curve of blocks is
 * cut anew into runs of equal cost.  The blocks move if that pays, supposing that the imbalance
 * lasts as long again as the blocks have been where they are; a move that did not help doubles the
 * time to the next look.  With a threshold of 1 the curve is cut anew at every look.  Every rank
 * decides the same from the same numbers.  No bit of the results depends on any of it. */
#ifndef PEL_BALANCE_H
#define PEL_BALANCE_H

#include <mpi.h>
#include <stdbool.h>
#include <stdint.h>
#include "layout.h"

typedef struct {
  int64_t every;
  int threads, nblocks;
  double threshold;
  double **spent;  /* [threads][nblocks]: thread seconds on each block since the last look */
  double *cost;    /* [nblocks]: running mean of the seconds of a step; the same on every rank */
  double price;    /* [s] what moving has cost last; 0: not known yet */
  double slowest;  /* [s] a step took the slowest rank before the last move; 0: judged already */
  int patience;    /* factor on every */
  int64_t looked;  /* step of the last look */
  int64_t settled; /* step since which blocks are where they are */
  int moving;      /* blocks of the move being made */
  struct {
    int64_t moves, blocks; /* that changed hands */
    double seconds;
  } done;
  char news[200]; /* of the last move, "": told already */
} pel__balance;

/* Whether blocks may ever move; every 0: they may not. */
static inline bool pel__balance_possible(const pel__layout *l, int64_t every) {
  return every && l->nranks > 1 && l->nblocks > l->nranks;
}

/* first: the step to begin with.  NULL if blocks may not move. */
pel__balance *pel__balance_create(const pel__layout *l, int threads, int64_t every,
                                  double threshold, int64_t first);
void pel__balance_destroy(pel__balance *b);

/* A thread has spent so many seconds on a block of the layout. */
static inline void pel__balance_book(pel__balance *b, int thread, int block, double seconds) {
  b->spent[thread][block] += seconds;
}

static inline bool pel__balance_due(const pel__balance *b, int64_t step) {
  return b && step - b->looked >= b->every * b->patience;
}

/* A look at this step: whether blocks are to move; if so owner[nblocks] receives whose they are to
 * be.  Collective. */
bool pel__balance_look(pel__balance *b, MPI_Comm comm, const pel__layout *l, int64_t step,
                       int *owner);

/* The same from what blocks have cost, summed over ranks: seconds[nblocks].  Local. */
bool pel__balance_judge(pel__balance *b, const pel__layout *l, int64_t step, const double *seconds,
                        int *owner);

/* The blocks have moved, which took this rank so many seconds; or there was no memory for it. */
void pel__balance_moved(pel__balance *b, double seconds);
void pel__balance_failed(pel__balance *b);

#endif
