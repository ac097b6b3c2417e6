//! Writes through connections that are cut at random, each repeated with its `Idempotency-Key` until it succeeds: between client
//! and server, between server and PostgreSQL, and between a COMMIT and its response.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::{
    harness::{Database, Storage, client, proxy::Proxy},
    lost_connections::through,
    process::{Process, web_server},
};

/// The number of clients that write at the same time.
const CLIENTS: usize = 16;

/// Each client creates a user, updates, replaces and deletes it, and creates two more in a batch.
const WRITES_PER_ROUND: usize = 5;

/// One in this many chunks of bytes is the last one of its connection.
const CUTS: u32 = 20;

/// The number of writes, or `RETRIED_WRITES` for a longer run.
#[expect(clippy::disallowed_methods, reason = "a setting of the test")]
fn writes() -> usize {
    std::env::var("RETRIED_WRITES").ok().and_then(|writes| writes.parse().ok()).unwrap_or(400)
}

/// Status, `ETag`, `Location` and body.
type Answer = (u16, Option<String>, Option<String>, String);

struct Writer {
    /// The addresses of the instances.
    bases: Vec<String>,
    client: Client,
    attempts: Arc<AtomicU64>,
    /// The writes whose first response was lost.
    lost: Arc<AtomicU64>,
}

