"""Attacks by requests over HTTP/1.1: bodies, and random heads."""

import collections, functools, itertools, random, string, threading, time

from lib.attacks import NO_RATE_LIMIT, Attack
from lib.attacks_sockets import Hold, hold
from lib.clients import attacker, exchange, get, open_socket, post, user_path
from lib.processes import AUTHORIZATION

MEMBERS, SENDERS, HELD = 110_000, 16, 900
REQUESTS, PER_CONNECTION = 100_000, 100


def unknown_members():
    names = itertools.islice(itertools.product(string.ascii_lowercase + string.digits, repeat=4), MEMBERS)
    return ",".join(f'"{"".join(name)}":0' for name in names)


def send_bodies(stop, port, path, body):
    """Sends the same request on a connection from each of SENDERS addresses, as fast as the server responds."""
    message, statuses, times, lock = post(path, len(body)) + body, collections.Counter(), [], threading.Lock()

    def one(address):
        client = None
        while not stop.is_set():
            began, status = time.monotonic(), "failed"
            try:
                if not client:
                    client = open_socket(address)
                    client.settimeout(10)
                    client.connect(("127.0.0.1", port))
                client.sendall(message)
                with client.makefile("rb") as response:
                    status = response.readline()[9:12].decode() or "failed"
                    headers = {}
                    while (line := response.readline()) != b"\r\n":
                        name, value = line.split(b":", 1)  # fails at the end of the connection
                        headers[name.lower()] = value.strip()
                    response.read(int(headers[b"content-length"]))
                is_last = headers.get(b"connection") == b"close"
            except (OSError, ValueError, KeyError):
                is_last = True
            if is_last and client:
                client.close()
                client = None
            with lock:
                statuses[status] += 1
                times.append(time.monotonic() - began)

    threads = [threading.Thread(target=one, args=[attacker(number)]) for number in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses, times


def bodies(context, path):
    begin, end = ('{"users":[{', "}]}") if path.endswith("batch") else ("{", "}")
    body = f"{begin}{unknown_members()}{end}".encode()
    [(statuses, times)] = context.attack((send_bodies, path, body))
    counts = ", ".join(f"{count:,} × {status}" for status, count in statuses.most_common())
    rate = sum(statuses.values()) / context.seconds
    return f"{rate:,.0f} requests/s of {len(body) / 1e6:.1f} MB: {counts}; at most {max(times):.2f} s"


def held_bodies(context):
    body = b'{"users":[{' + b" " * ((1 << 20) - 11)
    addresses = [attacker(0)] * HELD
    [held] = context.attack((hold, Hold(addresses, post("/users/batch", len(body) + 1) + body, reopen=0.1)))
    return f"{held.closed()}; {', '.join(f'{count:,} × {status}' for status, count in held.statuses.most_common()) or 'no response'}"


def random_word(source, letters=string.ascii_letters + string.digits, longest=20):
    return "".join(source.choices(letters, k=source.randint(1, longest)))


def random_address(source):
    return ".".join(str(source.randrange(256)) for _ in range(4))


def random_request(source):
    unknown = random_word(source)
    method = source.choice(["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", unknown, unknown.upper()])
    path = source.choice(["/", "/users/", "/users?limit=", "/swagger-ui/", "/problems/", "/health/"]) + random_word(source)
    return (f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: {random_word(source)}/{source.random()}\r\n"
            f"X-Forwarded-For: {random_address(source)}\r\nForwarded: for={random_address(source)}\r\n"
            + (f"Authorization: {AUTHORIZATION}\r\n" if source.random() < 0.5 else "") + "Content-Length: 0\r\n\r\n").encode()


def send_random(stop, port, first, last):
    """Sends the connections of a range, with PER_CONNECTION requests each; returns the responses."""
    responses, source = 0, random.Random(first)
    close = get("/health", more="Connection: close\r\n")
    for number in range(first, last):
        if not stop.is_set():
            message = b"".join(random_request(source) for _ in range(PER_CONNECTION - 1)) + close
            responses += exchange(port, message, attacker(number % 250)).count(b"HTTP/1.1 ")
    return responses


def series(port):
    lines = exchange(port, get("/metrics", more="Connection: close\r\n")).split(b"\n")
    return sum(line[:1].islower() and b"HTTP" not in line and b": " not in line for line in lines)


def random_heads(context):
    """Takes as long as it takes; the number of requests is fixed unless `--seconds` is less than the default."""
    port, counts, responses = context.port, [series(context.port)], 0
    total = REQUESTS if context.seconds >= 20 else REQUESTS // 20
    connections = total // PER_CONNECTION
    for half in range(2):
        first = half * connections // 2
        middle, last = first + connections // 4, first + connections // 2
        processes = context.start((send_random, first, middle), (send_random, middle, last))
        responses += sum(process.result(stop=False, seconds=300) for process in processes)
        counts.append(series(port))
    forwarded = (f"10.0.{number // 250}.{number % 250}" for number in range(2000))
    requests = b"".join(get(user_path(6), more=f"X-Forwarded-For: {address}\r\nForwarded: for={address}\r\n") for address in forwarded)
    refused = exchange(port, requests + get("/health", more="Connection: close\r\n"), attacker(251)).count(b"HTTP/1.1 429")
    return (f"{responses:,} responses; series of /metrics: {counts[0]} before, {counts[1]} after one half, {counts[2]} after all;"
            f" of 2,000 requests of one address with as many forwarded addresses {refused:,} × 429")


ATTACKS = {
    "bodies-users": Attack("1 MB bodies with 110,000 unknown members to POST /users, as fast as possible",
                           "16 KiB for this operation", functools.partial(bodies, path="/users")),
    "bodies-batch": Attack("the same to POST /users/batch, which allows 2 MiB", "1,000 violations, rate limits",
                           functools.partial(bodies, path="/users/batch")),
    "bodies-held": Attack("900 unfinished bodies of 1 MiB to POST /users/batch", "BODY_TIMEOUT (10 s)", held_bodies,
                          NO_RATE_LIMIT),
    "random-heads": Attack("100,000 random methods, paths, user agents and forwarded addresses",
                           "labels are templates; addresses are those of sockets", random_heads),
}
