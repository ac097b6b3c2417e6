//! Retries with an `Idempotency-Key`: a change is made once, and a retry gets the first response.
#![expect(
    clippy::disallowed_methods,
    reason = "old records come from the past, and a lock from another client, not from the server"
)]

use std::{collections::BTreeSet, time::Duration};

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection};

use crate::harness::{App, Database, Response, Storage, coverage::RunningTest, credentials, faults::Fault, matrix};

/// Sends a request with a key again and again while the key is in use, or more clients wait than can write in time. Without a
/// pause, clients would take the processor from the statement that they wait for.
async fn send_until_free(app: &App, method: Method, path: &str, key: &str, body: &Value) -> Response {
    loop {
        let response = send(app, method.clone(), path, key, Some(body)).await;
        let is_refused = match response.status {
            409 => response.json()["type"] == "/problems/idempotency-key-in-use",
            503 => response.json()["outcome"].is_null(),
            _ => false,
        };
        if !is_refused {
            return response;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Sends a request with a key.
async fn send(app: &App, method: Method, path: &str, key: &str, body: Option<&Value>) -> Response {
    let request = app.request(method, path).header("idempotency-key", key);
    match body {
        Some(body) => request.json(body).send().await,
        None => request.send().await,
    }
}

async fn create(app: &App, key: &str, name: &str) -> Response {
    let user = json!({ "name": name, "email": format!("{name}@example.com") });
    send(app, Method::POST, "/users", key, Some(&user)).await
}

fn is_replayed(response: &Response) -> bool {
    response.header("idempotency-replayed") == Some("true")
}

/// Asserts that the second response is the first one again.
fn assert_replayed(first: &Response, second: &Response) {
    assert_eq!((second.status, second.text()), (first.status, first.text()));
    assert_eq!((is_replayed(first), is_replayed(second)), (false, true));
    for name in ["etag", "location", "content-type"] {
        assert_eq!(second.header(name), first.header(name), "{name}");
    }
}

fn assert_reused(response: &Response) {
    assert_eq!((response.status, &response.json()["type"]), (422, &json!("/problems/idempotency-key-reused")));
}

fn path(user: &Value) -> String {
    format!("/users/{}", user["id"].as_str().expect("an id"))
}

matrix! {
    /// Also after later changes, with a precondition that is no longer met, and after the user is gone.
    async fn a_retry_gets_the_first_response(app: App) {
        let created = create(&app, "create", "ada").await;
        assert_eq!(created.status, 201);
        let path = path(&created.json());
        let whole = json!({ "name": "Bob", "email": "bob@example.com" });
        let batch = json!({ "users": [
            { "name": "Cid", "email": "cid@example.com" }, { "name": "Bob", "email": "ada@example.com" },
        ] });
        let changes = [
            (Method::PATCH, path.as_str(), Some(json!({ "name": "Ada Lovelace" })), Some("\"1\""), 200),
            (Method::POST, "/users/batch", Some(batch), None, 200),
            (Method::PUT, &path, Some(whole), Some("\"2\""), 200),
            (Method::DELETE, &path, None, Some("\"3\""), 204),
        ];
        let change = async |number: usize| {
            let (method, path, body, if_match, _) = &changes[number];
            let mut request = app.request(method.clone(), path).header("idempotency-key", &format!("change-{number}"));
            if let Some(tag) = if_match {
                request = request.header("if-match", tag);
            }
            match body {
                Some(body) => request.json(body).send().await,
                None => request.send().await,
            }
        };
        let mut responses = Vec::new();
        for (number, (.., status)) in changes.iter().enumerate() {
            let response = change(number).await;
            assert_eq!(response.status, *status, "{}", response.text());
            responses.push(response);
        }
        for _ in 0..2 {
            assert_replayed(&created, &create(&app, "create", "ada").await);
            for (number, first) in responses.iter().enumerate() {
                assert_replayed(first, &change(number).await);
            }
        }
        assert_eq!(app.get("/users").await.json()["users"].as_array().map(Vec::len), Some(1));
        assert_eq!(app.get("/users/changes").await.json()["changes"].as_array().map(Vec::len), Some(5));
    }

    async fn a_key_is_for_one_request(app: App) {
        let user = create(&app, "key", "ada").await.json();
        assert_reused(&create(&app, "key", "bob").await);
        let path = path(&user);
        let patch = json!({ "name": "Bob" });
        assert_reused(&send(&app, Method::PATCH, &path, "key", Some(&patch)).await);
        assert_eq!(send(&app, Method::PATCH, &path, "patch", Some(&patch)).await.status, 200);
        let conditional = app.request(Method::PATCH, &path).header("idempotency-key", "patch").header("if-match", "*");
        assert_reused(&conditional.json(&patch).send().await);
        let other = path.replace(&path[path.len() - 4..], "0000");
        assert_reused(&send(&app, Method::PATCH, &other, "patch", Some(&patch)).await);
        let whole = json!({ "name": "Bob", "email": "ada@example.com" });
        assert_reused(&send(&app, Method::PUT, &path, "patch", Some(&whole)).await);
        assert_reused(&send(&app, Method::DELETE, &path, "patch", None).await);
        let batch = json!({ "users": [whole] });
        assert_reused(&send(&app, Method::POST, "/users/batch", "patch", Some(&batch)).await);
        assert_eq!(app.get(&path).await.header("etag"), Some("\"2\""));
        // The order of members, the media type and the quotes around the key are no difference.
        let reordered = r#"{"email": "ada@example.com", "name": "ada"}"#;
        let retry = app.request(Method::POST, "/users").header("idempotency-key", "\"key\"").content_type("application/json");
        let retry = retry.body(reordered).send().await;
        assert_eq!((retry.status, is_replayed(&retry), retry.json()), (201, true, user));
        let media = app.request(Method::PATCH, &path).content_type("application/merge-patch+json");
        assert!(is_replayed(&media.header("idempotency-key", "patch").json(&patch).send().await));
    }

    /// Only what was done is recorded: a refused request may succeed later.
    async fn a_refusal_is_not_recorded(app: App) {
        let first = path(&app.create_user("ada").await);
        let unknown = "/users/00000000-0000-0000-0000-000000000000";
        for _ in 0..2 {
            assert_eq!(create(&app, "create", "ada").await.status, 409);
            assert_eq!(send(&app, Method::DELETE, unknown, "delete", None).await.status, 404);
            let patch = app.request(Method::PATCH, &first).header("idempotency-key", "patch").header("if-match", "\"2\"");
            assert_eq!(patch.json(&json!({ "name": "Bob" })).send().await.status, 412);
            let batch = json!({ "atomic": true, "users": [{ "name": "Ada", "email": "ada@example.com" }] });
            assert_eq!(send(&app, Method::POST, "/users/batch", "batch", Some(&batch)).await.status, 409);
        }
        assert_eq!(app.delete(&first).await.status, 204);
        let created = create(&app, "create", "ada").await;
        assert_eq!((created.status, is_replayed(&created)), (201, false));
    }

    async fn callers_have_keys_of_their_own(app: App) {
        let create = async |caller: &credentials::Key, name: &str| {
            let app = app.with_token(Some(&caller.secret));
            let request = app.request(Method::POST, "/users").header("idempotency-key", "1");
            request.json(&json!({ "name": name, "email": format!("{name}@example.com") })).send().await
        };
        for (caller, name) in [(&*credentials::ALL, "ada"), (&*credentials::OTHER, "bob")] {
            let first = create(caller, name).await;
            assert_eq!(first.status, 201);
            assert_replayed(&first, &create(caller, name).await);
        }
    }

    async fn malformed_keys_are_invalid_parameters(app: App) {
        let long = "k".repeat(256);
        for key in ["", "\"\"", "a b", "a,b", "\"a", "a\"", "\"a\"b", "\"a\\\"\"", "\u{e9}", &long] {
            let response = create(&app, key, "ada").await;
            assert_eq!((response.status, response.places()), (400, vec!["Idempotency-Key".to_owned()]), "{key}");
        }
        let twice = app.request(Method::POST, "/users").header("idempotency-key", "a").header("idempotency-key", "b");
        assert_eq!(twice.json(&json!({ "name": "Ada", "email": "ada@example.com" })).send().await.status, 400);
        assert_eq!(create(&app, &long[..255], "ada").await.status, 201);
        assert_eq!(create(&app, "\" with spaces, and a comma \"", "bob").await.status, 201);
    }

    async fn a_request_in_flight_is_not_repeated(app: App) {
        let path = path(&app.create_user("ada").await);
        let batch = json!({ "users": [{ "name": "Cid", "email": "cid@example.com" }] });
        let whole = json!({ "name": "Ada", "email": "ada@example.com" });
        for (method, path, body) in [
            (Method::POST, "/users", Some(json!({ "name": "Bob", "email": "bob@example.com" }))),
            (Method::POST, "/users/batch", Some(batch)),
            (Method::PATCH, &path, Some(json!({ "name": "Ada Lovelace" }))),
            (Method::PUT, &path, Some(whole)),
            (Method::DELETE, &path, None),
        ] {
            let key = format!("{method}{}", path.replace('/', "-"));
            app.faults.store(Fault::Hold);
            let first = tokio::spawn({
                let (app, method, path, key, body) = (app.clone(), method.clone(), path.to_owned(), key.clone(), body.clone());
                async move { send(&app, method, &path, &key, body.as_ref()).await }
            });
            app.faults.held().await;
            app.faults.store(None);
            let retry = send(&app, method.clone(), path, &key, body.as_ref()).await;
            assert_eq!((retry.status, &retry.json()["type"]), (409, &json!("/problems/idempotency-key-in-use")));
            assert_eq!(retry.header("retry-after"), Some("1"));
            app.faults.release();
            assert_replayed(&first.await.expect("a response"), &send(&app, method, path, &key, body.as_ref()).await);
        }
    }

    /// Retries race in shared transactions: the effect is one, and no neighbour suffers.
    async fn racing_retries_have_one_effect(app: App) using ["--database-lock-timeout", "10s", "--database-statement-timeout", "10s"] {
        const KEYS: usize = 20;
        let shared = path(&app.create_user("shared").await);
        let clients = (0..KEYS * 8).map(|number| {
            let (app, shared) = (app.clone(), shared.clone());
            tokio::spawn(async move {
                let (key, name) = (format!("key-{}", number % KEYS), format!("user{}", number % KEYS));
                let user = json!({ "name": name, "email": format!("{name}@example.com") });
                let created = send_until_free(&app, Method::POST, "/users", &key, &user).await;
                let patch = json!({ "name": name });
                let patched = send_until_free(&app, Method::PATCH, &shared, &format!("patch-{key}"), &patch).await;
                assert_eq!((created.status, patched.status), (201, 200));
                (name, created.text(), patched.text())
            })
        });
        let clients: Vec<_> = clients.collect();
        let mut bodies = BTreeSet::new();
        for client in clients {
            bodies.insert(client.await.expect("only 201, 200 and 409"));
        }
        assert_eq!(bodies.len(), KEYS, "{bodies:?}");
        assert_eq!(app.get(&shared).await.header("etag"), Some(format!("\"{}\"", KEYS + 1).as_str()));
        let users = app.get("/users?limit=100").await.json();
        assert_eq!(users["users"].as_array().map(Vec::len), Some(KEYS + 1));
    }
}

/// A request that another instance is processing is refused, although it waits for the lock of a row there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_in_flight_on_another_instance_is_not_repeated() {
    let Some(storage) = Storage::new(Database::Postgres).await else { return eprintln!("skipped: no PostgreSQL here") };
    let patient = ["--database-lock-timeout", "20s", "--database-statement-timeout", "20s"];
    let (one, first_server) = App::start(&storage, &patient).await;
    let (other, second_server) = App::start(&storage, &patient).await;
    let path = path(&one.create_user("ada").await);
    let Storage::Postgres(database) = &storage else { unreachable!("the storage is PostgreSQL") };
    let lock = database.handle().begin("SELECT 1 FROM users FOR UPDATE").await;
    let patch = json!({ "name": "Bob" });
    let first = tokio::spawn({
        let (one, path, patch) = (one.clone(), path.clone(), patch.clone());
        async move { send(&one, Method::PATCH, &path, "key", Some(&patch)).await }
    });
    // The second instance would wait too, if it were the first.
    let waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid::bigint >> 20 = 7";
    while query(&storage, waiting).await == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let retry = send(&other, Method::PATCH, &path, "key", Some(&patch)).await;
    assert_eq!((retry.status, &retry.json()["type"]), (409, &json!("/problems/idempotency-key-in-use")));
    lock.commit().await;
    let first = first.await.expect("a response");
    assert_eq!(first.status, 200, "{}", first.text());
    assert_replayed(&first, &send(&other, Method::PATCH, &path, "key", Some(&patch)).await);
    first_server.stop().await;
    second_server.stop().await;
    storage.drop_database().await;
}

/// Runs SQL on the database, which returns a number.
async fn query(storage: &Storage, sql: &str) -> i64 {
    let sql = AssertSqlSafe(sql.to_owned());
    match storage {
        Storage::Sqlite(_) => {
            let mut connection = sqlx::SqliteConnection::connect(&storage.url()).await.expect("a connection");
            sqlx::query_scalar(sql).fetch_one(&mut connection).await.expect("a number")
        }
        Storage::Postgres(_) => {
            let mut connection = sqlx::PgConnection::connect(&storage.url()).await.expect("a connection");
            sqlx::query_scalar(sql).fetch_one(&mut connection).await.expect("a number")
        }
    }
}

/// A record outlives the server. Old records are removed in steps, and others stay.
async fn a_record_is_kept_for_its_time(database: Database) {
    let Some(storage) = Storage::new(database).await else { return eprintln!("skipped: PostgreSQL is not installed") };
    let (app, server) = App::start(&storage, &[]).await;
    let first = create(&app, "recent", "ada").await;
    server.stop().await;
    // 25 hours ago; the times of SQLite are microseconds.
    let old = match database {
        Database::Sqlite => "SELECT randomblob(16), randomblob(16), 'null', (unixepoch() - 90000) * 1000000",
        Database::Postgres => "SELECT gen_random_uuid(), gen_random_uuid(), 'null', now() - interval '25 hours'",
    };
    query(
        &storage,
        &format!(
            "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 2500) \
             INSERT INTO idempotency_keys (key, fingerprint, result, created_at) {old} FROM numbers RETURNING CAST(1 AS bigint)"
        ),
    )
    .await;
    let count = "SELECT count(*) FROM idempotency_keys";
    let (app, server) = App::start(&storage, &[]).await;
    let start = std::time::Instant::now();
    while query(&storage, count).await != 1 {
        assert!(start.elapsed() < Duration::from_secs(20), "old records are not removed");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_replayed(&first, &create(&app, "recent", "ada").await);
    server.stop().await;
    storage.drop_database().await;
}

mod a_record_is_kept_for_its_time {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn sqlite() {
        let _running = RunningTest::new("idempotency::a_record_is_kept_for_its_time::sqlite".to_owned());
        super::a_record_is_kept_for_its_time(Database::Sqlite).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn postgres() {
        let _running = RunningTest::new("idempotency::a_record_is_kept_for_its_time::postgres".to_owned());
        super::a_record_is_kept_for_its_time(Database::Postgres).await;
    }
}
