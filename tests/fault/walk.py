"""Every call of the system and of MPI that could fail is made to fail, one at a time, in whole small
runs: a grid and particles, from the start and resumed, on 1 and 3 ranks.

    walk.py PELSIM [--whole] [--only TEXT] [--kind KIND] [--rank R] [--fault SPEC] [--jobs N]
            [--seed N] [--share A/B] [--budget SECONDS] [--tell]

PELSIM is pelsim_faults (tests/fault/inject.c).  Without --whole, one call for each
path through the program that leads to one, spread over the run by the seed, as far as --budget
seconds go.  --only: runs whose name holds the text, as in "md, resumed, 3 ranks"; --kind, --rank:
failures of one kind, on one rank ("-": in the starter of mpirun); --fault repeats one failure:
memory:17@0.  --share 2/5: the second fifth.  --tell: what each run said.

Whatever fails, demanded is: the run ends by itself, within seconds and not by a signal; with the
right fingerprint, or with a sentence and no words of libraries; all checkpoints that are left are
good; and the run, resumed from them or begun anew, ends with the bits, records and rows of one
that was not disturbed.
"""
import argparse
import collections
import concurrent.futures
import itertools
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

ENVIRONMENT = {k: v for k, v in os.environ.items()
               if not k.startswith(('OMPI_', 'PMIX_', 'PMI_', 'OMP_', 'SLURM_', 'PBS_', 'PELSIM_'))}
# Passive: also keeps a single process from starting itself anew, which would count twice.
ENVIRONMENT |= {'OMP_WAIT_POLICY': 'passive', 'LC_ALL': 'C'}
PATIENCE = 60  # seconds; a run takes less than one
COMMON = '''[time]
steps = 6
[output]
every = 2
[diagnostics]
every = 1
[checkpoint]
every = 2
'''
CONFIGS = {
    'grid': '[run]\nmodel = heat\n[grid]\nnx = 16\nny = 12\n' + COMMON,
    'md': '[run]\nmodel = lj\n[start]\nnx = 4\nny = 4\nnz = 4\n[lj]\ncutoff = 2.5\n'
          '[analysis]\naverages = yes\nrdf = yes\nmsd = yes\nevery = 2\n' + COMMON}
# Filters, poles, diagnostics with references: walked when asked for (--only sphere), and whole.
SPHERE = ('[run]\nmodel = shallow_water\n[grid]\nnlon = 20\nnlat = 10\n[shallow_water]\n'
          'initial = williamson2\n' + COMMON)
# Blocks that change hands: when, is up to the clock, so a number may not mean the same call twice.
MOVES = ('[parallel]\nblocks = 3\nbalance_every = 1\nbalance_threshold = 1\n')
FILES = {'sphere': ['fields.nc'], 'grid': ['fields.nc'], 'md': ['trajectory.h5md', 'observables.h5']}
NOISE = re.compile(r'HDF5-DIAG|^ *#\d|MPI_ABORT|^\[|^-----|PMIX|PRTE|ORTE|orte|malloc\(|corrupt|Segm'
                   r'|signal|\*\*\*|backtrace|\(null\)', re.M)
WRITTEN = 4, 70  # exit codes of a run that could not write, or was broken off


class Layout(collections.namedtuple('Layout', 'model start ranks')):
    """start: new, resumed, or refused, since the directory holds another run."""
    def __str__(self):
        return f'{self.model}, {self.start}, {self.ranks} ranks'


def execute(arguments, fault=None, log=None):
    """(exit code or None if it had to be killed, stdout, stderr)"""
    env = dict(ENVIRONMENT)
    if fault:
        env['PELSIM_FAULT'] = fault
    if log:
        env['PELSIM_FAULT_LOG'] = log
    p = subprocess.Popen([OPTIONS.pelsim, *arguments], env=env, text=True, errors='replace',
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         start_new_session=True)
    try:
        out, err = p.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        os.kill(p.pid, signal.SIGKILL)  # mpirun and the ranks die with their parent
        out, err = p.communicate()
        return None, out, err
    return p.returncode, out, err


