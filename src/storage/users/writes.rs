//! Statements that update and delete users.

use std::{collections::HashMap, sync::Arc};

use api::{
    preconditions::Versions,
    store_error::StoreError,
    timestamp::Timestamp,
    users::{EmailAddress, UserPatch},
};
use serde_json::json;
use uuid::Uuid;

use super::row::{SharedUser, UserRow, columns, decode};
use crate::storage::{
    error::Failure,
    pools::on,
    store::Store,
    types::{Micros, hex, json_text},
    write::{Connection, Results, Write, on_connection},
};

// ---- Preconditions --------------------------------------------------------------------------------------------------

/// Whether the version of a row is one of those at which the item can be written. Lists are text, `,1,2,`: PostgreSQL has
/// no arrays of lists, and SQLite has no arrays.
macro_rules! is_allowed {
    ($listed:literal, $are_excluded:literal) => {
        concat!("(", $listed, " LIKE '%,' || version || ',%') <> ", $are_excluded)
    };
}

fn listed(versions: &Versions) -> String {
    versions.listed.iter().fold(",".to_owned(), |text, version| format!("{text}{version},"))
}

/// The version of a user, and whether another one has an address.
pub(super) const REFUSAL: &str = "SELECT version, EXISTS (SELECT 1 FROM users AS other WHERE other.email_key = $2 \
    AND other.id <> $1) FROM users WHERE id = $1";

pub(super) const VERSION: &str = "SELECT version FROM users WHERE id = $1";

/// Returns the version of a user now.
async fn version(store: &Store, operation: &'static str, id: Uuid) -> Result<Option<i64>, Failure> {
    let query = async { on!(store.pools.read(), db => sqlx::query_scalar(VERSION).bind(id).fetch_optional(db).await) };
    store.read(operation, query).await
}

// ---- Update ---------------------------------------------------------------------------------------------------------

macro_rules! is_unchanged {
    ($name:literal, $email:literal) => {
        concat!("name = COALESCE(", $name, ", name) AND email = COALESCE(", $email, ", email)")
    };
}

/// A row that has the new values already keeps its version and its time. The time is that of the clock, unless the row
/// has a later one: clocks of instances differ, and a clock can be set back. `mark` is what makes the caller one of this change.
macro_rules! set {
    ($name:literal, $email:literal, $email_key:literal, $now:literal, $mark:literal, $caller:literal) => {
        concat!(
            "UPDATE users SET name = COALESCE(",
            $name,
            ", name), email = COALESCE(",
            $email,
            ", email), email_key = COALESCE(",
            $email_key,
            ", email_key), version = version + CASE WHEN ",
            is_unchanged!($name, $email),
            " THEN 0 ELSE 1 END, updated_at = CASE WHEN ",
            is_unchanged!($name, $email),
            " THEN updated_at WHEN ",
            $now,
            " > updated_at AND ",
            $now,
            " > created_at THEN ",
            $now,
            " WHEN updated_at > created_at THEN updated_at ELSE created_at END, changed_by = CASE WHEN ",
            is_unchanged!($name, $email),
            " THEN changed_by ELSE ",
            $mark,
            " || ' ' || ",
            $caller,
            " END "
        )
    };
}

/// Whether no other user has an address. Without this condition, two users that take each other's address would wait for each
/// other.
macro_rules! is_free {
    ($email_key:literal, $id:literal) => {
        concat!(
            "NOT EXISTS (SELECT 1 FROM users AS other WHERE other.email_key = ",
            $email_key,
            " AND other.id <> ",
            $id,
            ")"
        )
    };
}

macro_rules! update {
    ($mark:literal) => {
        concat!(
            set!("$2", "$3", "$4", "$5", $mark, "$8"),
            "WHERE id = $1 AND ",
            is_allowed!("$6", "$7"),
            " AND ",
            is_free!("$4", "$1"),
            " RETURNING ",
            columns!()
        )
    };
}

pub(super) const UPDATE: (&str, &str) = (update!("txid_current()"), update!("(version + 1)"));

macro_rules! update_many {
    ($mark:literal) => {
        set!("new_name", "new_email", "new_email_key", "at", $mark, "caller")
    };
}

macro_rules! is_possible {
    () => {
        concat!(is_allowed!("listed", "are_excluded"), " AND ", is_free!("new_email_key", "item_id"))
    };
}

/// Leaves out a row that another transaction has locked, so that the others do not wait for it, a version that is not
/// allowed, and an address that another user has.
pub(super) const UPDATE_MANY: (&str, &str) = (
    concat!(
        "WITH item AS (SELECT * FROM \
         UNNEST($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::bool[], $8::text[]) \
         AS item (item_id, new_name, new_email, new_email_key, at, listed, are_excluded, caller)), \
         free AS (SELECT id AS free_id FROM users WHERE id = ANY($1) FOR UPDATE SKIP LOCKED) ",
        update_many!("txid_current()"),
        "FROM item, free WHERE id = item_id AND id = free_id AND ",
        is_possible!(),
        " RETURNING ",
        columns!()
    ),
    concat!(
        update_many!("(version + 1)"),
        "FROM (SELECT unhex(value ->> 0) AS item_id, value ->> 1 AS new_name, value ->> 2 AS new_email, \
         value ->> 3 AS new_email_key, value ->> 4 AS at, value ->> 5 AS listed, value ->> 6 AS are_excluded, \
         value ->> 7 AS caller FROM json_each($1)) AS item WHERE id = item_id AND ",
        is_possible!(),
        " RETURNING ",
        columns!()
    ),
);

