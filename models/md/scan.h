/* Reading tables of numbers from text, for the files of potentials: words and lines, and sentences
 * that say where in the file something is wrong. */
#ifndef PEL_MD_SCAN_H
#define PEL_MD_SCAN_H

#include <stdbool.h>
#include <stddef.h>

typedef struct {
  const char *file;     /* its name, for sentences */
  const char *at, *end; /* what is not yet read; *end is 0 */
  int line;             /* of `at`, from 1 */
  char error[700];      /* the first failure; "" is none */
} pel__scan;

typedef struct {
  char text[80]; /* "" at the end of the file; longer words are cut */
  int line;
} pel__word;

/* text[size] must be 0. */
void pel__scan_init(pel__scan *s, const char *file, const char *text, size_t size);

/* "FILE:LINE: ..."; the first sentence is kept.  Returns false. */
bool pel__scan_fail(pel__scan *s, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The rest of the present line, without its end; false at the end of the file. */
bool pel__scan_line(pel__scan *s, char *text, size_t size);

/* The next word of this line or those after it, of this line only (peek: left to be read). */
pel__word pel__scan_word(pel__scan *s);
pel__word pel__scan_here(pel__scan *s);
pel__word pel__scan_peek(const pel__scan *s);

/* Finite numbers; Fortran's exponents D and d are understood. */
bool pel__word_real(const char *word, double *x);

/* One number; `what` names it in sentences.  False once the scan has failed. */
bool pel__scan_real(pel__scan *s, const char *what, double *x);
bool pel__scan_int(pel__scan *s, const char *what, int least, int most, int *n);
/* n numbers, on as many lines as there are. */
bool pel__scan_reals(pel__scan *s, const char *what, int n, double *x);

#endif
