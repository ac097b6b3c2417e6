//! Statements that read users.

use std::{collections::HashMap, sync::Arc};

use api::{
    page::Page,
    representation::Representation,
    users::{User, UserList},
};
use uuid::Uuid;

use super::row::{UserRow, columns, decode, user};
use crate::storage::{coalescer::Batch, error::Failure, pools::on, store::Store, types::json_ids};

// ---- Get ------------------------------------------------------------------------------------------------------------

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

// ---- List -----------------------------------------------------------------------------------------------------------

/// Ids are UUIDs of version 7: their order is the order of creation, so the primary key is the index for every page.
pub(super) const LIST: &str = concat!("SELECT ", columns!(), " FROM users WHERE id < $1 ORDER BY id DESC LIMIT $2");

pub(super) struct ListUsers(pub(super) Store);

/// Requests for the same page share a statement.
impl Batch for ListUsers {
    type Item = Page;
    type Output = Arc<Representation<UserList>>;
    type Error = Failure;

    const OPERATION: &'static str = "users.list";

    fn joins(pages: &[Page], next: &Page) -> bool {
        pages.first() == Some(next)
    }

    async fn run_together(&self, pages: &[Page]) -> Result<Vec<Option<Arc<Representation<UserList>>>>, Failure> {
        let Some(page) = pages.first() else { return Ok(Vec::new()) };
        let list = self.run_alone(page).await?;
        Ok(vec![Some(list); pages.len()])
    }

    async fn run_alone(&self, page: &Page) -> Result<Arc<Representation<UserList>>, Failure> {
        let (before, rows) = page.window();
        let query = async {
            on!(self.0.pools.read(), db => sqlx::query_as::<_, UserRow>(LIST).bind(before).bind(rows).fetch_all(db).await)
        };
        let mut users: Vec<User> = self.0.statement(Self::OPERATION, query).await?.into_iter().map(decode).collect();
        let next_cursor = page.cut(&mut users, |user| user.id);
        Ok(Arc::new(Representation::new(UserList { users, next_cursor })))
    }
}
