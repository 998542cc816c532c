#!/usr/bin/python3
"""examples/plot_sphere.py draws maps and globes of any staggering, and says what it cannot draw."""
import sys

import example
import pelsim_test

JET = {"run.model": "shallow_water", "shallow_water.initial": "galewsky", "grid.nlon": 72,
       "grid.nlat": 36, "time.steps": 4, "output.every": 2, "output.fields": "vorticity, u, v, h"}
PICTURES = {"jet": (), "u": ("--field", "u", "--latitudes", "10", "80", "--time", "0"),
            "v": ("--field", "v", "--view", "globe", "--centre", "200", "-50"),
            "h": ("--field", "h", "--view", "globe", "--time", "first", "last")}
REFUSED = {"no field 'w'": ("--field", "w"), "no time '9'": ("--time", "9"),
           "no time 'noon'": ("--time", "noon")}


def body(pelsim, report, options):
    import matplotlib.image
    run = pelsim.case("jet", JET, threads=options.threads)
    for name, words in PICTURES.items():
        path = pelsim.path(name + ".png")
        said = example.script("plot_sphere.py", run.path("fields.nc"), *words, "-o", path).stdout
        image = matplotlib.image.imread(path)[:, :, :3]
        report.at_least(f"{name}.png: width", image.shape[1], 400)
        report.at_least(f"{name}.png: spread of colours", float(image.std()), 0.05)
        report.true(f"{name}.png: what was said", path in said, said.strip(), "the file's name")
    for want, words in REFUSED.items():
        said = example.script("plot_sphere.py", run.path("fields.nc"), *words, want=1).stderr
        report.true(want, want in said and len(said.splitlines()) == 1, said, "one sentence")
    said = example.script("plot_sphere.py", run.path("diagnostics.csv"), want=1).stderr
    report.true("not a netCDF file", said.startswith("plot_sphere.py: cannot read"), said,
                "one sentence")


if __name__ == "__main__":
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        print("skipped: no matplotlib here; install python3-matplotlib")
        sys.exit(77)
    pelsim_test.main(__doc__, body)
