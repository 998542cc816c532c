#include "pairs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the potential ---- */

/* The power of two q with largest <= 2^50 q < 2 largest: sums of pairs stay below 2^51 q. */
static double quantum(double largest) {
  int exponent;
  if (frexp(largest, &exponent) == 0.5) --exponent;
  return ldexp(1, exponent - 50);
}

int pel__potential_create(pel__potential *u, const pel_pair_kernels *k, int ntypes,
                          pel__coefficients *coefficients, const void *ctx, double largest_force,
                          double largest_energy, pel_error *e) {
  const int nc = k->ncoefficients;
  double c[nc + 1];
  *u = (pel__potential){.kernels = k,
                        .ntypes = ntypes,
                        .force_quantum = quantum(largest_force),
                        .energy_quantum = quantum(largest_energy)};
  u->table = calloc((size_t)ntypes * (size_t)ntypes * (size_t)(nc + 1) + 8, sizeof *u->table);
  if (!u->table) return pel_error_set(e, PEL_USAGE, "out of memory: %d particle types", ntypes);
  for (int i = 0; i < ntypes; ++i)
    for (int j = 0; j < ntypes; ++j) {
      double *t = u->table + (ptrdiff_t)i * (nc + 1) * ntypes + j;
      const double cutoff = coefficients(ctx, i, j, c);
      u->cutoff = fmax(u->cutoff, cutoff);
      t[0] = cutoff * cutoff;
      for (int n = 0; n < nc; ++n) t[(n + 1) * ntypes] = c[n];
    }
  return PEL_OK;
}

void pel__potential_destroy(pel__potential *u) {
  free(u->table);
  memset(u, 0, sizeof *u);
}

/* ---- memory ---- */

static int64_t bits(double x) {
  int64_t b;
  memcpy(&b, &x, sizeof b);
  return b;
}

static int reserve(pel__pair_work *w, const pel__particles *p, const pel__pair_list *l,
                   pel_error *e) {
  const int nt = l->nshares;
  if (!w->f) w->f = calloc(3 * (size_t)nt, sizeof *w->f);
  if (nt > 1 && p->room > w->room) {
    for (int i = 0; i < 3 * nt; ++i) {
      free(w->f[i]); /* touched by its thread only, and only as far as the share reaches */
      w->f[i] = aligned_alloc(64, ((size_t)p->room * PEL_LANES + 8) / 8 * 64);
      if (!w->f[i]) return pel_error_set(e, PEL_USAGE, "out of memory for the forces of threads");
    }
    w->room = p->room;
  }
  if (p->room > w->bias_room) {
    for (int k = 0; k < PEL__KINDS; ++k) {
      free(w->bias[k]);
      w->bias[k] = aligned_alloc(64, ((size_t)p->room * PEL_LANES + 8) / 8 * 64);
      if (!w->bias[k]) return pel_error_set(e, PEL_USAGE, "out of memory for the list of pairs");
    }
    w->bias_room = p->room;
    w->bias_build = 0;
  }
  return PEL_OK;
}

void pel__pair_work_destroy(pel__pair_work *w, int threads) {
  for (int i = 0; w->f && i < 3 * threads; ++i) free(w->f[i]);
  free(w->f);
  for (int k = 0; k < PEL__KINDS; ++k) free(w->bias[k]);
  memset(w, 0, sizeof *w);
}

/* ---- one evaluation ---- */

typedef struct {
  pel__particles *p;
  const pel__pair_list *l;
  const pel__potential *u;
  pel__pair_work *w;
  double magic;
  int64_t one; /* what a vector adds to a lane: the bits of magic */
  bool energy, fresh;
  double *to[3]; /* of particles: forces, or what is summed */
  int ntos;
} job;

/* What a thread adds up. */
typedef struct {
  double largest_force, largest_energy;
  uint64_t overflow;
  __int128 energy; /* twice: what both ranks of a pair have counts once */
  __int128 virial[6];
} result;

