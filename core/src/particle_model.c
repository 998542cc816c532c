/* What the tables of a particle model must have. */
#include <math.h>
#include <string.h>

#include "config_private.h"
#include "dynamics.h"

/* ---- names ---- */

static const char *const names_of_layer[] = {"dt",    "dt_limit", "box_x", "box_y",    "box_z",
                                             "clock", "walls",    "id",    "position", "velocity",
                                             "image", "type",     "force", "time_unit"};

static bool is_of_layer(const char *name) {
  bool own = !strncmp(name, "mass_", 5) || !strncmp(name, "reference_", 10);
  for (int i = 0; i < PEL_N(names_of_layer); ++i) own = own || !strcmp(name, names_of_layer[i]);
  return own;
}

static void check_names(const pel_sim *s, const pel_particle_model *m) {
  const int n = m->nnumbers + m->nattributes;
  const char *name[n + 1];
  for (int i = 0; i < n; ++i)
    name[i] = i < m->nnumbers ? m->numbers[i].name : m->attributes[i - m->nnumbers].name;
  for (int i = 0; i < n; ++i) {
    bool twice = false;
    for (int j = 0; j < i; ++j) twice = twice || !strcmp(name[i], name[j]);
    if (twice || is_of_layer(name[i]))
      pel__config_reject(s->config, s->model->name, "",
                         "the model's %s '%s' %s; rename it in its table",
                         i < m->nnumbers ? "number" : "attribute", name[i],
                         twice ? "is there twice" : "has a name that files use for another thing");
  }
}

/* ---- tables ---- */

static const char *lack_of(const pel_particle_stage *s) {
  switch (s->kind) {
    case PEL_PAIRS:
      return !s->pairs                 ? ".pairs"
             : !s->pairs->kernels      ? ".pairs with .kernels"
             : !s->pairs->coefficients ? ".pairs with .coefficients"
             : !s->pairs->ranges       ? ".pairs with .ranges"
                                       : NULL;
    case PEL_PARTICLES:
      return s->kernel ? NULL : ".kernel";
    case PEL_ROUTINE:
      return s->routine ? NULL : ".routine";
    case PEL_KICK:
    case PEL_DRIFT:
    case PEL_FORCES:
    case PEL_MEASURE:
      return NULL;
  }
  return "a kind";
}

static void check_stages(const pel_sim *s, const pel_particle_stage *stage, int n) {
  for (int i = 0; i < n; ++i)
    if (lack_of(&stage[i]))
      pel__config_reject(s->config, s->model->name, "", "stage '%s' of the model lacks %s",
                         stage[i].name ? stage[i].name : "?", lack_of(&stage[i]));
}

bool pel__dynamics_check_model(const pel_sim *s) {
  const pel_particle_model *m = s->model->particles;
  if (!m->box || !m->seed || !m->skin) {
    pel__config_reject(s->config, s->model->name, "",
                       "the model lacks one of the hooks .box, .seed, .skin");
    return false;
  }
  if (s->set.time.dt == 0 && !m->time_step) {
    pel__config_reject(s->config, "time", "dt",
                       "model %s does not say what 'auto' is (.time_step); give a number",
                       s->model->name);
    return false;
  }
  check_names(s, m);
  check_stages(s, m->forces, m->nforces);
  check_stages(s, m->program, m->nprogram);
  return true;
}

/* ---- what its hooks give ---- */

int pel__dynamics_check_box(const pel_particle_box *b, const char *model, pel_error *e) {
  if (b->dims != 2 && b->dims != 3)
    return pel_error_set(e, PEL_USAGE, "model %s has a box of %d dimensions; 2 or 3 are possible",
                         model, b->dims);
  if (b->ntypes < 1 || b->ntypes > PEL_TYPES)
    return pel_error_set(e, PEL_USAGE, "model %s has %d types of particles; 1 to %d are possible",
                         model, b->ntypes, PEL_TYPES);
  for (int a = 0; a < b->dims; ++a)
    if (!(b->length[a] > 0 && isfinite(b->length[a])))
      return pel_error_set(e, PEL_USAGE, "model %s has a box of length %g along %c; it must be > 0",
                           model, b->length[a], "xyz"[a]);
  for (int t = 0; t < b->ntypes; ++t)
    if (!(b->mass[t] > 0 && isfinite(b->mass[t])))
      return pel_error_set(e, PEL_USAGE, "model %s gives type %d the mass %g; it must be > 0",
                           model, t + 1, b->mass[t]);
  return PEL_OK;
}

int pel__dynamics_check_reach(const pel__dynamics *d, double skin, const char *model,
                              pel_error *e) {
  if (!(d->cutoff > 0 && isfinite(d->cutoff)))
    return pel_error_set(e, PEL_USAGE, "model %s has the cut-off %g; it must be > 0", model,
                         d->cutoff);
  if (!(skin >= 0 && isfinite(skin)))
    return pel_error_set(e, PEL_USAGE, "model %s has the skin %g; it must not be negative", model,
                         skin);
  return PEL_OK;
}

/* ---- the watch for what is not finite ---- */

/* The attribute whose array of the particles' `extra` this is. */
static const pel_attribute *attribute_of(const pel_particle_model *m, int k) {
  const pel_attribute *a = m->attributes;
  for (; k >= a->components; ++a) k -= a->components;
  return a;
}

static int carried(const pel_particle_model *m) {
  int n = 0;
  for (int i = 0; i < m->nattributes; ++i) n += m->attributes[i].components;
  return n;
}

bool pel__dynamics_is_finite(const pel_sim *s) {
  const pel_particle_model *m = s->model->particles;
  const pel__particles *p = &s->dynamics->p;
  bool finite = true;
  for (int k = 0; k < carried(m); ++k) {
    if (attribute_of(m, k)->role != PEL_CARRIED) continue;
    const double *x = p->extra[k];
    double watch = 0;
#pragma omp parallel for simd num_threads(p->threads) schedule(static) reduction(+ : watch)
    for (int64_t i = 0; i < (int64_t)p->nclusters * PEL_LANES; ++i)
      watch += p->id[i] < 0 ? 0 : x[i] - x[i];
    finite = finite && watch == 0;
  }
  return finite;
}

int pel__dynamics_explain_nonfinite(const pel_sim *s, pel_error *e) {
  const pel_particle_model *m = s->model->particles;
  const pel__particles *p = &s->dynamics->p;
  pel__key key = {0, {INT64_MAX, 0}};
  for (int k = 0; k < carried(m); ++k)
    for (int64_t i = 0; i < (int64_t)p->nclusters * PEL_LANES; ++i) {
      if (pel__is_empty(p, i) || isfinite(p->extra[k][i]) || p->id[i] >= key.id[0] ||
          attribute_of(m, k)->role != PEL_CARRIED)
        continue;
      const pel__point at = pel__inside(p, i);
      key.id[0] = p->id[i];
      *e = (pel_error){0};
      pel_error_set(e, PEL_INVALID,
                    "'%s' of particle %ld is %g, at (%g, %g, %g); look into the stage that sets it",
                    attribute_of(m, k)->name, (long)p->id[i], p->extra[k][i], at.x, at.y, at.z);
    }
  return pel__agree_first(p->regions->comm, key, e);
}
