"""What the tests of the configurations in deploy/ share."""

import contextlib
import pathlib
import random
import socket
import time

DEPLOY = pathlib.Path(__file__).resolve().parents[1] / "deploy"


def free_port():
    """Below the ephemeral ports, so that no connection takes the port of a server that restarts."""
    while True:
        port = random.randrange(20000, 32000)
        with contextlib.suppress(OSError), socket.socket() as one:
            one.bind(("127.0.0.1", port))
            return port


def accepts(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True


def wait_until(what, condition, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if result := condition():
            return result
        time.sleep(0.02)
    raise AssertionError(f"timeout: {what}")


def replaced(file, replacements):
    """The text of a file in deploy/ with other addresses and paths."""
    text = (DEPLOY / file).read_text()
    for old, new in replacements.items():
        assert old in text, f"{file}: no {old!r}"
        text = text.replace(old, new)
    return text
