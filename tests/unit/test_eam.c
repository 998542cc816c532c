/* The embedded-atom method: alloys of files in each format against long double sums over all pairs;
 * forces are the slopes of the energy; the same bits whatever the threads, skin, order and
 * processor; what is refused. */
#include "eam_case.h"

enum { NRHO = 301, NR = 401 };
static const double drho = 0.05, dr = 0.0125, cut_off = 4.9;

/* ---- files of our own ---- */

/* Smooth to zero at the cut-off; e numbers elements, h the element at whose place the density is
 * (fs only). */
static double ends(double r) { return r < cut_off ? pow(1 - pow(r / cut_off, 4), 4) : 0; }
static double embedding(int e, double rho) { return -(1.5 + e) * sqrt(rho + 0.01) + 0.1 * rho * e; }
static double density_of(int h, int e, double r) {
  return (0.8 + 0.4 * e + 0.3 * h) * exp(-1.4 * (r - 2.5) * (1 + 0.1 * e)) * ends(r) / 6;
}
static double r_phi(int i, int j, double r) {
  return (2 + i + j) * exp(-2.2 * (r - 1.8)) * ends(r) - 0.3 * (1 + i * j) * ends(r);
}
static double charge(int e, double r) { return (1 + 0.2 * e) * exp(-0.9 * r) * ends(r) * 12; }

typedef struct {
  char *text;
  size_t size;
  FILE *f;
  int column;
} writer;

static void put(writer *w, double x, int columns) {
  fprintf(w->f, "%.12g%s", x, ++w->column % columns ? " " : "\n");
}
static void end_table(writer *w, int columns) {
  if (w->column % columns) fputc('\n', w->f);
  w->column = 0;
}

/* fs: densities of pairs. */
static writer write_setfl(int n, bool fs, int columns) {
  static const char *const names[] = {"Xa", "Xb", "Xc"};
  writer w = {0};
  w.f = open_memstream(&w.text, &w.size);
  fprintf(w.f, "UNITS: metal\nmade by a test\n\n%d", n);
  for (int e = 0; e < n; ++e) fprintf(w.f, " %s", names[e]);
  fprintf(w.f, "\n%d %.17g %d %.17g %.17g\n", NRHO, drho, NR, dr, cut_off);
  for (int e = 0; e < n; ++e) {
    fprintf(w.f, "%d %g 3.6 fcc\n", 29 + e, 60. + 10 * e);
    for (int m = 0; m < NRHO; ++m) put(&w, embedding(e, m * drho), columns);
    end_table(&w, columns);
    for (int h = 0; h < (fs ? n : 1); ++h) {
      for (int m = 0; m < NR; ++m) put(&w, density_of(fs ? h : 0, e, m * dr), columns);
      end_table(&w, columns);
    }
  }
  for (int i = 0; i < n; ++i)
    for (int j = 0; j <= i; ++j) {
      for (int m = 0; m < NR; ++m) put(&w, r_phi(i, j, m * dr), columns);
      end_table(&w, columns);
    }
  fclose(w.f); /* sets text and size */
  w.f = NULL;
  return w;
}

static writer write_funcfl(int e, double step) {
  writer w = {0};
  w.f = open_memstream(&w.text, &w.size);
  const int nr = (int)(5 / step) + 1;
  fprintf(w.f, "a comment\n%d %g 3.6 fcc\n%d %.17g %d %.17g %.17g\n", e ? 28 : 29, 60. + 10 * e,
          NRHO, drho, nr, step, cut_off);
  for (int m = 0; m < NRHO; ++m) put(&w, embedding(e, m * drho), 5);
  end_table(&w, 5);
  for (int m = 0; m < nr; ++m) put(&w, charge(e, m * step), 5);
  end_table(&w, 5);
  for (int m = 0; m < nr; ++m) put(&w, density_of(0, e, m * step), 5);
  end_table(&w, 5);
  fclose(w.f); /* sets text and size */
  w.f = NULL;
  return w;
}

static void parse(pel__eam_file *f, writer *w, const char *name) {
  char error[700] = "";
  if (!pel__eam_file_parse(f, PEL__EAM_AUTO, name, w->text, w->size, error, sizeof error))
    fail_msg("%s", error);
  free(w->text);
}

