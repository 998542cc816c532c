"""[analysis] from the command line: observables.h5 has the same values on any ranks, threads and
lists, and after interruptions; what is in it; what tools say of it; what cannot be analysed."""
import csv
import json
import os
import shutil

import h5py
import numpy as np

from clitest import SOURCE, check, finish, has, pelsim, workdir

CONFIG = os.path.join(SOURCE, 'configs/lj_melt.ini')
folder = workdir()


def words(**keys):
    """start__nx=5 as -s start.nx=5"""
    return [w for k, v in keys.items() for w in ('-s', f'{k.replace("__", ".")}={v}')]


SMALL = words(start__nx=5, start__ny=5, start__nz=5, start__density=0.776, lj__shift='force',
              time__steps=360, diagnostics__every=6, checkpoint__every=50)
ALL = words(analysis__averages='yes', analysis__rdf='yes', analysis__msd='yes', analysis__vacf='yes',
            analysis__rdf_every=9, analysis__rdf_bins=64, analysis__every=3, analysis__origins=12,
            analysis__window=60, analysis__from=30)
BATH = words(ensemble__thermostat='bussi', ensemble__temperature=1.2)


def run(directory, *more, want=0):
    code, out, err = pelsim('run', CONFIG, '--dir', directory, *SMALL, *more)
    check(f'{directory}: exit code', (code, err if want == 0 else ''), (want, ''))
    return out if code == 0 else err


def same(a, b):
    code, out, _ = pelsim('diff', f'{a}/observables.h5', f'{b}/observables.h5')
    check(f'{a} and {b}', (code, out), (0, ''))


# ---- the same bits

MIXED = [*ALL, *BATH, *words(start__composition='2, 1', lj__sigma='1, 0.9')]
whole = run('whole', *MIXED, '-t', 1)
run('ranks', *MIXED, '-n', 4, '-t', 1, *words(lj__skin=0.1))
same('whole', 'ranks')
run('parts', *MIXED, '-n', 2, '-t', 2, '--steps', 77)
run('parts', *MIXED, '-t', 3, '--steps', 100, '--resume', *words(lj__skin=0.6))
run('parts', *MIXED, '-n', 3, '-t', 1, '--resume')
same('whole', 'parts')
shutil.copytree('parts', 'back')  # as if killed after its last checkpoint, and then some
for name in os.listdir('back/checkpoints'):
    if '350' not in name:
        os.remove(f'back/checkpoints/{name}')
run('back', *MIXED, '-t', 2, '--resume')
same('whole', 'back')
far = words(analysis__rdf_range=4.2)
run('far', *MIXED, *far, '-t', 2)
run('far on ranks', *MIXED, *far, '-n', 4, '-t', 1, '--steps', 200)
run('far on ranks', *MIXED, *far, '-n', 2, '-t', 1, '--resume')
same('far', 'far on ranks')
run('other', *MIXED, '-t', 1, *words(start__seed=2))
code, out, _ = pelsim('diff', 'whole/observables.h5', 'other/observables.h5')
check('another seed', (code, 'radial_distribution/value: ' in out), (1, True))

# ---- what is in the file

