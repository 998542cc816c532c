/* A frame of an H5MD file, of pelsim or of other programs. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "h5md.h"
#include "particle_file.h"

/* What is read of each particle. */
typedef enum { POSITION, IMAGE, VELOCITY, ID, SPECIES, MASS, NELEMENTS } which;
static const struct {
  const char *name;
  bool vector;
} elements[NELEMENTS] = {{"position", true}, {"image", true},    {"velocity", true},
                         {"id", false},      {"species", false}, {"mass", false}};

typedef struct {
  const pel__particle_request *q;
  pel_particle_file *p;
  pel__spot spot;
  pel_error *e;
  pel__h5md f;
  int dimension;
  int64_t frame, step;
  double *value[NELEMENTS]; /* NULL: not in the file */
} job;

/* The frame of an element that has the step of the positions', -1: none. */
static int64_t frame_of(const job *j, const pel__h5md_element *x) {
  int64_t *step = pel__h5md_steps(x), found = -1;
  for (int64_t r = 0; step && r < x->frames && found < 0; ++r)
    if (step[r] == j->step) found = r;
  if (!step && x->frames == j->f.frames) found = j->frame; /* no steps: frame by frame */
  free(step);
  return x->frames == 0 ? 0 : found;
}

static void take_text(hid_t object, const char *name, char *to, size_t size) {
  char *text = pel__h5md_text(object, name);
  if (text) snprintf(to, size, "%s", text);
  free(text);
}

/* Velocities a picosecond in a file whose times are femtoseconds, or the other way round. */
static double per_unit_of_time(const job *j, hid_t velocity) {
  char unit[60] = "";
  take_text(velocity, "unit", unit, sizeof unit);
  if (strstr(unit, "ps-1") && !strcmp(j->p->time_unit, "fs")) return 1000;
  if (strstr(unit, "fs-1") && !strcmp(j->p->time_unit, "ps")) return 1. / 1000;
  return 1;
}

static int read_element(job *j, which i) {
  pel__h5md_element x;
  if (!pel__h5md_find(&j->f, elements[i].name, &x, j->e)) return j->e->code;
  const int64_t frame = frame_of(j, &x);
  if (x.n != j->f.n || x.components != (elements[i].vector ? j->dimension : 1)) {
    pel__spot_error(&j->spot, j->e, "%s has %lld x %d values, the positions are of %lld particles",
                    x.name, (long long)x.n, x.components, (long long)j->f.n);
  } else if (frame < 0) {
    pel__spot_error(&j->spot, j->e, "%s has no frame of step %lld; choose a frame that has one",
                    x.name, (long long)j->step);
  } else {
    j->value[i] = malloc((size_t)(x.n * x.components) * sizeof(double) + 1);
    if (!j->value[i]) pel_error_set(j->e, PEL_INTERNAL, "out of memory for %s", j->q->file);
    if (!j->e->code) pel__h5md_read(&j->f, &x, frame, j->value[i], j->e);
    const double per = i == VELOCITY ? per_unit_of_time(j, x.value) : 1;
    for (int64_t k = 0; per != 1 && k < x.n * x.components && !j->e->code; ++k)
      j->value[i][k] /= per;
  }
  pel__h5md_done(&x);
  return j->e->code;
}

/* ---- types ---- */

/* Members of an enumeration in order of their values become types; others count from 1, or from 0.
 */
typedef struct {
  int64_t value;
  char name[16];
} member;

static int by_value(const void *a, const void *b) {
  const int64_t x = ((const member *)a)->value, y = ((const member *)b)->value;
  return (x > y) - (x < y);
}

static int members_of(hid_t t, member *m) {
  const int n = H5Tget_nmembers(t);
  const hid_t is = H5Tget_super(t);
  int got = 0;
  for (int i = 0; i < n && n <= PEL_TYPES; ++i) {
    int64_t value[2] = {0};
    char *name = H5Tget_member_name(t, (unsigned)i);
    if (H5Tget_size(is) <= sizeof value && name &&
        H5Tget_member_value(t, (unsigned)i, value) >= 0 &&
        H5Tconvert(is, H5T_NATIVE_INT64, 1, value, NULL, H5P_DEFAULT) >= 0) {
      m[got].value = *value;
      snprintf(m[got++].name, sizeof m->name, "%.15s", name);
    }
    H5free_memory(name);
  }
  H5Tclose(is);
  qsort(m, (size_t)got, sizeof *m, by_value);
  return got == n ? n : 0;
}

/* Names "1", "2" ... of the types 1, 2 ... are just numbers. */
static bool numbered(const member *m, int n) {
  for (int i = 0; i < n; ++i)
    if (atoi(m[i].name) != i + 1) return false;
  return true;
}

/* Makes j->value[SPECIES] types from 1 on. */
static int find_types(job *j) {
  member m[PEL_TYPES];
  pel__h5md_element x;
  double *type = j->value[SPECIES], least = INFINITY, most = -INFINITY;
  if (!type || !pel__h5md_find(&j->f, "species", &x, j->e)) return j->e->code;
  const hid_t t = H5Dget_type(x.value);
  const int n = H5Tget_class(t) == H5T_ENUM ? members_of(t, m) : 0;
  H5Tclose(t);
  pel__h5md_done(&x);
  for (int64_t i = 0; i < j->f.n; ++i) least = fmin(least, type[i]), most = fmax(most, type[i]);
  for (int64_t i = 0; i < j->f.n && n > 0; ++i) {
    int k = 0;
    while (k < n && (double)m[k].value != type[i]) ++k;
    type[i] = k + 1; /* n + 1: none of them, which is told later */
  }
  for (int k = 0; k < n && !numbered(m, n); ++k)
    memcpy(j->p->species[k], m[k].name, sizeof m->name);
  if (n == 0 && !(least >= 0 && most <= PEL_TYPES && most - least < PEL_TYPES))
    return pel__spot_error(&j->spot, j->e, "species are from %g to %g; at most %d are possible",
                           least, most, PEL_TYPES);
  const int shift = n == 0 && least < 1 ? 1 : 0;
  for (int64_t i = 0; i < j->f.n && shift; ++i) type[i] += shift;
  j->p->ntypes = n ? n : (int)most + shift;
  return PEL_OK;
}

