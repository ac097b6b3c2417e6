//! The real binary, started and stopped as an operator does.

use std::{
    path::Path,
    process::{Command, ExitStatus, Output, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::harness::{App, Database, Storage, client, until::until};

/// The binary, in a folder and an environment with nothing but what the test adds.
pub fn web_server(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_web_server"));
    command.env_clear().env("EXAMPLE_DATA", "off").current_dir(folder).stdin(Stdio::null());
    command
}

/// Runs it to its end.
pub fn run(command: &mut Command) -> Output {
    command.output().expect("the binary runs")
}

/// A running server process. It is killed if the test fails.
pub struct Process {
    pub app: App,
    /// The log so far.
    pub log: Arc<Mutex<Vec<String>>>,
    child: tokio::process::Child,
    /// Reads the log to its end.
    reader: tokio::task::JoinHandle<()>,
}

impl Process {
    pub async fn start(mut command: Command) -> Self {
        // Variables of the test take precedence.
        let said: Vec<_> = command.get_envs().map(|(name, _)| name.to_owned()).collect();
        let defaults =
            [("LISTEN_ADDR", "127.0.0.1:0"), ("LOG_FORMAT", "json"), ("REQUEST_TIMEOUT", "30s"), ("RATE_LIMIT", "off")];
        command.envs(defaults.into_iter().filter(|(name, _)| !said.iter().any(|said| said == name)));
        command.stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = tokio::process::Command::from(command).kill_on_drop(true).spawn().expect("the binary starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a piped log")).lines();
        let mut log = Vec::new();
        let base = loop {
            log.push(lines.next_line().await.expect("a log in UTF-8").expect("the server logs its address"));
            let line = &log[log.len() - 1];
            let url = match serde_json::from_str::<serde_json::Value>(line) {
                Ok(json) if json["message"] == "listening" => json["url"].as_str().map(str::to_owned),
                Ok(_) => None,
                Err(_) => line.split_once(" listening url=").map(|(_, url)| url.to_owned()),
            };
            if let Some(url) = url {
                break url;
            }
        };
        let log = Arc::new(Mutex::new(log));
        let kept = log.clone();
        let reader = tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                kept.lock().unwrap().push(line);
            }
        });
        Self { app: App::at(base, client()), log, child, reader }
    }

    pub fn id(&self) -> u32 {
        self.child.id().expect("the server runs")
    }

    pub fn signal(&self, name: &str) {
        let kill = Command::new("kill").args(["-s", name, &self.id().to_string()]).status().expect("kill runs");
        assert!(kill.success());
    }

    /// The number of lines of the log so far that contain every one of these texts.
    pub fn logged(&self, texts: &[&str]) -> usize {
        self.log.lock().unwrap().iter().filter(|line| texts.iter().all(|text| line.contains(text))).count()
    }

    /// Waits until so many lines contain every one of these texts, and checks that there are no more.
    pub async fn is_logged(&self, texts: &[&str], times: usize) {
        until(&format!("the log has {texts:?} {times} times"), async || self.logged(texts) >= times).await;
        assert_eq!(self.logged(texts), times, "{texts:?}");
    }

    /// Waits until there is such a line.
    pub async fn until_logged(&self, texts: &[&str]) {
        until(&format!("the log has {texts:?}"), async || self.logged(texts) > 0).await;
    }

    /// Waits for the end of the process, and of its log.
    pub async fn exit(&mut self) -> ExitStatus {
        let exit = async {
            let status = self.child.wait().await.expect("it can be waited for");
            if !self.reader.is_finished() {
                (&mut self.reader).await.expect("the log is read");
            }
            status
        };
        tokio::time::timeout(Duration::from_secs(30), exit).await.expect("the server stops")
    }
}

/// A user that was created exists after a restart, on both databases.
async fn survives_a_restart(database: Database) {
    let Some(storage) = Storage::new(database).await else { return eprintln!("skipped: PostgreSQL is not installed") };
    let folder = tempfile::tempdir().unwrap();
    let command = || {
        let mut command = web_server(folder.path());
        command.env("DATABASE_URL", storage.url());
        command
    };
    let mut process = Process::start(command()).await;
    let user = process.app.create_user("ada").await;
    process.signal("TERM");
    assert_eq!(process.exit().await.code(), Some(0));

    let mut process = Process::start(command()).await;
    let read = process.app.get(&format!("/users/{}", user["id"].as_str().unwrap())).await;
    assert_eq!((read.status, read.json()), (200, user));
    process.signal("INT");
    assert_eq!(process.exit().await.code(), Some(0));
    storage.drop_database().await;
}

mod a_user_survives_a_restart {
    use super::*;

