/* What the files of the configuration share. */
#ifndef PEL_CONFIG_PRIVATE_H
#define PEL_CONFIG_PRIVATE_H

#include "config.h"

/* A section heading (key NULL) or a key with its raw value. */
typedef struct {
  int line;     /* in the file, from 1; 0: an override */
  int override; /* number of the override; -1: in the file */
  char *section, *key, *value;
} pel__entry;

typedef enum {
  PEL__ERROR_SYNTAX,
  PEL__ERROR_DUPLICATE,
  PEL__ERROR_UNKNOWN,
  PEL__ERROR_VALUE,
  PEL__ERROR_KINDS
} pel__error_kind;

/* One collected sentence; `order` sorts: lines of the file, the file as a whole, overrides. */
typedef struct {
  int64_t order;
  char *text;
} pel__complaint;

/* A typed value, as it is stored in the parameter's member. */
typedef struct {
  double real;
  int64_t integer;
  bool boolean;
  int choice;
  char text[PEL_TEXT_MAX];
  bool word; /* pel_param.word was given: 0 or an empty text */
} pel__value;

/* What bind made of one parameter. */
typedef struct {
  const char *section; /* borrowed from the binding */
  const pel_param *param;
  const pel__entry *entry; /* NULL: the default */
  bool missing;            /* required and not given, or wrong without a default */
  pel__value value;
} pel__bound;

struct pel__config {
  char *path;
  char **overrides; /* as given */
  int noverrides;
  pel__entry *entries;
  int nentries;
  pel__bound *bound;
  int nbound;
  pel__complaint *complaints;
  int ncomplaints;
  int seen[PEL__ERROR_KINDS]; /* errors of each kind, those not kept included */
  bool unreadable;            /* not an INI file at all: one sentence says so and suffices */
  bool model_rejected;        /* [run] model: which sections exist is unknown */
};

/* ---- config.c */
const pel__entry *pel__config_find(const pel__config *c, const char *section, const char *key);

/* ---- config_error.c */
/* Adds a sentence at a line of the file, at an override (line 0), or about the file as a whole
 * (both: line 0, override -1).  Identical kinds beyond a limit are only counted. */
void pel__config_complain(pel__config *c, pel__error_kind kind, int line, int override,
                          const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* Text fit for a sentence: unprintable bytes become '?', long texts end in "...". */
enum { PEL__QUOTE = 64 };
const char *pel__quote(char buffer[PEL__QUOTE], const char *text);

/* ---- config_value.c */
/* Reads text as a value of p in p's unit.  On failure `why` continues "[section] key: ". */
enum { PEL__WHY = 900 };
bool pel__value_parse(const pel_param *p, const char *text, pel__value *v, char why[PEL__WHY]);
void pel__value_store(const pel_param *p, const pel__value *v, void *base);
/* The value as text that reads back to the same bits, without the unit. */
enum { PEL__SHOWN = 2 * PEL_TEXT_MAX + 8 };
void pel__value_show(const pel_param *p, const pel__value *v, char text[PEL__SHOWN]);
/* Shortest text that reads back as x. */
void pel__number_show(double x, char text[32]);
/* "1 to 1000000", "at least 0", ""; with the unit. */
void pel__range_show(const pel_param *p, char *text, size_t size);
/* "a number in m2 s-1 or 'auto'", "one of: a, b, c" ... */
void pel__expected_show(const pel_param *p, char *text, size_t size);

#endif
