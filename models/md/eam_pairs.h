/* Kernels of eam.h: the formulas of its passes. */
#ifndef PEL_MD_EAM_PAIRS_H
#define PEL_MD_EAM_PAIRS_H

#include "eam.h"
#include "pelsim/vector_math.h"

enum { HEAD = 8, ONE = 4 }; /* doubles: before the records, and a spline's */
enum { DENSITY_ONE = ONE, DENSITY_MANY = 2 * ONE, FORCE_ONE = 2 * ONE, FORCE_MANY = 3 * ONE };

/* ---- passes ---- */

PEL_INLINE pel_spline_place find(pel_real r, const pel_lane *data) {
  return pel_spline_find(r, pel_all(data[0]), pel_all(data[1]));
}

/* Value and slope, times dr, of a spline of the records at `index`. */
PEL_INLINE pel_real spline(const pel_lane *data, pel_whole index, pel_real part, pel_real *slope) {
  pel_real a[ONE];
  pel_lookup4(data + HEAD, index, a);
  return pel_spline(a, part, slope);
}

PEL_INLINE pel_shares density_one(pel_real r2, const pel_real *c, const pel_pair_ends *e) {
  const pel_spline_place at = find(pel_sqrt(r2), e->data);
  pel_real slope;
  (void)c;
  const pel_real rho = spline(e->data, at.interval * DENSITY_ONE, at.part, &slope);
  return (pel_shares){rho, rho};
}

PEL_INLINE pel_shares density_many(pel_real r2, const pel_real *c, const pel_pair_ends *e) {
  const pel_spline_place at = find(pel_sqrt(r2), e->data);
  const pel_whole record = at.interval * DENSITY_MANY + pel_to_int(c[0]);
  pel_real slope;
  return (pel_shares){.i = spline(e->data, record, at.part, &slope),
                      .j = spline(e->data, record + ONE, at.part, &slope)};
}

/* z = r*phi and its slope dz times dr; pull: F_i' rho_ij' + F_j' rho_ji' times dr. */
PEL_INLINE pel_pair force_of(pel_real r, pel_real z, pel_real dz, pel_real pull, pel_lane per_dr) {
  const pel_real inverse = 1 / r, phi = z * inverse;
  const pel_real slope = pel_fma(pel_all(per_dr), pel_fma(dz, inverse, pull), -phi * inverse);
  return (pel_pair){.force = -slope * inverse, .energy = phi};
}

/* Particles in one place are told by what they have at 1e-15 A: not a number would tell nothing. */
PEL_INLINE pel_real distance(pel_real r2) { return pel_sqrt(pel_larger(r2, pel_all(1e-30))); }

PEL_INLINE pel_pair force_one(pel_real r2, const pel_real *c, const pel_pair_ends *e) {
  const pel_real r = distance(r2);
  const pel_spline_place at = find(r, e->data);
  const pel_whole record = at.interval * FORCE_ONE;
  pel_real dz, drho;
  (void)c;
  const pel_real z = spline(e->data, record, at.part, &dz);
  spline(e->data, record + ONE, at.part, &drho);
  return force_of(r, z, dz, (e->i[0] + e->j[0]) * drho, e->data[0]);
}

PEL_INLINE pel_pair force_many(pel_real r2, const pel_real *c, const pel_pair_ends *e) {
  const pel_real r = distance(r2);
  const pel_spline_place at = find(r, e->data);
  const pel_whole record = at.interval * FORCE_MANY + pel_to_int(c[0]);
  pel_real dz, dij, dji;
  const pel_real z = spline(e->data, record, at.part, &dz);
  spline(e->data, record + ONE, at.part, &dij);
  spline(e->data, record + 2 * ONE, at.part, &dji);
  /* Symmetric in i and j, as which of them has the pair in its row is chance. */
  return force_of(r, z, dz, e->i[0] * dij + e->j[0] * dji, e->data[0]);
}

#define PEL_FORMULA density_one
#define PEL_COEFFICIENTS 1
#define PEL_COSTLY
#define PEL_ENDS 0
#define PEL_SHARES
#include "pelsim/pair_kernel.h"

#define PEL_FORMULA density_many
#define PEL_COEFFICIENTS 1
#define PEL_COSTLY
#define PEL_ENDS 0
#define PEL_SHARES
#include "pelsim/pair_kernel.h"

#define PEL_FORMULA force_one
#define PEL_COEFFICIENTS 1
#define PEL_COSTLY
#define PEL_ENDS 1
#include "pelsim/pair_kernel.h"

#define PEL_FORMULA force_many
#define PEL_COEFFICIENTS 1
#define PEL_COSTLY
#define PEL_ENDS 1
#include "pelsim/pair_kernel.h"

const pel_pair_kernels PEL_PRECISE(pel__eam_density) = {
    1, {{density_one_force, NULL}, {density_many_force_many, NULL}}, 0, true, PEL__IS_MIXED};
const pel_pair_kernels PEL_PRECISE(pel__eam_force) = {
    1,
    {{force_one_force, force_one_energy}, {force_many_force_many, force_many_energy_many}},
    1,
    false,
    PEL__IS_MIXED};

#endif
