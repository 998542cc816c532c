/* Extended XYZ (https://github.com/libAtoms/extxyz): the number of particles, a line of key=value
 * pairs, a line for each particle; frames follow each other. */
#define _GNU_SOURCE
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "particle_file.h"

enum { COLUMNS = 64 };

/* What columns hold that we know, by the names that writers use. */
typedef enum { SPECIES, TYPE, ID, POSITION, VELOCITY, IMAGE, MASS, NKINDS } kind;
static const struct {
  const char *name;
  kind kind;
  char letter; /* of its values */
  int n;
} known[] = {
    {"species", SPECIES, 'S', 1}, {"element", SPECIES, 'S', 1},   {"type", TYPE, 'I', 1},
    {"id", ID, 'I', 1},           {"pos", POSITION, 'R', 3},      {"velo", VELOCITY, 'R', 3},
    {"vel", VELOCITY, 'R', 3},    {"velocity", VELOCITY, 'R', 3}, {"velocities", VELOCITY, 'R', 3},
    {"image", IMAGE, 'I', 3},     {"mass", MASS, 'R', 1},         {"masses", MASS, 'R', 1}};

typedef struct {
  const pel__particle_request *q;
  pel_particle_file *p;
  pel__text t;
  pel__spot spot;
  pel_error *e;
  int column[NKINDS], ncolumns; /* where each begins, -1: it is not there */
  double origin[3];
} job;

/* ---- the second line ---- */

/* Of what begins with `open`; brackets may be nested. */
static char *end_of_value(char *p, char open) {
  if (open != '[')
    return p + strcspn(p, open == '{' ? "}" : open == '\'' ? "'" : open == '"' ? "\"" : " \t");
  for (int depth = 1; *p; ++p) {
    depth += (*p == '[') - (*p == ']');
    if (depth == 0) break;
  }
  return p;
}

/* The next key and value of the line, which may be quoted; false at its end. */
static bool next_pair(char **at, char **key, char **value) {
  char *p = *at + strspn(*at, " \t");
  static char nothing[] = "";
  if (!*p) return false;
  *key = p;
  *value = nothing;
  p += strcspn(p, "= \t");
  if (*p == '=') {
    *p++ = 0;
    const char open = *p;
    *value = p += open && strchr("\"'{[", open);
    p = end_of_value(p, open);
  }
  if (*p) *p++ = 0;
  *at = p;
  return true;
}

/* Numbers separated by blanks or commas, perhaps bracketed; returns how many, -1 if something else
 * is there. */
static int numbers(char *text, double *x, int most) {
  char *word[16];
  for (char *p = text; *p; ++p)
    if (strchr(",[]", *p)) *p = ' ';
  const int n = pel__words(text, word, most + 1);
  for (int i = 0; i < n && i < most; ++i)
    if (!pel__real(word[i], &x[i])) return -1;
  return n;
}

static int read_lattice(job *j, char *text) {
  double x[9];
  const int n = numbers(text, x, 9);
  if (n != 9 && n != 3)
    return pel__text_error(&j->t, j->e, "Lattice must have nine numbers, three edges");
  for (int i = 0; i < n; ++i)
    if (n == 9 && i % 4 && x[i] != 0)
      return pel__text_error(&j->t, j->e,
                             "Lattice is triclinic (number %d is %g); boxes must be right-angled "
                             "with edges along x, y, z",
                             i + 1, x[i]);
  for (int a = 0; a < 3; ++a) j->p->length[a] = x[n == 9 ? 4 * a : a];
  return PEL_OK;
}

static int read_pbc(job *j, char *text) {
  char *word[4];
  for (char *p = text; *p; ++p)
    if (*p == ',') *p = ' ';
  const int n = pel__words(text, word, 4);
  for (int a = 0; a < 3; ++a) {
    const char c = n == 3 ? (char)toupper((unsigned char)*word[a]) : 0;
    if (!c || !strchr("TF10", c))
      return pel__text_error(&j->t, j->e, "pbc must be three times T or F");
    j->p->periodic[a] = c == 'T' || c == '1';
  }
  return PEL_OK;
}

