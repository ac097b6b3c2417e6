//! Limits how often a warning is logged.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// The time between two warnings.
const INTERVAL: Duration = Duration::from_secs(10);

/// The maximum number of kinds that are logged within the interval.
const MAX_KINDS: usize = 32;

/// Decides which occurrences of an event are logged, so that an attack or a fault does not fill the log. A metric counts all.
#[derive(Debug)]
pub(crate) struct WarningInterval(Mutex<Option<Instant>>);

impl WarningInterval {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// Whether this occurrence is logged: it is the first one, or the last logged one was 10 s ago.
    pub(crate) fn has_passed(&self) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let has_passed = last.is_none_or(|last| last.elapsed() >= INTERVAL);
        if has_passed {
            *last = Some(Instant::now());
        }
        has_passed
    }
}

/// As [`WarningInterval`], for each kind of event by itself.
#[derive(Debug)]
pub(crate) struct WarningIntervals(Mutex<BTreeMap<String, Instant>>);

impl WarningIntervals {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    /// Whether this occurrence of the kind is logged.
    pub(crate) fn has_passed(&self, kind: &str) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.retain(|_, last| last.elapsed() < INTERVAL);
        let has_passed = last.len() < MAX_KINDS && !last.contains_key(kind);
        if has_passed {
            last.insert(kind.to_owned(), Instant::now());
        }
        has_passed
    }
}
