//! A PostgreSQL pool in which every wait for a response has a deadline.
//!
//! A connection can die silently: its host is lost, the address moves to another server, or a NAT entry expires. Then no
//! packet reports the loss, and a statement would wait until TCP gives up, after 15 minutes. A connection whose deadline
//! passes is closed without a message to the server and never used again, also if the caller no longer waits. sqlx does
//! not expose its sockets, so TCP keepalive and `TCP_USER_TIMEOUT` cannot be set.

use std::{io, sync::Arc, time::Duration};

use metrics::Histogram;
use sqlx::{
    Connection, Executor, PgConnection, PgPool, Postgres,
    pool::{PoolConnection, PoolOptions},
    postgres::PgConnectOptions,
};
use tokio::time::{Instant, timeout, timeout_at};

use super::{
    error::unconfirmed,
    error_kind::{is_lost_connection, only_reads},
    stale_connections::StaleConnections,
};
use crate::{config::DatabaseTarget, telemetry::metrics::pool_wait};

/// How long a response may take after PostgreSQL itself has to end the statement.
pub(super) const RESPONSE_MARGIN: Duration = Duration::from_millis(500);

/// A connection that was idle for this long is tested before it is used: firewalls and NAT forget idle connections. A test
/// before every use would cost a round trip per request.
const TEST_AFTER_IDLE: Duration = Duration::from_secs(10);

/// PostgreSQL then ends a statement whose client is gone, at the latest after this time, also while it waits for a lock.
/// Without that, a migration that is interrupted would keep its locks. Since PostgreSQL 14, and not on every system.
const END_WITH_CLIENT: &str =
    "SELECT set_config(name, '1s', false) FROM pg_settings WHERE name = 'client_connection_check_interval'";

/// Opens a connection without the timeouts for requests, for migrations.
pub(super) async fn without_timeouts(target: &DatabaseTarget) -> Result<PgConnection, sqlx::Error> {
    let DatabaseTarget::Postgres(options) = target else {
        return Err(sqlx::Error::Configuration("not a PostgreSQL database".into()));
    };
    let mut connection = PgConnection::connect_with(&named(options)).await?;
    // The start works without it.
    let _ = connection.execute(END_WITH_CLIENT).await;
    Ok(connection)
}

/// Sets the name in `pg_stat_activity`, unless the URL sets one.
pub(super) fn named(options: &PgConnectOptions) -> PgConnectOptions {
    match options.get_application_name() {
        Some(_) => options.clone(),
        None => options.clone().application_name("web_server"),
    }
}

#[derive(Clone)]
pub(super) struct PostgresPool {
    pool: PgPool,
    /// The maximum time from the acquisition of a connection to the response to its statement.
    deadline: Duration,
    stale_connections: Arc<StaleConnections>,
    wait: Histogram,
}

impl PostgresPool {
    /// Opens no connection. sqlx resolves the host name for each new connection.
    pub(super) fn new(
        name: &'static str,
        pool: PoolOptions<Postgres>,
        options: PgConnectOptions,
        deadline: Duration,
    ) -> Self {
        let stale_connections = Arc::new(StaleConnections::new());
        let connections = stale_connections.clone();
        let pool = pool.before_acquire(move |connection, state| {
            let connections = connections.clone();
            Box::pin(async move {
                if !connections.is_usable(state.age) {
                    return Ok(false);
                }
                if state.idle_for < TEST_AFTER_IDLE {
                    return Ok(true);
                }
                let start = Instant::now();
                let is_alive = matches!(timeout(RESPONSE_MARGIN, connection.ping()).await, Ok(Ok(())));
                if !is_alive {
                    connections.record_loss(start);
                }
                Ok(is_alive)
            })
        });
        Self { pool: pool.connect_lazy_with(options), deadline, stale_connections, wait: pool_wait(name) }
    }

    /// Waits for a connection for at most the acquire timeout of the pool. The deadline for its statement starts then.
    pub(super) async fn acquire(&self) -> Result<Lease, sqlx::Error> {
        let asked = Instant::now();
        let connection = Box::pin(self.pool.acquire()).await; // see `on!`
        let start = Instant::now();
        self.wait.record(start - asked);
        let connection = connection?;
        Ok(Lease {
            connection: Some(connection),
            start,
            deadline: start + self.deadline,
            stale_connections: self.stale_connections.clone(),
            is_complete: false,
        })
    }

    /// Returns why no connection can be opened, which the pool hides: another attempt, beside it, has the cause. `None`: it succeeds, so
    /// that every connection is in use.
    pub(super) async fn connect_error(&self) -> Option<sqlx::Error> {
        let connection = timeout(RESPONSE_MARGIN, PgConnection::connect_with(&self.pool.connect_options())).await;
        connection.ok()?.err()
    }

    /// Uses no connection again that is open now, unless this was called of late.
    pub(super) fn renew(&self) {
        self.stale_connections.record_demotion();
    }

    /// After a demotion, uses no connection again that was opened before this successful write.
    pub(super) fn record_write(&self) {
        self.stale_connections.record_write();
    }

    /// The maximum time to the response to a statement.
    pub(super) fn deadline(&self) -> Duration {
        self.deadline
    }

    /// The pool, for its state.
    pub(super) fn inner(&self) -> &PgPool {
        &self.pool
    }

    /// Closes every connection after its current statement, or at its deadline.
    pub(super) async fn close(&self) {
        self.pool.close().await;
    }
}

/// A connection for one statement.
pub(super) struct Lease {
    connection: Option<PoolConnection<Postgres>>,
    start: Instant,
    deadline: Instant,
    stale_connections: Arc<StaleConnections>,
    is_complete: bool,
}

impl Lease {
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        self.connection.as_mut().expect("only `finish` and `drop` take it")
    }

    /// The time at which the connection is considered lost.
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Returns the result of the statement, and the connection to the pool. `None` if the deadline passed.
    pub(super) fn finish<T>(mut self, result: Option<Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
        self.is_complete = true;
        let (lost_at, result) = match result {
            None => {
                let waited = humantime::format_duration(self.deadline - self.start);
                let error = format!("no response within {waited}: the connection is closed");
                let error = sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, error));
                // Connections that were opened during the wait may work.
                (Some(self.start), Err(unconfirmed(error)))
            }
            Some(Err(error)) if is_lost_connection(&error) => (Some(Instant::now()), Err(unconfirmed(error))),
            Some(Err(error)) if only_reads(&error) => {
                self.stale_connections.record_demotion();
                (None, Err(error))
            }
            Some(result) => (None, result),
        };
        if let Some(lost_at) = lost_at {
            self.stale_connections.record_loss(lost_at);
            // Detached, it is closed at once: a message to the server could wait for ever.
            drop(self.connection.take().map(PoolConnection::detach));
        }
        result
    }
}

/// Returns the connection to the pool. sqlx sends a message and waits for the response to that and to a statement whose
/// caller no longer waits.
impl Drop for Lease {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        let returned = Box::pin(connection.return_to_pool());
        let deadline = if self.is_complete { Instant::now() + RESPONSE_MARGIN } else { self.deadline };
        let (start, stale_connections) = (self.start, self.stale_connections.clone());
        tokio::spawn(async move {
            if timeout_at(deadline, returned).await.is_err() {
                stale_connections.record_loss(start);
            }
        });
    }
}
