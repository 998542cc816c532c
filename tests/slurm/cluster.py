"""A private Slurm on this machine: munged, slurmctld and a slurmd for each of its pretended hosts.

Everything that it starts, and whatever that starts, has a mark in its environment or a file of the
cluster open, and a guardian, which outlives a test that is killed, ends all of them.
"""
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

NEEDED = ('munged', 'slurmctld', 'slurmd', 'sbatch', 'srun', 'scontrol', 'scancel', 'squeue')
MARK = 'PELSIM_TEST_CLUSTER'

CONF = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={top}/munge/socket,cred_expire=5
CredType=cred/munge
SlurmctldPort={ports[0]}
SlurmctldPidFile={top}/slurmctld.pid
SlurmdPidFile={top}/slurmd-%n.pid
StateSaveLocation={top}/state
SlurmdSpoolDir={top}/spool-%n
TmpFS={top}/spool-%n
SlurmctldLogFile={top}/slurmctld.log
SlurmdLogFile={top}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/builtin
SchedulerParameters=sched_interval=1,batch_sched_delay=0
SlurmdParameters=config_overrides
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
MpiDefault=none
ReturnToService=2
MailProg=/bin/true
KillWait=5
UnkillableStepTimeout=15
MessageTimeout=10
SlurmdTimeout=20
"""


def missing():
    """Why there can be no cluster here; '': there can."""
    names = [n for n in NEEDED if not shutil.which(n, path=os.environ['PATH'] + ':/usr/sbin:/sbin')]
    if names:
        return f"no {', '.join(names)}: install slurm-wlm and munge"
    return '' if os.geteuid() == 0 else 'only root can start slurmd'


def bearers(mark):
    """Process ids of all whose environment has the entry."""
    found = []
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open(f'/proc/{pid}/environ', 'rb') as f:
                if mark.encode() in f.read().split(b'\0'):
                    found.append(int(pid))
        except OSError:
            pass
    return found


def holders(path):
    """Of all that have a file open whose path begins so: slurmstepd shows no environment."""
    found = []
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            files = [os.readlink(f'/proc/{pid}/fd/{n}') for n in os.listdir(f'/proc/{pid}/fd')]
        except OSError:
            continue
        if any(f.startswith(path) for f in files):
            found.append(int(pid))
    return found


def members(top):
    return (set(bearers(f'{MARK}={top}')) | set(holders(top + '/'))) - {os.getpid()}


def kill_all(top):
    for _ in range(100):
        pids = members(top)
        if not pids:
            return
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.1)


class Cluster:
    """partitions: {name: hosts}.  folder is removed in the end, the cluster's files in it first."""

    def __init__(self, folder, partitions, cpus=8):
        self.folder, self.top = folder, f'{folder}/cluster'
        top = self.top
        self.daemons, self.partitions = {}, partitions
        self.nodes = [n for p in partitions.values() for n in p]
        self.environment = {**os.environ, MARK: top, 'SLURM_CONF': f'{top}/slurm.conf',
                            'PATH': os.environ['PATH'] + ':/usr/sbin:/sbin'}
        self.guard()
        for folder in ('munge', 'state', *(f'spool-{n}' for n in self.nodes)):
            os.makedirs(f'{top}/{folder}')
        os.chmod(f'{top}/munge', 0o755)
        with open(f'{top}/munge/key', 'wb', opener=lambda p, f: os.open(p, f, 0o400)) as f:
            f.write(os.urandom(1024))
        self.configure(cpus)

    def guard(self):
        """Forks who waits for this process to end, however it does."""
        read, self.leash = os.pipe()
        if os.fork() == 0:
            os.setsid()
            if os.fork():
                os._exit(0)
            os.close(self.leash)
            null = os.open('/dev/null', os.O_RDWR)
            for stream in range(3):
                os.dup2(null, stream)
            os.read(read, 1)
            kill_all(self.top)
            shutil.rmtree(self.folder, ignore_errors=True)
            os._exit(0)
        os.wait()
        os.close(read)

    def configure(self, cpus):
        sockets = [socket.socket() for _ in range(1 + len(self.nodes))]
        for s in sockets:
            s.bind(('127.0.0.1', 0))
        ports = [s.getsockname()[1] for s in sockets]
        host = socket.gethostname().split('.')[0]
        with open(f'{self.top}/slurm.conf', 'w', encoding='ascii') as f:
            f.write(CONF.format(top=self.top, host=host, ports=ports))
            for node, port in zip(self.nodes, ports[1:]):
                f.write(f'NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} '
                        f'CPUs={cpus} RealMemory=4000\n')
            for name, nodes in self.partitions.items():
                f.write(f"PartitionName={name} Nodes={','.join(nodes)} MaxTime=60 State=UP "
                        f"Default={'YES' if name == 'main' else 'NO'}\n")
        for s in sockets:
            s.close()

    def spawn(self, name, *command):
        log = open(f'{self.top}/{name}.out', 'ab')
        self.daemons[name] = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            env=self.environment)

    def start_node(self, node):
        self.spawn(f'slurmd-{node}', 'slurmd', '-D', '-N', node)

    def start(self):
        m = f'{self.top}/munge'
        self.spawn('munged', 'munged', '--foreground', '--force', f'--key-file={m}/key',
                   f'--socket={m}/socket', f'--pid-file={m}/pid', f'--log-file={m}/log',
                   f'--seed-file={m}/seed')
        self.until('munge is there', lambda: os.path.exists(f'{m}/socket'))
        self.spawn('slurmctld', 'slurmctld', '-D')
        for node in self.nodes:
            self.start_node(node)
        self.until('the nodes are idle', lambda: self.count('idle') == len(self.nodes))

    def count(self, state):
        code, out, _ = self.run('sinfo', '-h', '-N', '-o', '%N %t')
        lines = set(out.split('\n')) if code == 0 else ()
        return sum(line.split()[1:] == [state] for line in lines)

    def run(self, *command, env=None, cwd=None):
        p = subprocess.run([str(c) for c in command], stdin=subprocess.DEVNULL, capture_output=True,
                           text=True, timeout=60, cwd=cwd, env={**self.environment, **(env or {})})
        return p.returncode, p.stdout, p.stderr

    def until(self, what, condition, timeout=60):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if condition():
                return True
            time.sleep(0.2)
        print(f'waited {timeout} s in vain until {what}', flush=True)
        return False

    def fields(self, job):
        """What Slurm says of a job."""
        text = self.run('scontrol', 'show', 'job', '-o', job)[1]
        return dict(w.split('=', 1) for w in text.split() if '=' in w)

    def ended(self, job, timeout=200):
        """Waits for the end of a job that may be queued again; its fields."""
        final = ('COMPLETED', 'FAILED', 'CANCELLED', 'TIMEOUT', 'NODE_FAIL')
        seen = [0]

        def is_over():
            state = self.fields(job).get('JobState', '')
            seen[0] = seen[0] + 1 if state in final else 0
            return seen[0] > 5
        self.until(f'job {job} has ended', is_over, timeout)
        return self.fields(job)

    def kill_node(self, node):
        """As if the host had lost its power."""
        at_node = set(holders(f'{self.top}/slurmd-{node}.log'))
        at_node |= set(bearers(f'SLURMD_NODENAME={node}'))
        for pid in at_node & members(self.top):
            os.kill(pid, signal.SIGKILL)
        self.daemons.pop(f'slurmd-{node}').wait()

    @staticmethod
    def environ_of(pid):
        try:
            with open(f'/proc/{pid}/environ', 'rb') as f:
                return f.read()
        except OSError:
            return b''

    def stop(self):
        kill_all(self.top)
        for daemon in self.daemons.values():
            daemon.wait()
        left = sorted(members(self.top))
        os.close(self.leash)  # the guardian removes the folder
        return left

    def logs(self, lines=25):
        for name in sorted(os.listdir(self.top)):
            if name.endswith(('.log', '.out')):
                with open(f'{self.top}/{name}', encoding='utf-8', errors='replace') as f:
                    text = f.read().splitlines()
                print(f'---- {name}', *text[-lines:], sep='\n', flush=True)


def skip(why):
    print(f'skipped: {why}')
    sys.exit(77)
