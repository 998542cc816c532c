/* Reading a checkpoint: rank 0 verifies the description and compares it with the run, then every
 * rank reads its patches once and the sum of the fingerprints decides. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "checkpoint.h"
#include "posix_io.h"
#include "shared_file.h"

/* ---- does the file belong to this run? (rank 0) ---- */

static bool same(const char *a, const char *b) { return !strcmp(a ? a : "", b ? b : ""); }

/* "lon 512 x lat 256" */
static void grid_text(const pel_grid *g, char *text, size_t size) {
  size_t n = 0;
  for (int a = 0; a < g->dims && n < size; ++a)
    n += (size_t)snprintf(text + n, size - n, "%s%s %" PRId64, a ? " x " : "",
                          g->axis[a].name ? g->axis[a].name : "", g->axis[a].n);
}

static int compare_grids(const pel__checkpoint *c, const pel_grid *g, const char *path,
                         pel_error *e) {
  char theirs[200], ours[200];
  grid_text(&c->grid, theirs, sizeof theirs);
  grid_text(g, ours, sizeof ours);
  bool shape = c->grid.dims == g->dims;
  for (int a = 0; a < 3 && shape; ++a)
    shape = c->grid.axis[a].n == g->axis[a].n && same(c->grid.axis[a].name, g->axis[a].name);
  if (!shape)
    return pel_error_set(e, PEL_IO,
                         "checkpoint %s has the grid %s, the configuration %s: resume with the "
                         "same [grid]",
                         path, theirs, ours);
  for (int a = 0; a < 3; ++a) {
    const pel_axis *x = &c->grid.axis[a], *y = &g->axis[a];
    if (x->end != y->end)
      return pel_error_set(
          e, PEL_IO,
          "checkpoint %s has a %s axis %s, the configuration a %s one: resume with the "
          "same [grid]",
          path, pel__end_name[x->end], x->name, pel__end_name[y->end]);
    if (x->origin != y->origin || x->spacing != y->spacing || !same(x->unit, y->unit))
      return pel_error_set(e, PEL_IO,
                           "checkpoint %s has axis %s from %.17g by %.17g %s, the configuration "
                           "from %.17g by %.17g %s: resume with the same [grid]",
                           path, x->name, x->origin, x->spacing, x->unit, y->origin, y->spacing,
                           y->unit ? y->unit : "");
  }
  return PEL_OK;
}

static void name_list(const pel_snapshot *s, char *text, size_t size) {
  size_t n = 0;
  *text = 0;
  for (int a = 0; a < s->narrays && n < size; ++a)
    if (!pel__is_aside(s->arrays[a].name))
      n += (size_t)snprintf(text + n, size - n, "%s%s", n ? ", " : "", s->arrays[a].name);
}

static int count_state(const pel_snapshot *s) {
  int n = 0;
  for (int a = 0; a < s->narrays; ++a) n += !pel__is_aside(s->arrays[a].name);
  return n;
}

static int compare_arrays(const pel__checkpoint *c, const pel_snapshot *s, const char *path,
                          pel_error *e) {
  bool match = count_state(&c->s) == count_state(s);
  for (int a = 0; a < s->narrays && match; ++a)
    match =
        pel__is_aside(s->arrays[a].name) || pel__checkpoint_region(c, s->arrays[a].name) != NULL;
  if (!match) {
    char theirs[300], ours[300];
    name_list(&c->s, theirs, sizeof theirs);
    name_list(s, ours, sizeof ours);
    return pel_error_set(e, PEL_IO,
                         "checkpoint %s holds the fields %s, this configuration has %s: resume "
                         "with the options it was written with",
                         path, theirs, ours);
  }
  for (int a = 0; a < s->narrays; ++a) {
    for (int b = 0; b < c->s.narrays; ++b) {
      const pel_array *x = &c->s.arrays[b], *y = &s->arrays[a];
      if (same(x->name, y->name) && (!same(x->unit, y->unit) || x->place != y->place))
        return pel_error_set(
            e, PEL_IO,
            "checkpoint %s holds %s in %s at %s, this pelsim has it in %s at %s: resume "
            "with the pelsim that wrote it (%s)",
            path, x->name, x->unit, pel__place_name[x->place], y->unit ? y->unit : "1",
            pel__place_name[y->place], c->source);
    }
  }
  return PEL_OK;
}

