//! Stale connections: after one connection broke, the connections that were opened before are not used again.
//!
//! A restart of the database breaks every connection of the pool. A test of the connection before every use would cost a
//! round trip per request; without it, each stale connection would fail one request after the database is available again. After a
//! failover that breaks no connection, because the address moved and the former primary runs as a standby, they would fail for ever.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

use tokio::time::Instant;

/// How often the connections to a server that only reads are renewed: a new one may lead to another server.
const RENEWAL_INTERVAL: Duration = Duration::from_secs(1);

/// The time at which a connection last broke.
#[derive(Debug)]
pub(super) struct StaleConnections {
    start: Instant,
    /// Microseconds since `start`; 0 if no connection broke.
    last_loss: AtomicU64,
    /// Whether a server refused a write, and none was successful since.
    is_demoted: AtomicBool,
}

impl StaleConnections {
    pub(super) fn new() -> Self {
        Self { start: Instant::now(), last_loss: AtomicU64::new(0), is_demoted: AtomicBool::new(false) }
    }

    /// Records that connections that were opened before this time broke.
    pub(super) fn record_loss(&self, time: Instant) {
        self.last_loss.fetch_max(micros(time - self.start), Ordering::Relaxed);
    }

    /// As [`Self::record_loss`], unless connections broke of late: a server that only reads accepts connections, and without this
    /// limit each write would renew all of them.
    pub(super) fn record_demotion(&self) {
        self.is_demoted.store(true, Ordering::Relaxed);
        let now = micros(self.start.elapsed());
        let last_loss = self.last_loss.load(Ordering::Relaxed);
        if last_loss == 0 || now.saturating_sub(last_loss) > micros(RENEWAL_INTERVAL) {
            self.last_loss.fetch_max(now, Ordering::Relaxed);
        }
    }

    /// Records that a write was successful. The first one after a demotion shows that the address has moved: connections that were
    /// opened before may still lead to the server that only reads, which reads would not show.
    pub(super) fn record_write(&self) {
        if self.is_demoted.load(Ordering::Relaxed) && self.is_demoted.swap(false, Ordering::Relaxed) {
            self.record_loss(Instant::now());
        }
    }

    /// Whether a connection of this age was opened after the last loss.
    pub(super) fn is_usable(&self, age: Duration) -> bool {
        let opened = micros(self.start.elapsed()).saturating_sub(micros(age));
        let last_loss = self.last_loss.load(Ordering::Relaxed);
        last_loss == 0 || opened > last_loss
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_older_than_the_loss_are_not_used() {
        let connections = StaleConnections::new();
        assert!(connections.is_usable(Duration::from_secs(60)));
        std::thread::sleep(Duration::from_millis(2));
        connections.record_loss(Instant::now());
        std::thread::sleep(Duration::from_millis(2));
        assert!(!connections.is_usable(Duration::from_secs(60)));
        assert!(connections.is_usable(Duration::ZERO));
    }

    #[test]
    fn the_first_write_after_a_demotion_renews_the_connections_since() {
        let connections = StaleConnections::new();
        connections.record_write();
        assert!(connections.is_usable(Duration::from_secs(60)));
        std::thread::sleep(Duration::from_millis(2));
        connections.record_demotion();
        std::thread::sleep(Duration::from_millis(4));
        let opened = Instant::now();
        assert!(connections.is_usable(opened.elapsed()));
        std::thread::sleep(Duration::from_millis(2));
        connections.record_write();
        assert!(!connections.is_usable(opened.elapsed()));
        std::thread::sleep(Duration::from_millis(2));
        let opened = Instant::now();
        connections.record_write();
        assert!(connections.is_usable(opened.elapsed()));
    }
}
