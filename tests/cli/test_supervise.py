"""pelsim run --retries: ranks that die, are stopped, hang or are told to end are started again from
the newest good checkpoint; what cannot be helped is given up with an account.  pelsim status."""
import glob
import json
import os
import signal
import subprocess
import time

from clitest import ENVIRONMENT, PELSIM, check, finish, has, pelsim, workdir
from running import Run

CONFIG = """[run]
model = heat
hang_limit = 1
[grid]
nx = 64
ny = 64
[time]
steps = {steps}
[checkpoint]
every = 2000
[diagnostics]
every = 1000
"""
MPIRUN = ['mpirun', '--allow-run-as-root', '--oversubscribe', '-n', '2']
STEPS = 60000
folder = workdir()
for name, steps in ('short.ini', STEPS), ('long.ini', 10**9):
    with open(name, 'w', encoding='utf-8') as f:
        f.write(CONFIG.format(steps=steps))


def steps_of(directory):
    return sorted(int(os.path.basename(p)[5:14]) for p in
                  glob.glob(f'{directory}/checkpoints/step_*.h5'))


def saved(run, beyond=-1):
    """Waits for a checkpoint beyond that step."""
    end = time.time() + 60
    while not [s for s in steps_of(run.dir) if s > beyond]:
        if time.time() > end or run.process.poll() is not None:
            raise SystemExit(f'no checkpoint: {run.text()}')
        time.sleep(.02)
    return run


def said(run, what, limit=60):
    end = time.time() + limit
    while what not in run.text():
        if time.time() > end:
            raise SystemExit(f'not said: {what!r}; said: {run.text()}')
        time.sleep(.02)
    return run


def run_json(directory):
    with open(f'{directory}/run.json', encoding='utf-8') as f:
        return json.load(f)


def last_line(text):
    return text.strip().splitlines()[-1]


code, out, err = pelsim('run', 'short.ini', '-t', 2, '--dir', 'whole')
check('undisturbed', (code, err), (0, ''))
whole = last_line(out)

# ---- one fault of each kind, then to the end

for what, fault, reason in (
        ('killed', lambda r: r.kill(signal.SIGKILL, r.ranks()[-1]), 'was killed by signal 9 (Killed)'),
        ('stopped', lambda r: r.kill(signal.SIGSTOP, r.ranks()[1]), 'is stopped'),
        ('told to end', lambda r: r.kill(signal.SIGTERM, r.ranks()[0]), 'a signal that was not sent to'),
        ('mpirun killed', lambda r: r.kill(signal.SIGKILL, r.mpirun()), 'mpirun was killed by signal 9')):
    run = saved(Run('short.ini', '-n', 3, '--retries', 5))
    fault(run)
    check(f'{what}: exit code', run.code(60), 0)
    text = run.text()
    check(f'{what}: fingerprint', last_line(text), whole)
    check(what, text, has(reason, 'restart 1 of at most 5 in 0.2 s, from step '))
    history = run_json(run.dir)['history']
    check(f'{what}: history', (len(history), history[0]['exit']['reason']),
          lambda x: x[0] == 1 and (reason in x[1] or (what, x[1]) == ('told to end', 'stopped on request')))
    check(f'{what}: nothing left', run.gone(), True)
    check(f'{what}: its files are gone', glob.glob(f'/dev/shm/pelsim_job_{run.pid}_*'), [])
    if what == 'stopped':
        check(what, text, has('no step for 2 s and no sign of work; where the ranks are:\n',
                              '  rank 0 is at step ', '  rank 1 does not answer: its process ',
                              '  rank 2 is at step '))
        code, out, err = pelsim('status', run.dir)
        check(f'{what}: status', (code, err), (0, ''))
        check(f'{what}: status', out, has('state        done\n', 'before       ', 'killed: no progress',
                                          f'progress     step {STEPS} of {STEPS}'))

# ---- a signal to this process is the user's, not a fault