impl Writer {
    /// Sends a request until it succeeds, to one instance after the other. Returns whether the response is that of a retry.
    async fn until_success(&self, method: &Method, path: &str, key: &str, body: &Value) -> (Answer, bool) {
        loop {
            let attempt = self.attempts.fetch_add(1, Ordering::Relaxed);
            let base = &self.bases[attempt as usize % self.bases.len()];
            let request = self.client.request(method.clone(), format!("{base}{path}")).header("idempotency-key", key);
            let request = if body.is_null() { request } else { request.json(body) };
            if let Ok(response) = request.send().await {
                let status = response.status().as_u16();
                let header =
                    |name: &str| response.headers().get(name).map(|value| value.to_str().expect("ASCII").to_owned());
                let (etag, location) = (header("etag"), header("location"));
                let is_replayed = header("idempotency-replayed").is_some();
                match response.text().await {
                    Ok(text) if status < 300 => return ((status, etag, location, text), is_replayed),
                    Ok(text) => assert!(status == 503 || text.contains("idempotency-key-in-use"), "{status} {text}"),
                    Err(_) => {}
                }
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Makes a change, and repeats it once more after its success.
    async fn write(&self, method: Method, path: &str, key: &str, body: Value) -> Answer {
        let (first, is_replayed) = self.until_success(&method, path, key, &body).await;
        self.lost.fetch_add(is_replayed.into(), Ordering::Relaxed);
        let (second, is_replayed) = self.until_success(&method, path, key, &body).await;
        assert_eq!((&second, is_replayed), (&first, true), "{method} {path}");
        first
    }

    async fn round(&self, name: &str) {
        let user = |name: &str| json!({ "name": name, "email": format!("{name}@example.com") });
        let key = |number: usize| format!("{name}-{number}");
        let (status, etag, location, text) = self.write(Method::POST, "/users", &key(0), user(name)).await;
        assert_eq!((status, etag.as_deref()), (201, Some("\"1\"")), "{text}");
        let path = location.expect("a location");
        let (.., etag, _, _) = self.write(Method::PATCH, &path, &key(1), json!({ "name": "Ada" })).await;
        assert_eq!(etag.as_deref(), Some("\"2\""));
        let (.., etag, _, _) = self.write(Method::PUT, &path, &key(2), user(name)).await;
        assert_eq!(etag.as_deref(), Some("\"3\""));
        let batch = json!({ "users": [user(&format!("{name}-a")), user(name), user(&format!("{name}-b"))] });
        let (.., text) = self.write(Method::POST, "/users/batch", &key(3), batch).await;
        let results: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!([0, 1, 2].map(|place| results["results"][place]["status"].as_i64()), [201, 409, 201].map(Some));
        let (status, ..) = self.write(Method::DELETE, &path, &key(4), Value::Null).await;
        assert_eq!(status, 204);
    }
}

async fn every_write_happens_once(database: Database) {
    let Some(storage) = Storage::new(database).await else { return eprintln!("skipped: PostgreSQL is not installed") };
    let folder = tempfile::tempdir().unwrap();
    let (mut instances, mut proxies, mut bases) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..if database == Database::Postgres { 2 } else { 1 } {
        let mut command = web_server(folder.path());
        let mut url = storage.url();
        if database == Database::Postgres {
            let proxy = Proxy::start("127.0.0.1:0", through(&url, ([127, 0, 0, 1], 0).into()).0).await;
            url = through(&url, proxy.address).1;
            proxies.push(proxy);
        }
        command
            .env("DATABASE_URL", url)
            .env("USER_CACHE_BYTES", "1000000")
            .env("RUST_LOG", "off,web_server::commands=info");
        let process = Process::start(command).await;
        let server = process.app.base.trim_start_matches("http://").parse().expect("an address");
        let proxy = Proxy::start("127.0.0.1:0", server).await;
        bases.push(format!("http://{}", proxy.address));
        proxies.push(proxy);
        instances.push(process);
    }
    for (number, proxy) in proxies.iter().enumerate() {
        proxy.cut(CUTS, number as u64);
    }
    let (attempts, lost) = (Arc::<AtomicU64>::default(), Arc::<AtomicU64>::default());
    let rounds = writes() / WRITES_PER_ROUND / CLIENTS;
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let writer =
                Writer { bases: bases.clone(), client: client(), attempts: attempts.clone(), lost: lost.clone() };
            tokio::spawn(async move {
                for round in 0..rounds {
                    writer.round(&format!("user{number}-{round}")).await;
                }
            })
        })
        .collect();
    for client in clients {
        client.await.expect("every write succeeds, and every retry has its response");
    }
    proxies.iter().for_each(|proxy| proxy.cut(0, 0));

    // What happened, by user: in the feed, every change is there once.
    let app = &instances[0].app;
    let mut histories: BTreeMap<String, Vec<(String, i64)>> = BTreeMap::new();
    let mut after = String::new();
    loop {
        let response = app.get(&format!("/users/changes?limit=1000{after}")).await;
        if response.status != 200 {
            // Connections that were cut are found when they are used.
            continue;
        }
        let page = response.json();
        for change in page["changes"].as_array().expect("changes") {
            let text = |name: &str| change[name].as_str().expect("a text").to_owned();
            let version = change["version"].as_i64().expect("a version");
            histories.entry(text("user_id")).or_default().push((text("type"), version));
        }
        let Some(next) = page["next_cursor"].as_str() else { break };
        after = format!("&after={next}");
    }
    let whole = [("created", 1), ("updated", 2), ("updated", 3), ("deleted", 3)];
    let mut counts = [0, 0];
    for history in histories.values() {
        let is_whole = history.iter().map(|(kind, version)| (kind.as_str(), *version)).eq(whole);
        assert!(is_whole || *history == [("created".to_owned(), 1)], "{history:?}");
        counts[usize::from(is_whole)] += 1;
    }
    assert_eq!(counts, [2 * rounds * CLIENTS, rounds * CLIENTS]);
    let writes = rounds * CLIENTS * WRITES_PER_ROUND;
    let [attempts, lost] = [attempts, lost].map(|count| count.load(Ordering::Relaxed));
    println!("{writes} writes in {attempts} attempts; the first success of {lost} was lost, and their retries got it");
    assert!(lost > 0, "no response of a write that happened was lost");
    for mut process in instances {
        process.signal("TERM");
        assert_eq!(process.exit().await.code(), Some(0));
    }
    storage.drop_database().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite() {
    every_write_happens_once(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres() {
    every_write_happens_once(Database::Postgres).await;
}
