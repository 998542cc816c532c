"""The Lennard-Jones melt of LAMMPS (bench/in.lj) and copper by the embedded-atom method, in pelsim and
in what Debian packages of LAMMPS and GROMACS, on the same cores in turn."""
import os
import re
import shutil
import subprocess
import tempfile

ENV = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMP_NUM_THREADS="1")
WARM = 100  # steps that are not timed: the crystal melts

LAMMPS_LJ = """units lj
atom_style atomic
lattice fcc 0.8442
region box block 0 {n} 0 {n} 0 {n}
create_box 1 box
create_atoms 1 box
mass 1 1.0
velocity all create 1.44 87287 loop geom
pair_style lj/cut 2.5
pair_coeff 1 1 1.0 1.0 2.5
neighbor 0.3 bin
neigh_modify delay 0 every 20 check no
fix 1 all nve
run {warm}
run {steps}
"""

LAMMPS_EAM = """units metal
atom_style atomic
lattice fcc 3.615
region box block 0 {n} 0 {n} 0 {n}
create_box 1 box
create_atoms 1 box
pair_style eam/alloy
pair_coeff * * {file} Cu
velocity all create 1600 376847 loop geom
neighbor 1.0 bin
neigh_modify every 1 delay 5 check yes
fix 1 all nve
timestep 0.005
run {warm}
run {steps}
"""

PELSIM = {
    "lj": """[run]
model = lj
[start]
nx = {n}
ny = {n}
nz = {n}
[time]
dt = 0.005
steps = {steps}
[checkpoint]
at_end = no
""",
    "eam": """[run]
model = eam
[eam]
potential = {file}
[start]
units = metal
spacing = 3.615
temperature = 1600
nx = {n}
ny = {n}
nz = {n}
[time]
dt = 5 fs
steps = {steps}
[checkpoint]
at_end = no
""",
}

# Argon: sigma 0.34 nm, epsilon/k 120 K; the same reduced state and step.
GROMACS_TOP = """[ defaults ]
1 2 no 1 1
[ atomtypes ]
AR AR 18 39.948 0 A 0.34 0.997747
[ moleculetype ]
AR 1
[ atoms ]
1 AR 1 AR AR 1 0 39.948
[ system ]
melt
[ molecules ]
AR {count}
"""
GROMACS_MDP = """integrator = md
dt = {dt:.8f}
nsteps = {steps}
cutoff-scheme = Verlet
nstlist = 20
rvdw = 0.85
rcoulomb = 0.85
vdw-modifier = None
nstenergy = 100
nstcalcenergy = 100
nstlog = 0
nstxout-compressed = 0
gen-vel = yes
gen-temp = 172.8
"""


def lammps(program, text, cores, n, steps, scratch):
    ranks = ["mpirun", "--bind-to", "none", "-n", str(cores)] if cores > 1 else []
    with tempfile.TemporaryDirectory(dir=scratch) as where:
        path = os.path.join(where, "in.bench")
        with open(path, "w") as f:
            f.write(text)
        out = subprocess.run([*ranks, program, "-sf", "opt", "-in", path, "-log", "none"], cwd=where, check=True,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=ENV).stdout
    seconds = float(re.findall(r"Loop time of ([0-9.e+-]+)", out)[-1])
    return 4 * n ** 3 * steps / seconds


def write_crystal(path, n):
    a = 0.34 * (4 / 0.8442) ** (1 / 3)
    with open(path, "w") as f:
        f.write(f"melt\n{4 * n ** 3}\n")
        i = 0
        for z in range(n):
            for y in range(n):
                for x in range(n):
                    for dx, dy, dz in ((0, 0, 0), (.5, .5, 0), (.5, 0, .5), (0, .5, .5)):
                        i += 1
                        f.write(f"{i % 100000:5d}AR      AR{i % 100000:5d}{(x + dx) * a:8.3f}{(y + dy) * a:8.3f}"
                                f"{(z + dz) * a:8.3f}\n")
        f.write(f"{n * a:10.5f}{n * a:10.5f}{n * a:10.5f}\n")


def gromacs(program, cores, n, steps, scratch):
    where = tempfile.mkdtemp(dir=scratch)
    quiet = {"cwd": where, "check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    write_crystal(os.path.join(where, "melt.gro"), n)
    with open(os.path.join(where, "melt.top"), "w") as f:
        f.write(GROMACS_TOP.format(count=4 * n ** 3))
    with open(os.path.join(where, "melt.mdp"), "w") as f:
        f.write(GROMACS_MDP.format(dt=0.005 * 2.1555, steps=WARM + steps))
    subprocess.run([program, "grompp", "-f", "melt.mdp", "-c", "melt.gro", "-p", "melt.top", "-o", "melt.tpr",
                    "-maxwarn", "5"], **quiet)
    subprocess.run([program, "mdrun", "-s", "melt.tpr", "-ntmpi", "1", "-ntomp", str(cores), "-pin", "off",
                    "-resetstep", str(WARM), "-noconfout", "-g", "melt.log"], **quiet)
    with open(os.path.join(where, "melt.log")) as f:
        seconds = float(re.findall(r"Time:\s+[0-9.]+\s+([0-9.]+)", f.read())[-1])
    shutil.rmtree(where)
    return 4 * n ** 3 * steps / seconds