/* ---- the same in long double, from all pairs ---- */

/* Cubic Hermite interpolation of value(m): slopes at m = 0, 1 and n-2, n-1 as the header of
 * vector_math.h says. */
typedef long double table(const void *ctx, int a, int b, int m);

static long double slope_at(table *f, const void *ctx, int a, int b, int n, int m) {
#define AT(k) f(ctx, a, b, k)
  if (m == 0) return AT(1) - AT(0);
  if (m == n - 1) return AT(n - 1) - AT(n - 2);
  if (m == 1 || m == n - 2) return (AT(m + 1) - AT(m - 1)) / 2;
  return (AT(m - 2) - 8 * AT(m - 1) + 8 * AT(m + 1) - AT(m + 2)) / 12;
#undef AT
}

static long double interpolated(table *f, const void *ctx, int a, int b, int n, long double x,
                                long double *slope) {
  const int m = x >= n - 1 ? n - 2 : (int)x;
  const long double p = x - m, q = 1 - p, u = f(ctx, a, b, m), v = f(ctx, a, b, m + 1),
                    s = slope_at(f, ctx, a, b, n, m), t = slope_at(f, ctx, a, b, n, m + 1);
  *slope = 6 * p * q * (v - u) + q * (1 - 3 * p) * s + p * (3 * p - 2) * t;
  return u * (1 + 2 * p) * q * q + v * (3 - 2 * p) * p * p + s * p * q * q - t * p * p * q;
}

static long double setfl_embed(const void *ctx, int e, int none, int m) {
  (void)none;
  return ((const pel__eam_file *)ctx)->embed[e * NRHO + m];
}
static long double setfl_density(const void *ctx, int i, int j, int m) {
  const pel__eam_file *f = ctx;
  return f->density[(i * f->n + j) * NR + m];
}
static long double setfl_pair(const void *ctx, int i, int j, int m) {
  const pel__eam_file *f = ctx;
  return f->pair[(i * f->n + j) * NR + m];
}

typedef struct {
  long double energy, virial[6], *f;
} sums;

static const int first_of[6] = {0, 1, 2, 0, 0, 1}, second_of[6] = {0, 1, 2, 1, 2, 2};

/* Separation of the nearest images; false beyond the cut-off. */
static bool apart(const metal *s, const int *at, int i, int j, long double d[3], long double *r) {
  long double r2 = 0;
  for (int a = 0; a < 3; ++a) {
    const long double l = s->p.domain.length[a];
    d[a] = (long double)s->p.x[a][at[i]] - s->p.x[a][at[j]];
    d[a] -= l * roundl(d[a] / l);
    r2 += d[a] * d[a];
  }
  *r = sqrtl(r2);
  return i != j && *r < cut_off;
}

static sums all_pairs(const metal *s, const pel__eam_file *file, const int *which, const int *at) {
  const int n = (int)s->p.n;
  sums t = {.f = calloc(3 * (size_t)n, sizeof *t.f)};
  long double *pull = calloc((size_t)n, sizeof *pull), d[3], r, slope, dij, dji;
#define TYPE(i) which[s->p.type[at[i]]]
  for (int i = 0; i < n; ++i) {
    long double rho = 0;
    for (int j = 0; j < n; ++j)
      if (apart(s, at, i, j, d, &r))
        rho += interpolated(setfl_density, file, TYPE(i), TYPE(j), NR, r / dr, &slope);
    t.energy += interpolated(setfl_embed, file, TYPE(i), 0, NRHO, rho / drho, &pull[i]);
  }
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j) {
      if (!apart(s, at, i, j, d, &r)) continue;
      const long double z = interpolated(setfl_pair, file, TYPE(i), TYPE(j), NR, r / dr, &slope);
      interpolated(setfl_density, file, TYPE(i), TYPE(j), NR, r / dr, &dij);
      interpolated(setfl_density, file, TYPE(j), TYPE(i), NR, r / dr, &dji);
      const long double du = (slope / dr - z / r) / r + (pull[i] * dij + pull[j] * dji) / dr / drho;
      t.energy += z / r / 2;
      for (int a = 0; a < 3; ++a) t.f[3 * i + a] -= du / r * d[a];
      for (int k = 0; k < 6; ++k) t.virial[k] -= du / r * d[first_of[k]] * d[second_of[k]] / 2;
    }
