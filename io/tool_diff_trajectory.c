/* First difference of two H5MD files, element by element, frame by frame. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "h5md.h"
#include "tools.h"

typedef struct {
  FILE *out;
  const pel__h5md *f[2];
  double tol;
  bool differs;
  pel_error *e;
} job;

static void report(job *j, const pel__h5md_element *x, const pel__differences *d) {
  const int64_t a_frame = x->n * x->components, frames = x->frames ? x->frames : 1;
  const int64_t within = d->first % a_frame;
  fprintf(j->out,
          "%s: %" PRId64 " of %" PRId64
          " values differ, by at most %.3g (%.3g of the largest); first at",
          x->name, d->count, a_frame * frames, d->largest,
          d->scale > 0 ? d->largest / d->scale : 0);
  if (x->frames) fprintf(j->out, " frame %" PRId64 ",", d->first / a_frame);
  fprintf(j->out, " particle %" PRId64, within / x->components);
  if (x->components > 1) fprintf(j->out, ", component %d", (int)(within % x->components));
  fprintf(j->out, ": %.17g, %.17g\n", d->a, d->b);
  j->differs = true;
}

static void compare_values(job *j, const pel__h5md_element *x, const pel__h5md_element *y) {
  const size_t n = (size_t)(x->n * x->components);
  const int64_t frames = x->frames ? x->frames : 1;
  pel__differences d = {0};
  double *a = malloc((n + 1) * sizeof *a), *b = malloc((n + 1) * sizeof *b);
  if (!a || !b) pel_error_set(j->e, PEL_INTERNAL, "out of memory for %s", x->name);
  for (int pass = 0; pass < 2 && !j->e->code && (pass == 0 || d.bits); ++pass)
    for (int64_t r = 0; r < frames && !j->e->code; ++r)
      if (!pel__h5md_read(j->f[0], x, r, a, j->e) && !pel__h5md_read(j->f[1], y, r, b, j->e))
        pel__compare(&d, a, b, (int64_t)n, r * (int64_t)n, pass ? j->tol : -1);
  if (d.count && !j->e->code) report(j, x, &d);
  free(a);
  free(b);
}

static void compare_element(job *j, const char *name) {
  pel__h5md_element x, y;
  if (!pel__h5md_find(j->f[0], name, &x, j->e)) return;
  const bool found = pel__h5md_find(j->f[1], name, &y, j->e);
  if (!found && !j->e->code) j->differs = fprintf(j->out, "%s: only in the first file\n", name) > 0;
  if (found) {
    if (x.frames != y.frames || x.n != y.n || x.components != y.components)
      j->differs = fprintf(j->out, "%s: of different shape\n", name) > 0;
    else
      compare_values(j, &x, &y);
    pel__h5md_done(&y);
  }
  pel__h5md_done(&x);
}

static herr_t visit(hid_t group, const char *name, const H5L_info_t *link, void *to) {
  job *j = to;
  (void)group, (void)link;
  if (strcmp(name, "box")) compare_element(j, name);
  return j->e->code != 0;
}

static herr_t visit_second(hid_t group, const char *name, const H5L_info_t *link, void *to) {
  job *j = to;
  (void)group, (void)link;
  if (strcmp(name, "box") && H5Lexists(j->f[0]->group, name, H5P_DEFAULT) <= 0)
    j->differs = fprintf(j->out, "%s: only in the second file\n", name) > 0;
  return 0;
}

/* Steps of frames and boxes. */
static void compare_frames(job *j) {
  pel__h5md_element x = {.value = -1, .object = -1}, y = x;
  if (pel__h5md_find(j->f[0], "position", &x, j->e) &&
      pel__h5md_find(j->f[1], "position", &y, j->e)) {
    int64_t *a = pel__h5md_steps(&x), *b = pel__h5md_steps(&y);
    for (int64_t r = 0; a && b && r < x.frames && r < y.frames && !j->differs; ++r)
      if (a[r] != b[r])
        j->differs = fprintf(j->out, "step: first at frame %" PRId64 ": %" PRId64 ", %" PRId64 "\n",
                             r, a[r], b[r]) > 0;
    free(a);
    free(b);
  }
  for (int64_t r = 0; r < x.frames && r < y.frames && !j->e->code; ++r) {
    pel__h5md_box a, b;
    if (pel__h5md_read_box(j->f[0], r, &a, j->e) || pel__h5md_read_box(j->f[1], r, &b, j->e)) break;
    pel__differences d = {0};
    pel__compare(&d, a.edge, b.edge, 9, 0, -1);
    pel__compare(&d, a.edge, b.edge, 9, 0, j->tol);
    if (!d.count) continue;
    j->differs =
        fprintf(j->out, "box: first at frame %" PRId64 ": %.17g, %.17g\n", r, d.a, d.b) > 0;
    break;
  }
  pel__h5md_done(&x);
  pel__h5md_done(&y);
}

int pel__diff_trajectories(FILE *out, const char *a, const char *b, double tol) {
  pel_error e = {0};
  pel__h5md first, second;
  if (pel__h5md_open(a, &first, &e)) return pel__tell(out, &e);
  if (pel__h5md_open(b, &second, &e)) {
    pel__h5md_close(&first);
    return pel__tell(out, &e);
  }
  job j = {.out = out, .f = {&first, &second}, .tol = tol, .e = &e};
  if (first.n != second.n)
    j.differs = fprintf(out, "particles: %" PRId64 ", %" PRId64 "\n", first.n, second.n) > 0;
  else {
    if (first.frames != second.frames)
      j.differs =
          fprintf(out, "frames: %" PRId64 ", %" PRId64 "\n", first.frames, second.frames) > 0;
    compare_frames(&j);
    H5Literate(first.group, H5_INDEX_NAME, H5_ITER_INC, NULL, visit, &j);
    if (!e.code) H5Literate(second.group, H5_INDEX_NAME, H5_ITER_INC, NULL, visit_second, &j);
  }
  pel__h5md_close(&first);
  pel__h5md_close(&second);
  pel__tell(out, &e);
  return e.code ? e.code : j.differs ? PEL_DIFFERS : PEL_OK;
}
