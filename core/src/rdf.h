/* The radial distribution of pairs of types: exact counts of distances over what an ideal gas in
 * the box of each sample would have. */
#ifndef PEL_RDF_H
#define PEL_RDF_H

#include "dynamics.h"

/* Pairs up to a distance that lists do not reach, from a list of its own. */
typedef struct {
  pel__regions regions;
  pel__particles p;
  pel__pair_list list;
} pel__far_pairs;

typedef struct {
  int bins, ntypes, npairs; /* npairs: of types; (0,0) (0,1) .. (1,1) .. */
  double range;
  int64_t *count;      /* [threads][npairs][bins]: of ordered pairs of particles */
  pel__far_pairs *far; /* NULL: the model's list reaches far enough */
} pel__rdf;

/* range 0: the cut-off.  Collective. */
int pel__rdf_create(pel__rdf *r, pel_sim *s, int bins, double range, pel_error *e);
void pel__rdf_destroy(pel__rdf *r);

/* Numbers of a sample: counts of each pair of types, then 1/V. */
static inline int64_t pel__rdf_size(const pel__rdf *r) { return (int64_t)r->npairs * r->bins + 1; }
int pel__rdf_sample(pel__rdf *r, pel_sim *s, double *x, pel_error *e); /* collective */

/* g [npairs][bins] from the mean of samples: a pel__estimator; ctx is a pel__rdf_shape. */
typedef struct {
  const pel__rdf *r;
  int dims;
  const int64_t *n; /* particles of each type */
} pel__rdf_shape;
void pel__rdf_estimate(const void *shape, const double *mean, double *g);

#endif
