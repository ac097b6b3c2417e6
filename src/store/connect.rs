//! Opening the database.

use std::{path::Path, sync::Arc, time::Duration};

use sqlx::{
    Connection, PgConnection,
    pool::PoolOptions,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{File, Losses, Pools, Store};
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
    let losses = Arc::new(Losses::new());
    let opened = match &config.target {
        DatabaseTarget::Sqlite(path) => open_sqlite(config, path).await,
        DatabaseTarget::Postgres(options) => {
            open_postgres(config, options, losses.clone()).await.map(|pools| (pools, None))
        }
    };
    match opened {
        Ok((pools, file)) => Ok(Store { pools, losses, file, source, target: config.target.clone(), gate: None }),
        Err(cause) => Err(ConnectError { target: config.target.to_string(), cause }),
    }
}

async fn open_sqlite(config: &DatabaseConfig, path: &Path) -> Result<(Pools, Option<Arc<File>>), String> {
    File::create(path)?;
    // WAL lets readers go on while the writer writes; synchronous=FULL makes a commit durable before it returns.
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(config.lock_timeout);
    // The writer opens first: it changes an empty file to WAL, which a reader may not.
    let writer = pool(config, SqlitePoolOptions::new()).max_connections(1).connect_with(options.clone()).await;
    let writer = writer.map_err(|error| error.to_string())?;
    let options = options.read_only(true);
    let probe = probe(SqlitePoolOptions::new()).connect_lazy_with(options.clone());
    let readers = pool(config, SqlitePoolOptions::new()).connect_with(options).await;
    let pools = Pools::Sqlite { readers: readers.map_err(|error| error.to_string())?, writer, probe };
    Ok((pools, Some(Arc::new(File::watch(path)?))))
}

async fn open_postgres(
    config: &DatabaseConfig,
    options: &PgConnectOptions,
    losses: Arc<Losses>,
) -> Result<Pools, String> {
    let milliseconds = |duration: Duration| duration.as_millis().to_string();
    let options = named(options).options([
        ("statement_timeout", milliseconds(config.statement_timeout)),
        ("lock_timeout", milliseconds(config.lock_timeout)),
        ("idle_in_transaction_session_timeout", milliseconds(config.idle_in_transaction_timeout)),
        // A write is acknowledged only once it is on disk, whatever the server's own default.
        ("synchronous_commit", "on".to_owned()),
    ]);
    // The pool hides why it cannot connect behind a time-out; a first connection of its own tells.
    let patience = config.acquire_timeout.max(Duration::from_secs(5));
    match tokio::time::timeout(patience, PgConnection::connect_with(&options)).await {
        Ok(Ok(connection)) => {
            // One that does not close properly is the server's to clean up.
            let _ = connection.close().await;
        }
        Ok(Err(error)) => return Err(error.to_string()),
        Err(_) => return Err(format!("no answer within {}", humantime::format_duration(patience))),
    }
    let probe = probe(PgPoolOptions::new()).connect_lazy_with(options.clone());
    let all = pool(config, PgPoolOptions::new()).before_acquire(move |_, connection| {
        let spare = losses.spare(connection.age);
        Box::pin(async move { Ok(spare) })
    });
    match all.connect_with(options).await {
        Ok(all) => Ok(Pools::Postgres { all, probe }),
        Err(error) => Err(error.to_string()),
    }
}

/// A connection without the time-outs of requests, for migrations.
pub(super) async fn unhurried(target: &DatabaseTarget) -> Result<PgConnection, sqlx::Error> {
    match target {
        DatabaseTarget::Postgres(options) => PgConnection::connect_with(&named(options)).await,
        DatabaseTarget::Sqlite(_) => Err(sqlx::Error::Configuration("SQLite is no PostgreSQL".into())),
    }
}

/// `web_server` in `pg_stat_activity`, unless the URL says otherwise. Notices, such as that a table is there already, are
/// of no concern to an operator.
fn named(options: &PgConnectOptions) -> PgConnectOptions {
    match options.get_application_name() {
        Some(_) => options.clone(),
        None => options.clone().application_name("web_server"),
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
