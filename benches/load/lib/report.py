"""Tables, and the measured parts of docs/performance.md."""

import os, pathlib, platform, re, sys

from lib.processes import ROOT, fail

DOCUMENT = ROOT / "docs/performance.md"


def table(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def number(value, digits=0):
    """Three significant digits are more than the measurement has; "–" without a value."""
    return "–" if value is None else f"{value:,.{digits}f}"


def progress(text=""):
    """Replaces the last progress line on a terminal; without text, ends it."""
    if sys.stderr.isatty():
        print(f"\r{text:79}", end="" if text else "\n", file=sys.stderr, flush=True)


def machine():
    model = re.search(r"^model name\s*:\s*(.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return f"{os.cpu_count()} CPUs ({model[1] if model else platform.machine()}), Linux {platform.release().split('-')[0]}"


def write(part, text, path=DOCUMENT):
    """Replaces the text between the markers of `part`; the rest of the document is written by hand."""
    document = path.read_text()
    begin, end = f"<!-- measured by benches/load/{part} -->\n", f"<!-- end of benches/load/{part} -->\n"
    if begin not in document or end not in document:
        fail(f"{path} has no markers for {part}")
    before, rest = document.split(begin, 1)
    path.write_text(f"{before}{begin}\n{text.strip()}\n\n{end}{rest.split(end, 1)[1]}")
