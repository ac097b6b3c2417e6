//! Users in SQL.
//!
//! Concurrent requests share statements (see the coalescer): each operation has a statement for several items and one for
//! a single item, which decides what the shared statement leaves out. The text of a statement is the same on both
//! databases, except where several items are bound: PostgreSQL has arrays, SQLite has JSON.

use std::{collections::HashMap, sync::Arc};

use api::{
    freshness::Freshness,
    page::Page,
    store_error::StoreError,
    timestamp::Timestamp,
    users::{EmailAddress, NewUser, User, UserList, UserName, UserPatch, Users},
};
use async_trait::async_trait;
use serde_json::json;
use uuid::Uuid;

use super::{
    cache::Row,
    coalescer::{Batch, Coalescer},
    error::Failure,
    pools::on,
    schema::Statements,
    store::Store,
    types::{Micros, hex, json_ids, json_text},
};

macro_rules! columns {
    () => {
        "id, name, email, version, created_at, updated_at"
    };
}

/// A row with the columns of `columns!`, in their order.
type UserRow = (Uuid, String, String, i64, Micros, Micros);

fn user((id, name, email, version, created_at, updated_at): UserRow) -> User {
    let (name, email) = (UserName(name), EmailAddress(email));
    User { id, name, email, created_at: created_at.0, updated_at: updated_at.0, version }
}

impl Row for User {
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.name.0.capacity() + self.email.0.capacity()
    }
}

/// Every statement, for [`Store::check_schema`].
pub(super) const STATEMENTS: Statements = Statements {
    both: &[CREATE, GET, LIST, UPDATE, DELETE],
    postgres: &[CREATE_MANY.0, GET_MANY.0, UPDATE_MANY.0, DELETE_MANY.0],
    sqlite: &[CREATE_MANY.1, GET_MANY.1, UPDATE_MANY.1, DELETE_MANY.1],
};

/// Returns the port on this database.
pub(super) fn port(store: Store) -> impl Users {
    SqlUsers {
        creates: Coalescer::new(CreateUsers(store.clone()), store.write_limits()),
        gets: Coalescer::new(GetUsers(store.clone()), store.read_limits()),
        lists: Coalescer::new(ListUsers(store.clone()), store.read_limits()),
        updates: Coalescer::new(UpdateUsers(store.clone()), store.write_limits()),
        deletes: Coalescer::new(DeleteUsers(store.clone()), store.write_limits()),
        store,
    }
}

struct SqlUsers {
    store: Store,
    creates: Coalescer<CreateUsers>,
    gets: Coalescer<GetUsers>,
    lists: Coalescer<ListUsers>,
    updates: Coalescer<UpdateUsers>,
    deletes: Coalescer<DeleteUsers>,
}

#[async_trait]
impl Users for SqlUsers {
    async fn create(&self, new: NewUser) -> Result<Arc<User>, StoreError> {
        let now = self.store.clock.now();
        let id = self.store.ids.generate();
        let user =
            Arc::new(User { id, name: new.name, email: new.email, created_at: now, updated_at: now, version: 1 });
        match self.creates.call(user.clone()).await {
            Ok(true) => Ok(user),
            Ok(false) => Err(StoreError::Conflict("email".to_owned())),
            Err(error) => Err(error.log("users.create")),
        }
    }

    async fn get(&self, id: Uuid, freshness: Freshness) -> Result<Arc<User>, StoreError> {
        let cache = self.store.user_cache.as_ref().filter(|_| freshness == Freshness::MayBeCached);
        if let Some(user) = cache.and_then(|cache| cache.get(id)) {
            return Ok(user);
        }
        let user = self.gets.call(id).await.map_err(|error| error.log("users.get"))?;
        user.ok_or(StoreError::NotFound)
    }

    async fn list(&self, page: Page) -> Result<Arc<UserList>, StoreError> {
        self.lists.call(page).await.map_err(|error| error.log("users.list"))
    }

    async fn update(&self, id: Uuid, patch: UserPatch) -> Result<Arc<User>, StoreError> {
        let update = Update { id, patch, now: self.store.clock.now() };
        let user = self.updates.call(update).await.map_err(|error| error.log("users.update"))?;
        user.ok_or(StoreError::NotFound)
    }

