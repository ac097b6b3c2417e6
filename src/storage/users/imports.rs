//! Statements that import users, in transactions that are short enough for the writes of a server.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    fmt::Write,
    io::{self, ErrorKind},
    mem,
    ops::RangeInclusive,
    sync::Arc,
    time::Duration,
};

use api::users::{EmailAddress, User, UserInput};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::json;
use sqlx::{Connection, PgConnection};
use tokio::time::{Instant, sleep_until, timeout};
use uuid::Uuid;

use super::changes::LATEST_CHANGE;
use crate::{
    ids::uuid_v7,
    storage::{
        error::is_unavailable,
        pooler,
        pools::Pools,
        retry::retry,
        sqlite_database::{Access, SqliteDatabase},
        store::Store,
        types::{hex, json_ids, json_text},
    },
};

/// How long a transaction, or several without a pause, shall take: a write of a server that waits has time for its own work.
const BUSY_TIME: Duration = Duration::from_millis(90);

/// The numbers of users of a transaction.
const USERS: RangeInclusive<usize> = 50..=2_000;

/// How long SQLite is then free. SQLite has no queue of writers: one that waits tries again at intervals, which are
/// at most 25 ms long for the first 128 ms.
const SQLITE_PAUSE: Duration = Duration::from_millis(30);

/// How long a transaction may take on PostgreSQL. DATABASE_STATEMENT_TIMEOUT is for the statement of a request.
const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(60);

/// What the connection needs. With sequential scans off, which here are those of the temporary table, PostgreSQL would
/// compile each statement (jit), because its estimated cost is high.
const SETUP: &str = "SET statement_timeout = '60s'; SET jit = off; \
    CREATE TEMPORARY TABLE imported_users (number int, id uuid, name text, email text, email_key text, version bigint, \
    created_at timestamptz, updated_at timestamptz) ON COMMIT DELETE ROWS";

const COPY: &str = "COPY imported_users FROM STDIN";

/// Creates users in the order of the input, so that of two with the same address the first one is created. Requests create them
/// in the order of the addresses: if the two wait for each other, PostgreSQL ends one of them, which is repeated. New users get
/// ids of the database's clock, as by [`super::creates::CREATE_MANY`].
const IMPORT: &str = "INSERT INTO users (id, name, email, email_key, version, created_at, updated_at) \
    SELECT CASE WHEN created_at IS NULL THEN uuid_v7(at, id) ELSE id END, name, email, email_key, version, \
    COALESCE(created_at, at), COALESCE(updated_at, at) \
    FROM (SELECT *, (SELECT next_user_change()) + number * interval '1 microsecond' AS at FROM imported_users) AS item \
    ORDER BY number ON CONFLICT DO NOTHING RETURNING id, email_key";

/// As `IMPORT`, on SQLite.
pub(super) const IMPORT_SQLITE: &str = "INSERT INTO users (id, name, email, email_key, version, created_at, updated_at) \
    SELECT unhex(value ->> 0), value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6 \
    FROM json_each($1) WHERE true ON CONFLICT DO NOTHING RETURNING id, email_key";

/// On SQLite, the trigger gives a change the time of the row, or the one after the latest change if that is later. With this
/// change in front, the time is that of the import, also if the user is older.
pub(super) const ADD_LATEST_CHANGE: &str =
    "INSERT INTO user_changes (at, type, user_id, version) VALUES ($1, 'created', zeroblob(16), 1)";
pub(super) const REMOVE_LATEST_CHANGE: &str = "DELETE FROM user_changes WHERE at = $1";

/// SQLite would do this within the statement that commits, and a write that waits could not use that time.
const NO_CHECKPOINT: &str = "PRAGMA wal_autocheckpoint = 0";
const CHECKPOINT: &str = "PRAGMA wal_checkpoint(PASSIVE)";

/// The users that have one of these ids or addresses.
pub(super) const EXISTING: (&str, &str) = (
    "SELECT id, email_key FROM users WHERE id = ANY($1) \
     UNION ALL SELECT id, email_key FROM users WHERE email_key = ANY($2)",
    "SELECT id, email_key FROM users WHERE id IN (SELECT unhex(value) FROM json_each($1)) \
     UNION ALL SELECT id, email_key FROM users WHERE email_key IN (SELECT value FROM json_each($2))",
);

