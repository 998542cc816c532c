"""Particle models from the command line: what [start] and [ensemble] refuse, each in one sentence; how
boxes fail; units of time; going on with another ensemble."""
import csv
import os

from clitest import SOURCE, check, finish, has, pelsim, workdir

CONFIG = os.path.join(SOURCE, 'configs/lj_melt.ini')
SMALL = [f'start.n{a}=6' for a in 'xyz'] + ['time.steps=60', 'diagnostics.every=20']
folder = workdir()


def settings(keys):
    return [w for k in keys for w in ('-s', k)]


def run(directory, *keys, words=(), small=True):
    return pelsim('run', CONFIG, '--dir', directory, '-t', 1, *words,
                  *settings((SMALL if small else []) + list(keys)))


def rows(directory):
    with open(f'{directory}/diagnostics.csv', encoding='utf-8') as f:
        return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(f)]


def refused(name, keys, parts, code=2, words=()):
    got, _, err = run('wrong ' + name, *keys, words=words)
    check(f'{name}, exit code', got, code)
    check(name, err, has(*parts))
    check(f'{name}: sentences', err.count('\n'), 1)


# ---- what is refused

for name, keys, parts in (
        ('temperature alone', ['ensemble.temperature=1'],
         ['[ensemble] temperature: this has no effect without a thermostat; give one, or leave it']),
        ('pressure alone', ['ensemble.pressure=1', 'ensemble.thermostat=bussi'],
         ['[ensemble] pressure: this has no effect without a barostat']),
        ('half a ramp', ['ensemble.end_temperature=1', 'ensemble.thermostat=bussi'],
         ['[ensemble] end_temperature: a ramp needs both end_temperature and ramp_steps']),
        ('barostat alone', ['ensemble.barostat=c_rescale'],
         ['[ensemble] barostat: c_rescale needs a thermostat, at best thermostat = bussi']),
        ('cold bath', ['ensemble.thermostat=langevin', 'start.temperature=0'],
         ['[ensemble] temperature: a thermostat needs a temperature above 0']),
        ('unknown thermostat', ['ensemble.thermostat=busi'], ['[ensemble] thermostat', "'bussi'"]),
        ('list of words', ['start.mass=heavy'],
         ["[start] mass: 'heavy' is not a list of numbers; give them as in '1, 0.5'"]),
        ('negative mass', ['start.mass=-1'], ['[start] mass: -1 is not positive']),
        ('two masses', ['start.mass=1, 2'],
         ["[start] mass: '1, 2' has 2 numbers, but there is 1 type ([start] composition or file)"]),
        ('nothing', ['start.composition=0, 0'], ['[start] composition: there is nothing of any type']),
        ('negative part', ['start.composition=1, -2'], ['[start] composition: -2 is negative']),
        ('three epsilons', ['start.composition=1, 1', 'lj.epsilon=1, 2, 3'],
         ["[lj] epsilon: '1, 2, 3' has 3 numbers, but there are 2 types ([start] composition or file)"]),
        ('no such type', ['start.composition=1, 1', 'lj.pairs=1-3 1 1'],
         ["[lj] pairs: '1-3 1 1' is not a pair of the 2 types with epsilon, sigma and perhaps a "]),
        ('half a pair', ['lj.pairs=1-1 1'], ["[lj] pairs: '1-1 1' is not a pair of the 1 type with"]),
        ('tail of a smooth potential', ['lj.tail=yes', 'lj.shift=force'],
         ['[lj] tail: shift = force has no correction for what lies beyond']),
        ('tail in a plane', ['lj.tail=yes', 'start.lattice=hex', 'start.nz=1'],
         ['[lj] tail: a two-dimensional system has no correction']),
        ('depth of a plane', ['start.lattice=square'],
         ['[start] nz: lattice square is two-dimensional; leave nz out, or 1']),
        ('wall of a plane', ['start.lattice=hex', 'start.nz=1', 'start.walls=z'],
         ['[start] walls: lattice hex has no axis z']),
        ('two densities', ['start.spacing=1.7'],
         ['[start] density: spacing is given too; leave one of the two out']),
        ('metal without mass', ['start.units=metal'],
         ['[start] mass: with units = metal masses must be given, in g/mol']),
        ('real without density', ['start.units=real', 'start.density=auto', 'start.mass=40'],
         ['[start] spacing: with units = real spacing (or density) must be given']),
        ('seconds in reduced units', ['time.dt=2 fs'],
         ["[time] dt: '2 fs' has a unit, but the times of model lj are reduced; give the number"])):
    refused(name, keys, parts)

# ---- how boxes fail, on one rank and on two

