//! Reads by streaming replicas, on clusters of their own: a read returns every acknowledged write, whichever instance is asked.
#![expect(clippy::disallowed_methods, reason = "acts as an operator of PostgreSQL, not the server's own SQL")]

use std::{net::SocketAddr, time::Duration};

use futures_util::future::join_all;
use serde_json::json;
use sqlx::{Connection, PgConnection};
use tokio::{net::TcpStream, time::sleep};

use crate::{
    acknowledged_reads::Readers,
    harness::{App, postgres::Cluster, proxy::Proxy, until::until},
    lost_connections::through,
    process::{Process, web_server},
};

/// A cluster behind a proxy.
pub struct Machine {
    pub cluster: Cluster,
    pub proxy: Proxy,
}

impl Machine {
    async fn start(options: &[&str]) -> Option<Self> {
        let cluster = Cluster::start(options)?;
        let proxy = Proxy::start("127.0.0.1:0", address(&cluster)).await;
        Some(Self { cluster, proxy })
    }

    /// A primary, and the role of the server, which is no superuser. `None` if PostgreSQL is not installed.
    pub async fn primary() -> Option<Self> {
        let machine = Self::start(&[]).await?;
        machine.execute("CREATE ROLE app LOGIN; GRANT ALL ON SCHEMA public TO app").await;
        Some(machine)
    }

    /// A replica that follows this machine through its proxy, and so the machine to which the proxy leads.
    pub async fn replica(&self) -> Self {
        let url = through(&self.cluster.url, self.proxy.address).1;
        Self::start(&["--replica-of", &url]).await.expect("PostgreSQL is installed")
    }

    /// Waits until this replica has a user: what it has not received would be lost with the primary.
    pub async fn until_replicated(&self) {
        let mut connection = PgConnection::connect(&self.cluster.url).await.expect("the cluster responds");
        // The table is replicated too.
        until("the user is replicated", async || {
            matches!(sqlx::query("SELECT FROM users").fetch_optional(&mut connection).await, Ok(Some(_)))
        })
        .await;
    }

    /// Stops the cluster at once, and returns the proxy.
    pub async fn kill(self) -> Proxy {
        let server = address(&self.cluster);
        drop(self.cluster);
        while TcpStream::connect(server).await.is_ok() {
            sleep(Duration::from_millis(20)).await;
        }
        self.proxy
    }

    pub async fn execute(&self, statements: &'static str) {
        let mut connection = PgConnection::connect(&self.cluster.url).await.expect("the cluster responds");
        sqlx::raw_sql(statements).execute(&mut connection).await.expect("the statements succeed");
        connection.close().await.expect("the connection closes");
    }

    /// The URL for the server.
    pub fn url(&self) -> String {
        format!("postgres://app@{}/postgres", self.proxy.address)
    }
}

pub fn address(cluster: &Cluster) -> SocketAddr {
    through(&cluster.url, SocketAddr::from(([127, 0, 0, 1], 0))).0
}

/// Starts an instance with these replicas.
pub async fn instance(primary: &Machine, replicas: &[&Machine]) -> Process {
    let folder = tempfile::tempdir().unwrap();
    let mut command = web_server(folder.path());
    let replicas: Vec<_> = replicas.iter().map(|replica| format!("postgres://{}", replica.proxy.address)).collect();
    command.env("DATABASE_URL", primary.url()).env("DATABASE_REPLICA_URLS", replicas.join(","));
    command.env("REQUEST_TIMEOUT", "5s").env("RUST_LOG", "info,access=off");
    Process::start(command).await
}

/// The number of statements with this result.
async fn reads(app: &App, result: &str) -> u64 {
    let metrics = app.get("/metrics").await.text();
    let name = format!("database_replica_reads_total{{result=\"{result}\"}} ");
    let count = metrics.lines().find_map(|line| line.strip_prefix(&name));
    count.map_or(0, |count| count.parse().expect("a number"))
}

