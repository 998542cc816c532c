/* Physical units (UDUNITS-2), silent and safe to call from any thread. */
#ifndef PEL_UNITS_H
#define PEL_UNITS_H

typedef enum {
  PEL__UNIT_OK,
  PEL__UNIT_UNKNOWN, /* `from` is not a unit */
  PEL__UNIT_KIND,    /* `from` measures something else than `to` */
  PEL__UNIT_BROKEN   /* UDUNITS-2 has no database, or `to` is not a unit */
} pel__unit_status;

/* *y = x converted.  Stricter than UDUNITS-2, where 10 Hz is also 0.1 s and 45 degrees the number
 * 0.785: neither reciprocals, nor dates, nor angles other than the radian as plain numbers. */
pel__unit_status pel__unit_convert(double x, const char *from, const char *to, double *y);

/* "", "1" and NULL mean a plain number. */
int pel__unit_is_plain(const char *unit);

#endif
