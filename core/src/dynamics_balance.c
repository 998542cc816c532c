/* Blocks of the box of particles change hands when lists are built, as particles do then anyway. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "dynamics.h"
#include "pelsim/memory.h"

/* The block that the cluster's first particle is in; -1: it has none. */
static int block_of(const pel__dynamics *d, int cluster) {
  for (int64_t i = (int64_t)cluster * PEL_LANES; i < (int64_t)(cluster + 1) * PEL_LANES; ++i) {
    if (pel__is_empty(&d->p, i)) continue;
    const pel__point at = pel__inside(&d->p, i);
    return pel__regions_block(&d->regions, &d->p.domain, (double[3]){at.x, at.y, at.z});
  }
  return -1;
}

/* What this rank computed since the last look belongs to its blocks by their parts of the lists. */
static void book(pel__balance *b, pel__dynamics *d) {
  double *part = pel_calloc((size_t)b->nblocks, sizeof *part), total = 0;
  for (const pel__share *h = d->list.share; h < d->list.share + d->list.nshares; ++h)
    for (int c = h->first; c < h->last; ++c) {
      const int block = block_of(d, c);
      double pairs = PEL_LANES; /* those within the cluster */
      for (const pel__rows *k = h->rows; k < h->rows + PEL__KINDS && block >= 0; ++k) {
        const int *row = k->row + (ptrdiff_t)(c - h->first) * PEL_LANES;
        pairs += row[PEL_LANES] - row[0];
      }
      if (block < 0) continue;
      part[block] += pairs;
      total += pairs;
    }
  for (int i = 0; i < b->nblocks && total > 0; ++i)
    pel__balance_book(b, 0, i, d->computed * b->threads * part[i] / total);
  d->computed = 0;
  free(part);
}

bool pel__balance_particles(pel_sim *s) {
  pel__balance *b = s->balance;
  pel__dynamics *d = s->dynamics;
  if (!pel__balance_due(b, s->step)) return false;
  int *owner = pel_malloc((size_t)b->nblocks * sizeof *owner);
  book(b, d);
  const bool moves = pel__balance_look(b, s->comm, s->layout, s->step, owner);
  if (moves) {
    pel__regions_assign(&d->regions, &d->p.domain, owner);
    pel__guests_destroy(&d->p.guests);
    d->scattered = true;
  }
  free(owner);
  return moves;
}

static void take(pel_sim *s, const pel__regions *r) {
  pel__dynamics *d = s->dynamics;
  const pel__balance *b = s->balance;
  pel__guests_destroy(&d->p.guests);
  pel__regions_destroy(&d->regions);
  d->regions = *r;
  s->layout = d->regions.layout;
  d->scattered = true;
  const int *nb = s->layout->nb;
  snprintf(s->news, sizeof s->news, "the box has shrunk: it is cut anew, into %d x %d x %d blocks",
           nb[0], nb[1], nb[2]);
  if (!b) return;
  pel__balance *anew = pel__balance_create(s->layout, b->threads, b->every, b->threshold, s->step);
  if (anew) anew->done = b->done;
  pel__balance_destroy(s->balance);
  s->balance = anew;
}

bool pel__recut(pel_sim *s) {
  static const double little = 0.02, spacious = 1.2; /* of the cut-off; of the reach */
  const pel__dynamics *d = s->dynamics;
  const double cutoff = d->list.cutoff, thin = pel__regions_thinnest(&d->regions, &d->p.domain);
  int nb[3];
  if (thin >= (1 + little) * cutoff) return false;
  const int blocks = pel__blocks_asked(s, nb);
  const double want[] = {spacious * (cutoff + d->list.skin), (1 + 2 * little) * cutoff};
  for (int i = 0; i < PEL_N(want); ++i) {
    pel__regions r;
    pel_error none = {0}; /* fewer blocks than were asked for, if they were */
    if (pel__regions_create(&r, s->comm, &d->p.domain, want[i], (int[3]){0}, blocks, &none))
      continue;
    if (pel__regions_thinnest(&r, &d->p.domain) > thin) {
      take(s, &r);
      return true;
    }
    pel__regions_destroy(&r);
  }
  return false;
}
