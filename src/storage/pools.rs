//! The connection pools of a database.

use std::sync::Arc;

use super::{
    postgres_pool::{Lease, PostgresPool},
    replica_position::Position,
    sqlite_database::{Access, SqliteDatabase, SqliteLease},
};

/// The pools. In addition to the pools for requests, one connection is reserved for `Store::ping`.
#[derive(Clone)]
pub(super) enum Pools {
    Sqlite(Arc<SqliteDatabase>),
    Postgres { all: PostgresPool, probe: PostgresPool },
}

/// One pool, of either database.
pub(super) enum Pool<'a> {
    Sqlite(SqliteAccess<'a>),
    Postgres(PostgresAccess<'a>),
}

/// The pool of an SQLite database for one statement.
pub(super) struct SqliteAccess<'a> {
    database: &'a SqliteDatabase,
    access: Access,
}

impl<'a> SqliteAccess<'a> {
    /// Checks the files of the database.
    pub(super) async fn lease(&self) -> Result<SqliteLease<'a>, sqlx::Error> {
        self.database.lease(self.access).await
    }
}

/// The pool of a PostgreSQL server for one statement.
pub(super) struct PostgresAccess<'a> {
    pool: &'a PostgresPool,
    /// What the server, a replica, has to have replayed.
    position: Option<Position>,
}

impl PostgresAccess<'_> {
    /// Acquires a connection. On a replica, waits for the position for a moment.
    pub(super) async fn acquire(&self) -> Result<Lease, sqlx::Error> {
        match &self.position {
            None => self.pool.acquire().await,
            Some(position) => position.acquire(self.pool).await,
        }
    }
}

impl<'a> Pool<'a> {
    fn primary(pool: &'a PostgresPool) -> Self {
        Self::Postgres(PostgresAccess { pool, position: None })
    }

    /// The pool of a replica, for statements that need what the primary had at this position.
    pub(super) fn replica(pool: &'a PostgresPool, position: Position) -> Self {
        Self::Postgres(PostgresAccess { pool, position: Some(position) })
    }
}

/// Runs a query on either database: the same expression, which is compiled once for each, or one expression for each. On
/// PostgreSQL it has a deadline; on SQLite the files are checked. The wait for the connection is measured. The function must return `sqlx::Error`, for a connection that
/// cannot be acquired.
///
/// The futures of sqlx have many kilobytes. They are boxed here, or every wrapper around a statement would copy them.
macro_rules! on {
    ($pool:expr, $db:ident => $query:expr) => {
        on!($pool, postgres $db => $query, sqlite $db => $query)
    };
    ($pool:expr, postgres $postgres:ident => $postgres_query:expr, sqlite $sqlite:ident => $sqlite_query:expr) => {
        match $pool {
            $crate::storage::pools::Pool::Sqlite(access) => {
                let lease = access.lease().await?;
                let result = Box::pin(async {
                    let mut connection = lease.acquire().await?;
                    let $sqlite = &mut *connection;
                    $sqlite_query
                })
                .await;
                lease.finish(result).await
            }
            $crate::storage::pools::Pool::Postgres(access) => {
                let mut lease = access.acquire().await?;
                let deadline = lease.deadline();
                let $postgres = lease.connection();
                let result = tokio::time::timeout_at(deadline, Box::pin(async { $postgres_query })).await.ok();
                lease.finish(result)
            }
        }
    };
}
pub(super) use on;

/// The number of connections of a pool, for the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolState {
    /// `readers`, `writer`, `all`, or `replica`.
    pub name: &'static str,
    /// Open connections that no request uses.
    pub idle: usize,
    /// Connections that a request uses.
    pub used: usize,
    /// The maximum number of open connections.
    pub max: usize,
}

impl PoolState {
    pub(super) fn of<DB: sqlx::Database>(name: &'static str, pool: &sqlx::Pool<DB>) -> Self {
        let (size, idle) = (pool.size() as usize, pool.num_idle());
        let max = pool.options().get_max_connections() as usize;
        // The two numbers are not read at the same time, so `idle` can be greater than `size`.
        Self { name, idle, used: size.saturating_sub(idle), max }
    }
}

impl Pools {
    /// The pool for statements that only read.
    pub(super) fn read(&self) -> Pool<'_> {
        match self {
            Self::Sqlite(database) => Pool::Sqlite(SqliteAccess { database, access: Access::Read }),
            Self::Postgres { all, .. } => Pool::primary(all),
        }
    }

    /// Records that a write was successful.
    pub(super) fn record_write(&self) {
        if let Self::Postgres { all, .. } = self {
            all.record_write();
        }
    }

    /// The pool for statements that write.
    pub(super) fn write(&self) -> Pool<'_> {
        match self {
            Self::Sqlite(database) => Pool::Sqlite(SqliteAccess { database, access: Access::Write }),
            Self::Postgres { all, .. } => Pool::primary(all),
        }
    }

    /// The reserved connection.
    pub(super) fn probe(&self) -> Pool<'_> {
        match self {
            Self::Sqlite(database) => Pool::Sqlite(SqliteAccess { database, access: Access::Probe }),
            Self::Postgres { probe, .. } => Pool::primary(probe),
        }
    }

    /// The state of each pool for requests.
    pub(super) fn states(&self) -> Vec<PoolState> {
        match self {
            Self::Sqlite(database) => {
                let connections = database.connections();
                vec![PoolState::of("readers", &connections.readers), PoolState::of("writer", &connections.writer)]
            }
            Self::Postgres { all, .. } => vec![PoolState::of("all", all.inner())],
        }
    }

    /// Whether the pools were closed.
    pub(super) fn is_closed(&self) -> bool {
        match self {
            Self::Sqlite(database) => database.closed.is_cancelled(),
            Self::Postgres { all, .. } => all.inner().is_closed(),
        }
    }

    /// Closes every connection after its current statement.
    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite(database) => database.close().await,
            Self::Postgres { all, probe } => {
                probe.close().await;
                all.close().await;
            }
        }
    }
}
