"""A pelsim that runs in the background, and all the processes that came from it."""
import glob
import os
import pty
import signal
import subprocess
import time
import uuid

from clitest import ENVIRONMENT, PELSIM


class Run:
    """`pelsim run CONFIG` in a directory of its own."""
    count = 0

    def __init__(self, config, *options, terminal=False):
        Run.count += 1
        words = [*map(str, options)]
        if '--dir' in words:
            self.dir = words[words.index('--dir') + 1]
        else:
            self.dir = f'run{Run.count}'
            words += ['--dir', self.dir]
        if '-t' not in words:
            words += ['-t', '1']
        self.mark = uuid.uuid4().hex
        arguments = [PELSIM, 'run', config, *words]
        env = {**ENVIRONMENT, 'PELSIM_TEST_MARK': self.mark, 'TERM': 'xterm'}
        self.out = f'run{Run.count}.log'
        self.log = open(self.out, 'w+', encoding='utf-8')
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
        with open(self.out, encoding='utf-8') as f:
            return f.read()

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

    def starters(self):
        """Of mpirun: one process, or none yet."""
        return [p for p, c in self.relatives().items() if 'mpi' in os.path.basename(c.split()[0])]

    def mpirun(self):
        return self.starters()[0]

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