/// Reads until a replica serves, and checks every response.
pub async fn until_served(app: &App, path: &str) {
    let before = reads(app, "served").await;
    until("a replica serves", async || {
        assert_eq!(app.get(path).await.status, 200);
        reads(app, "served").await > before
    })
    .await;
}

pub async fn create(app: &App, name: &str) -> String {
    format!("/users/{}", app.create_user(name).await["id"].as_str().unwrap())
}

const LEAVES: &str = "a replica serves no reads";

/// Writes through one instance, reads through both, while the replica stops and continues to replay.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_returns_every_acknowledged_write_of_every_instance() {
    let Some(primary) = Machine::primary().await else { return eprintln!("skipped: no PostgreSQL here") };
    let replica = primary.replica().await;
    let one = instance(&primary, &[&replica]).await;
    let two = instance(&primary, &[&replica]).await;
    let path = create(&one.app, "ada").await;
    until_served(&one.app, &path).await;
    until_served(&two.app, &path).await;
    let readers = Readers::start(&[&one.app, &two.app], &path);
    let before = reads(&two.app, "served").await;
    for number in 0..200 {
        match number % 50 {
            20 => replica.execute("SELECT pg_wal_replay_pause()").await,
            30 => replica.execute("SELECT pg_wal_replay_resume()").await,
            // Until the replica is used again.
            40 => sleep(Duration::from_millis(700)).await,
            _ => {}
        }
        let name = json!({ "name": format!("Ada {number}") });
        assert_eq!(one.app.patch(&path, name).await.status, 200);
        readers.acknowledge();
    }
    readers.stop().await;
    assert!(reads(&two.app, "served").await > before && reads(&two.app, "lags").await > 0);
}

/// Every read of users, while the replica does not replay: what the other instance wrote is there, and readiness stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_lags_leaves_reads_to_the_primary() {
    let Some(primary) = Machine::primary().await else { return eprintln!("skipped: no PostgreSQL here") };
    let replica = primary.replica().await;
    let one = instance(&primary, &[&replica]).await;
    let two = instance(&primary, &[&replica]).await;
    let path = create(&one.app, "ada").await;
    until_served(&two.app, &path).await;
    replica.execute("SELECT pg_wal_replay_pause()").await;
    for name in ["b", "c", "d", "e"] {
        let path = create(&one.app, name).await;
        let id = path.rsplit_once('/').unwrap().1;
        let app = &two.app;
        assert_eq!(app.get(&path).await.status, 200);
        let found = app.post("/users/lookup", json!({ "ids": [id] })).await.json();
        assert_eq!(found["users"][0]["name"], name);
        assert_eq!(app.get("/users?limit=1").await.json()["users"][0]["name"], name);
        assert_eq!(app.get(&format!("/users?email={name}@example.com")).await.json()["users"][0]["name"], name);
        for list in ["/users?sort=created_at", "/users/changes"] {
            assert!(app.get(list).await.text().contains(id), "{list}");
        }
        assert_eq!(one.app.delete(&path).await.status, 204);
        assert_eq!(app.get(&path).await.status, 404);
        assert_eq!(app.get("/health/ready").await.status, 200);
        sleep(Duration::from_millis(300)).await;
    }
    two.until_logged(&[LEAVES, "it lags"]).await;
    let metrics = two.app.get("/metrics").await.text();
    assert!(metrics.contains("database_replicas{state=\"unused\"} 1"), "{metrics}");
    replica.execute("SELECT pg_wal_replay_resume()").await;
    until_served(&two.app, &path).await;
    assert!(two.app.get("/metrics").await.text().contains("database_replicas{state=\"used\"} 1"));
}

/// Sends reads until the task is aborted. Each of them succeeds.
async fn read(app: App, path: String) {
    loop {
        let (user, list) = tokio::join!(app.get(&path), app.get("/users"));
        assert_eq!((user.status, list.status), (200, 200));
    }
}

