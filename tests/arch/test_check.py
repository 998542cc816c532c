#!/usr/bin/env python3
"""check.py must be able to fail: a small house in order passes, and each way of spoiling it gives
exactly one sentence at the right file and line.

    test_check.py [C_COMPILER]
"""
import os
import shutil
import subprocess
import sys
import tempfile

CHECK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "check.py")
FLAGS = "C_FLAGS = -O3 -ffp-contract=off -fno-math-errno -fno-trapping-math\n"
CC = sys.argv[1] if len(sys.argv) > 1 else "cc"

HOUSE = {
    ".clang-format": "BasedOnStyle: Google\n",
    "CMakeLists.txt": "# never -ffast-math\nproject(x)\n",
    "core/include/pelsim/model.h": "#include <stdint.h>\n",
    "core/include/pelsim/sink.h": "#include <mpi.h>\n\n#include \"pelsim/model.h\"\n",
    "core/include/pelsim/embed.h": "#include \"pelsim/model.h\"\n",
    "core/src/halo.h": "int pel__x;\n",
    "core/src/fft.c": "#include <fftw3.h>\n#include <omp.h>\n\n#include \"halo.h\"\n",
    "io/pelsim_io.h": "int pel_y;\n",
    "io/h5.h": "#include <hdf5.h>\n",
    "io/h5.c": "#include \"h5.h\"\n\n#include \"pelsim/sink.h\"\n/* not MPI_COMM_WORLD */\n",
    "models/heat.c": "#include <math.h>\n\n#include \"pelsim/model.h\"\n",
    "models/deep/deep.c": "#include \"own.h\"\n#include \"pelsim/model.h\"\n#pragma omp simd\n",
    "models/deep/own.h": "int pel_z;\n",
    "cli/run.c": "#include \"pelsim/embed.h\"\n#include \"pelsim_io.h\"\n",
    "examples/plugin/burgers.c": "#include <pelsim/model.h>\n"}

# (file, text that is appended to it, words of the sentence that must point at the new line)
SPOILED = [
    ("models/heat.c", "#include <mpi.h>\n", "a model may not include mpi.h"),
    ("models/heat.c", "#include <hdf5.h>\n", "a model may not include hdf5.h"),
    ("models/heat.c", "#include <omp.h>\n", "a model may not include omp.h"),
    ("models/heat.c", "#include <unistd.h>\n", "a model may not include unistd.h"),
    ("models/heat.c", "#include \"halo.h\"\n", "a model may not include halo.h"),
    ("models/heat.c", "#include \"deep/own.h\"\n", "a model may not include deep/own.h"),
    ("models/heat.c", "#include \"pelsim/embed.h\"\n", "a model may not include pelsim/embed.h"),
    ("models/heat.c", "#pragma omp parallel for\n", "`#pragma omp simd` only"),
    ("models/heat.c", "int pel_n = MPI_SUM;\n", "MPI_SUM in a model"),
    ("models/heat.c", "int pel_n() { return printf(\"\"); }\n", "printf in a model"),
    ("models/heat.c", "#pragma GCC optimize(\"O3\")\n", "changes the floating-point rules"),
    ("examples/plugin/burgers.c", "#include <mpi.h>\n", "a model may not include mpi.h"),
    ("core/src/fft.c", "#include <hdf5.h>\n", "core may not include hdf5.h"),
    ("core/src/fft.c", "#include <netcdf.h>\n", "core may not include netcdf.h"),
    ("core/src/fft.c", "#include \"h5.h\"\n", "core may not include h5.h: it is private to io"),
    ("core/src/fft.c", "MPI_Comm pel_c = MPI_COMM_WORLD;\n", "MPI_COMM_WORLD outside cli/"),
    ("core/src/halo.h", "#include <fftw3-mpi.h>\n", "fftw3.h is included by core/src/fft.c already"),
    ("core/include/pelsim/embed.h", "#include <fftw3.h>\n", "a public header may not include"),
    ("core/include/pelsim/model.h", "#include <mpi.h>\n", "a public header may not include mpi.h"),
    ("io/h5.c", "MPI_Comm pel_c = MPI_COMM_WORLD;\n", "MPI_COMM_WORLD outside cli/"),
    ("io/h5.c", "#include \"halo.h\"\n", "io may not include halo.h: it is private to core"),
    ("io/h5.c", "#include \"pelsim/embed.h\"\n", "io may not include pelsim/embed.h"),
    ("io/h5.c", "#include <omp.h>\n", "io may not include omp.h"),
    ("io/h5.c", "#pragma omp parallel\n", "OpenMP in io/"),
    ("cli/run.c", "#include \"halo.h\"\n", "cli may not include halo.h: it is private to core"),
    ("cli/run.c", "#include \"h5.h\"\n", "cli may not include h5.h: it is private to io"),
    ("cli/run.c", "#include \"pelsim/sink.h\"\n", "cli may not include pelsim/sink.h"),
    ("cli/run.c", "int pel_n() { return MPI_Barrier(0); }\n", "MPI_Barrier in cli/"),
    ("cli/run.c", "\n" * 620, "at most 600 are allowed"),
    ("CMakeLists.txt", "add_compile_options(-ffast-math)\n", "-ffast-math is forbidden"),
    ("CMakeLists.txt", "set(CMAKE_C_FLAGS -Ofast)\n", "-Ofast is forbidden"),
    ("build/core/flags.make", "C_FLAGS = -O3\n", "compiled without -ffp-contract=off"),
    ("build/io/flags.make", FLAGS[:-1] + " -funsafe-math-optimizations\n", "is forbidden"),
    ("core/src/fft.c", "int  pel_badly_formatted ;\n", "run clang-format -i core/src/fft.c"),
    ("core/src/fft.c", "int naked;\n", "naked is exported by libpelsim_core"),
    ("models/deep/deep.c", "int naked(void) { return 1; }\n", "naked is exported by libpelsim_models")]


