#include "analysis_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dynamics.h"
#include "pelsim/memory.h"

enum { MOST_SLOTS = 64, FEWEST_LAGS = 4 };

static const char *const part_name[PEL__PARTS] = {"averages", "rdf", "msd and vacf"};
static const char *const memory_name[PEL__PARTS] = {PEL_ASIDE "averages", PEL_ASIDE "rdf",
                                                    PEL_ASIDE "motion"};

/* ---- [analysis] ---- */

static void check_rdf(pel_sim *s, const pel_particle_box *box) {
  const double range = s->set.analysis.rdf_range;
  for (int a = 0; a < box->dims; ++a) {
    if (box->ends[a] != PEL_PERIODIC_END)
      pel__config_reject(s->config, "analysis", "rdf",
                         "a box with walls along %c has no uniform gas to compare with; only a box "
                         "that is periodic along all axes has a radial distribution",
                         "xyz"[a]);
    else if (2 * range > box->length[a])
      pel__config_reject(s->config, "analysis", "rdf_range",
                         "%g is more than half the box, %g along axis %c; give less or enlarge "
                         "the box",
                         range, box->length[a], "xyz"[a]);
    else
      continue;
    return;
  }
}

static void check_motion(pel_sim *s) {
  const pel__settings *c = &s->set;
  const int64_t every = c->analysis.every, origins = c->analysis.origins,
                window = c->analysis.window;
  const pel_particle_model *m = s->model->particles;
  if (c->analysis.msd && m->flexible && m->flexible(s->state))
    pel__config_reject(s->config, "analysis", "msd",
                       "in a box that changes displacements are not defined; take [ensemble] "
                       "barostat out once the density is found, and start from what 'pelsim "
                       "export' makes of its last checkpoint");
  if (origins % every)
    pel__config_reject(s->config, "analysis", "origins", "%ld is no multiple of every = %ld",
                       (long)origins, (long)every);
  if (window % every || window < FEWEST_LAGS * every)
    pel__config_reject(s->config, "analysis", "window",
                       "%ld is no multiple of every = %ld, or less than %d of it", (long)window,
                       (long)every, FEWEST_LAGS);
  if (window / origins >= MOST_SLOTS)
    pel__config_reject(s->config, "analysis", "origins",
                       "%ld origins within the window of %ld steps are more than %d; begin one "
                       "less often",
                       (long)(window / origins + 1), (long)window, MOST_SLOTS);
  if (c->output.interval > 0 || c->checkpoint.interval > 0 || c->diagnostics.interval > 0)
    pel__config_reject(s->config, "analysis", c->analysis.msd ? "msd" : "vacf",
                       "steps are shortened to land on an 'interval' of [output], [checkpoint] or "
                       "[diagnostics], and samples would not be equally far apart; give 'every' "
                       "there, in steps");
}

void pel__analysis_check(pel_sim *s) {
  const pel__settings *c = &s->set;
  const char *const key[] = {"averages", "rdf", "msd", "vacf"};
  const bool wanted[] = {c->analysis.averages, c->analysis.rdf, c->analysis.msd, c->analysis.vacf};
  for (int i = 0; i < PEL_N(key) && !s->model->particles; ++i)
    if (wanted[i])
      pel__config_reject(s->config, "analysis", key[i], "model %s has no particles to analyse",
                         s->model->name);
  if (!s->model->particles) return;
  pel_particle_box box = {0};
  s->model->particles->box(&box, s->state);
  if (c->analysis.rdf) check_rdf(s, &box);
  if (c->analysis.msd || c->analysis.vacf) check_motion(s);
  if (c->analysis.averages && c->diagnostics.every == 0 && !(c->diagnostics.interval > 0))
    pel__config_reject(s->config, "analysis", "averages",
                       "there are no rows of diagnostics to average; give [diagnostics] every");
}

/* ---- memory ---- */

static void reset(pel__part *p) {
  memset(p->memory, 0, (size_t)p->size * sizeof *p->memory);
  memcpy(p->memory, p->signature, sizeof p->signature);
}

