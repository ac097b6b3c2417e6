//! The open database, and how every operation runs on it.

use std::{sync::Arc, time::Duration};

use api::{representation::Representation, users::User};
use tokio::{sync::Semaphore, time::Instant};
use tracing::Instrument;

use super::{
    abilities::{Abilities, Ability},
    cache::Cache,
    coalescer::Limits,
    error::Failure,
    error_kind::kind,
    fault_injection::FaultInjector,
    keys_in_flight::KeysInFlight,
    pools::{Pool, PoolState, Pools},
    replicas::Replicas,
};
use crate::{
    clock::Clock,
    config::{DatabaseTarget, Deadlines},
    ids::IdGenerator,
    telemetry::metrics::count_database_error,
};

/// How long a statement occupies its lane: longer than most statements take.
const LANE_TIME: Duration = Duration::from_millis(20);

/// The maximum number of items of a statement.
const MAX_ITEMS: usize = 256;

/// The maximum number of items of one operation that wait for a statement. Each waits for a request, and is small.
pub(super) const MAX_DEPTH: usize = 16_384;

/// An open database.
#[derive(Clone)]
pub struct Store {
    pub(super) pools: Pools,
    /// Whether connections share sessions of PostgreSQL: see `pooler.rs`.
    pub(super) shares_sessions: bool,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn IdGenerator>,
    pub(super) target: DatabaseTarget,
    pub(super) user_cache: Option<Arc<Cache<Representation<User>>>>,
    /// How long changes of users are kept.
    pub(super) user_changes_retention: Duration,
    /// How long the results of writes with idempotency keys are kept.
    pub(super) idempotency_keys_retention: Duration,
    pub(super) deadlines: Deadlines,
    pub(super) keys_in_flight: KeysInFlight,
    /// `None`: the primary serves every read.
    pub(super) replicas: Option<Arc<Replicas>>,
    pub(super) abilities: Arc<Abilities>,
    /// See [`Limits`]: half of the connections. The other half serves the lanes.
    pub(super) permits_beside_lanes: Arc<Semaphore>,
    pub(super) faults: Option<Arc<dyn FaultInjector>>,
}

impl Store {
    /// Whether this process created the database.
    pub fn is_new(&self) -> bool {
        matches!(&self.pools, Pools::Sqlite(database) if database.is_new)
    }

    /// Returns the same store with a fault injector.
    #[must_use]
    pub fn with_faults(self, faults: Arc<dyn FaultInjector>) -> Self {
        Self { faults: Some(faults), ..self }
    }

    /// Returns the location of the database. It displays without a password.
    pub fn target(&self) -> &DatabaseTarget {
        &self.target
    }

    /// Runs a statement that reads, in a span of its own, and measures it as `database_operation_duration_seconds{operation}`.
    pub(super) async fn read<T>(
        &self,
        operation: &'static str,
        query: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, Failure> {
        self.statement(&self.abilities.reads, operation, query, |_| true).await
    }

    /// Runs a statement that reads, as [`Self::read`]: on a replica that has every write that was acknowledged before, otherwise on
    /// the primary.
    pub(super) async fn read_anywhere<'a, T, Q>(
        &'a self,
        operation: &'static str,
        query: impl Fn(Pool<'a>) -> Q,
    ) -> Result<T, Failure>
    where
        Q: Future<Output = Result<T, sqlx::Error>>,
    {
        let read = async {
            if let Some(replicas) = &self.replicas
                && let Some(result) = replicas.read(&query).await
            {
                return result;
            }
            query(self.pools.read()).await
        };
        self.read(operation, read).await
    }

    /// Runs a statement that writes, as [`Self::read`]. It shows that the database can be written only if `has_written`.
    pub(super) async fn write<T>(
        &self,
        operation: &'static str,
        query: impl Future<Output = Result<T, sqlx::Error>>,
        has_written: impl FnOnce(&T) -> bool,
    ) -> Result<T, Failure> {
        let has_written = |value: &T| {
            let has_written = has_written(value);
            if has_written {
                self.pools.record_write();
            }
            has_written
        };
        self.statement(&self.abilities.writes, operation, query, has_written).await
    }

    async fn statement<T>(
        &self,
        ability: &Ability,
        operation: &'static str,
        query: impl Future<Output = Result<T, sqlx::Error>>,
        shows_success: impl FnOnce(&T) -> bool,
    ) -> Result<T, Failure> {
        let start = Instant::now();
        let work = async {
            self.inject_fault(operation).await?;
            query.await
        };
        let span = tracing::debug_span!("statement", db.operation.name = operation, otel.kind = "client");
        let result = work.instrument(span).await;
        metrics::histogram!("database_operation_duration_seconds", "operation" => operation).record(start.elapsed());
        match &result {
            Ok(value) if shows_success(value) => ability.record_success(),
            Ok(_) => {}
            Err(error) => {
                count_database_error(kind(error));
                ability.record_failure(operation, error);
            }
        }
        result.map_err(Failure::from)
    }

    /// The bounds of statements that read.
    pub(super) fn read_limits(&self) -> Limits {
        let beside = self.permits_beside_lanes.clone();
        // A small pool has none to spare for statements that take long.
        let connections = self.connections();
        let wait = self.deadlines.queue;
        let replicas = self.replicas.as_ref().map_or(0, |replicas| replicas.len());
        Limits {
            lanes: (connections / 4).clamp(1, 2) + replicas,
            lane_time: (connections >= 4).then_some(LANE_TIME),
            beside,
            items: MAX_ITEMS,
            depth: MAX_DEPTH,
            wait,
        }
    }

    /// The bounds of statements that read and can seldom be shared: they need more lanes.
    pub(super) fn distinct_read_limits(&self) -> Limits {
        let limits = self.read_limits();
        Limits { lanes: limits.lanes.max(self.connections() / 2), ..limits }
    }

    /// The maximum number of connections for reads.
    fn connections(&self) -> usize {
        self.pools.states().first().map_or(0, |pool| pool.max)
    }

    /// The bounds of statements that write. SQLite has one writer, so a second statement would only wait for it.
    pub(super) fn write_limits(&self) -> Limits {
        match self.pools {
            Pools::Sqlite(_) => {
                Limits { lanes: 1, lane_time: None, beside: Arc::new(Semaphore::new(1)), ..self.read_limits() }
            }
            Pools::Postgres { .. } => self.read_limits(),
        }
    }

    pub(super) async fn inject_fault(&self, operation: &'static str) -> Result<(), sqlx::Error> {
        match &self.faults {
            Some(faults) => faults.before(operation).await,
            None => Ok(()),
        }
    }

    /// Returns the state of each pool.
    pub fn pool_states(&self) -> Vec<PoolState> {
        let mut states = self.pools.states();
        states.extend(self.replicas.as_ref().map(|replicas| replicas.pool_state()));
        states
    }

    /// Closes every connection after its current statement.
    pub async fn close(&self) {
        if let Some(replicas) = &self.replicas {
            replicas.close().await;
        }
        self.pools.close().await;
    }
}
