//! Keeps a cache coherent with writes by other processes.
//!
//! On PostgreSQL, a trigger sends a notification for every statement that updates or deletes rows, when it commits. A
//! connection of its own receives them. SQLite counts the commits of other connections; the server has a single writing
//! connection, so a change of that count is a write by another process.
//!
//! While the changes cannot be observed, the cache is off.

use std::{sync::Arc, time::Duration};

use sqlx::{PgPool, SqlitePool, postgres::PgListener};
use tokio::time::{interval, sleep, timeout};
use uuid::Uuid;

use super::cache::{Cache, Row};

/// How often the connection is tested. A change that is not notified because the connection is dead is observed within
/// this time and [`RESPONSE_TIMEOUT`].
const TEST_INTERVAL: Duration = Duration::from_secs(1);

/// How long the database may take to respond to the test.
const RESPONSE_TIMEOUT: Duration = Duration::from_millis(500);

/// The pause before a new connection.
const RECONNECT_PAUSE: Duration = Duration::from_millis(500);

/// How often the server looks for writes of other processes to an SQLite file.
const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// Removes the rows that PostgreSQL notifies on the channel, until the pool is closed.
pub(super) async fn follow_notifications<T: Row>(pool: PgPool, channel: &'static str, cache: Arc<Cache<T>>) {
    while !pool.is_closed() {
        if let Err(error) = listen(&pool, channel, &cache).await
            && !pool.is_closed()
        {
            tracing::warn!(%error, "the cache is off: the database sends no notifications of changes");
        }
        cache.set_coherent(false);
        sleep(RECONNECT_PAUSE).await;
    }
}

/// Listens on a new connection until it breaks.
async fn listen<T: Row>(pool: &PgPool, channel: &str, cache: &Cache<T>) -> Result<(), sqlx::Error> {
    let no_response = |_| sqlx::Error::PoolTimedOut;
    let mut listener = PgListener::connect_with(pool).await?;
    listener.eager_reconnect(false);
    timeout(RESPONSE_TIMEOUT, listener.listen(channel)).await.map_err(no_response)??;
    // What was stored before may have changed while nothing was received.
    cache.set_coherent(true);
    let mut tests = interval(TEST_INTERVAL);
    loop {
        tokio::select! {
            notification = listener.try_recv() => match notification? {
                Some(notification) => invalidate(cache, notification.payload()),
                None => return Err(sqlx::Error::PoolClosed),
            },
            _ = tests.tick() => {
                let test = sqlx::query("SELECT 1").execute(&mut listener);
                timeout(RESPONSE_TIMEOUT, test).await.map_err(no_response)??;
            }
        }
    }
}

/// The payload is a list of ids, or `*` for every row.
fn invalidate<T: Row>(cache: &Cache<T>, payload: &str) {
    match payload.split(',').map(str::parse).collect::<Result<Vec<Uuid>, _>>() {
        Ok(ids) => cache.invalidate(&ids),
        Err(_) => cache.invalidate_all(),
    }
}

/// Empties the cache after each write of another process to the SQLite file, until the pool is closed.
pub(super) async fn follow_other_writers<T: Row>(writer: SqlitePool, cache: Arc<Cache<T>>) {
    let mut version = None;
    while !writer.is_closed() {
        let read = sqlx::query_scalar::<_, i64>("PRAGMA data_version").fetch_one(&writer).await.ok();
        if read.is_none() || read != version {
            cache.set_coherent(read.is_some());
        }
        version = read;
        sleep(POLL_INTERVAL).await;
    }
}
