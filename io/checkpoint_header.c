/* The text before the HDF5 superblock:
 *
 *   pelsim checkpoint 2
 *   # HDF5 file: h5dump, h5ls and h5py read it as it is
 *   block 4096
 *   size 33567744
 *   fingerprint 0123456789abcdef
 *   rest 0123456789abcdef
 *   array 8192 33554432 0123456789abcdef u
 *   check 0123456789abcdef
 *
 * then zeros.  Hashes are XXH3 of 64 bits; `check` covers every byte before its own line.  The
 * first line, `block` and `check` are the same in every format, so that a file of another format
 * can be told from a damaged one. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "checkpoint.h"
#include "pelsim/memory.h"
#include "posix_io.h"
#define XXH_INLINE_ALL
#include <xxhash.h>

static const char magic[] = "pelsim checkpoint ";
static const char remark[] = "# HDF5 file: h5dump, h5ls and h5py read it as it is\n";
enum { SMALLEST = 512, LARGEST = 1 << 24 };

void pel__header_fini(pel__header *h) {
  for (int i = 0; i < h->narrays; ++i) free(h->array[i].name);
  free(h->array);
  *h = (pel__header){0};
}

int64_t pel__header_room(const pel_snapshot *s) {
  size_t want = 300, room = PEL__PAGE;
  for (int a = 0; a < s->narrays; ++a) want += 80 + strlen(s->arrays[a].name);
  while (room < want) room *= 2; /* HDF5 looks for itself at powers of two */
  return (int64_t)room;
}

char *pel__header_text(const pel__header *h) {
  char *text = calloc(1, (size_t)h->block), *p = text, *end = text + h->block;
  if (!text) return NULL;
  p += snprintf(p, (size_t)(end - p), "%s%d\n%s", magic, PEL__CHECKPOINT_FORMAT, remark);
  p += snprintf(p, (size_t)(end - p), "block %" PRId64 "\nsize %" PRId64 "\n", h->block, h->size);
  p += snprintf(p, (size_t)(end - p), "fingerprint %016" PRIx64 "\nrest %016" PRIx64 "\n",
                h->fingerprint, h->rest);
  for (int i = 0; i < h->narrays; ++i)
    p += snprintf(p, (size_t)(end - p), "array %" PRId64 " %" PRId64 " %016" PRIx64 " %s\n",
                  h->array[i].at, h->array[i].bytes, h->array[i].fingerprint, h->array[i].name);
  const uint64_t check = XXH3_64bits(text, (size_t)(p - text));
  snprintf(p, (size_t)(end - p), "check %016" PRIx64 "\n", check);
  return text;
}

int pel__header_rest(const pel__header *h, const pel__overlay *o, uint64_t *hash) {
  enum { PIECE = 1 << 20 };
  XXH3_state_t *x = XXH3_createState();
  char *buffer = malloc(PIECE);
  int err = x && buffer ? 0 : ENOMEM;
  if (!err) XXH3_64bits_reset(x);
  int64_t at = h->block;
  for (int i = 0; i <= h->narrays && !err; ++i) {
    const int64_t stop = i < h->narrays ? h->array[i].at : h->size;
    for (int64_t n; at < stop && !err; at += n) {
      n = stop - at < PIECE ? stop - at : PIECE;
      err = pel__overlay_read(o, at, n, buffer);
      if (!err) XXH3_64bits_update(x, buffer, (size_t)n);
    }
    if (i < h->narrays) at = h->array[i].at + h->array[i].bytes;
  }
  if (!err) *hash = XXH3_64bits_digest(x);
  XXH3_freeState(x);
  free(buffer);
  return err;
}

/* ---- reading ---- */

/* Each takes its part off the front of the text; false: it is not there. */
static bool take_word(const char **p, const char *word) {
  const size_t n = strlen(word);
  if (strncmp(*p, word, n)) return false;
  *p += n;
  return true;
}

static bool take_number(const char **p, int64_t *x) {
  int n = 0;
  *x = 0;
  for (; (*p)[n] >= '0' && (*p)[n] <= '9' && n < 18; ++n) *x = 10 * *x + ((*p)[n] - '0');
  *p += n;
  return n > 0 && (**p < '0' || **p > '9');
}

static bool take_hash(const char **p, uint64_t *x) {
  *x = 0;
  for (int n = 0; n < 16; ++n, ++*p) {
    const char c = **p;
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (digit < 0) return false;
    *x = *x << 4 | (uint64_t)digit;
  }
  return true;
}

static bool take_array(const char **p, pel__header *h) {
  pel__region r = {0};
  if (!take_number(p, &r.at) || !take_word(p, " ") || !take_number(p, &r.bytes) ||
      !take_word(p, " ") || !take_hash(p, &r.fingerprint) || !take_word(p, " "))
    return false;
  const char *end = strchr(*p, '\n');
  const int64_t from =
      h->narrays ? h->array[h->narrays - 1].at + h->array[h->narrays - 1].bytes : h->block;
  if (!end || end == *p || r.at < from || r.bytes > h->size || r.at > h->size - r.bytes)
    return false;
  h->array = pel_realloc(h->array, (size_t)(h->narrays + 1) * sizeof *h->array);
  r.name = pel_strndup(*p, (size_t)(end - *p));
  h->array[h->narrays++] = r;
  *p = end + 1;
  return true;
}

