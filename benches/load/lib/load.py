"""Load by wrk and by pgbench. Every function fails if a response was an error."""

import dataclasses, itertools, os, re, subprocess, tempfile

from lib.processes import FIRST_NUMBER, ID_PREFIX, ROOT, fail

SELECT = """\\set n random({first}, {last})
SELECT id, name, email, version, created_at, updated_at FROM users WHERE id = ('{prefix}' || :n)::uuid;
"""
INSERT = """\\set n random(1, 9000000000000000000)
INSERT INTO users (id, name, email, email_key, version, created_at, updated_at) VALUES (gen_random_uuid(), 'Load Test',
'load-' || :n || '@example.com', 'load-' || :n || '@example.com', 1, now(), now());
"""
runs = itertools.count()


@dataclasses.dataclass
class Result:
    """`rate` in requests/s; CPU time of the server in µs for each request; latencies in ms. None: not measured."""

    rate: float
    cpu: float | None = None
    mean: float | None = None
    p99: float | None = None


def wrk(server, kind, *, users, seconds, connections=64, threads=1, items=1):
    """Requests of `kind` (see requests.lua) from closed-loop connections. `items`: the users of a batch."""
    environment = {**os.environ, "REQUESTS": kind, "RUN": f"{os.getpid()}-{next(runs)}", "USERS": str(users), "ITEMS": str(items),
                   "FIRST": f"{ID_PREFIX}{FIRST_NUMBER}", "AUTHORIZATION": server.authorization}
    command = ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s",
               "-s", ROOT / "benches/load/requests.lua", server.url]
    before = server.cpu_seconds()
    output = subprocess.check_output(command, text=True, env=environment)
    used = server.cpu_seconds() - before
    found = re.search(r"^RESULT (\d+) (\d+) (\d+) (\d+) (\d+)$", output, re.MULTILINE)
    requests, micros, mean, p99, errors = map(int, found.groups())
    if errors or not requests:
        fail(f"{server.name}, {kind}, {connections} connections: {errors} errors in {requests} requests\n{output}")
    return Result(requests / micros * 1e6, used / requests * 1e6, mean / 1000, p99 / 1000)


def pgbench(postgres, url, kind, *, users, seconds, connections=64):
    script = SELECT if kind == "read" else INSERT
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script.format(first=FIRST_NUMBER, last=FIRST_NUMBER + users - 1, prefix=ID_PREFIX))
        file.flush()
        command = [postgres.program("pgbench"), "-M", "prepared", "-c", str(connections), "-j", "2", "-n",
                   "-T", str(seconds), "-f", file.name, url]
        output = subprocess.check_output(command, text=True, stderr=subprocess.STDOUT)
    if not re.search(r"^number of failed transactions: 0 ", output, re.MULTILINE) and "failed" in output:
        fail(f"pgbench, {kind}:\n{output}")
    mean = float(re.search(r"^latency average = ([\d.]+) ms", output, re.MULTILINE)[1])
    return Result(float(re.search(r"^tps = ([\d.]+)", output, re.MULTILINE)[1]), mean=mean)
