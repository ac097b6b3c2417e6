//! What the statements of late show about the database: whether it can be read, and whether it can be written.
//!
//! While statements succeed, the database works, whatever a probe would find (see `probes.rs`).

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Mutex, time::Instant};

use super::error_kind::{code, contention, is_grave, message, shows_fault};
use crate::telemetry::warning_interval::WarningIntervals;

/// How long a success shows that the database works.
const RECENT: Duration = Duration::from_secs(1);

/// What a database can do.
#[derive(Debug)]
pub(super) struct Ability {
    pub(super) name: &'static str,
    start: Instant,
    /// Microseconds from `start` to the last success. 0: none.
    last_success: AtomicU64,
    /// Whether a statement failed since.
    is_failing: AtomicBool,
    /// The number of failures since the last one that was logged.
    failures: AtomicU64,
    /// For each code of an error.
    warnings: WarningIntervals,
    /// Whether a failure was logged since the last success.
    is_reported: AtomicBool,
    /// Held by a probe that is under way.
    pub(super) probe: Arc<Mutex<()>>,
}

impl Ability {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            start: Instant::now(),
            last_success: AtomicU64::new(0),
            is_failing: AtomicBool::new(false),
            failures: AtomicU64::new(0),
            warnings: WarningIntervals::new(),
            is_reported: AtomicBool::new(false),
            probe: Arc::default(),
        }
    }

    /// Records that a statement had its effect.
    pub(super) fn record_success(&self) {
        let micros = u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.last_success.store(micros.max(1), Ordering::Relaxed);
        if self.is_failing.load(Ordering::Relaxed)
            && self.is_failing.swap(false, Ordering::Relaxed)
            && self.is_reported.swap(false, Ordering::Relaxed)
        {
            let failures = self.failures.swap(0, Ordering::Relaxed);
            tracing::info!(failures, "{} of the database succeed again", self.name);
        }
    }

    /// Records that a statement failed, unless that shows nothing about the database.
    pub(super) fn record_failure(&self, operation: &'static str, error: &sqlx::Error) {
        if !shows_fault(error) {
            return;
        }
        self.failures.fetch_add(1, Ordering::Relaxed);
        self.is_failing.store(true, Ordering::Relaxed);
        if self.warnings.has_passed(&code(error)) {
            self.is_reported.store(true, Ordering::Relaxed);
            let failures = self.failures.swap(0, Ordering::Relaxed);
            let (is_grave, cause, error) = (is_grave(error), contention(error), message(error));
            if is_grave {
                tracing::error!(db.operation.name = operation, failures, error, "{} of the database fail", self.name);
            } else {
                tracing::warn!(
                    db.operation.name = operation,
                    failures,
                    error,
                    cause,
                    "{} of the database fail",
                    self.name
                );
            }
        }
    }

    /// Whether a statement succeeded of late.
    pub(super) fn is_recent(&self) -> bool {
        let last = Duration::from_micros(self.last_success.load(Ordering::Relaxed));
        !last.is_zero() && self.start.elapsed().saturating_sub(last) < RECENT
    }

    pub(super) fn is_failing(&self) -> bool {
        self.is_failing.load(Ordering::Relaxed)
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
