#!/usr/bin/python3
"""One Lennard-Jones system in three systems of units: argon, epsilon/k = 119.8 K, sigma = 3.405
Angstrom, 39.948 g/mol.  Temperature, energies and pressures, made reduced by the constants of LAMMPS,
are those of the run in reduced units; so is the density under a barostat.  The constants themselves
against CODATA 2018, of which these are an older edition."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import pelsim_test

T, DT, SIGMA, MASS, RHO, PRESSURE = 1.44, 0.005, 3.405, 39.948, 0.8442, 2.0
# k, mass and pressure factors of each system; its unit of energy [J], of time and of pressure in SI.
SYSTEMS = {"metal": (8.617343e-5, 1.0364269e-4, 1.6021765e6, 1.602176634e-19, 1e-12, 1e5),
           "real": (0.0019872067, 48.88821291 ** 2, 68568.415, 4184 / 6.02214076e23, 1e-15, 101325)}
K, DALTON, ANGSTROM = 1.380649e-23, 1.66053906660e-27, 1e-10


def keys(name, bath):
    k, mass, pressure = SYSTEMS.get(name, (1, 1, 1))[:3]
    sigma, epsilon = (1, 1) if name == "lj" else (SIGMA, 119.8 * k)
    m = 1 if name == "lj" else MASS
    tau = sigma * (m * mass / epsilon) ** .5
    found = {"run.model": "lj", "start.units": name, "start.nx": 6, "start.ny": 6, "start.nz": 6,
             "start.density": RHO / sigma ** 3, "start.mass": m, "start.temperature": T * epsilon / k,
             "lj.epsilon": epsilon, "lj.sigma": sigma, "lj.cutoff": 2.5 * sigma, "lj.skin": .3 * sigma,
             "lj.tail": True, "time.dt": repr(DT * tau), "time.steps": 60, "diagnostics.every": 20,
             "checkpoint.at_end": False}
    if bath:
        found |= {"ensemble.thermostat": "bussi", "ensemble.thermostat_time": 0.1 * tau,
                  "ensemble.barostat": "c_rescale", "ensemble.barostat_time": 0.5 * tau,
                  "ensemble.pressure": PRESSURE * epsilon / sigma ** 3 * pressure,
                  "ensemble.compressibility": 0.1 * sigma ** 3 / epsilon / pressure,
                  "ensemble.temperature": T * epsilon / k}
    scale = {"temperature": epsilon / k, "potential_energy": epsilon, "total_energy": epsilon,
             "conserved": epsilon, "pressure": epsilon / sigma ** 3 * pressure,
             "density": sigma ** -3, "time": tau}
    return found, scale


def body(pelsim, report, options):
    for bath in (False, True):
        want = pelsim.case(f"lj_{bath}", keys("lj", bath)[0], threads=options.threads).diagnostics()
        for name in SYSTEMS:
            words, scale = keys(name, bath)
            got = pelsim.case(f"{name}_{bath}", words, threads=options.threads).diagnostics()
            for column, unit in scale.items():
                if column in want:
                    off = max(abs(x / unit - y) for x, y in zip(got[column], want[column]))
                    report.at_most(f"{name}{', in a bath' * bath}: {column}", off, 1e-7)
    for name, (k, mass, pressure, energy, time, bar) in SYSTEMS.items():
        report.near(f"{name}: k", k, K / energy, 3e-6)
        report.near(f"{name}: mass", mass, DALTON * (ANGSTROM / time) ** 2 / energy, 3e-6)
        report.near(f"{name}: pressure", pressure, energy / ANGSTROM ** 3 / bar, 3e-6)


if __name__ == "__main__":
    pelsim_test.main(__doc__, body)
