//! The migrations of a filled database of the previous version, which goes on writing meanwhile.
#![expect(clippy::disallowed_methods, reason = "acts as the previous version")]

use std::{fs, path::Path, time::Duration};

use sqlx::{Connection, PgConnection, migrate::Migrator};

use crate::{
    environment::Environment,
    harness::{App, Database, Storage},
};

/// The last migration of the previous version.
const PREVIOUS: &str = "20261125000001";

/// The statement with which the previous version creates users, and its parameters.
const CREATE: &str = "INSERT INTO users (id, name, email, email_key, version, created_at, updated_at) \
                      VALUES ($1, $2, $3, $3, 1, $4, $4)";

/// Statements that it has prepared before the migration, and uses again after it.
const READ: &str = "SELECT id, name, email, version, created_at, updated_at FROM users WHERE id = $1";
const UPDATE: &str =
    "UPDATE users SET version = version WHERE id = $1 RETURNING id, name, email, version, created_at, updated_at";

/// A migration in a checkout with CRLF.
static CRLF: Migrator = sqlx::migrate!("tests/fixtures/crlf");

/// Two ids of the previous version, before every new one.
const FIRST: [u8; 16] = [1; 16];
const SECOND: [u8; 16] = [1, 2, 3, 4, 5, 6, 0x70, 8, 0x80, 10, 11, 12, 13, 14, 15, 16];

/// The migrations of the previous version.
async fn previous_migrations(database: &str) -> Migrator {
    let folder = tempfile::tempdir().expect("a folder");
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(database);
    for file in fs::read_dir(all).expect("the migrations") {
        let file = file.expect("a file");
        let name = file.file_name().into_string().expect("a name");
        if *name <= *format!("{PREVIOUS}~") {
            fs::copy(file.path(), folder.path().join(name)).expect("it copies");
        }
    }
    let migrator = Migrator::new(folder.path()).await.expect("migrations");
    assert_eq!(migrator.iter().count(), 2);
    migrator
}

/// What both databases must have after the start: the users of before and after it, and a change for each of the latter.
async fn assert_migrated(storage: &Storage, previous: impl AsyncFnOnce()) {
    let (app, server) = App::start(storage, &[]).await;
    previous().await;
    app.create_user("new").await;
    let names = |list: serde_json::Value| -> Vec<String> {
        let users = list["users"].as_array().expect("users").iter();
        users.map(|user| user["name"].as_str().expect("a name").to_owned()).collect()
    };
    assert_eq!(names(app.get("/users?sort=created_at").await.json()), ["Ada", "ada", "new"]);
    assert_eq!(names(app.get("/users?name_prefix=AD").await.json()), ["ada", "Ada"]);
    let changes = app.get("/users/changes").await.json();
    assert_eq!(changes["changes"].as_array().map(Vec::len), Some(2), "{changes}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite() {
    let storage = Storage::new(Database::Sqlite).await.expect("SQLite");
    let url = format!("{}?mode=rwc", storage.url());
    let mut connection = sqlx::SqliteConnection::connect(&url).await.expect("a connection");
    previous_migrations("sqlite").await.run(&mut connection).await.expect("it migrates");
    let (before, after) = (1_795_000_000_000_000_i64, 1_795_000_000_000_001_i64);
    let create = sqlx::query(CREATE).bind(&FIRST[..]).bind("Ada").bind("ada@example.com").bind(before);
    create.execute(&mut connection).await.expect("a user");
    for statement in [READ, UPDATE] {
        sqlx::query(statement).bind(&FIRST[..]).fetch_all(&mut connection).await.expect("a user");
    }
    assert_migrated(&storage, async || {
        for statement in [READ, UPDATE] {
            let users = sqlx::query(statement).bind(&FIRST[..]).fetch_all(&mut connection).await;
            assert_eq!(users.expect("the statement is still valid").len(), 1);
        }
        let create = sqlx::query(CREATE).bind(&SECOND[..]).bind("ada").bind("ada@example.org").bind(after);
        create.execute(&mut connection).await.expect("a user");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres() {
    let Some(storage) = Storage::new(Database::Postgres).await else { return eprintln!("skipped: no PostgreSQL here") };
    let mut connection = sqlx::PgConnection::connect(&storage.url()).await.expect("a connection");
    let empty = "DROP SCHEMA public CASCADE; CREATE SCHEMA public";
    sqlx::raw_sql(empty).execute(&mut connection).await.expect("the database is empty");
    previous_migrations("postgres").await.run(&mut connection).await.expect("it migrates");
    let time = chrono::DateTime::from_timestamp_micros(1_795_000_000_000_000).expect("a time");
    let (first, second) = (uuid::Uuid::from_bytes(FIRST), uuid::Uuid::from_bytes(SECOND));
    let create = sqlx::query(CREATE).bind(first).bind("Ada").bind("ada@example.com").bind(time);
    create.execute(&mut connection).await.expect("a user");
    for statement in [READ, UPDATE] {
        sqlx::query(statement).bind(first).fetch_all(&mut connection).await.expect("a user");
    }
    assert_migrated(&storage, async || {
        for statement in [READ, UPDATE] {
            let users = sqlx::query(statement).bind(first).fetch_all(&mut connection).await;
            assert_eq!(users.expect("the statement is still valid").len(), 1);
        }
        let create = sqlx::query(CREATE).bind(second).bind("ada").bind("ada@example.org").bind(time);
        create.execute(&mut connection).await.expect("a user");
    })
    .await;
    storage.drop_database().await;
}

/// A server that is built from a checkout with CRLF accepts the database of a server that is built from one with LF.
#[tokio::test]
async fn the_line_ends_of_a_migration_are_not_part_of_its_checksum() {
    let with_crlf = CRLF.iter().next().expect("a migration");
    assert!(with_crlf.sql.as_str().contains("\r\n"), "git applied .gitattributes");
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("1_table.sql"), with_crlf.sql.as_str().replace('\r', "")).expect("it is written");
    let with_lf = Migrator::new(folder.path()).await.expect("migrations");
    assert_eq!(with_lf.iter().next().expect("a migration").checksum, with_crlf.checksum);
}

/// A migration that creates an index while others write is interrupted: the next start creates it again.
#[tokio::test]
async fn an_interrupted_index_is_created_again() {
    let Some(environment) = Environment::new(Database::Postgres).await else {
        return eprintln!("skipped: no PostgreSQL here");
    };
    let url = environment.storage.url();
    let mut previous = PgConnection::connect(&url).await.unwrap();
    sqlx::raw_sql("DROP INDEX users_name; DELETE FROM _sqlx_migrations WHERE version = 20261126000002")
        .execute(&mut previous)
        .await
        .unwrap();
    // The index cannot be completed while there is an older snapshot.
    let mut other = PgConnection::connect(&url).await.unwrap();
    sqlx::raw_sql("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT txid_current()").execute(&mut other).await.unwrap();
    let mut child = environment.command(&["migrate"]).spawn().unwrap();
    let is_invalid =
        "SELECT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('users_name') AND NOT indisvalid)";
    while !sqlx::query_scalar::<_, bool>(is_invalid).fetch_one(&mut previous).await.unwrap() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    let outcome = environment.run(&["migrate"]);
    assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""));
    assert!(!sqlx::query_scalar::<_, bool>(is_invalid).fetch_one(&mut previous).await.unwrap());
    environment.storage.drop_database().await;
}
