#define _GNU_SOURCE
#include "particle_file.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "checkpoint.h"
#include "h5md.h"

/* ---- for the readers ---- */

int pel__spot_error(const pel__spot *s, pel_error *e, const char *fmt, ...) {
  char text[600];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  return s->t ? pel__text_error(s->t, e, "%s", text)
              : pel_error_set(e, PEL_IO, "%.3000s: %s", s->file, text);
}

void pel__particles_free(pel_particle_file *p) {
  for (int a = 0; a < 3; ++a) {
    free(p->x[a]), free(p->v[a]), free(p->image[a]);
    p->x[a] = p->v[a] = NULL;
    p->image[a] = NULL;
  }
  free(p->type);
  p->type = NULL;
}

int pel__particles_begin(const pel__spot *s, pel_particle_file *p, int64_t size, int bytes,
                         pel_error *e) {
  if (p->n < 1) return pel__spot_error(s, e, "there are %lld particles", (long long)p->n);
  if (p->n > size / bytes)
    return pel__spot_error(s, e,
                           "%lld particles do not fit into a file of %lld bytes: it is cut "
                           "short, or this number is wrong",
                           (long long)p->n, (long long)size);
  for (int a = 0; a < 3; ++a)
    if (!(p->length[a] > 0 && isfinite(p->length[a])))
      return pel__spot_error(s, e, "the box has length %g along %c; it must be positive",
                             p->length[a], "xyz"[a]);
  const size_t n = (size_t)p->n;
  bool ok = (p->type = malloc(n * sizeof *p->type)) != NULL;
  for (int a = 0; a < 3 && ok; ++a) {
    p->x[a] = malloc(n * sizeof(double));
    p->v[a] = calloc(n, sizeof(double));
    p->image[a] = calloc(n, sizeof(int32_t));
    ok = p->x[a] && p->v[a] && p->image[a];
  }
  if (!ok) return pel_error_set(e, PEL_INTERNAL, "out of memory for %s", s->file);
  for (size_t i = 0; i < n; ++i) p->type[i] = -1; /* not there yet */
  p->held = p->n;
  return PEL_OK;
}

/* A coordinate into the box, periods counted. */
static int place(const pel__spot *s, const pel__particle_request *q, const pel_particle_file *p,
                 int a, int64_t id, double *x, int64_t *image, pel_error *e) {
  const double length = p->length[a], blur = length * 0x1p-23; /* of single precision */
  if (q->wall[a] && *x > length && *x <= length + blur) *x = length;
  if (q->wall[a] && *x < 0 && *x >= -blur) *x = 0;
  if (*x >= 0 && (*x < length || (q->wall[a] && *x == length))) return PEL_OK;
  if (q->wall[a] || !p->periodic[a])
    return pel__spot_error(s, e,
                           "particle %lld stands at %c = %.10g, outside the box (0 to %.10g "
                           "from its corner), which has walls there",
                           (long long)id, "xyz"[a], *x, length);
  const double periods = floor(*x / length);
  if (fabs(periods) > 1e6)
    return pel__spot_error(s, e,
                           "particle %lld stands at %c = %g, far outside the box of length "
                           "%g",
                           (long long)id, "xyz"[a], *x, length);
  *x -= periods * length;
  if (*x < 0) *x = 0; /* rounding */
  *image += (int64_t)periods;
  if (*x >= length) {
    *x -= length;
    ++*image;
  }
  return PEL_OK;
}

int pel__particles_put(const pel__spot *s, const pel__particle_request *q, pel_particle_file *p,
                       const double origin[3], const pel__particle *x, pel_error *e) {
  const int64_t i = x->id - 1;
  if (i < 0 || i >= p->n)
    return pel__spot_error(s, e, "id %lld; the ids of %lld particles must be 1 to %lld",
                           (long long)x->id, (long long)p->n, (long long)p->n);
  if (p->type[i] >= 0) return pel__spot_error(s, e, "id %lld is here twice", (long long)x->id);
  if (x->type < 1 || x->type > p->ntypes)
    return pel__spot_error(s, e, "particle %lld has type %lld; there are types 1 to %d",
                           (long long)x->id, (long long)x->type, p->ntypes);
  for (int a = 0; a < 3; ++a) {
    double at = x->x[a] - origin[a];
    int64_t image = x->image[a];
    if (place(s, q, p, a, x->id, &at, &image, e)) return e->code;
    if (llabs(image) > INT32_MAX / 2)
      return pel__spot_error(s, e, "particle %lld has moved %lld periods", (long long)x->id,
                             (long long)image);
    p->x[a][i] = at;
    p->v[a][i] = x->v[a];
    p->image[a][i] = (int32_t)image;
  }
  p->type[i] = (int32_t)x->type - 1;
  return PEL_OK;
}

