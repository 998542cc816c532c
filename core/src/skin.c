#include "skin.h"

#include <math.h>

/* Of the cut-off: where the search begins, and its ends. */
static const double first = 0.12, least = 0.02, most = 0.5;
enum { LISTS = 4, STEPS = 10 }; /* that one skin is measured over, at least */
static const double seconds = 0.05, finest = 1.05;

void pel__skin_begin(pel__skin *k, double cutoff, double limit) {
  *k = (pel__skin){.on = true,
                   .skin = fmin(first * cutoff, limit),
                   .least = fmin(least * cutoff, limit),
                   .most = fmin(most * cutoff, limit),
                   .factor = 1.3};
}

/* The first list is built on cold memory and from disorder: it is left out. */
static bool measured(const pel__skin *k, int64_t step, double spent) {
  return k->builds > LISTS && step - k->step >= STEPS && spent - k->spent >= seconds;
}

/* On while that pays; back, in steps half as large, when it does not any more. */
static void search(pel__skin *k, double cost) {
  const bool better = k->cost == 0 || cost < k->cost;
  if (better)
    k->best = k->skin, k->cost = cost;
  else
    k->factor = 1 / sqrt(k->factor);
  double next = k->best * k->factor;
  if (next < k->least || next > k->most) {
    k->factor = 1 / sqrt(k->factor);
    next = fmin(fmax(k->best * k->factor, k->least), k->most);
  }
  k->on = fmax(k->factor, 1 / k->factor) > finest;
  k->skin = k->on ? next : k->best;
}

void pel__skin_next(pel__skin *k, MPI_Comm comm, int64_t step, double spent) {
  int rank;
  if (!k->on) return;
  MPI_Comm_rank(comm, &rank);
  const bool begins = k->builds++ == 1, ends = measured(k, step, spent);
  if (ends && rank == 0) search(k, (spent - k->spent) / (double)(step - k->step));
  if (begins || ends) k->spent = spent, k->step = step;
  if (ends) k->builds = 2;
  double x[2] = {k->skin, k->on};
  MPI_Bcast(x, 2, MPI_DOUBLE, 0, comm);
  k->skin = x[0], k->on = x[1] > 0;
}
