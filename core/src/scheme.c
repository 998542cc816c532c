#include "scheme.h"

#include <string.h>

/* The last substage may write slot 0 in place: it is read there at the cell itself only. */
static const pel__scheme schemes[] = {
    {"euler", "forward Euler", 2, 1, 0, 2, {{0, 1, {0}, 1, 0}}},
    {"rk3",
     "Wicker & Skamarock (2002), three stages",
     3,
     3,
     1.7320508075688772,
     2.5127453266183286,
     {{0, 1, {0}, 1. / 3, 0}, {1, 2, {0}, 1. / 2, 1. / 3}, {2, 0, {0}, 1, 1. / 2}}},
    {"ssprk3",
     "Shu & Osher (1988), strong stability preserving",
     3,
     3,
     1.7320508075688772,
     2.5127453266183286,
     {{0, 1, {0}, 1, 0}, {1, 2, {0, 1. / 4}, 1. / 4, 1}, {2, 0, {0, 0, 2. / 3}, 2. / 3, 1. / 2}}},
    /* k1 .. k3 are (y1-y0)*2/dt, (y2-y0)*2/dt, (y3-y0)/dt: no accumulator is needed. */
    {"rk4",
     "classical Runge-Kutta",
     4,
     4,
     2.8284271247461903,
     2.785293563405282,
     {{0, 1, {0}, 1. / 2, 0},
      {1, 2, {0}, 1. / 2, 1. / 2},
      {2, 3, {0}, 1, 1. / 2},
      {3, 0, {0, 1. / 3, 2. / 3, 1. / 3}, 1. / 6, 1}}},
};

const pel__scheme *pel__scheme_find(const char *name) {
  for (size_t i = 0; i < sizeof schemes / sizeof *schemes; ++i)
    if (strcmp(schemes[i].name, name) == 0) return &schemes[i];
  return NULL;
}
