#!/usr/bin/python3
"""Same bits on every layout, and after an interruption on another one.

For every registered model, and variants of it (cases.py), runs on {1,2,3,4,6,8} ranks x {1,2,3}
threads x {one block a rank, many, cuts along the first axis, both} x two tile shapes x overlap
on and off x blocks that stay or change hands every other step must end with one fingerprint, the same bytes in diagnostics.csv and the same values
in fields.nc.  So must a run that was interrupted at a random step, by --steps, a signal or a
kill, and resumed on another layout.

By default a sample: the layouts are a list in which each pair of values of two factors occurs,
dealt to the cases in turn.  --full runs every layout of every case (hours; ctest -R
conformance.full).
A model of your own:  conformance.py --config burgers.ini [--plugin build/libburgers.so]

On a difference it prints both layouts and, from checkpoints of every step, the first step,
variable and index that differ."""
import concurrent.futures
import json
import os
import random
import shutil
import signal
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support"), HERE]
import cases
import layouts
import pelsim_test
from pelsim_test import STOPPED, Failure


class Suite:
    def __init__(self, pelsim, options):
        self.pelsim, self.options = pelsim, options
        self.sample = layouts.every() if options.full else layouts.pairwise()
        self.runs, self.moves, self.failures = 0, 0, []

    # ---- running

    def run(self, case, layout, directory, more=None, fresh=True, **how):
        layout = layout.of_particles(case.particles) if case.particles else layout
        if fresh:
            shutil.rmtree(directory, ignore_errors=True)
        self.runs += 1
        return self.pelsim.run(self.config(case), directory, ranks=layout.ranks,
                               threads=layout.threads, keys=self.keys(case, layout) | (more or {}),
                               **how)

    def config(self, case):
        if case.config:
            return case.config
        path = self.pelsim.path(case.name + ".ini")
        if not os.path.exists(path):
            pelsim_test.write_ini(path, case.keys)
        return path

    def keys(self, case, layout):
        if case.particles:
            return layout.keys_of_particles(case.keys["run.model"])
        return (case.keys if case.config else {}) | layout.keys(case.cells)

    def look(self, case):
        """The shape of the grid, from pelsim check."""
        keys = case.keys if case.config else {}
        words = [w for k, v in keys.items() for w in ("-s", f"{k}={v}")]
        check = self.pelsim.tool("check", self.config(case), "--json", "-n", "1", "-t", "1", *words)
        if check.returncode:
            raise Failure(f"pelsim check: exit code {check.returncode}, want 0\n"
                          f"{pelsim_test.tail(check.stderr)}")
        case.cells = json.loads(check.stdout)["grid"]

    # ---- comparing

    def compare(self, what, a, b, extra_row=None):
        """Differences between the runs a (right) and b, as sentences.  extra_row: a step that b may
        have in diagnostics.csv though a has not."""
        wrong = []
        if a.fingerprint != b.fingerprint:
            wrong.append(f"{what}: fingerprint: got {b.fingerprint}, want {a.fingerprint}")
        texts = differing_rows(a, b, extra_row) + differing_fields(a, b)
        return wrong + [f"{what}: {text}" for text in texts]

    def first_difference(self, case, one, other, more=None):
        """Both layouts again with a checkpoint of each step; the first pair that differs."""
        keep = {"checkpoint.every": 1, "checkpoint.keep": 1000000, **(more or {})}
        runs = [self.run(case, layout, self.pelsim.path(f"{case.name}_trace_{i}"), keep)
                for i, layout in enumerate((one, other))]
        return self.trace(*(r.path("checkpoints") for r in runs))

    def trace(self, a, b):
        for name in sorted(set(os.listdir(a)) & set(os.listdir(b))):
            diff = self.pelsim.tool("diff", os.path.join(a, name), os.path.join(b, name))
            if diff.returncode:
                return f"first difference in {name}:\n{pelsim_test.tail(diff.stdout + diff.stderr)}"
        return "no difference when run again with a checkpoint of each step\n"

    def fail(self, case, wrong, explanation):
        text = "\n".join([f"FAIL  {case.name}", *(f"  {w}" for w in wrong)])
        if explanation:
            text += f"\n  {explanation}"
        self.failures.append(case.name)
        print(text, flush=True)

    # ---- the tests

    def check_layouts(self, case, number, base):
        each = case.each or self.options.each
        chosen = self.sample if self.options.full else \
            [self.sample[(number * each + i) % len(self.sample)] for i in range(each)]
        if case.particles:  # many are the same for them
            chosen = list({str(p): p for p in (c.of_particles(case.particles) for c in chosen)}.values())
        for i, layout in enumerate(chosen):
            r = self.run(case, layout, self.pelsim.path(f"{case.name}_{i}"))
            wrong = self.compare(f"[{layout}] against [{layouts.BASELINE}]", base, r)
            self.moves += r.moves()
            if wrong:
                self.fail(case, wrong, self.first_difference(case, layouts.BASELINE, layout))
            shutil.rmtree(r.directory, ignore_errors=True)
        return chosen

    def check_restart(self, case, number, base, step):
        """--steps on one layout, --resume on another; now and then into a new directory."""
        rng = random.Random(f"{self.options.seed} {case.name} {number}")
        first, second = rng.sample(self.sample, 2)
        directory = self.pelsim.path(f"{case.name}_cut_{number}")
        self.run(case, first, directory, options=("--steps", str(step)))
        if rng.random() < .25:
            options = ("--resume=" + os.path.join(directory, "checkpoints",
                                                  f"step_{step:09d}.h5"),)
            r = self.run(case, second, directory + "_new", options=options)
            wrong = [] if r.fingerprint == base.fingerprint else \
                [f"fingerprint: got {r.fingerprint}, want {base.fingerprint}"]
        else:
            options = ("--resume",)
            r = self.run(case, second, directory, options=options, fresh=False)
            wrong = self.compare("resumed", base, r, step)  # check_table looks at that row
        stored = self.pelsim.tool("fingerprint", r.directory).stdout.strip()
        if stored != base.fingerprint:
            wrong.append(f"pelsim fingerprint {r.directory}: got {stored}, want {base.fingerprint}")
        if wrong:
            self.fail(case, [f"[{first}] interrupted at step {step}, resumed on [{second}] with "
                             f"{options[0].split('=')[0]}"] + wrong,
                      self.explain_restart(case, first, second, step))
        for d in (directory, directory + "_new"):
            shutil.rmtree(d, ignore_errors=True)

    def check_table(self, case):
        """An interruption between two rows of diagnostics.csv must leave no trace in it."""
        try:
            one, many = layouts.BASELINE, layouts.Layout(2, 1, "many")
            directory = self.pelsim.path(case.name + "_table")
            base = self.run(case, one, directory)
            self.run(case, many, directory + "_cut", options=("--steps", "4"))
            r = self.run(case, one, directory + "_cut", fresh=False, options=("--resume",))
            wrong = differing_rows(base, r, None)
            if wrong:
                self.fail(case, ["table: rows at multiples of "
                                 f"{case.keys['diagnostics.every']} steps; interrupted at step 4 "
                                 "with --steps and resumed"] + wrong, "")
        except Failure as failure:
            self.fail(case, [str(failure)], "")

    def explain_restart(self, case, first, second, step):
        """The same again with a checkpoint of each step, against a run without interruption."""
        keep = {"checkpoint.every": 1, "checkpoint.keep": 1000000}
        whole = self.run(case, layouts.BASELINE, self.pelsim.path(case.name + "_whole"), keep)
        parts = self.pelsim.path(case.name + "_parts")
        self.run(case, first, parts, keep, options=("--steps", str(step)))
        self.run(case, second, parts, keep, options=("--resume",), fresh=False)
        return self.trace(whole.path("checkpoints"), os.path.join(parts, "checkpoints"))

    def whole(self, case, number):
        """Everything for one case; a Failure ends the case, not the suite."""
        started, restarts = time.monotonic(), 0
        try:
            self.look(case)
            base = self.run(case, layouts.BASELINE, self.pelsim.path(case.name))
            steps = int(base.last()["step"])
            chosen = self.check_layouts(case, number, base)
            rng = random.Random(f"{self.options.seed} {case.name}")
            for restarts in range(1, 1 + (6 if self.options.full else 1)):
                self.check_restart(case, restarts, base, rng.randrange(1, steps))
            print(f"{case.name:<28} {base.fingerprint}  {len(chosen) + 1} layouts, {steps} steps, "
                  f"{restarts} restart{'s' * (restarts > 1)}, "
                  f"{time.monotonic() - started:.1f} s", flush=True)
        except Failure as failure:
            self.fail(case, [str(failure)], "")

    def check_signal(self, case, number, sign, first, second):
        """A signal to a job that is under way; it must leave a good checkpoint and exit with 75."""
        rng = random.Random(f"{self.options.seed} {case.name} {sign}")
        rows = rng.randrange(3, 60)
        directory = self.pelsim.path(f"{case.name}_{sign.name}_{number}")
        more = {"time.steps": 10 ** 6, "time.end": "none", "diagnostics.every": 1,
                "output.every": 40, "checkpoint.keep": 3}
        further = 7
        if sign == signal.SIGKILL:  # leaves rows and records beyond the checkpoint, to be cut off
            more |= {"checkpoint.every": 100, "output.every": 7}
            rows, further = rows + 100, 2
        if case.particles:
            first, more = first.of_particles(case.particles), more | {"output.every": "none"}
        try:
            step = self.interrupt(case, first, directory, more, sign, rows)
            r = self.run(case, second, directory, more, fresh=False,
                         options=("--resume", "--steps", str(further)))
            base = self.run(case, layouts.BASELINE, directory + "_whole", more,
                            options=("--steps", str(step + further)))
            wrong = self.compare("resumed", base, r)
            if wrong:
                self.fail(case, [f"[{first}] interrupted by {sign.name} at step {step}, resumed on "
                                 f"[{second}]"] + wrong, "")
            else:
                print(f"{case.name:<28} {r.fingerprint}  {sign.name} at step {step} on [{first}], "
                      f"resumed on [{second}]", flush=True)
        except Failure as failure:
            self.fail(case, [f"{sign.name} on [{first}]", str(failure)], "")

    def interrupt(self, case, layout, directory, more, sign, rows):
        """Sends the signal once diagnostics.csv has that many rows; the step of the newest
        checkpoint."""
        shutil.rmtree(directory, ignore_errors=True)
        self.runs += 1
        job = self.pelsim.start(self.config(case), directory, ranks=layout.ranks,
                                threads=layout.threads, keys=self.keys(case, layout) | more)
        table, limit = os.path.join(directory, "diagnostics.csv"), time.monotonic() + 120 * pelsim_test.PATIENCE
        while count_lines(table) <= rows and time.monotonic() < limit and \
                job.process.poll() is None:
            time.sleep(.005)
        if sign == signal.SIGKILL:  # one rank dies at once; pelsim ends the others
            os.kill(ranks_of(job.process.pid, self.pelsim.binary)[-1], sign)
        else:
            job.process.send_signal(sign)
        r = job.wait(120)
        want = pelsim_test.INTERNAL if sign == signal.SIGKILL else STOPPED
        if r.code != want:
            raise Failure(f"{r.command}\n  exit code after {sign.name}: got {r.code}, want {want}\n"
                          f"{pelsim_test.tail(r.out)}{pelsim_test.tail(r.err)}")
        found = sorted(n for n in os.listdir(os.path.join(directory, "checkpoints"))
                       if n.endswith(".h5"))
        if not found:
            raise Failure(f"{r.command}\n  no checkpoint after {sign.name}")
        return int(found[-1][5:14])


