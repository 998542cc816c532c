"""What the conformance suite runs: configurations of the registered models.

A model without an entry here is run with its defaults on a small grid, so that being registered
is enough.  Grids are small, uneven and not powers of two: blocks then differ in size and may be
thinner than the halo."""
import functools
import json
import math
import os

from pelsim_test import Failure

# The case of a model that signals interrupt: stable for as long as a job may run, at best with a dt
# that varies.  Of other models the first good case.
INTERRUPTED = {"heat": "heat_2d_fixed_rk4", "shallow_water": "swe_adaptive_dt"}
# Uneven intervals, so that interruptions fall between and on rows and records.
COMMON = {"time.steps": 11, "diagnostics.every": 3, "output.every": 4}


class Case:
    """keys: overrides; config: a file of the user, or None; particles: how many ranks can share the
    box, with the widest skin; 0: not a model of particles; each: layouts of the sample, if not as
    many as of other cases."""

    def __init__(self, name, keys, config=None, particles=0, each=None):
        self.name, self.config, self.particles, self.each = name, config, particles, each
        self.keys = COMMON | keys
        if "time.end" in keys:
            del self.keys["time.steps"]
        if particles:
            self.keys["output.every"] = "none"


def heat():
    cells = {1: {"nx": 61}, 2: {"nx": 37, "ny": 23}, 3: {"nx": 19, "ny": 14, "nz": 11}}
    for dims, axes in cells.items():
        for boundary in ("periodic", "even", "fixed"):
            for scheme in ("euler", "rk4"):
                keys = {f"grid.{a}": n for a, n in axes.items()}
                yield Case(f"heat_{dims}d_{boundary}_{scheme}", keys | {
                    "run.model": "heat", "grid.boundary": boundary, "time.scheme": scheme})


# name: keys of [shallow_water], others as section.key
SHALLOW_WATER = {
    "tracer_equator": {"initial": "williamson1"},
    "tracer_poles": {"initial": "williamson1", "alpha": 90, "filter_latitude": 45},
    "steady_energy": {"initial": "williamson2", "alpha": 45},
    "steady_enstrophy": {"initial": "williamson2", "alpha": 90, "momentum": "enstrophy"},
    "steady_arakawa_lamb": {"initial": "williamson2", "alpha": 45, "momentum": "arakawa_lamb"},
    "mountain_energy": {"initial": "williamson5"},
    "mountain_enstrophy_rk3": {"initial": "williamson5", "momentum": "enstrophy",
                               "time.scheme": "rk3"},
    "wave_arakawa_lamb": {"initial": "williamson6", "momentum": "arakawa_lamb"},
    "wave_fixed_dt_ssprk3": {"initial": "williamson6", "time.dt": 600, "time.scheme": "ssprk3"},
    "jet": {"initial": "galewsky"},
    "jet_balanced": {"initial": "galewsky", "perturbation": "no", "momentum": "enstrophy"},
    "jet_viscosity": {"initial": "galewsky", "viscosity": 1e5},
    "jet_hyperviscosity": {"initial": "galewsky", "hyperviscosity": 1e16},
    "jet_diffusivity": {"initial": "galewsky", "diffusivity": 1e5},
    "jet_all_diffusion": {"initial": "galewsky", "momentum": "arakawa_lamb", "viscosity": 1e5,
                          "hyperviscosity": 1e16, "diffusivity": 1e5, "filter_power": 2},
    "lake": {"initial": "lake_at_rest", "momentum": "arakawa_lamb"},
    "no_filter": {"initial": "williamson2", "alpha": 45, "filter_latitude": "none"},
    # dt is estimated anew every third step and shortened to land on events.
    "adaptive_dt": {"initial": "williamson5", "time.dt_interval": 3, "time.cfl": 0.8},
    "events": {"initial": "williamson6", "time.end": "10 h", "time.dt_interval": 2,
               "output.interval": "3 h", "output.every": "none", "diagnostics.interval": "50 min",
               "diagnostics.every": "none", "momentum": "arakawa_lamb"},
    "dt_max_single": {"initial": "galewsky", "time.dt_max": 500, "output.precision": "single",
                      "output.fields": "h, vorticity, divergence, potential_vorticity"},
    "observed": {"initial": "observed", "height_file": "<height>"},
}


