/* Checkpoints: any layout to any layout bit for bit, every flipped bit noticed, nothing lost when
 * the disk is full.  Runs alone and under mpirun -n 1..8. */
#define _GNU_SOURCE
#include "../io/fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

static const pel_io *const io = &pel_io_hdf5;

static const int64_t cube[3] = {13, 11, 7}, plane[3] = {24, 17, 1}, line[3] = {50, 1, 1};
static const int one[3] = {1, 1, 1};

/* Ranks share few cores here, and each message may cost a time slice: fewer cases on many ranks. */
static int stride(void) { return world_size() > 4 ? 4 : world_size() > 2 ? 2 : 1; }

static void say(void *ctx, const char *sentence) {
  char *last = ctx;
  snprintf(last, 1200, "%s", sentence);
}

static void expect_values(fixture *f, double shift) {
  for (int a = 0; a < f->s.narrays; ++a) EACH_ELEMENT(f, a, index, x) {
      const double want = value(a, index) + shift;
      CHECK(!memcmp(x, &want, sizeof want), "%s[%" PRId64 "]: got %.17g, want %.17g",
            f->array[a].name, index, *x, want);
    }
}

static int count_files(const char *dir, const char *suffix) {
  int n = 0;
  DIR *d = opendir(dir);
  const size_t k = strlen(suffix);
  for (const struct dirent *e; d && (e = readdir(d));) {
    const size_t m = strlen(e->d_name);
    n += *e->d_name != '.' && m >= k && !strcmp(e->d_name + m - k, suffix);
  }
  if (d) closedir(d);
  return n;
}

/* The first `ranks` ranks write, then another number of them read, in other boxes. */
static void write_read(int dims, const int64_t n[3], const int w[3], const int r[3], int writers,
                       int readers) {
  char dir[200];
  make_directory(dir);
  pel_error e = {0};
  MPI_Comm comm;
  MPI_Comm_split(MPI_COMM_WORLD, world_rank() < writers, world_rank(), &comm);
  if (world_rank() < writers) {
    fixture *f = fixture_make(comm, dims, n, w);
    fixture_fill(f, 0);
    CHECK(io->checkpoint_write(&f->s, dir, 2, -1, &e) == PEL_OK, "got '%s', want success", e.text);
    fixture_free(f);
  }
  MPI_Comm_free(&comm);
  MPI_Comm_split(MPI_COMM_WORLD, world_rank() < readers, world_rank(), &comm);
  if (world_rank() < readers) {
    fixture *f = fixture_make(comm, dims, n, r);
    fixture_fill(f, 1);
    const uint64_t other = f->s.fingerprint;
    f->s.step = 0, f->s.time = 0, f->scalar[0].value = 0, f->scalar[1].name = "unknown";
    char used[4096], last[1200] = "";
    CHECK(io->checkpoint_read(&f->s, dir, say, last, used, &e) == PEL_OK, "got '%s', want success",
          e.text);
    expect_values(f, 0);
    CHECK_EQUAL(f->s.step, 7);
    CHECK(f->s.time == 0.7 && f->scalar[0].value == 0.1 && f->scalar[1].value == 1. / 3,
          "got time %g, scalars %g %g, want 0.7, 0.1, and 1/3 kept", f->s.time, f->scalar[0].value,
          f->scalar[1].value);
    CHECK(f->s.fingerprint != other, "the fingerprint was not read");
    CHECK(strstr(used, "/step_000000007.h5"), "got used '%s', want step_000000007.h5", used);
    CHECK(!*last, "got '%s', want silence", last);
    fixture_free(f);
  }
  MPI_Comm_free(&comm);
  clean_directory(dir);
}

static void any_layout_to_any_layout(void **state) {
  (void)state;
  static const int cuts[][3] = {{1, 1, 1}, {1, 1, 7}, {1, 4, 1}, {5, 1, 1}, {3, 2, 2}, {13, 11, 7}};
  const int p = world_size();
  for (int w = 0; w < PEL_N(cuts); ++w)
    for (int r = w % stride(); r < PEL_N(cuts); r += stride() + w % 2)
      write_read(3, cube, cuts[w], cuts[r], w % 2 ? p : (p + 1) / 2, r % 2 ? p : 1);
  write_read(2, plane, (int[]){2, 3, 1}, (int[]){1, 5, 1}, p, p);
  write_read(1, line, (int[]){7, 1, 1}, (int[]){2, 1, 1}, p, p);
}