    async fn delete(&self, id: Uuid) -> Result<(), StoreError> {
        let deleted = self.deletes.call(id).await.map_err(|error| error.log("users.delete"))?;
        if deleted { Ok(()) } else { Err(StoreError::NotFound) }
    }
}

// ---- Create ---------------------------------------------------------------------------------------------------------

const CREATE: &str = "INSERT INTO users (id, name, email, email_key, version, created_at, updated_at) \
                      VALUES ($1, $2, $3, $4, 1, $5, $5)";

/// An address that exists is left out. The order of the keys is the same in every transaction, so that two of them cannot
/// wait for each other.
const CREATE_MANY: (&str, &str) = (
    "INSERT INTO users (id, name, email, email_key, version, created_at, updated_at) \
     SELECT id, name, email, email_key, 1, at, at \
     FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[]) AS item (id, name, email, email_key, at) \
     ORDER BY email_key ON CONFLICT (email_key) DO NOTHING RETURNING id",
    "INSERT INTO users (id, name, email, email_key, version, created_at, updated_at) \
     SELECT unhex(value ->> 0), value ->> 1, value ->> 2, value ->> 3, 1, value ->> 4, value ->> 4 \
     FROM json_each($1) WHERE true ON CONFLICT (email_key) DO NOTHING RETURNING id",
);

struct CreateUsers(Store);

impl Batch for CreateUsers {
    type Item = Arc<User>;
    /// Whether the user was created. If not, another user has the address.
    type Output = bool;
    type Error = Failure;

    const OPERATION: &'static str = "users.create";

    async fn run_together(&self, users: &[Arc<User>]) -> Result<Vec<Option<bool>>, Failure> {
        let query = async {
            on!(self.0.pools.write(),
                postgres db => {
                    let ids: Vec<_> = users.iter().map(|user| user.id).collect();
                    let names: Vec<_> = users.iter().map(|user| user.name.0.as_str()).collect();
                    let emails: Vec<_> = users.iter().map(|user| user.email.0.as_str()).collect();
                    let keys: Vec<_> = users.iter().map(|user| user.email.key()).collect();
                    let times: Vec<_> = users.iter().map(|user| user.created_at.datetime()).collect();
                    let query = sqlx::query_scalar::<_, Uuid>(CREATE_MANY.0);
                    query.bind(ids).bind(names).bind(emails).bind(keys).bind(times).fetch_all(db).await
                },
                sqlite db => {
                    let items = users.iter().map(|user| {
                        let micros = user.created_at.datetime().timestamp_micros();
                        json!([hex(user.id), user.name.0, user.email.0, user.email.key(), micros])
                    });
                    sqlx::query_scalar(CREATE_MANY.1).bind(json_text(items)).fetch_all(db).await
                }
            )
        };
        let created = self.0.statement(Self::OPERATION, query).await?;
        Ok(users.iter().map(|user| Some(created.contains(&user.id))).collect())
    }

    async fn run_alone(&self, user: &Arc<User>) -> Result<bool, Failure> {
        let query = async {
            on!(self.0.pools.write(), db => sqlx::query(CREATE)
                .bind(user.id).bind(&user.name.0).bind(&user.email.0).bind(user.email.key()).bind(Micros(user.created_at))
                .execute(db).await.map(drop))
        };
        self.0.statement(Self::OPERATION, query).await.map(|()| true)
    }
}

// ---- Get ------------------------------------------------------------------------------------------------------------

const GET: &str = concat!("SELECT ", columns!(), " FROM users WHERE id = $1");

const GET_MANY: (&str, &str) = (
    concat!("SELECT ", columns!(), " FROM users WHERE id = ANY($1)"),
    concat!("SELECT ", columns!(), " FROM users WHERE id IN (SELECT unhex(value) FROM json_each($1))"),
);

struct GetUsers(Store);

impl Batch for GetUsers {
    type Item = Uuid;
    type Output = Option<Arc<User>>;
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
        let users: HashMap<Uuid, Arc<User>> = rows.into_iter().map(|row| (row.0, Arc::new(user(row)))).collect();
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
        let user = self.0.statement(Self::OPERATION, query).await?.map(|row| Arc::new(user(row)));
        if let Some((cache, start)) = start {
            cache.store(&start, &[*id], |_| user.as_ref());
        }
        Ok(user)
    }
}

