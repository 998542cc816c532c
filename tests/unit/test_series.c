/* The CF/netCDF-4 file of output: values, shapes, resuming, failures.  Runs alone and under
 * mpirun -n 1..8. */
#define _GNU_SOURCE
#include "h5.h"
#include "series_case.h"

#include <fcntl.h>
#include <hdf5.h>
#include <netcdf.h>
#include <signal.h>

static const int64_t cube[3] = {13, 11, 7}, plane[3] = {24, 17, 1}, line[3] = {50, 1, 1};

static void append_or_fail(pel_series *x, fixture *f, int record) {
  pel_error e = {0};
  f->s.step = 10 * record;
  f->s.time = record;
  fixture_fill(f, record);
  CHECK(io->series_append(x, &f->s, &e) == PEL_OK, "got '%s', want a record", e.text);
}

#define NC(call)                                                    \
  do {                                                              \
    const int err_ = (call);                                        \
    CHECK(err_ == NC_NOERR, #call ": got '%s'", nc_strerror(err_)); \
  } while (0)

static size_t length_of(int nc, const char *dimension) {
  int id;
  size_t n;
  NC(nc_inq_dimid(nc, dimension, &id));
  NC(nc_inq_dimlen(nc, id, &n));
  return n;
}

/* Every value of every record as netCDF reads it; record r must hold fixture values + first + r. */
static void expect_records(const char *path, const fixture *f, size_t records, int first,
                           bool single) {
  MPI_Barrier(MPI_COMM_WORLD);
  if (!world_rank()) {
    int nc, v;
    NC(nc_open(path, NC_NOWRITE, &nc));
    CHECK_EQUAL(length_of(nc, "time"), records);
    const size_t cells = (size_t)(f->grid.axis[0].n * f->grid.axis[1].n * f->grid.axis[2].n);
    double *x = malloc((cells + 1) * sizeof *x);
    for (size_t r = 0; r < records; ++r) {
      for (int a = 0; a < 3; ++a) {
        size_t start[4] = {r}, count[4] = {1};
        for (int i = 0; i < f->grid.dims; ++i)
          count[1 + i] = (size_t)f->grid.axis[f->grid.dims - 1 - i].n;
        NC(nc_inq_varid(nc, f->array[a].name, &v));
        NC(nc_get_vara_double(nc, v, start, count, x));
        for (size_t i = 0; i < cells; ++i) {
          double want = value(a, (int64_t)i) + first + (double)r;
          if (single) want = (double)(float)want;
          CHECK(x[i] == want, "%s[%zu][%zu]: got %.17g, want %.17g", f->array[a].name, r, i, x[i],
                want);
        }
      }
      NC(nc_inq_varid(nc, "time", &v));
      NC(nc_get_var1_double(nc, v, &r, x));
      CHECK(x[0] == first + (double)r, "time: got %g, want %g", x[0], first + (double)r);
    }
    free(x);
    NC(nc_close(nc));
  }
  MPI_Barrier(MPI_COMM_WORLD);
}

static void values_on_any_layout(void **state) {
  (void)state;
  char dir[200], path[300];
  make_directory(dir);
  snprintf(path, sizeof path, "%s/fields.nc", dir);
  static const struct {
    int dims;
    const int64_t *n;
    int cuts[3];
  } cases[] = {{3, cube, {1, 1, 1}},
               {3, cube, {3, 2, 2}},
               {3, cube, {1, 11, 7}},
               {2, plane, {5, 2, 1}},
               {1, line, {9, 1, 1}}};
  for (int c = 0; c < PEL_N(cases); ++c) {
    for (int single = 0; single < 2; ++single) {
      fixture *f = fixture_make(MPI_COMM_WORLD, cases[c].dims, cases[c].n, cases[c].cuts);
      pel_series *x = open_or_fail(&f->s, path, false, single);
      expect_records(path, f, 0, 0, single);
      for (int r = 0; r < 5; ++r) {
        append_or_fail(x, f, r);
        expect_records(path, f, (size_t)r + 1, 0, single); /* readable while open */
      }
      close_or_fail(x);
      expect_records(path, f, 5, 0, single);
      fixture_free(f);
    }
  }
  clean_directory(dir);
}

static void resuming_cuts_and_continues(void **state) {
  (void)state;
  char dir[200], path[300];
  make_directory(dir);
  snprintf(path, sizeof path, "%s/fields.nc", dir);
  fixture *f = fixture_make(MPI_COMM_WORLD, 3, cube, (int[]){1, 2, 3});
  pel_series *x = open_or_fail(&f->s, path, true, false); /* nothing there yet: created */
  for (int r = 0; r < 8; ++r) append_or_fail(x, f, r);
  close_or_fail(x);
  fixture_free(f);
  f = fixture_make(MPI_COMM_WORLD, 3, cube, (int[]){2, 1, 1});
  f->s.time = 4;
  x = open_or_fail(&f->s, path, true, false);
  expect_records(path, f, 5, 0, false);
  for (int r = 5; r < 10; ++r) append_or_fail(x, f, r);
  close_or_fail(x);
  f->s.time = 8;
  x = open_or_fail(&f->s, path, true, false);
  close_or_fail(x);
  expect_records(path, f, 9, 0, false);
  f->s.time = -1;
  close_or_fail(open_or_fail(&f->s, path, true, false));
  expect_records(path, f, 0, 0, false);
  fixture_free(f);
  clean_directory(dir);
}

static void many_records(void **state) { /* several nodes of the chunk index, several columns */
  (void)state;
  char dir[200], path[300];
  make_directory(dir);
  snprintf(path, sizeof path, "%s/fields.nc", dir);
  fixture *f = fixture_make(MPI_COMM_WORLD, 1, line, (int[]){3, 1, 1});
  pel_series *x = open_or_fail(&f->s, path, false, true);
  const int records = world_size() > 1 ? 80 : 1100; /* ranks share few cores here */
  for (int r = 0; r < records; ++r) {
    append_or_fail(x, f, r);
    if (r == records / 2) {
      close_or_fail(x);
      x = open_or_fail(&f->s, path, true, true);
    }
  }
  close_or_fail(x);
  expect_records(path, f, (size_t)records, 0, true);
  fixture_free(f);
  clean_directory(dir);
}

static void other_shapes_are_refused(void **state) {
  (void)state;
  char dir[200], path[300];
  make_directory(dir);
  snprintf(path, sizeof path, "%s/fields.nc", dir);
  fixture *f = fixture_make(MPI_COMM_WORLD, 3, cube, (int[]){1, 1, 1});
  close_or_fail(open_or_fail(&f->s, path, false, false));
  pel_error e = {0};
  CHECK(!io->series_open(&f->s, path, true, true, &e), "got a file, want a refusal");
  CHECK_SAYS(e, "no variable h of this grid in single precision");
  f->array[2].name = "none";
  e = (pel_error){0};
  CHECK(!io->series_open(&f->s, path, true, false, &e), "got a file, want a refusal");
  CHECK_SAYS(e, "no variable none of this grid");
  f->array[2].name = "lon";
  e = (pel_error){0};
  CHECK(!io->series_open(&f->s, path, false, false, &e), "got a file, want a refusal");
  CHECK_SAYS(e, "cannot hold a field named lon");
  f->array[2].name = "zeta";
  MPI_Barrier(MPI_COMM_WORLD);
  if (!world_rank()) CHECK_EQUAL(truncate(path, 100), 0);
  MPI_Barrier(MPI_COMM_WORLD);
  e = (pel_error){0};
  CHECK(!io->series_open(&f->s, path, true, false, &e), "got a file, want a refusal");
  CHECK_SAYS(e, "cannot be continued");
  snprintf(path, sizeof path, "%s/gone/fields.nc", dir);
  e = (pel_error){0};
  CHECK(!io->series_open(&f->s, path, false, false, &e), "got a file, want a refusal");
  CHECK_SAYS(e, "No such file or directory");
  fixture_free(f);
  clean_directory(dir);
}

static void full_disk_leaves_out_the_record(void **state) {
  (void)state;
  char dir[200], path[300];
  make_directory(dir);
  snprintf(path, sizeof path, "%s/fields.nc", dir);
  fixture *f = fixture_make(MPI_COMM_WORLD, 3, cube, (int[]){1, 2, 3});
  pel_series *x = open_or_fail(&f->s, path, false, false);
  append_or_fail(x, f, 0);
  append_or_fail(x, f, 1);
  for (int more = 0; more < 24000; more += 3000) {
    fixture_fill(f, 77);
    append_on_full_disk(x, &f->s, path, more);
    expect_records(path, f, 2, 0, false);
  }
  append_or_fail(x, f, 2);
  close_or_fail(x);
  expect_records(path, f, 3, 0, false);
  fixture_free(f);
  clean_directory(dir);
}

/* A child of rank 0 writes until it is killed; what it leaves must open, hold whole records, and be
 * continued. */
static void killed_at_any_moment(void **state) {
  (void)state;
  if (world_size() > 1) skip();
  char dir[200], path[300];
  make_directory(dir);
  snprintf(path, sizeof path, "%s/fields.nc", dir);
  int seen = 0;
  for (int kill_after = 100; kill_after < 12000; kill_after += 600) {
    int ready[2];
    CHECK_EQUAL(pipe(ready), 0);
    const pid_t child = fork();
    if (!child) {
      fixture *f = fixture_make(MPI_COMM_SELF, 3, cube, (int[]){1, 1, 1});
      pel_series *x = open_or_fail(&f->s, path, false, false);
      if (write(ready[1], "x", 1) != 1) _exit(1);
      for (int r = 0;; ++r) append_or_fail(x, f, r);
    }
    char c;
    CHECK_EQUAL(read(ready[0], &c, 1), 1);
    usleep((useconds_t)kill_after);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(ready[0]), close(ready[1]);
    int nc;
    NC(nc_open(path, NC_NOWRITE, &nc));
    const size_t n = length_of(nc, "time");
    NC(nc_close(nc));
    seen += (int)n;
    fixture *f = fixture_make(MPI_COMM_WORLD, 3, cube, (int[]){1, 1, 1});
    expect_records(path, f, n, 0, false);
    f->s.time = 1e9;
    pel_series *x = open_or_fail(&f->s, path, true, false);
    append_or_fail(x, f, (int)n);
    close_or_fail(x);
    expect_records(path, f, n + 1, 0, false);
    fixture_free(f);
  }
  CHECK(seen > 30, "got %d records in all, want more than 30", seen);
  clean_directory(dir);
}

/* The same without luck: the writer ends before each of its writes to the file in turn, with a
 * chunk index of one node and when that node is split. */
static void killed_before_each_write(void **state) {
  (void)state;
  if (world_size() > 1) skip();
  char dir[200], path[300];
  make_directory(dir);
  snprintf(path, sizeof path, "%s/fields.nc", dir);
  static const int already[] = {0, 1, 63, 64, 65, 128};
  for (int i = 0; i < PEL_N(already); ++i) {
    int code = 3, writes = 0;
    for (; code == 3; ++writes) {
      const pid_t child = fork();
      if (!child) {
        fixture *f = fixture_make(MPI_COMM_SELF, 3, cube, (int[]){1, 1, 1});
        pel_series *x = open_or_fail(&f->s, path, false, false);
        for (int r = 0; r < already[i]; ++r) append_or_fail(x, f, r);
        pwrites_left = writes;
        append_or_fail(x, f, already[i]);
        _exit(0);
      }
      int status;
      waitpid(child, &status, 0);
      code = WEXITSTATUS(status);
      fixture *f = fixture_make(MPI_COMM_WORLD, 3, cube, (int[]){1, 1, 1});
      expect_records(path, f, (size_t)already[i] + (code == 0), 0, false);
      f->s.time = 1e9;
      pel_series *x = open_or_fail(&f->s, path, true, false);
      append_or_fail(x, f, already[i] + (code == 0));
      close_or_fail(x);
      expect_records(path, f, (size_t)already[i] + 1 + (code == 0), 0, false);
      fixture_free(f);
    }
    CHECK(writes > 3, "got %d writes for a record, want more than 3", writes);
  }
  clean_directory(dir);
}

/* Bytes of the header at p: HDF5 File Format Specification 2.0, IV.A.1.b. */
static int64_t header_bytes(const unsigned char *p) {
  const int flags = p[5], width = 1 << (flags & 3);
  const int64_t before = 6 + (flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0);
  int64_t chunk = 0;
  memcpy(&chunk, p + before, (size_t)width);
  return before + width + chunk + 4;
}

static void expect_header_within_a_page(hid_t file, const unsigned char *bytes, const char *name) {
  int64_t at = 0, end;
  const hid_t d = H5Dopen2(file, name, H5P_DEFAULT);
  CHECK(pel__h5_header(d, &at, &end) && !memcmp(bytes + at, "OHDR", 4), "no header of %s", name);
  const int64_t last = at + header_bytes(bytes + at) - 1;
  CHECK(last / 4096 == at / 4096, "header of %s from %ld to %ld", name, (long)at, (long)last);
  H5Dclose(d);
}

/* Headers of what grows lie within a page each, however many there are. */
static void headers_lie_within_pages(void **state) {
  (void)state;
  enum { MANY = 70 };
  if (world_size() > 1) skip();
  char dir[200], path[300], name[MANY][16];
  pel_array array[MANY];
  make_directory(dir);
  snprintf(path, sizeof path, "%s/fields.nc", dir);
  fixture *f = fixture_make(MPI_COMM_WORLD, 3, cube, (int[]){1, 1, 1});
  for (int i = 0; i < MANY; ++i) {
    snprintf(name[i], sizeof name[i], "v%d", i);
    array[i] = f->array[1];
    array[i].name = name[i];
  }
  pel_snapshot many = f->s;
  many.arrays = array, many.narrays = MANY;
  close_or_fail(open_or_fail(&many, path, false, false));
  const size_t size = (size_t)size_of(path);
  unsigned char *bytes = malloc(size);
  FILE *in = fopen(path, "r");
  CHECK(in && fread(bytes, 1, size, in) == size, "cannot read %s", path);
  fclose(in);
  const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  for (int i = 0; i < MANY; ++i) expect_header_within_a_page(file, bytes, name[i]);
  H5Fclose(file);
  free(bytes);
  fixture_free(f);
  clean_directory(dir);
}

static void expect_coordinate(int nc, const char *name, double origin, double spacing, int n) {
  int v;
  double x[100];
  NC(nc_inq_varid(nc, name, &v));
  NC(nc_get_var_double(nc, v, x));
  for (int i = 0; i < n; ++i)
    CHECK(fabs(x[i] - (origin + i * spacing)) < 1e-12, "%s[%d]: got %.17g, want %.17g", name, i,
          x[i], origin + i * spacing);
}

static void coordinates_are_where_values_are(void **state) {
  (void)state;
  char dir[200], path[300];
  make_directory(dir);
  snprintf(path, sizeof path, "%s/fields.nc", dir);
  fixture *f = fixture_make(MPI_COMM_WORLD, 2, plane, (int[]){1, 1, 1});
  close_or_fail(open_or_fail(&f->s, path, false, false));
  if (!world_rank()) {
    int nc;
    NC(nc_open(path, NC_NOWRITE, &nc));
    expect_coordinate(nc, "lon", 7.5, 15, 24);
    expect_coordinate(nc, "lon_u", 0, 15, 24);
    expect_coordinate(nc, "lat", -90 + 90. / 17, 180. / 17, 17);
    expect_coordinate(nc, "lat_v", -90, 180. / 17, 17);
    NC(nc_close(nc));
  }
  fixture_free(f);
  clean_directory(dir);
}

static void tools_look_at_files(void **state) {
  (void)state;
  char dir[200], path[300];
  make_directory(dir);
  for (int single = 0; single < 2; ++single) {
    snprintf(path, sizeof path, "%s/fields%d.nc", dir, single);
    fixture *f = fixture_make(MPI_COMM_WORLD, 3, cube, (int[]){1, 2, 3});
    pel_series *x = open_or_fail(&f->s, path, false, single);
    for (int r = 0; r < 4; ++r) append_or_fail(x, f, r);
    close_or_fail(x);
    fixture_free(f);
  }
  MPI_Barrier(MPI_COMM_WORLD);
  if (!world_rank()) {
    char other[300], *text = verified(path, PEL_OK);
    CHECK(strstr(text, "good, 4 records of model test"), "got '%s'", text);
    free(text);
    snprintf(other, sizeof other, "%s/fields0.nc", dir);
    free(verified(other, PEL_OK));
    size_t size;
    FILE *out = open_memstream(&text, &size);
    CHECK_EQUAL(pel_io_diff(out, path, path, 0), PEL_OK);
    CHECK_EQUAL(pel_io_diff(out, path, other, 0), PEL_DIFFERS);
    CHECK_EQUAL(pel_io_diff(out, path, other, 1e-6), PEL_OK);
    int nc, v;
    NC(nc_open(path, NC_WRITE, &nc));
    NC(nc_inq_varid(nc, "u", &v));
    NC(nc_put_var1_float(nc, v, (size_t[]){2, 3, 4, 5}, (float[]){1e5f}));
    NC(nc_close(nc));
    CHECK_EQUAL(pel_io_diff(out, path, other, 1e-6), PEL_DIFFERS);
    fclose(out);
    CHECK(strstr(text, "u: 1 of 4004 values differ") &&
              strstr(text, "first at time 2, z 3, lat 4, lon_u 5: 100000,"),
          "got '%s'", text);
    free(text);
    text = verified(path, PEL_IO);
    CHECK(strstr(text, "record 2 is damaged"), "got '%s'", text);
    free(text);
  }
  clean_directory(dir);
}

static void large_records_are_cut_into_chunks(void **state) {
  (void)state;
  pel_error e = {0};
  pel__chunking c;
  pel_grid g = {.dims = 3, .axis = {{.n = 20000}, {.n = 20000}, {.n = 3}}};
  CHECK_EQUAL(pel__chunking_of(&g, false, &c, &e), PEL_OK);
  CHECK(c.chunk[0] == 20000 && c.chunk[1] == 5000 && c.chunk[2] == 1 && c.npieces == 12,
        "got chunks of %d x %d x %d, %d of them", (int)c.chunk[0], (int)c.chunk[1], (int)c.chunk[2],
        c.npieces);
  g = (pel_grid){.dims = 3, .axis = {{.n = 1024}, {.n = 1024}, {.n = 300}}};
  CHECK_EQUAL(pel__chunking_of(&g, true, &c, &e), PEL_OK);
  CHECK(c.chunk[2] == 256 && c.npieces == 2 && c.piece == 256 << 20,
        "got chunks of %d planes, %d of them", (int)c.chunk[2], c.npieces);
}

int main(int argc, char **argv) {
  MPI_Init(&argc, &argv);
  const struct CMUnitTest tests[] = {cmocka_unit_test(values_on_any_layout),
                                     cmocka_unit_test(resuming_cuts_and_continues),
                                     cmocka_unit_test(many_records),
                                     cmocka_unit_test(other_shapes_are_refused),
                                     cmocka_unit_test(full_disk_leaves_out_the_record),
                                     cmocka_unit_test(killed_at_any_moment),
                                     cmocka_unit_test(killed_before_each_write),
                                     cmocka_unit_test(headers_lie_within_pages),
                                     cmocka_unit_test(coordinates_are_where_values_are),
                                     cmocka_unit_test(tools_look_at_files),
                                     cmocka_unit_test(large_records_are_cut_into_chunks)};
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  MPI_Finalize();
  return failed;
}
