/* Shallow water on the rotating sphere: parameters, fields and the program of one time step.
 * The equations are in momentum.c, viscosity.c and tracer.c, the grid in state.h and metrics.c, the
 * polar filter in filter.c, the initial states in williamson.c, galewsky.c and observed.c. */
#include "state.h"

#define T struct swe
#define OF(m) PEL_OF(T, m)
#define AT(m, r) PEL_AT(T, m, r)

static const pel_param params[] = {
    PEL_PARAM(T, nlon, "144", 8, 1e6, "1", "number of longitudes, even", .section = "grid"),
    PEL_PARAM(T, nlat, "72", 4, 1e6, "1", "number of latitudes", .section = "grid"),
    PEL_PARAM(T, radius, "6.37122e6", 1, 1e12, "m", "radius of the sphere"),
    PEL_PARAM(T, rotation, "7.292e-5", -1, 1, "s-1", "angular velocity of the sphere"),
    PEL_PARAM(T, gravity, "9.80616", 1e-6, 1e6, "m s-2", "acceleration of gravity"),
    PEL_OPTION(T, initial, "williamson2", SWE_INITIAL, "initial state"),
    PEL_OPTION(T, momentum, "energy", SWE_MOMENTUM,
               "what the momentum equation conserves: energy or enstrophy (Sadourny 1975), or both "
               "(Arakawa and Lamb 1981)"),
    PEL_PARAM(T, alpha, "0", -360, 360, "degrees",
              "angle between the axes of the flow and of the grid, Williamson cases 1 and 2"),
    PEL_OPTION(T, perturbation, "yes", NULL,
               "bump that sets off the instability of Galewsky's jet"),
    PEL_PARAM(T, mean_height, "auto", 1e-3, 1e6, "m",
              "mean height of the free surface; auto: that of the initial state", .word = "auto"),
    PEL_PARAM(T, filter_latitude, "60", 1, 89.9, "degrees",
              "waves poleward of this latitude are slowed to its frequencies", .word = "none"),
    PEL_PARAM(T, filter_power, "1", 0.5, 8, "1", "steepness of the polar filter"),
    PEL_PARAM(T, viscosity, "0", 0, 1e12, "m2 s-1", "second-order viscosity of the wind"),
    PEL_PARAM(T, hyperviscosity, "0", 0, 1e30, "m4 s-1", "fourth-order viscosity of the wind"),
    PEL_PARAM(T, diffusivity, "0", 0, 1e12, "m2 s-1", "diffusion of the free surface"),
    PEL_OPTION(T, height_file, "none", NULL, "netCDF file with the observed height",
               .word = "none"),
    PEL_OPTION(T, height_variable, "auto", NULL, "its variable; auto: the only one on a map",
               .word = "auto"),
    PEL_OPTION(T, geopotential, "no", NULL,
               "the height variable is a geopotential [m2 s-2], as in many analyses"),
    PEL_OPTION(T, wind_file, "none", NULL, "netCDF file with observed winds; none: from the height",
               .word = "none"),
    PEL_OPTION(T, u_variable, "u", NULL, "its eastward wind"),
    PEL_OPTION(T, v_variable, "v", NULL, "its northward wind"),
    PEL_OPTION(T, map_time, "first", NULL,
               "time of height and winds: first, last, an index from 0, or a date"),
    PEL_OPTION(T, map_level, "none", NULL,
               "level of height and winds, a value in the unit of the file", .word = "none"),
    PEL_PARAM(T, balance_latitude, "10", 1, 80, "degrees",
              "geostrophic balance fades out equatorward of this latitude"),
    PEL_OPTION(T, topography_file, "none", NULL, "netCDF file with the altitude of the surface",
               .word = "none"),
    PEL_OPTION(T, topography_variable, "auto", NULL, "its variable; auto: the only one on a map",
               .word = "auto"),
    PEL_PARAM(T, topography_scale, "1", 0, 10, "1", "factor on the topography"),
    PEL_PARAM(T, topography_floor, "0", -1e5, 1e5, "m", "altitudes below are raised to it"),
    PEL_PARAM(T, topography_smoothing, "0", 0, 10000, "1", "passes of a (1 2 1)/4 filter"),
};

