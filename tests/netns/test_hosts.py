"""pelsim run on three hosts joined by TCP: the same bits as in one process, and the same after a rank
was killed, a cable cut, power lost.  Runs end when the file STOP says so, at whatever step; one
process then computes as many steps."""
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../cli'))
from clitest import ENVIRONMENT, PELSIM, check, finish, has, pelsim
from hosts import Hosts, REMOTE, missing

reason = missing()
if reason:
    print(f'no hosts can be made here: {reason}')
    sys.exit(77)

HEAT = """[run]
model = heat
[grid]
nx = 48
ny = 40
[time]
steps = 1000000000
dt = 1e-6
[diagnostics]
every = none
[checkpoint]
wall_interval = 1 s
"""
LJ = """[run]
model = lj
[start]
lattice = fcc
nx = 5
ny = 5
nz = 5
density = 0.8442
temperature = 1.44
[lj]
cutoff = 2.5
[time]
dt = 0.005
steps = 1000000000
[diagnostics]
every = none
[checkpoint]
wall_interval = 1 s
"""
KEEPALIVE = {'time': 1, 'intvl': 1, 'probes': 5}  # [s], [s], 1: 5 s are borne, 6 s are not
NOTICED = 15  # [s] in which a lost host must be told of; defaults of Open MPI: minutes
PATIENCE = 90  # [s] for things that a busy machine does slowly


class Run:
    """A supervisor on the first host."""
    count = 0

    def __init__(self, hosts, config, where, ranks, *options, resumes=None):
        Run.count += 1
        self.hosts, self.config = hosts, config
        self.dir = resumes or os.path.join(folder, f'run{Run.count}')
        env = {**ENVIRONMENT, 'OMPI_MCA_plm_rsh_agent': f'{sys.executable} {REMOTE}',
               'OMPI_MCA_mpi_yield_when_idle': '1', 'TMPDIR': os.path.join(folder, 'tmp_pel1'),
               **{f'OMPI_MCA_oob_tcp_keepalive_{k}': str(v) for k, v in KEEPALIVE.items()}}
        self.log = open(os.path.join(folder, f'log{Run.count}'), 'w+', encoding='utf-8')
        self.process = subprocess.Popen(
            [*hosts.enter('pel1'), PELSIM, 'run', config, '-t', '1', '-n', str(ranks),
             f'--hosts={where}', '--dir', self.dir, *options],
            env=env, stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)

    def text(self):
        with open(self.log.name, encoding='utf-8', errors='replace') as f:
            return f.read()

    def wait_for(self, what, condition, patience=PATIENCE):
        """Seconds until it holds."""
        begin = time.time()
        while not condition():
            if time.time() > begin + patience or self.process.poll() is not None:
                raise SystemExit(f'{what}: not within {patience} s; the run says:\n{self.text()}')
            time.sleep(0.05)
        return time.time() - begin

    def said(self, *parts):
        return lambda: all(p in self.text() for p in parts)

    def beat(self):
        try:
            with open(os.path.join(self.dir, 'heartbeat.json'), encoding='utf-8') as f:
                b = json.load(f)
            return b['step'], b['host'], b['updated_epoch']
        except (OSError, ValueError):
            return -1, '', 0

    def gets_on(self, host):
        """Waits for steps that are taken from now on, with the first rank on that host, and for a
        checkpoint."""
        begin, first = time.time(), []

        def is_further():
            step, where, when = self.beat()
            if when > begin and where == host:
                first.append(step)
            return first and step > first[0] and where == host and self.newest() is not None
        self.wait_for(f'steps on {host}', is_further)

    def newest(self):
        try:
            return max(x for x in os.listdir(os.path.join(self.dir, 'checkpoints'))
                       if re.fullmatch(r'step_\d+\.h5', x))
        except (OSError, ValueError):
            return None

    def end(self, what):
        """Asks for a stop; the state must be that of one process."""
        with open(os.path.join(self.dir, 'STOP'), 'w', encoding='ascii'):
            pass
        check(f'{what}: exit code', self.process.wait(timeout=PATIENCE), 75)
        self.is_right(what)

    def is_right(self, what):
        newest = os.path.join(self.dir, 'checkpoints', self.newest() or 'none')
        steps = int(re.search(r'step_(\d+)', newest)[1])
        code, out, err = pelsim('run', self.config, '--dir', os.path.join(folder, 'alone'), '-t', 1, '--overwrite',
                                f'--steps={steps}', timeout=200)
        got = pelsim('fingerprint', newest)[1].split()[:1]
        check(f'{what}: one process computes {steps} steps ({err})', code, 0)
        check(f'{what}: fingerprint after {steps} steps', got, out.split()[-1:])
        print(f'{what}: {steps} steps, fingerprint {got}', flush=True)

    def leaves_nothing(self, what):
        found = lambda: {(n, w): self.hosts.processes(n, w) for n in self.hosts.names
                         for w in ('pelsim', 'orted', 'mpirun') if self.hosts.processes(n, w)}
        end = time.time() + 20
        while found() and time.time() < end:
            time.sleep(0.1)
        check(f'{what}: processes that are left', found(), {})


