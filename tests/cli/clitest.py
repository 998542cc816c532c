"""What the tests of the command share: run it, compare, count what failed."""
import os
import subprocess
import sys
import tempfile

PELSIM, SOURCE = sys.argv[1], sys.argv[2]
# As a user's shell has it: nothing of MPI or OpenMP set.
ENVIRONMENT = {k: v for k, v in os.environ.items()
               if not k.startswith(('OMPI_', 'PMIX_', 'PMI_', 'OMP_', 'SLURM_', 'PELSIM_'))}
PATIENCE = int(os.environ.get('PELSIM_PATIENCE', 1))  # sanitizers are slow
failures = 0


def check(what, got, want):
    """One comparison; `want` may be a value, or a function that says whether `got` is right."""
    global failures
    good = want(got) if callable(want) else got == want
    if not good:
        failures += 1
        wanted = getattr(want, '__doc__', None) or want if callable(want) else repr(want)
        print(f'{what}: got {got!r}, want {wanted}', flush=True)


def has(*parts):
    """A condition for check: every part occurs in the text."""
    def condition(text):
        return all(p in text for p in parts)
    condition.__doc__ = 'a text with ' + ', '.join(repr(p) for p in parts)
    return condition


def pelsim(*arguments, env=None, cwd=None, timeout=120, prefix=()):
    """Runs the command; returns (exit code, stdout, stderr)."""
    p = subprocess.run([*prefix, PELSIM, *map(str, arguments)], stdin=subprocess.DEVNULL, cwd=cwd,
                       capture_output=True, text=True, errors='replace', timeout=timeout * PATIENCE,
                       env={**ENVIRONMENT, **(env or {})})
    if 'Sanitizer' in p.stderr:  # whatever exit code the command had
        check(f'report of a sanitizer, pelsim {" ".join(map(str, arguments))}', p.stderr, '')
    return p.returncode, p.stdout, p.stderr


def workdir():
    """A scratch folder, entered, and removed at the end."""
    folder = tempfile.TemporaryDirectory(prefix='pelsim_cli_')
    os.chdir(folder.name)
    return folder


def finish(folder=None):
    if folder:
        os.chdir('/')
        folder.cleanup()
    if failures:
        sys.exit(f'{failures} checks failed')
    print('all checks passed')