static int read_properties(job *j, char *text) {
  char *save, *name = strtok_r(text, ":", &save);
  for (int i = 0; i < NKINDS; ++i) j->column[i] = -1;
  for (j->ncolumns = 0; name; name = strtok_r(NULL, ":", &save)) {
    const char *letter = strtok_r(NULL, ":", &save), *count = strtok_r(NULL, ":", &save);
    int64_t n;
    if (!letter || !count || !pel__integer(count, &n) || n < 1 || n > COLUMNS - 1 - j->ncolumns)
      return pel__text_error(
          &j->t, j->e, "Properties must be name:letter:columns, up to %d columns", COLUMNS - 1);
    for (int k = 0; k < PEL_N(known); ++k) {
      if (strcasecmp(name, known[k].name)) continue;
      if (n != known[k].n || j->column[known[k].kind] >= 0 ||
          (*letter != known[k].letter && !(known[k].letter == 'R' && *letter == 'I')))
        return pel__text_error(&j->t, j->e, "property %s must be %c:%d, and there once", name,
                               known[k].letter, known[k].n);
      j->column[known[k].kind] = j->ncolumns;
    }
    j->ncolumns += (int)n;
  }
  if (j->column[POSITION] < 0) return pel__text_error(&j->t, j->e, "Properties have no pos:R:3");
  return PEL_OK;
}

static int read_comment(job *j) {
  char standard[] = "species:S:1:pos:R:3", *at = j->t.line, *key, *value;
  bool lattice = false;
  if (read_properties(j, standard)) return j->e->code;
  while (next_pair(&at, &key, &value) && !j->e->code) {
    if (!strcasecmp(key, "Lattice")) lattice = !read_lattice(j, value);
    if (!strcasecmp(key, "Properties")) read_properties(j, value);
    if (!strcasecmp(key, "pbc")) read_pbc(j, value);
    if (!strcasecmp(key, "Time") && !pel__real(value, &j->p->time)) j->p->time = 0;
    if (!strcasecmp(key, "Origin") && numbers(value, j->origin, 3) != 3)
      pel__text_error(&j->t, j->e, "Origin must be three numbers");
  }
  if (!lattice && !j->e->code)
    pel__text_error(&j->t, j->e,
                    "there is no Lattice=\"...\": this may be plain XYZ, which knows no box");
  return j->e->code;
}

/* ---- particles ---- */

/* Type of a name: in order of appearance. */
static int64_t type_of(job *j, const char *name) {
  pel_particle_file *p = j->p;
  for (int t = 0; t < p->ntypes; ++t)
    if (!strcmp(p->species[t], name)) return t + 1;
  if (strlen(name) >= sizeof *p->species)
    return pel__text_error(&j->t, j->e, "species '%.40s': the name is too long", name), 0;
  if (p->ntypes == PEL_TYPES)
    return pel__text_error(&j->t, j->e, "species '%s' is one too many; %d are possible", name,
                           PEL_TYPES),
           0;
  strcpy(p->species[p->ntypes++], name);
  return p->ntypes;
}

static bool whole(char *const *word, int column, int64_t *x) {
  return column < 0 || pel__integer(word[column], x);
}

static bool three(char *const *word, int column, double x[3]) {
  for (int a = 0; a < 3 && column >= 0; ++a)
    if (!pel__real(word[column + a], &x[a])) return false;
  return true;
}

static int read_particle(job *j, int64_t i) {
  char *word[COLUMNS];
  const int *c = j->column;
  pel__particle x = {.id = i + 1, .type = 1};
  double mass = 0;
  if (pel__words(j->t.line, word, COLUMNS) != j->ncolumns)
    return pel__text_error(&j->t, j->e, "%d columns are wanted, as Properties say", j->ncolumns);
  bool ok = whole(word, c[ID], &x.id) && whole(word, c[TYPE], &x.type) &&
            three(word, c[POSITION], x.x) && three(word, c[VELOCITY], x.v) &&
            (c[MASS] < 0 || pel__real(word[c[MASS]], &mass));
  for (int a = 0; a < 3 && ok && c[IMAGE] >= 0; ++a)
    ok = pel__integer(word[c[IMAGE] + a], &x.image[a]);
  if (!ok) return pel__text_error(&j->t, j->e, "a value is not the number that Properties promise");
  if (c[TYPE] >= 0) {
    if (x.type < 1 || x.type > PEL_TYPES)
      return pel__text_error(&j->t, j->e, "type %lld; 1 to %d are possible", (long long)x.type,
                             PEL_TYPES);
    if (x.type > j->p->ntypes) j->p->ntypes = (int)x.type;
    if (c[SPECIES] >= 0 && !*j->p->species[x.type - 1])
      snprintf(j->p->species[x.type - 1], sizeof *j->p->species, "%.15s", word[c[SPECIES]]);
  } else if (c[SPECIES] >= 0) {
    x.type = type_of(j, word[c[SPECIES]]);
  }
  if (j->e->code || (c[MASS] >= 0 && pel__particles_mass(&j->spot, j->p, x.type, mass, j->e)))
    return j->e->code;
  return pel__particles_put(&j->spot, j->q, j->p, j->origin, &x, j->e);
}

