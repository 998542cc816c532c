/* Trajectories as a format of files that grow. */
#include "trajectory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "posix_io.h"
#include "shared_file.h"

enum {
  RECORDS = 512,        /* numbers in a chunk of a column */
  CHUNK_LIMIT = 1 << 30 /* HDF5's own limit is 4 GiB */
};

/* ---- what there is ---- */

/* MDAnalysis knows these units and no others; one that it does not know makes the whole file
 * unreadable to it. */
static const struct {
  const char *unit, *h5md;
  double scale;
} units[] = {{"angstrom", "Angstrom", 1},
             {"ps", "ps", 1},
             {"fs", "fs", 1},
             {"angstrom/ps", "Angstrom ps-1", 1},
             {"angstrom/fs", "Angstrom ps-1", 1000}, /* MDAnalysis takes fs-1 for 1e-6 of it */
             {"angstrom^2", "Angstrom+2", 1},
             {"angstrom^2/ps", "Angstrom+2 ps-1", 1},
             {"angstrom^2/fs", "Angstrom+2 fs-1", 1},
             {"angstrom^2/ps^2", "Angstrom+2 ps-2", 1},
             {"angstrom^2/fs^2", "Angstrom+2 fs-2", 1},
             {"eV/angstrom", "kJ mol-1 Angstrom-1", 96.48533212331002}, /* e * N_A / 1000 */
             {"kcal/mol/angstrom", "kcal mol-1 Angstrom-1", 1},
             {"g/mol", "g mol-1", 1}};

const char *pel__h5md_unit(const char *unit, double *scale) {
  *scale = 1;
  if (!unit || !*unit || !strcmp(unit, "1")) return NULL;
  for (int i = 0; i < PEL_N(units); ++i)
    if (!strcmp(unit, units[i].unit)) {
      *scale = units[i].scale;
      return units[i].h5md;
    }
  return unit;
}

/* Is array b of the vector that begins with array a its component c? */
static bool is_component(const pel_array *a, const pel_array *b, char c) {
  const size_t n = strlen(a->name);
  return n > 2 && strlen(b->name) == n && !strncmp(a->name, b->name, n - 1) &&
         b->name[n - 2] == '_' && a->name[n - 1] == 'x' && b->name[n - 1] == c;
}

int pel__elements_of(const pel_snapshot *s, bool single, pel__element *x) {
  int n = 0;
  for (int a = 0; a < s->narrays; a += x[n++].rows.components) {
    const pel_array *y = &s->arrays[a];
    if (!strcmp(y->name, "type")) {
      x[n--].rows.components = 1;
      continue;
    }
    const bool vector =
        a + 2 < s->narrays && is_component(y, y + 1, 'y') && is_component(y, y + 2, 'z');
    pel__element *to = &x[n];
    *to = (pel__element){.rows = {.a = y, .components = vector ? 3 : 1}};
    snprintf(to->name, sizeof to->name, "%.*s", (int)strlen(y->name) - (vector ? 2 : 0), y->name);
    to->unit = pel__h5md_unit(y->unit, &to->rows.scale);
    to->rows.as = !strcmp(to->name, "image") ? PEL__I32 : single ? PEL__F32 : PEL__F64;
  }
  return n;
}

const pel_array *pel__types_of(const pel_snapshot *s) {
  for (int a = 0; a < s->narrays; ++a)
    if (!strcmp(s->arrays[a].name, "type")) return &s->arrays[a];
  return NULL;
}

static pel__element *elements(const pel_snapshot *s, bool single, int *n) {
  pel__element *x = calloc((size_t)s->narrays + 1, sizeof *x);
  *n = x ? pel__elements_of(s, single, x) : 0;
  return x;
}

static pel__growing column(const char *name, hid_t type, hsize_t records) {
  pel__growing g = {.type = type, .records = records};
  snprintf(g.name, sizeof g.name, "%s", name);
  return g;
}

static pel__growing of_element(const pel__element *x, int64_t particles) {
  pel__growing g = {.type = pel__stored_type(x->rows.as),
                    .rank = x->rows.components > 1 ? 2 : 1,
                    .n = {(hsize_t)particles},
                    .records = 1,
                    .bytes = pel__stored_bytes(x->rows.as)};
  const int64_t width = x->rows.components, most = CHUNK_LIMIT / (width * g.bytes),
                each = particles < most ? particles : most;
  if (g.rank == 2) g.n[1] = g.chunk[1] = (hsize_t)width;
  g.chunk[0] = (hsize_t)each;
  g.piece = each * width;
  g.npieces = (int)((particles + each - 1) / each);
  snprintf(g.name, sizeof g.name, PEL__GROUP "/%s/value", x->name);
  return g;
}

static pel__growing *growing(const pel_snapshot *s, bool single, int *n, pel_error *e) {
  int m;
  pel__element *x = elements(s, single, &m);
  pel__growing *g = malloc((size_t)(PEL__TRAJECTORY_COLUMNS + m) * sizeof *g);
  if (x && g) {
    g[PEL__TIME] = column(PEL__GROUP "/position/time", H5T_IEEE_F64LE, RECORDS);
    g[PEL__STEP] = column(PEL__GROUP "/position/step", H5T_STD_I64LE, RECORDS);
    g[PEL__HASH] = column(PEL__PARAMETERS "/fingerprint", H5T_STD_U64LE, RECORDS);
    g[PEL__EDGES] = column(PEL__GROUP "/box/edges/value", H5T_IEEE_F64LE, RECORDS / 8);
    g[PEL__EDGES].rank = 2;
    for (int i = 0; i < 2; ++i) g[PEL__EDGES].n[i] = g[PEL__EDGES].chunk[i] = 3;
    for (int i = 0; i < m; ++i)
      g[PEL__TRAJECTORY_COLUMNS + i] = of_element(&x[i], s->grid->axis[0].n);
    *n = PEL__TRAJECTORY_COLUMNS + m;
    if (!pel__rows_check(s, e)) {
      free(x);
      return g;
    }
  } else {
    pel_error_set(e, PEL_INTERNAL, "out of memory");
  }
  free(x);
  free(g);
  return NULL;
}

