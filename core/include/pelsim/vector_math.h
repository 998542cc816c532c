/* For the author of a pair formula: exp, sin, cos and splines of vectors.  The same bits for every
 * processor, since only operations that round correctly are used; a libm differs from version to
 * version.  Errors are below 1 unit in the last place for exp and log and 2 for sin and cos
 * (tests/unit/test_vector_math.c measures), with doubles and with floats. */
#ifndef PELSIM_VECTOR_MATH_H
#define PELSIM_VECTOR_MATH_H

#include "pelsim/simd.h"

#ifdef PEL_MIXED
/* exp(x) for -87 <= x <= 88, and of the nearer of these beyond them or for NaN: as below, with
 * Taylor's polynomial of degree 8 (the rest is below 3e-10 for |r| <= log(2)/2). */
PEL_INLINE pel_real pel_exp(pel_real x) {
  static const float inverse_factorial[] = {0x1.a01a02p-16f, 0x1.a01a02p-13f, 0x1.6c16c2p-10f,
                                            0x1.111112p-7f,  0x1.555556p-5f,  0x1.555556p-3f,
                                            0x1p-1f}; /* of 8 .. 2 */
  const pel_real magic = pel_all(0x1.8p23f);
  x = pel_smaller(pel_larger(x, pel_all(-87)), pel_all(88));
  const pel_real nearest = pel_fma(x, pel_all(0x1.715476p+0f), magic), n = nearest - magic;
  pel_real r = pel_fma(-n, pel_all(0x1.62e43p-1f), x); /* log 2, in two parts */
  r = pel_fma(-n, pel_all(-0x1.05c61p-29f), r);
  pel_real p = pel_all(inverse_factorial[0]);
#pragma GCC unroll 7
  for (int k = 1; k < 7; ++k) p = pel_fma(p, r, pel_all(inverse_factorial[k]));
  const pel_real e = 1 + pel_fma(r * r, p, r);
  return (pel_real)((pel_bits8)e + ((pel_bits8)nearest << 23));
}

/* sin(pi x) and cos(pi x), |x| < 2^21: as below, with polynomials of degree 11 and 10. */
PEL_INLINE void pel_sin_cos_pi(pel_real x, pel_real *sine, pel_real *cosine) {
  static const float of_sine[] = {-0x1.e3074cp-8f, 0x1.507834p-4f,  -0x1.32d2ccp-1f,
                                  0x1.466bc6p+1f,  -0x1.4abbcep+2f, 0x1.921fb6p+1f}; /* 11 .. 1 */
  static const float of_cosine[] = {-0x1.a6d1f2p-6f, 0x1.e1f506p-3f, -0x1.55d3c8p+0f, 0x1.03c1fp+2f,
                                    -0x1.3bd3ccp+2f}; /* 10 .. 2 */
  const pel_real magic = pel_all(0x1.8p23f), nearest = pel_fma(x, pel_all(2), magic);
  const pel_real y = pel_fma(nearest - magic, pel_all(-0.5f), x), w = y * y;
  pel_real s = pel_all(of_sine[0]), c = pel_all(of_cosine[0]);
#pragma GCC unroll 5
  for (int k = 1; k < 6; ++k) s = pel_fma(s, w, pel_all(of_sine[k]));
#pragma GCC unroll 4
  for (int k = 1; k < 5; ++k) c = pel_fma(c, w, pel_all(of_cosine[k]));
  s = y * s, c = pel_fma(c, w, pel_all(1));
  const pel_bits8 n = (pel_bits8)nearest;
  const pel_mask odd = -(pel_mask)(n & 1); /* quarter turns: (s, c) -> (c, -s) -> (-s, -c) ... */
  *sine = (pel_real)((pel_bits8)pel_choose(odd, c, s) ^ ((n & 2) << 30));
  *cosine = (pel_real)((pel_bits8)pel_choose(odd, s, c) ^ (((n + 1) & 2) << 30));
}
#else
/* exp(x) for -708 <= x <= 709, and of the nearer of these beyond them or for NaN.  With n the
 * integer nearest to x/log(2): 2^n exp(x - n log 2), by Taylor's polynomial of degree 13 (the rest
 * is below 5e-18 for |r| <= log(2)/2). */
