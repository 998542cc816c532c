/* The configuration: every wrong line gets its exact sentence (tests/cli/bad_configs.txt), right
 * ones their value to the bit, and no text whatever brings the reader down. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>
#include "config.h"
#include "settings.h"
#include "suggest.h"
#include "units.h"

/* The tables of models/heat.c, which the command-line tests run bad_configs.txt with. */
struct heat {
  pel_box box;
  double kappa, amplitude;
};
static const pel_param heat_params[] = {
    PEL_BOX_PARAMS(struct heat, box),
    PEL_PARAM(struct heat, kappa, "1", 1e-12, 1e6, "m2 s-1", "thermal diffusivity"),
    PEL_PARAM(struct heat, amplitude, "1", -1e6, 1e6, "K", "height of the initial wave")};
static const pel_model heat_model = {PEL_MODEL("heat", struct heat, "Heat", "LeVeque (2007)"),
                                     .params = heat_params, .nparams = PEL_N(heat_params)};
static const pel_model water_model = {.name = "shallow_water"};
#define PARTICLES(NAME) \
  &(const pel_model) { .name = NAME }
static const pel_model *const models[] = {&heat_model,
                                          &water_model,
                                          PARTICLES("lj"),
                                          PARTICLES("morse"),
                                          PARTICLES("buckingham"),
                                          PARTICLES("yukawa"),
                                          PARTICLES("soft"),
                                          PARTICLES("table"),
                                          PARTICLES("eam")};

/* ---- running a configuration as pelsim does */

typedef struct {
  pel__config *c;
  pel__settings settings;
  struct heat heat;
} world;

static void begin(world *w, const char *text, size_t length, const char *const *overrides, int n) {
  memset(w, 0, sizeof *w);
  w->c = pel__config_parse("c.ini", text, length, overrides, n);
  const pel_model *m = pel__settings_model(w->c, models, PEL_N(models));
  pel__binding b[PEL__NSETTINGS + 1];
  pel__settings_bindings(&w->settings, b);
  b[PEL__NSETTINGS] = (pel__binding){"heat", heat_params, PEL_N(heat_params), &w->heat};
  pel__config_bind(w->c, b, PEL__NSETTINGS + (m != NULL));
  pel__settings_check(w->c, &w->settings);
}

static void end(world *w) { pel__config_destroy(w->c); }

/* All errors as text, malloced. */
static char *errors_of(const world *w) {
  char *text;
  size_t size;
  FILE *f = open_memstream(&text, &size);
  pel__config_print_errors(w->c, f);
  fclose(f);
  return text;
}

static void want_text(const char *name, const char *got, const char *want) {
  if (strcmp(got, want) != 0) fail_msg("%s:\n got: %s\nwant: %s", name, got, want);
}

/* ---- the table of wrong configurations */

enum { MOST = 64 };
typedef struct {
  char name[80];
  bool bare; /* without the overrides that make an otherwise empty configuration complete */
  char *overrides[MOST];
  int noverrides;
  char *text;
  size_t length;
  char *want;
  size_t want_length;
} block;

static void put(char **to, size_t *length, const char *bytes, size_t n) {
  *to = realloc(*to, *length + n + 1);
  assert_non_null(*to);
  memcpy(*to + *length, bytes, n);
  *length += n;
  (*to)[*length] = '\0';
}

/* \xHH is a byte, \{N*text} the text N times. */
static void put_escaped(block *b, const char *line) {
  for (const char *s = line; *s;) {
    unsigned value, times;
    int used = 0;
    char again[80];
    if (sscanf(s, "\\x%2x%n", &value, &used) == 1 && used == 4) {
      const char byte = (char)value;
      put(&b->text, &b->length, &byte, 1);
    } else if (sscanf(s, "\\{%u*%79[^}]}%n", &times, again, &used) == 2 && used > 0) {
      while (times-- > 0) put(&b->text, &b->length, again, strlen(again));
    } else {
      put(&b->text, &b->length, s, used = 1);
    }
    s += used;
  }
}

static FILE *open_table(void) {
  char path[4096];
  snprintf(path, sizeof path, "%s", __FILE__);
  char *slash = strrchr(path, '/');
  strcpy(slash ? slash + 1 : path, "../cli/bad_configs.txt");
  FILE *f = fopen(path, "r");
  if (!f) fail_msg("%s: cannot be opened", path);
  return f;
}