def advice(said):
    """How a run that has lost results says that they can be had."""
    found = re.search(r'run again with (--resume=.*?\.h5|--overwrite)', said)
    return found and found[1]


def last_line(text):
    """The fingerprint; run.log may have something to say after it."""
    lines = [line for line in text.splitlines() if line.startswith('fingerprint: ')]
    return lines[-1] if lines else ''


def content(path):
    try:
        with open(path, 'rb') as f:
            return f.read()
    except OSError:
        return None


def checkpoints(directory):
    folder = os.path.join(directory, 'checkpoints')
    names = os.listdir(folder) if os.path.isdir(folder) else []
    return [os.path.join(folder, n) for n in sorted(names) if re.fullmatch(r'step_\d+\.h5', n)]


class Walk:
    def __init__(self, top):
        self.top = top
        self.reference = {}
        self.bad = 0
        self.lock = threading.Lock()
        self.codes = collections.Counter()
        if OPTIONS.whole or OPTIONS.only.startswith('sphere'):
            CONFIGS['sphere'] = SPHERE
        if OPTIONS.whole or OPTIONS.only.startswith('moves'):
            CONFIGS.update({f'moves {m}': CONFIGS[m] + MOVES for m in ('grid', 'md')})
        for model, text in CONFIGS.items():
            with open(self.config(model), 'w', encoding='utf-8') as f:
                f.write(text)
            self.must(['run', self.config(model), '--dir', self.path(model, 'whole'), '-t', '1'])
            self.must(['run', self.config(model), '--dir', self.path(model, 'half'), '-t', '1',
                       '--steps', '3'])
            code, out, _ = execute(['run', self.config(model), '--dir', self.path(model, 'whole'),
                                    '-t', '1', '--resume'])
            self.reference[model] = last_line(out)

    def path(self, *names):
        return os.path.join(self.top, ' '.join(names))

    def config(self, model):
        return os.path.join(self.top, f'{model}.ini')

    def must(self, arguments):
        code, out, err = execute(arguments)
        if code:
            sys.exit(f'{arguments}: exit code {code}: {err}')
        return out

    def arguments(self, layout, directory):
        words = ['run', self.config(layout.model), '--dir', directory, '-t', '1', '-n',
                 str(layout.ranks)]
        return words + (['--resume'] if layout.start == 'resumed' else [])

    def prepare(self, layout, directory):
        shutil.rmtree(directory, ignore_errors=True)
        if layout.start != 'new':
            shutil.copytree(self.path(layout.model, 'half'), directory)

    # ---- which failures there are ----

    def calls(self, layout):
        """[(kind, number, process, path)]: all calls of an undisturbed run."""
        directory, log = self.path(str(layout), 'trace'), self.path(str(layout), 'log')
        self.prepare(layout, directory)
        code, out, err = execute(self.arguments(layout, directory), 'trace', log)
        self.judge_end(layout, code, out, err, 'no fault')
        found = []
        with open(log, encoding='ascii') as f:
            for line in f:
                word = line.split()
                if word[0] == 'call':
                    kind, number = word[2].split(':')
                    found.append((kind, int(number), word[1], tuple(word[3:8])))
        return found

    def faults(self, layout, chosen):
        """The failures to walk: all, or a spread sample with one of each path, rare ones first."""
        calls = [c for c in self.calls(layout) if OPTIONS.kind in ('', c[0]) and
                 OPTIONS.rank in ('', c[2])]
        spec = lambda c: f'{c[0]}:{c[1]}' + ('' if c[2] == '-' else f'@{c[2]}')
        lasting = [f'{kind}:{n}+' + ('' if who == '-' else f'@{who}')
                   for kind in ('write', 'sync', 'open')
                   for (k, n, who, _) in calls if k == kind and (n - 1) % 8 == 0]
        if OPTIONS.whole:
            # The starter counts on in the process that becomes mpirun: some numbers come twice.
            return list(dict.fromkeys([spec(c) for c in calls] + lasting))
        paths = collections.defaultdict(list)
        for c in calls:
            paths[c[0], c[2].replace('2', '1'), c[3]].append(spec(c))
        some = list(dict.fromkeys(chosen.choice(specs) for specs in paths.values()))
        chosen.shuffle(some)
        rare = [s for s in some if s.startswith(('sync', 'name', 'open'))]
        rare[3:3] = chosen.sample(lasting, min(4, len(lasting)))
        rest = [s for s in some if s not in set(rare)]
        turns = itertools.zip_longest(rare, rest)  # however short the time, some of each
        return [s for turn in turns for s in turn if s]

    # ---- one failure ----

    def tell(self, layout, fault, what, log=None):
        with self.lock:
            self.bad += 1
            print(f'{layout}, {fault}: {what}', flush=True)
            for line in (content(log) or b'').decode().splitlines() if log else []:
                if line.startswith('failed'):
                    print('   ', line.split()[3], where(line.split()[4:]), flush=True)

    def judge_end(self, layout, code, out, err, fault, log=None):
        def bad(what):
            self.tell(layout, fault, f'{what}\n    {err.strip()[-1500:]}', log)
        if code is None:
            bad('had to be killed')
        elif code < 0 or code > 100:
            bad(f'ended by a signal: {code}')
        elif code == 0 and layout.start == 'refused':
            bad('exit code 0')
        elif code == 0 and last_line(out) != self.reference[layout.model]:
            bad(f'exit code 0, but {last_line(out)!r}, want {self.reference[layout.model]!r}')
        elif code not in (0, 2, 4, 70, 75):
            bad(f'exit code {code}')
        elif NOISE.search(err):
            bad(f'exit code {code}, and words that are not ours')
        elif code and not re.search('^pelsim: ', err, re.M):
            bad(f'exit code {code}, but no sentence')
        elif err.count('\n') > 4:
            bad(f'exit code {code}, and {err.count(chr(10))} lines')

    def judge_rest(self, layout, directory, code, err, fault, log):
        """What the failure left behind, and whether the run can be brought to its end."""
        left = checkpoints(directory)
        if left:
            status, out, wrong = execute(['verify', *left])
            if status:
                self.tell(layout, fault, f'checkpoints are left damaged: {out}{wrong}', log)
        # What cannot be read once may be set aside; what was merely not tried may not.
        aside = [n for _, _, names in os.walk(directory) for n in names if n.endswith('.bad')]
        if aside and not fault.startswith(('read', 'short')):
            self.tell(layout, fault, f'exit code {code}, and a good checkpoint is set aside: {err}',
                      log)
        again = Layout(layout.model, None, 1)
        lost = 'could not be written' in err or 'lacks' in err or 'without' in err
        attempts = [advice(err) or ('--resume' if left else '--overwrite'), '--overwrite']
        for attempt in attempts:
            words = self.arguments(again, directory) + [attempt]
            status, out, wrong = execute(words)
            if status == 4 and advice(wrong) not in (None, attempt) and len(attempts) < 4:
                attempts.insert(attempts.index(attempt) + 1, advice(wrong))  # it says what to do
                continue
            if status or last_line(out) != self.reference[layout.model]:
                self.tell(layout, fault, f'{attempt} afterwards: exit code {status}, '
                          f'{last_line(out)!r}: {wrong}', log)
                return
            missing = self.missing(layout, directory)
            if not missing:
                break
            if not lost or attempt == '--overwrite':  # else told by the run itself
                self.tell(layout, fault, f'exit code {code}; {attempt} afterwards: {missing}\n    '
                          f'{err.strip()}', log)
                return
        for folder, _, names in os.walk(directory):
            for name in names:
                if name.endswith('.tmp'):
                    self.tell(layout, fault, f'{folder}/{name} is left', log)

    def judge_untouched(self, layout, directory, fault, log):
        def all_of(top):
            return {os.path.relpath(os.path.join(folder, n), top): content(os.path.join(folder, n))
                    for folder, _, names in os.walk(top) for n in names if n != '.lock'}
        before, after = all_of(self.path(layout.model, 'half')), all_of(directory)
        changed = [n for n in before.keys() | after.keys() if before.get(n) != after.get(n)]
        if changed:
            self.tell(layout, fault, f'refused, but these are changed: {changed}', log)

    def missing(self, layout, directory):
        whole = self.path(layout.model, 'whole')
        if content(f'{directory}/diagnostics.csv') != content(f'{whole}/diagnostics.csv'):
            return 'diagnostics.csv differs'
        for name in FILES[layout.model.split()[-1]]:
            code, out, err = execute(['diff', f'{whole}/{name}', f'{directory}/{name}'])
            if code:
                return f'{name} differs: {out}{err}'
        return None

    def one(self, layout, fault, until):
        if time.monotonic() > until:
            return False
        directory = self.path(str(layout), fault)
        log = directory + ' log'
        self.prepare(layout, directory)
        code, out, err = execute(self.arguments(layout, directory), fault, log)
        if b'failed' not in (content(log) or b''):
            self.codes['not reached'] += 1
        self.codes[code] += 1
        self.judge_end(layout, code, out, err, fault, log)
        if layout.start == 'refused':
            self.judge_untouched(layout, directory, fault, log)
        self.judge_rest(layout, directory, code, out + err, fault, log)
        if OPTIONS.fault or OPTIONS.tell:
            print(f'{layout}, {fault}: exit code {code}\n{err}', end='')
        shutil.rmtree(directory, ignore_errors=True)
        return True

    def run(self):
        chosen = random.Random(OPTIONS.seed)
        layouts = [Layout(model, start, ranks) for ranks in (1, 3) for model in CONFIGS
                   for start in ('new', 'resumed', 'refused') if start != 'refused' or model == 'grid']
        layouts = [x for x in layouts if OPTIONS.only in str(x)]
        for i, layout in enumerate(layouts):
            begun = time.monotonic()
            faults = [OPTIONS.fault] if OPTIONS.fault else self.faults(layout, chosen)
            part, parts = map(int, OPTIONS.share.split('/'))
            faults = faults[part - 1::parts]
            # Several ranks take longer: of what is left, they may have twice as much.
            weights = [1 + (x.ranks > 1) for x in layouts[i:]]
            left = OPTIONS.end - begun
            until = begun + left * weights[0] / sum(weights) if OPTIONS.budget else float('inf')
            with concurrent.futures.ThreadPoolExecutor(OPTIONS.jobs) as pool:
                done = sum(pool.map(lambda f: self.one(layout, f, until), faults))
            print(f'{layout}: {done} of {len(faults)} failures, {time.monotonic() - begun:.0f} s',
                  flush=True)
        print('exit codes:', ', '.join(f'{k}: {n}' for k, n in sorted(
            self.codes.items(), key=str)))
        return self.bad


