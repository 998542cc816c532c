/* Results of the analysis: for people, and for observables.h5. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis_parts.h"
#include "particle_output.h"
#include "pelsim/memory.h"

/* What is being put together; texts and values live until the desk is cleared. */
typedef struct {
  pel_sim *s;
  pel_observable *x;
  int n, room;
  void **kept;
  int nkept;
} desk;

static void *keep(desk *d, void *memory) {
  d->kept = pel_realloc(d->kept, (size_t)(d->nkept + 1) * sizeof *d->kept);
  return d->kept[d->nkept++] = memory;
}

static double *room(desk *d, int64_t n) {
  return keep(d, pel_calloc((size_t)n + 1, sizeof(double)));
}

static char *text(desk *d, const char *format, const char *a, const char *b) {
  const size_t size = strlen(format) + strlen(a) + strlen(b) + 1;
  char *to = keep(d, pel_malloc(size));
  snprintf(to, size, format, a, b);
  return to;
}

static void add(desk *d, pel_observable x) {
  if (d->n == d->room) {
    d->room = 2 * d->room + 8;
    d->x = pel_realloc(d->x, (size_t)d->room * sizeof *d->x);
  }
  d->x[d->n++] = x;
}

static void clear(desk *d) {
  for (int i = 0; i < d->nkept; ++i) free(d->kept[i]);
  free(d->kept), free(d->x);
}

/* The units of length and time; "" if they are reduced. */
static const char *length_unit(const desk *d) {
  const char *u = pel__trajectory_frame(d->s)->length_unit;
  return u ? u : "";
}
static const char *time_unit(const desk *d) {
  const char *u = pel__trajectory_frame(d->s)->time_unit;
  return u ? u : "";
}

/* A unit made of those two; format has room for both. */
static const char *unit(desk *d, const char *format) {
  return *length_unit(d) ? text(d, format, length_unit(d), time_unit(d)) : "1";
}

/* ---- averages ---- */

static void same(const void *ctx, const double *mean, double *to) {
  memcpy(to, mean, (size_t) * (const int64_t *)ctx * sizeof *to);
}

static void add_averages(desk *d) {
  const pel__part *p = &d->s->analysis->part[PEL__AVERAGES];
  const int64_t n = p->means.n;
  const char *name[n + 1], *units[n + 1];
  double *value = room(d, n), *error = room(d, n);
  pel__measure_names(d->s, name, units);
  const int batches = pel__batches_estimate(&p->means, same, &n, n, value, error);
  for (int64_t i = 0; i < n; ++i)
    add(d,
        (pel_observable){.name = text(d, "averages/%s%s", name[i], ""),
                         .unit = units[i],
                         .doc = text(d, "mean of the column %s of diagnostics.csv%s", name[i], ""),
                         .value = value + i,
                         .error = error + i,
                         .samples = pel__batches_samples(&p->means),
                         .batches = batches});
}

/* ---- the table of diagnostics ---- */

/* diagnostics.csv, [row][3 + columns]: what has been written is also what a resumed run has. */
static double *read_table(const char *path, int columns, int64_t *rows, pel_error *e) {
  FILE *f = fopen(path, "r");
  char *line = NULL;
  double *x = NULL;
  size_t size = 0;
  int64_t space = 0;
  *rows = 0;
  bool more = f && getline(&line, &size, f) > 0; /* names */
  while (more && getline(&line, &size, f) > 0) {
    if (*rows == space)
      x = pel_realloc(x, (size_t)(space += space + 256) * (size_t)(3 + columns) * 8);
    char *at = line, *end = line;
    for (int i = 0; i < 3 + columns && more; ++i, at = end + 1) {
      x[*rows * (3 + columns) + i] = strtod(at, &end);
      more = end > at && (*end == ',' || *end == '\n');
    }
    *rows += more;
  }
  if (!f || ferror(f))
    pel_error_set(e, PEL_IO, "cannot read %s: %s", path, strerror(errno ? errno : EIO));
  if (f) fclose(f);
  free(line);
  return x;
}