#undef TYPE
  free(pull);
  return t;
}

static int *places(const metal *s) { return md_places(&(md){.p = s->p}); }

/* ---- alloys ---- */

static const double fcc_site[4][3] = {{0, 0, 0}, {.5, .5, 0}, {.5, 0, .5}, {0, .5, .5}};

/* 256 places of a disturbed fcc crystal with types at random. */
static int alloy(int ntypes, double length[3], double **x, int *type) {
  const int cells[3] = {4, 4, 4};
  uint64_t seed = 5;
  const int n = crystal(cells, 4, fcc_site, (double[]){3.6, 3.7, 3.65}, length, x);
  for (int i = 0; i < n; ++i) {
    for (int a = 0; a < 3; ++a) (*x)[3 * i + a] += 0.3 * (uniform(&seed) - 0.5);
    type[i] = (int)(ntypes * uniform(&seed));
  }
  return n;
}

static void close_to(const char *what, double got, double want, double allowed) {
  if (!(fabs(got - want) <= allowed))
    fail_msg("%s: got %.17g, want %.17g within %g", what, got, want, allowed);
}

static void check_alloy(const pel__eam_file *file, const int *which, int ntypes) {
  double length[3], *x;
  int type[256];
  const int n = alloy(ntypes, length, &x, type);
  const pel__domain d = box_of(length);
  for (int threads = 1; threads <= 2; ++threads) {
    metal s;
    metal_create(&s, &d, n, x, NULL, type, ntypes, file, which, 0.5, threads);
    metal_forces(&s, NULL);
    int *at = places(&s);
    const sums want = all_pairs(&s, file, which, at);
    close_to("energy", s.energy, (double)want.energy, 1e-9);
    for (int k = 0; k < 6; ++k) close_to("virial", s.virial[k], (double)want.virial[k], 1e-7);
    double sum[3] = {0};
    for (int i = 0; i < 3 * n; ++i) {
      const double got = s.p.f[i % 3][at[i / 3]];
      close_to("force", got, (double)want.f[i], 3e-10);
      sum[i % 3] += got; /* exact: multiples of one quantum */
    }
    for (int a = 0; a < 3; ++a) assert_true(sum[a] == 0);
    free(want.f), free(at);
    metal_destroy(&s);
  }
  free(x);
}

static void alloys(void **state) {
  (void)state;
  static const int straight[] = {0, 1, 2}, crossed[] = {1, 0}, second[] = {1};
  for (int fs = 0; fs < 2; ++fs)
    for (int n = 1; n <= 3; ++n) {
      pel__eam_file f;
      writer w = write_setfl(n, fs, n == 2 ? 1 : 5);
      parse(&f, &w, fs ? "X.eam.fs" : "X.eam.alloy");
      assert_int_equal(f.format, fs ? PEL__EAM_FS : PEL__EAM_SETFL);
      check_alloy(&f, straight, n);
      if (n == 2) check_alloy(&f, crossed, 2);
      if (n == 2) check_alloy(&f, second, 1);
      pel__eam_file_free(&f);
    }
}