static bool passive(const void *state) { return swe_passive(state); }
static bool dynamic(const void *state) { return !swe_passive(state); }
static bool form(const void *state, int momentum) {
  return dynamic(state) && ((const T *)state)->momentum == momentum;
}
static bool energy(const void *state) { return form(state, SWE_ENERGY); }
static bool enstrophy(const void *state) { return form(state, SWE_ENSTROPHY); }
static bool arakawa_lamb(const void *state) { return form(state, SWE_ARAKAWA_LAMB); }
static bool viscous(const void *state) {
  return dynamic(state) && ((const T *)state)->viscosity > 0;
}
static bool hyperviscous(const void *state) {
  return dynamic(state) && ((const T *)state)->hyperviscosity > 0;
}
static bool any_viscous(const void *state) { return viscous(state) || hyperviscous(state); }
static bool diffusive(const void *state) {
  return dynamic(state) && ((const T *)state)->diffusivity > 0;
}
static bool pole_depth(const void *state) { return dynamic(state) && !energy(state); }
static bool pole_wind(const void *state) { return pole_depth(state) || any_viscous(state); }
static bool filtered(const T *s) { return s->filter_latitude > 0; }
static bool filter_dynamic(const void *state) { return dynamic(state) && filtered(state); }
static bool filter_tracer(const void *state) { return passive(state) && filtered(state); }
static bool filter_laplacian(const void *state) { return hyperviscous(state) && filtered(state); }
static bool observed(const void *state) { return ((const T *)state)->initial == SWE_OBSERVED; }
static bool analytic(const void *state) { return !observed(state); }
static bool given_winds(const void *state) {
  return observed(state) && ((const T *)state)->wind_file[0];
}
static bool balanced_winds(const void *state) { return observed(state) && !given_winds(state); }
static bool inviscid(const T *s) { return !any_viscous(s) && !diffusive(s); }
/* Where the exact wind is zero a normalised error would mean nothing. */
static bool exact_u(const void *state) {
  return ((const T *)state)->initial == SWE_W2 && inviscid(state);
}
static bool exact_v(const void *state) { return exact_u(state) && ((const T *)state)->alpha != 0; }
static bool exact_h(const void *state) {
  return exact_u(state) || ((const T *)state)->initial == SWE_LAKE;
}

static const pel_field fields[] = {
    PEL_FIELD(T, u, .rate = PEL_RATE(T, du), .place = PEL_FACE_X, .prognostic = true,
              .vector = true, .unit = "m s-1", .standard_name = "eastward_wind",
              .doc = "eastward wind"),
    PEL_FIELD(T, v, .rate = PEL_RATE(T, dv), .place = PEL_FACE_Y, .prognostic = true,
              .vector = true, .unit = "m s-1", .standard_name = "northward_wind",
              .doc = "northward wind"),
    PEL_FIELD(T, h, .rate = PEL_RATE(T, dh), .prognostic = true, .unit = "m",
              .doc = "depth of the fluid"),
    PEL_FIELD(T, hs, .prognostic = true, .fixed = true, .unit = "m",
              .standard_name = "surface_altitude", .doc = "height of the topography"),
    PEL_FIELD(T, tracer, .rate = PEL_RATE(T, dtracer), .prognostic = true, .unit = "m",
              .doc = "passive tracer", .when = passive),
    PEL_FIELD(T, q, .place = PEL_CORNER_XY, .unit = "m-1 s-1", .doc = "potential vorticity",
              .when = dynamic),
    PEL_FIELD(T, bernoulli, .unit = "m2 s-2", .doc = "geopotential and kinetic energy",
              .when = dynamic),
    PEL_FIELD(T, flux_u, .place = PEL_FACE_X, .vector = true, .unit = "m3 s-1",
              .doc = "eastward flux through a face", .when = dynamic),
    PEL_FIELD(T, flux_v, .place = PEL_FACE_Y, .vector = true, .unit = "m3 s-1",
              .doc = "northward flux through a face", .when = dynamic),
    PEL_FIELD(T, delta, .unit = "s-1", .doc = "divergence", .when = any_viscous),
    PEL_FIELD(T, zeta, .place = PEL_CORNER_XY, .unit = "s-1", .doc = "relative vorticity",
              .when = any_viscous),
    PEL_FIELD(T, lu, .place = PEL_FACE_X, .vector = true, .unit = "m-1 s-1",
              .doc = "Laplacian of the wind, eastward", .when = any_viscous),
    PEL_FIELD(T, lv, .place = PEL_FACE_Y, .vector = true, .unit = "m-1 s-1",
              .doc = "Laplacian of the wind, northward", .when = any_viscous),
    PEL_FIELD(T, delta_l, .unit = "m-2 s-1", .doc = "divergence of the Laplacian",
              .when = hyperviscous),
    PEL_FIELD(T, zeta_l, .place = PEL_CORNER_XY, .unit = "m-2 s-1",
              .doc = "vorticity of the Laplacian", .when = hyperviscous),
};

