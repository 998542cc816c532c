/* Setup, start, step and diagnostics of particle models.  Velocity Verlet: Swope, Andersen, Berens
 * & Wilson 1982, doi:10.1063/1.442716. */
#include "md.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- lists of numbers ---- */

int pel__md_list(pel_sim *s, const char *section, const char *key, const char *text, double *to,
                 int n) {
  const char *at = text;
  char *end;
  for (int i = 0; i < n; ++i) {
    to[i] = strtod(at, &end);
    const bool number = end > at && isfinite(to[i]);
    end += strspn(end, " \t");
    if (number && !*end) return i + 1;
    if (!number || *end != ',') {
      pel_reject(s, section, key, "'%s' is not a list of numbers; give them as in '1, 0.5'", text);
      return 0;
    }
    at = end + 1;
  }
  pel_reject(s, section, key, "'%s' has more than %d numbers", text, n);
  return 0;
}

bool pel__md_within(pel__md_bound bound, double x) {
  return bound == PEL__MD_ANY || x > 0 || (bound == PEL__MD_NOT_NEGATIVE && x == 0);
}

bool pel__md_knows_types(const pel__md *md) { return !*md->file || md->from; }

void pel__md_by_type(pel_sim *s, const pel__md *md, const char *section, const char *key,
                     const char *text, pel__md_bound bound, double *to) {
  const int ntypes = md->crystal.ntypes, n = pel__md_list(s, section, key, text, to, PEL_TYPES);
  for (int t = 1; t < ntypes && n == 1; ++t) to[t] = to[0];
  if (n > 1 && n != ntypes && pel__md_knows_types(md))
    pel_reject(
        s, section, key,
        "'%s' has %d numbers, but there %s %d type%s ([start] composition or file); give one a "
        "type, or one for all",
        text, n, ntypes > 1 ? "are" : "is", ntypes, ntypes > 1 ? "s" : "");
  for (int t = 0; t < ntypes && (n == 1 || n == ntypes); ++t)
    if (!pel__md_within(bound, to[t])) {
      pel_reject(s, section, key, "%g is %s", to[t],
                 bound == PEL__MD_POSITIVE ? "not positive" : "negative");
      return;
    }
}

/* ---- setup ---- */

static void set_types(pel_sim *s, pel__md *md) {
  pel__md_crystal *c = &md->crystal;
  double parts[PEL_TYPES], all = 0, least = 0;
  c->ntypes = pel__md_list(s, "start", "composition", md->composition, parts, PEL_TYPES);
  for (int t = 0; t < c->ntypes; ++t) all += parts[t], least = fmin(least, parts[t]);
  if (least < 0)
    pel_reject(s, "start", "composition", "%g is negative", least);
  else if (c->ntypes > 0 && all == 0)
    pel_reject(s, "start", "composition", "there is nothing of any type");
  if (c->ntypes == 0 || least < 0 || all == 0) {
    c->ntypes = 1;
    c->count[0] = c->n;
    return;
  }
  pel__md_share(c, parts);
}

static void set_masses(pel_sim *s, pel__md *md) {
  bool known = md->from && md->m[0] == 0;
  for (int t = 0; t < md->crystal.ntypes && known; ++t)
    known = md->from->mass[t] > 0 || md->from->count[t] == 0;
  for (int t = 0; t < md->crystal.ntypes && known; ++t)
    md->m[t] = md->from->mass[t] > 0 ? md->from->mass[t] : 1;
  if (md->m[0] == 0 || pel_given(s, "start", "mass")) {
    if (md->units != PEL__MD_LJ && !pel_given(s, "start", "mass"))
      pel_reject(s, "start", "mass", "with units = %s masses must be given, in g/mol",
                 md->unit->name);
    pel__md_by_type(s, md, "start", "mass", md->mass, PEL__MD_POSITIVE, md->m);
  }
  for (int t = 0; t < md->crystal.ntypes; ++t) md->m[t] *= md->unit->mass;
}

static void set_spacing(pel_sim *s, pel__md *md) {
  pel__md_crystal *c = &md->crystal;
  double density = md->density;
  if (md->density > 0 && md->spacing > 0)
    pel_reject(s, "start", "density", "spacing is given too; leave one of the two out");
  if (md->density == 0 && md->spacing == 0) {
    if (md->units != PEL__MD_LJ)
      pel_reject(s, "start", "spacing", "with units = %s spacing (or density) must be given",
                 md->unit->name);
    density = 0.8442;
  }
  c->spacing = md->spacing > 0 ? md->spacing : pel__md_spacing(c->lattice, density);
}

