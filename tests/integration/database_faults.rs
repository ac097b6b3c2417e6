//! PostgreSQL is unavailable, returns, or is blocked: every response is 503 with `Retry-After` (the harness checks that), never
//! 500; the process stays alive and recovers by itself.

use std::{future::Future, time::Duration};

use futures_util::future::join_all;
use serde_json::json;

use crate::{
    environment::{Client, Environment, on_both},
    harness::{App, Database, Storage},
    process::{Process, web_server},
};

/// The default timeouts.
const FLAGS: &[&str] = &["--request-timeout", "1s"];

async fn with_postgres<F: Future<Output = ()>>(test: impl FnOnce(App, crate::harness::postgres::Handle) -> F) {
    with_postgres_and(FLAGS, test).await;
}

async fn with_postgres_and<F: Future<Output = ()>>(
    flags: &[&str],
    test: impl FnOnce(App, crate::harness::postgres::Handle) -> F,
) {
    let Some(storage) = Storage::new(Database::Postgres).await else { return eprintln!("skipped: no PostgreSQL here") };
    let Storage::Postgres(database) = &storage else { return };
    let handle = database.handle();
    let (app, server) = App::start(&storage, flags).await;
    test(app, handle).await;
    server.stop().await;
    storage.drop_database().await;
}

/// Every operation once, in an order that works on a healthy server. Returns the statuses.
async fn every_operation(app: &App, path: &str) -> Vec<u16> {
    let user = json!({ "name": "Ada", "email": "other@example.com" });
    let responses = [
        app.get(path).await,
        app.get("/users").await,
        app.patch(path, json!({ "name": "Ada King" })).await,
        app.put(path, json!({ "name": "Ada", "email": "ada@example.com" })).await,
        app.post("/users", user).await,
    ];
    responses.iter().map(|response| response.status).collect()
}

#[tokio::test]
async fn a_lost_database_is_a_503_and_recovers() {
    with_postgres(|app, database| async move {
        let path = format!("/users/{}", app.create_user("ada").await["id"].as_str().unwrap());
        // Fill the pool, so that there are many connections to lose.
        let readers: Vec<_> = (0..50)
            .map(|_| {
                tokio::spawn({
                    let app = app.clone();
                    async move { app.get("/users").await }
                })
            })
            .collect();
        for reader in readers {
            assert_eq!(reader.await.unwrap().status, 200);
        }
        database.allow_connections(false).await;
        assert_eq!(every_operation(&app, &path).await, [503; 5]);
        assert_eq!(app.get("/health").await.status, 200);
        database.allow_connections(true).await;
        app.until_healthy().await;
        // After one loss no stale connection is used.
        for _ in 0..50 {
            assert_eq!(app.get(&path).await.status, 200);
        }
        assert_eq!(app.get(&path).await.header("etag"), Some("\"1\""));
    })
    .await;
}

/// A write that got 503 because of a lock is not made, then or later.
#[tokio::test]
async fn a_locked_table_is_a_503_and_the_write_is_not_made_later() {
    with_postgres(|app, database| async move {
        let path = format!("/users/{}", app.create_user("ada").await["id"].as_str().unwrap());
        let lock = database.lock_table("users").await;
        assert_eq!(every_operation(&app, &path).await, [503; 5]);
        assert_eq!(app.get("/health").await.status, 200);
        lock.release().await;
        app.until_healthy().await;
        let users = app.get("/users").await.json();
        assert_eq!((users["users"].as_array().unwrap().len(), app.get(&path).await.header("etag")), (1, Some("\"1\"")));
    })
    .await;
}

/// More requests than connections wait; those that wait too long get 503, not 500.
#[tokio::test]
async fn a_full_pool_is_a_503() {
    let Some(storage) = Storage::new(Database::Postgres).await else { return eprintln!("skipped: no PostgreSQL here") };
    let Storage::Postgres(database) = &storage else { return };
    let flags = [
        "--request-timeout",
        "5s",
        "--database-max-connections",
        "1",
        "--database-acquire-timeout",
        "200ms",
        "--database-lock-timeout",
        "2s",
        "--database-statement-timeout",
        "4s",
    ];
    let (app, server) = App::start(&storage, &flags).await;
    let lock = database.handle().lock_table("users").await;
    let held = tokio::spawn({
        let app = app.clone();
        async move { app.get("/users").await.status }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let refused = app.get("/users").await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));
    lock.release().await;
    assert_eq!(held.await.unwrap(), 200);
    server.stop().await;
    storage.drop_database().await;
}

/// Timeouts that no test reaches on a busy machine, apart from the one that it is about. What remains of the request is the time in
/// the queue, by which requests are refused early: twenty writes of one row wait for each other, behind new connections.
const LONG_TIMEOUTS: [&str; 6] =
    ["--request-timeout", "300s", "--database-lock-timeout", "20s", "--database-statement-timeout", "20s"];

