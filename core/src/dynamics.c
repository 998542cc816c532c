/* A particle model from its tables to the state at step 0. */
#include "dynamics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "motion.h"
#include "pelsim/memory.h"

/* ---- what can be told from the configuration ---- */

static double time_unit(const pel_sim *s) {
  const pel_particle_model *m = s->model->particles;
  return m->time_unit ? m->time_unit(s->state) : 1;
}

/* A number alone counts the model's unit of time; reduced units have no other. */
static void read_time(pel_sim *s, const char *section, const char *key, double *value) {
  const char *text = pel__config_get(s->config, section, key);
  char *end;
  if (!text || (strtod(text, &end), end == text)) return; /* "auto", "none" */
  if (!end[strspn(end, " \t")])
    *value *= time_unit(s);
  else if (time_unit(s) == 1)
    pel__config_reject(s->config, section, key,
                       "'%s' has a unit, but the times of model %s are reduced; give the number "
                       "alone",
                       text, s->model->name);
}

static void read_times(pel_sim *s) {
  const pel_particle_model *m = s->model->particles;
  pel__settings *c = &s->set;
  read_time(s, "time", "dt", &c->time.dt);
  read_time(s, "time", "dt_max", &c->time.dt_max);
  read_time(s, "time", "end", &c->time.end);
  read_time(s, "output", "interval", &c->output.interval);
  read_time(s, "checkpoint", "interval", &c->checkpoint.interval);
  read_time(s, "diagnostics", "interval", &c->diagnostics.interval);
  if (c->time.dt == 0) c->time.dt = m->time_step(s->state) * time_unit(s);
  if (c->time.dt_max > 0) c->time.dt = fmin(c->time.dt, c->time.dt_max);
}

void pel__dynamics_check(pel_sim *s) {
  const char *name = s->model->name;
  if (s->grid.axis[0].n < 1) pel__config_reject(s->config, name, "", "there are no particles");
  if (s->grid.axis[0].n > (int64_t)s->nranks * (INT32_MAX / 4))
    pel__config_reject(s->config, name, "",
                       "%ld particles; a rank may have %d: use more ranks, or fewer particles",
                       (long)s->grid.axis[0].n, INT32_MAX / 4);
  if (pel__dynamics_check_model(s)) read_times(s);
}

/* ---- building ---- */

typedef struct {
  const pel_pair_stage *pairs;
  const void *state;
} asked;

static double coefficients(const void *ctx, int ti, int tj, double *c) {
  const asked *a = ctx;
  return a->pairs->coefficients(a->state, ti, tj, c);
}

/* What a pass of a many-body potential takes besides coefficients. */
static int set_ends(const pel_sim *s, pel__force_stage *f, bool later, pel_error *e) {
  const pel_pair_stage *pairs = f->stage->pairs;
  char *state = s->state;
  f->potential.later = later;
  for (int a = 0; a < f->potential.kernels->nattributes; ++a)
    f->potential.read[a] = (double **)(void *)(state + pairs->reads[a]);
  if (!pairs->data) return PEL_OK;
  size_t n;
  const double *data = pairs->data(state, &n);
  return pel__potential_set_data(&f->potential, data, n, e);
}

/* The stages of `forces` that this run has. */
static int create_forces(pel_sim *s, pel_error *e) {
  const pel_particle_model *m = s->model->particles;
  pel__dynamics *d = s->dynamics;
  int passes = 0;
  d->forces = pel_calloc((size_t)m->nforces + 1, sizeof *d->forces);
  for (int i = 0; i < m->nforces; ++i) {
    const pel_particle_stage *stage = &m->forces[i];
    if (stage->when && !stage->when(s->state, 0)) continue;
    pel__force_stage *f = &d->forces[d->nforces++];
    f->stage = stage;
    if (stage->kind != PEL_PAIRS) continue;
    double force, energy;
    stage->pairs->ranges(s->state, &force, &energy);
    if (pel__potential_create(&f->potential, stage->pairs->kernels(s->state), d->box.ntypes,
                              coefficients, &(asked){stage->pairs, s->state}, force, energy, e) ||
        set_ends(s, f, passes++ > 0, e))
      return e->code;
    d->cutoff = fmax(d->cutoff, f->potential.cutoff);
  }
  return PEL_OK;
}