with h5py.File('whole/observables.h5', 'r') as f:
    top = f['observables']
    check('groups', sorted(top), ['averages', 'conserved', 'diffusion_einstein',
                                  'diffusion_green_kubo', 'mean_square_displacement',
                                  'potential_energy', 'pressure', 'radial_distribution',
                                  'temperature', 'total_energy', 'velocity_autocorrelation'])
    g, msd, vacf = (top[n] for n in ('radial_distribution', 'mean_square_displacement',
                                     'velocity_autocorrelation'))
    check('version', list(f['h5md'].attrs['version']), [1, 1])
    check('shape of g', g['value'].shape, (1, 3, 64))
    check('its rows', g['value'].attrs['rows'], '1-1, 1-2, 2-2')
    check('its samples', g['value'].attrs['samples'], (360 - 30) // 9 + 1)
    check('step', list(g['step']), [360])
    check('distance', float(g['distance'][0]), 2.5 / 128)
    check('g(0)', float(g['value'][0, :, 0].max()), 0.0)
    check('g at its peak', float(g['value'][0].max()), lambda x: 1.5 < x < 5)
    check('shape of the displacement', msd['value'].shape, (1, 2, 21))
    check('lag', float(msd['lag'][-1]), lambda x: abs(x - 60 * .005) < 1e-12)
    check('displacement of no time', float(msd['value'][0, :, 0].max()), 0.0)
    check('origins that are complete', msd['value'].attrs['samples'], (360 - 30 - 60) // 12 + 1)
    check('ballistic', float(msd['value'][0, 0, 1] / (vacf['value'][0, 0, 0] * .015**2)),
          lambda x: .9 < x <= 1)
    for name in ('value', 'error', 'distance'):
        check(f'{name}: a sentence', len(g[name].attrs['description']) > 20, True)
    check('errors', bool(np.all(np.isfinite(g['error']))) and bool(np.all(g['error'][0] >= 0)), True)
    t = top['averages/temperature']
    with open('whole/diagnostics.csv', encoding='utf-8') as rows:
        rows = list(csv.DictReader(rows))
        want = [float(r['temperature']) for r in rows if int(r['step']) >= 30]
    check('table', list(top['temperature/value']), [float(r['temperature']) for r in rows])
    check('its steps', list(top['temperature/step']), [int(r['step']) for r in rows])
    check('mean temperature', float(t['value'][0]), lambda x: abs(x - np.mean(want)) < 1e-13)
    check('rows', t['value'].attrs['samples'], len(want))
with open('whole/run.json', encoding='utf-8') as f:
    averages = json.load(f)['averages']
check('run.json', averages['temperature']['samples'], len(want))
check('run.json', averages['diffusion_einstein_2']['value'], lambda x: x is not None and 0 < x < 1)
check('table', whole, has('average ', 'error   samples', 'diffusion_green_kubo_1'))
check('info', pelsim('info', 'whole/observables.h5')[1],
      has('observables of model lj', 'averages/temperature 1.', 'radial_distribution (3 x 64) [1]', 'temperature, 61 records'))
check('info --json', json.loads(pelsim('info', 'whole/observables.h5', '--json')[1])['kind'],
      'observables')
check('verify', pelsim('verify', 'whole')[1], has('observables.h5: good, 15 observables'))
with h5py.File('other/observables.h5', 'r+') as f:
    f['observables/radial_distribution/value'][0, 0, 5] += 1
check('damage', pelsim('verify', 'other'), lambda x: x[0] == 4 and 'is damaged' in x[1] + x[2])

# ---- the state's fingerprint does not know of it; runs with and without continue each other

plain = run('plain', *BATH, '-t', 2)
alone = run('alone', *BATH, *ALL, '-t', 2)
check('fingerprint', alone.splitlines()[-1], plain.splitlines()[-1])
check('of the checkpoint', pelsim('fingerprint', 'alone')[1].strip(), plain.split()[-1])
LAST = '/checkpoints/step_000000360.h5'
said = run('begun later', f'--resume=plain{LAST}', *BATH, *ALL, '-t', 1, *words(time__steps=500))
check('begun later', said, has('[analysis] averages, rdf, msd and vacf: begins anew at step 360'))
said = run('changed', f'--resume=alone{LAST}', *BATH, *ALL, '-t', 1,
           *words(time__steps=500, analysis__rdf_bins=30))
check('changed', said, has('[analysis] rdf: begins anew at step 360'))
run('given up', f'--resume=alone{LAST}', *BATH, '-t', 1, *words(time__steps=500))
check('nothing to analyse, no file', os.path.exists('given up/observables.h5'), False)
run('given up', *BATH, *ALL, '-t', 1, '--overwrite')

# ---- a box that changes, two dimensions

NPT = [*BATH, *words(analysis__rdf='yes', analysis__rdf_every=10, analysis__from=100,
                     ensemble__barostat='c_rescale', ensemble__pressure=1, ensemble__barostat_time=.5,
                     analysis__rdf_range=3.9)]
run('npt', *NPT, '-t', 2)
run('npt on ranks', *NPT, '-n', 3, '-t', 1, '--steps', 150)
run('npt on ranks', *NPT, '-n', 2, '-t', 1, '--resume')
same('npt', 'npt on ranks')
PLANE = words(start__lattice='hex', start__nx=24, start__ny=14, start__nz=1, start__density=.5,
              start__temperature=3, analysis__rdf='yes', analysis__rdf_every=10, analysis__from=100,
              analysis__rdf_range=8, analysis__msd='yes', analysis__window=100)
run('plane', *PLANE, '-t', 2)
for name, where in (('npt', (3., 3.9)), ('plane', (6., 8.))):
    with h5py.File(f'{name}/observables.h5', 'r') as f:
        g = f['observables/radial_distribution']
        d = g['distance'][:]
        beyond = g['value'][0, 0, (d > where[0]) & (d < where[1])]
    check(f'{name}: g far away', float(beyond.mean()), lambda x: abs(x - 1) < .03)

# ---- what cannot be

for name, more, code, parts in (
        ('range', words(analysis__rdf='yes', analysis__rdf_range=5), 2,
         ['[analysis] rdf_range: 5 is more than half the box, 8.637']),
        ('ranks', [*words(analysis__rdf='yes', analysis__rdf_range=4.2), '-n', 9, '-t', 1], 2,
         ['[analysis] rdf_range: 9 ranks cannot share the box', 'at most 2 x 2 x 2 parts']),
        ('walls', words(analysis__rdf='yes', start__walls='y'), 2,
         ['[analysis] rdf: a box with walls along y has no uniform gas to compare with']),
        ('window', words(analysis__msd='yes', analysis__window=12), 2,
         ['[analysis] window: 12 is no multiple of every = 5, or less than 4 of it']),
        ('origins', words(analysis__vacf='yes', analysis__origins=5, analysis__window=2000), 2,
         ['[analysis] origins: 401 origins within the window of 2000 steps are more than 64']),
        ('intervals', words(analysis__vacf='yes', output__interval=1), 2,
         ["[analysis] vacf: steps are shortened to land on an 'interval'"]),
        ('barostat', [*BATH, *words(analysis__msd='yes', ensemble__barostat='berendsen')], 2,
         ['[analysis] msd: in a box that changes displacements are not defined']),
        ('no rows', words(analysis__averages='yes', diagnostics__every='none'), 2,
         ['[analysis] averages: there are no rows of diagnostics to average']),
        ('a grid', words(analysis__rdf='yes', run__model='heat'), 2, [])):
    got, _, err = pelsim('run', CONFIG, '--dir', 'wrong ' + name, *SMALL, *more)
    check(f'{name}, exit code', got, code)
    check(name, err, has(*parts))
    if parts:
        check(f'{name}: sentences', err.count('\n'), 1)
said = run('in vain', *ALL, '-t', 1, *words(time__steps=80))
check('a window that is never complete', said, has(
    'warning: [analysis] msd and vacf: nothing is complete before step 90, and the run ends at step 80',
    'open next     in vain/observables.h5'))
check('one that is', 'warning: [analysis]' in run('not in vain', *ALL, '-t', 1, *words(time__steps=90)), False)
with open('heat.ini', 'w', encoding='utf-8') as f:
    f.write('[run]\nmodel = heat\n[time]\nsteps = 1\n[analysis]\nrdf = yes\n')
code, _, err = pelsim('run', 'heat.ini')
check('a model of fields', (code, err), lambda x: x[0] == 2 and
      'heat.ini:6: [analysis] rdf: model heat has no particles to analyse' in x[1])
os.mkdir('shut')
run('shut', '-t', 1)
os.mkdir('shut/observables.h5')
code, out, err = pelsim('run', CONFIG, '--dir', 'shut', *SMALL, *ALL, '-t', 1, '--resume', *words(time__steps=400))
check('a file that cannot be written', (code, out), lambda x: x[0] == 4 and
      has('cannot write shut/observables.h5', 'goes on')(x[1]))
check('a file that cannot be written', err, has('observables.h5 could not be written', '--resume'))

finish(folder)
