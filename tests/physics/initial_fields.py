#!/usr/bin/python3
"""Fields that are computed for output, poles included, against solid rotation (Williamson et al.
1992, case 2), whose vorticity, divergence and speed are known everywhere:

    zeta = 2 u0/a s,  delta = 0,  |(u,v)|^2 = u0^2 (1 - s^2),  (f + zeta)/h,
    s = -cos lon cos lat sin alpha + sin lat cos alpha     (their equation 90).

The rows next to the poles and on them read halos from across the pole, where winds change sign
and longitude is shifted by half a circle.  Errors are the largest anywhere, relative to the
field's largest value.  Equatorward of 75 degrees they fall with second order; nearer to the
poles vorticity is first order where the flow crosses them, for cells become wedges, but it must
converge there too."""
import math
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import pelsim_test
import swe

RADIUS, ROTATION, GRAVITY = 6.37122e6, 7.292e-5, 9.80616
U0 = 2 * math.pi * RADIUS / (12 * swe.DAY)
# name: (at corners rather than centres, largest error at 144x72)
FIELDS = {"vorticity": (True, 3e-3), "potential_vorticity": (True, 5e-3),
          "divergence": (False, 1e-12), "wind_speed": (False, 1e-3),
          "surface_height": (False, 1e-14)}
ROUNDING = 1e-12


def exact(np, name, alpha, nlon):
    staggered = FIELDS[name][0]
    i = np.arange(nlon) + (0 if staggered else .5)
    j = np.arange(nlon // 2) + (0 if staggered else .5)
    lon, lat = 2 * math.pi * i[None, :] / nlon, math.pi * (j[:, None] / (nlon // 2) - .5)
    a = math.radians(alpha)
    s = -np.cos(lon) * np.cos(lat) * math.sin(a) + np.sin(lat) * math.cos(a)
    h = (2.94e4 - (RADIUS * ROTATION * U0 + U0 ** 2 / 2) * s ** 2) / GRAVITY
    zeta, f = 2 * U0 / RADIUS * s, 2 * ROTATION * s
    return {"vorticity": zeta, "potential_vorticity": (f + zeta) / h, "divergence": 0 * s,
            "wind_speed": U0 * np.sqrt(np.maximum(0, 1 - s ** 2)), "surface_height": h}[name]


def errors(np, x, want, scale):
    """Largest error everywhere, equatorward of 75 degrees, and in the first and last row."""
    e = np.abs(x - want).max(axis=1) / scale
    rows = len(e) // 12
    return float(e.max()), float(e[rows:-rows].max()), float(max(e[0], e[-1]))


def body(pelsim, report, options):
    import numpy as np
    for alpha in (0, 45, 90):
        found = {name: [] for name in FIELDS}
        for nlon in (72, 144):
            keys = swe.keys(nlon, "williamson2", "none", 1, alpha=alpha, time__steps=1,
                            output__fields=", ".join(FIELDS), output__every=10)
            with pelsim.case(f"{alpha}_{nlon}", keys, threads=options.threads).fields() as f:
                for name in FIELDS:
                    want = exact(np, name, alpha, nlon)
                    scale = 2 * U0 / RADIUS if name == "divergence" else np.abs(want).max()
                    found[name].append(errors(np, f[name][0], want, scale))
        for name, (_, bound) in FIELDS.items():
            (all1, mid1, pole1), (all2, mid2, pole2) = found[name]
            what = f"{alpha} degrees: {name}"
            report.at_most(f"{what}, largest error", all2, bound)
            for where, one, two, least in (("everywhere", all1, all2, .9),
                                           ("to 75 degrees", mid1, mid2, 1.8),
                                           ("polar rows", pole1, pole2, .9)):
                if two > ROUNDING:
                    report.at_least(f"{what}, order {where}", math.log2(one / two), least)


if __name__ == "__main__":
    pelsim_test.main(__doc__, body)
