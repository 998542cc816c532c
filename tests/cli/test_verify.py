"""pelsim verify of a run directory: every checkpoint and the output file, and each that is bad."""
import os

import h5py

from clitest import check, finish, has, pelsim, workdir

folder = workdir()
with open('h.ini', 'w', encoding='utf-8') as f:
    f.write('[run]\nmodel = heat\n[grid]\nnx = 20\nny = 15\n[time]\nsteps = 9\n[output]\nevery = 3\n'
            '[checkpoint]\nevery = 3\nkeep = 5\n')
check('a run', pelsim('run', 'h.ini')[0], 0)
FILES = [f'out/h/checkpoints/step_00000000{n}.h5' for n in (3, 6, 9)] + ['out/h/fields.nc']


def verdicts(*arguments):
    """The exit code; {file: the rest of its line}; both outputs must not be used at once."""
    code, out, err = pelsim('verify', *arguments)
    check(f'verify {arguments}: one output', bool(out) and bool(err), False)
    return code, dict(line.split(': ', 1) for line in (out or err).splitlines())


def spoil(path, at):
    """Flips a bit; returns what undoes it."""
    with open(path, 'r+b') as f:
        f.seek(at)
        byte = f.read(1)[0]
        f.seek(at)
        f.write(bytes([byte ^ 4]))


code, lines = verdicts('out/h')
check('all good', (code, list(lines)), (0, FILES))
check('all good', [line.split(',')[0] for line in lines.values()], ['good'] * 4)
check('the folder of checkpoints', verdicts('out/h/checkpoints/'),
      lambda r: r[0] == 0 and len(r[1]) == 3)
size = os.path.getsize(FILES[1])
for bad, at in ((FILES[0], size - 2000), (FILES[1], 100), (FILES[2], size // 2)):
    spoil(bad, at)
    code, out, err = pelsim('verify', 'out/h')
    check(f'{bad} damaged', (code, out, err.count(': good')), (4, '', 3))
    check(f'{bad} damaged', [line for line in err.splitlines() if bad in line and 'damaged' in line],
          lambda found: len(found) >= 1)
    check('a good one beside it', pelsim('verify', FILES[3])[0], 0)
    spoil(bad, at)
check('mended', verdicts('out/h')[0], 0)
with h5py.File(FILES[3]) as f:
    at = f['u'].id.get_chunk_info(2).byte_offset
spoil(FILES[3], at)
code, out, err = pelsim('verify', 'out/h', 'h.ini')
check('fields.nc damaged, and a file that is none', (code, err.count(': good')), (4, 3))
check('fields.nc damaged, and a file that is none', err, has('out/h/fields.nc', 'h.ini'))
os.mkdir('empty')
code, out, err = pelsim('verify', 'empty')
check('an empty directory', (code, out, err),
      (4, '', 'empty is a directory without checkpoints, fields.nc, trajectory.h5md and observables.h5\n'))
finish(folder)
