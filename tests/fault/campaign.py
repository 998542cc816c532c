"""One run under `pelsim run -n --retries` that is disturbed FAULTS times, of a grid model and of
particles: random ranks, and now and then mpirun, are killed (SIGKILL), stopped for good (SIGSTOP) or
told to end (SIGTERM) at random times, those of starting and writing too.

    campaign.py PELSIM SOURCE FAULTS SEED [RANKS]"""
import sys
import time

import disturbed
from clitest import check, finish, workdir

FAULTS, SEED = int(sys.argv[3]), int(sys.argv[4])
RANKS = int(sys.argv[5]) if len(sys.argv) > 5 else 3


def campaign(model):
    case = disturbed.Case(model, RANKS, SEED)
    case.steps = case.every * (12 * FAULTS + 6)
    fingerprint, begun, done = case.undisturbed(), time.time(), []
    run = case.start(RANKS).started()
    while len(done) < FAULTS and run.process.poll() is None:
        fault = case.disturb(run)
        done += [fault] if fault else []
    text = case.conclude(run, fingerprint, 600)
    check(f'{model}: faults', len(done), FAULTS)
    print(f'{model}: {disturbed.tally(done)}; {text.count("; restart ")} restarts, '
          f'{case.moves()} moves of blocks, '
          f'{time.time() - begun:.0f} s, {case.steps} steps', flush=True)


folder = workdir()
for m in disturbed.MODELS:
    campaign(m)
finish(folder)
