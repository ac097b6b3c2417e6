//! Rows by id, in memory, bounded by bytes.
//!
//! What must stay true: a read never returns a row that is older than a write that was acknowledged before the read began.
//! - A write removes its rows before its statement starts, and no row is stored until the statement has ended.
//! - A row that was read is stored only if no write of it began since the read began.
//! - While changes by other processes cannot be observed, the cache is off (see `coherence.rs`). It starts empty.
//!
//! Many requests for one row that is not in the cache are one statement: the coalescer combines them.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use quick_cache::{DefaultHashBuilder, Lifecycle, Weighter, sync};
use uuid::Uuid;

use crate::telemetry::metrics::CacheMetrics;

/// The number of slots in which writes are counted. Rows that share a slot are stored a little less often.
const SLOTS: usize = 4096;

/// The expected size of a row in bytes, from which the cache computes its initial capacity.
const EXPECTED_ROW_BYTES: usize = 400;

/// What a row of the cache occupies besides itself: the key, the pointers and the counters of the cache.
const OVERHEAD_BYTES: usize = 96;

/// A row that the cache can store.
pub(super) trait Row: Send + Sync + 'static {
    /// The size in bytes, with what the row owns on the heap.
    fn bytes(&self) -> usize;
}

/// A cache of rows.
pub(super) struct Cache<T: Row> {
    rows: sync::Cache<Uuid, Arc<T>, Bytes, DefaultHashBuilder, CountEvictions>,
    writes: Mutex<Writes>,
    is_coherent: AtomicBool,
    metrics: Arc<CacheMetrics>,
}

/// The writes of rows, by a hash of the id.
struct Writes {
    /// Incremented when every row is removed.
    epoch: u64,
    slots: Box<[Slot]>,
}

#[derive(Clone, Copy, Default)]
struct Slot {
    /// The number of writes that ended.
    ended: u32,
    /// The number of writes in progress.
    in_progress: u32,
}

/// The state of the cache when a read began.
pub(super) struct ReadStart {
    epoch: u64,
    ended: Vec<u32>,
}

/// A write in progress. It ends when this is dropped.
pub(super) struct Write<'a, T: Row> {
    cache: &'a Cache<T>,
    ids: &'a [Uuid],
}

impl<T: Row> Cache<T> {
    /// Returns an empty cache that is off until [`Cache::set_coherent`]. `name` is its name in the metrics.
    pub(super) fn new(name: &'static str, max_bytes: u64) -> Self {
        let metrics = Arc::new(CacheMetrics::new(name));
        let expected = usize::try_from(max_bytes).unwrap_or(usize::MAX) / EXPECTED_ROW_BYTES;
        let evictions = CountEvictions(metrics.clone());
        Self {
            rows: sync::Cache::with(expected, max_bytes, Bytes, DefaultHashBuilder::default(), evictions),
            writes: Mutex::new(Writes { epoch: 0, slots: vec![Slot::default(); SLOTS].into() }),
            is_coherent: AtomicBool::new(false),
            metrics,
        }
    }

    /// Returns a row, if the cache has it and is on.
    pub(super) fn get(&self, id: Uuid) -> Option<Arc<T>> {
        let row = if self.is_coherent.load(Ordering::Acquire) { self.rows.get(&id) } else { None };
        self.metrics.record_request(row.is_some());
        row
    }

    /// Call this before a statement that reads rows.
    pub(super) fn read(&self, ids: &[Uuid]) -> ReadStart {
        self.writes(|writes| ReadStart {
            epoch: writes.epoch,
            ended: ids.iter().map(|id| writes.slots[slot(*id)].ended).collect(),
        })
    }

