#!/usr/bin/env python3
"""What pelsim writes, as others read it: xarray (netcdf4 and h5netcdf), h5py, ncdump and h5dump;
a full disk; a file beneath a reader.  Usage: test_formats.py PELSIM SOURCE"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

import h5py
import numpy as np
import xarray as xr

PELSIM = os.path.abspath(sys.argv[1])

CONFIG = """
[run]
model = heat
title = a bar that cools
[grid]
nx = {nx}
ny = {ny}
nz = {nz}
boundary = even
[time]
dt = 1e-6
steps = {steps}
start = 2003-04-05 06:07:08
calendar = {calendar}
[output]
every = {every}
precision = {precision}
[checkpoint]
every = {every}
keep = 2
"""


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def equal(got, want, what):
    check(got == want, f"{what}: got {got!r}, want {want!r}")


def run(*arguments, want=0, cwd=None):
    p = subprocess.run(arguments, capture_output=True, text=True, cwd=cwd)
    equal(p.returncode, want, f"{' '.join(arguments)}\n{p.stdout}{p.stderr}\nexit code")
    return p.stdout


def configure(name, **keys):
    values = dict(nx=24, ny=10, nz=1, steps=20, every=5, precision="double",
                  calendar="proleptic_gregorian")
    values.update(keys)
    with open(name, "w") as f:
        f.write(CONFIG.format(**values))


def open_in_xarray(path, shape, dims, dtype):
    """Every way in must see the same data set."""
    seen = []
    for engine in ("netcdf4", "h5netcdf"):
        with xr.open_dataset(path, engine=engine) as d:
            equal(d.sizes["time"], shape[0], f"{engine}: records")
            equal(d.u.dims, dims, f"{engine}: dimensions of u")
            equal(d.u.shape, shape, f"{engine}: shape of u")
            equal(d.u.dtype, np.dtype(dtype), f"{engine}: type of u")
            equal(d.u.attrs["units"], "K", f"{engine}: units of u")
            equal(d.u.attrs["cell_methods"], "time: point", f"{engine}: cell methods")
            check("_FillValue" in d.u.encoding, f"{engine}: no _FillValue")
            equal(d.attrs["Conventions"], "CF-1.10", f"{engine}: conventions")
            equal(d.attrs["title"], "a bar that cools", f"{engine}: title")
            config = json.loads(d.attrs["pelsim_config"])
            check("heat" in json.dumps(config), f"{engine}: configuration")
            for axis in dims[1:]:
                n = d.sizes[axis]
                np.testing.assert_allclose(d[axis], (np.arange(n) + 0.5) / n, rtol=1e-14)
                bounds = d[d[axis].attrs["bounds"]]
                np.testing.assert_allclose(bounds[:, 0], np.arange(n) / n, atol=1e-14)
                np.testing.assert_allclose(bounds[:, 1], (np.arange(n) + 1) / n, rtol=1e-14)
                equal(d[axis].attrs["units"], "m", f"{engine}: units of {axis}")
            check(np.isfinite(d.u).all(), f"{engine}: values that are not finite")
            check(float(abs(d.u[-1]).max()) < float(abs(d.u[0]).max()), f"{engine}: no cooling")
            seen.append(d.load().copy())
    check(seen[0].identical(seen[1]), "the two engines differ")
    return seen[0]


def series(dims_case):
    nx, ny, nz, dims = dims_case
    configure("a.ini", nx=nx, ny=ny, nz=nz)
    configure("b.ini", nx=nx, ny=ny, nz=nz, precision="single")
    run(PELSIM, "run", "a.ini", "--dir", "a", "--overwrite")
    run(PELSIM, "run", "b.ini", "--dir", "b", "--overwrite")
    shape = (5,) + tuple(n for n in (nz, ny, nx) if n > 1)
    a = open_in_xarray("a/fields.nc", shape, ("time",) + dims, "float64")
    b = open_in_xarray("b/fields.nc", shape, ("time",) + dims, "float32")
    equal(str(a.time.values[0])[:19], "2003-04-05T06:07:08", "first date")
    check(np.array_equal(a.u.values.astype("float32"), b.u.values), "single is not rounded double")
    equal(list(a.step.values), [0, 5, 10, 15, 20], "steps")
    head = run("ncdump", "-h", "a/fields.nc")
    for line in ("time = UNLIMITED ; // (5 currently)", f"double u(time, {', '.join(dims)}) ;",
                 'time:units = "seconds since 2003-04-05 06:07:08" ;', 'time:axis = "T" ;'):
        check(line in head, f"ncdump -h shows no '{line}':\n{head}")
    check("phony_dim" not in head, "a dimension without a name")
    head = run("h5dump", "-H", "-p", "a/fields.nc")
    check("H5D_FILL_TIME_NEVER" in head, "h5dump shows no unfilled dataset")


def calendars():
    configure("c.ini", calendar="360_day")
    run(PELSIM, "run", "c.ini", "--dir", "c", "--overwrite")
    with xr.open_dataset("c/fields.nc", engine="netcdf4", use_cftime=True) as d:
        equal(type(d.time.values[0]).__name__, "Datetime360Day", "calendar")


def checkpoints():
    configure("d.ini", nx=24, ny=10, nz=6)
    run(PELSIM, "run", "d.ini", "--dir", "d", "--overwrite")
    names = sorted(os.listdir("d/checkpoints"))
    equal(names, ["step_000000015.h5", "step_000000020.h5"], "checkpoints kept")
    path = "d/checkpoints/step_000000020.h5"
    with h5py.File(path) as f, xr.open_dataset("d/fields.nc", engine="netcdf4") as d:
        equal(f["u"].shape, (6, 10, 24), "shape")
        check(np.array_equal(f["u"][:], d.u[-1].values), "checkpoint and output differ")
        equal(int(f.attrs["step"]), 20, "step")
        equal(f.attrs["model"], b"heat", "model")
        equal(f["u"].attrs["unit"], b"K", "unit")
        check(json.loads(f["pelsim/config"][()]), "configuration")
        blocks = f["pelsim/blocks/u"]
        equal(int(sum(np.prod(b["cells"]) for b in blocks)), 6 * 10 * 24, "cells in blocks")
        fingerprint = f.attrs["fingerprint"].decode()
    equal(run(PELSIM, "fingerprint", path).strip(), fingerprint, "fingerprint")
    check(run("h5dump", "-d", "/u", path).count("(5,9,") > 0, "h5dump shows no values")
    with open(path, "rb") as f:
        check(f.readline() == b"pelsim checkpoint 2\n", "the first line")
    run(PELSIM, "verify", path)
    run(PELSIM, "verify", "d/fields.nc")
    info = json.loads(run(PELSIM, "info", "--json", path))
    equal(info["step"], 20, "info: step")
    equal(info["fingerprint"], fingerprint, "info: fingerprint")
    info = json.loads(run(PELSIM, "info", "--json", "d/fields.nc"))
    equal(info["records"], 5, "info: records")


def reader_while_writing():
    """A reader holds the file open (HDF5 locks it) and the run goes on."""
    configure("e.ini")
    run(PELSIM, "run", "e.ini", "--dir", "e", "--steps", "10", "--overwrite")
    with h5py.File("e/fields.nc") as f:
        equal(f["time"].shape, (3,), "records")
        run(PELSIM, "run", "e.ini", "--dir", "e", "--resume")
    with h5py.File("e/fields.nc") as f:
        equal(f["time"].shape, (5,), "records")


def full_disk():
    """A real full file system, if we may mount one: the run goes on, the files stay good."""
    mount = ["unshare", "--mount", "--map-root-user"] if os.geteuid() else ["unshare", "--mount"]
    if subprocess.run(mount + ["mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True).returncode:
        print("full disk: skipped, no file system can be mounted here")
        return
    configure("f.ini", nx=64, ny=64, nz=16, steps=30, every=3)
    for size in ("600k", "1200k", "2500k", "5m"):
        script = (f"mount -t tmpfs -o size={size} none /mnt && mkdir /mnt/run && "
                  f"'{PELSIM}' run f.ini --dir /mnt/run --overwrite; code=$?; "
                  f"ls /mnt/run/checkpoints; for f in /mnt/run/checkpoints/*.h5 /mnt/run/fields.nc; do "
                  f"[ ! -e $f ] || '{PELSIM}' verify $f || exit 99; done; exit $code")
        p = subprocess.run(mount + ["sh", "-c", script], capture_output=True, text=True)
        check(p.returncode in (0, 4), f"{size}: exit code {p.returncode}\n{p.stdout}{p.stderr}")
        check(".tmp" not in p.stdout, f"{size}: a temporary file is left\n{p.stdout}")
        check("the disk is full" in p.stdout + p.stderr, f"{size}: nobody said that the disk is full")


def main():
    scratch = tempfile.mkdtemp(prefix="pelsim_formats_")
    here = os.getcwd()
    os.chdir(scratch)
    try:
        for case in ((24, 10, 1, ("y", "x")), (50, 1, 1, ("x",)), (8, 6, 5, ("z", "y", "x"))):
            series(case)
        calendars()
        checkpoints()
        reader_while_writing()
        full_disk()
    finally:
        os.chdir(here)
        shutil.rmtree(scratch)
    print("all formats read as they should")


main()
