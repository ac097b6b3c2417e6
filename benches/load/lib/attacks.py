"""What the attacks of benches/load/attack have in common."""

import dataclasses, time, typing

from lib.attacks_sockets import Hold, hold
from lib.clients import Process, fork
from lib.processes import fail

HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"


@dataclasses.dataclass
class Attack:
    """`defence` is what bounds the attack; `settings` are those of the server that are not the defaults."""

    title: str
    defence: str
    run: typing.Callable  # of a Context; returns what became of the attacker
    settings: dict = dataclasses.field(default_factory=dict)
    seconds: int = 20  # at least: longer than the deadlines that bound the attack
    database: str = "sqlite"
    idle: int = 0  # connections that other clients keep open, without requests, since before the attack


@dataclasses.dataclass
class Context:
    """A running server, and how long it is attacked."""

    server: typing.Any
    seconds: float
    sql: typing.Callable | None = None  # runs a statement on the database, if it is PostgreSQL
    details: list = dataclasses.field(default_factory=list)  # further tables

    @property
    def port(self):
        return self.server.port

    def start(self, *processes):
        """Starts functions, each with its arguments, in processes of their own."""
        return [Process(function, self.port, *arguments) for function, *arguments in processes]

    def attack(self, *processes):
        """Runs them for the time of the attack, and returns their results."""
        started = self.start(*processes)
        time.sleep(self.seconds)
        return [process.result() for process in started]


class Idle:
    """Keep-alive connections that have sent a request, in a process of their own."""

    def __init__(self, context, count):
        before, opened = context.server.memory(), fork.Event()
        self.count = count
        self.process = Process(hold, context.port, Hold([f"127.2.{number // 40}.1" for number in range(count)], HEALTH), opened)
        if not opened.wait(60):
            fail("the idle connections were not opened within 60 s")
        time.sleep(1)
        self.each = (context.server.memory() - before) / count

    def end(self):
        held = self.process.result()
        return f"{self.count:,} idle connections: {self.each / 1000:.1f} kB each, {len(held.ages)} closed"


NO_RATE_LIMIT = {"RATE_LIMIT": "off", "CALLER_RATE_LIMIT": "off"}
