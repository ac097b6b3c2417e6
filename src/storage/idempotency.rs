//! Idempotency keys: the record of a key commits with the effect of its request, so that a retry gets the same result.
//!
//! Requests with keys share transactions, as those without share statements. On PostgreSQL a transaction locks its keys, so
//! that a retry that another instance processes at the same time is refused instead of being done twice. On SQLite a
//! transaction locks the database.

use std::{slice, time::Duration};

use api::{
    idempotency::{Key, Written},
    store_error::StoreError,
    timestamp::Timestamp,
};
use chrono::{DateTime, Utc};
use serde_json::json;
use sqlx::Connection as _;
use tokio::time::{Instant, sleep, timeout_at};
use uuid::Uuid;

use super::{
    coalescer::{Batch, Limits},
    error::Failure,
    pools::{Pools, on},
    schema::Statements,
    store::Store,
    types::{Micros, hex, json_ids, json_text},
    write::{Connection, Results, Stored, Write, on_connection},
};

/// Tries to lock keys until the end of the transaction. No other kind of lock uses these numbers: 7, and 52 bits of a key.
const LOCK: &str = "SELECT pg_try_advisory_xact_lock(number) FROM UNNEST($1::bigint[]) AS lock (number)";

/// Waits until the transaction that locked keys has ended.
const WAIT: &str = "SELECT pg_advisory_xact_lock(number) FROM (SELECT number FROM UNNEST($1::bigint[]) AS lock (number) ORDER BY number) AS lock";

/// A statement of its own, after the locks: it sees what the transaction that held them before has committed.
const FIND: (&str, &str) = (
    "SELECT key, fingerprint, result FROM idempotency_keys WHERE key = ANY($1)",
    "SELECT key, fingerprint, result FROM idempotency_keys WHERE key IN (SELECT unhex(value) FROM json_each($1))",
);

const RECORD: (&str, &str) = (
    "INSERT INTO idempotency_keys (key, fingerprint, result, created_at) \
     SELECT key, fingerprint, result, $4 FROM UNNEST($1::uuid[], $2::uuid[], $3::text[]) AS item (key, fingerprint, result)",
    "INSERT INTO idempotency_keys (key, fingerprint, result, created_at) \
     SELECT unhex(value ->> 0), unhex(value ->> 1), value ->> 2, $2 FROM json_each($1)",
);

const REMOVE: &str = "DELETE FROM idempotency_keys WHERE key IN \
                      (SELECT key FROM idempotency_keys WHERE created_at < $1 ORDER BY created_at LIMIT $2)";

/// Every statement, for [`Store::check_schema`].
pub(super) const STATEMENTS: Statements = Statements {
    tables: &["idempotency_keys"],
    both: &[REMOVE],
    postgres: &[LOCK, WAIT, FIND.0, RECORD.0],
    sqlite: &[FIND.1, RECORD.1],
};

/// The maximum number of items of a transaction: each has a lock, and the table of locks of PostgreSQL is small.
const MAX_ITEMS: usize = 64;

/// The pause between the attempts to find out whether a transaction was committed.
const SETTLE_PAUSE: Duration = Duration::from_millis(200);

// ---- Writes ---------------------------------------------------------------------------------------------------------

/// A request with a key.
pub(super) struct KeyedItem<I> {
    pub(super) key: Key,
    pub(super) item: I,
    /// When the client no longer waits.
    pub(super) deadline: Instant,
}

/// Writes with idempotency keys.
pub(super) struct KeyedWrites<W>(pub(super) W);

type Output<W> = Result<Written<<W as Write>::Value>, StoreError>;
type Outputs<W> = Results<Written<<W as Write>::Value>>;

/// The key, the fingerprint and the result of a request.
type Record = (Uuid, Uuid, String);

impl<W: Write> Batch for KeyedWrites<W> {
    type Item = KeyedItem<W::Item>;
    type Output = Output<W>;
    type Error = Failure;

    const OPERATION: &'static str = W::OPERATION;

    fn joins(items: &[Self::Item], next: &Self::Item) -> bool {
        items.iter().all(|one| one.key.id != next.key.id && W::can_share(&one.item, &next.item))
    }

