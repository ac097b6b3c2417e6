//! The connections to an SQLite database, and the check before every statement that its files are still at their paths.
//!
//! After a change of the files, every statement fails at once until `sqlite_recovery.rs` has opened the database again.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use api::{representation::Representation, users::User};
use metrics::Histogram;
use sqlx::{
    Connection, Sqlite, SqliteConnection, SqlitePool,
    error::DatabaseError,
    pool::PoolConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{
    cache::Cache,
    error::unconfirmed,
    error_kind::message,
    pool_options,
    sqlite_files::{self, Change, SqliteFiles},
};
use crate::{config::Config, telemetry::metrics::pool_wait};

/// How many writing connections were opened.
static WRITERS: AtomicU64 = AtomicU64::new(0);

/// `SQLITE_CANTOPEN`.
const CANNOT_OPEN: &str = "14";

/// The size in bytes to which a longer `-wal` file is truncated. It grows while another process reads.
const MAX_WAL: u64 = 16 << 20;

/// An SQLite database that is opened again after its files were changed.
pub(super) struct SqliteDatabase {
    pub(super) path: PathBuf,
    pub(super) config: Config,
    /// Whether this process created the file.
    pub(super) is_new: bool,
    /// It is off from the moment that a change is known.
    cache: Option<Arc<Cache<Representation<User>>>>,
    connections: RwLock<Arc<SqliteConnections>>,
    /// Incremented when the database is opened again.
    generation: AtomicU64,
    /// Notified when a change is found.
    pub(super) changed: Notify,
    pub(super) closed: CancellationToken,
}

/// The connections since the database was opened.
pub(super) struct SqliteConnections {
    pub(super) readers: SqlitePool,
    pub(super) writer: SqlitePool,
    pub(super) probe: SqlitePool,
    pub(super) files: SqliteFiles,
    change: OnceLock<Change>,
    waits: Waits,
}

/// The waits for a connection of each pool.
struct Waits {
    readers: Histogram,
    writer: Histogram,
    probe: Histogram,
}

/// Which connection a statement needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
    Probe,
}

/// The database, for one statement.
pub(super) struct SqliteLease<'a> {
    database: &'a SqliteDatabase,
    connections: Arc<SqliteConnections>,
    access: Access,
}

impl SqliteDatabase {
    /// Opens the database. Creates the file if it does not exist.
    pub(super) async fn open(
        config: &Config,
        path: &Path,
        cache: Option<Arc<Cache<Representation<User>>>>,
    ) -> Result<Arc<Self>, String> {
        let is_new = sqlite_files::create(path)?;
        sqlite_files::set_foreign_wal_aside(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Arc::new(Self {
            path: path.to_owned(),
            config: config.clone(),
            is_new,
            cache,
            connections: RwLock::new(Arc::new(SqliteConnections::open(config, path).await?)),
            generation: AtomicU64::new(0),
            changed: Notify::new(),
            closed: CancellationToken::new(),
        }))
    }

