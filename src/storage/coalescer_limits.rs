//! The bounds of a coalescer: fixed ones, and the length of its queue at which the last item still starts in time.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::Semaphore;

/// The weight of the past in the rate, at each start of a statement.
const DECAY: f64 = 0.875;

/// How often a statement for one item is tried, while its errors say that it may be repeated.
pub(super) const MAX_ATTEMPTS: usize = 8;

/// The bounds of a coalescer.
#[derive(Debug, Clone)]
pub(super) struct Limits {
    /// The maximum number of lanes.
    pub(super) lanes: usize,
    /// How long a statement occupies its lane, if a permit for a statement beside the lanes is free. `None`: until it ends.
    pub(super) lane_time: Option<Duration>,
    /// The permits for statements beside the lanes. Several coalescers can share them.
    pub(super) beside: Arc<Semaphore>,
    /// The maximum number of items of a statement.
    pub(super) items: usize,
    /// The maximum number of items that wait.
    pub(super) depth: usize,
    /// The maximum time that an item waits for its statement to start.
    pub(super) wait: Duration,
}

impl Limits {
    /// The number of items that may wait: as many whole statements as start in time, and always one.
    pub(super) fn max_depth(&self, rate: &Rate, now: Instant, oldest: Option<Instant>) -> usize {
        let oldest = oldest.unwrap_or(now);
        // Half of the wait, so that hardly any of those that are accepted is refused later, even if the database becomes slower.
        let at_once = if rate.at_once > 0 { rate.at_once } else { self.items };
        let Some(in_time) = rate.items_in(self.wait / 2, now, oldest, at_once) else { return self.depth };
        (in_time / at_once * at_once).max(at_once).min(self.depth)
    }
}

/// The rate at which items leave a queue while there are more than fit into a statement.
#[derive(Debug, Default)]
pub(super) struct Rate {
    /// The items that left, and the seconds in which they did. Older ones count less.
    items: f64,
    seconds: f64,
    /// When items last left the queue, and whether others stayed.
    last: Option<Instant>,
    is_full: bool,
    /// How many left together, while others stayed. 0: unknown.
    at_once: usize,
}

impl Rate {
    /// Records that items left the queue for a statement, and whether others stayed.
    #[expect(clippy::cast_precision_loss, reason = "the queue is far smaller than 2^52")]
    pub(super) fn record(&mut self, now: Instant, items: usize, others_stay: bool) {
        let last = self.last.replace(now);
        if others_stay {
            self.at_once = items;
        }
        if !std::mem::replace(&mut self.is_full, others_stay) {
            (self.items, self.seconds) = (0.0, 0.0);
        } else if let Some(last) = last {
            self.items = self.items * DECAY + items as f64;
            self.seconds = self.seconds * DECAY + now.saturating_duration_since(last).as_secs_f64();
        }
    }

    /// Returns how many items leave the queue in this time, at the rate of late. If that is not known, at most so many left with one
    /// statement since the first of those that wait, at `oldest`, arrived. `None`: it arrived just now.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, and saturating")]
    #[expect(clippy::cast_precision_loss, reason = "the queue is far smaller than 2^52")]
    pub(super) fn items_in(&self, time: Duration, now: Instant, oldest: Instant, at_once: usize) -> Option<usize> {
        let last = self.last.map_or(oldest, |last| last.max(oldest));
        let items = if self.items > 0.0 { self.items } else { at_once as f64 };
        let seconds = self.seconds + now.saturating_duration_since(last).as_secs_f64();
        (seconds > 0.0).then(|| (items / seconds * time.as_secs_f64()) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Duration = Duration::from_millis(10);

    #[test]
    fn the_rate_follows_the_statements() {
        let start = Instant::now();
        let (mut rate, mut now) = (Rate::default(), start);
        let in_100_ms = |rate: &Rate, now| rate.items_in(10 * STEP, now, start, 256);
        assert_eq!(in_100_ms(&rate, now), None);
        // No statement has ended: at most one every 20 ms would.
        assert_eq!(in_100_ms(&rate, now + 2 * STEP), Some(5 * 256));
        rate.record(now, 100, true);
        for _ in 0..100 {
            now += STEP;
            rate.record(now, 100, true);
        }
        assert_eq!(in_100_ms(&rate, now), Some(1000));
        // The database becomes ten times as slow.
        for _ in 0..100 {
            now += 10 * STEP;
            rate.record(now, 100, true);
        }
        assert_eq!(in_100_ms(&rate, now), Some(100));
        // It does not respond.
        assert!(in_100_ms(&rate, now + 100_000 * STEP) < Some(2));
        // It recovers.
        for _ in 0..100 {
            now += STEP;
            rate.record(now, 100, true);
        }
        assert!(in_100_ms(&rate, now) > Some(990));
        // Nothing waits for an hour. Then the rate is not known.
        rate.record(now, 100, false);
        now += Duration::from_secs(3600);
        rate.record(now, 100, true);
        assert_eq!(rate.items_in(10 * STEP, now + STEP, now, 256), Some(2560));
    }
}
