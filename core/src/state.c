/* The state: arrays on blocks, profiles, the copies of the model's struct that kernels see. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "dynamics.h"
#include "pelsim/memory.h"

/* Zeros, for as long as this rank has these blocks. */
static void *hold(pel_sim *s, size_t n, size_t bytes) {
  return pel__keep(&s->local.allocations, pel_calloc(n, bytes), free);
}

typedef struct {
  void *at;
  size_t bytes;
} arena;

static void arena_release(void *p) {
  arena *a = p;
  munmap(a->at, a->bytes);
  free(a);
}

/* One mapping for all fields, in huge pages: worth 20 % of the bandwidth. */
static double *arena_create(pel_sim *s, size_t doubles) {
  const size_t page = 2u << 20, bytes = (doubles * sizeof(double) + 2 * page - 1) / page * page;
  void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) return NULL;
  madvise(at, bytes, MADV_HUGEPAGE);
  arena *a = pel_malloc(sizeof *a);
  *a = (arena){at, bytes};
  pel__keep(&s->local.allocations, a, arena_release);
  return (double *)(((uintptr_t)at + page - 1) / page * page);
}

static double fill_value(void) {
#ifdef PELSIM_CHECKS
  return __builtin_nans("");
#else
  return 0;
#endif
}

/* Rows are touched first by the thread whose tiles they will be. */
static void fill(pel_sim *s, const pel__block *b, double *origin, double value) {
  const int h0 = b->halo[0], h1 = b->halo[1], h2 = b->halo[2];
#pragma omp parallel for num_threads(s->threads) schedule(static)
  for (int j = -h1; j < b->n[1] + h1; ++j)
    for (int k = -h2; k < b->n[2] + h2; ++k)
      for (int i = -h0; i < b->n[0] + h0; ++i) origin[k * b->sz + j * b->sy + i] = value;
  (void)s;
}

int pel__state_slots(const pel_sim *s, const pel__var *v) {
  return !v->rate && v->field->rate && s->scheme ? s->scheme->nslots : 1;
}

static int create_arrays(pel_sim *s, pel_error *e) {
  const pel__layout *l = s->layout;
  const pel__block *blocks = &l->block[l->first];
  size_t total = 0;
  for (int v = 0; v < s->nvars; ++v)
    for (int b = 0; b < l->nlocal && s->vars[v].stored; ++b)
      total += blocks[b].size * (size_t)pel__state_slots(s, &s->vars[v]);
  double *next = arena_create(s, total + 8);
  if (!next)
    return pel_error_set(e, PEL_USAGE,
                         "out of memory: rank %d needs %.3g GB for its fields; use more nodes or a "
                         "smaller grid",
                         s->rank, (double)total * 8e-9);
  s->large = total * sizeof(double) > s->machine.l3 && total > 0;
  for (int i = 0; i < s->nvars; ++i) {
    pel__var *v = &s->vars[i];
    if (!v->stored) continue;
    v->nslots = pel__state_slots(s, v);
    v->data = hold(s, (size_t)(v->nslots * l->nlocal), sizeof *v->data);
    for (int d = 0; d < v->nslots * l->nlocal; ++d) {
      const pel__block *b = &blocks[d % l->nlocal];
      v->data[d] = next + b->origin;
      fill(s, b, v->data[d], fill_value());
      next += b->size;
    }
  }
  return PEL_OK;
}

/* What a stage sees, in builds with checks, in place of a field that it does not declare. */
static void create_forbidden(pel_sim *s) {
#ifdef PELSIM_CHECKS
  const pel__layout *l = s->layout;
  s->local.forbidden = hold(s, (size_t)l->nlocal, sizeof *s->local.forbidden);
  for (int b = 0; b < l->nlocal; ++b) {
    const pel__block *k = &l->block[l->first + b];
    s->local.forbidden[b] = (double *)hold(s, k->size, sizeof(double)) + k->origin;
    fill(s, k, s->local.forbidden[b], fill_value());
  }
#endif
  (void)s;
}

static double *table(pel_sim *s, const pel_profile *p, int64_t first, int64_t n, int halo) {
  double *t = hold(s, (size_t)(n + 2 * halo), sizeof *t);
  for (int64_t i = 0; i < n + 2 * halo; ++i) t[i] = p->value(s->state, first - halo + i);
  return t + halo;
}

static void set_pointer(void *state, size_t offset, double *to) {
  memcpy((char *)state + offset, &to, sizeof to);
}

/* s->local.tables[c*nprofiles + i]: profile i as seen by block c; c = nlocal: by spectral kernels.
 */
