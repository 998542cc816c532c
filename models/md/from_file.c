/* [start] file: particles of another program, or of an earlier run. */
#include <string.h>

#include "md.h"

/* What a lattice needs and a file has. */
static void reject_lattice(pel_sim *s) {
  static const char *const keys[] = {"lattice", "nx",      "ny",          "nz",
                                     "density", "spacing", "composition", "room"};
  for (int i = 0; i < PEL_N(keys); ++i)
    if (pel_given(s, "start", keys[i]))
      pel_reject(s, "start", keys[i],
                 "file is given too, which says where particles are; leave "
                 "one of the two out");
}

/* A file may name its units; they must be those of the run. */
static void check_units(pel_sim *s, const pel__md *md) {
  const pel_particle_file *f = md->from;
  static const struct {
    const char *length[4], *time[3];
  } meant[PEL__MD_NUNITS] = {
      [PEL__MD_METAL] = {{"Angstrom", "angstrom", "A", "\u00c5"}, {"ps", "picosecond"}},
      [PEL__MD_REAL] = {{"Angstrom", "angstrom", "A", "\u00c5"}, {"fs", "femtosecond"}}};
  bool length = !*f->length_unit, time = !*f->time_unit || !f->has_velocities;
  for (int i = 0; i < 4 && meant[md->units].length[i]; ++i)
    length = length || !strcmp(f->length_unit, meant[md->units].length[i]);
  for (int i = 0; i < 3 && meant[md->units].time[i]; ++i)
    time = time || !strcmp(f->time_unit, meant[md->units].time[i]);
  if (!length || !time)
    pel_reject(s, "start", "units", "%s does not go with [start] file, whose %s unit is '%s'",
               md->unit->name, length ? "time" : "length", length ? f->time_unit : f->length_unit);
}

/* Two where the file has all z the same and the run says so. */
static int dimensions(pel_sim *s, const pel__md *md) {
  const bool flat = md->from->flat;
  if (flat && md->dimensions == PEL__MD_AUTO)
    pel_reject(s, "start", "dimensions",
               "all particles of file have the same z; say 2, or 3 if that is meant");
  if (!flat && md->dimensions == PEL__MD_TWO && md->from->n > 1)
    pel_reject(s, "start", "dimensions", "2, but the particles of file have different z");
  return md->dimensions == PEL__MD_TWO ? 2 : 3;
}

bool pel__md_read(pel_sim *s, pel__md *md) {
  static const char *const format[] = {"auto", "lammps", "xyz", "nist", "h5md"};
  pel__md_crystal *c = &md->crystal;
  const bool wall[3] = {pel__md_has_wall(md, 0), pel__md_has_wall(md, 1), pel__md_has_wall(md, 2)};
  reject_lattice(s);
  /* What is asked for below must be sound even then. */
  c->lattice = &pel__md_lattice_of[0];
  c->ntypes = 1;
  c->n = c->count[0] = 1;
  const pel_particle_file *f = md->from =
      pel_particles_read(s, "start", "file", md->file, format[md->format], md->frame, wall);
  md->draws = pel_given(s, "start", "temperature");
  if (!f) return false;
  c->n = f->n;
  c->ntypes = f->ntypes;
  memcpy(c->count, f->count, sizeof c->count);
  memcpy(md->length, f->length, sizeof md->length);
  c->lattice = pel__md_lattice_in(dimensions(s, md));
  if (c->lattice->dims == 2 && wall[2])
    pel_reject(s, "start", "walls", "there is no axis z in two dimensions");
  for (int a = 0; a < c->lattice->dims; ++a)
    if (!f->periodic[a] && !wall[a])
      pel_reject(s, "start", "walls", "the box of [start] file is not periodic along %c: add it",
                 "xyz"[a]);
  check_units(s, md);
  return true;
}
