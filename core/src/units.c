#include "units.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <udunits2.h>

enum { LONGEST = 100 }; /* bytes of a unit; no honest one is longer */

/* UDUNITS-2 parses with global state, so one thread at a time. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static ut_system *units; /* kept for the life of the process */

int pel__unit_is_plain(const char *unit) { return !unit || !*unit || strcmp(unit, "1") == 0; }

static ut_unit *parse(const char *text) {
  if (strlen(text) > LONGEST) return NULL;
  return ut_parse(units, text, UT_UTF8);
}

/* Same kind: the quotient is a plain number. */
static int same_kind(const ut_unit *from, const ut_unit *to) {
  if (!ut_are_convertible(from, to)) return 0;
  ut_unit *quotient = ut_divide(from, to);
  if (!quotient) return 0;
  int same = ut_is_dimensionless(quotient);
  char text[256];
  const int length = ut_format(quotient, text, sizeof text, UT_ASCII | UT_DEFINITION);
  if (same && length > 0 && length < (int)sizeof text)
    same = !strstr(text, "rad") || strcmp(text, "rad") == 0 || strcmp(text, "rad-1") == 0;
  ut_free(quotient);
  return same;
}

static pel__unit_status convert(double x, const char *from, const char *to, double *y) {
  if (!units) {
    ut_set_error_message_handler(ut_ignore);
    units = ut_read_xml(NULL);
    if (!units) return PEL__UNIT_BROKEN;
  }
  pel__unit_status status = PEL__UNIT_BROKEN;
  ut_unit *b = parse(pel__unit_is_plain(to) ? "1" : to), *a = b ? parse(from) : NULL;
  if (b) status = !a ? PEL__UNIT_UNKNOWN : same_kind(a, b) ? PEL__UNIT_OK : PEL__UNIT_KIND;
  if (status == PEL__UNIT_OK) {
    cv_converter *c = ut_get_converter(a, b);
    if (c)
      *y = cv_convert_double(c, x);
    else
      status = PEL__UNIT_KIND;
    cv_free(c);
  }
  ut_free(a);
  ut_free(b);
  return status;
}

pel__unit_status pel__unit_convert(double x, const char *from, const char *to, double *y) {
  if (to && strcmp(from, to) == 0) { /* no rounding */
    *y = x;
    return PEL__UNIT_OK;
  }
  pthread_mutex_lock(&lock);
  const pel__unit_status status = convert(x, from, to, y);
  pthread_mutex_unlock(&lock);
  return status;
}
