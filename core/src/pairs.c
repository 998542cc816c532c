#include "pairs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pelsim/memory.h"

/* ---- the potential ---- */

/* In mixed precision the largest force has 2^28 quanta, so that as a rule 32 bits are enough. */
enum { MIXED_BITS = 28 };

/* The power of two q with largest <= 2^n q < 2 largest. */
static double quantum(double largest, int n) {
  int exponent;
  if (frexp(largest, &exponent) == 0.5) --exponent;
  return ldexp(1, exponent - n);
}

/* Numbers as kernels of this precision read them, and 64 bytes more. */
static void *numbers(const double *from, size_t n, bool mixed) {
  const size_t bytes = (n * (mixed ? sizeof(float) : sizeof *from) + 127) / 64 * 64;
  void *to = pel_aligned_alloc(64, bytes);
  memset(to, 0, bytes);
  for (size_t i = 0; i < n; ++i)
    if (mixed)
      ((float *)to)[i] = (float)from[i];
    else
      ((double *)to)[i] = from[i];
  return to;
}

int pel__potential_create(pel__potential *u, const pel_pair_kernels *k, int ntypes,
                          pel__coefficients *coefficients, const void *ctx, double largest_force,
                          double largest_energy, pel_error *e) {
  const int nc = k->ncoefficients;
  const size_t n = (size_t)ntypes * (size_t)ntypes * (size_t)(nc + 1);
  double c[nc + 1], *table = pel_calloc(n, sizeof *table);
  *u = (pel__potential){.kernels = k, .ntypes = ntypes};
  u->force_quantum = quantum(largest_force, k->mixed ? MIXED_BITS : PEL__PAIR_BITS);
  u->energy_quantum = quantum(largest_energy, PEL__PAIR_BITS);
  for (int i = 0; i < ntypes; ++i)
    for (int j = 0; j < ntypes; ++j) {
      double *t = table + (ptrdiff_t)i * (nc + 1) * ntypes + j;
      const double cutoff = coefficients(ctx, i, j, c);
      if (!(cutoff >= 0 && isfinite(cutoff)))
        pel_error_set(e, PEL_USAGE, "the cut-off of types %d and %d is %g; it must be a distance",
                      i + 1, j + 1, cutoff);
      u->cutoff = fmax(u->cutoff, cutoff);
      t[0] = cutoff * cutoff;
      for (int m = 0; m < nc; ++m) t[(m + 1) * ntypes] = c[m];
    }
  u->table = numbers(table, n, k->mixed);
  free(table);
  return e->code;
}

int pel__potential_set_data(pel__potential *u, const double *data, size_t n, pel_error *e) {
  u->data = data;
  if (!u->kernels->mixed) return PEL_OK;
  if (n > 1 << 24) /* whole numbers that a float tells apart */
    return pel_error_set(e, PEL_USAGE,
                         "the tables of the potential hold %zu numbers, too many for precision = "
                         "mixed; use double",
                         n);
  u->data = u->own_data = numbers(data, n, true);
  return PEL_OK;
}

void pel__potential_destroy(pel__potential *u) {
  free(u->table), free(u->own_data);
  memset(u, 0, sizeof *u);
}

/* ---- memory ---- */

static void reserve(pel__pair_work *w, const pel__particles *p, const pel__pair_list *l, bool mixed,
                    int attributes) {
  const int nt = l->nshares;
  const size_t places = (size_t)p->room * PEL_LANES;
  if (!w->f) w->f = pel_calloc((size_t)nt, sizeof *w->f);
  if (p->room > w->room) {
    for (int t = 0; t < nt; ++t) {
      pel__array_destroy(w->f[t]); /* touched by its thread only, and only as far as its share */
      w->f[t] = pel__array_create(places * 3 * (mixed ? sizeof(int32_t) : sizeof(int64_t)), 6 + t);
    }
    w->room = p->room;
  }
  if (mixed && attributes && p->room > w->attribute_room) {
    for (int a = 0; a < attributes; ++a) {
      pel__array_destroy(w->attribute[a]);
      w->attribute[a] = pel__array_create(places * sizeof(float), 7 + nt + a);
    }
    w->attribute_room = p->room;
  }
}

void pel__pair_work_destroy(pel__pair_work *w, int threads) {
  for (int t = 0; w->f && t < threads; ++t) pel__array_destroy(w->f[t]);
  for (int a = 0; a < PEL_PAIR_ATTRIBUTES; ++a) pel__array_destroy(w->attribute[a]);
  free(w->f);
  pel__wide_destroy(&w->wide, threads);
  memset(w, 0, sizeof *w);
}

/* ---- one evaluation ---- */

static int64_t bits(double x) {
  int64_t b;
  memcpy(&b, &x, sizeof b);
  return b;
}

typedef struct {
  pel__particles *p;
  pel__pair_list *l;
  const pel__potential *u;
  pel__pair_work *w;
  bool energy;
  double *to[3]; /* of particles: forces, or what is summed */
  int ntos;
} job;

