/* The Cartesian box that most tutorial models use as their grid. */
#include "pelsim/model.h"

void pel_box_grid(pel_grid *g, const pel_box *b) {
  const int64_t n[3] = {b->nx, b->ny, b->nz};
  const double length[3] = {b->lx, b->ly, b->lz};
  static const char *const name[3] = {"x", "y", "z"};
  *g = (pel_grid){.dims = b->nz > 1 ? 3 : b->ny > 1 ? 2 : 1};
  for (int a = 0; a < 3; ++a) {
    /* An axis of one cell is its own neighbour, so that differences along it vanish. */
    const bool periodic = b->boundary == PEL_BOX_PERIODIC || n[a] <= 1;
    g->axis[a] = (pel_axis){.n = n[a],
                            .end = periodic ? PEL_PERIODIC : PEL_WALL,
                            .wall = b->boundary == PEL_BOX_FIXED ? PEL_FIXED : PEL_EVEN,
                            .name = name[a],
                            .unit = "m",
                            .spacing = length[a] / (double)n[a]};
  }
}
