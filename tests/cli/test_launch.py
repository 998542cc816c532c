"""pelsim run -n: exit codes come through mpirun, signals end in a checkpoint and exit code 75, and
nothing is left behind, whoever is killed."""
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
[grid]
nx = 64
ny = 64
[time]
steps = 1000000000
[diagnostics]
every = none
"""
MPIRUN = ['mpirun', '--allow-run-as-root', '--oversubscribe']
folder = workdir()
with open('long.ini', 'w', encoding='utf-8') as f:
    f.write(CONFIG)


def stopped(what, run):
    """The run must end with exit code 75, a checkpoint, and nothing left behind."""
    check(f'{what}, exit code', run.code(), 75)
    check(f'{what}, checkpoints', len(glob.glob(f'{run.dir}/checkpoints/step_*.h5')), 1)
    check(f'{what}, nothing left', run.gone(), True)


# ---- exit codes

code, out, err = pelsim('run', 'long.ini', '-n', 2, '-t', 1, '--steps', 3, '--dir', 'a')
check('run -n 2', code, 0)
check('run -n 2', out.splitlines()[-1][:13], 'fingerprint: ')
check('run -n 2, stderr', err, '')
again = pelsim('run', 'long.ini', '-t', 1, '--steps', 3, '--dir', 'b')[1]
check('the same on one rank', again.splitlines()[-1], out.splitlines()[-1])
code, out, err = pelsim('run', 'long.ini', '-n', 2, '-t', 1, '--steps', 3, '--dir', 'a')
check('the same directory again', code, 2)
check('the same directory again', err, has('--resume', '--overwrite'))
check('no notice of mpirun', 'mpirun' in err or '-----' in err, False)
code, out, err = pelsim('run', 'missing.ini', '-n', 2, '-t', 1)
check('a missing configuration', (code, out), (4, ''))
check('a missing configuration', err, has('missing.ini'))
code, out, err = pelsim('run', 'long.ini', '-n', 2, env={'PELSIM_MPIRUN': '/nowhere/mpirun'})
check('mpirun missing', (code, out, err), (2, '', "pelsim: cannot start '/nowhere/mpirun': No such "
                                           "file or directory; install Open MPI's mpirun\n"))
code, out, err = pelsim('run', 'long.ini', '-n', 16, '-t', 64, '--steps', 1, '--dir', 'many',
                        '-s', 'parallel.threads=1')
check('more threads than cores', (code, err), (0, ''))
check('more threads than cores', out, has('16 ranks share ', ' and wait for each other'))
code, out, err = pelsim('check', 'long.ini', '-n', 16, '-t', 1)
check('more ranks than cores, check', (code, err), (0, ''))
check('more ranks than cores, check', out, has('advice', ' and wait for each other'))
code, out, err = pelsim('run', 'long.ini', '-n', 16, '-t', 1, '-s', 'grid.nxx=1')
check('more ranks than cores and a wrong key', (code, out, err.count('\n')), (2, '', 1))
check('more ranks than cores and a wrong key', err, has('[grid] nxx: unknown key'))

# ---- a core that another program wants too: the advice says so, and nothing else

def on_one_core():
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


if os.path.exists('/proc/self/schedstat'):
    other = subprocess.Popen(['sh', '-c', 'while :; do :; done'], preexec_fn=on_one_core)
    p = subprocess.run([PELSIM, 'run', 'long.ini', '--steps', '400000', '--dir', 'busy'],
                       preexec_fn=on_one_core, env=ENVIRONMENT, text=True,
                       capture_output=True, timeout=120)
    other.kill()
    other.wait()
    check('a busy core', (p.returncode, p.stderr), (0, ''))
    check('a busy core', p.stdout, has('of their time went to other programs',
                                       'advice        other programs took '))
    with open('busy/run.json', encoding='utf-8') as f:
        check('a busy core', json.load(f)['timing']['other_programs'], lambda x: .2 < (x or 0) < .8)

# ---- under a launcher

code, out, err = pelsim('run', 'long.ini', '-t', 1, '--steps', 3, '--dir', 'c',
                        prefix=[*MPIRUN, '-n', '2'])
check('under mpirun', (code, out.splitlines()[-1]), (0, again.splitlines()[-1]))
code, out, err = pelsim('run', 'long.ini', '-n', 3, prefix=[*MPIRUN, '-n', '2'])
check('-n 3 under mpirun -n 2', code, 2)
check('-n 3 under mpirun -n 2', err, has('pelsim: run: -n 3 contradicts mpirun, which started 2 '
                                         'ranks; leave -n out under mpirun\n'))
check('said once', err.count('contradicts'), 1)
code, out, err = pelsim('run', 'long.ini', env={'SLURM_PROCID': '0', 'SLURM_STEP_NUM_TASKS': '4'})
check('srun without MPI support', (code, out), (2, ''))
check('srun without MPI support', err, has('srun started 4 processes, but MPI sees 1 rank; under '
                                           "Slurm use 'srun --mpi=pmix'"))

# ---- the standard input belongs to the script that starts pelsim

p = subprocess.run(['sh', '-c', '"$0" run long.ini -n 2 -t 1 --steps 1 --dir d >/dev/null; cat',
                    PELSIM], input='still here', capture_output=True, text=True, env=ENVIRONMENT,
                   timeout=60)
check('the standard input', p.stdout, 'still here')

# ---- signals

for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP):
    stopped(f'{number.name} with -n 2', Run('long.ini', '-n', '2').started().kill(number))
for number in (signal.SIGINT, signal.SIGTERM):
    stopped(f'{number.name} with one rank', Run('long.ini').started().kill(number))
for delay in (0, 0.05, 0.1):  # while mpirun and the ranks are starting
    run = Run('long.ini', '-n', '2').listening()
    time.sleep(delay)
    stopped(f'SIGUSR1 {delay} s after the start', run.kill(signal.SIGUSR1))

for options in (['-n', '2'], []):
    run = Run('long.ini', *options, terminal=True).started()
    os.write(run.terminal, b'\3')
    stopped(f'Ctrl-C {options}', run)
    check(f'Ctrl-C {options}', run.text(),
          has('stopping after this step with a checkpoint; Ctrl-C again stops at once'))
    run = Run('long.ini', *options, terminal=True).started()
    os.kill(run.pid, signal.SIGSTOP)  # both arrive before anything is done about the first
    os.write(run.terminal, b'\3')
    time.sleep(0.1)
    os.kill(run.pid, signal.SIGCONT)
    os.write(run.terminal, b'\3')
    check(f'Ctrl-C twice {options}', run.code(), lambda c: c in (75, 130))
    check(f'Ctrl-C twice {options}, nothing left', run.gone(), True)

# ---- violence

run = Run('long.ini', '-n', '2').started()
for pid in run.ranks():  # ranks that cannot answer: only the second Ctrl-C helps
    run.kill(signal.SIGSTOP, pid)
run.kill(signal.SIGINT)
time.sleep(0.3)
check('ranks that hang, after the first SIGINT', run.process.poll(), None)
# mpirun wakes what it ends, so the ranks may still get their checkpoint written.
check('ranks that hang, after the second', run.kill(signal.SIGINT).code(), lambda c: c in (75, 130))
check('ranks that hang, nothing left', run.gone(), True)

run = Run('long.ini', '-n', '3').started()
check('SIGKILL of a rank', run.kill(signal.SIGKILL, max(run.ranks())).code(), 70)
check('SIGKILL of a rank', run.text(), has('was killed by signal 9 (Killed)', 'no checkpoint yet'))
check('SIGKILL of a rank, no notice of mpirun', 'mpirun' in run.text(), False)
check('SIGKILL of a rank, nothing left', run.gone(), True)

run = Run('long.ini', '-n', '2').started()
check('SIGKILL of mpirun', run.kill(signal.SIGKILL, run.mpirun()).code(), 70)
check('SIGKILL of mpirun', run.text(), has('mpirun was killed by signal 9 (Killed)', 'no checkpoint yet'))
check('SIGKILL of mpirun, nothing left', run.gone(), True)

run = Run('long.ini', '-n', '2').started()
check('SIGKILL of pelsim', run.kill(signal.SIGKILL).code(), -signal.SIGKILL)
check('SIGKILL of pelsim, nothing left', run.gone(), True)

run = Run('long.ini', '-n', '2', '-s', 'checkpoint.wall_interval=1').started()
while not glob.glob(f'{run.dir}/checkpoints/step_*.h5'):
    time.sleep(0.05)
check('SIGKILL of pelsim', run.kill(signal.SIGKILL).code(), -signal.SIGKILL)
code, out, err = pelsim('run', 'long.ini', '-n', 2, '-t', 1, '--dir', run.dir, '--resume', '--steps', 1)
check('resumed at once', (code, out.splitlines()[-1:]), lambda r: r[0] == 0 and 'fingerprint' in r[1][0])
check('resumed at once, stderr', err, lambda t: t in (
    '', f'pelsim: {run.dir}: the ranks of a run that was killed are still ending; waiting for them\n'))
check('resumed at once, nothing left', run.gone(), True)
finish(folder)