/* ---- frames ---- */

/* The number of particles with which a frame begins; false at the end of the file. */
static bool read_count(job *j, int64_t *n) {
  char *word[2];
  if (!pel__text_words(&j->t, j->e)) return false;
  if (pel__words(j->t.line, word, 2) == 1 && pel__integer(word[0], n) && *n >= 0) return true;
  pel__text_error(&j->t, j->e, "the number of particles of a frame is wanted, alone in its line");
  return false;
}

static bool next_line(job *j, int64_t i, int64_t n) {
  if (pel__text_next(&j->t, j->e)) return true;
  if (!j->e->code)
    pel__text_error(&j->t, j->e, "the file ends after %lld of %lld particles", (long long)i,
                    (long long)n);
  return false;
}

/* Passes over frames; returns how many there were before the one wanted, or all of them. */
static int64_t skip_frames(job *j, int64_t most) {
  int64_t frames = 0, n;
  for (; (most < 0 || frames < most) && read_count(j, &n); ++frames)
    for (int64_t i = -1; i < n; ++i)
      if (!next_line(j, i < 0 ? 0 : i, n)) return frames;
  return frames;
}

/* The types of a file that only has names. */
static void finish_types(job *j) {
  if (j->column[SPECIES] < 0 || j->column[TYPE] >= 0) return;
  bool all = true; /* names "1", "2" ... are numbers */
  for (int t = 0; t < j->p->ntypes && all; ++t) {
    int64_t x;
    all = pel__integer(j->p->species[t], &x) && x >= 1 && x <= PEL_TYPES;
  }
  if (!all) return;
  int32_t to[PEL_TYPES];
  double mass[PEL_TYPES] = {0};
  int most = 0;
  for (int t = 0; t < j->p->ntypes; ++t) {
    to[t] = atoi(j->p->species[t]) - 1;
    mass[to[t]] = j->p->mass[t];
    if (to[t] >= most) most = to[t] + 1;
  }
  for (int64_t i = 0; i < j->p->n; ++i) j->p->type[i] = to[j->p->type[i]];
  memcpy(j->p->mass, mass, sizeof mass);
  memset(j->p->species, 0, sizeof j->p->species);
  j->p->ntypes = most;
}

static int read_frame(job *j) {
  if (!read_count(j, &j->p->n)) {
    if (!j->e->code) pel__text_error(&j->t, j->e, "the file has no such frame");
    return j->e->code;
  }
  if (!next_line(j, 0, j->p->n) || read_comment(j) ||
      pel__particles_begin(&j->spot, j->p, j->t.bytes, 6, j->e))
    return j->e->code;
  j->p->ntypes = j->column[SPECIES] >= 0 && j->column[TYPE] < 0 ? 0 : 1;
  for (int64_t i = 0; i < j->p->n; ++i)
    if (!next_line(j, i, j->p->n) || read_particle(j, i)) return j->e->code;
  j->p->has_velocities = j->column[VELOCITY] >= 0;
  j->p->has_images = j->column[IMAGE] >= 0;
  finish_types(j);
  return PEL_OK;
}

int pel__read_xyz(const pel__particle_request *q, pel_particle_file *p, pel_error *e) {
  job j = {.q = q, .p = p, .e = e};
  int64_t n;
  j.spot = (pel__spot){&j.t, q->file};
  if (pel__text_open(&j.t, q->file, e)) return e->code;
  int64_t want = q->frame;
  if (want == PEL__LAST) {
    want = skip_frames(&j, -1) - 1;
    pel__text_close(&j.t);
    if (e->code || pel__text_open(&j.t, q->file, e)) return e->code;
    if (want < 0) want = 0;
  }
  const int64_t before = skip_frames(&j, want);
  if (!e->code && before < want)
    pel_error_set(e, PEL_USAGE, "%s has %lld frames; there is no frame %lld (they count from 0)",
                  q->file, (long long)before, (long long)want);
  if (!e->code && !read_frame(&j) && q->frame == PEL__LAST && read_count(&j, &n))
    pel__text_error(&j.t, e, "the file grew while it was read");
  pel__text_close(&j.t);
  return e->code;
}
