/* The configuration: INI text, typed tables, units, and every error of a file in one go. */
#ifndef PEL_CONFIG_H
#define PEL_CONFIG_H

#include <limits.h>
#include <stdio.h>
#include "pelsim/error.h"
#include "pelsim/model.h"

/* A table of keys and the struct that receives their values.  All of it outlives the config. */
typedef struct {
  const char *section; /* of the params whose own .section is NULL */
  const pel_param *params;
  int nparams;
  void *base; /* params[i].offset counts from here */
} pel__binding;

typedef struct pel__config pel__config;

/* Reads `path` into memory (*text malloced, *length bytes): missing, unreadable, a directory, too
 * large (> 16 MiB): one sentence, PEL_IO or PEL_USAGE; it helps whoever gave the name of a model
 * instead.  Local: call on rank 0 and broadcast. */
int pel__config_load(const char *path, const pel_model *const *models, int nmodels, char **text,
                     size_t *length, pel_error *e);

/* A file that a configuration names: relative to the working directory, else to that of the
 * configuration; as it is given if it is in neither. */
void pel__locate(const char *file, const char *config_path, char found[PATH_MAX]);

/* Splits the text (CRLF, BOM, comments with # and ; at the start of a line or after white space,
 * values in "quotes" when they hold these) into sections, keys, values with line numbers; `path`
 * names it in messages.  A section may be continued further down.  overrides: "section.key=value"
 * from the command line; they win over the file, the last one over those before it.  Never fails:
 * errors (garbage, overlong lines, duplicate keys, malformed overrides) are collected inside.
 * text NULL: overrides only. */
pel__config *pel__config_parse(const char *path, const char *text, size_t length,
                               const char *const *overrides, int noverrides);
void pel__config_destroy(pel__config *c);

/* Raw text of a key (NULL if absent) before any table is known: [run] model, [run] plugin. */
const char *pel__config_get(const pel__config *c, const char *section, const char *key);

/* Checks every key against the tables and stores typed values, converted to each parameter's unit;
 * keys absent from the file, and wrong ones, get their defaults.  Several bindings may name the
 * same section.  Call it once, with all bindings; after a rejection of [run] model or plugin
 * unknown sections pass, as the model's are not known. Collects: unknown section or key (with
 * did-you-mean and the key's doc), bad type, NaN, inf, overflow, range, wrong or inconvertible
 * unit, unknown choice, missing required key. */
void pel__config_bind(pel__config *c, const pel__binding *b, int nbindings);

bool pel__config_given(const pel__config *c, const char *section, const char *key);

/* Adds an error at a key's place: the line in the file, the override, or the file as a whole when
 * it has its default.  key "": about the section, at its heading. */
void pel__config_reject(pel__config *c, const char *section, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Number of errors so far, and all of them, one sentence a line, in order of line. */
int pel__config_errors(const pel__config *c);
void pel__config_print_errors(const pel__config *c, FILE *out);

/* The effective configuration after bind: {"section": {"key": {"value":..., "unit":..., "origin":
 * "default"|"file"|"command line", "line":...}}}.  malloced. */
char *pel__config_json(const pel__config *c);
/* The same as an INI file with origins in comments. */
void pel__config_print(const pel__config *c, FILE *out);

#endif
