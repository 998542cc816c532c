/* Particles of one rank: arrays, clusters, guests.
 *
 * Owned particles fill clusters of PEL_LANES places [0, nclusters); copies of clusters that owned
 * ones are near follow: first images, which are clusters of this rank shifted by a period, then
 * guests from other ranks.  Only positions and attributes that pair stages read are kept up to date
 * in copies.
 *
 * Clusters stand in columns, which are the same on all ranks: the box is ncolumns[0] by ncolumns[1]
 * of them, and numbers beyond the box are those of copies a period away. */
#ifndef PEL_PARTICLES_H
#define PEL_PARTICLES_H

#include <math.h>
#include <stdint.h>
#include "pelsim/particles.h"
#include "regions.h"

enum { PEL__ATTRIBUTES = 64, PEL__EXTRA = 32 };

/* One array, `bytes` (4 or 8) a place.  carried: it belongs to the particle and moves with it. */
typedef struct {
  void **at;
  int bytes;
  bool carried;
} pel__component;

/* Clusters by column: those of column (a, b) are start[(a - first[0])*n[1] + b - first[1]] up to
 * the next. */
typedef struct {
  int first[2], n[2];
  int *start;
  int room;
} pel__columns;

typedef struct {
  int source;      /* cluster of this rank */
  double shift[3]; /* what its positions are shifted by */
} pel__image;

/* Copies of clusters between ranks.  One that is sent stands at `shift` from where it is here. */
typedef struct {
  int first, n;        /* clusters of guests */
  pel__columns column; /* of guests */
  double (*shift)[3];  /* [n]: by which guests are shifted from where their owner has them */
  pel__image *send;    /* by peer */
  int nsend, send_room, room;
  int *sent, *got;  /* [npeers]: clusters to and from each */
  int *place;       /* [n]: cluster of each that comes, in order of peers */
  double *out, *in; /* messages */
  size_t out_room, in_room;
  MPI_Request *request; /* [2*npeers] */
  double seconds;       /* spent on messages */
  int nrequests;
} pel__guests;

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
  const pel__regions *regions; /* NULL: this process has all particles */
  int64_t n, total;            /* owned; on all ranks */
  int nclusters, nimages;
  int room; /* clusters allocated */
  int threads;
  double waited; /* seconds in maxima over all ranks */

  double *x[3], *v[3];
  double *f[3];  /* accumulated as int64_t, then turned into multiples of the force quantum */
  double *at[3]; /* positions when the lists were built */
  int64_t *id;   /* -1: an empty place */
  int32_t *type, *image[3];
  double *extra[PEL__EXTRA]; /* attributes of the model, a component each */
  int nextra;
  pel__component component[PEL__ATTRIBUTES];
  int ncomponents;
  void *spare[2]; /* a component's worth of 4 and of 8 bytes */

  /* Cluster numbers are ascending along the sort axis within each column. */
  int across[2], along; /* axes of the array of columns, and the axis sorted by */
  int ncolumns[2];      /* of the box */
  double width[2];
  pel__columns own, beside; /* of owned clusters and of images */
  double *low, *high;       /* [room]: extent of each cluster along the sort axis */
  pel__image *images;       /* [nimages] */
  int *image_at;            /* [nclusters + 1]: images whose source is a cluster, in image_of */
  int *image_of;            /* [nimages] */
  pel__guests guests;
  pel__sort_memory sort;
} pel__particles;

/* What fills the positions of empty places: beyond reach of everything and of each other. */
static inline double pel__nowhere(const pel__particles *p, int64_t place) {
  const int64_t ranks = p->regions ? p->regions->nranks : 1;
  const int64_t rank = p->regions ? p->regions->rank : 0;
  return 10 * (p->domain.length[0] + p->domain.length[1] + p->domain.length[2]) *
         (double)(place * ranks + rank + 1);
}
static inline bool pel__is_empty(const pel__particles *p, int64_t place) {
  return p->id[place] < 0;
}
/* Where a particle, or its copy, is within the box: between two lists it may have left it. */
typedef struct {
  double x, y, z;
} pel__point;
static inline pel__point pel__inside(const pel__particles *p, int64_t place) {
  double x[3];
  for (int a = 0; a < 3; ++a) {
    const double length = p->domain.length[a], at = p->x[a][place];
    x[a] = p->domain.periodic[a] ? at - floor(at / length) * length : at;
  }
  return (pel__point){x[0], x[1], x[2]};
}
static inline int pel__nall(const pel__particles *p) {
  return p->nclusters + p->nimages + p->guests.n;
}

/* Room for n particles whose arrays the caller then fills: places 0 .. n-1 of x, v, id, type; image
 * is 0. */
int pel__particles_create(pel__particles *p, const pel__domain *d, int64_t n, int threads,
                          pel_error *e);
void pel__particles_destroy(pel__particles *p);
/* One more array of doubles, 0: p->extra[p->nextra - 1], which moves with the others. */
int pel__particles_extend(pel__particles *p, bool carried, pel_error *e);
/* Room for so many clusters, owned and copies; contents stay. */
void pel__particles_reserve(pel__particles *p, int clusters);
/* Room for so many columns, all of which are then empty but for *start[0]. */
void pel__columns_reserve(pel__columns *c);

/* Memory in huge pages, zeroed; number: arrays with different ones are not taken for each other by
 * the processor, which looks at low bits of addresses first.  NULL if there is none. */
void *pel__array_create(size_t bytes, int number);
void pel__array_destroy(void *array);

/* Brings a particle that has left the box by no more than a period back, counting images: exact.
 * False if it has left through a wall or is not finite; pel__particle_lost then says so. */
bool pel__particle_wrap(pel__particles *p, int64_t place);
int pel__particle_lost(const pel__particles *p, int64_t place, pel_error *e);

/* ---- migrate.c ---- */

/* Wraps positions and sends each particle that another rank owns there, with all that it carries.
 * far: to any rank, not only to neighbours.  A rank that fails takes part all the same.
 * Collective. */
int pel__particles_migrate(pel__particles *p, bool far, pel_error *e);

/* ---- sort.c ---- */

/* Wraps positions into the box and sorts particles into clusters; copies are forgotten.  Fails if
 * one has left through a wall or is not finite. */
int pel__particles_sort(pel__particles *p, pel_error *e);

/* ---- copies ---- */

/* An array whose copies are wanted; axis: of positions, which copies have shifted; else -1. */
typedef struct {
  double **at;
  int axis;
} pel__copied;

typedef struct {
  int n;
  pel__copied what[PEL__ATTRIBUTES];
} pel__copies;
pel__copies pel__positions(pel__particles *p);

/* Brings all copies up to date.  Collective. */
void pel__refresh(pel__particles *p, pel__copies c);

/* images.c: the images within `reach` of this rank's part of the box, one of each pair of opposite
 * ones: a pair is found from one of its ends. */
void pel__images_create(pel__particles *p, double reach);
void pel__images_refresh(pel__particles *p, const pel__copies *c);

/* guests.c: the guests within `reach` of this rank's blocks.  If e->code is set the rank takes part
 * without giving or getting any.  Collective. */
int pel__guests_create(pel__particles *p, double reach, pel_error *e);
/* Brings guests up to date: between start and finish neither may be changed.  Collective. */
void pel__guests_start(pel__particles *p, const pel__copies *c);
void pel__guests_finish(pel__particles *p, const pel__copies *c);
void pel__guests_destroy(pel__guests *g);

#endif
