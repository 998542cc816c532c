"""What the tests of the examples share: where they are, and how to run their scripts."""
import os
import subprocess
import sys

SOURCE = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
sys.path.insert(0, os.path.join(SOURCE, "tests", "support"))
from pelsim_test import Failure

EXAMPLES = os.path.join(SOURCE, "examples")


def config(name):
    return os.path.join(SOURCE, "configs", name)


def script(name, *words, want=0, cwd=None):
    """Runs a script of examples/; the finished process."""
    argv = [sys.executable, os.path.join(EXAMPLES, name), *words]
    p = subprocess.run(argv, capture_output=True, text=True, cwd=cwd, timeout=120, check=False)
    if p.returncode != want:
        raise Failure(f"{' '.join(argv)}\n  exit code: got {p.returncode}, want {want}\n"
                      f"{p.stdout}{p.stderr}")
    return p


def norms(fields, name):
    """What examples/norms.py prints: {day: (mean, deviation, least, greatest)}."""
    lines = script("norms.py", fields, name).stdout.splitlines()[2:]
    rows = [[float(x) for x in line.split()] for line in lines]
    return {row[0]: tuple(row[1:]) for row in rows}
