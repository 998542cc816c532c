#!/usr/bin/python3
"""A lake at rest over a mountain stays at rest, to 1e-12, in 5 days.

Speeds are compared with the gravity wave, sqrt(g H) = 240 m/s.  The mean height is chosen so that
h + hs is not exact in binary: what is left is rounding.  Each form of the momentum equation, each
kind of diffusion (that of the surface must not act on the depth), a rough random terrain from a
file, and the axis of the Coriolis force."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import pelsim_test
import swe

MEAN, GRAVITY = 5960.123456789, 9.80616
DIFFUSION = {"viscosity": 1e5, "hyperviscosity": 1e15, "diffusivity": 1e5}


def terrain(path):
    """Random altitudes between 0 and 3000 m on a 10-degree map, as a CF file."""
    import netCDF4
    import numpy as np
    with netCDF4.Dataset(path, "w") as f:
        for name, unit, x in (("lat", "degrees_north", np.arange(-85, 90, 10.0)),
                              ("lon", "degrees_east", np.arange(5, 360, 10.0))):
            f.createDimension(name, len(x))
            v = f.createVariable(name, "f8", (name,))
            v.units, v[:] = unit, x
        v = f.createVariable("altitude", "f8", ("lat", "lon"))
        v.units = "m"
        v[:] = np.random.default_rng(20040617).uniform(0, 3000, v.shape)
    return path


def body(pelsim, report, options):
    cases = {m: {"momentum": m} for m in ("energy", "enstrophy", "arakawa_lamb")}
    cases |= {d: {d: value} for d, value in DIFFUSION.items()}
    cases["all diffusion"] = {"momentum": "arakawa_lamb", **DIFFUSION}
    cases["random terrain"] = {"topography_file": terrain(pelsim.path("terrain.nc")), **DIFFUSION}
    cases["round height"] = {"mean_height": 6000}
    for name, more in cases.items():
        more = {"mean_height": repr(MEAN), **more}
        keys = swe.keys(72, "lake_at_rest", "5 days", 600, **more)
        run = pelsim.case(name.replace(" ", "_"), keys, threads=options.threads)
        d, c = run.diagnostics(), (GRAVITY * MEAN) ** .5
        report.at_most(f"{name}: speed over that of gravity waves", d["max_speed"][-1] / c, 1e-12)
        for end in ("h_min", "h_max"):
            report.near(f"{name}: {end}", d[end][-1], d[end][0], 1e-12)
        if "h_linf" in d:
            report.at_most(f"{name}: linf error of the depth", d["h_linf"][-1], 1e-12)
        report.at_most(f"{name}: mass", abs(swe.change(run, "mass")), 1e-13)


if __name__ == "__main__":
    pelsim_test.main(__doc__, body)
