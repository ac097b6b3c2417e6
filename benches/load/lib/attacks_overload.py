"""More creates than a slow database can do, from an open-loop client: what is late does not reduce what is sent."""

import array, collections, dataclasses, errno, json, select, time

from lib.attacks import NO_RATE_LIMIT, Attack
from lib.clients import Process, attacker, get, milliseconds, open_socket, percentile, post
from lib.processes import fail
from lib.report import table

STATEMENT_SECONDS = 0.2
DATABASE_CONNECTIONS = 2
CLOSED_LOOP = 500  # connections of a process
MAX_CONNECTIONS = 5_000  # of a process
PROCESSES, FACTORS = 2, (1, 2, 4, 10)
PROBES = 50  # creates/s by which the recovery is measured
RAMP = 1.5  # seconds until the load is steady: the queue is full, and the rate of the statements known
RECOVERED = 20  # as many of these in a row that are as fast as before
SLOW = """CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep({seconds}); RETURN NULL; END $$;
CREATE TRIGGER slow BEFORE INSERT ON users FOR EACH STATEMENT EXECUTE FUNCTION slow();"""


@dataclasses.dataclass
class Offered:
    """The responses: when each request was due, in how many seconds after that it was answered, and with which status."""

    due: array.array
    took: array.array
    status: array.array
    failed: int = 0  # connections that ended
    unsent: int = 0  # requests that were due and not sent

    def of(self, low, high):
        return [took for took, status in zip(self.took, self.status) if low <= status < high]

    def created_per_second(self, begin, end):
        times = (due + took for due, took, status in zip(self.due, self.took, self.status) if 200 <= status < 300)
        return sum(begin <= time < end for time in times) / (end - begin)


def bodies(tag):
    """Creates, each with an address of its own."""
    number = 0
    while True:
        number += 1
        body = json.dumps({"name": "Load Test", "email": f"{tag}-{number:09}@example.com"})
        yield post("/users", len(body)) + body.encode()


def offer(stop, port, tag, rate=None, kind="create"):
    """Sends requests at a rate, whatever the responses; without a rate, a request on each connection after its response."""
    poll, idle, busy = select.epoll(), [], {}  # busy: {file descriptor: (socket, when its request was due)}
    offered = Offered(*(array.array(code) for code in "ddh"))
    message = bodies(tag) if kind == "create" else iter(lambda: get("/health"), None)
    start, sent, opened, limit = time.monotonic(), 0, 0, MAX_CONNECTIONS if rate else CLOSED_LOOP

    def connect():
        nonlocal opened
        client = open_socket(f"127.3.{hash(tag) % 250}.{1 + opened % 250}")
        client.setblocking(False)
        if client.connect_ex(("127.0.0.1", port)) not in (0, errno.EINPROGRESS):
            fail("a client could not connect")
        opened += 1
        poll.register(client, select.EPOLLOUT)
        return client

    def fail_of(client):
        nonlocal opened
        offered.failed += 1
        opened -= 1
        client.close()

    while not stop.is_set():
        now = time.monotonic()
        due_count = int((now - start) * rate) + 1 if rate else sent + len(idle) + limit - opened
        while sent < due_count and (idle or len(busy) < limit):
            # A new connection sends when it is established.
            client, request = (idle.pop(), next(message)) if idle else (connect(), None)
            try:
                if request:
                    client.send(request)
            except OSError:
                fail_of(client)
                continue
            busy[client.fileno()] = client, start + sent / rate if rate else now
            sent += 1
        wait = max(0.0, start + sent / rate - time.monotonic()) if rate and sent >= due_count else 0.001
        for number, events in poll.poll(min(wait, 0.05)):
            if number not in busy:  # the server has closed a free connection
                client = next(client for client in idle if client.fileno() == number)
                idle.remove(client)
                fail_of(client)
                continue
            client, due = busy[number]
            try:
                if events & select.EPOLLOUT:
                    client.send(next(message))
                    poll.modify(client, select.EPOLLIN)
                    continue
                received = client.recv(1 << 16)
            except OSError:
                received = b""
            del busy[number]
            if received:
                offered.due.append(due)
                offered.took.append(time.monotonic() - due)
                offered.status.append(int(received[9:12]))
                idle.append(client)
            else:
                fail_of(client)
    offered.unsent = max(0, int((time.monotonic() - start) * rate) - sent) if rate else 0
    for client in [*idle, *(client for client, _ in busy.values())]:
        client.close()
    return offered


