/* Data files of LAMMPS (https://docs.lammps.org/read_data.html): right-angled boxes, atoms without
 * bonds. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include "particle_file.h"

enum { MOST = 12 }; /* words of a line that matter, and one more */

typedef struct {
  const pel__particle_request *q;
  pel_particle_file *p;
  pel__text t;
  pel__spot spot;
  pel_error *e;
  double low[3];
  bool box[3], types, atoms, velocities; /* seen */
} job;

/* The words of the line without its comment, which *comment receives; 0: it is empty. */
static int words_of(job *j, char **word, char **comment) {
  char *hash = strchr(j->t.line, '#');
  if (hash) *hash++ = 0;
  if (comment) *comment = hash;
  return pel__words(j->t.line, word, MOST);
}

/* ---- header ---- */

static const char *const sections[] = {
    "Masses",      "Atoms",        "Velocities",      "Pair Coeffs",     "PairIJ Coeffs",
    "Bond Coeffs", "Angle Coeffs", "Dihedral Coeffs", "Improper Coeffs", "Atom Type Labels"};
enum { MASSES, ATOMS, VELOCITIES };

/* Number of the section that begins here, -1: none. */
static int section_of(char *const *word, int n) {
  for (int i = 0; i < PEL_N(sections) && n > 0; ++i) {
    char name[40] = "";
    size_t at = 0;
    for (int w = 0; w < n && w < 3 && at < sizeof name; ++w)
      at += (size_t)snprintf(name + at, sizeof name - at, "%s%s", w ? " " : "", word[w]);
    if (!strcmp(name, sections[i])) return i;
  }
  return -1;
}

static int add_bounds(job *j, char *const *word, int n, int a) {
  double low, high;
  if (n != 4 || !pel__real(word[0], &low) || !pel__real(word[1], &high))
    return pel__text_error(&j->t, j->e, "two bounds of the box and their names are wanted");
  if (j->box[a])
    return pel__text_error(&j->t, j->e, "the bounds along %c are here twice", "xyz"[a]);
  j->low[a] = low;
  j->p->length[a] = high - low;
  j->box[a] = true;
  return PEL_OK;
}

/* What a model of pelsim cannot have. */
static int refuse_others(job *j, char *const *word, int n) {
  static const char *const bonds[] = {"bonds",      "angles", "dihedrals", "impropers",
                                      "ellipsoids", "lines",  "triangles", "bodies"};
  int64_t count;
  double tilt[3];
  if (n == 6 && !strcmp(word[3], "xy")) {
    for (int i = 0; i < 3; ++i)
      if (!pel__real(word[i], &tilt[i]) || tilt[i] != 0)
        return pel__text_error(&j->t, j->e,
                               "a triclinic box (xy xz yz are not 0); boxes must be right-angled");
    return PEL_OK;
  }
  if (n >= 4 && (!strcmp(word[3], "avec") || !strcmp(word[3], "bvec") || !strcmp(word[3], "cvec")))
    return pel__text_error(&j->t, j->e, "a general triclinic box; boxes must be right-angled");
  for (int i = 0; i < PEL_N(bonds) && n == 2; ++i)
    if (!strcmp(word[1], bonds[i]) && (!pel__integer(word[0], &count) || count != 0))
      return pel__text_error(&j->t, j->e, "%s %s; only atoms without them can be simulated",
                             word[0], word[1]);
  return PEL_OK;
}

static int add_header(job *j, char *const *word, int n) {
  static const char *const bound[] = {"xlo", "ylo", "zlo"};
  int64_t types;
  for (int a = 0; a < 3; ++a)
    if (n >= 3 && !strcmp(word[2], bound[a])) return add_bounds(j, word, n, a);
  if (n == 2 && !strcmp(word[1], "atoms")) {
    if (!pel__integer(word[0], &j->p->n))
      return pel__text_error(&j->t, j->e, "'%.40s' is no number of atoms", word[0]);
    return PEL_OK;
  }
  if (n == 3 && !strcmp(word[1], "atom") && !strcmp(word[2], "types")) {
    if (!pel__integer(word[0], &types) || types < 1 || types > PEL_TYPES)
      return pel__text_error(&j->t, j->e, "'%.40s' atom types; 1 to %d are possible", word[0],
                             PEL_TYPES);
    j->p->ntypes = (int)types;
    j->types = true;
    return PEL_OK;
  }
  if (refuse_others(j, word, n)) return j->e->code;
  int64_t count;
  if (n >= 2 && pel__integer(word[0], &count)) return PEL_OK; /* bond types, extra ... */
  if (n == 6 && !strcmp(word[3], "xy")) return PEL_OK;
  return pel__text_error(&j->t, j->e, "'%.40s' is neither a line of the header nor a section",
                         word[0]);
}

