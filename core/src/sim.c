/* From a configuration to a simulation that is ready to start. */
#include "sim.h"

#include <dlfcn.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis.h"
#include "dynamics.h"
#include "particle_output.h"
#include "pelsim/memory.h"
#include "plan.h"
#include "plugin.h"

/* ---- the configuration ---- */

static int read_config(pel_sim *s, const pel_request *r, pel_error *e) {
  char *text = NULL;
  size_t length = 0;
  if (s->rank == 0)
    pel__config_load(r->config, s->host->models, s->host->nmodels, &text, &length, e);
  MPI_Bcast(e, sizeof *e, MPI_BYTE, 0, s->comm);
  if (e->code) return e->code;
  MPI_Bcast(&length, sizeof length, MPI_BYTE, 0, s->comm);
  if (s->rank != 0) text = pel_malloc(length + 1);
  MPI_Bcast(text, (int)length, MPI_BYTE, 0, s->comm);
  s->config = pel__config_parse(r->config, text, length, r->overrides, r->noverrides);
  free(text);
  return PEL_OK;
}

/* The model named in [run]: a plug-in's, or a built-in one. */
static const pel_model *find_model(pel_sim *s, const pel_request *r) {
  const char *name = pel__config_get(s->config, "run", "model");
  const char *plugin = pel__config_get(s->config, "run", "plugin");
  if (plugin && *plugin) {
    pel_error e = {0};
    const pel_model *m = pel__plugin_load(plugin, r->config, &s->plugin, &e);
    pel__agree_error(s->comm, &e);
    if (e.code) pel__config_reject(s->config, "run", "plugin", "%s", e.text);
    if (e.code || !name || !*name || strcmp(name, m->name) == 0) return e.code ? NULL : m;
    pel__config_reject(s->config, "run", "model", "the plug-in's model is '%s', not '%s'", m->name,
                       name);
    return NULL;
  }
  return pel__settings_model(s->config, s->host->models, s->host->nmodels);
}

static void bind(pel_sim *s) {
  const pel_model *m = s->model;
  pel__binding b[PEL__NSETTINGS + 1];
  pel__settings_bindings(&s->set, b);
  b[PEL__NSETTINGS] = (pel__binding){m->name, m->params, m->nparams, s->state};
  pel__config_bind(s->config, b, PEL_N(b));
  pel__settings_check(s->config, &s->set);
}

/* ---- the model's hooks ---- */

static void check_grid(pel_sim *s) {
  for (int a = 0; a < 3; ++a) {
    pel_axis *x = &s->grid.axis[a];
    if (a >= s->grid.dims) x->n = 1;
    if (x->n < 1 || (a == 0 && x->n > INT32_MAX / 2))
      pel__config_reject(s->config, "grid", "", "axis %s has %ld cells", x->name, (long)x->n);
  }
  if (s->grid.dims >= 2 && s->grid.axis[1].end == PEL_POLE &&
      (s->grid.axis[0].n % 2 != 0 || s->grid.axis[0].end != PEL_PERIODIC))
    pel__config_reject(s->config, "grid", "",
                       "a grid with poles needs an even number of longitudes, not %ld",
                       (long)s->grid.axis[0].n);
}

static void make_grid(pel_sim *s) {
  const pel_particle_model *m = s->model->particles;
  if (m) {
    pel_particle_box box = {0};
    m->box(&box, s->state);
    s->grid = (pel_grid){.dims = 1,
                         .axis = {{.n = box.n,
                                   .end = PEL_WALL,
                                   .name = "particle",
                                   .unit = "1",
                                   .origin = 1,
                                   .spacing = 1},
                                  {.n = 1},
                                  {.n = 1}}};
    pel__dynamics_check(s);
    pel__trajectory_check(s);
  } else {
    s->model->grid(&s->grid, s->state);
    check_grid(s);
  }
  pel__analysis_check(s);
}

