//! How far a streaming replica has to have replayed the log of the primary, and whether it has.
//!
//! A commit is acknowledged after the primary has flushed its log up to the end of the commit. A replica that has replayed up to a
//! position that the primary had flushed when a read arrived shows every write that was acknowledged before. What must stay true:
//! - The snapshot of the read is taken after the position was found to be replayed. So this is a statement of its own, before
//!   that of the read, on the same connection: another one may lead to another server, or to one that was restarted since and is
//!   not as far as it was.
//! - Positions are compared only within one history: the same cluster, database and timeline. A replica that has replayed what the
//!   former primary wrote last is not ahead of the new one. A primary that was restored from a copy of its files has an earlier
//!   position of the same timeline: a replica that is ahead of its primary has another history.

use std::time::Duration;

use sqlx::{FromRow, PgConnection};
use tokio::time::{Instant, sleep, timeout_at};

use super::postgres_pool::{Lease, PostgresPool};

/// How long a read waits for a replica to replay its position, and how often it looks.
const MAX_WAIT: Duration = Duration::from_millis(20);
const STEP: Duration = Duration::from_millis(1);

/// The cluster and the database. They are read once in a session: reading the control file takes as long as the rest.
macro_rules! history {
    () => {
        "COALESCE(NULLIF(current_setting('web_server.history', true), ''), set_config('web_server.history', \
         (SELECT concat_ws('/', system_identifier, current_database()) FROM pg_control_system()), false))"
    };
}

/// Fails on a server that is in recovery. The name of a file of the log begins with the timeline.
const POSITION: &str = concat!(
    "SELECT pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')::bigint AS lsn, ",
    history!(),
    " AS history, left(pg_walfile_name(pg_current_wal_flush_lsn()), 8) AS timeline"
);

/// The timeline is that of the receiver, which never gets ahead of a fork that the replica has passed. Without a receiver, and for a
/// role that may not see it (`pg_read_all_stats`), it is that of the last restartpoint, which is minutes old.
const REPLAYED: &str = concat!(
    "SELECT pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::bigint AS lsn, ",
    history!(),
    " AS history, upper(lpad(to_hex(COALESCE((SELECT received_tli FROM pg_stat_wal_receiver), \
     (SELECT timeline_id FROM pg_control_checkpoint()))), 8, '0')) AS timeline, pg_is_in_recovery() AS is_replica"
);

/// A place in the log of a primary, or how far a replica has replayed it.
#[derive(Debug, Clone, FromRow)]
pub(super) struct Position {
    lsn: Option<i64>,
    history: String,
    timeline: String,
    #[sqlx(default)]
    is_replica: bool,
}

/// Why a server cannot serve a read in place of the primary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotCurrent {
    #[error("it is not in recovery, so it is no replica")]
    NoReplica,
    #[error("it has another database or is of another cluster than the primary")]
    OtherHistory,
    #[error("it is on another timeline than the primary")]
    OtherTimeline,
    #[error("it has replayed what the primary does not have, which was restored: make the replica again")]
    Ahead,
    #[error("it lags: it has not replayed within {MAX_WAIT:?} what the primary had written")]
    Lags,
}

impl Position {
    /// Returns the position of the primary.
    pub(super) async fn of(primary: &PostgresPool) -> Result<Self, sqlx::Error> {
        Self::read(primary, POSITION).await
    }

    /// Returns how far a replica is.
    pub(super) async fn of_replica(replica: &PostgresPool) -> Result<Self, sqlx::Error> {
        Self::read(replica, REPLAYED).await
    }

    async fn read(server: &PostgresPool, query: &'static str) -> Result<Self, sqlx::Error> {
        let mut lease = server.acquire().await?;
        let deadline = lease.deadline();
        let query = sqlx::query_as(query).fetch_one(lease.connection());
        let result = timeout_at(deadline, Box::pin(query)).await.ok();
        lease.finish(result)
    }

    /// Whether a replica that was here before this position of the primary was read follows this primary.
    ///
    /// # Errors
    /// A replica receives only what its primary has flushed, so one that is ahead does not.
    pub(super) fn check_that_follows(&self, replayed: &Self) -> Result<(), sqlx::Error> {
        let is_ahead = self.compare(replayed).is_ok() && replayed.lsn > self.lsn;
        if is_ahead { Err(sqlx::Error::Configuration(NotCurrent::Ahead.into())) } else { Ok(()) }
    }

    /// Acquires a connection to a replica that has replayed this position.
    pub(super) async fn acquire(&self, replica: &PostgresPool) -> Result<Lease, sqlx::Error> {
        let mut lease = replica.acquire().await?;
        let deadline = lease.deadline();
        let waited = timeout_at(deadline, Box::pin(self.until_replayed(lease.connection()))).await.ok();
        match waited {
            Some(Ok(Ok(()))) => Ok(lease),
            Some(Ok(Err(cause))) => {
                lease.finish(Some(Ok(())))?;
                Err(sqlx::Error::Configuration(cause.into()))
            }
            Some(Err(error)) => lease.finish(Some(Err(error))),
            None => lease.finish(None),
        }
    }

    async fn until_replayed(&self, db: &mut PgConnection) -> Result<Result<(), NotCurrent>, sqlx::Error> {
        let end = Instant::now() + MAX_WAIT;
        loop {
            let replayed: Self = sqlx::query_as(REPLAYED).fetch_one(&mut *db).await?;
            match self.compare(&replayed) {
                Err(NotCurrent::Lags) if Instant::now() < end => sleep(STEP).await,
                result => return Ok(result),
            }
        }
    }

    fn compare(&self, replayed: &Self) -> Result<(), NotCurrent> {
        if !replayed.is_replica {
            Err(NotCurrent::NoReplica)
        } else if replayed.history != self.history {
            Err(NotCurrent::OtherHistory)
        } else if replayed.timeline != self.timeline {
            Err(NotCurrent::OtherTimeline)
        } else if replayed.lsn < self.lsn {
            Err(NotCurrent::Lags)
        } else {
            Ok(())
        }
    }
}
