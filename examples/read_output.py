#!/usr/bin/env python3
"""Reads everything that a run left, and says what it is.

    read_output.py out/quickstart

The four lines that matter are xarray.open_dataset, json.load, numpy.genfromtxt and h5py.File.
Needs numpy, xarray and h5netcdf (or netCDF4), h5py."""
import json
import os
import sys

import h5py
import numpy as np
import xarray as xr


def show_run(path):
    with open(path, encoding="utf-8") as f:
        run = json.load(f)
    layout = run["layout"]
    what = "atoms" if "atoms" in layout else "cells"
    print(f"model        {run['model']}: {run['state']}, step {run['step']}, {run['time']:g} s")
    print(f"layout       {layout['ranks']} ranks x {layout['threads']} threads, "
          f"{layout[what]} {what}")
    print(f"fingerprint  {run.get('fingerprint')}")


def show_diagnostics(path):
    table = np.genfromtxt(path, delimiter=",", names=True)
    table = np.atleast_1d(table)
    print(f"\ndiagnostics  {len(table)} rows")
    for name in table.dtype.names[3:]:
        print(f"  {name:22s} {table[name][0]: .10g} -> {table[name][-1]: .10g}")


def show_fields(path):
    with xr.open_dataset(path) as data:
        print(f"\nfields       {data.sizes['time']} records, "
              f"{str(data.time.values[0])[:19]} to {str(data.time.values[-1])[:19]}")
        for name, x in data.data_vars.items():
            if x.dims[:1] == ("time",) and x.ndim > 1:
                print(f"  {name:22s} {'x'.join(x.dims):20s} [{x.attrs.get('units', '1')}] "
                      f"{x.attrs.get('long_name', '')}")


def show_trajectory(path):
    with h5py.File(path) as data:
        frames = data["particles/trajectory"]
        print(f"\ntrajectory   {len(frames['position/step'])} frames, "
              f"time {frames['position/time'][0]:g} to {frames['position/time'][-1]:g}")
        for name, x in frames.items():
            if isinstance(x, h5py.Group) and "value" in x:
                print(f"  {name:22s} {'x'.join(map(str, x['value'].shape))}")


def show_checkpoints(folder):
    for name in sorted(os.listdir(folder)):
        if name.endswith(".h5"):
            with h5py.File(os.path.join(folder, name)) as f:
                arrays = [k for k, v in f.items() if isinstance(v, h5py.Dataset)]
                print(f"\ncheckpoint   {name}: {', '.join(arrays)} at {f.attrs['time']:g} s")


def main():
    if len(sys.argv) != 2 or not os.path.exists(os.path.join(sys.argv[1], "run.json")):
        sys.exit(__doc__)
    where = sys.argv[1]
    show_run(os.path.join(where, "run.json"))
    show_diagnostics(os.path.join(where, "diagnostics.csv"))
    if os.path.exists(os.path.join(where, "fields.nc")):
        show_fields(os.path.join(where, "fields.nc"))
    if os.path.exists(os.path.join(where, "trajectory.h5md")):
        show_trajectory(os.path.join(where, "trajectory.h5md"))
    show_checkpoints(os.path.join(where, "checkpoints"))


if __name__ == "__main__":
    main()
