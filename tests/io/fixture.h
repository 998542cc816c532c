/* For the tests of io: distributed arrays with known values on layouts of every kind, and checks
 * that end all ranks together. */
#ifndef FIXTURE_H
#define FIXTURE_H

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
/* cmocka wants the four above */
#include <cmocka.h>

#include "checkpoint.h"
#include "fields.h"
#include "pelsim_io.h"

/* A failed check on one rank must not leave the others waiting in a collective call. */
#define CHECK(cond, ...)                                                     \
  do {                                                                       \
    if (!(cond)) {                                                           \
      fprintf(stderr, "%s:%d: rank %d: ", __FILE__, __LINE__, world_rank()); \
      fprintf(stderr, __VA_ARGS__);                                          \
      fputc('\n', stderr);                                                   \
      if (world_size() > 1) MPI_Abort(MPI_COMM_WORLD, 1);                    \
      fail();                                                                \
    }                                                                        \
  } while (0)
#define CHECK_EQUAL(got, want) \
  CHECK((got) == (want), #got ": got %lld, want %lld", (long long)(got), (long long)(want))
#define CHECK_SAYS(e, part) \
  CHECK(strstr((e).text, part), "got sentence '%s', want one with '%s'", (e).text, part)

static int world_rank(void) {
  int r;
  MPI_Comm_rank(MPI_COMM_WORLD, &r);
  return r;
}

static int world_size(void) {
  int n;
  MPI_Comm_size(MPI_COMM_WORLD, &n);
  return n;
}

/* How the grid is cut: into cut[0] x cut[1] x cut[2] boxes, dealt to the ranks in turn. */
typedef struct {
  pel_snapshot s;
  pel_grid grid;
  pel_array array[3];
  pel_scalar scalar[3];
} fixture;

static inline double value(int array, int64_t index) {
  if (array == 2 && index == 3) return -0.0;
  return sin(0.37 * (double)index + array) * exp(array * 10.0) + 1e-3 * (double)index;
}

static inline int64_t cut_at(int64_t n, int b, int nb) { return n * b / nb; }

/* Patches with halos of 2 and an odd stride, so that rows are never contiguous in memory. */
static inline pel_patch *cut(const pel_grid *g, const int cuts[3], int rank, int size, int *n) {
  const int total = cuts[0] * cuts[1] * cuts[2];
  pel_patch *p = calloc((size_t)total + 1, sizeof *p);
  *n = 0;
  for (int b = rank; b < total; b += size, ++*n) {
    const int c[3] = {b % cuts[0], b / cuts[0] % cuts[1], b / cuts[0] / cuts[1]};
    pel_patch *q = &p[*n];
    for (int d = 0; d < 3; ++d) {
      q->first[d] = cut_at(g->axis[d].n, c[d], cuts[d]);
      q->n[d] = (int)(cut_at(g->axis[d].n, c[d] + 1, cuts[d]) - q->first[d]);
    }
    q->sy = q->n[0] + 5;
    q->sz = q->sy * (q->n[1] + 4);
    double *all = malloc((size_t)q->sz * (size_t)(q->n[2] + 4) * sizeof *all);
    for (ptrdiff_t i = 0; i < q->sz * (q->n[2] + 4); ++i) all[i] = NAN;
    q->data = all + 2 * q->sz + 2 * q->sy + 2;
  }
  return p;
}

/* Calls visit for every element of every patch of array a. */
#define EACH_ELEMENT(f, a, index, x)                                                             \
  for (const pel_patch *p_ = (f)->array[a].patches;                                              \
       p_ < (f)->array[a].patches + (f)->array[a].npatches; ++p_)                                \
    for (int k_ = 0; k_ < p_->n[2]; ++k_)                                                        \
      for (int j_ = 0; j_ < p_->n[1]; ++j_)                                                      \
        for (int i_ = 0, once_ = 1; once_; once_ = 0)                                            \
          for (int64_t index = ((p_->first[2] + k_) * (f)->grid.axis[1].n + p_->first[1] + j_) * \
                                   (f)->grid.axis[0].n +                                         \
                               p_->first[0];                                                     \
               i_ < p_->n[0]; ++i_, ++index)                                                     \
            for (double *x = p_->data + k_ * p_->sz + j_ * p_->sy + i_; x; x = NULL)

/* No pel_fingerprint_array: its threads would not survive the fork of a test. */
static inline void fixture_fill(fixture *f, double shift) {
  uint64_t sum = 0;
  for (int a = 0; a < f->s.narrays; ++a) {
    const uint64_t key = pel_fingerprint_key(f->array[a].name);
    EACH_ELEMENT(f, a, index, x) {
      *x = value(a, index) + shift;
      sum += pel_fingerprint_row(key, index, x, 1);
    }
  }
  MPI_Allreduce(&sum, &f->s.fingerprint, 1, MPI_UINT64_T, MPI_SUM, f->s.comm);
  f->s.fingerprint += pel_fingerprint_scalars(f->s.scalars, f->s.nscalars);
}

static inline fixture *fixture_make(MPI_Comm comm, int dims, const int64_t n[3],
                                    const int cuts[3]) {
  fixture *f = calloc(1, sizeof *f);
  int rank, size;
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &size);
  static const char *const axis[] = {"lon", "lat", "z"};
  static const char *const unit[] = {"degrees_east", "degrees_north", "m"};
  static const char *const standard[] = {"longitude", "latitude", "height"};
  f->grid.dims = dims;
  for (int d = 0; d < 3; ++d)
    f->grid.axis[d] = (pel_axis){.n = n[d],
                                 .end = d ? PEL_WALL : PEL_PERIODIC,
                                 .name = axis[d],
                                 .unit = unit[d],
                                 .standard_name = standard[d],
                                 .origin = d == 1 ? -90 : 0,
                                 .spacing = (d == 1 ? 180. : 360.) / (double)n[d]};
  static const pel_place place[] = {PEL_CENTRE, PEL_FACE_X, PEL_CORNER_XY};
  static const char *const name[] = {"h", "u", "zeta"};
  for (int a = 0; a < 3; ++a) {
    int np;
    pel_patch *p = cut(&f->grid, cuts, rank, size, &np);
    f->array[a] = (pel_array){.name = name[a],
                              .unit = "m",
                              .standard_name = a ? NULL : "height",
                              .doc = "a test",
                              .place = place[a],
                              .patches = p,
                              .npatches = np};
  }
  f->scalar[0] = (pel_scalar){"next_output", 0.1, false};
  f->scalar[1] = (pel_scalar){"mass_at_start", 1. / 3, false};
  f->scalar[2] = (pel_scalar){"box", 5.5, true};
  f->s = (pel_snapshot){.comm = comm,
                        .grid = &f->grid,
                        .model = "test",
                        .title = "a title",
                        .config =
                            "{\"time\": {\"start\": {\"value\": \"2001-02-03 04:05:06\"}, "
                            "\"calendar\": {\"value\": \"noleap\"}}}",
                        .step = 7,
                        .time = 0.7,
                        .arrays = f->array,
                        .narrays = 3,
                        .scalars = f->scalar,
                        .nscalars = 3};
  return f;
}

static inline void fixture_free(fixture *f) {
  for (int a = 0; a < 3; ++a) {
    for (int p = 0; p < f->array[a].npatches; ++p) {
      const pel_patch *q = &f->array[a].patches[p];
      free(q->data - 2 * q->sz - 2 * q->sy - 2);
    }
    free((pel_patch *)f->array[a].patches);
  }
  free(f);
}

/* A fresh directory, the same on every rank; removed by clean_directory. */
static void make_directory(char dir[200]) {
  if (!world_rank()) {
    const char *tmp = getenv("TMPDIR");
    snprintf(dir, 200, "%.150s/pelsim_test_XXXXXX", tmp ? tmp : "/tmp");
    CHECK(mkdtemp(dir), "mkdtemp: %s", strerror(errno));
  }
  MPI_Bcast(dir, 200, MPI_CHAR, 0, MPI_COMM_WORLD);
}

static void clean_directory(const char *dir) {
  MPI_Barrier(MPI_COMM_WORLD);
  char command[300];
  snprintf(command, sizeof command, "rm -rf '%s'", dir);
  if (!world_rank()) CHECK_EQUAL(system(command), 0);
}

#endif
