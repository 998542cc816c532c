/* From INI text to sections, keys and raw values with line numbers.
 *
 * inih splits the lines; its reader callback, below, feeds it.  The reader is where lines are
 * counted and where everything is caught that inih would pass over in silence: a line without '=',
 * one beyond inih's buffer, a continuation line, an empty section, bytes that are no text. */
#include "config.h"

#include <ctype.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>
#include "config_private.h"
#include "pelsim/memory.h"

enum {
  LONGEST_LINE = 4096,
  LONGEST_NAME = 40,  /* of a section or key; inih cuts sections at 49 bytes */
  MOST_ENTRIES = 4096 /* a configuration has some dozens */
};

/* What the reader knows while inih parses. */
typedef struct {
  pel__config *config;
  const char *next, *end;
  int line;
  bool skipping;                /* below a heading that is wrong: whose keys they are is unknown */
  char value[LONGEST_LINE + 1]; /* of the line just handed over: inih's buffer may hold less */
} reader;

/* ---- entries */

static char *copy(const char *text) { /* strdup, but never NULL */
  char *s = pel_strdup(text);
  return s;
}

static pel__entry *append(pel__config *c, int line, int override, const char *section,
                          const char *key, const char *value) {
  if (c->nentries >= MOST_ENTRIES) {
    if (!c->unreadable)
      pel__config_complain(c, PEL__ERROR_SYNTAX, line, override,
                           "more than %d keys; this is not a configuration of pelsim",
                           MOST_ENTRIES);
    c->unreadable = true;
    return NULL;
  }
  pel__entry *all = pel_realloc(c->entries, (size_t)(c->nentries + 1) * sizeof *all);
  c->entries = all;
  all[c->nentries] = (pel__entry){.line = line,
                                  .override = override,
                                  .section = copy(section),
                                  .key = key ? copy(key) : NULL,
                                  .value = value ? copy(value) : NULL};
  return &all[c->nentries++];
}

/* The entry that counts: the last override, else the first in the file. */
const pel__entry *pel__config_find(const pel__config *c, const char *section, const char *key) {
  const pel__entry *found = NULL;
  for (int i = 0; i < c->nentries; ++i) {
    const pel__entry *e = &c->entries[i];
    if (!e->key || strcmp(e->key, key) != 0 || strcmp(e->section, section) != 0) continue;
    if (e->override >= 0 || !found) found = e;
  }
  return found;
}

const char *pel__config_get(const pel__config *c, const char *section, const char *key) {
  const pel__entry *e = pel__config_find(c, section, key);
  return e ? e->value : NULL;
}

bool pel__config_given(const pel__config *c, const char *section, const char *key) {
  return pel__config_find(c, section, key) != NULL;
}

/* ---- text */

static char *trim(char *s) {
  while (isspace((unsigned char)*s)) ++s;
  size_t n = strlen(s);
  while (n > 0 && isspace((unsigned char)s[n - 1])) s[--n] = '\0';
  return s;
}

/* Letters, digits, '_' and '-' only, and not too long. */
static bool is_name(const char *s) {
  size_t n = 0;
  for (; isalnum((unsigned char)s[n]) || s[n] == '_' || s[n] == '-'; ++n) continue;
  return n > 0 && n <= LONGEST_NAME && !s[n];
}

static bool is_control(unsigned char byte) { return byte == 127 || (byte < 32 && byte != '\t'); }

/* The first byte that spoils UTF-8 text fit for every file: a control character, or one of what is
 * not UTF-8 (surrogates and overlong forms included).  NULL: there is none. */
