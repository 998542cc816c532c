"""Disks that are full, limited, read-only, gone, slow, failing or lying, and ranks that are killed while
they write: whole runs, on 1, 4 and 8 ranks.

However bad the disk, a run ends in seconds, says each trouble once and no more, and does not lie: with exit
code 0 its results are whole; with 4 something is missing, and what it advises leads to whole results once
the disk is good again; whatever has the name of a checkpoint is good.

usage: test_disks.py PELSIM SOURCE BAD_DISK [long]   (BAD_DISK: the library made of bad_disk.c)"""
import concurrent.futures
import errno
import itertools
import os
import random
import re
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time

# Mounts of our own, which nobody else sees and which go with us.
if 'DISKS_MOUNTS' not in os.environ:
    enter = ['unshare', '--mount', *([] if os.geteuid() == 0 else ['--map-root-user'])]
    able = shutil.which('unshare') and subprocess.run(
        [*enter, 'mount', '-t', 'tmpfs', 'none', '/mnt'], capture_output=True).returncode == 0
    os.environ['DISKS_MOUNTS'] = '1' if able else ''
    if able:
        os.execvp(enter[0], [*enter, sys.executable, *sys.argv])
MOUNTS = os.environ['DISKS_MOUNTS'] == '1'

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../cli"))
from clitest import ENVIRONMENT, PELSIM, check, finish, has, pelsim, workdir  # noqa: E402

BAD_DISK = os.path.abspath(sys.argv[3])
LONG = 'long' in sys.argv[4:]
PART = 'part' in sys.argv[4:]
LIMIT = 60  # seconds a run may take on a busy machine; what hangs takes for ever
SEED = int(os.environ.get('PELSIM_SEED', 1))  # of what is sampled
RANKS = 1, 4, 8
folder = workdir()
HERE = os.getcwd()
number = itertools.count()

MODELS = {  # name -> (its part of the configuration, file of output)
    'grid': ('[run]\nmodel = heat\n[grid]\nnx = 64\nny = 48\n', 'fields.nc'),
    'md': ('[run]\nmodel = lj\n[start]\nlattice = fcc\nnx = 6\nny = 6\nnz = 6\ndensity = 0.8442\n'
           'temperature = 1.44\n[lj]\ncutoff = 2.5\n[analysis]\naverages = yes\n', 'trajectory.h5md')}
COMMON = '[output]\nevery = 6\n[checkpoint]\nevery = 10\nkeep = 2\n[diagnostics]\nevery = 5\n'
STEPS = 60
for model, (text, _) in MODELS.items():
    with open(f'{model}.ini', 'w', encoding='utf-8') as f:
        dt = 'dt = 0.005\n' if model == 'md' else ''
        f.write(f'{text}[time]\nsteps = {STEPS}\n{dt}{COMMON}')

NOISE = re.compile(r'HDF5-DIAG|MPI_ABORT|-----|=====|ORTE|PMIX|noticed that|[Ss]egmentation|runtime error|'
                   r'Sanitizer|\[[\w.-]+:\d+\]')
TROUBLE = re.compile(r'cannot|nothing to|could not|left out|not written|was removed|failed|lacks|damaged|killed|'
                     r'broke|renamed')


