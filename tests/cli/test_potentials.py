"""Particle models from the command line: copper and an alloy from files, the same bits on several
ranks; what is wrong with a potential is told in one sentence with the right exit code."""
import csv
import os

from clitest import SOURCE, check, finish, has, pelsim, workdir

folder = workdir()
COPPER = os.path.join(SOURCE, 'configs/potentials/Cu_zhou.eam.alloy')
with open(COPPER, encoding='utf-8') as f:
    TEXT = f.read()
LINES = TEXT.splitlines()


def write(name, text):
    with open(name, 'w', encoding='utf-8') as f:
        f.write(text)
    return name


def config(model, start='', own='', time='dt = 0.001'):
    return write('case.ini', f'[run]\nmodel = {model}\n[start]\nnx = 4\nny = 4\nnz = 8\n{start}\n[{model}]\n{own}\n'
                 f'[time]\n{time}\nsteps = 20\n[diagnostics]\nevery = 10\n')


METAL = 'units = metal\nspacing = 3.615\ntemperature = 600'


def run(directory, ini, *words):
    code, out, err = pelsim('run', ini, '--dir', directory, *words)
    check(f'{directory}: exit code', (code, err), (0, ''))
    return out.splitlines()[-1] if code == 0 else err


def first_row(directory):
    with open(f'{directory}/diagnostics.csv', encoding='utf-8') as f:
        return {k: float(v) for k, v in next(csv.DictReader(f)).items()}


# ---- copper

ini = config('eam', METAL, f'potential = {COPPER}')
whole = run('copper', ini, '-t', 1)
check('cohesive energy', first_row('copper')['potential_energy'],
      lambda e: abs(e + 3.5398028) < 1e-6)
check('2 ranks, another skin', run('ranks', ini, '-n', 2, '-t', 1, '-s', 'eam.skin=0.2'), whole)
alloy = config('eam', METAL + '\ncomposition = 1, 1', f'potential = {COPPER}\nelements = Cu Cu')
run('alloy', alloy, '-t', 1)
check('an alloy of copper and copper', first_row('alloy')['potential_energy'],
      lambda e: abs(e + 3.5398028) < 1e-6)

# ---- particles of a file that names them

def crystal(name):
    places = [(i + a, j + b, k + c) for i in range(4) for j in range(4) for k in range(4)
              for a, b, c in ((0, 0, 0), (.5, .5, 0), (.5, 0, .5), (0, .5, .5))]
    return write(f'{name}.xyz', f'{len(places)}\nLattice="14.46 0 0 0 14.46 0 0 0 14.46" '
                 'Properties=species:S:1:pos:R:3 pbc="T T T"\n' + ''.join(
                     f'{name} {x * 3.615} {y * 3.615} {z * 3.615}\n' for x, y, z in places))


def named(name):
    return write('named.ini', f'[run]\nmodel = eam\n[start]\nunits = metal\nfile = {crystal(name)}\n'
                 f'temperature = 0\n[eam]\npotential = {COPPER}\n[time]\nsteps = 1\n')


run('named', named('Cu'), '-t', 1)
check('named copper', first_row('named')['potential_energy'], lambda e: abs(e + 3.5398028) < 1e-6)
got, _, err = pelsim('run', named('Ni'), '--dir', 'nickel')
check('named nickel: exit code', got, 2)
check('named nickel', err, has("the particles of type 1 are 'Ni' in [start] file, which is not in"))

# ---- two elements, in another order than the potential has them

head, grid, element, numbers = (LINES[:3], LINES[4], LINES[5], ' '.join(LINES[6:]).split())
nrho, nr = int(grid.split()[0]), int(grid.split()[2])
part, pair = '\n'.join(numbers[:nrho + nr]), '\n'.join(numbers[nrho + nr:])
two = write('two.eam.alloy', '\n'.join([*head, '2 Ni Cu', grid, '28 58.69 3.52 fcc', part, element,
                                        part, pair, pair, pair]) + '\n')
text = open(crystal('Cu'), encoding='utf-8').read().splitlines()
text[-100:] = [x.replace('Cu', 'Ni') for x in text[-100:]]
write('order.xyz', '\n'.join(text) + '\n')


def ordered(name, file, elements, want=0):
    write('order.ini', f'[run]\nmodel = eam\n[start]\nunits = metal\nfile = {file}\n'
          f'[eam]\npotential = {two}\n{elements}\n[time]\nsteps = 1\n')
    code, _, err = pelsim('run', 'order.ini', '--dir', name, '-t', 1)
    check(f'{name}: exit code', code, want)
    return err


ordered('by name', 'order.xyz', '')
pelsim('export', 'by name', '-o', 'order.lmp', '--format', 'lammps-data')
check('not named', ordered('not named', 'order.lmp', '', 2),
      has('[eam] elements: [start] file numbers its types but does not name them, and the potential '
          'has 2 elements'))
ordered('named in order', 'order.lmp', 'elements = Cu Ni')
check('named in another', ordered('named in another', 'order.lmp', 'elements = Ni Cu', 2),
      has('[eam] elements: type 1 has mass 63.546 in [start] file, but its element in the potential '
          '58.69'))