static int64_t *sums_of(const job *k, int t, int a) {
  return k->l->nshares == 1 ? (int64_t *)(void *)k->to[a] : k->w->f[3 * t + a];
}

static void start(const job *k, int t, int from, int to) {
  const int *hits = k->l->share[t].hits;
  const uint64_t one = k->ntos == 3 ? (uint64_t)k->one : -(uint64_t)k->one; /* j - f, or j + s */
  for (int c = from; c < to; ++c) {
    const pel_long4 x = {0, 0, 0, 0}, value = x + (int64_t)((uint64_t)hits[c] * one);
    for (int a = 0; a < k->ntos; ++a)
      *(pel_long4 *)(sums_of(k, t, a) + (ptrdiff_t)c * PEL_LANES) = value;
  }
}

/* Of each row: its entries and, with own clusters, its own, in which it looks at what follows. */
static void fill_bias(const job *k, const pel__share *h, int kind) {
  const int *row = h->rows[kind].row;
  int64_t *b = k->w->bias[kind] + (ptrdiff_t)h->first * PEL_LANES;
  for (ptrdiff_t r = 0; r < (ptrdiff_t)(h->last - h->first) * PEL_LANES; ++r)
    b[r] = (int64_t)((uint64_t)(row[r + 1] - row[r] + (kind == PEL__WITH_OWN)) * PEL_LANES *
                     (uint64_t)k->one);
}

static void accumulate(const job *k, int t, int kind, result *r) {
  const pel__share *h = &k->l->share[t];
  const pel__particles *p = k->p;
  if (kind == PEL__WITH_OWN) {
    start(k, t, h->first, h->owned_end);
    start(k, t, h->copy_first, h->copy_end);
  } else if (!h->rows[kind].nentries) {
    return;
  }
  if (k->fresh) fill_bias(k, h, kind);
  pel_pair_task task = {.x = {p->x[0], p->x[1], p->x[2]},
                        .type = p->type,
                        .table = k->u->table,
                        .data = k->u->data,
                        .ntypes = k->u->ntypes,
                        .first = h->first,
                        .last = h->last,
                        .within = kind == PEL__WITH_OWN,
                        .row = h->rows[kind].row,
                        .entry = h->rows[kind].entry,
                        .bias = k->w->bias[kind],
                        .magic = k->magic,
                        .far2 = 4 * k->u->cutoff * k->u->cutoff,
                        .magic_energy = pel__magic(k->u->energy_quantum)};
  for (int a = 0; a < k->ntos; ++a) task.f[a] = sums_of(k, t, a);
  for (int a = 0; a < k->u->kernels->nattributes; ++a) task.attribute[a] = *k->u->read[a];
  k->u->kernels->run[k->u->ntypes > 1][k->energy](&task);
  r->largest_force = fmax(r->largest_force, task.largest_force);
  r->largest_energy = fmax(r->largest_energy, task.largest_energy);
  r->energy += kind == PEL__WITH_OWN ? 2 * task.energy : task.energy;
}

static pel_long4 gather(const job *k, int c, int a, bool copy) {
  pel_bits4 n = {0, 0, 0, 0};
  for (int t = 0; t < k->l->nshares; ++t) {
    const pel__share *h = &k->l->share[t];
    const int from = copy ? h->copy_first : h->first, to = copy ? h->copy_end : h->owned_end;
    if (c >= from && c < to) n += *(const pel_bits4 *)(sums_of(k, t, a) + (ptrdiff_t)c * PEL_LANES);
  }
  return (pel_long4)n;
}

static const int row_of[6] = {0, 1, 2, 0, 0, 1}, column_of[6] = {0, 1, 2, 1, 2, 2};

/* Virial: with F the sum on each place, the sum over pairs of d_a f_b is that over particles of
 * x_a F_b plus that over copies of shift_a F_b: the force on an image has gone to its source, and
 * of a pair with a guest, which two ranks have, one rank's shift counts. */
