/* Why a sum over pairs cannot be exact. */
#include <math.h>
#include <stdio.h>

#include "pairs.h"

/* Others to agree with. */
static bool others(const pel__particles *p) { return p->regions && p->regions->nranks > 1; }

static int explain_pair(const pel__particles *p, const pel__pair_list *l, const pel__potential *u,
                        pel__excess what, pel_error *e) {
  const pel__closest c = pel__pair_list_closest(l, p);
  const double force = ldexp(u->force_quantum, PEL__PAIR_BITS),
               energy = ldexp(u->energy_quantum, PEL__PAIR_BITS);
  char limit[60];
  if (what == PEL__ENERGY_EXCEEDS)
    snprintf(limit, sizeof limit, "energy of a pair exceeds %g", energy);
  else if (u->kernels->sums)
    snprintf(limit, sizeof limit, "density of a pair exceeds %g", force);
  else
    snprintf(limit, sizeof limit, "force of a pair exceeds %g times its distance",
             force / u->cutoff);
  if (c.r < INFINITY)
    pel_error_set(e, PEL_INVALID,
                  "the %s; the closest, particles %ld and %ld, are %g apart, at (%g, %g, %g); look "
                  "for overlapping particles in the start, or reduce the time step",
                  limit, (long)c.id[0], (long)c.id[1], c.r, c.at.x, c.at.y, c.at.z);
  if (others(p)) pel__agree_first(p->regions->comm, (pel__key){c.r, {c.id[0], c.id[1]}}, e);
  return e->code;
}

static int explain_sum(const pel__particles *p, const pel__potential *u, int64_t id, pel_error *e) {
  int64_t first = id;
  if (others(p)) MPI_Allreduce(&id, &first, 1, MPI_INT64_T, MPI_MIN, p->regions->comm);
  for (int64_t i = 0; i < (int64_t)p->nclusters * PEL_LANES; ++i)
    if (p->id[i] == first) {
      const pel__point at = pel__inside(p, i);
      pel_error_set(
          e, PEL_INVALID,
          "the %s of all pairs of particle %ld, at (%g, %g, %g), exceeds %g; look for many "
          "particles in one place, or reduce the time step",
          u->kernels->sums ? "density" : "force", (long)first, at.x, at.y, at.z,
          ldexp(u->force_quantum, PEL__SUM_BITS));
    }
  if (others(p)) pel__agree_error(p->regions->comm, e);
  return e->code;
}

int pel__pairs_explain(const pel__particles *p, const pel__pair_list *l, const pel__potential *u,
                       const pel__pair_work *w, pel_error *e) {
  int all = w->excess;
  if (others(p)) MPI_Allreduce(MPI_IN_PLACE, &all, 1, MPI_INT, MPI_MAX, p->regions->comm);
  if (all == PEL__ALL_FIT) return PEL_OK;
  if (all == PEL__SUM_EXCEEDS) return explain_sum(p, u, w->overflown, e);
  return explain_pair(p, l, u, (pel__excess)all, e);
}
