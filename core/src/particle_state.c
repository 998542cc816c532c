/* Particles as arrays in order of id, which is what checkpoints and fingerprints know; the box and
 * the model's numbers as scalars. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dynamics.h"
#include "pelsim/memory.h"

enum { POSITION, VELOCITY, IMAGE, KINDS, TYPE = 3 * KINDS, MOST = TYPE + 1 + PEL__EXTRA };

static const struct {
  const char *name, *doc;
} described[MOST] = {{"position_x", "position along x, within the box"},
                     {"position_y", "position along y, within the box"},
                     {"position_z", "position along z, within the box"},
                     {"velocity_x", "velocity along x"},
                     {"velocity_y", "velocity along y"},
                     {"velocity_z", "velocity along z"},
                     {"image_x", "periods that the particle has moved along x"},
                     {"image_y", "periods that the particle has moved along y"},
                     {"image_z", "periods that the particle has moved along z"},
                     {"type", "type, counted from 1"}};

/* What is saved of this model: always x, v, image; types if there are several; what is carried. The
 * arrays that are named after a component have its name in `name`. */
typedef struct {
  pel_array array[MOST];
  char name[MOST][80];
  int extra[MOST]; /* component of p->extra; -1 */
  int n;
} contents;

static void list(const pel_sim *s, contents *c) {
  const pel_particle_model *m = s->model->particles;
  const int fixed = s->dynamics->box.ntypes > 1 ? TYPE + 1 : TYPE;
  memset(c, 0, sizeof *c);
  for (c->n = 0; c->n < fixed; ++c->n) {
    c->array[c->n] = (pel_array){
        .name = described[c->n].name, .unit = "1", .doc = described[c->n].doc, .npatches = 1};
    c->extra[c->n] = -1;
  }
  for (int i = 0, k = 0; i < m->nattributes; ++i)
    for (int a = 0; a < m->attributes[i].components; ++a, ++k) {
      const pel_attribute *t = &m->attributes[i];
      if (t->role != PEL_CARRIED) continue;
      const char axis[3] = {t->components > 1 ? '_' : 0, "xyz"[a], 0};
      snprintf(c->name[c->n], sizeof c->name[0], "%s%s", t->name, axis);
      c->array[c->n] = (pel_array){.unit = t->unit, .doc = t->doc, .npatches = 1};
      c->extra[c->n++] = k;
    }
}

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
static double *pack(const pel__particles *p, pel__values *fill, const void *ctx, int nvalues,
                    int *count) {
  const int nranks = p->regions->nranks;
  const int64_t places = (int64_t)p->nclusters * PEL_LANES;
  const size_t each = 1 + (size_t)nvalues;
  int64_t *next = pel_calloc((size_t)nranks, sizeof *next);
  double *records = pel_malloc(((size_t)p->n + 1) * each * sizeof *records);
  for (int64_t i = 0; i < places; ++i)
    if (!pel__is_empty(p, i)) ++count[rank_of(p->id[i], p->total, nranks)];
  for (int r = 1; r < nranks; ++r) next[r] = next[r - 1] + count[r - 1];
  for (int64_t i = 0; i < places; ++i) {
    if (pel__is_empty(p, i)) continue;
    double *to = records + each * (size_t)next[rank_of(p->id[i], p->total, nranks)]++;
    to[0] = (double)p->id[i];
    fill(p, ctx, i, to + 1);
  }
  free(next);
  return records;
}

void pel__by_id(const pel__particles *p, pel__values *fill, const void *ctx, int nvalues,
                double *const *to) {
  const pel__peers all = pel__regions_everyone(p->regions);
  const pel__slab slab = pel__slab_of(p->total, p->regions->rank, all.n);
  const size_t each = 1 + (size_t)nvalues;
  int *count = pel_calloc(2 * (size_t)all.n, sizeof *count), *got = count + all.n;
  double *out = pack(p, fill, ctx, nvalues, count);
  double *in = pel__swap(&all, each * sizeof *in, count, out, got), *r = in;
  for (int q = 0; q < all.n; ++q)
    for (int i = 0; i < got[q]; ++i, r += each)
      for (int v = 0; v < nvalues; ++v) to[v][(int64_t)r[0] - 1 - slab.first] = r[1 + v];
  free(count), free(out), free(in);
}

