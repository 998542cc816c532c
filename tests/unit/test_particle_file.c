/* Readers of particle files: what the formats allow, and one sentence for each thing that is wrong.
 */
#define _GNU_SOURCE
#include "../io/fixture.h"

#include <hdf5.h>
#include "particle_file.h"

static char dir[200], path[300];

static void put(const char *text, size_t n) {
  FILE *f = fopen(path, "w");
  CHECK(f && fwrite(text, 1, n, f) == n && !fclose(f), "%s cannot be written", path);
}

static pel_particle_file read_as(const char *format, const char *frame, const bool wall[3]) {
  pel_particle_file p;
  pel_error e = {0};
  CHECK(pel__particles_read(path, format, frame, wall, &p, &e) == PEL_OK,
        "got '%s', want particles", e.text);
  return p;
}

static pel_particle_file good(const char *text) {
  put(text, strlen(text));
  return read_as("auto", "last", NULL);
}

static void expect(const pel_particle_file *p, int64_t id, int type, double x, double y, double z) {
  const double want[3] = {x, y, z};
  CHECK_EQUAL(p->type[id - 1], type);
  for (int a = 0; a < 3; ++a)
    CHECK(p->x[a][id - 1] == want[a], "particle %d: %c is %.17g, want %.17g", (int)id, "xyz"[a],
          p -> x[a][id - 1], want[a]);
}

/* ---- LAMMPS ---- */

#define HEAD "a title\n\n3 atoms\n2 atom types\n\n-1 9 xlo xhi\n0 8 ylo yhi\n0 6.5 zlo zhi\n\n"
#define MASSES "Masses\n\n1 12.5 # C\n2 3 # He\n\n"
#define ATOMS "Atoms # atomic\n\n3 2 0 7.5 1\n1 1 -1 0 0 0 2 -1\n# a comment\n2 1 10.5 -0.5 6.25\n"

static void lammps_is_read(void **state) {
  (void)state;
  pel_particle_file p =
      good(HEAD MASSES ATOMS "\nVelocities\n\n2 1 2 3\n1 0.5 0 0\n3 -1 -2 -3e0\n");
  CHECK(p.n == 3 && p.ntypes == 2 && p.length[0] == 10 && p.length[1] == 8 && p.length[2] == 6.5,
        "got %d particles of %d types", (int)p.n, p.ntypes);
  CHECK(p.mass[0] == 12.5 && p.mass[1] == 3, "got masses %g, %g", p.mass[0], p.mass[1]);
  CHECK(!strcmp(p.species[0], "C") && !strcmp(p.species[1], "He"), "got %s, %s", p.species[0],
        p.species[1]);
  expect(&p, 1, 0, 0, 0, 0);
  expect(&p, 2, 0, 1.5, 7.5, 6.25); /* wrapped */
  expect(&p, 3, 1, 1, 7.5, 1);
  CHECK(p.image[0][1] == 1 && p.image[1][1] == -1 && p.image[2][1] == 0, "images of 2");
  CHECK(p.image[0][0] == 0 && p.image[1][0] == 2 && p.image[2][0] == -1, "images of 1");
  CHECK(p.has_velocities && p.v[0][0] == 0.5 && p.v[2][2] == -3, "velocities");
  pel__particles_free(&p);
  static const char *const styles[] = {
      "Atoms # charge\n\n1 1 0 1 2 3\n2 2 0.0 2 2 3 1 0 0\n3 1 0 3 2 3\n",
      "Atoms # full\n\n1 7 1 0 1 2 3\n2 7 2 0.0 2 2 3 1 0 0\n3 8 1 0 3 2 3\n",
      "Atoms  # molecular\n\n1 7 1 1 2 3\n2 7 2 2 2 3 1 0 0\n3 8 1 3 2 3\n",
      "Atoms\r\n\r\n1 1 1 2 3\r\n2 2 2 2 3 1 0 0\r\n3 1 3 2 3\r\n",
      "Pair Coeffs # lj/cut\n\n1 1.0 1.0\n2 1.0 1.0\n\nAtoms\n\n1 1 1 2 3\n2 2 2 2 3 1 0 0\n3 1 3 "
      "2 "
      "3\n\nBond Coeffs\n\n1 2 3"};
  for (int i = 0; i < PEL_N(styles); ++i) {
    char text[1000];
    snprintf(text, sizeof text, "%s%s", HEAD "0 bonds\n1 bond types\n0 0 0 xy xz yz\n", styles[i]);
    p = good(text);
    expect(&p, 2, 1, 3, 2, 3);
    expect(&p, 3, 0, 4, 2, 3);
    CHECK(p.has_images && p.image[0][1] == 1 && !p.has_velocities, "style %d", i);
    pel__particles_free(&p);
  }
}

