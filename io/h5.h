/* For io: attributes of HDF5 objects, and closing.  `put` clears *ok on failure and does nothing
 * when it is already clear, so a whole file is described and checked once. */
#ifndef PEL_H5_H
#define PEL_H5_H

#include <hdf5.h>
#include <stdbool.h>
#include <stdint.h>

void pel__h5_put_text(hid_t object, const char *name, const char *text, bool *ok);
void pel__h5_put_integer(hid_t object, const char *name, int64_t x, bool *ok);
void pel__h5_put_real(hid_t object, const char *name, double x, bool *ok);
void pel__h5_put_id(hid_t object, const char *name, int x, bool *ok);
/* An array of one element of this type. */
void pel__h5_put_fill(hid_t object, const char *name, hid_t type, double x, bool *ok);
/* Attribute that exists: new value of the same size. */
void pel__h5_set_text(hid_t object, const char *name, const char *text, bool *ok);

/* Text is malloced ("" if the attribute is empty); NULL if it does not exist or is no text. */
char *pel__h5_get_text(hid_t object, const char *name);
bool pel__h5_get_integer(hid_t object, const char *name, int64_t *x);
bool pel__h5_get_real(hid_t object, const char *name, double *x);

/* A scalar dataset that is one string. */
void pel__h5_put_document(hid_t group, const char *name, const char *text, bool *ok);
char *pel__h5_get_document(hid_t group, const char *name); /* malloced or NULL */

/* A text of variable length, where readers want one. */
void pel__h5_put_word(hid_t object, const char *name, const char *text, bool *ok);
/* An array of n elements, given as they are stored. */
void pel__h5_put_list(hid_t object, const char *name, hid_t type, hsize_t n, const void *x,
                      bool *ok);

/* A contiguous dataset whose bytes HDF5 allocates and never writes. */
hid_t pel__h5_reserve(hid_t parent, const char *name, hid_t type, int rank, const hsize_t *n,
                      bool *ok);

/* A dataset of doubles with its values. */
void pel__h5_put_doubles(hid_t parent, const char *name, int rank, const hsize_t *n,
                         const double *x, bool *ok);
/* All of a dataset as doubles, malloced; NULL: it is none of numbers, or cannot be read. */
double *pel__h5_get_doubles(hid_t parent, const char *name, int64_t *n);

hid_t pel__h5_group(hid_t parent, const char *name, bool *ok);

/* Where the header of an object lies in its file: [at, end); false: that cannot be told. */
bool pel__h5_header(hid_t object, int64_t *at, int64_t *end);
/* A dataset without a name whose header lies within a page of the file, and so is written as a
 * whole.  < 0: it could not be made. */
hid_t pel__h5_create_within(hid_t file, hid_t type, hid_t space, hid_t properties, int64_t page);

#endif
