"""Two servers behind HAProxy on a PostgreSQL primary with a synchronous replica, with the configurations in deploy/scaling.

restarts   Stops and starts the servers in turn under load. No request may fail.
failover   Kills the primary under load and promotes the replica. Prints what clients saw. Every write that was acknowledged must be
           there afterwards, and none of which a 503 said that nothing was changed.
           In both, the replica serves reads, and each client must read what it wrote.
pgbouncer  Runs the servers behind PgBouncer in session and in transaction mode, and what the start refuses.

suite      The API tests behind PgBouncer in both modes. Not run by default.
measure    Prints what each part costs, with wrk. Not run by default.

Clients repeat nothing. Started by scripts/scaling-test: scaling-test.py SERVER KEY KEY_ENTRY [PART]...
"""

import collections
import contextlib
import http.client
import json
import os
import pathlib
import pwd
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

sys.dont_write_bytecode = True
from deployed import accepts, free_port, replaced, wait_until  # noqa: E402

SERVER, KEY, KEY_ENTRY, *PARTS = sys.argv[1:]
RESTARTS = int(os.environ.get("RESTARTS", "3"))
REQUEST_TIMEOUT = os.environ.get("REQUEST_TIMEOUT", "20s")
PGBOUNCER = os.environ.get("PGBOUNCER", "pgbouncer")
PASSWORD = "throwaway"
CLIENTS = 16
HEADERS = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
# The settings that a server with REQUEST_TIMEOUT=20s sends when it connects, and that PgBouncer ignores (docs/scaling.md).
ROLE_SETTINGS = {
    "statement_timeout": "'8s'", "lock_timeout": "'6s'", "idle_in_transaction_session_timeout": "'5s'",
    "synchronous_commit": "on", "default_transaction_isolation": "'read committed'", "enable_seqscan": "off",
    "enable_bitmapscan": "off",
}


class Machine:
    """Processes, their files, and the processes of PostgreSQL, which refuses to run as root."""

    def __init__(self, folder):
        self.folder, self.running = folder, []
        self.as_owner = []
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            self.as_owner = ["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--init-groups"]
            os.chown(folder, owner.pw_uid, owner.pw_gid)

    def start(self, *command, log, **options):
        with open(self.folder / log, "ab") as output:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, **options)
        self.running.append(process)
        return process

    def stop(self):
        for process in reversed(self.running):
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        for process in self.running:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()

    def write(self, name, text):
        file = self.folder / name
        file.write_text(text)
        return file


