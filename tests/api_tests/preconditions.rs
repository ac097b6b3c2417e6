//! Preconditions (RFC 9110, section 13), changes that change nothing, and the time of a change.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use api::timestamp::Timestamp;
use chrono::DateTime;
use reqwest::Method;
use serde_json::{Value, json};
use web_server::clock::Clock;

use crate::harness::{App, Database, Response, Storage, coverage::RunningTest, matrix};

const UNKNOWN: &str = "/users/00000000-0000-0000-0000-000000000000";

fn path(user: &Value) -> String {
    format!("/users/{}", user["id"].as_str().unwrap())
}

/// Sends a request with these headers.
async fn send(
    app: &App,
    method: Method,
    path: &str,
    headers: &[(&'static str, &str)],
    body: Option<Value>,
) -> Response {
    let request = app.request(method, path);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(name, value));
    match body {
        Some(body) => request.json(&body).send().await,
        None => request.send().await,
    }
}

async fn patch_if_match(app: &App, path: &str, tags: &str, name: &str) -> Response {
    send(app, Method::PATCH, path, &[("if-match", tags)], Some(json!({ "name": name }))).await
}

/// Asserts that a write was refused with 412 and the current version.
fn assert_refused(response: &Response, current: &str) {
    assert_eq!((response.status, response.header("etag")), (412, Some(current)), "{}", response.text());
    assert_eq!(response.json()["type"], "/problems/precondition-failed");
}

matrix! {
    /// The comparison is weak, and the headers are those of the 200.
    async fn a_read_of_a_known_version_is_not_modified(app: App) {
        let path = path(&app.create_user("ada").await);
        let full = app.get(&path).await;
        for tags in [r#""1""#, r#"W/"1""#, "*", r#""7", "1""#, r#" ,W/"x,y" , W/"1",, "#] {
            for method in [Method::GET, Method::HEAD] {
                let response = send(&app, method, &path, &[("if-none-match", tags)], None).await;
                assert_eq!((response.status, response.body.len()), (304, 0), "{tags}");
                for name in ["etag", "cache-control", "vary", "content-location", "expires"] {
                    assert_eq!(response.header(name), full.header(name), "{name}");
                }
                assert_eq!(response.header("content-type"), None);
            }
        }
        for tags in [r#""2""#, r#""01""#, r#"W/"0""#, r#""""#] {
            let response = send(&app, Method::GET, &path, &[("if-none-match", tags)], None).await;
            assert_eq!((response.status, &response.body), (200, &full.body), "{tags}");
        }
        // The lines of a header are one list.
        let lines = [("if-none-match", r#""7""#), ("if-none-match", r#""1""#)];
        assert_eq!(send(&app, Method::GET, &path, &lines, None).await.status, 304);
        assert_eq!(send(&app, Method::GET, UNKNOWN, &[("if-none-match", "*")], None).await.status, 404);
    }

    /// After a change, the known version is not current, also where the cache responds.
    async fn a_read_after_a_change_is_full(app: App) {
        let path = path(&app.create_user("ada").await);
        for number in 1..10 {
            let known = format!("\"{number}\"");
            assert_eq!(send(&app, Method::GET, &path, &[("if-none-match", &known)], None).await.status, 304);
            assert_eq!(patch_if_match(&app, &path, &known, &format!("Ada {number}")).await.status, 200);
            assert_eq!(send(&app, Method::GET, &path, &[("if-none-match", &known)], None).await.status, 200);
        }
    }

    async fn a_write_happens_only_at_the_versions_in_if_match(app: App) {
        let user = app.create_user("ada").await;
        let path = path(&user);
        let whole = json!({ "name": "Bob", "email": "bob@example.com" });
        for tags in [r#""2""#, r#"W/"1""#, r#""01""#, r#""x", "2""#, r#""""#] {
            let headers = [("if-match", tags)];
            assert_refused(&send(&app, Method::PUT, &path, &headers, Some(whole.clone())).await, "\"1\"");
            assert_refused(&send(&app, Method::PATCH, &path, &headers, Some(json!({ "name": "Bob" }))).await, "\"1\"");
            assert_refused(&send(&app, Method::PATCH, &path, &headers, Some(json!({}))).await, "\"1\"");
            assert_refused(&send(&app, Method::DELETE, &path, &headers, None).await, "\"1\"");
        }
        assert_eq!(app.get(&path).await.json(), user);
        assert_eq!(patch_if_match(&app, &path, r#""1""#, "Bob").await.header("etag"), Some("\"2\""));
        assert_eq!(patch_if_match(&app, &path, r#""9",, "2" ,"#, "Cid").await.header("etag"), Some("\"3\""));
        assert_eq!(patch_if_match(&app, &path, "*", "Dan").await.header("etag"), Some("\"4\""));
        let replaced = send(&app, Method::PUT, &path, &[("if-match", "\"4\"")], Some(whole)).await;
        assert_eq!((replaced.status, replaced.header("etag")), (200, Some("\"5\"")));
        assert_refused(&send(&app, Method::DELETE, &path, &[("if-match", "\"4\"")], None).await, "\"5\"");
        assert_eq!(send(&app, Method::DELETE, &path, &[("if-match", "\"5\"")], None).await.status, 204);
    }

    async fn a_write_does_not_happen_at_the_versions_in_if_none_match(app: App) {
        let path = path(&app.create_user("ada").await);
        for (method, body) in [
            (Method::PUT, Some(json!({ "name": "Bob", "email": "bob@example.com" }))),
            (Method::PATCH, Some(json!({ "name": "Bob" }))),
            (Method::DELETE, None),
        ] {
            for tags in ["*", r#"W/"1""#, r#""7", "1""#] {
                assert_refused(&send(&app, method.clone(), &path, &[("if-none-match", tags)], body.clone()).await, "\"1\"");
            }
        }
        // Both headers have to allow the version.
        let both = [("if-match", "*"), ("if-none-match", "\"1\"")];
        assert_refused(&send(&app, Method::DELETE, &path, &both, None).await, "\"1\"");
        let both = [("if-match", "\"1\", \"2\""), ("if-none-match", "\"2\"")];
        assert_eq!(send(&app, Method::DELETE, &path, &both, None).await.status, 204);
    }

    /// A precondition is ignored where the response without it is an error (RFC 9110, section 13.2.1). A conflict is found
    /// by the write, after the precondition.
    async fn other_errors_take_precedence(app: App) {
        app.create_user("bob").await;
        let path = path(&app.create_user("ada").await);
        let stale = [("if-match", "\"9\"")];
        let taken = json!({ "name": "Ada", "email": "bob@example.com" });
        assert_eq!(send(&app, Method::PUT, UNKNOWN, &stale, Some(taken.clone())).await.status, 404);
        assert_eq!(send(&app, Method::PUT, UNKNOWN, &[("if-none-match", "*")], Some(taken.clone())).await.status, 404);
        assert_eq!(send(&app, Method::DELETE, UNKNOWN, &[("if-match", "*")], None).await.status, 404);
        assert_eq!(send(&app, Method::PATCH, &path, &stale, Some(json!({ "name": "" }))).await.status, 422);
        assert_refused(&send(&app, Method::PUT, &path, &stale, Some(taken.clone())).await, "\"1\"");
        assert_eq!(send(&app, Method::PUT, &path, &[("if-match", "\"1\"")], Some(taken)).await.status, 409);
    }

    async fn malformed_entity_tags_are_invalid_parameters(app: App) {
        let path = path(&app.create_user("ada").await);
        for tags in ["", ",", "1", "\"1", "1\"", "w/\"1\"", "W/ \"1\"", "* , \"1\"", "**", "\"1\" \"2\"", "\"a b\"", "\"1\";", "'1'"] {
            for (name, method) in [("if-match", Method::DELETE), ("if-none-match", Method::DELETE), ("if-none-match", Method::GET)] {
                let response = send(&app, method, &path, &[(name, tags)], None).await;
                let in_contract = if name == "if-match" { "If-Match" } else { "If-None-Match" };
                assert_eq!((response.status, response.places()), (400, vec![in_contract.to_owned()]), "{tags}");
            }
        }
        // Bytes beyond ASCII are allowed in a tag.
        let tag = reqwest::Client::new().delete(format!("{}{path}", app.base)).header("If-Match", &b"\"\xff\""[..]);
        assert_eq!(tag.bearer_auth(app.token.as_ref().unwrap()).send().await.unwrap().status(), 412);
        assert_eq!(app.get(&path).await.status, 200);
    }

    async fn a_missing_precondition_can_be_refused(app: App) using ["--require-preconditions"] {
        let path = path(&app.create_user("ada").await);
        let whole = json!({ "name": "Bob", "email": "bob@example.com" });
        for path in [&path, UNKNOWN] {
            for (method, body) in [(Method::PUT, Some(&whole)), (Method::PATCH, Some(&whole)), (Method::DELETE, None)] {
                for headers in [&[][..], &[("if-none-match", "\"7\"")]] {
                    let response = send(&app, method.clone(), path, headers, body.cloned()).await;
                    assert_eq!((response.status, &response.json()["type"]), (428, &json!("/problems/precondition-required")));
                }
            }
        }
        // Reads need none, an invalid request is reported first, and `*` is a precondition.
        assert_eq!((app.get(&path).await.status, app.get("/users").await.status), (200, 200));
        assert_eq!(app.put(&path, json!({})).await.status, 422);
        assert_eq!(patch_if_match(&app, &path, "\"1\"", "Bob").await.status, 200);
        assert_eq!(send(&app, Method::DELETE, &path, &[("if-match", "*")], None).await.status, 204);
    }

    async fn a_write_that_changes_nothing_is_no_new_version(app: App) {
        let user = app.create_user("ada").await;
        let path = path(&user);
        let (name, email) = (&user["name"], &user["email"]);
        for body in [json!({}), json!({ "name": name }), json!({ "email": email }), json!({ "name": name, "email": email })] {
            let patched = app.patch(&path, body.clone()).await;
            assert_eq!((patched.status, patched.header("etag"), patched.json()), (200, Some("\"1\""), user.clone()), "{body}");
        }
        let replaced = app.put(&path, json!({ "name": name, "email": email })).await;
        assert_eq!((replaced.status, replaced.header("etag"), replaced.json()), (200, Some("\"1\""), user.clone()));
        // Values are compared as they are stored: the case of a letter is a change, and so is a normalization.
        for (number, body) in
            [json!({ "email": "ADA@example.com" }), json!({ "name": "\u{e9}" }), json!({ "name": "e\u{301}" })].into_iter().enumerate()
        {
            let patched = app.patch(&path, body.clone()).await;
            assert_eq!(patched.header("etag"), Some(format!("\"{}\"", number + 2).as_str()), "{body}");
        }
    }

    /// A lost update would leave a change out of the name, and a failed precondition that wrote would leave a gap.
    async fn racing_read_modify_write_rounds_lose_no_update(app: App) {
        const CLIENTS: usize = 64;
        let path = path(&app.create_user("n").await);
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let (app, path) = (app.clone(), path.clone());
                tokio::spawn(async move {
                    let mut refused = 0;
                    loop {
                        let read = app.get(&path).await;
                        let name = format!("{}{}", read.json()["name"].as_str().unwrap(), char::from_u32(0x4e00 + number as u32).unwrap());
                        let written = patch_if_match(&app, &path, read.header("etag").unwrap(), &name).await;
                        match written.status {
                            200 => return (written.header("etag").unwrap().to_owned(), written.json(), refused),
                            412 => refused += 1,
                            // On a busy machine, more clients wait than can write in time. Nothing was changed.
                            503 if written.json()["outcome"].is_null() => tokio::time::sleep(Duration::from_millis(20)).await,
                            status => panic!("{status}: {}", written.text()),
                        }
                    }
                })
            })
            .collect();
        let mut versions = Vec::new();
        for client in clients {
            let (etag, user, refused): (String, Value, u32) = client.await.unwrap();
            versions.push((etag.trim_matches('"').parse::<usize>().unwrap(), user["updated_at"].as_str().unwrap().to_owned(), refused));
        }
        versions.sort_unstable();
        assert_eq!(versions.iter().map(|version| version.0).collect::<Vec<_>>(), (2..=CLIENTS + 1).collect::<Vec<_>>());
        assert!(versions.is_sorted_by_key(|version| &version.1), "updated_at goes back: {versions:?}");
        assert!(versions.iter().any(|version| version.2 > 0), "the clients did not race");
        let name = app.get(&path).await.json()["name"].as_str().unwrap().to_owned();
        let mut changes: Vec<_> = name.chars().skip(1).collect();
        changes.sort_unstable();
        assert_eq!(changes, (0..CLIENTS as u32).map(|number| char::from_u32(0x4e00 + number).unwrap()).collect::<Vec<_>>());
    }

    /// Writes of several users share a statement: each has its own outcome.
    async fn a_failed_precondition_does_not_fail_other_writes(app: App) {
        let mut users = Vec::new();
        for number in 0..60 {
            users.push(path(&app.create_user(&format!("u{number}")).await));
        }
        for method in [Method::PATCH, Method::DELETE] {
            let current = if method == Method::PATCH { "\"1\"" } else { "\"2\"" };
            let writes: Vec<_> = users
                .iter()
                .enumerate()
                .map(|(number, path)| {
                    let (app, path, method) = (app.clone(), path.clone(), method.clone());
                    tokio::spawn(async move {
                        let tags = [current, "\"1\", \"2\"", "\"9\"", "*", "W/\"1\", W/\"2\""][number % 5];
                        let body = (method == Method::PATCH).then(|| match number % 15 {
                            5 => json!({ "email": "u0@example.com" }),
                            _ => json!({ "name": format!("new {number}") }),
                        });
                        send(&app, method, &path, &[("if-match", tags)], body).await
                    })
                })
                .collect();
            for (number, write) in writes.into_iter().enumerate() {
                let response = write.await.unwrap();
                let expected = match (number % 5, number % 15, &method) {
                    (2 | 4, _, _) => 412,
                    // The version of the user whose e-mail address was taken is still 1.
                    (0, 5, &Method::DELETE) => 412,
                    (0, 5, _) => 409,
                    (_, _, &Method::DELETE) => 204,
                    _ => 200,
                };
                assert_eq!(response.status, expected, "{method} {number}: {}", response.text());
            }
        }
        assert_eq!(app.get("/users?limit=100").await.json()["users"].as_array().unwrap().len(), 60 * 2 / 5 + 4);
    }

    /// Scripts of other origins can send preconditions and read the version.
    async fn a_page_of_another_origin_can_use_preconditions(app: App) using ["--cors-allowed-origins", "https://a.example"] {
        let preflight = [("origin", "https://a.example"), ("access-control-request-method", "PATCH"), ("access-control-request-headers", "if-match")];
        let response = send(&app, Method::OPTIONS, UNKNOWN, &preflight, None).await;
        let allowed = response.header("access-control-allow-headers").unwrap().to_ascii_lowercase();
        assert!(allowed.split(',').any(|name| name.trim() == "if-match"), "{allowed}");
        let path = path(&app.create_user("ada").await);
        for (headers, status) in [([("origin", "https://a.example"), ("if-none-match", "*")], 304), ([("origin", "https://a.example"), ("if-none-match", "\"9\"")], 200)] {
            let response = send(&app, Method::GET, &path, &headers, None).await;
            assert_eq!(response.status, status);
            assert!(response.header("access-control-expose-headers").unwrap().contains("etag"));
        }
    }
}

/// A clock that a test sets.
#[derive(Default)]
struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::new(DateTime::from_timestamp(self.0.load(Ordering::SeqCst), 0).expect("a time"))
    }
}

/// While the clock is behind the last change, or behind the creation, a change keeps the later time.
async fn the_clock_is_set_back(database: Database) {
    let Some(storage) = Storage::new(database).await else { return eprintln!("skipped: PostgreSQL is not installed") };
    let clock = Arc::new(TestClock::default());
    let (app, server) = App::start_with_clock(&storage, &[], clock.clone()).await;
    let time =
        |user: &Value, name: &str| DateTime::parse_from_rfc3339(user[name].as_str().unwrap()).unwrap().timestamp();
    clock.0.store(1_000, Ordering::SeqCst);
    let user = app.create_user("ada").await;
    // On PostgreSQL, the time of creation is that of its own clock.
    let (path, created) = (path(&user), time(&user, "created_at"));
    for (number, (now, expected)) in
        [(-100, 0), (100, 100), (50, 100), (100, 100), (-created, 100), (101, 101)].into_iter().enumerate()
    {
        clock.0.store(created + now, Ordering::SeqCst);
        let name = format!("Ada {number}");
        let user = if number % 2 == 0 {
            app.patch(&path, json!({ "name": name })).await.json()
        } else {
            app.put(&path, json!({ "name": name, "email": "ada@example.com" })).await.json()
        };
        assert_eq!((time(&user, "updated_at"), time(&user, "created_at")), (created + expected, created), "at {now}");
        // A write that changes nothing is not a change, whatever the time.
        clock.0.store(created + 1_000, Ordering::SeqCst);
        assert_eq!(app.patch(&path, json!({ "name": name })).await.json(), user);
    }

    // In statements that several requests share.
    let mut users = Vec::new();
    for number in 0..20 {
        users.push(app.create_user(&format!("u{number}")).await);
    }
    clock.0.store(1, Ordering::SeqCst);
    let patches: Vec<_> = users
        .into_iter()
        .map(|user| {
            let app = app.clone();
            tokio::spawn(async move { (app.patch(&self::path(&user), json!({ "name": "new" })).await.json(), user) })
        })
        .collect();
    for patch in patches {
        let (patched, user) = patch.await.unwrap();
        assert_eq!((&patched["updated_at"], &patched["name"]), (&user["created_at"], &json!("new")));
    }
    server.stop().await;
    storage.drop_database().await;
}

mod an_update_is_never_earlier_than_the_version_before {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn sqlite() {
        let _running = RunningTest::new(format!("{}::sqlite", name()));
        the_clock_is_set_back(Database::Sqlite).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn postgres() {
        let _running = RunningTest::new(format!("{}::postgres", name()));
        the_clock_is_set_back(Database::Postgres).await;
    }

    fn name() -> &'static str {
        module_path!().split_once("::").expect("a test is in a module").1
    }
}