/* What a thread adds up. */
typedef struct {
  double largest_force, largest_energy;
  int64_t overflown; /* the first id whose sum exceeds */
  __int128 energy;   /* twice: what both ranks of a pair have counts once */
  __int128 virial[6];
} result;

static bool is_mixed(const job *k) { return k->u->kernels->mixed; }

/* Sums begin with minus the magic numbers that kernels add. */
static void start(const job *k, int t, int from, int to) {
  const int *hits = k->l->share[t].hits;
  const size_t values = (size_t)k->ntos * PEL_LANES;
  if (is_mixed(k)) {
    memset((int32_t *)k->w->f[t] + (size_t)from * values, 0,
           (size_t)(to - from) * values * sizeof(int32_t));
    return;
  }
  const uint64_t one = (uint64_t)bits(pel__magic(k->u->force_quantum));
  for (int c = from; c < to; ++c) {
    const pel_bits4 none = {0}, value = none - (uint64_t)hits[c] * one;
    for (int a = 0; a < k->ntos; ++a)
      *(pel_bits4 *)((int64_t *)k->w->f[t] + (size_t)c * values + (size_t)a * PEL_LANES) = value;
  }
}

/* What as many as are added to a particle may each have so that 32 bits hold the sum: of F/r. */
static double narrow(const job *k) {
  const double arm = k->ntos == 3 ? k->u->cutoff : 1;
  return (0x1p31 / (double)k->l->summands - 1) * k->u->force_quantum / arm * (1 - 0x1p-16);
}

static void accumulate(const job *k, int t, int kind, result *r) {
  const pel__share *h = &k->l->share[t];
  const double quantum = k->u->force_quantum, grain = k->l->packed.grain;
  if (kind == PEL__WITH_OWN) {
    start(k, t, h->first, h->owned_end);
    start(k, t, h->copy_first, h->copy_end);
  } else if (!h->rows[kind].nentries) {
    return;
  }
  pel_pair_task task = {.x = k->l->packed.x,
                        .f = k->w->f[t],
                        .type = k->p->type,
                        .table = k->u->table,
                        .data = k->u->data,
                        .ntypes = k->u->ntypes,
                        .first = h->first,
                        .last = h->last,
                        .within = kind == PEL__WITH_OWN,
                        .row = h->rows[kind].row,
                        .entry = h->rows[kind].entry,
                        .magic = pel__magic(quantum),
                        .magic_energy = pel__magic(k->u->energy_quantum),
                        .grain2 = grain * grain,
                        .scale = (k->ntos == 3 ? grain : 1) / quantum,
                        .narrow = narrow(k),
                        .large = h->large,
                        .wide = is_mixed(k) ? &k->w->wide.notes[t] : NULL,
                        .far2 = 4 * k->u->cutoff * k->u->cutoff};
  for (int a = 0; a < k->u->kernels->nattributes; ++a)
    task.attribute[a] = is_mixed(k) ? (const void *)k->w->attribute[a] : *k->u->read[a];
  k->u->kernels->run[k->u->ntypes > 1][k->energy](&task);
  r->largest_force = fmax(r->largest_force, task.largest_force);
  r->largest_energy = fmax(r->largest_energy, task.largest_energy);
  r->energy += kind == PEL__WITH_OWN ? 2 * task.energy : task.energy;
}

/* What all threads have added to a cluster along axis a. */
static pel_long4 gather(const job *k, int c, int a, bool copy) {
  const ptrdiff_t at = ((ptrdiff_t)c * k->ntos + a) * PEL_LANES;
  const pel__wide *wide = &k->w->wide;
  pel_bits4 n = {0};
  for (int t = 0; t < k->l->nshares; ++t) {
    const pel__share *h = &k->l->share[t];
    const int from = copy ? h->copy_first : h->first, to = copy ? h->copy_end : h->owned_end;
    if (c < from || c >= to) continue;
    if (is_mixed(k))
      n += (pel_bits4) __builtin_convertvector(
          *(const pel_int4 *)((const int32_t *)k->w->f[t] + at), pel_long4);
    else
      n += *(const pel_bits4 *)((const uint64_t *)k->w->f[t] + at);
  }
  if (wide->any && wide->marked[c])
    n += *(const pel_bits4 *)(wide->sum + ((ptrdiff_t)c * 3 + a) * PEL_LANES);
  return (pel_long4)n;
}

