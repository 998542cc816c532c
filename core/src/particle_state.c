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

static int rank_of(int64_t id, int64_t total, int nranks) {
  int rank = (int)((double)(id - 1) / (double)total * nranks);
  while (rank > 0 && id - 1 < pel__slab_of(total, rank, nranks).first) --rank;
  while (rank < nranks - 1 && id - 1 >= pel__slab_of(total, rank + 1, nranks).first) ++rank;
  return rank;
}

/* Records, an id and its values, for the ranks that have the slabs; count[r] for each. */
static double *pack(const pel__particles *p, pel__values *fill, int nvalues, int *count) {
  const int nranks = p->regions->nranks;
  const int64_t places = (int64_t)p->nclusters * PEL_LANES;
  const size_t each = 1 + (size_t)nvalues;
  int64_t *next = calloc((size_t)nranks, sizeof *next);
  double *records = malloc(((size_t)p->n + 1) * each * sizeof *records);
  if (!next || !records) abort();
  for (int64_t i = 0; i < places; ++i)
    if (!pel__is_empty(p, i)) ++count[rank_of(p->id[i], p->total, nranks)];
  for (int r = 1; r < nranks; ++r) next[r] = next[r - 1] + count[r - 1];
  for (int64_t i = 0; i < places; ++i) {
    if (pel__is_empty(p, i)) continue;
    double *to = records + each * (size_t)next[rank_of(p->id[i], p->total, nranks)]++;
    to[0] = (double)p->id[i];
    fill(p, i, to + 1);
  }
  free(next);
  return records;
}

void pel__by_id(const pel__particles *p, pel__values *fill, int nvalues, double *const *to) {
  const pel__peers all = pel__regions_everyone(p->regions);
  const pel__slab slab = pel__slab_of(p->total, p->regions->rank, all.n);
  const size_t each = 1 + (size_t)nvalues;
  int *count = calloc(2 * (size_t)all.n, sizeof *count), *got = count + all.n;
  if (!count) abort();
  double *out = pack(p, fill, nvalues, count);
  double *in = pel__swap(&all, each * sizeof *in, count, out, got), *r = in;
  for (int q = 0; q < all.n; ++q)
    for (int i = 0; i < got[q]; ++i, r += each)
      for (int v = 0; v < nvalues; ++v) to[v][(int64_t)r[0] - 1 - slab.first] = r[1 + v];
  free(count), free(out), free(in);
}

/* Between two sortings a particle may stand a little outside the box; when that is depends on the
 * list, so that what is saved is put back inside. */
static void fill_state(const pel__particles *p, int64_t i, double *value) {
  for (int a = 0; a < 3; ++a) {
    const int out = pel__domain_beyond(&p->domain, a, p->x[a][i]);
    value[3 * POSITION + a] = p->x[a][i] - out * p->domain.length[a];
    value[3 * VELOCITY + a] = p->v[a][i];
    value[3 * IMAGE + a] = p->image[a][i] + out;
  }
}

pel_array *pel__dynamics_arrays(const pel_sim *s, int *n) {
  const pel__particles *p = &s->dynamics->p;
  const pel__slab slab = pel__slab_of(p->total, s->rank, s->nranks);
  const size_t count = 3 * KINDS;
  pel_array *arrays =
      malloc(count * (sizeof(pel_array) + sizeof(pel_patch) + (size_t)slab.n * sizeof(double)));
  if (!arrays) abort();
  pel_patch *patch = (pel_patch *)(arrays + count);
  double *data = (double *)(patch + count), *to[3 * KINDS];
  for (size_t c = 0; c < count; ++c, data += slab.n) {
    to[c] = data;
    patch[c] = (pel_patch){.first = {slab.first, 0, 0}, .n = {(int)slab.n, 1, 1}, .data = data};
    arrays[c] = (pel_array){.name = described[c / 3][c % 3].name,
                            .unit = "1",
                            .doc = described[c / 3][c % 3].doc,
                            .patches = &patch[c],
                            .npatches = slab.n > 0};
  }
  pel__by_id(p, fill_state, (int)count, to);
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
