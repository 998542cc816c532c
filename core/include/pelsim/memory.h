/* For core, io and cli: memory that is there.  Where it is not, and no error could be told to the
 * other ranks, the job ends with one sentence and exit code 70, and no rank waits for another. */
#ifndef PELSIM_MEMORY_H
#define PELSIM_MEMORY_H

#include <stddef.h>

/* As those of the C library, but never NULL. */
void *pel_malloc(size_t bytes) __attribute__((returns_nonnull));
void *pel_calloc(size_t n, size_t bytes) __attribute__((returns_nonnull));
void *pel_realloc(void *old, size_t bytes) __attribute__((returns_nonnull));
void *pel_aligned_alloc(size_t alignment, size_t bytes) __attribute__((returns_nonnull));
char *pel_strdup(const char *text) __attribute__((returns_nonnull));
char *pel_strndup(const char *text, size_t most) __attribute__((returns_nonnull));

/* Ends the job: `bytes` (0: unknown) were not to be had.  From any thread. */
void pel_out_of_memory(size_t bytes) __attribute__((noreturn));

/* How a job of several ranks ends, from when there is one: `end` prints "pelsim: ", the text, and
 * which rank this is, and does not return.  Before: only this process ends. */
void pel_memory_end(void (*end)(const char *text));

#endif
