/* Halo exchange of one field between two ranks that hold a 256^3 block each, against a memcpy of
 * the same bytes, in turn.  Between exchanges every rank sweeps its block, as a step does. Usage:
 * mpirun -n 2 bench_halo_exchange [n] [repeats] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "halo.h"

static int by_value(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *x, int n) {
  qsort(x, (size_t)n, sizeof *x, by_value);
  return x[n / 2];
}

static void sweep(double *x, size_t n) {
  for (size_t i = 0; i < n; ++i) x[i] *= 1.0000001;
}

int main(int argc, char **argv) {
  int rank, size, level;
  pel_error e = {0};
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &level);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  const int n = argc > 1 ? atoi(argv[1]) : 256, repeats = argc > 2 ? atoi(argv[2]) : 51;
  /* A plane of n^2 cells as one row: the exchange moves the bytes of two faces of the block, and no
   * walls along x and y are filled. */
  pel_grid g = {.dims = 2};
  g.axis[0] = (pel_axis){.n = (int64_t)n * n, .end = PEL_WALL, .name = "xy", .spacing = 1};
  g.axis[1] = (pel_axis){.n = (int64_t)n * size, .end = PEL_PERIODIC, .name = "z", .spacing = 1};
  pel__layout *l = pel__layout_create(&g, rank, size, (int[]){1, size, 1}, 1, (int[]){1, 1, 0}, &e);
  if (!l) return fprintf(stderr, "%s\n", e.text), 1;
  const pel__block *b = &l->block[l->first];
  double *field = aligned_alloc(2u << 20, (b->size * 8 + (2u << 20)) / (2u << 20) * (2u << 20));
  for (size_t i = 0; i < b->size; ++i) field[i] = 1;
  double *at[] = {field + b->origin};
  const pel__halo_field f = {PEL_CENTRE, false, {PEL_EVEN, PEL_EVEN, PEL_EVEN}, 0, 1};
  pel__halo *h = pel__halo_create(l, MPI_COMM_WORLD, 1, &f, 1);
  const size_t bytes = pel__halo_bytes(h);
  char *from = malloc(bytes), *to = malloc(bytes);
  memset(from, 1, bytes), memset(to, 1, bytes);
  for (int swept = 0; swept < 2; ++swept) {
    double exchange[repeats], copy[repeats], ratio[repeats];
    for (int r = 0; r < repeats; ++r) {
      if (swept) sweep(field, b->size);
      MPI_Barrier(MPI_COMM_WORLD);
      double t0 = MPI_Wtime();
      pel__halo_begin(h, at);
      pel__halo_end(h, at);
      exchange[r] = MPI_Wtime() - t0;
      if (swept) sweep(field, b->size);
      MPI_Barrier(MPI_COMM_WORLD);
      t0 = MPI_Wtime();
      memcpy(to, from, bytes);
      copy[r] = MPI_Wtime() - t0;
      ratio[r] = exchange[r] / copy[r];
    }
    if (rank == 0)
      printf("%s %zu %.3g %.3g %.3g\n", swept ? "cold" : "hot", bytes, median(exchange, repeats),
             median(copy, repeats), median(ratio, repeats));
  }
  pel__halo_destroy(h);
  pel__layout_destroy(l);
  return MPI_Finalize();
}