static const char *const walled[] = {"", "x", "y", "z", "xy", "xz", "yz", "xyz"};

bool pel__md_has_wall(const pel__md *md, int a) {
  return strchr(walled[md->walls], "xyz"[a]) != NULL;
}

/* The box is so much longer than the crystal; sites are shifted to its middle. */
static void make_room(pel_sim *s, pel__md *md) {
  pel__md_crystal *c = &md->crystal;
  double room[3];
  const int n = pel__md_list(s, "start", "room", md->room, room, 3);
  if (n == 0) return;
  if (n == 2 && c->lattice->dims == 3)
    pel_reject(s, "start", "room", "'%s' has 2 numbers; give one a dimension, or one for all",
               md->room);
  for (int a = 0; a < 3; ++a) {
    const double times = room[n == 1 ? 0 : a < n ? a : 0];
    if (!(times >= 1 && times <= 1e3)) {
      pel_reject(s, "start", "room", "%g is out of range; allowed: 1 to 1000", times);
      return;
    }
    md->length[a] = times * pel__md_length(c, a);
    if (times > 1) c->shift[a] += (times - 1) * (double)c->cells[a] / 2;
  }
}

static void set_crystal(pel_sim *s, pel__md *md) {
  pel__md_crystal *c = &md->crystal;
  c->lattice = &pel__md_lattice_of[md->lattice];
  const int64_t cells[3] = {md->nx, md->ny, c->lattice->dims == 3 ? md->nz : 1};
  memcpy(c->cells, cells, sizeof cells);
  c->n = c->lattice->nsites * cells[0] * cells[1] * cells[2];
  c->seed = md->seed;
  if (c->lattice->dims == 2 && md->nz > 1 && pel_given(s, "start", "nz"))
    pel_reject(s, "start", "nz", "lattice %s is two-dimensional; leave nz out, or 1",
               c->lattice->name);
  for (int a = 0; a < 3; ++a) {
    double last = 0;
    for (int k = 0; k < c->lattice->nsites; ++k) last = fmax(last, c->lattice->site[k][a]);
    c->shift[a] = pel__md_has_wall(md, a) ? (1 - last) / 2 : 0; /* as far from either wall */
  }
  if (c->lattice->dims == 2 && pel__md_has_wall(md, 2))
    pel_reject(s, "start", "walls", "lattice %s has no axis z", c->lattice->name);
  set_spacing(s, md);
  make_room(s, md);
  set_types(s, md);
}

void pel__md_setup(pel_sim *s, pel__md *md) {
  md->unit = &pel__md_units_of[md->units];
  if (!*md->file && md->dimensions != PEL__MD_AUTO)
    pel_reject(s, "start", "dimensions", "lattice says it already; leave it out");
  if (!*md->file)
    set_crystal(s, md);
  else if (!pel__md_read(s, md))
    return;
  set_masses(s, md);
  pel__md_ensemble_setup(s, md);
}

void pel__md_tail(pel__md *md, int ti, int tj, double energy, double virial) {
  const double pairs = (double)md->crystal.count[ti] * (double)md->crystal.count[tj];
  md->tail_energy += pairs * energy;
  md->tail_virial += pairs * virial;
}

/* ---- the start ---- */

void pel__md_box(pel_particle_box *b, const void *state) {
  const pel__md *md = state;
  b->dims = md->crystal.lattice->dims;
  b->n = md->crystal.n;
  b->ntypes = md->crystal.ntypes;
  memcpy(b->mass, md->m, sizeof b->mass);
  if (md->from) memcpy(b->species, md->from->species, sizeof b->species);
  for (int a = 0; a < b->dims; ++a) {
    b->length[a] = md->length[a];
    b->ends[a] = pel__md_has_wall(md, a) ? PEL_WALL_END : PEL_PERIODIC_END;
  }
}

double pel__md_neighbours(const pel__md *md) {
  const int dims = md->crystal.lattice->dims;
  double volume = 1;
  for (int a = 0; a < dims; ++a) volume *= md->length[a];
  return pow(volume / (double)md->crystal.n, 1. / dims);
}

/* Those of the file, unless a temperature is given. */
static bool keeps_velocities(const pel__md *md) {
  return md->from && md->from->has_velocities && !md->draws;
}

