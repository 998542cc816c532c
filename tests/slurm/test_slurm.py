"""pelsim submit against a real Slurm: time limit, requeue, node failure, array, chain, loop guard.

All jobs run at once, on hosts that are all this machine; the model sleeps in each step.
"""
import concurrent.futures
import glob
import json
import os
import re
import signal
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(sys.argv[2], 'tests', 'cli'))
import clitest  # noqa: E402
from clitest import ENVIRONMENT, PELSIM, check, has  # noqa: E402
from cluster import Cluster, bearers, missing, skip  # noqa: E402

if missing():
    skip(missing())
PLUGIN = sys.argv[3]
STEPS = 1000
# Both pretended hosts have this one's name, by which MPI names shared memory: none is used.
MPI = {'OMPI_MCA_mpi_yield_when_idle': '1', 'OMPI_MCA_btl_tcp_if_include': 'lo',
       'OMPI_MCA_oob_tcp_if_include': 'lo', 'OMPI_MCA_btl': 'self,tcp', 'PELSIM_HALO': 'messages', 'OMPI_ALLOW_RUN_AS_ROOT': '1',
       'OMPI_ALLOW_RUN_AS_ROOT_CONFIRM': '1'}

top = tempfile.mkdtemp(prefix='pelsim_slurm_')
os.chdir(top)
os.environ.clear()
os.environ.update(ENVIRONMENT, **MPI)
cluster = Cluster(top, {'main': ('n1', 'n2'), 'fragile': ('n3', 'n4')})
with open('ring.ini', 'w', encoding='utf-8') as f:
    f.write(f'[run]\nmodel = paced\nplugin = {PLUGIN}\n[grid]\nnx = 64\n'
            f'[time]\nsteps = {STEPS}\ndt = 1e-5\n[checkpoint]\nwall_interval = 2\n')


class Job:
    """One submission: seconds is how long its run would take without interruption."""

    def __init__(self, name, *options, seconds=0.0, env=None):
        self.name, self.dir = name, os.path.join(top, f'run "{name}", 100%j\'s')
        pace = f'paced.pace={seconds / STEPS:.6f}'
        arguments = (PELSIM, 'submit', 'ring.ini', '-s', pace, '--dir', self.dir, *options)
        if '--time' not in options:
            arguments += ('--time', '0:05:00')
        if '--nodes' not in options:
            arguments += ('--nodes', '2')
        code, out, err = cluster.run(*arguments, env=env, cwd=top)
        check(f'{name}: submit', (code, err), (0, ''))
        if code:
            raise RuntimeError(f'{name} was not submitted')
        check(f'{name}: what submit says', out, has(f'{self.dir}/job.sh', 'pelsim status'))
        self.ids = re.findall(r'^job +(\d+)(?: to (\d+))?', out, re.M)[0]
        self.id = self.ids[0]

    def log(self, member=''):
        pattern = f'{self.dir}/job-*{member}.out'
        return ''.join(open(p, encoding='utf-8', errors='replace').read()
                       for p in sorted(glob.glob(pattern)))

    def steps(self, directory=''):
        files = glob.glob(f'{self.dir}/{directory}/checkpoints/step_*.h5')
        return max((int(f[-12:-3]) for f in files), default=-1)

    def under_way(self, step=0):
        return cluster.until(f'{self.name} has a checkpoint beyond step {step}',
                             lambda: self.steps() > step)

    def ends(self, state, code='0:0', timeout=200):
        fields = cluster.ended(self.id, timeout)
        check(f'{self.name}: how it ended', (fields.get('JobState'), fields.get('ExitCode')),
              (state, code))
        return fields

    def is_right(self, log=None):
        check(f'{self.name}: fingerprint', re.findall(r'^fingerprint: (\w+)', log or self.log(), re.M),
              [direct])

    def layout(self):
        with open(f'{self.dir}/run.json', encoding='utf-8') as f:
            return json.load(f)['layout']

    def turns(self):
        return len(re.findall(r' job \S+: begins on ', self.log()))


def two_nodes():
    job = Job('plain', seconds=3)
    job.ends('COMPLETED')
    job.is_right()
    check('plain: hosts', cluster.fields(job.id).get('NodeList'), 'n[1-2]')
    check('plain: ranks', job.layout()['ranks'], 2)


def time_limit():
    job = Job('limit', '--time', '0:01:00', seconds=65)
    fields = job.ends('COMPLETED')
    job.is_right()
    check('limit: restarts', int(fields['Restarts']), lambda n: n >= 1)
    check('limit: its log', job.log(), has('asks for another turn', 'the run is complete'))
    check('limit: exit codes', set(re.findall(r'exit code (\d+)', job.log())), {'75'})