static void choose_scheme(pel_sim *s) {
  static const char *const name[] = {NULL, "euler", "ssprk3", "rk3", "rk4"}; /* as in settings.c */
  const char *want = s->set.time.scheme ? name[s->set.time.scheme] : s->model->scheme;
  if (!s->model->scheme && s->set.time.scheme)
    pel__config_reject(s->config, "time", "scheme", "model %s has its own time step",
                       s->model->name);
  if (s->model->scheme) s->scheme = pel__scheme_find(want);
  for (int i = 0; s->scheme && i < s->model->nlimits; ++i) {
    const pel_limit *l = &s->model->limits[i];
    if (l->spectrum == PEL_OSCILLATES && s->scheme->imaginary == 0 &&
        (!l->when || l->when(s->state)))
      pel__config_reject(s->config, "time", "scheme",
                         "forward Euler is unstable for oscillations ('%s' of model %s); choose "
                         "ssprk3, rk3 or rk4",
                         l->name, s->model->name);
  }
}

static void list_vars(pel_sim *s) {
  const pel_model *m = s->model;
  s->vars = pel_alloc(s, (size_t)(2 * m->nfields + 1) * sizeof *s->vars);
  for (int i = 0; i < m->nfields; ++i) {
    const pel_field *f = &m->fields[i];
    if (f->when && !f->when(s->state)) continue;
    s->vars[s->nvars++] = (pel__var){.field = f, .offset = f->offset, .stored = f->prognostic};
    if (f->rate) s->vars[s->nvars++] = (pel__var){.field = f, .rate = true, .offset = f->rate - 1};
  }
}

/* As a rule all ranks find the same errors; one that finds what others do not, for want of memory,
 * tells it and all give up. */
static int report_errors(pel_sim *s) {
  const int n = pel__config_errors(s->config), code = s->unreadable ? PEL_IO : PEL_USAGE;
  int least[2] = {n ? s->rank : s->nranks, n ? -code : 0};
  MPI_Allreduce(MPI_IN_PLACE, least, 2, MPI_INT, MPI_MIN, s->comm);
  if (least[0] == s->rank) pel__config_print_errors(s->config, stderr);
  return -least[1];
}

/* ---- plans, layout, memory ---- */

static int enabled(const pel_sim *s, const pel_stage *table, int n, const pel_stage **to) {
  int m = 0;
  for (int i = 0; i < n; ++i)
    if (!table[i].when || table[i].when(s->state)) to[m++] = &table[i];
  return m;
}

static int make_plans(pel_sim *s, pel_error *e) {
  const pel_model *m = s->model;
  const pel_stage *list[m->nprogram + m->ninit + 1];
  int n = enabled(s, m->program, m->nprogram, list);
  s->program = pel__plan_create(s, list, n, s->scheme != NULL, false, e);
  if (e->code) return e->code;
  n = enabled(s, m->init, m->ninit, list);
  s->init = pel__plan_create(s, list, n, false, false, e);
  if (e->code || pel__measures_create(s, e) || pel__outputs_create(s, e)) return e->code;
  /* Making one plan may have moved an array to memory that an older plan keeps in scratch, which
   * is still right there: scratch is decided when a plan is bound. */
  return report_errors(s) ? PEL_USAGE : PEL_OK;
}

int pel__blocks_asked(const pel_sim *s, int nb[3]) {
  for (int a = 0; a < 3; ++a) nb[a] = 0;
  if (*s->set.parallel.block_grid) {
    const int n = sscanf(s->set.parallel.block_grid, "%dx%dx%d", &nb[0], &nb[1], &nb[2]);
    for (int a = n; a < 3; ++a) nb[a] = 1;
  }
  return s->set.parallel.blocks > 0 ? (int)s->set.parallel.blocks : 1;
}

/* Particles have no plans, and the grid that files know is their ids. */
static int make_particles(pel_sim *s, pel_error *e) {
  if (pel__dynamics_create(s, e) || pel__measures_create(s, e) || pel__analysis_create(s, e))
    return e->code;
  return pel__state_create(s, e);
}

static int make_layout(pel_sim *s, pel_error *e) {
  int w = pel__plan_halo(s, s->program), nb[3], halo[3];
  const int other[] = {pel__plan_halo(s, s->init), pel__measures_halo(s), pel__outputs_halo(s)};
  for (int i = 0; i < 3; ++i) w = other[i] > w ? other[i] : w;
#ifdef PELSIM_CHECKS
  ++w; /* a rim that nobody fills: who reads further than declared meets NaN, not foreign memory */
#endif
  for (int a = 0; a < 3; ++a) halo[a] = a < s->grid.dims ? w : 0;
  const int each = pel__blocks_asked(s, nb);
  s->layout = pel__layout_create(&s->grid, s->rank, s->nranks, nb, each, halo, e);
  return pel__agree_error(s->comm, e);
}

