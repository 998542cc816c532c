/* For io: readers of particle files, one file a format. */
#ifndef PEL_PARTICLE_FILE_H
#define PEL_PARTICLE_FILE_H

#include "pelsim/sink.h"
#include "text_file.h"

/* The function of pel_io. */
int pel__particles_read(const char *file, const char *format, const char *frame, const bool wall[3],
                        pel_particle_file *p, pel_error *e);

/* What is asked for; frame: 0 .., or PEL__LAST. */
enum { PEL__LAST = -1 };
typedef struct {
  const char *file;
  int64_t frame;
  bool wall[3];
} pel__particle_request;

/* The formats. */
int pel__read_lammps(const pel__particle_request *q, pel_particle_file *p, pel_error *e);
int pel__read_xyz(const pel__particle_request *q, pel_particle_file *p, pel_error *e);
int pel__read_nist(const pel__particle_request *q, pel_particle_file *p, pel_error *e);
int pel__read_h5md(const pel__particle_request *q, pel_particle_file *p, pel_error *e);

/* ---- for the readers ---- */

/* Where in a file something stands, for sentences: t, or else a file without lines. */
typedef struct {
  const pel__text *t;
  const char *file;
} pel__spot;
int pel__spot_error(const pel__spot *s, pel_error *e, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Box and number of particles are known: checks them, allocates.  bytes: the least that a particle
 * takes in a file of `size` bytes. */
int pel__particles_begin(const pel__spot *s, pel_particle_file *p, int64_t size, int bytes,
                         pel_error *e);

/* One particle as it stands in the file, positions still from `origin`. */
typedef struct {
  int64_t id, type; /* from 1 on */
  double x[3], v[3];
  int64_t image[3];
} pel__particle;
/* Puts it in its place: id and type in range, not there yet, within walls, wrapped otherwise. */
int pel__particles_put(const pel__spot *s, const pel__particle_request *q, pel_particle_file *p,
                       const double origin[3], const pel__particle *x, pel_error *e);
/* The mass that a particle of this type (from 1 on) has: all of a type the same. */
int pel__particles_mass(const pel__spot *s, pel_particle_file *p, int64_t type, double mass,
                        pel_error *e);
void pel__particles_free(pel_particle_file *p);

#endif
