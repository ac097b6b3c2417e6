//! The PROXY protocol in front of requests. The tests are the proxy.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::{
    harness::{App, Database, Server, Storage},
    process::{Process, run, web_server},
};

const REQUEST: &str = "GET /users?limit=1 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n";

/// A header of version 2 with this command, family and rest.
fn header(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
    [b"\r\n\r\n\0\r\nQUIT\n", &[0x20 | command, family][..], &length, rest].concat()
}

/// A connection of this client over IPv4, with further bytes.
fn proxied(client: [u8; 4], extensions: &[u8]) -> Vec<u8> {
    header(1, 0x11, &[&client, &[127, 0, 0, 1][..], &[0x12, 0x34, 0, 80], extensions].concat())
}

struct Proxy {
    app: App,
    server: Server,
    _storage: Storage,
}

impl Proxy {
    async fn start(flags: &[&str]) -> Self {
        let storage = Storage::new(Database::Sqlite).await.unwrap();
        let defaults = ["--proxy-protocol", "--rate-limit", "1/h", "--rate-limit-burst", "1"];
        let (app, server) = App::start(&storage, &[&defaults, flags].concat()).await;
        Self { app, server, _storage: storage }
    }

    /// Sends these bytes and a request, and returns the response. Empty: the connection was closed.
    async fn exchange(&self, bytes: &[u8], headers: &str) -> String {
        let mut stream = TcpStream::connect(self.app.base.strip_prefix("http://").unwrap()).await.unwrap();
        let request = format!("{REQUEST}{}{headers}\r\n", self.app.authorization());
        // The server may have closed the connection already.
        let _ = stream.write_all(&[bytes, request.as_bytes()].concat()).await;
        let mut response = Vec::new();
        let _ = timeout(Duration::from_secs(10), stream.read_to_end(&mut response)).await.expect("the connection ends");
        String::from_utf8(response).unwrap()
    }

    async fn status(&self, bytes: &[u8], headers: &str) -> String {
        self.exchange(bytes, headers).await.chars().skip(9).take(3).collect()
    }
}

#[tokio::test]
async fn the_client_is_the_one_that_the_proxy_reports() {
    let proxy = Proxy::start(&["--trusted-proxies", "127.0.0.1,198.51.100.0/24"]).await;
    let ipv6 = header(1, 0x21, &[&[0x20, 1, 0xd, 0xb8][..], &[0; 28], &[0x12, 0x34, 0, 80]].concat());
    for (bytes, headers, status) in [
        (proxied([192, 0, 2, 1], b""), "", "200"),
        (proxied([192, 0, 2, 1], b""), "", "429"),
        (proxied([192, 0, 2, 2], b"\x04\0\x03abc"), "", "200"),
        // What a client claims is not believed.
        (proxied([192, 0, 2, 1], b""), "x-forwarded-for: 192.0.2.3\r\n", "429"),
        // This client is a proxy itself.
        (proxied([198, 51, 100, 1], b""), "x-forwarded-for: 192.0.2.3\r\n", "200"),
        (ipv6.clone(), "", "200"),
        (ipv6, "", "429"),
        // Connections of the proxy itself: LOCAL, and a family without addresses.
        (header(0, 0, b""), "", "200"),
        (header(0, 0x11, &proxied([192, 0, 2, 9], b"")[16..]), "", "429"),
        (header(1, 0, b""), "", "429"),
        (header(0, 0, b""), "x-forwarded-for: 192.0.2.4\r\n", "200"),
        // A client of the proxy without an address, such as one of a Unix socket, is not the proxy.
        (header(1, 0, b""), "x-forwarded-for: 192.0.2.5\r\n", "429"),
        (header(1, 0x31, &[0; 216]), "x-forwarded-for: 192.0.2.6\r\n", "429"),
    ] {
        assert_eq!(proxy.status(&bytes, headers).await, status, "{bytes:?} {headers}");
    }
    proxy.server.stop().await;
}

/// The TLS extension: a bit for TLS, and four bytes for the certificate of the client.
#[tokio::test]
async fn the_proxy_reports_whether_the_client_has_tls() {
    let proxy = Proxy::start(&["--trusted-proxies", "127.0.0.1"]).await;
    for (last, flags, has_tls) in [(1, 1, true), (2, 0, false)] {
        let response = proxy.exchange(&proxied([192, 0, 2, last], &[0x20, 0, 5, flags, 0, 0, 0, 0]), "").await;
        assert_eq!(response.contains("strict-transport-security"), has_tls, "{response}");
    }
    proxy.server.stop().await;
}

