/* Binding: the keys of a configuration meet the tables that declare them. */
#include <stdlib.h>
#include <string.h>
#include "config_private.h"
#include "pelsim/memory.h"
#include "suggest.h"

static const char *section_of(const pel__binding *b, const pel_param *p) {
  return p->section ? p->section : b->section;
}

/* ---- what the tables declare */

static bool declared(const pel__config *c, const char *section, const char *key) {
  for (int i = 0; i < c->nbound; ++i)
    if (strcmp(c->bound[i].section, section) == 0 &&
        (!key || strcmp(c->bound[i].param->key, key) == 0))
      return true;
  return false;
}

static void missing(pel__config *c, const char *section, const pel_param *p) {
  char expected[700];
  pel__expected_show(p, expected, sizeof expected);
  pel__config_complain(c, PEL__ERROR_VALUE, 0, -1, "[%s] %s: must be given (%s); expected %s",
                       section, p->key, p->doc ? p->doc : "no description", expected);
}

/* One parameter: its value from the override, the file or the default. */
static void bind_param(pel__config *c, const char *section, const pel_param *p, void *base) {
  pel__bound *b = &c->bound[c->nbound++];
  *b = (pel__bound){.section = section, .param = p};
  b->entry = pel__config_find(c, section, p->key);
  char why[PEL__WHY];
  if (b->entry && !pel__value_parse(p, b->entry->value, &b->value, why)) {
    pel__config_complain(c, PEL__ERROR_VALUE, b->entry->line, b->entry->override, "[%s] %s: %s",
                         section, p->key, why);
    b->entry = NULL;
    b->missing = !p->def;
  } else if (!b->entry && !p->def) {
    b->missing = true;
    if (!c->unreadable) missing(c, section, p);
  }
  if (!b->entry && p->def && !pel__value_parse(p, p->def, &b->value, why))
    pel__config_complain(c, PEL__ERROR_VALUE, 0, -1,
                         "[%s] %s: the default in the table of the model is wrong: %s", section,
                         p->key, why);
  if (b->missing) memset(&b->value, 0, sizeof b->value);
  pel__value_store(p, &b->value, base);
}

/* ---- what they do not declare */

static const char *doc_of(const pel__config *c, const char *section, const char *key) {
  for (int i = 0; i < c->nbound; ++i)
    if (strcmp(c->bound[i].param->key, key) == 0 && strcmp(c->bound[i].section, section) == 0)
      return c->bound[i].param->doc ? c->bound[i].param->doc : "no description";
  return "";
}

/* "one of: a, b, c" of a section's keys, or of the sections. */
static void list_names(const pel__config *c, const char *section, char *text, size_t size) {
  size_t at = 0;
  *text = '\0';
  for (int i = 0; i < c->nbound && at < size; ++i) {
    const pel__bound *b = &c->bound[i];
    bool seen = false;
    for (int j = 0; j < i && !section; ++j)
      seen = seen || strcmp(c->bound[j].section, b->section) == 0;
    if (seen || (section && strcmp(b->section, section) != 0)) continue;
    at += (size_t)snprintf(text + at, size - at, section ? "%s%s" : "%s[%s]", at ? ", " : "",
                           section ? b->param->key : b->section);
  }
}

static void unknown_section(pel__config *c, const pel__entry *e) {
  const char *best = NULL;
  for (int i = 0; i < c->nbound; ++i) pel__suggest(e->section, c->bound[i].section, &best);
  char names[700];
  list_names(c, NULL, names, sizeof names);
  if (best)
    pel__config_complain(c, PEL__ERROR_UNKNOWN, e->line, e->override,
                         "[%s]: unknown section; did you mean [%s]?", e->section, best);
  else
    pel__config_complain(c, PEL__ERROR_UNKNOWN, e->line, e->override,
                         "[%s]: unknown section; expected one of %s", e->section, names);
}

/* The section, other than `section`, that has this key; NULL if none. */
static const char *home_of(const pel__config *c, const char *section, const char *key) {
  for (int i = 0; i < c->nbound; ++i)
    if (strcmp(c->bound[i].param->key, key) == 0 && strcmp(c->bound[i].section, section) != 0)
      return c->bound[i].section;
  return NULL;
}