class Run:
    """One run of the command: its exit code, what it said, and the seconds it took."""

    def __init__(self, case, *words, bad='', ranks=None, prefix=(), meanwhile=None, environment=None):
        self.case = case
        ranks = ranks or case.ranks
        # Runs that begin and end at the same time would fight about Open MPI's folder in /tmp.
        env = {**ENVIRONMENT, **(environment or {}), 'TMPDIR': f'{HERE}/t/{next(number)}'}
        os.makedirs(env['TMPDIR'])
        os.chmod(env['TMPDIR'], 0o777)
        if bad:
            env |= {'LD_PRELOAD': BAD_DISK, 'BAD_DISK': bad}
        words = [*map(str, words)]  # a command that the run itself has advised names its layout
        layout = [] if '-t' in words else ['-t', '1', *(['-n', str(ranks)] if ranks > 1 else [])]
        command = [*prefix, PELSIM, *words, *layout]
        begun = time.monotonic()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, errors='replace', env=env)
        try:
            if meanwhile:
                meanwhile(process)
            self.text = ''.join(process.communicate(timeout=LIMIT))
        except subprocess.TimeoutExpired:
            check(f'{case.name}: {" ".join(command)}', 'hangs', 'an end')
            process.terminate()
            time.sleep(5)
            process.kill()
            self.text = ''.join(process.communicate())
        self.code, self.seconds = process.returncode, time.monotonic() - begun
        lines = self.text.splitlines()
        self.trouble = [x for x in lines if TROUBLE.search(x) and
                        not x.startswith(('advice', 'newest checkpoint: ', 'continue with: '))]
        table = [x for x in lines if not x or x.startswith('phase  ')]
        check(f'{case.name}: noise', [x for x in lines if NOISE.search(x)], [])
        check(f'{case.name}: said twice', [x for x in set(lines) - set(table) if lines.count(x) > 1], [])

    def says(self, *patterns):
        """Each pattern fits one sentence of trouble, and there is no other."""
        rest = list(self.trouble)
        for p in patterns:
            fits = [x for x in rest if re.search(p, x)]
            check(f'{self.case.name}: sentences like "{p}" in\n{self.text}', len(fits), 1)
            rest = [x for x in rest if x not in fits]
        check(f'{self.case.name}: further sentences', rest, [])

    def ends(self, code, *patterns):
        check(f'{self.case.name}: exit code, after\n{self.text}', self.code, code)
        self.says(*patterns)

    def fingerprint(self):
        found = re.findall(r'^fingerprint: (\w+)$', self.text, re.M)
        return found[-1] if found else None


class Case:
    """A directory in which a model is run on some ranks."""

    def __init__(self, what, model, ranks):
        self.name, self.model, self.ranks = f'{what}, {model}, {ranks}', model, ranks
        self.ini, self.output = f'{model}.ini', MODELS[model][1]
        self.base = re.sub(r'\W+', '_', self.name)
        self.dir = f'{self.base}/run'
        os.makedirs(self.base)

    def run(self, *words, **how):
        return Run(self, 'run', self.ini, '--dir', self.dir, *words, **how)

    def tmpfs(self, at, options):
        os.makedirs(at, exist_ok=True)
        subprocess.run(['mount', '-t', 'tmpfs', '-o', options, 'none', at], check=True)

    def files(self, pattern, sub='checkpoints'):
        try:
            return sorted(x for x in os.listdir(f'{self.dir}/{sub}') if re.search(pattern, x))
        except FileNotFoundError:
            return []

    def checkpoints(self):
        return [int(x[5:14]) for x in self.files(r'\.h5$')]

    def sound(self, half=False):
        """What is there is good; half: files half-written may be there as well."""
        files = [f'{self.dir}/checkpoints/step_{s:09d}.h5' for s in self.checkpoints()]
        if os.path.exists(f'{self.dir}/{self.output}'):
            files.append(f'{self.dir}/{self.output}')
        if files:
            code, out, err = pelsim('verify', *files)
            check(f'{self.name}: verified {out}{err}', (code, out.count(': good, ')), (0, len(files)))
        if not half:
            left = self.files(r'\.tmp$') + self.files(r'\.(tmp|reserve)$', '.')
            check(f'{self.name}: left over', left, [])

    def whole(self, run, half=False):
        """The results are those of a good disk."""
        check(f'{self.name}: at the end\n{run.text}', (run.code, run.fingerprint()),
              (0, FINGERPRINT[self.model]))
        for name in 'checkpoints/step_000000060.h5', self.output:
            code, out, err = pelsim('diff', f'reference/{self.model}/{name}', f'{self.dir}/{name}')
            check(f'{self.name}: {name} {out}{err}', code, 0)
        with open(f'reference/{self.model}/diagnostics.csv', encoding='utf-8') as want, \
                open(f'{self.dir}/diagnostics.csv', encoding='utf-8') as got:
            check(f'{self.name}: diagnostics.csv', got.read() == want.read(), True)
        if self.model == 'md':
            check(f'{self.name}: observables.h5', os.path.exists(f'{self.dir}/observables.h5'), True)
        self.sound(half)

    def recover(self, run):
        """The disk is good again: what the run advises leads to whole results."""
        said = re.findall(r'^continue with: (.*)$', run.text, re.M)
        advised = re.findall(r'run again with (--resume(?:=\S+)?|--overwrite)', run.text)
        if said and advised and f' {advised[-1]}' not in said[-1]:
            check(f'{self.name}: advice', said[-1], f'what the sentence says: {advised[-1]}')
        if not said and '--overwrite' not in run.text:
            advised = ['--overwrite']  # failed before it had begun
        words = shlex.split(said[-1])[1:] if said else ['run', self.ini, '--dir', self.dir, advised[-1]]
        self.whole(Run(self, *words))
        return ' '.join(words)

    def honest(self, run, half=False):
        """Whatever has happened: 0 is whole, 4 is not and can be mended."""
        check(f'{self.name}: exit code, after\n{run.text}', run.code, lambda c: c in (0, 4))
        check(f'{self.name}: seconds', run.seconds, lambda t: t < 30)
        self.sound(half)
        if run.code == 0:
            self.whole(run, half)
            return ''
        ended = [x for x in run.trouble if x.startswith('pelsim: ')]
        check(f'{self.name}: how it ended\n{run.text}', len(ended), 1)
        return self.recover(run)