static int create_attributes(pel_sim *s, pel_error *e) {
  const pel_particle_model *m = s->model->particles;
  pel__dynamics *d = s->dynamics;
  int passes = 0, kernels = 0;
  for (int i = 0; i < m->nattributes; ++i)
    for (int c = 0; c < m->attributes[i].components; ++c)
      if (pel__particles_extend(&d->p, m->attributes[i].role == PEL_CARRIED, e)) return e->code;
  for (int i = 0; i < d->nforces; ++i) {
    const bool pairs = d->forces[i].stage->kind == PEL_PAIRS;
    passes += pairs && !d->forces[i].potential.kernels->sums;
    kernels += d->forces[i].stage->kind == PEL_PARTICLES;
  }
  const int more = (kernels > 0) + (passes > 1 ? 3 : 0);
  for (int i = 0; i < more; ++i)
    if (pel__particles_extend(&d->p, false, e)) return e->code;
  pel__dynamics_bind(s);
  return PEL_OK;
}

void pel__dynamics_bind(pel_sim *s) {
  const pel_particle_model *m = s->model->particles;
  pel__dynamics *d = s->dynamics;
  double **next = d->p.extra, **end = d->p.extra + d->p.nextra;
  for (int i = 0; i < m->nattributes; ++i) {
    const size_t bytes = (size_t)m->attributes[i].components * sizeof *next;
    memcpy((char *)s->state + m->attributes[i].offset, next, bytes);
    next += m->attributes[i].components;
  }
  if (end - next >= 3)
    for (int a = 0; a < 3; ++a) d->held[a] = *next++;
  if (next < end) d->energy = *next;
}

int pel__dynamics_domain(const pel__dynamics *d, const double length[3], pel__domain *to,
                         pel_error *e) {
  const int dims = d->box.dims;
  const double third = dims == 3 ? length[2] : fmax(length[0], length[1]);
  bool periodic[3];
  for (int a = 0; a < 3; ++a) periodic[a] = d->box.ends[a] == PEL_PERIODIC_END;
  return pel__domain_init(to, dims, (double[]){length[0], length[1], third}, periodic, e);
}

const char *pel__dynamics_time_name(const pel_sim *s) {
  const pel_particle_model *m = s->model->particles;
  const pel_particle_units *u = m->units ? m->units(s->state) : NULL;
  return u ? u->time : s->dynamics->time_unit == 1 ? "tau" : "s";
}

bool pel__dynamics_flexible(const pel_sim *s) {
  const pel_particle_model *m = s->model->particles;
  return m->flexible && m->flexible(s->state);
}

/* Blocks are larger than need be by this factor if the box may shrink. */
static double room_to_shrink(const pel_sim *s) { return pel__dynamics_flexible(s) ? 1.2 : 1; }

/* The box among the ranks; the layout is theirs. */
static int share_box(pel_sim *s, pel_error *e) {
  const pel_particle_model *m = s->model->particles;
  pel__dynamics *d = s->dynamics;
  int nb[3];
  const double shrinks = room_to_shrink(s), reach = shrinks * (d->list.cutoff + d->list.skin);
  const bool measured = !(m->skin(s->state) > 0);
  const int blocks = pel__blocks_asked(s, nb);
  if (pel__regions_create(&d->regions, s->comm, &d->p.domain, reach, nb, blocks, e)) return e->code;
  d->p.regions = &d->regions;
  d->p.total = d->box.n;
  s->layout = d->regions.layout;
  const double thin = pel__regions_thinnest(&d->regions, &d->p.domain) / shrinks;
  if (measured) pel__skin_begin(&d->skin, d->cutoff, fmax(thin - d->cutoff, d->list.skin));
  return PEL_OK;
}

/* The one to begin with. */
static int choose_skin(pel_sim *s, pel_error *e) {
  const pel_particle_model *m = s->model->particles;
  pel__dynamics *d = s->dynamics;
  d->skin.skin = m->skin(s->state);
  if (!(d->skin.skin > 0)) pel__skin_begin(&d->skin, d->cutoff, INFINITY);
  if (pel__pair_list_create(&d->list, &d->p, d->cutoff, d->skin.skin, e)) return e->code;
  for (int i = 0; i < d->nforces; ++i)
    if (d->forces[i].stage->kind == PEL_PAIRS)
      d->list.paired = d->forces[i].potential.kernels->mixed;
  return PEL_OK;
}

