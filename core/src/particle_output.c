#include "particle_output.h"

#include <stdlib.h>
#include <string.h>

#include "dynamics.h"
#include "pelsim/memory.h"

/* What a record may hold of a particle.  Those that the state does not have are made here. */
typedef struct {
  const char *name, *doc;
  int components;
  bool standard;
} quantity;

static const quantity quantities[] = {
    {"position", "position within the box", 3, true},
    {"image", "periods that the particle has moved", 3, true},
    {"velocity", "velocity", 3, false},
    {"force", "force on the particle", 3, false},
};
enum { QUANTITIES = PEL_N(quantities), FORCE = 3, MOST = 3 * QUANTITIES + 1 };

struct pel__trajectory {
  bool wanted[QUANTITIES];
  pel_particle_frame frame;
  pel_array array[MOST];
  char name[MOST][40];
  const char *species[PEL_TYPES];
  double mass[PEL_TYPES];
  pel_array *state;   /* whose patches are lent */
  pel_patch patch[3]; /* of forces */
  double *force;
};

/* ---- [output] ---- */

static void take(pel_sim *s, void *ctx, const char *name) {
  pel__trajectory *t = ctx;
  char known[200] = "";
  size_t n = 0;
  for (int i = 0; i < QUANTITIES; ++i) {
    n += (size_t)snprintf(known + n, sizeof known - n, "%s%s", i ? ", " : "", quantities[i].name);
    if (strcmp(name, quantities[i].name)) continue;
    if (t->wanted[i])
      pel__config_reject(s->config, "output", "fields", "'%s' is named twice", name);
    t->wanted[i] = true;
    return;
  }
  pel__config_reject(s->config, "output", "fields", "particles have no '%.60s'; there are: %s",
                     name, known);
}

void pel__trajectory_check(pel_sim *s) {
  pel__trajectory *t = s->trajectory = pel_alloc(s, sizeof *t);
  if (*s->set.output.fields) {
    pel__output_names(s, take, t);
    if (!t->wanted[0] && !pel__config_errors(s->config))
      pel__config_reject(s->config, "output", "fields",
                         "a trajectory cannot be without 'position'; add it");
  } else {
    for (int i = 0; i < QUANTITIES; ++i) t->wanted[i] = quantities[i].standard;
  }
}

double pel__trajectory_bytes(const pel_sim *s) {
  double bytes = 0;
  for (int i = 0; i < QUANTITIES; ++i)
    if (s->trajectory->wanted[i])
      bytes += quantities[i].components *
               (strcmp(quantities[i].name, "image") && s->set.output.precision == 0 ? 8 : 4);
  return bytes * (double)s->grid.axis[0].n;
}

/* ---- a record ---- */

static const pel_particle_units *units(const pel_sim *s) {
  const pel_particle_model *m = s->model->particles;
  return m->units ? m->units(s->state) : NULL;
}

static const char *unit_of(const pel_sim *s, const char *quantity) {
  const pel_particle_units *u = units(s);
  return !u                              ? "1"
         : !strcmp(quantity, "position") ? u->length
         : !strcmp(quantity, "velocity") ? u->velocity
         : !strcmp(quantity, "force")    ? u->force
                                         : "1";
}

const pel_particle_frame *pel__trajectory_frame(pel_sim *s) {
  const pel__dynamics *d = s->dynamics;
  pel_particle_frame *f = &s->trajectory->frame;
  pel__trajectory *t = s->trajectory;
  const pel_particle_units *u = units(s);
  *f = (pel_particle_frame){.time = s->time / d->time_unit,
                            .ntypes = d->box.ntypes,
                            .mass = t->mass,
                            .species = t->species};
  if (u) f->length_unit = u->length, f->time_unit = u->time, f->mass_unit = u->mass;
  for (int i = 0; i < d->box.ntypes; ++i) {
    t->species[i] = d->box.species[i];
    t->mass[i] = d->box.mass[i] / (u ? u->mass_scale : 1);
  }
  for (int a = 0; a < 3; ++a) {
    f->length[a] = d->p.domain.length[a];
    f->periodic[a] = d->p.domain.periodic[a];
  }
  return f;
}

static void fill_force(const pel__particles *p, const void *ctx, int64_t i, double *value) {
  (void)ctx;
  for (int a = 0; a < 3; ++a) value[a] = p->f[a][i];
}

/* Forces in order of id. */
static void collect_forces(pel_sim *s, pel__trajectory *t) {
  const pel__particles *p = &s->dynamics->p;
  const pel__slab slab = pel__slab_of(p->total, s->rank, s->nranks);
  double *to[3];
  t->force = pel_malloc(3 * (size_t)slab.n * sizeof *t->force + 1);
  pel__dynamics_force(s);
  for (int a = 0; a < 3; ++a) {
    to[a] = t->force + a * slab.n;
    t->patch[a] = (pel_patch){.first = {slab.first, 0, 0}, .n = {(int)slab.n, 1, 1}, .data = to[a]};
  }
  pel__by_id(p, fill_force, NULL, 3, to);
}

static void lend(pel__trajectory *t, int nstate, pel_array *x) {
  for (int i = 0; i < nstate; ++i)
    if (!strcmp(t->state[i].name, x->name)) {
      x->patches = t->state[i].patches;
      x->npatches = t->state[i].npatches;
    }
}

pel_array *pel__trajectory_arrays(pel_sim *s, bool now, int *n) {
  pel__trajectory *t = s->trajectory;
  int nstate = 0;
  pel__trajectory_release(s);
  if (now) t->state = pel__dynamics_arrays(s, &nstate);
  if (now && t->wanted[FORCE]) collect_forces(s, t);
  *n = 0;
  for (int i = 0; i < QUANTITIES; ++i) {
    for (int c = 0; c < quantities[i].components && t->wanted[i]; ++c) {
      char *name = t->name[*n];
      snprintf(name, sizeof *t->name, "%s_%c", quantities[i].name, "xyz"[c]);
      pel_array *x = &t->array[(*n)++];
      *x = (pel_array){
          .name = name, .unit = unit_of(s, quantities[i].name), .doc = quantities[i].doc};
      if (now && i == FORCE)
        x->patches = &t->patch[c], x->npatches = t->patch[c].n[0] > 0;
      else
        lend(t, nstate, x);
    }
  }
  if (s->dynamics->box.ntypes > 1) {
    t->array[*n] = (pel_array){.name = "type", .unit = "1", .doc = "type, counted from 1"};
    lend(t, nstate, &t->array[(*n)++]);
  }
  return t->array;
}

void pel__trajectory_release(pel_sim *s) {
  free(s->trajectory->state);
  free(s->trajectory->force);
  s->trajectory->state = NULL;
  s->trajectory->force = NULL;
}