static const pel_stage init[] = {
    {"initial state", .kernel = pel__swe_initial, PEL_WRITES(OF(u), OF(v), OF(h), OF(hs)),
     .when = analytic},
    {"cosine bell", .kernel = pel__swe_initial_tracer, PEL_WRITES(OF(tracer)), .when = passive},
    {"observed height", .kernel = pel__swe_observed_height, PEL_WRITES(OF(h), OF(hs)),
     .when = observed},
    {"observed winds", .kernel = pel__swe_observed_winds, PEL_WRITES(OF(u), OF(v)),
     .when = given_winds},
    {"winds in balance", .kernel = pel__swe_balanced_winds, PEL_READS(AT(h, 1), AT(hs, 1)),
     PEL_WRITES(OF(u), OF(v)), .when = balanced_winds},
};

#define POLE_SUM(NAME, FIELD, KERNEL, RESULT, ROW, WHEN)                               \
  {                                                                                    \
    NAME, PEL_REDUCE, .kernel = KERNEL, PEL_READS(AT(FIELD, 0)), .result = OF(RESULT), \
                      .where = ROW, .when = WHEN                                       \
  }
#define RATES(NAME, KERNEL, WHEN)                                                                \
  {                                                                                              \
    NAME, .kernel = KERNEL, PEL_READS(AT(q, 1), AT(bernoulli, 1), AT(flux_u, 1), AT(flux_v, 1)), \
          PEL_WRITES(OF(du), OF(dv), OF(dh)), .when = WHEN                                       \
  }

static const pel_stage program[] = {
    POLE_SUM("circulation of the south pole", u, pel__swe_copy_u, south_u, PEL_FIRST_ROW,
             pole_wind),
    POLE_SUM("circulation of the north pole", u, pel__swe_copy_u, north_u, PEL_LAST_ROW, pole_wind),
    POLE_SUM("depth at the south pole", h, pel__swe_copy_h, south_h, PEL_FIRST_ROW, pole_depth),
    POLE_SUM("depth at the north pole", h, pel__swe_copy_h, north_h, PEL_LAST_ROW, pole_depth),
    {"vorticity and fluxes", .kernel = pel__swe_fluxes,
     PEL_READS(AT(u, 1), AT(v, 1), AT(h, 1), AT(hs, 0)),
     PEL_WRITES(OF(q), OF(bernoulli), OF(flux_u), OF(flux_v)), .when = dynamic},
    RATES("rates, energy", pel__swe_energy, energy),
    RATES("rates, enstrophy", pel__swe_enstrophy, enstrophy),
    RATES("rates, Arakawa-Lamb", pel__swe_arakawa_lamb, arakawa_lamb),
    {"diffusion", .kernel = pel__swe_diffusion, PEL_READS(AT(h, 1), AT(hs, 1), AT(dh, 0)),
     PEL_WRITES(OF(dh)), .when = diffusive},
    {"divergence and vorticity", .kernel = pel__swe_strain, PEL_READS(AT(u, 1), AT(v, 1)),
     PEL_WRITES(OF(delta), OF(zeta)), .when = any_viscous},
    {"Laplacian", .kernel = pel__swe_laplacian, PEL_READS(AT(delta, 1), AT(zeta, 1)),
     PEL_WRITES(OF(lu), OF(lv)), .when = any_viscous},
    {"viscosity", .kernel = pel__swe_viscosity,
     PEL_READS(AT(lu, 0), AT(lv, 0), AT(du, 0), AT(dv, 0)), PEL_WRITES(OF(du), OF(dv)),
     .when = viscous},
    {"filter of the Laplacian", PEL_SPECTRAL, .spectral = pel__swe_filter,
     .line = pel__swe_filtered, PEL_WRITES(OF(lu), OF(lv)), .when = filter_laplacian},
    POLE_SUM("Laplacian around the south pole", lu, pel__swe_copy_lu, south_lu, PEL_FIRST_ROW,
             hyperviscous),
    POLE_SUM("Laplacian around the north pole", lu, pel__swe_copy_lu, north_lu, PEL_LAST_ROW,
             hyperviscous),
    {"divergence and vorticity of the Laplacian", .kernel = pel__swe_strain_l,
     PEL_READS(AT(lu, 1), AT(lv, 1)), PEL_WRITES(OF(delta_l), OF(zeta_l)), .when = hyperviscous},
    {"hyperviscosity", .kernel = pel__swe_hyperviscosity,
     PEL_READS(AT(delta_l, 1), AT(zeta_l, 1), AT(du, 0), AT(dv, 0)), PEL_WRITES(OF(du), OF(dv)),
     .when = hyperviscous},
    {"polar filter", PEL_SPECTRAL, .spectral = pel__swe_filter, .line = pel__swe_filtered,
     PEL_WRITES(OF(du), OF(dv), OF(dh)), .when = filter_dynamic},
    {"steady flow", .kernel = pel__swe_frozen, PEL_WRITES(OF(du), OF(dv), OF(dh)), .when = passive},
    {"transport", .kernel = pel__swe_transport, PEL_READS(AT(u, 1), AT(v, 1), AT(tracer, 3)),
     PEL_WRITES(OF(dtracer)), .when = passive},
    {"polar filter of the tracer", PEL_SPECTRAL, .spectral = pel__swe_filter,
     .line = pel__swe_filtered, PEL_WRITES(OF(dtracer)), .when = filter_tracer},
};

