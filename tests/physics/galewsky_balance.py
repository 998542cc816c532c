#!/usr/bin/python3
"""Galewsky et al. (2004) jet without its perturbation: balanced, so nothing should happen.

Symmetry: the initial state is the same at all longitudes to the last bit, and so are all operations;
only the filter's transforms may round differently.  The jet is unstable and amplifies that by a
factor e in less than a day: XXX
Balance: the jet is steady in the continuous equations, so what changes of its profile in 5 days is
the error in space.  It must fall with second order."""
import math
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import pelsim_test
import swe


def body(pelsim, report, options):
    import numpy as np
    grids = ((128, 400), (256, 200), (512, 100)) if options.full else ((64, 600), (128, 300), (256, 150))
    for momentum in ("energy", "enstrophy", "arakawa_lamb"):
        change = []
        for nlon, dt in grids:
            run = pelsim.case(f"{momentum}_{nlon}",
                              swe.keys(nlon, "galewsky", "6 days", dt, momentum=momentum,
                                       perturbation=False, output__fields="h, u, v",
                                       output__interval="1 day"), threads=options.threads)
            name = f"{momentum}, {nlon}x{nlon // 2}"
            with run.fields() as f:
                u, v, h = (f[x][:] for x in "uvh")
            print([f"{np.ptp(u[d], axis=1).max():.2g} {np.ptp(h[d], axis=1).max():.2g} {abs(v[d]).max():.2g}" for d in range(7)])
            lat = np.radians((np.arange(h.shape[1]) + .5) * 180 / h.shape[1] - 90)
            w = np.cos(lat)
            def l2(a, b): return math.sqrt(float((w * ((a - b) ** 2).mean(axis=1)).sum() / (w * (b ** 2).mean(axis=1)).sum()))
            change.append(l2(u[5], u[0]))
            print("u", [f"{l2(u[d], u[0]):.3e}" for d in range(7)], "h", f"{l2(h[5], h[0]):.3e}", "max u", f"{u[0].max():.3f} {u[-1].max():.3f}", swe.change(run, "energy"))
        print([math.log2(a / b) for a, b in zip(change, change[1:])])


if __name__ == "__main__":
    pelsim_test.main(__doc__, body)
