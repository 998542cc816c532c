#!/usr/bin/python3
"""Lennard-Jones mixtures against sums over all pairs in numpy: mixing rules, pairs given one by one,
shifts and tails of three types, from the positions and types in a checkpoint; energy, virial
pressure and temperature to rounding.  In a bath that takes the momentum out, none is left."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import pelsim_test

EPSILON, SIGMA, MASS = (1, 0.6, 1.7), (1, 1.2, 0.8), (1, 2.5, 0.4)
MIXTURE = {"run.model": "lj", "start.nx": 4, "start.ny": 5, "start.nz": 6, "start.density": 0.6,
           "start.composition": "3, 2, 1", "start.mass": "1, 2.5, 0.4", "lj.epsilon": "1, 0.6, 1.7",
           "lj.sigma": "1, 1.2, 0.8", "time.dt": 0.002, "time.steps": 60, "diagnostics.every": 60}


def mixed(rule, i, j):
    e, s, t = (EPSILON[i] * EPSILON[j]) ** .5, SIGMA[i], SIGMA[j]
    if rule == "arithmetic":
        return e, (s + t) / 2
    if rule == "geometric":
        return e, (s * t) ** .5
    return 2 * e * s ** 3 * t ** 3 / (s ** 6 + t ** 6), ((s ** 6 + t ** 6) / 2) ** (1 / 6)


def state(run, step):
    """Arrays of a checkpoint by name, and the lengths of the box."""
    import h5py
    found = {}
    with h5py.File(run.path(f"checkpoints/step_{step:09d}.h5"), "r") as f:
        f.visititems(lambda name, x: found.update({name.rsplit("/", 1)[-1]: x[()].ravel()})
                     if isinstance(x, h5py.Dataset) else None)
        box = [f["pelsim/state"].attrs["box_" + a] for a in "xyz"]
    return found, box


def expected(found, box, rule, shift, tail, given):
    import numpy as np
    x = np.array([found["position_" + a] for a in "xyz"]).T
    v = np.array([found["velocity_" + a] for a in "xyz"]).T
    kind = found["type"].astype(int) - 1
    energy = virial = 0.
    volume, count = np.prod(box), np.bincount(kind, minlength=3)
    d = x[:, None] - x[None]
    d -= box * np.rint(d / box)
    r2 = (d * d).sum(-1)
    np.fill_diagonal(r2, 1e9)
    for i in range(3):
        for j in range(3):
            e, s = mixed(rule, i, j)
            e, s, rc = given.get((min(i, j), max(i, j)), (e, s, 2.5))
            q = r2[np.ix_(kind == i, kind == j)]
            r = np.sqrt(q[q < rc * rc])

            def u(r):
                return 4 * e * ((s / r) ** 12 - (s / r) ** 6)

            def f(r):
                return 24 * e * (2 * (s / r) ** 12 - (s / r) ** 6) / r
            energy += u(r).sum() / 2
            virial += (f(r) * r).sum() / 2
            if shift != "none":
                energy -= r.size * u(rc) / 2
            if shift == "force":
                energy += ((r - rc) * f(rc)).sum() / 2
                virial -= (r * f(rc)).sum() / 2
            if tail:
                y, pairs = s / rc, count[i] * count[j] / volume
                energy += pairs * 8 * np.pi * e * s ** 3 * (y ** 9 / 9 - y ** 3 / 3)
                virial += pairs * 48 * np.pi * e * s ** 3 * (2 * y ** 9 / 9 - y ** 3 / 3)
    twice = (np.array(MASS)[kind] * (v * v).sum(1)).sum()
    n = len(kind)
    return {"potential_energy": energy / n, "temperature": twice / (3 * n - 3),
            "pressure": (twice + virial) / (3 * volume)}


def body(pelsim, report, options):
    import numpy as np
    given = {(0, 1): (1.5, 0.8, 2.1), (2, 2): (0.5, 0.88, 2.5)}
    for rule in ("arithmetic", "geometric", "sixthpower"):
        for shift, tail, pairs in (("none", False, {}), ("energy", True, given),
                                   ("none", True, {}), ("force", False, given)):
            name = f"{rule}, shift {shift}{', tail' * tail}{', pairs' * bool(pairs)}"
            r = pelsim.case(name.replace(", ", "_").replace(" ", "_"), MIXTURE | {
                "lj.mixing": rule, "lj.shift": shift, "lj.tail": tail,
                "lj.pairs": "1-2 1.5 0.8 2.1, 3-3 0.5 0.88" if pairs else "none"},
                threads=options.threads)
            found, box = state(r, 60)
            want, got = expected(found, box, rule, shift, tail, pairs), r.last()
            for key in want:
                report.at_most(f"{name}: {key}", abs(got[key] - want[key]), 1e-10)
    count = np.bincount(found["type"].astype(int))[1:]
    report.true("particles of each type", list(count) == [240, 160, 80], list(count), "3 : 2 : 1")
    r = pelsim.case("bath", MIXTURE | {"ensemble.thermostat": "langevin",
                                       "ensemble.remove_momentum": 1}, threads=options.threads)
    found, _ = state(r, 60)
    m = np.array(MASS)[found["type"].astype(int) - 1]
    for a in "xyz":  # all velocities are rounded alike, by half a quantum: 2.5/0.002 < 2^11, 2^-39
        report.at_most(f"momentum along {a}", abs((m * found["velocity_" + a]).sum()),
                       m.sum() * 2 ** -40)


if __name__ == "__main__":
    pelsim_test.main(__doc__, body)