    /// Stores the rows that a statement returned for these ids, apart from those that were written in the meantime.
    pub(super) fn store<'a>(&self, start: &ReadStart, ids: &[Uuid], row: impl Fn(&Uuid) -> Option<&'a Arc<T>>) {
        // Within the lock, so that no write begins between the check and the insertion.
        self.writes(|writes| {
            if writes.epoch != start.epoch || !self.is_coherent.load(Ordering::Acquire) {
                return;
            }
            for (id, ended) in ids.iter().zip(&start.ended) {
                let slot = writes.slots[slot(*id)];
                if let Some(row) = row(id).filter(|_| slot.in_progress == 0 && slot.ended == *ended) {
                    self.rows.insert(*id, row.clone());
                }
            }
            self.metrics.record_size(self.rows.weight());
        });
    }

    /// Call this before a statement that writes rows, and drop the result when it has ended.
    pub(super) fn write<'a>(&'a self, ids: &'a [Uuid]) -> Write<'a, T> {
        self.writes(|writes| {
            for id in ids {
                writes.slots[slot(*id)].in_progress += 1;
                self.remove(*id);
            }
        });
        Write { cache: self, ids }
    }

    /// Removes rows that another process wrote.
    pub(super) fn invalidate(&self, ids: &[Uuid]) {
        self.writes(|writes| {
            for id in ids {
                let slot = &mut writes.slots[slot(*id)];
                slot.ended = slot.ended.wrapping_add(1);
                self.remove(*id);
            }
        });
    }

    /// Removes every row.
    pub(super) fn invalidate_all(&self) {
        self.writes(|writes| self.clear(writes));
    }

    /// Turns the cache on or off, according to whether changes by other processes are observed. It starts empty.
    pub(super) fn set_coherent(&self, is_coherent: bool) {
        self.writes(|writes| {
            self.is_coherent.store(is_coherent, Ordering::Release);
            self.clear(writes);
        });
    }

    fn clear(&self, writes: &mut Writes) {
        writes.epoch += 1;
        self.metrics.record_invalidations(self.rows.len());
        self.rows.clear();
        self.metrics.record_size(0);
    }

    fn remove(&self, id: Uuid) {
        if self.rows.remove(&id).is_some() {
            self.metrics.record_invalidations(1);
            self.metrics.record_size(self.rows.weight());
        }
    }

    fn writes<R>(&self, work: impl FnOnce(&mut Writes) -> R) -> R {
        // A panic cannot leave the counters in an invalid state, so a poisoned lock is usable.
        work(&mut self.writes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<T: Row> Drop for Write<'_, T> {
    fn drop(&mut self) {
        self.cache.writes(|writes| {
            for id in self.ids {
                let slot = &mut writes.slots[slot(*id)];
                slot.ended = slot.ended.wrapping_add(1);
                slot.in_progress -= 1;
            }
        });
    }
}

/// The last bits of a UUID of version 7 are random.
fn slot(id: Uuid) -> usize {
    let [.., high, low] = *id.as_bytes();
    usize::from(u16::from_be_bytes([high, low])) % SLOTS
}

/// Weighs rows by their size.
#[derive(Clone)]
struct Bytes;

impl<T: Row> Weighter<Uuid, Arc<T>> for Bytes {
    fn weight(&self, _: &Uuid, row: &Arc<T>) -> u64 {
        (row.bytes() + OVERHEAD_BYTES) as u64
    }
}

/// Counts the rows that the cache removes because it is full.
#[derive(Clone)]
struct CountEvictions(Arc<CacheMetrics>);

impl<T> Lifecycle<Uuid, Arc<T>> for CountEvictions {
    type RequestState = ();

    fn on_evict(&self, (): &mut (), _: Uuid, _: Arc<T>) {
        self.0.record_eviction();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Eq)]
    struct Version(Uuid, u32);

    impl Row for Version {
        fn bytes(&self) -> usize {
            1000
        }
    }

    fn cache() -> Cache<Version> {
        let cache = Cache::new("test", 100_000);
        cache.set_coherent(true);
        cache
    }

    fn read(cache: &Cache<Version>, start: &ReadStart, id: Uuid, version: u32) {
        let row = Arc::new(Version(id, version));
        cache.store(start, &[id], |_| Some(&row));
    }

    fn cached(cache: &Cache<Version>, id: Uuid) -> Option<u32> {
        cache.get(id).map(|row| row.1)
    }

    #[test]
    fn a_row_is_stored_and_returned() {
        let (cache, id) = (cache(), Uuid::from_u128(1));
        assert_eq!(cached(&cache, id), None);
        read(&cache, &cache.read(&[id]), id, 1);
        assert_eq!(cached(&cache, id), Some(1));
    }

    #[test]
    fn a_write_removes_the_row_and_discards_reads_that_began_before_it_ended() {
        let (cache, id) = (cache(), Uuid::from_u128(1));
        read(&cache, &cache.read(&[id]), id, 1);
        let before = cache.read(&[id]);
        let ids = [id];
        let write = cache.write(&ids);
        assert_eq!(cached(&cache, id), None);
        let during = cache.read(&[id]);
        read(&cache, &during, id, 1);
        assert_eq!(cached(&cache, id), None, "the write is in progress");
        drop(write);
        for start in [before, during] {
            read(&cache, &start, id, 1);
            assert_eq!(cached(&cache, id), None, "the row may be older than the write");
        }
        read(&cache, &cache.read(&[id]), id, 2);
        assert_eq!(cached(&cache, id), Some(2));
    }

    #[test]
    fn an_invalidation_discards_reads_that_began_before_it() {
        let (cache, id, other) = (cache(), Uuid::from_u128(1), Uuid::from_u128(2));
        for invalidate in [|cache: &Cache<Version>| cache.invalidate(&[Uuid::from_u128(1)]), Cache::invalidate_all] {
            let start = cache.read(&[id]);
            invalidate(&cache);
            read(&cache, &start, id, 1);
            assert_eq!(cached(&cache, id), None);
        }
        let start = cache.read(&[other]);
        cache.invalidate(&[id]);
        read(&cache, &start, other, 1);
        assert_eq!(cached(&cache, other), Some(1), "another row is not affected");
    }

    #[test]
    fn an_incoherent_cache_is_off_and_starts_empty() {
        let (cache, id) = (cache(), Uuid::from_u128(1));
        read(&cache, &cache.read(&[id]), id, 1);
        cache.set_coherent(false);
        assert_eq!(cached(&cache, id), None);
        read(&cache, &cache.read(&[id]), id, 1);
        cache.set_coherent(true);
        assert_eq!(cached(&cache, id), None);
    }

    #[test]
    fn the_size_is_bounded() {
        let cache = cache();
        for number in 0..1000 {
            let id = Uuid::from_u128(number);
            read(&cache, &cache.read(&[id]), id, 1);
        }
        assert!((1..=100_000).contains(&cache.rows.weight()), "{}", cache.rows.weight());
    }
}
