/* Checkpoints that were damaged in any way: never a crash, and never accepted unless every byte is
 * as it was written.
 *
 * The input is a list of edits to a good file.  Its first byte chooses how far damage may get:
 *   0  as it is: must be refused if any byte changed;
 *   1  the header's own check is repaired, so that the header's parser sees the edits;
 *   2  the hash of the description is repaired too, so that HDF5 and our tables see them. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "checkpoint.h"
#include "pelsim_io.h"
#define XXH_INLINE_ALL
#include <xxhash.h>

enum { NX = 5, NY = 4 };

static char dir[100], path[200];
static unsigned char *good;
static size_t size;
static pel__header header;
static double data[NX * NY];
static pel_grid grid = {.dims = 2,
                        .axis = {{.n = NX, .name = "x", .unit = "m", .spacing = 1},
                                 {.n = NY, .name = "y", .unit = "m", .spacing = 1},
                                 {.n = 1}}};
static const pel_patch patch = {.n = {NX, NY, 1}, .sy = NX, .sz = NX * NY, .data = data};
static pel_array array = {
    .name = "u", .unit = "m", .doc = "a field", .patches = &patch, .npatches = 1};
static pel_scalar scalar = {"dt", 0.5, true};

static pel_snapshot snapshot(void) {
  pel_snapshot s = {.comm = MPI_COMM_SELF,
                    .grid = &grid,
                    .model = "fuzz",
                    .title = "t",
                    .config = "{}",
                    .step = 3,
                    .time = 1.5,
                    .arrays = &array,
                    .narrays = 1,
                    .scalars = &scalar,
                    .nscalars = 1};
  s.fingerprint = pel_fingerprint_array(&array, &grid) + pel_fingerprint_scalars(&scalar, 1);
  return s;
}

static void die(const char *what) {
  fprintf(stderr, "fuzz_checkpoint: %s\n", what);
  abort();
}

static void remove_files(void) {
  char command[200];
  snprintf(command, sizeof command, "rm -rf %s", dir);
  if (system(command)) perror(command);
}

/* A valid file to spoil. */
int LLVMFuzzerInitialize(int *argc, char ***argv) {
  pel_error e = {0};
  MPI_Init(argc, argv);
  snprintf(dir, sizeof dir, "%s/pelsim_fuzz_XXXXXX",
           access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
  if (!mkdtemp(dir)) die("mkdtemp failed");
  atexit(remove_files);
  for (int i = 0; i < NX * NY; ++i) data[i] = 0.25 * i - 1;
  const pel_snapshot s = snapshot();
  if (pel_io_hdf5.checkpoint_write(&s, dir, 1, -1, &e)) die(e.text);
  snprintf(path, sizeof path, "%s/step_000000003.h5", dir);
  const int fd = open(path, O_RDONLY);
  if (pel__header_read(fd, path, &header, &e) != PEL__FILE_GOOD) die(e.text);
  size = (size_t)header.size;
  good = malloc(size);
  if (!good || pread(fd, good, size, 0) != (ssize_t)size) die("the good file cannot be read");
  close(fd);
  return 0;
}

/* Each edit: 2 bytes of place, 1 of kind, 1 of value. */
static size_t apply_edits(unsigned char *bytes, const uint8_t *in, size_t n) {
  size_t length = size;
  for (; n >= 4; in += 4, n -= 4) {
    const size_t at = ((size_t)in[0] << 8 | in[1]) % size;
    if (in[2] < 200)
      bytes[at] = in[3];
    else if (in[2] < 230)
      bytes[at] ^= (unsigned char)(1u << in[3] % 8);
    else if (in[2] < 245)
      memset(bytes + at, in[3], at + 64 < size ? 64 : size - at);
    else if (in[2] < 250)
      length = at;
  }
  return length;
}

static void repair_rest(unsigned char *bytes) {
  pel__overlay *o = pel__overlay_create(-1);
  pel__header h = header;
  if (!o || pel__overlay_write(o, 0, (int64_t)size, bytes, PEL__OTHER)) die("out of memory");
  if (pel__header_rest(&h, o, &h.rest)) die("the rest cannot be hashed");
  char *text = pel__header_text(&h);
  memcpy(bytes, text, (size_t)h.block);
  free(text);
  pel__overlay_destroy(o);
}

static void repair_check(unsigned char *bytes) {
  char word[32];
  char *end = memmem(bytes, (size_t)header.block, "\ncheck ", 7);
  if (!end || end + 24 > (char *)bytes + header.block) return;
  snprintf(word, sizeof word, "%016llx",
           (unsigned long long)XXH3_64bits(bytes, (size_t)(end + 1 - (char *)bytes)));
  memcpy(end + 7, word, 16);
}

static void put_file(const unsigned char *bytes, size_t length) {
  const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (fd < 0 || write(fd, bytes, length) != (ssize_t)length) die("the file cannot be written");
  close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n) {
  if (n < 1 || n > 400) return 0;
  unsigned char *bytes = malloc(size);
  memcpy(bytes, good, size);
  const size_t length = apply_edits(bytes, in + 1, n - 1);
  const int repair = in[0] % 3;
  if (repair == 2) repair_rest(bytes);
  if (repair == 1) repair_check(bytes);
  put_file(bytes, length);
  const bool same = length == size && !memcmp(bytes, good, size);
  pel_snapshot s = snapshot();
  pel_error e = {0};
  char used[4096];
  const int code = pel_io_hdf5.checkpoint_read(&s, path, NULL, NULL, used, &e);
  if (same && code) die(e.text);
  if (!same && repair == 0 && !code) die("a damaged file was accepted");
  if (code && (code != PEL_IO || !*e.text)) die("a refusal without a sentence");
  FILE *null = fopen("/dev/null", "w");
  const int verdict = pel_io_verify(null, path);
  if (repair == 0 && (verdict == PEL_OK) != same) die("verify and the reader disagree");
  pel_io_info(null, path, in[0] & 64);
  fclose(null);
  free(bytes);
  return 0;
}
