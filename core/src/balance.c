#include "balance.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pelsim/memory.h"

enum {
  LINE = 64,
  MOST_PATIENCE = 64,
  FINE = 1 << 30 /* what all blocks weigh together */
};
static const double HELPED = 0.98; /* of the time before: less, and the move was worth it */

pel__balance *pel__balance_create(const pel__layout *l, int threads, int64_t every,
                                  double threshold, int64_t first) {
  if (!pel__balance_possible(l, every)) return NULL;
  pel__balance *b = pel_calloc(1, sizeof *b);
  *b = (pel__balance){.every = every,
                      .threads = threads,
                      .nblocks = l->nblocks,
                      .threshold = threshold,
                      .patience = 1,
                      .looked = first,
                      .settled = first};
  const size_t bytes = ((size_t)l->nblocks * sizeof(double) + LINE - 1) / LINE * LINE;
  b->spent = pel_calloc((size_t)threads, sizeof *b->spent);
  for (int t = 0; t < threads; ++t) b->spent[t] = memset(pel_aligned_alloc(LINE, bytes), 0, bytes);
  b->cost = pel_calloc((size_t)l->nblocks, sizeof *b->cost);
  return b;
}

void pel__balance_destroy(pel__balance *b) {
  if (!b) return;
  for (int t = 0; t < b->threads; ++t) free(b->spent[t]);
  free(b->spent), free(b->cost), free(b);
}

typedef struct {
  double most, mean;
  int rank; /* that has the most */
} load;

static load load_of(const double *x, const int *owner, int nblocks, int nranks) {
  double *sum = pel_calloc((size_t)nranks, sizeof *sum);
  load l = {0};
  for (int i = 0; i < nblocks; ++i) sum[owner[i]] += x[i], l.mean += x[i] / nranks;
  for (int r = 0; r < nranks; ++r)
    if (sum[r] > l.most) l.most = sum[r], l.rank = r;
  free(sum);
  return l;
}

static void learn(pel__balance *b, const double *seconds, double steps) {
  for (int i = 0; i < b->nblocks; ++i) {
    const double now = seconds[i] / b->threads / steps;
    b->cost[i] = b->cost[i] > 0 ? 0.5 * (b->cost[i] + now) : now;
  }
}

/* Shares of FINE, so that integers decide. */
static int64_t *weights_of(const pel__balance *b) {
  int64_t *w = pel_malloc((size_t)b->nblocks * sizeof *w);
  double total = 0;
  for (int i = 0; i < b->nblocks; ++i) total += b->cost[i];
  for (int i = 0; i < b->nblocks; ++i)
    w[i] = 1 + (total > 0 ? (int64_t)(b->cost[i] / total * FINE) : 0);
  return w;
}

/* Whether the last move has helped. */
static void judge_last(pel__balance *b, double slowest) {
  if (!(b->slowest > 0)) return;
  if (b->threshold <= 1 || slowest <= HELPED * b->slowest)
    b->patience = 1;
  else if (b->patience < MOST_PATIENCE)
    b->patience *= 2;
  b->slowest = 0;
}

bool pel__balance_judge(pel__balance *b, const pel__layout *l, int64_t step, const double *seconds,
                        int *owner) {
  const int n = b->nblocks;
  const double steps = (double)(step - b->looked), held = (double)(step - b->settled);
  b->looked = step;
  if (!(steps > 0)) return false;
  learn(b, seconds, steps);
  int *now = pel_malloc((size_t)n * sizeof *now), moving = 0;
  for (int i = 0; i < n; ++i) now[i] = l->block[i].rank;
  const load measured = load_of(seconds, now, n, l->nranks);
  const double slowest = measured.most / b->threads / steps;
  judge_last(b, slowest);
  bool pays = measured.most >= b->threshold * measured.mean && measured.mean > 0;
  if (pays) {
    int64_t *w = weights_of(b);
    pel__layout_share(l, w, owner);
    free(w);
    for (int i = 0; i < n; ++i) moving += owner[i] != now[i];
    const load before = load_of(b->cost, now, n, l->nranks),
               after = load_of(b->cost, owner, n, l->nranks);
    pays = moving > 0 && (b->threshold <= 1 || (before.most - after.most) * held > b->price);
    snprintf(b->news, sizeof b->news,
             "balance: rank %d computed %.2f times as long as the mean; %d of %d blocks move, then "
             "the slowest should take %.2f",
             measured.rank, measured.most / measured.mean, moving, n, after.most / after.mean);
  }
  free(now);
  if (!pays) {
    *b->news = 0;
    return false;
  }
  b->slowest = slowest;
  b->settled = step;
  b->moving = moving;
  return true;
}

bool pel__balance_look(pel__balance *b, MPI_Comm comm, const pel__layout *l, int64_t step,
                       int *owner) {
  const int n = b->nblocks;
  int ranks;
  MPI_Comm_size(comm, &ranks);
  double *x = pel_calloc((size_t)n + 1, sizeof *x);
  for (int t = 0; t < b->threads; ++t) {
    for (int i = 0; i < n; ++i) x[i] += b->spent[t][i];
    memset(b->spent[t], 0, (size_t)n * sizeof(double));
  }
  x[n] = b->price / ranks;
  MPI_Allreduce(MPI_IN_PLACE, x, n + 1, MPI_DOUBLE, MPI_SUM, comm);
  b->price = x[n];
  const bool moves = pel__balance_judge(b, l, step, x, owner);
  free(x);
  return moves;
}

void pel__balance_moved(pel__balance *b, double seconds) {
  b->price = seconds;
  b->done.moves += 1;
  b->done.blocks += b->moving;
  b->done.seconds += seconds;
}

void pel__balance_failed(pel__balance *b) {
  b->slowest = 0;
  b->patience = MOST_PATIENCE;
  snprintf(b->news, sizeof b->news,
           "balance: blocks stay where they are: there is no memory to move them");
}
