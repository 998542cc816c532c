/* The copies of a halo plan: strided boxes, most of them plain, many only one to three wide. */
#include <string.h>
#include "halo_plan.h"

/* Starting the threads costs a few microseconds, the time to copy about this many doubles. */
enum { SERIAL = 1 << 14 };

#define ROWS(c, s, d)                                                                       \
  for (int k = 0; k < (c)->n[2]; ++k)                                                       \
    for (int j = 0; j < (c)->n[1]; ++j)                                                     \
      for (const double *s = src + k * (c)->sz + j * (c)->sy, *once = s; once; once = NULL) \
        for (double *d = dst + k * (c)->dz + j * (c)->dy, *again = d; again; again = NULL)

static inline __attribute__((always_inline)) void narrow(const pel__copy *c, const double *src,
                                                         double *dst, int width) {
  ROWS(c, s, d)
  for (int i = 0; i < width; ++i) d[i] = s[i];
}

static void plain(const pel__copy *c, const double *src, double *dst) {
  const size_t bytes = (size_t)c->n[0] * sizeof(double);
  switch (c->n[0]) {
    case 1:
      return narrow(c, src, dst, 1);
    case 2:
      return narrow(c, src, dst, 2);
    case 3:
      return narrow(c, src, dst, 3);
    case 4:
      return narrow(c, src, dst, 4);
    default:
      ROWS(c, s, d) memcpy(d, s, bytes);
  }
}

static void turned(const pel__copy *c, const double *src, double *dst) {
  const double sign = c->sign, offset = c->offset;
  const ptrdiff_t sx = c->sx;
  const int n = c->n[0];
  if (sign == 0) { /* not a multiplication: the source may be anything */
    ROWS(c, s, d) for (int i = 0; i < n; ++i) d[i] = offset;
  } else if (offset == 0) {
    ROWS(c, s, d) for (int i = 0; i < n; ++i) d[i] = sign * s[i * sx];
  } else {
    ROWS(c, s, d) for (int i = 0; i < n; ++i) d[i] = sign * s[i * sx] + offset;
  }
}

void pel__copies_run(const pel__copies *c, double *const *data, const double *source,
                     double *target) {
#pragma omp parallel for schedule(guided) if (c->volume > SERIAL && c->n > 1)
  for (int i = 0; i < c->n; ++i) {
    const pel__copy *p = &c->item[i];
    const double *src = (source ? source : data[p->from]) + p->src;
    double *dst = (target ? target : data[p->to]) + p->dst;
    if (p->sign == 1 && p->offset == 0 && (p->sx == 1 || p->n[0] == 1))
      plain(p, src, dst);
    else
      turned(p, src, dst);
  }
}