class Until:
    """While a run goes on: waits for a file of it, then acts."""

    def __init__(self, path, action):
        self.path, self.action = path, action

    def __call__(self, process):
        end = time.monotonic() + LIMIT
        while not os.path.exists(self.path):
            if process.poll() is not None or time.monotonic() > end:
                check(f'{self.path}: there', False, True)
                return
            time.sleep(.002)
        self.action()


ADVICE = r'^pelsim: failed at step \d+ .*; make room or repair the directory, then run again with '
FULL = [r'^output at step \d+ left out: cannot add a record to .*: the disk is full',
        r'^checkpoint at step \d+ not written: cannot \w+ checkpoint .*: the disk is full',
        r'^cannot write .*/observables.h5: the disk is full',
        r'^\S+/diagnostics.csv cannot be written: No space',
        r'^run.log cannot be written: No space', r'^heartbeat.json cannot be written: No space',
        r'^run.json cannot be written: No space', r'^diagnostics.csv cannot be written: No space',
        r'^diagnostics.csv lacks \d+ rows', r'^pelsim: ']
# Between checkpoints there is time for what happens meanwhile.
SLOWLY = 'path=/checkpoints/ call=rename rank=0 does=sleep:0.2'
enlisted = []
cases = []  # functions of (number of ranks), in the order of definition
seen = set()  # kinds of endings of the runs on full disks


def sample(ranks, *all_):
    """All variants on one rank, where runs are short; a part of them on each larger number, unless long."""
    return all_ if LONG or ranks == 1 else all_[(ranks == 8)::2]


def on(*models):
    """On each number of ranks, in a part run on one of them in turn: the models, one on each, in turn."""
    def enlist(function):
        turn = len(enlisted) % len(RANKS)
        enlisted.append(function)
        for i, ranks in enumerate(RANKS):
            if i == turn or not PART:
                cases.append((function, models[i % len(models)], ranks))
        return function
    return enlist


# ---- full

def full_disk(model, ranks, size):
    case = Case(f'full disk of {size} KiB', model, ranks)
    case.tmpfs(case.base, f'size={size}k')
    run = case.run()
    for line in run.trouble:
        check(f'{case.name}: known sentence', line, lambda x: any(re.search(p, x) for p in FULL))
    for pattern in FULL:
        most = 3 if pattern.startswith('^checkpoint') else 1  # again after one that succeeded
        check(f'{case.name}: sentences like {pattern}\n{run.text}',
              sum(bool(re.search(pattern, x)) for x in run.trouble), lambda n: n <= most)
    kept = case.checkpoints()
    subprocess.run(['mount', '-o', 'remount,size=50m', case.base], check=True)
    advice = case.honest(run)
    seen.add('done' if run.code == 0 else
             'at once' if 'failed at step' not in run.text or 'failed at step 0 ' in run.text else
             'anew' if '--overwrite' in advice else 'newest')
    if any('output record' in x for x in run.trouble):
        seen.add('records')
    if any('the last checkpoint' in x for x in run.trouble):
        seen.add('checkpoint, one kept' if kept else 'checkpoint')
    subprocess.run(['umount', '-l', case.base], check=False)


SIZES = {'grid': {1: (4, 40, 84, 130, 180, 240, 330, 420, 500, 600), 4: (130, 330), 8: (240,)},
         'md': {1: (150, 300, 420, 560, 700, 800), 4: (560,), 8: (420,)}}
