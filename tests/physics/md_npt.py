#!/usr/bin/python3
"""The barostat C-rescale at a state point of NIST: T = 0.85 and p = 0.55355, where 500 Lennard-Jones
particles (cut-off 3 and tail) have rho = 0.820 and U/N = -5.795079(355) (NIST Standard Reference
Simulation Website, SRSW, NVT Monte Carlo; https://doi.org/10.18434/T4M88Q).

Averages over blocks; pressure and density within 4 errors, which must be small.  The volume
fluctuates as the compressibility of NIST's neighbouring points says: var(V)/V^2 = kT kappa/V with
kappa = 1/(rho dp/drho), dp/drho = 15.1 by a parabola through rho = 0.776, 0.820, 0.860."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import pelsim_test

T, P, RHO, U, SLOPE, N = 0.85, 0.55355, 0.820, -5.795079, 15.1, 500
LIQUID = {"run.model": "lj", "start.nx": 5, "start.ny": 5, "start.nz": 5, "start.density": 0.80,
          "start.temperature": 6, "lj.cutoff": 3, "lj.tail": True, "time.dt": 0.005,
          "ensemble.thermostat": "bussi"}


def body(pelsim, report, options):
    import numpy as np
    melt = pelsim.case("melt", LIQUID | {
        "ensemble.temperature": 3, "ensemble.end_temperature": T, "ensemble.ramp_steps": 4000,
        "time.steps": 6000}, threads=options.threads)
    steps = 600_000 if options.full else 150_000
    d = pelsim.case("npt", LIQUID | {
        "ensemble.temperature": T, "ensemble.thermostat_time": 0.5, "ensemble.barostat": "c_rescale",
        "ensemble.pressure": P, "ensemble.barostat_time": 1, "ensemble.compressibility": 0.08,
        "time.steps": 6000 + steps, "diagnostics.every": 20, "checkpoint.at_end": False},
        options=["--resume=" + melt.path("checkpoints/step_000006000.h5")],
        threads=options.threads).diagnostics()
    first = len(d["step"]) // 20

    def average(x, n=30):
        b = np.asarray(x[first:])
        b = b[:len(b) // n * n].reshape(n, -1).mean(1)
        return b.mean(), b.std(ddof=1) / np.sqrt(n)

    rho, error = average(d["density"])
    report.at_most("error of rho", error, 0.002)
    report.at_most(f"|rho - {RHO}| = {abs(rho - RHO):.5f} in errors", abs(rho - RHO) / error, 4)
    p, error = average(d["pressure"])
    report.at_most("error of p", error, 0.02)
    report.at_most(f"|p - {P}| = {abs(p - P):.5f} in errors", abs(p - P) / error, 4)
    t, error = average(d["temperature"])
    report.at_most(f"|T - {T}| = {abs(t - T):.5f} in errors", abs(t - T) / error, 4)
    u, error = average(d["potential_energy"])
    report.at_most("error of U/N", error, 0.01)
    report.at_most(f"|U/N - {U}| = {abs(u - U):.5f} in errors", abs(u - U) / error, 4)
    v = N / np.asarray(d["density"])
    spread, error = average((v - v[first:].mean()) ** 2 / v.mean() ** 2)
    want = T / (RHO * SLOPE) / v.mean()
    report.at_most("error of var(V)", error / want, 0.15)
    report.at_most(f"var(V)/V^2 = {spread:.3g} against {want:.3g}, in errors",
                   abs(spread - want) / (error + 0.05 * want), 4)
    energy = np.asarray(d["conserved"])
    print(f"conserved: drift {np.polyfit(d['time'], energy, 1)[0]:.2e} a particle and unit of time")


if __name__ == "__main__":
    pelsim_test.main(__doc__, body)