    /// The current connections. Their files may have changed.
    pub(super) fn connections(&self) -> Arc<SqliteConnections> {
        self.connections.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Uses other connections from now on.
    pub(super) fn replace(&self, connections: SqliteConnections) {
        *self.connections.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(connections);
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    /// Prepares a statement.
    ///
    /// # Errors
    /// The files were changed.
    pub(super) async fn lease(&self, access: Access) -> Result<SqliteLease<'_>, sqlx::Error> {
        let connections = self.connections();
        self.check(&connections).await?;
        Ok(SqliteLease { database: self, connections, access })
    }

    /// Compares the files with those that these connections use, unless a change is known.
    pub(super) async fn check(&self, connections: &SqliteConnections) -> Result<(), sqlx::Error> {
        let known = connections.change.get().copied().map_or(Ok(()), Err);
        match known.and_then(|()| connections.files.check()) {
            Ok(()) => Ok(()),
            Err(Change::WalTruncated) if connections.change().is_none() && connections.wal_is_complete().await? => {
                Ok(())
            }
            Err(change) => {
                if connections.change.set(change).is_ok() {
                    if let Some(cache) = &self.cache {
                        cache.set_coherent(false);
                    }
                    self.changed.notify_one();
                }
                Err(change.into())
            }
        }
    }

    /// Whether a change of the files is known, and the database not yet open again.
    pub(super) fn is_changed(&self) -> bool {
        self.connections().change.get().is_some()
    }

    /// Returns two numbers that differ after every commit by another process, and after the database was opened again.
    pub(super) async fn version(&self) -> Result<(u64, i64), sqlx::Error> {
        // Both only grow.
        let generation = self.generation.load(Ordering::Acquire) + WRITERS.load(Ordering::Acquire);
        let lease = self.lease(Access::Write).await?;
        // The number counts the commits since this connection was opened.
        let version = sqlx::query_scalar("PRAGMA data_version").fetch_one(lease.pool()).await?;
        Ok((generation, version))
    }

    /// Truncates a long `-wal` file, if no reader needs it: without writes, SQLite does not.
    pub(super) async fn truncate_long_wal(&self) -> Result<(), sqlx::Error> {
        let lease = self.lease(Access::Write).await?;
        if lease.connections.files.wal_len().is_none_or(|len| len <= MAX_WAL) {
            return Ok(());
        }
        let moved = sqlx::query_as("PRAGMA wal_checkpoint(PASSIVE)").fetch_one(lease.pool()).await;
        let (_, in_wal, moved): (bool, i64, i64) = lease.finish(moved).await?;
        if in_wal == moved {
            let lease = self.lease(Access::Write).await?;
            let truncated = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(lease.pool()).await;
            lease.finish(truncated).await?;
        }
        Ok(())
    }

    /// Closes every connection after its current statement.
    pub(super) async fn close(&self) {
        self.closed.cancel();
        let connections = self.connections();
        // The result is recorded.
        let _ = self.check(&connections).await;
        connections.close().await;
    }
}

impl SqliteLease<'_> {
    /// The pool for the statement.
    pub(super) fn pool(&self) -> &SqlitePool {
        match self.access {
            Access::Read => &self.connections.readers,
            Access::Write => &self.connections.writer,
            Access::Probe => &self.connections.probe,
        }
    }

    /// Waits for a connection for at most the acquire timeout of the pool.
    pub(super) async fn acquire(&self) -> Result<PoolConnection<Sqlite>, sqlx::Error> {
        let start = Instant::now();
        let connection = self.pool().acquire().await;
        let wait = match self.access {
            Access::Read => &self.connections.waits.readers,
            Access::Write => &self.connections.waits.writer,
            Access::Probe => &self.connections.waits.probe,
        };
        wait.record(start.elapsed());
        connection
    }

    /// Returns the result of the statement. After a write, checks the files again: a commit to a file that was removed in the
    /// meantime is not acknowledged. After an error, a change may be its cause.
    pub(super) async fn finish<T>(self, result: Result<T, sqlx::Error>) -> Result<T, sqlx::Error> {
        if self.access == Access::Write || result.is_err() {
            let checked = self.database.check(&self.connections).await;
            checked.map_err(|error| if result.is_ok() { unconfirmed(error) } else { error })?;
        }
        result
    }
}

impl SqliteConnections {
    /// Opens the existing file at the path.
    pub(super) async fn open(config: &Config, path: &Path) -> Result<Self, String> {
        let io_message = |error: io::Error| format!("{}: {error}", path.display());
        let identity = SqliteFiles::identify(path).map_err(io_message)?;
        // With WAL, reads and writes run at the same time. With synchronous=FULL, a commit is durable before it returns.
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            // SQLite truncates a longer `-wal` file at a commit, once no reader needs it.
            .pragma("journal_size_limit", MAX_WAL.to_string())
            .busy_timeout(config.deadlines.lock);
        let open = |error: sqlx::Error| match error.as_database_error().and_then(DatabaseError::code).as_deref() {
            Some(CANNOT_OPEN) => format!(
                "{}: cannot open the file, or create the -wal file beside it: both the file and its folder must be writable",
                path.display()
            ),
            _ => message(&error),
        };
        // This switches an empty file to WAL, which a read-only connection cannot do, or reads a long `-wal` file, for which
        // the pools would not wait.
        let first = SqliteConnection::connect_with(&options).await.map_err(open)?;
        // The writer stays open: the number of commits that it reads for the cache counts from when it opened.
        let writer = pool_options::requests(config).max_connections(1).max_lifetime(None).idle_timeout(None);
        let writer = writer.after_connect(|_, _| {
            WRITERS.fetch_add(1, Ordering::AcqRel);
            Box::pin(async { Ok(()) })
        });
        let writer = writer.before_acquire(|connection: &mut SqliteConnection, _| {
            Box::pin(async move {
                if !connection.is_in_transaction() {
                    return Ok(true);
                }
                // A rollback that is under way ends first.
                connection.ping().await?;
                // After a COMMIT that failed, on a full disk for example, SQLite has rolled back. sqlx does not know that, and every
                // transaction on this connection would fail.
                Ok(!connection.is_in_transaction())
            })
        });
        let writer = writer.connect_lazy_with(options.clone());
        let options = options.read_only(true);
        // This stays open too, for `close`.
        let probe = pool_options::probe().max_lifetime(None).idle_timeout(None);
        let probe = probe.acquire_timeout(config.deadlines.acquire).connect_lazy_with(options.clone());
        let readers = pool_options::requests(config).connect_lazy_with(options);
        for pool in [&writer, &probe, &readers] {
            open_first_connection(pool).await.map_err(open)?;
        }
        let files = SqliteFiles::opened(path, identity).map_err(io_message)?;
        first.close().await.map_err(open)?;
        let waits = Waits { readers: pool_wait("readers"), writer: pool_wait("writer"), probe: pool_wait("probe") };
        Ok(Self { readers, writer, probe, files, change: OnceLock::new(), waits })
    }