static void add_virial(const job *k, const pel_long4 f[3], const double *const x[3], ptrdiff_t at,
                       result *r) {
  const double scale = 1 / k->p->domain.delta;
  for (int l = 0; l < PEL_LANES; ++l) {
    if (!(f[0][l] | f[1][l] | f[2][l])) continue; /* empty places among them */
    for (int v = 0; v < 6; ++v)
      r->virial[v] += (__int128)(int64_t)(x[row_of[v]][at + l] * scale) * f[column_of[v]][l];
  }
}

static void add_shifted(const job *k, const pel_long4 f[3], const double by[3], result *r) {
  double shift[3][PEL_LANES];
  for (int a = 0; a < 3; ++a)
    for (int l = 0; l < PEL_LANES; ++l) shift[a][l] = by[a];
  add_virial(k, f, (const double *const[]){shift[0], shift[1], shift[2]}, 0, r);
}

/* Sums of all threads and images to the particles of [first, last), as multiples of the quantum. */
static void settle(const job *k, int first, int last, result *r) {
  const pel__particles *p = k->p;
  const pel_double4 magic = pel_all(k->magic);
  pel_bits4 outside = {0, 0, 0, 0};
  for (int c = first; c < last; ++c) {
    pel_long4 f[3];
    for (int a = 0; a < k->ntos; ++a) f[a] = gather(k, c, a, false);
    for (int g = p->image_at[c]; g < p->image_at[c + 1]; ++g) {
      pel_long4 extra[3];
      for (int a = 0; a < k->ntos; ++a) {
        extra[a] = gather(k, p->nclusters + p->image_of[g], a, true);
        f[a] = (pel_long4)((pel_bits4)f[a] + (pel_bits4)extra[a]);
      }
      if (k->energy) add_shifted(k, extra, p->images[p->image_of[g]].shift, r);
    }
    const ptrdiff_t at = (ptrdiff_t)c * PEL_LANES;
    if (k->energy) add_virial(k, f, (const double *const[]){p->x[0], p->x[1], p->x[2]}, at, r);
    /* |n| < 2^51: magic + n q is the double of that many bits more. */
    for (int a = 0; a < k->ntos; ++a) {
      const pel_bits4 n = (pel_bits4)f[a];
      outside |= (n + (UINT64_C(1) << 51)) & ~((UINT64_C(1) << 52) - 1);
      *(pel_double4 *)(k->to[a] + at) = (pel_double4)(n + (pel_bits4)magic) - magic;
    }
  }
  r->overflow |= outside[0] | outside[1] | outside[2] | outside[3];
}

/* Of two opposite shifts one. */
static bool counts(const double s[3]) {
  return s[0] != 0 ? s[0] > 0 : s[1] != 0 ? s[1] > 0 : s[2] > 0;
}

static void settle_guests(const job *k, int first, int last, result *r) {
  const pel__guests *guests = &k->p->guests;
  for (int g = first; g < last; ++g) {
    pel_long4 f[3];
    if (!counts(guests->shift[g])) continue;
    for (int a = 0; a < 3; ++a) f[a] = gather(k, guests->first + g, a, true);
    add_shifted(k, f, guests->shift[g], r);
  }
}

static int explain(const job *k, const result *r, pel_error *e) {
  const double most = 0x1p50;
  const bool forces = k->ntos == 3;
  const double arm = forces ? k->u->cutoff : 1; /* largest_force is of F/r */
  const bool force = !(r->largest_force * arm <= most * k->u->force_quantum),
             energy = !(r->largest_energy <= most * k->u->energy_quantum);
  if (!force && !energy && !r->overflow) return PEL_OK;
  int64_t i, j;
  double d;
  const pel__particles *p = k->p;
  pel__pair_list_closest(k->l, p, &i, &j, &d);
  return pel_error_set(
      e, PEL_INVALID,
      "the %s of a pair exceeds %g: particles %ld and %ld are %g apart, at (%g, %g, %g); "
      "look for overlapping particles in the start, or reduce the time step",
      energy && !force ? "energy"
      : forces         ? "force"
                       : "density",
      most * (energy && !force ? k->u->energy_quantum : k->u->force_quantum), (long)p->id[i],
      (long)p->id[j], d, p->x[0][i], p->x[1][i], p->x[2][i]);
}

