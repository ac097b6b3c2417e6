//! The store: SQL on SQLite and PostgreSQL, behind the ports of `crates/api`.
//!
//! One file per resource holds its statements for both databases; they are the same text wherever SQL allows. Every
//! operation of every resource passes `Store::operation`.
//! SQLite is one file with one writer, so it has a pool of readers and a single writing connection. PostgreSQL has one
//! pool. Nothing outside this module speaks SQL.

#![expect(clippy::disallowed_methods, reason = "this is the one room that speaks SQL")]

mod connect;
mod error;
mod file;
mod losses;
mod types;
mod users;

use std::{sync::Arc, time::Duration};

use api::{AppState, health::Readiness, metrics::Exposition, store_error::StoreError};
use async_trait::async_trait;
use sqlx::{Connection, Executor, PgPool, SqlSafeStr, SqlitePool, migrate::MigrateError};
use tokio::time::Instant;
use tracing::Instrument;

use crate::{config::DatabaseTarget, source::Source};

pub use connect::{ConnectError, connect};
use file::File;
use losses::Losses;

/// The database, open.
#[derive(Clone)]
pub struct Store {
    pools: Pools,
    losses: Arc<Losses>,
    file: Option<Arc<File>>,
    source: Arc<dyn Source>,
    target: DatabaseTarget,
    gate: Option<Arc<dyn Gate>>,
}

/// What every operation passes just before it reaches the database. A server has none; the tests put one around the real
/// store, where faults happen on demand.
#[async_trait]
pub trait Gate: Send + Sync {
    /// Lets the operation of this name pass, holds it up, or fails it.
    ///
    /// # Errors
    /// What the database would say.
    async fn pass(&self, operation: &'static str) -> Result<(), sqlx::Error>;
}

/// Beside the pools for requests, one connection is kept for [`Store::ping`].
#[derive(Clone)]
enum Pools {
    Sqlite { readers: SqlitePool, writer: SqlitePool, probe: SqlitePool },
    Postgres { all: PgPool, probe: PgPool },
}

/// How long the database may take to answer [`Store::ping`].
pub const PING_TIMEOUT: Duration = Duration::from_millis(500);

/// Reads a table, so that SQLite has to look at its file.
const PING: &str = "SELECT 1 FROM users LIMIT 1";

/// One pool, of either kind: what a statement runs on.
enum Pool<'a> {
    Sqlite(&'a SqlitePool),
    Postgres(&'a PgPool),
}

/// Runs the same query on whichever database this is. The expression is compiled once for each.
macro_rules! on {
    ($pool:expr, $db:ident => $query:expr) => {
        match $pool {
            $crate::store::Pool::Sqlite($db) => $query,
            $crate::store::Pool::Postgres($db) => $query,
        }
    };
}
use on;

/// Connections of a pool, for the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolState {
    /// `readers`, `writer`, or `all`.
    pub name: &'static str,
    /// Open connections that no request uses now.
    pub idle: usize,
    /// Connections that a request uses now.
    pub used: usize,
    /// The most that may be open.
    pub max: usize,
}

/// Of each resource: its port on this store, and its table with the statements that it is asked by.
macro_rules! ports {
    ($($resource:ident: $Port:ident,)*) => {
        impl Store {
            $(
                #[doc = concat!("Where ", stringify!($resource), " are kept.")]
                pub fn $resource(&self) -> Arc<dyn api::$resource::$Port> {
                    Arc::new($resource::port(self.clone()))
                }
            )*

            /// What the handlers speak to: these ports, and two that are not the store's.
            pub fn state(&self, readiness: Arc<dyn Readiness>, metrics: Arc<dyn Exposition>) -> AppState {
                AppState { $($resource: self.$resource(),)* readiness, metrics }
            }
        }

        const TABLES: &[(&str, &[&str])] = &[$((stringify!($resource), $resource::STATEMENTS),)*];
    };
}
api::resources!(ports);

impl Store {
    /// The same store, behind a gate.
    #[must_use]
    pub fn behind(self, gate: Arc<dyn Gate>) -> Self {
        Self { gate: Some(gate), ..self }
    }

    /// Where the data is, for people; without a password.
    pub fn target(&self) -> &DatabaseTarget {
        &self.target
    }

    /// Brings the schema up to date. Several instances may do so at once: PostgreSQL's migrator takes a lock; on SQLite
    /// the one that comes second finds the work done when it looks again.
    ///
    /// # Errors
    /// The database is away, or its schema is newer than this program or was changed by hand.
    pub async fn migrate(&self) -> Result<(), MigrateError> {
        match &self.pools {
            Pools::Sqlite { writer, .. } => {
                let migrator = sqlx::migrate!("migrations/sqlite");
                for _ in 0..4 {
                    if migrator.run(writer).await.is_ok() {
                        return Ok(());
                    }
                    tokio::time::sleep(Duration::from_millis(250)).await;
                }
                migrator.run(writer).await
            }
            Pools::Postgres { .. } => {
                // On a connection without the requests' time-outs: an index on a large table may take its time.
                let mut connection = connect::unhurried(&self.target).await?;
                sqlx::migrate!("migrations/postgres").run(&mut connection).await?;
                // One that does not close properly is the server's to clean up.
                let _ = connection.close().await;
                Ok(())
            }
        }
    }

