#define _GNU_SOURCE
#include "calendar.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "map_parts.h"

typedef enum { MIXED, GREGORIAN, JULIAN, NOLEAP, ALL_LEAP, DAYS_360, NCALENDARS } kind;

static const struct {
  const char *name;
  kind kind;
} calendars[] = {{"standard", MIXED},    {"gregorian", MIXED},  {"proleptic_gregorian", GREGORIAN},
                 {"julian", JULIAN},     {"noleap", NOLEAP},    {"365_day", NOLEAP},
                 {"all_leap", ALL_LEAP}, {"366_day", ALL_LEAP}, {"360_day", DAYS_360}};

static kind kind_of(const char *calendar) {
  if (!calendar || !*calendar) return MIXED; /* CF's default */
  for (int i = 0; i < (int)(sizeof calendars / sizeof *calendars); ++i)
    if (!strcasecmp(calendar, calendars[i].name)) return calendars[i].kind;
  return NCALENDARS;
}

static int64_t divide(int64_t a, int64_t b) { return a / b - (a % b < 0); } /* rounds down */

/* Days from 1 March of year 0 to the first of this month, in a year that begins with March. */
static int64_t before_month(int m) { return (153 * ((m + 9) % 12) + 2) / 5; }

/* Day 0 is 1 March of year 0 of the calendar; years begin with March so that the leap day, if any,
 * is the last of its year. */
static int64_t days_of(kind k, int64_t year, int month, int day) {
  static const int starts[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
  const int64_t y = year - (month <= 2);
  switch (k) {
    case GREGORIAN:
      return 365 * y + divide(y, 4) - divide(y, 100) + divide(y, 400) + before_month(month) + day -
             1;
    case JULIAN: /* counted so that the two calendars give one instant one number */
      return 365 * y + divide(y, 4) + before_month(month) + day - 3;
    case NOLEAP:
      return 365 * year + starts[month - 1] + day - 1;
    case ALL_LEAP:
      return 366 * year + starts[month - 1] + (month > 2) + day - 1;
    case DAYS_360:
      return 360 * year + 30 * (month - 1) + day - 1;
    default: { /* Julian until 4 October 1582, Gregorian from the next day, the 15th */
      const bool old = year < 1582 || (year == 1582 && (month < 10 || (month == 10 && day < 15)));
      return days_of(old ? JULIAN : GREGORIAN, year, month, day);
    }
  }
}

bool pel__date_days(const char *calendar, const pel__moment *d, int64_t *days) {
  const kind k = kind_of(calendar);
  if (k == NCALENDARS || d->month < 1 || d->month > 12) return false;
  *days = days_of(k, d->year, d->month, d->day);
  return true;
}

bool pel__date_of_days(const char *calendar, int64_t days, pel__moment *d) {
  const kind k = kind_of(calendar);
  if (k == NCALENDARS) return false;
  int64_t year = divide(days, 366) - 1; /* not after the right one in any calendar ... */
  if (days < 0) year = divide(days, 360) - 1;
  while (days_of(k, year + 1, 1, 1) <= days) /* ... and near it after big strides */
    year += 1 + (days - days_of(k, year + 1, 1, 1)) / 367;
  int month = 1;
  while (month < 12 && days_of(k, year, month + 1, 1) <= days) ++month;
  d->year = year;
  d->month = month;
  d->day = (int)(days - days_of(k, year, month, 1)) + 1;
  if (k == MIXED && year == 1582 && month == 10 && d->day > 4) d->day += 10;
  return true;
}

int pel__date_parse(const char *text, pel__moment *d) {
  char *end;
  *d = (pel__moment){.month = 1, .day = 1};
  const char *p = text + (*text == '-');
  if (*p < '0' || *p > '9') return 0;
  d->year = strtoll(text, &end, 10);
  int *const part[] = {&d->month, &d->day, &d->hour, &d->minute, &d->second};
  static const char *const before[] = {"-", "-", "T ", ":", ":"};
  int n = 1;
  for (p = end; n < 6 && *p && strchr(before[n - 1], *p); ++n, p = end) {
    if (p[1] < '0' || p[1] > '9') break;
    *part[n - 1] = (int)strtol(p + 1, &end, 10);
  }
  if (n == 6 && *p == '.') p += 1 + strspn(p + 1, "0123456789");
  p += strspn(p, " ");
  if (*p == 'Z') ++p;
  if (!strncasecmp(p, "UTC", 3)) p += 3;
  if (!strncmp(p, "+00:00", 6)) p += 6;
  if (!strncmp(p, "+0:00", 5)) p += 5;
  const bool legal = d->month >= 1 && d->month <= 12 && d->day >= 1 && d->day <= 31 &&
                     d->hour <= 24 && d->minute <= 60 && d->second <= 60;
  return legal && !*p ? n : 0;
}

/* d + months, and a fraction of the month it lies in. */
static bool add_months(const char *calendar, double months, pel__moment *d, int64_t *days,
                       double *rest) {
  const int64_t whole = (int64_t)floor(months), m = d->month - 1 + whole;
  pel__moment next;
  int64_t after;
  d->year += divide(m, 12);
  d->month = (int)(m - 12 * divide(m, 12)) + 1;
  next = *d;
  next.year += next.month == 12;
  next.month = next.month % 12 + 1;
  if (!pel__date_days(calendar, d, days) || !pel__date_days(calendar, &next, &after)) return false;
  *rest = (months - (double)whole) * (double)(after - *days) * 86400;
  return true;
}

bool pel__date_decode(const char *units, const char *calendar, double value, pel__moment *d) {
  char unit[64];
  const char *since = units ? strcasestr(units, " since ") : NULL;
  if (!since || since - units >= (ptrdiff_t)sizeof unit || !(fabs(value) < 1e15)) return false;
  snprintf(unit, sizeof unit, "%.*s", (int)(since - units), units);
  pel__moment start;
  since += 7 + strspn(since + 7, " ");
  if (pel__date_parse(since, &start) < 1) return false;
  int64_t days;
  double seconds = 0, scale, offset;
  bool known;
  if (!strncasecmp(unit, "month", 5) || !strncasecmp(unit, "year", 4)) {
    const double months = value * (tolower(unit[0]) == 'y' ? 12 : 1);
    if (!add_months(calendar, months, &start, &days, &seconds)) return false;
  } else {
    if (!pel__date_days(calendar, &start, &days) ||
        !pel__units_convert(unit, "s", &scale, &offset, &known))
      return false;
    const double whole = floor(value * scale / 86400); /* whole days apart: keeps the seconds */
    days += (int64_t)whole;
    seconds = value * scale - whole * 86400;
  }
  int64_t t = (int64_t)floor(seconds + 0.5) + start.hour * 3600 + start.minute * 60 + start.second;
  days += divide(t, 86400);
  t -= divide(t, 86400) * 86400;
  if (!pel__date_of_days(calendar, days, d)) return false;
  d->hour = (int)(t / 3600);
  d->minute = (int)(t / 60 % 60);
  d->second = (int)(t % 60);
  return true;
}
