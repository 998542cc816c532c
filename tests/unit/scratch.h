/* For unit tests that write files: each test gets a directory of its own, removed afterwards. */
#ifndef PEL_TEST_SCRATCH_H
#define PEL_TEST_SCRATCH_H

#define _GNU_SOURCE /* nftw */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char top[64]; /* the directory of this test; also the working directory */

static inline int remove_one(const char *path, const struct stat *s, int kind, struct FTW *f) {
  (void)s, (void)kind, (void)f;
  return remove(path);
}

static inline int enter(void **state) {
  (void)state;
  strcpy(top, "/tmp/pelsim_test_XXXXXX");
  unsetenv("PELSIM_COLUMNS");
  return !mkdtemp(top) || chdir(top) || mkdir("run", 0777);
}

static inline int leave(void **state) {
  (void)state;
  return chdir("/") || nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline char *read_text(const char *path) {
  static char text[100000];
  FILE *f = fopen(path, "r");
  text[0] = 0;
  if (!f) return text;
  text[fread(text, 1, sizeof text - 1, f)] = 0;
  fclose(f);
  return text;
}

static inline void must_contain(const char *text, const char *want) {
  if (!strstr(text, want)) fail_msg("got '%s',\n want '%s' in it", text, want);
}

static inline void must_equal(const char *got, const char *want) {
  if (strcmp(got, want)) fail_msg("got '%s',\n want '%s'", got, want);
}

#endif