/* Of all ranks. */
static void report(const job *k, const result *total, pel__pair_sums *sums) {
  __int128 x[7] = {total->energy};
  const pel__regions *r = k->p->regions;
  memcpy(x + 1, total->virial, sizeof total->virial);
  if (r && r->nranks > 1) pel__sum_int128(r->comm, x, 7);
  sums->energy = (double)(x[0] / 2) * k->u->energy_quantum;
  for (int v = 0; v < 6; ++v)
    sums->virial[v] = (double)x[1 + v] * k->p->domain.delta * k->u->force_quantum;
}

/* Positions and attributes whose copies the pass reads. */
static pel__copies copies_of(const job *k) {
  pel__copies c = {0};
  if (!k->u->later) c = pel__positions(k->p);
  for (int a = 0; a < k->u->kernels->nattributes; ++a)
    c.what[c.n++] = (pel__copied){k->u->read[a], -1};
  return c;
}

/* k says what to do; magic numbers and bias are filled in here. */
static int run(job *k, pel__pair_sums *sums, pel_error *e) {
  pel__particles *p = k->p;
  pel__pair_work *w = k->w;
  const pel__share *share = k->l->share;
  const int nt = k->l->nshares;
  result each[nt], total = {0};
  if (reserve(w, p, k->l, e)) return e->code;
  memset(each, 0, sizeof each);
  k->magic = pel__magic(k->u->force_quantum);
  k->one = bits(k->magic);
  k->fresh = w->bias_build != k->l->builds || w->bias_of != k->one;
  const pel__copies copies = copies_of(k);
  pel__guests_start(p, &copies);
  pel__images_refresh(p, &copies);
#pragma omp parallel for num_threads(nt) schedule(static, 1)
  for (int t = 0; t < nt; ++t) accumulate(k, t, PEL__WITH_OWN, &each[t]);
  pel__guests_finish(p, &copies);
#pragma omp parallel num_threads(nt)
  {
#pragma omp for schedule(static, 1)
    for (int t = 0; t < nt; ++t) accumulate(k, t, PEL__WITH_GUESTS, &each[t]);
#pragma omp for schedule(static, 1)
    for (int t = 0; t < nt; ++t) {
      const int64_t guests = p->guests.n;
      settle(k, share[t].first, share[t].last, &each[t]);
      if (k->energy)
        settle_guests(k, (int)(guests * t / nt), (int)(guests * (t + 1) / nt), &each[t]);
    }
  }
  for (int t = 0; t < nt; ++t) {
    total.largest_force = fmax(total.largest_force, each[t].largest_force);
    total.largest_energy = fmax(total.largest_energy, each[t].largest_energy);
    total.overflow |= each[t].overflow;
    total.energy += each[t].energy;
    for (int v = 0; v < 6; ++v) total.virial[v] += each[t].virial[v];
  }
  w->bias_build = k->l->builds, w->bias_of = k->one;
  if (sums) report(k, &total, sums);
  return explain(k, &total, e);
}

int pel__pairs_run(pel__particles *p, pel__pair_list *l, const pel__potential *u, pel__pair_work *w,
                   pel__pair_sums *sums, pel_error *e) {
  job k = {.p = p, .l = l, .u = u, .w = w, .energy = sums != NULL, .ntos = 3};
  for (int a = 0; a < 3; ++a) k.to[a] = p->f[a];
  return run(&k, sums, e);
}

int pel__pairs_sum(pel__particles *p, pel__pair_list *l, const pel__potential *u, pel__pair_work *w,
                   double *to, pel_error *e) {
  job k = {.p = p, .l = l, .u = u, .w = w, .to = {to}, .ntos = 1};
  return run(&k, NULL, e);
}
