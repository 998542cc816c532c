"""Particles from files and to files: runs that start from an exported state end in the same bits,
whatever the format and the number of ranks; NIST's energies; what is wrong with a file is told in
one sentence, on one rank and on four."""
import csv
import json
import os
import re
import stat
import subprocess
import warnings

import h5py
import numpy as np

from clitest import SOURCE, check, finish, has, pelsim, workdir

folder = workdir()
NIST = os.path.join(SOURCE, "tests/data/nist")

CONFIG = """
[run]
model = lj
[start]
{start}
[lj]
cutoff = 2.5
{lj}
[time]
{time}
[output]
every = 20
fields = position, image, velocity, force
[diagnostics]
every = 20
[checkpoint]
every = 20
keep = 9
"""
TWO = "epsilon = 1, 0.5\nsigma = 1, 0.9"


def config(name, start, time="dt = 0.004\nsteps = 40", lj=TWO):
    with open(name, "w", encoding="utf-8") as f:
        f.write(CONFIG.format(start=start, time=time, lj=lj))


def run(name, directory, *words, want=0):
    code, out, err = pelsim("run", name, "--dir", directory, "-t", 1, *words)
    check(f"{directory}: exit code", (code, err if want == 0 else ""), (want, ""))
    return out.splitlines()[-1] if code == 0 else err


# ---- a mixture, written half-way in each format, and continued from there

config("mixture.ini", "nx = 5\nny = 5\nnz = 5\ncomposition = 4, 1\nmass = 1, 2.5\n"
       "density = 0.8\ntemperature = 1.1")
whole = run("mixture.ini", "whole")
HALF = "whole/checkpoints/step_000000020.h5"
SAVED = {
    "trajectory.h5md": None,
    "trajectory.xyz": ("whole/trajectory.h5md", "--frame", 1),
    "trajectory.lmp": ("whole/trajectory.h5md", "--frame", 1, "--format", "lammps-data"),
    "checkpoint.xyz": (HALF, "--format", "xyz"),
    "checkpoint.lmp": (HALF, "--format=lammps-data"),
    "again.xyz": ("checkpoint.lmp",),
}
for name, words in SAVED.items():
    if words:
        check(f"export {name}", pelsim("export", *words, "-o", name), (0, "", ""))
    file, frame = (name, "last") if words else ("whole/" + name, "1")
    for ranks in (1, 2) if name == "checkpoint.lmp" else (1,) if words else (3,):
        config("half.ini", f"file = {file}\nframe = {frame}", "dt = 0.004\nsteps = 20")
        check(f"from {name} on {ranks} ranks", run("half.ini", f"from {name} {ranks}", "-n", ranks),
              whole)
with h5py.File("whole/trajectory.h5md") as f, h5py.File("from trajectory.h5md 3/trajectory.h5md") as g:
    for element in ("position", "image", "velocity", "force"):
        a, b = (x[f"particles/trajectory/{element}/value"] for x in (f, g))
        check(f"the last frames: {element}", np.array_equal(a[2], b[1]), True)
    check("masses", sorted(set(g["particles/trajectory/mass"][:])), [1, 2.5])
code, out, _ = pelsim("export", HALF)
check("export to the standard output", (code, out), (0, open("checkpoint.xyz").read()))
with open("checkpoint.xyz", encoding="utf-8") as f, h5py.File(HALF) as c:
    lines = f.read().splitlines()
    row = [float(x) for x in lines[2 + 7].split()]
    want = [8, c["type"][7], *(c[f"{q}_{a}"][7] for q in ("position", "velocity", "image") for a in "xyz"),
            {1: 1, 2: 2.5}[c["type"][7]]]
    check("a line of XYZ", row, want)
config("resumed.ini", "file = checkpoint.lmp", "dt = 0.004\nsteps = 20")
run("resumed.ini", "resumed", "--steps", 7)
check("resumed on two ranks", run("resumed.ini", "resumed", "--resume", "-n", 2), whole)
config("drawn.ini", "file = checkpoint.lmp\ntemperature = 2", "dt = 0.004\nsteps = 1")
run("drawn.ini", "drawn", "-s", "diagnostics.every=1")
with open("drawn/diagnostics.csv", encoding="utf-8") as f:
    check("velocities drawn anew", float(next(csv.DictReader(f))["temperature"]),
          lambda t: abs(t - 2) < 1e-6)

# ---- NIST's configurations: energies of all pairs within 3 sigma, published to five digits

