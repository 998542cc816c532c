#include "particles.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "pelsim/memory.h"

/* Huge pages: lists jump about in the arrays.  Starts are staggered by cache lines, since the same
 * place of x, y, z and forces is used together and equal low bits of addresses look like conflicts
 * to the processor. */
enum { HUGE = 2 << 20, STAGGER = 17 * 64 };

static size_t mapped(size_t bytes) { return (bytes + 4096 + 2 * HUGE - 1) / HUGE * HUGE; }

typedef struct {
  void *base;
  size_t bytes;
} head;

void *pel__array_create(size_t bytes, int number) {
  const size_t size = mapped(bytes + sizeof(head) + 64);
  char *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED) pel_out_of_memory(size);
  madvise(base, size, MADV_HUGEPAGE);
  char *at = base + 64 + (size_t)number * STAGGER % 4096;
  ((head *)(void *)at)[-1] = (head){base, size};
  return at;
}

void pel__array_destroy(void *at) {
  if (!at) return;
  const head h = ((head *)at)[-1];
  munmap(h.base, h.bytes);
}

static void add(pel__particles *p, void *member, int bytes, bool carried) {
  p->component[p->ncomponents++] = (pel__component){member, bytes, carried};
}

static void list_components(pel__particles *p) {
  p->ncomponents = 0;
  for (int a = 0; a < 3; ++a) add(p, &p->x[a], 8, true);
  for (int a = 0; a < 3; ++a) add(p, &p->f[a], 8, false);
  for (int a = 0; a < 3; ++a) add(p, &p->v[a], 8, true);
  for (int a = 0; a < 3; ++a) add(p, &p->at[a], 8, false);
  for (int a = 0; a < 3; ++a) add(p, &p->image[a], 4, true);
  add(p, &p->type, 4, true);
  add(p, &p->id, 8, true);
}

void pel__particles_reserve(pel__particles *p, int clusters) {
  if (clusters <= p->room) return;
  const int room = clusters + clusters / 4 + 16;
  const size_t places = (size_t)room * PEL_LANES, held = (size_t)p->room * PEL_LANES;
  for (int c = 0; c < p->ncomponents; ++c) {
    const size_t bytes = (size_t)p->component[c].bytes;
    void *grown = pel__array_create(places * bytes, c);
    if (held) memcpy(grown, *p->component[c].at, held * bytes);
    pel__array_destroy(*p->component[c].at);
    *p->component[c].at = grown;
  }
  for (int s = 0; s < 2; ++s) {
    pel__array_destroy(p->spare[s]);
    p->spare[s] = pel__array_create(places * (s ? 8 : 4), p->ncomponents + s);
  }
  p->low = pel_realloc(p->low, (size_t)room * sizeof *p->low);
  p->high = pel_realloc(p->high, (size_t)room * sizeof *p->high);
  p->images = pel_realloc(p->images, (size_t)room * sizeof *p->images);
  p->image_at = pel_realloc(p->image_at, (size_t)(room + 1) * sizeof *p->image_at);
  p->image_of = pel_realloc(p->image_of, (size_t)room * sizeof *p->image_of);
  pel__sort_memory *m = &p->sort;
  m->column = pel_realloc(m->column, places * sizeof *m->column);
  m->from = pel_realloc(m->from, places * sizeof *m->from);
  m->key = pel_realloc(m->key, places * sizeof *m->key);
  p->room = room;
}

void pel__columns_reserve(pel__columns *c) {
  const int n = c->n[0] * c->n[1];
  if (n > c->room) {
    free(c->start);
    c->start = pel_malloc(((size_t)n + 1) * sizeof *c->start);
    c->room = n;
  }
}

bool pel__particle_wrap(pel__particles *p, int64_t i) {
  for (int a = 0; a < 3; ++a) {
    const double length = p->domain.length[a];
    double *x = &p->x[a][i];
    const int out = pel__domain_beyond(&p->domain, a, *x);
    *x -= out * length;
    p->image[a][i] += out;
    if (!(*x >= 0 && *x <= length) || (*x == length && p->domain.periodic[a])) return false;
  }
  return true;
}

int pel__particle_lost(const pel__particles *p, int64_t i, pel_error *e) {
  const bool finite = isfinite(p->x[0][i]) && isfinite(p->x[1][i]) && isfinite(p->x[2][i]);
  return pel_error_set(
      e, PEL_INVALID,
      "particle %ld %s: position (%g, %g, %g), velocity (%g, %g, %g); reduce the time "
      "step, or look for overlapping particles in the start",
      (long)p->id[i], finite ? "has left the box" : "is nowhere", p->x[0][i], p->x[1][i],
      p->x[2][i], p->v[0][i], p->v[1][i], p->v[2][i]);
}

int pel__particles_create(pel__particles *p, const pel__domain *d, int64_t n, int threads,
                          pel_error *e) {
  *p = (pel__particles){.domain = *d, .n = n, .total = n, .threads = threads};
  list_components(p);
  p->along = d->dims - 1;
  p->across[0] = 0;
  p->across[1] = d->dims == 3 ? 1 : 2;
  if (n >= INT32_MAX / 2)
    return pel_error_set(e, PEL_USAGE, "%ld particles on a rank; the most is %d: use more ranks",
                         (long)n, INT32_MAX / 2);
  p->nclusters = (int)((n + PEL_LANES - 1) / PEL_LANES);
  pel__particles_reserve(p, p->nclusters + 1);
  for (int64_t i = n; i < (int64_t)p->nclusters * PEL_LANES; ++i) p->id[i] = -1;
  return PEL_OK;
}

int pel__particles_extend(pel__particles *p, bool carried, pel_error *e) {
  if (p->nextra == PEL__EXTRA)
    return pel_error_set(e, PEL_INTERNAL, "a model may have %d numbers a particle", PEL__EXTRA);
  double **at = &p->extra[p->nextra];
  *at = pel__array_create((size_t)p->room * PEL_LANES * sizeof **at, p->ncomponents);
  ++p->nextra;
  add(p, at, 8, carried);
  return PEL_OK;
}

void pel__particles_destroy(pel__particles *p) {
  for (int c = 0; c < p->ncomponents; ++c) pel__array_destroy(*p->component[c].at);
  for (int s = 0; s < 2; ++s) pel__array_destroy(p->spare[s]);
  free(p->own.start), free(p->beside.start), free(p->low), free(p->high), free(p->images);
  free(p->image_at), free(p->image_of);
  pel__guests_destroy(&p->guests);
  free(p->sort.column), free(p->sort.from), free(p->sort.key), free(p->sort.start);
  free(p->sort.count);
  memset(p, 0, sizeof *p);
}

pel__copies pel__positions(pel__particles *p) {
  return (pel__copies){3, {{&p->x[0], 0}, {&p->x[1], 1}, {&p->x[2], 2}}};
}

void pel__refresh(pel__particles *p, pel__copies c) {
  pel__guests_start(p, &c);
  pel__images_refresh(p, &c);
  pel__guests_finish(p, &c);
}