static fixture *written(const char *dir, int64_t step, double shift) {
  fixture *f = fixture_make(MPI_COMM_WORLD, 3, cube, (int[]){1, 3, 4});
  pel_error e = {0};
  f->s.step = step, f->s.time = (double)step / 10;
  fixture_fill(f, shift);
  CHECK(io->checkpoint_write(&f->s, dir, 3, -1, &e) == PEL_OK, "got '%s', want success", e.text);
  return f;
}

static void newest_good_one_is_used(void **state) {
  (void)state;
  char dir[200], path[300], used[4096], last[1200] = "";
  make_directory(dir);
  for (int step = 1; step <= 5; ++step) fixture_free(written(dir, step, step));
  CHECK_EQUAL(count_files(dir, ".h5"), 3);
  if (!world_rank()) {
    snprintf(path, sizeof path, "%s/step_000000005.h5", dir);
    CHECK_EQUAL(truncate(path, 5000), 0);
    snprintf(path, sizeof path, "%s/step_000000004.h5", dir);
    const int fd = open(path, O_RDWR);
    struct stat st;
    fstat(fd, &st);
    CHECK_EQUAL(pwrite(fd, "x", 1, st.st_size - 3000), 1);
    close(fd);
  }
  MPI_Barrier(MPI_COMM_WORLD);
  pel_error e = {0};
  fixture *f = fixture_make(MPI_COMM_WORLD, 3, cube, (int[]){2, 2, 2});
  CHECK(io->checkpoint_read(&f->s, dir, say, last, used, &e) == PEL_OK, "got '%s', want success",
        e.text);
  CHECK_EQUAL(f->s.step, 3);
  expect_values(f, 3);
  CHECK_EQUAL(count_files(dir, ".bad"), 2);
  CHECK(world_rank() || strstr(last, "step_000000004.h5 is damaged"), "got '%s'", last);
  fixture_free(f);
  clean_directory(dir);
}

static void later_steps_and_dead_writers_go(void **state) {
  (void)state;
  char dir[200], path[300];
  make_directory(dir);
  for (int step = 10; step <= 40; step += 10) fixture_free(written(dir, step, 0));
  int living = -1;
  if (!world_rank()) {
    snprintf(path, sizeof path, "%s/step_000000050.h5.tmp", dir);
    close(open(path, O_CREAT | O_RDWR, 0644));
    snprintf(path, sizeof path, "%s/step_000000060.h5.tmp", dir);
    living = open(path, O_CREAT | O_RDWR, 0644);
    CHECK_EQUAL(flock(living, LOCK_EX), 0);
  }
  MPI_Barrier(MPI_COMM_WORLD);
  fixture_free(written(dir, 25, 0));
  CHECK_EQUAL(count_files(dir, ".h5"), 2); /* 20 and 25; 10 went with 40, 30 and 40 are later */
  snprintf(path, sizeof path, "%s/step_000000020.h5", dir);
  CHECK_EQUAL(access(path, F_OK), 0);
  CHECK_EQUAL(count_files(dir, ".tmp"), 1);
  if (living >= 0) close(living);
  clean_directory(dir);
}

