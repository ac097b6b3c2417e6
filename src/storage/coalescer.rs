//! Request coalescing: requests that arrive while a statement is in flight share the next statement.
//!
//! A statement for thirty users costs little more than a statement for one: the round trip, the commit and the transfer
//! between threads happen once. A request that finds the coalescer idle runs at once, in a statement of its own; there is
//! no timer, so coalescing adds no latency to an idle server. Under load, a *lane* takes every waiting request that can
//! share a statement, up to a bound, and the next requests wait for the next lane. A few lanes run at the same time. A
//! statement that takes long, because it waits for a lock or the network is slow, leaves its lane to the next requests.
//!
//! What must stay true:
//! - A request joins only a statement that has not started. What a read returns is therefore never older than the request.
//! - Every request gets exactly one result: its own, or the error of its statement.
//! - An item that cannot share the statement, because of a conflict or of a lock, runs in a statement of its own, and so
//!   does each item of a statement that the database undid. One item cannot fail its neighbours, unless it leaves no time for them.
//! - The number of statements beside the lanes is bounded, so that they do not take every connection.
//! - A statement is not repeated if its outcome is unknown.
//! - A caller that goes away (a client that disconnects, a timeout) does not interrupt a statement. If its item is still
//!   in the queue, the item is dropped.
//! - The queue is first in, first out, and bounded. An item whose statement would not start in time is refused, at once if the
//!   rate of the last statements shows that.

