/* The errors of a configuration: collected in any order, shown in order of line. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "config_private.h"

/* Nobody reads more of one kind; a text that is no configuration has thousands. */
static const struct {
  int kept;
  const char *more;
} limits[PEL__ERROR_KINDS] = {
    [PEL__ERROR_SYNTAX] = {5, "lines that are neither '[section]' nor 'key = value'"},
    [PEL__ERROR_DUPLICATE] = {10, "keys given twice"},
    [PEL__ERROR_UNKNOWN] = {10, "unknown keys and sections"},
    [PEL__ERROR_VALUE] = {40, "wrong values"},
};

static const int64_t whole_file = INT64_C(1) << 40;

const char *pel__quote(char buffer[PEL__QUOTE], const char *text) {
  int n = 0;
  for (; text[n] && n < PEL__QUOTE - 1; ++n) {
    const unsigned char ch = (unsigned char)text[n];
    buffer[n] = ch < 32 || ch == 127 ? '?' : (char)ch;
  }
  if (text[n]) {
    n -= 3;
    while (n > 0 && ((unsigned char)buffer[n] & 0xC0) == 0x80) --n; /* whole UTF-8 characters */
    memcpy(buffer + n, "...", 3);
    n += 3;
  }
  buffer[n] = '\0';
  return buffer;
}

void pel__config_complain(pel__config *c, pel__error_kind kind, int line, int override,
                          const char *fmt, ...) {
  if (c->seen[kind]++ >= limits[kind].kept) return;
  char text[2000];
  int at;
  int64_t order = whole_file;
  if (line > 0) {
    at = snprintf(text, 600, "%s:%d: ", c->path, line);
    order = line;
  } else if (override >= 0) {
    char quoted[PEL__QUOTE];
    at = snprintf(text, 600, "-s %s: ", pel__quote(quoted, c->overrides[override]));
    order = whole_file + 1 + override;
  } else {
    at = snprintf(text, 600, "%s: ", c->path);
  }
  if (at > 599) at = 599;
  va_list args;
  va_start(args, fmt);
  vsnprintf(text + at, sizeof text - (size_t)at, fmt, args);
  va_end(args);
  pel__complaint *all = realloc(c->complaints, (size_t)(c->ncomplaints + 1) * sizeof *all);
  if (!all) return; /* still counted in seen */
  c->complaints = all;
  all[c->ncomplaints++] = (pel__complaint){order, strdup(text)};
}

static const pel__entry *heading(const pel__config *c, const char *section) {
  for (int i = 0; i < c->nentries; ++i)
    if (!c->entries[i].key && strcmp(c->entries[i].section, section) == 0) return &c->entries[i];
  return NULL;
}

void pel__config_reject(pel__config *c, const char *section, const char *key, const char *fmt,
                        ...) {
  char text[1200];
  va_list args;
  va_start(args, fmt);
  vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  if (strcmp(section, "run") == 0 && (strcmp(key, "model") == 0 || strcmp(key, "plugin") == 0))
    c->model_rejected = true;
  const pel__entry *e = *key ? pel__config_find(c, section, key) : heading(c, section);
  if (c->unreadable && (!e || e->override < 0))
    return; /* what a file without keys lacks is plain */
  pel__config_complain(c, PEL__ERROR_VALUE, e ? e->line : 0, e ? e->override : -1,
                       *key ? "[%s] %s: %s" : "[%s]%s: %s", section, key, text);
}

int pel__config_errors(const pel__config *c) {
  int n = 0;
  for (int i = 0; i < PEL__ERROR_KINDS; ++i) n += c->seen[i];
  return n;
}

void pel__config_print_errors(const pel__config *c, FILE *out) {
  int *sorted = malloc(((size_t)c->ncomplaints + 1) * sizeof *sorted);
  for (int i = 0; sorted && i < c->ncomplaints; ++i) { /* insertion: stable, and few */
    int at = i;
    for (; at > 0 && c->complaints[sorted[at - 1]].order > c->complaints[i].order; --at)
      sorted[at] = sorted[at - 1];
    sorted[at] = i;
  }
  for (int i = 0; i < c->ncomplaints; ++i) {
    const char *text = c->complaints[sorted ? sorted[i] : i].text;
    fprintf(out, "%s\n", text ? text : "out of memory");
  }
  free(sorted);
  for (int i = 0; i < PEL__ERROR_KINDS; ++i)
    if (c->seen[i] > limits[i].kept)
      fprintf(out, "%s: and %d more %s\n", c->path, c->seen[i] - limits[i].kept, limits[i].more);
}
