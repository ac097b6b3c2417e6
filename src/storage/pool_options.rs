//! The options that the pools of both databases share.

use std::time::Duration;

use sqlx::{Database, pool::PoolOptions};

use crate::config::Config;

/// How long the database may take to respond to `Store::ping`.
pub(super) const PING_TIMEOUT: Duration = Duration::from_millis(500);

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