def count_lines(path):
    try:
        with open(path, "rb") as f:
            return f.read().count(b"\n")
    except FileNotFoundError:
        return 0


def ranks_of(launcher, binary):
    """Process ids of the ranks that `launcher` started through mpirun."""
    parent = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
                parent[int(pid)] = int(f.read().rpartition(")")[2].split()[1])
        except OSError:
            pass  # it has just ended
    found = []
    for pid in parent:
        above = pid
        while above in parent and above != launcher:
            above = parent[above]
        try:
            if above == launcher != pid and os.path.samefile(f"/proc/{pid}/exe", binary):
                found.append(pid)
        except OSError:
            pass
    if not found:
        raise Failure(f"process {launcher} has no ranks")
    return found


def differing_rows(a, b, extra_row):
    """Of diagnostics.csv, byte for byte."""
    with open(a.path("diagnostics.csv"), "rb") as f, open(b.path("diagnostics.csv"), "rb") as g:
        left, right = f.read().splitlines(), g.read().splitlines()
    extra = f"{extra_row},".encode()
    if not any(line.startswith(extra) for line in left):
        right = [line for line in right if not line.startswith(extra)]
    if left == right:
        return []
    for x, y in zip(left, right):
        if x != y:
            return [f"diagnostics.csv: got {y.decode()!r}, want {x.decode()!r}"]
    return [f"diagnostics.csv: got {len(right)} lines, want {len(left)}"]


