"""Runs the server behind real proxies with the configurations in deploy/. Addresses and paths of files in them are replaced.

Through each proxy: TLS; references that a client can follow; the address of the client in the log and in the rate limit, and not
one that the client invents; connections that are kept; refusals before the body is received, whose status must arrive each time.
Started by scripts/proxy-test: proxy-test.py SERVER KEY KEY_ENTRY [PROXY]...
"""

import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
from urllib.parse import urljoin

sys.dont_write_bytecode = True
from deployed import accepts, free_port, replaced, wait_until  # noqa: E402

SERVER, KEY, KEY_ENTRY, *NAMES = sys.argv[1:]
HOST, PREFIX = "example.org", "/api/v1"
BURST = 40
TIMES = 5
JSON = ["-H", "content-type: application/json"]
TOKEN = ["-H", f"authorization: Bearer {KEY}"]


@contextlib.contextmanager
def running(*command, log, **options):
    with open(log, "wb") as output, subprocess.Popen(command, stdout=output, stderr=output, **options) as process:
        try:
            yield process
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()


class Run:
    """A server behind one proxy."""

    def __init__(self, name, folder):
        self.name, self.folder = name, folder
        self.port, self.plain, self.admin, self.upstream = (free_port() for _ in range(4))
        self.certificate, self.key = folder / "tls.crt", folder / "tls.key"
        self.target = ["--cacert", self.certificate, "--connect-to", f"{HOST}:443:127.0.0.1:{self.port}"]
        names = ["-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}"]
        new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
        subprocess.run([*new, *names, "-keyout", self.key, "-out", self.certificate], check=True, capture_output=True)
        (folder / "tls.pem").write_bytes(self.certificate.read_bytes() + self.key.read_bytes())
        # The body that a proxy or its client may still be sending when the response is made.
        for size in (300_000, 20_000_000):
            (folder / f"{size}").write_bytes(b"x" * size)

    def server(self, **variables):
        prefix = PREFIX
        environment = {
            "LISTEN_ADDR": f"127.0.0.1:{self.upstream}", "API_KEYS": KEY_ENTRY, "LOG_FORMAT": "json",
            "DATABASE_URL": f"sqlite://{self.folder}/users.db", "TRUSTED_PROXIES": "127.0.0.1",
            "RATE_LIMIT": "1/h", "RATE_LIMIT_BURST": f"{BURST}", "MAX_CONNECTIONS_PER_CLIENT": "3",
            "REQUEST_TIMEOUT": "10s", "ADMIN_ADDR": f"127.0.0.1:{self.admin}",
        }
        if self.name == "passthrough":
            prefix = ""
            environment |= {
                "PROXY_PROTOCOL": "on", "TLS_CERTIFICATE_FILE": f"{self.certificate}", "TLS_KEY_FILE": f"{self.key}",
            }
        environment["PUBLIC_URL"] = self.base = f"https://{HOST}{prefix}"
        self.log = self.folder / "server.log"
        return running(SERVER, log=self.log, env=environment | variables, cwd=self.folder)

    def proxy(self):
        """The configuration of the repository with the ports and files of the test. Raw requests use a listener without TLS."""
        folder, log = self.folder, self.folder / "proxy.log"
        upstream = {"127.0.0.1:8080": f"127.0.0.1:{self.upstream}"}
        if self.name == "nginx":
            site = replaced("nginx/web_server.conf", upstream | {
                "listen 443 ssl http2;": f"listen 127.0.0.1:{self.port} ssl http2; listen 127.0.0.1:{self.plain};",
                "/etc/nginx/tls/example.org": f"{folder}/tls",
            })
            directive = "user root;" if os.geteuid() == 0 else ""
            kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
            paths = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
            main = f"{directive} daemon off; pid {folder}/pid; events {{}} http {{ access_log off; {paths}\n{site}\n}}"
            (folder / "proxy.conf").write_text(main)
            return running("nginx", "-p", folder, "-e", "stderr", "-c", folder / "proxy.conf", log=log)
        if self.name in ("haproxy", "passthrough"):
            file = "haproxy/haproxy.cfg" if self.name == "haproxy" else "haproxy/passthrough.cfg"
            replacements = upstream | {
                "bind :443 ssl": f"bind 127.0.0.1:{self.plain}\n    bind 127.0.0.1:{self.port} ssl",
                "/etc/haproxy/tls/example.org.pem": f"{folder}/tls.pem", "port 9090": f"port {self.admin}",
            } if self.name == "haproxy" else {
                "bind :443": f"bind 127.0.0.1:{self.port}",
                "127.0.0.1:8443": f"127.0.0.1:{self.upstream}",
                "port 9090": f"port {self.admin}",
            }
            (folder / "proxy.cfg").write_text(replaced(file, replacements))
            return running("haproxy", "-db", "-f", folder / "proxy.cfg", log=log)
        site = f"https://{HOST}:{self.port} {{\n\tbind 127.0.0.1\n\ttls {self.certificate} {self.key}"
        caddyfile = replaced("caddy/Caddyfile", upstream | {
            "\n{\n\tservers": "\n{\n\tadmin off\n\tauto_https disable_redirects\n\tservers", f"{HOST} {{": site,
        })
        (folder / "Caddyfile").write_text(caddyfile)
        home = {"PATH": os.environ["PATH"], "HOME": f"{folder}", "XDG_DATA_HOME": f"{folder}", "XDG_CONFIG_HOME": f"{folder}"}
        return running("caddy", "run", "--config", folder / "Caddyfile", log=log, env=home)

    def curl(self, url, *arguments, client="127.0.0.2"):
        """Returns the status, the head and the body of a response to a client with this address."""
        command = [
            "curl", "--silent", "--show-error", "--max-time", "30", "--interface", client, *self.target,
            "--dump-header", self.folder / "head", *arguments, url,
        ]
        result = subprocess.run(command, capture_output=True)
        head = (self.folder / "head").read_text(errors="replace").replace("\r\n", "\n")
        statuses = re.findall(r"^HTTP/\S+ (\d+)", head, re.MULTILINE)
        final = [status for status in statuses if status != "100"]
        assert len(final) == 1, f"{self.name}: {url}: {result.stderr.decode()} {head}"
        fields = [line.split(": ", 1) for line in head.split("\n") if ": " in line]
        return int(final[0]), {name.lower(): value for name, value in fields}, result.stdout

    def get(self, path, *arguments, **options):
        return self.curl(urljoin(self.base + "/", path), *TOKEN, *arguments, **options)

    def responds(self):
        with contextlib.suppress(AssertionError):
            return self.curl(f"{self.base}/health", client="127.0.0.8")[0] == 200

    def access(self):
        lines = (json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{"))
        return [line for line in lines if "http.request.method" in line]

    def check_references(self):
        new = json.dumps({"name": "Ada", "email": "ada@example.com"})
        create = [*JSON, "-H", "idempotency-key: one", "--data", new]
        status, head, body = self.get("users", *create)
        assert (status, head["location"]) == (201, f"{self.base}/users/{json.loads(body)['id']}"), (status, head)
        status, again, _ = self.get("users", *create)
        assert (status, again["location"], again["idempotency-replayed"]) == (201, head["location"], "true"), again
        assert "strict-transport-security" in head
        status, _, found = self.curl(head["location"], *TOKEN)
        assert (status, found) == (200, body)
        self.get("users", *JSON, "--data", json.dumps({"name": "Bob", "email": "bob@example.com"}))
        status, head, _ = self.get("users?limit=1")
        link = re.fullmatch(r'<(.*)>; rel="next"', head["link"])[1]
        assert link.startswith(f"{self.base}/users?"), link
        status, _, page = self.curl(link, *TOKEN)
        assert (status, [user["id"] for user in json.loads(page)["users"]]) == (200, [json.loads(body)["id"]])
        status, _, problem = self.get("users/x")
        problem = json.loads(problem)
        assert (status, problem["instance"]) == (400, f"{self.base}/users/x"), problem
        assert self.curl(problem["type"])[0] == 200, problem["type"]
        # What a browser loads for Swagger UI.
        status, head, _ = self.curl(f"{self.base}/")
        page = urljoin(f"{self.base}/", head["location"])
        assert (status, page) == (307, f"{self.base}/swagger-ui/"), head
        _, _, html = self.curl(page)
        names = re.findall(r'(?:src|href)="(\./[^"]+)"', html.decode())
        assert len(names) > 4, html
        assert all(self.curl(urljoin(page, name))[0] == 200 for name in names)
        _, _, script = self.curl(urljoin(page, "page.js"))
        document = urljoin(page, re.search(r"url: '([^']*openapi\.json)'", script.decode())[1])
        status, _, contract = self.curl(document)
        assert (status, json.loads(contract)["servers"]) == (200, [{"url": f"{self.base}"}]), document

    def check_client(self):
        headers = ["x-forwarded-for: 192.0.2.1", "forwarded: for=192.0.2.1;proto=http", "x-forwarded-proto: http"]
        invented = [argument for header in headers for argument in ("-H", header)]
        for client in ("127.0.0.3", "127.0.0.4"):
            for left in (1, 2):
                status, head, _ = self.get("users", *invented, client=client)
                assert (status, f";r={BURST - left};" in head["ratelimit"]) == (200, True), head
                assert "strict-transport-security" in head
        wait_until("the access log", lambda: [line["client.address"] for line in self.access()].count("127.0.0.4") == 2)
        # The checks of HAProxy are requests of its own.
        clients = [line["client.address"] for line in self.access() if line["url.path"] != "/health/ready"]
        assert clients.count("127.0.0.3") == clients.count("127.0.0.4") == 2, clients
        assert "192.0.2.1" not in clients and "127.0.0.1" not in clients, clients

    def check_connections(self):
        def active():
            command = ["curl", "--silent", *TOKEN, f"http://127.0.0.1:{self.admin}/metrics"]
            metrics = subprocess.run(command, capture_output=True, text=True).stdout
            return int(re.search(r"^http_active_connections (\d+)", metrics, re.MULTILINE)[1])

        # More than MAX_CONNECTIONS_PER_CLIENT clients at once, which does not hold for a proxy.
        many = ["--parallel", "--parallel-immediate", *[f"{self.base}/health"] * 12]
        command = ["curl", "--silent", "--http1.1", "--fail", *self.target]
        assert subprocess.run([*command, *many], capture_output=True).returncode == 0
        kept = active()
        # One is the request for the metrics.
        assert (self.name == "passthrough") or 2 <= kept <= 16, f"{kept} connections are open"
        return kept

    def check_refusals(self):
        """The statuses of requests that are refused by their head, with a body that is not read."""
        for _ in range(BURST + 1):
            status, _, _ = self.get("users", "--head", client="127.0.0.9")
        assert status == 429, status
        cases = [
            (401, 300_000, "127.0.0.5", JSON), (401, 20_000_000, "127.0.0.5", JSON),
            (415, 300_000, "127.0.0.6", [*TOKEN, "-H", "content-type: text/plain"]),
            (415, 20_000_000, "127.0.0.6", [*TOKEN, "-H", "content-type: text/plain"]),
            (413, 20_000_000, "127.0.0.7", [*TOKEN, *JSON]),
            (429, 300_000, "127.0.0.9", [*TOKEN, *JSON]), (429, 20_000_000, "127.0.0.9", [*TOKEN, *JSON]),
        ]
        count = 0
        # curl before version 8 discards a response that the server completes before it resets the stream, as RFC 9113, section
        # 8.1, allows it to. The other proxies do not pass that reset on.
        versions = ["--http1.1"] if self.name == "passthrough" else ["--http1.1", "--http2"]
        for version in versions:
            for expected, size, client, headers in cases:
                body = ["-H", "expect:", "--data-binary", f"@{self.folder / str(size)}"]
                statuses = []
                for _ in range(TIMES):
                    status, _, _ = self.curl(f"{self.base}/users", version, *headers, *body, client=client)
                    statuses.append(status)
                assert statuses == [expected] * TIMES, f"{self.name} {version}: {expected} with {size} bytes: {statuses}"
                count += TIMES
        return count

    def check_raw_requests(self):
        # The plain text of the requests needs a connection without TLS.
        variables = {"RAW_REQUESTS_PROXY": f"{self.name} 127.0.0.1:{self.plain} {PREFIX}", "RAW_REQUESTS_TOKEN": KEY}
        command = ["cargo", "test", "--quiet", "--locked", "--test", "integration", "raw_requests_through_a_proxy"]
        command += ["--", "--ignored", "--nocapture"]
        result = subprocess.run(command, env=os.environ | variables, capture_output=True, text=True)
        print(*[line for line in result.stdout.splitlines() if line.startswith(self.name)], sep="\n")
        assert result.returncode == 0, result.stdout + result.stderr

    def check(self):
        with self.server(), self.proxy():
            wait_until("the server", lambda: '"listening"' in self.log.read_text())
            wait_until("the proxy", lambda: accepts(self.port))
            try:
                # HAProxy first checks that the server is ready.
                wait_until("a response", self.responds)
                self.check_references()
                self.check_client()
                kept, refusals = self.check_connections(), self.check_refusals()
                print(f"{self.name}: references, client addresses; {kept} connections kept; {refusals} refusals arrive")
            except (AssertionError, SystemExit):
                print((self.folder / "proxy.log").read_text()[-2000:], self.log.read_text()[-2000:], file=sys.stderr)
                raise
            if self.name == "passthrough":
                # Without a header of the PROXY protocol, the connection is closed.
                direct = ["curl", "--silent", "--insecure", "--max-time", "5", f"https://127.0.0.1:{self.upstream}/health"]
                assert subprocess.run(direct, capture_output=True).returncode != 0
        self.check_log(())
        if self.name in ("nginx", "haproxy"):
            with self.server(RATE_LIMIT="off"), self.proxy():
                wait_until("the proxy", lambda: accepts(self.plain))
                wait_until("a response", self.responds)
                self.check_raw_requests()
            # An unknown method gets 501.
            self.check_log((501,))

    def check_log(self, expected):
        failed = [line for line in self.access() if line["http.response.status_code"] >= 500 and line["http.response.status_code"] not in expected]
        assert not failed, f"{self.name}: the server responded with 5xx: {failed}"


for name in NAMES or ["nginx", "haproxy", "passthrough", "caddy"]:
    with tempfile.TemporaryDirectory() as folder:
        Run(name, pathlib.Path(folder)).check()