/* ---- XYZ ---- */

static void xyz_is_read(void **state) {
  (void)state;
  pel_particle_file p = good(
      "2\nLattice=\"5 0 0 0 6 0 0 0 7\" Properties=species:S:1:pos:R:3 Time=0.5\nAr 1 2 3\nKr -1 2 "
      "8\n"
      "3\nLattice=\"5.5 0.0 0.0 0.0 6 0.0 0.0 0.0 7\" pbc=\"T F T\" Origin=\"-1 0 0\" Time=1.5 "
      "Properties=id:I:1:species:S:1:pos:R:3:velo:R:3:other:R:2:image:I:3:mass:R:1 comment='a b'\n"
      "2 O 0 1 2 .1 .2 .3 0 0 1 2 3 16\n3 H 4.5 5 6 .4 .5 .6 0 0 0 0 0 1\n1 H 1 0 0 0 0 0 0 0 0 0 "
      "0 "
      "1\n");
  CHECK(p.n == 3 && p.ntypes == 2 && !strcmp(p.species[0], "O") && !strcmp(p.species[1], "H") &&
            p.length[0] == 5.5 && p.time == 1.5,
        "got %d particles, species %s", (int)p.n, p.species[0]);
  CHECK(p.periodic[0] && !p.periodic[1] && p.periodic[2], "pbc");
  CHECK(p.mass[0] == 16 && p.mass[1] == 1, "masses");
  expect(&p, 1, 1, 2, 0, 0);
  expect(&p, 2, 0, 1, 1, 2);
  expect(&p, 3, 1, 0, 5, 6); /* 5.5 from the corner: wrapped */
  CHECK(p.image[0][2] == 1 && p.image[2][1] == 3 && p.v[2][2] == 0.6, "images or velocities");
  pel__particles_free(&p);
  p = read_as("xyz", "first", NULL);
  CHECK(p.n == 2 && p.image[0][1] == -1 && p.image[2][1] == 1, "the first frame");
  expect(&p, 2, 1, 4, 2, 1);
  pel__particles_free(&p);
  p = read_as("xyz", "1", NULL);
  CHECK_EQUAL(p.n, 3);
  pel__particles_free(&p);
  p = good("1\nLattice=[[5,0,0],[0,6,0],[0,0,7]]\nAr 1 2 3\n");
  CHECK(p.length[0] == 5 && p.length[1] == 6 && p.length[2] == 7, "brackets");
  pel__particles_free(&p);
  p = good("2\nLattice=\"5 0 0 0 6 0 0 0 7\"\n3 1 2 3\n1 4 5 6\n"); /* names that are numbers */
  CHECK(p.ntypes == 3 && !*p.species[2], "got %d types", p.ntypes);
  expect(&p, 1, 2, 1, 2, 3);
  expect(&p, 2, 0, 4, 5, 6);
  pel__particles_free(&p);
}

/* ---- NIST ---- */

static void nist_is_read(void **state) {
  (void)state;
  snprintf(path, sizeof path, "%s/nist/lj_2.txt", PELSIM_TEST_DATA);
  pel_particle_file p = read_as("auto", "last", NULL);
  CHECK(p.n == 200 && p.length[0] == 8 && p.ntypes == 1, "got %d particles", (int)p.n);
  expect(&p, 1, 0, 4 - 7.892790848222e-01, 4 - 3.263959282465, 4 - 1.449690661620e-01);
  pel__particles_free(&p);
  snprintf(path, sizeof path, "%s/file", dir);
}

