#!/usr/bin/python3
"""configs/lj_slab.ini gives the densities of examples/slab/README.md; configs/lj_npt.ini meets its
state point."""
import csv
import sys

import example
import pelsim_test


def body(pelsim, report, options):
    slab = pelsim.run(example.config("lj_slab.ini"), pelsim.path("slab"), threads=options.threads)
    path = pelsim.path("slab.png")
    said = example.script("plot_profile.py", slab.path("trajectory.h5md"), "-o", path).stdout.split()
    report.near("density of the liquid", float(said[4].rstrip(",")), 0.70, 0.015)
    report.near("density of the vapour", float(said[6]), 0.025, 0.24)
    npt = pelsim.run(example.config("lj_npt.ini"), pelsim.path("npt"), threads=options.threads)
    with open(npt.path("diagnostics.csv"), encoding="utf-8", newline="") as f:
        rows = [r for r in csv.DictReader(f) if int(r["step"]) >= 4000]
    for name, want, bound in (("temperature", 0.85, 0.01), ("density", 0.820, 0.004),
                              ("potential_energy", -5.80, 0.003), ("pressure", 0.56, 0.07)):
        report.near(f"{name} at constant pressure", sum(float(r[name]) for r in rows) / len(rows),
                    want, bound)


if __name__ == "__main__":
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        print("skipped: no matplotlib here; install python3-matplotlib")
        sys.exit(77)
    pelsim_test.main(__doc__, body)
