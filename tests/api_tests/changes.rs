//! The changes of users, and the order of creation that they and the list promise.
#![expect(clippy::disallowed_methods, reason = "old changes come from the past, not from the server")]

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use api::timestamp::Timestamp;
use chrono::TimeDelta;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection};
use web_server::clock::{Clock, SystemClock};

use super::pages::names;
use crate::harness::{App, Database, Storage, matrix};

fn id(user: &Value) -> String {
    user["id"].as_str().expect("an id").to_owned()
}

/// Every change after this id, by pages of this size.
async fn changes(app: &App, limit: u32, after: Option<&str>) -> Vec<Value> {
    let (mut all, mut after) = (Vec::new(), after.map(str::to_owned));
    loop {
        let more = after.as_ref().map(|id| format!("&after={id}")).unwrap_or_default();
        let response = app.get(&format!("/users/changes?limit={limit}{more}")).await;
        assert_eq!(response.status, 200, "{}", response.text());
        let page = response.json();
        all.extend(page["changes"].as_array().expect("changes").iter().cloned());
        let next = page["next_cursor"].as_str();
        let link = next.map(|next| format!("</users/changes?limit={limit}&after={next}>; rel=\"next\""));
        assert_eq!(response.header("link"), link.as_deref());
        match next {
            Some(next) => after = Some(next.to_owned()),
            None => return all,
        }
    }
}

/// Type, user and version of changes.
fn facts(changes: &[Value]) -> Vec<(String, String, i64)> {
    let text = |change: &Value, name: &str| change[name].as_str().expect("a text").to_owned();
    changes
        .iter()
        .map(|change| (text(change, "type"), text(change, "user_id"), change["version"].as_i64().expect("a number")))
        .collect()
}

matrix! {
    async fn every_change_is_recorded_once_in_its_order(app: App) {
        assert_eq!(changes(&app, 10, None).await, Vec::<Value>::new());
        let (ada, bob) = (id(&app.create_user("ada").await), id(&app.create_user("bob").await));
        let path = format!("/users/{ada}");
        app.patch(&path, json!({ "name": "Ada" })).await;
        // These change nothing.
        app.patch(&path, json!({ "name": "Ada" })).await;
        app.patch(&path, json!({ "email": "bob@example.com" })).await;
        app.post("/users", json!({ "name": "Bob", "email": "bob@example.com" })).await;
        app.put(&path, json!({ "name": "Ada King", "email": "ada@example.com" })).await;
        app.delete(&path).await;
        app.delete(&path).await;
        app.patch(&format!("/users/{bob}"), json!({ "name": "Bob" })).await;

        let all = changes(&app, 10, None).await;
        let expected = [("created", &ada, 1), ("created", &bob, 1), ("updated", &ada, 2), ("updated", &ada, 3), ("deleted", &ada, 3), ("updated", &bob, 2)];
        assert_eq!(facts(&all), expected.map(|(kind, user, version)| (kind.to_owned(), user.clone(), version)));
        assert!(all.windows(2).all(|pair| pair[0]["id"].as_str() < pair[1]["id"].as_str() && pair[0]["at"].as_str() < pair[1]["at"].as_str()));
        assert_eq!(changes(&app, 2, None).await, all);
        for (position, change) in all.iter().enumerate() {
            assert_eq!(changes(&app, 2, change["id"].as_str()).await, all[position + 1..]);
        }
    }

    /// A client whose last change is older than what is kept must not miss changes silently.
    async fn a_position_that_is_no_longer_kept_is_refused(app: App) using ["--user-changes-retention", "1h"] {
        app.create_user("ada").await;
        let time = SystemClock.now().datetime().timestamp_millis();
        let after = |age: TimeDelta| format!("/users/changes?after={:08x}-{:04x}-7000-8000-000000000000", (time - age.num_milliseconds()) >> 16, (time - age.num_milliseconds()) & 0xffff);
        assert_eq!(app.get(&after(TimeDelta::minutes(59))).await.json()["changes"].as_array().map(Vec::len), Some(1));
        let gone = app.get(&after(TimeDelta::minutes(61))).await;
        assert_eq!((gone.status, &gone.json()["type"]), (404, &json!("/problems/not-found")));
        assert_eq!(app.get(&after(TimeDelta::minutes(-61))).await.json(), json!({ "changes": [] }));
        let all = app.get("/users/changes?after=00000000-0000-0000-0000-000000000000").await;
        assert_eq!((all.status, all.json()), (200, app.get("/users/changes").await.json()));
    }
}

