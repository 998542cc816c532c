#!/usr/bin/python3
"""Williamson et al. (1992) case 2, steady zonal flow with its axis tilted by alpha, day 5.

The exact solution is the initial state.  With alpha = 0 nothing crosses a pole; with 45 and 90
degrees the strongest wind does.  Errors of the height, normalised as in their equations 82-84.
WANT holds what an independent prototype of the same three schemes reached; the time error is far
below the error in space, so the numbers do not depend on dt.  STORED holds our own numbers where
there is no other source: they guard against silent changes."""
import math
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import pelsim_test
import swe

# (momentum, alpha, nlon): (l1, l2, linf), None: not known
WANT = {
    ("energy", 0, 72): (None, 3.39e-5, None), ("energy", 0, 144): (None, 8.50e-6, None),
    ("arakawa_lamb", 0, 72): (None, 2.40e-4, None),
    ("arakawa_lamb", 0, 144): (None, 6.08e-5, None),
    ("energy", 45, 36): (1.5e-2, 2.4e-2, 1.2e-1),
    ("energy", 45, 72): (3.17e-3, 4.58e-3, 1.68e-2),
    ("energy", 45, 144): (7.35e-4, 1.033e-3, 3.59e-3),
    ("energy", 45, 288): (1.79e-4, 2.50e-4, 8.7e-4),
    ("arakawa_lamb", 45, 36): (4.5e-3, 7.1e-3, 2.6e-2),
    ("arakawa_lamb", 45, 72): (1.16e-3, 1.86e-3, 6.8e-3),
    ("arakawa_lamb", 45, 144): (2.97e-4, 4.69e-4, 1.72e-3),
    ("arakawa_lamb", 45, 288): (7.46e-5, 1.171e-4, 4.21e-4),
    ("energy", 90, 144): (None, 2.09e-4, None), ("arakawa_lamb", 90, 144): (None, 4.13e-4, None),
}
STORED = {("enstrophy", 0, 72): 3.411e-5, ("enstrophy", 0, 144): 8.497e-6,
          ("enstrophy", 45, 72): 2.827e-3, ("enstrophy", 45, 144): 7.078e-4,
          ("enstrophy", 90, 72): 1.105e-3, ("enstrophy", 90, 144): 2.766e-4,
          ("energy", 90, 72): 8.435e-4, ("arakawa_lamb", 90, 72): 1.642e-3}
# Relative energy drift in 5 days: the first and last form conserve it up to the error of RK4 and
# what the polar filter takes, which shows on the coarsest grid and there does not depend on dt.
ENERGY = {"energy": {36: 2e-5}, "enstrophy": {36: 1e-4, 72: 1e-5, 144: 1e-6, 288: 1e-7},
          "arakawa_lamb": {36: 2e-7}}
DT = {36: 1200, 72: 600, 144: 400, 288: 200}


def body(pelsim, report, options):
    grids = (36, 72, 144, 288) if options.full else (36, 72, 144)
    for momentum in ("energy", "enstrophy", "arakawa_lamb"):
        for alpha in (0, 45, 90):
            l2 = []
            for nlon in grids:
                run = pelsim.case(f"{momentum}_{alpha}_{nlon}",
                                  swe.keys(nlon, "williamson2", "5 days", DT[nlon],
                                           momentum=momentum, alpha=alpha),
                                  threads=options.threads)
                last, name = run.last(), f"{momentum}, {alpha} degrees, {nlon}x{nlon // 2}"
                l2.append(last["h_l2"])
                for norm, want in zip(("l1", "l2", "linf"), WANT.get((momentum, alpha, nlon), ())):
                    if want:
                        report.near(f"{name}: {norm}", last["h_" + norm], want,
                                    0.01 if nlon > 36 else 0.03)  # known to 3 and 2 digits
                if (momentum, alpha, nlon) in STORED:
                    report.near(f"{name}: l2, stored", last["h_l2"],
                                STORED[momentum, alpha, nlon], 0.01)
                report.at_most(f"{name}: mass", abs(swe.change(run, "mass")), 1e-13)
                report.at_most(f"{name}: energy", abs(swe.change(run, "energy")),
                               ENERGY[momentum].get(nlon, 1e-8))
            order = [math.log2(a / b) for a, b in zip(l2, l2[1:])]
            print(f"{momentum}, alpha {alpha}: l2 {', '.join(f'{x:.3e}' for x in l2)}; orders "
                  f"{', '.join(f'{x:.2f}' for x in order)}")
            report.at_least(f"{momentum}, {alpha} degrees: order", order[-1], 1.8)


if __name__ == "__main__":
    pelsim_test.main(__doc__, body)