/* own: doubles that it needs besides its batches. */
static double *prepare(pel__part *p, int64_t own, int64_t sample) {
  p->on = true;
  p->size = PEL__SIGNATURE + own + pel__batches_size(sample);
  p->memory = pel_calloc((size_t)p->size, sizeof *p->memory);
  p->sample = pel_calloc((size_t)sample, sizeof *p->sample);
  p->means = pel__batches_in(p->memory + PEL__SIGNATURE + own, sample);
  reset(p);
  return p->memory + PEL__SIGNATURE;
}

static void sign(pel__part *p, const double *x, int n) {
  memcpy(p->signature, x, (size_t)n * sizeof *x);
}

/* What the columns of diagnostics are: they differ between ensembles. */
static double columns_key(const pel_sim *s) {
  const int n = pel__measure_count(s);
  const char *name[n + 1], *unit[n + 1];
  uint64_t key = 0;
  pel__measure_names(s, name, unit);
  for (int i = 0; i < n; ++i) key = 31 * key + pel_fingerprint_key(name[i]);
  return (double)(key >> 12);
}

static void create_motion(pel_sim *s, pel__analysis *x) {
  pel__part *p = &x->part[PEL__MOTION];
  pel__correlation *c = &x->correlation;
  pel__correlation_create(c, s);
  sign(p,
       (double[]){(double)s->set.analysis.from, (double)c->every, (double)c->origins,
                  (double)c->window, c->wanted[PEL__MSD] + 2 * c->wanted[PEL__VACF], c->ntypes,
                  s->set.time.dt},
       7);
  pel__correlation_lend(c, prepare(p, pel__correlation_memory(c), pel__correlation_size(c)));
  const size_t arrays = (size_t)pel__correlation_arrays(c, s, NULL, NULL, NULL);
  x->patch = pel_calloc(arrays, sizeof *x->patch);
  x->name = pel_calloc(arrays, sizeof *x->name);
}

int pel__analysis_create(pel_sim *s, pel_error *e) {
  const pel__settings *c = &s->set;
  const double from = (double)c->analysis.from;
  if (!c->analysis.averages && !c->analysis.rdf && !c->analysis.msd && !c->analysis.vacf)
    return PEL_OK;
  pel__analysis *x = s->analysis = pel_calloc(1, sizeof *x);
  if (c->analysis.averages) {
    pel__part *p = &x->part[PEL__AVERAGES];
    sign(p, (double[]){from, (double)c->diagnostics.every, c->diagnostics.interval, columns_key(s)},
         4);
    prepare(p, 0, pel__measure_count(s));
  }
  if (c->analysis.rdf) {
    pel__part *p = &x->part[PEL__RDF];
    if (pel__rdf_create(&x->rdf, s, (int)c->analysis.rdf_bins, c->analysis.rdf_range, e))
      return e->code;
    sign(p,
         (double[]){from, (double)c->analysis.rdf_every, x->rdf.bins, x->rdf.range, x->rdf.ntypes},
         5);
    prepare(p, 0, pel__rdf_size(&x->rdf));
  }
  if (c->analysis.msd || c->analysis.vacf) create_motion(s, x);
  return PEL_OK;
}

void pel__analysis_destroy(pel__analysis *x) {
  if (!x) return;
  if (x->part[PEL__MOTION].on) pel__correlation_destroy(&x->correlation);
  pel__rdf_destroy(&x->rdf);
  for (int i = 0; i < PEL__PARTS; ++i) free(x->part[i].memory), free(x->part[i].sample);
  free(x->patch), free(x->name), free(x);
}

/* ---- samples ---- */

void pel__analysis_count(pel_sim *s) {
  pel__analysis *x = s->analysis;
  const pel__particles *p = &s->dynamics->p;
  if (x->counted) return;
  for (int64_t i = 0; i < (int64_t)p->nclusters * PEL_LANES; ++i)
    if (!pel__is_empty(p, i)) ++x->n[p->type[i]];
  MPI_Allreduce(MPI_IN_PLACE, x->n, PEL_TYPES, MPI_INT64_T, MPI_SUM, s->comm);
  x->counted = true;
}

static bool due(const pel_sim *s, pel__part_id id, int64_t every) {
  const int64_t since = s->step - s->set.analysis.from;
  return s->analysis->part[id].on && since >= 0 && since % every == 0;
}

