#!/usr/bin/python3
"""Diffusion and structure, with the errors that pelsim gives.

1. Particles that feel nothing but a Langevin thermostat of friction 1/tau: the autocorrelation of
   the velocity is 3 T exp(-t/tau), the mean square displacement 6 T tau (t - tau (1 - exp(-t/tau))),
   the diffusion T tau; g(r) = 1.
2. The Lennard-Jones liquid of NIST at density 0.776, temperature 0.85, 500 particles, cut-off 3 with
   corrections: diffusion 0.061, energy -5.5119(4), pressure 0.0068 (NVT Monte Carlo).  Its first
   neighbours are at 1.09 and 12 to 13 in number (Yarnell et al. 1973 for argon: 12.2)."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import pelsim_test

CUBE = {"run.model": "lj", "start.nx": 5, "start.ny": 5, "start.nz": 5, "time.dt": 0.005,
        "checkpoint.at_end": False, "analysis.averages": True, "analysis.rdf": True,
        "analysis.msd": True, "analysis.vacf": True}


class Results:
    def __init__(self, run):
        import h5py
        self.f = h5py.File(run.path("observables.h5"), "r")["observables"]

    def __getitem__(self, name):
        return self.f[name]["value"][0], self.f[name]["error"][0]

    def along(self, name, axis):
        return self.f[name][axis][:]


def within(report, what, got, error, want, sigmas, most):
    """got is want within so many of its errors, which are no more than `most`."""
    report.at_most(f"{what}: {got:.5g} +- {error:.2g} is {want:.5g}: errors off",
                   abs(got - want) / error, sigmas)
    report.at_most(f"{what}: error", error, most)


def langevin(pelsim, report, options):
    import numpy as np
    temperature, tau = 1.3, 0.25
    keys = CUBE | {"lj.epsilon": 1e-6, "lj.sigma": 1e-3, "lj.cutoff": 0.5, "start.density": 0.4,
                   "start.temperature": temperature, "ensemble.thermostat": "langevin",
                   "ensemble.thermostat_time": tau, "time.steps": 13000, "analysis.from": 1000,
                   "analysis.window": 800, "analysis.rdf_range": 4}
    r = Results(pelsim.case("langevin", keys, threads=options.threads))
    t = r.along("velocity_autocorrelation", "lag")
    (vacf,), (vacf_error,) = r["velocity_autocorrelation"]
    (msd,), (msd_error,) = r["mean_square_displacement"]
    (g,), (g_error,) = r["radial_distribution"]
    decay = np.exp(-t / tau)
    d = temperature * tau
    within(report, "velocity squared", vacf[0], vacf_error[0], 3 * temperature, 4, 0.02)
    report.at_most("velocities correlated: largest error",
                   float(np.max(np.abs(vacf - 3 * temperature * decay))), 0.05)
    report.at_most("displacement: largest relative error", float(np.max(np.abs(
        msd[20:] / (6 * d * (t - tau * (1 - decay)))[20:] - 1))), 0.03)
    report.at_most("displacement at the end: relative error given", msd_error[-1] / msd[-1], 0.02)
    for name in ("diffusion_einstein", "diffusion_green_kubo"):
        (got,), (error,) = r[name]
        within(report, name, got, error, d, 4, 0.02 * d)
    off = (g[20:] - 1) / g_error[20:]
    report.at_most("g of a gas: mean square of (g-1)/error", float(np.mean(off**2)), 1.6)
    report.at_least("g of a gas: mean square of (g-1)/error", float(np.mean(off**2)), 0.6)
    at = r.along("radial_distribution", "distance")
    pairs = 500 * 499 / 2 * 4 * np.pi * at**2 * 0.02 * 0.4 / 500 * 241  # in all samples of a bin
    report.at_most("g of a gas: largest |g-1| sqrt(pairs)",
                   float(np.max((np.abs(g - 1) * np.sqrt(pairs))[20:])), 5)


def liquid(pelsim, report, options):
    import numpy as np
    keys = CUBE | {"lj.cutoff": 3, "lj.tail": True, "start.density": 0.776, "start.temperature": 1.6,
                   "ensemble.thermostat": "bussi", "ensemble.temperature": 0.85,
                   "time.steps": 60000, "analysis.from": 4000, "analysis.window": 600,
                   "analysis.origins": 60, "diagnostics.every": 10, "analysis.rdf_range": 4.3}
    r = Results(pelsim.case("liquid", keys, threads=options.threads))
    for name, want, most in (("temperature", 0.85, 0.004), ("potential_energy", -5.51192, 0.004),
                             ("pressure", 0.00677, 0.02)):
        (got, error) = (float(x) for x in r[f"averages/{name}"])
        within(report, name, got, error, want, 4, most)
    for name in ("diffusion_einstein", "diffusion_green_kubo"):
        (got,), (error,) = r[name]
        report.near(name, got, 0.061, 0.05)
        report.at_most(f"{name}: error", error, 0.0015)
    (g,), _ = r["radial_distribution"]
    d = r.along("radial_distribution", "distance")
    peak = int(np.argmax(g))
    valley = peak + int(np.argmin(g[peak:peak + 40]))
    shell = 4 * np.pi * 0.776 * d**2 * (d[1] - d[0])
    report.near("first peak at", float(d[peak]), 1.09, 0.02)
    report.near("its height", float(g[peak]), 2.73, 0.04)
    report.near("first minimum at", float(d[valley]), 1.55, 0.04)
    report.near("neighbours up to it", float((g * shell)[:valley].sum()), 12.5, 0.05)


def body(pelsim, report, options):
    langevin(pelsim, report, options)
    liquid(pelsim, report, options)


if __name__ == "__main__":
    pelsim_test.main(__doc__, body)
