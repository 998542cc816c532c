#include "h5.h"

#include <stdlib.h>
#include <string.h>

#include "pelsim/memory.h"

enum { TEXT_LIMIT = 1 << 28 }; /* no honest text of ours is longer */

static hid_t text_type(size_t size) {
  const hid_t t = H5Tcopy(H5T_C_S1);
  if (t < 0 || H5Tset_size(t, size) < 0 || H5Tset_cset(t, H5T_CSET_UTF8) < 0) {
    H5Tclose(t);
    return -1;
  }
  return t;
}

static void put(hid_t object, const char *name, hid_t stored, hid_t given, const void *x,
                bool *ok) {
  if (!*ok) return;
  const hid_t s = H5Screate(H5S_SCALAR);
  const hid_t a = H5Acreate2(object, name, stored, s, H5P_DEFAULT, H5P_DEFAULT);
  *ok = a >= 0 && H5Awrite(a, given, x) >= 0;
  if (a >= 0) H5Aclose(a);
  H5Sclose(s);
}

void pel__h5_put_text(hid_t object, const char *name, const char *text, bool *ok) {
  const hid_t t = text_type(strlen(text) + 1);
  if (t < 0) *ok = false;
  put(object, name, t, t, text, ok);
  if (t >= 0) H5Tclose(t);
}

void pel__h5_put_integer(hid_t object, const char *name, int64_t x, bool *ok) {
  put(object, name, H5T_STD_I64LE, H5T_NATIVE_INT64, &x, ok);
}

void pel__h5_put_real(hid_t object, const char *name, double x, bool *ok) {
  put(object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &x, ok);
}

void pel__h5_put_id(hid_t object, const char *name, int x, bool *ok) {
  put(object, name, H5T_STD_I32LE, H5T_NATIVE_INT, &x, ok);
}

void pel__h5_put_fill(hid_t object, const char *name, hid_t type, double x, bool *ok) {
  if (!*ok) return;
  const hid_t s = H5Screate_simple(1, (hsize_t[]){1}, NULL);
  const hid_t a = H5Acreate2(object, name, type, s, H5P_DEFAULT, H5P_DEFAULT);
  *ok = a >= 0 && H5Awrite(a, H5T_NATIVE_DOUBLE, &x) >= 0;
  if (a >= 0) H5Aclose(a);
  H5Sclose(s);
}

void pel__h5_set_text(hid_t object, const char *name, const char *text, bool *ok) {
  if (!*ok) return;
  const hid_t a = H5Aopen(object, name, H5P_DEFAULT), t = a < 0 ? -1 : H5Aget_type(a);
  *ok = t >= 0 && H5Tget_size(t) == strlen(text) + 1 && H5Awrite(a, t, text) >= 0;
  if (t >= 0) H5Tclose(t);
  if (a >= 0) H5Aclose(a);
}

static bool scalar(hid_t space) {
  const bool yes = space >= 0 && H5Sget_simple_extent_type(space) == H5S_SCALAR;
  if (space >= 0) H5Sclose(space);
  return yes;
}

/* Room for a fixed-length string of type t, terminated; NULL if it is none. */
static char *room_for(hid_t t) {
  if (t < 0 || H5Tget_class(t) != H5T_STRING || H5Tis_variable_str(t) > 0) return NULL;
  const size_t size = H5Tget_size(t);
  return size && size < TEXT_LIMIT ? pel_calloc(1, size + 1) : NULL;
}

char *pel__h5_get_text(hid_t object, const char *name) {
  if (H5Aexists(object, name) <= 0) return NULL;
  const hid_t a = H5Aopen(object, name, H5P_DEFAULT), t = a < 0 ? -1 : H5Aget_type(a);
  char *text = a >= 0 && scalar(H5Aget_space(a)) ? room_for(t) : NULL;
  if (text && H5Aread(a, t, text) < 0) {
    free(text);
    text = NULL;
  }
  if (t >= 0) H5Tclose(t);
  if (a >= 0) H5Aclose(a);
  return text;
}

static bool get(hid_t object, const char *name, H5T_class_t class, hid_t type, void *x) {
  if (H5Aexists(object, name) <= 0) return false;
  const hid_t a = H5Aopen(object, name, H5P_DEFAULT), t = a < 0 ? -1 : H5Aget_type(a);
  const bool ok =
      t >= 0 && H5Tget_class(t) == class && scalar(H5Aget_space(a)) && H5Aread(a, type, x) >= 0;
  if (t >= 0) H5Tclose(t);
  if (a >= 0) H5Aclose(a);
  return ok;
}

bool pel__h5_get_integer(hid_t object, const char *name, int64_t *x) {
  return get(object, name, H5T_INTEGER, H5T_NATIVE_INT64, x);
}

bool pel__h5_get_real(hid_t object, const char *name, double *x) {
  return get(object, name, H5T_FLOAT, H5T_NATIVE_DOUBLE, x);
}