if MOUNTS:
    for model, of in SIZES.items():
        for ranks, sizes in of.items():
            for size in sizes:
                cases.append((lambda m, r, s=size: full_disk(m, r, s), model, ranks))
else:
    print('full and read-only disks: left out, no file system can be mounted here')


# ---- limits

@on('grid', 'md')
def limit_of_everyone(model, ranks):
    case = Case('limit of everyone', model, ranks)
    run = case.run(bad=f'path={case.dir}/ does=limit:60000')
    lost = ['^output at step .*limit for files', ADVICE + '--overwrite']
    if model == 'md':
        lost.append('^checkpoint at step 10 not written: .*limit for files')
    run.ends(4, *lost)
    case.honest(run)


@on('grid')
def limit_of_the_shell(model, ranks):
    """ulimit -f, for mpirun too, whose shared memory is 4 MiB a rank."""
    case = Case('limit of the shell', model, ranks)
    more = '-s', 'output.every=none', '-s', 'grid.nx=1000', '-s', 'grid.ny=700'
    run = case.run(*more, '--steps', 12, prefix=('bash', '-c', 'ulimit -f 5000; exec "$@"', 'bash'))
    run.ends(4, '^checkpoint at step 10 not written: .*limit for files', ADVICE + '--overwrite')
    case.sound()
    check(f'{case.name}: checkpoints', case.checkpoints(), [])


@on('md', 'grid')
def limit_of_one_rank(model, ranks):
    case = Case('limit of one rank', model, ranks)
    rank = writer(model, ranks)
    bytes_ = 1000 if rank else 20000  # the first has small files to write too
    run = case.run(bad=f'path=step_000000030 rank={rank} does=limit:{bytes_}')
    run.ends(4, '^checkpoint at step 30 not written: .*limit for files', '^output at step 36 left out: .*limit',
             *(['^cannot write .*/observables.h5: .*limit'] if 'observables.h5:' in run.text else []),
             ADVICE + '--resume or --overwrite')
    check(f'{case.name}: checkpoints', case.checkpoints(), [10, 20])
    case.honest(run)


@on('grid', 'md')
def quota_of_one_rank(model, ranks):
    for call in sample(ranks, 'pwrite', 'fsync'):
        case = Case(f'quota in {call}', model, ranks)
        run = case.run(bad=f'path=step_000000060 call={call} rank={writer(model, ranks)} '
                           f'does=error:{errno.EDQUOT}')
        run.ends(4, '^checkpoint at step 60 not written: .*the disk quota is used up',
                 ADVICE + '--resume or --overwrite')
        check(f'{case.name}: checkpoints', case.checkpoints(), [40, 50])
        case.honest(run)


@on('md', 'grid')
def records_before_a_checkpoint_are_lost(model, ranks):
    """The newest checkpoint is later than what is missing: the one before is kept, and named."""
    case = Case('lost before a checkpoint', model, ranks)
    marks = [f'{HERE}/{case.base}/{x}' for x in ('good', 'bad')]
    bad = (f'path=step_000000020.h5 call=rename mark={marks[0]} does=sleep:0 ;'
           f'path={case.output} call=pwrite when={marks[0]} rank={writer(model, ranks)} only=1 mark={marks[1]} '
           f'does=error:{errno.EIO}')
    run = case.run(bad=bad)
    run.ends(4, r'^output at step 24 left out: .*Input/output error',
             r'1 output record could not be written; .* run again with --resume=.*/step_000000020.h5')
    check(f'{case.name}: checkpoints', case.checkpoints(), [20, 50, 60])
    again = case.run('--resume')  # plain: there is nothing left to do, and something is missing
    again.ends(4, r'1 output record could not be written; .* run again with --resume=.*/step_000000020.h5')
    check(f'{case.name}: way back', case.recover(again), has('step_000000020.h5'))


# ---- read-only

@on('grid', 'md')
def read_only_from_the_start(model, ranks):
    if not MOUNTS:
        return
    case = Case('read-only', model, ranks)
    case.tmpfs(case.base, 'size=10m,ro')
    case.run().ends(4, '^pelsim: cannot make the run directory .*: Read-only file system')
    subprocess.run(['mount', '-o', 'remount,rw', case.base], check=True)
    case.run('--steps', 20)
    subprocess.run(['mount', '-o', 'remount,ro', case.base], check=True)
    case.run('--resume').ends(4, '^pelsim: cannot write in the run directory .*: Read-only file system')
    case.sound()
    subprocess.run(['mount', '-o', 'remount,rw', case.base], check=True)
    case.whole(case.run('--resume'))
    subprocess.run(['umount', '-l', case.base], check=False)


