"""Attacks by many connections: slow ones, idle ones, all from one address, and all at once."""

import functools, select, threading, time

from lib.attacks import HEALTH, Attack
from lib.attacks_sockets import Hold, hold
from lib.clients import attacker, exchange, get, milliseconds, open_files, open_socket, post

SLOW, IDLE, TAKEN, CONNECTS = 4_000, 10_000, 10_000, 2_000


def slow(context, plan, deadline):
    """Connections that are slow; one that lives a second longer than the deadline is reported."""
    [held] = context.attack((hold, plan))
    late = sum(age > deadline + 1 for age in held.ages + held.open_ages)
    return f"{held.closed()}; {late:,} later than {deadline} s + 1 s"


def slow_read(context):
    """Does not read. The server cannot send the end of a connection whose window is closed, so its sockets are counted."""
    before, counts, began = open_files(context.server.process), [], time.monotonic()
    addresses = [attacker(number % 250) for number in range(SLOW)]
    requests = get("/openapi.json") * 20

    def count():
        while time.monotonic() - began < context.seconds:
            counts.append((time.monotonic() - began, open_files(context.server.process) - before))
            time.sleep(0.2)

    counter = threading.Thread(target=count)
    counter.start()
    [held] = context.attack((hold, Hold(addresses, requests, reads=False, receive_buffer=2048)))
    counter.join()
    most = max(number for _, number in counts)
    end = next((at for at, number in counts if at > 3 and number < most / 100), None)
    at, left = counts[-1]
    closed = f"99 % of the server's sockets closed after {end:.1f} s" if end else f"{left:,} open after {at:.0f} s"
    return f"{held.opened:,} connections, at most {most:,} at once; {closed}"


def addresses(count):
    return [attacker(number % 250) for number in range(count)]


def slow_headers(context):
    return slow(context, Hold(addresses(SLOW), HEALTH[:-2], b"X-Slow: 1\r\n", reopen=0.1), 10)


def slow_body(context):
    return slow(context, Hold(addresses(SLOW), post("/users", 16_000), b" ", reopen=0.1), 10)


def taken(context, clients):
    """Opens TAKEN connections, and a thousand more for further clients; a probe on a new connection twice a second."""
    probes, began = [], time.monotonic()

    def probe():
        while time.monotonic() - began < context.seconds:
            sent = time.monotonic()
            response = exchange(context.port, get("/health/live", more="Connection: close\r\n"))
            probes.append((time.monotonic() - sent, response.startswith(b"HTTP/1.1 200 ")))
            time.sleep(0.5)

    prober = threading.Thread(target=probe)
    prober.start()
    count = TAKEN if clients == 1 else TAKEN + 1000
    [held] = context.attack((hold, Hold([attacker(number % clients) for number in range(count)], HEALTH, reopen=1.0)))
    prober.join()
    succeeded = sum(success for _, success in probes)
    return (f"{held.opened:,} connections opened (a closed one after 1 s again), at most {held.most:,} at once with a response,"
            f" {len(held.ages):,} closed; {succeeded} of {len(probes)} liveness probes succeeded, ms p50 / p99"
            f" {milliseconds([took for took, success in probes if success])}")


def connect_at_once(stop, port):
    """Returns the times of connects, and those until a response, in seconds; repeated every two seconds."""
    connects, responses, failures = [], [], 0
    while not stop.is_set():
        clients, poll, begun = [open_socket(attacker(number % 20)) for number in range(CONNECTS)], select.epoll(), {}
        for client in clients:
            client.setblocking(False)
            begun[client.fileno()] = time.monotonic(), client
            client.connect_ex(("127.0.0.1", port))
            poll.register(client, select.EPOLLOUT)
        end = time.monotonic() + 10
        while begun and time.monotonic() < end:
            for number, events in poll.poll(0.1):
                began, client = begun[number]
                try:
                    if events & select.EPOLLOUT:
                        connects.append(time.monotonic() - began)
                        client.send(HEALTH)
                        poll.modify(client, select.EPOLLIN)
                        continue
                    failures += not client.recv(4096).startswith(b"HTTP/1.1 200 ")
                    responses.append(time.monotonic() - began)
                except OSError:
                    failures += 1
                poll.unregister(client)
                del begun[number]
        failures += len(begun)
        for client in clients:
            client.close()
        stop.wait(2)
    return connects, responses, failures


def connects(context):
    [(connected, responded, failures)] = context.attack((connect_at_once,))
    return (f"{len(connected):,} connects, at most {1000 * max(connected):.0f} ms; first response after at most"
            f" {1000 * max(responded):.0f} ms; {failures} failed")


MORE = {"MAX_CONNECTIONS": "18000"}
ATTACKS = {
    "slow-headers": Attack("4,000 connections with a header line per second, beside 10,000 idle ones", "HEADER_TIMEOUT (10 s)",
                           slow_headers, MORE, 25, idle=IDLE),
    "slow-body": Attack("4,000 connections with a byte of a body per second, beside 10,000 idle ones", "BODY_TIMEOUT (10 s)",
                        slow_body, MORE | {"CALLER_RATE_LIMIT": "off"}, 25, idle=IDLE),
    "slow-read": Attack("4,000 connections with 20 requests for /openapi.json each that read nothing, beside 10,000 idle ones",
                        "TCP_USER_TIMEOUT (30 s)", slow_read, MORE, 40, idle=IDLE),
    "one-address": Attack("one address opens 10,000 keep-alive connections with one request each",
                          "MAX_CONNECTIONS_PER_CLIENT (1,000)", functools.partial(taken, clients=1)),
    "all-connections": Attack("11 addresses open 11,000 keep-alive connections with one request each",
                              "MAX_CONNECTIONS (10,000): those that are idle the longest are closed", functools.partial(taken, clients=11)),
    "connects": Attack("2,000 connects at once, every two seconds", "the backlog of the listener", connects),
}