/* Everything before the first section, whose name has then been read again. */
static int read_header(job *j) {
  char *word[MOST], *copy;
  pel__text_next(&j->t, j->e); /* a title */
  while (!j->e->code && pel__text_words(&j->t, j->e)) {
    copy = strdup(j->t.line);
    if (!copy) return pel_error_set(j->e, PEL_INTERNAL, "out of memory");
    const int n = words_of(j, word, NULL), section = section_of(word, n);
    if (n > 0 && section < 0) add_header(j, word, n);
    if (section >= 0) { /* it is wanted once more as it was */
      strcpy(j->t.line, copy);
      j->t.again = true;
    }
    free(copy);
    if (section >= 0) break;
  }
  if (j->e->code) return j->e->code;
  for (int a = 0; a < 3; ++a)
    if (!j->box[a])
      return pel__text_error(&j->t, j->e, "the header has no bounds %clo %chi of the box", "xyz"[a],
                             "xyz"[a]);
  if (!j->types) return pel__text_error(&j->t, j->e, "the header has no number of 'atom types'");
  return pel__particles_begin(&j->spot, j->p, j->t.bytes, 10, j->e);
}

/* ---- sections ---- */

/* The next line of a section of n; *words of it. */
static bool next_row(job *j, const char *what, int64_t i, int64_t n, char **word, int *words,
                     char **comment) {
  do {
    if (!pel__text_words(&j->t, j->e)) {
      if (!j->e->code)
        pel__text_error(&j->t, j->e, "the file ends after %lld of %lld %s", (long long)i,
                        (long long)n, what);
      return false;
    }
    *words = words_of(j, word, comment);
  } while (*words == 0);
  if (section_of(word, *words) < 0) return true;
  pel__text_error(&j->t, j->e, "section %s begins after %lld of %lld %s", word[0], (long long)i,
                  (long long)n, what);
  return false;
}

static void read_masses(job *j) {
  char *word[MOST], *comment;
  int n;
  for (int i = 0; i < j->p->ntypes; ++i) {
    int64_t type;
    double mass;
    if (!next_row(j, "masses", i, j->p->ntypes, word, &n, &comment)) return;
    if (n != 2 || !pel__integer(word[0], &type) || !pel__real(word[1], &mass) || type < 1 ||
        type > j->p->ntypes) {
      pel__text_error(&j->t, j->e, "a type from 1 to %d and its mass are wanted", j->p->ntypes);
      return;
    }
    if (pel__particles_mass(&j->spot, j->p, type, mass, j->e)) return;
    if (comment && pel__words(comment, word, 1)) /* by custom the element */
      snprintf(j->p->species[type - 1], sizeof *j->p->species, "%.15s", word[0]);
  }
}

/* Where things stand in a line of an atom. */
typedef struct {
  const char *name;
  int type, charge, x; /* charge < 0: there is none */
} style;

static const style styles[] = {{"atomic", 1, -1, 2},    {"charge", 1, 2, 3}, {"full", 2, 3, 4},
                               {"molecular", 2, -1, 3}, {"bond", 2, -1, 3},  {"angle", 2, -1, 3}};

/* By the comment behind "Atoms"; without one five or eight words are atomic. */
static const style *find_style(job *j, const char *comment) {
  char name[40] = "";
  if (comment) sscanf(comment, "%39s", name);
  for (int i = 0; i < PEL_N(styles); ++i)
    if (!strcmp(name, styles[i].name)) return &styles[i];
  if (!*name) return NULL;
  pel__text_error(&j->t, j->e,
                  "atoms of style '%s'; atomic, charge, bond, angle, molecular and full can be "
                  "read",
                  name);
  return NULL;
}

