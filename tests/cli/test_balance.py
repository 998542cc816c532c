"""Load balance as a user meets it: a drop in the corner of a box is shared, a box that shrinks is cut
anew, nothing moves that need not; and no bit depends on it."""
import json

from clitest import check, finish, has, pelsim, workdir

folder = workdir()
SIDE, BOX = 12, 40  # particles along each axis of the drop; length of the box
with open('drop.xyz', 'w', encoding='utf-8') as f:
    f.write(f'{SIDE**3}\nLattice="{BOX} 0 0 0 {BOX} 0 0 0 {BOX}" Properties=species:S:1:pos:R:3 pbc="T T T"\n')
    for i in range(SIDE**3):
        f.write('A {} {} {}\n'.format(*(1.1 * (i // SIDE**a % SIDE) + .5 for a in range(3))))
with open('drop.ini', 'w', encoding='utf-8') as f:
    f.write('[run]\nmodel = lj\n[start]\nfile = drop.xyz\ntemperature = 0.5\n[lj]\ncutoff = 2.5\n'
            'shift = force\n[time]\ndt = 0.005\nsteps = 300\n[output]\nevery = 50\n'
            '[parallel]\nblocks = 8\nbalance_every = 50\n')
with open('shrinks.ini', 'w', encoding='utf-8') as f:
    f.write('[run]\nmodel = lj\n[start]\nnx = 8\nny = 7\nnz = 7\ndensity = 0.3\ntemperature = 1.7\n[lj]\n'
            'cutoff = 3\ntail = yes\n[ensemble]\nthermostat = bussi\ntemperature = 0.85\nbarostat = c_rescale\n'
            'pressure = 5\nbarostat_time = 0.1\n[time]\ndt = 0.004\nsteps = 250\n')
with open('grid.ini', 'w', encoding='utf-8') as f:
    f.write('[run]\nmodel = shallow_water\n[grid]\nnlon = 40\nnlat = 20\n[time]\nsteps = 40\ndt = 300\n'
            '[shallow_water]\ninitial = williamson5\n[output]\nevery = 10\nfields = h, vorticity\n'
            '[parallel]\nblocks = 4\nbalance_every = 2\nbalance_threshold = 1\n')


def run(config, ranks, directory, *more):
    """(what it said, run.json)"""
    code, out, err = pelsim('run', f'{config}.ini', '-n', ranks, '-t', 1, '--dir', directory, *more)
    check(f'{directory}: exit code', (code, err), (0, ''))
    with open(f'{directory}/run.json', encoding='utf-8') as f:
        return out, json.load(f)


def same(one, other, *files):
    for file in files:
        code, out, err = pelsim('diff', f'{one}/{file}', f'{other}/{file}')
        check(f'{other}: {file} as in {one}', (code, err), (0, ''))


def fingerprint(text):
    return text.splitlines()[-1]


alone, described = run('drop', 1, 'drop alone')
check('one rank: nothing can move', 'balance' in described['timing'], False)
for ranks in 2, 3:
    out, described = run('drop', ranks, f'drop on {ranks}')
    check('a drop: fingerprint', fingerprint(out), fingerprint(alone))
    check('a drop: it is shared', described['timing']['balance'],
          lambda b: b['moves'] >= 1 and b['blocks_moved'] >= b['moves'] and b['seconds'] > 0)
    check('a drop: told', out, has(' times as long as the mean; ', f' of {described["layout"]["blocks"]} blocks '
                                   'move, then the slowest should take '))
    same('drop alone', f'drop on {ranks}', 'trajectory.h5md')
out, described = run('drop', 2, 'drop that stays', '-s', 'parallel.balance_every=never')
check('never', (fingerprint(out), 'balance' in described['timing'], 'blocks move' in out),
      (fingerprint(alone), False, False))
out, described = run('drop', 2, 'one block a rank', '-s', 'parallel.blocks=1')
check('one block a rank', (fingerprint(out), 'balance' in described['timing']), (fingerprint(alone), False))

alone, _ = run('shrinks', 1, 'shrinks alone')
check('one rank: it need not be cut', 'cut anew' in alone, False)
for name, ranks, more in (('blocks', 2, ['-s', 'parallel.blocks=8']),
                          ('a grid of blocks', 3, ['-s', 'parallel.block_grid=1x4x2']), ('ranks', 6, [])):
    out, _ = run('shrinks', ranks, f'shrinks: {name}', *more)
    check(f'a box that shrinks: {name}', fingerprint(out), fingerprint(alone))
    if more:
        check(f'a box that shrinks: {name}', out, has('the box has shrunk: it is cut anew, into '))

alone, _ = run('grid', 1, 'grid alone')
moves = 0
for ranks in 2, 3, 4:
    out, described = run('grid', ranks, f'grid on {ranks}')
    moves += described['timing']['balance']['moves']
    check('a grid: fingerprint', fingerprint(out), fingerprint(alone))
    same('grid alone', f'grid on {ranks}', 'fields.nc')
check('a grid: moves', moves, lambda n: n > 0)
pelsim('run', 'grid.ini', '-n', 3, '-t', 1, '--dir', 'resumed', '--steps', 17)
out, _ = run('grid', 2, 'resumed', '--resume')
check('resumed elsewhere', fingerprint(out), fingerprint(alone))
same('grid alone', 'resumed', 'fields.nc')

for text in '0', '-1', 'often':
    code, out, err = pelsim('check', 'grid.ini', '-s', f'parallel.balance_every={text}')
    check(text, (code, err), lambda x: x[0] == 2 and 'balance_every' in x[1])
code, out, err = pelsim('check', 'grid.ini', '-s', 'parallel.balance_threshold=0.9')
check('a threshold below 1', (code, err), lambda x: x[0] == 2 and 'balance_threshold' in x[1])
finish(folder)
