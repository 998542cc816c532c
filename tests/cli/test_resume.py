"""pelsim run --resume and check --resume: what is refused leaves nothing behind, what is complete
stays as it is."""
import json
import os

from clitest import check, finish, has, pelsim, workdir

CONFIG = '[run]\nmodel = heat\n[grid]\nnx = 20\nny = 15\n[time]\nsteps = 10\n[output]\nevery = 5\n'
folder = workdir()
with open('h.ini', 'w', encoding='utf-8') as f:
    f.write(CONFIG)
with open('garbage.h5', 'wb') as f:
    f.write(os.urandom(10000))
code, out, err = pelsim('run', 'h.ini')
check('a run', (code, err), (0, ''))
PRINT = out.splitlines()[-1]
LAST = 'out/h/checkpoints/step_000000010.h5'


def everything():
    """{path: (time of change, content)} below the working directory, but for locks."""
    found = {}
    for d, _, names in os.walk('.'):
        found[d] = None
        for name in names:
            path = os.path.join(d, name)
            if name != '.lock':
                with open(path, 'rb') as f:
                    found[path] = (os.stat(path).st_mtime_ns, f.read())
    return found


def untouched(what, arguments, want, *parts):
    """The command must end with this exit code and these words, and change no file."""
    before = everything()
    code, out, err = pelsim(*arguments)
    check(f'{what}, exit code', code, want)
    check(what, err if want else out, has(*parts))
    check(f'{what}, stderr', err.count('\n'), 1 if want else 0)
    check(f'{what}: changed', sorted(k for k, v in everything().items() if before.get(k, 0) != v)
          + sorted(before.keys() - everything().keys()), [])
    return out


# ---- a checkpoint that cannot be resumed, from another directory: the new one is not made

for ranks in (1, 3):
    new = ['-n', ranks, '-t', 1, '--dir', 'new/deep']
    untouched(f'a missing file, {ranks} ranks', ['run', 'h.ini', '--resume=missing.h5', *new], 4,
              'cannot read checkpoint missing.h5: No such file')
    untouched(f'garbage, {ranks} ranks', ['run', 'h.ini', '--resume=garbage.h5', *new], 4,
              'garbage.h5 is not a pelsim checkpoint')
    untouched(f'another grid, {ranks} ranks',
              ['run', 'h.ini', f'--resume={LAST}', '-s', 'grid.nx=21', *new], 4, 'x 20 x y 15',
              'x 21 x y 15')
with open('w.ini', 'w', encoding='utf-8') as f:
    f.write('[run]\nmodel = shallow_water\n[grid]\nnlon = 20\nnlat = 10\n[time]\nsteps = 1\n'
            '[shallow_water]\ninitial = williamson2\n')
for ranks in (1, 3):
    untouched(f'another model, {ranks} ranks',
              ['run', 'w.ini', f'--resume={LAST}', '-n', ranks, '-t', 1], 4,
              'is of model heat, the configuration asks for shallow_water')
untouched('no run at all', ['run', 'w.ini', '--resume'], 2, 'there is no run directory out/w')
untouched('check of no run', ['check', 'w.ini', '--resume'], 2, 'there is no run directory out/w')
untouched('check of a missing file', ['check', 'h.ini', '--resume=missing.h5'], 4, 'missing.h5')

# ---- a run that is complete

COMPLETE = ('is complete: step 10, at ', 's, has reached [time] steps = 10; to go on, resume with '
            'more steps, as in -s time.steps=20')
for ranks in (1, 2):
    out = untouched(f'complete, {ranks} ranks', ['run', 'h.ini', '--resume', '-n', ranks, '-t', 1], 0,
                    'out/h ' + COMPLETE[0], COMPLETE[1])
    check('the last line', out.splitlines()[-1], PRINT)
untouched('complete, as a file', ['run', 'h.ini', f'--resume={LAST}'], 0, 'out/h ' + COMPLETE[0])
untouched('complete, from elsewhere', ['run', 'h.ini', f'--resume={LAST}', '--dir', 'new'], 0,
          LAST + ' ' + COMPLETE[0])
untouched('complete, by time',
          ['run', 'h.ini', '--resume', '-s', 'time.steps=none', '-s', 'time.end=1e-6 s'], 0,
          'has reached [time] end = 1e-06 s; to go on, resume with a later end, as in '
          '-s time.end=2e-06')
untouched('check of a complete run', ['check', 'h.ini', '--resume'], 0, 'begins at',
          'step 10, ', LAST, 'nothing: out/h ' + COMPLETE[0], COMPLETE[1])
out = untouched('check of a longer run', ['check', 'h.ini', '--resume', '-s', 'time.steps=20'], 0,
                'step 10, ', 'at that step')
check('check of a longer run', 'complete' in out, False)
out = untouched('check --json', ['check', 'h.ini', '--resume', '--json'], 0, '"resume"')
check('check --json', {k: json.loads(out)['resume'][k] for k in ('from', 'step', 'complete')},
      {'from': LAST, 'step': 10, 'complete': True})

# A run that was killed after its last checkpoint has not said how it ended.
with open('out/h/run.json', encoding='utf-8') as f:
    run = json.load(f)
check('end_time of a run limited by steps', (run['end_time'], run['last_step']), (None, 10))
run['state'] = 'running'
with open('out/h/run.json', 'w', encoding='utf-8') as f:
    json.dump(run, f)
