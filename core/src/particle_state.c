/* Particles as arrays in order of id, which is what checkpoints and fingerprints know. */
#include <stdlib.h>

#include "dynamics.h"

enum { POSITION, VELOCITY, IMAGE, KINDS };

static const struct {
  const char *name, *doc;
} described[KINDS][3] = {{{"position_x", "position along x, within the box"},
                          {"position_y", "position along y, within the box"},
                          {"position_z", "position along z, within the box"}},
                         {{"velocity_x", "velocity along x"},
                          {"velocity_y", "velocity along y"},
                          {"velocity_z", "velocity along z"}},
                         {{"image_x", "periods that the particle has moved along x"},
                          {"image_y", "periods that the particle has moved along y"},
                          {"image_z", "periods that the particle has moved along z"}}};

/* Between two sortings a particle may stand a little outside the box; when that is depends on the
 * list, so that what is saved is put back inside. */
static void collect(const pel__particles *p, double *const to[KINDS][3]) {
#pragma omp parallel for num_threads(p->threads) schedule(static)
  for (int64_t i = 0; i < (int64_t)p->nclusters * PEL_LANES; ++i) {
    if (pel__is_empty(p, i)) continue;
    const int64_t at = p->id[i] - 1;
    for (int a = 0; a < 3; ++a) {
      const int out = pel__domain_beyond(&p->domain, a, p->x[a][i]);
      to[POSITION][a][at] = p->x[a][i] - out * p->domain.length[a];
      to[VELOCITY][a][at] = p->v[a][i];
      to[IMAGE][a][at] = p->image[a][i] + out;
    }
  }
}

pel_array *pel__dynamics_arrays(const pel_sim *s, int *n) {
  const pel__particles *p = &s->dynamics->p;
  const size_t count = 3 * KINDS;
  pel_array *arrays =
      malloc(count * (sizeof(pel_array) + sizeof(pel_patch) + (size_t)p->n * sizeof(double)));
  if (!arrays) abort();
  pel_patch *patch = (pel_patch *)(arrays + count);
  double *data = (double *)(patch + count), *to[KINDS][3];
  for (size_t c = 0; c < count; ++c, data += p->n) {
    const size_t kind = c / 3, a = c % 3;
    to[kind][a] = data;
    patch[c] = (pel_patch){.n = {(int)p->n, 1, 1}, .data = data};
    arrays[c] = (pel_array){.name = described[kind][a].name,
                            .unit = "1",
                            .doc = described[kind][a].doc,
                            .patches = &patch[c],
                            .npatches = 1};
  }
  collect(p, to);
  *n = (int)count;
  return arrays;
}

void pel__dynamics_adopt(pel_sim *s, const pel_array *arrays) {
  pel__dynamics *d = s->dynamics;
  pel__particles *p = &d->p;
  p->nclusters = (int)((p->n + PEL_LANES - 1) / PEL_LANES);
  for (int64_t i = 0; i < (int64_t)p->nclusters * PEL_LANES; ++i) p->id[i] = i < p->n ? i + 1 : -1;
  for (int a = 0; a < 3; ++a)
    for (int64_t i = 0; i < p->n; ++i) {
      p->x[a][i] = arrays[3 * POSITION + a].patches->data[i];
      p->v[a][i] = arrays[3 * VELOCITY + a].patches->data[i];
      p->image[a][i] = (int32_t)arrays[3 * IMAGE + a].patches->data[i];
    }
  d->listed = d->forced = d->measured = false;
}
