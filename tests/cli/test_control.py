"""What ends or directs a run from outside: files in its directory, the limits of batch systems, the
interval of checkpoints that follows from their cost."""
import os
import subprocess
import time

from clitest import PELSIM, SOURCE, check, finish, has, pelsim, workdir

CONFIG = os.path.join(SOURCE, 'configs/lj_melt.ini')
SMALL = [w for k in ('start.nx=6', 'start.ny=6', 'start.nz=6', 'time.steps=1000000',
                     'checkpoint.wall_interval=1e9') for w in ('-s', k)]
folder = workdir()


class Job:
    """A run in the background."""

    def __init__(self, directory, *words, **environment):
        self.dir = directory
        self.process = subprocess.Popen(
            [PELSIM, 'run', CONFIG, '--dir', directory, *SMALL, *map(str, words)], text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=os.environ | environment)

    def wait_for(self, what, seconds=60):
        end = time.monotonic() + seconds
        while not what() and time.monotonic() < end and self.process.poll() is None:
            time.sleep(.02)
        check(f'{self.dir}: waited for', bool(what()), True)

    def started(self):
        self.wait_for(lambda: os.path.exists(f'{self.dir}/diagnostics.csv') and
                      os.path.getsize(f'{self.dir}/diagnostics.csv') > 2000)
        return self

    def ask(self, name):
        path = f'{self.dir}/{name}'
        with open(path, 'w', encoding='utf-8'):
            pass
        self.wait_for(lambda: not os.path.exists(path))

    def ended(self):
        out, err = self.process.communicate(timeout=120)
        return self.process.returncode, out + err


def checkpoints(directory):
    return sorted(os.listdir(f'{directory}/checkpoints'))


# ---- files

for ranks in 1, 3:
    name = f'asked on {ranks}'
    os.makedirs(name, exist_ok=True)
    job = Job(name, '-n', ranks, '-t', 1, '-s', 'output.every=1000000').started()
    job.ask('CHECKPOINT')
    first = checkpoints(name)  # the file goes when that is done, not before
    job.ask('OUTPUT')
    job.ask('STOP')
    code, said = job.ended()
    check(f'{name}: exit code', code, 75)
    check(name, said, has('CHECKPOINT: done as asked at step ', 'OUTPUT: done as asked at step ',
                          'STOP: done as asked at step ', 'stopped at step ', 'on request',
                          'continue with: '))
    check(f'{name}: checkpoints', (len(first), len(checkpoints(name))), (1, 2))
    code, out, _ = pelsim('info', f'{name}/trajectory.h5md')
    check(f'{name}: frames', out, has('2'))  # that of step 0 and the one asked for
    check(f'{name}: frames verified', pelsim('verify', f'{name}/trajectory.h5md')[1],
          has('good, 2 frames'))
    last = int(checkpoints(name)[-1][5:14])
    code, out, _ = pelsim('run', CONFIG, '--dir', name, *SMALL, '-s', 'output.every=1000000',
                          '--resume', '--steps', 5, '-t', 1)
    whole = pelsim('run', CONFIG, '--dir', f'{name} whole', *SMALL, '--steps', last + 5, '-t', 2)
    check(f'{name}: resumed', out.splitlines()[-1], whole[1].splitlines()[-1])

job = Job('no output', '-t', 1).started()
job.ask('OUTPUT')
job.ask('STOP')
check('no output', job.ended()[1], has('there is no output: neither [output] every nor interval'))
with open('no output/STOP', 'w', encoding='utf-8'):
    pass
code, out, err = pelsim('run', CONFIG, '--dir', 'no output', *SMALL, '--resume', '--steps', 3, '-t', 1)
check('a file from before', (code, out), lambda x: x[0] == 0 and
      'STOP was there before this run: removed' in x[1])

# ---- limits of batch systems: Slurm's variable, Slurm's command, PBS's command

os.mkdir('bin')
PATH = os.getcwd() + '/bin:' + os.environ['PATH']


def command(name, text):
    with open(f'bin/{name}', 'w', encoding='utf-8') as f:
        f.write(f'#!/bin/sh\ncat <<.\n{text}\n.\n')
    os.chmod(f'bin/{name}', 0o755)


# mpirun called by its whole path puts its folder, with a real squeue perhaps, before bin.
MPIRUN = {'PELSIM_MPIRUN': 'mpirun'}
soon = time.time() + 8
command('squeue', time.strftime('%Y-%m-%dT%H:%M:%S', time.localtime(soon)))
command('qstat', 'Job Id: 7.host\n    resources_used.walltime = 01:59:53\n'
                 '    Resource_List.walltime = 02:00:00')
for name, words, variables in (
        ('own limit', ['-s', 'run.walltime=3'], {}),
        ('longer than the job', ['-s', 'run.walltime=1000'], {'SLURM_JOB_END_TIME': str(int(soon))}),
        ('slurm', [], {'SLURM_JOB_END_TIME': str(int(soon))}),
        ('squeue', [], {'SLURM_JOB_ID': '12'}),
        ('qstat', [], {'PBS_JOBID': '7.host'})):
    begun = time.monotonic()
    if name == 'slurm':
        variables['SLURM_JOB_END_TIME'] = str(int(time.time() + 5))
    if name == 'squeue':
        command('squeue', time.strftime('%Y-%m-%dT%H:%M:%S', time.localtime(time.time() + 5)))
    code, said = Job(name, '-n', 2, '-t', 1, *words, PATH=PATH, **MPIRUN, **variables).ended()
    check(f'{name}: exit code', code, 75)
    check(name, said, has('before the wall-clock limit', 'continue with: '))
    check(f'{name}: told', 'the batch system ends this job in ' in said, name != 'own limit')
    check(f'{name}: seconds', time.monotonic() - begun, lambda t: t < 12)
    check(f'{name}: a checkpoint', len(checkpoints(name)), 1)
code, said = Job('nonsense', '-t', 1, '--steps', 3, PATH=PATH, SLURM_JOB_ID='1; touch gotcha').ended()
check('a name of a job that is none', (code, os.path.exists('gotcha')), (0, False))

# ---- the interval that loses the least: with checkpoints of some ms and a failure each second

job = Job('often', '-t', 1, '-s', 'checkpoint.wall_interval=auto', '-s', 'checkpoint.mtbf=1').started()
job.wait_for(lambda: os.path.isdir('often/checkpoints') and checkpoints('often'))
first = checkpoints('often')
job.wait_for(lambda: checkpoints('often')[-1] > first[-1])
job.ask('STOP')
check('often: exit code', job.ended()[0], 75)

finish(folder)
