"""The processes of the benchmarks: a durable PostgreSQL, our server, its peers, and their databases."""

import contextlib, hashlib, os, pathlib, re, resource, shutil, socket, sqlite3, subprocess, sys, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parents[3]
TARGET = ROOT / os.environ.get("CARGO_TARGET_DIR", "target")
SERVER = TARGET / "release/web_server"
PEERS = TARGET / "peers/release"
# Ids of the seeded users end in twelve digits: requests.lua and the scripts for pgbench compute them from a number.
ID_PREFIX = "01900000-0000-7000-8000-"
FIRST_NUMBER = 100_000_000_000
CACHE_SETTING = "user-cache-bytes"  # 0: off
CACHE_BYTES = 64 << 20


def fail(message):
    sys.exit(f"{pathlib.Path(sys.argv[0]).name}: {message}")


def cargo(*arguments):
    subprocess.run(["cargo", *arguments], check=True, cwd=ROOT)


def build(peers=True):
    cargo("build", "--locked", "--release", "--bin", "web_server")
    if peers:
        cargo("build", "--locked", "--release", "--manifest-path", "benches/load/peers/Cargo.toml",
              "--target-dir", str(TARGET / "peers"))


def require(*programs):
    missing = [program for program in programs if not shutil.which(program)]
    if missing:
        fail(f"missing programs: {', '.join(missing)} (Debian, Ubuntu: apt-get install wrk postgresql)")


