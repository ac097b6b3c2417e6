//! Bytes on the wire: responses to clients that violate the protocol, and timeouts of clients that stall.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use reqwest::Method;

use crate::harness::{App, Database, Response, Server, Storage, conformance};

pub(crate) struct Wire {
    pub(crate) app: App,
    pub(crate) server: Server,
    _storage: Storage,
}

impl Wire {
    pub(crate) async fn start(flags: &[&str]) -> Self {
        let storage = Storage::new(Database::Sqlite).await.unwrap();
        let (app, server) = App::start(&storage, flags).await;
        Self { app, server, _storage: storage }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.app.base.strip_prefix("http://").unwrap()).await.unwrap()
    }

    /// Sends these bytes and reads until the server closes. The first response, if it is from the app, is checked against the
    /// contract.
    pub(crate) async fn exchange(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.unwrap();
        let text = read_to_end(&mut stream).await;
        let request = String::from_utf8_lossy(bytes).into_owned();
        let mut line = request.lines().next().unwrap_or_default().split(' ');
        let target = (line.next().unwrap_or_default(), line.next().unwrap_or_default());
        // A response of hyper before a request exists is bare and has no id.
        if let Some(response) = parse(&text).filter(|response| response.header("x-request-id").is_some()) {
            let path = target.1.strip_prefix("http://a").unwrap_or(target.1);
            conformance::check(&Method::from_bytes(target.0.as_bytes()).unwrap(), path, &response);
        }
        text
    }
}

/// The first response in these bytes.
fn parse(text: &str) -> Option<Response> {
    let (head, rest) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let fields = lines.filter_map(|line| line.split_once(": "));
    let headers = fields.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
    let mut response = Response { status, headers, body: Vec::new() };
    let length = response.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    response.body = rest.as_bytes()[..length].to_vec();
    Some(response)
}

/// Reads until the server closes. Every timeout in these tests is 200 ms, and the defaults are 10 s and more: within 5 s the
/// timeout of the test has closed the connection.
async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut response = Vec::new();
    // A reset is a close too.
    let _ = timeout(Duration::from_secs(5), stream.read_to_end(&mut response)).await.expect("the server closes");
    String::from_utf8_lossy(&response).into_owned()
}

/// The beginning of a request head that creates a user.
pub(crate) fn post(app: &App) -> String {
    format!("POST /users HTTP/1.1\r\nhost: x\r\n{}content-type: application/json\r\n", app.authorization())
}

#[tokio::test]
async fn a_client_that_sends_nothing_is_disconnected() {
    let wire = Wire::start(&["--header-timeout", "200ms"]).await;
    assert_eq!(read_to_end(&mut wire.connect().await).await, "");
    wire.server.stop().await;
}

