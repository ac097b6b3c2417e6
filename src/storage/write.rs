//! Writes of a resource: with an idempotency key or without, they run the same statements.

use std::slice;

use api::{
    idempotency::{Key, Written},
    store_error::StoreError,
};
use sqlx::{PgConnection, SqliteConnection};
use uuid::Uuid;

use super::{
    coalescer::{Batch, Coalescer},
    error::Failure,
    idempotency::{KeyedItem, KeyedWrites, KeysInFlight, Stored},
    pools::on,
    store::Store,
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

/// Runs writes of one kind.
pub(super) struct Writer<W: Write> {
    writes: Coalescer<Writes<W>>,
    keyed_writes: Coalescer<KeyedWrites<W>>,
    keys: KeysInFlight,
}

impl<W: Write> Writer<W> {
    pub(super) fn new(store: &Store, statements: fn(Store) -> W) -> Self {
        Self {
            writes: Coalescer::new(Writes(statements(store.clone())), store.write_limits()),
            keyed_writes: Coalescer::new(KeyedWrites(statements(store.clone())), KeyedWrites::<W>::limits(store)),
            keys: store.keys_in_flight.clone(),
        }
    }

    /// Writes an item: with a key, at most once.
    pub(super) async fn call(&self, item: W::Item, key: Option<Key>) -> Result<Written<W::Value>, StoreError> {
        let Some(key) = key else {
            return self.writes.call(item).await.map_err(|error| error.log(W::OPERATION))?.map(Written::now);
        };
        let Some(_in_flight) = self.keys.add(key.id) else { return Err(StoreError::KeyInUse) };
        self.keyed_writes.call(KeyedItem { key, item }).await.map_err(|error| error.log(W::OPERATION))?
    }
}

/// Writes without idempotency keys.
struct Writes<W>(W);

impl<W: Write> Batch for Writes<W> {
    type Item = W::Item;
    type Output = Result<W::Value, StoreError>;
    type Error = Failure;

    const OPERATION: &'static str = W::OPERATION;

    fn joins(items: &[W::Item], next: &W::Item) -> bool {
        items.iter().all(|item| W::can_share(item, next))
    }

    async fn run_together(&self, items: &[W::Item]) -> Result<Vec<Option<Self::Output>>, Failure> {
        let (store, items) = (self.0.store(), items.iter().collect::<Vec<_>>());
        let query = async {
            on!(store.pools.write(),
                postgres db => self.0.write_together(Connection::Postgres(db), &items).await,
                sqlite pool => {
                    let mut db = pool.acquire().await?;
                    self.0.write_together(Connection::Sqlite(&mut db), &items).await
                }
            )
        };
        let ids = W::ids(&items);
        let _write = store.user_cache.as_ref().map(|cache| cache.write(&ids));
        store.statement(W::OPERATION, query).await
    }

    async fn run_alone(&self, item: &W::Item) -> Result<Self::Output, Failure> {
        let store = self.0.store();
        let query = async {
            on!(store.pools.write(),
                postgres db => self.0.write_alone(Connection::Postgres(db), item).await,
                sqlite pool => {
                    let mut db = pool.acquire().await?;
                    self.0.write_alone(Connection::Sqlite(&mut db), item).await
                }
            )
        };
        let ids = W::ids(slice::from_ref(&item));
        let _write = store.user_cache.as_ref().map(|cache| cache.write(&ids));
        match store.statement(W::OPERATION, query).await? {
            Some(value) => Ok(Ok(value)),
            None => self.0.refusal(item).await.map(Err),
        }
    }
}
