#!/usr/bin/python3
"""Every configuration in configs/ passes `pelsim check`, and its first lines say what it shows and
how long it takes.      check_configs.py PELSIM SOURCE"""
import glob
import os
import subprocess
import sys

PELSIM, SOURCE = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])


def complaints(path):
    with open(path, encoding="utf-8") as f:
        lines = f.read().splitlines()
    head = lines[:next(i for i, line in enumerate(lines + [""]) if not line.startswith("#"))]
    if not any("Run time" in line for line in head):
        yield "the comment at its top has no 'Run time', want what it shows, its source, its run time"
    p = subprocess.run([PELSIM, "check", os.path.relpath(path, SOURCE), "-t", "1"], cwd=SOURCE,
                       capture_output=True, text=True, timeout=100, check=False)
    if p.returncode:
        yield f"pelsim check: exit code {p.returncode}, want 0\n{p.stderr}"


configs = sorted(glob.glob(os.path.join(SOURCE, "configs", "*.ini")))
bad = [f"{os.path.relpath(c, SOURCE)}: {text}" for c in configs for text in complaints(c)]
print("\n".join(bad) or f"{len(configs)} configurations are valid")
sys.exit(bool(bad) or not configs)
