/* What lies beyond the ends of an axis: which cell a halo cell repeats, and with which sign.
 *
 * Points on cell faces (lower-face convention) along an axis of N cells mirror about the wall face,
 * -m -> m and N+m -> N-m; centres mirror about it too, -1-m -> m and N+m -> N-1-m.  Face N itself
 * lies in the halo and has no mirror image:
 *   PEL_EVEN, PEL_COPY   face N repeats face N-1
 *   PEL_ODD              face N is 0
 *   PEL_FIXED            face N is the wall value (face 0 is an owned point: the model's business)
 *   PEL_POLE             face N, the pole, is 0 for vectors and repeats face N-1 otherwise
 * PEL_FIXED reflects: ghost = 2*value - image.  PEL_POLE reflects rows like a wall, half a circle
 * round (a face half a circle round is a face), with the opposite sign for vectors.  A halo wider
 * than the grid applies the rule again until it arrives inside. */
#include "halo_plan.h"

typedef struct {
  double sign, offset;
} affine; /* value = sign*source + offset */

/* outer(inner(x)) */
static affine compose(affine outer, affine inner) {
  return (affine){outer.sign * inner.sign, outer.sign * inner.offset + outer.offset};
}

static bool staggered(pel_place p, int axis) {
  switch (p) {
    case PEL_FACE_X:
      return axis == 0;
    case PEL_FACE_Y:
      return axis == 1;
    case PEL_FACE_Z:
      return axis == 2;
    case PEL_CORNER_XY:
      return axis != 2;
    case PEL_CENTRE:
      break;
  }
  return false;
}

static int64_t mirror(int64_t i, int64_t n, bool face) {
  return face ? (i < 0 ? -i : 2 * n - i) : (i < 0 ? -1 - i : 2 * n - 1 - i);
}

/* One application of a wall rule to a point outside [0, n). */
static int64_t across_wall(int64_t i, int64_t n, bool face, pel_rule rule, double value,
                           affine *how) {
  const bool last_face = face && i == n;
  *how = (affine){1, 0};
  if (rule == PEL_COPY) return i < 0 ? 0 : n - 1;
  if (rule == PEL_ODD) *how = (affine){last_face ? 0 : -1, 0};
  if (rule == PEL_FIXED) *how = last_face ? (affine){0, value} : (affine){-1, 2 * value};
  return last_face ? n - 1 : mirror(i, n, face);
}

static int64_t across_pole(int64_t i, int64_t n, bool face, bool vector, affine *how,
                           bool *opposite) {
  const bool pole = face && i == n;
  *how = (affine){vector ? (pole ? 0 : -1) : 1, 0};
  if (pole) return n - 1;
  *opposite = !*opposite;
  return mirror(i, n, face);
}

pel__axis_source pel__source_on_axis(const pel_grid *g, const pel__halo_field *f, int a,
                                     int64_t i) {
  const int64_t n = g->axis[a].n;
  pel_rule rule = f->wall[a] != PEL_AXIS_RULE ? f->wall[a] : g->axis[a].wall;
  if (rule == PEL_AXIS_RULE) rule = PEL_EVEN;
  const bool face = staggered(f->place, a);
  affine total = {1, 0}, how;
  bool opposite = false;
  if (g->axis[a].end == PEL_PERIODIC) i = (i % n + n) % n;
  while (i < 0 || i >= n) {
    i = g->axis[a].end == PEL_POLE ? across_pole(i, n, face, f->vector, &how, &opposite)
                                   : across_wall(i, n, face, rule, f->wall_value, &how);
    total = compose(total, how);
  }
  return (pel__axis_source){i, total.sign, total.offset, opposite};
}

int64_t pel__opposite(const pel_grid *g, int64_t i) {
  return (i + g->axis[0].n / 2) % g->axis[0].n;
}

void pel__halo_source(const pel_grid *g, const pel__halo_field *f, const int64_t dst[3],
                      int64_t src[3], double *sign, double *offset) {
  affine total = {1, 0};
  bool opposite = false;
  for (int a = 0; a < 3; ++a) {
    src[a] = 0;
    if (a >= g->dims) continue;
    const pel__axis_source s = pel__source_on_axis(g, f, a, dst[a]);
    src[a] = s.index;
    total = compose((affine){s.sign, s.offset}, total);
    opposite = opposite || s.opposite;
  }
  if (opposite) src[0] = pel__opposite(g, src[0]);
  *sign = total.sign;
  *offset = total.offset;
}
