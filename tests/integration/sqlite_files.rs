//! The files of an SQLite database are removed, replaced or truncated under the server: every response is 503 until the
//! database is open again, no acknowledged write is lost, and the new file stays sound.
#![expect(clippy::disallowed_methods, reason = "other processes that use the file, not the server's own SQL")]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use sqlx::{ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

use crate::{
    harness::{App, until::until},
    process::{Process, run, web_server},
};

/// A server on an SQLite file in a folder of its own.
struct Server {
    folder: TempDir,
    process: Process,
}

impl Server {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let process = Process::start(web_server(folder.path())).await;
        Self { folder, process }
    }

    async fn restart(mut self) -> Self {
        self.kill().await;
        let process = Process::start(web_server(self.folder.path())).await;
        Self { process, ..self }
    }

    async fn kill(&mut self) {
        self.process.signal("KILL");
        self.process.exit().await;
    }

    fn file(&self, suffix: &str) -> PathBuf {
        self.folder.path().join(format!("data/web_server.db{suffix}"))
    }

    fn app(&self) -> &App {
        &self.process.app
    }

    /// Creates a user and returns its path.
    async fn create(&self, name: &str) -> String {
        format!("/users/{}", self.app().create_user(name).await["id"].as_str().expect("an id"))
    }

    /// The lines of the log with a message that starts with this text, once there is one.
    async fn logged(&self, message: &str) -> Vec<Value> {
        let mut found = Vec::new();
        until("the line is logged", async || {
            let log = self.process.log.lock().unwrap().clone();
            let lines = log.iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
            let is_searched = |line: &Value| line["message"].as_str().is_some_and(|text| text.starts_with(message));
            found = lines.filter(is_searched).collect();
            !found.is_empty()
        })
        .await;
        found
    }

    /// Stops the server, and asserts that the file alone is sound and has exactly these users.
    async fn assert_users(mut self, names: &[&str]) {
        self.process.signal("TERM");
        assert_eq!(self.process.exit().await.code(), Some(0));
        assert!(!self.file("-wal").exists() && !self.file("-id").exists(), "a stop leaves only the database");
        assert_eq!(users_of(&self.file("")).await, names);
    }
}

async fn connect(file: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(file).connect().await.expect("the file opens")
}

/// The names in a file, which must be sound. Other files next to it are ignored.
async fn users_of(file: &Path) -> Vec<String> {
    let options = SqliteConnectOptions::new().filename(file).immutable(true).read_only(true);
    let mut connection = options.connect().await.expect("the file opens");
    let check: String = sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut connection).await.unwrap();
    assert_eq!(check, "ok");
    sqlx::query_scalar("SELECT name FROM users ORDER BY name").fetch_all(&mut connection).await.unwrap()
}

/// Writes a backup as `sqlite3 web_server.db "VACUUM INTO 'backup.db'"` does.
async fn back_up(server: &Server) -> PathBuf {
    let backup = server.file("-backup");
    let mut connection = connect(&server.file("")).await;
    let statement = sqlx::AssertSqlSafe(format!("VACUUM INTO '{}'", backup.display()));
    sqlx::query(statement).execute(&mut connection).await.expect("a backup");
    connection.close().await.unwrap();
    backup
}

/// The statuses of requests that write, read a page, and read a user that is in the cache.
async fn statuses(app: &App, cached: &str) -> [u16; 3] {
    let new = json!({ "name": "refused", "email": "refused@example.com" });
    let write = app.post("/users", new).await.status;
    [write, app.get("/users").await.status, app.get(cached).await.status]
}

const CHANGED: &str = "the SQLite files were changed under the server";

/// The removed file is complete, and can be copied while the server has it open.
#[tokio::test]
async fn a_removed_file_is_a_503_and_can_be_rescued() {
    let server = Server::start().await;
    let ada = server.create("ada").await;
    server.app().get(&ada).await;
    fs::remove_file(server.file("")).unwrap();
    assert_eq!(statuses(server.app(), &ada).await, [503; 3]);
    assert_eq!(server.app().get("/health/live").await.status, 200);
    // Readiness reuses a result for a quarter of a second.
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(server.app().get("/health/ready").await.status, 503);
    let lines = server.logged(CHANGED).await;
    assert_eq!(lines.len(), 1);
    assert_eq!(
        (&lines[0]["change"], &lines[0]["all_changes_saved"]),
        (&json!("the SQLite file was removed"), &json!(true))
    );

    let mut links = fs::read_dir(format!("/proc/{}/fd", server.process.id())).unwrap().map(|link| link.unwrap().path());
    let is_removed =
        |link: &PathBuf| fs::read_link(link).is_ok_and(|to| to.to_string_lossy().ends_with("web_server.db (deleted)"));
    let open = links.find(is_removed).expect("the server has the file open");
    fs::copy(open, server.file("-copy")).unwrap();
    assert_eq!(statuses(server.app(), &ada).await, [503; 3]);
    fs::rename(server.file("-copy"), server.file("")).unwrap();
    server.app().until_healthy().await;
    assert_eq!(server.app().get(&ada).await.status, 200);
    server.create("bob").await;
    server.assert_users(&["ada", "bob"]).await;
}