static void full_disk_loses_nothing(void **state) {
  (void)state;
  char dir[200], used[4096], last[1200] = "";
  make_directory(dir);
  fixture_free(written(dir, 1, 1));
  struct rlimit was, small;
  getrlimit(RLIMIT_FSIZE, &was);
  for (int64_t limit = 0; limit < 45000; limit += stride() * (limit < 20000 ? 1000 : 5000)) {
    fixture *f = fixture_make(MPI_COMM_WORLD, 3, cube, one);
    pel_error e = {0};
    f->s.step = 2;
    fixture_fill(f, 2);
    small = (struct rlimit){(rlim_t)limit, was.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    const int code = io->checkpoint_write(&f->s, dir, 3, -1, &e);
    setrlimit(RLIMIT_FSIZE, &was);
    if (code == PEL_OK) CHECK(limit > 24 * 1001, "got success with a limit of %d", (int)limit);
    if (code != PEL_OK) CHECK_EQUAL(code, PEL_IO);
    if (code != PEL_OK) CHECK_SAYS(e, "step_000000002.h5: larger than the limit");
    if (code != PEL_OK) CHECK_EQUAL(count_files(dir, ".h5"), 1);
    CHECK_EQUAL(count_files(dir, ".tmp"), 0);
    fixture_free(f);
  }
  pel_error e = {0};
  fixture *f = fixture_make(MPI_COMM_WORLD, 3, cube, one);
  CHECK(io->checkpoint_read(&f->s, dir, say, last, used, &e) == PEL_OK, "got '%s'", e.text);
  expect_values(f, (double)f->s.step);
  fixture_free(f);
  clean_directory(dir);
}

/* Reads a file that must be refused; the sentence is in *e, the file keeps its name. */
static void expect_refusal(fixture *f, const char *path, const char *part, const char *how) {
  pel_error e = {0};
  char used[4096], last[1200] = "";
  const int code = io->checkpoint_read(&f->s, path, say, last, used, &e);
  CHECK(code == PEL_IO, "%s: got code %d, want %d", how, code, PEL_IO);
  CHECK(e.code == PEL_IO && strstr(e.text, part), "%s: got '%s', want '%s'", how, e.text, part);
  CHECK(!*last, "%s: got '%s', want silence", how, last);
}

static void every_flipped_bit_is_found(void **state) {
  (void)state;
  char dir[200], path[300], how[80];
  make_directory(dir);
  fixture *f = written(dir, 7, 0);
  snprintf(path, sizeof path, "%s/step_000000007.h5", dir);
  struct stat st;
  stat(path, &st);
  uint64_t random = 1;
  const int flips = world_size() > 1 ? 80 / stride() : 10000;
  for (int i = 0; i < flips; ++i) {
    random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    const int64_t range = i % 3 == 0 ? 2048 : st.st_size;
    const int64_t at = (int64_t)(random >> 20) % range;
    unsigned char byte = 0;
    const int fd = open(path, O_RDWR);
    CHECK_EQUAL(pread(fd, &byte, 1, at), 1);
    byte ^= (unsigned char)(1u << (random >> 11) % 8);
    MPI_Barrier(MPI_COMM_WORLD);
    if (!world_rank()) CHECK_EQUAL(pwrite(fd, &byte, 1, at), 1);
    MPI_Barrier(MPI_COMM_WORLD);
    snprintf(how, sizeof how, "byte %" PRId64, at);
    expect_refusal(f, path, path, how);
    byte ^= (unsigned char)(1u << (random >> 11) % 8);
    MPI_Barrier(MPI_COMM_WORLD);
    if (!world_rank()) CHECK_EQUAL(pwrite(fd, &byte, 1, at), 1);
    MPI_Barrier(MPI_COMM_WORLD);
    close(fd);
  }
  pel_error e = {0};
  char used[4096];
  CHECK(io->checkpoint_read(&f->s, path, say, used, used, &e) == PEL_OK,
        "after repair: got '%s', want success", e.text);
  fixture_free(f);
  clean_directory(dir);
}

static void truncated_and_foreign_files(void **state) {
  (void)state;
  char dir[200], path[300], other[300];
  make_directory(dir);
  fixture *f = written(dir, 7, 0);
  snprintf(path, sizeof path, "%s/step_000000007.h5", dir);
  struct stat st;
  stat(path, &st);
  MPI_Barrier(MPI_COMM_WORLD);
  const int64_t lengths = world_size() > 1 ? 60 / stride() : 300;
  for (int64_t size = st.st_size; size > 0;
       size -= size > 5000 ? st.st_size / lengths : 5000 / lengths + 1) {
    MPI_Barrier(MPI_COMM_WORLD);
    if (!world_rank()) CHECK_EQUAL(truncate(path, size - 1), 0);
    MPI_Barrier(MPI_COMM_WORLD);
    expect_refusal(f, path, path, "truncated");
  }
  MPI_Barrier(MPI_COMM_WORLD);
  if (!world_rank()) CHECK_EQUAL(truncate(path, 0), 0);
  MPI_Barrier(MPI_COMM_WORLD);
  expect_refusal(f, path, "not a pelsim checkpoint", "empty");
  snprintf(other, sizeof other, "%s/none.h5", dir);
  expect_refusal(f, other, "No such file", "missing");
  MPI_Barrier(MPI_COMM_WORLD);
  if (!world_rank()) unlink(path);
  MPI_Barrier(MPI_COMM_WORLD);
  expect_refusal(f, dir, "; name one, or the folder checkpoints of a run", "empty directory");
  fixture_free(f);
  clean_directory(dir);
}

static void another_run_is_refused(void **state) {
  (void)state;
  char dir[200], path[300];
  make_directory(dir);
  fixture_free(written(dir, 7, 0));
  snprintf(path, sizeof path, "%s/step_000000007.h5", dir);
  const int64_t bigger[3] = {14, 11, 7};
  fixture *f = fixture_make(MPI_COMM_WORLD, 3, bigger, one);
  expect_refusal(f, dir, "has the grid lon 13 x lat 11 x z 7, the configuration lon 14", "grid");
  fixture_free(f);
  f = fixture_make(MPI_COMM_WORLD, 3, cube, one);
  f->s.model = "other";
  expect_refusal(f, path, "is of model test, the configuration asks for other", "model");
  f->s.model = "test";
  f->array[1].name = "v";
  expect_refusal(f, path, "holds the fields h, u, zeta, this configuration has h, v, zeta",
                 "arrays");
  f->array[1].name = "u";
  f->array[1].unit = "km";
  expect_refusal(f, path, "holds u in m at face_x, this pelsim has it in km", "unit");
  f->array[1].unit = "m";
  f->grid.axis[1].origin = -80;
  expect_refusal(f, path, "has axis lat from -90 by", "origin");
  f->grid.axis[1].origin = -90;
  f->grid.axis[1].end = PEL_POLE;
  expect_refusal(f, path, "has a wall axis lat, the configuration a pole one", "end");
  CHECK_EQUAL(count_files(dir, ".bad"), 0);
  fixture_free(f);
  clean_directory(dir);
}

/* What a tool prints, malloced. */
static char *printed(int (*tool)(FILE *out, const char *path), const char *path, int want) {
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  const int got = tool(out, path);
  fclose(out);
  CHECK(got == want, "%s: got code %d, want %d; it said '%s'", path, got, want, text);
  return text;
}

static void expect_print(int (*tool)(FILE *out, const char *path), const char *path, int want,
                         const char *part) {
  char *text = printed(tool, path, want);
  CHECK(strstr(text, part), "%s: got '%s', want '%s'", path, text, part);
  free(text);
}

/* Makes the file one that another pelsim wrote: whole and consistent, in a format of its own. */
static void set_format(const char *path, int format) {
  char *text = calloc(2, 4096), *now = calloc(2, 4096);
  const int fd = open(path, O_RDWR);
  CHECK_EQUAL(pread(fd, text, 4096, 0), 4096); /* the block of a file with three fields */
  char *rest = strchr(text, '\n'), *check = strstr(text, "\ncheck ") + 1;
  *check = 0;
  int n = snprintf(now, 4096, "pelsim checkpoint %d%snews of format %d\n", format, rest, format);
  n += snprintf(now + n, 4096 - (size_t)n, "check %016" PRIx64 "\n",
                (uint64_t)XXH3_64bits(now, (size_t)n));
  CHECK(n < 4096, "got a block of %d bytes, want it to fit into 4096", n);
  CHECK_EQUAL(pwrite(fd, now, 4096, 0), 4096);
  close(fd);
  free(text);
  free(now);
}

/* Changes a number of the state, and all checksums but the fingerprint. */
static void set_number(const char *path, const char *name, double value) {
  const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT),
              group = H5Gopen2(file, "pelsim/state", H5P_DEFAULT),
              at = H5Aopen(group, name, H5P_DEFAULT);
  CHECK(H5Awrite(at, H5T_NATIVE_DOUBLE, &value) >= 0, "cannot set %s", name);
  H5Aclose(at), H5Gclose(group), H5Fclose(file);
  pel__header h;
  pel_error e = {0};
  const int fd = open(path, O_RDWR);
  CHECK_EQUAL(pel__header_read(fd, path, &h, &e), PEL__FILE_GOOD);
  pel__overlay *o = pel__overlay_create(fd);
  CHECK_EQUAL(pel__header_rest(&h, o, &h.rest), 0);
  char *text = pel__header_text(&h);
  CHECK_EQUAL(pwrite(fd, text, (size_t)h.block, 0), h.block);
  free(text);
  pel__overlay_destroy(o);
  pel__header_fini(&h);
  close(fd);
}