@on('md', 'grid')
def checkpoints_become_read_only(model, ranks):
    if not MOUNTS:
        return
    case = Case('checkpoints become read-only', model, ranks)
    at = f'{case.dir}/checkpoints'
    case.tmpfs(at, 'size=10m')

    def remount():
        while subprocess.run(['mount', '-o', 'remount,ro', at], capture_output=True).returncode:
            time.sleep(.005)  # busy: a checkpoint is being written
    run = case.run(bad=SLOWLY, meanwhile=Until(f'{at}/step_000000020.h5', remount))
    run.ends(4, '^checkpoint at step [34]0 not written: cannot (create|write checkpoint) .*Read-only file system', ADVICE + '--resume')
    subprocess.run(['mount', '-o', 'remount,rw', at], check=True)
    case.honest(run, half=True)  # a file that was being written could not be removed
    subprocess.run(['umount', '-l', at], check=False)


@on('grid', 'md')
def everything_becomes_read_only(model, ranks):
    """As by a file system that has found an error in itself: open files too."""
    case = Case('becomes read-only', model, ranks)
    now = f'{HERE}/{case.base}/now'
    bad = (f'path=step_000000020.h5 call=rename mark={now} does=sleep:0 ;'
           f'path={case.dir}/ when={now} does=error:{errno.EROFS}')
    run = case.run(bad=bad)
    said = ['^checkpoint at step 20 not written: .*Read-only', '^output at step 24 left out: .*Read-only',
            '^diagnostics.csv cannot be written: Read-only', '^run.log cannot be written: Read-only',
            '^run.json cannot be written: Read-only', '^heartbeat.json cannot be written: Read-only',
            '^diagnostics.csv lacks 8 rows', ADVICE]
    if model == 'md':
        said.append('^cannot write .*/observables.h5: Read-only')
    run.ends(4, *said)
    os.remove(now)
    case.sound(half=True)  # nothing can be removed from such a disk
    case.recover(run)


# ---- gone

def writer(model, ranks):
    """A rank that writes: the particles are few, and collected by few."""
    return random.randrange(ranks) if model == 'grid' else 0


def gone(what, act, said, model, ranks, comes_back=None, for_good=False):
    case = Case(what, model, ranks)
    run = case.run(bad=SLOWLY, meanwhile=Until(f'{case.dir}/checkpoints/step_000000020.h5', lambda: act(case)))
    optional = ['^heartbeat.json cannot be written: No such file']
    if said is not None:
        optional = [x for x in optional if any(re.search(x, y) for y in run.trouble)]
        run.ends(4, *said, *optional, ADVICE)
    if comes_back:
        comes_back(case)
    if for_good:  # not to be put back
        case.run('--resume').ends(2, '^pelsim: nothing to resume: there is no run directory')
        case.whole(case.run('--overwrite'))
    else:
        case.honest(run, half=comes_back is not None)


ALL_GONE = ['^checkpoint at step [34]0 not written: .*No such file',
            r'^output at step \d+ left out: .* was removed or replaced while the run was writing it',
            '^diagnostics.csv cannot be written: No such file', '^run.json cannot be written: No such file',
            r'^diagnostics.csv lacks \d rows']


@on('grid', 'md')
def directory_is_renamed(model, ranks):
    said = ALL_GONE + (['^cannot (write .*/observables.h5|read .*/diagnostics.csv): No such file'] if model == 'md' else [])
    gone('directory renamed', lambda c: os.rename(c.dir, c.dir + '2'), said, model, ranks,
         lambda c: os.rename(c.dir + '2', c.dir))


@on('md', 'grid')
def directory_is_deleted(model, ranks):
    said = ALL_GONE + (['^cannot (write .*/observables.h5|read .*/diagnostics.csv): No such file'] if model == 'md' else [])
    gone('directory deleted', lambda c: os.system(f'while ! rm -rf {c.dir} 2>/dev/null; do :; done'), said, model, ranks,
         for_good=True)


