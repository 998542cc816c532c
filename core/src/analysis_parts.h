/* The analysis as its own files see it. */
#ifndef PEL_ANALYSIS_PARTS_H
#define PEL_ANALYSIS_PARTS_H

#include "analysis.h"
#include "batch_means.h"
#include "correlation.h"
#include "rdf.h"

typedef enum { PEL__AVERAGES, PEL__RDF, PEL__MOTION, PEL__PARTS } pel__part_id;
enum { PEL__SIGNATURE = 8 };

/* One of them.  Its memory is its signature (what it was made with: of another one nothing can be
 * taken over), what it needs besides, and the batches of its samples. */
typedef struct {
  bool on, anew;
  double signature[PEL__SIGNATURE];
  double *memory;
  int64_t size;
  pel__batches means;
  double *sample; /* [means.n] */
} pel__part;

struct pel__analysis {
  pel__part part[PEL__PARTS];
  pel__rdf rdf;
  pel__correlation correlation;
  int64_t n[PEL_TYPES]; /* particles of each type */
  bool counted;
  pel_patch *patch; /* of the arrays */
  char (*name)[40];
};

/* Fills x->n.  Collective. */
void pel__analysis_count(pel_sim *s);

#endif