def differing_fields(a, b):
    """Of fields.nc: every variable, bit for bit."""
    if not os.path.exists(a.path("fields.nc")):
        return [] if not os.path.exists(b.path("fields.nc")) else ["fields.nc: got one, want none"]
    with a.fields() as f, b.fields() as g:
        if sorted(f) != sorted(g):
            return [f"fields.nc: got variables {sorted(g)}, want {sorted(f)}"]
        for name in sorted(f, key=lambda n: (n == "fingerprint", n)):
            x, y = f[name], g[name]
            if x.shape != y.shape or x.dtype != y.dtype:
                return [f"fields.nc: {name}: got {y.dtype} {y.shape}, want {x.dtype} {x.shape}"]
            if x[()].tobytes() != y[()].tobytes():
                at = next(i for i, (p, q) in enumerate(zip(x[()].flat, y[()].flat))
                          if p.tobytes() != q.tobytes())
                return [f"fields.nc: {name}: element {at} of {x.shape}: got {y[()].flat[at]!r}, "
                        f"want {x[()].flat[at]!r}"]
    return []


def signals(suite, chosen):
    """One case of each model; few layouts, for each needs a job that runs for a while."""
    L = layouts.Layout
    plan = [(signal.SIGINT, L(1, 2), L(3, 1, "many", "7x3x2")),
            (signal.SIGUSR1, L(4, 1, "first axis"), L(2, 2, "many", "24x5x4", False, True)),
            (signal.SIGTERM, L(3, 2, "many", "7x3x2", False, True), L(1, 3)),
            (signal.SIGKILL, L(2, 1, "mixed"), L(6, 1, "one", "7x3x2"))]
    if not suite.options.full:
        chosen = chosen[:2]
    for i, case in enumerate(chosen):
        for j, (sign, first, second) in enumerate(plan):
            if suite.options.full or j % len(chosen) == i:
                suite.check_signal(case, j, sign, first, second)


