"""The command line: help, every wrong option, and the man page that must not lag behind."""
import json
import os
import re
import subprocess

from clitest import ENVIRONMENT, PELSIM, SOURCE, check, finish, has, pelsim, workdir

COMMANDS = ['run', 'check', 'models', 'params', 'init', 'info', 'verify', 'diff', 'export', 'fingerprint',
            'status', 'submit', 'new-model']

folder = workdir()

# ---- help and version

code, out, err = pelsim('--version')
check('--version', (code, err), (0, ''))
check('--version', out, lambda t: re.fullmatch(r'pelsim \d+\.\d+\.\d+(\+g[0-9a-f]+(-dirty)?)?\n', t))
code, out, err = pelsim('--help')
check('--help', (code, err), (0, ''))
check('--help', re.findall(r'^  ([a-z-]+)  ', out, re.M), COMMANDS)
check('no argument, exit code', pelsim()[0], 2)
with open(os.path.join(SOURCE, 'docs/man/pelsim.1'), encoding='utf-8') as f:
    manual = f.read().replace('\\-', '-')
for command in COMMANDS:
    code, out, err = pelsim('help', command)
    check(f'help {command}', (code, err), (0, ''))
    check(f'help {command}', out, has(f'usage: pelsim {command}', '--help'))
    check(f'{command} --help', pelsim(command, '--help')[1], out)
    check(f'the manual page has {command}', bool(re.search(rf'^\.BR {command} ', manual, re.M)), True)
    for option in re.findall(r'--[a-z]+', out):
        check(f'the manual page has {option} of {command}', option in manual, True)

# ---- what is wrong, and the one sentence for it

WRONG = [
    (['rnu'], "unknown command 'rnu'; did you mean 'pelsim run'?"),
    (['frobnicate'], "unknown command 'frobnicate'; 'pelsim help' lists the commands"),
    (['--verson'], "unknown option '--verson'; did you mean 'pelsim --version'?"),
    (['-n'], "unknown option '-n'; 'pelsim help' lists the commands"),
    (['help', 'rum'], "unknown command 'rum'; did you mean 'pelsim run'?"),
    (['run'], 'run: CONFIG is missing; usage: pelsim run CONFIG [options]'),
    (['run', ''], 'run: an argument is empty; usage: pelsim run CONFIG [options]'),
    (['run', 'a', 'b'], "run: 'b' is one argument too many; usage: pelsim run CONFIG [options]"),
    (['run', 'a', '--overwite'], "run: unknown option '--overwite'; did you mean '--overwrite'?"),
    (['run', 'a', '--thread=2'], "run: unknown option '--thread'; did you mean '--threads'?"),
    (['run', 'a', '--zzzz'], "run: unknown option '--zzzz'; 'pelsim help run' lists the options"),
    (['run', 'a', '-q'], "run: unknown option '-q'; 'pelsim help run' lists the options"),
    (['run', 'a', '-n'], 'run: --ranks needs a value: --ranks=RANKS'),
    (['run', 'a', '-n', '0'], "run: --ranks is '0', but must be a whole number from 1 to 1000000"),
    (['check', 'a', '-t', '100000'],
     "check: --threads is '100000', but must be a whole number from 1 to 4096"),
    (['run', 'a', '-n2x'], "run: --ranks is '2x', but must be a whole number from 1 to 1000000"),
    (['run', 'a', '-t', '-1'],
     "run: --threads is '-1', but must be a whole number from 1 to 4096"),
    (['run', 'a', '--steps=1e6'],
     "run: --steps is '1e6', but must be a whole number from 1 to 1000000000000000"),
    (['run', 'a', '--steps=99999999999999999999'], "run: --steps is '99999999999999999999', but "
     'must be a whole number from 1 to 1000000000000000'),
    (['run', 'a', '-n', '2', '-n', '3'], 'run: --ranks is given twice; give it once'),
    (['run', 'a', '--overwrite=yes'], "run: --overwrite takes no value, but got 'yes'"),
    (['run', 'a', '--dir='], 'run: --dir is empty'),
    (['run', 'a', '--hosts='], 'run: --hosts is empty'),
    (['run', 'a', '--progress=often'],
     "run: --progress is 'often', but must be auto, always or never"),
    (['run', 'a', '--resume', '--overwrite'],
     'run: --overwrite deletes the checkpoints that --resume needs; give one'),
    (['diff', 'a'], 'diff: A B is missing; usage: pelsim diff A B [options]'),
    (['diff', 'a', 'b', '--tol', 'nan'],
     "diff: --tol is 'nan', but must be a number that is not negative"),
    (['params', '--json', '--markdown'],
     'params: --json and --markdown exclude each other; give one'),
    (['models', 'heat'],
     "models: 'heat' is one argument too many; usage: pelsim models [options]"),
    (['new-model', 'Heat'], "new-model: 'Heat' cannot be the name of a model; it must be at most "
     '40 lower-case letters, digits and underscores, a letter first'),
    (['new-model', 'heat'], "new-model: there is a built-in model 'heat'; choose another"),
    (['new-model', 'grid'],
     "new-model: 'grid' is a section of every configuration; choose another name"),
    (['new-model', 'test'], "new-model: 'test' is a target of CMake; choose another name"),
    (['new-model', 'm'], "new-model: 'm' is a library that every model needs; choose another name"),
    (['new-model', 'pel_x'],
     "new-model: 'pel_x': names that begin with pel_ belong to pelsim; choose another name"),
    *((['new-model', w], f"new-model: '{w}' is a word of C; choose another name") for w in (
        'auto bool break case char const continue default do double else enum extern float for '
        'goto if inline int long main register restrict return short signed sizeof static struct '
        'switch typedef union unsigned void volatile while').split()),
]
for arguments, sentence in WRONG:
    code, out, err = pelsim(*arguments)
    check(f'pelsim {" ".join(arguments)}', (code, out, err), (2, '', f'pelsim: {sentence}\n'))

