/* For io: dates in the calendars of the CF conventions (CF-1.10, section 4.4.1). */
#ifndef PEL_CALENDAR_H
#define PEL_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
  int64_t year;
  int month, day, hour, minute, second;
} pel__moment;

/* How many of the parts year, month, day, hour, minute, second a text gives; 0: it is no date.
 * "2001-02", "2001-02-03", "2001-02-03T04:05:06Z", "1-1-1 00:00:0.0". */
int pel__date_parse(const char *text, pel__moment *d);

/* Days since some day, by calendar; false: no such calendar. */
bool pel__date_days(const char *calendar, const pel__moment *d, int64_t *days);
bool pel__date_of_days(const char *calendar, int64_t days, pel__moment *d);

/* The date of `value` in CF units ("hours since 1900-01-01"), to the nearest second; months and
 * years are those of the calendar.  false: units or calendar are not understood. */
bool pel__date_decode(const char *units, const char *calendar, double value, pel__moment *d);

#endif
