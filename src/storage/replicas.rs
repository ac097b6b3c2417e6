//! Reads by streaming replicas of PostgreSQL, which return every write that was acknowledged before, by any instance.
//!
//! Before a read, the primary returns its position in the log: one small statement for all reads that wait. The read runs on a
//! replica that has replayed the log up to there (see `replica_position.rs`), otherwise on the primary. A replica that lags or fails
//! serves nothing until a probe finds that it is current again.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use sqlx::postgres::PgConnectOptions;
use tokio::time::{sleep, timeout};

use super::{
    coalescer::{Batch, Coalescer, Limits},
    error::Failure,
    error_kind::{is_contention, message, shows_fault},
    pool_options,
    pools::{Pool, PoolState},
    postgres_pool::PostgresPool,
    replica_position::{NotCurrent, Position},
};
use crate::{
    config::{Config, ReplicaTarget},
    telemetry::{
        metrics::{ReplicaRead, count_replica_read, record_replica},
        warning_interval::WarningIntervals,
    },
};

/// The pause between two probes of a replica.
const PROBE_INTERVAL: Duration = Duration::from_millis(500);

/// The replicas.
pub(super) struct Replicas {
    replicas: Vec<Arc<Replica>>,
    positions: Coalescer<Positions>,
    /// The maximum time that a read waits for a position.
    wait: Duration,
    next: AtomicUsize,
}

struct Replica {
    target: ReplicaTarget,
    pool: PostgresPool,
    state: Mutex<State>,
    warnings: WarningIntervals,
}

struct State {
    /// Why it serves no reads. `None`: it serves.
    problem: Option<String>,
    /// Whether the log has that.
    is_reported: bool,
}

impl Replicas {
    /// Returns the replicas of this primary. They serve reads after the first probes (see [`Self::spawn_probes`]). `None`: there
    /// are none.
    pub(super) fn open(
        config: &Config,
        options: &PgConnectOptions,
        primary: &PostgresPool,
        limits: Limits,
    ) -> Option<Self> {
        let targets = &config.database.database_replica_urls;
        let replica = |target: &ReplicaTarget| {
            let connect = pool_options::postgres(config, &target.options(options));
            // A read that gets no response has time for the primary.
            let deadline = config.deadlines.statement / 2;
            Arc::new(Replica {
                target: target.clone(),
                pool: PostgresPool::new("replica", pool_options::requests(config), connect, deadline),
                state: Mutex::new(State { problem: Some(String::new()), is_reported: true }),
                warnings: WarningIntervals::new(),
            })
        };
        (!targets.is_empty()).then(|| Self {
            replicas: targets.iter().map(replica).collect(),
            positions: Coalescer::new(Positions(primary.clone()), limits),
            wait: config.deadlines.acquire,
            next: AtomicUsize::new(0),
        })
    }

    /// Probes each replica regularly, until the pools are closed.
    pub(super) fn spawn_probes(self: &Arc<Self>) {
        for replica in &self.replicas {
            record_replica(false, 1.0);
            tokio::spawn(probe_regularly(self.clone(), replica.clone()));
        }
    }

    /// The number of replicas.
    pub(super) fn len(&self) -> usize {
        self.replicas.len()
    }