/// A replica that is killed, and one whose path vanishes, fail no request, and are used again when they return.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_is_killed_fails_no_request() {
    let Some(primary) = Machine::primary().await else { return eprintln!("skipped: no PostgreSQL here") };
    let replica = primary.replica().await;
    let process = instance(&primary, &[&replica]).await;
    let path = create(&process.app, "ada").await;
    until_served(&process.app, &path).await;
    let readers: Vec<_> = (0..4).map(|_| tokio::spawn(read(process.app.clone(), path.clone()))).collect();
    sleep(Duration::from_millis(300)).await;

    let proxy = replica.kill().await;
    process.until_logged(&[LEAVES]).await;
    sleep(Duration::from_millis(500)).await;
    let next = Cluster::start(&["--replica-of", &primary.cluster.url]).expect("PostgreSQL is installed");
    proxy.lead_to(address(&next));
    until_served(&process.app, &path).await;

    proxy.vanish();
    sleep(Duration::from_secs(3)).await;
    proxy.lead_to(address(&next));
    until_served(&process.app, &path).await;
    readers.iter().for_each(tokio::task::JoinHandle::abort);
    for reader in join_all(readers).await {
        assert!(reader.unwrap_err().is_cancelled(), "a read failed");
    }
    assert_eq!(process.app.get("/health/ready").await.status, 200);
}

/// A primary that was restored from a copy of its files is behind its replica, on the same timeline. No read finds what the primary
/// does not have, or misses what it has.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_is_ahead_of_a_restored_primary_is_not_used() {
    let Some(primary) = Machine::primary().await else { return eprintln!("skipped: no PostgreSQL here") };
    let replica = primary.replica().await;
    let process = instance(&primary, &[&replica]).await;
    create(&process.app, "ada").await;
    let copy = Cluster::start(&["--copy-of", &primary.cluster.url]).expect("PostgreSQL is installed");
    primary.execute("SELECT pg_logical_emit_message(true, 'test', repeat('x', 4000000))").await;
    let lost = create(&process.app, "bob").await;
    until_served(&process.app, &lost).await;

    let proxy = primary.kill().await;
    sleep(Duration::from_secs(2)).await;
    proxy.lead_to(address(&copy));
    process.app.until_healthy().await;
    for number in 0..40 {
        let path = create(&process.app, &format!("user{number}")).await;
        assert_eq!(process.app.get(&path).await.status, 200, "{number}");
        assert_eq!(process.app.get(&lost).await.status, 404, "{number}");
        sleep(Duration::from_millis(50)).await;
    }
    process.until_logged(&[LEAVES, "what the primary does not have"]).await;
}

/// A server that is no replica of the primary serves nothing, and the log has the reason.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_no_replica_is_not_used() {
    let Some(primary) = Machine::primary().await else { return eprintln!("skipped: no PostgreSQL here") };
    let other = Machine::primary().await.unwrap();
    let (promoted, foreign) = (primary.replica().await, other.replica().await);
    let process = instance(&primary, &[&promoted, &foreign]).await;
    let path = create(&process.app, "ada").await;
    until_served(&process.app, &path).await;
    process.until_logged(&[LEAVES, "another cluster"]).await;
    // It has what the primary has, and changes by itself.
    promoted.execute("SELECT pg_promote()").await;
    promoted.execute("UPDATE users SET name = 'Other'").await;
    process.until_logged(&[LEAVES, "it is not in recovery"]).await;
    for number in 0..20 {
        let name = json!({ "name": format!("Ada {number}") });
        assert_eq!(process.app.patch(&path, name.clone()).await.status, 200);
        assert_eq!(process.app.get(&path).await.json()["name"], name["name"]);
    }
    process.is_logged(&["another cluster"], 1).await;
    process.is_logged(&["it is not in recovery"], 1).await;
}