/* funcfl files are interpolated to one grid; the tables are fine enough to tell. */
static void combined(void **state) {
  (void)state;
  pel__eam_file f[2];
  writer a = write_funcfl(0, 0.01), b = write_funcfl(1, 0.0125);
  parse(&f[0], &a, "a"), parse(&f[1], &b, "b");
  assert_int_equal(f[0].format, PEL__EAM_FUNCFL);
  assert_string_equal(f[0].element[0].name, "Cu");
  assert_string_equal(f[1].element[0].name, "Ni");
  double length[3], *x;
  int type[256];
  const int n = alloy(2, length, &x, type), which[] = {0, 1};
  const pel__domain d = box_of(length);
  metal s;
  metal_create(&s, &d, n, x, NULL, type, 2, f, which, 0.5, 1);
  metal_forces(&s, NULL);
  int *at = places(&s);
  double energy = 0;
  for (int i = 0; i < n; ++i) {
    double rho = 0;
    for (int j = 0; j < n; ++j) {
      long double v[3], r;
      if (!apart(&s, at, i, j, v, &r)) continue;
      const int ti = type[i], tj = type[j];
      rho += density_of(0, tj, (double)r);
      energy += 27.2 * 0.529 * charge(ti, (double)r) * charge(tj, (double)r) / (double)r / 2;
    }
    energy += embedding(type[i], rho);
  }
  close_to("energy", s.energy, energy, 1e-5 * n);
  free(at), free(x);
  metal_destroy(&s);
  for (int k = 0; k < 2; ++k) pel__eam_file_free(&f[k]);
}

/* ---- forces are slopes ---- */

static void check_slopes(const pel__eam_file *files) {
  double length[3], *x, energy[2];
  int type[256];
  const int n = alloy(2, length, &x, type), which[] = {0, 1};
  const pel__domain d = box_of(length);
  for (int k = 0; k < 12; ++k) {
    const int i = 37 * k % n, a = k % 3;
    const double h = 2e-4, x0 = x[3 * i + a];
    double force = 0;
    for (int side = 0; side < 3; ++side) { /* 0: in the middle */
      metal s;
      x[3 * i + a] = x0 + (side == 1 ? h : side == 2 ? -h : 0);
      metal_create(&s, &d, n, x, NULL, type, 2, files, which, 0.4, 1);
      metal_forces(&s, NULL);
      int *at = places(&s);
      if (side)
        energy[side - 1] = s.energy;
      else
        force = s.p.f[a][at[i]];
      free(at);
      metal_destroy(&s);
    }
    x[3 * i + a] = x0;
    close_to("force", force, -(energy[0] - energy[1]) / (2 * h), 3e-6);
  }
  free(x);
}

static void slopes(void **state) {
  (void)state;
  for (int fs = 0; fs < 2; ++fs) {
    pel__eam_file f;
    writer w = write_setfl(2, fs, 5);
    parse(&f, &w, fs ? "X.fs" : "X.alloy");
    check_slopes(&f);
    pel__eam_file_free(&f);
  }
  pel__eam_file f[2];
  writer a = write_funcfl(0, 0.01), b = write_funcfl(1, 0.0125);
  parse(&f[0], &a, "a"), parse(&f[1], &b, "b");
  check_slopes(f);
  for (int k = 0; k < 2; ++k) pel__eam_file_free(&f[k]);
}

/* ---- the same bits ---- */

/* [mixed][types - 1]: on any processor, with any vector width */
static const uint64_t everywhere[2][2] = {
    {UINT64_C(0xefba948d9cd06156), UINT64_C(0x6090f2e961fef521)},
    {UINT64_C(0x070ea996ac040b02), UINT64_C(0xa2f5fd3a792318d1)}};

static uint64_t run(const pel__eam_file *f, int ntypes, int order, double skin, int threads,
                    double *builds) {
  double length[3], *x;
  int type[256];
  const int n = alloy(ntypes, length, &x, type), which[] = {0, 1};
  double *v = velocities(n, 0.15, 7), y[3 * 256] = {0}, u[3 * 256] = {0};
  int tag[256] = {0};
  for (int i = 0; i < n; ++i) { /* another order: ids tell who is who */
    const int k = order ? (i * 77 + order) % n : i;
    for (int a = 0; a < 3; ++a) y[3 * k + a] = x[3 * i + a], u[3 * k + a] = v[3 * i + a];
    tag[k] = type[i];
  }
  const pel__domain d = box_of(length);
  metal s;
  metal_create(&s, &d, n, y, u, tag, ntypes, f, which, skin, threads);
  for (int i = 0; i < n; ++i) s.p.id[order ? (i * 77 + order) % n : i] = i + 1;
  metal_steps(&s, 150, 0.02, (double[]){1, 1.5});
  md probe = {.p = s.p};
  const uint64_t print = md_fingerprint(&probe);
  *builds = s.list.builds;
  metal_destroy(&s);
  free(x), free(v);
  return print;
}