def height_map(path):
    """A smooth 500 hPa-like height on a 10-degree map, as a CF file."""
    import netCDF4
    import numpy as np
    lat, lon = np.arange(-85, 90, 10.0), np.arange(5, 360, 10.0)
    with netCDF4.Dataset(path, "w") as f:
        for name, unit, x in (("lat", "degrees_north", lat), ("lon", "degrees_east", lon)):
            f.createDimension(name, len(x))
            v = f.createVariable(name, "f8", (name,))
            v.units, v[:] = unit, x
        v = f.createVariable("hgt", "f8", ("lat", "lon"))
        v.units = "m"
        y, x = np.radians(lat)[:, None], np.radians(lon)[None, :]
        v[:] = 5500 + 350 * np.cos(2 * y) + 80 * np.cos(y) ** 3 * np.cos(3 * x + 2 * np.sin(y))
    return path


def shallow_water(pelsim):
    for i, (name, more) in enumerate(SHALLOW_WATER.items()):
        keys = {"run.model": "shallow_water", "grid.nlon": 40 - 4 * (i % 2),
                "grid.nlat": 22 - i % 3}
        for key, value in more.items():
            if value == "<height>":
                value = height_map(pelsim.path("height.nc"))
            keys[key if "." in key else "shallow_water." + key] = value
        yield Case("swe_" + name, keys)


# name: keys of [start], others as section.key.  Boxes are small and uneven; the last is as short as
# the cut-off allows, so that most particles are guests too.
LJ = {
    "cut": {"nx": 5, "ny": 6, "nz": 7},
    "shifted": {"nx": 6, "ny": 4, "nz": 5, "lj.cutoff": 3, "lj.shift": "energy", "temperature": 3,
                "density": 0.6},
    "force_shifted": {"nx": 7, "ny": 6, "nz": 5, "lj.shift": "force", "seed": 7},
    "thin": {"nx": 3, "ny": 8, "nz": 3, "temperature": 2.5},
    "hot_gas": {"nx": 5, "ny": 5, "nz": 4, "density": 0.1, "temperature": 30, "time.dt": 0.001},
    "mixture": {"nx": 5, "ny": 6, "nz": 5, "composition": "4, 1", "mass": "1, 2.5",
                "lj.epsilon": "1, 0.5", "lj.sigma": "1, 0.88", "lj.pairs": "1-2 1.5 0.8 2",
                "lj.tail": "yes", "density": 1.2},
    "walls": {"nx": 5, "ny": 4, "nz": 6, "walls": "xz", "temperature": 2},
    "plane": {"lattice": "hex", "nx": 17, "ny": 12, "density": 0.7, "walls": "y"},
    "langevin": {"nx": 6, "ny": 5, "nz": 5, "ensemble.thermostat": "langevin",
                 "ensemble.thermostat_time": 0.3, "ensemble.remove_momentum": 40},
    "langevin_plane": {"lattice": "hex", "nx": 17, "ny": 12, "density": 0.7, "mass": "1, 3",
                       "composition": "1, 1", "ensemble.thermostat": "langevin"},
    "bussi": {"nx": 5, "ny": 5, "nz": 6, "ensemble.thermostat": "bussi",
              "ensemble.thermostat_time": 0.1, "ensemble.temperature": 2},
    "nose_hoover": {"nx": 5, "ny": 6, "nz": 5, "ensemble.thermostat": "nose_hoover",
                    "ensemble.thermostat_time": 0.2, "ensemble.end_temperature": 0.8,
                    "ensemble.ramp_steps": 100},
    "berendsen": {"nx": 5, "ny": 6, "nz": 5, "density": 0.8, "ensemble.thermostat": "berendsen",
                  "ensemble.barostat": "berendsen", "ensemble.pressure": 2,
                  "ensemble.barostat_time": 1},
    "c_rescale": {"nx": 6, "ny": 5, "nz": 6, "density": 0.75, "lj.tail": "yes",
                  "lj.shift": "energy", "ensemble.thermostat": "bussi",
                  "ensemble.barostat": "c_rescale",
                  "ensemble.pressure": 1, "ensemble.barostat_time": 1,
                  "ensemble.barostat_every": 3},
    # Until blocks of the beginning are thinner than the cut-off: cut anew.
    "shrinks": {"nx": 8, "ny": 7, "nz": 7, "density": 0.3, "temperature": 1.7,
                "ensemble.thermostat": "bussi", "ensemble.barostat": "c_rescale",
                "ensemble.temperature": 0.85, "ensemble.pressure": 5,
                "ensemble.barostat_time": 0.1, "time.dt": 0.004, "lj.cutoff": 3, "lj.tail": "yes",
                "time.steps": 250},
    "metal": {"units": "metal", "nx": 5, "ny": 5, "nz": 5, "spacing": 5.3, "mass": 39.948,
              "temperature": 90, "lj.epsilon": 0.01032, "lj.sigma": 3.405, "lj.cutoff": 8.5,
              "lj.skin": 1, "ensemble.thermostat": "bussi", "time.dt": "4 fs"},
}