/// A clock that differs from that of the system.
struct ShiftedClock(TimeDelta);

impl Clock for ShiftedClock {
    fn now(&self) -> Timestamp {
        Timestamp::new(SystemClock.now().datetime() + self.0)
    }
}

async fn start(storage: &Storage, seconds: i64) -> (App, crate::harness::Server) {
    App::start_with_clock(storage, &[], Arc::new(ShiftedClock(TimeDelta::seconds(seconds)))).await
}

async fn oldest_first(app: &App) -> Vec<String> {
    names(&app.get("/users?sort=created_at").await.json())
}

/// Instances whose clocks differ, and a clock that was set back: the order is that in which users were created.
async fn the_order_is_that_of_creation(database: Database) {
    let Some(storage) = Storage::new(database).await else { return eprintln!("skipped: PostgreSQL is not installed") };
    let mut expected = Vec::new();
    for round in 0..3 {
        let (one, first) = start(&storage, 3600 - 1000 * round).await;
        // SQLite has one instance at a time.
        let other = if database == Database::Postgres { Some(start(&storage, -2).await) } else { None };
        for number in 0..4 {
            let app = other.as_ref().map_or(&one, |(two, _)| if number % 2 == 0 { &one } else { two });
            let name = format!("u{round}{number}");
            app.create_user(&name).await;
            expected.push(name);
        }
        assert_eq!(oldest_first(&one).await, expected);
        first.stop().await;
        if let Some((_, server)) = other {
            server.stop().await;
        }
    }
    storage.drop_database().await;
}

/// While the clock is behind the latest change, also batches are in order: no id is less than that of an earlier batch.
async fn batches_are_in_order_after_the_clock_was_set_back(database: Database) {
    let Some(storage) = Storage::new(database).await else { return eprintln!("skipped: PostgreSQL is not installed") };
    let (app, server) = start(&storage, 3600).await;
    app.create_user("first").await;
    server.stop().await;
    if let Storage::Postgres(database) = &storage {
        // Its clock is that of the machine: a change from the future has the same effect.
        let insert = "INSERT INTO user_changes (at, type, user_ids, versions) \
                      VALUES (clock_timestamp() + interval '1 hour', 'deleted', '{}', '{}')";
        database.handle().begin(insert).await.commit().await;
    }
    let (app, server) = start(&storage, 0).await;
    let mut ids = Vec::new();
    for round in 0..5 {
        let user = |number: usize| json!({ "name": "Ada", "email": format!("user{round}-{number}@example.com") });
        let users: Vec<_> = (0..200).map(user).collect();
        let created = app.post("/users/batch", json!({ "users": users })).await.json();
        let results = created["results"].as_array().expect("results");
        ids.extend(results.iter().map(|result| id(&result["user"])));
    }
    assert!(ids.is_sorted());
    let recorded: Vec<_> = facts(&changes(&app, 70, None).await).into_iter().skip(1).map(|(_, user, _)| user).collect();
    assert_eq!(recorded, ids);
    let mut listed = Vec::new();
    let mut path = Some("/users?limit=70&sort=created_at".to_owned());
    while let Some(next) = path {
        let page = app.get(&next).await.json();
        listed.extend(page["users"].as_array().expect("users").iter().map(id));
        path = page["next_cursor"].as_str().map(|cursor| format!("/users?limit=70&sort=created_at&cursor={cursor}"));
    }
    assert_eq!(listed[1..], ids);
    server.stop().await;
    storage.drop_database().await;
}

