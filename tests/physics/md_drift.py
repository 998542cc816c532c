#!/usr/bin/python3
"""The energy without a thermostat: how fast it drifts, and how it varies with the time step.

A Lennard-Jones liquid (rho = 0.8442, T = 0.72, 500 particles, cut-off 2.5, shift = force) and copper
at 600 K by EAM.  The drift is the slope of a line through the energy a particle, its error that of the
slope through the means of 25 blocks, which follow each other.

1. The drift, an energy a particle and unit of time, and a particle and step: not more than bounds
   that are far below what the step alone lets the energy vary by.
2. The variation about that line falls with the square of the step, as that of a symplectic method of
   second order does: half the step, a quarter of it.

In both precisions; --full measures over ten times as long."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import pelsim_test

PRECISIONS = ("double", "mixed")
LIQUID = {"run.model": "lj", "start.nx": 5, "start.ny": 5, "start.nz": 5, "start.density": 0.8442,
          "start.temperature": 1.44, "lj.shift": "force"}
COPPER = {"run.model": "eam", "start.units": "metal", "start.nx": 4, "start.ny": 4, "start.nz": 4,
          "start.spacing": 3.64, "start.temperature": 1200,
          "eam.potential": os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                        "../../configs/potentials/Cu_zhou.eam.alloy")}


def line(t, energy, blocks=25):
    """Slope, its error, and the deviation from the line."""
    import numpy as np
    t, energy = (np.asarray(x)[len(x) % blocks:] for x in (t, energy))
    fit = np.polyfit(t, energy, 1)
    rest = energy - np.polyval(fit, t)
    means = rest.reshape(blocks, -1).mean(1)
    at = t.reshape(blocks, -1).mean(1)
    error = np.sqrt((means ** 2).sum() / (blocks - 2) / ((at - at.mean()) ** 2).sum())
    return fit[0], error, rest.std()


class Bench:
    def __init__(self, pelsim, options, name, keys, temperature, dt, steps, unit):
        """Brings a system to its temperature."""
        self.pelsim, self.threads, self.name, self.unit = pelsim, options.threads, name, unit
        self.keys, self.done = keys, steps
        run = pelsim.case(f"{name}_start", keys | {
            "ensemble.thermostat": "bussi", "ensemble.temperature": temperature,
            "ensemble.thermostat_time": 40 * dt, "time.dt": dt, "time.steps": steps},
            threads=self.threads)
        self.checkpoint = run.path(f"checkpoints/step_{steps:09d}.h5")

    def measure(self, dt, time, more=()):
        """On from there at constant energy for so long; drift, its error, deviation."""
        steps = round(time / dt)
        d = self.pelsim.case(self.name, self.keys | {
            "time.dt": dt, "time.steps": self.done + steps, "diagnostics.every": 10,
            "checkpoint.at_end": False} | dict(more), threads=self.threads, timeout=3600,
            options=[f"--resume={self.checkpoint}"]).diagnostics()
        t = [s * dt for s in d["step"]]
        drift, error, deviation = line(t, d["total_energy"])
        print(f"{self.name}, dt {dt}: drift {drift:+.1e} +- {error:.1e} a particle and {self.unit}, "
              f"{drift * dt:+.1e} +- {error * dt:.1e} a particle and step; deviation {deviation:.2e}",
              flush=True)
        return drift, error, deviation


def check(report, bench, dt, time, more, drift_bound, deviation_bound):
    name = f"{bench.name}, dt {dt}"
    drift, error, deviation = bench.measure(dt, time, more)
    report.at_most(f"{name}: drift a particle and step", abs(drift) * dt, drift_bound)
    report.at_most(f"{name}: its error", error * dt, drift_bound / 3)
    report.at_most(f"{name}: deviation", deviation, deviation_bound)
    half = bench.measure(dt / 2, time / 2, more)[2]
    report.near(f"{name}: deviation over that with half the step", deviation / half, 4, 0.15)


def body(pelsim, report, options):
    for precision in PRECISIONS:
        more = {} if precision == "double" else {"precision": precision}
        print(f"precision {precision}")
        liquid = Bench(pelsim, options, "liquid", LIQUID, 0.72, 0.004, 5000, "unit of time")
        check(report, liquid, 0.004, 1000 if options.full else 100,
              {f"lj.{k}": v for k, v in more.items()}, 1e-9, 1e-4)
        copper = Bench(pelsim, options, "copper", COPPER, 600, 0.002, 1000, "ps")
        check(report, copper, 0.002, 100 if options.full else 10,
              {f"eam.{k}": v for k, v in more.items()}, 1e-9, 1e-5)


if __name__ == "__main__":
    pelsim_test.main(__doc__, body)