void pel__md_seed(const void *state, int64_t id, pel_seed *s) {
  const pel__md *md = state;
  double z[4];
  if (md->from) {
    const pel_particle_file *f = md->from;
    const int64_t i = id - 1 - f->first;
    for (int a = 0; a < 3; ++a)
      s->x[a] = f->x[a][i], s->v[a] = f->v[a][i], s->image[a] = f->image[a][i];
    s->type = f->type[i];
    if (keeps_velocities(md)) return;
  } else {
    pel__md_site(&md->crystal, id, s->x);
    s->type = pel__md_type(&md->crystal, id);
  }
  pel_random_normal(md->seed, id, 0, 0, z);
  for (int a = 0; a < 3; ++a) s->v[a] = md->crystal.ntypes > 1 ? z[a] / sqrt(md->m[s->type]) : z[a];
}

double pel__md_temperature(const void *state) {
  const pel__md *md = state;
  return keeps_velocities(md) ? NAN : md->temperature * md->unit->k;
}
double pel__md_time_step(const void *state) { return ((const pel__md *)state)->unit->dt; }
double pel__md_skin(const void *state) { return ((const pel__md *)state)->skin; }
double pel__md_time_unit(const void *state) { return ((const pel__md *)state)->unit->second; }

const pel_particle_units *pel__md_file_units(const void *state) {
  static const pel_particle_units units[PEL__MD_NUNITS] = {
      [PEL__MD_METAL] = {.length = "angstrom",
                         .time = "ps",
                         .velocity = "angstrom/ps",
                         .force = "eV/angstrom",
                         .mass = "g/mol",
                         .mass_scale = PEL__MD_METAL_MASS},
      [PEL__MD_REAL] = {.length = "angstrom",
                        .time = "fs",
                        .velocity = "angstrom/fs",
                        .force = "kcal/mol/angstrom",
                        .mass = "g/mol",
                        .mass_scale = PEL__MD_REAL_MASS}};
  const pel__md *md = state;
  return md->units == PEL__MD_LJ ? NULL : &units[md->units];
}

bool pel__md_flexible(const void *state) {
  return ((const pel__md *)state)->ensemble.barostat != PEL__MD_RIGID;
}

/* ---- a step ---- */

const pel_particle_stage pel__md_program[] = {
    {"nose_hoover", PEL_ROUTINE, .routine = pel__md_nose_hoover, .when = pel__md_is_nose_hoover},
    {"kick", PEL_KICK, .part = .5},
    {"drift", PEL_DRIFT, .part = 1, .when = pel__md_is_not_langevin},
    {"drift", PEL_DRIFT, .part = .5, .when = pel__md_is_langevin},
    {"heat", PEL_ROUTINE, .routine = pel__md_heat_before, .when = pel__md_is_langevin},
    {"langevin", PEL_PARTICLES, .kernel = pel__md_langevin, .when = pel__md_is_langevin},
    {"heat", PEL_ROUTINE, .routine = pel__md_heat_after, .when = pel__md_is_langevin},
    {"drift", PEL_DRIFT, .part = .5, .when = pel__md_is_langevin},
    {"measure", PEL_MEASURE, .when = pel__md_box_is_due},
    {"forces", .kind = PEL_FORCES},
    {"kick", PEL_KICK, .part = .5},
    {"nose_hoover", PEL_ROUTINE, .routine = pel__md_nose_hoover, .when = pel__md_is_nose_hoover},
    {"bussi", PEL_ROUTINE, .routine = pel__md_bussi, .when = pel__md_is_bussi},
    {"berendsen", PEL_ROUTINE, .routine = pel__md_berendsen, .when = pel__md_is_berendsen},
    {"momentum", PEL_ROUTINE, .routine = pel__md_momentum, .when = pel__md_momentum_is_due},
    {"barostat", PEL_ROUTINE, .routine = pel__md_change_box, .when = pel__md_box_is_due}};
_Static_assert(PEL_N(pel__md_program) == PEL__MD_NPROGRAM, "as md.h says");

static bool is_free(const void *state) {
  const pel__md_ensemble *e = &((const pel__md *)state)->ensemble;
  return e->thermostat == PEL__MD_FREE && e->barostat == PEL__MD_RIGID && e->remove_momentum == 0;
}
static bool is_not_free(const void *state) { return !is_free(state); }
/* Whether `conserved` is, but for the error of steps that the same steps undo; noise and scaling
 * let that error add up, slowly but without bound. */
static bool is_kept(const void *state) {
  const pel__md_ensemble *e = &((const pel__md *)state)->ensemble;
  return (e->thermostat == PEL__MD_FREE || e->thermostat == PEL__MD_NOSE_HOOVER) &&
         e->barostat == PEL__MD_RIGID && e->ramp_steps == 0;
}
static bool has_chain(const void *state) { return pel__md_is_nose_hoover(state, 0); }

