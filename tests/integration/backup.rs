//! `web_server backup`, and what a server does with the copy.
#![expect(clippy::disallowed_methods, reason = "another process that reads the copy, not the server's own SQL")]

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use reqwest::Method;
use serde_json::json;
use sqlx::{Connection, SqliteConnection};
use tokio::task::JoinSet;

use crate::{
    harness::{App, Response, until::until},
    process::{Process, run, web_server},
};

const DATABASE: &str = "data/web_server.db";

fn back_up(folder: &Path, file: &str) -> Output {
    run(web_server(folder).args(["--log", "error", "backup", file]))
}

#[track_caller]
fn refused(output: &Output) -> String {
    let message = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!((output.status.code(), message.lines().count()), (Some(1), 1), "{message}");
    message
}

async fn create_with_key(app: &App, key: &str) -> Response {
    let user = json!({ "name": key, "email": format!("{key}@example.com") });
    app.request(Method::POST, "/users").header("idempotency-key", key).json(&user).send().await
}

fn path_of(response: &Response) -> String {
    format!("/users/{}", response.json()["id"].as_str().expect("an id"))
}

/// A copy that is made while the server writes is sound, and has everything that was acknowledged before.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_a_busy_database_is_complete_and_can_be_restored() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(web_server(folder.path())).await;
    let app = &process.app;
    let before = create_with_key(app, "before").await;
    assert_eq!(before.status, 201);

    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    let mut writers = JoinSet::new();
    for writer in 0..4 {
        let (app, acknowledged) = (app.clone(), acknowledged.clone());
        writers.spawn(async move {
            for number in 0.. {
                let user = app.create_user(&format!("w{writer}-{number}")).await;
                acknowledged.lock().unwrap().push(format!("/users/{}", user["id"].as_str().expect("an id")));
            }
        });
    }
    while acknowledged.lock().unwrap().len() < 200 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let expected = acknowledged.lock().unwrap().clone();
    let output = back_up(folder.path(), "copy.db");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(acknowledged.lock().unwrap().len() > expected.len(), "the server wrote meanwhile");
    writers.shutdown().await;

    let copy = folder.path().join("copy.db");
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    let mut names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["copy.db", "data"]);
    let mut connection = SqliteConnection::connect(&format!("sqlite://{}", copy.display())).await.unwrap();
    let check: String = sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut connection).await.unwrap();
    assert_eq!(check, "ok");
    connection.close().await.unwrap();

    // In the cache of the server, and in no copy.
    let after = create_with_key(app, "after").await;
    assert_eq!((after.status, app.get(&path_of(&after)).await.status), (201, 200));
    fs::rename(&copy, folder.path().join(DATABASE)).unwrap();
    app.until_healthy().await;
    for path in &expected {
        assert_eq!(app.get(path).await.status, 200, "{path}");
    }
    assert_eq!(app.get(&path_of(&after)).await.status, 404, "the cache is dropped");
    let retry = create_with_key(app, "before").await;
    assert_eq!((retry.status, retry.header("idempotency-replayed")), (201, Some("true")));
    assert_eq!(path_of(&retry), path_of(&before));
    let repeated = create_with_key(app, "after").await;
    assert_eq!((repeated.status, repeated.header("idempotency-replayed")), (201, None), "it was made again");
    assert_ne!(path_of(&repeated), path_of(&after));
}

/// Without a server, and after a crash, whose latest changes are in the `-wal` file only.
#[tokio::test]
async fn a_database_that_no_server_has_open_can_be_copied() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(web_server(folder.path())).await;
    let user = process.app.create_user("ada").await;
    process.signal("KILL");
    process.exit().await;
    assert!(folder.path().join(format!("{DATABASE}-wal")).exists());
    assert_eq!(back_up(folder.path(), "copy.db").status.code(), Some(0));
    let mut command = web_server(folder.path());
    command.env("DATABASE_URL", "sqlite://copy.db");
    let process = Process::start(command).await;
    assert_eq!(process.app.get(&format!("/users/{}", user["id"].as_str().unwrap())).await.json(), user);
}

#[tokio::test]
async fn a_copy_that_cannot_be_made_is_refused_with_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str| fs::write(folder.path().join(name), "kept").unwrap();
    assert!(refused(&back_up(folder.path(), "copy.db")).contains("the database does not exist"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    assert_eq!(run(web_server(folder.path()).args(["migrate", "--log", "off"])).status.code(), Some(0));
    write("file");
    std::os::unix::fs::symlink("nowhere", folder.path().join("link")).unwrap();
    assert!(refused(&back_up(folder.path(), "-")).contains("expected a path"));
    for name in ["file", "link", "data"] {
        assert!(refused(&back_up(folder.path(), name)).contains("exists: move it"), "{name}");
    }
    assert!(refused(&back_up(folder.path(), "no/copy.db")).contains("the folder does not exist"));
    write("copy.db.partial");
    assert!(
        refused(&back_up(folder.path(), "copy.db")).contains("copy.db.partial: File exists (os error 17); remove it")
    );
    for name in ["file", "copy.db.partial"] {
        assert_eq!(fs::read_to_string(folder.path().join(name)).unwrap(), "kept");
    }
    let postgres = "postgres://u:secret@127.0.0.1:1/x";
    let output = run(web_server(folder.path()).env("DATABASE_URL", postgres).args(["backup", "copy.db"]));
    let message = refused(&output);
    assert!(message.contains("use pg_dump") && message.contains("pg_basebackup"), "{message}");
}

#[tokio::test]
async fn a_copy_that_a_signal_ends_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(web_server(folder.path()).args(["migrate", "--log", "off"])).status.code(), Some(0));
    let mut database = SqliteConnection::connect(folder.path().join(DATABASE).to_str().unwrap()).await.unwrap();
    let large = "CREATE TABLE large AS SELECT randomblob(50000000)";
    sqlx::raw_sql(large).execute(&mut database).await.unwrap();
    database.close().await.unwrap();
    let partial = folder.path().join("copy.db.partial");
    let mut command = tokio::process::Command::from(web_server(folder.path()));
    let mut backup = command.args(["--log", "error", "backup", "copy.db"]).stderr(Stdio::null()).spawn().unwrap();
    until("the copy begins", async || partial.exists() || backup.try_wait().unwrap().is_some()).await;
    if let Some(id) = backup.id() {
        // Fails if the copy is complete already.
        Command::new("kill").args(["-s", "TERM", &id.to_string()]).status().unwrap();
    }
    backup.wait().await.unwrap();
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| name.to_string_lossy().contains("partial")), "{names:?}");
}

/// The limit of a file's size is as a full disk.
#[tokio::test]
async fn a_copy_without_space_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let users: Vec<_> = (0..2_000)
        .map(|number| {
            json!({ "name": format!("User {number}"), "email": format!("u{number}@example.com") }).to_string()
        })
        .collect();
    fs::write(folder.path().join("users"), users.join("\n")).unwrap();
    assert_eq!(run(web_server(folder.path()).args(["import", "users", "--log", "off"])).status.code(), Some(0));
    let mut limited = Command::new("sh");
    let script = "trap '' XFSZ; ulimit -f 128; exec \"$0\" --log off backup copy.db";
    limited.args(["-c", script, env!("CARGO_BIN_EXE_web_server")]).env_clear().current_dir(folder.path());
    let message = refused(&run(&mut limited));
    assert!(message.contains("cannot copy the database to copy.db.partial") && message.contains("bytes"), "{message}");
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| name.to_string_lossy().starts_with("copy")), "{names:?}");
    assert_eq!(back_up(folder.path(), "copy.db").status.code(), Some(0));
}
