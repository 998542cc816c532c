/* Metals and alloys by the embedded-atom method; see md.h for what they share with others. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "eam.h"
#include "md.h"

typedef struct {
  pel__md md;
  int format;                                           /* parameter, a pel__eam_format */
  char potential[PEL_TEXT_MAX], elements[PEL_TEXT_MAX]; /* parameters */
  double *rho, *slope;                                  /* attributes: density, F'(density) */
  pel__eam eam;
} metal;

static const pel_param params[] = {
    PEL__MD_PARAMS,
    PEL_OPTION(metal, potential, NULL, NULL,
               "file of the potential: setfl (eam/alloy), fs (eam/fs), or funcfl, of these several "
               "separated by blanks, one an element"),
    PEL_OPTION(metal, format, "auto", "auto|funcfl|setfl|fs",
               "of the file; auto: told from its head and name"),
    PEL_OPTION(metal, elements, "auto", NULL,
               "element of each type, as in 'Ni Al'; auto: those of the file, in its order",
               .word = "auto"),
    PEL__MD_COMMON};

/* ---- setup ---- */

static int read_files(pel_sim *s, const metal *c, pel__eam_file *f) {
  char names[PEL_TEXT_MAX], error[700];
  int n = 0;
  snprintf(names, sizeof names, "%s", c->potential);
  for (char *at = names, *name; (name = strtok(at, " \t")); at = NULL) {
    size_t size;
    const char *text = pel_text_read(s, NULL, "potential", name, &size);
    if (!text) return -n - 1;
    if (n == PEL__EAM_ELEMENTS) return pel_reject(s, NULL, "potential", "too many files"), -n - 1;
    if (!pel__eam_file_parse(&f[n], (pel__eam_format)c->format, name, text, size, error,
                             sizeof error)) {
      pel_unreadable(s, NULL, "potential", "%s", error);
      return -n - 1;
    }
    ++n;
    if (n > 1 && (f[0].format != PEL__EAM_FUNCFL || f[n - 1].format != PEL__EAM_FUNCFL)) {
      pel_reject(s, NULL, "potential", "only funcfl files can be combined; %s is another",
                 f[0].format != PEL__EAM_FUNCFL ? c->potential : name);
      return -n - 1;
    }
  }
  if (n == 0) pel_reject(s, NULL, "potential", "names no file");
  return n;
}

/* Elements of funcfl files count as those of one. */
static int find(const pel__eam_file *f, int nfiles, const char *name) {
  if (f[0].format != PEL__EAM_FUNCFL) return pel__eam_file_find(&f[0], name);
  for (int i = 0; i < nfiles; ++i)
    if (pel__eam_file_find(&f[i], name) == 0) return i;
  return -1;
}

/* which[type]; returns the number of types, or 0. */
static int choose(pel_sim *s, const metal *c, const pel__eam_file *f, int nfiles, int *which) {
  char text[PEL_TEXT_MAX], known[300];
  const bool funcfl = f[0].format == PEL__EAM_FUNCFL;
  const int elements = funcfl ? nfiles : f[0].n;
  int n = 0, used = 0;
  for (int i = 0; i < elements; ++i) which[i] = i;
  if (!*c->elements) return elements;
  for (int i = 0; i < elements && used < 200; ++i)
    used += snprintf(known + used, sizeof known - (size_t)used, " %s",
                     (funcfl ? &f[i].element[0] : &f[0].element[i])->name);
  snprintf(text, sizeof text, "%s", c->elements);
  for (char *name = strtok(text, " ,\t"); name; name = strtok(NULL, " ,\t"), ++n) {
    if (n == PEL_TYPES) return pel_reject(s, NULL, "elements", "more than %d types", n), 0;
    which[n] = find(f, nfiles, name);
    if (which[n] >= 0) continue;
    pel_reject(s, NULL, "elements", "'%s' is not in the potential; there are:%s", name, known);
    return 0;
  }
  return n;
}

static double mass_of(const pel__eam_file *f, int which) {
  return f[0].format == PEL__EAM_FUNCFL ? f[which].element[0].mass : f[0].element[which].mass;
}

/* Masses of a file tell of elements in another order. */
static void check_masses(pel_sim *s, const metal *c, const pel__eam_file *f, const int *which) {
  for (int t = 0; t < c->md.crystal.ntypes && !pel_given(s, "start", "mass"); ++t) {
    const double is = c->md.from->mass[t], want = mass_of(f, which[t]);
    if (is > 0 && fabs(is - want) > 0.01 * want)
      pel_reject(s, NULL, "elements",
                 "type %d has mass %g in [start] file, but its element in the potential %g; name "
                 "elements in the order of the types, or give [start] mass",
                 t + 1, is, want);
  }
}

/* Particles of a file that names them are of those elements, whatever the order. */
static void follow_names(pel_sim *s, metal *c, const pel__eam_file *f, int nfiles, int *which) {
  for (int t = 0; t < c->md.crystal.ntypes; ++t) {
    const char *name = c->md.from->species[t];
    which[t] = find(f, nfiles, name);
    if (which[t] < 0) {
      which[t] = 0;
      pel_reject(s, NULL, "elements",
                 "the particles of type %d are '%s' in [start] file, which is not in the "
                 "potential; name an element for each type",
                 t + 1, name);
    }
    if (!pel_given(s, "start", "mass")) c->md.m[t] = mass_of(f, which[t]) * c->md.unit->mass;
  }
}

