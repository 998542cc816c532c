/* Dates of the CF calendars. */
#include <stdlib.h>
#include <string.h>
#include "settings.h"

static bool is_any(const char *calendar, const char *a, const char *b) {
  return strcmp(calendar, a) == 0 || strcmp(calendar, b) == 0;
}

static int days_in_month(const char *calendar, int year, int month) {
  static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (strcmp(calendar, "360_day") == 0) return 30;
  bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  if (is_any(calendar, "noleap", "365_day")) leap = false;
  if (is_any(calendar, "all_leap", "366_day")) leap = true;
  if (strcmp(calendar, "julian") == 0) leap = year % 4 == 0;
  if (is_any(calendar, "standard", "gregorian") && year < 1582) leap = year % 4 == 0;
  return month == 2 && leap ? 29 : days[month - 1];
}

/* `digits` decimal digits at *s, which moves on; -1 if they are not there. */
static int take(const char **s, int digits) {
  int value = 0;
  for (int i = 0; i < digits; ++i, ++*s) {
    if (**s < '0' || **s > '9') return -1;
    value = 10 * value + (**s - '0');
  }
  return value;
}

static int take_after(const char **s, char before, int digits) {
  if (**s != before) return -1;
  ++*s;
  return take(s, digits);
}

bool pel__date(const char *text, const char *calendar, char date[80], char why[120]) {
  const char *s = text;
  int t[6] = {take(&s, 4), take_after(&s, '-', 2), take_after(&s, '-', 2), 0, 0, 0};
  bool form = t[0] >= 0 && t[1] >= 0 && t[2] >= 0;
  if (form && *s) {
    t[3] = take_after(&s, *s == 'T' ? 'T' : ' ', 2);
    t[4] = take_after(&s, ':', 2);
    if (*s == ':') t[5] = take_after(&s, ':', 2);
    if (*s == 'Z') ++s;
    form = t[3] >= 0 && t[4] >= 0 && t[5] >= 0 && !*s;
  }
  if (!form) {
    snprintf(why, 120, "'%.40s' is not a date; expected 'YYYY-MM-DD' or 'YYYY-MM-DD hh:mm:ss'",
             text);
    return false;
  }
  /* the ten days that Pope Gregory left out */
  const bool gap = is_any(calendar, "standard", "gregorian") && t[0] == 1582 && t[1] == 10 &&
                   t[2] > 4 && t[2] < 15;
  if (t[0] < 1 || t[1] < 1 || t[1] > 12 || t[2] < 1 || t[2] > days_in_month(calendar, t[0], t[1]) ||
      gap) {
    snprintf(why, 120, "'%.40s' does not exist in the calendar '%.24s'", text, calendar);
    return false;
  }
  if (t[3] > 23 || t[4] > 59 || t[5] > 59) {
    snprintf(why, 120, "'%.40s' has a time beyond 23:59:59", text);
    return false;
  }
  snprintf(date, 80, "%04d-%02d-%02d %02d:%02d:%02d", t[0], t[1], t[2], t[3], t[4], t[5]);
  return true;
}
