//! What the statements of late show about the database: whether it can be read, and whether it can be written.
//!
//! While statements succeed, the database works, whatever a probe would find (see `probes.rs`).

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Mutex, time::Instant};

use super::error::{is_contention, is_grave, is_unavailable, message};
use crate::telemetry::warning_interval::WarningInterval;

/// How long a success shows that the database works.
const RECENT: Duration = Duration::from_secs(1);

/// What a database can do.
#[derive(Debug)]
pub(super) struct Ability {
    pub(super) name: &'static str,
    start: Instant,
    /// Microseconds from `start` to the last success, and the number of failures since. 0: none.
    last_success: AtomicU64,
    failures: AtomicU64,
    warnings: WarningInterval,
    /// Held by a probe that is under way.
    pub(super) probe: Arc<Mutex<()>>,
}

impl Ability {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            start: Instant::now(),
            last_success: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            warnings: WarningInterval::new(),
            probe: Arc::default(),
        }
    }

    /// Records the result of a statement. One that waited too long for a lock, or met a bug, shows nothing.
    pub(super) fn record<T>(&self, operation: &'static str, result: &Result<T, sqlx::Error>) {
        match result {
            Ok(_) => self.record_success(),
            Err(error) if is_unavailable(error) && !is_contention(error) => self.record_failure(operation, error),
            Err(_) => {}
        }
    }

    fn record_success(&self) {
        let micros = u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.last_success.store(micros.max(1), Ordering::Relaxed);
        if self.failures.load(Ordering::Relaxed) > 0 {
            let failures = self.failures.swap(0, Ordering::Relaxed);
            if failures > 0 {
                tracing::info!(failures, "{} of the database succeed again", self.name);
            }
        }
    }

    fn record_failure(&self, operation: &'static str, error: &sqlx::Error) {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
        if self.warnings.has_passed() {
            let is_grave = is_grave(error);
            let error = message(error);
            if is_grave {
                tracing::error!(operation, failures, error, "{} of the database fail", self.name);
            } else {
                tracing::warn!(operation, failures, error, "{} of the database fail", self.name);
            }
        }
    }

    /// Whether a statement succeeded of late.
    pub(super) fn is_recent(&self) -> bool {
        let last = Duration::from_micros(self.last_success.load(Ordering::Relaxed));
        !last.is_zero() && self.start.elapsed().saturating_sub(last) < RECENT
    }

    pub(super) fn is_failing(&self) -> bool {
        self.failures.load(Ordering::Relaxed) > 0
    }
}

/// The abilities of the database.
#[derive(Debug)]
pub(super) struct Abilities {
    pub(super) reads: Ability,
    pub(super) writes: Ability,
}

impl Abilities {
    pub(super) fn new() -> Self {
        Self { reads: Ability::new("reads"), writes: Ability::new("writes") }
    }
}
