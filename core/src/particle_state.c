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

pel__slab pel__slab_of(int64_t total, int rank, int nranks) {
  const int64_t first = total / nranks * rank + total % nranks * rank / nranks,
                end = total / nranks * (rank + 1) + total % nranks * (rank + 1) / nranks;
  return (pel__slab){first, end - first};
}

/* What goes to the rank that has a particle's slab. */
typedef struct {
  int64_t id;
  double value[KINDS][3];
} record;

/* Between two sortings a particle may stand a little outside the box; when that is depends on the
 * list, so that what is saved is put back inside. */
static record record_of(const pel__particles *p, int64_t i) {
  record r = {.id = p->id[i]};
  for (int a = 0; a < 3; ++a) {
    const int out = pel__domain_beyond(&p->domain, a, p->x[a][i]);
    r.value[POSITION][a] = p->x[a][i] - out * p->domain.length[a];
    r.value[VELOCITY][a] = p->v[a][i];
    r.value[IMAGE][a] = p->image[a][i] + out;
  }
  return r;
}

static int rank_of(int64_t id, int64_t total, int nranks) {
  int rank = (int)((double)(id - 1) / (double)total * nranks);
  while (rank > 0 && id - 1 < pel__slab_of(total, rank, nranks).first) --rank;
  while (rank < nranks - 1 && id - 1 >= pel__slab_of(total, rank + 1, nranks).first) ++rank;
  return rank;
}

/* Of this rank's slab, in whatever order. */
static record *exchange(const pel__particles *p, int64_t *n) {
  const pel__peers all = pel__regions_everyone(p->regions);
  const int64_t places = (int64_t)p->nclusters * PEL_LANES;
  int *count = calloc(2 * (size_t)all.n, sizeof *count), *got = count + all.n;
  int64_t *next = calloc((size_t)all.n, sizeof *next);
  record *out = malloc(((size_t)p->n + 1) * sizeof *out);
  if (!count || !next || !out) abort();
  for (int64_t i = 0; i < places; ++i)
    if (!pel__is_empty(p, i)) ++count[rank_of(p->id[i], p->total, all.n)];
  for (int r = 1; r < all.n; ++r) next[r] = next[r - 1] + count[r - 1];
  for (int64_t i = 0; i < places; ++i)
    if (!pel__is_empty(p, i)) out[next[rank_of(p->id[i], p->total, all.n)]++] = record_of(p, i);
  record *in = pel__swap(&all, sizeof *in, count, out, got);
  *n = 0;
  for (int r = 0; r < all.n; ++r) *n += got[r];
  free(count), free(next), free(out);
  return in;
}

pel_array *pel__dynamics_arrays(const pel_sim *s, int *n) {
  const pel__particles *p = &s->dynamics->p;
  const pel__slab slab = pel__slab_of(p->total, s->rank, s->nranks);
  const size_t count = 3 * KINDS;
  int64_t arrived;
  record *of = exchange(p, &arrived);
  pel_array *arrays =
      malloc(count * (sizeof(pel_array) + sizeof(pel_patch) + (size_t)slab.n * sizeof(double)));
  if (!arrays) abort();
  pel_patch *patch = (pel_patch *)(arrays + count);
  double *data = (double *)(patch + count);
  for (size_t c = 0; c < count; ++c, data += slab.n) {
    const size_t kind = c / 3, a = c % 3;
    patch[c] = (pel_patch){.first = {slab.first, 0, 0}, .n = {(int)slab.n, 1, 1}, .data = data};
    arrays[c] = (pel_array){.name = described[kind][a].name,
                            .unit = "1",
                            .doc = described[kind][a].doc,
                            .patches = &patch[c],
                            .npatches = slab.n > 0};
    for (int64_t i = 0; i < arrived; ++i) data[of[i].id - 1 - slab.first] = of[i].value[kind][a];
  }
  free(of);
  *n = (int)count;
  return arrays;
}

void pel__dynamics_adopt(pel_sim *s, const pel_array *arrays) {
  pel__dynamics *d = s->dynamics;
  pel__particles *p = &d->p;
  const pel__slab slab = pel__slab_of(p->total, s->rank, s->nranks);
  pel_error e = {0};
  p->n = slab.n;
  p->nclusters = (int)((p->n + PEL_LANES - 1) / PEL_LANES);
  if (pel__particles_reserve(p, p->nclusters + 1, &e)) abort();
  for (int64_t i = 0; i < (int64_t)p->nclusters * PEL_LANES; ++i)
    p->id[i] = i < p->n ? slab.first + i + 1 : -1;
  for (int a = 0; a < 3; ++a)
    for (int64_t i = 0; i < p->n; ++i) {
      p->x[a][i] = arrays[3 * POSITION + a].patches->data[i];
      p->v[a][i] = arrays[3 * VELOCITY + a].patches->data[i];
      p->image[a][i] = (int32_t)arrays[3 * IMAGE + a].patches->data[i];
    }
  d->listed = d->forced = d->measured = false;
  d->scattered = true;
}