static void another_format_is_refused(void **state) {
  (void)state;
  static const int formats[] = {1, 23, 0};
  char dir[200], path[300], want[600];
  for (size_t i = 0; i < sizeof formats / sizeof *formats; ++i) {
    make_directory(dir);
    fixture_free(written(dir, 6, 0)); /* an older one that is readable: not a way out */
    fixture *f = written(dir, 7, 0);
    snprintf(path, sizeof path, "%s/step_000000007.h5", dir);
    snprintf(want, sizeof want,
             "checkpoint %s has format %d, this pelsim reads format 2: resume with the pelsim that "
             "wrote it",
             path, formats[i]);
    MPI_Barrier(MPI_COMM_WORLD);
    if (!world_rank()) set_format(path, formats[i]);
    MPI_Barrier(MPI_COMM_WORLD);
    expect_refusal(f, path, want, "the file");
    expect_refusal(f, dir, want, "the directory");
    CHECK_EQUAL(count_files(dir, ".bad"), 0);
    if (!world_rank()) {
      expect_print(pel_io_verify, path, PEL_IO, want);
      expect_print(pel_io_fingerprint, path, PEL_IO, want);
    }
    fixture_free(f);
    clean_directory(dir);
  }
}

static void impossible_directories(void **state) {
  (void)state;
  char dir[200], path[300];
  make_directory(dir);
  fixture *f = fixture_make(MPI_COMM_WORLD, 3, cube, one);
  fixture_fill(f, 0);
  pel_error e = {0};
  snprintf(path, sizeof path, "%s/gone/checkpoints", dir);
  CHECK_EQUAL(io->checkpoint_write(&f->s, path, 2, -1, &e), PEL_IO);
  CHECK_SAYS(e, "No such file or directory");
  f->s.fingerprint ^= 1;
  e = (pel_error){0};
  CHECK_EQUAL(io->checkpoint_write(&f->s, dir, 2, -1, &e), PEL_IO);
  CHECK_SAYS(e, "is not kept: what was read back has fingerprint");
  CHECK_EQUAL(count_files(dir, ""), 0);
  fixture_free(f);
  clean_directory(dir);
}

