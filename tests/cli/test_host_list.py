"""pelsim run --hosts: lists that are wrong, hosts that do not answer, agents of all kinds.  The hosts
are this one and some that do not exist; tests/netns has real ones."""
import os
import re

from clitest import check, finish, has, pelsim, workdir

folder = workdir()
with open('heat.ini', 'w', encoding='utf-8') as f:
    f.write('[run]\nmodel = heat\n[grid]\nnx = 16\nny = 16\n[time]\nsteps = 3\n')


def write(name, text, mode=0o644):
    with open(name, 'w', encoding='utf-8') as file:
        file.write(text)
    os.chmod(name, mode)


def run(hosts, *options, **env):
    return pelsim('run', 'heat.ini', '-t', 1, '--overwrite', *hosts, *options, env=env)


def refused(what, code, sentence, hosts, *options, **env):
    check(what, run([f'--hosts={hosts}'], *options, **env), (code, '', f'pelsim: {sentence}\n'))


# ---- lists

FORM = 'write name or name:slots, separated by commas, or name a file with a host a line'
write('many', 'localhost slots=1\n\nb slots=two # comment\n')
write('option', '-oProxyCommand=x\n')
write('empty', '# nobody\n')
for item, hosts in (('b:0', 'localhost,b:0'), ('b:x', 'b:x'), ('', 'a,,b'), ('-oX', '-oX'), ('a b', 'a b'),
                    ("a'b", "a'b"), ('a:99999999999999999999', 'a:99999999999999999999')):
    refused(f'list {hosts}', 2, f"--hosts={hosts}: '{item}' is no host; {FORM}", hosts)
refused('file', 2, "many:3: a line must be 'name' or 'name slots=N'", 'many')
refused('file with an option', 2, "option:1: a line must be 'name' or 'name slots=N'", 'option')
refused('empty file', 2, 'empty names no host', 'empty')
refused('no file', 4, 'cannot read the list of hosts ./none: No such file or directory', './none')
refused('too many ranks', 2, '3 ranks are too many for these hosts: they have 2 slots', 'localhost:2', '-n', 3)

# ---- hosts that do not answer

write('agent', '#!/bin/sh\necho first\necho "agent: no route to $1" >&2\nexit 255\n', 0o755)
write('silent', '#!/bin/sh\nsleep 1000\n', 0o755)
AWAY = 'of the list of hosts cannot be reached: '
refused('agent fails', 2, f'a host {AWAY}nowhere (agent: no route to nowhere)', 'localhost,nowhere', '-n', 2,
        OMPI_MCA_plm_rsh_agent=f'{os.getcwd()}/agent : ssh')
refused('no host is left', 2, f'no host {AWAY}x (agent: no route to x), y (agent: no route to y)', 'x,y',
        OMPI_MCA_plm_rsh_agent=f'{os.getcwd()}/agent')
refused('no agent', 2, f"no host {AWAY}x (cannot start '/none': No such file or directory)", 'x',
        OMPI_MCA_plm_rsh_agent='/none')
refused('an agent that says nothing', 2, f'no host {AWAY}x (no answer within 3 s)', 'x',
        OMPI_MCA_plm_rsh_agent=f'{os.getcwd()}/silent', OMPI_MCA_oob_tcp_keepalive_time='1',
        OMPI_MCA_oob_tcp_keepalive_intvl='1', OMPI_MCA_oob_tcp_keepalive_probes='2')
many = ','.join(f'h{i}' for i in range(150))
code, out, err = run([f'--hosts={many}'], OMPI_MCA_plm_rsh_agent=f'{os.getcwd()}/agent')
check('many hosts', (code, err), lambda r: r[0] == 2 and re.search(r'h2 \(.*\), \.\.\.\n$', r[1]))

# ---- what Open MPI is told

write('mpirun', '#!/bin/sh\nenv >&2; cat "$OMPI_MCA_orte_default_hostfile" >&2; exit 1\n', 0o755)
told = run(['--hosts=localhost:2,localhost'], PELSIM_MPIRUN=f'{os.getcwd()}/mpirun')[2]
check('hosts for mpirun', told, has('\nlocalhost slots=3\n'))
time, intvl, probes = (int((re.search(rf'^OMPI_MCA_oob_tcp_keepalive_{k}=(\d+)$', told, re.M) or '00')[1])
                       for k in ('time', 'intvl', 'probes'))
check('keep-alive: cuts that are borne [s]', intvl * probes, lambda s: s >= 30)
check('keep-alive: a host is missed before hang_limit asks [s]', time + intvl * probes, lambda s: s <= 50)
told = run(['--hosts=localhost'], PELSIM_MPIRUN=f'{os.getcwd()}/mpirun', OMPI_MCA_oob_tcp_keepalive_time='7')[2]
check("the user's setting stays", told, has('OMPI_MCA_oob_tcp_keepalive_time=7\n'))

# ---- those that do

fingerprint = run([])[1].split()[-1]
for hosts in ('localhost:2', 'local'):
    write('local', 'localhost slots=2\n')
    code, out, err = run([f'--hosts={hosts}'])
    check(f'{hosts}: as many ranks as slots', (code, err, out.split()[-1:]), (0, '', [fingerprint]))
    with open('out/heat/run.json', encoding='utf-8') as f:
        check(f'{hosts}: as many ranks as slots', f.read(), has('"ranks": 2'))
write('foreign', 'localhost slots=2 max_slots=2\n')  # mpirun's business
code, out, err = run([], '-n', 2, OMPI_MCA_orte_default_hostfile=f'{os.getcwd()}/foreign')
check("Open MPI's own list", (code, err, out.split()[-1:]), (0, '', [fingerprint]))
code, out, err = run(['--hosts=a'], OMPI_COMM_WORLD_RANK='0', OMPI_COMM_WORLD_SIZE='2')
check('under mpirun', (code, err), (2, 'pelsim: run: --hosts needs pelsim to start the ranks itself; under mpirun '
                                       'leave it out\n'))
finish(folder)
