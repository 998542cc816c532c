#!/usr/bin/python3
"""Galewsky et al. (2004), the unstable jet with nu = 1e5 m2/s on u, v and h, at day 6.

Published: the jet between 30 and 60 N has rolled up into a train of cyclones joined by thin
fronts, most developed west of the perturbation, with nothing in the tropics.  Vorticity was
looked at as a picture once (360x180); the norms stored here guard what was seen.  At 256x128 the roll-up is not converged: the tolerance of 1 % is for other compilers and
processors, not for physics.  With --full the differences between three grids must shrink."""
import math
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import pelsim_test
import swe

# At day 6: extremes and root mean square of the vorticity [s-1], rms of v [m/s], least and greatest
# depth less the mean of 10 km [m], relative change of the energy.
STORED = {256: (-7.704e-5, 9.741e-5, 2.0149e-5, 3.899, -1041.4, 204.5, -5.808e-4)}
NAMES = ("least vorticity", "greatest vorticity", "rms vorticity", "rms v", "least height",
         "greatest height", "change of energy")


def rms(np, x, faces):
    """Root mean square over the sphere; rows at faces (poles included) or centres."""
    lat = np.radians((np.arange(x.shape[0]) + (0 if faces else .5)) * 180 / x.shape[0] - 90)
    area = np.cos(lat)[:, None]
    return math.sqrt(float((area * x ** 2).sum() / (area.sum() * x.shape[1])))


def run(pelsim, options, nlon, dt):
    r = pelsim.case(f"jet_{nlon}",
                    swe.keys(nlon, "galewsky", "6 days", dt, viscosity=1e5, diffusivity=1e5,
                             output__fields="h, v, vorticity", output__interval="6 days"),
                    threads=options.threads, timeout=3000)
    with r.fields() as f:
        return r, {x: f[x][-1] for x in ("h", "v", "vorticity")}


def features(np, report, name, x):
    """What the published picture shows."""
    z, rows, columns = x["vorticity"], *x["vorticity"].shape
    lat = np.arange(rows) * 180 / rows - 90
    quiet = np.abs(z[lat < 20]).max()
    report.at_most(f"{name}: vorticity south of 20 N [s-1]", float(quiet), 5e-6)
    jet = z[(lat > 35) & (lat < 60)]
    spectrum = np.abs(np.fft.rfft(jet - jet.mean(axis=1, keepdims=True), axis=1)).mean(axis=0)
    report.true(f"{name}: strongest wave number", 4 <= int(spectrum.argmax()) <= 8,
                int(spectrum.argmax()), "4 to 8")
    v = np.abs(x["v"][np.abs(lat - 45).argmin()])
    half = columns // 2  # the eastern half of the map lies east of the perturbation, at 0 E
    ratio = float(np.sqrt((v[half:] ** 2).mean() / (v[columns // 8:half] ** 2).mean()))
    report.at_least(f"{name}: waves west of the bump over those east", ratio, 2)


def restrict(np, h):
    """Means of 2x2 cells weighted by area: to the grid half as fine."""
    lat = np.radians((np.arange(h.shape[0]) + .5) * 180 / h.shape[0] - 90)
    area = np.cos(lat)[:, None]
    pair = (area * h).reshape(h.shape[0] // 2, 2, h.shape[1] // 2, 2).sum(axis=(1, 3))
    return pair / (2 * area.reshape(-1, 2).sum(axis=1)[:, None])


def body(pelsim, report, options):
    import numpy as np
    fields = []
    for nlon, dt in ((128, 300), (256, 200), (512, 100)) if options.full else ((256, 200),):
        r, x = run(pelsim, options, nlon, dt)
        fields.append(x["h"])
        name, z = f"{nlon}x{nlon // 2}", x["vorticity"]
        got = (float(z.min()), float(z.max()), rms(np, z, True), rms(np, x["v"], True),
               float(x["h"].min()) - 1e4, float(x["h"].max()) - 1e4, swe.change(r, "energy"))
        print(f"{name}: " + ", ".join(f"{n} {g:.5g}" for n, g in zip(NAMES, got)))
        for what, g, want in zip(NAMES, got, STORED.get(nlon, ())):
            report.near(f"{name}: {what}", g, want, 0.01)
        report.at_most(f"{name}: mass", abs(swe.change(r, "mass")), 1e-13)
        report.true(f"{name}: energy is lost to viscosity", got[6] < 0, f"{got[6]:.3g}", "< 0")
        features(np, report, name, x)
    if options.full:
        a, b, c = restrict(np, restrict(np, fields[2])), restrict(np, fields[1]), fields[0]
        coarse, fine = rms(np, b - c, False), rms(np, a - b, False)
        print(f"rms differences of h at day 6: {coarse:.3f} and {fine:.3f} m")
        report.at_least("order of h from three grids", math.log2(coarse / fine), 1)


if __name__ == "__main__":
    pelsim_test.main(__doc__, body)