static void *allocate(void *ctx, size_t bytes) { return pel_alloc(ctx, bytes); }

static void build(pel_sim *s, metal *c, const pel__eam_file *f, int nfiles) {
  int which[PEL_TYPES];
  char error[200];
  int n = choose(s, c, f, nfiles, which);
  for (int t = 0; t < n; ++t)
    c->md.m[t] =
        f[0].format == PEL__EAM_FUNCFL ? f[which[t]].element[0].mass : f[0].element[which[t]].mass;
  pel__md_setup(s, &c->md);
  const int ntypes = c->md.crystal.ntypes;
  if (c->md.from && *c->md.from->species[0] && !*c->elements) {
    follow_names(s, c, f, nfiles, which);
    n = ntypes;
  }
  if (c->md.from && !*c->md.from->species[0] && !*c->elements && n > 1)
    pel_reject(s, NULL, "elements",
               "[start] file numbers its types but does not name them, and the potential has %d "
               "elements; name one for each type, as in 'Ni Al'",
               n);
  if (n >= ntypes && c->md.from) check_masses(s, c, f, which);
  if (n > 0 && ntypes > n)
    pel_reject(s, NULL, "elements",
               "the start has %d types, but there are %d elements; name one for each type", ntypes,
               n);
  else if (n > 0 && !pel__eam_create(&c->eam, f, ntypes, which, allocate, s, error, sizeof error))
    pel_reject(s, NULL, "potential", "%s", error);
}

static void setup(pel_sim *s, void *state) {
  metal *c = state;
  pel__eam_file f[PEL__EAM_ELEMENTS];
  if (c->md.units != PEL__MD_METAL)
    pel_reject(s, "start", "units", "the potentials are in eV and Angstrom; say units = metal");
  const int n = read_files(s, c, f), read = n < 0 ? -n - 1 : n;
  if (n > 0)
    build(s, c, f, n);
  else
    c->md.m[0] = 1, pel__md_setup(s, &c->md);
  for (int i = 0; i < read; ++i) pel__eam_file_free(&f[i]);
}

/* ---- forces ---- */

static const pel_pair_kernels *density_kernels(const void *state) {
  return PEL__MD_PRECISE(&((const metal *)state)->md, pel__eam_density);
}
static const pel_pair_kernels *force_kernels(const void *state) {
  return PEL__MD_PRECISE(&((const metal *)state)->md, pel__eam_force);
}
static double density_coefficients(const void *state, int ti, int tj, double *c) {
  return pel__eam_density_coefficients(&((const metal *)state)->eam, ti, tj, c);
}
static double force_coefficients(const void *state, int ti, int tj, double *c) {
  return pel__eam_force_coefficients(&((const metal *)state)->eam, ti, tj, c);
}
static const double *density_data(const void *state, size_t *n) {
  const pel__eam *e = &((const metal *)state)->eam;
  *n = e->ndensity;
  return e->density;
}
static const double *force_data(const void *state, size_t *n) {
  const pel__eam *e = &((const metal *)state)->eam;
  *n = e->nforce;
  return e->force;
}

static void density_ranges(const void *state, double *largest_density, double *largest_energy) {
  const metal *c = state;
  *largest_density = c->eam.largest_density * pel__md_range(&c->md, 1, 0x1p-8);
  *largest_energy = 1; /* it has none */
}
static void force_ranges(const void *state, double *largest_force, double *largest_energy) {
  const metal *c = state;
  *largest_force = c->eam.largest_force * pel__md_range(&c->md, 1, 0x1p-8);
  *largest_energy = c->eam.largest_energy;
}

static void embed(const pel_span *s, const void *state) {
  const metal *c = state;
  for (int64_t i = s->first; i < s->last; ++i) {
    const double energy = pel__eam_embed(&c->eam, s->type[i], c->rho[i], &c->slope[i]);
    if (s->out) s->out[i] = energy;
  }
}

/* ---- the model ---- */

static const pel_attribute attributes[] = {
    PEL_ATTRIBUTE(metal, rho, .role = PEL_DERIVED, .unit = "1", .doc = "density of electrons"),
    PEL_ATTRIBUTE(metal, slope, .role = PEL_DERIVED, .unit = "1",
                  .doc = "slope of the embedding energy")};

static const pel_pair_stage densities = {.kernels = density_kernels,
                                         .coefficients = density_coefficients,
                                         .ranges = density_ranges,
                                         .data = density_data,
                                         .sums = offsetof(metal, rho)};
static const pel_pair_stage pairs = {.kernels = force_kernels,
                                     .coefficients = force_coefficients,
                                     .ranges = force_ranges,
                                     .data = force_data,
                                     .reads = {offsetof(metal, slope)}};
static const pel_particle_stage forces[] = {{"densities", PEL_PAIRS, .pairs = &densities},
                                            {"embedding", PEL_PARTICLES, .kernel = embed},
                                            {"forces", PEL_PAIRS, .pairs = &pairs}};
static const pel_particle_model particles = {PEL__MD_DYNAMICS, PEL_TABLE(attributes),
                                             PEL_TABLE(forces)};

const pel_model pel_model_eam = {
    PEL_MODEL("eam", metal, "Molecular dynamics of metals by the embedded-atom method",
              "Daw & Baskes (1984)"),
    PEL_TABLE(params), PEL__MD_DIAGNOSTICS, .particles = &particles, .setup = setup};
