/* Spectral stages: whole lines along axis 0, brought together, transformed, changed, sent back.
 *
 * Each line has one owner among the ranks that hold a part of it, the same on every rank by
 * counting, so nobody is told.  FFTW rounds differently with batch size, stride and alignment:
 * every line is transformed alone, contiguous, at the same alignment, with one ESTIMATE plan, so
 * its bits do not depend on the layout. */
#include <fftw3.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "pelsim/memory.h"
#include "plan.h"

/* A part of a line in one block. */
typedef struct {
  int var;
  int holder, owner; /* ranks */
  int block;         /* among the holder's, when that is this rank */
  int first, n;      /* points of the line */
  ptrdiff_t at;      /* offset of its first point in the block; in the message buffer if remote */
} segment;

typedef struct {
  int var;
  int64_t j, k;
  int owner;
  int first_segment, nsegments; /* among the owner's incoming segments, when that is this rank */
} line;

typedef struct {
  int rank;
  ptrdiff_t offset; /* of the message in the buffer */
  int count;
} peer;

struct pel__spectral {
  const pel_stage *stage;
  int n, threads, tag;
  line *lines; /* those owned here */
  int nlines;
  segment *in;  /* parts of the owned lines, by line */
  segment *out; /* parts of other ranks' lines held here */
  int nin, nout;
  peer *from, *to; /* ranks that send parts here, ranks that get parts from here */
  int nfrom, nto;
  double *inbox, *outbox; /* the way there; the way back the other way round */
  double **real;
  fftw_complex **wave;
  fftw_plan forward, backward;
};

/* ---- who holds and who owns ---- */

typedef struct {
  segment *s;
  int n, room;
} segments;

static void push(segments *to, const segment *x) {
  if (to->n == to->room) {
    to->room = to->room ? 2 * to->room : 64;
    to->s = pel_realloc(to->s, (size_t)to->room * sizeof *to->s);
  }
  to->s[to->n++] = *x;
}

static int block_along(const pel__layout *l, int axis, int64_t i) { /* coord of the block with i */
  for (int c = l->nb[axis] - 1; c > 0; --c)
    if (i >= l->grid.axis[axis].n * c / l->nb[axis]) return c;
  return 0;
}

static const pel__block *block_of(const pel__layout *l, int cx, int cy, int cz) {
  return &l->block[l->at[(cz * l->nb[1] + cy) * l->nb[0] + cx]];
}

static void add_line(pel_sim *s, pel__spectral *f, int var, int64_t j, int64_t k, int number,
                     segments *in, segments *out) {
  const pel__layout *l = s->layout;
  const int cy = block_along(l, 1, j), cz = block_along(l, 2, k);
  const int owner = block_of(l, number % l->nb[0], cy, cz)->rank;
  line x = {var, j, k, owner, in->n, 0};
  for (int cx = 0; cx < l->nb[0]; ++cx) {
    const pel__block *b = block_of(l, cx, cy, cz);
    if (b->rank != l->rank && owner != l->rank) continue;
    const segment g = {var,
                       b->rank,
                       owner,
                       (int)(b - l->block) - l->first,
                       (int)b->first[0],
                       b->n[0],
                       (k - b->first[2]) * b->sz + (j - b->first[1]) * b->sy};
    if (owner == l->rank) push(in, &g), ++x.nsegments;
    if (owner != l->rank && b->rank == l->rank) push(out, &g);
  }
  if (owner != l->rank) return;
  f->lines = pel_realloc(f->lines, (size_t)(f->nlines + 1) * sizeof *f->lines);
  f->lines[f->nlines++] = x;
}

/* Messages: for each peer its segments in order of line; remote ones get their place in the buffer.
 */
static peer *make_peers(const pel_sim *s, segment *g, int n, bool incoming, int *npeers,
                        double **buffer) {
  peer *p = pel_calloc((size_t)s->nranks, sizeof *p);
  ptrdiff_t offset = 0;
  *npeers = 0;
  for (int r = 0; r < s->nranks; ++r) {
    peer q = {r, offset, 0};
    if (r == s->rank) continue;
    for (int i = 0; i < n; ++i) {
      if ((incoming ? g[i].holder : g[i].owner) != r) continue;
      if (incoming) g[i].at = offset;
      offset += g[i].n, q.count += g[i].n;
    }
    if (q.count) p[(*npeers)++] = q;
  }
  *buffer = pel_aligned_alloc(64, ((size_t)offset * sizeof(double) + 64) / 64 * 64);
  return p;
}

static void make_plans(pel_sim *s, pel__spectral *f) {
  const size_t points = ((size_t)f->n * sizeof(double) + 127) / 64 * 64;
  const size_t waves = ((size_t)(f->n / 2 + 1) * sizeof(fftw_complex) + 127) / 64 * 64;
  f->real = pel_calloc((size_t)s->threads, sizeof *f->real);
  f->wave = pel_calloc((size_t)s->threads, sizeof *f->wave);
  for (int t = 0; t < s->threads; ++t) {
    f->real[t] = pel_aligned_alloc(64, points);
    f->wave[t] = pel_aligned_alloc(64, waves);
  }
  f->forward = fftw_plan_dft_r2c_1d(f->n, f->real[0], f->wave[0], FFTW_ESTIMATE);
  f->backward = fftw_plan_dft_c2r_1d(f->n, f->wave[0], f->real[0], FFTW_ESTIMATE);
}