/* The next block; next_name holds the heading between calls. */
static bool read_block(FILE *f, block *b, char next_name[256]) {
  static char line[1 << 16];
  memset(b, 0, sizeof *b);
  while (!*next_name && fgets(line, sizeof line, f))
    if (strncmp(line, "--- ", 4) == 0)
      snprintf(next_name, 256, "%.*s", (int)strcspn(line, "\n") - 4, line + 4);
  if (!*next_name) return false;
  put(&b->text, &b->length, "", 0);
  put(&b->want, &b->want_length, "", 0);
  char *bare = strstr(next_name, " (bare)");
  if (bare) *bare = '\0';
  b->bare = bare != NULL;
  snprintf(b->name, sizeof b->name, "%.79s", next_name);
  *next_name = '\0';
  while (fgets(line, sizeof line, f)) {
    char *newline = strchr(line, '\n');
    if (newline) *newline = '\0';
    if (strncmp(line, "--- ", 4) == 0) {
      snprintf(next_name, 256, "%.255s", line + 4);
      break;
    }
    if (strncmp(line, ">>> ", 4) == 0) {
      put(&b->want, &b->want_length, line + 4, strlen(line + 4));
      put(&b->want, &b->want_length, "\n", 1);
    } else if (strncmp(line, "-s ", 3) == 0) {
      assert_true(b->noverrides < MOST);
      b->overrides[b->noverrides++] = strdup(line + 3);
    } else {
      put_escaped(b, line);
      put(&b->text, &b->length, "\n", 1);
    }
  }
  return true;
}

static int run_block(const block *b) {
  const char *overrides[MOST + 2] = {"run.model=heat", "time.steps=1"};
  int n = b->bare ? 0 : 2;
  for (int i = 0; i < b->noverrides; ++i) overrides[n++] = b->overrides[i];
  world w;
  begin(&w, b->text, b->length, overrides, n);
  char *got = errors_of(&w);
  const bool same = strcmp(got, b->want) == 0;
  if (!same) print_error("--- %s\n got: %swant: %s", b->name, got, b->want);
  assert_true((pel__config_errors(w.c) > 0) == (*got != '\0'));
  free(got);
  end(&w);
  return !same;
}

static void wrong_configurations(void **state) {
  (void)state;
  FILE *f = open_table();
  char next[256] = "";
  int blocks = 0, bad = 0;
  for (block b; read_block(f, &b, next); ++blocks) {
    bad += run_block(&b);
    for (int i = 0; i < b.noverrides; ++i) free(b.overrides[i]);
    free(b.text);
    free(b.want);
  }
  fclose(f);
  if (bad > 0)
    fail_msg("got %d of %d wrong configurations with another sentence, want 0", bad, blocks);
  if (blocks < 60) fail_msg("got %d wrong configurations, want at least 60", blocks);
}

/* ---- right ones */

#define TEXT(s) s, sizeof(s) - 1

static double real_of(const char *section, const char *key, const char *value) {
  char override[600];
  snprintf(override, sizeof override, "%s.%s=%s", section, key, value);
  const char *const overrides[] = {"run.model=heat", "time.steps=1", override};
  world w;
  begin(&w, NULL, 0, overrides, 3);
  char *got = errors_of(&w);
  want_text(value, got, "");
  free(got);
  const double x = strcmp(key, "kappa") == 0    ? w.heat.kappa
                   : strcmp(key, "lx") == 0     ? w.heat.box.lx
                   : strcmp(key, "cfl") == 0    ? w.settings.time.cfl
                   : strcmp(key, "dt") == 0     ? w.settings.time.dt
                   : strcmp(key, "nx") == 0     ? (double)w.heat.box.nx
                   : strcmp(key, "dt_max") == 0 ? w.settings.time.dt_max
                                                : w.heat.amplitude;
  end(&w);
  return x;
}

