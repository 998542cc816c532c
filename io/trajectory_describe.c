/* An empty H5MD file.
 *
 * Datasets that grow are made first, without names, so that their headers lie side by side (see
 * fields_describe.c), and linked into their groups later. */
#include <stdlib.h>
#include <string.h>
#include "h5.h"
#include "trajectory.h"

#ifndef PELSIM_VERSION
#define PELSIM_VERSION "unknown"
#endif

typedef struct {
  const pel_snapshot *s;
  const pel__growing *g;
  const pel__element *x;
  int nx;
  hid_t file, *set;
  bool ok;
} desk;

static hid_t create(desk *d, const pel__growing *g) {
  hsize_t n[4] = {0}, max[4] = {H5S_UNLIMITED}, chunk[4] = {g->records};
  for (int i = 0; i < g->rank; ++i) n[1 + i] = max[1 + i] = g->n[i], chunk[1 + i] = g->chunk[i];
  const hid_t p = H5Pcreate(H5P_DATASET_CREATE), s = H5Screate_simple(1 + g->rank, n, max);
  H5Pset_chunk(p, 1 + g->rank, chunk);
  if (g->npieces) {
    H5Pset_fill_time(p, H5D_FILL_TIME_NEVER);
    H5Pset_alloc_time(p, H5D_ALLOC_TIME_EARLY);
  }
  const hid_t x = pel__h5_create_within(d->file, g->type, s, p, PEL__PAGE);
  H5Sclose(s);
  H5Pclose(p);
  if (x < 0) d->ok = false;
  return x;
}

static void put_link(desk *d, hid_t x, hid_t group, const char *name) {
  if (d->ok) d->ok = H5Olink(x, group, name, H5P_DEFAULT, H5P_DEFAULT) >= 0;
}

static void done(hid_t group) {
  if (group >= 0) H5Gclose(group);
}

/* ---- /h5md ---- */

void pel__h5md_describe(hid_t file, bool units, bool *ok) {
  static const int version[] = {1, 1}, module_version[] = {1, 0};
  const hid_t h5md = pel__h5_group(file, "h5md", ok);
  pel__h5_put_list(h5md, "version", H5T_NATIVE_INT, 2, version, ok);
  const hid_t author = pel__h5_group(h5md, "author", ok);
  pel__h5_put_text(author, "name", "N/A", ok);
  const hid_t creator = pel__h5_group(h5md, "creator", ok);
  pel__h5_put_text(creator, "name", "pelsim", ok);
  pel__h5_put_text(creator, "version", PELSIM_VERSION, ok);
  if (units) {
    const hid_t modules = pel__h5_group(h5md, "modules", ok),
                module = pel__h5_group(modules, "units", ok);
    pel__h5_put_list(module, "version", H5T_NATIVE_INT, 2, module_version, ok);
    pel__h5_put_text(module, "system", "SI", ok);
    done(module), done(modules);
  }
  done(creator), done(author), done(h5md);
}

/* ---- /particles ---- */

/* Of variable length, contrary to the specification of the module: MDAnalysis takes no other. */
static void put_unit(desk *d, hid_t x, const char *unit) {
  double scale;
  unit = pel__h5md_unit(unit, &scale);
  if (unit) pel__h5_put_word(x, "unit", unit, &d->ok);
}

static void describe_element(desk *d, hid_t group, const char *name, hid_t value) {
  const hid_t x = pel__h5_group(group, name, &d->ok);
  put_link(d, value, x, "value");
  put_link(d, d->set[PEL__STEP], x, "step");
  put_link(d, d->set[PEL__TIME], x, "time");
  done(x);
}

static void describe_box(desk *d, hid_t group) {
  const pel_particle_frame *p = d->s->particles;
  char boundary[3][9] = {{0}};
  for (int a = 0; a < 3; ++a)
    snprintf(boundary[a], sizeof *boundary, "%s", p->periodic[a] ? "periodic" : "none");
  const hid_t box = pel__h5_group(group, "box", &d->ok), t = H5Tcopy(H5T_C_S1);
  pel__h5_put_id(box, "dimension", 3, &d->ok);
  if (H5Tset_size(t, sizeof *boundary) < 0) d->ok = false;
  pel__h5_put_list(box, "boundary", t, 3, boundary, &d->ok);
  H5Tclose(t);
  describe_element(d, box, "edges", d->set[PEL__EDGES]);
  put_unit(d, d->set[PEL__EDGES], p->length_unit);
  done(box);
}

static hid_t species_type(desk *d) {
  const pel_particle_frame *p = d->s->particles;
  const hid_t t = H5Tenum_create(H5T_STD_I32LE);
  for (int i = 0; i < p->ntypes && d->ok; ++i) {
    char number[16];
    int32_t value = i + 1;
    snprintf(number, sizeof number, "%d", i + 1);
    const char *name = p->species && *p->species[i] ? p->species[i] : number;
    H5Tconvert(H5T_NATIVE_INT32, H5T_STD_I32LE, 1, &value, NULL, H5P_DEFAULT);
    d->ok = H5Tenum_insert(t, name, &value) >= 0 || H5Tenum_insert(t, number, &value) >= 0;
  }
  return t;
}

