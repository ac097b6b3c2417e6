//! The cache of users: no read returns a row that is older than an acknowledged write.
#![expect(clippy::disallowed_methods, reason = "writes by other processes, not the server's own SQL")]

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use sqlx::{Connection, postgres::PgListener};

use crate::{
    acknowledged_reads::{Readers, version},
    harness::{App, Database, Storage},
};

const CACHE: [&str; 2] = ["--user-cache-bytes", "1000000"];

/// How long a change by another process may take to become visible. The server is faster; the machine may be busy.
const TIMEOUT: Duration = Duration::from_secs(20);

async fn name(app: &App, path: &str) -> String {
    app.get(path).await.json()["name"].as_str().expect("a name").to_owned()
}

fn path(user: &serde_json::Value) -> String {
    format!("/users/{}", user["id"].as_str().expect("an id"))
}

/// Waits until the app serves this name, and returns how long that took.
async fn until_name(app: &App, path: &str, expected: &str) -> Duration {
    let start = Instant::now();
    while name(app, path).await != expected {
        assert!(start.elapsed() < TIMEOUT, "{path} does not become {expected}");
    }
    start.elapsed()
}

/// The number of reads that the cache served.
async fn hits(app: &App) -> u64 {
    let metrics = app.get("/metrics").await.text();
    let hits =
        metrics.lines().find_map(|line| line.strip_prefix(r#"cache_requests_total{cache="users",result="hit"} "#));
    hits.map_or(0, |hits| hits.parse().expect("a number"))
}

/// Waits until the cache serves a read. During writes it may serve none.
pub(crate) async fn until_hit(app: &App, path: &str) {
    let (start, before) = (Instant::now(), hits(app).await);
    while hits(app).await == before {
        assert!(start.elapsed() < TIMEOUT, "the cache serves no read of {path}");
        version(app, path).await;
    }
}

/// Readers race a writer on one instance: a read that begins after a write was acknowledged returns that write.
async fn reads_own_writes(database: Database) {
    let Some(storage) = Storage::new(database).await else { return eprintln!("skipped: PostgreSQL is not installed") };
    let (app, server) = App::start(&storage, &CACHE).await;
    let path = path(&app.create_user("ada").await);
    let readers = Readers::start(&[&app], &path);
    for number in 0..200 {
        let response = app.patch(&path, json!({ "name": format!("Ada {number}") })).await;
        assert_eq!(response.status, 200);
        readers.acknowledge();
    }
    readers.stop().await;
    until_hit(&app, &path).await;
    server.stop().await;
    storage.drop_database().await;
}

mod a_read_returns_every_acknowledged_write {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn sqlite() {
        reads_own_writes(Database::Sqlite).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn postgres() {
        reads_own_writes(Database::Postgres).await;
    }
}

/// Two instances on one PostgreSQL: a write through one, and one by another client, becomes visible on the other, and an
/// older version is not served after it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instances_observe_the_writes_of_others() {
    let Some(storage) = Storage::new(Database::Postgres).await else { return eprintln!("skipped: no PostgreSQL here") };
    let (one, first) = App::start(&storage, &CACHE).await;
    let (two, second) = App::start(&storage, &CACHE).await;
    let mut psql = sqlx::PgConnection::connect(&storage.url()).await.expect("a connection");
    let path = path(&one.create_user("ada").await);
    let mut delays = Vec::new();
    for number in 0..100 {
        name(&two, &path).await;
        let expected = format!("Ada {number}");
        if number % 2 == 0 {
            assert_eq!(one.patch(&path, json!({ "name": expected })).await.status, 200);
        } else {
            let update = sqlx::query("UPDATE users SET name = $1, version = version + 1");
            update.bind(&expected).execute(&mut psql).await.expect("an update");
        }
        delays.push(until_name(&two, &path, &expected).await);
        let current = version(&two, &path).await;
        for _ in 0..3 {
            assert!(version(&two, &path).await >= current);
        }
    }
    delays.sort_unstable();
    println!("delay until the other instance serves a write: median {:?}, p99 {:?}", delays[49], delays[98]);

    sqlx::query("TRUNCATE users").execute(&mut psql).await.expect("it truncates");
    let start = Instant::now();
    while two.get(&path).await.status != 404 {
        assert!(start.elapsed() < TIMEOUT);
    }
    first.stop().await;
    second.stop().await;
    storage.drop_database().await;
}

/// Without its connection for notifications an instance does not use its cache, and after it is back, the cache works.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_connection_for_notifications_turns_the_cache_off() {
    let Some(storage) = Storage::new(Database::Postgres).await else { return eprintln!("skipped: no PostgreSQL here") };
    let (app, server) = App::start(&storage, &CACHE).await;
    let mut psql = sqlx::PgConnection::connect(&storage.url()).await.expect("a connection");
    let path = path(&app.create_user("ada").await);
    for number in 0..3 {
        name(&app, &path).await;
        let terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                         WHERE datname = current_database() AND (query LIKE 'LISTEN%' OR query = 'SELECT 1')";
        sqlx::query(terminate).execute(&mut psql).await.expect("it terminates");
        let expected = format!("Ada {number}");
        let update = sqlx::query("UPDATE users SET name = $1, version = version + 1");
        update.bind(&expected).execute(&mut psql).await.expect("an update");
        until_name(&app, &path, &expected).await;
    }
    server.stop().await;
    storage.drop_database().await;
}

/// Without the triggers an instance does not use its cache, and with them it does again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disabled_trigger_turns_the_cache_off() {
    let Some(storage) = Storage::new(Database::Postgres).await else { return eprintln!("skipped: no PostgreSQL here") };
    let (app, server) = App::start(&storage, &CACHE).await;
    let mut psql = sqlx::PgConnection::connect(&storage.url()).await.expect("a connection");
    let path = path(&app.create_user("ada").await);
    until_hit(&app, &path).await;
    for statement in [
        "ALTER TABLE users DISABLE TRIGGER users_invalidate_update",
        "UPDATE users SET name = 'Not notified', version = version + 1",
    ] {
        sqlx::query(statement).execute(&mut psql).await.expect("the statement succeeds");
    }
    until_name(&app, &path, "Not notified").await;
    let enable = "ALTER TABLE users ENABLE ALWAYS TRIGGER users_invalidate_update";
    sqlx::query(enable).execute(&mut psql).await.expect("the statement succeeds");
    until_hit(&app, &path).await;
    server.stop().await;
    storage.drop_database().await;
}