static int belongs(const pel__checkpoint *c, const pel_snapshot *s, const char *path,
                   pel_error *e) {
  if (!same(c->model, s->model))
    return pel_error_set(e, PEL_IO, "checkpoint %s is of model %s, the configuration asks for %s",
                         path, c->model, s->model);
  if (compare_grids(c, s->grid, path, e)) return e->code;
  return compare_arrays(c, s, path, e);
}

/* ---- reading one file ---- */

/* What rank 0 finds in a file and everyone needs: taken over only when the arrays are good. */
typedef struct {
  int64_t step;
  double time;
  uint64_t fingerprint;
  int64_t *at;     /* [narrays] in the order of the snapshot; -1: not there, and aside */
  uint64_t *hash;  /* [narrays] */
  double *scalar;  /* [nscalars] */
  double **number; /* [nnumbers]: values, or NULL: not found */
} find;

static void find_fini(find *f, const pel_snapshot *s) {
  for (int i = 0; i < s->nnumbers && f->number; ++i) free(f->number[i]);
  free(f->number);
  free(f->at);
  free(f->hash);
  free(f->scalar);
}

static int find_init(find *f, const pel_snapshot *s, pel_error *e) {
  *f = (find){.at = calloc((size_t)s->narrays + 1, sizeof *f->at),
              .hash = calloc((size_t)s->narrays + 1, sizeof *f->hash),
              .scalar = calloc((size_t)s->nscalars + 1, sizeof *f->scalar),
              .number = calloc((size_t)s->nnumbers + 1, sizeof *f->number)};
  if (!f->at || !f->hash || !f->scalar || !f->number)
    pel_error_set(e, PEL_INTERNAL, "out of memory");
  return pel__agree(s->comm, e);
}

/* Rank 0. */
static pel__verdict look(const char *path, const pel_snapshot *s, find *f, pel_error *e) {
  pel__checkpoint c;
  const pel__verdict v = pel__checkpoint_open(path, &c, e);
  if (v != PEL__FILE_GOOD) return v;
  const bool ours = !belongs(&c, s, path, e);
  f->step = c.s.step;
  f->time = c.s.time;
  f->fingerprint = c.s.fingerprint;
  for (int a = 0; a < s->narrays && ours; ++a) {
    const pel__region *r = pel__checkpoint_region(&c, s->arrays[a].name);
    f->at[a] = r ? r->at : -1;
    f->hash[a] = r ? r->fingerprint : 0;
  }
  for (int i = 0; i < s->nnumbers; ++i)
    for (int j = 0; j < c.s.nnumbers; ++j) {
      pel_numbers *x = &c.s.numbers[j];
      if (!same(s->numbers[i].name, x->name) || s->numbers[i].n != x->n) continue;
      f->number[i] = x->value;
      x->value = NULL;
    }
  for (int i = 0; i < s->nscalars; ++i) {
    f->scalar[i] = s->scalars[i].value;
    for (int j = 0; j < c.s.nscalars; ++j)
      if (same(s->scalars[i].name, c.s.scalars[j].name)) f->scalar[i] = c.s.scalars[j].value;
  }
  pel__checkpoint_close(&c);
  return ours ? PEL__FILE_GOOD : PEL__FILE_REFUSED;
}