/* Everything between the magic word and `check`, which has been verified. */
static bool take_all(const char *p, int64_t room, pel__header *h) {
  if (!take_word(&p, remark) || !take_word(&p, "block ") || !take_number(&p, &h->block) ||
      !take_word(&p, "\nsize ") || !take_number(&p, &h->size) || !take_word(&p, "\nfingerprint ") ||
      !take_hash(&p, &h->fingerprint) || !take_word(&p, "\nrest ") || !take_hash(&p, &h->rest) ||
      !take_word(&p, "\n") || h->block != room || h->size < room)
    return false;
  while (take_word(&p, "array "))
    if (!take_array(&p, h)) return false;
  return take_word(&p, "check ");
}

/* Size of the block as its own text gives it, 0 if it does not. */
static int64_t block_size(const char *start) {
  const char *p = strstr(start, "\nblock ");
  int64_t n;
  if (!p) return 0;
  p += 7;
  return take_number(&p, &n) && n >= SMALLEST && n <= LARGEST && (n & (n - 1)) == 0 ? n : 0;
}

/* Does the block end with a `check` that fits, and then zeros? */
static bool intact(const char *text, int64_t room) {
  const char *p = strstr(text, "\ncheck ");
  uint64_t check;
  if (!p) return false;
  const uint64_t is = XXH3_64bits(text, (size_t)(++p - text));
  if (!take_word(&p, "check ") || !take_hash(&p, &check) || !take_word(&p, "\n") || check != is)
    return false;
  for (; p < text + room; ++p)
    if (*p) return false;
  return true;
}

/* The block's text, verified and terminated; NULL: damaged, or *err says why it cannot be read. */
static char *read_block(int fd, const char *start, int *err) {
  const int64_t room = block_size(start);
  char *text = room ? calloc(1, (size_t)room + 1) : NULL;
  *err = room && !text ? ENOMEM : 0;
  if (text) *err = pel__pread(fd, text, (size_t)room, 0);
  if (*err == ENODATA) *err = 0; /* cut short: as damaged as any other */
  if (text && (*err || !intact(text, room))) {
    free(text);
    text = NULL;
  }
  return text;
}

pel__verdict pel__verdict_of(int err) {
  return pel__is_damage(err) ? PEL__FILE_DAMAGED : PEL__FILE_REFUSED;
}

pel__verdict pel__header_read(int fd, const char *path, pel__header *h, pel_error *e) {
  struct stat st = {0};
  char start[513] = {0};
  *h = (pel__header){0};
  int err = fstat(fd, &st) ? errno : !S_ISREG(st.st_mode) ? EINVAL : 0;
  if (!err) err = pel__pread_zeros(fd, start, 512, 0);
  if (err) {
    if (S_ISDIR(st.st_mode)) err = EISDIR;
    pel__io_error(e, "read checkpoint", path, err, 0);
    return st.st_mode ? pel__verdict_of(err) : PEL__FILE_REFUSED;
  }
  if (strncmp(start, magic, sizeof magic - 1)) {
    pel_error_set(e, PEL_IO, "%s is not a pelsim checkpoint: it does not begin with \"%s\"", path,
                  magic);
    return PEL__FILE_DAMAGED;
  }
  pel__verdict verdict = PEL__FILE_DAMAGED;
  char *text = read_block(fd, start, &err);
  const char *p = text ? text + sizeof magic - 1 : NULL;
  int64_t format = 0;
  if (err) {
    pel__io_error(e, "read checkpoint", path, err, 0);
    if (!pel__is_damage(err)) verdict = PEL__FILE_REFUSED;
  } else if (text && take_number(&p, &format) && format != PEL__CHECKPOINT_FORMAT) {
    pel_error_set(e, PEL_IO,
                  "checkpoint %s has format %" PRId64
                  ", this pelsim reads format %d: resume with the pelsim that wrote it",
                  path, format, PEL__CHECKPOINT_FORMAT);
    verdict = PEL__FILE_REFUSED;
  } else if (!text || !take_word(&p, "\n") || !take_all(p, block_size(start), h)) {
    pel_error_set(e, PEL_IO, "checkpoint %s is damaged: its first block does not match its check",
                  path);
  } else if (h->size != st.st_size) {
    pel_error_set(e, PEL_IO,
                  "checkpoint %s is damaged: it has %" PRId64 " bytes, %" PRId64 " were written",
                  path, (int64_t)st.st_size, h->size);
  } else {
    verdict = PEL__FILE_GOOD;
  }
  free(text);
  if (verdict != PEL__FILE_GOOD) pel__header_fini(h);
  return verdict;
}
