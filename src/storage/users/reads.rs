//! Statements that read single users.

use std::{collections::HashMap, sync::Arc};

use api::{
    representation::Representation,
    users::{EmailAddress, User, UserLookup},
};
use serde_json::Value;
use uuid::Uuid;

use super::row::{UserRow, columns, decode, user};
use crate::storage::{
    coalescer::{Batch, Limits},
    error::Failure,
    pools::on,
    store::Store,
    types::{json_ids, json_text},
};

pub(super) const GET: &str = concat!("SELECT ", columns!(), " FROM users WHERE id = $1");

pub(super) const GET_MANY: (&str, &str) = (
    concat!("SELECT ", columns!(), " FROM users WHERE id = ANY($1)"),
    concat!("SELECT ", columns!(), " FROM users WHERE id IN (SELECT unhex(value) FROM json_each($1))"),
);

macro_rules! look_up {
    ($ids:literal, $emails:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            " FROM users WHERE id ",
            $ids,
            " UNION SELECT ",
            columns!(),
            " FROM users WHERE email_key ",
            $emails,
            " ORDER BY id"
        )
    };
}

pub(super) const LOOK_UP: (&str, &str) = (
    look_up!("= ANY($1)", "= ANY($2)"),
    look_up!("IN (SELECT unhex(value) FROM json_each($1))", "IN (SELECT value FROM json_each($2))"),
);

pub(super) struct GetUsers(pub(super) Store);

impl Batch for GetUsers {
    type Item = Uuid;
    type Output = Option<Arc<Representation<User>>>;
    type Error = Failure;

    const OPERATION: &'static str = "users.get";

    async fn run_together(&self, ids: &[Uuid]) -> Result<Vec<Option<Self::Output>>, Failure> {
        let query = |pool| async move {
            on!(pool,
                postgres db => sqlx::query_as::<_, UserRow>(GET_MANY.0).bind(ids).fetch_all(db).await,
                sqlite db => sqlx::query_as(GET_MANY.1).bind(json_ids(ids)).fetch_all(db).await
            )
        };
        let start = self.0.user_cache.as_ref().map(|cache| (cache, cache.read(ids)));
        let rows = self.0.read_anywhere(Self::OPERATION, query).await?;
        let users: HashMap<Uuid, Arc<Representation<User>>> = rows.into_iter().map(|row| (row.0, user(row))).collect();
        if let Some((cache, start)) = start {
            cache.store(&start, ids, |id| users.get(id));
        }
        Ok(ids.iter().map(|id| Some(users.get(id).cloned())).collect())
    }

    async fn run_alone(&self, id: &Uuid) -> Result<Self::Output, Failure> {
        let query =
            |pool| async move { on!(pool, db => sqlx::query_as::<_, UserRow>(GET).bind(id).fetch_optional(db).await) };
        let start = self.0.user_cache.as_ref().map(|cache| (cache, cache.read(&[*id])));
        let user = self.0.read_anywhere(Self::OPERATION, query).await?.map(user);
        if let Some((cache, start)) = start {
            cache.store(&start, &[*id], |_| user.as_ref());
        }
        Ok(user)
    }
}

pub(super) struct LookUpUsers(pub(super) Store);

impl LookUpUsers {
    /// Few lookups wait: each may have a quarter of a megabyte.
    pub(super) fn limits(store: &Store) -> Limits {
        Limits { depth: 128, ..store.distinct_read_limits() }
    }
}

/// Each request has a statement of its own: it is for many users already.
impl Batch for LookUpUsers {
    type Item = UserLookup;
    type Output = Vec<User>;
    type Error = Failure;

    const OPERATION: &'static str = "users.look_up";

    fn joins(_: &[UserLookup], _: &UserLookup) -> bool {
        false
    }

    async fn run_together(&self, lookups: &[UserLookup]) -> Result<Vec<Option<Self::Output>>, Failure> {
        Ok(lookups.iter().map(|_| None).collect())
    }

    async fn run_alone(&self, UserLookup { ids, emails }: &UserLookup) -> Result<Self::Output, Failure> {
        let emails = &emails.iter().map(EmailAddress::key).collect::<Vec<_>>();
        let query = |pool| async move {
            on!(pool,
                postgres db => sqlx::query_as::<_, UserRow>(LOOK_UP.0).bind(ids).bind(emails).fetch_all(db).await,
                sqlite db => {
                    let emails = json_text(emails.iter().cloned().map(Value::String));
                    sqlx::query_as(LOOK_UP.1).bind(json_ids(ids)).bind(emails).fetch_all(db).await
                }
            )
        };
        Ok(self.0.read_anywhere(Self::OPERATION, query).await?.into_iter().map(decode).collect())
    }
}
