/* Particles of a checkpoint, a trajectory or any file that can be read, as text for other programs.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "particle_file.h"
#include "pelsim_io.h"
#include "posix_io.h"
#include "shared_file.h"
#include "tools.h"

/* ---- checkpoints ---- */

static double scalar(const pel__checkpoint *c, const char *name, double otherwise) {
  for (int i = 0; i < c->s.nscalars; ++i)
    if (!strcmp(c->s.scalars[i].name, name)) return c->s.scalars[i].value;
  return otherwise;
}

/* Array `name` of a checkpoint, checked against its fingerprint; false: it has none, or *e. */
static bool read_array(const pel__checkpoint *c, const char *name, double *to, pel_error *e) {
  const pel__region *r = pel__checkpoint_region(c, name);
  const int64_t n = pel__cells(&c->grid);
  if (!r) return false;
  const int err = pel__region_read(c, r, 0, to, n);
  if (err)
    pel__io_error(e, "read field", name, err, 0);
  else if (pel_fingerprint_row(pel_fingerprint_key(name), 0, to, n) != r->fingerprint)
    pel_error_set(e, PEL_IO, "field %s is damaged: run 'pelsim verify' on the checkpoint", name);
  return !e->code;
}

static void read_integers(const pel__checkpoint *c, const char *name, int shift, int32_t *to,
                          double *buffer, pel_error *e) {
  const bool found = read_array(c, name, buffer, e);
  for (int64_t i = 0; i < pel__cells(&c->grid) && found; ++i) to[i] = (int32_t)buffer[i] + shift;
}

static void read_arrays(const pel__checkpoint *c, pel_particle_file *p, pel_error *e) {
  double *buffer = malloc((size_t)p->n * sizeof *buffer);
  if (!buffer) pel_error_set(e, PEL_INTERNAL, "out of memory");
  for (int a = 0; a < 3 && !e->code; ++a) {
    char name[3][20];
    static const char *const base[] = {"position", "velocity", "image"};
    for (int k = 0; k < 3; ++k) snprintf(name[k], sizeof name[k], "%s_%c", base[k], "xyz"[a]);
    read_array(c, name[0], p->x[a], e);
    if (!e->code) read_array(c, name[1], p->v[a], e);
    if (!e->code) read_integers(c, name[2], 0, p->image[a], buffer, e);
  }
  for (int64_t i = 0; i < p->n; ++i) p->type[i] = 0;
  if (!e->code) read_integers(c, "type", -1, p->type, buffer, e);
  free(buffer);
  p->ntypes = 1;
  for (int64_t i = 0; i < p->n && !e->code; ++i) {
    if (p->type[i] < 0 || p->type[i] >= PEL_TYPES)
      pel_error_set(e, PEL_IO, "particle %lld has type %d", (long long)i + 1, p->type[i] + 1);
    else if (p->type[i] >= p->ntypes)
      p->ntypes = p->type[i] + 1;
  }
}

static int read_checkpoint(const char *file, pel_particle_file *p, pel_error *e) {
  pel__checkpoint c;
  const pel__spot spot = {NULL, file};
  *p = (pel_particle_file){.ntypes = 1, .has_velocities = true, .has_images = true};
  if (pel__checkpoint_open(file, &c, e) != PEL__FILE_GOOD) return e->code;
  const int walls = (int)scalar(&c, "walls", 0);
  p->n = pel__cells(&c.grid);
  p->time = scalar(&c, "clock", c.s.time);
  for (int a = 0; a < 3; ++a) {
    p->length[a] = scalar(&c, (char[]){'b', 'o', 'x', '_', "xyz"[a], 0}, 0);
    p->periodic[a] = !(walls >> a & 1);
  }
  if (!pel__checkpoint_region(&c, "position_x"))
    pel_error_set(e, PEL_IO, "%s is a checkpoint of model %s, which has no particles", file,
                  c.model);
  else if (!pel__particles_begin(&spot, p, c.header.size, 24, e))
    read_arrays(&c, p, e);
  for (int t = 0; t < p->ntypes; ++t) {
    char name[20];
    snprintf(name, sizeof name, "mass_%d", t + 1);
    p->mass[t] = scalar(&c, name, 0);
  }
  pel__checkpoint_close(&c);
  if (e->code) pel__particles_free(p);
  return e->code;
}

/* ---- formats ---- */

static bool masses_known(const pel_particle_file *p) {
  for (int t = 0; t < p->ntypes; ++t)
    if (!(p->mass[t] > 0)) return false;
  return true;
}

static bool is_named(const pel_particle_file *p) {
  for (int t = 0; t < p->ntypes; ++t)
    if (*p->species[t]) return true;
  return false;
}