static int read_atom(job *j, const style *s, char *const *word, int n) {
  pel__particle x = {.id = 0};
  double charge = 0;
  bool ok = (n == s->x + 3 || n == s->x + 6) && pel__integer(word[0], &x.id) &&
            pel__integer(word[s->type], &x.type) &&
            (s->charge < 0 || pel__real(word[s->charge], &charge));
  for (int a = 0; a < 3 && ok; ++a)
    ok = pel__real(word[s->x + a], &x.x[a]) &&
         (n == s->x + 3 || pel__integer(word[s->x + 3 + a], &x.image[a]));
  if (!ok)
    return pel__text_error(&j->t, j->e,
                           "this is no atom of style %s: %d numbers are wanted, or %d with images",
                           s->name, s->x + 3, s->x + 6);
  if (charge != 0)
    return pel__text_error(&j->t, j->e, "atom %lld has charge %g; charges cannot be simulated",
                           (long long)x.id, charge);
  if (n == s->x + 6) j->p->has_images = true;
  return pel__particles_put(&j->spot, j->q, j->p, j->low, &x, j->e);
}

static void read_atoms(job *j, const char *comment) {
  char *word[MOST];
  int n;
  const style *s = find_style(j, comment);
  for (int64_t i = 0; i < j->p->n && !j->e->code; ++i) {
    if (!next_row(j, "atoms", i, j->p->n, word, &n, NULL)) return;
    if (!s && n != 5 && n != 8) {
      pel__text_error(&j->t, j->e,
                      "an atom of %d numbers, and the style is not told; write it behind the name "
                      "of the section, 'Atoms # charge'",
                      n);
      return;
    }
    read_atom(j, s ? s : &styles[0], word, n);
  }
  j->atoms = true;
}

static void read_velocities(job *j) {
  char *word[MOST];
  int n;
  char *seen = calloc((size_t)j->p->n, 1);
  if (!seen) pel_error_set(j->e, PEL_INTERNAL, "out of memory");
  for (int64_t i = 0; i < j->p->n && !j->e->code; ++i) {
    int64_t id = 0;
    double v[3];
    if (!next_row(j, "velocities", i, j->p->n, word, &n, NULL)) break;
    bool ok = n == 4 && pel__integer(word[0], &id) && id >= 1 && id <= j->p->n;
    for (int a = 0; a < 3 && ok; ++a) ok = pel__real(word[1 + a], &v[a]);
    if (!ok) {
      pel__text_error(&j->t, j->e, "an id from 1 to %lld and three numbers are wanted",
                      (long long)j->p->n);
    } else if (seen[id - 1]++) {
      pel__text_error(&j->t, j->e, "id %lld is here twice", (long long)id);
    } else {
      for (int a = 0; a < 3; ++a) j->p->v[a][id - 1] = v[a];
    }
  }
  free(seen);
  j->p->has_velocities = j->velocities = true;
}

static void read_sections(job *j) {
  char *word[MOST], *comment;
  int section = -1;
  while (!j->e->code && pel__text_words(&j->t, j->e)) {
    const int n = words_of(j, word, &comment), next = section_of(word, n);
    if (n == 0) continue;
    if (next < 0 && section <= VELOCITIES) { /* a row too many, or a section of bonds */
      pel__text_error(&j->t, j->e, "'%.40s' is no section that can be read (after %s)", word[0],
                      section < 0 ? "the header" : sections[section]);
      return;
    }
    if (next < 0) continue; /* of a section that does not matter */
    section = next;
    if (section == MASSES) read_masses(j);
    if (section == ATOMS && j->atoms) pel__text_error(&j->t, j->e, "a second section of atoms");
    if (section == ATOMS && !j->e->code) read_atoms(j, comment);
    if (section == VELOCITIES && j->velocities)
      pel__text_error(&j->t, j->e, "a second section of velocities");
    if (section == VELOCITIES && !j->atoms)
      pel__text_error(&j->t, j->e,
                      "section Velocities stands before section Atoms; move it behind");
    if (section == VELOCITIES && !j->e->code) read_velocities(j);
  }
  if (!j->e->code && !j->atoms) pel__text_error(&j->t, j->e, "the file has no section Atoms");
}

int pel__read_lammps(const pel__particle_request *q, pel_particle_file *p, pel_error *e) {
  job j = {.q = q, .p = p, .e = e};
  j.spot = (pel__spot){&j.t, q->file};
  if (pel__text_open(&j.t, q->file, e)) return e->code;
  if (!read_header(&j)) read_sections(&j);
  pel__text_close(&j.t);
  return e->code;
}