    async fn run_together(&self, items: &[Self::Item]) -> Result<Outputs<W>, Failure> {
        let mut outputs = Vec::new();
        match self.run(items, &mut outputs).await {
            // Before the commit, `outputs` is empty.
            Err(failure) if outputs.is_empty() => Err(failure.not_done()),
            // What SQLite could not sync, only the next process would find.
            Err(failure) if failure.outcome_is_unknown() && matches!(self.0.store().pools, Pools::Postgres { .. }) => {
                self.settle(items, outputs, failure).await
            }
            result => result.map(|()| outputs),
        }
    }

    async fn run_alone(&self, item: &Self::Item) -> Result<Self::Output, Failure> {
        match self.run_together(slice::from_ref(item)).await?.pop().flatten() {
            Some(output) => Ok(output),
            None => self.0.refusal(&item.item).await.map(Err).map_err(Failure::not_done),
        }
    }
}

impl<W: Write> KeyedWrites<W> {
    pub(super) fn limits(store: &Store) -> Limits {
        Limits { items: MAX_ITEMS, depth: W::MAX_DEPTH, ..store.write_limits() }
    }

    /// Runs one transaction. Before its commit, sets the outputs: `None` for an item that it did not process, or, if there is one
    /// item, that had no effect.
    async fn run(&self, items: &[KeyedItem<W::Item>], outputs: &mut Outputs<W>) -> Result<(), Failure> {
        let store = self.0.store();
        let query = async {
            on!(store.pools.write(),
                postgres db => {
                    let mut transaction = db.begin().await?;
                    *outputs = self.run_in(Connection::Postgres(&mut transaction), items).await?;
                    transaction.commit().await?;
                    Ok(outputs.iter().any(is_new))
                },
                sqlite pool => {
                    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
                    *outputs = self.run_in(Connection::Sqlite(&mut transaction), items).await?;
                    transaction.commit().await?;
                    Ok(outputs.iter().any(is_new))
                }
            )
        };
        let ids = W::ids(&items.iter().map(|keyed| &keyed.item).collect::<Vec<_>>());
        let _write = store.user_cache.as_ref().map(|cache| cache.write(&ids));
        store.write(W::OPERATION, query, |has_written| *has_written).await.map(drop)
    }

    async fn run_in(&self, mut db: Connection<'_>, items: &[KeyedItem<W::Item>]) -> Result<Outputs<W>, sqlx::Error> {
        let keys: Vec<_> = items.iter().map(|keyed| keyed.key).collect();
        let is_locked = lock(db.reborrow(), &keys).await?;
        let records = find(db.reborrow(), &keys).await?;
        let mut outputs: Outputs<W> = Vec::with_capacity(items.len());
        let (mut places, mut new) = (Vec::new(), Vec::new());
        for (place, (keyed, is_locked)) in items.iter().zip(is_locked).enumerate() {
            let output = if is_locked { known(keyed.key, &records)? } else { Some(Err(StoreError::KeyInUse)) };
            if output.is_none() {
                places.push(place);
                new.push(&keyed.item);
            }
            outputs.push(output);
        }
        let results = match new[..] {
            [] => return Ok(outputs),
            [item] if items.len() == 1 => vec![self.0.write_alone(db.reborrow(), item).await?.map(Ok)],
            _ => self.0.write_together(db.reborrow(), &new).await?,
        };
        let mut records = Vec::with_capacity(results.len());
        for (place, result) in places.into_iter().zip(results) {
            if let Some(Ok(value)) = &result {
                let Key { id, fingerprint } = keys[place];
                records.push((id, fingerprint, value.to_json().map_err(|error| sqlx::Error::Encode(error.into()))?));
            }
            outputs[place] = result.map(|result| result.map(Written::now));
        }
        if !records.is_empty() {
            self.record(db, records).await?;
        }
        Ok(outputs)
    }

    async fn record(&self, db: Connection<'_>, records: Vec<Record>) -> Result<(), sqlx::Error> {
        let now = Micros(self.0.store().clock.now());
        on_connection!(db,
            postgres db => {
                let keys: Vec<_> = records.iter().map(|record| record.0).collect();
                let fingerprints: Vec<_> = records.iter().map(|record| record.1).collect();
                let results: Vec<_> = records.iter().map(|record| record.2.as_str()).collect();
                sqlx::query(RECORD.0).bind(keys).bind(fingerprints).bind(results).bind(now).execute(db).await.map(drop)
            },
            sqlite db => {
                let items = records.iter().map(|(key, fingerprint, result)| json!([hex(*key), hex(*fingerprint), result]));
                sqlx::query(RECORD.1).bind(json_text(items)).bind(now).execute(db).await.map(drop)
            }
        )
    }

