/* Files of tabulated pair potentials, in LAMMPS' format of pair style table
 * (https://docs.lammps.org/pair_table.html):
 *
 *   # comments and empty lines before a section
 *   KEYWORD
 *   N 500 R 1.0 10.0       also RSQ lo hi: steps equal in r^2; neither: r as it is listed
 *
 *   1 1.0 25.5 102.3       number, r, energy, force -du/dr */
#ifndef PEL_MD_TABLE_FILE_H
#define PEL_MD_TABLE_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* u and -du/dr at n distances from low to high, equal steps in r or in r^2. */
typedef struct {
  int n;
  bool squared;
  double low, high;
  double *u, *f;
} pel__table;

/* The section of that name; "" takes the first.  units: what a tag "UNITS: metal" in a comment
 * before it must say.  A list of uneven distances is interpolated to even
 * ones.  Returns false with a sentence in error. */
bool pel__table_parse(pel__table *t, const char *keyword, const char *units, const char *file,
                      const char *text, size_t size, char *error, size_t error_size);
void pel__table_free(pel__table *t);

static inline double pel__table_step(const pel__table *t) {
  return t->squared ? (t->high * t->high - t->low * t->low) / (t->n - 1)
                    : (t->high - t->low) / (t->n - 1);
}

#endif