/// A user to import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportedUser {
    /// It gets an id and the time of the import.
    New(UserInput),
    /// It keeps its id, version and times.
    Exported(User),
}

/// Imports users, on a connection of its own.
pub struct UserImporter {
    store: Store,
    target: Target,
    size: usize,
}

enum Target {
    Sqlite {
        database: Arc<SqliteDatabase>,
        /// Differs after a write by another process.
        version: (u64, i64),
        /// How long transactions took since the last pause.
        busy: Duration,
    },
    Postgres(PgConnection),
}

/// A user with its key, and its id, of which a new one has only the second half.
struct Item<'a> {
    user: &'a ImportedUser,
    id: Uuid,
    email: &'a EmailAddress,
    key: String,
}

impl Store {
    /// Creates a few users at once. Those of which another user has the id or the address are left out.
    ///
    /// # Errors
    /// The database fails.
    pub async fn insert_users(&self, users: &[ImportedUser]) -> Result<(), sqlx::Error> {
        match &self.pools {
            Pools::Sqlite(database) => {
                let items: Vec<_> = users.iter().map(|user| Item::new(self, user)).collect();
                insert_sqlite(self, database, &items).await.map(drop)
            }
            Pools::Postgres { .. } => self.user_importer().await?.insert(users).await.map(drop),
        }
    }

    /// Prepares an import.
    ///
    /// # Errors
    /// The database is unavailable, or the role may not create temporary tables.
    pub async fn user_importer(&self) -> Result<UserImporter, sqlx::Error> {
        let target = match &self.pools {
            Pools::Sqlite(database) => {
                let lease = database.lease(Access::Write).await?;
                let result = sqlx::query(NO_CHECKPOINT).execute(lease.pool()).await;
                lease.finish(result).await?;
                Target::Sqlite { database: database.clone(), version: database.version().await?, busy: Duration::ZERO }
            }
            Pools::Postgres { .. } if self.shares_sessions => {
                return Err(sqlx::Error::Configuration(pooler::NO_IMPORT.into()));
            }
            Pools::Postgres { all, .. } => {
                let mut connection = PgConnection::connect_with(&all.inner().connect_options()).await?;
                sqlx::raw_sql(SETUP).execute(&mut connection).await?;
                Target::Postgres(connection)
            }
        };
        Ok(UserImporter { store: self.clone(), target, size: *USERS.end() })
    }
}

impl UserImporter {
    /// Returns how far the clock of the database is ahead of the clock of this process. A user with a later time would move the
    /// times of the next users ahead.
    ///
    /// # Errors
    /// The database fails.
    pub async fn clock_difference(&mut self) -> Result<TimeDelta, sqlx::Error> {
        match &mut self.target {
            Target::Sqlite { .. } => Ok(TimeDelta::zero()),
            Target::Postgres(connection) => {
                let now: DateTime<Utc> = sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(connection).await?;
                Ok(now - self.store.clock.now().datetime())
            }
        }
    }

    /// Returns for how many users the next transaction should be, so that it is short.
    pub fn transaction_size(&self) -> usize {
        self.size
    }

