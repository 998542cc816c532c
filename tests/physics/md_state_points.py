#!/usr/bin/python3
"""The Lennard-Jones fluid at constant temperature against NIST and an equation of state.

NIST: Monte Carlo of 500 particles, cut-off 3 with corrections (NIST Standard Reference Simulation
Website, https://doi.org/10.18434/T4M88Q); their errors of a liquid's pressure are some 2e-3.
J. Kolafa & I. Nezbeda (1994), Fluid Phase Equilib. 100, 1-34: the full potential, to about 0.1 % of U
and 0.02 of a liquid's pressure; here cut-off 3.5 with corrections.

Each run melts its lattice at T = 3 first.  Energy a particle and pressure, averaged over blocks, lie
within four errors of both sides together, and ours are small enough to tell.  Of the pressure only
what pairs add is averaged: what motion adds is known.  In a gas pairs find and lose each other
seldom unless something takes their energy, which Langevin's noise does; liquids have Bussi's
thermostat, and a time step of 0.003, for velocity Verlet moves U by 1.7e-3 (dt/0.005)^2.

What --full is exact enough to see: Monte Carlo feels the step of the potential at the cut-off, motion
does not, being that of the shifted one.  Each sample then counts exp(-n u(rc)/T) times, n the number of
pairs within the cut-off, which a second run, the same but for the shifted energy, tells: the pressure
of the liquid rises by 0.007.  diffusion.py has rho = 0.776."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import pelsim_test

N = 500
NIST, KOLAFA = 3, 3.5  # cut-offs
# cut-off, T, rho, U/N and its error, p and its error, thousands of steps, largest errors of ours
POINTS = (
    (NIST, 0.85, 0.820, -5.795079, 355e-6, 0.55355, 2e-3, 40, 4e-3, 0.02),
    (NIST, 0.85, 0.860, -6.030030, 549e-6, 1.2660, 2e-3, 40, 4e-3, 0.02),
    (NIST, 0.85, 0.009, -0.093966, 47e-6, 7.1641e-3, 1e-6, 120, 1.5e-3, 7e-6),
    (KOLAFA, 1.0, 0.70, -4.8877, 5e-3, 0.018, 0.02, 25, 4e-3, 0.02),
    (KOLAFA, 1.5, 0.80, -5.1230, 5e-3, 3.278, 0.02, 25, 4e-3, 0.02),
    (KOLAFA, 2.0, 0.30, -1.9270, 4e-3, 0.4864, 4e-3, 25, 6e-3, 4e-3),
)
LONGER = (
    (NIST, 0.85, 0.776, -5.511923, 371e-6, 6.77e-3, 2e-3, 40, 4e-3, 0.02),
    (NIST, 0.85, 0.001, -0.010335, 11e-6, 8.4402e-4, 1e-8, 120, 4e-4, 3e-7),
    (NIST, 0.85, 0.003, -0.031042, 18e-6, 2.4965e-3, 1e-7, 120, 8e-4, 1e-6),
    (NIST, 0.90, 0.005, -0.049739, 20e-6, 4.3569e-3, 2e-7, 120, 1e-3, 3e-6),
)


def averages(x, weight, n=25):
    """Mean and its error, from the means without one of n blocks that follow each other."""
    import numpy as np
    x, weight = (np.asarray(a)[len(a) % n:].reshape(n, -1) for a in (x * weight, weight))
    x, weight = x.sum(1), weight.sum(1)
    mean = x.sum() / weight.sum()
    without = (x.sum() - x) / (weight.sum() - weight)
    return mean, np.sqrt((n - 1) / n * ((without - mean) ** 2).sum())


def samples(pelsim, options, number, cutoff, t, rho, steps):
    """Energies, pressures of the pairs, and weights."""
    import numpy as np
    liquid = rho > 0.1
    name, melting = f"{t}_{rho}", 8000
    keys = {"run.model": "lj", "start.nx": 5, "start.ny": 5, "start.nz": 5, "start.density": rho,
            "start.temperature": 6 if liquid else 3, "start.seed": 100 + number, "lj.cutoff": cutoff,
            "time.dt": 0.003 if liquid else 0.005, "diagnostics.every": 10,
            "ensemble.thermostat": "bussi" if liquid else "langevin",
            "ensemble.thermostat_time": 0.05 if liquid else 1}
    melt = pelsim.case("melt_" + name, keys | {
        "lj.tail": True, "ensemble.temperature": 3, "ensemble.end_temperature": t,
        "ensemble.ramp_steps": 4000, "time.steps": melting}, threads=options.threads)

    def run(shift):
        d = pelsim.case(f"{shift}_{name}", keys | {
            "lj.shift": shift, "lj.tail": shift == "none", "ensemble.temperature": t,
            "time.steps": melting + steps, "checkpoint.at_end": False}, threads=options.threads,
            options=[f"--resume={melt.path(f'checkpoints/step_{melting:09d}.h5')}"],
            timeout=3600).diagnostics()
        first = np.searchsorted(d["step"], melting + steps // 20)
        return {k: np.asarray(x[first:]) for k, x in d.items()}
    d = run("none")
    weight = np.ones(len(d["step"]))
    if options.full and liquid and cutoff == NIST:
        step = N * (d["potential_energy"] - run("energy")["potential_energy"])
        weight = np.exp(-(step - step.mean()) / t)
    return d["potential_energy"], d["pressure"] - rho * d["temperature"], weight


def point(pelsim, report, options, number, longer, cutoff, t, rho, u, u_error, p, p_error, steps,
          u_most, p_most):
    import numpy as np
    name = f"{'NIST' if cutoff == NIST else 'Kolafa & Nezbeda'}, T {t}, rho {rho}"
    energy, pressure, weight = samples(pelsim, options, number, cutoff, t, rho,
                                       1000 * steps * longer)
    for what, x, want, other, most in (("U", energy, u, u_error, u_most),
                                       ("p", pressure, p - rho * t, p_error, p_most)):
        got, error = averages(x, weight)
        if np.ptp(weight) > 0:
            print(f"{name}: unweighted {what} {averages(x, weight * 0 + 1)[0]:.7g}")
        if what == "p":
            print(f"{name}: p {got + rho * t:.7g}, of which pairs add")
        report.at_most(f"{name}: {what} {got:.6g} +- {error:.2g}, off by errors",
                       abs(got - want) / np.hypot(error, other), 4)
        report.at_most(f"{name}: error of {what}", error, most / longer ** 0.5)


def body(pelsim, report, options):
    for number, values in enumerate(POINTS + (LONGER if options.full else ())):
        point(pelsim, report, options, number, 10 if options.full else 1, *values)


if __name__ == "__main__":
    pelsim_test.main(__doc__, body)