    /// Prepares every statement, so that a schema that this program cannot work with is found at start and not by the
    /// first request.
    ///
    /// # Errors
    /// What the database says of the first statement that it cannot prepare.
    pub async fn check_schema(&self) -> Result<(), sqlx::Error> {
        for statement in TABLES.iter().flat_map(|(_, statements)| *statements) {
            on!(self.write(), db => db.prepare(SqlSafeStr::into_sql_str(*statement)).await.map(drop))?;
        }
        self.check_permission().await
    }

    /// Finds out whether this program may write, without writing anything.
    async fn check_permission(&self) -> Result<(), sqlx::Error> {
        match &self.pools {
            // `BEGIN IMMEDIATE` would not do: SQLite takes it for a plain BEGIN where it may not write.
            Pools::Sqlite { writer, .. } => {
                sqlx::query("UPDATE users SET version = version WHERE 1 = 0").execute(writer).await.map(drop)
            }
            Pools::Postgres { all, .. } => {
                for (table, _) in TABLES {
                    for privilege in ["SELECT", "INSERT", "UPDATE", "DELETE"] {
                        let granted = sqlx::query_scalar("SELECT has_table_privilege($1, $2)");
                        if !granted.bind(table).bind(privilege).fetch_one(all).await? {
                            let told = format!("this role may not {privilege} in the table {table}");
                            return Err(sqlx::Error::Configuration(told.into()));
                        }
                    }
                }
                Ok(())
            }
        }
    }

    /// Asks the database for an answer, on a connection of its own: whether the pool is full is another question.
    ///
    /// # Errors
    /// It does not answer within [`PING_TIMEOUT`].
    pub async fn ping(&self) -> Result<(), StoreError> {
        let probe = match &self.pools {
            Pools::Sqlite { probe, .. } => Pool::Sqlite(probe),
            Pools::Postgres { probe, .. } => Pool::Postgres(probe),
        };
        if let Some(file) = self.file.as_ref().filter(|file| !file.is_still_there()) {
            tracing::error!("{file} was removed or replaced: what is written now will be lost");
            return Err(StoreError::Unavailable);
        }
        let query = async {
            self.pass("ping").await?;
            on!(probe, db => sqlx::query(PING).execute(db).await.map(drop))
        };
        match tokio::time::timeout(PING_TIMEOUT, query).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(error::log("ping", error)),
            Err(_) => {
                tracing::warn!("the database did not answer within {} ms", PING_TIMEOUT.as_millis());
                Err(StoreError::Unavailable)
            }
        }
    }

    /// Runs one operation: in a span of its own, measured as `database_operation_duration_seconds{operation}`. Logs the
    /// cause of a failure and turns it into what the port may say.
    async fn operation<T>(
        &self,
        name: &'static str,
        query: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, StoreError> {
        let start = Instant::now();
        let span = tracing::debug_span!("store", operation = name, otel.kind = "client");
        let passed = async {
            self.pass(name).await?;
            query.await
        };
        let result = passed.instrument(span).await;
        metrics::histogram!("database_operation_duration_seconds", "operation" => name).record(start.elapsed());
        result.map_err(|error| {
            if error::is_lost_connection(&error) {
                self.losses.note();
            }
            error::log(name, error)
        })
    }

    async fn pass(&self, operation: &'static str) -> Result<(), sqlx::Error> {
        match &self.gate {
            Some(gate) => gate.pass(operation).await,
            None => Ok(()),
        }
    }

    /// The state of each pool.
    pub fn pool_states(&self) -> Vec<PoolState> {
        fn state<DB: sqlx::Database>(name: &'static str, pool: &sqlx::Pool<DB>) -> PoolState {
            let (size, idle) = (pool.size() as usize, pool.num_idle());
            let max = pool.options().get_max_connections() as usize;
            // The two are read one after the other, so `idle` may be ahead of `size`.
            PoolState { name, idle, used: size.saturating_sub(idle), max }
        }
        match &self.pools {
            Pools::Sqlite { readers, writer, .. } => vec![state("readers", readers), state("writer", writer)],
            Pools::Postgres { all, .. } => vec![state("all", all)],
        }
    }

    /// Closes every connection, after the statements that run have ended.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { readers, writer, probe } => {
                probe.close().await;
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres { all, probe } => {
                probe.close().await;
                all.close().await;
            }
        }
    }

    fn read(&self) -> Pool<'_> {
        match &self.pools {
            Pools::Sqlite { readers, .. } => Pool::Sqlite(readers),
            Pools::Postgres { all, .. } => Pool::Postgres(all),
        }
    }

    fn write(&self) -> Pool<'_> {
        match &self.pools {
            Pools::Sqlite { writer, .. } => Pool::Sqlite(writer),
            Pools::Postgres { all, .. } => Pool::Postgres(all),
        }
    }
}
