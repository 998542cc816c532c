#!/usr/bin/env python3
"""Checks that the house is in order: who may include whom, what the libraries export, how the code
is compiled, how long a file is, how it is formatted.

    check.py SOURCE_DIR BUILD_DIR

Prints each violation as file:line: sentence.  Exit code 0: none, 1: some, 2: wrong arguments.
Python's standard library only; nm and clang-format are used where they are installed.
"""
import os
import re
import shutil
import subprocess
import sys

LONGEST_FILE = 600
LAYERS = ("core", "io", "models", "cli")
FORMATTED = LAYERS + ("tests", "bench", "examples")

# What a model may use of the C library: computing and text, nothing that touches the system.
MODEL_HEADERS = {
    "assert.h", "complex.h", "ctype.h", "errno.h", "fenv.h", "float.h", "inttypes.h", "limits.h",
    "math.h", "stdarg.h", "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "string.h",
    "tgmath.h"}
MODEL_API = {"pelsim/model.h", "pelsim/particles.h", "pelsim/pair_kernel.h", "pelsim/simd.h",
             "pelsim/spectral.h", "pelsim/vector_math.h"}
SIMD = "pelsim/simd.h"  # the only public header that may name instructions
HDF5_HEADERS = re.compile(r"(hdf5\w*|netcdf\w*|H5\w+)\.h$")

# Headers of pelsim itself that a layer may include besides its own.
PELSIM_HEADERS = {
    "io": {"pelsim/sink.h", "pelsim/error.h", "pelsim/memory.h", "pelsim/model.h"},
    "models": MODEL_API,
    "cli": {"pelsim/embed.h", "pelsim/error.h", "pelsim/memory.h"}}
IO_FOR_CLI = "pelsim_io.h"  # the constructors

FORBIDDEN_HEADERS = {  # layer: [(pattern, why)]
    "core": [(HDF5_HEADERS, "only io/ may include it")],
    "io": [(re.compile(r"omp\.h$"), "OpenMP belongs to core"),
           (re.compile(r"fftw3.*\.h$"), "FFTW belongs to one file of core")],
    "cli": [(HDF5_HEADERS, "only io/ may include it"),
            (re.compile(r"omp\.h$"), "OpenMP belongs to core"),
            (re.compile(r"fftw3.*\.h$"), "FFTW belongs to one file of core")]}

# The command starts and ends MPI and tells its errors; communicating is the core's work.
CLI_MPI = {"MPI_Init", "MPI_Init_thread", "MPI_Finalize", "MPI_Initialized", "MPI_Finalized",
           "MPI_Abort", "MPI_Comm_rank", "MPI_Comm_size", "MPI_Comm_create_errhandler",
           "MPI_Comm_set_errhandler", "MPI_Errhandler_free", "MPI_Error_string",
           "MPI_Comm", "MPI_Errhandler"}

FORBIDDEN_FLAGS = re.compile(
    r"-(?:Ofast|ffast-math|funsafe-math-optimizations|fassociative-math|freciprocal-math"
    r"|ffinite-math-only|fcx-limited-range|ffp-contract=(?:fast|on)|fp-model[= ]fast)\b")
REQUIRED_FLAGS = ("-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math")
FORBIDDEN_PRAGMAS = re.compile(
    r"#\s*pragma\s+(?:GCC\s+optimize|STDC\s+FP_CONTRACT\s+ON)|__attribute__\s*\(\(\s*optimize"
    r"|_Pragma\s*\(\s*\"(?:GCC optimize|STDC FP_CONTRACT ON)")

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^">]+)[>"]')
EXPORTED = re.compile(r"^(?:pel_|__(?:odr_)?(?:asan|ubsan|tsan|sancov|llvm|gcov))")  # or a tool's


def without_comments(text, strings=False):
    """The text with comments (and strings too, if asked) blanked out, lines kept."""
    def blank(m):
        found = m.group(0)
        if found[0] == "/" or strings:
            return re.sub(r"[^\n]", " ", found)
        return found
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text,
                  flags=re.S)