static void sample(pel_sim *s, pel__analysis *x, pel_error *e) {
  pel__analysis_count(s);
  if (due(s, PEL__RDF, s->set.analysis.rdf_every)) {
    pel__part *p = &x->part[PEL__RDF];
    if (pel__rdf_sample(&x->rdf, s, p->sample, e)) return;
    pel__batches_add(&p->means, p->sample);
  }
  if (due(s, PEL__MOTION, s->set.analysis.every)) {
    pel__part *p = &x->part[PEL__MOTION];
    const int done = pel__correlation_sample(&x->correlation, s, x->n, s->set.analysis.from);
    if (done >= 0) pel__batches_add(&p->means, x->correlation.curve + done * p->means.n);
  }
}

void pel__analysis_sample(pel_sim *s, pel_error *e) {
  double before[PEL__NPHASES];
  const double t0 = MPI_Wtime();
  if (!s->analysis) return;
  memcpy(before, s->seconds, sizeof before);
  pel__now_in(PEL__T_MEASURE);
  sample(s, s->analysis, e);
  memcpy(s->seconds, before, sizeof before); /* what forces and lists booked meanwhile */
  s->seconds[PEL__T_MEASURE] += MPI_Wtime() - t0;
}

void pel__analysis_row(pel_sim *s, const double *values) {
  if (s->analysis && due(s, PEL__AVERAGES, 1))
    pel__batches_add(&s->analysis->part[PEL__AVERAGES].means, values);
}

/* ---- checkpoints ---- */

pel_array *pel__analysis_join(pel_sim *s, const pel_array *state, int n, int *count) {
  pel__analysis *x = s->analysis;
  const bool motion = x && x->part[PEL__MOTION].on;
  const int more =
      motion ? pel__correlation_arrays(&x->correlation, s, NULL, x->patch, x->name) : 0;
  pel_array *all = pel_malloc((size_t)(n + more + 1) * sizeof *all);
  memcpy(all, state, (size_t)n * sizeof *all);
  if (motion) pel__correlation_arrays(&x->correlation, s, all + n, x->patch, x->name);
  *count = n + more;
  return all;
}

pel_numbers *pel__analysis_numbers(pel_sim *s, int *n) {
  pel__analysis *x = s->analysis;
  pel_numbers *all = pel_calloc(PEL__PARTS, sizeof *all);
  *n = 0;
  for (int i = 0; i < PEL__PARTS && x; ++i)
    if (x->part[i].on)
      all[(*n)++] = (pel_numbers){memory_name[i], x->part[i].size, x->part[i].memory, false};
  return all;
}

void pel__analysis_adopt(pel_sim *s, const pel_numbers *read) {
  pel__analysis *x = s->analysis;
  for (int i = 0; i < PEL__PARTS && x; ++i) {
    pel__part *p = &x->part[i];
    if (!p->on) continue;
    p->anew = !read->found || memcmp(p->memory, p->signature, sizeof p->signature) != 0;
    if (p->anew) reset(p);
    ++read;
  }
}

bool pel__analysis_anew(const pel_sim *s, char *sentence, size_t size) {
  char list[80] = "";
  const pel__analysis *x = s->analysis;
  for (int i = 0; i < PEL__PARTS && x; ++i)
    if (x->part[i].anew)
      snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", *list ? ", " : "",
               part_name[i]);
  snprintf(sentence, size,
           "[analysis] %s: begins anew at step %ld; the checkpoint has none, or one made otherwise",
           list, (long)s->step);
  return *list;
}

bool pel__analysis_in_vain(const pel_sim *s, char *sentence, size_t size) {
  const pel__settings *c = &s->set;
  const double last =
      c->time.end > 0 ? floor(c->time.end / c->time.dt + 1e-6) : (double)c->time.steps;
  for (int i = 0; s->analysis && i < PEL__PARTS; ++i) {
    const double first = (double)(c->analysis.from + (i == PEL__MOTION ? c->analysis.window : 0));
    if (!s->analysis->part[i].on || first <= last) continue;
    snprintf(
        sentence, size,
        "warning: [analysis] %s: nothing is complete before step %.0f, and the run ends at step "
        "%.0f; make it longer, or change from%s",
        part_name[i], first, last, i == PEL__MOTION ? " or window" : "");
    return true;
  }
  return false;
}
