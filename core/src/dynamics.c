#include "dynamics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "motion.h"
#include "sum.h"

/* ---- building ---- */

void pel__dynamics_check(pel_sim *s) {
  const char *name = s->model->name;
  pel__settings *c = &s->set;
  if (s->grid.axis[0].n > (int64_t)s->nranks * (INT32_MAX / 4))
    pel__config_reject(s->config, name, "",
                       "%ld particles; a rank may have %d: use more ranks, or fewer particles",
                       (long)s->grid.axis[0].n, INT32_MAX / 4);
  if (c->time.dt == 0) c->time.dt = s->model->particles->dt;
  if (c->time.dt_max > 0) c->time.dt = fmin(c->time.dt, c->time.dt_max);
}

static double coefficients(const void *ctx, int ti, int tj, double *c) {
  const pel_sim *s = ctx;
  (void)ti, (void)tj;
  return s->model->particles->pairs.coefficients(s->state, c);
}

/* The box among the ranks; the layout is theirs. */
static int share_box(pel_sim *s, pel_error *e) {
  pel__dynamics *d = s->dynamics;
  int nb[3];
  const double reach = d->list.cutoff + d->list.skin;
  const int blocks = pel__blocks_asked(s, nb);
  if (pel__regions_create(&d->regions, s->comm, &d->p.domain, reach, nb, blocks, e)) return e->code;
  d->p.regions = &d->regions;
  d->p.total = d->box.n;
  s->layout = d->regions.layout;
  return PEL_OK;
}

int pel__dynamics_create(pel_sim *s, pel_error *e) {
  const pel_particle_model *m = s->model->particles;
  pel__dynamics *d = s->dynamics = calloc(1, sizeof *d);
  pel__domain domain;
  m->box(&d->box, s->state);
  const pel__slab mine = pel__slab_of(d->box.n, s->rank, s->nranks);
  if (pel__domain_init(&domain, 3, d->box.length, (bool[]){true, true, true}, e) ||
      pel__particles_create(&d->p, &domain, mine.n, s->threads, e) ||
      pel__potential_create(&d->potential, m->pairs.kernels(s->state), 1, coefficients, s,
                            m->pairs.largest_force, m->pairs.largest_energy, e) ||
      pel__pair_list_create(&d->list, &d->p, d->potential.cutoff, m->skin(s->state), e) ||
      share_box(s, e))
    return e->code;
  d->velocity_quantum = pel__velocity_quantum(d->potential.cutoff, s->set.time.dt);
  d->scattered = true;
  for (int64_t i = 0; i < mine.n; ++i) d->p.id[i] = mine.first + i + 1;
  return PEL_OK;
}

void pel__dynamics_destroy(pel__dynamics *d) {
  if (!d) return;
  pel__pair_work_destroy(&d->work, d->list.nshares);
  pel__pair_list_destroy(&d->list);
  pel__potential_destroy(&d->potential);
  pel__particles_destroy(&d->p);
  pel__regions_destroy(&d->regions);
  free(d);
}

double pel__dynamics_bytes(const pel_sim *s) {
  const pel__particles *p = &s->dynamics->p;
  double place = 12; /* bytes of spare arrays */
  for (int c = 0; c < p->ncomponents; ++c) place += p->component[c].bytes;
  return place * p->room * PEL_LANES;
}

/* ---- step 0 ---- */

static double sum_of(const pel__particles *p, const double *x) {
  pel_sum sum;
  pel_sum_init(&sum);
  pel_sum_add(&sum, x, p->n);
  pel_sum_allreduce(&sum, 1, p->regions->comm);
  return pel_sum_round(&sum);
}

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

/* Velocities without drift that have the temperature, on their lattice.  Places are in order. */
static void thermalise(pel__dynamics *d, double temperature) {
  pel__particles *p = &d->p;
  const double magic = pel__magic(d->velocity_quantum);
  for (int a = 0; a < 3; ++a) {
    const double mean = sum_of(p, p->v[a]) / (double)p->total;
    for (int64_t i = 0; i < p->n; ++i) p->v[a][i] -= mean;
  }
  const double twice = pel__kinetic2(p, &d->box.mass);
  const double factor = twice > 0 ? sqrt(3 * (double)(p->total - 1) * temperature / twice) : 0;
  for (int a = 0; a < 3; ++a) {
    for (int64_t i = 0; i < p->n; ++i) p->v[a][i] = pel__snap(factor * p->v[a][i], magic);
    balance(p, p->v[a], d->velocity_quantum);
  }
}

int pel__dynamics_start(pel_sim *s, pel_error *e) {
  const pel_particle_model *m = s->model->particles;
  pel__dynamics *d = s->dynamics;
  pel__particles *p = &d->p;
#pragma omp parallel for num_threads(s->threads) schedule(static)
  for (int64_t i = 0; i < p->n; ++i) {
    double x[3], v[3];
    m->seed(s->state, p->id[i], x, v);
    for (int a = 0; a < 3; ++a) {
      p->x[a][i] = pel__snap(x[a], p->domain.magic);
      p->v[a][i] = v[a];
    }
  }
  thermalise(d, m->temperature(s->state));
  return e->code;
}

