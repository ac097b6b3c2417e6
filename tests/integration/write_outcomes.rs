//! A 503 for a write says whether the write may have been done.

use std::{collections::BTreeSet, time::Duration};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    environment::{Environment, on_both},
    harness::{App, Database, Response, Storage, faults::Fault, until::until},
};

/// Whether nothing was changed. The response is 503.
fn changed_nothing(response: &Response) -> bool {
    assert_eq!(response.status, 503, "{}", response.text());
    let problem = response.json();
    let changed_nothing = problem["detail"].as_str().unwrap().ends_with("Nothing was changed.");
    assert_eq!(problem["outcome"], if changed_nothing { Value::Null } else { json!("unknown") }, "{problem}");
    changed_nothing
}

async fn create(app: &App, name: &str) -> Response {
    app.post("/users", json!({ "name": name, "email": format!("{name}@example.com") })).await
}

async fn names(app: &App) -> BTreeSet<String> {
    let users = app.get("/users?limit=100").await.json();
    users["users"].as_array().unwrap().iter().map(|user| user["name"].as_str().unwrap().to_owned()).collect()
}

on_both! {
    /// While the database does not respond, the writes whose statements have started may still be done. The others, which wait,
    /// are refused before the deadline.
    async fn writes_that_wait_are_not_done_later(environment: Environment) {
        let (app, server) = App::start(&environment.storage, &["--request-timeout", "3s"]).await;
        app.faults.store(Fault::Hold);
        let requests = (0..60_u64).map(async |number| {
            sleep(Duration::from_millis(30 * number)).await;
            let name = format!("user{number}");
            (create(&app, &name).await, name)
        });
        let (refused, unknown): (Vec<_>, Vec<_>) =
            join_all(requests).await.into_iter().partition(|(response, _)| changed_nothing(response));
        assert!(!refused.is_empty() && !unknown.is_empty(), "{} refused, {} unknown", refused.len(), unknown.len());
        app.faults.store(None);
        app.faults.release();
        let unknown: BTreeSet<_> = unknown.into_iter().map(|(_, name)| name).collect();
        until("exactly the writes that were begun are done", async || names(&app).await == unknown).await;
        server.stop().await;
    }
}

on_both! {
    /// A request with POST that reads has no outcome that could be unknown.
    async fn a_read_that_times_out_has_no_outcome(environment: Environment) {
        let (app, server) = App::start(&environment.storage, &["--request-timeout", "1s"]).await;
        app.faults.store(Fault::Hold);
        let response = app.post("/users/lookup", json!({ "ids": ["0198c1a2-7d1e-7c3a-9f60-2b5d8e4a1c07"] })).await;
        assert_eq!((response.status, &response.json()["outcome"]), (503, &Value::Null), "{}", response.text());
        app.faults.store(None);
        app.faults.release();
        server.stop().await;
    }
}

/// A connection that breaks during a statement leaves its outcome unknown; a connection that cannot be opened does not.
#[tokio::test]
async fn a_lost_connection_is_distinguished_from_one_that_cannot_be_opened() {
    let Some(storage) = Storage::new(Database::Postgres).await else { return eprintln!("skipped: no PostgreSQL here") };
    let Storage::Postgres(database) = &storage else { return };
    let handle = database.handle();
    let (app, server) = App::start(&storage, &[]).await;
    for key in [None, Some("a-key")] {
        let lock = handle.lock_table("users").await;
        let request =
            app.request(reqwest::Method::POST, "/users").json(&json!({ "name": "Ada", "email": "ada@example.com" }));
        let request = match key {
            None => request,
            Some(key) => request.header("idempotency-key", key),
        };
        let (response, ()) = tokio::join!(request.send(), async {
            sleep(Duration::from_millis(300)).await;
            // This ends the lock too.
            handle.allow_connections(false).await;
        });
        // With a key, the statement is in a transaction whose commit was not sent.
        assert_eq!(changed_nothing(&response), key.is_some(), "{key:?}: {}", response.text());
        drop(lock);
        assert!(changed_nothing(&create(&app, "bob").await));
        handle.allow_connections(true).await;
        app.until_status("/users", 200).await;
        assert!(!names(&app).await.contains("bob"));
    }
    server.stop().await;
    storage.drop_database().await;
}

on_both! {
    /// Two users that take each other's e-mail address do not wait for each other.
    async fn users_that_swap_their_emails_get_409(environment: Environment) {
        let (app, server) = App::start(&environment.storage, &[]).await;
        let mut paths = Vec::new();
        for name in ["ada", "bob"] {
            paths.push(format!("/users/{}", app.create_user(name).await["id"].as_str().unwrap()));
        }
        let take = async |path: &str, name: &str| {
            let response = app.patch(path, json!({ "email": format!("{name}@example.com") })).await;
            (response.status, response.json()["type"].clone())
        };
        for _ in 0..20 {
            let (one, other) = tokio::join!(take(&paths[0], "bob"), take(&paths[1], "ada"));
            assert_eq!((one, other), ((409, json!("/problems/conflict")), (409, json!("/problems/conflict"))));
        }
        server.stop().await;
    }
    /// An e-mail address is free or taken: 503 would say that the database is unavailable.
    async fn users_that_rotate_their_emails_get_200_or_409(environment: Environment) {
        let (app, server) = App::start(&environment.storage, &["--request-timeout", "10s"]).await;
        let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
        let mut paths = Vec::new();
        for name in names {
            paths.push(format!("/users/{}", app.create_user(name).await["id"].as_str().unwrap()));
        }
        // Eleven e-mail addresses for eight users.
        let clients = (0..names.len()).map(async |client| {
            let mut statuses = BTreeSet::new();
            for round in 0..40 {
                let place = (client * 5 + round * round) % 11;
                let email = format!("{place}@example.com");
                statuses.insert(app.patch(&paths[client], json!({ "email": email })).await.status);
            }
            statuses
        });
        let statuses: BTreeSet<_> = join_all(clients).await.into_iter().flatten().collect();
        assert_eq!(statuses, BTreeSet::from([200, 409]));
        server.stop().await;
    }
}

/// Statements that take too long are not repeated for each of their requests when no time is left for that.
#[tokio::test]
async fn a_slow_statement_is_not_repeated_past_the_deadline() {
    let Some(storage) = Storage::new(Database::Postgres).await else { return eprintln!("skipped: no PostgreSQL here") };
    let Storage::Postgres(database) = &storage else { return };
    let (app, server) = App::start(&storage, &["--request-timeout", "3s"]).await;
    let trigger = "CREATE FUNCTION sleep() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM pg_sleep(20); RETURN NULL; END$$; \
                   CREATE TRIGGER sleep BEFORE INSERT ON users FOR EACH STATEMENT EXECUTE FUNCTION sleep()";
    database.handle().begin(trigger).await.commit().await;
    let creates = (0..24).map(async |number| create(&app, &format!("user{number}")).await);
    for response in join_all(creates).await {
        assert!(changed_nothing(&response), "{}", response.text());
    }
    assert!(names(&app).await.is_empty());
    server.stop().await;
    storage.drop_database().await;
}