/* Rank 0. */
static void add_table(desk *d, pel_error *e) {
  const int n = pel__measure_count(d->s);
  const char *name[n + 1], *units[n + 1];
  char path[5000];
  int64_t rows;
  snprintf(path, sizeof path, "%s/diagnostics.csv", d->s->dir);
  double *x = read_table(path, n, &rows, e), *time = room(d, rows);
  int64_t *step = keep(d, pel_calloc((size_t)rows + 1, sizeof *step));
  pel__measure_names(d->s, name, units);
  for (int64_t i = 0; i < rows; ++i) {
    step[i] = (int64_t)x[i * (3 + n)];
    time[i] = x[i * (3 + n) + 1] / d->s->dynamics->time_unit;
  }
  for (int c = 0; c < n && rows > 0; ++c) {
    double *value = room(d, rows);
    for (int64_t i = 0; i < rows; ++i) value[i] = x[i * (3 + n) + 3 + c];
    add(d, (pel_observable){.name = text(d, "%s%s", name[c], ""),
                            .unit = units[c],
                            .doc = text(d, "column %s of diagnostics.csv%s", name[c], ""),
                            .value = value,
                            .records = rows,
                            .step = step,
                            .time = time});
  }
  free(x);
}

/* ---- radial distribution ---- */

static char *pairs_of_types(desk *d, int ntypes) {
  char *list = keep(d, pel_calloc((size_t)(ntypes * ntypes) + 1, 8));
  for (int a = 1; a <= ntypes; ++a)
    for (int b = a; b <= ntypes; ++b)
      sprintf(list + strlen(list), "%s%d-%d", *list ? ", " : "", a, b);
  return list;
}

static char *types(desk *d, int ntypes) {
  char *list = keep(d, pel_calloc((size_t)ntypes + 1, 8));
  for (int a = 1; a <= ntypes; ++a) sprintf(list + strlen(list), "%s%d", a > 1 ? ", " : "", a);
  return list;
}

static void add_rdf(desk *d) {
  const pel__analysis *x = d->s->analysis;
  const pel__part *p = &x->part[PEL__RDF];
  const pel__rdf *r = &x->rdf;
  const int64_t n = (int64_t)r->npairs * r->bins;
  const pel__rdf_shape shape = {r, d->s->dynamics->box.dims, x->n};
  double *g = room(d, n), *error = room(d, n), *at = room(d, r->bins);
  const int batches = pel__batches_estimate(&p->means, pel__rdf_estimate, &shape, n, g, error);
  for (int i = 0; i < r->bins; ++i) at[i] = (i + .5) * (r->range / r->bins);
  add(d, (pel_observable){.name = "radial_distribution",
                          .unit = "1",
                          .doc = "particles at a distance, over those of a uniform gas in the same "
                                 "box; a row for each pair of types",
                          .rank = 2,
                          .n = {r->npairs, r->bins},
                          .value = g,
                          .error = error,
                          .rows = pairs_of_types(d, r->ntypes),
                          .axis = "distance",
                          .axis_unit = unit(d, "%s%.0s"),
                          .axis_doc = "middle of each interval of distance",
                          .at = at,
                          .samples = pel__batches_samples(&p->means),
                          .batches = batches});
}

/* ---- motion ---- */

static const struct {
  const char *name, *doc, *diffusion, *how;
} motion[PEL__MOTIONS] = {
    {"mean_square_displacement",
     "mean square of the distance from where particles were "
     "so long before; a row for each type",
     "diffusion_einstein",
     "diffusion, half the slope a dimension of the mean square displacement over the later half of "
     "the window; of each type"},
    {"velocity_autocorrelation",
     "mean of the velocity times the velocity so long "
     "before; a row for each type",
     "diffusion_green_kubo",
     "diffusion, the integral a dimension of the autocorrelation of the velocity over the window; "
     "of each type"}};

/* One kind's curves, and the diffusion from them. */
typedef struct {
  const pel__correlation *c;
  int number; /* of the kind among those wanted */
  pel__motion_kind kind;
  double step;
  int dims;
} view;

static void curves(const void *ctx, const double *mean, double *to) {
  const view *v = ctx;
  const int64_t n = v->c->ntypes * v->c->lags;
  memcpy(to, mean + v->number * n, (size_t)n * sizeof *to);
}

static void diffusion(const void *ctx, const double *mean, double *to) {
  const view *v = ctx;
  for (int t = 0; t < v->c->ntypes; ++t)
    pel__diffusion(v->kind, mean + (v->number * v->c->ntypes + t) * v->c->lags, v->c->lags, v->step,
                   v->dims, &to[t]);
}