def where(addresses):
    out = subprocess.run(['addr2line', '-fsC', '-e', OPTIONS.pelsim, *addresses[:8]], text=True,
                         capture_output=True, check=False).stdout.splitlines()
    return ' < '.join(f'{f} {line}' for f, line in zip(out[::2], out[1::2]))


def main():
    global OPTIONS
    p = argparse.ArgumentParser()
    p.add_argument('pelsim')
    p.add_argument('--whole', action='store_true')
    p.add_argument('--only', default='')
    p.add_argument('--fault')
    p.add_argument('--kind', default='')
    p.add_argument('--rank', default='')
    p.add_argument('--tell', action='store_true')
    p.add_argument('--jobs', type=int, default=2)
    p.add_argument('--seed', type=int, default=1)
    p.add_argument('--share', default='1/1')
    p.add_argument('--budget', type=float, default=0)
    OPTIONS = p.parse_args()
    OPTIONS.pelsim = os.path.abspath(OPTIONS.pelsim)
    OPTIONS.end = time.monotonic() + OPTIONS.budget
    with tempfile.TemporaryDirectory(prefix='pelsim_faults_') as top:
        os.chdir(top)
        bad = Walk(top).run()
        os.chdir('/')
    sys.exit(f'{bad} of these end wrongly' if bad else 0)


if __name__ == '__main__':
    main()