run = saved(Run('long.ini', '-n', 2, '--retries', 5))
check('SIGTERM to pelsim', run.kill(signal.SIGTERM).code(), 75)
check('SIGTERM to pelsim', 'restart' in run.text(), False)
run = saved(Run('long.ini', '-n', 2, '--retries', 5))
with open(f'{run.dir}/STOP', 'w', encoding='utf-8'):
    pass
check('STOP', (run.code(), 'restart' in run.text()), (75, False))
check('STOP: not to be resumed', pelsim('status', run.dir, '--resumable'),
      (1, f'{run.dir}: not to be resumed: somebody stopped it by the file STOP\n', ''))
check('STOP: what a person may do', pelsim('status', run.dir)[1],
      has('next         not to be resumed: somebody stopped it by the file STOP; then, or all the same: '
          'pelsim run long.ini --resume --dir', ' -n 2 -t 1 --retries=5\n'))

run = saved(Run('long.ini', '-n', 2, '--retries', 5))  # made while nobody is there to obey
run.kill(signal.SIGKILL, run.ranks()[0])
with open(f'{run.dir}/STOP', 'w', encoding='utf-8'):
    pass
check('STOP between attempts', (run.code(60), os.path.exists(f'{run.dir}/STOP')), (75, False))

# ---- pelsim itself stopped for longer than the limit is no fault of the run; nor is a rank for less

run = saved(Run('short.ini', '-n', 2, '--retries', 5))
family = [run.pid, run.mpirun(), *run.ranks()]
for pid in family:
    os.kill(pid, signal.SIGSTOP)
time.sleep(4)
for pid in reversed(family):
    os.kill(pid, signal.SIGCONT)
check('all of it suspended', (run.code(60), last_line(run.text())), (0, whole))
check('all of it suspended', 'restart' in run.text(), False)

# ---- the newest checkpoint is damaged when it is needed