pub(super) struct Update {
    pub(super) id: Uuid,
    pub(super) versions: Versions,
    pub(super) patch: UserPatch,
    pub(super) now: Timestamp,
    pub(super) caller: Option<Arc<str>>,
}

impl Update {
    fn name(&self) -> Option<&str> {
        self.patch.name.as_ref().map(|name| name.0.as_str())
    }

    fn email(&self) -> Option<&str> {
        self.patch.email.as_ref().map(|email| email.0.as_str())
    }

    fn email_key(&self) -> Option<String> {
        self.patch.email.as_ref().map(EmailAddress::key)
    }
}

pub(super) struct UpdateUsers(pub(super) Store);

impl Write for UpdateUsers {
    type Item = Update;
    type Value = SharedUser;

    const OPERATION: &'static str = "users.update";

    fn store(&self) -> &Store {
        &self.0
    }

    fn can_share(one: &Update, other: &Update) -> bool {
        one.id != other.id
    }

    fn ids(updates: &[&Update]) -> Vec<Uuid> {
        updates.iter().map(|update| update.id).collect()
    }

    async fn write_together(
        &self,
        db: Connection<'_>,
        updates: &[&Update],
    ) -> Result<Results<SharedUser>, sqlx::Error> {
        let rows: Vec<UserRow> = on_connection!(db,
            postgres db => {
                let ids: Vec<_> = updates.iter().map(|update| update.id).collect();
                let names: Vec<_> = updates.iter().map(|update| update.name()).collect();
                let emails: Vec<_> = updates.iter().map(|update| update.email()).collect();
                let keys: Vec<_> = updates.iter().map(|update| update.email_key()).collect();
                let times: Vec<_> = updates.iter().map(|update| update.now.datetime()).collect();
                let listed: Vec<_> = updates.iter().map(|update| listed(&update.versions)).collect();
                let are_excluded: Vec<_> = updates.iter().map(|update| update.versions.are_excluded).collect();
                let query = sqlx::query_as(UPDATE_MANY.0).bind(ids).bind(names).bind(emails);
                let callers: Vec<_> = updates.iter().map(|update| update.caller.as_deref()).collect();
                query.bind(keys).bind(times).bind(listed).bind(are_excluded).bind(callers).fetch_all(db).await?
            },
            sqlite db => {
                let items = updates.iter().map(|update| {
                    let (name, email, key) = (update.name(), update.email(), update.email_key());
                    let micros = update.now.datetime().timestamp_micros();
                    let Versions { are_excluded, .. } = update.versions;
                    json!([hex(update.id), name, email, key, micros, listed(&update.versions), are_excluded, update.caller])
                });
                sqlx::query_as(UPDATE_MANY.1).bind(json_text(items)).fetch_all(db).await?
            }
        );
        let mut users: HashMap<Uuid, SharedUser> = rows.into_iter().map(|row| (row.0, decode(row).into())).collect();
        Ok(updates.iter().map(|update| users.remove(&update.id).map(Ok)).collect())
    }

    async fn write_alone(&self, db: Connection<'_>, update: &Update) -> Result<Option<SharedUser>, sqlx::Error> {
        // `fetch_all`, although there is at most one row: SQLite commits, and reports a failed commit, only when the
        // statement has run to its end. `fetch_one` stops before that.
        macro_rules! rows {
            ($db:ident, $statement:expr) => {
                sqlx::query_as($statement)
                    .bind(update.id)
                    .bind(update.name())
                    .bind(update.email())
                    .bind(update.email_key())
                    .bind(Micros(update.now))
                    .bind(listed(&update.versions))
                    .bind(update.versions.are_excluded)
                    .bind(update.caller.as_deref())
                    .fetch_all($db)
                    .await?
            };
        }
        let rows: Vec<UserRow> =
            on_connection!(db, postgres db => rows!(db, UPDATE.0), sqlite db => rows!(db, UPDATE.1));
        Ok(rows.into_iter().next().map(|row| decode(row).into()))
    }

    async fn refusal(&self, update: &Update) -> Result<StoreError, Failure> {
        let (id, key) = (update.id, update.email_key());
        let query = async {
            on!(self.0.pools.read(), db => sqlx::query_as(REFUSAL).bind(id).bind(key).fetch_optional(db).await)
        };
        let row: Option<(i64, bool)> = self.0.read(Self::OPERATION, query).await?;
        Ok(match row {
            None => StoreError::NotFound,
            Some((version, _)) if !update.versions.allow(version) => StoreError::PreconditionFailed(version),
            Some((_, true)) => StoreError::Conflict("email".to_owned()),
            // The user or the other one has changed since.
            Some((_, false)) => return Err(Failure::overtaken()),
        })
    }
}