static void same_bits(void **state) {
  (void)state;
  static const struct {
    int order;
    double skin;
    int threads;
  } as[] = {{0, 0.5, 1}, {3, 0.5, 1}, {0, 0.1, 1}, {0, 1.2, 2}, {5, 0.3, 3}};
  for (int way = 0; way < 4; ++way) {
    const int ntypes = 1 + way % 2;
    pel__eam_file f;
    writer w = write_setfl(ntypes, true, 5);
    parse(&f, &w, "X.fs");
    metal_mixed = way >= 2;
    double builds, most = 0, least = INFINITY;
    for (size_t k = 0; k < sizeof as / sizeof *as; ++k) {
      const uint64_t got = run(&f, ntypes, as[k].order, as[k].skin, as[k].threads, &builds),
                     want = everywhere[metal_mixed][ntypes - 1];
      most = fmax(most, builds), least = fmin(least, builds);
      if (got != want)
        fail_msg("%s, %d types, order %d, skin %g, threads %d: fingerprint %016lx, want %016lx",
                 metal_mixed ? "mixed" : "double", ntypes, as[k].order, as[k].skin, as[k].threads,
                 (unsigned long)got, (unsigned long)want);
    }
    assert_true(most > 4 * least); /* rebuilding often and seldom was tried */
    pel__eam_file_free(&f);
  }
  metal_mixed = false;
}

/* ---- mixed precision, and the way back ---- */

static void create_alloy(metal *s, const pel__eam_file *f, int ntypes, bool mixed) {
  double length[3], *x;
  int type[256];
  const int n = alloy(ntypes, length, &x, type), which[] = {0, 1};
  double *v = velocities(n, 0.15, 7);
  const pel__domain d = box_of(length);
  metal_mixed = mixed;
  metal_create(s, &d, n, x, v, type, ntypes, f, which, 0.4, 2);
  metal_mixed = false;
  free(x), free(v);
}

static void mixed(void **state) {
  (void)state;
  for (int ntypes = 1; ntypes <= 2; ++ntypes) {
    pel__eam_file f;
    writer w = write_setfl(ntypes, true, 5);
    parse(&f, &w, "X.fs");
    metal s, t;
    create_alloy(&s, &f, ntypes, false), create_alloy(&t, &f, ntypes, true);
    metal_forces(&s, NULL), metal_forces(&t, NULL);
    double off = 0, size = 0, sum[3] = {0};
    for (int i = 0; i < s.p.nclusters * PEL_LANES; ++i) {
      if (pel__is_empty(&s.p, i)) continue;
      assert_true(s.p.id[i] == t.p.id[i]);
      for (int a = 0; a < 3; ++a) {
        off = fmax(off, fabs(s.p.f[a][i] - t.p.f[a][i])), size = fmax(size, fabs(s.p.f[a][i]));
        sum[a] += t.p.f[a][i];
      }
    }
    close_to("energy a particle", t.energy / (double)t.p.n, s.energy / (double)s.p.n, 1e-6);
    for (int k = 0; k < 6; ++k)
      close_to("virial a particle", t.virial[k] / (double)t.p.n, s.virial[k] / (double)s.p.n, 2e-5);
    if (!(off < 3e-5 * (1 + size))) fail_msg("forces are %.2e off, the largest %.2e", off, size);
    assert_true(sum[0] == 0 && sum[1] == 0 && sum[2] == 0);
    metal_destroy(&s), metal_destroy(&t);
    pel__eam_file_free(&f);
  }
}

