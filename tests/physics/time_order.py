#!/usr/bin/python3
"""Order of the time schemes.

1. heat: the initial wave is an eigenvector of the discrete Laplacian with eigenvalue
   -4 kappa/dx^2 sin^2(q dx/2) and the ends mirrored, so what is left of it is known exactly and the
   difference is the error of the scheme alone.  Linear: euler 1, rk3 and ssprk3 3, rk4 4.
2. shallow_water, case 6: the height at one time on one grid with dt, dt/2, dt/4; successive
   differences fall with the order.  Nonlinear: ssprk3 3, rk4 4.  rk3 of Wicker and Skamarock meets
   only the linear conditions of third order: at least 2, and it is nearer to 3 here because what
   it misses is small in this flow."""
import math
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import pelsim_test
import swe

ORDER = {"euler": (1, None), "rk3": (3, 2), "ssprk3": (3, 3), "rk4": (4, 4)}  # linear, nonlinear


def heat_error(pelsim, scheme, steps, threads):
    n, kappa, end = 16, 1.0, 0.25
    keys = {"run.model": "heat", "grid.nx": n, "grid.lx": 1, "grid.boundary": "even",
            "heat.kappa": kappa, "time.scheme": scheme, "time.steps": steps,
            "time.dt": repr(end / steps), "diagnostics.every": pelsim_test.FIRST_AND_LAST,
            "checkpoint.at_end": False}
    u = pelsim.case(f"heat_{scheme}_{steps}", keys, threads=threads).diagnostics()["u_max"]
    rate = 4 * kappa * n * n * math.sin(math.pi / (2 * n)) ** 2
    return abs(u[-1] / u[0] - math.exp(-rate * end))


def heat(pelsim, report, options):
    for scheme, (want, _) in ORDER.items():
        # Within the stability limits, 2/1024 (euler) to 2.79/1024.
        e = [heat_error(pelsim, scheme, steps, options.threads) for steps in (128, 256, 512)]
        order = [math.log2(a / b) for a, b in zip(e, e[1:])]
        print(f"heat {scheme}: errors {', '.join(f'{x:.3e}' for x in e)}; orders "
              f"{', '.join(f'{x:.3f}' for x in order)}")
        report.at_least(f"heat {scheme}: order", order[0], want - 0.05)
        report.at_most(f"heat {scheme}: order", order[0], want + 0.15)


def height(pelsim, scheme, dt, threads):
    keys = swe.keys(36, "williamson6", "12 h", dt, time__scheme=scheme, output__fields="h, u, v",
                    output__interval="12 h")
    with pelsim.case(f"swe_{scheme}_{dt}", keys, threads=threads).fields() as f:
        return f["h"][-1]


def shallow_water(pelsim, report, options):
    import numpy as np
    for scheme, (_, want) in ORDER.items():
        if not want:
            continue
        h = [height(pelsim, scheme, dt, options.threads) for dt in (450, 225, 112.5, 56.25)]
        d = [float(np.sqrt(np.mean((a - b) ** 2))) for a, b in zip(h, h[1:])]
        order = [math.log2(a / b) for a, b in zip(d, d[1:])]
        print(f"shallow_water {scheme}: differences {', '.join(f'{x:.3e}' for x in d)} m; orders "
              f"{', '.join(f'{x:.3f}' for x in order)}")
        report.at_least(f"shallow_water {scheme}: order", order[-1], want - 0.1)


def body(pelsim, report, options):
    heat(pelsim, report, options)
    shallow_water(pelsim, report, options)


if __name__ == "__main__":
    pelsim_test.main(__doc__, body)