static void numbers_and_units(void **state) {
  (void)state;
  static const struct {
    const char *section, *key, *text;
    double want;
  } table[] = {
      {"time", "dt", "auto", 0},           {"time", "dt", "600", 600},
      {"time", "dt", "30 min", 1800},      {"time", "dt", "30min", 1800},
      {"time", "dt", "0.5 h", 1800},       {"time", "dt", "1 day", 86400},
      {"time", "dt", "6 days", 518400},    {"time", "dt", "2 weeks", 1209600},
      {"time", "dt", "250 ms", .25},       {"time", "dt", "1e-3", 1e-3},
      {"time", "dt", "+.5e1", 5},          {"time", "dt_max", "none", 0},
      {"time", "cfl", "50 %", .5},         {"time", "cfl", "0.1", .1},
      {"time", "cfl", "1e-3", 1e-3},       {"grid", "lx", "6371.22 km", 6371220},
      {"grid", "lx", "1 km", 1000},        {"grid", "lx", "3 \302\265m", 3e-6},
      {"grid", "lx", "1e12", 1e12},        {"heat", "kappa", "1e5 m2 s-1", 1e5},
      {"heat", "kappa", "1e5 m2/s", 1e5},  {"heat", "kappa", "1 cm^2/s", 1e-4},
      {"heat", "kappa", "0.1 m2 s-1", .1}, {"heat", "amplitude", "20 degC", 293.15},
      {"heat", "amplitude", "-5 K", -5},   {"heat", "amplitude", "-0", 0},
      {"grid", "nx", "1e3", 1000},         {"grid", "nx", "1.28e2", 128},
      {"grid", "nx", "128.0", 128},        {"grid", "nx", "+7", 7},
      {"grid", "nx", "1000000", 1000000},
  };
  for (int i = 0; i < PEL_N(table); ++i) {
    const double got = real_of(table[i].section, table[i].key, table[i].text);
    /* a factor of UDUNITS-2 may be off by a rounding, a bare number may not */
    const double slack = strpbrk(table[i].text, "mhdK%C") ? 1e-15 : 0, d = got - table[i].want;
    if (!(d <= slack * got && -d <= slack * got) && got != table[i].want)
      fail_msg("%s = %s: got %.17g, want %.17g", table[i].key, table[i].text, got, table[i].want);
  }
}

static void words(void **state) {
  (void)state;
  static const struct {
    const char *text;
    bool want;
  } table[] = {{"yes", true}, {"no", false},  {"true", true}, {"FALSE", false},
               {"On", true},  {"off", false}, {"1", true},    {"0", false}};
  for (int i = 0; i < PEL_N(table); ++i) {
    char override[80];
    snprintf(override, sizeof override, "parallel.overlap=%s", table[i].text);
    const char *const overrides[] = {"run.model=heat", "time.steps=1", override,
                                     "grid.boundary=even", "time.scheme=rk4"};
    world w;
    begin(&w, NULL, 0, overrides, 5);
    if (w.settings.parallel.overlap != table[i].want)
      fail_msg("%s: got %d, want %d", table[i].text, w.settings.parallel.overlap, table[i].want);
    assert_int_equal(w.heat.box.boundary, PEL_BOX_EVEN);
    assert_int_equal(w.settings.time.scheme, 4);
    assert_int_equal(pel__config_errors(w.c), 0);
    end(&w);
  }
}

/* One text in which everything that is allowed occurs. */
static void a_right_file(void **state) {
  (void)state;
  const char text[] =
      "\xEF\xBB\xBF# comment\r\n"
      "[run]\r\n"
      "model = heat\r\n"
      "title = \"Run #3; \"\"big\"\"\"   # in quotes\r\n"
      "\r\n"
      "  [ grid ]  ; where\r\n"
      "  nx=64# no comment: no blank before it\n"
      "[time]\r"
      "\tend = 6 days ; inline\n"
      "start = 2001-02-03T04:05Z\n"
      "calendar=noleap\n"
      "[heat]\n"
      "[output]\nfields = u , v;w\n"
      "[grid]\n"
      "ny = 32 # the section goes on";
  const char *const overrides[] = {"grid.nx=16", "grid.nx = 48 ", "heat.kappa= 2 "};
  world w;
  begin(&w, TEXT(text), overrides, 3);
  char *got = errors_of(&w);
  want_text("a right file", got, "");
  free(got);
  want_text("title", w.settings.run.title, "Run #3; \"big\"");
  want_text("fields", w.settings.output.fields, "u , v;w");
  want_text("start", w.settings.time.start, "2001-02-03 04:05:00");
  assert_int_equal(w.heat.box.nx, 48);
  assert_int_equal(w.heat.box.ny, 32);
  assert_true(w.heat.kappa == 2);
  assert_true(w.settings.time.end == 518400);
  want_text("model", pel__config_get(w.c, "run", "model"), "heat");
  want_text("nx", pel__config_get(w.c, "grid", "nx"), "48");
  assert_null(pel__config_get(w.c, "grid", "nz"));
  assert_true(pel__config_given(w.c, "grid", "ny"));
  assert_false(pel__config_given(w.c, "grid", "nz"));
  end(&w);
}

