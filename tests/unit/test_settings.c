/* The layer's own keys and the descriptions made from tables: defaults, dates, shapes, and that the
 * template of a model is a configuration that passes its own checks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include "pelsim/embed.h"
#include "settings.h"

struct sea {
  double depth, g;
  int64_t nlon;
  bool rotating;
  int scheme;
  char map[PEL_TEXT_MAX];
};
static const pel_param params[] = {
    PEL_PARAM(struct sea, nlon, "360", 4, 1e6, "1", "number of longitudes", .section = "grid"),
    PEL_PARAM(struct sea, depth, NULL, 0, 11e3, "m", "mean depth"),
    PEL_PARAM(struct sea, g, "9.80616", 0, 0, "m s-2", "gravity"),
    PEL_OPTION(struct sea, scheme, "energy", "energy|enstrophy", "what is conserved"),
    PEL_OPTION(struct sea, rotating, "yes", NULL, "with the Coriolis force"),
    PEL_OPTION(struct sea, map, "", NULL, "topography | none")};
static const pel_field fields[] = {{.name = "h", .prognostic = true, .unit = "m", .doc = "height"}};
static const pel_model sea = {PEL_MODEL("sea", struct sea, "A sea", "Nobody (1900)"),
                              PEL_TABLE(params), PEL_TABLE(fields), .scheme = "rk4"};
static const pel_model pond = {.name = "pond", .doc = "A pond"};
static const pel_model *const models[] = {&sea, &pond};
static const pel_host host = {models, 2, NULL, "0"};

static void want_text(const char *name, const char *got, const char *want) {
  if (strcmp(got, want) != 0) fail_msg("%s:\n got: %s\nwant: %s", name, got, want);
}

/* Binds a configuration to the settings and the sea; the errors, malloced. */
static char *bind(pel__config *c, pel__settings *s, struct sea *state) {
  memset(s, 0, sizeof *s);
  memset(state, 0, sizeof *state);
  pel__binding b[PEL__NSETTINGS + 1];
  pel__settings_bindings(s, b);
  b[PEL__NSETTINGS] = (pel__binding){"sea", params, PEL_N(params), state};
  pel__config_bind(c, b, PEL__NSETTINGS + 1);
  pel__settings_check(c, s);
  char *text;
  size_t size;
  FILE *f = open_memstream(&text, &size);
  pel__config_print_errors(c, f);
  fclose(f);
  return text;
}

static void defaults(void **state) {
  (void)state;
  const char *const overrides[] = {"time.steps=10", "sea.depth=4 km"};
  pel__config *c = pel__config_parse("sea.ini", "", 0, overrides, 2);
  pel__settings s;
  struct sea sea_state;
  char *errors = bind(c, &s, &sea_state);
  want_text("defaults", errors, "");
  assert_true(s.time.dt == 0 && s.time.end == 0 && s.time.cfl == .9 && s.time.dt_max == 0);
  assert_true(s.time.steps == 10 && s.time.dt_interval == 10 && s.time.scheme == 0);
  assert_true(s.parallel.ranks == 0 && s.parallel.threads == 0 && s.parallel.blocks == 0);
  assert_true(s.parallel.overlap && s.checkpoint.at_end && s.checkpoint.keep == 2);
  assert_true(s.checkpoint.wall_interval == 0 && s.checkpoint.mtbf == 86400 &&
              s.checkpoint.every == 0);
  assert_true(s.output.every == 0 && s.output.interval == 0 && s.output.precision == 0);
  assert_true(s.diagnostics.every == 10 && s.diagnostics.nan_watch && s.diagnostics.invariants);
  want_text("plugin", s.run.plugin, "");
  want_text("dir", s.output.dir, "");
  want_text("fields", s.output.fields, "");
  want_text("tile", s.parallel.tile, "");
  want_text("start", s.time.start, "2000-01-01 00:00:00");
  want_text("calendar", s.time.calendar, "proleptic_gregorian");
  assert_true(sea_state.depth == 4000 && sea_state.g == 9.80616 && sea_state.nlon == 360);
  assert_true(sea_state.rotating && sea_state.scheme == 0);
  free(errors);
  pel__config_destroy(c);
}