    /// Finds out whether a transaction was committed, if the response to the commit was lost, as long as a client waits. Nothing is
    /// repeated: the client does that.
    async fn settle(
        &self,
        items: &[KeyedItem<W::Item>],
        mut outputs: Outputs<W>,
        failure: Failure,
    ) -> Result<Outputs<W>, Failure> {
        let (keys, written): (Vec<_>, Vec<_>) = items
            .iter()
            .zip(&mut outputs)
            .filter(|(_, output)| is_new(&**output))
            .map(|(keyed, output)| (keyed.key, output))
            .unzip();
        if keys.is_empty() {
            return Ok(outputs);
        }
        let find = async {
            loop {
                match self.find_after(&keys).await {
                    Ok(records) => return records,
                    Err(_) => sleep(SETTLE_PAUSE).await,
                }
            }
        };
        let deadline = items.iter().map(|keyed| keyed.deadline).max().unwrap_or_else(Instant::now);
        let Ok(records) = timeout_at(deadline, find).await else { return Err(failure) };
        for (key, output) in keys.iter().zip(written) {
            // If the transaction was undone, another instance may have done the same request since.
            *output = Some(match known::<W::Value>(*key, &records)? {
                Some(result) => result.map(|written| Written::now(written.value)),
                None => Err(failure.clone().not_done().log(W::OPERATION)),
            });
        }
        Ok(outputs)
    }

    /// Waits until the transaction that locked these keys has ended, and reads their records.
    async fn find_after(&self, keys: &[Key]) -> Result<Vec<Record>, Failure> {
        let store = self.0.store();
        let query = async {
            on!(store.pools.write(),
                postgres db => {
                    let mut transaction = db.begin().await?;
                    sqlx::query(WAIT).bind(lock_numbers(keys)).execute(&mut *transaction).await?;
                    let records = find(Connection::Postgres(&mut transaction), keys).await?;
                    transaction.rollback().await.map(|()| records)
                },
                sqlite db => find(Connection::Sqlite(db), keys).await
            )
        };
        store.write("idempotency.settle", query, |_| false).await
    }
}

/// Whether an item was written, and not only found.
fn is_new<V>(output: &Option<Result<Written<V>, StoreError>>) -> bool {
    matches!(output, Some(Ok(written)) if !written.is_replayed)
}

/// Locks keys until the end of the transaction. Returns whether each was free.
async fn lock(db: Connection<'_>, keys: &[Key]) -> Result<Vec<bool>, sqlx::Error> {
    on_connection!(db,
        postgres db => sqlx::query_scalar(LOCK).bind(lock_numbers(keys)).fetch_all(db).await,
        // The transaction has locked the database.
        sqlite _db => Ok(vec![true; keys.len()])
    )
}

fn lock_numbers(keys: &[Key]) -> Vec<i64> {
    keys.iter().map(|key| (7 << 52) | (key.id.as_u64_pair().0 >> 12).cast_signed()).collect()
}

async fn find(db: Connection<'_>, keys: &[Key]) -> Result<Vec<Record>, sqlx::Error> {
    let ids: Vec<_> = keys.iter().map(|key| key.id).collect();
    on_connection!(db,
        postgres db => sqlx::query_as(FIND.0).bind(ids).fetch_all(db).await,
        sqlite db => sqlx::query_as(FIND.1).bind(json_ids(&ids)).fetch_all(db).await
    )
}

/// Returns what a retry of a request gets, if its key is recorded.
fn known<T: Stored>(key: Key, records: &[Record]) -> Result<Option<Result<Written<T>, StoreError>>, sqlx::Error> {
    let Some((_, fingerprint, result)) = records.iter().find(|(id, ..)| *id == key.id) else { return Ok(None) };
    if *fingerprint != key.fingerprint {
        return Ok(Some(Err(StoreError::KeyReused)));
    }
    let value = T::from_json(result).map_err(|error| sqlx::Error::Decode(error.into()))?;
    Ok(Some(Ok(Written { value, is_replayed: true })))
}

// ---- Removal --------------------------------------------------------------------------------------------------------

/// Removes keys that were recorded before this time, at most `limit`. Returns their number.
pub(super) async fn remove(store: &Store, before: DateTime<Utc>, limit: i64) -> Result<u64, sqlx::Error> {
    let before = Micros(Timestamp::new(before));
    on!(store.pools.write(), db => sqlx::query(REMOVE).bind(before).bind(limit).execute(db).await.map(|done| done.rows_affected()))
}