static void describe_still(desk *d, hid_t group, int64_t *still) {
  const hsize_t n = (hsize_t)d->s->grid->axis[0].n;
  const hid_t species = species_type(d);
  const hid_t set[PEL__STILL] = {
      [PEL__ID] = pel__h5_reserve(group, "id", H5T_STD_I64LE, 1, &n, &d->ok),
      [PEL__SPECIES] = pel__h5_reserve(group, "species", species, 1, &n, &d->ok),
      [PEL__MASS] = pel__h5_reserve(group, "mass", H5T_IEEE_F64LE, 1, &n, &d->ok)};
  put_unit(d, set[PEL__MASS], d->s->particles->mass_unit);
  for (int i = 0; i < PEL__STILL; ++i) {
    if (d->ok) still[i] = (int64_t)H5Dget_offset(set[i]);
    if (set[i] >= 0) H5Dclose(set[i]);
  }
  H5Tclose(species);
}

static void describe_particles(desk *d, int64_t *still) {
  const hid_t particles = pel__h5_group(d->file, "particles", &d->ok),
              group = pel__h5_group(particles, "trajectory", &d->ok);
  for (int i = 0; i < d->nx; ++i) {
    const hid_t value = d->set[PEL__TRAJECTORY_COLUMNS + i];
    describe_element(d, group, d->x[i].name, value);
    if (d->x[i].unit) pel__h5_put_word(value, "unit", d->x[i].unit, &d->ok);
  }
  put_unit(d, d->set[PEL__TIME], d->s->particles->time_unit);
  describe_box(d, group);
  describe_still(d, group, still);
  done(group), done(particles);
}

/* ---- /parameters ---- */

static void describe_parameters(desk *d) {
  const pel_snapshot *s = d->s;
  const hid_t parameters = pel__h5_group(d->file, "parameters", &d->ok),
              own = pel__h5_group(parameters, "pelsim", &d->ok);
  pel__h5_put_text(own, "model", s->model, &d->ok);
  pel__h5_put_text(own, "title", s->title ? s->title : "", &d->ok);
  pel__h5_put_document(own, "config", s->config ? s->config : "", &d->ok);
  put_link(d, d->set[PEL__HASH], own, "fingerprint");
  done(own), done(parameters);
}

static void describe(desk *d, int n, int64_t *still) {
  for (int i = 0; i < n && d->ok; ++i) d->set[i] = create(d, &d->g[i]);
  pel__h5md_describe(d->file, d->s->particles->length_unit != NULL, &d->ok);
  describe_particles(d, still);
  describe_parameters(d);
  for (int i = 0; i < n; ++i)
    if (d->set[i] >= 0) H5Dclose(d->set[i]);
  if (H5Fclose(d->file) < 0) d->ok = false;
}

/* Elements of one name would be HDF5's anonymous failure. */
static int reject_clashes(const desk *d, const char *path, pel_error *e) {
  static const char *const taken[] = {"box", "id", "species", "mass"};
  for (int i = 0; i < d->nx; ++i) {
    bool clash = false;
    for (int k = 0; k < PEL_N(taken); ++k) clash = clash || !strcmp(d->x[i].name, taken[k]);
    for (int k = 0; k < i; ++k) clash = clash || !strcmp(d->x[i].name, d->x[k].name);
    if (clash)
      return pel_error_set(e, PEL_INTERNAL, "%s cannot hold an attribute named %s: it is taken",
                           path, d->x[i].name);
  }
  return PEL_OK;
}

int pel__trajectory_describe(pel__overlay *o, const pel_snapshot *s, bool single,
                             const pel__growing *g, const char *path, int64_t *still,
                             pel_error *e) {
  pel__element *x = calloc((size_t)s->narrays + 1, sizeof *x);
  hid_t *set = malloc((size_t)(PEL__TRAJECTORY_COLUMNS + s->narrays) * sizeof *set);
  desk d = {.s = s, .g = g, .x = x, .file = -1, .set = set, .ok = x && set};
  if (d.ok) {
    d.nx = pel__elements_of(s, single, x);
    for (int i = 0; i < PEL__TRAJECTORY_COLUMNS + d.nx; ++i) set[i] = -1;
    if (!reject_clashes(&d, path, e)) {
      d.file = pel__overlay_h5create(o, H5P_DEFAULT, H5F_LIBVER_V18, H5F_LIBVER_V18);
      d.ok = d.file >= 0;
      if (d.ok) describe(&d, PEL__TRAJECTORY_COLUMNS + d.nx, still);
    }
  }
  free(x);
  free(set);
  if (e->code || d.ok) return e->code;
  return pel_error_set(e, PEL_INTERNAL, "HDF5 could not describe %s (out of memory?)", path);
}
