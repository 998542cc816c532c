"""A long run of a grid model and of particles, SECONDS in all, in which everything happens: layouts
change, blocks change hands, faults strike, files are damaged, the run is stopped, told to save, and
resumed.  At the end all that is left must be what an undisturbed run leaves, to the last bit.

    soak.py PELSIM SOURCE SECONDS SEED"""
import os
import signal
import sys
import time

import disturbed
from clitest import check, finish, workdir

SECONDS, SEED = float(sys.argv[3]), int(sys.argv[4])
SEGMENT = 12  # [s] on one layout


def layout(case):
    """Ranks, threads and blocks of the next segment."""
    chance = case.chance
    ranks = chance.choice([2, 3, 4])
    more = ['-t', chance.choice([1, 1, 2]), '-s', f'parallel.blocks={chance.choice([1, 2, 4])}']
    if case.model == 'grid':
        more += ['-s', f'parallel.overlap={chance.choice(["yes", "no"])}']
    return ranks, more


def ask(case, run, name):
    """A file that asks the run for something; OUTPUT and STOP would leave other records, or end it."""
    path = f'{case.dir}/{name}'
    with open(path, 'w', encoding='utf-8'):
        pass
    case.await_(run, lambda: not os.path.exists(path))
    return name


def damage(case):
    """A flipped bit, or a lost end, of the newest checkpoint of a run that is not running."""
    path = f'{case.dir}/checkpoints/step_{case.newest():09d}.h5'
    size = os.path.getsize(path)
    with open(path, 'r+b') as f:
        if case.chance.random() < .5:
            f.truncate(case.chance.randrange(size))
            return 'truncated'
        f.seek(case.chance.randrange(512, size))
        byte = f.read(1)
        f.seek(-1, os.SEEK_CUR)
        f.write(bytes([byte[0] ^ 1 << case.chance.randrange(8)]))
    return 'bit flipped'


def segment(case, run, until, done):
    """Faults until the time is up; what the run says if it ends by itself."""
    while time.time() < until and run.process.poll() is None:
        if case.chance.random() < .15:
            done.append(ask(case, run, 'CHECKPOINT'))
        else:
            fault = case.disturb(run)
            done += [fault] if fault else []


def soak(model, seconds):
    case = disturbed.Case(model, 3, SEED)
    case.steps = max(case.every * 12, int(case.rate * seconds / 4))
    fingerprint, begun, done, segments = case.undisturbed(), time.time(), [], 0
    ranks, more = layout(case)
    run = case.start(ranks, *more).started()
    home = case.dir
    end = begun + .8 * seconds  # then to the end in peace
    while time.time() < end:
        segments += 1
        segment(case, run, min(time.time() + SEGMENT, end), done)
        if run.process.poll() is not None:
            break
        run.kill(case.chance.choice([signal.SIGTERM, signal.SIGINT, signal.SIGUSR1]))
        code = run.code(60)
        if code == 0:
            break
        check(f'{model}: segment {segments}, exit code', (code, run.text()[-3000:]), lambda x: x[0] == 75)
        check(f'{model}: segment {segments}, nothing left', run.gone(), True)
        if case.chance.random() < .4 and len(os.listdir(f'{home}/checkpoints')) > 1:
            done.append(damage(case))
        ranks, more = layout(case)
        run = case.start(ranks, '--dir', home, '--resume', *more)
        case.dir = home
        case.await_(run, lambda: case.newest() >= 0)
    case.conclude(run, fingerprint, 7200)
    print(f'{model}: {segments} segments, {disturbed.tally(done)}; {case.moves()} moves of blocks; {time.time() - begun:.0f} s, '
          f'{case.steps} steps', flush=True)


folder = workdir()
for m in disturbed.MODELS:
    soak(m, SECONDS / len(disturbed.MODELS))
finish(folder)
