/* Moving particles: velocities and positions stay on their lattices, so that a step can be undone
 * to the last bit. */
#ifndef PEL_MOTION_H
#define PEL_MOTION_H

#include "particles.h"

/* The lattice of velocities: a particle that crosses `span` in a step of dt would have a speed of
 * 2^50 quanta. */
double pel__velocity_quantum(double span, double dt);

/* v += c[type]*f, the increment rounded to the lattice of velocities. */
void pel__kick(pel__particles *p, const double *c, double quantum);

/* x += dt*v, the increment rounded to the lattice of positions.  Returns the largest squared
 * displacement on any rank since the lists were built, or INFINITY if one is not finite.
 * Collective. */
double pel__drift(pel__particles *p, double dt);

/* Sum of m[type]*v^2 over all ranks, exact and rounded once.  Collective. */
double pel__kinetic2(const pel__particles *p, const double *m);

#endif
