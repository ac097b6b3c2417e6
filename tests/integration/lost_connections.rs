//! Connections to PostgreSQL that die silently, and starts before PostgreSQL is available.

use std::{
    net::SocketAddr,
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use serde_json::json;
use sqlx::{Connection, PgConnection, migrate::Migrate};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};

use crate::{
    cache,
    harness::{Database, Storage, client, proxy::Proxy},
    process::{Process, run, web_server},
};

/// The longest recovery. The server needs about one second; the machine may be busy.
const RECOVERY: Duration = Duration::from_secs(4);

/// Splits the URL of a database on the loopback interface into the address of its server and a URL at another address.
pub fn through(url: &str, address: SocketAddr) -> (SocketAddr, String) {
    let (rest, name) = url.rsplit_once('/').unwrap();
    let (role, server) = rest.rsplit_once('@').unwrap();
    (server.parse().unwrap(), format!("{role}@{address}/{name}"))
}

/// A request of a client: when it was sent, how long it took, and the status.
type Sample = (Instant, Duration, u16);

/// Sends requests until the task is aborted. One client in four hangs up after 100 ms.
async fn load(base: String, path: String, number: usize, samples: Arc<Mutex<Vec<Sample>>>) {
    let client = client();
    for request in 0.. {
        let user = json!({ "name": "Ada", "email": format!("user{number}-{request}@example.com") });
        let request = match request % 3 {
            0 => client.post(format!("{base}/users")).json(&user),
            _ => client.get(format!("{base}{path}")),
        };
        let limit = Duration::from_millis(if number.is_multiple_of(4) { 100 } else { 10_000 });
        let start = Instant::now();
        match request.timeout(limit).send().await {
            Ok(response) => samples.lock().unwrap().push((start, start.elapsed(), response.status().as_u16())),
            Err(error) => assert!(error.is_timeout() && number.is_multiple_of(4), "no response: {error:?}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits until a request succeeds. Returns the time since `start`.
async fn first_success(process: &Process, path: &str, start: Instant) -> Duration {
    while process.app.get(path).await.status != 200 {
        assert!(start.elapsed() < Duration::from_secs(20), "{path} does not recover");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    start.elapsed()
}

/// Every connection dies silently, `rounds` times, for a time or because the address moves to another server. The server works
/// again within 2 s, and stops with 0 while the path has vanished.
async fn survives_lost_connections(rounds: u32, moves: bool, has_cache: bool) {
    let Some(storage) = Storage::new(Database::Postgres).await else { return eprintln!("skipped: no PostgreSQL here") };
    let (server, _) = through(&storage.url(), SocketAddr::from(([127, 0, 0, 1], 0)));
    let proxy = Proxy::start("127.0.0.1:0", server).await;
    let folder = tempfile::tempdir().unwrap();
    let mut command = web_server(folder.path());
    command
        .env("DATABASE_URL", through(&storage.url(), proxy.address).1)
        .env("USER_CACHE_BYTES", if has_cache { "1000000" } else { "0" })
        // The other timeouts follow from it.
        .env("REQUEST_TIMEOUT", "2s")
        .env("RUST_LOG", "off,web_server::commands=info");
    let mut process = Process::start(command).await;
    let path = format!("/users/{}", process.app.create_user("ada").await["id"].as_str().unwrap());
    let samples = Arc::<Mutex<Vec<Sample>>>::default();
    let clients: Vec<_> = (0..20)
        .map(|number| tokio::spawn(load(process.app.base.clone(), path.clone(), number, samples.clone())))
        .collect();
    for round in 0..rounds {
        tokio::time::sleep(Duration::from_millis(300)).await;
        if !moves {
            proxy.vanish();
            tokio::time::sleep(Duration::from_millis(1_500 + 70 * u64::from(round))).await;
        }
        let back = Instant::now();
        proxy.lead_to(server);
        let (request, ready) =
            tokio::join!(first_success(&process, &path, back), first_success(&process, "/health/ready", back));
        assert!(request < RECOVERY && ready < RECOVERY, "round {round}: {request:?} {ready:?}");
        if has_cache {
            cache::until_hit(&process.app, &path).await;
        }
    }
    proxy.vanish();
    tokio::time::sleep(Duration::from_millis(300)).await;
    for client in &clients {
        client.abort();
    }
    for client in clients {
        assert!(client.await.unwrap_err().is_cancelled(), "a client failed");
    }
    process.signal("TERM");
    assert_eq!(process.exit().await.code(), Some(0));
    for (_, duration, status) in &*samples.lock().unwrap() {
        assert!(matches!(status, 200 | 201 | 503), "{status}");
        // The acquire timeout and the deadline of a statement, with a margin for a busy machine.
        assert!(*duration < Duration::from_secs(4), "{duration:?}");
    }
    storage.drop_database().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_path_that_vanishes_and_returns() {
    tokio::join!(survives_lost_connections(5, false, false), survives_lost_connections(5, false, true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_moves_to_another_server() {
    tokio::join!(survives_lost_connections(5, true, false), survives_lost_connections(5, true, true));
}

/// Starts the server and returns the lines of its log. The process is killed with the returned child.
fn start(mut command: Command) -> (tokio::process::Child, Lines<BufReader<tokio::process::ChildStdout>>) {
    command.env("LISTEN_ADDR", "127.0.0.1:0").env("LOG_FORMAT", "json").stdout(Stdio::piped());
    let mut child = tokio::process::Command::from(command).kill_on_drop(true).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    (child, lines)
}

async fn until_logged(lines: &mut Lines<BufReader<tokio::process::ChildStdout>>, message: &str) -> serde_json::Value {
    let found = async {
        loop {
            let line = lines.next_line().await.unwrap().expect("the line is logged");
            let line: serde_json::Value = serde_json::from_str(&line).unwrap();
            if line["message"] == message {
                return line;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), found).await.expect("the line is logged in time")
}

const RETRY: &str = "the database is not available yet";

/// The server waits for PostgreSQL, with one line per attempt that reports the cause.
#[tokio::test]
async fn a_start_waits_for_the_database() {
    let Some(storage) = Storage::new(Database::Postgres).await else { return eprintln!("skipped: no PostgreSQL here") };
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (server, url) = through(&storage.url(), address);
    let folder = tempfile::tempdir().unwrap();
    let mut command = web_server(folder.path());
    command.env("DATABASE_URL", url);
    let (child, mut lines) = start(command);
    for _ in 0..3 {
        let line = until_logged(&mut lines, RETRY).await;
        assert!(line["cause"].as_str().unwrap().contains("refused"), "{line}");
    }
    let _proxy = Proxy::start(&address.to_string(), server).await;
    until_logged(&mut lines, "listening").await;
    drop(child);
    storage.drop_database().await;
}

#[tokio::test]
async fn a_signal_ends_the_wait_for_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = web_server(folder.path());
    command.env("DATABASE_URL", "postgres://user@127.0.0.1:1/app");
    let (mut child, mut lines) = start(command);
    until_logged(&mut lines, RETRY).await;
    let id = child.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-s", "TERM", &id]).status().unwrap().success());
    let exit = tokio::time::timeout(Duration::from_secs(2), child.wait()).await.expect("it ends at once").unwrap();
    assert_eq!(exit.code(), Some(0));
}

/// With the default timeouts, a server can be started and used whose database has a round trip of 25 ms.
#[tokio::test]
async fn a_distant_database_serves() {
    let Some(storage) = Storage::new(Database::Postgres).await else { return eprintln!("skipped: no PostgreSQL here") };
    let (server, _) = through(&storage.url(), SocketAddr::from(([127, 0, 0, 1], 0)));
    let proxy = Proxy::start("127.0.0.1:0", server).await;
    proxy.delay(Duration::from_micros(12_500));
    let folder = tempfile::tempdir().unwrap();
    let mut command = web_server(folder.path());
    command.env("DATABASE_URL", through(&storage.url(), proxy.address).1);
    let process = Process::start(command).await;
    let app = &process.app;
    let users = futures_util::future::join_all((0..50).map(async |number| {
        let user = app.create_user(&format!("user{number}")).await;
        let path = format!("/users/{}", user["id"].as_str().unwrap());
        assert_eq!(app.get(&path).await.status, 200);
        assert_eq!(app.get("/users?limit=10").await.status, 200);
        path
    }));
    for path in users.await {
        assert_eq!(app.delete(&path).await.status, 204);
    }
    assert_eq!(app.get("/health/ready").await.status, 200);
    drop(process);
    storage.drop_database().await;
}

/// Waiting does not help against a wrong name.
#[tokio::test]
async fn an_unknown_database_ends_the_start_at_once() {
    let Some(storage) = Storage::new(Database::Postgres).await else { return eprintln!("skipped: no PostgreSQL here") };
    let folder = tempfile::tempdir().unwrap();
    let start = Instant::now();
    let output = run(web_server(folder.path()).env("DATABASE_URL", format!("{}_unknown", storage.url())));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && message.contains("does not exist"), "{message}");
    assert!(start.elapsed() < Duration::from_secs(10));
    storage.drop_database().await;
}

#[tokio::test]
async fn the_wait_for_the_migration_lock_is_logged() {
    let Some(storage) = Storage::new(Database::Postgres).await else { return eprintln!("skipped: no PostgreSQL here") };
    let mut other = PgConnection::connect(&storage.url()).await.unwrap();
    other.lock().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut command = web_server(folder.path());
    command.env("DATABASE_URL", storage.url());
    let (child, mut lines) = start(command);
    until_logged(&mut lines, "another instance is running migrations: waiting for it").await;
    other.unlock().await.unwrap();
    until_logged(&mut lines, "listening").await;
    drop((child, other));
    storage.drop_database().await;
}