def body(pelsim, options):
    suite = Suite(pelsim, options)
    if options.config and not os.path.isfile(options.config):
        raise Failure(f"--config {options.config}: no such file")
    chosen = cases.from_file(options.config, options.plugin) if options.config \
        else cases.registered(pelsim)
    chosen = [c for c in chosen if not options.case or options.case in c.name]
    if not chosen:
        raise Failure(f"no case has '{options.case}' in its name")
    each = len(suite.sample) if options.full else options.each
    print(f"seed {options.seed}; {len(chosen)} cases, {each} of {len(suite.sample)} layouts each",
          flush=True)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(suite.whole, chosen, range(len(chosen))))
    interrupted = {}  # one good case of each model
    for case in chosen:
        model = case.keys.get("run.model")
        if case.name not in suite.failures and "time.steps" in case.keys and \
                cases.INTERRUPTED.get(model, case.name) == case.name:
            interrupted.setdefault(model, case)
    if interrupted:
        suite.check_table(next(iter(interrupted.values())))
        signals(suite, list(interrupted.values()))
    print(f"{suite.runs} runs, {suite.moves} moves of blocks, {len(suite.failures)} failures", flush=True)
    if not suite.moves and len(chosen) > 10:  # few may have none with blocks to move
        raise Failure("no block has changed hands in all of these runs")
    return 1 if suite.failures else 0


def main():
    parser = pelsim_test.arguments(__doc__)
    parser.add_argument("--config", metavar="FILE", help="only this configuration, shortened")
    parser.add_argument("--plugin", metavar="FILE", help="[run] plugin for --config")
    parser.add_argument("--case", metavar="TEXT", help="only cases with TEXT in their name")
    parser.add_argument("--each", type=int, default=2, help="layouts of the sample for each case")
    parser.add_argument("--seed", type=int, default=20260101, help="of layouts and steps at which "
                        "runs are interrupted")
    parser.add_argument("--jobs", type=int, default=2, help="cases at a time")
    options = parser.parse_args()
    pelsim_test.conclude(options, lambda pelsim: body(pelsim, options), timeout=180)


if __name__ == "__main__":
    main()