/* ---- steps ---- */

/* Forces of the present positions, and if wanted the sums over pairs.  Fails on all ranks alike; a
 * rank that alone finds a force too large reports it and goes on with the others. */
static int evaluate(pel_sim *s, pel__pair_sums *sums, pel_error *e) {
  pel__dynamics *d = s->dynamics;
  pel_error mine = {0};
  if (!d->listed && pel__pair_list_build(&d->list, &d->p, d->scattered, e)) return e->code;
  d->listed = true, d->scattered = false;
  if (pel__pairs_run(&d->p, &d->list, &d->potential, &d->work, sums, &mine))
    pel_fail(s, "%s", mine.text);
  d->forced = true;
  return PEL_OK;
}

/* Positions have just been moved by so much of v, some by more than the cut-off: tells of the
 * fastest particle, and of the closest pair before, which as a rule is the reason. */
static int explain_leap(pel__dynamics *d, double dt, pel_error *e) {
  pel__particles *p = &d->p;
  int64_t fastest = -1, i, j;
  double r, most = -1, everywhere;
  pel__drift(p, -dt); /* exactly undone */
  for (int64_t k = 0; k < (int64_t)p->nclusters * PEL_LANES; ++k) {
    const double v2 = p->v[0][k] * p->v[0][k] + p->v[1][k] * p->v[1][k] + p->v[2][k] * p->v[2][k];
    if (pel__is_empty(p, k) || v2 <= most) continue;
    fastest = k, most = isfinite(v2) ? v2 : INFINITY;
    if (!isfinite(v2)) break;
  }
  MPI_Allreduce(&most, &everywhere, 1, MPI_DOUBLE, MPI_MAX, p->regions->comm);
  if (most < everywhere) return pel__agree_error(p->regions->comm, e);
  pel__pair_list_closest(&d->list, p, &i, &j, &r);
  int n = snprintf(e->text, sizeof e->text,
                   "particle %ld moves further than the cut-off in one step: position (%g, %g, "
                   "%g), velocity (%g, %g, %g)",
                   (long)p->id[fastest], p->x[0][fastest], p->x[1][fastest], p->x[2][fastest],
                   p->v[0][fastest], p->v[1][fastest], p->v[2][fastest]);
  if (i >= 0)
    n += snprintf(e->text + n, sizeof e->text - (size_t)n,
                  "; the closest pair, particles %ld and %ld, is %g apart", (long)p->id[i],
                  (long)p->id[j], r);
  snprintf(e->text + n, sizeof e->text - (size_t)n,
           "; reduce [time] dt, or look for overlapping particles in the start");
  e->code = PEL_INVALID;
  return pel__agree_error(p->regions->comm, e);
}

void pel__dynamics_force(pel_sim *s) {
  pel_error e = {0};
  if (!s->dynamics->forced && evaluate(s, NULL, &e)) pel_fail(s, "%s", e.text);
}

static int drift(pel__dynamics *d, double dt, pel_error *e) {
  const double moved = sqrt(pel__drift(&d->p, dt)), allowed = d->list.skin / 2;
  if (d->listed && !(moved <= allowed + d->list.cutoff)) return explain_leap(d, dt, e);
  d->listed = d->listed && moved <= allowed; /* two may each be so much nearer to the other */
  d->forced = false;
  return PEL_OK;
}

static int run_stage(pel_sim *s, const pel_motion *stage, double dt, pel_error *e) {
  pel__dynamics *d = s->dynamics;
  const double kick = stage->part * dt / d->box.mass;
  switch (stage->kind) {
    case PEL_KICK:
      if (!d->forced && evaluate(s, NULL, e)) return e->code;
      pel__kick(&d->p, &kick, d->velocity_quantum);
      break;
    case PEL_DRIFT:
      return drift(d, stage->part * dt, e);
    case PEL_PAIRS:
      return evaluate(s, NULL, e);
  }
  return PEL_OK;
}

void pel__dynamics_step(pel_sim *s, double dt) {
  const pel_particle_model *m = s->model->particles;
  const double t0 = MPI_Wtime();
  pel_error e = {0};
  s->dynamics->measured = false;
  for (int i = 0; i < m->nprogram; ++i)
    if (run_stage(s, &m->program[i], dt, &e)) {
      pel_fail(s, "%s", e.text);
      break;
    }
  s->seconds[PEL__T_COMPUTE] += MPI_Wtime() - t0;
}

const pel_totals *pel__dynamics_totals(pel_sim *s) {
  pel__dynamics *d = s->dynamics;
  pel__pair_sums sums = {0};
  pel_error e = {0};
  if (d->measured) return &d->totals;
  if (evaluate(s, &sums, &e)) pel_fail(s, "%s", e.text);
  d->totals = (pel_totals){.n = d->p.total,
                           .volume = pel__domain_volume(&d->p.domain),
                           .kinetic = pel__kinetic2(&d->p, &d->box.mass) / 2,
                           .potential = sums.energy};
  for (int v = 0; v < 6; ++v) d->totals.virial[v] = sums.virial[v];
  d->measured = true;
  return &d->totals;
}
