//! Statements that read the changes of users, which triggers record.

use std::sync::Arc;

use api::{
    representation::Representation,
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

/// The id of a change is made from its time and its user. On SQLite the time is the key.
pub(super) const CHANGES: (&str, &str) = (
    "SELECT type, user_id, version, at FROM user_changes WHERE id > $1 AND id < $2 ORDER BY id LIMIT $3",
    "SELECT type, user_id, version, at FROM user_changes WHERE at >= $1 ORDER BY at LIMIT $2",
);

/// Whether a change, or one before it, is still there.
pub(super) const IS_KEPT: (&str, &str) = (
    "SELECT EXISTS (SELECT 1 FROM user_changes WHERE id <= $1)",
    "SELECT EXISTS (SELECT 1 FROM user_changes WHERE at <= $1)",
);

type ChangeRow = (String, Uuid, i64, Micros);

/// Returns the end, exclusive, of the ids of users and changes before which nothing will be committed any more. The statement
/// is one of its own: the rows must be read with a later snapshot.
pub(super) async fn complete_before(store: &Store, operation: &'static str) -> Result<Uuid, Failure> {
    if matches!(store.pools, Pools::Sqlite(_)) {
        return Ok(Uuid::max());
    }
    let query =
        async { on!(store.pools.read(), db => sqlx::query_scalar::<_, Micros>(COMPLETE_BEFORE).fetch_one(db).await) };
    let time = store.statement(operation, query).await?;
    Ok(uuid_v7(time.0.datetime().timestamp_micros(), Uuid::nil()))
}

pub(super) struct ListChanges(pub(super) Store);

impl ListChanges {
    /// Whether this change, or one before it, is still there. Changes are removed from the oldest on, so then none after it is
    /// missing.
    async fn is_kept(&self, id: Uuid) -> Result<bool, Failure> {
        let query = async {
            on!(self.0.pools.read(),
                postgres db => sqlx::query_scalar(IS_KEPT.0).bind(id).fetch_one(db).await,
                sqlite db => sqlx::query_scalar(IS_KEPT.1).bind(micros_of(id)).fetch_one(db).await
            )
        };
        self.0.statement("users.changes", query).await
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
                    .bind(start).bind(end).bind(page.rows()).fetch_all(db).await,
                sqlite db => sqlx::query_as::<_, ChangeRow>(CHANGES.1)
                    .bind(micros_of(start)).bind(page.rows() + 1).fetch_all(db).await
            )
        };
        let rows = self.0.statement(Self::OPERATION, statement).await?;
        // After the rows were read, so that none of them was removed before.
        let oldest = self.0.clock.now().datetime() - self.0.user_changes_retention;
        if let Some(after) = query.after.filter(|after| micros_of(*after) < oldest.timestamp_micros())
            && !self.is_kept(after).await?
        {
            return Ok(None);
        }
        let mut changes: Vec<_> = rows.into_iter().map(decode).filter(|change| change.id > start).collect();
        let next_cursor = page.cut(&mut changes, |change| change.id);
        Ok(Some(Arc::new(Representation::new(UserChangeList { changes, next_cursor }))))
    }
}

/// The latest change stays: later ones must have later times.
pub(super) const REMOVE_CHANGES: (&str, &str) = (
    "DELETE FROM user_changes WHERE id IN (SELECT id FROM user_changes WHERE id < $1 \
     AND id < (SELECT id FROM user_changes ORDER BY id DESC LIMIT 1) ORDER BY id LIMIT $2)",
    "DELETE FROM user_changes WHERE at IN (SELECT at FROM user_changes WHERE at < $1 \
     AND at < (SELECT max(at) FROM user_changes) ORDER BY at LIMIT $2)",
);

/// Removes changes that are older than this time, at most `limit`. Returns their number.
pub(in crate::storage) async fn remove_changes(
    store: &Store,
    before: DateTime<Utc>,
    limit: i64,
) -> Result<u64, sqlx::Error> {
    let before = before.timestamp_micros();
    on!(store.pools.write(),
        postgres db => sqlx::query(REMOVE_CHANGES.0).bind(uuid_v7(before, Uuid::nil())).bind(limit)
            .execute(db).await.map(|done| done.rows_affected()),
        sqlite db => sqlx::query(REMOVE_CHANGES.1).bind(before).bind(limit)
            .execute(db).await.map(|done| done.rows_affected())
    )
}

fn decode((kind, user_id, version, at): ChangeRow) -> UserChange {
    let id = uuid_v7(at.0.datetime().timestamp_micros(), user_id);
    let r#type = match kind.as_str() {
        "created" => UserChangeType::Created,
        "updated" => UserChangeType::Updated,
        _ => UserChangeType::Deleted,
    };
    UserChange { id, r#type, user_id, version, at: at.0 }
}
