"""pelsim submit without a batch system: wrong input, the memory it asks for, the scripts, and PBS
played by small scripts.  tests/slurm has a real Slurm."""
import json
import os
import re
import socket
import subprocess

from clitest import ENVIRONMENT, PELSIM, SOURCE, check, finish, has, pelsim, workdir

folder = workdir()
CONFIGS = os.path.join(SOURCE, 'configs')
with open('ring.ini', 'w', encoding='utf-8') as f:
    f.write('[run]\nmodel = heat\n[grid]\nnx = 4000\n[time]\nsteps = 300\n')
os.mkdir('bin')
# mpirun called by its whole path would put its folder before bin.
PATH = {'PATH': f'{os.getcwd()}/bin:/usr/bin:/bin', 'PELSIM_MPIRUN': 'mpirun'}


def tool(name, text):
    with open(f'bin/{name}', 'w', encoding='utf-8') as f:
        f.write(f'#!/bin/sh\n{text}\n')
    os.chmod(f'bin/{name}', 0o755)


def script(*options, config='ring.ini', scheduler='slurm'):
    """What --dry-run prints, after bash has read it."""
    code, out, err = pelsim('submit', config, '--time', '1:30:00', '--dry-run', '--scheduler',
                            scheduler, *options)
    check(f'{options}', (code, err), (0, ''))
    p = subprocess.run(['bash', '-n'], input=out, capture_output=True, text=True, check=False)
    check(f'{options}: bash -n', (p.returncode, p.stderr), (0, ''))
    return out


# ---- what is wrong, and the one sentence for it: nothing is written

GOOD = ('--nodes=2', '--time=1:00:00')
WRONG = [
    (('--time=1:00:00',), 'submit: --nodes is missing: --nodes=N'),
    (('--nodes=2',), 'submit: --time is missing: --time=HH:MM:SS'),
    (('--nodes=0', '--time=1:00:00'),
     "submit: --nodes is '0', but must be a whole number from 1 to 1000000"),
    *((('--nodes=2', f'--time={t}'),
       f"submit: --time is '{t}', but must be hours:minutes:seconds, as in 12:00:00")
      for t in ('10', '1:00', '1:60:00', '1:00:61', '-1:00:00', '1:00:00x', 'a:b:c', '1:00:00:00')),
    (('--nodes=2', '--time=0:00:59'), "submit: --time is '0:00:59', but must be a minute or more"),
    ((*GOOD, '--memory=3Q'), "submit: --memory is '3Q', but must be a number of bytes, with k, M, G "
     'or T for more, from 1M'),
    ((*GOOD, '--option=x'), "submit: --option is 'x', but must be an option of the scheduler, as in "
     '--option=--partition=long'),
    ((*GOOD, '--parallel=2'), 'submit: --parallel is for members of a --sweep; there is none'),
    ((*GOOD, '--scheduler=lsf'), "submit: --scheduler is 'lsf', but must be slurm or pbs"),
    (GOOD, 'submit: neither sbatch (Slurm) nor qsub (PBS) is in PATH; submit on a machine that has '
     'one, or see the script with --dry-run'),
    ((*GOOD, '--scheduler=pbs'), 'submit: qsub is not in PATH; submit on a machine that has it, or '
     'see the script with --dry-run'),
    ((*GOOD, '-n1', '--dry-run'),
     'submit: 1 rank cannot use 2 nodes; ask for fewer nodes or more ranks (-n)'),
    *(((*GOOD, '--dry-run', f'--sweep={s}'), f"submit: --sweep is '{s}', but must be "
       'SECTION.KEY=V1,V2,... without empty values')
      for s in ('heat.kappa', 'kappa=1', 'heat.kappa=', 'heat.kappa=1,,2', 'heat.kappa=1,', '.a=1')),
    ((*GOOD, '--dry-run', '--sweep=grid.nx=' + ','.join(map(str, range(1, 101))),
      '--sweep=grid.ny=' + ','.join(map(str, range(1, 101)))),
     'submit: the sweep has more than 1000 members; divide it into several'),
    ((*GOOD, '-n', '9999', '--dry-run'), None),
    ((*GOOD, '--dry-run', '-s', 'heat.kapa=1'), None),
    ((*GOOD, '--dry-run', '--sweep=heat.kappa=1,-1'), None),
    ((*GOOD, '--dry-run', '--dir=a\\b'), f"submit: the run directory 'a\\b' has a backslash or an end "
     'of line in its path, which a job script cannot name'),
]
for options, sentence in WRONG:
    code, out, err = pelsim('submit', 'ring.ini', *options, env={'PATH': '/nowhere'})
    if sentence:
        check(f'submit {options}', (code, out, err), (2, '', f'pelsim: {sentence}\n'))
    else:
        check(f'submit {options}', (code, out, err.count('\n')), (2, '', 1))
