#!/usr/bin/python3
"""examples/barotropic_forecast: from the files beside it to a day of forecast, on a coarse grid."""
import os

import example
import pelsim_test

HERE = os.path.join(example.EXAMPLES, "barotropic_forecast")
MAPS = {"height_500hPa_1958-01.nc": "HGT", "topography_21ka.nc": "Topo"}
COARSE = {"grid.nlon": 144, "grid.nlat": 72, "time.end": "1 day", "output.interval": "12 h"}


def check_maps(pelsim, report):
    """Small enough for a repository, with their source; cutting them once more changes nothing."""
    import netCDF4
    paths = [os.path.join(HERE, name) for name in MAPS]
    report.at_most("size of the maps [bytes]", sum(map(os.path.getsize, paths)), 600e3)
    example.script(os.path.join("barotropic_forecast", "cut.py"), *paths, cwd=pelsim.scratch)
    for name, variable in MAPS.items():
        with netCDF4.Dataset(os.path.join(HERE, name)) as a, \
                netCDF4.Dataset(pelsim.path(name)) as b:
            a.set_auto_mask(False)
            b.set_auto_mask(False)
            report.at_most(f"{name}: values that differ when it is cut again",
                           int((a[variable][:] != b[variable][:]).sum()), 0)
            for attribute in ("source", "references", "history"):
                text = getattr(a, attribute, "")
                report.true(f"{name}: {attribute}", text, text or "none", "some text")


def body(pelsim, report, options):
    os.chdir(example.SOURCE)  # the paths in the configuration are relative to it
    check_maps(pelsim, report)
    run = pelsim.run(example.config("barotropic_forecast.ini"), pelsim.path("forecast"),
                     keys=COARSE, threads=options.threads)
    norms = example.norms(run.path("fields.nc"), "surface_height")
    days = sorted(norms)
    report.true("records, in days", days == [0.0, 0.5, 1.0], days, "0, 0.5, 1")
    for day in (0.0, 1.0):
        mean, deviation, least, greatest = norms[day]
        report.near(f"day {day}: mean height", mean, 10000, 1e-5)
        report.near(f"day {day}: standard deviation", deviation, 264.7, 5e-3)
        report.near(f"day {day}: least height", least, 9415, 2e-3)
        report.near(f"day {day}: greatest height", greatest, 10260, 2e-3)
    d = run.diagnostics()
    report.at_most("relative change of mass", abs(d["mass"][-1] / d["mass"][0] - 1), 1e-13)
    report.at_most("largest wind [m/s]", max(d["max_speed"]), 48)
    report.at_least("least of the largest winds [m/s]", min(d["max_speed"]), 36)


if __name__ == "__main__":
    pelsim_test.main(__doc__, body)