const pel_number pel__md_numbers[] = {
    PEL_NUMBER(pel__md, ensemble.heat, .doc = "energy that thermostat and barostat have added",
               .when = is_not_free),
    PEL_NUMBER(pel__md, ensemble.kt_now, .doc = "k*temperature of the chain", .when = has_chain),
    PEL_NUMBER(pel__md, ensemble.position[0], .doc = "of the chain", .when = has_chain),
    PEL_NUMBER(pel__md, ensemble.position[1], .doc = "of the chain", .when = has_chain),
    PEL_NUMBER(pel__md, ensemble.position[2], .doc = "of the chain", .when = has_chain),
    PEL_NUMBER(pel__md, ensemble.velocity[0], .doc = "of the chain", .when = has_chain),
    PEL_NUMBER(pel__md, ensemble.velocity[1], .doc = "of the chain", .when = has_chain),
    PEL_NUMBER(pel__md, ensemble.velocity[2], .doc = "of the chain", .when = has_chain)};
_Static_assert(PEL_N(pel__md_numbers) == PEL__MD_NNUMBERS, "as md.h says");

/* ---- what is measured ---- */

static double measured_temperature(const pel_totals *t, const void *state) {
  const pel__md *md = state;
  const double degrees = pel__md_degrees(t, state);
  return degrees > 0 ? 2 * t->kinetic / (degrees * md->unit->k) : 0;
}
static double potential(const pel_totals *t, const void *state) {
  const pel__md *md = state;
  return (t->potential + md->tail_energy / t->volume) / (double)t->n;
}
static double energy(const pel_totals *t, const void *state) {
  const pel__md *md = state;
  return ((t->potential + md->tail_energy / t->volume) + t->kinetic) / (double)t->n;
}
static double conserved(const pel_totals *t, const void *state) {
  const pel__md *md = state;
  const double chain = has_chain(state) ? pel__md_chain_energy(t, state) : 0;
  return energy(t, state) + (chain - md->ensemble.heat) / (double)t->n;
}
double pel__md_pressure(const pel_totals *t, const pel__md *md) {
  const double virial = (t->virial[0] + t->virial[1] + t->virial[2]) + md->tail_virial / t->volume;
  return (2 * t->kinetic + virial) / (t->dims * t->volume);
}
static double pressure(const pel_totals *t, const void *state) {
  const pel__md *md = state;
  return pel__md_pressure(t, md) * md->unit->pressure;
}
static double density(const pel_totals *t, const void *state) {
  (void)state;
  return (double)t->n / t->volume;
}

static const char *unit_of(const void *state, const char *const name[PEL__MD_NUNITS]) {
  return name[((const pel__md *)state)->units];
}
static const char *kelvin(const void *state) {
  return unit_of(state, (const char *const[]){"1", "K", "K"});
}
static const char *energies(const void *state) {
  return unit_of(state, (const char *const[]){"1", "eV", "kcal mol-1"});
}
static const char *pressures(const void *state) {
  return unit_of(state, (const char *const[]){"1", "bar", "atm"});
}
static const char *densities(const void *state) {
  return unit_of(state, (const char *const[]){"1", "Angstrom-3", "Angstrom-3"});
}

const pel_diagnostic pel__md_diagnostics[] = {
    {.name = "temperature", .total = measured_temperature, .units = kelvin, .doc = "temperature"},
    {.name = "potential_energy",
     .total = potential,
     .units = energies,
     .doc = "potential energy a particle"},
    {.name = "total_energy",
     .total = energy,
     .units = energies,
     .doc = "total energy a particle",
     .conserved = true,
     .tolerance = 5e-3,
     .scale = 5, /* as large as in a liquid: kinetic and potential energy may cancel */
     .watched = is_free},
    {.name = "pressure",
     .total = pressure,
     .units = pressures,
     .doc = "pressure of motion and pairs, and of what lies beyond the cut-off if that is asked "
            "for"},
    {.name = "conserved",
     .total = conserved,
     .units = energies,
     .doc = "total energy a particle without what thermostat and barostat have added, or with that "
            "of the chain",
     .conserved = true,
     .tolerance = 5e-3,
     .scale = 5,
     .when = is_not_free,
     .watched = is_kept},
    {.name = "density",
     .total = density,
     .units = densities,
     .doc = "particles a volume",
     .when = pel__md_flexible}};
_Static_assert(PEL_N(pel__md_diagnostics) == PEL__MD_NDIAGNOSTICS, "as md.h says");
