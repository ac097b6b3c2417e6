//! SIGKILL in the middle of creates that share statements: every user that was acknowledged exists.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde_json::json;

use crate::{
    harness::{Database, Storage, client},
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