static void expect_diff(const char *a, const char *b, double tol, int want, const char *part) {
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  const int got = pel_io_diff(out, a, b, tol);
  fclose(out);
  CHECK(got == want && strstr(text, part), "tolerance %g: got code %d and '%s', want %d and '%s'",
        tol, got, text, want, part);
  free(text);
}

/* A number of the state differs: another fingerprint, which only a state that has it may claim. */
static void numbers_are_of_the_state(void **state) {
  (void)state;
  char dir[200], other[200], path[300], hash[20];
  make_directory(dir);
  make_directory(other);
  pel_error e = {0};
  fixture *f = written(dir, 7, 0);
  const uint64_t before = f->s.fingerprint;
  f->scalar[2].value = 6;
  CHECK_EQUAL(io->checkpoint_write(&f->s, other, 2, -1, &e), PEL_IO);
  CHECK_SAYS(e, "is not kept: what was read back has fingerprint");
  fixture_fill(f, 0);
  CHECK(f->s.fingerprint != before, "got the fingerprint of another box");
  CHECK_EQUAL(io->checkpoint_write(&f->s, other, 2, -1, &(pel_error){0}), PEL_OK);
  CHECK_EQUAL(io->checkpoint_read(&f->s, dir, say, path, NULL, &(pel_error){0}), PEL_OK);
  CHECK(f->scalar[2].value == 5.5 && f->s.fingerprint == before, "got box %g, want 5.5",
        f->scalar[2].value);
  fixture_fill(f, 0);
  f->s.fingerprint = before;
  snprintf(hash, sizeof hash, "%016" PRIx64 "\n", before);
  if (!world_rank()) {
    expect_print(pel_io_fingerprint, dir, PEL_OK, hash);
    expect_diff(dir, other, 0, PEL_DIFFERS, "box: 5.5, 6\n");
    expect_diff(dir, other, .01, PEL_DIFFERS, "box: 5.5, 6\n");
    expect_diff(dir, other, .1, PEL_OK, "");
    snprintf(path, sizeof path, "%s/step_000000007.h5", other);
    expect_print(pel_io_verify, path, PEL_OK, "good, step 7");
    set_number(path, "box", 5.75);
    expect_print(pel_io_verify, path, PEL_IO, "the fingerprint does not fit its state");
  }
  fixture_free(f);
  clean_directory(dir);
  clean_directory(other);
}

