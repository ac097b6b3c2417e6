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
    fn ids_have_version_7_and_ascend() {
        let ids = UuidV7Generator::new(Arc::new(SystemClock));
        let ids: Vec<_> = (0..10_000).map(|_| ids.generate()).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(ids.iter().all(|id| id.get_version_num() == 7));
    }
}