/// The first bytes of the HTTP/2 preface do not determine the protocol: that wait has a timeout too.
#[tokio::test]
async fn half_a_preface_or_half_a_head_is_disconnected() {
    let wire = Wire::start(&["--header-timeout", "200ms"]).await;
    for start in ["P", "PRI * HTTP/2.0\r\n", "GET /health HTTP/1.1\r\nhost: x\r\nx-slow: "] {
        assert_eq!(wire.exchange(start.as_bytes()).await, "", "{start:?}");
    }
    // The complete preface and then nothing: the server has sent its settings, and disconnects.
    wire.exchange(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    wire.server.stop().await;
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let wire = Wire::start(&["--idle-timeout", "200ms"]).await;
    let response = wire.exchange(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
    wire.server.stop().await;
}

#[tokio::test]
async fn a_slow_body_gets_408_and_is_closed() {
    let wire = Wire::start(&["--body-timeout", "200ms"]).await;
    let response = wire.exchange(format!("{}content-length: 100\r\n\r\n{{", post(&wire.app)).as_bytes()).await;
    assert!(response.starts_with("HTTP/1.1 408 "), "{response}");
    assert!(response.contains("application/problem+json") && response.contains("connection: close"), "{response}");
    wire.server.stop().await;
}

#[tokio::test]
async fn a_large_body_is_refused_before_it_is_read() {
    let wire = Wire::start(&["--max-body-bytes", "100"]).await;
    let response = wire.exchange(format!("{}content-length: 1000000000\r\n\r\n", post(&wire.app)).as_bytes()).await;
    assert!(response.starts_with("HTTP/1.1 413 "), "{response}");
    // A body without a length is refused when it exceeds the limit.
    let chunks = format!("{}transfer-encoding: chunked\r\n\r\n80\r\n{}\r\n", post(&wire.app), "x".repeat(128));
    let response = wire.exchange(chunks.as_bytes()).await;
    assert!(response.starts_with("HTTP/1.1 413 "), "{response}");
    wire.server.stop().await;
}

/// Bodies that do not end have a bound together. Above it, small ones are still received.
#[tokio::test]
async fn large_bodies_that_do_not_end_are_bounded() {
    let wire = Wire::start(&["--body-timeout", "60s"]).await;
    let address = wire.app.base.strip_prefix("http://").unwrap().to_owned();
    let head = post(&wire.app).replacen("/users", "/users/batch", 1);
    let unfinished = format!("{head}content-length: 1000000\r\n\r\n{}", " ".repeat(990_000));
    // As many as are received at once, until one is refused.
    let mut streams = Vec::new();
    let is_refused = async |stream: &mut TcpStream, wait| {
        let mut status = [0; 12];
        matches!(timeout(wait, stream.read_exact(&mut status)).await, Ok(Ok(_)) if &status == b"HTTP/1.1 503")
    };
    let refused = async {
        loop {
            let mut stream = TcpStream::connect(&address).await.unwrap();
            stream.write_all(unfinished.as_bytes()).await.unwrap();
            let wait = Duration::from_millis(if streams.len() < 33 { 1 } else { 500 });
            if is_refused(&mut stream, wait).await {
                return;
            }
            streams.push(stream);
        }
    };
    timeout(Duration::from_secs(60), refused).await.expect("large bodies are refused");
    wire.app.create_user("ada").await;
    drop(streams);
    let users = serde_json::json!({ "users": [{ "name": "Bob", "email": "bob@example.com" }] });
    assert_eq!(wire.app.post("/users/batch", users).await.status, 200);
    wire.server.stop().await;
}

#[tokio::test]
async fn a_request_must_have_one_host() {
    let wire = Wire::start(&[]).await;
    for head in [
        "",
        "host: a\r\nhost: b\r\n",
        "host: a b\r\n",
        "host: a/b\r\n",
        "host: user@a\r\n",
        "host: a:b\r\n",
        "host: a:99999\r\n",
    ] {
        let response =
            wire.exchange(format!("GET /health HTTP/1.1\r\n{head}connection: close\r\n\r\n").as_bytes()).await;
        assert!(
            response.starts_with("HTTP/1.1 400 ") && response.contains("/problems/malformed"),
            "{head:?}: {response}"
        );
    }
    // An absolute target does not replace the header (RFC 9112, section 3.2).
    let absolute = "GET http://a/health HTTP/1.1\r\nconnection: close\r\n";
    assert!(wire.exchange(format!("{absolute}\r\n").as_bytes()).await.starts_with("HTTP/1.1 400 "));
    assert!(wire.exchange(format!("{absolute}host: a\r\n\r\n").as_bytes()).await.starts_with("HTTP/1.1 200 "));
    let old = wire.exchange(b"GET /health HTTP/1.0\r\n\r\n").await;
    assert!(old.starts_with("HTTP/1.0 200 "), "{old}");
    wire.server.stop().await;
}

/// A second request behind an ambiguous length must not be served.
#[tokio::test]
async fn no_request_is_smuggled_behind_two_lengths() {
    let wire = Wire::start(&[]).await;
    let post = post(&wire.app);
    let hidden = "GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n";
    for head in [
        format!("{post}content-length: {}\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{hidden}", hidden.len() + 5),
        format!("{post}content-length: 0\r\ncontent-length: {}\r\n\r\n{hidden}", hidden.len()),
        format!("{post}transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n{hidden}"),
        format!("{post}transfer-encoding : chunked\r\n\r\n0\r\n\r\n{hidden}"),
    ] {
        let response = wire.exchange(head.as_bytes()).await;
        assert!(!response.contains("smuggled"), "{head:?}\n{response}");
    }
    wire.server.stop().await;
}

#[tokio::test]
async fn pipelined_requests_are_served_in_order() {
    let wire = Wire::start(&[]).await;
    let requests = "GET /health HTTP/1.1\r\nhost: x\r\nx-request-id: one\r\n\r\n\
                    GET /nothing HTTP/1.1\r\nhost: x\r\nx-request-id: two\r\nconnection: close\r\n\r\n";
    let response = wire.exchange(requests.as_bytes()).await;
    let (one, two) = (response.find("x-request-id: one").unwrap(), response.find("x-request-id: two").unwrap());
    assert!(one < two, "{response}");
    wire.server.stop().await;
}

/// Input that is not HTTP gets the bare 400 of hyper and a closed connection, and the server continues.
#[tokio::test]
async fn input_that_is_not_http_is_refused_and_closed() {
    let wire = Wire::start(&[]).await;
    let header = format!("GET /health HTTP/1.1\r\nhost: x\r\nx-large: {}\r\n\r\n", "x".repeat(200 * 1024));
    for (junk, status) in [("\x16\x03\x01\x02\r\n\r\n", "400"), ("GET\r\n\r\n", "400"), (&*header, "431")] {
        let response = wire.exchange(junk.as_bytes()).await;
        assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{junk:.20}: {response}");
    }
    assert_eq!(wire.app.get("/health").await.status, 200);
    wire.server.stop().await;
}

#[tokio::test]
async fn http2_without_tls_is_supported() {
    let wire = Wire::start(&[]).await;
    let client = reqwest::Client::builder().http2_prior_knowledge().no_proxy().build().unwrap();
    let app = App::at(wire.app.base.clone(), client).with_token(wire.app.token.as_deref());
    let user = app.create_user("ada").await;
    assert_eq!(app.get(&format!("/users/{}", user["id"].as_str().unwrap())).await.json(), user);
    wire.server.stop().await;
}

/// The limits are the same on both versions (RFC 6585, section 5).
#[tokio::test]
async fn the_header_fields_of_a_request_are_limited() {
    let wire = Wire::start(&[]).await;
    for http2 in [false, true] {
        let client = reqwest::Client::builder().no_proxy();
        let client = if http2 { client.http2_prior_knowledge() } else { client.http1_only() }.build().unwrap();
        for (count, length, expected) in
            [(1, 32_000, 200), (1, 33_000, 431), (20, 1_600, 200), (20, 1_700, 431), (95, 9, 200), (101, 9, 431)]
        {
            let mut request = client.get(format!("{}/health", wire.app.base));
            for number in 0..count {
                request = request.header(format!("x-{number}"), "x".repeat(length));
            }
            let status = request.send().await.unwrap().status().as_u16();
            assert_eq!(status, expected, "{count} of {length} bytes, HTTP/2: {http2}");
        }
    }
    wire.server.stop().await;
}

/// At the limit a new connection takes the place of one that is idle, and waits for one that is not.
#[tokio::test]
async fn a_connection_over_the_limit_takes_the_place_of_an_idle_one() {
    let wire = Wire::start(&["--max-connections", "1", "--body-timeout", "2s"]).await;
    let mut idle = wire.connect().await;
    idle.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    idle.read_exact(&mut [0; 12]).await.unwrap();
    let mut busy = wire.connect().await;
    busy.write_all(format!("{}content-length: 9\r\n\r\n{{", post(&wire.app)).as_bytes()).await.unwrap();
    assert!(read_to_end(&mut idle).await.ends_with('}'));

    let mut third = wire.connect().await;
    third.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    assert!(timeout(Duration::from_millis(300), third.read(&mut [0])).await.is_err());
    assert!(read_to_end(&mut busy).await.starts_with("HTTP/1.1 408 "));
    drop(busy);
    assert!(read_to_end(&mut third).await.ends_with('}'));
    wire.server.stop().await;
}

/// A client cannot take the connections of others.
#[tokio::test]
async fn a_client_has_a_maximum_of_connections() {
    let wire = Wire::start(&["--max-connections-per-client", "2"]).await;
    let address = wire.app.base.strip_prefix("http://").unwrap();
    let one = [wire.connect().await, wire.connect().await];
    assert_eq!(read_to_end(&mut wire.connect().await).await, "");
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut other = socket.connect(address.parse().unwrap()).await.unwrap();
    other.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    assert!(read_to_end(&mut other).await.ends_with('}'));
    drop(one);
    wire.server.stop().await;
}

/// A client may close its side after its request.
#[tokio::test]
async fn a_half_closed_connection_gets_its_answer() {
    let wire = Wire::start(&[]).await;
    for _ in 0..20 {
        let mut stream = wire.connect().await;
        let request = format!("GET /users HTTP/1.1\r\nhost: x\r\n{}\r\n", wire.app.authorization());
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        assert!(read_to_end(&mut stream).await.starts_with("HTTP/1.1 200 "));
    }
    wire.server.stop().await;
}

/// hyper accepts bytes in a path that are invalid in a URI. `instance` of the problem is still a URI reference.
#[tokio::test]
async fn the_instance_of_a_problem_is_a_uri_reference() {
    let wire = Wire::start(&[]).await;
    for (path, instance) in
        [("/users/{x}", "/users/%7Bx%7D"), ("/\u{e9}", "/%C3%A9"), ("/a\"b^c|", "/a%22b%5Ec%7C"), ("/%20", "/%20")]
    {
        let response =
            wire.exchange(format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes()).await;
        assert!(response.contains(&format!("\"instance\":\"{instance}\"")), "{response}");
    }
    wire.server.stop().await;
}

#[tokio::test]
async fn options_of_the_server_itself_is_served() {
    let wire = Wire::start(&[]).await;
    let response = wire.exchange(b"OPTIONS * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(response.starts_with("HTTP/1.1 204 ") && response.contains("allow: GET, "), "{response}");
    wire.server.stop().await;
}

/// A connection without a request does not delay a stop.
#[tokio::test]
async fn a_silent_connection_does_not_delay_a_stop() {
    let wire = Wire::start(&["--header-timeout", "1h"]).await;
    let mut half = wire.connect().await;
    half.write_all(b"GET /hea").await.unwrap();
    let mut preface = wire.connect().await;
    preface.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00").await.unwrap();
    let _ = preface.read(&mut [0; 9]).await.unwrap();
    timeout(Duration::from_secs(5), wire.server.stop()).await.expect("the server stops at once");
}