/// Writers on two instances (one on SQLite) create, change and delete users. A client walks the list and the changes meanwhile.
/// Afterwards both have everything that was acknowledged, once and in order.
async fn a_walk_during_writes_misses_nothing(database: Database) {
    const WRITERS: usize = 4;
    const USERS: usize = 40;
    let Some(storage) = Storage::new(database).await else { return eprintln!("skipped: PostgreSQL is not installed") };
    let (one, first) = start(&storage, 0).await;
    let other = if database == Database::Postgres { Some(start(&storage, 1).await) } else { None };
    let is_done = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let app = other.as_ref().filter(|_| writer % 2 == 1).map_or(&one, |(two, _)| two).clone();
            tokio::spawn(async move {
                let mut kept = Vec::new();
                for number in 0..USERS {
                    let user = app.create_user(&format!("w{writer}u{number}")).await;
                    let path = format!("/users/{}", id(&user));
                    assert_eq!(app.patch(&path, json!({ "name": "changed" })).await.status, 200);
                    if number % 3 == 0 {
                        assert_eq!(app.delete(&path).await.status, 204);
                    } else {
                        kept.push(id(&user));
                    }
                }
                kept
            })
        })
        .collect();
    let walk = tokio::spawn({
        let (app, is_done) = (one.clone(), is_done.clone());
        async move {
            let (mut users, mut recorded) = (Vec::new(), Vec::new());
            loop {
                // Read before the last round, so that it sees everything.
                let last = is_done.load(Ordering::SeqCst);
                let cursor = users.last().map(|id| format!("&cursor={id}")).unwrap_or_default();
                let page = app.get(&format!("/users?limit=7&sort=created_at{cursor}")).await.json();
                let listed = page["users"].as_array().expect("users");
                users.extend(listed.iter().map(id));
                let after = recorded.last().map(|change: &Value| id(change));
                let new = changes(&app, 9, after.as_deref()).await;
                let is_empty = listed.is_empty() && new.is_empty();
                recorded.extend(new);
                if last && is_empty {
                    return (users, recorded);
                }
            }
        }
    });
    let mut kept = Vec::new();
    for writer in writers {
        kept.extend(writer.await.expect("the writer succeeds"));
    }
    is_done.store(true, Ordering::SeqCst);
    let (users, recorded) = walk.await.expect("the walk succeeds");
    assert!(users.windows(2).all(|pair| pair[0] < pair[1]), "no user twice, in order");
    assert_eq!(
        kept.iter().filter(|id| !users.contains(id)).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "no user is missed"
    );
    let mut by_user: BTreeMap<String, Vec<(String, i64)>> = BTreeMap::new();
    for (kind, user, version) in facts(&recorded) {
        by_user.entry(user).or_default().push((kind, version));
    }
    assert_eq!(by_user.len(), WRITERS * USERS);
    for (user, facts) in by_user {
        let mut expected = vec![("created".to_owned(), 1), ("updated".to_owned(), 2)];
        if !kept.contains(&user) {
            expected.push(("deleted".to_owned(), 2));
        }
        assert_eq!(facts, expected);
    }
    first.stop().await;
    if let Some((_, server)) = other {
        server.stop().await;
    }
    storage.drop_database().await;
}

/// Changes older than the retention are removed in steps, but not the latest one.
async fn old_changes_are_removed(database: Database) {
    let Some(storage) = Storage::new(database).await else { return eprintln!("skipped: PostgreSQL is not installed") };
    let (_, server) = start(&storage, 0).await;
    server.stop().await;
    let day = 24 * 60 * 60 * 1_000_000_i64;
    let old = SystemClock.now().datetime().timestamp_micros() - 8 * day;
    let numbers = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 2500) ";
    match &storage {
        Storage::Sqlite(_) => {
            let insert = format!(
                "{numbers} INSERT INTO user_changes (at, type, user_id, version) SELECT {old} + n, 'updated', zeroblob(16), n FROM numbers"
            );
            let mut connection = sqlx::SqliteConnection::connect(&storage.url()).await.expect("a connection");
            sqlx::raw_sql(AssertSqlSafe(insert)).execute(&mut connection).await.expect("rows");
        }
        Storage::Postgres(_) => {
            let insert = format!(
                "{numbers} INSERT INTO user_changes (at, type, user_ids, versions) \
                 SELECT timestamptz 'epoch' + ({old} + n) * interval '1 microsecond', 'updated', ARRAY[gen_random_uuid()], ARRAY[n] FROM numbers"
            );
            let mut connection = sqlx::PgConnection::connect(&storage.url()).await.expect("a connection");
            sqlx::raw_sql(AssertSqlSafe(insert)).execute(&mut connection).await.expect("rows");
        }
    }
    let (app, server) = start(&storage, 0).await;
    let start = std::time::Instant::now();
    // One page: a walk can lose its position to the removal.
    while app.get("/users/changes").await.json()["changes"].as_array().map(Vec::len) != Some(1) {
        assert!(start.elapsed() < Duration::from_secs(20), "old changes are not removed");
    }
    let latest = changes(&app, 1000, None).await;
    assert_eq!(latest[0]["version"], 2500);
    // A client that has the latest change misses nothing, however old that is.
    assert_eq!(changes(&app, 1000, latest[0]["id"].as_str()).await, Vec::<Value>::new());
    server.stop().await;
    storage.drop_database().await;
}