use std::{
    collections::VecDeque,
    future::pending,
    panic::AssertUnwindSafe,
    pin::pin,
    sync::{Arc, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use futures_util::{
    FutureExt,
    future::{Either, select},
};
use tokio::sync::{SemaphorePermit, oneshot};
use tracing::{Instrument, Span};

#[cfg(not(test))]
use std::sync::Mutex;
#[cfg(not(test))]
use tokio::{spawn, task::yield_now, time::sleep};

// The tests run every interleaving that shuttle finds.
#[cfg(test)]
use shuttle::{
    future::{spawn, yield_now},
    sync::Mutex,
};

use super::coalescer_limits::{MAX_ATTEMPTS, Rate};
use crate::telemetry::{metrics::BatchMetrics, spans};

pub(super) use super::{
    coalescer_errors::{CallError, StatementError},
    coalescer_limits::Limits,
};

/// Instead of a timer: in some schedules, statements take longer.
#[cfg(test)]
async fn sleep(_: Duration) {
    yield_now().await;
}

/// The statements for one kind of request.
///
/// What has to commit together with an item, such as a record of its idempotency key or a change event, belongs into the
/// same statement: the item has the values, and `run_together` binds them.
pub(super) trait Batch: Send + Sync + 'static {
    /// What a request asks for.
    type Item: Send + Sync + 'static;
    /// The result for one item.
    type Output: Send + 'static;
    /// The error of a statement.
    type Error: StatementError;

    /// The name of the operation, in metrics and spans.
    const OPERATION: &'static str;

    /// Whether an item can share a statement with these. Two writes of one row cannot.
    fn joins(_items: &[Self::Item], _next: &Self::Item) -> bool {
        true
    }

    /// Runs one statement for at least two items. Returns the result of each item, in their order. `None`: the statement
    /// did not process the item, and it must run alone.
    fn run_together(
        &self,
        items: &[Self::Item],
    ) -> impl Future<Output = Result<Vec<Option<Self::Output>>, Self::Error>> + Send;

    /// Runs one statement for one item.
    fn run_alone(&self, item: &Self::Item) -> impl Future<Output = Result<Self::Output, Self::Error>> + Send;
}

/// Combines concurrent requests into statements.
pub(super) struct Coalescer<B: Batch>(Arc<Shared<B>>);

struct Shared<B: Batch> {
    batch: B,
    limits: Limits,
    queue: Mutex<Queue<B>>,
    metrics: OnceLock<BatchMetrics>,
}

struct Queue<B: Batch> {
    entries: VecDeque<Entry<B>>,
    rate: Rate,
    /// The lanes that exist.
    lanes: usize,
    /// The lanes that are about to take entries. While there is one, an arrival does not start another.
    taking: usize,
}

struct Entry<B: Batch> {
    item: B::Item,
    caller: Caller<B>,
}

/// Where the result of an item goes, the span of its request, and when that arrived.
struct Caller<B: Batch> {
    result: oneshot::Sender<Result<B::Output, CallError<B::Error>>>,
    span: Span,
    arrival: Instant,
}

impl<B: Batch> Coalescer<B> {
    pub(super) fn new(batch: B, limits: Limits) -> Self {
        let queue = Queue { entries: VecDeque::new(), rate: Rate::default(), lanes: 0, taking: 0 };
        let queue = Mutex::new(queue);
        Self(Arc::new(Shared { batch, limits, queue, metrics: OnceLock::new() }))
    }

    /// Runs an item, in a statement that it shares with others where possible.
    ///
    /// # Errors
    /// See [`CallError`].
    pub(super) async fn call(&self, item: B::Item) -> Result<B::Output, CallError<B::Error>> {
        let span = tracing::debug_span!("store", db.operation.name = B::OPERATION);
        let (sender, result) = oneshot::channel();
        let caller = Caller { result: sender, span, arrival: Instant::now() };
        self.0.push(Entry { item, caller })?;
        // The sender is dropped without a result only if the runtime stops.
        result.await.unwrap_or(Err(CallError::Panicked))
    }
}

impl<B: Batch> Shared<B> {
    fn queue<T>(&self, work: impl FnOnce(&mut Queue<B>) -> T) -> T {
        // Nothing panics while the lock is held.
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        work(&mut queue)
    }

    fn metrics(&self) -> &BatchMetrics {
        self.metrics.get_or_init(|| BatchMetrics::new(B::OPERATION))
    }

    /// Adds an entry, and starts a lane if none is about to take it.
    fn push(self: &Arc<Self>, entry: Entry<B>) -> Result<(), CallError<B::Error>> {
        let starts_lane = self.queue(|queue| {
            let oldest = queue.entries.front().map(|entry| entry.caller.arrival);
            if queue.entries.len() >= self.limits.max_depth(&queue.rate, entry.caller.arrival, oldest) {
                return None;
            }
            queue.entries.push_back(entry);
            Some(queue.add_lane(self.limits.lanes))
        });
        let Some(starts_lane) = starts_lane else {
            self.metrics().count_refused(1);
            return Err(CallError::Overloaded);
        };
        self.metrics().add_waiting(1);
        self.start_lane_if(starts_lane);
        Ok(())
    }

    fn start_lane_if(self: &Arc<Self>, starts_lane: bool) {
        if starts_lane {
            spawn(self.clone().run_lane());
        }
    }

    /// Runs statements until the queue is empty.
    async fn run_lane(self: Arc<Self>) {
        loop {
            // Requests that can run now join first, so that they share the statement.
            yield_now().await;
            let Some(entries) = self.take() else { return };
            let start = Instant::now();
            let statement = pin!(self.run(entries));
            let leave = pin!(self.permit_to_leave());
            let mut turn = select(statement, leave);
            let end = loop {
                match select(turn, pin!(sleep(self.limits.wait))).await {
                    Either::Left((end, _)) => break end,
                    Either::Right(((), unfinished)) => turn = unfinished,
                }
                self.refuse(self.queue(|queue| queue.take_expired(self.limits.wait)));
            };
            if let Either::Right((_permit, statement)) = end {
                let starts_lane = self.queue(|queue| {
                    queue.rate.record_turn(start.elapsed());
                    queue.lanes -= 1;
                    !queue.entries.is_empty() && queue.add_lane(self.limits.lanes)
                });
                self.start_lane_if(starts_lane);
                return statement.await;
            }
            self.queue(|queue| {
                queue.rate.record_turn(start.elapsed());
                queue.taking += 1;
            });
        }
    }

    /// Waits until a statement that began now has to leave its lane.
    async fn permit_to_leave(&self) -> SemaphorePermit<'_> {
        let Some(time) = self.limits.lane_time else { return pending().await };
        sleep(time).await;
        self.permit().await
    }

    async fn permit(&self) -> SemaphorePermit<'_> {
        self.limits.beside.acquire().await.expect("the semaphore is never closed")
    }

    /// Refuses entries that have waited too long.
    fn refuse(&self, entries: Vec<Entry<B>>) {
        self.metrics().remove_waiting(entries.len());
        self.metrics().count_refused(entries.len());
        entries.into_iter().for_each(|entry| entry.caller.send(Err(CallError::Overloaded)));
    }

    /// Takes the entries of the next statement. `None` ends the lane: the queue is empty.
    fn take(self: &Arc<Self>) -> Option<Entries<B>> {
        let (expired, entries, taken, starts_lane) = self.queue(|queue| {
            queue.taking -= 1;
            let expired = queue.take_expired(self.limits.wait);
            let waiting = queue.entries.len();
            let entries = queue.take_entries(self.limits.items);
            if entries.is_none() {
                queue.lanes -= 1;
            }
            let taken = waiting - queue.entries.len();
            let others_stay = !queue.entries.is_empty();
            queue.rate.record_start(Instant::now(), taken, others_stay);
            (expired, entries, taken, others_stay && queue.add_lane(self.limits.lanes))
        });
        self.start_lane_if(starts_lane);
        self.refuse(expired);
        self.metrics().remove_waiting(taken);
        if let Some(entries) = &entries {
            self.metrics().record(entries.items.len(), entries.oldest.elapsed());
        }
        entries
    }

    /// Runs a statement and sends the results.
    async fn run(self: &Arc<Self>, Entries { mut items, mut callers, .. }: Entries<B>) {
        if items.len() == 1
            && let (Some(item), Some(caller)) = (items.pop(), callers.pop())
        {
            return self.run_alone(item, caller).await;
        }
        let span = spans::shared_span(callers.iter().map(|caller| &caller.span));
        let work = self.batch.run_together(&items).instrument(span);
        let error = match AssertUnwindSafe(work).catch_unwind().await {
            Ok(Ok(outputs)) => {
                for ((item, caller), output) in items.into_iter().zip(callers).zip(outputs) {
                    match output {
                        Some(output) => caller.send(Ok(output)),
                        None => self.spawn_alone(item, caller, CallError::Overloaded),
                    }
                }
                return;
            }
            Ok(Err(error)) if error.is_undone() => {
                tracing::debug!(
                    operation = B::OPERATION,
                    items = items.len(),
                    "a batch failed: running its items alone"
                );
                return items
                    .into_iter()
                    .zip(callers)
                    .for_each(|(item, caller)| self.spawn_alone(item, caller, CallError::Failed(error.clone())));
            }
            Ok(Err(error)) => CallError::Failed(error),
            // The panic hook logs it.
            Err(_) => CallError::Panicked,
        };
        callers.into_iter().for_each(|caller| caller.send(Err(error.clone())));
    }

    /// Runs an item beside the lanes: it may wait for a lock, and the next statement must not wait for it. If its statement would
    /// not start in time, it fails with this error.
    fn spawn_alone(self: &Arc<Self>, item: B::Item, caller: Caller<B>, too_late: CallError<B::Error>) {
        let shared = self.clone();
        spawn(async move {
            let _permit = shared.permit().await;
            if caller.arrival.elapsed() > shared.limits.wait {
                caller.send(Err(too_late));
            } else if !caller.result.is_closed() {
                shared.run_alone(item, caller).await;
            }
        });
    }

    async fn run_alone(&self, item: B::Item, caller: Caller<B>) {
        let work = async {
            for _ in 1..MAX_ATTEMPTS {
                match self.batch.run_alone(&item).await {
                    Err(error) if error.may_be_repeated() => {}
                    result => return result,
                }
            }
            self.batch.run_alone(&item).await
        };
        let work = work.instrument(caller.span.clone());
        caller.send(match AssertUnwindSafe(work).catch_unwind().await {
            Ok(result) => result.map_err(CallError::Failed),
            Err(_) => Err(CallError::Panicked),
        });
    }
}

