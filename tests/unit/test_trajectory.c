/* The H5MD file of particles: values on any number of ranks, resuming on another, a writer that is
 * killed, a full disk, damage.  Runs alone and under mpirun -n 1..8. */
#define _GNU_SOURCE
#include "series_case.h"

#include <hdf5.h>
#include "trajectory.h"

enum { ARRAYS = 10 };
static const char *const array_name[ARRAYS] = {
    "position_x", "position_y", "position_z", "image_x",    "image_y",
    "image_z",    "velocity_x", "velocity_y", "velocity_z", "type"};
static const double mass[] = {1, 2.5};
static const char *const species[] = {"Ar", "Kr"};

/* Each rank holds the ids of a slab, in up to two patches; ranks beyond `holders` hold none. */
typedef struct {
  pel_snapshot s;
  pel_grid grid;
  pel_particle_frame frame;
  pel_array array[ARRAYS];
  pel_patch patch[ARRAYS][2];
  double *data;
} crowd;

static double particle_value(int array, int64_t i, int record) {
  const double x = sin(0.7 * (double)i + array) + 1e-3 * record;
  return array == 9 ? 1 + (double)(i % 2) : array >= 3 && array < 6 ? floor(10 * x) : x;
}

static void crowd_fill(crowd *c, int record) {
  c->s.step = 10 * record;
  c->s.time = 7 * record; /* not what the file counts */
  c->frame.time = record;
  for (int a = 0; a < 3; ++a) c->frame.length[a] = 5 + a + 0.125 * record;
  for (int a = 0; a < ARRAYS; ++a)
    for (int p = 0; p < c->array[a].npatches; ++p)
      for (int i = 0; i < c->patch[a][p].n[0]; ++i)
        c->patch[a][p].data[i] = particle_value(a, c->patch[a][p].first[0] + i, record);
}

static crowd *crowd_make(MPI_Comm comm, int64_t n, int holders, int narrays) {
  crowd *c = calloc(1, sizeof *c);
  int rank, size;
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &size);
  if (holders > size) holders = size;
  const int64_t first = rank < holders ? n * rank / holders : n,
                end = rank < holders ? n * (rank + 1) / holders : n, half = (end - first) / 3;
  c->data = calloc((size_t)((end - first) * ARRAYS) + 1, sizeof *c->data);
  for (int a = 0; a < ARRAYS; ++a) {
    double *at = c->data + a * (end - first);
    c->patch[a][0] = (pel_patch){.first = {first}, .n = {(int)half, 1, 1}, .data = at};
    c->patch[a][1] = (pel_patch){
        .first = {first + half}, .n = {(int)(end - first - half), 1, 1}, .data = at + half};
    c->array[a] = (pel_array){
        .name = array_name[a], .unit = "1", .doc = "", .patches = c->patch[a], .npatches = 2};
  }
  if (narrays < ARRAYS) c->array[narrays - 1] = c->array[ARRAYS - 1]; /* the types */
  c->grid = (pel_grid){.dims = 1, .axis = {{.n = n}, {.n = 1}, {.n = 1}}};
  c->frame = (pel_particle_frame){
      .periodic = {true, true, false}, .ntypes = 2, .mass = mass, .species = species};
  c->s = (pel_snapshot){.comm = comm,
                        .grid = &c->grid,
                        .particles = &c->frame,
                        .model = "test",
                        .title = "a title",
                        .config = "{}",
                        .arrays = c->array,
                        .narrays = narrays};
  crowd_fill(c, 0);
  return c;
}

static void crowd_free(crowd *c) {
  free(c->data);
  free(c);
}

static void append_or_fail(pel_series *x, crowd *c, int record) {
  pel_error e = {0};
  crowd_fill(c, record);
  CHECK(io->series_append(x, &c->s, &e) == PEL_OK, "got '%s', want a record", e.text);
}