void pel__h5_put_document(hid_t group, const char *name, const char *text, bool *ok) {
  if (!*ok) return;
  const hid_t s = H5Screate(H5S_SCALAR), t = text_type(strlen(text) + 1);
  const hid_t d = t < 0 ? -1 : H5Dcreate2(group, name, t, s, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  *ok = d >= 0 && H5Dwrite(d, t, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) >= 0;
  if (d >= 0) H5Dclose(d);
  if (t >= 0) H5Tclose(t);
  H5Sclose(s);
}

char *pel__h5_get_document(hid_t group, const char *name) {
  const hid_t d = H5Dopen2(group, name, H5P_DEFAULT), t = d < 0 ? -1 : H5Dget_type(d);
  char *text = d >= 0 && scalar(H5Dget_space(d)) ? room_for(t) : NULL;
  if (text && H5Dread(d, t, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) < 0) {
    free(text);
    text = NULL;
  }
  if (t >= 0) H5Tclose(t);
  if (d >= 0) H5Dclose(d);
  return text;
}

hid_t pel__h5_group(hid_t parent, const char *name, bool *ok) {
  const hid_t g =
      *ok ? H5Gcreate2(parent, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT) : H5I_INVALID_HID;
  if (g < 0) *ok = false;
  return g;
}

hid_t pel__h5_reserve(hid_t parent, const char *name, hid_t type, int rank, const hsize_t *n,
                      bool *ok) {
  if (!*ok) return -1;
  const hid_t p = H5Pcreate(H5P_DATASET_CREATE), s = H5Screate_simple(rank, n, NULL);
  hid_t d = -1;
  if (H5Pset_alloc_time(p, H5D_ALLOC_TIME_EARLY) >= 0 &&
      H5Pset_fill_time(p, H5D_FILL_TIME_NEVER) >= 0)
    d = H5Dcreate2(parent, name, type, s, H5P_DEFAULT, p, H5P_DEFAULT);
  if (d < 0) *ok = false;
  H5Sclose(s);
  H5Pclose(p);
  return d;
}

void pel__h5_put_word(hid_t object, const char *name, const char *text, bool *ok) {
  const hid_t t = text_type(H5T_VARIABLE);
  if (t < 0) *ok = false;
  put(object, name, t, t, &text, ok);
  if (t >= 0) H5Tclose(t);
}

void pel__h5_put_list(hid_t object, const char *name, hid_t type, hsize_t n, const void *x,
                      bool *ok) {
  if (!*ok) return;
  const hid_t s = H5Screate_simple(1, &n, NULL);
  const hid_t a = H5Acreate2(object, name, type, s, H5P_DEFAULT, H5P_DEFAULT);
  *ok = a >= 0 && H5Awrite(a, type, x) >= 0;
  if (a >= 0) H5Aclose(a);
  H5Sclose(s);
}

void pel__h5_put_doubles(hid_t parent, const char *name, int rank, const hsize_t *n,
                         const double *x, bool *ok) {
  if (!*ok) return;
  const hid_t s = rank ? H5Screate_simple(rank, n, NULL) : H5Screate(H5S_SCALAR);
  const hid_t d =
      H5Dcreate2(parent, name, H5T_IEEE_F64LE, s, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  *ok = d >= 0 && H5Dwrite(d, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, x) >= 0;
  if (d >= 0) H5Dclose(d);
  H5Sclose(s);
}

double *pel__h5_get_doubles(hid_t parent, const char *name, int64_t *n) {
  const hid_t d = H5Dopen2(parent, name, H5P_DEFAULT), s = d < 0 ? -1 : H5Dget_space(d),
              t = d < 0 ? -1 : H5Dget_type(d);
  const hssize_t count = s < 0 ? -1 : H5Sget_simple_extent_npoints(s);
  const H5T_class_t class = t < 0 ? H5T_NO_CLASS : H5Tget_class(t);
  double *x = NULL;
  if (count >= 0 && count < (hssize_t)1 << 32 && (class == H5T_FLOAT || class == H5T_INTEGER))
    x = pel_calloc((size_t)count + 1, sizeof *x);
  if (x && H5Dread(d, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, x) < 0) {
    free(x);
    x = NULL;
  }
  *n = (int64_t)count;
  if (t >= 0) H5Tclose(t);
  if (s >= 0) H5Sclose(s);
  if (d >= 0) H5Dclose(d);
  return x;
}

bool pel__h5_header(hid_t object, int64_t *at, int64_t *end) {
  haddr_t place = HADDR_UNDEF;
#if H5_VERSION_GE(1, 12, 0)
  H5O_info2_t info;
  H5O_native_info_t native;
  if (H5Oget_info3(object, &info, H5O_INFO_BASIC) < 0 ||
      H5Oget_native_info(object, &native, H5O_NATIVE_INFO_HDR) < 0 ||
      H5VLnative_token_to_addr(object, info.token, &place) < 0)
    return false;
  const hsize_t size = native.hdr.space.total;
#else
  H5O_info_t info;
  if (H5Oget_info(object, &info) < 0) return false;
  place = info.addr;
  const hsize_t size = info.hdr.space.total;
#endif
  *at = (int64_t)place, *end = (int64_t)(place + size);
  return place != HADDR_UNDEF;
}

/* Those that lie across two pages keep their place until there is a better one. */
hid_t pel__h5_create_within(hid_t file, hid_t type, hid_t space, hid_t properties, int64_t page) {
  enum { MOST = 16 };
  hid_t d[MOST];
  int n = 0;
  int64_t at, end;
  bool crosses = true;
  while (crosses && n < MOST) {
    d[n] = H5Dcreate_anon(file, type, space, properties, H5P_DEFAULT);
    if (d[n] < 0) break;
    crosses = !pel__h5_header(d[n], &at, &end) || at / page != (end - 1) / page;
    ++n;
  }
  for (int i = 0; i < n - !crosses; ++i) H5Dclose(d[i]);
  return crosses ? -1 : d[n - 1];
}
