//! A write is acknowledged only after it is durable, and faults of the disk are 503: no acknowledged write is lost, and the
//! server recovers by itself.
#![expect(clippy::disallowed_methods, reason = "the settings of the test's own PostgreSQL")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use reqwest::Method;
use serde_json::json;
use sqlx::Connection;

use crate::{
    harness::{Database, Storage, until::until},
    process::{Process, run, web_server},
};

/// The server under strace, with these options. The process is the server: strace is not its parent. `None` if strace is not
/// installed or may not trace.
fn traced(folder: &Path, options: &[&str]) -> Option<Command> {
    let works = Command::new("strace").args(["-qq", "-D", "-o", "/dev/null", "true"]).status();
    if !works.is_ok_and(|status| status.success()) {
        eprintln!("skipped: strace cannot trace here (scripts/test installs it)");
        return None;
    }
    let mut command = Command::new("strace");
    command.env_clear().current_dir(folder).args(["-D", "-f", "-qq"]).args(options);
    command.arg(env!("CARGO_BIN_EXE_web_server"));
    Some(command)
}

/// Before the first byte of a response 201, the change is written to the `-wal` file, and a sync of it has completed.
#[tokio::test]
async fn a_create_is_acknowledged_after_a_sync() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let options =
        ["-y", "-s", "16", "-e", "trace=fdatasync,fsync,pwrite64,write,writev,sendto", "-o", trace.to_str().unwrap()];
    let Some(command) = traced(folder.path(), &options) else { return };
    let mut process = Process::start(command).await;
    for number in 0..20 {
        process.app.create_user(&format!("user{number}")).await;
    }
    process.signal("TERM");
    process.exit().await;

    let (mut is_written, mut is_synced, mut acknowledged) = (false, false, 0);
    let mut unfinished = std::collections::HashMap::new();
    // The last lines may still be in strace when the server has ended; the responses are not among them.
    for line in fs::read_to_string(&trace).unwrap().lines() {
        let (thread, call) = line.split_once(' ').expect("a thread and a call");
        let (call, is_complete) = (call.trim_start(), !line.ends_with("<unfinished ...>"));
        let begins = !call.starts_with("<...");
        if begins && call.contains("HTTP/1.1 201") {
            assert!(is_synced, "no completed sync before {line}");
            (is_written, is_synced) = (false, false);
            acknowledged += 1;
        }
        // The end of an interrupted call does not repeat the file.
        let of_wal =
            if begins { call.contains("web_server.db-wal>") } else { unfinished.remove(thread).unwrap_or(false) };
        if !is_complete {
            unfinished.insert(thread, of_wal);
        } else if of_wal && call.contains("pwrite64") {
            (is_written, is_synced) = (true, false);
        } else if of_wal && call.contains("sync") && call.ends_with("= 0") {
            is_synced = is_written;
        }
    }
    assert_eq!(acknowledged, 20);
}

/// Creates users until some were refused and then some more were created. Returns the paths of those that were acknowledged.
async fn create_through_faults(process: &Process, mut after_refusals: impl FnMut()) -> Vec<String> {
    let (mut paths, mut refused, mut recovered) = (Vec::new(), 0, 0);
    for number in 0..3_000 {
        let new = json!({ "name": "x".repeat(100), "email": format!("user{number}@example.com") });
        let response = process.app.post("/users", new).await;
        match response.status {
            201 => {
                paths.push(response.header("location").expect("a path").to_owned());
                recovered += u32::from(refused > 0);
            }
            503 => {
                refused += 1;
                if refused == 5 {
                    let status = process.app.get("/users").await.status;
                    assert!(matches!(status, 200 | 503), "{status}");
                    after_refusals();
                }
            }
            status => panic!("{status}: {}", response.text()),
        }
        if recovered == 20 {
            break;
        }
    }
    assert!(refused > 0 && recovered == 20, "{refused} refused, {recovered} created after that");
    paths
}

/// Kills the server, and asserts that every acknowledged user is there at the next start.
async fn assert_kept(mut process: Process, folder: &Path, paths: &[String]) {
    process.signal("KILL");
    process.exit().await;
    let process = Process::start(web_server(folder)).await;
    for path in paths {
        assert_eq!(process.app.get(path).await.status, 200, "{path} was acknowledged");
    }
}

/// The disk fails for some calls: for syncs and writes of commits, and for syncs around the first checkpoint, which is due
/// after about 400 commits.
#[tokio::test]
async fn an_error_of_the_disk_is_a_503_and_loses_no_acknowledged_write() {
    for (call, calls) in [("fsync", "20..40"), ("fsync", "380..480"), ("pwrite64", "200..240")] {
        let folder = tempfile::tempdir().unwrap();
        let fault = format!("inject={call}:error=EIO:when={calls}");
        let Some(command) = traced(folder.path(), &["-e", &format!("trace={call}"), "-e", &fault, "-o", "/dev/null"])
        else {
            return;
        };
        // The calls of migrations are not counted.
        assert!(run(web_server(folder.path()).arg("migrate")).status.success());
        let process = Process::start(command).await;
        let paths = create_through_faults(&process, || {}).await;
        assert_kept(process, folder.path(), &paths).await;
    }
}

