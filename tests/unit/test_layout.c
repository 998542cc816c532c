/* Blocks: the curve visits every block once without jumps, the blocks tile the grid, rows are
 * aligned and leave room for the halo, ranks get runs of the least possible heaviest weight, and
 * every impossible request gets its sentence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "curve.h"
#include "layout.h"

static pel_grid box(int64_t x, int64_t y, int64_t z) {
  pel_grid g = {.dims = z > 1 ? 3 : y > 1 ? 2 : 1};
  const int64_t n[3] = {x, y, z};
  for (int a = 0; a < 3; ++a) g.axis[a].n = n[a];
  return g;
}

/* ---- the curve ---- */

static void check_curve(const int n[3]) {
  const int total = n[0] * n[1] * n[2];
  int(*coord)[3] = malloc((size_t)total * sizeof *coord);
  char *seen = calloc((size_t)total, 1);
  bool even = true;
  for (int a = 0; a < 3; ++a) even = even && (n[a] == 1 || n[a] % 2 == 0);
  pel__curve(n, coord);
  for (int i = 0; i < total; ++i) {
    int steps = 0, longest = 0;
    for (int a = 0; a < 3; ++a) {
      assert_in_range(coord[i][a], 0, n[a] - 1);
      const int d = i ? abs(coord[i][a] - coord[i - 1][a]) : 0;
      steps += d;
      longest = d > longest ? d : longest;
    }
    const int cell = (coord[i][2] * n[1] + coord[i][1]) * n[0] + coord[i][0];
    if (seen[cell] || longest > 1 || (even && steps > 1))
      fail_msg("curve of %d x %d x %d, step %d: seen before %d, got a step of %d cells, want 1",
               n[0], n[1], n[2], i, seen[cell], steps);
    seen[cell] = 1;
  }
  free(coord);
  free(seen);
}

static void curve_visits_all_without_jumps(void **unused) {
  (void)unused;
  for (int x = 1; x <= 9; ++x)
    for (int y = 1; y <= 9; ++y)
      for (int z = 1; z <= 9; ++z) check_curve((const int[]){x, y, z});
  check_curve((const int[]){64, 64, 1});
  check_curve((const int[]){3, 1, 50});
  check_curve((const int[]){100, 4, 2});
  check_curve((const int[]){37, 53, 1});
}

/* Quadrants within quadrants are finished one after the other: the mark of Hilbert's curve. */
static void curve_is_hilberts(void **unused) {
  (void)unused;
  enum { N = 64 };
  static int got[N * N][3];
  pel__curve((const int[]){N, N, 1}, got);
  for (int side = 2; side < N; side *= 2)
    for (int i = 0; i < N * N; ++i)
      for (int a = 0; a < 2; ++a)
        assert_int_equal(got[i][a] / side, got[i / (side * side) * (side * side)][a] / side);
}

/* ---- blocks ---- */

static void check_shape(const pel__layout *l, const pel__block *b, const int halo[3]) {
  const int dims = l->grid.dims;
  for (int a = 0; a < 3; ++a) {
    const int64_t n = l->grid.axis[a].n, c = b->coord[a];
    assert_int_equal(b->first[a], n * c / l->nb[a]);
    assert_int_equal(b->first[a] + b->n[a], n * (c + 1) / l->nb[a]);
    assert_true(b->n[a] > 0);
    assert_int_equal(b->halo[a], a < dims ? halo[a] : 0);
  }
  assert_int_equal(b->sy == 0, dims < 2);
  assert_int_equal(b->sz == 0, dims < 3);
  assert_int_equal(b->sy % 8 + b->sz % 8, 0);
  if (dims > 1) assert_int_not_equal(b->sy % 512, 0);
  if (dims > 2) assert_int_not_equal(b->sz % 512, 0);
  assert_int_equal(b->origin % 8 + b->size % 8, 0);
  if (dims > 1) assert_true(b->sy >= b->n[0] + 2 * b->halo[0]);
  if (dims > 2) assert_true(b->sz >= b->sy * (b->n[1] + 2 * b->halo[1]));
  const ptrdiff_t low = (ptrdiff_t)b->origin - b->halo[2] * b->sz - b->halo[1] * b->sy - b->halo[0];
  const ptrdiff_t high = (ptrdiff_t)b->origin + (b->n[2] + b->halo[2] - 1) * b->sz +
                         (b->n[1] + b->halo[1] - 1) * b->sy + b->n[0] + b->halo[0];
  assert_true(low >= 0);
  assert_true(high <= (ptrdiff_t)b->size);
}

