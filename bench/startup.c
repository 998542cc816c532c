/* MPI_Init and MPI_Finalize alone: what a run of a few steps is measured against. */
#include <mpi.h>

int main(int argc, char **argv) {
  int level;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &level);
  return MPI_Finalize();
}