/* Every key of the layer says what it is for and passes its own default. */
static void tables_are_complete(void **state) {
  (void)state;
  pel__settings s;
  pel__binding b[PEL__NSETTINGS];
  pel__settings_bindings(&s, b);
  for (int i = 0; i < PEL__NSETTINGS; ++i)
    for (int j = 0; j < b[i].nparams; ++j) {
      const pel_param *p = &b[i].params[j];
      if (!p->doc || !p->def) fail_msg("[%s] %s: got no text or default", b[i].section, p->key);
      if (strchr(p->doc, '#') || p->doc[strlen(p->doc) - 1] == '.')
        fail_msg("[%s] %s: got '%s', want a sentence without '#' and full stop", b[i].section,
                 p->key, p->doc);
    }
}

static void dates(void **state) {
  (void)state;
  static const struct {
    const char *text, *calendar, *want; /* NULL: no date */
  } table[] = {
      {"2000-01-31", "standard", "2000-01-31 00:00:00"},
      {"2000-01-31 06:07", "standard", "2000-01-31 06:07:00"},
      {"2000-01-31T06:07:08Z", "standard", "2000-01-31 06:07:08"},
      {"0001-01-01", "julian", "0001-01-01 00:00:00"},
      {"9999-12-31 23:59:59", "noleap", "9999-12-31 23:59:59"},
      {"2000-02-29", "proleptic_gregorian", "2000-02-29 00:00:00"},
      {"1900-02-29", "proleptic_gregorian", NULL},
      {"1900-02-29", "julian", "1900-02-29 00:00:00"},
      {"1500-02-29", "standard", "1500-02-29 00:00:00"},
      {"1500-02-29", "proleptic_gregorian", NULL},
      {"2000-02-29", "noleap", NULL},
      {"2000-02-29", "365_day", NULL},
      {"2001-02-29", "all_leap", "2001-02-29 00:00:00"},
      {"2001-02-30", "360_day", "2001-02-30 00:00:00"},
      {"2001-03-31", "360_day", NULL},
      {"1582-10-10", "gregorian", NULL},
      {"1582-10-10", "proleptic_gregorian", "1582-10-10 00:00:00"},
      {"0000-01-01", "standard", NULL},
      {"2000-13-01", "standard", NULL},
      {"2000-00-01", "standard", NULL},
      {"2000-01-00", "standard", NULL},
      {"2000-1-1", "standard", NULL},
      {"2000-01-01 6", "standard", NULL},
      {"2000-01-01 25:00", "standard", NULL},
      {"2000-01-01 23:60", "standard", NULL},
      {"2000-01-01 00:00:60", "standard", NULL},
      {"2000-01-01 00:00:00 UTC", "standard", NULL},
      {"2000-01-01 ", "standard", NULL},
      {"20000101", "standard", NULL},
      {"", "standard", NULL},
  };
  for (int i = 0; i < PEL_N(table); ++i) {
    char date[80] = "none", why[120];
    const bool good = pel__date(table[i].text, table[i].calendar, date, why);
    if (good != (table[i].want != NULL) || (good && strcmp(date, table[i].want) != 0))
      fail_msg("'%s' (%s): got %s, want %s", table[i].text, table[i].calendar, date,
               table[i].want ? table[i].want : "none");
  }
}

static void shapes(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int axes;
    int64_t n[3];
  } table[] = {{"", 0, {0, 0, 0}},
               {"4", 1, {4, 0, 0}},
               {"4x2", 2, {4, 2, 0}},
               {"256x8x4", 3, {256, 8, 4}},
               {"4x", -1, {0}},
               {"x4", -1, {0}},
               {"4x0", -1, {0}},
               {"1x2x3x4", -1, {0}},
               {"-4", -1, {0}},
               {"4 x 2", -1, {0}},
               {"99999999999999999999", -1, {0}}};
  for (int i = 0; i < PEL_N(table); ++i) {
    int64_t n[3];
    const int got = pel__shape(table[i].text, n);
    if (got != table[i].axes)
      fail_msg("'%s': got %d axes, want %d", table[i].text, got, table[i].axes);
    for (int a = 0; a < 3 && got >= 0; ++a)
      if (n[a] != table[i].n[a])
        fail_msg("'%s': got %ld along axis %d, want %ld", table[i].text, (long)n[a], a,
                 (long)table[i].n[a]);
  }
}