/// Nothing is notified while no instance has a cache. A change that began then, and commits later, is not missed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_are_notified_while_there_is_a_cache() {
    let Some(storage) = Storage::new(Database::Postgres).await else { return eprintln!("skipped: no PostgreSQL here") };
    let (app, server) = App::start(&storage, &["--user-cache-bytes", "0"]).await;
    let mut listener = PgListener::connect(&storage.url()).await.expect("a connection");
    listener.listen("users_changed").await.expect("it listens");
    let user = app.create_user("ada").await;
    let path = path(&user);
    assert_eq!(app.patch(&path, json!({ "name": "Not notified" })).await.status, 200);
    let mut psql = sqlx::PgConnection::connect(&storage.url()).await.expect("a connection");
    let mut transaction = psql.begin().await.expect("a transaction");
    let update = sqlx::query("UPDATE users SET name = 'Began before', version = version + 1");
    update.execute(&mut *transaction).await.expect("an update");

    let (cached, cached_server) = App::start(&storage, &CACHE).await;
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(2) {
        assert_eq!(name(&cached, &path).await, "Not notified");
    }
    transaction.commit().await.expect("it commits");
    assert_eq!(name(&cached, &path).await, "Began before");
    until_hit(&cached, &path).await;
    assert_eq!(name(&cached, &path).await, "Began before");

    assert_eq!(app.patch(&path, json!({ "name": "Notified" })).await.status, 200);
    until_name(&cached, &path, "Notified").await;
    assert_eq!(listener.recv().await.expect("a notification").payload(), user["id"]);
    let more = tokio::time::timeout(Duration::from_millis(500), listener.recv()).await;
    assert!(more.is_err(), "one change was notified: {more:?}");
    cached_server.stop().await;
    server.stop().await;
    storage.drop_database().await;
}

/// A write of another process to the SQLite file becomes visible, at once with `Cache-Control: no-cache`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_writer_of_the_file_is_observed() {
    let storage = Storage::new(Database::Sqlite).await.expect("SQLite");
    let (app, server) = App::start(&storage, &CACHE).await;
    let path = path(&app.create_user("ada").await);
    let mut other = sqlx::SqliteConnection::connect(&storage.url()).await.expect("a connection");
    for number in 0..3 {
        name(&app, &path).await;
        let expected = format!("Ada {number}");
        let update = sqlx::query("UPDATE users SET name = $1, version = version + 1").bind(&expected);
        update.execute(&mut other).await.expect("an update");
        let fresh = app.request(Method::GET, &path).header("cache-control", "max-age=5, no-cache").send().await;
        assert_eq!(fresh.json()["name"], expected);
        until_name(&app, &path, &expected).await;
    }
    server.stop().await;
    storage.drop_database().await;
}