int pel__particles_mass(const pel__spot *s, pel_particle_file *p, int64_t type, double mass,
                        pel_error *e) {
  if (!(mass > 0)) return pel__spot_error(s, e, "a mass of %g; it must be positive", mass);
  if (p->mass[type - 1] > 0 && p->mass[type - 1] != mass)
    return pel__spot_error(s, e,
                           "a particle of type %lld has mass %.10g, another has %.10g: a type "
                           "has one mass",
                           (long long)type, mass, p->mass[type - 1]);
  p->mass[type - 1] = mass;
  return PEL_OK;
}

/* ---- which format, which frame ---- */

static const struct {
  const char *name, *is;
  int (*read)(const pel__particle_request *q, pel_particle_file *p, pel_error *e);
  bool frames; /* it may have several */
} formats[] = {{"lammps", "a LAMMPS data file", pel__read_lammps, false},
               {"xyz", "extended XYZ", pel__read_xyz, true},
               {"nist", "a NIST configuration", pel__read_nist, false},
               {"h5md", "H5MD", pel__read_h5md, true}};

static int find_format(const char *name) {
  for (int i = 0; i < PEL_N(formats); ++i)
    if (!strcmp(name, formats[i].name)) return i;
  return -1;
}

/* By its first lines: a number alone; three numbers and a number; a header with "atoms". */
static int look_at_text(const char *file, pel_error *e) {
  pel__text t;
  char *word[8];
  double x;
  int64_t n;
  bool three = false;
  int found = -1;
  if (pel__text_open(&t, file, e)) return -1;
  for (int line = 0; found < 0 && line < 100 && pel__text_next(&t, e); ++line) {
    const int words = pel__words(t.line, word, 8);
    if (line == 0 && words == 1 && pel__integer(word[0], &n)) found = find_format("xyz");
    if (line == 0) three = words == 3 && pel__real(word[0], &x) && pel__real(word[2], &x);
    if (line == 1 && three && words == 1 && pel__integer(word[0], &n)) found = find_format("nist");
    if (words >= 2 && !strcmp(word[1], "atoms")) found = find_format("lammps");
  }
  pel__text_close(&t);
  if (found < 0 && !e->code)
    pel_error_set(e, PEL_IO,
                  "%s is none of the formats that can be read (LAMMPS data, extended XYZ, NIST "
                  "text, H5MD)",
                  file);
  return found;
}

static int look(const char *file, pel_error *e) {
  char start[20] = "";
  struct stat st;
  FILE *f =
      stat(file, &st) || !S_ISREG(st.st_mode) ? NULL : fopen(file, "re"); /* a pipe may wait */
  if (f) {
    if (fread(start, 1, sizeof start - 1, f) == 0) *start = 0;
    fclose(f);
  }
  if (!memcmp(start, "\x89HDF\r\n\x1a\n", 8)) return find_format("h5md");
  if (!strncmp(start, "pelsim checkpoint ", 18)) {
    pel_error_set(e, PEL_IO,
                  "%s is a checkpoint: continue it with --resume, or make a start of it with "
                  "'pelsim export'",
                  file);
    return -1;
  }
  return look_at_text(file, e);
}

static int parse_frame(const char *frame, int64_t *to, pel_error *e) {
  if (!*frame || !strcmp(frame, "last")) return *to = PEL__LAST, PEL_OK;
  if (!strcmp(frame, "first")) return *to = 0, PEL_OK;
  if (pel__integer(frame, to) && *to >= 0) return PEL_OK;
  return pel_error_set(e, PEL_USAGE, "frame '%.60s' is not 'first', 'last' or a number from 0",
                       frame);
}

int pel__particles_read(const char *file, const char *format, const char *frame, const bool wall[3],
                        pel_particle_file *p, pel_error *e) {
  pel__particle_request q = {.file = file};
  *p = (pel_particle_file){.periodic = {true, true, true}, .ntypes = 1};
  for (int a = 0; a < 3; ++a) q.wall[a] = wall && wall[a];
  if (parse_frame(frame, &q.frame, e)) return e->code;
  const int f = strcmp(format, "auto") ? find_format(format) : look(file, e);
  if (f < 0 && !e->code)
    pel_error_set(e, PEL_USAGE, "format '%.60s' is not auto, lammps, xyz, nist or h5md", format);
  if (f >= 0 && q.frame > 0 && !formats[f].frames)
    pel_error_set(e, PEL_USAGE, "%s is %s, which has one frame; leave the frame out", file,
                  formats[f].is);
  if (!e->code) formats[f].read(&q, p, e);
  p->flat = p->n > 1;
  for (int64_t i = 0; i < p->n && !e->code; ++i) {
    ++p->count[p->type[i]];
    p->flat = p->flat && p->x[2][i] == p->x[2][0];
  }
  if (e->code) pel__particles_free(p);
  return e->code;
}