class Postgres:
    """The primary and the replica, with the files of deploy/scaling."""

    def __init__(self, machine, replicated, durable=True):
        self.machine, folder = machine, machine.folder
        self.ports = {"primary": free_port(), "replica": free_port()}
        secret = machine.write("password", PASSWORD)
        # A debug build of the server takes a tenth of a second and more for a password. The replica uses one.
        hba = machine.write("pg_hba.conf", replaced("scaling/pg_hba.conf", {"host all all samenet scram-sha-256": "host all all samenet trust"}))
        conf = machine.write("postgresql.conf", replaced("scaling/postgresql.conf", {
            "listen_addresses = '*'": "listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\nmax_wal_size = 256MB",
            "/etc/postgresql/pg_hba.conf": f"{hba}",
        }))
        data = folder / "primary"
        make = ["initdb", f"--pgdata={data}", "--username=web_server", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
        self.run(*make, f"--pwfile={secret}")
        self.environment = {**os.environ, "PGPASSWORD": PASSWORD, "POSTGRES_USER": "web_server",
                            "REPLICATION_PASSWORD_FILE": f"{secret}", "PGHOST": "127.0.0.1"}

        def primary():
            command = ["postgres", "-D", data, "-c", f"config_file={conf}", "-c", f"port={self.ports['primary']}"]
            if not durable:
                command += ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "max_connections=300"]
            process = machine.start(*machine.as_owner, *command, log="primary.log")
            wait_until("the primary", lambda: self.sql("primary", "SELECT 1") == "1")
            return process

        self.primary = primary()
        self.sql("primary", "CREATE DATABASE web_server")
        if not replicated:
            return
        script = machine.write("init.sh", replaced("scaling/init.sh", {}))
        self.run("sh", script, env={**self.environment, "PGPORT": f"{self.ports['primary']}"})
        self.stop_primary()
        self.primary = primary()
        script = machine.write("replica.sh", replaced("scaling/replica.sh", {"/etc/postgresql/postgresql.conf": f"{conf}"}))
        self.replica_data = folder / "replica"
        environment = {**self.environment, "PGDATA": f"{self.replica_data}", "PGPORT": f"{self.ports['replica']}",
                       "PRIMARY_HOST": f"127.0.0.1 port={self.ports['primary']}"}
        self.replica = machine.start(*machine.as_owner, "sh", script, log="replica.log", env=environment, cwd="/")
        state = "SELECT sync_state FROM pg_stat_replication WHERE application_name = 'replica'"
        wait_until("the replica", lambda: self.sql("primary", state) == "sync")

    def run(self, *command, **options):
        subprocess.run([*self.machine.as_owner, *command], check=True, capture_output=True, cwd="/", **options)

    def sql(self, name, statement, check=False):
        target = f"postgres://web_server@127.0.0.1:{self.ports[name]}/postgres"
        command = ["psql", "-qtAX", "-v", "ON_ERROR_STOP=1", target, "-c", statement]
        return subprocess.run(command, check=check, capture_output=True, text=True, env=self.environment).stdout.strip()

    def url(self, port, role="web_server"):
        return f"postgres://{role}:{PASSWORD}@127.0.0.1:{port}/web_server"

    def replica_url(self):
        """As in docker-compose.yml: role, password and database are those of DATABASE_URL."""
        return f"postgres://127.0.0.1:{self.ports['replica']}"

    def stop_primary(self):
        self.primary.send_signal(signal.SIGINT)
        self.primary.wait(20)

    def kill_primary(self):
        children = subprocess.run(["pgrep", "-P", f"{self.primary.pid}"], capture_output=True, text=True).stdout.split()
        for pid in [self.primary.pid, *map(int, children)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.primary.wait(10)

    def promote(self):
        self.run("pg_ctl", "promote", "-D", self.replica_data, "-s", "-w")


class Server:
    """One instance, which keeps its ports when it is started again."""

    def __init__(self, machine, name, url, **variables):
        self.machine, self.name, self.log = machine, name, f"server-{name}.log"
        self.port, self.admin = free_port(), free_port()
        self.environment = {
            "LISTEN_ADDR": f"127.0.0.1:{self.port}", "ADMIN_ADDR": f"127.0.0.1:{self.admin}", "DATABASE_URL": url,
            "API_KEYS": KEY_ENTRY, "TRUSTED_PROXIES": "127.0.0.1", "RATE_LIMIT": "off", "CALLER_RATE_LIMIT": "off",
            "LOG_FORMAT": "json", "RUST_LOG": "info,access=warn", "SHUTDOWN_DELAY": "2s",
            "REQUEST_TIMEOUT": REQUEST_TIMEOUT, **variables,
        }

    def start(self):
        self.process = self.machine.start(SERVER, log=self.log, env=self.environment, cwd=self.machine.folder)
        wait_until(f"server {self.name}", lambda: self.process.poll() is not None or self.is_ready())
        assert self.process.poll() is None, (self.machine.folder / self.log).read_text()[-2000:]
        return self

    def is_ready(self):
        with contextlib.suppress(OSError):
            return urllib.request.urlopen(f"http://127.0.0.1:{self.admin}/health/ready", timeout=1).status == 200

    def metric(self, sample):
        request = urllib.request.Request(f"http://127.0.0.1:{self.admin}/metrics", headers=HEADERS)
        with urllib.request.urlopen(request, timeout=10) as response:
            lines = response.read().decode().splitlines()
        return next((int(float(line.removeprefix(sample))) for line in lines if line.startswith(f"{sample} ")), 0)

    def until_replica_serves(self):
        wait_until("the replica serves reads", lambda: self.metric('database_replicas{state="used"}'))

    def reads_by_replica(self):
        return self.metric('database_replica_reads_total{result="served"}')

    def stop(self):
        self.process.terminate()
        assert self.process.wait(30) == 0, (self.machine.folder / self.log).read_text()[-2000:]

    def refusal(self):
        """The last line of a start that fails."""
        result = subprocess.run([SERVER], env=self.environment, cwd=self.machine.folder, capture_output=True, text=True, timeout=60)
        assert result.returncode != 0, "the server started and stopped"
        return (result.stdout + result.stderr).strip().splitlines()[-1]


class HAProxy:
    def __init__(self, machine, postgres, servers):
        self.port, self.database, self.metrics = free_port(), free_port(), free_port()
        self.socket = machine.folder / "haproxy.sock"
        names = {}
        for server in servers:
            names[f"server-{server.name}:8080 port 9090"] = f"127.0.0.1:{server.port} port {server.admin}"
            names[f"server-{server.name}:8080"] = f"127.0.0.1:{server.port}"
        config = machine.write("haproxy.cfg", replaced("scaling/haproxy.cfg", names | {
            "primary:5432": f"127.0.0.1:{postgres.ports['primary']}", "replica:5432": f"127.0.0.1:{postgres.ports['replica']}",
            "bind :8080": f"bind 127.0.0.1:{self.port}", "bind :5432": f"bind 127.0.0.1:{self.database}",
            "bind :8404": f"bind 127.0.0.1:{self.metrics}", "/tmp/haproxy.sock": f"{self.socket}", "option httplog": "option dontlog-normal",
        }))
        self.process = machine.start("haproxy", "-db", "-f", config, log="haproxy.log")
        wait_until("HAProxy", lambda: self.socket.exists())

    def up(self, backend):
        """The servers of a backend that HAProxy uses."""
        with socket.socket(socket.AF_UNIX) as one:
            one.connect(f"{self.socket}")
            one.sendall(b"show stat\n")
            text = b"".join(iter(lambda: one.recv(65536), b"")).decode()
        rows = [line.split(",") for line in text.splitlines()]
        return {row[1] for row in rows if row[0] == backend and row[1] != "BACKEND" and row[17].startswith("UP")}


Answer = collections.namedtuple("Answer", "kind ended took status body")


class Client(threading.Thread):
    """Creates users, reads, changes and lists them, on one connection, and records what was acknowledged."""

    def __init__(self, number, port):
        super().__init__(daemon=True)
        self.number, self.port, self.answers, self.stopped = number, port, [], False
        self.versions = {}  # id: (the least version, the greatest)
        self.not_done, self.unknown = [], []  # e-mail addresses
        self.compared, self.stale = 0, []  # names that were read after a write that was acknowledged
        self.connection = None

    def call(self, kind, method, path, body=None, headers=HEADERS):
        began, status, content = time.monotonic(), None, None
        try:
            self.connection = self.connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            self.connection.request(method, path, json.dumps(body) if body else None, headers)
            response = self.connection.getresponse()
            status, content = response.status, response.read()
            # http.client closes by itself; the next request opens a connection.
        except (OSError, http.client.HTTPException) as error:
            status, content = type(error).__name__, None
            self.connection.close()
            self.connection = None
        ended = time.monotonic()
        try:
            content = json.loads(content or b"{}")
        except ValueError:
            content = {"outcome": "unknown"}  # of HAProxy
        if content is None or not isinstance(status, int):
            content = {"outcome": "unknown"}
        self.answers.append(Answer(kind, ended, ended - began, status, content))
        time.sleep(0.002)
        return status, content

    def run(self):
        count = 0
        while not self.stopped:
            count += 1
            email = f"client-{os.getpid()}-{id(self)}-{count}@example.com"
            status, user = self.call("write", "POST", "/users", {"name": "Ada", "email": email})
            if status != 201:
                (self.unknown if user.get("outcome") == "unknown" else self.not_done).append(email)
                self.call("read", "GET", "/users?limit=2")
                continue
            identifier, version = user["id"], 1
            self.versions[identifier] = (1, 1)
            status, user = self.call("read", "GET", f"/users/{identifier}")
            self.compare(status, [user], "Ada")
            name = f"Ada {count}"
            status, problem = self.call("write", "PATCH", f"/users/{identifier}", {"name": name})
            is_unknown = status != 200 and problem.get("outcome") == "unknown"
            self.versions[identifier] = (version + (status == 200), version + (status == 200 or is_unknown))
            if status != 200:
                self.call("read", "GET", "/users?limit=2")
                continue
            status, page = self.call("read", "GET", f"/users?limit=2&email={email}")
            self.compare(status, page.get("users"), name)

    def compare(self, status, users, name):
        """Compares what was read with the write of this client before."""
        if status == 200:
            self.compared += 1
            if [user["name"] for user in users] != [name]:
                self.stale.append((name, users))


def is_success(answer):
    return answer.status in (200, 201)


class Load:
    """Clients of one port."""

    def __init__(self, port):
        self.port = port

    def __enter__(self):
        self.clients = [Client(number, self.port) for number in range(CLIENTS)]
        self.began = time.monotonic()
        for client in self.clients:
            client.start()
        return self

    def __exit__(self, *_):
        for client in self.clients:
            client.stopped = True
        for client in self.clients:
            client.join(40)
        self.answers = sorted((answer for client in self.clients for answer in client.answers), key=lambda answer: answer.ended)
        self.failed = [answer for answer in self.answers if not is_success(answer)]
        self.seconds = time.monotonic() - self.began

    def summary(self):
        slowest = max(answer.took for answer in self.answers)
        return f"{len(self.answers)} requests in {self.seconds:.0f} s, {len(self.failed)} failed, the slowest took {slowest:.2f} s"

    def check_none_failed(self, what):
        print(f"{what}: {self.summary()}")
        assert self.answers and not self.failed, [(answer.kind, answer.status, answer.body) for answer in self.failed[:10]]

    def check_writes(self):
        """Compares every user with what was acknowledged, and returns the numbers."""
        reader, versions = Client(0, self.port), {}
        for client in self.clients:
            versions |= client.versions
        found = {}
        identifiers, lost, wrong = list(versions), [], []
        for start in range(0, len(identifiers), 500):
            status, page = reader.call("read", "POST", "/users/lookup", {"ids": identifiers[start:start + 500]})
            assert status == 200, page
            found |= {user["id"]: user for user in page["users"]}
        for identifier, (least, greatest) in versions.items():
            if identifier not in found:
                lost.append(identifier)
                continue
            # The ETag of a user is its version.
        sample = random.sample(identifiers, min(len(identifiers), 2000))
        for identifier in sample:
            reader.connection = reader.connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            reader.connection.request("GET", f"/users/{identifier}", headers=HEADERS)
            response = reader.connection.getresponse()
            response.read()
            version = int(response.headers["ETag"].strip('"')) if response.status == 200 else 0
            if not versions[identifier][0] <= version <= versions[identifier][1]:
                wrong.append((identifier, version, versions[identifier]))

        def existing(emails):
            users = []
            for start in range(0, len(emails), 500):
                _, page = reader.call("read", "POST", "/users/lookup", {"emails": emails[start:start + 500]})
                users += page["users"]
            return len(users)

        not_done = [email for client in self.clients for email in client.not_done]
        unknown = [email for client in self.clients for email in client.unknown]
        done_anyway, were_done = existing(not_done), existing(unknown)
        compared, stale = sum(client.compared for client in self.clients), [read for client in self.clients for read in client.stale]
        print(f"acknowledged creations: {len(versions)}, lost: {len(lost)}; versions compared: {len(sample)}, wrong: {len(wrong)}; "
              f"refused creations: {len(not_done)}, done anyway: {done_anyway}; creations with an unknown outcome: {len(unknown)}, "
              f"done: {were_done}; reads after a write: {compared}, without it: {len(stale)}")
        assert compared and not lost and not wrong and not done_anyway and not stale, (lost[:5], wrong[:5], stale[:5])


@contextlib.contextmanager
def machine():
    with tempfile.TemporaryDirectory(prefix="web_server.") as folder:
        own = Machine(pathlib.Path(folder))
        try:
            yield own
        except BaseException:
            for log in sorted(own.folder.glob("*.log")):
                print(f"--- {log.name}\n{log.read_text()[-1500:]}", file=sys.stderr)
            raise
        finally:
            own.stop()


@contextlib.contextmanager
def deployment():
    """What docker-compose.yml has."""
    with machine() as own:
        postgres = Postgres(own, replicated=True)
        # HAProxy has to know the ports of the servers, and the servers that of HAProxy.
        servers = [Server(own, name, "") for name in "ab"]
        haproxy = HAProxy(own, postgres, servers)
        wait_until("the primary in HAProxy", lambda: "primary" in haproxy.up("primary"))
        for server in servers:
            server.environment |= {"DATABASE_URL": postgres.url(haproxy.database), "DATABASE_REPLICA_URLS": postgres.replica_url()}
            server.start()
            server.until_replica_serves()
        wait_until("the servers in HAProxy", lambda: haproxy.up("ready") == {"a", "b"})
        yield own, postgres, servers, haproxy


def check_prometheus(own, servers, haproxy):
    targets = {f"server-{server.name}:9090": f"127.0.0.1:{server.admin}" for server in servers}
    secret = own.write("api_key", KEY)
    (own.folder / "alerts.yml").write_text(pathlib.Path("docker/prometheus/alerts.yml").read_text())
    config = own.write("prometheus.yml", replaced("scaling/prometheus.yml", targets | {
        "haproxy:8404": f"127.0.0.1:{haproxy.metrics}", "/run/secrets/api_key_prometheus": f"{secret}", "_interval: 15s": "_interval: 250ms",
    }))
    port = free_port()
    own.start("prometheus", f"--config.file={config}", f"--storage.tsdb.path={own.folder}/tsdb", f"--web.listen-address=127.0.0.1:{port}",
              "--log.level=error", log="prometheus.log")

    def are_up():
        with contextlib.suppress(OSError):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/targets", timeout=1) as response:
                found = json.load(response)["data"]["activeTargets"]
            return len(found) == 3 and all(target["health"] == "up" for target in found)

    wait_until("the targets of Prometheus", are_up)
    print("Prometheus scrapes both servers and HAProxy")


def restarts():
    with deployment() as (own, _, servers, haproxy):
        check_prometheus(own, servers, haproxy)
        by_replica = 0
        with Load(haproxy.port) as load:
            time.sleep(1)
            for number in range(RESTARTS):
                server = servers[number % 2]
                by_replica += server.reads_by_replica()
                server.stop()
                server.start()
                wait_until("both servers in HAProxy", lambda: haproxy.up("ready") == {"a", "b"})
            time.sleep(1)
        load.check_none_failed(f"{RESTARTS} rolling restarts")
        by_replica += sum(server.reads_by_replica() for server in servers)
        print(f"statements that the replica served: {by_replica}")
        assert by_replica
        load.check_writes()


def crashes():
    """Kills a server without a warning: only writes that it was processing fail, and their outcome is unknown."""
    with deployment() as (_, _, servers, haproxy):
        with Load(haproxy.port) as load:
            for number in range(RESTARTS):
                time.sleep(1)
                server = servers[number % 2]
                server.process.kill()
                server.process.wait()
                server.start()
                wait_until("both servers in HAProxy", lambda: haproxy.up("ready") == {"a", "b"})
            time.sleep(1)
        failed = collections.Counter(f"{answer.status} {answer.kind}" for answer in load.failed)
        print(f"{RESTARTS} crashes: {load.summary()}: {dict(failed)}")
        assert load.answers and len(load.failed) <= RESTARTS * CLIENTS, "more requests than were in flight"
        others = [answer for answer in load.failed if answer.kind == "read" or answer.body.get("outcome") != "unknown"]
        assert not others, [(answer.kind, answer.status, answer.body) for answer in others[:10]]
        load.check_writes()


def failover():
    with deployment() as (_, postgres, servers, haproxy):
        with Load(haproxy.port) as load:
            time.sleep(3)
            by_replica = [server.reads_by_replica() for server in servers]
            print(f"statements that the replica served for each server: {by_replica}")
            assert all(by_replica)
            killed = time.monotonic()
            postgres.kill_primary()
            time.sleep(2)
            promoted = time.monotonic()
            postgres.promote()
            is_primary = time.monotonic()
            wait_until("HAProxy finds the new primary", lambda: haproxy.up("primary") == {"replica"})
            is_found = time.monotonic()
            time.sleep(5)
        print("| second after the kill | reads | writes | failed |\n|---|---|---|---|")
        for second in range(-2, 8):
            answers = [answer for answer in load.answers if second <= answer.ended - killed < second + 1]
            reads, writes = (sum(answer.kind == kind and is_success(answer) for answer in answers) for kind in ("read", "write"))
            failed = collections.Counter(
                f"{answer.status}{' unknown' if answer.body.get('outcome') else ''} {answer.kind}" for answer in answers if not is_success(answer))
            print(f"| {second} | {reads} | {writes} | {', '.join(f'{count} × {what}' for what, count in sorted(failed.items()))} |")
        print(f"promoted after {promoted - killed:.2f} s, pg_ctl took {is_primary - promoted:.2f} s, HAProxy found it after "
              f"{is_found - promoted:.2f} s")
        for kind in ("read", "write"):
            last_failure = max((answer.ended for answer in load.failed if answer.kind == kind), default=killed)
            first = min(answer.ended for answer in load.answers
                        if answer.kind == kind and is_success(answer) and answer.ended > max(promoted, killed + 0.5))
            print(f"first {kind} that succeeded: {first - promoted:.2f} s after the promotion; last that failed: {last_failure - promoted:.2f} s")
            late = [answer.body for answer in load.failed if answer.kind == kind and answer.ended > first + 0.5]
            print(f"later failures: {len(late)} {late[:2] or ''}")
            assert last_failure - promoted < 5, "the servers did not recover"
        statuses = {answer.status for answer in load.failed}
        print(load.summary())
        assert statuses <= {503}, f"statuses other than success and 503: {statuses}"
        load.check_writes()


def start_pgbouncer(own, postgres, mode, size, role="web_server"):
    port = free_port()
    roles = own.write("userlist.txt", "".join(f'"{role}" "{PASSWORD}"\n' for role in ("web_server", "pooled")))
    config = own.write(f"pgbouncer-{mode}.ini", replaced("scaling/pgbouncer.ini", {
        "* = host=haproxy port=5432": f"* = host=127.0.0.1 port={postgres.ports['primary']}", "listen_addr = *": "listen_addr = 127.0.0.1",
        "listen_port = 6432": f"listen_port = {port}\nunix_socket_dir =", "/etc/pgbouncer/userlist.txt": f"{roles}",
        "pool_mode = transaction": f"pool_mode = {mode}", "auth_type = scram-sha-256": "auth_type = trust", "default_pool_size = 32": f"default_pool_size = {size}",
    }))
    if not has_prepared_statements():
        config.write_text(re.sub(r"^max_prepared_statements.*$", "", config.read_text(), flags=re.MULTILINE))
    for file in (roles, config):
        file.chmod(0o644)
    own.start(*own.as_owner, PGBOUNCER, config, log=f"pgbouncer-{mode}.log", cwd="/")
    wait_until("PgBouncer", lambda: accepts(port))
    return postgres.url(port, role)


def pgbouncer_version():
    found = re.search(r"PgBouncer (\d+)\.(\d+)", subprocess.check_output([PGBOUNCER, "--version"], text=True))
    return int(found[1]), int(found[2])


def has_prepared_statements():
    return pgbouncer_version() >= (1, 21)


def pgbouncer():
    with machine() as own:
        postgres = Postgres(own, replicated=False)
        url = start_pgbouncer(own, postgres, "session", 32)
        # Without the settings of the role, the start warns.
        server = Server(own, "warned", url).start()
        server.stop()
        assert "settings of connections have no effect" in (own.folder / server.log).read_text()
        for name, value in ROLE_SETTINGS.items():
            postgres.sql("primary", f"ALTER ROLE web_server SET {name} = {value}", check=True)
        url = start_pgbouncer(own, postgres, "session", 32)
        server = Server(own, "session", url, USER_CACHE_BYTES="1000000").start()
        with Load(server.port) as load:
            time.sleep(3)
        server.stop()
        assert "settings of connections have no effect" not in (own.folder / server.log).read_text()
        load.check_none_failed(f"PgBouncer {'.'.join(map(str, pgbouncer_version()))}, session mode")

        url = start_pgbouncer(own, postgres, "transaction", 4)
        if not has_prepared_statements():
            refusal = Server(own, "old", url, NO_MIGRATE="true").refusal()
            assert "prepared statements" in refusal, refusal
            print("PgBouncer before 1.21, transaction mode: the start is refused")
            return
        refusal = Server(own, "migrates", url).refusal()
        assert "NO_MIGRATE" in refusal, refusal
        refusal = Server(own, "caches", url, NO_MIGRATE="true", USER_CACHE_BYTES="1000000").refusal()
        assert "USER_CACHE_BYTES" in refusal, refusal
        servers = [Server(own, f"transaction-{name}", url, NO_MIGRATE="true").start() for name in "ab"]
        with Load(servers[0].port) as load, Load(servers[1].port) as other:
            time.sleep(3)
        for server in servers:
            server.stop()
        load.check_none_failed("transaction mode, 4 connections for 2 servers with 16 each")
        other.check_none_failed("the other server")


def suite():
    """The API tests on PostgreSQL, whose servers are behind PgBouncer. Databases are made and removed beside it."""
    with machine() as own:
        postgres = Postgres(own, replicated=False, durable=False)
        postgres.sql("primary", f"CREATE ROLE pooled SUPERUSER LOGIN PASSWORD '{PASSWORD}'", check=True)
        for name, value in ROLE_SETTINGS.items():
            postgres.sql("primary", f"ALTER ROLE pooled SET {name} = {value}", check=True)
        for mode in ("session", "transaction") if has_prepared_statements() else ("session",):
            environment = {**os.environ, "TEST_POSTGRES_URL": postgres.url(postgres.ports["primary"]), "TEST_POOLER_MODE": mode,
                           "TEST_POOLER_URL": start_pgbouncer(own, postgres, mode, 40, role="pooled")}
            command = ["cargo", "test", "--quiet", "--locked", "--test", "api_tests", "--", "--skip", "sqlite"]
            if mode == "transaction":
                # It makes its users by an import, which is refused; and the last test expects its responses.
                command += ["--skip", "every_operation_succeeds_with_its_examples", "--skip", "every_documented_response_occurred"]
            result = subprocess.run(command, env=environment, capture_output=True, text=True)
            own.write(f"suite-{mode}.log", result.stdout)
            print(f"PgBouncer {'.'.join(map(str, pgbouncer_version()))}, {mode} mode:",
                  *[line for line in result.stdout.splitlines() if line.startswith("test result")], flush=True)
            assert result.returncode == 0, result.stdout[-5000:]


def cpu_seconds(pids):
    """User and system time of processes, and of their children that have ended."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            total += sum(map(int, fields[11:15]))
    return total / os.sysconf("SC_CLK_TCK")


USERS, FIRST = 100_000, 100_000_000_000
ID_PREFIX = "01900000-0000-7000-8000-"


def wrk(port, kind, processes, connections=64, seconds=4):
    """Returns requests/s, and CPU-µs for each request by the name of the process."""
    environment = {**os.environ, "REQUESTS": kind, "RUN": f"{random.randrange(10**9)}", "USERS": f"{USERS}", "ITEMS": "1",
                   "FIRST": f"{ID_PREFIX}{FIRST}", "AUTHORIZATION": HEADERS["Authorization"]}
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", "benches/load/requests.lua",
               f"http://127.0.0.1:{port}"]

    def used():
        return {name: cpu_seconds(pids()) for name, pids in processes.items()}

    before = used()
    output = subprocess.check_output(command, text=True, env=environment)
    after = used()
    requests, micros, _, _, errors = map(int, re.search(r"^RESULT (\d+) (\d+) (\d+) (\d+) (\d+)$", output, re.MULTILINE).groups())
    assert not errors, output
    return requests / micros * 1e6, {name: (after[name] - before[name]) / requests * 1e6 for name in before}


def seed(postgres, url):
    columns = "users (id, name, email, email_key, version, created_at, updated_at)"
    last = FIRST + USERS - 1
    insert = (f"INSERT INTO {columns} SELECT ('{ID_PREFIX}' || n)::uuid, 'Ada', 'seed' || n || '@example.com', "
              f"'seed' || n || '@example.com', 1, now(), now() FROM generate_series({FIRST}, {last}) n")
    for statement in (insert, "VACUUM ANALYZE users"):
        subprocess.run(["psql", "-qX", url, "-c", statement], check=True, env=postgres.environment)


def measure():
    """Prints what HAProxy, a second server, the synchronous replica and PgBouncer cost."""
    with deployment() as (own, postgres, servers, haproxy):
        direct = postgres.url(postgres.ports["primary"])
        seed(postgres, direct)

        def tree(process):
            children = subprocess.run(["pgrep", "-P", f"{process.pid}"], capture_output=True, text=True).stdout.split()
            return [process.pid, *map(int, children)]

        pids = {name: (lambda process=process: tree(process)) for name, process in {
            "servers": None, "HAProxy": haproxy.process, "primary": postgres.primary, "replica": postgres.replica,
        }.items() if process}

        def row(name, port, running, kinds=("read", "create", "update"), **others):
            for kind in kinds:
                processes = {"servers": lambda: [server.process.pid for server in running]} | pids | others
                rate, used = wrk(port, kind, processes)
                cells = " | ".join(f"{used[key]:.1f}" if key in used and used[key] >= 0.05 else "–"
                                   for key in ("servers", "HAProxy", "PgBouncer", "primary", "replica"))
                print(f"| {name} | {kind} | {rate:,.0f} | {cells} |", flush=True)

        print("| | request | requests/s | servers | HAProxy | PgBouncer | primary | replica |\n|---|---|---|---|---|---|---|---|")
        # `page`: fifty users at a random place.
        reads = ("read", "page")
        replicated = Server(own, "replicated", direct, DATABASE_REPLICA_URLS=postgres.replica_url()).start()
        replicated.until_replica_serves()
        row("one server, reads by the replica", replicated.port, [replicated], reads)
        replicated.stop()
        one = Server(own, "direct", direct).start()
        row("… by the primary", one.port, [one], reads)
        row("one server", one.port, [one])
        postgres.sql("primary", "ALTER SYSTEM SET synchronous_standby_names = ''", check=True)
        postgres.sql("primary", "SELECT pg_reload_conf()", check=True)
        row("… with an asynchronous replica", one.port, [one])
        postgres.sql("primary", "ALTER SYSTEM SET synchronous_standby_names = 'replica'", check=True)
        postgres.sql("primary", "SELECT pg_reload_conf()", check=True)
        one.stop()
        cached = Server(own, "cached", direct, USER_CACHE_BYTES="67108864").start()
        time.sleep(2)
        row("… with a cache", cached.port, [cached])
        cached.stop()
        servers[1].stop()
        wait_until("one server in HAProxy", lambda: haproxy.up("ready") == {"a"})
        row("one server behind HAProxy", haproxy.port, servers[:1])
        servers[1].start()
        wait_until("both servers in HAProxy", lambda: haproxy.up("ready") == {"a", "b"})
        row("two servers behind HAProxy", haproxy.port, servers)
        for name, value in ROLE_SETTINGS.items():
            postgres.sql("primary", f"ALTER ROLE web_server SET {name} = {value}", check=True)
        for mode, size in (("session", 40), ("transaction", 16)):
            if mode == "transaction" and not has_prepared_statements():
                continue
            url = start_pgbouncer(own, postgres, mode, size)
            process = own.running[-1]
            server = Server(own, f"pooled-{mode}", url, NO_MIGRATE="true").start()
            row(f"one server, PgBouncer in {mode} mode", server.port, [server], PgBouncer=lambda process=process: [process.pid])
            server.stop()


for part in PARTS or ["restarts", "crashes", "failover", "pgbouncer"]:
    {"restarts": restarts, "crashes": crashes, "failover": failover, "pgbouncer": pgbouncer, "suite": suite, "measure": measure}[part]()
