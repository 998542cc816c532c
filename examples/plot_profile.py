#!/usr/bin/env python3
"""Density along the longest axis of the box, averaged over the frames of a trajectory:
plot_profile.py TRAJECTORY [-o PICTURE] [--from FRACTION] [--bins N]."""
import argparse

import h5py
import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402


def profile(path, begin, bins):
    """Places along the axis from the middle of the mass, and the density there."""
    with h5py.File(path, "r") as f:
        group = f["particles/trajectory"]
        position, edges = group["position/value"], group["box/edges/value"]
        first = int(begin * len(position))
        axis = int(np.argmax(np.diag(edges[0])))
        total = np.zeros(bins)
        for frame in range(first, len(position)):
            length = np.diag(edges[frame])
            angle = 2 * np.pi * position[frame, :, axis] / length[axis]
            middle = np.arctan2(np.sin(angle).mean(), np.cos(angle).mean())  # of a periodic box
            x = np.mod(angle - middle + np.pi, 2 * np.pi) / (2 * np.pi)
            counts, _ = np.histogram(x, bins, (0, 1))
            total += counts / (np.prod(length) / bins)
        return ((np.arange(bins) + .5) / bins - .5) * length[axis], total / (len(position) - first)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("trajectory")
    p.add_argument("-o", "--output", default="profile.png")
    p.add_argument("--from", dest="begin", type=float, default=0.5, help="part of the frames to leave out")
    p.add_argument("--bins", type=int, default=100)
    a = p.parse_args()
    x, density = profile(a.trajectory, a.begin, a.bins)
    quarter = len(x) // 8
    middle = density[len(x) // 2 - quarter // 2:len(x) // 2 + quarter // 2].mean()
    outside = np.r_[density[:quarter], density[-quarter:]].mean()
    print(f"density in the middle {middle:.4f}, outside {outside:.4f}")
    plt.figure(figsize=(7, 3.5), layout="constrained")
    plt.plot(x, density)
    plt.xlabel("distance from the middle of the slab")
    plt.ylabel("number density")
    plt.ylim(bottom=0)
    plt.savefig(a.output, dpi=120)


main()
