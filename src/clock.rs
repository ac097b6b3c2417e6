//! The clock. Everything else receives the time from it, so that a test can control the time.

#![expect(clippy::disallowed_methods, reason = "only this file reads the system clock")]

use api::timestamp::Timestamp;
use chrono::{DateTime, Utc};

/// A clock.
pub trait Clock: Send + Sync {
    /// Returns the time in UTC, truncated to microseconds.
    fn now(&self) -> Timestamp;
}

/// The system clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::new(system_time())
    }
}

/// Returns the system time, for [`SystemClock`] and the log.
pub(crate) fn system_time() -> DateTime<Utc> {
    Utc::now()
}