check('a wrong key is the same sentence as in check',
      pelsim('submit', 'ring.ini', *GOOD, '--dry-run', '-s', 'heat.kapa=1')[::2],
      pelsim('check', 'ring.ini', '-s', 'heat.kapa=1')[::2])
check('too many ranks', pelsim('submit', 'ring.ini', *GOOD, '--dry-run', '-n', '9999')[2],
      has('9999 ranks', 'at most 4000 ranks'))
check('a wrong value of a sweep', pelsim('submit', 'ring.ini', *GOOD, '--dry-run', '--sweep=heat.kappa='
                                         '1,-1')[2], has('-s heat.kappa=-1', '[heat] kappa'))
check('too many ranks for particles', pelsim('submit', f'{CONFIGS}/lj_melt.ini', '--nodes=9000',
                                             '--time=1:00:00', '--dry-run')[2],
      has('9000 ranks cannot share the box'))
check('a missing file', pelsim('submit', 'none.ini', *GOOD, '--dry-run')[0], 4)
check('what is there', sorted(os.listdir('.')), ['bin', 'ring.ini'])

# ---- memory: as check says for fields, not less than it says for particles

for name, ranks in (('quickstart', 1), ('quickstart', 3), ('lj_melt', 1), ('lj_melt', 2), ('eam_cu', 2)):
    path = f'{CONFIGS}/{name}.ini'
    text = script('--nodes=1', '-n', ranks, config=path)
    state = float(re.search(r'(\d+) bytes a rank', text)[1])
    checked = json.loads(pelsim('check', path, '-n', ranks, '--json')[1])['memory_a_rank']
    check(f'{name} on {ranks} ranks: state', state / checked,
          lambda r: r == 1 if name == 'quickstart' else 1 <= r < 4)
    asked = int(re.search(r'--mem=(\d+)M', text)[1])
    check(f'{name} on {ranks} ranks: asked for', asked * 2**20 / (ranks * (1.5 * state + 200 * 2**20)),
          lambda r: 1 <= r < 1.02)
check('--memory', script('--nodes=2', '--memory=3G'), has('--mem=3072M', '# Memory: as asked for.'))
# 8 GB of fields on 1000 ranks: nobody allocates them here
check('a large grid', script('--nodes=1000', '-s', 'grid.nx=1000', '-s', 'grid.ny=1000', '-s',
                             'grid.nz=1000'), has('#SBATCH --nodes=1000'))

# ---- what the scripts say

text = script('--nodes=3', '-n', '7', '-t', '4', '--option=--partition=long', '--option', '--qos=low',
              '--sweep=heat.kappa=1,2', '--sweep=grid.nx=64,128', '--parallel=3')
check('slurm', text, has(
    '#SBATCH --nodes=3\n', '--ntasks=7\n', '--ntasks-per-node=3\n', '--cpus-per-task=4\n',
    '--time=01:30:00\n', '--signal=B:USR1@300\n', '--requeue\n', '--open-mode=append\n',
    f'--output="{os.getcwd()}/out/ring/job-%A_%a.out"\n', '--array=0-3%3\n',
    '#SBATCH --partition=long\n#SBATCH --qos=low\n',
    "2) dir=$dir/002_heat.kappa=2_grid.nx=64 set+=(-s heat.kappa=2 -s grid.nx=64) ;;"))
text = script('--nodes=3', '-n', '7', '-t', '4', '--option=-q long', scheduler='pbs')
check('pbs', text, has('#PBS -N ring\n', '#PBS -l select=3:ncpus=12:mpiprocs=3:ompthreads=4:mem=',
                       '#PBS -l walltime=01:30:00\n', '#PBS -j oe\n', '#PBS -r y\n', '#PBS -q long\n'))

for words, what in ((('--sweep=time.steps=1,2', '--sweep=time.steps=3,4'), 'the key is given twice'),
                    (('--sweep=time.steps=5,6,5',), 'a value is given twice'),
                    (('--sweep=output.dir=a,b',), 'each member has a directory of its own anyway')):
    code, out, err = pelsim('submit', 'ring.ini', *GOOD, '--dry-run', '--scheduler=slurm', *words)
    check(words, (code, out, err), (2, '', f'pelsim: submit: --sweep {words[-1][8:]}: {what}\n'))