def write(top, path, text):
    path = os.path.join(top, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def libraries(top):
    """An archive for each layer, of what its files define (they include nothing here)."""
    for layer in ("core", "io", "models"):
        folder = os.path.join(top, "build", layer)
        os.makedirs(folder, exist_ok=True)
        archive = os.path.join(folder, f"libpelsim_{layer}.a")
        if os.path.exists(archive):
            os.remove(archive)
        objects = []
        for root, _, names in os.walk(os.path.join(top, layer)):
            for name in sorted(n for n in names if n.endswith(".c")):
                with open(os.path.join(root, name), encoding="utf-8") as f:
                    text = "".join(line for line in f if line.startswith("int naked"))
                source = os.path.join(folder, name)
                with open(source, "w", encoding="utf-8") as f:
                    f.write(text + "int pel_" + name[:-2] + ";\n")
                objects.append(source + ".o")
                subprocess.run([CC, "-c", source, "-o", objects[-1]], check=True)
        subprocess.run(["ar", "qc", archive] + objects, check=True)


def check(top):
    r = subprocess.run([sys.executable, CHECK, top, os.path.join(top, "build")],
                       capture_output=True, text=True, check=False)
    return r.returncode, r.stdout + r.stderr


def spoil(top, path, text, words):
    """None, or what went wrong when the house is spoiled in this way."""
    full = os.path.join(top, path)
    with open(full, encoding="utf-8") as f:
        before = f.read()
    write(top, path, before + text)
    if "naked" in text:
        libraries(top)
    code, out = check(top)
    write(top, path, before)
    if "naked" in text:
        libraries(top)
    line = before.count("\n") + 1 if "\n\n\n" not in text else 601
    told = [s for s in out.splitlines() if words in s]
    where = full if path.startswith("build") else path
    if code == 1 and len(told) == 1 and told[0].startswith(f"{where}:{line}: "):
        return None
    return f"got {code} '{out.strip()}',\n    want {where}:{line}: ... {words} ..."


def main():
    top = tempfile.mkdtemp(prefix="pelsim_test_")
    failures = []
    try:
        for path, text in HOUSE.items():
            write(top, path, text)
        for layer in ("core", "io", "models"):
            write(top, f"build/{layer}/flags.make", FLAGS)
        libraries(top)
        code, out = check(top)
        if code != 0:
            failures.append(f"the house in order: got {code} '{out}', want 0")
        for path, text, words in SPOILED:
            if "clang-format" in words and not shutil.which("clang-format"):
                continue
            wrong = spoil(top, path, text, words)
            if wrong:
                failures.append(f"{path}: {text.strip()}: {wrong}")
        os.remove(os.path.join(top, "build/io/libpelsim_io.a"))
        code, out = check(top)
        if code != 1 or "build before checking" not in out:
            failures.append(f"a missing library: got {code} '{out}', want 1")
    finally:
        shutil.rmtree(top)
    for f in failures:
        print(f)
    print(f"{len(SPOILED) + 2} cases, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
