//! Whether the database can be read and written. If no statement of a request succeeded of late, a probe decides: no request needed
//! one, or all failed.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection};
use tokio::time::timeout;

use super::{
    abilities::{Abilities, Ability},
    error::{is_lost_connection, lacks_privilege},
    pool_options::PING_TIMEOUT,
    pools::{Pools, on},
    store::Store,
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

const READ: &str = "SELECT 1 FROM users LIMIT 1";

/// A durable write without an effect. SQLite writes no page that would stay the same, except for the numbers in the head of the
/// file: one that it does not use itself gets the value that it has.
const WRITE: (&str, &str) = ("SELECT pg_logical_emit_message(true, 'web_server', '')", "PRAGMA user_version");

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
            // PostgreSQL says that it only reads, for example after a failover.
            Ok(Ok(reads_only)) => (reads_only && !writes.is_recent()).then_some(writes.name),
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
            let result =
                timeout(ATTEMPT_TIMEOUT, store.attempt(attempt)).await.unwrap_or(Err(sqlx::Error::PoolTimedOut));
            store.abilities.needed_for(attempt).record("ping", &result);
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
        // A success does not show that the tables can be read.
        if result.is_err() {
            self.abilities.reads.record("ping", &result);
        }
        result
    }

    /// Tries what requests need: the schema and the privileges, and for writes durable storage.
    async fn attempt(&self, attempt: Attempt) -> Result<(), sqlx::Error> {
        self.inject_fault("ping").await?;
        self.try_statements().await?;
        if attempt == Attempt::Read {
            return on!(self.pools.read(), db => sqlx::query(READ).execute(db).await.map(drop));
        }
        let written = on!(self.pools.write(),
            postgres db => sqlx::query(WRITE.0).execute(db).await.map(drop),
            sqlite db => async {
                let mut db = db.begin_with("BEGIN IMMEDIATE").await?;
                let number: i64 = sqlx::query_scalar(WRITE.1).fetch_one(&mut *db).await?;
                sqlx::query(AssertSqlSafe(format!("{} = {number}", WRITE.1))).execute(&mut *db).await?;
                db.commit().await
            }.await
        );
        match written {
            // The role may write the tables, but not such a message.
            Err(error) if lacks_privilege(&error) => Ok(()),
            written => written,
        }
    }
}
