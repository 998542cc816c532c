"""pelsim run -n: exit codes come through mpirun, signals end in a checkpoint and exit code 75, and
nothing is left behind, whoever is killed."""
import glob
import json
import os
import pty
import signal
import subprocess
import time
import uuid

from clitest import ENVIRONMENT, PELSIM, check, finish, has, pelsim, workdir

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


class Run:
    """A simulation that never ends by itself."""
    count = 0

    def __init__(self, *options, terminal=False):
        Run.count += 1
        self.dir = f'run{Run.count}'
        self.mark = uuid.uuid4().hex
        arguments = [PELSIM, 'run', 'long.ini', '-t', '1', '--dir', self.dir, *options]
        env = {**ENVIRONMENT, 'PELSIM_TEST_MARK': self.mark, 'TERM': 'xterm'}
        self.log = open(f'{self.dir}.log', 'w+', encoding='utf-8')
        if terminal:
            pid, self.terminal = pty.fork()
            if pid == 0:
                os.execve(PELSIM, arguments, env)
            self.pid = pid
        else:
            self.process = subprocess.Popen(arguments, env=env, stdin=subprocess.DEVNULL,
                                            stdout=self.log, stderr=subprocess.STDOUT)
            self.pid = self.process.pid

    def started(self):
        """Waits for the first steps."""
        end = time.time() + 60
        while not os.path.exists(f'{self.dir}/heartbeat.json'):
            if time.time() > end:
                raise SystemExit(f'the run did not start: {self.text()}')
            time.sleep(0.05)
        time.sleep(0.2)
        return self

    def listening(self):
        """Waits until the process blocks SIGUSR1; before, it would be its end."""
        blocked = False
        while not blocked:
            with open(f'/proc/{self.pid}/status', encoding='utf-8') as f:
                mask = [line.split()[1] for line in f if line.startswith('SigBlk')][0]
            blocked = int(mask, 16) >> (signal.SIGUSR1 - 1) & 1
        return self

    def text(self):
        self.log.seek(0)
        return self.log.read()

    def relatives(self):
        """Process ids of everything that came from this run: {id: command line}."""
        found = {}
        for path in glob.glob('/proc/[0-9]*/environ'):
            pid = int(path.split('/')[2])
            try:
                with open(path, 'rb') as f:
                    if self.mark.encode() in f.read():
                        with open(f'/proc/{pid}/cmdline', 'rb') as g:
                            found[pid] = g.read().replace(b'\0', b' ').decode()
            except OSError:
                pass
        return found

    def mpirun(self):
        return [p for p, c in self.relatives().items() if 'mpi' in os.path.basename(c.split()[0])][0]

    def ranks(self):
        return [p for p, c in self.relatives().items()
                if p != self.pid and c.split()[0] == os.path.realpath(PELSIM)]

    def kill(self, number, pid=None):
        os.kill(pid or self.pid, number)
        return self

    def code(self, limit=30):
        """The exit code; what is still there after `limit` seconds is killed and is an error."""
        end, status = time.time() + limit, None
        if hasattr(self, 'terminal'):
            os.set_blocking(self.terminal, False)
            while status is None and time.time() < end:
                try:
                    self.log.write(os.read(self.terminal, 65536).decode(errors='replace'))
                except OSError:
                    pass
                pid, how = os.waitpid(self.pid, os.WNOHANG)
                status = os.waitstatus_to_exitcode(how) if pid else None
                time.sleep(0.02)
            self.log.flush()
        else:
            try:
                status = self.process.wait(limit)
            except subprocess.TimeoutExpired:
                pass
        return status

    def gone(self, limit=10):
        """True if nothing of the run is left; kills what is."""
        end = time.time() + limit
        while self.relatives() and time.time() < end:
            time.sleep(0.1)
        left = self.relatives()
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        return not left


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
    stopped(f'{number.name} with -n 2', Run('-n', '2').started().kill(number))
for number in (signal.SIGINT, signal.SIGTERM):
    stopped(f'{number.name} with one rank', Run().started().kill(number))
for delay in (0, 0.05, 0.1):  # while mpirun and the ranks are starting
    run = Run('-n', '2').listening()
    time.sleep(delay)
    stopped(f'SIGUSR1 {delay} s after the start', run.kill(signal.SIGUSR1))

for options in (['-n', '2'], []):
    run = Run(*options, terminal=True).started()
    os.write(run.terminal, b'\3')
    stopped(f'Ctrl-C {options}', run)
    check(f'Ctrl-C {options}', run.text(),
          has('stopping after this step with a checkpoint; Ctrl-C again stops at once'))
    run = Run(*options, terminal=True).started()
    os.kill(run.pid, signal.SIGSTOP)  # both arrive before anything is done about the first
    os.write(run.terminal, b'\3')
    time.sleep(0.1)
    os.kill(run.pid, signal.SIGCONT)
    os.write(run.terminal, b'\3')
    check(f'Ctrl-C twice {options}', run.code(), lambda c: c in (75, 130))
    check(f'Ctrl-C twice {options}, nothing left', run.gone(), True)

# ---- violence

run = Run('-n', '2').started()
for pid in run.ranks():  # ranks that cannot answer: only the second Ctrl-C helps
    run.kill(signal.SIGSTOP, pid)
run.kill(signal.SIGINT)
time.sleep(0.3)
check('ranks that hang, after the first SIGINT', run.process.poll(), None)
# mpirun wakes what it ends, so the ranks may still get their checkpoint written.
check('ranks that hang, after the second', run.kill(signal.SIGINT).code(), lambda c: c in (75, 130))
check('ranks that hang, nothing left', run.gone(), True)

run = Run('-n', '3').started()
check('SIGKILL of a rank', run.kill(signal.SIGKILL, max(run.ranks())).code(), 70)
check('SIGKILL of a rank', run.text(), has('was killed by signal 9 (Killed)', 'no checkpoint yet'))
check('SIGKILL of a rank, no notice of mpirun', 'mpirun' in run.text(), False)
check('SIGKILL of a rank, nothing left', run.gone(), True)

run = Run('-n', '2').started()
check('SIGKILL of mpirun', run.kill(signal.SIGKILL, run.mpirun()).code(), 70)
check('SIGKILL of mpirun', run.text(), has('mpirun was killed by signal 9 (Killed)', 'no checkpoint yet'))
check('SIGKILL of mpirun, nothing left', run.gone(), True)

run = Run('-n', '2').started()
check('SIGKILL of pelsim', run.kill(signal.SIGKILL).code(), -signal.SIGKILL)
check('SIGKILL of pelsim, nothing left', run.gone(), True)

run = Run('-n', '2', '-s', 'checkpoint.wall_interval=1').started()
while not glob.glob(f'{run.dir}/checkpoints/step_*.h5'):
    time.sleep(0.05)
check('SIGKILL of pelsim', run.kill(signal.SIGKILL).code(), -signal.SIGKILL)
code, out, err = pelsim('run', 'long.ini', '-n', 2, '-t', 1, '--dir', run.dir, '--resume', '--steps', 1)
check('resumed at once', (code, out.splitlines()[-1:]), lambda r: r[0] == 0 and 'fingerprint' in r[1][0])
check('resumed at once, stderr', err, lambda t: t in (
    '', f'pelsim: {run.dir}: the ranks of a run that was killed are still ending; waiting for them\n'))
check('resumed at once, nothing left', run.gone(), True)
finish(folder)