for number, n, energy in ((1, 800, -4351.5), (2, 200, -690.00), (3, 400, -1146.7)):
    config("nist.ini", f"file = {NIST}/lj_{number}.txt", "dt = 1e-6\nsteps = 1", "cutoff_ = 3")
    text = open("nist.ini", encoding="utf-8").read().replace("cutoff = 2.5\ncutoff_ = 3", "cutoff = 3")
    with open("nist.ini", "w", encoding="utf-8") as f:
        f.write(text)
    run("nist.ini", f"nist{number}")
    with open(f"nist{number}/diagnostics.csv", encoding="utf-8") as f:
        got = n * float(next(csv.DictReader(f))["potential_energy"])
    check(f"NIST {number}", float(f"{got:.4e}"), energy)

# ---- a slab of liquid

config("slab.ini", "nx = 5\nny = 5\nnz = 4\nroom = 1, 1, 3\ndensity = 0.8\ntemperature = 0.7", lj="")
run("slab.ini", "slab")
with h5py.File("slab/trajectory.h5md") as f:
    z = f["particles/trajectory/position/value"][0, :, 2]
    edge = np.diag(f["particles/trajectory/box/edges/value"][0])
    check("the slab's box", abs(edge[2] - 3 * 0.8 * edge[0]) < 1e-12, True)
    check("the slab's middle", z.min() >= edge[2] / 3 - 1e-9 and z.max() < edge[2] * 2 / 3, True)

# ---- two dimensions, which files do not know but the run must say

config("flat.ini", "lattice = hex\nnx = 14\nny = 12\ndensity = 0.8\ntemperature = 0.8", lj="")
flat = run("flat.ini", "flat")
for name, words in {"flat.xyz": (), "flat.lmp": ("--format", "lammps-data")}.items():
    check(f"export {name}",
          pelsim("export", "flat/checkpoints/step_000000020.h5", *words, "-o", name), (0, "", ""))
for name, frame in ("flat.xyz", "last"), ("flat.lmp", "last"), ("flat/trajectory.h5md", "1"):
    config("half.ini", f"file = {name}\nframe = {frame}\ndimensions = 2", "dt = 0.004\nsteps = 20", "")
    check(f"from {name}", run("half.ini", f"flat from {name.replace('/', ' ')}", "-n", 2), flat)
    config("half.ini", f"file = {name}\nframe = {frame}", "dt = 0.004\nsteps = 20", "")
    check(f"from {name}, not said", run("half.ini", "not said", want=2),
          has("[start] dimensions: all particles of file have the same z; say 2, or 3 if"))
config("half.ini", "file = checkpoint.xyz\ndimensions = 2", "dt = 0.004\nsteps = 20")
check("two of three", run("half.ini", "not flat", want=2), has("of file have different z"))

# ---- units that others know

config("real.ini", "units = real\nnx = 4\nny = 4\nnz = 4\nspacing = 5.4\nmass = 39.948\n"
       "temperature = 60", "steps = 40", "epsilon = 0.238\nsigma = 3.405\nskin = 1")
whole = run("real.ini", "real", "-s", "lj.cutoff=8")
config("real2.ini", "units = real\nfile = real/trajectory.h5md\nframe = 1", "steps = 20",
       "epsilon = 0.238\nsigma = 3.405\nskin = 1")
check("units real, from a frame", run("real2.ini", "real2", "-s", "lj.cutoff=8"), whole)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import MDAnalysis
    last = MDAnalysis.Universe("real/trajectory.h5md").trajectory[2]
with open("real/diagnostics.csv", encoding="utf-8") as f:
    row = list(csv.DictReader(f))[2]
check("time in fs, in the table", row["time"], "40")
check("time in ps, in MDAnalysis", abs(last.time - 0.04) < 1e-9, True)
check("temperature of MDAnalysis' velocities",
      abs(39.948 * (last.velocities.astype("f8") ** 2).sum() / (3 * 256 - 3) / 0.831446261815324
          - float(row["temperature"])) < 1e-3, True)

config("argon.ini", "units = metal\nnx = 4\nny = 4\nnz = 4\nspacing = 5.4\nmass = 39.948\n"
       "temperature = 60", "steps = 40", "epsilon = 0.0103\nsigma = 3.405\nskin = 1")
run("argon.ini", "argon", "-s", "lj.cutoff=8")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import MDAnalysis
    u = MDAnalysis.Universe("argon/trajectory.h5md")  # units and all: no option is needed
    with h5py.File("argon/trajectory.h5md") as f:
        g = f["particles/trajectory"]
        check("mass in g/mol", abs(g["mass"][0] - 39.948) < 1e-9, True)
        for r, ts in enumerate(u.trajectory):
            check(f"time of frame {r} in ps", abs(ts.time - 0.02 * r) < 1e-9, True)
            check(f"positions of frame {r}",
                  np.array_equal(ts.positions, g["position/value"][r].astype("f4")), True)
            check(f"velocities of frame {r}",
                  np.allclose(ts.velocities, g["velocity/value"][r], rtol=1e-6), True)
        check("unit of forces", g["force/value"].attrs["unit"], "kJ mol-1 Angstrom-1")
