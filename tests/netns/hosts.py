"""Hosts made of namespaces: own network, name, processes, shared memory; one file system.

Nothing of it has a name outside: when its processes are killed, by close() or with this one, the
kernel removes it all."""
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
REMOTE = os.path.join(HERE, 'remote.py')
UNSHARE = ['unshare', '--net', '--uts', '--ipc', '--mount', '--pid', '--fork', '--kill-child',
           '--mount-proc']


def missing():
    """Why there can be no hosts here, or None."""
    if os.geteuid():
        return 'only root may make network namespaces'
    try:
        p = subprocess.run([*UNSHARE, 'sh', '-c', 'ip link add name b type bridge && ip link add name v type veth'
                            ' peer name w'], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired) as e:
        return str(e)
    return p.stderr.strip() or None if p.returncode else None


def first_process(unshare):
    """The process id, seen from outside, of the first process within."""
    path = f'/proc/{unshare.pid}/task/{unshare.pid}/children'
    for _ in range(500):
        with open(path, encoding='ascii') as f:
            children = f.read().split()
        if children:
            return int(children[0])
        time.sleep(0.01)
    raise RuntimeError('a namespace does not start')


class Hosts:
    def __init__(self, number, folder):
        self.folder = folder
        self.names = [f'pel{i + 1}' for i in range(number)]
        self.process, self.first = {}, {}
        self.table = os.path.join(folder, 'hosts')
        with open(self.table, 'w', encoding='ascii') as f:
            f.write('127.0.0.1 localhost\n')
            f.writelines(f'{self.address(n)} {n}\n' for n in self.names)
        self.switch = subprocess.Popen([*UNSHARE, 'sleep', 'infinity'])
        self.within_switch('ip link add bridge type bridge', 'ip link set bridge up')
        for name in self.names:
            self.start(name)

    def address(self, name):
        return f'10.77.0.{10 + self.names.index(name)}'

    def within_switch(self, *commands):
        subprocess.run(['nsenter', f'--target={first_process(self.switch)}', '--net', 'sh', '-ec',
                        '\n'.join(commands)], check=True)

    def enter(self, name):
        """What goes before a command that is to run there."""
        return ['nsenter', f'--target={self.first[name]}', '--net', '--uts', '--ipc', '--mount',
                '--pid', '--']

    def start(self, name):
        scratch = os.path.join(self.folder, f'tmp_{name}')
        self.process[name] = subprocess.Popen(
            [*UNSHARE, sys.executable, REMOTE, 'serve', name, self.table, scratch])
        pid = self.first[name] = first_process(self.process[name])
        self.within_switch(f'ip link add {name} type veth peer name eth0 netns {pid}',
                           f'ip link set {name} master bridge up')
        subprocess.run([*self.enter(name), 'sh', '-ec', f'ip addr add {self.address(name)}/24 dev eth0;'
                        'ip link set eth0 up'], check=True)
        for _ in range(500):  # until somebody listens
            p = subprocess.run([*self.enter(name), sys.executable, REMOTE, 'localhost', 'true'],
                               capture_output=True)
            if p.returncode == 0:
                return
            time.sleep(0.02)
        raise RuntimeError(f'host {name} does not start')

    def cut(self, name):
        self.within_switch(f'ip link set {name} down')

    def heal(self, name):
        self.within_switch(f'ip link set {name} up')

    def kill(self, name):
        """Power loss: nothing says goodbye."""
        self.cut(name)
        self.process[name].kill()
        self.process[name].wait()

    def processes(self, name, word):
        """Process ids, from outside, of those on the host whose command line has the word."""
        found = []
        try:
            space = os.readlink(f'/proc/{self.first[name]}/ns/pid')
        except OSError:
            return found
        for pid in filter(str.isdigit, os.listdir('/proc')):
            try:
                with open(f'/proc/{pid}/cmdline', encoding='utf-8', errors='replace') as f:
                    words = f.read().split('\0')
                if os.readlink(f'/proc/{pid}/ns/pid') == space and \
                        any(os.path.basename(w) == word for w in words[:3]):
                    found.append(int(pid))
            except OSError:
                pass
        return found

    def close(self):
        for p in [*self.process.values(), self.switch]:
            p.kill()
            p.wait()