int pel__dynamics_create(pel_sim *s, pel_error *e) {
  const pel_particle_model *m = s->model->particles;
  pel__dynamics *d = s->dynamics = pel_calloc(1, sizeof *d);
  pel__domain domain;
  m->box(&d->box, s->state);
  if (pel__dynamics_check_box(&d->box, s->model->name, e)) return e->code;
  const pel__slab mine = pel__slab_of(d->box.n, s->rank, s->nranks);
  d->time_unit = time_unit(s);
  if (pel__dynamics_domain(d, d->box.length, &domain, e) ||
      pel__particles_create(&d->p, &domain, mine.n, s->threads, e) || create_forces(s, e) ||
      pel__dynamics_check_reach(d, m->skin(s->state), s->model->name, e) || choose_skin(s, e) ||
      create_attributes(s, e) || share_box(s, e))
    return e->code;
  d->velocity_quantum = pel__velocity_quantum(d->cutoff, s->set.time.dt / d->time_unit);
  d->scattered = true;
  for (int64_t i = 0; i < mine.n; ++i) d->p.id[i] = mine.first + i + 1;
  return PEL_OK;
}

void pel__dynamics_destroy(pel__dynamics *d) {
  if (!d) return;
  for (int i = 0; i < d->nforces; ++i) {
    pel__pair_work_destroy(&d->forces[i].work, d->list.nshares);
    pel__potential_destroy(&d->forces[i].potential);
  }
  free(d->forces);
  pel__pair_list_destroy(&d->list);
  pel__particles_destroy(&d->p);
  pel__regions_destroy(&d->regions);
  free(d);
}

/* Of the lists, as if a cluster were a ball that all within reach of its edge touch. */
static double list_bytes(const pel__dynamics *d) {
  const double density = (double)d->box.n / pel__domain_volume(&d->p.domain), third = 1. / 3,
               flat = sqrt(PEL_LANES / density), ball = pow(PEL_LANES / density, third),
               reach = d->list.cutoff + d->list.skin + 0.65 * (d->box.dims == 2 ? flat : ball),
               within = density * acos(-1) *
                        (d->box.dims == 2 ? reach * reach : 4 * third * reach * reach * reach);
  const double spare = 1.5;
  return spare * sizeof(int) * within / (2 * PEL_LANES);
}

double pel__dynamics_bytes(const pel_sim *s) {
  const pel__dynamics *d = s->dynamics;
  double place = 12; /* bytes of spare arrays */
  for (int c = 0; c < d->p.ncomponents; ++c) place += d->p.component[c].bytes;
  place += list_bytes(d) + 3 * sizeof(float);
  place += (2 + s->threads) * 3 * sizeof(double) / 2; /* packed positions, forces of threads */
  return place * d->p.room * PEL_LANES;
}

int pel__dynamics_outline(const pel_sim *s, int ranks, double *bytes, pel_error *e) {
  const pel__dynamics *d = s->dynamics;
  const double reach = room_to_shrink(s) * (d->list.cutoff + d->list.skin);
  int nb[3];
  const int blocks = pel__blocks_asked(s, nb);
  if (pel__regions_possible(&d->p.domain, reach, ranks, nb, blocks, e)) return e->code;
  /* As if each rank had a cube, or a square, and copies of what is within reach of it. */
  const double share = pel__domain_volume(&d->p.domain) / ranks,
               edge = pow(share, 1. / d->box.dims), around = 1 + 2 * reach / edge;
  *bytes = pel__dynamics_bytes(s) * pow(around, d->box.dims);
  return PEL_OK;
}

/* ---- step 0 ---- */

/* What rounding to the lattice has left of the momentum, a quantum a particle. */
static void balance(const pel__particles *p, double *v, double quantum) {
  const int64_t n = p->total;
  __int128 sum = 0;
  for (int64_t i = 0; i < p->n; ++i) sum += (int64_t)(v[i] / quantum);
  pel__sum_int128(p->regions->comm, &sum, 1);
  const int64_t each = (int64_t)(sum / n), rest = (int64_t)(sum % n);
  for (int64_t i = 0; i < p->n; ++i)
    v[i] -= quantum * (double)(each + (p->id[i] <= llabs(rest) ? (rest > 0) - (rest < 0) : 0));
}