static void damage(const char *path, int64_t at) {
  char byte;
  const int fd = open(path, O_RDWR);
  CHECK_EQUAL(pread(fd, &byte, 1, at), 1);
  byte ^= 4;
  CHECK_EQUAL(pwrite(fd, &byte, 1, at), 1);
  close(fd);
}

static void tools_look_at_files(void **state) {
  (void)state;
  char dir[200], other[200], path[300], path2[300], hash[20];
  make_directory(dir);
  make_directory(other);
  fixture *f = written(dir, 7, 0);
  snprintf(hash, sizeof hash, "%016" PRIx64 "\n", f->s.fingerprint);
  fixture_free(f);
  fixture_free(written(other, 7, 1e-9));
  snprintf(path, sizeof path, "%s/step_000000007.h5", dir);
  snprintf(path2, sizeof path2, "%s/step_000000007.h5", other);
  MPI_Barrier(MPI_COMM_WORLD);
  if (!world_rank()) {
    expect_print(pel_io_fingerprint, dir, PEL_OK, hash);
    expect_print(pel_io_verify, path, PEL_OK, "good, step 7, time 0.7 s, 3 fields, fingerprint");
    expect_diff(path, path, 0, PEL_OK, "");
    expect_diff(dir, other, 0, PEL_DIFFERS, "of 1001 values differ, by at most 1");
    expect_diff(dir, other, 1e-6, PEL_OK, "");
    expect_diff(dir, other, -1, PEL_USAGE, "the tolerance must be a number");
    const int64_t zeta = 4096 + 24 * 1001; /* at least: the last field ends the file */
    struct stat st;
    stat(path, &st);
    CHECK(st.st_size > zeta, "got a file of %d bytes", (int)st.st_size);
    pel__checkpoint c;
    pel_error e = {0};
    CHECK_EQUAL(pel__checkpoint_open(path, &c, &e), PEL__FILE_GOOD);
    const int64_t at = pel__checkpoint_region(&c, "u")->at;
    pel__checkpoint_close(&c);
    damage(path, at + 8 * ((3 * 11 + 4) * 13 + 5)); /* element (5, 4, 3) */
    expect_print(pel_io_verify, path, PEL_IO, "field u is damaged in block ");
    expect_print(pel_io_verify, path, PEL_IO, "lon 0..12, lat 3..6, z 3..4\n");
    expect_diff(path, path2, 0, PEL_IO, "field u of the first file is damaged");
    expect_print(pel_io_fingerprint, path, PEL_IO, "field u is damaged");
    damage(path, 4096 + 60);
    expect_print(pel_io_verify, path, PEL_IO, "its description does not match its hash");
    expect_print(pel_io_verify, "/", PEL_IO, "is a directory without checkpoints");
  }
  clean_directory(dir);
  clean_directory(other);
}

int main(int argc, char **argv) {
  MPI_Init(&argc, &argv);
  const struct CMUnitTest tests[] = {cmocka_unit_test(any_layout_to_any_layout),
                                     cmocka_unit_test(newest_good_one_is_used),
                                     cmocka_unit_test(numbers_are_of_the_state),
                                     cmocka_unit_test(later_steps_and_dead_writers_go),
                                     cmocka_unit_test(full_disk_loses_nothing),
                                     cmocka_unit_test(every_flipped_bit_is_found),
                                     cmocka_unit_test(truncated_and_foreign_files),
                                     cmocka_unit_test(another_run_is_refused),
                                     cmocka_unit_test(another_format_is_refused),
                                     cmocka_unit_test(impossible_directories),
                                     cmocka_unit_test(tools_look_at_files)};
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  MPI_Finalize();
  return failed;
}
