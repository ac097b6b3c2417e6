//! The statement that exports users.

use api::users::User;
use uuid::Uuid;

use super::row::{UserRow, columns, decode};
use crate::storage::{error::is_unavailable, pools::on, retry::retry, store::Store};

/// The number of users of a statement.
const USERS: i64 = 1_000;

pub(super) const EXPORT: &str = concat!("SELECT ", columns!(), " FROM users WHERE id > $1 ORDER BY id LIMIT $2");

impl Store {
    /// Returns the next users after this id, in the order of ids. None: there are no more. The next statement sees the changes
    /// in the meantime: a snapshot for all statements would keep PostgreSQL from removing old rows, and SQLite from reusing its
    /// `-wal` file.
    ///
    /// # Errors
    /// The database is unavailable for some seconds, or fails.
    pub async fn users_after(&self, id: Uuid) -> Result<Vec<User>, sqlx::Error> {
        let rows = retry(
            is_unavailable,
            async || on!(self.pools.read(), db => sqlx::query_as::<_, UserRow>(EXPORT).bind(id).bind(USERS).fetch_all(db).await),
        );
        Ok(rows.await?.into_iter().map(decode).collect())
    }
}
