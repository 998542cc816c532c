/* What the files of the shallow-water model share: its state, its formulae, its tables.
 *
 * The grid is latitude-longitude, C-staggered, with the poles on v-faces.  Row j of a field is
 *   centre  h, hs, bernoulli at latitude -90 + (j+1/2) dlat, longitude (i+1/2) dlon
 *   west    u, U             at the same latitude, longitude i dlon
 *   south   v, V             at latitude -90 + j dlat, longitude (i+1/2) dlon
 *   corner  q, zeta          at latitude -90 + j dlat, longitude i dlon
 * so rows 0 and nlat of v and q lie on the poles.  There v is zero, and q and zeta are single
 * values that follow from the circulation around the pole. */
#ifndef PEL_SHALLOW_WATER_H
#define PEL_SHALLOW_WATER_H

#include <math.h>
#include "pelsim/model.h"

enum { SWE_W1, SWE_W2, SWE_W5, SWE_W6, SWE_GALEWSKY, SWE_LAKE, SWE_OBSERVED };
#define SWE_INITIAL "williamson1|williamson2|williamson5|williamson6|galewsky|lake_at_rest|observed"

enum { SWE_ENERGY, SWE_ENSTROPHY, SWE_ARAKAWA_LAMB };
#define SWE_MOMENTUM "energy|enstrophy|arakawa_lamb"

struct swe {
  /* parameters */
  int64_t nlon, nlat;
  double radius, rotation, gravity;
  int initial, momentum;
  double alpha; /* [degrees] */
  bool perturbation;
  double filter_latitude, filter_power; /* [degrees] (0: no filter), 1 */
  double viscosity, hyperviscosity, diffusivity;
  double mean_height; /* [m]; 0: as the initial state says */
  char height_file[PEL_TEXT_MAX], height_variable[PEL_TEXT_MAX];
  bool geopotential;
  char wind_file[PEL_TEXT_MAX], u_variable[PEL_TEXT_MAX], v_variable[PEL_TEXT_MAX];
  char map_time[PEL_TEXT_MAX], map_level[PEL_TEXT_MAX];
  double balance_latitude; /* [degrees] */
  char topography_file[PEL_TEXT_MAX], topography_variable[PEL_TEXT_MAX];
  double topography_scale, topography_floor;
  int64_t topography_smoothing;

  /* constants, from setup and load */
  double dlon, dlat, dy;       /* [rad], [rad], [m] */
  double pole_zeta, inv_nlon;  /* zeta at a pole = +-pole_zeta * sum of u around it */
  double *filter_c, *filter_v; /* [nlat] (cos lat / cos filter_latitude)^power of a row */
  double *jet_h;               /* [nlat] depth in balance with Galewsky's jet [m] */
  const pel_map *height_map, *u_map, *v_map, *topography_map;
  double height_offset;    /* [m] added to the height read */
  const double *balance_h; /* [nlat*nlon] height in balance with the winds read, or NULL */

  /* row sums around the poles, from PEL_REDUCE stages */
  double south_u, north_u, south_h, north_h; /* of u and h */
  double south_lu, north_lu;                 /* of the Laplacian of u */

  /* fields */
  double *u, *v, *h, *hs, *tracer;
  double *du, *dv, *dh, *dtracer;
  double *q, *bernoulli, *flux_u, *flux_v;
  double *delta, *zeta, *lu, *lv; /* divergence, vorticity and Laplacian of (u,v) */
  double *delta_l, *zeta_l;       /* divergence and vorticity of (lu,lv) */

  /* tables along latitude, longitude, wave number: metrics.c */
  double *area, *inv_area, *area_q, *dx_v, *inv_dx_u, *inv_dx_v, *inv_dy_v;
  double *zeta_v, *zeta_n, *zeta_s; /* zeta = zeta_v dv - (zeta_n u - zeta_s u_south) */
  double *depth_n, *depth_s;        /* depth at a corner from the rows north and south of it */
  double *kinetic_u, *kinetic_n, *kinetic_s;
  double *f_lat, *f_lon, *cos_lon; /* f = f_lat + f_lon cos(longitude): the rotated pole */
  double *filter_wave;             /* sin(pi k/nlon)^-power */
  double *inv_dx_wave, *laplace;   /* of the stiffest wave that the filter lets pass */
};

/* ---- formulae used in more than one place ---- */

/* Relative vorticity at corner p of row j, and the depth there; not at a pole. */
static inline double swe_zeta(const struct swe *s, const double *u, const double *v, ptrdiff_t p,
                              ptrdiff_t sy, ptrdiff_t j) {
  return s->zeta_v[j] * (v[p] - v[p - 1]) - (s->zeta_n[j] * u[p] - s->zeta_s[j] * u[p - sy]);
}
static inline double swe_depth(const struct swe *s, const double *h, ptrdiff_t p, ptrdiff_t sy,
                               ptrdiff_t j) {
  return s->depth_n[j] * (h[p] + h[p - 1]) + s->depth_s[j] * (h[p - sy] + h[p - sy - 1]);
}

