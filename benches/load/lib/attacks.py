"""What the attacks of benches/load/attack have in common."""

import dataclasses, time, typing

from lib.clients import Process


@dataclasses.dataclass
class Attack:
    """`defence` is what bounds the attack; `settings` are those of the server that are not the defaults."""

    title: str
    defence: str
    run: typing.Callable  # of a Context; returns what became of the attacker
    settings: dict = dataclasses.field(default_factory=dict)
    seconds: int = 20  # at least: longer than the deadlines that bound the attack
    database: str = "sqlite"


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


NO_RATE_LIMIT = {"RATE_LIMIT": "off", "CALLER_RATE_LIMIT": "off"}