    #[tokio::test]
    async fn sqlite() {
        survives_a_restart(Database::Sqlite).await;
    }

    #[tokio::test]
    async fn postgres() {
        survives_a_restart(Database::Postgres).await;
    }
}

/// An acknowledged write is in the file even after SIGKILL.
#[tokio::test]
async fn a_user_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(web_server(folder.path())).await;
    let user = process.app.create_user("ada").await;
    process.signal("KILL");
    process.exit().await;
    let process = Process::start(web_server(folder.path())).await;
    assert_eq!(process.app.get(&format!("/users/{}", user["id"].as_str().unwrap())).await.status, 200);
}

/// By default the data is in `data/web_server.db`, whose folder is created.
#[tokio::test]
async fn the_default_database_is_created() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(web_server(folder.path())).await;
    process.app.create_user("ada").await;
    process.signal("TERM");
    assert_eq!(process.exit().await.code(), Some(0));
    assert!(folder.path().join("data/web_server.db").is_file());
}

/// Two processes can start on one database at once: one migrates, the other waits.
#[tokio::test]
async fn two_instances_share_one_postgres() {
    let Some(storage) = Storage::new(Database::Postgres).await else { return eprintln!("skipped: no PostgreSQL here") };
    let folder = tempfile::tempdir().unwrap();
    let command = || {
        let mut command = web_server(folder.path());
        command.env("DATABASE_URL", storage.url());
        command
    };
    let (one, two) = tokio::join!(Process::start(command()), Process::start(command()));
    let user = one.app.create_user("ada").await;
    let path = format!("/users/{}", user["id"].as_str().unwrap());
    assert_eq!(two.app.patch(&path, json!({ "name": "Ada King" })).await.status, 200);
    assert_eq!(one.app.get(&path).await.json()["name"], "Ada King");
    drop((one, two));
    storage.drop_database().await;
}

/// A request in flight completes after the signal; a new connection is refused.
#[tokio::test]
async fn a_request_in_flight_completes_before_the_stop() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(web_server(folder.path())).await;
    let address = process.app.base.strip_prefix("http://").unwrap().to_owned();
    let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
    let body = br#"{"name":"Ada","email":"ada@example.com"}"#;
    let head = format!(
        "POST /users HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&body[..10]).await.unwrap();
    // The server has received the half-sent request when it reports two in flight.
    let begun = async {
        // One of the two is the request for the metrics.
        while !process.app.get("/metrics").await.text().contains("http_requests_in_flight 2") {}
    };
    tokio::time::timeout(Duration::from_secs(10), begun).await.expect("the request is in the server");
    process.signal("TERM");
    while tokio::net::TcpStream::connect(&address).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    stream.write_all(&body[10..]).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    assert!(response.starts_with("HTTP/1.1 201 "), "{response}");
    assert_eq!(process.exit().await.code(), Some(0));
}

/// A write that SQLite cannot make is not acknowledged: after a full disk, every user that was created with 201 exists, and every
/// change with 200 is made.
#[tokio::test]
async fn a_full_disk_loses_no_acknowledged_write() {
    let folder = tempfile::tempdir().unwrap();
    let environment = || web_server(folder.path());
    // Files are limited to 1 MB, and the signal at the limit is ignored, since a full disk sends none.
    let limited = {
        let mut command = Command::new("sh");
        command.env_clear().current_dir(folder.path()).stdin(Stdio::null());
        command.args(["-c", "trap '' XFSZ; ulimit -f 2048; exec \"$0\"", env!("CARGO_BIN_EXE_web_server")]);
        command
    };
    let mut process = Process::start(limited).await;
    let mut names = std::collections::BTreeMap::new();
    let mut refused = 0;
    for number in 0..3_000 {
        let long = format!("{number:04}{}", "x".repeat(96));
        let new = json!({ "name": long, "email": format!("user{number}@example.com") });
        let response = process.app.post("/users", new).await;
        match response.status {
            201 => {
                let path = response.header("location").unwrap().to_owned();
                let changed = process.app.patch(&path, json!({ "name": format!("{number}") })).await;
                names.insert(path, if changed.status == 200 { format!("{number}") } else { long });
            }
            503 => refused += 1,
            status => panic!("{status}"),
        }
        if refused == 20 {
            break;
        }
    }
    assert!(refused == 20 && names.len() > 20, "{refused} refused, {} kept", names.len());
    process.signal("KILL");
    process.exit().await;

    let process = Process::start(environment()).await;
    for (path, name) in names {
        let read = process.app.get(&path).await;
        assert_eq!((read.status, &read.json()["name"]), (200, &json!(name)), "{path}");
    }
}
