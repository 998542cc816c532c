#include "pair_wide.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pelsim/memory.h"

/* A pair that does not even fit 64 bits is found by its largest force. */
void pel__pair_wide(void *wide, int64_t place, int n, const double *quanta) {
  pel__wide_notes *w = wide;
  if (w->n == w->room) {
    const size_t room = w->room ? 2 * w->room : 256;
    w->add = pel_realloc(w->add, room * sizeof *w->add);
    w->room = room;
  }
  pel__wide_add *a = &w->add[w->n++];
  *a = (pel__wide_add){.place = place};
  for (int c = 0; c < n; ++c)
    if (fabs(quanta[c]) < 0x1p62) a->quanta[c] = llrint(quanta[c]);
}

void pel__wide_start(pel__wide *w, int threads) {
  if (!w->notes) w->notes = pel_calloc((size_t)threads, sizeof *w->notes);
}

static void reserve(pel__wide *w, int clusters) {
  if (clusters <= w->room) return;
  free(w->sum), free(w->marked);
  w->room = clusters + clusters / 4;
  w->sum = pel_calloc((size_t)w->room * 3 * PEL_LANES, sizeof *w->sum);
  w->marked = pel_calloc((size_t)w->room, 1);
}

void pel__wide_collect(pel__wide *w, int threads, int clusters) {
  for (pel__wide_notes *t = w->notes; t < w->notes + threads; ++t) {
    if (!t->n) continue;
    reserve(w, clusters);
    w->any = true;
    for (size_t k = 0; k < t->n; ++k) {
      const pel__wide_add *a = &t->add[k];
      const int64_t cluster = a->place / PEL_LANES;
      w->marked[cluster] = 1;
      for (int c = 0; c < 3; ++c)
        w->sum[(cluster * 3 + c) * PEL_LANES + a->place % PEL_LANES] += a->quanta[c];
    }
  }
}

void pel__wide_finish(pel__wide *w, int threads) {
  for (pel__wide_notes *t = w->notes; t < w->notes + threads; ++t) {
    for (size_t k = 0; k < t->n && w->any; ++k) {
      const int64_t cluster = t->add[k].place / PEL_LANES;
      w->marked[cluster] = 0;
      memset(w->sum + cluster * 3 * PEL_LANES, 0, 3 * PEL_LANES * sizeof *w->sum);
    }
    t->n = 0;
  }
  w->any = false;
}

void pel__wide_destroy(pel__wide *w, int threads) {
  for (int t = 0; w->notes && t < threads; ++t) free(w->notes[t].add);
  free(w->notes), free(w->sum), free(w->marked);
  memset(w, 0, sizeof *w);
}