/* The same, of forces with their sign. */
static pel_long4 sum_of(const job *k, int c, int a, bool copy) {
  const pel_long4 n = gather(k, c, a, copy);
  return k->ntos == 3 ? -n : n;
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

static void note_overflow(const job *k, ptrdiff_t at, pel_long4 outside, result *r) {
  for (int l = 0; l < PEL_LANES; ++l)
    if (outside[l] && k->p->id[at + l] >= 0 && k->p->id[at + l] < r->overflown)
      r->overflown = k->p->id[at + l];
}

/* Sums of all threads and images to the particles of [first, last), as multiples of the quantum. */
static void settle(const job *k, int first, int last, result *r) {
  const pel__particles *p = k->p;
  const double one = pel__magic(k->u->force_quantum);
  const pel_double4 magic = {one, one, one, one};
  const int64_t most = INT64_C(1) << PEL__SUM_BITS;
  for (int c = first; c < last; ++c) {
    pel_long4 f[3], outside = {0};
    for (int a = 0; a < k->ntos; ++a) f[a] = sum_of(k, c, a, false);
    for (int g = p->image_at[c]; g < p->image_at[c + 1]; ++g) {
      pel_long4 extra[3];
      for (int a = 0; a < k->ntos; ++a) {
        extra[a] = sum_of(k, p->nclusters + p->image_of[g], a, true);
        f[a] = (pel_long4)((pel_bits4)f[a] + (pel_bits4)extra[a]);
      }
      if (k->energy) add_shifted(k, extra, p->images[p->image_of[g]].shift, r);
    }
    const ptrdiff_t at = (ptrdiff_t)c * PEL_LANES;
    if (k->energy) add_virial(k, f, (const double *const[]){p->x[0], p->x[1], p->x[2]}, at, r);
    /* |n| < 2^51: magic + n q is the double of that many bits more. */
    for (int a = 0; a < k->ntos; ++a) {
      outside |= (f[a] < -most) | (f[a] >= most);
      *(pel_double4 *)(k->to[a] + at) = (pel_double4)((pel_bits4)f[a] + (pel_bits4)magic) - magic;
    }
    if (outside[0] | outside[1] | outside[2] | outside[3]) note_overflow(k, at, outside, r);
  }
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
    for (int a = 0; a < 3; ++a) f[a] = sum_of(k, guests->first + g, a, true);
    add_shifted(k, f, guests->shift[g], r);
  }
}

/* How a thing that does not fit is found: NaN does not, either. */
static pel__excess excess_of(const job *k, const result *r) {
  const double arm = k->ntos == 3 ? k->u->cutoff : 1;
  if (!(r->largest_force * arm <= ldexp(k->u->force_quantum, PEL__PAIR_BITS)))
    return PEL__FORCE_EXCEEDS;
  if (!(r->largest_energy <= ldexp(k->u->energy_quantum, PEL__PAIR_BITS)))
    return PEL__ENERGY_EXCEEDS;
  return r->overflown < INT64_MAX ? PEL__SUM_EXCEEDS : PEL__ALL_FIT;
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
  if (!k->u->later && !k->l->fresh) c = pel__positions(k->p);
  for (int a = 0; a < k->u->kernels->nattributes; ++a)
    c.what[c.n++] = (pel__copied){k->u->read[a], -1};
  return c;
}

/* Clusters [first, last) as the kernels read them. */
static void pack(const job *k, int first, int last) {
  if (!k->u->later) pel__packed_fill(&k->l->packed, k->p, first, last);
  for (int a = 0; a < k->u->kernels->nattributes && is_mixed(k); ++a)
    pel__packed_round(*k->u->read[a], k->w->attribute[a], first, last, k->p->threads);
}

static int run(job *k, pel__pair_sums *sums, pel_error *e) {
  pel__particles *p = k->p;
  const pel__share *share = k->l->share;
  const int nt = k->l->nshares, own = p->nclusters + p->nimages;
  result each[nt], total = {.overflown = INT64_MAX};
  pel__wide_start(&k->w->wide, nt);
  reserve(k->w, p, k->l, is_mixed(k), k->u->kernels->nattributes);
  pel__packed_prepare(&k->l->packed, p, k->l->cutoff, is_mixed(k));
  for (int t = 0; t < nt; ++t) each[t] = total;
  const pel__copies copies = copies_of(k);
  pel__guests_start(p, &copies);
  pel__images_refresh(p, &copies);
  pack(k, 0, own);
#pragma omp parallel for num_threads(nt) schedule(static, 1)
  for (int t = 0; t < nt; ++t) accumulate(k, t, PEL__WITH_OWN, &each[t]);
  pel__guests_finish(p, &copies);
  pack(k, own, pel__nall(p));
#pragma omp parallel num_threads(nt)
  {
#pragma omp for schedule(static, 1)
    for (int t = 0; t < nt; ++t) accumulate(k, t, PEL__WITH_GUESTS, &each[t]);
#pragma omp single
    pel__wide_collect(&k->w->wide, nt, pel__nall(p));
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
    if (each[t].overflown < total.overflown) total.overflown = each[t].overflown;
    total.energy += each[t].energy;
    for (int v = 0; v < 6; ++v) total.virial[v] += each[t].virial[v];
  }
  k->l->fresh = false;
  if (sums) report(k, &total, sums);
  k->w->excess = excess_of(k, &total), k->w->overflown = total.overflown;
  pel__wide_finish(&k->w->wide, nt);
  if (k->w->excess != PEL__ALL_FIT)
    pel_error_set(e, PEL_INVALID, "a sum over pairs is out of range");
  return e->code;
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