PEL_INLINE pel_double4 pel_exp(pel_double4 x) {
  static const double inverse_factorial[] = {
      0x1.6124613a86d09p-33, 0x1.1eed8eff8d898p-29, 0x1.ae64567f544e4p-26, 0x1.27e4fb7789f5cp-22,
      0x1.71de3a556c734p-19, 0x1.a01a01a01a01ap-16, 0x1.a01a01a01a01ap-13, 0x1.6c16c16c16c17p-10,
      0x1.1111111111111p-7,  0x1.5555555555555p-5,  0x1.5555555555555p-3,  0x1p-1}; /* of 13 .. 2 */
  const pel_double4 magic = pel_all(0x1.8p52);
  x = pel_smaller(pel_larger(x, pel_all(-708)), pel_all(709));
  const pel_double4 nearest = pel_fma(x, pel_all(0x1.71547652b82fep+0), magic), n = nearest - magic;
  pel_double4 r = pel_fma(-n, pel_all(0x1.62e42fefa39efp-1), x); /* log 2, in two parts */
  r = pel_fma(-n, pel_all(0x1.abc9e3b39803fp-56), r);
  pel_double4 p = pel_all(inverse_factorial[0]);
#pragma GCC unroll 12
  for (int k = 1; k < 12; ++k) p = pel_fma(p, r, pel_all(inverse_factorial[k]));
  const pel_double4 e = 1 + pel_fma(r * r, p, r);
  return (pel_double4)((pel_bits4)e + ((pel_bits4)nearest << 52));
}

/* log(x) of normal x > 0.  With x = 2^k (1 + f), 1 + f between the roots of 1/2 and 2, and
 * s = f/(2 + f): k log 2 + 2 artanh(s), the series of artanh as fitted in fdlibm (Sun Microsystems
 * 1993, e_log.c), where its error is below 2^-58. */
PEL_INLINE pel_double4 pel_log(pel_double4 x) {
  static const double series[] = {0x1.2f112df3e5244p-3, 0x1.39a09d078c69fp-3, 0x1.7466496cb03dep-3,
                                  0x1.c71c51d8e78afp-3, 0x1.2492494229359p-2, 0x1.999999997fa04p-2,
                                  0x1.5555555555593p-1};
  const pel_long4 root_half = (pel_long4)pel_all(0x1.6a09e667f3bcdp-1),
                  k = ((pel_long4)x - root_half) >> 52;
  const pel_double4 n = (pel_double4)((pel_long4)pel_all(0x1.8p52) + k) - 0x1.8p52,
                    f = (pel_double4)((pel_bits4)x - ((pel_bits4)k << 52)) - 1, s = f / (2 + f),
                    z = s * s, half = 0.5 * f * f;
  pel_double4 r = pel_all(series[0]);
#pragma GCC unroll 6
  for (int i = 1; i < 7; ++i) r = pel_fma(r, z, pel_all(series[i]));
  const pel_double4 low = pel_fma(s, pel_fma(r, z, half), n * 0x1.a39ef35793c76p-33);
  return n * 0x1.62e42feep-1 - ((half - low) - f); /* log 2, in two parts */
}

/* sin(pi x) and cos(pi x), |x| < 2^50.  With n the integer nearest to 2x and y = x - n/2, Taylor's
 * polynomials in y (|y| <= 1/4: the rest is below 1e-17); n says which is which. */
