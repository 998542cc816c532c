/* For io: text files read line by line, and sentences that name the line. */
#ifndef PEL_TEXT_FILE_H
#define PEL_TEXT_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "pelsim/error.h"

typedef struct {
  const char *file; /* borrowed */
  FILE *f;
  char *line; /* the present one, without its end */
  size_t room;
  int64_t number; /* of it, from 1 */
  int64_t bytes;  /* of the file */
  bool again;     /* the next read gives the present line once more */
} pel__text;

/* PEL_IO with a sentence unless it is a file that can be read and is not empty. */
int pel__text_open(pel__text *t, const char *file, pel_error *e);
void pel__text_close(pel__text *t);

/* The next line; false at the end of the file, or with a sentence: a byte that is no text. */
bool pel__text_next(pel__text *t, pel_error *e);
/* The same, passing over lines without words. */
bool pel__text_words(pel__text *t, pel_error *e);

/* PEL_IO: "FILE:LINE: ..." */
int pel__text_error(const pel__text *t, pel_error *e, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Cuts a line at blanks; returns the number of words, at most `most`. */
int pel__words(char *line, char **word, int most);

/* The whole word as a finite number, or as an integer. */
bool pel__real(const char *word, double *x);
bool pel__integer(const char *word, int64_t *x);

#endif