check("verify", pelsim("verify", "argon/trajectory.h5md")[0], 0)
os.symlink("linked.xyz", "link.xyz")
os.mkfifo("pipe")
with subprocess.Popen(["cat", "pipe"], stdout=subprocess.PIPE, text=True) as reader:
    for target in "link.xyz", "link.xyz", "pipe":
        check(f"export to {target}", pelsim("export", "argon/trajectory.h5md", "-o", target), (0, "", ""))
    if not stat.S_ISFIFO(os.stat("pipe").st_mode):
        reader.kill()
    with open("linked.xyz", encoding="utf-8") as f:
        check("what came out of the pipe", reader.communicate()[0] == f.read(), True)
check("the link and the pipe", (os.path.islink("link.xyz"), stat.S_ISFIFO(os.stat("pipe").st_mode)),
      (True, True))
check("export argon", pelsim("export", "argon/trajectory.h5md", "-o", "argon.xyz"), (0, "", ""))
config("argon2.ini", "units = metal\nfile = argon.xyz", "steps = 1",
       "epsilon = 0.0103\nsigma = 3.405\nskin = 1")
run("argon2.ini", "argon2", "-s", "lj.cutoff=8", "-s", "diagnostics.every=1")
last = [list(csv.DictReader(open(f"{d}/diagnostics.csv", encoding="utf-8"))) for d in ("argon", "argon2")]
check("energy after a file in metal units", abs(float(last[0][-1]["total_energy"]) - float(last[1][0]["total_energy"])) < 1e-9, True)

# ---- what cannot be, on one rank and on four

GOOD = open("checkpoint.lmp", encoding="utf-8").read()
with open("cut.lmp", "w", encoding="utf-8") as f:
    f.write(GOOD[:GOOD.rindex("\n", 0, len(GOOD) // 3) + 1])
with open("walls.lmp", "w", encoding="utf-8") as f:
    f.write(re.sub(r"\n9 ([12]) ", r"\n9 \1 -", GOOD, count=1))
for name, start, code, parts in (
        ("cut short", "file = cut.lmp", 4, ["wrong.ini:5: [start] file: cut.lmp:", "of 500 atoms"]),
        ("no file", "file = nowhere.xyz", 4, ["[start] file: cannot read nowhere.xyz: No such file"]),
        ("no frame", "file = whole/trajectory.h5md\nframe = 9", 2,
         ["whole/trajectory.h5md has 3 frames; there is no frame 9"]),
        ("a frame of one", "file = checkpoint.lmp\nframe = 9", 2, ["is a LAMMPS data file, which has one"]),
        ("another format", "file = checkpoint.lmp\nformat = xyz", 4, ["checkpoint.lmp:1: the number of"]),
        ("a directory", "file = whole", 4, ["whole is a directory, not a file"]),
        ("a checkpoint", f"file = {HALF}", 4, ["is a checkpoint: continue it with --resume"]),
        ("a lattice too", "file = checkpoint.lmp\nnx = 4", 2, ["[start] nx: file is given too"]),
        ("units", "units = real\nmass = 1\nfile = argon/trajectory.h5md", 2,
         ["[start] units: real does not go with [start] file, whose time unit is 'ps'"]),
        ("outside a wall", "file = walls.lmp\nwalls = xyz", 4, ["particle 9 stands at x = -", "walls there"]),
        ("room", "room = 0.5", 2, ["[start] room: 0.5 is out of range"])):
    config("wrong.ini", start, lj=TWO if ".lmp" in start else "")
    for ranks in (1, 4):
        got, _, err = pelsim("run", "wrong.ini", "--dir", "wrong", "-t", 1, "-n", ranks)
        check(f"{name} on {ranks} ranks, exit code", got, code)
        check(f"{name} on {ranks} ranks", err, has(*parts))
        check(f"{name} on {ranks} ranks: sentences", err.count("\n"), 1)
for words, code, parts in ((("whole", "--frame", 1), 2, ["is a checkpoint, which has one frame"]),
                           (("nowhere",), 4, ["No such file or directory"]),
                           ((HALF, "--format", "pdb"), 2, ["format 'pdb' is not xyz or lammps-data"]),
                           ((HALF, "-o", "nowhere/x"), 4, ["export: cannot create nowhere/x"])):
    got, out, err = pelsim("export", *words)
    check(f"export {words}: exit code", (got, out), (code, ""))
    check(f"export {words}", err, has(*parts))
check("nothing is left", os.path.exists("wrong"), False)
check("info", json.loads(pelsim("info", "--json", "argon/trajectory.h5md")[1])["time_unit"], "ps")

finish(folder)
