#include "batch_means.h"
#include "pelsim/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FULL, LENGTH, LAST, HEAD };

int64_t pel__batches_size(int64_t n) { return HEAD + PEL__BATCHES * n; }

pel__batches pel__batches_in(double *memory, int64_t n) {
  return (pel__batches){.n = n, .head = memory, .sum = memory + HEAD};
}

static void merge(pel__batches *b) {
  for (int i = 0; i < PEL__BATCHES / 2; ++i)
    for (int64_t k = 0; k < b->n; ++k)
      b->sum[i * b->n + k] = b->sum[2 * i * b->n + k] + b->sum[(2 * i + 1) * b->n + k];
  const int64_t half = PEL__BATCHES / 2 * b->n;
  memset(b->sum + half, 0, (size_t)half * sizeof *b->sum);
  b->head[FULL] = PEL__BATCHES / 2;
  b->head[LENGTH] *= 2;
}

void pel__batches_add(pel__batches *b, const double *x) {
  if (b->head[LENGTH] == 0) b->head[LENGTH] = 1;
  double *to = b->sum + (int64_t)b->head[FULL] * b->n;
  for (int64_t k = 0; k < b->n; ++k) to[k] += x[k];
  if (++b->head[LAST] < b->head[LENGTH]) return;
  b->head[LAST] = 0;
  if (++b->head[FULL] == PEL__BATCHES) merge(b);
}

int64_t pel__batches_samples(const pel__batches *b) {
  return (int64_t)(b->head[FULL] * b->head[LENGTH] + b->head[LAST]);
}

/* Mean over batches [from, to), which have this many samples. */
static void mean_of(const pel__batches *b, int from, int to, double samples, double *mean) {
  for (int64_t k = 0; k < b->n; ++k) {
    double sum = 0;
    for (int i = from; i < to; ++i) sum += b->sum[i * b->n + k];
    mean[k] = sum / samples;
  }
}

int pel__batches_estimate(const pel__batches *b, pel__estimator *f, const void *ctx, int64_t m,
                          double *value, double *error) {
  const int full = (int)b->head[FULL];
  const int64_t samples = pel__batches_samples(b);
  double *mean = pel_calloc((size_t)(b->n + (full + 1) * m), sizeof *mean), *of = mean + b->n;
  for (int64_t i = 0; i < m; ++i) value[i] = error[i] = NAN;
  if (samples > 0) {
    mean_of(b, 0, full + (b->head[LAST] > 0), (double)samples, mean);
    f(ctx, mean, value);
  }
  for (int i = 0; i < full; ++i) {
    mean_of(b, i, i + 1, b->head[LENGTH], mean);
    f(ctx, mean, of + i * m);
  }
  for (int64_t k = 0; k < m && full >= PEL__FEWEST_BATCHES; ++k) {
    double sum = 0, square = 0;
    for (int i = 0; i < full; ++i) sum += of[i * m + k];
    for (int i = 0; i < full; ++i) {
      const double d = of[i * m + k] - sum / full;
      square += d * d;
    }
    error[k] = sqrt(square / full / (full - 1));
  }
  free(mean);
  return full;
}
