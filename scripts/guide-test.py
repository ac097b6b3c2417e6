"""Applies the code blocks of a guide in the working directory; scripts/guide-test calls it in a copy of the sources.

    guide-test.py GUIDE contract    the changes of openapi.yaml
    guide-test.py GUIDE code        all others

The first line of a block states where its text goes: `file="…"` is a new file; `in="…" before="…"` inserts it into a file, above
the line of `before`; `in="…" for="…"` replaces that line. Prints every change, and the number of new files and of lines in
other files.
"""

import pathlib
import re
import sys

BLOCK = re.compile(
    r'^```\w+ (?:file|in)="(?P<path>[^"]+)"(?: (?P<how>before|for)="(?P<line>[^"]+)")?\n(?P<text>.*?)^```$',
    re.MULTILINE | re.DOTALL,
)


def change(path: pathlib.Path, how: str, line: str, text: str) -> None:
    old = path.read_text().splitlines(keepends=True)
    if old.count(line + "\n") != 1:
        sys.exit(f"{path}: expected one line {line!r}, found {old.count(line + chr(10))}")
    at = old.index(line + "\n")
    path.write_text("".join(old[:at]) + text + "".join(old[at + (how == "for") :]))


def main(guide: str, part: str) -> None:
    files = lines = 0
    for block in BLOCK.finditer(pathlib.Path(guide).read_text()):
        path = pathlib.Path(block["path"])
        if (path.name == "openapi.yaml") != (part == "contract"):
            continue
        text = block["text"]
        count = text.count("\n")
        if block["how"]:
            change(path, block["how"], block["line"], text)
            lines += count
        elif path.exists():
            sys.exit(f"{path} exists")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            files += 1
        print(f"{path}: {count} lines{'' if block['how'] else ', new'}")
    print(f"{files} new files, {lines} lines elsewhere")


main(*sys.argv[1:])
