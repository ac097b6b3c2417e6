//! The options of the pools: those that both databases share, and those of connections to PostgreSQL.

use std::time::Duration;

use sqlx::{Database, pool::PoolOptions, postgres::PgConnectOptions};

use super::postgres_pool::named;
use crate::config::Config;

/// How long the database may take to respond to `Store::ping`.
pub(super) const PING_TIMEOUT: Duration = Duration::from_millis(500);

/// How long to try to open a connection at start. On a busy machine that may take longer than a request waits for one.
pub(super) const MAX_OPEN_TIME: Duration = Duration::from_secs(10);

/// The pool for requests.
pub(super) fn requests<DB: Database>(config: &Config) -> PoolOptions<DB> {
    PoolOptions::new()
        .max_connections(config.database.database_max_connections)
        .acquire_timeout(config.deadlines.acquire)
        // A test before every use would cost a round trip. The statement itself detects a broken connection.
        .test_before_acquire(false)
}

/// The pool with the connection that is reserved for `Store::ping`.
pub(super) fn probe<DB: Database>() -> PoolOptions<DB> {
    PoolOptions::new().max_connections(1).acquire_timeout(PING_TIMEOUT).test_before_acquire(false)
}

/// Returns the options of the connections for requests, for this role and database.
pub(super) fn postgres(config: &Config, options: &PgConnectOptions) -> PgConnectOptions {
    named(options).options(postgres_settings(config))
}

/// The settings of the connections for requests, in the units of `pg_settings`.
pub(super) fn postgres_settings(config: &Config) -> [(&'static str, String); 7] {
    let milliseconds = |duration: Duration| duration.as_millis().to_string();
    [
        ("statement_timeout", milliseconds(config.deadlines.statement)),
        ("lock_timeout", milliseconds(config.deadlines.lock)),
        ("idle_in_transaction_session_timeout", milliseconds(config.database.database_idle_in_transaction_timeout)),
        // A write is acknowledged only after it is durable, whatever the default of the PostgreSQL server.
        ("synchronous_commit", "on".to_owned()),
        // A lookup of an idempotency key sees what was committed before its lock, whatever the default of the role.
        ("default_transaction_isolation", "read committed".to_owned()),
        // Every statement finds its rows by an index. Before the first ANALYZE of a table that has grown, the plan of a
        // prepared statement would scan it.
        ("enable_seqscan", "off".to_owned()),
        // A bitmap has no order: the plan of a page would read every row of the range, and sort them.
        ("enable_bitmapscan", "off".to_owned()),
    ]
}
