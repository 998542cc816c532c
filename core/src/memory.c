#include "pelsim/memory.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pelsim/error.h"

static void (*end_job)(const char *text);

void pel_memory_end(void (*end)(const char *text)) { end_job = end; }

void pel_out_of_memory(size_t bytes) {
  static atomic_flag told = ATOMIC_FLAG_INIT;
  char text[200] = "out of memory; use more nodes, fewer ranks on a node, or a smaller simulation";
  while (atomic_flag_test_and_set(&told)) pause(); /* one thread tells it for all */
  if (bytes)
    snprintf(text, sizeof text,
             "out of memory: %zu bytes more were not to be had; use more nodes, fewer ranks on a "
             "node, or a smaller simulation",
             bytes);
  if (end_job) end_job(text);
  fprintf(stderr, "pelsim: %s\n", text);
  _exit(PEL_INTERNAL);
}

void *pel_malloc(size_t bytes) {
  void *p = malloc(bytes ? bytes : 1);
  if (!p) pel_out_of_memory(bytes);
  return p;
}

void *pel_calloc(size_t n, size_t bytes) {
  void *p = calloc(n ? n : 1, bytes ? bytes : 1);
  if (!p) pel_out_of_memory(n * bytes);
  return p;
}

void *pel_realloc(void *old, size_t bytes) {
  void *p = realloc(old, bytes ? bytes : 1);
  if (!p) pel_out_of_memory(bytes);
  return p;
}

void *pel_aligned_alloc(size_t alignment, size_t bytes) {
  void *p = aligned_alloc(alignment, bytes ? bytes : alignment);
  if (!p) pel_out_of_memory(bytes);
  return p;
}

char *pel_strdup(const char *text) { return pel_strndup(text, strlen(text)); }

char *pel_strndup(const char *text, size_t most) {
  char *copy = strndup(text, most);
  if (!copy) pel_out_of_memory(strnlen(text, most) + 1);
  return copy;
}
