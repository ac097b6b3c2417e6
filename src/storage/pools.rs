//! The connection pools of a database.

use sqlx::{PgPool, SqlitePool};

/// The pools. In addition to the pools for requests, one connection is reserved for `Store::ping`, and on
/// PostgreSQL one receives notifications if there is a cache.
#[derive(Clone)]
pub(super) enum Pools {
    Sqlite { readers: SqlitePool, writer: SqlitePool, probe: SqlitePool },
    Postgres { all: PgPool, probe: PgPool, listener: PgPool },
}

/// One pool, of either database.
pub(super) enum Pool<'a> {
    Sqlite(&'a SqlitePool),
    Postgres(&'a PgPool),
}

/// Runs the same query on either database. The expression is compiled once for each.
macro_rules! on {
    ($pool:expr, $db:ident => $query:expr) => {
        match $pool {
            $crate::storage::pools::Pool::Sqlite($db) => $query,
            $crate::storage::pools::Pool::Postgres($db) => $query,
        }
    };
}
pub(super) use on;

/// The number of connections of a pool, for the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolState {
    /// `readers`, `writer`, or `all`.
    pub name: &'static str,
    /// Open connections that no request uses.
    pub idle: usize,
    /// Connections that a request uses.
    pub used: usize,
    /// The maximum number of open connections.
    pub max: usize,
}

impl Pools {
    /// The pool for statements that only read.
    pub(super) fn read(&self) -> Pool<'_> {
        match self {
            Self::Sqlite { readers, .. } => Pool::Sqlite(readers),
            Self::Postgres { all, .. } => Pool::Postgres(all),
        }
    }

    /// The pool for statements that write.
    pub(super) fn write(&self) -> Pool<'_> {
        match self {
            Self::Sqlite { writer, .. } => Pool::Sqlite(writer),
            Self::Postgres { all, .. } => Pool::Postgres(all),
        }
    }

    /// The reserved connection.
    pub(super) fn probe(&self) -> Pool<'_> {
        match self {
            Self::Sqlite { probe, .. } => Pool::Sqlite(probe),
            Self::Postgres { probe, .. } => Pool::Postgres(probe),
        }
    }

    /// The state of each pool for requests.
    pub(super) fn states(&self) -> Vec<PoolState> {
        fn state<DB: sqlx::Database>(name: &'static str, pool: &sqlx::Pool<DB>) -> PoolState {
            let (size, idle) = (pool.size() as usize, pool.num_idle());
            let max = pool.options().get_max_connections() as usize;
            // The two numbers are not read at the same time, so `idle` can be greater than `size`.
            PoolState { name, idle, used: size.saturating_sub(idle), max }
        }
        match self {
            Self::Sqlite { readers, writer, .. } => vec![state("readers", readers), state("writer", writer)],
            Self::Postgres { all, .. } => vec![state("all", all)],
        }
    }

    /// Closes every connection after its current statement.
    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite { readers, writer, probe } => {
                probe.close().await;
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres { all, probe, listener } => {
                listener.close().await;
                probe.close().await;
                all.close().await;
            }
        }
    }
}
