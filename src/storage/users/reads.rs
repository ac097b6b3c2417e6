//! Statements that read single users.

use std::{collections::HashMap, sync::Arc};

use api::{representation::Representation, users::User};
use uuid::Uuid;

use super::row::{UserRow, columns, user};
use crate::storage::{coalescer::Batch, error::Failure, pools::on, store::Store, types::json_ids};

pub(super) const GET: &str = concat!("SELECT ", columns!(), " FROM users WHERE id = $1");

pub(super) const GET_MANY: (&str, &str) = (
    concat!("SELECT ", columns!(), " FROM users WHERE id = ANY($1)"),
    concat!("SELECT ", columns!(), " FROM users WHERE id IN (SELECT unhex(value) FROM json_each($1))"),
);

pub(super) struct GetUsers(pub(super) Store);

impl Batch for GetUsers {
    type Item = Uuid;
    type Output = Option<Arc<Representation<User>>>;
    type Error = Failure;

    const OPERATION: &'static str = "users.get";

    async fn run_together(&self, ids: &[Uuid]) -> Result<Vec<Option<Self::Output>>, Failure> {
        let query = async {
            on!(self.0.pools.read(),
                postgres db => sqlx::query_as::<_, UserRow>(GET_MANY.0).bind(ids).fetch_all(db).await,
                sqlite db => sqlx::query_as(GET_MANY.1).bind(json_ids(ids)).fetch_all(db).await
            )
        };
        let start = self.0.user_cache.as_ref().map(|cache| (cache, cache.read(ids)));
        let rows = self.0.statement(Self::OPERATION, query).await?;
        let users: HashMap<Uuid, Arc<Representation<User>>> = rows.into_iter().map(|row| (row.0, user(row))).collect();
        if let Some((cache, start)) = start {
            cache.store(&start, ids, |id| users.get(id));
        }
        Ok(ids.iter().map(|id| Some(users.get(id).cloned())).collect())
    }

    async fn run_alone(&self, id: &Uuid) -> Result<Self::Output, Failure> {
        let query = async {
            on!(self.0.pools.read(), db => sqlx::query_as::<_, UserRow>(GET).bind(id).fetch_optional(db).await)
        };
        let start = self.0.user_cache.as_ref().map(|cache| (cache, cache.read(&[*id])));
        let user = self.0.statement(Self::OPERATION, query).await?.map(user);
        if let Some((cache, start)) = start {
            cache.store(&start, &[*id], |_| user.as_ref());
        }
        Ok(user)
    }
}