# ---- PBS, played: qsub notes what is submitted, qstat says how much time is left

tool('qsub', 'i=$(ls asked.* 2>/dev/null | wc -l)\nfor a; do echo "$a"; done >asked.$i\n'
     'echo "$((70 + i)).server"')
tool('qstat', f'echo "    Resource_List.walltime = 01:00:00"\n'
     f'echo "    resources_used.walltime = $(cat {os.getcwd()}/used)"')
with open('used', 'w', encoding='ascii') as f:
    f.write('00:59:58')
direct = re.findall(r'^fingerprint: (\w+)', pelsim('run', 'ring.ini', '-t1', '-s', 'time.steps=400000',
                                                   '--dir=direct')[1], re.M)
run = os.path.join(os.getcwd(), "it's a \"run\"")
code, out, err = pelsim('submit', 'ring.ini', *GOOD, '-n2', '-s', 'time.steps=400000', '--dir', run,
                        '--scheduler=pbs', env=PATH)
check('qsub', (code, err), (0, ''))
check('qsub', out, has(f'{run}/job.sh', '70.server', 'pelsim status', 'qdel 70.server'))


def asked(i):
    try:
        with open(f'{run}/asked.{i}', encoding='utf-8') as f:
            return f.read().splitlines()
    except OSError:
        return None


def take_turn(number, **variables):
    with open('hosts', 'w', encoding='ascii') as f:
        f.write(2 * f'{socket.gethostname()}\n')
    p = subprocess.run(['bash', f'{run}/job.sh'], capture_output=True, text=True, timeout=200, cwd='/',
                       check=False, env={**ENVIRONMENT, **PATH, **variables, 'PBS_JOBID':
                                         f'{number}.server', 'PBS_NODEFILE': f'{os.getcwd()}/hosts'})
    with open(f'{run}/job-{number}.server.out', encoding='utf-8') as f:
        return p.returncode, p.stderr, f.read()


check('qsub was asked', asked(0), [f'{run}/job.sh'])
code, err, log = take_turn(70)
check('the first turn', (code, err), (0, ''))
check('the first turn', log, has('stopped before the wall-clock limit', 'exit code 75',
                                 'goes on in job 71.server: restart 1'))
check('qsub was asked again', asked(1),
      ['-v', 'PELSIM_MEMBER=0,PELSIM_RESTARTS=1', f'{run}/job.sh'])
with open('used', 'w', encoding='ascii') as f:
    f.write('00:00:00')
code, err, log = take_turn(71, PELSIM_RESTARTS='1', PELSIM_MEMBER='0')
check('the second turn', (code, err), (0, ''))
check('the second turn', log, has('begins on', 'restart 1', 'ends: the run is complete'))
check('the second turn: fingerprint', re.findall(r'^fingerprint: (\w+)', log, re.M), direct)
check('qsub was not asked again', asked(2), None)
code, err, log = take_turn(72, PELSIM_RESTARTS='2')
check('a turn too many', (code, 'it is complete' in log), (0, True))

# ---- qsub that refuses; an array

tool('qsub', 'echo "qsub: Unknown queue" >&2\nexit 171')
code, out, err = pelsim('submit', 'ring.ini', *GOOD, '--dir=refused', env={'PATH': f'{os.getcwd()}/bin'})
check('a refusal', (code, out, err), (2, '', f'pelsim: submit: qsub refused {os.getcwd()}/refused/job.sh:'
                                      ' qsub: Unknown queue\n'))
tool('qsub', 'for a; do echo "$a"; done >>asked\n[ "$1" = -J ] && echo "1[].server"')
pelsim('submit', 'ring.ini', *GOOD, '--dir=array', '--sweep=heat.kappa=1,2,3', '--parallel=2',
       '--scheduler=pbs', env=PATH)
with open('array/asked', encoding='utf-8') as f:
    check('an array', f.read().splitlines(), ['-J', '0-2%2', f'{os.getcwd()}/array/job.sh'])
# ---- --overwrite leaves the script, and the script does not make a directory used
check('run in a directory with a script', pelsim('run', 'ring.ini', '--dir=array')[0], 0)
check('--overwrite', pelsim('run', 'ring.ini', '--dir=array', '--overwrite')[0], 0)
check('the script is there', os.path.exists('array/job.sh'), True)
finish(folder)