/* Weight of the heaviest of `ranks` runs, at best: dynamic programming. */
static int64_t best_heaviest(const int64_t *w, int n, int ranks) {
  int64_t *best = malloc((size_t)(n + 1) * sizeof *best), *sum = calloc((size_t)n + 1, sizeof *sum);
  for (int i = 0; i < n; ++i) sum[i + 1] = sum[i] + w[i];
  for (int i = 0; i <= n; ++i) best[i] = i ? sum[i] : INT64_MAX;
  for (int r = 2; r <= ranks; ++r)
    for (int i = n; i >= 0; --i) {
      int64_t least = INT64_MAX;
      for (int j = r - 1; j < i; ++j) {
        const int64_t last = sum[i] - sum[j], m = last > best[j] ? last : best[j];
        least = m < least ? m : least;
      }
      best[i] = least;
    }
  const int64_t b = best[n];
  free(best);
  free(sum);
  return b;
}

static void check_layout(const pel_grid *g, int nranks, const int nb[3], int per_rank) {
  const int halo[3] = {2, 1, 3};
  pel_error e = {0};
  int next = 0;
  for (int rank = 0; rank < nranks; ++rank) {
    pel__layout *l = pel__layout_create(g, rank, nranks, nb, per_rank, halo, &e);
    if (!l) fail_msg("%s", e.text);
    assert_int_equal(l->nblocks, l->nb[0] * l->nb[1] * l->nb[2]);
    assert_int_equal(l->first, next);
    assert_true(l->nlocal > 0);
    next += l->nlocal;
    int64_t *weight = calloc((size_t)l->nblocks, sizeof *weight), load = 0, total = 0;
    for (int i = 0; i < l->nblocks; ++i) {
      const pel__block *b = &l->block[i];
      check_shape(l, b, halo);
      assert_int_equal(l->at[(b->coord[2] * l->nb[1] + b->coord[1]) * l->nb[0] + b->coord[0]], i);
      assert_int_equal(b->rank == rank, i >= l->first && i < l->first + l->nlocal);
      weight[i] = (int64_t)b->n[0] * b->n[1] * b->n[2];
      total += weight[i];
      load += b->rank == rank ? weight[i] : 0;
    }
    assert_int_equal(total, g->axis[0].n * g->axis[1].n * g->axis[2].n);
    const int64_t least = best_heaviest(weight, l->nblocks, nranks);
    if (load > least)
      fail_msg("%d ranks, %d blocks, rank %d: got %lld cells, want <= %lld", nranks, l->nblocks,
               rank, (long long)load, (long long)least);
    if (rank == nranks - 1) assert_int_equal(next, l->nblocks);
    free(weight);
    pel__layout_destroy(l);
  }
}

static void blocks_tile_the_grid_and_balance(void **unused) {
  (void)unused;
  static const int64_t sizes[][3] = {{100, 1, 1}, {7, 1, 1},  {32, 16, 1}, {33, 17, 1},
                                     {5, 4, 3},   {12, 9, 7}, {512, 8, 1}, {1, 1, 9},
                                     {500, 5, 1}, {16, 14, 3}};
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; ++s) {
    const pel_grid g = box(sizes[s][0], sizes[s][1], sizes[s][2]);
    for (int nranks = 1; nranks <= 7; ++nranks)
      for (int per_rank = 1; per_rank <= 5; per_rank += 2)
        check_layout(&g, nranks, (const int[]){0, 0, 0}, per_rank);
    int most[3];
    for (int a = 0; a < 3; ++a) most[a] = (int)(sizes[s][a] < 5 ? sizes[s][a] : 5);
    check_layout(&g, 4, most, 1);
    check_layout(&g, 5, most, 1);
  }
}

