#include "lattice.h"

#include <math.h>

#define THIRD 0.33333333333333331
#define ROOT3 1.7320508075688772

const pel__md_lattice pel__md_lattice_of[] = {
    {"sc", 3, 1, {1, 1, 1}, {{0, 0, 0}}},
    {"bcc", 3, 2, {1, 1, 1}, {{0, 0, 0}, {.5, .5, .5}}},
    {"fcc", 3, 4, {1, 1, 1}, {{0, 0, 0}, {.5, .5, 0}, {.5, 0, .5}, {0, .5, .5}}},
    {"hcp",
     3,
     4,
     {1, ROOT3, 1.6329931618554521}, /* sqrt(8/3) */
     {{0, 0, 0}, {.5, .5, 0}, {.5, .5 + THIRD, .5}, {0, THIRD, .5}}},
    {"diamond",
     3,
     8,
     {1, 1, 1},
     {{0, 0, 0},
      {.5, .5, 0},
      {.5, 0, .5},
      {0, .5, .5},
      {.25, .25, .25},
      {.75, .75, .25},
      {.75, .25, .75},
      {.25, .75, .75}}},
    {"square", 2, 1, {1, 1, 1}, {{0, 0}}},
    {"hex", 2, 2, {1, ROOT3, 1}, {{0, 0}, {.5, .5}}}};

const pel__md_lattice *pel__md_lattice_in(int dims) {
  const pel__md_lattice *l = pel__md_lattice_of;
  while (l->dims != dims) ++l;
  return l;
}

double pel__md_spacing(const pel__md_lattice *l, double density) {
  const double cell = l->nsites / (density * (l->edge[0] * l->edge[1] * l->edge[2]));
  return l->dims == 3 ? cbrt(cell) : sqrt(cell);
}

void pel__md_share(pel__md_crystal *c, const double *parts) {
  double all = 0, part = 0;
  int64_t before = 0;
  for (int t = 0; t < c->ntypes; ++t) all += parts[t];
  for (int t = 0; t < c->ntypes; ++t) {
    part += parts[t];
    const int64_t end = t + 1 < c->ntypes ? llround((double)c->n * (part / all)) : c->n;
    c->count[t] = end - before;
    before = end;
  }
}

double pel__md_length(const pel__md_crystal *c, int a) {
  return (double)c->cells[a] * c->spacing * c->lattice->edge[a];
}

void pel__md_site(const pel__md_crystal *c, int64_t id, double x[3]) {
  const pel__md_lattice *l = c->lattice;
  const int64_t cell = (id - 1) / l->nsites;
  const int64_t at[3] = {cell % c->cells[0], cell / c->cells[0] % c->cells[1],
                         cell / c->cells[0] / c->cells[1]};
  for (int a = 0; a < l->dims; ++a)
    x[a] =
        ((double)at[a] + l->site[(id - 1) % l->nsites][a] + c->shift[a]) * c->spacing * l->edge[a];
}

/* ---- types ---- */

/* Stafford's mix 13 of splitmix64 (Steele, Lea & Flood 2014, doi:10.1145/2714064.2660195). */
static uint64_t mix(uint64_t z) {
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return z ^ z >> 31;
}

/* A permutation of 0 .. n-1 without a table: Feistel rounds on the next power of 4, repeated until
 * inside (Black & Rogaway 2002, doi:10.1007/3-540-45760-7_9). */
static int64_t permuted(int64_t i, int64_t n, uint64_t seed) {
  enum { ROUNDS = 6 };
  int half = 1;
  while (half < 31 && INT64_C(1) << 2 * half < n) ++half;
  const uint64_t mask = (UINT64_C(1) << half) - 1;
  uint64_t x = (uint64_t)i;
  do
    for (uint64_t r = 0; r < ROUNDS; ++r) {
      const uint64_t right = x & mask, key = mix(seed + r * UINT64_C(0x9e3779b97f4a7c15));
      x = right << half | ((x >> half ^ mix(right ^ key)) & mask);
    }
  while (x >= (uint64_t)n);
  return (int64_t)x;
}

int pel__md_type(const pel__md_crystal *c, int64_t id) {
  if (c->ntypes == 1) return 0;
  int64_t at = permuted(id - 1, c->n, (uint64_t)c->seed);
  int t = 0;
  while (t < c->ntypes - 1 && at >= c->count[t]) at -= c->count[t++];
  return t;
}