static void write_xyz(FILE *out, const pel_particle_file *p) {
  const bool masses = masses_known(p), named = is_named(p);
  fprintf(out, "%lld\nLattice=\"%.17g 0 0 0 %.17g 0 0 0 %.17g\" Properties=id:I:1:species:S:1",
          (long long)p->n, p->length[0], p->length[1], p->length[2]);
  fprintf(out, "%s:pos:R:3%s%s%s pbc=\"%c %c %c\" Time=%.17g\n", named ? ":type:I:1" : "",
          p->has_velocities ? ":velo:R:3" : "", p->has_images ? ":image:I:3" : "",
          masses ? ":mass:R:1" : "", "FT"[p->periodic[0]], "FT"[p->periodic[1]],
          "FT"[p->periodic[2]], p -> time);
  for (int64_t i = 0; i < p->n; ++i) {
    const int t = p->type[i];
    fprintf(out, "%lld ", (long long)i + 1);
    if (*p->species[t])
      fprintf(out, "%s", p->species[t]);
    else
      fprintf(out, "%d", t + 1);
    if (named) fprintf(out, " %d", t + 1);
    fprintf(out, " %.17g %.17g %.17g", p->x[0][i], p->x[1][i], p->x[2][i]);
    if (p->has_velocities) fprintf(out, " %.17g %.17g %.17g", p->v[0][i], p->v[1][i], p->v[2][i]);
    if (p->has_images) fprintf(out, " %d %d %d", p->image[0][i], p->image[1][i], p->image[2][i]);
    if (masses) fprintf(out, " %.17g", p->mass[t]);
    fputc('\n', out);
  }
}

static void write_lammps(FILE *out, const pel_particle_file *p) {
  fprintf(out, "LAMMPS data file written by pelsim, time %.17g\n\n%lld atoms\n%d atom types\n\n",
          p->time, (long long)p->n, p->ntypes);
  for (int a = 0; a < 3; ++a) fprintf(out, "0 %.17g %clo %chi\n", p->length[a], "xyz"[a], "xyz"[a]);
  if (masses_known(p)) {
    fprintf(out, "\nMasses\n\n");
    for (int t = 0; t < p->ntypes; ++t)
      fprintf(out, "%d %.17g%s%s\n", t + 1, p->mass[t], *p->species[t] ? " # " : "", p->species[t]);
  }
  fprintf(out, "\nAtoms # atomic\n\n");
  for (int64_t i = 0; i < p->n; ++i) {
    fprintf(out, "%lld %d %.17g %.17g %.17g", (long long)i + 1, p->type[i] + 1, p->x[0][i],
            p->x[1][i], p->x[2][i]);
    if (p->has_images) fprintf(out, " %d %d %d", p->image[0][i], p->image[1][i], p->image[2][i]);
    fputc('\n', out);
  }
  if (!p->has_velocities) return;
  fprintf(out, "\nVelocities\n\n");
  for (int64_t i = 0; i < p->n; ++i)
    fprintf(out, "%lld %.17g %.17g %.17g\n", (long long)i + 1, p->v[0][i], p->v[1][i], p->v[2][i]);
}

static const struct {
  const char *name;
  void (*write)(FILE *out, const pel_particle_file *p);
} formats[] = {{"xyz", write_xyz},
               {"lammps-data", write_lammps},
               {"lammps", write_lammps}}; /* as [start] format calls it */

int pel_io_export(FILE *out, FILE *message, const char *path, const char *format,
                  const char *frame) {
  char file[PATH_MAX];
  pel_error e = {0};
  pel_particle_file p = {.n = 0};
  size_t f = 0;
  while (f < sizeof formats / sizeof *formats && strcmp(format, formats[f].name)) ++f;
  if (f == sizeof formats / sizeof *formats)
    pel_error_set(&e, PEL_USAGE, "format '%.60s' is not xyz or lammps-data", format);
  const pel__file_kind k = e.code ? PEL__NO_FILE : pel__resolve(path, file, &e);
  if (k == PEL__A_CHECKPOINT && frame)
    pel_error_set(&e, PEL_USAGE, "%s is a checkpoint, which has one frame; leave --frame out",
                  file);
  if (e.code) return pel__tell(message, &e);
  if (k == PEL__A_CHECKPOINT)
    read_checkpoint(file, &p, &e);
  else
    pel__particles_read(file, "auto", frame ? frame : "last", NULL, &p, &e);
  if (!e.code) {
    formats[f].write(out, &p);
    errno = 0;
    if (fflush(out) || ferror(out))
      pel_error_set(&e, PEL_IO, "cannot write all of the particles: %s",
                    errno ? strerror(errno) : "an earlier part was lost");
  }
  pel__particles_free(&p);
  return pel__tell(message, &e);
}
