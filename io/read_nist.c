/* Configurations of the NIST Standard Reference Simulation Website
 * (https://www.nist.gov/mml/csd/chemical-informatics-group/lennard-jones-fluid-reference-calculations):
 *
 *   Lx Ly Lz
 *   N
 *   id x y z      N times; the origin is the centre of the box */
#include "particle_file.h"

static int read_head(pel__text *t, pel_particle_file *p, pel_error *e) {
  char *word[4];
  bool ok = pel__text_words(t, e) && pel__words(t->line, word, 4) == 3;
  for (int a = 0; a < 3 && ok; ++a) ok = pel__real(word[a], &p->length[a]);
  if (!ok && !e->code) pel__text_error(t, e, "the lengths of the box, three numbers, are wanted");
  if (e->code) return e->code;
  ok = pel__text_words(t, e) && pel__words(t->line, word, 4) == 1 && pel__integer(word[0], &p->n);
  if (!ok && !e->code) pel__text_error(t, e, "the number of particles is wanted");
  return e->code;
}

int pel__read_nist(const pel__particle_request *q, pel_particle_file *p, pel_error *e) {
  pel__text t;
  const pel__spot spot = {&t, q->file};
  double corner[3];
  if (pel__text_open(&t, q->file, e)) return e->code;
  if (!read_head(&t, p, e)) pel__particles_begin(&spot, p, t.bytes, 8, e);
  for (int a = 0; a < 3; ++a) corner[a] = -p->length[a] / 2;
  for (int64_t i = 0; i < p->n && !e->code; ++i) {
    pel__particle x = {.type = 1};
    char *word[5];
    if (!pel__text_words(&t, e)) {
      if (!e->code)
        pel__text_error(&t, e, "the file ends after %lld of %lld particles", (long long)i,
                        (long long)p->n);
      break;
    }
    bool ok = pel__words(t.line, word, 5) == 4 && pel__integer(word[0], &x.id);
    for (int a = 0; a < 3 && ok; ++a) ok = pel__real(word[1 + a], &x.x[a]);
    if (ok)
      pel__particles_put(&spot, q, p, corner, &x, e);
    else
      pel__text_error(&t, e, "id and three coordinates of a particle are wanted");
  }
  if (!e->code && pel__text_words(&t, e))
    pel__text_error(&t, e, "there is more than the %lld particles of its second line",
                    (long long)p->n);
  pel__text_close(&t);
  return e->code;
}