# The other potentials, the same way; "<...>": a file.
MORSE = {"shifted": {"nx": 5, "ny": 6, "nz": 5, "morse.shift": "force"},
         "mixture": {"nx": 5, "ny": 4, "nz": 6, "composition": "1, 2", "morse.depth": "1, 1.5",
                     "morse.pairs": "1-2 1.2 5 1.15 2.2"}}
REPELS = {"density": 0.5, "buckingham.strength": 1e5, "buckingham.dispersion": 2}
BUCKINGHAM = {"cut": REPELS | {"nx": 5, "ny": 6, "nz": 5, "buckingham.rho": 0.125},
              "mixture": REPELS | {"nx": 5, "ny": 4, "nz": 6, "composition": "1, 2",
                                   "buckingham.rho": "0.125, 0.12",
                                   "buckingham.shift": "energy"}}
YUKAWA = {"plasma": {"nx": 5, "ny": 6, "nz": 5, "yukawa.strength": "20", "yukawa.shift": "force"},
          "mixture": {"nx": 5, "ny": 4, "nz": 6, "composition": "1, 1", "yukawa.kappa": 1,
                      "yukawa.pairs": "1-2 5 1.5"}}
SOFT = {"overlaps": {"nx": 6, "ny": 7, "nz": 5, "density": 3, "soft.strength": 20}}
TABLE = {"even": {"nx": 5, "ny": 6, "nz": 5, "table.file": "<table>"},
         "mixture": {"nx": 5, "ny": 4, "nz": 6, "composition": "1, 1", "table.file": "<table>",
                     "table.sections": "EVEN SQUARED EVEN", "table.shift": "force"}}
METAL = {"units": "metal", "spacing": 3.615, "temperature": 2000, "time.dt": "2 fs",
         "eam.potential": "<copper>"}
EAM = {"copper": METAL | {"nx": 6, "ny": 5, "nz": 4},
       "alloy": METAL | {"nx": 4, "ny": 7, "nz": 4, "composition": "1, 2", "eam.elements": "Cu Cu"}}


def write_table(path):
    """Lennard-Jones as tables with steps equal in r and in r^2."""
    with open(path, "w", encoding="utf-8") as f:
        for name, spacing in (("EVEN", "R"), ("SQUARED", "RSQ")):
            f.write(f"{name}\nN 600 {spacing} 0.7 2.5\n\n")
            for i in range(600):
                t = i / 599
                r = 0.7 + 1.8 * t if spacing == "R" else (0.49 + t * (6.25 - 0.49)) ** 0.5
                f.write(f"{i + 1} {r:.15g} {4 * (r**-12 - r**-6):.15g} "
                        f"{24 * (2 * r**-13 - r**-7):.15g}\n")
    return path


