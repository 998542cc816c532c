"""Every block of bad_configs.txt gives its exact sentences, on one rank and (some) on four."""
import os
import re

from clitest import SOURCE, check, finish, pelsim, workdir

EVERY = 12  # each n-th block also on four ranks


def blocks():
    """Yields (name, bare, overrides, text as bytes, expected sentences)."""
    name, bare, overrides, lines, want = None, False, [], [], []
    with open(os.path.join(SOURCE, 'tests/cli/bad_configs.txt'), encoding='utf-8') as f:
        for line in f.read().split('\n'):
            if line.startswith('--- '):
                if name:
                    yield name, bare, overrides, unescape(lines), want
                name, bare = line[4:].removesuffix(' (bare)'), line.endswith('(bare)')
                overrides, lines, want = [], [], []
            elif line.startswith('>>> '):
                want.append(unescape([line[4:]])[:-1].decode())
            elif line.startswith('-s ') and not lines:
                overrides += ['-s', line[3:]]
            elif not want:
                lines.append(line)
    yield name, bare, overrides, unescape(lines), want


def unescape(lines):
    text = ''.join(line + '\n' for line in lines).encode()
    text = re.sub(rb'\\\{(\d+)\*([^}]*)\}', lambda m: int(m[1]) * m[2], text)
    return re.sub(rb'\\x([0-9a-fA-F]{2})', lambda m: bytes([int(m[1], 16)]), text)


folder = workdir()
count = 0
for name, bare, overrides, text, want in blocks():
    with open('c.ini', 'wb') as f:
        f.write(text)
    given = [] if bare else ['-s', 'run.model=heat', '-s', 'time.steps=1']
    for command in [['check'], ['run', '-n', '4']] if count % EVERY == 0 else [['check']]:
        code, _, err = pelsim(*command, 'c.ini', *given, *overrides)
        got = [line for line in err.split('\n') if line]
        check(f'{name} ({" ".join(command)}), exit code', code, 2 if want else 0)
        check(f'{name} ({" ".join(command)})', got, want)
    count += 1
# What a line of that file cannot hold.
for value, sentence in ((b'a\nb', 'the value has a control character (byte 0x0a); take it out'),
                        (b'caf\xe9', 'the value is not UTF-8 text; give it as UTF-8')):
    code, _, err = pelsim('check', 'c.ini', '-s', os.fsdecode(b'run.title=' + value))
    check(repr(value), (code, err.count(sentence)), (2, 1))
check('blocks of bad_configs.txt', count, lambda n: n >= 50)
finish(folder)
