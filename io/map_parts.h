/* For the files that read maps. */
#ifndef PEL_MAP_PARTS_H
#define PEL_MAP_PARTS_H

#include <netcdf.h>
#include "pelsim/sink.h"

typedef struct {
  int nc;
  const char *file;
} pel__source;

/* ---- files and variables (map_file.c) ---- */

/* Opens a netCDF file for reading, or says in one sentence what it is instead. */
int pel__source_open(const char *file, pel__source *s, pel_error *e);

/* Bytes that a classic netCDF file must have by its own header, -1 if the header is broken.  (The
 * library reads zeros beyond the end of a classic file.) */
int64_t pel__classic_size(int fd);

/* Text attribute, malloced, without blanks at its end; NULL if there is none. */
char *pel__source_text(const pel__source *s, int var, const char *name);
/* All values of a numeric attribute, malloced; NULL if there is none. */
double *pel__source_numbers(const pel__source *s, int var, const char *name, size_t *n);

/* ---- what stored numbers mean (map_packing.c) ---- */

typedef struct {
  double low, period;   /* the type as stored has the wrong sign: x lies in [low, low + period) */
  double scale, offset; /* value = scale*x + offset */
} pel__packing;

/* From the attributes _Unsigned, scale_factor and add_offset of a variable. */
int pel__packing_find(const pel__source *s, int var, pel__packing *p, pel_error *e);
/* A stored number, with the sign that it is meant to have; still packed. */
double pel__packing_sign(const pel__packing *p, double x);
/* Sets an error: what the attribute is, and what was expected. */
int pel__attribute_wrong(const pel__source *s, int var, const char *attribute, const char *expected,
                         pel_error *e);

/* ---- missing values (map_gaps.c) ---- */

typedef struct {
  double value[64], low, high, tolerance; /* of packed values, with the sign they are meant to have;
                                             floats may differ from a value by that share of it */
  int n;
} pel__gaps;

int pel__gaps_find(const pel__source *s, int var, const pel__packing *p, pel__gaps *g,
                   pel_error *e);
bool pel__is_gap(const pel__gaps *g, double x);

/* ---- coordinates (map_axes.c) ---- */

typedef enum { PEL__LAT, PEL__LON, PEL__WHEN, PEL__LEVEL, PEL__NROLES } pel__role;

/* One dimension of a variable. */
typedef struct {
  pel__role role;
  size_t n;
  int var; /* of its coordinates, -1: none */
  char name[NC_MAX_NAME + 1];
} pel__map_axis;

typedef struct {
  int id, ndims;
  char name[NC_MAX_NAME + 1];
  pel__map_axis axis[NC_MAX_VAR_DIMS > 16 ? 16 : NC_MAX_VAR_DIMS];
  int of[PEL__NROLES]; /* number of the axis with this role, -1: none */
} pel__map_variable;

/* The variable asked for (name, or standard_name; NULL or "": the only map), with its axes. */
int pel__map_find(const pel__source *s, const char *name, pel__map_variable *v, pel_error *e);

/* Coordinates of an axis, in degrees for latitudes and longitudes; malloced. */
double *pel__map_coordinates(const pel__source *s, const pel__map_axis *a, pel_error *e);

/* ---- choosing a time and a level (map_select.c) ---- */

int pel__map_time(const pel__source *s, const pel__map_variable *v, const char *time,
                  size_t *record, pel_error *e);
int pel__map_level(const pel__source *s, const pel__map_variable *v, const char *level,
                   size_t *index, pel_error *e);

/* ---- units (map_units.c) ---- */

/* to = scale*from + offset; false: `from` cannot be read (*known false) or is of another kind. */
bool pel__units_convert(const char *from, const char *to, double *scale, double *offset,
                        bool *known);

#endif
