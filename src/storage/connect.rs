//! Opens the database.

use std::{path::Path, sync::Arc, time::Duration};

use api::{representation::Representation, users::User};
use sqlx::{
    Connection, PgConnection,
    pool::PoolOptions,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use tokio::{sync::Semaphore, time::Instant};

use super::{
    cache::Cache,
    coherence, error,
    pools::Pools,
    postgres_pool::{PostgresPool, RESPONSE_MARGIN},
    sqlite_file::SqliteFile,
    store::{PING_TIMEOUT, Store},
};
use crate::{
    clock::Clock,
    config::{DatabaseConfig, DatabaseTarget},
    ids::IdGenerator,
};

/// The default size of the cache of users on SQLite: about 150,000 users.
const DEFAULT_CACHE_BYTES: u64 = 64 << 20;

/// The longest pause between two attempts to connect at start.
const MAX_RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Why the database cannot be opened, in one line without a password.
#[derive(Debug, thiserror::Error)]
#[error("cannot open the database ({target}): {cause}")]
pub struct ConnectError {
    target: String,
    cause: String,
}

/// Opens the database. On SQLite, creates the file and its folder if they do not exist.
///
/// # Errors
/// The file cannot be created or opened, or the server is not available within the startup timeout, or
/// rejects the connection for a cause that waiting does not change, such as a wrong password.
pub async fn connect(
    config: &DatabaseConfig,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
) -> Result<Store, ConnectError> {
    let target = config.database_url.clone();
    let opened = match &target {
        DatabaseTarget::Sqlite(path) => open_sqlite(config, path).await,
        DatabaseTarget::Postgres(options) => open_postgres(config, options).await.map(|pools| (pools, None)),
    };
    match opened {
        Ok((pools, file)) => {
            let user_cache = user_cache(config, &pools);
            let connections = usize::try_from(config.database_max_connections).unwrap_or(usize::MAX);
            let permits_beside_lanes = Arc::new(Semaphore::new((connections / 2).max(1)));
            let user_changes_retention = config.user_changes_retention;
            Ok(Store {
                pools,
                file,
                clock,
                ids,
                target,
                user_cache,
                user_changes_retention,
                permits_beside_lanes,
                faults: None,
            })
        }
        Err(cause) => Err(ConnectError { target: target.to_string(), cause }),
    }
}

/// Returns the cache of users, if it is enabled, and starts to observe the writes of other processes.
fn user_cache(config: &DatabaseConfig, pools: &Pools) -> Option<Arc<Cache<Representation<User>>>> {
    let default = match pools {
        // One process has the file.
        Pools::Sqlite { .. } => DEFAULT_CACHE_BYTES,
        // Several instances may share the database, and each change costs a notification to all of them.
        Pools::Postgres { .. } => 0,
    };
    let max_bytes = config.user_cache_bytes.unwrap_or(default);
    let cache = (max_bytes > 0).then(|| Arc::new(Cache::new("users", max_bytes)))?;
    match pools {
        Pools::Sqlite { writer, .. } => {
            tokio::spawn(coherence::follow_other_writers(writer.clone(), cache.clone()));
        }
        Pools::Postgres { all, .. } => {
            let pool = all.inner().clone();
            tokio::spawn(coherence::follow_notifications(pool, coherence::USERS, cache.clone()));
        }
    }
    Some(cache)
}

async fn open_sqlite(config: &DatabaseConfig, path: &Path) -> Result<(Pools, Option<Arc<SqliteFile>>), String> {
    SqliteFile::create(path)?;
    // With WAL, reads and writes run at the same time. With synchronous=FULL, a commit is durable before it returns.
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(config.database_lock_timeout);
    // The writer opens first: it switches an empty file to WAL, which a read-only connection cannot do. It stays open: the
    // number of commits that it reads for the cache counts from when it opened.
    let writer = pool(config, SqlitePoolOptions::new()).max_connections(1).max_lifetime(None).idle_timeout(None);
    let writer = writer.connect_with(options.clone()).await;
    let writer = writer.map_err(|error| error.to_string())?;
    let options = options.read_only(true);
    let probe = probe(SqlitePoolOptions::new()).connect_lazy_with(options.clone());
    let readers = pool(config, SqlitePoolOptions::new()).connect_with(options).await;
    let pools = Pools::Sqlite { readers: readers.map_err(|error| error.to_string())?, writer, probe };
    Ok((pools, Some(Arc::new(SqliteFile::open(path)?))))
}

async fn open_postgres(config: &DatabaseConfig, options: &PgConnectOptions) -> Result<Pools, String> {
    let milliseconds = |duration: Duration| duration.as_millis().to_string();
    let options = named(options).options([
        ("statement_timeout", milliseconds(config.database_statement_timeout)),
        ("lock_timeout", milliseconds(config.database_lock_timeout)),
        ("idle_in_transaction_session_timeout", milliseconds(config.database_idle_in_transaction_timeout)),
        // A write is acknowledged only after it is durable, whatever the default of the PostgreSQL server.
        ("synchronous_commit", "on".to_owned()),
        // Every statement finds its rows by an index. Before the first ANALYZE of a table that has grown, the plan of a
        // prepared statement would scan it.
        ("enable_seqscan", "off".to_owned()),
        // A bitmap has no order: the plan of a page would read every row of the range, and sort them.
        ("enable_bitmapscan", "off".to_owned()),
    ]);
    wait_for_postgres(config, &options).await?;
    let probe = PostgresPool::new(probe(PgPoolOptions::new()), options.clone(), PING_TIMEOUT);
    let deadline = config.database_statement_timeout + RESPONSE_MARGIN;
    let all = PostgresPool::new(pool(config, PgPoolOptions::new()), options, deadline);
    Ok(Pools::Postgres { all, probe })
}

/// Connects once, and tries again while the server is not available yet. A pool would report only a timeout; a single
/// connection reports the cause.
async fn wait_for_postgres(config: &DatabaseConfig, options: &PgConnectOptions) -> Result<(), String> {
    let end = Instant::now() + config.database_startup_timeout;
    let mut pause = Duration::from_millis(100);
    loop {
        let attempt = config.database_acquire_timeout.max(Duration::from_secs(5));
        let attempt = attempt.min(end.saturating_duration_since(Instant::now()));
        let cause = match tokio::time::timeout(attempt, PgConnection::connect_with(options)).await {
            Ok(Ok(connection)) => {
                // If this fails, the server closes the connection.
                let _ = connection.close().await;
                return Ok(());
            }
            Ok(Err(error)) if !error::is_not_available_yet(&error) => return Err(error.to_string()),
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no response within {}", humantime::format_duration(attempt)),
        };
        if Instant::now() + pause >= end {
            return Err(cause);
        }
        tracing::warn!(cause, retry_in = ?pause, "the database is not available yet");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(MAX_RETRY_PAUSE);
    }
}

/// Opens a connection without the timeouts for requests, for migrations.
pub(super) async fn without_timeouts(target: &DatabaseTarget) -> Result<PgConnection, sqlx::Error> {
    match target {
        DatabaseTarget::Postgres(options) => PgConnection::connect_with(&named(options)).await,
        DatabaseTarget::Sqlite(_) => Err(sqlx::Error::Configuration("not a PostgreSQL database".into())),
    }
}

/// Sets the name in `pg_stat_activity`, unless the URL sets one.
fn named(options: &PgConnectOptions) -> PgConnectOptions {
    match options.get_application_name() {
        Some(_) => options.clone(),
        None => options.clone().application_name("web_server"),
    }
}

/// The pool with the connection that is reserved for [`Store::ping`].
fn probe<DB: sqlx::Database>(options: PoolOptions<DB>) -> PoolOptions<DB> {
    options.max_connections(1).acquire_timeout(PING_TIMEOUT).test_before_acquire(false)
}

fn pool<DB: sqlx::Database>(config: &DatabaseConfig, options: PoolOptions<DB>) -> PoolOptions<DB> {
    options
        .max_connections(config.database_max_connections)
        .acquire_timeout(config.database_acquire_timeout)
        // A test before every use would cost a round trip. The statement itself detects a broken connection.
        .test_before_acquire(false)
}
