//! Lost connections: once one is found broken, those that were opened before that are not used again.
//!
//! A database that restarts breaks every connection of the pool. Asking each before every use would cost a round trip per
//! request; without it, each would fail one request more after the database is back.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::time::Instant;

/// When a connection was last found broken.
#[derive(Debug)]
pub(super) struct Losses {
    start: Instant,
    /// Microseconds since `start`; 0 if there was none.
    last: AtomicU64,
}

impl Losses {
    pub(super) fn new() -> Self {
        Self { start: Instant::now(), last: AtomicU64::new(0) }
    }

    /// A connection was found broken now.
    pub(super) fn note(&self) {
        self.last.store(self.now(), Ordering::Relaxed);
    }

    /// Whether a connection of this age was opened after the last loss.
    pub(super) fn spare(&self, age: Duration) -> bool {
        let opened = self.now().saturating_sub(u64::try_from(age.as_micros()).unwrap_or(u64::MAX));
        let last = self.last.load(Ordering::Relaxed);
        last == 0 || opened > last
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_connections_older_than_the_loss_are_dropped() {
        let losses = Losses::new();
        assert!(losses.spare(Duration::from_secs(60)));
        std::thread::sleep(Duration::from_millis(2));
        losses.note();
        std::thread::sleep(Duration::from_millis(2));
        assert!(!losses.spare(Duration::from_secs(60)));
        assert!(losses.spare(Duration::ZERO));
    }
}
