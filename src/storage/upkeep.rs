//! Removes what is kept for a limited time, in steps that are short, and bounds the `-wal` file of SQLite.

use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::sleep;

use super::{idempotency, pools::Pools, store::Store, users};

/// The number of rows that a statement removes.
const REMOVED_AT_ONCE: i64 = 1_000;

/// The pause after everything old was removed, in checks of the `-wal` file and seconds between them.
const CHECKS: usize = 12;
const CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// How much longer than the retention rows are kept: the clocks of instances differ.
const MARGIN: TimeDelta = TimeDelta::minutes(1);

/// Removes old rows until the database is closed.
pub(super) async fn run(store: Store) {
    while !store.pools.is_closed() {
        let now = store.clock.now().datetime() - MARGIN;
        let changes = users::remove_changes(&store, now - store.user_changes_retention, REMOVED_AT_ONCE);
        let changes = removed(&store, "users.changes.remove", changes).await;
        let keys = idempotency::remove(&store, now - store.idempotency_keys_retention, REMOVED_AT_ONCE);
        let keys = removed(&store, "idempotency.remove", keys).await;
        if changes.max(keys) < REMOVED_AT_ONCE as u64 {
            for _ in 0..CHECKS {
                if let Pools::Sqlite(database) = &store.pools
                    && let Err(error) = database.truncate_long_wal().await
                {
                    tracing::debug!(%error, "cannot truncate the -wal file");
                }
                sleep(CHECK_INTERVAL).await;
            }
        }
    }
}

/// Returns the number of removed rows: 0 if the statement failed, so that the next attempt is later.
async fn removed(
    store: &Store,
    operation: &'static str,
    statement: impl Future<Output = Result<u64, sqlx::Error>>,
) -> u64 {
    store.write(operation, statement, |rows| *rows > 0).await.unwrap_or_else(|failure| {
        drop(failure.log(operation));
        0
    })
}