def overrun():
    """A step that takes longer than the job may: Slurm ends it at the limit."""
    job = Job('overrun', '--time', '0:01:00', seconds=300 * STEPS)
    check('overrun: another turn', cluster.until(
        'it is queued again', lambda: cluster.fields(job.id).get('Restarts') == '1', 180), True)
    cluster.run('scancel', job.id)
    check('overrun: why', job.log(), has('DUE TO TIME LIMIT', 'asks for another turn'))


def four_ranks():
    job = Job('four', '-n', '4', '--memory=300M', seconds=1)
    job.ends('COMPLETED')
    job.is_right()
    check('four: ranks', job.layout()['ranks'], 4)


def two_threads():
    job = Job('threads', '-t', '2', seconds=1)
    job.ends('COMPLETED')
    job.is_right()
    check('threads: ranks and threads', [job.layout()[k] for k in ('ranks', 'threads')], [2, 2])


def node_failure():
    job = Job('host', '--option=--partition=fragile', seconds=12)
    job.under_way()
    cluster.kill_node('n4')
    cluster.until('the job has lost its host', lambda: 'R' not in cluster.run(
        'squeue', '-h', '-j', job.id, '-o', '%t')[1].strip(), 90)
    cluster.start_node('n4')
    fields = job.ends('COMPLETED')
    job.is_right()
    check('host: restarts', int(fields['Restarts']), lambda n: n >= 1)


def rank_killed():
    job = Job('rank', seconds=10)
    job.under_way()
    ranks = [p for p in bearers('OMPI_COMM_WORLD_RANK=1')
             if f'SLURM_JOB_ID={job.id}'.encode() in cluster.environ_of(p)]
    check('rank: found', len(ranks), 1)
    os.kill(ranks[0], signal.SIGKILL)
    fields = job.ends('COMPLETED')
    job.is_right()
    check('rank: restarts of the job', fields['Restarts'], '0')
    check('rank: its log', job.log(), has('killed by signal 9', 'restart 1 of at most 3'))


def sweep():
    job = Job('sweep', '--nodes', '1', '--sweep', 'paced.growth=0,1e-3,1e308,2e-3', '--parallel=3',
              seconds=2)
    for member, growth, code in ((0, '0', 0), (1, '1e-3', 0), (2, '1e308', 3), (3, '2e-3', 0)):
        fields = cluster.ended(f'{job.id}_{member}')
        check(f'sweep: member {member}', fields.get('ExitCode'), f'{code}:0')
        log = job.log(f'_{member}')
        prints = re.findall(r'^fingerprint: (\w+)', log, re.M)
        if code:
            check('sweep: the failing member', (prints, log), lambda x: not x[0] and (
                'another attempt would end the same way' in x[1]))
        else:
            check(f'sweep: fingerprint of member {member}', prints,
                  [fingerprint(f'paced.growth={growth}')])
        name = f'00{member}_paced.growth={growth}'
        check(f'sweep: {name}', os.path.exists(f'{job.dir}/{name}/run.json'), True)


def cancelled():
    job = Job('cancel', seconds=100)
    job.under_way()
    check('cancel: scancel', cluster.run('scancel', job.id)[0], 0)
    fields = cluster.ended(job.id)
    check('cancel: how it ended', (fields['JobState'], fields['Restarts']), ('CANCELLED', '0'))
    check('cancel: checkpoint', job.steps(), lambda n: n > 0)
    time.sleep(7)  # a job that was queued again would begin after 6 s
    check('cancel: it stays so', cluster.fields(job.id)['JobState'], 'CANCELLED')
    check('cancel: turns', job.turns(), 1)
    check('cancel: pelsim status', cluster.run(PELSIM, 'status', job.dir, '--resumable')[0], 0)


def told_to_end():
    """SIGTERM for the script alone."""
    job = Job('term', seconds=100)
    job.under_way()
    check('term: scancel', cluster.run('scancel', '--batch', '--signal=TERM', job.id)[0], 0)
    job.ends('FAILED', '75:0')
    check('term: its log', job.log(), has('exit code 75', 'it was ended from outside', 'sbatch'))
    check('term: turns', job.turns(), 1)


def stop_file():
    job = Job('stop', seconds=100)
    job.under_way()
    open(f'{job.dir}/STOP', 'w', encoding='ascii').close()
    job.ends('FAILED', '75:0')
    check('stop: turns', job.turns(), 1)
    check('stop: its log', job.log(), has('somebody stopped it by the file STOP'))