# ---- what is wrong

cut = write('cut.eam.alloy', TEXT[:-4000])
huge = write('huge.eam.alloy', TEXT.replace('1001 0.05', '900001 0.05'))
text = write('text.eam.alloy', TEXT.replace('1001 0.05', '1001 x'))
real = write('real.eam.alloy', TEXT.replace('UNITS: metal', 'UNITS: real'))
steep = write('steep.txt', 'A\nN 4\n\n1 1 4 4\n2 2 2 1.5\n3 1.5 1 1\n4 4 0 0\n')
wrong = write('wrong.txt', 'A\nN 4\n\n1 1 8 -8\n2 2 4 -4\n3 3 1 -2\n4 4 0 0\n')
good = write('good.txt', 'A\nN 5 R 0.9 2.5\n\n' + ''.join(
    f'{i + 1} {r} {(2.5 - r)**2} {2 * (2.5 - r)}\n' for i, r in enumerate((.9, 1.3, 1.7, 2.1, 2.5))))
GOOD = open(good, encoding='utf-8').read()
tagged = write('tagged.txt', '# mine\n# DATE: 2020-01-01 UNITS: real\n' + GOOD)
more = write('more.txt', GOOD.replace('N 5 R 0.9 2.5', 'N 4'))

CASES = (
    ('truncated', 'eam', METAL, f'potential = {cut}', 4, ['[eam] potential: cut.eam.alloy:', 'it is truncated, or the counts']),
    ('counts', 'eam', METAL, f'potential = {huge}', 4, ['huge.eam.alloy:', 'numbers are announced, but only']),
    ('no number', 'eam', METAL, f'potential = {text}', 4, ["text.eam.alloy:5: 'x' is not a number; the step of the density"]),
    ('units of the file', 'eam', METAL, f'potential = {real}', 4, ["real.eam.alloy:1: the potential is in units 'real'"]),
    ('units', 'eam', 'density = 0.1', f'potential = {COPPER}', 2, ['[start] units: the potentials are in eV and Angstrom']),
    ('no file', 'eam', METAL, 'potential = nowhere', 4, ['nowhere cannot be read (No such file or directory)']),
    ('element', 'eam', METAL, f'potential = {COPPER}\nelements = Ni', 2, ["'Ni' is not in the potential; there are: Cu"]),
    ('types', 'eam', METAL + '\ncomposition = 1, 1', f'potential = {COPPER}', 2, ['the start has 2 types, but there are 1 elements']),
    ('two files', 'eam', METAL, f'potential = {COPPER} {COPPER}', 2, ['only funcfl files can be combined']),
    ('not mixed', 'morse', 'composition = 1, 1', '', 2, ["no rule mixes depth; give the numbers of types 1 and 2"]),
    ('pairs', 'morse', '', 'pairs = 1-3 1 2 3', 2, ["[morse] pairs: '1-3 1 2 3' is not a pair of the 1 type with depth, "]),
    ('negative', 'morse', '', 'depth = -1', 2, ['[morse] depth: -1 is not positive']),
    ('below zero', 'lj', '', 'epsilon = -1', 2, ['[lj] epsilon: -1 is negative']),
    ('cut-off of a pair', 'lj', '', 'pairs = 1-1 1 1 -2', 2, ["[lj] pairs: '1-1 1 1 -2' is not a pair of the 1 type with epsilon, sigma and"]),
    ('no barrier', 'buckingham', '', 'strength = 1', 2, ['[buckingham] dispersion: attraction wins at every distance']),
    ('distances fall', 'table', '', f'file = {steep}', 4, ['steep.txt:6: r is 1.5; distances must be positive and rise']),
    ('forces', 'table', '', f'file = {wrong}', 4, ['wrong.txt:', 'the forces are not those of the energies']),
    ('units of a table', 'table', '', f'file = {tagged}', 4, ["tagged.txt:2: the table is in units 'real', the run in 'lj'"]),
    ('more points than N', 'table', '', f'file = {more}', 4, ['more.txt:8: a point behind the last of the 4 that N tells of']),
    ('no file named', 'table', '', 'file =', 2, ['[table] file: must name a file']),
    ('a pair twice', 'lj', 'composition = 1, 1', 'pairs = 1-2 1 1, 2-1 2 2', 2, ['[lj] pairs: types 2 and 1 are here twice']),
    ('section', 'table', '', f'file = {good}\nsections = B', 4, ["there is no section 'B'; there are: A"]),
    ('beyond the table', 'table', '', f'file = {good}\ncutoff = 3', 2, ['[table] cutoff: 3 lies beyond the end of the table, 2.5']),
    ('inside the table', 'table', 'density = 1.96', f'file = {good}', 3, ['of a pair exceeds', 'particles ']))

for ranks in (1, 2):
    for name, model, start, own, code, parts in CASES:
        ini = config(model, start, own)
        got, _, err = pelsim('run', ini, '--dir', f'bad_{ranks}', '--overwrite', '-n', ranks, '-t', 1)
        check(f'{name} on {ranks}: exit code', got, code)
        check(f'{name} on {ranks}', err, has(*parts))

finish()