static void read_all(hid_t file, const char *name, hid_t type, void *to, hsize_t want) {
  const hid_t d = H5Dopen2(file, name, H5P_DEFAULT);
  CHECK(d >= 0, "there is no %s", name);
  const hid_t s = H5Dget_space(d);
  CHECK(H5Sget_simple_extent_npoints(s) == (hssize_t)want, "%s: got %d values, want %d", name,
        (int)H5Sget_simple_extent_npoints(s), (int)want);
  CHECK(H5Dread(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, to) >= 0, "%s cannot be read", name);
  H5Sclose(s);
  H5Dclose(d);
}

/* Everything in the file, as HDF5 itself reads it. */
static void expect_frames(const char *path, const crowd *c, int records, bool single) {
  MPI_Barrier(MPI_COMM_WORLD);
  if (!world_rank()) {
    const int64_t n = c->grid.axis[0].n;
    const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    CHECK(file >= 0, "%s does not open", path);
    double *x = malloc((size_t)(n * 3 * (records + 1)) * sizeof *x), edges[9 * (records + 1)];
    int64_t step[records + 1];
    static const char *const element[] = {"position", "image", "velocity"};
    for (int e = 0; 3 * e + 1 < c->s.narrays; ++e) {
      char name[100];
      snprintf(name, sizeof name, PEL__GROUP "/%s/value", element[e]);
      read_all(file, name, H5T_NATIVE_DOUBLE, x, (hsize_t)(n * 3 * records));
      for (int64_t i = 0; i < n * 3 * records; ++i) {
        const int a = 3 * e + (int)(i % 3);
        double want = particle_value(a, i / 3 % n, (int)(i / 3 / n));
        if (single && e != 1) want = (double)(float)want;
        CHECK(x[i] == want, "%s[%d]: got %.17g, want %.17g", name, (int)i, x[i], want);
      }
      snprintf(name, sizeof name, PEL__GROUP "/%s/step", element[e]);
      read_all(file, name, H5T_NATIVE_INT64, step, (hsize_t)records);
      snprintf(name, sizeof name, PEL__GROUP "/%s/time", element[e]);
      read_all(file, name, H5T_NATIVE_DOUBLE, x, (hsize_t)records);
      for (int r = 0; r < records; ++r)
        CHECK(step[r] == 10 * r && x[r] == r, "frame %d: got step %d, time %g", r, (int)step[r],
              x[r]);
    }
    read_all(file, PEL__GROUP "/box/edges/value", H5T_NATIVE_DOUBLE, edges, 9 * (hsize_t)records);
    for (int i = 0; i < 9 * records; ++i) {
      const double want = i % 9 % 4 ? 0 : 5 + i % 9 / 4 + 0.125 * (i / 9);
      CHECK(edges[i] == want, "edges[%d]: got %g, want %g", i, edges[i], want);
    }
    read_all(file, PEL__GROUP "/mass", H5T_NATIVE_DOUBLE, x, (hsize_t)n);
    for (int64_t i = 0; i < n; ++i) CHECK(x[i] == mass[i % 2], "mass of %d", (int)i);
    int64_t *id = (int64_t *)x;
    read_all(file, PEL__GROUP "/id", H5T_NATIVE_INT64, id, (hsize_t)n);
    for (int64_t i = 0; i < n; ++i) CHECK_EQUAL(id[i], i + 1);
    free(x);
    H5Fclose(file);
    free(verified(path, PEL_OK));
  }
  MPI_Barrier(MPI_COMM_WORLD);
}

static void values_on_any_layout(void **state) {
  (void)state;
  char dir[200], path[300];
  make_directory(dir);
  snprintf(path, sizeof path, "%s/trajectory.h5md", dir);
  static const struct {
    int64_t n;
    int holders, narrays;
  } cases[] = {{1, 1, ARRAYS}, {5, 8, ARRAYS}, {1000, 8, ARRAYS}, {1001, 2, 7}, {40000, 8, 4}};
  for (int i = 0; i < PEL_N(cases); ++i) {
    for (int single = 0; single < 2; ++single) {
      crowd *c = crowd_make(MPI_COMM_WORLD, cases[i].n, cases[i].holders, cases[i].narrays);
      pel_series *x = open_or_fail(&c->s, path, false, single);
      expect_frames(path, c, 0, single);
      for (int r = 0; r < 3; ++r) {
        append_or_fail(x, c, r);
        expect_frames(path, c, r + 1, single); /* readable while open */
      }
      close_or_fail(x);
      crowd_free(c);
    }
  }
  clean_directory(dir);
}