/* ---- H5MD ---- */

/* A file as other programs may write it. */
typedef struct {
  const char *group;
  int dimension;
  bool still, still_box, vector_edges, regular_steps, enumeration, unsorted, from_zero, scalar_word;
} variant;

static hid_t dataset(hid_t at, const char *name, hid_t type, int rank, const hsize_t *n,
                     const void *x) {
  const hid_t s = H5Screate_simple(rank, n, NULL),
              d = H5Dcreate2(at, name, type, s, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  CHECK(H5Dwrite(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, x) >= 0, "%s", name);
  H5Sclose(s);
  return d;
}

static hid_t group(hid_t at, const char *name) {
  return H5Gcreate2(at, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
}

static void put_words(hid_t box, int n, bool scalar) {
  const hid_t t = H5Tcopy(H5T_C_S1), s = scalar
                                             ? H5Screate(H5S_SCALAR)
                                             : H5Screate_simple(1, (hsize_t[]){(hsize_t)n}, NULL);
  H5Tset_size(t, scalar ? 8 : H5T_VARIABLE); /* "periodic" without an end fits 8 bytes */
  H5Tset_strpad(t, scalar ? H5T_STR_NULLPAD : H5T_STR_NULLTERM);
  const char *const word[] = {"periodic", "none", "periodic"};
  const hid_t a = H5Acreate2(box, "boundary", t, s, H5P_DEFAULT, H5P_DEFAULT);
  CHECK(H5Awrite(a, t, scalar ? (const void *)"periodic" : word) >= 0, "boundary");
  H5Aclose(a), H5Sclose(s), H5Tclose(t);
}

static void put_integer(hid_t at, const char *name, int x) {
  const hid_t s = H5Screate(H5S_SCALAR),
              a = H5Acreate2(at, name, H5T_NATIVE_INT, s, H5P_DEFAULT, H5P_DEFAULT);
  H5Awrite(a, H5T_NATIVE_INT, &x);
  H5Aclose(a), H5Sclose(s);
}

/* Two frames of three particles; in the second all stand further by one. */
static void write_h5md(const variant *v) {
  const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT),
              h5md = group(file, "h5md"), all = group(file, "particles"), g = group(all, v->group),
              box = group(g, "box");
  const hsize_t d = (hsize_t)v->dimension;
  float x[2][3][3];
  for (int r = 0; r < 2; ++r)
    for (int i = 0; i < 3; ++i)
      for (int a = 0; a < v->dimension; ++a)
        (&x[0][0][0])[(r * 3 + i) * v->dimension + a] = (float)(i + 0.25 * a + r);
  if (v->still) {
    H5Dclose(dataset(g, "position", H5T_NATIVE_FLOAT, 2, (hsize_t[]){3, d}, x));
  } else {
    const hid_t p = group(g, "position");
    H5Dclose(dataset(p, "value", H5T_NATIVE_FLOAT, 3, (hsize_t[]){2, 3, d}, x));
    if (v->regular_steps) {
      const hid_t s = H5Screate(H5S_SCALAR),
                  step = H5Dcreate2(p, "step", H5T_NATIVE_INT, s, H5P_DEFAULT, H5P_DEFAULT,
                                    H5P_DEFAULT);
      H5Dwrite(step, H5T_NATIVE_INT, H5S_ALL, H5S_ALL, H5P_DEFAULT, &(int){5});
      put_integer(step, "offset", 100);
      H5Dclose(step), H5Sclose(s);
    } else {
      H5Dclose(dataset(p, "step", H5T_NATIVE_INT, 1, (hsize_t[]){2}, (int[]){100, 105}));
    }
    /* velocities of every second frame only */
    const hid_t w = group(g, "velocity");
    H5Dclose(dataset(w, "value", H5T_STD_I16BE, 3, (hsize_t[]){1, 3, d}, (int16_t[9]){0x0700}));
    H5Dclose(dataset(w, "step", H5T_NATIVE_INT64, 1, (hsize_t[]){1}, (int64_t[]){105}));
    H5Gclose(w), H5Gclose(p);
  }
  put_integer(box, "dimension", v->dimension);
  put_words(box, v->dimension, v->scalar_word);
  const double vector[] = {10, 11, 12, 10, 11, 12},
               matrix[2][9] = {{10, 0, 0, 0, 11, 0, 0, 0, 12}, {10, 0, 0, 0, 11, 0, 0, 0, 12}};
  const hid_t edges = v->still_box ? box : group(box, "edges");
  const hsize_t frames[4] = {2, 3, 3};
  if (v->dimension == 2)
    H5Dclose(dataset(box, "edges", H5T_NATIVE_DOUBLE, 1, (hsize_t[]){2}, vector));
  else if (v->still_box)
    H5Dclose(dataset(box, "edges", H5T_NATIVE_DOUBLE, v->vector_edges ? 1 : 2, (hsize_t[]){3, 3},
                     v->vector_edges ? vector : matrix[0]));
  else
    H5Dclose(dataset(edges, "value", H5T_NATIVE_DOUBLE, v->vector_edges ? 2 : 3, frames,
                     v->vector_edges ? vector : (const double *)matrix));
  if (edges != box) H5Gclose(edges);
  if (v->unsorted || v->from_zero) {
    const int64_t id[3] = {v->from_zero ? 2 : 3, v->from_zero ? 0 : 1, v->from_zero ? 1 : 2};
    H5Dclose(dataset(g, "id", H5T_NATIVE_INT64, 1, (hsize_t[]){3}, id));
  }
  if (v->enumeration) {
    const hid_t t = H5Tenum_create(H5T_NATIVE_SHORT);
    H5Tenum_insert(t, "Kr", &(short){36});
    H5Tenum_insert(t, "Ar", &(short){18});
    H5Dclose(dataset(g, "species", t, 1, (hsize_t[]){3}, (short[]){36, 18, 36}));
    H5Tclose(t);
  } else {
    H5Dclose(dataset(g, "species", H5T_NATIVE_INT, 1, (hsize_t[]){3}, (int[]){1, 0, 1}));
  }
  H5Gclose(box), H5Gclose(g), H5Gclose(all), H5Gclose(h5md), H5Fclose(file);
}

static void h5md_variants_are_read(void **state) {
  (void)state;
  static const variant cases[] = {
      {.group = "all", .dimension = 3},
      {.group = "atoms", .dimension = 3, .still = true, .still_box = true},
      {.group = "system", .dimension = 3, .still_box = true, .vector_edges = true},
      {.group = "trajectory", .dimension = 3, .vector_edges = true, .regular_steps = true},
      {.group = "x", .dimension = 3, .enumeration = true, .unsorted = true},
      {.group = "y", .dimension = 3, .from_zero = true, .scalar_word = true}};
  for (int i = 0; i < PEL_N(cases); ++i) {
    const variant *v = &cases[i];
    write_h5md(v);
    pel_particle_file p = read_as("auto", "last", NULL);
    CHECK(p.n == 3 && p.ntypes == 2 && p.length[1] == 11, "case %d: got %d particles", i, (int)p.n);
    const int64_t third = v->unsorted || v->from_zero ? 2 : 3; /* id of the last of the file */
    const double at = v->still ? 2 : 3;
    expect(&p, third, 1, at, at + 0.25, at + 0.5);
    CHECK_EQUAL(p.periodic[1], v->scalar_word);
    CHECK_EQUAL(p.has_velocities, !v->still);
    if (!v->still) CHECK(p.v[0][v->unsorted || v->from_zero ? 2 : 0] == 7, "velocity");
    CHECK(!v->enumeration || (!strcmp(p.species[0], "Ar") && !strcmp(p.species[1], "Kr")),
          "got species %s", p.species[0]);
    pel__particles_free(&p);
  }
  pel_error e = {0};
  pel_particle_file p;
  write_h5md(&cases[0]);
  CHECK_EQUAL(pel__particles_read(path, "h5md", "first", NULL, &p, &e), PEL_IO);
  CHECK_SAYS(e, "velocity has no frame of step 100; choose a frame that has one");
  e = (pel_error){0};
  CHECK_EQUAL(pel__particles_read(path, "h5md", "2", NULL, &p, &e), PEL_USAGE);
  CHECK_SAYS(e, "has 2 frames; there is no frame 2 (they count from 0)");
  e = (pel_error){0};
  CHECK_EQUAL(pel__particles_read(path, "lammps", "last", NULL, &p, &e), PEL_IO);
  CHECK_SAYS(e, "file:1: this is not UTF-8 (byte 0x89); is it the right file?");
}

/* ---- what is wrong ---- */

#define XYZ "2\nLattice=\"5 0 0 0 6 0 0 0 7\" Properties=species:S:1:pos:R:3"

static const struct {
  const char *text, *sentence;
} bad[] = {
    {HEAD "Atoms\n\n1 1 1 1 1\n2 1 1 1 1\n", "file:13: the file ends after 2 of 3 atoms"},
    {HEAD "Atoms\n\n1 1 1 1 1\n2 1 1 1 1\n\nVelocities\n\n",
     "file:15: section Velocities begins after 2 of 3 atoms"},
    {HEAD ATOMS "\nVelocities\n\n1 1 1 1\n2 1 1 1\n3 1 1 1\n\nVelocities\n\n1 1 1 1\n",
     "file:23: a second section of velocities"},
    {HEAD "0 9 xlo xhi\n" ATOMS, "file:10: the bounds along x are here twice"},
    {HEAD "Velocities\n\n1 1 1 1\n2 1 1 1\n3 1 1 1\n\n" ATOMS,
     "file:10: section Velocities stands before section Atoms"},
    {HEAD ATOMS "4 1 1 1 1\n", "file:16: '4' is no section that can be read (after Atoms)"},
    {HEAD "Atoms\n\n1 3 1 1 1\n", "file:12: particle 1 has type 3; there are types 1 to 2"},
    {HEAD "Atoms\n\n1 1 1 1 1\n1 1 1 1 1\n", "file:13: id 1 is here twice"},
    {HEAD "Atoms\n\n4 1 1 1 1\n", "file:12: id 4; the ids of 3 particles must be 1 to 3"},
    {HEAD "Atoms\n\n1 1 1 1\n", "file:12: an atom of 4 numbers, and the style is not told"},
    {HEAD "Atoms # atomic\n\n1 1 1 1 x\n", "file:12: this is no atom of style atomic: 5 numbers"},
    {HEAD "Atoms # dipole\n\n1 1 1 1 x\n", "file:10: atoms of style 'dipole'; atomic, charge"},
    {HEAD "Atoms # charge\n\n1 1 0.5 1 1 1\n", "file:12: atom 1 has charge 0.5; charges cannot"},
    {HEAD "Atoms\n\n1 1 1 nan 1\n", "file:12: this is no atom"},
    {HEAD "Atoms\n\n1 1 1 1e300 1\n", "file:12: particle 1 stands at y = 1e+300, far outside"},
    {HEAD "Atoms\n\n1 1 9.5 1 1\n",
     "file:12: particle 1 stands at x = 10.5, outside the box (0 to 10 from its corner), which has "
     "walls there"},
    {HEAD MASSES, "file:14: the file has no section Atoms"},
    {HEAD "Masses\n\n1 0\n2 1\n", "file:12: a mass of 0; it must be positive"},
    {HEAD "Masses\n\n3 1\n", "file:12: a type from 1 to 2 and its mass are wanted"},
    {HEAD ATOMS "Velocities\n\n1 0 0 0\n1 0 0 0\n", "file:19: id 1 is here twice"},
    {HEAD ATOMS "Velocities\n\n1 0 0\n", "file:18: an id from 1 to 3 and three numbers are wanted"},
    {HEAD "1 0 0 xy xz yz\n" ATOMS, "file:10: a triclinic box (xy xz yz are not 0)"},
    {HEAD "7 bonds\n" ATOMS, "file:10: 7 bonds; only atoms without them can be simulated"},
    {HEAD "rubbish here\n" ATOMS,
     "file:10: 'rubbish' is neither a line of the header nor a section"},
    {"t\n\n3 atoms\n1 atom types\n0 1 xlo xhi\n0 1 ylo yhi\n\nAtoms\n",
     "the header has no bounds zlo zhi of the box"},
    {"t\n\n3 atoms\n0 1 xlo xhi\n0 1 ylo yhi\n0 1 zlo zhi\n\nAtoms\n",
     "the header has no number of 'atom types'"},
    {"t\n\n0 atoms\n1 atom types\n0 1 xlo xhi\n0 1 ylo yhi\n0 1 zlo zhi\n\nAtoms\n",
     "there are 0 particles"},
    {"t\n\n3 atoms\n1 atom types\n1 1 xlo xhi\n0 1 ylo yhi\n0 1 zlo zhi\n\nAtoms\n",
     "the box has length 0 along x; it must be positive"},
    {"t\n\n3000000 atoms\n1 atom types\n0 1 xlo xhi\n0 1 ylo yhi\n0 1 zlo zhi\n\nAtoms\n",
     "3000000 particles do not fit into a file of"},
    {"t\n\n3 atoms\n99 atom types\n", "file:4: '99' atom types; 1 to 32 are possible"},
    {XYZ "\nAr 1 2 3\n", "file:3: the file ends after 1 of 2 particles"},
    {XYZ "\nAr 1 2 3\nAr 1 2\n", "file:4: 4 columns are wanted, as Properties say"},
    {XYZ "\nAr 1 2 3\nAr 1 2 z\n", "file:4: a value is not the number that Properties promise"},
    {XYZ "\nAr 1 2 3\nAr 1 2 3\n3 x\n", "file:5: the number of particles of a frame is wanted"},
    {XYZ ":mass:R:1\nAr 1 2 3 1\nAr 1 2 3 2\n", "file:4: a particle of type 1 has mass 2, another"},
    {XYZ ":id:I:1\nAr 1 2 3 1\nAr 1 2 3 1\n", "file:4: id 1 is here twice"},
    {XYZ ":velo:R:2\nAr 1 2 3 1\nAr 1 2 3 1\n",
     "file:2: property velo must be R:3, and there once"},
    {"2\nLattice=\"5 0 0 0 6 0 0 0 7\" Properties=species:S:1\nAr\nAr\n",
     "file:2: Properties have no pos:R:3"},
    {"2\nLattice=\"5 0 0 0 6 0 0 0 7\" Properties=pos:R\n1\n1\n",
     "file:2: Properties must be name:letter"},
    {XYZ " pbc=\"T F\"\nAr 1 2 3\nAr 1 2 3\n", "file:2: pbc must be three times T or F"},
    {XYZ " pbc=\"F T T\"\nAr 1 2 3\nAr 6 2 3\n",
     "file:4: particle 2 stands at x = 6, outside the box"},
    {"2\nargon\nAr 1 2 3\nAr 1 2 3\n",
     "file:2: there is no Lattice=\"...\": this may be plain XYZ"},
    {"2\nLattice=\"5 1 0 0 6 0 0 0 7\"\n1\n1\n", "file:2: Lattice is triclinic (number 2 is 1)"},
    {"2\nLattice=\"5 1 0 0\"\n1\n1\n", "file:2: Lattice must have nine numbers"},
    {"5 5 5\n2\n1 0 0 0\n", "file:3: the file ends after 1 of 2 particles"},
    {"5 5 5\n2\n1 0 0 0\n2 0 0\n", "file:4: id and three coordinates of a particle are wanted"},
    {"5 5 5\n2\n1 0 0 0\n2 0 0 0\n3 0 0 0\n", "file:5: there is more than the 2 particles"},
    {"5 5 0\n2\n1 0 0 0\n2 0 0 0\n", "the box has length 0 along z"},
    {"what is this\n", "file is none of the formats that can be read"},
    {"a\xff\xfe\n", "file:1: this is not UTF-8 (byte 0xff)"},
    {"\x1f\x8b\x08 gzip", "file:1: this is no text (byte 0x1f)"},
    {"pelsim checkpoint 2\n", "file is a checkpoint: continue it with --resume"},
    {"\x89HDF\r\n\x1a\n and no more", "file is no HDF5 file, or damaged"},
    {"", "file is empty"}};

static void what_is_wrong_is_told(void **state) {
  (void)state;
  static const bool walls[3] = {true, true, true};
  for (int i = 0; i < PEL_N(bad); ++i) {
    pel_particle_file p;
    pel_error e = {0};
    put(bad[i].text, strlen(bad[i].text));
    const int code = pel__particles_read(path, "auto", "last",
                                         strstr(bad[i].sentence, "walls") ? walls : NULL, &p, &e);
    CHECK(code == PEL_IO, "case %d: got code %d (%s), want a refusal with '%s'", i, code, e.text,
          bad[i].sentence);
    CHECK(strstr(e.text, bad[i].sentence), "got '%s', want '%s'", e.text, bad[i].sentence);
    CHECK(!p.x[0] && !p.type, "memory is left after '%s'", e.text);
  }
  pel_particle_file p;
  pel_error e = {0};
  CHECK_EQUAL(pel__particles_read(dir, "lammps", "last", NULL, &p, &e), PEL_IO);
  CHECK_SAYS(e, "is a directory, not a file");
  e = (pel_error){0};
  CHECK_EQUAL(pel__particles_read("/nowhere/x", "auto", "last", NULL, &p, &e), PEL_IO);
  CHECK_SAYS(e, "cannot read /nowhere/x: No such file or directory");
  e = (pel_error){0};
  put(HEAD ATOMS, strlen(HEAD ATOMS));
  CHECK_EQUAL(pel__particles_read(path, "auto", "3", NULL, &p, &e), PEL_USAGE);
  CHECK_SAYS(e, "is a LAMMPS data file, which has one frame");
  e = (pel_error){0};
  CHECK_EQUAL(pel__particles_read(path, "auto", "newest", NULL, &p, &e), PEL_USAGE);
  CHECK_SAYS(e, "frame 'newest' is not 'first', 'last' or a number from 0");
}

/* Cut at any byte, a file is refused with one sentence or, where only its end is missing, read. */
static void cut_anywhere(void **state) {
  (void)state;
  static const char *const whole[] = {
      HEAD MASSES ATOMS "\nVelocities\n\n2 1 2 3\n1 0.5 0 0\n3 -1 -2 -3\n",
      XYZ ":velo:R:3\nAr 1 2 3 4 5 6\nKr 1 2 3 4 5 6\n", "5 5 5\n2\n1 0 0 0.5\n2 0 0 1.25\n"};
  for (int i = 0; i < PEL_N(whole); ++i)
    for (size_t n = 1; n < strlen(whole[i]); ++n) {
      pel_particle_file p;
      pel_error e = {0};
      put(whole[i], n);
      const int code = pel__particles_read(path, "auto", "last", NULL, &p, &e);
      CHECK(code == PEL_IO ? *e.text && !strchr(e.text, '\n') : code == PEL_OK, "cut at %d: '%s'",
            (int)n, e.text);
      pel__particles_free(&p);
    }
}

int main(int argc, char **argv) {
  MPI_Init(&argc, &argv);
  make_directory(dir);
  snprintf(path, sizeof path, "%s/file", dir);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lammps_is_read),        cmocka_unit_test(xyz_is_read),
      cmocka_unit_test(nist_is_read),          cmocka_unit_test(h5md_variants_are_read),
      cmocka_unit_test(what_is_wrong_is_told), cmocka_unit_test(cut_anywhere)};
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  clean_directory(dir);
  MPI_Finalize();
  return failed;
}