void pel__sim_bind(pel_sim *s) {
  pel__plan_bind(s, s->program);
  pel__measures_bind(s);
  pel__outputs_bind(s);
}

static void choose_threads(pel_sim *s, const pel_request *r) {
  pel__machine_look(s->comm, &s->machine);
  s->threads = r->threads > 0                ? r->threads
               : s->set.parallel.threads > 0 ? (int)s->set.parallel.threads
                                             : pel__machine_threads(&s->machine);
  omp_set_num_threads(s->threads);
}

/* outline: without the memory of the fields of a grid. */
static int prepare(pel_sim *s, const pel_request *r, bool outline, pel_error *e) {
  if (read_config(s, r, e)) return e->code;
  s->model = find_model(s, r);
  if (!s->model) { /* the layer's own sections can be checked all the same */
    pel__binding b[PEL__NSETTINGS];
    pel__settings_bindings(&s->set, b);
    pel__config_bind(s->config, b, PEL__NSETTINGS);
    pel__settings_check(s->config, &s->set);
    return report_errors(s);
  }
  s->state = pel_alloc(s, (s->model->state_size + 63) / 64 * 64);
  bind(s);
  if (report_errors(s)) return PEL_USAGE;
  if (s->model->setup) s->model->setup(s, s->state);
  const int code_of_setup = report_errors(s);
  if (code_of_setup) return code_of_setup;
  make_grid(s);
  choose_scheme(s);
  if (report_errors(s)) return PEL_USAGE;
  if (s->model->load) s->model->load(s, s->state);
  const int code_of_load = report_errors(s);
  if (code_of_load) return code_of_load;
  s->config_json = pel__sim_keep(s, pel__config_json(s->config), free);
  choose_threads(s, r);
  if (s->model->particles) return make_particles(s, e);
  list_vars(s);
  int code = make_plans(s, e);
  if (code || (code = make_layout(s, e)) || outline) return code;
  if ((code = pel__state_create(s, e))) return code;
  pel__plan_bind(s, s->init);
  pel__sim_bind(s);
  return PEL_OK;
}

/* ranks: to be planned for; 0: those of comm, which are to work. */
static pel_sim *create(MPI_Comm comm, const pel_host *host, const pel_request *r, int ranks,
                       int *code) {
  pel_error e = {0};
  pel_sim *s = pel_calloc(1, sizeof *s);
  MPI_Comm_dup(comm, &s->comm);
  MPI_Comm_rank(s->comm, &s->rank);
  MPI_Comm_size(s->comm, &s->nranks);
  if (ranks) s->nranks = ranks;
  s->host = host;
  s->config_path = r->config;
  s->resuming = r->resume != NULL;
  *code = prepare(s, r, ranks > 0, &e);
  pel__agree_error(s->comm, &e);
  const bool named = strncmp(e.text, r->config, strlen(r->config)) == 0;
  if (e.code && s->rank == 0)
    fprintf(stderr, "pelsim: %s%s%s\n", named ? "" : r->config, named ? "" : ": ", e.text);
  if (e.code) *code = e.code;
  if (*code == PEL_OK) return s;
  pel__sim_destroy(s);
  return NULL;
}

pel_sim *pel__sim_create(MPI_Comm comm, const pel_host *host, const pel_request *r, int *code) {
  return create(comm, host, r, 0, code);
}

pel_sim *pel__sim_outline(const pel_host *host, const pel_request *r, int ranks, int *code) {
  return create(MPI_COMM_SELF, host, r, ranks, code);
}

void pel__sim_destroy(pel_sim *s) {
  pel__plan_destroy(s->program);
  pel__plan_destroy(s->init);
  pel__measures_destroy(s->measures);
  pel__outputs_destroy(s->outputs);
  if (s->trajectory) pel__trajectory_release(s);
  if (s->layout && !s->dynamics) pel__layout_destroy(s->layout);
  pel__analysis_destroy(s->analysis);
  pel__dynamics_destroy(s->dynamics);
  if (s->config) pel__config_destroy(s->config);
  pel__balance_destroy(s->balance);
  pel__release(&s->local.allocations);
  pel__release(&s->allocations);
  if (s->plugin) dlclose(s->plugin);
  MPI_Comm_free(&s->comm);
  free(s);
}