static const char *spoilt_at(const char *s) {
  for (const unsigned char *p = (const unsigned char *)s; *p;) {
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    const int more = *p < 0x80 ? 0 : *p >= 0xF0 ? 3 : *p >= 0xE0 ? 2 : 1;
    if (is_control(*p) || (*p >= 0x80 && *p < 0xC0) || *p > 0xF4) return (const char *)p;
    const char *here = (const char *)p;
    uint32_t code = more ? *p & (0x3Fu >> more) : *p;
    ++p;
    for (int i = 0; i < more; ++i, ++p) {
      if ((*p & 0xC0) != 0x80) return here;
      code = code << 6 | (*p & 0x3F);
    }
    if (code < least[more] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return here;
  }
  return NULL;
}

/* Cuts a comment off: '#' or ';' at the start or after white space, outside "quotes" that begin
 * the text. */
static void strip_comment(char *s) {
  size_t i = strspn(s, " \t");
  if (s[i] == '"') {
    for (++i; s[i] && (s[i] != '"' || s[i + 1] == '"'); ++i)
      if (s[i] == '"') ++i;
  }
  for (; s[i]; ++i)
    if ((s[i] == '#' || s[i] == ';') && (i == 0 || isspace((unsigned char)s[i - 1]))) s[i] = '\0';
}

/* Takes the quotes off in place ("" inside stands for one); false if they do not match. */
static bool unquote(char *s) {
  if (*s != '"') return true;
  char *to = s;
  for (const char *p = s + 1; *p; ++p) {
    if (*p == '"' && *++p != '"') {
      *to = '\0';
      return !*p;
    }
    *to++ = *p;
  }
  return false;
}

/* "[section] key", or "key" above the first section. */
static const char *label(char text[2 * LONGEST_NAME + 8], const char *section, const char *key) {
  snprintf(text, 2 * LONGEST_NAME + 8, *section ? "[%s] %s" : "%s%s", section, key);
  return text;
}

/* Sorts out one value; false after a complaint. */
static bool clean_value(pel__config *c, int line, int override, const char *section,
                        const char *key, char *value) {
  char quoted[PEL__QUOTE], where[2 * LONGEST_NAME + 8];
  label(where, section, key);
  const char *spoilt = spoilt_at(value);
  if (spoilt && is_control((unsigned char)*spoilt)) {
    pel__config_complain(c, PEL__ERROR_SYNTAX, line, override,
                         "%s: the value has a control character (byte 0x%02x); take it out", where,
                         (unsigned char)*spoilt);
    return false;
  }
  if (spoilt) {
    pel__config_complain(c, PEL__ERROR_SYNTAX, line, override,
                         "%s: the value is not UTF-8 text; %s as UTF-8", where,
                         override >= 0 ? "give it" : "save the file");
    return false;
  }
  pel__quote(quoted, value);
  if (unquote(value)) return true;
  pel__config_complain(c, PEL__ERROR_SYNTAX, line, override,
                       "%s: the quotes of '%s' do not match; expected \"text\"", where, quoted);
  return false;
}

/* ---- the reader */

/* A file that is no text at all gets one sentence; what was said about its lines is taken back. */
static void give_up(reader *r, const char *why) {
  pel__config *c = r->config;
  while (c->ncomplaints > 0) free(c->complaints[--c->ncomplaints].text);
  memset(c->seen, 0, sizeof c->seen);
  c->unreadable = true;
  r->next = r->end;
  pel__config_complain(c, PEL__ERROR_SYNTAX, r->line, -1, "%s", why);
}

/* The next line into text, without its end; false if there is none (more). */
static bool take_line(reader *r, char text[LONGEST_LINE + 1]) {
  if (r->next >= r->end) return false;
  ++r->line;
  const char *stop = r->next;
  for (; stop < r->end && *stop != '\n' && *stop != '\r'; ++stop)
    if ((unsigned char)*stop < 32 && *stop != '\t' && *stop != '\f') {
      char why[120];
      snprintf(why, sizeof why, "byte 0x%02x: this is not a text file; expected an INI file",
               (unsigned char)*stop);
      give_up(r, why);
      return false;
    }
  const size_t length = (size_t)(stop - r->next);
  const char *line = r->next;
  r->next = stop < r->end ? stop + 1 : stop;
  if (stop < r->end && *stop == '\r' && r->next < r->end && *r->next == '\n') ++r->next;
  text[0] = '\0';
  if (length > LONGEST_LINE) {
    pel__config_complain(r->config, PEL__ERROR_SYNTAX, r->line, -1,
                         "a line of %zu bytes; at most %d are allowed", length, LONGEST_LINE);
    return true;
  }
  memcpy(text, line, length);
  text[length] = '\0';
  return true;
}

/* [section]: false unless well-formed. */
static bool section_line(reader *r, char *line) {
  pel__config *c = r->config;
  char *close = strchr(line, ']'), quoted[PEL__QUOTE];
  if (close) *close = '\0';
  char *name = trim(line + 1);
  if (close && !*trim(close + 1) && is_name(name)) {
    append(c, r->line, -1, name, NULL, NULL);
    r->skipping = false;
    memmove(line + 1, name, strlen(name) + 1); /* inih keeps the blanks of [ grid ] */
    strcat(line, "]");
    return true;
  }
  if (close) *close = ']';
  r->skipping = true;
  pel__config_complain(c, PEL__ERROR_SYNTAX, r->line, -1,
                       "'%s' is not a section; expected '[name]' alone on its line",
                       pel__quote(quoted, line));
  return false;
}

/* key = value: false unless well-formed.  The value stays in r->value, as inih's buffer is short:
 * the line handed over is "key =". */
static bool key_line(reader *r, char *line) {
  char *equals = strchr(line, '='), quoted[PEL__QUOTE];
  if (!equals) {
    pel__config_complain(r->config, PEL__ERROR_SYNTAX, r->line, -1,
                         "'%s' has no '='; expected 'key = value' or '[section]'",
                         pel__quote(quoted, line));
    return false;
  }
  *equals = '\0';
  char *key = trim(line);
  if (!*key) {
    pel__config_complain(r->config, PEL__ERROR_SYNTAX, r->line, -1,
                         "nothing stands before the '='; expected 'key = value'");
    return false;
  }
  if (!is_name(key)) {
    pel__config_complain(
        r->config, PEL__ERROR_SYNTAX, r->line, -1,
        "'%s' is not a key; expected a name of at most %d letters, digits and '_' before the '='",
        pel__quote(quoted, key), LONGEST_NAME);
    return false;
  }
  strip_comment(equals + 1);
  snprintf(r->value, sizeof r->value, "%s", trim(equals + 1));
  memmove(line, key, strlen(key) + 1);
  strcat(line, "="); /* at most where the '=' was */
  return !r->skipping;
}

/* inih's reader: the next line it may see, cleaned; every other line is dealt with here. */
static char *next_line(char *buffer, int size, void *stream) {
  reader *r = stream;
  char text[LONGEST_LINE + 1];
  while (take_line(r, text)) {
    char *line = trim(text);
    if (!*line || *line == '#' || *line == ';') continue;
    if (*line == '[') strip_comment(line);
    line = trim(line);
    if (!(*line == '[' ? section_line(r, line) : key_line(r, line))) continue;
    snprintf(buffer, (size_t)size, "%s", line);
    return buffer;
  }
  return NULL;
}

static int handle(void *user, const char *section, const char *key, const char *empty) {
  (void)empty; /* the value is in the reader */
  reader *r = user;
  pel__config *c = r->config;
  if (c->unreadable || !clean_value(c, r->line, -1, section, key, r->value)) return 1;
  const pel__entry *first = pel__config_find(c, section, key);
  if (first) {
    char where[2 * LONGEST_NAME + 8];
    pel__config_complain(c, PEL__ERROR_DUPLICATE, r->line, -1,
                         "%s: given a second time; line %d has it already, keep one of them",
                         label(where, section, key), first->line);
    return 1;
  }
  if (!append(c, r->line, -1, section, key, r->value)) r->next = r->end;
  return 1;
}

/* ---- overrides */

static void parse_override(pel__config *c, int number) {
  char *text = copy(c->overrides[number]), *equals = strchr(text, '=');
  if (equals) *equals = '\0';
  char *dot = strchr(text, '.'), *section = dot ? text : "", *key = dot ? dot + 1 : text;
  if (dot) *dot = '\0';
  if (dot) section = trim(section);
  key = trim(key);
  /* A key alone goes on: the tables may know where it belongs. */
  if (!equals || (dot && !is_name(section)) || !is_name(key)) {
    pel__config_complain(c, PEL__ERROR_SYNTAX, 0, number, "expected 'section.key=value'");
  } else {
    char *value = trim(equals + 1);
    if (clean_value(c, 0, number, section, key, value)) append(c, 0, number, section, key, value);
  }
  free(text);
}

/* ---- the whole */

static void parse_text(pel__config *c, const char *text, size_t length) {
  reader *r = pel_calloc(1, sizeof *r);
  r->config = c;
  r->next = text;
  r->end = text + length;
  if (length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) r->next += 3;
  if (length >= 2 && (memcmp(text, "\xFF\xFE", 2) == 0 || memcmp(text, "\xFE\xFF", 2) == 0)) {
    r->line = 1;
    give_up(r, "this is UTF-16 text; save the file as UTF-8");
  }
  ini_parse_stream(next_line, r, handle, r);
  free(r);
}

pel__config *pel__config_parse(const char *path, const char *text, size_t length,
                               const char *const *overrides, int noverrides) {
  pel__config *c = pel_calloc(1, sizeof *c);
  c->path = copy(path ? path : "configuration");
  c->overrides = pel_calloc((size_t)noverrides + 1, sizeof *c->overrides);
  for (; c->noverrides < noverrides; ++c->noverrides)
    c->overrides[c->noverrides] = copy(overrides[c->noverrides]);
  if (text) parse_text(c, text, length);
  for (int i = 0; i < noverrides; ++i) parse_override(c, i);
  return c;
}

void pel__config_destroy(pel__config *c) {
  if (!c) return;
  for (int i = 0; i < c->nentries; ++i) {
    free(c->entries[i].section);
    free(c->entries[i].key);
    free(c->entries[i].value);
  }
  for (int i = 0; i < c->noverrides; ++i) free(c->overrides[i]);
  for (int i = 0; i < c->ncomplaints; ++i) free(c->complaints[i].text);
  free(c->entries);
  free(c->overrides);
  free(c->complaints);
  free(c->bound);
  free(c->path);
  free(c);
}
