/* Memory bandwidth by McCalpin's STREAM copy and triad, with ordinary and with streaming stores.
 * STREAM's counting: one load and one store an element for copy, two loads and one store for triad;
 * what an ordinary store reads first is not counted.  Usage: bench_stream [threads] [repeats] */
#include <immintrin.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { N = 1 << 26, LANE = 4 };

static double *array(void) {
  double *a = aligned_alloc(2u << 20, N * sizeof *a);
  madvise(a, N * sizeof *a, MADV_HUGEPAGE);
#pragma omp parallel for schedule(static)
  for (long i = 0; i < N; ++i) a[i] = 1;
  return a;
}

static void copy(double *restrict a, const double *restrict b, const double *restrict c) {
  (void)c;
#pragma omp parallel for simd schedule(static)
  for (long i = 0; i < N; ++i) a[i] = b[i] + 0.0; /* not memcpy, which streams by itself */
}

static void triad(double *restrict a, const double *restrict b, const double *restrict c) {
#pragma omp parallel for simd schedule(static)
  for (long i = 0; i < N; ++i) a[i] = b[i] + 3 * c[i];
}

static void copy_streamed(double *restrict a, const double *restrict b, const double *restrict c) {
  (void)c;
#pragma omp parallel for schedule(static)
  for (long i = 0; i < N; i += LANE) _mm256_stream_pd(a + i, _mm256_load_pd(b + i));
}

static void triad_streamed(double *restrict a, const double *restrict b, const double *restrict c) {
  const __m256d s = _mm256_set1_pd(3);
#pragma omp parallel for schedule(static)
  for (long i = 0; i < N; i += LANE)
    _mm256_stream_pd(a + i, _mm256_load_pd(b + i) + s * _mm256_load_pd(c + i));
}

static const struct {
  const char *name;
  void (*kernel)(double *restrict, const double *restrict, const double *restrict);
  int arrays;
} tests[] = {{"copy", copy, 2},
             {"triad", triad, 3},
             {"copy_streamed", copy_streamed, 2},
             {"triad_streamed", triad_streamed, 3}};

static int by_value(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  const int threads = argc > 1 ? atoi(argv[1]) : 2, repeats = argc > 2 ? atoi(argv[2]) : 9;
  omp_set_num_threads(threads);
  double *a = array(), *b = array(), *c = array();
  for (int t = 0; t < 4; ++t) {
    double rate[repeats];
    for (int r = 0; r < repeats; ++r) {
      const double t0 = omp_get_wtime();
      tests[t].kernel(a, b, c);
      rate[r] = tests[t].arrays * 8e-9 * N / (omp_get_wtime() - t0);
    }
    qsort(rate, (size_t)repeats, sizeof *rate, by_value);
    printf("%s %.2f %.2f\n", tests[t].name, rate[repeats / 2],
           rate[repeats - 1]); /* median, best */
  }
  return a[N / 2] < 0;
}
