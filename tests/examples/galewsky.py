#!/usr/bin/python3
"""examples/galewsky: its configuration on a coarse grid, the norms, and what reads the output."""
import example
import pelsim_test

# Of the vorticity at day 0 and 2 on 180x90 [s-1]: standard deviation, least, greatest.  The
# tolerance is for other compilers and processors.
STORED = {0: (2.630e-5, -9.661e-5, 1.1014e-4), 2: (2.387e-5, -8.556e-5, 9.879e-5)}
COARSE = {"grid.nlon": 180, "grid.nlat": 90, "time.end": "2 days", "output.interval": "1 day"}


def body(pelsim, report, options):
    run = pelsim.run(example.config("galewsky_viscous.ini"), pelsim.path("jet"), keys=COARSE,
                     threads=options.threads)
    norms = example.norms(run.path("fields.nc"), "vorticity")
    days = sorted(norms)
    report.true("records, in days", days == [0.0, 1.0, 2.0], days, "0, 1, 2")
    for day, stored in STORED.items():
        for name, got, want in zip(("deviation", "least", "greatest"), norms[day][1:], stored):
            report.near(f"vorticity at day {day}, {name}", got, want, 0.01)

    text = example.script("read_output.py", run.directory).stdout
    for want in ("shallow_water: done", f"fingerprint  {run.fingerprint}", "3 records",
                 "vorticity", "h, hs, u, v at 172800 s", "max_speed"):
        said = want if want in text else text
        report.true(f"read_output.py says '{want[:30]}'", said == want, said, want)
    refused = example.script("norms.py", run.path("fields.nc"), "voticity", want=1).stderr
    report.true("norms.py names the variables there are", "surface_height" in refused, refused.strip(),
                "a list")


if __name__ == "__main__":
    pelsim_test.main(__doc__, body)