def load(context, tag, seconds, rate=None, kind="create"):
    """Runs the clients; returns what all of them got."""
    processes = context.start(*((offer, f"{tag}-{number}", rate and rate / PROCESSES, kind) for number in range(PROCESSES)))
    time.sleep(seconds)
    for process in processes:
        process.stop.set()
    results = [process.result() for process in processes]
    joined = results[0]
    for result in results[1:]:
        joined.due.extend(result.due)
        joined.took.extend(result.took)
        joined.status.extend(result.status)
        joined.failed += result.failed
        joined.unsent += result.unsent
    return joined


def recovery(probes, usual, end):
    """The seconds after `end` until the first of RECOVERED creates in a row that were as fast as usual."""
    responses = zip(probes.due, probes.took, probes.status)
    after = sorted((due, took <= usual and status == 201) for due, took, status in responses if due >= end)
    row = 0
    for number, (_, good) in enumerate(after):
        row = row + 1 if good else 0
        if row == RECOVERED:
            return after[number - RECOVERED + 1][0] - end
    return None


def level(context, factor, rate, seconds):
    """Measures the usual creates, the load, and the time after it. Returns (2xx per second, the cells of its row)."""
    begin = time.monotonic()
    prober = Process(offer, context.port, f"probe-{factor}-{begin:.0f}", PROBES)
    time.sleep(min(4.0, seconds))
    begin_load = time.monotonic()
    offered = load(context, f"load-{factor}-{begin:.0f}", seconds, rate)
    end = time.monotonic()
    time.sleep(min(8.0, 2 * seconds))
    probes = prober.result()
    # Those that were due last had the load beside them.
    usual = percentile([took for due, took in zip(probes.due, probes.took) if due < begin_load - 1], 99)
    recovered = recovery(probes, usual, end)
    created, refused = offered.of(200, 300), offered.of(503, 504)
    statuses = collections.Counter(status for status in offered.status if not 200 <= status < 300 and status != 503)
    others = [f"{offered.failed} failed", f"{offered.unsent:,} not sent"]
    others += [f"{count:,} × {status}" for status, count in statuses.items()]
    good = offered.created_per_second(begin_load + RAMP, end)
    return good, [f"{rate:,.0f} ({factor}×)", f"{len(offered.status) / seconds:,.0f}", f"{good:,.0f}", milliseconds(created),
                  milliseconds(refused), f"{len(refused):,}", ", ".join(others), f"{1000 * usual:.0f}",
                  "–" if recovered is None else f"{recovered:.2f}"]


def overload(context):
    seconds = context.seconds / 2
    context.sql(SLOW.format(seconds=STATEMENT_SECONDS))
    limit = len(load(context, "limit", min(3, seconds), kind="health").status) / min(3, seconds)
    load(context, "warm-up", min(2, seconds))
    begin = time.monotonic() + RAMP
    capacity = load(context, "capacity", seconds).created_per_second(begin, time.monotonic())
    if not capacity:
        fail("no user was created")
    levels = [level(context, factor, factor * capacity, seconds) for factor in FACTORS]
    peak = max(capacity, *(good for good, _ in levels))
    rows = [[cells[0], cells[1], f"{cells[2]} ({good / peak:.0%})", *cells[3:]] for good, cells in levels]
    header = ["creates/s offered", "answered/s", "2xx/s (share of the peak)", "2xx, ms p50 / p99", "503, ms p50 / p99", "503s",
              "others", "p99 before, ms", "recovered after, s"]
    context.details.append(f"""PostgreSQL takes {STATEMENT_SECONDS} s longer for each statement with creates, and has {DATABASE_CONNECTIONS} connections:
{capacity:,.0f} creates/s with {PROCESSES * CLOSED_LOOP:,} connections in a closed loop. {PROCESSES} processes of the open-loop client have
at most {PROCESSES * MAX_CONNECTIONS:,} connections; with `GET /health` in a closed loop they reach {limit:,.0f} requests/s beside the
server. A level that is near to that, or with many requests that were not sent, shows the limit of the client. Each level takes
{seconds:g} s; 2xx/s are those after the first {RAMP:g} s. Times are from when a request was due. Recovered: {RECOVERED} creates in a
row, of {PROBES}/s, succeed within their p99 before.

{table(header, rows)}""")
    shares = " / ".join(f"{good / peak:.0%}" for good, _ in levels)
    return f"{shares} of the peak of {peak:,.0f} creates/s at {', '.join(map(str, FACTORS))} times the capacity"


ATTACKS = {
    "overload": Attack("creates at 1, 2, 4 and 10 times the capacity of a slow PostgreSQL",
                       "503 at once for what would not start in time", overload,
                       NO_RATE_LIMIT | {"DATABASE_MAX_CONNECTIONS": str(DATABASE_CONNECTIONS), "MAX_CONNECTIONS": "18000",
                                        "REQUEST_TIMEOUT": "3s"}, database="postgres"),
}