static void forth_and_back(void **state) {
  (void)state;
  for (int way = 0; way < 4; ++way) {
    pel__eam_file f;
    writer w = write_setfl(1 + way % 2, true, 5);
    parse(&f, &w, "X.fs");
    metal s;
    create_alloy(&s, &f, 1 + way % 2, way >= 2);
    metal_forces(&s, NULL);
    const uint64_t start = md_fingerprint(&(md){.p = s.p});
    for (int k = 0; k < 2; ++k) {
      metal_steps(&s, 150, 0.02, (double[]){1, 1.5});
      if (k == 0) assert_int_not_equal(md_fingerprint(&(md){.p = s.p}), start);
      for (int i = 0; i < s.p.nclusters * PEL_LANES; ++i)
        for (int a = 0; a < 3; ++a) s.p.v[a][i] = 0 - s.p.v[a][i];
    }
    assert_int_equal(md_fingerprint(&(md){.p = s.p}), start);
    metal_destroy(&s);
    pel__eam_file_free(&f);
  }
}

/* ---- what is refused ---- */

static void expect_error(const char *name, const char *text, size_t size, const char *want) {
  pel__eam_file f;
  char error[700] = "";
  if (pel__eam_file_parse(&f, PEL__EAM_AUTO, name, text, size, error, sizeof error))
    fail_msg("%s was read; want: %s", name, want);
  if (!strstr(error, want)) fail_msg("got: %s\nwant: %s", error, want);
}

/* The text with one replacement. */
static void expect_after(const char *from, const char *to, const char *want) {
  writer w = write_setfl(2, false, 5);
  char *at = strstr(w.text, from), *changed = malloc(w.size + 1000);
  assert_non_null(at);
  const int n = sprintf(changed, "%.*s%s%s", (int)(at - w.text), w.text, to, at + strlen(from));
  expect_error("X.eam.alloy", changed, (size_t)n, want);
  free(changed), free(w.text);
}

static void refused(void **state) {
  (void)state;
  writer w = write_setfl(2, false, 5);
  expect_error("X", "", 0, "X:1: the file ends in its head");
  w.text[w.size - 100] = 0; /* cut off within the last table */
  expect_error("X", w.text, w.size - 100,
               "of the 401 numbers of r*phi of Xb and Xb: it is truncated");
  expect_error("X", w.text, 900, "numbers are announced, but only");
  free(w.text);
  expect_after("metal", "real", "X.eam.alloy:1: the potential is in units 'real'");
  expect_after("2 Xa Xb", "3 Xa Xb", "3 elements are announced, but ''");
  expect_after("2 Xa Xb", "2.5 Xa Xb", "a whole number from 1 to 32");
  expect_after("401 ", "400 ", "the counts in the head of the file are wrong");
  expect_after("401 0.0125", "402 0.0125",
               "'fcc' is not a number; the lattice constant is expected");
  expect_after("4.9000000000000004", "9", "the cut-off is 9, but the 401 distances");
  expect_after("4.9000000000000004", "-1", "the cut-off is -1; it must be positive");
  expect_after("29 60", "29 sixty", "'sixty' is not a number; the mass of the element is");
  expect_after("fcc\n", "fcc\nnan ", "'nan' is not a number; this is number 1 of the 301");
  writer fs = write_setfl(2, true, 5);
  expect_error("X.eam.alloy", fs.text, fs.size,
               "is expected: the counts in the head of the file are wrong, or the format");
  free(fs.text);
}

/* A pair that is far too near, and atoms in one place. */
static void too_near(void **state) {
  (void)state;
  pel__eam_file f;
  writer w = write_setfl(1, false, 5);
  parse(&f, &w, "X");
  const pel__domain d = cube(20);
  for (int k = 0; k < 2; ++k) {
    const double gap = k ? 0 : 1e-6, x[] = {1, 1, 1, 1 + gap, 1, 1, 10, 10, 10};
    const int which = 0;
    metal s;
    pel_error e;
    metal_create(&s, &d, 3, x, NULL, NULL, 1, &f, &which, 0.3, 1);
    metal_forces(&s, &e);
    assert_int_equal(e.code, PEL_INVALID);
    assert_non_null(strstr(e.text, "particles 1 and 2"));
    metal_destroy(&s);
  }
  pel__eam_file_free(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(alloys),  cmocka_unit_test(combined),
                                     cmocka_unit_test(slopes),  cmocka_unit_test(same_bits),
                                     cmocka_unit_test(mixed),   cmocka_unit_test(forth_and_back),
                                     cmocka_unit_test(refused), cmocka_unit_test(too_near)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
