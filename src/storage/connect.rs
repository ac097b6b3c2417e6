//! Opens the database.

use std::{path::Path, sync::Arc, time::Duration};

use api::users::User;
use sqlx::{
    Connection, PgConnection,
    pool::PoolOptions,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{
    cache::Cache,
    coherence,
    pools::Pools,
    sqlite_file::SqliteFile,
    stale_connections::StaleConnections,
    store::{PING_TIMEOUT, Store},
};
use crate::{
    clock::Clock,
    config::{DatabaseConfig, DatabaseTarget},
    ids::IdGenerator,
};

/// The default size of the cache of users on SQLite: about 150,000 users.
const DEFAULT_CACHE_BYTES: u64 = 64 << 20;

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
/// The file cannot be created or opened, or the server does not respond within the acquire timeout, at least 5 s.
pub async fn connect(
    config: &DatabaseConfig,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
) -> Result<Store, ConnectError> {
    let stale_connections = Arc::new(StaleConnections::new());
    let target = config.database_url.clone();
    let opened = match &target {
        DatabaseTarget::Sqlite(path) => open_sqlite(config, path).await,
        DatabaseTarget::Postgres(options) => {
            open_postgres(config, options, stale_connections.clone()).await.map(|pools| (pools, None))
        }
    };
    match opened {
        Ok((pools, file)) => {
            let user_cache = user_cache(config, &pools);
            Ok(Store { pools, stale_connections, file, clock, ids, target, user_cache, faults: None })
        }
        Err(cause) => Err(ConnectError { target: target.to_string(), cause }),
    }
}

/// Returns the cache of users, if it is enabled, and starts to observe the writes of other processes.
fn user_cache(config: &DatabaseConfig, pools: &Pools) -> Option<Arc<Cache<User>>> {
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
        Pools::Postgres { listener, .. } => {
            tokio::spawn(coherence::follow_notifications(listener.clone(), "users_changed", cache.clone()));
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
    // The writer opens first: it switches an empty file to WAL, which a read-only connection cannot do.
    let writer = pool(config, SqlitePoolOptions::new()).max_connections(1).connect_with(options.clone()).await;
    let writer = writer.map_err(|error| error.to_string())?;
    let options = options.read_only(true);
    let probe = probe(SqlitePoolOptions::new()).connect_lazy_with(options.clone());
    let readers = pool(config, SqlitePoolOptions::new()).connect_with(options).await;
    let pools = Pools::Sqlite { readers: readers.map_err(|error| error.to_string())?, writer, probe };
    Ok((pools, Some(Arc::new(SqliteFile::open(path)?))))
}

async fn open_postgres(
    config: &DatabaseConfig,
    options: &PgConnectOptions,
    stale_connections: Arc<StaleConnections>,
) -> Result<Pools, String> {
    let milliseconds = |duration: Duration| duration.as_millis().to_string();
    let options = named(options).options([
        ("statement_timeout", milliseconds(config.database_statement_timeout)),
        ("lock_timeout", milliseconds(config.database_lock_timeout)),
        ("idle_in_transaction_session_timeout", milliseconds(config.database_idle_in_transaction_timeout)),
        // A write is acknowledged only after it is durable, whatever the default of the PostgreSQL server.
        ("synchronous_commit", "on".to_owned()),
    ]);
    // A pool reports only a timeout if it cannot connect. A single connection reports the cause.
    let timeout = config.database_acquire_timeout.max(Duration::from_secs(5));
    match tokio::time::timeout(timeout, PgConnection::connect_with(&options)).await {
        Ok(Ok(connection)) => {
            // If this fails, the server closes the connection.
            let _ = connection.close().await;
        }
        Ok(Err(error)) => return Err(error.to_string()),
        Err(_) => return Err(format!("no response within {}", humantime::format_duration(timeout))),
    }
    let listener = PgPoolOptions::new().max_connections(1).connect_lazy_with(options.clone());
    let probe = probe(PgPoolOptions::new()).connect_lazy_with(options.clone());
    let all = pool(config, PgPoolOptions::new()).before_acquire(move |_, connection| {
        let is_usable = stale_connections.is_usable(connection.age);
        Box::pin(async move { Ok(is_usable) })
    });
    match all.connect_with(options).await {
        Ok(all) => Ok(Pools::Postgres { all, probe, listener }),
        Err(error) => Err(error.to_string()),
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
