"""Does what CONTRIBUTING.md says under "Add a resource", in the working directory; guide-test calls it in a copy.

    guide-test.py contract    the changes of openapi.yaml
    guide-test.py code        everything else

A block of code there says in its first line what is to be done with it: `file="…"` is a new file, `in="…" before="…"` are
lines of a file that is there, above the first line that is the same as what `before` says. Prints what it did.
"""

import pathlib
import re
import sys

BLOCK = re.compile(r'^```\w+ (file|in)="([^"]+)"(?: before="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
CONTRACT = "openapi.yaml"


def insert(path: pathlib.Path, anchor: str, text: str) -> None:
    lines = path.read_text().splitlines(keepends=True)
    if anchor + "\n" not in lines:
        sys.exit(f"{path} has no line {anchor!r}")
    at = lines.index(anchor + "\n")
    path.write_text("".join(lines[:at]) + text + "".join(lines[at:]))


def main() -> None:
    guide = pathlib.Path("CONTRIBUTING.md").read_text()
    section = guide.split("\n## Add a resource\n", 1)[1].split("\n## ", 1)[0]
    files = edited = 0
    for kind, name, anchor, text in BLOCK.findall(section):
        path = pathlib.Path(name)
        if (name == CONTRACT) != (sys.argv[1] == "contract"):
            continue
        if kind == "file":
            if path.exists():
                sys.exit(f"{name} is there already")
            path.write_text(text)
            files += 1
        else:
            insert(path, anchor, text)
            edited += text.count("\n")
        print(f"{name}: {text.count(chr(10))} lines{'' if kind == 'in' else ', new'}")
    print(f"{files} new files, {edited} lines elsewhere")


main()