pel__spectral *pel__spectral_create(pel_sim *s, const pel_stage *stage) {
  pel__spectral *f = pel_calloc(1, sizeof *f);
  segments in = {0}, out = {0};
  int number = 0;
  *f = (pel__spectral){.stage = stage, .n = (int)s->grid.axis[0].n, .threads = s->threads};
  f->tag = s->ntags++;
  for (int w = 0; w < stage->nwrites; ++w) {
    const pel__var *v = pel__var_at(s, stage->writes[w]);
    for (int64_t k = 0; v && k < s->grid.axis[2].n; ++k)
      for (int64_t j = 0; j < s->grid.axis[1].n; ++j)
        if (!stage->line || stage->line(s->local.lines, v->field->place, j, k))
          add_line(s, f, (int)(v - s->vars), j, k, number++, &in, &out);
  }
  f->in = in.s, f->nin = in.n, f->out = out.s, f->nout = out.n;
  f->from = make_peers(s, f->in, f->nin, true, &f->nfrom, &f->inbox);
  f->to = make_peers(s, f->out, f->nout, false, &f->nto, &f->outbox);
  make_plans(s, f);
  return f;
}

void pel__spectral_destroy(pel__spectral *f) {
  for (int t = 0; t < f->threads; ++t) free(f->real[t]), free(f->wave[t]);
  fftw_destroy_plan(f->forward);
  fftw_destroy_plan(f->backward);
  free(f->real), free(f->wave), free(f->lines), free(f->in), free(f->out), free(f->from);
  free(f->to), free(f->inbox), free(f->outbox), free(f);
}

/* ---- one application ---- */

static double *field_at(const pel_sim *s, int var, int block) {
  const pel__var *v = &s->vars[var];
  return v->data[v->slot * s->layout->nlocal + block];
}

/* Copies the parts of other ranks' lines to (pack) or from the outbox. */
static void copy_out(const pel_sim *s, const pel__spectral *f, bool pack) {
  for (int q = 0; q < f->nto; ++q) {
    double *b = f->outbox + f->to[q].offset;
    for (int i = 0; i < f->nout; ++i) {
      const segment *g = &f->out[i];
      if (g->owner != f->to[q].rank) continue;
      double *x = field_at(s, g->var, g->block) + g->at;
      memcpy(pack ? b : x, pack ? x : b, (size_t)g->n * sizeof *x);
      b += g->n;
    }
  }
}

static void swap_messages(const pel_sim *s, const pel__spectral *f, bool there) {
  MPI_Request r[f->nfrom + f->nto + 1];
  int n = 0;
  for (int i = 0; i < f->nfrom; ++i) {
    double *b = f->inbox + f->from[i].offset;
    if (there)
      MPI_Irecv(b, f->from[i].count, MPI_DOUBLE, f->from[i].rank, f->tag, s->comm, &r[n++]);
    else
      MPI_Isend(b, f->from[i].count, MPI_DOUBLE, f->from[i].rank, f->tag, s->comm, &r[n++]);
  }
  for (int i = 0; i < f->nto; ++i) {
    double *b = f->outbox + f->to[i].offset;
    if (there)
      MPI_Isend(b, f->to[i].count, MPI_DOUBLE, f->to[i].rank, f->tag, s->comm, &r[n++]);
    else
      MPI_Irecv(b, f->to[i].count, MPI_DOUBLE, f->to[i].rank, f->tag, s->comm, &r[n++]);
  }
  MPI_Waitall(n, r, MPI_STATUSES_IGNORE);
}

static double *segment_at(const pel_sim *s, const pel__spectral *f, const line *x,
                          const segment *g) {
  return (g->holder == s->rank ? field_at(s, x->var, g->block) : f->inbox) + g->at;
}

static void transform(pel_sim *s, pel__spectral *f, const line *x, int thread) {
  double *real = f->real[thread];
  const segment *g0 = f->in + x->first_segment;
  for (const segment *g = g0; g < g0 + x->nsegments; ++g)
    memcpy(real + g->first, segment_at(s, f, x, g), (size_t)g->n * sizeof *real);
  fftw_execute_dft_r2c(f->forward, real, f->wave[thread]);
  const pel_line l = {x->j, x->k, s->vars[x->var].field->place, f->n, f->wave[thread]};
  f->stage->spectral(&l, s->local.lines);
  fftw_execute_dft_c2r(f->backward, f->wave[thread], real);
  const double scale = 1.0 / f->n;
  for (int i = 0; i < f->n; ++i) real[i] *= scale;
  for (const segment *g = g0; g < g0 + x->nsegments; ++g)
    memcpy(segment_at(s, f, x, g), real + g->first, (size_t)g->n * sizeof *real);
}

void pel__spectral_run(pel_sim *s, pel__spectral *f) {
  copy_out(s, f, true);
  swap_messages(s, f, true);
#pragma omp parallel for num_threads(s->threads) schedule(static)
  for (int i = 0; i < f->nlines; ++i) transform(s, f, &f->lines[i], omp_get_thread_num());
  swap_messages(s, f, false);
  copy_out(s, f, false);
  for (int w = 0; w < f->stage->nwrites; ++w) {
    pel__var *v = pel__var_at(s, f->stage->writes[w]);
    if (v) v->valid[v->slot] = 0;
  }
}