static view view_of(const pel_sim *s, pel__motion_kind k) {
  const pel__correlation *c = &s->analysis->correlation;
  return (view){.c = c,
                .number = k == PEL__VACF && c->wanted[PEL__MSD],
                .kind = k,
                .step = (double)c->every * s->set.time.dt / s->dynamics->time_unit,
                .dims = s->dynamics->box.dims};
}

static void add_motion(desk *d, pel__motion_kind k) {
  const pel__part *p = &d->s->analysis->part[PEL__MOTION];
  const view v = view_of(d->s, k);
  const int64_t n = v.c->ntypes * v.c->lags;
  double *value = room(d, n), *error = room(d, n), *at = room(d, v.c->lags),
         *slope = room(d, v.c->ntypes), *unsure = room(d, v.c->ntypes);
  const int64_t samples = pel__batches_samples(&p->means);
  const int batches = pel__batches_estimate(&p->means, curves, &v, n, value, error);
  pel__batches_estimate(&p->means, diffusion, &v, v.c->ntypes, slope, unsure);
  for (int64_t i = 0; i < v.c->lags; ++i) at[i] = (double)i * v.step;
  add(d, (pel_observable){.name = motion[k].name,
                          .unit = unit(d, k == PEL__MSD ? "%s^2%.0s" : "%s^2/%s^2"),
                          .doc = motion[k].doc,
                          .rank = 2,
                          .n = {v.c->ntypes, v.c->lags},
                          .value = value,
                          .error = error,
                          .rows = types(d, v.c->ntypes),
                          .axis = "lag",
                          .axis_unit = *time_unit(d) ? text(d, "%s%s", time_unit(d), "") : "1",
                          .axis_doc = "time that has passed",
                          .at = at,
                          .samples = samples,
                          .batches = batches});
  add(d, (pel_observable){.name = motion[k].diffusion,
                          .unit = unit(d, "%s^2/%s"),
                          .doc = motion[k].how,
                          .rank = 1,
                          .n = {v.c->ntypes},
                          .value = slope,
                          .error = unsure,
                          .rows = types(d, v.c->ntypes),
                          .samples = samples,
                          .batches = batches});
}

static desk collect(pel_sim *s) {
  const pel__analysis *x = s->analysis;
  desk d = {.s = s};
  pel__analysis_count(s);
  if (x->part[PEL__AVERAGES].on) add_averages(&d);
  if (x->part[PEL__RDF].on) add_rdf(&d);
  for (int k = 0; k < PEL__MOTIONS && x->part[PEL__MOTION].on; ++k)
    if (x->correlation.wanted[k]) add_motion(&d, (pel__motion_kind)k);
  return d;
}

/* ---- for people, for the file ---- */

pel__average *pel__analysis_averages(pel_sim *s, int *n) {
  *n = 0;
  if (!s->analysis) return NULL;
  desk d = collect(s);
  pel__average *to = pel_calloc((size_t)d.n * PEL_TYPES + 1, sizeof *to);
  for (const pel_observable *x = d.x; x < d.x + d.n; ++x) {
    if (x->rank > 1) continue;
    const char *slash = strchr(x->name, '/');
    for (int t = 0; t < (x->rank ? x->n[0] : 1); ++t) {
      pel__average *a = &to[(*n)++];
      *a = (pel__average){.value = x->value[t], .error = x->error[t], .samples = x->samples};
      snprintf(a->name, sizeof a->name, x->rank && x->n[0] > 1 ? "%.80s_%d" : "%.80s",
               slash ? slash + 1 : x->name, t + 1);
      snprintf(a->unit, sizeof a->unit, "%s", x->unit);
    }
  }
  clear(&d);
  return to;
}

int pel__analysis_write(pel_sim *s, pel_error *e) {
  char path[5000];
  if (!s->analysis || !s->host->io->observables_write) return PEL_OK;
  desk d = collect(s);
  snprintf(path, sizeof path, "%s/observables.h5", s->dir);
  const pel_snapshot x = {.comm = s->comm,
                          .grid = &s->grid,
                          .particles = pel__trajectory_frame(s),
                          .model = s->model->name,
                          .title = s->set.run.title,
                          .config = s->config_json,
                          .step = s->step,
                          .time = s->time};
  if (s->rank == 0 && s->analysis->part[PEL__AVERAGES].on) add_table(&d, e);
  if (s->rank == 0 && !e->code) s->host->io->observables_write(&x, d.x, d.n, path, e);
  clear(&d);
  return pel__agree_error(s->comm, e);
}
