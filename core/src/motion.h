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

/* x += dt*v, the increment rounded to the lattice of positions; walls reflect.  Returns the largest
 * squared displacement on any rank since the lists were built, or INFINITY if one is not finite or
 * the particles of a rank stay where they are.  Collective. */
double pel__drift(pel__particles *p, double dt, bool stay);

/* v = factor*v - u on the lattice of velocities; 0 in empty places. */
void pel__change_velocities(pel__particles *p, double factor, const double u[3], double quantum);

/* Positions of the box `d`, which the particles then have: each is wrapped and scaled by the ratio
 * of lengths. */
void pel__rescale(pel__particles *p, const pel__domain *d);

/* Exact sums over the particles of all ranks, rounded once: of m[type]*v^2, m[type]*v[axis],
 * m[type]; of x by place (anything in empty ones).  Collective. */
double pel__kinetic2(const pel__particles *p, const double *m);
double pel__momentum(const pel__particles *p, const double *m, int axis);
double pel__mass(const pel__particles *p, const double *m);
double pel__sum_places(const pel__particles *p, const double *x);

#endif