class File:
    def __init__(self, top, path):
        self.path = path  # relative to the source directory
        self.layer = path.split(os.sep)[0]
        with open(os.path.join(top, path), encoding="utf-8", errors="replace") as f:
            self.text = f.read()
        self.lines = self.text.splitlines()
        # An include's name is a string, so strings stay here ...
        kept = without_comments(self.text).splitlines()
        self.includes = [(n, m.group(1)) for n, line in enumerate(kept, 1)
                         for m in [INCLUDE.match(line)] if m]
        # ... and go here, where words of the language are looked for.
        self.code = without_comments(self.text, strings=True).splitlines()

    def find(self, pattern):
        return [(n, m.group(0)) for n, line in enumerate(self.code, 1)
                for m in re.finditer(pattern, line)]


class Check:
    def __init__(self, top, build):
        self.top, self.build = top, build
        self.violations = []
        self.notes = []
        self.files = [File(top, p) for p in self.sources(FORMATTED)]
        self.layered = [f for f in self.files if f.layer in LAYERS]
        # Whatever a user writes as a plug-in is held to the rules of models, and so is the template.
        self.models = [f for f in self.files if f.layer in ("models", "examples")
                       or f.path.startswith(os.path.join("cli", "template"))]

    def sources(self, folders):
        for folder in folders:
            for root, directories, names in os.walk(os.path.join(self.top, folder)):
                directories[:] = sorted(d for d in directories if not d.startswith((".", "build")))
                for name in sorted(names):
                    if name.endswith((".c", ".h")):
                        yield os.path.relpath(os.path.join(root, name), self.top)

    def tell(self, path, line, sentence):
        self.violations.append((path, line, sentence))

    # ---- who may include whom ------------------------------------------------------------------

    def includes(self):
        names = {f: {os.path.basename(g.path) for g in self.layered if g.path.startswith(f)}
                 for f in ("core/src", "io", "cli")}
        for f in self.layered:
            for line, header in f.includes:
                if f in self.models:
                    self.model_include(f, line, header)
                else:
                    self.layer_include(f, line, header, names)
        for f in self.models:
            if f not in self.layered:
                for line, header in f.includes:
                    self.model_include(f, line, header)

    def model_include(self, f, line, header):
        beside = os.path.join(self.top, os.path.dirname(f.path), header)
        own = "/" not in header and os.path.dirname(f.path) != "models" and os.path.exists(beside)
        if header not in MODEL_API and header not in MODEL_HEADERS and not own:
            self.tell(f.path, line, f"a model may not include {header}: only pelsim/model.h, the C "
                                    "library's computing headers and headers of its own folder")

    def layer_include(self, f, line, header, names):
        for pattern, why in FORBIDDEN_HEADERS[f.layer]:
            if pattern.match(header):
                self.tell(f.path, line, f"{f.layer} may not include {header}: {why}")
        if header.startswith("pelsim/"):
            if header not in PELSIM_HEADERS.get(f.layer, {header}):
                self.tell(f.path, line, f"{f.layer} may not include {header}: it may use "
                          + " and ".join(sorted(PELSIM_HEADERS[f.layer])))
            return
        name = os.path.basename(header)
        own = {"core": "core/src"}.get(f.layer, f.layer)
        for folder in names:
            if folder == own or name not in names[folder] or name in names[own]:
                continue
            if not (f.layer == "cli" and name == IO_FOR_CLI):
                self.tell(f.path, line, f"{f.layer} may not include {header}: it is private to "
                                        f"{folder.split('/')[0]}")

    def public_headers(self):
        for f in self.layered:
            if not f.path.startswith(os.path.join("core", "include")):
                continue
            for line, header in f.includes:
                allowed = header.startswith("pelsim/") or header in MODEL_HEADERS or (
                    header == "mpi.h" and os.path.join("pelsim", os.path.basename(f.path))
                    not in MODEL_API) or (header == "immintrin.h" and f.path.endswith(SIMD))
                if not allowed:
                    self.tell(f.path, line, f"a public header may not include {header}: its users "
                                            "would need it too")

    def fftw(self):
        users = [(f, line) for f in self.layered if f.layer == "core"
                 for line, header in f.includes if header.startswith("fftw3")]
        for f, line in users[1:]:
            self.tell(f.path, line, f"fftw3.h is included by {users[0][0].path} already: one file "
                                    "of core is its only user")

    # ---- who may say what ----------------------------------------------------------------------

    def words(self):
        for f in self.layered:
            if f.layer != "cli":
                for line, _ in f.find(r"\bMPI_COMM_WORLD\b"):
                    self.tell(f.path, line, "MPI_COMM_WORLD outside cli/: use the simulation's "
                                            "communicator")
            elif f not in self.models:
                for line, word in f.find(r"\bMPI_[A-Z][a-z]\w*"):
                    if word not in CLI_MPI:
                        self.tell(f.path, line, f"{word} in cli/: the command only starts and ends "
                                                "MPI")
            if f.layer in ("io", "cli") and f not in self.models:
                for line, _ in f.find(r"#\s*pragma\s+omp\b|\bomp_[a-z]\w*\s*\("):
                    self.tell(f.path, line, f"OpenMP in {f.layer}/: threads belong to core")
        for f in self.models:
            for line, _ in f.find(r"#\s*pragma\s+omp\s+(?!simd\b)\w+"):
                self.tell(f.path, line, "a model may use `#pragma omp simd` only: threads belong "
                                        "to core")
            for line, word in f.find(r"\b(?:MPI_\w+|omp_\w+)"):
                self.tell(f.path, line, f"{word} in a model: communication and threads belong to "
                                        "core")
            for line, word in f.find(r"\b(?:printf|fprintf|puts|fputs|exit|abort)\s*(?=\()"):
                self.tell(f.path, line, f"{word.strip()} in a model: use pel_fail or pel_reject")

    def lengths(self):
        for f in self.layered:
            if len(f.lines) > LONGEST_FILE:
                self.tell(f.path, LONGEST_FILE + 1, f"the file has {len(f.lines)} lines, at most "
                                                    f"{LONGEST_FILE} are allowed: split it by idea")

    # ---- how it is compiled --------------------------------------------------------------------

    def flags(self):
        for root, directories, names in os.walk(self.top):
            directories[:] = [d for d in directories
                              if not d.startswith((".git", "build", "_build", "out"))]
            for name in names:
                if name == "CMakeLists.txt" or name == "CMakePresets.json" or name.endswith(
                        ".cmake"):
                    self.build_file(os.path.relpath(os.path.join(root, name), self.top))
        for f in self.layered:
            for line, text in enumerate(without_comments(f.text).splitlines(), 1):
                if FORBIDDEN_PRAGMAS.search(text):
                    self.tell(f.path, line, "changes the floating-point rules: results would "
                                            "depend on the compiler")

    def build_file(self, path):
        with open(os.path.join(self.top, path), encoding="utf-8", errors="replace") as f:
            for n, line in enumerate(f, 1):
                found = FORBIDDEN_FLAGS.search(line.split("#")[0])
                if found:
                    self.tell(path, n, f"{found.group(0)} is forbidden: bits would depend on the "
                                       "layout")

    def used_flags(self):
        """The flags that the generated build files really pass, for make and for ninja."""
        seen = 0
        for layer in ("core", "models", "io"):
            folder = os.path.join(self.build, layer)
            for root, _, names in os.walk(folder):
                if "flags.make" in names:
                    path = os.path.join(root, "flags.make")
                    seen += 1
                    self.check_flags(path, r"^C_FLAGS\s*=(.*)", every=True)
        ninja = os.path.join(self.build, "build.ninja")
        if os.path.exists(ninja):
            seen += 1
            self.check_flags(ninja, r"^\s*FLAGS\s*=(.*)", every=False)
        if not seen:
            self.notes.append(f"{self.build}: no flags.make and no build.ninja: flags not checked")

    def check_flags(self, path, pattern, every):
        with open(path, encoding="utf-8", errors="replace") as f:
            for n, line in enumerate(f, 1):
                m = re.match(pattern, line)
                if not m:
                    continue
                bad = FORBIDDEN_FLAGS.search(m.group(1))
                if bad:
                    self.tell(path, n, f"{bad.group(0)} is forbidden: bits would depend on the "
                                       "layout")
                missing = [w for w in REQUIRED_FLAGS if w not in m.group(1)]
                if every and missing:
                    self.tell(path, n, f"compiled without {' '.join(missing)}: bits would depend "
                                       "on the vector width")

    # ---- what is exported ----------------------------------------------------------------------

    def symbols(self):
        nm = shutil.which("nm")
        if not nm:
            self.notes.append("nm is not installed: exported names not checked")
            return
        for layer in ("core", "io", "models"):
            library = os.path.join(self.build, layer, f"libpelsim_{layer}.a")
            if not os.path.exists(library):
                self.tell(library, 1, "the library is not there: build before checking")
                continue
            out = subprocess.run([nm, "-A", "-P", "-g", "--defined-only", library],
                                 capture_output=True, text=True, check=False).stdout
            for line in out.splitlines():
                m = re.match(r".*\[(.*)\]:\s+(\S+)\s+\S", line)
                if m and not EXPORTED.match(m.group(2)):
                    self.tell(*self.home(layer, m.group(1), m.group(2)),
                              f"{m.group(2)} is exported by libpelsim_{layer} but does not start "
                              "with pel_: make it static or rename it")

    def home(self, layer, member, symbol):
        """Where a symbol of an archive's member is defined, as well as text can tell."""
        source = re.sub(r"\.o(bj)?$", "", member)
        source = source if source.endswith(".c") else source + ".c"
        for f in self.layered:
            if f.layer == layer and os.path.basename(f.path) == source:
                for n, line in enumerate(f.code, 1):
                    if re.search(rf"\b{re.escape(symbol)}\b", line):
                        return f.path, n
                return f.path, 1
        return os.path.join(layer, source), 1

    # ---- how it looks --------------------------------------------------------------------------

    def formatting(self):
        tool = shutil.which("clang-format")
        if not tool:
            self.notes.append("clang-format is not installed: formatting not checked")
            return
        paths = [f.path for f in self.files]
        for i in range(0, len(paths), 50):
            out = subprocess.run([tool, "--dry-run", "--style=file"] + paths[i:i + 50],
                                 cwd=self.top, capture_output=True, text=True, check=False).stderr
            told = set()
            for m in re.finditer(r"^(.+?):(\d+):\d+: (?:warning|error): code should be "
                                 r"clang-formatted", out, flags=re.M):
                if m.group(1) not in told:  # the first place of a file is enough
                    told.add(m.group(1))
                    self.tell(m.group(1), int(m.group(2)), f"run clang-format -i {m.group(1)}")

    def run(self):
        for rule in (self.includes, self.public_headers, self.fftw, self.words, self.lengths,
                     self.flags, self.used_flags, self.symbols, self.formatting):
            rule()
        for path, line, sentence in sorted(set(self.violations)):
            print(f"{path}:{line}: {sentence}")
        for note in self.notes:
            print(f"note: {note}")
        print(f"{len(self.files)} files, {len(set(self.violations))} violations")
        return 1 if self.violations else 0


def main(arguments):
    if len(arguments) != 2 or not all(os.path.isdir(a) for a in arguments):
        print("usage: check.py SOURCE_DIR BUILD_DIR (both must exist)", file=sys.stderr)
        return 2
    return Check(*map(os.path.abspath, arguments)).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
