//! A PostgreSQL database for each test: in the cluster at `TEST_POSTGRES_URL`, or in a throwaway cluster that stops with this
//! process. With `TEST_POOLER_URL`, the server under test uses a pooler in front of that cluster (`scripts/scaling-test`).

#![expect(clippy::disallowed_methods, reason = "the tests have settings and databases of their own")]

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    str::FromStr,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU32, Ordering},
    },
};

use clap::Parser;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};
use tokio::sync::OnceCell;
use web_server::{cli::Cli, clock::SystemClock, config::Config, ids::UuidV7Generator, storage};

/// The cluster, and the script that runs it. The script stops it at the end of its standard input, so also if this process is
/// killed.
pub struct Cluster {
    pub url: String,
    _script: Option<Child>,
}

/// The exit code of the script if PostgreSQL is not installed.
const NOT_INSTALLED: i32 = 3;

static CLUSTER: LazyLock<Option<Cluster>> = LazyLock::new(|| match environment("TEST_POSTGRES_URL") {
    Ok(url) => Some(Cluster { url, _script: None }),
    Err(_) => Cluster::start(&[]),
});

impl Cluster {
    /// Starts a cluster by the script. `None` if PostgreSQL is not installed and the tests may run without it.
    pub fn start(options: &[&str]) -> Option<Self> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/throwaway-postgres");
        let mut child = Command::new(script)
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("scripts/throwaway-postgres runs");
        let mut url = String::new();
        let stdout = child.stdout.take().expect("its standard output is piped");
        BufReader::new(stdout).read_line(&mut url).expect("it prints a line");
        if url.trim().is_empty() {
            let exit = child.wait().expect("it ends");
            assert_eq!(exit.code(), Some(NOT_INSTALLED), "the throwaway cluster did not start");
            assert!(
                environment("REQUIRE_POSTGRES").is_err(),
                "PostgreSQL is not installed, and REQUIRE_POSTGRES is set"
            );
            return None;
        }
        Some(Self { url: url.trim().to_owned(), _script: Some(child) })
    }
}

/// Tests copy this migrated database: 70 ms instead of 300.
static TEMPLATE: OnceCell<String> = OnceCell::const_new();

static COUNT: AtomicU32 = AtomicU32::new(0);

pub struct TestDatabase {
    pub url: String,
    name: String,
}

impl TestDatabase {
    /// `None` if PostgreSQL is not installed and the tests may run without it.
    pub async fn create() -> Option<Self> {
        let cluster = CLUSTER.as_ref()?;
        let template = TEMPLATE.get_or_init(|| make_template(cluster)).await;
        let name = format!("{template}_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        execute(cluster, format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        let url = environment("TEST_POOLER_URL").map_or_else(|_| database_url(cluster, &name), |url| at(&url, &name));
        Some(Self { url, name })
    }

    /// Whether PostgreSQL is available.
    pub fn available() -> bool {
        CLUSTER.is_some()
    }

    /// A handle to disturb the database while a server uses it.
    #[allow(dead_code, reason = "one of the two test binaries does not need it")]
    pub fn handle(&self) -> Handle {
        Handle { url: self.url.clone(), name: self.name.clone() }
    }

    /// Terminates every connection to the database and drops it.
    pub async fn drop(self) {
        if let Some(cluster) = CLUSTER.as_ref() {
            execute(cluster, format!("DROP DATABASE {} WITH (FORCE)", self.name)).await;
        }
    }
}

/// A database to disturb.
#[allow(dead_code, reason = "one of the two test binaries does not need it")]
pub struct Handle {
    url: String,
    name: String,
}

#[allow(dead_code, reason = "as above")]
impl Handle {
    /// Makes the database unavailable or available: terminates and refuses connections, as if the server were lost.
    pub async fn allow_connections(&self, allowed: bool) {
        let Some(cluster) = CLUSTER.as_ref() else { return };
        execute(cluster, format!("ALTER DATABASE {} ALLOW_CONNECTIONS {allowed}", self.name)).await;
        if !allowed {
            let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname";
            execute(cluster, format!("{end} = '{}'", self.name)).await;
        }
    }

    /// Locks a table exclusively, until the lock is released.
    pub async fn lock_table(&self, table: &str) -> Lock {
        self.begin(&format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")).await
    }

    /// Executes statements in a transaction that is rolled back when the lock is released.
    pub async fn begin(&self, statements: &str) -> Lock {
        let options = PgConnectOptions::from_str(&self.url).expect("the database's URL").disable_statement_logging();
        let mut connection = PgConnection::connect_with(&options).await.expect("the database responds");
        let statements = format!("BEGIN; {statements}");
        sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut connection).await.expect("the statements succeed");
        Lock(connection)
    }
}

/// A transaction that holds a lock.
#[allow(dead_code, reason = "as above")]
pub struct Lock(PgConnection);

#[allow(dead_code, reason = "as above")]
impl Lock {
    pub async fn commit(mut self) {
        sqlx::raw_sql("COMMIT").execute(&mut self.0).await.expect("the transaction commits");
        self.release().await;
    }

    pub async fn release(self) {
        self.0.close().await.expect("the connection closes");
    }
}

/// Creates a migrated database. Its collation is American English, as is common in production: a column that must sort by
/// bytes and lacks the collation fails a test.
async fn make_template(cluster: &Cluster) -> String {
    let name = format!("template_{}", std::process::id());
    let locale = "LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LOCALE 'C' ENCODING 'UTF8'";
    execute(cluster, format!("DROP DATABASE IF EXISTS {name}")).await;
    execute(cluster, format!("CREATE DATABASE {name} TEMPLATE template0 {locale}")).await;

    let cli =
        Cli::try_parse_from(["web_server", "--database-url", &database_url(cluster, &name)]).expect("known flags");
    let config = Config::validate(&cli.settings).expect("a valid URL");
    let clock = Arc::new(SystemClock);
    let ids = Arc::new(UuidV7Generator::new(clock.clone()));
    let store = storage::connect(&config, clock, ids).await.expect("the template opens");
    store.migrate().await.expect("the template migrates");
    store.close().await;
    name
}

fn database_url(cluster: &Cluster, name: &str) -> String {
    at(&cluster.url, name)
}

/// Whether `TEST_POOLER_URL` is of a pooler in transaction mode, which a server uses without migrations and cache.
pub fn shares_sessions() -> bool {
    environment("TEST_POOLER_MODE").is_ok_and(|mode| mode == "transaction")
}

/// The URL of another database of a server.
fn at(url: &str, name: &str) -> String {
    let (server, _) = url.rsplit_once('/').expect("the URL names a database");
    format!("{server}/{name}")
}

async fn execute(cluster: &Cluster, sql: String) {
    let options = PgConnectOptions::from_str(&cluster.url).expect("the cluster's URL").disable_statement_logging();
    let mut connection = PgConnection::connect_with(&options).await.expect("the cluster responds");
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.expect("the statement works");
    connection.close().await.expect("the connection closes");
}

fn environment(name: &str) -> Result<String, std::env::VarError> {
    std::env::var(name)
}
