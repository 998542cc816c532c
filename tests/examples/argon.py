#!/usr/bin/python3
"""configs/argon.ini, half as long, gives the numbers of examples/argon/README.md, and
examples/plot_observables.py draws them."""
import sys

import example
import pelsim_test


def body(pelsim, report, options):
    import h5py
    import matplotlib.image
    import numpy as np
    run = pelsim.run(example.config("argon.ini"), pelsim.path("argon"), threads=options.threads,
                     keys={"time.steps": 11000})
    with h5py.File(run.path("observables.h5"), "r") as f:
        top = f["observables"]
        for name, want, least in (("averages/temperature", 94.4, 0.15),
                                  ("diffusion_einstein", 2.56e-4, 2e-6),
                                  ("diffusion_green_kubo", 2.57e-4, 2e-6)):
            got, error = (float(np.ravel(top[name][x])[0]) for x in ("value", "error"))
            report.at_most(f"{name}: {got:.4g} +- {error:.2g} is {want:.4g}: errors off",
                           abs(got - want) / max(error, least), 4)
            report.at_most(f"{name}: relative error", error / want, 0.03)
        unit = top["diffusion_einstein/value"].attrs["unit"]
        report.true("unit of the diffusion", unit == "Angstrom+2 fs-1", unit, "Angstrom+2 fs-1")
        r, g = top["radial_distribution/distance"][:], top["radial_distribution/value"][0, 0]
        for low, high, want in ((3, 5, 3.7), (6, 8.5, 7.1), (9, 11.5, 10.2)):
            part = (r > low) & (r < high)
            c = np.polyfit(r[part] - want, g[part], 6)
            x = np.linspace(low + .2, high - .2, 2000)
            top_at = float(x[np.argmax(np.polyval(c, x - want))])
            report.near(f"maximum of g(r) near {want}", top_at, want, 0.03)
    text = example.script("read_output.py", run.directory).stdout
    report.true("read_output.py", "864 atoms" in text, text, "864 atoms")
    path = pelsim.path("argon.png")
    said = example.script("plot_observables.py", run.path("observables.h5"), "-o", path).stdout
    report.true("what the script says", said.strip() == path, said.strip(), path)
    image = matplotlib.image.imread(path)[:, :, :3]
    report.at_least("width of the picture", image.shape[1], 1200)
    report.at_least("spread of its colours", float(image.std()), 0.05)
    said = example.script("plot_observables.py", run.path("diagnostics.csv"), want=1).stderr
    report.true("no HDF5", said.startswith("plot_observables.py: cannot read"), said,
                "one sentence")


if __name__ == "__main__":
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        print("skipped: no matplotlib here; install python3-matplotlib")
        sys.exit(77)
    pelsim_test.main(__doc__, body)
