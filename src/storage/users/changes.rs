//! Statements that read the changes of users, which triggers record.

use std::sync::Arc;

use api::{
    representation::Representation,
    timestamp::Timestamp,
    users::{UserChange, UserChangeList, UserChangeQuery, UserChangeType},
};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    ids::{micros_of, uuid_v7},
    storage::{
        coalescer::Batch,
        error::Failure,
        pools::{Pools, on},
        store::Store,
        types::Micros,
    },
};

/// On SQLite, the time of the latest change.
pub(super) const LATEST_CHANGE: &str = "SELECT max(at) FROM user_changes";

/// On PostgreSQL, the time before which every change is committed: a transaction in flight has only later times. SQLite has
/// one writer, whose changes are committed in the order of their times.
pub(super) const COMPLETE_BEFORE: &str = "SELECT user_changes_are_complete_before()";

/// The id of a change is made from its time and a number that orders the changes of one time. PostgreSQL has a row for all
/// users of a statement; on SQLite the time is the key.
pub(super) const CHANGES: (&str, &str) = (
    "SELECT type, user_id, version, at, CASE WHEN cardinality(changed_by) = 1 THEN changed_by[1] ELSE changed_by[number] END, tail \
     FROM user_changes, \
     UNNEST(user_ids, versions) WITH ORDINALITY AS change (user_id, version, number), \
     LATERAL (SELECT (number << 48) + transaction AS tail) AS place \
     WHERE at >= $1 AND (at, tail) > ($1, $2) AND at < $3 ORDER BY at, tail LIMIT $4",
    "SELECT type, user_id, version, at, changed_by, 0 FROM user_changes WHERE at > $1 ORDER BY at LIMIT $2",
);

/// Whether a change, or one before it, is still there.
pub(super) const IS_KEPT: &str = "SELECT EXISTS (SELECT 1 FROM user_changes WHERE at <= $1)";

/// The first bits of the second half of a UUID.
const VARIANT: u64 = 1 << 63;

type ChangeRow = (String, Uuid, i64, Micros, Option<String>, i64);

/// Returns the end, exclusive, of the ids of users and changes before which nothing will be committed any more. The statement
/// is one of its own: the rows must be read with a later snapshot.
pub(super) async fn complete_before(store: &Store, operation: &'static str) -> Result<Uuid, Failure> {
    if matches!(store.pools, Pools::Sqlite(_)) {
        return Ok(Uuid::max());
    }
    let query =
        async { on!(store.pools.read(), db => sqlx::query_scalar::<_, Micros>(COMPLETE_BEFORE).fetch_one(db).await) };
    let time = store.read(operation, query).await?;
    Ok(uuid_v7(time.0.datetime().timestamp_micros(), Uuid::nil()))
}

pub(super) struct ListChanges(pub(super) Store);

impl ListChanges {
    /// Whether this change, or one before it, is still there. Changes are removed from the oldest on, so then none after it is
    /// missing.
    async fn is_kept(&self, id: Uuid) -> Result<bool, Failure> {
        let query = async {
            on!(self.0.pools.read(), db => sqlx::query_scalar(IS_KEPT).bind(Micros::from(micros_of(id))).fetch_one(db).await)
        };
        self.0.read("users.changes", query).await
    }
}

/// Requests for the same page share a statement.
impl Batch for ListChanges {
    type Item = UserChangeQuery;
    /// `None`: changes after that id may have been removed.
    type Output = Option<Arc<Representation<UserChangeList>>>;
    type Error = Failure;

    const OPERATION: &'static str = "users.changes";

    fn joins(queries: &[UserChangeQuery], next: &UserChangeQuery) -> bool {
        queries.first() == Some(next)
    }

    async fn run_together(&self, queries: &[UserChangeQuery]) -> Result<Vec<Option<Self::Output>>, Failure> {
        let Some(query) = queries.first() else { return Ok(Vec::new()) };
        let list = self.run_alone(query).await?;
        Ok(vec![Some(list); queries.len()])
    }

    async fn run_alone(&self, query: &UserChangeQuery) -> Result<Self::Output, Failure> {
        let end = complete_before(&self.0, Self::OPERATION).await?;
        let (page, start) = (query.page(), query.after.unwrap_or(Uuid::nil()));
        let statement = async {
            on!(self.0.pools.read(),
                postgres db => sqlx::query_as::<_, ChangeRow>(CHANGES.0)
                    .bind(Micros::from(micros_of(start))).bind((start.as_u64_pair().1 & !VARIANT).cast_signed()).bind(Micros::from(micros_of(end))).bind(page.rows()).fetch_all(db).await,
                sqlite db => sqlx::query_as::<_, ChangeRow>(CHANGES.1)
                    .bind(micros_of(start)).bind(page.rows()).fetch_all(db).await
            )
        };
        let rows = self.0.read(Self::OPERATION, statement).await?;
        // After the rows were read, so that none of them was removed before.
        let oldest = self.0.clock.now().datetime() - self.0.user_changes_retention;
        if !start.is_nil() && micros_of(start) < oldest.timestamp_micros() && !self.is_kept(start).await? {
            return Ok(None);
        }
        let mut changes: Vec<_> = rows.into_iter().map(decode).collect();
        let next_cursor = page.cut(&mut changes, |change| change.id);
        Ok(Some(Arc::new(Representation::new(UserChangeList { changes, next_cursor }))))
    }
}

/// The latest change stays: later ones must have later times.
pub(super) const REMOVE_CHANGES: &str = "DELETE FROM user_changes WHERE at IN (SELECT at FROM user_changes WHERE at < $1 \
     AND at < (SELECT max(at) FROM user_changes) ORDER BY at LIMIT $2)";

/// Removes changes that are older than this time, at most about `limit`. Returns their number.
pub(in crate::storage) async fn remove_changes(
    store: &Store,
    before: DateTime<Utc>,
    limit: i64,
) -> Result<u64, sqlx::Error> {
    let before = Micros(Timestamp::new(before));
    on!(store.pools.write(), db => sqlx::query(REMOVE_CHANGES).bind(before).bind(limit).execute(db).await.map(|done| done.rows_affected()))
}

fn decode((kind, user_id, version, at, changed_by, tail): ChangeRow) -> UserChange {
    let tail = Uuid::from_u64_pair(0, VARIANT | tail.cast_unsigned());
    let id = uuid_v7(at.0.datetime().timestamp_micros(), tail);
    let r#type = match kind.as_str() {
        "created" => UserChangeType::Created,
        "updated" => UserChangeType::Updated,
        _ => UserChangeType::Deleted,
    };
    UserChange { id, r#type, user_id, version, at: at.0, changed_by }
}
