//! Runs the writes of a resource, with idempotency keys or without.

use std::{slice, time::Duration};

use api::{
    idempotency::{Key, Written},
    store_error::StoreError,
};

use tokio::time::Instant;

use super::{
    coalescer::{Batch, Coalescer, Limits},
    error::Failure,
    idempotency::{KeyedItem, KeyedWrites},
    keys_in_flight::KeysInFlight,
    pools::on,
    store::Store,
    write::{Connection, Results, Write},
};

/// Runs writes of one kind.
pub(super) struct Writer<W: Write> {
    writes: Coalescer<Writes<W>>,
    keyed_writes: Coalescer<KeyedWrites<W>>,
    keys: KeysInFlight,
    request_timeout: Duration,
}

impl<W: Write> Writer<W> {
    pub(super) fn new(store: &Store, statements: fn(Store) -> W) -> Self {
        Self {
            writes: Coalescer::new(
                Writes(statements(store.clone())),
                Limits { depth: W::MAX_DEPTH, ..store.write_limits() },
            ),
            keyed_writes: Coalescer::new(KeyedWrites(statements(store.clone())), KeyedWrites::<W>::limits(store)),
            keys: store.keys_in_flight.clone(),
            request_timeout: store.deadlines.request,
        }
    }

    /// Writes an item: with a key, at most once.
    pub(super) async fn call(&self, item: W::Item, key: Option<Key>) -> Result<Written<W::Value>, StoreError> {
        let Some(key) = key else {
            return self.writes.call(item).await.map_err(|error| error.log_write(W::OPERATION))?.map(Written::now);
        };
        let Some(_in_flight) = self.keys.add(key.id) else { return Err(StoreError::KeyInUse) };
        let deadline = Instant::now() + self.request_timeout;
        self.keyed_writes
            .call(KeyedItem { key, item, deadline })
            .await
            .map_err(|error| error.log_write(W::OPERATION))?
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

    async fn run_together(&self, items: &[W::Item]) -> Result<Results<W::Value>, Failure> {
        let (store, items) = (self.0.store(), items.iter().collect::<Vec<_>>());
        let query = async {
            on!(store.pools.write(),
                postgres db => self.0.write_together(Connection::Postgres(db), &items).await,
                sqlite db => self.0.write_together(Connection::Sqlite(db), &items).await
            )
        };
        let ids = W::ids(&items);
        let _write = store.user_cache.as_ref().map(|cache| cache.write(&ids));
        let has_written = |results: &Results<W::Value>| results.iter().any(|result| matches!(result, Some(Ok(_))));
        store.write(W::OPERATION, query, has_written).await
    }

    async fn run_alone(&self, item: &W::Item) -> Result<Self::Output, Failure> {
        let store = self.0.store();
        let query = async {
            on!(store.pools.write(),
                postgres db => self.0.write_alone(Connection::Postgres(db), item).await,
                sqlite db => self.0.write_alone(Connection::Sqlite(db), item).await
            )
        };
        let ids = W::ids(slice::from_ref(&item));
        let _write = store.user_cache.as_ref().map(|cache| cache.write(&ids));
        match store.write(W::OPERATION, query, Option::is_some).await? {
            Some(value) => Ok(Ok(value)),
            None => self.0.refusal(item).await.map(Err).map_err(Failure::not_done),
        }
    }
}
