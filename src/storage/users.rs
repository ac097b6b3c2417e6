//! Users in SQL. Every statement is the same text on both databases.

use api::{
    page::Page,
    store_error::StoreError,
    users::{EmailAddress, NewUser, User, UserList, UserName, UserPatch, Users},
};
use async_trait::async_trait;
use sqlx::FromRow;
use uuid::Uuid;

use super::{pools::on, store::Store, types::Micros};

const INSERT: &str = "INSERT INTO users (id, name, email, email_key, version, created_at, updated_at) \
                      VALUES ($1, $2, $3, $4, 1, $5, $5)";

const SELECT: &str = "SELECT id, name, email, version, created_at, updated_at FROM users WHERE id = $1";

/// Ids are UUIDs of version 7: their order is the order of creation, so the primary key is the index for every page.
const SELECT_PAGE: &str = "SELECT id, name, email, version, created_at, updated_at FROM users \
                           WHERE id < $1 ORDER BY id DESC LIMIT $2";

const UPDATE: &str = "UPDATE users SET name = COALESCE($2, name), email = COALESCE($3, email), \
                      email_key = COALESCE($4, email_key), version = version + 1, updated_at = $5 \
                      WHERE id = $1 RETURNING id, name, email, version, created_at, updated_at";

const DELETE: &str = "DELETE FROM users WHERE id = $1";

/// Every statement, for [`Store::check_schema`].
pub(super) const STATEMENTS: &[&str] = &[INSERT, SELECT, SELECT_PAGE, UPDATE, DELETE];

/// Returns the port on this database.
pub(super) fn port(store: Store) -> impl Users {
    SqlUsers { store }
}

struct SqlUsers {
    store: Store,
}

#[derive(FromRow)]
struct UserRow {
    id: Uuid,
    name: String,
    email: String,
    version: i64,
    created_at: Micros,
    updated_at: Micros,
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        Self {
            id: row.id,
            name: UserName(row.name),
            email: EmailAddress(row.email),
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
            version: row.version,
        }
    }
}

#[async_trait]
impl Users for SqlUsers {
    async fn create(&self, new: NewUser) -> Result<User, StoreError> {
        let now = self.store.clock.now();
        let user = User {
            id: self.store.ids.generate(),
            name: new.name,
            email: new.email,
            created_at: now,
            updated_at: now,
            version: 1,
        };
        let email_key = user.email.key();
        let query = async {
            on!(self.store.pools.write(), db => sqlx::query(INSERT)
                .bind(user.id).bind(&user.name.0).bind(&user.email.0).bind(&email_key).bind(Micros(now))
                .execute(db).await.map(drop))
        };
        self.store.operation("users.create", query).await?;
        Ok(user)
    }

    async fn get(&self, id: Uuid) -> Result<User, StoreError> {
        let query = async {
            on!(self.store.pools.read(), db => sqlx::query_as::<_, UserRow>(SELECT).bind(id).fetch_one(db).await)
        };
        self.store.operation("users.get", query).await.map(User::from)
    }

    async fn list(&self, page: Page) -> Result<UserList, StoreError> {
        let (before, rows) = page.window();
        let query = async {
            on!(self.store.pools.read(), db => sqlx::query_as::<_, UserRow>(SELECT_PAGE).bind(before).bind(rows).fetch_all(db).await)
        };
        let mut users: Vec<User> =
            self.store.operation("users.list", query).await?.into_iter().map(User::from).collect();
        let next_cursor = page.cut(&mut users, |user| user.id);
        Ok(UserList { users, next_cursor })
    }

    async fn update(&self, id: Uuid, patch: UserPatch) -> Result<User, StoreError> {
        let now = Micros(self.store.clock.now());
        let name = patch.name.map(|name| name.0);
        let email_key = patch.email.as_ref().map(EmailAddress::key);
        let email = patch.email.map(|email| email.0);
        // `fetch_all`, although there is at most one row: SQLite commits, and reports a failed commit, only when the
        // statement has run to its end. `fetch_one` stops before that.
        let query = async {
            on!(self.store.pools.write(), db => sqlx::query_as::<_, UserRow>(UPDATE)
                .bind(id).bind(&name).bind(&email).bind(&email_key).bind(now).fetch_all(db).await)
        };
        let updated = self.store.operation("users.update", query).await?;
        updated.into_iter().next().map(User::from).ok_or(StoreError::NotFound)
    }

    async fn delete(&self, id: Uuid) -> Result<(), StoreError> {
        let query = async {
            on!(self.store.pools.write(), db => sqlx::query(DELETE).bind(id).execute(db).await.map(|done| done.rows_affected()))
        };
        match self.store.operation("users.delete", query).await? {
            0 => Err(StoreError::NotFound),
            _ => Ok(()),
        }
    }
}