static void share_find(find *f, const pel_snapshot *s) {
  MPI_Bcast(&f->step, 1, MPI_INT64_T, 0, s->comm);
  MPI_Bcast(&f->time, 1, MPI_DOUBLE, 0, s->comm);
  MPI_Bcast(&f->fingerprint, 1, MPI_UINT64_T, 0, s->comm);
  MPI_Bcast(f->at, s->narrays, MPI_INT64_T, 0, s->comm);
  MPI_Bcast(f->hash, s->narrays, MPI_UINT64_T, 0, s->comm);
  MPI_Bcast(f->scalar, s->nscalars, MPI_DOUBLE, 0, s->comm);
}

/* Everyone takes over what rank 0 has found. */
static void share_numbers(const find *f, const pel_snapshot *s) {
  for (int i = 0; i < s->nnumbers; ++i) {
    pel_numbers *x = &s->numbers[i];
    int found = f->number[i] != NULL;
    MPI_Bcast(&found, 1, MPI_INT, 0, s->comm);
    x->found = found;
    if (!found) continue;
    if (f->number[i]) memcpy(x->value, f->number[i], (size_t)x->n * sizeof *x->value);
    MPI_Bcast(x->value, (int)x->n, MPI_DOUBLE, 0, s->comm);
  }
}

/* This rank's patches; sum[a] receives its share of array a.  0 or an errno. */
static int load(int fd, const pel_snapshot *s, const find *f, uint64_t *sum) {
  int err = 0;
  const pel_axis *axis = s->grid->axis;
  for (int a = 0; a < s->narrays && !err; ++a) {
    const pel_array *x = &s->arrays[a];
    if (f->at[a] < 0) continue;
    const pel__extent extent = {
        {axis[0].n, axis[1].n, axis[2].n}, pel__cells(s->grid), &f->at[a], false};
    uint64_t *share = calloc((size_t)x->npatches + 1, sizeof *share);
    err = share ? pel__array_read(fd, x, &extent, share) : ENOMEM;
    for (int p = 0; p < x->npatches && !err; ++p) sum[a] += share[p];
    free(share);
  }
  return err;
}

/* Collective; the verdict, and e if it is not good, on every rank. */
static pel__verdict load_verified(const char *path, const pel_snapshot *s, const find *f,
                                  pel_error *e) {
  uint64_t *sum = calloc((size_t)s->narrays + 1, sizeof *sum);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  int err = fd < 0 ? errno : sum ? 0 : ENOMEM, refused = err != 0;
  if (!err) {
    err = load(fd, s, f, sum);
    refused = err && !pel__is_damage(err);
  }
  (void)pel__close(fd);
  if (err) pel__io_error(e, "read checkpoint", path, err, 0);
  MPI_Allreduce(MPI_IN_PLACE, &refused, 1, MPI_INT, MPI_MAX, s->comm);
  if (!pel__agree(s->comm, e)) {
    MPI_Allreduce(MPI_IN_PLACE, sum, s->narrays, MPI_UINT64_T, MPI_SUM, s->comm);
    for (int a = 0; a < s->narrays; ++a)
      if (sum[a] != f->hash[a]) /* both 0 of what is not there */
        pel_error_set(e, PEL_IO,
                      "checkpoint %s is damaged: field %s has fingerprint %016" PRIx64
                      ", %016" PRIx64 " was written",
                      path, s->arrays[a].name, sum[a], f->hash[a]);
  }
  free(sum);
  return !e->code ? PEL__FILE_GOOD : refused ? PEL__FILE_REFUSED : PEL__FILE_DAMAGED;
}

/* Collective; path on every rank. */
static pel__verdict read_one(pel_snapshot *s, const char *path, pel_error *e) {
  find f;
  int rank, verdict = PEL__FILE_REFUSED;
  MPI_Comm_rank(s->comm, &rank);
  if (!find_init(&f, s, e)) {
    if (!rank) verdict = look(path, s, &f, e);
    MPI_Bcast(&verdict, 1, MPI_INT, 0, s->comm);
    pel__agree(s->comm, e);
  }
  if (verdict == PEL__FILE_GOOD) {
    share_find(&f, s);
    verdict = load_verified(path, s, &f, e);
  }
  if (verdict == PEL__FILE_GOOD) {
    s->step = f.step;
    s->time = f.time;
    s->fingerprint = f.fingerprint;
    for (int i = 0; i < s->nscalars; ++i) s->scalars[i].value = f.scalar[i];
    share_numbers(&f, s);
  }
  find_fini(&f, s);
  return (pel__verdict)verdict;
}

