//! The bounds of a coalescer: fixed ones, and the length of its queue at which the last item still starts in time.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::Semaphore;

/// How long the rate of the last statements says something about the next ones.
const KNOWN_FOR: Duration = Duration::from_secs(10);

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
        // Half of the wait, so that hardly any of those that are accepted is refused later, even if the database becomes slower.
        let (items, statements) = rate.statements_in(self.wait / 2, self, now, oldest.unwrap_or(now));
        statements.map_or(self.depth, |statements| items.saturating_mul(statements.max(1)).min(self.depth))
    }
}

/// How fast items leave a queue: what the last statements took from it, and how long each occupied its lane.
#[derive(Debug, Default)]
pub(super) struct Rate {
    /// How many items left for a statement, while others stayed. `None`: unknown.
    items: Option<f64>,
    /// How long a statement occupies its lane, in seconds. `None`: unknown.
    seconds: Option<f64>,
    /// When a statement last started.
    last: Option<Instant>,
}

impl Rate {
    /// Records that items left the queue for a statement, and whether others stayed.
    #[expect(clippy::cast_precision_loss, reason = "the queue is far smaller than 2^52")]
    pub(super) fn record_start(&mut self, now: Instant, items: usize, others_stay: bool) {
        if self.last.replace(now).is_some_and(|last| now.saturating_duration_since(last) > KNOWN_FOR) {
            (self.items, self.seconds) = (None, None);
        }
        if others_stay {
            average(&mut self.items, items as f64);
        }
    }

    /// Records how long a statement occupied its lane.
    pub(super) fn record_turn(&mut self, turn: Duration) {
        average(&mut self.seconds, turn.as_secs_f64());
    }

    /// Returns how many items a statement takes, and how many statements start in this time, at the rate of late. If none has started
    /// for longer than that rate says, since the last one and the first of the items that wait, at `oldest`, then the next starts only
    /// after as long again. `None`: nothing limits them.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, and saturating")]
    #[expect(clippy::cast_precision_loss, reason = "few lanes")]
    fn statements_in(&self, time: Duration, limits: &Limits, now: Instant, oldest: Instant) -> (usize, Option<usize>) {
        let since = now.saturating_duration_since(self.last.map_or(oldest, |last| last.max(oldest))).as_secs_f64();
        let seconds = self.seconds.map_or(since, |seconds| seconds / limits.lanes as f64);
        let items = self.items.map_or(limits.items, |items| items.ceil() as usize);
        let left = time.as_secs_f64() - (since - seconds).max(0.0);
        (items, (seconds > 0.0).then(|| (left / seconds) as usize))
    }
}

/// The average of all, of which the last is a half, the one before it a quarter, and so on.
fn average(of: &mut Option<f64>, last: f64) {
    *of = Some(of.map_or(last, |before| f64::midpoint(before, last)));
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Duration = Duration::from_millis(10);

    #[test]
    fn the_queue_is_as_long_as_the_statements_are_fast() {
        let limits = Limits {
            lanes: 2,
            lane_time: None,
            beside: Arc::new(Semaphore::new(0)),
            items: 256,
            depth: 9999,
            wait: 21 * STEP,
        };
        let (mut rate, mut now) = (Rate::default(), Instant::now());
        assert_eq!(limits.max_depth(&rate, now, None), limits.depth);
        // No statement has ended: at most one every 20 ms would.
        assert_eq!(limits.max_depth(&rate, now + 2 * STEP, Some(now)), 5 * 256);
        // Each of two lanes takes 100 items every 20 ms.
        for _ in 0..20 {
            now += STEP;
            rate.record_start(now, 100, true);
            rate.record_turn(2 * STEP);
        }
        assert_eq!(limits.max_depth(&rate, now, Some(now)), 1000);
        // Those that leave nothing behind say nothing about how many could leave.
        rate.record_start(now, 1, false);
        assert_eq!(limits.max_depth(&rate, now, None), 1000);
        // The database has not responded for a while: what is left after as long again.
        assert_eq!(limits.max_depth(&rate, now + 3 * STEP, Some(now)), 800);
        // It does not respond: one statement.
        assert_eq!(limits.max_depth(&rate, now + 15 * STEP, Some(now)), 100);
        // It becomes ten times as slow.
        for _ in 0..4 {
            rate.record_turn(20 * STEP);
        }
        assert_eq!(limits.max_depth(&rate, now, Some(now)), 100);
        // It recovers.
        for _ in 0..20 {
            rate.record_turn(2 * STEP);
        }
        assert_eq!(limits.max_depth(&rate, now, Some(now)), 1000);
        // Nothing waits for an hour. Then the rate is not known.
        now += Duration::from_secs(3600);
        rate.record_start(now, 100, false);
        assert_eq!(limits.max_depth(&rate, now, None), limits.depth);
    }
}
