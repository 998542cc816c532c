#!/usr/bin/python3
"""What the documents say is so.      check_docs.py PELSIM SOURCE

In README.md, docs/ and examples/: docs/parameters.md is what `pelsim params --markdown` prints;
command lines use subcommands, options, keys and files that exist; links and their anchors resolve;
keys in INI blocks exist; C blocks under a comment <!-- FILE --> are excerpts of that file."""
import glob
import json
import os
import re
import shlex
import subprocess
import sys

PELSIM, SOURCE = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
CTEST = {"-L", "-LE", "-R", "-E", "-j", "--preset", "--rerun-failed", "--output-on-failure"}
SHELL = ("", "sh", "bash", "console")
failures, checks = [], 0


def check(good, place, sentence):
    global checks
    checks += 1
    if not good:
        failures.append(f"{place}: {sentence}")


def pelsim(*words):
    p = subprocess.run([PELSIM, *words], capture_output=True, text=True, timeout=60, check=False)
    if p.returncode:
        sys.exit(f"pelsim {' '.join(words)}: exit code {p.returncode}, want 0\n{p.stderr}")
    return p.stdout


# ---- what there is ---------------------------------------------------------------------------------


def subcommands():
    """{name: its options}, from the help."""
    names = re.findall(r"^  ([a-z][a-z-]*)  ", pelsim("help"), re.M)
    found = {}
    for name in names:
        text = pelsim("help", name)
        lines = re.findall(r"^  (?:(-\w), |    )--([\w-]+)", text, re.M)
        found[name] = {o for short, long in lines for o in (short, "--" + long) if o}
    return found


COMMANDS = subcommands()
KEYS = {(p["section"], p["key"]) for p in json.loads(pelsim("params", "--json"))}
SECTIONS = {section for section, key in KEYS}


# ---- documents -------------------------------------------------------------------------------------


def documents():
    paths = ["README.md", *glob.glob("docs/**/*.md", root_dir=SOURCE, recursive=True),
             *glob.glob("examples/**/*.md", root_dir=SOURCE, recursive=True)]
    for path in sorted(paths):
        with open(os.path.join(SOURCE, path), encoding="utf-8") as f:
            yield path, f.read()


def blocks(text):
    """(line number, language, comment above or None, code) of fenced and indented blocks."""
    lines, i = text.split("\n"), 0
    while i < len(lines):
        if lines[i].startswith("```"):
            above = re.fullmatch(r"<!-- (\S+) -->", lines[i - 1]) if i else None
            end = lines.index("```", i + 1)
            yield i + 1, lines[i][3:].strip(), above and above.group(1), "\n".join(lines[i + 1:end])
            i = end
        elif lines[i].startswith("    ") and (i == 0 or not lines[i - 1].strip()):
            end = next((k for k in range(i, len(lines)) if lines[k] and lines[k][:4] != "    "),
                       len(lines))
            yield i, "", None, "\n".join(line[4:] for line in lines[i:end])
            i = end - 1
        i += 1


def without_blocks(text):
    text = re.sub(r"^```.*?^```$", lambda m: "\n" * m.group().count("\n"), text, flags=re.M | re.S)
    return re.sub(r"^    .*$", "", text, flags=re.M)


# ---- commands --------------------------------------------------------------------------------------


def check_options(place, name, words, known):
    value = None
    for word in words:
        if value:
            check_key(place, word)
            value = None
        elif word.startswith("-") and word != "--":
            option = re.match(r"--[\w-]+|-[A-Za-z]+", word)
            option = option.group() if option else word
            check(option in known, place, f"'pelsim {name}' has no option '{option}', want one of "
                  f"{', '.join(sorted(known))}")
            value = option if option in ("-s", "--set") else None
        elif word.startswith("configs/"):
            check(os.path.exists(os.path.join(SOURCE, word)), place, f"there is no {word}")


def check_key(place, word):
    m = re.match(r"(\w+)\.(\w+)=", word)
    if m and m.group(1) in SECTIONS:
        check(m.groups() in KEYS, place, f"there is no key [{m.group(1)}] {m.group(2)}")