static void any_weights_are_shared_as_well_as_can_be(void **unused) {
  (void)unused;
  enum { MOST = 40 };
  uint64_t seed = 1;
  for (int trial = 0; trial < 300; ++trial) {
    int64_t weight[MOST], load[MOST] = {0}, heaviest = 0;
    int owner[MOST];
    const int n = 1 + trial % MOST, ranks = 1 + (trial * 7) % n;
    pel_error e = {0};
    const pel_grid g = box(n, 1, 1);
    pel__layout *l =
        pel__layout_create(&g, ranks - 1, ranks, (int[]){n, 0, 0}, 1, (int[]){1, 0, 0}, &e);
    assert_non_null(l);
    for (int i = 0; i < n; ++i) {
      seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
      weight[i] = trial % 3 ? (int64_t)(seed >> 50) : (int64_t)(seed >> 63); /* many zeros */
    }
    pel__layout_share(l, weight, owner);
    for (int i = 0; i < n; ++i) {
      load[owner[i]] += weight[i];
      assert_true(i == 0 ? owner[i] == 0
                         : owner[i] == owner[i - 1] || owner[i] == owner[i - 1] + 1);
    }
    assert_int_equal(owner[n - 1], ranks - 1); /* so none is without */
    for (int r = 0; r < ranks; ++r) heaviest = load[r] > heaviest ? load[r] : heaviest;
    assert_int_equal(heaviest, best_heaviest(weight, n, ranks));
    pel__layout_assign(l, owner);
    for (int i = 0; i < n; ++i)
      assert_int_equal(owner[i] == l->rank, i >= l->first && i < l->first + l->nlocal);
    pel__layout_destroy(l);
  }
}

/* Runs of equal blocks differ by at most one block. */
static void equal_blocks_are_shared_evenly(void **unused) {
  (void)unused;
  const pel_grid g = box(100, 1, 1);
  for (int nranks = 1; nranks <= 100; ++nranks) {
    pel_error e = {0};
    pel__layout *l =
        pel__layout_create(&g, 0, nranks, (const int[]){100, 1, 1}, 1, (const int[]){1, 1, 1}, &e);
    assert_non_null(l);
    int count[100] = {0};
    for (int i = 0; i < 100; ++i) ++count[l->block[i].rank];
    for (int r = 0; r < nranks; ++r)
      if (count[r] < 100 / nranks || count[r] > (99 + nranks) / nranks)
        fail_msg("%d ranks, rank %d: got %d of 100 blocks, want %d or one more", nranks, r,
                 count[r], 100 / nranks);
    pel__layout_destroy(l);
  }
}

static void automatic_blocks_spare_axis_0(void **unused) {
  (void)unused;
  static const struct {
    int64_t n[3];
    int ranks, per_rank, want[3];
  } cases[] = {{{1440, 720, 1}, 1, 1, {1, 1, 1}},  {{1440, 720, 1}, 4, 1, {1, 4, 1}},
               {{256, 256, 256}, 2, 1, {1, 1, 2}}, {{512, 512, 512}, 64, 1, {1, 8, 8}},
               {{100, 1, 1}, 7, 1, {7, 1, 1}},     {{1000, 1, 1}, 2, 4, {8, 1, 1}},
               {{4, 4, 1}, 16, 1, {4, 4, 1}},      {{3, 1, 1}, 2, 100, {3, 1, 1}}};
  for (size_t c = 0; c < sizeof cases / sizeof *cases; ++c) {
    const pel_grid g = box(cases[c].n[0], cases[c].n[1], cases[c].n[2]);
    pel_error e = {0};
    pel__layout *l = pel__layout_create(&g, 0, cases[c].ranks, (const int[]){0, 0, 0},
                                        cases[c].per_rank, (const int[]){1, 1, 1}, &e);
    assert_non_null(l);
    for (int a = 0; a < 3; ++a)
      if (l->nb[a] != cases[c].want[a])
        fail_msg("case %zu axis %d: got %d blocks, want %d", c, a, l->nb[a], cases[c].want[a]);
    pel__layout_destroy(l);
  }
}

/* ---- impossible requests ---- */

