#!/usr/bin/python3
"""Thermostats against statistical mechanics: a Lennard-Jones liquid of 256 particles, rho = 0.776.

1. Langevin, Bussi and Nose-Hoover chains reach the temperature, and the kinetic energy varies as in
   the canonical ensemble: var(T) = 2 T^2/f, f degrees of freedom.  Errors from averages over 25
   blocks; both must lie within 4 of them, and the errors must be small.
2. What the thermostats add is booked: `conserved` drifts no more than the energy without one.  The
   fit of a line through it, an energy a particle and unit of time.
3. Particles of masses 1 and 4 in a Langevin bath: each type has its share of the energy, and each
   component of the velocity the distribution of Maxwell (chi-square of 20 classes, equally likely).
4. A ramp ends at its temperature."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import pelsim_test

T, N, STEPS = 0.85, 256, 60_000
LIQUID = {"run.model": "lj", "start.nx": 4, "start.ny": 4, "start.nz": 4, "start.density": 0.776,
          "start.temperature": 2.2, "lj.shift": "force", "time.dt": 0.004}
BATHS = {"langevin": 3 * N, "bussi": 3 * N - 3, "nose_hoover": 3 * N - 3}  # degrees of freedom


def blocks(x, n=25):
    import numpy as np
    m = np.asarray(x)[:len(x) // n * n].reshape(n, -1)
    return m


def mean_of(values):
    """Mean and its error."""
    import numpy as np
    return values.mean(), values.std(ddof=1) / np.sqrt(len(values))


def canonical(pelsim, report, options):
    import numpy as np
    start = pelsim.case("melt", LIQUID | {
        "ensemble.thermostat": "bussi", "ensemble.thermostat_time": 0.1,
        "ensemble.temperature": T, "time.steps": 5000, "diagnostics.every": 1000},
        threads=options.threads)
    checkpoint = start.path("checkpoints/step_000005000.h5")
    drift = {}
    for bath in ("none", *BATHS):
        keys = LIQUID | {"ensemble.thermostat": bath, "time.steps": 5000 + STEPS,
                         "diagnostics.every": 10, "checkpoint.at_end": False}
        if bath != "none":
            keys |= {"ensemble.thermostat_time": 0.1, "ensemble.temperature": T}
        d = pelsim.case(bath, keys, options=[f"--resume={checkpoint}"],
                        threads=options.threads).diagnostics()
        energy = np.array(d["total_energy" if bath == "none" else "conserved"])
        drift[bath] = abs(np.polyfit(d["time"], energy, 1)[0])
        if bath == "langevin":  # the error of a step is random: what adds up walks, either way
            ends = energy[::len(energy) // 25]
            walk, walk_error = mean_of(np.diff(ends) / (0.004 * 10 * (len(energy) // 25)))
        print(f"{bath}: drift {drift[bath]:.2e}, deviation {energy.std():.2e}")
        if bath == "none":
            continue
        t = np.array(d["temperature"])[len(d["temperature"]) // 20:]
        value, error = mean_of(blocks(t).mean(1))
        report.at_most(f"{bath}: error of T", error, 0.004)
        report.at_most(f"{bath}: |T - {T}| = {abs(value - T):.4f} in errors", abs(value - T) / error, 4)
        value, error = mean_of(blocks((t - T) ** 2).mean(1) * BATHS[bath] / (2 * T * T))
        report.at_most(f"{bath}: error of var(T)", error, 0.08)
        report.at_most(f"{bath}: var(T)/(2 T^2/f) - 1 = {value - 1:.3f} in errors",
                       abs(value - 1) / error, 4)
    report.at_most("constant energy: drift", drift["none"], 2e-6)
    for bath in ("bussi", "nose_hoover"):
        report.at_most(f"{bath}: drift of what is conserved", drift[bath], 1e-5)
    report.at_most("langevin: error of the drift of what is conserved", walk_error, 3e-5)
    report.at_most(f"langevin: drift {walk:.1e} beyond 1e-5, in errors",
                   max(abs(walk) - 1e-5, 0) / walk_error, 3)


def maxwell(pelsim, report, options):
    import h5py
    import numpy as np
    from math import erf
    keys = LIQUID | {"start.nx": 10, "start.ny": 10, "start.nz": 10, "start.composition": "3, 1",
                     "start.mass": "1, 4", "ensemble.thermostat": "langevin",
                     "ensemble.thermostat_time": 0.2, "ensemble.temperature": T,
                     "time.steps": 1500, "diagnostics.every": 500}
    r = pelsim.case("masses", keys, threads=options.threads)
    with h5py.File(r.path("checkpoints/step_000001500.h5"), "r") as f:
        found = {}
        f.visititems(lambda name, x: found.update({name.rsplit("/", 1)[-1]: x[()].ravel()})
                     if isinstance(x, h5py.Dataset) else None)
    v = np.array([found["velocity_" + a] for a in "xyz"])
    for kind, mass in ((1, 1), (2, 4)):
        u = v[:, found["type"] == kind] * np.sqrt(mass / T)
        n = u.size
        report.true(f"mass {mass}: particles", n == 3 * (3000 if kind == 1 else 1000), n, "3 of 4")
        report.at_most(f"mass {mass}: mean of m v^2/(kT) - 1 = {(u * u).mean() - 1:.4f} in errors",
                       abs((u * u).mean() - 1) / np.sqrt(2 / n), 4)
        for a, x in zip("xyz", u):
            share = np.array([(1 + erf(y / 2 ** .5)) / 2 for y in x])
            count = np.histogram(share, 20, (0, 1))[0]
            chi2 = ((count - x.size / 20) ** 2 / (x.size / 20)).sum()
            report.at_most(f"mass {mass}: chi-square of v_{a}, 19 degrees of freedom", chi2, 43.8)


def ramp(pelsim, report, options):
    d = pelsim.case("ramp", LIQUID | {
        "start.nx": 6, "start.ny": 6, "start.nz": 6, "start.temperature": 1.8,
        "ensemble.thermostat": "bussi", "ensemble.thermostat_time": 0.05,
        "ensemble.temperature": 1.0, "ensemble.end_temperature": 2.0, "ensemble.ramp_steps": 4000,
        "time.steps": 6000, "diagnostics.every": 10}, threads=options.threads).diagnostics()
    for step, want in ((2000, 1.5), (5000, 2.0)):
        t = [x for s, x in zip(d["step"], d["temperature"]) if abs(s - step) <= 400]
        report.near(f"ramp: temperature about step {step}", sum(t) / len(t), want, 0.02)


def body(pelsim, report, options):
    canonical(pelsim, report, options)
    maxwell(pelsim, report, options)
    ramp(pelsim, report, options)


if __name__ == "__main__":
    pelsim_test.main(__doc__, body)