/* ---- the box and the frame ---- */

static int read_box(job *j) {
  pel__h5md_box b;
  if (pel__h5md_read_box(&j->f, j->frame, &b, j->e)) return j->e->code;
  j->dimension = b.dimension;
  if (!b.known) return pel__spot_error(&j->spot, j->e, "the box has no edges");
  if (b.dimension == 2) b.edge[8] = 1;
  for (int i = 0; i < 9; ++i)
    if (i % 4 && b.edge[i] != 0)
      return pel__spot_error(&j->spot, j->e, "the box is triclinic; boxes must be right-angled");
  for (int a = 0; a < 3; ++a) {
    j->p->length[a] = b.edge[4 * a];
    j->p->periodic[a] = a < b.dimension ? b.periodic[a] : true;
  }
  return PEL_OK;
}

static int choose_frame(job *j) {
  pel__h5md_element x;
  const int64_t frames = j->f.frames ? j->f.frames : 1;
  if (!pel__h5md_find(&j->f, "position", &x, j->e)) return j->e->code;
  j->frame = j->q->frame == PEL__LAST ? frames - 1 : j->q->frame;
  if (j->f.frames == 0 && x.object != x.value)
    pel__spot_error(&j->spot, j->e, "the file has no frames");
  else if (j->frame >= frames)
    pel_error_set(j->e, PEL_USAGE, "%s has %lld frames; there is no frame %lld (they count from 0)",
                  j->q->file, (long long)frames, (long long)j->frame);
  if (!j->e->code && x.frames) {
    int64_t *step = pel__h5md_steps(&x);
    double *time = pel__h5md_times(&x);
    j->step = step ? step[j->frame] : j->frame;
    j->p->time = time && isfinite(time[j->frame]) ? time[j->frame] : 0;
    free(step);
    free(time);
    if (time) {
      const hid_t d = H5Dopen2(x.object, "time", H5P_DEFAULT);
      take_text(d, "unit", j->p->time_unit, sizeof j->p->time_unit);
      if (d >= 0) H5Dclose(d);
    }
  }
  take_text(x.value, "unit", j->p->length_unit, sizeof j->p->length_unit);
  pel__h5md_done(&x);
  return j->e->code;
}

/* ---- particles ---- */

/* Ids may begin at 0 with other writers. */
static double lowest_id(const job *j) {
  double least = 1;
  for (int64_t i = 0; i < j->f.n && j->value[ID]; ++i) least = fmin(least, j->value[ID][i]);
  return least == 0 ? 0 : 1;
}

static int64_t whole(double x) { return fabs(x) < 9e15 ? llrint(x) : INT64_MIN; }

static void put_particles(job *j) {
  static const double origin[3];
  const double first = lowest_id(j);
  const int d = j->dimension;
  double *const *v = j->value;
  for (int64_t i = 0; i < j->f.n && !j->e->code; ++i) {
    pel__particle x = {.id = i + 1, .type = 1};
    if (v[ID]) x.id = whole(v[ID][i] + 1 - first);
    if (v[SPECIES]) x.type = whole(v[SPECIES][i]);
    for (int a = 0; a < d; ++a) {
      x.x[a] = v[POSITION][d * i + a];
      if (v[VELOCITY]) x.v[a] = v[VELOCITY][d * i + a];
      if (v[IMAGE]) x.image[a] = whole(v[IMAGE][d * i + a]);
      if (!isfinite(x.x[a]) || !isfinite(x.v[a]))
        pel__spot_error(&j->spot, j->e, "position or velocity of particle %lld is not finite",
                        (long long)x.id);
    }
    if (!j->e->code && !pel__particles_put(&j->spot, j->q, j->p, origin, &x, j->e) && v[MASS])
      pel__particles_mass(&j->spot, j->p, x.type, v[MASS][i], j->e);
  }
  j->p->has_velocities = v[VELOCITY] != NULL;
  j->p->has_images = v[IMAGE] != NULL;
}

int pel__read_h5md(const pel__particle_request *q, pel_particle_file *p, pel_error *e) {
  job j = {.q = q, .p = p, .spot = {NULL, q->file}, .e = e};
  if (pel__h5md_open(q->file, &j.f, e)) return e->code;
  p->n = j.f.n;
  if (!choose_frame(&j) && !read_box(&j))
    pel__particles_begin(&j.spot, p, pel__overlay_size(j.f.o), 1, e);
  for (which i = 0; i < NELEMENTS && !e->code; ++i) read_element(&j, i);
  if (!e->code && !j.value[POSITION]) pel__spot_error(&j.spot, e, "there are no positions");
  if (!e->code && !find_types(&j)) put_particles(&j);
  for (which i = 0; i < NELEMENTS; ++i) free(j.value[i]);
  pel__h5md_close(&j.f);
  return e->code;
}
