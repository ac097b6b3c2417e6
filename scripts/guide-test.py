"""Does what CONTRIBUTING.md says, in the working directory; guide-test calls it in a copy.

    guide-test.py HEADING contract    the changes of openapi.yaml under this heading
    guide-test.py HEADING code        all others

A block of code there says in its first line what is to be done with it: `file="…"` is a new file; `in="…" before="…"` are
lines for a file that is there, above the line that `before` gives; `in="…" for="…"` takes the place of that line. Prints what
it did.
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
        sys.exit(f"{path} must have one line {line!r}")
    at = old.index(line + "\n")
    path.write_text("".join(old[:at]) + text + "".join(old[at + (how == "for") :]))


def main(heading: str, part: str) -> None:
    guide = pathlib.Path("CONTRIBUTING.md").read_text()
    section = guide.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    files = lines = 0
    for block in BLOCK.finditer(section):
        path = pathlib.Path(block["path"])
        if (path.name == "openapi.yaml") != (part == "contract"):
            continue
        text = block["text"]
        count = text.count("\n")
        if block["how"]:
            change(path, block["how"], block["line"], text)
            lines += count
        elif path.exists():
            sys.exit(f"{path} is there already")
        else:
            path.write_text(text)
            files += 1
        print(f"{path}: {count} lines{'' if block['how'] else ', new'}")
    print(f"{files} new files, {lines} lines elsewhere")


main(*sys.argv[1:])