// ---- List -----------------------------------------------------------------------------------------------------------

/// Ids are UUIDs of version 7: their order is the order of creation, so the primary key is the index for every page.
const LIST: &str = concat!("SELECT ", columns!(), " FROM users WHERE id < $1 ORDER BY id DESC LIMIT $2");

struct ListUsers(Store);

/// Requests for the same page share a statement.
impl Batch for ListUsers {
    type Item = Page;
    type Output = Arc<UserList>;
    type Error = Failure;

    const OPERATION: &'static str = "users.list";

    fn joins(pages: &[Page], next: &Page) -> bool {
        pages.first() == Some(next)
    }

    async fn run_together(&self, pages: &[Page]) -> Result<Vec<Option<Arc<UserList>>>, Failure> {
        let Some(page) = pages.first() else { return Ok(Vec::new()) };
        let list = self.run_alone(page).await?;
        Ok(vec![Some(list); pages.len()])
    }

    async fn run_alone(&self, page: &Page) -> Result<Arc<UserList>, Failure> {
        let (before, rows) = page.window();
        let query = async {
            on!(self.0.pools.read(), db => sqlx::query_as::<_, UserRow>(LIST).bind(before).bind(rows).fetch_all(db).await)
        };
        let mut users: Vec<User> = self.0.statement(Self::OPERATION, query).await?.into_iter().map(user).collect();
        let next_cursor = page.cut(&mut users, |user| user.id);
        Ok(Arc::new(UserList { users, next_cursor }))
    }
}

// ---- Update ---------------------------------------------------------------------------------------------------------

const UPDATE: &str = concat!(
    "UPDATE users SET name = COALESCE($2, name), email = COALESCE($3, email), email_key = COALESCE($4, email_key), \
     version = version + 1, updated_at = $5 WHERE id = $1 RETURNING ",
    columns!()
);

macro_rules! update_many {
    () => {
        "UPDATE users SET name = COALESCE(new_name, name), email = COALESCE(new_email, email), \
         email_key = COALESCE(new_email_key, email_key), version = version + 1, updated_at = at "
    };
}

macro_rules! has_free_address {
    () => {
        "NOT EXISTS (SELECT 1 FROM users AS other WHERE other.email_key = new_email_key AND other.id <> item_id)"
    };
}

/// Leaves out a row that another transaction has locked, so that the others do not wait for it, and an address that
/// another user has.
const UPDATE_MANY: (&str, &str) = (
    concat!(
        "WITH item AS (SELECT * FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[]) \
         AS item (item_id, new_name, new_email, new_email_key, at)), \
         free AS (SELECT id AS free_id FROM users WHERE id = ANY($1) FOR UPDATE SKIP LOCKED) ",
        update_many!(),
        "FROM item, free WHERE id = item_id AND id = free_id AND ",
        has_free_address!(),
        " RETURNING ",
        columns!()
    ),
    concat!(
        update_many!(),
        "FROM (SELECT unhex(value ->> 0) AS item_id, value ->> 1 AS new_name, value ->> 2 AS new_email, \
         value ->> 3 AS new_email_key, value ->> 4 AS at FROM json_each($1)) AS item WHERE id = item_id AND ",
        has_free_address!(),
        " RETURNING ",
        columns!()
    ),
);

struct Update {
    id: Uuid,
    patch: UserPatch,
    now: Timestamp,
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

struct UpdateUsers(Store);

impl Batch for UpdateUsers {
    type Item = Update;
    type Output = Option<Arc<User>>;
    type Error = Failure;

    const OPERATION: &'static str = "users.update";

    fn joins(updates: &[Update], next: &Update) -> bool {
        updates.iter().all(|update| update.id != next.id)
    }