run = saved(saved(Run('short.ini', '-n', 2, '--retries', 5, '-s', 'checkpoint.keep=3')), 2000)
run.kill(signal.SIGSTOP)
run.kill(signal.SIGKILL, run.ranks()[0])
time.sleep(3)
newest = steps_of(run.dir)[-1]
with open(f'{run.dir}/checkpoints/step_{newest:09d}.h5', 'r+b') as f:
    f.seek(os.path.getsize(f.name) // 2)
    byte = f.read(1)
    f.seek(-1, os.SEEK_CUR)
    f.write(bytes([byte[0] ^ 16]))
run.kill(signal.SIGCONT)
check('a damaged checkpoint', (run.code(60), last_line(run.text())), (0, whole))
check('a damaged checkpoint', run.text(), has(f'step_{newest:09d}.h5', '.bad'))

# ---- given up: no progress, or the limit; and waiting is not for ever

run = Run('long.ini', '-n', 2, '--retries', 9, '-s', 'checkpoint.every=1000000000',
          '-s', 'checkpoint.wall_interval=1e9')
for attempt in 1, 2, 3:
    said(run, 'time-step limit at the start') if attempt == 1 else said(run, f'restart {attempt - 1} of')
    end = time.time() + 30
    while len(run.ranks()) < 2 and time.time() < end:
        time.sleep(.02)
    time.sleep(1)
    run.kill(signal.SIGKILL, run.ranks()[0])
    if attempt == 1:
        said(run, 'restart 1 of at most 9 in 2 s')
        time.sleep(.3)
        check('status of a run that is to be restarted', pelsim('status', run.dir)[1],
              lambda t: f', by process {run.pid}\n' in t and 'restart      in ' in t and 'next ' not in t)
        check('status of a run that is to be restarted', pelsim('status', run.dir, '--resumable'),
              (1, f'{run.dir}: not to be resumed: its supervisor is about to start it again\n', ''))
check('no progress: exit code', run.code(60), 70)
check('no progress', run.text(), has('gave up after 3 attempts: the last 3 left no checkpoint newer than '
                                     'before; what happened:\n  attempt 1, steps 0 to ',
                                     '  attempt 3, steps 0 to ', 'was killed by signal 9'))
check('no progress: nothing left', run.gone(), True)
check('no progress: history', [h['state'] for h in run_json(run.dir)['history']], ['killed'] * 2)
check('no progress: not to be resumed', pelsim('status', run.dir, '--resumable')[:2],
      (1, f'{run.dir}: not to be resumed: the last 3 attempts left no checkpoint beyond step 0\n'))

run = saved(Run('long.ini', '-n', 2, '--retries', 1))
run.kill(signal.SIGKILL, run.ranks()[0])
first = steps_of(run.dir)[-1]
saved(said(run, 'restart 1 of at most 1'), first)
run.kill(signal.SIGKILL, run.ranks()[0])
check('limit: exit code', run.code(60), 70)
check('limit', run.text(), has('gave up after 2 attempts: that is the limit of --retries=1; what happened:\n',
                               'the newest checkpoint is that of step ', '--resume goes on from it'))
code, out, err = pelsim('status', run.dir)
check('limit: status', out, has('state        killed: rank ', 'next         pelsim run long.ini --resume --dir'))
check('limit: to be resumed', pelsim('status', run.dir, '--resumable')[0], 0)

# ---- steps and seconds count from the first attempt

run = saved(Run('long.ini', '-n', 2, '--retries', 3, '--steps', STEPS))
run.kill(signal.SIGKILL, run.ranks()[0])
check('--steps', (run.code(60), last_line(run.text())), (0, whole))
begun = time.time()
run = saved(Run('long.ini', '-n', 2, '--retries', 3, '-s', 'run.walltime=6'))
run.kill(signal.SIGKILL, run.ranks()[0])
check('walltime', run.code(60), 75)
check('walltime', (time.time() - begun, 'before the wall-clock limit' in run.text()),
      lambda x: x[0] < 9 and x[1])

# ---- mpirun that fails before there are ranks: once, and always

with open('hiccup', 'w', encoding='utf-8') as f:
    f.write('#!/bin/sh\n[ -e tried ] && exec mpirun "$@"\ntouch tried\nexit 1\n')
os.chmod('hiccup', 0o755)
code, out, err = pelsim('run', 'short.ini', '-n', 2, '-t', 1, '--retries', 3, '--dir', 'hiccups',
                        env={'PELSIM_MPIRUN': os.path.abspath('hiccup')})
check('mpirun fails once', (code, last_line(out)), (0, whole))
check('mpirun fails once', err, has('before the first step: mpirun could not start the ranks (exit code 1); '
                                    'restart 1 of at most 3 in 2 s'))
code, out, err = pelsim('run', 'short.ini', '-n', 2, '-t', 1, '--dir', 'never',
                        env={'PELSIM_MPIRUN': '/bin/false'})
check('mpirun fails, no retries', (code, err), (2, 'pelsim: mpirun could not start the ranks (exit code 1)\n'))

# ---- what would only fail again, and what cannot be

code, out, err = pelsim('run', 'short.ini', '-n', 2, '--retries', 3, '--dir', 'wrong', '-s', 'grid.nxx=1')
check('a wrong key', (code, err.count('\n')), (2, 1))
code, out, err = pelsim('run', 'short.ini', '--retries', 3, '-t', 1, prefix=MPIRUN)
check('--retries under mpirun', code, 2)
check('--retries under mpirun', err, has('--retries needs pelsim to start the ranks itself'))
code, out, err = pelsim('run', 'short.ini', '--retries', 3, '-t', 1, '--dir', 'alone', '--steps', 5)
check('--retries on one rank', (code, err), (0, ''))

# ---- nobody reads what is said any more; where are the ranks?

reader, writer = os.pipe()
p = subprocess.Popen([PELSIM, 'run', 'short.ini', '-n', '2', '-t', '1', '--retries', '3', '--dir', 'piped',
                      '-s', 'checkpoint.every=1000'], env=ENVIRONMENT, stdout=writer, stderr=writer)
os.close(writer), os.close(reader)
end = time.time() + 60
while not steps_of('piped') and time.time() < end:
    time.sleep(.02)
children = subprocess.run(['pgrep', '-P', str(p.pid)], capture_output=True, text=True).stdout.split()
ranks = subprocess.run(['pgrep', '-P', children[0]], capture_output=True, text=True).stdout.split()
os.kill(int(ranks[-1]), signal.SIGKILL)
check('nobody reads: exit code', p.wait(60), lambda c: c in (0, 4))
check('nobody reads: done', run_json('piped')['state'], 'done')
run = saved(Run('long.ini', '-n', 2))
run.kill(signal.SIGUSR2)
said(run, 'pelsim: rank 1: step ', 10)
check('SIGUSR2 is a question', run.kill(signal.SIGTERM).code(), 75)

# ---- --auto-resume

run = saved(Run('short.ini', '-n', 2, '--auto-resume'))
run.kill(signal.SIGKILL, run.ranks()[0])
check('--auto-resume, killed', run.code(60), 70)
code, out, err = pelsim('run', 'short.ini', '--auto-resume', '--dir', run.dir, '-t', 1)
check('--auto-resume, resumed', (code, err, last_line(out)), (0, '', whole))
check('--auto-resume, resumed', run_json(run.dir)['first_step'], lambda s: s > 0)
code, out, err = pelsim('run', 'short.ini', '--auto-resume', '--dir', run.dir, '-t', 1)
check('--auto-resume, complete', (code, err, last_line(out)), (0, '', whole))
check('--auto-resume, complete', out, has('is complete'))
run = Run('long.ini', '-n', 2, '-s', 'checkpoint.every=1000000000').started()
run.kill(signal.SIGKILL, run.ranks()[0])
check('without a checkpoint', run.code(60), 70)
code, out, err = pelsim('run', 'short.ini', '--auto-resume', '--dir', run.dir, '-t', 1)
check('begun anew', (code, err, last_line(out)), (0, '', whole))
check('begun anew: history', [h['state'] for h in run_json(run.dir)['history']], ['killed'])
code, out, err = pelsim('run', 'short.ini', '--dir', 'bare', '-t', 1, '-s', 'checkpoint.at_end=no',
                        '-s', 'checkpoint.every=100000000')
check('complete, no checkpoint', (code, err, last_line(out)), (0, '', whole))
with open('bare/diagnostics.csv', 'rb') as f:
    rows = f.read()
code, out, err = pelsim('run', 'short.ini', '--dir', 'bare', '-t', 1, '--auto-resume')
check('complete, no checkpoint', (code, err, last_line(out)), (0, '', whole))
with open('bare/diagnostics.csv', 'rb') as f:
    check('complete, no checkpoint: its results stay', f.read() == rows, True)
run = saved(Run('long.ini', '-n', 2))
run.kill(signal.SIGTERM)
check('all damaged', run.code(), 75)
for step in steps_of(run.dir):
    with open(f'{run.dir}/checkpoints/step_{step:09d}.h5', 'r+b') as f:
        f.truncate(5000)
for sentence in 'there is no good checkpoint', 'holds nothing but damaged checkpoints (*.bad)':
    code, out, err = pelsim('run', 'long.ini', '--dir', run.dir, '-t', 1, '--auto-resume')
    check('all damaged', (code, os.path.exists(f'{run.dir}/diagnostics.csv')), (4, True))
    check('all damaged', err, has(sentence))
for words in (['--overwrite', '--auto-resume'], ['--resume', '--auto-resume']):
    code, out, err = pelsim('run', 'short.ini', '--dir', 'x', *words)
    check(words, (code, out), (2, ''))
    check(words, err, has('give one'))

# ---- status

check('status of nothing', pelsim('status', 'nowhere'),
      (4, '', "pelsim: nowhere holds no run: there is no run.json that can be read; name the directory "
              "that 'pelsim run' wrote to\n"))
check('status: a directory that is not there', pelsim('status', 'nowhere', '--resumable'),
      (4, '', 'pelsim: nowhere is no directory\n'))
os.mkdir('empty')
check('status: nothing has run here', pelsim('status', 'empty', '--resumable')[0], 0)
odd = os.fsdecode(b"it's \xff")
code, out, err = pelsim('run', 'long.ini', '-t', 1, '--dir', odd, '-s', 'run.walltime=2')
check('an odd name', (code, err), (75, ''))
state = json.loads(pelsim('status', odd, '--json')[1])
check('an odd name', (state['dir'], state['state']), lambda x: x[0].startswith("it's ") and x[1] == 'stopped')
os.rename(odd, "it's")
check('an odd name', pelsim('status', "it's")[1], has("--dir 'it'\\''s'"))
with open("it's/run.json", 'r+b') as f:
    f.truncate(300)
check('status: damaged', [pelsim('status', "it's", *w)[0] for w in ([], ['--resumable'], ['--json'])], [4] * 3)
code, out, err = pelsim('run', 'short.ini', '-n', 2, '-t', 1, '--dir', 'a part', '--steps', 1000)
check('--steps', (code, out), lambda x: x[0] == 0 and has(
    f'stopped at step 1000 of {STEPS} (', '), as --steps says\n',
    "continue with: pelsim run short.ini --resume --dir 'a part' -n 2 -t 1\n")(x[1]))
check('--steps: status', pelsim('status', 'a part')[1], has(
    'state        done: as far as --steps went\n', "next         pelsim run short.ini --resume --dir 'a part'"))
check('--steps: resumable', pelsim('status', 'a part', '--resumable')[0], 0)
check('--steps: resumed', last_line(pelsim('run', 'short.ini', '--resume', '--dir', 'a part')[1]), whole)
check('--steps: complete', pelsim('status', 'a part')[1], lambda t: 'state        done\n' in t and 'next ' not in t)
code, out, err = pelsim('run', 'long.ini', '-t', 1, '--dir', 'nothing saved', '-s', 'run.walltime=2')
for name in os.listdir('nothing saved/checkpoints'):
    os.rename(f'nothing saved/checkpoints/{name}', f'nothing saved/checkpoints/{name}.bad')
check('status without checkpoint', pelsim('status', 'nothing saved')[1], has(
    'checkpoint   none; damaged ones are set aside as checkpoints/*.bad\n',
    "next         pelsim run long.ini --overwrite --dir 'nothing saved' -s run.walltime=2 -t 1\n"))
check('status: --json --resumable', pelsim('status', run.dir, '--json', '--resumable')[0], 2)
run = saved(Run('long.ini', '-n', 2))
time.sleep(1.5)
code, out, err = pelsim('status', run.dir)
check('status of a run', (code, err), (0, ''))
check('status of a run', out, has('state        running\n', 'alive        yes: host ', 'ends         in about ',
                                  f'checkpoint   {run.dir}/checkpoints/step_', ' old\n', 'cell/s'))
state = json.loads(pelsim('status', run.dir, '--json')[1])
check('status as JSON', (state['state'], state['alive'], state['resumable'], state['heartbeat_age_s'] < 30),
      ('running', True, False, True))
os.kill(run.ranks()[0], signal.SIGUSR2)
said(run, 'pelsim: rank ', 10)
run.kill(signal.SIGKILL)
check('status of a run that is gone: it ends', run.gone(20), True)
code, out, err = pelsim('status', run.dir)
check('status of a run that is gone', out, lambda t: 'state        killed\n' in t or 'stopped' in t)
finish(folder)