/// What one statement processes.
struct Entries<B: Batch> {
    items: Vec<B::Item>,
    callers: Vec<Caller<B>>,
    /// The arrival of the first item.
    oldest: Instant,
}

impl<B: Batch> Queue<B> {
    /// Returns whether the caller must start a lane: none is about to take entries, and there are fewer than `max`.
    fn add_lane(&mut self, max: usize) -> bool {
        let starts = self.taking == 0 && self.lanes < max;
        if starts {
            self.lanes += 1;
            self.taking += 1;
        }
        starts
    }

    /// Removes the entries that have waited for longer than this. They are the first.
    fn take_expired(&mut self, wait: Duration) -> Vec<Entry<B>> {
        let now = Instant::now();
        let is_expired = |entry: &Entry<B>| now.saturating_duration_since(entry.caller.arrival) > wait;
        let count = self.entries.iter().take_while(|entry| is_expired(entry)).count();
        self.entries.drain(..count).collect()
    }

    /// Removes the entries of the next statement, among the first `max` of those that wait. Entries that cannot share it
    /// keep their place.
    fn take_entries(&mut self, max: usize) -> Option<Entries<B>> {
        let mut kept = Vec::new();
        let mut taken: Option<Entries<B>> = None;
        let mut scanned = 0;
        while scanned < max
            && let Some(entry) = self.entries.pop_front()
        {
            if entry.caller.result.is_closed() {
                continue;
            }
            scanned += 1;
            let Entry { item, caller } = entry;
            match &mut taken {
                None => {
                    let oldest = caller.arrival;
                    taken = Some(Entries { items: vec![item], callers: vec![caller], oldest });
                }
                Some(entries) if B::joins(&entries.items, &item) => {
                    entries.items.push(item);
                    entries.callers.push(caller);
                }
                Some(_) => kept.push(Entry { item, caller }),
            }
        }
        for entry in kept.into_iter().rev() {
            self.entries.push_front(entry);
        }
        taken
    }
}

impl<B: Batch> Caller<B> {
    /// Sends the result, unless the caller went away.
    fn send(self, result: Result<B::Output, CallError<B::Error>>) {
        let _ = self.result.send(result);
    }
}

#[cfg(test)]
#[path = "coalescer_tests.rs"]
mod tests;