@on('grid', 'md')
def checkpoints_are_deleted(model, ranks):
    """They are made again: nothing is lost but the old ones."""
    case = Case('checkpoints deleted', model, ranks)
    at = f'{case.dir}/checkpoints'
    run = case.run(bad=SLOWLY, meanwhile=Until(f'{at}/step_000000020.h5', lambda: os.rename(at, f'{case.base}/away')))
    check(f'{case.name}: exit code\n{run.text}', run.code, 0)
    check(f'{case.name}: sentences', len(run.trouble), lambda n: n <= 1)  # the one just being written
    case.honest(run)


@on('md', 'grid')
def output_is_deleted(model, ranks):
    gone('output deleted', lambda c: os.remove(f'{c.dir}/{c.output}'),
         [r'^output at step \d+ left out: .* was removed or replaced while the run was writing it'], model, ranks)


@on('grid', 'md')
def rows_are_deleted(model, ranks):
    gone('rows deleted', lambda c: os.remove(f'{c.dir}/diagnostics.csv'),
         ['^diagnostics.csv cannot be written: No such file', r'^diagnostics.csv lacks \d rows'] +
         ['^cannot read .*/diagnostics.csv: No such file'] * (model == 'md'), model, ranks)  # for observables.h5


# ---- slow

@on('md', 'grid')
def slow(model, ranks):
    for which, seconds in (('', .004), (f'rank={ranks - 1} path=/checkpoints/ ', .03)):
        case = Case(f'slow disk {which}', model, ranks)
        run = case.run(bad=f'path={case.dir}/ {which}does=sleep:{seconds}')
        run.ends(0)
        case.whole(run)


@on('grid', 'md')
def slow_before_a_limit(model, ranks):
    case = Case('slow disk, limit', model, ranks)
    run = case.run('-s', 'run.walltime=4', '-s', f'time.steps={10**7}', '-s', 'diagnostics.every=1000',
                   '-s', 'checkpoint.every=200', '-s', 'output.every=100000',
                   bad=f'path=/checkpoints/ call=fsync does=sleep:{.4 / min(ranks, 2)}')
    run.ends(75)
    check(f'{case.name}: said\n{run.text}', run.text, has('before the wall-clock limit', 'continue with: '))
    took = re.findall(r' in ([\d.]+) s$', run.text, re.M)
    check(f'{case.name}: seconds of the loop\n{run.text}', float(took[-1]) if took else None,
          lambda t: t is not None and t <= 4)
    case.sound()


@on('md', 'grid')
def slow_and_interrupted(model, ranks):
    case = Case('slow disk, Ctrl-C', model, ranks)
    mark = f'{HERE}/{case.base}/mark'

    def interrupt(process):
        Until(mark, lambda: process.send_signal(signal.SIGINT))(process)
    run = case.run(bad=f'path=step_000000030.h5 call=pwrite mark={mark} does=sleep:0.3', meanwhile=interrupt)
    check(f'{case.name}: exit code\n{run.text}', run.code, 75)
    check(f'{case.name}: sentences', run.trouble, [])
    check(f'{case.name}: checkpoints', case.checkpoints(), lambda c: len(c) == 2 and 30 <= c[-1] < 60)
    case.sound()
    case.recover(run)


# ---- killed

def killed(what, path, nth, model, ranks, rank):
    case = Case(f'rank {rank} killed in {what}', model, ranks)
    mark = f'{case.base}/mark'
    run = case.run(bad=f'path={path} call=pwrite rank={rank} only={nth} mark={HERE}/{mark} does=kill')
    check(f'{case.name}: hit', os.path.exists(mark), True)
    check(f'{case.name}: seconds', run.seconds, lambda t: t < 20)
    if ranks > 1:
        run.ends(70, rf'^pelsim: rank {rank} was killed by signal 9 .*--resume continues from the newest checkpoint')
    else:
        check(f'{case.name}: exit code', run.code, -signal.SIGKILL)
    case.sound(half=True)
    check(f'{case.name}: checkpoints', case.checkpoints(), [10, 20])
    case.whole(case.run('--resume', ranks=random.choice(RANKS)))


@on('grid', 'md')
def killed_in_a_checkpoint(model, ranks):
    killed('a checkpoint', 'step_000000030.h5.tmp', 1, model, ranks, writer(model, ranks))
    if ranks > 1:
        killed('the end of a checkpoint', 'step_000000030.h5.tmp', 2, model, ranks, 0)


