"""Client processes of benches/load/attack: what they have in common, and the ordinary clients whose latency is measured.

Every client has an address in 127.0.0.0/8, so that the limits for each address count clients as they would over a network.
"""

import asyncio, ctypes, dataclasses, multiprocessing, os, signal, socket, statistics, time

from lib import http2
from lib.processes import AUTHORIZATION, FIRST_NUMBER, ID_PREFIX, OTHER_AUTHORIZATION, fail

fork = multiprocessing.get_context("fork")
IP_BIND_ADDRESS_NO_PORT = 24  # linux/in.h: the port is chosen by connect(), so that an address has 28,000 for each server
PR_SET_PDEATHSIG = 1  # linux/prctl.h: a signal at the end of the parent
TIMEOUT = 5.0  # of an ordinary client, in seconds


def attacker(number):
    """The address of an attacker."""
    return f"127.1.{number // 250}.{1 + number % 250}"


def open_socket(address, receive_buffer=None):
    client = socket.socket()
    client.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
    if receive_buffer:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    client.bind((address, 0))
    return client


def get(path, authorization=AUTHORIZATION, more=""):
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {authorization}\r\n{more}\r\n".encode()


def post(path, length):
    return (f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {AUTHORIZATION}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {length}\r\n\r\n").encode()


def user_path(number):
    return f"/users/{ID_PREFIX}{FIRST_NUMBER + number}"


def exchange(port, message, address="127.0.2.250"):
    """Sends a request that has `Connection: close`; returns the response, or b"" after an error."""
    try:
        with open_socket(address) as client:
            client.settimeout(TIMEOUT)
            client.connect(("127.0.0.1", port))
            client.sendall(message)
            return b"".join(iter(lambda: client.recv(1 << 16), b""))
    except OSError:
        return b""


class Process:
    """A process that runs `function(stop, *arguments)` until the event `stop` is set, and returns its result."""

    running = []

    def __init__(self, function, *arguments):
        self.stop, (self.pipe, pipe) = fork.Event(), fork.Pipe()
        self.process = fork.Process(target=self.run, args=(pipe, function, arguments), daemon=True)
        self.process.start()
        pipe.close()
        self.running.append(self)

    def run(self, pipe, function, arguments):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        pipe.send(function(self.stop, *arguments))

    def result(self, stop=True, seconds=60):
        """Stops the function, or waits until it ends."""
        if stop:
            self.stop.set()
        try:
            if not self.pipe.poll(seconds):
                fail(f"a client process (id {self.process.pid}) did not end within {seconds} s")
            found = self.pipe.recv()
        except EOFError:
            fail("a client process failed")
        self.process.join()
        self.running.remove(self)
        return found

    @classmethod
    def end_all(cls):
        for process in cls.running:
            process.process.kill()
            process.process.join()
        cls.running.clear()


@dataclasses.dataclass
class Sample:
    """A request: its kind, when it was due, how long its response took from then on in seconds, and whether it was a 200."""

    kind: str
    due: float
    took: float
    succeeded: bool


class Http1:
    """A connection of an ordinary client, which sends one request at a time."""

    def __init__(self, path, reader, writer):
        self.message, self.reader, self.writer = get(path, OTHER_AUTHORIZATION), reader, writer

    async def send(self):
        """Returns whether the response is a 200."""
        self.writer.write(self.message)
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await self.reader.readexactly(int(length.split(b":")[1]))
        return head.startswith(b"HTTP/1.1 200 ")


class Http2:
    """The same over HTTP/2."""

    def __init__(self, path, reader, writer):
        self.block, self.reader, self.writer = http2.get(path, OTHER_AUTHORIZATION), reader, writer
        self.stream, self.received = -1, bytearray()
        writer.write(http2.PREFACE + http2.settings() + http2.window_update(0, 1 << 30))

    async def send(self):
        self.stream += 2
        self.writer.write(http2.request(self.stream, self.block))
        succeeded = False
        while True:
            for kind, flags, stream, payload in http2.frames(self.received):
                if kind in (http2.SETTINGS, http2.PING) and not flags & http2.ACK:
                    self.writer.write(http2.frame(kind, http2.ACK, payload=payload if kind == http2.PING else b""))
                if stream == self.stream:
                    succeeded |= kind == http2.HEADERS and payload[0] == http2.STATUS_200
                    if kind == http2.RST_STREAM or (kind in (http2.HEADERS, http2.DATA) and flags & http2.END_STREAM):
                        return succeeded
            received = await self.reader.read(1 << 16)
            if not received:
                raise ConnectionResetError
            self.received += received


# The ordinary clients: kind, protocol, path, requests/s.
KINDS = "users", "health", "HTTP/2"
ORDINARY = [("users", Http1, user_path(0), 25), ("users", Http1, user_path(1), 25), ("health", Http1, "/health", 25),
            ("health", Http1, "/health", 25), ("HTTP/2", Http2, user_path(2), 25)]


async def ordinary(stop, port, number, samples):
    """Sends requests at a fixed rate, each ten on a new connection, the others on one that is free: none waits for another."""
    kind, protocol, path, rate = ORDINARY[number]
    free, tasks, count = [], set(), 0

    async def one(due, is_new):
        connection, succeeded = None, False
        try:
            async with asyncio.timeout(TIMEOUT):
                if free:
                    connection = free.pop()
                if is_new and connection:
                    connection.writer.transport.abort()
                if is_new or not connection:
                    streams = await asyncio.open_connection("127.0.0.1", port, local_addr=(f"127.0.2.{1 + number}", 0))
                    connection = protocol(path, *streams)
                succeeded = await connection.send()
                free.append(connection)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, StopIteration, RuntimeError):
            if connection:
                connection.writer.transport.abort()
        samples.append(Sample(kind, due, time.monotonic() - due, succeeded))

    due = time.monotonic() + number / rate / len(ORDINARY)
    while not stop.is_set():
        await asyncio.sleep(max(0, due - time.monotonic()))
        task = asyncio.create_task(one(due, count % 10 == 0))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        due, count = due + 1 / rate, count + 1
    await asyncio.gather(*tasks)


def ordinary_clients(stop, port):
    async def run():
        samples = []
        await asyncio.gather(*(ordinary(stop, port, number, samples) for number in range(len(ORDINARY))))
        return samples
    return asyncio.run(run())


def percentile(values, percent):
    """`inf` without values."""
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)] if values else float("inf")


def milliseconds(values):
    """p50 and p99 of seconds, in milliseconds."""
    return f"{1000 * statistics.median(values):.1f} / {1000 * percentile(values, 99):.1f}" if values else "–"


def describe(samples, begin, end):
    """The p50 and p99 of each kind, and the failures, of the requests that were due in a time."""
    samples = [sample for sample in samples if begin <= sample.due < end]
    kinds = [f"{kind} {milliseconds([s.took for s in samples if s.kind == kind and s.succeeded])}" for kind in KINDS]
    failures = [f"{count} {kind}" for kind in KINDS if (count := sum(s.kind == kind and not s.succeeded for s in samples))]
    return f"{', '.join(kinds)}; {' + '.join(failures) or 'none'} of {len(samples)} failed"


def open_files(process):
    return len(os.listdir(f"/proc/{process.pid}/fd"))
