#!/usr/bin/env python3
"""Draws what a run of particles measured: g(r), the mean square displacement and the autocorrelation
of the velocity, with bands of two standard errors.

    plot_observables.py out/argon/observables.h5 -o argon.png

Needs h5py, numpy and matplotlib.
"""
import argparse
import sys

import h5py
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

# name, its axis, diffusion that follows, title
PANELS = (("radial_distribution", "distance", None, "radial distribution"),
          ("mean_square_displacement", "lag", "diffusion_einstein", "mean square displacement"),
          ("velocity_autocorrelation", "lag", "diffusion_green_kubo",
           "autocorrelation of the velocity"))


def unit_of(x):
    unit = x.attrs.get("unit", "1")
    return "" if unit == "1" else f" [{unit}]"


def panel(ax, top, name, axis, diffusion, title):
    g = top[name]
    x, rows = g[axis][:], g["value"].attrs["rows"].split(", ")
    for label, y, error in zip(rows, g["value"][0], g["error"][0]):
        if diffusion:
            i = rows.index(label)
            label += f": D = {top[diffusion]['value'][0][i]:.4g} ± {top[diffusion]['error'][0][i]:.1g}"
        line, = ax.plot(x, y, lw=1.5, label=label)
        ax.fill_between(x, y - 2 * error, y + 2 * error, color=line.get_color(), alpha=.3, lw=0)
    if name == "radial_distribution":
        ax.axhline(1, color="grey", lw=.6)
    elif name == "velocity_autocorrelation":
        ax.axhline(0, color="grey", lw=.6)
    ax.set_xlim(x[0], x[-1])
    ax.set_title(title)
    ax.set_xlabel(axis + unit_of(g[axis]))
    ax.set_ylabel(unit_of(g["value"]).strip())
    if diffusion or len(rows) > 1:
        ax.legend(frameon=False)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    p.add_argument("file", help="observables.h5 of a run")
    p.add_argument("-o", "--out", default="observables.png", help="picture")
    a = p.parse_args()
    try:
        with h5py.File(a.file, "r") as f:
            top = f["observables"]
            found = [x for x in PANELS if x[0] in top]
            if not found:
                sys.exit(f"plot_observables.py: {a.file} has no curves; ask for them in [analysis]")
            fig, axes = plt.subplots(1, len(found), figsize=(5 * len(found), 3.8), squeeze=False,
                                     layout="constrained")
            for ax, which in zip(axes[0], found):
                panel(ax, top, *which)
    except (OSError, KeyError) as e:
        sys.exit(f"plot_observables.py: cannot read {a.file}: {e}")
    fig.savefig(a.out, dpi=110)
    print(a.out)


if __name__ == "__main__":
    main()
