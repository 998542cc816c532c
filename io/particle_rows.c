#include "particle_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "posix_io.h"

enum { STAGE = 1 << 15 }; /* particles on their way to the file */

int pel__stored_bytes(pel__stored as) { return as == PEL__F64 ? 8 : 4; }

hid_t pel__stored_type(pel__stored as) {
  return as == PEL__F64 ? H5T_IEEE_F64LE : as == PEL__F32 ? H5T_IEEE_F32LE : H5T_STD_I32LE;
}

/* Particles [i, i + n) of patch p, side by side. */
static void interleave(const pel__rows *r, int p, int64_t i, int64_t n, void *to) {
  const int m = r->components;
  for (int c = 0; c < m; ++c) {
    const double *x = r->a[c].patches[p].data + i;
    double *f64 = (double *)to + c;
    float *f32 = (float *)to + c;
    int32_t *i32 = (int32_t *)to + c;
    switch (r->as) {
      case PEL__F64:
        for (int64_t k = 0; k < n; ++k) f64[k * m] = x[k] * r->scale;
        break;
      case PEL__F32:
        for (int64_t k = 0; k < n; ++k) f32[k * m] = (float)(x[k] * r->scale);
        break;
      case PEL__I32:
        for (int64_t k = 0; k < n; ++k) i32[k * m] = (int32_t)x[k];
        break;
    }
  }
}

int pel__rows_write(int fd, const pel__rows *r, int64_t piece, const int64_t *at) {
  const int64_t bytes = (int64_t)r->components * pel__stored_bytes(r->as);
  void *stage = malloc((size_t)(STAGE * bytes));
  int err = stage ? 0 : ENOMEM;
  for (int p = 0; p < r->a->npatches; ++p) {
    const pel_patch *q = &r->a->patches[p];
    for (int64_t i = 0, n; i < q->n[0] && !err; i += n) {
      const int64_t index = q->first[0] + i, left = piece - index % piece;
      n = q->n[0] - i < STAGE ? q->n[0] - i : STAGE;
      if (n > left) n = left;
      interleave(r, p, i, n, stage);
      err = pel__pwrite(fd, stage, (size_t)(n * bytes), at[index / piece] + index % piece * bytes);
    }
  }
  free(stage);
  return err;
}

uint64_t pel__rows_share(const pel__rows *r) {
  enum { ROW = 512 };
  double x[ROW];
  uint64_t sum = 0;
  for (int c = 0; c < r->components; ++c) {
    const uint64_t key = pel_fingerprint_key(r->a[c].name);
    for (int p = 0; p < r->a[c].npatches; ++p) {
      const pel_patch *q = &r->a[c].patches[p];
      for (int64_t i = 0, n; i < q->n[0]; i += n) {
        n = q->n[0] - i < ROW ? q->n[0] - i : ROW;
        for (int64_t k = 0; k < n; ++k) x[k] = q->data[i + k] * r->scale;
        for (int64_t k = 0; k < n && r->as == PEL__F32; ++k) x[k] = (double)(float)x[k];
        sum += pel_fingerprint_row(key, q->first[0] + i, x, n);
      }
    }
  }
  return sum;
}

int pel__rows_check(const pel_snapshot *s, pel_error *e) {
  for (int a = 0; a < s->narrays; ++a) {
    bool same = s->grid->dims == 1 && s->arrays[a].npatches == s->arrays->npatches;
    for (int p = 0; p < s->arrays->npatches && same; ++p) {
      const pel_patch *q = &s->arrays[a].patches[p], *first = &s->arrays->patches[p];
      same = q->first[0] == first->first[0] && q->n[0] == first->n[0];
    }
    if (!same)
      return pel_error_set(e, PEL_INTERNAL, "array %s of particles is cut otherwise than %s",
                           s->arrays[a].name, s->arrays->name);
  }
  return PEL_OK;
}