def write(name, text):
    path = os.path.join(folder, name)
    with open(path, 'w', encoding='utf-8') as f:
        f.write(text)
    return path


def rank_killed(hosts):
    """A grid on three hosts; a rank on another host is killed."""
    run = Run(hosts, write('heat.ini', HEAT), 'pel1:1,pel2,pel3:1', 3, '--retries=2')
    run.gets_on('pel1')
    for name in hosts.names:
        check(f'ranks on {name}', len(hosts.processes(name, 'pelsim')), 2 if name == 'pel1' else 1)
    os.kill(hosts.processes('pel3', 'pelsim')[0], signal.SIGKILL)
    run.wait_for('a restart', run.said('rank 2 was killed by signal 9', 'restart 1 of'))
    run.gets_on('pel1')
    run.end('heat, a rank killed')
    check('a killed rank is no lost host', 'without' in run.text(), False)
    run.leaves_nothing('heat')


def short_cut(hosts):
    """Particles on three hosts; a cable is out for less than keep-alive grants."""
    with open(write('hostfile', '# mine\npel1 slots=1\npel2\n\npel3 slots=4\n'), encoding='ascii') as f:
        run = Run(hosts, write('lj.ini', LJ), f.name, 3)
    run.gets_on('pel1')
    hosts.cut('pel3')
    time.sleep(3)
    hosts.heal('pel3')
    run.gets_on('pel1')
    run.end('lj, short cut')
    check('a short cut is not worth a word', run.text(), lambda t: 'pelsim:' not in t)
    run.leaves_nothing('lj')


def host_stays_away(hosts):
    """A host without the first rank is cut off: told by name, in time; not there at the next start."""
    heat, all_three = write('heat.ini', HEAT), 'pel1:1,pel2:1,pel3:1'
    run = Run(hosts, heat, all_three, 3)
    run.gets_on('pel1')
    hosts.cut('pel3')
    begin = time.time()
    check('cut off, exit code', run.process.wait(timeout=PATIENCE), 70)
    print(f'noticed after {time.time() - begin:.1f} s', flush=True)
    check('cut off, seconds', time.time() - begin, lambda s: s < NOTICED)
    check('cut off', run.text(), has('pelsim: host pel3 was lost', 'with --resume continues'))
    check('one sentence', run.text().count('pelsim:'), 1)
    run.is_right('heat, cut off')
    run.leaves_nothing('cut off')
    again = Run(hosts, heat, all_three, 3, '--resume', resumes=run.dir)
    check('a start without a host, exit code', again.process.wait(timeout=PATIENCE), 2)
    check('a start without a host', again.text(),
          'pelsim: a host of the list of hosts cannot be reached: pel3 (no answer within 6 s)\n')
    hosts.heal('pel3')


def first_rank_lost(hosts):
    """The host of all ranks is cut off, and its daemon does not end them: they get on, with the
    file system, until another host has the directory.  It comes back; the other loses power."""
    run = Run(hosts, write('heat.ini', HEAT), 'pel2:2,pel3:2', 2, '--retries=4')
    run.gets_on('pel2')
    for pid in hosts.processes('pel2', 'orted'):
        os.kill(pid, signal.SIGSTOP)
    hosts.cut('pel2')
    begin = time.time()
    seconds = run.wait_for('the loss', run.said('host pel2 was lost', 'restart 1 of'))
    check('the first rank lost, seconds', seconds, lambda s: s < NOTICED)
    check('ranks that were cut off', len(hosts.processes('pel2', 'pelsim')), 2)
    run.wait_for('fewer hosts', run.said('going on without pel2 (no answer within 6 s): 2 ranks'))
    run.gets_on('pel3')
    print(f'noticed after {seconds:.1f} s, going on after {time.time() - begin:.1f} s', flush=True)
    run.wait_for('the end of ranks that were cut off',
                 lambda: not hosts.processes('pel2', 'pelsim'), 10)
    hosts.heal('pel2')
    for pid in hosts.processes('pel2', 'orted'):
        os.kill(pid, signal.SIGCONT)
    run.gets_on('pel3')
    hosts.kill('pel3')
    begin = time.time()
    seconds = run.wait_for('power loss', run.said('host pel3 was lost', 'restart 2 of',
                                                  'going on without pel3'))
    run.gets_on('pel2')
    print(f'power loss: going on after {time.time() - begin:.1f} s', flush=True)
    run.end('heat, the first rank lost')
    run.leaves_nothing('the first rank lost')


scratch = tempfile.TemporaryDirectory(prefix='pelsim_netns_', dir=os.getcwd())
folder = scratch.name
three = Hosts(3, folder)
try:
    for scenario in (rank_killed, short_cut, host_stays_away, first_rank_lost):
        if sys.argv[3:] and scenario.__name__ not in sys.argv[3:]:
            continue
        begun = time.time()
        scenario(three)
        print(f'{scenario.__name__}: {time.time() - begun:.0f} s', flush=True)
finally:
    three.close()
    scratch.cleanup()
finish()