/* Between two sortings a particle may stand a little outside the box; when that is depends on the
 * list, so that what is saved is put back inside. */
static void fill_state(const pel__particles *p, const void *ctx, int64_t i, double *value) {
  const contents *c = ctx;
  for (int a = 0; a < 3; ++a) {
    const int out = pel__domain_beyond(&p->domain, a, p->x[a][i]);
    value[3 * POSITION + a] = p->x[a][i] - out * p->domain.length[a];
    value[3 * VELOCITY + a] = p->v[a][i];
    value[3 * IMAGE + a] = p->image[a][i] + out;
  }
  for (int k = TYPE; k < c->n; ++k)
    value[k] = c->extra[k] < 0 ? p->type[i] + 1 : p->extra[c->extra[k]][i];
}

pel_array *pel__dynamics_arrays(const pel_sim *s, int *n) {
  const pel__particles *p = &s->dynamics->p;
  const pel__slab slab = pel__slab_of(p->total, s->rank, s->nranks);
  contents c;
  list(s, &c);
  const size_t count = (size_t)c.n;
  pel_array *arrays = pel_malloc(count * (sizeof(pel_array) + sizeof(pel_patch) + sizeof c.name[0] +
                                          (size_t)slab.n * sizeof(double)));
  pel_patch *patch = (pel_patch *)(arrays + count);
  double *data = (double *)(patch + count), *to[MOST];
  char(*name)[sizeof c.name[0]] = (void *)(data + count * (size_t)slab.n);
  for (size_t i = 0; i < count; ++i, data += slab.n) {
    to[i] = data;
    patch[i] = (pel_patch){.first = {slab.first, 0, 0}, .n = {(int)slab.n, 1, 1}, .data = data};
    arrays[i] = c.array[i];
    arrays[i].patches = &patch[i];
    arrays[i].npatches = slab.n > 0;
    if (arrays[i].name) continue;
    memcpy(name[i], c.name[i], sizeof name[i]);
    arrays[i].name = name[i];
  }
  pel__by_id(p, fill_state, &c, c.n, to);
  *n = c.n;
  return arrays;
}

static void adopt_particle(pel__particles *p, const contents *c, const pel_array *arrays,
                           int64_t i) {
  for (int a = 0; a < 3; ++a) {
    p->x[a][i] = arrays[3 * POSITION + a].patches->data[i];
    p->v[a][i] = arrays[3 * VELOCITY + a].patches->data[i];
    p->image[a][i] = (int32_t)arrays[3 * IMAGE + a].patches->data[i];
  }
  for (int k = TYPE; k < c->n; ++k) {
    const double x = arrays[k].patches->data[i];
    if (c->extra[k] < 0)
      p->type[i] = (int32_t)x - 1;
    else
      p->extra[c->extra[k]][i] = x;
  }
}

void pel__dynamics_adopt(pel_sim *s, const pel_array *arrays) {
  pel__dynamics *d = s->dynamics;
  pel__particles *p = &d->p;
  const pel__slab slab = pel__slab_of(p->total, s->rank, s->nranks);
  contents c;
  list(s, &c);
  p->n = slab.n;
  p->nclusters = (int)((p->n + PEL_LANES - 1) / PEL_LANES);
  pel__particles_reserve(p, p->nclusters + 1);
  for (int64_t i = 0; i < (int64_t)p->nclusters * PEL_LANES; ++i) {
    p->id[i] = i < p->n ? slab.first + i + 1 : -1;
    if (i < p->n)
      adopt_particle(p, &c, arrays, i);
    else
      for (int a = 0; a < 3; ++a) p->v[a][i] = 0;
  }
  pel__dynamics_bind(s);
  d->listed = d->forced = d->moving = d->summed = false;
  d->scattered = true;
}

/* ---- scalars ---- */

static int add(pel_scalar *x, int n, const char *name, double value, bool state) {
  if (x) x[n] = (pel_scalar){pel_strdup(name), value, state};
  return n + 1;
}