PEL_INLINE void pel_sin_cos_pi(pel_double4 x, pel_double4 *sine, pel_double4 *cosine) {
  static const double of_sine[] = {
      0x1.aaec32af93359p-21, -0x1.6fadb9f155744p-16, 0x1.e8f434d018d63p-12,
      -0x1.e3074fde8871fp-8, 0x1.50783487ee782p-4,   -0x1.32d2cce62bd86p-1,
      0x1.466bc6775aae2p+1,  -0x1.4abbce625be53p+2,  0x1.921fb54442d18p+1}; /* pi^k/k!, 17 .. 1 */
  static const double of_cosine[] = {0x1.20c62c2f2d7f5p-18, -0x1.b6e24f44b128fp-14,
                                     0x1.f9d38a3763cc3p-10, -0x1.a6d1f2a204a8cp-6,
                                     0x1.e1f506891babbp-3,  -0x1.55d3c7e3cbffap+0,
                                     0x1.03c1f081b5ac4p+2,  -0x1.3bd3cc9be45dep+2}; /* 16 .. 2 */
  const pel_double4 magic = pel_all(0x1.8p52), nearest = pel_fma(x, pel_all(2), magic);
  const pel_double4 y = pel_fma(nearest - magic, pel_all(-0.5), x), w = y * y;
  pel_double4 s = pel_all(of_sine[0]), c = pel_all(of_cosine[0]);
#pragma GCC unroll 8
  for (int k = 1; k < 9; ++k) s = pel_fma(s, w, pel_all(of_sine[k]));
#pragma GCC unroll 8
  for (int k = 1; k < 8; ++k) c = pel_fma(c, w, pel_all(of_cosine[k]));
  s = y * s, c = pel_fma(c, w, pel_all(1));
  const pel_bits4 n = (pel_bits4)nearest;
  const pel_long4 odd = -(pel_long4)(n & 1); /* quarter turns: (s, c) -> (c, -s) -> (-s, -c) ... */
  *sine = (pel_double4)((pel_bits4)pel_choose(odd, c, s) ^ ((n & 2) << 62));
  *cosine = (pel_double4)((pel_bits4)pel_choose(odd, s, c) ^ (((n + 1) & 2) << 62));
}
#endif

/* ---- cubic splines on a grid of equal steps from 0 ----
 *
 * A record of four coefficients an interval; with p in [0, 1] the way through it, the value is
 * ((a[3] p + a[2]) p + a[1]) p + a[0].  A last record holds the end: value, slope, 0, 0. */

typedef struct {
  pel_whole interval;
  pel_real part;
} pel_spline_place;

/* Of x >= 0 with steps of 1/per_step; beyond the grid, of its end, number `last`. */
PEL_INLINE pel_spline_place pel_spline_find(pel_real x, pel_real per_step, pel_real last) {
  const pel_real p = pel_smaller(x * per_step, last);
  const pel_whole n = pel_to_int(p);
  return (pel_spline_place){n, p - pel_to_real(n)};
}

/* The value, and the slope times the step. */
PEL_INLINE pel_real pel_spline(const pel_real a[4], pel_real p, pel_real *slope) {
  const pel_real u = pel_fma(a[3], p, a[2]);
  *slope = pel_fma(u + pel_fma(a[3], p, u), p, a[1]);
  return pel_fma(pel_fma(u, p, a[1]), p, a[0]);
}

/* Records [0, n] of the Hermite spline through n + 1 values, `stride` doubles apart: slopes by
 * central differences of fourth order, of second order next to the ends and one-sided at them, as
 * LAMMPS has it. */
static inline void pel_spline_records(int n, const double *value, double *record, int stride) {
  for (int m = 0; m <= n; ++m) {
    double *a = record + (ptrdiff_t)m * stride;
    const double *f = value + m;
    a[0] = f[0];
    a[1] = m == 0       ? f[1] - f[0]
           : m == n     ? f[0] - f[-1]
           : m == 1     ? (f[1] - f[-1]) / 2
           : m == n - 1 ? (f[1] - f[-1]) / 2
                        : ((f[-2] - f[2]) + 8 * (f[1] - f[-1])) / 12;
    a[2] = a[3] = 0;
  }
  for (int m = 0; m < n; ++m) {
    double *a = record + (ptrdiff_t)m * stride, step = value[m + 1] - value[m];
    a[2] = 3 * step - 2 * a[1] - a[stride + 1];
    a[3] = a[1] + a[stride + 1] - 2 * step;
  }
}

#endif
