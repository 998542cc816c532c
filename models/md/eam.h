/* The embedded-atom method (Daw & Baskes 1984, doi:10.1103/PhysRevB.29.6443), for models of this
 * folder:
 *
 *   E = sum_i F_i(rho_i) + sum_{i<j} phi_ij(r),   rho_i = sum_j rho_ij(r)
 *
 * with tables of F, rho and r*phi interpolated by cubic Hermite splines on the grids of their files
 * as LAMMPS does.  Two passes over the pairs: densities; then, with F'(rho), forces
 *
 *   F_ij = -(phi'(r) + F_i' rho_ij'(r) + F_j' rho_ji'(r)) r_ij/r */
#ifndef PEL_MD_EAM_H
#define PEL_MD_EAM_H

#include "eam_file.h"
#include "pelsim/particles.h"

/* Of one or several types; tables of the passes begin with 1/dr and the number of the last
 * distance, records follow 8 doubles on. */
typedef struct {
  int ntypes, nr, nrho;
  double cutoff, drho;
  double *density; /* of the first pass: rho; with many types rho_ij, rho_ji of each pair */
  double *force;   /* of the second: r*phi before these */
  size_t ndensity, nforce;
  double *embed; /* [type][nrho][4] */
  double largest_force, largest_energy, largest_density;
} pel__eam;

typedef void *pel__allocate(void *ctx, size_t bytes); /* zeroed memory, or NULL */

/* Type t is element which[t] of one setfl or fs file, or the element of funcfl file which[t].
 * Returns false, with a sentence, if there is no room. */
bool pel__eam_create(pel__eam *e, const pel__eam_file *files, int ntypes, const int *which,
                     pel__allocate *allocate, void *ctx, char *error, size_t error_size);

extern const pel_pair_kernels pel__eam_density, pel__eam_density_mixed, pel__eam_force,
    pel__eam_force_mixed; /* force reads F'(rho) */

/* Of types ti and tj, for the first and second pass; both return the cut-off. */
double pel__eam_density_coefficients(const pel__eam *e, int ti, int tj, double *c);
double pel__eam_force_coefficients(const pel__eam *e, int ti, int tj, double *c);

/* F(rho), and its slope.  Beyond the table F goes on linearly. */
double pel__eam_embed(const pel__eam *e, int type, double rho, double *slope);

#endif
