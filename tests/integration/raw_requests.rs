//! Requests as bytes: framing, sizes, methods, targets and headers, each with the section of the RFC that decides.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::harness::{App, Database, Storage};

/// What the server must do.
#[derive(Clone, Copy)]
enum Expected {
    /// One response with this status, on a connection that may stay open.
    Status(u16),
    /// One response with this status, and the end of the connection.
    Closes(u16),
    /// The same, although the client has not sent the whole body. A proxy waits for the rest of it.
    Unread(u16),
    /// These statuses, in this order.
    Statuses(&'static [u16]),
}
use Expected::{Closes, Status, Statuses, Unread};

/// The name, the section, the request, and what the server must do. `{token}` is the header with a valid token, `{x*N}` is N
/// letters. A request whose connection stays open is followed by one for `/health` on the same connection, so that a wrong
/// length of a body shows.
const CASES: &[(&str, &str, &str, Expected)] = &[
    // ---- Message format (RFC 9112) ----
    ("a plain request", "9112 2.1", "GET /health HTTP/1.1\r\nhost: a\r\n\r\n", Status(200)),
    ("an empty line before", "9112 2.2", "\r\nGET /health HTTP/1.1\r\nhost: a\r\n\r\n", Status(200)),
    ("bare line feeds", "9112 2.2", "GET /health HTTP/1.1\nhost: a\n\n", Status(200)),
    ("a bare carriage return", "9112 2.2", "GET /health HTTP/1.1\r\nhost: a\rb\r\n\r\n", Closes(400)),
    ("white space before the first header", "9112 2.2", "GET /health HTTP/1.1\r\n host: a\r\n\r\n", Closes(400)),
    ("no version", "9112 2.3", "GET /health\r\nhost: a\r\n\r\n", Closes(400)),
    ("HTTP/1.0", "9112 2.3", "GET /health HTTP/1.0\r\n\r\n", Closes(200)),
    (
        "HTTP/1.0 that keeps the connection",
        "9112 9.3",
        "GET /health HTTP/1.0\r\nconnection: keep-alive\r\n\r\n",
        Status(200),
    ),
    ("HTTP/2.0 as text", "9112 2.3", "GET /health HTTP/2.0\r\nhost: a\r\n\r\n", Closes(400)),
    ("HTTP/1.2", "9112 2.3", "GET /health HTTP/1.2\r\nhost: a\r\n\r\n", Closes(400)),
    ("a version in lower case", "9112 2.3", "GET /health http/1.1\r\nhost: a\r\n\r\n", Closes(400)),
    ("two spaces", "9112 3", "GET  /health HTTP/1.1\r\nhost: a\r\n\r\n", Closes(400)),
    ("a tab as separator", "9112 3", "GET\t/health HTTP/1.1\r\nhost: a\r\n\r\n", Closes(400)),
    ("a space in the target", "9112 3.2", "GET /hea lth HTTP/1.1\r\nhost: a\r\n\r\n", Closes(400)),
    ("no target", "9112 3", "GET HTTP/1.1\r\nhost: a\r\n\r\n", Closes(400)),
    ("binary data", "9112 3", "\u{1}\u{2}\u{3}\r\n\r\n", Closes(400)),
    // ---- Methods (RFC 9110, section 9) ----
    ("an unknown method", "9110 9.1", "BREW /users HTTP/1.1\r\nhost: a\r\n\r\n", Status(501)),
    ("a method in lower case", "9110 9.1", "get /users HTTP/1.1\r\nhost: a\r\n\r\n", Status(501)),
    ("a method that is no token", "9110 9.1", "GE(T /users HTTP/1.1\r\nhost: a\r\n\r\n", Closes(400)),
    ("TRACE", "9110 9.3.8", "TRACE /users HTTP/1.1\r\nhost: a\r\n\r\n", Status(405)),
    ("CONNECT", "9110 9.3.6", "CONNECT a:80 HTTP/1.1\r\nhost: a:80\r\nconnection: close\r\n\r\n", Closes(404)),
    ("OPTIONS of the server", "9110 9.3.7", "OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n", Status(204)),
    ("GET of the server", "9112 3.2.4", "GET * HTTP/1.1\r\nhost: a\r\n\r\n", Status(404)),
    ("PUT on a collection", "9110 15.5.6", "PUT /users HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n", Status(405)),
    // ---- Targets ----
    ("an absolute target", "9112 3.2.2", "GET http://a/health HTTP/1.1\r\nhost: a\r\n\r\n", Status(200)),
    (
        "an absolute target and a wrong host",
        "9112 3.2",
        "GET http://a/health HTTP/1.1\r\nhost: a b\r\n\r\n",
        Status(400),
    ),
    ("an absolute target and a user", "9112 3.2", "GET http://a/health HTTP/1.1\r\nhost: evil@x\r\n\r\n", Status(400)),
    ("an absolute target wins", "9112 3.2.2", "GET http://a/health HTTP/1.1\r\nhost: b\r\n\r\n", Status(200)),
    ("https without TLS", "9110 7.4", "GET https://a/health HTTP/1.1\r\nhost: a\r\n\r\n", Status(421)),
    ("another scheme", "9110 7.4", "GET ftp://a/health HTTP/1.1\r\nhost: a\r\n\r\n", Status(421)),
    ("a fragment, which is ignored", "9110 7.1", "GET /health#a HTTP/1.1\r\nhost: a\r\n\r\n", Status(200)),
    ("an encoded letter", "3986 6.2.2.2", "GET /%68ealth HTTP/1.1\r\nhost: a\r\n\r\n", Status(200)),
    ("an encoded slash", "3986 2.2", "GET /health%2Flive HTTP/1.1\r\nhost: a\r\n\r\n", Status(404)),
    ("two slashes", "3986 3.3", "GET //health HTTP/1.1\r\nhost: a\r\n\r\n", Status(404)),
    ("dot segments", "3986 5.2.4", "GET /x/../health HTTP/1.1\r\nhost: a\r\n\r\n", Status(404)),
    ("another case", "3986 6.2.2.1", "GET /HEALTH HTTP/1.1\r\nhost: a\r\n\r\n", Status(404)),
    ("a slash at the end", "3986 3.3", "GET /health/ HTTP/1.1\r\nhost: a\r\n\r\n", Status(404)),
    ("an empty query", "3986 3.4", "GET /health? HTTP/1.1\r\nhost: a\r\n\r\n", Status(200)),
    ("a wrong escape", "3986 2.1", "GET /users/%zz HTTP/1.1\r\nhost: a\r\n{token}\r\n", Status(400)),
    ("an encoded null", "3986 7.3", "GET /users/%00 HTTP/1.1\r\nhost: a\r\n{token}\r\n", Status(400)),
    ("a long target", "9110 4.1", "GET /health?{x*7000} HTTP/1.1\r\nhost: a\r\n\r\n", Status(200)),
    ("a too long target", "9110 15.5.15", "GET /health?{x*9000} HTTP/1.1\r\nhost: a\r\n\r\n", Status(414)),
    ("a far too long target", "9110 15.5.15", "GET /{x*200000} HTTP/1.1\r\nhost: a\r\n\r\n", Closes(431)),
    // ---- Host (RFC 9112, section 3.2) ----
    ("no host", "9112 3.2", "GET /health HTTP/1.1\r\nx: y\r\n\r\n", Status(400)),
    ("an empty host", "9112 3.2", "GET /health HTTP/1.1\r\nhost:\r\n\r\n", Status(400)),
    ("two hosts", "9112 3.2", "GET /health HTTP/1.1\r\nhost: a\r\nhost: a\r\n\r\n", Status(400)),
    ("a host with a space", "9112 3.2", "GET /health HTTP/1.1\r\nhost: a b\r\n\r\n", Status(400)),
    ("a host with a path", "9112 3.2", "GET /health HTTP/1.1\r\nhost: a/b\r\n\r\n", Status(400)),
    ("a host with a user", "9112 3.2", "GET /health HTTP/1.1\r\nhost: u@a\r\n\r\n", Status(400)),
    ("a host with a wrong port", "9112 3.2", "GET /health HTTP/1.1\r\nhost: a:b\r\n\r\n", Status(400)),
    ("a host with a port", "9112 3.2", "GET /health HTTP/1.1\r\nhost: a:80\r\n\r\n", Status(200)),
    ("an IPv6 host", "9112 3.2", "GET /health HTTP/1.1\r\nhost: [::1]:80\r\n\r\n", Status(200)),
    ("a host with a final dot", "3986 3.2.2", "GET /health HTTP/1.1\r\nhost: a.example.\r\n\r\n", Status(200)),
    // ---- Headers (RFC 9110, section 5) ----
    ("a space before the colon", "9112 5.1", "GET /health HTTP/1.1\r\nhost : a\r\n\r\n", Closes(400)),
    ("a folded header", "9112 5.2", "GET /health HTTP/1.1\r\nhost: a\r\nx: a\r\n b\r\n\r\n", Closes(400)),
    ("a header without a colon", "9112 5", "GET /health HTTP/1.1\r\nhost: a\r\nx\r\n\r\n", Closes(400)),
    ("a header without a name", "9112 5", "GET /health HTTP/1.1\r\nhost: a\r\n: x\r\n\r\n", Closes(400)),
    (
        "a control character in a value",
        "9110 5.5",
        "GET /health HTTP/1.1\r\nhost: a\r\nx: a\u{1}b\r\n\r\n",
        Closes(400),
    ),
    ("a null in a value", "9110 5.5", "GET /health HTTP/1.1\r\nhost: a\r\nx: a\0b\r\n\r\n", Closes(400)),
    ("a tab in a value", "9110 5.5", "GET /health HTTP/1.1\r\nhost: a\r\nx: a\tb\r\n\r\n", Status(200)),
    ("text beyond ASCII in a value", "9110 5.5", "GET /health HTTP/1.1\r\nhost: a\r\nx: \u{e9}\r\n\r\n", Status(200)),
    ("an empty value", "9110 5.5", "GET /health HTTP/1.1\r\nhost: a\r\nx:\r\n\r\n", Status(200)),
    ("no space after the colon", "9112 5.1", "GET /health HTTP/1.1\r\nhost:a\r\n\r\n", Status(200)),
    ("a long header", "6585 5", "GET /health HTTP/1.1\r\nhost: a\r\nx: {x*30000}\r\n\r\n", Status(200)),
    ("header fields over the limit", "6585 5", "GET /health HTTP/1.1\r\nhost: a\r\nx: {x*33000}\r\n\r\n", Status(431)),
    ("a header of 100,000 bytes", "6585 5", "GET /health HTTP/1.1\r\nhost: a\r\nx: {x*100000}\r\n\r\n", Closes(431)),
    ("a too long header", "6585 5", "GET /health HTTP/1.1\r\nhost: a\r\nx: {x*200000}\r\n\r\n", Closes(431)),
    (
        "a weight of zero in upper case",
        "9110 12.4.2",
        "GET /users HTTP/1.1\r\nhost: a\r\n{token}accept: */*;Q=0\r\n\r\n",
        Status(406),
    ),
    ("an unknown expectation", "9110 10.1.1", "GET /health HTTP/1.1\r\nhost: a\r\nexpect: more\r\n\r\n", Status(200)),
    ("connection: close", "9112 9.6", "GET /health HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", Closes(200)),
    ("Connection: Close", "9112 9.6", "GET /health HTTP/1.1\r\nhost: a\r\nConnection: Close\r\n\r\n", Closes(200)),
    (
        "an upgrade",
        "9110 7.8",
        "GET /health HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n",
        Status(200),
    ),
    // ---- Length of the body (RFC 9112, section 6) ----
    ("a body of a GET", "9110 9.3.1", "GET /health HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello", Status(200)),
    ("a chunked body", "9112 7.1", "{post}transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", Status(422)),
    ("Chunked", "9112 7", "{post}transfer-encoding: Chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", Status(422)),
    (
        "a chunk extension",
        "9112 7.1.1",
        "{post}transfer-encoding: chunked\r\n\r\n2;a=b\r\n{}\r\n0\r\n\r\n",
        Status(422),
    ),
    ("a trailer", "9112 7.1.2", "{post}transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nx: y\r\n\r\n", Status(422)),
    ("a chunk with a wrong size", "9112 7.1", "{post}transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n", Closes(400)),
    (
        "a chunk with a signed size",
        "9112 7.1",
        "{post}transfer-encoding: chunked\r\n\r\n+2\r\n{}\r\n0\r\n\r\n",
        Closes(400),
    ),
    (
        "a chunk with a huge size",
        "9112 7.1",
        "{post}transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
        Closes(400),
    ),
    (
        "a chunk that is too long",
        "9112 7.1",
        "{post}transfer-encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n",
        Closes(400),
    ),
    ("gzip, chunked", "9112 6.1", "{post}transfer-encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", Closes(400)),
    (
        "an unknown coding",
        "9112 6.1",
        "{post}transfer-encoding: nonsense, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        Closes(400),
    ),
    ("chunked twice", "9112 6.1", "{post}transfer-encoding: chunked, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", Closes(400)),
    (
        "chunked in two headers",
        "9112 6.1",
        "{post}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        Closes(400),
    ),
    (
        "chunked, but not last",
        "9112 6.3",
        "{post}transfer-encoding: chunked, gzip\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        Closes(400),
    ),
    ("identity", "9112 7", "{post}transfer-encoding: identity\r\n\r\n{}", Closes(400)),
    (
        "a coding in HTTP/1.0",
        "9112 6.1",
        "POST /users HTTP/1.0\r\n{token}transfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        Closes(400),
    ),
    (
        "a coding with a space before the colon",
        "9112 5.1",
        "{post}transfer-encoding : chunked\r\n\r\n0\r\n\r\n",
        Closes(400),
    ),
    (
        "both lengths",
        "9112 6.3",
        "{post}content-length: 6\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n",
        Closes(400),
    ),
    ("a negative length", "9110 8.6", "{post}content-length: -1\r\n\r\n", Closes(400)),
    ("a signed length", "9110 8.6", "{post}content-length: +2\r\n\r\n{}", Closes(400)),
    ("a length in hexadecimal", "9110 8.6", "{post}content-length: 0x2\r\n\r\n{}", Closes(400)),
    ("a length with a fraction", "9110 8.6", "{post}content-length: 2.0\r\n\r\n{}", Closes(400)),
    ("a huge length", "9110 8.6", "{post}content-length: 99999999999999999999\r\n\r\n{}", Closes(400)),
    ("different lengths", "9112 6.3", "{post}content-length: 2\r\ncontent-length: 3\r\n\r\n{}", Closes(400)),
    ("a list of different lengths", "9112 6.3", "{post}content-length: 2, 3\r\n\r\n{}", Closes(400)),
    ("no length", "9112 6.3", "{post}\r\n", Status(400)),
    // ---- Refused before the body (RFC 9112, section 9.6) ----
    ("401 before a body", "9112 9.6", "POST /users HTTP/1.1\r\nhost: a\r\ncontent-length: 99\r\n\r\n", Unread(401)),
    ("404 before a body", "9112 9.6", "POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 99\r\n\r\n", Unread(404)),
    ("405 before a body", "9112 9.6", "PUT /users HTTP/1.1\r\nhost: a\r\ncontent-length: 99\r\n\r\n", Unread(405)),
    ("406 before a body", "9112 9.6", "{post}accept: text/csv\r\ncontent-length: 99\r\n\r\n", Unread(406)),
    ("413 before a body", "9112 9.6", "{post}content-length: 99999999\r\n\r\n", Unread(413)),
    ("415 before a body", "9112 9.6", "{start}content-length: 99\r\n\r\n{x*98}", Unread(415)),
    ("501 before a body", "9112 9.6", "BREW /users HTTP/1.1\r\nhost: a\r\ncontent-length: 99\r\n\r\n", Unread(501)),
    ("200 before a body", "9112 9.6", "GET /health HTTP/1.1\r\nhost: a\r\ncontent-length: 99\r\n\r\n", Unread(200)),
    ("415 with a small body", "9112 9.6", "{start}content-length: 99\r\n\r\n{x*99}", Status(415)),
    ("404 with chunks", "9112 7.1", "POST /x HTTP/1.1\r\nhost: a\r\n{chunked}\r\n2\r\n{}\r\n0\r\n\r\n", Status(404)),
    ("404 with an invalid chunk", "9112 7.1", "POST /x HTTP/1.1\r\nhost: a\r\n{chunked}\r\n2\r\n{}x\r\n", Closes(404)),
    ("200 with a body", "9110 9.3.1", "GET /health HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n{}", Status(200)),
    // ---- Content (RFC 9110, section 8) ----
    (
        "a quoted parameter",
        "9110 5.6.6",
        "{start}content-type: application/json; a=\"b;c\\\"\"; charset=\"UTF-8\"\r\ncontent-length: 2\r\n\r\n{}",
        Status(422),
    ),
    (
        "a quoted pair",
        "9110 5.6.4",
        "{start}content-type: application/json; charset=\"utf\\-8\"\r\ncontent-length: 2\r\n\r\n{}",
        Status(422),
    ),
    (
        "another charset",
        "9110 8.3.2",
        "{start}content-type: application/json; charset=latin1\r\ncontent-length: 2\r\n\r\n{}",
        Status(415),
    ),
    ("an encoded body", "9110 8.4", "{post}content-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}", Status(415)),
    ("no media type", "9110 8.3", "{start}content-length: 2\r\n\r\n{}", Status(415)),
    ("two media types", "9110 5.3", "{post}content-type: text/plain\r\ncontent-length: 2\r\n\r\n{}", Status(415)),
    // ---- Pipelining (RFC 9112, section 9.3.2) ----
    (
        "three requests",
        "9112 9.3.2",
        "GET /health HTTP/1.1\r\nhost: a\r\n\r\nGET /x HTTP/1.1\r\nhost: a\r\n\r\nBREW / HTTP/1.1\r\nhost: a\r\n\r\n",
        Statuses(&[200, 404, 501]),
    ),
];

/// The statuses of the responses on a connection, and whether it is closed after them.
async fn statuses(stream: &mut TcpStream, bytes: &[u8], count: usize) -> (Vec<u16>, bool) {
    let (text, is_closed) = exchange(stream, bytes, count).await;
    (heads(&text), is_closed)
}

/// What a client receives for these bytes until there are so many responses, and whether the connection is closed then.
async fn exchange(stream: &mut TcpStream, bytes: &[u8], count: usize) -> (String, bool) {
    // A server that has refused the beginning may not read the rest.
    let _ = stream.write_all(bytes).await;
    let (mut text, mut buffer) = (Vec::new(), [0; 65_536]);
    loop {
        let seen = String::from_utf8_lossy(&text).into_owned();
        let wait = Duration::from_millis(if heads(&seen).len() < count { 5_000 } else { 50 });
        match timeout(wait, stream.read(&mut buffer)).await {
            Ok(Ok(0) | Err(_)) => return (seen, true),
            Ok(Ok(length)) => text.extend_from_slice(&buffer[..length]),
            Err(_) => return (seen, false),
        }
    }
}

/// The statuses in these bytes. A body here never contains the beginning of a response.
fn heads(text: &str) -> Vec<u16> {
    let heads = text.split("HTTP/1.").skip(1);
    heads.filter_map(|head| head.get(2..5)?.parse().ok()).filter(|status| *status != 100).collect()
}

/// The bytes of a case.
fn bytes(app: &App, request: &str) -> Vec<u8> {
    expand(app, request).into_bytes()
}

fn expand(app: &App, request: &str) -> String {
    let start = format!("POST /users HTTP/1.1\r\nhost: a\r\n{}", app.authorization());
    let mut text = request
        .replace("{post}", "{start}content-type: application/json\r\n")
        .replace("{start}", &start)
        .replace("{chunked}", "transfer-encoding: chunked\r\n")
        .replace("{token}", &app.authorization());
    while let Some((before, rest)) = text.clone().split_once("{x*") {
        let (count, after) = rest.split_once('}').unwrap();
        text = format!("{before}{}{after}", "x".repeat(count.parse().unwrap()));
    }
    text
}

#[tokio::test]
async fn every_case_has_one_right_answer() {
    let storage = Storage::new(Database::Sqlite).await.unwrap();
    let (app, server) = App::start(&storage, &[]).await;
    let mut wrong = Vec::new();
    for (name, section, request, expected) in CASES {
        let mut stream = TcpStream::connect(app.base.strip_prefix("http://").unwrap()).await.unwrap();
        let wanted = match expected {
            Status(status) | Closes(status) | Unread(status) => vec![*status],
            Statuses(statuses) => statuses.to_vec(),
        };
        let (text, is_closed) = exchange(&mut stream, &bytes(&app, request), wanted.len()).await;
        let seen = heads(&text);
        // A response of the app announces the end of its connection. HTTP/1.0 needs no announcement.
        let is_announced = text.contains("\r\nconnection: close\r\n")
            || !text.contains("x-request-id: ")
            || request.contains("HTTP/1.0");
        let next = b"GET /health HTTP/1.1\r\nhost: a\r\n\r\n";
        let follows = !is_closed && statuses(&mut stream, next, 1).await.0 == [200];
        if seen != wanted
            || is_closed != matches!(expected, Closes(_) | Unread(_))
            || !(follows || is_closed && is_announced)
        {
            wrong.push(format!(
                "{name} (RFC {section}): {seen:?}, closed: {is_closed}, announced: {is_announced}, next: {follows}"
            ));
        }
    }
    assert!(CASES.len() >= 100);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    server.stop().await;
}

/// The same cases through a real proxy, which `scripts/proxy-test` starts in front of a real server, below a path. The proxy refuses
/// some, repairs others, and passes the rest on. Either way, no request has two answers, no answer is a fault of the server or of
/// the connection to it, and the next request on the connection has an answer of its own.
#[tokio::test]
#[ignore = "needs a proxy: see scripts/proxy-test"]
#[expect(clippy::disallowed_methods, reason = "the addresses that the script chose, not settings of the server")]
async fn raw_requests_through_a_proxy() {
    let variable = |name| std::env::var(name).expect("set by scripts/proxy-test");
    let proxy = variable("RAW_REQUESTS_PROXY");
    let [name, address, prefix] = proxy.split(' ').collect::<Vec<_>>()[..] else { panic!("{proxy}") };
    let mut app = App::at(format!("http://{address}"), crate::harness::client());
    app.token = Some(variable("RAW_REQUESTS_TOKEN"));
    let (mut wrong, mut different) = (Vec::new(), 0);
    for (case, section, request, expected) in CASES {
        let wanted = match expected {
            Status(status) | Closes(status) | Unread(status) => vec![*status],
            Statuses(statuses) => statuses.to_vec(),
        };
        let mut stream = TcpStream::connect(address).await.unwrap();
        let below = below(&expand(&app, request), prefix);
        let (seen, is_closed) = statuses(&mut stream, below.as_bytes(), wanted.len()).await;
        let next = format!("GET {prefix}/health HTTP/1.1\r\nhost: a\r\n\r\n");
        let next = if is_closed || matches!(expected, Unread(_)) {
            vec![200]
        } else {
            statuses(&mut stream, next.as_bytes(), 1).await.0
        };
        if seen != wanted {
            different += 1;
            println!("{name}: {case} (RFC {section}): {seen:?} instead of {wanted:?}");
        }
        // 501 and 505 are refusals of a method, a coding or a version.
        let is_fault = |status: &u16| *status >= 500 && ![501, 505].contains(status);
        if seen.len() > wanted.len() || seen.iter().any(is_fault) || next != [200] {
            wrong.push(format!("{case} (RFC {section}): {seen:?}, closed: {is_closed}, next: {next:?}"));
        }
    }
    println!(
        "{name}: {} of {} raw requests have the status that they have without a proxy",
        CASES.len() - different,
        CASES.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Adds the path of a proxy to the targets of a request and of those behind it.
fn below(request: &str, prefix: &str) -> String {
    let lines = request.split_inclusive('\n').map(|line| match line.split_once(" /") {
        Some((method, rest)) if line.contains(" HTTP/") && !method.contains(' ') => format!("{method} {prefix}/{rest}"),
        _ => line.replacen("://a/", &format!("://a{prefix}/"), 1),
    });
    lines.collect()
}