def check_pelsim(place, words):
    name = words[1] if len(words) > 1 else ""
    if name == "test":
        check(words[0].endswith("./pelsim"), place, "only ./pelsim has 'test'")
        check_options(place, name, words[2:], CTEST)
    elif name not in ("help", "--help", "-h", "--version", "COMMAND"):
        check(name in COMMANDS, place, f"pelsim has no subcommand '{name}', want one of "
              f"{', '.join(COMMANDS)}")
        check_options(place, name, words[2:], COMMANDS.get(name, set()))


def check_script(place, words):
    """A script of the source tree: it exists and knows its options."""
    path = os.path.join(SOURCE, words[0])
    check(os.path.exists(path), place, f"there is no {words[0]}")
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            text = f.read()
        for word in words[1:]:
            if word.startswith("--"):
                check(f'"{word.split("=")[0]}"' in text, place, f"{words[0]} has no option {word}")


def check_command(place, line):
    try:
        words = shlex.split(line, comments=True)
    except ValueError:
        return
    if words and words[0] in ("python3", "/usr/bin/python3"):
        words = words[1:]
    if not words:
        return
    if re.fullmatch(r"(\S*/)?pelsim", words[0]):
        check_pelsim(place, words)
    elif words[0].startswith("examples/"):
        check_script(place, words)


def check_commands(path, text):
    for number, language, above, code in blocks(text):
        if language in SHELL:
            for line in code.replace("\\\n", " ").split("\n"):
                check_command(f"{path}:{number}", line)
    for m in re.finditer(r"`((?:\./)?pelsim [^`]*)`", without_blocks(text)):
        check_command(f"{path}, `{m.group(1)}`", m.group(1).rstrip("."))


# ---- the rest --------------------------------------------------------------------------------------


def anchors(path):
    """Anchors of the headings of a document, as GitHub makes them."""
    with open(path, encoding="utf-8") as f:
        heads = re.findall(r"^#+ (.*)$", f.read(), re.M)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in heads}


def check_links(path, text):
    folder = os.path.dirname(os.path.join(SOURCE, path))
    for target in re.findall(r"\]\(([^)\s]+)\)", without_blocks(text)):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        full = os.path.normpath(os.path.join(folder, file)) if file else os.path.join(SOURCE, path)
        check(os.path.exists(full), path, f"the link to {target} leads nowhere")
        if anchor and full.endswith(".md") and os.path.exists(full):
            check(anchor in anchors(full), path, f"{file or path} has no heading #{anchor}")


def check_ini(path, text):
    for number, language, above, code in blocks(text):
        section = None
        for line in code.split("\n") if language == "ini" else []:
            head, pair = re.match(r"\[(\w+)\]", line), re.match(r"(\w+) *=", line)
            section = head.group(1) if head else section
            if pair and section in SECTIONS:
                check((section, pair.group(1)) in KEYS, f"{path}:{number}",
                      f"there is no key [{section}] {pair.group(1)}")


def check_excerpts(path, text):
    for number, language, file, code in blocks(text):
        if file:
            with open(os.path.join(SOURCE, file), encoding="utf-8") as f:
                check(code in f.read(), f"{path}:{number}", f"this is not an excerpt of {file}")


def check_parameters():
    with open(os.path.join(SOURCE, "docs", "parameters.md"), encoding="utf-8") as f:
        got, want = f.read().splitlines(), pelsim("params", "--markdown").splitlines()
    n = next((i for i, (a, b) in enumerate(zip(got, want)) if a != b), min(len(got), len(want)))
    check(got == want, f"docs/parameters.md:{n + 1}",
          f"out of date: got '{''.join(got[n:n + 1])}', want '{''.join(want[n:n + 1])}'; make it "
          "again with  pelsim params --markdown > docs/parameters.md")


def main():
    for path, text in documents():
        for look in (check_commands, check_links, check_ini, check_excerpts):
            look(path, text)
    check_parameters()
    print("\n".join(failures) or f"{checks} statements of the documents hold")
    sys.exit(1 if failures or checks < 100 else 0)


main()