/// A restore by `mv` under the server. The old `-wal` file is not applied to the new file, and the old file is complete.
#[tokio::test]
async fn a_file_that_is_replaced_by_a_backup_stays_sound() {
    let server = Server::start().await;
    let ada = server.create("ada").await;
    let backup = back_up(&server).await;
    let bob = server.create("bob").await;
    server.app().get(&bob).await;
    let kept = server.file("-kept");
    fs::rename(server.file(""), &kept).unwrap();
    fs::rename(backup, server.file("")).unwrap();
    assert_eq!(statuses(server.app(), &bob).await, [503; 3]);
    server.app().until_healthy().await;
    assert_eq!(server.app().get(&ada).await.status, 200);
    assert_eq!(server.app().get(&bob).await.status, 404, "the backup is older");
    assert_eq!(users_of(&kept).await, ["ada", "bob"]);
    assert!(server.file("-wal.aside-1").exists());
    server.create("eve").await;
    server.restart().await.assert_users(&["ada", "eve"]).await;
}

/// A file that is moved away and back is opened again.
#[tokio::test]
async fn a_file_that_is_moved_back_is_opened_again() {
    let server = Server::start().await;
    let ada = server.create("ada").await;
    fs::rename(server.file(""), server.file("-kept")).unwrap();
    assert_eq!(statuses(server.app(), &ada).await, [503; 3]);
    fs::rename(server.file("-kept"), server.file("")).unwrap();
    server.app().until_healthy().await;
    assert_eq!(server.app().get(&ada).await.status, 200);
    server.assert_users(&["ada"]).await;
}

/// A file that is not a database is not opened, nor changed.
#[tokio::test]
async fn a_file_that_is_not_sound_is_not_opened() {
    let server = Server::start().await;
    let ada = server.create("ada").await;
    let backup = back_up(&server).await;
    let text = "these are notes and no database\n".repeat(200);
    fs::write(server.file("-notes"), &text).unwrap();
    fs::rename(server.file("-notes"), server.file("")).unwrap();
    assert_eq!(statuses(server.app(), &ada).await, [503; 3]);
    let lines = server.logged("the SQLite file is not sound").await;
    assert!(lines[0]["cause"].as_str().unwrap().contains("not a database"), "{lines:?}");
    assert_eq!(fs::read_to_string(server.file("")).unwrap(), text);
    fs::rename(backup, server.file("")).unwrap();
    server.app().until_healthy().await;
    server.assert_users(&["ada"]).await;
}

/// The database is replaced after the server was killed, when only the record can show that the `-wal` file is foreign.
#[tokio::test]
async fn a_foreign_wal_file_is_not_applied_at_start() {
    let mut server = Server::start().await;
    server.create("ada").await;
    let backup = back_up(&server).await;
    server.create("bob").await;
    server.kill().await;
    assert!(fs::metadata(server.file("-wal")).unwrap().len() > 0);
    // The backup gets a new inode, which can have the number of the removed one.
    fs::remove_file(server.file("")).unwrap();
    fs::copy(backup, server.file("")).unwrap();
    server.process = Process::start(web_server(server.folder.path())).await;
    server.logged("set aside a file").await;
    server.assert_users(&["ada"]).await;
}

/// A copy of the folder of a killed server has every acknowledged write.
#[tokio::test]
async fn a_copied_folder_keeps_its_wal_file() {
    let mut server = Server::start().await;
    server.create("ada").await;
    server.kill().await;
    let copy = tempfile::tempdir().unwrap();
    fs::create_dir(copy.path().join("data")).unwrap();
    for entry in fs::read_dir(server.folder.path().join("data")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.path().join("data").join(entry.file_name())).unwrap();
    }
    let process = Process::start(web_server(copy.path())).await;
    Server { folder: copy, process }.assert_users(&["ada"]).await;
}

/// SQLite would remove the `-wal` file, and the server would serve an empty database.
#[tokio::test]
async fn a_start_without_the_database_of_a_wal_file_is_refused() {
    let mut server = Server::start().await;
    server.create("ada").await;
    server.kill().await;
    let kept = server.file("-kept");
    fs::rename(server.file(""), &kept).unwrap();
    for is_empty in [false, true] {
        if is_empty {
            fs::write(server.file(""), "").unwrap();
        }
        let output = run(web_server(server.folder.path()).args(["--log", "off"]));
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), message.lines().count()), (Some(1), 1), "{message}");
        assert!(message.contains("web_server.db-wal has changes of it"), "{message}");
    }
    fs::rename(kept, server.file("")).unwrap();
    server.process = Process::start(web_server(server.folder.path())).await;
    server.assert_users(&["ada"]).await;
}

