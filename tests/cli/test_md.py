"""configs/lj_melt.ini from the command line: known numbers at step 0, the energy kept, the same bits
with other threads, lists and interruptions; what cannot be simulated is told in one sentence."""
import csv
import json
import os

from clitest import SOURCE, check, finish, has, pelsim, workdir

CONFIG = os.path.join(SOURCE, 'configs/lj_melt.ini')
SMALL = [w for a in 'xyz' for w in ('-s', f'start.n{a}=8')] + ['-s', 'diagnostics.every=20']
folder = workdir()


def near(want, tolerance):
    def condition(got):
        return abs(got - want) <= tolerance
    condition.__doc__ = f'{want!r} within {tolerance}'
    return condition


def run(directory, *words, want=0):
    code, out, err = pelsim('run', CONFIG, '--dir', directory, *words)
    check(f'{directory}: exit code', (code, err if want == 0 else ''), (want, ''))
    return out.splitlines()[-1] if code == 0 else err


def rows(directory):
    with open(f'{directory}/diagnostics.csv', encoding='utf-8') as f:
        return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(f)]


# ---- the benchmark itself.  An atom has 27 pairs; each energy is rounded by at most 2^-40, each
# force component by 2^-36 times distances below 2.5, all alike in a lattice.

run('melt', '-t', 2, '-s', 'time.steps=100')
first, last = rows('melt')[0], rows('melt')[-1]
check('temperature at step 0', first['temperature'], near(1.44, 1e-13))
check('U/N at step 0', first['potential_energy'], near(-6.7733680532342, 27 * 2**-40))
check('E/N at step 0', first['total_energy'], near(-4.6134355532342, 27 * 2**-40))
check('P at step 0', first['pressure'], near(-5.0197072590856, 0.8442 * 27 * 2.5 * 2**-36))
check('temperature at step 100', last['temperature'], near(0.757, 0.003))
with open('melt/run.json', encoding='utf-8') as f:
    facts = json.load(f)
check('atoms', facts['layout'].get('atoms'), 32000)
check('rate', facts['timing']['atom_steps_per_s'], lambda x: x > 0)

# ---- with the force continued to zero the energy is kept: 0.005 is then a short step

run('smooth', *SMALL, '-s', 'lj.shift=force', '-s', 'time.steps=400')
energies = [row['total_energy'] for row in rows('smooth')]
check('E/N over 400 steps', max(energies) - min(energies), near(0, 5e-4))

# ---- the same bits; what tools say of the files

MORE = [*SMALL, '-s', 'time.steps=120']
whole = run('whole', *MORE, '-t', 1)
check('3 threads, another skin', run('other', *MORE, '-t', 3, '-s', 'lj.skin=0.1'), whole)
run('parts', *MORE, '-t', 2, '--steps', 41)
run('parts', *MORE, '-t', 1, '-s', 'lj.skin=0.6', '--steps', 1, '--resume')
check('in three parts', run('parts', *MORE, '-t', 3, '--resume'), whole)
check('4 ranks', run('ranks', *MORE, '-n', 4, '-t', 1, '-s', 'parallel.blocks=2'), whole)
run('on ranks', *MORE, '-n', 3, '-t', 1, '--steps', 55)
check('3 ranks, then 2', run('on ranks', *MORE, '-n', 2, '-t', 1, '--resume'), whole)
LAST = 'checkpoints/step_000000120.h5'
check('diff', pelsim('diff', f'whole/{LAST}', f'parts/{LAST}')[0], 0)
check('fingerprint', pelsim('fingerprint', 'parts')[1].strip(), whole.split()[-1])
check('verify', pelsim('verify', f'parts/{LAST}')[0], 0)
check('info', pelsim('info', f'parts/{LAST}')[1], has('model lj', 'particle 2048', 'velocity_z'))
check('check', pelsim('check', CONFIG, '-t', 1)[:2], lambda x: x[0] == 0 and '32000 of 1 type' in x[1] and '0.005 tau' in x[1])
check('another seed', run('seed', *MORE, '-t', 1, '-s', 'start.seed=2') == whole, False)

# ---- what cannot be


def on_four_ranks(config, *words):
    return pelsim('run', config, '--dir', 'on 4 ranks', '--overwrite', *words, '-n', 4, '-t', 1)[2]


