#!/usr/bin/env python3
"""trajectory.h5md as others read it: its structure against the specification of H5MD, h5py,
MDAnalysis; frames equal to checkpoints bit for bit, also after interruptions and kills.
Usage: test_trajectory.py PELSIM SOURCE"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings

import h5py
import numpy as np

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import MDAnalysis

PELSIM = os.path.abspath(sys.argv[1])
RANKS = (1, 2, 3, 4)
ALL = "position, image, velocity, force"

CONFIG = """
[run]
model = lj
title = a crystal that melts
[start]
nx = 4
ny = 5
nz = 6
[lj]
shift = force
[time]
steps = 60
[output]
every = 6
fields = position, image, velocity, force
[diagnostics]
every = 30
[checkpoint]
every = 12
keep = 9
"""


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def equal(got, want, what):
    check(got == want, f"{what}: got {got!r}, want {want!r}")


def run(*arguments, want=0):
    p = subprocess.run([str(a) for a in arguments], capture_output=True, text=True)
    equal(p.returncode, want, f"{' '.join(map(str, arguments))}\n{p.stdout}{p.stderr}\nexit code")
    return p.stdout if want == 0 else p.stderr


def simulate(name, *words, ranks=1, want=0):
    return run(PELSIM, "run", "m.ini", "--dir", name, "-n", ranks, "-t", 1, *words, want=want)


def trajectory(name):
    return os.path.join(name, "trajectory.h5md")


# ---- the specification (h5md.nongnu.org, version 1.1), and the profile that pelsim keeps to


def is_fixed_text(attribute):
    kind = attribute.get_type()
    return isinstance(kind, h5py.h5t.TypeStringID) and not kind.is_variable_str()


def text(group, name):
    check(is_fixed_text(group.attrs.get_id(name)), f"{group.name}@{name} is no text of fixed length")
    return group.attrs[name].decode()


def check_structure(path, frames, particles, elements, dtype):
    with h5py.File(path, "r") as f:
        equal(list(f["h5md"].attrs["version"]), [1, 1], "h5md@version")
        equal(text(f["h5md/author"], "name"), "N/A", "author")
        equal(text(f["h5md/creator"], "name"), "pelsim", "creator")
        check(text(f["h5md/creator"], "version"), "creator@version is empty")
        equal(list(f["particles"]), ["trajectory"], "groups of particles")
        g = f["particles/trajectory"]
        equal(sorted(g), sorted(elements + ["box", "id", "species", "mass"]), "elements")
        equal(int(g["box"].attrs["dimension"]), 3, "box@dimension")
        equal(list(g["box"].attrs["boundary"]), [b"periodic"] * 3, "box@boundary")
        check(is_fixed_text(g["box"].attrs.get_id("boundary")), "box@boundary is not of fixed length")
        step, clock = g["position/step"], g["position/time"]
        equal((step.dtype, step.shape), (np.dtype("int64"), (frames,)), "step")
        equal((clock.dtype, clock.shape), (np.dtype("float64"), (frames,)), "time")
        check(np.all(np.diff(step[:]) > 0), "steps do not increase")
        for element in [g[e] for e in elements] + [g["box/edges"]]:
            equal(sorted(element), ["step", "time", "value"], element.name)
            for column in ("step", "time"):  # one object under many names: hard links
                check(element[column].id == g["position"][column].id,
                      f"{element.name}/{column} is not that of the positions")
                check(isinstance(element.get(column, getlink=True), h5py.HardLink), "a soft link")
        equal(g["box/edges/value"].shape, (frames, 3, 3), "edges")
        for e in elements:
            value = g[e]["value"]
            equal(value.shape, (frames, particles, 3), e)
            equal(value.dtype, np.dtype("int32" if e == "image" else dtype), f"type of {e}")
            check("unit" not in value.attrs, f"{e} has a unit though times are reduced")
        equal(g["id"].shape, (particles,), "id")
        check(np.array_equal(g["id"][:], np.arange(1, particles + 1)), "ids are not in order")
        equal(h5py.check_enum_dtype(g["species"].dtype), {"1": 1}, "species")
        check(np.all(g["species"][:] == 1) and np.all(g["mass"][:] == 1), "species or mass")
        edge = g["box/edges/value"][:]
        x = g["position/value"][:]
        check(np.all(x >= 0) and np.all(x <= edge[:, None, (0, 1, 2), (0, 1, 2)]), "outside the box")
        own = f["parameters/pelsim"]
        equal(own.attrs["model"], b"lj", "model")
        check("time" in json.loads(own["config"][()]), "the configuration")


def same(a, b, what):
    """Every value of two files, bit for bit."""
    with h5py.File(a, "r") as f, h5py.File(b, "r") as g:
        names = []
        f.visit(lambda n: names.append(n) if isinstance(f[n], h5py.Dataset) else None)
        for n in names:
            if not n.endswith("config"):
                check(n in g, f"{what}: no {n}")
                equal(f[n].shape, g[n].shape, f"{what}: shape of {n}")
                equal(f[n][()].tobytes(), g[n][()].tobytes(), f"{what}: {n}")


def test_structure():
    simulate("whole")
    check_structure(trajectory("whole"), 11, 480, ["position", "image", "velocity", "force"], "f8")
    with h5py.File(trajectory("whole"), "r") as f:
        g = f["particles/trajectory"]
        equal(list(g["position/step"][:]), list(range(0, 61, 6)), "steps")
        check(np.allclose(g["position/time"][:], 0.005 * g["position/step"][:], rtol=1e-12), "times")
        for step in (12, 24, 36, 48, 60):
            with h5py.File(f"whole/checkpoints/step_{step:09}.h5", "r") as c:
                for e in ("position", "image", "velocity"):
                    want = np.stack([c[f"{e}_{a}"][:] for a in "xyz"], axis=1)
                    check(np.array_equal(g[e]["value"][step // 6], want), f"{e} of step {step}")
        # without momentum there is no net force either
        check(np.max(np.abs(g["force/value"][:].sum(axis=1))) < 1e-9, "forces do not cancel")
    simulate("single", "-s", "output.precision=single")
    check_structure(trajectory("single"), 11, 480, ["position", "image", "velocity", "force"], "f4")
    with h5py.File(trajectory("whole")) as a, h5py.File(trajectory("single")) as b:
        for e in ("position", "velocity", "force"):
            x, y = (f[f"particles/trajectory/{e}/value"][:] for f in (a, b))
            check(np.array_equal(x.astype("f4"), y), f"{e} in single precision")
    simulate("standard", "-s", "output.fields=standard", "-s", "output.every=20")
    check_structure(trajectory("standard"), 4, 480, ["position", "image"], "f8")
    equal(run(PELSIM, "diff", trajectory("whole"), trajectory("whole")), "", "diff with itself")
    run(PELSIM, "diff", "--tol", "1e-6", trajectory("whole"), trajectory("single"))
    p = subprocess.run([PELSIM, "diff", trajectory("whole"), trajectory("single")],
                       capture_output=True, text=True)
    check(p.returncode == 1 and "velocity: " in p.stdout and "first at frame 0, particle 0" in p.stdout,
          p.stdout)
    info = json.loads(run(PELSIM, "info", "--json", trajectory("whole")))
    equal((info["kind"], info["particles"], info["frames"], info["steps"]),
          ("trajectory", 480, 11, [0, 60]), "info")
    check("11 frames of 480 particles" in run(PELSIM, "verify", "whole"), "verify of the directory")
    for name, index, value in (("position/step", 3, 99), ("position/time", 3, 99.), ("mass", 3, 7.),
                               ("velocity/value", (3, 5, 1), 0.5), ("box/edges/value", (3, 1, 1), 9.),
                               ("id", 4, 7), ("species", 4, 3)):
        shutil.copy(trajectory("whole"), "changed.h5md")
        with h5py.File("changed.h5md", "r+") as f:
            f["particles/trajectory/" + name][index] = value
        p = subprocess.run([PELSIM, "verify", "changed.h5md"], text=True, capture_output=True)
        check(p.returncode == 4 and "damaged" in p.stdout + p.stderr, f"a changed {name}: {p.stdout}{p.stderr}")


def test_interrupted():
    simulate("parts", "--steps", 13)
    simulate("parts", "--steps", 20, "--resume")
    simulate("parts", "--resume")
    same(trajectory("whole"), trajectory("parts"), "in three parts")
    simulate("back", "--resume=whole/checkpoints/step_000000024.h5")
    with h5py.File(trajectory("back")) as f:
        equal(f["particles/trajectory/position/step"][0], 24, "the first frame of a branch")
    simulate("again")
    for step in (36, 48, 60):
        os.remove(f"again/checkpoints/step_{step:09}.h5")
    simulate("again", "--resume")
    same(trajectory("whole"), trajectory("again"), "cut off at a checkpoint and continued")
    told = simulate("parts", "--resume", "-s", "output.fields=standard", "-s", "time.steps=70", want=4)
    check("it has an element velocity, which this run does not write" in told, told)
    told = simulate("parts", "--resume", "-s", "output.precision=single", "-s", "time.steps=70", want=4)
    check("no position of 480 particles in single precision" in told, told)


def test_killed():
    """At any moment: the file opens, all its frames are whole, and the run goes on to the same."""
    words = ["-s", "output.every=1", "-s", "time.steps=3000", "-s", "checkpoint.every=7"]
    seen = 0
    for attempt in range(6):
        shutil.rmtree("killed", ignore_errors=True)
        p = subprocess.Popen([PELSIM, "run", "m.ini", "--dir", "killed", "-t", "1", *words],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not os.path.exists(trajectory("killed")) and p.poll() is None:
            time.sleep(0.001)
        time.sleep(0.02 + 0.03 * attempt)
        p.send_signal(signal.SIGKILL)
        p.wait()
        run(PELSIM, "verify", trajectory("killed"))
        with h5py.File(trajectory("killed"), "r") as f:
            frames = f["particles/trajectory/position/step"].shape[0]
        seen += frames
    check(seen > 30, f"got {seen} frames before six kills, want more than 30")
    stop = ["-s", "output.every=1", "-s", f"time.steps={frames + 10}", "-s", "checkpoint.every=7"]
    simulate("killed", *stop, "--resume")
    simulate("unharmed", *stop)
    same(trajectory("unharmed"), trajectory("killed"), "after a kill")


def test_ranks():
    for n in RANKS[1:]:
        simulate(f"ranks{n}", "--steps", 31, ranks=n)
        simulate(f"ranks{n}", "--resume", ranks=5 - n)
        same(trajectory("whole"), trajectory(f"ranks{n}"), f"{n} ranks, then {5 - n}")


def test_mdanalysis():
    with h5py.File(trajectory("whole"), "r") as f, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        g = f["particles/trajectory"]
        # reduced units have no names: MDAnalysis then needs to be told, and a topology
        u = MDAnalysis.Universe.empty(480, velocities=True, forces=True)
        u.load_new(trajectory("whole"), convert_units=False)
        equal(len(u.trajectory), 11, "frames in MDAnalysis")
        for ts in u.trajectory:
            r = ts.frame
            check(np.array_equal(ts.positions, g["position/value"][r].astype("f4")), f"positions {r}")
            check(np.array_equal(ts.velocities, g["velocity/value"][r].astype("f4")), f"velocities {r}")
            check(np.array_equal(ts.forces, g["force/value"][r].astype("f4")), f"forces {r}")
            edge = np.diag(g["box/edges/value"][r])
            check(np.allclose(ts.dimensions, [*edge, 90, 90, 90], rtol=1e-6), f"box of frame {r}")
            equal(ts.data["step"], 6 * r, "step in MDAnalysis")
            check(abs(ts.time - 0.03 * r) < 1e-12, f"time: got {ts.time}, want {0.03 * r}")


def test_refusals():
    for fields, sentence in (("velocity", "a trajectory cannot be without 'position'; add it"),
                             ("position, h", "particles have no 'h'; there are: position, image"),
                             ("position, position", "'position' is named twice"),
                             ("position,, image", "a name is missing beside a comma")):
        told = simulate("wrong", "-s", f"output.fields={fields}", want=2)
        check(sentence in told and told.count("\n") == 1, told)


def main():
    where = os.getcwd()
    folder = tempfile.mkdtemp()
    os.chdir(folder)
    with open("m.ini", "w", encoding="utf-8") as f:
        f.write(CONFIG)
    try:
        for test in (test_structure, test_interrupted, test_killed, test_ranks, test_mdanalysis,
                     test_refusals):
            test()
            print(f"{test.__name__}: good")
    finally:
        os.chdir(where)
        shutil.rmtree(folder)


main()