static void create_profiles(pel_sim *s) {
  const pel__layout *l = s->layout;
  const int np = s->model->nprofiles;
  s->local.tables = hold(s, (size_t)((l->nlocal + 1) * np), sizeof *s->local.tables);
  for (int i = 0; i < np; ++i) {
    const pel_profile *p = &s->model->profiles[i];
    const int a = p->axis == PEL_WAVE ? 0 : p->axis;
    const int64_t n = p->axis == PEL_WAVE ? s->grid.axis[0].n / 2 + 1 : s->grid.axis[a].n;
    double *whole = table(s, p, 0, n, p->axis == PEL_WAVE ? 0 : 1);
    s->local.tables[l->nlocal * np + i] = whole;
    for (int b = 0; b < l->nlocal; ++b) {
      const pel__block *k = &l->block[l->first + b];
      s->local.tables[b * np + i] =
          p->axis == PEL_WAVE ? whole : table(s, p, k->first[a], k->n[a], k->halo[a] + 1);
    }
  }
}

static void refresh(pel_sim *s, void *copy, int c) {
  const int np = s->model->nprofiles;
  memcpy(copy, s->state, s->model->state_size);
  for (int i = 0; i < np; ++i)
    set_pointer(copy, s->model->profiles[i].offset, s->local.tables[c * np + i]);
}

void pel__state_refresh(pel_sim *s) {
  const int n = s->layout->nlocal;
  for (int b = 0; b < n; ++b) {
    refresh(s, s->local.block[b], b);
    for (int i = 0; i < s->nvars; ++i) {
      const pel__var *v = &s->vars[i];
      set_pointer(s->local.block[b], v->offset, v->stored ? v->data[v->slot * n + b] : NULL);
    }
  }
  refresh(s, s->local.lines, n);
}

int pel__state_create(pel_sim *s, pel_error *e) {
  const size_t n = (size_t)s->layout->nlocal, bytes = (s->model->state_size + 63) / 64 * 64;
  s->local.block = hold(s, n, sizeof *s->local.block);
  for (size_t b = 0; b < n; ++b) s->local.block[b] = hold(s, 1, bytes);
  s->local.lines = hold(s, 1, bytes);
  if (create_arrays(s, e)) return e->code;
  create_forbidden(s);
  create_profiles(s);
  pel__state_refresh(s);
  return PEL_OK;
}

pel__var *pel__var_at(const pel_sim *s, size_t offset) {
  for (int v = 0; v < s->nvars; ++v)
    if (s->vars[v].offset == offset) return &s->vars[v];
  return NULL;
}

pel_array *pel__state_arrays(pel_sim *s, int *n) {
  if (s->dynamics) return pel__dynamics_arrays(s, n);
  const pel__layout *l = s->layout;
  int count = 0;
  for (int v = 0; v < s->nvars; ++v) count += !s->vars[v].rate && s->vars[v].field->prognostic;
  const size_t patches = (size_t)(count * l->nlocal);
  pel_array *a = pel_calloc(1, (size_t)count * sizeof *a + patches * sizeof(pel_patch));
  pel_patch *p = (pel_patch *)(a + count);
  *n = 0;
  for (int i = 0; i < s->nvars; ++i) {
    const pel__var *v = &s->vars[i];
    if (v->rate || !v->field->prognostic) continue;
    const pel_field *f = v->field;
    a[(*n)++] = (pel_array){f->name, f->unit, f->standard_name, f->doc, f->place, p, l->nlocal};
    for (int b = 0; b < l->nlocal; ++b, ++p) {
      const pel__block *k = &l->block[l->first + b];
      *p = (pel_patch){.sy = k->sy, .sz = k->sz, .data = v->data[v->slot * l->nlocal + b]};
      memcpy(p->first, k->first, sizeof p->first);
      memcpy(p->n, k->n, sizeof p->n);
    }
  }
  return a;
}

void pel__state_adopt(pel_sim *s, const pel_array *arrays) {
  if (s->dynamics) pel__dynamics_adopt(s, arrays);
  for (int i = 0; i < s->nvars; ++i) s->vars[i].valid[s->vars[i].slot] = 0;
}

int pel__state_scalars(const pel_sim *s, pel_scalar *x) {
  return s->dynamics ? pel__dynamics_scalars(s, x) : 0;
}

static uint64_t hash_scalars(const pel_sim *s) {
  const int n = pel__state_scalars(s, NULL);
  pel_scalar x[n + 1];
  pel__state_scalars(s, x);
  const uint64_t f = pel_fingerprint_scalars(x, n);
  for (int i = 0; i < n; ++i) free((char *)x[i].name);
  return f;
}

uint64_t pel__state_fingerprint(pel_sim *s) {
  int n;
  pel_array *a = pel__state_arrays(s, &n);
  uint64_t f = 0;
  for (int i = 0; i < n; ++i) f += pel_fingerprint_array(&a[i], &s->grid);
  MPI_Allreduce(MPI_IN_PLACE, &f, 1, MPI_UINT64_T, MPI_SUM, s->comm);
  free(a);
  return f + hash_scalars(s);
}
