/* Molecular dynamics of copper by the embedded-atom method, the problem of LAMMPS' bench/in.eam
 * (fcc at 3.615, 1600 K, dt = 0.005 ps), and what its parts cost.  Usage:
 * bench_eam_kernel POTENTIAL [cells a side = 20] [threads = 1] [skin = 0.8] [steps = 300] */
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crystal.h"
#include "md/eam.h"
#include "pairs.h"

static const double lattice = 3.615, dt = 0.005, boltzmann = 8.617333262e-5,
                    mass = 63.55 * 1.0364269e-4; /* eV ps^2/A^2 */

typedef struct {
  pel__particles p;
  pel__pair_list list;
  pel__pair_work density_work, force_work;
  pel__potential density, force;
  pel__eam eam;
  double *rho, *slope;
} crystal;

typedef struct {
  double list, density, embed, force, motion;
} seconds;

static void *zeroed(void *ctx, size_t bytes) {
  (void)ctx;
  return calloc(1, bytes);
}

static double density_of(const void *ctx, int ti, int tj, double *c) {
  return pel__eam_density_coefficients(ctx, ti, tj, c);
}
static double force_of(const void *ctx, int ti, int tj, double *c) {
  return pel__eam_force_coefficients(ctx, ti, tj, c);
}

static void load(crystal *s, const char *path) {
  static char text[1 << 24];
  char error[700];
  pel__eam_file f;
  FILE *in = fopen(path, "r");
  if (!in) exit((perror(path), 1));
  text[fread(text, 1, sizeof text - 1, in)] = 0;
  fclose(in);
  if (!pel__eam_file_parse(&f, PEL__EAM_AUTO, path, text, strlen(text), error, sizeof error) ||
      !pel__eam_create(&s->eam, &f, 1, (int[]){0}, zeroed, NULL, error, sizeof error))
    exit((fprintf(stderr, "%s\n", error), 1));
  pel__eam_file_free(&f);
}

/* Forces, and the energy if `sums` is given. */
static double evaluate(crystal *s, pel__pair_sums *sums, seconds *spent, pel_error *e) {
  pel__particles *p = &s->p;
  double energy = 0;
  const double t0 = MPI_Wtime();
  pel__pairs_sum(p, &s->list, &s->density, &s->density_work, s->rho, e);
  const double t1 = MPI_Wtime();
#pragma omp parallel for num_threads(p->threads) schedule(static) reduction(+ : energy)
  for (int64_t i = 0; i < (int64_t)p->nclusters * PEL_LANES; ++i) {
    const double u = pel__eam_embed(&s->eam, 0, s->rho[i], &s->slope[i]);
    if (!pel__is_empty(p, i)) energy += u;
  }
  const double t2 = MPI_Wtime();
  pel__pairs_run(p, &s->list, &s->force, &s->force_work, sums, e);
  spent->density += t1 - t0, spent->embed += t2 - t1, spent->force += MPI_Wtime() - t2;
  return energy + (sums ? sums->energy : 0);
}

static void build(crystal *s, pel_error *e) {
  pel__pair_list_build(&s->list, &s->p, false, e);
  free(s->rho), free(s->slope);
  const size_t bytes = ((size_t)s->p.room * PEL_LANES * 8 + 63) / 64 * 64;
  s->rho = aligned_alloc(64, bytes), s->slope = aligned_alloc(64, bytes);
}

int main(int argc, char **argv) {
  if (argc < 2) return fprintf(stderr, "bench_eam_kernel POTENTIAL [side] [threads] [skin]\n"), 2;
  const int side = argc > 2 ? atoi(argv[2]) : 20, threads = argc > 3 ? atoi(argv[3]) : 1;
  const double skin = argc > 4 ? atof(argv[4]) : 0.8, half = dt / 2 / mass;
  const int steps = argc > 5 ? atoi(argv[5]) : 300, warm = 100;
  const double length[3] = {lattice * side, lattice * side, lattice * side};
  const bool periodic[3] = {true, true, true};
  const int64_t n = 4 * (int64_t)side * side * side;
  pel_error e = {0};
  pel__domain d;
  static crystal s;
  pel__pair_sums sums;
  seconds t = {0};
  load(&s, argv[1]);
  pel__domain_init(&d, 3, length, periodic, &e);
  pel__particles_create(&s.p, &d, n, threads, &e);
  pel__potential_create(&s.density, &pel__eam_density, 1, density_of, &s.eam, s.eam.largest_density,
                        1, &e);
  pel__potential_create(&s.force, &pel__eam_force, 1, force_of, &s.eam, s.eam.largest_force,
                        s.eam.largest_energy, &e);
  s.density.data = s.eam.density, s.force.data = s.eam.force;
  s.force.read[0] = &s.slope, s.force.later = true;
  pel__pair_list_create(&s.list, &s.p, s.force.cutoff, skin, &e);
  fill_fcc(&s.p, side, lattice, boltzmann * 1600 / mass);
  const double quantum = pel__velocity_quantum(s.force.cutoff, dt);
  build(&s, &e);
  evaluate(&s, &sums, &t, &e);
  double t0 = 0, builds = 0;
  for (int step = 0; step < warm + steps && !e.code; ++step) {
    if (step == warm) t = (seconds){0}, t0 = MPI_Wtime(), builds = s.list.builds;
    const double t1 = MPI_Wtime();
    pel__kick(&s.p, &half, quantum);
    const double far = pel__drift(&s.p, dt, false), t2 = MPI_Wtime();
    if (!(far <= skin * skin / 4)) build(&s, &e);
    const double t3 = MPI_Wtime();
    evaluate(&s, NULL, &t, &e);
    const double t4 = MPI_Wtime();
    pel__kick(&s.p, &half, quantum);
    t.list += t3 - t2, t.motion += t2 - t1 + (MPI_Wtime() - t4);
  }
  const double total = MPI_Wtime() - t0, each = 1e9 / (double)n / steps;
  const double potential = evaluate(&s, &sums, &t, &e);
  if (e.code) return fprintf(stderr, "%s\n", e.text), 1;
  const double inside = (double)pel__pair_list_count(&s.list, &s.p, s.force.cutoff) / (double)n;
  const double evaluated =
      (double)PEL_LANES * ((double)s.list.entries + (double)s.p.nclusters * PEL_LANES) / (double)n;
  const double kinetic = pel__kinetic2(&s.p, &mass) / 2;
  printf("atoms %ld threads %d skin %g: %.3f Matom-steps/s, %.1f ns an atom-step\n", (long)n,
         threads, skin, (double)n * steps / total * 1e-6, total * each);
  printf(
      "  densities %.1f  embedding %.1f  forces %.1f  lists %.1f  motion %.1f ns; steps a list "
      "%.1f\n",
      t.density * each, t.embed * each, t.force * each, t.list * each, t.motion * each,
      steps / (s.list.builds - builds));
  printf("  pairs inside %.2f, evaluated %.2f (%.2f x); %.2f and %.2f ns a vector\n", inside,
         evaluated, evaluated / inside, t.density * each / evaluated * PEL_LANES,
         t.force * each / evaluated * PEL_LANES);
  printf("  T %.2f K  E/N %.9f eV\n", 2 * kinetic / 3 / (double)n / boltzmann,
         (potential + kinetic) / (double)n);
  return 0;
}