static void name(const pel_snapshot *s, int i, bool single, char *text, size_t size) {
  static const char *const column[] = {"position/time", "position/step", "fingerprint",
                                       "box/edges"};
  int n;
  if (i < PEL__TRAJECTORY_COLUMNS) {
    snprintf(text, size, "%s of frames as pelsim writes them", column[i]);
    return;
  }
  pel__element *x = elements(s, single, &n);
  snprintf(text, size, "%s of %lld particles in %s precision",
           x ? x[i - PEL__TRAJECTORY_COLUMNS].name : "elements", (long long)s->grid->axis[0].n,
           single ? "single" : "double");
  free(x);
}

/* ---- what would not be written ---- */

typedef struct {
  const pel__element *x;
  int n;
  char *text;
  size_t size;
} search;

static herr_t look_for_stranger(hid_t group, const char *name, const H5L_info_t *link, void *to) {
  search *q = to;
  char value[120];
  (void)link;
  for (int i = 0; i < q->n; ++i)
    if (!strcmp(name, q->x[i].name)) return 0;
  snprintf(value, sizeof value, "%.100s/value", name);
  H5O_info_t info;
  if (H5Oget_info_by_name(group, name, &info, H5P_DEFAULT) < 0 || info.type != H5O_TYPE_GROUP ||
      H5Lexists(group, value, H5P_DEFAULT) <= 0)
    return 0;
  snprintf(q->text, q->size, "an element %.80s", name);
  return 1;
}

static bool stranger(hid_t file, const pel_snapshot *s, char *text, size_t size) {
  int n;
  pel__element *x = elements(s, false, &n);
  search q = {x, n, text, size};
  const hid_t group = H5Gopen2(file, PEL__GROUP, H5P_DEFAULT);
  const bool found =
      x && group >= 0 &&
      H5Literate(group, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, look_for_stranger, &q) > 0;
  if (group >= 0) H5Gclose(group);
  free(x);
  return found;
}

/* ---- values ---- */

uint64_t pel__frame_share(const double edges[9], double time, int64_t step) {
  const double when[2] = {time, (double)step};
  return pel_fingerprint_row(pel_fingerprint_key("box"), 0, edges, 9) +
         pel_fingerprint_row(pel_fingerprint_key("time"), 0, when, 2);
}

static uint64_t share(const pel_snapshot *s, bool single) {
  int n, rank;
  double edges[9] = {0};
  uint64_t sum = 0;
  const pel_array *type = pel__types_of(s);
  pel__element *x = elements(s, single, &n);
  for (int i = 0; i < n; ++i) sum += pel__rows_share(&x[i].rows);
  free(x);
  if (type) sum += pel__rows_share(&(pel__rows){type, 1, PEL__I32, 1});
  for (int a = 0; a < 3; ++a) edges[4 * a] = s->particles->length[a];
  MPI_Comm_rank(s->comm, &rank);
  return rank ? sum : sum + pel__frame_share(edges, s->particles->time, s->step);
}

static int write(int fd, const pel_snapshot *s, bool single, const pel__growing *g, int n,
                 const int64_t *at) {
  int m, err = 0;
  pel__element *x = elements(s, single, &m);
  if (!x) return ENOMEM;
  for (int i = 0; i < m && PEL__TRAJECTORY_COLUMNS + i < n && !err; ++i) {
    const pel__growing *to = &g[PEL__TRAJECTORY_COLUMNS + i];
    err = pel__rows_write(fd, &x[i].rows, to->piece / x[i].rows.components, at);
    at += to->npieces;
  }
  free(x);
  return err;
}

enum { PART = 4096 }; /* particles at once */

/* id, species and mass of particles [i, i + n) of a patch. */
static int fill_part(int fd, const pel_snapshot *s, const int64_t *at, int64_t index,
                     const double *type, int64_t n) {
  int64_t id[PART];
  int32_t species[PART];
  double mass[PART];
  for (int64_t k = 0; k < n; ++k) {
    id[k] = index + k + 1;
    species[k] = type ? (int32_t)type[k] : 1;
    mass[k] = s->particles->mass[species[k] - 1];
  }
  int err = pel__pwrite(fd, id, (size_t)n * 8, at[PEL__ID] + index * 8);
  if (!err) err = pel__pwrite(fd, species, (size_t)n * 4, at[PEL__SPECIES] + index * 4);
  return err ? err : pel__pwrite(fd, mass, (size_t)n * 8, at[PEL__MASS] + index * 8);
}

static int fill(int fd, const pel_snapshot *s, const int64_t *at) {
  const pel_array *type = pel__types_of(s);
  int err = 0;
  for (int p = 0; p < s->arrays->npatches; ++p) {
    const pel_patch *q = &s->arrays->patches[p];
    for (int64_t i = 0, n; i < q->n[0] && !err; i += n) {
      n = q->n[0] - i < PART ? q->n[0] - i : PART;
      err = fill_part(fd, s, at, q->first[0] + i, type ? type->patches[p].data + i : NULL, n);
    }
  }
  return err;
}

const pel__format pel__format_trajectory = {.growing = growing,
                                            .describe = pel__trajectory_describe,
                                            .fill = fill,
                                            .name = name,
                                            .stranger = stranger,
                                            .share = share,
                                            .write = write};
