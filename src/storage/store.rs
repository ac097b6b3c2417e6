//! The open database, and how every operation runs on it.

use std::{sync::Arc, time::Duration};

use api::{representation::Representation, store_error::StoreError, users::User};
use tokio::time::Instant;
use tracing::Instrument;

use super::{
    cache::Cache,
    coalescer::Limits,
    error::{self, Failure},
    fault_injection::FaultInjector,
    pools::{PoolState, Pools, on},
    sqlite_file::SqliteFile,
};
use crate::{clock::Clock, config::DatabaseTarget, ids::IdGenerator};

/// How long the database may take to respond to [`Store::ping`].
pub(super) const PING_TIMEOUT: Duration = Duration::from_millis(500);

/// The maximum number of items of one operation that wait for a statement. Each waits for a request, and is small.
const MAX_DEPTH: usize = 16_384;

/// Reads a table, so that SQLite has to read its file.
const PING: &str = "SELECT 1 FROM users LIMIT 1";

/// An open database.
#[derive(Clone)]
pub struct Store {
    pub(super) pools: Pools,
    pub(super) file: Option<Arc<SqliteFile>>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn IdGenerator>,
    pub(super) target: DatabaseTarget,
    pub(super) user_cache: Option<Arc<Cache<Representation<User>>>>,
    pub(super) faults: Option<Arc<dyn FaultInjector>>,
}

impl Store {
    /// Returns the same store with a fault injector.
    #[must_use]
    pub fn with_faults(self, faults: Arc<dyn FaultInjector>) -> Self {
        Self { faults: Some(faults), ..self }
    }

    /// Returns the location of the database. It displays without a password.
    pub fn target(&self) -> &DatabaseTarget {
        &self.target
    }

    /// Queries the database on the reserved connection, so that a full pool does not matter.
    ///
    /// # Errors
    /// The database does not respond within 500 ms, or fails.
    pub async fn ping(&self) -> Result<(), StoreError> {
        if let Some(file) = self.file.as_ref().filter(|file| !file.is_unchanged()) {
            tracing::error!(%file, "the SQLite file was removed or replaced: further writes will be lost");
            return Err(StoreError::Unavailable);
        }
        let query = async {
            self.inject_fault("ping").await?;
            on!(self.pools.probe(), db => sqlx::query(PING).execute(db).await.map(drop))
        };
        match tokio::time::timeout(PING_TIMEOUT, query).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(error::log("ping", &error)),
            Err(_) => {
                tracing::warn!(timeout = ?PING_TIMEOUT, "the database did not respond in time");
                Err(StoreError::Unavailable)
            }
        }
    }

    /// Runs one statement in a span of its own, and measures it as `database_operation_duration_seconds{operation}`.
    pub(super) async fn statement<T>(
        &self,
        operation: &'static str,
        query: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, Failure> {
        let start = Instant::now();
        let work = async {
            self.inject_fault(operation).await?;
            query.await
        };
        let span = tracing::debug_span!("statement", operation, otel.kind = "client");
        let result = work.instrument(span).await;
        metrics::histogram!("database_operation_duration_seconds", "operation" => operation).record(start.elapsed());
        result.map_err(Failure::from)
    }

    /// The bounds of shared statements that read.
    pub(super) fn read_limits(&self) -> Limits {
        Limits { lanes: 2, items: 256, depth: MAX_DEPTH }
    }

    /// The bounds of shared statements that write. SQLite has one writer.
    pub(super) fn write_limits(&self) -> Limits {
        let lanes = match self.pools {
            Pools::Sqlite { .. } => 1,
            Pools::Postgres { .. } => 2,
        };
        Limits { lanes, items: 256, depth: MAX_DEPTH }
    }

    async fn inject_fault(&self, operation: &'static str) -> Result<(), sqlx::Error> {
        match &self.faults {
            Some(faults) => faults.before(operation).await,
            None => Ok(()),
        }
    }

    /// Returns the state of each pool.
    pub fn pool_states(&self) -> Vec<PoolState> {
        self.pools.states()
    }

    /// Closes every connection after its current statement.
    pub async fn close(&self) {
        self.pools.close().await;
    }
}
