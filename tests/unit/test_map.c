/* Maps: whatever order, packing, unit, calendar or staging of dimensions a CF file has, the same
 * map comes out; whatever is wrong with it, one sentence; interpolation is exact at the points of
 * the map, smooth across the poles and of third order. */
#define _GNU_SOURCE
#include "../io/fixture.h"

#include <netcdf.h>

#define NC(call)                                                    \
  do {                                                              \
    const int err_ = (call);                                        \
    CHECK(err_ == NC_NOERR, #call ": got '%s'", nc_strerror(err_)); \
  } while (0)

static char dir[200], path[300];

/* A smooth field, one-valued at the poles. */
static double truth(double lat, double lon) {
  const double y = lat * PEL_PI / 180, x = lon * PEL_PI / 180;
  return 5500 + 300 * sin(y) + 100 * cos(y) * cos(x) + 40 * cos(y) * cos(y) * sin(2 * x);
}

/* ---- files ---- */

enum { NLAT = 19, NLON = 36, NTIME = 3, NLEV = 2 };

typedef struct {
  int format;                                                   /* of nc_create */
  const char *order;                                            /* of the dimensions: t, z, y, x */
  bool north_first, signed_lon, cyclic, packed, split, rounded; /* split: 0..170, -180..-10 */
  nc_type type;
  double scale;         /* values are truth/scale, in .unit */
  const char *unit;     /* NULL: no attribute */
  const char *standard; /* standard_name; NULL: none */
  const char *time_unit, *calendar;
  double times[NTIME], levels[NLEV];
  int missing;          /* this many values are _FillValue */
  const char *lat_unit; /* NULL: degrees_north */
  int cut_lat, cut_lon; /* leave out that many latitudes, longitudes */
} spec;

static const spec plain = {.order = "tzyx",
                           .type = NC_DOUBLE,
                           .scale = 1,
                           .unit = "m",
                           .time_unit = "days since 2001-02-27",
                           .times = {0, 1, 2},
                           .levels = {850, 500}};

static int letter_n(const spec *s, char c) {
  return c == 't'   ? NTIME
         : c == 'z' ? NLEV
         : c == 'y' ? NLAT - s->cut_lat
                    : NLON + s->cyclic - s->cut_lon;
}

static double lat_of(const spec *s, int j) {
  const double lat = -90 + 10. * j;
  return s->north_first ? -lat : lat;
}

static double lon_of(const spec *s, int i) {
  if (s->rounded) return i ? 10. * i : 359.99999; /* a zero that went through a wrong unit */
  if (s->split) return i < NLON / 2 ? 10. * i : 10. * i - 360;
  return (s->signed_lon ? -180 : 0) + 10. * i;
}

static void put_texts(int nc, int v, const spec *s) {
  if (s->unit) NC(nc_put_att_text(nc, v, "units", strlen(s->unit), s->unit));
  if (s->standard) NC(nc_put_att_text(nc, v, "standard_name", strlen(s->standard), s->standard));
  NC(nc_put_att_text(nc, v, "long_name", 6, "height"));
  if (s->packed) {
    NC(nc_put_att_double(nc, v, "scale_factor", NC_DOUBLE, 1, (double[]){0.03125 / s->scale}));
    NC(nc_put_att_double(nc, v, "add_offset", NC_DOUBLE, 1, (double[]){5500 / s->scale}));
  }
}

static int define(int nc, const spec *s) {
  int dim[4], v, n = (int)strlen(s->order);
  static const char *const name = "tzyx", *const names[] = {"time", "level", "lat", "lon"};
  for (int i = 0; i < n; ++i) {
    const char *what = names[strchr(name, s->order[i]) - name];
    int c;
    NC(nc_def_dim(nc, what, (size_t)letter_n(s, s->order[i]), &dim[i]));
    NC(nc_def_var(nc, what, NC_DOUBLE, 1, &dim[i], &c));
    const char *units = s->order[i] == 't'   ? s->time_unit
                        : s->order[i] == 'z' ? "hPa"
                        : s->order[i] == 'y' ? s->lat_unit ? s->lat_unit : "degrees_north"
                                             : "degrees_east";
    NC(nc_put_att_text(nc, c, "units", strlen(units), units));
    if (s->order[i] == 't' && s->calendar)
      NC(nc_put_att_text(nc, c, "calendar", strlen(s->calendar), s->calendar));
  }
  NC(nc_def_var(nc, "hgt", s->type, n, dim, &v));
  put_texts(nc, v, s);
  if (s->missing) {
    if (s->type == NC_SHORT)
      NC(nc_put_att_short(nc, v, "_FillValue", NC_SHORT, 1, (short[]){-30000}));
    if (s->type == NC_FLOAT)
      NC(nc_put_att_float(nc, v, "_FillValue", NC_FLOAT, 1, (float[]){-30000}));
    if (s->type == NC_DOUBLE)
      NC(nc_put_att_double(nc, v, "missing_value", NC_DOUBLE, 1, (double[]){NAN}));
  }
  return v;
}

/* Record t is truth + t, level 850 is 300 lower than level 500. */
static double stored(const spec *s, int t, int z, int y, int x) {
  const double value = truth(lat_of(s, y), lon_of(s, x)) + t - (z == 0 ? 300 : 0);
  const int index = y * letter_n(s, 'x') + x;
  if (s->missing && index >= 40 && index < 40 + s->missing)
    return s->type == NC_DOUBLE ? NAN : -30000;
  return s->packed ? nearbyint((value - 5500) * 32) : value / s->scale;
}

static void make_file(const spec *s) {
  int nc, v, c;
  NC(nc_create(path, NC_CLOBBER | s->format, &nc));
  v = define(nc, s);
  NC(nc_enddef(nc));
  double x[100];
  for (int j = 0; j < letter_n(s, 'y'); ++j) x[j] = lat_of(s, j);
  NC(nc_inq_varid(nc, "lat", &c));
  NC(nc_put_var_double(nc, c, x));
  for (int i = 0; i < letter_n(s, 'x'); ++i) x[i] = lon_of(s, i);
  NC(nc_inq_varid(nc, "lon", &c));
  NC(nc_put_var_double(nc, c, x));
  if (strchr(s->order, 't')) {
    NC(nc_inq_varid(nc, "time", &c));
    NC(nc_put_var_double(nc, c, s->times));
  }
  if (strchr(s->order, 'z')) {
    NC(nc_inq_varid(nc, "level", &c));
    NC(nc_put_var_double(nc, c, s->levels));
  }
  size_t at[4], count[4] = {1, 1, 1, 1}, n[4] = {1, 1, 1, 1};
  const int rank = (int)strlen(s->order);
  size_t total = 1;
  for (int i = 0; i < rank; ++i) total *= n[i] = (size_t)letter_n(s, s->order[i]);
  for (size_t p = 0; p < total; ++p) {
    int value_of[4] = {0}; /* t z y x */
    size_t rest = p;
    for (int i = rank - 1; i >= 0; --i) {
      at[i] = rest % n[i];
      rest /= n[i];
      value_of[strchr("tzyx", s->order[i]) - "tzyx"] = (int)at[i];
    }
    if (!strchr(s->order, 'z')) value_of[1] = 1;
    const double value = stored(s, value_of[0], value_of[1], value_of[2], value_of[3]);
    NC(nc_put_vara_double(nc, v, at, count, &value));
  }
  NC(nc_close(nc));
}

static void free_map(pel_map *m) {
  if (m) free(m->lat), free(m->lon), free(m->value);
  free(m);
}

static void expect_map(const char *time, const char *level, const char *unit, double shift,
                       double factor, double tolerance, const char *how) {
  pel_error e = {0};
  pel_map *m = pel_io_hdf5.map_read(path, "hgt", time, level, unit, &e);
  CHECK(m, "%s: got '%s', want a map", how, e.text);
  CHECK(m->nlat == NLAT && m->nlon == NLON, "%s: got %d x %d, want %d x %d", how, m->nlat, m->nlon,
        NLAT, NLON);
  for (int j = 0; j < m->nlat; ++j) {
    for (int i = 0; i < m->nlon; ++i) {
      CHECK(m->lat[j] == -90 + 10 * j && m->lon[i] == 10 * i, "%s: got point (%g, %g)", how,
            m->lat[j], m->lon[i]);
      const double want = (truth(m->lat[j], m->lon[i]) + shift) * factor;
      const double got = m->value[j * m->nlon + i];
      CHECK(fabs(got - want) <= tolerance * factor, "%s at (%g, %g): got %.17g, want %.17g", how,
            m->lat[j], m->lon[i], got, want);
    }
  }
  free_map(m);
}

/* ---- good files ---- */

static void every_arrangement_gives_the_same_map(void **state) {
  (void)state;
  static const int formats[] = {0, NC_64BIT_OFFSET, NC_64BIT_DATA, NC_NETCDF4};
  static const char *const orders[] = {"tzyx", "tzxy", "xyzt", "yx", "ytx", "zyx"};
  int n = 0;
  for (int f = 0; f < PEL_N(formats); ++f) {
    for (int o = 0; o < PEL_N(orders); ++o, ++n) {
      spec s = plain;
      s.format = formats[f];
      s.order = orders[o];
      s.north_first = n % 2;
      s.signed_lon = n % 3 == 1;
      s.split = n % 5 == 3 && !s.signed_lon;
      s.cyclic = n % 4 == 2 && !s.split;
      s.packed = n % 5 == 1;
      s.type = s.packed ? NC_SHORT : n % 2 ? NC_FLOAT : NC_DOUBLE;
      make_file(&s);
      char how[80];
      snprintf(how, sizeof how, "case %d, order %s", n, s.order);
      const bool t = strchr(s.order, 't'), z = strchr(s.order, 'z');
      expect_map(t ? "last" : "", z ? "500" : "", "m", t ? 2 : 0, 1, s.packed ? 0.017 : 3e-4, how);
      if (z) expect_map(t ? "1" : "", "85000 Pa", "km", t - 300., 1e-3, 0.017, how);
    }
  }
}

static void doubled_longitudes_count_once(void **state) {
  (void)state;
  spec s = plain;
  s.order = "yx";
  s.rounded = true;
  s.cyclic = true; /* 359.99999, 10 .. 350, 360 */
  make_file(&s);
  pel_error e = {0};
  pel_map *m = pel_io_hdf5.map_read(path, "hgt", "", "", "m", &e);
  CHECK(m, "got '%s', want a map", e.text);
  CHECK(m->nlon == NLON && m->lon[0] == 0 && m->lon[NLON - 1] == 350, "got %d longitudes, %g to %g",
        m->nlon, m->lon[0], m->lon[m->nlon - 1]);
  free_map(m);
}

static void units_are_converted(void **state) {
  (void)state;
  static const struct {
    const char *unit, *standard, *wanted;
    double scale, factor;
  } cases[] = {{"gpm", NULL, "m", 1, 1},
               {"Meters", NULL, "m", 1, 1},
               {"metres", NULL, "km", 1, 1e-3},
               {"dagpm", NULL, "m", 10, 1},
               {"gpm", NULL, "m2 s-2", 1, 9.80665},
               {"m**2 s**-2", "geopotential", "m", 1 / 9.80665, 1},
               {"J/kg", "geopotential", "km", 1 / 9.80665, 1e-3},
               {"feet", NULL, "m", 0.3048, 1}};
  for (int c = 0; c < PEL_N(cases); ++c) {
    spec s = plain;
    s.order = "yx";
    s.unit = cases[c].unit;
    s.standard = cases[c].standard;
    s.scale = cases[c].scale;
    s.packed = c % 3 == 2;
    s.type = s.packed ? NC_INT : NC_DOUBLE;
    make_file(&s);
    expect_map("", "", cases[c].wanted, 0, cases[c].factor, s.packed ? 0.017 : 1e-9, s.unit);
  }
}

static void dates_of_every_calendar(void **state) {
  (void)state;
  static const struct {
    const char *units, *calendar, *time;
    double times[NTIME];
    int want; /* record */
  } cases[] = {
      {"days since 2001-02-27", NULL, "2001-03-01", {0, 1, 2}, 2},
      {"days since 2000-02-27", "standard", "2000-02-29", {0, 1, 2}, 2},
      {"days since 2000-02-27", "noleap", "2000-03-01", {0, 1, 2}, 2},
      {"days since 2000-02-27", "360_day", "2000-02-30", {0, 1, 3}, 2},
      {"days since 2001-02-27", "all_leap", "2001-02-29", {0, 1, 2}, 2},
      {"days since 1582-10-04", "gregorian", "1582-10-15", {0, 1, 2}, 1},
      {"days since 1582-10-04", "proleptic_gregorian", "1582-10-05", {0, 1, 2}, 1},
      {"days since 1900-02-28", "julian", "1900-02-29", {0, 1, 2}, 1},
      {"hours since 1-1-1 00:00:0.0", NULL, "1958-01-01", {17154720, 17154732, 17154744}, 2},
      {"hours since 1900-01-01", NULL, "1979-01-01T06:00", {692496, 692502, 692508}, 1},
      {"seconds since 1970-01-01T00:00:00Z",
       NULL,
       "2001-09-09T01:46:40Z",
       {999999999, 1e9, 1000000001},
       1},
      {"days since 2001-02-27", NULL, "2001-02-28T08:00:00", {0, 1, 1.3333333333}, 2},
      {"months since 1958-1-1 00:00:00", NULL, "1959-02", {0, 12, 13}, 2},
      {"years since 1850-07-01", "365_day", "1851-07-01", {0, 1, 2}, 1},
      {"minutes since 2000-01-01 12:00", NULL, "2000-01-01T11:59", {-1, 0, 1}, 0},
      {"days since 0001-01-01", "julian", "0001-12-31", {0, 364, 365}, 1}};
  for (int c = 0; c < PEL_N(cases); ++c) {
    spec s = plain;
    s.order = "tyx";
    s.time_unit = cases[c].units;
    s.calendar = cases[c].calendar;
    memcpy(s.times, cases[c].times, sizeof s.times);
    make_file(&s);
    expect_map(cases[c].time, "", "m", cases[c].want, 1, 1e-9, cases[c].units);
  }
}

/* ---- bad requests and bad files ---- */

static void expect_sentence(const char *variable, const char *time, const char *level,
                            const char *unit, const char *part) {
  pel_error e = {0};
  pel_map *m = pel_io_hdf5.map_read(path, variable, time, level, unit, &e);
  CHECK(!m && e.code, "got a map, want '%s'", part);
  CHECK(strstr(e.text, part), "got '%s', want '%s'", e.text, part);
  CHECK(!strchr(e.text, '\n'), "got two lines: '%s'", e.text);
}

static void wrong_requests(void **state) {
  (void)state;
  spec s = plain;
  make_file(&s);
  static const struct {
    const char *variable, *time, *level, *unit, *part;
  } cases[] = {
      {"hgtt", "0", "500", "m",
       "has no variable 'hgtt'; did you mean 'hgt'? its maps are: hgt (height)"},
      {"quite_something_else", "0", "500", "m",
       "has no variable 'quite_something_else'; its maps are: hgt"},
      {"lat", "0", "500", "m", "variable lat is no map: its dimensions are (lat 19)"},
      {"hgt", "", "500", "m",
       "has 3 records: choose a time (\"first\", \"last\", 0 to 2, or a date)"},
      {"hgt", "3", "500", "m", "has no record number 3; it has 0 to 2"},
      {"hgt", "-1", "500", "m", "time '-1' is not \"first\""},
      {"hgt", "soon", "500", "m",
       "time 'soon' is not \"first\", \"last\", a record number (0 to 2) or a date"},
      {"hgt", "2001-02-26", "500", "m",
       "has no record of 2001-02-26; its 3 records are from 2001-02-27T00:00:00 to 2001-03-01"},
      {"hgt", "2001-02", "500", "m",
       "has 2 records of 2001-02; name one, for example 2001-02-27T00:00:00"},
      {"hgt", "0", "", "m", "has 2 levels (level): choose one of 850, 500 hPa"},
      {"hgt", "0", "700", "m", "has no level 700; it has 850, 500 hPa"},
      {"hgt", "0", "500 m", "m", "level '500 m': "},
      {"hgt", "0", "low", "m", "level 'low' is not a number"},
      {"hgt", "0", "500", "K", "variable hgt has units 'm', which do not convert to K"}};
  for (int c = 0; c < PEL_N(cases); ++c)
    expect_sentence(cases[c].variable, cases[c].time, cases[c].level, cases[c].unit, cases[c].part);
  s.order = "yx";
  make_file(&s);
  expect_sentence("hgt", "1", "", "m", "variable hgt has no time, '1' cannot be chosen");
  expect_sentence("hgt", "", "500", "m", "variable hgt has no levels");
}

static void bad_contents(void **state) {
  (void)state;
  static const struct {
    nc_type type;
    bool packed;
  } kinds[] = {{NC_SHORT, true}, {NC_FLOAT, false}, {NC_DOUBLE, false}};
  for (int k = 0; k < PEL_N(kinds); ++k) {
    spec s = plain;
    s.order = "yx";
    s.type = kinds[k].type;
    s.packed = kinds[k].packed;
    s.missing = 17;
    make_file(&s);
    expect_sentence(
        "hgt", "", "", "m",
        "17 of the 684 values of hgt are missing, the first at latitude -80, longitude 40");
  }
  spec s = plain;
  s.order = "yx";
  s.unit = NULL;
  make_file(&s);
  expect_sentence("hgt", "", "", "m", "variable hgt has no attribute units; it is wanted in m");
  s.unit = "furlongs of fun";
  make_file(&s);
  expect_sentence("hgt", "", "", "m", "has units 'furlongs of fun', which are not known");
  s.unit = "m";
  s.cut_lat = 4;
  make_file(&s);
  expect_sentence("hgt", "", "", "m", "covers only latitudes -90 to 50");
  s.cut_lat = 0;
  s.cut_lon = 6;
  make_file(&s);
  expect_sentence("hgt", "", "", "m", "has no longitudes between 290 and 360");
  s.cut_lon = 0;
  s.lat_unit = "hPa";
  make_file(&s);
  expect_sentence("", "", "", "m", "the units of lat are 'hPa'; expected degrees_north");
}

static void put_bytes(const void *bytes, size_t n) {
  FILE *f = fopen(path, "w");
  CHECK(f && fwrite(bytes, 1, n, f) == n && !fclose(f), "cannot write %s", path);
}

static void files_that_are_something_else(void **state) {
  (void)state;
  put_bytes("<!DOCTYPE html>", 15);
  expect_sentence("", "", "", "m", "is not a netCDF file but a web page (HTML): download the file");
  put_bytes("\x1f\x8b\x08zzzz", 7);
  expect_sentence("", "", "", "m", "is not a netCDF file but compressed: run gunzip on it first");
  put_bytes("", 0);
  expect_sentence("", "", "", "m", "is empty");
  put_bytes("CDF\1", 4);
  expect_sentence("", "", "", "m", "is cut short: it has 4 bytes");
  put_bytes("CDF\1\0\0\0\0\0\0\0\7\0\0\0\1", 16);
  expect_sentence("", "", "", "m", "begins like a netCDF file but its header is damaged");
  put_bytes("garbage of some length", 22);
  expect_sentence("", "", "", "m", "is not a netCDF file");
  unlink(path);
  expect_sentence("", "", "", "m", "No such file or directory");
  char keep[300];
  strcpy(keep, path);
  strcpy(path, dir);
  expect_sentence("", "", "", "m", "is a directory, not a netCDF file");
  strcpy(path, keep);
}

static void truncated_files(void **state) {
  (void)state;
  static const int formats[] = {0, NC_64BIT_OFFSET, NC_64BIT_DATA, NC_NETCDF4};
  for (int f = 0; f < PEL_N(formats); ++f) {
    spec s = plain;
    s.order = "tyx";
    s.format = formats[f];
    make_file(&s);
    struct stat st;
    stat(path, &st);
    expect_map("first", "", "m", 0, 1, 1e-9, "whole");
    for (int64_t size = st.st_size - 4; size > 8; size -= 997) {
      CHECK_EQUAL(truncate(path, size), 0);
      pel_error e = {0};
      pel_map *m = pel_io_hdf5.map_read(path, "hgt", "first", "", "m", &e);
      CHECK(!m && e.code, "format %d, %d of %d bytes: got a map", formats[f], (int)size,
            (int)st.st_size);
    }
  }
}

/* ---- interpolation ---- */

static pel_map *sample(int nlat, int nlon, bool poles, bool uneven) {
  pel_map *m = malloc(sizeof *m);
  *m = (pel_map){nlat, nlon, malloc((size_t)nlat * sizeof(double)),
                 malloc((size_t)nlon * sizeof(double)),
                 malloc((size_t)nlat * (size_t)nlon * sizeof(double))};
  for (int j = 0; j < nlat; ++j) {
    const double x = poles ? (double)j / (nlat - 1) : (j + .5) / nlat;
    m->lat[j] = -90 + 180 * x + (uneven ? 20. / nlat * sin(4 * PEL_PI * x) : 0);
  }
  for (int i = 0; i < nlon; ++i) m->lon[i] = 0.3 + 360. * i / nlon;
  for (int j = 0; j < nlat; ++j)
    for (int i = 0; i < nlon; ++i) m->value[j * nlon + i] = truth(m->lat[j], m->lon[i]);
  return m;
}

static double worst(const pel_map *m) {
  double most = 0;
  for (double lat = -90; lat <= 90; lat += 0.731)
    for (double lon = -400; lon < 760; lon += 7.77)
      most = fmax(most, fabs(pel_map_at(m, lat, lon) - truth(lat, lon)));
  return most;
}

static void interpolation(void **state) {
  (void)state;
  for (int kind = 0; kind < 4; ++kind) {
    pel_map *coarse = sample(24, 48, kind & 1, kind & 2),
            *fine = sample(48, 96, kind & 1, kind & 2);
    for (int j = 0; j < 24; ++j)
      for (int i = 0; i < 48; ++i)
        for (int turn = -360; turn <= 360; turn += 360) {
          const double got = pel_map_at(coarse, coarse->lat[j], coarse->lon[i] + turn);
          const double want = coarse->value[j * 48 + i];
          CHECK(fabs(got - want) < 1e-9, "point %d %d: got %.17g, want %.17g", j, i, got, want);
        }
    const double a = worst(coarse), b = worst(fine), order = log2(a / b);
    CHECK(order > 2.8, "kind %d: got order %.2f (errors %.3g, %.3g), want > 2.8", kind, order, a,
          b);
    CHECK(b < 0.05, "kind %d: got an error of %.3g of 400, want < 0.05", kind, b);
    free_map(coarse);
    free_map(fine);
  }
}

/* On uneven latitudes too, parabolas come out as they are. */
static void parabolas_are_exact(void **state) {
  (void)state;
  pel_map *m = sample(20, 40, false, true);
  for (int j = 0; j < 20; ++j)
    for (int i = 0; i < 40; ++i) m->value[j * 40 + i] = 1 + m->lat[j] * (2 + m->lat[j] / 8);
  for (double lat = -60; lat < 60; lat += 1.7) {
    const double got = pel_map_at(m, lat, 100 * lat), want = 1 + lat * (2 + lat / 8);
    CHECK(fabs(got - want) < 1e-9, "latitude %g: got %.17g, want %.17g", lat, got, want);
  }
  free_map(m);
}

static int set_up(void **state) {
  (void)state;
  make_directory(dir);
  snprintf(path, sizeof path, "%s/map.nc", dir);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  clean_directory(dir);
  return 0;
}

int main(int argc, char **argv) {
  MPI_Init(&argc, &argv);
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_arrangement_gives_the_same_map),
                                     cmocka_unit_test(doubled_longitudes_count_once),
                                     cmocka_unit_test(units_are_converted),
                                     cmocka_unit_test(dates_of_every_calendar),
                                     cmocka_unit_test(wrong_requests),
                                     cmocka_unit_test(bad_contents),
                                     cmocka_unit_test(files_that_are_something_else),
                                     cmocka_unit_test(truncated_files),
                                     cmocka_unit_test(interpolation),
                                     cmocka_unit_test(parabolas_are_exact)};
  const int failed = cmocka_run_group_tests(tests, set_up, tear_down);
  MPI_Finalize();
  return failed;
}
