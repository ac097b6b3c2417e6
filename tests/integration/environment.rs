//! Commands of the real binary on a database of either kind.
#![expect(clippy::disallowed_methods, reason = "statements of other clients of the database, not the server's own SQL")]

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Child, ChildStdin, Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use sqlx::Connection;

use crate::{
    harness::{Database, Storage},
    process::{run, web_server},
};

/// Declares tests that run on both databases.
macro_rules! on_both {
    ($( $(#[$doc:meta])* async fn $name:ident($environment:ident: Environment) $body:block )*) => {$(
        $(#[$doc])*
        mod $name {
            #[allow(unused_imports, reason = "not every test needs what its file imports")]
            use super::*;

            async fn body($environment: &$crate::environment::Environment) $body

            async fn on(database: Database) {
                let Some(environment) = Environment::new(database).await else { return eprintln!("skipped: no PostgreSQL here") };
                body(&environment).await;
                environment.storage.drop_database().await;
            }

            #[tokio::test]
            async fn sqlite() {
                on(Database::Sqlite).await;
            }

            #[tokio::test]
            async fn postgres() {
                on(Database::Postgres).await;
            }
        }
    )*};
}
pub(crate) use on_both;

/// A database, and a folder in which the commands run.
pub struct Environment {
    pub storage: Storage,
    folder: tempfile::TempDir,
}

impl Environment {
    pub async fn new(database: Database) -> Option<Self> {
        Some(Self { storage: Storage::new(database).await?, folder: tempfile::tempdir().unwrap() })
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = web_server(self.path());
        command.env("DATABASE_URL", self.storage.url()).args(["--log", "error"]).args(arguments);
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Outcome {
        Outcome::of(&run(&mut self.command(arguments)))
    }

    /// Runs the command with a file as standard input.
    pub fn run_on(&self, input: &str, arguments: &[&str]) -> Outcome {
        let input = fs::File::open(self.path().join(input)).unwrap();
        Outcome::of(&run(self.command(arguments).stdin(input)))
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path().join(name), content).unwrap();
    }

    /// The JSON objects of a file with one per line.
    pub fn read(&self, name: &str) -> Vec<Value> {
        parse(&fs::read_to_string(self.path().join(name)).unwrap())
    }

    /// Starts an import of standard input, and returns after the first chunk: 2,000 users.
    pub async fn start_import(&self) -> (Child, ChildStdin) {
        let mut command = self.command(&["import", "-"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        for number in 0..2_000 {
            writeln!(input, "{}", new_user(number)).unwrap();
        }
        let start = Instant::now();
        while !self.run(&["export"]).stdout.contains("User 1999") {
            assert!(start.elapsed() < Duration::from_secs(30), "the first chunk is not imported");
        }
        (child, input)
    }

    pub fn export(&self) -> String {
        let outcome = self.run(&["export"]);
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        assert_eq!(outcome.stderr, format!("exported {} users\n", outcome.stdout.lines().count()));
        outcome.stdout
    }
}

/// A connection of another client.
pub enum Client {
    Sqlite(sqlx::SqliteConnection),
    Postgres(sqlx::PgConnection),
}

impl Client {
    pub async fn connect(storage: &Storage) -> Self {
        match storage.database() {
            Database::Sqlite => Self::Sqlite(sqlx::SqliteConnection::connect(&storage.url()).await.unwrap()),
            Database::Postgres => Self::Postgres(sqlx::PgConnection::connect(&storage.url()).await.unwrap()),
        }
    }

    pub async fn execute(&mut self, statements: &'static str) {
        match self {
            Self::Sqlite(connection) => sqlx::raw_sql(statements).execute(connection).await.map(drop).unwrap(),
            Self::Postgres(connection) => sqlx::raw_sql(statements).execute(connection).await.map(drop).unwrap(),
        }
    }
}

/// The number of connections that other clients have to this database of PostgreSQL.
pub async fn other_connections(client: &mut sqlx::PgConnection) -> i64 {
    // A transaction sees what it saw first.
    sqlx::query("SELECT pg_stat_clear_snapshot()").execute(&mut *client).await.unwrap();
    let query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    sqlx::query_scalar(query).fetch_one(client).await.unwrap()
}

#[derive(Debug)]
pub struct Outcome {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    pub fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }
}

pub fn parse(ndjson: &str) -> Vec<Value> {
    ndjson.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub fn new_user(number: usize) -> String {
    json!({ "name": format!("User {number}"), "email": format!("user{number}@example.com") }).to_string()
}