NPT = ['ensemble.thermostat=bussi', 'ensemble.barostat=berendsen', 'ensemble.barostat_every=1']
for ranks in (1, 2):
    words = ['-n', ranks]
    refused(f'collapse {ranks}', [*NPT, 'start.density=0.3', 'lj.cutoff=4.9', 'lj.skin=0.1',
                                  'start.nx=12', 'ensemble.pressure=20',
                                  'ensemble.barostat_time=0.05'],
            ['failed at step ', 'the box has collapsed: 9.', 'along axis y, less than twice the '
             'cut-off 4.9'], code=3, words=words)
    refused(f'leap {ranks}', [*NPT, 'ensemble.pressure=500', 'ensemble.barostat_time=0.01'],
            ['the barostat would change the volume by -', ' % at once: the pressure is -'], code=3,
            words=words)
    refused(f'growth {ranks}', [*NPT, 'start.density=0.05', 'ensemble.pressure=-1',
                                'ensemble.compressibility=0.2', 'ensemble.barostat_time=0.005'],
            ['the box has grown to 1', 'times its volume at the start: nothing holds the particles '
             'together at [ensemble] pressure = -1'], code=3, words=words)

# ---- few particles

code, out, err = run('one', *[f'start.n{a}=1' for a in 'xyz'], 'start.lattice=sc',
                     'start.density=0.005', 'ensemble.thermostat=bussi')
check('one atom', (code, err), (0, ''))
check('one atom: its temperature', rows('one')[-1]['temperature'], 0)

# ---- a start at rest, which only noise can warm; what has been warmed goes on with any thermostat

refused('at rest', ['start.temperature=0', 'ensemble.thermostat=bussi', 'ensemble.temperature=1'],
        ['[ensemble] thermostat: this one scales velocities, and the start has none'])
BATH = ['start.temperature=0', 'ensemble.temperature=1']
code, _, err = run('warmed', *BATH, 'ensemble.thermostat=langevin')
check('warmed by noise', (code, err), (0, ''))
code, _, err = run('warmed', *BATH, 'ensemble.thermostat=bussi', 'time.steps=80', words=['--resume'])
check('and on by scaling', (code, err), (0, ''))
check('warm', rows('warmed')[-1]['temperature'], lambda t: t > 0.1)

# ---- a box that shrinks until its parts are hardly thicker than the cut-off

SQUEEZE = ['start.nx=4', 'start.ny=4', 'start.nz=4', 'start.density=0.5', 'lj.cutoff=2.8',
           'ensemble.thermostat=bussi', 'ensemble.barostat=c_rescale', 'ensemble.pressure=20',
           'ensemble.barostat_time=1', 'time.dt=0.002', 'time.steps=700']
last = {run(f'squeezed on {n}', *SQUEEZE, words=['-n', n])[1].splitlines()[-1]
        for n in (1, 2, 4)}
check('squeezed', len(last), 1)

# ---- times with and without units

METAL = ['start.units=metal', 'start.density=auto', 'start.spacing=5.3', 'start.mass=39.948',
         'lj.epsilon=0.01032', 'lj.sigma=3.405', 'lj.cutoff=8.5', 'start.temperature=60']
for name, key in (('units', 'time.dt=2 fs'), ('number', 'time.dt=0.002'), ('auto', 'time.dt=auto')):
    code, _, err = run(name, *METAL, key)
    check(f'{name}: exit code', (code, err), (0, ''))
    want = 0.001 if name == 'auto' else 0.002
    check(f'{name}: dt in picoseconds', rows(name)[-1]['dt'] / want, lambda x: abs(x - 1) < 1e-12)
check('the same steps', abs(rows('units')[-1]['total_energy'] / rows('number')[-1]['total_energy'] - 1)
      < 1e-9, True)

# ---- columns

code, _, err = run('npt', 'ensemble.thermostat=bussi', 'ensemble.barostat=c_rescale', 'lj.shift=energy')
check('columns', list(rows('npt')[0])[3:], ['temperature', 'potential_energy', 'total_energy',
                                            'pressure', 'conserved', 'density'])
with open('npt/diagnostics.csv', encoding='utf-8') as f:
    check('no row twice', len(f.readlines()), 5)

# ---- a run goes on with another ensemble: what was not conserved so far begins anew

run('on', 'ensemble.thermostat=bussi', 'ensemble.temperature=0.3', 'ensemble.thermostat_time=0.02',
    'lj.shift=force')
drop = rows('on')[0]['total_energy'] - rows('on')[-1]['total_energy']
check('energy taken out', drop, lambda x: x > 1)
code, _, err = pelsim('run', CONFIG, '--dir', 'further', '-t', 1, '--resume=on/checkpoints/step_000000060.h5',
                      *settings(SMALL + ['time.steps=200', 'lj.shift=force']))
check('on at constant energy', (code, err), (0, ''))
energy = [row['total_energy'] for row in rows('further')]
check('energy kept', max(energy) - min(energy), lambda x: x < 1e-3)

finish(folder)
