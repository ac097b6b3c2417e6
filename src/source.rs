//! The one source of time and ids. Everything else is told the time, so that a test can stop the clock.

#![expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock and makes ids")]

use std::sync::Mutex;

use api::timestamp::Timestamp;
use chrono::{DateTime, Utc};
use uuid::{ContextV7, Uuid};

/// Where time and ids come from.
pub trait Source: Send + Sync {
    /// Now, in UTC, to the microsecond.
    fn now(&self) -> Timestamp;

    /// A new UUID of version 7 (RFC 9562): greater than every one given before by this source.
    fn new_id(&self) -> Uuid;
}

/// The clock of the machine and its random numbers.
pub struct SystemSource {
    /// Counts within a millisecond, so that ids made in the same one keep their order.
    context: Mutex<ContextV7>,
}

impl SystemSource {
    /// A source of its own; one process needs one.
    pub fn new() -> Self {
        Self { context: Mutex::new(ContextV7::new()) }
    }
}

impl Default for SystemSource {
    fn default() -> Self {
        Self::new()
    }
}

/// The time of the machine, for the log and for [`SystemSource`].
pub(crate) fn system_time() -> DateTime<Utc> {
    Utc::now()
}

impl Source for SystemSource {
    fn now(&self) -> Timestamp {
        Timestamp::new(system_time())
    }

    fn new_id(&self) -> Uuid {
        let now = system_time();
        let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
        // A panic elsewhere cannot leave the counter half changed, so a poisoned lock is as good as any.
        let context = self.context.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Uuid::new_v7(uuid::Timestamp::from_unix(&*context, seconds, now.timestamp_subsec_nanos()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_of_version_7_and_ascend() {
        let source = SystemSource::new();
        let ids: Vec<_> = (0..10_000).map(|_| source.new_id()).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(ids.iter().all(|id| id.get_version_num() == 7));
    }
}
