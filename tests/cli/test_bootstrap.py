"""The script ./pelsim of a source checkout, in a copy whose apt-get, cmake, ninja and ctest only
write down what they were asked for."""
import os
import re
import shutil
import subprocess

from clitest import ENVIRONMENT, SOURCE, check, finish, has, workdir

TOOLS = ('bash env sort comm sed mkdir tail head readlink flock grep cat nproc rm touch chmod '
         'paste').split()
FAKES = {
    'id': 'echo "$FAKE_USER"',
    'dpkg-query': 'for p in "$@"; do grep -qx "$p" installed && echo "installed $p"; done; true',
    'apt-get': '''echo "apt-get $*" >>calls
case $1 in
  update) touch updated ;;
  *) [ -z "$FAKE_STALE" ] || [ -e updated ] || { echo "E: Unable to locate package"; exit 100; }
     shift 3; [ -n "$FAKE_BROKEN" ] || printf '%s\\n' "$@" >>installed; [ -z "$FAKE_BROKEN" ] ;;
esac''',
    'sudo': 'echo "sudo" >>calls; exec "$@"',
    'cmake': '''echo "cmake $*" >>calls
[ -z "$FAKE_NO_MPI" ] || { echo "CMake Error: Could NOT find MPI"; exit 1; }
mkdir -p "build/$2"; touch "build/$2/build.ninja"''',
    'ninja': '''echo "ninja $*" >>calls
for n in 1 2 3 4 5 6; do echo "[$n/6] Building C object $n.o"; done
[ -z "$FAKE_ERROR" ] || { printf 'FAILED: x.o\\nx.c:1: error: no\\n[6/6] never\\n'; exit 1; }
mkdir -p "$2/cli"; printf '#!/bin/sh\\necho "real: $*"; exit 3\\n' >"$2/cli/pelsim"
chmod +x "$2/cli/pelsim"''',
    'ctest': 'echo "ctest $*" >>calls; exit "${FAKE_CTEST:-0}"',
}

folder = workdir()
os.mkdir('bin')
for tool in TOOLS:
    os.symlink(shutil.which(tool), f'bin/{tool}')
shutil.copy(os.path.join(SOURCE, 'pelsim'), 'pelsim')
with open('pelsim', encoding='utf-8') as f:
    script = f.read()
NEEDED = re.search(r'^needed=\((.*?)\)', script, re.M | re.S)[1].split()
FOR_TESTS = re.search(r'^needed_for_tests=\((.*?)\)', script, re.M | re.S)[1].split()


def fresh(installed, without=()):
    """A checkout that nothing was done in, on a machine with these packages."""
    shutil.rmtree('build', ignore_errors=True)
    for name in ('calls', 'updated'):
        if os.path.exists(name):
            os.remove(name)
    with open('installed', 'w', encoding='utf-8') as f:
        f.write(''.join(p + '\n' for p in installed))
    for tool, text in FAKES.items():
        path = f'bin/{tool}'
        if os.path.exists(path):
            os.remove(path)
        if tool not in without:
            with open(path, 'w', encoding='utf-8') as f:
                f.write(f'#!{shutil.which("bash")}\n{text}\n')
            os.chmod(path, 0o755)


def script_run(*arguments, **env):
    """(exit code, stdout, stderr, the calls of the fakes)"""
    if os.path.exists('calls'):
        os.remove('calls')
    p = subprocess.run(['./pelsim', *arguments], capture_output=True, text=True,
                       stdin=subprocess.DEVNULL,
                       env={**ENVIRONMENT, 'PATH': os.path.abspath('bin'), 'FAKE_USER': '0', **env})
    calls = ''
    if os.path.exists('calls'):
        with open('calls', encoding='utf-8') as f:
            calls = f.read()
    return p.returncode, p.stdout, p.stderr, calls


# ---- the first time and the second