@on('md', 'grid')
def killed_in_a_record(model, ranks):
    rank = writer(model, ranks)
    mark = f'{HERE}/began {ranks}'.replace(' ', '_')
    path = MODELS[model][1]
    case = Case(f'rank {rank} killed in a record', model, ranks)
    hit = f'{case.base}/mark'
    bad = (f'path=step_000000020.h5 call=rename mark={mark} does=sleep:0 ;'
           f'path={path} call=pwrite when={mark} rank={rank} only=1 mark={HERE}/{hit} does=kill')
    run = case.run(bad=bad)
    check(f'{case.name}: hit', os.path.exists(hit), True)
    check(f'{case.name}: exit code\n{run.text}', run.code, 70 if ranks > 1 else -signal.SIGKILL)
    if ranks > 1:
        run.says(rf'^pelsim: rank {rank} was killed by signal 9 ')
    case.sound(half=True)
    case.whole(case.run('--resume', ranks=random.choice(RANKS)))


# ---- lying

@on('grid', 'md')
def what_is_not_as_written_is_not_kept(model, ranks):
    for does in sample(ranks, 'flip', 'drop'):
        case = Case(f'disk that does {does}', model, ranks)
        run = case.run(bad=f'path=step_000000060 call=pwrite rank={writer(model, ranks)} only=1 does={does}')
        run.ends(4, '^checkpoint at step 60 not written: .* is not kept: ', ADVICE + '--resume or')
        check(f'{case.name}: checkpoints', case.checkpoints(), [40, 50])
        case.honest(run)
    for nth in sample(ranks, 2, 3):  # what rank 0 writes last: headers, tables
        case = Case(f'disk that flips, write {nth}', model, ranks)
        case.honest(case.run(bad=f'path=step_000000060 call=pwrite rank=0 only={nth} does=flip'))


# ---- damaged