/* ---- out again */

static char *printed(const world *w) {
  char *text;
  size_t size;
  FILE *f = open_memstream(&text, &size);
  pel__config_print(w->c, f);
  fclose(f);
  return text;
}

static void effective_ini_reads_back(void **state) {
  (void)state;
  const char text[] =
      "[run]\nmodel = heat\ntitle = \"a #b; \"\"c\"\" \"\n[output]\ndir = \"out #2\"\n[time]\nend "
      "= 6 h\n"
      "[heat]\nkappa = 0.1 cm2/s\namplitude = 0.30000000000000004\n";
  const char *const overrides[] = {"grid.lx=1e5 m"};
  world w, again;
  begin(&w, TEXT(text), overrides, 1);
  char *ini = printed(&w);
  assert_non_null(strstr(ini, "kappa = 1e-5 m2 s-1                  # c.ini:9\n"));
  assert_non_null(strstr(ini, "lx = 100000 m                        # command line\n"));
  assert_non_null(strstr(ini, "dt = auto                            # default\n"));
  begin(&again, ini, strlen(ini), NULL, 0);
  char *got = errors_of(&again);
  want_text("effective configuration", got, "");
  assert_memory_equal(&w.heat, &again.heat, sizeof w.heat);
  assert_memory_equal(&w.settings, &again.settings, sizeof w.settings);
  free(got);
  free(ini);
  end(&w);
  end(&again);
}

static void effective_json(void **state) {
  (void)state;
  const char text[] = "[run]\nmodel = heat\n[time]\nend = 6 h\n";
  const char *const overrides[] = {"grid.nx=1e3"};
  world w;
  begin(&w, TEXT(text), overrides, 1);
  char *json = pel__config_json(w.c);
  json_t *root = json_loads(json, 0, NULL);
  assert_non_null(root);
  const char *origin, *unit;
  json_int_t nx, line;
  double end_time, kappa;
  const char *dt, *boundary;
  int overlap;
  assert_int_equal(
      json_unpack(root, "{s:{s:{s:I,s:s}},s:{s:{s:f,s:s,s:I},s:{s:s}},s:{s:{s:f}},s:{s:{s:b}}}",
                  "grid", "nx", "value", &nx, "origin", &origin, "time", "end", "value", &end_time,
                  "unit", &unit, "line", &line, "dt", "value", &dt, "heat", "kappa", "value",
                  &kappa, "parallel", "overlap", "value", &overlap),
      0);
  assert_int_equal(json_unpack(root, "{s:{s:{s:s}}}", "grid", "boundary", "value", &boundary), 0);
  assert_int_equal(nx, 1000);
  assert_int_equal(line, 4);
  assert_true(end_time == 21600 && kappa == 1 && overlap);
  want_text("origin", origin, "command line");
  want_text("unit", unit, "s");
  want_text("dt", dt, "auto");
  want_text("boundary", boundary, "periodic");
  json_decref(root);
  free(json);
  end(&w);
}

static void rejections(void **state) {
  (void)state;
  const char text[] = "[run]\nmodel = heat\n[time]\nsteps = 5\n[grid]\nnx = 3\n";
  const char *const overrides[] = {"grid.ny=4"};
  world w;
  begin(&w, TEXT(text), overrides, 1);
  pel__config_reject(w.c, "grid", "ny", "must be even, got %d", 3);
  pel__config_reject(w.c, "heat", "kappa", "clashes");
  pel__config_reject(w.c, "grid", "nx", "must be even");
  pel__config_reject(w.c, "grid", "", "too small");
  char *got = errors_of(&w);
  want_text("rejections", got,
            "c.ini:5: [grid]: too small\n"
            "c.ini:6: [grid] nx: must be even\n"
            "c.ini: [heat] kappa: clashes\n"
            "-s grid.ny=4: [grid] ny: must be even, got 3\n");
  assert_int_equal(pel__config_errors(w.c), 4);
  free(got);
  end(&w);
}

