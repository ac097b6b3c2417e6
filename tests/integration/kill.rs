//! SIGKILL of the server or of PostgreSQL in the middle of creates that share statements: every user that was acknowledged exists.

use std::{
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use reqwest::StatusCode;
use serde_json::json;
use sqlx::{Connection, PgConnection};

use crate::{
    harness::{Database, Storage, client, postgres::Cluster},
    process::{Process, web_server},
};

/// The number of clients that create users at the same time.
const CLIENTS: usize = 32;

/// The number of kills, or `KILL_ROUNDS` for a longer run.
#[expect(clippy::disallowed_methods, reason = "a setting of the test")]
fn rounds() -> u64 {
    std::env::var("KILL_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(3)
}

async fn loses_no_acknowledged_create(database: Database) {
    let Some(storage) = Storage::new(database).await else { return eprintln!("skipped: PostgreSQL is not installed") };
    let folder = tempfile::tempdir().unwrap();
    let number = Arc::new(AtomicU64::new(0));
    let mut acknowledged = 0;
    for round in 0..rounds() {
        let mut command = web_server(folder.path());
        command.env("DATABASE_URL", storage.url());
        let mut process = Process::start(command).await;
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let (url, number) = (format!("{}/users", process.app.base), number.clone());
                tokio::spawn(async move {
                    let mut created = Vec::new();
                    let client = client();
                    loop {
                        let email = format!("user{}@example.com", number.fetch_add(1, Ordering::Relaxed));
                        let user = json!({ "name": "Ada", "email": email });
                        let Ok(response) = client.post(&url).json(&user).send().await else { return created };
                        assert_eq!(response.status(), 201);
                        created.push(response.headers()["location"].to_str().expect("a path").to_owned());
                    }
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(150 + 37 * round % 200)).await;
        process.signal("KILL");
        process.exit().await;
        let mut paths = Vec::new();
        for client in clients {
            paths.extend(client.await.expect("no response but 201"));
        }

        let mut command = web_server(folder.path());
        command.env("DATABASE_URL", storage.url());
        let process = Process::start(command).await;
        for path in &paths {
            assert_eq!(process.app.get(path).await.status, 200, "{path} was acknowledged");
        }
        acknowledged += paths.len();
    }
    println!("{acknowledged} acknowledged creates, none lost");
    assert!(acknowledged > CLIENTS);
    storage.drop_database().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite() {
    loses_no_acknowledged_create(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres() {
    loses_no_acknowledged_create(Database::Postgres).await;
}

/// After SIGKILL of one of its processes, PostgreSQL ends all of them and recovers from its log.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::disallowed_methods, reason = "the test kills a process of PostgreSQL, which the server cannot name")]
async fn postgres_itself() {
    // A cluster of its own: one that crashes would fail other tests.
    let Some(cluster) = Cluster::start(&["--durable"]) else {
        return eprintln!("skipped: PostgreSQL is not installed");
    };
    let url = cluster.url.clone();
    let folder = tempfile::tempdir().unwrap();
    let mut command = web_server(folder.path());
    command.env("DATABASE_URL", &url).env("RUST_LOG", "off,web_server::commands=info");
    let mut process = Process::start(command).await;
    let rounds_left = Arc::new(AtomicU64::new(rounds()));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let (base, rounds_left) = (process.app.base.clone(), rounds_left.clone());
            tokio::spawn(async move {
                let (client, mut created) = (client(), Vec::new());
                for user in 0.. {
                    if rounds_left.load(Ordering::Relaxed) == 0 {
                        break;
                    }
                    let user = json!({ "name": "Ada", "email": format!("user{number}-{user}@example.com") });
                    let response = client.post(format!("{base}/users")).json(&user).send().await.expect("a response");
                    match response.status() {
                        StatusCode::CREATED => {
                            created.push(response.headers()["location"].to_str().expect("a path").to_owned());
                        }
                        status => assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE),
                    }
                }
                created
            })
        })
        .collect();
    while rounds_left.load(Ordering::Relaxed) > 0 {
        tokio::time::sleep(Duration::from_millis(150)).await;
        // It may still recover.
        let Ok(mut connection) = PgConnection::connect(&url).await else { continue };
        let victim = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'";
        let Ok(victim) = sqlx::query_scalar::<_, i32>(victim).fetch_one(&mut connection).await else { continue };
        let kill = Command::new("kill").args(["-s", "KILL", &victim.to_string()]).status().expect("kill runs");
        assert!(kill.success());
        while sqlx::query("SELECT 1").execute(&mut connection).await.is_ok() {}
        rounds_left.fetch_sub(1, Ordering::Relaxed);
    }
    let mut paths = Vec::new();
    for client in clients {
        paths.extend(client.await.expect("no response but 201 and 503"));
    }
    while process.app.get("/health/ready").await.status != 200 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for path in &paths {
        assert_eq!(process.app.get(path).await.status, 200, "{path} was acknowledged");
    }
    println!("{} acknowledged creates, none lost", paths.len());
    assert!(paths.len() > CLIENTS);
    process.signal("TERM");
    assert_eq!(process.exit().await.code(), Some(0));
}