/// Writes that wait for a lock of another transaction, each alone in its statement, do not keep other writes waiting.
#[tokio::test]
async fn writes_that_wait_for_a_lock_do_not_delay_others() {
    let Some(storage) = Storage::new(Database::Postgres).await else { return eprintln!("skipped: no PostgreSQL here") };
    let Storage::Postgres(database) = &storage else { return };
    let (app, server) = App::start(&storage, &LONG_TIMEOUTS).await;
    let mut paths = Vec::new();
    for name in ["a", "b", "c", "other", "deleted"] {
        paths.push(format!("/users/{}", app.create_user(name).await["id"].as_str().unwrap()));
    }
    let insert = "INSERT INTO users SELECT gen_random_uuid(), name, 'taken@example.com', 'taken@example.com', 1, now(), now() \
                  FROM users LIMIT 1";
    let rows = "SELECT FROM users WHERE name IN ('a', 'b', 'c') FOR UPDATE";
    let lock = database.handle().begin(&format!("{rows}; {insert}")).await;
    let mut waiting = tokio::task::JoinSet::new();
    for request in 0..6 {
        let (app, path) = (app.clone(), paths[request % 3].clone());
        waiting.spawn(async move {
            match request {
                0..3 => app.patch(&path, json!({ "name": "changed" })).await.status,
                _ => app.post("/users", json!({ "name": "Ada", "email": "taken@example.com" })).await.status,
            }
        });
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for number in 0..10 {
        assert_eq!(app.patch(&paths[3], json!({ "name": format!("Ada {number}") })).await.status, 200);
        app.create_user(&format!("new{number}")).await;
    }
    assert_eq!(app.delete(&paths[4]).await.status, 204);
    assert!(waiting.try_join_next().is_none(), "the lock is still held");
    lock.release().await;
    let mut statuses = waiting.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 201, 409, 409]);
    server.stop().await;
    storage.drop_database().await;
}

/// A row whose trigger takes longer than the statement timeout fails its own request, not those that share the statement.
#[tokio::test]
async fn a_statement_timeout_fails_only_its_own_request() {
    let Some(storage) = Storage::new(Database::Postgres).await else { return eprintln!("skipped: no PostgreSQL here") };
    let Storage::Postgres(database) = &storage else { return };
    let flags = ["--request-timeout", "30s", "--database-statement-timeout", "1s", "--database-lock-timeout", "1s"];
    let (app, server) = App::start(&storage, &flags).await;
    let trigger = "CREATE FUNCTION sleep() RETURNS trigger LANGUAGE plpgsql AS \
                   $$BEGIN IF NEW.name = 'slow' THEN PERFORM pg_sleep(20); END IF; RETURN NEW; END$$; \
                   CREATE TRIGGER sleep BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION sleep(); COMMIT";
    database.handle().begin(trigger).await.release().await;
    let mut creates = tokio::task::JoinSet::new();
    for number in 0..40 {
        let app = app.clone();
        let name = if number == 20 { "slow" } else { "Ada" };
        let user = json!({ "name": name, "email": format!("user{number}@example.com") });
        creates.spawn(async move { (number, app.post("/users", user).await.status) });
    }
    for (number, status) in creates.join_all().await {
        assert_eq!(status, if number == 20 { 503 } else { 201 }, "{number}");
    }
    server.stop().await;
    storage.drop_database().await;
}

/// A table that is altered while the server runs: no request fails, although connections prepared statements before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_are_prepared_again_after_a_table_was_altered() {
    with_postgres_and(&LONG_TIMEOUTS, async |app, database| {
        let path = format!("/users/{}", app.create_user("ada").await["id"].as_str().unwrap());
        let name = json!({ "name": "Ada Lovelace" });
        let requests = async || {
            let request = async |_| [app.get(&path).await, app.patch(&path, name.clone()).await];
            for response in join_all((0..20).map(request)).await.into_iter().flatten() {
                assert_eq!(response.status, 200, "{}", response.text());
            }
        };
        for _ in 0..5 {
            requests().await;
        }
        database.begin("ALTER TABLE users ALTER COLUMN name TYPE varchar(100)").await.commit().await;
        for _ in 0..20 {
            requests().await;
            assert_eq!(app.get("/users?limit=2").await.status, 200);
        }
    })
    .await;
}

on_both! {
    /// The database responds, so the log has another cause than for one that is unavailable.
    async fn a_lock_that_is_not_released_is_logged(environment: Environment) {
        let mut command = web_server(environment.path());
        command.env("DATABASE_URL", environment.storage.url()).env("DATABASE_LOCK_TIMEOUT", "100ms");
        let process = Process::start(command).await;
        let mut other = Client::connect(&environment.storage).await;
        other.execute(match environment.storage.database() {
            Database::Sqlite => "BEGIN IMMEDIATE",
            Database::Postgres => "BEGIN; LOCK TABLE users IN EXCLUSIVE MODE",
        }).await;
        for _ in 0..3 {
            let user = json!({ "name": "Ada", "email": "ada@example.com" });
            assert_eq!(process.app.post("/users", user).await.status, 503);
        }
        let cause = ["a lock was not released in time"];
        process.until_logged(&cause).await;
        // Once, and not for each request.
        process.is_logged(&cause, 1).await;
        other.execute("ROLLBACK").await;
    }

    /// A start that finds the tables locked waits for a while.
    async fn a_start_waits_for_a_lock(environment: Environment) {
        environment.run(&["migrate"]);
        let mut other = Client::connect(&environment.storage).await;
        other.execute(match environment.storage.database() {
            Database::Sqlite => "BEGIN IMMEDIATE",
            Database::Postgres => "BEGIN; LOCK TABLE users",
        }).await;
        let mut command = web_server(environment.path());
        command.env("DATABASE_URL", environment.storage.url()).env("DATABASE_LOCK_TIMEOUT", "100ms").env("NO_MIGRATE", "true");
        let (process, ()) = tokio::join!(Process::start(command), async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            other.execute("ROLLBACK").await;
        });
        assert_eq!(process.app.get("/users").await.status, 200);
    }
}
