#!/usr/bin/python3
"""Runs of pelsim under a tool that watches memory or threads.

    watch.py TOOL WHAT,... TREE [MPIRUN...]

TOOL: address, thread (the build folder TREE has that sanitizer) or memcheck (valgrind, under MPIRUN).
WHAT: sees       it finds what is planted in a model
      runs       it finds nothing in grid and particle models: output, checkpoint, restart elsewhere
      test_NAME  it finds nothing in this unit test of TREE, on three ranks"""
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOOL, WHAT, TREE, *MPIRUN = sys.argv[1:]
TREE = os.path.abspath(TREE)
PELSIM, PLUGIN = f'{TREE}/cli/pelsim', f'{TREE}/tests/sanitizers/libplanted.so'
VALGRIND = ['valgrind', '-q', '--vgdb=no', '--error-exitcode=9', '--leak-check=full',
            '--show-leak-kinds=definite', '--errors-for-leak-kinds=definite',
            f'--suppressions={HERE}/valgrind.supp']
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith(('OMP_', 'PELSIM_'))}
# What is planted, and the words by which each tool names it.
SEEN = {
    'address': {'leak': 'LeakSanitizer: detected memory leaks', 'undefined': 'signed integer overflow',
                'overflow': 'AddressSanitizer: heap-buffer-overflow'},
    'thread': {'race': 'ThreadSanitizer: data race'},
    'memcheck': {'leak': 'are definitely lost', 'overflow': 'Invalid write of size 1',
                 'uninitialised': 'depends on uninitialised value'},
}[TOOL]
REPORT = re.compile(r'Sanitizer|runtime error|^==\d+==', re.M)
failures = 0


def check(what, good, text):
    global failures
    if not good:
        failures += 1
        print(f'FAIL  {what}\n{text[-6000:]}', flush=True)


def run(config, directory, ranks, threads, *more, env=None):
    """(exit code, all that it said)"""
    words = [PELSIM, 'run', config, '--dir', directory, '-t', str(threads), '--progress=never', *more]
    return start(words + ['-n', str(ranks)] if TOOL != 'memcheck' else under(ranks, *words), env)


def under(ranks, *words):
    return [*MPIRUN, '-n', str(ranks), *VALGRIND, *words]


def start(words, env=None):
    p = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False,
                       stderr=subprocess.STDOUT, text=True, errors='replace', timeout=600,
                       env={**ENVIRONMENT, 'OMP_WAIT_POLICY': 'passive', **(env or {})})
    return p.returncode, p.stdout


def ini(name, text):
    with open(name + '.ini', 'w', encoding='utf-8') as f:
        f.write(text)
    return name + '.ini'


def sees():
    config = ini('planted', f'''[run]
model = planted
plugin = {PLUGIN}
[grid]
nx = 24
ny = 12
[time]
steps = 2
dt = 0.001
[parallel]
tile = 6x4x1
''')
    for ranks in (1, 2) if TOOL != 'memcheck' else (2,):
        code, said = run(config, f'nothing{ranks}', ranks, 3)
        check(f'nothing planted, {ranks} ranks: got exit code {code}, want 0 and no report',
              code == 0 and not REPORT.search(said), said)
        for fault, words in SEEN.items():
            code, said = run(config, f'{fault}{ranks}', ranks, 3, '-s', f'planted.fault={fault}')
            check(f'planted {fault}, {ranks} ranks: got exit code {code}, want another than 0 and '
                  f"'{words}'", code and words in said, said)
    if TOOL == 'thread':  # without Archer there would be reports of what is no race, or none at all
        said = run(config, 'archer', 1, 3, env={'ARCHER_OPTIONS': 'verbose=1'})[1]
        words = 'Archer detected OpenMP application with TSan'
        check(f"OpenMP tells the sanitizer of its barriers: want '{words}'", words in said, said)


GRID = '''[run]
model = shallow_water
[grid]
nlon = 24
nlat = 12
[shallow_water]
initial = williamson6
[output]
every = 2
[diagnostics]
every = 1
[time]
steps = 6
dt = 600
'''
PARTICLES = '''[run]
model = lj
[start]
lattice = fcc
nx = 5
ny = 5
nz = 5
density = 0.8
temperature = 2
[lj]
cutoff = 1.6
skin = 0.1
[ensemble]
thermostat = langevin
temperature = 1.5
[analysis]
msd = yes
[output]
every = 2
[diagnostics]
every = 1
[time]
dt = 0.004
steps = 6
'''
HEAT = '''[run]
model = heat
[grid]
nx = 14
ny = 9
nz = 7
boundary = even
[output]
every = 2
[time]
steps = 6
scheme = rk4
'''


# Blocks change hands at every look.
MOVES = '''[parallel]
blocks = 3
balance_every = 1
balance_threshold = 1
'''


def runs():
    models = {'grid': GRID, 'particles': PARTICLES} | ({'heat': HEAT} if TOOL != 'memcheck' else {})
    for name, text in models.items():
        config, directory = ini(name, text + MOVES), name + '_out'
        for ranks, threads, more in (3, 2, ('--steps', '3')), (2, 3, ('--resume',)):
            code, said = run(config, directory, ranks, threads, *more)
            check(f'{name}, {ranks} ranks x {threads} threads, {" ".join(more)}: got exit code '
                  f'{code}, want 0 and no report',
                  code == 0 and not REPORT.search(said), said)


def unit(name):
    code, said = start(under(3, f'{TREE}/tests/{name}'))
    check(f'{name}: got exit code {code}, want 0 and no report',
          code == 0 and not REPORT.search(said), said)


with tempfile.TemporaryDirectory(prefix='pelsim_watch_') as folder:
    os.chdir(folder)
    for what in WHAT.split(','):
        {'sees': sees, 'runs': runs}.get(what, lambda: unit(what))()
    os.chdir('/')
if failures:
    sys.exit(f'{failures} checks failed')
print('all checks passed')
