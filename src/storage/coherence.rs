//! Keeps a cache coherent with writes by other processes.
//!
//! On PostgreSQL, a trigger sends a notification for every statement that updates or deletes rows, when it commits, while an
//! instance has a cache, which a lock shows. A connection of its own holds the lock and receives the notifications. SQLite counts
//! the commits of other connections; the server has a single writing connection, so a change of that count is a write by another
//! process.
//!
//! While the changes cannot be observed, the cache is off.

use std::{sync::Arc, time::Duration};

use sqlx::{
    PgPool,
    postgres::{PgListener, PgPoolOptions},
};
use tokio::time::{interval, sleep, timeout};
use uuid::Uuid;

use super::{
    cache::{Cache, Row},
    sqlite_database::SqliteDatabase,
};

/// How a table reports its changes.
#[derive(Clone, Copy)]
pub(super) struct Notifications {
    /// The channel of the notifications.
    channel: &'static str,
    /// Takes the lock that makes the triggers notify, until the connection ends.
    request: &'static str,
    /// Returns whether the triggers exist and always fire.
    are_sent: &'static str,
}

/// The triggers of `migrations/postgres/20261128000001_notify_caches_only.sql`.
pub(super) const USERS: Notifications = Notifications {
    channel: "users_changed",
    request: "SELECT pg_advisory_lock_shared(8::bigint << 52)",
    are_sent: "SELECT count(*) = 3 FROM pg_trigger \
               WHERE tgrelid = 'users'::regclass AND tgname LIKE 'users\\_invalidate\\_%' AND tgenabled = 'A'",
};

/// The number of a transaction, and whether all that wrote before it have ended. These may not notify: they may have looked for
/// the lock before it was taken.
const NUMBER: &str = "SELECT pg_current_xact_id()::text";
const OTHERS_ENDED: &str = "SELECT pg_snapshot_xmin(pg_current_snapshot()) >= $1::text::xid8";

/// How often the connection is tested. A change that is not notified because the connection is dead is observed within
/// this time and [`RESPONSE_TIMEOUT`].
const TEST_INTERVAL: Duration = Duration::from_secs(1);

/// How many tests may find that older transactions have not ended before that is logged.
const TESTS_BEFORE_WARNING: u32 = 3;

/// How long the database may take to respond to the test.
const RESPONSE_TIMEOUT: Duration = Duration::from_millis(500);

/// How long a new connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// The pause before a new connection.
const RECONNECT_PAUSE: Duration = Duration::from_millis(500);

/// How often the server looks for writes of other processes to an SQLite file.
const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// Why changes are not observed.
#[derive(Debug, thiserror::Error)]
enum NotObserved {
    #[error("no response within {0:?}")]
    NoResponse(Duration),
    #[error("the connection was closed")]
    Closed,
    #[error("a trigger that notifies of changes is missing or disabled")]
    NoTrigger,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Removes the rows that PostgreSQL notifies, until the pool is closed. The connection has the options of the pool, but is
/// not one of its connections.
pub(super) async fn follow_notifications<T: Row>(pool: PgPool, notifications: Notifications, cache: Arc<Cache<T>>) {
    let mut closed = pool.close_event();
    loop {
        let Ok(result) = closed.do_until(listen(&pool, notifications, &cache)).await else { return };
        cache.set_coherent(false);
        if let Err(error) = result {
            tracing::warn!(%error, "the cache is off: changes by others are not observed");
        }
        sleep(RECONNECT_PAUSE).await;
    }
}

/// Listens on a new connection until it breaks.
async fn listen<T: Row>(pool: &PgPool, notifications: Notifications, cache: &Cache<T>) -> Result<(), NotObserved> {
    // A pool of its own, because a listener occupies its pool until the server has responded to the end of the listening.
    let own = PgPoolOptions::new().max_connections(1).acquire_timeout(CONNECT_TIMEOUT);
    let own = own.connect_lazy_with((*pool.connect_options()).clone());
    let mut listener = PgListener::connect_with(&own).await?;
    listener.eager_reconnect(false);
    within(RESPONSE_TIMEOUT, listener.listen(notifications.channel)).await?;
    within(RESPONSE_TIMEOUT, sqlx::query(notifications.request).execute(&mut listener)).await?;
    let number: String = within(RESPONSE_TIMEOUT, sqlx::query_scalar(NUMBER).fetch_one(&mut listener)).await?;
    let mut tests = interval(TEST_INTERVAL);
    let (mut is_on, mut tests_before) = (false, 0);
    loop {
        tokio::select! {
            notification = listener.try_recv() => match notification? {
                Some(notification) => invalidate(cache, notification.payload()),
                None => return Err(NotObserved::Closed),
            },
            _ = tests.tick() => {
                let are_sent = sqlx::query_scalar(notifications.are_sent).fetch_one(&mut listener);
                if !within(RESPONSE_TIMEOUT, are_sent).await? {
                    return Err(NotObserved::NoTrigger);
                }
                if !is_on {
                    let others_ended = sqlx::query_scalar(OTHERS_ENDED).bind(&number).fetch_one(&mut listener);
                    is_on = within(RESPONSE_TIMEOUT, others_ended).await?;
                    if is_on {
                        // It starts empty: what was stored before may have changed while nothing was received.
                        cache.set_coherent(true);
                    } else if tests_before == TESTS_BEFORE_WARNING {
                        tracing::warn!(
                            transaction = number,
                            "the cache is off until older transactions end: see pg_stat_activity and pg_prepared_xacts"
                        );
                    }
                    tests_before += 1;
                }
            }
        }
    }
}

async fn within<T>(limit: Duration, query: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, NotObserved> {
    Ok(timeout(limit, query).await.map_err(|_| NotObserved::NoResponse(limit))??)
}

/// The payload is a list of ids, or `*` for every row.
fn invalidate<T: Row>(cache: &Cache<T>, payload: &str) {
    match payload.split(',').map(str::parse).collect::<Result<Vec<Uuid>, _>>() {
        Ok(ids) => cache.invalidate(&ids),
        Err(_) => cache.invalidate_all(),
    }
}

/// Empties the cache after each write of another process to the SQLite file, until the database is closed.
pub(super) async fn follow_other_writers<T: Row>(database: Arc<SqliteDatabase>, cache: Arc<Cache<T>>) {
    let mut version = None;
    while !database.closed.is_cancelled() {
        let read = database.version().await.ok();
        if read.is_none() || read != version {
            cache.set_coherent(read.is_some());
            // A change of the files that was found in the meantime has turned the cache off before.
            if database.is_changed() {
                cache.set_coherent(false);
            }
        }
        version = read;
        sleep(POLL_INTERVAL).await;
    }
}
