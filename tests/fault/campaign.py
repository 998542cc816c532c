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
    code, text = run.code(600), run.text()
    check(f'{model}: exit code', (code, text[-3000:]), lambda x: x[0] == 0)
    check(f'{model}: faults', len(done), FAULTS)
    check(f'{model}: nothing left', run.gone(), True)
    case.compare(text, fingerprint)
    print(f'{model}: {disturbed.tally(done)}; {text.count("; restart ")} restarts, '
          f'{time.time() - begun:.0f} s, {case.steps} steps', flush=True)


folder = workdir()
for m in disturbed.MODELS:
    campaign(m)
finish(folder)