static inline double swe_radians(double degrees) { return degrees * (PEL_PI / 180); }

/* Latitude [rad] of row r/2: odd r are centres, even r faces.  Antisymmetric to the bit. */
static inline double swe_latitude(const struct swe *s, int64_t r) {
  return (double)(r - s->nlat) * (PEL_PI / (double)(2 * s->nlat));
}
/* Longitude [rad] of half column c, odd c are centres, times m, reduced to one turn first: what
 * repeats m times around the globe then repeats to the bit. */
static inline double swe_longitude(const struct swe *s, int64_t c, int64_t m) {
  const int64_t turn = 2 * s->nlon;
  return (double)(((m * c) % turn + turn) % turn) * (PEL_PI / (double)s->nlon);
}

/* The place of a cell in the initial states: global column and row. */
static inline int64_t swe_column(const pel_tile *t, ptrdiff_t p, ptrdiff_t p0) {
  return t->first[0] + t->lo[0] + (p - p0);
}
static inline int64_t swe_row(const pel_tile *t, ptrdiff_t j) { return t->first[1] + j; }

/* Cosine of the latitude at which the polar filter begins; 0: no filter. */
static inline double swe_filter_cosine(const struct swe *s) {
  return s->filter_latitude > 0 ? cos(swe_radians(s->filter_latitude)) : 0;
}

static inline bool swe_passive(const struct swe *s) { return s->initial == SWE_W1; }

/* ---- kernels and tables, by file ---- */

enum { SWE_NPROFILES = 21, SWE_NDIAGNOSTICS = 7, SWE_NLIMITS = 3, SWE_NOUTPUTS = 5 };
/* metrics.c */
extern const pel_profile pel__swe_profiles[SWE_NPROFILES];
void pel__swe_metrics_setup(struct swe *s);
/* measures.c; areas of the cells of h and u, and of v */
extern const pel_diagnostic pel__swe_diagnostics[SWE_NDIAGNOSTICS];
extern const pel_limit pel__swe_limits[SWE_NLIMITS];
pel_kernel pel__swe_area, pel__swe_area_v;
/* outputs.c */
extern const pel_output pel__swe_outputs[SWE_NOUTPUTS];

/* momentum.c */
pel_kernel pel__swe_copy_u, pel__swe_copy_h;
pel_kernel pel__swe_fluxes, pel__swe_energy, pel__swe_enstrophy, pel__swe_arakawa_lamb;
/* viscosity.c */
pel_kernel pel__swe_copy_lu, pel__swe_strain, pel__swe_laplacian, pel__swe_viscosity;
pel_kernel pel__swe_strain_l, pel__swe_hyperviscosity, pel__swe_diffusion;
/* tracer.c */
pel_kernel pel__swe_frozen, pel__swe_transport;
/* filter.c */
void pel__swe_filter(const pel_line *l, const void *state);
bool pel__swe_filtered(const void *state, pel_place place, int64_t j, int64_t k);
void pel__swe_filter_setup(pel_sim *sim, struct swe *s);

/* williamson.c: every analytic initial state, and what is exact of it, into t->out */
pel_kernel pel__swe_initial, pel__swe_initial_tracer;
pel_kernel pel__swe_exact_u, pel__swe_exact_v, pel__swe_exact_h, pel__swe_exact_tracer;
/* galewsky.c: the jet; its depth at a centre needs the table that setup makes */
void pel__swe_galewsky_setup(pel_sim *sim, struct swe *s);
double pel__swe_galewsky_u(double lat);
double pel__swe_galewsky_h(const struct swe *s, int64_t row, double lon, double lat);
/* observed.c: initial state from maps; altitude of the topography [m] at a point [rad] */
void pel__swe_observed_setup(pel_sim *sim, struct swe *s);
void pel__swe_observed_load(pel_sim *sim, struct swe *s);
pel_kernel pel__swe_observed_height, pel__swe_observed_winds, pel__swe_balanced_winds;
double pel__swe_topography(const struct swe *s, double lon, double lat);
/* balance.c: height [nlat*nlon] in balance with u_map and v_map, owned by the simulation */
double *pel__swe_balance(pel_sim *sim, const struct swe *s);

/* Speed of the wind at a cell centre.  The two v are weighted by the lengths of their faces: the
 * face at a pole has none, and its v = 0 is no wind. */
static inline double swe_speed(const struct swe *s, ptrdiff_t j, ptrdiff_t p, ptrdiff_t sy) {
  const double *u = s->u, *v = s->v, *dx = s->dx_v;
  const double x = .5 * (u[p] + u[p + 1]);
  const double y = (dx[j] * v[p] + dx[j + 1] * v[p + sy]) / (dx[j] + dx[j + 1]);
  return sqrt(x * x + y * y);
}

#endif
