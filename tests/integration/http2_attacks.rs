//! HTTP/2 clients that the protocol allows and a server must not serve: those that read nothing, and those that send frames
//! which ask for nothing.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::harness::{App, Database, Server, Storage};

const SETTINGS: u8 = 4;
const HEADERS: u8 = 1;
const PING: u8 = 6;
const END_STREAM_AND_HEADERS: u8 = 0x5;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The head of a GET, in literals without indexing (RFC 7541, section 6.2.2).
fn get(path: &str, token: &str) -> Vec<u8> {
    let literal = |name: &[u8], value: &str| [name, &[u8::try_from(value.len()).unwrap()], value.as_bytes()].concat();
    let bearer = format!("Bearer {token}");
    // :method GET, :scheme http, :path, :authority, authorization
    [&[0x82, 0x86][..], &literal(&[0x04], path), &literal(&[0x01], "a"), &literal(&[0x0f, 0x08], &bearer)].concat()
}

/// An attacker, after the preface and its settings.
async fn connect(app: &App, settings: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(app.base.strip_prefix("http://").unwrap()).await.unwrap();
    let start = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &frame(SETTINGS, 0, 0, settings)[..]].concat();
    stream.write_all(&start).await.unwrap();
    stream
}

async fn start() -> (App, Server, Storage) {
    let storage = Storage::new(Database::Sqlite).await.unwrap();
    let (app, server) = App::start(&storage, &[]).await;
    for number in 0..20 {
        app.create_user(&format!("user{number}")).await;
    }
    (app, server, storage)
}

/// Reads until the server closes.
async fn until_closed(stream: &mut TcpStream) {
    let mut buffer = [0; 65_536];
    while !matches!(stream.read(&mut buffer).await, Ok(0) | Err(_)) {}
}

/// Requests whose responses have no window.
async fn unread(app: &App, window: u8, path: &str) -> TcpStream {
    // SETTINGS_INITIAL_WINDOW_SIZE
    let mut stream = connect(app, &[0, 4, 0, 0, 0, window]).await;
    let head = get(path, app.token.as_deref().unwrap());
    for number in 0..100 {
        stream.write_all(&frame(HEADERS, END_STREAM_AND_HEADERS, 2 * number + 1, &head)).await.unwrap();
    }
    stream
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_receives_nothing_is_disconnected() {
    let (app, server, _storage) = start().await;
    let list = "/users?limit=100";
    let (mut none, mut one) = (unread(&app, 0, list).await, unread(&app, 1, list).await);
    // These bytes are in memory once, but the connection is not.
    let mut document = unread(&app, 0, "/openapi.json").await;
    let all = async { tokio::join!(until_closed(&mut none), until_closed(&mut one), until_closed(&mut document)) };
    timeout(Duration::from_secs(40), all).await.expect("they are disconnected");
    assert_eq!(app.get("/users").await.status, 200);
    server.stop().await;
}

/// Those who leave the most unread are disconnected before others are refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_receive_nothing_do_not_shut_out_others() {
    let (app, server, _storage) = start().await;
    let client = reqwest::Client::builder().http2_prior_knowledge().no_proxy().tls_certs_only([]).build().unwrap();
    let other = App::at(app.base.clone(), client).with_token(app.token.as_deref());
    let attack = async {
        let mut streams = Vec::new();
        for _ in 0..20 {
            // Megabytes each.
            streams.push(unread(&app, 0, "/openapi.json").await);
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
        let mut closed = 0;
        for stream in &mut streams {
            closed += usize::from(timeout(Duration::from_millis(50), until_closed(stream)).await.is_ok());
        }
        closed
    };
    let ordinary = async {
        for _ in 0..200 {
            let response = other.get("/users?limit=1").await;
            assert_eq!(response.status, 200, "{}", response.text());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let (closed, ()) = tokio::join!(attack, ordinary);
    assert!((1..20).contains(&closed), "{closed}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_floods_is_disconnected() {
    let (app, server, _storage) = start().await;
    for (name, flood) in [
        ("pings", frame(PING, 0, 0, &[0; 8])),
        ("settings", frame(SETTINGS, 0, 0, &[])),
        ("priorities", frame(2, 0, 1, &[0; 5])),
        ("window updates", frame(8, 0, 0, &[0, 0, 0, 1])),
        ("unknown frames", frame(0xbb, 0, 0, &[0; 1_000])),
    ] {
        for reads in [true, false] {
            let mut stream = connect(&app, &[]).await;
            let (mut reader, mut writer) = stream.split();
            let write = async {
                let many = flood.repeat(1_000);
                while writer.write_all(&many).await.is_ok() {}
            };
            let read = async {
                let mut buffer = [0; 65_536];
                while reads && !matches!(reader.read(&mut buffer).await, Ok(0) | Err(_)) {}
                if !reads {
                    std::future::pending::<()>().await;
                }
            };
            let cut = async {
                tokio::select! { () = write => {}, () = read => {} }
            };
            timeout(Duration::from_secs(20), cut).await.unwrap_or_else(|_| panic!("{name}, reads: {reads}"));
        }
        assert_eq!(app.get("/users").await.status, 200, "{name}");
    }
    server.stop().await;
}

/// Ordinary use is not taken for a flood.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_with_many_requests_and_bodies_is_served() {
    let (app, server, _storage) = start().await;
    let client = reqwest::Client::builder().http2_prior_knowledge().no_proxy().tls_certs_only([]).build().unwrap();
    let client = App::at(app.base.clone(), client).with_token(app.token.as_deref());
    let users: Vec<_> = (0..1_000)
        .map(|number| serde_json::json!({ "name": "x".repeat(100), "email": format!("batch{number}@example.com") }))
        .collect();
    assert_eq!(client.post("/users/batch", serde_json::json!({ "users": users })).await.status, 200);
    for _ in 0..300 {
        assert_eq!(client.get("/users?limit=100").await.json()["users"].as_array().unwrap().len(), 100);
    }
    server.stop().await;
}