/* ---- descriptions */

typedef struct {
  FILE *f;
  char *text;
  size_t size;
} page;

static FILE *open_page(page *p) { return p->f = open_memstream(&p->text, &p->size); }

static char *text_of(page *p) {
  fclose(p->f);
  return p->text;
}

static void want_part(const char *text, const char *part) {
  if (!strstr(text, part)) fail_msg(" got: %s\nwant in it: %s", text, part);
}

/* What is missing in the template is exactly what has no default; given that, it passes, and its
 * comments, uncommented, change nothing. */
static void template_passes(void **state) {
  (void)state;
  page p;
  assert_int_equal(pel_print_template(open_page(&p), &host, "sea"), PEL_OK);
  char *text = text_of(&p);
  want_part(text, "\n[run]\nmodel = sea ");
  want_part(text, "\n#nlon = 360 ");
  want_part(text, "# number of longitudes [4 to 1000000]\n");
  want_part(text, "\ndepth = ");
  want_part(text, "\n#wall_interval = auto ");

  pel__settings s;
  struct sea a, b;
  pel__config *c = pel__config_parse("sea.ini", text, strlen(text), NULL, 0);
  char *errors = bind(c, &s, &a);
  assert_int_equal(pel__config_errors(c), 1);
  want_part(errors, "[sea] depth: has no value; expected a number in m\n");
  free(errors);
  pel__config_destroy(c);

  const char *const overrides[] = {"sea.depth=100"};
  c = pel__config_parse("sea.ini", text, strlen(text), overrides, 1);
  errors = bind(c, &s, &a);
  want_text("template", errors, "");
  free(errors);
  pel__config_destroy(c);

  for (char *line = text; (line = strstr(line, "\n#")); ++line)
    if (line[2] != ' ') line[1] = ' '; /* a key, not the header */
  c = pel__config_parse("sea.ini", text, strlen(text), overrides, 1);
  errors = bind(c, &s, &b);
  want_text("uncommented template", errors, "");
  assert_true(pel__config_given(c, "time", "calendar"));
  assert_memory_equal(&a, &b, sizeof a);
  free(errors);
  pel__config_destroy(c);
  free(text);
}

static void params_as_text(void **state) {
  (void)state;
  page p;
  assert_int_equal(pel_print_params(open_page(&p), &host, "sea", PEL_AS_TEXT), PEL_OK);
  char *text = text_of(&p);
  want_text("params", text,
            "sea: A sea\n"
            "\n[grid]\n"
            "  nlon      integer  360       4 to 1000000       number of longitudes\n"
            "\n[sea]\n"
            "  depth     number   required  0 to 11000 m       mean depth\n"
            "  g         number   9.80616   a number in m s-2  gravity\n"
            "  scheme    choice   energy    energy, enstrophy  what is conserved\n"
            "  rotating  yes/no   yes       yes or no          with the Coriolis force\n"
            "  map       text               text               topography | none\n");
  free(text);
  assert_int_equal(pel_print_params(open_page(&p), &host, NULL, PEL_AS_TEXT), PEL_OK);
  text = text_of(&p);
  want_part(text, "\n[checkpoint]\n");
  want_part(text, "\npond: A pond\n");
  free(text);
}

static void params_as_markdown(void **state) {
  (void)state;
  page p;
  assert_int_equal(pel_print_params(open_page(&p), &host, "sea", PEL_AS_MARKDOWN), PEL_OK);
  char *text = text_of(&p);
  want_part(text, "\n## sea\n\nA sea.\n\n### `[grid]`\n\n| key |");
  want_part(text, "| `depth` | number | required | 0 to 11000 m | mean depth |\n");
  want_part(text, "| `map` | text | | text | topography \\| none |\n");
  for (const char *line = strstr(text, "\n|"); line; line = strstr(line + 1, "\n|")) {
    int bars = 0;
    for (const char *s = line + 1; *s && *s != '\n'; ++s) bars += *s == '|' && s[-1] != '\\';
    if (bars != 6) fail_msg("%.100s: got %d bars, want 6", line, bars);
  }
  free(text);
}

