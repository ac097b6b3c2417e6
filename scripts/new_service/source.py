"""Edits of files by their text."""

import re

ADVICE = "; the file has changed: adapt scripts/new_service to it (git checkout . && git clean -fd undo what was done)"

class Source:
    """A file to edit. An edit that does not find its place is an error: the file has changed, and this script has not."""

    def __init__(self, root, path):
        self.name, self.path = path, root / path
        self.text = self.path.read_text(encoding="utf-8")

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.path.write_text(self.text, encoding="utf-8", newline="")

    def replace(self, old, new, count=1):
        """Without a count, in every place, one at least."""
        found = self.text.count(old)
        if found != (count or found or 1):
            raise ValueError(f"{self.name}: {old!r} is there {found} times, expected {count or 'once at least'}{ADVICE}")
        self.text = self.text.replace(old, new)

    def after(self, place, new, count=1):
        self.replace(place, place + new, count)

    def sub(self, pattern, replacement):
        self.text, count = re.subn(pattern, replacement, self.text, flags=re.MULTILINE)
        if count == 0:
            raise ValueError(f"{self.name}: nothing matches {pattern}{ADVICE}")
