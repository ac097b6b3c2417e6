//! A PostgreSQL database for each test: from the cluster at `TEST_POSTGRES_URL`, or from a throwaway cluster that dies
//! with this process.

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

/// The cluster, and what keeps it alive: the script stops it when its standard input ends, however this process ends.
struct Cluster {
    url: String,
    _script: Option<Child>,
}

/// How the script ends where there is no PostgreSQL.
const NOT_INSTALLED: i32 = 3;

static CLUSTER: LazyLock<Option<Cluster>> = LazyLock::new(|| {
    if let Ok(url) = environment("TEST_POSTGRES_URL") {
        return Some(Cluster { url, _script: None });
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/throwaway-postgres");
    let mut child = Command::new(script)
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
        assert!(environment("REQUIRE_POSTGRES").is_err(), "there is no PostgreSQL, and REQUIRE_POSTGRES is set");
        return None;
    }
    Some(Cluster { url: url.trim().to_owned(), _script: Some(child) })
});

/// Tests copy this database rather than migrate each its own: 70 ms instead of 300.
static TEMPLATE: OnceCell<String> = OnceCell::const_new();

static COUNT: AtomicU32 = AtomicU32::new(0);

pub struct TestDatabase {
    pub url: String,
    name: String,
}

impl TestDatabase {
    /// `None` if there is no PostgreSQL here and the tests may do without.
    pub async fn create() -> Option<Self> {
        let cluster = CLUSTER.as_ref()?;
        let template = TEMPLATE.get_or_init(|| make_template(cluster)).await;
        let name = format!("{template}_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        execute(cluster, format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        Some(Self { url: database_url(cluster, &name), name })
    }

    /// Whether there is a PostgreSQL here.
    pub fn available() -> bool {
        CLUSTER.is_some()
    }

    /// For those who meddle with it while a server uses it.
    #[allow(dead_code, reason = "one of the two test binaries does not need it")]
    pub fn handle(&self) -> Handle {
        Handle { url: self.url.clone(), name: self.name.clone() }
    }

    /// Ends every connection to it, then removes it.
    pub async fn drop(self) {
        if let Some(cluster) = CLUSTER.as_ref() {
            execute(cluster, format!("DROP DATABASE {} WITH (FORCE)", self.name)).await;
        }
    }
}

/// A database, to be meddled with.
#[allow(dead_code, reason = "one of the two test binaries does not need it")]
pub struct Handle {
    url: String,
    name: String,
}

#[allow(dead_code, reason = "as above")]
impl Handle {
    /// Lets the database go away, and come back: connections are ended and refused, as when a server is lost.
    pub async fn allow_connections(&self, allowed: bool) {
        let Some(cluster) = CLUSTER.as_ref() else { return };
        execute(cluster, format!("ALTER DATABASE {} ALLOW_CONNECTIONS {allowed}", self.name)).await;
        if !allowed {
            let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname";
            execute(cluster, format!("{end} = '{}'", self.name)).await;
        }
    }

    /// Locks a table against everything, until the lock is released.
    pub async fn lock_table(&self, table: &str) -> Lock {
        let options = PgConnectOptions::from_str(&self.url).expect("the database's URL").disable_statement_logging();
        let mut connection = PgConnection::connect_with(&options).await.expect("the database answers");
        let lock = format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE");
        sqlx::raw_sql(AssertSqlSafe(lock)).execute(&mut connection).await.expect("the table is locked");
        Lock(connection)
    }
}

/// A transaction that holds a lock.
#[allow(dead_code, reason = "as above")]
pub struct Lock(PgConnection);

#[allow(dead_code, reason = "as above")]
impl Lock {
    pub async fn release(self) {
        self.0.close().await.expect("the connection closes");
    }
}

/// A migrated database. It sorts by the rules of American English, as many do in production: a column that must sort by
/// bytes and does not say so is found out.
async fn make_template(cluster: &Cluster) -> String {
    let name = format!("template_{}", std::process::id());
    let locale = "LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LOCALE 'C' ENCODING 'UTF8'";
    execute(cluster, format!("DROP DATABASE IF EXISTS {name}")).await;
    execute(cluster, format!("CREATE DATABASE {name} TEMPLATE template0 {locale}")).await;

    let cli =
        Cli::try_parse_from(["web_server", "--database-url", &database_url(cluster, &name)]).expect("known flags");
    let config = Config::validate(&cli.settings).expect("a valid URL").database;
    let clock = Arc::new(SystemClock);
    let ids = Arc::new(UuidV7Generator::new(clock.clone()));
    let store = storage::connect(&config, clock, ids).await.expect("the template opens");
    store.migrate().await.expect("the template migrates");
    store.close().await;
    name
}

fn database_url(cluster: &Cluster, name: &str) -> String {
    let (server, _) = cluster.url.rsplit_once('/').expect("the URL names a database");
    format!("{server}/{name}")
}

async fn execute(cluster: &Cluster, sql: String) {
    let options = PgConnectOptions::from_str(&cluster.url).expect("the cluster's URL").disable_statement_logging();
    let mut connection = PgConnection::connect_with(&options).await.expect("the cluster answers");
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.expect("the statement works");
    connection.close().await.expect("the connection closes");
}

fn environment(name: &str) -> Result<String, std::env::VarError> {
    std::env::var(name)
}
