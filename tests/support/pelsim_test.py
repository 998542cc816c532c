"""What the conformance and physics tests share: run pelsim, read what it left, judge numbers.

The executable is named by --pelsim or the environment variable PELSIM.  Nothing here can hang:
every process has a time limit and is killed, with its ranks, when it is over."""
import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

FIRST_AND_LAST = 10**9  # [diagnostics] every: rows at step 0 and at the end
DONE, DIFFERS, USAGE, INVALID, IO, INTERNAL, STOPPED = 0, 1, 2, 3, 4, 70, 75
PATIENCE = int(os.environ.get("PELSIM_PATIENCE", 1))  # sanitizers are slow

# Many ranks share few cores here: whoever waits must give its core away.
ENVIRONMENT = {
    "OMP_WAIT_POLICY": "passive",
    "OMPI_MCA_mpi_yield_when_idle": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "OMPI_MCA_hwloc_base_binding_policy": "none",
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
}


class Failure(Exception):
    """A test cannot go on; the text is the sentence to print."""


# ---- configurations ------------------------------------------------------------------------------


def write_ini(path, keys):
    """keys: {"section.key": value}; True and False become yes and no."""
    sections = {}
    for name, value in keys.items():
        section, key = name.split(".", 1)
        text = {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value
        sections.setdefault(section, []).append(f"{key} = {text}")
    with open(path, "w", encoding="utf-8") as f:
        for section, lines in sections.items():
            f.write(f"[{section}]\n" + "\n".join(lines) + "\n\n")
    return path


# ---- running -------------------------------------------------------------------------------------


class Run:
    """A pelsim run that has ended: exit code, what it printed, where its files are."""

    def __init__(self, command, directory, code, out, err, seconds):
        self.command, self.directory, self.code = command, directory, code
        self.out, self.err, self.seconds = out, err, seconds

    @property
    def fingerprint(self):
        lines = self.out.strip().splitlines()
        match = re.fullmatch(r"fingerprint: ([0-9a-f]{16})", lines[-1]) if lines else None
        if not match:
            raise Failure(f"{self.command}\n  last line of its output: got "
                          f"{lines[-1] if lines else ''!r}, want 'fingerprint: <16 hex digits>'")
        return match.group(1)

    def path(self, name):
        return os.path.join(self.directory, name)

    def diagnostics(self):
        """diagnostics.csv as {column: [numbers]}."""
        with open(self.path("diagnostics.csv"), encoding="utf-8") as f:
            lines = f.read().splitlines()
        names = lines[0].split(",")
        rows = [[float(x) for x in line.split(",")] for line in lines[1:]]
        return {name: [row[i] for row in rows] for i, name in enumerate(names)}

    def last(self):
        """The last row of diagnostics.csv as {column: number}."""
        return {name: column[-1] for name, column in self.diagnostics().items()}

    def moves(self):
        """How often blocks changed hands."""
        with open(self.path("run.json"), encoding="utf-8") as f:
            return json.load(f)["timing"].get("balance", {}).get("moves", 0)

    def fields(self):
        """fields.nc, opened with h5py."""
        import h5py  # here, so that tests without field files need no h5py
        return h5py.File(self.path("fields.nc"), "r")


class Job:
    """A pelsim process that is running."""

    def __init__(self, argv, directory):
        self.argv, self.directory, self.started = argv, directory, time.monotonic()
        # Jobs that share Open MPI's session directory can remove it under each other's feet.
        self.session = tempfile.mkdtemp(prefix="pelsim_py_mpi_")
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, errors="replace",
                                        env={**os.environ, **ENVIRONMENT,
                                             "OMPI_MCA_orte_tmpdir_base": self.session},
                                        start_new_session=True)

    def kill(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)  # the ranks die with their parent
        except ProcessLookupError:
            pass

    def wait(self, timeout):
        try:
            out, err = self.process.communicate(timeout=timeout * PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            out, err = self.process.communicate()
            raise Failure(f"{' '.join(self.argv)}\n  still running after {timeout} s, killed\n"
                          f"{tail(out)}{tail(err)}") from None
        finally:
            shutil.rmtree(self.session, ignore_errors=True)
        if "Sanitizer" in err:  # whatever the exit code is
            raise Failure(f"{' '.join(self.argv)}\n  a sanitizer reports\n{tail(err, 60)}")
        return Run(" ".join(self.argv), self.directory, self.process.returncode, out, err,
                   time.monotonic() - self.started)


def tail(text, lines=12):
    return "".join(f"  | {line}\n" for line in text.strip().splitlines()[-lines:])


class Pelsim:
    def __init__(self, binary, scratch=None, timeout=300):
        self.binary = binary or os.environ.get("PELSIM")
        if not self.binary:
            raise Failure("no pelsim: name the executable with --pelsim FILE or PELSIM=FILE")
        if not os.access(self.binary, os.X_OK):
            raise Failure(f"'{self.binary}' is not an executable; build pelsim or correct --pelsim")
        self.binary = os.path.abspath(self.binary)
        self.scratch = os.path.abspath(scratch or tempfile.mkdtemp(prefix="pelsim_py_"))
        os.makedirs(self.scratch, exist_ok=True)
        self.keep, self.timeout = bool(scratch), timeout

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if not self.keep and kind is None:
            shutil.rmtree(self.scratch, ignore_errors=True)

    def path(self, *names):
        return os.path.join(self.scratch, *names)

    def start(self, config, directory, ranks=1, threads=1, keys=None, options=()):
        """keys: {"section.key": value} as overrides.  Returns at once."""
        argv = [self.binary, "run", config, "-n", str(ranks), "-t", str(threads),
                "--dir", directory, "--progress=never"]
        for name, value in (keys or {}).items():
            argv += ["-s", f"{name}={value}"]
        return Job(argv + list(options), directory)

    def run(self, config, directory, want=DONE, timeout=None, **how):
        """Runs to the end; the exit code must be `want`."""
        r = self.start(config, directory, **how).wait(timeout or self.timeout)
        if r.code != want:
            raise Failure(f"{r.command}\n  exit code: got {r.code}, want {want}\n"
                          f"{tail(r.out)}{tail(r.err)}")
        return r

    def case(self, name, keys, **how):
        """Writes the configuration `name` and runs it in a directory of the same name."""
        directory = self.path(name)
        shutil.rmtree(directory, ignore_errors=True)
        config = write_ini(self.path(name + ".ini"), keys)
        return self.run(config, directory, **how)

    def tool(self, *words, timeout=60):
        """A subcommand that needs no ranks; the finished subprocess."""
        return subprocess.run([self.binary, *words], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, errors="replace", timeout=timeout * PATIENCE,
                              env={**os.environ, **ENVIRONMENT}, check=False)


# ---- judging -------------------------------------------------------------------------------------


class Report:
    """Prints each measured number beside its bound and remembers what failed."""

    def __init__(self):
        self.checks = self.failures = 0

    def _tell(self, good, what, got, want):
        self.checks += 1
        self.failures += not good
        print(f"  {'ok  ' if good else 'FAIL'}  {what:<60} got {got}, want {want}", flush=True)
        return good

    def at_most(self, what, got, bound):
        return self._tell(got <= bound, what, f"{got:.4g}", f"<= {bound:.4g}")

    def at_least(self, what, got, bound):
        return self._tell(got >= bound, what, f"{got:.6g}", f">= {bound:.6g}")

    def near(self, what, got, want, tolerance):
        """|got - want| <= tolerance * |want|."""
        return self._tell(abs(got - want) <= tolerance * abs(want), what, f"{got:.6g}",
                          f"{want:.6g} within {100 * tolerance:g} %")

    def true(self, what, good, got, want):
        return self._tell(bool(good), what, got, want)

    def end(self):
        if not self.checks:
            print("nothing was checked")
            return 1
        print(f"{self.checks - self.failures} of {self.checks} checks passed", flush=True)
        return 1 if self.failures else 0


def arguments(doc):
    """The options that every test script has."""
    p = argparse.ArgumentParser(description=doc,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--pelsim", metavar="FILE", help="the executable (default: $PELSIM)")
    p.add_argument("--scratch", metavar="DIR", help="keep the runs here (default: a directory that "
                   "is removed when all went well)")
    p.add_argument("--threads", type=int, default=1, help="threads of each run")
    p.add_argument("--full", action="store_true", help="also what takes long (CTest label long)")
    return p


def conclude(options, body, timeout=300):
    """Runs body(pelsim), which returns an exit code, and exits; after a failure the runs stay."""
    try:
        with Pelsim(options.pelsim, options.scratch, timeout) as pelsim:
            code = body(pelsim)
            if code:
                pelsim.keep = True
                print(f"the runs are in {pelsim.scratch}")
    except Failure as failure:
        print(f"FAIL  {failure}", flush=True)
        code = 1
    sys.exit(code)


def main(doc, body, parser=None):
    """Runs body(pelsim, report, options) and exits."""
    options = (parser or arguments(doc)).parse_args()
    report = Report()

    def judged(pelsim):
        body(pelsim, report, options)
        return report.end()
    conclude(options, judged)
