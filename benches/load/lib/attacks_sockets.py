"""How an attacker uses many sockets: it holds them open, or it sends on them as fast as it can."""

import collections, dataclasses, errno, select, threading, time

from lib.clients import open_socket

CONNECTS_AT_ONCE = 500
PATIENCE = 5.0
CLOSED = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR


@dataclasses.dataclass
class Hold:
    """How connections are held open. Times are in seconds."""

    addresses: list  # of each connection
    first: bytes  # sent at once
    piece: bytes = b""  # sent again and again
    interval: float = 1.0
    reads: bool = True
    reopen: float | None = None  # after this time a closed connection is opened again
    receive_buffer: int | None = None


@dataclasses.dataclass
class Held:
    """What became of the connections."""

    opened: int = 0
    failed: int = 0  # connects
    most: int = 0  # at once open, with a response if they read
    ages: list = dataclasses.field(default_factory=list)  # of those that the server closed
    open_ages: list = dataclasses.field(default_factory=list)  # of the others
    statuses: collections.Counter = dataclasses.field(default_factory=collections.Counter)

    def closed(self):
        if not self.ages:
            return f"{self.opened:,} connections, none closed"
        left = f"; at the end {len(self.open_ages):,} open, for at most {max(self.open_ages):.1f} s" if self.open_ages else ""
        return f"{self.opened:,} connections, {len(self.ages):,} closed after {min(self.ages):.1f} to {max(self.ages):.1f} s{left}"


class Connection:
    def __init__(self, client, number, rest):
        self.client, self.number, self.rest, self.since, self.responded = client, number, rest, time.monotonic(), False


def hold(stop, port, plan, all_open=None):
    """Holds the connections of a plan; sets the event `all_open` when each was opened once. Returns what became of them."""
    poll, held, open_ones, responded = select.epoll(), Held(), {}, 0
    waiting = collections.deque((0.0, number) for number in range(len(plan.addresses)))  # when a connection is to be opened
    next_piece = time.monotonic() + plan.interval

    def close(connection, by_server):
        nonlocal responded
        responded -= connection.responded
        del open_ones[connection.client.fileno()]
        connection.client.close()
        if by_server:
            held.ages.append(time.monotonic() - connection.since)
            if plan.reopen is not None:
                waiting.append((time.monotonic() + plan.reopen, connection.number))

    def send(connection):
        try:
            while connection.rest:
                connection.rest = connection.rest[connection.client.send(connection.rest):]
        except BlockingIOError:
            return
        poll.modify(connection.client, CLOSED | (select.EPOLLIN if plan.reads else 0))

    while not stop.is_set():
        now, batch = time.monotonic(), 0
        while waiting and waiting[0][0] <= now and batch < CONNECTS_AT_ONCE:
            batch, number = batch + 1, waiting.popleft()[1]
            client = open_socket(plan.addresses[number], plan.receive_buffer)
            client.setblocking(False)
            if client.connect_ex(("127.0.0.1", port)) not in (0, errno.EINPROGRESS):
                held.failed += 1
                client.close()
                continue
            held.opened += 1
            open_ones[client.fileno()] = Connection(client, number, memoryview(plan.first))
            poll.register(client, CLOSED | select.EPOLLOUT | (select.EPOLLIN if plan.reads else 0))
        if all_open and not waiting and held.opened + held.failed >= len(plan.addresses):
            all_open.set()
        for number, events in poll.poll(0 if waiting and waiting[0][0] <= now else 0.02):
            connection = open_ones[number]
            try:
                if events & select.EPOLLOUT:
                    send(connection)
                received = connection.client.recv(1 << 16) if plan.reads and events & (select.EPOLLIN | CLOSED) else None
                if received and not connection.responded:
                    connection.responded, responded = True, responded + 1
                    held.statuses[received[9:12].decode("ascii", "replace")] += 1
                if received == b"" or (not plan.reads and events & CLOSED):
                    close(connection, True)
            except BlockingIOError:
                pass
            except OSError:
                close(connection, True)
        held.most = max(held.most, responded if plan.reads else len(open_ones))
        if plan.piece and time.monotonic() >= next_piece:
            next_piece += plan.interval
            for connection in list(open_ones.values()):
                if not connection.rest:
                    try:
                        connection.client.send(plan.piece)
                    except BlockingIOError:
                        pass
                    except OSError:
                        close(connection, True)
    held.open_ages = [time.monotonic() - connection.since for connection in open_ones.values()]
    for connection in list(open_ones.values()):
        close(connection, False)
    return held


@dataclasses.dataclass
class Flooded:
    """What became of the connections of a flood."""

    connections: int = 0
    bytes: int = 0
    seconds: float = 0
    ages: list = dataclasses.field(default_factory=list)

    def closed(self):
        rate = f"{self.bytes / self.seconds / 1e6:,.1f} MB/s" if self.seconds else "nothing"
        if not self.ages:
            return f"{self.connections:,} connections, {rate}, none closed"
        return (f"{self.connections:,} connections, {rate}; {len(self.ages):,} closed after {1000 * min(self.ages):.0f} to"
                f" {1000 * max(self.ages):.0f} ms and {self.bytes / self.connections / 1000:,.0f} kB on average")


def flood(stop, port, addresses, message, endless=b""):
    """Sends `message` and then `endless` again and again on a connection from each address, and reads what the server sends.

    A connection that is closed, or was not within PATIENCE after a message without `endless`, is opened again.
    """
    flooded, lock = Flooded(), threading.Lock()

    def one(address):
        while not stop.is_set():
            began, (sent, closed) = time.monotonic(), send_on_one(stop, port, address, message, endless)
            with lock:
                flooded.connections += 1
                flooded.bytes += sent
                if closed:
                    flooded.ages.append(time.monotonic() - began)

    began = time.monotonic()
    threads = [threading.Thread(target=one, args=[address]) for address in addresses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    flooded.seconds = time.monotonic() - began
    return flooded


def send_on_one(stop, port, address, message, endless):
    """Returns the bytes that were sent, and whether the server closed the connection."""
    sent, last, rest, poll = 0, None, memoryview(message), select.poll()
    with open_socket(address) as client:
        try:
            client.connect(("127.0.0.1", port))
            client.setblocking(False)
            poll.register(client, select.POLLIN | select.POLLOUT)
            while not stop.is_set():
                for _, events in poll.poll(100):
                    if events & ~select.POLLOUT and not client.recv(1 << 18):
                        return sent, True
                    if events & select.POLLOUT:
                        sent += (length := client.send(rest))
                        rest = rest[length:] or memoryview(endless)
                if not rest and not last:
                    last = time.monotonic()
                    poll.modify(client, select.POLLIN)
                if last and time.monotonic() > last + PATIENCE:
                    return sent, False
        except BlockingIOError:
            pass
        except OSError:
            return sent, True
    return sent, False
