/* Units as they are found in files: UDUNITS-2, and what UDUNITS does not know but files contain. */
#include <ctype.h>
#include <string.h>
#include <udunits2.h>
#include "map_parts.h"

/* A geopotential metre is a metre of geopotential height (CF: geopotential_height has unit m), and
 * 9.80665 m2 s-2 of geopotential. */
static const struct {
  const char *found, *height, *potential;
} aliases[] = {{"gpm", "m", "9.80665 m2 s-2"},
               {"geopotential meter", "m", "9.80665 m2 s-2"},
               {"geopotential meters", "m", "9.80665 m2 s-2"},
               {"geopotential metre", "m", "9.80665 m2 s-2"},
               {"geopotential metres", "m", "9.80665 m2 s-2"},
               {"gp m", "m", "9.80665 m2 s-2"},
               {"gpdm", "10 m", "98.0665 m2 s-2"},
               {"gpdam", "10 m", "98.0665 m2 s-2"},
               {"dagpm", "10 m", "98.0665 m2 s-2"},
               {"mb", "hPa", "hPa"}};

static ut_system *the_system(void) {
  static ut_system *s; /* reading the database takes 20 ms; rank 0 only */
  if (!s) {
    ut_set_error_message_handler(ut_ignore);
    s = ut_read_xml(NULL);
  }
  return s;
}

static ut_unit *parse(const char *text) {
  char lower[200];
  ut_unit *u = ut_parse(the_system(), text, UT_UTF8);
  if (u || strlen(text) >= sizeof lower) return u;
  for (size_t i = 0; i <= strlen(text); ++i) lower[i] = (char)tolower((unsigned char)text[i]);
  return ut_parse(the_system(), lower, UT_UTF8); /* "Meters" */
}

/* What the file means by `text`, given what is wanted; NULL: nobody knows. */
static ut_unit *interpret(const char *text, const ut_unit *wanted) {
  for (int i = 0; i < PEL_N(aliases); ++i) {
    if (strcmp(text, aliases[i].found)) continue;
    ut_unit *u = parse(aliases[i].height);
    if (u && !ut_are_convertible(u, wanted)) {
      ut_free(u);
      u = parse(aliases[i].potential);
    }
    return u;
  }
  return parse(text);
}

bool pel__units_convert(const char *from, const char *to, double *scale, double *offset,
                        bool *known) {
  *known = false;
  if (!the_system()) return false;
  ut_unit *wanted = parse(to), *is = wanted ? interpret(from, wanted) : NULL;
  *known = is != NULL;
  cv_converter *c = is && ut_are_convertible(is, wanted) ? ut_get_converter(is, wanted) : NULL;
  if (c) {
    *offset = cv_convert_double(c, 0);
    *scale = cv_convert_double(c, 1) - *offset;
    cv_free(c);
  }
  if (is) ut_free(is);
  if (wanted) ut_free(wanted);
  return c != NULL;
}