def most_ranks(model, more):
    """That a box of such keys can be shared by: parts no thinner than cut-off and widest skin."""
    plane = more.get("lattice") == "hex"
    cell = more.get("spacing", (4 / more.get("density", 0.8442)) ** (1 / 3))
    cutoff = {"eam": 6, "soft": 1.1225}.get(model, 2.5)
    reach, axes = more.get(f"{model}.cutoff", cutoff) + 0.8, {"nx": 1, "ny": 1, "nz": 1}
    if plane:
        cell, axes = (2 / 3 ** 0.5 / more["density"]) ** 0.5, {"nx": 1, "ny": 3 ** 0.5}
    if "ensemble.barostat" in more:
        reach *= 1.2  # room to shrink
    return math.prod(int(max(1, more[n] * f * cell // reach)) for n, f in axes.items())


def particles(model, table, steps=150, files=None):
    for name, more in table.items():
        keys = {key if "." in key else "start." + key: (files or {}).get(value, value)
                for key, value in more.items()}
        yield Case(f"{model}_{name}", {"run.model": model, "time.steps": steps} | keys,
                   particles=most_ranks(model, more))


# Every potential in every ensemble and precision: one of the cases above each, which together have
# one and two types, and the ensembles.  Their boxes change often, their lists are short-lived.
OF_EACH = {"lj": LJ["mixture"], "morse": MORSE["shifted"], "buckingham": BUCKINGHAM["mixture"],
           "yukawa": YUKAWA["mixture"], "soft": SOFT["overlaps"], "table": TABLE["even"],
           "eam": EAM["alloy"]}
SMOOTH = {"nx": 6, "ny": 5, "nz": 5, "density": 0.7, "lj.shift": "force"}
ENSEMBLES = {"nve": {}, "langevin": {"ensemble.thermostat": "langevin"},
             "bussi": {"ensemble.thermostat": "bussi"},
             "nose_hoover": {"ensemble.thermostat": "nose_hoover"},
             "berendsen": {"ensemble.thermostat": "berendsen", "ensemble.barostat": "berendsen",
                           "ensemble.barostat_every": 7},
             "npt": {"ensemble.thermostat": "bussi", "ensemble.barostat": "c_rescale",
                     "ensemble.barostat_every": 3, "ensemble.pressure": 1}}
PRECISIONS = ("double", "mixed")


def product(model, table, files=None):
    states = {"": OF_EACH[model]} | ({"smooth_": SMOOTH} if model == "lj" else {})
    combined = {f"{state}{ensemble}_{precision}":
                start | more | {f"{model}.precision": precision}
                for state, start in states.items() for ensemble, more in ENSEMBLES.items()
                for precision in PRECISIONS
                if precision == "mixed" or start | more not in table.values()}
    for case in particles(model, combined, 30 if model == "eam" else 50, files):
        case.each = 2
        yield case


# model: cases of its own, their steps
POTENTIALS = {"lj": (LJ, 150), "morse": (MORSE, 60), "buckingham": (BUCKINGHAM, 60),
              "yukawa": (YUKAWA, 60), "soft": (SOFT, 60), "table": (TABLE, 60), "eam": (EAM, 40)}


def of_potential(model, files):
    table, steps = POTENTIALS[model]
    yield from particles(model, table, steps, files)
    yield from product(model, table, files)


def models_of_particles(pelsim):
    """{model: its cases}"""
    copper = os.path.join(os.path.dirname(__file__), "../../configs/potentials/Cu_zhou.eam.alloy")
    files = {"<table>": write_table(pelsim.path("tables.txt")), "<copper>": os.path.abspath(copper)}
    return {model: functools.partial(of_potential, model, files) for model in POTENTIALS}


def any_model(pelsim, model):
    """A model that this file does not know: its defaults on a small grid."""
    small = {"nx": 37, "ny": 23, "nz": 11, "nlon": 40, "nlat": 22}
    params = pelsim.tool("params", model, "--json")
    if params.returncode:
        raise Failure(f"pelsim params {model} --json: exit code {params.returncode}\n"
                      f"{params.stderr}")
    keys = {f"grid.{p['key']}": small[p["key"]] for p in json.loads(params.stdout)
            if p["section"] == "grid" and p["key"] in small and p["default"] not in (None, "1")}
    return [Case(model, keys | {"run.model": model})]


def registered(pelsim):
    models = pelsim.tool("models", "--json")
    if models.returncode:
        raise Failure(f"pelsim models --json: exit code {models.returncode}\n{models.stderr}")
    known = {"heat": heat, "shallow_water": lambda: shallow_water(pelsim)}
    known |= models_of_particles(pelsim)
    found = []
    for model in (m["name"] for m in json.loads(models.stdout)):
        found += list(known[model]()) if model in known else any_model(pelsim, model)
    return found


def from_file(config, plugin):
    """A user's configuration, shortened."""
    keys = {"time.end": "none", "output.interval": "none", "diagnostics.interval": "none",
            "checkpoint.interval": "none", "time.steps": COMMON["time.steps"]}
    case = Case("config", {}, config)
    case.keys = COMMON | keys | ({"run.plugin": plugin} if plugin else {})
    return [case]