    /// The change of the files, if one is known.
    pub(super) fn change(&self) -> Option<Change> {
        self.change.get().copied()
    }

    /// Moves every change from the `-wal` file to the database file that is open, wherever it is. Returns whether all are there.
    pub(super) async fn checkpoint(&self) -> Result<bool, sqlx::Error> {
        self.files.restore_shm()?;
        if !self.wal_is_complete().await? {
            return Ok(false);
        }
        let query = sqlx::query_as("PRAGMA wal_checkpoint(FULL)");
        let (is_blocked, in_wal, moved): (bool, i64, i64) = query.fetch_one(&self.writer).await?;
        Ok(!is_blocked && in_wal == moved)
    }

    /// Whether the `-wal` file has every change that SQLite expects there. If it has, its size is accepted: another process has
    /// moved the changes to the database file and truncated it. A removed file is still open, as it was.
    async fn wal_is_complete(&self) -> Result<bool, sqlx::Error> {
        let mut before = None;
        loop {
            let expected = self.expected_wal_len().await?;
            let Some(len) = self.files.wal_len() else { return Ok(true) };
            if len >= expected {
                self.files.accept_wal_len(len);
                return Ok(true);
            }
            // Between the two numbers another process may have truncated the file.
            if before == Some(expected) {
                return Ok(false);
            }
            before = Some(expected);
        }
    }

    async fn expected_wal_len(&self) -> Result<u64, sqlx::Error> {
        /// The sizes of the two headers in the file format of SQLite.
        const FILE_HEADER: i64 = 32;
        const FRAME_HEADER: i64 = 24;
        let page: i64 = sqlx::query_scalar("PRAGMA page_size").fetch_one(&self.writer).await?;
        let query = sqlx::query_as("PRAGMA wal_checkpoint(NOOP)");
        let (_, frames, _): (bool, i64, i64) = query.fetch_one(&self.writer).await?;
        let len = if frames > 0 { FILE_HEADER + frames * (FRAME_HEADER + page) } else { 0 };
        Ok(u64::try_from(len).unwrap_or_default())
    }

    /// Closes every connection after its current statement.
    ///
    /// The last one to close applies the `-wal` file to the database file and removes it, unless the database file is not at
    /// its path, or the connection can only read.
    pub(super) async fn close(&self) {
        if let Err(error) = self.files.restore_shm() {
            tracing::error!(%error, "cannot give the -shm file its size again");
        }
        if self.change().is_some_and(Change::spoils_wal) {
            let last = self.probe.acquire().await;
            self.writer.close().await;
            self.readers.close().await;
            drop(last);
            self.probe.close().await;
        } else {
            self.probe.close().await;
            self.readers.close().await;
            self.writer.close().await;
            self.files.closed();
        }
    }
}

/// Opens the first connection of a pool. On a busy machine that may take longer than a request waits for a connection.
async fn open_first_connection(pool: &SqlitePool) -> Result<(), sqlx::Error> {
    let start = Instant::now();
    loop {
        match pool.acquire().await {
            Err(sqlx::Error::PoolTimedOut) if start.elapsed() < pool_options::MAX_OPEN_TIME => {}
            result => return result.map(drop),
        }
    }
}