/* A parameter without default, and one whose default is wrong, which is the model's bug. */
static void required_and_bad_default(void **state) {
  (void)state;
  struct two {
    double depth;
    int64_t n;
    char map[PEL_TEXT_MAX];
  } s = {0};
  const pel_param params[] = {
      PEL_PARAM(struct two, depth, NULL, 0, 0, "m", "mean depth"),
      PEL_PARAM(struct two, n, "many", 0, 9, "1", "how many"),
      {.key = "map", .type = PEL_TEXT, .offset = offsetof(struct two, map), .doc = "a file"}};
  const pel__binding b = {"sea", params, 3, &s};
  pel__config *c = pel__config_parse("sea.ini", TEXT("[sea]\n"), NULL, 0);
  pel__config_bind(c, &b, 1);
  world w = {.c = c};
  char *got = errors_of(&w);
  want_text("required", got,
            "sea.ini: [sea] depth: must be given (mean depth); expected a number in m\n"
            "sea.ini: [sea] n: the default in the table of the model is wrong: 'many' is not a "
            "number; expected a whole number\n"
            "sea.ini: [sea] map: must be given (a file); expected text\n");
  free(got);
  char *json = pel__config_json(c);
  assert_null(strstr(json, "depth"));
  free(json);
  pel__config_destroy(c);
}

/* ---- files */

static void write_bytes(const char *path, const void *bytes, size_t n) {
  FILE *f = fopen(path, "wb");
  assert_non_null(f);
  assert_int_equal(fwrite(bytes, 1, n, f), n);
  fclose(f);
}

static void want_load(const char *path, int code, const char *sentence) {
  char *text;
  size_t length;
  pel_error e = {0};
  const int got = pel__config_load(path, NULL, 0, &text, &length, &e);
  if (got != code || strcmp(e.text, sentence) != 0 || e.code != code)
    fail_msg("%s:\n got %d: %s\nwant %d: %s", path, got, e.text, code, sentence);
  free(text);
}

static void loading(void **state) {
  (void)state;
  char folder[] = "/tmp/pelsim_test_XXXXXX";
  assert_non_null(mkdtemp(folder));
  assert_int_equal(chdir(folder), 0);
  assert_int_equal(mkdir("configs", 0777), 0);
  write_bytes("configs/galewsky.ini", "[run]\n", 6);
  write_bytes("empty.ini", "", 0);
  want_load("configs/galewsky.ini", PEL_OK, "");
  want_load("empty.ini", PEL_OK, "");
  want_load("configs", PEL_IO, "configs: is a directory; expected an INI file");
  want_load("configs/galewski.ini", PEL_IO,
            "configs/galewski.ini: no such file; did you mean 'configs/galewsky.ini'?");
  want_load("emtpy.ini", PEL_IO, "emtpy.ini: no such file; did you mean 'empty.ini'?");
  want_load("nowhere/x.ini", PEL_IO, "nowhere/x.ini: no such file");
  want_load("empty.ini/x", PEL_IO, "empty.ini/x: cannot be opened: Not a directory");
  want_load("", PEL_USAGE, "no configuration given; expected an INI file");
  want_load("/dev/zero", PEL_USAGE,
            "/dev/zero: larger than 16 MiB, so it is not a configuration; expected an INI file");
  if (geteuid() != 0) {
    assert_int_equal(chmod("empty.ini", 0), 0);
    want_load("empty.ini", PEL_IO, "empty.ini: cannot be opened: Permission denied");
  }
  unlink("configs/galewsky.ini");
  unlink("empty.ini");
  rmdir("configs");
  assert_int_equal(chdir("/"), 0);
  rmdir(folder);
}

/* A line of 10 MB, 16 MB of short lines, and every prefix of random bytes: a handful of sentences,
 * at once. */