static void refuses(pel_grid g, int nranks, const int nb[3], const char *want) {
  pel_error e = {0};
  pel__layout *l = pel__layout_create(&g, 0, nranks, nb, 1, (const int[]){1, 1, 1}, &e);
  if (l) fail_msg("got a layout, want \"%s\"", want);
  if (strcmp(e.text, want)) fail_msg("got \"%s\", want \"%s\"", e.text, want);
  assert_int_equal(e.code, PEL_USAGE);
}

static void impossible_requests_get_a_sentence(void **unused) {
  (void)unused;
  const int any[3] = {0, 0, 0};
  refuses(box(4, 4, 1), 17, any,
          "17 ranks cannot share a grid of 4 x 4 cells: use at most 16 ranks, or a finer grid");
  refuses(box(100, 1, 1), 7, (const int[]){3, 1, 1},
          "7 ranks cannot share 3 blocks: use at most 3 ranks, or more blocks");
  refuses(box(8, 8, 1), 3, (const int[]){1, 1, 1},
          "3 ranks cannot share 1 x 1 block: use at most 1 rank, or more blocks");
  refuses(box(8, 8, 8), 9, (const int[]){2, 2, 2},
          "9 ranks cannot share 2 x 2 x 2 blocks: use at most 8 ranks, or more blocks");
  refuses(box(4, 4, 1), 1, (const int[]){5, 1, 1},
          "5 blocks along axis x, which has 4 cells: ask for 1 to 4");
  refuses(box(4, 4, 1), 1, (const int[]){1, 1, 2},
          "2 blocks along axis z, which has 1 cell: ask for 1 to 1");
  pel_grid g = box(8, 8, 1);
  g.dims = 4;
  refuses(g, 1, any, "the grid has 4 dimensions: 1, 2 or 3 are possible");
  g.dims = 2;
  g.axis[0].n = 0;
  refuses(g, 1, any, "axis x of the 2-dimensional grid has 0 cells: at least 1 is needed");
  g = box(9, 8, 1);
  g.axis[0].name = "lon";
  g.axis[1].name = "lat";
  g.axis[1].end = PEL_POLE;
  refuses(g, 1, any,
          "axis lat has poles, so axis lon must be periodic with an even number of cells (it has "
          "9)");
  g = box(8, 8, 1);
  g.axis[0].end = PEL_POLE;
  refuses(g, 1, any, "axis x has poles but only axis 1, the latitude, may have them");
}

/* ---- the box of model.h ---- */

static void box_grid_has_an_axis_for_every_extent(void **unused) {
  (void)unused;
  pel_grid g;
  const pel_box flat = {
      .nx = 8, .ny = 4, .nz = 1, .lx = 2, .ly = 3, .lz = 1, .boundary = PEL_BOX_FIXED};
  pel_box_grid(&g, &flat);
  assert_int_equal(g.dims, 2);
  assert_int_equal(g.axis[0].end, PEL_WALL);
  assert_int_equal(g.axis[0].wall, PEL_FIXED);
  assert_true(g.axis[0].spacing == 0.25 && g.axis[1].spacing == 0.75);
  assert_string_equal(g.axis[1].name, "y");

  const pel_box slab = {
      .nx = 8, .ny = 1, .nz = 5, .lx = 1, .ly = 1, .lz = 1, .boundary = PEL_BOX_EVEN};
  pel_box_grid(&g, &slab);
  assert_int_equal(g.dims, 3);
  assert_int_equal(g.axis[1].end, PEL_PERIODIC); /* one cell is its own neighbour */
  assert_int_equal(g.axis[2].end, PEL_WALL);
  assert_int_equal(g.axis[2].wall, PEL_EVEN);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(curve_visits_all_without_jumps),
                                     cmocka_unit_test(curve_is_hilberts),
                                     cmocka_unit_test(blocks_tile_the_grid_and_balance),
                                     cmocka_unit_test(any_weights_are_shared_as_well_as_can_be),
                                     cmocka_unit_test(equal_blocks_are_shared_evenly),
                                     cmocka_unit_test(automatic_blocks_spare_axis_0),
                                     cmocka_unit_test(impossible_requests_get_a_sentence),
                                     cmocka_unit_test(box_grid_has_an_axis_for_every_extent)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
