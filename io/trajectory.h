/* For io: particles as H5MD 1.1 (de Buyl, Colberg & Hoefling 2014, doi:10.1016/j.cpc.2014.01.018;
 * https://www.nongnu.org/h5md/h5md.html), in the profile that readers agree on:
 *
 *   /h5md                                   version, author, creator
 *   /particles/trajectory/box               dimension, boundary
 *   /particles/trajectory/box/edges/value   [frame][3][3], rows are the edges
 *   /particles/trajectory/position/value    [frame][particle][3], within the box, sorted by id
 *   /particles/trajectory/position/step     [frame]; also .../time.  All other elements, and the
 *                                           edges, have hard links to these two
 *   /particles/trajectory/image, velocity, force ...
 *   /particles/trajectory/id, species, mass [particle]
 *   /parameters/pelsim                      model, title, configuration, fingerprint of each frame
 *
 * The fingerprint of a frame is the sum of those of its arrays (NAME_x, NAME_y ..., values as
 * stored), of "type" if there are several, of "box" (the nine numbers) and of "time". */
#ifndef PEL_TRAJECTORY_H
#define PEL_TRAJECTORY_H

#include "particle_rows.h"
#include "series.h"

#define PEL__GROUP "particles/trajectory"
#define PEL__PARAMETERS "parameters/pelsim"

enum { PEL__TRAJECTORY_COLUMNS = PEL__EDGES + 1 };
typedef enum { PEL__ID, PEL__SPECIES, PEL__MASS } pel__still; /* what belongs to no frame */

/* A quantity of the particles that each frame has. */
typedef struct {
  char name[64];
  pel__rows rows;
  const char *unit; /* as H5MD writes it; NULL: none */
} pel__element;

/* The elements of a snapshot: all its arrays but "type".  Returns how many; x has room for
 * s->narrays. */
int pel__elements_of(const pel_snapshot *s, bool single, pel__element *x);
const pel_array *pel__types_of(const pel_snapshot *s); /* NULL: all are of type 1 */

/* Share of a frame's box, time and step in its fingerprint. */
uint64_t pel__frame_share(const double edges[9], double time, int64_t step);

/* What a unit is called in H5MD, and what a value is to be multiplied by; NULL: no unit. */
const char *pel__h5md_unit(const char *unit, double *scale);

/* /h5md, with the module of units if there are any. */
void pel__h5md_describe(hid_t file, bool units, bool *ok);

/* pel__format.describe */
int pel__trajectory_describe(pel__overlay *o, const pel_snapshot *s, bool single,
                             const pel__growing *g, const char *path, int64_t *still, pel_error *e);

#endif
