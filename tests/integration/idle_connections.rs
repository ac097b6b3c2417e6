//! Connections that are kept between requests. After a tenth of a second of silence they have no buffers any more, which no client
//! notices.

use std::{fs, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::{
    harness::{App, Database, Server, Storage},
    process::{Process, web_server},
};

/// Longer than the time after which a connection is parked, twice.
const SILENCE: Duration = Duration::from_millis(500);

const HEALTH: &str = "GET /health HTTP/1.1\r\nhost: a\r\n\r\n";

async fn start(flags: &[&str]) -> (App, Server, Storage) {
    let storage = Storage::new(Database::Sqlite).await.unwrap();
    let (app, server) = App::start(&storage, flags).await;
    (app, server, storage)
}

struct Client(TcpStream);

impl Client {
    async fn connect(app: &App) -> Self {
        Self(TcpStream::connect(app.base.strip_prefix("http://").unwrap()).await.unwrap())
    }

    async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// Reads one response, whose length the head has, and returns its status line.
    async fn receive(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(timeout(Duration::from_secs(20), self.0.read_u8()).await.expect("a response").expect("a byte"));
        }
        let head = String::from_utf8(head).unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
        self.0.read_exact(&mut vec![0; length.parse().unwrap()]).await.unwrap();
        head.lines().next().unwrap().to_owned()
    }

    async fn is_closed(&mut self) -> bool {
        matches!(
            timeout(Duration::from_secs(10), self.0.read(&mut [0])).await.expect("the server closes"),
            Ok(0) | Err(_)
        )
    }
}

fn create(app: &App, name: &str) -> String {
    let body = format!(r#"{{"name":"{name}","email":"{name}@example.com"}}"#);
    let (credentials, length) = (app.authorization(), body.len());
    format!(
        "POST /users HTTP/1.1\r\nhost: a\r\n{credentials}content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

#[tokio::test]
async fn silence_between_requests_changes_nothing() {
    let (app, server, _storage) = start(&[]).await;
    let (mut whole, mut parts) = (Client::connect(&app).await, Client::connect(&app).await);
    let (mut pipelining, mut reader) = (Client::connect(&app).await, Client::connect(&app).await);
    let requests = async {
        for name in ["ada", "bob", "eve"] {
            whole.send(&create(&app, name)).await;
            assert_eq!(whole.receive().await, "HTTP/1.1 201 Created");
            sleep(SILENCE).await;
        }
        whole.send(HEALTH).await;
        assert_eq!(whole.receive().await, "HTTP/1.1 200 OK");
    };
    // Silence within a head and within a body.
    let halves = async {
        parts.send(HEALTH).await;
        assert_eq!(parts.receive().await, "HTTP/1.1 200 OK");
        let request = create(&app, "mallory");
        for part in [&request[..20], &request[20..request.len() - 5], &request[request.len() - 5..]] {
            parts.send(part).await;
            sleep(SILENCE).await;
        }
        assert_eq!(parts.receive().await, "HTTP/1.1 201 Created");
    };
    // Silence within a head that began with the previous request, and after an empty line, which some clients send after a body.
    let pipelined = async {
        for rest in ["", "\r\n", &HEALTH[..10], &HEALTH[..HEALTH.len() - 1]] {
            pipelining.send(&format!("{HEALTH}{rest}")).await;
            assert_eq!(pipelining.receive().await, "HTTP/1.1 200 OK");
            sleep(SILENCE).await;
            pipelining.send(HEALTH.strip_prefix(rest).unwrap_or(HEALTH)).await;
            assert_eq!(pipelining.receive().await, "HTTP/1.1 200 OK", "{rest:?}");
        }
    };
    // Responses that the client does not receive for a while: more than the sockets hold.
    let late = async {
        let requests = "GET /openapi.json HTTP/1.1\r\nhost: a\r\n\r\n".repeat(300);
        reader.send(&requests).await;
        sleep(SILENCE * 2).await;
        for _ in 0..300 {
            assert_eq!(reader.receive().await, "HTTP/1.1 200 OK");
        }
    };
    tokio::join!(requests, halves, pipelined, late);
    server.stop().await;
}

#[tokio::test]
async fn a_silent_connection_has_the_same_timeouts() {
    let (app, server, _storage) = start(&["--idle-timeout", "3s", "--header-timeout", "2s"]).await;
    let (mut silent, mut half) = (Client::connect(&app).await, Client::connect(&app).await);
    let mut pipelined = Client::connect(&app).await;
    for (client, rest) in [(&mut silent, ""), (&mut half, ""), (&mut pipelined, "GET /h")] {
        client.send(&format!("{HEALTH}{rest}")).await;
        client.receive().await;
    }
    let slow = async {
        sleep(SILENCE).await;
        half.send(&HEALTH[..10]).await;
        half.is_closed().await
    };
    assert_eq!(tokio::join!(silent.is_closed(), slow, pipelined.is_closed()), (true, true, true));
    server.stop().await;
}

#[tokio::test]
async fn a_silent_connection_does_not_delay_a_stop() {
    let (app, server, _storage) = start(&[]).await;
    let mut silent = Client::connect(&app).await;
    silent.send(HEALTH).await;
    silent.receive().await;
    sleep(SILENCE).await;
    timeout(Duration::from_secs(5), server.stop()).await.expect("the server stops at once");
    assert!(silent.is_closed().await);
}

/// The whole of what the process has for a connection: with the buffer that its request was read into, it would be 12 kB.
#[tokio::test]
async fn a_silent_connection_occupies_little_memory() {
    const CONNECTIONS: u64 = 600;
    let folder = tempfile::tempdir().unwrap();
    let mut command = web_server(folder.path());
    command.env("RUST_LOG", "warn,web_server=info");
    let server = Process::start(command).await;
    let resident = || {
        let status = fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
        let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap().trim_end_matches("kB");
        kilobytes.trim().parse::<u64>().unwrap()
    };
    let open = async |count: u64| {
        let mut clients = Vec::new();
        for number in 0..count {
            let mut client = Client::connect(&server.app).await;
            client.send(HEALTH).await;
            client.receive().await;
            clients.push(client);
            if number % 50 == 49 {
                sleep(SILENCE).await;
            }
        }
        clients
    };
    let _first = open(100).await;
    let before = resident();
    let _silent = open(CONNECTIONS).await;
    let each = (resident() - before) * 1024 / CONNECTIONS;
    assert!(each < 10_000, "{each} bytes");
}
