#!/usr/bin/python3
"""Galewsky et al. (2004) jet without its perturbation: balanced, so nothing should happen.

Symmetry: the initial state is the same at all longitudes to the last bit and so are all
operations. Only the transforms of the polar filter may round differently, and do for a circle
that is a multiple of 7 (with factors 2, 3 and 5 they return exact zeros).  The jet is unstable
and makes four to five times as much of it each day: measured at day 6, 252x126, 6e-11 m/s and
5e-10 m, hence the bounds of 1e-9 m/s and 1e-8 m.  An error in one column would grow from 1e-3 or
more instead.
Balance: the jet is steady in the continuous equations, so what changes of its profile is the
error in space and falls with second order."""
import math
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import pelsim_test
import swe

# Largest l2 change of u in 6 days at 128x64, our own number.
STORED = {"energy": 3.31e-3, "enstrophy": 3.31e-3, "arakawa_lamb": 5.86e-3}


def spread(np, x):
    """Largest difference along a circle of latitude."""
    return float(np.ptp(x, axis=-1).max())


def change(np, u):
    """Largest l2 norm, over the records, of the change since the first, normalised, by area."""
    lat = np.radians((np.arange(u.shape[1]) + .5) * 180 / u.shape[1] - 90)
    area = np.cos(lat)[:, None]
    return max(math.sqrt(float((area * (x - u[0]) ** 2).sum() / (area * u[0] ** 2).sum()))
               for x in u[1:])


def run(pelsim, options, momentum, nlon, dt):
    with pelsim.case(f"{momentum}_{nlon}",
                     swe.keys(nlon, "galewsky", "6 days", dt, momentum=momentum,
                              perturbation=False, output__fields="h, u, v",
                              output__interval="1 day"), threads=options.threads).fields() as f:
        return {x: f[x][:] for x in "uvh"}


def body(pelsim, report, options):
    import numpy as np
    sevens = ((126, 300), (252, 150)) if options.full else ((126, 300),)
    twos = ((64, 600), (128, 300), (256, 150)) if options.full else ((64, 600), (128, 300))
    for momentum, stored in STORED.items():
        for nlon, dt in sevens:
            x, name = run(pelsim, options, momentum, nlon, dt), f"{momentum}, {nlon}x{nlon // 2}"
            report.at_most(f"{name}: h along a circle, day 6 [m]", spread(np, x["h"][-1]), 1e-8)
            for wind in "uv":
                report.at_most(f"{name}: {wind} along a circle, day 6 [m/s]",
                               spread(np, x[wind][-1]), 1e-9)
        moved = []
        for nlon, dt in twos:
            x, name = run(pelsim, options, momentum, nlon, dt), f"{momentum}, {nlon}x{nlon // 2}"
            moved.append(change(np, x["u"]))
            if nlon == 128:
                report.near(f"{name}: l2 change of u", moved[-1], stored, 0.02)
                report.at_most(f"{name}: meridional wind [m/s]", float(np.abs(x["v"]).max()), 2.5)
        order = [math.log2(a / b) for a, b in zip(moved, moved[1:])]
        print(f"{momentum}: l2 change of u {', '.join(f'{x:.3e}' for x in moved)}; orders "
              f"{', '.join(f'{x:.2f}' for x in order)}")
        report.at_least(f"{momentum}: order of the change", order[-1],
                        1.8 if options.full else 1.6)


if __name__ == "__main__":
    pelsim_test.main(__doc__, body)