    /// Runs a statement on a replica. `None`: the primary has to run it.
    pub(super) async fn read<'a, T, Q>(&'a self, query: impl Fn(Pool<'a>) -> Q) -> Option<Result<T, sqlx::Error>>
    where
        Q: Future<Output = Result<T, sqlx::Error>>,
    {
        let result = self.try_read(query).await;
        count_replica_read(result.as_ref().err().copied().unwrap_or(ReplicaRead::Served));
        result.ok()
    }

    async fn try_read<'a, T, Q>(&'a self, query: impl Fn(Pool<'a>) -> Q) -> Result<Result<T, sqlx::Error>, ReplicaRead>
    where
        Q: Future<Output = Result<T, sqlx::Error>>,
    {
        let replica = self.next().ok_or(ReplicaRead::NoReplica)?;
        let position = self.position().await.ok_or(ReplicaRead::NoPosition)?;
        match query(Pool::replica(&replica.pool, position)).await {
            Err(error) if shows_fault(&error) => Err(match is_contention(&error) {
                // The statement was canceled, for example because it would delay the replay. Others succeed.
                true => ReplicaRead::Failed,
                false => replica.leave(&error),
            }),
            result => Ok(result),
        }
    }

    /// The next replica that serves reads.
    fn next(&self) -> Option<&Replica> {
        let start = self.next.fetch_add(1, Ordering::Relaxed);
        let count = self.replicas.len();
        let replicas = (0..count).map(|offset| &*self.replicas[start.wrapping_add(offset) % count]);
        replicas.into_iter().find(|replica| replica.state(|state| state.problem.is_none()))
    }

    /// A position of the primary that includes what it has acknowledged so far.
    async fn position(&self) -> Option<Position> {
        timeout(self.wait, self.positions.call(())).await.ok()?.ok()
    }

    /// New connections have the role and the password of these options of the primary, unless their URLs have their own.
    pub(super) fn set_connect_options(&self, config: &Config, primary: &PgConnectOptions) {
        for replica in &self.replicas {
            let options = pool_options::postgres(config, &replica.target.options(primary));
            replica.pool.inner().set_connect_options(options);
        }
    }

    /// The connections to all replicas.
    pub(super) fn pool_state(&self) -> PoolState {
        let none = PoolState { name: "replica", idle: 0, used: 0, max: 0 };
        self.replicas.iter().map(|replica| PoolState::of("replica", replica.pool.inner())).fold(none, |sum, pool| {
            PoolState { idle: sum.idle + pool.idle, used: sum.used + pool.used, max: sum.max + pool.max, ..sum }
        })
    }

    /// Closes every connection after its current statement.
    pub(super) async fn close(&self) {
        for replica in &self.replicas {
            replica.pool.close().await;
        }
    }
}

async fn probe_regularly(replicas: Arc<Replicas>, replica: Arc<Replica>) {
    while !replica.pool.inner().is_closed() {
        match probe(&replicas, &replica).await {
            Ok(true) => replica.enter(),
            Ok(false) => replica.pause(),
            Err(sqlx::Error::PoolTimedOut) => {
                let cause = replica.pool.connect_error().await;
                replica.leave(&cause.unwrap_or(sqlx::Error::PoolTimedOut));
            }
            Err(error) => drop(replica.leave(&error)),
        }
        sleep(PROBE_INTERVAL).await;
    }
}

/// Whether a replica can serve reads. Without a position of the primary, a probe shows nothing about the replica; and the primary may
/// be another one afterwards.
async fn probe(replicas: &Replicas, replica: &Replica) -> Result<bool, sqlx::Error> {
    let replayed = Position::of_replica(&replica.pool).await?;
    let Some(position) = replicas.position().await else { return Ok(false) };
    position.check_that_follows(&replayed)?;
    let lease = position.acquire(&replica.pool).await?;
    lease.finish(Some(Ok(()))).map(|()| true)
}

impl Replica {
    fn state<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The replica serves reads.
    fn enter(&self) {
        self.state(|state| {
            if state.problem.take().is_some() {
                record_replica(false, -1.0);
                record_replica(true, 1.0);
                if std::mem::take(&mut state.is_reported) {
                    tracing::info!(replica = %self.target, "a replica serves reads");
                }
            }
        });
    }

    /// The replica serves no reads until [`Self::enter`], for no reason of its own.
    fn pause(&self) {
        self.state(|state| {
            if state.problem.is_none() {
                record_replica(true, -1.0);
                record_replica(false, 1.0);
                state.problem = Some(String::new());
            }
        });
    }

    /// The replica serves no reads until [`Self::enter`]. Returns what that is in the metric.
    fn leave(&self, error: &sqlx::Error) -> ReplicaRead {
        let cause = match error {
            sqlx::Error::Configuration(cause) => cause.to_string(),
            error => message(error),
        };
        self.state(|state| {
            if state.problem.is_none() {
                record_replica(true, -1.0);
                record_replica(false, 1.0);
            }
            if state.problem.as_ref() != Some(&cause) && self.warnings.has_passed(&cause) {
                state.is_reported = true;
                tracing::warn!(replica = %self.target, cause, "a replica serves no reads: the others and the primary do");
            }
            state.problem = Some(cause);
        });
        match error {
            sqlx::Error::Configuration(cause) if cause.downcast_ref() == Some(&NotCurrent::Lags) => ReplicaRead::Lags,
            _ => ReplicaRead::Failed,
        }
    }
}

/// Reads that wait for a position share it: it is taken after all of them arrived.
struct Positions(PostgresPool);

impl Batch for Positions {
    type Item = ();
    type Output = Position;
    type Error = Failure;

    const OPERATION: &'static str = "replicas.position";

    async fn run_together(&self, reads: &[()]) -> Result<Vec<Option<Position>>, Failure> {
        let position = self.run_alone(&()).await?;
        Ok(vec![Some(position); reads.len()])
    }

    async fn run_alone(&self, (): &()) -> Result<Position, Failure> {
        Ok(Position::of(&self.0).await?)
    }
}