#[tokio::test]
async fn a_connection_without_a_valid_header_is_closed() {
    let proxy = Proxy::start(&["--trusted-proxies", "127.0.0.1", "--header-timeout", "300ms"]).await;
    let valid = proxied([192, 0, 2, 1], b"");
    let mut version = valid.clone();
    version[12] = 0x11;
    for (name, bytes) in [
        ("no header", Vec::new()),
        ("version 1", b"PROXY TCP4 192.0.2.1 127.0.0.1 4660 80\r\n".to_vec()),
        ("half a header", valid[..20].to_vec()),
        ("another version", version),
        ("an unknown command", header(2, 0x11, &valid[16..])),
        ("an unknown family", header(1, 0x41, &valid[16..])),
        ("too few bytes for the addresses", header(1, 0x21, &valid[16..])),
        ("too many bytes", header(1, 0x11, &[&valid[16..], &[0; 5_000]].concat())),
    ] {
        // The missing bytes of half a header do not come.
        let response = if name == "half a header" {
            let mut stream = TcpStream::connect(proxy.app.base.strip_prefix("http://").unwrap()).await.unwrap();
            stream.write_all(&bytes).await.unwrap();
            let mut response = String::new();
            let end = timeout(Duration::from_secs(10), stream.read_to_string(&mut response)).await;
            assert!(end.is_ok(), "the connection ends");
            response
        } else {
            proxy.exchange(&bytes, "").await
        };
        assert_eq!(response, "", "{name}");
    }
    assert_eq!(proxy.status(&valid, "").await, "200");
    proxy.server.stop().await;
}

#[tokio::test]
async fn other_clients_send_no_header() {
    let proxy = Proxy::start(&["--trusted-proxies", "10.0.0.0/8"]).await;
    assert_eq!(proxy.status(b"", "").await, "200");
    assert!(proxy.exchange(&proxied([192, 0, 2, 1], b""), "").await.starts_with("HTTP/1.1 400 "));
    proxy.server.stop().await;
}

/// `web_server health` connects to the server as any client, and cannot where only proxies can.
#[tokio::test]
async fn the_health_check_uses_the_listener_for_operators() {
    let folder = tempfile::tempdir().unwrap();
    let command = || {
        let mut command = web_server(folder.path());
        let key = &crate::harness::credentials::ENTRIES;
        command.env("API_KEYS", key.as_str()).env("TRUSTED_PROXIES", "127.0.0.1").env("PROXY_PROTOCOL", "on");
        command
    };
    let health = run(command().arg("health"));
    let error = String::from_utf8_lossy(&health.stderr).into_owned();
    assert!(health.status.code() == Some(1) && error.contains("set ADMIN_ADDR"), "{error}");

    let mut with_admin = command();
    with_admin.env("ADMIN_ADDR", "127.0.0.1:0");
    let process = Process::start(with_admin).await;
    let admin = async {
        loop {
            let log = process.log.lock().unwrap().join("\n");
            if let Some((_, rest)) = log.split_once(r#""message":"serving metrics and readiness","url":"http://"#) {
                break rest.split('"').next().unwrap().to_owned();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let health = run(command().arg("health").env("ADMIN_ADDR", admin.await));
    assert_eq!(health.status.code(), Some(0), "{}", String::from_utf8_lossy(&health.stderr));
}

/// A proxy has the connections of many clients.
#[tokio::test]
async fn a_trusted_proxy_has_no_maximum_of_its_own() {
    let storage = Storage::new(Database::Sqlite).await.unwrap();
    for (proxies, open) in [("10.0.0.0/8", 2), ("127.0.0.1", 6)] {
        let flags = ["--max-connections-per-client", "2", "--trusted-proxies", proxies];
        let (app, server) = App::start(&storage, &flags).await;
        let address = app.base.strip_prefix("http://").unwrap();
        let (mut answered, mut kept) = (0, Vec::new());
        for _ in 0..6 {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let _ = stream.write_all(b"GET /health HTTP/1.1\r\nhost: a\r\n\r\n").await;
            answered += usize::from(matches!(stream.read(&mut [0; 64]).await, Ok(1..)));
            kept.push(stream);
        }
        assert_eq!(answered, open, "{proxies}");
        drop(kept);
        server.stop().await;
    }
}