code, out, err = pelsim('run', 'h.ini', '--resume')
check('killed at its end', (code, out.splitlines()[-1], 'complete' in out), (0, PRINT, False))
with open('out/h/run.json', encoding='utf-8') as f:
    check('killed at its end, then resumed', json.load(f)['state'], 'done')

# ---- one that is not: it goes on, and says at which step its limits hold

code, out, err = pelsim('run', 'h.ini', '--resume', '-s', 'time.steps=20')
check('a longer run', (code, err), (0, ''))
check('a longer run', out, has('time-step limit at step 10, diffusion: '))
whole = pelsim('run', 'h.ini', '--dir', 'whole', '-s', 'time.steps=20')[1]
check('a run from the start', whole, has('time-step limit at the start, diffusion: '))
check('the same in one go', whole.splitlines()[-1], out.splitlines()[-1])

# ---- output that cannot be continued: seen before anything is changed, by run and by check

FIELDS = 'out/h/fields.nc'
with open(FIELDS, 'rb') as f:
    good = f.read()


def not_continued(what, sentence, *options):
    for command in ('run', 'check'):
        for ranks in (1, 2):
            untouched(f'{command}, {what}, {ranks} ranks',
                      [command, 'h.ini', '--resume', '-s', 'time.steps=30', '-n', ranks, '-t', 1,
                       *options], 4, FIELDS + ' cannot be continued', *sentence)


not_continued('another precision', ('in single precision', 'resume with the options'), '-s',
              'output.precision=single')
for content in (b'no HDF5 file', good[:300]):
    with open(FIELDS, 'wb') as f:
        f.write(content)
    not_continued('damaged', ('no HDF5 file or damaged; move it away',))
with open(FIELDS, 'wb') as f:
    f.write(good)
with open('w.ini', 'w', encoding='utf-8') as f:
    f.write('[run]\nmodel = shallow_water\n[grid]\nnlon = 20\nnlat = 10\n[time]\nsteps = 2\n'
            '[shallow_water]\ninitial = williamson2\n[output]\nevery = 1\nfields = u, v\n')
check('a run of two fields', pelsim('run', 'w.ini')[::2], (0, ''))
for fields, sentence in (('u', 'has a variable v, which this run does not write'),
                         ('u, v, vorticity', 'no variable vorticity')):
    untouched(f'fields {fields}', ['run', 'w.ini', '--resume', '-s', 'time.steps=3', '-s',
                                   f'output.fields={fields}'], 4, sentence)
untouched('no output at all', ['check', 'w.ini', '--resume', '-s', 'output.every=none', '-s',
                               'output.fields=u'], 0, 'complete')

# ---- a run that failed before its first step is not advised to be repeated

code, out, err = pelsim('run', 'w.ini', '--resume', '-s', 'time.steps=3', '-s', 'time.dt=1e7')
check('a step far too long', (code, 'newest checkpoint' in out, 'continue with' in out),
      (3, True, False))

# ---- check passes a damaged checkpoint over and leaves it where it is

with open('out/h/checkpoints/step_000000020.h5', 'r+b') as f:
    f.truncate(5000)
untouched('check of a damaged checkpoint', ['check', 'h.ini', '--resume', '-s', 'time.steps=30'], 0,
          'step 10, ', LAST)

# ---- damaged checkpoints: what is tried next is what there is

for name in os.listdir('out/h/checkpoints'):
    with open(f'out/h/checkpoints/{name}', 'r+b') as f:
        f.truncate(5000)
names = sorted(os.listdir('out/h/checkpoints'))
check('checkpoints', len(names), 2)
code, out, err = pelsim('run', 'h.ini', '--resume', '-s', 'time.steps=30')
lines = err.splitlines()
check('all are damaged', (code, len(lines)), (4, 3))
check('all are damaged', lines[0], has(names[1], 'renamed to *.bad, the one before it is tried'))
check('all are damaged', lines[1], has(names[0], 'renamed to *.bad, and there is none before it'))
check('all are damaged', lines[2], has('no good checkpoint in out/h/checkpoints: all 2 are damaged'))
os.rename(f'out/h/checkpoints/{names[0]}.bad', f'out/h/checkpoints/{names[0]}')
code, out, err = pelsim('check', 'h.ini', '--resume', '-s', 'time.steps=30')
check('the only one is damaged', (code, err.count('the only one is damaged\n')), (4, 1))
code, out, err = pelsim('diff', 'out/w/fields.nc', 'out/w/checkpoints/step_000000002.h5')
check('diff of unlike files', (code, err),
      (4, 'out/w/fields.nc is a netCDF file, out/w/checkpoints/step_000000002.h5 is a checkpoint: '
          'they cannot be compared; give two netCDF files, or two checkpoints\n'))

# ---- rows that find no room are results that are lost

with open('rows.ini', 'w', encoding='utf-8') as f:
    f.write('[run]\nmodel = heat\n[grid]\nnx = 20\n[time]\nsteps = 3000\n'
            '[diagnostics]\nevery = 1\n')
limit = ('bash', '-c', 'trap "" XFSZ; ulimit -f 100; exec "$@"', 'bash')  # files of 100 KiB at most
code, out, err = pelsim('run', 'rows.ini', '-t', 1, prefix=limit)
check('rows without room', (code, err.count('\n')), (4, 1))
check('rows without room', err, has(
    ' rows of diagnostics.csv could not be written; make room or repair the directory, then'))
finish(folder)
