"""Time steps and what is due after them: check tells what run does, and nothing happens early."""
import json

from clitest import check, finish, has, pelsim, workdir

folder = workdir()
with open('h.ini', 'w', encoding='utf-8') as f:
    f.write('[run]\nmodel = heat\n[grid]\nnx = 2000\n[time]\nsteps = 7\n'
            '[diagnostics]\nevery = none\n')


def keys(*settings):
    return [w for s in settings for w in ('-s', s)]


def rows(*settings):
    """(step, time, dt) of the rows of diagnostics.csv."""
    code, out, err = pelsim('run', 'h.ini', '--dir', 'out', '--overwrite', '-t', 1, *keys(*settings))
    check(f'run {settings}', (code, err), (0, ''))
    with open('out/diagnostics.csv', encoding='utf-8') as table:
        lines = [line.split(',')[:3] for line in table.read().split()[1:]]
    return [(int(step), float(time), float(dt)) for step, time, dt in lines]


# ---- the step that check tells is the one that run takes

for settings in ([], ['time.dt_max=1e-9'], ['time.dt_max=1'], ['time.dt=1e-8'],
                 ['grid.nx=1', 'time.dt_max=0.5']):
    code, out, err = pelsim('check', 'h.ini', '--json', *keys(*settings))
    check(f'check --json {settings}', (code, err), (0, ''))
    dt = json.loads(out)['dt']
    check(f'dt of {settings}', rows('diagnostics.every=1', *settings)[1][2], dt)
    code, out, err = pelsim('check', 'h.ini', *keys(*settings))
    check(f'check {settings}', out, has(f'time step              {dt:.6g} s'))
for settings in (['time.dt=1'], ['time.dt=3e-7']):
    for command in ('check', 'run'):
        code, out, err = pelsim(command, 'h.ini', '-n', 2, '-t', 1, *keys(*settings),
                                *(['--overwrite'] if command == 'run' else []))
        check(f'{command} {settings}', (code, err.count('\n')), (3, 1))
        check(f'{command} {settings}', err, has('is far beyond the stable limit of 1.25e-07 s; set'))

# ---- intervals of many more steps than there are, and of few

for interval, steps in (('1 h', [0, 7]), ('1e30', [0, 7]), ('1', [0, 7]), ('1e-8', range(8)),
                        ('1.125e-7', range(8)), ('2.25e-7', [0, 2, 4, 6, 7])):
    found = rows(f'diagnostics.interval={interval}')
    check(f'steps with rows, interval {interval}', [r[0] for r in found], list(steps))
found = rows('diagnostics.interval=3e-7', 'checkpoint.interval=1e-7', 'time.steps=12')
check('times of two intervals', [r[1] for r in found],
      lambda t: all(abs(x - i * 3e-7) < 1e-20 for i, x in enumerate(t)))
check('steps of two intervals', [r[0] for r in found], [0, 3, 6, 9, 12])
finish(folder)
