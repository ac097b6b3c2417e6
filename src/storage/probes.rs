//! Whether the database can be read and written. If no statement of a request succeeded of late, a probe decides: no request needed
//! one, or all failed.

use std::{sync::atomic::Ordering, time::Duration};

use tokio::time::timeout;

use super::{
    abilities::Abilities,
    error::is_lost_connection,
    pool_options::PING_TIMEOUT,
    pools::{Pools, on},
    store::Store,
};

/// How long an attempt to write may take: it prepares every statement.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// Whether the database can be read, and on PostgreSQL written, at the cost of a round trip. On SQLite it reads the file.
const PING: (&str, &str) = (
    "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::bool",
    "SELECT count(*) < 0 FROM (SELECT 1 FROM sqlite_schema LIMIT 1) AS file",
);

/// A durable write without an effect.
const WRITE: (&str, &str) = ("SELECT pg_logical_emit_message(true, 'web_server', '')", "PRAGMA user_version = 0");

impl Store {
    /// Returns the name of the first ability that the database lost, `reads` or `writes`. Takes half a second at most.
    pub(crate) async fn lost_ability(&self) -> Option<&'static str> {
        let Abilities { reads, writes } = &*self.abilities;
        let is_changed = matches!(&self.pools, Pools::Sqlite(database) if database.is_changed());
        if !is_changed && reads.is_recent() && writes.is_recent() {
            return None;
        }
        // PostgreSQL says that it only reads, for example after a failover.
        let reads_only = match timeout(PING_TIMEOUT, self.ping()).await {
            Ok(Ok(reads_only)) => reads_only,
            _ if reads.is_recent() && !is_changed => false,
            _ => return Some(reads.name),
        };
        if writes.is_recent() {
            return None;
        }
        if writes.is_failing() {
            self.probe_writes();
            return Some(writes.name);
        }
        reads_only.then_some(writes.name)
    }

    /// Tries to write in the background, unless an attempt is under way.
    fn probe_writes(&self) {
        if self.abilities.writes.is_probed.swap(true, Ordering::Relaxed) {
            return;
        }
        let store = self.clone();
        tokio::spawn(async move {
            let result = timeout(WRITE_TIMEOUT, store.try_to_write()).await.unwrap_or(Err(sqlx::Error::PoolTimedOut));
            let writes = &store.abilities.writes;
            writes.record("ping", &result);
            writes.is_probed.store(false, Ordering::Relaxed);
        });
    }

    /// Queries the database on the reserved connection, so that a full pool does not matter. Returns whether it refuses writes.
    ///
    /// # Errors
    /// The database is unavailable.
    pub async fn ping(&self) -> Result<bool, sqlx::Error> {
        let query = async || {
            self.inject_fault("ping").await?;
            on!(self.pools.probe(),
                postgres db => sqlx::query_scalar(PING.0).fetch_one(db).await,
                sqlite db => sqlx::query_scalar(PING.1).fetch_one(db).await
            )
        };
        let result = match query().await {
            // The connection was idle: whether a new one can be opened decides.
            Err(error) if is_lost_connection(&error) => query().await,
            result => result,
        };
        self.abilities.reads.record("ping", &result);
        result
    }

    /// Tries what the writes of requests need: the schema, the privileges, and durable storage.
    async fn try_to_write(&self) -> Result<(), sqlx::Error> {
        self.inject_fault("ping").await?;
        self.try_statements().await?;
        on!(self.pools.write(),
            postgres db => sqlx::query(WRITE.0).execute(db).await.map(drop),
            sqlite db => sqlx::query(WRITE.1).execute(db).await.map(drop)
        )
    }
}
