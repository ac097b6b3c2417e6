//! Opening the database.

use std::{path::Path, sync::Arc};

use sqlx::{
    pool::PoolOptions,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{Pools, Store};
use crate::{
    config::{DatabaseConfig, DatabaseTarget},
    source::Source,
};

/// Why the database cannot be used; one line, without a password.
#[derive(Debug, thiserror::Error)]
#[error("the database ({target}) cannot be opened: {cause}")]
pub struct ConnectError {
    target: String,
    cause: String,
}

/// Opens the database, and makes the file and its folder if it is SQLite and they are not there.
///
/// # Errors
/// The file cannot be made or opened, or the server cannot be reached within the acquire timeout.
pub async fn connect(config: &DatabaseConfig, source: Arc<dyn Source>) -> Result<Store, ConnectError> {
    let pools = match &config.target {
        DatabaseTarget::Sqlite(path) => open_sqlite(config, path).await,
        DatabaseTarget::Postgres(options) => open_postgres(config, options).await,
    };
    match pools {
        Ok(pools) => Ok(Store { pools, source, target: config.target.clone() }),
        Err(cause) => Err(ConnectError { target: config.target.to_string(), cause }),
    }
}

async fn open_sqlite(config: &DatabaseConfig, path: &Path) -> Result<Pools, String> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    // WAL lets readers go on while the writer writes; synchronous=FULL makes a commit durable before it returns.
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(config.lock_timeout);
    // The writer opens first: it makes the file.
    let writer = pool(config, SqlitePoolOptions::new()).max_connections(1).connect_with(options.clone()).await;
    let writer = writer.map_err(|error| error.to_string())?;
    let options = options.read_only(true);
    let probe = probe(SqlitePoolOptions::new()).connect_lazy_with(options.clone());
    let readers = pool(config, SqlitePoolOptions::new()).connect_with(options).await;
    Ok(Pools::Sqlite { readers: readers.map_err(|error| error.to_string())?, writer, probe })
}

async fn open_postgres(config: &DatabaseConfig, options: &PgConnectOptions) -> Result<Pools, String> {
    let milliseconds = |duration: std::time::Duration| duration.as_millis().to_string();
    let options = options.clone().application_name("web_server").options([
        ("statement_timeout", milliseconds(config.statement_timeout)),
        ("lock_timeout", milliseconds(config.lock_timeout)),
        ("idle_in_transaction_session_timeout", milliseconds(config.idle_in_transaction_timeout)),
        // A write is acknowledged only once it is on disk, whatever the server's own default.
        ("synchronous_commit", "on".to_owned()),
    ]);
    // The pool hides why it cannot connect behind a time-out; a first connection of its own tells.
    let first = <sqlx::PgConnection as sqlx::Connection>::connect_with(&options);
    match tokio::time::timeout(config.acquire_timeout.max(std::time::Duration::from_secs(5)), first).await {
        Ok(Ok(connection)) => {
            // A connection that does not close properly is the server's to clean up.
            let _ = sqlx::Connection::close(connection).await;
        }
        Ok(Err(error)) => return Err(error.to_string()),
        Err(_) => return Err("no answer within 5 s".to_owned()),
    }
    let probe = probe(PgPoolOptions::new()).connect_lazy_with(options.clone());
    match pool(config, PgPoolOptions::new()).connect_with(options).await {
        Ok(all) => Ok(Pools::Postgres { all, probe }),
        Err(error) => Err(error.to_string()),
    }
}

/// The one connection that [`Store::ping`] asks on.
fn probe<DB: sqlx::Database>(options: PoolOptions<DB>) -> PoolOptions<DB> {
    options.max_connections(1).acquire_timeout(super::PING_TIMEOUT).test_before_acquire(false)
}

fn pool<DB: sqlx::Database>(config: &DatabaseConfig, options: PoolOptions<DB>) -> PoolOptions<DB> {
    options
        .max_connections(config.max_connections)
        .acquire_timeout(config.acquire_timeout)
        // A ping before every use costs a round trip; a connection that broke is found by the statement itself.
        .test_before_acquire(false)
}