/// Every user that statements of another program write is recorded, also if ids differ in the first half only.
async fn statements_of_another_program_are_recorded(database: Database) {
    const USERS: usize = 150;
    let Some(storage) = Storage::new(database).await else { return eprintln!("skipped: PostgreSQL is not installed") };
    let (app, server) = start(&storage, 0).await;
    let (id_and_time, delete) = match database {
        Database::Sqlite => {
            ("CAST(printf('%08d', n) || '-the end' AS BLOB), CAST(strftime('%s') AS INTEGER) * 1000000", "DELETE FROM")
        }
        Database::Postgres => ("CAST(lpad(to_hex(n), 16, '0') || repeat('8', 16) AS uuid), now()", "TRUNCATE"),
    };
    let sql = format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {USERS}), \
         rows (n, id, at) AS (SELECT n, {id_and_time} FROM numbers) \
         INSERT INTO users (id, name, email, email_key, version, created_at, updated_at) \
         SELECT id, n, n, n, 1, at, at FROM rows; \
         UPDATE users SET name = 'changed', version = 2; UPDATE users SET name = 'changed'; {delete} users"
    );
    match &storage {
        Storage::Sqlite(_) => {
            let mut connection = sqlx::SqliteConnection::connect(&storage.url()).await.expect("a connection");
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.expect("it succeeds");
        }
        Storage::Postgres(_) => {
            let mut connection = sqlx::PgConnection::connect(&storage.url()).await.expect("a connection");
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.expect("it succeeds");
        }
    }
    let all = changes(&app, 1000, None).await;
    assert_eq!(changes(&app, 7, None).await, all);
    assert!(all.windows(2).all(|pair| pair[0]["id"].as_str() < pair[1]["id"].as_str()));
    let mut by_user: BTreeMap<String, Vec<(String, i64)>> = BTreeMap::new();
    for (kind, user, version) in facts(&all) {
        by_user.entry(user).or_default().push((kind, version));
    }
    assert_eq!(by_user.len(), USERS);
    let expected = [("created", 1), ("updated", 2), ("deleted", 2)].map(|(kind, version)| (kind.to_owned(), version));
    assert!(by_user.values().all(|facts| *facts == expected), "{by_user:?}");
    server.stop().await;
    storage.drop_database().await;
}

macro_rules! on_both {
    ($($name:ident)*) => {$(
        mod $name {
            use crate::harness::coverage::RunningTest;

            fn running(database: &str) -> RunningTest {
                let (_, name) = module_path!().split_once("::").expect("a test is in a module");
                RunningTest::new(format!("{name}::{database}"))
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let _running = running("sqlite");
                super::$name(crate::harness::Database::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let _running = running("postgres");
                super::$name(crate::harness::Database::Postgres).await;
            }
        }
    )*};
}

on_both! {
    the_order_is_that_of_creation
    batches_are_in_order_after_the_clock_was_set_back
    old_changes_are_removed
    a_walk_during_writes_misses_nothing
    statements_of_another_program_are_recorded
}

/// A transaction that takes long holds back the later users and changes, which would otherwise be passed before it ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_in_flight_is_not_passed() {
    let Some(storage) = Storage::new(Database::Postgres).await else { return eprintln!("skipped: no PostgreSQL here") };
    let (app, server) = App::start(&storage, &[]).await;
    app.create_user("first").await;
    let insert = "INSERT INTO users SELECT uuid_v7(at, gen_random_uuid()), 'slow', 'slow@example.com', 'slow@example.com', 1, at, at \
                  FROM next_user_change() AS at";
    let Storage::Postgres(database) = &storage else { unreachable!("the storage is PostgreSQL") };
    let transaction = database.handle().begin(insert).await;
    app.create_user("last").await;
    assert_eq!(oldest_first(&app).await, ["first"]);
    assert_eq!(changes(&app, 10, None).await.len(), 1);
    // Newest first, a page has what is committed.
    assert_eq!(names(&app.get("/users").await.json()), ["last", "first"]);
    transaction.commit().await;
    let start = std::time::Instant::now();
    while oldest_first(&app).await.len() < 3 {
        assert!(start.elapsed() < Duration::from_secs(20));
    }
    assert_eq!(oldest_first(&app).await, ["first", "slow", "last"]);
    assert_eq!(changes(&app, 10, None).await.len(), 3);
    server.stop().await;
    storage.drop_database().await;
}
