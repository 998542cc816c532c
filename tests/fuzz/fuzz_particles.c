/* Particle files of any bytes: never a crash; either one sentence, or particles that are whole.
 *
 * The first byte of the input chooses the format and the frame.  H5MD: the rest is a list of edits
 * to a good file whose metadata have checksums: HDF5 1.10 reads beyond its own buffers when they
 * are damaged, which is not for us to mend; values of every kind come through. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <hdf5.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "particle_file.h"

static char path[100];
static unsigned char *good;
static size_t size;

static void die(const char *what) {
  fprintf(stderr, "fuzz_particles: %s\n", what);
  abort();
}

static void remove_file(void) { unlink(path); }

static void put(const void *bytes, size_t n) {
  const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (fd < 0 || write(fd, bytes, n) != (ssize_t)n) die("the file cannot be written");
  close(fd);
}

static void add(hid_t at, const char *name, hid_t type, int rank, const hsize_t *n, const void *x) {
  const hid_t s = H5Screate_simple(rank, n, NULL),
              d = H5Dcreate2(at, name, type, s, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  if (H5Dwrite(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, x) < 0) die(name);
  H5Dclose(d), H5Sclose(s);
}

static void make_h5md(void) {
  const hid_t none = H5P_DEFAULT, access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
  const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, none, access),
              h5md = H5Gcreate2(file, "h5md", none, none, none),
              all = H5Gcreate2(file, "particles", none, none, none),
              g = H5Gcreate2(all, "a", none, none, none),
              box = H5Gcreate2(g, "box", none, none, none),
              p = H5Gcreate2(g, "position", none, none, none), t = H5Tcopy(H5T_C_S1),
              word = H5Screate_simple(1, (hsize_t[]){3}, NULL), one = H5Screate(H5S_SCALAR);
  const double x[2][4][3] = {{{1, 2, 3}, {.5, .25, .125}}};
  add(p, "value", H5T_NATIVE_DOUBLE, 3, (hsize_t[]){2, 4, 3}, x);
  add(p, "step", H5T_NATIVE_INT, 1, (hsize_t[]){2}, (int[]){0, 10});
  add(p, "time", H5T_NATIVE_DOUBLE, 1, (hsize_t[]){2}, (double[]){0, 1});
  add(g, "species", H5T_NATIVE_INT, 1, (hsize_t[]){4}, (int[]){1, 2, 1, 1});
  add(g, "id", H5T_NATIVE_INT, 1, (hsize_t[]){4}, (int[]){2, 1, 4, 3});
  add(box, "edges", H5T_NATIVE_DOUBLE, 1, (hsize_t[]){3}, (double[]){4, 5, 6});
  H5Tset_size(t, 9);
  const hid_t b = H5Acreate2(box, "boundary", t, word, none, none),
              d = H5Acreate2(box, "dimension", H5T_NATIVE_INT, one, none, none);
  H5Awrite(b, t, (char[3][9]){"periodic", "periodic", "none"});
  H5Awrite(d, H5T_NATIVE_INT, &(int){3});
  H5Aclose(b), H5Aclose(d), H5Tclose(t), H5Sclose(word), H5Sclose(one);
  H5Gclose(p), H5Gclose(box), H5Gclose(g), H5Gclose(all), H5Gclose(h5md), H5Fclose(file),
      H5Pclose(access);
  const int fd = open(path, O_RDONLY);
  size = (size_t)lseek(fd, 0, SEEK_END);
  good = malloc(size);
  if (!good || pread(fd, good, size, 0) != (ssize_t)size) die("the good file cannot be read");
  close(fd);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc, (void)argv;
  snprintf(path, sizeof path, "%s/pelsim_fuzz_XXXXXX",
           access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
  const int fd = mkstemp(path);
  if (fd < 0) die("mkstemp failed");
  close(fd);
  atexit(remove_file);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  make_h5md();
  return 0;
}

/* Each edit: 2 bytes of place, 1 of value. */
static void put_edited(const uint8_t *in, size_t n) {
  unsigned char *bytes = malloc(size);
  if (!bytes) die("out of memory");
  memcpy(bytes, good, size);
  for (; n >= 3; in += 3, n -= 3) bytes[((size_t)in[0] << 8 | in[1]) % size] = in[2];
  put(bytes, size);
  free(bytes);
}

static void check(const pel_particle_file *p) {
  if (p->n < 1 || p->held != p->n || p->ntypes < 1 || p->ntypes > PEL_TYPES)
    die("impossible numbers");
  for (int64_t i = 0; i < p->n; ++i) {
    if (p->type[i] < 0 || p->type[i] >= p->ntypes) die("an impossible type");
    for (int a = 0; a < 3; ++a)
      if (!(p->x[a][i] >= 0 && p->x[a][i] <= p->length[a]) || !isfinite(p->v[a][i]))
        die("a particle outside the box");
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n) {
  static const char *const format[] = {"auto", "lammps", "xyz", "nist", "h5md"}, *const frame[] = {
                                                                                     "last",
                                                                                     "first", "1"};
  static const bool walls[3] = {false, true, false};
  pel_particle_file p;
  pel_error e = {0};
  if (n < 1 || n > 5000) return 0;
  const char *f = format[in[0] % 5];
  if (!strcmp(f, "h5md"))
    put_edited(in + 1, n - 1);
  else
    put(in + 1, n - 1);
  const int code =
      pel__particles_read(path, f, frame[in[0] / 5 % 3], in[0] & 128 ? walls : NULL, &p, &e);
  if (code && (!*e.text || strchr(e.text, '\n') || p.x[0])) die("a bad refusal");
  if (!code) check(&p);
  pel__particles_free(&p);
  return 0;
}