/* Velocities without drift that have the temperature.  Places are in order of id. */
static void thermalise(pel__dynamics *d, double temperature, pel_error *e) {
  pel__particles *p = &d->p;
  const pel_totals t = {.n = p->total,
                        .dims = d->box.dims,
                        .walls = p->domain.walled[0] + p->domain.walled[1] + p->domain.walled[2]};
  const double mass = pel__mass(p, d->box.mass);
  for (int a = 0; a < d->box.dims; ++a) {
    const double mean = pel__momentum(p, d->box.mass, a) / mass;
    for (int64_t i = 0; i < p->n; ++i) p->v[a][i] -= mean;
  }
  const double twice = pel__kinetic2(p, d->box.mass),
               factor = twice > 0 ? sqrt(pel_degrees(&t) * temperature / twice) : 0;
  pel__change_velocities(p, factor, (double[3]){0}, d->velocity_quantum);
  for (int a = 0; a < d->box.dims && d->box.ntypes == 1; ++a)
    balance(p, p->v[a], d->velocity_quantum);
  const double q = d->velocity_quantum;
  if (twice > 0 && temperature > 0 && mass * q * q > 1e-12 * pel_degrees(&t) * temperature)
    pel_error_set(
        e, PEL_USAGE,
        "with so short a time step, or such masses, particles move by less than positions "
        "can tell: velocities would be multiples of %g; make [time] dt longer",
        q);
}

/* Position along an axis from a seed; -1 if it is beyond a wall or nowhere. */
static double place(const pel__domain *d, int a, double x, int32_t *image) {
  const double length = d->length[a];
  if (!isfinite(x)) return -1;
  if (d->periodic[a] && !(x >= 0 && x < length)) {
    const double periods = floor(x / length);
    x -= periods * length;
    *image += (int32_t)periods;
  }
  if (d->walled[a] && !(x >= 0 && x <= length)) return -1;
  x = pel__snap(x, d->magic);
  return d->walled[a] && x == length ? length - d->delta : x;
}

static bool put(pel_sim *s, int64_t i) {
  pel__dynamics *d = s->dynamics;
  pel__particles *p = &d->p;
  pel_seed seed = {0};
  bool inside = true;
  s->model->particles->seed(s->state, p->id[i], &seed);
  p->type[i] = seed.type;
  for (int a = 0; a < d->box.dims; ++a) {
    p->image[a][i] = seed.image[a];
    p->x[a][i] = place(&p->domain, a, seed.x[a], &p->image[a][i]);
    p->v[a][i] = seed.v[a];
    inside = inside && p->x[a][i] >= 0;
  }
  for (int a = 0; a < d->box.dims; ++a) inside = inside && isfinite(seed.v[a]);
  return inside && seed.type >= 0 && seed.type < d->box.ntypes;
}

static int explain_outside(const pel_sim *s, int64_t id, pel_error *e) {
  const pel__dynamics *d = s->dynamics;
  const double *l = d->p.domain.length;
  pel_seed x = {0};
  s->model->particles->seed(s->state, id, &x);
  if (x.type < 0 || x.type >= d->box.ntypes)
    return pel_error_set(e, PEL_USAGE, "particle %ld starts with type %d; there are %d types",
                         (long)id, x.type + 1, d->box.ntypes);
  for (int a = 0; a < d->box.dims; ++a)
    if (!isfinite(x.v[a]))
      return pel_error_set(e, PEL_USAGE, "particle %ld starts with velocity (%g, %g, %g)", (long)id,
                           x.v[0], x.v[1], x.v[2]);
  return pel_error_set(e, PEL_USAGE,
                       "particle %ld starts at (%g, %g, %g), outside the walls of the box, %g x %g "
                       "x %g; move it or enlarge the box",
                       (long)id, x.x[0], x.x[1], x.x[2], l[0], l[1], d->box.dims == 3 ? l[2] : 0);
}

int pel__dynamics_start(pel_sim *s, pel_error *e) {
  const pel_particle_model *m = s->model->particles;
  pel__dynamics *d = s->dynamics;
  int64_t wrong = INT64_MAX;
#pragma omp parallel for num_threads(s->threads) schedule(static) reduction(min : wrong)
  for (int64_t i = 0; i < d->p.n; ++i)
    if (!put(s, i) && i < wrong) wrong = i;
  if (wrong < INT64_MAX) explain_outside(s, d->p.id[wrong], e);
  if (pel__agree_error(s->comm, e)) return e->code;
  const double temperature = m->temperature ? m->temperature(s->state) : NAN;
  if (isnan(temperature))
    pel__change_velocities(&d->p, 1, (double[3]){0}, d->velocity_quantum);
  else
    thermalise(d, temperature, e);
  return e->code;
}