def flip(path):
    with open(path, 'r+b') as f:
        f.seek(os.path.getsize(path) // 2)
        byte = f.read(1)[0] ^ 16
        f.seek(-1, 1)
        f.write(bytes([byte]))


def replace(make):
    def act(path):
        os.remove(path)
        make(path)
    return act


DAMAGES = {'a flipped bit': (flip, 'is damaged: .*; renamed to'),
           'a cut': (lambda p: os.truncate(p, os.path.getsize(p) - 1), 'is damaged: .*; renamed to'),
           'no content': (lambda p: os.truncate(p, 0), 'is not a pelsim checkpoint.*; renamed to'),
           'a directory': (replace(os.mkdir), 'Is a directory; renamed to'),
           'a dangling link': (replace(lambda p: os.symlink('nowhere', p)), 'No such file.*; renamed to'),
           'a pipe': (replace(os.mkfifo), 'Invalid argument; renamed to')}


@on('grid', 'md')
def newest_is_damaged(model, ranks):
    for what, (act, said) in sample(ranks, *DAMAGES.items()):
        case = Case(f'newest has {what}', model, ranks)
        shutil.copytree(f'half/{model}', case.dir)
        act(f'{case.dir}/checkpoints/step_000000045.h5')
        run = case.run('--resume')
        run.ends(0, f'step_000000045.h5.*{said} .* the one before it is tried$')
        case.whole(run)
        check(f'{case.name}: set aside', case.files(r'\.bad$'), ['step_000000045.h5.bad'])


@on('md', 'grid')
def all_are_damaged(model, ranks):
    case = Case('all damaged', model, ranks)
    shutil.copytree(f'half/{model}', case.dir)
    for step in case.checkpoints():
        flip(f'{case.dir}/checkpoints/step_{step:09d}.h5')
    run = case.run('--resume')
    run.ends(4, 'step_000000045.h5 is damaged.* is tried$', 'step_000000040.h5 is damaged.* none before it$',
             '^pelsim: there is no good checkpoint in .*: all 2 are damaged')


@on('md', 'grid')
def cut_at_200_lengths(model, ranks):
    case = Case('cut at 200 lengths', model, ranks)
    shutil.copytree(f'half/{model}', case.dir)
    at = f'{case.dir}/checkpoints'
    with open(f'{at}/step_000000045.h5', 'rb') as f:
        good = f.read()
    names = [f'{at}/step_{45 + i:09d}.h5' for i in range(200)]
    for i, name in enumerate(names):
        with open(name, 'wb') as f:
            f.write(good[:len(good) * i // 200])
    code, out, err = pelsim('verify', *names)
    check(f'{case.name}: verify', (code, len((out + err).splitlines()), ': good' in out), (4, 200, False))
    run = case.run('--resume')
    check(f'{case.name}: named', sum(n in run.text for n in names), 200)
    check(f'{case.name}: exit code', run.code, 0)
    case.whole(run)


def unreadable(model, ranks):
    """Nobody else's files: another user's, which root cannot be shown."""
    if os.geteuid() or not shutil.which('setpriv'):
        return
    nobody = ('setpriv', '--reuid=65534', '--clear-groups')
    case = Case('newest is unreadable', model, ranks)
    if subprocess.run([*nobody, PELSIM, 'models'], capture_output=True).returncode:
        print('unreadable: left out, other users cannot run this program')
        return
    os.chmod('.', 0o755)
    shutil.copytree(f'half/{model}', case.dir)
    subprocess.run(['chown', '-R', '65534', case.base], check=True)
    os.chown(f'{case.dir}/checkpoints/step_000000045.h5', 0, 0)
    os.chmod(f'{case.dir}/checkpoints/step_000000045.h5', 0o600)
    run = case.run('--resume', prefix=nobody)
    run.ends(0, 'step_000000045.h5: Permission denied; renamed to')
    case.whole(run)


for ranks in RANKS:
    cases.append((unreadable, 'grid', ranks))


# ---- the n-th call on a rank fails, or all from it on

def nth_call_fails(model, ranks, rank, n, how):
    case = Case(f'call {n} of rank {rank} fails ({how})', model, ranks)
    run = case.run(bad=f'path={case.dir}/ rank={rank} {how}={n} does=error:{errno.EIO}')
    case.honest(run, half=how == 'from')  # what cannot be removed stays


for model, ranks, rank, most, step in (('grid', 1, 0, 340, 1 if LONG else 41), ('md', 4, 0, 360, 1 if LONG else 120),
                                       ('grid', 4, 2, 60, 1 if LONG else 30), ('md', 8, 5, 90, 1 if LONG else 45)):
    for n in range(1 + SEED % step, most, step):
        for how in 'only', 'from':
            cases.append((lambda m, r, a=rank, b=n, c=how: nth_call_fails(m, r, a, b, c), model, ranks))


# ---- all of it

FINGERPRINT = {}
random.seed(SEED)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
for model in MODELS:
    os.makedirs('reference', exist_ok=True)
    code, out, err = pelsim('run', f'{model}.ini', '--dir', f'reference/{model}', '-t', 1)
    check(f'{model}: reference {err}', code, 0)
    FINGERPRINT[model] = out.split()[-1]
    pelsim('run', f'{model}.ini', '--dir', f'half/{model}', '-t', 1, '--steps', 45)


class Room:
    """Runs at the same time, but not more ranks than make sense."""

    def __init__(self, ranks):
        self.left, self.changed = ranks, threading.Condition()

    def take(self, ranks):
        with self.changed:
            self.changed.wait_for(lambda: self.left >= ranks)
            self.left -= ranks

    def give(self, ranks):
        with self.changed:
            self.left += ranks
            self.changed.notify_all()


room = Room(8)


def perform(one):
    function, model, ranks = one
    room.take(ranks)
    begun = time.monotonic()
    try:
        function(model, ranks)
    except Exception as e:  # pylint: disable=broad-except
        check(f'{function.__name__}, {model}, {ranks}', repr(e), 'no exception')
    room.give(ranks)
    if os.environ.get('DISKS_TIMES'):
        print(f'{time.monotonic() - begun:6.1f} s  {function.__name__} {model} {ranks}', flush=True)


wanted = os.environ.get('DISKS_ONLY')
if wanted:
    cases = [c for c in cases if re.search(wanted, f'{c[0].__name__} {c[1]} {c[2]}')]
with concurrent.futures.ThreadPoolExecutor(3) as pool:
    list(pool.map(perform, cases))
if MOUNTS and not wanted:
    check('endings of full disks', seen, lambda s: s >= {
        'done', 'at once', 'anew', 'records', 'checkpoint', 'checkpoint, one kept', 'newest'})
print(f'{len(cases)} cases, seed {SEED}, endings of full disks: {sorted(seen)}')
finish(folder)
