/* Generalised Hilbert curve: a box spanned by three axis-parallel vectors a (the direction of
 * travel), b and c is cut into smaller boxes that are visited along a path whose ends meet, until
 * a box is one cell thick (Cerveny 2019, "gilbert", github.com/jakubcerveny/gilbert).  Unlike the
 * classical curve in an enclosing power-of-two cube it needs no jumps in a box of other sizes. */
#include "curve.h"

typedef struct {
  int x[3];
} vec;

typedef struct {
  int (*coord)[3];
  long at;
} path;

static vec add(vec u, vec v) { return (vec){{u.x[0] + v.x[0], u.x[1] + v.x[1], u.x[2] + v.x[2]}}; }
static vec neg(vec v) { return (vec){{-v.x[0], -v.x[1], -v.x[2]}}; }
static vec sub(vec u, vec v) { return add(u, neg(v)); }

/* Cells along an axis-parallel vector, and one cell's step in its direction. */
static int length(vec v) {
  const int s = v.x[0] + v.x[1] + v.x[2];
  return s < 0 ? -s : s;
}
static vec unit(vec v) {
  for (int a = 0; a < 3; ++a) v.x[a] = (v.x[a] > 0) - (v.x[a] < 0);
  return v;
}

/* About half of v, an even number of cells if that is possible: even parts need no diagonal. */
static vec half(vec v) {
  vec h = {{v.x[0] / 2, v.x[1] / 2, v.x[2] / 2}};
  if (length(h) % 2 && length(v) > 2) h = add(h, unit(v));
  return h;
}

static void line(path *p, vec at, vec v) {
  const vec step = unit(v);
  for (int i = length(v); i > 0; --i, at = add(at, step)) {
    for (int a = 0; a < 3; ++a) p->coord[p->at][a] = at.x[a];
    ++p->at;
  }
}

static void fill(path *p, vec at, vec a, vec b, vec c) {
  const int w = length(a), h = length(b), d = length(c);
  if (h == 1 && d == 1) return line(p, at, a);
  if (w == 1 && d == 1) return line(p, at, b);
  if (w == 1 && h == 1) return line(p, at, c);
  const vec a2 = half(a), b2 = half(b), c2 = half(c);
  const vec last_a = sub(a, unit(a)), last_b2 = sub(b2, unit(b)), last_c2 = sub(c2, unit(c));
  const vec last_c = sub(c, unit(c)), rest_a = sub(a, a2), rest_b = sub(b, b2), rest_c = sub(c, c2);
  if (2 * w > 3 * h && 2 * w > 3 * d) { /* long: two boxes, one behind the other */
    fill(p, at, a2, b, c);
    fill(p, add(at, a2), rest_a, b, c);
  } else if (3 * h > 4 * d) { /* flat: up b, along a, down b */
    fill(p, at, b2, c, a2);
    fill(p, add(at, b2), a, rest_b, c);
    fill(p, add(at, add(last_a, last_b2)), neg(b2), c, neg(rest_a));
  } else if (3 * d > 4 * h) { /* flat the other way: up c, along a, down c */
    fill(p, at, c2, a2, b);
    fill(p, add(at, c2), a, b, rest_c);
    fill(p, add(at, add(last_a, last_c2)), neg(c2), neg(rest_a), b);
  } else { /* cubic: Hilbert's eight octants in five boxes */
    fill(p, at, b2, c2, a2);
    fill(p, add(at, b2), c, a2, rest_b);
    fill(p, add(at, add(last_b2, last_c)), a, neg(b2), neg(rest_c));
    fill(p, add(at, add(last_a, add(b2, last_c))), neg(c), neg(rest_a), rest_b);
    fill(p, add(at, add(last_a, last_b2)), neg(b2), c2, neg(rest_a));
  }
}

void pel__curve(const int n[3], int (*coord)[3]) {
  path p = {coord, 0};
  const vec x = {{n[0], 0, 0}}, y = {{0, n[1], 0}}, z = {{0, 0, n[2]}}, origin = {{0, 0, 0}};
  if (n[0] >= n[1] && n[0] >= n[2])
    fill(&p, origin, x, y, z);
  else if (n[1] >= n[2])
    fill(&p, origin, y, x, z);
  else
    fill(&p, origin, z, x, y);
}
