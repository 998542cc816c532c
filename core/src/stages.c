/* The stages of a step, and what routines may do. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "dynamics.h"
#include "motion.h"

/* ---- forces ---- */

static void hold(pel__dynamics *d, bool back) {
  pel__particles *p = &d->p;
  const int64_t places = (int64_t)p->nclusters * PEL_LANES;
  for (int a = 0; a < 3; ++a) {
    double *restrict f = p->f[a], *restrict held = d->held[a];
#pragma omp parallel for simd num_threads(p->threads) schedule(static)
    for (int64_t i = 0; i < places; ++i) {
      if (back)
        f[i] += held[i];
      else
        held[i] = f[i];
    }
  }
}

/* A rank that alone finds a force too large goes on with the others; why is asked when all know. */
static void run_pairs(pel_sim *s, pel__force_stage *f, bool first, bool sums) {
  pel__dynamics *d = s->dynamics;
  pel__pair_sums each = {0};
  pel_error mine = {0};
  if (!first) hold(d, false);
  if (pel__pairs_run(&d->p, &d->list, &f->potential, &f->work, sums ? &each : NULL, &mine))
    pel_fail(s, "%s", mine.text);
  if (!first) hold(d, true);
  d->totals.potential += each.energy;
  for (int v = 0; v < 6; ++v) d->totals.virial[v] += each.virial[v];
}

static void run_sum(pel_sim *s, pel__force_stage *f) {
  pel__dynamics *d = s->dynamics;
  pel_error mine = {0};
  double *to;
  memcpy(&to, (const char *)s->state + f->stage->pairs->sums, sizeof to);
  if (pel__pairs_sum(&d->p, &d->list, &f->potential, &f->work, to, &mine))
    pel_fail(s, "%s", mine.text);
}

static void run_kernel(pel_sim *s, const pel_particle_stage *stage, double dt, double *out) {
  pel__dynamics *d = s->dynamics;
  pel__particles *p = &d->p;
  const int nt = p->threads;
#pragma omp parallel for num_threads(nt) schedule(static, 1)
  for (int t = 0; t < nt; ++t) {
    const pel_span span = {.first = (int64_t)p->nclusters * t / nt * PEL_LANES,
                           .last = (int64_t)p->nclusters * (t + 1) / nt * PEL_LANES,
                           .x = {p->x[0], p->x[1], p->x[2]},
                           .v = {p->v[0], p->v[1], p->v[2]},
                           .f = {p->f[0], p->f[1], p->f[2]},
                           .id = p->id,
                           .type = p->type,
                           .mass = d->box.mass,
                           .dt = dt,
                           .time = s->time / d->time_unit,
                           .step = s->step,
                           .out = out,
                           .sim = s};
    stage->kernel(&span, s->state);
  }
}

static int build(pel_sim *s, pel_error *e) {
  pel__dynamics *d = s->dynamics;
  const double t0 = MPI_Wtime(), messages = d->p.guests.seconds;
  const pel__phase_id before = pel__now_in(PEL__T_LISTS);
  const bool moves = !pel__recut(s) && pel__balance_particles(s);
  pel__skin_next(&d->skin, s->comm, s->step, d->spent);
  /* A box that shrinks takes of the margin first, which changes no bit. */
  const double room = pel__regions_thinnest(&d->regions, &d->p.domain) - d->list.cutoff,
               skin = room > 0 ? fmin(d->skin.skin, room * (1 - 0x1p-40)) : d->skin.skin;
  if (pel__pair_list_fit(&d->list, &d->p.domain, skin, e) ||
      pel__pair_list_build(&d->list, &d->p, d->scattered, e))
    return e->code;
  pel__dynamics_bind(s);
  d->listed = true, d->scattered = false;
  if (moves) pel__balance_moved(s->balance, MPI_Wtime() - t0);
  d->p.guests.seconds = messages; /* those belong to the list */
  s->seconds[PEL__T_LISTS] += MPI_Wtime() - t0;
  pel__now_in(before);
  return PEL_OK;
}

/* Forces of the present positions, and if wanted what is summed over pairs.  Fails on all ranks
 * alike. */
