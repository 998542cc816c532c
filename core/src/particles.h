/* Particles of one rank: arrays, clusters, guests.
 *
 * Owned particles fill clusters of PEL_LANES places [0, nclusters); guests, copies of clusters that
 * others of this or another rank are near, follow.  Only positions and attributes that pair stages
 * read have guests; they are refreshed from their sources, shifted by a period. */
#ifndef PEL_PARTICLES_H
#define PEL_PARTICLES_H

#include <stdint.h>
#include "domain.h"
#include "pelsim/particles.h"

enum { PEL__ATTRIBUTES = 32 };

/* One array, `bytes` (4 or 8) a place.  carried: it belongs to the particle and moves with it. */
typedef struct {
  void **at;
  int bytes;
  bool carried;
} pel__component;

typedef struct {
  int source;      /* cluster of this rank */
  double shift[3]; /* what its positions are shifted by */
} pel__guest;

/* Memory that sorting keeps: fresh pages would cost as much as the sorting. */
typedef struct {
  double along;
  int place;
} pel__sort_key;
typedef struct {
  int *column;        /* [places]: of each particle */
  int *from;          /* [places]: where the particle of a new place was, or -1 */
  pel__sort_key *key; /* [places], by column */
  int *start;         /* [columns + 1]: first key of each */
  int *count;         /* [columns*threads] */
  int columns;        /* room */
} pel__sort_memory;

typedef struct {
  pel__domain domain;
  int64_t n; /* owned */
  int nclusters, nguests;
  int room; /* clusters allocated */
  int threads;

  double *x[3], *v[3];
  double *f[3];  /* accumulated as int64_t, then turned into multiples of the force quantum */
  double *at[3]; /* positions when the lists were built */
  int64_t *id;
  int32_t *type, *image[3];
  pel__component component[PEL__ATTRIBUTES];
  int ncomponents;
  void *spare[2]; /* a component's worth of 4 and of 8 bytes */

  /* Columns along the sort axis: cluster numbers are ascending in it within each. */
  int across[2], along; /* axes of the array of columns, and the axis sorted by */
  int ncolumns[2];
  double width[2];
  int *column;        /* [columns + 1]: first cluster */
  double *low, *high; /* [room]: extent of each cluster along the sort axis */
  pel__guest *guest;  /* [nguests] */
  int *guest_at;      /* [nclusters + 1]: guests whose source is a cluster, in guest_of */
  int *guest_of;      /* [nguests] */
  int beyond[2];      /* columns of guests on either side of the box, across */
  int *guest_column;  /* [(ncolumns[0] + 2*beyond[0])*(ncolumns[1] + 2*beyond[1]) + 1] clusters */
  int guest_column_room;
  pel__sort_memory sort;
} pel__particles;

/* What fills the positions of empty places: beyond reach of everything and of each other. */
static inline double pel__nowhere(const pel__particles *p, int64_t place) {
  return 1e3 * (p->domain.length[0] + p->domain.length[1] + p->domain.length[2]) *
         (double)(place + 1);
}
static inline bool pel__is_empty(const pel__particles *p, int64_t place) {
  return p->id[place] < 0;
}
/* Of a guest: its source's. */
static inline int64_t pel__id_at(const pel__particles *p, int64_t place) {
  const int64_t guest = place / PEL_LANES - p->nclusters;
  return p->id[guest < 0 ? place : (int64_t)p->guest[guest].source * PEL_LANES + place % PEL_LANES];
}

/* Room for n particles whose arrays the caller then fills: places 0 .. n-1 of x, v, id, type; image
 * is 0. */
int pel__particles_create(pel__particles *p, const pel__domain *d, int64_t n, int threads,
                          pel_error *e);
void pel__particles_destroy(pel__particles *p);
/* Room for so many clusters, owned and guests; contents stay. */
int pel__particles_reserve(pel__particles *p, int clusters, pel_error *e);

/* ---- sort.c ---- */

/* Wraps positions into the box, counting images, and sorts particles into clusters.  Fails if one
 * has left through a wall or is not finite. */
int pel__particles_sort(pel__particles *p, pel_error *e);

/* ---- guests.c ---- */

/* The guests within `reach` of the box, one of each pair of opposite images of the box: a pair is
 * found from one of its ends.  Their types and positions are set. */
int pel__guests_create(pel__particles *p, double reach, pel_error *e);
void pel__guests_refresh(pel__particles *p); /* positions */

#endif
