/* Fuzzes the configuration: any bytes must parse, bind, print and read back without a crash, and
 * what passes the checks must be finite and within its limits.
 *
 * Build and run from the root of the sources (clang; stop with Ctrl-C, or -max_total_time=60):
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
 *     -Icore/include -Icore/src -I/usr/include/udunits2 tests/fuzz/fuzz_config.c \
 *     core/src/config*.c core/src/settings*.c core/src/units.c core/src/suggest.c \
 *     core/src/error.c -linih -ludunits2 -ljansson -lm -o fuzz_config
 *   mkdir -p corpus && ./fuzz_config -max_len=8192 corpus configs
 *
 * Bytes after the first \x01 are overrides, one a line, if there is such a byte. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "config.h"
#include "settings.h"

struct state {
  pel_box box;
  double kappa, amplitude;
  int64_t seed;
  int mode;
  bool on;
  char name[PEL_TEXT_MAX];
};
static const pel_param params[] = {
    PEL_BOX_PARAMS(struct state, box),
    PEL_PARAM(struct state, kappa, "1", 1e-12, 1e6, "m2 s-1", "diffusivity"),
    PEL_PARAM(struct state, amplitude, NULL, 0, 0, "K", "height"),
    PEL_PARAM(struct state, seed, "0", 0, 0, "1", "seed"),
    PEL_OPTION(struct state, mode, "a", "a|b|c", "mode"),
    PEL_OPTION(struct state, on, "yes", NULL, "on"),
    PEL_OPTION(struct state, name, "", NULL, "name")};

static void require(bool right) {
  if (!right) abort();
}

static void bind(pel__config *c, pel__settings *s, struct state *state) {
  memset(s, 0, sizeof *s);
  memset(state, 0, sizeof *state);
  const pel_model model = {.name = "heat"}, *const models[] = {&model};
  pel__settings_model(c, models, 1);
  pel__binding b[PEL__NSETTINGS + 1];
  pel__settings_bindings(s, b);
  b[PEL__NSETTINGS] = (pel__binding){"heat", params, PEL_N(params), state};
  pel__config_bind(c, b, PEL__NSETTINGS + 1);
  pel__settings_check(c, s);
}

static void check(const pel__settings *s, const struct state *state) {
  require(state->kappa >= 1e-12 && state->kappa <= 1e6 && isfinite(state->amplitude));
  require(state->box.nx >= 1 && state->box.nx <= 1000000);
  require(state->mode >= 0 && state->mode <= 2);
  require(s->time.cfl >= 1e-3 && s->time.cfl <= 1 && isfinite(s->time.dt) && s->time.dt >= 0);
  require(s->checkpoint.keep >= 1);
  require(memchr(state->name, 0, sizeof state->name) != NULL);
}

/* What was accepted, printed as INI, is accepted again with the same values. */
static void read_back(pel__config *c, const pel__settings *s, const struct state *state) {
  char *ini;
  size_t size;
  FILE *f = open_memstream(&ini, &size);
  pel__config_print(c, f);
  fclose(f);
  pel__settings again;
  struct state state_again;
  pel__config *copy = pel__config_parse("again.ini", ini, size, NULL, 0);
  bind(copy, &again, &state_again);
  require(pel__config_errors(copy) == 0);
  require(memcmp(&again, s, sizeof again) == 0);
  require(memcmp(&state_again, state, sizeof state_again) == 0);
  pel__config_destroy(copy);
  free(ini);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const uint8_t *cut = size ? memchr(data, 1, size) : NULL;
  const size_t length = cut ? (size_t)(cut - data) : size;
  char *tail = calloc(1, size - length + 1), *override[8];
  if (!tail) return 0;
  if (cut) memcpy(tail, cut + 1, size - length - 1);
  int n = 0;
  for (char *line = strtok(tail, "\n"); line && n < 8; line = strtok(NULL, "\n"))
    override[n++] = line;

  pel__config *c =
      pel__config_parse("fuzz.ini", (const char *)data, length, (const char *const *) override, n);
  pel__settings s;
  struct state state;
  bind(c, &s, &state);
  check(&s, &state);
  char *text;
  size_t printed;
  FILE *f = open_memstream(&text, &printed);
  pel__config_print_errors(c, f);
  fclose(f);
  require((pel__config_errors(c) > 0) == (printed > 0));
  free(text);
  text = pel__config_json(c);
  require(text != NULL);
  free(text);
  if (pel__config_errors(c) == 0) read_back(c, &s, &state);
  pel__config_destroy(c);
  free(tail);
  return 0;
}
