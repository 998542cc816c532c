/* Molecular dynamics of the Lennard-Jones melt of LAMMPS (bench/in.lj: fcc at 0.8442, T = 1.44,
 * rc = 2.5, dt = 0.005), and what the pair sums cost. Usage:
 * bench_pair_kernel [cells a side = 20] [threads = 1] [skin = 0.3] [steps = 300] [double | mixed]
 */
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crystal.h"
#include "md/lj.h"
#include "pairs.h"

enum { FLOPS = 35 }; /* a pair in double: 9 for r2, 1 division, 7 for f, 15 to add, 3 checks */

typedef struct {
  double sort, list, pairs, motion;
} seconds;

static double unit_lj(const void *ctx, int i, int j, double *c) {
  (void)ctx, (void)i, (void)j;
  pel__lj_coefficients(PEL__LJ_CUT, 1, 1, 2.5, c);
  return 2.5;
}

int main(int argc, char **argv) {
  const int side = argc > 1 ? atoi(argv[1]) : 20, threads = argc > 2 ? atoi(argv[2]) : 1;
  const double skin = argc > 3 ? atof(argv[3]) : 0.3, dt = 0.005, a = cbrt(4 / 0.8442);
  const int steps = argc > 4 ? atoi(argv[4]) : 300, warm = 100;
  const bool mixed = argc > 5 && strcmp(argv[5], "mixed") == 0;
  const double length[3] = {a * side, a * side, a * side}, half = dt / 2, mass = 1;
  const bool periodic[3] = {true, true, true};
  const int64_t n = 4 * (int64_t)side * side * side;
  pel_error e = {0};
  pel__domain d;
  pel__particles p;
  pel__pair_list l;
  pel__potential u;
  pel__pair_work w = {0};
  pel__pair_sums sums;
  seconds s = {0};
  pel__domain_init(&d, 3, length, periodic, &e);
  pel__particles_create(&p, &d, n, threads, &e);
  pel__potential_create(&u, mixed ? &pel__lj_mixed : &pel__lj, 1, unit_lj, NULL,
                        mixed ? 0x1p12 : 0x1p15, 0x1p11, &e);
  pel__pair_list_create(&l, &p, u.cutoff, skin, &e);
  l.paired = mixed;
  fill_fcc(&p, side, a, 1.44);
  const double quantum = pel__velocity_quantum(u.cutoff, dt);
  pel__pair_list_build(&l, &p, false, &e);
  pel__pairs_run(&p, &l, &u, &w, NULL, &e);
  double t0 = 0, builds = 0;
  for (int step = 0; step < warm + steps && !e.code; ++step) {
    if (step == warm) s = (seconds){0}, t0 = MPI_Wtime(), builds = l.builds;
    const double t1 = MPI_Wtime();
    pel__kick(&p, &half, quantum);
    const double far = pel__drift(&p, dt, false), t2 = MPI_Wtime();
    if (!(far <= skin * skin / 4)) pel__pair_list_build(&l, &p, false, &e);
    const double t3 = MPI_Wtime();
    pel__pairs_run(&p, &l, &u, &w, NULL, &e);
    const double t4 = MPI_Wtime();
    pel__kick(&p, &half, quantum);
    s.list += t3 - t2, s.pairs += t4 - t3, s.motion += t2 - t1 + (MPI_Wtime() - t4);
  }
  const double total = MPI_Wtime() - t0, each = 1e9 / (double)n / steps;
  pel__pairs_run(&p, &l, &u, &w, &sums, &e);
  if (e.code) return fprintf(stderr, "%s\n", e.text), 1;
  const double inside = (double)pel__pair_list_count(&l, &p, u.cutoff) / (double)n;
  const double evaluated =
      (double)PEL_LANES * ((double)l.entries + (double)p.nclusters * PEL_LANES) / (double)n;
  const double kinetic = pel__kinetic2(&p, &mass) / 2;
  printf("atoms %ld threads %d skin %g: %.2f Matom-steps/s, %.1f ns an atom-step\n", (long)n,
         threads, skin, (double)n * steps / total * 1e-6, total * each);
  printf("  pairs %.1f  lists %.1f  motion %.1f ns; steps a list %.1f; list share %.1f %%\n",
         s.pairs * each, s.list * each, s.motion * each, steps / (l.builds - builds),
         100 * s.list / total);
  printf(
      "  pairs inside %.2f, evaluated %.2f (%.2f x), %.2f ns a vector, %d flops a pair: %.1f "
      "GFLOP/s; places %.3f copies %.3f of clusters\n",
      inside, evaluated, evaluated / inside, s.pairs * each / evaluated * PEL_LANES, FLOPS,
      FLOPS * evaluated / (s.pairs * each), (double)p.nclusters * PEL_LANES / (double)n,
      (double)p.nimages / p.nclusters);
  printf("  T %.4f  E/N %.9f\n", 2 * kinetic / 3 / (double)n, (sums.energy + kinetic) / (double)n);
  pel__pair_work_destroy(&w, threads), pel__pair_list_destroy(&l), pel__potential_destroy(&u);
  pel__particles_destroy(&p);
  return 0;
}