/* ---- a file, or the newest good one of a directory ---- */

/* Rank 0: names the damaged file and puts it out of the way, unless nobody listens.  last: no older
 * one is left. */
static void set_aside(const char *path, const pel_error *why, bool last, pel_say *say, void *ctx) {
  char bad[PATH_MAX + 8], sentence[1200];
  if (!say) return;
  snprintf(bad, sizeof bad, "%s.bad", path);
  const int err = rename(path, bad) ? errno : 0;
  snprintf(sentence, sizeof sentence, "%s; %s%s, %s", why->text,
           err ? "it could not be renamed: " : "renamed to *.bad", err ? strerror(err) : "",
           last ? "and there is none before it" : "the one before it is tried");
  say(ctx, sentence);
}

static int read_newest(pel_snapshot *s, const char *dir, pel_say *say, void *ctx, char *used,
                       pel_error *e) {
  int rank, n = 0;
  int64_t *step = NULL;
  MPI_Comm_rank(s->comm, &rank);
  if (!rank && (n = pel__checkpoint_list(dir, &step)) < 0)
    pel__io_error(e, "look for checkpoints in", dir, errno, 0);
  pel__agree(s->comm, e);
  MPI_Bcast(&n, 1, MPI_INT, 0, s->comm);
  bool done = false;
  for (int i = 0; i < n && !e->code && !done; ++i) {
    int64_t at = rank ? 0 : step[i];
    MPI_Bcast(&at, 1, MPI_INT64_T, 0, s->comm);
    pel__checkpoint_name(used, PATH_MAX, dir, at);
    pel_error why = {0};
    const pel__verdict v = read_one(s, used, &why);
    if (v == PEL__FILE_DAMAGED && !rank) set_aside(used, &why, i + 1 == n, say, ctx);
    if (v == PEL__FILE_REFUSED) pel_error_set(e, why.code, "%s", why.text);
    done = v == PEL__FILE_GOOD;
  }
  free(step);
  if (n == 0)
    pel_error_set(e, PEL_IO,
                  "there is no checkpoint in %s; name one, or the folder checkpoints of a run",
                  dir);
  else if (!done && n == 1)
    pel_error_set(e, PEL_IO, "there is no good checkpoint in %s: the only one is damaged", dir);
  else if (!done)
    pel_error_set(e, PEL_IO, "there is no good checkpoint in %s: all %d are damaged", dir, n);
  return e->code;
}

int pel__checkpoint_read(pel_snapshot *s, const char *path, pel_say *say, void *ctx, char *used,
                         pel_error *e) {
  int rank, directory = 0;
  struct stat st;
  char name[PATH_MAX];
  pel_error mine = {0};
  MPI_Comm_rank(s->comm, &rank);
  if (!rank && stat(path, &st))
    pel__io_error(&mine, "read checkpoint", path, errno, 0);
  else if (!rank)
    directory = S_ISDIR(st.st_mode);
  if (strlen(path) > PATH_MAX - 64)
    pel_error_set(&mine, PEL_IO, "cannot read checkpoint %.60s...: the name is too long", path);
  if (!pel__agree(s->comm, &mine) && !pel__arrays_complete(s, &mine)) {
    MPI_Bcast(&directory, 1, MPI_INT, 0, s->comm);
    snprintf(name, sizeof name, "%s", path);
    if (directory)
      read_newest(s, path, say, ctx, name, &mine);
    else
      read_one(s, name, &mine);
  }
  if (mine.code) return pel_error_set(e, mine.code, "%s", mine.text);
  if (used) snprintf(used, PATH_MAX, "%s", name);
  return PEL_OK;
}