// ---- Delete ---------------------------------------------------------------------------------------------------------

/// Tells the trigger of PostgreSQL who deletes, until the end of the transaction.
macro_rules! deleted_by {
    ($caller:literal) => {
        concat!("(SELECT set_config('web_server.deleted_by', COALESCE(", $caller, ", ''), true)) AS deleted_by")
    };
}

/// A trigger of SQLite deletes what is marked.
macro_rules! mark_deleted {
    ($caller:literal) => {
        concat!("UPDATE users SET changed_by = '- ' || COALESCE(", $caller, ", '')")
    };
}

pub(super) const DELETE: (&str, &str) = (
    concat!("DELETE FROM users USING ", deleted_by!("$4"), " WHERE id = $1 AND ", is_allowed!("$2", "$3")),
    concat!(mark_deleted!("$4"), " WHERE id = $1 AND ", is_allowed!("$2", "$3")),
);

/// Leaves out what [`UPDATE_MANY`] leaves out.
pub(super) const DELETE_MANY: (&str, &str) = (
    concat!(
        "WITH item AS (SELECT * FROM UNNEST($1::uuid[], $2::text[], $3::bool[]) AS item (item_id, listed, are_excluded)), \
         free AS (SELECT id AS free_id FROM users WHERE id = ANY($1) FOR UPDATE SKIP LOCKED) \
         DELETE FROM users USING item, free, ",
        deleted_by!("$4"),
        " WHERE id = item_id AND id = free_id AND ",
        is_allowed!("listed", "are_excluded"),
        " RETURNING id"
    ),
    concat!(
        mark_deleted!("$2"),
        " WHERE id IN (SELECT id FROM (SELECT unhex(value ->> 0) AS item_id, value ->> 1 AS listed, \
         value ->> 2 AS are_excluded FROM json_each($1)) AS item CROSS JOIN users WHERE id = item_id AND ",
        is_allowed!("listed", "are_excluded"),
        ") RETURNING id"
    ),
);

pub(super) struct Delete {
    pub(super) id: Uuid,
    pub(super) versions: Versions,
    pub(super) caller: Option<Arc<str>>,
}

pub(super) struct DeleteUsers(pub(super) Store);

impl Write for DeleteUsers {
    type Item = Delete;
    type Value = ();

    const OPERATION: &'static str = "users.delete";

    fn store(&self) -> &Store {
        &self.0
    }

    /// A statement has one caller.
    fn can_share(one: &Delete, other: &Delete) -> bool {
        one.id != other.id && one.caller == other.caller
    }

    fn ids(deletes: &[&Delete]) -> Vec<Uuid> {
        deletes.iter().map(|delete| delete.id).collect()
    }

    async fn write_together(&self, db: Connection<'_>, deletes: &[&Delete]) -> Result<Results<()>, sqlx::Error> {
        let caller = deletes.first().and_then(|delete| delete.caller.as_deref());
        let deleted: Vec<Uuid> = on_connection!(db,
            postgres db => {
                let listed: Vec<_> = deletes.iter().map(|delete| listed(&delete.versions)).collect();
                let are_excluded: Vec<_> = deletes.iter().map(|delete| delete.versions.are_excluded).collect();
                let query = sqlx::query_scalar(DELETE_MANY.0).bind(Self::ids(deletes)).bind(listed).bind(are_excluded);
                query.bind(caller).fetch_all(db).await?
            },
            sqlite db => {
                let items = deletes.iter().map(|Delete { id, versions, .. }| {
                    json!([hex(*id), listed(versions), versions.are_excluded])
                });
                sqlx::query_scalar(DELETE_MANY.1).bind(json_text(items)).bind(caller).fetch_all(db).await?
            }
        );
        Ok(deletes.iter().map(|delete| deleted.contains(&delete.id).then_some(Ok(()))).collect())
    }

    async fn write_alone(&self, db: Connection<'_>, delete: &Delete) -> Result<Option<()>, sqlx::Error> {
        let Delete { id, versions, caller } = delete;
        macro_rules! count {
            ($db:ident, $statement:expr) => {
                sqlx::query($statement)
                    .bind(id)
                    .bind(listed(versions))
                    .bind(versions.are_excluded)
                    .bind(caller.as_deref())
                    .execute($db)
                    .await?
                    .rows_affected()
            };
        }
        let rows = on_connection!(db, postgres db => count!(db, DELETE.0), sqlite db => count!(db, DELETE.1));
        Ok((rows > 0).then_some(()))
    }

    async fn refusal(&self, delete: &Delete) -> Result<StoreError, Failure> {
        if delete.versions.are_any() {
            return Ok(StoreError::NotFound);
        }
        let version = version(&self.0, Self::OPERATION, delete.id).await?;
        Ok(version.map_or(StoreError::NotFound, StoreError::PreconditionFailed))
    }
}