static const pel_exact exact[] = {
    {OF(u), pel__swe_exact_u, pel__swe_area, exact_u},
    {OF(v), pel__swe_exact_v, pel__swe_area_v, exact_v},
    {OF(h), pel__swe_exact_h, pel__swe_area, exact_h},
    {OF(tracer), pel__swe_exact_tracer, pel__swe_area, passive},
};

/* ---- hooks ---- */

/* A key that has no effect is a mistake: say where it would have one. */
static void refuse_unused(pel_sim *sim, const char *key, bool used, const char *where) {
  if (!used && pel_given(sim, NULL, key))
    pel_reject(sim, NULL, key, "has no effect here; it is for %s", where);
}

static void setup(pel_sim *sim, void *state) {
  T *s = state;
  if (s->nlon % 2)
    pel_reject(sim, "grid", "nlon",
               "%lld is odd; across a pole the neighbour is half a circle away, so it must be even",
               (long long)s->nlon);
  const int c = s->initial;
  refuse_unused(sim, "alpha", c == SWE_W1 || c == SWE_W2, "initial = williamson1 or williamson2");
  refuse_unused(sim, "perturbation", c == SWE_GALEWSKY, "initial = galewsky");
  refuse_unused(sim, "mean_height", c == SWE_GALEWSKY || c == SWE_LAKE || c == SWE_OBSERVED,
                "initial = galewsky, lake_at_rest or observed");
  static const char *const moving[] = {"momentum", "viscosity", "hyperviscosity", "diffusivity"};
  for (int i = 0; i < PEL_N(moving); ++i)
    refuse_unused(sim, moving[i], c != SWE_W1, "flows that change; that of williamson1 is given");
  pel__swe_observed_setup(sim, s);
  if (s->mean_height == 0 && c == SWE_LAKE) s->mean_height = 5960;
  if (s->mean_height == 0 && c == SWE_GALEWSKY) s->mean_height = 10000;
  pel__swe_metrics_setup(s);
  pel__swe_filter_setup(sim, s);
  pel__swe_galewsky_setup(sim, s);
}

static void load(pel_sim *sim, void *state) { pel__swe_observed_load(sim, state); }

static void grid(pel_grid *g, const void *state) {
  const T *s = state;
  *g = (pel_grid){.dims = 2,
                  .axis = {{.n = s->nlon,
                            .end = PEL_PERIODIC,
                            .name = "lon",
                            .unit = "degrees_east",
                            .standard_name = "longitude",
                            .spacing = 360 / (double)s->nlon},
                           {.n = s->nlat,
                            .end = PEL_POLE,
                            .name = "lat",
                            .unit = "degrees_north",
                            .standard_name = "latitude",
                            .origin = -90,
                            .spacing = 180 / (double)s->nlat},
                           {.n = 1}}};
}

const pel_model pel_model_shallow_water = {
    PEL_MODEL("shallow_water", T, "Shallow water on the rotating sphere",
              "Sadourny (1975); Arakawa and Lamb (1981); Williamson et al. (1992)"),
    PEL_TABLE(params),
    PEL_TABLE(fields),
    .profiles = pel__swe_profiles,
    .nprofiles = SWE_NPROFILES,
    PEL_TABLE(init),
    PEL_TABLE(program),
    .diagnostics = pel__swe_diagnostics,
    .ndiagnostics = SWE_NDIAGNOSTICS,
    .limits = pel__swe_limits,
    .nlimits = SWE_NLIMITS,
    .outputs = pel__swe_outputs,
    .noutputs = SWE_NOUTPUTS,
    PEL_TABLE(exact),
    .scheme = "rk4",
    .setup = setup,
    .grid = grid,
    .load = load,
};