static int evaluate(pel_sim *s, bool sums, double dt, pel_error *e) {
  pel__dynamics *d = s->dynamics;
  bool first = true;
  if (!d->listed && build(s, e)) return e->code;
  const double t0 = MPI_Wtime(), messages = d->p.guests.seconds, maxima = d->p.waited;
  d->totals.potential = 0;
  for (int v = 0; v < 6; ++v) d->totals.virial[v] = 0;
  for (int i = 0; i < d->nforces; ++i) {
    pel__force_stage *f = &d->forces[i];
    if (f->stage->kind == PEL_PAIRS && f->potential.kernels->sums) {
      run_sum(s, f);
    } else if (f->stage->kind == PEL_PAIRS) {
      run_pairs(s, f, first, sums);
      first = false;
    } else {
      run_kernel(s, f->stage, dt, sums ? d->energy : NULL);
      if (sums) d->totals.potential += pel__sum_places(&d->p, d->energy);
    }
  }
  d->computed += MPI_Wtime() - t0 - (d->p.guests.seconds - messages) - (d->p.waited - maxima);
  d->forced = true, d->summed = sums;
  return PEL_OK;
}

/* ---- motion ---- */

/* Whether forces of this rank are no numbers to go on with. */
static bool overflown(const pel__dynamics *d) {
  for (const pel__force_stage *f = d->forces; f < d->forces + d->nforces; ++f)
    if (f->stage->kind == PEL_PAIRS && f->work.excess != PEL__ALL_FIT) return true;
  return false;
}

static int drift(pel_sim *s, double dt, pel_error *e) {
  pel__dynamics *d = s->dynamics;
  const bool stays = overflown(d);
  const double moved = sqrt(pel__drift(&d->p, dt, stays)), allowed = d->list.skin / 2;
  if (d->listed && !(moved <= allowed + d->list.cutoff)) {
    pel__drift(&d->p, -dt, stays); /* exactly undone */
    return pel__dynamics_explain_forces(s, e) ? e->code : pel__dynamics_explain_leap(d, e);
  }
  d->listed = d->listed && moved <= allowed; /* two may each be so much nearer to the other */
  d->forced = d->summed = false;
  if (d->p.domain.walled[0] || d->p.domain.walled[1] || d->p.domain.walled[2]) d->moving = false;
  return PEL_OK;
}

static int kick(pel_sim *s, double dt, pel_error *e) {
  pel__dynamics *d = s->dynamics;
  double factor[PEL_TYPES];
  for (int t = 0; t < d->box.ntypes; ++t) factor[t] = dt / d->box.mass[t];
  if (!d->forced && evaluate(s, false, dt, e)) return e->code;
  pel__kick(&d->p, factor, d->velocity_quantum);
  d->moving = false;
  return PEL_OK;
}

/* ---- a step ---- */

static const double no_velocity[3] = {0};

/* sums: forces are wanted with what is summed over pairs. */
static int run_stage(pel_sim *s, const pel_particle_stage *stage, double dt, bool sums,
                     pel_error *e) {
  pel__dynamics *d = s->dynamics;
  switch (stage->kind) {
    case PEL_KICK:
      return kick(s, stage->part * dt, e);
    case PEL_DRIFT:
      return drift(s, stage->part * dt, e);
    case PEL_FORCES:
      return d->forced ? PEL_OK : evaluate(s, sums, dt, e);
    case PEL_MEASURE:
      return d->summed ? PEL_OK : evaluate(s, true, dt, e);
    case PEL_PARTICLES:
      run_kernel(s, stage, dt, NULL);
      pel__change_velocities(&d->p, 1, no_velocity, d->velocity_quantum);
      d->moving = false;
      return PEL_OK;
    case PEL_ROUTINE:
      stage->routine(&(pel_routine){s, dt, s->time / d->time_unit, s->step}, s->state);
      return PEL_OK;
    case PEL_PAIRS:
      break;
  }
  return pel_error_set(e, PEL_INTERNAL,
                       "stage '%s' of model %s belongs to its forces, not to a step", stage->name,
                       s->model->name);
}

/* Seconds that are not those of computing. */
typedef struct {
  double lists, messages, maxima;
} spent;

static spent look(const pel_sim *s) {
  const pel__particles *p = &s->dynamics->p;
  return (spent){s->seconds[PEL__T_LISTS], p->guests.seconds, p->waited};
}

static void book(pel_sim *s, const spent *before, double seconds) {
  const spent now = look(s);
  const double lists = now.lists - before->lists, messages = now.messages - before->messages,
               maxima = now.maxima - before->maxima;
  s->seconds[PEL__T_HALO] += messages;
  s->seconds[PEL__T_AGREE] += maxima;
  s->seconds[PEL__T_COMPUTE] += seconds - lists - messages - maxima;
  s->dynamics->spent += seconds;
}