fresh([p for p in NEEDED if p not in ('cmake', 'libinih-dev')])
code, out, err, calls = script_run('run', 'a b.ini', '-n', '2')
check('the real command runs, its exit code comes back', (code, out), (3, 'real: run a b.ini -n 2\n'))
check('what it says', err, has('installing 2 missing packages with apt-get: cmake libinih-dev',
                               'configuring', 'building (6 steps)'))
check('what it calls', calls, 'apt-get install -y --no-install-recommends cmake libinih-dev\n'
      f'cmake --preset release\nninja -C {os.getcwd()}/build/release cli/pelsim\n')
code, out, err, calls = script_run('models')
check('the second time', (out, calls.count('\n')), ('real: models\n', 1))
check('the second time', calls, has('ninja'))
code, out, err, calls = script_run('models', OMPI_COMM_WORLD_RANK='1')
check('as a rank', (code, out, err, calls), (3, 'real: models\n', '', ''))

# ---- other users, other machines

fresh(NEEDED[1:])
code, out, err, calls = script_run('models', FAKE_USER='1000')
check('not root', calls.split('\n')[0], 'sudo')
fresh(NEEDED[1:], without=['sudo'])
code, out, err, calls = script_run('models', FAKE_USER='1000')
check('not root, no sudo', (code, out, calls), (2, '', ''))
check('not root, no sudo', err, 'pelsim: packages are missing and there is no sudo; let root run: '
      f'apt-get install {NEEDED[0]}\n')
fresh([], without=['apt-get', 'dpkg-query'])
code, out, err, calls = script_run('models')
check('not Debian', (code, out), (3, 'real: models\n'))
check('not Debian', err, has('this is not Debian; the following must be there', *NEEDED))
check('not Debian, told once', 'Debian' in script_run('models')[2], False)
fresh(NEEDED[1:])
code, out, err, calls = script_run('models', FAKE_STALE='1')
check('stale lists of packages', (code, calls.count('apt-get')), (3, 3))
fresh(NEEDED[1:])
code, out, err, calls = script_run('models', FAKE_BROKEN='1')
check('apt-get fails', (code, out, 'cmake --preset' in calls), (2, '', False))
check('apt-get fails', err, has('could not be installed'))
fresh([])
code, out, err, calls = script_run('models', PELSIM_NO_INSTALL='1')
check('PELSIM_NO_INSTALL', (code, 'apt-get' in calls), (3, False))

# ---- failures

fresh(NEEDED)
code, out, err, calls = script_run('models', FAKE_NO_MPI='1')
check('CMake fails', (code, out), (2, ''))
check('CMake fails', err, has('Could NOT find MPI', 'cannot be configured'))
check('CMake again when it can', script_run('models')[1], 'real: models\n')
code, out, err, calls = script_run('models', FAKE_ERROR='1')
check('a source that does not compile', (code, out), (2, ''))
check('a source that does not compile', err, has('x.c:1: error: no', 'the build failed'))
check('only what matters is shown', 'Building C object' in err or 'never' in err, False)

# ---- test

fresh(NEEDED)
code, out, err, calls = script_run('test')
check('test', code, 0)
check('test', err, has('installing', *FOR_TESTS, 'all tests passed'))
check('test', calls, has('cmake --preset test\n', f'ninja -C {os.getcwd()}/build/test\n',
                         '--output-on-failure --no-tests=error -j', '-LE ^long$'))
code, out, err, calls = script_run('test', '-N')
check('test -N says that it builds first', err,
      has('bringing the tests in build/test up to date', 'then: ctest -j', ' -LE ^long$ -N\n'))
check('test -N runs none', 'passed' in err, False)
check('test -N', calls.split('\n')[-2], lambda c: c.startswith('ctest ') and c.endswith(' -N'))
code, out, err, calls = script_run('test', '--preset=debug', '-L', 'long', '-j3', FAKE_CTEST='8')
check('test with options', code, 8)
check('test with options', calls, has('cmake --preset debug', 'build/debug', '-L long -j3\n'))
check('test with options', '-LE' in calls or 'apt-get' in calls, False)
finish(folder)
