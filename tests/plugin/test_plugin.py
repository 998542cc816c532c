"""Models outside the source tree: install, build the example and a new-model skeleton against what
was installed, run their tests, and give broken plug-ins to pelsim.

    test_plugin.py BUILD SOURCE WORK
"""
import json
import os
import re
import shutil
import subprocess
import sys

BUILD, SOURCE, WORK = (os.path.abspath(p) for p in sys.argv[1:4])
PREFIX = os.path.join(WORK, 'prefix')
PELSIM = os.path.join(PREFIX, 'bin/pelsim')
failures = 0


def check(what, got, want):
    global failures
    if got != want:
        failures += 1
        print(f'{what}: got {got!r}, want {want!r}', flush=True)


def run(*command, cwd=WORK):
    return subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, text=True, errors='replace',
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=400)


def must(*command, cwd=WORK):
    p = run(*command, cwd=cwd)
    if p.returncode:
        sys.exit(f'{" ".join(command)}: got exit code {p.returncode}, want 0\n{p.stdout}{p.stderr}')
    return p.stdout


def build_and_test(folder, tests):
    """What the README of a plug-in says: cmake -B build, cmake --build, ctest."""
    must('cmake', '-B', 'build', f'-DCMAKE_PREFIX_PATH={PREFIX}', '-DCMAKE_C_FLAGS=-Werror',
         cwd=folder)
    must('cmake', '--build', 'build', cwd=folder)
    out = must('ctest', '--test-dir', 'build', '--output-on-failure', cwd=folder)
    print(out[out.find('\n1:') + 1:] if failures else '', end='')
    check(f'tests of {folder}', sorted(set(re.findall(r'Test +#\d+: (\S+)', out))), sorted(tests))


shutil.rmtree(WORK, ignore_errors=True)
os.makedirs(WORK)
must('cmake', '--install', BUILD, '--prefix', PREFIX)
installed = {os.path.relpath(os.path.join(d, f), PREFIX) for d, _, fs in os.walk(PREFIX) for f in fs}
for path in ('bin/pelsim', 'include/pelsim/model.h', 'share/man/man1/pelsim.1'):
    check(f'{path} is installed', path in installed, True)
check('configurations are installed', any(p.startswith('share/pelsim/configs/') for p in installed),
      any(os.scandir(os.path.join(SOURCE, 'configs'))))
for config in sorted(p for p in installed if re.fullmatch(r'share/pelsim/configs/[^/]*\.ini', p)):
    p = run(PELSIM, 'check', os.path.join(PREFIX, config))  # with what it reads, from elsewhere
    check(f'{config}, installed', (p.returncode, p.stderr), (0, ''))
check('the package is installed', sum(p.endswith('pelsimConfig.cmake') for p in installed), 1)

# ---- what plug-ins can call: the functions marked PEL_API, no more and no less

marked = []
for header in ('model.h', 'particles.h'):
    with open(os.path.join(PREFIX, 'include/pelsim', header), encoding='utf-8') as f:
        marked += re.findall(r'^PEL_API [^;(]*?(\w+)\(', f.read(), re.M)
exported = [line.split()[-1] for line in must('nm', '-D', '--defined-only', PELSIM).splitlines()]
check('functions that the command exports', sorted(s for s in exported if s.startswith('pel')),
      sorted(marked))

# ---- the example and the skeleton

example = os.path.join(WORK, 'plugin_burgers')
shutil.copytree(os.path.join(SOURCE, 'examples/plugin_burgers'), example,
                ignore=shutil.ignore_patterns('build', 'out'))
build_and_test(example, ['burgers.layouts', 'burgers.restart', 'burgers.order'])
out = must(PELSIM, 'run', 'plugin_burgers/burgers.ini')  # the path of the plug-in is relative to it
check('run of the example', out.splitlines()[-1][:13], 'fingerprint: ')
must(PELSIM, 'verify', *(os.path.join(WORK, 'out/burgers/checkpoints', f)
                         for f in os.listdir(os.path.join(WORK, 'out/burgers/checkpoints'))))
must(PELSIM, 'new-model', 'my_model')
build_and_test(os.path.join(WORK, 'my_model'),
               ['my_model.layouts', 'my_model.restart', 'my_model.order'])
out = must(PELSIM, 'run', 'my_model.ini', cwd=os.path.join(WORK, 'my_model'))
check('run of the skeleton', out.splitlines()[-1][:13], 'fingerprint: ')

# ---- what it is: described like a built-in model, under the name of its file

my_model = os.path.join(WORK, 'my_model')
for name in ('build/libmy_model.so', './build/../build/libmy_model.so',
             os.path.join(my_model, 'build/libmy_model.so')):
    out = must(PELSIM, 'params', name, cwd=my_model)
    check(f'params {name}', bool(re.match(r'my_model: .*\n', out)), True)
out = must(PELSIM, 'params', 'libmy_model.so', '--json', cwd=my_model + '/build')
described = json.loads(out)
check('params --json', len(described) > 0, True)
with open(my_model + '/fresh.ini', 'w', encoding='utf-8') as f:
    f.write(must(PELSIM, 'init', 'build/libmy_model.so', cwd=my_model))