static bool takes_part(const pel_sim *s, const pel_particle_stage *stage) {
  return !stage->when || stage->when(s->state, s->step);
}

/* The stage whose forces those at the end of the step are; -1: there is none. */
static int last_forces(const pel_sim *s) {
  const pel_particle_model *m = s->model->particles;
  int last = m->nprogram - 1;
  while (last >= 0 && !(m->program[last].kind == PEL_FORCES && takes_part(s, &m->program[last])))
    --last;
  return last;
}

/* What diagnostics at the end of the step will ask for is summed along with the last forces, which
 * then are not evaluated twice. */
void pel__dynamics_step(pel_sim *s, double dt) {
  const pel_particle_model *m = s->model->particles;
  const spent before = look(s);
  const double t0 = MPI_Wtime();
  const int sums = s->row_follows ? last_forces(s) : -1;
  pel_error e = {0};
  pel__now_in(PEL__T_COMPUTE);
  for (int i = 0; i < m->nprogram && !e.code; ++i) {
    const pel_particle_stage *stage = &m->program[i];
    if (!takes_part(s, stage)) continue;
    if (run_stage(s, stage, dt / s->dynamics->time_unit, i == sums, &e))
      pel__fail(s, e.code, "%s", e.text);
  }
  s->nonfinite = !pel__dynamics_is_finite(s);
  book(s, &before, MPI_Wtime() - t0);
}

/* ---- numbers over all particles ---- */

void pel__dynamics_force(pel_sim *s) {
  pel__dynamics *d = s->dynamics;
  pel_error e = {0};
  if (!d->forced && evaluate(s, false, s->dt / d->time_unit, &e)) pel_fail(s, "%s", e.text);
}

static const pel_totals *totals(pel_sim *s, bool pairs) {
  pel__dynamics *d = s->dynamics;
  pel_totals *t = &d->totals;
  pel_error e = {0};
  if (pairs && !d->summed && evaluate(s, true, s->dt / d->time_unit, &e)) pel_fail(s, "%s", e.text);
  t->n = d->box.n;
  t->dims = d->box.dims;
  t->walls = 0;
  for (int a = 0; a < t->dims; ++a) {
    t->walls += d->p.domain.walled[a];
    t->length[a] = d->p.domain.length[a];
  }
  t->volume = pel__domain_volume(&d->p.domain);
  if (!d->moving) t->kinetic = pel__kinetic2(&d->p, d->box.mass) / 2;
  d->moving = true;
  return t;
}

const pel_totals *pel__dynamics_totals(pel_sim *s) { return totals(s, true); }

const pel_totals *pel_routine_totals(const pel_routine *r, bool pairs) {
  return totals(r->sim, pairs);
}

double pel_routine_momentum(const pel_routine *r, double p[3]) {
  const pel__dynamics *d = r->sim->dynamics;
  for (int a = 0; a < 3; ++a) p[a] = pel__momentum(&d->p, d->box.mass, a);
  return pel__mass(&d->p, d->box.mass);
}

/* ---- what routines change ---- */

void pel_scale_velocities(const pel_routine *r, double factor) {
  pel__dynamics *d = r->sim->dynamics;
  pel__change_velocities(&d->p, factor, no_velocity, d->velocity_quantum);
  d->moving = false;
}

void pel_shift_velocities(const pel_routine *r, const double u[3]) {
  pel__dynamics *d = r->sim->dynamics;
  pel__change_velocities(&d->p, 1, u, d->velocity_quantum);
  d->moving = false;
}

void pel_scale_box(const pel_routine *r, const double mu[3]) {
  pel_sim *s = r->sim;
  pel__dynamics *d = s->dynamics;
  double length[3];
  pel__domain domain;
  pel_error e = {0};
  for (int a = 0; a < d->box.dims; ++a) {
    length[a] = d->p.domain.length[a] * mu[a];
    if (isfinite(length[a]) && length[a] > (d->p.domain.periodic[a] ? 2 * d->cutoff : 0)) continue;
    pel_fail(
        s,
        "the box has collapsed: %g along axis %c, less than twice the cut-off %g; begin nearer "
        "to the density of this pressure, or let the box change more slowly",
        length[a], "xyz"[a], d -> cutoff);
    return;
  }
  if (pel__dynamics_domain(d, length, &domain, &e) ||
      pel__pair_list_fit(&d->list, &domain, d->skin.skin, &e)) {
    pel_fail(s, "%s", e.text);
    return;
  }
  pel__rescale(&d->p, &domain);
  d->listed = d->forced = d->summed = false;
}