    async fn run_together(&self, updates: &[Update]) -> Result<Vec<Option<Self::Output>>, Failure> {
        let query = async {
            on!(self.0.pools.write(),
                postgres db => {
                    let ids: Vec<_> = updates.iter().map(|update| update.id).collect();
                    let names: Vec<_> = updates.iter().map(Update::name).collect();
                    let emails: Vec<_> = updates.iter().map(Update::email).collect();
                    let keys: Vec<_> = updates.iter().map(Update::email_key).collect();
                    let times: Vec<_> = updates.iter().map(|update| update.now.datetime()).collect();
                    let query = sqlx::query_as::<_, UserRow>(UPDATE_MANY.0);
                    query.bind(ids).bind(names).bind(emails).bind(keys).bind(times).fetch_all(db).await
                },
                sqlite db => {
                    let items = updates.iter().map(|update| {
                        let (name, email, key) = (update.name(), update.email(), update.email_key());
                        json!([hex(update.id), name, email, key, update.now.datetime().timestamp_micros()])
                    });
                    sqlx::query_as(UPDATE_MANY.1).bind(json_text(items)).fetch_all(db).await
                }
            )
        };
        let ids: Vec<_> = updates.iter().map(|update| update.id).collect();
        let _write = self.0.user_cache.as_ref().map(|cache| cache.write(&ids));
        let rows = self.0.statement(Self::OPERATION, query).await?;
        let mut users: HashMap<Uuid, Arc<User>> = rows.into_iter().map(|row| (row.0, Arc::new(user(row)))).collect();
        Ok(updates.iter().map(|update| users.remove(&update.id).map(Some)).collect())
    }

    async fn run_alone(&self, update: &Update) -> Result<Self::Output, Failure> {
        // `fetch_all`, although there is at most one row: SQLite commits, and reports a failed commit, only when the
        // statement has run to its end. `fetch_one` stops before that.
        let query = async {
            on!(self.0.pools.write(), db => sqlx::query_as::<_, UserRow>(UPDATE)
                .bind(update.id).bind(update.name()).bind(update.email()).bind(update.email_key()).bind(Micros(update.now))
                .fetch_all(db).await)
        };
        let ids = [update.id];
        let _write = self.0.user_cache.as_ref().map(|cache| cache.write(&ids));
        Ok(self.0.statement(Self::OPERATION, query).await?.into_iter().next().map(|row| Arc::new(user(row))))
    }
}

// ---- Delete ---------------------------------------------------------------------------------------------------------

const DELETE: &str = "DELETE FROM users WHERE id = $1";

const DELETE_MANY: (&str, &str) = (
    "DELETE FROM users WHERE id IN (SELECT id FROM users WHERE id = ANY($1) FOR UPDATE SKIP LOCKED) RETURNING id",
    "DELETE FROM users WHERE id IN (SELECT unhex(value) FROM json_each($1)) RETURNING id",
);

struct DeleteUsers(Store);

impl Batch for DeleteUsers {
    type Item = Uuid;
    /// Whether the user existed.
    type Output = bool;
    type Error = Failure;

    const OPERATION: &'static str = "users.delete";

    fn joins(ids: &[Uuid], next: &Uuid) -> bool {
        !ids.contains(next)
    }

    async fn run_together(&self, ids: &[Uuid]) -> Result<Vec<Option<bool>>, Failure> {
        let query = async {
            on!(self.0.pools.write(),
                postgres db => sqlx::query_scalar::<_, Uuid>(DELETE_MANY.0).bind(ids).fetch_all(db).await,
                sqlite db => sqlx::query_scalar(DELETE_MANY.1).bind(json_ids(ids)).fetch_all(db).await
            )
        };
        let _write = self.0.user_cache.as_ref().map(|cache| cache.write(ids));
        let deleted = self.0.statement(Self::OPERATION, query).await?;
        Ok(ids.iter().map(|id| deleted.contains(id).then_some(true)).collect())
    }

    async fn run_alone(&self, id: &Uuid) -> Result<bool, Failure> {
        let query = async {
            on!(self.0.pools.write(), db => sqlx::query(DELETE).bind(id).execute(db).await.map(|done| done.rows_affected()))
        };
        let ids = [*id];
        let _write = self.0.user_cache.as_ref().map(|cache| cache.write(&ids));
        Ok(self.0.statement(Self::OPERATION, query).await? > 0)
    }
}