static void params_as_json(void **state) {
  (void)state;
  page p;
  assert_int_equal(pel_print_params(open_page(&p), &host, NULL, PEL_AS_JSON), PEL_OK);
  char *text = text_of(&p);
  json_t *all = json_loads(text, 0, NULL), *one;
  assert_non_null(all);
  size_t i;
  int found = 0;
  json_array_foreach(all, i, one) {
    const char *section, *key, *type, *doc;
    assert_int_equal(json_unpack(one, "{s:s,s:s,s:s,s:s}", "section", &section, "key", &key, "type",
                                 &type, "doc", &doc),
                     0);
    if (strcmp(section, "sea") == 0 && strcmp(key, "depth") == 0) {
      assert_true(json_is_true(json_object_get(one, "required")));
      assert_true(json_is_null(json_object_get(one, "default")));
      assert_true(json_number_value(json_object_get(one, "max")) == 11e3);
      want_text("unit", json_string_value(json_object_get(one, "unit")), "m");
      ++found;
    }
    if (strcmp(section, "time") == 0 && strcmp(key, "dt") == 0) {
      want_text("word", json_string_value(json_object_get(one, "word")), "auto");
      assert_true(json_is_null(json_object_get(one, "model")));
      ++found;
    }
    if (strcmp(key, "scheme") == 0 && strcmp(section, "sea") == 0) {
      assert_int_equal(json_array_size(json_object_get(one, "choices")), 2);
      ++found;
    }
  }
  assert_int_equal(found, 3);
  json_decref(all);
  free(text);
}

static void list_of_models(void **state) {
  (void)state;
  page p;
  assert_int_equal(pel_print_models(open_page(&p), &host, false), PEL_OK);
  char *text = text_of(&p);
  want_text("models", text, "sea   A sea\n      Nobody (1900)\npond  A pond\n");
  free(text);
  assert_int_equal(pel_print_models(open_page(&p), &host, true), PEL_OK);
  text = text_of(&p);
  json_t *all = json_loads(text, 0, NULL);
  const char *name, *field;
  assert_int_equal(json_unpack(all, "[{s:s,s:[{s:s}]},o]", "name", &name, "fields", "name", &field,
                               &(json_t *){NULL}),
                   0);
  want_text("name", name, "sea");
  want_text("field", field, "h");
  json_decref(all);
  free(text);
}

static void unknown_model(void **state) {
  (void)state;
  page p;
  assert_int_equal(pel_print_template(open_page(&p), &host, "see"), PEL_USAGE);
  assert_int_equal(pel_print_params(p.f, &host, "ocean", PEL_AS_JSON), PEL_USAGE);
  char *text = text_of(&p);
  want_text("output", text, "");
  free(text);
}

/* A full disk is told. */
static void write_failure(void **state) {
  (void)state;
  FILE *f = fopen("/dev/full", "w");
  if (!f) skip();
  assert_int_equal(pel_print_template(f, &host, "sea"), PEL_IO);
  fclose(f);
}

static void first_error_wins(void **state) {
  (void)state;
  pel_error e = {0};
  assert_int_equal(pel_error_set(&e, PEL_IO, "%s: %d", "a", 1), PEL_IO);
  assert_int_equal(pel_error_set(&e, PEL_USAGE, "b"), PEL_USAGE);
  assert_int_equal(e.code, PEL_IO);
  want_text("error", e.text, "a: 1");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(defaults),
      cmocka_unit_test(tables_are_complete),
      cmocka_unit_test(dates),
      cmocka_unit_test(shapes),
      cmocka_unit_test(template_passes),
      cmocka_unit_test(params_as_text),
      cmocka_unit_test(params_as_markdown),
      cmocka_unit_test(params_as_json),
      cmocka_unit_test(list_of_models),
      cmocka_unit_test(unknown_model),
      cmocka_unit_test(write_failure),
      cmocka_unit_test(first_error_wins),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
