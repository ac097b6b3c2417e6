//! Ids of resources and of requests.

#![expect(clippy::disallowed_methods, reason = "only this file generates ids")]

use std::sync::{Arc, Mutex, PoisonError};

use uuid::{ContextV7, Timestamp, Uuid};

use crate::clock::Clock;

/// Generates ids.
pub trait IdGenerator: Send + Sync {
    /// Returns a new UUID of version 7 (RFC 9562), greater than all previous ids of this generator.
    fn generate(&self) -> Uuid;

    /// Returns a random UUID (version 4), for what has no order. It costs a fifth: no clock and no lock.
    fn generate_random(&self) -> Uuid {
        Uuid::new_v4()
    }
}

/// Returns the UUID of version 7 of a time, in microseconds since 1970, with the second half of another UUID (RFC 9562,
/// section 6.2, method 3: the microseconds are a fraction of a millisecond).
pub fn uuid_v7(micros: i64, tail: Uuid) -> Uuid {
    let micros = u64::try_from(micros).unwrap_or_default();
    let time = ((micros / 1000) << 16) | 0x7000 | (micros % 1000 * 4096 / 1000);
    Uuid::from_u64_pair(time, tail.as_u64_pair().1)
}

/// Returns the time of an id of [`uuid_v7`], in microseconds since 1970.
pub fn micros_of(id: Uuid) -> i64 {
    let (time, _) = id.as_u64_pair();
    let micros = (time >> 16) * 1000 + ((time & 0xfff) * 1000).div_ceil(4096);
    i64::try_from(micros).unwrap_or(i64::MAX)
}

/// Generates ids from a clock and random numbers. One process needs one generator.
pub struct UuidV7Generator {
    clock: Arc<dyn Clock>,
    /// Counts within a millisecond, so that the ids of one millisecond are ordered.
    context: Mutex<ContextV7>,
}

impl UuidV7Generator {
    /// Returns a generator that uses this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, context: Mutex::new(ContextV7::new()) }
    }
}

impl IdGenerator for UuidV7Generator {
    fn generate(&self) -> Uuid {
        let now = self.clock.now().datetime();
        let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
        // A panic cannot leave the counter in an invalid state, so a poisoned lock is usable.
        let context = self.context.lock().unwrap_or_else(PoisonError::into_inner);
        Uuid::new_v7(Timestamp::from_unix(&*context, seconds, now.timestamp_subsec_nanos()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    #[test]
    fn an_id_of_a_time_keeps_its_microseconds() {
        let mut ids: Vec<_> =
            (0..2_000).map(|micros| uuid_v7(1_795_680_000_000_000 + micros, Uuid::new_v4())).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(ids.iter().all(|id| id.get_version_num() == 7 && id.get_variant() == uuid::Variant::RFC4122));
        for (micros, id) in (1_795_680_000_000_000..).zip(ids.drain(..)) {
            assert_eq!(micros_of(id), micros);
        }
        assert_eq!(uuid_v7(-1, Uuid::nil()).as_u64_pair(), (0x7000, 0));
    }

    #[test]
    fn ids_have_version_7_and_ascend() {
        let ids = UuidV7Generator::new(Arc::new(SystemClock));
        let ids: Vec<_> = (0..10_000).map(|_| ids.generate()).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(ids.iter().all(|id| id.get_version_num() == 7));
    }
}