out = must(PELSIM, 'run', 'fresh.ini', '-s', 'time.steps=2', cwd=my_model)
check('run of what init printed', out.splitlines()[-1][:13], 'fingerprint: ')

# ---- plug-ins that cannot work: one sentence, exit code 2


def refused(name, sentence, source=None, raw=None):
    """A plug-in of this C source, or these bytes, must be refused with the sentence."""
    path = os.path.join(WORK, f'lib{name}.so')
    if source:
        with open(f'{WORK}/{name}.c', 'w', encoding='utf-8') as f:
            f.write(source)
        must('gcc', '-shared', '-fPIC', f'-I{PREFIX}/include', f'{name}.c', '-o', path)
    elif raw:
        with open(path, 'wb') as f:
            f.write(raw)
    p = run(PELSIM, 'check', example + '/burgers.ini', '-s', f'run.plugin=lib{name}.so')
    check(f'{name}, exit code', p.returncode, 2)
    check(f'{name}, lines', len(p.stderr.strip().split('\n')), 1)
    q = run(PELSIM, 'params', path)
    unreadable = name != 'another'  # which is at odds with its configuration only
    check(f'params of {name}', (q.returncode, q.stdout == '', q.stderr.count('\n')),
          (2, True, 1) if unreadable else (0, False, 0))
    check(f'{name}: {p.stderr.strip()!r} has {sentence!r}', bool(re.search(sentence, p.stderr)), True)


refused('missing', r"'libmissing\.so'.*cannot be read")
refused('text', r"'libtext\.so'.*cannot be loaded", raw=b'not a library\n')
refused('nothing', r"'libnothing\.so'.*no symbol 'pel_plugin'", source='int nothing;\n')
refused('unresolved', r"'libunresolved\.so'.*cannot be loaded.*pel_unheard_of",
        source='void pel_unheard_of(void);\nvoid *pel_plugin = (void *)pel_unheard_of;\n')
with open(os.path.join(example, 'build/libburgers.so'), 'rb') as f:
    whole = f.read()
refused('truncated', r"'libtruncated\.so'.*truncated", raw=whole[:len(whole) // 3])
refused('old', r"'libold\.so'.*interface 0.*build it again",
        source='const struct { int abi; const void *model; } pel_plugin = {0, 0};\n')
with open(os.path.join(example, 'burgers.c'), encoding='utf-8') as f:
    other = f.read().replace('PEL_MODEL("burgers"', 'PEL_MODEL("another"')
refused('another', "'another'.*'burgers'", source=other)

# ---- particle models: one that works, and what tables and hooks may have wrong


def puff(fault, *arguments):
    library = f'libpuff_{fault.lower()}.so'
    must('gcc', '-shared', '-fPIC', '-O2', '-march=native', '-ffp-contract=off', f'-DFAULT={fault}', f'-I{PREFIX}/include',
         os.path.join(SOURCE, 'tests/plugin/puff.c'), '-o', library)
    with open(f'{WORK}/puff.ini', 'w', encoding='utf-8') as f:
        f.write('[run]\nmodel = puff\n[time]\nsteps = 20\n')
    return run(PELSIM, 'run', 'puff.ini', '-s', f'run.plugin={library}', '--dir', f'out/{fault}',
               '--overwrite', *arguments)


prints = {puff('NOTHING', *layout).stdout.splitlines()[-1]
          for layout in (['-t', '1'], ['-n', '3', '-t', '1'], ['-n', '2', '-t', '2'])}
check('fingerprints of a particle model', (len(prints), min(prints)[:13]), (1, 'fingerprint: '))
for fault, code, sentence in (
        ('NUMBER', 2, "the model's number 'clock' has a name that files use for another thing"),
        ('TWICE', 2, "the model's attribute 'heat' is there twice"),
        ('ATTRIBUTE', 2, "the model's attribute 'velocity' has a name that files use"),
        ('KERNEL', 2, "stage 'warm' of the model lacks .kernel"),
        ('TYPES', 2, 'model puff has 40 types of particles; 1 to 32 are possible'),
        ('MASS', 2, 'model puff gives type 1 the mass 0; it must be > 0'),
        ('SKIN', 2, 'model puff has the skin -1; it must not be negative'),
        ('CUTOFF', 2, 'the cut-off of types 1 and 1 is nan; it must be a distance'),
        ('VELOCITY', 2, 'particle 77 starts with velocity (nan, nan, nan)'),
        ('HEAT', 3, "failed at step 3 (0.03 tau): 'heat' of particle 77 is nan, at (")):
    for layout in (['-t', '1'], ['-n', '2', '-t', '1']):
        p = puff(fault, *layout)
        check(f'puff, {fault}, {layout}: {p.stderr.strip()!r} has {sentence!r}',
              (p.returncode, p.stderr.count('\n'), sentence in p.stderr), (code, 1, True))

if failures:
    sys.exit(f'{failures} checks failed')
print('all checks passed')
