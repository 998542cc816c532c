/* Crystals: where particles of a lattice stand and which types they have. */
#ifndef PEL_MD_LATTICE_H
#define PEL_MD_LATTICE_H

#include "pelsim/particles.h"

#define PEL__MD_LATTICES "sc|bcc|fcc|hcp|diamond|square|hex"

/* A right-angled cell: edges in units of the spacing, sites in units of the edges. */
typedef struct {
  const char *name;
  int dims, nsites;
  double edge[3], site[8][3];
} pel__md_lattice;

extern const pel__md_lattice pel__md_lattice_of[];
const pel__md_lattice *pel__md_lattice_in(int dims); /* any one with so many dimensions */

typedef struct {
  const pel__md_lattice *lattice;
  int64_t cells[3], n, seed;
  double spacing;
  double shift[3]; /* of the sites, in units of the edges */
  int ntypes;
  int64_t count[PEL_TYPES]; /* particles of each type */
} pel__md_crystal;

/* Spacing of a lattice with so many particles a volume. */
double pel__md_spacing(const pel__md_lattice *l, double density);

/* Particles of each type from its parts, rounded so that they add up. */
void pel__md_share(pel__md_crystal *c, const double *parts);

double pel__md_length(const pel__md_crystal *c, int axis);
void pel__md_site(const pel__md_crystal *c, int64_t id, double x[3]);
/* Types stand in random order, each as often as count says. */
int pel__md_type(const pel__md_crystal *c, int64_t id);

#endif