static void hostile_texts(void **state) {
  (void)state;
  const size_t n = 10u << 20;
  char *text = malloc(n + 16);
  assert_non_null(text);
  memset(text, 'x', n);
  memcpy(text + n, "\n[grid]\nnx=0\n", 14);
  const char *const overrides[] = {"run.model=heat", "time.steps=1"};
  world w;
  begin(&w, text, n + 13, overrides, 2);
  char *got = errors_of(&w);
  want_text("10 MB line", got,
            "c.ini:1: a line of 10485760 bytes; at most 4096 are allowed\n"
            "c.ini:3: [grid] nx: '0' is out of range; allowed: 1 to 1000000\n");
  free(got);
  end(&w);

  for (size_t i = 0; i + 3 < n; i += 4) memcpy(text + i, "k=1\n", 4);
  begin(&w, text, n, overrides, 2);
  got = errors_of(&w);
  assert_non_null(strstr(got, "c.ini: and 2621429 more keys given twice\n"));
  free(got);
  end(&w);

  size_t length = (size_t)sprintf(text, "[grid]\n");
  for (int i = 0; length < n - 20; ++i) length += (size_t)sprintf(text + length, "k%d=1\n", i);
  begin(&w, text, length, overrides, 2);
  got = errors_of(&w);
  want_text("a million keys", got,
            "c.ini:4097: more than 4096 keys; this is not a configuration of pelsim\n");
  free(got);
  end(&w);

  uint64_t x = 88172645463325252u;
  for (size_t i = 0; i < 4096; ++i) {
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    text[i] = (char)(x >> 56);
  }
  for (size_t i = 1; i < 4096; i += 7) {
    begin(&w, text, i, overrides, 2);
    char *lines = errors_of(&w);
    int count = 0;
    for (const char *s = lines; (s = strchr(s, '\n')); ++s) ++count;
    if (count > 6) fail_msg("random bytes: got %d sentences, want at most 6", count);
    free(lines);
    end(&w);
  }
  free(text);
}

/* ---- the parts */

static void distances(void **state) {
  (void)state;
  static const struct {
    const char *a, *b;
    int want;
  } table[] = {{"", "", 0},         {"nlon", "nlonn", 1}, {"nlon", "nlno", 1},
               {"NLON", "nlon", 0}, {"kappa", "kapa", 1}, {"abc", "xyz", 3},
               {"", "abc", 3},      {"ca", "abc", 3},     {"dt_max", "max_dt", 6}};
  for (int i = 0; i < PEL_N(table); ++i) {
    const int got = pel__distance(table[i].a, table[i].b);
    if (got != table[i].want || pel__distance(table[i].b, table[i].a) != got)
      fail_msg("distance of '%s' and '%s': got %d, want %d", table[i].a, table[i].b, got,
               table[i].want);
  }
  const char *best = NULL;
  pel__suggest("tim", "grid", &best);
  assert_null(best);
  pel__suggest("tim", "time", &best);
  pel__suggest("tim", "times", &best);
  assert_string_equal(best, "time");
}

static void unit_kinds(void **state) {
  (void)state;
  static const struct {
    const char *from, *to;
    int status;
    double want; /* of 1 */
  } table[] = {
      {"h", "s", PEL__UNIT_OK, 3600},
      {"degrees", "radian", PEL__UNIT_OK, 0.017453292519943295},
      {"degree_north", "degrees", PEL__UNIT_OK, 1},
      {"rad/s", "s-1", PEL__UNIT_OK, 1},
      {"Hz", "s", PEL__UNIT_KIND, 0},                    /* UDUNITS-2 would invert */
      {"degrees", "1", PEL__UNIT_KIND, 0},               /* and call 45 degrees 0.785 */
      {"rpm", "s-1", PEL__UNIT_KIND, 0},                 /* radians or turns? */
      {"days since 2000-01-01", "s", PEL__UNIT_KIND, 0}, /* a date is no duration */
      {"lg(re 1 mW)", "W", PEL__UNIT_KIND, 0},
      {"furlongish", "m", PEL__UNIT_UNKNOWN, 0},
      {"m", "furlongish", PEL__UNIT_BROKEN, 0},
  };
  for (int i = 0; i < PEL_N(table); ++i) {
    double y = 0;
    const int got = (int)pel__unit_convert(1, table[i].from, table[i].to, &y);
    if (got != table[i].status || y != table[i].want)
      fail_msg("1 %s in %s: got status %d, %.17g, want %d, %.17g", table[i].from, table[i].to, got,
               y, table[i].status, table[i].want);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(wrong_configurations),
      cmocka_unit_test(numbers_and_units),
      cmocka_unit_test(words),
      cmocka_unit_test(a_right_file),
      cmocka_unit_test(effective_ini_reads_back),
      cmocka_unit_test(effective_json),
      cmocka_unit_test(rejections),
      cmocka_unit_test(required_and_bad_default),
      cmocka_unit_test(loading),
      cmocka_unit_test(hostile_texts),
      cmocka_unit_test(distances),
      cmocka_unit_test(unit_kinds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