/* "[output], [checkpoint] or [diagnostics]": the sections that have the key, each by `form`; the
 * number of them. */
static int list_homes(const pel__config *c, const char *key, const char *form, char *text,
                      size_t size) {
  int n = 0, all = 0;
  size_t at = 0;
  for (int i = 0; i < c->nbound; ++i) all += strcmp(c->bound[i].param->key, key) == 0;
  for (int i = 0; i < c->nbound && at < size; ++i) {
    if (strcmp(c->bound[i].param->key, key) != 0) continue;
    at += (size_t)snprintf(text + at, size - at, "%s", !n ? "" : n + 1 < all ? ", " : " or ");
    if (at < size) at += (size_t)snprintf(text + at, size - at, form, c->bound[i].section, key);
    ++n;
  }
  return n;
}

static void stray_key(pel__config *c, const pel__entry *e) {
  char advice[300] = "write a [section] above it", homes[200];
  if (list_homes(c, e->key, "[%s]", homes, sizeof homes))
    snprintf(advice, sizeof advice, "put it below %s", homes);
  pel__config_complain(c, PEL__ERROR_UNKNOWN, e->line, e->override,
                       "%s: stands before the first [section]; %s", e->key, advice);
}

/* A key alone on the command line. */
static void bare_key(pel__config *c, const pel__entry *e) {
  char advice[300] = "", homes[200];
  const char *key = e->key, *near = NULL;
  for (int i = 0; i < c->nbound; ++i) pel__suggest(key, c->bound[i].param->key, &near);
  if (list_homes(c, near ? near : key, "'%s.%s'", homes, sizeof homes))
    snprintf(advice, sizeof advice, "; did you mean %s?", homes);
  pel__config_complain(c, PEL__ERROR_SYNTAX, e->line, e->override, "expected 'section.key=value'%s",
                       advice);
}

static void unknown_key(pel__config *c, const pel__entry *e) {
  const char *best = NULL, *home = home_of(c, e->section, e->key);
  for (int i = 0; i < c->nbound; ++i)
    if (strcmp(c->bound[i].section, e->section) == 0)
      pel__suggest(e->key, c->bound[i].param->key, &best);
  char advice[800], names[700];
  if (home) {
    snprintf(advice, sizeof advice, "it belongs below [%s]", home);
  } else if (best) {
    snprintf(advice, sizeof advice, "did you mean '%s' (%s)?", best, doc_of(c, e->section, best));
  } else {
    list_names(c, e->section, names, sizeof names);
    snprintf(advice, sizeof advice, "[%s] has %s", e->section, names);
  }
  pel__config_complain(c, PEL__ERROR_UNKNOWN, e->line, e->override, "[%s] %s: unknown key; %s",
                       e->section, e->key, advice);
}

/* True if an earlier entry has the same section: an unknown section is reported once. */
static bool repeated(const pel__config *c, int entry) {
  for (int i = 0; i < entry; ++i)
    if (strcmp(c->entries[i].section, c->entries[entry].section) == 0) return true;
  return false;
}

void pel__config_bind(pel__config *c, const pel__binding *b, int nbindings) {
  int n = c->nbound;
  for (int i = 0; i < nbindings; ++i) n += b[i].nparams;
  pel__bound *bound = pel_realloc(c->bound, ((size_t)n + 1) * sizeof *bound);
  c->bound = bound;
  for (int i = 0; i < nbindings; ++i)
    for (int j = 0; j < b[i].nparams; ++j)
      bind_param(c, section_of(&b[i], &b[i].params[j]), &b[i].params[j], b[i].base);

  for (int i = 0; i < c->nentries && !c->unreadable; ++i) {
    const pel__entry *e = &c->entries[i];
    if (declared(c, e->section, e->key)) continue;
    if (!*e->section)
      (e->override < 0 ? stray_key : bare_key)(c, e);
    else if (declared(c, e->section, NULL))
      unknown_key(c, e);
    else if (!c->model_rejected && !repeated(c, i))
      unknown_section(c, e);
  }
}