    /// Creates users in one transaction. Those of which another user has the id or the address are left out, as if the users
    /// were created one after another. Returns these members for each user: none if it was created.
    ///
    /// # Errors
    /// The database fails: no user was created, unless the connection was lost during the commit.
    pub async fn insert(&mut self, users: &[ImportedUser]) -> Result<Vec<Vec<&'static str>>, sqlx::Error> {
        if users.is_empty() {
            return Ok(Vec::new());
        }
        let items: Vec<_> = users.iter().map(|user| Item::new(&self.store, user)).collect();
        // The database rolled back what it reports as failed.
        let is_undone = |error: &sqlx::Error| matches!(error, sqlx::Error::Database(_)) && is_unavailable(error);
        let start = Instant::now();
        let (inserted, existing) = match &mut self.target {
            Target::Postgres(connection) => {
                retry(is_undone, async || insert_postgres(connection, &items).await).await?
            }
            Target::Sqlite { database, .. } => {
                retry(is_undone, async || insert_sqlite(&self.store, database, &items).await).await?
            }
        };
        let time = start.elapsed();
        if items.len() >= self.size || time > BUSY_TIME {
            self.size = next_size(items.len(), time);
        }
        if let Target::Sqlite { database, version, busy } = &mut self.target {
            *busy += time;
            if *busy + time > BUSY_TIME {
                let busy = mem::take(busy);
                // The users are committed: what fails now fails again in the next transaction.
                let latest = database.version().await.unwrap_or(*version);
                let before = mem::replace(version, latest);
                pause(database, if before == *version { SQLITE_PAUSE } else { busy.max(SQLITE_PAUSE) }).await;
            }
        }
        let mut inserted: HashMap<String, Uuid> = inserted.into_iter().map(|(id, key)| (key, id)).collect();
        let (ids, keys): (HashSet<Uuid>, HashSet<String>) = existing.into_iter().unzip();
        let conflicts = items.iter().map(|item| {
            // Removed, so that a later item with the same key is a conflict.
            if inserted.get(&item.key).is_some_and(|id| item.has_id(*id)) && inserted.remove(&item.key).is_some() {
                return Vec::new();
            }
            match (ids.contains(&item.id), keys.contains(&item.key)) {
                (true, true) => vec!["id", "email"],
                (true, false) => vec!["id"],
                // Or that user was deleted in the meantime.
                (false, _) => vec!["email"],
            }
        });
        Ok(conflicts.collect())
    }
}

/// Returns for how many users the next transaction should be, after one for `count` users took this time.
fn next_size(count: usize, time: Duration) -> usize {
    let size = count as u128 * BUSY_TIME.as_micros() / time.as_micros().max(1);
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    size.clamp(count / 2, count * 2).clamp(*USERS.start(), *USERS.end())
}

/// The ids and the keys of users.
type Keys = Vec<(Uuid, String)>;