/// Removes or changes a file while clients write: nothing but 201 and 503, and every acknowledged user is there after a kill.
async fn loses_no_acknowledged_create(change: impl FnOnce(&Server)) {
    let server = Server::start().await;
    let done = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..4)
        .map(|client| {
            let (app, done) = (server.app().clone(), done.clone());
            tokio::spawn(async move {
                let (mut created, mut refused) = (Vec::new(), 0);
                for number in 0.. {
                    let email = format!("user{client}-{number}@example.com");
                    let response = app.post("/users", json!({ "name": "Ada", "email": email })).await;
                    match response.status {
                        201 => created.push(response.header("location").expect("a path").to_owned()),
                        503 => refused += 1,
                        status => panic!("{status}: {}", response.text()),
                    }
                    if done.load(Ordering::SeqCst) {
                        break;
                    }
                }
                (created, refused)
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    change(&server);
    assert_eq!(server.logged(CHANGED).await[0]["all_changes_saved"], true);
    server.app().until_healthy().await;
    server.create("later").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    done.store(true, Ordering::SeqCst);
    let (mut paths, mut refused) = (Vec::new(), 0);
    for client in clients {
        let (created, failed) = client.await.expect("no response but 201 and 503");
        paths.extend(created);
        refused += failed;
    }
    assert!(refused > 0 && paths.len() > 4, "{refused} {}", paths.len());
    let server = server.restart().await;
    for path in paths {
        assert_eq!(server.app().get(&path).await.status, 200, "{path} was acknowledged");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removed_wal_file_loses_no_acknowledged_create() {
    loses_no_acknowledged_create(|server| fs::remove_file(server.file("-wal")).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removed_shm_file_loses_no_acknowledged_create() {
    loses_no_acknowledged_create(|server| fs::remove_file(server.file("-shm")).unwrap()).await;
}

/// The `-wal` file is replaced by another one, which is kept under another name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replaced_wal_file_loses_no_acknowledged_create() {
    loses_no_acknowledged_create(|server| {
        fs::write(server.file("-new"), "not a log").unwrap();
        fs::rename(server.file("-new"), server.file("-wal")).unwrap();
    })
    .await;
}

/// Without requests in flight: a truncated file that is mapped into memory kills the process that uses it at that moment.
#[tokio::test]
async fn a_truncated_shm_file_loses_nothing() {
    for len in [0, 100] {
        let server = Server::start().await;
        let ada = server.create("ada").await;
        // The upkeep writes at start.
        let upkeep_pauses = async || server.app().get("/metrics").await.text().contains("\"idempotency.remove\"");
        until("the upkeep pauses", upkeep_pauses).await;
        fs::OpenOptions::new().write(true).open(server.file("-shm")).unwrap().set_len(len).unwrap();
        assert_eq!(statuses(server.app(), &ada).await, [503; 3]);
        assert_eq!(server.logged(CHANGED).await[0]["all_changes_saved"], true);
        server.app().until_healthy().await;
        server.restart().await.assert_users(&["ada"]).await;
    }
}

/// What is left of the file is not applied: the database keeps the state that it had at the last checkpoint.
#[tokio::test]
async fn a_truncated_wal_file_leaves_a_sound_database() {
    for divisor in [u64::MAX, 2] {
        let server = Server::start().await;
        let mut connection = connect(&server.file("")).await;
        let ada = server.create("ada").await;
        sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        for number in 0..50 {
            server.create(&format!("bob{number}")).await;
        }
        let wal = fs::OpenOptions::new().write(true).open(server.file("-wal")).unwrap();
        wal.set_len(wal.metadata().unwrap().len() / divisor).unwrap();
        assert_eq!(statuses(server.app(), &ada).await, [503; 3]);
        let lines = server.logged(CHANGED).await;
        assert_eq!((lines.len(), &lines[0]["all_changes_saved"]), (1, &json!(false)));
        server.app().until_healthy().await;
        assert_eq!(server.app().get(&ada).await.status, 200);
        server.assert_users(&["ada"]).await;
    }
}

/// It has the same inode, but is not the database any more.
#[tokio::test]
async fn an_emptied_file_is_a_503_until_a_backup_is_there() {
    let server = Server::start().await;
    let ada = server.create("ada").await;
    let backup = back_up(&server).await;
    fs::write(server.file(""), "").unwrap();
    assert_eq!(statuses(server.app(), &ada).await, [503; 3]);
    server.logged(CHANGED).await;
    fs::rename(backup, server.file("")).unwrap();
    server.app().until_healthy().await;
    server.assert_users(&["ada"]).await;
}

/// Another process may move the changes to the database file and truncate the `-wal` file.
#[tokio::test]
async fn a_checkpoint_by_another_process_is_no_fault() {
    let server = Server::start().await;
    let mut connection = connect(&server.file("")).await;
    for round in 0..5 {
        let user = server.create(&format!("user{round}")).await;
        let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
        let (is_blocked, ..): (bool, i64, i64) = sqlx::query_as(checkpoint).fetch_one(&mut connection).await.unwrap();
        assert!(!is_blocked && fs::metadata(server.file("-wal")).unwrap().len() == 0);
        assert_eq!(statuses(server.app(), &user).await[1..], [200; 2]);
        assert_eq!(server.app().patch(&user, json!({ "name": format!("user {round}") })).await.status, 200);
    }
    assert!(!server.process.log.lock().unwrap().iter().any(|line| line.contains(CHANGED)));
}