def raise_file_limit():
    """The clients open as many sockets as the servers."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Postgres:
    """A temporary cluster with PostgreSQL's own, durable settings."""

    def __init__(self):
        script = ROOT / "scripts/throwaway-postgres"
        self.programs = pathlib.Path(subprocess.check_output([script, "--programs"], text=True).strip())
        self.process = subprocess.Popen([script, "--durable"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip() or fail("PostgreSQL did not start")
        self.port = int(re.search(r":(\d+)/", self.url)[1])

    def program(self, name):
        """A program of PostgreSQL: next to the server, or in PATH."""
        path = f"{self.programs}{os.pathsep}{os.environ['PATH']}"
        return shutil.which(name, path=path) or fail(f"{name} is missing (Debian, Ubuntu: apt-get install postgresql)")

    def sql(self, statement, url=None):
        command = [self.program("psql"), "-qtAX", "-v", "ON_ERROR_STOP=1", url or self.url, "-c", statement]
        return subprocess.check_output(command, text=True).strip()

    def create_database(self, name):
        self.sql(f"CREATE DATABASE {name}")
        return self.url.removesuffix("postgres") + name

    def settings(self):
        names = "server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers"
        return ", ".join(f"{name} {self.sql(f'SHOW {name}')}" for name in names)

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


def has_setting(binary, flag):
    return f"--{flag} " in subprocess.check_output([binary, "--help"], text=True)


def api_key(name, digits):
    """Returns the header for an API key, and the line by which the server knows it."""
    key = "wsk_" + digits * 4
    return f"Bearer {key}", f"{name} users:read,users:write,metrics:read never sha256:{hashlib.sha256(key.encode()).hexdigest()}"


# Requests to every server have the first, so that its bytes cost all of them the same. The other is that of clients that are not to
# share the limits of a caller with it.
AUTHORIZATION, KEY_ENTRY = api_key("bench", "0123456789abcdef")
OTHER_AUTHORIZATION, OTHER_KEY_ENTRY = api_key("others", "fedcba9876543210")


def create_users(postgres, url, binary, users, plain):
    """Creates the tables by the migrations of `binary`, and `users` users by SQL. `plain`: without triggers."""
    subprocess.run([binary, "migrate"], env={"DATABASE_URL": url}, cwd="/", check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    columns = "users (id, name, email, email_key, version, created_at, updated_at)"
    last = FIRST_NUMBER + users - 1
    if url.startswith("postgres"):
        if plain:
            postgres.sql("ALTER TABLE users DISABLE TRIGGER USER", url)
        postgres.sql(f"INSERT INTO {columns} SELECT ('{ID_PREFIX}' || n)::uuid, 'Ada Lovelace', 'seed' || n || '@example.com',"
                     f" 'seed' || n || '@example.com', 1, now(), now() FROM generate_series({FIRST_NUMBER}, {last}) n", url)
        postgres.sql("VACUUM ANALYZE users", url)
        return
    prefix, now = ID_PREFIX.replace("-", ""), time.time_ns() // 1000
    rows = ((bytes.fromhex(f"{prefix}{n}"), "Ada Lovelace", f"seed{n}@example.com", f"seed{n}@example.com", 1, now, now)
            for n in range(FIRST_NUMBER, last + 1))
    with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite://"))) as connection, connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.executemany(f"INSERT INTO {columns} VALUES (?, ?, ?, ?, ?, ?, ?)", rows)


class Server:
    """A running server. `log` has its standard output, which for our server is the access log."""

    def __init__(self, name, command, environment, folder):
        self.name, self.log = name, pathlib.Path(folder, f"{name}.log")
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=subprocess.STDOUT)
        self.url = self.wait_for_url()
        self.port = int(self.url.rsplit(":", 1)[1])

    def wait_for_url(self):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self.process.poll() is None:
            found = re.search(r"http://127\.0\.0\.1:\d+", self.log.read_text())
            if found:
                return found[0]
            time.sleep(0.005)
        fail(f"{self.name} did not start:\n{self.log.read_text()}")

    def cpu_seconds(self):
        """User and system time of all threads."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self, field="VmRSS"):
        """Bytes of a field of /proc/PID/status."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"^{field}:\s+(\d+) kB", status, re.MULTILINE)[1]) * 1024

    def stop(self):
        """Stops the server; our server must exit with 0."""
        self.process.terminate()
        try:
            status = self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            fail(f"{self.name} did not stop within 30 s")
        if "web_server" in str(self.process.args[0]) and status != 0:
            fail(f"{self.name} exited with {status}:\n{self.log.read_text()[-2000:]}")


class Bench:
    """Starts databases and servers on demand, once for each name, and stops all of them at the end."""

    def __init__(self, users):
        self.users, self.servers, self.urls, self.cluster = users, {}, {}, None

    def __enter__(self):
        raise_file_limit()
        self.folder = tempfile.TemporaryDirectory(prefix="web_server.")
        return self

    def __exit__(self, kind, *_):
        try:
            for server in self.servers.values():
                server.stop() if kind is None else server.process.kill()
        finally:
            if self.cluster:
                self.cluster.stop()
            self.folder.cleanup()

    @property
    def postgres(self):
        self.cluster = self.cluster or Postgres()
        return self.cluster

    def database(self, name, kind, binary=SERVER, plain=False):
        """Returns the URL of a database with its users. `plain`: without triggers."""
        if name not in self.urls:
            file = name.replace("-", "_")
            url = self.postgres.create_database(file) if kind == "postgres" else f"sqlite://{self.folder.name}/{file}.db"
            create_users(self.cluster, url, binary, self.users, plain)
            self.urls[name] = url
        return self.urls[name]

    def bare_hyper(self):
        return self.start("bare", lambda name: Server(name, [PEERS / "bare_hyper", "127.0.0.1:0"], {}, self.folder.name))

    def usual(self, kind):
        def start(name):
            environment = {"DATABASE_URL": self.database(name, kind, plain=True), "ACCESS_LOG": f"{name}.access.log"}
            return Server(name, [PEERS / "usual", "127.0.0.1:0"], environment, self.folder.name)
        return self.start(f"usual-{kind}", start)

    def ours(self, kind, binary=SERVER, prefix="ours", cached=False):
        """Our server with everything switched on. Deadlines are long, since the clients share the processor."""
        def start(name):
            environment = {
                "DATABASE_URL": self.database(name, kind, binary), "LISTEN_ADDR": "127.0.0.1:0", "LOG_FORMAT": "json",
                "API_KEYS": KEY_ENTRY, "RATE_LIMIT": "1000000/s", "CALLER_RATE_LIMIT": "1000000/s", "MAX_CONNECTIONS": "15000",
                "MAX_CONNECTIONS_PER_CLIENT": "15000", "REQUEST_TIMEOUT": "10s",
                "USER_CACHE_BYTES": str(CACHE_BYTES if cached else 0)}
            return Server(name, [binary], environment, self.folder.name)
        return self.start(f"{prefix}-{kind}{'-cached' if cached else ''}", start)

    def start(self, name, function):
        if name not in self.servers:
            self.servers[name] = function(name)
        return self.servers[name]

    def empty_logs(self):
        """The logs of a long run would fill the disk. Every server opens its log to append."""
        for log in pathlib.Path(self.folder.name).glob("*.log"):
            os.truncate(log, 0)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