static void resuming_cuts_and_continues(void **state) {
  (void)state;
  char dir[200], path[300];
  make_directory(dir);
  snprintf(path, sizeof path, "%s/trajectory.h5md", dir);
  crowd *c = crowd_make(MPI_COMM_WORLD, 77, 8, ARRAYS);
  pel_series *x = open_or_fail(&c->s, path, true, false); /* nothing there yet: created */
  for (int r = 0; r < 70; ++r) append_or_fail(x, c, r);   /* several nodes and columns' chunks */
  close_or_fail(x);
  crowd_free(c);
  c = crowd_make(MPI_COMM_WORLD, 77, 1, ARRAYS);
  crowd_fill(c, 4);
  x = open_or_fail(&c->s, path, true, false);
  expect_frames(path, c, 5, false);
  for (int r = 5; r < 68; ++r) append_or_fail(x, c, r);
  close_or_fail(x);
  expect_frames(path, c, 68, false);
  crowd_free(c);
  clean_directory(dir);
}

static void refuse(crowd *c, const char *path, bool single, const char *sentence) {
  pel_error e = {0};
  crowd_fill(c, 1);
  CHECK(!io->series_open(&c->s, path, true, single, &e), "got a file, want a refusal");
  CHECK(strstr(e.text, "cannot be continued"), "got '%s'", e.text);
  CHECK_SAYS(e, sentence);
  e = (pel_error){0};
  CHECK_EQUAL(io->series_check(&c->s, path, single, &e), PEL_IO);
  CHECK_SAYS(e, sentence);
}

static void another_run_is_refused(void **state) {
  (void)state;
  char dir[200], path[300];
  make_directory(dir);
  snprintf(path, sizeof path, "%s/trajectory.h5md", dir);
  crowd *c = crowd_make(MPI_COMM_WORLD, 50, 8, 7),
        *more = crowd_make(MPI_COMM_WORLD, 50, 8, ARRAYS),
        *other = crowd_make(MPI_COMM_WORLD, 51, 8, 7);
  pel_series *x = open_or_fail(&c->s, path, false, false);
  append_or_fail(x, c, 0);
  close_or_fail(x);
  refuse(c, path, true, "no position of 50 particles in single precision");
  refuse(more, path, false, "no velocity of 50 particles");
  refuse(other, path, false, "no position of 51 particles");
  close_or_fail(open_or_fail(&more->s, path, false, false));
  refuse(c, path, false, "an element velocity, which this run does not write");
  crowd_free(c), crowd_free(more), crowd_free(other);
  clean_directory(dir);
}

static void full_disk_leaves_out_the_record(void **state) {
  (void)state;
  char dir[200], path[300];
  make_directory(dir);
  snprintf(path, sizeof path, "%s/trajectory.h5md", dir);
  crowd *c = crowd_make(MPI_COMM_WORLD, 100, 8, ARRAYS);
  pel_series *x = open_or_fail(&c->s, path, false, false);
  append_or_fail(x, c, 0);
  append_or_fail(x, c, 1);
  for (int more = 0; more < 6000; more += 1000) {
    crowd_fill(c, 77);
    append_on_full_disk(x, &c->s, path, more);
    expect_frames(path, c, 2, false);
  }
  append_or_fail(x, c, 2);
  close_or_fail(x);
  expect_frames(path, c, 3, false);
  crowd_free(c);
  clean_directory(dir);
}

