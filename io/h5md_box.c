/* The box of a frame. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include "h5md.h"

/* The D words of `boundary`; some write one for all. */
static int read_boundary(hid_t box, const char *path, int dimension, bool periodic[3],
                         pel_error *e) {
  enum { WORD = 64 };
  char *word[3] = {NULL}, fixed[3][WORD] = {{0}};
  const hid_t a = H5Aexists(box, "boundary") > 0 ? H5Aopen(box, "boundary", H5P_DEFAULT) : -1;
  const hid_t t = a < 0 ? -1 : H5Aget_type(a), s = a < 0 ? -1 : H5Aget_space(a);
  const hssize_t n = s < 0 ? 0 : H5Sget_simple_extent_npoints(s);
  const bool variable = t >= 0 && H5Tis_variable_str(t) > 0;
  hid_t m = -1;
  bool ok = t >= 0 && H5Tget_class(t) == H5T_STRING && (n == dimension || n == 1);
  if (ok && variable) {
    ok = H5Aread(a, t, word) >= 0;
  } else if (ok) {
    m = H5Tcopy(t);
    ok = H5Tset_size(m, WORD) >= 0 && H5Tset_strpad(m, H5T_STR_NULLTERM) >= 0 &&
         H5Aread(a, m, fixed) >= 0;
  }
  for (int i = 0; i < dimension && ok; ++i) {
    const int k = n == 1 ? 0 : i;
    const char *x = variable ? word[k] ? word[k] : "" : fixed[k];
    periodic[i] = !strcmp(x, "periodic");
    ok = periodic[i] || !strcmp(x, "none");
  }
  for (int i = 0; i < 3; ++i) H5free_memory(word[i]);
  if (m >= 0) H5Tclose(m);
  if (s >= 0) H5Sclose(s);
  if (t >= 0) H5Tclose(t);
  if (a >= 0) H5Aclose(a);
  return ok ? PEL_OK
            : pel_error_set(e, PEL_IO,
                            "%s: the box has no attribute 'boundary' of the words "
                            "'periodic' and 'none'",
                            path);
}

/* Edges as a vector or a matrix, fixed or by frame: an element whose "particles" are the axes. */
static int read_edges(const pel__h5md *f, int64_t frame, pel__h5md_box *b, pel_error *e) {
  pel__h5md box = *f;
  pel__h5md_element x;
  double x9[9] = {0};
  box.group = H5Gopen2(f->group, "box", H5P_DEFAULT);
  const bool found = pel__h5md_find(&box, "edges", &x, e);
  H5Gclose(box.group);
  if (!found) return e->code;
  b->known = true;
  const int d = b->dimension;
  if (x.n != d || (x.components != 1 && x.components != d) || (x.frames && frame >= x.frames))
    pel_error_set(e, PEL_IO, "%s: the edges of the box do not fit %d dimensions and frame %lld",
                  f->path, d, (long long)frame);
  else if (!pel__h5md_read(&box, &x, frame, x9, e))
    for (int i = 0; i < d; ++i)
      for (int k = 0; k < d; ++k)
        b->edge[3 * i + k] = x.components == 1 ? (i == k ? x9[i] : 0) : x9[d * i + k];
  pel__h5md_done(&x);
  return e->code;
}

int pel__h5md_read_box(const pel__h5md *f, int64_t frame, pel__h5md_box *b, pel_error *e) {
  *b = (pel__h5md_box){.dimension = 0};
  if (H5Lexists(f->group, "box", H5P_DEFAULT) <= 0)
    return pel_error_set(e, PEL_IO, "%s has no box", f->path);
  const hid_t box = H5Gopen2(f->group, "box", H5P_DEFAULT);
  double number = 0;
  if (box >= 0) pel__h5md_number(box, "dimension", &number);
  const int dimension = number == 2 || number == 3 ? (int)number : 0;
  b->dimension = dimension;
  if (dimension != 2 && dimension != 3)
    pel_error_set(e, PEL_IO, "%s: the box has dimension %d; 2 and 3 can be read", f->path,
                  dimension);
  else if (!read_boundary(box, f->path, dimension, b->periodic, e))
    read_edges(f, frame, b, e);
  if (box >= 0) H5Gclose(box);
  return e->code;
}