# ---- what is right

code, out, err = pelsim('models')
check('models', (code, err), (0, ''))
check('models', out, has('heat', 'shallow_water'))
check('models --json', {m['name'] for m in json.loads(pelsim('models', '--json')[1])},
      lambda names: {'heat', 'shallow_water'} <= names)
code, out, err = pelsim('params', 'heat')
check('params heat', (code, err), (0, ''))
check('params heat', out, has('kappa', 'thermal diffusivity'))
check('params --json', json.loads(pelsim('params', '--json')[1]), bool)
check('params --markdown', pelsim('params', 'heat', '--markdown')[1], has('| `kappa`'))
code, out, err = pelsim('params', 'haet')
check('params haet', (code, out), (2, ''))
check('params haet', err, has("'haet'", "'heat'"))
code, out, err = pelsim('init', 'heat')
check('init heat', (code, err), (0, ''))
with open('heat.ini', 'w', encoding='utf-8') as f:
    f.write(out)

# ---- what only a model on its grid can tell

for key, sentence in (
        ('grid.nx=1', 'pelsim: [time] dt = auto, but nothing limits the time step of model heat on '
                      'this grid; set [time] dt or dt_max'),
        ('output.fields=u, u', "-s output.fields=u, u: [output] fields: 'u' is named twice"),
        ('output.fields=u,,', '-s output.fields=u,,: [output] fields: a name is missing beside a '
                              'comma')):
    code, out, err = pelsim('check', 'heat.ini', '-s', key)
    check(f'check -s {key}', (code, out, err), (2, '', f'{sentence}\n'))

code, out, err = pelsim('check', 'heat.ini')
check('check of what init wrote', (code, err), (0, ''))
for path, why in (('././heat.ini', 'cannot be loaded (invalid ELF header)'),
                  ('heat.ini', 'cannot be loaded (invalid ELF header)'),
                  ('sub/none.so', 'cannot be read; build it, or correct the path')):
    code, out, err = pelsim('check', 'heat.ini', '-s', f'run.plugin={path}')
    check(f'plugin = {path}', (code, out, err),
          (2, '', f"-s run.plugin={path}: [run] plugin: plug-in '{path}': {why}\n"))
code, out, err = pelsim('check', '--json', '--', 'heat.ini')
check('check --json', json.loads(out), bool)
for command in ('run', 'check'):
    code, out, err = pelsim(command, 'shallow_water')
    check(f'{command} shallow_water', (code, out, err),
          (4, '', 'pelsim: shallow_water: no such file; it is the name of a model: `pelsim init '
           'shallow_water > shallow_water.ini` makes a configuration\n'))
for command in ('info', 'verify', 'fingerprint'):
    code, out, err = pelsim(command, 'missing.h5')
    check(f'{command} of a missing file', (code, out), (4, ''))
    check(f'{command} of a missing file', err, has('missing.h5'))

# A full disk behind the standard output is no success.
with open('/dev/full', 'w', encoding='utf-8') as full:
    p = subprocess.run([PELSIM, 'params'], stdout=full, stderr=subprocess.PIPE, text=True,
                       env=ENVIRONMENT)
check('params > /dev/full', (p.returncode, p.stderr.count('\n')), (4, 1))

# ---- new-model leaves alone what is there

check('nothing was made', os.listdir('.'), ['heat.ini'])
check('new-model integer', pelsim('new-model', 'integer')[0], 0)  # begins like a word of C
code, out, err = pelsim('new-model', 'wave')
check('new-model wave', (code, err), (0, ''))
check('new-model wave', sorted(os.listdir('wave')),
      ['CMakeLists.txt', 'README.md', 'wave.c', 'wave.ini'])
for name in os.listdir('wave'):
    with open(os.path.join('wave', name), encoding='utf-8') as f:
        check(f'wave/{name}', f.read(), lambda t: '@NAME@' not in t and 'wave' in t)
code, out, err = pelsim('new-model', 'wave')
check('new-model wave again', (code, out, err),
      (2, '', "pelsim: new-model: 'wave' exists already and is left as it is; choose another name "
       'or folder\n'))
finish(folder)