async fn insert_postgres(connection: &mut PgConnection, items: &[Item<'_>]) -> Result<(Keys, Keys), sqlx::Error> {
    let mut rows = String::new();
    for (number, item) in items.iter().enumerate() {
        item.write_copy_row(number, &mut rows);
    }
    let transaction = async {
        let mut db = connection.begin().await?;
        let mut copy = db.copy_in_raw(COPY).await?;
        copy.send(rows.as_bytes()).await?;
        copy.finish().await?;
        let inserted: Keys = sqlx::query_as(IMPORT).fetch_all(&mut *db).await?;
        let existing = if inserted.len() < items.len() {
            let ids: Vec<_> = items.iter().map(|item| item.id).collect();
            let keys: Vec<_> = items.iter().map(|item| item.key.as_str()).collect();
            sqlx::query_as(EXISTING.0).bind(ids).bind(keys).fetch_all(&mut *db).await?
        } else {
            Keys::new()
        };
        db.commit().await?;
        Ok((inserted, existing))
    };
    let result = timeout(TRANSACTION_TIMEOUT, transaction).await;
    result.unwrap_or_else(|_| Err(sqlx::Error::Io(io::Error::new(ErrorKind::TimedOut, "no response within 60s"))))
}

async fn insert_sqlite(
    store: &Store,
    database: &SqliteDatabase,
    items: &[Item<'_>],
) -> Result<(Keys, Keys), sqlx::Error> {
    let lease = database.lease(Access::Write).await?;
    let transaction = async {
        let mut db = lease.pool().begin_with("BEGIN IMMEDIATE").await?;
        let latest: Option<i64> = sqlx::query_scalar(LATEST_CHANGE).fetch_one(&mut *db).await?;
        let now = store.clock.now().datetime().timestamp_micros().max(latest.map_or(0, |latest| latest + 1));
        sqlx::query(ADD_LATEST_CHANGE).bind(now).execute(&mut *db).await?;
        let rows = items.iter().zip(now + 1..).map(|(item, time)| item.json_row(time));
        let inserted: Keys = sqlx::query_as(IMPORT_SQLITE).bind(json_text(rows)).fetch_all(&mut *db).await?;
        sqlx::query(REMOVE_LATEST_CHANGE).bind(now).execute(&mut *db).await?;
        let existing = if inserted.len() < items.len() {
            let ids: Vec<_> = items.iter().map(|item| item.id).collect();
            let keys = json_text(items.iter().map(|item| item.key.as_str().into()));
            sqlx::query_as(EXISTING.1).bind(json_ids(&ids)).bind(keys).fetch_all(&mut *db).await?
        } else {
            Keys::new()
        };
        db.commit().await?;
        Ok((inserted, existing))
    };
    let result = transaction.await;
    lease.finish(result).await
}

/// Leaves the database to other writers for a time, in which the `-wal` file is copied into it: that needs no lock.
async fn pause(database: &SqliteDatabase, time: Duration) {
    let end = Instant::now() + time;
    if let Ok(lease) = database.lease(Access::Write).await {
        // As when SQLite does it after a commit, an error is ignored: the next one does it.
        let _ = sqlx::query(CHECKPOINT).execute(lease.pool()).await;
    }
    sleep_until(end).await;
}

impl<'a> Item<'a> {
    fn new(store: &Store, user: &'a ImportedUser) -> Self {
        let (id, email) = match user {
            ImportedUser::New(new) => (store.ids.generate_random(), &new.email),
            ImportedUser::Exported(user) => (user.id, &user.email),
        };
        Self { user, id, email, key: email.key() }
    }

    /// The row as JSON. A new user gets this time, in microseconds.
    fn json_row(&self, now: i64) -> serde_json::Value {
        let (name, version, times) = self.columns();
        let (created_at, updated_at) = times.unwrap_or((now, now));
        let id = if times.is_none() { uuid_v7(now, self.id) } else { self.id };
        json!([hex(id), name, self.email.0, self.key, version, created_at, updated_at])
    }

    /// Writes the row in the text format of COPY. The times of a new user are null.
    fn write_copy_row(&self, number: usize, rows: &mut String) {
        let (name, version, times) = self.columns();
        let [name, email, key] = [name, &self.email.0, &self.key].map(escaped);
        let time = |micros| DateTime::from_timestamp_micros(micros).unwrap_or_default();
        let time = |micros| time(micros).to_rfc3339_opts(SecondsFormat::Micros, true);
        let [created_at, updated_at] = match times {
            Some((created_at, updated_at)) => [time(created_at), time(updated_at)],
            None => ["\\N".to_owned(), "\\N".to_owned()],
        };
        let id = self.id;
        // A string accepts every write.
        let _ = writeln!(rows, "{number}\t{id}\t{name}\t{email}\t{key}\t{version}\t{created_at}\t{updated_at}");
    }

    fn has_id(&self, id: Uuid) -> bool {
        match self.user {
            ImportedUser::New(_) => self.id.as_u64_pair().1 == id.as_u64_pair().1,
            ImportedUser::Exported(_) => self.id == id,
        }
    }

    /// The name, the version, and the times of creation and of the last change in microseconds.
    fn columns(&self) -> (&str, i64, Option<(i64, i64)>) {
        match self.user {
            ImportedUser::New(new) => (&new.name.0, 1, None),
            ImportedUser::Exported(user) => {
                let [created_at, updated_at] =
                    [user.created_at, user.updated_at].map(|time| time.datetime().timestamp_micros());
                (&user.name.0, user.version, Some((created_at, updated_at)))
            }
        }
    }
}

/// Escapes a text for the text format of COPY.
fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(['\\', '\t', '\n', '\r']) {
        return text.into();
    }
    text.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_is_as_long_as_it_should_be() {
        for (count, milliseconds, expected) in [
            (2_000, 40, 2_000),
            (2_000, 90, 2_000),
            (2_000, 100, 1_800),
            (2_000, 900, 1_000),
            (100, 900, 50),
            (50, 900, 50),
            (100, 50, 180),
            (100, 0, 200),
            (1, 1, 50),
        ] {
            assert_eq!(next_size(count, Duration::from_millis(milliseconds)), expected, "{count} in {milliseconds} ms");
        }
    }
}