for name, words, code, parts in (
        ('too many ranks', ['-n', 9, '-t', 1, '-s', 'start.nx=4', '-s', 'start.ny=4', '-s', 'start.nz=4'], 2,
         ['9 ranks cannot share the box: cut-off and skin reach 2.8, and so it can be cut into at '
          'most 2 x 2 x 2 parts; use at most 8 ranks and more threads, or a larger box']),
        ('cut-off over half the box', ['-s', 'start.nx=2'], 2,
         ['lj_melt.ini: the cut-off 2.5 is more than half the box, 3.35919 along axis x']),
        ('no atoms', ['-s', 'start.nx=0'], 2, ["[start] nx: '0' is out of range; allowed: 1 to 2000"]),
        ('too many atoms', ['-s', 'start.nx=2000', '-s', 'start.ny=2000', '-s', 'start.nz=2000'], 2,
         ['[lj]: 32000000000 particles; a rank may have 536870911: use more ranks']),
        ('another box', ['--resume=whole/' + LAST, *SMALL, '-s', 'start.density=0.8'], 4,
         [LAST + ' has a box of length 13.436', 'along x, the configuration 13.67']),
        ('another number', ['--resume=whole/' + LAST, *SMALL, '-s', 'start.nx=9'], 4,
         ['has the grid particle 2048, the configuration particle 2304']),
        ('too many blocks', ['-s', 'parallel.block_grid=13x1x1'], 2,
         ['13 blocks along axis x, which has 11 cells: ask for 1 to 11']),
        ('a step too long', [*SMALL, '-s', 'time.dt=0.1'], 3,
         ['failed at step 1 ', 'the force of a pair exceeds 13107.2 times its distance; the '
          'closest, particles 1285 and 1506, are 0.6']),
        ('a little too long', [*SMALL, '-s', 'time.dt=0.05'], 3,
         ['particle 1918 moves further than the cut-off in one step: position (',
          'the closest pair, particles 1663 and 1918, is 0.67', 'reduce [time] dt']),
        ('far too short', [*SMALL, '-s', 'time.dt=1e-14'], 2, ['velocities would be multiples of']),
        ('far too long', [*SMALL, '-s', 'time.dt=1e6'], 3, ['failed at step 1 ', 'in one step']),
        ('energy', [*SMALL, '-s', 'time.dt=0.03', '-s', 'diagnostics.every=1'], 3,
         ["conserved quantity 'total_energy' drifted", 'reduce [time] dt, or set'])):
    got, _, err = pelsim('run', CONFIG, '--dir', 'wrong ' + name, *words)
    check(f'{name}, exit code', got, code)
    check(name, err, has(*parts))
    check(f'{name}: sentences', err.count('\n'), 1)
    if code == 3:
        check(f'{name}, on 4 ranks', on_four_ranks(CONFIG, *words), err)

# What a checkpoint cannot tell but a run must share with it.
for name, words, part in (
        ('units', ['start.units=metal', 'start.mass=1'], 'other units (time'),
        ('walls', ['start.walls=x'], 'other walls (walls 0, in the configuration 1)'),
        ('mass', ['start.mass=2'], 'other masses (mass_1 1, in the configuration 2)')):
    got, _, err = pelsim('run', CONFIG, '--resume=whole/' + LAST, *SMALL, '--dir', 'other', '-t', 1,
                         *(w for x in words for w in ('-s', x)))
    check(f'resumed with another {name}', (got, err.count('\n')), (4, 1))
    check(f'resumed with another {name}: sentence', err, has(part))

# Atoms in one place, far from the others, stop the run before its first step.
with open('twice.xyz', 'w', encoding='utf-8') as f:
    f.write('65\nLattice="12 0 0 0 12 0 0 0 12" Properties=species:S:1:pos:R:3\n')
    for i in range(64):
        f.write(f'A {i % 4 * 3 + 1} {i // 4 % 4 * 3 + 1} {i // 16 * 3 + 1}\n')
    f.write('A 7 4 10\n')
with open('twice.ini', 'w', encoding='utf-8') as f:
    f.write('[run]\nmodel = lj\n[start]\nfile = twice.xyz\n[time]\nsteps = 20\n')
for precision in 'double', 'mixed':
    words = ['-s', f'lj.precision={precision}']
    got, _, err = pelsim('run', 'twice.ini', '-t', 1, '--overwrite', *words)
    check(f'two in one place, {precision}, exit code', got, 3)
    check(f'two in one place, {precision}', err,
          has('failed at step 0', 'particles 55 and 65, are 0 apart, at (7, 4, 10)'))
    check(f'two in one place, {precision}, on 4 ranks', on_four_ranks('twice.ini', *words), err)

# Two piles of soft particles push each other: no pair is too much, all together are.
with open('piles.xyz', 'w', encoding='utf-8') as f:
    f.write('10000\nLattice="6 0 0 0 6 0 0 0 6" Properties=species:S:1:pos:R:3\n')
    for i in range(10000):
        f.write(f'A {1 + i % 2 * 0.9} {3 + i * 5e-6} 3\n')
with open('piles.ini', 'w', encoding='utf-8') as f:
    f.write('[run]\nmodel = soft\n[start]\nfile = piles.xyz\ndimensions = 3\n[time]\nsteps = 2\n')
got, _, err = pelsim('run', 'piles.ini', '-t', 1)
check('piles, exit code', got, 3)
check('piles', err, has('the force of all pairs of particle 1, at (1, 3', ', exceeds 65536;',
                        'look for many particles in one place'))
check('piles, on 4 ranks', on_four_ranks('piles.ini'), err)

finish(folder)
