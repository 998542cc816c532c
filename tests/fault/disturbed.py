"""Runs that are disturbed, and what they must be equal to in the end: one that was not."""
import json
import os
import random
import signal
import sys
import time

sys.path.insert(0, os.path.join(sys.argv[2], 'tests', 'cli'))
from clitest import SOURCE, check, pelsim  # noqa: E402
from running import Run  # noqa: E402

MODELS = {  # name: (configuration, what is changed in it, files that must be the same in the end)
    'grid': ('williamson2.ini',
             ['grid.nlon=72', 'grid.nlat=36', 'time.end=none', 'output.interval=none'],
             ['fields.nc']),
    'particles': ('lj_melt.ini',
                  ['start.nx=8', 'start.ny=8', 'start.nz=8', 'analysis.rdf=yes', 'analysis.msd=yes',
                   'analysis.averages=yes'],
                  ['trajectory.h5md', 'observables.h5'])}
# Blocks change hands at every look.
BALANCE = ['parallel.blocks=3', 'parallel.balance_every=7', 'parallel.balance_threshold=1']
HANG_LIMIT = 3  # [s]


class Case:
    """A model with a checkpoint and a record each third of a second, or so."""

    def __init__(self, model, ranks, seed):
        self.model = model
        name, self.settings, self.files = MODELS[model]
        self.config = os.path.join(SOURCE, 'configs', name)
        self.chance = random.Random(f'{seed} {model}')
        self.dir = None
        self.steps = 0
        self.rate = self.measure(ranks)
        self.every = max(1, int(self.rate / 3))

    def length(self):
        """Of a step of the sphere, which is not stable for months."""
        days = 20
        return [] if self.model != 'grid' else [
            f'time.dt={min(60, days * 86400 / self.steps) if self.steps else 60:.6g}']

    def words(self, *more, every=None):
        every = every or self.every
        settings = [f'run.hang_limit={HANG_LIMIT}', f'checkpoint.every={every}', f'output.every={every}',
                    *BALANCE, *self.settings, *self.length(), *more]
        return [w for s in settings for w in ('-s', s)]

    def measure(self, ranks):
        """Steps a second of a run like those that follow."""
        folder = f'{self.model} rate'
        code, _, err = pelsim('run', self.config, '-n', ranks, '-t', 1, '--dir', folder,
                              *self.words('time.steps=10000000', 'run.walltime=4', every=10**6))
        check(f'{self.model}: a run to measure with', (code, err), (75, ''))
        with open(f'{folder}/run.json', encoding='utf-8') as f:
            timing = json.load(f)['timing']
        return timing['steps'] / timing['seconds']

    def newest(self):
        """Step of the newest checkpoint; -1: none."""
        try:
            steps = [int(n[5:14]) for n in os.listdir(f'{self.dir}/checkpoints')
                     if n.endswith('.h5') and n.startswith('step_')]
        except OSError:
            steps = []
        return max(steps, default=-1)

    def start(self, ranks, *options):
        run = Run(self.config, '-n', ranks, '--retries', 10**5,
                  *self.words(f'time.steps={self.steps}'), *options)
        self.dir = run.dir
        return run

    # ---- disturbing

    def await_(self, run, condition, limit=150):
        """True as soon as the condition holds; False if the run ends before."""
        end = time.time() + limit
        while not condition():
            if run.process.poll() is not None:
                return False
            if time.time() > end:
                raise SystemExit(f'{self.model}: nothing for {limit} s: {run.text()[-3000:]}')
            time.sleep(.02)
        return True

    def disturb(self, run):
        """One fault at a random time, its name returned, None if there was nobody to be hit.  The
        next comes when this one has been answered and a newer checkpoint is there: three in a row
        without one would rightly be the end of it."""
        before, restarts = self.newest(), run.text().count('; restart ')
        time.sleep(self.chance.uniform(0, 1.2))
        starter = self.chance.random() < .1
        victims = run.starters() if starter else run.ranks()
        fault = self.chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM])
        try:
            os.kill(self.chance.choice(sorted(victims)), fault)
        except (IndexError, ProcessLookupError):  # between two attempts
            return None
        # mpirun may be stopped without harm.
        end = time.time() + (1 if starter and fault == signal.SIGSTOP else 6) * HANG_LIMIT
        self.await_(run, lambda: run.text().count('; restart ') > restarts or time.time() > end)
        self.await_(run, lambda: self.newest() > before)
        return fault.name

    # ---- the end

    def undisturbed(self):
        code, out, err = pelsim('run', self.config, '-t', 2, '--dir', f'{self.model} whole', timeout=7200,
                                *self.words(f'time.steps={self.steps}'))
        check(f'{self.model}: undisturbed', (code, err), (0, ''))
        return out.splitlines()[-1]

    def conclude(self, run, fingerprint, limit):
        """The run ends well and leaves nothing but what an undisturbed one leaves; what it said."""
        code, text = run.code(limit), run.text()
        check(f'{self.model}: exit code', (code, text[-3000:]), lambda x: x[0] == 0)
        check(f'{self.model}: nothing left', run.gone(), True)
        self.compare(text, fingerprint)
        return text

    def compare(self, text, fingerprint):
        whole = f'{self.model} whole'
        check(f'{self.model}: fingerprint', text.strip().splitlines()[-1], fingerprint)
        for file in *self.files, f'checkpoints/step_{self.steps:09d}.h5':
            code, _, err = pelsim('diff', f'{self.dir}/{file}', f'{whole}/{file}')
            check(f'{self.model}: {file} is the same', (code, err), (0, ''))
        with open(f'{self.dir}/diagnostics.csv', 'rb') as f, open(f'{whole}/diagnostics.csv', 'rb') as g:
            check(f'{self.model}: diagnostics.csv is the same', f.read() == g.read(), True)
        code, _, err = pelsim('verify', self.dir)
        check(f'{self.model}: verified', (code, err), (0, ''))
        check(f'{self.model}: blocks moved', self.moves(), lambda n: n > 0)

    def moves(self):
        """How often blocks changed hands."""
        with open(f'{self.dir}/run.log', encoding='utf-8') as f:
            return f.read().count('blocks move')


def tally(done):
    return ', '.join(f'{done.count(k)} x {k}' for k in sorted(set(done)))
