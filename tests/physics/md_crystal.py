#!/usr/bin/python3
"""The Lennard-Jones crystal at zero temperature: fcc at the distance of neighbours where the energy
of the infinite crystal is least, U/N = -A6^2/(2 A12) = -8.6102 at r0 = (2 A12/A6)^(1/6) = 1.0902,
with the lattice sums
A12 = 12.1318801965 and A6 = 14.45392 (N. W. Ashcroft & N. D. Mermin 1976, Solid State Physics, chapter
20; all digits are found again here).

1. What pelsim finds within the cut-off, and the shells beyond it summed here, are the infinite
   crystal: energy and no pressure, whatever the cut-off.
2. pelsim alone: with its corrections for the tail energy and pressure tend to those of the infinite
   crystal as the cut-off grows.
3. The slope of the pressure is the bulk modulus 4 A6^(5/2)/A12^(3/2); energies around r0 are higher.
4. The perfect crystal at rest stays: no particle is pulled."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import pelsim_test

A12, A6 = 12.1318801965, 14.4539210437
R0 = (2 * A12 / A6) ** (1 / 6)
ENERGY = -A6 ** 2 / (2 * A12)
BULK = 4 * A6 ** 2.5 / A12 ** 1.5
LARGEST = 40_000


def shells():
    """Squares of distances in halves of the cubic cell's edge, and how many sites have them."""
    import numpy as np
    one = np.zeros(LARGEST + 1)
    edge = int(LARGEST ** 0.5)
    one[np.arange(1, edge + 1) ** 2] = 2
    one[0] = 1
    three = one
    for _ in range(2):
        wider = three.copy()
        for i in range(1, edge + 1):
            wider[i * i:] += 2 * three[:-i * i]
        three = wider
    n = np.arange(2, LARGEST + 1, 2)  # i + j + k is even when i^2 + j^2 + k^2 is
    return n[three[n] > 0], three[n][three[n] > 0]


def power_sums(n, count, least, power):
    """Sum over sites with n > least of (distance/r0)^-power: shells, and beyond them a continuum whose
    start is where the mean of many partial sums says."""
    import numpy as np
    far = n > least
    n, count = n[far], count[far]
    partial = np.cumsum(count * (n / 2.0) ** (-power / 2))
    rest = 4 * np.pi * 2 ** .5 * ((n + 1) / 2.0) ** ((3 - power) / 2) / (power - 3)
    return float((partial + rest)[-len(n) // 2:].mean())


def body(pelsim, report, options):
    n, count = shells()
    for power, want in ((12, A12), (6, A6)):
        report.at_most(f"A{power}: relative difference",
                       abs(power_sums(n, count, 0, power) / want - 1), 1e-10)
    report.near("least energy", ENERGY, -8.6102, 1e-6)
    report.near("distance of neighbours", R0, 1.09017, 1e-5)

    def crystal(name, cutoff, r=R0, tail=False, steps=1):
        """Energy, pressure and temperature at the first and the last step."""
        edge = 2 ** .5 * r
        cells = int(2 * (cutoff + 0.4) / edge) + 1
        keys = {"run.model": "lj", "start.lattice": "fcc", "start.spacing": repr(edge),
                "start.temperature": 0, "lj.cutoff": cutoff, "lj.skin": 0.3, "lj.tail": tail,
                "time.dt": 0.005, "time.steps": steps, "diagnostics.every": steps,
                "checkpoint.at_end": False} | {f"start.n{a}": cells for a in "xyz"}
        d = pelsim.case(name, keys, threads=options.threads).diagnostics()
        return [(d["potential_energy"][k], d["pressure"][k], d["temperature"][k]) for k in (0, -1)]

    def infinite(name, cutoff, r=R0):
        """Energy and pressure, with the shells that lie beyond the cut-off."""
        b12, b6 = (power_sums(n, count, 2 * (cutoff / r) ** 2, k) * r ** -k for k in (12, 6))
        u, p, _ = crystal(name, cutoff, r)[0]
        return u, u + 2 * (b12 - b6), p, p + 4 * (2 * b12 - b6) * 2 ** .5 / r ** 3

    for cutoff in (1.2, 2.5, 3, 4.5, 7, 9):
        u, all_u, p, all_p = infinite(f"cut_{cutoff}", cutoff)
        report.at_most(f"cut-off {cutoff}: U/N {u:.7f}; with the rest, off by",
                       abs(all_u - ENERGY), 1e-9)
        report.at_most(f"cut-off {cutoff}: p {p:.7f}; with the rest", abs(all_p), 2e-8)
    for cutoff, u_bound, p_bound in ((3, 0.04, 0.09), (6, 1.5e-3, 3e-3), (9, 2e-4, 4e-4)):
        u, p, _ = crystal(f"tail_{cutoff}", cutoff, tail=True)[0]
        report.at_most(f"cut-off {cutoff} and tail: U/N {u:.6f}, off by", abs(u - ENERGY), u_bound)
        report.at_most(f"cut-off {cutoff} and tail: |p|", abs(p), p_bound)

    pressure = []
    for h in (-1e-3, 1e-3):
        s6 = (R0 * (1 + h)) ** -6
        _, u, _, p = infinite(f"strained_{h}", 3, R0 * (1 + h))
        report.at_most(f"r0 (1 + {h}): U/N - {ENERGY:.6f} = {u - ENERGY:.3e}, off by",
                       abs(u - 2 * (A12 * s6 * s6 - A6 * s6)), 1e-9)
        report.at_least(f"r0 (1 + {h}): U/N - {ENERGY:.6f}", u - ENERGY, 1e-5)
        pressure.append(p)
    # -dp/d(log V); the next term of the series is 1e-4 of it.
    report.near("bulk modulus", (pressure[0] - pressure[1]) / 6e-3, BULK, 5e-4)
    start, end = crystal("at_rest", 3, steps=200)
    report.at_most("temperature after 200 steps", end[2], 1e-20)
    report.at_most("change of U/N in 200 steps", abs(end[0] - start[0]), 1e-11)


if __name__ == "__main__":
    pelsim_test.main(__doc__, body)