/* What the arrays do not say: for tools that look at the file, and must be alike on resuming. */
static int add_facts(const pel_sim *s, pel_scalar *x, int n) {
  const pel_particle_model *m = s->model->particles;
  const pel__dynamics *d = s->dynamics;
  const pel_particle_units *u = m->units ? m->units(s->state) : NULL;
  int walls = 0;
  for (int a = 0; a < 3; ++a) walls |= d->p.domain.walled[a] << a;
  n = add(x, n, "time_unit", d->time_unit, false);
  n = add(x, n, "walls", walls, false);
  for (int t = 0; t < d->box.ntypes; ++t) {
    char name[20];
    snprintf(name, sizeof name, "mass_%d", t + 1);
    n = add(x, n, name, d->box.mass[t] / (u ? u->mass_scale : 1), false);
  }
  return n;
}

int pel__dynamics_scalars(const pel_sim *s, pel_scalar *x) {
  const pel_particle_model *m = s->model->particles;
  const pel__dynamics *d = s->dynamics;
  int n = 0;
  for (int a = 0; a < 3; ++a)
    n = add(x, n, (char[]){'b', 'o', 'x', '_', "xyz"[a], 0}, d->p.domain.length[a], true);
  for (int i = 0; i < m->nnumbers; ++i) {
    const pel_number *k = &m->numbers[i];
    double value;
    if (k->when && !k->when(s->state)) continue;
    memcpy(&value, (const char *)s->state + k->offset, sizeof value);
    n = add(x, n, k->name, value, true);
  }
  n = add(x, n, "clock", s->time / d->time_unit, false);
  return add_facts(s, x, n);
}

static int restore_box(pel_sim *s, const double length[3], const char *checkpoint, pel_error *e) {
  pel__dynamics *d = s->dynamics;
  const double *own = d->p.domain.length;
  pel__domain domain;
  for (int a = 0; a < 3 && !pel__dynamics_flexible(s); ++a)
    if (length[a] != own[a])
      return pel_error_set(
          e, PEL_IO,
          "checkpoint %.700s has a box of length %.17g along %c, the configuration %.17g: resume "
          "with the same lattice and density; if a barostat has changed it, with a barostat, or "
          "begin anew from its particles ([start] file, after 'pelsim export')",
          checkpoint, length[a], "xyz"[a], own[a]);
  if (pel__dynamics_domain(d, length, &domain, e)) return e->code;
  d->p.domain = domain;
  return pel__pair_list_fit(&d->list, &domain, d->skin.skin, e);
}

/* x: the facts of the file, in place of ours where it has them. */
static int compare_facts(const pel_sim *s, const pel_scalar *x, const char *checkpoint,
                         pel_error *e) {
  const int n = add_facts(s, NULL, 0);
  pel_scalar own[n];
  add_facts(s, own, 0);
  for (int i = 0; i < n; ++i) {
    if (x[i].value != own[i].value)
      pel_error_set(e, PEL_IO,
                    "checkpoint %.700s was written with other %s (%s %.17g, in the configuration "
                    "%.17g): resume with the same [start] %s, or begin anew from its particles "
                    "([start] file, after 'pelsim export')",
                    checkpoint,
                    i == 0   ? "units"
                    : i == 1 ? "walls"
                             : "masses",
                    own[i].name, x[i].value, own[i].value,
                    i == 0   ? "units"
                    : i == 1 ? "walls"
                             : "mass");
    free((char *)own[i].name);
  }
  return e->code;
}

int pel__dynamics_restore(pel_sim *s, const pel_scalar *x, const char *checkpoint, pel_error *e) {
  const pel_particle_model *m = s->model->particles;
  if (restore_box(s, (double[]){x[0].value, x[1].value, x[2].value}, checkpoint, e)) return e->code;
  x += 3;
  for (int i = 0; i < m->nnumbers; ++i) {
    const pel_number *k = &m->numbers[i];
    if (k->when && !k->when(s->state)) continue;
    memcpy((char *)s->state + k->offset, &x++->value, sizeof(double));
  }
  return compare_facts(s, x + 1, checkpoint, e); /* behind the clock */
}
