#!/usr/bin/python3
"""Order of the heat model in space, in 1, 2 and 3 dimensions with each boundary.

Error: normalised l2 against the exact decaying wave.  dt is tied to dx^2, so with forward Euler
the errors of space and time fall together, and with RK4 that of space alone is left.  The mesh
ratio dt * sum_a kappa/dx_a^2 is far from 1/6, where the two errors of Euler would cancel.  Cells
are not cubes and no axis is a multiple of another, so a mix-up of axes shows.  Design order 2,
want >= 1.95."""
import math
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import pelsim_test

CELLS = {1: [(40,), (80,), (160,)],
         2: [(20, 16), (40, 32), (80, 64)],
         3: [(16, 12, 10), (32, 24, 20), (64, 48, 40)]}
LENGTH = {"x": 1.0, "y": 0.7, "z": 0.55}
KAPPA, END = 0.1, 0.05
RATIO = {"euler": 0.3, "rk4": 1.0}  # dt * sum_a 4 kappa/dx_a^2; stable up to 2 and 2.79


def coarsest_steps(cells, scheme):
    stiffness = sum(4 * KAPPA * (n / LENGTH[a]) ** 2 for a, n in zip("xyz", cells))
    return math.ceil(END * stiffness / RATIO[scheme])


def error(pelsim, name, cells, boundary, scheme, steps, threads):
    keys = {"run.model": "heat", "grid.boundary": boundary, "time.scheme": scheme,
            "time.steps": steps, "time.dt": repr(END / steps),
            "diagnostics.every": pelsim_test.FIRST_AND_LAST,
            "checkpoint.at_end": False, "heat.kappa": KAPPA}
    for axis, n in zip("xyz", cells):
        keys["grid.n" + axis], keys["grid.l" + axis] = n, LENGTH[axis]
    return pelsim.case(name, keys, threads=threads).last()["u_l2"]


def body(pelsim, report, options):
    for dims, grids in CELLS.items():
        for boundary in ("periodic", "even", "fixed"):
            for scheme in ("euler", "rk4"):
                steps = coarsest_steps(grids[0], scheme)
                e = [error(pelsim, f"{dims}d_{boundary}_{scheme}_{i}", cells, boundary, scheme,
                           steps * 4 ** i, options.threads) for i, cells in enumerate(grids)]
                order = [math.log2(a / b) for a, b in zip(e, e[1:])]
                print(f"{dims}-D {boundary} {scheme}: l2 errors "
                      f"{', '.join(f'{x:.3e}' for x in e)}; orders "
                      f"{', '.join(f'{x:.3f}' for x in order)}")
                report.at_least(f"{dims}-D {boundary} {scheme}: order", order[-1], 1.95)
                report.at_most(f"{dims}-D {boundary} {scheme}: finest l2 error", e[-1], 0.02)


if __name__ == "__main__":
    pelsim_test.main(__doc__, body)
