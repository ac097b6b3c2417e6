//! Whether the database can be read and written. If no statement of a request succeeded of late, a probe decides: no request needed
//! one, or all failed.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection as _};
use tokio::time::timeout;

use super::{
    abilities::{Abilities, Ability},
    error_kind::is_lost_connection,
    pool_options::PING_TIMEOUT,
    pools::{Pools, on},
    store::Store,
    users,
    write::Connection,
};

/// How long an attempt may take: it prepares every statement.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

/// What is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attempt {
    Read,
    Write,
}

/// Whether the database can be read, and on PostgreSQL written, at the cost of a round trip. On SQLite it reads the file.
const PING: (&str, &str) = (
    "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::bool",
    "SELECT count(*) < 0 FROM (SELECT 1 FROM sqlite_schema LIMIT 1) AS file",
);

/// A durable write without an effect, on SQLite: it writes no page that would stay the same, except for the numbers in the head of
/// the file. One that it does not use itself gets the value that it has.
const REWRITE: &str = "PRAGMA user_version";

/// Whether commits of this role wait for a standby. They have no timeout, and keep their connections to PostgreSQL although the server
/// has closed them: each attempt would add one.
const COMMITS_WAIT: &str = "SELECT EXISTS (SELECT FROM pg_stat_activity \
    WHERE datname = current_database() AND usename = current_user AND wait_event = 'SyncRep')";

impl Abilities {
    fn needed_for(&self, attempt: Attempt) -> &Ability {
        match attempt {
            Attempt::Read => &self.reads,
            Attempt::Write => &self.writes,
        }
    }
}

impl Store {
    /// Returns the name of the first ability that the database lost, `reads` or `writes`. Takes a second at most.
    pub(crate) async fn lost_ability(&self) -> Option<&'static str> {
        let Abilities { reads, writes } = &*self.abilities;
        if matches!(&self.pools, Pools::Sqlite(database) if database.is_changed()) {
            return Some(reads.name);
        }
        for attempt in [Attempt::Read, Attempt::Write] {
            let ability = self.abilities.needed_for(attempt);
            if ability.is_failing() && !ability.is_recent() {
                self.probe(attempt).await;
                if ability.is_failing() {
                    return Some(ability.name);
                }
            }
        }
        if reads.is_recent() && writes.is_recent() {
            return None;
        }
        match timeout(PING_TIMEOUT, self.ping()).await {
            // PostgreSQL only reads, for example after a failover. New connections decide, and the log has the cause.
            Ok(Ok(true)) if !writes.is_recent() => {
                self.probe(Attempt::Write).await;
                (!writes.is_recent()).then_some(writes.name)
            }
            Ok(Ok(_)) => None,
            _ => (!reads.is_recent()).then_some(reads.name),
        }
    }

    /// Tries in the background what requests need, unless an attempt is under way, and waits for it for a moment.
    async fn probe(&self, attempt: Attempt) {
        let store = self.clone();
        let Ok(guard) = self.abilities.needed_for(attempt).probe.clone().try_lock_owned() else { return };
        let probe = tokio::spawn(async move {
            // Released also after a panic.
            let _guard = guard;
            let mut result =
                timeout(ATTEMPT_TIMEOUT, store.attempt(attempt)).await.unwrap_or(Err(sqlx::Error::PoolTimedOut));
            if let (Err(sqlx::Error::PoolTimedOut), Pools::Postgres { all, .. }) = (&result, &store.pools)
                && let Some(cause) = all.connect_error().await
            {
                result = Err(cause);
            }
            let ability = store.abilities.needed_for(attempt);
            match result {
                Ok(()) => {
                    if attempt == Attempt::Write {
                        store.pools.record_write();
                    }
                    ability.record_success();
                }
                Err(error) => ability.record_failure("ping", &error),
            }
        });
        let _ = timeout(PING_TIMEOUT, probe).await;
    }

    /// Queries the database on the reserved connection, so that a full pool does not matter. Returns whether it refuses writes.
    ///
    /// # Errors
    /// The database is unavailable.
    pub async fn ping(&self) -> Result<bool, sqlx::Error> {
        let query = async || {
            self.inject_fault("ping").await?;
            on!(self.pools.probe(),
                postgres db => sqlx::query_scalar(PING.0).fetch_one(db).await,
                sqlite db => sqlx::query_scalar(PING.1).fetch_one(db).await
            )
        };
        let result = match query().await {
            // The connection was idle: whether a new one can be opened decides.
            Err(error) if is_lost_connection(&error) => query().await,
            result => result,
        };
        // The reserved connection may lead to a server that is no longer the primary.
        if let (Ok(true), Pools::Postgres { probe, .. }) = (&result, &self.pools) {
            probe.renew();
        }
        // A success does not show that the tables can be read.
        if let Err(error) = &result {
            self.abilities.reads.record_failure("ping", error);
        }
        result
    }

    /// Tries what requests need: the schema, the privileges and the rows, and for writes durable storage.
    async fn attempt(&self, attempt: Attempt) -> Result<(), sqlx::Error> {
        self.inject_fault("ping").await?;
        self.try_statements().await?;
        if attempt == Attempt::Read {
            return users::try_read(self).await;
        }
        on!(self.pools.write(),
            // The commit of a transaction that undid all its writes is durable too.
            postgres db => async {
                if sqlx::query_scalar(COMMITS_WAIT).fetch_one(&mut *db).await? {
                    return Err(sqlx::Error::Configuration("commits wait for a synchronous standby".into()));
                }
                let mut transaction = db.begin().await?;
                let mut undone = transaction.begin().await?;
                users::try_writes(self, Connection::Postgres(&mut undone)).await?;
                undone.rollback().await?;
                transaction.commit().await
            }.await,
            sqlite db => async {
                let mut transaction = db.begin_with("BEGIN IMMEDIATE").await?;
                let mut undone = transaction.begin().await?;
                users::try_writes(self, Connection::Sqlite(&mut undone)).await?;
                undone.rollback().await?;
                let number: i64 = sqlx::query_scalar(REWRITE).fetch_one(&mut *transaction).await?;
                sqlx::query(AssertSqlSafe(format!("{REWRITE} = {number}"))).execute(&mut *transaction).await?;
                transaction.commit().await
            }.await
        )
    }
}
