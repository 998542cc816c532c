/* Fingerprints of distributed arrays: a commutative sum of strong hashes of (array, index, bits).
 *
 * mix is the finaliser of splitmix64 (Steele, Lea & Flood 2014, doi:10.1145/2714064.2660195,
 * constants of Stafford's variant 13) on bits ^ (key + index*gamma), gamma the odd number nearest
 * to 2^64 over the golden ratio.  It is a bijection of the bits at every place, so that a change of
 * one element always changes the sum; 64-bit multiplications and shifts vectorise.  The hash is of
 * bits: 0.0 and -0.0 differ. */
#include <string.h>
#include "pelsim/sink.h"

#define GAMMA UINT64_C(0x9e3779b97f4a7c15)

static inline uint64_t finalise(uint64_t z) {
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return z ^ z >> 31;
}

uint64_t pel_fingerprint_key(const char *name) {
  uint64_t h = UINT64_C(0xcbf29ce484222325); /* FNV-1a spreads the letters, finalise the bits */
  for (const char *c = name; *c; ++c) h = (h ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
  return finalise(h);
}

uint64_t pel_fingerprint_row(uint64_t key, int64_t index, const double *x, int64_t n) {
  uint64_t sum = 0;
  const uint64_t start = key + (uint64_t)index * GAMMA;
  for (int64_t i = 0; i < n; ++i) {
    uint64_t bits;
    memcpy(&bits, &x[i], sizeof bits);
    sum += finalise(bits ^ (start + (uint64_t)i * GAMMA));
  }
  return sum;
}

uint64_t pel_fingerprint_scalars(const pel_scalar *x, int n) {
  uint64_t sum = 0;
  for (int i = 0; i < n; ++i)
    if (x[i].state) sum += pel_fingerprint_row(pel_fingerprint_key(x[i].name), 0, &x[i].value, 1);
  return sum;
}

uint64_t pel_fingerprint_array(const pel_array *a, const pel_grid *g) {
  const uint64_t key = pel_fingerprint_key(a->name);
  uint64_t sum = 0;
  for (int b = 0; b < a->npatches; ++b) {
    const pel_patch *p = &a->patches[b];
#pragma omp parallel for collapse(2) reduction(+ : sum)
    for (int k = 0; k < p->n[2]; ++k)
      for (int j = 0; j < p->n[1]; ++j) {
        const int64_t row = (p->first[2] + k) * g->axis[1].n + p->first[1] + j;
        sum += pel_fingerprint_row(key, row * g->axis[0].n + p->first[0],
                                   p->data + k * p->sz + j * p->sy, p->n[0]);
      }
  }
  return sum;
}
