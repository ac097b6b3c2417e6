//! The statements of a write, which run with an idempotency key or without.

use api::store_error::StoreError;
use sqlx::{PgConnection, SqliteConnection};
use uuid::Uuid;

use super::{
    error::Failure,
    store::{self, Store},
};

/// A connection of either database.
pub(super) enum Connection<'a> {
    Postgres(&'a mut PgConnection),
    Sqlite(&'a mut SqliteConnection),
}

impl Connection<'_> {
    /// Returns the same connection, for one of several statements.
    pub(super) fn reborrow(&mut self) -> Connection<'_> {
        match self {
            Self::Postgres(db) => Connection::Postgres(db),
            Self::Sqlite(db) => Connection::Sqlite(db),
        }
    }
}

/// Runs a query on a [`Connection`]: the same expression, which is compiled for each database, or one expression for each.
macro_rules! on_connection {
    ($connection:expr, $db:ident => $query:expr) => {
        on_connection!($connection, postgres $db => $query, sqlite $db => $query)
    };
    ($connection:expr, postgres $postgres:ident => $postgres_query:expr, sqlite $sqlite:ident => $sqlite_query:expr) => {
        match $connection {
            $crate::storage::write::Connection::Postgres($postgres) => $postgres_query,
            $crate::storage::write::Connection::Sqlite($sqlite) => $sqlite_query,
        }
    };
}
pub(super) use on_connection;

/// A result that is recorded with its key, and returned to retries.
pub(super) trait Stored: Send + Sized + 'static {
    /// Returns the result as JSON.
    fn to_json(&self) -> serde_json::Result<String>;

    /// Returns the result in this JSON.
    fn from_json(json: &str) -> serde_json::Result<Self>;
}

/// A deletion returns nothing.
impl Stored for () {
    fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }

    fn from_json(json: &str) -> serde_json::Result<Self> {
        serde_json::from_str(json)
    }
}

/// The results of several items, in their order. `None`: the statement did not process the item, and it must run alone.
pub(super) type Results<V> = Vec<Option<Result<V, StoreError>>>;

/// The statements of one kind of write.
pub(super) trait Write: Send + Sync + 'static {
    /// What a request asks for.
    type Item: Send + Sync + 'static;
    /// What a successful write returns.
    type Value: Stored;

    /// The name of the operation, in metrics and spans.
    const OPERATION: &'static str;

    /// The maximum number of items that wait for a statement.
    const MAX_DEPTH: usize = store::MAX_DEPTH;

    fn store(&self) -> &Store;

    /// Whether two items can share a statement. Two writes of one row cannot.
    fn can_share(_one: &Self::Item, _other: &Self::Item) -> bool {
        true
    }

    /// The ids of the rows that a cache may have.
    fn ids(_items: &[&Self::Item]) -> Vec<Uuid> {
        Vec::new()
    }

    /// Runs one statement for several items.
    fn write_together(
        &self,
        db: Connection<'_>,
        items: &[&Self::Item],
    ) -> impl Future<Output = Result<Results<Self::Value>, sqlx::Error>> + Send;

    /// Runs one statement for one item. `None`: it wrote nothing.
    fn write_alone(
        &self,
        db: Connection<'_>,
        item: &Self::Item,
    ) -> impl Future<Output = Result<Option<Self::Value>, sqlx::Error>> + Send;

    /// Returns why the statement for one item wrote nothing.
    fn refusal(&self, item: &Self::Item) -> impl Future<Output = Result<StoreError, Failure>> + Send;
}