/* The writer ends before each of its writes to the file in turn, from its creation on. */
static void killed_before_each_write(void **state) {
  (void)state;
  if (world_size() > 1) skip();
  char dir[200], path[300];
  make_directory(dir);
  snprintf(path, sizeof path, "%s/trajectory.h5md", dir);
  static const int already[] = {-1, 0, 1, 63, 64, 65};
  for (int i = 0; i < PEL_N(already); ++i) {
    int code = 3, writes = 0;
    for (; code == 3; ++writes) {
      unlink(path);
      const pid_t child = fork();
      if (!child) {
        crowd *c = crowd_make(MPI_COMM_SELF, 60, 1, ARRAYS);
        if (already[i] < 0) pwrites_left = writes;
        pel_series *x = open_or_fail(&c->s, path, false, false);
        for (int r = 0; r < already[i]; ++r) append_or_fail(x, c, r);
        pwrites_left = writes;
        if (already[i] >= 0) append_or_fail(x, c, already[i]);
        _exit(0);
      }
      int status;
      waitpid(child, &status, 0);
      code = WEXITSTATUS(status);
      crowd *c = crowd_make(MPI_COMM_WORLD, 60, 1, ARRAYS);
      const int have = already[i] < 0 ? 0 : already[i] + (code == 0);
      if (already[i] >= 0) expect_frames(path, c, have, false);
      CHECK(already[i] >= 0 || code == 0 || access(path, F_OK), "a half-made file is there");
      crowd_fill(c, 1000);
      pel_series *x = open_or_fail(&c->s, path, true, false);
      append_or_fail(x, c, have);
      close_or_fail(x);
      expect_frames(path, c, have + 1, false);
      crowd_free(c);
    }
    CHECK(writes > 3, "got %d writes for a record, want more than 3", writes);
  }
  clean_directory(dir);
}

/* A byte of any number that belongs to the state is changed: verify says so. */
static void damage_is_seen(void **state) {
  (void)state;
  char dir[200], path[300];
  make_directory(dir);
  snprintf(path, sizeof path, "%s/trajectory.h5md", dir);
  crowd *c = crowd_make(MPI_COMM_WORLD, 60, 8, ARRAYS);
  pel_series *x = open_or_fail(&c->s, path, false, false);
  for (int r = 0; r < 3; ++r) append_or_fail(x, c, r);
  close_or_fail(x);
  crowd_free(c);
  static const char *const set[] = {"position/value", "velocity/value",  "image/value",
                                    "position/time",  "box/edges/value", "id",
                                    "species"};
  for (int i = 0; i < PEL_N(set) && !world_rank(); ++i) {
    char name[100];
    double was[9 * 60], now[9 * 60];
    snprintf(name, sizeof name, PEL__GROUP "/%s", set[i]);
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT),
                d = H5Dopen2(file, name, H5P_DEFAULT), t = H5Dget_type(d);
    const hid_t memory = H5Tget_class(t) == H5T_ENUM ? t : H5T_NATIVE_DOUBLE;
    CHECK(H5Dread(d, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, was) >= 0, "%s", name);
    memcpy(now, was, sizeof now);
    if (memory == t)
      ((int32_t *)now)[7] ^= 3; /* the other type */
    else
      now[2] += 1;
    H5Dwrite(d, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, now);
    H5Fflush(file, H5F_SCOPE_GLOBAL);
    free(verified(path, PEL_IO));
    H5Dwrite(d, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, was);
    H5Tclose(t), H5Dclose(d), H5Fclose(file);
    char *text = verified(path, PEL_OK);
    CHECK(strstr(text, "good, 3 frames of 60 particles"), "got '%s'", text);
    free(text);
  }
  clean_directory(dir);
}

int main(int argc, char **argv) {
  MPI_Init(&argc, &argv);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_on_any_layout),     cmocka_unit_test(resuming_cuts_and_continues),
      cmocka_unit_test(another_run_is_refused),   cmocka_unit_test(full_disk_leaves_out_the_record),
      cmocka_unit_test(killed_before_each_write), cmocka_unit_test(damage_is_seen)};
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  MPI_Finalize();
  return failed;
}