/// A commit that cannot be synced may be found by the next process, so its outcome is unknown, also with an idempotency key.
#[tokio::test]
async fn a_commit_that_is_not_synced_has_an_unknown_outcome() {
    let folder = tempfile::tempdir().unwrap();
    let fault = "inject=fsync:error=EIO:when=40+";
    let Some(command) = traced(folder.path(), &["-e", "trace=fsync", "-e", fault, "-o", "/dev/null"]) else { return };
    let mut process = Process::start(command).await;
    let mut undone = Vec::new();
    let mut unknown = 0;
    for number in 0..100 {
        let request = process.app.request(Method::POST, "/users");
        let request =
            if number % 2 == 0 { request } else { request.header("idempotency-key", &format!("key-{number}")) };
        let user = json!({ "name": "Ada", "email": format!("user{number}@example.com") });
        let response = request.json(&user).send().await;
        match (response.status, &response.json()["outcome"]) {
            (201, _) => {}
            (503, outcome) if outcome == "unknown" => unknown += 1,
            (503, _) => undone.push(number),
            (status, _) => panic!("{status}: {}", response.text()),
        }
    }
    assert!(unknown > 1, "{undone:?}");
    process.signal("KILL");
    process.exit().await;
    let process = Process::start(web_server(folder.path())).await;
    for number in undone {
        let found = process.app.get(&format!("/users?email=user{number}@example.com")).await.json();
        assert_eq!(found["users"], json!([]), "nothing was changed");
    }
}

/// A small file system in memory for the data of a server, half of which is taken, until it is dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` if this user may not mount.
    fn mount(folder: &Path) -> Option<Self> {
        let data = folder.join("data");
        fs::create_dir(&data).unwrap();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs"]).arg(&data).output();
        if mounted.is_ok_and(|mounted| mounted.status.success()) {
            fs::write(data.join("filler"), vec![1; 1 << 20]).unwrap();
            Some(Self(data))
        } else {
            eprintln!("skipped: only root can mount a small disk");
            None
        }
    }

    fn make_space(&self) {
        fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Reads go on while the disk is full, and writes when there is space again.
#[tokio::test]
async fn a_full_disk_is_a_503_until_there_is_space() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(folder.path()) else { return };
    let process = Process::start(web_server(folder.path())).await;
    let paths = create_through_faults(&process, || disk.make_space()).await;
    assert_kept(process, folder.path(), &paths).await;
    drop(disk);
}

/// A COMMIT that fails ends its transaction, and the next one is possible.
#[tokio::test]
async fn a_server_recovers_from_a_transaction_that_could_not_commit() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(folder.path()) else { return };
    let process = Process::start(web_server(folder.path())).await;
    let create = async |number: u32| {
        let user = json!({ "name": "Ada", "email": format!("user{number}@example.com") });
        let request = process.app.request(Method::POST, "/users").json(&user);
        request.header("idempotency-key", &format!("key-{number}")).send().await.status
    };
    let mut number = 0;
    while create(number).await == 201 {
        number += 1;
    }
    disk.make_space();
    until("transactions are possible again", async || create(number).await == 201).await;
    assert_eq!(process.app.get("/health/ready").await.status, 200);
    drop(process);
    drop(disk);
}

/// PostgreSQL without `fsync` can lose what it has acknowledged: the server warns. Clusters for tests often run like that.
#[tokio::test]
async fn a_postgres_that_is_not_durable_is_a_warning() {
    let Some(storage) = Storage::new(Database::Postgres).await else { return eprintln!("skipped: no PostgreSQL here") };
    let mut connection = sqlx::PgConnection::connect(&storage.url()).await.unwrap();
    let mut off = Vec::new();
    for name in ["fsync", "full_page_writes"] {
        let setting: String =
            sqlx::query_scalar("SELECT current_setting($1)").bind(name).fetch_one(&mut connection).await.unwrap();
        if setting == "off" {
            off.push(name);
        }
    }
    connection.close().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut command = web_server(folder.path());
    command.env("DATABASE_URL", storage.url());
    let process = Process::start(command).await;
    let log = process.log.lock().unwrap().join("\n");
    let warning = log.lines().find(|line| line.contains("PostgreSQL is not durable"));
    assert_eq!(warning.is_some(), !off.is_empty(), "{log}");
    // The server turns `synchronous_commit` on for its own sessions.
    assert!(warning.is_none_or(|line| line.contains(&format!("\"{}\"", off.join(", ")))), "{warning:?}");
    drop(process);
    storage.drop_database().await;
}