def stuck():
    """Ranks that die in the same step each time."""
    job = Job('stuck', '-s', 'paced.fatal=5e-3', '-s', 'checkpoint.wall_interval=1000', seconds=1)
    job.ends('FAILED', '70:0')
    check('stuck: its log', job.log(), has('gave up after 3 attempts', 'not to be resumed'))
    check('stuck: turns', job.turns(), 1)


def nothing_starts():
    """mpirun dies before any rank has begun: the run cannot tell of itself."""
    with open('dying', 'w', encoding='ascii') as f:
        f.write('#!/bin/sh\nkill -9 $$\n')
    os.chmod('dying', 0o755)
    job = Job('nothing', '--retries=1', env={'PELSIM_MPIRUN': f'{top}/dying'})
    fields = job.ends('FAILED', '70:0')
    check('nothing: restarts', fields['Restarts'], '2')
    check('nothing: its log', job.log(), has('gives up: 3 jobs in a row left no newer checkpoint'))


def chain():
    job = Job('chain', '--chain=6', '-s', 'run.walltime=4', seconds=6)  # more when the machine is busy
    ends = [cluster.ended(str(int(job.id) + k)) for k in range(6)]
    check('chain: the last job', str(int(job.id) + 5), job.ids[1])
    codes = [e['ExitCode'] for e in ends]
    check('chain: exit codes', codes, sorted(codes, reverse=True))
    check('chain: exit codes', set(codes), {'75:0', '0:0'})
    job.is_right()
    check('chain: its log', job.log(), has('the next job of the chain goes on', '2 of 6',
                                           f'ends: {job.dir}: not to be resumed: it is complete'))
    check('chain: turns', job.turns(), codes.count('75:0') + 1)
    check('chain: restarts', {e['Restarts'] for e in ends}, {'0'})


def walltime():
    """The run's own limit: three turns, with a sweep's member as the job that queues itself again."""
    job = Job('turns', '--nodes', '1', '--sweep', 'paced.growth=0', '-s', 'run.walltime=5', seconds=9)
    fields = cluster.ended(f'{job.id}_0')
    check('turns: restarts', int(fields.get('Restarts', 0)), lambda n: n >= 1)
    job.is_right()


def requeue_refused():
    job = Job('refused', '--option=--no-requeue', '-s', 'run.walltime=2', seconds=30)
    job.ends('FAILED', '75:0')
    check('refused: its log', job.log(), has('it could not be queued again', 'to go on: sbatch '))
    check('refused: checkpoint', job.steps(), lambda n: n > 0)


def unknown_partition():
    code, out, err = cluster.run(PELSIM, 'submit', 'ring.ini', '--nodes=2', '--time=0:05:00', '--dir',
                                 'refused', '--option=--partition=none', cwd=top)
    check('a partition that does not exist', (code, out), (2, ''))
    check('a partition that does not exist', err, has('sbatch refused', 'invalid partition'))
    check('a partition that does not exist: one line', err.count('\n'), 1)


def fingerprint(*settings):
    options = [w for s in settings for w in ('-s', s)]
    folder = f"direct{''.join(settings)}"
    code, out, err = cluster.run(PELSIM, 'run', 'ring.ini', *options, '--dir', folder, cwd=top)
    check(f'direct run {settings}', code, 0)
    return re.findall(r'^fingerprint: (\w+)', out, re.M)[0] if code == 0 else err


CASES = (overrun, time_limit, four_ranks, two_threads, node_failure, nothing_starts, two_nodes, rank_killed, sweep, cancelled, told_to_end,
         stop_file, stuck, chain, walltime, requeue_refused,
         unknown_partition)
try:
    wanted = [c for c in CASES if len(sys.argv) < 5 or c.__name__ in sys.argv[4:]]
    direct = fingerprint()
    cluster.start()
    begun = time.monotonic()

    def timed(case):
        case()
        print(f'{case.__name__}: over after {time.monotonic() - begun:.0f} s', flush=True)
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        for future in [pool.submit(timed, c) for c in wanted]:
            try:
                future.result()
            except Exception as e:  # the others are to be judged too
                check('a case broke off', repr(e), None)
    if clitest.failures:
        for path in sorted(glob.glob('run*/job-*.out')):
            print(f'---- {path}', open(path, encoding='utf-8', errors='replace').read(), sep='\n')
        cluster.logs()
finally:
    check('processes that are left', cluster.stop(), [])
clitest.finish()
